//! Each kind of utility page: what it says while the miners may run and while they must be off, and that a page which
//! changed is never read wrongly. Each page goes through `signal explain` and, over loopback, through the driver.

use minectl::decide::{Says, says};
use minectl::units::UnixSeconds;

use crate::server::{Act, Server};
use crate::support::*;

/// A kind, and for each of its bad pages the words of the reason.
type Kind = (&'static str, &'static [(&'static str, &'static str)]);

const KINDS: [Kind; 12] = [
    (
        "number_in_table",
        &[
            ("bad_structure.html", "selector `#load-number` matches no element"),
            ("bad_two.html", "matches 2 elements; wanted 1"),
            ("bad_no_number.html", "text `n/a` does not match the pattern"),
            ("bad_range.html", "0 is outside the range 50 to 500"),
            ("bad_stamp.html", "own time stamp `11/22/2026 01:05 PM` is 1 h 5 min"),
            ("bad_error_in_frame.html", "page contains `connect failed`, which it must not"),
            ("bad_other_page.html", "page does not contain `Prairie Hills`"),
        ],
    ),
    ("words", &[("bad_new_word.html", "word `Pre-alert` is not known"), ("bad_empty.html", "text `` does not match")]),
    ("on_means_power_on", &[("bad_third_state.html", "word `--` is not known; known are `OFF`, `ON`")]),
    (
        "gauge_image",
        &[
            ("bad_picture.html", "gauge_unknown.png?v=20261122` does not match"),
            ("bad_no_picture.html", "element `#gauge` has no attribute `src`"),
        ],
    ),
    (
        "prose_with_times",
        &[
            ("bad_both.html", "finds `No load control is expected` and `Load control is in effect`"),
            ("bad_other_prose.html", "does not match the pattern"),
        ],
    ),
    (
        "json",
        &[
            ("bad_null.json", "JSON `/load/now` is null"),
            ("bad_renamed.json", "JSON `/load/now` is not in the answer"),
            ("bad_old.json", "own time stamp `1795370000000` is 2 h 16 min"),
            ("bad_cut.json", "answer is cut off after 40 bytes"),
            ("bad_html.json", "answer is not JSON"),
        ],
    ),
    (
        "clock_without_date",
        &[
            ("bad_old.html", "`Status at 8:23 CST - Last Switching Cycle` is 5 h 47 min old"),
            ("bad_clock.html", "time stamp `Status at --:-- CST - Last Switching Cycle` is not written as"),
        ],
    ),
    (
        "nbsp_and_thousands",
        &[
            ("bad_groups.html", "is not a number as this page writes it"),
            ("bad_blank.html", "`287 500` is not a number as this page writes it"),
            ("bad_comma_decimal.html", "`287,5` is not a number as this page writes it"),
        ],
    ),
    ("latin_1", &[]),
    ("number_in_script", &[("bad_null.html", "does not match the pattern")]),
    (
        "low_means_off",
        &[
            ("bad_label_gone.html", "does not match the pattern"),
            ("bad_minus.html", "-6.1 is outside the range 0 to 60"),
        ],
    ),
    ("likelihood", &[("bad_row_gone.html", "does not match the pattern")]),
];

/// The moment at which a good page is judged: soon after the stamp it shows.
fn moment(kind: &str, name: &str) -> UnixSeconds {
    let late = kind == "number_in_table" && (name.starts_with("off") || name == "on_later.html");
    match name {
        "on_later.html" if late => UnixSeconds(NOW.0 + 1800),
        "off.html" if late => UnixSeconds(NOW.0 + 3 * 3600),
        "off_later.html" if late => UnixSeconds(NOW.0 + 3 * 3600 + 1800),
        _ => NOW,
    }
}

/// What a kind's page is read as by file and over loopback: the same both ways.
fn both_ways(kind: &str, name: &str, now: UnixSeconds) -> (u8, String, Result<Says, String>) {
    let bytes = page(kind, name);
    let server = Server::new(vec![Act::answer(200, "Content-Type: text/html\r\n", &bytes)]);
    let cfg = cfg(kind, &format!("{}/load", server.url), "");
    let (code, shown) = explained_file(&cfg, name, bytes, now);
    let read = sensed(&cfg, now);
    assert_eq!(code == 0, read.is_ok(), "{kind}/{name}: {read:?}\n{shown}");
    let (again, today) = explained(&cfg, minectl::commands::signal::Source::Web, now);
    assert_eq!(again, code, "{today}");
    (code, shown, read.map(|reading| says(&cfg.signal.meaning, &reading.value)).map_err(|fault| fault.detail))
}

#[test]
fn every_kind_of_page_says_run_and_curtail_as_it_should() {
    for (kind, _) in KINDS {
        let (mut on, mut off) = (0, 0);
        for name in pages(kind, "o") {
            let is_off = name.starts_with("off");
            let (_, shown, said) = both_ways(kind, &name, moment(kind, &name));
            let wanted = if is_off { Says::Curtail } else { Says::Run };
            assert_eq!(said, Ok(wanted), "{kind}/{name}\n{shown}");
            assert!(shown.contains(if is_off { "Verdict: CURTAIL" } else { "Verdict: RUN" }), "{shown}");
            if is_off { off += 1 } else { on += 1 }
        }
        assert!(on > 0 && off > 0, "{kind} has no page of one kind");
    }
}

#[test]
fn a_page_that_changed_is_not_read_and_says_why_and_what_to_do() {
    for (kind, bad) in KINDS {
        assert_eq!(pages(kind, "bad").len(), bad.len(), "each bad page of {kind} has its reason here");
        for (name, why) in bad {
            let (code, shown, said) = both_ways(kind, name, NOW);
            let reason = said.expect_err(name);
            assert!(reason.replace('\u{a0}', " ").contains(why), "{kind}/{name}: {reason}");
            assert_eq!(code, 1);
            assert!(shown.contains("FAIL") && shown.contains("  -> "), "{shown}");
            assert!(shown.contains("Verdict: no reading"), "{shown}");
        }
    }
}

#[test]
fn explain_shows_each_check_in_order_with_what_it_saw() {
    let cfg = cfg("number_in_table", "http://127.0.0.1:9/load", "");
    let (code, shown) = explained_file(&cfg, "on.html", page("number_in_table", "on.html"), NOW);
    assert_eq!(code, 0);
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], "Power signal: on.html, as of 2026-11-22 14:10:00 CST");
    let starts =
        ["  ok    file", "  ok    texts", "  ok    stamp", "  ok    element", "  ok    pattern", "  ok    value"];
    for (line, start) in lines[1..].iter().zip(starts) {
        assert!(line.starts_with(start), "{shown}");
    }
    for words in ["5 min old; limit 30 min", "selector `#load-number` is `287.5`", "number 287.5, within 50 to 500"] {
        assert!(shown.contains(words), "{words} is not in: {shown}");
    }
    assert!(shown.contains("Verdict: RUN: miners may run, after 3 such readings (off from 310, on again below 300)"));
}

#[test]
fn explain_names_the_elements_that_could_be_meant() {
    let cfg = cfg("number_in_table", "http://127.0.0.1:9/load", "");
    let (_, shown) = explained_file(&cfg, "x", page("number_in_table", "bad_structure.html"), NOW);
    assert!(shown.contains("->   td.value `287.5`"), "{shown}");
    let (_, shown) = explained_file(&cfg, "x", page("number_in_table", "bad_two.html"), NOW);
    assert!(shown.contains("make `signal.selector` narrower"), "{shown}");
    let frame = b"<p>Prairie Hills System load</p><iframe src=\"/inner/load.asp\"></iframe><script>get('/data/load.json')</script>";
    let (_, shown) = explained_file(&cfg, "x", frame.to_vec(), NOW);
    assert!(shown.contains("has a frame; the value may be in /inner/load.asp"), "{shown}");
    assert!(shown.contains("a script loads /data/load.json; see `signal.json`"), "{shown}");
}
