//! `[costs]`: what a missed call and an hour off cost, for the estimates in the scorecard. No rule decides by it.

use std::ops::RangeInclusive;

use super::section::{Need, Section};
use crate::units::{Dollars, Seconds};

/// `[costs]`
#[derive(Debug, Clone)]
pub struct CostsConfig {
    /// What the utility bills for each kW drawn in its peak interval.
    pub demand_charge: Dollars,
    /// How long that charge holds.
    pub demand_charge_for: ChargePeriod,
    /// The utility's billing interval.
    pub billing_interval: Seconds,
    /// Price of a kWh.
    pub energy_price: Dollars,
    /// What an hour off earns less.
    pub needless_off_per_hour: Dollars,
}

/// How long one peak sets the demand charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargePeriod {
    /// For a month.
    Month,
    /// For a season.
    Season,
}

impl ChargePeriod {
    /// The word used in config, report and page.
    pub fn word(self) -> &'static str {
        match self {
            ChargePeriod::Month => "month",
            ChargePeriod::Season => "season",
        }
    }
}

const PERIODS: [(&str, ChargePeriod); 2] = [("month", ChargePeriod::Month), ("season", ChargePeriod::Season)];

pub(super) fn read(s: &Section<'_>) -> Option<CostsConfig> {
    let demand_charge = dollars(s, "demand_charge", Need::Default("15.0"), 0.0..=1000.0);
    let demand_charge_for = s.word("demand_charge_for", Need::Default("month"), &PERIODS);
    let interval_bounds = Seconds::minutes(5)..=Seconds::minutes(120);
    let billing_interval = s.span("billing_interval", Need::Default("30 minutes"), interval_bounds);
    let energy_price = dollars(s, "energy_price", Need::Default("0.07"), 0.0..=10.0);
    let needless_off = dollars(s, "needless_off_per_hour", Need::Default("50.0"), 0.0..=100_000.0);
    s.finish();
    Some(CostsConfig {
        demand_charge: demand_charge?,
        demand_charge_for: demand_charge_for?,
        billing_interval: billing_interval?,
        energy_price: energy_price?,
        needless_off_per_hour: needless_off?,
    })
}

/// An amount of money within bounds, as a bare number.
fn dollars(s: &Section<'_>, key: &'static str, need: Need, bounds: RangeInclusive<f64>) -> Option<Dollars> {
    let value = s.fraction(key, need)?;
    if !bounds.contains(&value) {
        s.mistake(key, format!("{value} is outside {} to {} dollars", bounds.start(), bounds.end()));
        return None;
    }
    Dollars::new(value).ok()
}
