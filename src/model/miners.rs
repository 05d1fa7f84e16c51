//! What is remembered of the miners and of how they are switched off and on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{CommandStatus, OutletRef, PowerMode};
use crate::units::{Moment, Watts};

/// How the miners are being switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// Foreman's power mode `sleeping`.
    Foreman,
    /// The PDU outlets of whatever still draws power.
    Outlets,
    /// A PDU's own bank: all its miners by one request.
    Bank,
}

impl Rung {
    /// The word used in log and page.
    pub fn word(self) -> &'static str {
        match self {
            Rung::Foreman => "Foreman",
            Rung::Outlets => "PDU outlets",
            Rung::Bank => "PDU banks",
        }
    }
}

/// Where the miners stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "phase")]
pub enum MinersPhase {
    /// First run or lost state: nothing is known yet.
    Boot,
    /// They may run and draw power.
    Running,
    /// They are being switched off; not yet proven.
    Curtailing {
        /// Since when.
        since: Moment,
        /// How.
        rung: Rung,
        /// Since when on this rung.
        rung_since: Moment,
    },
    /// Proven off by measured watts.
    Curtailed {
        /// Since when.
        since: Moment,
    },
    /// They are being started, group by group.
    Resuming {
        /// Since when.
        since: Moment,
        /// Groups started so far.
        group: u32,
        /// When the last group was started.
        group_since: Moment,
        /// Measured watts before that.
        watts_before: Watts,
    },
    /// Not proven off by the deadline: every rung stays in force until they are.
    Fault {
        /// Since when.
        since: Moment,
    },
}

impl MinersPhase {
    /// The word used in log and page.
    pub fn word(&self) -> &'static str {
        match self {
            MinersPhase::Boot => "boot",
            MinersPhase::Running => "running",
            MinersPhase::Curtailing { .. } => "curtailing",
            MinersPhase::Curtailed { .. } => "curtailed",
            MinersPhase::Resuming { .. } => "resuming",
            MinersPhase::Fault { .. } => "fault",
        }
    }
}

/// What was last asked of a miner through Foreman.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The mode it was asked to take.
    pub mode: PowerMode,
    /// When.
    pub at: Moment,
    /// Foreman's number of the command.
    pub command: Option<u64>,
    /// How that command stood when last seen; `None` when Foreman did not take it.
    pub status: Option<CommandStatus>,
    /// The mode the miner had before it was first put to sleep.
    pub before: PowerMode,
    /// Foreman called a command to wake it complete, and still lists it asleep.
    #[serde(default)]
    pub sleeps_on: bool,
    /// It was never told to sleep, only taken for asleep after a lost state, so that it is woken.
    #[serde(default)]
    pub presumed: bool,
    /// How often it was told to wake, in a row.
    #[serde(default)]
    pub wakes: u32,
}

/// The miners machine's memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinersState {
    /// Where they stand.
    pub phase: MinersPhase,
    /// What was last asked of each miner; emptied when all run again.
    pub asked: BTreeMap<u64, Asked>,
    /// Outlets that we cut: they stay cut while off holds.
    pub cut: BTreeSet<OutletRef>,
    /// The last measured watts of all PDUs together, and when; `None` while any PDU has no fresh reading.
    pub watts: Option<Watts>,
    /// When the miners were last proven off without a break up to now; `None` when they are not.
    pub proven_off: Option<Moment>,
    /// Whether that proof rests on watts set by hand: no fan stops on it.
    #[serde(default)]
    pub proof_by_hand: bool,
    /// When each outlet was last told something, by `pdu outlet`.
    #[serde(default)]
    pub outlets_told: BTreeMap<String, Moment>,
    /// What each PDU draws while its miners run: a proof of off is judged against it.
    #[serde(default)]
    pub baselines: BTreeMap<String, Watts>,
    /// The fresh watts of each PDU in the last pass.
    #[serde(default)]
    pub pdu_watts: BTreeMap<String, Watts>,
    /// Since when a PDU draws less than half of its baseline while the miners may run; under an empty name, all of them
    /// together less than `on_above`.
    #[serde(default)]
    pub low_since: BTreeMap<String, Moment>,
    /// Groups, counted from the last, that are off because too few fans run for all.
    #[serde(default)]
    pub shed_groups: u32,
    /// When that number last changed.
    #[serde(default)]
    pub shed_since: Option<Moment>,
    /// Whether it is forgotten who was put to sleep: those that Foreman lists asleep are woken in a mine that runs, all with
    /// the next resume.
    #[serde(default)]
    pub forgotten: bool,
    /// Since when they run again after a resume.
    #[serde(default)]
    pub back_since: Option<Moment>,
}

impl MinersState {
    /// The memory of a first run: nobody was asked, nothing was cut, nothing is proven.
    pub fn boot() -> MinersState {
        MinersState {
            phase: MinersPhase::Boot,
            asked: BTreeMap::new(),
            cut: BTreeSet::new(),
            watts: None,
            proven_off: None,
            proof_by_hand: false,
            outlets_told: BTreeMap::new(),
            baselines: BTreeMap::new(),
            pdu_watts: BTreeMap::new(),
            low_since: BTreeMap::new(),
            shed_groups: 0,
            shed_since: None,
            forgotten: false,
            back_since: None,
        }
    }
}
