//! The scorecard: whether the miners were proven off in time, and what still drew power then.

use std::collections::BTreeSet;

use minectl::model::*;
use minectl::units::*;

use crate::call::{card, held_up, passes};
use crate::scene::{MINER_WATTS, Scene};

/// Lets the outlets be cut, and sees it.
fn let_go(scene: &mut Scene) {
    scene.pdus_ignored = false;
    scene.pass();
    scene.wait(1);
    scene.pass();
    assert_eq!(scene.phase(), "curtailed");
}

#[test]
fn proof_at_the_deadline_is_in_time_and_a_second_later_is_late() {
    for (wait, verdict, late) in [(0, Verdict::InTime, 0), (1, Verdict::Late, 1)] {
        let mut scene = held_up();
        let deadline = scene.cfg.miners.deadline.0;
        scene.wait(deadline - 1 + wait);
        let_go(&mut scene);
        let card = card(&scene);
        assert_eq!((card.verdict, card.late), (verdict, Seconds(late)));
        assert_eq!(card.proven_after, Some(Seconds(deadline + wait)));
        assert_eq!(card.is_missed(), wait == 1);
        assert_eq!(card.rungs, BTreeSet::from([Rung::Foreman, Rung::Outlets]));
    }
}

#[test]
fn without_proof_a_call_is_open_before_the_deadline_and_missed_from_it_on() {
    let mut scene = held_up();
    let deadline = scene.cfg.miners.deadline.0;
    scene.wait(deadline - 1);
    scene.pass();
    assert_eq!((card(&scene).verdict, card(&scene).is_missed()), (Verdict::Open, false));
    scene.wait(1);
    scene.pass();
    assert_eq!((card(&scene).verdict, card(&scene).late), (Verdict::NotProven, Seconds(0)));
    scene.wait(90);
    scene.pass();
    assert_eq!((card(&scene).late, card(&scene).is_missed()), (Seconds(90), true));
}

#[test]
fn a_call_that_is_over_before_its_deadline_is_no_miss() {
    let mut scene = held_up();
    scene.signal = Some(250.0);
    for _ in 0..3 {
        scene.wait(20);
        scene.pass();
    }
    assert!(scene.state.demand.reasons.is_empty());
    assert_eq!((card(&scene).verdict, card(&scene).is_missed()), (Verdict::Short, false));
}

#[test]
fn the_deadline_counts_from_the_signal_where_the_miners_were_off_before_it() {
    let mut scene = Scene::running();
    scene.set(Setting::Miners { on: false, against_signal: false });
    scene.minutes(30);
    let off = card(&scene);
    assert_eq!((off.is_utilitys(), off.costs.demand_avoided), (false, None));
    scene.signal = Some(350.0);
    let called = scene.now.wall;
    scene.minutes(20);
    let card = card(&scene);
    assert_eq!(card.signal_read, Some(called));
    assert_eq!(card.reasons, BTreeSet::from([OffReason::Curtail, OffReason::HeldOff]));
    assert_eq!((card.verdict, card.late), (Verdict::InTime, Seconds(0)));
}

#[test]
fn a_call_without_signal_is_never_a_missed_one() {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.pdus_ignored = true;
    scene.smoke = true;
    scene.pass();
    passes(&mut scene, 900);
    let card = card(&scene);
    assert_eq!(card.verdict, Verdict::NotProven);
    assert!(!card.is_missed());
    assert_eq!((card.page_changed, card.peak), (None, None));
}

#[test]
fn outlets_that_still_draw_power_at_the_proof_are_counted_and_named() {
    let mut scene = Scene::running();
    scene.cfg.miners.off_below = Watts::new(60_000.0).unwrap();
    scene.cfg.miners.off_share = 0.9;
    scene.cfg.miners.on_above = Watts::new(90_000.0).unwrap();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.cfg.pdus[0].batch = 6;
    scene.pass();
    scene.wait(5);
    scene.pass();
    assert_eq!(scene.phase(), "curtailed");
    let stragglers = card(&scene).stragglers.unwrap();
    assert_eq!((stragglers.count, stragglers.names.len(), stragglers.unread), (14, 10, 0));
    assert!(stragglers.names.iter().all(|name| name.starts_with("spdu-a outlet ")), "{:?}", stragglers.names);
}

#[test]
fn a_miner_that_comes_back_after_the_proof_is_the_worst_that_was_seen() {
    let mut scene = Scene::curtailed();
    assert!(card(&scene).worst_after_proof.unwrap().watts <= scene.cfg.miners.off_below);
    scene.asleep.remove(&7);
    scene.asleep.remove(&8);
    scene.pass();
    let worst = card(&scene).worst_after_proof.unwrap();
    assert_eq!((worst.watts.value(), worst.at), (38.0 * 25.0 + 2.0 * MINER_WATTS, scene.now.wall));
    scene.minutes(10);
    assert_eq!(card(&scene).worst_after_proof.unwrap(), worst);
}
