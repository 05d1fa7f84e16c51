//! The fans machine: which fans are proven, which are faulty, and which must run. No fan is wanted off on a guess.
//!
//! | miners | fans wanted | rule |
//! | --- | --- | --- |
//! | running | the stage of the intake, or more for the power drawn, at least `min_running` | intake and fan watts are read |
//! | running | the same, none stops | the intake temperature is an earlier one |
//! | running | the same, none stops | the miners' power is not read, and `capacity` is set |
//! | running | all | groups are off for want of air |
//! | not proven off, or about to start | all | the intake temperature is not known |
//! | not proven off, or about to start | all | the intake is hot or was |
//! | not proven off, or about to start | all | no fan's watts can be read |
//! | going off, not proven | the stage, none stops | no fan stops on a guess |
//! | proven off | as many as run now | the run-on is not over |
//! | proven off | none, one less each `step_time` | the run-on is over, the room below `off_room_above` |
//! | proven off | the stage | the run-on is over, the room at or above `off_room_above` |
//! | proven off | as many as run now | the run-on is over, the intake not read just now |
//! | about to start, or some still off | the stage, at least `before_resume` unless the first group preheats | fans first |

use std::cmp::Reverse;

use super::Report;
use super::judge::{Inputs, Quality};
use super::table::{Row, table};
use crate::config::{Config, FanRules};
use crate::model::{Band, EventKind, FanFault, FanState, MinersPhase, Override, Setting, SiteState};
use crate::units::{Moment, Seconds};

/// The longest time between two passes that counts as run time.
const RUN_TIME_STEP_MAX: Seconds = Seconds(600);
/// A relay that did not obey is tried again after this long.
const TRY_AGAIN: Seconds = Seconds(600);

table! {
    STAGE = "running", "the stage of the intake, or more for the power drawn, at least `min_running`", "intake and fan watts are read";
    HELD = "running", "the same, none stops", "the intake temperature is an earlier one";
    POWER_UNREAD = "running", "the same, none stops", "the miners' power is not read, and `capacity` is set";
    ALL_SHED = "running", "all", "groups are off for want of air";
    ALL_UNKNOWN = "not proven off, or about to start", "all", "the intake temperature is not known";
    ALL_HOT = "not proven off, or about to start", "all", "the intake is hot or was";
    ALL_BLIND = "not proven off, or about to start", "all", "no fan's watts can be read";
    GOING_OFF = "going off, not proven", "the stage, none stops", "no fan stops on a guess";
    RUN_ON = "proven off", "as many as run now", "the run-on is not over";
    REST = "proven off", "none, one less each `step_time`", "the run-on is over, the room below `off_room_above`";
    REST_HOT = "proven off", "the stage", "the run-on is over, the room at or above `off_room_above`";
    REST_UNKNOWN = "proven off", "as many as run now", "the run-on is over, the intake not read just now";
    FANS_FIRST = "about to start, or some still off", "the stage, at least `before_resume` unless the first group preheats", "fans first";
}

/// Takes in what relays and watts show, before anything is decided.
pub(super) fn observe(
    cfg: &Config,
    next: &mut SiteState,
    inputs: &Inputs,
    overrides: &[Override],
    now: &Moment,
    report: &mut Report,
) {
    let passed = next.last_pass.map_or(Seconds(0), |last| now.since(&last).min(RUN_TIME_STEP_MAX));
    next.fans.retain(|number, _| cfg.fans.contains_key(number));
    for number in cfg.fans.keys() {
        let relay = inputs.relays.get(number).copied().flatten();
        let watts = inputs.fan_watts.get(number).copied().flatten();
        let fan = next.fans.entry(*number).or_insert_with(|| unknown_fan(relay));
        fan.relay = relay;
        fan.watts = watts;
        fan.watts_by_hand =
            overrides.iter().any(|o| matches!(o.setting, Setting::FanWatts { fan, .. } if fan == *number));
        fan.proven = match watts {
            Some(w) if w >= cfg.fan_rules.on_above => Some(true),
            Some(w) if w <= cfg.fan_rules.off_below => Some(false),
            Some(_) | None => None,
        };
        if fan.proven.unwrap_or(relay == Some(true)) {
            fan.run_time = Seconds(fan.run_time.0.saturating_add(passed.0));
        }
        fan.switchings.retain(|at| now.since(at) < Seconds(3600));
        let fault = judge_fault(&cfg.fan_rules, fan, now);
        if fault != fan.fault {
            let text = fault.map_or_else(|| "works again".to_owned(), |fault| fault.words().to_owned());
            report.event(now, EventKind::Fault, &format!("fan {number}"), text);
            fan.fault = fault;
        }
    }
}

/// A fan that was never seen before: what runs is wanted, what cannot be read is wanted too.
fn unknown_fan(relay: Option<bool>) -> FanState {
    FanState {
        wanted: relay.unwrap_or(true),
        commanded: None,
        relay,
        watts: None,
        proven: None,
        watts_by_hand: false,
        disagrees: None,
        fault: None,
        run_time: Seconds(0),
        switchings: Vec::new(),
    }
}

/// A fault is called only when the disagreement lasts longer than a fan may take to prove a command.
fn judge_fault(rules: &FanRules, fan: &mut FanState, now: &Moment) -> Option<FanFault> {
    let commanded = fan.commanded.as_ref().map(|command| command.value);
    let fault = match (fan.relay, fan.proven, commanded) {
        (Some(relay), _, Some(commanded)) if relay != commanded => Some(FanFault::RelayIgnores),
        (Some(true), Some(false), _) => Some(FanFault::Dead),
        (Some(false), Some(true), _) => Some(FanFault::Welded),
        (Some(_), _, _) => None,
        // Without the relay's state nothing can be said; what was known stays.
        (None, _, _) => return fan.fault,
    };
    let Some(fault) = fault else {
        fan.disagrees = None;
        // A dead fan at rest, or a welded relay that is on, looks well: only the contrary clears such a fault.
        return fan.fault.filter(|old| match old {
            FanFault::Dead => fan.proven != Some(true),
            FanFault::Welded => fan.relay != Some(false) || fan.proven != Some(false),
            FanFault::RelayIgnores => false,
        });
    };
    let since = *fan.disagrees.get_or_insert(*now);
    if now.since(&since) >= rules.prove_within { Some(fault) } else { fan.fault.filter(|old| *old == fault) }
}

/// One pass of the machine: sets `wanted` of each fan.
pub(super) fn step(
    cfg: &Config,
    next: &mut SiteState,
    inputs: &Inputs,
    preparing: bool,
    overrides: &[Override],
    now: &Moment,
    report: &mut Report,
) {
    let running = next.fans.values().filter(|fan| fan.wanted).count();
    let (count, row, why) = how_many(cfg, next, inputs, preparing, running, now);
    let mut held_off: Vec<u8> = overrides.iter().filter_map(|o| held(o, false)).collect();
    held_off.extend(super::drill::fan_held_off(next));
    let others = next.fans.iter().filter(|(n, fan)| fan.fault.is_none() && !held_off.contains(n)).count();
    // A fan is held off only while the others are enough.
    let held_off = if others >= count { held_off } else { Vec::new() };
    let chosen = choose(&cfg.fan_rules, next, count, &held_off, now);
    let why = format!("{} ({}: {}); {why}", row.to, row.from, row.when);
    report.why("fans", format!("{count} of {}: {why}", next.fans.len()));
    let before: Vec<u8> = wanted(next);
    for (number, fan) in &mut next.fans {
        fan.wanted = chosen.contains(number);
    }
    for number in overrides.iter().filter_map(|o| held(o, true)).chain(super::drill::fan_held_on(next)) {
        if let Some(fan) = next.fans.get_mut(&number) {
            fan.wanted = true;
        }
    }
    for fan in next.fans.values_mut() {
        settle_command(fan, now);
    }
    let after = wanted(next);
    if after != before {
        report.event(now, EventKind::State, "fans", format!("wanted {} → {}: {why}", list(&before), list(&after)));
    }
}

/// A relay that shows what is wanted needs no command, and then the last one says nothing about it any more: it was lost,
/// or not obeyed and taken back. Only a fault that was called stays for a while.
fn settle_command(fan: &mut FanState, now: &Moment) {
    let Some(command) = fan.commanded.as_mut().filter(|_| fan.relay == Some(fan.wanted)) else { return };
    if command.value != fan.wanted && (fan.fault.is_none() || now.since(&command.at) >= TRY_AGAIN) {
        command.value = fan.wanted;
    }
}

/// The fan that this override holds on, or off.
fn held(over: &Override, held_on: bool) -> Option<u8> {
    if let Setting::Fan { fan, on } = over.setting { (on == held_on).then_some(fan) } else { None }
}

fn wanted(next: &SiteState) -> Vec<u8> {
    next.fans.iter().filter(|(_, fan)| fan.wanted).map(|(number, _)| *number).collect()
}

fn list(numbers: &[u8]) -> String {
    if numbers.is_empty() {
        return "none".to_owned();
    }
    numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
}

/// The fewest healthy fans while miners draw power: the stage of the intake, what the drawn power needs, `min_running`.
pub(super) fn fewest_while_drawing(cfg: &Config, next: &SiteState) -> usize {
    let rules = &cfg.fan_rules;
    let stage = rules.stages.get(next.climate.stage).or(rules.stages.last()).map_or(u8::MAX, |stage| stage.run);
    usize::from(stage.max(rules.min_running)).max(super::budget::fans_for_power(cfg, next))
}

/// How many healthy fans are wanted, by which row, and the values behind it.
fn how_many(
    cfg: &Config,
    next: &SiteState,
    inputs: &Inputs,
    preparing: bool,
    running: usize,
    now: &Moment,
) -> (usize, Row, String) {
    let rules = &cfg.fan_rules;
    let all = next.fans.len();
    let resting =
        next.miners.proven_off.filter(|_| matches!(next.miners.phase, MinersPhase::Curtailed { .. }) && !preparing);
    let Some(off_since) = resting else {
        return while_drawing(cfg, next, inputs, preparing, running);
    };
    let run_on_left = rules.run_on.saturating_sub(now.since(&off_since));
    if run_on_left.0 > 0 {
        return (running, RUN_ON, format!("another {run_on_left}"));
    }
    match &inputs.intake {
        Quality::Bad(reason) => (running, REST_UNKNOWN, reason.clone()),
        Quality::Held(t, age) => (running, REST_UNKNOWN, format!("{t}, {age} old")),
        Quality::Good(t) => {
            let above = rules.off_room_above.value() - if running > 0 { rules.hysteresis_k } else { 0.0 };
            let shown = format!("room at {t}, limit {}", rules.off_room_above);
            if t.value() >= above {
                (fewest_while_drawing(cfg, next).min(all), REST_HOT, shown)
            } else {
                (0, REST, shown)
            }
        }
    }
}

fn while_drawing(
    cfg: &Config,
    next: &SiteState,
    inputs: &Inputs,
    preparing: bool,
    running: usize,
) -> (usize, Row, String) {
    let rules = &cfg.fan_rules;
    let all = next.fans.len();
    let band = next.climate.band;
    if next.climate.intake.is_none() {
        return (all, ALL_UNKNOWN, "no intake probe can be trusted".to_owned());
    }
    if band == Band::Hot || band == Band::Critical || next.climate.shedding {
        return (all, ALL_HOT, format!("the intake is {}", band.word()));
    }
    if next.fans.values().all(|fan| fan.watts.is_none()) {
        return (all, ALL_BLIND, "no fan's watts can be read".to_owned());
    }
    if next.miners.shed_groups > 0 {
        return (all, ALL_SHED, format!("{} groups off", next.miners.shed_groups));
    }
    let stage = fewest_while_drawing(cfg, next).min(all);
    let staged = stage_words(cfg, next);
    let first = super::resume::fans_wanted_to_start(cfg, next);
    match &next.miners.phase {
        MinersPhase::Curtailing { .. } | MinersPhase::Fault { .. } | MinersPhase::Boot if !preparing => {
            (stage.max(running), GOING_OFF, staged)
        }
        MinersPhase::Curtailing { .. } | MinersPhase::Fault { .. } | MinersPhase::Boot => {
            (stage.max(running).max(first).min(all), FANS_FIRST, staged)
        }
        MinersPhase::Curtailed { .. } | MinersPhase::Resuming { .. } if preparing => {
            (stage.max(first).max(running).min(all), FANS_FIRST, staged)
        }
        MinersPhase::Curtailed { .. } | MinersPhase::Resuming { .. } => (stage.max(running), GOING_OFF, staged),
        MinersPhase::Running if matches!(inputs.intake, Quality::Held(..)) => (stage.max(running), HELD, staged),
        MinersPhase::Running if !rules.capacity.is_empty() && next.miners.watts.is_none() => {
            (stage.max(running), POWER_UNREAD, staged)
        }
        // Miners left off are started as soon as the fans for it are there.
        MinersPhase::Running if super::start::left_off(next) => (stage.max(first).min(all), FANS_FIRST, staged),
        MinersPhase::Running => (stage, STAGE, staged),
    }
}

/// The stage in force, and what would change it.
fn stage_words(cfg: &Config, next: &SiteState) -> String {
    let stages = &cfg.fan_rules.stages;
    let current = next.climate.stage.min(stages.len().saturating_sub(1));
    let up = stages.get(current.saturating_add(1)).map(|stage| format!("{} from {}", stage.run, stage.above));
    let down = current.checked_sub(1).and_then(|lower| stages.get(lower)).zip(stages.get(current));
    let down = down.map(|(lower, here)| {
        let (k, f) = (cfg.fan_rules.hysteresis_k, cfg.fan_rules.hysteresis_k * 1.8);
        format!("{} when {f:.1} °F ({k:.1} K) below {}", lower.run, here.above)
    });
    let power = super::budget::fans_for_power(cfg, next);
    let power = (power > 0).then(|| format!("{power} for the power drawn"));
    let changes: Vec<String> = [power, up, down].into_iter().flatten().collect();
    format!("stage {} of {}; {}", current.saturating_add(1), stages.len(), changes.join(", "))
}

/// How many fans run as far as can be known: by their watts, and where those cannot be read by their relays. Watts set by
/// hand are no air.
pub(super) fn believed(next: &SiteState) -> usize {
    let runs = |fan: &&FanState| match fan.proven {
        Some(true) if !fan.watts_by_hand => true,
        Some(false) => false,
        Some(true) | None => fan.relay == Some(true),
    };
    next.fans.values().filter(runs).count()
}

/// Chooses the fans: those that run stay, healthy ones before faulty ones, the least worn first; one stops at a time.
/// A faulty fan, or one that stands still without cause, stays wanted while others are, and does not count.
fn choose(rules: &FanRules, next: &SiteState, count: usize, held_off: &[u8], now: &Moment) -> Vec<u8> {
    let fans = next.fans.iter().filter(|(number, _)| !held_off.contains(number));
    let counts = |fan: &FanState| fan.fault.is_none() && !stands_still(rules, fan, now);
    let mut healthy: Vec<(&u8, &FanState)> = fans.filter(|(_, fan)| counts(fan)).collect();
    healthy.sort_by_key(|(number, fan)| (Reverse(fan.wanted), fan.run_time, **number));
    let running = healthy.iter().filter(|(_, fan)| fan.wanted).count();
    // That every fan is faulty is no reason to want none: they are told on until they obey.
    let any = count > 0;
    let count = count.min(healthy.len());
    let count = if rotates(rules, &healthy, count, running) { count.saturating_add(1) } else { count };
    let stop = count < running && may_stop_one(rules, next, now);
    let keep = if count >= running { count } else { running.saturating_sub(usize::from(stop)) };
    if stop {
        // The most worn of those that may be switched again stops.
        let worn = healthy.iter().enumerate().filter(|(_, (_, fan))| fan.wanted && rested(rules, fan, now));
        if let Some((place, _)) = worn.max_by_key(|(_, (_, fan))| fan.run_time) {
            let stopped = healthy.remove(place);
            healthy.push(stopped);
        } else {
            return wanted(next);
        }
    }
    let faulty = next.fans.iter().filter(|(n, fan)| !counts(fan) && any && !held_off.contains(n));
    let mut chosen: Vec<u8> = healthy.iter().take(keep).map(|(number, _)| **number).collect();
    chosen.extend(faulty.map(|(number, _)| *number));
    chosen
}

/// Whether a fan that should run draws nothing, and was not started just now: another one starts at once, long before
/// this one is called dead. A relay that cannot be read is no excuse.
fn stands_still(rules: &FanRules, fan: &FanState, now: &Moment) -> bool {
    let settled = fan.commanded.as_ref().is_none_or(|command| now.since(&command.at) >= rules.prove_within);
    fan.wanted && fan.relay != Some(false) && fan.proven == Some(false) && settled
}

/// Whether a fan at rest is to take the place of a worn one: it starts first, and the worn one stops when it is proven,
/// as any surplus fan does.
fn rotates(rules: &FanRules, healthy: &[(&u8, &FanState)], count: usize, running: usize) -> bool {
    let worn = healthy.iter().filter(|(_, fan)| fan.wanted).map(|(_, fan)| fan.run_time).max();
    let fresh = healthy.iter().filter(|(_, fan)| !fan.wanted).map(|(_, fan)| fan.run_time).min();
    let due = worn.zip(fresh).is_some_and(|(worn, fresh)| worn.saturating_sub(fresh) > rules.rotate_after);
    let unproven = healthy.iter().any(|(_, fan)| fan.wanted && fan.proven != Some(true));
    count > 0 && ((running == count && due) || (running == count.saturating_add(1) && unproven))
}

/// Whether `step_time` has passed since a fan was last stopped, and the room has settled.
fn may_stop_one(rules: &FanRules, next: &SiteState, now: &Moment) -> bool {
    let stops = next.fans.values().filter_map(|fan| fan.commanded.as_ref()).filter(|command| !command.value);
    // A stop that an interlock still holds back counts: two must not go off together once it lets go.
    let held_back = next.fans.values().any(|fan| !fan.wanted && fan.relay == Some(true) && fan.fault.is_none());
    let mut starts = next.fans.values().filter_map(|fan| fan.commanded.as_ref()).filter(|command| command.value);
    let settled = next.miners.proven_off.is_some() || starts.all(|command| now.since(&command.at) >= rules.settle_time);
    settled && !held_back && stops.into_iter().all(|command| now.since(&command.at) >= rules.step_time)
}

/// Whether a fan has kept its state for `min_switch_time`.
fn rested(rules: &FanRules, fan: &FanState, now: &Moment) -> bool {
    fan.commanded.as_ref().is_none_or(|command| now.since(&command.at) >= rules.min_switch_time)
}
