//! The settings of relay boards and fans, and the rules for the fans.

use super::Secret;
use crate::units::{Seconds, Temperature, Watts};

/// `[[relay_board]]`
#[derive(Debug, Clone)]
pub struct RelayBoardConfig {
    /// Its name.
    pub name: String,
    /// Its address, without path.
    pub url: String,
    /// Its dialect.
    pub family: RelayFamily,
    /// Another serial number is refused.
    pub serial: Option<String>,
    /// User for HTTP Basic.
    pub user: Option<String>,
    /// Password for HTTP Basic.
    pub password: Option<Secret>,
    /// The longest wait.
    pub timeout: Seconds,
}

/// The dialects of ControlByWeb boards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayFamily {
    /// X-400 series: `state.json`, `relayN`.
    Series400,
    /// X-300 series, X-WR-10R12, WebRelay-Quad: `state.xml`, `relayNstate`.
    Series300,
}

/// `[[fan]]`
#[derive(Debug, Clone)]
pub struct FanConfig {
    /// Its number.
    pub number: u8,
    /// The relay board.
    pub board: String,
    /// The relay on it, from 1.
    pub relay: u8,
    /// What the relay does to the fan.
    pub wiring: Wiring,
}

/// What a relay does to its fan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wiring {
    /// The fan runs while the relay is off: it runs when the board is dead.
    NormallyClosed,
    /// The fan runs while the relay is on.
    NormallyOpen,
}

/// `[fans]`
#[derive(Debug, Clone)]
pub struct FanRules {
    /// Watts that prove a fan running.
    pub on_above: Watts,
    /// Watts that prove it stopped.
    pub off_below: Watts,
    /// Time to prove a command.
    pub prove_within: Seconds,
    /// Stages, lowest temperature first.
    pub stages: Vec<FanStage>,
    /// In kelvin: how far below its `above` a stage is left.
    pub hysteresis_k: f64,
    /// Fewest fans while miners draw power.
    pub min_running: u8,
    /// Shortest time on or off.
    pub min_switch_time: Seconds,
    /// While miners draw power no fan stops for this long after one was started.
    pub settle_time: Seconds,
    /// Time between two fans stopping.
    pub step_time: Seconds,
    /// Time the fans run on after the miners are proven off.
    pub run_on: Seconds,
    /// With the miners off, fans run at and above this.
    pub off_room_above: Temperature,
    /// Fans proven running before the first group is resumed.
    pub before_resume: u8,
    /// Most switchings of one fan in an hour, except towards safety.
    pub max_switchings_per_hour: u32,
    /// What one fan can cool, by outdoor temperature, the coldest first; empty when the airflow budget is not used.
    pub capacity: Vec<FanCapacity>,
    /// A fan that ran this much longer than one at rest changes places with it.
    pub rotate_after: Seconds,
}

impl FanRules {
    /// A dead fan has this long to be replaced by another one.
    pub fn replaced_within(&self) -> Seconds {
        Seconds(self.prove_within.0.saturating_mul(2))
    }
}

/// What one fan can cool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FanCapacity {
    /// From this outdoor temperature on.
    pub above: Temperature,
    /// This much miner power for each fan.
    pub each: Watts,
}

/// A fan stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FanStage {
    /// From this intake temperature on.
    pub above: Temperature,
    /// This many fans.
    pub run: u8,
}
