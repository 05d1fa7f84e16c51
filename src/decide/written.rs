//! Raw state by hand: a person writes the state of a machine. It is written once, before the machines step; from then on
//! the rules go on from there, in the same pass. What is measured, what is proven and why the miners must be off is never
//! written, so the interlocks hold all the same.

use super::Report;
use crate::config::Config;
use crate::model::{EventKind, Level, MinersPhase, Override, Rung, Setting, SiteState, WrittenPhase, WrittenState};
use crate::units::Moment;

/// Writes what was not written yet, each with its event, and forgets the overrides that are gone.
pub(super) fn apply(cfg: &Config, next: &mut SiteState, overrides: &[Override], now: &Moment, report: &mut Report) {
    next.written.retain(|target, _| overrides.iter().any(|over| over.setting.target() == *target));
    for over in overrides {
        let Setting::State(state) = over.setting else { continue };
        let before = next.written.insert(over.setting.target(), over.since);
        if before.is_some_and(|written| written.is(&over.since)) {
            continue;
        }
        let by = format!("by {}: {}", over.by, over.reason);
        // An override outlives the memory of having been written: what was lost is observed anew, not asserted.
        if next.last_pass.is_none() {
            let text = format!("{state} not written: nothing is remembered; set {by}");
            report.event(now, EventKind::Override, &over.setting.target(), text);
            continue;
        }
        let before = write(cfg, next, state, now);
        report.event(now, EventKind::State, state.machine(), format!("{before} → {state}: written by hand; set {by}"));
    }
}

/// Writes one state; returns what it was, in words.
fn write(cfg: &Config, next: &mut SiteState, state: WrittenState, now: &Moment) -> String {
    match state {
        WrittenState::Signal(level) => {
            let signal = &mut next.signal;
            let before = std::mem::replace(&mut signal.level, level);
            (signal.since, signal.run_readings) = (*now, 0);
            // Between the thresholds a hand's word is nothing to hold to: its override ends, the state would not.
            signal.by_hand = level == Level::Run;
            before.word().to_owned()
        }
        WrittenState::Climate { shedding } => {
            let before = std::mem::replace(&mut next.climate.shedding, shedding);
            WrittenState::Climate { shedding: before }.to_string()
        }
        WrittenState::Miners(phase) => {
            let after = phase_of(cfg, next, phase, now);
            if phase == WrittenPhase::Running && next.demand.reasons.is_empty() {
                next.call = None;
            }
            std::mem::replace(&mut next.miners.phase, after).word().to_owned()
        }
        WrittenState::FanStage(stage) => {
            let last = cfg.fan_rules.stages.len().saturating_sub(1);
            let after = usize::from(stage).saturating_sub(1).min(last);
            let before = std::mem::replace(&mut next.climate.stage, after);
            before.min(last).saturating_add(1).to_string()
        }
    }
}

fn phase_of(cfg: &Config, next: &SiteState, phase: WrittenPhase, now: &Moment) -> MinersPhase {
    match phase {
        WrittenPhase::Boot => MinersPhase::Boot,
        WrittenPhase::Running => MinersPhase::Running,
        WrittenPhase::Curtailing => {
            // A rung is never climbed down.
            let rung = match next.miners.phase {
                MinersPhase::Curtailing { rung, .. } => rung,
                MinersPhase::Fault { .. } => Rung::Bank,
                MinersPhase::Boot
                | MinersPhase::Running
                | MinersPhase::Curtailed { .. }
                | MinersPhase::Resuming { .. } => Rung::Foreman,
            };
            MinersPhase::Curtailing { since: *now, rung, rung_since: *now }
        }
        WrittenPhase::Curtailed => MinersPhase::Curtailed { since: *now },
        WrittenPhase::Fault => MinersPhase::Fault { since: *now },
        WrittenPhase::Resuming => {
            // Unknown watts count as all: the first group is late then, and not taken for started.
            let watts_before = next.miners.watts.unwrap_or_else(|| super::power::full_power(cfg, next));
            MinersPhase::Resuming { since: *now, group: 1, group_since: *now, watts_before }
        }
    }
}
