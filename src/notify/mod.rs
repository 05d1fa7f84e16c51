//! Messages to people: Telegram, email, text message, and the sign of life for the dead-man service. Notices arrive
//! written; here they get the site's name, how late they are, and the length a service takes. It keeps nothing: the
//! outbox is the store's, and what to tell is decided elsewhere.

mod attempt;
mod dead_man;
mod deliver;
mod email;
mod letter;
mod outbox;
mod queue;
mod sms;
mod telegram;
mod text;

pub use dead_man::{Ping, ping};
pub use deliver::deliver;
pub use outbox::{Due, Settled, due, settle};

use crate::config::{Config, NotifyConfig};
use crate::model::{Channel, Notice, Severity};

/// The channels that have a section in the configuration.
pub fn configured(cfg: &Config) -> Vec<Channel> {
    let is_there = |channel: &Channel| match channel {
        Channel::Telegram => cfg.telegram.is_some(),
        Channel::Email => cfg.email.is_some(),
        Channel::Sms => cfg.sms.is_some(),
    };
    Channel::ALL.into_iter().filter(is_there).collect()
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
