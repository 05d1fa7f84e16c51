//! Overrides: what a person put in place of an input, or held an output at.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DrillOrder, Level};
use crate::units::{Humidity, Moment, Seconds, Temperature, Watts};

/// What an override sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// The power signal, in place of the page.
    Signal(Level),
    /// A probe's temperature.
    Temperature {
        /// The probe.
        probe: String,
        /// The value.
        value: Temperature,
    },
    /// A probe's humidity.
    Humidity {
        /// The probe.
        probe: String,
        /// The value.
        value: Humidity,
    },
    /// A fan's measured watts.
    FanWatts {
        /// The fan.
        fan: u8,
        /// The value.
        value: Watts,
    },
    /// A PDU's measured watts.
    MinerWatts {
        /// The PDU.
        pdu: String,
        /// The value.
        value: Watts,
    },
    /// A switch sensor: whether it is in alarm.
    Switch {
        /// The switch.
        name: String,
        /// In alarm or not.
        alarm: bool,
    },
    /// Holds a fan on or off.
    Fan {
        /// The fan.
        fan: u8,
        /// On or off.
        on: bool,
    },
    /// Holds the miners off, or asks for them to run.
    Miners {
        /// On or off.
        on: bool,
        /// On although the signal says off: said so by the person.
        against_signal: bool,
    },
    /// Writes a machine's state, once; from then on its rules go on.
    State(WrittenState),
    /// Orders a drill; it is taken away when the drill is over.
    Drill(DrillOrder),
}

/// The state of a machine, written by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrittenState {
    /// The power signal's level.
    Signal(Level),
    /// Whether the miners are shed for heat.
    Climate {
        /// Shed or not.
        shedding: bool,
    },
    /// Where the miners stand.
    Miners(WrittenPhase),
    /// The fan stage, counted from 1.
    FanStage(u8),
}

impl WrittenState {
    /// The machines as typed after `minectl set state`.
    pub const MACHINES: [&'static str; 4] = ["signal", "climate", "miners", "fan-stage"];

    /// The machine.
    pub fn machine(self) -> &'static str {
        match self {
            WrittenState::Signal(_) => "signal",
            WrittenState::Climate { .. } => "climate",
            WrittenState::Miners(_) => "miners",
            WrittenState::FanStage(_) => "fan-stage",
        }
    }
}

impl fmt::Display for WrittenState {
    /// The value: `curtail`, `shedding`, `resuming`, `3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WrittenState::Signal(level) => f.write_str(level.word()),
            WrittenState::Climate { shedding } => f.write_str(if *shedding { "shedding" } else { "normal" }),
            WrittenState::Miners(phase) => f.write_str(phase.word()),
            WrittenState::FanStage(stage) => write!(f, "{stage}"),
        }
    }
}

/// A phase of the miners, as far as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrittenPhase {
    /// Adopt what is observed.
    Boot,
    /// They may run.
    Running,
    /// Switch them off, from the first rung on.
    Curtailing,
    /// They are off.
    Curtailed,
    /// Start them, from the first group on.
    Resuming,
    /// Switch them off by every rung.
    Fault,
}

impl WrittenPhase {
    /// All of them, in the order of a curtailment.
    pub const ALL: [WrittenPhase; 6] = [
        WrittenPhase::Boot,
        WrittenPhase::Running,
        WrittenPhase::Curtailing,
        WrittenPhase::Curtailed,
        WrittenPhase::Resuming,
        WrittenPhase::Fault,
    ];

    /// The word used in log and page; the same as of the phase.
    pub fn word(self) -> &'static str {
        match self {
            WrittenPhase::Boot => "boot",
            WrittenPhase::Running => "running",
            WrittenPhase::Curtailing => "curtailing",
            WrittenPhase::Curtailed => "curtailed",
            WrittenPhase::Resuming => "resuming",
            WrittenPhase::Fault => "fault",
        }
    }
}

impl Setting {
    /// What it sets, as typed after `minectl set`: `fan 3`, `temp intake-west`. One override for each target.
    pub fn target(&self) -> String {
        match self {
            Setting::Signal(_) => "signal".to_owned(),
            Setting::Temperature { probe, .. } => format!("temp {probe}"),
            Setting::Humidity { probe, .. } => format!("humidity {probe}"),
            Setting::FanWatts { fan, .. } => format!("fan-watts {fan}"),
            Setting::MinerWatts { pdu, .. } => format!("miner-watts {pdu}"),
            Setting::Switch { name, .. } => format!("switch {name}"),
            Setting::Fan { fan, .. } => format!("fan {fan}"),
            Setting::Miners { .. } => "miners".to_owned(),
            Setting::State(written) => format!("state {}", written.machine()),
            Setting::Drill(_) => "drill".to_owned(),
        }
    }
}

impl fmt::Display for Setting {
    /// `fan 3 = on`, `temp intake-west = 95.0 °F (35.0 °C)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |on: &bool| if *on { "on" } else { "off" };
        write!(f, "{} = ", self.target())?;
        match self {
            Setting::Signal(level) => f.write_str(level.word()),
            Setting::Temperature { value, .. } => write!(f, "{value}"),
            Setting::Humidity { value, .. } => write!(f, "{value}"),
            Setting::FanWatts { value, .. } | Setting::MinerWatts { value, .. } => write!(f, "{value}"),
            Setting::Switch { alarm, .. } => f.write_str(if *alarm { "alarm" } else { "normal" }),
            Setting::Fan { on, .. } => f.write_str(word(on)),
            Setting::Miners { on, against_signal } => {
                write!(f, "{}{}", word(on), if *against_signal { " (against the signal)" } else { "" })
            }
            Setting::State(written) => write!(f, "{written}"),
            Setting::Drill(order) => f.write_str(if order.is_dry { "dry" } else { "one miner and one fan" }),
        }
    }
}

/// An override with its end, its reason and who set it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// What it sets.
    pub setting: Setting,
    /// When it was set.
    pub since: Moment,
    /// How long it holds from then.
    pub lasts: Seconds,
    /// Who set it: user and terminal, or the web user.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Override {
    /// What is left of it at `now`; zero when it has run out.
    pub fn left(&self, now: &Moment) -> Seconds {
        self.lasts.saturating_sub(now.since(&self.since))
    }
}
