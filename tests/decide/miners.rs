//! The miners machine on its way off, and while off holds; also the first run and observe mode.

use minectl::model::*;

use crate::scene::Scene;

fn outlets_on(scene: &Scene) -> usize {
    scene.commands.iter().filter(|c| matches!(c, Command::Outlet { on: true, .. })).count()
}

#[test]
fn foreman_puts_the_miners_to_sleep_and_measured_watts_prove_it() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.run();
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(scene.asleep.len(), 40);
    assert!(scene.outlets_off.is_empty(), "no outlet was needed");
    assert_eq!(scene.told("proven off in"), 1);
}

#[test]
fn complete_from_foreman_is_no_proof_and_the_outlets_follow_at_the_limit() {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.signal = Some(350.0);
    scene.pass();
    let limit = scene.cfg.miners.foreman_limit.0;
    scene.wait(limit - 1);
    scene.pass();
    assert!(scene.outlets_off.is_empty());
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.outlets_off.len(), 40);
    scene.pass();
    assert_eq!(scene.phase(), "curtailed");
}

#[test]
fn without_foreman_the_outlets_are_cut_in_the_same_pass() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.pass();
    assert_eq!(scene.outlets_off.len(), 40);
}

#[test]
fn foreman_lost_on_the_way_climbs_at_once() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.pass();
    assert!(scene.outlets_off.is_empty());
    scene.foreman_down = true;
    scene.wait(5);
    scene.pass();
    assert!(!scene.outlets_off.is_empty());
}

#[test]
fn not_proven_by_the_deadline_is_an_emergency_and_before_it_is_not() {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.pdus_ignored = true;
    scene.signal = Some(350.0);
    scene.pass();
    let deadline = scene.cfg.miners.deadline.0;
    scene.wait(deadline - 1);
    scene.pass();
    assert!(scene.told_at(Severity::Emergency).is_empty());
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1);
    assert!(scene.told("NOT proven off") == 1);
}

#[test]
fn a_pdu_that_cannot_be_read_is_never_counted_as_zero() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.pdus_down.insert("spdu-b".to_owned());
    scene.minutes(20);
    assert_eq!(scene.phase(), "fault", "half the miners cannot be seen");
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1);
    scene.pdus_down.clear();
    scene.minutes(2);
    assert_eq!(scene.phase(), "curtailed");
}

#[test]
fn a_miner_that_comes_back_is_put_to_sleep_again() {
    let mut scene = Scene::curtailed();
    scene.asleep.remove(&7);
    scene.asleep.remove(&8);
    scene.minutes(6);
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(scene.asleep.len(), 40);
}

#[test]
fn a_cut_outlet_stays_cut_whoever_switches_it_on() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.minutes(10);
    let outlet = scene.outlets_off.pop_first().unwrap();
    scene.minutes(4);
    assert!(scene.outlets_off.contains(&outlet));
}

#[test]
fn a_call_that_ends_before_it_is_proven_does_not_hang() {
    let mut scene = Scene::running();
    scene.pdus_down.insert("spdu-b".to_owned());
    scene.signal = Some(350.0);
    scene.minutes(10);
    scene.signal = Some(250.0);
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
    assert!(scene.asleep.is_empty());
}

#[test]
fn miners_that_come_back_are_seen_although_another_pdu_cannot_be_read() {
    let mut scene = Scene::curtailed();
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.run();
    scene.asleep = (1..=20).collect();
    scene.foreman_ignored = true;
    scene.pass();
    assert_eq!(scene.phase(), "curtailing", "what is measured is a lower bound");
    scene.minutes(6);
    assert_eq!(scene.outlets_off.iter().filter(|o| o.pdu == "spdu-b").count(), 20);
}

#[test]
fn proof_lost_for_the_deadline_is_an_emergency() {
    let mut scene = Scene::curtailed();
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.minutes(2);
    assert!(scene.told_at(Severity::Emergency).is_empty());
    scene.minutes(10);
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1);
}

#[test]
fn watts_set_by_hand_end_the_emergency_but_stop_no_fan() {
    let mut scene = Scene::running();
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.signal = Some(350.0);
    scene.minutes(4);
    scene.set(Setting::MinerWatts { pdu: "spdu-a".to_owned(), value: minectl::units::Watts::ZERO });
    let fans = scene.fans_on.len();
    scene.minutes(40);
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(scene.fans_on.len(), fans);
}

#[test]
fn a_lost_command_to_an_unreadable_pdu_is_sent_again() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.pdus_down.insert("spdu-b".to_owned());
    scene.signal = Some(350.0);
    scene.pass();
    let to_b = |scene: &Scene| {
        scene.commands.iter().filter(|c| matches!(c, Command::Outlet { outlet, .. } if outlet.pdu == "spdu-b")).count()
    };
    assert_eq!(to_b(&scene), 20);
    scene.wait(30);
    scene.pass();
    assert_eq!(to_b(&scene), 0, "at a measured pace");
    scene.wait(31);
    scene.pass();
    assert_eq!(to_b(&scene), 20);
}

#[test]
fn a_pdu_that_repeats_an_old_reading_is_not_believed_to_be_off() {
    let mut scene = Scene::curtailed();
    scene.pdus_frozen = scene.cfg.pdus.iter().enumerate().map(|(at, pdu)| (pdu.name.clone(), scene.pdu(at))).collect();
    scene.asleep.clear();
    scene.foreman_ignored = true;
    scene.minutes(12);
    assert_eq!(scene.outlets_off.len(), 40, "cut although the frozen readings say 25 W");
}

#[test]
fn boot_adopts_a_mine_that_is_off_and_starts_nothing_by_itself() {
    let mut scene = Scene::new();
    scene.asleep = (1..=40).collect();
    scene.signal = Some(350.0);
    scene.minutes(10);
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(outlets_on(&scene), 0);
}

#[test]
fn after_a_lost_state_every_miner_is_woken_once_the_call_is_over() {
    let mut scene = Scene::curtailed();
    scene.state = SiteState::boot(scene.now);
    scene.minutes(4);
    assert_eq!(scene.phase(), "curtailed", "adopted by watts");
    scene.signal = Some(250.0);
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
    assert!(scene.asleep.is_empty());
}

#[test]
fn observe_mode_commands_nothing_and_remembers_no_command() {
    let mut scene = Scene::running();
    scene.cfg.mode = minectl::config::Mode::Observe;
    scene.signal = Some(350.0);
    scene.pass();
    assert!(!scene.commands.is_empty(), "the plan shows what would be sent");
    assert!(scene.state.miners.asked.is_empty());
    assert!(scene.events.iter().any(|event| event.text.contains("mode = observe")));
}

#[test]
fn observe_mode_tells_a_plan_once_and_sends_no_emergency_for_what_it_did_not_do() {
    let mut scene = Scene::running();
    scene.cfg.mode = minectl::config::Mode::Observe;
    scene.signal = Some(350.0);
    for _ in 0..5 {
        assert!(!scene.pass(), "nothing is sent, so there is nothing to look at again");
        scene.wait(120);
    }
    let told = scene.events.iter().filter(|event| event.text.contains("not sent")).count();
    assert!(told <= 4, "{told}");
    assert!(scene.told_at(Severity::Emergency).is_empty());
    assert!(scene.told("mode = observe: nothing was sent") >= 1);
}
