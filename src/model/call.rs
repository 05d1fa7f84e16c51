//! One curtailment: the call while it goes on, with what is measured for its scorecard, and the record that is kept of
//! it. Data only: `decide` measures and judges.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{OffReason, Rung};
use crate::units::{Dollars, KilowattHours, Moment, Seconds, UnixSeconds, Watts};

/// The schema number of [`CallRecord`]; one more with each change of its shape.
pub const CALL_SCHEMA: u32 = 1;

/// One curtailment from its first sign to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// When the signal was read that caused it.
    pub seen: Moment,
    /// When the first command left.
    pub first_command: Option<Moment>,
    /// Measured watts when it began.
    pub watts_before: Option<Watts>,
    /// When the miners were proven off.
    pub proven: Option<Moment>,
    /// The highest rung that was used.
    pub rung: Option<Rung>,
    /// Why the miners had to go off.
    pub reasons: BTreeSet<OffReason>,
    /// What was measured of it so far.
    #[serde(default)]
    pub score: Score,
}

/// What is measured of a call while it goes on. A call from before this was kept has an empty one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Score {
    /// The measured watts of the last pass (`None` when not every PDU could be read), and when that was.
    pub last: Option<Metered>,
    /// What would be drawn without the call: the watts before it; of the call before, when that was never over.
    pub baseline: Option<Watts>,
    /// When the utility's page changed to what it says now.
    pub page_changed: Option<PageChanged>,
    /// When the signal first was a reason to be off.
    pub signal_read: Option<Moment>,
    /// When it was no reason any more; `None` while it is one.
    pub signal_cleared: Option<Moment>,
    /// When no reason was left; `None` while one holds.
    pub cleared: Option<Moment>,
    /// The reading nearest to the utility's peak: the highest, or the lowest where a low number means off.
    pub peak: Option<SignalPeak>,
    /// The measured watts nearest to so many seconds after the call was read.
    pub marks: Vec<Mark>,
    /// When 95 % of the baseline was first measured gone.
    pub shed: Option<Moment>,
    /// What still drew power when the rest was proven off.
    pub stragglers: Option<Stragglers>,
    /// The rungs that were used.
    pub rungs: BTreeSet<Rung>,
    /// Baseline minus measured, over the time that was measured.
    pub not_drawn: Option<KilowattHours>,
    /// Time in which nothing was measured.
    pub unmeasured: Seconds,
    /// What was drawn in the billing intervals since the signal was read.
    pub billed: Billed,
    /// Time in which the miners had to be off for other reasons than the signal.
    pub needless: Seconds,
    /// The most that was measured after the proof while the miners should have been off.
    pub worst_after_proof: Option<WattsAt>,
    /// Resume groups that did not show half of their share in time.
    pub groups_not_back: BTreeSet<u32>,
    /// Whether any of the watts were set by hand.
    pub watts_by_hand: bool,
    /// Since when miners that were proven off and came back are past their time to be off again.
    pub came_back: Option<Moment>,
}

/// The watts of one pass.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metered {
    /// When.
    pub at: Moment,
    /// What was measured; `None` when not every PDU could be read.
    pub watts: Option<Watts>,
}

/// How the time of the page's change is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeSource {
    /// The page's own time stamp says it.
    PageStamp,
    /// The changed text was first read then; it may have stood there for up to one interval.
    FirstRead,
}

impl ChangeSource {
    /// The words used in report and page.
    pub fn words(self) -> &'static str {
        match self {
            ChangeSource::PageStamp => "by the page's own stamp",
            ChangeSource::FirstRead => "when it was first read",
        }
    }
}

/// When the utility's page changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageChanged {
    /// When.
    pub at: UnixSeconds,
    /// How that is known.
    pub by: ChangeSource,
}

/// The page's number at its worst.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignalPeak {
    /// The number, in the page's own unit.
    pub number: f64,
    /// When it was read.
    pub at: UnixSeconds,
}

/// Watts measured near a moment that counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// How long after the call was read it should be.
    pub wanted: Seconds,
    /// How long after it was.
    pub after: Seconds,
    /// What was measured.
    pub watts: Watts,
}

/// Watts with their time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WattsAt {
    /// What was measured.
    pub watts: Watts,
    /// When.
    pub at: UnixSeconds,
}

/// Outlets that still drew more than `outlet_off_below` when the miners were proven off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stragglers {
    /// How many.
    pub count: u32,
    /// The first of them.
    pub names: Vec<String>,
    /// Outlets whose watts were not known then.
    pub unread: u32,
}

/// Energy drawn in billing intervals, which are counted from the reading of the signal while it is a reason to be off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Billed {
    /// How long the signal was a reason to be off.
    pub time: Seconds,
    /// Drawn so far in the interval that is going on. What was not measured counts as drawn in full.
    pub open: Option<KilowattHours>,
    /// The most that was drawn in an interval that is over.
    pub worst: Option<KilowattHours>,
}

/// How a call was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Proven off by the deadline.
    InTime,
    /// Proven off after the deadline.
    Late,
    /// Not proven off although the deadline is past.
    NotProven,
    /// Over before the deadline, not proven.
    Short,
    /// Not proven yet, and the deadline is not past.
    Open,
}

impl Verdict {
    /// The words used in report, page and messages.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::InTime => "in time",
            Verdict::Late => "late",
            Verdict::NotProven => "not proven off",
            Verdict::Short => "over before the deadline",
            Verdict::Open => "going off",
        }
    }

    /// Whether the call was missed.
    pub fn is_missed(self) -> bool {
        match self {
            Verdict::Late | Verdict::NotProven => true,
            Verdict::InTime | Verdict::Short | Verdict::Open => false,
        }
    }
}

/// What a call saved and cost, estimated by the prices in `[costs]` at the time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Demand charge avoided if the billed peak fell into this call; `None` where the call was not the utility's, or
    /// the power before it is not known.
    pub demand_avoided: Option<Dollars>,
    /// Demand charge of what was drawn all the same, in the same case.
    pub demand_drawn: Option<Dollars>,
    /// Energy not bought; `None` when nothing was measured.
    pub energy_not_bought: Option<Dollars>,
    /// What the time off for other reasons than the signal cost.
    pub needless: Dollars,
}

/// A call as it is kept: wall-clock times, and spans by the boot clock. It is the scorecard. Spans `..._after` count
/// from `seen`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// [`CALL_SCHEMA`].
    pub schema: u32,
    /// Nothing was commanded: the program only watched.
    pub observe: bool,
    /// When the cause was read. Two records of one call have the same.
    pub seen: UnixSeconds,
    /// When the utility's page changed; `None` where the call was not the utility's, or the signal was set by hand.
    pub page_changed: Option<PageChanged>,
    /// When the signal first was a reason to be off; `None` where it never was.
    pub signal_read: Option<UnixSeconds>,
    /// Why the miners had to be off.
    pub reasons: BTreeSet<OffReason>,
    /// How it was met.
    pub verdict: Verdict,
    /// To the first command; `None` when none left.
    pub first_command_after: Option<Seconds>,
    /// Measured watts when it began.
    pub watts_before: Option<Watts>,
    /// What would have been drawn without it.
    pub baseline: Option<Watts>,
    /// Measured watts 1, 2 and 4 minutes after; those that were measured.
    pub marks: Vec<Mark>,
    /// Until 95 % of the baseline was gone.
    pub shed_after: Option<Seconds>,
    /// Until the miners were proven off.
    pub proven_after: Option<Seconds>,
    /// What still drew power then; `None` without proof.
    pub stragglers: Option<Stragglers>,
    /// The rungs that were used, first to last.
    pub rungs: BTreeSet<Rung>,
    /// How long past the deadline the proof came, or has not come.
    pub late: Seconds,
    /// The most that was measured after the proof while the miners should have been off.
    pub worst_after_proof: Option<WattsAt>,
    /// The page's number at its worst.
    pub peak: Option<SignalPeak>,
    /// How long the signal was a reason to be off.
    pub signal_time: Seconds,
    /// When the signal was no reason any more.
    pub signal_cleared: Option<UnixSeconds>,
    /// When no reason was left.
    pub cleared: Option<UnixSeconds>,
    /// When the miners ran again; `None` when it goes on, or another call broke the resume off.
    pub resumed: Option<UnixSeconds>,
    /// From `cleared` to `resumed`.
    pub resume_time: Option<Seconds>,
    /// When the record was closed; `None` while the call goes on.
    pub ended: Option<UnixSeconds>,
    /// From `seen` to its end, or so far.
    pub lasted: Seconds,
    /// Resume groups that did not come back in time.
    pub groups_not_back: BTreeSet<u32>,
    /// Energy that was not drawn, over the time that was measured; `None` when nothing was.
    pub not_drawn: Option<KilowattHours>,
    /// Time in which nothing was measured: neither 0 nor saved.
    pub unmeasured: Seconds,
    /// The highest mean power of a billing interval during the signal; what was not measured counts as drawn in full.
    pub billed: Option<Watts>,
    /// Time off for other reasons than the signal.
    pub needless: Seconds,
    /// Estimates.
    pub costs: Costs,
    /// Whether any of the watts were set by hand: then it proves little.
    pub watts_by_hand: bool,
}

impl CallRecord {
    /// Whether the utility called: only then is there a demand charge to avoid.
    pub fn is_utilitys(&self) -> bool {
        self.signal_read.is_some()
    }

    /// Whether the utility called and the miners were not proven off in time.
    pub fn is_missed(&self) -> bool {
        self.is_utilitys() && self.verdict.is_missed()
    }

    /// The measured watts so many seconds after the call was read, with the real time of the measurement.
    pub fn mark(&self, wanted: Seconds) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.wanted == wanted)
    }
}
