//! `doctor`: looks at the machine, at each device and at each way to reach people, and says for every fault what to do. It
//! reads as a run does and judges by the same rules; it commands, sends, saves and repairs nothing. What only a command or
//! a message would show, it cannot see.

mod channels;
mod check;
mod config_file;
mod cron;
mod devices;
mod machine;
mod memory;
mod output;
mod permissions;
mod points;
mod rules;
mod runs;
mod ways_out;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::printed;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::error::{EXIT_DONE, EXIT_FAULTS, EXIT_WARNINGS, Error};
use crate::lock;
use crate::notify;
use memory::Memory;

pub use check::{Check, Group, Verdict};

/// Where the system keeps what is looked at beside the configuration's own paths.
#[derive(Debug, Clone)]
pub struct Places {
    /// The system's crontab.
    pub crontab: PathBuf,
    /// The folder of crontabs of packages.
    pub cron_folder: PathBuf,
    /// The folder of the users' crontabs.
    pub user_crontabs: PathBuf,
    /// What prints the own user's crontab where that folder is closed.
    pub crontab_program: PathBuf,
    /// The folder of systemd-timesyncd; its file `synchronized` says that the clock was set.
    pub time_sync: PathBuf,
    /// The processes.
    pub processes: PathBuf,
    /// The program that the runs start.
    pub program: PathBuf,
}

impl Places {
    /// Those of Debian and Raspberry Pi OS.
    pub fn system() -> Places {
        Places {
            crontab: "/etc/crontab".into(),
            cron_folder: "/etc/cron.d".into(),
            user_crontabs: "/var/spool/cron/crontabs".into(),
            crontab_program: "/usr/bin/crontab".into(),
            time_sync: "/run/systemd/timesync".into(),
            processes: "/proc".into(),
            program: std::env::current_exe().unwrap_or_else(|_| "/usr/local/bin/minectl".into()),
        }
    }
}

/// Looks at everything, or at the devices and channels of these `names`, and prints what was found. Returns the exit code:
/// 0 all is well, 5 there are warnings, 1 there are faults, 3 the configuration has mistakes.
pub fn run(path: &Path, names: &[String], json: bool, out: &mut dyn Write) -> Result<u8, Error> {
    let began = Instant::now();
    let clock = Clock::from_environment().map_err(Error::Usage)?;
    let print = |checks: &[Check], out: &mut dyn Write| {
        let report = output::Report { checks, at: clock.now().wall, took: began.elapsed() };
        printed(if json { output::json(&report, out) } else { output::table(&report, out) })
    };
    let cfg = match config::load(path) {
        Ok(cfg) => cfg,
        Err(error) => {
            print(&config_file::mistakes(&error), out)?;
            return Ok(error.exit_code());
        }
    };
    check_names(&cfg, names)?;
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let mut checks = if names.is_empty() { machine(&cfg, path, &clock, &Places::system()) } else { Vec::new() };
    // What a run at work changes is remembered when it has ended.
    lock::wait_for_run(&cfg.paths.data.join("tick.lock"), clock.real_span(cfg.tick.budget.duration()));
    let (now, memory) = (clock.now(), Memory::look(&cfg, &clock.now()));
    let (seen, channels) = std::thread::scope(|scope| {
        let channels = std::thread::Builder::new()
            .name("channels".to_owned())
            .spawn_scoped(scope, || channels::checks(&cfg, &memory, &now, names.is_empty(), &wanted));
        let seen = devices::checks(&cfg, &clock, &memory, &wanted, names.is_empty());
        (seen, channels.ok().and_then(|thread| thread.join().ok()).unwrap_or_default())
    });
    checks.extend(seen);
    checks.extend(channels);
    print(&checks, out)?;
    Ok(exit_code(&checks))
}

/// The checks of the machine alone: configuration file, clock, disk, lock, database, runs, cron, page.
pub fn machine(cfg: &Config, path: &Path, clock: &Clock, places: &Places) -> Vec<Check> {
    let now = clock.now();
    let memory = &Memory::look(cfg, &now);
    let mut checks = config_file::checks(cfg, path);
    checks.extend(permissions::checks(cfg, path, &places.program));
    checks.extend(machine::checks(cfg, clock, places, memory));
    checks.extend(runs::checks(cfg, memory, &now));
    checks.extend(cron::checks(cfg, path, places));
    checks
}

/// The exit code of these checks.
pub fn exit_code(checks: &[Check]) -> u8 {
    match checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Ok) {
        Verdict::Ok => EXIT_DONE,
        Verdict::Warn => EXIT_WARNINGS,
        Verdict::Fail => EXIT_FAULTS,
    }
}

fn check_names(cfg: &Config, names: &[String]) -> Result<(), Error> {
    let mut known: Vec<&str> = vec!["signal"];
    known.extend(cfg.rooms.iter().map(|room| room.name.as_str()));
    known.push(cfg.fan_watts.name());
    known.extend(cfg.boards.iter().map(|board| board.name.as_str()));
    known.extend(cfg.pdus.iter().map(|pdu| pdu.name.as_str()));
    known.push(&cfg.foreman.name);
    known.extend(notify::configured(cfg).into_iter().map(|channel| channel.word()));
    known.extend(cfg.dead_man.as_ref().map(|_| channels::DEAD_MAN));
    known.extend(cfg.influx.as_ref().map(|_| channels::INFLUX));
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Error::Usage(format!("--device: unknown `{name}`; known: {}", known.join(", ")))),
    }
}
