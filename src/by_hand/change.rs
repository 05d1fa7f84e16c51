//! What follows from what a person asks for: an override, its end, an acknowledgement, as a change of the store with its events
//! and messages. It is checked and made here, and saved elsewhere.

use std::collections::BTreeMap;

use super::target::{Parsed, parse};
use crate::cli::SetTarget;
use crate::config::Config;
use crate::error::Error;
use crate::model::{Alarm, Event, EventKind, Level, Notice, Override, Setting, Severity};
use crate::notify;
use crate::store::Change;
use crate::units::{Moment, Seconds, UnitError};

/// The longest reason that is kept.
const REASON_CHARS_MAX: usize = 200;

/// What a person asked for.
pub struct Asked<'a> {
    /// Target and value.
    pub what: &'a SetTarget,
    /// For how long; `None` is the configured time.
    pub lasts: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
    /// Who.
    pub by: &'a str,
}

/// The same, checked.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// An override to set.
    Set(Override),
    /// A target whose override is to end.
    Clear(String),
}

/// Checks names, values, time, and that nobody runs against the signal unawares; `level` is asked only for that. Changes
/// nothing.
pub fn wanted(
    cfg: &Config,
    now: &Moment,
    level: impl FnOnce() -> Result<Level, Error>,
    asked: &Asked<'_>,
) -> Result<Wanted, Error> {
    let setting = match parse(cfg, asked.what)? {
        Parsed::Auto(target) => return Ok(Wanted::Clear(target)),
        Parsed::Setting(setting) => setting,
    };
    if let Setting::Miners { on: true, against_signal: false } = setting {
        let level = level()?;
        if level != Level::Run {
            return Err(Error::Usage(format!(
                "the signal says {}; `set miners on` against it needs --against-signal and may cost the rate",
                level.word()
            )));
        }
    }
    let lasts = duration(cfg, asked.lasts)?;
    let reason = asked.reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
    Ok(Wanted::Set(Override { setting, since: *now, lasts, by: asked.by.to_owned(), reason }))
}

/// The change that sets an override as of `now`, with its event and its message; and what is set, in words.
pub fn setting(cfg: &Config, now: &Moment, over: Override) -> (Change, String) {
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
        events: vec![event(now, &over.setting.target(), format!("set: {text}"))],
        queue: notify::route(&cfg.notify, &notice).into_iter().map(|channel| (channel, notice.clone())).collect(),
        overrides: vec![Override { since: *now, ..over }],
        ..Change::default()
    };
    (change, text)
}

/// The change that ends the override of a target, or of `all`; `overrides_done` names those that end, and is empty when
/// none is set at all. `Err` lists those that are set.
pub fn clearing(cfg: &Config, now: &Moment, overrides: &[Override], target: &str, by: &str) -> Result<Change, Error> {
    let gone: Vec<&Override> =
        overrides.iter().filter(|over| target == "all" || over.setting.target() == target).collect();
    if gone.is_empty() {
        if target == "all" || (overrides.is_empty() && !target.is_empty()) {
            return Ok(Change::default());
        }
        let known: Vec<String> = overrides.iter().map(|over| format!("`{}`", over.setting.target())).collect();
        let known = if known.is_empty() { "none is set".to_owned() } else { format!("set are {}", known.join(", ")) };
        return Err(Error::Usage(format!("no override of `{target}`; {known}")));
    }
    let mut change = Change::default();
    for over in &gone {
        let text = format!("cleared: {} by {by}", over.setting);
        change.events.push(event(now, &over.setting.target(), text.clone()));
        let notice = Notice { severity: Severity::Info, at: now.wall, text: format!("Override {text}") };
        let channels = notify::route(&cfg.notify, &notice).into_iter();
        change.queue.extend(channels.map(|channel| (channel, notice.clone())));
        change.overrides_done.push(over.setting.target());
    }
    Ok(change)
}

/// The alarms that are acknowledged, by whom: one of those that stand, or `all`. `Err` lists those that stand.
pub fn acknowledging(
    alarms: &BTreeMap<String, Alarm>,
    alarm: &str,
    by: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let chosen: Vec<&String> = alarms.keys().filter(|id| alarm == "all" || *id == alarm).collect();
    if chosen.is_empty() {
        let known: Vec<String> = alarms.keys().map(|id| format!("`{id}`")).collect();
        let known =
            if known.is_empty() { "no alarm stands".to_owned() } else { format!("standing are {}", known.join(", ")) };
        return Err(Error::Usage(format!("no alarm `{alarm}`; {known}")));
    }
    Ok(chosen.iter().map(|id| ((*id).clone(), by.to_owned())).collect())
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

fn event(now: &Moment, subject: &str, text: String) -> Event {
    Event { at: now.wall, kind: EventKind::Override, subject: subject.to_owned(), text }
}
