//! Connections: one at a time for each device, and none is left open.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use minectl::config::RelayFamily;
use minectl::drivers::sense;
use minectl::http::{Request, raw_get, send};
use minectl::model::{Command, Reply};

use crate::acting::{LIMIT, act_within, results};
use crate::config::{board, fan, fast, nowhere, room};

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

/// A board and Room Alert in one that takes its time; tells the most connections it has had open at once, and how many.
fn slow_device() -> (String, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (open, most, all) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (open, seen, count) = (Arc::new(open), Arc::clone(&most), Arc::clone(&all));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            seen.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            count.fetch_add(1, Ordering::SeqCst);
            let open = Arc::clone(&open);
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).unwrap_or(0);
                std::thread::sleep(Duration::from_millis(60));
                let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let coil = u8::from(request.contains("relay1State=1"));
                let body = match request.split_whitespace().nth(1).unwrap_or_default() {
                    path if path.starts_with("/state.xml") => format!("<d><relay1state>{coil}</relay1state></d>"),
                    _ => String::new(),
                };
                open.fetch_sub(1, Ordering::SeqCst);
                let _ = stream.write_all(body.as_bytes());
            });
        }
    });
    (url, most, all)
}

#[test]
fn a_device_has_one_request_at_a_time() {
    let (url, most, all) = slow_device();
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
