//! `db`: look at what is stored, make it small, take it out and put it back.

use std::io::{BufWriter, Read, Write};
use std::path::Path;

use super::printed;
use crate::cli::DbCommand;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{EXIT_DONE, EXIT_FAULTS, EXIT_UNREADABLE, Error};
use crate::lock::{self, NotTaken};
use crate::store::Store;

/// The largest export that is read.
const IMPORT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Carries out a subcommand of `db`. The exit code of `check` is 1 when something is wrong, and 6 when a run of this program
/// would go on without stored data: by that `update.sh` knows whether a program can be gone back to.
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
    let is_lost = findings.iter().any(|finding| finding.is_lost);
    let (end, code) = match wrong {
        0 => ("all is well".to_owned(), EXIT_DONE),
        _ if is_lost => (format!("{wrong} to look after; a run of this program would go on without"), EXIT_UNREADABLE),
        _ => (format!("{wrong} to look after"), EXIT_FAULTS),
    };
    printed(writeln!(out, "{end}"))?;
    Ok(code)
}
