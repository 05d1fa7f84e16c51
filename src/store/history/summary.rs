//! Making quarters of an hour and hours of the runs' samples, and removing what is old. Each run does a bounded part: it
//! sums up one day at most, and removes a few files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::kept::{self, DAY, HOUR, Kept, QUARTER};
use super::{number, scan};
use crate::units::UnixSeconds;

/// Files removed in one run.
const REMOVED_MAX: usize = 10;

/// How much of the history is kept, each in the newest days that have a file: a clock that jumps removes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Days with the samples of each run.
    pub full_days: usize,
    /// Days with least, mean and largest value of each quarter of an hour. Those of each hour are kept for good.
    pub quarter_days: usize,
}

/// Sums up the oldest day that is over and not summed up yet, and removes the oldest files above the limits. Returns
/// what was done, if anything; `Err` says what failed, and the next run tries again.
pub fn keep(folder: &Path, now: UnixSeconds, limits: HistoryLimits) -> Result<Option<String>, String> {
    let today = now.0.div_euclid(DAY);
    let mut kept = Kept::list(folder);
    let due = kept.full.iter().copied().find(|day| *day < today && !kept.quarters.contains(day));
    let mut done = None;
    if let Some(day) = due {
        let trouble = sum_up(folder, day)?;
        kept.quarters.insert(day);
        let rest = trouble.map_or(String::new(), |error| format!(", as far as it can be read: {error}"));
        done = Some(format!("{} is summed up{rest}", kept::full_file(folder, day).display()));
    }
    let full = kept.full.iter().copied();
    let surplus = kept.full.len().saturating_sub(limits.full_days.max(1));
    // What is not summed up yet stays; it is its turn within days.
    for day in full.take(surplus).filter(|day| kept.quarters.contains(day)).take(REMOVED_MAX) {
        remove(&kept::full_file(folder, day))?;
    }
    let surplus = kept.quarters.len().saturating_sub(limits.quarter_days);
    // Those of a day that is still there in full say that it is summed up.
    let old = kept.quarters.iter().take(surplus).filter(|day| !kept.full.contains(day));
    for day in old.copied().take(REMOVED_MAX) {
        remove(&kept::quarters_file(folder, day))?;
    }
    Ok(done)
}

fn remove(path: &Path) -> Result<(), String> {
    fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Least, sum and largest of the values of a series within a step, and how many there were.
#[derive(Clone, Copy)]
struct Sum {
    min: f64,
    sum: f64,
    max: f64,
    count: f64,
}

/// The steps of a day: by their begin a sum for each series that had a value.
type Steps = BTreeMap<i64, Vec<Option<Sum>>>;

/// Writes the steps of a day, the hours first: the quarters' file says that both are there. Returns the error that
/// ended the reading of the day's samples early.
fn sum_up(folder: &Path, day: i64) -> Result<Option<io::Error>, String> {
    let (bytes, trouble) = scan::bytes(&kept::full_file(folder, day));
    let (hour_names, hours) = steps(&bytes, day, HOUR);
    if !hours.is_empty() {
        let path = kept::hours_file(folder, &kept::month(day));
        let known = others(&path, day)?;
        write(&path, &known, &rows(&known, &hour_names, &hours))?;
    }
    let (names, quarters) = steps(&bytes, day, QUARTER);
    write(&kept::quarters_file(folder, day), &[], &rows(&[], &names, &quarters))?;
    Ok(trouble)
}

/// The samples of a day in steps of so many seconds, and the names of the series.
fn steps(bytes: &[u8], day: i64, length: i64) -> (Vec<String>, Steps) {
    let (mut names, mut steps): (Vec<String>, Steps) = (Vec::new(), Steps::new());
    let (mut headers, mut places) = (0, Vec::new());
    let mut rows = scan::Rows::new(bytes, day * DAY..=day * DAY + DAY - 1, &|_| true);
    while let Some(at) = rows.next_row() {
        if headers != rows.headers {
            headers = rows.headers;
            places = rows.names.iter().map(|name| place(&mut names, name)).collect();
        }
        let sums = steps.entry(at.div_euclid(length) * length).or_default();
        sums.resize(names.len(), None);
        for (place, value) in places.iter().zip(&rows.values) {
            let (Some(value), Some(sum)) = (*value, sums.get_mut(*place)) else { continue };
            let known = sum.get_or_insert(Sum { min: value, sum: 0.0, max: value, count: 0.0 });
            known.min = known.min.min(value);
            known.max = known.max.max(value);
            known.sum += value;
            known.count += 1.0;
        }
    }
    (names, steps)
}

fn place(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

/// What a month's file has of other days, each line with its end.
fn others(path: &Path, day: i64) -> Result<Vec<u8>, String> {
    let (bytes, trouble) = scan::bytes(path);
    if let Some(error) = trouble {
        return Err(format!("{}: {error}", path.display()));
    }
    let mut others = Vec::with_capacity(bytes.len());
    for line in scan::lines(&bytes) {
        let at = line.split(|byte| *byte == b',').next().and_then(scan::time);
        if at.is_none_or(|at| at.div_euclid(DAY) != day) {
            others.extend_from_slice(line);
            others.push(b'\n');
        }
    }
    Ok(others)
}

/// The lines of a day's steps, with a header unless the last one of `known` says the same.
fn rows(known: &[u8], names: &[String], steps: &Steps) -> String {
    let mut header = scan::TIME.to_owned();
    for name in names {
        header.push_str(&format!(",{name}.min,{name}.mean,{name}.max,{name}.runs"));
    }
    let last = scan::lines(known).filter(|line| line.starts_with(scan::TIME.as_bytes())).last();
    let mut lines = if last == Some(header.as_bytes()) { String::new() } else { header + "\n" };
    for (at, sums) in steps {
        lines.push_str(&at.to_string());
        for place in 0..names.len() {
            match sums.get(place).copied().flatten() {
                Some(Sum { min, sum, max, count }) => {
                    lines.push_str(&format!(",{},{},{},{count}", number(min), number(sum / count), number(max)));
                }
                None => lines.push_str(",,,,"),
            }
        }
        lines.push('\n');
    }
    lines
}

/// Replaces a file by temporary file, sync and rename; its folder is made when it is not there.
fn write(path: &Path, known: &[u8], rows: &str) -> Result<(), String> {
    let Some(folder) = path.parent().map(PathBuf::from) else { return Ok(()) };
    // Without the temporary file's name, which differs each time: a trouble that lasts is told once.
    let text = |error: io::Error| format!("{}: {}", path.display(), super::cause(&error));
    fs::create_dir_all(&folder).map_err(text)?;
    let mut file = tempfile::Builder::new().prefix(".new").tempfile_in(&folder).map_err(text)?;
    file.write_all(known).and_then(|()| file.write_all(rows.as_bytes())).map_err(text)?;
    file.as_file().sync_all().map_err(text)?;
    file.persist(path).map_err(|refused| text(refused.error))?;
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(text)
}
