//! AVTECH Room Alert: one `getData.json` for all probes and switches of a unit, in the short words (12E, 32E) and the
//! long ones (3E, older). It reads only, and holds no limits but what a probe can measure at all.

use serde_json::{Map, Value};

use super::common::{Limits, not_json, number, quoted, whole};
use crate::config::{ProbeConfig, RoomAlertConfig, SwitchConfig};
use crate::http::{Request, raw_get, send};
use crate::model::{Fault, FaultKind, ProbeReading, Reading, RoomReading};
use crate::units::{Humidity, Seconds, Temperature};

/// What a Room Alert sends at most, with room to spare.
const BODY_MAX: usize = 64 * 1024;

/// What the unit's probes can measure.
const PROBE_RANGE_C: std::ops::RangeInclusive<f64> = -40.0..=125.0;

/// Reads one unit. Older firmware answers without HTTP headers; then the same address is asked over a bare socket.
pub(super) fn read(cfg: &RoomAlertConfig, limits: Limits) -> Reading<RoomReading> {
    let mut request = Request::get(&cfg.name, &cfg.url, limits.next());
    request.body_max = BODY_MAX;
    let answer = match send(&request) {
        Err(fault) if fault.kind == FaultKind::Unreadable && fault.detail.contains("not HTTP") => {
            request.timeout = limits.next();
            raw_get(&request)
        }
        other => other,
    };
    let answer = answer?.accepted(&cfg.name, &cfg.url)?;
    parse(&answer.text(), cfg)
}

/// What a body says; a fault for a body that is not this unit's, and one in the place of each value that is not to be
/// trusted.
pub fn parse(body: &str, cfg: &RoomAlertConfig) -> Reading<RoomReading> {
    let unit = document(body, &cfg.name)?;
    let serial = unit.get("serial").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(wanted) = cfg.serial.as_deref().filter(|wanted| *wanted != serial) {
        let detail = format!("serial number is {}; wanted `{wanted}`", quoted(unit.get("serial")));
        return Err(Fault::new(&cfg.name, FaultKind::WrongDevice, detail));
    }
    if !unit.values().any(Value::is_array) {
        return Err(Fault::new(&cfg.name, FaultKind::Unreadable, "answer has no sensors: not a Room Alert"));
    }
    let uptime = unit.get("uptime").and_then(Value::as_str).and_then(uptime);
    let probes = cfg.probes.iter().map(|probe| (probe.name.clone(), probe_reading(&unit, cfg, probe))).collect();
    let switches = cfg.switches.iter().map(|one| (one.name.clone(), switch_reading(&unit, cfg, one))).collect();
    Ok(RoomReading { serial, uptime, probes, switches })
}

/// The JSON object in a body. Anything before it is skipped; a body that does not end with it is cut off.
fn document(body: &str, device: &str) -> Result<Map<String, Value>, Fault> {
    let start = body.find('{').unwrap_or(0);
    let text = body.get(start..).unwrap_or_default().trim_end_matches(|c: char| c.is_whitespace() || c == '\0');
    let parsed = match serde_json::from_str(text) {
        Ok(Value::Object(unit)) => return Ok(unit),
        Ok(_) => return Err(Fault::new(device, FaultKind::Unreadable, "answer is not a JSON object")),
        Err(error) => error,
    };
    if body.trim_start().starts_with('{') && !text.ends_with('}') {
        let detail = format!("answer is cut off after {} bytes", body.len());
        return Err(Fault::new(device, FaultKind::Unreadable, detail));
    }
    // The oldest firmware leaves the quotes off its keys.
    serde_json::from_str(&with_quoted_keys(text)).map_err(|_| not_json(device, body, &parsed))
}

/// Puts quotes around bare keys; text inside strings stays as it is.
fn with_quoted_keys(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 256);
    let mut word = String::new();
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if !in_string && (c.is_ascii_alphanumeric() || c == '_') {
            word.push(c);
            continue;
        }
        let is_key = c == ':' && word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        quoted.push_str(&if is_key { format!("\"{word}\"") } else { std::mem::take(&mut word) });
        word.clear();
        quoted.push(c);
        in_string ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    quoted + &word
}

/// `107d 19:42:15`; `None` for anything else.
fn uptime(text: &str) -> Option<Seconds> {
    let (days, clock) = text.trim().split_once("d ")?;
    let parts: Vec<u64> = clock.trim().split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let &[hours, minutes, seconds] = parts.as_slice() else { return None };
    let days: u64 = days.trim().parse().ok().filter(|days| *days < 100_000)?;
    (hours < 24 && minutes < 60 && seconds < 60)
        .then_some(Seconds(days * 86_400 + hours * 3600 + minutes * 60 + seconds))
}

/// A field by its short or its long name.
fn field<'a>(entry: &'a Map<String, Value>, short: &str, long: &str) -> Option<&'a Value> {
    entry.get(short).or_else(|| entry.get(long))
}

/// The entry of an array, or why it is not there. Switches are `s_sen` in one vocabulary, `switch_sen` in the other.
fn entry<'a>(
    unit: &'a Map<String, Value>,
    array: &str,
    index: usize,
    device: &str,
) -> Result<&'a Map<String, Value>, Fault> {
    let missing = |detail: String| Fault::new(device, FaultKind::Missing, detail);
    let twin = match array {
        "s_sen" => "switch_sen",
        "switch_sen" => "s_sen",
        other => other,
    };
    let found = unit.get(array).or_else(|| unit.get(twin)).and_then(Value::as_array);
    let Some(entries) = found else {
        let known: Vec<&str> =
            unit.iter().filter(|(_, value)| value.is_array()).map(|(name, _)| name.as_str()).collect();
        return Err(missing(format!("no array `{array}` in the answer; there are `{}`", known.join("`, `"))));
    };
    let at = entries.get(index).and_then(Value::as_object);
    at.ok_or_else(|| missing(format!("array `{array}` has {} entries; wanted number {index}, from 0", entries.len())))
}

fn probe_reading(unit: &Map<String, Value>, cfg: &RoomAlertConfig, probe: &ProbeConfig) -> ProbeReading {
    let device = format!("{} {}", cfg.name, probe.name);
    let entry = match entry(unit, &probe.array, probe.index, &device) {
        Ok(entry) => entry,
        Err(fault) => return ProbeReading { temperature: Err(fault), humidity: None },
    };
    let measures_humidity = field(entry, "h", "humid").is_some() || kind(entry) == Some(38);
    if let Err(fault) = usable(entry, probe, &device) {
        return ProbeReading { temperature: Err(fault.clone()), humidity: measures_humidity.then_some(Err(fault)) };
    }
    ProbeReading {
        temperature: temperature(entry, &device),
        humidity: measures_humidity.then(|| humidity(entry, &device)),
    }
}

/// What is attached to a port, as a number; `None` where it is a word or nothing.
fn kind(entry: &Map<String, Value>) -> Option<i64> {
    field(entry, "t", "type").and_then(whole)
}

/// Whether a port can be believed at all: the right one, in use, and a thermometer.
fn usable(entry: &Map<String, Value>, probe: &ProbeConfig, device: &str) -> Result<(), Fault> {
    let refuse = |kind: FaultKind, detail: String| Err(Fault::new(device, kind, detail));
    let label = field(entry, "lab", "label");
    if let Some(wanted) = probe.label.as_deref().filter(|wanted| label.and_then(Value::as_str) != Some(*wanted)) {
        return refuse(FaultKind::WrongDevice, format!("the unit labels it {}; wanted `{wanted}`", quoted(label)));
    }
    let is_power = field(entry, "t", "type").and_then(Value::as_str) == Some("power");
    if entry.contains_key("volts") || is_power || kind(entry) == Some(65) {
        return refuse(FaultKind::Missing, "the port measures voltage, not temperature".to_owned());
    }
    let empty_slot = entry.get("in").and_then(whole) == Some(-1);
    let no_serial = entry.get("ser").and_then(Value::as_str).is_some_and(|ser| ser.chars().all(|c| c == '0'));
    if empty_slot || no_serial {
        return refuse(FaultKind::Missing, "the wireless slot is empty".to_owned());
    }
    match kind(entry) {
        Some(0) => return refuse(FaultKind::Missing, "nothing is plugged into the port".to_owned()),
        Some(_) => {}
        None => {
            let seen = quoted(field(entry, "t", "type"));
            return refuse(FaultKind::Unreadable, format!("the port's type is {seen}, not a number"));
        }
    }
    match field(entry, "en", "enabled").map(whole) {
        Some(Some(0)) => refuse(FaultKind::Missing, "the port is switched off in the unit's settings".to_owned()),
        Some(Some(_)) | None => Ok(()),
        Some(None) => refuse(FaultKind::Unreadable, "the port's `en` is not a number".to_owned()),
    }
}

fn temperature(entry: &Map<String, Value>, device: &str) -> Reading<Temperature> {
    let unreadable = |detail: String| Fault::new(device, FaultKind::Unreadable, detail);
    let get = |short: &str, long: &str| {
        let value = field(entry, short, long);
        value.and_then(number).ok_or_else(|| unreadable(format!("`{short}` is {}, not a number", quoted(value))))
    };
    let (celsius, fahrenheit) = (get("tc", "tempc")?, get("tf", "tempf")?);
    if !PROBE_RANGE_C.contains(&celsius) {
        let detail = format!("{celsius} °C is outside what a probe can measure (-40 to 125 °C)");
        return Err(Fault::new(device, FaultKind::OutOfRange, detail));
    }
    // Both are rounded to two digits by the unit; the last term is for the arithmetic here.
    if (fahrenheit - (celsius * 1.8 + 32.0)).abs() > 0.2 + 1.0e-9 {
        return Err(unreadable(format!("{fahrenheit} °F and {celsius} °C do not agree")));
    }
    let optional = |short: &str, long: &str| field(entry, short, long).and_then(number);
    let highs = (optional("hf", "highf"), optional("lf", "lowf"));
    if highs == (Some(32.0), Some(32.0)) && fahrenheit == 32.0 {
        return Err(Fault::new(device, FaultKind::Missing, "shows 32.00 °F as ever: the filler of an unused port"));
    }
    if let (Some(low), Some(high)) = (optional("lc", "lowc"), optional("hc", "highc"))
        && (celsius < low - 0.1 - 1.0e-9 || celsius > high + 0.1 + 1.0e-9)
    {
        let detail = format!("{celsius} °C is outside the unit's own lowest and highest ({low} to {high} °C)");
        return Err(unreadable(detail));
    }
    Temperature::new(celsius).map_err(|error| Fault::new(device, FaultKind::OutOfRange, error.to_string()))
}

fn humidity(entry: &Map<String, Value>, device: &str) -> Reading<Humidity> {
    let value = field(entry, "h", "humid");
    let percent = value.and_then(number).ok_or_else(|| {
        Fault::new(device, FaultKind::Unreadable, format!("humidity is {}, not a number", quoted(value)))
    })?;
    if percent <= 0.0 {
        let detail = format!("{percent} %RH cannot be: the humidity element does not answer");
        return Err(Fault::new(device, FaultKind::OutOfRange, detail));
    }
    Humidity::new(percent).map_err(|error| Fault::new(device, FaultKind::OutOfRange, error.to_string()))
}

/// `stat` tells, with the configured side; `ala` means different things on different models and is left alone.
fn switch_reading(unit: &Map<String, Value>, cfg: &RoomAlertConfig, switch: &SwitchConfig) -> Reading<bool> {
    let device = format!("{} {}", cfg.name, switch.name);
    let entry = entry(unit, &switch.array, switch.index, &device)?;
    if field(entry, "en", "enabled").and_then(whole) == Some(0) {
        let detail = "the switch is switched off in the unit's settings";
        return Err(Fault::new(device, FaultKind::Missing, detail));
    }
    let stat = field(entry, "stat", "status");
    match stat.and_then(whole) {
        Some(position @ (0 | 1)) => Ok(position == i64::from(switch.alarm_when)),
        _ => Err(Fault::new(device, FaultKind::Unreadable, format!("`stat` is {}, not 0 or 1", quoted(stat)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_days_and_a_clock() {
        assert_eq!(uptime("107d 19:42:15"), Some(Seconds(107 * 86_400 + 19 * 3600 + 42 * 60 + 15)));
        assert_eq!(uptime("0d 00:00:00"), Some(Seconds(0)));
        for text in ["", "19:42:15", "1d 24:00:00", "1d 1:2", "-1d 00:00:00", "99999999999999999999d 00:00:00"] {
            assert_eq!(uptime(text), None, "{text}");
        }
    }

    #[test]
    fn bare_keys_get_quotes_and_strings_stay() {
        let bare = r#"{a:"b:c, d:\"e:\"",f_1:[{g:-1.5,h:true}]}"#;
        assert_eq!(with_quoted_keys(bare), r#"{"a":"b:c, d:\"e:\"","f_1":[{"g":-1.5,"h":true}]}"#);
    }
}
