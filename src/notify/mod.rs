//! Messages to people: Telegram, email, text message, and the sign of life for the dead-man service. Messages
//! of people to the bot are fetched and answered here too, and understood elsewhere. Notices arrive written; here they get the site's name, how late they are, and the length a service takes. It keeps nothing: the
//! outbox is the store's, and what to tell is decided elsewhere.

mod attempt;
mod chat;
mod dead_man;
mod deliver;
mod email;
mod letter;
mod outbox;
mod queue;
mod sms;
mod telegram;
mod text;

pub use chat::{fetch_messages, send_picture, send_words, show_heartbeat};
pub use dead_man::{Ping, ping};
pub use deliver::deliver;
pub use outbox::{Due, Settled, due, settle};
pub use telegram::Fetched;

/// The readers of services' answers alone, for tests: no I/O.
pub mod parse {
    pub use super::dead_man::complaint as dead_man;
    pub use super::sms::{parse_template as template, parse_twilio as twilio};
    pub use super::telegram::{parse as telegram, parse_updates as telegram_updates};
}

use std::time::Duration;

use crate::config::{Config, DeadManConfig, NotifyConfig};
use crate::model::{Channel, Fault, Notice, Severity};

/// The channels that have a section in the configuration.
pub fn configured(cfg: &Config) -> Vec<Channel> {
    let is_there = |channel: &Channel| match channel {
        Channel::Telegram => cfg.telegram.is_some(),
        Channel::Email => cfg.email.is_some(),
        Channel::Sms => cfg.sms.is_some(),
    };
    Channel::ALL.into_iter().filter(is_there).collect()
}

/// Looks whether a channel would take a message, as far as that shows without sending one, within `limit` (real time).
/// `Ok` says what was found out; `None` where nothing can be asked, or the channel is not configured.
pub fn look(cfg: &Config, channel: Channel, limit: Duration) -> Result<Option<String>, Fault> {
    match channel {
        Channel::Telegram => cfg.telegram.as_ref().map(|telegram| telegram::look(telegram, limit)).transpose(),
        Channel::Email => cfg.email.as_ref().map(|email| email::look(email, limit)).transpose(),
        Channel::Sms => cfg.sms.as_ref().map_or(Ok(None), |sms| sms::look(sms, limit)),
    }
}

/// Whether the dead-man service answers, without a ping; as [`look`].
pub fn look_at_dead_man(cfg: &DeadManConfig, limit: Duration) -> Result<Option<String>, Fault> {
    dead_man::look(cfg, limit)
}

/// The channels that a notice goes to, each once. Channels that are not configured are left out by the check of the
/// configuration, not here.
pub fn route(cfg: &NotifyConfig, notice: &Notice) -> Vec<Channel> {
    let configured = match notice.severity {
        Severity::Heartbeat => &cfg.heartbeat,
        Severity::Info => &cfg.info,
        Severity::Warning => &cfg.warning,
        Severity::Emergency => &cfg.emergency,
    };
    let mut channels = configured.clone();
    channels.sort();
    channels.dedup();
    channels
}
