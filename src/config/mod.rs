//! The checked configuration: what the rest of the program reads. Text becomes a [`Config`] in `read`, where every
//! mistake is found and reported at once; nothing here is optional that a rule needs.

mod check;
mod costs;
mod drill;
mod edit;
mod entry;
mod fans;
mod mask;
mod messages;
mod miners;
mod pdus;
mod portable;
mod preset;
mod read;
mod read_devices;
mod read_dialect;
mod read_notify;
mod read_pdu;
mod read_rules;
mod read_signal;
mod secret;
mod section;
mod sensors;
mod signal;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use check::is_private_address;
pub use costs::{ChargePeriod, CostsConfig};
pub use drill::{DrillConfig, DrillSchedule};
pub use edit::{cannot_replace, replace, with_value, without};
pub use entry::{Entry, Kind, Place, nearest};
pub use fans::{
    FanCapacity, FanConfig, FanRules, FanStage, RelayBoardConfig, RelayFamily, RelayPage, RelayPoint, Wiring,
};
pub use mask::{is_secret_name, mask};
pub use messages::{
    ChatRights, DeadManConfig, EmailConfig, HeartbeatStyle, InfluxConfig, MailSecurity, NotifyConfig, SmsConfig,
    SmsProvider, TelegramConfig,
};
pub use miners::{ClimateConfig, ForemanConfig, MinerChoice, MinersConfig};
pub use pdus::{
    Ask, BankConfig, BodyTest, Derived, Login, PduAuth, PduConfig, PduDialect, PduDriver, RedfishConfig, Volts,
};
pub use portable::portable;
pub use read::{FILE_BYTES_MAX, Inspection, file_name, folder, inspect, load, parse, read_text};
pub use secret::Secret;
pub use sensors::{
    EmonCmsConfig, FanWattsConfig, FeedPoint, IotaWattConfig, ProbeConfig, ProbeRole, RoomAlertConfig, SwitchConfig,
};
pub use signal::{OffWhen, PagePlace, SignalConfig, SignalMeaning, StampConfig, WhenBlind};

use crate::units::Seconds;

/// Whether commands are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Decide, log, notify and draw, but command nothing.
    Observe,
    /// Command.
    Live,
}

impl Mode {
    /// The word used in config, log and page.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Observe => "observe",
            Mode::Live => "live",
        }
    }
}

/// How temperatures are shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemperatureUnit {
    /// Degrees Fahrenheit.
    Fahrenheit,
    /// Degrees Celsius.
    Celsius,
}

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether commands are sent.
    pub mode: Mode,
    /// How often cron starts a run.
    pub loop_interval: Seconds,
    /// IANA name of the site's time zone; checked to exist.
    pub time_zone: String,
    /// How temperatures are shown.
    pub temperature_unit: TemperatureUnit,
    /// The container.
    pub site: SiteConfig,
    /// Where files go.
    pub paths: PathsConfig,
    /// Time limits of a run.
    pub tick: TickConfig,
    /// The power signal.
    pub signal: SignalConfig,
    /// Room Alert units.
    pub rooms: Vec<RoomAlertConfig>,
    /// Where fan watts come from.
    pub fan_watts: FanWattsConfig,
    /// Relay boards.
    pub boards: Vec<RelayBoardConfig>,
    /// Fans by number.
    pub fans: BTreeMap<u8, FanConfig>,
    /// The rules for the fans.
    pub fan_rules: FanRules,
    /// The rules for the intake temperature.
    pub climate: ClimateConfig,
    /// The rules for the miners.
    pub miners: MinersConfig,
    /// Foreman.
    pub foreman: ForemanConfig,
    /// PDUs.
    pub pdus: Vec<PduConfig>,
    /// Routing and pace of messages.
    pub notify: NotifyConfig,
    /// Telegram, if used.
    pub telegram: Option<TelegramConfig>,
    /// Email, if used.
    pub email: Option<EmailConfig>,
    /// SMS, if used.
    pub sms: Option<SmsConfig>,
    /// The dead-man service, if used.
    pub dead_man: Option<DeadManConfig>,
    /// The service that is given the values of each run, if used.
    pub influx: Option<InfluxConfig>,
    /// Limits of overrides.
    pub overrides: OverridesConfig,
    /// How long history is kept.
    pub history: HistoryConfig,
    /// Prices for the estimates in the scorecard.
    pub costs: CostsConfig,
    /// Drills.
    pub drill: DrillConfig,
}

impl Config {
    /// The names of all probes whose role is `intake`.
    pub fn intake_probes(&self) -> impl Iterator<Item = &str> {
        let probes = self.rooms.iter().flat_map(|room| &room.probes);
        probes.filter(|probe| probe.role == ProbeRole::Intake).map(|probe| probe.name.as_str())
    }
}

/// `[site]`
#[derive(Debug, Clone)]
pub struct SiteConfig {
    /// Name of the container.
    pub name: String,
    /// Address of the page as the owner opens it.
    pub page_url: Option<String>,
}

/// `[paths]`; relative ones are relative to the configuration file's folder.
#[derive(Debug, Clone)]
pub struct PathsConfig {
    /// Database, history and lock.
    pub data: PathBuf,
    /// The web server's folder.
    pub page: PathBuf,
    /// The log file.
    pub log: PathBuf,
}

/// `[tick]`
#[derive(Debug, Clone)]
pub struct TickConfig {
    /// A whole run.
    pub budget: Seconds,
    /// Reading all devices once.
    pub read_limit: Seconds,
    /// Pause between passes while something is changing.
    pub pass_pause: Seconds,
    /// Failed runs in a row that raise a warning.
    pub warn_after_failures: u32,
}

/// `[overrides]`
#[derive(Debug, Clone)]
pub struct OverridesConfig {
    /// How long an override holds when nothing is said.
    pub default_time: Seconds,
    /// The longest that is allowed.
    pub max_time: Seconds,
}

/// `[history]`
#[derive(Debug, Clone, Copy)]
pub struct HistoryConfig {
    /// Days with the samples of each run.
    pub keep_days: u32,
    /// Days with 15-minute least, mean and largest values.
    pub averages_days: u32,
    /// Days for which what each run read is kept, for `replay`; 0 keeps nothing.
    pub inputs_days: u32,
}
