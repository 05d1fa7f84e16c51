//! The fans machine.

use minectl::model::*;
use minectl::units::{Temperature, Watts};

use crate::scene::Scene;

fn stopped(scene: &Scene) -> usize {
    scene.cfg.fans.len() - scene.fans_on.len()
}

/// A mine on a hot day: every fan runs.
fn all_running() -> Scene {
    let mut scene = Scene::running();
    for c in [25.0, 30.0] {
        scene.intake_c = Some(c);
        scene.minutes(10);
    }
    assert_eq!(scene.fans_on.len(), 9);
    scene
}

/// Just at or below the second stage of the sample (60 °F).
const STAGE_2_C: f64 = 15.6;

#[test]
fn a_cool_intake_lets_fans_rest_one_at_a_time_down_to_the_stage() {
    let mut scene = all_running();
    scene.intake_c = Some(STAGE_2_C);
    let mut most = 0;
    for _ in 0..40 {
        let before = stopped(&scene);
        scene.run();
        most = most.max(stopped(&scene) - before);
    }
    assert_eq!(scene.fans_on.len(), 5);
    assert_eq!(most, 1, "one fan at a time");
}

#[test]
fn a_hot_intake_starts_all_that_the_stage_wants_at_once() {
    let mut scene = Scene::running();
    scene.intake_c = Some(0.0);
    scene.minutes(60);
    assert_eq!(scene.fans_on.len(), 3, "the lowest stage, and at least min_running");
    scene.intake_c = Some(30.0);
    scene.pass();
    assert_eq!(scene.fans_on.len(), 9);
}

#[test]
fn a_lost_intake_starts_every_fan_once_its_reading_is_too_old_and_stops_none_before() {
    let mut scene = Scene::running();
    scene.intake_c = Some(STAGE_2_C);
    scene.minutes(60);
    scene.intake_c = None;
    scene.pass();
    assert_eq!(scene.fans_on.len(), 5, "held for its age limit");
    scene.wait(scene.cfg.climate.max_age.0 + 1);
    scene.pass();
    assert_eq!(scene.fans_on.len(), 9);
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1);
}

#[test]
fn a_unit_whose_uptime_stands_still_is_not_believed_beyond_the_age_limit() {
    let mut scene = Scene::running();
    scene.intake_c = Some(STAGE_2_C);
    scene.minutes(60);
    scene.room_frozen_at = Some(4242);
    scene.run();
    assert_eq!(scene.fans_on.len(), 5);
    scene.minutes(6);
    assert_eq!(scene.fans_on.len(), 9);
    assert!(scene.state.devices["room-alert"].fault.as_ref().is_some_and(|f| f.kind == FaultKind::Stale));
}

#[test]
fn lost_fan_watts_start_every_fan_and_do_not_stop_the_mine() {
    let mut scene = Scene::running();
    scene.intake_c = Some(STAGE_2_C);
    scene.minutes(60);
    scene.fan_watts_down = true;
    scene.minutes(30);
    assert_eq!(scene.fans_on.len(), 9);
    assert_eq!(scene.phase(), "running");
}

#[test]
fn fans_stay_until_watts_prove_the_miners_off_and_then_run_on() {
    let mut scene = Scene::running();
    let before = scene.fans_on.len();
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.signal = Some(350.0);
    scene.minutes(40);
    assert_eq!(scene.fans_on.len(), 9.min(before), "not proven: no fan stops");
    scene.pdus_down.clear();
    scene.pass();
    scene.wait(scene.cfg.fan_rules.run_on.0 - 1);
    scene.pass();
    assert_eq!(scene.fans_on.len(), before, "run-on");
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.fans_on.len(), before - 1);
    scene.minutes(30);
    assert!(scene.fans_on.is_empty());
}

#[test]
fn a_hot_room_keeps_fans_running_although_the_miners_are_off() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.intake_c = Some(scene.cfg.fan_rules.off_room_above.value());
    scene.minutes(60);
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(scene.fans_on.len(), 9, "stage of a hot room");
}

#[test]
fn a_lost_intake_with_the_miners_off_leaves_the_fans_as_they_are() {
    let mut scene = Scene::curtailed();
    scene.intake_c = None;
    scene.minutes(30);
    assert!(scene.fans_on.is_empty());
    assert_eq!(scene.phase(), "curtailed");
}

#[test]
fn lost_proof_with_the_fans_at_rest_starts_them() {
    let mut scene = Scene::curtailed();
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.pass();
    assert!(scene.fans_on.len() >= usize::from(scene.cfg.fan_rules.min_running));
}

#[test]
fn a_dead_fan_is_named_and_replaced() {
    let mut scene = Scene::running();
    scene.intake_c = Some(STAGE_2_C);
    scene.minutes(60);
    let dead = *scene.fans_on.first().unwrap();
    scene.fans_dead.insert(dead);
    scene.minutes(6);
    assert_eq!(scene.state.fans[&dead].fault, Some(FanFault::Dead));
    assert_eq!(scene.told(&format!("Fan {dead}: dead")), 1);
    let turning = scene.fans_on.difference(&scene.fans_dead).count();
    assert_eq!(turning, 5, "another one took its place");
    scene.fans_dead.clear();
    scene.minutes(4);
    assert_eq!(scene.state.fans[&dead].fault, None);
}

#[test]
fn a_welded_relay_is_named() {
    let mut scene = Scene::curtailed();
    scene.fans_welded.insert(4);
    scene.minutes(6);
    assert_eq!(scene.state.fans[&4].fault, Some(FanFault::Welded));
    assert_eq!(scene.told("Fan 4: relay welded"), 1);
}

#[test]
fn too_few_fans_shed_the_miners_once_no_replacement_proved_itself() {
    let mut scene = Scene::running();
    scene.fans_dead = (1..=7).collect();
    scene.pass();
    scene.wait(2 * scene.cfg.fan_rules.prove_within.0 - 1);
    scene.pass();
    assert!(scene.off_reasons().is_empty());
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.off_reasons(), [OffReason::TooFewFans]);
    assert_eq!(scene.phase(), "curtailing");
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1);
}

#[test]
fn a_fan_held_off_runs_all_the_same_when_the_miners_need_it() {
    let mut scene = all_running();
    scene.fans_dead = (1..=6).collect();
    scene.set(Setting::Fan { fan: 9, on: false });
    scene.pass();
    assert!(scene.fans_on.contains(&9), "I2 holds against a person too");
    assert_eq!(scene.told("Fan 9 is held off and runs all the same"), 1);
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
fn a_board_that_cannot_be_read_is_told_on_and_never_off() {
    let mut scene = Scene::curtailed();
    scene.boards_down = true;
    scene.pass();
    assert!(scene.commands.is_empty(), "wanted off, state unknown: nothing is sent");
    scene.set(Setting::Fan { fan: 2, on: true });
    scene.pass();
    assert_eq!(scene.commands, [Command::Fan { fan: 2, on: true }]);
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

#[test]
fn wear_is_shared_out_the_most_worn_fan_rests_first() {
    let mut scene = Scene::running();
    scene.state.fans.get_mut(&6).unwrap().run_time = minectl::units::Seconds(1_000_000);
    scene.intake_c = Some(24.5);
    scene.run();
    scene.run();
    assert!(!scene.fans_on.contains(&6), "{:?}", scene.fans_on);
}

#[test]
fn a_stop_held_back_by_an_interlock_does_not_add_up_with_the_next() {
    let mut scene = Scene::new();
    scene.pass();
    for _ in 0..6 {
        let before = scene.fans_on.len();
        scene.wait(120);
        scene.pass();
        assert!(before - scene.fans_on.len() <= 1, "one fan at a time");
    }
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
fn too_few_fans_shed_although_no_pdu_can_be_read() {
    let mut scene = Scene::running();
    scene.pdus_down = ["spdu-a".to_owned(), "spdu-b".to_owned()].into();
    scene.fans_dead = (1..=9).collect();
    scene.minutes(6);
    assert!(scene.off_reasons().contains(&OffReason::TooFewFans));
}

#[test]
fn a_board_that_stays_dead_fills_no_record_and_keeps_no_run_busy() {
    let mut scene = all_running();
    scene.boards_down = true;
    scene.pass();
    scene.wait(120);
    let before = scene.events.len();
    for _ in 0..50 {
        assert!(!scene.pass(), "no further pass for a command that was sent before");
        scene.wait(120);
    }
    assert!(scene.events.len() - before < 20, "{}", scene.events.len() - before);
}

#[test]
fn fans_that_all_fail_to_start_are_told_on_until_they_do() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    scene.commands_lost = true;
    scene.minutes(40);
    assert!(scene.state.fans.values().all(|fan| fan.fault == Some(FanFault::RelayIgnores)));
    assert!(scene.fans_on.is_empty());
    scene.commands_lost = false;
    scene.minutes(40);
    assert_eq!(scene.phase(), "running", "{}", scene.why("miners"));
}

#[test]
fn all_fans_are_wanted_while_miners_draw_power_though_all_are_faulty() {
    let mut scene = Scene::running();
    scene.fans_dead = (1..=9).collect();
    scene.pdus_ignored = true;
    scene.foreman_ignored = true;
    scene.minutes(10);
    assert!(scene.state.fans.values().all(|fan| fan.fault == Some(FanFault::Dead)));
    assert!(scene.state.fans.values().all(|fan| fan.wanted), "{}", scene.why("fans"));
}
