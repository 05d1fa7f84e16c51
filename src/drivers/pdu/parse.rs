//! What the answers of a PDU that speaks JSON say, by its dialect. A missing number is a fault in its place, never a zero.
//! No request is made here.

use std::collections::BTreeMap;

use serde_json::Value;

use super::allowed::Listed;
use super::pointer::{dead_end, find, find_all};
use super::{OUTLET_WATTS_MAX, PDU_WATTS_MAX, named, power};
use crate::config::{Derived, PduConfig, PduDialect, PduDriver, Volts};
use crate::drivers::common::{number, quoted, whole};
use crate::model::{Fault, FaultKind, Measured, OutletReading, PduReading, Reading};
use crate::units::{Seconds, UnixSeconds, Watts};

/// The answers that one reading is made of.
pub(super) struct Answers {
    /// What the PDU says of each listed outlet, by the name in the configuration.
    pub(super) outlets: BTreeMap<String, Reading<Value>>,
    /// The answers to a request of its own for watts.
    pub(super) watts: BTreeMap<String, Reading<Value>>,
    /// Where the watts of the whole PDU stand, if the dialect names such a place.
    pub(super) total: Option<Reading<Value>>,
    /// The answer to a request of its own for schedules.
    pub(super) schedule: Option<Reading<Value>>,
}

/// What one answer with all outlets says at `now`, without any further request.
pub fn parse(document: &Value, cfg: &PduConfig, now: UnixSeconds) -> Reading<PduReading> {
    let dialect = match &cfg.driver {
        PduDriver::HttpJson(dialect) => dialect,
        PduDriver::Redfish(_) => {
            return Err(Fault::new(cfg.name.as_str(), FaultKind::WrongDevice, "this PDU speaks Redfish"));
        }
    };
    let outlets = outlets(document, cfg, dialect)?;
    let total = dialect.total_watts.as_ref().map(|_| Ok(document.clone()));
    Ok(reading(cfg, dialect, Answers { outlets, watts: BTreeMap::new(), total, schedule: None }, now))
}

/// The listed outlets of an answer that holds all of them; a fault when it holds none at all.
pub(super) fn outlets(
    document: &Value,
    cfg: &PduConfig,
    dialect: &PduDialect,
) -> Reading<BTreeMap<String, Reading<Value>>> {
    let items = items(document, cfg, dialect)?;
    let found = |outlet: Listed| {
        let missing = || {
            let detail = format!("the PDU shows no outlet {} ({} outlets)", outlet.sent(), items.len());
            Fault::new(outlet.device(), FaultKind::Missing, detail)
        };
        let item = items.get(outlet.sent()).map(|item| (*item).clone()).ok_or_else(missing);
        (outlet.name().to_owned(), item)
    };
    Ok(Listed::all(cfg).into_iter().map(found).collect())
}

/// What all answers together say at `now`.
pub(super) fn reading(cfg: &PduConfig, dialect: &PduDialect, answers: Answers, now: UnixSeconds) -> PduReading {
    let mut outlets = BTreeMap::new();
    let mut newest = None;
    let (mut resetting, mut scheduled, mut suspended) = (Vec::new(), Vec::new(), Vec::new());
    for id in &cfg.outlets {
        let device = format!("{} outlet {id}", cfg.name);
        let unread = || Err(Fault::new(device.as_str(), FaultKind::Missing, "this outlet was not asked about"));
        let reading = match answers.outlets.get(id).cloned().unwrap_or_else(unread) {
            Ok(item) => {
                newest = newest.max(updated(&item, dialect).flatten());
                let is_flagged =
                    |place: &Option<String>| place.as_ref().is_some_and(|place| is_set(find(&item, place)));
                if is_flagged(&dialect.auto_reset) {
                    resetting.push(id.as_str());
                }
                if dialect.schedule_ask.is_none() && is_flagged(&dialect.schedule) {
                    scheduled.push(id.as_str());
                }
                if suspension(&item, dialect).is_some() {
                    suspended.push(id.as_str());
                }
                let watts = match answers.watts.get(id) {
                    None => watts(&item, &item, dialect, &device, now),
                    Some(Ok(answer)) => watts(answer, &item, dialect, &device, now),
                    Some(Err(fault)) => Err(fault.clone()),
                };
                OutletReading { on: state(&item, dialect, &device), watts }
            }
            Err(fault) => OutletReading { on: Err(fault.clone()), watts: Err(fault) },
        };
        outlets.insert(id.clone(), reading);
    }
    let total = match (answers.total, dialect.total_watts.as_deref()) {
        (Some(document), Some(pointer)) => {
            document.and_then(|document| whole_pdu(&document, pointer, cfg, dialect)).map(|value| {
                let age = newest.map_or(Seconds(0), |time| now.since(time));
                Measured { value, age }
            })
        }
        _ => sum(cfg, &outlets),
    };
    let mut remarks = own_ways(&resetting, &scheduled, &suspended);
    remarks.extend(schedule_remark(dialect, answers.schedule));
    PduReading { total, outlets, newest, remarks }
}

/// What the PDU does by itself, for the operator.
fn own_ways(resetting: &[&str], scheduled: &[&str], suspended: &[&str]) -> Vec<String> {
    let tell = |outlets: &[&str], start: &str, end: &str| {
        (!outlets.is_empty()).then(|| format!("{start} outlet {}: {end}", named(outlets)))
    };
    let reset = "it may switch a sleeping miner; turn it off in the PDU";
    let schedule = "it may switch a miner against a call; take it out of the PDU";
    let cut = "it is never switched on from here; find the cause, then switch it on at the PDU";
    [
        tell(resetting, "the PDU's own auto-reset is on for", reset),
        tell(scheduled, "the PDU has a schedule of its own for", schedule),
        tell(suspended, "the PDU itself has cut", cut),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn schedule_remark(dialect: &PduDialect, answer: Option<Reading<Value>>) -> Option<String> {
    match answer? {
        Ok(answer) if is_set(find(&answer, dialect.schedule.as_deref()?)) => {
            Some("the PDU has a schedule of its own: it may switch miners against a call; take it out".to_owned())
        }
        Ok(_) => None,
        Err(fault) => Some(format!("whether the PDU has schedules of its own is not known: {}", fault.detail)),
    }
}

/// The outlets of an answer by the PDU's own ids; a fault when it holds none.
pub(super) fn items<'a>(
    document: &'a Value,
    cfg: &PduConfig,
    dialect: &PduDialect,
) -> Result<BTreeMap<String, &'a Value>, Fault> {
    let pointer = items_pointer(dialect);
    let place = if pointer.is_empty() { "the answer".to_owned() } else { format!("`{pointer}`") };
    let found: BTreeMap<String, &Value> = match find(document, &pointer) {
        Some(Value::Array(items)) => {
            let id = |(index, item): (usize, &'a Value)| Some((id_of(item, &dialect.id, &index.to_string())?, item));
            items.iter().enumerate().filter_map(id).collect()
        }
        Some(Value::Object(items)) => {
            items.iter().filter_map(|(key, item)| Some((id_of(item, &dialect.id, key)?, item))).collect()
        }
        other => {
            let said = document.get("detail").and_then(Value::as_str).map(|_| quoted(document.get("detail")));
            let seen = match (said, other) {
                (Some(said), _) => format!("{place} holds no outlets but {said}"),
                (None, Some(other)) => format!("{place} holds no outlets but {}", quoted(Some(other))),
                (None, None) => format!("{place} is not in the answer; {}", dead_end(document, &pointer)),
            };
            return Err(Fault::new(&cfg.name, FaultKind::Unreadable, seen));
        }
    };
    if found.is_empty() {
        return Err(Fault::new(&cfg.name, FaultKind::Missing, format!("{place} holds no outlets")));
    }
    Ok(found)
}

/// Where the outlets stand, with the PDU's own id filled in.
pub(super) fn items_pointer(dialect: &PduDialect) -> String {
    let unit = dialect.unit.as_deref().unwrap_or_default();
    dialect.items.replace("{unit}", &unit.replace('~', "~0").replace('/', "~1"))
}

fn id_of(item: &Value, pointer: &str, place: &str) -> Option<String> {
    match pointer {
        "@key" | "@index" => Some(place.to_owned()),
        pointer => match find(item, pointer)? {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        },
    }
}

/// Whether an outlet is on, as the answer says. One in transition is not off: it still feeds, or will in a moment.
pub(super) fn state(item: &Value, dialect: &PduDialect, device: &str) -> Reading<bool> {
    let is_one_of = |value: &Value, known: &[Value]| known.iter().any(|known| same(value, known));
    match find(item, &dialect.state) {
        Some(value) if is_one_of(value, &dialect.on) => Ok(true),
        Some(value) if is_one_of(value, &dialect.off) => Ok(is_in_transition(item, dialect)),
        Some(value) => {
            let known: Vec<String> = dialect.on.iter().chain(&dialect.off).map(Value::to_string).collect();
            let detail = format!("state is {}; known are {}", quoted(Some(value)), known.join(" and "));
            Err(Fault::new(device, FaultKind::Unreadable, detail))
        }
        None => Err(Fault::new(device, FaultKind::Missing, format!("no state at `{}`", dialect.state))),
    }
}

/// Whether an outlet's state is not final.
pub(super) fn is_in_transition(item: &Value, dialect: &PduDialect) -> bool {
    dialect.in_transition.iter().any(|place| is_set(find(item, place)))
}

/// Equal as JSON; numbers by value, so that 1 and 1.0 are the same, and texts in any case.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

/// Whether a flag is up, or a list has an entry that is not switched off.
fn is_set(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => {
            let no = ["", "0", "false", "off", "no", "none", "disabled"];
            !no.iter().any(|word| text.trim().eq_ignore_ascii_case(word))
        }
        Some(Value::Array(items)) => items.iter().any(|item| is_set(Some(item))),
        Some(Value::Object(fields)) => {
            let switch = ["enabled", "active", "enable"].iter().find_map(|name| fields.get(*name));
            switch.map_or(!fields.is_empty(), |switch| is_set(Some(switch)))
        }
    }
}

/// What says that the PDU itself cut an outlet; `None` when nothing does.
pub(super) fn suspension(item: &Value, dialect: &PduDialect) -> Option<String> {
    let is_up = |value: &Value| match dialect.suspended_value.as_slice() {
        [] => is_set(Some(value)),
        known => known.iter().any(|known| same(value, known)),
    };
    let found = dialect.suspended.iter().find_map(|place| Some((place, find(item, place).filter(|v| is_up(v))?)));
    found.map(|(place, value)| format!("`{place}` is {}", quoted(Some(value))))
}

/// The time of an outlet's reading: `None` where the dialect has none, `Some(None)` where it should be but is not.
fn updated(item: &Value, dialect: &PduDialect) -> Option<Option<UnixSeconds>> {
    let value = find(item, dialect.updated.as_deref()?);
    let stamp = |value: &Value| match value {
        Value::String(text) => text.parse::<jiff::Timestamp>().ok().map(|time| time.as_second()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    };
    // Fractions of a second are of no use, and `whole` refuses them.
    let seconds = |value: &Value| whole(value).or_else(|| number(value).map(|seconds| seconds.floor() as i64));
    Some(value.and_then(|value| stamp(value).or_else(|| seconds(value))).map(UnixSeconds))
}

/// The watts in `answer`, which may be another one than the `item` with the time.
fn watts(
    answer: &Value,
    item: &Value,
    dialect: &PduDialect,
    device: &str,
    now: UnixSeconds,
) -> Reading<Measured<Watts>> {
    let watts = match (&dialect.watts, &dialect.derived) {
        (Some(pointer), _) => power(find(answer, pointer), pointer, dialect.watts_scale, OUTLET_WATTS_MAX, device)?,
        (None, Some(derived)) => apparent(answer, derived, device)?,
        (None, None) => {
            return Err(Fault::new(device, FaultKind::Missing, "this PDU does not measure its outlets"));
        }
    };
    let age = match updated(item, dialect) {
        None => Seconds(0),
        Some(Some(time)) => now.since(time),
        Some(None) => {
            let seen = quoted(dialect.updated.as_deref().and_then(|pointer| find(item, pointer)));
            let detail = format!("the time of its reading is {seen}");
            return Err(Fault::new(device, FaultKind::Unreadable, detail));
        }
    };
    Ok(Measured { value: watts, age })
}

/// Amps times volts: never less than the real power, unless the configured power factor says so.
fn apparent(answer: &Value, derived: &Derived, device: &str) -> Reading<Watts> {
    let figure = |what: &str, pointer: &str| match find(answer, pointer) {
        None | Some(Value::Null) => Err(Fault::new(device, FaultKind::Missing, format!("no {what} at `{pointer}`"))),
        Some(value) => number(value).filter(|number| *number >= 0.0).ok_or_else(|| {
            let detail = format!("{what} are {}, not a number from 0", quoted(Some(value)));
            Fault::new(device, FaultKind::Unreadable, detail)
        }),
    };
    let volts = match &derived.volts {
        Volts::Fixed(volts) => *volts,
        Volts::At(pointer) => figure("volts", pointer)?,
    };
    let watts = figure("amps", &derived.amps)? * derived.amps_scale * volts * derived.power_factor;
    power(Some(&Value::from(watts)), &derived.amps, 1.0, OUTLET_WATTS_MAX, device)
}

/// The watts of the whole PDU, or of all its cords together.
fn whole_pdu(document: &Value, pointer: &str, cfg: &PduConfig, dialect: &PduDialect) -> Reading<Watts> {
    let pointer = pointer.replace("{unit}", dialect.unit.as_deref().unwrap_or_default());
    let found = find_all(document, &pointer);
    if found.is_empty() {
        return Err(Fault::new(&cfg.name, FaultKind::Missing, format!("no power at `{pointer}`")));
    }
    let parts = found.into_iter().map(|value| power(value, &pointer, dialect.watts_scale, PDU_WATTS_MAX, &cfg.name));
    let parts: Vec<Watts> = parts.collect::<Result<_, Fault>>()?;
    Ok(Watts::sum(parts))
}

/// The watts of all listed outlets together, as old as the oldest of them; a fault when those of one that is on are not
/// known.
pub(in crate::drivers::pdu) fn sum(
    cfg: &PduConfig,
    outlets: &BTreeMap<String, OutletReading>,
) -> Reading<Measured<Watts>> {
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
