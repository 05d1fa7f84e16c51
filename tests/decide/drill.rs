//! A drill switches one miner and one fan off and on again, proves each, and leaves nothing behind.

use minectl::config::DrillSchedule;
use minectl::model::*;
use minectl::units::*;

use crate::scene::Scene;

/// Passes of twenty seconds in which any drill comes to its end.
const PASSES: usize = 90;

/// A mine that has run for a while, with Foreman's list telling modes and miner 1 on a metered outlet.
pub fn ready() -> Scene {
    ready_with(true)
}

/// The same; Foreman's list may tell no modes, as those known do.
pub fn ready_with(modes: bool) -> Scene {
    let mut scene = Scene::new();
    scene.foreman_tells_modes = modes;
    scene.cfg.drill.miner = Some("m1".to_owned());
    scene.cfg.drill.outlet = Some(scene.outlet_of(1));
    // A step of the temperature is to be warm, not a rise.
    scene.cfg.climate.shed_rise_k = 100.0;
    scene.cfg.climate.stuck_after = Seconds(u64::MAX);
    scene.minutes(40);
    assert_eq!(scene.phase(), "running");
    scene
}

pub fn order(scene: &mut Scene, is_dry: bool) {
    scene.set(Setting::Drill(DrillOrder { is_dry, ..DrillOrder::default() }));
}

/// The services take the messages.
pub fn take_messages(scene: &mut Scene) {
    for channel in Channel::ALL {
        scene.state.drill_told.insert(channel, DrillDelivery::Accepted(scene.now));
    }
}

/// A pass, twenty seconds later.
pub fn later(scene: &mut Scene) {
    scene.wait(20);
    scene.pass();
}

pub fn step(scene: &Scene) -> Option<DrillStep> {
    scene.state.drill.running.as_ref().map(|drill| drill.step)
}

/// Passes until the drill stands at this step.
pub fn until(scene: &mut Scene, wanted: DrillStep) {
    for _ in 0..PASSES {
        if step(scene) == Some(wanted) {
            return;
        }
        later(scene);
    }
    panic!("never at {wanted:?}: {:?}", scene.state.drill);
}

/// Passes until it is over; the services take its messages.
pub fn certificate(scene: &mut Scene) -> DrillRecord {
    for _ in 0..PASSES {
        later(scene);
        take_messages(scene);
        if scene.state.drill.running.is_none() && scene.state.drill.order.is_some() {
            return scene.state.drill.last.clone().unwrap();
        }
    }
    panic!("not over: {:?}", scene.state.drill);
}

pub fn check<'a>(record: &'a DrillRecord, name: &str) -> &'a DrillCheck {
    record.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no `{name}`: {record:?}"))
}

fn failed(record: &DrillRecord) -> Vec<&str> {
    record.checks.iter().filter(|c| c.result == CheckResult::Failed).map(|c| c.name.as_str()).collect()
}

/// What was switched in all passes.
fn commands(scene: &mut Scene) -> Vec<Command> {
    let mut all = Vec::new();
    for _ in 0..PASSES {
        later(scene);
        take_messages(scene);
        all.extend(scene.commands.clone());
        if scene.state.drill.running.is_none() && scene.state.drill.order.is_some() {
            return all;
        }
    }
    panic!("not over");
}

#[test]
fn a_drill_puts_one_miner_and_one_fan_off_and_on_again_and_passes() {
    let mut scene = ready();
    order(&mut scene, false);
    let sent = commands(&mut scene);
    let record = scene.state.drill.last.clone().unwrap();
    assert_eq!(record.verdict, DrillVerdict::Passed, "{record:#?}");
    for name in ["Miner off by Foreman", "Miner on again", "Fan off", "Fan on again"] {
        assert!(check(&record, name).took.is_some_and(|took| took.0 > 0), "{name}: {record:?}");
    }
    for name in ["Power signal", "PDUs", "Fan relays", "Foreman", "Message by telegram", "Message by sms"] {
        assert_eq!(check(&record, name).result, CheckResult::Passed);
    }
    let miners: Vec<&Command> = sent.iter().filter(|c| matches!(c, Command::Miner { .. })).collect();
    let wanted = [PowerMode::Sleeping, PowerMode::Normal].map(|mode| Command::Miner { miner: 1, mode });
    assert_eq!(miners, wanted.iter().collect::<Vec<_>>());
    let stopped: Vec<&Command> = sent.iter().filter(|c| matches!(c, Command::Fan { on: false, .. })).collect();
    assert_eq!(stopped.len(), 1, "{sent:?}");
    assert!(!sent.iter().any(|c| matches!(c, Command::Outlet { .. } | Command::Bank { .. })), "{sent:?}");
    assert!(scene.asleep.is_empty() && scene.state.miners.asked.is_empty(), "{:?}", scene.state.miners.asked);
    assert!(scene.state.drill.passed.is_some());
    assert_eq!(scene.told("Drill passed"), 1);
    let Some(Command::Fan { fan, .. }) = stopped.first() else { panic!() };
    assert!(scene.fans_on.contains(fan), "the fan runs again");
}

#[test]
fn never_are_two_fans_off_for_a_drill_nor_fewer_than_the_stage_running() {
    let mut scene = ready();
    scene.minutes(120);
    order(&mut scene, false);
    let before = scene.fans_on.len();
    for _ in 0..PASSES {
        later(&mut scene);
        take_messages(&mut scene);
        assert!(scene.fans_on.len() >= before.min(scene.cfg.fans.len() - 1), "{:?}", scene.fans_on);
    }
    assert_eq!(scene.state.drill.last.as_ref().map(|last| last.verdict), Some(DrillVerdict::Passed));
}

#[test]
fn a_miner_that_foreman_cannot_put_to_sleep_goes_off_by_its_outlet_and_the_drill_fails() {
    let mut scene = ready();
    scene.foreman_ignored = true;
    order(&mut scene, false);
    let record = certificate(&mut scene);
    assert_eq!(record.verdict, DrillVerdict::Failed);
    assert_eq!(failed(&record), ["Miner off by Foreman"]);
    assert_eq!(check(&record, "Miner off by its outlet").result, CheckResult::Passed);
    assert_eq!(check(&record, "Miner on again").result, CheckResult::Passed);
    assert!(scene.outlets_off.is_empty(), "the outlet is on again");
    scene.minutes(6);
    assert!(scene.state.miners.cut.is_empty());
    assert_eq!(scene.told("The drill failed: Miner off by Foreman"), 1, "{:?}", scene.told_at(Severity::Warning));
    // One that passes clears it.
    scene.foreman_ignored = false;
    scene.minutes(30);
    order(&mut scene, false);
    assert_eq!(certificate(&mut scene).verdict, DrillVerdict::Passed);
    scene.minutes(10);
    assert!(!scene.state.alarms.contains_key("drill failed"));
}

#[test]
fn a_miner_that_neither_foreman_nor_its_outlet_puts_off_fails_the_drill_and_is_on_afterwards() {
    let mut scene = ready();
    scene.foreman_ignored = true;
    scene.pdus_ignored = true;
    order(&mut scene, false);
    let record = certificate(&mut scene);
    assert_eq!(failed(&record), ["Miner off by Foreman", "Miner off by its outlet"]);
    scene.pdus_ignored = false;
    scene.minutes(6);
    assert!(scene.is_hashing(1));
    assert!(scene.outlets_off.is_empty());
}

#[test]
fn a_pdu_that_shows_an_outlet_late_does_not_leave_it_off() {
    let mut scene = ready();
    scene.foreman_down = true;
    order(&mut scene, false);
    // The PDU repeats its answer from before while the outlet goes off; then the drill is cleared.
    let name = scene.cfg.pdus[0].name.clone();
    let before = scene.pdu(0);
    scene.pdus_frozen.insert(name.clone(), before);
    until(&mut scene, DrillStep::MinerOff);
    assert!(!scene.outlets_off.is_empty(), "Foreman is down: by the outlet at once");
    later(&mut scene);
    scene.overrides.clear();
    later(&mut scene);
    assert_eq!(step(&scene), None);
    later(&mut scene);
    scene.pdus_frozen.clear();
    later(&mut scene);
    later(&mut scene);
    assert!(scene.outlets_off.is_empty(), "{:?}", scene.state.miners);
}

#[test]
fn without_an_outlet_foreman_s_list_is_the_proof_and_the_certificate_says_so() {
    let mut scene = ready();
    scene.cfg.drill.miner = None;
    scene.cfg.drill.outlet = None;
    order(&mut scene, false);
    let record = certificate(&mut scene);
    assert_eq!(record.verdict, DrillVerdict::Passed, "{record:#?}");
    assert!(check(&record, "Miner off by Foreman").text.contains("not measured"), "{record:?}");
    assert_eq!(scene.state.drill.last_miner, Some(1));
    scene.minutes(30);
    order(&mut scene, false);
    certificate(&mut scene);
    assert_eq!(scene.state.drill.last_miner, Some(2), "another one each time");
}

#[test]
fn with_no_outlet_named_and_no_modes_told_the_one_outlet_that_goes_quiet_is_the_proof() {
    let mut scene = ready_with(false);
    (scene.cfg.drill.miner, scene.cfg.drill.outlet) = (None, None);
    scene.quirks.miners_broken = [7, 30].into();
    scene.minutes(4);
    order(&mut scene, false);
    let record = certificate(&mut scene);
    assert_eq!(record.verdict, DrillVerdict::Passed, "{record:#?}");
    let off = &check(&record, "Miner off by Foreman").text;
    assert!(off.contains(&scene.outlet_of(1).to_string()) && off.contains("gone quiet"), "{off}");
    assert!(check(&record, "Miner on again").text.contains(&scene.outlet_of(1).to_string()));
    assert!(scene.asleep.is_empty());
}

#[test]
fn two_outlets_that_go_quiet_at_once_prove_nothing() {
    let mut scene = ready_with(false);
    (scene.cfg.drill.miner, scene.cfg.drill.outlet) = (None, None);
    order(&mut scene, false);
    scene.pass();
    scene.quirks.miners_broken.insert(9);
    let record = certificate(&mut scene);
    assert_eq!(failed(&record), ["Miner off by Foreman"], "{record:#?}");
    assert_eq!(check(&record, "Miner on again").result, CheckResult::NotDone);
    scene.minutes(4);
    assert!(scene.asleep.is_empty(), "woken all the same");
}

#[test]
fn a_miner_that_nothing_can_show_is_refused_before_anything_is_switched() {
    let mut scene = ready_with(false);
    scene.cfg.drill.outlet = None;
    for pdu in &mut scene.cfg.pdus {
        pdu.max_age = Seconds(1);
    }
    for index in 0..2 {
        let mut reading = scene.pdu(index);
        reading.total = reading.total.map(|total| Measured { age: Seconds(0), ..total });
        scene.pdus_frozen.insert(scene.cfg.pdus[index].name.clone(), reading);
    }
    order(&mut scene, false);
    scene.pass();
    let record = scene.state.drill.last.clone().unwrap();
    assert_eq!(record.verdict, DrillVerdict::Refused);
    assert!(record.why.contains("no outlet is measured"), "{}", record.why);
    assert!(scene.commands.is_empty());
}

#[test]
fn a_welded_fan_fails_the_drill_and_no_fan_is_left_off() {
    let mut scene = ready();
    scene.cfg.drill.fan = Some(2);
    scene.fans_welded = [2].into();
    order(&mut scene, false);
    let record = certificate(&mut scene);
    assert_eq!(record.verdict, DrillVerdict::Failed);
    assert_eq!(failed(&record), ["Fan off"], "{record:#?}");
    assert!(scene.fans_on.contains(&2));
}

#[test]
fn a_fan_that_does_not_start_again_fails_the_drill_and_others_run_in_its_place() {
    let mut scene = ready();
    scene.cfg.drill.fan = Some(2);
    order(&mut scene, false);
    until(&mut scene, DrillStep::FanOn);
    scene.fans_dead = [2].into();
    let record = certificate(&mut scene);
    assert_eq!(failed(&record), ["Fan on again"], "{record:#?}");
    scene.minutes(10);
    assert!(scene.told("Fan 2: dead") > 0);
    assert!(scene.fans_on.len() > usize::from(scene.cfg.fan_rules.min_running));
}

#[test]
fn a_message_that_no_service_takes_fails_the_drill_after_its_time_and_not_before() {
    let mut scene = ready();
    order(&mut scene, true);
    scene.pass();
    take_messages(&mut scene);
    scene.state.drill_told.remove(&Channel::Sms);
    scene.wait(599);
    scene.pass();
    assert_eq!(step(&scene), Some(DrillStep::Messages));
    scene.wait(1);
    scene.pass();
    let record = scene.state.drill.last.clone().unwrap();
    assert_eq!((record.verdict, failed(&record)), (DrillVerdict::Failed, vec!["Message by sms"]));
}

#[test]
fn a_dry_drill_switches_nothing_and_proves_no_call() {
    let mut scene = ready();
    order(&mut scene, true);
    let sent = commands(&mut scene);
    assert_eq!(sent, []);
    let record = scene.state.drill.last.clone().unwrap();
    assert_eq!((record.verdict, record.is_dry), (DrillVerdict::Passed, true), "{record:#?}");
    assert_eq!(scene.state.drill.passed, None);
    let text = &check(&record, "A call would send first").text;
    assert!(text.contains("20 miners sleeping"), "{text}");
}

#[test]
fn in_observe_mode_a_drill_looks_at_everything_and_is_refused_the_rest() {
    let mut scene = ready();
    scene.cfg.mode = minectl::config::Mode::Observe;
    order(&mut scene, false);
    let sent = commands(&mut scene);
    assert_eq!(sent, []);
    let record = scene.state.drill.last.clone().unwrap();
    assert_eq!(record.verdict, DrillVerdict::Refused);
    assert!(record.why.contains("mode = observe"), "{}", record.why);
    assert_eq!(check(&record, "PDUs").result, CheckResult::Passed);
}

fn scheduled(scene: &mut Scene) {
    use jiff::civil::Weekday;
    scene.cfg.drill.schedule = Some(DrillSchedule {
        every: Seconds::minutes(7 * 24 * 60),
        at: jiff::civil::time(10, 30, 0, 0),
        weekdays: vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday],
        zone: jiff::tz::TimeZone::get("America/Chicago").unwrap(),
    });
}

/// The site's time of day, in minutes, and its weekday.
fn local(scene: &Scene) -> (i64, jiff::civil::Weekday) {
    let zone = jiff::tz::TimeZone::get("America/Chicago").unwrap();
    let at = jiff::Timestamp::from_second(scene.now.wall.0).unwrap().to_zoned(zone).datetime();
    (i64::from(at.hour()) * 60 + i64::from(at.minute()), at.date().weekday())
}

/// Runs until the site's clock shows this time; returns how many drills began on the way.
fn run_until(scene: &mut Scene, minute: i64) -> usize {
    let mut began = 0;
    loop {
        let (before, tried) = (local(scene).0, scene.state.drill.tried);
        scene.run();
        take_messages(scene);
        began += usize::from(scene.state.drill.tried != tried);
        if (before..).contains(&minute) && local(scene).0 >= minute || (local(scene).0 < before && minute < 2) {
            return began;
        }
    }
}

#[test]
fn a_scheduled_drill_begins_at_its_time_not_before_and_once() {
    let mut scene = ready();
    scheduled(&mut scene);
    run_until(&mut scene, 10 * 60 + 26);
    while local(&scene).0 < 10 * 60 + 30 {
        assert_eq!(scene.state.drill.tried, None, "not before 10:30");
        scene.run();
    }
    scene.run();
    assert!(scene.state.drill.tried.is_some(), "at 10:30");
    assert_eq!(run_until(&mut scene, 23 * 60), 0, "once on that day");
    assert_eq!(
        scene.state.drill.last.as_ref().map(|l| (l.verdict, l.by.as_str())),
        Some((DrillVerdict::Passed, "schedule"))
    );
    assert_eq!((0..6).map(|_| run_until(&mut scene, 22 * 60)).sum::<usize>(), 0, "not on the six days after");
    assert_eq!(run_until(&mut scene, 22 * 60), 1, "a week later");
}

#[test]
fn a_scheduled_drill_that_may_not_begin_waits_and_is_made_within_its_window_or_on_the_next_day() {
    let mut scene = ready();
    scheduled(&mut scene);
    scene.intake_c = Some(36.0);
    run_until(&mut scene, 11 * 60);
    assert_eq!(scene.state.drill.tried, None);
    assert!(scene.state.drill.waits.as_ref().is_some_and(|why| why.contains("warm")), "{:?}", scene.state.drill);
    scene.intake_c = Some(20.0);
    scene.minutes(4);
    assert!(scene.state.drill.tried.is_some());
    let mut scene = ready();
    scheduled(&mut scene);
    scene.intake_c = Some(36.0);
    run_until(&mut scene, 12 * 60 + 40);
    scene.intake_c = Some(20.0);
    let day = local(&scene).1;
    assert_eq!(run_until(&mut scene, 23 * 60), 0, "the window is over");
    assert_eq!(scene.state.drill.waits, None);
    assert_eq!(run_until(&mut scene, 22 * 60), 1, "the next day");
    assert_ne!(local(&scene).1, day);
}

#[test]
fn a_drill_that_never_passes_is_overdue_two_days_after_it_was_due_and_not_before() {
    let mut scene = ready();
    scheduled(&mut scene);
    scene.intake_c = Some(36.0);
    scene.run();
    let since = scene.state.drill.scheduled_since.unwrap();
    let limit = 9 * 24 * 3600;
    scene.wait(limit - scene.now.since(&since).0);
    scene.pass();
    assert!(!scene.state.alarms.contains_key("drill overdue"));
    scene.wait(1);
    scene.pass();
    assert!(scene.state.alarms.contains_key("drill overdue"));
    assert_eq!(scene.state.alarms["drill overdue"].severity, Severity::Warning);
}

#[test]
fn a_call_that_was_proven_off_is_remembered_and_one_by_hand_is_not() {
    let mut scene = Scene::running();
    assert_eq!(scene.state.drill.call_proven, None);
    scene.signal = Some(350.0);
    scene.minutes(6);
    let proven = scene.state.drill.call_proven.unwrap();
    assert_eq!(scene.state.call.as_ref().and_then(|call| call.proven), Some(proven));
    let mut scene = Scene::running();
    for pdu in ["spdu-a", "spdu-b"] {
        scene.set(Setting::MinerWatts { pdu: pdu.to_owned(), value: Watts::new(100.0).unwrap() });
    }
    scene.signal = Some(350.0);
    scene.minutes(6);
    assert_eq!(scene.phase(), "curtailed");
    assert_eq!(scene.state.drill.call_proven, None);
}
