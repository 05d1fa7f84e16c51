//! The climate machine: where the intake temperature stands, whether it is so hot, or rises so fast, that the miners are
//! shed, and which fan stage it asks for.
//!
//! | from | to | when |
//! | --- | --- | --- |
//! | any | unknown | no intake probe can be trusted |
//! | any | cold | below `resume_min` |
//! | any | normal | from `resume_min` to `resume_below` |
//! | any | warm | above `resume_below` |
//! | any | hot | at or above `shed_above` |
//! | any | critical | at or above `critical_above` |
//!
//! A band is left downwards only the fans' `hysteresis` below its limit, and Cold only that much above its own.
//! Shedding begins at `shed_above`, or when a rise of at least `shed_rise` a minute would reach it before the next run;
//! it ends at or below `resume_below` with no such rise. An unknown temperature ends nothing.

use super::Report;
use super::judge::{Inputs, Quality};
use super::table::{Row, table};
use crate::config::{Config, FanRules};
use crate::model::{Band, EventKind, MinersPhase, SiteState};
use crate::units::{Moment, Seconds, Temperature};

table! {
    UNKNOWN = "any", "unknown", "no intake probe can be trusted";
    COLD = "any", "cold", "below `resume_min`";
    NORMAL = "any", "normal", "from `resume_min` to `resume_below`";
    WARM = "any", "warm", "above `resume_below`";
    HOT = "any", "hot", "at or above `shed_above`";
    CRITICAL = "any", "critical", "at or above `critical_above`";
}

/// The rate of rise is taken over at least this time, so that a step of the sensor's last digit is no rise.
const RISE_OVER: Seconds = Seconds(60);
/// Readings older than this, and more of them than that, are not kept for the rate of rise.
const RECENT_FOR: Seconds = Seconds(300);
const RECENT_MAX: usize = 12;

/// One pass of the machine.
pub(super) fn step(cfg: &Config, next: &mut SiteState, inputs: &Inputs, now: &Moment, report: &mut Report) {
    let intake = inputs.intake.value();
    let row = band_row(cfg, next.climate.band, intake);
    let band = band_of(row);
    keep_recent(cfg, next, inputs, now);
    let rise = rise(cfg, next, now);
    if let Some(t) = intake {
        next.climate.trusted = Some(*now);
        next.climate.shedding = sheds(cfg, next, t, rise.as_ref());
        next.climate.stage = stage(&cfg.fan_rules, next.climate.stage, t);
    }
    next.climate.rising = next.climate.shedding && rise.is_some();
    next.climate.intake = intake;
    let text = match &inputs.intake {
        Quality::Good(t) => format!("intake {t}, miners off at {}", cfg.climate.shed_above),
        Quality::Held(t, age) => format!("intake {t}, {age} old, miners off at {}", cfg.climate.shed_above),
        Quality::Bad(reason) => reason.clone(),
    };
    report.why("climate", format!("{}: {text}", band.word()));
    if let Some(Rise { probe, per_minute }) = &rise {
        let fahrenheit = per_minute * 1.8;
        let text = format!("{probe} rises {fahrenheit:.1} °F ({per_minute:.1} K) a minute: hot before the next run");
        report.why("climate", text);
    }
    let climate = &mut next.climate;
    if band != climate.band {
        let from = climate.band.word();
        climate.band = band;
        climate.since = *now;
        report.event(now, EventKind::State, "climate", format!("{from} → {}: {}; {text}", row.to, row.when));
    }
}

/// The band of a temperature; from `current` downwards only the hysteresis below its limit, and out of Cold only that
/// much above it.
fn band_row(cfg: &Config, current: Band, intake: Option<Temperature>) -> Row {
    let Some(t) = intake else { return UNKNOWN };
    let limits = &cfg.climate;
    let k = cfg.fan_rules.hysteresis_k;
    let stays = |band: Band, limit: Temperature| current >= band && t.value() > limit.value() - k;
    if t >= limits.critical_above || stays(Band::Critical, limits.critical_above) {
        CRITICAL
    } else if t >= limits.shed_above || stays(Band::Hot, limits.shed_above) {
        HOT
    } else if t > limits.resume_below || stays(Band::Warm, limits.resume_below) {
        WARM
    } else if t < limits.resume_min || (current == Band::Cold && t.value() < limits.resume_min.value() + k) {
        COLD
    } else {
        NORMAL
    }
}

fn band_of(row: Row) -> Band {
    let bands = [Band::Unknown, Band::Cold, Band::Normal, Band::Warm, Band::Hot, Band::Critical];
    bands.into_iter().find(|band| band.word() == row.to).unwrap_or(Band::Unknown)
}

fn sheds(cfg: &Config, next: &SiteState, t: Temperature, rise: Option<&Rise>) -> bool {
    let limits = &cfg.climate;
    // With the miners proven off there is nothing left to shed, unless they are waking up.
    let may_wake = matches!(next.miners.phase, MinersPhase::Resuming { .. } | MinersPhase::Running);
    let rises = rise.is_some() && (next.miners.proven_off.is_none() || may_wake);
    t >= limits.shed_above || rises || (next.climate.shedding && t > limits.resume_below)
}

/// A probe that rises too fast.
struct Rise {
    probe: String,
    per_minute: f64,
}

/// Whether an intake probe rises so fast that it is hot before the next run.
pub(super) fn rises(cfg: &Config, next: &SiteState, now: &Moment) -> bool {
    rise(cfg, next, now).is_some()
}

/// The steepest rise of an intake probe that is at least `shed_rise` a minute and would reach `shed_above` within the next
/// interval.
fn rise(cfg: &Config, next: &SiteState, now: &Moment) -> Option<Rise> {
    let minutes = cfg.loop_interval.0 as f64 / 60.0;
    let mut steepest: Option<Rise> = None;
    for (probe, recent) in &next.climate.recent {
        let Some(last) = recent.last().filter(|last| now.since(&last.at) < RISE_OVER) else { continue };
        let Some(first) = recent.iter().rev().find(|first| last.at.since(&first.at) >= RISE_OVER) else { continue };
        let per_minute = (last.value.value() - first.value.value()) * 60.0 / last.at.since(&first.at).0 as f64;
        let reaches = last.value.value() + per_minute * minutes >= cfg.climate.shed_above.value();
        let is_steeper = steepest.as_ref().is_none_or(|known| per_minute > known.per_minute);
        if reaches && per_minute >= cfg.climate.shed_rise_k && is_steeper {
            steepest = Some(Rise { probe: probe.clone(), per_minute });
        }
    }
    steepest
}

/// Keeps the readings of the intake probes that were made in this pass; one set by hand is no rise.
fn keep_recent(cfg: &Config, next: &mut SiteState, inputs: &Inputs, now: &Moment) {
    let intake: Vec<&str> = cfg.intake_probes().collect();
    let climate = &mut next.climate;
    climate.recent.retain(|probe, _| intake.contains(&probe.as_str()));
    let read_now = climate.probes.iter().filter(|(name, good)| good.at == *now && intake.contains(&name.as_str()));
    // Under a value set by hand the probe's own says nothing.
    let counts = |probe: &str, t: Temperature| inputs.probes.get(probe).and_then(Quality::value) == Some(t);
    for (probe, good) in read_now.filter(|(probe, good)| counts(probe, good.value)) {
        let recent = climate.recent.entry(probe.clone()).or_default();
        recent.retain(|old| now.since(&old.at) <= RECENT_FOR);
        // Two readings of one moment, as after a clock that was set back, say nothing about a rise.
        if recent.last().is_none_or(|last| now.since(&last.at).0 > 0) {
            recent.push(good.clone());
        }
        let surplus = recent.len().saturating_sub(RECENT_MAX);
        recent.drain(..surplus);
    }
}

/// The fan stage for a temperature; `current` may be any number, as after a lost state: too high a one counts as the
/// highest.
fn stage(rules: &FanRules, current: usize, t: Temperature) -> usize {
    let above: Vec<Temperature> = rules.stages.iter().map(|stage| stage.above).collect();
    with_hysteresis(&above, rules.hysteresis_k, current, t)
}

/// The last of the ascending limits that a temperature reaches: up at the limit, down only `hysteresis_k` kelvin below it.
pub(super) fn with_hysteresis(above: &[Temperature], hysteresis_k: f64, current: usize, t: Temperature) -> usize {
    let reached = |t: f64| above.iter().rposition(|above| t >= above.value()).unwrap_or(0);
    let up = reached(t.value());
    let down = reached(t.value() + hysteresis_k);
    current.min(above.len().saturating_sub(1)).clamp(up, down.max(up))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FanStage;
    use crate::units::{Seconds, Watts};

    fn rules() -> FanRules {
        let stage = |above, run| FanStage { above: Temperature::new(above).unwrap(), run };
        FanRules {
            on_above: Watts::ZERO,
            off_below: Watts::ZERO,
            prove_within: Seconds(0),
            stages: vec![stage(-40.0, 3), stage(15.0, 5), stage(25.0, 7), stage(30.0, 9)],
            hysteresis_k: 2.0,
            min_running: 3,
            min_switch_time: Seconds(0),
            settle_time: Seconds(1800),
            step_time: Seconds(0),
            run_on: Seconds(0),
            off_room_above: Temperature::new(35.0).unwrap(),
            before_resume: 5,
            max_switchings_per_hour: 12,
            capacity: Vec::new(),
            rotate_after: Seconds(86_400),
        }
    }

    fn at(current: usize, celsius: f64) -> usize {
        stage(&rules(), current, Temperature::new(celsius).unwrap())
    }

    #[test]
    fn a_stage_is_entered_at_its_temperature_and_not_below() {
        assert_eq!(at(1, 24.9), 1);
        assert_eq!(at(1, 25.0), 2);
        assert_eq!(at(0, 40.0), 3, "several stages at once");
    }

    #[test]
    fn a_stage_is_left_only_below_its_hysteresis() {
        assert_eq!(at(2, 23.0), 2);
        assert_eq!(at(2, 22.9), 1);
        assert_eq!(at(3, 10.0), 0, "several stages at once");
    }

    #[test]
    fn a_lost_stage_counts_as_the_highest() {
        assert_eq!(at(usize::MAX, 29.0), 3);
        assert_eq!(at(usize::MAX, 27.9), 2);
    }

    #[test]
    fn below_the_lowest_stage_the_lowest_holds() {
        assert_eq!(at(3, -54.0), 0);
    }
}
