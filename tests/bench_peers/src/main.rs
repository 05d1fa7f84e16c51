//! What others cost, doing in one process what a quiet run of minectl does with its store.
//!
//! ```text
//! bench-peers sqlite|csv FOLDER NOW [RUNS]   so many runs (1), two minutes apart, the first at NOW; prints milliseconds
//!                                            of the last one as JSON
//! ```
//!
//! A run: read the state and the last events; save the state, each tenth time an event, and 45 samples; read the last 24
//! hours.

mod csv;
mod sqlite;

use std::path::Path;
use std::time::Instant;

const SERIES: usize = 45;
const INTERVAL: i64 = 120;
const DAY: i64 = 86_400;

/// Milliseconds of a run, and the values it read.
struct Took {
    all: f64,
    load: f64,
    save: f64,
    read: f64,
    points: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(&arguments[1]);
    let now: i64 = arguments[2].parse().unwrap();
    let runs: i64 = arguments.get(3).map_or(1, |runs| runs.parse().unwrap());
    let bare = peak_kb();
    for run in 0..runs {
        let at = now + run * INTERVAL;
        let took = match arguments[0].as_str() {
            "sqlite" => sqlite::run(&folder.join("store.sqlite"), at).unwrap(),
            "csv" => csv::run(folder, at).unwrap(),
            other => panic!("unknown: {other}"),
        };
        if run + 1 == runs {
            let Took { all, load, save, read, points } = took;
            let peak = peak_kb();
            println!(
                r#"{{"all": {all}, "load": {load}, "save": {save}, "read": {read}, "points": {points}, "bare_kb": {bare}, "peak_kb": {peak}}}"#
            );
        }
    }
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Whether something happened in this run.
fn event(now: i64) -> Option<String> {
    (now / INTERVAL % 10 == 0).then(|| format!("something changed at {now}"))
}

/// Of the size of a mine's: 144 outlets that were cut.
fn state() -> String {
    let outlet = |n: usize| format!(r#"{{"pdu":"spdu-{}","outlet":"{}"}}"#, n / 24, n % 24);
    format!(r#"{{"cut":[{}]}}"#, (0..144).map(outlet).collect::<Vec<_>>().join(","))
}

/// As a mine has them: switches, fans, PDUs, temperatures.
fn samples(now: i64) -> impl Iterator<Item = f64> {
    let noise = move |n: usize| ((now / INTERVAL * 7919 + n as i64 * 104_729) % 1000) as f64;
    (0..SERIES).map(move |n| match n {
        0..18 => f64::from(u8::from(now / DAY % 2 == 0)),
        18..27 => 1400.0 + noise(n) / 10.0,
        27..33 => 160_000.0 + noise(n),
        _ => 15.0 + noise(n) / 100.0,
    })
}

/// The most memory that this process had so far.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
