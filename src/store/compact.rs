//! Compaction by copy and swap. Deleting gives sled no space back and makes each opening write more, so once a day the
//! few live records go into a new database.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{db, left_over, parts, schema};
use crate::units::Moment;

/// Compact at once above this size.
const SIZE_MAX: u64 = 6 * 1024 * 1024;
/// Compact when the last one is older than this.
const EVERY_S: u64 = 86_400;

/// Compacts when it is due; returns a sentence when it did.
pub(super) fn when_due(folder: &Path, now: &Moment) -> Result<Option<String>, String> {
    let path = db::path(folder);
    let size = folder_size(&path);
    let last: Option<i64> = fs::read_to_string(marker(folder)).ok().and_then(|text| text.trim().parse().ok());
    // A marker from the future (the clock was wrong) counts as due.
    let due = last.is_none_or(|last| now.wall.0 < last || now.wall.0.abs_diff(last) >= EVERY_S);
    if !path.exists() || (!due && size < SIZE_MAX) {
        return Ok(None);
    }
    let removed = left_over::remove(folder);
    if removed > 0 {
        log::info!("{removed} files that killed runs left behind are removed");
    }
    at_once(folder, now).map(Some)
}

/// Compacts, due or not; returns a sentence.
pub(super) fn at_once(folder: &Path, now: &Moment) -> Result<String, String> {
    let path = db::path(folder);
    let size = folder_size(&path);
    let folder_for_work = folder.to_owned();
    let work = move || copy_and_swap(&folder_for_work).map_err(db::Failure::passing);
    db::guarded(folder, work).map_err(|failure| failure.text)?;
    let marker = marker(folder);
    fs::write(&marker, now.wall.0.to_string()).map_err(|error| format!("{}: {error}", marker.display()))?;
    Ok(format!("database compacted from {} KiB to {} KiB", size / 1024, folder_size(&path) / 1024))
}

/// Says when the last compaction was.
fn marker(folder: &Path) -> PathBuf {
    folder.join("db.compacted")
}

fn copy_and_swap(folder: &Path) -> Result<(), String> {
    let old = swap(folder, |to| {
        let sled = |error: sled::Error| format!("compaction: {error}");
        let from = db::open(&db::path(folder)).map_err(sled)?;
        let mut copied = 0;
        for item in from.iter() {
            let (key, value) = item.map_err(sled)?;
            to.insert(key, value).map_err(sled)?;
            copied += 1;
        }
        if to.len() != copied {
            return Err(format!("compaction: {copied} records became {}", to.len()));
        }
        Ok(())
    })?;
    fs::remove_dir_all(&old).map_err(|error| format!("compaction: {error}"))
}

/// Puts a new database of these records in place of the present one, which is set aside. Returns what was done.
pub(super) fn replace(
    folder: &Path,
    now: &Moment,
    records: Vec<(Vec<u8>, serde_json::Value)>,
) -> Result<Vec<String>, String> {
    let (folder_for_work, now) = (folder.to_owned(), *now);
    let work = move || {
        let folder = folder_for_work;
        let old = swap(&folder, |to| {
            let text = |failure: db::Failure| failure.text;
            schema::bring_up(to).map_err(text)?;
            let mut batch = parts::Batch::new(to);
            for (key, record) in records {
                batch.put(key, &record).map_err(text)?;
            }
            batch.apply().map_err(text)
        })
        .map_err(db::Failure::passing)?;
        Ok(db::keep_aside(&folder, &old, &now))
    };
    db::guarded(folder, work).map_err(|failure| failure.text)
}

/// Fills a new database, syncs it and swaps it in. Returns where the old one is, if there was one; a run that breaks off
/// in between is undone or finished at the next opening.
fn swap(folder: &Path, fill: impl FnOnce(&sled::Db) -> Result<(), String>) -> Result<PathBuf, String> {
    let (path, old, new) = (db::path(folder), folder.join("db.old"), folder.join("db.new"));
    let io = |error: std::io::Error| format!("new database: {error}");
    for left_over in [&old, &new] {
        if left_over.exists() {
            fs::remove_dir_all(left_over).map_err(io)?;
        }
    }
    {
        let to = db::open(&new).map_err(|error| format!("new database: {error}"))?;
        fill(&to)?;
        to.flush().map_err(|error| format!("new database: {error}"))?;
    }
    for entry in fs::read_dir(&new).map_err(io)?.flatten().filter(|entry| entry.path().is_file()) {
        File::open(entry.path()).and_then(|file| file.sync_all()).map_err(io)?;
    }
    sync_folder(&new)?;
    if path.exists() {
        fs::rename(&path, &old).map_err(io)?;
    }
    fs::rename(&new, &path).map_err(io)?;
    sync_folder(folder)?;
    Ok(old)
}

fn sync_folder(folder: &Path) -> Result<(), String> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Bytes of the files directly in a folder; 0 when it cannot be read.
pub(super) fn folder_size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|entry| entry.metadata().ok())
        .filter(|meta| meta.modified().is_ok_and(|t| t >= SystemTime::UNIX_EPOCH))
        .map(|meta| meta.len())
        .sum()
}
