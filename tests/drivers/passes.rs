//! `sense` and `act` against loopback devices: what is sent, in what order, and what comes of it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use minectl::clock::Clock;
use minectl::config::{Config, FanWattsConfig, RelayFamily, Secret, Wiring};
use minectl::drivers::{act, sense};
use minectl::model::{Command, CommandStatus, Fault, FaultKind, Outcome, OutletRef, PowerMode, Reply};
use minectl::units::{Seconds, UnixSeconds};

use crate::config::{board, emoncms, fan, foreman, iotawatt, nowhere, pdu, room, signal};
use crate::server::{Act, Server, nobody};

/// Site time runs fifty times as fast, so that pauses are short.
fn fast() -> Clock {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    Clock::parse(&format!("{now}:1795400000:50")).unwrap()
}

fn read_within(cfg: &Config, limit: Duration) -> minectl::model::Snapshot {
    let began = Instant::now();
    let snapshot = sense(cfg, &fast(), limit, &[]);
    let took = began.elapsed();
    assert!(took < limit + Duration::from_millis(400), "took {took:?}");
    snapshot
}

fn act_within(cfg: &Config, limit: Duration, commands: &[Command]) -> Vec<Outcome> {
    let began = Instant::now();
    let outcomes = act(cfg, &fast(), began + limit, commands);
    assert!(began.elapsed() < limit + Duration::from_millis(400), "took {:?}", began.elapsed());
    let told: Vec<Command> = outcomes.iter().map(|outcome| outcome.command.clone()).collect();
    assert_eq!(told, commands, "an outcome for every command, in their order");
    outcomes
}

fn results(outcomes: Vec<Outcome>) -> Vec<Result<Reply, (FaultKind, String)>> {
    outcomes.into_iter().map(|o| o.result.map_err(|fault: Fault| (fault.kind, fault.detail))).collect()
}

fn fan_on(fan: u8, on: bool) -> Command {
    Command::Fan { fan, on }
}

fn outlet(pdu: &str, id: &str, on: bool) -> Command {
    Command::Outlet { outlet: OutletRef { pdu: pdu.to_owned(), outlet: id.to_owned() }, on }
}

fn sleep(miner: u64) -> Command {
    Command::Miner { miner, mode: PowerMode::Sleeping }
}

const LIMIT: Duration = Duration::from_millis(1500);

// --- Sensing ---------------------------------------------------------------------------------------------------------

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
fn an_iotawatt_without_rows_is_asked_once_more_with_absolute_times() {
    let server = Server::new(vec![Act::json(include_bytes!("../fixtures/iotawatt/all_null.json"))]);
    let mut cfg = nowhere();
    cfg.fan_watts = FanWattsConfig::IotaWatt(iotawatt(&server.url, 2));
    let fault = read_within(&cfg, LIMIT).fan_watts.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Stale);
    let lines = server.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(
        lines[0],
        "GET /query?select=%5Btime.utc.unix,mains_v.volts,fan1.watts,fan2.watts%5D&begin=s-15s&end=s&group=5s\
         &format=json&header=yes&missing=null"
    );
    assert!(lines[1].contains("&begin=17953999") && lines[1].contains("&end=17954000"), "{}", lines[1]);
}

#[test]
fn an_iotawatt_explains_itself() {
    let unknown = include_bytes!("../fixtures/iotawatt/unknown_series.txt");
    let server = Server::new(vec![Act::answer(400, "", unknown), Act::answer(401, "", "IoTaWatt-Login")]);
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
    let no_list = without("/api/v2/clients/7/miners?limit=100&offset=0");
    cfg.foreman = foreman(&no_list.url);
    assert_eq!(read_within(&cfg, LIMIT).foreman.unwrap_err().kind, FaultKind::Status);
}

// --- Acting on relays ------------------------------------------------------------------------------------------------

/// A 400 series board with three relays that obeys, but for those that are stuck at 0.
fn relay_board(stuck: &'static [usize], serial: &'static str) -> Server {
    let coils = Arc::new(Mutex::new(["0"; 3]));
    Server::by(move |request| {
        let mut coils = coils.lock().unwrap();
        let path = request.split_whitespace().nth(1).unwrap_or_default().to_owned();
        for pair in path.split_once('?').map_or("", |(_, query)| query).split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap();
            let relay: usize = name.strip_prefix("relay").unwrap().parse().unwrap();
            assert!(value == "0" || value == "1", "{path}");
            if !stuck.contains(&relay) {
                coils[relay - 1] = if value == "1" { "1" } else { "0" };
            }
        }
        let [a, b, c] = *coils;
        Act::json(format!(r#"{{"relay1":"{a}","relay2":"{b}","relay3":"{c}","serialNumber":"{serial}"}}"#))
    })
}

fn with_board(server: &Server) -> Config {
    let mut cfg = nowhere();
    cfg.boards = vec![board("relays-a", &server.url, RelayFamily::Series400)];
    for relay in 1..=3 {
        cfg.fans.insert(relay, fan(relay, "relays-a", relay));
    }
    cfg
}

#[test]
fn all_fans_of_a_board_are_switched_in_one_request_by_their_wiring() {
    let server = relay_board(&[], "S1");
    let mut cfg = with_board(&server);
    cfg.fans.get_mut(&3).unwrap().wiring = Wiring::NormallyOpen;
    let outcomes = act_within(&cfg, LIMIT, &[fan_on(1, false), fan_on(2, true), fan_on(3, true)]);
    assert_eq!(results(outcomes), [Ok(Reply::Confirmed), Ok(Reply::Confirmed), Ok(Reply::Confirmed)]);
    assert_eq!(server.lines(), ["GET /state.json?relay1=1&relay2=0&relay3=1"]);
}

#[test]
fn a_relay_that_does_not_obey_is_read_once_more_and_then_named() {
    let server = relay_board(&[2], "S1");
    let cfg = with_board(&server);
    let outcomes = act_within(&cfg, LIMIT, &[fan_on(1, false), fan_on(2, false)]);
    assert_eq!(outcomes[1].result.as_ref().unwrap_err().device, "relays-a fan 2");
    let stuck = "relay of fan 2: asked for off, still reads on".to_owned();
    assert_eq!(results(outcomes), [Ok(Reply::Confirmed), Err((FaultKind::NotObeyed, stuck))]);
    assert_eq!(server.lines(), ["GET /state.json?relay1=1&relay2=1", "GET /state.json"]);
}

#[test]
fn another_board_at_the_address_is_never_written_to() {
    let server = relay_board(&[], "S1");
    let mut cfg = with_board(&server);
    cfg.boards[0].serial = Some("S2".to_owned());
    let outcomes = act_within(&cfg, LIMIT, &[fan_on(1, false)]);
    let wrong = "serial number is `S1`; wanted `S2`".to_owned();
    assert_eq!(results(outcomes), [Err((FaultKind::WrongDevice, wrong))]);
    assert_eq!(server.lines(), ["GET /state.json"]);
    cfg.boards[0].serial = Some("s1".to_owned());
    assert_eq!(results(act_within(&cfg, LIMIT, &[fan_on(1, false)])), [Ok(Reply::Confirmed)]);
}

#[test]
fn a_fan_named_twice_ends_as_it_was_named_last() {
    let server = relay_board(&[], "S1");
    let outcomes = act_within(&with_board(&server), LIMIT, &[fan_on(1, false), fan_on(2, false), fan_on(1, true)]);
    assert!(outcomes.iter().all(|outcome| outcome.result == Ok(Reply::Confirmed)), "{outcomes:?}");
    assert_eq!(server.lines(), ["GET /state.json?relay1=1&relay2=1", "GET /state.json?relay1=0"]);
}

#[test]
fn unknown_fans_and_relays_are_faults_and_an_older_board_is_asked_in_its_words() {
    let quad = "<datavalues><relay1state>1</relay1state><relay2state>0</relay2state></datavalues>";
    let server = Server::new(vec![Act::Send(quad.as_bytes().to_vec())]);
    let mut cfg = nowhere();
    let mut quad = board("quad", &server.url, RelayFamily::Series300);
    (quad.user, quad.password) = (Some("none".to_owned()), Some(Secret::new("webrelay")));
    cfg.boards = vec![quad];
    cfg.fans.extend([(1, fan(1, "quad", 1)), (5, fan(5, "quad", 5)), (6, fan(6, "lost", 1))]);
    let outcomes = act_within(&cfg, LIMIT, &[fan_on(1, false), fan_on(5, true), fan_on(6, true), fan_on(9, true)]);
    let kinds: Vec<_> = outcomes.iter().map(|outcome| outcome.result.as_ref().map_err(|f| f.kind)).collect();
    let missing = || Err(FaultKind::Missing);
    assert_eq!(kinds, [Ok(&Reply::Confirmed), missing(), missing(), missing()]);
    let text = outcomes[1].result.as_ref().unwrap_err().detail.clone();
    assert!(text.contains("relay 5 is not in the answer (relays 1, 2)") && text.contains("Local I/O Number"), "{text}");
    let request = server.requests()[0].clone();
    assert!(request.starts_with("GET /state.xml?relay1State=1&relay5State=0 HTTP/1.0\r\n"), "{request}");
    assert!(request.contains("Authorization: Basic bm9uZTp3ZWJyZWxheQ=="), "{request}");
}

#[test]
fn nothing_is_sent_when_no_time_is_left() {
    let server = relay_board(&[], "S1");
    let mut cfg = with_board(&server);
    cfg.pdus = vec![pdu("spdu-a", &server.url, &["1"])];
    cfg.foreman = foreman(&server.url);
    let commands = [fan_on(1, true), outlet("spdu-a", "1", false), sleep(1)];
    for outcome in act_within(&cfg, Duration::ZERO, &commands) {
        let fault = outcome.result.unwrap_err();
        assert_eq!((fault.kind, fault.detail.as_str()), (FaultKind::TimedOut, "not sent: no time left in this run"));
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_board_that_hangs_keeps_no_other_device_from_being_switched() {
    let hung = Server::by(|_| Act::Hang);
    let good = relay_board(&[], "S1");
    let mut cfg = with_board(&good);
    cfg.boards.push(board("relays-b", &hung.url, RelayFamily::Series300));
    cfg.fans.insert(9, fan(9, "relays-b", 1));
    let outcomes = act_within(&cfg, Duration::from_millis(500), &[fan_on(9, true), fan_on(1, false)]);
    assert_eq!(outcomes[0].result.as_ref().unwrap_err().kind, FaultKind::TimedOut);
    assert_eq!(outcomes[1].result, Ok(Reply::Confirmed));
}

// --- Acting on PDUs --------------------------------------------------------------------------------------------------

/// A SmartPDU with three outlets, all on, that obeys but for those that are stuck.
fn smart_pdu(stuck: &'static [usize]) -> Server {
    let outlets = Arc::new(Mutex::new([true; 3]));
    Server::by(move |request| {
        let mut outlets = outlets.lock().unwrap();
        let record = |index: usize, on: bool| {
            let watts = if on { 3300 } else { 0 };
            format!(r#"{{"id":{},"status":{on},"curCons":{watts},"updateTime":"2026-11-22T20:13:15Z"}}"#, index + 1)
        };
        if request.starts_with("PUT ") {
            assert!(request.to_ascii_lowercase().contains("authorization: jwt site-spdu-token"), "{request}");
            let id: usize = request.split_whitespace().nth(1).unwrap().rsplit('/').next().unwrap().parse().unwrap();
            let on = request.ends_with(r#"{"status":true}"#);
            if !stuck.contains(&id) {
                outlets[id - 1] = on;
            }
            return Act::json(record(id - 1, on));
        }
        let rows: Vec<String> = outlets.iter().enumerate().map(|(index, on)| record(index, *on)).collect();
        Act::json(format!("[{}]", rows.join(",")))
    })
}

fn with_pdu(server: &Server) -> Config {
    let mut cfg = nowhere();
    cfg.pdus = vec![pdu("spdu-a", &server.url, &["1", "2"])];
    cfg
}

#[test]
fn outlets_are_switched_one_by_one_and_read_back_once() {
    let server = smart_pdu(&[]);
    let began = Instant::now();
    let commands = [outlet("spdu-a", "2", false), outlet("spdu-a", "1", false)];
    let outcomes = act_within(&with_pdu(&server), LIMIT, &commands);
    assert_eq!(results(outcomes), [Ok(Reply::Confirmed), Ok(Reply::Confirmed)]);
    assert_eq!(server.lines(), ["PUT /api/miners/2", "PUT /api/miners/1", "GET /api/miners/"]);
    assert!(began.elapsed() >= Duration::from_millis(20), "a second of site time between two");
}

#[test]
fn an_outlet_that_says_yes_and_does_nothing_is_not_obeyed() {
    let server = smart_pdu(&[2]);
    let commands = [outlet("spdu-a", "1", false), outlet("spdu-a", "2", false)];
    let text = "outlet 2: asked for off, still reads on (the reply said off)".to_owned();
    let outcomes = act_within(&with_pdu(&server), LIMIT, &commands);
    assert_eq!(results(outcomes), [Ok(Reply::Confirmed), Err((FaultKind::NotObeyed, text))]);
}

#[test]
fn an_outlet_that_is_not_listed_is_refused_and_nothing_is_sent() {
    let server = smart_pdu(&[]);
    let outcomes = act_within(&with_pdu(&server), LIMIT, &[outlet("spdu-a", "3", false), outlet("spdu-z", "1", false)]);
    for outcome in outcomes {
        assert_eq!(outcome.result.unwrap_err().kind, FaultKind::Missing);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_lost_reply_is_settled_by_reading_and_a_refusal_stops_no_other_outlet() {
    let mut turn = 0;
    let server = Server::by(move |request| {
        turn += 1;
        match turn {
            1 => Act::Close,
            2 => Act::answer(403, "", r#"{"detail":"no"}"#),
            _ if request.starts_with("PUT") => Act::answer(204, "", ""),
            _ => Act::json(r#"[{"id":1,"status":false},{"id":2,"status":true},{"id":3,"status":false}]"#),
        }
    });
    let mut cfg = nowhere();
    cfg.pdus = vec![pdu("spdu-a", &server.url, &["1", "2", "3"])];
    let commands = [outlet("spdu-a", "1", false), outlet("spdu-a", "2", false), outlet("spdu-a", "3", false)];
    let outcomes = act_within(&cfg, LIMIT, &commands);
    let kinds: Vec<_> = outcomes.into_iter().map(|outcome| outcome.result.map_err(|fault| fault.kind)).collect();
    assert_eq!(kinds, [Ok(Reply::Confirmed), Err(FaultKind::Refused), Ok(Reply::Confirmed)]);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_pdu_that_does_not_answer_twice_is_left_alone() {
    let server = Server::by(|_| Act::Close);
    let mut cfg = nowhere();
    cfg.pdus = vec![pdu("spdu-a", &server.url, &["1", "2", "3", "4"])];
    let commands = ["1", "2", "3", "4"].map(|id| outlet("spdu-a", id, false));
    let outcomes = act_within(&cfg, LIMIT, &commands);
    assert!(outcomes.iter().all(|outcome| outcome.result.is_err()));
    assert_eq!(server.requests().len(), 2);
    let last = outcomes[3].result.as_ref().unwrap_err();
    assert_eq!(last.detail, "not sent: the PDU did not answer the commands before it");
}

#[test]
fn a_pause_that_does_not_fit_ends_the_switching_in_time() {
    let server = smart_pdu(&[]);
    let mut cfg = with_pdu(&server);
    cfg.pdus[0].outlet_pause = Seconds(100);
    let commands = [outlet("spdu-a", "1", false), outlet("spdu-a", "2", false)];
    let outcomes = act_within(&cfg, LIMIT, &commands);
    let late = "not sent: no time left in this run".to_owned();
    assert_eq!(results(outcomes), [Ok(Reply::Confirmed), Err((FaultKind::TimedOut, late))]);
}

// --- Acting through Foreman ------------------------------------------------------------------------------------------

fn with_foreman(server: &Server) -> Config {
    let mut cfg = nowhere();
    cfg.foreman = foreman(&server.url);
    cfg
}

#[test]
fn power_modes_and_status_are_asked_in_turn_at_the_allowed_pace() {
    let server = Server::by(|request| match request.split_whitespace().nth(1).unwrap_or_default() {
        path if path.starts_with("/api/actions/power-mode/") => {
            assert!(request.ends_with(r#"{"powerMode":"sleeping"}"#), "{request}");
            let miner: u64 = path.rsplit('/').next().unwrap().parse().unwrap();
            Act::json(format!(r#"{{"command":{},"status":"okay"}}"#, miner + 100))
        }
        path if path.ends_with("/101") => Act::json(r#"{"status":"complete"}"#),
        path if path.ends_with("/102") => Act::json(r#"{"status":"in-progress"}"#),
        _ => Act::answer(500, "", ""),
    });
    let began = Instant::now();
    let outcomes = act_within(&with_foreman(&server), LIMIT, &[sleep(1), sleep(2), sleep(3)]);
    assert!(began.elapsed() >= Duration::from_millis(40), "a second of site time between two of a kind");
    let accepted = |command, status| Ok(Reply::Accepted { command, status });
    assert_eq!(
        results(outcomes),
        [
            accepted(101, CommandStatus::Complete),
            accepted(102, CommandStatus::InProgress),
            accepted(103, CommandStatus::Pending),
        ]
    );
    let lines = server.lines();
    let mode = |n: u64| format!("POST /api/actions/power-mode/{n}");
    let status = |n: u64| format!("GET /api/actions/status/{n}");
    assert_eq!(lines, [mode(1), mode(2), status(101), mode(3), status(102), status(103)]);
}

#[test]
fn a_refused_key_stops_the_rest_with_the_same_fault() {
    let server = Server::by(|_| Act::answer(401, "", r#"{"detail":"Invalid token."}"#));
    let outcomes = act_within(&with_foreman(&server), LIMIT, &[sleep(1), sleep(2), sleep(3)]);
    for outcome in outcomes {
        let fault = outcome.result.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert_eq!(fault.detail, "status 401: `Invalid token.`; check `api_key` and `client_id`");
    }
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn too_many_calls_is_obeyed_once_with_the_time_it_names() {
    let mut turn = 0;
    let server = Server::by(move |_| {
        turn += 1;
        match turn {
            1 => Act::answer(429, "Retry-After: 5\r\n", r#"{"detail":"rate limited"}"#),
            2 => Act::json(r#"{"command":7,"status":"okay"}"#),
            _ => Act::json(r#"{"status":"pending"}"#),
        }
    });
    let began = Instant::now();
    let outcomes = act_within(&with_foreman(&server), LIMIT, &[sleep(1)]);
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert_eq!(results(outcomes), [Ok(Reply::Accepted { command: 7, status: CommandStatus::Pending })]);
    let always = Server::by(|_| Act::answer(429, "Retry-After: 999999\r\n", ""));
    let outcomes = act_within(&with_foreman(&always), LIMIT, &[sleep(1), sleep(2), sleep(3)]);
    assert!(outcomes.iter().all(|outcome| outcome.result.is_err()), "{outcomes:?}");
    assert!(always.requests().len() <= 4, "{}", always.requests().len());
}

#[test]
fn one_miner_that_foreman_does_not_know_stops_no_other() {
    let server = Server::by(|request| match request.split_whitespace().nth(1).unwrap_or_default() {
        "/api/actions/power-mode/1" => Act::answer(404, "", r#"{"detail":"Not found."}"#),
        "/api/actions/power-mode/2" => Act::json(r#"{"status":"okay"}"#),
        "/api/actions/power-mode/3" => Act::json(r#"{"command":"9","status":"okay"}"#),
        _ => Act::json(r#"{"status":"napping"}"#),
    });
    let outcomes = act_within(&with_foreman(&server), LIMIT, &[sleep(1), sleep(2), sleep(3)]);
    assert_eq!(
        outcomes[0].result.as_ref().unwrap_err().to_string(),
        "foreman miner 1: device error: status 404: `Not found.`"
    );
    assert_eq!(outcomes[1].result.as_ref().unwrap_err().kind, FaultKind::Unreadable);
    assert_eq!(outcomes[2].result, Ok(Reply::Accepted { command: 9, status: CommandStatus::Unknown }));
}
