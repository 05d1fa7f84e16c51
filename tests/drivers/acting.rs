//! `act` against loopback devices: what is sent, in what order, and what comes of it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use minectl::config::{Config, RelayFamily, Secret, Wiring};
use minectl::drivers::act;
use minectl::model::{Command, Fault, FaultKind, Outcome, OutletRef, PowerMode, Reply};
use minectl::units::Seconds;

use crate::config::{board, fan, fast, foreman, nowhere, pdu};
use crate::server::{Act, Server};

/// Real time for a test's commands.
pub const LIMIT: Duration = Duration::from_millis(1500);

/// Carries out commands, and checks that it took no longer than it may and told of all.
pub fn act_within(cfg: &Config, limit: Duration, commands: &[Command]) -> Vec<Outcome> {
    let began = Instant::now();
    let outcomes = act(cfg, &fast(), began + limit, commands);
    assert!(began.elapsed() < limit + Duration::from_millis(400), "took {:?}", began.elapsed());
    let told: Vec<Command> = outcomes.iter().map(|outcome| outcome.command.clone()).collect();
    assert_eq!(told, commands, "an outcome for every command, in their order");
    outcomes
}

/// What a test compares of outcomes.
pub fn results(outcomes: Vec<Outcome>) -> Vec<Result<Reply, (FaultKind, String)>> {
    outcomes.into_iter().map(|o| o.result.map_err(|fault: Fault| (fault.kind, fault.detail))).collect()
}

/// The command that puts a miner to sleep.
pub fn sleep(miner: u64) -> Command {
    Command::Miner { miner, mode: PowerMode::Sleeping }
}

fn fan_on(fan: u8, on: bool) -> Command {
    Command::Fan { fan, on }
}

fn outlet(pdu: &str, id: &str, on: bool) -> Command {
    Command::Outlet { outlet: OutletRef { pdu: pdu.to_owned(), outlet: id.to_owned() }, on }
}

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
    assert_eq!(text, "relay 5 is not in the answer (relays 1, 2)");
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
