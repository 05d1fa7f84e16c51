//! The history: one CSV file a day, appended and synced, and of the days that are over least, mean and largest value of
//! each quarter of an hour and of each hour. A damaged database can never cost history, and any tool reads it. A header
//! line names the series; when the configuration changes, a new header follows in the same file.

mod after;
mod garbled;
mod kept;
mod scan;
mod summary;
mod trend;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use rustix::fs::statvfs;

use crate::model::{History, Sample};
use crate::units::{Seconds, UnixSeconds};
use kept::{DAY, HOUR, Kept, QUARTER};

pub use after::{Values, runs_after};
pub(super) use garbled::garbled;
pub use summary::{HistoryLimits, keep};
pub use trend::{Band, Trend, trend};

/// Nothing is appended with less space than this on the disk.
pub(super) const FREE_BYTES_MIN: u64 = 20 * 1024 * 1024;

/// Appends one line and syncs it. `Err` says why not; control goes on without.
pub fn append(folder: &Path, at: UnixSeconds, samples: &[Sample]) -> Result<(), String> {
    let free = statvfs(folder).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)).unwrap_or(u64::MAX);
    if free < FREE_BYTES_MIN {
        return Err(format!("history: only {} MiB free in {}, nothing kept", free / 1024 / 1024, folder.display()));
    }
    let path = kept::full_file(folder, at.0.div_euclid(DAY));
    let text = |error: io::Error| format!("{}: {error}", path.display());
    let known = scan::bytes(&path).0;
    let is_new = known.is_empty();
    let mut file = File::options().create(true).append(true).open(&path).map_err(text)?;
    let mut lines = String::new();
    if known.last().is_some_and(|last| *last != b'\n') {
        lines.push_str(scan::TORN);
        lines.push('\n');
    }
    let header = header(samples);
    let last = scan::lines(&known).filter(|line| line.starts_with(scan::TIME.as_bytes())).last();
    if last != Some(header.as_bytes()) {
        lines.push_str(&header);
        lines.push('\n');
    }
    lines.push_str(&at.0.to_string());
    for sample in samples {
        lines.push(',');
        if let Some(value) = sample.value {
            lines.push_str(&number(value));
        }
    }
    lines.push('\n');
    file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()).map_err(text)?;
    if is_new {
        // The first line of a day is lost with the file's name.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(text)?;
    }
    Ok(())
}

fn header(samples: &[Sample]) -> String {
    let mut header = scan::TIME.to_owned();
    for sample in samples {
        header.push(',');
        header.push_str(&sample.series);
    }
    header
}

/// Three decimals are finer than any sensor here.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What the system said, without the name of a temporary file.
fn cause(error: &io::Error) -> String {
    error.to_string().split(" at path ").next().unwrap_or_default().to_owned()
}

/// Whether the file ends in the middle of a line: the power went while it was written.
pub(super) fn torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0_u8];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// The points of each run from `since` to `until`, of the series that `wanted` accepts, oldest first. Lines that are torn
/// or garbled are left out; files that cannot be read count as empty.
pub fn read(folder: &Path, since: UnixSeconds, until: UnixSeconds, wanted: &dyn Fn(&str) -> bool) -> History {
    let mut history = History::default();
    let days = since.0.div_euclid(DAY)..=until.0.div_euclid(DAY);
    for day in Kept::list(folder).full.into_iter().filter(|day| days.contains(day)) {
        let bytes = scan::bytes(&kept::full_file(folder, day)).0;
        read_day(&bytes, since, until, wanted, &mut history);
    }
    for points in history.series.values_mut() {
        // The clock may have been set back within a day.
        if !points.is_sorted_by_key(|(at, _)| *at) {
            points.sort_by_key(|(at, _)| *at);
        }
    }
    history
}

type Points = Vec<(UnixSeconds, Option<f64>)>;

fn read_day(
    bytes: &[u8],
    since: UnixSeconds,
    until: UnixSeconds,
    wanted: &dyn Fn(&str) -> bool,
    history: &mut History,
) {
    let mut rows = scan::Rows::new(bytes, since.0..=until.0, wanted);
    let mut headers = 0;
    // The points under one header, taken into the series when the next one comes.
    let mut columns: Vec<(String, Points)> = Vec::new();
    let mut put_down = |columns: &mut Vec<(String, Points)>| {
        for (name, points) in columns.drain(..) {
            history.series.entry(name).or_default().extend(points);
        }
    };
    while let Some(at) = rows.next_row() {
        if headers != rows.headers {
            headers = rows.headers;
            put_down(&mut columns);
            columns.extend(rows.names.iter().map(|name| ((*name).to_owned(), Points::new())));
        }
        for ((_, points), value) in columns.iter_mut().zip(&rows.values) {
            points.push((UnixSeconds(at), *value));
        }
    }
    put_down(&mut columns);
}

/// The finest step in which all of the time from `since` on is kept: zero for each run, 15 minutes, or an hour.
pub fn finest_step(folder: &Path, since: UnixSeconds) -> Seconds {
    let kept = Kept::list(folder);
    let day = since.0.div_euclid(DAY);
    let all = [kept.full.first().copied(), kept.quarters.first().copied()];
    let oldest_hours = kept.hours.first().and_then(|month| kept::first_day_of_hours(folder, month));
    let oldest = all.into_iter().flatten().chain(oldest_hours).min();
    // Before the oldest file there is nothing in any step.
    let day = oldest.map_or(day, |oldest| day.max(oldest));
    let reaches = |days: &std::collections::BTreeSet<i64>| days.first().is_none_or(|first| *first <= day);
    let step = if reaches(&kept.full) {
        0
    } else if reaches(&kept.quarters) {
        QUARTER
    } else {
        HOUR
    };
    Seconds(step.unsigned_abs())
}
