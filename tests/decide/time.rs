//! Clocks that jump, boots, missed and doubled runs.

use minectl::model::*;
use minectl::units::*;

use crate::scene::Scene;

const PHASES: [&str; 6] = ["boot", "running", "curtailing", "fault", "curtailed", "resuming"];

/// A mine in the middle of a phase.
fn in_phase(phase: &str) -> Scene {
    let mut scene = match phase {
        "boot" => Scene::new(),
        "running" | "curtailing" | "fault" => Scene::running(),
        _ => Scene::curtailed(),
    };
    match phase {
        "boot" => scene.pdus_down.extend(["spdu-a".to_owned(), "spdu-b".to_owned()]),
        "curtailing" | "fault" => {
            scene.signal = Some(350.0);
            (scene.foreman_ignored, scene.pdus_ignored) = (true, true);
            let passes = if phase == "fault" { 40 } else { 2 };
            (0..passes).for_each(|_| pass_and_wait(&mut scene));
        }
        "resuming" => {
            scene.signal = Some(250.0);
            // No miner wakes: only time takes it from group to group.
            scene.foreman_ignored = true;
            (0..200).for_each(|_| {
                if scene.phase() != "resuming" {
                    pass_and_wait(&mut scene);
                }
            });
        }
        _ => {}
    }
    scene.pass();
    assert_eq!(scene.phase(), phase);
    scene
}

fn pass_and_wait(scene: &mut Scene) {
    scene.pass();
    scene.wait(20);
}

/// The machine is down for a minute; its clock is right.
fn reboot(scene: &mut Scene) {
    let wall = scene.now.wall.plus(Seconds(60));
    scene.now = Moment { wall, boot: BootId(scene.now.boot.0 + 1), up: Seconds(20) };
}

fn group(scene: &Scene) -> u32 {
    if let MinersPhase::Resuming { group, .. } = scene.state.miners.phase { group } else { 0 }
}

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
    scene.minutes(6);
    assert!(scene.off_reasons().is_empty());
    for jump in [3 * 3600, -6 * 3600] {
        scene.now.wall = UnixSeconds(scene.now.wall.0 + jump);
        scene.pass();
        assert_eq!(scene.phase(), "curtailed");
        assert!(scene.why("miners").starts_with("resume waits: off for at least"), "{}", scene.why("miners"));
        assert_eq!(scene.asleep.len(), 40, "nothing was started");
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
    scene.pdus_down.extend(["spdu-a".to_owned(), "spdu-b".to_owned()]);
    scene.intake_c = Some(0.0);
    scene.minutes(14);
    assert_eq!(scene.phase(), "boot");
    assert_eq!(scene.fans_on.len(), 9, "no fan stops in boot");
    assert_eq!(scene.asleep.len(), 0);
    scene.pdus_down.clear();
    scene.run();
    assert_eq!(scene.phase(), "running");
}

#[test]
fn boot_does_not_wait_for_a_pdu_when_the_others_show_that_the_miners_run() {
    let mut scene = Scene::new();
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.pass();
    assert_eq!(scene.phase(), "running");
}

#[test]
fn a_mine_that_is_off_with_an_unread_pdu_is_told_and_comes_back_after_a_while() {
    let mut scene = Scene::curtailed();
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.signal = Some(250.0);
    scene.state = SiteState::boot(scene.now);
    scene.minutes(14);
    assert_eq!((scene.phase(), scene.asleep.len()), ("boot", 40));
    scene.minutes(60);
    assert_eq!((scene.phase(), scene.asleep.len()), ("running", 0));
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

#[test]
fn a_boot_in_the_middle_of_any_phase_goes_on_where_it_was() {
    for phase in PHASES {
        let mut scene = in_phase(phase);
        let group = group(&scene);
        reboot(&mut scene);
        scene.pass();
        assert_eq!(scene.phase(), phase, "the pass after it");
        assert!(!scene.stops_a_fan(), "{phase}");
        assert_eq!(self::group(&scene), group, "no group is skipped");
        assert!(!scene.starts_a_miner(), "{phase}: {:?}", scene.commands);
        (scene.foreman_ignored, scene.pdus_ignored) = (false, false);
        scene.pdus_down.clear();
        scene.minutes(90);
        let end = if ["curtailing", "fault", "curtailed"].contains(&phase) { "curtailed" } else { "running" };
        assert_eq!(scene.phase(), end, "from {phase}");
    }
}

#[test]
fn an_hour_without_a_run_in_any_phase_skips_no_step() {
    for phase in PHASES {
        let mut scene = in_phase(phase);
        let (group, fans, asleep) = (group(&scene), scene.fans_on.len(), scene.asleep.len());
        scene.wait(3600);
        scene.pass();
        match phase {
            // It has waited long enough for the PDUs; nothing is switched all the same.
            "boot" => assert_eq!((scene.phase(), scene.asleep.len()), ("curtailed", 0)),
            "running" => assert_eq!((scene.phase(), scene.asleep.len()), (phase, 0)),
            "curtailing" | "fault" => {
                assert_eq!(scene.phase(), "fault", "the deadline is long past");
                assert!(!scene.told_at(Severity::Emergency).is_empty());
                assert!(scene.commands.iter().any(|c| matches!(c, Command::Outlet { on: false, .. })));
                assert_eq!(scene.fans_on.len(), fans);
            }
            "curtailed" => assert_eq!((scene.phase(), scene.asleep.len()), ("curtailed", asleep)),
            _ => {
                assert_eq!(self::group(&scene), group + 1, "one group more, not all that the time allows");
                assert_eq!(scene.phase(), "resuming");
            }
        }
    }
}

#[test]
fn an_hour_without_a_run_before_a_call_delays_no_command() {
    let mut scene = Scene::running();
    scene.wait(3600);
    scene.signal = Some(350.0);
    scene.pass();
    assert_eq!(scene.asleep.len(), 20, "a whole batch in the first pass");
}

#[test]
fn two_passes_in_the_same_second_do_nothing_twice() {
    for phase in PHASES {
        let mut scene = in_phase(phase);
        let first: Vec<Command> = scene.commands.clone();
        let (group, fans) = (group(&scene), scene.state.fans.clone());
        scene.pass();
        assert_eq!((scene.phase(), self::group(&scene)), (phase, group));
        let asked_again = scene.commands.iter().find(|c| matches!(c, Command::Miner { .. }) && first.contains(c));
        assert_eq!(asked_again, None, "{phase}");
        let switchings = |fans: &std::collections::BTreeMap<u8, FanState>| -> Vec<usize> {
            fans.values().map(|fan| fan.switchings.len()).collect()
        };
        assert_eq!(switchings(&scene.state.fans), switchings(&fans), "{phase}");
    }
}

#[test]
fn a_clock_that_is_behind_at_boot_and_set_right_shortens_no_time() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.minutes(2);
    assert_eq!(scene.phase(), "curtailed");
    scene.now = Moment { wall: UnixSeconds(scene.now.wall.0 - 3 * 3600), boot: BootId(2), up: Seconds(30) };
    scene.signal = Some(250.0);
    scene.minutes(4);
    assert_eq!(scene.phase(), "curtailed", "{}", scene.why("miners"));
    scene.now.wall = UnixSeconds(scene.now.wall.0 + 3 * 3600);
    scene.pass();
    assert_eq!(scene.phase(), "curtailed");
    assert!(scene.why("miners").starts_with("resume waits: off for at least"), "{}", scene.why("miners"));
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
}

#[test]
fn a_clock_set_back_in_the_middle_of_a_call_makes_nothing_late_or_early() {
    let story = |back: i64| {
        let mut scene = Scene::running();
        scene.signal = Some(350.0);
        scene.minutes(6);
        scene.now.wall = UnixSeconds(scene.now.wall.0 - back);
        follow(&mut scene)
    };
    assert_eq!(story(0), story(5 * 3600));
}

/// What happens from here on, run by run: ten minutes as it is, then the page says run.
fn follow(scene: &mut Scene) -> Vec<(String, usize, usize, Vec<String>)> {
    let mut seen = Vec::new();
    for run in 0..45 {
        if run == 5 {
            scene.signal = Some(250.0);
        }
        let told = scene.notices.len();
        scene.run();
        let texts = scene.notices[told..].iter().map(|notice| notice.text.clone()).collect();
        seen.push((scene.phase().to_owned(), scene.asleep.len(), scene.fans_on.len(), texts));
    }
    assert_eq!(scene.phase(), "running");
    seen
}

#[test]
fn daylight_saving_time_changes_nothing() {
    // America/Chicago: an ordinary day, the hour that is skipped (2027-03-14 08:00 UTC), the hour that comes twice
    // (2026-11-01 07:00 UTC); each in the middle of the call, and in the middle of the resume.
    let story = |change: i64, before: i64| {
        let mut scene = Scene::new();
        scene.now.wall = UnixSeconds(change - before - 600);
        scene.minutes(10);
        scene.signal = Some(350.0);
        scene.run();
        assert_eq!(scene.phase(), "curtailed");
        follow(&mut scene)
    };
    let ordinary = story(1_790_000_000, 0);
    let resumed = ordinary.iter().position(|(phase, ..)| phase == "resuming").unwrap() as i64 * 120 + 60;
    for change in [1_805_011_200, 1_793_516_400] {
        assert_eq!(story(change, 300), ordinary, "in the call");
        assert_eq!(story(change, resumed), ordinary, "in the resume");
    }
}

#[test]
fn after_a_boot_no_fan_stops_before_the_run_on_has_passed_again() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    while scene.phase() != "curtailed" {
        pass_and_wait(&mut scene);
    }
    // Down for two hours, and nobody was there to see what the room did.
    let run_on = scene.cfg.fan_rules.run_on;
    scene.now = Moment { wall: scene.now.wall.plus(Seconds(7200)), boot: BootId(2), up: Seconds(20) };
    let fans = scene.fans_on.len();
    while scene.now.up < run_on {
        scene.pass();
        assert_eq!(scene.fans_on.len(), fans);
        scene.wait(20);
    }
    scene.minutes(30);
    assert!(scene.fans_on.is_empty());
}
