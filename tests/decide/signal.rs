//! The signal machine.

use minectl::config::WhenBlind;
use minectl::model::*;
use minectl::units::Seconds;

use crate::scene::Scene;

#[test]
fn curtail_comes_with_the_first_good_reading_at_the_threshold_and_not_below() {
    let mut scene = Scene::running();
    scene.signal = Some(309.9);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Run);
    scene.signal = Some(310.0);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail);
    assert!(scene.commands.iter().any(Command::is_safe), "a command in the same pass (I5)");
}

#[test]
fn run_needs_its_readings_in_a_row_below_the_lower_threshold() {
    let mut scene = Scene::running();
    scene.signal = Some(320.0);
    scene.run();
    scene.signal = Some(299.0);
    scene.pass();
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail, "two of three readings");
    scene.signal = Some(305.0);
    scene.pass();
    scene.signal = Some(299.0);
    scene.pass();
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail, "a reading between the thresholds breaks the row");
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Run);
}

#[test]
fn an_unreadable_page_holds_the_level_up_to_its_age_limit_and_is_blind_beyond() {
    let mut scene = Scene::running();
    let limit = scene.cfg.signal.max_age.0;
    scene.pass();
    scene.signal = None;
    scene.wait(limit);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Run);
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Blind);
    assert_eq!(scene.off_reasons(), [OffReason::Blind]);
    assert_eq!(scene.told_at(Severity::Warning).len(), 1);
}

#[test]
fn blind_leaves_the_miners_alone_when_the_owner_chose_hold() {
    let mut scene = Scene::running();
    scene.cfg.signal.when_blind = WhenBlind::Hold;
    scene.signal = None;
    scene.minutes(60);
    assert_eq!(scene.state.signal.level, Level::Blind);
    assert_eq!(scene.phase(), "running");
}

#[test]
fn curtail_is_not_forgotten_while_blind_and_resume_needs_readings_again() {
    let mut scene = Scene::curtailed();
    scene.signal = None;
    scene.minutes(30);
    assert_eq!(scene.state.signal.level, Level::Blind);
    scene.signal = Some(250.0);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Blind, "one reading does not resume");
}

#[test]
fn a_first_run_adopts_run_with_one_reading_but_between_the_thresholds_it_curtails() {
    let mut scene = Scene::new();
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Run);
    let mut scene = Scene::new();
    scene.signal = Some(305.0);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail);
}

#[test]
fn a_first_run_waits_its_age_limit_before_it_curtails_for_blindness() {
    let mut scene = Scene::new();
    scene.signal = None;
    scene.minutes(10);
    assert_eq!(scene.phase(), "boot");
    scene.minutes(4);
    assert_ne!(scene.phase(), "boot");
    assert_eq!(scene.off_reasons(), [OffReason::Blind]);
}

#[test]
fn a_page_that_stands_still_for_too_long_is_warned_of() {
    let mut scene = Scene::running();
    scene.minutes(23 * 60);
    assert_eq!(scene.told("has not changed"), 0);
    scene.minutes(2 * 60);
    assert_eq!(scene.told("has not changed"), 1);
}

#[test]
fn a_set_signal_takes_the_page_s_place_and_its_end_gives_it_back() {
    let mut scene = Scene::running();
    scene.set(Setting::Signal(Level::Curtail));
    scene.pass();
    assert_eq!(scene.off_reasons(), [OffReason::Curtail]);
    scene.minutes(70);
    assert_eq!(scene.told("override ended"), 1);
    assert_eq!(scene.state.signal.level, Level::Run);
}

#[test]
fn a_page_from_the_future_counts_only_when_it_says_off() {
    for (ahead, value, level) in [(600, 250.0, Level::Run), (601, 250.0, Level::Blind), (36_000, 350.0, Level::Curtail)]
    {
        let mut scene = Scene::new();
        scene.signal = Some(value);
        let mut snapshot = scene.snapshot();
        let reading = snapshot.signal.as_mut().unwrap();
        reading.stamp = Some(scene.now.wall.plus(minectl::units::Seconds(ahead)));
        let decision = minectl::decide::decide(&scene.cfg, &scene.state, &snapshot, &[], &scene.now);
        assert_eq!(decision.next.signal.level, level, "{ahead} s, {value}");
    }
}

#[test]
fn a_run_set_by_hand_is_nothing_to_hold_to_even_after_a_reading_that_failed() {
    let mut scene = Scene::running();
    scene.signal = Some(305.0);
    scene.set(Setting::Signal(Level::Run));
    scene.pass();
    scene.overrides.clear();
    scene.signal = None;
    scene.wait(20);
    scene.pass();
    scene.signal = Some(305.0);
    scene.wait(20);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail);
}

#[test]
fn a_clock_without_a_date_that_shows_the_same_the_next_day_stands_still() {
    let mut scene = Scene::running();
    let stamp = scene.cfg.signal.stamp.as_mut().unwrap();
    stamp.is_clock = true;
    let limit = stamp.max_age;
    scene.signal = Some(250.0);
    // As the driver reads a clock that has stood since then: a day later it looks fresh again.
    let shown = scene.now.wall;
    scene.signal_stamp = Some(shown);
    scene.pass();
    scene.now.wall = shown.plus(limit);
    scene.now.up = scene.now.up.plus(limit);
    scene.pass();
    assert_eq!(scene.state.signal.last_good.as_ref().map(|good| good.at), Some(scene.now), "within its limit");
    let day = Seconds(86_400);
    scene.now.wall = shown.plus(day);
    scene.now.up = scene.now.up.plus(Seconds(day.0 - limit.0));
    scene.signal_stamp = Some(shown.plus(day));
    scene.pass();
    assert_ne!(scene.state.signal.last_good.as_ref().map(|good| good.at), Some(scene.now));
    assert!(scene.state.signal.why.contains("the page's clock stands still"), "{}", scene.state.signal.why);
    scene.signal_stamp = Some(shown.plus(day).plus(Seconds(60)));
    scene.pass();
    assert_eq!(scene.state.signal.last_good.as_ref().map(|good| good.at), Some(scene.now), "it moves again");
}

#[test]
fn a_clock_that_stands_still_is_not_believed_while_a_hand_sets_the_level() {
    let mut scene = Scene::running();
    scene.cfg.signal.stamp.as_mut().unwrap().is_clock = true;
    scene.set(Setting::Signal(Level::Run));
    scene.signal = Some(250.0);
    scene.signal_stamp = Some(scene.now.wall);
    scene.pass();
    assert_eq!(scene.state.signal.last_good.as_ref().map(|good| good.at), Some(scene.now));
    let day = Seconds(86_400);
    scene.now.wall = scene.now.wall.plus(day);
    scene.now.up = scene.now.up.plus(day);
    scene.signal_stamp = Some(scene.now.wall);
    scene.set(Setting::Signal(Level::Run));
    scene.pass();
    assert_ne!(scene.state.signal.last_good.as_ref().map(|good| good.at), Some(scene.now), "it stands still");
    scene.signal_stamp = Some(scene.now.wall.plus(Seconds(60)));
    scene.pass();
    assert_eq!(scene.state.signal.last_good.as_ref().map(|good| good.at), Some(scene.now), "it moves again");
}

#[test]
fn a_clock_that_moves_by_whole_hours_is_believed() {
    let mut scene = Scene::running();
    scene.cfg.signal.stamp.as_mut().unwrap().is_clock = true;
    scene.signal = Some(250.0);
    for _ in 0..5 {
        scene.now.wall = scene.now.wall.plus(Seconds(3600));
        scene.now.up = scene.now.up.plus(Seconds(3600));
        scene.signal_stamp = Some(scene.now.wall);
        scene.pass();
        assert_eq!(scene.state.signal.last_good.as_ref().map(|good| good.at), Some(scene.now));
    }
}
