//! The log file: one line an event, in the site's local time with its offset. Nothing goes to stdout.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use simplelog::{ConfigBuilder, LevelFilter, LevelPadding, WriteLogger};

use crate::clock::Clock;

/// A log file larger than this is put aside at the start of a run.
const FILE_BYTES_MAX: u64 = 5 * 1024 * 1024;
/// Log files that are kept beside the newest.
const KEPT: u32 = 4;

/// Starts the log. `Err` says why there is none; the run goes on without.
pub fn start(path: &Path, time_zone: &str, clock: Clock) -> Result<(), String> {
    let text = |error: io::Error| format!("log {}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(text)?;
    }
    rotate(path).map_err(text)?;
    let file = File::options().create(true).append(true).open(path).map_err(text)?;
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let config = ConfigBuilder::new()
        .set_time_level(LevelFilter::Off)
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .set_level_padding(LevelPadding::Right)
        .add_filter_allow_str("minectl")
        .build();
    let writer = StampedLines { file, zone, clock, line: Vec::new() };
    WriteLogger::init(LevelFilter::Debug, config, writer).map_err(|error| format!("log: {error}"))
}

/// `minectl.log` becomes `minectl.log.1`, and so on; the oldest goes.
fn rotate(path: &Path) -> io::Result<()> {
    if !fs::metadata(path).is_ok_and(|meta| meta.len() > FILE_BYTES_MAX) {
        return Ok(());
    }
    let numbered = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
    for number in (1..KEPT).rev() {
        if numbered(number).exists() {
            fs::rename(numbered(number), numbered(number.saturating_add(1)))?;
        }
    }
    fs::rename(path, numbered(1))
}

/// Puts the time before each line, and keeps a record on one line whatever a device sent.
struct StampedLines {
    file: File,
    zone: TimeZone,
    clock: Clock,
    line: Vec<u8>,
}

impl Write for StampedLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        // simplelog ends each record with a write of its own that is just the newline.
        if bytes == b"\n" {
            let record = String::from_utf8_lossy(&self.line);
            let record = record.trim_end().replace(['\n', '\r'], " ⏎ ");
            let time = jiff::Timestamp::from_second(self.clock.now().wall.0).unwrap_or_default();
            let time = time.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S%:z").to_string();
            let line = format!("{time} {}\n", record.trim_start());
            self.line.clear();
            self.file.write_all(line.as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The last lines of the log that are not mere details, oldest first; empty when it cannot be read.
pub fn tail(path: &Path, lines: usize) -> Vec<String> {
    const TAIL_BYTES: u64 = 64 * 1024;
    let read = || -> io::Result<Vec<u8>> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = read().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let mut tail: Vec<String> =
        text.lines().rev().filter(|line| !line.contains(" [DEBUG] ")).take(lines).map(str::to_owned).collect();
    tail.reverse();
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<(String, u64)> {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut files: Vec<(String, u64)> =
            entries.map(|e| (e.file_name().to_string_lossy().into_owned(), e.metadata().unwrap().len())).collect();
        files.sort();
        files
    }

    #[test]
    fn a_log_is_put_aside_above_its_size_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("minectl.log");
        File::create(&path).unwrap().set_len(FILE_BYTES_MAX).unwrap();
        rotate(&path).unwrap();
        assert_eq!(files(folder.path()), [("minectl.log".to_owned(), FILE_BYTES_MAX)], "not above it");
        for round in 1..=8 {
            File::create(&path).unwrap().set_len(FILE_BYTES_MAX + round).unwrap();
            rotate(&path).unwrap();
        }
        let kept: Vec<(String, u64)> = (1..=4).map(|n| (format!("minectl.log.{n}"), FILE_BYTES_MAX + 9 - n)).collect();
        assert_eq!(files(folder.path()), kept);
    }

    #[test]
    fn a_record_is_one_line_whatever_a_device_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let file = File::create(&path).unwrap();
        let mut lines = StampedLines { file, zone: TimeZone::UTC, clock: Clock::real(), line: Vec::new() };
        for bytes in [b"[INFO ] read a: one\r\ntwo\nthree".as_slice(), b"\n"] {
            lines.write_all(bytes).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.ends_with(" [INFO ] read a: one ⏎  ⏎ two ⏎ three\n"), "{text}");
    }
}
