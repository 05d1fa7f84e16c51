//! Disks that are full or read-only: told, and the database is left as it was.

use minectl::store::{Change, Store};

use crate::small_disk::SmallDisk;
use crate::support::{assert_full, at, event_texts, full_change, set_aside, state};

#[test]
fn a_full_disk_is_told_and_leaves_the_database_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), "4m") else { return };
    let store = Store::new(folder.path()).unwrap();
    store.save(&full_change(1), &at(0)).unwrap();
    disk.fill();
    let mut failed = 0;
    for round in 0..5 {
        let refused = store.save(&full_change(2), &at(round));
        failed += usize::from(refused.as_ref().is_err_and(|text| text.contains("No space left")));
        let loaded = store.load(&at(10));
        let number = loaded.state.as_ref().map(|state| state.climate.stage);
        assert!(number == Some(1) || number == Some(2), "{refused:?} {:?}", loaded.troubles);
    }
    assert!(failed > 0, "a full disk was never told");
    assert!(set_aside(folder.path()).is_empty(), "a full disk is no damage");
    disk.empty();
    let rest: Vec<u64> = store.load(&at(20)).outbox.iter().map(|entry| entry.id).collect();
    store.save(&Change { outbox_done: rest, ..Change::default() }, &at(20)).unwrap();
    store.save(&full_change(3), &at(21)).unwrap();
    assert_full(&store.load(&at(22)), 3);
}

#[test]
fn a_read_only_disk_is_told_and_leaves_the_database_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), "4m") else { return };
    let store = Store::new(folder.path()).unwrap();
    store.save(&full_change(1), &at(0)).unwrap();
    disk.make_read_only(true);
    let refused = store.save(&full_change(2), &at(1)).unwrap_err();
    assert!(refused.contains("Read-only file system"), "{refused}");
    let loaded = store.load(&at(2));
    assert_eq!(loaded.state.as_ref(), Some(&state(1)), "{:?}", loaded.troubles);
    assert!(!loaded.troubles.is_empty());
    disk.make_read_only(false);
    assert_full(&store.load(&at(3)), 1);
    assert_eq!(event_texts(&store), ["two", "one"]);
    assert!(set_aside(folder.path()).is_empty());
}

/// The state that the disk cannot take goes to the refuge, and comes back from there.
#[test]
fn the_refuge_keeps_the_state_while_the_disk_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let refuge = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), "4m") else { return };
    let store = Store::with_refuge(folder.path(), refuge.path());
    store.save(&full_change(1), &at(0)).unwrap();
    disk.make_read_only(true);
    let mut newer = full_change(2);
    newer.state.as_mut().unwrap().last_pass = Some(at(60));
    let refused = store.save(&newer, &at(60)).unwrap_err();
    assert!(refused.contains("the state is kept in "), "{refused}");
    assert_eq!(store.load(&at(61)).state, newer.state);
    disk.make_read_only(false);
    assert_eq!(store.load(&at(62)).state, newer.state);
    store.save(&newer, &at(63)).unwrap();
    assert_eq!(std::fs::read_dir(refuge.path()).unwrap().count(), 0, "the refuge is left once the disk works");
    assert_eq!(store.load(&at(64)).state, newer.state);
}
