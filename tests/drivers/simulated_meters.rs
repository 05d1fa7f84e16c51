//! IotaWatt and emonCMS of the simulated mine, with the sample configuration: each of their odd ways over real sockets.

use std::time::{Duration, Instant};

use minectl::clock::Clock;
use minectl::config::{self, Config};
use minectl::drivers::sense;
use minectl::model::{FanWattsReading, Fault, FaultKind};
use serde_json::json;

use crate::mine::Mine;

const LIMIT: Duration = Duration::from_secs(5);
/// Site seconds in a real one.
const RATE: f64 = 10.0;

fn read(mine: &Mine) -> Result<FanWattsReading, Fault> {
    sense(&loaded(mine), &clock(mine), LIMIT, &[]).fan_watts
}

/// The site's clock, as the program is given it.
pub fn clock(mine: &Mine) -> Clock {
    let command = mine.command(&[]);
    let (_, text) = command.get_envs().find(|(name, _)| *name == "MINECTL_TEST_CLOCK").unwrap();
    Clock::parse(text.unwrap().to_str().unwrap()).unwrap()
}

/// The sample with its `[emoncms]` in place of `[iotawatt]`.
fn with_emoncms(text: &str) -> String {
    let paragraph = |text: &str, header: &str| {
        let start = text.find(&format!("\n{header}\n")).unwrap() + 1;
        (start, start + text[start..].find("\n\n").unwrap())
    };
    let (start, end) = paragraph(text, "# [emoncms]");
    let lines = text[start..end].lines().map(|line| line.strip_prefix("# ").unwrap());
    let text = format!("{}{}{}", &text[..start], lines.collect::<Vec<_>>().join("\n"), &text[end..]);
    let (start, end) = paragraph(&text, "[iotawatt]");
    format!("{}{}", &text[..start], &text[end..])
}

fn loaded(mine: &Mine) -> Config {
    let cfg = config::load(&mine.config()).unwrap();
    std::fs::create_dir_all(&cfg.paths.data).unwrap();
    cfg
}

/// The fault of one fan, or its watts.
fn fan(read: &FanWattsReading, number: u8) -> Result<f64, String> {
    read.fans[&number].clone().map(|fan| fan.value.value()).map_err(|fault| fault.to_string())
}

/// All nine run, as the site's physics has it.
fn all_run(read: &FanWattsReading) {
    for number in 1..=9 {
        let watts = fan(read, number).unwrap();
        assert!((1200.0..1800.0).contains(&watts), "fan {number}: {watts}");
    }
}

fn kind(read: Result<FanWattsReading, Fault>) -> (FaultKind, String) {
    let fault = read.unwrap_err();
    (fault.kind, fault.detail)
}

fn harmed(mine: &Mine) -> Vec<String> {
    mine.commands().into_iter().filter(|(device, _)| device == "iotawatt").map(|(_, what)| what).collect()
}

#[test]
fn an_iotawatt_is_read_through_all_its_odd_ways_and_never_hung() {
    let mine = Mine::start(RATE, |text| text);
    let well = read(&mine).unwrap();
    all_run(&well);
    assert!(well.fans.values().flatten().all(|fan| fan.age.0 <= 5), "{well:?}");
    for fault in ["dst-hour", "broken-json"] {
        mine.fault("iotawatt", fault);
        mine.wait_site(11.0);
        let live = read(&mine).unwrap_or_else(|told| panic!("{fault}: {told}"));
        all_run(&live);
        assert!(live.row_time > well.row_time, "{fault}: rows of the true hour");
        assert!(live.row_time.unwrap().0 - well.row_time.unwrap().0 < 600, "{fault}: rows of the true hour");
    }
    mine.fault_of("iotawatt", "renamed", &[3, 8]);
    let some = read(&mine).unwrap();
    assert!(fan(&some, 1).is_ok() && fan(&some, 9).is_ok());
    let told = "iotawatt fan 3: missing: the unit has no series `fan3` any more: correct `fan_series`";
    assert!(fan(&some, 3).unwrap_err().starts_with(told), "{:?}", fan(&some, 3));
    assert!(fan(&some, 8).unwrap_err().contains("vent8"), "{:?}", fan(&some, 8));
    mine.fault("iotawatt", "renamed");
    assert_eq!(kind(read(&mine)).0, FaultKind::Missing);
    mine.fault("iotawatt", "no-voltage");
    mine.wait_site(16.0);
    let lost = fan(&read(&mine).unwrap(), 1).unwrap_err();
    assert!(lost.contains("voltage reference is lost (0 V)"), "{lost}");
    mine.fault("iotawatt", "login");
    let (refused, way_out) = kind(read(&mine));
    assert_eq!(refused, FaultKind::Refused);
    assert!(way_out.contains("give `user` and `password`"), "{way_out}");
    assert_eq!(harmed(&mine), [""; 0]);
}

#[test]
fn an_iotawatt_whose_log_stands_still_is_stale_although_its_live_page_goes_on() {
    let mine = Mine::start(3.0 * RATE, |text| text);
    mine.fault("iotawatt", "stalled-null");
    mine.wait_site(40.0);
    let (stale, detail) = kind(read(&mine));
    assert_eq!(stale, FaultKind::Stale);
    assert!(detail.starts_with("the unit's log stands still: its newest record is"), "{detail}");
    mine.heal();
    mine.wait_site(6.0);
    all_run(&read(&mine).unwrap());
}

#[test]
fn a_fast_clock_of_the_pi_makes_no_row_old() {
    let mine = Mine::start(RATE, |text| text);
    let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let ahead = Clock::parse(&format!("{real:.3}:1795377600:{RATE}")).unwrap();
    let read = sense(&loaded(&mine), &ahead, LIMIT, &[]).fan_watts.unwrap();
    assert!(read.fans.values().flatten().all(|fan| fan.age.0 <= 5), "{read:?}");
}

#[test]
fn a_password_costs_one_challenge_for_all_runs() {
    let login = "# user = \"user\"\n# password = \"site-iotawatt-password\"";
    let mine = Mine::start(RATE, |text| {
        assert!(text.contains(login), "the sample shows the login");
        text.replace(login, &login.replace("# ", ""))
    });
    let challenges = || mine.truth()["counters"]["iotawatt-challenges"].as_u64();
    all_run(&read(&mine).unwrap());
    assert_eq!(challenges(), None, "no password is set");
    mine.fault("iotawatt", "login");
    for _ in 0..6 {
        all_run(&read(&mine).unwrap());
    }
    assert_eq!(challenges(), Some(1));
}

#[test]
fn an_emoncms_is_read_with_and_without_redis_through_all_its_odd_ways() {
    let mine = Mine::start(RATE, |text| with_emoncms(&text));
    for redis in [true, false] {
        mine.set(json!({"emoncms_redis": redis}));
        mine.heal();
        all_run(&read(&mine).unwrap());
        mine.fault("emoncms", "notices");
        all_run(&read(&mine).unwrap());
        mine.fault_of("emoncms", "no-data", &[2]);
        let some = read(&mine).unwrap();
        assert_eq!(fan(&some, 2).unwrap_err(), "emoncms fan 2: missing: feed 2 has no data");
        mine.fault_of("emoncms", "feed-gone", &[4]);
        let some = read(&mine).unwrap();
        let told = "emoncms fan 4: missing: no feed 4 in the list of 8 feeds: deleted, or of another user";
        assert_eq!(fan(&some, 4).unwrap_err(), told);
        assert!(fan(&some, 1).is_ok());
        mine.fault("emoncms", "future");
        let ahead = fan(&read(&mine).unwrap(), 1).unwrap_err();
        assert!(ahead.contains("stale") && ahead.contains("ahead of the server's clock"), "{ahead}");
        mine.fault("emoncms", "error-text-200");
        let (trouble, detail) = kind(read(&mine));
        assert_eq!(trouble, FaultKind::Status);
        assert!(detail.contains("Uncaught RedisException"), "{detail}");
        mine.fault("emoncms", "web-page");
        assert_eq!(kind(read(&mine)).0, FaultKind::Unreadable);
        mine.fault("emoncms", "401");
        assert_eq!(kind(read(&mine)).0, FaultKind::Refused);
    }
}

#[test]
fn an_emoncms_whose_source_is_dead_grows_old_by_its_own_date() {
    let mine = Mine::start(3.0 * RATE, |text| with_emoncms(&text));
    mine.fault("emoncms", "dead-source");
    mine.wait_site(70.0);
    let began = Instant::now();
    let age = read(&mine).unwrap().fans[&1].clone().unwrap().age.0;
    assert!((70..120 + began.elapsed().as_secs() * 30 + 30).contains(&age), "{age}");
}
