//! The way back: fans, groups, outlets, modes.

use minectl::model::*;
use minectl::units::Watts;

use crate::scene::{MINER_WATTS, Scene, config};

#[test]
fn resume_waits_for_its_times_and_its_fans_and_then_goes_in_groups() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    let mut groups = Vec::new();
    for _ in 0..60 {
        scene.pass();
        scene.wait(30);
        if let MinersPhase::Resuming { group, .. } = scene.state.miners.phase {
            assert!(scene.fans_on.len() >= 5, "fans first");
            if groups.last() != Some(&group) {
                groups.push(group);
            }
        }
        if scene.phase() == "running" {
            break;
        }
    }
    assert_eq!(groups, [1, 2, 3, 4]);
    assert_eq!(scene.phase(), "running");
    assert!(scene.asleep.is_empty());
    assert!((scene.watts() - 40.0 * MINER_WATTS).abs() < 1.0);
}

#[test]
fn cut_outlets_come_back_with_the_resume_and_only_those() {
    let mut scene = Scene::running();
    let broken = OutletRef { pdu: "spdu-a".to_owned(), outlet: "20".to_owned() };
    scene.outlets_off.insert(broken.clone());
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.minutes(20);
    scene.foreman_down = false;
    scene.signal = Some(250.0);
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
    assert_eq!(scene.outlets_off.iter().collect::<Vec<_>>(), [&broken], "an outlet that we did not cut is not ours");
    assert!(scene.state.miners.cut.is_empty());
}

#[test]
fn curtail_in_the_middle_of_a_resume_wins_at_once() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    for _ in 0..60 {
        scene.pass();
        scene.wait(10);
        if scene.phase() == "resuming" && scene.asleep.len() < 40 {
            break;
        }
    }
    scene.signal = Some(350.0);
    scene.pass();
    assert_eq!(scene.phase(), "curtailing");
    assert!(!scene.starts_a_miner());
    scene.minutes(4);
    assert_eq!(scene.phase(), "curtailed");
}

#[test]
fn a_group_that_does_not_return_is_told_and_does_not_stop_the_others() {
    let mut scene = Scene::curtailed();
    scene.foreman_ignored = true;
    scene.signal = Some(250.0);
    scene.minutes(60);
    assert_eq!(scene.told("did not come back"), 4);
    assert_eq!(scene.phase(), "running");
}

#[test]
fn the_previous_mode_comes_back_when_foreman_told_it() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    let mut snapshot = scene.snapshot();
    if let Ok(foreman) = &mut snapshot.foreman {
        foreman.miners[3].mode = Some(PowerMode::High);
    }
    let decision = minectl::decide::decide(&scene.cfg, &scene.state, &snapshot, &[], &scene.now);
    let miner = scene.snapshot().foreman.unwrap().miners[3].id;
    assert_eq!(decision.next.miners.asked[&miner].before, PowerMode::High);
}

#[test]
fn an_outlet_that_does_not_come_back_holds_up_no_other_miner_and_is_named() {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.signal = Some(350.0);
    scene.minutes(10);
    scene.foreman_ignored = false;
    scene.asleep = (1..=40).collect();
    let stuck = scene.outlets_off.first().unwrap().clone();
    scene.signal = Some(250.0);
    scene.quirks.outlets_stuck.insert(stuck.clone());
    scene.minutes(120);
    assert_eq!(scene.phase(), "running");
    assert!(scene.asleep.is_empty(), "{:?}", scene.asleep);
    assert!(scene.told(&format!("still off ({stuck})")) >= 1);
    let told = scene.events.iter().filter(|e| e.kind == EventKind::Command && e.subject == stuck.pdu).count();
    assert!(told < 40, "not at each pass: {told}");
}

#[test]
fn in_the_cold_miners_left_off_get_their_fans_and_start() {
    let mut scene = Scene::curtailed();
    scene.intake_c = Some(0.0);
    scene.foreman_down = true;
    scene.signal = Some(250.0);
    scene.minutes(90);
    assert_eq!(scene.phase(), "running");
    assert_eq!(scene.asleep.len(), 40);
    scene.foreman_down = false;
    scene.minutes(20);
    assert!(scene.asleep.is_empty());
}

#[test]
fn a_wake_that_was_never_sent_is_sent_again_although_few_fans_are_needed() {
    let mut scene = Scene::curtailed();
    scene.intake_c = Some(10.0);
    scene.signal = Some(250.0);
    while scene.phase() != "resuming" || scene.asleep.len() > 10 {
        scene.pass();
        scene.wait(20);
    }
    // From here on no command arrives, until every group's time is over.
    scene.commands_lost = true;
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
    assert!(!scene.asleep.is_empty());
    assert_eq!(scene.told("miners still asleep"), 1);
    scene.commands_lost = false;
    scene.minutes(60);
    assert!(scene.asleep.is_empty(), "{:?}", scene.asleep);
}

#[test]
fn before_a_resume_as_many_fans_start_as_the_first_group_needs() {
    let mut cfg = config();
    cfg.miners.resume_groups = 1;
    for row in &mut cfg.fan_rules.capacity {
        row.each = Watts::new(20_000.0).unwrap(); // 134 kW need 7 of the 9 fans, before_resume asks for 5
    }
    let mut scene = Scene::with(cfg);
    scene.minutes(10);
    scene.signal = Some(350.0);
    scene.minutes(40);
    scene.signal = Some(250.0);
    scene.minutes(120);
    assert_eq!(scene.phase(), "running", "{}", scene.why("miners"));
}

#[test]
fn outlets_that_were_told_on_a_moment_ago_are_told_off_at_once_although_their_pdu_cannot_be_read() {
    let mut cfg = config();
    cfg.miners.resume_groups = 1;
    let mut scene = Scene::with(cfg);
    scene.minutes(10);
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.minutes(20);
    scene.signal = Some(250.0);
    while !scene.outlets_off.is_empty() {
        scene.wait(20);
        scene.pass();
    }
    scene.pdus_down.extend(["spdu-a".to_owned(), "spdu-b".to_owned()]);
    scene.signal = Some(350.0);
    scene.wait(20);
    scene.pass();
    assert!(
        scene.commands.iter().any(|command| matches!(command, Command::Outlet { on: false, .. })),
        "{:?}",
        scene.commands
    );
}

#[test]
fn miners_that_were_only_taken_for_asleep_are_told_at_once_when_a_call_breaks_the_resume_off() {
    let mut scene = Scene::curtailed();
    scene.state = SiteState::boot(scene.now);
    scene.signal = Some(250.0);
    while scene.phase() != "resuming" {
        scene.wait(20);
        scene.pass();
    }
    // Awake by themselves, or never asleep: Foreman's list says nothing of it.
    scene.asleep.clear();
    scene.outlets_off.clear();
    scene.signal = Some(350.0);
    for _ in 0..2 {
        scene.wait(1);
        scene.pass();
    }
    assert_eq!(scene.asleep.len(), 40, "{:?}", scene.commands);
}
