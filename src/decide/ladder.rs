//! The ladder down: Foreman, the PDU outlets of whatever still draws power, the PDUs' own banks; each rung climbed when
//! its time is over or at once when the one before cannot be reached, and never climbed down. What proves the miners
//! off, and when they are late.

use super::judge::Inputs;
use super::power::runs_above;
use crate::config::{Config, PduConfig};
use crate::model::{
    Call, CommandStatus, MinersPhase, OutletReading, OutletRef, PduReading, PowerMode, Rung, Score, SiteState, Snapshot,
};
use crate::units::{Moment, Seconds, Watts};

/// The first step off: Foreman, or the outlets at once when Foreman cannot be reached. The record of the call begins
/// here, or goes on when this one was not over.
pub(super) fn enter(next: &mut SiteState, inputs: &Inputs, snapshot: &Snapshot, now: &Moment) -> MinersPhase {
    let first = if foreman_unreachable(snapshot) { Rung::Outlets } else { Rung::Foreman };
    let reasons = next.demand.reasons.clone();
    let goes_on = match next.miners.phase {
        MinersPhase::Curtailed { .. } | MinersPhase::Curtailing { .. } | MinersPhase::Fault { .. } => true,
        // A resume that is broken off is a call of its own; a state that a hand wrote in the middle of one is not.
        MinersPhase::Boot | MinersPhase::Running | MinersPhase::Resuming { .. } => next.demand.since != *now,
    };
    if !goes_on || next.call.is_none() {
        open(next, inputs, None, now);
    }
    // A call that was never proven goes on where it was: no rung is climbed twice.
    let climbed = next.call.as_ref().filter(|call| call.proven.is_none()).and_then(|call| call.rung);
    let rung = climbed.map_or(first, |climbed| climbed.max(first));
    if let Some(call) = &mut next.call {
        call.reasons.extend(reasons);
        call.rung = call.rung.max(Some(rung));
    }
    if matches!(next.miners.phase, MinersPhase::Running | MinersPhase::Resuming { .. }) {
        // What outlets were told just now was to go on.
        next.miners.outlets_told.clear();
    }
    // What was asked before this moment proves nothing now: ask again.
    for asked in next.miners.asked.values_mut() {
        asked.command = None;
        asked.status = None;
    }
    MinersPhase::Curtailing { since: *now, rung, rung_since: *now }
}

/// Begins the record of a call; of one that met miners proven off, with that proof.
pub(super) fn open(next: &mut SiteState, inputs: &Inputs, proven: Option<Moment>, now: &Moment) {
    next.call = Some(Call {
        seen: *now,
        first_command: None,
        watts_before: inputs.miner_watts(),
        proven,
        rung: None,
        reasons: next.demand.reasons.clone(),
        score: Score::default(),
    });
}

/// The next rung when this one's time is over or it cannot be reached.
pub(super) fn climb(
    cfg: &Config,
    next: &SiteState,
    (since, rung, rung_since): (Moment, Rung, Moment),
    snapshot: &Snapshot,
    now: &Moment,
) -> MinersPhase {
    let on_rung = now.since(&rung_since);
    let gives_nothing = || foreman_unreachable(snapshot) || foreman_refuses(cfg, next, &rung_since, now);
    let next = match rung {
        Rung::Foreman if on_rung >= cfg.miners.foreman_limit || gives_nothing() => Rung::Outlets,
        Rung::Outlets if on_rung >= cfg.miners.outlets_limit && has_bank(cfg) => Rung::Bank,
        Rung::Foreman | Rung::Outlets | Rung::Bank => return MinersPhase::Curtailing { since, rung, rung_since },
    };
    MinersPhase::Curtailing { since, rung: next, rung_since: *now }
}

/// Since when the miners are on their way off.
pub(super) fn since(phase: &MinersPhase) -> Option<Moment> {
    match phase {
        MinersPhase::Curtailing { since, .. } | MinersPhase::Fault { since } => Some(*since),
        MinersPhase::Boot | MinersPhase::Running | MinersPhase::Curtailed { .. } | MinersPhase::Resuming { .. } => None,
    }
}

/// The highest rung in use; past the deadline that is the last one there is.
pub(super) fn rung_of(cfg: &Config, phase: &MinersPhase) -> Option<Rung> {
    match phase {
        MinersPhase::Curtailing { rung, .. } => Some(*rung),
        MinersPhase::Fault { .. } => Some(if has_bank(cfg) { Rung::Bank } else { Rung::Outlets }),
        MinersPhase::Boot | MinersPhase::Running | MinersPhase::Curtailed { .. } | MinersPhase::Resuming { .. } => None,
    }
}

fn has_bank(cfg: &Config) -> bool {
    cfg.pdus.iter().any(|pdu| pdu.bank.is_some())
}

/// Whether Foreman gives nothing to work with: no answer at all, or no miner that we may command.
pub(super) fn foreman_unreachable(snapshot: &Snapshot) -> bool {
    match &snapshot.foreman {
        Ok(reading) => reading.miners.is_empty(),
        Err(_) => true,
    }
}

/// Whether Foreman took none of the commands of this rung, although it answers (an agent that may only read): at least a
/// batch of them, all failed.
fn foreman_refuses(cfg: &Config, next: &SiteState, rung_since: &Moment, now: &Moment) -> bool {
    let asked = next.miners.asked.values().filter(|asked| asked.mode == PowerMode::Sleeping);
    let mut asked = asked.filter(|asked| now.since(&asked.at) <= now.since(rung_since) && now.since(&asked.at).0 > 0);
    let mut count = 0_usize;
    let all_failed = asked.all(|asked| {
        count = count.saturating_add(1);
        matches!(asked.status, None | Some(CommandStatus::Failed))
    });
    all_failed && count >= cfg.foreman.batch
}

/// How long the miners should have been off: from the moment a reason was seen, or, once this call was proven, from
/// the moment they came back. Time in which no reason held does not count.
pub(super) fn overdue(next: &SiteState, since: &Moment, now: &Moment) -> Seconds {
    let from = next.call.as_ref().filter(|call| call.proven.is_none()).map_or(since, |call| &call.seen);
    now.since(from).min(now.since(&next.demand.since))
}

/// Whether fresh watts prove the miners off; else what is missing. All PDUs together must be at or below `off_below`,
/// and each by itself at or below its share of what it drew while its miners ran: the limit of all must not hide one
/// PDU that never obeyed.
///
/// A PDU that reads next to nothing while outlets of it are on proves nothing either: even miners that sleep draw
/// something, so its meter may be dead. Its outlets must read off.
pub(super) fn proof(cfg: &Config, next: &SiteState, inputs: &Inputs, snapshot: &Snapshot) -> Result<Watts, String> {
    let limit = cfg.miners.off_below;
    let Some(watts) = inputs.miner_watts() else {
        let unread: Vec<&str> = inputs.pdus.iter().filter(|(_, w)| w.is_err()).map(|(name, _)| name.as_str()).collect();
        return Err(format!("no fresh watts from {}", unread.join(", ")));
    };
    if watts > limit {
        return Err(format!("{watts} measured, off at or below {limit}"));
    }
    // Watts set by hand are what the hand says.
    let mut measured = cfg.pdus.iter().filter(|_| !next.miners.proof_by_hand);
    if let Some((pdu, on)) = measured.find_map(|pdu| Some((pdu, dead_meter(pdu, snapshot)?))) {
        return Err(format!(
            "{} reads 0 W with {on} outlets on: its meter may be dead, its outlets must be off",
            pdu.name
        ));
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

/// How many outlets of a PDU are on while it reads less than a watt for each of them; `None` when it does not.
pub(super) fn dead_meter(pdu: &PduConfig, snapshot: &Snapshot) -> Option<usize> {
    let reading = snapshot.pdus.get(&pdu.name).and_then(|reading| reading.as_ref().ok())?;
    let total = reading.total.as_ref().ok()?.value;
    let on = pdu.outlets.iter().filter(|id| reading.outlets.get(*id).is_some_and(|outlet| outlet.on == Ok(true)));
    let on = on.count();
    (on > 0 && total.value() < on as f64).then_some(on)
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
