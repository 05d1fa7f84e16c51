//! What is remembered of the demand: why the miners must be off.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::units::{Moment, Watts};

/// Why miners must be off. The set of them is the demand; miners may run only when it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OffReason {
    /// The signal says curtail.
    Curtail,
    /// The signal is blind and the configuration says curtail then.
    Blind,
    /// A person holds the miners off.
    HeldOff,
    /// The intake is too hot.
    TooHot,
    /// No trustworthy intake temperature for longer than its limit.
    TemperatureLost,
    /// Fewer fans proven running than the miners need.
    TooFewFans,
    /// A switch sensor that stops the mine (smoke) is in alarm.
    SwitchAlarm,
}

impl OffReason {
    /// The sentence used in log, page and messages.
    pub fn sentence(self) -> &'static str {
        match self {
            OffReason::Curtail => "the power signal says curtail",
            OffReason::Blind => "the power signal cannot be read",
            OffReason::HeldOff => "a person holds the miners off",
            OffReason::TooHot => "the intake is too hot",
            OffReason::TemperatureLost => "the intake temperature is not known",
            OffReason::TooFewFans => "too few fans are proven running",
            OffReason::SwitchAlarm => "a switch that stops the mine is in alarm",
        }
    }
}

/// The demand machine's memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DemandState {
    /// Why miners must be off; empty when they may run.
    pub reasons: BTreeSet<OffReason>,
    /// Since when the set is empty, or not empty.
    pub since: Moment,
    /// Since when too few fans are believed running while miners draw power.
    pub too_few_since: Option<Moment>,
    /// The miner power that the running fans can cool; `None` without a capacity in the configuration.
    #[serde(default)]
    pub allowed: Option<Watts>,
    /// Since when the miners draw more than that.
    #[serde(default)]
    pub over_since: Option<Moment>,
    /// Since when they could draw a group more.
    #[serde(default)]
    pub under_since: Option<Moment>,
}

impl DemandState {
    /// The memory of a first run: no reason to be off is known.
    pub fn boot(now: Moment) -> DemandState {
        DemandState {
            reasons: BTreeSet::new(),
            since: now,
            too_few_since: None,
            allowed: None,
            over_since: None,
            under_since: None,
        }
    }
}
