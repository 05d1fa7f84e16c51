//! The history: one CSV file a day, appended and synced. A damaged database can never cost history, and any tool reads
//! it. A header line names the series; when the configuration changes, a new header follows in the same file.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use crate::model::{History, Sample};
use crate::units::UnixSeconds;

/// Nothing is appended with less space than this on the disk.
const FREE_BYTES_MIN: u64 = 20 * 1024 * 1024;
/// Old files removed in one run.
const REMOVED_MAX: usize = 10;
/// The largest day file that is read.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The file of the day (UTC) of a moment.
fn file(folder: &Path, at: UnixSeconds) -> PathBuf {
    let day =
        jiff::Timestamp::from_second(at.0).map_or("1970-01-01".to_owned(), |t| t.strftime("%Y-%m-%d").to_string());
    folder.join(format!("{day}.csv"))
}

/// Appends one line and syncs it. `Err` says why not; control goes on without.
pub fn append(folder: &Path, at: UnixSeconds, samples: &[Sample]) -> Result<(), String> {
    let free = statvfs(folder).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)).unwrap_or(u64::MAX);
    if free < FREE_BYTES_MIN {
        return Err(format!("history: only {} MiB free in {}, nothing kept", free / 1024 / 1024, folder.display()));
    }
    let path = file(folder, at);
    let text = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::options().create(true).append(true).read(true).open(&path).map_err(text)?;
    let mut lines = String::new();
    if torn(&mut file).map_err(text)? {
        lines.push('\n');
    }
    let header = header(samples);
    if last_header(&file).map_err(text)?.as_deref() != Some(header.as_str()) {
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
    file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()).map_err(text)
}

fn header(samples: &[Sample]) -> String {
    let mut header = "time_unix_s".to_owned();
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

/// Whether the file ends in the middle of a line: the power went while it was written.
pub(super) fn torn(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0_u8];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn last_header(file: &File) -> std::io::Result<Option<String>> {
    let mut file = file;
    file.seek(SeekFrom::Start(0))?;
    let lines = BufReader::new(file.take(FILE_BYTES_MAX)).lines();
    Ok(lines.map_while(Result::ok).filter(|line| line.starts_with("time_unix_s")).last())
}

/// The points from `since` to `until` of the series that `wanted` accepts. Lines that are torn or garbled are left
/// out; files that cannot be read count as empty.
pub fn read(folder: &Path, since: UnixSeconds, until: UnixSeconds, wanted: &dyn Fn(&str) -> bool) -> History {
    let mut history = History::default();
    const DAY: i64 = 86_400;
    let first = since.0.div_euclid(DAY);
    let last = until.0.div_euclid(DAY).min(first.saturating_add(4000));
    for day in first..=last {
        let path = file(folder, UnixSeconds(day.saturating_mul(DAY)));
        if let Ok(file) = File::open(&path) {
            read_file(file, since, until, wanted, &mut history);
        }
    }
    history
}

fn read_file(file: File, since: UnixSeconds, until: UnixSeconds, wanted: &dyn Fn(&str) -> bool, history: &mut History) {
    let mut columns: Vec<Option<String>> = Vec::new();
    for line in BufReader::new(file.take(FILE_BYTES_MAX)).lines().map_while(Result::ok) {
        let mut fields = line.split(',');
        let Some(first) = fields.next() else { continue };
        if first == "time_unix_s" {
            columns = fields.map(|name| wanted(name).then(|| name.to_owned())).collect();
            continue;
        }
        let Some(at) = first.parse().ok().map(UnixSeconds).filter(|at| (since..=until).contains(at)) else { continue };
        let values: Vec<&str> = fields.collect();
        if values.len() != columns.len() {
            continue;
        }
        for (name, value) in columns.iter().zip(values) {
            let Some(name) = name else { continue };
            let value = value.parse().ok().filter(|value: &f64| value.is_finite());
            match history.series.get_mut(name) {
                Some(points) => points.push((at, value)),
                None => {
                    history.series.insert(name.clone(), vec![(at, value)]);
                }
            }
        }
    }
}

/// Removes day files older than `keep_days`, a bounded number. A clock that is wrong by years removes nothing that a
/// right clock would keep only if it is behind; so nothing is removed while the newest file lies in the future.
pub fn prune(folder: &Path, now: UnixSeconds, keep_days: u32) -> Result<(), String> {
    let text = |error: std::io::Error| format!("{}: {error}", folder.display());
    let day = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let limit = file(folder, UnixSeconds(now.0.saturating_sub(i64::from(keep_days).saturating_mul(86_400))));
    let today = file(folder, now);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).map_err(text)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| day(path).ends_with(".csv") && day(path).len() == "2026-01-01.csv".len());
    files.sort();
    if files.last().is_some_and(|newest| day(newest) > day(&today)) {
        return Ok(());
    }
    for old in files.iter().filter(|path| day(path) < day(&limit)).take(REMOVED_MAX) {
        fs::remove_file(old).map_err(text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(series: &str, value: Option<f64>) -> Sample {
        Sample { series: series.to_owned(), value }
    }

    fn all(folder: &Path) -> History {
        read(folder, UnixSeconds(0), UnixSeconds(200_000), &|_| true)
    }

    #[test]
    fn what_is_appended_is_read_back_with_its_gaps() {
        let folder = tempfile::tempdir().unwrap();
        append(folder.path(), UnixSeconds(100), &[sample("a_w", Some(1.5)), sample("b_c", None)]).unwrap();
        append(folder.path(), UnixSeconds(86_500), &[sample("a_w", Some(2.0))]).unwrap();
        let history = all(folder.path());
        assert_eq!(history.series["a_w"], [(UnixSeconds(100), Some(1.5)), (UnixSeconds(86_500), Some(2.0))]);
        assert_eq!(history.series["b_c"], [(UnixSeconds(100), None)]);
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_the_next_line_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        append(folder.path(), UnixSeconds(100), &[sample("a_w", Some(1.0)), sample("b_w", Some(2.0))]).unwrap();
        let path = file(folder.path(), UnixSeconds(100));
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("220,3");
        fs::write(&path, text).unwrap();
        append(folder.path(), UnixSeconds(340), &[sample("a_w", Some(4.0)), sample("b_w", Some(5.0))]).unwrap();
        assert_eq!(all(folder.path()).series["a_w"], [(UnixSeconds(100), Some(1.0)), (UnixSeconds(340), Some(4.0))]);
    }

    #[test]
    fn old_days_go_and_the_days_to_keep_stay() {
        let folder = tempfile::tempdir().unwrap();
        for day in 0..5 {
            append(folder.path(), UnixSeconds(day * 86_400), &[sample("a_w", Some(1.0))]).unwrap();
        }
        prune(folder.path(), UnixSeconds(4 * 86_400 + 5), 2).unwrap();
        let days: Vec<i64> = all(folder.path()).series["a_w"].iter().map(|(at, _)| at.0 / 86_400).collect();
        assert_eq!(days, [2]);
        assert!(file(folder.path(), UnixSeconds(4 * 86_400)).exists());
    }

    #[test]
    fn a_clock_behind_the_newest_file_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        append(folder.path(), UnixSeconds(0), &[sample("a_w", Some(1.0))]).unwrap();
        append(folder.path(), UnixSeconds(90 * 86_400), &[sample("a_w", Some(1.0))]).unwrap();
        prune(folder.path(), UnixSeconds(50 * 86_400), 2).unwrap();
        assert!(file(folder.path(), UnixSeconds(0)).exists());
    }
}
