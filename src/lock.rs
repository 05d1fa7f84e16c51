//! The lock that keeps two runs apart. It goes with the process, so a killed run leaves none behind.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use fs2::FileExt;

use crate::error::Error;
use crate::units::{Moment, UnixSeconds};

/// How often it is looked whether a run has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Held for the length of a run.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Who holds the lock, as far as the file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its process number.
    pub process: u32,
    /// When it began.
    pub since: UnixSeconds,
}

/// Why the lock was not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// Another run is at work; who, if its line can be read.
    Held(Option<Holder>),
    /// The file cannot be used.
    Failed(Error),
}

/// Takes the lock at once or not at all, and writes who holds it.
pub fn take(path: &Path, now: &Moment) -> Result<RunLock, NotTaken> {
    let failed = |error: std::io::Error| {
        NotTaken::Failed(Error::Storage(format!("lock {}: {error}; who owns the data folder?", path.display())))
    };
    let options = File::options().create(true).truncate(false).read(true).write(true).open(path);
    let mut file = options.map_err(failed)?;
    match FileExt::try_lock_exclusive(&file) {
        Ok(()) => {}
        Err(error) if error.kind() == fs2::lock_contended_error().kind() => {
            return Err(NotTaken::Held(holder(&mut file)));
        }
        Err(error) => return Err(failed(error)),
    }
    let line = format!("{} {}\n", std::process::id(), now.wall.0);
    // Who holds it is a help for people; a full disk must not stop a run for it.
    if file
        .set_len(0)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(line.as_bytes()))
        .is_err()
    {
        log::warn!("lock {}: cannot write who holds it", path.display());
    }
    Ok(RunLock { _file: file })
}

/// Who holds the lock at this moment; `None` when nobody does. Unlike [`take`] it never stands in a run's way, not even
/// for a moment: the kernel's own list is asked.
pub fn holder_now(path: &Path) -> Option<Holder> {
    let mut file = File::open(path).ok()?;
    let inode = format!(":{}", file.metadata().ok()?.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  WRITE 1234 08:02:131077 0 EOF`; one who waits has `->` before FLOCK.
    let held = locks.lines().any(|line| {
        let mut words = line.split_ascii_whitespace();
        words.nth(1) == Some("FLOCK") && words.nth(3).is_some_and(|place| place.ends_with(&inode))
    });
    if held { Some(holder(&mut file).unwrap_or(Holder { process: 0, since: UnixSeconds(0) })) } else { None }
}

/// Waits until no run is at work, at most `limit` (real time); comes back at once when none is. For whoever only reads the
/// devices: one that takes a single connection would fail the run.
pub fn wait_for_run(path: &Path, limit: Duration) {
    let began = Instant::now();
    while holder_now(path).is_some() && began.elapsed() < limit {
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(100).read_to_string(&mut text).ok()?;
    let (process, since) = text.trim().split_once(' ')?;
    Some(Holder { process: process.parse().ok()?, since: UnixSeconds(since.parse().ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{BootId, Seconds};

    #[test]
    fn a_second_taker_learns_who_holds_it_and_gets_it_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tick.lock");
        let now = Moment { wall: UnixSeconds(1000), boot: BootId(1), up: Seconds(5) };
        assert_eq!(holder_now(&path), None, "there is no lock yet");
        let first = take(&path, &now).unwrap();
        assert_eq!(holder_now(&path).map(|holder| holder.process), Some(std::process::id()));
        let Err(NotTaken::Held(Some(holder))) = take(&path, &now) else { panic!("taken twice") };
        assert_eq!(holder, Holder { process: std::process::id(), since: UnixSeconds(1000) });
        drop(first);
        assert_eq!(holder_now(&path), None);
        assert!(take(&path, &now).is_ok());
    }
}
