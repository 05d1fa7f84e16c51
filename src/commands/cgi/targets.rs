//! Everything that can be set, as a form offers it, and a form's answer as the command line would have it. Whether a
//! value is good is judged where `minectl set` judges it.

use serde::Serialize;

use crate::cli::{MinersArgs, SetTarget};
use crate::config::Config;
use crate::model::{WrittenPhase, WrittenState};

/// A button of a form.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Choice {
    /// The value that it sends.
    pub(super) value: String,
    /// What it says; the value but for `auto`.
    pub(super) word: String,
}

/// How a target is set.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Form {
    /// As typed after `minectl set`: `fan 3`.
    pub(super) target: String,
    /// Its values, when they are words; empty for a number.
    pub(super) choices: Vec<Choice>,
    /// An example of a number, with its unit.
    pub(super) example: &'static str,
    /// Running against the signal can be asked for.
    pub(super) against: bool,
}

impl Form {
    fn words(target: String, words: &[&str]) -> Form {
        let choice = |word: &&str| Choice { value: (*word).to_owned(), word: (*word).to_owned() };
        Form { target, choices: words.iter().map(choice).collect(), example: "", against: false }
    }

    fn number(target: String, example: &'static str) -> Form {
        Form { target, choices: Vec::new(), example, against: false }
    }

    /// The power signal.
    pub(super) fn signal() -> Form {
        Form::words("signal".to_owned(), &["run", "curtail", "blind"])
    }

    /// A probe's temperature.
    pub(super) fn temperature(probe: &str) -> Form {
        Form::number(format!("temp {probe}"), "95 F or 35 C")
    }

    /// A probe's humidity.
    pub(super) fn humidity(probe: &str) -> Form {
        Form::number(format!("humidity {probe}"), "40")
    }

    /// A fan's watts.
    pub(super) fn fan_watts(fan: u8) -> Form {
        Form::number(format!("fan-watts {fan}"), "1500 W")
    }

    /// A PDU's watts.
    pub(super) fn miner_watts(pdu: &str) -> Form {
        Form::number(format!("miner-watts {pdu}"), "160 kW")
    }

    /// A switch sensor.
    pub(super) fn switch(name: &str) -> Form {
        Form::words(format!("switch {name}"), &["normal", "alarm"])
    }

    /// A fan.
    pub(super) fn fan(fan: u8) -> Form {
        Form::words(format!("fan {fan}"), &["on", "off"])
    }

    /// The miners.
    pub(super) fn miners() -> Form {
        Form { against: true, ..Form::words("miners".to_owned(), &["on", "off"]) }
    }

    /// A machine's state.
    pub(super) fn state(cfg: &Config, machine: &str) -> Form {
        let target = format!("state {machine}");
        match machine {
            "signal" => Form::words(target, &["run", "curtail", "blind"]),
            "climate" => Form::words(target, &["normal", "shedding"]),
            "miners" => Form::words(target, &WrittenPhase::ALL.map(WrittenPhase::word)),
            _ => {
                let stages: Vec<String> = (1..=cfg.fan_rules.stages.len()).map(|stage| stage.to_string()).collect();
                Form::words(target, &stages.iter().map(String::as_str).collect::<Vec<_>>())
            }
        }
    }

    /// Every target that there is.
    pub(super) fn all(cfg: &Config) -> Vec<Form> {
        let mut all = vec![Form::signal()];
        for room in &cfg.rooms {
            for probe in &room.probes {
                all.extend([Form::temperature(&probe.name), Form::humidity(&probe.name)]);
            }
            all.extend(room.switches.iter().map(|switch| Form::switch(&switch.name)));
        }
        all.extend(cfg.fans.keys().map(|fan| Form::fan_watts(*fan)));
        all.extend(cfg.pdus.iter().map(|pdu| Form::miner_watts(&pdu.name)));
        all.push(Form::miners());
        all.extend(cfg.fans.keys().map(|fan| Form::fan(*fan)));
        all.extend(WrittenState::MACHINES.iter().map(|machine| Form::state(cfg, machine)));
        all
    }
}

/// What the command line would make of it; `None` for a target that is none.
pub(super) fn parse(target: &str, value: &str, against_signal: bool) -> Option<SetTarget> {
    let value = value.trim().to_owned();
    let (kind, name) = target.split_once(' ').unwrap_or((target, ""));
    let owned = || name.to_owned();
    Some(match (kind, name) {
        ("signal", "") => SetTarget::Signal { level: value },
        ("miners", "") => SetTarget::Miners(MinersArgs { value, against_signal }),
        ("temp", _) => SetTarget::Temp { probe: owned(), value },
        ("humidity", _) => SetTarget::Humidity { probe: owned(), value },
        ("fan-watts", _) => SetTarget::FanWatts { fan: name.parse().ok()?, value },
        ("miner-watts", _) => SetTarget::MinerWatts { pdu: owned(), value },
        ("switch", _) => SetTarget::Switch { name: owned(), value },
        ("fan", _) => SetTarget::Fan { fan: name.parse().ok()?, value },
        ("state", _) => SetTarget::State { machine: owned(), value },
        _ => return None,
    })
}
