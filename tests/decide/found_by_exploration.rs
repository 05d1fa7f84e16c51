//! What the exhaustive exploration found wrong, each story cut down to what it takes.

use minectl::config::FanCapacity;
use minectl::model::*;
use minectl::units::{Temperature, Watts};

use crate::scene::{Scene, config};

/// A curtailed mine whose page says run again, just before the pass in which its fans are proven and it resumes.
fn about_to_resume() -> Scene {
    let mut scene = Scene::curtailed();
    scene.signal = Some(250.0);
    for _ in 0..60 {
        scene.wait(60);
        scene.pass();
        if scene.reasons.iter().any(|reason| reason.text.contains("fans are proven running")) {
            return scene;
        }
    }
    panic!("the fans never start: {:?}", scene.reasons);
}

fn starts(scene: &Scene) -> usize {
    scene.commands.iter().filter(|command| command.starts_miners()).count()
}

#[test]
fn a_resume_does_not_begin_while_the_intake_rises_to_the_limit() {
    let mut steady = about_to_resume();
    steady.wait(60);
    steady.pass();
    assert_eq!(steady.phase(), "resuming");
    let mut scene = about_to_resume();
    // 13 K in a minute: far above 40 °C before the next run.
    scene.intake_c = Some(33.0);
    scene.wait(60);
    scene.pass();
    assert_eq!((scene.phase(), starts(&scene)), ("curtailed", 0));
    assert!(scene.why("miners").contains("resume waits"), "{}", scene.why("miners"));
    scene.wait(60);
    scene.pass();
    assert_eq!(scene.phase(), "resuming", "33 °C for a minute is no rise");
}

#[test]
fn a_rise_while_the_first_miners_wake_up_breaks_the_resume_off() {
    for (celsius, phase) in [(20.0, "resuming"), (33.0, "curtailing")] {
        let mut scene = about_to_resume();
        // The miners take their time: what is measured proves them off still.
        scene.foreman_status = CommandStatus::Pending;
        for _ in 0..2 {
            scene.wait(60);
            scene.pass();
        }
        assert_eq!(scene.phase(), "resuming");
        assert!(scene.state.miners.proven_off.is_some());
        scene.intake_c = Some(celsius);
        scene.wait(60);
        scene.pass();
        assert_eq!(scene.phase(), phase, "{celsius} °C");
    }
}

#[test]
fn a_rise_while_all_wake_up_and_draw_nothing_yet_sheds_them_again() {
    let mut scene = about_to_resume();
    scene.foreman_status = CommandStatus::Pending;
    for _ in 0..120 {
        scene.wait(60);
        scene.pass();
        if scene.phase() == "running" {
            break;
        }
    }
    assert_eq!(scene.phase(), "running");
    assert!(scene.state.miners.proven_off.is_some());
    scene.intake_c = Some(33.0);
    scene.wait(60);
    scene.pass();
    assert_eq!((scene.phase(), scene.off_reasons()), ("curtailing", vec![OffReason::TooHot]));
}

#[test]
fn a_fan_that_somebody_starts_again_and_again_is_stopped_so_often_in_an_hour_and_no_more() {
    let mut scene = Scene::curtailed();
    let mut stops = 0;
    for _ in 0..30 {
        scene.fans_on.insert(1);
        scene.run();
        stops += usize::from(!scene.fans_on.contains(&1));
    }
    let limit = usize::try_from(scene.cfg.fan_rules.max_switchings_per_hour).unwrap();
    assert!(stops > 0 && stops <= limit, "{stops} stops in an hour, limit {limit}");
    scene.minutes(62);
    assert!(!scene.fans_on.contains(&1), "an hour later it may be stopped");
}

#[test]
fn commands_that_do_not_arrive_are_no_switchings() {
    let mut scene = Scene::curtailed();
    scene.fans_on.insert(1);
    scene.commands_lost = true;
    scene.minutes(58);
    assert!(scene.fans_on.contains(&1));
    scene.commands_lost = false;
    scene.minutes(2);
    assert!(!scene.fans_on.contains(&1));
}

#[test]
fn miners_that_stayed_behind_are_not_woken_beyond_what_the_fans_cool() {
    let mut cfg = config();
    // 134 kW need seven fans.
    let each = Watts::new(20_000.0).unwrap();
    cfg.fan_rules.capacity = vec![FanCapacity { above: Temperature::new(-40.0).unwrap(), each }];
    let mut scene = Scene::with(cfg);
    scene.minutes(20);
    scene.foreman_down = true;
    scene.signal = Some(350.0);
    scene.minutes(20);
    scene.foreman_down = false;
    scene.signal = Some(250.0);
    scene.quirks.outlets_stuck = (31..=40).map(|miner| scene.outlet_of(miner)).collect();
    scene.minutes(60);
    assert_eq!((scene.phase(), scene.outlets_off.len()), ("running", 10));
    scene.fans_dead = [1, 2, 3].into();
    scene.quirks.outlets_stuck.clear();
    for _ in 0..30 {
        scene.run();
        assert_eq!((scene.phase(), scene.outlets_off.len()), ("running", 10), "six fans cool 120 kW");
    }
    assert!(scene.state.alarms.contains_key("miners not back"));
    scene.fans_dead.clear();
    scene.minutes(30);
    assert!(scene.outlets_off.is_empty(), "{:?}", scene.outlets_off);
}
