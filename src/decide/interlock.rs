//! The last word: takes away every command that must never be sent, whatever rules, holds or overrides want. Each
//! interlock has its letter in the design (I1 to I8) and is a property that tests prove.
//!
//! I2 allows two kinds of fan-off: after the miners are proven down by fresh watts and the run-on has passed; and a step
//! down of the stage while they run, when the intake temperature was read in this pass and enough *other* fans are
//! proven running by fresh watts for it.

use std::collections::BTreeSet;

use super::budget;
use super::fans::fewest_while_drawing;
use super::judge::{Inputs, Quality};
use super::miners::proven_fans;
use super::resume::fans_to_start;
use crate::config::Config;
use crate::model::{Band, Command, MinersPhase, SiteState, Snapshot};
use crate::units::Moment;

/// A command that was taken away, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The command.
    pub command: Command,
    /// The interlock: `I2: miners not proven off`.
    pub why: &'static str,
}

/// Splits proposed commands into those that may be sent and those that must not.
pub fn allowed(
    cfg: &Config,
    next: &SiteState,
    inputs: &Inputs,
    snapshot: &Snapshot,
    now: &Moment,
    proposed: Vec<Command>,
) -> (Vec<Command>, Vec<Refusal>) {
    let mut sent = Vec::new();
    let mut refused = Vec::new();
    let mut stopped: BTreeSet<u8> = BTreeSet::new();
    for command in proposed {
        match forbidden(cfg, next, inputs, snapshot, now, &command, &stopped) {
            Some(why) => refused.push(Refusal { command, why }),
            None => {
                if let Command::Fan { fan, on: false } = command {
                    stopped.insert(fan);
                }
                sent.push(command);
            }
        }
    }
    (sent, refused)
}

fn forbidden(
    cfg: &Config,
    next: &SiteState,
    inputs: &Inputs,
    snapshot: &Snapshot,
    now: &Moment,
    command: &Command,
    stopped: &BTreeSet<u8>,
) -> Option<&'static str> {
    if !is_listed(cfg, snapshot, command) {
        return Some("I6: not listed in the configuration");
    }
    let first_pass = next.last_pass.is_none();
    if first_pass && (command.starts_miners() || !command.is_safe()) {
        return Some("I8: nothing is remembered");
    }
    if command.starts_miners() {
        return start_forbidden(cfg, next, snapshot, command);
    }
    match command {
        Command::Fan { fan, on: false } => fan_off_forbidden(cfg, next, inputs, now, *fan, stopped),
        Command::Fan { on: true, .. } | Command::Miner { .. } | Command::Outlet { .. } | Command::Bank { .. } => None,
    }
}

fn is_listed(cfg: &Config, snapshot: &Snapshot, command: &Command) -> bool {
    match command {
        Command::Fan { fan, .. } => cfg.fans.contains_key(fan),
        // The driver leaves only those miners in the reading that the configuration allows.
        Command::Miner { miner, .. } => snapshot.foreman.iter().any(|f| f.miners.iter().any(|m| m.id == *miner)),
        Command::Outlet { outlet, .. } => {
            let pdu = cfg.pdus.iter().find(|pdu| pdu.name == outlet.pdu);
            pdu.is_some_and(|pdu| pdu.outlets.contains(&outlet.outlet))
        }
        Command::Bank { pdu } => super::bank::is_listed(cfg, pdu),
    }
}

fn start_forbidden(cfg: &Config, next: &SiteState, snapshot: &Snapshot, command: &Command) -> Option<&'static str> {
    if !next.demand.reasons.is_empty() {
        return Some("I1: a reason to be off holds");
    }
    if proven_fans(next) < fans_to_start(cfg, next) {
        return Some("I3: the fans are not proven running");
    }
    let shed = budget::shed(cfg, next, snapshot);
    let is_shed = match command {
        Command::Miner { miner, .. } => shed.miners.contains(miner),
        Command::Outlet { outlet, .. } => shed.outlets.contains(outlet),
        Command::Fan { .. } | Command::Bank { .. } => false,
    };
    // In a resume each group was weighed when it began.
    let is_beyond = next.miners.phase == MinersPhase::Running && !budget::fits(cfg, next);
    if is_shed || is_beyond {
        return Some("I1: the running fans are too few for this group");
    }
    match next.miners.phase {
        MinersPhase::Resuming { .. } | MinersPhase::Running => None,
        MinersPhase::Boot => Some("I8: boot starts no miner"),
        MinersPhase::Curtailing { .. } | MinersPhase::Curtailed { .. } | MinersPhase::Fault { .. } => {
            Some("I1: not resuming")
        }
    }
}

fn fan_off_forbidden(
    cfg: &Config,
    next: &SiteState,
    inputs: &Inputs,
    now: &Moment,
    fan: u8,
    stopped: &BTreeSet<u8>,
) -> Option<&'static str> {
    let rules = &cfg.fan_rules;
    let switched = next.fans.get(&fan).map_or(usize::MAX, |fan| fan.switchings.len());
    if switched >= usize::try_from(rules.max_switchings_per_hour).unwrap_or(usize::MAX) {
        return Some("I7: switched too often in this hour");
    }
    if let Some(off_since) = next.miners.proven_off.as_ref().filter(|_| !next.miners.proof_by_hand)
        && now.since(off_since) >= rules.run_on
        && (off_since.boot == now.boot || now.up >= rules.run_on)
    {
        return match next.miners.phase {
            MinersPhase::Boot => Some("I8: boot stops no fan"),
            MinersPhase::Resuming { .. } => Some("I2: the miners are starting"),
            MinersPhase::Running
            | MinersPhase::Curtailing { .. }
            | MinersPhase::Curtailed { .. }
            | MinersPhase::Fault { .. } => None,
        };
    }
    let Quality::Good(_) = inputs.intake else { return Some("I2: miners not proven off, intake not read just now") };
    if next.miners.phase != MinersPhase::Running || next.climate.shedding {
        return Some("I2: miners not proven off, or run-on not over");
    }
    if !rules.capacity.is_empty() && next.miners.watts.is_none() {
        return Some("I2: the miners' power was not read just now");
    }
    match next.climate.band {
        Band::Unknown | Band::Hot | Band::Critical => return Some("I2: miners draw power and the intake is not cool"),
        Band::Cold | Band::Normal | Band::Warm => {}
    }
    let others = next.fans.iter().filter(|(number, state)| {
        **number != fan
            && !stopped.contains(number)
            && state.proven == Some(true)
            && !state.watts_by_hand
            && state.relay == Some(true)
    });
    if others.count() < fewest_while_drawing(cfg, next) {
        return Some("I2: too few other fans are proven running");
    }
    None
}
