//! The runs after a moment, one by one in the order of time: what a service has not got yet. It knows no service.

use std::path::Path;

use super::kept::{self, DAY, Kept};
use super::scan;
use crate::units::UnixSeconds;

/// A run's values by their series; `None` where there was no trustworthy reading.
pub type Values<'a> = (&'a [&'a str], &'a [Option<f64>]);

/// Hands each run after `after` and up to `until` to `take`, the oldest first, until that says `false`. Of two runs of one
/// second the later line counts. One day is in memory at a time. Lines that are torn or garbled are left out; files that
/// cannot be read count as empty.
pub fn runs_after(
    folder: &Path,
    after: UnixSeconds,
    until: UnixSeconds,
    take: &mut dyn FnMut(UnixSeconds, Values) -> bool,
) {
    let first = after.0.saturating_add(1);
    let days = first.div_euclid(DAY)..=until.0.div_euclid(DAY);
    for day in Kept::list(folder).full.into_iter().filter(|day| days.contains(day)) {
        let (bytes, _) = scan::bytes(&kept::full_file(folder, day));
        if !of_day(&bytes, first, until.0, take) {
            return;
        }
    }
}

/// `false` when `take` wants no more.
fn of_day(bytes: &[u8], first: i64, last: i64, take: &mut dyn FnMut(UnixSeconds, Values) -> bool) -> bool {
    let mut rows = scan::Rows::new(bytes, first..=last, &|_| true);
    let mut headers: Vec<Vec<&str>> = Vec::new();
    let mut runs: Vec<(i64, usize, Vec<Option<f64>>)> = Vec::new();
    let mut seen = 0;
    while let Some(at) = rows.next_row() {
        if seen != rows.headers {
            seen = rows.headers;
            headers.push(rows.names.clone());
        }
        runs.push((at, headers.len().saturating_sub(1), rows.values.clone()));
    }
    // The clock may have been set back within the day. The order of equals stays.
    runs.sort_by_key(|(at, ..)| *at);
    let mut rest = runs.iter().peekable();
    while let Some((at, header, values)) = rest.next() {
        if rest.peek().is_some_and(|(next, ..)| next == at) {
            continue;
        }
        let names = headers.get(*header).map(Vec::as_slice).unwrap_or_default();
        if !take(UnixSeconds(*at), (names, values)) {
            return false;
        }
    }
    true
}
