//! What a hand holds, switches or sets is heeded, and does not reach further than the hand.

use minectl::model::*;
use minectl::units::*;

use crate::fans::all_running;
use crate::scene::Scene;

#[test]
fn a_run_set_by_hand_does_not_outlive_its_override_while_the_page_is_unread() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.minutes(2);
    scene.set(Setting::Signal(Level::Run));
    scene.minutes(2);
    scene.signal = None;
    scene.overrides.clear();
    scene.pass();
    assert_ne!(scene.state.signal.level, Level::Run);
    assert!(!scene.off_reasons().is_empty());
}

#[test]
fn watts_set_by_hand_let_no_other_fan_stop() {
    let mut scene = Scene::running();
    scene.cfg.climate.shed_rise_k = 100.0;
    scene.intake_c = Some(38.0);
    scene.minutes(10);
    scene.fans_dead = (2..=9).collect();
    for fan in 2..=9 {
        scene.set(Setting::FanWatts { fan, value: Watts::new(1500.0).unwrap() });
    }
    scene.intake_c = Some(0.0);
    for _ in 0..40 {
        scene.pass();
        assert!(!scene.stops_a_fan(), "{:?}", scene.commands);
        scene.wait(60);
    }
}

#[test]
fn a_fan_held_off_runs_all_the_same_when_the_miners_need_it() {
    let mut scene = all_running();
    scene.fans_dead = (1..=6).collect();
    scene.set(Setting::Fan { fan: 9, on: false });
    scene.pass();
    assert!(scene.fans_on.contains(&9), "I2 holds against a person too");
    assert_eq!(scene.told("Fan 9 is held off"), 0, "another one may take over");
    scene.wait(scene.cfg.fan_rules.prove_within.0 * 2);
    scene.pass();
    assert!(scene.fans_on.contains(&9));
    assert_eq!(scene.told("Fan 9 is held off and runs all the same"), 1);
}

#[test]
fn a_fan_held_off_while_the_mine_is_off_runs_again_when_it_is_needed() {
    let mut scene = Scene::curtailed();
    for fan in 6..=9 {
        scene.set(Setting::Fan { fan, on: false });
    }
    scene.signal = Some(250.0);
    scene.minutes(40);
    assert_eq!(scene.phase(), "running");
    scene.intake_c = Some(30.0);
    scene.pass();
    assert_eq!(scene.fans_on.len(), 9);
    assert!(scene.told("is held off and runs all the same") >= 1);
}

#[test]
fn a_fan_held_on_runs_although_the_miners_are_off() {
    let mut scene = Scene::curtailed();
    scene.set(Setting::Fan { fan: 2, on: true });
    scene.pass();
    assert_eq!(scene.fans_on.iter().copied().collect::<Vec<_>>(), [2]);
}

#[test]
fn a_fan_switched_by_hand_is_switched_back() {
    let mut scene = Scene::running();
    scene.intake_c = Some(30.0);
    scene.minutes(4);
    scene.fans_on.remove(&3);
    scene.pass();
    assert!(scene.fans_on.contains(&3));
}

#[test]
fn set_watts_of_a_fan_count_like_measured_ones() {
    let mut scene = Scene::running();
    scene.set(Setting::FanWatts { fan: 5, value: Watts::new(2.0).unwrap() });
    scene.minutes(4);
    assert_eq!(scene.state.fans[&5].fault, Some(FanFault::Dead));
}

#[test]
fn a_set_temperature_counts_like_a_measured_one() {
    let mut scene = Scene::running();
    let value = Temperature::new(45.5).unwrap();
    scene.set(Setting::Temperature { probe: "intake-west".to_owned(), value });
    scene.pass();
    assert_eq!(scene.state.climate.band, Band::Critical);
    assert_eq!(scene.off_reasons(), [OffReason::TooHot]);
}
