//! What is remembered of each fan.

use serde::{Deserialize, Serialize};

use super::LastGood;
use crate::units::{Moment, Seconds, Watts};

/// What is wrong with a fan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FanFault {
    /// The relay lets it run, and it draws no power.
    Dead,
    /// The relay stops it, and it draws power all the same.
    Welded,
    /// The relay does not show what was commanded.
    RelayIgnores,
}

impl FanFault {
    /// The words used in log, page and messages.
    pub fn words(self) -> &'static str {
        match self {
            FanFault::Dead => "dead (relay on, no watts)",
            FanFault::Welded => "relay welded (relay off, watts flow)",
            FanFault::RelayIgnores => "relay does not obey",
        }
    }
}

/// One fan's memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FanState {
    /// What the rules want.
    pub wanted: bool,
    /// What was last commanded, and when; `None` before the first command.
    pub commanded: Option<LastGood<bool>>,
    /// What the relay showed in the last pass; `None` when it could not be read.
    pub relay: Option<bool>,
    /// What it drew in the last pass; `None` when it could not be read.
    pub watts: Option<Watts>,
    /// Running, stopped, or (`None`) not proven, by watts.
    pub proven: Option<bool>,
    /// Whether those watts were set by hand: they prove no cooling.
    #[serde(default)]
    pub watts_by_hand: bool,
    /// Since when relay and watts disagree, or the relay and the command.
    pub disagrees: Option<Moment>,
    /// What is wrong with it.
    pub fault: Option<FanFault>,
    /// Seconds it has run, as far as was seen: the wear that rotation shares out.
    pub run_time: Seconds,
    /// The times of its switchings in the last hour.
    pub switchings: Vec<Moment>,
}
