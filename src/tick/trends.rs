//! Reads the history of the spans that the page shows.

use std::path::Path;

use crate::dashboard::Trends;
use crate::store;
use crate::units::{Seconds, UnixSeconds};

const DAY: Seconds = Seconds(86_400);

/// The last 24 hours, 7 days and 30 days up to `now`; what cannot be read is not in it.
pub(super) fn read(folder: &Path, now: UnixSeconds) -> Trends {
    let since = |days: u64| now.minus(Seconds(DAY.0.saturating_mul(days)));
    let read = |days| store::read_history(folder, since(days), now, &|_| true);
    Trends { day: read(1), week: read(7), month: read(30) }
}
