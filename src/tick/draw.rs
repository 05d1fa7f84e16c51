//! Step 10 of a run, and whatever else shows the site: what a drawing is made of, put together from what the run knows.

use super::{Run, calls, trends};
use crate::dashboard::{self, Input, Trends};
use crate::logging;
use crate::model::{Event, Reason, Snapshot};

/// Log lines and events on the page.
const PAGE_LINES: usize = 60;

impl Run<'_> {
    /// Draws the page; what fails is told.
    pub(super) fn draw(&mut self, snapshot: &Snapshot, reasons: &[Reason]) {
        let folder = &self.cfg.paths.page;
        let drawn = self.drawn(snapshot, reasons, true, |input| dashboard::draw(input, folder));
        if let Err(error) = drawn {
            log::error!("page: {error}");
            self.faults = true;
        }
    }

    /// What `write` makes of the site as it is now; without `trends` the history is not read.
    pub(super) fn drawn<T>(
        &self,
        snapshot: &Snapshot,
        reasons: &[Reason],
        trends: bool,
        write: impl FnOnce(&Input) -> T,
    ) -> T {
        let now = self.clock.now();
        let events: Vec<Event> = self.recent.iter().rev().take(PAGE_LINES).cloned().collect();
        let trends = match trends {
            true => trends::read(&self.cfg.paths.data.join("history"), now.wall),
            false => Trends::default(),
        };
        let log_tail = logging::tail(&self.cfg.paths.log, PAGE_LINES);
        let calls = calls::shown(self.cfg, &self.store, &self.state, &now);
        write(&Input {
            cfg: self.cfg,
            state: &self.state,
            snapshot: Some(snapshot),
            reasons,
            overrides: &self.overrides,
            events: &events,
            log_tail: &log_tail,
            trends: &trends,
            calls: &calls.finished,
            call: calls.running.as_ref(),
            now,
            next_due: now.wall.plus(self.cfg.loop_interval),
            test_clock: self.clock.is_test(),
            lost: &self.troubles,
        })
    }
}
