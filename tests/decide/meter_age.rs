//! How old a meter's rows are, by how far they advance.

use minectl::model::FaultKind;
use minectl::units::{Seconds, UnixSeconds};

use crate::scene::Scene;

/// A mine whose meter's clock is `ahead_s` before ours, after one run; its rows are fresh.
fn with_clock(ahead_s: i64) -> Scene {
    let mut scene = Scene::new();
    row(&mut scene, ahead_s);
    scene.pass();
    scene
}

/// The meter's newest row is this much before our clock.
fn row(scene: &mut Scene, ahead_s: i64) {
    scene.fan_watts_frozen = None;
    let mut reading = scene.snapshot().fan_watts.unwrap();
    reading.row_time = Some(UnixSeconds(scene.now.wall.0 + ahead_s));
    scene.fan_watts_frozen = Some(reading);
}

fn is_stale(scene: &Scene) -> bool {
    let fault = scene.state.devices["iotawatt"].fault.as_ref();
    assert!(fault.is_none_or(|fault| fault.kind == FaultKind::Stale), "{fault:?}");
    fault.is_some()
}

#[test]
fn a_meter_whose_clock_differs_counts_all_the_same() {
    for ahead_s in [3600, -3600, 31, -31] {
        let mut scene = with_clock(ahead_s);
        assert!(!is_stale(&scene), "{ahead_s}");
        scene.wait(120);
        row(&mut scene, ahead_s);
        scene.pass();
        assert!(!is_stale(&scene), "{ahead_s}");
    }
}

#[test]
fn a_row_that_advanced_less_than_the_time_is_as_old_as_what_lacks() {
    let after = |advance_s: i64| {
        let mut scene = with_clock(0);
        scene.wait(120);
        row(&mut scene, advance_s - 120);
        scene.pass();
        is_stale(&scene)
    };
    assert!(!after(90));
    assert!(after(89), "the meter froze between two runs");
    assert!(!after(300), "it was behind before");
}

#[test]
fn a_row_that_goes_back_counts_and_must_advance_from_there() {
    let mut scene = with_clock(0);
    scene.wait(120);
    row(&mut scene, -3600);
    scene.pass();
    assert!(!is_stale(&scene), "the meter's clock was set");
    let after = |advance_s: i64| {
        let mut scene = with_clock(0);
        row(&mut scene, -3600);
        scene.pass();
        scene.wait(120);
        row(&mut scene, -3720 + advance_s);
        scene.pass();
        is_stale(&scene)
    };
    assert!(!after(120) && !after(90) && after(89));
}

#[test]
fn a_feed_that_stands_still_is_the_fault_of_its_fan_alone() {
    let faults_at = |age_s: u64| {
        let mut scene = Scene::new();
        row(&mut scene, 0);
        let fan = scene.fan_watts_frozen.as_mut().unwrap().fans.get_mut(&3).unwrap();
        fan.as_mut().unwrap().age = Seconds(age_s);
        scene.pass();
        let devices = scene.state.devices.iter();
        let meter = devices.filter(|(name, health)| name.starts_with("iotawatt") && health.fault.is_some());
        meter.map(|(_, health)| health.fault.as_ref().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(faults_at(30), Vec::<String>::new());
    assert_eq!(faults_at(31), ["iotawatt fan 3: stale: the newest reading is 31 s old, limit 30 s"]);
}

#[test]
fn a_device_that_hangs_makes_no_row_of_the_meter_old() {
    let fault_after = |hang_s: u64| {
        let mut scene = with_clock(0);
        scene.wait(120);
        row(&mut scene, -30);
        let snapshot = scene.snapshot();
        scene.wait(hang_s);
        let decision = minectl::decide::decide(&scene.cfg, &scene.state, &snapshot, &[], &scene.now);
        decision.next.devices["iotawatt"].fault.clone()
    };
    assert_eq!(fault_after(0), None);
    assert_eq!(fault_after(12), None, "it answered at once");
}
