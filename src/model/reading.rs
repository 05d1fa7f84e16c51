//! What the devices said in one pass: the snapshot. A missing value is a `Fault` in its place, never a zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Fault, PowerMode};
use crate::units::{Humidity, Moment, Seconds, Temperature, Terahashes, UnixSeconds, Watts};

/// A device's answer, or why there is none.
pub type Reading<T> = Result<T, Fault>;

/// A value with the age that the device itself gives it (0 where it gives none).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured<T> {
    /// The value.
    pub value: T,
    /// How old the device says it is.
    pub age: Seconds,
}

/// Everything that was read in one pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When the reading began.
    pub at: Moment,
    /// The utility's page.
    pub signal: Reading<SignalReading>,
    /// Room Alert units by name.
    pub rooms: BTreeMap<String, Reading<RoomReading>>,
    /// The watts of all fans, from IotaWatt or emonCMS.
    pub fan_watts: Reading<FanWattsReading>,
    /// Relay boards by name.
    pub boards: BTreeMap<String, Reading<RelayReading>>,
    /// PDUs by name.
    pub pdus: BTreeMap<String, Reading<PduReading>>,
    /// Foreman's view of the miners.
    pub foreman: Reading<ForemanReading>,
    /// How long each device took to answer or fail, in milliseconds.
    pub took_ms: BTreeMap<String, u64>,
    /// What the program itself has to complain about: its disk, its database.
    #[serde(default)]
    pub troubles: Vec<String>,
}

/// What the utility's page says, after every check that makes it the right page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalReading {
    /// The text of the one element, white space folded.
    pub text: String,
    /// What the pattern's group 1 says.
    pub value: SignalValue,
    /// The page's own time stamp, where the page has one.
    pub stamp: Option<UnixSeconds>,
    /// SHA-256 of the page, the first 16 hex digits: names the evidence.
    pub hash: String,
}

/// The signal as a number or as a configured word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalValue {
    /// A number, in the page's own unit.
    Number(f64),
    /// A word that the configuration lists as one that curtails.
    CurtailWord(String),
    /// A word that the configuration lists as one that lets run.
    RunWord(String),
}

/// A page that was kept as evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptPage {
    /// Its file, from the data folder on.
    pub file: String,
    /// SHA-256 of its bytes, the first 16 hex digits.
    pub hash: String,
    /// When it was read.
    pub at: Moment,
    /// The text that was read on it, or the kind of the fault.
    pub about: String,
    /// Whether it could not be read.
    pub is_fault: bool,
}

/// One Room Alert unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomReading {
    /// Its serial number.
    pub serial: String,
    /// Seconds since its boot: must advance from reading to reading.
    pub uptime: Option<Seconds>,
    /// Configured probes by name.
    pub probes: BTreeMap<String, ProbeReading>,
    /// Configured switches by name: `true` when the switch is in its alarm position.
    pub switches: BTreeMap<String, Reading<bool>>,
    /// Analog inputs that are switched on in the unit; nothing is decided by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analog: Vec<AnalogReading>,
    /// Remarks for the operator: labels that changed.
    #[serde(default)]
    pub remarks: Vec<String>,
}

/// One analog input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalogReading {
    /// Its array and its place there, from 0: `sensor/5`.
    pub place: String,
    /// Its label in the unit.
    pub label: String,
    /// Its value with the unit of measure, in words: `2.16 V`.
    pub says: Reading<String>,
}

/// One probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeReading {
    /// Air temperature.
    pub temperature: Reading<Temperature>,
    /// Relative humidity; `None` for a probe that measures none.
    pub humidity: Option<Reading<Humidity>>,
}

/// The watts of all fans in one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FanWattsReading {
    /// By fan number.
    pub fans: BTreeMap<u8, Reading<Measured<Watts>>>,
    /// The device's time of the newest row: must advance.
    pub row_time: Option<UnixSeconds>,
}

/// One relay board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelayReading {
    /// By fan number: whether the relay lets the fan run. The wiring is already allowed for.
    pub fans: BTreeMap<u8, Reading<bool>>,
    /// Remarks for the operator, e.g. a low supply voltage.
    pub remarks: Vec<String>,
}

/// One PDU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PduReading {
    /// Watts of all miner outlets of this PDU together.
    pub total: Reading<Measured<Watts>>,
    /// Outlets by their id; only those that the configuration lists.
    pub outlets: BTreeMap<String, OutletReading>,
    /// The device's time of its newest reading: must advance.
    pub newest: Option<UnixSeconds>,
    /// Remarks for the operator, e.g. an outlet with the PDU's own auto-reset on.
    pub remarks: Vec<String>,
}

/// One outlet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutletReading {
    /// Whether the PDU says the outlet is on.
    pub on: Reading<bool>,
    /// Measured watts.
    pub watts: Reading<Measured<Watts>>,
}

/// Foreman's view of the miners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForemanReading {
    /// Miners online, by the summary.
    pub online: Option<u32>,
    /// All miners of the client, by the summary.
    pub total: Option<u32>,
    /// Hash rate, by the summary.
    pub hash_rate: Option<Terahashes>,
    /// Foreman's estimate of the power: never a proof.
    pub estimated: Option<Watts>,
    /// The miners that the configuration lets us command.
    pub miners: Vec<MinerReading>,
    /// How long ago Foreman heard of any miner, by its own time stamps; `None` where it gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Seconds>,
    /// How the commands that were asked about stand, by command number.
    pub commands: BTreeMap<u64, CommandStatus>,
    /// Remarks for the operator, e.g. summary and list that disagree.
    pub remarks: Vec<String>,
}

/// One miner in Foreman's list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinerReading {
    /// Foreman's number of the miner.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Foreman's status word as it came.
    pub status: String,
    /// Its power mode, where Foreman says it.
    pub mode: Option<PowerMode>,
    /// Its watts, where Foreman says them (an estimate).
    pub watts: Option<Watts>,
}

/// How a Foreman command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandStatus {
    /// Waiting for the agent on site.
    Pending,
    /// The agent has it.
    InProgress,
    /// The miner took it; whether it obeys, only watts tell.
    Complete,
    /// The agent could not do it.
    Failed,
    /// A word that is not documented.
    Unknown,
}
