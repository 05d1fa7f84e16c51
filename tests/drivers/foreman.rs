//! What Foreman's list and summary can look like: pages, refusals, disagreements.

use std::time::{Duration, Instant};

use minectl::drivers::sense;
use minectl::model::{CommandStatus, Fault, FaultKind, ForemanReading, PowerMode, Reply};
use minectl::units::Seconds;
use serde_json::{Value, json};

use crate::acting::{LIMIT, act_within, results, sleep};
use crate::config::{fast, foreman, nowhere};
use crate::server::{Act, Server};

fn read(server: &Server, ask: &[u64]) -> Result<ForemanReading, Fault> {
    let mut cfg = nowhere();
    cfg.foreman = foreman(&server.url);
    sense(&cfg, &fast(), Duration::from_secs(3), ask).foreman
}

fn row(id: u64) -> Value {
    json!({"id": id, "name": format!("m{id}"), "status": "online", "tags": [{"id": 1, "name": "curtail"}]})
}

fn offset(path: &str) -> Option<u64> {
    path.split_once("offset=").and_then(|(_, offset)| offset.parse().ok())
}

/// A client of `miners` miners whose pages hold at most `page` rows; `finish` makes a page's whole answer.
fn client(miners: u64, page: u64, finish: impl Fn(u64, Vec<Value>) -> Act + Send + 'static) -> Server {
    Server::by(move |request| {
        let path = request.split_whitespace().nth(1).unwrap_or_default();
        match offset(path) {
            Some(from) => finish(from, (from..miners.min(from + page)).map(row).collect()),
            None => Act::json(json!([{"miners": {"total": miners, "online": miners}}]).to_string()),
        }
    })
}

#[test]
fn pages_go_on_until_an_empty_one_where_no_total_is_given() {
    let server = client(230, 100, |_, rows| Act::json(json!({"results": rows}).to_string()));
    let reading = read(&server, &[]).unwrap();
    assert_eq!((reading.miners.len(), reading.remarks.len()), (230, 0), "{:?}", reading.remarks);
    assert_eq!(server.lines().iter().filter(|line| line.contains("offset=")).count(), 4);
}

#[test]
fn a_server_that_repeats_its_first_page_is_not_asked_for_ever() {
    let server = client(500, 100, |_, _| {
        let rows: Vec<Value> = (0..100).map(row).collect();
        Act::json(json!({"total": 500, "results": rows}).to_string())
    });
    let reading = read(&server, &[]).unwrap();
    assert_eq!(reading.miners.len(), 100);
    assert_eq!(reading.remarks, ["miner list has 100 of the 500 miners it announces"]);
    assert_eq!(server.lines().iter().filter(|line| line.contains("offset=")).count(), 2);
}

#[test]
fn a_list_that_breaks_off_stands_as_far_as_it_came_and_says_so() {
    let server = client(250, 100, |from, rows| match from {
        0 => Act::json(json!({"total": 250, "results": rows}).to_string()),
        _ => Act::answer(502, "", "<html>Bad Gateway</html>"),
    });
    let reading = read(&server, &[]).unwrap();
    assert_eq!(reading.miners.len(), 100);
    assert!(reading.remarks[0].starts_with("miner list breaks off after 100 of 250: status 502"), "{reading:?}");
}

#[test]
fn summary_and_list_that_disagree_are_told() {
    let server = Server::by(|request| match request.contains("offset=") {
        true => Act::json(json!({"total": 3, "results": [row(1), row(2), {"name": "no number"}]}).to_string()),
        false => Act::json(r#"[{"miners": {"total": 288, "online": 280}}]"#),
    });
    let reading = read(&server, &[]).unwrap();
    let told = [
        "miner list has 2 of the 3 miners it announces",
        "miner list has 1 rows without a number",
        "summary counts 288 miners, the list 3",
    ];
    assert_eq!(reading.remarks, told);
    assert_eq!(reading.miners.len(), 2);
}

#[test]
fn an_error_in_detail_is_an_error_whatever_the_status() {
    let kind_and_text = |act: Act| {
        let fault = read(&Server::new(vec![act]), &[]).unwrap_err();
        (fault.kind, fault.detail)
    };
    let (kind, detail) = kind_and_text(Act::json(r#"{"detail":"You do not have permission to perform this action."}"#));
    assert_eq!(kind, FaultKind::Status);
    assert_eq!(detail, "Foreman says `You do not have permission to perform this action.`");
    let told = (FaultKind::Status, "status 404: `Not found.`; check `client_id`".to_owned());
    assert_eq!(kind_and_text(Act::answer(404, "", r#"{"detail":"Not found."}"#)), told);
    let (kind, detail) = kind_and_text(Act::answer(403, "", r#"{"detail":"Invalid token site-foreman-key."}"#));
    assert_eq!(kind, FaultKind::Refused);
    assert_eq!(detail, "status 403: `Invalid token ***.`; check `api_key` and `client_id`");
}

#[test]
fn words_that_nobody_documented_are_kept_and_stop_nothing() {
    let server = Server::by(|request| {
        let path = request.split_whitespace().nth(1).unwrap_or_default();
        match path {
            "/api/actions/status/5" => Act::json(r#"{"status":"queued","position":3}"#),
            "/api/actions/status/6" => Act::json(r#"{"state":"complete"}"#),
            path if path.contains("offset=") => {
                let mut odd = row(1);
                (odd["status"], odd["powerMode"]) = (json!("hibernating"), json!("turbo"));
                let mut numbered = row(2);
                (numbered["id"], numbered["status"]) = (json!("2"), json!(7));
                Act::json(json!({"total": 2, "results": [odd, numbered]}).to_string())
            }
            _ => Act::json(r#"[{"miners": {"total": 2, "online": "2", "sleeping": 1}, "hashRate": null}]"#),
        }
    });
    let reading = read(&server, &[5, 6]).unwrap();
    assert_eq!((reading.miners[0].status.as_str(), reading.miners[0].mode), ("hibernating", None));
    assert_eq!((reading.miners[1].id, reading.miners[1].status.as_str()), (2, ""));
    assert_eq!(reading.online, Some(2));
    assert_eq!(reading.commands.into_iter().collect::<Vec<_>>(), [(5, CommandStatus::Unknown)]);
    assert_eq!(reading.remarks.len(), 1, "{:?}", reading.remarks);
    assert!(reading.remarks[0].starts_with("command 6: command status is"), "{:?}", reading.remarks);
}

#[test]
fn a_wait_after_too_many_calls_comes_in_seconds_or_as_a_date() {
    let waited = |headers: &'static str| {
        let mut turn = 0;
        let server = Server::by(move |_| {
            turn += 1;
            match turn {
                1 => Act::answer(429, headers, r#"{"detail":"rate limited"}"#),
                2 => Act::json(r#"{"command":7,"status":"okay"}"#),
                _ => Act::json(r#"{"status":"pending"}"#),
            }
        });
        let mut cfg = nowhere();
        cfg.foreman = foreman(&server.url);
        let began = Instant::now();
        let outcomes = act_within(&cfg, LIMIT, &[sleep(1)]);
        assert_eq!(
            results(outcomes),
            [Ok(Reply::Accepted { command: 7, status: CommandStatus::Pending })],
            "{headers}"
        );
        began.elapsed()
    };
    // A second of site time is 20 ms.
    let (none, five) = (Duration::from_millis(40), Duration::from_millis(100));
    assert!(waited("Retry-After: 5\r\n") >= five);
    assert!(waited("Retry-After: 4.2\r\n") >= five);
    let date = "Date: Sun, 22 Nov 2026 20:13:40 GMT\r\nRetry-After: Sun, 22 Nov 2026 20:13:45 GMT\r\n";
    assert!(waited(date) >= five);
    assert!(waited("") >= none && waited("Retry-After: soon\r\n") >= none);
    assert!(waited("Retry-After: -3\r\n") >= Duration::ZERO);
}

#[test]
fn a_command_that_failed_at_once_is_told_as_failed() {
    let server = Server::by(|request| match request.starts_with("POST") {
        true => Act::json(r#"{"command":7,"status":"failed"}"#),
        false => Act::answer(500, "", ""),
    });
    let mut cfg = nowhere();
    cfg.foreman = foreman(&server.url);
    let outcomes = act_within(&cfg, LIMIT, &[sleep(1)]);
    assert_eq!(results(outcomes), [Ok(Reply::Accepted { command: 7, status: CommandStatus::Failed })]);
}

/// What is read of miners 1 to 3 that sleep, with these `lastUpdated`, at 2026-11-23 05:06:40 UTC by Foreman's clock.
fn sleeping(updated: [Value; 3], max_age: Option<Seconds>) -> ForemanReading {
    let server = Server::by(move |request| {
        if !request.contains("offset=") {
            return Act::json(r#"[{"miners": {"total": 3, "online": 3}}]"#);
        }
        let rows = (1..).zip(&updated).map(|(id, updated)| {
            let mut row = row(id);
            (row["powerMode"], row["lastUpdated"]) = (json!("sleeping"), updated.clone());
            row
        });
        let body = json!({"total": 3, "results": rows.collect::<Vec<_>>()}).to_string();
        Act::answer(200, "Content-Type: application/json\r\nDate: Mon, 23 Nov 2026 05:06:40 GMT\r\n", body)
    });
    let mut cfg = nowhere();
    cfg.foreman = foreman(&server.url);
    cfg.foreman.max_age = max_age;
    sense(&cfg, &fast(), Duration::from_secs(3), &[]).foreman.unwrap()
}

fn modes(reading: &ForemanReading) -> Vec<bool> {
    reading.miners.iter().map(|miner| miner.mode == Some(PowerMode::Sleeping)).collect()
}

#[test]
fn the_mode_of_a_miner_that_foreman_heard_of_too_long_ago_does_not_count() {
    let limit = Some(Seconds(600));
    let read = sleeping([json!("2026-11-23T04:56:40Z"), json!("2026-11-23T04:56:39Z"), Value::Null], limit);
    assert_eq!(modes(&read), [true, false, false], "10 min, a second more, never");
    assert_eq!(read.heard, Some(Seconds(600)));
    assert_eq!(read.remarks, ["2 miners not heard of for 10 min: their power mode does not count"]);
}

#[test]
fn ages_of_miners_are_read_in_any_form_and_count_only_where_a_limit_is_given() {
    let forms = [json!("2026-11-22T23:06:00.5-06:00"), json!("2026-11-23 05:06:10"), json!(1_795_410_370_000_i64)];
    let read = sleeping(forms, Some(Seconds(40)));
    assert_eq!((modes(&read), read.heard), (vec![true, true, true], Some(Seconds(30))));
    let odd = || [json!("yesterday"), json!("2001-01-01T00:00:00Z"), json!(-5)];
    assert_eq!(modes(&sleeping(odd(), None)), [true, true, true]);
    assert_eq!(sleeping(odd(), None).remarks, Vec::<String>::new());
    assert_eq!(modes(&sleeping(odd(), Some(Seconds(600)))), [false, false, false]);
}
