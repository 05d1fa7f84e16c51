//! The lock that keeps two runs apart. It goes with the process, so a killed run leaves none behind.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use fs2::FileExt;

use crate::error::Error;
use crate::units::{Moment, UnixSeconds};

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
        let first = take(&path, &now).unwrap();
        let Err(NotTaken::Held(Some(holder))) = take(&path, &now) else { panic!("taken twice") };
        assert_eq!(holder, Holder { process: std::process::id(), since: UnixSeconds(1000) });
        drop(first);
        assert!(take(&path, &now).is_ok());
    }
}
