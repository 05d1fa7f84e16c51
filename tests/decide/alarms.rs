//! Alarms over time: raised, reminded of, acknowledged, over.

use minectl::model::*;
use minectl::units::{Seconds, UnixSeconds};

use crate::scene::Scene;

/// A mine that draws power with its intake probe lost: an emergency that stays.
fn emergency() -> Scene {
    let mut scene = Scene::running();
    scene.cfg.climate.lost_limit = Seconds(u64::MAX);
    scene.intake_c = None;
    scene.wait(scene.cfg.climate.max_age.0 + 1);
    scene.pass();
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1);
    scene
}

#[test]
fn an_emergency_is_told_again_steadily_until_it_is_acknowledged() {
    let mut scene = emergency();
    scene.minutes(62);
    let told = scene.told_at(Severity::Emergency).len();
    assert!((4..=5).contains(&told), "every 15 minutes: {told}");
    scene.state.alarms.get_mut("intake lost").unwrap().acknowledged_by = Some("owner".to_owned());
    scene.minutes(120);
    assert_eq!(scene.told_at(Severity::Emergency).len(), told);
}

#[test]
fn an_alarm_that_is_over_is_told_once() {
    let mut scene = emergency();
    scene.intake_c = Some(20.0);
    scene.minutes(10);
    assert_eq!(scene.told("Over after"), 1);
    assert!(scene.state.alarms.is_empty());
}

#[test]
fn a_warning_is_told_again_ever_more_slowly() {
    let mut scene = Scene::running();
    scene.fan_watts_down = true;
    scene.minutes(3 * 24 * 60);
    let told = scene.told_at(Severity::Warning).iter().filter(|text| text.contains("iotawatt")).count();
    assert!((5..=6).contains(&told), "after 0, 4, 12, 28, 60 hours: {told}");
}

#[test]
fn a_device_is_warned_of_after_its_runs_and_not_before() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.run();
    scene.run();
    assert!(scene.told_at(Severity::Warning).is_empty());
    scene.run();
    assert_eq!(scene.told_at(Severity::Warning).len(), 1);
}

#[test]
fn passes_of_one_run_count_once() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    for _ in 0..5 {
        scene.pass();
        scene.wait(5);
    }
    assert_eq!(scene.state.devices["foreman"].failures, 1);
}

#[test]
fn the_heartbeat_comes_at_its_interval_and_names_what_stands() {
    let mut scene = Scene::running();
    scene.fan_watts_down = true;
    scene.set(Setting::Fan { fan: 1, on: true });
    scene.minutes(122);
    let heartbeats = scene.told_at(Severity::Heartbeat);
    assert!((2..=4).contains(&heartbeats.len()), "{}", heartbeats.len());
    assert!(heartbeats[1].contains("iotawatt"));
    assert!(heartbeats[1].contains("Override fan 1 = on"));
}

#[test]
fn a_state_change_has_its_event() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.minutes(40);
    for (subject, text) in [
        ("signal", "run → curtail"),
        ("demand", "miners must be off: the power signal says curtail"),
        ("miners", "running → curtailing: a reason to be off holds"),
        ("miners", "→ curtailed"),
        ("fans", "wanted"),
    ] {
        let found = scene.events.iter().any(|e| e.subject == subject && e.text.contains(text));
        assert!(found, "{subject}: {text}");
    }
}

#[test]
fn an_alarm_that_comes_and_goes_is_one_alarm_and_keeps_its_acknowledgement() {
    let mut scene = emergency();
    scene.state.alarms.get_mut("intake lost").unwrap().acknowledged_by = Some("owner".to_owned());
    for _ in 0..10 {
        scene.intake_c = Some(20.0);
        scene.pass();
        scene.wait(5);
        scene.intake_c = None;
        scene.state.climate.probes.clear();
        scene.pass();
        scene.wait(5);
    }
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1);
    assert_eq!(scene.told("Over after"), 0);
}

#[test]
fn a_dead_man_service_that_cannot_be_reached_is_a_fault_like_any_other() {
    let mut scene = Scene::running();
    scene.state.dead_man = Some(crate::scene::fault("dead-man"));
    scene.run();
    assert!(scene.state.devices["dead-man"].fault.is_some());
    assert!(scene.events.iter().any(|event| event.subject == "dead-man"));
    scene.run();
    assert!(scene.told_at(Severity::Warning).is_empty());
    scene.run();
    assert_eq!(scene.told_at(Severity::Warning).len(), 1);
}

#[test]
fn a_channel_that_takes_no_message_is_followed_like_a_device_until_it_takes_one() {
    let mut scene = Scene::running();
    scene.run();
    assert!(!scene.state.devices.contains_key("telegram"), "of a channel that was not tried nothing is known");
    scene.state.channels.insert(Channel::Telegram, crate::scene::fault("telegram"));
    scene.run();
    scene.run();
    assert!(scene.told_at(Severity::Warning).is_empty(), "two runs");
    scene.run();
    assert_eq!(scene.told_at(Severity::Warning).len(), 1, "three");
    assert!(scene.state.alarms.contains_key("device telegram"));
    scene.state.channels.clear();
    scene.run();
    assert!(scene.events.iter().any(|event| event.subject == "telegram" && event.text.contains("answers again")));
    scene.run();
    scene.run();
    assert!(!scene.state.alarms.contains_key("device telegram"));
    assert!(!scene.state.devices.contains_key("telegram"));
}

/// What is told of the signal set to run by hand while the page says run: a warning that a test can switch.
const BY_HAND: &str = "override signal";

fn raise(scene: &mut Scene) {
    scene.set(Setting::Signal(Level::Run));
    scene.pass();
}

/// Lets the alarm's condition end, and three minutes later the alarm.
fn end(scene: &mut Scene) {
    scene.overrides.clear();
    scene.pass();
    scene.wait(180);
    scene.pass();
}

fn until(scene: &mut Scene, start: UnixSeconds, seconds: u64) {
    scene.wait(seconds - scene.now.wall.since(start).0);
}

/// A mine whose alarm was raised three times: at 0, at 1000 and at `third` seconds.
fn raised_three_times(third: u64) -> Scene {
    let mut scene = Scene::running();
    let start = scene.now.wall;
    raise(&mut scene);
    end(&mut scene);
    until(&mut scene, start, 1000);
    raise(&mut scene);
    end(&mut scene);
    until(&mut scene, start, third);
    scene.notices.clear();
    raise(&mut scene);
    scene
}

fn flaps(scene: &Scene) -> bool {
    scene.state.alarms[BY_HAND].flapping
}

#[test]
fn a_warning_raised_for_the_third_time_within_an_hour_flaps_and_says_so_once() {
    let scene = raised_three_times(3599);
    assert!(flaps(&scene));
    assert_eq!(scene.told("Flapping: `override signal` came and went 3 times in an hour"), 1);
    assert_eq!(scene.told_at(Severity::Warning).len(), 1);
    let scene = raised_three_times(3600);
    assert!(!flaps(&scene), "the first one is an hour ago");
    assert_eq!((scene.told("Flapping"), scene.told_at(Severity::Warning).len()), (0, 1));
}

/// One raise and its end after each hour and a bit: `span` is that from raise to raise.
fn raised_often(times: usize, span: u64) -> Scene {
    let mut scene = Scene::running();
    scene.notices.clear();
    for _ in 0..times {
        let start = scene.now.wall;
        raise(&mut scene);
        end(&mut scene);
        until(&mut scene, start, span);
    }
    scene
}

#[test]
fn a_warning_raised_for_the_sixth_time_within_a_day_flaps_and_not_for_the_fifth() {
    let mut scene = raised_often(5, 4000);
    assert_eq!((scene.told("Flapping"), scene.told_at(Severity::Warning).len()), (0, 5));
    raise(&mut scene);
    assert!(flaps(&scene));
    assert_eq!(scene.told("Flapping: `override signal` came and went 6 times in a day; told again"), 1);
    // The sixth comes a second before, and at, the end of the day since the first.
    let mut scene = raised_often(5, 86_400 / 5);
    scene.state.raised.get_mut(BY_HAND).unwrap()[0].up.0 += 1;
    raise(&mut scene);
    assert!(flaps(&scene));
    let mut scene = raised_often(5, 86_400 / 5);
    raise(&mut scene);
    assert!(!flaps(&scene), "the first one is a day ago");
}

#[test]
fn what_flaps_slowly_is_over_when_it_is_quiet_for_three_times_as_long_as_between_its_raises() {
    let mut scene = raised_often(5, 4000);
    raise(&mut scene);
    scene.overrides.clear();
    scene.pass();
    scene.wait(11_999);
    scene.pass();
    assert!(flaps(&scene));
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.told("Over, no longer flapping: quiet for 3 h 20 min"), 1);
    assert!(!scene.state.raised.contains_key(BY_HAND), "the count begins anew");
}

#[test]
fn a_flapping_alarm_is_silent_its_events_are_bounded_and_it_is_shown() {
    let mut scene = raised_three_times(2000);
    scene.notices.clear();
    scene.events.clear();
    for _ in 0..60 {
        end(&mut scene);
        raise(&mut scene);
        scene.wait(20);
    }
    assert!(flaps(&scene));
    assert_eq!(scene.told("set to run by hand"), 0);
    assert_eq!(scene.told("Over"), 0);
    let hours = 60 * 200 / 3600 + 1;
    let events = scene.events.iter().filter(|event| event.subject == BY_HAND).count();
    assert!((20..=10 * hours).contains(&events), "{events} events in {hours} hours");
    assert!(scene.state.raised[BY_HAND].len() <= 10);
    let shown = scene.told_at(Severity::Heartbeat);
    assert!(shown.last().unwrap().contains("warning (flapping): The signal is set to run by hand"), "{shown:?}");
}

#[test]
fn a_flapping_alarm_that_is_quiet_for_an_hour_is_over_and_that_is_told_once() {
    let mut scene = raised_three_times(2000);
    scene.overrides.clear();
    scene.pass();
    scene.wait(3599);
    scene.pass();
    assert!(flaps(&scene));
    assert_eq!(scene.told("Over"), 0);
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.told("Over, no longer flapping: quiet for 1 h"), 1);
    assert!(!scene.state.alarms.contains_key(BY_HAND) && scene.state.raised.is_empty());
    raise(&mut scene);
    assert!(!flaps(&scene), "the count begins anew");
}

#[test]
fn a_flapping_alarm_that_stays_for_an_hour_is_an_alarm_like_any_other_and_that_is_told_once() {
    let mut scene = raised_three_times(2000);
    let keep = |scene: &mut Scene| scene.overrides[0].lasts = Seconds(86_400);
    keep(&mut scene);
    scene.wait(3599);
    scene.pass();
    assert!(flaps(&scene));
    assert_eq!(scene.told("No longer flapping"), 0);
    scene.wait(1);
    scene.pass();
    assert!(!flaps(&scene));
    assert_eq!(scene.told("No longer flapping, stands for 1 h"), 1);
    let reminder = scene.cfg.notify.warning_reminder.0;
    scene.notices.clear();
    scene.wait(reminder - 1);
    scene.pass();
    assert_eq!(scene.told("set to run by hand"), 0);
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.told("set to run by hand"), 1, "reminders as of any warning");
}

#[test]
fn only_a_break_of_three_minutes_interrupts_the_hour_of_a_flapping_alarm() {
    for (pause, flaps_still) in [(179, false), (180, true)] {
        let mut scene = raised_three_times(2000);
        let raised = scene.now.wall;
        scene.wait(1000);
        scene.overrides.clear();
        scene.pass();
        scene.wait(pause);
        raise(&mut scene);
        scene.overrides[0].lasts = Seconds(86_400);
        until(&mut scene, raised, 3600);
        scene.pass();
        assert_eq!(flaps(&scene), flaps_still, "a break of {pause} s");
    }
}

fn lose_intake(scene: &mut Scene) {
    scene.intake_c = None;
    scene.state.climate.probes.clear();
    scene.pass();
}

fn find_intake(scene: &mut Scene) {
    scene.intake_c = Some(20.0);
    scene.pass();
    scene.wait(180);
    scene.pass();
}

#[test]
fn an_emergency_never_flaps_and_each_raise_is_told() {
    let mut scene = Scene::running();
    scene.cfg.climate.lost_limit = Seconds(u64::MAX);
    for raise in 1..=6 {
        lose_intake(&mut scene);
        assert_eq!(scene.told_at(Severity::Emergency).len(), raise);
        assert!(!scene.state.alarms["intake lost"].flapping);
        find_intake(&mut scene);
        assert_eq!(scene.told("Over after"), raise);
    }
}

#[test]
fn a_flapping_warning_that_becomes_an_emergency_is_told() {
    let mut scene = Scene::curtailed();
    for _ in 0..3 {
        lose_intake(&mut scene);
        find_intake(&mut scene);
    }
    lose_intake(&mut scene);
    assert!(scene.state.alarms["intake lost"].flapping);
    assert_eq!(scene.told_at(Severity::Emergency).len(), 0);
    scene.asleep.clear();
    scene.pass();
    assert_eq!(scene.told("The intake temperature is lost while miners draw power"), 1);
    let alarm = &scene.state.alarms["intake lost"];
    assert_eq!((alarm.severity, alarm.flapping), (Severity::Emergency, false));
}

#[test]
fn a_flapping_alarm_that_was_acknowledged_is_not_told_when_it_stays() {
    let mut scene = raised_three_times(2000);
    scene.overrides[0].lasts = Seconds(86_400);
    scene.state.alarms.get_mut(BY_HAND).unwrap().acknowledged_by = Some("owner".to_owned());
    scene.notices.clear();
    scene.wait(3600);
    scene.pass();
    assert!(!flaps(&scene));
    assert_eq!(scene.told("set to run by hand"), 0);
    assert!(scene.events.iter().any(|event| event.text.starts_with("No longer flapping")));
}

#[test]
fn an_acknowledgement_ends_with_a_higher_severity_and_with_a_new_raise() {
    let mut scene = Scene::curtailed();
    lose_intake(&mut scene);
    scene.state.alarms.get_mut("intake lost").unwrap().acknowledged_by = Some("owner".to_owned());
    scene.asleep.clear();
    scene.pass();
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1, "higher");
    assert_eq!(scene.state.alarms["intake lost"].acknowledged_by, None);
    let mut scene = emergency();
    scene.state.alarms.get_mut("intake lost").unwrap().acknowledged_by = Some("owner".to_owned());
    find_intake(&mut scene);
    lose_intake(&mut scene);
    assert_eq!(scene.told_at(Severity::Emergency).len(), 2, "new");
}

/// Passes at the given seconds, and how often the text was told by each of them.
fn told_at(scene: &mut Scene, text: &str, seconds: &[u64]) -> Vec<usize> {
    let start = scene.now.wall;
    let tell = |second: &u64| {
        until(scene, start, *second);
        scene.pass();
        scene.told(text)
    };
    seconds.iter().map(tell).collect()
}

#[test]
fn miners_that_run_against_the_signal_are_told_each_hour() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.set(Setting::Miners { on: true, against_signal: true });
    scene.overrides[0].lasts = Seconds(86_400);
    let told = told_at(&mut scene, "The miners run by override", &[0, 3599, 3600, 7199, 7200, 10_800, 14_400]);
    assert_eq!(told, [1, 1, 2, 2, 3, 4, 5]);
}

#[test]
fn a_signal_set_to_run_is_told_each_hour_while_the_page_does_not_say_run() {
    for (page, expected) in [(350.0, [1, 1, 2, 2, 3]), (305.0, [1, 1, 2, 2, 3]), (250.0, [1, 1, 1, 1, 1])] {
        let mut scene = Scene::running();
        scene.signal = Some(page);
        scene.set(Setting::Signal(Level::Run));
        scene.overrides[0].lasts = Seconds(86_400);
        let told = told_at(&mut scene, "set to run by hand", &[0, 3599, 3600, 7199, 7200]);
        assert_eq!(told, expected, "the page says {page}");
    }
}
