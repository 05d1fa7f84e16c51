//! AVTECH Room Alert: one page for all probes and switches of a unit, in the short words (12E, 32E) and the long ones (3E,
//! older), as `getData.json` or as `getData.htm` without HTTP headers. It reads only, and holds no limits but what a probe
//! can measure at all.

mod analog;
mod entry;
mod probe;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::common::kept::Kept;
use super::common::lenient::{Problem, object};
use super::common::{Limits, basic_auth, text_of, unreadable_json};
use crate::config::RoomAlertConfig;
use crate::http::{Request, excerpt, raw_get, send_or_raw};
use crate::model::{Fault, FaultKind, Reading, RoomReading};
use crate::units::Seconds;

/// What a Room Alert sends at most, with room to spare.
const BODY_MAX: usize = 64 * 1024;

/// The page of newer firmware, an ordinary HTTP answer.
const JSON_PAGE: &str = "getData.json";
/// The page of older firmware, which comes without headers.
const BARE_PAGE: &str = "getData.htm";

/// After this many readings in a row whose connection broke off, the page that worked before is no longer the only one tried.
const BROKEN_MAX: u32 = 3;

/// The page that worked last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    page: String,
    /// Readings since then, in a row, that broke off.
    broken: u32,
}

/// Reads one unit. Where its page is not there, or is something else, the page of other firmware is tried; what a unit says
/// against itself there is told before what is wrong with the first page. The page that worked last comes first, and is
/// kept in `folder`.
pub(super) fn read(cfg: &RoomAlertConfig, folder: &Path, limits: Limits) -> Reading<RoomReading> {
    let (page, other) = pages(&cfg.url);
    let Some(other) = other else { return read_page(cfg, &page, limits).map_err(|miss| miss.fault) };
    let kept = Kept::new(folder, "page", &cfg.name);
    let known = kept.load().filter(|known: &Known| known.page == page || known.page == other);
    let is_other = known.as_ref().is_some_and(|known| known.page == other);
    let (first, second) = if is_other { (other, page) } else { (page, other) };
    let keep = |next: Known| {
        if known.as_ref() != Some(&next) {
            kept.keep(&next)
        }
    };
    let miss = match read_page(cfg, &first, limits) {
        Ok(reading) => {
            keep(Known { page: first, broken: 0 });
            return Ok(reading);
        }
        Err(miss) => miss,
    };
    let try_second = match (miss.other, &known) {
        (Other::No, _) => false,
        (Other::Yes, _) | (Other::Perhaps, None) => true,
        (Other::Perhaps, Some(known)) => {
            let broken = known.broken.saturating_add(1).min(BROKEN_MAX);
            keep(Known { page: first, broken });
            broken >= BROKEN_MAX
        }
    };
    if !try_second || limits.left().is_zero() {
        return Err(miss.fault);
    }
    match read_page(cfg, &second, limits) {
        Ok(reading) => {
            kept.keep(&Known { page: second, broken: 0 });
            Ok(reading)
        }
        Err(Miss { other: Other::No, fault }) => Err(fault),
        Err(Miss { other: Other::Yes | Other::Perhaps, .. }) => Err(miss.fault),
    }
}

/// The page to read, and the one that other firmware has in its place.
fn pages(url: &str) -> (String, Option<String>) {
    if let Some(base) = url.strip_suffix(JSON_PAGE) {
        return (url.to_owned(), Some(format!("{base}{BARE_PAGE}")));
    }
    if let Some(base) = url.strip_suffix(BARE_PAGE) {
        return (url.to_owned(), Some(format!("{base}{JSON_PAGE}")));
    }
    let base = url.strip_suffix('/').unwrap_or(url);
    let is_host_alone = base.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?', '#']));
    match is_host_alone {
        true => (format!("{base}/{JSON_PAGE}"), Some(format!("{base}/{BARE_PAGE}"))),
        false => (url.to_owned(), None),
    }
}

/// Why a page gave no reading, and whether the unit may have another page instead.
struct Miss {
    fault: Fault,
    other: Other,
}

/// Whether the page of other firmware may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    /// It would be of no help.
    No,
    /// The connection broke off: so do units that lack a page, and units that are unwell.
    Perhaps,
    /// The unit says itself that this page is not there, or shows something else in its place.
    Yes,
}

fn read_page(cfg: &RoomAlertConfig, url: &str, limits: Limits) -> Result<RoomReading, Miss> {
    let stop = |fault: Fault| Miss { fault, other: Other::No };
    let mut request = Request::get(&cfg.name, url, limits.next());
    request.body_max = BODY_MAX;
    request.ca_file = cfg.ca_file.as_deref();
    request.secrets.extend(cfg.password.as_ref());
    if let Some(user) = &cfg.user {
        request = request.header("Authorization", basic_auth(user, cfg.password.as_ref()));
    }
    let is_bare = url.ends_with(BARE_PAGE) && url.starts_with("http://");
    let answer = if is_bare { raw_get(&request) } else { send_or_raw(&request) };
    let when = |is_so: bool, other: Other| if is_so { other } else { Other::No };
    let answer =
        answer.map_err(|fault| Miss { other: when(fault.kind == FaultKind::Broken, Other::Perhaps), fault })?;
    let other = when(answer.status == 404, Other::Yes);
    let answer = answer.accepted(&cfg.name, url).map_err(|fault| Miss { fault, other })?;
    let body = answer.text();
    let unit = document(&body, &cfg.name).map_err(|fault| {
        let is_something_else = fault.kind == FaultKind::Unreadable && !body.trim_start().starts_with('{');
        Miss { fault, other: when(is_something_else, Other::Yes) }
    })?;
    reading(&unit, cfg).map_err(stop)
}

/// What a body says; a fault for a body that is not this unit's, and one in the place of each value that is not to be
/// trusted.
pub fn parse(body: &str, cfg: &RoomAlertConfig) -> Reading<RoomReading> {
    reading(&document(body, &cfg.name)?, cfg)
}

fn reading(unit: &Map<String, Value>, cfg: &RoomAlertConfig) -> Reading<RoomReading> {
    let serial = identity(unit, cfg)?;
    if !unit.values().any(Value::is_array) {
        return Err(Fault::new(&cfg.name, FaultKind::Unreadable, "answer has no sensors: not a Room Alert"));
    }
    let uptime = unit.get("uptime").and_then(Value::as_str).and_then(uptime);
    let mut remarks = Vec::new();
    let probes = cfg.probes.iter().map(|one| (one.name.clone(), probe::read(unit, cfg, one, &mut remarks))).collect();
    let switches = cfg.switches.iter().map(|one| (one.name.clone(), probe::read_switch(unit, cfg, one, &mut remarks)));
    let switches = switches.collect();
    let analog = analog::read(unit, &cfg.name);
    Ok(RoomReading { serial, uptime, probes, switches, analog, remarks })
}

/// The serial number; the oldest firmware gives none, and its MAC address stands in.
fn identity(unit: &Map<String, Value>, cfg: &RoomAlertConfig) -> Result<String, Fault> {
    let given = |key: &str| unit.get(key).and_then(text_of).filter(|text| !text.trim().is_empty());
    let (serial, mac) = (given("serial"), given("macaddr"));
    let is_wanted = |wanted: &str| [&serial, &mac].into_iter().flatten().any(|id| id.eq_ignore_ascii_case(wanted));
    if let Some(wanted) = cfg.serial.as_deref().filter(|wanted| !is_wanted(wanted)) {
        let seen = match (&serial, &mac) {
            (Some(id), _) => format!("`{}`", excerpt(id)),
            (None, Some(mac)) => format!("not given (MAC address `{}`)", excerpt(mac)),
            (None, None) => "nothing".to_owned(),
        };
        let detail = format!("serial number is {seen}; wanted `{wanted}`");
        return Err(Fault::new(&cfg.name, FaultKind::WrongDevice, detail));
    }
    Ok(serial.or(mac).unwrap_or_default())
}

/// The JSON object in a body. Anything before it is skipped; a body that does not end with it is cut off.
fn document(body: &str, device: &str) -> Result<Map<String, Value>, Fault> {
    let text = body.find('{').and_then(|start| body.get(start..)).unwrap_or(body);
    object(text).map_err(|problem| unreadable_json(device, body, problem == Problem::CutOff))
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
    fn each_page_has_the_other_one_as_its_substitute() {
        let both = |base: &str| (format!("{base}getData.json"), Some(format!("{base}getData.htm")));
        assert_eq!(pages("http://a/getData.json"), both("http://a/"));
        assert_eq!(pages("http://a:81"), both("http://a:81/"));
        assert_eq!(pages("http://a/"), both("http://a/"));
        let (page, other) = both("http://a/x/");
        assert_eq!(pages("http://a/x/getData.htm"), (other.unwrap(), Some(page)));
        assert_eq!(pages("http://a/getData.json?src=RA"), ("http://a/getData.json?src=RA".to_owned(), None));
    }
}
