//! What people write to the bot, and what is remembered of that between runs.

use serde::{Deserialize, Serialize};

use crate::units::{Moment, UnixSeconds};

/// What the service hands over: a message, or something that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatUpdate {
    /// Its number; later ones are larger.
    pub id: i64,
    /// The message; `None` for whatever else it is (edited, forwarded, of a bot, of a channel, without text).
    pub message: Option<ChatMessage>,
}

/// A text that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Its number in its chat.
    pub id: i64,
    /// The chat.
    pub chat: i64,
    /// Whether the chat is with this person alone.
    pub is_private: bool,
    /// Who wrote it.
    pub user: i64,
    /// What that person is called; chosen by the person.
    pub name: String,
    /// When the service took it, by the service's clock.
    pub at: UnixSeconds,
    /// The text as it came.
    pub text: String,
}

/// What is remembered of chats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatMemory {
    /// The bot that all this is about: the number in front of its token.
    pub bot: String,
    /// The bot's own name, by which a group speaks to it.
    pub name: Option<String>,
    /// Whether what was handled is lost: the commands that the service hands over first may be done already.
    pub forgotten: bool,
    /// The number of the first update that is not handled.
    pub next: Option<i64>,
    /// When the last one was handled.
    pub handled: Option<UnixSeconds>,
    /// Commands that wait for their code.
    pub codes: Vec<ChatCode>,
    /// Answers that wait to be sent.
    pub answers: Vec<ChatAnswer>,
    /// Messages of people who may not command, since that was last logged.
    pub strangers: u64,
    /// When it was last logged.
    pub strangers_told: Option<Moment>,
    /// The message that shows the heartbeat.
    pub heartbeat: Option<ChatHeartbeat>,
}

/// A command that waits for its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatCode {
    /// Where it was given.
    pub chat: i64,
    /// Who gave it.
    pub user: i64,
    /// Six digits. Plain: it is worth nothing after minutes, and the chat shows it anyway.
    pub digits: String,
    /// The command, as it will be read once more.
    pub command: String,
    /// When the code was made.
    pub made: Moment,
    /// Wrong codes since then.
    pub wrong: u32,
}

/// An answer that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatAnswer {
    /// Where to.
    pub chat: i64,
    /// The message that it answers.
    pub message: i64,
    /// When it was written.
    pub at: Moment,
    /// Attempts so far.
    pub attempts: u32,
    /// What it says.
    pub says: ChatWords,
}

/// What an answer says; some of it is known only when the run's decision is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChatWords {
    /// This text.
    Text(String),
    /// The site's state at the end of the run.
    Status,
    /// The reasons of the last decision.
    Why,
    /// The picture of the trends.
    Chart,
}

/// The message that shows the heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatHeartbeat {
    /// The chat as configured when it was posted.
    pub chat: String,
    /// Its number there.
    pub message: i64,
}
