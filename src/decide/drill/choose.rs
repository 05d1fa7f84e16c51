//! Which miner and which fan a drill switches: those that were named, else others than the last time.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Pass, miner};
use crate::config::Config;
use crate::model::{DrillMiner, DrillOrder, FanState, MinerReading, OutletRef, PowerMode, SiteState};
use crate::units::Moment;

/// The miner and the fan; `Err` says why there is none.
pub(super) fn targets(pass: &Pass<'_>, next: &SiteState, order: &DrillOrder) -> Result<(DrillMiner, u8), String> {
    let miner = named_miner(pass, next, order)?;
    miner::runs_now(pass, next, &miner)?;
    let fan = fan(pass.cfg, next, order.fan.or(pass.cfg.drill.fan), pass.now)?;
    Ok((miner, fan))
}

fn named_miner(pass: &Pass<'_>, next: &SiteState, order: &DrillOrder) -> Result<DrillMiner, String> {
    let drill = &pass.cfg.drill;
    if let Some(name) = &order.miner {
        if let Some(outlet) = outlet_named(pass.cfg, name) {
            return Ok(bare(outlet));
        }
        // The configured outlet feeds the configured miner alone.
        let outlet = drill.outlet.clone().filter(|_| drill.miner.as_ref() == Some(name));
        return listed(pass, name, outlet);
    }
    match (&drill.miner, &drill.outlet) {
        (Some(name), outlet) => listed(pass, name, outlet.clone()),
        (None, Some(outlet)) => Ok(bare(outlet.clone())),
        (None, None) => next_miner(pass, next),
    }
}

fn outlet_named(cfg: &Config, text: &str) -> Option<OutletRef> {
    OutletRef::find(text, cfg.pdus.iter().map(|pdu| (pdu.name.as_str(), pdu.outlets.as_slice())))
}

fn bare(outlet: OutletRef) -> DrillMiner {
    DrillMiner { id: None, name: outlet.to_string(), outlet: Some(outlet) }
}

/// The miner of this name or number in Foreman's list. With Foreman out of reach its outlet is what a call would cut.
fn listed(pass: &Pass<'_>, name: &str, outlet: Option<OutletRef>) -> Result<DrillMiner, String> {
    let Ok(foreman) = &pass.snapshot.foreman else {
        return match outlet {
            Some(outlet) => Ok(DrillMiner { id: None, name: name.to_owned(), outlet: Some(outlet) }),
            None => Err("Foreman cannot be reached, and no `outlet` is set in [drill]".to_owned()),
        };
    };
    let found = foreman.miners.iter().find(|miner| miner.name == name || miner.id.to_string() == name);
    let Some(found) = found else {
        return Err(format!("no miner `{name}` in Foreman's list of miners that may be commanded, and no such outlet"));
    };
    Ok(DrillMiner { id: Some(found.id), name: shown(found), outlet })
}

fn shown(miner: &MinerReading) -> String {
    let name: String = miner.name.chars().filter(|c| !c.is_control()).take(40).collect();
    format!("miner {} ({name})", miner.id)
}

/// The miner after the last one, in the order of their numbers, that is seen to run.
fn next_miner(pass: &Pass<'_>, next: &SiteState) -> Result<DrillMiner, String> {
    let Ok(foreman) = &pass.snapshot.foreman else { return Err("Foreman cannot be reached".to_owned()) };
    let runs =
        |miner: &&MinerReading| miner.mode != Some(PowerMode::Sleeping) && !next.miners.asked.contains_key(&miner.id);
    let of = |found: &MinerReading| DrillMiner { id: Some(found.id), name: shown(found), outlet: None };
    let mut miners: Vec<&MinerReading> = foreman.miners.iter().filter(runs).collect();
    // What Foreman calls a miner that runs is not documented: most of them do.
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for miner in &miners {
        let count = words.entry(miner.status.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    let usual = words.into_iter().max_by_key(|(_, count)| *count).map(|(word, _)| word.to_owned());
    miners.retain(|miner| usual.as_ref() == Some(&miner.status));
    let last = next.drill.last_miner.unwrap_or(0);
    miners.sort_by_key(|miner| (miner.id <= last, miner.id));
    let seen = miners.iter().map(|miner| of(miner)).find(|miner| miner::runs_now(pass, next, miner).is_ok());
    seen.ok_or_else(|| {
        "Foreman's list shows of no miner whether it runs; set `outlet` in [drill], whose watts are measured".to_owned()
    })
}

fn fan(cfg: &Config, next: &SiteState, named: Option<u8>, now: &Moment) -> Result<u8, String> {
    if let Some(number) = named {
        let fan = next.fans.get(&number).ok_or_else(|| format!("there is no fan {number}"))?;
        return may_stop(cfg, fan, now).map(|()| number).map_err(|why| format!("fan {number} {why}"));
    }
    let candidates = next.fans.iter().filter(|(_, fan)| may_stop(cfg, fan, now).is_ok());
    // Never switched counts as the longest ago.
    let idle = |fan: &FanState| fan.commanded.as_ref().map_or(u64::MAX, |command| now.since(&command.at).0);
    let oldest = candidates.min_by_key(|(number, fan)| (Reverse(idle(fan)), **number));
    oldest
        .map(|(number, _)| *number)
        .ok_or_else(|| "no fan is proven running and was left alone for long enough".to_owned())
}

/// Whether a fan may be stopped as far as it is itself concerned; the interlocks look at the others.
fn may_stop(cfg: &Config, fan: &FanState, now: &Moment) -> Result<(), &'static str> {
    let rules = &cfg.fan_rules;
    if fan.relay != Some(true) || fan.proven != Some(true) || fan.watts_by_hand || fan.fault.is_some() {
        return Err("is not proven running");
    }
    if fan.commanded.as_ref().is_some_and(|command| now.since(&command.at) < rules.min_switch_time) {
        return Err("was switched just now");
    }
    // Off and on again are two, and the rules keep one to themselves.
    let limit = usize::try_from(rules.max_switchings_per_hour).unwrap_or(usize::MAX);
    if fan.switchings.len().saturating_add(2) > limit {
        return Err("was switched too often in this hour");
    }
    Ok(())
}
