//! The heartbeat as one message that is written anew: found by its number, posted again when it is gone, pinned once. A chat in
//! which the bot may not pin shows it all the same.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::attempt::Attempt;
use super::super::letter::Letter;
use super::{BODY_MAX, TEXT_MAX, is_message, judge, post, send};
use crate::config::TelegramConfig;
use crate::model::{ChatHeartbeat, Fault};

/// Room for the line with the time.
const TIME_MAX: usize = 60;

/// Telegram's words for a message that cannot be written anew, so that another one must take its place.
const GONE: [&str; 4] =
    ["message to edit not found", "message can't be edited", "message_id_invalid", "message identifier"];

/// Shows a heartbeat within `limit` (real time) or the configured wait; `as_of` is the time in words, since an edited message
/// keeps its old one. Returns what came of it, and the message that shows it now if that is another one than `known`.
pub(in crate::notify) fn show(
    cfg: &TelegramConfig,
    letter: &Letter,
    as_of: &str,
    known: Option<&ChatHeartbeat>,
    limit: Duration,
) -> (Attempt, Option<ChatHeartbeat>) {
    let began = Instant::now();
    let left = || limit.min(cfg.timeout.duration()).saturating_sub(began.elapsed());
    let text = format!("{}\n(as of {as_of})", letter.text(TEXT_MAX - TIME_MAX));
    if let Some(known) = known.filter(|known| known.chat == cfg.chat_id) {
        match edit(cfg, known, &text, left()) {
            Edited::Done => return (Attempt::Accepted(None), None),
            Edited::Failed(attempt) => return (attempt, None),
            Edited::Gone => log::info!("the message with the heartbeat is gone; another one is posted"),
        }
    }
    let body = json!({
        "chat_id": cfg.chat_id,
        "text": text,
        "disable_notification": true,
        "link_preview_options": { "is_disabled": true },
    });
    let (attempt, message) = match said(cfg, "sendMessage", &body, left()) {
        Ok((said, answer)) => match judge(cfg, &answer, is_message) {
            // A group that has a new number: until the owner has set that, a heartbeat is a message each.
            (_, Some(_)) => (send(cfg, letter, left()), None),
            (Attempt::Accepted(remark), None) => {
                (Attempt::Accepted(remark), said.pointer("/result/message_id").and_then(Value::as_i64))
            }
            (other @ (Attempt::Later { .. } | Attempt::Refused(_)), None) => (other, None),
        },
        Err(fault) => (Attempt::later(fault), None),
    };
    let Some(message) = message else { return (attempt, None) };
    pin(cfg, message, left());
    (attempt, Some(ChatHeartbeat { chat: cfg.chat_id.clone(), message }))
}

/// What came of writing anew.
enum Edited {
    Done,
    Gone,
    Failed(Attempt),
}

fn edit(cfg: &TelegramConfig, known: &ChatHeartbeat, text: &str, limit: Duration) -> Edited {
    let body = json!({
        "chat_id": known.chat,
        "message_id": known.message,
        "text": text,
        "link_preview_options": { "is_disabled": true },
    });
    let (said, answer) = match said(cfg, "editMessageText", &body, limit) {
        Ok(said) => said,
        Err(fault) => return Edited::Failed(Attempt::later(fault)),
    };
    let description = said.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let is_refused = said.get("ok").and_then(Value::as_bool) == Some(false)
        && said.get("error_code").and_then(Value::as_u64).unwrap_or(u64::from(answer.status)) == 400;
    if is_refused && description.contains("message is not modified") {
        return Edited::Done;
    }
    if is_refused && GONE.iter().any(|words| description.contains(words)) {
        return Edited::Gone;
    }
    match judge(cfg, &answer, is_message).0 {
        Attempt::Accepted(_) => Edited::Done,
        other @ (Attempt::Later { .. } | Attempt::Refused(_)) => Edited::Failed(other),
    }
}

/// Pins it, if the bot may.
fn pin(cfg: &TelegramConfig, message: i64, limit: Duration) {
    let body = json!({"chat_id": cfg.chat_id, "message_id": message, "disable_notification": true});
    let result = match said(cfg, "pinChatMessage", &body, limit) {
        Ok((_, answer)) => judge(cfg, &answer, |said| said.get("result").is_some_and(Value::is_boolean)).0,
        Err(fault) => Attempt::later(fault),
    };
    match result {
        Attempt::Accepted(_) => {}
        Attempt::Later { fault, .. } | Attempt::Refused(fault) => {
            log::info!("the heartbeat is shown and not pinned: {fault}");
        }
    }
}

fn said(
    cfg: &TelegramConfig,
    method: &str,
    body: &Value,
    limit: Duration,
) -> Result<(Value, crate::http::Answer), Fault> {
    let answer = post(cfg, method, ("application/json", body.to_string().into_bytes()), limit, BODY_MAX)?;
    Ok((serde_json::from_slice(&answer.body).unwrap_or_default(), answer))
}
