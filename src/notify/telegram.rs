//! Telegram's Bot API: `sendMessage` in plain text. No markup: a device's label cannot break it, and nothing is lost to a
//! parser. The token is part of the address, so no text of the wire's own may reach a log.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::config::TelegramConfig;
use crate::http::{Answer, BODY_MAX, Request, send as call};
use crate::model::{DeliveryResult, Fault, FaultKind};
use crate::units::{Seconds, UnixSeconds};

use super::attempt::{Attempt, excerpt, retry_after};
use super::letter::Letter;

mod answer;
mod heartbeat;
mod updates;

pub(super) use answer::{picture, words};
pub(super) use heartbeat::show;
pub(super) use updates::fetch;
pub use updates::{Fetched, parse as parse_updates};

const DEVICE: &str = "telegram";

/// Telegram counts Unicode scalar values.
const TEXT_MAX: usize = 4096;

/// Sends a message within `left` (real time) or the configured wait, whichever is shorter.
pub(super) fn send(cfg: &TelegramConfig, letter: &Letter, left: Duration) -> Attempt {
    if let Some(fault) = unusable_token(cfg) {
        return Attempt::Refused(fault);
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

/// Asks whether the service knows the bot, and the bot its chat, within `limit` (real time); sends nothing. `Ok` names both.
pub(super) fn look(cfg: &TelegramConfig, limit: Duration) -> Result<String, Fault> {
    if let Some(fault) = unusable_token(cfg) {
        return Err(fault);
    }
    let began = Instant::now();
    let left = || cfg.timeout.duration().min(limit).saturating_sub(began.elapsed());
    let me = ask(cfg, "getMe", &json!({}), left(), "/result/username")?;
    let chat = ask(cfg, "getChat", &json!({"chat_id": cfg.chat_id}), left(), "/result/type")?;
    let text =
        |said: &Value, at: &str| said.pointer(at).and_then(Value::as_str).map(|text| excerpt(text, &[&cfg.token]));
    let name = text(&me, "/result/username").unwrap_or_default();
    let title = text(&chat, "/result/title").or_else(|| text(&chat, "/result/first_name")).unwrap_or_default();
    if cfg.commands.is_some() {
        let hook = ask(cfg, "getWebhookInfo", &json!({}), left(), "/result/url")?;
        if text(&hook, "/result/url").is_some_and(|url| !url.is_empty()) {
            return Err(Fault::new(DEVICE, FaultKind::Refused, HOOKED));
        }
        return Ok(format!("bot @{name}, chat `{title}`, commands can be read"));
    }
    Ok(format!("bot @{name}, chat `{title}`"))
}

/// Why no message can be fetched while others are told of them.
const HOOKED: &str = "a webhook is set for this bot, so its commands cannot be read: delete it (deleteWebhook), or make a bot \
                      for minectl alone";

/// One question; `proof` is where an answer of Telegram's has a text.
fn ask(cfg: &TelegramConfig, method: &str, body: &Value, limit: Duration, proof: &str) -> Result<Value, Fault> {
    let answer = post(cfg, method, ("application/json", body.to_string().into_bytes()), limit, BODY_MAX)?;
    match judge(cfg, &answer, |said| said.pointer(proof).is_some_and(Value::is_string)).0 {
        Attempt::Accepted(_) => Ok(serde_json::from_slice(&answer.body).unwrap_or_default()),
        Attempt::Later { fault, .. } | Attempt::Refused(fault) => Err(fault),
    }
}

/// One call of a method: a body with its type, and how long an answer may be.
fn post(
    cfg: &TelegramConfig,
    method: &str,
    (content_type, body): (&str, Vec<u8>),
    limit: Duration,
    body_max: usize,
) -> Result<Answer, Fault> {
    let url = format!("{}/bot{}/{method}", cfg.url.trim_end_matches('/'), cfg.token.reveal());
    let mut request = Request::new(DEVICE, "POST", &url, limit).body(content_type, body).secret(&cfg.token);
    request.ca_file = cfg.ca_file.as_deref();
    request.body_max = body_max;
    call(&request)
}

/// Such a token would make the address unreadable, and an error text might then quote a part of it.
fn unusable_token(cfg: &TelegramConfig) -> Option<Fault> {
    let usable = cfg.token.reveal().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-'));
    let detail = "the token has characters that no token has; copy it anew from @BotFather into [telegram]";
    (!usable).then(|| Fault::new(DEVICE, FaultKind::Refused, detail))
}

/// One call; and the id that the chat has moved to, if Telegram says that.
fn send_to(cfg: &TelegramConfig, chat_id: &str, letter: &Letter, limit: Duration) -> (Attempt, Option<String>) {
    let body = json!({
        "chat_id": chat_id,
        "text": letter.text(TEXT_MAX),
        "disable_notification": letter.is_silent,
        "link_preview_options": { "is_disabled": true },
    });
    match post(cfg, "sendMessage", ("application/json", body.to_string().into_bytes()), limit, BODY_MAX) {
        Ok(answer) => judge(cfg, &answer, is_message),
        Err(fault) => (Attempt::later(fault), None),
    }
}

/// An accepted message has a number; an answer without one is no more Telegram's than a login page.
fn is_message(said: &Value) -> bool {
    said.pointer("/result/message_id").is_some_and(Value::is_u64)
}

/// What an answer means for a message that was not tried before `now`; and the id that the chat has moved to.
pub fn parse(cfg: &TelegramConfig, answer: &Answer, now: UnixSeconds) -> (DeliveryResult, Option<String>) {
    let (attempt, moved_to) = judge(cfg, answer, is_message);
    (attempt.into_result(0, now).0, moved_to)
}

/// What an answer means for the message, or for the question; `is_proof` is whether a body is one of Telegram's.
fn judge(cfg: &TelegramConfig, answer: &Answer, is_proof: impl Fn(&Value) -> bool) -> (Attempt, Option<String>) {
    let says = |text: &str| excerpt(text, &[&cfg.token]);
    let status = answer.status;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (said.get("ok").and_then(Value::as_bool), status) {
        (Some(true), 200..300) if is_proof(&said) => return (Attempt::Accepted(None), None),
        (Some(false), _) => {}
        // A router's login page, or a proxy: whatever it says, it says nothing about the message.
        _ => {
            let start = says(&answer.text());
            let detail = format!("status {status}, and the answer is not Telegram's: `{start}`");
            return (Attempt::later(Fault::new(DEVICE, FaultKind::Unreadable, detail)), None);
        }
    }
    let description = says(said.get("description").and_then(Value::as_str).unwrap_or("no description"));
    // A proxy in front may have changed the status; the body has Telegram's own.
    let code = said.get("error_code").and_then(Value::as_u64).unwrap_or(u64::from(status));
    let parameter = |name: &str| said.get("parameters").and_then(|parameters| parameters.get(name));
    let fault = |kind, way_out: &str| Fault::new(DEVICE, kind, format!("{code} `{description}`{way_out}"));
    if let Some(new_id) = parameter("migrate_to_chat_id").and_then(Value::as_i64) {
        let way_out = format!("; the group has a new id, set `chat_id = \"{new_id}\"` in [telegram]");
        return (Attempt::Refused(fault(FaultKind::Missing, &way_out)), Some(new_id.to_string()));
    }
    let attempt = match code {
        429 => {
            let wait = parameter("retry_after").and_then(Value::as_u64).map(Seconds).or_else(|| retry_after(answer));
            Attempt::not_before(fault(FaultKind::Status, ""), wait)
        }
        401 | 404 => Attempt::Refused(fault(
            FaultKind::Refused,
            "; the bot's token is wrong or was revoked: get one from @BotFather and set it in [telegram]",
        )),
        403 => Attempt::Refused(fault(FaultKind::Refused, way_back(&description))),
        409 => Attempt::later(fault(
            FaultKind::Refused,
            "; a webhook is set for this bot, or another program reads its messages: make a bot for minectl alone",
        )),
        // Plain text has no entities to parse; if Telegram ever says so, the fault is not in the message.
        400 if description.contains("can't parse entities") => Attempt::later(fault(FaultKind::Status, "")),
        400 if description.contains("message ") => Attempt::Refused(fault(FaultKind::Status, "; please report this")),
        400 => Attempt::Refused(fault(
            FaultKind::Status,
            "; check `chat_id` in [telegram]: the bot must be in that group, or started in that private chat",
        )),
        _ => Attempt::later(fault(FaultKind::Status, "")),
    };
    (attempt, None)
}

/// What gives a bot its chat back, by Telegram's words for why it has lost it.
fn way_back(description: &str) -> &'static str {
    if description.contains("blocked by the user") {
        "; unblock the bot in the private chat and send it /start"
    } else if description.contains("can't initiate conversation") {
        "; open the bot's private chat and send it /start"
    } else if description.contains("kicked") || description.contains("not a member") {
        "; add the bot to the group again"
    } else if description.contains("deactivated") || description.contains("deleted") {
        "; that chat is gone: set `chat_id` in [telegram] to another one"
    } else {
        "; the bot may not write to this chat: give it the right to, or set another `chat_id` in [telegram]"
    }
}
