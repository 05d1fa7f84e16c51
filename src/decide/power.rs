//! What the miners draw when they run, learnt for each PDU: what a proof of off, the airflow budget and a resume are
//! judged by.

use super::judge::Inputs;
use crate::config::Config;
use crate::model::{MinersPhase, SiteState};
use crate::units::{Moment, Seconds, Watts};

/// A baseline follows a falling power by this share of the difference in each pass.
const BASELINE_FALL: f64 = 0.02;
/// Groups that run and draw less than this share of what was learnt show that it was learnt too high.
const LOW_SHARE: f64 = 0.8;
/// A PDU that draws less than this share of what it drew is told.
const HALF: f64 = 0.5;
/// The name of all PDUs together in `low_since`; no PDU has an empty name.
const ALL: &str = "";

/// Learns what each PDU draws while all its miners run.
pub(super) fn learn(cfg: &Config, next: &mut SiteState, inputs: &Inputs, now: &Moment) {
    note_low(cfg, next, inputs, now);
    let settled = next.miners.phase == MinersPhase::Running
        && next.demand.reasons.is_empty()
        && next.miners.shed_groups == 0
        && !next.miners.proof_by_hand
        && !super::start::left_off(next);
    next.miners.baselines.retain(|name, _| cfg.pdus.iter().any(|pdu| pdu.name == *name));
    let before = std::mem::take(&mut next.miners.pdu_watts);
    let read = inputs.pdus.iter().filter_map(|(name, watts)| Some((name, *watts.as_ref().ok()?)));
    next.miners.pdu_watts = read.map(|(name, watts)| (name.clone(), watts)).collect();
    unlearn(cfg, next, now);
    if !settled || next.miners.watts.is_none_or(|watts| watts < cfg.miners.on_above) {
        return;
    }
    for (name, watts) in &next.miners.pdu_watts {
        let known = next.miners.baselines.entry(name.clone()).or_insert(*watts);
        // One wild reading teaches nothing: what two in a row show does.
        let shown = before.get(name).map_or(*watts, |before| if before < watts { *before } else { *watts });
        let fallen = known.value() + (shown.value() - known.value()) * BASELINE_FALL;
        *known = if shown > *known { shown } else { Watts::new(fallen).unwrap_or(shown) };
    }
}

/// With groups shed nothing is learnt, but what was learnt too high must not keep them off for ever: it falls while those
/// that run show that all together draw much less.
fn unlearn(cfg: &Config, next: &mut SiteState, now: &Moment) {
    let settled = next.miners.shed_since.is_some_and(|since| now.since(&since) >= cfg.miners.group_limit);
    let groups = cfg.miners.resume_groups;
    let running = groups.saturating_sub(next.miners.shed_groups);
    if next.miners.phase != MinersPhase::Running || next.miners.shed_groups == 0 || running == 0 || !settled {
        return;
    }
    let Some(drawn) = next.miners.watts.filter(|_| !next.miners.proof_by_hand) else { return };
    let all = drawn.value() * f64::from(groups) / f64::from(running);
    let learnt = Watts::sum(next.miners.baselines.values().copied());
    if all < learnt.value() * LOW_SHARE {
        for known in next.miners.baselines.values_mut() {
            *known = Watts::new(known.value() * (1.0 - BASELINE_FALL)).unwrap_or(*known);
        }
    }
}

/// Notes since when the mine, or a PDU by itself, draws much less than it should while the miners may run.
fn note_low(cfg: &Config, next: &mut SiteState, inputs: &Inputs, now: &Moment) {
    let runs =
        next.miners.phase == MinersPhase::Running && next.demand.reasons.is_empty() && next.miners.shed_groups == 0;
    let mut low: Vec<String> = Vec::new();
    if runs && next.miners.watts.is_some_and(|watts| watts < cfg.miners.on_above) {
        low.push(ALL.to_owned());
    }
    let known = |name: &String| next.miners.baselines.get(name).map(|known| known.value());
    let read = inputs.pdus.iter().filter_map(|(name, watts)| Some((name, watts.as_ref().ok()?)));
    let is_low = |(name, watts): &(&String, &Watts)| known(name).is_some_and(|known| watts.value() < known * HALF);
    low.extend(read.filter(|_| runs).filter(is_low).map(|(name, _)| name.clone()));
    next.miners.low_since.retain(|name, _| low.contains(name));
    for name in low {
        next.miners.low_since.entry(name).or_insert(*now);
    }
}

/// How long the mine (`None`) or a PDU has drawn much less than it should; `None` when it does not.
pub(super) fn low_for(next: &SiteState, pdu: Option<&str>, now: &Moment) -> Option<Seconds> {
    next.miners.low_since.get(pdu.unwrap_or(ALL)).map(|since| now.since(since))
}

/// What all miners draw together when they run, as far as it was learnt.
pub(super) fn full_power(cfg: &Config, next: &SiteState) -> Watts {
    let learnt = Watts::sum(next.miners.baselines.values().copied());
    let before = next.call.as_ref().and_then(|call| call.watts_before).unwrap_or(Watts::ZERO);
    [learnt, before, cfg.miners.on_above].into_iter().fold(Watts::ZERO, |most, w| if w > most { w } else { most })
}

/// Whether it is known what all miners draw together.
pub(super) fn power_is_known(cfg: &Config, next: &SiteState) -> bool {
    let before = next.call.as_ref().and_then(|call| call.watts_before);
    !next.miners.baselines.is_empty() || before.is_some_and(|watts| watts >= cfg.miners.on_above)
}

/// The watts above which an outlet feeds a miner that runs: half of a miner's share of its PDU's baseline, at least
/// `outlet_off_below`.
pub(super) fn runs_above(cfg: &Config, next: &SiteState, pdu: &str, outlets: usize) -> Watts {
    let share = next.miners.baselines.get(pdu).map_or(0.0, |baseline| baseline.value() / outlets.max(1) as f64 / 2.0);
    let least = cfg.miners.outlet_off_below;
    Watts::new(share.max(least.value())).unwrap_or(least)
}

/// Half of what one group of all miners draws: this much more shows that a group came back. Some miners of every group
/// take longer, and some never come back.
pub(super) fn half_a_group(cfg: &Config, next: &SiteState) -> f64 {
    full_power(cfg, next).value() / f64::from(cfg.miners.resume_groups.max(1)) / 2.0
}
