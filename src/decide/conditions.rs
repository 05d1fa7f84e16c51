//! What is wrong in this pass: the conditions that alarms are made of, each with its words. How long they last, and who
//! is told when, is in `alarms`.

use super::alarms::stands;
use super::interlock::Refusal;
use super::judge::{Inputs, Quality};
use super::power::low_for;
use super::signal::{Says, says};
use crate::config::{Config, Mode, PduConfig};
use crate::model::{
    Band, Command, Level, MinersPhase, OffReason, OutletRef, Override, PowerMode, Setting, Severity, SiteState,
    Snapshot,
};
use crate::units::{Moment, Seconds, Watts};

/// Miners that may run and draw less than they should, or are not started, are told after this long.
const LOW_POWER_AFTER: Seconds = Seconds(900);
/// What a person set against the signal is told this often.
const AGAINST_SIGNAL_REMINDER: Seconds = Seconds(3600);

/// A condition that holds in this pass.
pub(super) struct Condition {
    /// What it is called: the same as long as it is the same.
    pub(super) id: String,
    /// How bad it is.
    pub(super) severity: Severity,
    /// What is wrong, with the reading.
    pub(super) text: String,
    /// How often it is told while it stands, if not as its severity is.
    pub(super) reminder: Option<Seconds>,
}

pub(super) fn warning(id: impl Into<String>, text: impl Into<String>) -> Condition {
    Condition { id: id.into(), severity: Severity::Warning, text: text.into(), reminder: None }
}

pub(super) fn emergency(id: impl Into<String>, text: impl Into<String>) -> Condition {
    Condition { id: id.into(), severity: Severity::Emergency, text: text.into(), reminder: None }
}

/// All conditions that hold.
pub(super) fn holding(
    cfg: &Config,
    next: &SiteState,
    inputs: &Inputs,
    snapshot: &Snapshot,
    overrides: &[Override],
    refused: &[Refusal],
    now: &Moment,
) -> Vec<Condition> {
    let mut holding = devices(cfg, next, snapshot);
    holding.extend(signal(cfg, next, now));
    holding.extend(climate(cfg, next, inputs, now));
    holding.extend(super::stuck::conditions(cfg, next, snapshot, now));
    holding.extend(fans(next, inputs));
    holding.extend(miners(cfg, next, inputs, snapshot, now));
    holding.extend(super::drill::conditions(cfg, next, now));
    holding.extend(against_wishes(cfg, next, snapshot, overrides, refused, now));
    holding
}

fn devices(cfg: &Config, next: &SiteState, snapshot: &Snapshot) -> Vec<Condition> {
    let failing = next.devices.iter().filter(|(_, health)| health.failures >= cfg.tick.warn_after_failures);
    let mut found: Vec<Condition> = failing
        .filter_map(|(name, health)| Some((name, health.fault.as_ref()?)))
        .map(|(name, fault)| warning(format!("device {name}"), fault.to_string()))
        .collect();
    let rooms = snapshot.rooms.iter().filter_map(|(name, r)| Some((name, &r.as_ref().ok()?.remarks)));
    let boards = snapshot.boards.iter().filter_map(|(name, b)| Some((name, &b.as_ref().ok()?.remarks)));
    let pdus = snapshot.pdus.iter().filter_map(|(name, p)| Some((name, &p.as_ref().ok()?.remarks)));
    for (name, remarks) in rooms.chain(boards).chain(pdus).filter(|(_, remarks)| !remarks.is_empty()) {
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
            format!("{}; last good reading `{}` {} ago", signal.why, good.value, now.since(&good.at))
        });
        let effect = if next.demand.reasons.contains(&OffReason::Blind) { "the miners are off for it" } else { "held" };
        return Some(warning("signal blind", format!("The power signal cannot be read, {effect}: {last}")));
    }
    let still = signal.changed.map(|changed| now.since(&changed))?;
    (still >= cfg.signal.unchanged_warning).then(|| {
        warning("signal unchanged", format!("The power signal has not changed for {still}: is the page still kept up?"))
    })
}

fn climate(cfg: &Config, next: &SiteState, inputs: &Inputs, now: &Moment) -> Vec<Condition> {
    let mut found = Vec::new();
    let is_off = matches!(next.miners.phase, MinersPhase::Curtailed { .. });
    let drawing = !is_off || inputs.known_watts() > cfg.miners.off_below;
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
        (_, Quality::Good(_) | Quality::Held(..)) => {}
    }
    if let Some(intake) = next.climate.intake.filter(|_| next.climate.shedding) {
        let back = cfg.climate.resume_below;
        found.push(warning("intake hot", format!("Miners are off for heat: intake {intake}, back at {back}")));
    }
    for room in &cfg.rooms {
        for switch in &room.switches {
            let id = format!("switch {}", switch.name);
            let read = inputs.switches.get(&switch.name).copied().flatten();
            // Not read is not over.
            if read == Some(true) || (read.is_none() && stands(next, &id, now)) {
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
    let unproven = next.call.as_ref().filter(|call| off && call.proven.is_none());
    let late = unproven.map(|call| super::ladder::overdue(next, &call.seen, now));
    let limit = cfg.miners.deadline;
    match &next.miners.phase {
        MinersPhase::Fault { since } if off => {
            let again = Seconds(now.since(since).0.saturating_add(limit.0));
            let (what, late) = match late {
                Some(late) => ("Miners NOT proven off", late),
                None if inputs.known_watts() > cfg.miners.off_below => ("Miners came back and are NOT off", again),
                None => ("Miners NOT proven off any more", again),
            };
            let missing = super::ladder::proof(cfg, next, inputs, snapshot).err().unwrap_or_default();
            found.push(not_off(cfg, format!("{what} after {late} (limit {limit}): {missing}")));
        }
        MinersPhase::Curtailed { .. } if off && next.miners.proven_off.is_none() => {
            let text = format!("Miners are off but it cannot be proven now: at least {} drawn", inputs.known_watts());
            let alarm = next.alarms.get("miners unproven").filter(|_| stands(next, "miners unproven", now));
            let lasting = alarm.is_some_and(|alarm| now.since(&alarm.since) >= limit);
            let of = if lasting && cfg.mode == Mode::Live { emergency } else { warning };
            found.push(of("miners unproven".to_owned(), text));
        }
        MinersPhase::Curtailed { since } | MinersPhase::Curtailing { since, .. } | MinersPhase::Fault { since }
            if !off && now.since(since) >= cfg.miners.min_off && waiting_long(cfg, next, now) =>
        {
            let phase = next.miners.phase.word();
            let text = format!("Miners may run and do not start ({phase}): `minectl plan` says what is missing");
            found.push(warning("miners waiting", text));
        }
        MinersPhase::Boot if now.since(&next.demand.since) >= LOW_POWER_AFTER => {
            found.push(warning("miners boot", format!("Nothing is started yet: {}", unread(next, inputs))));
        }
        MinersPhase::Running => found.extend(low_power(next, now)),
        MinersPhase::Boot
        | MinersPhase::Curtailing { .. }
        | MinersPhase::Curtailed { .. }
        | MinersPhase::Resuming { .. }
        | MinersPhase::Fault { .. } => {}
    }
    for pdu in &cfg.pdus {
        if let Some(on) = super::ladder::dead_meter(pdu, snapshot) {
            let text = format!("{} reads 0 W with {on} outlets on: its meter may be dead", pdu.name);
            found.push(warning(format!("meter {}", pdu.name), text));
        }
    }
    found.extend(deaf_foreman(cfg, inputs, snapshot));
    found.extend(not_back(cfg, next, snapshot, now));
    found.extend(off_by_others(cfg, next, snapshot, now));
    if next.miners.shed_groups > 0 {
        let (shed, groups) = (next.miners.shed_groups, cfg.miners.resume_groups);
        let allowed = next.demand.allowed.map_or("less".to_owned(), |allowed| allowed.to_string());
        let text = format!("{shed} of {groups} groups of miners are off: the running fans cool {allowed}");
        found.push(warning("airflow", text));
    }
    found.extend(welded_outlets(cfg, snapshot));
    found
}

/// Foreman that has heard of no miner for long while they draw power: its agent on site is dead, and orders stay there.
fn deaf_foreman(cfg: &Config, inputs: &Inputs, snapshot: &Snapshot) -> Option<Condition> {
    let heard =
        snapshot.foreman.as_ref().ok()?.heard.filter(|heard| cfg.foreman.max_age.is_some_and(|l| *heard > l))?;
    let watts = inputs.known_watts();
    let text =
        format!("Foreman has heard of no miner for {heard} while {watts} are drawn: is its agent (Pickaxe) running?");
    (watts >= cfg.miners.on_above).then(|| warning("agent", text))
}

/// What was not read since the boot.
fn unread(next: &SiteState, inputs: &Inputs) -> String {
    let mut missing = Vec::new();
    if next.signal.last_good.is_none() {
        missing.push("the power signal".to_owned());
    }
    if next.climate.trusted.is_none() {
        missing.push("the intake temperature".to_owned());
    }
    missing
        .extend(inputs.pdus.iter().filter(|(_, watts)| watts.is_err()).map(|(name, _)| format!("the watts of {name}")));
    format!("not read: {}", missing.join(", "))
}

/// Miners that may run and draw much less than they should: all together, or those of one PDU.
fn low_power(next: &SiteState, now: &Moment) -> Vec<Condition> {
    let lasts = |pdu: Option<&str>| low_for(next, pdu, now).is_some_and(|low| low >= LOW_POWER_AFTER);
    if let Some(watts) = next.miners.watts.filter(|_| lasts(None)) {
        return vec![warning("miners idle", format!("Miners may run and draw only {watts}"))];
    }
    let drawn = |pdu: &String| Some((next.miners.pdu_watts.get(pdu)?, next.miners.baselines.get(pdu)?));
    let low = next.miners.low_since.keys().filter(|pdu| lasts(Some(pdu.as_str())));
    low.filter_map(|pdu| Some((pdu, drawn(pdu)?)))
        .map(|(pdu, (now, usual))| {
            warning(format!("low {pdu}"), format!("{pdu} draws {now} of the {usual} it draws when its miners run"))
        })
        .collect()
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

/// Outlets and miners that the resume left behind, some time after it; those that the airflow budget keeps off have
/// an alarm of their own.
fn not_back(cfg: &Config, next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Option<Condition> {
    let is_late = next.miners.back_since.is_none_or(|since| now.since(&since) >= LOW_POWER_AFTER);
    let is_late = is_late && next.miners.shed_since.is_none_or(|since| now.since(&since) >= LOW_POWER_AFTER);
    if next.miners.phase != MinersPhase::Running || !is_late {
        return None;
    }
    let shed = super::budget::shed(cfg, next, snapshot);
    // A drill says itself how its miner does.
    let drilled = super::drill::miner(next);
    let is_drilled = |outlet: &OutletRef| drilled.is_some_and(|miner| miner.outlet.as_ref() == Some(outlet));
    let cut = next.miners.cut.iter().filter(|outlet| !shed.outlets.contains(outlet) && !is_drilled(outlet));
    let cut: Vec<_> = cut.collect();
    let outlets: Vec<String> = cut.iter().take(10).map(ToString::to_string).collect();
    let left = next.miners.asked.iter().filter(|(id, asked)| super::start::is_off(asked) && !shed.miners.contains(id));
    let left = left.filter(|(id, _)| drilled.is_none_or(|miner| miner.id != Some(**id)));
    // With its list unread it is not known which miners are shed.
    let is_listed = snapshot.foreman.is_ok() || next.miners.shed_groups == 0;
    let asleep = if is_listed { left.count() } else { 0 };
    let mut parts = Vec::new();
    if outlets.is_empty() && asleep == 0 {
        return None;
    }
    if !outlets.is_empty() {
        parts.push(format!("{} outlets still off ({})", cut.len(), outlets.join(", ")));
    }
    if asleep > 0 {
        parts.push(format!("{asleep} miners still asleep"));
    }
    Some(warning("miners not back", format!("The miners run again, but not all: {}", parts.join("; "))))
}

/// Miners and outlets that others switched off, in a mine that may run: they are left as they are, and told.
fn off_by_others(cfg: &Config, next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Option<Condition> {
    let miners = &next.miners;
    if miners.phase != MinersPhase::Running || now.since(&next.demand.since) < LOW_POWER_AFTER {
        return None;
    }
    let shed = super::budget::shed(cfg, next, snapshot);
    let listed = snapshot.foreman.iter().flat_map(|foreman| &foreman.miners);
    let asleep = listed.filter(|miner| miner.mode == Some(PowerMode::Sleeping));
    let asleep =
        asleep.filter(|miner| !miners.asked.contains_key(&miner.id) && !shed.miners.contains(&miner.id)).count();
    let reading = |pdu: &PduConfig| snapshot.pdus.get(&pdu.name).and_then(|reading| reading.as_ref().ok());
    let read = cfg.pdus.iter().filter_map(|pdu| Some((pdu, reading(pdu)?)));
    let off = read.flat_map(|(pdu, reading)| {
        let is_off = |id: &&String| reading.outlets.get(*id).is_some_and(|outlet| outlet.on == Ok(false));
        pdu.outlets.iter().filter(is_off).map(|id| OutletRef { pdu: pdu.name.clone(), outlet: id.clone() })
    });
    let off: Vec<String> = off
        .filter(|outlet| !miners.cut.contains(outlet) && !shed.outlets.contains(outlet))
        .map(|outlet| outlet.to_string())
        .collect();
    let mut parts = Vec::new();
    if asleep > 0 {
        parts.push(format!("{asleep} miners asleep"));
    }
    if !off.is_empty() {
        let shown: Vec<&str> = off.iter().take(10).map(String::as_str).collect();
        parts.push(format!("{} outlets off ({})", off.len(), shown.join(", ")));
    }
    let text = format!("Off while the miners may run, and not by this program: {}", parts.join("; "));
    (!parts.is_empty()).then(|| warning("off by others", text))
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
    cfg: &Config,
    next: &SiteState,
    snapshot: &Snapshot,
    overrides: &[Override],
    refused: &[Refusal],
    now: &Moment,
) -> Vec<Condition> {
    let mut found = Vec::new();
    let off = next.signal.level != Level::Run;
    if off && super::demand::run_against_signal(overrides) {
        let text = format!("The miners run by override although the signal says {}", next.signal.level.word());
        let against = warning("override against signal", text);
        found.push(Condition { reminder: Some(AGAINST_SIGNAL_REMINDER), ..against });
    }
    let forced_run = overrides.iter().any(|over| over.setting == Setting::Signal(Level::Run));
    if let (true, Ok(reading)) = (forced_run, &snapshot.signal) {
        let off = says(&cfg.signal.meaning, &reading.value) != Says::Run;
        let against = if off { ", which is not run" } else { "" };
        let text = format!("The signal is set to run by hand; the page says `{}`{against}", reading.text);
        let reminder = off.then_some(AGAINST_SIGNAL_REMINDER);
        found.push(Condition { reminder, ..warning("override signal", text) });
    }
    // The fan that takes over needs a moment to prove itself.
    let settled = cfg.fan_rules.replaced_within();
    for over in overrides.iter().filter(|over| now.since(&over.since) >= settled) {
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
