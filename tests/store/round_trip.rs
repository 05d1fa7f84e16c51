//! What is saved comes back.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use minectl::model::{Asked, Channel, Override, PowerMode};
use minectl::store::{Change, Store, parse};
use minectl::units::UnixSeconds;

use crate::support::{
    DAY, assert_full, at, chat, event, event_texts, fan_held, files, full_change, new_store, queued, state,
};

#[test]
fn a_new_folder_holds_nothing_and_has_no_trouble() {
    let (_folder, store) = new_store();
    let loaded = store.load(&at(0));
    assert!(loaded.state.is_none() && loaded.outbox.is_empty() && loaded.broken_off.is_empty());
    assert_eq!(loaded.troubles, Vec::<String>::new());
    assert!(event_texts(&store).is_empty());
}

#[test]
fn everything_that_is_saved_comes_back() {
    let (folder, store) = new_store();
    store.save(&full_change(7), &at(0)).unwrap();
    let loaded = Store::new(folder.path()).unwrap().load(&at(2));
    assert_full(&loaded, 7);
    assert_eq!(loaded.chat, chat());
    assert_eq!(event_texts(&store), ["two", "one"]);
}

#[test]
fn a_change_touches_only_what_it_names() {
    let (_folder, store) = new_store();
    store.save(&full_change(7), &at(0)).unwrap();
    store.save(&Change { state: Some(state(8)), ..Change::default() }, &at(5)).unwrap();
    assert_full(&store.load(&at(6)), 8);
}

#[test]
fn a_channels_test_is_kept_until_the_state_has_taken_it_in() {
    let (_folder, store) = new_store();
    store.save(&full_change(7), &at(0)).unwrap();
    store.save(&Change { tested_done: vec![Channel::Sms], ..Change::default() }, &at(5)).unwrap();
    assert_eq!(store.load(&at(6)).tested, [(Channel::Telegram, None)].into());
}

#[test]
fn events_are_kept_for_seven_days_and_go_after_that() {
    let (_folder, store) = new_store();
    let events = vec![event(0, "old"), event(60, "young")];
    store.save(&Change { events, ..Change::default() }, &at(60)).unwrap();
    store.save(&Change::default(), &at(7 * DAY)).unwrap();
    assert_eq!(event_texts(&store), ["young", "old"], "just seven days");
    store.save(&Change::default(), &at(7 * DAY + 1)).unwrap();
    assert_eq!(event_texts(&store), ["young"]);
}

#[test]
fn events_come_newest_first_from_a_moment_on_and_no_more_than_asked() {
    let (_folder, store) = new_store();
    let events = (0..300).map(|number| event(number, &format!("event {number}"))).collect();
    store.save(&Change { events, ..Change::default() }, &at(300)).unwrap();
    let texts = |since: UnixSeconds, limit| -> Vec<String> {
        store.events(since, limit).unwrap().into_iter().map(|event| event.text).collect()
    };
    assert_eq!(texts(at(0).wall, 2), ["event 299", "event 298"]);
    assert_eq!(texts(at(298).wall, 9), ["event 299", "event 298"]);
    assert_eq!(texts(at(0).wall, 1000).len(), 300);
}

#[test]
fn places_in_the_outbox_grow_and_a_delivered_message_is_gone_for_good() {
    let (_folder, store) = new_store();
    let first = store.save(&Change { queue: queued(&["a", "b", "c"]), ..Change::default() }, &at(0)).unwrap().queued;
    let ids: Vec<u64> = first.iter().map(|entry| entry.id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    let mut tried = first[2].clone();
    tried.attempts = 3;
    let change = Change { outbox: vec![tried.clone()], outbox_done: vec![ids[0]], ..Change::default() };
    store.save(&change, &at(1)).unwrap();
    assert_eq!(store.load(&at(2)).outbox, [first[1].clone(), tried]);
    let second = store.save(&Change { queue: queued(&["d"]), ..Change::default() }, &at(3)).unwrap().queued;
    assert!(second[0].id > ids[2], "a place that is taken is given again");
    assert_eq!(store.load(&at(4)).outbox.len(), 3);
}

#[test]
fn one_override_for_each_target_and_its_end_leaves_the_others() {
    let (_folder, store) = new_store();
    let set = |fan, on| Change { overrides: vec![fan_held(fan, on)], ..Change::default() };
    store.save(&set(3, true), &at(0)).unwrap();
    store.save(&set(3, false), &at(0)).unwrap();
    store.save(&set(33, true), &at(0)).unwrap();
    let mut all = store.overrides().unwrap();
    all.sort_by_key(|over| over.setting.target());
    assert_eq!(all, [fan_held(3, false), fan_held(33, true)]);
    store.save(&Change { overrides_done: vec!["fan 3".to_owned()], ..Change::default() }, &at(1)).unwrap();
    assert_eq!(store.overrides().unwrap(), [fan_held(33, true)]);
}

/// A database that is lost before the next run must neither bring back what was cleared nor lose what was set.
#[test]
fn what_is_set_cleared_or_ended_is_so_in_the_plain_copy_at_once() {
    let (folder, store) = new_store();
    let copy = || parse::plain_copy(folder.path()).unwrap();
    store.save(&Change { overrides: vec![fan_held(1, true)], ..Change::default() }, &at(0)).unwrap();
    assert_eq!(copy(), None, "no run has made one");
    store.save(&full_change(1), &at(0)).unwrap();
    let path = folder.path().join("state.json");
    let given = std::os::unix::fs::chown(&path, Some(65_534), Some(65_534)).is_ok();
    let set = Change { overrides: vec![fan_held(3, false), fan_held(5, true)], ..Change::default() };
    store.save(&set, &at(1)).unwrap();
    assert_eq!(copy(), Some((state(1), vec![fan_held(4, false), fan_held(3, false), fan_held(5, true)])));
    let about = std::fs::metadata(&path).unwrap();
    assert!(!given || (about.uid(), about.gid()) == (65_534, 65_534), "taken from the user of the runs");
    let since = Override { since: at(5), ..fan_held(3, false) };
    let overrides_ended = vec![since, fan_held(5, true)];
    let over = Change { overrides_done: vec!["fan 4".to_owned()], overrides_ended, ..Change::default() };
    store.save(&over, &at(2)).unwrap();
    assert_eq!(copy(), Some((state(1), vec![fan_held(3, false)])));
}

/// A run ends what it has read; meanwhile a person may have set it anew.
#[test]
fn an_override_that_is_over_goes_and_one_that_was_set_since_stays() {
    let (_folder, store) = new_store();
    let again = Override { since: at(5), ..fan_held(3, false) };
    let change = Change { overrides: vec![again.clone(), fan_held(33, true)], ..Change::default() };
    store.save(&change, &at(5)).unwrap();
    let ended = |over: &Override| Change { overrides_ended: vec![over.clone()], ..Change::default() };
    store.save(&ended(&fan_held(3, true)), &at(6)).unwrap();
    assert_eq!(store.overrides().unwrap(), [again.clone(), fan_held(33, true)]);
    store.save(&ended(&again), &at(7)).unwrap();
    assert_eq!(store.overrides().unwrap(), [fan_held(33, true)]);
}

#[test]
fn acknowledgements_and_intents_go_when_they_are_taken_in() {
    let (_folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let acknowledged_done = vec!["fan 3".to_owned()];
    store.save(&Change { acknowledged_done, intents: Some(Vec::new()), ..Change::default() }, &at(1)).unwrap();
    let loaded = store.load(&at(2));
    assert_eq!(loaded.acknowledged, BTreeMap::new());
    assert!(loaded.broken_off.is_empty());
}

/// A value over a quarter of a segment would become a file of its own that is never synced.
#[test]
fn nothing_is_ever_put_beside_the_database() {
    let (folder, store) = new_store();
    let mut long = full_change(1);
    let noise: Vec<String> = (0..5000_u64).map(|n| (n * 2_654_435_761 % 99_991).to_string()).collect();
    long.events.push(event(2, &noise.join(" ")));
    let state = long.state.as_mut().unwrap();
    for miner in 0..300_u64 {
        let moment = at(i64::try_from(miner * 7919 % 1000).unwrap());
        let command = Some(miner * 104_729);
        let asked = Asked {
            mode: PowerMode::Sleeping,
            at: moment,
            command,
            status: None,
            before: PowerMode::High,
            sleeps_on: true,
            presumed: false,
            wakes: 2,
        };
        state.miners.asked.insert(1000 + miner, asked);
    }
    for round in 0..20 {
        store.save(&long, &at(round)).unwrap();
    }
    assert_eq!(store.load(&at(99)).state, long.state);
    for blobs in files(&folder.path().join("db"), "blobs") {
        assert_eq!(std::fs::read_dir(blobs).unwrap().count(), 0);
    }
}
