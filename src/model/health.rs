//! What is remembered of the devices themselves: whether they answer, and whether their numbers move.

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::units::Moment;

/// How reliably a device answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceHealth {
    /// Runs in a row that failed.
    pub failures: u32,
    /// When a run was last counted: passes of one run count once.
    pub counted: Moment,
    /// Since when it answers, or fails.
    pub since: Moment,
    /// Its fault in the last pass.
    pub fault: Option<Fault>,
}

/// What a PDU or the fan meter says, and since when it says exactly that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unmoved {
    /// A sum over all its watts that changes with each of them.
    pub sum: u64,
    /// When it was first read.
    pub since: Moment,
}

/// A number in a device's answer that must advance, and when it last did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    /// The number: uptime or time of the newest row.
    pub value: i64,
    /// When it last advanced.
    pub at: Moment,
}
