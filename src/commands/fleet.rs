//! `fleet`: the `status.json` of several sites in one table. It reads only, needs no configuration, and runs anywhere. It
//! judges no site: what a site says of itself is shown, and how old that is.

mod site;
mod table;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::printed;
use crate::cli::FleetArgs;
use crate::clock::Clock;
use crate::config::Secret;
use crate::error::Error;
use crate::http::read_ca_file;
use crate::units::UnixSeconds;

pub use site::{Seen, Verdict, read};

/// Sites that are looked at side by side.
const SITES_MAX: usize = 100;
/// The longest wait for a site. They are asked at once, so this is the longest for all.
const WAIT: Duration = Duration::from_secs(10);
/// The longest login that is read from its file.
const LOGIN_BYTES_MAX: u64 = 1024;

/// How sites are asked.
struct Asking {
    /// `user:password`, for HTTP Basic.
    login: Option<Secret>,
    /// PEM file of a private authority.
    ca_file: Option<std::path::PathBuf>,
    /// The present time here.
    now: UnixSeconds,
}

/// One site, as it is asked for and what came of it.
struct Row {
    /// Address or file, without a login.
    source: String,
    /// What it says, or why nothing is known, in words.
    seen: Result<Seen, String>,
}

/// Prints a row for each site, in the order given. The exit code is that of a monitor: 0, or 1 with a warning, 2 with an
/// emergency or a page that is too old, 3 with a site of which nothing is known and none worse. A site that cannot be
/// reached is a row.
pub fn fleet(args: &FleetArgs, out: &mut dyn Write) -> Result<u8, Error> {
    if args.sites.len() > SITES_MAX {
        return Err(Error::Usage(format!("these are {} sites; at most {SITES_MAX} are looked at", args.sites.len())));
    }
    if let Some(path) = &args.ca_file {
        read_ca_file(path).map_err(Error::Usage)?;
    }
    let login = args.login_file.as_deref().map(login).transpose()?;
    let now = Clock::from_environment().map_err(Error::Usage)?.now().wall;
    let asking = Asking { login, ca_file: args.ca_file.clone(), now };
    let rows = all(&args.sites, &asking);
    printed(if args.json { table::json(&rows, out) } else { table::text(&rows, out) })?;
    Ok(worst(&rows).exit_code())
}

/// `user:password` on the file's first line.
fn login(path: &Path) -> Result<Secret, Error> {
    let wrong = |cause: &str| Error::Usage(format!("--login-file {}: {cause}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| wrong(&error.to_string()))?.len();
    if length > LOGIN_BYTES_MAX {
        return Err(wrong("is too large for a login"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    let line = text.lines().next().unwrap_or_default().trim();
    let is_pair = line.split_once(':').is_some_and(|(user, _)| !user.is_empty());
    if is_pair { Ok(Secret::new(line)) } else { Err(wrong("its first line must be `user:password`")) }
}

/// Asks all at once: the slowest sets the time.
fn all(sources: &[String], asking: &Asking) -> Vec<Row> {
    let stopped = || Err("the look stopped with an internal error".to_owned());
    std::thread::scope(|scope| {
        let looks: Vec<_> = sources
            .iter()
            .map(|source| std::thread::Builder::new().spawn_scoped(scope, || site::look(source, asking, WAIT)))
            .collect();
        let seen = looks.into_iter().map(|look| look.ok().and_then(|look| look.join().ok()).unwrap_or_else(stopped));
        sources.iter().zip(seen).map(|(source, seen)| Row { source: site::shown(source), seen }).collect()
    })
}

impl Row {
    fn verdict(&self) -> Verdict {
        self.seen.as_ref().map_or(Verdict::Unknown, Seen::verdict)
    }
}

fn worst(rows: &[Row]) -> Verdict {
    rows.iter().map(Row::verdict).max().unwrap_or(Verdict::Unknown)
}
