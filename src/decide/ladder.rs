//! The ladder down: Foreman, the PDU outlets of whatever still draws power, the PDUs' own banks; each rung climbed when
//! its time is over or at once when the one before cannot be reached, and never climbed down. What proves the miners
//! off, and when they are late.

use super::judge::Inputs;
use crate::config::Config;
use crate::model::{Call, FaultKind, MinersPhase, OutletReading, OutletRef, PduReading, Rung, SiteState, Snapshot};
use crate::units::{Moment, Seconds, Watts};

/// A baseline follows a falling power by this share of the difference in each pass, a rising one at once.
const BASELINE_FALL: f64 = 0.02;

/// The first step off: Foreman, or the outlets at once when Foreman cannot be reached. The record of the call begins
/// here, or goes on when this one was not over.
pub(super) fn enter(next: &mut SiteState, inputs: &Inputs, snapshot: &Snapshot, now: &Moment) -> MinersPhase {
    let rung = if foreman_unreachable(snapshot) { Rung::Outlets } else { Rung::Foreman };
    let reasons = next.demand.reasons.clone();
    let goes_on = match next.miners.phase {
        MinersPhase::Curtailed { .. } | MinersPhase::Curtailing { .. } | MinersPhase::Fault { .. } => true,
        // A resume that is broken off is a call of its own.
        MinersPhase::Boot | MinersPhase::Running | MinersPhase::Resuming { .. } => false,
    };
    if !goes_on || next.call.is_none() {
        next.call = Some(Call {
            seen: next.demand.since,
            first_command: None,
            watts_before: inputs.miner_watts(),
            proven: None,
            rung: None,
            reasons: reasons.clone(),
        });
    }
    if let Some(call) = &mut next.call {
        call.reasons.extend(reasons);
        call.rung = call.rung.max(Some(rung));
    }
    // What was asked before this moment proves nothing now: ask again.
    for asked in next.miners.asked.values_mut() {
        asked.command = None;
        asked.status = None;
    }
    MinersPhase::Curtailing { since: *now, rung, rung_since: *now }
}

/// The next rung when this one's time is over or it cannot be reached.
pub(super) fn climb(
    cfg: &Config,
    (since, rung, rung_since): (Moment, Rung, Moment),
    snapshot: &Snapshot,
    now: &Moment,
) -> MinersPhase {
    let on_rung = now.since(&rung_since);
    let next = match rung {
        Rung::Foreman if on_rung >= cfg.miners.foreman_limit || foreman_unreachable(snapshot) => Rung::Outlets,
        Rung::Outlets if on_rung >= cfg.miners.outlets_limit && has_bank(cfg) => Rung::Bank,
        Rung::Foreman | Rung::Outlets | Rung::Bank => return MinersPhase::Curtailing { since, rung, rung_since },
    };
    MinersPhase::Curtailing { since, rung: next, rung_since: *now }
}

fn has_bank(cfg: &Config) -> bool {
    cfg.pdus.iter().any(|pdu| pdu.bank.is_some())
}

/// Whether Foreman gives nothing to work with: no answer at all, or no miner that we may command.
pub(super) fn foreman_unreachable(snapshot: &Snapshot) -> bool {
    match &snapshot.foreman {
        Ok(reading) => reading.miners.is_empty(),
        Err(fault) => match fault.kind {
            FaultKind::Unreachable
            | FaultKind::TimedOut
            | FaultKind::Broken
            | FaultKind::Refused
            | FaultKind::Status
            | FaultKind::Unreadable
            | FaultKind::WrongDevice
            | FaultKind::Missing
            | FaultKind::OutOfRange
            | FaultKind::Stale
            | FaultKind::NotObeyed => true,
        },
    }
}

/// How long the miners should have been off: from the moment the reason was seen, or, once this call was proven, from
/// the moment they came back.
pub(super) fn overdue(next: &SiteState, since: &Moment, now: &Moment) -> Seconds {
    match next.call.as_ref().filter(|call| call.proven.is_none()) {
        Some(call) => now.since(&call.seen),
        None => now.since(since),
    }
}

/// Whether fresh watts prove the miners off; else what is missing. All PDUs together must be at or below `off_below`,
/// and each by itself at or below its share of what it drew while its miners ran: the limit of all must not hide one
/// PDU that never obeyed.
pub(super) fn proof(cfg: &Config, next: &SiteState, inputs: &Inputs) -> Result<Watts, String> {
    let limit = cfg.miners.off_below;
    let Some(watts) = inputs.miner_watts() else {
        let unread: Vec<&str> = inputs.pdus.iter().filter(|(_, w)| w.is_err()).map(|(name, _)| name.as_str()).collect();
        return Err(format!("no fresh watts from {}", unread.join(", ")));
    };
    if watts > limit {
        return Err(format!("{watts} measured, off at or below {limit}"));
    }
    for pdu in &cfg.pdus {
        let (Some(Ok(watts)), Some(baseline)) = (inputs.pdus.get(&pdu.name), next.miners.baselines.get(&pdu.name))
        else {
            continue;
        };
        // What sleeping miners may draw is never held against it.
        let asleep = cfg.miners.outlet_off_below.value() * pdu.outlets.len() as f64;
        let share = baseline.value() * cfg.miners.off_share;
        if watts.value() > share.max(asleep) {
            return Err(format!("{} draws {watts} of the {baseline} it draws when its miners run", pdu.name));
        }
    }
    Ok(watts)
}

/// Learns what each PDU draws while all its miners run.
pub(super) fn learn_baselines(cfg: &Config, next: &mut SiteState, inputs: &Inputs) {
    let settled = next.miners.phase == MinersPhase::Running
        && next.demand.reasons.is_empty()
        && next.miners.shed_groups == 0
        && !super::fans::left_off(next);
    next.miners.baselines.retain(|name, _| cfg.pdus.iter().any(|pdu| pdu.name == *name));
    if !settled || next.miners.watts.is_none_or(|watts| watts < cfg.miners.on_above) {
        return;
    }
    for (name, watts) in inputs.pdus.iter().filter_map(|(name, watts)| Some((name, watts.as_ref().ok()?))) {
        let known = next.miners.baselines.entry(name.clone()).or_insert(*watts);
        let fallen = known.value() + (watts.value() - known.value()) * BASELINE_FALL;
        *known = if watts > known { *watts } else { Watts::new(fallen).unwrap_or(*watts) };
    }
}

/// What all miners draw together when they run, as far as it was learnt.
pub(super) fn full_power(cfg: &Config, next: &SiteState) -> Watts {
    let learnt = Watts::sum(next.miners.baselines.values().copied());
    let before = next.call.as_ref().and_then(|call| call.watts_before).unwrap_or(Watts::ZERO);
    [learnt, before, cfg.miners.on_above].into_iter().fold(Watts::ZERO, |most, w| if w > most { w } else { most })
}

/// The watts above which an outlet feeds a miner that runs: half of a miner's share of its PDU's baseline, at least
/// `outlet_off_below`.
pub(super) fn runs_above(cfg: &Config, next: &SiteState, pdu: &str, outlets: usize) -> Watts {
    let share = next.miners.baselines.get(pdu).map_or(0.0, |baseline| baseline.value() / outlets.max(1) as f64 / 2.0);
    let least = cfg.miners.outlet_off_below;
    Watts::new(share.max(least.value())).unwrap_or(least)
}

/// The outlets that still feed a running miner, by fresh watts, although they are listed to go off.
pub(super) fn stragglers(cfg: &Config, next: &SiteState, snapshot: &Snapshot) -> Vec<OutletRef> {
    let mut found = Vec::new();
    for pdu in &cfg.pdus {
        let Some(Ok(PduReading { outlets, .. })) = snapshot.pdus.get(&pdu.name) else { continue };
        let above = runs_above(cfg, next, &pdu.name, pdu.outlets.len());
        let runs = |outlet: &OutletReading| {
            outlet.watts.as_ref().is_ok_and(|watts| watts.age <= pdu.max_age && watts.value > above)
        };
        let ids = pdu.outlets.iter().filter(|id| outlets.get(*id).is_some_and(runs));
        found.extend(ids.map(|id| OutletRef { pdu: pdu.name.clone(), outlet: id.clone() }));
    }
    found
}
