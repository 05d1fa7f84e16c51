//! `[drill]`: which miner and which fan a drill switches, and when one is made without being asked for.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::PduConfig;
use super::entry::Kind;
use super::section::{Need, Section, Want};
use super::value::plain;
use crate::model::OutletRef;
use crate::units::Seconds;

const TIME: Want = Want { what: "a time of day such as \"10:30\"", kind: Kind::Text };
const OUTLET: Want = Want { what: "a PDU and an outlet such as \"pdu-a 12\"", kind: Kind::Text };
const DAY: Seconds = Seconds::minutes(24 * 60);
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// `[drill]`
#[derive(Debug, Clone)]
pub struct DrillConfig {
    /// When one is made by itself; `None` never.
    pub schedule: Option<DrillSchedule>,
    /// The miner, by Foreman's name or number of it; `None`: another one each time.
    pub miner: Option<String>,
    /// The outlet that feeds that miner, or that is switched itself when there is no `miner`.
    pub outlet: Option<OutletRef>,
    /// The fan; `None`: the one that was switched the longest ago.
    pub fan: Option<u8>,
}

/// When drills are made.
#[derive(Debug, Clone)]
pub struct DrillSchedule {
    /// How often.
    pub every: Seconds,
    /// From this time of the site's day on.
    pub at: Time,
    /// On these days.
    pub weekdays: Vec<Weekday>,
    /// The site's time zone, read with the configuration.
    pub zone: TimeZone,
}

/// What else was read: `None` where it has mistakes of its own.
pub(super) struct Known<'a> {
    pub(super) time_zone: Option<&'a str>,
    pub(super) pdus: Option<&'a [PduConfig]>,
    pub(super) fans: Option<&'a [u8]>,
}

pub(super) fn read(s: &Section<'_>, known: &Known<'_>) -> Option<DrillConfig> {
    let every = s.has("every");
    let span = s.span("every", Need::Optional, DAY..=Seconds(92 * DAY.0));
    let at = s.checked("at", TIME, Need::Default("10:30"), time_of_day);
    let weekdays = s.texts("weekdays", Need::Default(DAYS_DEFAULT), weekday);
    let miner = s.checked("miner", super::value::TEXT, Need::Optional, plain);
    let outlet = s.checked("outlet", OUTLET, Need::Optional, |text| listed_outlet(text, known.pdus));
    let fan = s.number("fan", Need::Optional, 0..=255);
    s.finish();
    let fan = fan.and_then(|fan| u8::try_from(fan).ok());
    if let (Some(fan), Some(fans)) = (fan, known.fans)
        && !fans.contains(&fan)
    {
        s.mistake("fan", format!("there is no fan {fan}"));
    }
    if weekdays.as_ref().is_some_and(Vec::is_empty) {
        s.mistake("weekdays", "names no day");
    }
    let zone = known.time_zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let (at, weekdays) = (at?, weekdays?);
    let schedule = span.map(|every| DrillSchedule { every, at, weekdays, zone });
    // One that is there and wrong has its mistake; it must not pass for none.
    if every && schedule.is_none() {
        return None;
    }
    Some(DrillConfig { schedule, miner, outlet, fan })
}

const DAYS_DEFAULT: &str = "[\"Mon\", \"Tue\", \"Wed\", \"Thu\", \"Fri\", \"Sat\", \"Sun\"]";

fn time_of_day(text: &str) -> Result<Time, String> {
    let bad = || format!("`{text}` is not a time of day; write it as `10:30`");
    let (hour, minute) = text.split_once(':').ok_or_else(bad)?;
    let number = |part: &str| part.parse::<i8>().map_err(|_| bad());
    Time::new(number(hour)?, number(minute)?, 0, 0).map_err(|_| bad())
}

fn weekday(text: &str) -> Result<Weekday, String> {
    super::value::one_of(text, &WEEKDAYS)
}

/// An outlet by PDU and id, as it is shown: `pdu-a 12` or `pdu-a outlet 12`.
fn listed_outlet(text: &str, pdus: Option<&[PduConfig]>) -> Result<OutletRef, String> {
    let found =
        pdus.map(|pdus| OutletRef::find(text, pdus.iter().map(|pdu| (pdu.name.as_str(), pdu.outlets.as_slice()))));
    match found {
        Some(Some(outlet)) => Ok(outlet),
        Some(None) => Err(format!("`{text}` is no outlet in `outlets` of a [[pdu]]; write it as `pdu-a 12`")),
        None => Err("the [[pdu]] sections have mistakes".to_owned()),
    }
}
