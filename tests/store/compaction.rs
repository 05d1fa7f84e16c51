//! Compaction keeps everything and gives space back; one that was interrupted anywhere is undone or finished.

use std::fs;
use std::time::{Duration, SystemTime};

use minectl::store::Change;

use crate::support::{DAY, assert_full, at, event, event_texts, full_change, new_store};

fn size(folder: &tempfile::TempDir) -> u64 {
    fs::metadata(folder.path().join("db/db")).unwrap().len()
}

#[test]
fn compaction_keeps_everything_and_shrinks_the_file() {
    let (folder, store) = new_store();
    for round in 0..60 {
        let text = |number| format!("round {round} number {number} {}", "0123456789".repeat(10));
        let events = (0..20).map(|number| event(round, &text(number))).collect();
        let outdated = Change { events, ..full_change(1) };
        let done: Vec<u64> = store.save(&outdated, &at(round)).unwrap().queued.iter().map(|entry| entry.id).collect();
        store.save(&Change { outbox_done: done, ..Change::default() }, &at(round)).unwrap();
    }
    // A week later the events are old and go; the space they took does not.
    for _ in 0..5 {
        store.save(&Change::default(), &at(8 * DAY)).unwrap();
    }
    store.save(&full_change(7), &at(8 * DAY)).unwrap();
    let (before, events) = (size(&folder), event_texts(&store));
    let said = store.compact_when_due(&at(8 * DAY)).unwrap().expect("the first compaction is due");
    assert!(said.starts_with("database compacted from "), "{said}");
    assert!(size(&folder) < before, "{} from {before}", size(&folder));
    assert_full(&store.load(&at(8 * DAY)), 7);
    assert_eq!(event_texts(&store), events);
    assert!(!folder.path().join("db.old").exists() && !folder.path().join("db.new").exists());
}

#[test]
fn compaction_is_due_after_a_day_and_when_the_clock_went_back() {
    let (_folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    assert!(store.compact_when_due(&at(0)).unwrap().is_some());
    assert!(store.compact_when_due(&at(DAY - 1)).unwrap().is_none());
    assert!(store.compact_when_due(&at(DAY)).unwrap().is_some());
    assert!(store.compact_when_due(&at(0)).unwrap().is_some(), "a mark from the future");
}

#[test]
fn nothing_is_compacted_where_there_is_no_database() {
    let (_folder, store) = new_store();
    assert_eq!(store.compact_when_due(&at(0)), Ok(None));
}

#[test]
fn a_swap_that_broke_off_after_the_first_rename_is_undone_and_told() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    fs::rename(folder.path().join("db"), folder.path().join("db.old")).unwrap();
    fs::create_dir(folder.path().join("db.new")).unwrap();
    let mut loaded = store.load(&at(1));
    assert_eq!(loaded.troubles, ["an interrupted compaction was undone"]);
    loaded.troubles.clear();
    assert_full(&loaded, 1);
    assert!(!folder.path().join("db.new").exists());
}

#[test]
fn a_swap_that_broke_off_before_or_after_both_renames_costs_nothing() {
    for left_over in ["db.new", "db.old"] {
        let (folder, store) = new_store();
        store.save(&full_change(1), &at(0)).unwrap();
        fs::create_dir(folder.path().join(left_over)).unwrap();
        fs::write(folder.path().join(left_over).join("db"), b"half of something").unwrap();
        assert_full(&store.load(&at(1)), 1);
        store.save(&Change::default(), &at(1)).unwrap();
        assert!(!folder.path().join(left_over).exists(), "{left_over} is kept for ever");
        assert_full(&store.load(&at(2)), 1);
    }
}

#[test]
fn what_killed_runs_left_behind_goes_with_the_daily_compaction_and_nothing_younger() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let made = |name: &str, age_s: u64| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"half").unwrap();
        let then = SystemTime::now() - Duration::from_secs(age_s);
        fs::File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
        path
    };
    let old = [".newAb12Cd", "history/15min/.newXy", "evidence/.newZ"].map(|name| made(name, 3610));
    let kept = [made(".newYoung", 3590), made("state.new", 90_000), made("history/2026-11-20.csv", 90_000)];
    store.compact_when_due(&at(0)).unwrap();
    assert_eq!(old.map(|path| path.exists()), [false; 3]);
    assert_eq!(kept.map(|path| path.exists()), [true; 3]);
}
