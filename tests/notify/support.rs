//! A configuration, a clock, and entries for the tests of notify.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use minectl::clock::Clock;
use minectl::config::*;
use minectl::model::*;
use minectl::notify::deliver;
use minectl::units::*;

/// Site time of the tests: 2030-03-17 13:30 in Chicago.
pub(crate) const NOW: i64 = 1_900_002_600;

/// A clock that shows [`NOW`] and then runs as the real one.
pub(crate) fn clock() -> Clock {
    clock_at_rate(1.0)
}

pub(crate) fn clock_at_rate(rate: f64) -> Clock {
    let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    Clock::parse(&format!("{real}:{NOW}:{rate}")).unwrap()
}

pub(crate) fn entry(id: u64, channel: Channel, severity: Severity, text: &str) -> OutboxEntry {
    let at = UnixSeconds(NOW - 5);
    let notice = Notice { severity, at, text: text.to_owned() };
    OutboxEntry::untried(id, channel, notice)
}

/// The same, written `seconds` ago.
pub(crate) fn aged(mut entry: OutboxEntry, seconds: i64) -> OutboxEntry {
    entry.notice.at = UnixSeconds(NOW - seconds);
    entry.not_before = entry.notice.at;
    entry
}

/// Delivers with nothing sent before, within five seconds.
pub(crate) fn deliver_all(cfg: &Config, entries: &[OutboxEntry]) -> Vec<Delivery> {
    deliver(cfg, entries, &BTreeMap::new(), &clock(), Duration::from_secs(5))
}

/// The one result of one entry.
pub(crate) fn deliver_one(cfg: &Config, entry: &OutboxEntry) -> DeliveryResult {
    let mut deliveries = deliver_all(cfg, std::slice::from_ref(entry));
    assert_eq!(deliveries.len(), 1, "{deliveries:?}");
    let delivery = deliveries.remove(0);
    assert_eq!(delivery.ids, [entry.id]);
    delivery.result
}

/// The entry as it is kept after an attempt that some of its recipients got.
#[track_caller]
pub(crate) fn kept_after(cfg: &Config, entry: &OutboxEntry) -> OutboxEntry {
    let mut deliveries = deliver_all(cfg, std::slice::from_ref(entry));
    let delivery = deliveries.remove(0);
    assert!(matches!(delivery.result, DeliveryResult::Later(..)), "{delivery:?}");
    OutboxEntry { reached: delivery.reached, attempts: entry.attempts + 1, ..entry.clone() }
}

#[track_caller]
pub(crate) fn refused(result: DeliveryResult) -> Fault {
    match result {
        DeliveryResult::Refused(fault) => fault,
        other @ (DeliveryResult::Accepted(_) | DeliveryResult::Later(..)) => panic!("not refused: {other:?}"),
    }
}

/// The fault, and after how many seconds from [`NOW`] the next attempt is due (rounded down to tens).
#[track_caller]
pub(crate) fn later(result: DeliveryResult) -> (Fault, i64) {
    match result {
        DeliveryResult::Later(fault, at) => (fault, (at.0 - NOW) / 10 * 10),
        other @ (DeliveryResult::Accepted(_) | DeliveryResult::Refused(_)) => panic!("not later: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn accepted(result: DeliveryResult) -> Option<Fault> {
    match result {
        DeliveryResult::Accepted(remark) => remark,
        other @ (DeliveryResult::Later(..) | DeliveryResult::Refused(_)) => panic!("not accepted: {other:?}"),
    }
}

pub(crate) const TOKEN: &str = "987654:test-Telegram_token";
pub(crate) const AUTH_TOKEN: &str = "test-twilio-auth-token";
pub(crate) const PASSWORD: &str = "test-smtp-passphrase";
pub(crate) const SMS_KEY: &str = "test sms/key";

/// Fails when a text holds any of the tests' secrets, as they are or encoded.
#[track_caller]
pub(crate) fn assert_no_secret(text: &str) {
    use base64::Engine as _;
    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    for secret in [TOKEN, AUTH_TOKEN, PASSWORD, SMS_KEY] {
        assert!(!text.contains(secret), "{text}");
        assert!(!text.contains(&encoded(secret)), "{text}");
    }
    assert!(!text.contains(&encoded(&format!("ACtest:{AUTH_TOKEN}"))), "{text}");
    assert!(!text.contains(&encoded(&format!("\0minectl\0{PASSWORD}"))), "{text}");
    assert!(!text.contains("test%20sms%2Fkey"), "{text}");
}

pub(crate) fn telegram(url: &str) -> TelegramConfig {
    TelegramConfig {
        url: url.to_owned(),
        token: Secret::new(TOKEN),
        chat_id: "-100123".to_owned(),
        ca_file: None,
        timeout: Seconds(3),
        heartbeat: HeartbeatStyle::Post,
        commands: None,
    }
}

pub(crate) fn twilio(url: &str) -> SmsConfig {
    let provider = SmsProvider::Twilio {
        account_sid: "ACtest".to_owned(),
        auth_token: Secret::new(AUTH_TOKEN),
        from: "+15155550100".to_owned(),
    };
    SmsConfig { url: url.to_owned(), provider, to: vec!["+15155550111".to_owned()], ca_file: None, timeout: Seconds(3) }
}

/// The sample configuration without any service: a test adds the one it is about.
pub(crate) fn config() -> Config {
    let sample = include_str!("../../config.txt");
    let mut cfg = minectl::config::parse(sample, "config.txt", Path::new("/nowhere")).unwrap();
    cfg.site = SiteConfig { name: "Container 7".to_owned(), page_url: None };
    (cfg.telegram, cfg.email, cfg.sms, cfg.dead_man) = (None, None, None, None);
    cfg.notify.send_limit = Seconds(20);
    cfg
}
