//! The settings of messages: routing, pace and the services; and of the service that keeps the values.

use std::path::PathBuf;

use regex::Regex;

use super::Secret;
use crate::model::Channel;
use crate::units::Seconds;

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
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest wait.
    pub timeout: Seconds,
    /// How heartbeats are shown.
    pub heartbeat: HeartbeatStyle,
    /// Who may command by messages; `None`: nobody, and no message is asked for.
    pub commands: Option<ChatRights>,
}

/// How heartbeats are shown in the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeartbeatStyle {
    /// A message each.
    Post,
    /// One pinned message that is written anew.
    Edit,
}

/// Who may command by messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRights {
    /// The chats, by Telegram's numbers.
    pub chats: Vec<i64>,
    /// The people in them; empty: everybody in these chats.
    pub users: Vec<i64>,
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
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
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
        /// What an answer must match to count as taken; the status alone proves nothing.
        success: Regex,
        /// What an answer matches that refuses for good.
        refused: Option<Regex>,
    },
}

/// `[influx]`
#[derive(Debug, Clone)]
pub struct InfluxConfig {
    /// The whole address that lines are written to.
    pub url: String,
    /// A token, for those services that give one.
    pub token: Option<Secret>,
    /// Login of the other services.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest that writing may take in one run.
    pub timeout: Seconds,
}

/// `[dead_man]`
#[derive(Debug, Clone)]
pub struct DeadManConfig {
    /// The check's address; `/start` and `/fail` are appended.
    pub url: String,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest wait.
    pub timeout: Seconds,
}
