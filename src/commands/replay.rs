//! `replay`: what runs have read goes once more through the rules of today and a configuration, and what would be decided
//! differently is printed, with its effect on each call. Reads no device, commands nothing; writes only with `--save`.

mod calls;
mod differences;
mod play;
mod print;
mod record;
mod save;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use crate::cli::ReplayArgs;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::error::{EXIT_DONE, EXIT_FAULTS, Error};
use crate::model::InputLine;
use crate::store;
use crate::units::{Seconds, UnixSeconds};
use differences::Differences;
use save::Save;

pub use calls::{CallEffect, Met};
pub use differences::{Change, Found, Stretch};
pub use play::{Pair, Played, Player};
pub use record::{Incident, RecordedRun};

/// A state is recorded each hour; runs from this long before lead to the one that is asked for.
const LEAD: Seconds = Seconds(3 * 3600);
/// Runs that lead there.
const LEAD_RUNS_MAX: usize = 1000;
/// The largest incident that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Replays what was recorded, or an incident's file. `config` is the configuration and whether the command line names it.
/// The exit code is 1 when something would be decided differently.
pub fn run(config: (&Path, bool), args: &ReplayArgs, out: &mut dyn Write) -> Result<u8, Error> {
    let (cfg, by, found) = match &args.file {
        Some(file) => incident(file, config)?,
        None => recorded(config.0, args)?,
    };
    super::printed(if args.json { print::json(&found, out) } else { print::text(&cfg, &by, &found, out) })?;
    Ok(if found.passes_that_differ == 0 { EXIT_DONE } else { EXIT_FAULTS })
}

/// An incident's file, by its own configuration or by one that is named.
fn incident(file: &Path, config: (&Path, bool)) -> Result<(Config, String, Found), Error> {
    let name = file.display().to_string();
    let cannot = |cause: std::io::Error| Error::Storage(format!("{name}: {cause}"));
    let mut text = String::new();
    let mut opened = File::open(file).map_err(cannot)?.take(FILE_BYTES_MAX);
    opened.read_to_string(&mut text).map_err(cannot)?;
    let (header, runs) = Incident::parse(&name, &text)?;
    let (cfg, by) = match config {
        (path, true) => (config::load(path)?, path.display().to_string()),
        (_, false) => (
            config::parse(&header.config, &name, Path::new("")).map_err(Error::Config)?,
            "its own configuration".to_owned(),
        ),
    };
    let mut player = Player::new(&cfg);
    let mut differences = Differences::default();
    for run in runs {
        match RecordedRun::parse(run) {
            Ok(run) => {
                let played = player.play(&run);
                if run.begin.at.wall >= header.since_unix {
                    differences.take(&played, run.begin.at.wall);
                }
            }
            Err(why) => differences.trouble(format!("{name}: {why}")),
        }
    }
    let found = differences.finish();
    if found.passes == 0 {
        return Err(Error::Usage(format!("{name}: holds no run that can be played; {}", found.troubles.join("; "))));
    }
    Ok((cfg, format!("{by}: {}", header.incident), found))
}

/// What this machine recorded, from the state at or before the beginning.
fn recorded(path: &Path, args: &ReplayArgs) -> Result<(Config, String, Found), Error> {
    let cfg = config::load(path)?;
    let clock = Clock::from_environment().map_err(Error::Usage)?;
    let now = clock.now().wall;
    let since = when("--since", &args.since, now, &cfg)?;
    let until = args.until.as_deref().map_or(Ok(now), |text| when("--until", text, now, &cfg))?;
    let folder = cfg.paths.data.join("inputs");
    let mut saving = match &args.save {
        Some(file) => Some(Save::begin(file, path, &cfg, args.what.as_deref(), (since, until))?),
        None => None,
    };
    let mut player = Player::new(&cfg);
    let mut differences = Differences::default();
    let mut lead: Vec<RecordedRun> = Vec::new();
    let mut failed = None;
    let damage = store::read_inputs(&folder, since.minus(LEAD), until, &mut |text| {
        let Some(at) = began(text).filter(|at| (since.minus(LEAD)..=until).contains(at)) else { return true };
        let run = match RecordedRun::parse(text) {
            Ok(run) => run,
            Err(why) => {
                differences.trouble(format!("the run of {}: {why}", print::local(&cfg, at)));
                return true;
            }
        };
        if at < since {
            if run.state.is_some() || lead.len() == LEAD_RUNS_MAX {
                lead.clear();
            }
            lead.push(run);
            return true;
        }
        for earlier in &lead {
            player.play(earlier);
        }
        if let Some(saving) = &mut saving
            && let Err(error) = saving.take(&run, player.state_of(&run), &lead)
        {
            failed = Some(error);
            return false;
        }
        lead.clear();
        let played = player.play(&run);
        differences.take(&played, at);
        true
    });
    let damage = damage.map_err(Error::Storage)?;
    for (path, places) in damage {
        differences.trouble(format!("{}: damaged places: {places}", path.display()));
    }
    let found = differences.finish();
    if let Some(error) = failed {
        return Err(error);
    }
    if found.passes == 0 {
        let (since, until) = (print::local(&cfg, since), print::local(&cfg, until));
        let why = [format!("no run that can be played is recorded from {since} to {until} in {}", folder.display())];
        return Err(Error::Usage(why.into_iter().chain(found.troubles).collect::<Vec<_>>().join("; ")));
    }
    if let Some(saving) = saving {
        saving.finish()?;
    }
    Ok((cfg, path.display().to_string(), found))
}

/// When a run began, by its first line alone.
fn began(run: &str) -> Option<UnixSeconds> {
    match serde_json::from_str(run.lines().next()?) {
        Ok(InputLine::Begin(begin)) => Some(begin.at.wall),
        Ok(InputLine::State(_) | InputLine::Pass(_) | InputLine::Decided(_) | InputLine::End(_)) | Err(_) => None,
    }
}

/// A time, or how far it lies back.
fn when(option: &str, text: &str, now: UnixSeconds, cfg: &Config) -> Result<UnixSeconds, Error> {
    if let Ok(span) = text.parse::<Seconds>() {
        return Ok(now.minus(span));
    }
    super::signal::moment(text, &cfg.time_zone).map_err(|_| {
        let ways = "write `3 h` for how far back, or a time at the site like \"2026-11-22 14:10\"";
        Error::Usage(format!("{option}: `{text}` is no time; {ways}"))
    })
}
