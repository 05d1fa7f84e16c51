//! PDUs that speak JSON over HTTP, each by its dialect: one request for all outlets, one for each switching. A missing
//! number is a fault in its place, never a zero; an outlet that the configuration does not list is never switched.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

use super::common::{Limits, basic_auth, fetch_json, is_silent, joined, no_time, number, quoted};
use crate::clock::Clock;
use crate::config::{PduConfig, PduDialect};
use crate::http::{Request, send};
use crate::model::{Fault, FaultKind, Measured, OutletReading, PduReading, Reading, Reply};
use crate::units::{Seconds, UnixSeconds, Watts};

/// No outlet of a PDU carries more.
const OUTLET_WATTS_MAX: f64 = 50_000.0;

/// No PDU carries more.
const PDU_WATTS_MAX: f64 = 2_000_000.0;

/// Outlets that one remark names.
const NAMED_MAX: usize = 5;

/// After this many requests in a row without an answer, the PDU is left alone for this pass.
const SILENT_MAX: u32 = 2;

/// Reads all outlets.
pub(super) fn read(cfg: &PduConfig, now: UnixSeconds, limits: Limits) -> Reading<PduReading> {
    parse(&document(cfg, limits)?, cfg, now)
}

fn document(cfg: &PduConfig, limits: Limits) -> Result<Value, Fault> {
    let url = joined(&cfg.url, &cfg.dialect.read_path);
    fetch_json(&with_login(Request::get(&cfg.name, &url, limits.next()), cfg, &cfg.dialect.read_headers))
}

/// Adds the dialect's header lines and the login.
fn with_login<'a>(mut request: Request<'a>, cfg: &'a PduConfig, lines: &[String]) -> Request<'a> {
    let token = cfg.token.as_ref().map_or("", |token| token.reveal());
    for (name, value) in lines.iter().filter_map(|line| line.split_once(':')) {
        request = request.header(name.trim(), value.trim().replace("{token}", token));
    }
    if let Some(user) = &cfg.user {
        request = request.header("Authorization", basic_auth(user, cfg.password.as_ref()));
    }
    request.secrets.extend(cfg.token.as_ref());
    request.secrets.extend(cfg.password.as_ref());
    request
}

/// What an answer says at `now`.
pub fn parse(document: &Value, cfg: &PduConfig, now: UnixSeconds) -> Reading<PduReading> {
    let dialect = &cfg.dialect;
    let items = items(document, cfg)?;
    let mut outlets = BTreeMap::new();
    let (mut newest, mut resetting) = (None, Vec::new());
    for id in &cfg.outlets {
        let device = format!("{} outlet {id}", cfg.name);
        let reading = match items.get(id.as_str()) {
            Some(item) => {
                newest = newest.max(updated(item, dialect).flatten());
                if flag(item, dialect.auto_reset.as_deref()) {
                    resetting.push(id.as_str());
                }
                OutletReading { on: state(item, dialect, &device), watts: watts(item, dialect, &device, now) }
            }
            None => {
                let detail = format!("the PDU shows no outlet {id} ({} outlets)", items.len());
                let fault = Fault::new(device, FaultKind::Missing, detail);
                OutletReading { on: Err(fault.clone()), watts: Err(fault) }
            }
        };
        outlets.insert(id.clone(), reading);
    }
    let total = total(document, cfg, &outlets, newest, now);
    Ok(PduReading { total, outlets, newest, remarks: auto_reset_remark(&resetting) })
}

/// The outlets of an answer by id.
fn items<'a>(document: &'a Value, cfg: &PduConfig) -> Result<BTreeMap<String, &'a Value>, Fault> {
    let dialect = &cfg.dialect;
    let place = if dialect.items.is_empty() { "the answer".to_owned() } else { format!("`{}`", dialect.items) };
    let found: BTreeMap<String, &Value> = match document.pointer(&dialect.items) {
        Some(Value::Array(items)) => {
            let id = |(index, item): (usize, &'a Value)| Some((id_of(item, &dialect.id, &index.to_string())?, item));
            items.iter().enumerate().filter_map(id).collect()
        }
        Some(Value::Object(items)) => {
            items.iter().filter_map(|(key, item)| Some((id_of(item, &dialect.id, key)?, item))).collect()
        }
        other => {
            let said = document.get("detail").and_then(Value::as_str).map(|_| quoted(document.get("detail")));
            let detail = format!("{place} holds no outlets but {}", said.unwrap_or_else(|| quoted(other)));
            return Err(Fault::new(&cfg.name, FaultKind::Unreadable, detail));
        }
    };
    if found.is_empty() {
        return Err(Fault::new(&cfg.name, FaultKind::Missing, format!("{place} holds no outlets")));
    }
    Ok(found)
}

fn id_of(item: &Value, pointer: &str, place: &str) -> Option<String> {
    match pointer {
        "@key" | "@index" => Some(place.to_owned()),
        pointer => match item.pointer(pointer)? {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        },
    }
}

fn state(item: &Value, dialect: &PduDialect, device: &str) -> Reading<bool> {
    let seen = item.pointer(&dialect.state);
    match seen {
        Some(value) if same(value, &dialect.on) => Ok(true),
        Some(value) if same(value, &dialect.off) => Ok(false),
        Some(value) => {
            let detail = format!("state is {}; known are {} and {}", quoted(Some(value)), dialect.on, dialect.off);
            Err(Fault::new(device, FaultKind::Unreadable, detail))
        }
        None => Err(Fault::new(device, FaultKind::Missing, format!("no state at `{}`", dialect.state))),
    }
}

/// Equal as JSON; numbers by value, so that 1 and 1.0 are the same.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn flag(item: &Value, pointer: Option<&str>) -> bool {
    pointer.and_then(|pointer| item.pointer(pointer)).and_then(Value::as_bool).unwrap_or(false)
}

/// The time of an outlet's reading: `None` where the dialect has none, `Some(None)` where it should be but is not.
fn updated(item: &Value, dialect: &PduDialect) -> Option<Option<UnixSeconds>> {
    let text = item.pointer(dialect.updated.as_deref()?).and_then(Value::as_str);
    Some(text.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(|time| UnixSeconds(time.as_second())))
}

fn watts(item: &Value, dialect: &PduDialect, device: &str, now: UnixSeconds) -> Reading<Measured<Watts>> {
    let Some(pointer) = dialect.watts.as_deref() else {
        return Err(Fault::new(device, FaultKind::Missing, "this PDU does not measure its outlets"));
    };
    let value = item.pointer(pointer);
    let watts = power(value, pointer, dialect.watts_scale, OUTLET_WATTS_MAX, device)?;
    let age = match updated(item, dialect) {
        None => Seconds(0),
        Some(Some(time)) => now.since(time),
        Some(None) => {
            let seen = quoted(dialect.updated.as_deref().and_then(|pointer| item.pointer(pointer)));
            let detail = format!("the time of its reading is {seen}");
            return Err(Fault::new(device, FaultKind::Unreadable, detail));
        }
    };
    Ok(Measured { value: watts, age })
}

fn power(value: Option<&Value>, pointer: &str, scale: f64, max: f64, device: &str) -> Reading<Watts> {
    let found = match value {
        None | Some(Value::Null) => Err((FaultKind::Missing, format!("no power at `{pointer}`"))),
        Some(value) => number(value)
            .map(|number| number * scale)
            .ok_or_else(|| (FaultKind::Unreadable, format!("power is {}, not a number", quoted(Some(value))))),
    };
    let found = found.and_then(|watts| match watts {
        watts if (0.0..=max).contains(&watts) => {
            Watts::new(watts).map_err(|error| (FaultKind::OutOfRange, error.to_string()))
        }
        watts => Err((FaultKind::OutOfRange, format!("power of {watts} W is not possible (0 to {max} W)"))),
    });
    found.map_err(|(kind, detail)| Fault::new(device, kind, detail))
}

/// The watts of all listed outlets together, as old as the oldest of them; a fault when one of them is not known.
fn total(
    document: &Value,
    cfg: &PduConfig,
    outlets: &BTreeMap<String, OutletReading>,
    newest: Option<UnixSeconds>,
    now: UnixSeconds,
) -> Reading<Measured<Watts>> {
    if let Some(pointer) = cfg.dialect.total_watts.as_deref() {
        let scale = cfg.dialect.watts_scale;
        let value = power(document.pointer(pointer), pointer, scale, PDU_WATTS_MAX, &cfg.name)?;
        return Ok(Measured { value, age: newest.map_or(Seconds(0), |time| now.since(time)) });
    }
    let is_bad = |id: &&String| outlets.get(*id).is_some_and(|outlet| outlet.watts.is_err());
    let bad: Vec<&str> = cfg.outlets.iter().filter(is_bad).map(String::as_str).collect();
    let first = bad.first().and_then(|id| outlets.get(*id)?.watts.as_ref().err());
    if let Some(fault) = first {
        let detail = format!("no sum: no watts of outlet {} ({})", named(&bad), fault.detail);
        return Err(Fault::new(&cfg.name, fault.kind, detail));
    }
    let measured: Vec<Measured<Watts>> = outlets.values().filter_map(|outlet| outlet.watts.clone().ok()).collect();
    let age = measured.iter().map(|one| one.age).max().unwrap_or_default();
    Ok(Measured { value: Watts::sum(measured.iter().map(|one| one.value)), age })
}

/// `3, 7 and 12 more`.
fn named(ids: &[&str]) -> String {
    let first: Vec<&str> = ids.iter().take(NAMED_MAX).copied().collect();
    match ids.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn auto_reset_remark(outlets: &[&str]) -> Vec<String> {
    if outlets.is_empty() {
        return Vec::new();
    }
    let text = "the PDU's own auto-reset is on for outlet";
    vec![format!("{text} {}: it may switch a sleeping miner; turn it off in the PDU", named(outlets))]
}

/// Switches outlets one by one with the configured pause, then reads all once to see what came of it. One result for
/// each change; a PDU that does not answer twice in a row is left alone.
pub(super) fn act(
    cfg: &PduConfig,
    clock: &Clock,
    now: UnixSeconds,
    limits: Limits,
    changes: &[(&str, bool)],
) -> Vec<Result<Reply, Fault>> {
    let mut attempts = Vec::new();
    let (mut silent, mut sent) = (0, 0);
    for &(outlet, on) in changes {
        let refusal = match may_switch(cfg, outlet) {
            Err(fault) => Some(fault),
            Ok(()) if silent >= SILENT_MAX => {
                let detail = "not sent: the PDU did not answer the commands before it";
                Some(Fault::new(&cfg.name, FaultKind::TimedOut, detail))
            }
            Ok(()) if sent > 0 && !pause(cfg, clock, limits.until) => Some(no_time(&cfg.name)),
            Ok(()) if limits.left().is_zero() => Some(no_time(&cfg.name)),
            Ok(()) => None,
        };
        attempts.push(match refusal {
            Some(fault) => Attempt::NotSent(fault),
            None => {
                sent += 1;
                let result = switch(cfg, limits, outlet, on);
                silent = if result.as_ref().is_err_and(is_silent) { silent + 1 } else { 0 };
                Attempt::Sent(result)
            }
        });
    }
    let seen = match silent < SILENT_MAX && sent > 0 {
        true => read(cfg, now, limits),
        false => Err(Fault::new(&cfg.name, FaultKind::TimedOut, "the PDU did not answer the commands")),
    };
    changes.iter().zip(attempts).map(|(change, attempt)| outcome(cfg, *change, attempt, &seen)).collect()
}

/// What became of one change before the reading afterwards.
enum Attempt {
    NotSent(Fault),
    /// With the state that the reply showed, if it showed one.
    Sent(Result<Option<bool>, Fault>),
}

fn outcome(
    cfg: &PduConfig,
    (outlet, on): (&str, bool),
    attempt: Attempt,
    seen: &Reading<PduReading>,
) -> Result<Reply, Fault> {
    match attempt {
        Attempt::NotSent(fault) => Err(fault),
        Attempt::Sent(Ok(replied)) => confirm(cfg, outlet, on, replied, seen),
        // A lost reply does not say that the command was lost.
        Attempt::Sent(Err(fault)) if is_silent(&fault) => confirm(cfg, outlet, on, None, seen).map_err(|_| fault),
        Attempt::Sent(Err(fault)) => Err(fault),
    }
}

/// Waits between two switchings; `false`, without waiting, when no time would be left after it.
fn pause(cfg: &PduConfig, clock: &Clock, until: Instant) -> bool {
    let span = clock.real_span(cfg.outlet_pause.duration());
    let fits = span < until.saturating_duration_since(Instant::now());
    if fits {
        std::thread::sleep(span);
    }
    fits
}

/// Whatever a caller asks: an outlet that is not listed may feed a fan or the Pi itself.
fn may_switch(cfg: &PduConfig, outlet: &str) -> Result<(), Fault> {
    if cfg.outlets.iter().any(|listed| listed == outlet) {
        return Ok(());
    }
    let detail = format!("outlet {outlet} is not in this PDU's `outlets`: refused");
    Err(Fault::new(format!("{} outlet {outlet}", cfg.name), FaultKind::Missing, detail))
}

/// Sends one switching; comes back with the state that the reply shows, if it shows one.
fn switch(cfg: &PduConfig, limits: Limits, outlet: &str, on: bool) -> Result<Option<bool>, Fault> {
    let dialect = &cfg.dialect;
    let url = joined(&cfg.url, &dialect.switch_path.replace("{id}", &encoded(outlet)));
    let body = filled(if on { &dialect.on_body } else { &dialect.off_body }, outlet);
    let device = format!("{} outlet {outlet}", cfg.name);
    let request = Request::new(&device, &dialect.switch_method, &url, limits.next());
    let request = request.body("application/json", body.to_string());
    let answer = send(&with_login(request, cfg, &dialect.switch_headers))?.accepted(&device, &url)?;
    // Many a PDU answers with nothing, or with the old state because it switches after a delay of its own: the reading
    // afterwards has the last word.
    let Ok(reply) = serde_json::from_slice::<Value>(&answer.body) else { return Ok(None) };
    let listed = items(&reply, cfg).ok().and_then(|items| items.get(outlet).copied());
    Ok(state(listed.unwrap_or(&reply), dialect, &device).ok())
}

fn confirm(
    cfg: &PduConfig,
    outlet: &str,
    on: bool,
    replied: Option<bool>,
    seen: &Reading<PduReading>,
) -> Result<Reply, Fault> {
    let device = format!("{} outlet {outlet}", cfg.name);
    let word = |on: bool| if on { "on" } else { "off" };
    let seen = seen.as_ref().map_err(|fault| {
        Fault::new(&device, fault.kind, format!("command was taken, but could not be read back: {}", fault.detail))
    })?;
    let missing = || Fault::new(&device, FaultKind::Missing, "command was taken, but the outlet is not shown");
    let shown = seen.outlets.get(outlet).ok_or_else(missing)?.on.clone()?;
    if shown == on {
        return Ok(Reply::Confirmed);
    }
    let replied = replied.map_or("gave no state".to_owned(), |state| format!("said {}", word(state)));
    let detail = format!("outlet {outlet}: asked for {}, still reads {} (the reply {replied})", word(on), word(shown));
    Err(Fault::new(device, FaultKind::NotObeyed, detail))
}

/// An id as a part of a path.
fn encoded(id: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    id.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A body with the id in it: the text `{id}` alone becomes a number where the id is one.
fn filled(body: &Value, id: &str) -> Value {
    match body {
        Value::String(text) if text == "{id}" => {
            let number = id.parse::<u64>().ok().filter(|number| number.to_string() == id);
            number.map_or_else(|| Value::from(id), Value::from)
        }
        Value::String(text) => Value::from(text.replace("{id}", id)),
        Value::Array(items) => items.iter().map(|item| filled(item, id)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), filled(value, id))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => body.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_filled_into_bodies_as_numbers_where_they_are_numbers() {
        let body = json!({"Outputs": [{"ID": "{id}", "Action": 1, "note": "outlet {id}"}]});
        assert_eq!(filled(&body, "7"), json!({"Outputs": [{"ID": 7, "Action": 1, "note": "outlet 7"}]}));
        assert_eq!(filled(&json!("{id}"), "AA1"), json!("AA1"));
        assert_eq!(filled(&json!("{id}"), "07"), json!("07"));
    }

    #[test]
    fn ids_are_encoded_for_paths() {
        assert_eq!(encoded("AA-1_2.3~"), "AA-1_2.3~");
        assert_eq!(encoded("../a b"), "..%2Fa%20b");
    }

    #[test]
    fn long_lists_are_cut_after_five() {
        assert_eq!(named(&["1", "2"]), "1, 2");
        assert_eq!(named(&["1", "2", "3", "4", "5", "6"]), "1, 2, 3, 4, 5 and 1 more");
    }
}
