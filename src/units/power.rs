//! What the miners draw and what they make of it: power, energy, hash rate.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::quantity::{grouped, number_and_unit, quantity};
use super::{Seconds, UnitError};

quantity!(
    /// Electrical power in watts. Slightly negative values are the noise of a current transformer.
    Watts, "power", "W", -1.0e6, 1.0e8
);
quantity!(
    /// Electrical energy in kilowatt hours. Negative where more was drawn than before.
    KilowattHours, "energy", "kWh", -1.0e9, 1.0e9
);
quantity!(
    /// Hash rate in terahashes a second.
    Terahashes, "hash rate", "TH/s", 0.0, 1.0e9
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

impl fmt::Display for Terahashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 1000.0 { write!(f, "{:.2} PH/s", self.0 / 1000.0) } else { write!(f, "{:.0} TH/s", self.0) }
    }
}
