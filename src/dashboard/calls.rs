//! The calls on the page, in `status.json` and in `minectl report --json`: the one going on, the last ones, and the sums
//! of the month. It estimates nothing: the record of a call has all figures.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Input;
use super::words::{Point, Words, clean};
use crate::config::Config;
use crate::model::{CallRecord, ChangeSource, OffReason, Verdict};
use crate::units::{Dollars, KilowattHours, Moment, Seconds, UnixSeconds, Watts};

/// Calls shown beside the one that is going on.
const SHOWN_MAX: usize = 10;

/// The curtailment that is going on, in short; [`CallCard`] has all of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallStatus {
    /// When its cause was read.
    pub seen: Point,
    /// Seconds from then to the first command; null before it.
    pub first_command_after_s: Option<u64>,
    /// Seconds from then to the proof by watts; null before it.
    pub proven_after_s: Option<u64>,
    /// Measured watts when it began.
    pub watts_before: Option<f64>,
}

/// The calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallsStatus {
    /// The one that is going on.
    pub running: Option<CallCard>,
    /// The last ones that are over, newest first.
    pub last: Vec<CallCard>,
    /// The present month, as in `2026-08`.
    pub month: String,
    /// Calls of the utility in it, the one going on included.
    pub month_calls: usize,
    /// Of these, those whose miners were not proven off by the deadline.
    pub month_missed: usize,
    /// Seconds for which the signal was a reason to be off.
    pub month_signal_time_s: u64,
}

/// Measured watts near a moment after the call was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarkCard {
    /// Seconds after the reading it stands for: 60, 120 or 240.
    pub wanted_s: u64,
    /// Seconds after the reading it was measured.
    pub after_s: u64,
    /// What was measured.
    pub watts: f64,
}

/// The scorecard of a call. Times `..._after_s` count from `seen`; what is not known is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallCard {
    /// It is not over: the figures are those so far.
    pub going_on: bool,
    /// When its cause was read.
    pub seen: Point,
    /// When the utility's page changed.
    pub page_changed: Option<Point>,
    /// `page-stamp` (the page's own) or `first-read` (when the changed text was first read).
    pub page_changed_by: Option<ChangeSource>,
    /// When the signal first was a reason to be off; null where it never was.
    pub signal_read: Option<Point>,
    /// Why the miners had to be off.
    pub reasons: BTreeSet<OffReason>,
    /// `in-time`, `late`, `not-proven`, `short` (over before the deadline) or `open`.
    pub verdict: Verdict,
    /// The utility called and the miners were not proven off by the deadline.
    pub missed: bool,
    /// To the first command.
    pub first_command_after_s: Option<u64>,
    /// Measured watts when it began.
    pub watts_before: Option<f64>,
    /// What would have been drawn without it.
    pub watts_baseline: Option<f64>,
    /// Measured watts after 1, 2 and 4 minutes.
    pub marks: Vec<MarkCard>,
    /// Until 95 % of the baseline was gone.
    pub shed_after_s: Option<u64>,
    /// Until the miners were proven off.
    pub proven_after_s: Option<u64>,
    /// How long past the deadline.
    pub late_s: u64,
    /// The rungs that were used.
    pub rungs: Vec<&'static str>,
    /// Outlets that still drew power at the proof.
    pub stragglers: Option<u32>,
    /// The first of them.
    pub straggler_names: Vec<String>,
    /// Outlets whose watts were not known then.
    pub stragglers_unread: Option<u32>,
    /// The most that was measured after the proof while the miners should have been off.
    pub worst_watts_after_proof: Option<f64>,
    /// The page's number at its worst, and when.
    pub signal_peak: Option<f64>,
    /// When that was read.
    pub signal_peak_at: Option<Point>,
    /// How long the signal was a reason to be off.
    pub signal_time_s: u64,
    /// When the signal was no reason any more.
    pub signal_cleared: Option<Point>,
    /// When no reason was left.
    pub cleared: Option<Point>,
    /// When the miners ran again.
    pub resumed: Option<Point>,
    /// From `cleared` to `resumed`.
    pub resume_time_s: Option<u64>,
    /// Resume groups that did not come back in time.
    pub groups_not_back: BTreeSet<u32>,
    /// From `seen` to its end, or so far.
    pub lasted_s: u64,
    /// Energy that was not drawn, over the time that was measured.
    pub not_drawn_kwh: Option<f64>,
    /// Time in which nothing was measured.
    pub unmeasured_s: u64,
    /// The highest mean power of a billing interval during the signal.
    pub billed_watts: Option<f64>,
    /// Time off for other reasons than the signal.
    pub needless_s: u64,
    /// Estimate: demand charge avoided if the billed peak fell into this call.
    pub demand_avoided_usd: Option<f64>,
    /// Estimate: demand charge to pay all the same in that case.
    pub demand_drawn_usd: Option<f64>,
    /// Estimate: energy not bought.
    pub energy_not_bought_usd: Option<f64>,
    /// Estimate: what the time off without the signal cost.
    pub needless_usd: f64,
    /// Nothing was commanded: the program only watched.
    pub observe: bool,
    /// Some of the watts were set by hand.
    pub watts_by_hand: bool,
}

/// The scorecards of these calls, in their order; times are the site's.
pub fn cards(cfg: &Config, now: Moment, records: &[CallRecord]) -> Vec<CallCard> {
    let words = Words::new(cfg, now);
    records.iter().map(|record| card(record, &words)).collect()
}

pub(super) fn calls(input: &Input, words: &Words) -> CallsStatus {
    let month = words.month(input.now.wall);
    let all = input.calls.iter().chain(input.call);
    let ours: Vec<&CallRecord> = all.filter(|call| call.is_utilitys() && words.month(call.seen) == month).collect();
    CallsStatus {
        running: input.call.map(|call| card(call, words)),
        last: input.calls.iter().rev().take(SHOWN_MAX).map(|call| card(call, words)).collect(),
        month_calls: ours.len(),
        month_missed: ours.iter().filter(|call| call.is_missed()).count(),
        month_signal_time_s: ours.iter().fold(Seconds(0), |sum, call| sum.plus(call.signal_time)).0,
        month,
    }
}

fn card(record: &CallRecord, words: &Words) -> CallCard {
    let point = |at: Option<UnixSeconds>| at.map(|at| words.wall(at));
    let seconds = |span: Option<Seconds>| span.map(|span| span.0);
    let dollars = |money: Option<Dollars>| money.map(|money| round(money.value(), 100.0));
    let stragglers = record.stragglers.as_ref();
    let mark = |mark: &crate::model::Mark| MarkCard {
        wanted_s: mark.wanted.0,
        after_s: mark.after.0,
        watts: mark.watts.value(),
    };
    CallCard {
        going_on: record.ended.is_none(),
        seen: words.wall(record.seen),
        page_changed: point(record.page_changed.map(|changed| changed.at)),
        page_changed_by: record.page_changed.map(|changed| changed.by),
        signal_read: point(record.signal_read),
        reasons: record.reasons.clone(),
        verdict: record.verdict,
        missed: record.is_missed(),
        first_command_after_s: seconds(record.first_command_after),
        watts_before: record.watts_before.map(Watts::value),
        watts_baseline: record.baseline.map(Watts::value),
        marks: record.marks.iter().map(mark).collect(),
        shed_after_s: seconds(record.shed_after),
        proven_after_s: seconds(record.proven_after),
        late_s: record.late.0,
        rungs: record.rungs.iter().map(|rung| rung.word()).collect(),
        stragglers: stragglers.map(|found| found.count),
        straggler_names: stragglers.map(|s| s.names.iter().map(|name| clean(name)).collect()).unwrap_or_default(),
        stragglers_unread: stragglers.map(|found| found.unread),
        worst_watts_after_proof: record.worst_after_proof.map(|worst| worst.watts.value()),
        signal_peak: record.peak.map(|peak| peak.number),
        signal_peak_at: point(record.peak.map(|peak| peak.at)),
        signal_time_s: record.signal_time.0,
        signal_cleared: point(record.signal_cleared),
        cleared: point(record.cleared),
        resumed: point(record.resumed),
        resume_time_s: seconds(record.resume_time),
        groups_not_back: record.groups_not_back.clone(),
        lasted_s: record.lasted.0,
        not_drawn_kwh: record.not_drawn.map(|energy: KilowattHours| round(energy.value(), 1000.0)),
        unmeasured_s: record.unmeasured.0,
        billed_watts: record.billed.map(|watts| round(watts.value(), 1.0)),
        needless_s: record.needless.0,
        demand_avoided_usd: dollars(record.costs.demand_avoided),
        demand_drawn_usd: dollars(record.costs.demand_drawn),
        energy_not_bought_usd: dollars(record.costs.energy_not_bought),
        needless_usd: round(record.costs.needless.value(), 100.0),
        observe: record.observe,
        watts_by_hand: record.watts_by_hand,
    }
}

/// To so many parts of one: an estimate has no more digits.
fn round(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
