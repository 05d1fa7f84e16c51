//! Deep cold: the box stays shut, and the first group warms it.

use minectl::units::Seconds;

use crate::scene::Scene;

/// A mine that was curtailed in deep cold.
fn cold() -> Scene {
    let mut scene = Scene::running();
    scene.cfg.climate.shed_rise_k = 100.0;
    scene.intake_c = Some(5.0);
    scene.minutes(60);
    scene.signal = Some(350.0);
    scene.minutes(30);
    assert_eq!(scene.phase(), "curtailed");
    scene.intake_c = Some(-31.0);
    scene.minutes(30);
    scene
}

#[test]
fn in_deep_cold_with_the_miners_off_every_fan_rests() {
    assert!(cold().fans_on.is_empty());
}

#[test]
fn below_its_limit_only_the_first_group_resumes_with_the_fans_of_its_stage() {
    let mut scene = cold();
    scene.signal = Some(250.0);
    scene.minutes(24);
    assert_eq!(scene.phase(), "resuming", "{}", scene.why("miners"));
    assert_eq!(scene.asleep.len(), 30, "one group of four");
    assert_eq!(scene.fans_on.len(), 3, "{}", scene.why("fans"));
    assert!(scene.why("miners").contains("warms the room"), "{}", scene.why("miners"));
}

#[test]
fn the_other_groups_follow_when_the_room_is_warm() {
    let mut scene = cold();
    scene.signal = Some(250.0);
    scene.minutes(24);
    scene.intake_c = Some(5.0);
    scene.minutes(30);
    assert_eq!(scene.phase(), "running");
    assert!(scene.asleep.is_empty());
}

#[test]
fn a_room_that_does_not_warm_is_waited_for_only_so_long() {
    let mut scene = cold();
    scene.signal = Some(250.0);
    let limit = scene.cfg.climate.preheat_limit;
    while scene.phase() != "resuming" {
        scene.run();
    }
    let began = scene.now;
    while scene.now.since(&began).0 + 120 < limit.0 {
        scene.run();
        assert_eq!(scene.asleep.len(), 30, "not before `preheat_limit`");
    }
    scene.minutes(40);
    assert_eq!(scene.phase(), "running");
}

#[test]
fn just_above_the_limit_it_is_a_resume_like_any_other() {
    let mut scene = cold();
    scene.intake_c = Some(scene.cfg.climate.resume_min.value() + scene.cfg.fan_rules.hysteresis_k);
    scene.signal = Some(250.0);
    scene.minutes(50);
    assert_eq!(scene.phase(), "running");
    assert!(scene.cfg.climate.preheat_limit > Seconds(0));
}
