//! One thing that cannot be read, or reads wrong, hides no other and stops nothing that is well.

use minectl::config::Mode;
use minectl::model::*;
use minectl::units::*;

use crate::scene::Scene;

#[test]
fn fans_that_stand_still_behind_a_board_that_cannot_be_read_are_replaced() {
    let mut scene = Scene::running();
    scene.intake_c = Some(20.0);
    scene.minutes(60);
    assert!((2..9).contains(&scene.fans_on.len()), "{:?}", scene.fans_on);
    let last = *scene.fans_on.last().unwrap();
    let board = scene.cfg.fans[&last].board.clone();
    let behind: Vec<u8> = scene.cfg.fans.iter().filter(|(_, fan)| fan.board == board).map(|(n, _)| *n).collect();
    let turning = |scene: &Scene| scene.fans_on.iter().filter(|fan| !behind.contains(fan)).count();
    let before = turning(&scene);
    assert!(before < scene.cfg.fans.len() - behind.len(), "one is at rest on the other board");
    scene.quirks.boards_down.insert(board);
    scene.fans_dead.extend(behind.iter().copied());
    scene.minutes(4);
    assert!(turning(&scene) > before, "{}", scene.why("fans"));
}

#[test]
fn a_probe_that_is_broken_for_long_does_not_hide_a_smoke_switch_that_breaks() {
    let mut scene = Scene::running();
    scene.probes_lost.insert("exhaust".to_owned());
    scene.minutes(60);
    let told = scene.notices.len();
    scene.switches_unread.insert("smoke".to_owned());
    scene.minutes(20);
    assert!(
        scene.state.alarms.keys().any(|id| id == "device room-alert switch smoke"),
        "{:?}",
        scene.state.alarms.keys()
    );
    assert!(scene.notices[told..].iter().any(|notice| notice.severity == Severity::Warning));
    scene.switches_unread.clear();
    scene.minutes(20);
    assert!(!scene.state.alarms.keys().any(|id| id.contains("smoke")));
    assert!(scene.state.alarms.keys().any(|id| id == "device room-alert probe exhaust"));
}

#[test]
fn a_unit_that_falls_silent_does_not_call_its_broken_switch_well() {
    let mut scene = Scene::running();
    scene.switches_unread.insert("smoke".to_owned());
    scene.minutes(20);
    scene.room_down = true;
    scene.minutes(8);
    let alarm = &scene.state.alarms["device room-alert switch smoke"];
    assert!(alarm.gone.is_none());
}

#[test]
fn with_the_miners_power_unread_no_fan_stops() {
    let mut scene = Scene::running();
    scene.intake_c = Some(30.0);
    scene.minutes(20);
    assert!(!scene.cfg.fan_rules.capacity.is_empty());
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.intake_c = Some(0.0);
    for _ in 0..90 {
        scene.run();
        assert!(!scene.stops_a_fan(), "{:?}", scene.commands);
    }
    scene.pdus_down.clear();
    scene.minutes(60);
    assert_eq!(scene.fans_on.len(), 3);
}

#[test]
fn one_wild_reading_teaches_nothing() {
    let mut scene = Scene::running();
    let before = scene.state.miners.baselines.clone();
    let mut wild = scene.pdu(0);
    wild.total = Ok(Measured { value: Watts::new(2_000_000.0).unwrap(), age: Seconds(0) });
    scene.pdus_frozen.insert("spdu-a".to_owned(), wild);
    scene.pass();
    scene.pdus_frozen.clear();
    scene.minutes(4);
    let after = scene.state.miners.baselines["spdu-a"].value();
    assert!((after - before["spdu-a"].value()).abs() < 1.0, "{after}");
}

#[test]
fn what_was_learnt_too_high_is_unlearnt_while_groups_are_off_for_it() {
    let mut scene = Scene::running();
    let right = scene.state.miners.baselines["spdu-a"].value();
    scene.state.miners.baselines.insert("spdu-a".to_owned(), Watts::new(right * 9.0).unwrap());
    scene.state.miners.shed_groups = 3;
    scene.state.miners.shed_since = Some(scene.now);
    scene.minutes(600);
    let after = scene.state.miners.baselines["spdu-a"].value();
    assert!(after < right * 1.5, "{after} of {right}");
    assert_eq!(scene.state.miners.shed_groups, 0, "{}", scene.why("airflow"));
    assert!(scene.asleep.is_empty());
}

#[test]
fn what_the_page_said_under_a_hand_holds_when_the_hand_is_gone_and_the_page_is_not_read() {
    let mut scene = Scene::running();
    scene.set(Setting::Signal(Level::Run));
    scene.minutes(2);
    scene.signal = Some(350.0);
    scene.minutes(2);
    scene.overrides.clear();
    scene.signal = None;
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail);
    assert_eq!(scene.phase(), "curtailing");
}

#[test]
fn a_page_that_let_run_often_enough_under_a_hand_lets_run_when_the_hand_is_gone() {
    let mut scene = Scene::curtailed();
    scene.set(Setting::Signal(Level::Curtail));
    scene.signal = Some(250.0);
    scene.minutes(20);
    assert_eq!(scene.phase(), "curtailed");
    scene.overrides.clear();
    scene.signal = None;
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Run);
}

#[test]
fn a_temperature_set_by_hand_silences_the_rise_of_its_probe() {
    let sheds = |by_hand: bool| {
        let mut scene = Scene::running();
        if by_hand {
            let value = Temperature::new(20.0).unwrap();
            scene.set(Setting::Temperature { probe: "intake-west".to_owned(), value });
        }
        for step in 0..19 {
            scene.quirks.probes_c.insert("intake-west".to_owned(), Some(20.0 + f64::from(step)));
            scene.wait(20);
            scene.pass();
        }
        !scene.off_reasons().is_empty()
    };
    assert!(sheds(false));
    assert!(!sheds(true));
}

#[test]
fn a_foreman_that_answers_and_takes_no_command_is_left_for_the_outlets_at_once() {
    let mut scene = Scene::running();
    scene.quirks.foreman_fails = scene.miner_ids().collect();
    scene.signal = Some(350.0);
    scene.pass();
    assert!(scene.state.miners.phase.word() == "curtailing" && scene.outlets_off.is_empty());
    scene.wait(20);
    scene.pass();
    assert!(!scene.outlets_off.is_empty(), "{}", scene.why("miners"));
}

#[test]
fn a_foreman_that_takes_some_of_the_commands_keeps_its_time() {
    let mut scene = Scene::running();
    scene.quirks.foreman_fails = scene.miner_ids().filter(|id| id % 2 == 0).collect();
    scene.signal = Some(350.0);
    scene.pass();
    scene.wait(20);
    scene.pass();
    assert!(scene.outlets_off.is_empty(), "{}", scene.why("miners"));
}

#[test]
fn miners_that_may_run_and_cannot_start_are_told_although_they_were_never_proven_off() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    (scene.foreman_ignored, scene.pdus_ignored) = (true, true);
    scene.minutes(10);
    assert_eq!(scene.phase(), "fault");
    scene.fan_watts_down = true;
    scene.signal = Some(250.0);
    scene.minutes(60);
    assert_eq!(scene.phase(), "fault", "no fan can be proven, and they run as far as their relays say");
    assert!(scene.state.alarms.contains_key("miners waiting"), "{:?}", scene.state.alarms.keys());
}

#[test]
fn a_reason_that_comes_back_in_fault_has_the_whole_ladder_and_its_deadline_again() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    (scene.foreman_ignored, scene.pdus_ignored) = (true, true);
    scene.minutes(10);
    scene.fan_watts_down = true;
    scene.signal = Some(250.0);
    scene.minutes(60);
    scene.signal = Some(350.0);
    scene.pass();
    assert_eq!(scene.phase(), "curtailing");
    assert_eq!(scene.around_the_deadline(), ["curtailing", "fault"]);
}

#[test]
fn miners_that_wake_by_themselves_while_others_are_left_off_do_not_start_all_at_once() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    scene.minutes(6);
    assert_eq!((scene.phase(), scene.off_reasons().len()), ("curtailed", 0));
    scene.asleep = scene.asleep.iter().copied().skip(20).collect();
    scene.outlets_off.clear();
    scene.pass();
    assert!(scene.watts() >= scene.cfg.miners.on_above.value());
    assert_eq!(scene.phase(), "curtailed");
    scene.minutes(60);
    assert_eq!((scene.phase(), scene.asleep.len()), ("running", 0));
}

#[test]
fn in_observe_mode_a_mine_that_others_start_is_seen_running() {
    let mut scene = Scene::curtailed();
    scene.cfg.mode = Mode::Observe;
    scene.state.miners.asked.clear();
    scene.signal = Some(250.0);
    scene.minutes(6);
    scene.asleep.clear();
    scene.pass();
    assert_eq!(scene.phase(), "running");
}

#[test]
fn one_pdu_at_a_fraction_of_its_power_is_told_and_a_moment_of_it_is_not() {
    let mut scene = Scene::running();
    let of_pdu_a = |scene: &Scene| -> Vec<u64> {
        scene.miner_ids().filter(|miner| scene.outlet_of(*miner).pdu == "spdu-a").collect()
    };
    scene.quirks.miners_broken = of_pdu_a(&scene).into_iter().collect();
    scene.minutes(14);
    assert!(!scene.state.alarms.contains_key("low spdu-a"));
    scene.minutes(4);
    assert!(scene.state.alarms.contains_key("low spdu-a"), "{:?}", scene.state.alarms.keys());
    scene.quirks.miners_broken.clear();
    scene.minutes(10);
    assert!(!scene.state.alarms.contains_key("low spdu-a"));
}

#[test]
fn an_emergency_that_became_a_warning_is_one_from_its_next_reminder_on() {
    let mut scene = Scene::running();
    scene.room_down = true;
    scene.minutes(30);
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(scene.state.alarms["intake lost"].severity, Severity::Warning);
}

#[test]
fn a_pdu_that_misses_one_reading_while_the_miners_are_off_makes_no_emergency_of_a_lost_intake() {
    let mut scene = Scene::curtailed();
    scene.room_down = true;
    scene.minutes(30);
    scene.pdus_down.insert("spdu-a".to_owned());
    scene.pass();
    assert!(scene.told_at(Severity::Emergency).is_empty(), "{:?}", scene.told_at(Severity::Emergency));
}
