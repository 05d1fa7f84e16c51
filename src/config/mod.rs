//! The checked configuration: what the rest of the program reads. Text becomes a [`Config`] in `read`, where every
//! mistake is found and reported at once; nothing here is optional that a rule needs.

mod check;
mod edit;
mod entry;
mod mask;
mod preset;
mod read;
mod read_devices;
mod read_notify;
mod read_pdu;
mod read_rules;
mod read_signal;
mod secret;
mod section;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use edit::{replace, with_value};
pub use entry::{Entry, Kind, Place, nearest};
pub use mask::{is_secret_name, mask};
pub use read::{FILE_BYTES_MAX, Inspection, file_name, folder, inspect, load, parse, read_text};
pub use secret::Secret;

use crate::model::Channel;
use crate::units::{Seconds, Temperature, Watts};

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
    /// Limits of overrides.
    pub overrides: OverridesConfig,
    /// How long history is kept.
    pub history: HistoryConfig,
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

/// `[signal]`
#[derive(Debug, Clone)]
pub struct SignalConfig {
    /// The page.
    pub url: String,
    /// CSS selector of the one element; checked to be one.
    pub selector: String,
    /// Pattern with group 1; checked to be one.
    pub pattern: String,
    /// How group 1 becomes a level.
    pub meaning: SignalMeaning,
    /// Texts that the page must contain.
    pub must_contain: Vec<String>,
    /// Texts that the page must not contain.
    pub must_not_contain: Vec<String>,
    /// The page's own time stamp.
    pub stamp: Option<StampConfig>,
    /// The last good reading counts for this long.
    pub max_age: Seconds,
    /// What Blind means for the miners.
    pub when_blind: WhenBlind,
    /// Good readings in a row needed to resume.
    pub resume_readings: u32,
    /// Warn when the text has not changed for this long.
    pub unchanged_warning: Seconds,
    /// The longest wait for the page.
    pub timeout: Seconds,
}

/// How the signal's value becomes a level.
#[derive(Debug, Clone, PartialEq)]
pub enum SignalMeaning {
    /// A number with two thresholds.
    Number {
        /// Values outside are not believed.
        range: (f64, f64),
        /// Which side means off.
        off_when: OffWhen,
        /// Off at (and beyond) this.
        curtail_at: f64,
        /// On again on the other side of this.
        resume_below: f64,
    },
    /// Words, compared without case.
    Words {
        /// These curtail.
        curtail: Vec<String>,
        /// These let run.
        run: Vec<String>,
    },
}

/// Which side of the threshold means off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffWhen {
    /// A high number means off.
    High,
    /// A low number means off.
    Low,
}

/// The page's own time stamp.
#[derive(Debug, Clone)]
pub struct StampConfig {
    /// CSS selector of the element.
    pub selector: String,
    /// strptime format of its whole text.
    pub format: String,
    /// A page with an older stamp is not believed.
    pub max_age: Seconds,
}

/// What Blind means for the miners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenBlind {
    /// Off.
    Curtail,
    /// As they are.
    Hold,
}

/// `[[room_alert]]`
#[derive(Debug, Clone)]
pub struct RoomAlertConfig {
    /// Its name.
    pub name: String,
    /// The whole address of `getData.json`.
    pub url: String,
    /// Another serial number is refused.
    pub serial: Option<String>,
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
    /// The array in the answer.
    pub array: String,
    /// The place in the array, from 0.
    pub index: usize,
    /// What it steers.
    pub role: ProbeRole,
    /// The label that the unit must give it.
    pub label: Option<String>,
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
    /// The array in the answer.
    pub array: String,
    /// The place in the array, from 0.
    pub index: usize,
    /// The `stat` that is the alarm: 0 open, 1 closed.
    pub alarm_when: u8,
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
    /// A row older than this is stale.
    pub max_age: Seconds,
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
    /// Feed id of each fan, by fan number.
    pub fan_feeds: BTreeMap<u8, u64>,
    /// A value older than this is stale.
    pub max_age: Seconds,
    /// The longest wait.
    pub timeout: Seconds,
}

/// `[[relay_board]]`
#[derive(Debug, Clone)]
pub struct RelayBoardConfig {
    /// Its name.
    pub name: String,
    /// Its address, without path.
    pub url: String,
    /// Its dialect.
    pub family: RelayFamily,
    /// Another serial number is refused.
    pub serial: Option<String>,
    /// User for HTTP Basic.
    pub user: Option<String>,
    /// Password for HTTP Basic.
    pub password: Option<Secret>,
    /// The longest wait.
    pub timeout: Seconds,
}

/// The dialects of ControlByWeb boards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayFamily {
    /// X-400 series: `state.json`, `relayN`.
    Series400,
    /// X-300 series, X-WR-10R12, WebRelay-Quad: `state.xml`, `relayNstate`.
    Series300,
}

/// `[[fan]]`
#[derive(Debug, Clone)]
pub struct FanConfig {
    /// Its number.
    pub number: u8,
    /// The relay board.
    pub board: String,
    /// The relay on it, from 1.
    pub relay: u8,
    /// What the relay does to the fan.
    pub wiring: Wiring,
}

/// What a relay does to its fan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiring {
    /// The fan runs while the relay is off: it runs when the board is dead.
    NormallyClosed,
    /// The fan runs while the relay is on.
    NormallyOpen,
}

/// `[fans]`
#[derive(Debug, Clone)]
pub struct FanRules {
    /// Watts that prove a fan running.
    pub on_above: Watts,
    /// Watts that prove it stopped.
    pub off_below: Watts,
    /// Time to prove a command.
    pub prove_within: Seconds,
    /// Stages, lowest temperature first.
    pub stages: Vec<FanStage>,
    /// In kelvin: how far below its `above` a stage is left.
    pub hysteresis_k: f64,
    /// Fewest fans while miners draw power.
    pub min_running: u8,
    /// Shortest time on or off.
    pub min_switch_time: Seconds,
    /// Time between two fans stopping.
    pub step_time: Seconds,
    /// Time the fans run on after the miners are proven off.
    pub run_on: Seconds,
    /// With the miners off, fans run at and above this.
    pub off_room_above: Temperature,
    /// Fans proven running before the first group is resumed.
    pub before_resume: u8,
    /// Most switchings of one fan in an hour, except towards safety.
    pub max_switchings_per_hour: u32,
}

/// A fan stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FanStage {
    /// From this intake temperature on.
    pub above: Temperature,
    /// This many fans.
    pub run: u8,
}

/// `[climate]`
#[derive(Debug, Clone)]
pub struct ClimateConfig {
    /// Miners go off at and above this.
    pub shed_above: Temperature,
    /// They may run again at and below this.
    pub resume_below: Temperature,
    /// Emergency at and above this.
    pub critical_above: Temperature,
    /// They resume only at and above this.
    pub resume_min: Temperature,
    /// A probe reading older than this does not count.
    pub max_age: Seconds,
    /// Without an intake temperature for this long the miners go off.
    pub lost_limit: Seconds,
}

/// `[miners]`
#[derive(Debug, Clone)]
pub struct MinersConfig {
    /// Proven off at and below this.
    pub off_below: Watts,
    /// Running at and above this.
    pub on_above: Watts,
    /// Time of rung 1.
    pub foreman_limit: Seconds,
    /// Emergency when not proven by then.
    pub deadline: Seconds,
    /// Shortest time off.
    pub min_off: Seconds,
    /// Demand must allow running for this long.
    pub resume_after: Seconds,
    /// Groups to resume in.
    pub resume_groups: u32,
    /// Time for a group to show rising watts.
    pub group_limit: Seconds,
    /// An outlet above this draws power.
    pub outlet_off_below: Watts,
}

/// `[foreman]`
#[derive(Debug, Clone)]
pub struct ForemanConfig {
    /// Its name.
    pub name: String,
    /// Its address, without path.
    pub url: String,
    /// The client (site) number.
    pub client_id: u64,
    /// The API key.
    pub api_key: Secret,
    /// Which miners may be commanded.
    pub miners: MinerChoice,
    /// Pause between two calls to one endpoint.
    pub call_pause: Seconds,
    /// Miners commanded in one pass.
    pub batch: usize,
    /// The longest wait.
    pub timeout: Seconds,
}

/// Which miners may be commanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MinerChoice {
    /// All of the client.
    All,
    /// Those with this tag.
    Tag(String),
}

/// `[[pdu]]`
#[derive(Debug, Clone)]
pub struct PduConfig {
    /// Its name.
    pub name: String,
    /// Its address, without path.
    pub url: String,
    /// How to talk to it; filled by a preset, changed by its own keys.
    pub dialect: PduDialect,
    /// The token, for `{token}` in the dialect's headers.
    pub token: Option<Secret>,
    /// User for HTTP Basic.
    pub user: Option<String>,
    /// Password for HTTP Basic.
    pub password: Option<Secret>,
    /// The outlets that may be switched, in order; anything else is out of reach.
    pub outlets: Vec<String>,
    /// Pause between two switchings.
    pub outlet_pause: Seconds,
    /// Outlets switched in one pass.
    pub batch: usize,
    /// A reading older than this is stale.
    pub max_age: Seconds,
    /// The longest wait.
    pub timeout: Seconds,
}

/// How to read and switch a PDU that speaks JSON over HTTP. Pointers are JSON pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq)]
pub struct PduDialect {
    /// Path of the answer with all outlets.
    pub read_path: String,
    /// Pointer to the array (or object) of outlets in it; empty for the document.
    pub items: String,
    /// Pointer to the id in an outlet; `@key` when `items` is an object, `@index` for a bare array counted from 0.
    pub id: String,
    /// Pointer to the power in an outlet; `None` for outlets without metering.
    pub watts: Option<String>,
    /// Factor that makes watts of it.
    pub watts_scale: f64,
    /// Pointer to the state in an outlet.
    pub state: String,
    /// The state that is on; any other than these two is a fault.
    pub on: serde_json::Value,
    /// The state that is off.
    pub off: serde_json::Value,
    /// Pointer to the time (RFC 3339) of an outlet's reading; `None` when the device gives none.
    pub updated: Option<String>,
    /// Pointer to a flag in an outlet that says the PDU switches it by itself.
    pub auto_reset: Option<String>,
    /// Pointer in the document to the watts of the whole PDU; `None`: the sum of the outlets.
    pub total_watts: Option<String>,
    /// `PUT`, `POST` or `PATCH`.
    pub switch_method: String,
    /// Path to switch an outlet; `{id}` is its id.
    pub switch_path: String,
    /// Body that switches on; `"{id}"` in it becomes the id.
    pub on_body: serde_json::Value,
    /// Body that switches off.
    pub off_body: serde_json::Value,
    /// Header lines for a switching request, `Name: value` with `{token}`.
    pub switch_headers: Vec<String>,
    /// Header lines for a reading request.
    pub read_headers: Vec<String>,
}

/// `[notify]`
#[derive(Debug, Clone)]
pub struct NotifyConfig {
    /// Channels of a heartbeat.
    pub heartbeat: Vec<Channel>,
    /// Channels of an info.
    pub info: Vec<Channel>,
    /// Channels of a warning.
    pub warning: Vec<Channel>,
    /// Channels of an emergency.
    pub emergency: Vec<Channel>,
    /// How often a heartbeat is sent.
    pub heartbeat_interval: Seconds,
    /// First reminder of a warning; each further one waits twice as long.
    pub warning_reminder: Seconds,
    /// Every reminder of an emergency.
    pub emergency_reminder: Seconds,
    /// Messages of one channel in an hour, emergencies not counted.
    pub max_per_hour: u32,
    /// An undelivered message is given up after this.
    pub give_up_after: Seconds,
    /// All sending in one run together.
    pub send_limit: Seconds,
}

/// `[telegram]`
#[derive(Debug, Clone)]
pub struct TelegramConfig {
    /// Address of the Bot API, without path.
    pub url: String,
    /// The bot's token.
    pub token: Secret,
    /// The chat.
    pub chat_id: String,
    /// The longest wait.
    pub timeout: Seconds,
}

/// `[email]`
#[derive(Debug, Clone)]
pub struct EmailConfig {
    /// Mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Encryption.
    pub security: MailSecurity,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// Login.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// Sender.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
    /// The longest wait for the whole delivery.
    pub timeout: Seconds,
}

/// Encryption of mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// Upgrade required.
    StartTls,
    /// From the start.
    Tls,
    /// None: only towards private addresses.
    None,
}

/// `[sms]`
#[derive(Debug, Clone)]
pub struct SmsConfig {
    /// Base address (Twilio) or the whole address (template).
    pub url: String,
    /// Whose API it is.
    pub provider: SmsProvider,
    /// Recipients.
    pub to: Vec<String>,
    /// The longest wait.
    pub timeout: Seconds,
}

/// Whose API sends the text message.
#[derive(Debug, Clone)]
pub enum SmsProvider {
    /// Twilio's REST API.
    Twilio {
        /// The account.
        account_sid: String,
        /// Its token.
        auth_token: Secret,
        /// Sender's number.
        from: String,
    },
    /// Any HTTP API.
    Template {
        /// `GET` or `POST`.
        method: String,
        /// Header lines with `{key}`.
        headers: Vec<String>,
        /// The key.
        key: Option<Secret>,
        /// Body with `{to}` and `{text}`.
        body: String,
    },
}

/// `[dead_man]`
#[derive(Debug, Clone)]
pub struct DeadManConfig {
    /// The check's address; `/start` and `/fail` are appended.
    pub url: String,
    /// The longest wait.
    pub timeout: Seconds,
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
#[derive(Debug, Clone)]
pub struct HistoryConfig {
    /// Days of full history.
    pub keep_days: u32,
}
