//! What the store costs, for `scripts/bench.sh store`: does in one process what a quiet run does with it, and says how
//! long that took. It drives nothing and is never shipped.
//!
//! ```text
//! bench_store tick FOLDER NOW      one run: load, history line, save, 24 hours read; prints milliseconds as JSON
//! bench_store keep FOLDER NOW N    sums up and prunes the history as N runs do
//! bench_store read FOLDER NOW      reads 24 h, 30 d and 2 y; prints milliseconds as JSON
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use minectl::model::{Event, EventKind, OutletRef, Sample, SiteState};
use minectl::store::{self, Change, HistoryLimits, Store};
use minectl::units::{BootId, Moment, Seconds, UnixSeconds};

const SERIES: usize = 45;
const DAY: u64 = 86_400;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(&arguments[1]);
    let now: i64 = arguments[2].parse().unwrap();
    match arguments[0].as_str() {
        "tick" => tick(folder, now),
        "keep" => keep(&folder.join("history"), now, arguments[3].parse().unwrap()),
        "read" => read(&folder.join("history"), UnixSeconds(now)),
        other => panic!("unknown: {other}"),
    }
}

/// Of the size of a mine's: 144 outlets that were cut.
fn state(now: Moment) -> SiteState {
    let mut state = SiteState::boot(now);
    state.last_pass = Some(now);
    for outlet in 0..144 {
        let pdu = format!("spdu-{}", outlet / 24);
        state.miners.cut.insert(OutletRef { pdu, outlet: (outlet % 24).to_string() });
    }
    state
}

/// As a mine has them: switches, fans, PDUs, temperatures.
fn samples(now: i64) -> Vec<Sample> {
    let noise = |n: usize| (now / 120 * 7919 + n as i64 * 104_729) % 1000;
    let value = |n: usize| match n {
        0..18 => f64::from(u8::from(now / 86_400 % 2 == 0)),
        18..27 => 1400.0 + noise(n) as f64 / 10.0,
        27..33 => 160_000.0 + noise(n) as f64,
        _ => 15.0 + noise(n) as f64 / 100.0,
    };
    (0..SERIES).map(|n| Sample { series: format!("series.{n}_w"), value: Some(value(n)) }).collect()
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn tick(folder: &Path, wall: i64) {
    let now = Moment { wall: UnixSeconds(wall), boot: BootId(1), up: Seconds(u64::try_from(wall).unwrap()) };
    let bare = peak_kb();
    let begin = Instant::now();
    let store = Store::new(folder).unwrap();
    let loaded = store.load(&now);
    let load = ms(begin);
    assert_eq!(loaded.troubles, Vec::<String>::new());
    let history = store.history_folder();
    store::append_history(&history, now.wall, &samples(wall)).unwrap();
    let begin_save = Instant::now();
    let has_event = wall / 120 % 10 == 0;
    let text = format!("something changed at {wall}");
    let event = Event { at: now.wall, kind: EventKind::State, subject: "test".to_owned(), text };
    let change = Change {
        state: Some(state(now)),
        plain_copy: has_event.then(Vec::new),
        events: if has_event { vec![event] } else { Vec::new() },
        ..Change::default()
    };
    store.save(&change, &now).unwrap();
    let save = ms(begin_save);
    let begin_read = Instant::now();
    let day = store::read_history(&history, now.wall.minus(Seconds(DAY)), now.wall, &|_| true);
    let read = ms(begin_read);
    store.compact_when_due(&now).unwrap();
    let limits = HistoryLimits { full_days: 30, quarter_days: 730 };
    store::keep_history(&history, now.wall, limits).unwrap();
    let points: usize = day.series.values().map(Vec::len).sum();
    let (all, peak) = (ms(begin), peak_kb());
    println!(
        r#"{{"all": {all}, "load": {load}, "save": {save}, "read": {read}, "points": {points}, "bare_kb": {bare}, "peak_kb": {peak}}}"#
    );
}

/// The most memory that this process had so far.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn keep(history: &Path, now: i64, runs: u32) {
    let limits = HistoryLimits { full_days: 30, quarter_days: 730 };
    for _ in 0..runs {
        store::keep_history(history, UnixSeconds(now), limits).unwrap();
    }
}

fn read(history: &Path, now: UnixSeconds) {
    // Once for the files to be in memory, as they are for a page that is drawn every two minutes.
    let mut took = [0.0; 4];
    for _ in 0..2 {
        let begin = Instant::now();
        let day = store::read_history(history, now.minus(Seconds(DAY)), now, &|_| true);
        took[0] = ms(begin);
        let begin = Instant::now();
        let month = store::trend(history, &|_| true, now.minus(Seconds(30 * DAY)), now, Seconds(3600));
        took[1] = ms(begin);
        let begin = Instant::now();
        let quarters = store::trend(history, &|_| true, now.minus(Seconds(30 * DAY)), now, Seconds(900));
        took[2] = ms(begin);
        let begin = Instant::now();
        let years = store::trend(history, &|_| true, now.minus(Seconds(730 * DAY)), now, Seconds(3600));
        took[3] = ms(begin);
        assert!(
            [&month, &quarters, &years].iter().all(|trend| trend.series.len() == SERIES) && day.series.len() == SERIES
        );
    }
    let [day, month, quarters, years] = took;
    println!(r#"{{"day": {day}, "month_hours": {month}, "month_quarters": {quarters}, "years": {years}}}"#);
}
