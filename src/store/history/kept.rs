//! Which files of the history there are, from when on, and what they are called. It reads no samples.
//!
//! `2026-11-21.csv` has the samples of each run of a UTC day, `15min/2026-11-21.csv` least, mean and largest value of
//! each quarter of an hour of it, `hourly/2026-11.csv` the same of each hour of a month.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// Seconds of a quarter of an hour.
pub(super) const QUARTER: i64 = 900;
/// Seconds of an hour.
pub(super) const HOUR: i64 = 3600;
/// Entries of one folder that are looked at.
const ENTRIES_MAX: usize = 20_000;
/// Of a file, its header and first lines fit into this.
const FIRST_LINES_MAX: u64 = 256 * 1024;

/// The files, by day (days since 1970) or by month (`2026-11`).
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Days with the samples of each run.
    pub(super) full: BTreeSet<i64>,
    /// Days with quarters of an hour.
    pub(super) quarters: BTreeSet<i64>,
    /// Months with hours.
    pub(super) hours: BTreeSet<String>,
}

impl Kept {
    /// Lists the folders; one that cannot be read counts as empty.
    pub(super) fn list(folder: &Path) -> Kept {
        let days = |folder: &Path| stems(folder).iter().filter_map(|stem| day_number(stem)).collect();
        let is_month = |stem: &String| first_day(stem).is_some();
        Kept {
            full: days(folder),
            quarters: days(&folder.join("15min")),
            hours: stems(&folder.join("hourly")).into_iter().filter(is_month).collect(),
        }
    }
}

fn stems(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().take(ENTRIES_MAX);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter_map(|name| name.strip_suffix(".csv").map(str::to_owned)).collect()
}

/// Days since 1970 of `2026-11-21`.
fn day_number(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok().filter(|_| text.len() == "2026-11-21".len())?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_second().div_euclid(DAY))
}

/// The first day that a month's file of hours holds; the month's first where that cannot be read.
pub(super) fn first_day_of_hours(folder: &Path, month: &str) -> Option<i64> {
    let first_time = || -> Option<i64> {
        let file = File::open(hours_file(folder, month)).ok()?;
        let mut lines = BufReader::new(file.take(FIRST_LINES_MAX)).lines().map_while(Result::ok);
        lines.find_map(|line| line.split(',').next()?.parse::<i64>().ok())
    };
    let first = first_day(month)?;
    Some(first_time().map_or(first, |time| time.div_euclid(DAY).max(first)))
}

/// The first day of a month.
pub(super) fn first_day(month: &str) -> Option<i64> {
    day_number(&format!("{month}-01"))
}

fn day_name(day: i64, format: &str) -> String {
    let midnight = jiff::Timestamp::from_second(day.saturating_mul(DAY)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    midnight.strftime(format).to_string()
}

/// The month of a day, as in `2026-11`.
pub(super) fn month(day: i64) -> String {
    day_name(day, "%Y-%m")
}

/// The file with the samples of each run of a day.
pub(super) fn full_file(folder: &Path, day: i64) -> PathBuf {
    folder.join(format!("{}.csv", day_name(day, "%Y-%m-%d")))
}

/// The file with the quarters of an hour of a day.
pub(super) fn quarters_file(folder: &Path, day: i64) -> PathBuf {
    full_file(&folder.join("15min"), day)
}

/// The file with the hours of a month.
pub(super) fn hours_file(folder: &Path, month: &str) -> PathBuf {
    folder.join("hourly").join(format!("{month}.csv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_are_named_like_ours_count() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("hourly")).unwrap();
        for name in ["1970-01-03.csv", "2026-1-1.csv", "2026-02-30.csv", "notes.csv", ".new12", "hourly/1970-01.csv"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let kept = Kept::list(folder.path());
        assert_eq!((kept.full.into_iter().collect::<Vec<_>>(), kept.quarters.len()), (vec![2], 0));
        assert_eq!(kept.hours.into_iter().collect::<Vec<_>>(), ["1970-01"]);
        assert_eq!(full_file(folder.path(), 2), folder.path().join("1970-01-03.csv"));
        assert_eq!(hours_file(folder.path(), &month(31)), folder.path().join("hourly/1970-02.csv"));
    }
}
