//! Physical values and times as types, so that watts are never added to degrees. It does not know any device,
//! limit or setting of the site.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a number was refused as a physical value.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum UnitError {
    /// NaN or an infinity.
    #[error("{what} is not a finite number")]
    NotFinite {
        /// The quantity, for the message.
        what: &'static str,
    },
    /// Outside what this quantity can be at a mine.
    #[error("{value} {unit} is not a possible {what} ({min} to {max} {unit})")]
    Impossible {
        /// The quantity, for the message.
        what: &'static str,
        /// The refused number.
        value: f64,
        /// The unit, for the message.
        unit: &'static str,
        /// The smallest possible value.
        min: f64,
        /// The largest possible value.
        max: f64,
    },
    /// Text that is not a number with a unit this quantity knows.
    #[error("`{text}` is not a {what}; write it as {example}")]
    Text {
        /// The text as typed.
        text: String,
        /// The quantity, for the message.
        what: &'static str,
        /// How it is written.
        example: &'static str,
    },
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $what:literal, $unit:literal, $min:expr, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Checks the number; `Err` for NaN, infinities and impossible values.
            pub fn new(value: f64) -> Result<Self, UnitError> {
                if !value.is_finite() {
                    return Err(UnitError::NotFinite { what: $what });
                }
                if !($min..=$max).contains(&value) {
                    return Err(UnitError::Impossible { what: $what, value, unit: $unit, min: $min, max: $max });
                }
                // `-0` from a device is a zero like any other.
                Ok(Self(value + 0.0))
            }

            /// The bare number, for arithmetic inside one function and for printing.
            pub fn value(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = UnitError;
            fn try_from(value: f64) -> Result<Self, UnitError> {
                Self::new(value)
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }
    };
}

quantity!(
    /// Electrical power in watts. Slightly negative values are the noise of a current transformer.
    Watts, "power", "W", -1.0e6, 1.0e8
);
quantity!(
    /// Air temperature in degrees Celsius, within what the probes can measure.
    Temperature, "temperature", "°C", -55.0, 125.0
);
quantity!(
    /// Relative humidity in percent.
    Humidity, "relative humidity", "%RH", 0.0, 100.0
);
quantity!(
    /// Hash rate in terahashes a second.
    Terahashes, "hash rate", "TH/s", 0.0, 1.0e9
);

quantity!(
    /// Electrical energy in kilowatt hours. Negative where more was drawn than before.
    KilowattHours, "energy", "kWh", -1.0e9, 1.0e9
);
quantity!(
    /// An amount of money in US dollars.
    Dollars, "amount", "$", -1.0e9, 1.0e9
);

impl Watts {
    /// No power: a measured or configured zero, never a stand-in for a missing reading.
    pub const ZERO: Watts = Watts(0.0);

    /// The sum of many readings; saturates at the largest possible value.
    pub fn sum(values: impl IntoIterator<Item = Watts>) -> Watts {
        // The standard sum of nothing is -0.0, and would be shown so.
        let total: f64 = values.into_iter().map(Watts::value).fold(0.0, |all, one| all + one);
        Watts(total.clamp(-1.0e6, 1.0e8))
    }
}

impl fmt::Display for Watts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.abs() >= 10_000.0 {
            write!(f, "{:.0} kW", self.0 / 1000.0)
        } else if self.0.abs() >= 1000.0 {
            write!(f, "{:.1} kW", self.0 / 1000.0)
        } else {
            write!(f, "{:.0} W", self.0)
        }
    }
}

impl FromStr for Watts {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || UnitError::Text { text: text.to_owned(), what: "power", example: "`250 W`, `12.5 kW` or `1 MW`" };
        let (number, unit) = number_and_unit(text).ok_or_else(bad)?;
        let factor = match unit.to_ascii_lowercase().as_str() {
            "w" => 1.0,
            "kw" => 1.0e3,
            "mw" => 1.0e6,
            _ => return Err(bad()),
        };
        Watts::new(number * factor)
    }
}

impl Temperature {
    /// From degrees Fahrenheit; `Err` as in [`Temperature::new`].
    pub fn from_fahrenheit(value: f64) -> Result<Self, UnitError> {
        Self::new((value - 32.0) / 1.8)
    }

    /// In degrees Fahrenheit.
    pub fn fahrenheit(self) -> f64 {
        self.0 * 1.8 + 32.0
    }
}

impl fmt::Display for Temperature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} °F ({:.1} °C)", self.fahrenheit(), self.0)
    }
}

impl FromStr for Temperature {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || UnitError::Text { text: text.to_owned(), what: "temperature", example: "`95 F` or `35 C`" };
        let (number, unit) = number_and_unit(text).ok_or_else(bad)?;
        match unit.trim_start_matches('°').to_ascii_uppercase().as_str() {
            "C" => Temperature::new(number),
            "F" => Temperature::from_fahrenheit(number),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Humidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} %RH", self.0)
    }
}

impl FromStr for Humidity {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || UnitError::Text { text: text.to_owned(), what: "relative humidity", example: "`45 %`" };
        let (number, unit) = number_and_unit(text).ok_or_else(bad)?;
        if matches!(unit.to_ascii_uppercase().as_str(), "%" | "%RH" | "") { Humidity::new(number) } else { Err(bad()) }
    }
}

impl fmt::Display for Terahashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1000.0 { write!(f, "{:.2} PH/s", self.0 / 1000.0) } else { write!(f, "{:.0} TH/s", self.0) }
    }
}

impl KilowattHours {
    /// No energy.
    pub const ZERO: KilowattHours = KilowattHours(0.0);

    /// What a power draws in a span; saturates at the largest possible value.
    pub fn drawn(power: Watts, span: Seconds) -> KilowattHours {
        KilowattHours((power.0 / 1000.0 * span.hours()).clamp(-1.0e9, 1.0e9))
    }

    /// The larger of two.
    pub fn max(self, other: KilowattHours) -> KilowattHours {
        if other > self { other } else { self }
    }

    /// The difference; saturates at the largest possible value.
    pub fn minus(self, other: KilowattHours) -> KilowattHours {
        KilowattHours((self.0 - other.0).clamp(-1.0e9, 1.0e9))
    }

    /// The sum; saturates at the largest possible value.
    pub fn plus(self, other: KilowattHours) -> KilowattHours {
        KilowattHours((self.0 + other.0).clamp(-1.0e9, 1.0e9))
    }
}

impl fmt::Display for KilowattHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.abs() < 10.0 { write!(f, "{:.1} kWh", self.0) } else { write!(f, "{} kWh", grouped(self.0)) }
    }
}

impl Dollars {
    /// No money.
    pub const ZERO: Dollars = Dollars(0.0);

    /// A price for each unit times so many units; saturates at the largest possible amount.
    pub fn times(self, units: f64) -> Dollars {
        let product = self.0 * units;
        Dollars(if product.is_finite() { product.clamp(-1.0e9, 1.0e9) } else { 0.0 })
    }

    /// The sum; saturates at the largest possible amount.
    pub fn plus(self, other: Dollars) -> Dollars {
        Dollars((self.0 + other.0).clamp(-1.0e9, 1.0e9))
    }
}

impl fmt::Display for Dollars {
    /// Whole dollars: `$15,020`, `-$30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}${}", if self.0.round() < 0.0 { "-" } else { "" }, grouped(self.0.abs()))
    }
}

/// A whole number with commas: `15,020`.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value.round() < 0.0 { format!("-{text}") } else { text }
}

/// Splits `12.5 kW` into its number and its unit; `None` when it does not start with a number.
fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

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
    fn quantities_refuse_nan_infinity_and_impossible_values() {
        assert!(Watts::new(f64::NAN).is_err());
        assert!(Temperature::new(f64::INFINITY).is_err());
        assert!(Temperature::new(125.0).is_ok());
        assert!(Temperature::new(125.1).is_err());
        assert!(Humidity::new(100.1).is_err());
    }

    #[test]
    fn energy_and_money_are_grouped_by_thousands() {
        let shown = |value: f64| Dollars::new(value).unwrap().to_string();
        assert_eq!(
            [0.0, 999.4, 999.6, 15_020.0, -1_234_567.0, -0.4].map(shown),
            ["$0", "$999", "$1,000", "$15,020", "-$1,234,567", "$0"]
        );
        let drawn = KilowattHours::drawn(Watts(1.0e6), Seconds(5400));
        assert_eq!((drawn.value(), drawn.to_string().as_str()), (1500.0, "1,500 kWh"));
        assert_eq!(KilowattHours(-9.95).to_string(), "-9.9 kWh");
        assert_eq!(KilowattHours(-10.0).to_string(), "-10 kWh");
    }

    #[test]
    fn values_are_read_with_their_unit_and_not_without() {
        assert_eq!("12.5 kW".parse(), Watts::new(12_500.0));
        assert_eq!("95 F".parse(), Temperature::new(35.0));
        assert_eq!("35°C".parse(), Temperature::new(35.0));
        assert_eq!("2 minutes".parse(), Ok(Seconds(120)));
        assert_eq!("1h 30m".parse(), Ok(Seconds(5400)));
        assert_eq!("2 days".parse(), Ok(Seconds(172_800)));
        assert!("1.5 s".parse::<Seconds>().is_err());
        assert!("95".parse::<Temperature>().is_err());
        assert!("120".parse::<Seconds>().is_err());
        assert!("-5 s".parse::<Seconds>().is_err());
    }

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
