//! Telegram: what is sent, and what each of its answers means.

use std::time::{Duration, Instant};

use minectl::config::{Config, Secret};
use minectl::model::{Channel, Fault, FaultKind, Severity};

use super::http_stand_in::{HttpStandIn, Play};
use super::support::*;

const OK: &str = r#"{"ok":true,"result":{"message_id":7,"date":1900002600,"chat":{"id":-100123,"type":"group"}}}"#;

fn site(script: Vec<Play>) -> (Config, HttpStandIn) {
    let server = HttpStandIn::start(script);
    let cfg = Config { telegram: Some(telegram(&server.url)), ..config() };
    (cfg, server)
}

fn info(text: &str) -> minectl::model::OutboxEntry {
    entry(1, Channel::Telegram, Severity::Info, text)
}

fn error(code: u16, description: &str, parameters: &str) -> Play {
    let parameters = if parameters.is_empty() { String::new() } else { format!(r#","parameters":{parameters}"#) };
    Play::json(code, &format!(r#"{{"ok":false,"error_code":{code},"description":"{description}"{parameters}}}"#))
}

fn fault_of(play: Play) -> (minectl::model::DeliveryResult, usize) {
    let (cfg, server) = site(vec![play]);
    let result = deliver_one(&cfg, &info("hello"));
    assert_no_secret(&format!("{result:?}"));
    (result, server.seen().len())
}

fn assert_says(fault: &Fault, kind: FaultKind, words: &[&str]) {
    assert_eq!((fault.device.as_str(), fault.kind), ("telegram", kind), "{fault}");
    for word in words {
        assert!(fault.detail.contains(word), "{fault}");
    }
}

#[test]
fn a_message_is_plain_text_with_the_sites_name_in_front() {
    let (cfg, server) = site(vec![Play::json(200, OK)]);
    let text = "signal <b>310</b> & *up*\nsecond line";
    assert_eq!(accepted(deliver_one(&cfg, &info(text))), None);
    let seen = server.seen();
    assert_eq!((seen.len(), seen[0].method.as_str()), (1, "POST"));
    assert_eq!(seen[0].path, format!("/bot{TOKEN}/sendMessage"));
    assert_eq!(seen[0].header("content-type"), "application/json");
    let json = seen[0].json();
    assert_eq!(json["chat_id"], "-100123");
    assert_eq!(json["text"], format!("[Container 7] {text}"));
    assert_eq!(json["disable_notification"], false);
    assert_eq!(json.get("parse_mode"), None);
}

#[test]
fn a_heartbeat_is_silent_and_a_warning_rings_and_says_so() {
    let (cfg, server) = site(vec![Play::json(200, OK)]);
    let beat = entry(1, Channel::Telegram, Severity::Heartbeat, "all well");
    let warning = entry(2, Channel::Telegram, Severity::Warning, "fan 3 is dead");
    deliver_all(&cfg, &[beat, warning]);
    let seen = server.seen();
    assert_eq!(seen[0].json()["disable_notification"], true);
    assert_eq!(seen[1].json()["disable_notification"], false);
    assert_eq!(seen[1].json()["text"], "[Container 7] WARNING: fan 3 is dead");
}

#[test]
fn a_text_of_4096_characters_is_whole_and_one_of_4097_is_cut() {
    let (cfg, server) = site(vec![Play::json(200, OK)]);
    let fire = |count: usize| info(&"🔥".repeat(count - "[Container 7] ".len()));
    deliver_all(&cfg, &[fire(4096)]);
    deliver_all(&cfg, &[fire(4097)]);
    let texts: Vec<String> = server.seen().iter().map(|s| s.json()["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts[0].chars().count(), 4096);
    assert!(texts[0].ends_with('🔥'));
    assert_eq!(texts[1].chars().count(), 4096);
    assert!(texts[1].ends_with("🔥 … (cut)"));
}

#[test]
fn a_long_text_is_cut_at_a_line_end() {
    let (cfg, server) = site(vec![Play::json(200, OK)]);
    deliver_all(&cfg, &[info(&"ten chars\n".repeat(500))]);
    let json = server.seen()[0].json();
    let text = json["text"].as_str().unwrap();
    assert!(text.chars().count() <= 4096);
    assert!(text.ends_with("\nten chars\n… (cut)"));
}

#[test]
fn an_empty_notice_is_sent_with_words_and_control_characters_are_not_sent() {
    let (cfg, server) = site(vec![Play::json(200, OK)]);
    deliver_all(&cfg, &[info(" \r\n "), entry(2, Channel::Telegram, Severity::Info, "probe\u{0} \u{1b}[31mred")]);
    assert_eq!(server.seen()[0].json()["text"], "[Container 7] (a message without text)");
    assert_eq!(server.seen()[1].json()["text"], "[Container 7] probe [31mred");
}

#[test]
fn a_wrong_token_is_refused_for_good() {
    for (code, description) in [(401, "Unauthorized"), (404, "Not Found")] {
        let (result, calls) = fault_of(error(code, description, ""));
        assert_says(&refused(result), FaultKind::Refused, &[description, "token", "[telegram]"]);
        assert_eq!(calls, 1);
    }
}

#[test]
fn a_chat_that_does_not_want_the_bot_is_refused_for_good() {
    let forbidden = [
        ("bot was kicked from the supergroup chat", "add the bot to the group again"),
        ("bot is not a member of the channel chat", "add the bot to the group again"),
        ("bot was blocked by the user", "unblock the bot"),
        ("user is deactivated", "set `chat_id`"),
        ("the group chat was deleted", "set `chat_id`"),
        ("bot can't initiate conversation with a user", "send it /start"),
        ("some new reason", "may not write"),
    ];
    for (description, way_out) in forbidden {
        let (result, calls) = fault_of(error(403, &format!("Forbidden: {description}"), ""));
        assert_says(&refused(result), FaultKind::Refused, &[description, way_out]);
        assert_eq!(calls, 1);
    }
    for description in ["chat not found", "chat_id is empty", "not enough rights to send text messages to the chat"] {
        let (result, _) = fault_of(error(400, &format!("Bad Request: {description}"), ""));
        assert_says(&refused(result), FaultKind::Status, &[description, "check `chat_id`"]);
    }
    let (result, _) = fault_of(error(400, "Bad Request: message is too long", ""));
    assert!(!refused(result).detail.contains("chat_id"), "the chat is not to blame");
}

#[test]
fn an_upgraded_group_gets_the_message_under_its_new_id_and_the_owner_is_told() {
    let moved = "Bad Request: group chat was upgraded to a supergroup chat";
    let script = || error(400, moved, r#"{"migrate_to_chat_id":-1009998887}"#);
    let (cfg, server) = site(vec![script(), Play::json(200, OK)]);
    let remark = accepted(deliver_one(&cfg, &info("hello"))).unwrap();
    assert_says(&remark, FaultKind::Missing, &["chat_id = \"-1009998887\"", "[telegram]"]);
    assert_eq!(server.seen()[1].json()["chat_id"], "-1009998887");

    let (cfg, server) = site(vec![script()]);
    let fault = refused(deliver_one(&cfg, &info("hello")));
    assert_says(&fault, FaultKind::Missing, &["upgraded", "chat_id = \"-1009998887\""]);
    assert_eq!(server.seen().len(), 2, "one more attempt and no more");
}

#[test]
fn too_many_requests_waits_as_asked_but_no_longer_than_fifteen_minutes() {
    let asks = |seconds: u32| {
        let parameters = format!(r#"{{"retry_after":{seconds}}}"#);
        fault_of(error(429, &format!("Too Many Requests: retry after {seconds}"), &parameters)).0
    };
    assert_eq!(later(asks(3)).1, 30, "our own wait is longer");
    assert_eq!(later(asks(200)).1, 200);
    assert_eq!(later(asks(10_072)).1, 900);
    let said = r#"{"ok":false,"error_code":429,"description":"Too Many Requests"}"#.to_owned();
    let (result, _) = fault_of(Play::Answer(429, "Retry-After: 200\r\n", said.clone()));
    assert_eq!(later(result).1, 200, "the header counts where the body says nothing");
    let (result, _) = fault_of(Play::Answer(200, "Retry-After: 200\r\n", said));
    assert_eq!(later(result).1, 200, "whatever status a proxy made of it");
}

#[test]
fn errors_of_the_service_and_of_the_wire_are_tried_again_later() {
    let (fault, wait) = later(fault_of(error(500, "Internal Server Error: restart", "")).0);
    assert_says(&fault, FaultKind::Status, &["500", "restart"]);
    assert_eq!(wait, 30);
    let (fault, _) = later(fault_of(error(400, "Bad Request: can't parse entities: x", "")).0);
    assert_says(&fault, FaultKind::Status, &["parse"]);
    assert_says(&later(fault_of(Play::Reset).0).0, FaultKind::Broken, &[]);
}

#[test]
fn an_answer_that_is_not_telegrams_never_counts_as_accepted_or_refused() {
    let page = "<html><title>Hotel Wi-Fi</title>";
    for status in [200, 302, 403, 404, 502] {
        let play = Play::Answer(status, "Content-Type: text/html\r\n", page.to_owned());
        assert_says(&later(fault_of(play).0).0, FaultKind::Unreadable, &["not Telegram's", "Hotel"]);
    }
    for body in ["{}", r#"{"ok":true}"#, r#"{"ok":true,"result":{"message_id":-1.0e300}}"#] {
        assert_says(&later(fault_of(Play::json(200, body)).0).0, FaultKind::Unreadable, &[]);
    }
}

#[test]
fn a_server_that_hangs_or_drips_costs_the_configured_wait() {
    for play in [Play::Hang, Play::Drip] {
        let (mut cfg, _server) = site(vec![play]);
        cfg.telegram.as_mut().unwrap().timeout = minectl::units::Seconds(1);
        let began = Instant::now();
        let (fault, _) = later(deliver_one(&cfg, &info("hello")));
        assert_says(&fault, FaultKind::TimedOut, &["1 s"]);
        assert_no_secret(&fault.to_string());
        assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    }
}

#[test]
fn a_closed_port_is_unreachable_and_does_not_show_the_token() {
    let cfg = Config { telegram: Some(telegram("http://127.0.0.1:1")), ..config() };
    let (fault, _) = later(deliver_one(&cfg, &info("hello")));
    assert_says(&fault, FaultKind::Unreachable, &["127.0.0.1"]);
    assert_no_secret(&fault.to_string());
}

#[test]
fn a_token_with_characters_that_no_token_has_is_refused_unseen() {
    let (mut cfg, server) = site(vec![Play::json(200, OK)]);
    cfg.telegram.as_mut().unwrap().token = Secret::new("123:abc def\n");
    let fault = refused(deliver_one(&cfg, &info("hello")));
    assert_says(&fault, FaultKind::Refused, &["@BotFather"]);
    assert!(!fault.detail.contains("abc"));
    assert_eq!(server.seen().len(), 0);
}
