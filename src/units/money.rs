//! Amounts of money.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::UnitError;
use super::quantity::{grouped, quantity};

quantity!(
    /// An amount of money in US dollars.
    Dollars, "amount", "$", -1.0e9, 1.0e9
);

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
