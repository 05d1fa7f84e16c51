//! A call as the tests of the scorecard need it.

use minectl::decide;
use minectl::model::CallRecord;

use crate::scene::{MINER_WATTS, Scene};

/// What the whole mine draws, in watts.
pub const FULL: f64 = 40.0 * MINER_WATTS;

/// The call so far.
pub fn card(scene: &Scene) -> CallRecord {
    decide::so_far(&scene.cfg, &scene.state, &scene.now).unwrap()
}

/// One pass each 30 s, for so many seconds.
pub fn passes(scene: &mut Scene, seconds: u64) {
    for _ in 0..seconds / 30 {
        scene.wait(30);
        scene.pass();
    }
}

/// A call that Foreman and the PDUs ignore until someone lets them: the clock is at its reading.
pub fn held_up() -> Scene {
    let mut scene = Scene::running();
    scene.foreman_ignored = true;
    scene.pdus_ignored = true;
    scene.signal = Some(350.0);
    scene.pass();
    scene
}

/// A call that began with this pass: without Foreman every outlet was cut in it.
pub fn cut_at_once() -> Scene {
    let mut scene = Scene::running();
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.pass();
    scene
}
