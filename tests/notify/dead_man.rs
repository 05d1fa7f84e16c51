//! The sign of life.

use std::time::{Duration, Instant};

use minectl::config::DeadManConfig;
use minectl::model::FaultKind;
use minectl::notify::{Ping, ping};
use minectl::units::Seconds;

use super::http_stand_in::{HttpStandIn, Play};

const CHECK: &str = "/ping/00000000-1111-4222-8333-444444444444";
const LIMIT: Duration = Duration::from_secs(5);

fn service(play: Play) -> (DeadManConfig, HttpStandIn) {
    let server = HttpStandIn::start(vec![play]);
    (DeadManConfig { url: format!("{}{CHECK}", server.url), ca_file: None, timeout: Seconds(2) }, server)
}

fn ok() -> Play {
    Play::Answer(200, "Content-Type: text/plain\r\n", "OK".to_owned())
}

#[test]
fn start_success_and_fail_go_to_their_addresses_with_the_summary() {
    let (cfg, server) = service(ok());
    ping(&cfg, Ping::Start, LIMIT).unwrap();
    ping(&cfg, Ping::Success("mining, 812 kW"), LIMIT).unwrap();
    ping(&cfg, Ping::Fail("fan 3 dead"), LIMIT).unwrap();
    let seen: Vec<_> = server.seen().into_iter().map(|s| (s.method.clone(), s.path.clone(), s.body)).collect();
    let said = |path: String, body: &str| ("POST".to_owned(), path, body.to_owned());
    assert_eq!(seen[0], said(format!("{CHECK}/start"), ""));
    assert_eq!(seen[1], said(CHECK.to_owned(), "mining, 812 kW"));
    assert_eq!(seen[2], said(format!("{CHECK}/fail"), "fan 3 dead"));
}

#[test]
fn a_summary_of_ten_thousand_bytes_is_whole_and_a_longer_one_is_cut() {
    let (cfg, server) = service(ok());
    for length in [10_000, 10_001] {
        ping(&cfg, Ping::Success(&"x".repeat(length)), LIMIT).unwrap();
    }
    assert_eq!(server.seen().iter().map(|seen| seen.body.len()).collect::<Vec<_>>(), [10_000, 10_000]);
}

#[test]
fn an_unknown_check_is_told_with_the_way_out_and_without_its_address() {
    let (cfg, _server) = service(Play::Answer(404, "", format!("not found: {CHECK}")));
    let fault = ping(&cfg, Ping::Start, LIMIT).unwrap_err();
    assert_eq!((fault.device.as_str(), fault.kind), ("dead-man", FaultKind::Status));
    assert!(fault.detail.contains("404") && fault.detail.contains("[dead_man]"), "{fault}");
    assert!(!fault.detail.contains("4444"), "{fault}");
}

#[test]
fn an_answer_of_200_that_took_no_ping_is_a_fault() {
    let cases = [
        (200, "OK (not found)", FaultKind::Status, "does not know this check"),
        (200, "OK (rate limited)", FaultKind::Status, "too often"),
        (429, "slow down", FaultKind::Status, "too often"),
        (200, "\n<!DOCTYPE html><title>Hotel Wi-Fi", FaultKind::Unreadable, "a login to the network"),
        (302, "", FaultKind::Status, "302"),
        (400, "invalid url format", FaultKind::Status, "invalid url format"),
        (503, "down", FaultKind::Status, "503"),
    ];
    for (status, said, kind, words) in cases {
        let (cfg, _server) = service(Play::Answer(status, "Content-Type: text/plain\r\n", said.to_owned()));
        let fault = ping(&cfg, Ping::Success("mining"), LIMIT).unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
        assert!(fault.detail.contains(words), "{fault}");
    }
    for (status, said) in [(200, "OK"), (204, ""), (200, r#"{"ok":true}"#)] {
        let (cfg, _server) = service(Play::Answer(status, "", said.to_owned()));
        ping(&cfg, Ping::Success("mining"), LIMIT).unwrap();
    }
}

#[test]
fn a_service_that_hangs_drips_or_is_away_costs_no_more_than_the_limit() {
    for play in [Play::Hang, Play::Drip] {
        let (cfg, _server) = service(play);
        let began = Instant::now();
        let fault = ping(&cfg, Ping::Start, Duration::from_millis(700)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::TimedOut);
        assert!(!fault.detail.contains("4444"), "{fault}");
        assert!(began.elapsed() < Duration::from_millis(1200), "{:?}", began.elapsed());
    }
    let cfg = DeadManConfig { url: format!("http://127.0.0.1:1{CHECK}"), ca_file: None, timeout: Seconds(2) };
    let fault = ping(&cfg, Ping::Start, LIMIT).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(!fault.detail.contains("4444"), "{fault}");
}
