//! What an operator changes when a check of the page fails: candidates taken from the page itself. It proposes; whether a
//! value means off, only the utility knows.

use regex::Regex;
use scraper::{ElementRef, Html, Selector};

use crate::config::{PagePlace, SignalConfig, SignalMeaning};
use crate::drivers::page::{folded, html, seen_text};
use crate::http::excerpt;
use crate::model::{Fault, FaultKind};

/// Candidates that are shown.
const SHOWN_MAX: usize = 8;
/// The longest text of a candidate.
const TEXT_MAX: usize = 60;

/// When the page could not be fetched.
pub(super) fn of_fetch(fault: &Fault) -> Vec<String> {
    let never_came = [FaultKind::Unreachable, FaultKind::TimedOut, FaultKind::Broken];
    let way_out = if never_came.contains(&fault.kind) {
        "open the address on this machine with `curl -v`: is the internet there, is the name right?"
    } else if fault.kind == FaultKind::Refused {
        "the page wants a login now; ask the utility for one that does not"
    } else {
        "open the address in a browser; set `signal.url` to the one that it ends at"
    };
    vec![way_out.to_owned()]
}

/// When the page is an old copy.
pub(super) fn of_copy(cfg: &SignalConfig, fault: &Fault) -> Vec<String> {
    if cfg.modified_max_age.is_some() && fault.detail.contains("Last-Modified") {
        return vec![
            "has the utility's page stopped? if its file moves only with the number, drop `modified_max_age`"
                .to_owned(),
        ];
    }
    let first = "compare `timedatectl` here with the page's header lines (`curl -sI`)";
    let second = format!(
        "if the utility's caches are slow by design, raise `signal.cached_max_age` (now {}); calls are then seen later",
        cfg.cached_max_age
    );
    vec![first.to_owned(), second]
}

/// When a check of the page's content failed.
pub(super) fn of_check(name: &str, fault: &Fault, text: &str, cfg: &SignalConfig) -> Vec<String> {
    match name {
        "texts" => of_texts(fault),
        "stamp" => of_stamp(fault, text),
        "element" => of_place(text, cfg),
        "pattern" => of_pattern(cfg),
        "value" => of_value(fault, cfg),
        _ => vec!["open the address in a browser: is this still the utility's page?".to_owned()],
    }
}

fn of_texts(fault: &Fault) -> Vec<String> {
    let way_out = if fault.kind == FaultKind::Refused {
        "the page wants a login now; ask the utility for one that does not"
    } else if fault.kind == FaultKind::WrongDevice {
        "if this is the right page with new wording, take one of its texts for `must_contain`"
    } else {
        "if the page says so on good days too, make the text in `must_not_contain` longer"
    };
    vec![way_out.to_owned()]
}

fn of_stamp(fault: &Fault, text: &str) -> Vec<String> {
    if fault.kind == FaultKind::Stale {
        return vec![
            "if the page stands still: call the utility; if it is made anew less often, raise `stamp_max_age`"
                .to_owned(),
            "a page saved earlier: judge it as of then with `--at \"2026-11-22 14:10\"`".to_owned(),
        ];
    }
    let mut ways = vec!["fit `stamp_selector` and `stamp_format` to what the page shows now".to_owned()];
    if let (Ok(page), Ok(times)) = (html(text), Regex::new(r"\d{1,2}:\d{2}")) {
        ways.extend(candidates(&page, |text| times.is_match(text)));
    }
    ways
}

fn of_place(text: &str, cfg: &SignalConfig) -> Vec<String> {
    let PagePlace::Element { selector, .. } = &cfg.place else {
        return vec![format!("the answer begins `{}`; fit `signal.json` to it", excerpt(text))];
    };
    let Ok(page) = html(text) else { return Vec::new() };
    let mut ways = Vec::new();
    let matches: Vec<ElementRef<'_>> = match Selector::parse(selector) {
        Ok(parsed) => page.select(&parsed).take(SHOWN_MAX).collect(),
        Err(_) => Vec::new(),
    };
    if matches.len() > 1 {
        ways.push("make `signal.selector` narrower; it matches:".to_owned());
        ways.extend(matches.iter().map(|element| format!("  {} `{}`", name_of(*element), short(*element))));
        return ways;
    }
    let wants_number = matches!(cfg.meaning, SignalMeaning::Number { .. });
    let fits = |text: &str| !wants_number || text.contains(|c: char| c.is_ascii_digit());
    ways.push(
        "the page's layout may have changed: set `signal.selector` to one of these, or run `signal learn`".to_owned(),
    );
    ways.extend(candidates(&page, fits));
    ways.extend(elsewhere(&page, text));
    ways
}

fn of_pattern(cfg: &SignalConfig) -> Vec<String> {
    let mut ways =
        vec!["fit `signal.pattern` to the text above: group 1 is the value, and nothing else may match".to_owned()];
    match cfg.meaning {
        SignalMeaning::Number { .. } => {
            ways.push(r"a number alone, thousands with no-break blanks: '^([-0-9.,\s]+?)\s*(?:MW)?$'".to_owned());
            ways.push(r"a number after its label: 'System load:?\s+([-0-9.,]+)'".to_owned());
        }
        SignalMeaning::Words { .. } => ways.push("the whole text as one word: '^(.+)$'".to_owned()),
    }
    ways
}

fn of_value(fault: &Fault, cfg: &SignalConfig) -> Vec<String> {
    match (&cfg.meaning, fault.kind) {
        (SignalMeaning::Words { .. }, _) => {
            vec!["ask the utility what this word means, then add it to `words_curtail` or `words_run`".to_owned()]
        }
        (_, FaultKind::OutOfRange) => {
            vec!["if the utility confirms the number, widen `signal.range`; if not, the page is broken".to_owned()]
        }
        _ => vec!["the pattern must take the whole number: digits, commas in threes, a decimal point".to_owned()],
    }
}

/// Elements with an id or a class of their own and a short text that fits.
fn candidates(page: &Html, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let Ok(named) = Selector::parse("[id], [class]") else { return Vec::new() };
    let texts = page.select(&named).map(|element| (element, folded(&seen_text(element))));
    let short = texts.filter(|(_, text)| !text.is_empty() && text.chars().count() <= TEXT_MAX && fits(text));
    short.take(SHOWN_MAX).map(|(element, text)| format!("  {} `{}`", name_of(element), excerpt(&text))).collect()
}

fn name_of(element: ElementRef<'_>) -> String {
    let node = element.value();
    match (node.id(), node.classes().next()) {
        (Some(id), _) => format!("#{id}"),
        (None, Some(class)) => format!("{}.{class}", node.name()),
        (None, None) => node.name().to_owned(),
    }
}

fn short(element: ElementRef<'_>) -> String {
    excerpt(&folded(&seen_text(element)))
}

/// Other addresses that may hold the value: frames, a page that sends on, JSON that a script loads.
fn elsewhere(page: &Html, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (selector, attribute, what) in [
        ("iframe[src], frame[src]", "src", "the page has a frame; the value may be in"),
        ("meta[http-equiv='refresh' i]", "content", "the page sends the browser on:"),
    ] {
        let Ok(selector) = Selector::parse(selector) else { continue };
        let all = page.select(&selector).filter_map(|element| element.value().attr(attribute));
        found.extend(all.take(3).map(|value| format!("{what} {}", excerpt(value))));
    }
    if let Ok(json) = Regex::new(r#"["']([^"'\s<>]{1,200}(?:\.json|/api/)[^"'\s<>]{0,200})["']"#) {
        let all = json.captures_iter(text).filter_map(|groups| groups.get(1)).take(3);
        found.extend(all.map(|at| format!("a script loads {}; see `signal.json`", excerpt(at.as_str()))));
    }
    found
}
