//! `db`: look at what is stored, make it small, take it out and put it back.

use std::io::{BufWriter, Read, Write};
use std::path::Path;

use super::printed;
use crate::cli::DbCommand;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{EXIT_DONE, EXIT_FAULTS, Error};
use crate::lock::{self, NotTaken};
use crate::store::Store;

/// The largest export that is read.
const IMPORT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Carries out a subcommand of `db`. The exit code is 1 when `check` found something wrong.
pub fn run(cfg: &Config, clock: &Clock, what: &DbCommand, out: &mut dyn Write) -> Result<u8, Error> {
    let store = Store::with_refuge(&cfg.paths.data, &cfg.paths.page);
    let now = clock.now();
    match what {
        DbCommand::Check => return check(&store, clock, out),
        DbCommand::Compact => {
            let done = store.compact(&now).map_err(Error::Storage)?;
            printed(writeln!(out, "{done}"))?;
        }
        DbCommand::Export => {
            let mut out = BufWriter::new(out);
            store.export(&now, &mut out).map_err(Error::Storage)?;
        }
        DbCommand::Import { file } => {
            let text = read(file)?;
            let _lock = match lock::take(&cfg.paths.data.join("tick.lock"), &now) {
                Ok(lock) => lock,
                Err(NotTaken::Held(_)) => {
                    return Err(Error::Locked("locked: a run is at work; try again when it has ended".to_owned()));
                }
                Err(NotTaken::Failed(error)) => return Err(error),
            };
            let done = store.import(&text, &now);
            for line in done.map_err(|mistakes| Error::Usage(format!("{}: {mistakes}", file.display())))? {
                printed(writeln!(out, "{line}"))?;
            }
        }
    }
    Ok(EXIT_DONE)
}

fn read(file: &Path) -> Result<String, Error> {
    let text = |error: std::io::Error| Error::Usage(format!("{}: {error}", file.display()));
    let mut content = String::new();
    let opened = std::fs::File::open(file).map_err(text)?;
    opened.take(IMPORT_BYTES_MAX).read_to_string(&mut content).map_err(text)?;
    Ok(content)
}

fn check(store: &Store, clock: &Clock, out: &mut dyn Write) -> Result<u8, Error> {
    let findings = store.check(&clock.now());
    let mut wrong = 0;
    for finding in &findings {
        let mark = if finding.way_out.is_some() { "WRONG" } else { "ok   " };
        printed(writeln!(out, "{mark}  {}: {}", finding.subject, finding.text))?;
        if let Some(way_out) = &finding.way_out {
            wrong += 1;
            printed(writeln!(out, "       {way_out}"))?;
        }
    }
    let end = if wrong == 0 { "all is well".to_owned() } else { format!("{wrong} to look after") };
    printed(writeln!(out, "{end}"))?;
    Ok(if wrong == 0 { EXIT_DONE } else { EXIT_FAULTS })
}
