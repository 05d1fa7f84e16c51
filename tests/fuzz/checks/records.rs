//! What lies on the disk: configuration, state, records of the database, history, calls. A card that fails, an editor,
//! or another version of the program may have written anything there.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::DeflateEncoder};
use minectl::commands::replay::{Player, RecordedRun};
use minectl::config::{inspect, mask, with_value};
use minectl::decide::decide;
use minectl::model::{Fault, FaultKind, Override, SiteState, Snapshot};
use minectl::store;
use minectl::units::{BootId, Moment, Seconds, UnixSeconds};

use super::kinds::sample;
use super::{NOW, steady};

/// The day of `NOW`.
const DAY: UnixSeconds = UnixSeconds(NOW.0 - NOW.0 % 86_400);

/// Does something with a folder that lasts as long as this thread.
fn in_folder<T>(use_it: impl FnOnce(&Path) -> T) -> T {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().unwrap();
    }
    FOLDER.with(|folder| use_it(folder.path()))
}

pub fn config_text(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let inspection = inspect(&text, "config.txt", Path::new("/nowhere"));
    if let Err(lines) = &inspection.result {
        assert!(!lines.is_empty());
        assert!(lines.iter().all(|line| line.starts_with("config.txt") && !line.contains('\n')), "{lines:?}");
    }
    for entry in inspection.entries.iter().take(3) {
        let _changed = with_value(&text, entry, "1");
    }
    let _masked = mask(&text, "config.txt");
    inspection.result.is_ok()
}

fn nothing_read(at: Moment) -> Snapshot {
    let fault = |device: &str| Fault::new(device, FaultKind::TimedOut, "no answer within 5 s");
    Snapshot {
        at,
        signal: Err(fault("signal")),
        rooms: Default::default(),
        fan_watts: Err(fault("iotawatt")),
        boards: Default::default(),
        pdus: Default::default(),
        foreman: Err(fault("foreman")),
        took_ms: Default::default(),
        troubles: Vec::new(),
    }
}

/// What the rules make of a memory, whatever is in it: no panic, and twice the same.
fn decided(state: &SiteState, overrides: &[Override]) {
    let now = Moment { wall: NOW, boot: BootId(7), up: Seconds(5000) };
    let snapshot = nothing_read(now);
    let decision = steady(|| decide(sample(), state, &snapshot, overrides, &now));
    let next = serde_json::to_vec(&decision.next).unwrap();
    assert!(serde_json::from_slice::<SiteState>(&next).is_ok(), "what is remembered cannot be read again");
}

pub fn state(bytes: &[u8]) -> bool {
    in_folder(|folder| {
        fs::write(folder.join("state.json"), bytes).unwrap();
        fs::write(folder.join("last-snapshot.json"), bytes).unwrap();
        let is_snapshot = steady(|| store::read_snapshot(folder)).is_some();
        match steady(|| store::parse::plain_copy(folder)) {
            Ok(copy) => {
                let (state, overrides) = copy.expect("it is there");
                decided(&state, &overrides);
                true
            }
            Err(words) => {
                assert!(words.contains("state.json") && words.len() < 4096, "{words:.300}");
                is_snapshot
            }
        }
    })
}

/// The first byte is the record's kind; behind a capital it is packed already, else it is packed here.
pub fn record(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else { return false };
    let packed = match kind.is_ascii_uppercase() {
        true => rest.to_vec(),
        false => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(rest).unwrap();
            encoder.finish().unwrap()
        }
    };
    let key = [kind.to_ascii_lowercase(), 0, 0, 0, 0, 0, 0, 0, 1];
    let loaded = steady(|| store::parse::record(&key, &packed));
    if let Ok(Some(state)) = loaded.as_ref().map(|loaded| loaded.state.as_ref()) {
        decided(state, &[]);
    }
    loaded.is_ok()
}

pub fn history(bytes: &[u8]) -> bool {
    in_folder(|folder| {
        let day = jiff::Timestamp::from_second(DAY.0).unwrap().strftime("%Y-%m-%d").to_string();
        fs::write(folder.join(format!("{day}.csv")), bytes).unwrap();
        let last = DAY.plus(Seconds(86_399));
        let history = steady(|| store::read_history(folder, DAY, last, &|_| true));
        let points = history.series.values().flatten().count();
        assert!(points <= bytes.len(), "{points} points out of {} bytes", bytes.len());
        for (at, value) in history.series.values().flatten() {
            assert!((DAY..=last).contains(at) && value.is_none_or(f64::is_finite), "{value:?} at {at:?}");
        }
        points > 0
    })
}

pub fn calls(bytes: &[u8]) -> bool {
    in_folder(|folder| {
        fs::write(folder.join("2026-11.jsonl"), bytes).unwrap();
        let calls = steady(|| store::read_calls(folder, "2026-11", "2026-11"));
        assert!(calls.records.len() + calls.troubles.len() <= bytes.split(|byte| *byte == b'\n').count());
        let in_order = calls.records.windows(2).all(|two| two[0].seen < two[1].seen);
        assert!(in_order, "a call twice, or out of order");
        !calls.records.is_empty()
    })
}

/// A run that was recorded, and what the rules make of it today.
pub fn recorded_run(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Ok(run) = RecordedRun::parse(&text) else { return false };
    let lines: Vec<String> = run.lines().iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    assert_eq!(RecordedRun::parse(&lines.join("\n")).as_ref(), Ok(&run), "not read back as it was written");
    let _played = Player::new(sample()).play(&run);
    true
}

/// A database as text: taken whole or not at all.
pub fn import(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let folder = tempfile::tempdir().unwrap();
    let now = Moment { wall: NOW, boot: BootId(7), up: Seconds(5000) };
    let store = store::Store::new(folder.path()).unwrap();
    let Err(mistakes) = store.import(&text, &now) else {
        let mut again = Vec::new();
        store.export(&now, &mut again).unwrap();
        return true;
    };
    assert!(!mistakes.is_empty() && mistakes.len() <= 64 * 1024, "{} bytes of mistakes", mistakes.len());
    assert!(!folder.path().join("db").exists(), "refused, and yet a database was made");
    false
}
