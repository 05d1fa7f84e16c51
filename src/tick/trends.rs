//! Reads the history of the spans that the page shows.

use std::path::Path;

use crate::dashboard::Trends;
use crate::model::History;
use crate::store::{self, Band, Trend};
use crate::units::{Seconds, UnixSeconds};

const DAY_S: u64 = 86_400;
const QUARTER: Seconds = Seconds(900);
const HOUR: Seconds = Seconds(3600);

/// The last 24 hours run by run, 7 days by quarters of an hour, 30 days by hours; what cannot be read is not in it.
pub fn read(folder: &Path, now: UnixSeconds) -> Trends {
    let since = |days: u64| now.minus(Seconds(days.saturating_mul(DAY_S)));
    let steps = |days, step| extremes(&store::trend(folder, &|_| true, since(days), now, step));
    Trends {
        day: store::read_history(folder, since(1), now, &|_| true),
        week: steps(7, QUARTER),
        month: steps(30, HOUR),
    }
}

/// Two points for each step: its least value where it begins, its largest in its middle.
fn extremes(trend: &Trend) -> History {
    let half = Seconds(trend.step.0 / 2);
    let points =
        |bands: &[Band]| bands.iter().flat_map(|b| [(b.at, Some(b.min)), (b.at.plus(half), Some(b.max))]).collect();
    History { series: trend.series.iter().map(|(name, bands)| (name.clone(), points(bands))).collect() }
}
