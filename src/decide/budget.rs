//! The airflow budget: the miner power that the running fans can cool at the outdoor temperature. When the miners draw
//! more for a while, the last groups go off, as many as it takes and before everything does; they come back one by one
//! when the fans are there again.

use std::collections::BTreeSet;

use super::Report;
use super::judge::{Inputs, Quality};
use super::miners::proven_fans;
use super::power::full_power;
use crate::config::{Config, ProbeRole};
use crate::model::{EventKind, MinersPhase, OutletRef, Severity, SiteState, Snapshot};
use crate::units::{Moment, Seconds, Temperature, Watts};

/// One pass: the budget, and how many groups it keeps off.
pub(super) fn step(cfg: &Config, next: &mut SiteState, inputs: &Inputs, now: &Moment, report: &mut Report) {
    next.demand.allowed = allowed(cfg, next, inputs);
    match next.miners.phase {
        MinersPhase::Running => {}
        MinersPhase::Boot | MinersPhase::Curtailed { .. } | MinersPhase::Resuming { .. } => {
            let before = std::mem::take(&mut next.miners.shed_groups);
            if before > 0 {
                let phase = next.miners.phase.word();
                report.event(now, EventKind::State, "airflow", format!("no groups shed (before: {before}): {phase}"));
            }
            return clear(next);
        }
        // Until they are proven off, what was shed stays shed.
        MinersPhase::Curtailing { .. } | MinersPhase::Fault { .. } => return clear(next),
    }
    let groups = cfg.miners.resume_groups;
    let drawn = inputs.known_watts();
    let fit = groups_that_fit(cfg, next);
    let before = next.miners.shed_groups;
    let settled = |limit: Seconds| next.miners.shed_since.is_none_or(|since| now.since(&since) >= limit);
    let over = next.demand.allowed.is_some_and(|allowed| drawn > allowed);
    let back = before > 0 && fit > groups.saturating_sub(before) && proven_fans(next) >= fans_back(cfg);
    let (pace_off, pace_on) = (settled(cfg.miners.foreman_limit), settled(cfg.miners.group_limit));
    let over_for = lasting(&mut next.demand.over_since, over, now);
    let under_for = lasting(&mut next.demand.under_since, back && !over, now);
    let shed = if over_for.is_some_and(|span| span >= cfg.fan_rules.replaced_within()) && pace_off {
        before.saturating_add(1).max(groups.saturating_sub(fit)).min(groups)
    } else if under_for.is_some_and(|span| span >= cfg.miners.resume_after) && pace_on {
        before.saturating_sub(1)
    } else {
        before
    };
    if let Some(allowed) = next.demand.allowed {
        let proven = proven_fans(next);
        report.why(
            "airflow",
            format!("{proven} proven fans, budget {allowed}, {drawn} drawn, {shed} of {groups} groups off"),
        );
    }
    if shed != before {
        let allowed =
            next.demand.allowed.map_or("no budget".to_owned(), |allowed| format!("the running fans cool {allowed}"));
        let text = format!("{shed} of {groups} groups off (before: {before}): {allowed}, {drawn} drawn");
        report.event(now, EventKind::State, "airflow", text.clone());
        let severity = if shed > before { Severity::Warning } else { Severity::Info };
        report.notice(now, severity, format!("Airflow: {text}"));
        next.miners.shed_groups = shed;
        next.miners.shed_since = Some(*now);
        clear(next);
    }
}

fn clear(next: &mut SiteState) {
    next.demand.over_since = None;
    next.demand.under_since = None;
}

/// How long a condition has lasted; `None` while it does not hold.
fn lasting(since: &mut Option<Moment>, holds: bool, now: &Moment) -> Option<Seconds> {
    *since = holds.then(|| since.unwrap_or(*now));
    since.map(|since| now.since(&since))
}

fn fans_back(cfg: &Config) -> usize {
    usize::from(cfg.fan_rules.before_resume)
}

/// The power that the fans believed running can cool; `None` without a capacity in the configuration.
fn allowed(cfg: &Config, next: &mut SiteState, inputs: &Inputs) -> Option<Watts> {
    next.climate.capacity = row(cfg, next.climate.capacity, outdoor(cfg, inputs));
    let each = each(cfg, next)?;
    let believed = super::fans::believed(next);
    Watts::new(each.value() * believed as f64).ok()
}

/// What one fan can cool now.
fn each(cfg: &Config, next: &SiteState) -> Option<Watts> {
    let rows = &cfg.fan_rules.capacity;
    rows.get(next.climate.capacity).or(rows.last()).map(|row| row.each)
}

/// The row of the capacity for a temperature, with the fans' hysteresis; the last one when nothing is known.
fn row(cfg: &Config, current: usize, outdoor: Option<Temperature>) -> usize {
    let rows = &cfg.fan_rules.capacity;
    let last = rows.len().saturating_sub(1);
    let Some(t) = outdoor else { return last };
    let above: Vec<Temperature> = rows.iter().map(|row| row.above).collect();
    super::climate::with_hysteresis(&above, cfg.fan_rules.hysteresis_k, current, t)
}

/// The hottest outdoor probe that can be trusted, else the intake.
fn outdoor(cfg: &Config, inputs: &Inputs) -> Option<Temperature> {
    let outdoor = cfg.rooms.iter().flat_map(|room| &room.probes).filter(|probe| probe.role == ProbeRole::Outdoor);
    let values = outdoor.filter_map(|probe| inputs.probes.get(&probe.name).and_then(Quality::value));
    values
        .fold(None, |hottest: Option<Temperature>, t| Some(hottest.map_or(t, |h| if t > h { t } else { h })))
        .or(inputs.intake.value())
}

/// What so many groups draw together.
pub(super) fn power_of(cfg: &Config, next: &SiteState, groups: u32) -> Watts {
    let share = f64::from(groups) / f64::from(cfg.miners.resume_groups.max(1));
    Watts::new(full_power(cfg, next).value() * share).unwrap_or(Watts::ZERO)
}

/// Whether the budget allows all groups that are not shed.
pub(super) fn fits(cfg: &Config, next: &SiteState) -> bool {
    groups_that_fit(cfg, next) >= cfg.miners.resume_groups.saturating_sub(next.miners.shed_groups)
}

/// How many groups the budget allows.
fn groups_that_fit(cfg: &Config, next: &SiteState) -> u32 {
    let Some(allowed) = next.demand.allowed else { return cfg.miners.resume_groups };
    (0..=cfg.miners.resume_groups).rev().find(|groups| power_of(cfg, next, *groups) <= allowed).unwrap_or(0)
}

/// How many fans the power that is drawn needs; 0 without a capacity in the configuration.
pub(super) fn fans_for_power(cfg: &Config, next: &SiteState) -> usize {
    // Watts set by hand cool nothing: they count only where they ask for more.
    let by_hand = next.miners.proof_by_hand.then(|| full_power(cfg, next));
    let drawn = by_hand.into_iter().chain(next.miners.watts);
    drawn.map(|watts| fans_for(cfg, next, watts)).max().unwrap_or(0)
}

/// How many fans so much power needs; 0 without a capacity in the configuration.
pub(super) fn fans_for(cfg: &Config, next: &SiteState, power: Watts) -> usize {
    let Some(each) = each(cfg, next) else { return 0 };
    let all = next.fans.len();
    (0..=all).find(|count| each.value() * (*count as f64) >= power.value()).unwrap_or(all)
}

/// What is shed: the miners of the last groups, and the outlets of the last groups.
#[derive(Debug, Default)]
pub(super) struct Shed {
    pub(super) miners: BTreeSet<u64>,
    pub(super) outlets: BTreeSet<OutletRef>,
}

/// The miners and outlets of the groups that are shed.
pub(super) fn shed(cfg: &Config, next: &SiteState, snapshot: &Snapshot) -> Shed {
    let groups = cfg.miners.resume_groups.max(1);
    let off = next.miners.shed_groups.min(groups);
    if off == 0 {
        return Shed::default();
    }
    let mut miners: Vec<u64> = snapshot.foreman.iter().flat_map(|f| &f.miners).map(|miner| miner.id).collect();
    miners.sort_unstable();
    let outlet = |pdu: &str, id: &String| OutletRef { pdu: pdu.to_owned(), outlet: id.clone() };
    let outlets: Vec<OutletRef> =
        cfg.pdus.iter().flat_map(|pdu| pdu.outlets.iter().map(|id| outlet(&pdu.name, id))).collect();
    let kept = |all: usize| all.div_ceil(groups as usize).saturating_mul(groups.saturating_sub(off) as usize);
    Shed {
        miners: miners.iter().skip(kept(miners.len())).copied().collect(),
        outlets: outlets.iter().skip(kept(outlets.len())).cloned().collect(),
    }
}
