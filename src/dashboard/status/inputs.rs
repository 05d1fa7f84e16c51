//! What was read: the power signal, the air, the switches.

use serde::Serialize;

use super::{Point, Value};

/// The power signal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignalStatus {
    /// `run`, `curtail` or `blind`.
    pub level: &'static str,
    /// Since when.
    pub since: Point,
    /// A person set it.
    pub set_by_hand: bool,
    /// The last good text of the page; null before the first.
    pub last_good: Option<String>,
    /// When that was read.
    pub last_good_at: Option<Point>,
    /// The page's number in the last good reading of this run; null when it shows words or was not read.
    pub number: Option<f64>,
    /// The page's own time stamp in this run.
    pub page_stamp: Option<Point>,
    /// Names the page of this run.
    pub evidence: Option<String>,
    /// The file of the page that was kept last, from the data folder on.
    pub kept_page: Option<String>,
    /// When the text last changed.
    pub changed: Option<Point>,
    /// Why this run has no good reading; null when it has one.
    pub problem: Option<String>,
    /// Good readings in a row that would let run.
    pub run_readings: u32,
    /// How many are needed to resume.
    pub run_readings_needed: u32,
    /// What the page's value means, for people.
    pub meaning: String,
    /// The number at and beyond which the miners go off; null for a page with words.
    pub curtail_at: Option<f64>,
    /// The number on whose other side they may run again; null for a page with words.
    pub resume_below: Option<f64>,
    /// What a blind signal does, for people.
    pub when_blind: &'static str,
}

/// The intake's climate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClimateStatus {
    /// `unknown`, `cold`, `normal`, `warm`, `hot` or `critical`.
    pub band: &'static str,
    /// Since when.
    pub since: Point,
    /// The hottest trustworthy intake temperature.
    pub intake: Value,
    /// Miners were shed for heat.
    pub shedding: bool,
    /// The limits, for people.
    pub limits: String,
    /// Above this the miners go off, in °C.
    pub shed_above_celsius: f64,
    /// Above this it is an emergency, in °C.
    pub critical_above_celsius: f64,
    /// The probes.
    pub probes: Vec<ProbeStatus>,
    /// The switches.
    pub switches: Vec<SwitchStatus>,
}

/// A probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeStatus {
    /// Its name.
    pub name: String,
    /// `intake`, `exhaust`, `outdoor` or `other`.
    pub role: &'static str,
    /// Air temperature.
    pub temperature: Value,
    /// Relative humidity; null for a probe that measures none.
    pub humidity: Option<Value>,
}

/// A switch sensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SwitchStatus {
    /// Its name.
    pub name: String,
    /// In alarm or not; null when it could not be read.
    pub alarm: Option<bool>,
    /// Why it could not be read.
    pub problem: Option<String>,
    /// The same for people.
    pub text: String,
    /// How old it is, in seconds; null when it could not be read.
    pub age_s: Option<u64>,
    /// The miners go off with it.
    pub stops_mine: bool,
}
