//! Clocks that jump, boots, missed and doubled runs.

use minectl::model::*;
use minectl::units::*;

use crate::scene::Scene;

#[test]
fn a_missed_hour_is_told_and_the_rest_of_the_call_goes_on() {
    let mut scene = Scene::running();
    scene.wait(3600);
    scene.signal = Some(350.0);
    scene.run();
    assert_eq!(scene.told("Runs were missed"), 1);
    assert_eq!(scene.phase(), "curtailed");
}

#[test]
fn a_run_right_after_another_is_told_and_does_no_harm() {
    let mut scene = Scene::running();
    let (events, _) = minectl::decide::begin_run(&scene.cfg, &mut scene.state, &scene.now);
    assert!(events.is_empty(), "one interval later is as it should be");
    let (events, notices) = minectl::decide::begin_run(&scene.cfg, &mut scene.state, &scene.now);
    assert_eq!((events.len(), notices.len()), (1, 1));
    scene.pass();
    assert!(scene.commands.is_empty());
}

#[test]
fn a_clock_that_jumps_does_not_shorten_the_time_off() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.minutes(4);
    scene.signal = Some(250.0);
    for jump in [3 * 3600, -6 * 3600] {
        scene.now.wall = UnixSeconds(scene.now.wall.0 + jump);
        scene.pass();
        assert_eq!(scene.phase(), "curtailed");
        assert!(scene.why("miners").contains("resume waits") || scene.why("miners").contains("curtailed"));
        assert!(scene.asleep.len() == 40, "nothing was started");
    }
}

#[test]
fn a_reboot_with_the_clock_hours_behind_starts_no_miner_and_stops_no_fan() {
    for before in [Scene::running as fn() -> Scene, Scene::curtailed] {
        let mut scene = before();
        let (fans, asleep) = (scene.fans_on.clone(), scene.asleep.clone());
        scene.now = Moment { wall: UnixSeconds(scene.now.wall.0 - 3 * 3600), boot: BootId(2), up: Seconds(30) };
        scene.run();
        assert_eq!(scene.asleep, asleep);
        assert!(scene.fans_on.is_superset(&fans));
        assert_eq!(scene.told("restarted"), 1);
        scene.now.wall = UnixSeconds(scene.now.wall.0 + 3 * 3600);
        scene.run();
        assert_eq!(scene.asleep, asleep, "the jump forward starts nothing either");
    }
}

#[test]
fn the_same_arguments_give_the_same_decision() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.fans_dead.insert(2);
    let snapshot = scene.snapshot();
    let decide = || minectl::decide::decide(&scene.cfg, &scene.state, &snapshot, &[], &scene.now);
    assert_eq!(decide(), decide());
}

#[test]
fn boot_waits_for_every_input_and_changes_nothing_until_then() {
    let mut scene = Scene::new();
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.intake_c = Some(0.0);
    scene.minutes(30);
    assert_eq!(scene.phase(), "boot");
    assert_eq!(scene.fans_on.len(), 9, "no fan stops in boot");
    assert_eq!(scene.asleep.len(), 0);
    scene.pdus_down.clear();
    scene.run();
    assert_eq!(scene.phase(), "running");
}

#[test]
fn boot_still_curtails_when_the_signal_says_so() {
    let mut scene = Scene::new();
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.intake_c = None;
    scene.signal = Some(350.0);
    scene.pass();
    assert_eq!(scene.phase(), "curtailing");
    assert!(!scene.commands.is_empty());
}

#[test]
fn an_override_ends_by_the_boot_clock_whatever_the_wall_clock_does() {
    let mut scene = Scene::running();
    scene.set(Setting::Fan { fan: 1, on: true });
    scene.now.wall = UnixSeconds(scene.now.wall.0 + 7200);
    scene.pass();
    assert_eq!(scene.overrides.len(), 1, "the wall clock jumped; no hour has passed");
    scene.wait(3600);
    scene.pass();
    assert!(scene.overrides.is_empty());
}

#[test]
fn outlets_that_were_cut_before_the_state_was_lost_come_back_after_the_call() {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.signal = Some(350.0);
    scene.minutes(10);
    assert_eq!(scene.outlets_off.len(), 40);
    scene.state = SiteState::boot(scene.now);
    scene.minutes(10);
    scene.foreman_ignored = false;
    scene.signal = Some(250.0);
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
    assert!(scene.outlets_off.is_empty(), "{} outlets stay off for ever", scene.outlets_off.len());
    assert!(scene.asleep.is_empty());
}

#[test]
fn an_outlet_that_is_off_in_a_running_mine_is_left_off_by_a_first_run() {
    let mut scene = Scene::new();
    let outlet = OutletRef { pdu: "spdu-a".to_owned(), outlet: "7".to_owned() };
    scene.outlets_off.insert(outlet.clone());
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
    assert!(scene.outlets_off.contains(&outlet), "somebody had a reason");
}
