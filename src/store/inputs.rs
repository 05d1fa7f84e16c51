//! What each run read and decided, for `replay`: one file a UTC day, one gzip member for each run, so that `zcat` shows it.
//! Nothing is synced: to lose the last runs by a power cut is fine, to wear the card is not. Old days make room for new
//! ones, and all of them for whatever else needs the disk. It does not know what the lines say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use rustix::fs::statvfs;

use crate::units::{Seconds, UnixSeconds};

const MIB: u64 = 1024 * 1024;
/// All days together.
const BYTES_MAX: u64 = 256 * MIB;
/// One day; a run more often than each minute would come to this.
const DAY_BYTES_MAX: u64 = 64 * MIB;
/// So much of the disk is left to others: of a small disk this share, but more than the history leaves.
const FREE_BYTES_MIN: u64 = 200 * MIB;
const FREE_SHARE: u64 = 5;
const FREE_SMALL_DISK_BYTES_MIN: u64 = 24 * MIB;
/// One run, unpacked.
const RUN_BYTES_MAX: u64 = 64 * MIB;
/// Files that are looked at.
const FILES_MAX: usize = 1000;
/// How a gzip member begins.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

const SUFFIX: &str = ".jsonl.gz";
/// What the last run that was kept had remembered at its end.
const LAST: &str = "last";

/// The lines of one run, packed as they come.
pub struct RunInputs {
    packed: GzEncoder<Vec<u8>>,
    broken: Option<String>,
}

impl Default for RunInputs {
    fn default() -> RunInputs {
        RunInputs { packed: GzEncoder::new(Vec::new(), Compression::default()), broken: None }
    }
}

impl RunInputs {
    /// Adds a line. What cannot be written is told by [`RunInputs::finish`].
    pub fn add(&mut self, line: &impl serde::Serialize) {
        let written = serde_json::to_vec(line).map_err(std::io::Error::other).and_then(|mut line| {
            line.push(b'\n');
            self.packed.write_all(&line)
        });
        if let Err(error) = written {
            self.broken.get_or_insert(error.to_string());
        }
    }

    /// The gzip member of the run.
    pub fn finish(self) -> Result<Vec<u8>, String> {
        match self.broken {
            Some(error) => Err(format!("inputs: {error}")),
            None => self.packed.finish().map_err(|error| format!("inputs: {error}")),
        }
    }
}

/// The file of the day (UTC) of a moment.
fn name(at: UnixSeconds) -> String {
    let day = Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{}{SUFFIX}", day.strftime("%Y-%m-%d"))
}

/// The days with their sizes, oldest first. Names sort by time.
fn days(folder: &Path) -> std::io::Result<BTreeMap<String, u64>> {
    let mut days = BTreeMap::new();
    for entry in fs::read_dir(folder)?.take(FILES_MAX) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(SUFFIX) {
            days.insert(name, entry.metadata()?.len());
        }
    }
    Ok(days)
}

/// Appends a run to its day and drops days that are too old or too many. `left` is the fingerprint of what the run
/// remembered at its end. `Err` says why nothing was kept; the same trouble always in the same words.
pub fn append(folder: &Path, at: UnixSeconds, run: &[u8], left: &str, keep_days: u32) -> Result<(), String> {
    let text = |error: std::io::Error| format!("inputs {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(text)?;
    let today = name(at);
    make_room(folder, at, &today, run.len() as u64, keep_days).map_err(text)?;
    if free(folder) < free_min(folder) {
        return Err(format!("inputs: too little space is free in {}, nothing kept for `replay`", folder.display()));
    }
    let path = folder.join(&today);
    if fs::metadata(&path).is_ok_and(|meta| meta.len().saturating_add(run.len() as u64) > DAY_BYTES_MAX) {
        return Err(format!("inputs: {today} has reached {} MiB, nothing more kept today", DAY_BYTES_MAX / MIB));
    }
    let mut file = File::options().create(true).append(true).open(&path).map_err(text)?;
    file.write_all(run).map_err(text)?;
    fs::write(folder.join(LAST), left).map_err(text)
}

/// Removes all of it: nothing is to be kept any more. `Err` says why it is still there.
pub fn forget(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("inputs {}: {error}", folder.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The fingerprint that the last kept run left; `None` where none is known.
pub fn last_left(folder: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(folder.join(LAST)).ok()?.take(100).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Drops days that are past their time, and the oldest while there are too many bytes or too little space for `more`.
fn make_room(folder: &Path, at: UnixSeconds, today: &str, more: u64, keep_days: u32) -> std::io::Result<()> {
    let mut days = days(folder)?;
    // A clock that is behind the newest file proves nothing to be old.
    let is_behind = days.keys().next_back().is_some_and(|newest| newest.as_str() > today);
    let first_kept = name(at.minus(Seconds(u64::from(keep_days.saturating_sub(1)).saturating_mul(86_400))));
    while let Some((oldest, size)) = days.first_key_value().map(|(name, size)| (name.clone(), *size)) {
        let bytes = days.values().sum::<u64>().saturating_add(more);
        let is_old = !is_behind && oldest < first_kept;
        let is_short = oldest != today && (bytes > BYTES_MAX || free(folder) < free_min(folder).saturating_add(more));
        if !is_old && !is_short {
            return Ok(());
        }
        log::info!("inputs: {oldest} ({size} bytes) goes");
        fs::remove_file(folder.join(&oldest))?;
        days.remove(&oldest);
    }
    Ok(())
}

fn free(folder: &Path) -> u64 {
    statvfs(folder).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn free_min(folder: &Path) -> u64 {
    let whole = statvfs(folder).map_or(u64::MAX, |disk| disk.f_blocks.saturating_mul(disk.f_frsize));
    whole.checked_div(FREE_SHARE).unwrap_or(0).clamp(FREE_SMALL_DISK_BYTES_MIN, FREE_BYTES_MIN)
}

/// What could not be read, by file.
pub type Damage = BTreeMap<PathBuf, u64>;

/// Hands the text of each run from the day of `since` to the day of `until` to `visit`, oldest first, until it says
/// `false`. Gives the number of damaged places of each file; what follows one is read all the same. `Err`: the folder
/// cannot be read.
pub fn read(
    folder: &Path,
    since: UnixSeconds,
    until: UnixSeconds,
    visit: &mut dyn FnMut(&str) -> bool,
) -> Result<Damage, String> {
    let text = |error: std::io::Error| format!("{}: {error}", folder.display());
    let (first, last) = (name(since), name(until));
    let mut damage = Damage::new();
    let days = match days(folder) {
        Ok(days) => days,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(text(error)),
    };
    for day in days.into_keys().filter(|day| (first.as_str()..=last.as_str()).contains(&day.as_str())) {
        let path = folder.join(day);
        let mut packed = Vec::new();
        File::open(&path).and_then(|file| file.take(DAY_BYTES_MAX).read_to_end(&mut packed)).map_err(text)?;
        let mut goes_on = true;
        let damaged = members(&packed, &mut |run| {
            goes_on = visit(run);
            goes_on
        });
        if damaged > 0 {
            damage.insert(path, damaged);
        }
        if !goes_on {
            break;
        }
    }
    Ok(damage)
}

/// Unpacks one member after the other. After one that is torn or garbled it looks for the beginning of the next. Returns
/// the number of such places.
fn members(packed: &[u8], visit: &mut dyn FnMut(&str) -> bool) -> u64 {
    let (mut rest, mut damaged, mut is_lost) = (packed, 0_u64, false);
    while !rest.is_empty() {
        let mut decoder = GzDecoder::new(rest);
        let mut run = String::new();
        let read = if rest.starts_with(&MAGIC) {
            decoder.by_ref().take(RUN_BYTES_MAX).read_to_string(&mut run).ok()
        } else {
            None
        };
        if read.is_some_and(|bytes| (bytes as u64) < RUN_BYTES_MAX) {
            rest = decoder.into_inner();
            is_lost = false;
            if !visit(&run) {
                return damaged;
            }
            continue;
        }
        if !is_lost {
            damaged = damaged.saturating_add(1);
            is_lost = true;
        }
        let next = rest.windows(MAGIC.len()).skip(1).position(|bytes| bytes == MAGIC);
        rest = next.and_then(|at| rest.get(at.saturating_add(1)..)).unwrap_or_default();
    }
    damaged
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn packed(text: &str) -> Vec<u8> {
        let mut run = RunInputs::default();
        run.add(&text);
        run.finish().unwrap()
    }

    fn keep(folder: &Path, at: i64, text: &str, keep_days: u32) {
        append(folder, UnixSeconds(at), &packed(text), "left", keep_days).unwrap();
    }

    fn all(folder: &Path) -> (Vec<String>, Damage) {
        let mut runs = Vec::new();
        let damage = read(folder, UnixSeconds(0), UnixSeconds(100 * DAY), &mut |run| {
            runs.push(serde_json::from_str(run).unwrap());
            true
        });
        (runs, damage.unwrap())
    }

    #[test]
    fn runs_come_back_in_their_order_and_a_day_is_an_ordinary_gzip_file() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("inputs");
        assert_eq!((last_left(&folder), all(&folder).0.len()), (None, 0));
        keep(&folder, 5, "a", 14);
        keep(&folder, 6, "b", 14);
        keep(&folder, DAY, "c", 14);
        assert_eq!(all(&folder), (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], Damage::new()));
        assert_eq!(last_left(&folder).as_deref(), Some("left"));
        let mut whole = String::new();
        let file = File::open(folder.join("1970-01-01.jsonl.gz")).unwrap();
        flate2::read::MultiGzDecoder::new(file).read_to_string(&mut whole).unwrap();
        assert_eq!(whole, "\"a\"\n\"b\"\n");
        let mut first = Vec::new();
        let days = read(&folder, UnixSeconds(0), UnixSeconds(2 * DAY), &mut |run| {
            first.push(run.to_owned());
            false
        });
        assert!(days.unwrap().is_empty() && first.len() == 1, "it ends when nobody wants more: {first:?}");
    }

    #[test]
    fn a_run_torn_anywhere_costs_that_run_alone() {
        let (a, b, c) = (packed("a"), packed("the torn one"), packed("c"));
        for length in 1..b.len() {
            let day = [a.as_slice(), b.get(..length).unwrap(), &c].concat();
            let mut runs = Vec::new();
            let damaged = members(&day, &mut |run| {
                runs.push(run.to_owned());
                true
            });
            assert_eq!((runs.concat().as_str(), damaged), ("\"a\"\n\"c\"\n", 1), "torn at {length}");
        }
    }

    #[test]
    fn a_file_of_garbage_is_damage_and_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), DAY, "c", 14);
        for garbage in
            [vec![0; 4096], b"not gzip".to_vec(), MAGIC.repeat(2000), [MAGIC.as_slice(), &[0xff; 99]].concat()]
        {
            let path = folder.path().join("1970-01-01.jsonl.gz");
            fs::write(&path, garbage).unwrap();
            assert_eq!(all(folder.path()), (vec!["c".to_owned()], Damage::from([(path, 1)])));
        }
    }

    #[test]
    fn days_past_their_time_go_and_those_within_stay() {
        let folder = tempfile::tempdir().unwrap();
        for day in 0..5 {
            keep(folder.path(), day * DAY, &day.to_string(), 3);
        }
        assert_eq!(all(folder.path()).0, ["2", "3", "4"]);
        keep(folder.path(), 3 * DAY, "the clock is behind", 1);
        assert_eq!(all(folder.path()).0.len(), 4);
    }

    #[test]
    fn the_oldest_days_go_before_all_together_are_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let large = |day: i64, bytes: u64| {
            File::create(folder.path().join(name(UnixSeconds(day * DAY)))).unwrap().set_len(bytes).unwrap();
        };
        let run = packed("x");
        large(0, 1000);
        large(1, BYTES_MAX - 1000 - run.len() as u64);
        keep(folder.path(), 2 * DAY, "x", 14);
        assert_eq!(days(folder.path()).unwrap().len(), 3, "just within");
        keep(folder.path(), 2 * DAY, "x", 14);
        assert_eq!(
            days(folder.path()).unwrap().into_keys().collect::<Vec<_>>(),
            [name(UnixSeconds(DAY)), name(UnixSeconds(2 * DAY))]
        );
    }

    #[test]
    fn a_day_has_its_own_limit_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let run = packed("x");
        let path = folder.path().join(name(UnixSeconds(5)));
        File::create(&path).unwrap().set_len(DAY_BYTES_MAX - run.len() as u64).unwrap();
        keep(folder.path(), 5, "x", 14);
        let error = append(folder.path(), UnixSeconds(6), &run, "left", 14).unwrap_err();
        assert!(error.contains("has reached 64 MiB"), "{error}");
        assert_eq!(fs::metadata(&path).unwrap().len(), DAY_BYTES_MAX);
    }
}
