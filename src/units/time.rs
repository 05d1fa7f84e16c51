//! Spans and points in time, as a machine without a clock of its own can know them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnitError;

/// A span of time in whole seconds; never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u64);

impl Seconds {
    /// From whole minutes.
    pub const fn minutes(minutes: u64) -> Seconds {
        Seconds(minutes.saturating_mul(60))
    }

    /// As the standard library's duration, for time-outs and pauses.
    pub const fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0)
    }

    /// In hours, with their fraction.
    pub fn hours(self) -> f64 {
        self.0 as f64 / 3600.0
    }

    /// The sum; saturates at the longest span.
    pub const fn plus(self, other: Seconds) -> Seconds {
        Seconds(self.0.saturating_add(other.0))
    }

    /// `self - other`, zero when `other` is longer.
    pub const fn saturating_sub(self, other: Seconds) -> Seconds {
        Seconds(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Seconds {
    /// The two largest parts: `3 d 4 h`, `12 min 5 s`, `40 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (d, h, m, s) = (self.0 / 86_400, self.0 / 3600 % 24, self.0 / 60 % 60, self.0 % 60);
        let parts = [(d, "d"), (h, "h"), (m, "min"), (s, "s")];
        let mut shown = parts.iter().skip_while(|(n, _)| *n == 0).take(2).filter(|(n, _)| *n > 0).peekable();
        if shown.peek().is_none() {
            return f.write_str("0 s");
        }
        while let Some((n, unit)) = shown.next() {
            write!(f, "{n} {unit}{}", if shown.peek().is_some() { " " } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Seconds {
    type Err = UnitError;
    /// Takes `2 minutes`, `90 s`, `1h 30m`, `2 days` (of 24 hours); refuses a bare number, parts of a second, and
    /// negative spans.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad =
            || UnitError::Text { text: text.to_owned(), what: "time span", example: "`2 minutes`, `90 s` or `1h 30m`" };
        let span = jiff::fmt::friendly::SpanParser::new().parse_span(text).map_err(|_| bad())?;
        let span = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| bad())?;
        if span.subsec_nanos() != 0 {
            return Err(bad());
        }
        u64::try_from(span.as_secs()).map(Seconds).map_err(|_| bad())
    }
}

/// Wall-clock time: seconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

impl UnixSeconds {
    /// How long `earlier` is past at `self`; zero when it lies in the future (a clock that jumped back).
    pub fn since(self, earlier: UnixSeconds) -> Seconds {
        Seconds(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Later by a span.
    pub fn plus(self, span: Seconds) -> UnixSeconds {
        UnixSeconds(self.0.saturating_add_unsigned(span.0))
    }

    /// Earlier by a span.
    pub fn minus(self, span: Seconds) -> UnixSeconds {
        UnixSeconds(self.0.saturating_sub_unsigned(span.0))
    }
}

/// Which boot of the machine a [`Moment`] belongs to: the first 32 bits of the kernel's boot id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(pub u32);

/// A point in time as a Raspberry Pi can know it: the wall clock, which may jump, and the boot clock, which may not
/// but starts anew at each boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The wall clock.
    pub wall: UnixSeconds,
    /// The boot that `up` counts from.
    pub boot: BootId,
    /// Seconds since that boot (`CLOCK_BOOTTIME`).
    pub up: Seconds,
}

impl Moment {
    /// Whether both are one point in time, whatever the wall clock was called then: it may have been set right since.
    pub fn is(&self, other: &Moment) -> bool {
        (self.boot, self.up) == (other.boot, other.up)
    }

    /// How long `earlier` is past: by the boot clock within one boot. Across boots by the wall clock, and at least as long
    /// as this boot has lasted: a clock that is behind makes nothing young.
    pub fn since(&self, earlier: &Moment) -> Seconds {
        if self.boot == earlier.boot {
            self.up.saturating_sub(earlier.up)
        } else {
            self.wall.since(earlier.wall).max(self.up)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_show_their_two_largest_parts() {
        assert_eq!(Seconds(3 * 86_400 + 4 * 3600 + 59).to_string(), "3 d 4 h");
        assert_eq!(Seconds(725).to_string(), "12 min 5 s");
        assert_eq!(Seconds(0).to_string(), "0 s");
        assert_eq!(Seconds(3600).to_string(), "1 h");
    }

    #[test]
    fn age_uses_the_boot_clock_within_a_boot_and_the_wall_clock_across() {
        let at = |wall, boot, up| Moment { wall: UnixSeconds(wall), boot: BootId(boot), up: Seconds(up) };
        assert_eq!(at(50_000, 1, 160).since(&at(90_000, 1, 100)), Seconds(60), "the wall clock jumped back");
        assert_eq!(at(90_300, 2, 5).since(&at(90_000, 1, 100)), Seconds(300));
        assert_eq!(at(10, 2, 5).since(&at(90_000, 1, 100)), Seconds(5), "at least this boot");
    }
}
