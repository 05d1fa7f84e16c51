//! The scorecard: watts, energy and money, and the time that nobody measured.

use minectl::model::*;
use minectl::units::*;

use crate::call::{FULL, card, cut_at_once, held_up, passes};
use crate::scene::Scene;

#[test]
fn watts_after_one_two_and_four_minutes_are_the_nearest_with_their_real_time() {
    let mut scene = held_up();
    scene.wait(50);
    scene.pass();
    scene.wait(80);
    scene.pass();
    scene.wait(100);
    scene.pass();
    let card = card(&scene);
    let marks: Vec<(u64, u64)> = card.marks.iter().map(|mark| (mark.wanted.0, mark.after.0)).collect();
    assert_eq!(marks, [(60, 50), (120, 130), (240, 230)]);
    assert_eq!(card.mark(Seconds(60)).unwrap().watts.value(), FULL);
}

#[test]
fn what_was_not_measured_after_a_minute_is_not_there() {
    let mut scene = held_up();
    scene.pdus_down.insert(scene.cfg.pdus[0].name.clone());
    passes(&mut scene, 300);
    assert!(card(&scene).marks.is_empty());
}

#[test]
fn energy_not_drawn_is_the_baseline_minus_the_measured() {
    let mut scene = cut_at_once();
    passes(&mut scene, 3600);
    let card = card(&scene);
    // Half of the first 30 s at full load, the rest at nothing.
    let wanted = FULL / 1000.0 * (3600.0 - 15.0) / 3600.0;
    assert!((card.not_drawn.unwrap().value() - wanted).abs() < 0.001, "{:?} {wanted}", card.not_drawn);
    assert_eq!(card.unmeasured, Seconds(0));
}

#[test]
fn a_span_with_a_silent_pdu_is_unmeasured_and_saves_nothing() {
    let mut scene = cut_at_once();
    passes(&mut scene, 300);
    let before = card(&scene).not_drawn;
    scene.pdus_down.insert(scene.cfg.pdus[1].name.clone());
    passes(&mut scene, 600);
    assert_eq!((card(&scene).not_drawn, card(&scene).unmeasured), (before, Seconds(600)));
    scene.pdus_down.clear();
    passes(&mut scene, 60);
    let card = card(&scene);
    assert_eq!(card.unmeasured, Seconds(630), "up to the first reading");
    assert!(card.not_drawn > before);
}

#[test]
fn missed_runs_are_unmeasured_time_beyond_two_and_a_half_intervals() {
    for (gap, unmeasured) in [(300, 0), (301, 301)] {
        let mut scene = cut_at_once();
        scene.wait(30);
        scene.pass();
        scene.wait(gap);
        scene.pass();
        assert_eq!(card(&scene).unmeasured, Seconds(unmeasured), "{gap}");
    }
}

#[test]
fn a_power_that_was_never_known_before_saves_nothing() {
    let mut scene = Scene::running();
    scene.pdus_down.insert(scene.cfg.pdus[0].name.clone());
    scene.minutes(2);
    scene.signal = Some(350.0);
    scene.pass();
    scene.pdus_down.clear();
    passes(&mut scene, 600);
    let card = card(&scene);
    assert_eq!((card.watts_before, card.not_drawn, card.billed), (None, None, None));
    assert_eq!(card.costs.demand_avoided, None);
    assert!(card.unmeasured >= Seconds(600));
}

#[test]
fn the_demand_charge_is_what_the_worst_interval_leaves_of_it() {
    let mut scene = held_up();
    passes(&mut scene, 360);
    scene.pdus_ignored = false;
    scene.pass();
    passes(&mut scene, 3600);
    let card = card(&scene);
    // Six and a quarter minutes of thirty at full load.
    let billed = FULL * 375.0 / 1800.0;
    assert!((card.billed.unwrap().value() - billed).abs() < 1.0, "{:?} {billed}", card.billed);
    let (avoided, drawn) = (card.costs.demand_avoided.unwrap().value(), card.costs.demand_drawn.unwrap().value());
    assert!((drawn - 15.0 * billed / 1000.0).abs() < 0.1, "{drawn}");
    assert!((avoided + drawn - 15.0 * FULL / 1000.0).abs() < 0.1, "{avoided} {drawn}");
}

#[test]
fn what_nobody_measured_is_billed_in_full() {
    let mut scene = cut_at_once();
    scene.wait(30);
    scene.pass();
    scene.pdus_down.extend(scene.cfg.pdus.iter().map(|pdu| pdu.name.clone()));
    passes(&mut scene, 3600);
    let card = card(&scene);
    assert!((card.billed.unwrap().value() - FULL).abs() < 1.0, "{:?}", card.billed);
    assert_eq!(card.costs.demand_avoided.map(|money| money.value().round()), Some(0.0));
}

#[test]
fn time_off_without_the_signal_is_needless_and_has_its_price() {
    let mut scene = Scene::running();
    scene.set(Setting::Miners { on: false, against_signal: false });
    scene.pass();
    passes(&mut scene, 1800);
    let off = card(&scene);
    assert_eq!((off.needless, off.signal_time), (Seconds(1800), Seconds(0)));
    assert!((off.costs.needless.value() - 25.0).abs() < 1e-9);
    scene.signal = Some(350.0);
    scene.wait(30);
    scene.pass();
    passes(&mut scene, 600);
    let both = card(&scene);
    assert_eq!((both.needless, both.signal_time), (Seconds(1830), Seconds(600)));
}
