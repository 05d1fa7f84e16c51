//! What is kept of the last run, put together for a drawing: for `status`, its check, and the debug page. It reads no
//! device and changes nothing.

use crate::clock::Clock;
use crate::config::Config;
use crate::dashboard::{Input, Trends};
use crate::error::Error;
use crate::model::{Event, Override, Reason, SiteState, Snapshot};
use crate::store::{self, Store};
use crate::tick;
use crate::units::{Moment, Seconds};

/// Owns what an [`Input`] borrows.
pub(super) struct Seen {
    /// What is remembered.
    pub(super) state: SiteState,
    /// Overrides, those that have run out included.
    pub(super) overrides: Vec<Override>,
    /// What the last run read, and why it decided so; `None` when that file cannot be read.
    pub(super) read: Option<(Snapshot, Vec<Reason>)>,
    /// The present moment.
    pub(super) now: Moment,
    events: Vec<Event>,
    calls: tick::Shown,
    trends: Trends,
    troubles: Vec<String>,
    test_clock: bool,
}

impl Seen {
    /// Loads it, with so many of the last events. `Err` before the first run.
    pub(super) fn look(cfg: &Config, clock: &Clock, events_max: usize) -> Result<Seen, Error> {
        let now = clock.now();
        let store = Store::with_refuge(&cfg.paths.data, &cfg.paths.page);
        let mut loaded = store.load(&now);
        let Some(state) = loaded.state.take() else {
            return Err(Error::Usage("no run has been made yet; start one with `minectl tick`".to_owned()));
        };
        let events = store.events(now.wall.minus(Seconds(7 * 86_400)), events_max).unwrap_or_else(|error| {
            loaded.troubles.push(error);
            Vec::new()
        });
        Ok(Seen {
            calls: tick::shown_calls(cfg, &store, &state, &now),
            read: store::read_snapshot(&cfg.paths.data),
            overrides: loaded.overrides,
            troubles: loaded.troubles,
            trends: Trends::default(),
            test_clock: clock.is_test(),
            state,
            events,
            now,
        })
    }

    /// The same for a drawing.
    pub(super) fn input<'a>(&'a self, cfg: &'a Config) -> Input<'a> {
        let last = self.state.last_pass.unwrap_or(self.now);
        Input {
            cfg,
            state: &self.state,
            snapshot: self.read.as_ref().map(|(snapshot, _)| snapshot),
            reasons: self.read.as_ref().map_or(&[], |(_, reasons)| reasons.as_slice()),
            overrides: &self.overrides,
            events: &self.events,
            log_tail: &[],
            trends: &self.trends,
            calls: &self.calls.finished,
            call: self.calls.running.as_ref(),
            now: self.now,
            next_due: last.wall.plus(cfg.loop_interval),
            test_clock: self.test_clock,
            lost: &self.troubles,
        }
    }
}
