//! emonCMS: the watts of all fans from one `/feed/list.json`, the only request that carries times. It reads only; how old
//! a value may be is not decided here.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{Limits, is_login_page, joined, not_json, number, quoted, text_of, whole};
use crate::config::{EmonCmsConfig, FeedPoint};
use crate::http::{Request, excerpt, send};
use crate::model::{FanWattsReading, Fault, FaultKind, Measured, Reading};
use crate::units::{Seconds, UnixSeconds, Watts};

/// A value this far ahead of the server's clock would never look old.
const FUTURE_MAX_S: i64 = 60;

/// How many places of a body with notices in front are tried as the beginning of the list.
const STARTS_MAX: usize = 50;

/// Reads the list. Ages come from the server's own clock (its Date header), else from `now`.
pub(super) fn read(cfg: &EmonCmsConfig, now: UnixSeconds, limits: Limits) -> Reading<FanWattsReading> {
    let url = joined(&cfg.url, "feed/list.json");
    let mut request = Request::get(&cfg.name, &url, limits.next())
        .header("Authorization", format!("Bearer {}", cfg.api_key.reveal()))
        .header("Accept", "application/json")
        .secret(&cfg.api_key);
    request.ca_file = cfg.ca_file.as_deref();
    let answer = send(&request)?;
    if answer.status == 401 {
        let detail = format!("the server says `{}`: check `api_key` and the address", answer.excerpt());
        return Err(Fault::new(&cfg.name, FaultKind::Refused, detail));
    }
    // It refuses an address that it does not know with a 406 and says so in the body.
    let answer = if answer.status == 406 { answer } else { answer.accepted(&cfg.name, &url)? };
    parse(&answer.text(), cfg, answer.date().unwrap_or(now))
}

/// What a body says at the server's time `now`.
pub fn parse(body: &str, cfg: &EmonCmsConfig, now: UnixSeconds) -> Reading<FanWattsReading> {
    let feeds = feeds(body, &cfg.name)?;
    let mut fans = BTreeMap::new();
    let mut newest = None;
    for (&fan, point) in &cfg.fan_feeds {
        let device = format!("{} fan {fan}", cfg.name);
        let reading = find(&feeds, point, &device).and_then(|feed| fan_watts(feed, point, &device, now));
        if let Ok((_, time)) = &reading {
            newest = newest.max(Some(*time));
        }
        fans.insert(fan, reading.map(|(watts, _)| watts));
    }
    Ok(FanWattsReading { fans, row_time: newest })
}

/// The one feed that is meant.
fn find<'a>(feeds: &'a [Value], point: &FeedPoint, device: &str) -> Result<&'a Value, Fault> {
    let text = |feed: &Value, key: &str| feed.get(key).and_then(text_of).unwrap_or_default();
    let is_meant = |feed: &&Value| match point {
        FeedPoint::Id(id) => feed.get("id").and_then(whole) == i64::try_from(*id).ok(),
        FeedPoint::Name { tag, name } => text(feed, "tag").trim() == tag && text(feed, "name").trim() == name,
    };
    let missing = |detail: String| Err(Fault::new(device, FaultKind::Missing, detail));
    let mut meant = feeds.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(feed), None) => Ok(feed),
        (Some(_), Some(_)) => missing(format!("several feeds are {point}: name the one that is meant by its id")),
        (None, _) => {
            let why = match point {
                FeedPoint::Id(_) => "deleted, or of another user",
                FeedPoint::Name { .. } => "renamed, deleted, or of another user",
            };
            missing(format!("no feed {point} in the list of {} feeds: {why}", feeds.len()))
        }
    }
}

/// The list of feeds in a body. PHP prints its notices in front of it, some behind it.
fn feeds(body: &str, device: &str) -> Result<Vec<Value>, Fault> {
    let error = match serde_json::from_str(body.trim()) {
        Ok(Value::Array(feeds)) => return Ok(feeds),
        Ok(Value::Bool(false)) => return Err(no_access(device)),
        Ok(other) => {
            let said = other.get("message").and_then(Value::as_str);
            let detail = match said {
                Some(message) => format!("no list of feeds there: check `url`; the server says `{}`", excerpt(message)),
                None => format!("answer is no list of feeds: {}", quoted(Some(&other))),
            };
            return Err(Fault::new(device, FaultKind::Status, detail));
        }
        Err(error) => error,
    };
    if let Some(feeds) = among_notices(body) {
        return Ok(feeds);
    }
    let start: String = body.trim_start().chars().take(9).collect::<String>().to_ascii_lowercase();
    if (start.starts_with("<!doctype") || start.starts_with("<html")) && !is_login_page(body) {
        let detail = format!("a web page came instead of the list: `{}`; check `url`", excerpt(body));
        return Err(Fault::new(device, FaultKind::Unreadable, detail));
    }
    let trouble = trouble(body);
    let is_markup = start.strip_prefix('<').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    if (is_markup || trouble.is_some()) && !is_login_page(body) {
        if body.trim_end().ends_with("\nfalse") {
            return Err(no_access(device));
        }
        let detail = format!("{}: `{}`", trouble.unwrap_or("the server is in trouble"), excerpt(body));
        return Err(Fault::new(device, FaultKind::Status, detail));
    }
    Err(not_json(device, body, &error))
}

/// What it says to somebody unknown.
fn no_access(device: &str) -> Fault {
    let detail = "no access: the API key is not accepted, or the web server in front keeps it back";
    Fault::new(device, FaultKind::Refused, detail)
}

/// Which of its parts a server lacks that shows an error of its own in place of the list.
fn trouble(body: &str) -> Option<&'static str> {
    let says = |text: &str| body.contains(text);
    if says("RedisException") || says("connect to redis") {
        return Some("the server's Redis is in trouble");
    }
    (says("mysqli") || says("connect to database")).then_some("the server's database is in trouble")
}

/// The list between notices: an array of feeds from some `[` on, with nothing but markup behind it. Notices hold arrays
/// of other things.
fn among_notices(body: &str) -> Option<Vec<Value>> {
    for (start, _) in body.match_indices('[').take(STARTS_MAX) {
        let rest = body.get(start..).unwrap_or_default();
        let mut arrays = serde_json::Deserializer::from_str(rest).into_iter::<Vec<Value>>();
        let Some(Ok(feeds)) = arrays.next() else { continue };
        let behind = rest.get(arrays.byte_offset()..).unwrap_or_default().trim_start();
        let are_feeds = feeds.iter().all(|feed| feed.get("id").is_some());
        if are_feeds && (behind.is_empty() || (behind.starts_with('<') && !feeds.is_empty())) {
            return Some(feeds);
        }
    }
    None
}

/// The watts of one feed and their time.
fn fan_watts(
    feed: &Value,
    point: &FeedPoint,
    device: &str,
    now: UnixSeconds,
) -> Result<(Measured<Watts>, UnixSeconds), Fault> {
    let refuse = |kind: FaultKind, detail: String| Err(Fault::new(device, kind, detail));
    if let Some(unit) = feed.get("unit").filter(|unit| !is_watts(unit)) {
        let advice = "take the feed that holds watts, or correct its unit in emonCMS";
        return refuse(FaultKind::Missing, format!("feed {point} is in {}, not in W: {advice}", quoted(Some(unit))));
    }
    let (value, time) = (feed.get("value"), feed.get("time"));
    if value.is_none_or(Value::is_null) || time.is_none_or(Value::is_null) {
        return refuse(FaultKind::Missing, format!("feed {point} has no data"));
    }
    let Some(time) = time.and_then(whole).filter(|time| *time > 0) else {
        return refuse(FaultKind::Missing, format!("feed {point} has no time: {}", quoted(time)));
    };
    let Some(watts) = value.and_then(number) else {
        return refuse(FaultKind::Unreadable, format!("feed {point} is {}, not a number", quoted(value)));
    };
    let age = now.0.saturating_sub(time);
    if age < -FUTURE_MAX_S {
        let ahead = Seconds(age.unsigned_abs());
        return refuse(FaultKind::Stale, format!("feed {point} is {ahead} ahead of the server's clock"));
    }
    let watts = super::fan_watts(watts, device)?;
    Ok((Measured { value: watts, age: Seconds(u64::try_from(age).unwrap_or(0)) }, UnixSeconds(time)))
}

/// Whether a feed's unit is watts; many a feed has none.
fn is_watts(unit: &Value) -> bool {
    match unit {
        Value::Null => true,
        Value::String(unit) => {
            let unit = unit.trim();
            ["", "W", "watt", "watts"].iter().any(|known| unit.eq_ignore_ascii_case(known))
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}
