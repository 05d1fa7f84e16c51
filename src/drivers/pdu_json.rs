//! Reading PDUs that speak JSON over HTTP, each by its dialect: one request for all outlets. A missing number is a fault
//! in its place, never a zero. How they are switched is in `pdu_switch`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{Limits, basic_auth, fetch_json, joined, number, quoted};
use crate::config::{PduConfig, PduDialect};
use crate::http::Request;
use crate::model::{Fault, FaultKind, Measured, OutletReading, PduReading, Reading};
use crate::units::{Seconds, UnixSeconds, Watts};

/// No outlet of a PDU carries more.
const OUTLET_WATTS_MAX: f64 = 50_000.0;

/// No PDU carries more.
const PDU_WATTS_MAX: f64 = 2_000_000.0;

/// Outlets that one remark names.
const NAMED_MAX: usize = 5;

/// Reads all outlets.
pub(super) fn read(cfg: &PduConfig, now: UnixSeconds, limits: Limits) -> Reading<PduReading> {
    parse(&document(cfg, limits)?, cfg, now)
}

fn document(cfg: &PduConfig, limits: Limits) -> Result<Value, Fault> {
    let url = joined(&cfg.url, &cfg.dialect.read_path);
    fetch_json(&with_login(Request::get(&cfg.name, &url, limits.next()), cfg, &cfg.dialect.read_headers))
}

/// Adds the dialect's header lines and the login.
pub(super) fn with_login<'a>(mut request: Request<'a>, cfg: &'a PduConfig, lines: &[String]) -> Request<'a> {
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

/// The outlets of an answer by id; a fault when it holds none.
pub(super) fn items<'a>(document: &'a Value, cfg: &PduConfig) -> Result<BTreeMap<String, &'a Value>, Fault> {
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

/// Whether an outlet is on, as the answer says.
pub(super) fn state(item: &Value, dialect: &PduDialect, device: &str) -> Reading<bool> {
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

/// The watts of all listed outlets together, as old as the oldest of them; a fault when those of one that is on are not
/// known.
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
    // An outlet whose meter is broken feeds nothing once it is off.
    let is_bad = |id: &&String| outlets.get(*id).is_some_and(|outlet| outlet.watts.is_err() && outlet.on != Ok(false));
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
pub(super) fn named(ids: &[&str]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_after_five() {
        assert_eq!(named(&["1", "2"]), "1, 2");
        assert_eq!(named(&["1", "2", "3", "4", "5", "6"]), "1, 2, 3, 4, 5 and 1 more");
    }
}
