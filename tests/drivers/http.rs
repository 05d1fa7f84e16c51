//! The HTTP layer against servers that misbehave: each call ends within its limit and says why.

use std::io::Write;
use std::time::{Duration, Instant};

use minectl::config::Secret;
use minectl::http::{Answer, Request, raw_get, send};
use minectl::model::{Fault, FaultKind};

use crate::server::{Act, Server, nobody};

const LIMIT: Duration = Duration::from_millis(700);

/// A way to ask.
type Way = fn(&Request) -> Result<Answer, Fault>;

/// Both ways, which must agree on every fault of the wire.
const WAYS: [Way; 2] = [send, raw_get];

fn fault_in_time(way: Way, url: &str) -> Fault {
    let began = Instant::now();
    let fault = way(&Request::get("unit", url, LIMIT)).unwrap_err();
    let took = began.elapsed();
    assert!(took < LIMIT + Duration::from_millis(300), "took {took:?}: {fault}");
    assert_eq!(fault.device, "unit");
    fault
}

#[test]
fn a_device_that_hangs_is_timed_out_with_the_limit_in_the_text() {
    for way in WAYS {
        let server = Server::new(vec![Act::Hang]);
        let fault = fault_in_time(way, &format!("{}/x.json?key=1", server.url));
        assert_eq!(fault.kind, FaultKind::TimedOut);
        assert_eq!(fault.detail, format!("no answer within 700 ms ({}/x.json)", server.url));
    }
}

#[test]
fn a_device_that_drips_its_body_is_timed_out_in_time() {
    for way in WAYS {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n".to_vec();
        let server = Server::new(vec![Act::Drip(head, vec![b'x'; 500])]);
        let fault = fault_in_time(way, &server.url);
        assert_eq!(fault.kind, FaultKind::TimedOut);
        assert!(fault.detail.starts_with("answer not complete within 700 ms; "), "{fault}");
    }
}

#[test]
fn a_device_that_drips_its_headers_is_timed_out_in_time() {
    for way in WAYS {
        let server = Server::new(vec![Act::Drip(Vec::new(), b"HTTP/1.1 200 OK\r\n\r\n".to_vec())]);
        assert_eq!(fault_in_time(way, &server.url).kind, FaultKind::TimedOut);
    }
}

#[test]
fn a_reset_or_closed_connection_is_broken() {
    for way in WAYS {
        assert_eq!(fault_in_time(way, &Server::resetting().url).kind, FaultKind::Broken);
        let fault = fault_in_time(way, &Server::new(vec![Act::Close]).url);
        assert_eq!(fault.kind, FaultKind::Broken, "{fault}");
    }
}

#[test]
fn half_a_body_is_broken_and_tells_how_much_came() {
    for way in WAYS {
        let server = Server::new(vec![Act::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec())]);
        let fault = fault_in_time(way, &server.url);
        assert_eq!(fault.kind, FaultKind::Broken);
        assert!(fault.detail.starts_with("connection broke off after 4 bytes of the answer"), "{fault}");
    }
}

#[test]
fn nobody_listening_is_unreachable() {
    for way in WAYS {
        let fault = fault_in_time(way, &nobody());
        assert_eq!(fault.kind, FaultKind::Unreachable);
        assert!(fault.detail.starts_with("connection refused (http://127.0.0.1:"), "{fault}");
    }
}

#[test]
fn a_body_of_the_limit_is_read_and_one_byte_more_is_refused() {
    for way in WAYS {
        let server = Server::new(vec![Act::answer(200, "", [b'x'; 1000]), Act::answer(200, "", [b'x'; 1001])]);
        let mut request = Request::get("unit", &server.url, LIMIT);
        request.body_max = 1000;
        assert_eq!(way(&request).unwrap().body.len(), 1000);
        let fault = way(&request).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreadable);
        assert!(fault.detail.starts_with("answer is longer than 1000 bytes"), "{fault}");
    }
}

#[test]
fn a_packed_body_is_unpacked_and_a_bomb_is_refused() {
    let packed = |length: usize| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b'x'; length]).unwrap();
        Act::answer(200, "Content-Encoding: gzip\r\n", encoder.finish().unwrap())
    };
    let server = Server::new(vec![packed(5000), packed(50_000_000)]);
    let request = Request::get("unit", &server.url, Duration::from_secs(3));
    assert_eq!(send(&request).unwrap().body.len(), 5000);
    assert!(send(&request).unwrap_err().detail.starts_with("answer is longer than 262144 bytes"));
}

#[test]
fn redirects_are_followed_only_as_far_as_asked() {
    let target = Server::new(vec![Act::json("{}")]);
    let location = format!("Location: {}/there\r\n", target.url);
    let server = Server::new(vec![Act::answer(302, &location, "")]);
    let mut request = Request::get("unit", &server.url, LIMIT);
    let answer = send(&request).unwrap();
    assert_eq!(answer.status, 302);
    let fault = answer.accepted("unit", &server.url).unwrap_err();
    assert_eq!(fault.detail, format!("status 302, sends on to {}/there ({})", target.url, server.url));
    request.redirects_max = 1;
    assert_eq!(send(&request).unwrap().status, 200);

    let circle = Server::by(|_| Act::answer(302, "Location: /again\r\n", ""));
    request.url = &circle.url;
    request.redirects_max = 5;
    assert_eq!(send(&request).unwrap().status, 302);
    assert_eq!(circle.requests().len(), 6);
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host() {
    let target = Server::new(vec![Act::json("{}")]);
    let location = format!("Location: {}/there\r\n", target.url.replace("127.0.0.1", "localhost"));
    let server = Server::new(vec![Act::answer(302, &location, "")]);
    let mut request = Request::get("unit", &server.url, LIMIT).header("Authorization", "Token abc");
    request.redirects_max = 1;
    assert_eq!(send(&request).unwrap().status, 200);
    assert!(server.requests()[0].to_ascii_lowercase().contains("authorization: token abc"));
    assert!(!target.requests()[0].to_ascii_lowercase().contains("authorization"));
}

#[test]
fn a_reply_without_headers_is_not_http_but_can_be_read_raw() {
    let server = Server::new(vec![Act::Send(b"<datavalues/>".to_vec())]);
    let request = Request::get("unit", &server.url, LIMIT);
    let fault = send(&request).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreadable);
    assert!(fault.detail.starts_with("answer is not HTTP"), "{fault}");
    let answer = raw_get(&request).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "<datavalues/>"));
}

#[test]
fn a_raw_reply_with_headers_is_read_like_any_other() {
    let server = Server::new(vec![Act::answer(404, "Content-Type: text/plain\r\n", "404 Error")]);
    let answer = raw_get(&Request::get("unit", &server.url, LIMIT)).unwrap();
    assert_eq!((answer.status, answer.header("CONTENT-TYPE")), (404, Some("text/plain")));
    assert_eq!(answer.text(), "404 Error");
}

#[test]
fn statuses_are_judged_by_accepted_only() {
    let server = Server::new(vec![
        Act::answer(401, "", "<h1>Login</h1>"),
        Act::answer(403, "", ""),
        Act::answer(500, "", "<b>Fatal error</b>: boom"),
        Act::answer(204, "", ""),
    ]);
    let judged = || send(&Request::get("unit", &server.url, LIMIT)).unwrap().accepted("unit", &server.url);
    let login = judged().unwrap_err();
    assert_eq!((login.kind, login.detail), (FaultKind::Refused, format!("status 401: `Login` ({})", server.url)));
    assert_eq!(judged().unwrap_err().kind, FaultKind::Refused);
    let broken = judged().unwrap_err();
    assert_eq!(broken.kind, FaultKind::Status);
    assert_eq!(broken.detail, format!("status 500: `Fatal error : boom` ({})", server.url));
    assert_eq!(judged().unwrap().status, 204);
}

#[test]
fn secrets_appear_in_no_fault() {
    let token = Secret::new("12:very-secret");
    let server = Server::by(|_| Act::answer(404, "", "no route /bot12:very-secret/send"));
    let url = format!("{}/bot{}/send", server.url, token.reveal());
    let request = Request::get("telegram", &url, LIMIT).secret(&token);
    let fault = send(&request).unwrap().accepted("telegram", &url).unwrap_err();
    assert!(fault.detail.contains("/bot***/send"), "{fault}");
    let gone = format!("{}/bot{}/send", nobody(), token.reveal());
    let unreachable = send(&Request::get("telegram", &gone, LIMIT).secret(&token)).unwrap_err();
    for text in [fault.to_string(), unreachable.to_string()] {
        assert!(!text.contains("very-secret"), "{text}");
    }
}

#[test]
fn requests_carry_method_body_headers_and_no_proxy() {
    let server = Server::new(vec![Act::json("{}")]);
    let url = format!("{}/api/miners/3", server.url);
    let request = Request::new("unit", "PUT", &url, LIMIT).body("application/json", r#"{"status":false}"#);
    send(&request).unwrap();
    let seen = server.requests()[0].to_ascii_lowercase();
    assert!(seen.starts_with("put /api/miners/3 http/1.1\r\n"), "{seen}");
    assert!(seen.contains("connection: close"), "{seen}");
    assert!(seen.contains("user-agent: minectl/"), "{seen}");
    assert!(seen.contains("content-length: 16"), "{seen}");
    assert!(seen.ends_with(r#"{"status":false}"#), "{seen}");
}

#[test]
fn the_server_clock_is_read_from_the_date_header() {
    let server = Server::new(vec![Act::answer(200, "Date: Sun, 22 Nov 2026 14:49:26 GMT\r\n", "")]);
    let answer = send(&Request::get("unit", &server.url, LIMIT)).unwrap();
    assert_eq!(answer.date().map(|t| t.0), Some(1_795_358_966));
}

#[test]
fn an_unknown_host_and_a_bad_address_are_faults() {
    let unknown = send(&Request::get("unit", "http://no-such-host.invalid/", LIMIT)).unwrap_err();
    assert!(matches!(unknown.kind, FaultKind::Unreachable | FaultKind::TimedOut), "{unknown}");
    for way in WAYS {
        assert_eq!(way(&Request::get("unit", "http://[/", LIMIT)).unwrap_err().kind, FaultKind::Unreadable);
    }
}

#[test]
fn a_login_line_that_the_device_sends_back_is_not_shown() {
    let password = Secret::new("s");
    let echo = |request: &str| Act::answer(500, "", request.lines().find(|line| line.contains("asic ")).unwrap());
    for way in WAYS {
        let server = Server::by(echo);
        let request = Request::get("d", &server.url, LIMIT).header("Authorization", "Basic bWU6cw==").secret(&password);
        let fault = way(&request).unwrap().accepted("d", &server.url).unwrap_err();
        assert!(fault.detail.to_lowercase().contains("authorization: basic ***"), "{fault}");
    }
}
