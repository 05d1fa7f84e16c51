//! A clock that is set while messages wait: a Pi has none of its own and knows the time only once the network is there,
//! which is when the messages can go out.

use minectl::model::{Channel, Notice, OutboxEntry, Severity};
use minectl::store::{Change, Store};
use minectl::units::{BootId, Moment, Seconds, UnixSeconds};

use crate::support::{at, new_store};

/// Queues a message at a moment; returns how long it has waited, and may not be tried, at another.
fn waited(queued: Moment, now: Moment) -> (u64, i64) {
    let (_folder, store) = new_store();
    let entry = loaded_after(&store, queued, now);
    (now.wall.since(entry.notice.at).0, entry.not_before.0 - now.wall.0)
}

fn loaded_after(store: &Store, queued: Moment, now: Moment) -> OutboxEntry {
    let notice = Notice { severity: Severity::Emergency, at: queued.wall, text: "smoke".to_owned() };
    store.save(&Change { queue: vec![(Channel::Sms, notice)], ..Change::default() }, &queued).unwrap();
    store.load(&now).outbox.remove(0)
}

fn moment(wall: i64, boot: u32, up: u64) -> Moment {
    Moment { wall: UnixSeconds(wall), boot: BootId(boot), up: Seconds(up) }
}

#[test]
fn a_message_of_a_clock_that_was_behind_has_waited_as_long_as_it_has() {
    let now = at(4 * 3600);
    // Two minutes ago by the clock of the boot; the wall clock was four hours behind, or stood in 1970.
    for wall in [at(0).wall.0, 95] {
        let queued = moment(wall, now.boot.0, now.up.0 - 120);
        assert_eq!(waited(queued, now), (120, -120), "queued at {wall}");
    }
}

#[test]
fn a_message_of_a_clock_that_was_ahead_is_not_held_back() {
    let now = at(0);
    let queued = moment(at(86_400).wall.0, now.boot.0, now.up.0 - 120);
    assert_eq!(waited(queued, now), (120, -120));
}

#[test]
fn clocks_that_drift_by_less_than_30_s_change_no_time() {
    let now = at(1000);
    for (drift, expected) in [(29, 149), (30, 120)] {
        let queued = moment(now.wall.0 - 120 - drift, now.boot.0, now.up.0 - 120);
        assert_eq!(waited(queued, now).0, expected, "{drift} s");
    }
}

#[test]
fn a_message_of_an_earlier_boot_keeps_its_time_unless_its_clock_was_never_set() {
    let now = moment(at(7200).wall.0, 2, 300);
    assert_eq!(waited(moment(at(0).wall.0, 1, 50_000), now).0, 7200, "the clock was right");
    assert_eq!(waited(moment(3600, 1, 3600), now).0, 300, "it is at least as old as this boot");
    assert_eq!(waited(moment(1_577_836_799, 1, 3600), now).0, 300);
    assert_eq!(waited(moment(1_577_836_800, 1, 3600), now).0, (now.wall.0 - 1_577_836_800) as u64);
}

#[test]
fn times_set_right_once_stay_right_when_the_clock_is_set_again() {
    let (_folder, store) = new_store();
    let now = at(4 * 3600);
    let entry = loaded_after(&store, moment(95, now.boot.0, now.up.0 - 120), now);
    store.save(&Change { outbox: vec![entry], ..Change::default() }, &now).unwrap();
    let later = Moment { wall: now.wall.plus(Seconds(86_400 + 60)), up: Seconds(now.up.0 + 60), ..now };
    assert_eq!(later.wall.since(store.load(&later).outbox[0].notice.at), Seconds(180));
}
