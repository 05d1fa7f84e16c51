//! Switching on again what was switched off: outlets before their miners, in groups; and what is still waited for.

use std::collections::{BTreeMap, BTreeSet};

use super::budget;
use super::commands::{ASK_AGAIN, ASK_AGAIN_COMPLETE, ASK_AGAIN_FAILED, told};
use super::drill;
use crate::config::Config;
use crate::model::{Asked, Command, CommandStatus, MinersPhase, OutletRef, PowerMode, SiteState, Snapshot};
use crate::units::{Moment, Seconds};

/// A miner that did not wake after so many tries is told less often, and nothing waits for it any more...
const WAKES_MAX: u32 = 6;
const WAKE_SLOWLY: Seconds = Seconds(6 * 3600);
/// ...unless there are more of them than this: then it is Foreman that does not wake them.
const BROKEN_MAX: usize = 5;
/// The first `groups` groups of what was switched off: their outlets first, their miners when those are on.
pub(super) fn start(cfg: &Config, next: &SiteState, snapshot: &Snapshot, groups: u32, now: &Moment) -> Vec<Command> {
    let shed = budget::shed(cfg, next, snapshot);
    let cut =
        next.miners.cut.iter().filter(|outlet| !shed.outlets.contains(outlet) && !drill::holds_outlet(next, outlet));
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
    let asked = next.miners.asked.iter().filter(|(id, _)| !shed.miners.contains(id) && !drill::holds_miner(next, **id));
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
