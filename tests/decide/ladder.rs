//! What proves the miners off, and who is left behind.

use minectl::model::*;
use minectl::units::Watts;

use crate::scene::{MINER_WATTS, Scene};

#[test]
fn one_pdu_that_does_not_fall_to_its_share_is_no_proof_although_the_sum_is_low() {
    // 20 miners of 3.35 kW on each PDU; off below 20 kW in all would let five of one PDU run on.
    let mut scene = Scene::running();
    scene.cfg.miners.off_below = Watts::new(20_000.0).unwrap();
    let baseline = scene.state.miners.baselines["spdu-a"].value();
    assert!((baseline - 20.0 * MINER_WATTS).abs() < 1.0, "{baseline}");
    scene.signal = Some(350.0);
    scene.asleep = (1..=35).collect();
    scene.foreman_ignored = true;
    scene.pass();
    // Five of twenty and fifteen asleep: 26 % of what it draws when all run.
    assert_eq!(scene.phase(), "curtailing");
    assert!(scene.why("miners").contains("not proven: spdu-b draws"), "{}", scene.why("miners"));
    scene.asleep.insert(36);
    scene.pass();
    assert_eq!(scene.phase(), "curtailed", "four of twenty: 21 %");
}

#[test]
fn a_miner_that_runs_on_after_the_proof_has_its_outlet_cut_after_its_time() {
    let mut scene = Scene::running();
    scene.cfg.miners.off_below = Watts::new(5000.0).unwrap();
    scene.signal = Some(350.0);
    scene.asleep = (1..=39).collect();
    scene.foreman_ignored = true;
    scene.pass();
    scene.pass();
    assert_eq!(scene.phase(), "curtailed", "one miner is below `off_below`");
    scene.wait(scene.cfg.miners.sweep_after.0 - 1);
    scene.pass();
    assert!(scene.outlets_off.is_empty());
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.outlets_off.iter().map(ToString::to_string).collect::<Vec<_>>(), ["spdu-b outlet 20"]);
}

#[test]
fn sleeping_miners_that_draw_a_little_are_left_alone() {
    let mut scene = Scene::curtailed();
    scene.minutes(30);
    assert!(scene.outlets_off.is_empty());
    assert_eq!(scene.asleep.len(), 40);
}

#[test]
fn the_baseline_is_not_learnt_while_some_are_off() {
    let mut scene = Scene::running();
    let before = scene.state.miners.baselines.clone();
    scene.signal = Some(350.0);
    scene.minutes(30);
    scene.signal = Some(250.0);
    scene.minutes(40);
    assert_eq!(scene.phase(), "running");
    let after = &scene.state.miners.baselines;
    assert!(before.iter().all(|(pdu, watts)| (after[pdu].value() - watts.value()).abs() < 1.0), "{after:?}");
}

#[test]
fn a_baseline_rises_with_two_readings_in_a_row_and_falls_slowly() {
    let mut scene = Scene::running();
    let full = scene.state.miners.baselines["spdu-a"].value();
    scene.asleep = (1..=10).collect();
    scene.minutes(2);
    let fallen = scene.state.miners.baselines["spdu-a"].value();
    assert!(fallen < full && fallen > full * 0.95, "{fallen} of {full}");
    scene.asleep.clear();
    scene.pass();
    assert!(scene.state.miners.baselines["spdu-a"].value() < fallen);
    scene.wait(20);
    scene.pass();
    assert!((scene.state.miners.baselines["spdu-a"].value() - full).abs() < 1.0);
}

#[test]
fn the_miners_are_in_fault_from_the_deadline_on_and_not_before() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.foreman_ignored = true;
    scene.pdus_ignored = true;
    scene.pass();
    assert_eq!(scene.around_the_deadline(), ["curtailing", "fault"]);
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1);
    // Every rung stays in force: what obeys at last is enough.
    scene.pdus_ignored = false;
    scene.minutes(4);
    assert_eq!(scene.phase(), "curtailed");
}

#[test]
fn a_resume_that_is_broken_off_is_a_call_of_its_own() {
    let mut scene = Scene::curtailed();
    let first = scene.state.call.clone().unwrap();
    scene.signal = Some(250.0);
    while scene.phase() != "resuming" {
        scene.run();
    }
    scene.signal = Some(350.0);
    scene.pass();
    let second = scene.state.call.clone().unwrap();
    assert!(second.seen.since(&first.seen).0 > 0 && second.proven.is_none());
}

#[test]
fn near_the_threshold_the_signal_is_read_again_within_the_run() {
    let mut scene = Scene::running();
    for (value, again) in [(304.9, false), (305.0, true), (309.9, true), (250.0, false)] {
        scene.signal = Some(value);
        assert_eq!(scene.pass(), again, "{value}");
    }
    scene.cfg.signal.reread_near = 0.0;
    scene.signal = Some(309.9);
    assert!(!scene.pass());
}

#[test]
fn a_pdu_that_reads_nothing_with_its_outlets_on_proves_nothing_until_they_are_off() {
    let mut scene = Scene::running();
    scene.quirks.meters_dead.insert("spdu-b".to_owned());
    scene.asleep = (1..=20).collect();
    scene.foreman_ignored = true;
    scene.signal = Some(350.0);
    for _ in 0..4 {
        scene.pass();
        assert_ne!(scene.phase(), "curtailed", "{}", scene.why("miners"));
        scene.wait(50);
    }
    assert!(scene.why("miners").contains("its meter may be dead"), "{}", scene.why("miners"));
    scene.minutes(6);
    assert_eq!(scene.phase(), "curtailed", "{}", scene.why("miners"));
    assert_eq!(scene.outlets_off.iter().filter(|outlet| outlet.pdu == "spdu-b").count(), 20);
    let told = scene.told_at(Severity::Warning).iter().filter(|text| text.contains("its meter may be dead")).count();
    assert_eq!(told, 1);
}

#[test]
fn no_fan_stops_on_the_word_of_a_dead_meter() {
    let mut scene = Scene::running();
    scene.quirks.meters_dead = ["spdu-a".to_owned(), "spdu-b".to_owned()].into();
    scene.foreman_ignored = true;
    scene.pdus_ignored = true;
    scene.signal = Some(350.0);
    scene.minutes(40);
    assert_eq!(scene.phase(), "fault");
    assert!(scene.fans_on.len() >= 5, "{:?}", scene.fans_on);
}

#[test]
fn a_call_that_was_not_proven_goes_on_at_the_rung_it_had() {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.pdus_ignored = true;
    scene.signal = Some(350.0);
    scene.pass();
    scene.wait(scene.cfg.miners.foreman_limit.0);
    scene.pass();
    assert!(scene.why("miners").contains("PDU outlets"), "{}", scene.why("miners"));
    scene.state.miners.phase = MinersPhase::Curtailed { since: scene.now };
    scene.pass();
    assert!(scene.why("miners").contains("PDU outlets"), "{}", scene.why("miners"));
}

#[test]
fn the_sum_of_no_watts_is_shown_without_a_sign() {
    assert_eq!(Watts::sum([]).to_string(), "0 W");
}

#[test]
fn a_cut_outlet_that_was_never_told_is_told_before_those_that_stick() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.minutes(20);
    assert_eq!(scene.phase(), "curtailed");
    for pdu in &mut scene.cfg.pdus {
        pdu.batch = 1;
    }
    // Two outlets of one PDU are on again: one was told a while ago and sticks, of the other nothing is known.
    let (stuck, other) = (scene.outlet_of(1), scene.outlet_of(2));
    scene.quirks.outlets_stuck.insert(stuck.clone());
    assert_eq!(stuck.pdu, other.pdu);
    scene.outlets_off.remove(&stuck);
    scene.outlets_off.remove(&other);
    // Their miners sleep: all are still proven off.
    scene.asleep.extend([1, 2]);
    scene.state.miners.outlets_told.remove(&other.to_string());
    scene.pass();
    assert!(scene.commands.contains(&Command::Outlet { outlet: other, on: false }), "{:?}", scene.commands);
}
