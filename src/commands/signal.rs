//! `signal explain` and `signal learn`: why the utility's page is read as it is, and how an unknown one could be read.
//! Nothing is saved and nothing is changed: what is proposed is printed.

mod explain;
mod learn;
mod meanings;
mod places;
mod stamps;
mod ways_out;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::printed;
use crate::cli::SignalCommand;
use crate::clock::Clock;
use crate::config;
use crate::drivers::page::PAGE_MAX;
use crate::error::Error;

pub(super) use explain::moment;
pub use explain::{Source, explain};
pub use learn::{Sample, Site, learn};

/// The time zone of a page while there is no configuration: that of Corn Belt.
const ZONE: &str = "America/Chicago";

/// Carries out a subcommand of `signal`. The exit code is 1 when the page cannot be read.
pub fn run(path: &Path, what: &SignalCommand, out: &mut dyn Write) -> Result<u8, Error> {
    let clock = Clock::from_environment().map_err(Error::Usage)?;
    match what {
        SignalCommand::Explain { file, at } => {
            let cfg = config::load(path)?;
            let now = match at {
                Some(text) => explain::moment(text, &cfg.time_zone)?,
                None => clock.now().wall,
            };
            let source = match file {
                Some(file) => Source::File { name: file.display().to_string(), bytes: read(file)? },
                None => Source::Web,
            };
            explain(&cfg, source, now, out)
        }
        SignalCommand::Learn { on, off } => {
            let mut samples = Vec::new();
            for (off, file) in on.iter().map(|file| (false, file)).chain(off.iter().map(|file| (true, file))) {
                samples.push(Sample { name: file.display().to_string(), off, bytes: read(file)? });
            }
            // There may be no sound configuration yet: finding the page's settings comes first.
            let site = match config::load(path) {
                Ok(cfg) => Site { url: Some(cfg.signal.url), time_zone: cfg.time_zone },
                Err(error) => {
                    let why = error.to_string();
                    let why = why.lines().next().unwrap_or_default();
                    printed(writeln!(out, "Time stamps are taken for those of {ZONE}: no configuration ({why})\n"))?;
                    Site { url: None, time_zone: ZONE.to_owned() }
                }
            };
            learn(&samples, &site, out)
        }
    }
}

/// A saved page, not longer than one that would be fetched.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let cannot = |cause: std::io::Error| Error::Storage(format!("{}: {cause}", path.display()));
    let mut bytes = Vec::new();
    let limit = PAGE_MAX as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() > PAGE_MAX {
        return Err(Error::Usage(format!("{}: is longer than {PAGE_MAX} bytes, the most of a page", path.display())));
    }
    Ok(bytes)
}
