//! Miners and outlets that stay off although they may run: known limits, found by the exploration. Each test holds what
//! happens today and says why it is wrong.

use minectl::model::SiteState;

use crate::scene::Scene;

/// Wrong: a resume with nothing remembered wakes every miner, but switches no outlet on, although the PDUs tell which are
/// off. The mine stands still until a person comes.
#[test]
fn outlets_that_were_cut_before_the_state_was_lost_stay_off_and_it_is_told() {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.minutes(20);
    assert_eq!(scene.phase(), "curtailed");
    let cut = scene.outlets_off.len();
    assert!(cut > 0);
    scene.state = SiteState::boot(scene.now);
    scene.foreman_down = false;
    scene.signal = Some(250.0);
    scene.minutes(240);
    assert_eq!(scene.phase(), "running");
    assert_eq!(scene.outlets_off.len(), cut);
    assert!(scene.state.alarms.contains_key("miners idle"));
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
