//! The climate machine: where the intake temperature stands, and which fan stage it asks for.
//!
//! | band | intake temperature |
//! | --- | --- |
//! | unknown | no trustworthy reading |
//! | cold | below `resume_min` |
//! | normal | up to `resume_below` |
//! | warm | above `resume_below` |
//! | hot | at or above `shed_above` |
//! | critical | at or above `critical_above` |
//!
//! Shedding begins at `shed_above` and ends only at or below `resume_below`; an unknown temperature ends nothing.

use super::Report;
use super::judge::{Inputs, Quality};
use crate::config::{Config, FanRules};
use crate::model::{Band, EventKind, SiteState};
use crate::units::{Moment, Temperature};

/// One pass of the machine.
pub(super) fn step(cfg: &Config, next: &mut SiteState, inputs: &Inputs, now: &Moment, report: &mut Report) {
    let intake = inputs.intake.value();
    let limits = &cfg.climate;
    let band = match intake {
        None => Band::Unknown,
        Some(t) if t >= limits.critical_above => Band::Critical,
        Some(t) if t >= limits.shed_above => Band::Hot,
        Some(t) if t > limits.resume_below => Band::Warm,
        Some(t) if t < limits.resume_min => Band::Cold,
        Some(_) => Band::Normal,
    };
    let climate = &mut next.climate;
    if let Some(t) = intake {
        climate.trusted = Some(*now);
        climate.shedding = t >= limits.shed_above || (climate.shedding && t > limits.resume_below);
        climate.stage = stage(&cfg.fan_rules, climate.stage, t);
    }
    climate.intake = intake;
    let text = match &inputs.intake {
        Quality::Good(t) => format!("intake {t}"),
        Quality::Held(t, age) => format!("intake {t}, {age} old"),
        Quality::Bad(reason) => reason.clone(),
    };
    report.why("climate", format!("{}: {text}", band.word()));
    if band != climate.band {
        let from = climate.band.word();
        climate.band = band;
        climate.since = *now;
        report.event(now, EventKind::State, "climate", format!("{from} → {}: {text}", band.word()));
    }
}

/// The stage for a temperature: up at `above`, down only when `hysteresis` below it. `current` may be any number, as
/// after a lost state: too high a one counts as the highest.
fn stage(rules: &FanRules, current: usize, t: Temperature) -> usize {
    let reached = |t: f64| rules.stages.iter().rposition(|stage| t >= stage.above.value()).unwrap_or(0);
    let up = reached(t.value());
    let down = reached(t.value() + rules.hysteresis_k);
    current.min(rules.stages.len().saturating_sub(1)).clamp(up, down.max(up))
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
            step_time: Seconds(0),
            run_on: Seconds(0),
            off_room_above: Temperature::new(35.0).unwrap(),
            before_resume: 5,
            max_switchings_per_hour: 12,
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
