//! The scorecard: when a call begins and ends, what was read of it, and what is told of it.

use std::collections::BTreeSet;

use minectl::config::{Mode, OffWhen, SignalMeaning};
use minectl::model::*;
use minectl::units::*;

use crate::call::{FULL, card, cut_at_once, held_up, passes};
use crate::scene::Scene;

/// Runs until the call is over and gives its record.
fn to_the_end(scene: &mut Scene) -> CallRecord {
    scene.signal = Some(250.0);
    for _ in 0..60 {
        scene.run();
        if let Some(record) = scene.finished.pop() {
            assert!(scene.finished.is_empty());
            return record;
        }
    }
    panic!("the call never ended, miners {}", scene.phase());
}

#[test]
fn a_call_from_the_signal_to_running_again_has_its_scorecard() {
    let mut scene = Scene::running();
    let began = scene.now.wall;
    scene.signal = Some(350.0);
    scene.minutes(30);
    scene.signal = Some(355.5);
    scene.minutes(10);
    let record = to_the_end(&mut scene);
    assert_eq!((record.seen, record.signal_read), (began, Some(began)));
    assert_eq!(record.reasons, BTreeSet::from([OffReason::Curtail]));
    assert_eq!(record.watts_before.unwrap().value(), FULL);
    assert_eq!(record.first_command_after, Some(Seconds(0)));
    assert_eq!((record.verdict, record.late), (Verdict::InTime, Seconds(0)));
    assert_eq!(record.proven_after, Some(Seconds(40)), "two passes of 20 miners each, seen in the third");
    assert_eq!(record.shed_after, Some(Seconds(40)));
    assert_eq!(record.rungs, BTreeSet::from([Rung::Foreman]));
    assert_eq!(record.stragglers, Some(Stragglers::default()), "asleep is below `outlet_off_below`");
    assert_eq!(record.signal_time, Seconds(2400 + 240), "three good readings clear it");
    assert_eq!(record.signal_cleared, Some(began.plus(Seconds(2640))));
    assert_eq!(record.cleared, record.signal_cleared);
    assert_eq!(record.peak.map(|peak| (peak.number, peak.at)), Some((355.5, began.plus(Seconds(1800)))));
    assert_eq!(record.unmeasured, Seconds(0));
    assert_eq!(record.needless, Seconds(0));
    assert!(record.groups_not_back.is_empty());
    assert_eq!(record.resumed, record.ended);
    let resumed = record.resumed.unwrap();
    assert_eq!(record.resume_time, Some(resumed.since(record.cleared.unwrap())));
    assert_eq!(record.lasted, resumed.since(began));
    assert!(scene.state.call.is_none());
}

#[test]
fn the_end_is_told_once_in_four_to_six_lines_and_leaves_an_event() {
    let mut scene = Scene::curtailed();
    assert_eq!(scene.told("Call over"), 0);
    to_the_end(&mut scene);
    let told: Vec<&Notice> = scene.notices.iter().filter(|notice| notice.text.starts_with("Call over")).collect();
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(told.severity, Severity::Info);
    assert!((4..=6).contains(&told.text.lines().count()), "{}", told.text);
    assert!(told.text.contains("proven off in 40 s, in time"), "{}", told.text);
    assert_eq!(scene.events.iter().filter(|event| event.subject == "call").count(), 1);
    scene.minutes(20);
    assert_eq!(scene.told("Call over"), 1);
}

#[test]
fn the_pages_own_stamp_says_when_it_changed_and_without_one_the_first_reading_does() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.pass();
    let changed = card(&scene).page_changed.unwrap();
    assert_eq!((changed.at, changed.by), (scene.now.wall, ChangeSource::FirstRead));

    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    let stamp = scene.now.wall.minus(Seconds(75));
    scene.signal_stamp = Some(stamp);
    scene.pass();
    let changed = card(&scene).page_changed.unwrap();
    assert_eq!((changed.at, changed.by), (stamp, ChangeSource::PageStamp));
    scene.signal_stamp = Some(scene.now.wall.plus(Seconds(60)));
    scene.wait(60);
    scene.pass();
    assert_eq!(card(&scene).page_changed.unwrap().at, stamp, "a later drawing of the page changes nothing");
}

#[test]
fn a_stamp_in_the_future_is_not_believed() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.signal_stamp = Some(scene.now.wall.plus(Seconds(1)));
    scene.pass();
    assert_eq!(card(&scene).page_changed.unwrap().by, ChangeSource::FirstRead);
}

#[test]
fn a_signal_set_by_hand_has_no_page_that_changed() {
    let mut scene = Scene::running();
    scene.set(Setting::Signal(Level::Curtail));
    scene.pass();
    let card = card(&scene);
    assert_eq!((card.page_changed, card.signal_read), (None, Some(scene.now.wall)));
}

#[test]
fn a_group_that_does_not_come_back_is_noted() {
    let mut scene = Scene::curtailed();
    scene.foreman_ignored = true;
    let record = to_the_end(&mut scene);
    assert_eq!(record.groups_not_back, BTreeSet::from([1, 2, 3, 4]));
    assert!(scene.notices.iter().any(|notice| notice.text.contains("not back: groups 1, 2, 3, 4")));
}

#[test]
fn where_a_low_number_means_off_the_lowest_is_the_peak() {
    let mut scene = Scene::running();
    scene.cfg.signal.meaning =
        SignalMeaning::Number { off_when: OffWhen::Low, curtail_at: 300.0, resume_below: 310.0, range: (50.0, 500.0) };
    for number in [290.0, 280.0, 285.0] {
        scene.signal = Some(number);
        scene.pass();
        scene.wait(60);
    }
    assert_eq!(card(&scene).peak.unwrap().number, 280.0);
}

#[test]
fn in_observe_mode_the_call_is_kept_and_says_that_nothing_was_commanded() {
    let mut scene = Scene::running();
    scene.cfg.mode = Mode::Observe;
    scene.signal = Some(350.0);
    scene.minutes(10);
    let card = card(&scene);
    assert!(card.observe);
    assert_eq!((card.first_command_after, card.verdict), (None, Verdict::NotProven));
}

#[test]
fn watts_set_by_hand_are_said_to_be() {
    let mut scene = held_up();
    assert!(!card(&scene).watts_by_hand);
    let watts = Watts::new(100.0).unwrap();
    scene.set(Setting::MinerWatts { pdu: scene.cfg.pdus[0].name.clone(), value: watts });
    scene.wait(30);
    scene.pass();
    assert!(card(&scene).watts_by_hand);
}

#[test]
fn a_clock_that_jumps_changes_no_span() {
    let mut scene = cut_at_once();
    scene.now.wall = scene.now.wall.minus(Seconds(7200));
    passes(&mut scene, 600);
    let card = card(&scene);
    assert_eq!((card.lasted, card.signal_time, card.proven_after), (Seconds(600), Seconds(600), Some(Seconds(30))));
}

#[test]
fn a_call_from_before_scorecards_were_kept_is_read_and_measured_from_then_on() {
    let mut scene = Scene::curtailed();
    let mut state = serde_json::to_value(&scene.state).unwrap();
    state["call"].as_object_mut().unwrap().remove("score");
    state.as_object_mut().unwrap().remove("calls_unkept");
    scene.state = serde_json::from_value(state).unwrap();
    scene.minutes(10);
    let card = card(&scene);
    assert_eq!((card.baseline, card.not_drawn), (None, None));
    assert!(card.unmeasured > Seconds(0));
}
