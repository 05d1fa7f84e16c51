//! From wanted and observed to absolute commands, in batches that one pass can carry out. Nothing here weighs safety:
//! the interlocks do that afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::budget;
use super::ladder;
use crate::config::{Config, PduConfig};
use crate::model::{
    Asked, Command, CommandStatus, FaultKind, MinerReading, MinersPhase, OutletRef, PduReading, PowerMode, Rung,
    SiteState, Snapshot,
};
use crate::units::{Moment, Seconds};

/// A miner is asked again after this long when nothing came of it.
pub(super) const ASK_AGAIN: Seconds = Seconds(180);
/// The same when the agent says that the miner took it: then asking again seldom helps.
pub(super) const ASK_AGAIN_COMPLETE: Seconds = Seconds(600);
/// The same when Foreman did not take the command or the agent failed.
pub(super) const ASK_AGAIN_FAILED: Seconds = Seconds(60);

/// What would have to be sent to make observed equal wanted.
pub(super) fn propose(cfg: &Config, next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Vec<Command> {
    let mut commands = fans(next);
    match &next.miners.phase {
        MinersPhase::Boot => {}
        MinersPhase::Curtailing { rung, .. } => {
            commands.extend(sleep(cfg, next, snapshot, now, None));
            match rung {
                Rung::Foreman => commands.extend(keep_cut(cfg, next, snapshot, now)),
                Rung::Outlets => commands.extend(cut(cfg, next, snapshot, now, None)),
                Rung::Bank => commands.extend(cut_all(cfg, next, snapshot, now)),
            }
        }
        MinersPhase::Fault { .. } => {
            commands.extend(sleep(cfg, next, snapshot, now, None));
            commands.extend(cut_all(cfg, next, snapshot, now));
        }
        MinersPhase::Curtailed { since } => {
            // With no reason left what is off waits for its resume, and nothing else is put off.
            if !next.demand.reasons.is_empty() {
                commands.extend(sleep(cfg, next, snapshot, now, None));
            }
            commands.extend(keep_cut(cfg, next, snapshot, now));
            if !next.demand.reasons.is_empty() && now.since(since) >= cfg.miners.sweep_after {
                commands.extend(sweep(cfg, next, snapshot, now));
            }
        }
        MinersPhase::Resuming { group, .. } => commands.extend(super::start::start(cfg, next, snapshot, *group, now)),
        MinersPhase::Running => {
            commands.extend(shed(cfg, next, snapshot, now));
            commands.extend(super::drill::propose(cfg, next, snapshot, now));
            commands.extend(super::start::start(cfg, next, snapshot, cfg.miners.resume_groups, now));
        }
    }
    commands
}

fn fans(next: &SiteState) -> Vec<Command> {
    let differs = |fan: &crate::model::FanState| match fan.relay {
        Some(relay) => relay != fan.wanted,
        // A board that cannot be read is told to let the fan run; it is never told to stop one.
        None => fan.wanted,
    };
    let fans = next.fans.iter().filter(|(_, fan)| differs(fan));
    fans.map(|(number, fan)| Command::Fan { fan: *number, on: fan.wanted }).collect()
}

/// Miners to put to sleep in this pass, the largest first; all of them, or `only` some.
fn sleep(
    cfg: &Config,
    next: &SiteState,
    snapshot: &Snapshot,
    now: &Moment,
    only: Option<&BTreeSet<u64>>,
) -> Vec<Command> {
    let proven = next.miners.proven_off.is_some();
    let due = |miner: &&MinerReading| match next.miners.asked.get(&miner.id) {
        // With outlets cut, whoever was never asked has no power and takes no command.
        None => miner.mode != Some(PowerMode::Sleeping) && (!proven || next.miners.cut.is_empty()),
        // Taken for asleep is not told to sleep.
        Some(asked) if asked.presumed => miner.mode != Some(PowerMode::Sleeping) && !proven,
        Some(asked) if asked.mode != PowerMode::Sleeping => true,
        Some(asked) => !proven && ask_again(asked, now),
    };
    let Ok(foreman) = &snapshot.foreman else { return Vec::new() };
    let chosen = |miner: &&MinerReading| only.is_none_or(|only| only.contains(&miner.id));
    let mut miners: Vec<&MinerReading> = foreman.miners.iter().filter(chosen).filter(due).collect();
    let watts = |miner: &MinerReading| miner.watts.map_or(0.0, |w| w.value());
    let asked = |miner: &MinerReading| {
        next.miners.asked.get(&miner.id).filter(|a| a.mode == PowerMode::Sleeping && !a.presumed)
    };
    // Those not asked since the ladder began come first: miners that fail must not keep the others from their turn.
    let on_ladder = ladder::since(&next.miners.phase).map_or(u64::MAX, |since| now.since(&since).0);
    let waited = |miner: &MinerReading| {
        let age = asked(miner).map_or(u64::MAX, |asked| now.since(&asked.at).0);
        if age > on_ladder { u64::MAX } else { age }
    };
    miners.sort_by(|a, b| waited(b).cmp(&waited(a)).then(watts(b).total_cmp(&watts(a))).then(a.id.cmp(&b.id)));
    let commands = miners.into_iter().map(|miner| Command::Miner { miner: miner.id, mode: PowerMode::Sleeping });
    commands.take(cfg.foreman.batch).collect()
}

pub(super) fn ask_again(asked: &Asked, now: &Moment) -> bool {
    let age = now.since(&asked.at);
    match asked.status {
        Some(CommandStatus::Failed) | None => age >= ASK_AGAIN_FAILED,
        Some(CommandStatus::Pending | CommandStatus::InProgress | CommandStatus::Unknown) => age >= ASK_AGAIN,
        Some(CommandStatus::Complete) => age >= ASK_AGAIN_COMPLETE,
    }
}

/// The miners of the groups that the airflow budget keeps off; by their outlets when Foreman cannot be reached or does
/// not bring the power down in its time.
fn shed(cfg: &Config, next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Vec<Command> {
    let shed = budget::shed(cfg, next, snapshot);
    if next.miners.shed_groups == 0 {
        return Vec::new();
    }
    let is_late = next.miners.shed_since.is_some_and(|since| now.since(&since) >= cfg.miners.foreman_limit);
    let is_over = next.demand.allowed.zip(next.miners.watts).is_none_or(|(allowed, watts)| watts > allowed);
    let already = next.miners.cut.iter().any(|outlet| shed.outlets.contains(outlet));
    // Whoever was put to sleep is asked again only while the power has not come down.
    let awake = |id: &u64| next.miners.asked.get(id).is_none_or(|asked| asked.mode != PowerMode::Sleeping);
    let miners: BTreeSet<u64> = shed.miners.iter().copied().filter(|id| is_over || awake(id)).collect();
    let mut commands = sleep(cfg, next, snapshot, now, Some(&miners));
    if ladder::foreman_unreachable(snapshot) || already || (is_late && is_over) {
        commands.extend(cut(cfg, next, snapshot, now, Some(&shed.outlets)));
    }
    commands
}

/// The banks with an outlet that still draws power, or of which nothing is known; and such outlets one by one as well,
/// in case a bank does not obey.
fn cut_all(cfg: &Config, next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Vec<Command> {
    let mut commands = Vec::new();
    for (pdu, bank) in cfg.pdus.iter().filter_map(|pdu| Some((pdu, pdu.bank.as_ref()?))) {
        let reading = fresh(next, snapshot, pdu);
        if bank.outlets.iter().any(|id| draws(cfg, next, pdu, reading, id, now)) {
            commands.push(Command::Bank { pdu: pdu.name.clone() });
        }
    }
    commands.extend(cut(cfg, next, snapshot, now, None));
    commands
}

/// Outlets whose miners run on while all the others are proven off: their miners do not obey, or are no one's.
fn sweep(cfg: &Config, next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Vec<Command> {
    let mut batch: BTreeMap<String, usize> = BTreeMap::new();
    let paced = |outlet: &OutletRef| told(next, outlet, now).is_none_or(|age| age >= ASK_AGAIN_FAILED);
    let mut commands = Vec::new();
    for outlet in ladder::stragglers(cfg, next, snapshot).into_iter().filter(paced) {
        let limit = cfg.pdus.iter().find(|pdu| pdu.name == outlet.pdu).map_or(0, |pdu| pdu.batch);
        let sent = batch.entry(outlet.pdu.clone()).or_default();
        if *sent < limit {
            *sent = sent.saturating_add(1);
            commands.push(Command::Outlet { outlet, on: false });
        }
    }
    commands
}

/// Outlets that still draw power, or of which nothing is known: cut, a batch on each PDU; all of them, or `only` some.
fn cut(
    cfg: &Config,
    next: &SiteState,
    snapshot: &Snapshot,
    now: &Moment,
    only: Option<&BTreeSet<OutletRef>>,
) -> Vec<Command> {
    let mut commands = Vec::new();
    for pdu in &cfg.pdus {
        let reading = fresh(next, snapshot, pdu);
        let chosen = |id: &&String| {
            only.is_none_or(|only| only.contains(&OutletRef { pdu: pdu.name.clone(), outlet: (*id).clone() }))
        };
        // A meter that says nothing is no reason to leave an outlet on.
        let is_blind = ladder::dead_meter(pdu, snapshot).is_some();
        let is_on = |id: &str| reading.and_then(|r| r.outlets.get(id)).is_some_and(|outlet| outlet.on == Ok(true));
        let is_due = |id: &&String| draws(cfg, next, pdu, reading, id, now) || (is_blind && is_on(id));
        let mut due: Vec<&String> = pdu.outlets.iter().filter(chosen).filter(is_due).collect();
        commands.extend(cut_in_turn(next, pdu, &mut due, now));
    }
    commands
}

/// What a PDU says, unless its answer is an old one: a stale reading proves no outlet off.
pub(super) fn fresh<'a>(next: &SiteState, snapshot: &'a Snapshot, pdu: &PduConfig) -> Option<&'a PduReading> {
    let fault = next.devices.get(&pdu.name).and_then(|health| health.fault.as_ref());
    let is_stale = fault.is_some_and(|fault| fault.kind == FaultKind::Stale);
    snapshot.pdus.get(&pdu.name).and_then(|reading| reading.as_ref().ok()).filter(|_| !is_stale)
}

fn draws(
    cfg: &Config,
    next: &SiteState,
    pdu: &PduConfig,
    reading: Option<&PduReading>,
    id: &str,
    now: &Moment,
) -> bool {
    let outlet = OutletRef { pdu: pdu.name.clone(), outlet: id.to_owned() };
    let cut_before = next.miners.cut.contains(&outlet);
    // Whatever cannot be read is told again at a measured pace: the command may have been lost.
    let due_blindly = !cut_before || told(next, &outlet, now).is_none_or(|age| age >= ASK_AGAIN_FAILED);
    let Some(reading) = reading.and_then(|reading| reading.outlets.get(id)) else { return due_blindly };
    match (&reading.on, &reading.watts) {
        (_, Ok(watts)) if watts.age > pdu.max_age => due_blindly,
        (Ok(false), _) => false,
        (Ok(true), _) if cut_before => true,
        (_, Ok(watts)) => watts.value > cfg.miners.outlet_off_below,
        (_, Err(_)) => due_blindly,
    }
}

/// How long ago an outlet was last told something.
pub(super) fn told(next: &SiteState, outlet: &OutletRef, now: &Moment) -> Option<Seconds> {
    next.miners.outlets_told.get(&outlet.to_string()).map(|at| now.since(at))
}

/// A batch of these outlets off: those never told before those told long ago, as outlets that stick must not keep the
/// others from their turn.
fn cut_in_turn(next: &SiteState, pdu: &PduConfig, due: &mut [&String], now: &Moment) -> Vec<Command> {
    let waited = |id: &str| {
        let outlet = OutletRef { pdu: pdu.name.clone(), outlet: id.to_owned() };
        told(next, &outlet, now).map_or(u64::MAX, |age| age.0)
    };
    due.sort_by_key(|id| std::cmp::Reverse(waited(id)));
    due.iter().take(pdu.batch).map(|id| outlet(pdu, id, false)).collect()
}

/// Outlets that we cut and that are on again, by whatever hand: cut stays cut while off holds.
fn keep_cut(cfg: &Config, next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Vec<Command> {
    let mut commands = Vec::new();
    for pdu in &cfg.pdus {
        let Some(Ok(reading)) = snapshot.pdus.get(&pdu.name) else { continue };
        let of = |id: &String| OutletRef { pdu: pdu.name.clone(), outlet: id.clone() };
        let is_due = |id: &&String| {
            next.miners.cut.contains(&of(id)) && reading.outlets.get(*id).is_some_and(|outlet| outlet.on == Ok(true))
        };
        let mut due: Vec<&String> = pdu.outlets.iter().filter(is_due).collect();
        commands.extend(cut_in_turn(next, pdu, &mut due, now));
    }
    commands
}

fn outlet(pdu: &PduConfig, id: &str, on: bool) -> Command {
    Command::Outlet { outlet: OutletRef { pdu: pdu.name.clone(), outlet: id.to_owned() }, on }
}
