//! Physical values and times as types, so that watts are never added to degrees. It does not know any device,
//! limit or setting of the site.

mod air;
mod money;
mod power;
mod quantity;
mod time;

pub use air::{Humidity, Temperature};
pub use money::Dollars;
pub use power::{KilowattHours, Terahashes, Watts};
pub use quantity::UnitError;
pub use time::{BootId, Moment, Seconds, UnixSeconds};

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
        let drawn = KilowattHours::drawn(Watts::new(1.0e6).unwrap(), Seconds(5400));
        assert_eq!((drawn.value(), drawn.to_string().as_str()), (1500.0, "1,500 kWh"));
        let kilowatt_hours = |value: f64| KilowattHours::new(value).unwrap().to_string();
        assert_eq!(kilowatt_hours(-9.95), "-9.9 kWh");
        assert_eq!(kilowatt_hours(-10.0), "-10 kWh");
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
}
