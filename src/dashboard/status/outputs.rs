//! What is switched, and what it is wanted to be: miners, fans, PDUs.

use serde::Serialize;

use super::{CallStatus, Point, Value};
use crate::model::OffReason;

/// Whether miners may run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Demand {
    /// No reason to be off holds.
    pub may_run: bool,
    /// Since when it is so.
    pub since: Point,
    /// Why not: the reason's id and sentence.
    pub reasons: Vec<OffBecause>,
}

/// A reason to be off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OffBecause {
    /// `curtail`, `blind`, `held-off`, `too-hot`, `temperature-lost`, `too-few-fans`, `switch-alarm`.
    pub id: OffReason,
    /// The sentence.
    pub text: &'static str,
}

/// The miners.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MinersStatus {
    /// `boot`, `running`, `curtailing`, `curtailed` or `resuming`.
    pub phase: &'static str,
    /// Since when; null where it is not remembered.
    pub since: Option<Point>,
    /// Measured power of all PDUs together.
    pub power: Value,
    /// Miners online, by Foreman.
    pub online: Value,
    /// All miners of the client, by Foreman.
    pub known: Value,
    /// Hash rate, by Foreman.
    pub hash_rate: Value,
    /// Foreman's estimate of the power: never a proof.
    pub estimated_power: Value,
    /// The rung in use; null unless the miners are being switched off.
    pub rung: Option<&'static str>,
    /// Miners that were asked to change their mode.
    pub asked: usize,
    /// Of these, those whose command Foreman reports as failed or did not take.
    pub asked_failed: usize,
    /// Outlets that are cut.
    pub cut: usize,
    /// When they were last proven off without a break up to now.
    pub proven_off: Option<Point>,
    /// The curtailment that is going on.
    pub call: Option<CallStatus>,
    /// The way off or on, step by step; empty when nothing is changing.
    pub steps: Vec<Step>,
    /// Remarks of Foreman's driver.
    pub remarks: Vec<String>,
}

/// One step of switching the miners off or on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// `done`, `tried` (it did not do), `now`, `next` or `not-needed`.
    pub state: &'static str,
    /// Its name.
    pub name: String,
    /// What came of it so far.
    pub text: String,
}

/// A fan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FanStatus {
    /// Its number.
    pub fan: u8,
    /// What the rules want; null before the first decision.
    pub wanted: Option<bool>,
    /// What was last commanded; null before the first command.
    pub commanded: Option<bool>,
    /// When.
    pub commanded_at: Option<Point>,
    /// Whether the relay lets it run; null when it could not be read.
    pub relay: Option<bool>,
    /// When relay, watts and proof were last judged; null before the first pass.
    pub observed_at: Option<Point>,
    /// Measured power.
    pub power: Value,
    /// Proven running or stopped by watts; null when neither.
    pub proven: Option<bool>,
    /// What is wrong with it, in words; null when nothing is.
    pub fault: Option<&'static str>,
    /// Seconds it has run, as far as was seen.
    pub run_time_s: u64,
    /// A person holds it on or off.
    pub held: Option<bool>,
    /// `running`, `stopped`, `not proven` or `fault`.
    pub state: &'static str,
}

/// A PDU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PduStatus {
    /// Its name.
    pub name: String,
    /// Measured power of all its miner outlets.
    pub power: Value,
    /// Listed outlets that are on; null when the PDU could not be read.
    pub outlets_on: Option<usize>,
    /// Listed outlets whose state is known.
    pub outlets_read: usize,
    /// Outlets that the configuration lists.
    pub outlets_listed: usize,
    /// Outlets that we cut.
    pub cut: usize,
    /// Remarks of the driver.
    pub remarks: Vec<String>,
}
