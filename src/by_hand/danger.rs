//! Which commands by message ask for a code: whatever may cost a missed call or heat. A step towards the safe side never does:
//! nobody may have to wait for a code with the mine in trouble.

use crate::model::{Level, OffReason, Override, Setting, SiteState};

/// Why setting this may cost something; `None` for what is on the safe side.
pub(super) fn of_setting(setting: &Setting) -> Option<&'static str> {
    match setting {
        Setting::Signal(Level::Curtail) | Setting::Miners { on: false, .. } | Setting::Fan { on: true, .. } => None,
        Setting::Signal(Level::Run | Level::Blind) => Some("the page is not heeded meanwhile: a call may be missed"),
        Setting::Miners { on: true, .. } => Some("miners may run during a call"),
        Setting::Fan { on: false, .. } => Some("the container may get hot"),
        Setting::Temperature { .. } | Setting::Humidity { .. } => {
            Some("the true value is not heeded: heat may go unseen")
        }
        Setting::FanWatts { .. } => Some("the true value is not heeded: a dead fan may go unseen"),
        Setting::MinerWatts { .. } => Some("the true value is not heeded: running miners may go unseen"),
        Setting::Switch { .. } => Some("the true switch is not heeded"),
        Setting::State(_) => Some("the rules go on from a state that was not seen"),
        Setting::Drill(_) => Some("a miner and a fan are switched off for some minutes"),
    }
}

/// Why ending this override may cost something: it kept the miners off, or a fan on, while there may be a reason to.
pub(super) fn of_clearing(state: &SiteState, over: &Override) -> Option<&'static str> {
    match &over.setting {
        Setting::Signal(Level::Curtail) => Some("the page decides again, and may let the miners run"),
        Setting::Miners { on: false, .. } => {
            is_held_by_more(state).then_some("a call is on, or the signal does not say run")
        }
        Setting::Fan { on: true, .. } => Some("the rules may stop the fan"),
        Setting::Signal(_)
        | Setting::Miners { .. }
        | Setting::Fan { .. }
        | Setting::Temperature { .. }
        | Setting::Humidity { .. }
        | Setting::FanWatts { .. }
        | Setting::MinerWatts { .. }
        | Setting::Switch { .. }
        | Setting::State(_)
        | Setting::Drill(_) => None,
    }
}

/// Whether anything else than the hold itself keeps the miners off.
fn is_held_by_more(state: &SiteState) -> bool {
    state.signal.level != Level::Run || state.demand.reasons.iter().any(|reason| *reason != OffReason::HeldOff)
}
