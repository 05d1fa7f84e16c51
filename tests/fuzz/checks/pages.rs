//! The utility's page: character set, place, pattern, value, stamp. The page of another site, which `fleet` shows. And what
//! a browser sends to the pages behind a password.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use minectl::cgi::{Key, Method, Request};
use minectl::commands::fleet;
use minectl::config::SignalMeaning;
use minectl::drivers::page::{decode, examine, moment, strict_number};
use minectl::model::SignalValue;

use super::kinds::signals;
use super::{NOW, is_number, is_quotable, read, steady};

const ZONE: &str = "America/Chicago";

const HEADERS: [Option<&str>; 3] = [None, Some("text/html; charset=ISO-8859-1"), Some("text/html; charset=utf-16le")];

const FORMATS: [&str; 8] = [
    "%m/%d/%Y %I:%M %p %Z",
    "%m/%d/%Y %I:%M %p",
    "Status at %H:%M CST - Last Switching Cycle",
    "%s",
    "%A %I:%M %p",
    "%b %d, %I:%M %p",
    "%Y-%m-%dT%H:%M:%S%:z",
    "%Y-%m-%dT%H:%M:%SZ",
];

pub fn signal_page(bytes: &[u8]) -> bool {
    let mut is_read = false;
    for (place, header) in HEADERS.into_iter().enumerate() {
        let text = steady(|| decode(bytes, header).text);
        assert!(text.len() <= 4 * bytes.len() + 16, "{} bytes of text out of {}", text.len(), bytes.len());
        // Every kind of page for the plain case, some for the others: the kinds do not look at bytes.
        for cfg in signals().iter().step_by(1 + 5 * place) {
            let seen = steady(|| examine(&text, &cfg.signal, ZONE, NOW));
            for check in &seen.checks {
                if let Some(Err(fault)) = &check.result {
                    is_quotable(fault);
                }
            }
            let Some(reading) = read(seen.reading) else { continue };
            is_read = true;
            assert!(reading.text.len() <= text.len() && reading.hash.len() == 16);
            match (reading.value, &cfg.signal.meaning) {
                (SignalValue::Number(number), SignalMeaning::Number { range: (min, max), .. }) => {
                    is_number(Some(number), *min..=*max, &text);
                }
                (SignalValue::CurtailWord(word), SignalMeaning::Words { curtail: known, .. })
                | (SignalValue::RunWord(word), SignalMeaning::Words { run: known, .. }) => {
                    assert!(known.iter().any(|one| one.to_lowercase() == word.to_lowercase()), "{word} is not known");
                }
                (value, meaning) => panic!("{value:?} for {meaning:?}"),
            }
        }
    }
    is_read
}

pub fn signal_stamp(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let number = steady(|| strict_number(&text));
    assert!(number.as_ref().is_none_or(|number| number.is_finite()), "{number:?}");
    // Each format is tried, whatever the first one says.
    FORMATS.iter().filter_map(|format| steady(|| moment(&text, format, ZONE, NOW))).count() > 0
}

/// What another site says of itself: what goes onto a terminal or into a table is text and nothing else, and what is too old
/// is never well.
pub fn fleet(bytes: &[u8]) -> bool {
    let Ok(seen) = steady(|| fleet::read(bytes, NOW)) else { return false };
    let texts = [&seen.site, &seen.mode, &seen.state, &seen.headline, &seen.worry, &seen.signal];
    for words in texts.into_iter().chain([&seen.power.text, &seen.intake.text]) {
        assert!(!words.chars().any(char::is_control), "control characters: {words:?}");
        assert!(words.len() <= 4096, "{} bytes: {words:.200}", words.len());
    }
    let numbers = [seen.signal_number, seen.power.number, seen.intake.number];
    assert!(numbers.into_iter().flatten().all(f64::is_finite), "{numbers:?}");
    assert!(!seen.is_stale || seen.verdict() == fleet::Verdict::Critical, "stale, and yet {:?}", seen.verdict());
    true
}

/// The web server's variables, a line each, an empty line, the body.
pub fn browser(bytes: &[u8]) -> bool {
    static KEY: OnceLock<Key> = OnceLock::new();
    let key = KEY.get_or_init(|| Key::open(tempfile::tempdir().unwrap().path()).unwrap());
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]);
    let variables: BTreeMap<&str, &str> = head.lines().filter_map(|line| line.split_once('=')).collect();
    let variable = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let read = || Request::read(&variable, &mut bytes.get(end + 2..).unwrap_or_default());
    let request = match steady(read) {
        Ok(request) => request,
        Err(refusal) => {
            assert!((400..500).contains(&refusal.status) && !refusal.text.contains(char::is_control), "{refusal:?}");
            return false;
        }
    };
    assert!(request.method == Method::Post || request.form.find("token").is_none(), "a form without a POST");
    assert!(!request.who().chars().any(char::is_control), "control characters: {:?}", request.who());
    // It stands in links and redirects.
    assert!(!request.base.starts_with("//") && !request.base.contains(['"', '<', ':', '\\']), "{:?}", request.base);
    if let Some(session) = &request.session {
        let check = |token: &str| key.check(token, &request.user, session, NOW);
        assert!(check(request.form.get("token")).is_err(), "a token that was never given out is taken");
        assert_eq!(check(&key.token(&request.user, session, NOW)), Ok(()));
    }
    true
}
