//! Alarms: conditions that last. Each is told when it is raised, again while it stays (a warning ever more slowly, an
//! emergency steadily until someone acknowledges it), and once when it is gone.

use super::Report;
use super::interlock::Refusal;
use super::judge::{Inputs, Quality};
use crate::config::{Config, Mode};
use crate::model::{
    Alarm, Band, Command, EventKind, Level, MinersPhase, OffReason, Override, PowerMode, Setting, Severity, SiteState,
    Snapshot,
};
use crate::units::{Moment, Seconds, Watts};

/// A condition must be gone for this long before its alarm is over: one that comes and goes is one alarm.
const OVER_AFTER: Seconds = Seconds(180);
/// Miners that should run and draw less than `on_above` for this long are told.
const LOW_POWER_AFTER: Seconds = Seconds(900);
/// The longest time between two reminders of a warning.
const REMINDER_MAX: Seconds = Seconds(7 * 86_400);

/// A condition that holds in this pass.
struct Condition {
    id: String,
    severity: Severity,
    text: String,
}

fn warning(id: impl Into<String>, text: impl Into<String>) -> Condition {
    Condition { id: id.into(), severity: Severity::Warning, text: text.into() }
}

fn emergency(id: impl Into<String>, text: impl Into<String>) -> Condition {
    Condition { id: id.into(), severity: Severity::Emergency, text: text.into() }
}

/// Compares the conditions that hold with the standing alarms.
#[expect(clippy::too_many_arguments, reason = "one pass hands over all that the machines found out")]
pub(super) fn step(
    cfg: &Config,
    next: &mut SiteState,
    inputs: &Inputs,
    snapshot: &Snapshot,
    overrides: &[Override],
    refused: &[Refusal],
    now: &Moment,
    report: &mut Report,
) {
    let mut holding = devices(cfg, next, snapshot);
    holding.extend(signal(cfg, next, now));
    holding.extend(climate(cfg, next, inputs));
    holding.extend(fans(next, inputs));
    holding.extend(miners(cfg, next, inputs, snapshot, now));
    holding.extend(against_wishes(next, snapshot, overrides, refused));

    let gone: Vec<String> =
        next.alarms.keys().filter(|id| !holding.iter().any(|condition| condition.id == **id)).cloned().collect();
    for id in gone {
        let Some(alarm) = next.alarms.get_mut(&id) else { continue };
        let since = *alarm.gone.get_or_insert(*now);
        if now.since(&since) < OVER_AFTER {
            continue;
        }
        if let Some(alarm) = next.alarms.remove(&id) {
            let text = format!("Over after {}: {}", now.since(&alarm.since), alarm.text);
            report.event(now, EventKind::Alarm, &id, text.clone());
            report.notice(now, Severity::Info, text);
        }
    }
    for condition in holding {
        hold(cfg, next, condition, now, report);
    }
}

/// Raises an alarm, or reminds of one that stands.
fn hold(cfg: &Config, next: &mut SiteState, condition: Condition, now: &Moment, report: &mut Report) {
    let Condition { id, severity, text } = condition;
    let raised = next.alarms.get(&id).is_none_or(|alarm| severity > alarm.severity);
    if raised {
        report.event(now, EventKind::Alarm, &id, format!("{}: {text}", severity.word()));
        report.notice(now, severity, text.clone());
        let since = next.alarms.get(&id).map_or(*now, |alarm| alarm.since);
        let alarm = Alarm { severity, text, since, told: *now, times_told: 1, acknowledged_by: None, gone: None };
        next.alarms.insert(id, alarm);
        return;
    }
    let Some(alarm) = next.alarms.get_mut(&id) else { return };
    alarm.text = text;
    alarm.gone = None;
    if alarm.acknowledged_by.is_none() && now.since(&alarm.told) >= reminder(cfg, alarm) {
        let standing = now.since(&alarm.since);
        report.notice(now, severity, format!("{} (for {standing}; `minectl ack {id}` stops reminders)", alarm.text));
        alarm.told = *now;
        alarm.times_told = alarm.times_told.saturating_add(1);
    }
}

fn reminder(cfg: &Config, alarm: &Alarm) -> Seconds {
    match alarm.severity {
        Severity::Emergency => cfg.notify.emergency_reminder,
        Severity::Warning | Severity::Info | Severity::Heartbeat => {
            let doublings = alarm.times_told.saturating_sub(1).min(10);
            Seconds(cfg.notify.warning_reminder.0.saturating_mul(1 << doublings)).min(REMINDER_MAX)
        }
    }
}

fn devices(cfg: &Config, next: &SiteState, snapshot: &Snapshot) -> Vec<Condition> {
    let failing = next.devices.iter().filter(|(_, health)| health.failures >= cfg.tick.warn_after_failures);
    let mut found: Vec<Condition> = failing
        .filter_map(|(name, health)| Some((name, health.fault.as_ref()?)))
        .map(|(name, fault)| warning(format!("device {name}"), fault.to_string()))
        .collect();
    let boards = snapshot.boards.iter().filter_map(|(name, b)| Some((name, &b.as_ref().ok()?.remarks)));
    let pdus = snapshot.pdus.iter().filter_map(|(name, p)| Some((name, &p.as_ref().ok()?.remarks)));
    for (name, remarks) in boards.chain(pdus).filter(|(_, remarks)| !remarks.is_empty()) {
        found.push(warning(format!("remark {name}"), format!("{name}: {}", remarks.join("; "))));
    }
    if !snapshot.troubles.is_empty() {
        found.push(warning("program", format!("The controller's own storage: {}", snapshot.troubles.join("; "))));
    }
    found
}

fn signal(cfg: &Config, next: &SiteState, now: &Moment) -> Option<Condition> {
    let signal = &next.signal;
    if next.demand.reasons.contains(&OffReason::Blind) || (signal.level == Level::Blind && signal.last_good.is_some()) {
        let last = signal.last_good.as_ref();
        let last = last.map_or("it was never read".to_owned(), |good| {
            format!("last good reading `{}` {} ago", good.value, now.since(&good.at))
        });
        let effect = if next.demand.reasons.contains(&OffReason::Blind) { "the miners are off for it" } else { "held" };
        return Some(warning("signal blind", format!("The power signal cannot be read, {effect}: {last}")));
    }
    let still = signal.changed.map(|changed| now.since(&changed))?;
    (still >= cfg.signal.unchanged_warning).then(|| {
        warning("signal unchanged", format!("The power signal has not changed for {still}: is the page still kept up?"))
    })
}

fn climate(cfg: &Config, next: &SiteState, inputs: &Inputs) -> Vec<Condition> {
    let mut found = Vec::new();
    let drawing = next.miners.proven_off.is_none();
    match (&next.climate.band, &inputs.intake) {
        (Band::Critical, Quality::Good(t) | Quality::Held(t, _)) => {
            found.push(emergency("intake critical", format!("The intake is at {t}: critical")));
        }
        (_, Quality::Bad(reason)) if drawing => {
            let text = format!("The intake temperature is lost while miners draw power; all fans on. {reason}");
            found.push(emergency("intake lost", text));
        }
        (_, Quality::Bad(reason)) => {
            found.push(warning("intake lost", format!("The intake temperature is lost. {reason}")));
        }
        (Band::Hot | Band::Warm, _) if next.climate.shedding => {
            let shown = next.climate.intake.map_or("unknown".to_owned(), |t| t.to_string());
            let back = cfg.climate.resume_below;
            found.push(warning("intake hot", format!("Miners are off for heat: intake {shown}, back at {back}")));
        }
        (_, Quality::Good(_) | Quality::Held(..)) => {}
    }
    for room in &cfg.rooms {
        for switch in &room.switches {
            let id = format!("switch {}", switch.name);
            let read = inputs.switches.get(&switch.name).copied().flatten();
            // Not read is not over.
            if read == Some(true) || (read.is_none() && next.alarms.contains_key(&id)) {
                let text = format!("Switch `{}` of {} is in alarm", switch.name, room.name);
                found.push(if switch.stops_mine {
                    emergency(id, text + ": the mine is stopped")
                } else {
                    warning(id, text)
                });
            }
        }
    }
    found
}

fn fans(next: &SiteState, inputs: &Inputs) -> Vec<Condition> {
    let faulty = next.fans.iter().filter_map(|(number, fan)| Some((number, fan.fault?)));
    let mut found: Vec<Condition> =
        faulty.map(|(n, fault)| warning(format!("fan {n}"), format!("Fan {n}: {}", fault.words()))).collect();
    if next.demand.reasons.contains(&OffReason::TooFewFans) {
        let proven = super::miners::proven_fans(next);
        let text = format!("Too little cooling: {proven} fans proven running with {} drawn", inputs.known_watts());
        found.push(emergency("fans too few", text));
    }
    found
}

fn miners(cfg: &Config, next: &SiteState, inputs: &Inputs, snapshot: &Snapshot, now: &Moment) -> Vec<Condition> {
    let mut found = Vec::new();
    let off = !next.demand.reasons.is_empty();
    let late = next.call.as_ref().filter(|call| off && call.proven.is_none()).map(|call| now.since(&call.seen));
    let limit = cfg.miners.deadline;
    match &next.miners.phase {
        MinersPhase::Fault { since } if off => {
            let (what, late) = match late {
                Some(late) => ("Miners NOT proven off", late),
                None => ("Miners came back and are NOT off", Seconds(now.since(since).0.saturating_add(limit.0))),
            };
            let missing = super::ladder::proof(cfg, next, inputs).err().unwrap_or_default();
            found.push(not_off(cfg, format!("{what} after {late} (limit {limit}): {missing}")));
        }
        MinersPhase::Curtailed { .. } if off && next.miners.proven_off.is_none() => {
            let text = format!("Miners are off but it cannot be proven now: at least {} drawn", inputs.known_watts());
            let lasting = next.alarms.get("miners unproven").is_some_and(|alarm| now.since(&alarm.since) >= limit);
            let of = if lasting && cfg.mode == Mode::Live { emergency } else { warning };
            found.push(of("miners unproven".to_owned(), text));
        }
        MinersPhase::Curtailed { since }
            if !off && now.since(since) >= cfg.miners.min_off && waiting_long(cfg, next, now) =>
        {
            found.push(warning("miners waiting", "Miners may run and do not start: see the page's reasons".to_owned()));
        }
        MinersPhase::Running => {
            let idle = next.last_pass.is_some() && now.since(&next.demand.since) >= LOW_POWER_AFTER;
            if let Some(w) = next.miners.watts.filter(|w| idle && *w < cfg.miners.on_above) {
                found.push(warning("miners idle", format!("Miners may run and draw only {w}")));
            }
        }
        MinersPhase::Boot
        | MinersPhase::Curtailing { .. }
        | MinersPhase::Curtailed { .. }
        | MinersPhase::Resuming { .. }
        | MinersPhase::Fault { .. } => {}
    }
    found.extend(not_back(next));
    found.extend(welded_outlets(cfg, snapshot));
    found
}

/// An emergency; in observe mode, where nobody was told to go off, a warning.
fn not_off(cfg: &Config, text: String) -> Condition {
    match cfg.mode {
        Mode::Live => emergency("miners not off", text),
        Mode::Observe => warning("miners not off", format!("{text} (mode = observe: nothing was sent)")),
    }
}

/// Whether the times before a resume were served long ago and still nothing starts.
fn waiting_long(cfg: &Config, next: &SiteState, now: &Moment) -> bool {
    now.since(&next.demand.since).0 >= cfg.miners.resume_after.0.saturating_add(LOW_POWER_AFTER.0)
}

/// Outlets and miners that the resume left behind.
fn not_back(next: &SiteState) -> Option<Condition> {
    if next.miners.phase != MinersPhase::Running || !super::fans::left_off(next) {
        return None;
    }
    let outlets: Vec<String> = next.miners.cut.iter().take(10).map(ToString::to_string).collect();
    let asleep = next.miners.asked.values().filter(|asked| asked.mode == PowerMode::Sleeping).count();
    let mut parts = Vec::new();
    if !outlets.is_empty() {
        parts.push(format!("{} outlets still off ({})", next.miners.cut.len(), outlets.join(", ")));
    }
    if asleep > 0 {
        parts.push(format!("{asleep} miners still asleep"));
    }
    Some(warning("miners not back", format!("The miners run again, but not all: {}", parts.join("; "))))
}

/// Outlets that the PDU calls off and that draw power.
fn welded_outlets(cfg: &Config, snapshot: &Snapshot) -> Vec<Condition> {
    let mut found = Vec::new();
    for (name, pdu) in snapshot.pdus.iter().filter_map(|(name, pdu)| Some((name, pdu.as_ref().ok()?))) {
        let draws = |w: Watts| w > cfg.miners.outlet_off_below;
        let welded = pdu.outlets.iter().filter(|(_, outlet)| {
            outlet.on == Ok(false) && outlet.watts.as_ref().is_ok_and(|watts| draws(watts.value))
        });
        let ids: Vec<&str> = welded.map(|(id, _)| id.as_str()).collect();
        if !ids.is_empty() {
            let text = format!("{name}: {} outlets read off and draw power (welded?): {}", ids.len(), ids.join(" "));
            found.push(warning(format!("welded {name}"), text));
        }
    }
    found
}

/// What a person asked for and what stands against it.
fn against_wishes(
    next: &SiteState,
    snapshot: &Snapshot,
    overrides: &[Override],
    refused: &[Refusal],
) -> Vec<Condition> {
    let mut found = Vec::new();
    let off = next.signal.level != Level::Run;
    if off && super::demand::run_against_signal(overrides) {
        let text = format!("The miners run by override although the signal says {}", next.signal.level.word());
        found.push(warning("override against signal", text));
    }
    let forced_run = overrides.iter().any(|over| over.setting == Setting::Signal(Level::Run));
    if let (true, Ok(reading)) = (forced_run, &snapshot.signal) {
        found.push(warning(
            "override signal",
            format!("The signal is set to run by hand; the page says `{}`", reading.text),
        ));
    }
    for over in overrides {
        let Setting::Fan { fan, on: false } = over.setting else { continue };
        let runs = next.fans.get(&fan).is_some_and(|state| state.wanted);
        let refusal = refused.iter().find(|refusal| refusal.command == Command::Fan { fan, on: false });
        let why = refusal.map(|refusal| refusal.why).or(runs.then_some("the others are not enough"));
        if let Some(why) = why {
            found.push(warning(
                format!("override fan {fan}"),
                format!("Fan {fan} is held off and runs all the same: {why}"),
            ));
        }
    }
    found
}
