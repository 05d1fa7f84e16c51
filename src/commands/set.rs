//! `set`, `clear` and `ack`: what a person puts in place of an input or holds an output at. Only the store is touched;
//! the next pass takes it in.

use std::collections::BTreeMap;
use std::io::Write;
use std::str::FromStr;

use super::printed;
use crate::cli::SetTarget;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::error::Error;
use crate::model::{Event, EventKind, Level, Notice, Override, Setting, Severity, WrittenPhase, WrittenState};
use crate::notify;
use crate::store::{Change, Store};
use crate::units::{Seconds, UnitError};

/// The words of a power signal.
pub(super) const LEVELS: [(&str, Level); 3] =
    [("run", Level::Run), ("curtail", Level::Curtail), ("blind", Level::Blind)];
/// The longest reason that is kept.
const REASON_CHARS_MAX: usize = 200;

/// What a person asked for.
pub(super) struct Asked<'a> {
    /// Target and value.
    pub(super) what: &'a SetTarget,
    /// For how long; `None` is the configured time.
    pub(super) lasts: Option<&'a str>,
    /// Why.
    pub(super) reason: &'a str,
    /// Who.
    pub(super) by: &'a str,
}

/// The same, checked.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// An override to set.
    Set(Override),
    /// A target whose override is to end.
    Clear(String),
}

/// Sets an override, or ends it when the value is `auto`.
pub fn set(
    cfg: &Config,
    clock: &Clock,
    what: &SetTarget,
    lasts: Option<&str>,
    reason: &str,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let by = who();
    match wanted(cfg, clock, &Asked { what, lasts, reason, by: &by })? {
        Wanted::Clear(target) => clear(cfg, clock, &target, out),
        Wanted::Set(over) => {
            let text = save(cfg, clock, over)?;
            printed(writeln!(out, "set {text}; the next run takes it in"))
        }
    }
}

/// Checks names, values, time, and that nobody runs against the signal unawares. Changes nothing.
pub(super) fn wanted(cfg: &Config, clock: &Clock, asked: &Asked<'_>) -> Result<Wanted, Error> {
    let now = clock.now();
    let setting = match parse(cfg, asked.what)? {
        Parsed::Auto(target) => return Ok(Wanted::Clear(target)),
        Parsed::Setting(setting) => setting,
    };
    if let Setting::Miners { on: true, against_signal: false } = setting {
        let level = open(cfg)?.load(&now).state.map_or(Level::Blind, |state| state.signal.level);
        if level != Level::Run {
            return Err(Error::Usage(format!(
                "the signal says {}; `set miners on` against it needs --against-signal and may cost the rate",
                level.word()
            )));
        }
    }
    let lasts = duration(cfg, asked.lasts)?;
    let reason = asked.reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
    Ok(Wanted::Set(Override { setting, since: now, lasts, by: asked.by.to_owned(), reason }))
}

/// Stores an override, as of now, with its event and its message. Returns what was set, in words.
pub(super) fn save(cfg: &Config, clock: &Clock, over: Override) -> Result<String, Error> {
    let store = open(cfg)?;
    let now = clock.now();
    let text = format!("{} for {} by {}: {}", over.setting, over.lasts, over.by, over.reason);
    let severity = match over.setting {
        Setting::Miners { against_signal: true, .. } | Setting::Signal(Level::Run) | Setting::State(_) => {
            Severity::Warning
        }
        Setting::Signal(_)
        | Setting::Temperature { .. }
        | Setting::Humidity { .. }
        | Setting::FanWatts { .. }
        | Setting::MinerWatts { .. }
        | Setting::Switch { .. }
        | Setting::Fan { .. }
        | Setting::Miners { .. }
        | Setting::Drill(_) => Severity::Info,
    };
    let notice = Notice { severity, at: now.wall, text: format!("Override set: {text}") };
    let change = Change {
        events: vec![event(&now, EventKind::Override, &over.setting.target(), format!("set: {text}"))],
        queue: notify::route(&cfg.notify, &notice).into_iter().map(|channel| (channel, notice.clone())).collect(),
        overrides: vec![Override { since: now, ..over }],
        ..Change::default()
    };
    store.save(&change, &now).map_err(Error::Storage)?;
    Ok(text)
}

/// Ends an override, or all of them.
pub fn clear(cfg: &Config, clock: &Clock, target: &str, out: &mut dyn Write) -> Result<(), Error> {
    let gone = clear_by(cfg, clock, target, &who())?;
    if gone.is_empty() {
        return printed(writeln!(out, "no override is set"));
    }
    printed(writeln!(out, "cleared {}; the next run takes it in", gone.join(", ")))
}

/// The same, by someone else than who is at the keyboard. Returns the targets that were cleared.
pub(super) fn clear_by(cfg: &Config, clock: &Clock, target: &str, by: &str) -> Result<Vec<String>, Error> {
    let store = open(cfg)?;
    let now = clock.now();
    let overrides = store.overrides().map_err(Error::Storage)?;
    let gone: Vec<&Override> =
        overrides.iter().filter(|over| target == "all" || over.setting.target() == target).collect();
    if gone.is_empty() {
        if target == "all" || parse_target_is_known(&overrides, target) {
            return Ok(Vec::new());
        }
        let known: Vec<String> = overrides.iter().map(|over| format!("`{}`", over.setting.target())).collect();
        let known = if known.is_empty() { "none is set".to_owned() } else { format!("set are {}", known.join(", ")) };
        return Err(Error::Usage(format!("no override of `{target}`; {known}")));
    }
    let mut change = Change::default();
    for over in &gone {
        let text = format!("cleared: {} by {by}", over.setting);
        change.events.push(event(&now, EventKind::Override, &over.setting.target(), text.clone()));
        let notice = Notice { severity: Severity::Info, at: now.wall, text: format!("Override {text}") };
        let channels = notify::route(&cfg.notify, &notice).into_iter();
        change.queue.extend(channels.map(|channel| (channel, notice.clone())));
        change.overrides_done.push(over.setting.target());
    }
    store.save(&change, &now).map_err(Error::Storage)?;
    Ok(change.overrides_done)
}

fn parse_target_is_known(overrides: &[Override], target: &str) -> bool {
    overrides.is_empty() && !target.is_empty()
}

/// Acknowledges an alarm, or all of them.
pub fn acknowledge(cfg: &Config, clock: &Clock, alarm: &str, out: &mut dyn Write) -> Result<(), Error> {
    let names = acknowledge_by(cfg, clock, alarm, &who())?;
    printed(writeln!(out, "acknowledged {names}; no more reminders from the next run on"))
}

/// The same, by someone else than who is at the keyboard. Returns the alarms, in words.
pub(super) fn acknowledge_by(cfg: &Config, clock: &Clock, alarm: &str, by: &str) -> Result<String, Error> {
    let store = open(cfg)?;
    let now = clock.now();
    let alarms = store.load(&now).state.map(|state| state.alarms).unwrap_or_default();
    let chosen: Vec<&String> = alarms.keys().filter(|id| alarm == "all" || *id == alarm).collect();
    if chosen.is_empty() {
        let known: Vec<String> = alarms.keys().map(|id| format!("`{id}`")).collect();
        let known =
            if known.is_empty() { "no alarm stands".to_owned() } else { format!("standing are {}", known.join(", ")) };
        return Err(Error::Usage(format!("no alarm `{alarm}`; {known}")));
    }
    let acknowledge: BTreeMap<String, String> = chosen.iter().map(|id| ((*id).clone(), by.to_owned())).collect();
    let names = chosen.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    store.save(&Change { acknowledge, ..Change::default() }, &now).map_err(Error::Storage)?;
    Ok(names)
}

enum Parsed {
    Auto(String),
    Setting(Setting),
}

/// Checks names against the configuration and values against their units.
fn parse(cfg: &Config, what: &SetTarget) -> Result<Parsed, Error> {
    let probes = || cfg.rooms.iter().flat_map(|room| &room.probes).map(|probe| probe.name.as_str());
    let switches = || cfg.rooms.iter().flat_map(|room| &room.switches).map(|switch| switch.name.as_str());
    let (target, setting) = match what {
        SetTarget::Signal { level } => {
            let level = optional(what, || choice("signal", level, &LEVELS))?;
            ("signal".to_owned(), level.map(Setting::Signal))
        }
        SetTarget::Temp { probe, value } => {
            let probe = known("probe", probe, probes())?;
            let value = value_of(what, value)?;
            (format!("temp {probe}"), value.map(|value| Setting::Temperature { probe, value }))
        }
        SetTarget::Humidity { probe, value } => {
            let probe = known("probe", probe, probes())?;
            let value = value_of(what, value)?;
            (format!("humidity {probe}"), value.map(|value| Setting::Humidity { probe, value }))
        }
        SetTarget::FanWatts { fan, value } => {
            let fan = known_fan(cfg, *fan)?;
            let value = value_of(what, value)?;
            (format!("fan-watts {fan}"), value.map(|value| Setting::FanWatts { fan, value }))
        }
        SetTarget::MinerWatts { pdu, value } => {
            let pdu = known("PDU", pdu, cfg.pdus.iter().map(|pdu| pdu.name.as_str()))?;
            let value = value_of(what, value)?;
            (format!("miner-watts {pdu}"), value.map(|value| Setting::MinerWatts { pdu, value }))
        }
        SetTarget::Switch { name, value } => {
            let name = known("switch", name, switches())?;
            let alarm = optional(what, || choice("switch", value, &[("alarm", true), ("normal", false)]))?;
            (format!("switch {name}"), alarm.map(|alarm| Setting::Switch { name, alarm }))
        }
        SetTarget::Fan { fan, value } => {
            let fan = known_fan(cfg, *fan)?;
            let on = optional(what, || choice("fan", value, &[("on", true), ("off", false)]))?;
            (format!("fan {fan}"), on.map(|on| Setting::Fan { fan, on }))
        }
        SetTarget::Miners(args) => {
            let on = optional(what, || choice("miners", &args.value, &[("on", true), ("off", false)]))?;
            let against_signal = args.against_signal;
            ("miners".to_owned(), on.map(|on| Setting::Miners { on, against_signal: on && against_signal }))
        }
        SetTarget::State { machine, value } => {
            let machine = known("machine", machine, WrittenState::MACHINES.into_iter())?;
            let written = optional(what, || written(cfg, &machine, value))?;
            (format!("state {machine}"), written.map(Setting::State))
        }
    };
    Ok(setting.map_or(Parsed::Auto(target), Parsed::Setting))
}

/// A state to be written, of one of the machines that there are.
fn written(cfg: &Config, machine: &str, value: &str) -> Result<WrittenState, Error> {
    match machine {
        "signal" => choice("state signal", value, &LEVELS).map(WrittenState::Signal),
        "climate" => choice("state climate", value, &[("normal", false), ("shedding", true)])
            .map(|shedding| WrittenState::Climate { shedding }),
        "miners" => choice("state miners", value, &WrittenPhase::ALL.map(|phase| (phase.word(), phase)))
            .map(WrittenState::Miners),
        _ => {
            let last = cfg.fan_rules.stages.len();
            let stage = value.parse::<u8>().ok().filter(|stage| (1..=last).contains(&usize::from(*stage)));
            let wrong =
                || format!("state fan-stage: `{value}` is not a value; use a number from 1 to {last}, or `auto`");
            stage.map(WrittenState::FanStage).ok_or_else(|| Error::Usage(wrong()))
        }
    }
}

/// Whether the value is `auto`: the override ends.
fn auto(what: &SetTarget) -> bool {
    let value = match what {
        SetTarget::Signal { level } => level,
        SetTarget::Temp { value, .. }
        | SetTarget::Humidity { value, .. }
        | SetTarget::FanWatts { value, .. }
        | SetTarget::MinerWatts { value, .. }
        | SetTarget::Switch { value, .. }
        | SetTarget::Fan { value, .. }
        | SetTarget::State { value, .. } => value,
        SetTarget::Miners(args) => &args.value,
    };
    value == "auto"
}

fn optional<T>(what: &SetTarget, value: impl FnOnce() -> Result<T, Error>) -> Result<Option<T>, Error> {
    if auto(what) { Ok(None) } else { value().map(Some) }
}

fn value_of<T: FromStr<Err = UnitError>>(what: &SetTarget, value: &str) -> Result<Option<T>, Error> {
    optional(what, || value.parse().map_err(|error: UnitError| Error::Usage(error.to_string())))
}

fn choice<T: Copy>(what: &str, value: &str, choices: &[(&str, T)]) -> Result<T, Error> {
    let found = choices.iter().find(|(word, _)| *word == value).map(|(_, choice)| *choice);
    found.ok_or_else(|| {
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
        Error::Usage(format!("{what}: `{value}` is not a value; use {} or `auto`", words.join(", ")))
    })
}

fn known<'a>(what: &str, name: &str, all: impl Iterator<Item = &'a str>) -> Result<String, Error> {
    let all: Vec<&str> = all.collect();
    if all.contains(&name) {
        return Ok(name.to_owned());
    }
    let hint = config::nearest(name, all.iter().copied()).map_or_else(
        || format!("known are {}", all.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        |nearest| format!("did you mean `{nearest}`?"),
    );
    Err(Error::Usage(format!("no {what} `{name}`; {hint}")))
}

pub(super) fn known_fan(cfg: &Config, fan: u8) -> Result<u8, Error> {
    if cfg.fans.contains_key(&fan) {
        return Ok(fan);
    }
    let known: Vec<String> = cfg.fans.keys().map(u8::to_string).collect();
    Err(Error::Usage(format!("no fan {fan}; known are {}", known.join(", "))))
}

fn duration(cfg: &Config, text: Option<&str>) -> Result<Seconds, Error> {
    let Some(text) = text else { return Ok(cfg.overrides.default_time) };
    let lasts: Seconds = text.parse().map_err(|error: UnitError| Error::Usage(format!("--for: {error}")))?;
    if lasts.0 == 0 || lasts > cfg.overrides.max_time {
        let max = cfg.overrides.max_time;
        return Err(Error::Usage(format!("--for: {lasts} is not allowed; from 1 s to {max} (overrides.max_time)")));
    }
    Ok(lasts)
}

fn open(cfg: &Config) -> Result<Store, Error> {
    Store::new(&cfg.paths.data).map_err(Error::Storage)
}

fn event(now: &crate::units::Moment, kind: EventKind, subject: &str, text: String) -> Event {
    Event { at: now.wall, kind, subject: subject.to_owned(), text }
}

/// Who is at the keyboard: the user that logged in, and from where.
pub(super) fn who() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("SUDO_USER").or_else(|| variable("USER")).unwrap_or_else(|| "unknown".to_owned());
    let from = variable("SSH_CONNECTION").and_then(|text| text.split(' ').next().map(str::to_owned));
    let text = from.map_or(user.clone(), |from| format!("{user} from {from}"));
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
