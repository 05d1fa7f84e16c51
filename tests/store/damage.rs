//! Damaged files: the database is set aside and the plain copy taken, and people are told. What is only busy is left.

use std::fs::{self, File};
use std::path::Path;

use fs2::FileExt;
use minectl::model::Override;
use minectl::store::{Change, Found, Store};

use crate::support::{assert_full, at, event_texts, fan_held, files, full_change, new_store, set_aside, state};

/// State and overrides are back from the plain copy, and the troubles say so.
fn assert_refilled(store: &Store, number: u64) {
    let loaded = store.load(&at(10));
    assert_eq!(loaded.state.as_ref(), Some(&state(number)), "{:?}", loaded.troubles);
    assert_eq!(loaded.overrides, [fan_held(3, true), fan_held(4, false)]);
    let told = loaded.troubles.join("; ");
    assert!(told.contains("state taken from state.json (9 s old)"), "{told}");
    // It is usable at once, and the next run begins in peace.
    let change = Change { overrides: Vec::new(), overrides_back: loaded.overrides, ..full_change(number + 1) };
    store.save(&change, &at(20)).unwrap();
    assert_full(&store.load(&at(21)), number + 1);
}

#[test]
fn garbage_in_the_database_is_set_aside_and_the_state_comes_back() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let path = folder.path().join("db/db");
    let length = fs::metadata(&path).unwrap().len();
    let noise: Vec<u8> = (0..length).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(&path, noise).unwrap();
    assert_refilled(&store, 1);
}

#[test]
fn garbage_in_the_settings_of_the_database_is_set_aside_and_the_state_comes_back() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    fs::write(folder.path().join("db/conf"), b"\xff\xfenot what sled wrote").unwrap();
    assert_refilled(&store, 1);
    assert_eq!(set_aside(folder.path()).len(), 1);
}

/// Cut at many places: each time a state is there, from the database or from the copy, and the store is usable.
#[test]
fn a_database_that_is_cut_off_anywhere_never_ends_a_run() {
    let (folder, store) = new_store();
    for round in 0..5 {
        store.save(&full_change(round), &at(0)).unwrap();
    }
    let keep = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    copy(&db, keep.path());
    let whole = fs::metadata(db.join("db")).unwrap().len();
    for part in 0..16 {
        fs::remove_dir_all(&db).unwrap();
        copy(keep.path(), &db);
        let cut = File::options().write(true).open(db.join("db")).unwrap();
        cut.set_len(whole * part / 16).unwrap();
        let loaded = store.load(&at(10 + i64::try_from(part).unwrap()));
        assert!(loaded.state.is_some(), "cut to {part}/16: {:?}", loaded.troubles);
        store.save(&full_change(9), &at(11)).unwrap_or_else(|error| panic!("cut to {part}/16: {error}"));
        assert_eq!(store.load(&at(12)).state, Some(state(9)), "cut to {part}/16");
    }
    assert!(set_aside(folder.path()).len() <= 2, "old ones are kept for ever");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_half_written_snapshot_is_removed_and_costs_nothing() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    fs::write(folder.path().join("db/snap.00000000000000FF.generating"), b"half").unwrap();
    assert_full(&store.load(&at(1)), 1);
    store.save(&Change::default(), &at(1)).unwrap();
    assert!(files(&folder.path().join("db"), "snap.00000000000000FF").is_empty());
    assert_full(&store.load(&at(2)), 1);
    assert!(set_aside(folder.path()).is_empty());
}

#[test]
fn a_deleted_database_is_refilled_from_the_plain_copy_and_told() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    fs::remove_dir_all(folder.path().join("db")).unwrap();
    let loaded = store.load(&at(10));
    assert!(loaded.outbox.is_empty() && event_texts(&store).is_empty(), "they were only there");
    assert_refilled(&store, 1);
}

/// The next run after the one that found it lost, whatever that one came to save.
#[test]
fn overrides_of_a_lost_database_are_in_the_new_one_with_the_first_save() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    fs::remove_dir_all(folder.path().join("db")).unwrap();
    // Meanwhile a person sets another one, and the same one anew.
    let again = Override { since: at(5), ..fan_held(4, true) };
    store.save(&Change { overrides: vec![again.clone(), fan_held(7, true)], ..Change::default() }, &at(5)).unwrap();
    let loaded = store.load(&at(10));
    assert_eq!(loaded.found, Found::Lost);
    assert_eq!(loaded.overrides, [again.clone(), fan_held(7, true), fan_held(3, true)]);
    let told = loaded.troubles.join("; ");
    assert!(told.contains("overrides kept: fan 3 = on"), "{told}");
    // The run ends one of them, and a person one more; what was set meanwhile stays as it is.
    let back = vec![fan_held(3, true), fan_held(4, false), fan_held(5, true), fan_held(6, true)];
    let (overrides, overrides_done) = (vec![fan_held(6, false)], vec!["fan 5".to_owned()]);
    let change = Change { state: Some(state(2)), overrides_back: back, overrides, overrides_done, ..Change::default() };
    store.save(&change, &at(11)).unwrap();
    let loaded = store.load(&at(12));
    assert_eq!((loaded.found, loaded.troubles), (Found::Whole, Vec::new()));
    assert_eq!(loaded.overrides, [fan_held(3, true), again, fan_held(6, false), fan_held(7, true)]);
}

#[test]
fn a_damaged_copy_beside_a_sound_database_does_not_matter() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    fs::write(folder.path().join("state.json"), b"{").unwrap();
    assert_full(&store.load(&at(1)), 1);
}

#[test]
fn with_both_lost_the_run_begins_anew_and_says_so() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    fs::remove_dir_all(folder.path().join("db")).unwrap();
    fs::write(folder.path().join("state.json"), b"{").unwrap();
    let loaded = store.load(&at(1));
    assert!(loaded.state.is_none());
    assert!(loaded.troubles.join("; ").contains("state.json"), "{:?}", loaded.troubles);
}

#[test]
fn a_busy_database_is_told_and_left_alone() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let lock = File::options().write(true).open(folder.path().join("db.lock")).unwrap();
    lock.lock_exclusive().unwrap();
    let loaded = store.load(&at(10));
    assert_eq!(loaded.state.as_ref(), Some(&state(1)), "the plain copy serves meanwhile");
    assert_eq!(loaded.found, Found::Unread);
    let told = loaded.troubles.join("; ");
    assert!(told.contains("in use by another process for 5 s"), "{told}");
    assert!(!told.contains("lost"), "nothing is lost, it is only busy: {told}");
    let began = std::time::Instant::now();
    let refused = store.save(&Change { state: Some(state(2)), ..Change::default() }, &at(11)).unwrap_err();
    assert!(refused.contains("in use by another process for 5 s"), "the same words: {refused}");
    assert!(began.elapsed() < std::time::Duration::from_secs(3), "it is waited for once");
    drop(lock);
    assert_full(&store.load(&at(12)), 1);
    assert!(set_aside(folder.path()).is_empty());
}

#[test]
fn loading_and_looking_write_nothing_at_all() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let seen = || {
        let mut seen = Vec::new();
        for place in ["", "db", "db/blobs", "history"] {
            for entry in fs::read_dir(folder.path().join(place)).unwrap().map(Result::unwrap) {
                let about = entry.metadata().unwrap();
                let bytes = if about.is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
                seen.push((entry.path(), about.modified().unwrap(), bytes));
            }
        }
        seen.sort();
        seen
    };
    let before = seen();
    assert_full(&store.load(&at(1)), 1);
    assert_eq!(store.events(at(0).wall, 10).unwrap().len(), full_change(1).events.len());
    assert!(seen() == before, "loading has changed the data folder");
}
