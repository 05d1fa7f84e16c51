//! IotaWatt: voltage and the watts of all fans from one `/query` of the last 15 s. It reads only; how old a row may be is
//! not decided here. The unit has no password here: its digest login is not spoken.

use serde_json::Value;

use super::common::{Limits, joined, json, number, quoted, whole};
use crate::config::IotaWattConfig;
use crate::http::{Answer, Request, excerpt, send};
use crate::model::{FanWattsReading, Fault, FaultKind, Measured, Reading};
use crate::units::{Seconds, UnixSeconds};

/// Without mains voltage the unit has no phase reference and says 0 W for everything.
const VOLTAGE_MIN: f64 = 50.0;

/// No supply of fans has more.
const VOLTAGE_MAX: f64 = 1000.0;

/// The length of a row: its time is its beginning.
const ROW_S: i64 = 5;

/// Reads the newest full row.
pub(super) fn read(cfg: &IotaWattConfig, now: UnixSeconds, limits: Limits) -> Reading<FanWattsReading> {
    match ask(cfg, now, "s-15s", "s", limits)? {
        Some(reading) => Ok(reading),
        // In the hour before clocks go back, the unit's `s` lies an hour ahead and every row is null. Absolute times
        // still work; as the first choice they would return old rows to a clock that is behind.
        None => {
            let (begin, end) = ((now.0 - 30).to_string(), (now.0 + 10).to_string());
            ask(cfg, now, &begin, &end, limits)?.ok_or_else(|| {
                let detail = "no row with values for the last 15 s: the unit's log stands still";
                Fault::new(&cfg.name, FaultKind::Stale, detail)
            })
        }
    }
}

fn ask(
    cfg: &IotaWattConfig,
    now: UnixSeconds,
    begin: &str,
    end: &str,
    limits: Limits,
) -> Result<Option<FanWattsReading>, Fault> {
    let fans: Vec<String> = cfg.fan_series.values().map(|series| format!("{series}.watts")).collect();
    let select = format!("%5Btime.utc.unix,{}.volts,{}%5D", cfg.voltage_series, fans.join(","));
    let query = format!("query?select={select}&begin={begin}&end={end}&group=5s&format=json&header=yes&missing=null");
    let url = joined(&cfg.url, &query);
    let answer = send(&Request::get(&cfg.name, &url, limits.next()))?;
    let answer = judged(answer, cfg, &url)?;
    parse(&json(&answer, &cfg.name)?, cfg, now)
}

/// The unit explains a 400 in its body; one unknown series fails the whole query.
fn judged(answer: Answer, cfg: &IotaWattConfig, url: &str) -> Result<Answer, Fault> {
    let said = match answer.status {
        400 => json(&answer, &cfg.name).ok().and_then(|body| Some(body.get("error")?.as_str()?.to_owned())),
        401 | 403 => {
            let detail = "the unit asks for a password; allow its local network unrestricted access in its setup";
            return Err(Fault::new(&cfg.name, FaultKind::Refused, detail));
        }
        _ => None,
    };
    match said {
        Some(said) => match said.split_once("Invalid series: ") {
            Some((_, series)) => {
                let detail = format!(
                    "the unit has no series `{}`; compare `fan_series` and `voltage_series` with its /query?show=series",
                    excerpt(series)
                );
                Err(Fault::new(&cfg.name, FaultKind::Missing, detail))
            }
            None => Err(Fault::new(&cfg.name, FaultKind::Status, format!("the unit says `{}`", excerpt(&said)))),
        },
        None => answer.accepted(&cfg.name, url),
    }
}

/// What an answer says at `now`: the last row without gaps; `None` when no row has values.
pub fn parse(answer: &Value, cfg: &IotaWattConfig, now: UnixSeconds) -> Result<Option<FanWattsReading>, Fault> {
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
        return Ok(Some(reading(cfg, UnixSeconds(time), volts, watts, now)));
    }
    Ok(None)
}

fn reading(
    cfg: &IotaWattConfig,
    time: UnixSeconds,
    volts: &Value,
    watts: &[Value],
    now: UnixSeconds,
) -> FanWattsReading {
    let no_reference = |device: &str| match number(volts) {
        Some(v) if v < VOLTAGE_MIN => {
            let detail = format!("voltage reference is lost ({v} V): the unit then says 0 W for every fan");
            Some(Fault::new(device, FaultKind::Missing, detail))
        }
        Some(v) if v > VOLTAGE_MAX => {
            Some(Fault::new(device, FaultKind::OutOfRange, format!("mains voltage of {v} V")))
        }
        Some(_) => None,
        None => {
            let detail = format!("mains voltage is {}, not a number", quoted(Some(volts)));
            Some(Fault::new(device, FaultKind::Unreadable, detail))
        }
    };
    let age = now.since(UnixSeconds(time.0 + ROW_S));
    let fans =
        cfg.fan_series.keys().zip(watts).map(|(&fan, value)| (fan, fan_reading(cfg, fan, value, age, &no_reference)));
    FanWattsReading { fans: fans.collect(), row_time: Some(time) }
}

fn fan_reading(
    cfg: &IotaWattConfig,
    fan: u8,
    value: &Value,
    age: Seconds,
    no_reference: &impl Fn(&str) -> Option<Fault>,
) -> Reading<Measured<crate::units::Watts>> {
    let device = format!("{} fan {fan}", cfg.name);
    if let Some(fault) = no_reference(&device) {
        return Err(fault);
    }
    let watts = number(value).ok_or_else(|| {
        Fault::new(&device, FaultKind::Unreadable, format!("power is {}, not a number", quoted(Some(value))))
    })?;
    Ok(Measured { value: super::fan_watts(watts, &device)?, age })
}
