//! The air's temperature and humidity.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnitError;
use super::quantity::{number_and_unit, quantity};

quantity!(
    /// Air temperature in degrees Celsius, within what the probes can measure.
    Temperature, "temperature", "°C", -55.0, 125.0
);
quantity!(
    /// Relative humidity in percent.
    Humidity, "relative humidity", "%RH", 0.0, 100.0
);

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
