//! What can be set, in the words of `minectl set`: names are checked against the configuration, values against their units.

use std::str::FromStr;

use crate::cli::SetTarget;
use crate::config::{self, Config};
use crate::error::Error;
use crate::model::{Level, Setting, WrittenPhase, WrittenState};
use crate::units::UnitError;

/// The words of a power signal.
const LEVELS: [(&str, Level); 3] = [("run", Level::Run), ("curtail", Level::Curtail), ("blind", Level::Blind)];

/// A target with its value.
pub(super) enum Parsed {
    /// The override of this target is to end.
    Auto(String),
    /// It is to be this.
    Setting(Setting),
}

/// Checks names against the configuration and values against their units.
pub(super) fn parse(cfg: &Config, what: &SetTarget) -> Result<Parsed, Error> {
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

/// The fan, when the configuration has it; `Err` names those that it has.
pub fn known_fan(cfg: &Config, fan: u8) -> Result<u8, Error> {
    if cfg.fans.contains_key(&fan) {
        return Ok(fan);
    }
    let known: Vec<String> = cfg.fans.keys().map(u8::to_string).collect();
    Err(Error::Usage(format!("no fan {fan}; known are {}", known.join(", "))))
}
