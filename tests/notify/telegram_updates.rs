//! Telegram: what an answer to `getUpdates` means, with the words of the service.

use minectl::config::TelegramConfig;
use minectl::http::Answer;
use minectl::model::{ChatMemory, FaultKind};
use minectl::notify::{fetch_messages, parse};
use minectl::units::UnixSeconds;
use serde_json::{Value, json};

use super::http_stand_in::{HttpStandIn, Play};
use super::support::{TOKEN, assert_no_secret, telegram};

fn cfg() -> TelegramConfig {
    telegram("http://127.0.0.1:9")
}

fn parsed(status: u16, body: &Value) -> Result<minectl::notify::Fetched, minectl::model::Fault> {
    let answer = Answer::new(status, vec![], body.to_string().into_bytes());
    let result = parse::telegram_updates(&cfg(), &answer);
    assert_no_secret(&format!("{result:?}"));
    result
}

fn message(id: i64, text: &str) -> Value {
    json!({"update_id": id, "message": {"message_id": id + 1, "date": 1_900_000_000, "text": text,
        "from": {"id": 777, "is_bot": false, "first_name": "Ann"},
        "chat": {"id": -100, "type": "group", "title": "Box"}, "entities": [{"type": "bot_command", "offset": 0, "length": 5}]}})
}

#[test]
fn messages_come_in_the_order_of_their_numbers_each_once_and_others_keep_their_place() {
    let photo = json!({"update_id": 6, "message": {"message_id": 9, "date": 1, "from": {"id": 7}, "chat": {"id": 7, "type": "private"}, "photo": []}});
    let body = json!({"ok": true, "result": [message(8, "/why"), message(5, "/status"), message(8, "/hold"), photo, {"x": 1}]});
    let fetched = parsed(200, &body).unwrap();
    let all: Vec<(i64, Option<&str>)> =
        fetched.updates.iter().map(|update| (update.id, update.message.as_ref().map(|m| m.text.as_str()))).collect();
    assert_eq!(all, [(5, Some("/status")), (6, None), (8, Some("/why"))]);
    let first = fetched.updates[0].message.clone().unwrap();
    assert_eq!((first.id, first.chat, first.user, first.is_private), (6, -100, 777, false));
    assert_eq!((first.name.as_str(), first.at), ("Ann", UnixSeconds(1_900_000_000)));
}

#[test]
fn a_text_is_kept_only_as_far_as_a_command_may_go() {
    let fetched = parsed(200, &json!({"ok": true, "result": [message(1, &"я".repeat(4096))]})).unwrap();
    assert_eq!(fetched.updates[0].message.as_ref().unwrap().text.chars().count(), 1001);
}

#[test]
fn each_refusal_of_the_service_is_a_fault_with_its_way_out() {
    let refused = |code: u16, text: &str| {
        parsed(code, &json!({"ok": false, "error_code": code, "description": text})).unwrap_err()
    };
    let hooked = refused(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
    assert!(hooked.detail.contains("409") && hooked.detail.contains("a bot for minectl alone"), "{hooked}");
    let other = refused(
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    );
    assert!(other.detail.contains("another program reads its messages"), "{other}");
    assert_eq!(refused(401, "Unauthorized").kind, FaultKind::Refused);
    assert_eq!(refused(429, "Too Many Requests: retry after 5").kind, FaultKind::Status);
    assert_eq!(refused(502, "Bad Gateway").kind, FaultKind::Status);
    for page in [json!("<html>log in</html>"), json!({"ok": true}), json!({"ok": true, "result": {"message_id": 7}})] {
        assert_eq!(parsed(200, &page).unwrap_err().kind, FaultKind::Unreadable, "{page}");
    }
}

#[test]
fn the_service_is_asked_once_without_waiting_and_for_few_after_a_failure() {
    let none = r#"{"ok":true,"result":[]}"#;
    let server = HttpStandIn::start(vec![Play::json(200, none), Play::json(200, none)]);
    let cfg = telegram(&server.url);
    let limit = std::time::Duration::from_secs(3);
    fetch_messages(&cfg, &ChatMemory::default(), None, false, limit).unwrap();
    fetch_messages(&cfg, &ChatMemory::default(), Some(42), true, limit).unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].path, format!("/bot{TOKEN}/getUpdates"));
    assert_eq!(seen[0].json(), json!({"limit": 100, "timeout": 0, "allowed_updates": ["message"]}));
    assert_eq!(seen[1].json(), json!({"limit": 5, "timeout": 0, "allowed_updates": ["message"], "offset": 42}));
}

#[test]
fn the_bots_name_is_asked_for_when_a_message_names_one_and_it_is_not_known() {
    let body = json!({"ok": true, "result": [message(5, "/status@box_bot")]}).to_string();
    let me = r#"{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"Box","username":"box_bot"}}"#;
    let server = HttpStandIn::start(vec![Play::json(200, &body), Play::json(200, me), Play::json(200, &body)]);
    let cfg = telegram(&server.url);
    let limit = std::time::Duration::from_secs(3);
    let fetched = fetch_messages(&cfg, &ChatMemory::default(), None, false, limit).unwrap();
    assert_eq!(fetched.name.as_deref(), Some("box_bot"));
    let known = ChatMemory { name: fetched.name, ..ChatMemory::default() };
    assert_eq!(fetch_messages(&cfg, &known, None, false, limit).unwrap().name, None);
    assert_eq!(server.seen().len(), 3);
}
