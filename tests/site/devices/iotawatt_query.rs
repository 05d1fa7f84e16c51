//! The query language of the IotaWatt's log: columns, times, groups. `Err` is the text after `invalid query. `.

use jiff::{Timestamp, civil::DateTime};

use crate::devices::{Device, signal::site_zone};
use crate::http::Request;
use crate::physics::FANS;
use crate::world::World;

/// One column of the answer.
enum Column {
    Time { is_utc: bool, is_unix: bool },
    Series { name: String, fan: Option<usize>, method: String, decimals: usize },
}

/// What is asked, decoded.
struct Query {
    columns: Vec<Column>,
    begin: i64,
    end: i64,
    group_s: i64,
    missing: String,
    has_header: bool,
    is_csv: bool,
    limit: usize,
    /// Watts come out as what is no JSON.
    breaks: bool,
}

/// Why a request would hang or restart the real unit, or break its answer.
pub(super) fn harm(request: &Request) -> Option<&'static str> {
    let given = |name| request.parameter(name).unwrap_or("");
    let select = given("select");
    let elements: Vec<&str> = select.trim_matches(['[', ']']).split(',').collect();
    let group = given("group");
    let is_short = ["s", "1s", "2s", "3s", "4s"].contains(&group);
    Some(match request.path.as_str() {
        "/query" if select.starts_with('[') && elements.contains(&"") => "an empty element",
        "/query" if select.contains(".pf") => "a power factor",
        "/query" if is_short => "a group shorter than a row",
        "/query" if !["", "null", "skip", "zero"].contains(&given("missing")) => "an unknown `missing`",
        "/query" if elements == ["time"] && given("missing") == "skip" => "times alone without the missing",
        _ => return None,
    })
}

pub(super) fn run(world: &World, request: &Request) -> Result<String, String> {
    if request.parameter("show") == Some("series") {
        let fan = |n| format!(r#"{{"name":"{}","unit":"Watts"}}"#, super::series(world, n));
        let fans: Vec<String> = (0..FANS).map(fan).collect();
        return Ok(format!(r#"{{"series":[{{"name":"mains_v","unit":"Volts"}},{}]}}"#, fans.join(",")));
    }
    let Some(select) = request.parameter("select") else { return Err("unspecified".to_owned()) };
    let columns = columns(world, select)?;
    let given = |name| request.parameter(name).filter(|v| !v.is_empty());
    let (Some(begin), Some(end), Some(group)) = (given("begin"), given("end"), given("group")) else {
        return Err("Missing begin, end or group.".to_owned());
    };
    // In the hour before clocks go back, relative times lie an hour ahead.
    let ahead_s = if world.fault(Device::Iotawatt) == "dst-hour" { 3600 } else { 0 };
    let now = world.seconds() as i64 + ahead_s;
    let unspecified = || "unspecified".to_owned();
    let begin = (time(begin, now).ok_or_else(unspecified)? + 4).div_euclid(5) * 5;
    let end = time(end, now).ok_or_else(unspecified)?.div_euclid(5) * 5;
    if end < begin {
        return Err(unspecified());
    }
    let Some(group_s) = group_seconds(group, end - begin) else { return Err("Invalid group".to_owned()) };
    let is_csv = match given("format") {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err("Invalid format".to_owned()),
    };
    let limit = given("limit").map_or(Some(1000), |v| v.parse().ok()).ok_or_else(|| "Invalid limit".to_owned())?;
    if group_s < 5 {
        // The firmware's own fault with groups of 1 to 4 s: an unfinished array.
        return Ok("[[null]".to_owned());
    }
    let missing = given("missing").unwrap_or("null").to_owned();
    let has_header = given("header") == Some("yes");
    let breaks = world.fault(Device::Iotawatt) == "broken-json";
    Ok(table(world, &Query { columns, begin, end, group_s, missing, has_header, is_csv, limit, breaks }))
}

fn columns(world: &World, select: &str) -> Result<Vec<Column>, String> {
    let inner = select.strip_prefix('[').and_then(|s| s.strip_suffix(']'));
    let Some(inner) = inner else { return Err("select not an array []".to_owned()) };
    inner.split(',').map(|c| column(world, c.trim())).collect()
}

fn column(world: &World, text: &str) -> Result<Column, String> {
    let mut parts = text.split('.');
    let name = parts.next().unwrap_or("");
    let methods: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    if name == "time" {
        if let Some(bad) = methods.iter().find(|m| !["local", "utc", "iso", "unix"].contains(&m.as_str())) {
            return Err(format!("invalid time method: {bad}"));
        }
        let has = |m: &str| methods.iter().any(|x| x == m);
        return Ok(Column::Time { is_utc: has("utc"), is_unix: has("unix") });
    }
    let fan = (0..FANS).find(|n| name == super::series(world, *n));
    if fan.is_none() && name != "mains_v" {
        return Err(format!("Invalid series: {name}"));
    }
    let mut method = if fan.is_some() { "watts".to_owned() } else { "volts".to_owned() };
    let mut decimals = None;
    for m in methods {
        match m.strip_prefix('d').map(str::parse::<usize>) {
            Some(Ok(n)) if n < 10 => decimals = Some(n),
            Some(Ok(_)) => return Err("unspecified".to_owned()),
            _ if ["watts", "volts", "amps", "wh", "va", "hz"].contains(&m.as_str()) => method = m,
            _ => return Err(format!("Invalid series method: {m}")),
        }
    }
    let default = match method.as_str() {
        "wh" => 0,
        "hz" => 2,
        _ => 1,
    };
    Ok(Column::Series { name: name.to_owned(), fan, method, decimals: decimals.unwrap_or(default) })
}

/// Unix seconds or milliseconds, an ISO time, or `s-15s` and the like. `None` for anything else.
fn time(text: &str, now: i64) -> Option<i64> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            10 => Some(number),
            13 => Some(number / 1000),
            _ => None,
        };
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_second());
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return Some(local.to_zoned(site_zone()).ok()?.timestamp().as_second());
    }
    let local_offset = i64::from(Timestamp::from_second(now).ok()?.to_zoned(site_zone()).offset().seconds());
    let floor = |unit: i64| now.div_euclid(unit) * unit;
    let mut at = match text.chars().next()? {
        's' => floor(5),
        'm' => floor(60),
        'h' => floor(3600),
        'd' => (now + local_offset).div_euclid(86_400) * 86_400 - local_offset,
        _ => return None,
    };
    let mut rest = &text[1..];
    while !rest.is_empty() {
        let sign = match rest.as_bytes()[0] {
            b'-' => -1,
            b'+' => 1,
            _ => return None,
        };
        let end = rest[1..].find(|c: char| !c.is_ascii_digit())? + 1;
        let unit = unit_seconds(rest.get(end..=end)?)?;
        at += sign * rest[1..end].parse::<i64>().ok()? * unit;
        rest = &rest[end + 1..];
    }
    Some(at)
}

fn unit_seconds(unit: &str) -> Option<i64> {
    match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        "w" => Some(604_800),
        _ => None,
    }
}

fn group_seconds(text: &str, span: i64) -> Option<i64> {
    match text {
        "all" => return Some(span.max(5)),
        "auto" => return Some((span / 720 / 5 * 5).max(5)),
        _ => {}
    }
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let count: i64 = if end == 0 { 1 } else { text[..end].parse().ok()? };
    Some(count * unit_seconds(&text[end..])?)
}

fn table(world: &World, query: &Query) -> String {
    let mut rows = Vec::new();
    let mut at = query.begin;
    let mut cut_at = None;
    while at < query.end {
        if rows.len() >= query.limit {
            cut_at = Some(at);
            break;
        }
        let values = average(world, at, at + query.group_s);
        if values.is_some() || query.missing != "skip" {
            let cells: Vec<String> = query.columns.iter().map(|c| cell(c, at, values, query)).collect();
            rows.push(if query.is_csv { cells.join(", ") } else { format!("[{}]", cells.join(",")) });
        }
        at += query.group_s;
    }
    let labels = query.columns.iter().map(|c| match c {
        Column::Time { .. } => "Time",
        Column::Series { name, .. } => name.as_str(),
    });
    if query.is_csv {
        let header = if query.has_header { vec![labels.collect::<Vec<_>>().join(", ")] } else { Vec::new() };
        return header.into_iter().chain(rows).collect::<Vec<_>>().join("\r\n");
    }
    let rows = format!("[{}]", rows.join(","));
    if !query.has_header {
        return rows;
    }
    let labels: Vec<String> = labels.map(|l| format!("\"{l}\"")).collect();
    let limit = cut_at.map_or(String::new(), |at| format!(",\"limit\":{at}"));
    format!(
        "{{\"range\":[{},{}],\"labels\":[{}],\r\n\"data\":{rows}{limit}}}",
        query.begin,
        query.end,
        labels.join(",")
    )
}

/// Mean of the log's records that begin in `from..to`; `None` when there is none with data.
fn average(world: &World, from: i64, to: i64) -> Option<(f64, [f64; FANS], i64)> {
    let log = &world.power_log;
    let records = log.range(log.partition_point(|r| r.time < from)..log.partition_point(|r| r.time < to));
    let (mut volts, mut watts, mut count) = (0.0, [0.0; FANS], 0);
    for (v, w) in records.filter_map(|r| r.values) {
        volts += v;
        watts.iter_mut().zip(w).for_each(|(sum, value)| *sum += value);
        count += 1;
    }
    if count == 0 {
        return None;
    }
    let n = f64::from(count);
    watts.iter_mut().for_each(|w| *w /= n);
    if world.fault(Device::Iotawatt) == "absurd" {
        watts = [9.0e9; FANS];
    }
    Some((volts / n, watts, i64::from(count) * 5))
}

fn cell(column: &Column, at: i64, values: Option<(f64, [f64; FANS], i64)>, query: &Query) -> String {
    match column {
        Column::Time { is_utc, is_unix } => time_cell(at, *is_utc, *is_unix, query.is_csv),
        Column::Series { fan, method, decimals, .. } => {
            let Some((volts, watts, span_s)) = values else {
                return match query.missing.as_str() {
                    "null" => "null".to_owned(),
                    "zero" => "0".to_owned(),
                    // Anything else is passed on as nothing, which breaks the JSON: so does the firmware.
                    _ => String::new(),
                };
            };
            let power = fan.map_or(0.0, |f| watts[f]);
            if fan.is_some() && query.breaks {
                return "inf".to_owned();
            }
            let value = match method.as_str() {
                "volts" => volts,
                "hz" => 60.0,
                "amps" if volts > 0.0 => power / volts,
                "amps" => 0.0,
                "wh" => power * span_s as f64 / 3600.0,
                _ => power,
            };
            number(value, *decimals)
        }
    }
}

fn time_cell(at: i64, is_utc: bool, is_unix: bool, is_csv: bool) -> String {
    let moment = Timestamp::from_second(at).unwrap();
    let local = moment.to_zoned(site_zone());
    // Local "unix" time is the local wall clock counted as if it were UTC: as the firmware does.
    let shift = if is_utc { 0 } else { i64::from(local.offset().seconds()) };
    if is_unix {
        return (at + shift).to_string();
    }
    let shown = Timestamp::from_second(at + shift).unwrap().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let shown = if is_utc { shown + "Z" } else { shown };
    if is_csv { shown } else { format!("\"{shown}\"") }
}

/// Fixed decimals without trailing zeros: `118.5`, `0`, also `-0`.
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
