//! `status` and `events`: what is kept, for people and programs.

use std::io::Write;

use jiff::tz::TimeZone;

use super::printed;
use crate::clock::Clock;
use crate::config::Config;
use crate::dashboard::{Input, Trends};
use crate::error::Error;
use crate::model::SiteState;
use crate::store::{self, Store};
use crate::tick;
use crate::units::{Seconds, UnitError, UnixSeconds};

/// Events shown by `status`.
const STATUS_EVENTS: usize = 10;
/// Events printed at most.
const EVENTS_MAX: usize = 20_000;

/// Prints the state of the site as of the last run.
pub fn status(cfg: &Config, clock: &Clock, json: bool, colour: bool, out: &mut dyn Write) -> Result<(), Error> {
    let now = clock.now();
    let store = Store::with_refuge(&cfg.paths.data, &cfg.paths.page);
    let mut loaded = store.load(&now);
    let Some(state) = loaded.state.take() else {
        return Err(Error::Usage("no run has been made yet; start one with `minectl tick`".to_owned()));
    };
    let events = store.events(now.wall.minus(Seconds(7 * 86_400)), STATUS_EVENTS).unwrap_or_else(|error| {
        loaded.troubles.push(error);
        Vec::new()
    });
    let last = state.last_pass.unwrap_or(now);
    let calls = tick::shown_calls(cfg, &store, &state, &now);
    let read = store::read_snapshot(&cfg.paths.data);
    let input = Input {
        cfg,
        state: &state,
        snapshot: read.as_ref().map(|(snapshot, _)| snapshot),
        reasons: read.as_ref().map_or(&[], |(_, reasons)| reasons.as_slice()),
        overrides: &loaded.overrides,
        events: &events,
        log_tail: &[],
        trends: &Trends::default(),
        calls: &calls.finished,
        call: calls.running.as_ref(),
        now,
        next_due: last.wall.plus(cfg.loop_interval),
        test_clock: clock.is_test(),
        lost: &loaded.troubles,
    };
    let width = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    if !json && last_run_is_late(cfg, &state, clock) {
        printed(writeln!(out, "THE LAST RUN IS {} OLD; one is due every {}\n", now.since(&last), cfg.loop_interval))?;
    }
    printed(super::status::status(&input, out, json, colour, width))
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
fn local(cfg: &Config, at: UnixSeconds) -> String {
    let zone = TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC);
    let time = jiff::Timestamp::from_second(at.0).unwrap_or_default();
    time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
