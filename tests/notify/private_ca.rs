//! Services whose certificate a private authority signed.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use minectl::config::{Config, DeadManConfig, SmsConfig, SmsProvider};
use minectl::model::{Channel, Severity};
use minectl::notify::{Ping, ping};
use minectl::units::Seconds;
use regex::Regex;

use super::http_stand_in::{HttpStandIn, Play};
use super::smtp_stand_in::Authority;
use super::support::*;

/// A service, and the file of its authority.
fn service(play: Play) -> (HttpStandIn, tempfile::NamedTempFile) {
    let authority = Authority::new();
    let mut ca = tempfile::NamedTempFile::new().unwrap();
    ca.write_all(authority.pem.as_bytes()).unwrap();
    (HttpStandIn::start_tls(vec![play], &authority), ca)
}

/// With the authority's file the message arrives, once; without it nothing is said to the service.
#[track_caller]
fn arrives_only_with_it(channel: Channel, answer: Play, with: impl Fn(&str, Option<PathBuf>) -> Config) {
    let (server, ca) = service(answer);
    let message = entry(1, channel, Severity::Emergency, "hello");
    let (fault, _) = later(deliver_one(&with(&server.url, None), &message));
    assert!(fault.detail.contains("no public authority signed it"), "{fault}");
    assert_eq!(server.seen().len(), 0);
    assert_eq!(accepted(deliver_one(&with(&server.url, Some(ca.path().to_owned())), &message)), None);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn telegram_takes_its_own_authority() {
    let ok = r#"{"ok":true,"result":{"message_id":7}}"#;
    arrives_only_with_it(Channel::Telegram, Play::json(200, ok), |url, ca_file| Config {
        telegram: Some(minectl::config::TelegramConfig { ca_file, ..telegram(url) }),
        ..config()
    });
}

#[test]
fn twilio_takes_its_own_authority() {
    let queued = r#"{"sid":"SM0123","status":"queued"}"#;
    arrives_only_with_it(Channel::Sms, Play::json(201, queued), |url, ca_file| Config {
        sms: Some(SmsConfig { ca_file, ..twilio(url) }),
        ..config()
    });
}

#[test]
fn a_providers_template_takes_its_own_authority() {
    arrives_only_with_it(Channel::Sms, Play::json(200, "taken"), |url, ca_file| {
        let provider = SmsProvider::Template {
            method: "POST".to_owned(),
            headers: Vec::new(),
            key: None,
            body: r#"{"to": "{to}", "text": "{text}"}"#.to_owned(),
            success: Regex::new("taken").unwrap(),
            refused: None,
        };
        Config { sms: Some(SmsConfig { ca_file, provider, ..twilio(url) }), ..config() }
    });
}

#[test]
fn the_sign_of_life_takes_its_own_authority() {
    let (server, ca) = service(Play::Answer(200, "Content-Type: text/plain\r\n", "OK".to_owned()));
    let url = format!("{}/ping/1", server.url);
    let mut cfg = DeadManConfig { url, ca_file: None, timeout: Seconds(2) };
    let limit = Duration::from_secs(5);
    assert!(ping(&cfg, Ping::Start, limit).unwrap_err().detail.contains("no public authority signed it"));
    cfg.ca_file = Some(ca.path().to_owned());
    ping(&cfg, Ping::Start, limit).unwrap();
    assert_eq!(server.seen().len(), 1);
}
