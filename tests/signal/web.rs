//! The page over HTTP: redirects, old copies, character sets, packing, other statuses.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use minectl::model::FaultKind;
use minectl::units::UnixSeconds;

use crate::server::{Act, Server};
use crate::support::*;

const KIND: &str = "number_in_table";

fn good() -> Vec<u8> {
    page(KIND, "on.html")
}

/// What is read of a page that comes with these header lines.
fn with_headers(headers: &str, more: &str) -> Result<String, (FaultKind, String)> {
    let server = Server::new(vec![Act::answer(200, headers, good())]);
    read(&format!("{}/load", server.url), more)
}

fn read(url: &str, more: &str) -> Result<String, (FaultKind, String)> {
    sensed(&cfg(KIND, url, more), NOW).map(|reading| reading.text).map_err(|fault| (fault.kind, fault.detail))
}

/// A server that sends each path on as told, and shows the page on `/load`.
fn sending(status: u16, to: String) -> Server {
    Server::by(move |request| match request.split_whitespace().nth(1) {
        Some("/load") => Act::answer(200, "", good()),
        _ => Act::answer(status, &format!("Location: {to}\r\n"), ""),
    })
}

#[test]
fn a_redirect_within_the_host_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let server = sending(status, "/load".to_owned());
        assert_eq!(read(&format!("{}/old", server.url), ""), Ok("287.5".to_owned()), "{status}");
        assert_eq!(server.lines(), ["GET /old", "GET /load"]);
    }
}

#[test]
fn a_redirect_to_another_host_is_refused_and_named_unless_configured() {
    let target = Server::new(vec![Act::answer(200, "", good())]);
    let elsewhere = target.url.replace("127.0.0.1", "localhost") + "/load";
    let server = sending(302, elsewhere);
    let (kind, detail) = read(&format!("{}/old", server.url), "").unwrap_err();
    assert_eq!(kind, FaultKind::Status);
    assert!(detail.contains("sends on to http://localhost:"), "{detail}");
    assert!(detail.contains("another host; if it is right, add \"localhost\" to `signal.redirect_hosts`"), "{detail}");
    assert_eq!(target.requests().len(), 0, "nothing was asked there");
    assert_eq!(read(&format!("{}/old", server.url), "redirect_hosts = [\"localhost\"]\n"), Ok("287.5".to_owned()));
}

#[test]
fn a_redirect_that_never_ends_and_one_off_the_web_are_refused() {
    let round = sending(302, "/again".to_owned());
    let (_, detail) = read(&format!("{}/old", round.url), "").unwrap_err();
    assert!(detail.contains("after 5 redirects already"), "{detail}");
    assert_eq!(round.requests().len(), 6);
    let (_, detail) = read(&format!("{}/old", sending(302, "file:///etc/passwd".to_owned()).url), "").unwrap_err();
    assert!(detail.contains("which is not on the web"), "{detail}");
    let (_, detail) = read(&format!("{}/old", sending(302, "http://a:b@127.0.0.1/".to_owned()).url), "").unwrap_err();
    assert!(detail.contains("with a login in it") && !detail.contains("a:b"), "{detail}");
}

#[test]
fn an_old_copy_is_not_believed() {
    let date = |ago: i64| format!("Date: {}\r\n", http_date(UnixSeconds(NOW.0 - ago)));
    assert!(with_headers(&date(590), "").is_ok());
    let (kind, detail) = with_headers(&date(3600), "").unwrap_err();
    assert_eq!(kind, FaultKind::Stale);
    assert!(detail.contains("the server made it 1 h ago (header `Date`); limit 10 min"), "{detail}");
    assert!(with_headers(&date(-3600), "").is_ok(), "a server ahead of us is no old copy");
    assert!(with_headers("Age: 600\r\n", "").is_ok());
    let (_, detail) = with_headers("Age: 601\r\n", "").unwrap_err();
    assert!(detail.contains("caches have held it for 10 min 1 s (header `Age`); limit 10 min"), "{detail}");
    assert!(with_headers("Age: 601\r\n", "cached_max_age = \"20 minutes\"\n").is_ok());
    assert!(with_headers("Age: 99999999999999999999999\r\n", "").is_err());
    assert!(with_headers("Age: soon\r\n", "").is_ok(), "what is no number says nothing");
    assert!(with_headers("Warning: 110 - \"Response is Stale\"\r\n", "").unwrap_err().1.contains("a cache says `110"));
}

#[test]
fn the_last_change_counts_where_it_is_configured() {
    let modified = |ago: i64| format!("Last-Modified: {}\r\n", http_date(UnixSeconds(NOW.0 - ago)));
    assert!(with_headers(&modified(86_400), "").is_ok());
    let limit = "modified_max_age = \"30 minutes\"\n";
    assert!(with_headers(&modified(1790), limit).is_ok());
    let (kind, detail) = with_headers(&modified(3600), limit).unwrap_err();
    assert_eq!(kind, FaultKind::Stale);
    assert!(detail.contains("last modified 1 h ago"), "{detail}");
    assert_eq!(with_headers("", limit).unwrap_err().0, FaultKind::Missing);
}

#[test]
fn the_character_set_of_header_and_page_counts() {
    let body = page("latin_1", "on.html");
    for headers in ["Content-Type: text/html\r\n", "Content-Type: text/html; charset=ISO-8859-1\r\n"] {
        let server = Server::new(vec![Act::answer(200, headers, &body)]);
        let reading = sensed(&cfg("latin_1", &server.url, ""), NOW);
        assert_eq!(reading.unwrap().text, "287.5 MW");
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_packed_page_is_read_and_a_bomb_is_not() {
    let gzip = "Content-Encoding: gzip\r\n";
    let server = Server::new(vec![Act::answer(200, gzip, packed(&good()))]);
    let cfg_of = |url: &str| cfg(KIND, url, "");
    let reading = sensed(&cfg_of(&server.url), NOW).unwrap();
    let plain = Server::new(vec![Act::answer(200, "", good())]);
    assert_eq!(reading.hash, sensed(&cfg_of(&plain.url), NOW).unwrap().hash, "the hash is that of the page itself");
    let bomb = packed(&vec![b' '; 200 * 1024 * 1024]);
    assert!(bomb.len() < 300_000);
    let server = Server::new(vec![Act::answer(200, gzip, bomb)]);
    let fault = sensed(&cfg_of(&server.url), NOW).unwrap_err();
    assert!(fault.detail.contains("answer is longer than 2097152 bytes"), "{fault}");
}

#[test]
fn only_a_whole_page_with_status_200_is_read() {
    for (status, words) in [
        (206, "status 206 is no whole page"),
        (204, "status 204"),
        (404, "status 404"),
        (500, "status 500"),
        (304, "status 304"),
    ] {
        let server = Server::new(vec![Act::answer(status, "", good())]);
        let (_, detail) = read(&server.url, "").unwrap_err();
        assert!(detail.contains(words), "{detail}");
    }
    let login = Server::new(vec![Act::answer(401, "", "")]);
    assert_eq!(read(&login.url, "").unwrap_err().0, FaultKind::Refused);
}

#[test]
fn explain_shows_the_redirect_the_headers_and_the_character_set() {
    let server = sending(301, "/load".to_owned());
    let cfg = cfg(KIND, &format!("{}/old", server.url), "");
    let (code, shown) = explained(&cfg, minectl::commands::signal::Source::Web, NOW);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("utf-8 (page); redirect 301 to http://127.0.0.1:"), "{shown}");
    assert!(shown.contains("  ok    copy     no Date, no Age, no Last-Modified"), "{shown}");
}
