//! What is remembered from run to run. Everything a dwell time, a proof or a message depends on is here, because the
//! process forgets all else. Each machine's own memory stands in the file of its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Alarm, Call, CallRecord, Channel, ClimateState, Counter, DemandState, DeviceHealth, DrillDeliveries, DrillRecord,
    DrillState, FanState, Fault, MinersState, SignalState, Unmoved,
};
use crate::units::Moment;

/// The schema number of [`SiteState`] and of all that is stored beside it; one more with each change of a shape that old
/// records do not fit (see `store::schema`).
pub const SCHEMA: u32 = 2;

/// A last good value and when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastGood<T> {
    /// The value.
    pub value: T,
    /// When it was read.
    pub at: Moment,
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
    /// When each alarm was raised within the last day, a bounded number of times: how one is seen to come and go.
    #[serde(default)]
    pub raised: BTreeMap<String, Vec<Moment>>,
    /// States that were written by hand, by the override's target, with the time it was set: each is written once.
    #[serde(default)]
    pub written: BTreeMap<String, Moment>,
    /// Devices by name.
    pub devices: BTreeMap<String, DeviceHealth>,
    /// Advancing numbers by device.
    pub counters: BTreeMap<String, Counter>,
    /// Since when the watts of each PDU and of the fan meter stand still, by device.
    #[serde(default)]
    pub unmoved: BTreeMap<String, Unmoved>,
    /// Messages that are out and that the database could not let go of: their numbers in the outbox, and a sum of each
    /// one's text, since a new database numbers anew.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages_out: BTreeMap<u64, u64>,
    /// The curtailment that is going on.
    pub call: Option<Call>,
    /// Records of calls that are over and not yet in their file: a disk that fails loses none.
    #[serde(default)]
    pub calls_unkept: Vec<CallRecord>,
    /// Drills: the one that goes on, and what the last ones proved.
    #[serde(default)]
    pub drill: DrillState,
    /// Certificates that are not yet in their file: a disk that fails loses none.
    #[serde(default)]
    pub drills_unkept: Vec<DrillRecord>,
    /// What the services said to the last drill's message: known only when it was sent.
    #[serde(default)]
    pub drill_told: DrillDeliveries,
    /// When the last heartbeat was written.
    pub heartbeat: Option<Moment>,
    /// Why the last sign of life did not reach the dead-man service: known only when the run is over.
    #[serde(default)]
    pub dead_man: Option<Fault>,
    /// Why messages with commands could not be fetched in the last run.
    #[serde(default)]
    pub chat: Option<Fault>,
    /// Why the last values did not reach the service that keeps them: known only when the run is over.
    #[serde(default)]
    pub influx: Option<Fault>,
    /// What each channel said to the newest message that it did not take, or not for all recipients: until it takes one.
    #[serde(default)]
    pub channels: BTreeMap<Channel, Fault>,
    /// What the last run had to complain about: a failed save is known only after the decision.
    #[serde(default)]
    pub troubles: Vec<String>,
    /// The commands of the last pass in words, so that only a change is told.
    #[serde(default)]
    pub last_commands: Vec<String>,
    /// When they were told.
    #[serde(default)]
    pub last_commands_told: Option<Moment>,
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
            signal: SignalState::boot(now),
            climate: ClimateState::boot(now),
            demand: DemandState::boot(now),
            miners: MinersState::boot(),
            fans: BTreeMap::new(),
            alarms: BTreeMap::new(),
            raised: BTreeMap::new(),
            written: BTreeMap::new(),
            devices: BTreeMap::new(),
            counters: BTreeMap::new(),
            unmoved: BTreeMap::new(),
            messages_out: BTreeMap::new(),
            call: None,
            calls_unkept: Vec::new(),
            drill: DrillState::default(),
            drills_unkept: Vec::new(),
            drill_told: DrillDeliveries::new(),
            heartbeat: None,
            dead_man: None,
            chat: None,
            influx: None,
            channels: BTreeMap::new(),
            troubles: Vec::new(),
            last_commands: Vec::new(),
            last_commands_told: None,
            last_failures: Vec::new(),
        }
    }
}
