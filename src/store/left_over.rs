//! Files that a killed process was about to put in place. Each is small, and nobody would ever remove them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How a file is called until it is renamed.
const PREFIX: &str = ".new";
/// No run and no page takes this long to write a file.
const AGE: Duration = Duration::from_secs(3600);
/// Where such files are made.
const FOLDERS: [&str; 6] = [".", "history", "history/15min", "history/hourly", "evidence", "calls"];

/// Removes them; returns how many there were.
pub(super) fn remove(folder: &Path) -> usize {
    FOLDERS.iter().flat_map(|name| old_ones(&folder.join(name))).filter(|path| fs::remove_file(path).is_ok()).count()
}

fn old_ones(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_old = |modified: SystemTime| modified.elapsed().is_ok_and(|age| age > AGE);
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .filter(|entry| entry.metadata().is_ok_and(|of| of.is_file() && of.modified().is_ok_and(is_old)))
        .map(|entry| entry.path())
        .collect()
}
