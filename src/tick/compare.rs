//! What one pass would do as things are, and what it would do after a change: the same reading judged twice. It sends,
//! saves and tells nothing.

use std::time::Duration;

use super::outstanding;
use crate::clock::Clock;
use crate::config::Config;
use crate::decide;
use crate::drivers;
use crate::lock;
use crate::model::{Decision, Override, SiteState, Snapshot};
use crate::store::{self, Loaded, Store};
use crate::units::Moment;

/// The longest time for reading the devices, whatever is configured: somebody waits for it.
const READ_MAX: Duration = Duration::from_secs(60);

/// Two decisions on the same reading.
#[derive(Debug)]
pub struct Compared {
    /// What was read.
    pub snapshot: Snapshot,
    /// Whether it was read just now; else a run is at work, the devices are left to it, and this is what the last run read.
    pub fresh: bool,
    /// What is remembered.
    pub state: SiteState,
    /// What a pass would do as things are.
    pub as_is: Decision,
    /// What it would do with the overrides as `change` leaves them.
    pub changed: Decision,
}

/// What a run would remember, without writing anything: whoever only looks may be another user than that of the runs.
pub(super) fn remembered(cfg: &Config, now: &Moment) -> Loaded {
    let looked = Store::look(&cfg.paths.data, &cfg.paths.page, now).unwrap_or_else(|why| {
        log::warn!("{why}");
        None
    });
    looked.unwrap_or_default()
}

/// Reads all devices and decides twice. While a run is at work the devices are left alone: one that takes a single
/// connection would fail that run.
pub fn compare(cfg: &Config, clock: &Clock, change: impl FnOnce(&mut Vec<Override>)) -> Compared {
    let loaded = remembered(cfg, &clock.now());
    let state = loaded.state.unwrap_or_else(|| SiteState::boot(clock.now()));
    let busy = lock::holder_now(&cfg.paths.data.join("tick.lock")).is_some();
    let kept = if busy { store::read_snapshot(&cfg.paths.data) } else { None };
    let fresh = kept.is_none();
    let snapshot = kept.map_or_else(
        || drivers::sense(cfg, clock, cfg.tick.read_limit.duration().min(READ_MAX), &outstanding(&state)),
        |(snapshot, _)| snapshot,
    );
    // An older reading is judged as of its own time, or all of it would be too old.
    let now: Moment = if fresh { clock.now() } else { snapshot.at };
    let mut overrides = loaded.overrides;
    let as_is = decide::decide(cfg, &state, &snapshot, &overrides, &now);
    change(&mut overrides);
    let changed = decide::decide(cfg, &state, &snapshot, &overrides, &now);
    Compared { snapshot, fresh, state, as_is, changed }
}
