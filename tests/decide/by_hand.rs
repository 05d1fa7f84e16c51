//! What a hand sets does not reach further than the hand, and the fans before a resume are enough for it.

use minectl::model::*;
use minectl::units::*;

use crate::scene::{Scene, config};

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
fn a_run_set_by_hand_does_not_outlive_its_override_while_the_page_is_unread() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.minutes(2);
    scene.set(Setting::Signal(Level::Run));
    scene.minutes(2);
    scene.signal = None;
    scene.overrides.clear();
    scene.pass();
    assert_ne!(scene.state.signal.level, Level::Run);
    assert!(!scene.off_reasons().is_empty());
}

#[test]
fn watts_set_by_hand_let_no_other_fan_stop() {
    let mut scene = Scene::running();
    scene.cfg.climate.shed_rise_k = 100.0;
    scene.intake_c = Some(38.0);
    scene.minutes(10);
    scene.fans_dead = (2..=9).collect();
    for fan in 2..=9 {
        scene.set(Setting::FanWatts { fan, value: Watts::new(1500.0).unwrap() });
    }
    scene.intake_c = Some(0.0);
    for _ in 0..40 {
        scene.pass();
        assert!(!scene.commands.iter().any(|c| matches!(c, Command::Fan { on: false, .. })), "{:?}", scene.commands);
        scene.wait(60);
    }
}
