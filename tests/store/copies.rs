//! Which state counts where there are several: the database's, that of `state.json`, that of the refuge.

use std::fs::File;
use std::path::Path;

use fs2::FileExt;
use minectl::model::SiteState;
use minectl::store::{Change, Store};
use minectl::units::{BootId, Moment, Seconds, UnixSeconds};

use crate::support::{at, event, event_texts, fan_held, full_change, new_store, state};

fn moment(wall: i64, boot: u32, up: u64) -> Moment {
    Moment { wall: UnixSeconds(wall), boot: BootId(boot), up: Seconds(up) }
}

/// A change that holds a state, recognisable by its number, of a pass at this moment; with the plain copy.
fn passed(number: u64, at: Moment) -> Change {
    let state = SiteState { last_pass: Some(at), ..state(number) };
    Change { state: Some(state), plain_copy: Some(vec![fan_held(3, true)]), ..Change::default() }
}

/// Saves while the database takes nothing.
fn save_refused(store: &Store, folder: &Path, change: &Change, now: &Moment) -> String {
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join("db.lock")).unwrap();
    lock.lock_exclusive().unwrap();
    store.save(change, now).unwrap_err()
}

fn number(store: &Store, now: &Moment) -> u64 {
    u64::try_from(store.load(now).state.unwrap().climate.stage).unwrap()
}

#[test]
fn a_state_json_that_is_newer_than_a_database_that_took_nothing_counts_and_an_older_one_does_not() {
    let (folder, store) = new_store();
    store.save(&passed(1, at(0)), &at(0)).unwrap();
    save_refused(&store, folder.path(), &passed(2, at(120)), &at(120));
    let after_a_reboot = moment(at(300).wall.0, 2, 60);
    assert_eq!(number(&store, &after_a_reboot), 2, "what that run switched off is forgotten");
    let told = store.load(&after_a_reboot).troubles.join("; ");
    assert!(told.contains("state.json, which is newer than the database's"), "{told}");
    // The database takes states again; these write no plain copy.
    store.save(&Change { plain_copy: None, ..passed(3, after_a_reboot) }, &after_a_reboot).unwrap();
    let loaded = store.load(&after_a_reboot);
    assert_eq!((loaded.state.unwrap().climate.stage, loaded.troubles), (3, Vec::new()));
}

#[test]
fn of_two_states_of_one_pass_the_databases_counts() {
    let (_folder, store) = new_store();
    store.save(&passed(1, at(0)), &at(0)).unwrap();
    store.save(&Change { plain_copy: None, ..passed(2, at(0)) }, &at(0)).unwrap();
    let loaded = store.load(&at(10));
    assert_eq!((loaded.state.unwrap().climate.stage, loaded.troubles), (2, Vec::new()));
}

/// Who sets an override reaches the database: what it says of them counts, whatever the state is taken from.
#[test]
fn beside_a_newer_copy_the_overrides_are_those_of_the_database() {
    let (folder, store) = new_store();
    store.save(&Change { overrides: vec![fan_held(3, true)], ..passed(1, at(0)) }, &at(0)).unwrap();
    save_refused(&store, folder.path(), &passed(2, at(120)), &at(120));
    let set =
        Change { overrides: vec![fan_held(4, false)], overrides_done: vec!["fan 3".to_owned()], ..Change::default() };
    store.save(&set, &at(130)).unwrap();
    let loaded = store.load(&at(240));
    assert_eq!(loaded.state.unwrap().climate.stage, 2);
    assert_eq!(loaded.overrides, [fan_held(4, false)], "set and cleared since");
}

/// Its end was told by the run that wrote the copy without it; the database could not let it go.
#[test]
fn an_override_that_ended_while_the_database_took_nothing_does_not_end_again() {
    let (folder, store) = new_store();
    store.save(&Change { overrides: vec![fan_held(3, true)], ..passed(1, at(0)) }, &at(0)).unwrap();
    let without = Change { plain_copy: Some(Vec::new()), ..passed(2, at(3600)) };
    save_refused(&store, folder.path(), &without, &at(3600));
    assert_eq!(store.load(&at(3599)).overrides, [fan_held(3, true)], "it has not run out");
    assert_eq!(store.load(&at(3600)).overrides, []);
}

#[test]
fn a_refuge_of_this_boot_counts_although_the_clock_is_behind() {
    let refuge = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::with_refuge(folder.path(), refuge.path());
    store.save(&passed(1, at(0)), &at(0)).unwrap();
    // The Pi has started and does not know the time yet.
    let change = Change { plain_copy: None, ..passed(2, moment(60, 2, 60)) };
    assert!(save_refused(&store, folder.path(), &change, &moment(60, 2, 60)).contains("the state is kept in "));
    assert_eq!(number(&store, &moment(180, 2, 180)), 2, "each run begins where the last boot left off");
    // Set right meanwhile, and one more boot: the clock of the wall is all there is to go by.
    assert_eq!(number(&store, &moment(at(900).wall.0, 3, 30)), 1);
}

#[test]
fn a_refuge_that_the_database_has_outlived_does_not_count() {
    let refuge = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::with_refuge(folder.path(), refuge.path());
    save_refused(&store, folder.path(), &Change { plain_copy: None, ..passed(1, at(60)) }, &at(60));
    let left = std::fs::read(refuge.path().join(".minectl-state.json")).unwrap();
    let now = Moment { wall: at(0).wall, ..at(120) };
    store.save(&Change { plain_copy: None, ..passed(2, now) }, &now).unwrap();
    // It could not be removed.
    std::fs::write(refuge.path().join(".minectl-state.json"), left).unwrap();
    assert_eq!(number(&store, &at(180)), 2, "the wall clock was moved back, the boot clock was not");
}
#[test]
fn a_plain_copy_that_cannot_be_written_is_told_and_the_database_has_it_all() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    std::fs::remove_file(folder.path().join("state.json")).unwrap();
    std::fs::create_dir(folder.path().join("state.json")).unwrap();
    let change = Change { events: vec![event(1, "told")], ..passed(2, at(120)) };
    let saved = store.save(&change, &at(120)).unwrap();
    assert!(saved.trouble.unwrap().contains("state.json"));
    assert_eq!((number(&store, &at(130)), event_texts(&store)[0].as_str()), (2, "told"));
}
