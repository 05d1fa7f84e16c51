//! What is remembered from run to run. Everything a dwell time, a proof or a message depends on is here, because the
//! process forgets all else.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Alarm, Call, CallRecord, CommandStatus, Counter, DeviceHealth, FanState, Fault, KeptPage, OutletRef, PowerMode,
};
use crate::units::{Moment, Temperature, UnixSeconds, Watts};

/// The schema number of [`SiteState`]; one more with each change of its shape.
pub const SCHEMA: u32 = 1;

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

/// A last good value and when it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastGood<T> {
    /// The value.
    pub value: T,
    /// When it was read.
    pub at: Moment,
}

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
    /// Groups, counted from the last, that are off because too few fans run for all.
    #[serde(default)]
    pub shed_groups: u32,
    /// When that number last changed.
    #[serde(default)]
    pub shed_since: Option<Moment>,
    /// Whether it is forgotten who was put to sleep: all are woken with the next resume.
    #[serde(default)]
    pub forgotten: bool,
    /// Since when they run again after a resume.
    #[serde(default)]
    pub back_since: Option<Moment>,
}

/// Everything that is remembered from run to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteState {
    /// The schema number of this record.
    pub schema: u32,
    /// When the last pass was made.
    pub last_pass: Option<Moment>,
    /// When the last run began.
    pub last_run: Option<Moment>,
    /// The signal machine.
    pub signal: SignalState,
    /// The climate machine.
    pub climate: ClimateState,
    /// The demand machine.
    pub demand: DemandState,
    /// The miners machine.
    pub miners: MinersState,
    /// The fans by number.
    pub fans: BTreeMap<u8, FanState>,
    /// Standing alarms by id.
    pub alarms: BTreeMap<String, Alarm>,
    /// When each alarm was raised within the last hour, a bounded number of times: how one is seen to come and go.
    #[serde(default)]
    pub raised: BTreeMap<String, Vec<Moment>>,
    /// States that were written by hand, by the override's target, with the time it was set: each is written once.
    #[serde(default)]
    pub written: BTreeMap<String, Moment>,
    /// Devices by name.
    pub devices: BTreeMap<String, DeviceHealth>,
    /// Advancing numbers by device.
    pub counters: BTreeMap<String, Counter>,
    /// The curtailment that is going on.
    pub call: Option<Call>,
    /// Records of calls that are over and not yet in their file: a disk that fails loses none.
    #[serde(default)]
    pub calls_unkept: Vec<CallRecord>,
    /// When the last heartbeat was written.
    pub heartbeat: Option<Moment>,
    /// Why the last sign of life did not reach the dead-man service: known only when the run is over.
    #[serde(default)]
    pub dead_man: Option<Fault>,
    /// What the last run had to complain about: a failed save is known only after the decision.
    #[serde(default)]
    pub troubles: Vec<String>,
    /// The commands of the last pass in words, so that only a change is told.
    #[serde(default)]
    pub last_commands: Vec<String>,
    /// The failed commands of the last pass in words, for the same reason.
    #[serde(default)]
    pub last_failures: Vec<String>,
}

impl SiteState {
    /// The memory of a first run, or of one that lost it: Boot, blind, and nothing assumed.
    pub fn boot(now: Moment) -> SiteState {
        SiteState {
            schema: SCHEMA,
            last_pass: None,
            last_run: None,
            signal: SignalState {
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
            },
            climate: ClimateState {
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
            },
            demand: DemandState {
                reasons: BTreeSet::new(),
                since: now,
                too_few_since: None,
                allowed: None,
                over_since: None,
                under_since: None,
            },
            miners: MinersState {
                phase: MinersPhase::Boot,
                asked: BTreeMap::new(),
                cut: BTreeSet::new(),
                watts: None,
                proven_off: None,
                proof_by_hand: false,
                outlets_told: BTreeMap::new(),
                baselines: BTreeMap::new(),
                shed_groups: 0,
                shed_since: None,
                forgotten: false,
                back_since: None,
            },
            fans: BTreeMap::new(),
            alarms: BTreeMap::new(),
            raised: BTreeMap::new(),
            written: BTreeMap::new(),
            devices: BTreeMap::new(),
            counters: BTreeMap::new(),
            call: None,
            calls_unkept: Vec::new(),
            heartbeat: None,
            dead_man: None,
            troubles: Vec::new(),
            last_commands: Vec::new(),
            last_failures: Vec::new(),
        }
    }
}
