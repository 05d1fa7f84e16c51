//! The machine: clock, folders and their disks, the run's lock.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::fs::{Access, access, statvfs};

use super::Places;
use super::check::{Check, Group};
use super::memory::Memory;
use crate::clock::Clock;
use crate::config::Config;
use crate::units::{Moment, Seconds, UnixSeconds};

/// This program is younger than a clock that shows less (2025-01-01).
const CLOCK_MIN: UnixSeconds = UnixSeconds(1_735_689_600);
/// No clock that is right shows more (2100-01-01).
const CLOCK_MAX: UnixSeconds = UnixSeconds(4_102_444_800);
/// A last run this far ahead of the clock is ahead of it.
const AHEAD_MAX: Seconds = Seconds(90);
const MIB: u64 = 1024 * 1024;
/// Free space: below the first nothing is kept, below the second it is soon so. Page and log may be on a small disk in memory.
const DATA_FREE: (u64, u64) = (20 * MIB, 200 * MIB);
const OTHER_FREE: (u64, u64) = (2 * MIB, 10 * MIB);
/// Files of the data folder whose owner is looked at.
const FILES_MAX: usize = 500;

/// Clock, folders, lock.
pub(super) fn checks(cfg: &Config, clock: &Clock, places: &Places, memory: &Memory) -> Vec<Check> {
    let now = clock.now();
    let mut checks = vec![clock_check(cfg, clock, places, memory)];
    checks.extend(user(&cfg.paths.data));
    checks.push(folder("data folder", &cfg.paths.data, DATA_FREE));
    checks.push(folder("page folder", &cfg.paths.page, OTHER_FREE));
    let log = cfg.paths.log.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    checks.push(folder("log folder", log, OTHER_FREE));
    checks.push(lock(cfg, places, &now));
    checks
}

fn clock_check(cfg: &Config, clock: &Clock, places: &Places, memory: &Memory) -> Check {
    let now = clock.now().wall;
    let zone = TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC);
    let shown = Timestamp::from_second(now.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
    let shown = shown.strftime("%a %d %b %Y %H:%M:%S %Z").to_string();
    let (name, set_right) = ("clock", "`timedatectl` shows why; without internet set it with `sudo date -s`");
    if now < CLOCK_MIN || now > CLOCK_MAX {
        return Check::fail(Group::Machine, name, format!("{shown} cannot be"), set_right);
    }
    let last = memory.state.last_run.map(|last| last.wall).filter(|_| memory.loaded.is_some());
    if let Some(ahead) = last.map(|last| last.since(now)).filter(|ahead| *ahead > AHEAD_MAX) {
        let says = format!("{shown}: the last run was {ahead} later than that, so one of both times is wrong");
        return Check::fail(Group::Machine, name, says, set_right);
    }
    if clock.is_test() {
        let way_out = "unset MINECTL_TEST_CLOCK, unless this is a demonstration";
        return Check::warn(Group::Machine, name, format!("{shown} by a test clock"), way_out);
    }
    if places.time_sync.join("synchronized").exists() {
        return Check::ok(Group::Machine, name, format!("{shown}, set by the network"));
    }
    if places.time_sync.is_dir() {
        let says = format!("{shown}, not set by the network since the boot");
        return Check::warn(
            Group::Machine,
            name,
            says,
            "check the internet connection and `timedatectl timesync-status`",
        );
    }
    Check::ok(Group::Machine, name, format!("{shown}; whether the network sets it is not known here"))
}

/// Who looks, and whether all files of the data folder have one owner.
fn user(data: &Path) -> Vec<Check> {
    let Ok(meta) = std::fs::metadata(data) else { return Vec::new() };
    let (owner, own) = (meta.uid(), rustix::process::geteuid().as_raw());
    let mut checks = Vec::new();
    if owner != own {
        let says = format!("you are user {own}, and {} belongs to user {owner}: memory is not read", data.display());
        let way_out = "look as the user of the runs: `sudo -u minectl minectl doctor`";
        checks.push(Check::warn(Group::Machine, "user", says, way_out));
    }
    let mut open = vec![data.to_owned()];
    let (mut looked, mut foreign) = (0, None);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().take(FILES_MAX) {
            let Ok(meta) = entry.metadata() else { continue };
            looked += 1;
            if meta.uid() != owner {
                foreign = Some((entry.path(), meta.uid()));
            }
            if meta.is_dir() && looked < FILES_MAX {
                open.push(entry.path());
            }
        }
    }
    if let Some((path, uid)) = foreign {
        let says =
            format!("{} belongs to user {uid}, the folder to user {owner}: runs cannot write it", path.display());
        let way_out = format!("`sudo chown -R {owner}:{} {}`", meta.gid(), data.display());
        checks.push(Check::fail(Group::Machine, "owner", says, way_out));
    }
    checks
}

/// Whether a folder is there, can be written by this user, and has space.
fn folder(name: &str, path: &Path, (too_little, little): (u64, u64)) -> Check {
    let shown = path.display();
    if !path.exists() {
        let parent = path.ancestors().skip(1).find(|above| above.is_dir()).unwrap_or(Path::new("."));
        if access(parent, Access::WRITE_OK | Access::EXEC_OK).is_ok() {
            return Check::ok(Group::Machine, name, format!("{shown} is not there yet: the first run makes it"));
        }
        let way_out = "`sudo systemd-tmpfiles --create /etc/tmpfiles.d/minectl.conf` makes it, or correct [paths]";
        return Check::fail(Group::Machine, name, format!("{shown} is not there, and cannot be made"), way_out);
    }
    if !path.is_dir() {
        let way_out = "move that file away, or correct [paths]";
        return Check::fail(Group::Machine, name, format!("{shown} is not a folder"), way_out);
    }
    if let Err(cause) = access(path, Access::WRITE_OK | Access::EXEC_OK) {
        let cause = std::io::Error::from(cause);
        let way_out = if cause.kind() == std::io::ErrorKind::ReadOnlyFilesystem {
            "the disk went read-only, mostly a worn-out card: look at `dmesg`, then exchange it"
        } else {
            "`ls -ld` shows whose it is; run this as that user (`sudo -u minectl`), or `sudo chown` it to the user of the runs"
        };
        return Check::fail(Group::Machine, name, format!("{shown} cannot be written: {cause}"), way_out);
    }
    let free = statvfs(path).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    let Ok(free) = free else { return Check::ok(Group::Machine, name, format!("{shown} can be written")) };
    let says = format!("{shown} can be written, {} MiB free", free / MIB);
    let way_out = "`sudo du -xh / | sort -h | tail -20` shows what fills the disk; old logs and packages go first";
    if free < too_little {
        return Check::fail(Group::Machine, name, says + ": too little to keep anything", way_out);
    }
    if free < little {
        return Check::warn(Group::Machine, name, says, way_out);
    }
    Check::ok(Group::Machine, name, says)
}

/// Whether a run is at work, by the line it wrote and the process it names. The lock itself is not tried: a run that begins
/// in that moment would find it held.
fn lock(cfg: &Config, places: &Places, now: &Moment) -> Check {
    let path = cfg.paths.data.join("tick.lock");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let holder = text.trim().split_once(' ');
    let holder = holder.and_then(|(process, since)| Some((process.parse::<u32>().ok()?, since.parse::<i64>().ok()?)));
    let Some((process, since)) = holder else { return Check::ok(Group::Machine, "lock", "free") };
    let line = std::fs::read(places.processes.join(process.to_string()).join("cmdline")).unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    if !words.contains(&b"tick".as_slice()) {
        return Check::ok(Group::Machine, "lock", "free");
    }
    let held = now.wall.since(UnixSeconds(since));
    let says = format!("held by process {process} for {held}");
    if held.0 > cfg.loop_interval.0.saturating_mul(2) {
        let way_out = format!(
            "the run hangs: the last lines of {} name the step; end it with `sudo kill -9 {process}`, the next run goes on",
            cfg.paths.log.display()
        );
        return Check::fail(Group::Machine, "lock", says, way_out);
    }
    Check::ok(Group::Machine, "lock", says + ": a run is at work; the devices are asked after it")
}
