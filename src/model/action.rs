//! What is wanted of the devices, and what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CallRecord, CommandStatus, Event, Fault, Notice, Sample, SiteState};

/// A miner's power mode as Foreman names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerMode {
    /// Hashing stopped.
    Sleeping,
    /// Less than normal.
    Low,
    /// Normal.
    Normal,
    /// More than normal.
    High,
}

impl PowerMode {
    /// The word that Foreman uses.
    pub fn word(self) -> &'static str {
        match self {
            PowerMode::Sleeping => "sleeping",
            PowerMode::Low => "low",
            PowerMode::Normal => "normal",
            PowerMode::High => "high",
        }
    }
}

/// An outlet of a PDU.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutletRef {
    /// The PDU's name.
    pub pdu: String,
    /// The outlet's id on it.
    pub outlet: String,
}

impl OutletRef {
    /// The outlet that a text names as `pdu-a 12` or `pdu-a outlet 12`, among PDUs with their outlets; `None` when it is
    /// none of them.
    pub fn find<'a>(text: &str, pdus: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Option<OutletRef> {
        let (pdu, id) = text.trim().split_once(' ')?;
        let id = id.trim().strip_prefix("outlet ").unwrap_or(id).trim();
        let (name, _) =
            pdus.into_iter().find(|(name, outlets)| *name == pdu && outlets.iter().any(|known| known == id))?;
        Some(OutletRef { pdu: name.to_owned(), outlet: id.to_owned() })
    }
}

impl fmt::Display for OutletRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} outlet {}", self.pdu, self.outlet)
    }
}

/// One absolute command to one output. Doing it twice does no harm; there is no toggle, pulse, reboot or cycle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Let a fan run, or stop it, by its relay.
    Fan {
        /// The fan's number.
        fan: u8,
        /// Run or stop.
        on: bool,
    },
    /// Set a miner's power mode through Foreman.
    Miner {
        /// Foreman's number of the miner.
        miner: u64,
        /// The mode.
        mode: PowerMode,
    },
    /// Switch a PDU outlet.
    Outlet {
        /// Which one.
        outlet: OutletRef,
        /// On or off.
        on: bool,
    },
    /// Switch off a whole bank of a PDU's outlets by one request. Nothing switches a bank on.
    Bank {
        /// The PDU's name.
        pdu: String,
    },
}

impl Command {
    /// Whether this command leads towards safety: more air, or fewer miners.
    pub fn is_safe(&self) -> bool {
        match self {
            Command::Fan { on, .. } => *on,
            Command::Miner { mode, .. } => *mode == PowerMode::Sleeping,
            Command::Outlet { on, .. } => !*on,
            Command::Bank { .. } => true,
        }
    }

    /// Whether this command starts miners or lets them draw power.
    pub fn starts_miners(&self) -> bool {
        match self {
            Command::Fan { .. } | Command::Bank { .. } => false,
            Command::Miner { mode, .. } => *mode != PowerMode::Sleeping,
            Command::Outlet { on, .. } => *on,
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |on: &bool| if *on { "on" } else { "off" };
        match self {
            Command::Fan { fan, on } => write!(f, "fan {fan} {}", word(on)),
            Command::Miner { miner, mode } => write!(f, "miner {miner} {}", mode.word()),
            Command::Outlet { outlet, on } => write!(f, "{outlet} {}", word(on)),
            Command::Bank { pdu } => write!(f, "{pdu} bank off"),
        }
    }
}

/// What a device answered to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Read back as wanted.
    Confirmed,
    /// Taken, but only a later reading can tell: Foreman's command number and how it stands.
    Accepted {
        /// Foreman's number of the command, to ask about.
        command: u64,
        /// How it stood when last asked.
        status: CommandStatus,
    },
}

/// What came of one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The command.
    pub command: Command,
    /// The device's answer, or why there is none.
    pub result: Result<Reply, Fault>,
}

/// One step of the explanation of a decision, in the owner's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What it is about: `signal`, `miners`, `fans`.
    pub subject: String,
    /// The sentence.
    pub text: String,
}

/// The result of one pass of `decide`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What to remember.
    pub next: SiteState,
    /// What to do, safety first.
    pub commands: Vec<Command>,
    /// What to tell people.
    pub notices: Vec<Notice>,
    /// What happened.
    pub events: Vec<Event>,
    /// What to keep for the trends.
    pub samples: Vec<Sample>,
    /// Why, for `plan`, log and page.
    pub reasons: Vec<Reason>,
    /// The scorecard of a call that ended in this pass.
    pub finished: Option<CallRecord>,
    /// Whether something is changing, so that another pass in this run makes sense.
    pub in_transition: bool,
}
