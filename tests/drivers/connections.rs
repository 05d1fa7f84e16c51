//! Connections: one at a time for each device, and none is left open.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use minectl::config::RelayFamily;
use minectl::drivers::sense;
use minectl::http::{Request, raw_get, send};
use minectl::model::{Command, FaultKind, OutletRef, Reply};
use minectl::units::Seconds;

use crate::acting::{LIMIT, act_within, results};
use crate::config::{board, fan, fast, nowhere, pdu, room};
use crate::server::{Act, Server};

/// A device that would keep each connection open: it answers and then waits for the other side to close. Tells how long
/// that took.
fn patient(answer: &'static str) -> (String, mpsc::Receiver<Duration>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(answer.as_bytes());
            let answered = Instant::now();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            while stream.read(&mut buffer).is_ok_and(|n| n > 0) {}
            let _ = sender.send(answered.elapsed());
        }
    });
    (url, receiver)
}

#[test]
fn a_connection_is_closed_at_once_although_the_device_would_keep_it() {
    for way in [send, raw_get] {
        let (url, closed) = patient("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}");
        let answer = way(&Request::get("unit", &url, Duration::from_secs(2))).unwrap();
        assert_eq!(answer.body, b"{}");
        let took = closed.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(took < Duration::from_millis(500), "{took:?}");
    }
}

/// A device that takes its time to answer; tells the most connections it has had open at once, and how many.
fn slow_device(
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (String, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let answer = Arc::new(answer);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (open, most, all) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (open, seen, count) = (Arc::new(open), Arc::clone(&most), Arc::clone(&all));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            seen.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            count.fetch_add(1, Ordering::SeqCst);
            let (open, answer) = (Arc::clone(&open), Arc::clone(&answer));
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).unwrap_or(0);
                std::thread::sleep(Duration::from_millis(60));
                let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let answer = answer(&request);
                open.fetch_sub(1, Ordering::SeqCst);
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    (url, most, all)
}

#[test]
fn a_device_has_one_request_at_a_time() {
    // A board and a Room Alert in one.
    let (url, most, all) = slow_device(|request| {
        let coil = u8::from(request.contains("relay1State=1"));
        match request.split_whitespace().nth(1).unwrap_or_default() {
            path if path.starts_with("/state.xml") => format!("<d><relay1state>{coil}</relay1state></d>"),
            _ => String::new(),
        }
    });
    let mut cfg = nowhere();
    cfg.boards = vec![board("relays-a", &url, RelayFamily::Auto)];
    cfg.fans.insert(1, fan(1, "relays-a", 1));
    let reading = sense(&cfg, &fast(), LIMIT, &[]).boards["relays-a"].clone();
    assert_eq!(reading.unwrap().fans[&1], Ok(true));
    let fan = |on| Command::Fan { fan: 1, on };
    let outcomes = act_within(&cfg, LIMIT, &[fan(false), fan(true)]);
    assert_eq!(results(outcomes), [Ok(Reply::Confirmed), Ok(Reply::Confirmed)]);
    assert_eq!((most.load(Ordering::SeqCst), all.load(Ordering::SeqCst)), (1, 6));
    cfg.boards.clear();
    cfg.rooms = vec![room(&format!("{url}/getData.json"))];
    assert!(sense(&cfg, &fast(), LIMIT, &[]).rooms["room-alert"].is_err());
    assert_eq!((most.load(Ordering::SeqCst), all.load(Ordering::SeqCst)), (1, 8), "both pages, one after the other");
}

/// A PDU with the outlets 1 and 2 that takes its time, as several units at one address do.
fn slow_pdu() -> (String, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let is_off = [AtomicBool::new(false), AtomicBool::new(false)];
    slow_device(move |request| {
        let path = request.split_whitespace().nth(1).unwrap_or_default();
        if let ("PUT", Some(id)) = (&request[..3], path.strip_prefix("/api/miners/")) {
            is_off[id.parse::<usize>().unwrap() - 1].store(true, Ordering::SeqCst);
        }
        let row = |(index, off): (usize, &AtomicBool)| {
            let on = !off.load(Ordering::SeqCst);
            format!(r#"{{"id":{},"status":{on},"curCons":3300,"updateTime":"2026-11-22T20:13:15Z"}}"#, index + 1)
        };
        let rows: Vec<String> = is_off.iter().enumerate().map(row).collect();
        let body = format!("[{}]", rows.join(","));
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    })
}

#[test]
fn pdus_that_share_an_address_are_read_and_switched_one_request_at_a_time() {
    let (url, most, all) = slow_pdu();
    let mut cfg = nowhere();
    // The same host and port, however they are written.
    let second = format!("{url}/");
    cfg.pdus = vec![pdu("unit-a", &url, &["1"]), pdu("unit-b", &second, &["2"]), pdu("unit-c", &url, &["1", "2"])];
    let readings = sense(&cfg, &fast(), LIMIT, &[]).pdus;
    assert!(readings.values().all(|reading| reading.as_ref().unwrap().total.is_ok()), "{readings:?}");
    assert_eq!((most.load(Ordering::SeqCst), all.load(Ordering::SeqCst)), (1, 3));
    let off = |pdu: &str, id: &str| Command::Outlet {
        outlet: OutletRef { pdu: pdu.to_owned(), outlet: id.to_owned() },
        on: false,
    };
    let outcomes = act_within(&cfg, LIMIT, &[off("unit-a", "1"), off("unit-b", "2")]);
    assert_eq!(results(outcomes), [Ok(Reply::Confirmed), Ok(Reply::Confirmed)]);
    assert_eq!((most.load(Ordering::SeqCst), all.load(Ordering::SeqCst)), (1, 7));
}

#[test]
fn pdus_at_addresses_of_their_own_are_read_side_by_side() {
    let (one, other) = (slow_pdu(), slow_pdu());
    let mut cfg = nowhere();
    cfg.pdus = (0..8).map(|n| pdu(&format!("a{n}"), &one.0, &["1"])).collect();
    cfg.pdus.extend((0..8).map(|n| pdu(&format!("b{n}"), &other.0, &["1"])));
    let began = Instant::now();
    let readings = sense(&cfg, &fast(), LIMIT, &[]).pdus;
    assert!(readings.values().all(Result::is_ok), "{readings:?}");
    assert!(began.elapsed() < Duration::from_millis(16 * 60), "{:?}", began.elapsed());
    assert_eq!((one.1.load(Ordering::SeqCst), other.1.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn a_pdu_that_hangs_keeps_the_others_at_its_address_no_longer_than_the_limit() {
    let server = Server::new(vec![Act::Hang]);
    let mut cfg = nowhere();
    cfg.pdus = ["a", "b", "c", "d"].map(|name| pdu(name, &server.url, &["1"])).to_vec();
    cfg.pdus.iter_mut().for_each(|pdu| pdu.timeout = Seconds(1));
    let began = Instant::now();
    let readings = sense(&cfg, &fast(), LIMIT, &[]).pdus;
    assert!(began.elapsed() < LIMIT + Duration::from_millis(400), "{:?}", began.elapsed());
    assert!(readings.values().all(|reading| reading.as_ref().unwrap_err().kind == FaultKind::TimedOut), "{readings:?}");
}
