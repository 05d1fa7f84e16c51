//! Opening sled, which cannot be trusted: it panics on damaged files, hangs in rare cases, and refuses to open after
//! a kill in the wrong moment. So each use is short, under our own lock, on a thread with a deadline, and a panic is
//! an error like any other.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use fs2::FileExt;

use super::schema;
use crate::units::Moment;

/// The longest time one use of the database may take.
const USE_MAX: Duration = Duration::from_secs(15);
/// The longest wait for another process that uses it.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
/// The same where that wait was in vain before in this run: the miners must not wait for it at each step.
const LOCK_WAIT_AGAIN: Duration = Duration::from_millis(200);
/// Folders whose lock was waited for in vain.
static BUSY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
/// Databases set aside that are kept.
const SET_ASIDE_KEPT: usize = 2;
/// Pages of the database held in memory.
const CACHE_BYTES: u64 = 1024 * 1024;
/// Fixed for a database's life; small segments keep what each opening writes small.
const SEGMENT_BYTES: usize = 32 * 1024;

/// Why the database could not be used.
#[derive(Debug)]
pub(super) struct Failure {
    /// The sentence for people.
    pub(super) text: String,
    /// Whether its files are to blame: then it is set aside. A full disk or a busy lock is no reason for that.
    pub(super) damaged: bool,
}

impl Failure {
    /// A failure that says nothing against the files.
    pub(super) fn passing(text: impl Into<String>) -> Failure {
        Failure { text: text.into(), damaged: false }
    }

    /// A failure that the files are to blame for.
    pub(super) fn damage(text: impl Into<String>) -> Failure {
        Failure { text: text.into(), damaged: true }
    }
}

impl From<sled::Error> for Failure {
    fn from(error: sled::Error) -> Failure {
        match &error {
            // The disk is full, read-only, not ours, or worn out: another database would fare no better.
            sled::Error::Io(io) => Failure::passing(io.to_string()),
            sled::Error::Corruption { .. }
            | sled::Error::CollectionNotFound(_)
            | sled::Error::Unsupported(_)
            | sled::Error::ReportableBug(_) => Failure::damage(error.to_string()),
        }
    }
}

/// Where the database lives.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("db")
}

/// Opens the database, does `work`, flushes, and closes it. Also returns what had to be repaired. `Err` is a sentence;
/// nothing of `work` may be taken as stored then.
pub(super) fn with<T, F>(folder: &Path, work: F) -> Result<(T, Vec<String>), Failure>
where
    T: Send + 'static,
    F: FnOnce(&sled::Tree) -> Result<T, Failure> + Send + 'static,
{
    let folder_for_work = folder.to_owned();
    guarded(folder, move || use_once(&folder_for_work, work))
}

/// Runs something that touches the database under our lock, on a thread of its own, for at most `USE_MAX`; a panic in it
/// is damage.
pub(super) fn guarded<T, F>(folder: &Path, work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    let lock = lock(folder)?;
    let (send, receive) = mpsc::channel();
    let spawned = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
        // The lock goes with the thread: a use that overran its time still keeps others out.
        let _lock = lock;
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let result = caught.unwrap_or_else(|_| Err(Failure::damage("the database panicked on its files")));
        // A receiver that has gone stopped waiting: there is nobody left to tell.
        drop(send.send(result));
    });
    spawned.map_err(|error| Failure::passing(format!("no thread for the database: {error}")))?;
    match receive.recv_timeout(USE_MAX) {
        Ok(result) => result,
        Err(_) => Err(Failure::passing(format!("the database did not answer within {} s", USE_MAX.as_secs()))),
    }
}

fn use_once<T, F>(folder: &Path, work: F) -> Result<(T, Vec<String>), Failure>
where
    F: FnOnce(&sled::Tree) -> Result<T, Failure>,
{
    let path = path(folder);
    let repaired = repair(folder, &path)?;
    let db = open(&path)?;
    if let Some(done) = schema::bring_up(&db)? {
        log::info!("{done}");
    }
    let result = work(&db)?;
    db.flush()?;
    // sled's own flush is sync_file_range only; the page cache of a Pi dies with its power.
    File::open(path.join("db"))
        .and_then(|file| file.sync_all())
        .map_err(|error| Failure::passing(format!("sync: {error}")))?;
    drop(db);
    Ok((result, repaired))
}

/// Opens with the measured settings (see ARCHITECTURE.md, Storage). Retries for a moment: sled's own lock can linger after a close.
pub(super) fn open(path: &Path) -> Result<sled::Db, sled::Error> {
    let config = sled::Config::new()
        .path(path)
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(None)
        .use_compression(false);
    let mut tries = 0;
    loop {
        match config.open() {
            Err(sled::Error::Io(error)) if error.kind() == std::io::ErrorKind::Other && tries < 20 => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result,
        }
    }
}

/// What must be done before each opening: finish an interrupted swap, and remove the half-written snapshot that makes
/// sled refuse to open for ever. A whole snapshot is never touched: without it sled can open empty.
pub(super) fn repair(folder: &Path, path: &Path) -> Result<Vec<String>, Failure> {
    let mut repaired = Vec::new();
    let text = |error: std::io::Error| Failure::passing(format!("repair: {error}"));
    let (old, new) = (folder.join("db.old"), folder.join("db.new"));
    if !path.exists() && old.exists() {
        fs::rename(&old, path).map_err(text)?;
        repaired.push("an interrupted compaction was undone".to_owned());
    }
    for left_over in [old, new] {
        if left_over.exists() {
            fs::remove_dir_all(&left_over).map_err(text)?;
        }
    }
    let Ok(entries) = fs::read_dir(path) else { return Ok(repaired) };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path()).map_err(text)?;
        }
    }
    Ok(repaired)
}

/// Moves an unusable database out of the way and keeps the newest few. Returns what was done.
pub(super) fn set_aside(folder: &Path, now: &Moment) -> Vec<String> {
    keep_aside(folder, &path(folder), now)
}

/// Moves a database to `db.bad-<time>` and keeps the newest few of those. Returns what was done.
pub(super) fn keep_aside(folder: &Path, path: &Path, now: &Moment) -> Vec<String> {
    if !path.exists() {
        return Vec::new();
    }
    // Two in one second, or after a clock that went back, both have their place.
    let names = (0..100).map(|later| folder.join(format!("db.bad-{}", now.wall.0.saturating_add(later))));
    let Some(aside) = names.into_iter().find(|name| !name.exists()) else { return Vec::new() };
    let mut done = match fs::rename(path, &aside) {
        Ok(()) => vec![format!("moved to {} with the events of the last days, a new one is begun", aside.display())],
        Err(error) => return vec![format!("cannot be moved aside: {error}")],
    };
    for old in kept_aside(folder).iter().rev().skip(SET_ASIDE_KEPT) {
        if let Err(error) = fs::remove_dir_all(old) {
            done.push(format!("{} cannot be removed: {error}", old.display()));
        }
    }
    done
}

/// The databases that were set aside, oldest first.
pub(super) fn kept_aside(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_aside = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("db.bad-"));
    let mut kept: Vec<PathBuf> = paths.filter(is_aside).collect();
    kept.sort();
    kept
}

/// Takes the lock that keeps other runs of this program out of the database; waits a bounded time.
pub(super) fn lock(folder: &Path) -> Result<File, Failure> {
    let path = folder.join("db.lock");
    let text = |error: std::io::Error| Failure::passing(format!("{}: {error}", path.display()));
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(text)?;
    let was_busy = BUSY.lock().is_ok_and(|busy| busy.contains(folder));
    let end = Instant::now() + if was_busy { LOCK_WAIT_AGAIN } else { LOCK_WAIT_MAX };
    loop {
        match FileExt::try_lock_exclusive(&file) {
            Ok(()) => {
                if was_busy {
                    note_busy(folder, false);
                }
                return Ok(file);
            }
            Err(error) if error.kind() == fs2::lock_contended_error().kind() => {
                if Instant::now() >= end {
                    note_busy(folder, true);
                    let text = format!("in use by another process for {} s", LOCK_WAIT_MAX.as_secs());
                    return Err(Failure::passing(text));
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(text(error)),
        }
    }
}

fn note_busy(folder: &Path, is_busy: bool) {
    // A poisoned list only costs the longer wait.
    let Ok(mut busy) = BUSY.lock() else { return };
    if is_busy {
        busy.insert(folder.to_owned());
    } else {
        busy.remove(folder);
    }
}
