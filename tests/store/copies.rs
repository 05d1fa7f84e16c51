//! Which state counts where there are several: the database's, that of `state.json`, that of the refuge.

use std::fs::File;
use std::path::Path;

use fs2::FileExt;
use minectl::model::SiteState;
use minectl::store::{Change, Store};
use minectl::units::{BootId, Moment, Seconds, UnixSeconds};

use crate::support::{at, fan_held, state};

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
