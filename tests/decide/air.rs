//! The airflow budget: what the running fans can cool decides how many groups of miners run.

use minectl::config::FanCapacity;
use minectl::model::*;
use minectl::units::{Temperature, Watts};

use crate::scene::{Scene, config};

/// 40 miners draw 134 kW; each fan cools 20 kW below 30 °C and 15 kW from there on.
fn scene() -> Scene {
    let mut cfg = config();
    let row = |above: f64, each: f64| FanCapacity {
        above: Temperature::new(above).unwrap(),
        each: Watts::new(each).unwrap(),
    };
    cfg.fan_rules.capacity = vec![row(-40.0, 20_000.0), row(30.0, 15_000.0)];
    let mut scene = Scene::with(cfg);
    scene.minutes(20);
    assert_eq!(scene.phase(), "running");
    scene
}

fn asleep_groups(scene: &Scene) -> usize {
    assert_eq!(scene.asleep.len() % 10, 0, "{:?}", scene.asleep);
    scene.asleep.len() / 10
}

#[test]
fn the_power_drawn_wants_its_fans_although_the_stage_wants_fewer() {
    let mut scene = scene();
    scene.intake_c = Some(10.0);
    scene.minutes(60);
    // 134 kW at 20 kW each.
    assert_eq!(scene.fans_on.len(), 7, "{}", scene.why("fans"));
    assert_eq!(asleep_groups(&scene), 0);
}

#[test]
fn two_dead_fans_cost_nothing_and_three_cost_a_group() {
    let mut scene = scene();
    scene.fans_dead = [1, 2].into();
    scene.minutes(20);
    assert_eq!(asleep_groups(&scene), 0, "seven fans cool 140 kW");
    scene.fans_dead.insert(3);
    scene.minutes(2);
    assert_eq!(asleep_groups(&scene), 0, "a fan has its time to be replaced");
    scene.minutes(8);
    assert_eq!(asleep_groups(&scene), 1, "six fans cool 120 kW");
    assert_eq!(scene.phase(), "running");
    assert!(scene.off_reasons().is_empty());
    assert_eq!(scene.asleep, (31..=40).collect(), "the last group");
    assert_eq!(scene.told("Airflow: 1 of 4 groups off"), 1);
}

#[test]
fn as_many_groups_go_at_once_as_it_takes_and_not_everything() {
    let mut scene = scene();
    scene.fans_dead = [1, 2, 3, 4, 5].into();
    scene.minutes(12);
    assert_eq!(asleep_groups(&scene), 2, "four fans cool 80 kW: two groups of four, 67 kW");
    assert_eq!(scene.phase(), "running");
}

#[test]
fn the_same_fans_cool_less_on_a_hot_day() {
    let mut scene = scene();
    scene.fans_dead = [1, 2].into();
    scene.intake_c = Some(26.0);
    scene.minutes(20);
    assert_eq!(asleep_groups(&scene), 0);
    scene.intake_c = Some(30.0);
    scene.minutes(12);
    assert_eq!(asleep_groups(&scene), 1, "seven fans cool 105 kW");
}

#[test]
fn groups_come_back_one_by_one_when_the_fans_do() {
    let mut scene = scene();
    scene.fans_dead = [1, 2, 3, 4, 5].into();
    scene.minutes(12);
    scene.fans_dead.clear();
    scene.run();
    assert_eq!(asleep_groups(&scene), 2, "not before `resume_after`");
    scene.minutes(8);
    assert_eq!(asleep_groups(&scene), 1);
    scene.minutes(20);
    assert_eq!(asleep_groups(&scene), 0);
    assert_eq!(scene.phase(), "running");
}

#[test]
fn a_group_is_shed_by_its_outlets_when_foreman_cannot_be_reached() {
    let mut scene = scene();
    scene.foreman_down = true;
    scene.fans_dead = [1, 2, 3].into();
    scene.minutes(12);
    assert_eq!(scene.outlets_off.len(), 10, "{:?}", scene.outlets_off);
    assert!(scene.outlets_off.iter().all(|outlet| outlet.pdu == "spdu-b"), "the last group");
    scene.fans_dead.clear();
    scene.minutes(30);
    assert!(scene.outlets_off.is_empty());
}

#[test]
fn a_group_whose_miners_ignore_foreman_is_shed_by_its_outlets_after_the_rungs_time() {
    let mut scene = scene();
    scene.foreman_ignored = true;
    scene.fans_dead = [1, 2, 3].into();
    scene.minutes(12);
    assert!(!scene.outlets_off.is_empty());
    assert!(scene.watts() <= 6.0 * 20_000.0);
}

#[test]
fn with_too_few_fans_for_one_group_everything_goes_off_and_stays_off() {
    let mut scene = scene();
    scene.fans_dead = (1..=8).collect();
    scene.minutes(20);
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(scene.told_at(Severity::Emergency).len(), 1, "{:?}", scene.told_at(Severity::Emergency));
    scene.minutes(120);
    assert_eq!(scene.phase(), "curtailed", "{}", scene.why("miners"));
    scene.fans_dead.clear();
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
}

#[test]
fn a_resume_ends_at_the_group_that_the_fans_cannot_cool() {
    let mut scene = scene();
    scene.signal = Some(350.0);
    scene.minutes(30);
    assert_eq!(scene.phase(), "curtailed");
    // Five fans are enough to begin, and cool 100 kW: two groups of 33.5 kW, not three.
    scene.fans_dead = [1, 2, 3, 4].into();
    scene.intake_c = Some(20.0);
    scene.signal = Some(250.0);
    scene.minutes(80);
    assert_eq!(scene.phase(), "running");
    let running = 40 - scene.asleep.len();
    assert_eq!(running, 20, "{}", scene.why("airflow"));
    scene.fans_dead.clear();
    scene.minutes(60);
    assert!(scene.asleep.is_empty());
}

#[test]
fn without_a_capacity_there_is_no_budget() {
    let mut cfg = config();
    cfg.fan_rules.capacity.clear();
    let mut scene = Scene::with(cfg);
    scene.minutes(20);
    scene.fans_dead = [1, 2, 3, 4, 5, 6].into();
    scene.minutes(30);
    assert!(scene.asleep.is_empty());
    assert_eq!(scene.state.demand.allowed, None);
}
