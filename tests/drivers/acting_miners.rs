//! Commands through Foreman: pace, order, refusals.

use std::time::{Duration, Instant};

use minectl::config::Config;
use minectl::model::{CommandStatus, FaultKind, Reply};
use minectl::units::Seconds;

use crate::acting::{LIMIT, act_within, results, sleep};
use crate::config::{foreman, nowhere};
use crate::server::{Act, Server};

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

#[test]
fn commands_do_not_wait_for_news_of_those_before_them() {
    let busy = || Act::answer(429, "Retry-After: 30\r\n", "");
    for news in [|| Act::Hang, busy] {
        let server = Server::by(move |request| match request.starts_with("POST") {
            true => Act::json(r#"{"command":7,"status":"okay"}"#),
            false => news(),
        });
        let mut cfg = with_foreman(&server);
        cfg.foreman.timeout = Seconds(10);
        let began = Instant::now();
        let outcomes = act_within(&cfg, Duration::from_secs(10), &[1, 2, 3, 4, 5, 6].map(sleep));
        let taken = Ok(Reply::Accepted { command: 7, status: CommandStatus::Pending });
        assert!(results(outcomes).iter().all(|result| *result == taken));
        let asked = server.requests().iter().filter(|request| request.starts_with("GET")).count();
        assert_eq!(asked, 1, "after one question in vain no other is put");
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }
}
