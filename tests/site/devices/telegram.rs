//! The Telegram Bot API: `sendMessage`, `getMe` and `getChat`, with the service's limits and error texts; what people write to the
//! bot, and all else, is in `telegram_chat`. Markup is checked just enough to refuse what the service would refuse.

use serde_json::{Map, Value, json};

use crate::devices::{Device, telegram_chat};
use crate::http::{Request, Response};
use crate::world::World;

const TOKEN: &str = "123456:site-telegram-token";
pub(crate) const CHAT: &str = "-1001234567890";
const TEXT_CHARS_MAX: usize = 4096;
const RAW_BYTES_MAX: usize = 32_768;
/// The service takes this many messages a minute for one group.
const GROUP_MESSAGES_MAX: usize = 20;

pub(crate) fn error(status: u16, description: &str, parameters: Option<Value>) -> Response {
    let mut body = json!({"ok": false, "error_code": status, "description": description});
    if let Some(parameters) = parameters {
        body["parameters"] = parameters;
    }
    Response::json(status, &body).with("Server", "nginx/1.18.0")
}

fn flooded(retry_after: u64) -> Response {
    let text = format!("Too Many Requests: retry after {retry_after}");
    error(429, &text, Some(json!({"retry_after": retry_after}))).with("Retry-After", retry_after.to_string())
}

pub(crate) fn bad(text: &str) -> Response {
    error(400, &format!("Bad Request: {text}"), None)
}

pub(crate) fn answer(world: &mut World, request: &Request) -> Response {
    let segments = request.segments();
    let [bot, method] = segments.as_slice() else { return error(404, "Not Found", None) };
    let Some(token) = bot.strip_prefix("bot").filter(|t| is_well_formed(t)) else {
        return error(404, "Not Found", None);
    };
    if token != TOKEN {
        return error(401, "Unauthorized", None);
    }
    match method.to_ascii_lowercase().as_str() {
        "getme" => {
            let me = json!({"id": 123_456, "is_bot": true, "first_name": "Box 1", "username": "prairie_box1_bot"});
            Response::json(200, &json!({"ok": true, "result": me}))
        }
        "getchat" => chat(world, request),
        "sendmessage" => send(world, request),
        method => telegram_chat::answer(world, method, request).unwrap_or_else(|| error(404, "Not Found", None)),
    }
}

/// The refusals that concern every chat.
pub(crate) fn chat_fault(world: &World) -> Option<Response> {
    match world.fault(Device::Telegram) {
        "429" => Some(flooded(30)),
        "403" => Some(error(403, "Forbidden: bot was kicked from the supergroup chat", None)),
        "absurd" => Some(Response::json(200, &json!({"ok": true, "result": {"message_id": -1.0e300, "date": 9.0e99}}))),
        _ => None,
    }
}

/// Digits, a colon, and letters, digits, `_` or `-`.
fn is_well_formed(token: &str) -> bool {
    let is_word = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    token.split_once(':').is_some_and(|(id, rest)| id.parse::<u64>().is_ok() && is_word(rest))
}

/// Query and body together, whatever the body's type; numbers and booleans as text. The body wins.
pub(crate) fn parameters(request: &Request) -> Option<Map<String, Value>> {
    let text = |(name, value): (String, String)| (name, Value::String(value));
    let mut all: Map<String, Value> = request.query.iter().cloned().map(text).collect();
    if request.is_json() {
        let Some(Value::Object(body)) = request.json() else { return None };
        all.extend(body);
    } else {
        all.extend(request.form().into_iter().map(text));
    }
    Some(all)
}

pub(crate) fn as_text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// What the bot may know of a chat; the service refuses it with the words with which it refuses a message.
fn chat(world: &World, request: &Request) -> Response {
    let Some(parameters) = parameters(request) else { return bad("can't parse parameters JSON object") };
    match world.fault(Device::Telegram) {
        "429" => return flooded(30),
        "403" => return error(403, "Forbidden: bot was kicked from the supergroup chat", None),
        "absurd" => return Response::json(200, &json!({"ok": true, "result": {"id": [], "type": -1.0e300}})),
        _ => {}
    }
    match as_text(parameters.get("chat_id")).as_str() {
        "" => bad("chat_id is empty"),
        CHAT => {
            let chat = json!({"id": -1_001_234_567_890_i64, "title": "Box 1 alerts", "type": "supergroup"});
            Response::json(200, &json!({"ok": true, "result": chat}))
        }
        _ => bad("chat not found"),
    }
}

fn send(world: &mut World, request: &Request) -> Response {
    let Some(parameters) = parameters(request) else { return bad("can't parse parameters JSON object") };
    if let Some(refused) = chat_fault(world) {
        return refused;
    }
    let chat = as_text(parameters.get("chat_id"));
    if chat.is_empty() {
        return bad("chat_id is empty");
    }
    if !world.chats.knows(&chat) {
        return bad("chat not found");
    }
    let text = as_text(parameters.get("text"));
    let shown = match check(&text, &as_text(parameters.get("parse_mode"))) {
        Ok(shown) => shown,
        Err(reason) => return bad(&reason),
    };
    let now = world.seconds();
    while world.telegram_times.front().is_some_and(|t| now - t >= 60.0) {
        world.telegram_times.pop_front();
    }
    if let Some(first) = world.telegram_times.front().filter(|_| world.telegram_times.len() >= GROUP_MESSAGES_MAX) {
        return flooded((60.0 - (now - first)).ceil().max(1.0) as u64);
    }
    world.telegram_times.push_back(now);
    let silent = matches!(as_text(parameters.get("disable_notification")).as_str(), "true" | "True" | "1");
    let answers = &parameters.get("reply_parameters").unwrap_or(&Value::Null)["message_id"];
    let sent = json!({"time": world.wall, "text": text, "chat_id": chat, "silent": silent, "answers": answers});
    world.recorded.telegram.push(sent);
    let result = json!({
        "message_id": world.chats.post(shown.trim()),
        "from": {"id": 123_456, "is_bot": true, "first_name": "Box 1", "username": "prairie_box1_bot"},
        "chat": {"id": chat.parse::<i64>().unwrap_or(0), "title": "Box 1 alerts", "type": "supergroup"},
        "date": now as i64,
        "text": shown.trim(),
    });
    Response::json(200, &json!({"ok": true, "result": result})).with("Server", "nginx/1.18.0")
}

/// The service's own checks of a text, in its order and words; what is left when the marks are taken out.
pub(crate) fn check(text: &str, parse_mode: &str) -> Result<String, String> {
    if text.len() > RAW_BYTES_MAX {
        return Err("text is too long".to_owned());
    }
    let shown = match parse_mode.to_ascii_lowercase().as_str() {
        "" => text.to_owned(),
        "html" => parse_html(text).map_err(|e| format!("can't parse entities: {e}"))?,
        "markdownv2" => parse_markdown(text).map_err(|e| format!("can't parse entities: {e}"))?,
        "markdown" => text.to_owned(),
        _ => return Err("unsupported parse_mode".to_owned()),
    };
    if shown.trim().is_empty() {
        return Err("message text is empty".to_owned());
    }
    if shown.chars().count() > TEXT_CHARS_MAX {
        return Err("message is too long".to_owned());
    }
    Ok(shown)
}

const TAGS: [&str; 14] =
    ["b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "pre", "tg-spoiler", "blockquote", "a"];

/// The text without its tags.
fn parse_html(text: &str) -> Result<String, String> {
    let mut shown = String::new();
    let mut open: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('<') {
        let start = at + found;
        shown.push_str(&text[at..start]);
        let inner_end = text[start..].find('>').map(|e| start + e);
        let inner = &text[start + 1..inner_end.unwrap_or(text.len())];
        let name: String = inner.trim_start_matches('/').chars().take_while(|c| !c.is_whitespace()).collect();
        let Some(end) = inner_end else { return Err(format!("Unclosed start tag at byte offset {start}")) };
        if !TAGS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(format!("Unsupported start tag \"{name}\" at byte offset {start}"));
        }
        if !inner.starts_with('/') {
            open.push(name);
        } else if open.pop().as_ref() != Some(&name) {
            return Err(format!("Unmatched end tag at byte offset {start}, found \"</{name}>\""));
        }
        at = end + 1;
    }
    shown.push_str(&text[at..]);
    match open.pop() {
        Some(name) => Err(format!("Can't find end tag corresponding to start tag \"{name}\"")),
        None => Ok(shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")),
    }
}

/// Refuses bare reserved characters; pairs of marks are not followed.
fn parse_markdown(text: &str) -> Result<String, String> {
    let mut shown = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => shown.extend(chars.next()),
            '>' | '#' | '+' | '-' | '=' | '{' | '}' | '.' | '!' => {
                return Err(format!("Character '{c}' is reserved and must be escaped with the preceding '\\'"));
            }
            '*' | '_' | '~' | '`' | '|' | '[' | ']' | '(' | ')' => {}
            other => shown.push(other),
        }
    }
    Ok(shown)
}
