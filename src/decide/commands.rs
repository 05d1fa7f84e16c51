//! From wanted and observed to absolute commands, in batches that one pass can carry out. Nothing here weighs safety:
//! the interlocks do that afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use super::budget;
use super::ladder;
use crate::config::{Config, Mode, PduConfig};
use crate::model::{
    Asked, Command, CommandStatus, EventKind, FaultKind, LastGood, MinerReading, MinersPhase, OutletRef, PduReading,
    PowerMode, Rung, SiteState, Snapshot,
};
use crate::units::{Moment, Seconds};

/// A miner is asked again after this long when nothing came of it.
const ASK_AGAIN: Seconds = Seconds(180);
/// The same when the agent says that the miner took it: then asking again seldom helps.
pub(super) const ASK_AGAIN_COMPLETE: Seconds = Seconds(600);
/// The same when Foreman did not take the command or the agent failed.
const ASK_AGAIN_FAILED: Seconds = Seconds(60);
/// A miner that did not wake after so many tries is told less often, and nothing waits for it any more...
const WAKES_MAX: u32 = 6;
const WAKE_SLOWLY: Seconds = Seconds(6 * 3600);
/// ...unless there are more of them than this: then it is Foreman that does not wake them.
const BROKEN_MAX: usize = 5;
/// The same commands are told again after this long.
const TELL_AGAIN: Seconds = Seconds(3600);

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
        MinersPhase::Resuming { group, .. } => commands.extend(start(cfg, next, snapshot, *group, now)),
        MinersPhase::Running => {
            commands.extend(shed(cfg, next, snapshot, now));
            commands.extend(start(cfg, next, snapshot, cfg.miners.resume_groups, now));
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

fn ask_again(asked: &Asked, now: &Moment) -> bool {
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
fn told(next: &SiteState, outlet: &OutletRef, now: &Moment) -> Option<Seconds> {
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

/// The first `groups` groups of what was switched off: their outlets first, their miners when those are on.
fn start(cfg: &Config, next: &SiteState, snapshot: &Snapshot, groups: u32, now: &Moment) -> Vec<Command> {
    let shed = budget::shed(cfg, next, snapshot);
    let cut = next.miners.cut.iter().filter(|outlet| !shed.outlets.contains(outlet));
    let outlets: Vec<&OutletRef> = first_groups(cfg, cut.collect(), groups);
    let off = outlets.into_iter().filter(|outlet| !is_on(snapshot, outlet));
    let again = if next.miners.phase == MinersPhase::Running { ASK_AGAIN_COMPLETE } else { ASK_AGAIN };
    let (mut commands, mut batch, mut holds_up) = (Vec::new(), BTreeMap::new(), false);
    for outlet in off {
        let age = told(next, outlet, now).filter(|_| was_told_on(next, outlet));
        // A miner without power takes no command; but an outlet that does not come back holds up the others only so long.
        let answers = snapshot.pdus.get(&outlet.pdu).is_some_and(Result::is_ok);
        holds_up |= answers && age.is_none_or(|age| age < ASK_AGAIN_FAILED);
        let limit = cfg.pdus.iter().find(|pdu| pdu.name == outlet.pdu).map_or(0, |pdu| pdu.batch);
        let sent: &mut usize = batch.entry(outlet.pdu.as_str()).or_default();
        if *sent < limit && age.is_none_or(|age| age >= again) {
            *sent = sent.saturating_add(1);
            commands.push(Command::Outlet { outlet: outlet.clone(), on: true });
        }
    }
    if holds_up {
        return commands;
    }
    let known: BTreeSet<u64> = snapshot.foreman.iter().flat_map(|f| &f.miners).map(|miner| miner.id).collect();
    let asked = next.miners.asked.iter().filter(|(id, _)| !shed.miners.contains(id));
    let asked: Vec<(&u64, &Asked)> = first_groups(cfg, asked.collect(), groups);
    let few = asked.iter().filter(|(_, asked)| is_off(asked)).count() <= BROKEN_MAX;
    let due = asked.into_iter().filter(|(id, _)| known.contains(id)).filter_map(|(id, asked)| {
        let again = if asked.wakes >= WAKES_MAX && few { WAKE_SLOWLY } else { again };
        if asked.mode == PowerMode::Sleeping {
            Some(Command::Miner { miner: *id, mode: asked.before })
        } else if is_off(asked) && now.since(&asked.at) >= again {
            Some(Command::Miner { miner: *id, mode: asked.mode })
        } else {
            None
        }
    });
    commands.extend(due.take(cfg.foreman.batch));
    commands
}

/// Whether a miner is to be woken still, or no command to wake it came to anything.
pub(super) fn is_off(asked: &Asked) -> bool {
    asked.mode == PowerMode::Sleeping || matches!(asked.status, None | Some(CommandStatus::Failed)) || asked.sleeps_on
}

/// Whether anything that was switched off has not come back yet and is worth waiting for: a few miners that do not wake
/// after many tries are most likely broken; many are not.
pub(super) fn left_off(next: &SiteState) -> bool {
    let off = || next.miners.asked.values().filter(|asked| is_off(asked));
    !next.miners.cut.is_empty() || off().any(|asked| asked.wakes < WAKES_MAX) || off().count() > BROKEN_MAX
}

/// Whether an outlet was told anything since the resume began, or since the miners run again.
fn was_told_on(next: &SiteState, outlet: &OutletRef) -> bool {
    next.miners.outlets_told.contains_key(&outlet.to_string())
}

fn is_on(snapshot: &Snapshot, outlet: &OutletRef) -> bool {
    let reading = snapshot.pdus.get(&outlet.pdu).and_then(|r| r.as_ref().ok());
    reading.and_then(|r| r.outlets.get(&outlet.outlet)).is_some_and(|outlet| outlet.on == Ok(true))
}

fn first_groups<T>(cfg: &Config, all: Vec<T>, groups: u32) -> Vec<T> {
    let total = usize::try_from(cfg.miners.resume_groups.max(1)).unwrap_or(1);
    let groups = usize::try_from(groups).unwrap_or(total);
    let each = all.len().div_ceil(total);
    all.into_iter().take(each.saturating_mul(groups)).collect()
}

/// Remembers what is about to be sent, so that a crash between here and the device loses no intent.
pub(super) fn intend(cfg: &Config, next: &mut SiteState, snapshot: &Snapshot, commands: &[Command], now: &Moment) {
    for command in commands {
        match command {
            Command::Fan { fan, on } => {
                let Some(fan) = next.fans.get_mut(fan) else { continue };
                if fan.commanded.as_ref().map(|command| command.value) != Some(*on) {
                    fan.switchings.push(*now);
                    fan.commanded = Some(LastGood { value: *on, at: *now });
                    fan.disagrees = None;
                } else if fan.relay == Some(!*on) && not_switched_since(fan.disagrees, &fan.switchings, now) {
                    // It had obeyed, and somebody switched it since: it is switched once more.
                    fan.switchings.push(*now);
                }
            }
            Command::Miner { miner, mode } => {
                let known = next.miners.asked.get(miner);
                let before = known.map_or_else(|| mode_before(snapshot, *miner), |asked| asked.before);
                let is_wake = *mode != PowerMode::Sleeping;
                let sleeps_on = is_wake && known.is_some_and(|asked| asked.sleeps_on);
                let wakes = known.filter(|_| is_wake).map_or(0, |asked| asked.wakes).saturating_add(u32::from(is_wake));
                let asked = Asked {
                    mode: *mode,
                    at: *now,
                    command: None,
                    status: None,
                    before,
                    sleeps_on,
                    presumed: false,
                    wakes,
                };
                next.miners.asked.insert(*miner, asked);
            }
            Command::Outlet { outlet, on } => {
                next.miners.outlets_told.insert(outlet.to_string(), *now);
                if !*on {
                    next.miners.cut.insert(outlet.clone());
                }
            }
            Command::Bank { pdu } => super::bank::intend(cfg, next, snapshot, pdu, now),
        }
    }
    let off = commands.iter().any(|command| command.is_safe() && !matches!(command, Command::Fan { .. }));
    if let Some(call) = next.call.as_mut().filter(|call| off && call.first_command.is_none()) {
        call.first_command = Some(*now);
    }
}

/// Whether no switching was counted since a relay began to disagree.
fn not_switched_since(disagrees: Option<Moment>, switchings: &[Moment], now: &Moment) -> bool {
    let last = switchings.last().map(|last| now.since(last));
    disagrees.is_some_and(|since| last.is_none_or(|last| last > now.since(&since)))
}

/// The mode to go back to: what Foreman says the miner has now, else normal.
fn mode_before(snapshot: &Snapshot, miner: u64) -> PowerMode {
    let listed = snapshot.foreman.iter().flat_map(|f| &f.miners).find(|m| m.id == miner);
    listed.and_then(|m| m.mode).filter(|mode| *mode != PowerMode::Sleeping).unwrap_or(PowerMode::Normal)
}

/// One event for each group of commands: fans one by one, miners and outlets together; only when they are others than the
/// last ones, or these were told an hour ago. A device that ignores a command for days must not push the record out.
/// Returns whether they are new.
pub(super) fn announce(
    cfg: &Config,
    next: &mut SiteState,
    commands: &[Command],
    now: &Moment,
    report: &mut Report,
) -> bool {
    let groups = super::outcome::grouped(commands);
    let words: Vec<String> = groups.iter().map(|(subject, what)| format!("{subject}: {what}")).collect();
    // A fan that is told again after a pause was moved by somebody: that is news.
    if words.is_empty() && next.last_commands.iter().any(|words| words.starts_with("fan ")) {
        next.last_commands.clear();
    }
    let is_old = next.last_commands_told.is_none_or(|told| now.since(&told) >= TELL_AGAIN);
    let is_new = !words.is_empty() && words != next.last_commands;
    let is_told = is_new || (is_old && !words.is_empty());
    if is_told {
        next.last_commands = words;
        next.last_commands_told = Some(*now);
    }
    let verb = match cfg.mode {
        Mode::Live => "to be sent",
        Mode::Observe => "not sent (mode = observe)",
    };
    if is_told {
        for (subject, what) in groups {
            report.event(now, EventKind::Command, &subject, format!("{what}: {verb}"));
        }
    }
    is_new
}
