//! The page's own time stamp as a moment. What it lacks of the date is filled in with what is nearest to now; it never
//! makes a page younger than its stamp says.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::place::folded;
use crate::units::UnixSeconds;

/// The page's clock may be this far ahead of ours: it chooses between the two readings of a time that happens twice.
const AHEAD_S: i64 = 600;

/// What stands at the end of a format for the zone.
enum Zone<'a> {
    /// Nothing: the site's.
    Site,
    /// Letters such as CST.
    Letters(&'a str),
}

/// A stamp as a moment. In the hour that happens twice it is the one whose zone the stamp names, else the later one
/// unless that would be ahead of `now`. `None` when the text is not written so.
pub fn moment(text: &str, format: &str, time_zone: &str, now: UnixSeconds) -> Option<UnixSeconds> {
    let (text, format) = (plain(text), plain(format));
    // A zone's letters cannot be parsed in general (CST is six places); they only choose between two readings.
    let (text, format, zone) = if let Some(format) = format.strip_suffix("%Z") {
        let (text, letters) = text.rsplit_once(' ').filter(|(_, l)| l.bytes().all(|b| b.is_ascii_alphabetic()))?;
        (text, format.trim_end(), Zone::Letters(letters))
    } else if let Some(format) = format.strip_suffix('Z') {
        (text.strip_suffix(['Z', 'z'])?, format, Zone::Letters("UTC"))
    } else {
        (text.as_str(), format.as_str(), Zone::Site)
    };
    if format == "%s" {
        return unix(text);
    }
    let parsed = BrokenDownTime::parse(format, text).ok()?;
    if parsed.offset().is_some() || parsed.timestamp().is_some() {
        return Some(UnixSeconds(parsed.to_timestamp().ok()?.as_second()));
    }
    let letters = match zone {
        Zone::Letters(letters) => Some(letters),
        Zone::Site => None,
    };
    let place = match letters {
        Some("UTC" | "GMT") => TimeZone::UTC,
        _ => TimeZone::get(time_zone).ok()?,
    };
    let today = Timestamp::from_second(now.0).ok()?.to_zoned(place.clone()).date();
    let readings = datetimes(&parsed, today).into_iter().filter_map(|at| local(at, &place, letters, now));
    readings.min_by_key(|at| at.0.abs_diff(now.0))
}

/// White space folded, and `p.m.` as the package reads it.
fn plain(text: &str) -> String {
    let text = folded(text).replace('\u{a0}', " ");
    ["a.m.", "p.m.", "A.M.", "P.M.", "a.m", "p.m"].iter().fold(text, |text, dotted| {
        let bare: String = dotted.chars().filter(|c| *c != '.').collect();
        text.replace(dotted, &bare)
    })
}

/// Seconds since 1970, or milliseconds as scripts write them.
fn unix(text: &str) -> Option<UnixSeconds> {
    let number: i64 = text.parse().ok()?;
    let seconds = if text.len() >= 13 { number / 1000 } else { number };
    (0..=32_503_680_000).contains(&seconds).then_some(UnixSeconds(seconds))
}

/// The days that a stamp may mean: one when it gives the date, else those around today.
fn datetimes(parsed: &BrokenDownTime, today: Date) -> Vec<DateTime> {
    if let Ok(whole) = parsed.to_datetime() {
        return vec![whole];
    }
    let Ok(time) = parsed.to_time() else { return Vec::new() };
    let days: Vec<Date> = match (parsed.month(), parsed.day()) {
        (Some(month), Some(day)) => {
            let years = [today.year() - 1, today.year(), today.year() + 1];
            years.into_iter().filter_map(|year| Date::new(year, month, day).ok()).collect()
        }
        (None, None) if parsed.year().is_none() => {
            let around = (-7..=1).filter_map(|days| today.checked_add(jiff::Span::new().days(days)).ok());
            around.filter(|day| parsed.weekday().is_none_or(|weekday| weekday == day.weekday())).collect()
        }
        _ => Vec::new(),
    };
    days.into_iter().map(|day| day.to_datetime(time)).collect()
}

/// A time on the site's clocks as a moment.
fn local(at: DateTime, zone: &TimeZone, letters: Option<&str>, now: UnixSeconds) -> Option<UnixSeconds> {
    let local = zone.to_ambiguous_timestamp(at);
    let (earlier, later) = (local.earlier().ok()?, local.later().ok()?);
    let is_named = |time: Timestamp| letters == Some(zone.to_offset_info(time).abbreviation());
    let is_past = later.as_second() <= now.0.saturating_add(AHEAD_S);
    let is_later = match (is_named(earlier), is_named(later)) {
        (true, false) => false,
        (false, true) => true,
        (true, true) | (false, false) => is_past,
    };
    Some(UnixSeconds(if is_later { later.as_second() } else { earlier.as_second() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seconds;

    #[test]
    fn a_stamp_in_the_hour_that_happens_twice_is_the_nearest_one_in_the_past() {
        // Chicago went from CDT to CST on 2026-11-01 at 07:00 UTC: 01:30 was at 06:30 and at 07:30 UTC.
        let (format, first, second) = ("%m/%d/%Y %I:%M %p", UnixSeconds(1_793_514_600), UnixSeconds(1_793_518_200));
        let at = |now: UnixSeconds| moment("11/01/2026 01:30 AM", format, "America/Chicago", now);
        assert_eq!(at(first.plus(Seconds(60))), Some(first));
        assert_eq!(at(second.plus(Seconds(60))), Some(second));
        assert_eq!(at(second.minus(Seconds(60))), Some(second), "the page's clock may be a little ahead");
    }

    #[test]
    fn zone_letters_in_a_stamp_choose_between_the_two_readings() {
        let (first, second) = (UnixSeconds(1_793_514_600), UnixSeconds(1_793_518_200));
        let at = |text| moment(text, "%m/%d/%Y %I:%M %p %Z", "America/Chicago", second.plus(Seconds(60)));
        assert_eq!(at("11/01/2026 01:30 AM CDT"), Some(first));
        assert_eq!(at("11/01/2026 01:30 AM CST"), Some(second));
        assert_eq!(at("11/01/2026 01:30 AM CT"), Some(second));
        assert_eq!(at("11/01/2026 01:30 AM GMT"), Some(UnixSeconds(1_793_496_600)));
        assert_eq!(at("11/01/2026 01:30 AM"), None);
    }

    #[test]
    fn a_stamp_with_its_own_offset_needs_no_time_zone() {
        let at = |text, format| moment(text, format, "America/Chicago", UnixSeconds(0));
        let wanted = Some(UnixSeconds(1_795_356_000));
        assert_eq!(at("2026-11-22 14:00 +0000", "%Y-%m-%d %H:%M %z"), wanted);
        assert_eq!(at("2026-11-22T14:00:00Z", "%Y-%m-%dT%H:%M:%SZ"), wanted);
        assert_eq!(at("2026-11-22T08:00:00-06:00", "%Y-%m-%dT%H:%M:%S%:z"), wanted);
        assert_eq!(at("1795356000", "%s"), wanted);
        assert_eq!(at("1795356000123", "%s"), wanted);
        assert_eq!(at("-5", "%s"), None);
    }

    #[test]
    fn a_clock_without_a_date_is_the_nearest_such_time() {
        // 2026-11-22 14:10 in Chicago.
        let now = UnixSeconds(1_795_378_200);
        let at = |text, format| moment(text, format, "America/Chicago", now).map(|at| at.0 - now.0);
        assert_eq!(at("Status at 14:03", "Status at %H:%M"), Some(-420));
        assert_eq!(at("Status at 14:15 CST", "Status at %H:%M %Z"), Some(300), "a little ahead");
        assert_eq!(at("2:03 p.m.", "%I:%M %p"), Some(-420));
        assert_eq!(at("11:50 PM", "%I:%M %p"), Some(34_800), "nearer tonight than last night");
        assert_eq!(at("2:50 AM", "%I:%M %p"), Some(-40_800));
        assert_eq!(at("Friday 2:10 PM", "%A %I:%M %p"), Some(-2 * 86_400), "a weekday is the last such");
        assert_eq!(at("Nov 22, 2:00 PM", "%b %d, %I:%M %p"), Some(-600), "no year");
        let new_year = UnixSeconds(1_798_783_500);
        let read = moment("Dec 31 11:59 PM", "%b %d %I:%M %p", "America/Chicago", new_year);
        assert_eq!(read.map(|at| at.0 - new_year.0), Some(-360), "a minute before the year ends, five after");
        assert_eq!(at("25:03", "%H:%M"), None);
    }
}
