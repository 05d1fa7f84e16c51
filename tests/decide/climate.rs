//! The climate machine: bands with hysteresis, and a rise that sheds before the limit is reached.

use minectl::model::*;

use crate::scene::Scene;

/// 20 °C, then a climb of so many kelvin a minute; the highest intake before the miners went off, if they did.
fn climb(per_minute: f64, minutes: u64) -> (Scene, Option<f64>) {
    let mut scene = Scene::running();
    for _ in 0..minutes {
        let next = scene.intake_c.unwrap() + per_minute;
        scene.intake_c = Some(next.min(39.9));
        scene.wait(60);
        scene.pass();
        if scene.phase() != "running" {
            let at = scene.intake_c;
            return (scene, at);
        }
    }
    (scene, None)
}

#[test]
fn a_temperature_that_would_reach_the_limit_within_the_next_interval_sheds_early() {
    let (scene, at) = climb(3.0, 10);
    // 35 °C and 3 K a minute: 41 °C two minutes later; 32 °C would be 38 °C.
    assert_eq!(at, Some(35.0));
    assert_eq!(scene.off_reasons(), [OffReason::TooHot]);
    assert!(scene.why("climate").contains("warm"), "{}", scene.why("climate"));
}

#[test]
fn a_slow_climb_sheds_only_at_the_limit() {
    let slow = climb(1.0, 60).1;
    assert_eq!(slow, None, "1 K a minute is below `shed_rise` (2 °F)");
    let fast = climb(1.2, 60).1;
    assert!(fast.is_some_and(|at| at < 40.0), "{fast:?}");
}

#[test]
fn a_rise_that_stays_far_from_the_limit_sheds_nothing() {
    let mut scene = Scene::running();
    scene.intake_c = Some(0.0);
    scene.minutes(60);
    for c in [5.0, 10.0, 15.0, 20.0] {
        scene.intake_c = Some(c);
        scene.wait(60);
        scene.pass();
        assert!(scene.off_reasons().is_empty(), "{c} °C");
    }
}

#[test]
fn a_rise_with_the_miners_proven_off_is_no_reason() {
    let mut scene = Scene::curtailed();
    for c in [24.0, 28.0, 32.0] {
        scene.intake_c = Some(c);
        scene.wait(60);
        scene.pass();
        assert_eq!(scene.off_reasons(), [OffReason::Curtail], "{c} °C");
    }
}

#[test]
fn bands_change_at_their_limits_and_go_back_only_below_them() {
    let mut scene = Scene::running();
    scene.cfg.climate.shed_rise_k = 100.0;
    let limits = scene.cfg.climate.clone();
    let k = scene.cfg.fan_rules.hysteresis_k;
    for (c, band) in [
        (limits.resume_below.value(), Band::Normal),
        (limits.resume_below.value() + 0.1, Band::Warm),
        (limits.shed_above.value() - 0.1, Band::Warm),
        (limits.shed_above.value(), Band::Hot),
        (limits.critical_above.value() - 0.1, Band::Hot),
        (limits.critical_above.value(), Band::Critical),
        (limits.critical_above.value() - k + 0.1, Band::Critical),
        (limits.critical_above.value() - k, Band::Hot),
        (limits.shed_above.value() - k + 0.1, Band::Hot),
        (limits.shed_above.value() - k, Band::Warm),
        (limits.resume_below.value() - k, Band::Normal),
        (limits.resume_min.value(), Band::Normal),
        (limits.resume_min.value() - 0.1, Band::Cold),
        (limits.resume_min.value() + k - 0.1, Band::Cold),
        (limits.resume_min.value() + k, Band::Normal),
    ] {
        scene.intake_c = Some(c);
        scene.wait(120);
        scene.pass();
        assert_eq!(scene.state.climate.band, band, "{c} °C");
    }
}

#[test]
fn a_temperature_set_by_hand_is_no_rise() {
    let mut scene = Scene::running();
    let value = minectl::units::Temperature::new(38.0).unwrap();
    scene.wait(60);
    scene.set(Setting::Temperature { probe: "intake-west".to_owned(), value });
    scene.pass();
    assert!(scene.off_reasons().is_empty());
    scene.overrides.clear();
    scene.wait(60);
    scene.pass();
    assert!(scene.off_reasons().is_empty(), "nor is its end");
}

#[test]
fn a_rise_that_sheds_is_named_among_the_reasons() {
    let (scene, _) = climb(3.0, 10);
    assert!(
        scene.reasons.iter().any(|why| why.subject == "demand" && why.text.contains("rising")),
        "{:?}",
        scene.reasons
    );
    let slow = climb(1.0, 10).0;
    assert!(!slow.reasons.iter().any(|why| why.text.contains("rising")));
}
