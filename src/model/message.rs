//! What is told and kept: alarms, notices, events, samples.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::units::{Moment, Seconds, UnixSeconds};

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
    /// When it was put into the outbox; `None` when an older program did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<Moment>,
}

impl OutboxEntry {
    /// A notice for a channel that was not tried yet and may be at once.
    pub fn untried(id: u64, channel: Channel, notice: Notice) -> OutboxEntry {
        let not_before = notice.at;
        OutboxEntry {
            id,
            channel,
            not_before,
            notice,
            attempts: 0,
            last_fault: None,
            reached: Vec::new(),
            queued: None,
        }
    }

    /// Moves its times along with a wall clock that was set since it was queued, as that of a Pi is once the network is
    /// there: else a message of a minute ago would be hours late, or too old to be sent at all.
    pub fn set_right(&mut self, now: &Moment) {
        let Some(queued) = self.queued else { return };
        let is_same_boot = queued.boot == now.boot;
        if !is_same_boot && queued.wall >= NEVER_BEFORE {
            return;
        }
        // Of a boot whose clock was never set only this is known: it is past.
        let age = if is_same_boot { now.since(&queued) } else { now.up };
        let truly = now.wall.minus(age);
        let moved = truly.0.saturating_sub(queued.wall.0);
        if moved.unsigned_abs() < CLOCK_DRIFT.0 {
            return;
        }
        let set = |time: UnixSeconds| UnixSeconds(time.0.saturating_add(moved));
        (self.notice.at, self.not_before) = (set(self.notice.at), set(self.not_before));
        self.queued = Some(Moment { wall: truly, boot: now.boot, up: now.up.saturating_sub(age) });
    }
}

/// No run was before this (2020): a clock that shows an earlier time was never set.
const NEVER_BEFORE: UnixSeconds = UnixSeconds(1_577_836_800);

/// Both clocks may differ by this much without one of them having been set.
const CLOCK_DRIFT: Seconds = Seconds(30);

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
