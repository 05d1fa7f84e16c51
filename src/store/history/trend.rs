//! Trends: least, mean and largest value of each step of time, from the coarsest files that serve. It draws nothing.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use super::kept::{self, DAY, HOUR, Kept, QUARTER};
use super::scan;
use crate::units::{Seconds, UnixSeconds};

/// What a series was within one step of time, in the series' own unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// When the step begins, a multiple of it since 1970.
    pub at: UnixSeconds,
    /// The least value.
    pub min: f64,
    /// The mean of the values; for a series of 0 and 1 the share of 1.
    pub mean: f64,
    /// The largest value.
    pub max: f64,
    /// How many runs had a value.
    pub runs: f64,
}

impl Band {
    /// Both together; the mean by the number of runs of each.
    fn join(&mut self, other: &Band) {
        let runs = self.runs + other.runs;
        self.mean = (self.mean * self.runs + other.mean * other.runs) / runs;
        self.runs = runs;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// Series in steps of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trend {
    /// The length of a step that was asked for. Where only coarser values are kept, bands lie further apart.
    pub step: Seconds,
    /// The series by name: their bands, oldest first. A step without any trustworthy value has none.
    pub series: BTreeMap<String, Vec<Band>>,
}

/// The series that `wanted` accepts, from the step in which `since` lies up to `until`, in steps of `step` (at least one
/// second; multiples of 15 minutes, and of an hour, are read much faster). Never fails: lines that are torn or garbled
/// are left out, files that cannot be read count as empty. Today's values are in it up to the last run.
pub fn trend(
    folder: &Path,
    wanted: &dyn Fn(&str) -> bool,
    since: UnixSeconds,
    until: UnixSeconds,
    step: Seconds,
) -> Trend {
    let length = i64::try_from(step.0.max(1)).unwrap_or(i64::MAX);
    let first = since.0.div_euclid(length).saturating_mul(length);
    let mut bands = Bands { step: length, wanted, slots: BTreeMap::new(), series: Vec::new() };
    let sources = Sources::choose(&Kept::list(folder), first, until.0, length);
    for month in &sources.hours {
        bands.take_steps(&scan::bytes(&kept::hours_file(folder, &month.name)).0, &month.times);
    }
    let times = first..=until.0;
    for day in &sources.quarters {
        bands.take_steps(&scan::bytes(&kept::quarters_file(folder, *day)).0, &times);
    }
    for day in &sources.full {
        bands.take_runs(&scan::bytes(&kept::full_file(folder, *day)).0, &times);
    }
    bands.into_trend(step)
}

/// Which files serve.
#[derive(Default)]
struct Sources {
    hours: Vec<Month>,
    quarters: Vec<i64>,
    full: Vec<i64>,
}

/// A part of a month whose days are all read from its hours.
struct Month {
    name: String,
    times: RangeInclusive<i64>,
}

impl Sources {
    /// For each day the coarsest files that still have the step, else the finest there are. A day's hours are complete
    /// when its quarters are there, or its runs no longer are.
    fn choose(kept: &Kept, first: i64, until: i64, step: i64) -> Sources {
        let mut sources = Sources::default();
        let oldest = [kept.full.first(), kept.quarters.first()].into_iter().flatten().copied();
        let oldest_month = kept.hours.first().and_then(|month| kept::first_day(month));
        let newest = [kept.full.last(), kept.quarters.last()].into_iter().flatten().copied();
        let newest_month = kept.hours.last().and_then(|month| kept::first_day(month)).map(|day| day + 30);
        let from = first.div_euclid(DAY).max(oldest.chain(oldest_month).min().unwrap_or(i64::MAX));
        let to = until.div_euclid(DAY).min(newest.chain(newest_month).max().unwrap_or(i64::MIN));
        for day in from..=to {
            let (full, quarters) = (kept.full.contains(&day), kept.quarters.contains(&day));
            if step % HOUR == 0 && (quarters || !full) {
                sources.add_hours(kept, day, first, until);
            } else if quarters && (step % QUARTER == 0 || !full) {
                sources.quarters.push(day);
            } else if full {
                sources.full.push(day);
            } else {
                sources.add_hours(kept, day, first, until);
            }
        }
        sources
    }

    fn add_hours(&mut self, kept: &Kept, day: i64, first: i64, until: i64) {
        let (begin, end) = (first.max(day * DAY), until.min(day * DAY + DAY - 1));
        let name = kept::month(day);
        match self.hours.last_mut() {
            Some(last) if last.name == name && *last.times.end() + 1 == begin => last.times = *last.times.start()..=end,
            _ if kept.hours.contains(&name) => self.hours.push(Month { name, times: begin..=end }),
            _ => {}
        }
    }
}

/// The bands as they grow.
struct Bands<'a> {
    step: i64,
    wanted: &'a dyn Fn(&str) -> bool,
    slots: BTreeMap<String, usize>,
    series: Vec<Vec<Band>>,
}

impl Bands<'_> {
    /// The place of a series in `self.series`.
    fn slot(&mut self, name: &str) -> usize {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        let slot = self.series.len();
        self.series.push(Vec::new());
        self.slots.insert(name.to_owned(), slot);
        slot
    }

    /// Takes in the samples of each run.
    fn take_runs(&mut self, bytes: &[u8], times: &RangeInclusive<i64>) {
        let mut rows = scan::Rows::new(bytes, times.clone(), self.wanted);
        let (mut headers, mut slots) = (0, Vec::new());
        while let Some(at) = rows.next_row() {
            if headers != rows.headers {
                headers = rows.headers;
                slots = rows.names.iter().map(|name| self.slot(name)).collect();
            }
            for (slot, value) in slots.iter().zip(&rows.values) {
                let Some(value) = *value else { continue };
                self.add(*slot, Band { at: UnixSeconds(at), min: value, mean: value, max: value, runs: 1.0 });
            }
        }
    }

    /// Takes in steps that were made of the samples: four columns a series.
    fn take_steps(&mut self, bytes: &[u8], times: &RangeInclusive<i64>) {
        let wanted = self.wanted;
        let is_ours = |column: &str| column.rsplit_once('.').is_some_and(|(name, _)| wanted(name));
        let mut rows = scan::Rows::new(bytes, times.clone(), &is_ours);
        let (mut headers, mut slots) = (0, Vec::new());
        while let Some(at) = rows.next_row() {
            if headers != rows.headers {
                headers = rows.headers;
                let least = rows.names.iter().filter_map(|column| column.strip_suffix(".min"));
                slots = least.map(|name| self.slot(name)).collect();
            }
            for (slot, four) in slots.iter().zip(rows.values.chunks_exact(4)) {
                if let [Some(min), Some(mean), Some(max), Some(runs)] = *four {
                    self.add(*slot, Band { at: UnixSeconds(at), min, mean, max, runs: runs.max(1.0) });
                }
            }
        }
    }

    fn add(&mut self, slot: usize, band: Band) {
        let Some(bands) = self.series.get_mut(slot) else { return };
        let band = Band { at: UnixSeconds(band.at.0.div_euclid(self.step) * self.step), ..band };
        match bands.last_mut() {
            Some(last) if last.at == band.at => last.join(&band),
            Some(last) if last.at > band.at => match bands.binary_search_by_key(&band.at, |known| known.at) {
                // The clock went back, or finer files follow coarser ones.
                Ok(place) => {
                    if let Some(known) = bands.get_mut(place) {
                        known.join(&band);
                    }
                }
                Err(place) => bands.insert(place, band),
            },
            Some(_) | None => bands.push(band),
        }
    }

    fn into_trend(mut self, step: Seconds) -> Trend {
        let series = self.slots.into_iter();
        let bands = series.filter_map(|(name, slot)| Some((name, std::mem::take(self.series.get_mut(slot)?))));
        Trend { step, series: bands.filter(|(_, bands)| !bands.is_empty()).collect() }
    }
}
