//! Fans that do not obey: how it is seen, told and coped with, and when a fan is trusted again.

use minectl::model::*;

use crate::fans::{STAGE_2_C, all_running};
use crate::scene::Scene;

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
fn a_dead_fan_stays_dead_until_it_draws_power() {
    let mut scene = all_running();
    scene.fans_dead = [4].into();
    scene.minutes(6);
    assert_eq!(scene.state.fans[&4].fault, Some(FanFault::Dead));
    scene.signal = Some(350.0);
    scene.minutes(40);
    assert!(!scene.fans_on.contains(&4));
    assert_eq!(scene.state.fans[&4].fault, Some(FanFault::Dead), "at rest it looks like any other");
    scene.fans_dead.clear();
    scene.signal = Some(250.0);
    scene.minutes(40);
    assert_eq!(scene.state.fans[&4].fault, None);
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
fn a_welded_relay_stays_welded_until_it_stops_its_fan() {
    let mut scene = all_running();
    scene.signal = Some(350.0);
    scene.fans_welded = [4].into();
    scene.minutes(40);
    assert_eq!(scene.state.fans[&4].fault, Some(FanFault::Welded));
    scene.signal = Some(250.0);
    scene.minutes(40);
    assert_eq!(scene.state.fans[&4].fault, Some(FanFault::Welded), "while it runs it looks like any other");
    scene.fans_welded.clear();
    scene.signal = Some(350.0);
    scene.minutes(40);
    assert_eq!(scene.state.fans[&4].fault, None);
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
fn too_few_fans_shed_although_no_pdu_can_be_read() {
    let mut scene = Scene::running();
    scene.pdus_down = ["spdu-a".to_owned(), "spdu-b".to_owned()].into();
    scene.fans_dead = (1..=9).collect();
    scene.minutes(6);
    assert!(scene.off_reasons().contains(&OffReason::TooFewFans));
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

#[test]
fn with_every_fan_called_faulty_all_are_still_wanted() {
    let mut scene = Scene::running();
    scene.intake_c = Some(0.0);
    scene.minutes(60);
    assert_eq!(scene.fans_on.len(), 3);
    // A meter that says 0 W for everything: each fan that runs is called dead.
    scene.fans_dead = (1..=9).collect();
    scene.intake_c = Some(30.0);
    scene.minutes(10);
    assert_eq!(scene.state.fans.values().filter(|fan| fan.fault.is_some()).count(), 9);
    scene.fans_on.clear();
    scene.minutes(4);
    assert_eq!(scene.fans_on.len(), 9);
}

#[test]
fn a_fan_whose_start_was_lost_and_is_no_longer_wanted_is_not_called_faulty() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    scene.commands_lost = true;
    while scene.commands.is_empty() {
        scene.run();
    }
    scene.signal = Some(350.0);
    scene.commands_lost = false;
    scene.minutes(30);
    assert_eq!(scene.phase(), "curtailed");
    assert!(scene.fans_on.is_empty());
    assert_eq!(scene.state.fans.values().filter(|fan| fan.fault.is_some()).count(), 0);
}

#[test]
fn a_relay_that_obeys_again_is_trusted_again() {
    let mut scene = all_running();
    scene.intake_c = Some(STAGE_2_C);
    scene.commands_lost = true;
    scene.minutes(60);
    assert!(scene.state.fans.values().any(|fan| fan.fault == Some(FanFault::RelayIgnores)));
    scene.commands_lost = false;
    scene.minutes(120);
    assert_eq!(scene.state.fans.values().filter(|fan| fan.fault.is_some()).count(), 0);
    assert_eq!(scene.fans_on.len(), 5);
}
