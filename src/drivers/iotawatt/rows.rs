//! What a `/query` is and what its rows say.

use serde_json::Value;

use super::{number, quoted, whole};
use crate::config::IotaWattConfig;
use crate::model::{FanWattsReading, Fault, FaultKind, Measured, Reading};
use crate::units::{Seconds, UnixSeconds, Watts};

/// Without mains voltage the unit has no phase reference and says 0 W for everything.
const VOLTAGE_MIN: f64 = 50.0;

/// No supply of fans has more.
const VOLTAGE_MAX: f64 = 1000.0;

/// The length of a row: its time is its beginning.
pub(super) const ROW_S: i64 = 5;

/// Path and query for the rows from `begin` to `end`. Groups shorter than a row, an empty element in `select`, power
/// factors, and any other word after `missing=` hang the unit or break its answer.
pub(super) fn path(cfg: &IotaWattConfig, begin: &str, end: &str) -> String {
    let fans: Vec<String> = cfg.fan_series.values().map(|series| format!("{series}.watts")).collect();
    let select = format!("%5Btime.utc.unix,{}.volts,{}%5D", cfg.voltage_series, fans.join(","));
    format!("query?select={select}&begin={begin}&end={end}&group=5s&format=json&header=yes&missing=null")
}

/// The unit's own clock, to its last full row, out of an answer to `end=s`.
pub fn clock(answer: &Value) -> Option<UnixSeconds> {
    whole(answer.get("range")?.get(1)?).filter(|end| *end > 0).map(UnixSeconds)
}

/// What an answer says when the unit's clock shows `clock`: the last row without gaps; `None` when no row has values.
pub fn parse(answer: &Value, cfg: &IotaWattConfig, clock: UnixSeconds) -> Result<Option<FanWattsReading>, Fault> {
    let unreadable = |detail: String| Fault::new(&cfg.name, FaultKind::Unreadable, detail);
    let wanted: Vec<&str> = std::iter::once("Time")
        .chain(std::iter::once(cfg.voltage_series.as_str()))
        .chain(cfg.fan_series.values().map(String::as_str))
        .collect();
    let labels: Option<Vec<&str>> =
        answer.get("labels").and_then(Value::as_array).and_then(|all| all.iter().map(Value::as_str).collect());
    if labels.as_deref() != Some(wanted.as_slice()) {
        let seen = quoted(answer.get("labels"));
        return Err(unreadable(format!("columns are {seen}; wanted `{}`", wanted.join(","))));
    }
    let rows =
        answer.get("data").and_then(Value::as_array).ok_or_else(|| unreadable("answer has no rows".to_owned()))?;
    // One bad row must not hide behind an older good one: only rows of nulls are passed over.
    for row in rows.iter().rev() {
        let row = row.as_array().filter(|row| row.len() == wanted.len());
        let Some([time, volts, watts @ ..]) = row.map(Vec::as_slice) else {
            return Err(unreadable(format!("a row has not the {} columns that were asked for", wanted.len())));
        };
        if volts.is_null() || watts.iter().any(Value::is_null) {
            continue;
        }
        let time = whole(time).filter(|time| *time > 0);
        let time = time.ok_or_else(|| unreadable("a row has no time".to_owned()))?;
        let age = clock.since(UnixSeconds(time.saturating_add(ROW_S)));
        return Ok(Some(reading(cfg, UnixSeconds(time), Some(volts), watts, age)));
    }
    Ok(None)
}

/// The watts of the fans in the order of `fan_series`, as far as the voltage lets them count.
pub(super) fn reading<'v>(
    cfg: &IotaWattConfig,
    time: UnixSeconds,
    volts: Option<&Value>,
    watts: impl IntoIterator<Item = &'v Value>,
    age: Seconds,
) -> FanWattsReading {
    let fan = |(&fan, value): (&u8, &Value)| (fan, fan_reading(cfg, fan, volts, value, age));
    FanWattsReading { fans: cfg.fan_series.keys().zip(watts).map(fan).collect(), row_time: Some(time) }
}

fn fan_reading(
    cfg: &IotaWattConfig,
    fan: u8,
    volts: Option<&Value>,
    value: &Value,
    age: Seconds,
) -> Reading<Measured<Watts>> {
    let device = format!("{} fan {fan}", cfg.name);
    if let Some(fault) = no_reference(&device, volts) {
        return Err(fault);
    }
    let watts = number(value).ok_or_else(|| {
        Fault::new(&device, FaultKind::Unreadable, format!("power is {}, not a number", quoted(Some(value))))
    })?;
    Ok(Measured { value: crate::drivers::fan_watts(watts, &device)?, age })
}

fn no_reference(device: &str, volts: Option<&Value>) -> Option<Fault> {
    match volts.map(|volts| (volts, number(volts))) {
        Some((_, Some(v))) if v < VOLTAGE_MIN => {
            let detail = format!("voltage reference is lost ({v} V): the unit then says 0 W for every fan");
            Some(Fault::new(device, FaultKind::Missing, detail))
        }
        Some((_, Some(v))) if v > VOLTAGE_MAX => {
            Some(Fault::new(device, FaultKind::OutOfRange, format!("mains voltage of {v} V")))
        }
        Some((_, Some(_))) => None,
        Some((volts, None)) => {
            let detail = format!("mains voltage is {}, not a number", quoted(Some(volts)));
            Some(Fault::new(device, FaultKind::Unreadable, detail))
        }
        None => Some(Fault::new(device, FaultKind::Missing, "mains voltage is not told: 0 W may mean anything")),
    }
}
