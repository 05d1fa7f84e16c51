//! From what was measured of a call to its record: spans, verdict, money, and the lines that are told at its end.
//!
//! **The money** is an estimate. The utility bills a month (or a season) by the mean power in the one interval in which its
//! own load is highest; nobody here knows which that will be. So a call is judged as if it were the one:
//!
//! - avoided = `demand_charge` × (kW before − the highest mean kW of a `billing_interval` during the signal), not below 0;
//! - drawn all the same = `demand_charge` × that highest mean.
//!
//! Intervals are counted from the reading of the signal on, so each minute at full load costs a thirtieth of the charge
//! with an interval of 30 minutes; time that was not measured counts as drawn in full. The form is that of coincident-peak
//! tariffs (Hendricks Power: $15.02 for each kW and month over 60 minutes; Y-W Electric: $19.34 over 30 minutes; the
//! members of Dairyland by the season). It is charged once for a month, however many calls the month had: calls are
//! never added up. Energy not bought = `energy_price` × kWh not drawn; what the miners would have earned with it is not
//! in it. Needless off = `needless_off_per_hour` × the hours in which the signal was not among the reasons.

use super::score::MARKS;
use crate::config::{Config, Mode};
use crate::model::{CALL_SCHEMA, Call, CallRecord, Costs, OffReason, SiteState, Verdict};
use crate::units::{Dollars, KilowattHours, Moment, Seconds, Watts};

/// How a call ended.
pub(super) struct End {
    /// When.
    pub(super) at: Moment,
    /// The miners run again; otherwise another call broke the resume off.
    pub(super) resumed: bool,
}

/// The scorecard of the call that is going on; `None` when there is none.
pub fn so_far(cfg: &Config, state: &SiteState, now: &Moment) -> Option<CallRecord> {
    state.call.as_ref().map(|call| record(cfg, call, now, None))
}

/// The record of a call: at its end, or (`end` is `None`) so far.
pub(super) fn record(cfg: &Config, call: &Call, now: &Moment, end: Option<&End>) -> CallRecord {
    let score = &call.score;
    let after = |at: &Moment| at.since(&call.seen);
    let resumed = end.filter(|end| end.resumed).map(|end| end.at);
    let (verdict, late) = verdict(cfg, call, now, end.is_some());
    let billed = billed(cfg, call);
    CallRecord {
        schema: CALL_SCHEMA,
        observe: cfg.mode == Mode::Observe,
        seen: call.seen.wall,
        page_changed: score.page_changed,
        signal_read: score.signal_read.map(|at| at.wall),
        reasons: call.reasons.clone(),
        verdict,
        first_command_after: call.first_command.as_ref().map(after),
        watts_before: call.watts_before,
        baseline: score.baseline,
        marks: score.marks.clone(),
        shed_after: score.shed.as_ref().map(after),
        proven_after: call.proven.as_ref().map(after),
        stragglers: score.stragglers.clone(),
        rungs: score.rungs.clone(),
        late,
        worst_after_proof: score.worst_after_proof,
        peak: score.peak,
        signal_time: score.billed.time,
        signal_cleared: score.signal_cleared.map(|at| at.wall),
        cleared: score.cleared.map(|at| at.wall),
        resumed: resumed.map(|at| at.wall),
        resume_time: resumed.zip(score.cleared).map(|(resumed, cleared)| resumed.since(&cleared)),
        ended: end.map(|end| end.at.wall),
        lasted: now.since(&call.seen),
        groups_not_back: score.groups_not_back.clone(),
        not_drawn: score.not_drawn,
        unmeasured: score.unmeasured,
        billed,
        needless: score.needless,
        costs: costs(cfg, call, billed),
        watts_by_hand: score.watts_by_hand,
    }
}

/// How the call was met, and how late. The deadline counts from the signal, where the miners had to be off before it, and
/// to its end: what is proven after that is no part of it.
fn verdict(cfg: &Config, call: &Call, now: &Moment, ended: bool) -> (Verdict, Seconds) {
    let score = &call.score;
    let due_from = score.signal_read.unwrap_or(call.seen);
    let over = if score.signal_read.is_some() { score.signal_cleared } else { score.cleared };
    let until = over.unwrap_or(*now);
    if let Some(came_back) = &score.came_back {
        return (Verdict::NotProven, until.since(came_back));
    }
    let deadline = cfg.miners.deadline;
    let due = until.since(&due_from);
    let proven = call.proven.map(|proven| proven.since(&due_from));
    let took = proven.map_or(due, |proven| proven.min(due));
    let verdict = match proven {
        Some(proven) if proven <= due && proven <= deadline => Verdict::InTime,
        Some(_) if took > deadline => Verdict::Late,
        Some(_) => Verdict::Short,
        None if took >= deadline => Verdict::NotProven,
        None if ended || over.is_some() => Verdict::Short,
        None => Verdict::Open,
    };
    (verdict, took.saturating_sub(deadline))
}

/// The highest mean power of a billing interval during the signal; `None` where the call was not the utility's or the
/// power before it is not known.
fn billed(cfg: &Config, call: &Call) -> Option<Watts> {
    let billed = &call.score.billed;
    call.score.signal_read.and(call.score.baseline)?;
    let open = billed.open.unwrap_or(KilowattHours::ZERO);
    let worst = billed.worst.map_or(open, |worst| worst.max(open));
    Watts::new(worst.value() / cfg.costs.billing_interval.hours() * 1000.0).ok()
}

fn costs(cfg: &Config, call: &Call, billed: Option<Watts>) -> Costs {
    let prices = &cfg.costs;
    let charge = |watts: f64| prices.demand_charge.times(watts.max(0.0) / 1000.0);
    let both = call.score.baseline.zip(billed);
    Costs {
        demand_avoided: both.map(|(baseline, billed)| charge(baseline.value() - billed.value())),
        demand_drawn: billed.map(|billed| charge(billed.value())),
        energy_not_bought: call.score.not_drawn.map(|energy| prices.energy_price.times(energy.value())),
        needless: prices.needless_off_per_hour.times(call.score.needless.hours()),
    }
}

/// The scorecard in four to six lines, for people.
pub(super) fn lines(cfg: &Config, record: &CallRecord) -> Vec<String> {
    let proof = match record.proven_after {
        Some(after) => format!("proven off in {after}, {}", late(record)),
        None => late(record),
    };
    let observed = if record.observe { " (observe: nothing was commanded)" } else { "" };
    let mut lines = vec![format!("Call over after {}: {proof}{observed}", record.lasted), why(record)];
    lines.push(power(record));
    lines.push(ladder(record));
    lines.push(back(record));
    lines.push(money(cfg, record));
    lines
}

fn late(record: &CallRecord) -> String {
    match record.verdict {
        Verdict::Late | Verdict::NotProven => format!("{}, {} past the deadline", record.verdict.words(), record.late),
        Verdict::InTime | Verdict::Short | Verdict::Open => record.verdict.words().to_owned(),
    }
}

fn why(record: &CallRecord) -> String {
    let reasons: Vec<&str> = record.reasons.iter().map(|reason: &OffReason| reason.sentence()).collect();
    let changed = record.page_changed.zip(record.signal_read).map(|(changed, read)| {
        format!("; page changed {} before it was read ({})", read.since(changed.at), changed.by.words())
    });
    format!("Because {}{}", reasons.join("; "), changed.unwrap_or_default())
}

fn power(record: &CallRecord) -> String {
    let mut parts = vec![match record.watts_before {
        Some(watts) => format!("{watts} before"),
        None => "power before not measured".to_owned(),
    }];
    for wanted in MARKS {
        parts.push(match record.mark(wanted) {
            Some(mark) => format!("{} after {}", mark.watts, mark.after),
            None => format!("not measured after {wanted}"),
        });
    }
    parts.extend(record.shed_after.map(|after| format!("95 % gone in {after}")));
    if record.watts_by_hand {
        parts.push("watts set by hand".to_owned());
    }
    parts.join(", ")
}

fn ladder(record: &CallRecord) -> String {
    let first =
        record.first_command_after.map_or("No command".to_owned(), |after| format!("First command after {after}"));
    let rungs: Vec<&str> = record.rungs.iter().map(|rung| rung.word()).collect();
    let mut parts =
        vec![first, format!("by {}", if rungs.is_empty() { "no rung".to_owned() } else { rungs.join(", ") })];
    if let Some(stragglers) = &record.stragglers {
        let names =
            if stragglers.names.is_empty() { String::new() } else { format!(" ({})", stragglers.names.join(", ")) };
        parts.push(format!("{} outlets still drew power at the proof{names}", stragglers.count));
        if stragglers.unread > 0 {
            parts.push(format!("{} outlets not read then", stragglers.unread));
        }
    }
    parts.extend(record.worst_after_proof.map(|worst| format!("at most {} after it", worst.watts)));
    parts.join(", ")
}

fn back(record: &CallRecord) -> String {
    let mut parts = vec![match record.resume_time {
        Some(time) => format!("Running again {time} after the last reason was gone"),
        None if record.resumed.is_some() => "Running again".to_owned(),
        None => "Not resumed: another call followed".to_owned(),
    }];
    if !record.groups_not_back.is_empty() {
        let groups: Vec<String> = record.groups_not_back.iter().map(ToString::to_string).collect();
        parts.push(format!("not back: groups {}", groups.join(", ")));
    }
    parts.push(match record.not_drawn {
        Some(energy) => format!("{energy} not drawn"),
        None => "energy not known".to_owned(),
    });
    if record.unmeasured.0 > 0 {
        parts.push(format!("{} not measured", record.unmeasured));
    }
    parts.join(", ")
}

fn money(cfg: &Config, record: &CallRecord) -> String {
    let costs = &record.costs;
    let mut parts = Vec::new();
    if let (Some(avoided), Some(drawn)) = (costs.demand_avoided, costs.demand_drawn) {
        let period = cfg.costs.demand_charge_for.word();
        parts.push(format!("if the {period}'s peak fell into it, {avoided} avoided and {drawn} to pay"));
    }
    parts.extend(costs.energy_not_bought.map(|energy| format!("energy not bought {energy}")));
    if costs.needless > Dollars::ZERO {
        parts.push(format!("off without the signal for {}, {}", record.needless, costs.needless));
    }
    if parts.is_empty() {
        parts.push("nothing known".to_owned());
    }
    format!("Estimate: {}", parts.join("; "))
}
