//! A drill: one miner and one fan switched off and on again for real, all else looked at, each channel tried. What is
//! remembered of it while it goes on, and the certificate that it leaves. Data only: `decide` steps and judges.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Channel, Fault, LastGood, OutletRef, Rung};
use crate::units::{Moment, Seconds, UnixSeconds};

/// The schema number of [`DrillRecord`]; one more with each change of its shape.
pub const DRILL_SCHEMA: u32 = 1;
/// The first words of a drill's message on each channel.
pub const DRILL_MESSAGE: &str = "DRILL test message";

/// What a person ordered; it comes as the override `drill`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillOrder {
    /// The miner by name or number, or an outlet; `None` is the configured one.
    pub miner: Option<String>,
    /// The fan; `None` is the configured one.
    pub fan: Option<u8>,
    /// Nothing is switched.
    pub is_dry: bool,
}

/// The miner of a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillMiner {
    /// Foreman's number of it; `None` for a bare outlet.
    pub id: Option<u64>,
    /// What it is called.
    pub name: String,
    /// The outlet that feeds it, where that is known.
    pub outlet: Option<OutletRef>,
}

/// Where a drill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrillStep {
    /// The miner goes off.
    MinerOff,
    /// It comes back.
    MinerOn,
    /// The fan stops.
    FanOff,
    /// It starts again.
    FanOn,
    /// The services have the messages.
    Messages,
}

/// How one thing that was tried came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckResult {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
    /// It was not tried.
    NotDone,
}

impl CheckResult {
    /// The words used in log, page and certificate.
    pub fn words(self) -> &'static str {
        match self {
            CheckResult::Passed => "passed",
            CheckResult::Failed => "FAILED",
            CheckResult::NotDone => "not done",
        }
    }
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillCheck {
    /// What: `Miner off by Foreman`.
    pub name: String,
    /// How it came out.
    pub result: CheckResult,
    /// From the command to the proof; `None` where nothing was commanded or proven.
    pub took: Option<Seconds>,
    /// What was seen, or what is wrong.
    pub text: String,
}

/// A drill that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// When it began.
    pub began: Moment,
    /// Who ordered it, or `schedule`.
    pub by: String,
    /// When the order was given; `None` by schedule.
    pub order: Option<Moment>,
    /// Nothing is switched.
    pub is_dry: bool,
    /// Why nothing is switched although that was ordered.
    pub refused: Option<String>,
    /// The miner; `None` in a dry one.
    pub miner: Option<DrillMiner>,
    /// Outlets that were quiet when it began, where the one that feeds the miner must be found: it is the only one that goes
    /// quiet since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_before: Option<BTreeSet<OutletRef>>,
    /// How the miner is being switched off.
    pub rung: Rung,
    /// The fan; `None` in a dry one.
    pub fan: Option<u8>,
    /// Where it stands.
    pub step: DrillStep,
    /// Since when.
    pub since: Moment,
    /// What was tried so far.
    pub checks: Vec<DrillCheck>,
    /// A run is at work on it.
    pub in_run: bool,
    /// The run before began and did not end.
    pub broken_off: bool,
}

/// What a drill proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrillVerdict {
    /// All that was tried is as it should be.
    Passed,
    /// Something is not.
    Failed,
    /// It was broken off, and all was switched on again.
    Aborted,
    /// Nothing was switched: it was not the time for it.
    Refused,
}

impl DrillVerdict {
    /// The word used in log, page and certificate.
    pub fn word(self) -> &'static str {
        match self {
            DrillVerdict::Passed => "passed",
            DrillVerdict::Failed => "failed",
            DrillVerdict::Aborted => "aborted",
            DrillVerdict::Refused => "refused",
        }
    }
}

/// The certificate of a drill that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillRecord {
    /// [`DRILL_SCHEMA`].
    pub schema: u32,
    /// When it began.
    pub began: UnixSeconds,
    /// When it was over.
    pub ended: UnixSeconds,
    /// Who ordered it, or `schedule`.
    pub by: String,
    /// Nothing was switched.
    pub is_dry: bool,
    /// What it proved.
    pub verdict: DrillVerdict,
    /// Why, in a sentence; empty when it passed.
    pub why: String,
    /// What was tried.
    pub checks: Vec<DrillCheck>,
}

/// A drill that failed, until one passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillFailure {
    /// When it was over.
    pub at: Moment,
    /// Whether it was a dry one: then a dry one clears it.
    pub is_dry: bool,
    /// What failed.
    pub why: String,
}

/// What a service said to a drill's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrillDelivery {
    /// It took it, at this moment.
    Accepted(Moment),
    /// It did not take it, and will be tried again.
    NotYet(Fault),
    /// It refused it, or not all recipients have it.
    Refused(Fault),
}

/// What each service said to the last drill's message. It comes from sending, not from deciding.
pub type DrillDeliveries = BTreeMap<Channel, DrillDelivery>;

/// What is remembered of drills.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DrillState {
    /// The one that goes on.
    pub running: Option<Drill>,
    /// The certificate of the last one.
    pub last: Option<DrillRecord>,
    /// When one last passed that was not dry.
    pub passed: Option<Moment>,
    /// What failed last, until a drill passes.
    pub failed: Option<DrillFailure>,
    /// When one that was not dry, or a scheduled one, last began.
    pub tried: Option<Moment>,
    /// Since when there is a schedule.
    pub scheduled_since: Option<Moment>,
    /// Why one that is due does not begin.
    pub waits: Option<String>,
    /// The last order that was taken.
    pub order: Option<Moment>,
    /// Foreman's number of the last miner that was chosen here.
    pub last_miner: Option<u64>,
    /// The outlet that was last cut for a drill, and when it was last held: its PDU may still show it on.
    pub cut: Option<LastGood<OutletRef>>,
    /// When the miners last ran again after a resume.
    pub resumed: Option<Moment>,
    /// When a call was last proven off by measured watts.
    pub call_proven: Option<Moment>,
}
