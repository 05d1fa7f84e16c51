//! Telegram's Bot API: `sendMessage` in plain text. No markup: a device's label cannot break it, and nothing is lost to a
//! parser. The token is part of the address, so no text of the wire's own may reach a log.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::config::TelegramConfig;
use crate::http::{Request, send as call};
use crate::model::{Fault, FaultKind};
use crate::units::Seconds;

use super::attempt::{Attempt, excerpt};
use super::letter::Letter;

const DEVICE: &str = "telegram";

/// Telegram counts Unicode scalar values.
const TEXT_MAX: usize = 4096;

/// Sends a message within `left` (real time) or the configured wait, whichever is shorter.
pub(super) fn send(cfg: &TelegramConfig, letter: &Letter, left: Duration) -> Attempt {
    // Such a token would make the address unreadable, and an error text might then quote a part of it.
    if !cfg.token.reveal().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-')) {
        let detail = "the token has characters that no token has; copy it anew from @BotFather into [telegram]";
        return Attempt::Refused(Fault::new(DEVICE, FaultKind::Refused, detail));
    }
    let began = Instant::now();
    let limit = cfg.timeout.duration().min(left);
    let (attempt, moved_to) = send_to(cfg, &cfg.chat_id, letter, limit);
    let Some(new_id) = moved_to else { return attempt };
    // The chat got a new id when its group was upgraded. Telegram says which, so the message goes there, and the owner
    // is told what to change.
    match send_to(cfg, &new_id, letter, limit.saturating_sub(began.elapsed())) {
        (Attempt::Accepted(_), _) => {
            let detail = format!("the group has a new id; set `chat_id = \"{new_id}\"` in [telegram]");
            Attempt::Accepted(Some(Fault::new(DEVICE, FaultKind::Missing, detail)))
        }
        _ => attempt,
    }
}

/// One call; and the id that the chat has moved to, if Telegram says that.
fn send_to(cfg: &TelegramConfig, chat_id: &str, letter: &Letter, limit: Duration) -> (Attempt, Option<String>) {
    let url = format!("{}/bot{}/sendMessage", cfg.url.trim_end_matches('/'), cfg.token.reveal());
    let body = json!({
        "chat_id": chat_id,
        "text": letter.text(TEXT_MAX),
        "disable_notification": letter.is_silent,
        "link_preview_options": { "is_disabled": true },
    });
    let request =
        Request::new(DEVICE, "POST", &url, limit).body("application/json", body.to_string()).secret(&cfg.token);
    match call(&request) {
        Ok(answer) => judge(cfg, answer.status, &answer.body),
        Err(fault) => (Attempt::later(fault), None),
    }
}

/// What an answer means for the message.
fn judge(cfg: &TelegramConfig, status: u16, body: &[u8]) -> (Attempt, Option<String>) {
    let says = |text: &str| excerpt(text, &[&cfg.token]);
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    // An accepted message has a number; an answer without one is no more Telegram's than a login page.
    let number = answer.pointer("/result/message_id").and_then(Value::as_u64);
    match (answer.get("ok").and_then(Value::as_bool), status) {
        (Some(true), 200..300) if number.is_some() => return (Attempt::Accepted(None), None),
        (Some(false), _) => {}
        // A router's login page, or a proxy: whatever it says, it says nothing about the message.
        _ => {
            let start = says(&String::from_utf8_lossy(body));
            let detail = format!("status {status}, and the answer is not Telegram's: `{start}`");
            return (Attempt::later(Fault::new(DEVICE, FaultKind::Unreadable, detail)), None);
        }
    }
    let description = says(answer.get("description").and_then(Value::as_str).unwrap_or("no description"));
    let parameter = |name: &str| answer.get("parameters").and_then(|parameters| parameters.get(name));
    let fault = |kind, way_out: &str| Fault::new(DEVICE, kind, format!("{status} `{description}`{way_out}"));
    if let Some(new_id) = parameter("migrate_to_chat_id").and_then(Value::as_i64) {
        let way_out = format!("; the group has a new id, set `chat_id = \"{new_id}\"` in [telegram]");
        return (Attempt::Refused(fault(FaultKind::Missing, &way_out)), Some(new_id.to_string()));
    }
    let attempt = match status {
        429 => {
            let wait = parameter("retry_after").and_then(Value::as_u64).map(Seconds);
            Attempt::not_before(fault(FaultKind::Status, ""), wait)
        }
        401 | 404 => Attempt::Refused(fault(
            FaultKind::Refused,
            "; the bot's token is wrong or was revoked: get one from @BotFather and set it in [telegram]",
        )),
        403 => Attempt::Refused(fault(
            FaultKind::Refused,
            "; the bot may not write to this chat: add it to the group again, or start it in the private chat",
        )),
        // Plain text has no entities to parse; if Telegram ever says so, the fault is not in the message.
        400 if description.contains("can't parse entities") => Attempt::later(fault(FaultKind::Status, "")),
        400 => Attempt::Refused(fault(FaultKind::Status, "; check `chat_id` in [telegram]")),
        _ => Attempt::later(fault(FaultKind::Status, "")),
    };
    (attempt, None)
}
