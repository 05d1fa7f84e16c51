//! The settings of relay boards and fans, and the rules for the fans.

use std::fmt;
use std::path::PathBuf;

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
    /// The page that is read and written; the family's own when absent.
    pub page: Option<RelayPage>,
    /// Another serial number is refused.
    pub serial: Option<String>,
    /// User for HTTP Basic.
    pub user: Option<String>,
    /// Password for HTTP Basic.
    pub password: Option<Secret>,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest wait.
    pub timeout: Seconds,
}

/// The dialects of ControlByWeb boards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayFamily {
    /// Found out by reading, in each run.
    Auto,
    /// X-400 series: `relayN`.
    Series400,
    /// X-300 series, X-WR-10R12, WebRelay-Quad: `relayNstate`.
    Series300,
    /// X-WR-1R12, one relay: `relaystate`.
    Single,
    /// `relaystates`, all relays in one word.
    X332,
}

/// The pages on which boards show their relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayPage {
    /// `state.json`, 400 series.
    StateJson,
    /// `state.xml`, all boards; without HTTP headers on some.
    StateXml,
    /// `stateFull.xml`, the oldest boards.
    StateFullXml,
    /// `customState.json`, 400 series with relays of other units, by their names.
    CustomStateJson,
}

impl RelayPage {
    /// Its name on the board.
    pub fn file(self) -> &'static str {
        match self {
            RelayPage::StateJson => "state.json",
            RelayPage::StateXml => "state.xml",
            RelayPage::StateFullXml => "stateFull.xml",
            RelayPage::CustomStateJson => "customState.json",
        }
    }
}

/// `[[fan]]`
#[derive(Debug, Clone)]
pub struct FanConfig {
    /// Its number.
    pub number: u8,
    /// The relay board.
    pub board: String,
    /// The relay on it.
    pub relay: RelayPoint,
    /// What the relay does to the fan.
    pub wiring: Wiring,
}

/// Which relay of a board.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelayPoint {
    /// By number, from 1.
    Number(u8),
    /// By the name that the board shows it under: relays of expansion modules.
    Name(String),
}

impl fmt::Display for RelayPoint {
    /// `relay 3`, ``relay `device2Relay6` ``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RelayPoint::Number(number) => write!(f, "relay {number}"),
            RelayPoint::Name(name) => write!(f, "relay `{name}`"),
        }
    }
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
