//! How long a room unit is believed that answers without a sign that it is alive.

use minectl::model::{FaultKind, OffReason, Severity};
use minectl::units::Humidity;

use crate::fans::STAGE_2_C;
use crate::scene::Scene;

/// A mine in cool weather, long enough: five of nine fans run.
fn settled(mut scene: Scene) -> Scene {
    scene.intake_c = Some(STAGE_2_C);
    scene.minutes(60);
    assert_eq!(scene.fans_on.len(), 5);
    scene
}

fn is_stale(scene: &Scene) -> bool {
    scene.state.devices["room-alert"].fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Stale)
}

#[test]
fn a_unit_that_gave_its_uptime_and_gives_none_is_not_believed_beyond_the_age_limit() {
    let after = |over_s: u64| {
        let mut scene = settled(Scene::running());
        scene.pass();
        scene.quirks.no_uptime = true;
        scene.wait(scene.cfg.climate.max_age.0 + over_s);
        scene.pass();
        (scene.fans_on.len(), is_stale(&scene))
    };
    assert_eq!(after(0), (5, false), "held for its age limit");
    assert_eq!(after(1), (9, true));
}

#[test]
fn a_unit_without_an_answer_in_between_still_owes_its_uptime() {
    let mut scene = settled(Scene::running());
    scene.room_down = true;
    scene.minutes(10);
    scene.room_down = false;
    scene.quirks.no_uptime = true;
    scene.pass();
    assert!(is_stale(&scene));
    assert_eq!(scene.fans_on.len(), 9);
}

#[test]
fn a_unit_is_believed_again_with_its_next_uptime() {
    let mut scene = settled(Scene::running());
    scene.quirks.no_uptime = true;
    scene.minutes(10);
    assert!(is_stale(&scene));
    scene.quirks.no_uptime = false;
    scene.pass();
    assert!(!is_stale(&scene));
    assert_eq!(scene.state.climate.trusted, Some(scene.now));
}

#[test]
fn a_unit_that_never_gave_an_uptime_is_believed() {
    let mut scene = Scene::new();
    scene.quirks.no_uptime = true;
    scene.minutes(60);
    scene.pass();
    assert!(!is_stale(&scene));
    assert_eq!(scene.state.climate.trusted, Some(scene.now));
}

/// A unit whose uptime stands still for its age limit and a little more, with its switches as they were; then `smoke`.
fn frozen_for(scene: &mut Scene, over_s: u64, smoke: bool) {
    scene.pass();
    scene.room_frozen_at = Some(scene.now.up.0 + 77);
    scene.wait(scene.cfg.climate.max_age.0 + over_s);
    scene.smoke = smoke;
    scene.pass();
}

#[test]
fn a_switch_of_a_stale_unit_does_not_end_an_alarm_as_normal() {
    let stopped_after = |over_s: u64| {
        let mut scene = settled(Scene::running());
        scene.smoke = true;
        frozen_for(&mut scene, over_s, false);
        scene.off_reasons().contains(&OffReason::SwitchAlarm)
    };
    assert!(!stopped_after(0), "believed for its age limit");
    assert!(stopped_after(1));
}

#[test]
fn a_switch_of_a_stale_unit_that_comes_into_alarm_counts() {
    let mut scene = settled(Scene::running());
    frozen_for(&mut scene, 1, true);
    assert!(is_stale(&scene), "and that it is stale is told");
    assert!(scene.off_reasons().contains(&OffReason::SwitchAlarm));
}

#[test]
fn the_humidity_of_a_stale_unit_is_no_value() {
    let humidity_after = |over_s: u64| {
        let mut scene = settled(Scene::running());
        frozen_for(&mut scene, over_s, false);
        let mut snapshot = scene.snapshot();
        let probe = snapshot.rooms.get_mut("room-alert").unwrap().as_mut().unwrap().probes.get_mut("exhaust").unwrap();
        probe.humidity = Some(Ok(Humidity::new(44.0).unwrap()));
        let decision = minectl::decide::decide(&scene.cfg, &scene.state, &snapshot, &[], &scene.now);
        let sample = decision.samples.iter().find(|sample| sample.series == "humidity.exhaust_pct").unwrap().clone();
        sample.value
    };
    assert_eq!(humidity_after(0), Some(44.0));
    assert_eq!(humidity_after(1), None);
}

#[test]
fn a_remark_about_a_unit_is_a_warning_and_its_values_count() {
    let mut scene = Scene::new();
    scene.quirks.room_remarks = vec!["probe intake-west: the unit labels it `X`, not `Y`".to_owned()];
    scene.pass();
    let alarm = &scene.state.alarms["remark room-alert"];
    assert_eq!(alarm.severity, Severity::Warning);
    assert_eq!(alarm.text, "room-alert: probe intake-west: the unit labels it `X`, not `Y`");
    assert_eq!(scene.state.climate.trusted, Some(scene.now));
    scene.quirks.room_remarks.clear();
    scene.minutes(4);
    scene.pass();
    assert!(!scene.state.alarms.contains_key("remark room-alert"));
}
