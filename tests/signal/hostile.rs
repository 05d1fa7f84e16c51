//! No bytes make the reader panic, hang or grow: damaged fixtures, and markup that is written to cost too much.

use std::time::{Duration, Instant};

use minectl::drivers::page::{decode, examine};
use minectl::model::SignalReading;

use crate::support::*;

/// The longest that one page may take, unoptimised and on a busy machine.
const TOOK_MAX: Duration = Duration::from_secs(20);

fn read(body: &str, selector: &str) -> Result<SignalReading, String> {
    let lines = format!(
        "[signal]\nurl = \"http://127.0.0.1:9/\"\nselector = \"{selector}\"\npattern = '([0-9]+)'\nrange = [0, 9]\ncurtail_at = 5\nresume_below = 4\n"
    );
    let cfg = with_lines(&lines);
    let began = Instant::now();
    let read = examine(body, &cfg.signal, "America/Chicago", NOW).reading.map_err(|fault| fault.detail);
    let took = began.elapsed();
    assert!(took < TOOK_MAX, "{took:?} for {:.60}", body);
    read
}

#[test]
fn markup_that_is_written_to_cost_too_much_is_refused_in_time() {
    let many = |piece: &str, times: usize| piece.repeat(times);
    let formatting: String = (0..30_000).map(|n| format!("<b a{n}>")).collect();
    let attributes: String = (0..200_000).map(|n| format!("a{n} ")).collect();
    for (what, body) in [
        ("deep", many("<div>", 300_000)),
        ("deep and closed", many("<div>", 200_000) + &many("</div>", 100_000)),
        ("wide", many("<p>1", 400_000)),
        ("formatting that is taken up again", formatting + &many("<p>", 30_000)),
        ("attributes", format!("<p {attributes}>")),
        ("tables", many("<table><tr><td>", 60_000)),
        ("an open tag", format!("<p title=\"{}", many("x", 2_000_000))),
        ("lists", many("<ul><li>", 150_000)),
        ("selects", many("<select><option>", 100_000)),
    ] {
        let refused = read(&body, "p").expect_err(what);
        let is_said = ["cannot be read", "matches", "does not match"].iter().any(|words| refused.contains(words));
        assert!(is_said, "{what}: {refused}");
    }
}

#[test]
fn a_page_within_the_bounds_is_read_however_it_is_chosen() {
    let rows: String = (0..4_000).map(|n| format!("<tr><td>row</td><td class=\"c{n}\">x</td></tr>")).collect();
    let body = format!("<table>{rows}</table><p id=\"n\">3</p>");
    for selector in ["#n", "p:last-child", "table + p", "body > p:nth-child(2)", "p:not(.x)"] {
        assert_eq!(read(&body, selector).map(|reading| reading.text), Ok("3".to_owned()), "{selector}");
    }
    let deep = format!("{}<p id=\"n\">3</p>", "<div>".repeat(390));
    assert!(read(&deep, "#n").is_ok());
    let deeper = format!("{}<p id=\"n\">3</p>", "<div>".repeat(500));
    assert!(read(&deeper, "#n").unwrap_err().contains("more than 400 elements stand within each other"));
}

#[test]
fn ten_megabytes_and_bytes_that_are_no_text_are_refused() {
    let long = "x".repeat(10 * 1024 * 1024);
    assert!(read(&long, "p").unwrap_err().contains("longer than 2097152 bytes"));
    let png = decode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Some("image/png")).text;
    assert!(read(&png, "p").unwrap_err().contains("page is not text"));
    let server = crate::server::Server::new(vec![crate::server::Act::answer(200, "", long)]);
    let fault = sensed(&cfg("words", &server.url, ""), NOW).unwrap_err();
    assert!(fault.detail.contains("answer is longer than 2097152 bytes"), "{fault}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 300, ..Default::default() })]

    #[test]
    fn no_bytes_break_the_reader(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2000),
        header in proptest::option::of("[ -~]{0,40}"),
    ) {
        let text = decode(&bytes, header.as_deref()).text;
        for kind in ["number_in_table", "json", "gauge_image", "prose_with_times"] {
            drop(examine(&text, &cfg(kind, "http://127.0.0.1:9/", "").signal, "America/Chicago", NOW));
        }
    }

    #[test]
    fn a_damaged_page_is_read_as_it_was_or_not_at_all_where_the_number_is_whole(
        at in 0_usize..4000, byte in proptest::num::u8::ANY,
    ) {
        let mut bytes = page("number_in_table", "on.html");
        let at = at % bytes.len();
        bytes[at] = byte;
        let text = decode(&bytes, None).text;
        let cfg = cfg("number_in_table", "http://127.0.0.1:9/", "").signal;
        if let Ok(reading) = examine(&text, &cfg, "America/Chicago", NOW).reading {
            let number = String::from_utf8(page("number_in_table", "on.html")).unwrap().find("287.5").unwrap();
            let in_number = (number..number + 5).contains(&at);
            proptest::prop_assert!(in_number || reading.text == "287.5", "{}", reading.text);
        }
    }
}
