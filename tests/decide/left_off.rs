//! Miners and outlets that are off although they may run: what was ours comes back, what a person did is left and told.

use minectl::config::Mode;
use minectl::model::SiteState;

use crate::scene::Scene;

#[test]
fn outlets_that_were_cut_before_the_state_was_lost_come_back_after_the_call() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.minutes(20);
    assert_eq!(scene.phase(), "curtailed");
    assert!(!scene.outlets_off.is_empty());
    scene.state = SiteState::boot(scene.now);
    scene.foreman_down = false;
    scene.signal = Some(250.0);
    scene.minutes(240);
    assert_eq!(scene.phase(), "running");
    assert!(scene.outlets_off.is_empty());
}

#[test]
fn miners_asleep_when_the_state_was_lost_in_the_middle_of_a_call_are_woken() {
    let mut scene = Scene::running();
    scene.foreman_tells_modes = true;
    scene.signal = Some(350.0);
    scene.pass();
    assert!(!scene.asleep.is_empty() && scene.watts() > scene.cfg.miners.on_above.value());
    scene.state = SiteState::boot(scene.now);
    scene.signal = Some(250.0);
    scene.minutes(60);
    assert_eq!(scene.phase(), "running");
    assert!(scene.asleep.is_empty());
    assert_eq!(scene.told("nothing is remembered of it: they are woken"), 1);
    assert!(scene.state.alarms.is_empty());
}

#[test]
fn they_are_woken_as_soon_as_foreman_can_be_asked_again() {
    let mut scene = Scene::running();
    scene.foreman_tells_modes = true;
    scene.signal = Some(350.0);
    scene.pass();
    let asleep = scene.asleep.len();
    scene.state = SiteState::boot(scene.now);
    scene.signal = Some(250.0);
    scene.foreman_down = true;
    scene.minutes(60);
    assert_eq!(scene.asleep.len(), asleep);
    scene.foreman_down = false;
    scene.minutes(20);
    assert!(scene.asleep.is_empty());
}

#[test]
fn in_observe_mode_nobody_is_woken() {
    let mut scene = Scene::running();
    scene.foreman_tells_modes = true;
    scene.cfg.mode = Mode::Observe;
    scene.asleep.insert(1);
    scene.state = SiteState::boot(scene.now);
    scene.minutes(60);
    assert!(scene.asleep.contains(&1));
    assert!(scene.state.miners.asked.is_empty());
}

#[test]
fn a_miner_that_a_person_put_to_sleep_is_left_asleep_and_told() {
    let mut scene = Scene::running();
    scene.foreman_tells_modes = true;
    scene.minutes(20);
    scene.asleep.insert(1);
    scene.minutes(60);
    assert!(scene.asleep.contains(&1));
    assert!(scene.state.alarms["off by others"].text.contains("1 miners asleep"));
    scene.asleep.clear();
    scene.minutes(20);
    assert!(scene.state.alarms.is_empty());
}

#[test]
fn an_outlet_that_a_person_switched_off_is_left_off_and_told() {
    let mut scene = Scene::running();
    scene.foreman_tells_modes = true;
    scene.minutes(20);
    let outlet = scene.outlet_of(1);
    scene.outlets_off.insert(outlet.clone());
    scene.minutes(60);
    assert!(scene.outlets_off.contains(&outlet));
    assert!(scene.state.alarms["off by others"].text.contains(&outlet.to_string()));
}

#[test]
fn miners_that_foreman_calls_awake_and_that_sleep_on_are_woken_again() {
    let mut scene = Scene::curtailed();
    scene.foreman_tells_modes = true;
    scene.signal = Some(250.0);
    scene.foreman_ignored = true;
    scene.minutes(90);
    assert_eq!(scene.phase(), "running");
    assert!(scene.state.alarms.contains_key("miners not back"));
    scene.foreman_ignored = false;
    scene.minutes(30);
    assert!(scene.asleep.is_empty());
    scene.minutes(30);
    assert!(scene.state.alarms.is_empty(), "{:?}", scene.state.alarms);
    assert!(scene.state.miners.asked.is_empty());
}

/// What a Foreman without modes calls complete is believed: only the watts can tell then.
#[test]
fn without_modes_at_foreman_miners_that_sleep_on_are_told_by_their_watts() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    scene.foreman_ignored = true;
    scene.minutes(90);
    assert_eq!(scene.phase(), "running");
    assert!(scene.state.alarms.contains_key("miners idle"));
}
