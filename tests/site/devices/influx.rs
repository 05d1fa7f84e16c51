//! InfluxDB 1 as far as writing needs it: `/write?db=mine` and `/api/v2/write?bucket=mine`, with its error bodies, and a
//! parser of the line protocol that takes nothing it need not take. Real ones differ: VictoriaMetrics says 204 to garbage.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::devices::Device;
use crate::http::{Request, Response};
use crate::world::World;

const TOKEN: &str = "Token site-influx-token";
/// Like a service behind a web server's limit.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The fault `some-lines`: a request that holds a line with such a second is refused.
const BAD_EVERY_S: i64 = 1000;

/// One line: its second and what it says.
struct Line {
    at: i64,
    site: String,
    fields: BTreeMap<String, f64>,
}

fn error(status: u16, text: &str) -> Response {
    Response::json(status, &json!({"error": text})).with("X-Influxdb-Version", "1.6.7")
}

pub(crate) fn answer(world: &mut World, request: &Request) -> Response {
    let database = match request.path.as_str() {
        "/ping" => return Response::new(204, "text/plain", ""),
        "/write" => request.parameter("db"),
        "/api/v2/write" => request.parameter("bucket"),
        _ => return Response::new(404, "text/plain; charset=utf-8", "404 page not found\n"),
    };
    if request.method != "POST" {
        return error(405, "method not allowed");
    }
    if request.header("authorization") != Some(TOKEN) {
        return super::unauthorized(Device::Influx);
    }
    match database {
        None | Some("") => return error(400, "database is required"),
        Some("mine") if world.fault(Device::Influx) != "404" => {}
        Some(other) => return error(404, &format!("database not found: \"{other}\"")),
    }
    if request.body.len() > BODY_BYTES_MAX {
        return error(413, "Request Entity Too Large");
    }
    let lines = match std::str::from_utf8(&request.body).map_err(|e| e.to_string()).and_then(parsed) {
        Ok(lines) => lines,
        Err(why) => return error(400, &format!("unable to parse {why}")),
    };
    let is_bad = |line: &Line| line.at % BAD_EVERY_S == 0;
    match world.fault(Device::Influx) {
        "400" => return error(400, "unable to parse 'minectl': nothing is to my liking"),
        "some-lines" if lines.iter().any(is_bad) => return error(400, "unable to parse 'minectl': a bad line"),
        // The real one drops the whole line for one field.
        "partial" => {
            let (bad, good): (Vec<Line>, Vec<Line>) =
                lines.into_iter().partition(|line| line.fields.contains_key("curtail"));
            keep(world, good);
            if !bad.is_empty() {
                let why = "partial write: field type conflict: input field \"curtail\" on measurement \"minectl\" is type \
                           float, already exists as type integer";
                return error(400, &format!("{why} dropped={}", bad.len()));
            }
        }
        _ => keep(world, lines),
    }
    Response::new(204, "", "")
}

/// A point is what it is by site and time: a second one takes the place of the first.
fn keep(world: &mut World, lines: Vec<Line>) {
    for line in lines {
        let point = world.recorded.influx.entry((line.at, line.site)).or_default();
        point.extend(line.fields);
    }
}

/// What arrived, by time.
pub(crate) fn recorded(world: &World) -> Value {
    let points = world.recorded.influx.iter();
    points.map(|((at, site), fields)| json!({"time": at, "site": site, "fields": fields})).collect()
}

fn parsed(text: &str) -> Result<Vec<Line>, String> {
    if !text.ends_with('\n') {
        return Err("'': the last line has no end".to_owned());
    }
    text.lines().map(|line| parsed_line(line).map_err(|why| format!("'{line}': {why}"))).collect()
}

fn parsed_line(line: &str) -> Result<Line, String> {
    let parts = split(line, ' ');
    let [head, fields, stamp] = parts.as_slice() else { return Err("wants head, fields and time".to_owned()) };
    let head = split(head, ',');
    let (measurement, tags) = head.split_first().ok_or("missing measurement")?;
    if *measurement != "minectl" {
        return Err("unknown measurement".to_owned());
    }
    let [tag] = tags else { return Err("wants one tag".to_owned()) };
    let [key, site] = <[&str; 2]>::try_from(split(tag, '=')).map_err(|_| "missing tag value")?;
    if key != "site" || site.is_empty() {
        return Err("missing tag value".to_owned());
    }
    let mut all = BTreeMap::new();
    for field in split(fields, ',') {
        let [name, value] = <[&str; 2]>::try_from(split(field, '=')).map_err(|_| "missing field value")?;
        let is_float = value.contains(['.', 'e']) && value.parse::<f64>().is_ok_and(f64::is_finite);
        if name.is_empty() || !is_float || all.insert(plain(name), value.parse().unwrap()).is_some() {
            return Err(format!("invalid field `{field}`"));
        }
    }
    let nanoseconds: i64 = stamp.parse().map_err(|_| "bad timestamp")?;
    if stamp.len() != 19 || nanoseconds % 1_000_000_000 != 0 {
        return Err("bad timestamp".to_owned());
    }
    Ok(Line { at: nanoseconds / 1_000_000_000, site: plain(site), fields: all })
}

/// At each mark that no backslash stands before.
fn split(text: &str, mark: char) -> Vec<&str> {
    let (mut parts, mut begin, mut is_escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if c == mark && !is_escaped {
            parts.push(&text[begin..at]);
            begin = at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    parts.push(&text[begin..]);
    parts
}

fn plain(text: &str) -> String {
    text.replace("\\,", ",").replace("\\=", "=").replace("\\ ", " ")
}
