//! Reading a copy of the database. sled has no opening for readers: each one writes a segment's rest and a snapshot and
//! syncs them four times, which an SD card pays for with its life. The copy lies in memory and is thrown away.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::db::{self, Failure};
use super::{compact, schema};

/// A database of more than this is not copied into memory.
const IN_MEMORY_MAX: u64 = 16 * 1024 * 1024;
/// Where Linux has memory for files.
const MEMORY: &str = "/dev/shm";
/// How the copies are called there.
const PREFIX: &str = "minectl-db-";
/// A copy of this age was left by a process that was killed.
const LEFT_OVER: Duration = Duration::from_secs(600);

/// Does `work` on a copy in memory, under our lock; nothing is written. Where there is no memory for files, or the copy
/// cannot be read, on the database itself, with all that [`db::with`] does for it.
pub(super) fn read<T, F>(folder: &Path, work: F) -> Result<(T, Vec<String>), Failure>
where
    T: Send + 'static,
    F: FnOnce(&sled::Tree) -> Result<T, Failure> + Clone + Send + 'static,
{
    let (original, looking) = (folder.to_owned(), work.clone());
    let seen = db::guarded(folder, move || {
        Ok(in_memory(&original).and_then(|copy| {
            let opened = db::open(&db::path(copy.path())).ok()?;
            schema::bring_up(&opened).ok()?;
            looking(&opened).ok()
        }))
    });
    match seen {
        Ok(Some(done)) => Ok((done, Vec::new())),
        // It is in use, or does not answer: so it is with the original.
        Err(failure) if !failure.damaged => Err(failure),
        Ok(None) | Err(_) => db::with(folder, work),
    }
}

/// A folder with a copy of the database, for who must not write; it goes with the value.
pub(super) fn keep(folder: &Path) -> Result<TempDir, Failure> {
    let text = |error: std::io::Error| Failure::passing(format!("copy of the database: {error}"));
    let place = tempfile::Builder::new().prefix(PREFIX).tempdir().map_err(text)?;
    let _lock = db::lock(folder)?;
    copy_folder(&db::path(folder), &db::path(place.path())).map_err(text)?;
    Ok(place)
}

/// The copy, if it can be made; half a snapshot, which would keep it from opening, is left out.
fn in_memory(folder: &Path) -> Option<TempDir> {
    let path = db::path(folder);
    // Without this file there is nothing yet, or the last swap broke off.
    if !path.join("db").exists() || compact::folder_size(&path) > IN_MEMORY_MAX {
        return None;
    }
    remove_left_overs(Path::new(MEMORY));
    let place = tempfile::Builder::new().prefix(PREFIX).tempdir_in(MEMORY).ok()?;
    let copied = copy_folder(&path, &db::path(place.path()));
    let repaired = db::repair(place.path(), &db::path(place.path()));
    (copied.is_ok() && repaired.is_ok()).then_some(place)
}

fn remove_left_overs(place: &Path) {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let ours: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .filter(|entry| entry.metadata().and_then(|of| of.modified()).is_ok_and(is_left_over))
        .map(|entry| entry.path())
        .collect();
    for path in ours {
        // Another's, or gone already.
        if let Err(error) = fs::remove_dir_all(&path) {
            log::debug!("{}: {error}", path.display());
        }
    }
}

fn is_left_over(modified: SystemTime) -> bool {
    modified.elapsed().is_ok_and(|age| age > LEFT_OVER)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()))?;
        } else {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn what_fails_on_the_copy_is_tried_on_the_database_itself() {
        let folder = tempfile::tempdir().unwrap();
        db::with(folder.path(), |tree| Ok(tree.insert("key", "value")?)).unwrap();
        let tries = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&tries);
        let read_with = move |full: u32| {
            let tries = Arc::clone(&counted);
            read(folder.path(), move |tree| match tries.fetch_add(1, Ordering::SeqCst) < full {
                true => Err(Failure::passing("No space left on device")),
                false => Ok(tree.contains_key("key")?),
            })
        };
        assert!(read_with(0).unwrap().0, "the copy holds the record");
        assert_eq!(tries.swap(0, Ordering::SeqCst), 1, "the copy is enough");
        assert!(read_with(1).unwrap().0, "the memory for files is full");
        assert_eq!(tries.swap(0, Ordering::SeqCst), 2);
        assert_eq!(read_with(2).unwrap_err().text, "No space left on device", "and so is the disk");
    }

    #[test]
    fn a_copy_that_a_killed_process_left_behind_goes_after_ten_minutes_and_no_other_folder() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str, age_s: u64| {
            let path = place.path().join(name);
            fs::create_dir(&path).unwrap();
            let then = SystemTime::now() - Duration::from_secs(age_s);
            fs::File::open(&path).unwrap().set_modified(then).unwrap();
            path
        };
        let (old, young, foreign) =
            (folder("minectl-db-old", 601), folder("minectl-db-new", 590), folder("other", 100_000));
        remove_left_overs(place.path());
        assert_eq!((old.exists(), young.exists(), foreign.exists()), (false, true, true));
    }
}
