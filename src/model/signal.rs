//! What is remembered of the power signal.

use serde::{Deserialize, Serialize};

use super::{KeptPage, LastGood};
use crate::units::{Moment, UnixSeconds};

/// What the power signal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The miners may run.
    Run,
    /// The miners must be off.
    Curtail,
    /// Nothing trustworthy was read for longer than its limit.
    Blind,
}

impl Level {
    /// The word used in code, config, log and page.
    pub fn word(self) -> &'static str {
        match self {
            Level::Run => "run",
            Level::Curtail => "curtail",
            Level::Blind => "blind",
        }
    }
}

/// The signal machine's memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalState {
    /// What it says.
    pub level: Level,
    /// Since when.
    pub since: Moment,
    /// Good readings in a row that would let run.
    pub run_readings: u32,
    /// The last good reading: its text and when.
    pub last_good: Option<LastGood<String>>,
    /// When the text last changed.
    pub changed: Option<Moment>,
    /// Whether the level was set by hand in the last pass: then it is nothing to hold to.
    #[serde(default)]
    pub by_hand: bool,
    /// What the page itself last said; a hand does not change it.
    #[serde(default)]
    pub page: Option<Level>,
    /// Why it says so, in words: the reading and its limits, or what kept it from being read.
    #[serde(default)]
    pub why: String,
    /// The page that was kept last as evidence.
    #[serde(default)]
    pub kept: Option<KeptPage>,
    /// Where the page's clock has no date: what it last showed, and when it showed that first.
    #[serde(default)]
    pub clock: Option<LastGood<UnixSeconds>>,
}

impl SignalState {
    /// The memory of a first run: blind.
    pub fn boot(now: Moment) -> SignalState {
        SignalState {
            level: Level::Blind,
            since: now,
            run_readings: 0,
            last_good: None,
            changed: None,
            by_hand: false,
            page: None,
            why: String::new(),
            kept: None,
            clock: None,
        }
    }
}
