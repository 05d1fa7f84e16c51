//! How times, ages and values read on the page, in `status` and in `status.json`: site-local, with unit, and free of
//! what a device's label could break. It judges nothing.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::config::{Config, TemperatureUnit};
use crate::units::{Moment, Seconds, Temperature, UnixSeconds};

/// Longest label or sentence shown, in characters; a device may send any length.
pub(super) const TEXT_MAX: usize = 400;

/// A point in time, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    /// RFC 3339 with the site's offset.
    pub time: String,
    /// Seconds since 1970-01-01 UTC.
    pub unix: i64,
    /// Seconds from then to the status' own time; 0 for the future.
    pub age_s: u64,
    /// The time for people: `14:02`, with the date when it is not today's.
    pub clock: String,
    /// The age for people: `3 d 4 h`.
    pub age: String,
}

/// The site's way of writing times and temperatures, and its present moment.
#[derive(Debug, Clone)]
pub(super) struct Words {
    zone: TimeZone,
    unit: TemperatureUnit,
    now: Moment,
}

impl Words {
    /// For a configuration whose zone was checked; a zone that is gone since then falls back to UTC, which the offset
    /// in each time makes visible.
    pub(super) fn new(cfg: &Config, now: Moment) -> Words {
        Words { zone: TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC), unit: cfg.temperature_unit, now }
    }

    /// The present moment.
    pub(super) fn now(&self) -> Moment {
        self.now
    }

    /// The site's zone.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    fn format(&self, at: UnixSeconds, format: &str) -> String {
        let stamp = Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        stamp.to_zoned(self.zone.clone()).strftime(format).to_string()
    }

    /// Hour (0 to 23), minute and second at the site.
    pub(super) fn hour_minute_second(&self, at: UnixSeconds) -> (i64, i64, i64) {
        let stamp = Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let zoned = stamp.to_zoned(self.zone.clone());
        (i64::from(zoned.hour()), i64::from(zoned.minute()), i64::from(zoned.second()))
    }

    /// `2026-11-22T14:02:11-06:00`.
    pub(super) fn rfc3339(&self, at: UnixSeconds) -> String {
        self.format(at, "%Y-%m-%dT%H:%M:%S%:z")
    }

    /// `Sun 22 Nov 2026, 14:02:11 -06:00`.
    pub(super) fn full(&self, at: UnixSeconds) -> String {
        self.format(at, "%a %-d %b %Y, %H:%M:%S %:z")
    }

    /// `14:02`.
    pub(super) fn hour_minute(&self, at: UnixSeconds) -> String {
        self.format(at, "%H:%M")
    }

    /// `2026-11`.
    pub(super) fn month(&self, at: UnixSeconds) -> String {
        self.format(at, "%Y-%m")
    }

    /// `November 2026`.
    pub(super) fn month_name(&self, at: UnixSeconds) -> String {
        self.format(at, "%B %Y")
    }

    /// `Sun 22 Nov 14:02`.
    pub(super) fn day_and_time(&self, at: UnixSeconds) -> String {
        self.format(at, "%a %-d %b %H:%M")
    }

    /// `14:02:11`.
    pub(super) fn clock_time(&self, at: UnixSeconds) -> String {
        self.format(at, "%H:%M:%S")
    }

    /// `14:02` on the day of `first`, else with the day.
    pub(super) fn day_time_after(&self, at: UnixSeconds, first: UnixSeconds) -> String {
        let date = "%Y-%m-%d";
        let same_day = self.format(at, date) == self.format(first, date);
        if same_day { self.hour_minute(at) } else { self.day_and_time(at) }
    }

    /// `Sun 22`.
    pub(super) fn day(&self, at: UnixSeconds) -> String {
        self.format(at, "%a %-d")
    }

    /// `22 Nov`.
    pub(super) fn date(&self, at: UnixSeconds) -> String {
        self.format(at, "%-d %b")
    }

    /// `14:02:11` for today, else `21 Nov 14:02`.
    pub(super) fn clock(&self, at: UnixSeconds) -> String {
        let date = "%Y-%m-%d";
        let same_day = self.format(at, date) == self.format(self.now.wall, date);
        self.format(at, if same_day { "%H:%M:%S" } else { "%-d %b %H:%M" })
    }

    /// A wall-clock time as a [`Point`].
    pub(super) fn wall(&self, at: UnixSeconds) -> Point {
        self.point_with_age(at, self.now.wall.since(at))
    }

    /// A moment as a [`Point`]; its age comes from the boot clock where that is possible.
    pub(super) fn point(&self, at: &Moment) -> Point {
        self.point_with_age(at.wall, self.now.since(at))
    }

    fn point_with_age(&self, at: UnixSeconds, age: Seconds) -> Point {
        Point { time: self.rfc3339(at), unix: at.0, age_s: age.0, clock: self.clock(at), age: age.to_string() }
    }

    /// `88.2 °F` or `31.2 °C`, as the configuration says.
    pub(super) fn temperature(&self, value: Temperature) -> String {
        format!("{:.1} {}", self.degrees(value), self.temperature_unit())
    }

    /// A temperature's number in the configured unit.
    pub(super) fn degrees(&self, value: Temperature) -> f64 {
        match self.unit {
            TemperatureUnit::Fahrenheit => value.fahrenheit(),
            TemperatureUnit::Celsius => value.value(),
        }
    }

    /// `°F` or `°C`.
    pub(super) fn temperature_unit(&self) -> &'static str {
        match self.unit {
            TemperatureUnit::Fahrenheit => "°F",
            TemperatureUnit::Celsius => "°C",
        }
    }
}

/// A text fit to be shown: no control characters (they are invalid in HTML, and commands to a terminal), no more than
/// 400 characters. Escaping is the template's.
pub fn clean(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(TEXT_MAX)
        .map(|c| match c {
            '\t' | '\n' | '\r' => ' ',
            // Overrides of the writing direction would reorder what follows them on a terminal.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
            c if c.is_control() || is_noncharacter(c) => '\u{fffd}',
            c => c,
        })
        .collect();
    if text.chars().nth(TEXT_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe
}

/// Keeps a number and its unit on one line: `3 d 4 h` is one thing to read.
pub(super) fn unbroken(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let joins = letter == ' ' && (before.is_ascii_digit() || letters.peek().is_some_and(char::is_ascii_digit));
        shown.push(if joins { '\u{a0}' } else { letter });
        before = letter;
    }
    shown
}

/// `1 warning`, `2 warnings`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_direction_overrides_are_not_shown() {
        assert_eq!(clean("a\u{1b}[31mb\0\n\u{202e}c"), "a\u{fffd}[31mb\u{fffd} \u{fffd}c");
        assert_eq!(clean("مدخل 🌡 é"), "مدخل 🌡 é", "letters of any script stay");
    }

    #[test]
    fn texts_are_cut_beyond_their_limit_and_not_at_it() {
        assert_eq!(clean(&"x".repeat(TEXT_MAX)).chars().count(), TEXT_MAX);
        assert!(clean(&"x".repeat(TEXT_MAX + 1)).ends_with("x…"));
    }
}
