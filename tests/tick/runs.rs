//! Runs against each other and against the power switch: the lock, and a run that is killed at any moment.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use fs2::FileExt;
use minectl::model::OutboxEntry;
use minectl::store::Store;
use serde_json::json;

use crate::cycle::quick;
use crate::mine::{Mine, finish, state};

/// Moments of a run at which it is killed.
const KILLS: u32 = 12;

#[test]
fn a_second_run_exits_4_with_one_line_and_the_first_ends_well() {
    let mine = Mine::start(1.0, |text| text);
    mine.tick().silent();
    mine.fault("signal", "hang");
    let connections = || mine.truth()["counters"]["signal"].as_u64().unwrap_or(0);
    let before = connections();
    let first = mine.command(&["tick"]).spawn().unwrap();
    let holder = first.id().to_string();
    let end = Instant::now() + Duration::from_secs(20);
    while connections() == before {
        assert!(Instant::now() < end, "the first run did not read the signal");
        std::thread::sleep(Duration::from_millis(10));
    }
    let said = mine.run(&["tick"]).refused(4);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with(&format!("minectl: locked: process {holder} for ")), "{said}");
    mine.heal();
    let first = finish(first, "tick").silent();
    assert_eq!(first.code, 1, "the page was not read");
    assert!(mine.recorded("sms").is_empty(), "a short wait is no emergency");
    assert_eq!(mine.tick().silent().code, 0);
}

#[test]
fn a_lock_held_for_over_two_intervals_is_told_once_as_an_emergency() {
    let mine = Mine::start(1.0, |text| text);
    mine.tick().silent();
    let now = mine.truth()["time"].as_i64().unwrap();
    let mut lock = File::options().write(true).truncate(true).open(mine.data().join("tick.lock")).unwrap();
    lock.lock_exclusive().unwrap();
    let mut held_since = |age: i64| {
        lock.set_len(0).unwrap();
        std::io::Seek::rewind(&mut lock).unwrap();
        writeln!(lock, "4711 {}", now - age).unwrap();
    };
    held_since(200);
    mine.run(&["tick"]).refused(4);
    assert_eq!(mine.recorded("sms").len(), 0, "under two intervals");
    held_since(260);
    for _ in 0..3 {
        let said = mine.run(&["tick"]).refused(4);
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let told = mine.recorded("sms");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("process 4711") && told[0].contains("holds the lock"), "{told:?}");
    let telegram = mine.recorded("telegram").into_iter().filter(|text| text.contains("4711")).count();
    assert_eq!((telegram, mine.recorded("email").len()), (1, 1));
}

/// The miners obey nothing, so that the mine stays in the middle of the curtailment for all the kills.
#[test]
fn a_run_that_is_killed_at_any_moment_loses_nothing_and_the_next_one_goes_on() {
    let mine = Mine::start(60.0, quick);
    mine.tick().silent();
    mine.fault("foreman", "ignores-sleep");
    for pdu in ["spdu-a", "spdu-b", "spdu-c", "spdu-d", "spdu-e", "spdu-f"] {
        mine.fault(pdu, "ignores");
    }
    mine.set(json!({"signal_number": 342}));
    let whole = mine.tick().silent().took;
    assert_eq!(state(&mine.status_json()), "curtailing");
    let mut waiting: Vec<OutboxEntry> = Vec::new();
    for moment in 0..KILLS {
        let mut run = mine.command(&["tick"]).spawn().unwrap();
        std::thread::sleep(whole * (2 * moment + 1) / (2 * KILLS));
        // A run that was quicker than the first has ended by itself.
        drop(run.kill());
        finish(run, "tick");
        let store = Store::new(&mine.data()).unwrap();
        let saved = store.load(&minectl::clock::Clock::real().now());
        assert!(saved.state.is_some(), "the state is lost after kill {moment}: {:?}", saved.troubles);
        assert!(saved.troubles.is_empty(), "kill {moment}: {:?}", saved.troubles);
        waiting.extend(saved.outbox);
        let events = mine.events();
        mine.tick().silent();
        assert!(mine.events().starts_with(&events), "events of before kill {moment} are lost");
        // In a slow run the deadline may have passed.
        let status = mine.status_json();
        assert!(["curtailing", "fault"].contains(&state(&status)), "{} after kill {moment}", state(&status));
    }
    let events = mine.events();
    assert!(events.contains("the last run broke off with"), "no break-off was noticed:\n{events}");
    mine.heal();
    mine.tick_until("off after all", Duration::from_secs(60), |status| state(status) == "off");
    let heard = [mine.recorded("telegram"), mine.recorded("email"), mine.recorded("sms")].concat().join("\n");
    for entry in waiting {
        let first_line = entry.notice.text.lines().next().unwrap().to_owned();
        assert!(heard.contains(&first_line), "never arrived: {}", entry.notice.text);
    }
}
