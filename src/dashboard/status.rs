//! The shape of `status.json` and of `minectl status --json`. Programs read it: keys are only added, never renamed, and
//! `schema` counts what is not an addition. It holds no rules; `build` fills it.
//!
//! `text`, `note`, `headline`, `clock` and `age` are for people: their wording may change. A value that is not known is
//! `null` with its `problem`, never 0 and never the last one without its age.

use serde::Serialize;

pub use super::calls::{CallCard, CallStatus, CallsStatus, MarkCard};
pub use super::words::Point;

/// The schema number of [`Status`].
pub const STATUS_SCHEMA: u32 = 1;

/// How far a value can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// Read in this run, in range, within its age limit.
    Good,
    /// Not read in this run: the last good one, still within its age limit.
    Held,
    /// Put in place of the reading by a person.
    SetByHand,
    /// No trustworthy value: `value` is null and `problem` says why.
    Bad,
}

impl Quality {
    /// The word used on the page.
    pub fn word(self) -> &'static str {
        match self {
            Quality::Good => "good",
            Quality::Held => "held",
            Quality::SetByHand => "set by hand",
            Quality::Bad => "bad",
        }
    }
}

/// One measured value with its unit, its age and how far it can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Value {
    /// The number in `unit`; null when it is not known.
    pub value: Option<f64>,
    /// `W`, `°C`, `%RH`, `TH/s`, `miners`.
    pub unit: &'static str,
    /// How old it is, in seconds; null when there is no value.
    pub age_s: Option<u64>,
    /// How far it can be trusted.
    pub quality: Quality,
    /// Why it is not good; null when it is.
    pub problem: Option<String>,
    /// The value for people, with its unit (temperatures in the configured one).
    pub text: String,
    /// Age and quality for people.
    pub note: String,
}

/// How much the owner has to care, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing to do.
    Ok,
    /// Something unusual that the program is dealing with.
    Info,
    /// Something is wrong and coped with: look at it when possible.
    Warning,
    /// A person must act now.
    Emergency,
}

impl Level {
    /// The word used on the page.
    pub fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Emergency => "emergency",
        }
    }
}

/// Whether to worry, and about what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worry {
    /// How much.
    pub level: Level,
    /// In one sentence.
    pub text: String,
    /// What it is about, worst first.
    pub causes: Vec<Cause>,
}

/// Something to worry about, or to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// How much.
    pub level: Level,
    /// What it is.
    pub text: String,
}

/// A reason with what it is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// `signal`, `miners`, `fans`.
    pub subject: String,
    /// The sentence.
    pub text: String,
}

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
    pub id: crate::model::OffReason,
    /// The sentence.
    pub text: &'static str,
}

/// The power signal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignalStatus {
    /// `run`, `curtail` or `blind`.
    pub level: &'static str,
    /// Since when.
    pub since: Point,
    /// A person set it.
    pub set_by_hand: bool,
    /// The last good text of the page; null before the first.
    pub last_good: Option<String>,
    /// When that was read.
    pub last_good_at: Option<Point>,
    /// The page's number in the last good reading of this run; null when it shows words or was not read.
    pub number: Option<f64>,
    /// The page's own time stamp in this run.
    pub page_stamp: Option<Point>,
    /// Names the page of this run.
    pub evidence: Option<String>,
    /// The file of the page that was kept last, from the data folder on.
    pub kept_page: Option<String>,
    /// When the text last changed.
    pub changed: Option<Point>,
    /// Why this run has no good reading; null when it has one.
    pub problem: Option<String>,
    /// Good readings in a row that would let run.
    pub run_readings: u32,
    /// How many are needed to resume.
    pub run_readings_needed: u32,
    /// What the page's value means, for people.
    pub meaning: String,
    /// What a blind signal does, for people.
    pub when_blind: &'static str,
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

/// The intake's climate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClimateStatus {
    /// `unknown`, `cold`, `normal`, `warm`, `hot` or `critical`.
    pub band: &'static str,
    /// Since when.
    pub since: Point,
    /// The hottest trustworthy intake temperature.
    pub intake: Value,
    /// Miners were shed for heat.
    pub shedding: bool,
    /// The limits, for people.
    pub limits: String,
    /// The probes.
    pub probes: Vec<ProbeStatus>,
    /// The switches.
    pub switches: Vec<SwitchStatus>,
}

/// A probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeStatus {
    /// Its name.
    pub name: String,
    /// `intake`, `exhaust`, `outdoor` or `other`.
    pub role: &'static str,
    /// Air temperature.
    pub temperature: Value,
    /// Relative humidity; null for a probe that measures none.
    pub humidity: Option<Value>,
}

/// A switch sensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SwitchStatus {
    /// Its name.
    pub name: String,
    /// In alarm or not; null when it could not be read.
    pub alarm: Option<bool>,
    /// Why it could not be read.
    pub problem: Option<String>,
    /// The same for people.
    pub text: String,
    /// How old it is, in seconds; null when it could not be read.
    pub age_s: Option<u64>,
    /// The miners go off with it.
    pub stops_mine: bool,
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

/// A device or service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceStatus {
    /// Its name.
    pub name: String,
    /// It answered; null when it was not asked yet.
    pub ok: Option<bool>,
    /// Since when it is so.
    pub since: Option<Point>,
    /// Runs in a row that failed.
    pub failures: u32,
    /// Its fault.
    pub fault: Option<String>,
    /// Milliseconds to answer or fail in this run.
    pub took_ms: Option<u64>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlarmStatus {
    /// Its id, for `minectl ack`.
    pub id: String,
    /// How bad it is.
    pub severity: &'static str,
    /// What is wrong.
    pub text: String,
    /// Since when.
    pub since: Point,
    /// How often people were told.
    pub times_told: u32,
    /// When they were last told.
    pub told: Point,
    /// Who acknowledged it.
    pub acknowledged_by: Option<String>,
    /// Whether it comes and goes too often to be told each time.
    pub flapping: bool,
}

/// An override.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverrideStatus {
    /// What it sets, as typed after `minectl set`.
    pub target: String,
    /// What it sets it to.
    pub setting: String,
    /// When it was set.
    pub since: Point,
    /// Seconds left.
    pub left_s: u64,
    /// The same for people.
    pub left: String,
    /// When it ends.
    pub until: Point,
    /// Who set it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventStatus {
    /// When.
    pub at: Point,
    /// What kind.
    pub kind: &'static str,
    /// What it is about.
    pub subject: String,
    /// What happened.
    pub text: String,
}

/// Everything that is known about the site at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// [`STATUS_SCHEMA`].
    pub schema: u32,
    /// The program's version.
    pub version: &'static str,
    /// The container's name.
    pub site: String,
    /// `observe` or `live`.
    pub mode: &'static str,
    /// When this status was made.
    pub time: Point,
    /// When the last run began; null before the first.
    pub last_run: Option<Point>,
    /// When the next one is due.
    pub next_due: Point,
    /// Seconds between two runs.
    pub loop_interval_s: u64,
    /// From this time on (Unix seconds) two runs were missed and this status must not be believed.
    pub stale_from: i64,
    /// That time had come when this status was made: it is from memory.
    pub stale: bool,
    /// The times are those of a test clock.
    pub test_clock: bool,
    /// `mining`, `curtailing`, `off`, `resuming` or `boot`.
    pub state: &'static str,
    /// The state in one line.
    pub headline: String,
    /// Whether to worry.
    pub worry: Worry,
    /// Why it is so.
    pub why: Vec<Why>,
    /// Whether miners may run.
    pub demand: Demand,
    /// The power signal.
    pub signal: SignalStatus,
    /// The miners.
    pub miners: MinersStatus,
    /// The calls with their scorecards.
    pub calls: CallsStatus,
    /// Temperatures, humidities, switches.
    pub climate: ClimateStatus,
    /// The fans.
    pub fans: Vec<FanStatus>,
    /// The PDUs.
    pub pdus: Vec<PduStatus>,
    /// Standing alarms, worst first.
    pub alarms: Vec<AlarmStatus>,
    /// Overrides that hold.
    pub overrides: Vec<OverrideStatus>,
    /// The last events, newest first.
    pub events: Vec<EventStatus>,
    /// Devices and services.
    pub devices: Vec<DeviceStatus>,
    /// Troubles of the program itself in this run.
    pub troubles: Vec<String>,
}
