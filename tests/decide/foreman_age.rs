//! How long ago Foreman heard of the miners.

use minectl::model::Severity;
use minectl::units::{Seconds, Watts};

use crate::scene::Scene;

#[test]
fn a_foreman_that_hears_of_no_miner_while_they_draw_power_is_told() {
    let told = |heard_s: Option<u64>, is_mining: bool| {
        let mut scene = if is_mining { Scene::running() } else { Scene::new() };
        scene.cfg.foreman.max_age = Some(Seconds(600));
        scene.quirks.foreman_heard = heard_s.map(Seconds);
        if !is_mining {
            scene.cfg.miners.on_above = Watts::new(1.0e6).unwrap();
        }
        scene.pass();
        scene.state.alarms.get("agent").map(|alarm| alarm.severity)
    };
    assert_eq!(told(Some(601), true), Some(Severity::Warning));
    assert_eq!(told(Some(600), true), None);
    assert_eq!(told(None, true), None, "it gives no times");
    assert_eq!(told(Some(601), false), None, "nobody is there to be heard of");
}
