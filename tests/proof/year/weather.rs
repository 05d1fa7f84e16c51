//! The outdoor temperature of a year in Iowa: season, time of day, weather fronts, one arctic outbreak down to -30 F and
//! one heat wave up to 100 F. The same seed gives the same year.

use std::f64::consts::TAU;

pub const DAY_S: u64 = 86_400;
pub const DAYS: u64 = 365;
const HOURS: usize = 365 * 24;
const COLDEST_F: f64 = -30.0;
const HOTTEST_F: f64 = 100.0;
/// A front lasts about this long.
const FRONT_HOURS: f64 = 72.0;

/// Numbers that look random and depend on the seed only (splitmix64).
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64, purpose: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ purpose.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `min` to `max`, both included.
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        min + self.next() % (max - min + 1)
    }

    /// Small numbers far oftener than large ones: a fault lasts minutes, seldom days.
    pub fn skewed(&mut self, min: u64, max: u64) -> u64 {
        let (low, high) = ((min as f64).ln(), (max as f64).ln());
        (low + (high - low) * self.unit()).exp() as u64
    }

    pub fn chance(&mut self, part: f64) -> bool {
        self.unit() < part
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// The year, hour by hour, in Celsius.
#[derive(Debug)]
pub struct Weather {
    hours: Vec<f64>,
}

impl Weather {
    pub fn of(seed: u64) -> Weather {
        let mut rng = Rng::new(seed, 1);
        let mut front = 0.0;
        let mut hours: Vec<f64> = Vec::with_capacity(HOURS);
        for hour in 0..HOURS {
            let day = hour as f64 / 24.0;
            let summer = -((day - 17.0) / 365.0 * TAU).cos();
            let spread = 10.0 - 3.0 * summer;
            front += -front / FRONT_HOURS + spread * (2.0 / FRONT_HOURS).sqrt() * rng.normal();
            let of_day = ((day.fract() * 24.0 - 16.0) / 24.0 * TAU).cos();
            hours.push(46.0 + 29.0 * summer + (9.5 + 1.5 * summer) * of_day + front);
        }
        stretch(&mut hours, COLDEST_F, |a, b| a < b);
        stretch(&mut hours, HOTTEST_F, |a, b| a > b);
        for fahrenheit in &mut hours {
            *fahrenheit = (fahrenheit.clamp(COLDEST_F, HOTTEST_F) - 32.0) / 1.8;
        }
        Weather { hours }
    }

    /// Celsius at a second of the year.
    pub fn at(&self, second: u64) -> f64 {
        let hour = (second / 3600) as usize;
        let part = (second % 3600) as f64 / 3600.0;
        let this = self.hours[hour.min(HOURS - 1)];
        let next = self.hours[(hour + 1).min(HOURS - 1)];
        this + (next - this) * part
    }

    /// The coldest and the hottest temperature of a day.
    pub fn extremes(&self, day: u64) -> (f64, f64) {
        let hours = &self.hours[day as usize * 24..(day as usize + 1) * 24];
        (hours.iter().copied().fold(f64::MAX, f64::min), hours.iter().copied().fold(f64::MIN, f64::max))
    }
}

/// Moves the most extreme days of the year to an extreme that the site must bear.
fn stretch(hours: &mut [f64], wanted: f64, beats: fn(f64, f64) -> bool) {
    let mut most = 0;
    for hour in 0..hours.len() {
        if beats(hours[hour], hours[most]) {
            most = hour;
        }
    }
    let missing = wanted - hours[most];
    for (hour, value) in hours.iter_mut().enumerate() {
        let days = (hour as f64 - most as f64) / 24.0;
        *value += missing * (-days * days / 4.0).exp();
    }
}
