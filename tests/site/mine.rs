//! The miners: what each draws, how it falls asleep, boots, ramps up and protects itself. It does not know who gave an
//! order or over which wire.

use crate::physics::{noise, pick};

/// Six PDUs of 48 outlets.
pub(crate) const PDUS: usize = 6;
/// Outlets of a PDU.
pub(crate) const OUTLETS: usize = 48;
/// All miners.
pub(crate) const MINERS: usize = PDUS * OUTLETS;

const HASHING_WATTS: f64 = 3350.0;
const ASLEEP_WATTS: f64 = 25.0;
const RAMP_S: u64 = 20;
const TRIP_C: f64 = 45.0;
const TRIP_S: u64 = 60;

/// A power mode as the fleet service names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Sleeping,
    Low,
    Normal,
    High,
}

impl Mode {
    pub(crate) fn parse(text: &str) -> Option<Mode> {
        match text {
            "sleeping" => Some(Mode::Sleeping),
            "low" => Some(Mode::Low),
            "normal" => Some(Mode::Normal),
            "high" => Some(Mode::High),
            _ => None,
        }
    }

    fn level(self) -> f64 {
        match self {
            Mode::Sleeping | Mode::Normal => 1.0,
            Mode::Low => 0.7,
            Mode::High => 1.06,
        }
    }
}

/// What a miner does now; times are steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Off,
    Boot {
        until: u64,
    },
    Ramp {
        since: u64,
    },
    Hashing,
    Asleep,
    /// Stopped itself because of hot intake air; needs an outlet cycle or a new mode.
    Tripped,
}

/// One miner and the contact of its outlet.
#[derive(Clone)]
pub(crate) struct Miner {
    pub(crate) id: u32,
    pub(crate) phase: Phase,
    /// Whether its outlet's contact is closed.
    pub(crate) has_power: bool,
    mode: Mode,
    order: Option<(u64, Mode)>,
    hot_s: u64,
    watts: f64,
}

impl Miner {
    pub(crate) fn hashing(id: u32, seed: u64) -> Miner {
        let watts = HASHING_WATTS * (1.0 + 0.02 * noise(seed, u64::from(id), 0));
        Miner { id, phase: Phase::Hashing, has_power: true, mode: Mode::Normal, order: None, hot_s: 0, watts }
    }

    /// Takes an order over the network that the miner follows at a later step.
    pub(crate) fn order(&mut self, at: u64, mode: Mode) {
        self.order = Some((at, mode));
    }

    /// One second.
    pub(crate) fn step(&mut self, step: u64, seed: u64, intake_c: f64, sleep_persists: bool) {
        if !self.has_power {
            self.phase = Phase::Off;
            self.order = None;
            return;
        }
        let boot = Phase::Boot { until: step + pick(seed, u64::from(self.id), step, 60, 150) };
        if self.phase == Phase::Off {
            self.phase = boot;
        }
        if let Some((_, mode)) = self.order.take_if(|(at, _)| *at <= step) {
            self.mode = mode;
            match (mode, self.phase) {
                (Mode::Sleeping, _) => self.phase = Phase::Asleep,
                (_, Phase::Asleep | Phase::Tripped) => self.phase = boot,
                (_, Phase::Off | Phase::Boot { .. } | Phase::Ramp { .. } | Phase::Hashing) => {}
            }
        }
        self.progress(step, sleep_persists);
        self.protect(intake_c);
    }

    fn progress(&mut self, step: u64, sleep_persists: bool) {
        match self.phase {
            Phase::Boot { until } if until <= step => {
                if self.mode == Mode::Sleeping && sleep_persists {
                    self.phase = Phase::Asleep;
                    return;
                }
                if self.mode == Mode::Sleeping {
                    self.mode = Mode::Normal;
                }
                self.phase = Phase::Ramp { since: step };
            }
            Phase::Ramp { since } if since + RAMP_S <= step => self.phase = Phase::Hashing,
            Phase::Off | Phase::Boot { .. } | Phase::Ramp { .. } => {}
            Phase::Hashing | Phase::Asleep | Phase::Tripped => {}
        }
    }

    fn protect(&mut self, intake_c: f64) {
        let is_working = matches!(self.phase, Phase::Hashing | Phase::Ramp { .. });
        self.hot_s = if is_working && intake_c > TRIP_C { self.hot_s + 1 } else { 0 };
        // Not all in the same second: the units stand in slightly different air.
        if self.hot_s >= TRIP_S + u64::from(self.id % 20) {
            self.phase = Phase::Tripped;
        }
    }

    /// Electrical power at a step, with a measuring error that changes every five seconds.
    pub(crate) fn watts(&self, step: u64, seed: u64) -> f64 {
        let error = 1.0 + 0.004 * noise(seed, u64::from(self.id), step / 5);
        match self.phase {
            Phase::Off => 0.0,
            Phase::Boot { .. } | Phase::Asleep | Phase::Tripped => ASLEEP_WATTS * error,
            Phase::Ramp { since } => {
                let part = step.saturating_sub(since) as f64 / RAMP_S as f64;
                ASLEEP_WATTS + (self.watts * self.mode.level() - ASLEEP_WATTS) * part.min(1.0) * error
            }
            Phase::Hashing => self.watts * self.mode.level() * error,
        }
    }

    /// Terahashes a second as its type plate says, when it hashes.
    pub(crate) fn terahashes(&self) -> f64 {
        if self.phase == Phase::Hashing { plate(self.id).1 * self.mode.level() } else { 0.0 }
    }
}

/// Type name, hash rate in TH/s and watts as on the type plate.
pub(crate) fn plate(id: u32) -> (&'static str, f64, f64) {
    if id.is_multiple_of(3) {
        ("Antminer S19 Pro (110T)", 110.0, 3250.0)
    } else {
        ("Antminer S19j Pro+ (122T)", 122.0, 3355.0)
    }
}
