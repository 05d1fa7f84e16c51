//! Watts that do not move: those of a PDU's outlets all together, and those of the fans.

use minectl::model::*;
use minectl::units::{Seconds, Watts};

use crate::scene::Scene;

/// The alarms about values that do not move, without those of the probes, which stand still in these stories too.
fn stuck(scene: &Scene) -> Vec<&str> {
    let alarms = scene.state.alarms.iter().filter(|(id, _)| id.starts_with("stuck ") && !id.contains("intake"));
    let alarms = alarms.filter(|(id, _)| !id.contains("exhaust") && !id.contains("middle"));
    alarms.map(|(id, _)| id.as_str()).collect()
}

/// After one pass, and another one so much later.
fn after(mut scene: Scene, seconds: u64) -> Scene {
    scene.pass();
    scene.wait(seconds);
    scene.pass();
    scene
}

/// A mine that was seen running, whose watts move in the next pass for the last time.
fn running() -> Scene {
    let mut scene = Scene::running();
    scene.quirks.more_watts = 3.0;
    scene
}

fn limit(scene: &Scene) -> u64 {
    scene.cfg.climate.stuck_after.0
}

#[test]
fn watts_that_stand_still_for_the_whole_limit_are_a_warning() {
    let limit = limit(&running());
    assert_eq!(stuck(&after(running(), limit - 1)), Vec::<&str>::new());
    let scene = after(running(), limit);
    assert_eq!(stuck(&scene), ["stuck iotawatt", "stuck spdu-a", "stuck spdu-b"]);
    let alarm = &scene.state.alarms["stuck spdu-a"];
    assert_eq!(alarm.severity, Severity::Warning);
    assert_eq!(alarm.text, "spdu-a has said exactly the same watts (67 kW) for 6 h: does its meter still measure?");
    let alarm = &scene.state.alarms["stuck iotawatt"];
    assert!(alarm.text.starts_with("iotawatt has said exactly the same watts (7.5 kW) for 6 h"), "{}", alarm.text);
}

#[test]
fn one_outlet_or_one_fan_that_moves_is_enough() {
    let mut scene = running();
    scene.pass();
    scene.wait(limit(&scene) - 60);
    // One miner on the first PDU rests for a pass.
    scene.asleep.insert(1);
    scene.fans_dead.insert(3);
    scene.pass();
    scene.asleep.remove(&1);
    scene.wait(60);
    let scene = after(scene, 60);
    assert_eq!(stuck(&scene), ["stuck spdu-b"]);
}

#[test]
fn a_mine_that_draws_next_to_nothing_may_stand_still_for_ever() {
    let mut scene = Scene::curtailed();
    let limit = limit(&scene);
    scene.pass();
    for _ in 0..4 {
        scene.wait(limit / 2);
        scene.pass();
        assert_eq!(stuck(&scene), Vec::<&str>::new());
    }
    assert!(scene.state.miners.proven_off.is_some(), "what stands still proves all the same");
}

#[test]
fn what_is_not_read_is_not_called_stuck_and_what_comes_back_the_same_is() {
    let mut scene = running();
    scene.pass();
    scene.pdus_down.insert("spdu-a".to_owned());
    let limit = limit(&scene);
    let mut scene = after(scene, limit);
    assert_eq!(stuck(&scene), ["stuck iotawatt", "stuck spdu-b"]);
    scene.pdus_down.clear();
    scene.pass();
    assert_eq!(stuck(&scene), ["stuck iotawatt", "stuck spdu-a", "stuck spdu-b"]);
}

#[test]
fn watts_that_are_too_old_are_a_fault_of_their_own() {
    let mut scene = running();
    scene.pdus_stale.insert("spdu-a".to_owned());
    let limit = limit(&scene);
    assert_eq!(stuck(&after(scene, limit)), ["stuck iotawatt", "stuck spdu-b"]);
}

#[test]
fn watts_that_are_set_by_hand_do_not_count_as_moved() {
    let mut scene = running();
    let limit = limit(&scene);
    scene.pass();
    scene.wait(limit - 60);
    scene.set(Setting::MinerWatts { pdu: "spdu-a".to_owned(), value: Watts::new(5000.0).unwrap() });
    let scene = after(scene, 60);
    assert!(stuck(&scene).contains(&"stuck spdu-a"), "{:?}", stuck(&scene));
}

#[test]
fn a_stored_state_that_knows_nothing_of_it_begins_to_count_when_it_is_loaded() {
    let mut scene = running();
    scene.pass();
    let mut old = serde_json::to_value(&scene.state).unwrap();
    assert!(old.as_object_mut().unwrap().remove("unmoved").is_some());
    scene.state = serde_json::from_value(old).unwrap();
    let limit = limit(&scene);
    scene.wait(limit);
    assert_eq!(stuck(&after(scene, limit - 1)), Vec::<&str>::new());
}

#[test]
fn a_device_that_is_no_longer_configured_is_forgotten() {
    let mut scene = running();
    scene.pass();
    assert_eq!(scene.state.unmoved.keys().collect::<Vec<_>>(), ["iotawatt", "spdu-a", "spdu-b"]);
    scene.cfg.pdus.pop();
    let scene = after(scene, Seconds(60).0);
    assert_eq!(scene.state.unmoved.keys().collect::<Vec<_>>(), ["iotawatt", "spdu-a"]);
}
