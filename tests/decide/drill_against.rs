//! What speaks against a drill: it is refused before anything is switched, and one that goes on is given up in the same
//! pass, with the miner and the fan on again. A call comes first.

use minectl::model::*;
use minectl::units::*;

use crate::drill::*;
use crate::scene::Scene;

fn refused(mut scene: Scene) -> String {
    order(&mut scene, false);
    scene.pass();
    let record = scene.state.drill.last.clone().expect("nothing was decided");
    assert_eq!(record.verdict, DrillVerdict::Refused, "{record:?}");
    assert_eq!(step(&scene), None);
    record.why
}

/// What must not be while a drill is begun or goes on: how it comes, and a word of the reason.
type Trouble = (&'static str, fn(&mut Scene));

const TROUBLES: [Trouble; 12] = [
    ("the power signal says curtail", |scene| scene.signal = Some(350.0)),
    ("near to a call", |scene| scene.signal = Some(305.0)),
    ("the intake is warm", |scene| scene.intake_c = Some(34.5)),
    ("too hot", |scene| scene.intake_c = Some(41.0)),
    ("intake temperature was not read", |scene| scene.room_down = true),
    ("a switch", |scene| scene.smoke = true),
    ("switch", |scene| {
        scene.switches_unread.insert("smoke".to_owned());
    }),
    ("an override holds", |scene| scene.set(Setting::Fan { fan: 9, on: true })),
    ("watts of fan", |scene| scene.fan_watts_down = true),
    ("relay of fan", |scene| scene.boards_down = true),
    ("miners' power", |scene| {
        scene.pdus_down.insert("spdu-b".to_owned());
    }),
    ("observe", |scene| scene.cfg.mode = minectl::config::Mode::Observe),
];

#[test]
fn each_trouble_refuses_a_drill_and_without_it_one_begins() {
    for (word, trouble) in TROUBLES {
        let mut scene = ready();
        trouble(&mut scene);
        if word == "observe" {
            continue;
        }
        let why = refused(scene);
        assert!(why.contains(word), "{word}: {why}");
    }
    let mut scene = ready();
    order(&mut scene, false);
    scene.pass();
    assert_eq!(step(&scene), Some(DrillStep::MinerOff));
}

#[test]
fn each_trouble_ends_a_drill_in_its_pass_at_every_step_and_all_is_on_again() {
    for at in [DrillStep::MinerOff, DrillStep::MinerOn, DrillStep::FanOff, DrillStep::FanOn] {
        for (word, trouble) in TROUBLES {
            let mut scene = ready();
            order(&mut scene, false);
            until(&mut scene, at);
            let fan = scene.state.drill.running.as_ref().and_then(|drill| drill.fan).unwrap();
            trouble(&mut scene);
            let running_before = scene.fans_on.len();
            later(&mut scene);
            assert_eq!(step(&scene), None, "{word} at {at:?}");
            let record = scene.state.drill.last.clone().unwrap();
            assert_eq!(record.verdict, DrillVerdict::Aborted, "{word} at {at:?}");
            assert!(scene.state.fans[&fan].wanted, "{word} at {at:?}: the fan is wanted again");
            assert!(scene.fans_on.len() >= running_before, "{word} at {at:?}");
            if scene.state.demand.reasons.is_empty() && word != "observe" {
                heal(&mut scene);
                scene.minutes(4);
                assert!(scene.is_hashing(1), "{word} at {at:?}: {:?}", scene.state.miners.asked);
                assert!(scene.fans_on.contains(&fan), "{word} at {at:?}");
            }
        }
    }
}

fn heal(scene: &mut Scene) {
    scene.signal = Some(250.0);
    scene.intake_c = Some(20.0);
    (scene.room_down, scene.fan_watts_down, scene.boards_down) = (false, false, false);
    scene.switches_unread.clear();
    scene.pdus_down.clear();
    scene.overrides.clear();
}

#[test]
fn a_call_amid_a_drill_sheds_in_the_same_pass_as_without_one() {
    for at in [DrillStep::MinerOff, DrillStep::MinerOn, DrillStep::FanOff, DrillStep::FanOn, DrillStep::Messages] {
        let mut scene = ready();
        order(&mut scene, false);
        until(&mut scene, at);
        scene.signal = Some(350.0);
        later(&mut scene);
        assert_eq!(scene.phase(), "curtailing", "{at:?}");
        let asleep = scene.commands.iter().filter(|c| matches!(c, Command::Miner { mode: PowerMode::Sleeping, .. }));
        assert_eq!(asleep.count(), 20, "{at:?}: a whole batch");
        assert!(!scene.commands.iter().any(Command::starts_miners), "{at:?}: {:?}", scene.commands);
        scene.minutes(4);
        assert_eq!(scene.phase(), "curtailed", "{at:?}");
    }
}

#[test]
fn a_standing_alarm_refuses_a_drill_and_one_about_a_channel_does_not() {
    let alarm = |severity| Alarm {
        severity,
        text: "text".to_owned(),
        since: Scene::new().now,
        told: Scene::new().now,
        times_told: 1,
        acknowledged_by: None,
        gone: None,
        flapping: false,
    };
    for (id, severity, refuses) in [
        ("device spdu-a", Severity::Warning, true),
        ("miners not off", Severity::Emergency, true),
        ("miners not back", Severity::Warning, false),
        ("device sms", Severity::Warning, false),
        ("drill overdue", Severity::Warning, false),
        ("signal unchanged", Severity::Warning, false),
    ] {
        let mut scene = ready();
        scene.state.alarms.insert(id.to_owned(), alarm(severity));
        order(&mut scene, false);
        scene.pass();
        assert_eq!(step(&scene).is_none(), refuses, "{id}: {:?}", scene.state.drill.last);
    }
}

#[test]
fn a_mine_that_has_just_come_back_is_left_alone_for_half_an_hour() {
    let mut scene = ready();
    scene.signal = Some(350.0);
    scene.minutes(20);
    scene.signal = Some(250.0);
    while scene.phase() != "running" {
        scene.run();
    }
    let back = scene.state.miners.back_since.unwrap();
    scene.wait(1799 - scene.now.since(&back).0);
    order(&mut scene, false);
    scene.pass();
    assert_eq!(step(&scene), None);
    scene.wait(1);
    order(&mut scene, false);
    scene.pass();
    assert_eq!(step(&scene), Some(DrillStep::MinerOff), "{:?}", scene.state.drill.last);
}

#[test]
fn a_drill_whose_run_broke_off_is_given_up_by_the_next_and_all_is_on_again() {
    for at in [DrillStep::MinerOff, DrillStep::MinerOn, DrillStep::FanOff, DrillStep::FanOn] {
        let mut scene = ready();
        order(&mut scene, false);
        until(&mut scene, at);
        // The run is killed here: no end of it is noted.
        scene.wait(100);
        minectl::decide::begin_run(&scene.cfg, &mut scene.state, &scene.now);
        scene.pass();
        let record = scene.state.drill.last.clone().unwrap();
        assert_eq!(record.verdict, DrillVerdict::Aborted, "{at:?}");
        assert!(record.why.contains("broke off"), "{}", record.why);
        assert!(scene.is_hashing(1), "{at:?}: {:?}", scene.commands);
        assert!(scene.fans_on.len() >= 5, "{at:?}: {:?}", scene.fans_on);
    }
}

#[test]
fn a_drill_goes_on_in_the_next_run_when_the_one_before_ended_as_it_should() {
    let mut scene = ready();
    order(&mut scene, false);
    until(&mut scene, DrillStep::MinerOn);
    minectl::decide::end_run(&mut scene.state);
    scene.wait(60);
    minectl::decide::begin_run(&scene.cfg, &mut scene.state, &scene.now);
    scene.pass();
    assert_ne!(step(&scene), None);
}

#[test]
fn a_clock_that_is_set_right_amid_a_drill_ends_none_and_begins_no_second_one() {
    let mut scene = ready();
    order(&mut scene, false);
    until(&mut scene, DrillStep::MinerOff);
    minectl::decide::end_run(&mut scene.state);
    scene.wait(20);
    scene.now.wall = UnixSeconds(scene.now.wall.0 + 3 * 3600);
    let (events, _) = minectl::decide::begin_run(&scene.cfg, &mut scene.state, &scene.now);
    assert!(events.iter().any(|event| event.text.contains("the wall clock was moved")), "{events:?}");
    let record = certificate(&mut scene);
    assert_eq!(record.verdict, DrillVerdict::Passed, "{record:#?}");
    for _ in 0..10 {
        later(&mut scene);
    }
    assert_eq!(step(&scene), None, "the order that was taken is taken again");
}

#[test]
fn a_drill_without_a_run_for_more_than_five_minutes_is_given_up_and_not_before() {
    for (gap, goes_on) in [(300, true), (301, false)] {
        let mut scene = ready();
        order(&mut scene, false);
        until(&mut scene, DrillStep::MinerOff);
        scene.wait(gap);
        scene.pass();
        assert_eq!(step(&scene).is_some(), goes_on, "{gap}");
    }
}

#[test]
fn an_order_that_is_cleared_ends_its_drill() {
    let mut scene = ready();
    order(&mut scene, false);
    until(&mut scene, DrillStep::FanOff);
    scene.overrides.clear();
    later(&mut scene);
    assert_eq!(step(&scene), None);
    assert!(scene.state.drill.last.as_ref().is_some_and(|last| last.why.contains("cleared")));
}

#[test]
fn a_fan_that_was_switched_just_now_or_too_often_is_not_drilled() {
    let mut scene = ready();
    scene.cfg.drill.fan = Some(2);
    let at = |scene: &Scene, ago: u64| Moment { up: Seconds(scene.now.up.0 - ago), ..scene.now };
    let limit = scene.cfg.fan_rules.min_switch_time.0;
    scene.state.fans.get_mut(&2).unwrap().commanded = Some(LastGood { value: true, at: at(&scene, limit - 1) });
    assert!(refused(scene).contains("fan 2 was switched just now"));
    for (count, begins) in [(10, true), (11, false)] {
        let mut scene = ready();
        scene.cfg.drill.fan = Some(2);
        scene.state.fans.get_mut(&2).unwrap().switchings = vec![at(&scene, 600); count];
        order(&mut scene, false);
        scene.pass();
        assert_eq!(step(&scene).is_some(), begins, "{count}: {:?}", scene.state.drill.last);
    }
}

#[test]
fn an_unknown_miner_or_one_that_does_not_run_is_refused() {
    let mut scene = ready();
    scene.cfg.drill.miner = Some("nobody".to_owned());
    assert!(refused(scene).contains("no miner `nobody`"));
    let mut scene = ready();
    scene.quirks.miners_broken.insert(1);
    assert!(refused(scene).contains("does not run"));
}

#[test]
fn outlets_can_be_drilled_by_name_with_no_foreman_at_all() {
    let mut scene = ready();
    scene.foreman_down = true;
    let outlet = scene.outlet_of(3);
    scene.set(Setting::Drill(DrillOrder { miner: Some(format!("{} 3", outlet.pdu)), ..DrillOrder::default() }));
    scene.pass();
    assert!(scene.outlets_off.contains(&outlet), "{:?}", scene.state.drill);
    until(&mut scene, DrillStep::FanOff);
    assert!(scene.outlets_off.is_empty());
}
