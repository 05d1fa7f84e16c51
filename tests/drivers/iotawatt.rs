//! An IotaWatt in trouble: without rows, with a renamed output, with a password.

use std::time::Duration;

use minectl::config::{Config, FanWattsConfig, Secret};
use minectl::drivers::{parse, sense};
use minectl::model::{FanWattsReading, Fault, FaultKind};
use minectl::units::{Seconds, UnixSeconds};
use serde_json::{Value, json};

use crate::config::{NOWHERE, fast, iotawatt, nowhere};
use crate::fixture::{fixture, kind_and_detail, value};
use crate::server::{Act, Server};

const LIVE: &str = "iotawatt/status_02_08_04.json";

fn path(request: &str) -> &str {
    request.split_whitespace().nth(1).unwrap_or_default()
}

/// A site whose meter is at this address, with a data folder of its own.
struct Meter {
    cfg: Config,
    _folder: tempfile::TempDir,
}

impl Meter {
    fn at(url: &str, fans: u8) -> Meter {
        let folder = tempfile::tempdir().unwrap();
        let mut cfg = nowhere();
        cfg.fan_watts = FanWattsConfig::IotaWatt(iotawatt(url, fans));
        cfg.paths.data = folder.path().to_owned();
        Meter { cfg, _folder: folder }
    }

    fn with_login(mut self, password: &str) -> Meter {
        let FanWattsConfig::IotaWatt(cfg) = &mut self.cfg.fan_watts else { panic!("another meter") };
        (cfg.user, cfg.password) = (Some("user".to_owned()), Some(Secret::new(password)));
        self
    }

    fn read(&self) -> Result<FanWattsReading, Fault> {
        sense(&self.cfg, &fast(), Duration::from_millis(1500), &[]).fan_watts
    }
}

/// Rows of nulls where `s` is asked for, the status as given, and full rows for absolute times.
fn without_rows(status: Act) -> Server {
    Server::by(move |request| match path(request) {
        path if path.starts_with("/status") => status.clone(),
        path if path.contains("begin=s-15s") => Act::json(fixture("iotawatt/all_null.json")),
        path if path.starts_with("/query?select") => Act::json(fixture("iotawatt/query_02_08_04.json")),
        _ => Act::answer(404, "", ""),
    })
}

#[test]
fn ages_go_by_the_units_own_clock() {
    let server = Server::new(vec![Act::json(fixture("iotawatt/query_02_08_04.json"))]);
    let read = Meter::at(&server.url, 2).read().unwrap();
    assert_eq!(read.fans[&1].clone().unwrap().age, Seconds(0), "the row ends where the range ends");
    let server = Server::new(vec![Act::json(fixture("iotawatt/newest_null.json"))]);
    let read = Meter::at(&server.url, 2).read().unwrap();
    assert_eq!(read.fans[&1].clone().unwrap().age, Seconds(5));
}

#[test]
fn without_rows_the_live_page_is_read_and_nothing_else() {
    let server = without_rows(Act::json(fixture(LIVE)));
    let read = Meter::at(&server.url, 2).read().unwrap();
    assert_eq!(read.fans[&1].clone().unwrap().value.value(), 1498.27);
    assert_eq!((read.fans[&2].clone().unwrap().age, read.row_time), (Seconds(2), Some(UnixSeconds(1_795_400_010))));
    assert_eq!(server.lines().len(), 2, "{:?}", server.lines());
}

#[test]
fn fans_that_are_inputs_are_read_with_absolute_times_of_the_units_clock() {
    let mut status = value(LIVE);
    status["outputs"] = json!([]);
    let server = without_rows(Act::json(status.to_string()));
    let read = Meter::at(&server.url, 2).read().unwrap();
    assert_eq!(read.fans[&1].clone().unwrap().value.value(), 1499.0);
    assert_eq!(read.fans[&1].clone().unwrap().age, Seconds(2));
    let lines = server.lines();
    assert!(lines[2].contains("&begin=1795399987&end=1795400027&group=5s"), "{lines:?}");
}

#[test]
fn a_log_that_stands_still_is_stale_whatever_the_live_page_shows() {
    let at = |newest: i64| {
        let mut status = value(LIVE);
        status["datalogs"][0]["lastkey"] = json!(newest);
        parse::iotawatt_status(&status, &iotawatt(NOWHERE, 2))
    };
    assert!(at(1_795_400_017 - 30).unwrap().reading.is_some());
    let (kind, detail) = kind_and_detail(at(1_795_400_017 - 31).unwrap_err());
    assert_eq!(kind, FaultKind::Stale);
    assert_eq!(detail, "the unit's log stands still: its newest record is 31 s old by the unit's own clock");
    let with = |change: fn(&mut Value)| {
        let mut status = value(LIVE);
        change(&mut status);
        parse::iotawatt_status(&status, &iotawatt(NOWHERE, 2))
    };
    assert_eq!(with(|s| s["datalogs"] = json!([])).unwrap_err().detail, "the unit's log has no record");
    assert_eq!(with(|s| s["stats"]["chanrate"] = json!(0)).unwrap_err().detail, "the unit samples nothing");
    assert_eq!(with(|s| s["stats"] = json!({})).unwrap_err().kind, FaultKind::Unreadable);
}

#[test]
fn the_live_page_counts_only_with_voltage() {
    let fan = |change: fn(&mut Value)| {
        let mut status = value(LIVE);
        change(&mut status);
        let live = parse::iotawatt_status(&status, &iotawatt(NOWHERE, 2)).unwrap();
        live.reading.unwrap().fans[&1].clone()
    };
    assert!(fan(|_| {}).is_ok());
    let lost = fan(|s| s["inputs"][1]["Vrms"] = json!(17.3)).unwrap_err();
    assert!(lost.detail.starts_with("voltage reference is lost (17.3 V)"), "the lowest of two counts: {lost}");
    assert_eq!(fan(|s| s["inputs"] = json!([])).unwrap_err().kind, FaultKind::Missing);
    let named = |s: &mut Value| {
        s["inputs"][1]["Vrms"] = json!(0);
        s["outputs"][2] = json!({"name": "mains_v", "units": "Volts", "value": 239.4});
    };
    assert!(fan(named).is_ok(), "the series that the configuration names goes first");
}

#[test]
fn a_log_whose_answer_cannot_be_read_is_replaced_by_the_live_page() {
    let with = |query: Act| {
        let server = Server::by(move |request| match path(request) {
            path if path.starts_with("/status") => Act::json(fixture(LIVE)),
            _ => query.clone(),
        });
        Meter::at(&server.url, 2).read()
    };
    assert!(with(Act::json("{\"range\":[1,2],\"labels\":[\"Time\"],\"data\":[[1,inf]]}")).is_ok());
    assert!(with(Act::answer(400, "", "{\"error\":\"invalid query. unspecified\"}")).is_ok());
    assert!(with(Act::answer(500, "", "")).is_ok());
    assert_eq!(with(Act::Close).unwrap_err().kind, FaultKind::Broken, "a unit that breaks off is left alone");
    let server = Server::new(vec![Act::answer(400, "", "{\"error\":\"invalid query. unspecified\"}")]);
    assert_eq!(Meter::at(&server.url, 2).read().unwrap_err().detail, "the unit says `invalid query. unspecified`");
}

/// A unit that has these series beside `mains_v`, two rows long.
fn unit_with(names: &'static [&'static str]) -> Server {
    Server::by(move |request| {
        let path = path(request);
        if path == "/query?show=series" {
            let fans = names.iter().map(|name| json!({"name": name, "unit": "Watts"}));
            let all: Vec<Value> = std::iter::once(json!({"name": "mains_v", "unit": "Volts"})).chain(fans).collect();
            return Act::json(json!({"series": all}).to_string());
        }
        let asked = path.split_once("%5Btime.utc.unix,mains_v.volts,").unwrap().1.split_once("%5D").unwrap().0;
        let asked: Vec<&str> = asked.split(',').map(|name| name.strip_suffix(".watts").unwrap()).collect();
        if let Some(gone) = asked.iter().find(|name| !names.contains(name)) {
            let said = format!("{{\"error\":\"invalid query. Invalid series: {gone}\"}}");
            return Act::answer(400, "Content-Type: text/plain\r\n", said);
        }
        let row = |time: i64| {
            json!(
                std::iter::once(json!(time))
                    .chain([json!(240.1)])
                    .chain(asked.iter().map(|_| json!(1502.5)))
                    .collect::<Vec<_>>()
            )
        };
        let labels: Vec<&str> = ["Time", "mains_v"].into_iter().chain(asked.iter().copied()).collect();
        let data = [row(1_795_400_005), row(1_795_400_010)];
        Act::json(json!({"range": [1_795_400_005, 1_795_400_015], "labels": labels, "data": data}).to_string())
    })
}

#[test]
fn a_renamed_output_costs_its_own_fan_alone_and_says_what_to_correct() {
    let server = unit_with(&["fan1", "Fan2", "fan3"]);
    let read = Meter::at(&server.url, 3).read().unwrap();
    assert_eq!(read.fans[&1].clone().unwrap().value.value(), 1502.5);
    assert_eq!(read.fans[&3].clone().unwrap().value.value(), 1502.5);
    assert_eq!(
        read.fans[&2].clone().unwrap_err().to_string(),
        "iotawatt fan 2: missing: the unit has no series `fan2` any more: correct `fan_series`; did you mean `Fan2`? \
         (it has: mains_v, fan1, Fan2, fan3)"
    );
    assert_eq!(server.lines().len(), 3, "{:?}", server.lines());
}

#[test]
fn without_any_series_or_without_the_voltage_there_is_no_reading() {
    let server = unit_with(&["other"]);
    let fault = Meter::at(&server.url, 2).read().unwrap_err();
    assert!(fault.detail.starts_with("the unit has no series `fan1` any more"), "{fault}");
    let server = unit_with(&["fan1"]);
    let mut meter = Meter::at(&server.url, 1);
    let FanWattsConfig::IotaWatt(cfg) = &mut meter.cfg.fan_watts else { panic!("another meter") };
    cfg.voltage_series = "Mains_V".to_owned();
    let unknown = Server::by(move |request| match path(request) {
        "/query?show=series" => Act::json(r#"{"series":[{"name":"mains_v","unit":"Volts"},{"name":"fan1"}]}"#),
        _ => Act::answer(400, "", "{\"error\":\"invalid query. Invalid series: Mains_V\"}"),
    });
    cfg.url = unknown.url.clone();
    let fault = meter.read().unwrap_err();
    assert!(fault.detail.contains("correct `voltage_series`; did you mean `mains_v`?"), "{fault}");
}

/// A unit with a password: every 401 makes a new challenge, each use must count on, and `nonce=` must stand before
/// `cnonce=`. It forgets its challenges when `forget` says so.
fn locked(password: &'static str, forget: impl Fn(usize) -> bool + Send + 'static) -> Server {
    let (mut nonces, mut turn): (Vec<(String, u32)>, usize) = (Vec::new(), 0);
    Server::by(move |request| {
        turn += 1;
        if forget(turn) {
            nonces.clear();
        }
        let header = request.lines().find_map(|line| {
            line.to_ascii_lowercase().starts_with("authorization: ").then(|| line["authorization: ".len()..].to_owned())
        });
        let known = header.and_then(|header| {
            assert!(header.find("nonce=").unwrap() < header.find("cnonce=").unwrap(), "{header}");
            let sent = digest_auth::AuthorizationHeader::parse(&header).unwrap();
            let (_, last) = nonces.iter_mut().find(|(nonce, last)| *nonce == sent.nonce && *last < sent.nc)?;
            *last = sent.nc;
            let mut check = sent.clone();
            check.digest(&digest_auth::AuthContext::new("user", password, path(request)));
            (check.response == sent.response).then_some(())
        });
        if known.is_some() {
            return Act::json(fixture("iotawatt/query_02_08_04.json"));
        }
        let nonce = format!("{:032x}", 0xabc0 + nonces.len() + turn);
        let line = format!("WWW-Authenticate: Digest realm=\"IotaWatt\",qop=\"auth\",nonce=\"{nonce}\"\r\n");
        nonces.push((nonce, 0));
        Act::answer(401, &line, "IoTaWatt-Login")
    })
}

#[test]
fn the_challenge_is_asked_for_once_and_used_by_every_later_run() {
    let server = locked("site-iotawatt-password", |_| false);
    let meter = Meter::at(&server.url, 2).with_login("site-iotawatt-password");
    for _ in 0..4 {
        assert!(meter.read().is_ok(), "{:?}", server.requests());
    }
    assert_eq!(server.requests().len(), 5, "one challenge for four runs");
    let kept = std::fs::read_to_string(meter.cfg.paths.data.join("login-iotawatt.json")).unwrap();
    assert!(kept.contains("\"uses\":4") && !kept.contains("site-iotawatt-password"), "{kept}");
    assert!(server.requests()[4].contains("nc=00000004"), "{}", server.requests()[4]);
}

#[test]
fn a_unit_that_forgot_its_challenge_gives_a_new_one_within_the_run() {
    let server = locked("site-iotawatt-password", |turn| turn == 3);
    let meter = Meter::at(&server.url, 2).with_login("site-iotawatt-password");
    for _ in 0..3 {
        assert!(meter.read().is_ok());
    }
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn a_wrong_password_is_told_and_costs_one_challenge_a_run() {
    let server = locked("site-iotawatt-password", |_| false);
    let mut meter = Meter::at(&server.url, 2).with_login("guess");
    let fault = meter.read().unwrap_err();
    assert_eq!(kind_and_detail(fault), (FaultKind::Refused, "the unit does not take `user` and `password`".to_owned()));
    assert_eq!(server.requests().len(), 2);
    assert!(meter.read().is_err());
    assert_eq!(server.requests().len(), 3);
    meter = meter.with_login("site-iotawatt-password");
    assert!(meter.read().is_ok(), "the right one is taken at once");
    assert_eq!(server.requests().len(), 4);
    assert!(meter.read().is_ok());
}

#[test]
fn without_a_login_in_the_configuration_the_way_out_is_told() {
    let server = locked("site-iotawatt-password", |_| false);
    let fault = Meter::at(&server.url, 2).read().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.detail.starts_with("the unit asks for a password: give `user` and `password`, or allow"), "{fault}");
    let basic = Server::new(vec![Act::answer(401, "WWW-Authenticate: Basic realm=\"x\"\r\n", "")]);
    let fault = Meter::at(&basic.url, 2).with_login("p").read().unwrap_err();
    assert_eq!((fault.kind, basic.requests().len()), (FaultKind::Refused, 1));
}

#[test]
fn a_folder_that_cannot_be_written_costs_a_challenge_each_time_and_no_reading() {
    let server = locked("site-iotawatt-password", |_| false);
    let mut meter = Meter::at(&server.url, 2).with_login("site-iotawatt-password");
    meter.cfg.paths.data = "/nowhere/at/all".into();
    assert!(meter.read().is_ok() && meter.read().is_ok());
    assert_eq!(server.requests().len(), 4);
}
