//! Drills on the page, in `status.json` and in the terminal: the one that goes on, the certificate of the last one, and
//! for how long nothing has proven that a call would be met.

use serde::Serialize;

use super::Input;
use super::words::{Point, Words, clean, count};
use crate::model::{CallRecord, CheckResult, DrillRecord, DrillStep, DrillVerdict};
use crate::units::{Seconds, UnixSeconds};

/// Drills.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrillsStatus {
    /// The one that goes on.
    pub running: Option<DrillNow>,
    /// The certificate of the last one that is over.
    pub last: Option<DrillCard>,
    /// When one last passed that was not dry.
    pub last_passed: Option<Point>,
    /// When a call was last proven off by measured watts, for whatever reason the miners had to be off.
    pub last_proven_curtailment: Option<Point>,
    /// Whole days since then; null when none is known.
    pub days_since_proven_curtailment: Option<u64>,
    /// Seconds between two drills that are made by themselves; null without a schedule.
    pub every_s: Option<u64>,
    /// Why one that is due does not begin.
    pub waits: Option<String>,
}

/// A drill that goes on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrillNow {
    /// When it began.
    pub began: Point,
    /// `miner-off`, `miner-on`, `fan-off`, `fan-on` or `messages`.
    pub step: DrillStep,
    /// Who ordered it, or `schedule`.
    pub by: String,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrillCard {
    /// When it began.
    pub began: Point,
    /// When it was over.
    pub ended: Point,
    /// Who ordered it, or `schedule`.
    pub by: String,
    /// Nothing was switched.
    pub dry: bool,
    /// `passed`, `failed`, `aborted` or `refused`.
    pub verdict: DrillVerdict,
    /// Why, in a sentence; empty when it passed.
    pub why: String,
    /// What was tried.
    pub checks: Vec<DrillCheckCard>,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrillCheckCard {
    /// What.
    pub name: String,
    /// `passed`, `failed` or `not-done`.
    pub result: CheckResult,
    /// Seconds from the command to the proof.
    pub took_s: Option<u64>,
    /// What was seen, or what is wrong.
    pub text: String,
}

impl DrillsStatus {
    /// In a line for the terminal.
    pub fn line(&self) -> String {
        let last = self.last.as_ref().map(|card| {
            let why = if card.why.is_empty() { String::new() } else { format!(" ({})", card.why) };
            format!("; the {} of {} {}{why}", kind(card).to_lowercase(), card.began.clock, card.verdict.word())
        });
        format!("{}; {}{}", proven(self), summary(self), last.unwrap_or_default())
    }
}

pub(super) fn drills(input: &Input, words: &Words) -> DrillsStatus {
    let drill = &input.state.drill;
    let proven = last_proven(input);
    DrillsStatus {
        running: drill.running.as_ref().map(|running| DrillNow {
            began: words.point(&running.began),
            step: running.step,
            by: clean(&running.by),
        }),
        last: drill.last.as_ref().map(|record| card(record, words)),
        last_passed: drill.passed.map(|at| words.point(&at)),
        days_since_proven_curtailment: proven.map(|at| input.now.wall.since(at).0 / 86_400),
        last_proven_curtailment: proven.map(|at| words.wall(at)),
        every_s: input.cfg.drill.schedule.as_ref().map(|schedule| schedule.every.0),
        waits: drill.waits.as_deref().map(clean),
    }
}

fn card(record: &DrillRecord, words: &Words) -> DrillCard {
    let checks = record.checks.iter().map(|check| DrillCheckCard {
        name: clean(&check.name),
        result: check.result,
        took_s: check.took.map(|took| took.0),
        text: clean(&check.text),
    });
    DrillCard {
        began: words.wall(record.began),
        ended: words.wall(record.ended),
        by: clean(&record.by),
        dry: record.is_dry,
        verdict: record.verdict,
        why: clean(&record.why),
        checks: checks.collect(),
    }
}

/// When a call was last proven off: as it is remembered, or, from before that was kept, as the records have it.
fn last_proven(input: &Input) -> Option<UnixSeconds> {
    let remembered = input.state.drill.call_proven.map(|at| at.wall);
    let of = |call: &CallRecord| {
        let is_proof = !call.observe && !call.watts_by_hand && call.first_command_after.is_some();
        call.proven_after.filter(|_| is_proof).map(|after| call.seen.plus(after))
    };
    remembered.max(input.calls.iter().chain(input.call).filter_map(of).max())
}

/// What the page shows of it.
#[derive(Debug, Serialize)]
pub(super) struct DrillView {
    summary: String,
    proven: String,
    /// What goes on, or is waited for.
    now: Option<String>,
    /// The last one in a line.
    last: Option<String>,
    why: Option<String>,
    look: &'static str,
    rows: Vec<DrillRow>,
}

/// A check's row.
#[derive(Debug, Serialize)]
struct DrillRow {
    name: String,
    result: &'static str,
    look: &'static str,
    took: Option<String>,
    text: String,
}

pub(super) fn view(status: &DrillsStatus) -> DrillView {
    let last = status.last.as_ref();
    let line = |card: &DrillCard| {
        let took = u64::try_from(card.ended.unix.saturating_sub(card.began.unix)).unwrap_or(0);
        let (kind, verdict) = (kind(card), card.verdict.word());
        format!("{kind} of {}, {}, ordered by {}: {verdict}", card.began.clock, Seconds(took), card.by)
    };
    let running = status.running.as_ref().map(|now| format!("A drill goes on since {}.", now.began.clock));
    DrillView {
        summary: summary(status),
        proven: proven(status),
        now: running.or_else(|| status.waits.as_ref().map(|why| format!("A drill is due and waits: {why}."))),
        last: last.map(line),
        why: last.map(|card| card.why.clone()).filter(|why| !why.is_empty()),
        look: last.map_or("other", |card| match card.verdict {
            DrillVerdict::Passed => "passed",
            DrillVerdict::Failed => "failed",
            DrillVerdict::Aborted | DrillVerdict::Refused => "other",
        }),
        rows: last.iter().flat_map(|card| &card.checks).map(row).collect(),
    }
}

fn row(check: &DrillCheckCard) -> DrillRow {
    let look = match check.result {
        CheckResult::Passed => "passed",
        CheckResult::Failed => "failed",
        CheckResult::NotDone => "other",
    };
    DrillRow {
        name: check.name.clone(),
        result: check.result.words(),
        look,
        took: check.took_s.map(|took| Seconds(took).to_string()),
        text: check.text.clone(),
    }
}

fn kind(card: &DrillCard) -> &'static str {
    if card.dry { "Dry drill" } else { "Drill" }
}

fn summary(status: &DrillsStatus) -> String {
    status.last_passed.as_ref().map_or("none passed yet".to_owned(), |at| format!("last passed {} ago", at.age))
}

fn proven(status: &DrillsStatus) -> String {
    match (&status.last_proven_curtailment, status.days_since_proven_curtailment) {
        (Some(at), Some(days)) => {
            let days = count(usize::try_from(days).unwrap_or(usize::MAX), "day", "days");
            format!("{days} since the last proven curtailment ({})", at.clock)
        }
        (_, _) => "No curtailment was proven yet".to_owned(),
    }
}
