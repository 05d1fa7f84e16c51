//! The values of each run at an Influx-compatible service: they arrive, wait over an outage, and never hold up a run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::causes::INFLUX;
use crate::mine::{Mine, tail};

const LIMIT: Duration = Duration::from_secs(60);

fn with_influx(text: String) -> String {
    text + INFLUX
}

/// What the service has: fields by second.
fn arrived(mine: &Mine) -> BTreeMap<i64, BTreeMap<String, f64>> {
    let all = mine.get("/recorded");
    let fields = |point: &Value| {
        let fields = point["fields"].as_object().unwrap().iter();
        fields.map(|(name, value)| (name.clone(), value.as_f64().unwrap())).collect()
    };
    let points = all["influx"].as_array().unwrap().iter();
    points.map(|point| (point["time"].as_i64().unwrap(), fields(point))).collect()
}

/// The same of the history, as `minectl history` prints it.
fn kept(mine: &Mine) -> BTreeMap<i64, BTreeMap<String, f64>> {
    let text = mine.run(&["history", "--since", "2026-11-10 06:00", "--format", "json"]).done();
    let mut all: BTreeMap<i64, BTreeMap<String, f64>> = BTreeMap::new();
    for (name, points) in serde_json::from_str::<Value>(&text).unwrap().as_object().unwrap() {
        for point in points.as_array().unwrap() {
            if let Some(value) = point[1].as_f64() {
                all.entry(point[0].as_i64().unwrap()).or_default().insert(name.clone(), value);
            }
        }
    }
    all
}

/// Puts a history of runs with these seconds in place, as an outage left it.
fn write_history(mine: &Mine, seconds: impl Iterator<Item = i64>) -> usize {
    let folder = mine.data().join("history");
    std::fs::create_dir_all(&folder).unwrap();
    let (mut days, mut runs): (BTreeMap<i64, String>, usize) = (BTreeMap::new(), 0);
    for second in seconds {
        let day = days.entry(second / 86_400).or_insert_with(|| "time_unix_s,signal,curtail,miners_w\n".to_owned());
        day.push_str(&format!("{second},250,0,{}\n", 960_000 + runs));
        runs += 1;
    }
    for (day, text) in days {
        let name = jiff::Timestamp::from_second(day * 86_400).unwrap().strftime("%Y-%m-%d.csv").to_string();
        std::fs::write(folder.join(name), text).unwrap();
    }
    runs
}

/// The site's second now.
fn now(mine: &Mine) -> i64 {
    mine.truth()["time"].as_f64().unwrap() as i64
}

fn alarm(status: &Value, id: &str) -> bool {
    status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["id"] == id)
}

#[test]
fn the_values_of_each_run_arrive_as_the_history_has_them() {
    let mine = Mine::start(10.0, with_influx);
    mine.tick().silent();
    assert_eq!(arrived(&mine).len(), 1, "{}", tail(&mine.log(), 20));
    mine.wait_site(2.0);
    assert_eq!(mine.tick().silent().code, 0, "{}", tail(&mine.log(), 20));
    let all = arrived(&mine);
    assert_eq!(all.len(), 2);
    assert_eq!(all, kept(&mine));
    assert!(all.values().all(|fields| fields["miners_w"] > 900_000.0 && fields["curtail"] == 0.0), "{all:?}");
    for text in [mine.log(), mine.page(), mine.run(&["config", "show"]).done()] {
        assert!(!text.contains("site-influx-token"));
    }
}

#[test]
fn a_month_without_the_service_is_caught_up_with_oldest_first_and_bounded_in_each_run() {
    let mine = Mine::start(10.0, with_influx);
    let begin = now(&mine) - 12 * 86_400;
    let runs = write_history(&mine, (0..11 * 720).map(|run| begin + run * 120));
    mine.fault("influx", "refuse");
    assert_eq!(mine.tick().silent().code, 1);
    assert!(mine.log().contains("influx: unreachable: connection refused"), "{}", tail(&mine.log(), 20));
    assert!(arrived(&mine).is_empty());

    mine.heal();
    mine.wait_site(2.0);
    let mut before = 0;
    for _ in 0..20 {
        mine.tick().silent();
        let all = arrived(&mine);
        assert!(all.len() <= before + 5000, "{} after {before}", all.len());
        assert!(all.keys().copied().eq((0..all.len() as i64).map(|run| begin + run * 120)) || all.len() > runs);
        before = all.len();
        if before > runs + 1 {
            break;
        }
        mine.wait_site(2.0);
    }
    let (kept, all) = (kept(&mine), arrived(&mine));
    assert!(kept.len() > runs + 1 && kept == all, "{} kept, {} arrived", kept.len(), all.len());
}

#[test]
fn a_service_that_stays_away_is_a_warning_and_the_warning_ends_with_it() {
    let mine =
        Mine::start(30.0, |text| with_influx(text.replace("warn_after_failures = 3", "warn_after_failures = 1")));
    mine.fault("influx", "500");
    mine.tick_until("the alarm", LIMIT, |status| alarm(status, "device influx"));
    assert!(mine.recorded("telegram").join("\n").contains("influx: device error: status 500"));
    let doctor = mine.run(&["doctor", "--device", "influx"]).stdout;
    assert!(doctor.contains("the last run's values were not taken") || doctor.contains("status 500"), "{doctor}");
    mine.heal();
    mine.tick_until("no alarm", LIMIT, |status| !alarm(status, "device influx"));
    assert_eq!(arrived(&mine), kept(&mine).into_iter().take(arrived(&mine).len()).collect());
}

#[test]
fn one_line_that_is_refused_for_good_holds_up_no_other() {
    let mine = Mine::start(10.0, with_influx);
    let begin = (now(&mine) / 1000 - 20) * 1000 + 500;
    // A stamp of whole thousands is refused: five of these 250.
    let runs = write_history(&mine, (0..250).map(|run| begin + run * 20));
    mine.fault("influx", "some-lines");
    assert_eq!(mine.tick().silent().code, 1, "a line that is left out is told");
    mine.wait_site(2.0);
    mine.tick().silent();
    let refused = arrived(&mine).keys().filter(|second| *second % 1000 == 0).count();
    assert_eq!(refused, 0);
    assert!(arrived(&mine).len() > runs - 6 && arrived(&mine).len() < runs, "{} of {runs}", arrived(&mine).len());
    assert_eq!(mine.log().matches("is refused alone and left out").count(), 5, "{}", tail(&mine.log(), 30));
}

#[test]
fn a_service_that_refuses_every_line_loses_none() {
    let mine = Mine::start(10.0, with_influx);
    let runs = write_history(&mine, (0..90).map(|run| now(&mine) - 20_000 + run * 120));
    for fault in ["400", "404", "401", "html-login"] {
        mine.fault("influx", fault);
        assert_eq!(mine.tick().silent().code, 1, "{fault}");
        mine.wait_site(2.0);
    }
    assert!(arrived(&mine).is_empty());
    mine.heal();
    mine.tick().silent();
    assert!(arrived(&mine).len() > runs + 4, "{}", tail(&mine.log(), 30));
    assert_eq!(arrived(&mine), kept(&mine));
}

#[test]
fn a_field_that_the_service_cannot_take_costs_no_other_field() {
    let mine = Mine::start(10.0, with_influx);
    mine.fault("influx", "partial");
    for _ in 0..2 {
        assert_eq!(mine.tick().silent().code, 1);
        mine.wait_site(2.0);
    }
    let mut expected = kept(&mine);
    expected.values_mut().for_each(|fields| assert!(fields.remove("curtail").is_some() && fields.len() > 20));
    assert_eq!(arrived(&mine), expected, "{}", tail(&mine.log(), 30));
    assert!(mine.log().contains("partial write: field type conflict"), "{}", tail(&mine.log(), 30));
}

#[test]
fn a_service_that_hangs_costs_its_own_limit_at_the_end_of_the_run() {
    let mine = Mine::start(1.0, with_influx);
    mine.tick().silent();
    mine.fault("influx", "hang");
    let pings = mine.recorded("dead_man").len();
    let ran = mine.tick().silent();
    assert!(ran.took < Duration::from_secs(12), "{:?}", ran.took);
    assert!(mine.log().contains("influx: timed out: no answer within 2.0 s"), "{}", tail(&mine.log(), 20));
    assert_eq!(mine.recorded("dead_man").len(), pings + 2);
    assert!(mine.status_json()["alarms"].as_array().unwrap().is_empty());
}

#[test]
fn without_its_section_nothing_is_sent_and_nothing_remembered() {
    let mine = Mine::start(10.0, |text| text);
    mine.tick().silent();
    assert_eq!(mine.truth()["counters"]["influx"], Value::Null);
    assert!(!mine.data().join("pushed-until.json").exists());
}
