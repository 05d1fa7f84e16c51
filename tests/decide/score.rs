//! The scorecard: what is measured of a call, when it begins and ends, and what is made of it.

use std::collections::BTreeSet;

use minectl::config::{Mode, OffWhen, SignalMeaning};
use minectl::decide;
use minectl::model::*;
use minectl::units::*;

use crate::scene::{MINER_WATTS, Scene};

const FULL: f64 = 40.0 * MINER_WATTS;

/// The call so far.
fn card(scene: &Scene) -> CallRecord {
    decide::so_far(&scene.cfg, &scene.state, &scene.now).unwrap()
}

/// One pass each 30 s, for so many seconds.
fn passes(scene: &mut Scene, seconds: u64) {
    for _ in 0..seconds / 30 {
        scene.wait(30);
        scene.pass();
    }
}

/// A call that Foreman and the PDUs ignore until someone lets them: the clock is at its reading.
fn held_up() -> Scene {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.pdus_ignored = true;
    scene.signal = Some(350.0);
    scene.pass();
    scene
}

/// Lets the outlets be cut, and sees it.
fn let_go(scene: &mut Scene) {
    scene.pdus_ignored = false;
    scene.pass();
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.phase(), "curtailed");
}

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
fn watts_after_one_two_and_four_minutes_are_the_nearest_with_their_real_time() {
    let mut scene = held_up();
    scene.wait(50);
    scene.pass();
    scene.wait(80);
    scene.pass();
    scene.wait(100);
    scene.pass();
    let card = card(&scene);
    let marks: Vec<(u64, u64)> = card.marks.iter().map(|mark| (mark.wanted.0, mark.after.0)).collect();
    assert_eq!(marks, [(60, 50), (120, 130), (240, 230)]);
    assert_eq!(card.mark(Seconds(60)).unwrap().watts.value(), FULL);
}

#[test]
fn what_was_not_measured_after_a_minute_is_not_there() {
    let mut scene = held_up();
    scene.pdus_down.insert(scene.cfg.pdus[0].name.clone());
    passes(&mut scene, 300);
    assert!(card(&scene).marks.is_empty());
}

#[test]
fn proof_at_the_deadline_is_in_time_and_a_second_later_is_late() {
    for (wait, verdict, late) in [(0, Verdict::InTime, 0), (1, Verdict::Late, 1)] {
        let mut scene = held_up();
        let deadline = scene.cfg.miners.deadline.0;
        scene.wait(deadline - 1 + wait);
        let_go(&mut scene);
        let card = card(&scene);
        assert_eq!((card.verdict, card.late), (verdict, Seconds(late)));
        assert_eq!(card.proven_after, Some(Seconds(deadline + wait)));
        assert_eq!(card.is_missed(), wait == 1);
        assert_eq!(card.rungs, BTreeSet::from([Rung::Foreman, Rung::Outlets]));
    }
}

#[test]
fn without_proof_a_call_is_open_before_the_deadline_and_missed_from_it_on() {
    let mut scene = held_up();
    let deadline = scene.cfg.miners.deadline.0;
    scene.wait(deadline - 1);
    scene.pass();
    assert_eq!((card(&scene).verdict, card(&scene).is_missed()), (Verdict::Open, false));
    scene.wait(1);
    scene.pass();
    assert_eq!((card(&scene).verdict, card(&scene).late), (Verdict::NotProven, Seconds(0)));
    scene.wait(90);
    scene.pass();
    assert_eq!((card(&scene).late, card(&scene).is_missed()), (Seconds(90), true));
}

#[test]
fn a_call_that_is_over_before_its_deadline_is_no_miss() {
    let mut scene = held_up();
    scene.signal = Some(250.0);
    for _ in 0..3 {
        scene.wait(20);
        scene.pass();
    }
    assert!(scene.state.demand.reasons.is_empty());
    assert_eq!((card(&scene).verdict, card(&scene).is_missed()), (Verdict::Short, false));
}

#[test]
fn the_deadline_counts_from_the_signal_where_the_miners_were_off_before_it() {
    let mut scene = Scene::running();
    scene.set(Setting::Miners { on: false, against_signal: false });
    scene.minutes(30);
    let off = card(&scene);
    assert_eq!((off.is_utilitys(), off.costs.demand_avoided), (false, None));
    scene.signal = Some(350.0);
    let called = scene.now.wall;
    scene.minutes(20);
    let card = card(&scene);
    assert_eq!(card.signal_read, Some(called));
    assert_eq!(card.reasons, BTreeSet::from([OffReason::Curtail, OffReason::HeldOff]));
    assert_eq!((card.verdict, card.late), (Verdict::InTime, Seconds(0)));
}

#[test]
fn outlets_that_still_draw_power_at_the_proof_are_counted_and_named() {
    let mut scene = Scene::running();
    scene.cfg.miners.off_below = Watts::new(60_000.0).unwrap();
    scene.cfg.miners.off_share = 0.9;
    scene.cfg.miners.on_above = Watts::new(90_000.0).unwrap();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.cfg.pdus[0].batch = 6;
    scene.pass();
    scene.wait(5);
    scene.pass();
    assert_eq!(scene.phase(), "curtailed");
    let stragglers = card(&scene).stragglers.unwrap();
    assert_eq!((stragglers.count, stragglers.names.len(), stragglers.unread), (14, 10, 0));
    assert!(stragglers.names.iter().all(|name| name.starts_with("spdu-a outlet ")), "{:?}", stragglers.names);
}

#[test]
fn energy_not_drawn_is_the_baseline_minus_the_measured() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.pass();
    passes(&mut scene, 3600);
    let card = card(&scene);
    // Half of the first 30 s at full load, the rest at nothing.
    let wanted = FULL / 1000.0 * (3600.0 - 15.0) / 3600.0;
    assert!((card.not_drawn.unwrap().value() - wanted).abs() < 0.001, "{:?} {wanted}", card.not_drawn);
    assert_eq!(card.unmeasured, Seconds(0));
}

#[test]
fn a_span_with_a_silent_pdu_is_unmeasured_and_saves_nothing() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.pass();
    passes(&mut scene, 300);
    let before = card(&scene).not_drawn;
    scene.pdus_down.insert(scene.cfg.pdus[1].name.clone());
    passes(&mut scene, 600);
    assert_eq!((card(&scene).not_drawn, card(&scene).unmeasured), (before, Seconds(600)));
    scene.pdus_down.clear();
    passes(&mut scene, 60);
    let card = card(&scene);
    assert_eq!(card.unmeasured, Seconds(630), "up to the first reading");
    assert!(card.not_drawn > before);
}

#[test]
fn missed_runs_are_unmeasured_time_beyond_two_and_a_half_intervals() {
    for (gap, unmeasured) in [(300, 0), (301, 301)] {
        let mut scene = Scene::running();
        scene.foreman_down = true;
        scene.signal = Some(350.0);
        scene.pass();
        scene.wait(30);
        scene.pass();
        scene.wait(gap);
        scene.pass();
        assert_eq!(card(&scene).unmeasured, Seconds(unmeasured), "{gap}");
    }
}

#[test]
fn a_power_that_was_never_known_before_saves_nothing() {
    let mut scene = Scene::running();
    scene.pdus_down.insert(scene.cfg.pdus[0].name.clone());
    scene.minutes(2);
    scene.signal = Some(350.0);
    scene.pass();
    scene.pdus_down.clear();
    passes(&mut scene, 600);
    let card = card(&scene);
    assert_eq!((card.watts_before, card.not_drawn, card.billed), (None, None, None));
    assert_eq!(card.costs.demand_avoided, None);
    assert!(card.unmeasured >= Seconds(600));
}

#[test]
fn the_demand_charge_is_what_the_worst_interval_leaves_of_it() {
    let mut scene = held_up();
    passes(&mut scene, 360);
    scene.pdus_ignored = false;
    scene.pass();
    passes(&mut scene, 3600);
    let card = card(&scene);
    // Six and a quarter minutes of thirty at full load.
    let billed = FULL * 375.0 / 1800.0;
    assert!((card.billed.unwrap().value() - billed).abs() < 1.0, "{:?} {billed}", card.billed);
    let (avoided, drawn) = (card.costs.demand_avoided.unwrap().value(), card.costs.demand_drawn.unwrap().value());
    assert!((drawn - 15.0 * billed / 1000.0).abs() < 0.1, "{drawn}");
    assert!((avoided + drawn - 15.0 * FULL / 1000.0).abs() < 0.1, "{avoided} {drawn}");
}

#[test]
fn what_nobody_measured_is_billed_in_full() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.pass();
    scene.wait(30);
    scene.pass();
    scene.pdus_down.extend(scene.cfg.pdus.iter().map(|pdu| pdu.name.clone()));
    passes(&mut scene, 3600);
    let card = card(&scene);
    assert!((card.billed.unwrap().value() - FULL).abs() < 1.0, "{:?}", card.billed);
    assert_eq!(card.costs.demand_avoided.map(|money| money.value().round()), Some(0.0));
}

#[test]
fn time_off_without_the_signal_is_needless_and_has_its_price() {
    let mut scene = Scene::running();
    scene.set(Setting::Miners { on: false, against_signal: false });
    scene.pass();
    passes(&mut scene, 1800);
    let off = card(&scene);
    assert_eq!((off.needless, off.signal_time), (Seconds(1800), Seconds(0)));
    assert!((off.costs.needless.value() - 25.0).abs() < 1e-9);
    scene.signal = Some(350.0);
    scene.wait(30);
    scene.pass();
    passes(&mut scene, 600);
    let both = card(&scene);
    assert_eq!((both.needless, both.signal_time), (Seconds(1830), Seconds(600)));
}

#[test]
fn a_miner_that_comes_back_after_the_proof_is_the_worst_that_was_seen() {
    let mut scene = Scene::curtailed();
    assert!(card(&scene).worst_after_proof.unwrap().watts <= scene.cfg.miners.off_below);
    scene.asleep.remove(&7);
    scene.asleep.remove(&8);
    scene.pass();
    let worst = card(&scene).worst_after_proof.unwrap();
    assert_eq!((worst.watts.value(), worst.at), (38.0 * 25.0 + 2.0 * MINER_WATTS, scene.now.wall));
    scene.minutes(10);
    assert_eq!(card(&scene).worst_after_proof.unwrap(), worst);
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
fn a_call_without_signal_is_never_a_missed_one() {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.pdus_ignored = true;
    scene.smoke = true;
    scene.pass();
    passes(&mut scene, 900);
    let card = card(&scene);
    assert_eq!(card.verdict, Verdict::NotProven);
    assert!(!card.is_missed());
    assert_eq!((card.page_changed, card.peak), (None, None));
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
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.pass();
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
