//! Raw state by hand: written once, and what the rules and the interlocks make of it.

use minectl::model::*;
use minectl::units::{Seconds, UnixSeconds};

use crate::scene::Scene;

fn miners(phase: WrittenPhase) -> Setting {
    Setting::State(WrittenState::Miners(phase))
}

fn signal(level: Level) -> Setting {
    Setting::State(WrittenState::Signal(level))
}

fn written(scene: &Scene, subject: &str) -> Vec<String> {
    let by_hand = |e: &&Event| e.subject == subject && e.text.contains("written by hand");
    scene.events.iter().filter(by_hand).map(|e| e.text.clone()).collect()
}

#[test]
fn a_state_is_written_once_with_an_event_and_written_again_when_it_is_set_again() {
    let mut scene = Scene::curtailed();
    scene.set(signal(Level::Blind));
    scene.run();
    scene.run();
    assert_eq!(written(&scene, "signal"), ["curtail → blind: written by hand; set by test: test"]);
    assert_eq!(scene.state.signal.level, Level::Curtail, "the page has its say from then on");
    scene.set(signal(Level::Blind));
    scene.run();
    assert_eq!(written(&scene, "signal").len(), 2);
}

#[test]
fn a_clock_that_is_set_right_writes_nothing_a_second_time() {
    for by in [3 * 3600, -3 * 3600] {
        let mut scene = Scene::curtailed();
        scene.set(signal(Level::Blind));
        scene.run();
        scene.wait(120);
        scene.now.wall = UnixSeconds(scene.now.wall.0 + by);
        scene.run();
        let moved = scene.events.iter().filter(|e| e.text.contains("the wall clock was moved")).count();
        assert_eq!((moved, written(&scene, "signal").len()), (1, 1), "{by}");
    }
}

#[test]
fn a_written_state_is_shown_until_its_override_ends_and_its_end_is_an_event() {
    let mut scene = Scene::running();
    scene.set(Setting::State(WrittenState::FanStage(4)));
    scene.run();
    assert!(scene.why("override").starts_with("state fan-stage = 4 for another"), "{}", scene.why("override"));
    assert_eq!(scene.state.written.keys().collect::<Vec<_>>(), ["state fan-stage"]);
    scene.wait(3600);
    scene.run();
    let ended = scene.events.iter().filter(|e| e.subject == "state fan-stage" && e.text.contains("override ended"));
    assert_eq!(ended.count(), 1);
    assert!(scene.state.written.is_empty());
}

#[test]
fn nothing_is_written_over_a_lost_state() {
    let mut scene = Scene::curtailed();
    scene.set(miners(WrittenPhase::Running));
    scene.state = SiteState::boot(scene.now);
    scene.minutes(4);
    assert!(written(&scene, "miners").is_empty());
    assert!(scene.events.iter().any(|e| e.subject == "state miners" && e.text.contains("not written")));
    assert_eq!(scene.phase(), "curtailed");
}

#[test]
fn signal_run_written_during_a_call_holds_for_no_pass() {
    let mut scene = Scene::curtailed();
    scene.set(signal(Level::Run));
    scene.pass();
    assert_eq!((scene.state.signal.level, scene.starts_a_miner()), (Level::Curtail, false));
    assert_eq!(scene.off_reasons(), [OffReason::Curtail]);
}

#[test]
fn signal_run_written_takes_the_place_of_the_readings_that_a_resume_needs() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail);
    scene.set(signal(Level::Run));
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Run);
}

#[test]
fn signal_run_written_between_the_thresholds_is_nothing_to_hold_to() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(305.0);
    scene.set(signal(Level::Run));
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail);
}

#[test]
fn signal_curtail_written_switches_off_until_the_page_has_said_run_often_enough() {
    let mut scene = Scene::running();
    scene.set(signal(Level::Curtail));
    scene.pass();
    assert_eq!((scene.phase(), scene.off_reasons()), ("curtailing", vec![OffReason::Curtail]));
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Run, "three readings");
}

#[test]
fn climate_shedding_written_stays_only_above_the_temperature_to_resume_at() {
    let shed = Setting::State(WrittenState::Climate { shedding: true });
    let mut scene = Scene::running();
    scene.cfg.climate.shed_rise_k = f64::MAX;
    scene.set(shed.clone());
    scene.pass();
    assert!(scene.off_reasons().is_empty(), "20 °C is cool");
    let (resume, shed_above) = (scene.cfg.climate.resume_below.value(), scene.cfg.climate.shed_above.value());
    scene.intake_c = Some(f64::midpoint(resume, shed_above));
    scene.wait(5);
    scene.set(shed);
    scene.pass();
    assert_eq!(scene.off_reasons(), [OffReason::TooHot]);
    scene.set(Setting::State(WrittenState::Climate { shedding: false }));
    scene.wait(5);
    scene.overrides[0].since = scene.now;
    scene.pass();
    assert!(scene.off_reasons().is_empty());
    scene.intake_c = Some(shed_above);
    scene.wait(5);
    scene.overrides[0].since = scene.now;
    scene.pass();
    assert_eq!(scene.off_reasons(), [OffReason::TooHot], "heat is measured, not written");
}

#[test]
fn miners_curtailed_written_on_a_running_mine_stops_no_fan_and_proves_nothing() {
    let mut scene = Scene::running();
    scene.set(miners(WrittenPhase::Curtailed));
    scene.pass();
    assert_eq!(scene.phase(), "running", "they draw power: {}", scene.why("miners"));
    assert_eq!(scene.state.miners.proven_off, None);
    assert!(!scene.stops_a_fan());
    // The same where no PDU can be read, and nothing shows that they draw.
    scene.pdus_down = scene.cfg.pdus.iter().map(|pdu| pdu.name.clone()).collect();
    scene.pass();
    scene.wait(5);
    scene.set(miners(WrittenPhase::Curtailed));
    let running = scene.fans_on.clone();
    for _ in 0..30 {
        scene.run();
        assert!(!scene.stops_a_fan(), "{:?}", scene.commands);
        assert_eq!(scene.state.miners.proven_off, None);
    }
    assert!(scene.fans_on.is_superset(&running));
}

#[test]
fn miners_running_written_during_a_call_are_put_off_again_in_the_same_pass() {
    let mut scene = Scene::curtailed();
    let call = scene.state.call.clone().unwrap();
    scene.set(miners(WrittenPhase::Running));
    scene.pass();
    assert_eq!((scene.phase(), scene.starts_a_miner()), ("curtailing", false));
    assert!(!scene.stops_a_fan());
    assert_eq!(scene.state.call.as_ref().map(|call| call.seen), Some(call.seen), "the record of the call goes on");
    scene.pass();
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(scene.told_at(Severity::Emergency).len(), 0);
}

#[test]
fn miners_running_written_in_the_middle_of_switching_off_goes_on_switching_off() {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.signal = Some(350.0);
    scene.pass();
    assert_eq!(scene.phase(), "curtailing");
    scene.wait(5);
    scene.set(miners(WrittenPhase::Running));
    scene.pass();
    assert_eq!((scene.phase(), scene.starts_a_miner()), ("curtailing", false));
}

#[test]
fn miners_running_written_while_nothing_speaks_against_it_starts_them_once_the_fans_are_proven() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    scene.minutes(8);
    assert_eq!(scene.phase(), "curtailed");
    assert!(scene.off_reasons().is_empty());
    scene.set(miners(WrittenPhase::Running));
    scene.pass();
    assert_eq!((scene.phase(), scene.starts_a_miner()), ("running", false), "no fan is proven yet");
    assert_eq!(scene.state.call, None, "the call is over");
    scene.minutes(20);
    assert!(scene.watts() > 100_000.0, "{}", scene.watts());
}

#[test]
fn miners_resuming_written_starts_nothing_without_proven_fans_and_nothing_during_a_call() {
    let mut scene = Scene::curtailed();
    scene.set(miners(WrittenPhase::Resuming));
    scene.pass();
    assert_eq!((scene.phase(), scene.starts_a_miner()), ("curtailing", false), "a call");
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    scene.minutes(8);
    scene.fans_dead = scene.cfg.fans.keys().copied().collect();
    scene.set(miners(WrittenPhase::Resuming));
    for _ in 0..20 {
        scene.run();
        assert!(!scene.starts_a_miner());
    }
    assert!(scene.watts() < 4000.0);
    scene.fans_dead.clear();
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
    assert!(scene.watts() > 100_000.0);
}

#[test]
fn miners_curtailing_written_keeps_the_rung_that_was_climbed() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.pdus_ignored = true;
    scene.signal = Some(350.0);
    scene.pass();
    let rung = |scene: &Scene| {
        let MinersPhase::Curtailing { rung, .. } = scene.state.miners.phase else { panic!("{}", scene.phase()) };
        rung
    };
    assert_eq!(rung(&scene), Rung::Outlets);
    scene.wait(5);
    scene.foreman_down = false;
    scene.set(miners(WrittenPhase::Curtailing));
    scene.pass();
    assert_eq!(rung(&scene), Rung::Outlets);
}

#[test]
fn miners_curtailing_written_without_a_reason_puts_them_off_and_they_come_back_by_the_rules() {
    let mut scene = Scene::running();
    scene.set(miners(WrittenPhase::Curtailing));
    scene.minutes(4);
    assert_eq!(scene.phase(), "curtailed");
    scene.minutes(40);
    assert_eq!(scene.phase(), "running");
    assert_eq!(scene.told_at(Severity::Emergency).len(), 0);
}

#[test]
fn miners_fault_written_puts_every_rung_in_force_until_they_are_proven_off() {
    let mut scene = Scene::running();
    scene.set(miners(WrittenPhase::Fault));
    scene.pass();
    assert_eq!((scene.phase(), scene.starts_a_miner()), ("fault", false));
    assert!(scene.commands.iter().any(|command| matches!(command, Command::Outlet { on: false, .. })));
    scene.minutes(4);
    assert_eq!(scene.phase(), "curtailed");
    scene.minutes(60);
    assert_eq!(scene.phase(), "running", "nothing spoke against running");
    assert_eq!(scene.told_at(Severity::Emergency).len(), 0);
}

#[test]
fn miners_boot_written_adopts_what_is_observed_and_starts_and_stops_nothing() {
    for (mut scene, phase) in [(Scene::running(), "running"), (Scene::curtailed(), "curtailing")] {
        scene.set(miners(WrittenPhase::Boot));
        scene.pass();
        assert_eq!(scene.phase(), phase);
        assert!(!scene.starts_a_miner());
        assert!(!scene.stops_a_fan());
    }
}

#[test]
fn a_fan_stage_written_holds_within_the_hysteresis_only() {
    let mut scene = Scene::running();
    let stages = scene.cfg.fan_rules.stages.clone();
    let stage = |number: u8| Setting::State(WrittenState::FanStage(number));
    scene.intake_c = Some(stages[1].above.value() - scene.cfg.fan_rules.hysteresis_k / 2.0);
    scene.minutes(30);
    assert_eq!(scene.state.climate.stage, 1, "came from above");
    scene.set(stage(1));
    scene.pass();
    assert_eq!(scene.state.climate.stage, 0);
    scene.wait(5);
    scene.set(stage(9));
    scene.pass();
    assert_eq!(scene.state.climate.stage, 1, "higher than the temperature asks for");
    assert_eq!(written(&scene, "fan-stage").len(), 2);
}

#[test]
fn a_hold_and_a_written_state_stand_beside_each_other() {
    let mut scene = Scene::running();
    scene.set(Setting::Miners { on: false, against_signal: false });
    scene.set(miners(WrittenPhase::Running));
    assert_eq!(scene.overrides.len(), 2);
    scene.minutes(10);
    assert_eq!(scene.off_reasons(), [OffReason::HeldOff]);
    assert!(scene.watts() < 4000.0);
    scene.wait(Seconds(3600).0);
    scene.minutes(40);
    assert_eq!(scene.phase(), "running");
}
