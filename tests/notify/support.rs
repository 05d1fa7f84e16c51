//! A configuration, a clock, and entries for the tests of notify.

use std::collections::BTreeMap;
use std::path::PathBuf;
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
    OutboxEntry { id, channel, notice, attempts: 0, not_before: at, last_fault: None }
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
        timeout: Seconds(3),
    }
}

pub(crate) fn twilio(url: &str) -> SmsConfig {
    let provider = SmsProvider::Twilio {
        account_sid: "ACtest".to_owned(),
        auth_token: Secret::new(AUTH_TOKEN),
        from: "+15155550100".to_owned(),
    };
    SmsConfig { url: url.to_owned(), provider, to: vec!["+15155550111".to_owned()], timeout: Seconds(3) }
}

/// A configuration in which only the messages matter.
pub(crate) fn config() -> Config {
    let watts = |w| Watts::new(w).unwrap();
    let celsius = |c| Temperature::new(c).unwrap();
    let second = Seconds(1);
    Config {
        mode: Mode::Live,
        loop_interval: Seconds::minutes(2),
        time_zone: "America/Chicago".to_owned(),
        temperature_unit: TemperatureUnit::Fahrenheit,
        site: SiteConfig { name: "Container 7".to_owned(), page_url: None },
        paths: PathsConfig { data: PathBuf::new(), page: PathBuf::new(), log: PathBuf::new() },
        tick: TickConfig { budget: second, read_limit: second, pass_pause: second, warn_after_failures: 3 },
        signal: SignalConfig {
            url: String::new(),
            selector: String::new(),
            pattern: String::new(),
            meaning: SignalMeaning::Words { curtail: Vec::new(), run: Vec::new() },
            must_contain: Vec::new(),
            must_not_contain: Vec::new(),
            stamp: None,
            max_age: second,
            when_blind: WhenBlind::Curtail,
            resume_readings: 3,
            unchanged_warning: second,
            timeout: second,
        },
        rooms: Vec::new(),
        fan_watts: FanWattsConfig::EmonCms(EmonCmsConfig {
            name: String::new(),
            url: String::new(),
            api_key: Secret::new(""),
            fan_feeds: BTreeMap::new(),
            max_age: second,
            timeout: second,
        }),
        boards: Vec::new(),
        fans: BTreeMap::new(),
        fan_rules: FanRules {
            on_above: watts(400.0),
            off_below: watts(50.0),
            prove_within: second,
            stages: Vec::new(),
            hysteresis_k: 2.0,
            min_running: 3,
            min_switch_time: second,
            step_time: second,
            run_on: second,
            off_room_above: celsius(35.0),
            before_resume: 5,
            max_switchings_per_hour: 12,
        },
        climate: ClimateConfig {
            shed_above: celsius(40.0),
            resume_below: celsius(34.0),
            critical_above: celsius(45.0),
            resume_min: celsius(-30.0),
            max_age: second,
            lost_limit: second,
        },
        miners: MinersConfig {
            off_below: watts(20_000.0),
            on_above: watts(50_000.0),
            foreman_limit: second,
            deadline: second,
            min_off: second,
            resume_after: second,
            resume_groups: 4,
            group_limit: second,
            outlet_off_below: watts(60.0),
        },
        foreman: ForemanConfig {
            name: String::new(),
            url: String::new(),
            client_id: 7,
            api_key: Secret::new(""),
            miners: MinerChoice::All,
            call_pause: second,
            batch: 40,
            timeout: second,
        },
        pdus: Vec::new(),
        notify: NotifyConfig {
            heartbeat: vec![Channel::Telegram],
            info: vec![Channel::Telegram],
            warning: vec![Channel::Telegram, Channel::Email],
            emergency: vec![Channel::Telegram, Channel::Email, Channel::Sms],
            heartbeat_interval: Seconds::minutes(60),
            warning_reminder: Seconds::minutes(240),
            emergency_reminder: Seconds::minutes(15),
            max_per_hour: 30,
            give_up_after: Seconds::minutes(2880),
            send_limit: Seconds(20),
        },
        telegram: None,
        email: None,
        sms: None,
        dead_man: None,
        overrides: OverridesConfig { default_time: second, max_time: second },
        history: HistoryConfig { keep_days: 400 },
        costs: costs(),
    }
}

fn costs() -> CostsConfig {
    CostsConfig {
        demand_charge: Dollars::new(15.0).unwrap(),
        demand_charge_for: ChargePeriod::Month,
        billing_interval: Seconds(1800),
        energy_price: Dollars::new(0.07).unwrap(),
        needless_off_per_hour: Dollars::new(50.0).unwrap(),
    }
}
