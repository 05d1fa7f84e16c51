//! What a board's answer says: JSON or XML, in the words of four generations of boards, with what small devices leave out
//! or add. A relay is on or off where it says 1 or 0, and unreadable where it says anything else. No I/O.

use std::collections::BTreeMap;

use crate::drivers::common::lenient::{Problem, object};
use crate::drivers::common::{is_login_page, text_of, unreadable_json};
use crate::http::excerpt;
use crate::model::{Fault, FaultKind};

/// The words of a board for its relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `relay1`, set by `relay1=`: 400 series.
    Numbers,
    /// `relay1state`, set by `relay1State=`: X-300 series, X-WR-10R12, WebRelay-Quad.
    NumbersState,
    /// `relaystate`, set by `relayState=`: X-WR-1R12.
    Single,
    /// `relaystates`, one digit for each relay and the last relay first, set by `relay1State=`: X-332.
    Digits,
}

/// What a board's answer says.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardState {
    /// Coils by relay number, from 1: `true` is energised; else what stands there instead.
    pub relays: BTreeMap<u8, Result<bool, String>>,
    /// The words that the relays were found by; `None` when there are no numbered relays.
    pub dialect: Option<Dialect>,
    /// Everything that it shows, by name.
    pub shown: BTreeMap<String, String>,
    /// The serial number, where the board gives one.
    pub serial: Option<String>,
}

impl BoardState {
    /// The coil that the board shows under a name; `None` when it shows no such name.
    pub(super) fn named(&self, name: &str) -> Option<Result<bool, String>> {
        self.shown.get(name).map(|text| coil(text))
    }

    /// A value by its name in any case.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.shown.iter().find(|(shown, _)| shown.eq_ignore_ascii_case(name)).map(|(_, text)| text.as_str())
    }
}

/// The answer of a board with numbered relays; one that shows none is another device, or another family.
pub fn parse(body: &str, device: &str) -> Result<BoardState, Fault> {
    let state = state(body, device)?;
    match state.relays.is_empty() {
        true => Err(without_relays(body, device)),
        false => Ok(state),
    }
}

/// The answer of a board whose relays may all have names.
pub(super) fn state(body: &str, device: &str) -> Result<BoardState, Fault> {
    let shown = fields(cleaned(body), device)?;
    let (dialect, relays) = relays(&shown);
    let mut state = BoardState { relays, dialect, shown, serial: None };
    state.serial = state.value("serialNumber").filter(|serial| !serial.is_empty()).map(str::to_owned);
    Ok(state)
}

/// Without the byte-order mark in front and the NULs behind that old boards send.
fn cleaned(body: &str) -> &str {
    body.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\0' | '\u{feff}'))
}

/// Names and values, whichever form they come in.
fn fields(text: &str, device: &str) -> Result<BTreeMap<String, String>, Fault> {
    if text.starts_with('<') {
        return xml_fields(text, device);
    }
    match object(text) {
        Ok(object) => Ok(object.into_iter().filter_map(|(name, value)| Some((name, text_of(&value)?))).collect()),
        Err(problem) => {
            Err(error_text(text, device).unwrap_or_else(|| unreadable_json(device, text, problem == Problem::CutOff)))
        }
    }
}

fn xml_fields(text: &str, device: &str) -> Result<BTreeMap<String, String>, Fault> {
    // A list of elements without one around them is read as well.
    let bare = text.split_once("?>").filter(|_| text.starts_with("<?")).map_or(text, |(_, rest)| rest);
    let wrapped = format!("<datavalues>{bare}</datavalues>");
    let parsed = roxmltree::Document::parse(text).or_else(|error| match bare.trim().is_empty() {
        true => Err(error),
        false => roxmltree::Document::parse(&wrapped),
    });
    let document = parsed.map_err(|_| error_text(text, device).unwrap_or_else(|| not_xml(text, device)))?;
    let elements = document.root_element().children().filter(roxmltree::Node::is_element);
    let field = |element: roxmltree::Node| {
        (element.tag_name().name().to_owned(), element.text().unwrap_or_default().trim().to_owned())
    };
    Ok(elements.map(field).collect())
}

fn not_xml(text: &str, device: &str) -> Fault {
    let cut_off = if text.ends_with("</datavalues>") || text.ends_with("</html>") {
        String::new()
    } else {
        format!(", or cut off after {} bytes", text.len())
    };
    let detail = format!("answer is not XML{cut_off}: `{}`", excerpt(text));
    Fault::new(device, FaultKind::Unreadable, detail)
}

/// The numbered relays, and the words they were found by. Names are compared in any case.
fn relays(shown: &BTreeMap<String, String>) -> (Option<Dialect>, BTreeMap<u8, Result<bool, String>>) {
    let lower = |name: &String| name.to_ascii_lowercase();
    let numbered = |end: &str| -> BTreeMap<u8, Result<bool, String>> {
        let number = |name: &String| relay_number(lower(name).strip_prefix("relay")?.strip_suffix(end)?);
        shown.iter().filter_map(|(name, text)| Some((number(name)?, coil(text)))).collect()
    };
    for (dialect, relays) in [(Dialect::Numbers, numbered("")), (Dialect::NumbersState, numbered("state"))] {
        if !relays.is_empty() {
            return (Some(dialect), relays);
        }
    }
    let value = |wanted: &str| shown.iter().find(|(name, _)| lower(name) == wanted).map(|(_, text)| text.as_str());
    if let Some(digits) = value("relaystates") {
        let coils = digits.chars().rev().map(|digit| coil(&digit.to_string()));
        let relays: BTreeMap<u8, _> = (1..=u8::MAX).zip(coils).collect();
        return ((!relays.is_empty()).then_some(Dialect::Digits), relays);
    }
    match value("relaystate") {
        Some(text) => (Some(Dialect::Single), BTreeMap::from([(1, coil(text))])),
        None => (None, BTreeMap::new()),
    }
}

fn relay_number(text: &str) -> Option<u8> {
    text.parse().ok().filter(|number| *number > 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn coil(text: &str) -> Result<bool, String> {
    match text.trim() {
        "0" => Ok(false),
        "1" => Ok(true),
        other => Err(format!("`{}`", excerpt(other))),
    }
}

/// The fault for an answer that shows no relay.
pub(super) fn without_relays(body: &str, device: &str) -> Fault {
    let text = cleaned(body);
    let foreign = || {
        let hint = if text.starts_with('{') { " Relays of expansion modules go by `relay_name`." } else { "" };
        let said = excerpt(&text.replace('<', " <"));
        let detail = format!("no relay in the answer; is `family` right?{hint} It says `{said}`");
        Fault::new(device, FaultKind::WrongDevice, detail)
    };
    error_text(text, device).unwrap_or_else(foreign)
}

/// Some boards send an error as a text with status 200. Data is none, whatever numbers stand in it.
fn error_text(text: &str, device: &str) -> Option<Fault> {
    if ["{", "<?xml", "<data"].iter().any(|start| text.starts_with(start)) {
        return None;
    }
    let shown = excerpt(text);
    let lower = shown.to_ascii_lowercase();
    let says =
        |number: &str, words: &[&str]| lower.starts_with(number) || words.iter().any(|word| lower.contains(word));
    if is_login_page(text) || says("401", &["401 error", "authorization required", "unauthorized"]) {
        let detail = format!("the board wants a password: `{shown}`; give `user` and `password`");
        return Some(Fault::new(device, FaultKind::Refused, detail));
    }
    if says("404", &["404 error", "not found"]) {
        let detail = format!("the board has no such page: `{shown}`; is `family` right?");
        return Some(Fault::new(device, FaultKind::WrongDevice, detail));
    }
    if text.is_empty() {
        return Some(Fault::new(device, FaultKind::Unreadable, "answer is empty"));
    }
    let start: String = text.chars().take(64).collect::<String>().to_ascii_lowercase();
    (start.starts_with("<html") || start.starts_with("<!doctype"))
        .then(|| Fault::new(device, FaultKind::Unreadable, format!("a web page came instead of the relays: `{shown}`")))
}
