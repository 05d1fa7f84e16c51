//! The scorecards of calls that are over: one JSON-lines file a month, appended and synced, kept for ever (a few KB a
//! year). A record is whole or not there: a torn line is left out and told. It does not judge a call.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, tz::TimeZone};

use super::history::torn;
use crate::model::{CALL_SCHEMA, CallRecord};
use crate::units::UnixSeconds;

/// The largest file that is read: some ten thousand calls.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Files that are read at once: over 80 years.
const FILES_MAX: usize = 1000;

/// What was read of the calls.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Calls {
    /// One record for each call, oldest first.
    pub records: Vec<CallRecord>,
    /// Files and lines that could not be read.
    pub troubles: Vec<String>,
}

/// The site's month of a moment, as in `2026-08`. A zone that is gone since the configuration was checked counts as UTC.
pub fn month(time_zone: &str, at: UnixSeconds) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone).strftime("%Y-%m").to_string()
}

fn file(folder: &Path, month: &str) -> PathBuf {
    folder.join(format!("{month}.jsonl"))
}

/// Appends a record to the file of its month and syncs it; one that is there already is left as it is. `Err` says why
/// it could not be kept.
pub fn append(folder: &Path, month: &str, record: &CallRecord) -> Result<(), String> {
    let path = file(folder, month);
    let text = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut known = Calls::default();
    known.take_file(&path);
    if known.records.contains(record) {
        return Ok(());
    }
    let is_new_folder = !folder.exists();
    fs::create_dir_all(folder).map_err(text)?;
    let is_new = !path.exists();
    let mut file = File::options().create(true).append(true).read(true).open(&path).map_err(text)?;
    let json = serde_json::to_string(record).map_err(|error| text(std::io::Error::other(error)))?;
    let broken = if torn(&mut file).map_err(text)? { "\n" } else { "" };
    file.write_all(format!("{broken}{json}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(text)?;
    if is_new {
        sync_folder(folder).map_err(text)?;
    }
    if let Some(parent) = folder.parent().filter(|_| is_new_folder) {
        sync_folder(parent).map_err(text)?;
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The calls in the files of these months, both included: `2026-07` to `2026-09`.
pub fn read(folder: &Path, first: &str, last: &str) -> Calls {
    let mut calls = Calls::default();
    for (month, path) in files(folder, &mut calls.troubles) {
        if (first..=last).contains(&month.as_str()) {
            calls.take_file(&path);
        }
    }
    calls.sorted()
}

/// The last calls: those in the files from `month` on, and of the files before as many as make up `number`.
pub fn last(folder: &Path, month: &str, number: usize) -> Calls {
    let mut calls = Calls::default();
    for (of, path) in files(folder, &mut calls.troubles).into_iter().rev() {
        if of.as_str() < month && calls.records.len() >= number {
            break;
        }
        calls.take_file(&path);
    }
    calls.sorted()
}

/// The months that have a file, oldest first; none where there is no folder yet.
fn files(folder: &Path, troubles: &mut Vec<String>) -> Vec<(String, PathBuf)> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != std::io::ErrorKind::NotFound {
                troubles.push(format!("{}: {error}", folder.display()));
            }
            return Vec::new();
        }
    };
    let is_month = |name: &str| name.len() == "2026-08".len() && name.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let paths = entries.flatten().map(|entry| entry.path());
    let months = paths.filter_map(|path| Some((name(&path).strip_suffix(".jsonl")?.to_owned(), path)));
    let mut months: Vec<(String, PathBuf)> = months.filter(|(month, _)| is_month(month)).take(FILES_MAX).collect();
    months.sort();
    months
}

impl Calls {
    /// Adds what a file holds.
    fn take_file(&mut self, path: &Path) {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => self.troubles.push(format!("{}: {error}", path.display())),
            Ok(_) => {}
        }
        for (place, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match serde_json::from_slice::<CallRecord>(line) {
                Ok(record) if record.schema <= CALL_SCHEMA => self.records.push(record),
                Ok(_) => self.trouble(path, place, "is from a newer program"),
                Err(error) if error.is_eof() => self.trouble(path, place, "is torn"),
                Err(_) => self.trouble(path, place, "cannot be read"),
            }
        }
    }

    fn trouble(&mut self, path: &Path, place: usize, what: &str) {
        self.troubles.push(format!("{}: line {} {what}", path.display(), place.saturating_add(1)));
    }

    /// Oldest first; of two records of one call the later line counts.
    fn sorted(mut self) -> Calls {
        self.records.reverse();
        self.records.sort_by_key(|record| record.seen);
        self.records.dedup_by_key(|record| record.seen);
        self
    }
}
