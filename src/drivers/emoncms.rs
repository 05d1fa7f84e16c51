//! emonCMS: the watts of all fans from one `/feed/list.json`, the only request that carries times. It reads only; how old
//! a value may be is not decided here.

use std::collections::BTreeMap;

use serde_json::Value;

use super::common::{Limits, is_login_page, joined, not_json, number, quoted, whole};
use crate::config::EmonCmsConfig;
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
    let answer = answer.accepted(&cfg.name, &url)?;
    parse(&answer.text(), cfg, answer.date().unwrap_or(now))
}

/// What a body says at the server's time `now`.
pub fn parse(body: &str, cfg: &EmonCmsConfig, now: UnixSeconds) -> Reading<FanWattsReading> {
    let feeds = feeds(body, &cfg.name)?;
    let mut fans = BTreeMap::new();
    let mut newest = None;
    for (&fan, &id) in &cfg.fan_feeds {
        let device = format!("{} fan {fan}", cfg.name);
        let feed = feeds.iter().find(|feed| feed.get("id").and_then(whole) == i64::try_from(id).ok());
        let reading = match feed {
            Some(feed) => fan_watts(feed, id, &device, now),
            None => {
                let detail = format!("no feed {id} in the list of {} feeds: deleted, or of another user", feeds.len());
                Err(Fault::new(device, FaultKind::Missing, detail))
            }
        };
        if let Ok((_, time)) = &reading {
            newest = newest.max(Some(*time));
        }
        fans.insert(fan, reading.map(|(watts, _)| watts));
    }
    Ok(FanWattsReading { fans, row_time: newest })
}

/// The list of feeds in a body. PHP prints its notices in front of it, some behind it.
fn feeds(body: &str, device: &str) -> Result<Vec<Value>, Fault> {
    let error = match serde_json::from_str(body.trim()) {
        Ok(Value::Array(feeds)) => return Ok(feeds),
        Ok(Value::Bool(false)) => {
            return Err(Fault::new(device, FaultKind::Refused, "no access: the API key is missing or not accepted"));
        }
        Ok(other) => {
            let said = other.get("message").and_then(Value::as_str);
            let detail = match said {
                Some(message) => format!("the server says `{}`", excerpt(message)),
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
    if start.starts_with('<') && !is_login_page(body) {
        let detail = format!("the server is in trouble: `{}`", excerpt(body));
        return Err(Fault::new(device, FaultKind::Status, detail));
    }
    Err(not_json(device, body, &error))
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
fn fan_watts(feed: &Value, id: u64, device: &str, now: UnixSeconds) -> Result<(Measured<Watts>, UnixSeconds), Fault> {
    let refuse = |kind: FaultKind, detail: String| Err(Fault::new(device, kind, detail));
    let (value, time) = (feed.get("value"), feed.get("time"));
    if value.is_none_or(Value::is_null) || time.is_none_or(Value::is_null) {
        return refuse(FaultKind::Missing, format!("feed {id} has no data"));
    }
    let Some(time) = time.and_then(whole).filter(|time| *time > 0) else {
        return refuse(FaultKind::Missing, format!("feed {id} has no time: {}", quoted(time)));
    };
    let Some(watts) = value.and_then(number) else {
        return refuse(FaultKind::Unreadable, format!("feed {id} is {}, not a number", quoted(value)));
    };
    let age = now.0.saturating_sub(time);
    if age < -FUTURE_MAX_S {
        let ahead = Seconds(age.unsigned_abs());
        return refuse(FaultKind::Stale, format!("feed {id} is {ahead} ahead of the server's clock"));
    }
    let watts = super::fan_watts(watts, device)?;
    Ok((Measured { value: watts, age: Seconds(u64::try_from(age).unwrap_or(0)) }, UnixSeconds(time)))
}
