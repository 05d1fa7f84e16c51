//! Reads the rules: `[fans]`, `[climate]`, `[miners]`, and that their thresholds are in an order that makes sense.

use super::entry::Kind;
use super::section::{Need, Section, Want};
use super::{ClimateConfig, FanCapacity, FanRules, FanStage, MinersConfig};
use crate::units::{Seconds, Temperature, Watts};

const STAGES: Want = Want { what: "a list of { above = \"75 F\", run = 7 }", kind: Kind::Array };
const CAPACITY: Want = Want { what: "a list of { above = \"85 F\", each = \"120 kW\" }", kind: Kind::Array };
const DIFFERENCE: Want = Want { what: "a temperature difference such as \"4 F\" or \"2 C\"", kind: Kind::Text };

const HOUR: Seconds = Seconds::minutes(60);
const DAY: Seconds = Seconds::minutes(24 * 60);

/// `fan_count` is the number of `[[fan]]` sections: no rule can ask for more.
pub(super) fn read_fan_rules(s: &Section<'_>, fan_count: usize) -> Option<FanRules> {
    let on_above = s.watts("on_above", Need::Required);
    let off_below = s.watts("off_below", Need::Required);
    let prove_within = s.span("prove_within", Need::Default("60 s"), Seconds(5)..=HOUR);
    // Without any fan that is the mistake to tell, not every number that follows from it.
    let fans_max = i64::try_from(fan_count).ok().filter(|count| *count > 0).unwrap_or(99);
    let stages = s.sections("stages", STAGES, Need::Required);
    let stages: Vec<Option<FanStage>> = stages.iter().map(|stage| read_stage(stage, fans_max)).collect();
    let hysteresis_k = s.checked("hysteresis", DIFFERENCE, Need::Default("4 F"), difference_k);
    let min_running = s.number("min_running", Need::Required, 0..=fans_max);
    let min_switch_time = s.span("min_switch_time", Need::Default("4 minutes"), Seconds(0)..=HOUR);
    let settle_time = s.span("settle_time", Need::Default("30 minutes"), Seconds(0)..=DAY);
    let step_time = s.span("step_time", Need::Default("90 s"), Seconds(0)..=HOUR);
    let run_on = s.span("run_on", Need::Default("5 minutes"), Seconds(60)..=HOUR);
    let off_room_above = s.temperature("off_room_above", Need::Default("95 F"));
    let before_resume = s.number("before_resume", Need::Required, 1..=fans_max);
    let max_switchings = s.number("max_switchings_per_hour", Need::Default("12"), 2..=60);
    let capacity = s.sections("capacity", CAPACITY, Need::Optional);
    let capacity: Option<Vec<FanCapacity>> = capacity.iter().map(read_capacity).collect();
    let rotate_bounds = HOUR..=Seconds::minutes(60 * 24 * 60);
    let rotate_after = s.span("rotate_after", Need::Default("24 hours"), rotate_bounds);
    s.finish();
    if let (Some(on), Some(off)) = (on_above, off_below)
        && off >= on
    {
        s.mistake("off_below", format!("{off} must be below `on_above` ({on})"));
    }
    let stages: Option<Vec<FanStage>> = stages.into_iter().collect();
    if let Some(stages) = &stages {
        check_stages(s, stages);
    }
    if let Some(capacity) = &capacity {
        check_capacity(s, capacity);
    }
    Some(FanRules {
        on_above: on_above?,
        off_below: off_below?,
        prove_within: prove_within?,
        stages: stages?,
        hysteresis_k: hysteresis_k?,
        min_running: u8::try_from(min_running?).ok()?,
        min_switch_time: min_switch_time?,
        settle_time: settle_time?,
        step_time: step_time?,
        run_on: run_on?,
        off_room_above: off_room_above?,
        before_resume: u8::try_from(before_resume?).ok()?,
        max_switchings_per_hour: u32::try_from(max_switchings?).ok()?,
        capacity: capacity?,
        rotate_after: rotate_after?,
    })
}

fn read_capacity(s: &Section<'_>) -> Option<FanCapacity> {
    let above = s.temperature("above", Need::Required);
    let each = s.watts("each", Need::Required);
    s.finish();
    Some(FanCapacity { above: above?, each: each? })
}

/// Warmer air cools less.
fn check_capacity(s: &Section<'_>, capacity: &[FanCapacity]) {
    for (index, pair) in capacity.windows(2).enumerate() {
        let [lower, higher] = pair else { continue };
        let path = s.path_of(&format!("capacity.{}", index + 2));
        if higher.above <= lower.above {
            let text = format!("{} must be above that of the entry before ({})", higher.above, lower.above);
            s.book.mistake(&format!("{path}.above"), text);
        }
        if higher.each > lower.each {
            let text = format!("{} must not be more than in the cooler entry before ({})", higher.each, lower.each);
            s.book.mistake(&format!("{path}.each"), text);
        }
    }
    if let Some(none) = capacity.iter().position(|entry| entry.each <= Watts::ZERO) {
        s.book.mistake(&format!("{}.each", s.path_of(&format!("capacity.{}", none + 1))), "must be above 0 W");
    }
}

fn read_stage(s: &Section<'_>, fans_max: i64) -> Option<FanStage> {
    let above = s.temperature("above", Need::Required);
    let run = s.number("run", Need::Required, 0..=fans_max);
    s.finish();
    Some(FanStage { above: above?, run: u8::try_from(run?).ok()? })
}

/// Warmer must mean more fans.
fn check_stages(s: &Section<'_>, stages: &[FanStage]) {
    if stages.is_empty() && s.has("stages") {
        s.mistake("stages", format!("has no stage; give {}", STAGES.what));
    }
    for (index, pair) in stages.windows(2).enumerate() {
        let [lower, higher] = pair else { continue };
        let path = s.path_of(&format!("stages.{}", index + 2));
        if higher.above <= lower.above {
            let text = format!("{} must be above that of the stage before ({})", higher.above, lower.above);
            s.book.mistake(&format!("{path}.above"), text);
        }
        if higher.run <= lower.run {
            let text = format!("{} must be more fans than in the stage before ({})", higher.run, lower.run);
            s.book.mistake(&format!("{path}.run"), text);
        }
    }
}

/// A temperature difference in kelvin.
fn difference_k(text: &str) -> Result<f64, String> {
    let bad = || format!("`{text}` is not a temperature difference; write it as `4 F` or `2 C`");
    let unit_at = text.find(|c: char| c.is_alphabetic() || c == '°').ok_or_else(bad)?;
    let (number, unit) = text.split_at_checked(unit_at).ok_or_else(bad)?;
    let number: f64 = number.trim().parse().map_err(|_| bad())?;
    let kelvin = match unit.trim_start_matches('°').trim() {
        "F" | "f" => number / 1.8,
        "C" | "c" | "K" | "k" => number,
        _ => return Err(bad()),
    };
    let good = kelvin > 0.0 && kelvin <= 20.0;
    good.then_some(kelvin).ok_or_else(|| format!("`{text}` is outside 0 C to 20 C (36 F)"))
}

pub(super) fn read_climate(s: &Section<'_>) -> Option<ClimateConfig> {
    let shed_above = s.temperature("shed_above", Need::Required);
    let resume_below = s.temperature("resume_below", Need::Required);
    let critical_above = s.temperature("critical_above", Need::Required);
    let resume_min = s.temperature("resume_min", Need::Default("-22 F"));
    let preheat_limit = s.span("preheat_limit", Need::Default("30 minutes"), Seconds::minutes(1)..=DAY);
    let shed_rise_k = s.checked("shed_rise", DIFFERENCE, Need::Default("2 F"), difference_k);
    let stuck_after = s.span("stuck_after", Need::Default("6 hours"), Seconds::minutes(10)..=Seconds(30 * DAY.0));
    let max_age = s.span("max_age", Need::Default("4 minutes"), Seconds(30)..=HOUR);
    let lost_limit = s.span("lost_limit", Need::Default("10 minutes"), Seconds(30)..=HOUR);
    s.finish();
    above(s, "shed_above", shed_above, "resume_below", resume_below);
    above(s, "critical_above", critical_above, "shed_above", shed_above);
    above(s, "resume_below", resume_below, "resume_min", resume_min);
    if let (Some(limit), Some(age)) = (lost_limit, max_age)
        && limit < age
    {
        s.mistake("lost_limit", format!("{limit} must not be shorter than `max_age` ({age})"));
    }
    Some(ClimateConfig {
        shed_above: shed_above?,
        resume_below: resume_below?,
        critical_above: critical_above?,
        resume_min: resume_min?,
        preheat_limit: preheat_limit?,
        shed_rise_k: shed_rise_k?,
        stuck_after: stuck_after?,
        max_age: max_age?,
        lost_limit: lost_limit?,
    })
}

fn above(s: &Section<'_>, key: &str, higher: Option<Temperature>, other: &str, lower: Option<Temperature>) {
    if let (Some(higher), Some(lower)) = (higher, lower)
        && higher <= lower
    {
        s.mistake(key, format!("{higher} must be above `{other}` ({lower})"));
    }
}

pub(super) fn read_miners(s: &Section<'_>) -> Option<MinersConfig> {
    let off_below = s.watts("off_below", Need::Required);
    let on_above = s.watts("on_above", Need::Required);
    let off_percent = s.number("off_percent", Need::Default("25"), 1..=90);
    let foreman_limit = s.span("foreman_limit", Need::Default("2 minutes"), Seconds(10)..=HOUR);
    let outlets_limit = s.span("outlets_limit", Need::Default("2 minutes"), Seconds(10)..=HOUR);
    let sweep_after = s.span("sweep_after", Need::Default("3 minutes"), Seconds(30)..=HOUR);
    let deadline = s.span("deadline", Need::Default("6 minutes"), Seconds(30)..=HOUR);
    let min_off = s.span("min_off", Need::Default("10 minutes"), Seconds(0)..=DAY);
    let resume_after = s.span("resume_after", Need::Default("4 minutes"), Seconds(0)..=DAY);
    let resume_groups = s.number("resume_groups", Need::Default("4"), 1..=50);
    let group_limit = s.span("group_limit", Need::Default("6 minutes"), Seconds(30)..=HOUR);
    let outlet_off_below = s.watts("outlet_off_below", Need::Default("60 W"));
    s.finish();
    if let (Some(on), Some(off)) = (on_above, off_below)
        && off >= on
    {
        s.mistake("off_below", format!("{off} must be below `on_above` ({on})"));
    }
    if let (Some(foreman), Some(outlets), Some(deadline)) = (foreman_limit, outlets_limit, deadline)
        && foreman.0.saturating_add(outlets.0) >= deadline.0
    {
        let text =
            format!("{foreman} and `outlets_limit` ({outlets}) together must be shorter than `deadline` ({deadline})");
        s.mistake("foreman_limit", text);
    }
    Some(MinersConfig {
        off_below: off_below?,
        on_above: on_above?,
        off_share: f64::from(u8::try_from(off_percent?).ok()?) / 100.0,
        foreman_limit: foreman_limit?,
        outlets_limit: outlets_limit?,
        sweep_after: sweep_after?,
        deadline: deadline?,
        min_off: min_off?,
        resume_after: resume_after?,
        resume_groups: u32::try_from(resume_groups?).ok()?,
        group_limit: group_limit?,
        outlet_off_below: outlet_off_below?,
    })
}
