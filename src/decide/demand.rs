//! The demand machine: the set of reasons why miners must be off. They may run only when it is empty.
//!
//! | reason | begins when | ends when |
//! | --- | --- | --- |
//! | curtail | the signal says curtail | the signal says run |
//! | blind | the signal is blind with `when_blind = "curtail"` | the signal can be read |
//! | held-off | a person holds the miners off | the hold is cleared or runs out |
//! | too-hot | the intake is at `shed_above`, or about to be | the intake is down to `resume_below` |
//! | temperature-lost | no intake temperature for `lost_limit` | an intake temperature is read |
//! | too-few-fans | fewer than `min_running` fans, or too few for one group | enough fans run, or the miners are proven off |
//! | switch-alarm | a switch with `stops_mine` is in alarm | every such switch is read as normal |

use std::collections::BTreeSet;

use super::Report;
use super::judge::Inputs;
use super::table::{Row, table};
use crate::config::{Config, WhenBlind};
use crate::model::{Band, EventKind, Level, OffReason, Override, Setting, SiteState};
use crate::units::Moment;

table! {
    CURTAIL = "curtail", "the signal says curtail", "the signal says run";
    BLIND = "blind", "the signal is blind with `when_blind = \"curtail\"`", "the signal can be read";
    HELD_OFF = "held-off", "a person holds the miners off", "the hold is cleared or runs out";
    TOO_HOT = "too-hot", "the intake is at `shed_above`, or about to be", "the intake is down to `resume_below`";
    TEMPERATURE_LOST = "temperature-lost", "no intake temperature for `lost_limit`", "an intake temperature is read";
    TOO_FEW_FANS = "too-few-fans", "fewer than `min_running` fans, or too few for one group", "enough fans run, or the miners are proven off";
    SWITCH_ALARM = "switch-alarm", "a switch with `stops_mine` is in alarm", "every such switch is read as normal";
}

/// One pass of the machine.
pub(super) fn step(
    cfg: &Config,
    next: &mut SiteState,
    inputs: &Inputs,
    overrides: &[Override],
    now: &Moment,
    report: &mut Report,
) {
    let mut reasons = BTreeSet::new();
    signal_reasons(cfg, next, overrides, now, &mut reasons);
    if held_off(overrides) {
        reasons.insert(OffReason::HeldOff);
    }
    if next.climate.shedding || next.climate.band == Band::Critical {
        reasons.insert(OffReason::TooHot);
    }
    let lost_since = next.climate.trusted.unwrap_or(next.climate.since);
    if next.climate.band == Band::Unknown && now.since(&lost_since) >= cfg.climate.lost_limit {
        reasons.insert(OffReason::TemperatureLost);
    }
    if too_few_fans(cfg, next, inputs, now) || all_groups_shed(cfg, next) {
        reasons.insert(OffReason::TooFewFans);
    }
    if switch_alarm(cfg, next, inputs) {
        reasons.insert(OffReason::SwitchAlarm);
    }
    conclude(cfg, next, reasons, inputs, now, report);
}

fn conclude(
    cfg: &Config,
    next: &mut SiteState,
    reasons: BTreeSet<OffReason>,
    inputs: &Inputs,
    now: &Moment,
    report: &mut Report,
) {
    let words = |set: &BTreeSet<OffReason>| {
        if set.is_empty() {
            return "miners may run".to_owned();
        }
        let all: Vec<&str> = set.iter().map(|reason| reason.sentence()).collect();
        format!("miners must be off: {}", all.join("; "))
    };
    report.why("demand", words(&reasons));
    for reason in &reasons {
        let seen = seen(cfg, next, inputs, *reason);
        report.why("demand", format!("{}: {seen}; until {}", reason.sentence(), row(*reason).when));
    }
    if reasons != next.demand.reasons {
        report.event(now, EventKind::State, "demand", words(&reasons));
        if reasons.is_empty() != next.demand.reasons.is_empty() {
            next.demand.since = *now;
        }
        next.demand.reasons = reasons;
    }
}

fn row(reason: OffReason) -> Row {
    match reason {
        OffReason::Curtail => CURTAIL,
        OffReason::Blind => BLIND,
        OffReason::HeldOff => HELD_OFF,
        OffReason::TooHot => TOO_HOT,
        OffReason::TemperatureLost => TEMPERATURE_LOST,
        OffReason::TooFewFans => TOO_FEW_FANS,
        OffReason::SwitchAlarm => SWITCH_ALARM,
    }
}

/// The reading and the limit behind a reason.
fn seen(cfg: &Config, next: &SiteState, inputs: &Inputs, reason: OffReason) -> String {
    match reason {
        OffReason::Curtail | OffReason::Blind => next.signal.why.clone(),
        OffReason::HeldOff => "`minectl clear miners` ends it".to_owned(),
        OffReason::TooHot => {
            let limits = &cfg.climate;
            let intake = next.climate.intake.map_or("not known".to_owned(), |t| t.to_string());
            let rising = if next.climate.rising { ", rising so fast that it is hot before the next run" } else { "" };
            format!("intake {intake}{rising}, off at {}, back at {}", limits.shed_above, limits.resume_below)
        }
        OffReason::TemperatureLost => format!("limit {}", cfg.climate.lost_limit),
        OffReason::TooFewFans => {
            let proven = super::miners::proven_fans(next);
            let budget = next.demand.allowed.map_or(String::new(), |allowed| format!(", which cool {allowed}"));
            format!("{proven} fans proven running{budget}; {} drawn", inputs.known_watts())
        }
        OffReason::SwitchAlarm => {
            let stops_mine = cfg.rooms.iter().flat_map(|room| &room.switches).filter(|switch| switch.stops_mine);
            let word = |read: Option<bool>| match read {
                Some(true) => "in alarm",
                Some(false) => "normal",
                None => "not read",
            };
            let shown =
                stops_mine.map(|s| format!("{} {}", s.name, word(inputs.switches.get(&s.name).copied().flatten())));
            shown.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Curtail, and Blind where the configuration says so. A signal that was never read counts as Blind only after its
/// limit, so that a first run does not curtail before it has read the page.
fn signal_reasons(
    cfg: &Config,
    next: &SiteState,
    overrides: &[Override],
    now: &Moment,
    reasons: &mut BTreeSet<OffReason>,
) {
    if run_against_signal(overrides) {
        return;
    }
    let signal = &next.signal;
    let never_read = signal.last_good.is_none() && !overrides.iter().any(|o| matches!(o.setting, Setting::Signal(_)));
    match signal.level {
        Level::Run => {}
        Level::Curtail => {
            reasons.insert(OffReason::Curtail);
        }
        Level::Blind if never_read && now.since(&signal.since) <= cfg.signal.max_age => {}
        Level::Blind => match cfg.signal.when_blind {
            WhenBlind::Curtail => {
                reasons.insert(OffReason::Blind);
            }
            // As they are: what was curtailed stays so, and so does what the page said last under a hand.
            WhenBlind::Hold
                if next.demand.reasons.contains(&OffReason::Curtail) || signal.page == Some(Level::Curtail) =>
            {
                reasons.insert(OffReason::Curtail);
            }
            WhenBlind::Hold => {}
        },
    }
}

/// Whether a switch stops the mine. Once it did, only a reading of every such switch as normal ends it: a fire that took
/// the unit does not.
fn switch_alarm(cfg: &Config, next: &SiteState, inputs: &Inputs) -> bool {
    let stops_mine = cfg.rooms.iter().flat_map(|room| &room.switches).filter(|switch| switch.stops_mine);
    let mut read = stops_mine.map(|switch| inputs.switches.get(&switch.name).copied().flatten());
    if next.demand.reasons.contains(&OffReason::SwitchAlarm) {
        read.any(|value| value != Some(false))
    } else {
        read.any(|value| value == Some(true))
    }
}

fn held_off(overrides: &[Override]) -> bool {
    overrides.iter().any(|over| matches!(over.setting, Setting::Miners { on: false, .. }))
}

/// Whether a person said that the miners run although the signal says off.
pub(super) fn run_against_signal(overrides: &[Override]) -> bool {
    overrides.iter().any(|over| matches!(over.setting, Setting::Miners { on: true, against_signal: true }))
}

/// Whether the airflow budget keeps every group off; it lasts until the miners are proven off.
fn all_groups_shed(cfg: &Config, next: &SiteState) -> bool {
    next.miners.shed_groups >= cfg.miners.resume_groups && next.miners.proven_off.is_none()
}

/// Whether fewer fans than `min_running` are believed running while miners draw power, for longer than it takes to
/// prove a replacement. A fan whose watts cannot be read counts when its relay lets it run: the loss of the meter alone
/// starts every fan and raises an alarm, but does not stop a mine whose intake is cool.
fn too_few_fans(cfg: &Config, next: &mut SiteState, inputs: &Inputs, now: &Moment) -> bool {
    let believed = super::fans::believed(next);
    let enough = believed >= usize::from(cfg.fan_rules.min_running);
    let held = next.demand.reasons.contains(&OffReason::TooFewFans);
    // Power that cannot be read counts as drawn.
    let drawing = inputs.miner_watts().is_none_or(|watts| watts >= cfg.miners.on_above) || held;
    // With the miners proven off the number of fans says nothing; I3 asks for fans again before they resume.
    if enough || !drawing || next.miners.proven_off.is_some() {
        next.demand.too_few_since = None;
        return false;
    }
    let since = *next.demand.too_few_since.get_or_insert(*now);
    held || now.since(&since) >= cfg.fan_rules.replaced_within()
}
