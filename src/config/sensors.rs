//! The settings of Room Alert units and of the meters of the fans.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::Secret;
use crate::units::Seconds;

/// `[[room_alert]]`
#[derive(Debug, Clone)]
pub struct RoomAlertConfig {
    /// Its name.
    pub name: String,
    /// Its address, with or without the name of its page.
    pub url: String,
    /// Another serial number (or MAC address) is refused.
    pub serial: Option<String>,
    /// User for HTTP Basic.
    pub user: Option<String>,
    /// Password for HTTP Basic.
    pub password: Option<Secret>,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest wait.
    pub timeout: Seconds,
    /// Its probes.
    pub probes: Vec<ProbeConfig>,
    /// Its switches.
    pub switches: Vec<SwitchConfig>,
}

/// A probe.
#[derive(Debug, Clone)]
pub struct ProbeConfig {
    /// Its name; unique over all units.
    pub name: String,
    /// The array in the answer, with its way where it is inside another: `wireless_sen/2/digi_sen`.
    pub array: String,
    /// The place in the array, from 0.
    pub index: usize,
    /// What it steers.
    pub role: ProbeRole,
    /// The label that the unit must give it.
    pub label: Option<String>,
    /// Read although its port is switched off in the unit's settings.
    pub use_disabled: bool,
    /// A wireless probe that was last heard longer ago is stale.
    pub max_age: Option<Seconds>,
}

/// What a probe steers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeRole {
    /// The air that the miners breathe: steers fans and shedding.
    Intake,
    /// The air that leaves.
    Exhaust,
    /// Outdoors.
    Outdoor,
    /// Shown only.
    Other,
}

impl ProbeRole {
    /// The word used in config and page.
    pub fn word(self) -> &'static str {
        match self {
            ProbeRole::Intake => "intake",
            ProbeRole::Exhaust => "exhaust",
            ProbeRole::Outdoor => "outdoor",
            ProbeRole::Other => "other",
        }
    }
}

/// A switch sensor.
#[derive(Debug, Clone)]
pub struct SwitchConfig {
    /// Its name; unique over all units.
    pub name: String,
    /// The array in the answer, as for a probe.
    pub array: String,
    /// The place in the array, from 0.
    pub index: usize,
    /// The `stat` that is the alarm: 0 open, 1 closed.
    pub alarm_when: u8,
    /// The label that the unit must give it.
    pub label: Option<String>,
    /// Read although its port is switched off in the unit's settings.
    pub use_disabled: bool,
    /// Whether the miners go off with it.
    pub stops_mine: bool,
}

/// Where fan watts come from.
#[derive(Debug, Clone)]
pub enum FanWattsConfig {
    /// `[iotawatt]`
    IotaWatt(IotaWattConfig),
    /// `[emoncms]`
    EmonCms(EmonCmsConfig),
}

impl FanWattsConfig {
    /// The device's name.
    pub fn name(&self) -> &str {
        match self {
            FanWattsConfig::IotaWatt(c) => &c.name,
            FanWattsConfig::EmonCms(c) => &c.name,
        }
    }

    /// A reading older than this is stale.
    pub fn max_age(&self) -> Seconds {
        match self {
            FanWattsConfig::IotaWatt(c) => c.max_age,
            FanWattsConfig::EmonCms(c) => c.max_age,
        }
    }
}

/// `[iotawatt]`
#[derive(Debug, Clone)]
pub struct IotaWattConfig {
    /// Its name.
    pub name: String,
    /// Its address, without path.
    pub url: String,
    /// Series of the mains voltage.
    pub voltage_series: String,
    /// Series of each fan, by fan number.
    pub fan_series: BTreeMap<u8, String>,
    /// User for HTTP Digest.
    pub user: Option<String>,
    /// Password for HTTP Digest.
    pub password: Option<Secret>,
    /// A row older than this is stale.
    pub max_age: Seconds,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest wait.
    pub timeout: Seconds,
}

/// `[emoncms]`
#[derive(Debug, Clone)]
pub struct EmonCmsConfig {
    /// Its name.
    pub name: String,
    /// Its address with the path before `/feed`.
    pub url: String,
    /// The read key.
    pub api_key: Secret,
    /// The feed of each fan, by fan number.
    pub fan_feeds: BTreeMap<u8, FeedPoint>,
    /// A value older than this is stale.
    pub max_age: Seconds,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest wait.
    pub timeout: Seconds,
}

/// A feed of an emonCMS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedPoint {
    /// By its id.
    Id(u64),
    /// By its tag and its name: unique together, the name alone is not.
    Name {
        /// The tag; empty for a feed without one.
        tag: String,
        /// The name.
        name: String,
    },
}

impl fmt::Display for FeedPoint {
    /// `7`, or `fans/fan1` in backticks.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            FeedPoint::Id(id) => write!(f, "{id}"),
            FeedPoint::Name { tag, name } => write!(f, "`{tag}/{name}`"),
        }
    }
}
