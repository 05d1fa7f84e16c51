//! The calls of a run: the record of one that ended is kept in its file, and those to be shown are gathered.

use super::Run;
use crate::config::Config;
use crate::decide;
use crate::model::{CallRecord, SiteState};
use crate::store::{self, Store};
use crate::units::Moment;

/// Calls that are over and shown, beside all of this month.
const SHOWN: usize = 10;
/// Records that wait for a disk; more than this many calls do not end while one is full.
const UNKEPT_MAX: usize = 20;

/// The calls that page and status show.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Shown {
    /// Calls that are over, oldest first: those of this month, and at least the last ten.
    pub finished: Vec<CallRecord>,
    /// The one that is going on.
    pub running: Option<CallRecord>,
}

/// Gathers the calls to be shown. A file that cannot be read leaves the others; `minectl report` says which it is.
pub fn shown(cfg: &Config, store: &Store, state: &SiteState, now: &Moment) -> Shown {
    let month = store::month(&cfg.time_zone, now.wall);
    let calls = store::last_calls(&store.calls_folder(), &month, SHOWN);
    let mut finished = calls.records;
    let unkept: Vec<CallRecord> =
        state.calls_unkept.iter().filter(|call| finished.iter().all(|kept| kept.seen != call.seen)).cloned().collect();
    finished.extend(unkept);
    finished.sort_by_key(|call| call.seen);
    Shown { finished, running: decide::so_far(cfg, state, now) }
}

impl Run<'_> {
    /// Takes over the record of a call that ended.
    pub(super) fn take_call(&mut self, finished: Option<&CallRecord>) {
        self.state.calls_unkept.extend(finished.cloned());
        let over = self.state.calls_unkept.len().saturating_sub(UNKEPT_MAX);
        for lost in self.state.calls_unkept.drain(..over) {
            log::error!("the record of the call at {} s is lost: no disk took it", lost.seen.0);
        }
    }

    /// Writes the records that wait; what the disk does not take waits for the next run, in the state.
    pub(super) fn keep_calls(&mut self, now: &Moment) {
        let folder = self.store.calls_folder();
        for record in std::mem::take(&mut self.state.calls_unkept) {
            let month = store::month(&self.cfg.time_zone, record.seen);
            if let Err(error) = store::append_call(&folder, &month, &record) {
                self.trouble(&format!("calls: {error}"), now);
                self.state.calls_unkept.push(record);
            }
        }
    }
}
