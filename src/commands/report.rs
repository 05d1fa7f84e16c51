//! `status` and `events`: what is kept, for people and programs.

use std::io::{IsTerminal, Write};

use jiff::tz::TimeZone;

use super::printed;
use super::seen::Seen;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::model::SiteState;
use crate::store::Store;
use crate::units::{Seconds, UnitError, UnixSeconds};

/// Events shown by `status`.
const STATUS_EVENTS: usize = 10;
/// Characters in a line where there is no terminal.
const WIDTH_ELSE: usize = 100;
/// Events printed at most.
const EVENTS_MAX: usize = 20_000;

/// Prints the state of the site as of the last run: as JSON, or for people, on a terminal in colour.
pub fn status(cfg: &Config, clock: &Clock, json: bool, out: &mut dyn Write) -> Result<(), Error> {
    let seen = Seen::look(cfg, clock, STATUS_EVENTS)?;
    let width = terminal_width().unwrap_or(WIDTH_ELSE);
    if !json && last_run_is_late(cfg, &seen.state, clock) {
        let last = seen.state.last_pass.unwrap_or(seen.now);
        let age = seen.now.since(&last);
        printed(writeln!(out, "THE LAST RUN IS {age} OLD; one is due every {}\n", cfg.loop_interval))?;
    }
    printed(super::status::status(&seen.input(cfg), out, json, wants_colour(), width))
}

/// A terminal does, unless `NO_COLOR` is set.
fn wants_colour() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !plain
}

/// The width that lines are folded to: as `COLUMNS` says (`watch` sets it), else as the terminal is.
fn terminal_width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let size = || rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col));
    told.or_else(size).filter(|width| *width > 0)
}

fn last_run_is_late(cfg: &Config, state: &SiteState, clock: &Clock) -> bool {
    let age = state.last_pass.map_or(Seconds(u64::MAX), |last| clock.now().since(&last));
    age.0 > cfg.loop_interval.0.saturating_mul(2)
}

fn span(option: &str, text: &str) -> Result<Seconds, Error> {
    text.parse().map_err(|error: UnitError| Error::Usage(format!("{option}: {error}")))
}

/// Prints what happened, oldest first.
pub fn events(cfg: &Config, clock: &Clock, since: &str, as_json: bool, out: &mut dyn Write) -> Result<(), Error> {
    let since = clock.now().wall.minus(span("--since", since)?);
    let store = Store::new(&cfg.paths.data).map_err(Error::Storage)?;
    let mut events = store.events(since, EVENTS_MAX).map_err(Error::Storage)?;
    events.reverse();
    let mut print = || -> std::io::Result<()> {
        for event in &events {
            if as_json {
                serde_json::to_writer(&mut *out, event)?;
                writeln!(out)?;
            } else {
                writeln!(out, "{}  {:<8} {}: {}", local(cfg, event.at), event.kind.word(), event.subject, event.text)?;
            }
        }
        Ok(())
    };
    printed(print())
}

/// A time in the site's zone.
pub(super) fn local(cfg: &Config, at: UnixSeconds) -> String {
    let zone = TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC);
    let time = jiff::Timestamp::from_second(at.0).unwrap_or_default();
    time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
