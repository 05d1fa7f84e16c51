//! The outbox as a whole: routing, order, lateness, joining, limits, and an end in time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use minectl::clock::Clock;
use minectl::config::{Config, EmailConfig, MailSecurity};
use minectl::model::{Channel, Delivery, DeliveryResult, FaultKind, Notice, OutboxEntry, Severity};
use minectl::notify::{deliver, route};
use minectl::units::{Seconds, UnixSeconds};

use super::http_stand_in::{HttpStandIn, Play};
use super::support::*;

fn site(play: Play) -> (Config, HttpStandIn) {
    let server = HttpStandIn::start(vec![play]);
    (Config { telegram: Some(telegram(&server.url)), ..config() }, server)
}

fn ok() -> Play {
    Play::json(200, r#"{"ok":true,"result":{"message_id":7}}"#)
}

fn texts(server: &HttpStandIn) -> Vec<String> {
    server.seen().iter().map(|seen| seen.json()["text"].as_str().unwrap().to_owned()).collect()
}

fn info(id: u64) -> OutboxEntry {
    entry(id, Channel::Telegram, Severity::Info, &format!("message {id}\ndetail"))
}

fn ids(deliveries: &[Delivery]) -> Vec<Vec<u64>> {
    deliveries.iter().map(|delivery| delivery.ids.clone()).collect()
}

#[test]
fn each_severity_goes_to_its_channels() {
    let cfg = config().notify;
    let routed = |severity| route(&cfg, &Notice { severity, at: UnixSeconds(NOW), text: String::new() });
    assert_eq!(routed(Severity::Heartbeat), [Channel::Telegram]);
    assert_eq!(routed(Severity::Info), [Channel::Telegram]);
    assert_eq!(routed(Severity::Warning), [Channel::Telegram, Channel::Email]);
    assert_eq!(routed(Severity::Emergency), [Channel::Telegram, Channel::Email, Channel::Sms]);
}

#[test]
fn emergencies_go_first_and_the_others_in_order() {
    let (cfg, server) = site(ok());
    let emergency = entry(9, Channel::Telegram, Severity::Emergency, "no cooling");
    let deliveries = deliver_all(&cfg, &[info(3), info(1), emergency, info(2)]);
    assert_eq!(ids(&deliveries), [[9], [1], [2], [3]]);
    assert!(deliveries.iter().all(|d| d.result == DeliveryResult::Accepted(None) && d.channel == Channel::Telegram));
    assert_eq!(texts(&server)[0], "[Container 7] EMERGENCY: no cooling");
}

#[test]
fn after_a_failure_the_channel_rests_and_nothing_overtakes() {
    let (cfg, server) = site(Play::json(500, r#"{"ok":false,"description":"x"}"#));
    let deliveries = deliver_all(&cfg, &[info(1), info(2)]);
    assert_eq!(ids(&deliveries), [[1]]);
    assert_eq!(server.seen().len(), 1);

    let (cfg, server) = site(ok());
    let held = OutboxEntry { not_before: UnixSeconds(NOW + 30), attempts: 1, ..info(1) };
    let warning = entry(3, Channel::Telegram, Severity::Warning, "another severity may pass");
    assert_eq!(ids(&deliver_all(&cfg, &[held, info(2), warning])), [[3]]);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_refused_message_does_not_hold_the_next() {
    let refusal = Play::json(400, r#"{"ok":false,"error_code":400,"description":"Bad Request: x"}"#);
    let server = HttpStandIn::start(vec![refusal, ok()]);
    let cfg = Config { telegram: Some(telegram(&server.url)), ..config() };
    let deliveries = deliver_all(&cfg, &[info(1), info(2)]);
    assert!(matches!(deliveries[0].result, DeliveryResult::Refused(_)));
    assert_eq!(deliveries[1].result, DeliveryResult::Accepted(None));
}

#[test]
fn a_message_three_minutes_old_is_on_time_and_an_older_one_says_how_late() {
    let (cfg, server) = site(ok());
    let emergency = entry(4, Channel::Telegram, Severity::Emergency, "smoke");
    let mut ahead = info(5);
    ahead.notice.at = UnixSeconds(NOW + 60);
    // A few seconds of the tests' own time are allowed for.
    let entries = [aged(info(1), 178), aged(info(2), 185), aged(info(3), 4000), aged(emergency, 725), ahead];
    deliver_all(&cfg, &entries);
    let texts = texts(&server);
    assert_eq!(texts[0], "[Container 7] [12 min late] EMERGENCY: smoke");
    assert_eq!(texts[1], "[Container 7] message 1\ndetail");
    assert_eq!(texts[2], "[Container 7] [3 min late] message 2\ndetail");
    assert_eq!(texts[3], "[Container 7] [1 h 6 min late] message 3\ndetail");
    assert_eq!(texts[4], "[Container 7] message 5\ndetail", "the clock has jumped back");
}

#[test]
fn many_waiting_messages_become_one_readable_one_with_their_times() {
    let (cfg, server) = site(ok());
    let mut entries: Vec<_> = (1..=6).map(|id| aged(info(id), 1800 - 60 * id as i64)).collect();
    entries[2].notice.severity = Severity::Warning;
    entries[0].notice.at = UnixSeconds(NOW - 86_400);
    let emergency = entry(7, Channel::Telegram, Severity::Emergency, "smoke");
    entries.push(emergency);
    let deliveries = deliver_all(&cfg, &entries);
    assert_eq!(ids(&deliveries), [vec![7], vec![1, 2, 3, 4, 5, 6]]);
    assert_eq!(
        texts(&server)[1],
        "[Container 7] WARNING: 6 messages waited since Mar 16 13:30:\nMar 16 13:30 message 1\n\
        13:02 message 2\n13:03 WARNING: message 3\n13:04 message 4\n13:05 message 5\n13:06 message 6"
    );
    assert_eq!(server.seen()[1].json()["disable_notification"], false);
}

#[test]
fn a_list_that_is_too_long_keeps_the_worst_and_the_newest_and_counts_the_rest() {
    let (cfg, server) = site(ok());
    let long = |id: u64| entry(id, Channel::Telegram, Severity::Info, &format!("{id} {}", "x".repeat(500)));
    let mut entries: Vec<_> = (1..=40).map(long).collect();
    entries[0].notice.severity = Severity::Warning;
    let deliveries = deliver_all(&cfg, &entries);
    assert_eq!(deliveries[0].ids.len(), 40);
    let text = &texts(&server)[0];
    assert!(text.chars().count() <= 4096);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("13:29 WARNING: 1 x"), "{}", lines[1]);
    assert!(lines[lines.len() - 2].contains(" 40 x"));
    let left_out = 40 - (lines.len() - 2);
    assert_eq!(lines[lines.len() - 1], format!("and {left_out} more"));
}

#[test]
fn a_joined_message_that_fails_waits_as_the_entry_with_most_attempts() {
    let (cfg, _server) = site(Play::json(500, r#"{"ok":false,"description":"x"}"#));
    let mut entries: Vec<_> = (1..=6).map(info).collect();
    entries[3].attempts = 3;
    let mut deliveries = deliver_all(&cfg, &entries);
    assert_eq!(deliveries[0].ids.len(), 6);
    assert_eq!(later(deliveries.remove(0).result).1, 300);
}

#[test]
fn the_hourly_limit_holds_messages_but_no_emergency() {
    let (mut cfg, server) = site(ok());
    cfg.notify.max_per_hour = 10;
    let emergency = || entry(9, Channel::Telegram, Severity::Emergency, "smoke");
    let after = |sent: u32, entries: &[OutboxEntry]| {
        let sent = BTreeMap::from([(Channel::Telegram, sent), (Channel::Email, 99)]);
        ids(&deliver(&cfg, entries, &sent, &clock(), Duration::from_secs(5)))
    };
    assert_eq!(after(8, &[info(1), info(2)]), [[1], [2]]);
    assert_eq!(after(9, &[info(1), info(2)]), [[1, 2]], "joined when the hour has room for one");
    assert!(after(10, &[info(1), info(2)]).is_empty());
    assert_eq!(after(10, &[info(1), emergency()]), [[9]]);
    assert_eq!(after(11, &[info(1), emergency()]), [[9]]);
    assert_eq!(server.seen().len(), 5);
}

#[test]
fn channels_work_side_by_side_and_one_that_hangs_holds_no_other() {
    let (mut cfg, _hanging) = site(Play::Hang);
    let other = HttpStandIn::start(vec![Play::json(201, r#"{"sid":"SM1"}"#)]);
    cfg.sms = Some(twilio(&other.url));
    cfg.telegram.as_mut().unwrap().timeout = Seconds(60);
    let entries = [
        entry(1, Channel::Telegram, Severity::Emergency, "smoke"),
        entry(2, Channel::Sms, Severity::Emergency, "smoke"),
        entry(3, Channel::Telegram, Severity::Info, "not begun"),
    ];
    let began = Instant::now();
    let mut deliveries = deliver(&cfg, &entries, &BTreeMap::new(), &clock(), Duration::from_secs(1));
    assert!(began.elapsed() < Duration::from_millis(1600), "{:?}", began.elapsed());
    assert!(other.seen()[0].at.duration_since(began) < Duration::from_millis(500));
    deliveries.sort_by_key(|delivery| delivery.ids[0]);
    assert_eq!(ids(&deliveries), [[1], [2]]);
    assert_eq!(deliveries[1].result, DeliveryResult::Accepted(None));
    let (fault, wait) = later(deliveries.remove(0).result);
    assert_eq!((fault.kind, wait), (FaultKind::TimedOut, 30));
    assert_no_secret(&fault.to_string());
}

#[test]
fn messages_that_time_does_not_allow_for_are_left_for_the_next_run() {
    let (cfg, server) =
        site(Play::Slow(Duration::from_millis(400), 200, r#"{"ok":true,"result":{"message_id":7}}"#.to_owned()));
    let entries: Vec<_> = (1..=5).map(info).collect();
    let began = Instant::now();
    let deliveries = deliver(&cfg, &entries, &BTreeMap::new(), &clock(), Duration::from_millis(1000));
    assert!(began.elapsed() < Duration::from_millis(1400), "{:?}", began.elapsed());
    assert!(matches!(deliveries.len(), 1..=3), "{deliveries:?}");
    assert_eq!(deliveries[0].result, DeliveryResult::Accepted(None));
    assert_eq!(server.seen().len(), deliveries.len());
}

#[test]
fn a_fast_clock_counts_waits_in_site_time_and_sockets_in_real_time() {
    let (mut cfg, _server) = site(Play::Hang);
    cfg.telegram.as_mut().unwrap().timeout = Seconds(1);
    let clock: Clock = clock_at_rate(60.0);
    let began = Instant::now();
    let mut deliveries = deliver(&cfg, &[info(1)], &BTreeMap::new(), &clock, Duration::from_secs(5));
    assert!(began.elapsed() > Duration::from_millis(900), "a second is a second on the wire");
    let (_, wait) = later(deliveries.remove(0).result);
    assert!((80..150).contains(&wait), "about a minute passed, then half a minute's wait: {wait}");
}

#[test]
fn a_channel_that_is_no_longer_configured_refuses() {
    let mut deliveries = deliver_all(&config(), &[info(1)]);
    let fault = refused(deliveries.remove(0).result);
    assert_eq!((fault.device.as_str(), fault.kind), ("telegram", FaultKind::Missing));
    assert!(deliver_all(&config(), &[]).is_empty());
}

#[test]
fn joined_text_messages_stay_within_a_text_messages_length() {
    let server = HttpStandIn::start(vec![Play::json(201, r#"{"sid":"SM1"}"#)]);
    let cfg = Config { sms: Some(twilio(&server.url)), ..config() };
    let text = |id: u64| entry(id, Channel::Sms, Severity::Emergency, &format!("intake {id} at 113.0 °F — critical"));
    let deliveries = deliver_all(&cfg, &(1..=9).map(text).collect::<Vec<_>>());
    assert_eq!(ids(&deliveries), [vec![1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    let said = server.seen()[0].form()[2].1.clone();
    assert!(said.is_ascii() && said.len() <= 300, "{said}");
    assert!(said.starts_with("[Container 7] EMERGENCY: 9 messages waited since 13:29:\n13:29 EMERGENCY: intake 6 "));
    assert!(said.ends_with("intake 9 at 113.0 deg F - critical\nand 5 more"), "{said}");
}

#[test]
fn a_mail_server_behind_a_name_that_does_not_exist_is_unreachable() {
    let email = EmailConfig {
        host: "mail.invalid".to_owned(),
        port: 25,
        security: MailSecurity::None,
        ca_file: None,
        user: None,
        password: None,
        from: "minectl@example.org".to_owned(),
        to: vec!["owner@example.org".to_owned()],
        timeout: Seconds(2),
    };
    let cfg = Config { email: Some(email), ..config() };
    let warning = entry(1, Channel::Email, Severity::Warning, "x");
    let (fault, _) = later(deliver_one(&cfg, &warning));
    assert!(matches!(fault.kind, FaultKind::Unreachable | FaultKind::TimedOut), "{fault}");
}

#[test]
fn no_line_of_our_log_holds_a_secret() {
    log_lines::start();
    let refusing = HttpStandIn::start(vec![Play::json(500, "{\"ok\":false}")]);
    for url in [refusing.url.as_str(), "http://127.0.0.1:1"] {
        let cfg = Config { telegram: Some(telegram(url)), sms: Some(twilio(url)), ..config() };
        let sms = entry(2, Channel::Sms, Severity::Emergency, "smoke");
        assert_eq!(deliver_all(&cfg, &[info(1), sms]).len(), 2);
    }
    let lines = log_lines::so_far();
    assert!(lines.iter().any(|line| line.contains("telegram")), "{lines:?}");
    lines.iter().for_each(|line| assert_no_secret(line));
}

/// Everything that the program's own modules log, at every level. Other packages do write addresses into their log
/// lines, so the log of the program leaves them out.
mod log_lines {
    use std::sync::Mutex;

    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

    struct Collector;

    impl log::Log for Collector {
        fn enabled(&self, metadata: &log::Metadata) -> bool {
            metadata.target().starts_with("minectl")
        }

        fn log(&self, record: &log::Record) {
            if self.enabled(record.metadata()) {
                LINES.lock().unwrap().push(record.args().to_string());
            } else if std::env::var("SHOW").is_ok() && record.args().to_string().contains(super::TOKEN) {
                println!("LEAK {} {}", record.target(), record.args());
            }
        }

        fn flush(&self) {}
    }

    pub(super) fn start() {
        log::set_logger(&Collector).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    }

    pub(super) fn so_far() -> Vec<String> {
        LINES.lock().unwrap().clone()
    }
}
