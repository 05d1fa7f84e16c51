//! How a physical value refuses what cannot be, and how it is read and shown. It knows no single quantity.

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

/// A type for a number within its bounds. Where it is used, `UnitError` and serde's derives are in scope.
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
pub(super) use quantity;

/// Splits `12.5 kW` into its number and its unit; `None` when it does not start with a number.
pub(super) fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

/// A whole number with commas: `15,020`.
pub(super) fn grouped(value: f64) -> String {
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
