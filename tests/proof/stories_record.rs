//! I4, I9 and I10 after every pass: what is remembered rests on fresh readings, every change has its event, every command
//! its intent and its outcome, and the same inputs give the same decision.

use std::collections::BTreeSet;

use minectl::config::Mode;
use minectl::decide;
use minectl::model::*;
use minectl::units::*;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::scene::Scene;
use crate::stories_seen::{Intake, Seen};

type Check = Result<(), TestCaseError>;

/// I4: nothing missing, old or out of range stands in the memory as good, as 0 or as off.
pub fn check_memory(scene: &Scene, seen: &Seen, before: &SiteState) -> Check {
    let state = &scene.state;
    let cfg = &scene.cfg;
    prop_assert_eq!(state.miners.watts.map(|w| w.value()), seen.total, "I4: measured watts");
    if state.miners.proven_off.is_some() {
        let off = seen.total.is_some_and(|watts| watts <= cfg.miners.off_below.value());
        prop_assert!(off, "I4: proven off with {:?} W", seen.total);
    }
    let known = match seen.intake {
        Intake::Fresh(t) | Intake::Held(t) => Some(t),
        Intake::Lost => None,
    };
    prop_assert_eq!(state.climate.intake.map(|t| t.value()), known, "I4: intake {:?}", seen.intake);
    prop_assert_eq!(known.is_none(), state.climate.band == Band::Unknown, "I4: band {:?}", state.climate.band);
    for (number, fan) in &seen.fans {
        let remembered = &state.fans[number];
        let rules = &cfg.fan_rules;
        let proven = fan.watts.and_then(|watts| {
            let (runs, stands) = (watts >= rules.on_above.value(), watts <= rules.off_below.value());
            if runs || stands { Some(runs) } else { None }
        });
        prop_assert_eq!(remembered.proven, proven, "I4: fan {} with {:?} W", number, fan.watts);
        prop_assert_eq!(remembered.relay, fan.relay, "I4: relay of fan {}", number);
    }
    if state.signal.level == Level::Run && !seen.level_by_hand {
        let read = state.signal.last_good.as_ref().map(|good| scene.now.since(&good.at));
        prop_assert!(read.is_some_and(|age| age <= cfg.signal.max_age), "I4: signal run, read {read:?} ago");
    }
    let (was, is) = (before.miners.phase.word(), state.miners.phase.word());
    // A phase that a person wrote is no adoption.
    let by_hand = scene.overrides.iter().any(|over| matches!(over.setting, Setting::State(WrittenState::Miners(_))));
    if !by_hand && was == "boot" && ["running", "curtailed"].contains(&is) {
        let all = state.signal.last_good.is_some() && state.climate.trusted.is_some();
        // One PDU that cannot be read does not hide that the others draw, and keeps no mine off for ever.
        let read = seen.pdus.iter().flatten().sum::<f64>();
        let late = scene.now.since(&before.demand.since) >= Seconds(900);
        let power = seen.total.is_some() || (is == "running" && read >= cfg.miners.on_above.value()) || late;
        prop_assert!(all && power, "I8: {is} taken over before every input was read");
    }
    Ok(())
}

/// What identifies a condition that must leave an event when it changes.
fn conditions(state: &SiteState) -> Vec<(&'static str, String, String)> {
    let phase = match &state.miners.phase {
        MinersPhase::Curtailing { rung, .. } => format!("curtailing {rung:?}"),
        MinersPhase::Resuming { group, .. } => format!("resuming {group}"),
        other => other.word().to_owned(),
    };
    let wanted: Vec<&u8> = state.fans.iter().filter(|(_, fan)| fan.wanted).map(|(number, _)| number).collect();
    vec![
        ("state", "signal".to_owned(), format!("{:?}", state.signal.level)),
        ("state", "climate".to_owned(), format!("{:?}", state.climate.band)),
        ("state", "demand".to_owned(), format!("{:?}", state.demand.reasons)),
        ("state", "miners".to_owned(), phase),
        ("state", "fans".to_owned(), format!("{wanted:?}")),
    ]
}

fn has(events: &[Event], kind: EventKind, subject: &str) -> bool {
    events.iter().any(|event| event.kind == kind && event.subject == subject)
}

/// I9: every change with its event; every command with its event, its intent and its outcome.
pub fn check_record(
    scene: &Scene,
    before: &SiteState,
    last: &[Command],
    failures: &[String],
    events: &[Event],
    overrides: &[Override],
) -> Check {
    let state = &scene.state;
    let first_look = before.fans.is_empty();
    for (was, is) in conditions(before).into_iter().zip(conditions(state)) {
        // Before the first look no fan is known: that some are wanted then is no change.
        if was != is && !(first_look && is.1 == "fans") {
            prop_assert!(has(events, EventKind::State, &is.1), "I9: {} from {} to {}, no event", is.1, was.2, is.2);
        }
    }
    let both_run = before.miners.phase == MinersPhase::Running && state.miners.phase == MinersPhase::Running;
    let shed = before.miners.shed_groups != state.miners.shed_groups;
    let told = has(events, EventKind::State, "airflow");
    prop_assert!(!both_run || !shed || told, "I9: {} groups shed, no event", state.miners.shed_groups);
    for (number, fan) in &state.fans {
        let was = before.fans.get(number).and_then(|fan| fan.fault);
        let told = has(events, EventKind::Fault, &format!("fan {number}"));
        prop_assert!(was == fan.fault || told, "I9: fan {number} from {was:?} to {:?}, no event", fan.fault);
    }
    for (name, health) in &state.devices {
        let was = before.devices.get(name).and_then(|health| health.fault.as_ref()).map(|fault| fault.kind);
        let is = health.fault.as_ref().map(|fault| fault.kind);
        prop_assert!(was == is || has(events, EventKind::Fault, name), "I9: {name} from {was:?} to {is:?}, no event");
    }
    let ids: BTreeSet<&String> = before.alarms.keys().chain(state.alarms.keys()).collect();
    for id in ids {
        let severity = |state: &SiteState| state.alarms.get(id).map(|alarm| alarm.severity);
        let same = severity(before) == severity(state);
        prop_assert!(same || has(events, EventKind::Alarm, id), "I9: alarm {id} without an event");
        prop_assert!(crate::readme::names_alarm(id), "README's table of what fails does not name the alarm `{id}`");
    }
    for over in overrides.iter().filter(|over| over.left(&scene.now).0 == 0) {
        let target = over.setting.target();
        prop_assert!(has(events, EventKind::Override, &target), "I9: the end of {target} without an event");
    }
    check_commands(scene, before, last, failures, events)
}

fn subject(command: &Command) -> String {
    match command {
        Command::Fan { fan, .. } => format!("fan {fan}"),
        Command::Miner { .. } => "foreman".to_owned(),
        Command::Outlet { outlet, .. } => outlet.pdu.clone(),
        Command::Bank { pdu } => pdu.clone(),
    }
}

fn check_commands(scene: &Scene, before: &SiteState, last: &[Command], failures: &[String], events: &[Event]) -> Check {
    let state = &scene.state;
    for command in scene.commands.iter().filter(|command| !last.contains(command)) {
        let told = has(events, EventKind::Command, &subject(command));
        prop_assert!(told, "I9: {command} without its event");
    }
    if scene.cfg.mode == Mode::Observe {
        prop_assert!(state.miners.asked == before.miners.asked, "observe: nothing is asked");
        prop_assert_eq!(&state.miners.cut, &before.miners.cut, "observe: nothing is cut");
        prop_assert!(state.fans.values().all(|fan| fan.commanded.is_none()), "observe: no fan is commanded");
        return Ok(());
    }
    for command in &scene.commands {
        let meant = match command {
            Command::Fan { fan, on } => state.fans[fan].commanded.as_ref().map(|it| it.value) == Some(*on),
            Command::Miner { miner, mode } => {
                state.miners.asked.get(miner).is_some_and(|asked| asked.mode == *mode && asked.at == scene.now)
            }
            Command::Outlet { outlet, on } => {
                let told = state.miners.outlets_told.get(&outlet.to_string()) == Some(&scene.now);
                told && (*on || state.miners.cut.contains(outlet))
            }
            // Outlet by outlet, but for those that somebody else switched off.
            Command::Bank { .. } => true,
        };
        prop_assert!(meant, "I9: {command} without its intent");
    }
    let outcome = |command: &&Command| !has(events, EventKind::Outcome, &subject(command));
    if let Some(command) = scene.commands.iter().find(outcome) {
        // A failure that stays is told once.
        let still_fails = !state.last_failures.is_empty() && state.last_failures == failures;
        prop_assert!(still_fails, "I9: {command} without its outcome");
    }
    Ok(())
}

/// I10: the same inputs give the same decision, and so they do after the memory was stored and loaded.
pub fn check_repeatable(scene: &Scene, snapshot: &Snapshot, stored: bool) -> Check {
    let pass = |state: &SiteState| decide::decide(&scene.cfg, state, snapshot, &scene.overrides, &scene.now);
    let once = pass(&scene.state);
    same("the same inputs", &once, &pass(&scene.state))?;
    if stored {
        let text = serde_json::to_vec(&scene.state).unwrap();
        let loaded: SiteState = serde_json::from_slice(&text).unwrap();
        same("stored and loaded", &loaded, &scene.state)?;
        same("from what was stored", &once, &pass(&loaded))?;
    }
    Ok(())
}

/// Whether two are the same; shows where they begin to differ.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, a: &T, b: &T) -> Check {
    if a == b {
        return Ok(());
    }
    let (a, b) = (format!("{a:?}"), format!("{b:?}"));
    let at = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count().saturating_sub(60);
    let part = |text: &str| text.chars().skip(at).take(160).collect::<String>();
    prop_assert!(false, "I10: {what}:\n{}\n{}", part(&a), part(&b));
    Ok(())
}
