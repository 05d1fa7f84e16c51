//! The one glance: mining or not, why, and whether to worry. Words only; it judges what the rules already decided.

use super::Input;
use super::status::{AlarmStatus, Cause, DeviceStatus, FanStatus, Level, MinersStatus, SwitchStatus, Worry};
use super::words::count;
use crate::config::Mode;
use crate::model::{Band, Level as Signal, MinersPhase, OffReason, Rung, Setting};
use crate::units::Seconds;

/// The state for programs and for the page's colour.
pub(super) fn state(input: &Input) -> &'static str {
    match &input.state.miners.phase {
        MinersPhase::Boot => "boot",
        MinersPhase::Running => "mining",
        MinersPhase::Curtailing { .. } => "curtailing",
        MinersPhase::Curtailed { .. } => "off",
        MinersPhase::Resuming { .. } => "resuming",
        MinersPhase::Fault { .. } => "fault",
    }
}

/// The state in one line.
pub(super) fn headline(input: &Input, miners: &MinersStatus) -> String {
    let watts = if miners.power.value.is_some() { miners.power.text.clone() } else { "power not known".to_owned() };
    let demand = &input.state.demand;
    match &input.state.miners.phase {
        MinersPhase::Boot => format!("Starting up, {watts}: nothing is changed until every input has been read"),
        MinersPhase::Running => {
            let since = input.now.since(&demand.since);
            match first_reason(input) {
                None => format!("Mining, {watts}, curtailment clear for {since}"),
                Some(reason) => format!("Still mining, {watts}, must be off for {since}: {}", reason.sentence()),
            }
        }
        MinersPhase::Curtailing { since, rung, .. } => {
            let how = match rung {
                Rung::Foreman => "by Foreman",
                Rung::Outlets => "at the PDU outlets",
                Rung::Bank => "by the PDUs' banks",
            };
            let drawn = if miners.power.value.is_some() { format!("{watts} still drawn") } else { watts };
            format!("Curtailing {how} for {}, {drawn}", input.now.since(since))
        }
        MinersPhase::Curtailed { since } => {
            let call = input.state.call.as_ref();
            let by_signal = call.is_none_or(|c| c.reasons.contains(&OffReason::Curtail));
            let (word, cause) = if by_signal { ("Curtailed", "the signal") } else { ("Off", "the cause") };
            match call.and_then(|c| c.proven.map(|at| at.since(&c.seen))) {
                Some(after) => format!("{word}, {watts}, proven off {} after {cause}", seconds_words(after)),
                None => format!("{word}, {watts}, proven off for {}", input.now.since(since)),
            }
        }
        MinersPhase::Fault { since } => {
            let drawn = if miners.power.value.is_some() { format!("{watts} still drawn") } else { watts };
            format!("NOT proven off by the deadline, {drawn}; every way off in force for {}", input.now.since(since))
        }
        MinersPhase::Resuming { group, .. } => {
            format!("Resuming, group {group} of {}, {watts}", input.cfg.miners.resume_groups)
        }
    }
}

/// `94 s`, and `4 min 10 s` only from three minutes on: proofs are compared in seconds.
fn seconds_words(span: Seconds) -> String {
    if span.0 < 180 { format!("{} s", span.0) } else { span.to_string() }
}

fn first_reason(input: &Input) -> Option<OffReason> {
    input.state.demand.reasons.iter().next().copied()
}

/// What else the worry is read from: parts of the status that are already made.
pub(super) struct Parts<'a> {
    pub(super) miners: &'a MinersStatus,
    pub(super) alarms: &'a [AlarmStatus],
    pub(super) fans: &'a [FanStatus],
    pub(super) devices: &'a [DeviceStatus],
    pub(super) switches: &'a [SwitchStatus],
    pub(super) stale: bool,
}

/// Whether to worry: the worst of everything that stands, and in one sentence what that means for the owner.
pub(super) fn worry(input: &Input, parts: &Parts) -> Worry {
    let mut causes = alarming(input, parts);
    causes.extend(warnings(input, parts));
    causes.extend(remarks(input));
    // Stable: within one level the order above stays.
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.level));
    let at_rest = matches!(input.state.miners.phase, MinersPhase::Running);
    let base = if at_rest { Level::Ok } else { Level::Info };
    let level = causes.iter().map(|cause| cause.level).max().unwrap_or(base).max(base);
    let number = causes.iter().filter(|cause| cause.level == level).count();
    let text = match level {
        Level::Ok => "All is well. Nothing to do.".to_owned(),
        Level::Info => calm(&input.state.miners.phase).to_owned(),
        Level::Warning => format!("Look at it when you can: {}.", count(number, "warning", "warnings")),
        Level::Emergency => format!("Act now: {}.", count(number, "emergency", "emergencies")),
    };
    Worry { level, text, causes }
}

/// What is going on while nothing is wrong.
fn calm(phase: &MinersPhase) -> &'static str {
    match phase {
        MinersPhase::Boot => "Nothing to do yet: waiting for the first readings.",
        MinersPhase::Running => "Nothing is wrong; something to know:",
        MinersPhase::Curtailing { .. } => "Nothing to do yet: the miners are being switched off.",
        MinersPhase::Curtailed { .. } => "Nothing to do: the miners are off, as they must be.",
        MinersPhase::Resuming { .. } => "Nothing to do: the miners are being started.",
        MinersPhase::Fault { .. } => "The miners are not proven off.",
    }
}

type Causes = Vec<Cause>;

fn alarming(input: &Input, parts: &Parts) -> Causes {
    let mut causes: Causes = Vec::new();
    for alarm in parts.alarms {
        let level = match alarm.severity {
            "emergency" => Level::Emergency,
            "warning" => Level::Warning,
            _ => Level::Info,
        };
        causes.push(Cause { level, text: alarm.text.clone() });
    }
    if input.state.climate.band == Band::Critical && !is_told(parts, &["critical"]) {
        causes.push(Cause { level: Level::Emergency, text: "the intake temperature is critical".to_owned() });
    }
    for switch in parts.switches.iter().filter(|s| s.alarm == Some(true) && !is_told(parts, &[&s.name])) {
        let level = if switch.stops_mine { Level::Emergency } else { Level::Warning };
        causes.push(Cause { level, text: format!("switch `{}` is in alarm", switch.name) });
    }
    causes
}

fn warnings(input: &Input, parts: &Parts) -> Causes {
    let mut causes: Causes = Vec::new();
    let mut warn = |text: String| causes.push(Cause { level: Level::Warning, text });
    let booting = matches!(input.state.miners.phase, MinersPhase::Boot);
    if parts.stale {
        let last = input.state.last_run.map(|at| format!(": the last one was {} ago", input.now.since(&at)));
        warn(format!("two runs or more were missed{}", last.unwrap_or_default()));
    }
    if !booting && input.state.signal.level == Signal::Blind && !is_told(parts, &["signal"]) {
        warn("the power signal cannot be read".to_owned());
    }
    if !booting && input.state.climate.band == Band::Unknown && !is_told(parts, &["intake"]) {
        warn("the intake temperature is not known".to_owned());
    }
    if !booting && parts.miners.power.value.is_none() && !is_told(parts, &["watts"]) {
        warn("the miners' power is not known".to_owned());
    }
    for fan in parts.fans {
        let name = format!("fan {}", fan.fan);
        if let Some(fault) = fan.fault.filter(|_| !is_told(parts, &[&name])) {
            warn(format!("fan {}: {fault}", fan.fan));
        }
    }
    for device in
        parts.devices.iter().filter(|d| d.failures >= input.cfg.tick.warn_after_failures && !is_told(parts, &[&d.name]))
    {
        warn(format!("`{}` has failed {} runs in a row", device.name, device.failures));
    }
    if matches!(input.state.miners.phase, MinersPhase::Running) && !input.state.demand.reasons.is_empty() {
        warn("miners run while they must be off".to_owned());
    }
    for trouble in input.lost {
        warn(super::words::clean(trouble));
    }
    causes
}

/// Whether a standing alarm already speaks of it: then it is not counted twice.
fn is_told(parts: &Parts, words: &[&str]) -> bool {
    let speaks = |a: &AlarmStatus| words.iter().any(|word| a.text.contains(word) || a.id.contains(word));
    parts.alarms.iter().any(|a| a.severity != "info" && speaks(a))
}

fn remarks(input: &Input) -> Causes {
    let mut causes: Causes = Vec::new();
    for holding in input.overrides.iter().filter(|o| o.left(&input.now) > Seconds(0)) {
        let against = matches!(holding.setting, Setting::Miners { on: true, against_signal: true });
        let level = if against { Level::Warning } else { Level::Info };
        causes.push(Cause { level, text: super::words::clean(&format!("set by hand: {}", holding.setting)) });
    }
    if input.cfg.mode == Mode::Observe {
        causes.push(Cause { level: Level::Info, text: "mode is observe: no command is sent".to_owned() });
    }
    causes
}
