//! The bare socket: replies without headers, and whatever else a small device's web server does.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use minectl::http::{Answer, Request, raw_get, send_or_raw};
use minectl::model::{Fault, FaultKind};

use crate::server::{Act, Server};

const LIMIT: Duration = Duration::from_millis(700);

fn raw(bytes: &[u8]) -> Result<Answer, Fault> {
    let server = Server::new(vec![Act::Send(bytes.to_vec())]);
    raw_get(&Request::get("unit", &server.url, LIMIT))
}

fn body(bytes: &[u8]) -> String {
    raw(bytes).unwrap().text()
}

#[test]
fn a_reply_is_taken_with_and_without_headers_and_with_either_line_end() {
    assert_eq!(body(b"{a:1}"), "{a:1}");
    assert_eq!(body(b"HTTP/1.0 200 OK\r\n\r\n{a:1}"), "{a:1}", "its end is the end of the connection");
    assert_eq!(body(b"HTTP/1.1 200\nContent-Length: 2\n\n{}and what is behind the length"), "{}");
    assert_eq!(body(b"HTTP/1.0 200 OK\nX: y\n\n\r\n\r\n{}"), "\r\n\r\n{}", "the first empty line ends the head");
    assert_eq!(raw(b"HTTP/1.1 500 No\r\n\r\n").unwrap().status, 500);
}

#[test]
fn a_reply_in_chunks_is_put_together_without_waiting_for_the_connection_to_end() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let chunked = [head.clone(), b"4\r\n{a:1\r\n1;x=y\r\n}\r\n0\r\n\r\n".to_vec()].concat();
    assert_eq!(body(&chunked), "{a:1}");
    let began = Instant::now();
    let held = Server::by(move |_| Act::Drip(chunked.clone(), vec![b' '; 50]));
    assert_eq!(raw_get(&Request::get("unit", &held.url, LIMIT)).unwrap().text(), "{a:1}");
    assert!(began.elapsed() < LIMIT);
    for cut in [&b"4\r\n{a:1\r\n"[..], b"4\r\n{a", b"zz\r\n{}", b"ffffffffffffffff\r\n{}"] {
        let fault = raw(&[head.clone(), cut.to_vec()].concat()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Broken, "{fault}");
    }
}

#[test]
fn half_a_head_is_broken_and_no_number_in_the_status_line_is_not_http() {
    assert_eq!(raw(b"HTTP/1.1 200 OK\r\nContent-").unwrap_err().kind, FaultKind::Broken);
    let fault = raw(b"HTTP/1.1 fine\r\n\r\n{}").unwrap_err();
    assert!(fault.kind == FaultKind::Unreadable && fault.detail.starts_with("answer is not HTTP"), "{fault}");
}

#[test]
fn a_packed_reply_is_refused_because_nobody_asked_for_it() {
    let fault = raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx").unwrap_err();
    assert!(fault.detail.starts_with("answer is packed as `gzip`"), "{fault}");
}

/// Sends these bytes and then a reset, since the request was not read to its end.
fn resetting_after(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 1]);
            let _ = stream.write_all(bytes);
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    url
}

#[test]
fn a_reset_behind_a_whole_body_without_headers_costs_nothing_and_one_within_it_is_broken() {
    for whole in [&b"{a:1}\r\n\0"[..], b"<datavalues/>"] {
        let answer = raw_get(&Request::get("unit", &resetting_after(whole), LIMIT)).unwrap();
        assert_eq!(answer.body, whole);
    }
    for part in [&b"{a:1"[..], b"<datavalues", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"] {
        let fault = raw_get(&Request::get("unit", &resetting_after(part), LIMIT)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Broken, "{fault}");
    }
}

#[test]
fn a_name_with_several_addresses_is_tried_address_by_address() {
    let server = Server::new(vec![Act::Send(b"{}".to_vec())]);
    let url = server.url.replace("127.0.0.1", "localhost");
    assert_eq!(raw_get(&Request::get("unit", &url, LIMIT)).unwrap().text(), "{}");
}

#[test]
fn send_or_raw_asks_once_more_only_where_headers_are_missing_and_within_one_limit() {
    let bare = Server::new(vec![Act::Send(b"<datavalues/>".to_vec())]);
    assert_eq!(send_or_raw(&Request::get("unit", &bare.url, LIMIT)).unwrap().text(), "<datavalues/>");
    assert_eq!(bare.lines(), ["GET /", "GET / HTTP/1.0"]);
    let good = Server::new(vec![Act::json("{}")]);
    assert!(send_or_raw(&Request::get("unit", &good.url, LIMIT)).is_ok());
    assert_eq!(good.lines(), ["GET /"]);
    let mut turn = 0;
    let slow = Server::by(move |_| {
        turn += 1;
        std::thread::sleep(Duration::from_millis(400));
        if turn == 1 { Act::Send(b"{}".to_vec()) } else { Act::Hang }
    });
    let began = Instant::now();
    let fault = send_or_raw(&Request::get("unit", &slow.url, LIMIT)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::TimedOut, "{fault}");
    assert!(began.elapsed() < LIMIT + Duration::from_millis(200), "{:?}", began.elapsed());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 64, ..Default::default() })]

    #[test]
    fn no_reply_breaks_the_bare_socket(
        rest in proptest::collection::vec(proptest::num::u8::ANY, 0..200), head in 0..4_usize,
    ) {
        let heads = [
            "",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
            "HTTP/",
        ];
        let bytes = [heads[head].as_bytes(), &rest].concat();
        let answer = raw(&bytes);
        proptest::prop_assert!(answer.is_err() || answer.unwrap().body.len() <= bytes.len());
    }
}
