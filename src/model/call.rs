//! One curtailment: a call, from its first sign to its end.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{OffReason, Rung};
use crate::units::{Moment, Watts};

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
}
