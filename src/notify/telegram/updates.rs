//! What people wrote to the bot: `getUpdates`, asked once and without waiting. Who may command, and what, is judged elsewhere;
//! what no person can have typed as a command just now is left out here.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::attempt::Attempt;
use super::{DEVICE, ask, judge, post, unusable_token};
use crate::config::TelegramConfig;
use crate::http::Answer;
use crate::model::{ChatMessage, ChatUpdate, Fault, FaultKind};
use crate::units::UnixSeconds;

/// Updates asked for at once.
const UPDATES_MAX: usize = 100;
/// The same after a failure: an answer that was too long, or too slow, gets through in pieces.
const UPDATES_AFTER_FAILURE: usize = 5;
/// A hundred messages of the greatest length, escaped.
const BODY_MAX: usize = 6 * 1024 * 1024;
/// The longest text of a message that is kept; whatever is longer is no command.
const TEXT_CHARS_MAX: usize = 1000;
const NAME_CHARS_MAX: usize = 64;

/// Marks of a message that its sender did not type here and now.
const NOT_TYPED: [&str; 9] = [
    "forward_origin",
    "forward_date",
    "forward_from",
    "forward_from_chat",
    "forward_sender_name",
    "is_automatic_forward",
    "via_bot",
    "sender_chat",
    "edit_date",
];

/// What was fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// In the order of their numbers, each once.
    pub updates: Vec<ChatUpdate>,
    /// The service's clock.
    pub at: Option<UnixSeconds>,
    /// The bot's name, where it was asked for.
    pub name: Option<String>,
}

/// Fetches what came from the update `next` on, within `limit` (real time) or the configured wait; updates before `next`
/// are thereby forgotten by the service. Asks for the bot's name too if a message is addressed to one and it is not `known`.
pub(in crate::notify) fn fetch(
    cfg: &TelegramConfig,
    next: Option<i64>,
    known: Option<&str>,
    failed_before: bool,
    limit: Duration,
) -> Result<Fetched, Fault> {
    if let Some(fault) = unusable_token(cfg) {
        return Err(fault);
    }
    let began = Instant::now();
    let limit = limit.min(cfg.timeout.duration());
    let many = if failed_before { UPDATES_AFTER_FAILURE } else { UPDATES_MAX };
    let mut body = json!({"limit": many, "timeout": 0, "allowed_updates": ["message"]});
    if let (Some(next), Some(body)) = (next, body.as_object_mut()) {
        body.insert("offset".to_owned(), json!(next));
    }
    let answer = post(cfg, "getUpdates", ("application/json", body.to_string().into_bytes()), limit, BODY_MAX)?;
    let mut fetched = parse(cfg, &answer)?;
    let is_addressed = |update: &ChatUpdate| update.message.as_ref().is_some_and(|said| said.text.contains('@'));
    if known.is_none() && fetched.updates.iter().any(is_addressed) {
        let me = ask(cfg, "getMe", &json!({}), limit.saturating_sub(began.elapsed()), "/result/username");
        let name = me.map(|me| me.pointer("/result/username").and_then(Value::as_str).map(str::to_owned));
        fetched.name = name.unwrap_or_else(|fault| {
            log::warn!("the bot's name is not known: {fault}");
            None
        });
    }
    Ok(fetched)
}

/// What an answer to `getUpdates` holds.
pub fn parse(cfg: &TelegramConfig, answer: &Answer) -> Result<Fetched, Fault> {
    match judge(cfg, answer, |said| said.get("result").is_some_and(Value::is_array)).0 {
        Attempt::Accepted(_) => {}
        Attempt::Later { fault, .. } | Attempt::Refused(fault) => return Err(fault),
    }
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let Some(Value::Array(all)) = said.get("result") else {
        return Err(Fault::new(DEVICE, FaultKind::Unreadable, "an answer without a list of messages"));
    };
    let mut updates: Vec<ChatUpdate> = all.iter().filter_map(update).collect();
    updates.sort_by_key(|update| update.id);
    updates.dedup_by_key(|update| update.id);
    updates.truncate(UPDATES_MAX);
    Ok(Fetched { updates, at: answer.date(), name: None })
}

/// An update; `None` when it has no number, so that it could not be told from another one.
fn update(said: &Value) -> Option<ChatUpdate> {
    let id = said.get("update_id")?.as_i64().filter(|id| (0..i64::MAX).contains(id))?;
    Some(ChatUpdate { id, message: said.get("message").and_then(message) })
}

fn message(said: &Value) -> Option<ChatMessage> {
    if NOT_TYPED.iter().any(|mark| said.get(mark).is_some()) {
        return None;
    }
    let number = |at: &str| said.pointer(at).and_then(Value::as_i64);
    let text = |at: &str, max: usize| -> Option<String> {
        said.pointer(at).and_then(Value::as_str).map(|text| text.chars().take(max).collect())
    };
    if said.pointer("/from/is_bot").and_then(Value::as_bool) == Some(true) {
        return None;
    }
    let is_private = match said.pointer("/chat/type").and_then(Value::as_str)? {
        "private" => true,
        "group" | "supergroup" => false,
        _ => return None,
    };
    let name = text("/from/username", NAME_CHARS_MAX).or_else(|| text("/from/first_name", NAME_CHARS_MAX));
    Some(ChatMessage {
        id: number("/message_id")?,
        chat: number("/chat/id")?,
        is_private,
        user: number("/from/id")?,
        name: name.unwrap_or_default(),
        at: UnixSeconds(number("/date")?),
        // One more than is allowed tells a text of exactly that length from a longer one.
        text: text("/text", TEXT_CHARS_MAX + 1)?,
    })
}
