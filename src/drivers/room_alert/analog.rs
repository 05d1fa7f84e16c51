//! Analog inputs. What is wired to them is the owner's own (a pressure, a flow), so that nothing is decided by them: each that
//! is switched on in the unit is given in words, with the unit of measure that it has there.

use serde_json::{Map, Value};

use super::entry::{Entry, find};
use super::probe::KIND_ANALOG;
use crate::drivers::common::{number, quoted, text_of, whole};
use crate::http::excerpt;
use crate::model::{AnalogReading, Fault, FaultKind, Reading};

/// Inputs of one unit that are listed.
const INPUTS_MAX: usize = 16;

/// What an input can carry, in volts, with room to spare.
const VOLTS: std::ops::RangeInclusive<f64> = -100.0..=100.0;

/// The inputs that are switched on, in the order of the answer.
pub(super) fn read(unit: &Map<String, Value>, device: &str) -> Vec<AnalogReading> {
    let arrays = unit.iter().filter_map(|(name, value)| Some((name, value.as_array()?.len())));
    let places = arrays.flat_map(|(name, length)| (0..length).map(move |index| (name, index)));
    let found = places.filter_map(|(name, index)| Some((name, index, find(unit, name, index, device).ok()?)));
    let inputs = found.filter(|(_, _, entry)| is_input(entry));
    let reading = |(name, index, entry): (&String, usize, Entry<'_>)| {
        let place = format!("{}/{index}", excerpt(name));
        let label = entry.field("lab", "label").and_then(text_of).map(|label| excerpt(&label)).unwrap_or_default();
        AnalogReading { says: says(&entry, &format!("{device} analog {place}")), place, label }
    };
    inputs.take(INPUTS_MAX).map(reading).collect()
}

fn is_input(entry: &Entry<'_>) -> bool {
    let is_on = entry.field("en", "enabled").and_then(whole).is_some_and(|on| on != 0);
    is_on && (entry.has("volts") || entry.kind() == Some(KIND_ANALOG))
}

/// `2.16 V`, or `4.3 bar (2.16 V)` where the unit has a scale for it.
fn says(entry: &Entry<'_>, device: &str) -> Reading<String> {
    let found = entry.field("volts", "volts");
    let volts = found.and_then(number).ok_or_else(|| {
        let detail = format!("`volts` is {}, not a number", quoted(found));
        Fault::new(device, FaultKind::Unreadable, detail)
    })?;
    if !VOLTS.contains(&volts) {
        return Err(Fault::new(device, FaultKind::OutOfRange, format!("{volts} V is not possible for an input")));
    }
    let units = entry.field("units", "units").and_then(Value::as_object);
    let scaled = units.and_then(|units| scaled(units, volts));
    Ok(scaled.map_or_else(|| format!("{volts} V"), |scaled| format!("{scaled} ({volts} V)")))
}

/// By the unit's own scale: from the volts at its ends to the values at its ends.
fn scaled(units: &Map<String, Value>, volts: f64) -> Option<String> {
    let get = |names: [&str; 2]| names.iter().find_map(|name| units.get(*name)).and_then(number);
    let is_on = units.get("en").and_then(whole).is_some_and(|on| on != 0);
    let (low_volts, high_volts) = (get(["refMin", "refmin"])?, get(["refMax", "refmax"])?);
    let (low, high) = (get(["scaleMin", "min"])?, get(["scaleMax", "max"])?);
    let value = low + (volts - low_volts) / (high_volts - low_volts) * (high - low);
    let symbol = units.get("sym").and_then(text_of).map(|symbol| excerpt(symbol.trim())).unwrap_or_default();
    (is_on && value.is_finite() && !symbol.is_empty()).then(|| format!("{value:.2} {symbol}"))
}
