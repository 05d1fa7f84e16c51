//! `sense` against loopback devices: all side by side, each within its limit.

use std::time::{Duration, Instant};

use minectl::config::{Config, FanWattsConfig, RelayFamily};
use minectl::drivers::sense;
use minectl::model::{CommandStatus, FaultKind, Snapshot};
use minectl::units::UnixSeconds;

use crate::config::{board, emoncms, fan, fast, foreman, iotawatt, nowhere, pdu, room, signal};
use crate::server::{Act, Server, nobody};

const LIMIT: Duration = Duration::from_millis(1500);

fn read_within(cfg: &Config, limit: Duration) -> Snapshot {
    let began = Instant::now();
    let snapshot = sense(cfg, &fast(), limit, &[]);
    let took = began.elapsed();
    assert!(took < limit + Duration::from_millis(400), "took {took:?}");
    snapshot
}

/// A site of one device of each kind, all served by `url`.
fn site(url: &str) -> Config {
    let mut cfg = nowhere();
    cfg.signal = signal(&format!("{url}/page"));
    cfg.rooms = vec![room(&format!("{url}/getData.json"))];
    cfg.fan_watts = FanWattsConfig::IotaWatt(iotawatt(url, 2));
    cfg.boards = vec![board("relays-a", url, RelayFamily::Series400), board("relays-b", url, RelayFamily::Series300)];
    cfg.fans.extend([(1, fan(1, "relays-a", 1)), (2, fan(2, "relays-b", 2))]);
    cfg.pdus = vec![pdu("spdu-a", url, &["1", "2"])];
    cfg.foreman = foreman(url);
    cfg
}

fn answers(request: &str) -> Act {
    let path = request.split_whitespace().nth(1).unwrap_or_default();
    match path {
        "/page" => Act::answer(200, "Content-Type: text/html\r\n", include_str!("../fixtures/signal/table.html")),
        "/getData.json" => Act::json(include_bytes!("../fixtures/room_alert/12e_v3.2.5.json")),
        "/state.json" => Act::json(include_bytes!("../fixtures/controlbyweb/x-400.json")),
        "/state.xml" => Act::Send(include_bytes!("../fixtures/controlbyweb/quad_padded.xml").to_vec()),
        "/api/miners/" => Act::json(include_bytes!("../fixtures/pdu/digital_shovel_2021.json")),
        "/api/v2/clients/7" => Act::json(include_bytes!("../fixtures/foreman/summary.json")),
        _ if path.starts_with("/api/v2/clients/7/miners") => Act::json(include_bytes!("../fixtures/foreman/page.json")),
        _ if path.starts_with("/query") => Act::json(include_bytes!("../fixtures/iotawatt/query_02_08_04.json")),
        _ => Act::answer(404, "", "{\"detail\": \"Not found.\"}"),
    }
}

#[test]
fn all_devices_are_read_in_one_pass() {
    let server = Server::by(answers);
    let snapshot = read_within(&site(&server.url), LIMIT);
    assert_eq!(snapshot.signal.as_ref().unwrap().text, "287.5 MW");
    assert!(snapshot.rooms["room-alert"].as_ref().unwrap().probes["intake-west"].temperature.is_ok());
    assert_eq!(snapshot.fan_watts.as_ref().unwrap().row_time, Some(UnixSeconds(1_795_400_010)));
    assert_eq!(snapshot.boards["relays-a"].as_ref().unwrap().fans[&1], Ok(true), "coil 0 lets it run");
    assert_eq!(snapshot.boards["relays-b"].as_ref().unwrap().fans[&2], Ok(true));
    assert!(snapshot.pdus["spdu-a"].as_ref().unwrap().total.is_ok());
    let foreman = snapshot.foreman.as_ref().unwrap();
    assert_eq!((foreman.online, foreman.miners.len()), (Some(296), 3));
    assert_eq!(foreman.remarks, ["summary counts 300 miners, the list 4"]);
    let devices = ["foreman", "iotawatt", "relays-a", "relays-b", "room-alert", "signal", "spdu-a"];
    assert_eq!(snapshot.took_ms.keys().collect::<Vec<_>>(), devices);
    assert!(server.requests().iter().all(|request| request.to_ascii_lowercase().contains("connection: close")));
    let page = server.requests().into_iter().find(|request| request.starts_with("GET /page")).unwrap();
    assert!(page.to_ascii_lowercase().contains("cache-control: no-cache"), "{page}");
}

#[test]
fn devices_that_hang_cost_no_more_than_the_limit_and_are_told_one_by_one() {
    let server = Server::by(|_| Act::Hang);
    let limit = Duration::from_millis(600);
    let snapshot = read_within(&site(&server.url), limit);
    let faults = [
        snapshot.signal.as_ref().unwrap_err(),
        snapshot.rooms["room-alert"].as_ref().unwrap_err(),
        snapshot.fan_watts.as_ref().unwrap_err(),
        snapshot.boards["relays-a"].as_ref().unwrap_err(),
        snapshot.boards["relays-b"].as_ref().unwrap_err(),
        snapshot.pdus["spdu-a"].as_ref().unwrap_err(),
        snapshot.foreman.as_ref().unwrap_err(),
    ];
    for fault in faults {
        assert_eq!(fault.kind, FaultKind::TimedOut, "{fault}");
    }
    assert!(snapshot.took_ms.values().all(|ms| *ms >= 500), "{:?}", snapshot.took_ms);
}

#[test]
fn a_device_that_hangs_does_not_keep_the_others_from_being_read() {
    let server = Server::by(|request| if request.contains("/state") { Act::Hang } else { answers(request) });
    let snapshot = read_within(&site(&server.url), Duration::from_millis(600));
    assert!(snapshot.boards["relays-a"].is_err());
    assert!(snapshot.signal.is_ok() && snapshot.pdus["spdu-a"].is_ok() && snapshot.fan_watts.is_ok());
}

#[test]
fn a_site_that_is_gone_is_unreachable_at_once() {
    let snapshot = read_within(&site(&nobody()), LIMIT);
    assert_eq!(snapshot.foreman.unwrap_err().kind, FaultKind::Unreachable);
    assert_eq!(snapshot.boards["relays-b"].as_ref().unwrap_err().kind, FaultKind::Unreachable);
}

#[test]
fn an_iotawatt_without_rows_and_without_status_is_asked_once_more_with_absolute_times() {
    let server = Server::new(vec![Act::json(include_bytes!("../fixtures/iotawatt/all_null.json"))]);
    let mut cfg = nowhere();
    cfg.fan_watts = FanWattsConfig::IotaWatt(iotawatt(&server.url, 2));
    let fault = read_within(&cfg, LIMIT).fan_watts.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Stale);
    let lines = server.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(
        lines[0],
        "GET /query?select=%5Btime.utc.unix,mains_v.volts,fan1.watts,fan2.watts%5D&begin=s-15s&end=s&group=5s\
         &format=json&header=yes&missing=null"
    );
    assert_eq!(lines[1], "GET /status?stats=yes&inputs=yes&outputs=yes&datalogs=yes");
    assert!(lines[2].contains("&begin=17953999") && lines[2].contains("&end=17954000"), "{}", lines[2]);
}

#[test]
fn an_iotawatt_explains_itself() {
    let unknown = include_bytes!("../fixtures/iotawatt/unknown_series.txt");
    let no_list = Act::answer(404, "", "Not found");
    let server = Server::new(vec![Act::answer(400, "", unknown), no_list, Act::answer(401, "", "IoTaWatt-Login")]);
    let mut cfg = nowhere();
    cfg.fan_watts = FanWattsConfig::IotaWatt(iotawatt(&server.url, 2));
    let series = read_within(&cfg, LIMIT).fan_watts.unwrap_err();
    assert_eq!(series.kind, FaultKind::Missing);
    assert!(series.detail.starts_with("the unit has no series `fan2`; compare `fan_series`"), "{series}");
    assert_eq!(read_within(&cfg, LIMIT).fan_watts.unwrap_err().kind, FaultKind::Refused);
}

#[test]
fn emoncms_gets_the_key_as_bearer_and_ages_come_from_its_own_clock() {
    let date = "Date: Sun, 22 Nov 2026 20:13:40 GMT\r\n";
    let server = Server::new(vec![Act::answer(200, date, include_bytes!("../fixtures/emoncms/11.16_redis.json"))]);
    let mut cfg = nowhere();
    cfg.fan_watts = FanWattsConfig::EmonCms(emoncms(&format!("{}/emoncms", server.url), 1));
    let fan = read_within(&cfg, LIMIT).fan_watts.unwrap().fans[&1].clone();
    assert_eq!(fan.unwrap_err().kind, FaultKind::Stale, "the server's clock is behind the feed");
    let request = server.requests()[0].to_ascii_lowercase();
    assert!(request.starts_with("get /emoncms/feed/list.json http"), "{request}");
    assert!(request.contains("authorization: bearer fedcba9876543210fedcba9876543210"), "{request}");
}

#[test]
fn a_key_that_emoncms_refuses_is_told_with_the_way_out() {
    let headers = "WWW-Authenticate: Bearer realm=\"API KEY\", error=\"invalid_apikey\"\r\n";
    let server = Server::new(vec![Act::answer(401, headers, "Invalid API key")]);
    let mut cfg = nowhere();
    cfg.fan_watts = FanWattsConfig::EmonCms(emoncms(&server.url, 1));
    let fault = read_within(&cfg, LIMIT).fan_watts.unwrap_err();
    let told = "emoncms: access refused: the server says `Invalid API key`: check `api_key` and the address";
    assert_eq!(fault.to_string(), told);
}

#[test]
fn foreman_pages_until_its_own_total_and_asks_about_commands_between() {
    let row = |id: u64| format!(r#"{{"id":{id},"name":"m","status":"online","tags":[{{"name":"curtail"}}]}}"#);
    let page = move |from: u64, to: u64| {
        let rows: Vec<String> = (from..to).map(row).collect();
        Act::json(format!(r#"{{"total":250,"results":[{}]}}"#, rows.join(",")))
    };
    let server = Server::by(move |request| match request.split_whitespace().nth(1).unwrap_or_default() {
        "/api/v2/clients/7" => Act::json(r#"[{"miners":{"total":250,"online":250}}]"#),
        path if path.ends_with("offset=0") => page(0, 100),
        path if path.ends_with("offset=100") => page(100, 200),
        path if path.ends_with("offset=200") => page(200, 250),
        "/api/actions/status/5" => Act::json(r#"{"status":"complete"}"#),
        _ => Act::answer(404, "", r#"{"detail":"Not found."}"#),
    });
    let mut cfg = nowhere();
    cfg.foreman = foreman(&server.url);
    let began = Instant::now();
    let reading = sense(&cfg, &fast(), Duration::from_secs(3), &[5, 6]).foreman.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(40), "three pages keep their pace");
    assert_eq!(reading.miners.len(), 250);
    assert_eq!(reading.commands.into_iter().collect::<Vec<_>>(), [(5, CommandStatus::Complete)]);
    assert_eq!(reading.remarks, ["command 6: status 404: `Not found.`"]);
    assert!(server.requests().iter().all(|r| r.to_ascii_lowercase().contains("authorization: token site-foreman-key")));
}

#[test]
fn foremans_list_stands_without_the_summary_but_not_the_other_way_round() {
    let without = |part: &'static str| {
        Server::by(move |request| match request.split_whitespace().nth(1) == Some(part) {
            true => Act::answer(500, "", ""),
            false => answers(request),
        })
    };
    let mut cfg = nowhere();
    let no_summary = without("/api/v2/clients/7");
    cfg.foreman = foreman(&no_summary.url);
    let reading = read_within(&cfg, LIMIT).foreman.unwrap();
    assert_eq!((reading.online, reading.miners.len()), (None, 3));
    assert!(reading.remarks[0].starts_with("summary: status 500"), "{:?}", reading.remarks);
    let no_list = without("/api/v2/clients/7/miners?limit=500&offset=0");
    cfg.foreman = foreman(&no_list.url);
    assert_eq!(read_within(&cfg, LIMIT).foreman.unwrap_err().kind, FaultKind::Status);
}
