//! `signal learn`: what it proposes reads every page rightly, and it refuses what cannot be told apart.

use minectl::commands::signal::{Sample, Site, learn};
use minectl::decide::{Says, says};
use minectl::drivers::parse;
use minectl::error::Error;
use minectl::units::UnixSeconds;

use crate::support::*;

fn learned(samples: &[(&str, bool, Vec<u8>)]) -> Result<String, String> {
    let sample = |(name, off, bytes): &(&str, bool, Vec<u8>)| Sample {
        name: (*name).to_owned(),
        off: *off,
        bytes: bytes.clone(),
    };
    let samples: Vec<Sample> = samples.iter().map(sample).collect();
    let site = Site { url: Some("https://example.org/load".to_owned()), time_zone: "America/Chicago".to_owned() };
    let mut out = Vec::new();
    match learn(&samples, &site, &mut out) {
        Ok(_) => Ok(String::from_utf8(out).unwrap()),
        Err(Error::Usage(text)) => Err(text),
        Err(other) => panic!("{other}"),
    }
}

fn of_kind(kind: &str) -> Vec<(String, bool, Vec<u8>)> {
    pages(kind, "o").into_iter().map(|name| (name.clone(), name.starts_with("off"), page(kind, &name))).collect()
}

/// The proposed section alone.
fn section(printed: &str) -> String {
    let start = printed.find("[signal]\n").unwrap();
    let end = start + printed[start..].find("\n\n").unwrap();
    printed[start..end].to_owned() + "\n"
}

#[test]
fn what_is_proposed_for_each_kind_is_read_by_the_configuration_and_reads_its_pages_rightly() {
    for (kind, words) in [
        ("number_in_table", "selector = \"#load-number\""),
        ("words", "selector = \"#load-status\""),
        ("on_means_power_on", "words_run = [\"ON\"]"),
        ("gauge_image", "attribute = \"src\""),
        ("prose_with_times", "selector = \"div.alert-text\""),
        ("json", "json = \"/load/now\""),
        ("clock_without_date", "selector = \"#state\""),
        ("nbsp_and_thousands", "selector = \"#demand\""),
        ("latin_1", "selector = \"#n\""),
        ("number_in_script", "selector = \"#data\""),
        ("low_means_off", "off_when = \"low\""),
        ("likelihood", "Interruptible"),
    ] {
        let samples = of_kind(kind);
        let borrowed: Vec<_> = samples.iter().map(|(name, off, bytes)| (name.as_str(), *off, bytes.clone())).collect();
        let printed = learned(&borrowed).unwrap_or_else(|refused| panic!("{kind}: {refused}"));
        assert!(printed.contains(words), "{kind}: {printed}");
        let cfg = with_lines(&section(&printed));
        for (name, off, bytes) in &samples {
            let text = minectl::drivers::page::decode(bytes, None).text;
            let mut signal = cfg.signal.clone();
            // Judged at its own time by the proof; here the stamp's age does not matter.
            signal.stamp = None;
            let reading = parse::signal(&text, &signal, "America/Chicago", UnixSeconds(0)).unwrap();
            let wanted = if *off { Says::Curtail } else { Says::Run };
            assert_eq!(says(&signal.meaning, &reading.value), wanted, "{kind}/{name}");
            assert!(printed.contains(&format!("{name}: `")), "no proof of {name}: {printed}");
        }
        for bad in pages(kind, "bad") {
            let text = minectl::drivers::page::decode(&page(kind, &bad), None).text;
            let read = parse::signal(&text, &cfg.signal, "America/Chicago", NOW);
            let is_run = read.as_ref().is_ok_and(|r| says(&cfg.signal.meaning, &r.value) == Says::Run);
            let only_older = bad.contains("old") || bad.contains("stamp") || bad.contains("clock");
            assert!(!is_run || only_older, "{kind}/{bad} is read as run: {read:?}\n{printed}");
        }
    }
}

#[test]
fn the_stamp_of_the_pages_is_proposed_too() {
    let samples = of_kind("number_in_table");
    let borrowed: Vec<_> = samples.iter().map(|(name, off, bytes)| (name.as_str(), *off, bytes.clone())).collect();
    let cfg = with_lines(&section(&learned(&borrowed).unwrap())).signal;
    assert_eq!(cfg.stamp.unwrap().format, "%m/%d/%Y %I:%M %p");
    assert_eq!(cfg.must_contain, ["Prairie Hills Electric"]);
}

#[test]
fn polarity_follows_the_lists_and_not_the_words() {
    let page = |word: &str| format!("<p id=\"s\">{word}</p>").into_bytes();
    let printed = learned(&[("a", false, page("OFF")), ("b", true, page("ON"))]).unwrap();
    assert!(printed.contains("words_curtail = [\"ON\"]\nwords_run = [\"OFF\"]"), "{printed}");
    let printed = learned(&[("a", false, page("12 %")), ("b", true, page("5 %"))]).unwrap();
    assert!(printed.contains("off_when = \"low\""), "{printed}");
}

#[test]
fn pages_that_cannot_be_told_apart_are_refused() {
    let page = |number: &str| format!("<p id=\"load\">{number} MW</p>").into_bytes();
    let same = learned(&[("a", false, page("300")), ("b", true, page("300"))]).unwrap_err();
    assert!(same.contains("`a` (on) and `b` (off) are the same page"), "{same}");
    let mixed = [("a", false, page("290")), ("b", true, page("300")), ("c", false, page("310"))];
    let refused = learned(&mixed).unwrap_err();
    assert!(refused.contains("cannot be told apart") && refused.contains("`290 MW`, `300 MW`, `310 MW`"), "{refused}");
    let unnamed = |number: &str| format!("<p>{number}</p><!-- {number} -->").into_bytes();
    assert!(learned(&[("a", false, unnamed("")), ("b", true, unnamed(" "))]).unwrap_err().contains("nothing differs"));
}

#[test]
fn dates_and_times_are_not_taken_for_the_signal() {
    let page = |day: u32, hour: u32| {
        format!(
            "<div id=\"status\">Power load page for 11/{day}/2026 {hour}:05 PM</div><p id=\"d\">Nov {day}, 2026</p>"
        )
        .into_bytes()
    };
    let refused = learned(&[("a", false, page(3, 2)), ("b", true, page(22, 5))]);
    assert!(refused.is_err(), "{refused:?}");
}
