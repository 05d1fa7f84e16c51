//! Answers to messages, in the chat they came from: a text, or a picture with a line below it.

use std::time::Duration;

use serde_json::json;

use super::super::attempt::Attempt;
use super::super::text::{clean, cut};
use super::{BODY_MAX, DEVICE, TEXT_MAX, is_message, judge, post};
use crate::config::TelegramConfig;
use crate::model::{ChatAnswer, Fault, FaultKind};

/// A caption is shorter than a text.
const CAPTION_MAX: usize = 1024;

/// Sends a text as an answer, within `limit` (real time).
pub(in crate::notify) fn words(cfg: &TelegramConfig, to: &ChatAnswer, text: &str, limit: Duration) -> Attempt {
    let text = cut(&clean(text), TEXT_MAX, "… (cut)");
    let text = if text.trim().is_empty() { "(nothing to say)".to_owned() } else { text };
    let body = json!({
        "chat_id": to.chat,
        "text": text,
        "reply_parameters": reply(to),
        "link_preview_options": { "is_disabled": true },
    });
    said(cfg, "sendMessage", ("application/json", body.to_string().into_bytes()), limit)
}

/// Sends a PNG as an answer, within `limit` (real time).
pub(in crate::notify) fn picture(
    cfg: &TelegramConfig,
    to: &ChatAnswer,
    caption: &str,
    png: &[u8],
    limit: Duration,
) -> Attempt {
    let Some(boundary) = boundary(png) else {
        return Attempt::Refused(Fault::new(
            DEVICE,
            FaultKind::Broken,
            "the picture cannot be packed; please report this",
        ));
    };
    let caption = cut(&clean(caption), CAPTION_MAX, "…");
    let mut body = Vec::new();
    for (name, value) in
        [("chat_id", to.chat.to_string()), ("caption", caption), ("reply_parameters", reply(to).to_string())]
    {
        let part = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"trends.png\"\r\n\
         Content-Type: image/png\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(png);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    said(cfg, "sendPhoto", (&format!("multipart/form-data; boundary={boundary}"), body), limit)
}

/// The message that is answered; where it is gone, the answer comes all the same.
fn reply(to: &ChatAnswer) -> serde_json::Value {
    json!({"message_id": to.message, "allow_sending_without_reply": true})
}

fn said(cfg: &TelegramConfig, method: &str, body: (&str, Vec<u8>), limit: Duration) -> Attempt {
    match post(cfg, method, body, limit.min(cfg.timeout.duration()), BODY_MAX) {
        Ok(answer) => judge(cfg, &answer, is_message).0,
        Err(fault) => Attempt::later(fault),
    }
}

/// A line that does not occur in the bytes.
fn boundary(bytes: &[u8]) -> Option<String> {
    let candidates = (0..100).map(|number| format!("minectl-part-{number}-end"));
    let occurs = |line: &str| bytes.windows(line.len()).any(|window| window == line.as_bytes());
    candidates.into_iter().find(|line| !occurs(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_never_part_of_the_picture() {
        assert_eq!(boundary(b"PNG").as_deref(), Some("minectl-part-0-end"));
        assert_eq!(boundary(b"xx minectl-part-0-end xx").as_deref(), Some("minectl-part-1-end"));
    }
}
