//! What `/status` says: live values, how far the log is, and the unit's own clock in UTC.

use serde_json::Value;

use super::rows::{ROW_S, reading};
use super::{number, quoted, whole};
use crate::config::IotaWattConfig;
use crate::model::{FanWattsReading, Fault, FaultKind};
use crate::units::UnixSeconds;

/// Path and query. The inputs are asked for because of the mains voltage.
pub(super) const PATH: &str = "status?stats=yes&inputs=yes&outputs=yes&datalogs=yes";

/// The unit as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Its clock.
    pub clock: UnixSeconds,
    /// The watts, as old as the log's newest record; `None` when not every fan is an output: inputs have no names here.
    pub reading: Option<FanWattsReading>,
}

/// What an answer says. `Stale` when the log stands still for longer than `max_age` or nothing is sampled at all: the
/// values then repeat for ever.
pub fn parse(answer: &Value, cfg: &IotaWattConfig) -> Result<Live, Fault> {
    let stats = answer.get("stats");
    let positive = |value: Option<&Value>| value.and_then(whole).filter(|value| *value > 0);
    let Some(clock) = positive(stats.and_then(|stats| stats.get("currenttime"))).map(UnixSeconds) else {
        let detail = format!("status has no `currenttime`: {}", quoted(stats));
        return Err(Fault::new(&cfg.name, FaultKind::Unreadable, detail));
    };
    let stale = |detail: String| Err(Fault::new(&cfg.name, FaultKind::Stale, detail));
    if stats.and_then(|stats| stats.get("chanrate")).and_then(number) == Some(0.0) {
        return stale("the unit samples nothing".to_owned());
    }
    let Some(newest) = positive(newest_record(answer)) else {
        return stale("the unit's log has no record".to_owned());
    };
    let age = clock.since(UnixSeconds(newest));
    if age > cfg.max_age {
        return stale(format!("the unit's log stands still: its newest record is {age} old by the unit's own clock"));
    }
    let watts: Option<Vec<&Value>> = cfg.fan_series.values().map(|name| output(answer, name, "Watts")).collect();
    let volts = output(answer, &cfg.voltage_series, "Volts").or_else(|| lowest_voltage(answer));
    let row = UnixSeconds(newest.saturating_sub(ROW_S));
    Ok(Live { clock, reading: watts.map(|watts| reading(cfg, row, volts, watts, age)) })
}

fn newest_record(answer: &Value) -> Option<&Value> {
    let logs = answer.get("datalogs")?.as_array()?;
    logs.iter().find(|log| log.get("id").and_then(Value::as_str) == Some("Current"))?.get("lastkey")
}

fn output<'v>(answer: &'v Value, name: &str, unit: &str) -> Option<&'v Value> {
    let is = |output: &&Value, key: &str, wanted: &str| output.get(key).and_then(Value::as_str) == Some(wanted);
    let outputs = answer.get("outputs")?.as_array()?;
    outputs.iter().find(|output| is(output, "name", name) && is(output, "units", unit))?.get("value")
}

/// Inputs have no names: of several voltages the lowest is taken, so that none that is lost goes unseen.
fn lowest_voltage(answer: &Value) -> Option<&Value> {
    let inputs = answer.get("inputs")?.as_array()?;
    let volts = |value: &&Value| number(value).unwrap_or(f64::NEG_INFINITY);
    inputs.iter().filter_map(|input| input.get("Vrms")).min_by(|a, b| volts(a).total_cmp(&volts(b)))
}

/// The names of the unit's series, from `/query?show=series`.
pub fn series(answer: &Value) -> Option<Vec<String>> {
    let all = answer.get("series")?.as_array()?;
    all.iter().map(|one| Some(one.get("name")?.as_str()?.to_owned())).collect()
}
