//! The shape of `status.json` and of `minectl status --json`. Programs read it: keys are only added, never renamed, and
//! `schema` counts what is not an addition. It holds no rules; `build` fills it.
//!
//! `text`, `note`, `headline`, `clock` and `age` are for people: their wording may change. A value that is not known is
//! `null` with its `problem`, never 0 and never the last one without its age.

mod inputs;
mod outputs;
mod record;
mod value;
mod worry;

use serde::Serialize;

pub use super::calls::{CallCard, CallStatus, CallsStatus, MarkCard};
pub use super::drills::{DrillCard, DrillCheckCard, DrillNow, DrillsStatus};
pub use super::words::Point;
pub use inputs::{ClimateStatus, ProbeStatus, SignalStatus, SwitchStatus};
pub use outputs::{Demand, FanStatus, MinersStatus, OffBecause, PduStatus, Step};
pub use record::{DeviceStatus, EventStatus, OverrideStatus};
pub use value::{Quality, Value};
pub use worry::{AlarmStatus, Cause, Level, Why, Worry};

/// The schema number of [`Status`].
pub const STATUS_SCHEMA: u32 = 1;

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
    /// Drills, and for how long no call was proven.
    pub drills: DrillsStatus,
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
