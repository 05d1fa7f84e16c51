//! What a port's entry says, and every reason not to believe it: a unit shows a plausible number for a port that nothing
//! is plugged into, and repeats it for ever. Each refusal has its words.

use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::entry::{Entry, find};
use crate::config::{ProbeConfig, RoomAlertConfig, SwitchConfig};
use crate::drivers::common::{number, quoted, text_of, whole};
use crate::model::{Fault, FaultKind, ProbeReading, Reading};
use crate::units::{Humidity, Seconds, Temperature};

/// What the unit's probes can measure.
const PROBE_RANGE_C: std::ops::RangeInclusive<f64> = -40.0..=125.0;
/// °F and °C of one reading are both rounded by the unit and may differ by this, in °F.
const SCALES_APART_MAX: f64 = 0.2;
/// A reading may lie outside the unit's own lowest and highest by this, in °C.
const OUTSIDE_EXTREMES_MAX: f64 = 0.1;
/// A wireless unit's stamp may be ahead of the unit's clock by this, in seconds.
const STAMP_AHEAD_MAX_S: i64 = 120;
/// For the arithmetic in the limits of temperature.
const ROUNDING: f64 = 1.0e-9;

/// Kinds of a port: temperature with humidity, and an analog input.
const KIND_HUMIDITY: i64 = 38;
pub(super) const KIND_ANALOG: i64 = 65;

/// A probe's temperature and humidity; the humidity is `None` for a probe that measures none.
pub(super) fn read(
    unit: &Map<String, Value>,
    room: &RoomAlertConfig,
    probe: &ProbeConfig,
    remarks: &mut Vec<String>,
) -> ProbeReading {
    let device = format!("{} {}", room.name, probe.name);
    let entry = match find(unit, &probe.array, probe.index, &device) {
        Ok(entry) => entry,
        Err(fault) => return ProbeReading { temperature: Err(fault), humidity: None },
    };
    let measures_humidity = entry.field("h", "humid").is_some() || entry.kind() == Some(KIND_HUMIDITY);
    let labelled = check_label(&entry, probe, room, &device);
    let labelled = labelled.map(|odd| remarks.extend(odd.map(|odd| format!("probe {}: {odd}", probe.name))));
    let usable =
        labelled.and_then(|()| usable(&entry, probe, &device)).and_then(|()| fresh(unit, &entry, probe, &device));
    if let Err(fault) = usable {
        return ProbeReading { temperature: Err(fault.clone()), humidity: measures_humidity.then_some(Err(fault)) };
    }
    ProbeReading {
        temperature: temperature(&entry, &device),
        humidity: measures_humidity.then(|| humidity(&entry, &device)),
    }
}

/// Whether a switch is in its alarm position. `stat` tells, with the configured side; `ala` means different things on
/// different models and is left alone.
pub(super) fn read_switch(
    unit: &Map<String, Value>,
    room: &RoomAlertConfig,
    switch: &SwitchConfig,
    remarks: &mut Vec<String>,
) -> Reading<bool> {
    let device = format!("{} {}", room.name, switch.name);
    let entry = find(unit, &switch.array, switch.index, &device)?;
    let others = room.switches.iter().filter(|other| other.name != switch.name);
    let others: Vec<&str> = others.filter_map(|other| other.label.as_deref()).collect();
    let odd = entry.check_label(switch.label.as_deref(), &others, &device)?;
    remarks.extend(odd.map(|odd| format!("switch {}: {odd}", switch.name)));
    entry.check_slot(&device)?;
    entry.check_enabled("switch", switch.use_disabled, &device)?;
    let stat = entry.field("stat", "status");
    match stat.and_then(whole) {
        Some(position @ (0 | 1)) => Ok(position == i64::from(switch.alarm_when)),
        _ => Err(Fault::new(device, FaultKind::Unreadable, format!("`stat` is {}, not 0 or 1", quoted(stat)))),
    }
}

/// A label that the configuration gives to a probe of another role means that the two changed places.
fn check_label(
    entry: &Entry<'_>,
    probe: &ProbeConfig,
    room: &RoomAlertConfig,
    device: &str,
) -> Result<Option<String>, Fault> {
    let others = room.probes.iter().filter(|other| other.role != probe.role);
    let others: Vec<&str> = others.filter_map(|other| other.label.as_deref()).collect();
    entry.check_label(probe.label.as_deref(), &others, device)
}

/// Whether a port can be believed at all: the right one, in use, and a thermometer.
fn usable(entry: &Entry<'_>, probe: &ProbeConfig, device: &str) -> Result<(), Fault> {
    let missing = |detail: &str| Err(Fault::new(device, FaultKind::Missing, detail));
    let kind = entry.field("t", "type");
    if kind.and_then(Value::as_str) == Some("power") {
        return missing("the port tells whether there is power, not a temperature; read it as a switch");
    }
    if entry.has("volts") || entry.kind() == Some(KIND_ANALOG) {
        return missing("the port measures voltage, not temperature");
    }
    entry.check_slot(device)?;
    match (entry.kind(), kind) {
        (Some(0), _) => return missing("nothing is plugged into the port"),
        // The oldest firmware may tell no kind.
        (Some(_), _) => {}
        (None, None) if entry.has("tempc") => {}
        (None, _) => {
            let detail = format!("the port's type is {}, not a number", quoted(kind));
            return Err(Fault::new(device, FaultKind::Unreadable, detail));
        }
    }
    entry.check_enabled("port", probe.use_disabled, device)
}

fn temperature(entry: &Entry<'_>, device: &str) -> Reading<Temperature> {
    let unreadable = |detail: String| Fault::new(device, FaultKind::Unreadable, detail);
    let get = |short: &str, long: &str| {
        let value = entry.field(short, long);
        value.and_then(number).ok_or_else(|| unreadable(format!("`{short}` is {}, not a number", quoted(value))))
    };
    let (celsius, fahrenheit) = (get("tc", "tempc")?, get("tf", "tempf")?);
    if !PROBE_RANGE_C.contains(&celsius) {
        let detail = format!("{celsius} °C is outside what a probe can measure (-40 to 125 °C)");
        return Err(Fault::new(device, FaultKind::OutOfRange, detail));
    }
    if (fahrenheit - (celsius * 1.8 + 32.0)).abs() > SCALES_APART_MAX + ROUNDING {
        return Err(unreadable(format!("{fahrenheit} °F and {celsius} °C do not agree")));
    }
    let optional = |short: &str, long: &str| entry.field(short, long).and_then(number);
    let extremes = (optional("hf", "highf"), optional("lf", "lowf"));
    if extremes == (Some(32.0), Some(32.0)) && fahrenheit == 32.0 {
        return Err(Fault::new(device, FaultKind::Missing, "shows 32.00 °F as ever: the filler of an unused port"));
    }
    if let (Some(low), Some(high)) = (optional("lc", "lowc"), optional("hc", "highc"))
        && (celsius < low - OUTSIDE_EXTREMES_MAX - ROUNDING || celsius > high + OUTSIDE_EXTREMES_MAX + ROUNDING)
    {
        let detail = format!("{celsius} °C is outside the unit's own lowest and highest ({low} to {high} °C)");
        return Err(unreadable(detail));
    }
    Temperature::new(celsius).map_err(|error| Fault::new(device, FaultKind::OutOfRange, error.to_string()))
}

fn humidity(entry: &Entry<'_>, device: &str) -> Reading<Humidity> {
    let value = entry.field("h", "humid");
    let percent = value.and_then(number).ok_or_else(|| {
        Fault::new(device, FaultKind::Unreadable, format!("humidity is {}, not a number", quoted(value)))
    })?;
    if percent <= 0.0 {
        let detail = format!("{percent} %RH cannot be: the humidity element does not answer");
        return Err(Fault::new(device, FaultKind::OutOfRange, detail));
    }
    Humidity::new(percent).map_err(|error| Fault::new(device, FaultKind::OutOfRange, error.to_string()))
}

/// Where the owner gives a wireless probe a longest age: its own time stamp against the unit's clock, which may be wrong
/// but is the same clock. Whether day or month comes first is a setting of the unit: one order that fits will do.
fn fresh(unit: &Map<String, Value>, entry: &Entry<'_>, probe: &ProbeConfig, device: &str) -> Result<(), Fault> {
    let Some(max_age) = probe.max_age else { return Ok(()) };
    let stale = |detail: String| Fault::new(device, FaultKind::Stale, detail);
    let (date, stamp) = (unit.get("date"), entry.stamp());
    let ages = date.and_then(text_of).zip(stamp.and_then(text_of)).map(|(date, stamp)| ages(&date, &stamp));
    let ages = ages.unwrap_or_default();
    if ages.is_empty() {
        let detail = format!(
            "its age cannot be told: time stamp {}, the unit's clock {}; is it a wireless probe?",
            quoted(stamp),
            quoted(date)
        );
        return Err(stale(detail));
    }
    // A unit may write its clock before the stamps of what it hears meanwhile.
    let seconds = |age: i64| u64::try_from(age).map_or(Seconds(0), Seconds);
    let is_fresh = |age: &i64| *age >= -STAMP_AHEAD_MAX_S && seconds(*age) <= max_age;
    if ages.iter().any(is_fresh) {
        return Ok(());
    }
    let told = ages.iter().copied().filter(|age| *age >= 0).min();
    Err(stale(match told {
        Some(age) => format!("last heard {} ago by its own time stamp; allowed are {max_age}", seconds(age)),
        None => format!("its time stamp {} is ahead of the unit's clock {}", quoted(stamp), quoted(date)),
    }))
}

/// How many seconds the stamp is behind the date, in each order of day and month that both can be read in.
fn ages(date: &str, stamp: &str) -> Vec<i64> {
    const ORDERS: [&str; 4] =
        ["%m/%d/%y %H:%M:%S", "%d/%m/%y %H:%M:%S", "%m/%d/%y %I:%M:%S %p", "%d/%m/%y %I:%M:%S %p"];
    let read = |order: &str, text: &str| DateTime::strptime(order, text.trim()).ok();
    let both = ORDERS.iter().filter_map(|order| Some((read(order, date)?, read(order, stamp)?)));
    both.map(|(date, stamp)| date.duration_since(stamp).as_secs()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_stamp_is_told_in_either_order_of_day_and_month() {
        assert_eq!(ages("08/04/15 17:27:56", "08/04/15 17:27:26"), [30, 30]);
        assert_eq!(ages("08/25/15 00:00:10", "08/24/15 23:59:50"), [20], "no month has the number 25");
        assert_eq!(ages("08/04/15 05:27:56 PM", "08/04/15 05:27:26 PM"), [30, 30]);
        assert_eq!(ages("08/04/15 17:27:26", "08/04/15 17:27:56"), [-30, -30]);
        assert_eq!(ages("08/04/15 17:27:26", "yesterday"), Vec::<i64>::new());
    }
}
