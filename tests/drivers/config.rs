//! A whole configuration whose devices all stand at given addresses; rules and messages are there because they must be.
#![allow(dead_code, reason = "each test program uses its part of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use minectl::clock::Clock;
use minectl::config::*;
use minectl::model::Channel;
use minectl::units::{Dollars, Seconds, Temperature, Watts};

/// An address at which nothing listens.
pub const NOWHERE: &str = "http://127.0.0.1:9";

/// The signal page of the fixtures.
pub fn signal(url: &str) -> SignalConfig {
    SignalConfig {
        url: url.to_owned(),
        redirect_hosts: Vec::new(),
        place: PagePlace::Element { selector: "#load-number".to_owned(), attribute: None },
        cached_max_age: Seconds(600),
        modified_max_age: None,
        pattern: r"^\s*([-0-9.,]+)\s*(?:MW)?\s*$".to_owned(),
        meaning: SignalMeaning::Number {
            range: (50.0, 500.0),
            off_when: OffWhen::High,
            curtail_at: 310.0,
            resume_below: 300.0,
        },
        must_contain: vec!["System load".to_owned()],
        must_not_contain: vec!["connect failed".to_owned(), "Fatal error".to_owned()],
        stamp: None,
        max_age: Seconds(600),
        when_blind: WhenBlind::Curtail,
        reread_near: 0.0,
        resume_readings: 3,
        unchanged_warning: Seconds(86_400),
        ca_file: None,
        timeout: Seconds(2),
    }
}

/// A Room Alert with the probes of the fixtures.
pub fn room(url: &str) -> RoomAlertConfig {
    let probe = |name: &str, index, role, label: Option<&str>| ProbeConfig {
        name: name.to_owned(),
        array: "sensor".to_owned(),
        index,
        role,
        label: label.map(str::to_owned),
        use_disabled: false,
        max_age: None,
    };
    let switch = |name: &str, index| SwitchConfig {
        name: name.to_owned(),
        array: "s_sen".to_owned(),
        index,
        alarm_when: 1,
        label: None,
        use_disabled: false,
        stops_mine: false,
    };
    RoomAlertConfig {
        name: "room-alert".to_owned(),
        url: url.to_owned(),
        serial: None,
        user: None,
        password: None,
        ca_file: None,
        timeout: Seconds(2),
        probes: vec![
            probe("middle", 0, ProbeRole::Other, None),
            probe("intake-west", 1, ProbeRole::Intake, Some("Intake west")),
        ],
        switches: vec![switch("smoke", 0), switch("water", 1)],
    }
}

/// An IotaWatt with `fans` fans.
pub fn iotawatt(url: &str, fans: u8) -> IotaWattConfig {
    IotaWattConfig {
        name: "iotawatt".to_owned(),
        url: url.to_owned(),
        voltage_series: "mains_v".to_owned(),
        fan_series: (1..=fans).map(|n| (n, format!("fan{n}"))).collect(),
        user: None,
        password: None,
        max_age: Seconds(30),
        ca_file: None,
        timeout: Seconds(2),
    }
}

/// An emonCMS with `fans` fans, feed ids from 11 on.
pub fn emoncms(url: &str, fans: u8) -> EmonCmsConfig {
    EmonCmsConfig {
        name: "emoncms".to_owned(),
        url: url.to_owned(),
        api_key: Secret::new("fedcba9876543210fedcba9876543210"),
        fan_feeds: (1..=fans).map(|n| (n, FeedPoint::Id(u64::from(n) + 10))).collect(),
        max_age: Seconds(60),
        ca_file: None,
        timeout: Seconds(2),
    }
}

/// A relay board.
pub fn board(name: &str, url: &str, family: RelayFamily) -> RelayBoardConfig {
    RelayBoardConfig {
        name: name.to_owned(),
        url: url.to_owned(),
        family,
        page: None,
        serial: None,
        user: None,
        password: None,
        ca_file: None,
        timeout: Seconds(2),
    }
}

/// A fan on a board, normally closed.
pub fn fan(number: u8, board: &str, relay: u8) -> FanConfig {
    FanConfig { number, board: board.to_owned(), relay: RelayPoint::Number(relay), wiring: Wiring::NormallyClosed }
}

/// The dialect of Digital Shovel's SmartPDU: the preset that the sample names.
pub fn digital_shovel() -> PduDriver {
    let text = include_str!("../../config.txt");
    parse(text, "config.txt", Path::new("/nowhere")).unwrap().pdus.swap_remove(0).driver
}

/// The sample with this section in place of its PDUs; its mistakes are the test's.
pub fn pdu_section(section: &str) -> Result<PduConfig, Vec<String>> {
    let text = include_str!("../../config.txt");
    let (start, end) = (text.find("\n[[pdu]]\n").unwrap(), text.find("\n# Any other PDU").unwrap());
    let text = format!("{}\n[[pdu]]\n{section}\n{}", &text[..start], &text[end..]);
    parse(&text, "config.txt", Path::new("/nowhere")).map(|mut config| config.pdus.swap_remove(0))
}

/// How a PDU that speaks JSON is spoken to, to be changed by a test.
pub fn dialect(pdu: &mut PduConfig) -> &mut PduDialect {
    match &mut pdu.driver {
        PduDriver::HttpJson(dialect) => dialect,
        PduDriver::Redfish(_) => panic!("{} speaks Redfish", pdu.name),
    }
}

/// A PDU with these outlets.
pub fn pdu(name: &str, url: &str, outlets: &[&str]) -> PduConfig {
    PduConfig {
        name: name.to_owned(),
        url: url.to_owned(),
        driver: digital_shovel(),
        token: Some(Secret::new("site-spdu-token")),
        user: None,
        password: None,
        auth: minectl::config::PduAuth::Basic,
        outlets: outlets.iter().map(|id| (*id).to_owned()).collect(),
        tls_sha256: None,
        outlet_pause: Seconds(1),
        settle: Seconds(4),
        batch: 16,
        bank: None,
        max_age: Seconds(60),
        ca_file: None,
        timeout: Seconds(2),
    }
}

/// Foreman with client 7 and the tag `curtail`.
pub fn foreman(url: &str) -> ForemanConfig {
    ForemanConfig {
        name: "foreman".to_owned(),
        url: url.to_owned(),
        client_id: 7,
        api_key: Secret::new("site-foreman-key"),
        miners: MinerChoice::Tag("curtail".to_owned()),
        call_pause: Seconds(1),
        batch: 40,
        max_age: None,
        ca_file: None,
        timeout: Seconds(2),
    }
}

/// A whole configuration; every device is nowhere, and there are no rooms, boards, fans and PDUs.
pub fn nowhere() -> Config {
    let celsius = |degrees| Temperature::new(degrees).unwrap();
    let watts = |watts| Watts::new(watts).unwrap();
    Config {
        mode: Mode::Live,
        loop_interval: Seconds(120),
        time_zone: "America/Chicago".to_owned(),
        temperature_unit: TemperatureUnit::Fahrenheit,
        site: SiteConfig { name: "Container 1".to_owned(), page_url: None },
        paths: PathsConfig { data: PathBuf::new(), page: PathBuf::new(), log: PathBuf::new() },
        tick: TickConfig {
            budget: Seconds(100),
            read_limit: Seconds(12),
            pass_pause: Seconds(5),
            warn_after_failures: 3,
        },
        signal: signal(NOWHERE),
        rooms: Vec::new(),
        fan_watts: FanWattsConfig::IotaWatt(iotawatt(NOWHERE, 2)),
        boards: Vec::new(),
        fans: BTreeMap::new(),
        fan_rules: FanRules {
            on_above: watts(400.0),
            off_below: watts(50.0),
            prove_within: Seconds(60),
            stages: vec![FanStage { above: celsius(-40.0), run: 3 }],
            hysteresis_k: 2.0,
            min_running: 3,
            min_switch_time: Seconds(240),
            settle_time: Seconds(1800),
            step_time: Seconds(120),
            run_on: Seconds(300),
            off_room_above: celsius(35.0),
            before_resume: 5,
            max_switchings_per_hour: 12,
            capacity: Vec::new(),
            rotate_after: Seconds(86_400),
        },
        climate: ClimateConfig {
            shed_above: celsius(40.0),
            resume_below: celsius(34.0),
            critical_above: celsius(45.0),
            resume_min: celsius(-30.0),
            preheat_limit: Seconds(1800),
            shed_rise_k: 1.0,
            stuck_after: Seconds(21_600),
            max_age: Seconds(240),
            lost_limit: Seconds(600),
        },
        miners: MinersConfig {
            off_below: watts(20_000.0),
            on_above: watts(50_000.0),
            off_share: 0.25,
            foreman_limit: Seconds(150),
            outlets_limit: Seconds(120),
            sweep_after: Seconds(180),
            deadline: Seconds(360),
            min_off: Seconds(600),
            resume_after: Seconds(240),
            resume_groups: 4,
            group_limit: Seconds(360),
            outlet_off_below: watts(60.0),
        },
        foreman: foreman(NOWHERE),
        pdus: Vec::new(),
        notify: NotifyConfig {
            heartbeat: Vec::new(),
            info: Vec::new(),
            warning: vec![Channel::Email],
            emergency: vec![Channel::Email],
            heartbeat_interval: Seconds(3600),
            warning_reminder: Seconds(14_400),
            emergency_reminder: Seconds(900),
            max_per_hour: 30,
            give_up_after: Seconds(172_800),
            send_limit: Seconds(20),
        },
        telegram: None,
        email: None,
        sms: None,
        dead_man: None,
        influx: None,
        overrides: OverridesConfig { default_time: Seconds(3600), max_time: Seconds(86_400) },
        history: HistoryConfig { keep_days: 30, averages_days: 730, inputs_days: 14 },
        costs: costs(),
        drill: DrillConfig { schedule: None, miner: None, outlet: None, fan: None },
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

/// A clock whose site time runs fifty times as fast, so that pauses are short.
pub fn fast() -> Clock {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    Clock::parse(&format!("{now}:1795400000:50")).unwrap()
}
