//! The utility's year: sixty calls, on the hottest afternoons, the coldest mornings and a few evenings of the harvest
//! (half an hour to four hours each), and the number on its page.

use super::weather::{DAY_S, Rng, Weather};
use crate::physics::noise;

pub const CALLS: usize = 60;
const SUMMER: usize = 34;
const WINTER: usize = 20;

/// One call, in seconds of the year.
#[derive(Debug, Clone)]
pub struct Call {
    pub start: u64,
    pub end: u64,
    /// The number is below `resume_below` again from here on.
    pub clear: u64,
}

impl Call {
    /// Whether the page, if it can be read, does not let the miners run.
    pub fn holds(&self, second: u64) -> bool {
        (self.start..self.clear).contains(&second)
    }
}

/// The calls of the year, in their order.
pub fn of(seed: u64, weather: &Weather) -> Vec<Call> {
    let mut rng = Rng::new(seed, 2);
    let mut summer: Vec<u64> = (151..273).collect();
    summer.sort_by(|a, b| weather.extremes(*b).1.total_cmp(&weather.extremes(*a).1));
    let mut winter: Vec<u64> = (2..75).chain(334..363).collect();
    winter.sort_by(|a, b| weather.extremes(*a).0.total_cmp(&weather.extremes(*b).0));
    let autumn: Vec<u64> = (0..CALLS - SUMMER - WINTER).map(|i| 280 + 7 * i as u64 + rng.between(0, 5)).collect();
    let starts = summer.into_iter().take(SUMMER).map(|day| (day, 15 * 3600, 18 * 3600));
    let starts = starts.chain(winter.into_iter().take(WINTER).map(|day| (day, 6 * 3600, 9 * 3600)));
    let starts = starts.chain(autumn.into_iter().map(|day| (day, 17 * 3600, 19 * 3600)));
    let mut calls: Vec<Call> = starts
        .map(|(day, from, to)| {
            let start = day * DAY_S + rng.between(from, to);
            let end = start + rng.between(30, 240) * 60;
            Call { start, end, clear: end + rng.between(0, 20) * 60 }
        })
        .collect();
    calls.sort_by_key(|call| call.start);
    calls
}

/// The number on the page at a second of the year, when `call` is the call that goes on or comes next.
pub fn number(seed: u64, second: u64, call: Option<&Call>) -> f64 {
    let minute = second / 60;
    let jitter = noise(seed, 77, minute);
    let of_day = ((second % DAY_S) as f64 / DAY_S as f64 - 0.7) * std::f64::consts::TAU;
    let quiet = 250.0 + 30.0 * of_day.cos() + 5.0 * jitter;
    let Some(call) = call else { return quiet };
    if (call.start..call.end).contains(&second) {
        return 317.0 + 6.0 * jitter;
    }
    if (call.end..call.clear).contains(&second) {
        return 305.0 + 4.0 * jitter;
    }
    match call.start.saturating_sub(second) {
        before @ 1..=1800 => quiet + (306.0 - quiet) * (1.0 - before as f64 / 1800.0) + jitter,
        _ => quiet,
    }
}
