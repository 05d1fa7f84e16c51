//! The signal page: what is read, and every check that a page can fail.

use minectl::config::{PagePlace, SignalConfig, SignalMeaning, StampConfig};
use minectl::drivers::parse;
use minectl::model::{Fault, FaultKind, SignalReading, SignalValue};
use minectl::units::{Seconds, UnixSeconds};

use crate::config::{NOWHERE, signal};

/// 2026-11-22 14:10 in Chicago.
const NOW: UnixSeconds = UnixSeconds(1_795_378_200);

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/signal/table.html")).unwrap()
}

fn element(selector: &str) -> PagePlace {
    PagePlace::Element { selector: selector.to_owned(), attribute: None }
}

fn with_stamp() -> SignalConfig {
    let mut cfg = signal(NOWHERE);
    cfg.stamp = Some(StampConfig {
        place: element("#updated"),
        format: "Last updated: %m/%d/%Y %I:%M %p".to_owned(),
        is_clock: false,
        max_age: Seconds(1800),
    });
    cfg
}

fn read(body: &str, cfg: &SignalConfig, now: UnixSeconds) -> Result<SignalReading, Fault> {
    parse::signal(body, cfg, "America/Chicago", now)
}

fn refused(body: &str, cfg: &SignalConfig) -> (FaultKind, String) {
    let fault = read(body, cfg, NOW).unwrap_err();
    assert_eq!(fault.device, "signal");
    (fault.kind, fault.detail)
}

fn words(curtail: &[&str], run: &[&str]) -> SignalConfig {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut cfg = signal(NOWHERE);
    cfg.place = element("#load-status");
    cfg.pattern = "^(.+)$".to_owned();
    cfg.must_contain = vec!["Load management".to_owned()];
    cfg.meaning = SignalMeaning::Words { curtail: owned(curtail), run: owned(run) };
    cfg
}

#[test]
fn a_number_is_read_with_text_stamp_and_hash() {
    let reading = read(&page(), &with_stamp(), NOW).unwrap();
    assert_eq!(reading.text, "287.5 MW", "white space of any kind is folded");
    assert_eq!(reading.value, SignalValue::Number(287.5));
    assert_eq!(reading.stamp, Some(UnixSeconds(1_795_377_900)));
    assert_eq!(reading.hash.len(), 16);
    let other = read(&page().replace("287.5", "287.6"), &with_stamp(), NOW).unwrap();
    assert_ne!(reading.hash, other.hash);
}

#[test]
fn words_are_compared_without_case_and_unknown_ones_refused() {
    let body = include_str!("../fixtures/signal/word.html");
    let value = |cfg: &SignalConfig| read(body, cfg, NOW).map(|reading| reading.value);
    assert_eq!(value(&words(&["CONTROL"], &["NORMAL"])), Ok(SignalValue::CurtailWord("Control".to_owned())));
    assert_eq!(value(&words(&["OFF"], &["control"])), Ok(SignalValue::RunWord("Control".to_owned())));
    let unknown = refused(body, &words(&["OFF"], &["ON"]));
    assert_eq!(unknown, (FaultKind::Unreadable, "word `Control` is not known; known are `OFF`, `ON`".to_owned()));
}

#[test]
fn exactly_one_element_must_match() {
    let with = |selector: &str| SignalConfig { place: element(selector), ..signal(NOWHERE) };
    let two = refused(&page(), &with(".forecast"));
    assert_eq!(two, (FaultKind::Unreadable, "selector `.forecast` matches 2 elements; wanted 1".to_owned()));
    let none = refused(&page(), &with("#gone"));
    assert_eq!(none, (FaultKind::Missing, "selector `#gone` matches no element; wanted 1".to_owned()));
}

#[test]
fn texts_that_must_and_must_not_be_there_are_looked_for_in_any_case() {
    let mut cfg = signal(NOWHERE);
    cfg.must_contain = vec!["SYSTEM LOAD".to_owned(), "prairie hills".to_owned()];
    assert!(read(&page(), &cfg, NOW).is_ok());
    cfg.must_contain.push("Corn Belt".to_owned());
    let (kind, detail) = refused(&page(), &cfg);
    assert_eq!(kind, FaultKind::WrongDevice);
    assert!(detail.starts_with("page does not contain `Corn Belt`; it begins `Prairie Hills Electric"), "{detail}");
    let inside = page().replace("<table>", "<!-- mysql: Connect  Failed --><table>");
    let bad = refused(&inside, &signal(NOWHERE));
    assert_eq!(bad, (FaultKind::Unreadable, "page contains `connect failed`, which it must not".to_owned()));
}

#[test]
fn numbers_that_are_none_or_not_believed_are_refused() {
    let at = |number: &str| refused(&page().replace("287.5", number), &signal(NOWHERE));
    assert_eq!(at("28,75").1, "`28,75` is not a number as this page writes it");
    assert_eq!(at("n/a").1, r"text `n/a MW` does not match the pattern `^\s*([-0-9.,]+)\s*(?:MW)?\s*$`");
    assert_eq!(at("49.9").1, "49.9 is outside the range 50 to 500 that is believed");
    assert_eq!(at("500.1").0, FaultKind::OutOfRange);
    for number in ["50", "500"] {
        assert!(read(&page().replace("287.5", number), &signal(NOWHERE), NOW).is_ok());
    }
}

#[test]
fn the_pages_own_stamp_may_not_be_old_and_one_ahead_is_handed_on() {
    let stamp = UnixSeconds(1_795_377_900);
    let at = |now: UnixSeconds| read(&page(), &with_stamp(), now);
    assert!(at(stamp.plus(Seconds(1800))).is_ok());
    let old = at(stamp.plus(Seconds(1801))).unwrap_err();
    let seen = "page's own time stamp `Last updated: 11/22/2026 02:05 PM`";
    assert_eq!((old.kind, old.detail), (FaultKind::Stale, format!("{seen} is 30 min 1 s old; limit 30 min")));
    assert_eq!(at(stamp.minus(Seconds(36_000))).unwrap().stamp, Some(stamp));
    let (kind, detail) = refused(&page().replace("02:05 PM", "soon"), &with_stamp());
    assert_eq!(kind, FaultKind::Unreadable);
    assert!(detail.contains("is not written as `Last updated: %m/%d/%Y %I:%M %p`"), "{detail}");
}

#[test]
fn what_is_quoted_from_a_page_is_short_and_clean() {
    let long = format!("\u{1}<i>{}</i>", "x".repeat(500));
    let (_, detail) = refused(&page().replace("287.5", &long), &signal(NOWHERE));
    assert!(detail.chars().count() < 200 && !detail.chars().any(char::is_control), "{detail:?}");
}

#[test]
fn an_empty_page_and_a_login_page_say_so() {
    assert_eq!(refused(" \r\n", &signal(NOWHERE)).1, "page is empty");
    let portal = "<html><h1>Guest network</h1><input type=\"password\"></html>";
    assert_eq!(refused(portal, &signal(NOWHERE)).0, FaultKind::Refused);
}
