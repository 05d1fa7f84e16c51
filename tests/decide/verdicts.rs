//! What a call is called at its end: in time, late, not proven, over too soon.

use minectl::decide;
use minectl::model::*;
use minectl::units::*;

use crate::scene::Scene;

fn card(scene: &Scene) -> CallRecord {
    decide::so_far(&scene.cfg, &scene.state, &scene.now).unwrap()
}

/// A call that Foreman and the PDUs ignore.
fn ignored_call() -> Scene {
    let mut scene = Scene::running();
    (scene.foreman_ignored, scene.pdus_ignored) = (true, true);
    scene.signal = Some(350.0);
    scene.pass();
    scene
}

/// Passes each 10 s for so long.
fn pass_for(scene: &mut Scene, seconds: u64) {
    for _ in 0..seconds / 10 {
        scene.wait(10);
        scene.pass();
    }
}

#[test]
fn a_short_call_that_is_proven_off_after_its_end_is_no_miss() {
    let mut scene = ignored_call();
    pass_for(&mut scene, 290);
    scene.signal = Some(250.0);
    // Three good readings end the call, before its deadline.
    pass_for(&mut scene, 40);
    assert!(scene.off_reasons().is_empty());
    (scene.foreman_ignored, scene.pdus_ignored) = (false, false);
    pass_for(&mut scene, 120);
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(card(&scene).verdict, Verdict::Short);
}

#[test]
fn heat_that_outlasts_a_short_call_makes_no_miss_of_it() {
    let mut scene = ignored_call();
    pass_for(&mut scene, 100);
    scene.intake_c = Some(41.0);
    scene.signal = Some(250.0);
    pass_for(&mut scene, 900);
    assert_eq!(scene.off_reasons(), vec![OffReason::TooHot]);
    assert_eq!(card(&scene).verdict, Verdict::Short);
}

#[test]
fn miners_that_come_back_after_the_proof_and_are_not_off_in_time_make_a_miss() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.minutes(20);
    assert_eq!(card(&scene).verdict, Verdict::InTime);
    (scene.foreman_ignored, scene.pdus_ignored) = (true, true);
    scene.asleep.clear();
    scene.outlets_off.clear();
    let deadline = scene.cfg.miners.deadline.0;
    pass_for(&mut scene, deadline - 10);
    assert_eq!(card(&scene).verdict, Verdict::InTime);
    pass_for(&mut scene, 60);
    assert_eq!(scene.phase(), "fault");
    let record = card(&scene);
    assert_eq!(record.verdict, Verdict::NotProven);
    assert!(record.late < Seconds(60), "{:?}", record.late);
}

#[test]
fn a_call_that_finds_the_miners_off_has_its_record_and_is_in_time() {
    let mut scene = Scene::curtailed();
    scene.state = SiteState::boot(scene.now);
    scene.signal = Some(250.0);
    scene.pass();
    assert_eq!((scene.phase(), &scene.state.call), ("curtailed", &None));
    scene.signal = Some(350.0);
    scene.wait(20);
    scene.pass();
    let record = card(&scene);
    assert_eq!((record.verdict, record.seen), (Verdict::InTime, scene.now.wall));
}

#[test]
fn miners_that_come_back_long_after_a_call_found_them_off_have_their_whole_deadline() {
    let mut scene = Scene::curtailed();
    scene.state = SiteState::boot(scene.now);
    scene.signal = Some(250.0);
    scene.pass();
    scene.signal = Some(350.0);
    scene.minutes(30);
    scene.asleep.clear();
    scene.outlets_off.clear();
    scene.pass();
    assert_eq!(scene.phase(), "curtailing");
    scene.wait(20);
    scene.pass();
    assert_eq!(scene.phase(), "curtailing");
    assert!(scene.told_at(Severity::Emergency).is_empty());
}

#[test]
fn miners_that_come_back_in_the_heat_after_the_signal_make_no_miss_of_a_call_that_was_met() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.minutes(20);
    assert_eq!(card(&scene).verdict, Verdict::InTime);
    scene.intake_c = Some(41.0);
    scene.signal = Some(250.0);
    scene.minutes(10);
    assert_eq!(scene.off_reasons(), vec![OffReason::TooHot]);
    (scene.foreman_ignored, scene.pdus_ignored) = (true, true);
    scene.asleep.clear();
    scene.outlets_off.clear();
    scene.minutes(20);
    assert_eq!(scene.phase(), "fault");
    assert_eq!(card(&scene).verdict, Verdict::InTime);
}
