//! Miners and outlets that stay off although they may run: known limits, found by the exploration. Each test holds what
//! happens today and says why it is wrong.

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

/// Wrong: boot takes a mine that is half asleep for one that runs, although Foreman lists who sleeps; above `on_above`
/// nobody is told.
#[test]
fn miners_asleep_when_the_state_was_lost_in_the_middle_of_a_call_sleep_on_untold() {
    let mut scene = Scene::running();
    scene.signal = Some(350.0);
    scene.pass();
    let asleep = scene.asleep.len();
    assert!(asleep > 0 && scene.watts() > scene.cfg.miners.on_above.value());
    scene.state = SiteState::boot(scene.now);
    scene.signal = Some(250.0);
    scene.minutes(240);
    assert_eq!(scene.phase(), "running");
    assert_eq!(scene.asleep.len(), asleep);
    assert!(scene.state.alarms.is_empty());
}

/// Wrong: what Foreman calls complete is done, and in `Running` nobody asks the watts or Foreman's list again.
#[test]
fn miners_that_foreman_calls_awake_and_that_are_not_sleep_on() {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    scene.foreman_ignored = true;
    scene.minutes(90);
    assert_eq!(scene.phase(), "running");
    scene.foreman_ignored = false;
    scene.minutes(240);
    assert_eq!(scene.asleep.len(), 40);
    assert!(scene.state.alarms.contains_key("miners idle"));
}
