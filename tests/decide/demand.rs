//! The demand: each reason for the miners to be off, and its end.

use minectl::model::*;

use crate::scene::Scene;

#[test]
fn smoke_stops_the_mine_at_once() {
    let mut scene = Scene::running();
    scene.smoke = true;
    scene.pass();
    assert_eq!(scene.off_reasons(), [OffReason::SwitchAlarm]);
    assert_eq!(scene.phase(), "curtailing");
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1);
}

#[test]
fn smoke_that_can_no_longer_be_read_is_still_smoke() {
    let mut scene = Scene::running();
    scene.smoke = true;
    scene.pass();
    scene.room_down = true;
    scene.minutes(6);
    assert!(scene.off_reasons().contains(&OffReason::SwitchAlarm));
    assert_eq!(scene.told("Over after"), 0);
    scene.room_down = false;
    scene.smoke = false;
    scene.pass();
    assert!(!scene.off_reasons().contains(&OffReason::SwitchAlarm));
}

#[test]
fn heat_sheds_at_its_threshold_and_gives_back_only_at_the_lower_one() {
    let mut scene = Scene::running();
    scene.cfg.climate.shed_rise_k = 100.0;
    let (shed, back) = (scene.cfg.climate.shed_above.value(), scene.cfg.climate.resume_below.value());
    scene.intake_c = Some(shed - 0.1);
    scene.pass();
    assert_eq!(scene.phase(), "running");
    scene.intake_c = Some(shed);
    scene.pass();
    assert_eq!(scene.off_reasons(), [OffReason::TooHot]);
    scene.intake_c = Some(back + 0.1);
    scene.minutes(30);
    assert_eq!(scene.off_reasons(), [OffReason::TooHot]);
    scene.intake_c = Some(back);
    scene.pass();
    assert!(scene.off_reasons().is_empty());
}

#[test]
fn a_lost_intake_temperature_sheds_after_its_limit_and_not_before() {
    let mut scene = Scene::running();
    scene.pass();
    scene.intake_c = None;
    scene.wait(scene.cfg.climate.lost_limit.0 + scene.cfg.climate.max_age.0 - 1);
    scene.pass();
    let held = scene.off_reasons();
    scene.wait(scene.cfg.climate.lost_limit.0);
    scene.pass();
    assert!(scene.off_reasons().contains(&OffReason::TemperatureLost), "{held:?}");
}

#[test]
fn a_hold_off_keeps_them_off_and_clearing_it_lets_them_resume() {
    let mut scene = Scene::running();
    scene.set(Setting::Miners { on: false, against_signal: false });
    scene.minutes(10);
    assert_eq!(scene.phase(), "curtailed");
    scene.overrides.clear();
    scene.minutes(40);
    assert_eq!(scene.phase(), "running");
}

#[test]
fn against_the_signal_they_run_and_it_is_warned_of() {
    let mut scene = Scene::running();
    scene.set(Setting::Miners { on: true, against_signal: true });
    scene.signal = Some(350.0);
    scene.minutes(20);
    assert_eq!(scene.phase(), "running");
    assert_eq!(scene.told("although the signal says curtail"), 1);
    scene.smoke = true;
    scene.pass();
    assert_eq!(scene.phase(), "curtailing", "only the signal is overridden");
}

#[test]
fn hold_keeps_a_curtailed_mine_off_while_blind() {
    let mut scene = Scene::curtailed();
    scene.cfg.signal.when_blind = minectl::config::WhenBlind::Hold;
    scene.signal = None;
    scene.minutes(120);
    assert_eq!(scene.phase(), "curtailed");
    scene.signal = Some(250.0);
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
}
