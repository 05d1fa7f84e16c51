//! What is told and kept: alarms, notices, events, samples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::units::{Moment, UnixSeconds};

/// How much a person must care, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The regular sign of life.
    Heartbeat,
    /// Something changed as it should.
    Info,
    /// Something is wrong and coped with.
    Warning,
    /// A person must act now.
    Emergency,
}

impl Severity {
    /// The word used in messages, log and page.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Heartbeat => "heartbeat",
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Emergency => "emergency",
        }
    }
}

/// A way to reach people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A Telegram chat.
    Telegram,
    /// Email.
    Email,
    /// Text message.
    Sms,
}

impl Channel {
    /// All of them.
    pub const ALL: [Channel; 3] = [Channel::Telegram, Channel::Email, Channel::Sms];

    /// The word used in config, log and page.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Telegram => "telegram",
            Channel::Email => "email",
            Channel::Sms => "sms",
        }
    }
}

/// A condition that lasts until it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, with the reading.
    pub text: String,
    /// Since when.
    pub since: Moment,
    /// When people were last told.
    pub told: Moment,
    /// How often people were told.
    pub times_told: u32,
    /// Who acknowledged it, if someone did: no more reminders.
    pub acknowledged_by: Option<String>,
    /// Since when the condition does not hold any more; it is over only when it stays so.
    #[serde(default)]
    pub gone: Option<Moment>,
    /// Whether it comes and goes so often that it is told only when that ends.
    #[serde(default)]
    pub flapping: bool,
}

/// A message to people, before it is routed to channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Decides the channels.
    pub severity: Severity,
    /// When it was written.
    pub at: UnixSeconds,
    /// The text: a first line that says it all, then details.
    pub text: String,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A machine changed its state.
    State,
    /// A command is about to be sent.
    Command,
    /// What came of a command.
    Outcome,
    /// An alarm was raised, acknowledged or cleared.
    Alarm,
    /// An override was set, cleared or ran out.
    Override,
    /// A device fault began or ended.
    Fault,
    /// Something about the program itself: missed run, moved clock, repaired store.
    Program,
}

impl EventKind {
    /// The word used in log, page and `events`.
    pub fn word(self) -> &'static str {
        match self {
            EventKind::State => "state",
            EventKind::Command => "command",
            EventKind::Outcome => "outcome",
            EventKind::Alarm => "alarm",
            EventKind::Override => "override",
            EventKind::Fault => "fault",
            EventKind::Program => "program",
        }
    }
}

/// Something that happened, kept for the page and the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: UnixSeconds,
    /// What it is about.
    pub kind: EventKind,
    /// The machine, device or alarm it is about.
    pub subject: String,
    /// What happened, with values and units.
    pub text: String,
}

/// One value of one series, for the trends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The series' name with its unit last: `temperature.<probe>_c`, `humidity.<probe>_pct`, `fan.<n>_w`, `fan.<n>_on`
    /// (proven running: 1 or 0), `fans_on`, `pdu.<name>_w`, `miners_w`, `miners_online`, `hash_rate_ths`, `signal`
    /// (the page's number), `curtail` (miners must be off: 1 or 0).
    pub series: String,
    /// The value; `None` when there was no trustworthy reading.
    pub value: Option<f64>,
}

/// A message on its way to one channel. It leaves the outbox only when the service took it, or when it is given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Its place in the outbox: older ones are smaller.
    pub id: u64,
    /// Where it goes.
    pub channel: Channel,
    /// What it says.
    pub notice: Notice,
    /// Attempts so far.
    pub attempts: u32,
    /// Not to be tried before this.
    pub not_before: UnixSeconds,
    /// Why the last attempt failed.
    pub last_fault: Option<Fault>,
    /// The recipients who have it already, while others are tried again.
    #[serde(default)]
    pub reached: Vec<String>,
}

impl OutboxEntry {
    /// A notice for a channel that was not tried yet and may be at once.
    pub fn untried(id: u64, channel: Channel, notice: Notice) -> OutboxEntry {
        OutboxEntry { id, channel, not_before: notice.at, notice, attempts: 0, last_fault: None, reached: Vec::new() }
    }
}

/// What came of one attempt to send an [`OutboxEntry`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The entries it is about: several when waiting ones were joined into one message.
    pub ids: Vec<u64>,
    /// The channel.
    pub channel: Channel,
    /// What the service said.
    pub result: DeliveryResult,
    /// The recipients who have it, when the result is [`DeliveryResult::Later`] for others.
    #[serde(default)]
    pub reached: Vec<String>,
}

/// What a service said to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryResult {
    /// It took the message (whether a person got it, it cannot say); with a remark where not all went well, such as
    /// one of several recipients refused.
    Accepted(Option<Fault>),
    /// Not now: try again, not before the given time.
    Later(Fault, UnixSeconds),
    /// Never: wrong token, unknown chat, refused address.
    Refused(Fault),
}

/// Points of the history: by series, oldest first; `None` where there was no trustworthy reading.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The series by name.
    pub series: BTreeMap<String, Vec<(UnixSeconds, Option<f64>)>>,
}
