//! The other half of the Bot API stand-in: messages that people write (`getUpdates`, confirmed by offset), pictures, and messages
//! that are written anew or pinned. What people write comes by the control port.

use std::collections::VecDeque;

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::telegram::{CHAT, as_text, bad, chat_fault, check, error, parameters};
use crate::http::{Request, Response};
use crate::world::World;

/// What the service keeps of the bot's chats.
#[derive(Clone, Default)]
pub(crate) struct Chats {
    /// Updates that are not confirmed.
    waiting: VecDeque<Value>,
    last_update: i64,
    last_message: i64,
    last_post: i64,
    webhook: String,
    may_not_pin: bool,
    /// Chats besides the configured one that have spoken.
    known: Vec<String>,
    /// Messages of the bot: number and text.
    posts: Vec<(i64, String)>,
    /// Every call but `sendMessage`.
    pub(crate) calls: Vec<Value>,
    /// The service answers this much later, in real time.
    pub(crate) delay_ms: u64,
}

impl Chats {
    /// Whether the bot may write there.
    pub(crate) fn knows(&self, chat: &str) -> bool {
        chat == CHAT || self.known.iter().any(|known| known == chat)
    }

    /// The number of a new message of the bot.
    pub(crate) fn post(&mut self, text: &str) -> i64 {
        self.last_post = (self.last_post + 1).max(501);
        self.posts.push((self.last_post, text.to_owned()));
        self.last_post
    }
}

/// `POST /telegram` of the control port: what happens on the service's side.
pub(crate) fn control(world: &mut World, body: &Map<String, Value>) -> Result<Value, String> {
    let mut done = json!({"ok": true});
    for (key, value) in body {
        match key.as_str() {
            "say" => done["update_id"] = json!(say(world, value)?),
            "raw" => done["update_id"] = json!(push(world, value.clone())),
            "webhook" => world.chats.webhook = value.as_str().unwrap_or_default().to_owned(),
            "delete" => world.chats.posts.retain(|(number, _)| Some(*number) != value.as_i64()),
            "may_pin" => world.chats.may_not_pin = value == &json!(false),
            "jump" => world.chats.last_update = value.as_i64().ok_or("`jump` wants a number")?,
            "delay_ms" => world.chats.delay_ms = value.as_u64().ok_or("`delay_ms` wants a number")?,
            _ => return Err(format!("unknown key `{key}`; known: say, raw, webhook, delete, may_pin, jump, delay_ms")),
        }
    }
    Ok(done)
}

/// A message of a person: `text`, and where it matters `chat`, `user`, `name`, `private`, `age_s`, and `extra` keys.
fn say(world: &mut World, said: &Value) -> Result<i64, String> {
    let text = said["text"].as_str().ok_or("`say` wants a text")?;
    let user = said["user"].as_i64().unwrap_or(777);
    let is_private = said["private"] == true;
    let chat = said["chat"].as_i64().unwrap_or(if is_private { user } else { -1_001_234_567_890 });
    if !world.chats.knows(&chat.to_string()) {
        world.chats.known.push(chat.to_string());
    }
    world.chats.last_message += 1;
    let mut message = json!({
        "message_id": world.chats.last_message,
        "from": {"id": user, "is_bot": false, "first_name": "Ann", "username": said["name"].as_str().unwrap_or("ann")},
        "chat": {"id": chat, "type": if is_private { "private" } else { "supergroup" }},
        "date": world.seconds() as i64 - said["age_s"].as_i64().unwrap_or(0),
        "text": text,
    });
    for (key, value) in said["extra"].as_object().into_iter().flatten() {
        message[key] = value.clone();
    }
    Ok(push(world, json!({"message": message})))
}

fn push(world: &mut World, mut update: Value) -> i64 {
    world.chats.last_update = (world.chats.last_update + 1).max(100_001);
    update["update_id"] = json!(world.chats.last_update);
    world.chats.waiting.push_back(update);
    world.chats.last_update
}

/// The methods of this file; `None` for another one.
pub(crate) fn answer(world: &mut World, method: &str, request: &Request) -> Option<Response> {
    Some(match method {
        "getupdates" => updates(world, request),
        "getwebhookinfo" => {
            let info = json!({"url": world.chats.webhook, "has_custom_certificate": false, "pending_update_count": 0});
            Response::json(200, &json!({"ok": true, "result": info}))
        }
        "sendphoto" => photo(world, request),
        "editmessagetext" => edit(world, request),
        "pinchatmessage" => pin(world, request),
        _ => return None,
    })
}

fn updates(world: &mut World, request: &Request) -> Response {
    if let Some(refused) = chat_fault(world) {
        return refused;
    }
    if !world.chats.webhook.is_empty() {
        let text = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook \
                    first";
        return error(409, text, None);
    }
    let Some(parameters) = parameters(request) else { return bad("can't parse parameters JSON object") };
    let number = |key: &str| as_text(parameters.get(key)).parse::<i64>().ok();
    let offset = number("offset").unwrap_or(0);
    if offset > 0 {
        world.chats.waiting.retain(|update| update["update_id"].as_i64().unwrap() >= offset);
    }
    world.chats.calls.push(json!({"method": "getUpdates", "parameters": parameters}));
    let limit = number("limit").unwrap_or(100).clamp(1, 100) as usize;
    let result: Vec<&Value> = world.chats.waiting.iter().take(limit).collect();
    Response::json(200, &json!({"ok": true, "result": result}))
}

fn edit(world: &mut World, request: &Request) -> Response {
    if let Some(refused) = chat_fault(world) {
        return refused;
    }
    let Some(parameters) = parameters(request) else { return bad("can't parse parameters JSON object") };
    let number = as_text(parameters.get("message_id")).parse::<i64>().unwrap_or(0);
    let text = match check(&as_text(parameters.get("text")), "") {
        Ok(text) => text,
        Err(reason) => return bad(&reason),
    };
    let Some((_, old)) = world.chats.posts.iter_mut().find(|(post, _)| *post == number) else {
        return bad("message to edit not found");
    };
    if *old == text {
        let words = "message is not modified: specified new message content and reply markup are exactly the same as a \
                     current content and reply markup of the message";
        return bad(words);
    }
    old.clone_from(&text);
    world.chats.calls.push(json!({"method": "editMessageText", "message_id": number, "text": text}));
    let chat = json!({"id": -1_001_234_567_890_i64, "type": "supergroup"});
    let result = json!({"message_id": number, "date": world.seconds() as i64, "edit_date": world.seconds() as i64,
                        "chat": chat, "text": text});
    Response::json(200, &json!({"ok": true, "result": result}))
}

fn pin(world: &mut World, request: &Request) -> Response {
    let Some(parameters) = parameters(request) else { return bad("can't parse parameters JSON object") };
    if world.chats.may_not_pin {
        return bad("not enough rights to manage pinned messages in the chat");
    }
    let number = as_text(parameters.get("message_id")).parse::<i64>().unwrap_or(0);
    if !world.chats.posts.iter().any(|(post, _)| *post == number) {
        return bad("message to pin not found");
    }
    world.chats.calls.push(json!({"method": "pinChatMessage", "message_id": number}));
    Response::json(200, &json!({"ok": true, "result": true}))
}

fn photo(world: &mut World, request: &Request) -> Response {
    if let Some(refused) = chat_fault(world) {
        return refused;
    }
    let parts = request.header("content-type").and_then(|kind| parts(kind, &request.body));
    let Some(parts) = parts else { return bad("there is no photo in the request") };
    let of = |name: &str| parts.iter().find(|(part, _)| part == name).map(|(_, bytes)| bytes.as_slice());
    let text = |name: &str| String::from_utf8_lossy(of(name).unwrap_or_default()).into_owned();
    if !world.chats.knows(&text("chat_id")) {
        return bad("chat not found");
    }
    if text("caption").chars().count() > 1024 {
        return bad("message caption is too long");
    }
    let bytes = of("photo").unwrap_or_default();
    let number = |at: usize| bytes.get(at..at + 4).map_or(0, |four| u32::from_be_bytes(four.try_into().unwrap()));
    let (width, height) = (number(16), number(20));
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n")
        || bytes.get(12..16) != Some(b"IHDR")
        || !bytes.ends_with(b"IEND\xaeB`\x82")
    {
        return bad("IMAGE_PROCESS_FAILED");
    }
    if width == 0 || height == 0 || width + height > 10_000 {
        return bad("PHOTO_INVALID_DIMENSIONS");
    }
    let png = base64::engine::general_purpose::STANDARD.encode(bytes);
    let call = json!({"method": "sendPhoto", "chat_id": text("chat_id"), "caption": text("caption"),
                      "width": width, "height": height, "png": png});
    world.chats.calls.push(call);
    let number = world.chats.post("");
    let result = json!({"message_id": number, "date": world.seconds() as i64, "photo": [],
                        "chat": {"id": text("chat_id").parse::<i64>().unwrap_or(0), "type": "supergroup"}});
    Response::json(200, &json!({"ok": true, "result": result}))
}

/// The parts of a multipart body by name.
fn parts(kind: &str, body: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let boundary = kind.strip_prefix("multipart/form-data;")?.trim().strip_prefix("boundary=")?.trim_matches('"');
    let line = format!("--{boundary}");
    let find = |from: usize, what: &[u8]| {
        body[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
    };
    let mut parts = Vec::new();
    let mut at = find(0, line.as_bytes())? + line.len();
    while body.get(at..at + 2) == Some(b"\r\n") {
        let head_end = find(at, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&body[at..head_end]).into_owned();
        let name = head.split("name=\"").nth(1)?.split('"').next()?.to_owned();
        let end = find(head_end + 4, format!("\r\n{line}").as_bytes())?;
        parts.push((name, body[head_end + 4..end].to_vec()));
        at = end + 2 + line.len();
    }
    (body.get(at..at + 2) == Some(b"--")).then_some(parts)
}
