//! What is remembered of the air in the container.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LastGood;
use crate::units::{Moment, Temperature};

/// Where the intake temperature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Band {
    /// No trustworthy intake temperature.
    Unknown,
    /// Below the lowest temperature to resume at.
    Cold,
    /// In between.
    Normal,
    /// Above the temperature to resume at: fewer miners would be better.
    Warm,
    /// At or above the temperature where the miners go off.
    Hot,
    /// At or above the temperature that is an emergency.
    Critical,
}

impl Band {
    /// The word used in code, config, log and page.
    pub fn word(self) -> &'static str {
        match self {
            Band::Unknown => "unknown",
            Band::Cold => "cold",
            Band::Normal => "normal",
            Band::Warm => "warm",
            Band::Hot => "hot",
            Band::Critical => "critical",
        }
    }
}

/// The climate machine's memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClimateState {
    /// Where the intake stands.
    pub band: Band,
    /// Since when.
    pub since: Moment,
    /// The hottest trustworthy intake temperature of the last pass.
    pub intake: Option<Temperature>,
    /// The last good value of each probe.
    pub probes: BTreeMap<String, LastGood<Temperature>>,
    /// When an intake temperature was last trustworthy.
    pub trusted: Option<Moment>,
    /// Miners were shed for heat and the intake is not yet down to `resume_below`.
    pub shedding: bool,
    /// The fan stage of the last pass: an index into the configured stages.
    pub stage: usize,
    /// The last few readings of each intake probe, oldest first: for the rate of rise.
    #[serde(default)]
    pub recent: BTreeMap<String, Vec<LastGood<Temperature>>>,
    /// When each probe's value last moved.
    #[serde(default)]
    pub moved: BTreeMap<String, Moment>,
    /// The row of the fans' capacity in the last pass: an index into the configured ones.
    #[serde(default)]
    pub capacity: usize,
    /// Whether the rate of rise began the shedding.
    #[serde(default)]
    pub rising: bool,
}

impl ClimateState {
    /// The memory of a first run: no temperature, and the stage with the most fans.
    pub fn boot(now: Moment) -> ClimateState {
        ClimateState {
            band: Band::Unknown,
            since: now,
            intake: None,
            probes: BTreeMap::new(),
            trusted: None,
            shedding: false,
            stage: usize::MAX,
            recent: BTreeMap::new(),
            moved: BTreeMap::new(),
            capacity: usize::MAX,
            rising: false,
        }
    }
}
