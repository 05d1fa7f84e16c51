//! The utility's page: fetched fresh, and believed only after every configured check. What its value means for the
//! miners, and how long it counts, is not decided here.

mod charset;
mod fetch;
mod place;
mod stamp;
mod value;

use sha2::{Digest, Sha256};

use super::common::{Limits, is_login_page};
use crate::config::{SignalConfig, SignalMeaning, StampConfig};
use crate::http::excerpt;
use crate::model::{Fault, FaultKind, Reading, SignalReading, SignalValue};
use crate::units::UnixSeconds;

pub use charset::{Decoded, decode};
pub use fetch::{Freshness, SignalPage, check_freshness};
pub use place::{Document, PAGE_MAX, folded, html, open, seen_text, shown, text_at};
pub use stamp::moment;
pub use value::{find, strict_number};

/// The device's name.
pub(super) const NAME: &str = "signal";

/// One check of a page and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What is checked: `texts`, `stamp`, `element`, `pattern`, `value`.
    pub name: &'static str,
    /// What was seen, in words, or why the page is not believed; `None`: an earlier one left nothing to look at.
    pub result: Option<Result<String, Fault>>,
}

/// All checks of one page, and the reading that follows from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Examination {
    /// In their order; those after a failed one are made too, where they can be.
    pub checks: Vec<Check>,
    /// The reading; the fault is that of the first check that failed.
    pub reading: Reading<SignalReading>,
}

/// Fetches the page and reads it. The page is handed back whenever one came, believed or not.
pub(super) fn read(
    cfg: &SignalConfig,
    time_zone: &str,
    now: UnixSeconds,
    limits: Limits,
) -> (Reading<SignalReading>, Option<SignalPage>) {
    let (page, fetched) = fetch::fetch(cfg, limits);
    let Some(page) = page else {
        let missing = || fault(FaultKind::Broken, "no answer".to_owned());
        return (Err(fetched.err().unwrap_or_else(missing)), None);
    };
    let reading = fetched
        .and_then(|()| check_freshness(&page, cfg, now))
        .and_then(|_| parse(&page.decoded().text, cfg, time_zone, now))
        .map(|reading| SignalReading { hash: hash(&page.bytes), ..reading });
    (reading, Some(page))
}

/// Fetches the page within its own time limit and reads nothing in it; the fault says why it is not to be read.
pub fn fetch(cfg: &SignalConfig) -> (Option<SignalPage>, Result<(), Fault>) {
    let until = std::time::Instant::now() + cfg.timeout.duration();
    fetch::fetch(cfg, Limits { timeout: cfg.timeout, until })
}

fn fault(kind: FaultKind, detail: String) -> Fault {
    Fault::new(NAME, kind, detail)
}

/// What names a page: the SHA-256 of its bytes, the first 16 hex digits.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What a page says at `now`, after all checks in this order: texts, stamp, the one element, pattern, value.
pub fn parse(body: &str, cfg: &SignalConfig, time_zone: &str, now: UnixSeconds) -> Reading<SignalReading> {
    examine(body, cfg, time_zone, now).reading
}

/// Every check of a page at `now`, each as far as it can be made.
pub fn examine(body: &str, cfg: &SignalConfig, time_zone: &str, now: UnixSeconds) -> Examination {
    let document = match opened(body, cfg) {
        Ok(document) => document,
        Err(fault) => {
            let checks = vec![Check { name: "page", result: Some(Err(fault.clone())) }];
            return Examination { checks, reading: Err(fault) };
        }
    };
    let texts = check_texts(body, &document, cfg);
    let stamp = cfg.stamp.as_ref().map(|stamp| check_stamp(&document, stamp, time_zone, now));
    let text = text_at(&document, &cfg.place);
    let found = text.as_ref().ok().map(|text| find(text, &cfg.pattern));
    let value = match (&text, &found) {
        (Ok(text), Some(Ok(found))) => Some(value::value(text, found, &cfg.meaning)),
        _ => None,
    };
    let zone = stamp.clone().transpose();
    let reading = reading(body, texts.clone(), zone, text.clone(), found.as_ref(), value.clone());
    let checks = vec![
        Check { name: "texts", result: Some(texts.map(|()| said_of_texts(cfg))) },
        Check { name: "stamp", result: stamp.map(|stamp| stamp.map(|at| said_of_stamp(at, cfg, now))) },
        Check {
            name: "element",
            result: Some(text.map(|text| format!("{} is `{}`", shown(&cfg.place), excerpt(&text)))),
        },
        Check {
            name: "pattern",
            result: found.map(|found| {
                found.map(|found| format!("`{}` finds `{}`", excerpt(&cfg.pattern), excerpt(&found.text)))
            }),
        },
        Check { name: "value", result: value.map(|value| value.map(|value| said_of_value(&value, cfg))) },
    ];
    Examination { checks, reading }
}

fn reading(
    body: &str,
    texts: Result<(), Fault>,
    stamp: Result<Option<UnixSeconds>, Fault>,
    text: Result<String, Fault>,
    found: Option<&Result<value::Found, Fault>>,
    value: Option<Result<SignalValue, Fault>>,
) -> Reading<SignalReading> {
    texts?;
    let stamp = stamp?;
    let text = text?;
    if let Some(Err(fault)) = found {
        return Err(fault.clone());
    }
    let value = value.unwrap_or_else(|| Err(fault(FaultKind::Unreadable, "page has no value".to_owned())))?;
    Ok(SignalReading { text, value, stamp, hash: hash(body.as_bytes()) })
}

/// The page as what the configuration asks for.
fn opened(body: &str, cfg: &SignalConfig) -> Result<Document, Fault> {
    if body.trim().is_empty() {
        return Err(fault(FaultKind::Unreadable, "page is empty".to_owned()));
    }
    if body.contains('\0') {
        return Err(fault(FaultKind::WrongDevice, "page is not text: there are zero bytes in it".to_owned()));
    }
    open(body, &cfg.place)
}

/// A text may be in what a reader sees or anywhere in the source, in any case.
fn check_texts(body: &str, document: &Document, cfg: &SignalConfig) -> Result<(), Fault> {
    let plain = |text: &str| folded(text).replace('\u{a0}', " ").to_lowercase();
    let seen = match document {
        Document::Page(page) => plain(&seen_text(page.root_element())),
        Document::Json(_) => String::new(),
    };
    let source = plain(body);
    let has = |text: &String| {
        let wanted = plain(text);
        seen.contains(&wanted) || source.contains(&wanted)
    };
    if let Some(text) = cfg.must_not_contain.iter().find(|text| has(text)) {
        let detail = format!("page contains `{}`, which it must not", excerpt(text));
        return Err(fault(FaultKind::Unreadable, detail));
    }
    if let Some(text) = cfg.must_contain.iter().find(|text| !has(text)) {
        if is_login_page(body) {
            let detail = format!("a login page came instead: `{}`", excerpt(body));
            return Err(fault(FaultKind::Refused, detail));
        }
        let detail = format!("page does not contain `{}`; it begins `{}`", excerpt(text), excerpt(body));
        return Err(fault(FaultKind::WrongDevice, detail));
    }
    Ok(())
}

/// The page's own stamp; too old is `Stale`. One ahead of `now` is handed on: whose clock is wrong, the rules weigh.
fn check_stamp(
    document: &Document,
    cfg: &StampConfig,
    time_zone: &str,
    now: UnixSeconds,
) -> Result<UnixSeconds, Fault> {
    let text = text_at(document, &cfg.place)
        .map_err(|fault| Fault { detail: format!("time stamp: {}", fault.detail), ..fault })?;
    let stamp = moment(&text, &cfg.format, time_zone, now).ok_or_else(|| {
        let detail = format!("time stamp `{}` is not written as `{}`", excerpt(&text), excerpt(&cfg.format));
        fault(FaultKind::Unreadable, detail)
    })?;
    let age = now.since(stamp);
    if age > cfg.max_age {
        let detail = format!("page's own time stamp `{}` is {age} old; limit {}", excerpt(&text), cfg.max_age);
        return Err(fault(FaultKind::Stale, detail));
    }
    Ok(stamp)
}

fn listed(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{}`", excerpt(text))).collect::<Vec<_>>().join(", ")
}

fn said_of_texts(cfg: &SignalConfig) -> String {
    match (cfg.must_contain.as_slice(), cfg.must_not_contain.as_slice()) {
        ([], []) => "none are asked for".to_owned(),
        (has, []) => format!("has {}", listed(has)),
        ([], not) => format!("does not have {}", listed(not)),
        (has, not) => format!("has {}; does not have {}", listed(has), listed(not)),
    }
}

fn said_of_stamp(at: UnixSeconds, cfg: &SignalConfig, now: UnixSeconds) -> String {
    let limit = cfg.stamp.as_ref().map(|stamp| format!("; limit {}", stamp.max_age)).unwrap_or_default();
    match at.since(now) {
        ahead if ahead.0 > 0 => format!("{ahead} ahead of this machine's clock{limit}"),
        _ => format!("{} old{limit}", now.since(at)),
    }
}

fn said_of_value(value: &SignalValue, cfg: &SignalConfig) -> String {
    match (value, &cfg.meaning) {
        (SignalValue::Number(number), SignalMeaning::Number { range: (min, max), .. }) => {
            format!("number {number}, within {min} to {max}")
        }
        (SignalValue::Number(number), SignalMeaning::Words { .. }) => format!("number {number}"),
        (SignalValue::CurtailWord(word), _) => format!("`{}` is in `words_curtail`", excerpt(word)),
        (SignalValue::RunWord(word), _) => format!("`{}` is in `words_run`", excerpt(word)),
    }
}
