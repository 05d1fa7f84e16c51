//! Alarms over time: raised, reminded of, acknowledged, over.

use minectl::model::*;

use crate::scene::Scene;

/// A mine that draws power with its intake probe lost: an emergency that stays.
fn emergency() -> Scene {
    let mut scene = Scene::running();
    scene.cfg.climate.lost_limit = minectl::units::Seconds(u64::MAX);
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
