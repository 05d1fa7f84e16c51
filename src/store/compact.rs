//! Compaction by copy and swap. Deleting gives sled no space back and makes each opening write more, so once a day the
//! few live records go into a new database.

use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use super::db;
use crate::units::Moment;

/// Compact at once above this size.
const SIZE_MAX: u64 = 6 * 1024 * 1024;
/// Compact when the last one is older than this.
const EVERY_S: u64 = 86_400;

/// Compacts when it is due; returns a sentence when it did.
pub(super) fn when_due(folder: &Path, now: &Moment) -> Result<Option<String>, String> {
    let path = db::path(folder);
    let size = folder_size(&path);
    let marker = folder.join("db.compacted");
    let last: Option<i64> = fs::read_to_string(&marker).ok().and_then(|text| text.trim().parse().ok());
    // A marker from the future (the clock was wrong) counts as due.
    let due = last.is_none_or(|last| now.wall.0 < last || now.wall.0.abs_diff(last) >= EVERY_S);
    if !path.exists() || (!due && size < SIZE_MAX) {
        return Ok(None);
    }
    let folder_for_work = folder.to_owned();
    let work = move || copy_and_swap(&folder_for_work).map_err(db::Failure::passing);
    db::guarded(folder, work).map_err(|failure| failure.text)?;
    fs::write(&marker, now.wall.0.to_string()).map_err(|error| format!("{}: {error}", marker.display()))?;
    Ok(Some(format!("database compacted from {} KiB to {} KiB", size / 1024, folder_size(&path) / 1024)))
}

fn copy_and_swap(folder: &Path) -> Result<(), String> {
    let (path, old, new) = (db::path(folder), folder.join("db.old"), folder.join("db.new"));
    let io = |error: std::io::Error| format!("compaction: {error}");
    let sled = |error: sled::Error| format!("compaction: {error}");
    for left_over in [&old, &new] {
        if left_over.exists() {
            fs::remove_dir_all(left_over).map_err(io)?;
        }
    }
    {
        let from = db::open(&path).map_err(sled)?;
        let to = db::open(&new).map_err(sled)?;
        let mut copied = 0;
        for item in from.iter() {
            let (key, value) = item.map_err(sled)?;
            to.insert(key, value).map_err(sled)?;
            copied += 1;
        }
        to.flush().map_err(sled)?;
        if to.len() != copied {
            return Err(format!("compaction: {copied} records became {}", to.len()));
        }
    }
    for entry in fs::read_dir(&new).map_err(io)?.flatten().filter(|entry| entry.path().is_file()) {
        File::open(entry.path()).and_then(|file| file.sync_all()).map_err(io)?;
    }
    sync_folder(&new)?;
    fs::rename(&path, &old).map_err(io)?;
    fs::rename(&new, &path).map_err(io)?;
    sync_folder(folder)?;
    fs::remove_dir_all(&old).map_err(io)
}

fn sync_folder(folder: &Path) -> Result<(), String> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Bytes of the files directly in a folder; 0 when it cannot be read.
fn folder_size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|entry| entry.metadata().ok())
        .filter(|meta| meta.modified().is_ok_and(|t| t >= SystemTime::UNIX_EPOCH))
        .map(|meta| meta.len())
        .sum()
}
