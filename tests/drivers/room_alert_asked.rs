//! Room Alert over sockets: which page is asked, how, and when the other one is tried.

use std::time::Duration;

use minectl::config::{Config, Secret};
use minectl::drivers::sense;
use minectl::model::{FaultKind, Reading, RoomReading};

use crate::config::{fast, nowhere, room};
use crate::fixture::fixture;
use crate::server::{Act, Server};

fn read(cfg: &Config) -> Reading<RoomReading> {
    sense(cfg, &fast(), Duration::from_millis(1500), &[]).rooms["room-alert"].clone()
}

fn at(url: String) -> Config {
    let mut cfg = nowhere();
    cfg.rooms = vec![room(&url)];
    cfg
}

/// Serves a page at this path and `elsewhere` at every other one.
fn unit(path: &'static str, page: Act, elsewhere: Act) -> Server {
    Server::by(
        move |request| {
            if request.split_whitespace().nth(1) == Some(path) { page.clone() } else { elsewhere.clone() }
        },
    )
}

fn bare(name: &str) -> Act {
    Act::Send(fixture(&format!("room_alert/{name}")))
}

fn not_found() -> Act {
    Act::answer(404, "Content-Type: text/html\r\n", "<h1>404 Not Found</h1>")
}

#[test]
fn the_configured_page_is_asked_once_whether_it_has_headers_or_not() {
    for (path, page, line) in [
        ("/getData.json", Act::json(fixture("room_alert/12e_v3.2.5.json")), "GET /getData.json"),
        ("/getData.htm", bare("legacy.htm"), "GET /getData.htm HTTP/1.0"),
        ("/getData.htm", Act::json(fixture("room_alert/12e_v3.2.5.json")), "GET /getData.htm HTTP/1.0"),
    ] {
        let server = unit(path, page, Act::Close);
        let reading = read(&at(format!("{}{path}", server.url))).unwrap();
        assert!(reading.probes["middle"].temperature.is_ok(), "{reading:?}");
        assert_eq!(server.lines(), [line]);
        assert!(server.requests()[0].to_ascii_lowercase().contains("connection: close"));
    }
}

#[test]
fn an_address_without_page_means_the_page_of_newer_firmware() {
    let server = unit("/getData.json", Act::json(fixture("room_alert/3e_v1.2.1.json")), Act::Close);
    assert_eq!(read(&at(server.url.clone())).unwrap().serial, "RA3E-130277");
    assert_eq!(read(&at(format!("{}/", server.url))).unwrap().serial, "RA3E-130277");
}

#[test]
fn old_firmware_is_found_where_newer_is_configured_and_the_other_way_round() {
    for elsewhere in [not_found(), Act::Close, Act::answer(200, "", "404 Error"), Act::answer(200, "", "")] {
        let old = unit("/getData.htm", bare("legacy.htm"), elsewhere.clone());
        assert!(read(&at(format!("{}/getData.json", old.url))).unwrap().probes["middle"].temperature.is_ok());
        assert_eq!(old.lines(), ["GET /getData.json", "GET /getData.htm HTTP/1.0"]);
        let new = unit("/getData.json", Act::json(fixture("room_alert/12e_v3.2.5.json")), elsewhere);
        assert_eq!(read(&at(format!("{}/getData.htm", new.url))).unwrap().serial, "RA12-5117E0");
    }
    let everywhere = Server::by(|_| bare("32e_v2.5.1.json"));
    assert_eq!(read(&at(format!("{}/getData.json", everywhere.url))).unwrap().serial, "RA32-117204");
    assert_eq!(everywhere.lines(), ["GET /getData.json", "GET /getData.json HTTP/1.0"]);
}

/// The same with a folder in which the page that worked is kept.
fn remembering(url: String) -> (Config, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut cfg = at(url);
    cfg.paths.data = folder.path().to_owned();
    (cfg, folder)
}

#[test]
fn the_page_that_worked_is_asked_first_in_the_next_run() {
    for elsewhere in [not_found(), Act::Close] {
        let old = unit("/getData.htm", bare("legacy.htm"), elsewhere);
        let (mut cfg, folder) = remembering(format!("{}/getData.json", old.url));
        assert!(read(&cfg).is_ok() && read(&cfg).is_ok() && read(&cfg).is_ok());
        let htm = "GET /getData.htm HTTP/1.0";
        assert_eq!(old.lines(), ["GET /getData.json", htm, htm, htm]);
        // What was learnt of another address counts for nothing.
        let new = unit("/getData.json", Act::json(fixture("room_alert/12e_v3.2.5.json")), not_found());
        cfg.rooms[0].url = format!("{}/getData.json", new.url);
        assert!(read(&cfg).is_ok());
        assert_eq!(new.lines(), ["GET /getData.json"]);
        let kept = folder.path().join("page-room-alert.json");
        assert!(std::fs::read_to_string(&kept).unwrap().contains("getData.json"));
        std::fs::write(&kept, "{\"page\":").unwrap();
        assert!(read(&cfg).is_ok(), "a torn file is no file");
    }
}

#[test]
fn a_unit_whose_firmware_changed_is_found_at_once_where_it_says_so() {
    let page = std::sync::Arc::new(std::sync::Mutex::new("/getData.htm"));
    let there = std::sync::Arc::clone(&page);
    let server = Server::by(move |request| match request.split_whitespace().nth(1) {
        Some(path) if path == *there.lock().unwrap() => Act::json(fixture("room_alert/12e_v3.2.5.json")),
        _ => not_found(),
    });
    let (cfg, _folder) = remembering(server.url.clone());
    assert!(read(&cfg).is_ok());
    *page.lock().unwrap() = "/getData.json";
    assert!(read(&cfg).is_ok() && read(&cfg).is_ok());
    let (json, htm) = ("GET /getData.json", "GET /getData.htm HTTP/1.0");
    assert_eq!(server.lines(), [json, htm, htm, json, json]);
}

#[test]
fn a_unit_that_breaks_off_is_asked_for_its_own_page_alone_until_the_third_time() {
    let is_well = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let well = std::sync::Arc::clone(&is_well);
    let server = Server::by(move |request| {
        let is_here = request.starts_with("GET /getData.htm") && well.load(std::sync::atomic::Ordering::SeqCst);
        if is_here { bare("legacy.htm") } else { Act::Close }
    });
    let (cfg, _folder) = remembering(server.url.clone());
    assert!(read(&cfg).is_ok());
    is_well.store(false, std::sync::atomic::Ordering::SeqCst);
    let mut asked = server.requests().len();
    for wanted in [1, 1, 2, 2] {
        assert_eq!(read(&cfg).unwrap_err().kind, FaultKind::Broken);
        let now = server.requests().len();
        assert_eq!(now - asked, wanted);
        asked = now;
    }
    is_well.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(read(&cfg).is_ok());
    assert_eq!(server.requests().len() - asked, 1);
    is_well.store(false, std::sync::atomic::Ordering::SeqCst);
    assert!(read(&cfg).is_err());
    assert_eq!(server.requests().len() - asked, 2, "it is counted from the beginning");
}

#[test]
fn where_both_pages_fail_the_configured_one_tells_why() {
    let server = Server::by(|_| not_found());
    let fault = read(&at(format!("{}/getData.json", server.url))).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Status);
    assert_eq!(fault.detail, format!("status 404: `404 Not Found` ({}/getData.json)", server.url));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn another_page_is_not_tried_where_it_could_not_help() {
    let body = fixture("room_alert/12e_v3.2.5.json");
    for (act, kind) in [
        (Act::answer(401, "", "Login"), FaultKind::Refused),
        (Act::answer(500, "", ""), FaultKind::Status),
        (Act::answer(302, "Location: /login\r\n", ""), FaultKind::Status),
        (Act::answer(200, "", "<form><input type=\"password\"></form>"), FaultKind::Refused),
        (Act::answer(200, "", &body[..900]), FaultKind::Unreadable),
        (Act::answer(200, "", "{\"vin\":\"24\"}"), FaultKind::Unreadable),
        (Act::answer(200, "", vec![b'x'; 70_000]), FaultKind::Unreadable),
    ] {
        let server = Server::by(move |_| act.clone());
        let fault = read(&at(format!("{}/getData.json", server.url))).unwrap_err();
        assert_eq!((fault.kind, server.requests().len()), (kind, 1), "{fault}");
    }
    let mut cfg = at(format!("{}/getData.json", Server::by(|_| Act::Hang).url));
    cfg.rooms[0].timeout = minectl::units::Seconds(1);
    assert_eq!(read(&cfg).unwrap_err().kind, FaultKind::TimedOut);
}

#[test]
fn another_unit_on_the_other_page_is_refused_like_anywhere() {
    let server = unit("/getData.htm", bare("32e_v2.5.1.json"), not_found());
    let mut cfg = at(format!("{}/getData.json", server.url));
    cfg.rooms[0].serial = Some("RA12-5117E0".to_owned());
    assert_eq!(read(&cfg).unwrap_err().kind, FaultKind::WrongDevice);
    cfg.rooms[0].serial = Some("RA32-117204".to_owned());
    assert!(read(&cfg).is_ok());
}

#[test]
fn a_unit_that_answers_on_the_other_page_alone_is_told_by_that_answer() {
    let body = fixture("room_alert/32e_v2.5.1.json");
    for (act, kind) in [
        (Act::Send(body[..900].to_vec()), FaultKind::Unreadable),
        (Act::answer(401, "", "Login"), FaultKind::Refused),
        (Act::answer(500, "", "out of memory"), FaultKind::Status),
    ] {
        let server = unit("/getData.htm", act, Act::Close);
        let fault = read(&at(server.url.clone())).unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
    }
}

#[test]
fn user_and_password_are_sent_and_never_shown() {
    let server = Server::by(|_| Act::answer(401, "", "no entry for hunter22"));
    let mut cfg = at(format!("{}/getData.htm", server.url));
    cfg.rooms[0].user = Some("admin".to_owned());
    cfg.rooms[0].password = Some(Secret::new("hunter22"));
    let fault = read(&cfg).unwrap_err();
    assert!(fault.kind == FaultKind::Refused && fault.detail.contains("no entry for ***"), "{fault}");
    assert!(server.requests()[0].contains("Authorization: Basic YWRtaW46aHVudGVyMjI="));
}
