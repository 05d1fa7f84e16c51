//! ControlByWeb relay boards: `state.json` of the 400 series and `state.xml` of the older ones. A relay's state is the
//! coil's command echoed: whether the fan turns, only watts tell. Only the values 0 and 1 are ever sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::common::{Limits, basic_auth, is_login_page, joined, no_time, not_json, quoted};
use crate::clock::Clock;
use crate::config::{FanConfig, RelayBoardConfig, RelayFamily, Wiring};
use crate::http::{Request, excerpt, raw_get, send};
use crate::model::{Fault, FaultKind, Reading, RelayReading, Reply};

/// What a board sends at most, with room to spare.
const BODY_MAX: usize = 64 * 1024;

/// How long a board may take to show what it was told, before it is read once more. Site time.
const SETTLE: Duration = Duration::from_millis(700);

/// What a board's answer says.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardState {
    /// Coils by relay number, from 1: `true` is energised.
    pub relays: BTreeMap<u8, Result<bool, String>>,
    /// The serial number, where the board gives one.
    pub serial: Option<String>,
}

/// Reads a board and tells for each of its fans whether the relay lets it run.
pub(super) fn read(cfg: &RelayBoardConfig, fans: &[&FanConfig], limits: Limits) -> Reading<RelayReading> {
    let state = state(cfg, "", limits)?;
    check_serial(cfg, &state)?;
    let fans = fans.iter().map(|fan| (fan.number, fan_is_on(cfg, fan, &state)));
    Ok(RelayReading { fans: fans.collect(), remarks: Vec::new() })
}

/// Switches fans: all changes in one request, the reply compared relay by relay, and read once more where it differs. A
/// fan that is named twice is switched in the order given. One result for each change.
pub(super) fn act(
    cfg: &RelayBoardConfig,
    clock: &Clock,
    limits: Limits,
    changes: &[(&FanConfig, bool)],
) -> Vec<Result<Reply, Fault>> {
    if let Err(fault) = check_before_writing(cfg, limits) {
        return changes.iter().map(|_| Err(fault.clone())).collect();
    }
    let mut results = Vec::new();
    let mut rest = changes;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at_checked(first_batch(rest)).unwrap_or((rest, &[]));
        if !results.is_empty() {
            pause(clock, limits.until);
        }
        results.extend(switch(cfg, clock, limits, batch));
        rest = later;
    }
    results
}

/// How many changes can go in one request: up to the first fan that is named again.
fn first_batch(changes: &[(&FanConfig, bool)]) -> usize {
    let mut seen = BTreeSet::new();
    changes.iter().take_while(|(fan, _)| seen.insert(fan.relay)).count().max(1)
}

/// With a configured serial number the board is read first: another device at this address is not written to.
fn check_before_writing(cfg: &RelayBoardConfig, limits: Limits) -> Result<(), Fault> {
    if limits.left().is_zero() {
        return Err(no_time(&cfg.name));
    }
    match cfg.serial {
        Some(_) => check_serial(cfg, &state(cfg, "", limits)?),
        None => Ok(()),
    }
}

fn switch(
    cfg: &RelayBoardConfig,
    clock: &Clock,
    limits: Limits,
    batch: &[(&FanConfig, bool)],
) -> Vec<Result<Reply, Fault>> {
    let all = |fault: &Fault| batch.iter().map(|_| Err(fault.clone())).collect();
    if limits.left().is_zero() {
        return all(&no_time(&cfg.name));
    }
    let suffix = match cfg.family {
        RelayFamily::Series400 => "",
        RelayFamily::Series300 => "State",
    };
    let pairs = batch.iter().map(|(fan, on)| format!("relay{}{suffix}={}", fan.relay, u8::from(coil(fan, *on))));
    let query = format!("?{}", pairs.collect::<Vec<_>>().join("&"));
    let mut seen = match state(cfg, &query, limits) {
        Ok(seen) => seen,
        // The order may have arrived although its answer did not; what the relays do now, only a reading can tell.
        Err(fault) if fault.kind == FaultKind::Broken => {
            pause(clock, limits.until);
            match state(cfg, "", limits) {
                Ok(seen) => seen,
                Err(_) => return all(&fault),
            }
        }
        Err(fault) => return all(&fault),
    };
    let obeyed = |seen: &BoardState| batch.iter().all(|(fan, on)| fan_is_on(cfg, fan, seen) == Ok(*on));
    if !obeyed(&seen) && !limits.left().is_zero() {
        pause(clock, limits.until);
        match state(cfg, "", limits) {
            Ok(again) => seen = again,
            Err(fault) => return all(&fault),
        }
    }
    if let Err(fault) = check_serial(cfg, &seen) {
        return all(&fault);
    }
    batch.iter().map(|(fan, on)| confirm(cfg, fan, *on, &seen)).collect()
}

fn confirm(cfg: &RelayBoardConfig, fan: &FanConfig, on: bool, seen: &BoardState) -> Result<Reply, Fault> {
    let word = |on: bool| if on { "on" } else { "off" };
    let shown = fan_is_on(cfg, fan, seen)?;
    if shown == on {
        return Ok(Reply::Confirmed);
    }
    let number = fan.number;
    let detail = format!("relay of fan {number}: asked for {}, still reads {}", word(on), word(shown));
    Err(Fault::new(point(cfg, fan), FaultKind::NotObeyed, detail))
}

fn pause(clock: &Clock, until: Instant) {
    let left = until.saturating_duration_since(Instant::now());
    std::thread::sleep(clock.real_span(SETTLE).min(left));
}

fn point(cfg: &RelayBoardConfig, fan: &FanConfig) -> String {
    format!("{} fan {}", cfg.name, fan.number)
}

/// The coil that makes a fan run, or stop.
fn coil(fan: &FanConfig, on: bool) -> bool {
    match fan.wiring {
        Wiring::NormallyClosed => !on,
        Wiring::NormallyOpen => on,
    }
}

fn fan_is_on(cfg: &RelayBoardConfig, fan: &FanConfig, state: &BoardState) -> Reading<bool> {
    match state.relays.get(&fan.relay) {
        Some(Ok(energised)) => Ok(*energised == coil(fan, true)),
        Some(Err(seen)) => {
            let detail = format!("relay {} is {seen}, not 0 or 1", fan.relay);
            Err(Fault::new(point(cfg, fan), FaultKind::Unreadable, detail))
        }
        None => {
            let shown: Vec<String> = state.relays.keys().map(u8::to_string).collect();
            let detail = format!(
                "relay {} is not in the answer (relays {}); a relay of an expansion module needs a Local I/O Number",
                fan.relay,
                shown.join(", ")
            );
            Err(Fault::new(point(cfg, fan), FaultKind::Missing, detail))
        }
    }
}

fn check_serial(cfg: &RelayBoardConfig, state: &BoardState) -> Result<(), Fault> {
    let Some(wanted) = cfg.serial.as_deref() else { return Ok(()) };
    if state.serial.as_deref().is_some_and(|serial| serial.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let seen = state.serial.as_ref().map_or("not given".to_owned(), |serial| format!("`{}`", excerpt(serial)));
    let detail = format!("serial number is {seen}; wanted `{wanted}`");
    Err(Fault::new(&cfg.name, FaultKind::WrongDevice, detail))
}

/// Asks for the state; with a query it is a switching request, whose reply is the state as well.
fn state(cfg: &RelayBoardConfig, query: &str, limits: Limits) -> Result<BoardState, Fault> {
    let page = match cfg.family {
        RelayFamily::Series400 => "state.json",
        RelayFamily::Series300 => "state.xml",
    };
    let url = joined(&cfg.url, &format!("{page}{query}"));
    let mut request = Request::get(&cfg.name, &url, limits.next());
    request.body_max = BODY_MAX;
    if let Some(user) = cfg.user.as_deref().or(cfg.password.as_ref().map(|_| "none")) {
        request = request.header("Authorization", basic_auth(user, cfg.password.as_ref()));
    }
    request.secrets.extend(cfg.password.as_ref());
    // Boards of the older families may answer without a status line and headers.
    let is_bare = cfg.family == RelayFamily::Series300 && url.starts_with("http://");
    let answer = if is_bare { raw_get(&request)? } else { send(&request)? };
    let text = answer.accepted(&cfg.name, &url)?.text();
    match cfg.family {
        RelayFamily::Series400 => parse_json(&text, &cfg.name),
        RelayFamily::Series300 => parse_xml(&text, &cfg.name),
    }
}

/// The answer of a 400 series board: one flat object, all values text.
pub fn parse_json(body: &str, device: &str) -> Result<BoardState, Fault> {
    refuse_error_text(body, device)?;
    let parsed: Result<Value, _> = serde_json::from_str(cleaned(body));
    let object = match parsed {
        Ok(Value::Object(object)) => object,
        Ok(_) => return Err(Fault::new(device, FaultKind::Unreadable, "answer is not a JSON object")),
        Err(error) => return Err(not_json(device, body, &error)),
    };
    let mut relays = BTreeMap::new();
    for (name, value) in &object {
        if let Some(relay) = name.strip_prefix("relay").and_then(relay_number) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            relays.insert(relay, coil_state(&text, &quoted(Some(value))));
        }
    }
    let serial = object.get("serialNumber").and_then(Value::as_str).map(str::to_owned);
    with_relays(BoardState { relays, serial }, body, device)
}

/// The answer of an older board, with or without prolog, padded or not.
pub fn parse_xml(body: &str, device: &str) -> Result<BoardState, Fault> {
    refuse_error_text(body, device)?;
    let unreadable = |detail: String| Fault::new(device, FaultKind::Unreadable, detail);
    let body = cleaned(body);
    let document = roxmltree::Document::parse(body).map_err(|_| match body.ends_with('>') {
        true => unreadable(format!("answer is not XML: `{}`", excerpt(body))),
        false => unreadable(format!("answer is not XML, or cut off after {} bytes: `{}`", body.len(), excerpt(body))),
    })?;
    let mut relays = BTreeMap::new();
    let mut serial = None;
    for element in document.root_element().children().filter(roxmltree::Node::is_element) {
        let name = element.tag_name().name().to_ascii_lowercase();
        let text = element.text().unwrap_or_default().trim();
        let relay = name.strip_prefix("relay").and_then(|rest| rest.strip_suffix("state")).and_then(relay_number);
        if let Some(relay) = relay {
            relays.insert(relay, coil_state(text, &format!("`{}`", excerpt(text))));
        }
        if name == "serialnumber" {
            serial = Some(text.to_owned());
        }
    }
    with_relays(BoardState { relays, serial }, body, device)
}

/// A board that shows no relay at all is another device, or another family.
fn with_relays(state: BoardState, body: &str, device: &str) -> Result<BoardState, Fault> {
    if state.relays.is_empty() {
        let detail =
            format!("no relay in the answer; is `family` right? It says `{}`", excerpt(&body.replace('<', " <")));
        return Err(Fault::new(device, FaultKind::WrongDevice, detail));
    }
    Ok(state)
}

/// Some boards send an error as a text with status 200.
fn refuse_error_text(body: &str, device: &str) -> Result<(), Fault> {
    let text = excerpt(body);
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("401") || lower.contains("authorization required") || is_login_page(body) {
        return Err(Fault::new(device, FaultKind::Refused, format!("the board wants a password: `{text}`")));
    }
    if lower.starts_with("404") {
        let detail = format!("the board has no such page: `{text}`; is `family` right?");
        return Err(Fault::new(device, FaultKind::WrongDevice, detail));
    }
    if text.is_empty() && body.trim_matches(|c: char| c.is_whitespace() || c == '\0').is_empty() {
        return Err(Fault::new(device, FaultKind::Unreadable, "answer is empty"));
    }
    Ok(())
}

/// Without the byte-order mark in front and the NULs behind that old boards send.
fn cleaned(body: &str) -> &str {
    body.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\0' | '\u{feff}'))
}

fn relay_number(text: &str) -> Option<u8> {
    text.parse().ok().filter(|number| *number > 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn coil_state(text: &str, shown: &str) -> Result<bool, String> {
    match text.trim() {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(shown.to_owned()),
    }
}
