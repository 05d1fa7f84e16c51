//! What is true at the site: air, fans and miners (those of the simulated site of the demo), contacts, coils, clocks, and
//! what a command really does. It judges nothing.

use std::collections::BTreeMap;

use minectl::model::*;
use minectl::units::*;

use super::faults::{Broken, Fault as Breakdown, Kind};
use super::weather::{DAY_S, Rng, Weather};
use crate::mine::{MINERS, Miner, Mode, OUTLETS, PDUS, Phase};
use crate::physics::{Air, FANS, Fan, pick};
use crate::scene::fault;

/// 1 January 2026, midnight at the site.
pub const NEW_YEAR: i64 = 1_767_247_200;
/// The fans of the first board; the others are on the second.
pub const FIRST_BOARD: usize = 5;
/// Miners that ignore a command to sleep, in a hundred; others every day.
const STUBBORN_PERCENT: u64 = 3;
/// Miners that do not come back from an off, each time.
const LOST_PART: f64 = 0.003;
/// An order that the agent fetches later than this is dropped.
const ORDER_AGE_MAX_S: u64 = 600;

/// An order that waits for Foreman's agent.
struct Order {
    command: u64,
    miner: usize,
    mode: Mode,
    since: u64,
}

pub struct Site {
    pub seed: u64,
    pub second: u64,
    pub weather: Weather,
    pub broken: Broken,
    pub air: Air,
    pub outdoor_c: f64,
    pub fans: Vec<Fan>,
    /// Whether a coil stops its fan, and whether the board shows so.
    pub coils: [bool; FANS],
    pub shown_coils: [bool; FANS],
    /// Relays that changed by a command, as a sum.
    pub switchings: u64,
    pub miners: Vec<Miner>,
    pub shown_outlets: Vec<bool>,
    contacts: Vec<bool>,
    /// Outlets that somebody switched and will look after.
    turned: Vec<usize>,
    /// Miners that wait for a repair, and until when.
    pub lost: BTreeMap<usize, u64>,
    pub commands: BTreeMap<u64, CommandStatus>,
    waiting: Vec<Order>,
    last_command: u64,
    pub heat_watts: f64,
    /// Miners may change their state until then: looked at more often.
    busy_until: u64,
    /// Seconds above this intake, as a sum.
    pub critical_c: f64,
    pub critical_s: u64,
    boot: u32,
    pub booted: u64,
    /// The wall clock less the true time, until it is put right.
    pub wall_error: i64,
    pub wall_right_at: u64,
    rng: Rng,
}

impl Site {
    pub fn new(seed: u64, critical_c: f64) -> Site {
        let weather = Weather::of(seed);
        let outdoor_c = weather.at(0);
        let miners: Vec<Miner> = (0..MINERS).map(|i| Miner::hashing(1001 + i as u32, seed)).collect();
        let heat_watts = miners.iter().map(|miner| miner.watts(0, seed)).sum();
        Site {
            seed,
            second: 0,
            weather,
            broken: Broken::default(),
            air: Air::steady(outdoor_c, heat_watts),
            outdoor_c,
            fans: vec![Fan::running(); FANS],
            coils: [false; FANS],
            shown_coils: [false; FANS],
            switchings: 0,
            miners,
            shown_outlets: vec![true; MINERS],
            contacts: vec![true; MINERS],
            turned: Vec::new(),
            lost: BTreeMap::new(),
            commands: BTreeMap::new(),
            waiting: Vec::new(),
            last_command: 0,
            heat_watts,
            busy_until: 0,
            critical_c,
            critical_s: 0,
            boot: 1,
            booted: 0,
            wall_error: 0,
            wall_right_at: 0,
            rng: Rng::new(seed, 4),
        }
    }

    /// The controller's clocks.
    pub fn now(&self) -> Moment {
        Moment {
            wall: UnixSeconds(self.device_time() + self.wall_error),
            boot: BootId(self.boot),
            up: Seconds(self.second - self.booted),
        }
    }

    /// The clock of every other device.
    pub fn device_time(&self) -> i64 {
        NEW_YEAR + self.second as i64
    }

    pub fn advance(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.second += 1;
            if self.second.is_multiple_of(60) {
                self.outdoor_c = self.weather.at(self.second);
            }
            let pace = match (self.air.intake_c > 43.0, self.second < self.busy_until) {
                (true, _) => 1,
                (false, true) => 5,
                (false, false) => 60,
            };
            if self.second.is_multiple_of(pace) {
                self.step_miners();
            }
            let is_dark = self.broken.has(Kind::Blackout, 0);
            for fan in 0..FANS {
                let is_powered = !is_dark && (!self.coils[fan] || self.broken.has(Kind::FanWelded, fan));
                self.fans[fan].step(is_powered);
            }
            let moved = self.fans.iter().map(|fan| fan.speed).sum();
            self.air.step(self.outdoor_c, self.heat_watts, moved, self.seed, self.second);
            self.critical_s += u64::from(self.air.intake_c >= self.critical_c);
        }
    }

    fn step_miners(&mut self) {
        let (second, seed, intake_c) = (self.second, self.seed, self.air.intake_c);
        let mut heat = 0.0;
        for miner in &mut self.miners {
            miner.step(second, seed, intake_c, false);
            heat += miner.watts(second, seed);
        }
        self.heat_watts = heat;
    }

    /// True watts of a PDU (from 0).
    pub fn pdu_watts(&self, pdu: usize) -> f64 {
        let miners = &self.miners[pdu * OUTLETS..(pdu + 1) * OUTLETS];
        miners.iter().map(|miner| miner.watts(self.second, self.seed)).sum()
    }

    pub fn fans_running(&self) -> usize {
        self.fans.iter().filter(|fan| fan.is_running()).count()
    }

    /// Fans that could run if they were told so.
    pub fn fans_able(&self) -> usize {
        let reached = |fan: usize| {
            let board = usize::from(fan >= FIRST_BOARD);
            !self.coils[fan] || !(self.broken.has(Kind::BoardDown, board) || self.broken.has(Kind::BoardLies, board))
        };
        (0..FANS).filter(|fan| !self.fans[*fan].is_dead && reached(*fan)).count()
    }

    pub fn is_stubborn(&self, miner: usize) -> bool {
        pick(self.seed, 500 + miner as u64, self.second / DAY_S, 0, 99) < STUBBORN_PERCENT
    }

    /// How long reading all devices takes.
    pub fn read_seconds(&self) -> u64 {
        let is_silent = |fault: &Breakdown| {
            matches!(
                fault.kind,
                Kind::PageSilent
                    | Kind::Internet
                    | Kind::ForemanDown
                    | Kind::PduDown
                    | Kind::RoomDown
                    | Kind::BoardDown
                    | Kind::FanMeterDown
            )
        };
        if self.broken.0.iter().any(is_silent) { 11 } else { 5 }
    }

    /// Carries commands out, in the time that it takes: boards at once, PDUs and Foreman one a second side by side.
    pub fn act(&mut self, commands: &[Command]) -> Vec<Outcome> {
        let mut by_device: BTreeMap<&str, u64> = BTreeMap::new();
        for command in commands {
            match command {
                Command::Fan { .. } => {}
                Command::Miner { .. } => *by_device.entry("foreman").or_default() += 1,
                Command::Outlet { outlet, .. } => *by_device.entry(&outlet.pdu).or_default() += 1,
            }
        }
        let takes = by_device.values().max().copied().unwrap_or(0).min(60);
        let is_fan = |command: &&Command| matches!(command, Command::Fan { .. });
        let mut outcomes: Vec<Outcome> = commands.iter().filter(is_fan).map(|command| self.obey(command)).collect();
        self.advance(takes / 2);
        outcomes.extend(commands.iter().filter(|c| !is_fan(c)).map(|command| self.obey(command)));
        self.advance(takes - takes / 2);
        outcomes
    }

    fn obey(&mut self, command: &Command) -> Outcome {
        let result = match command {
            Command::Fan { fan, on } => self.switch_fan(usize::from(*fan) - 1, *on),
            Command::Miner { miner, mode } => self.ask_foreman((*miner - 1001) as usize, *mode),
            Command::Outlet { outlet, on } => {
                let pdu = usize::from(outlet.pdu.as_bytes()[outlet.pdu.len() - 1] - b'a');
                let number: usize = outlet.outlet.parse().unwrap();
                self.switch_outlet(pdu, pdu * OUTLETS + number - 1, *on)
            }
        };
        Outcome { command: command.clone(), result }
    }

    fn switch_fan(&mut self, fan: usize, on: bool) -> Result<Reply, Fault> {
        let board = usize::from(fan >= FIRST_BOARD);
        if self.broken.has(Kind::BoardDown, board) {
            return Err(fault("relays"));
        }
        self.switchings += u64::from(self.shown_coils[fan] == on);
        self.shown_coils[fan] = !on;
        if !self.broken.has(Kind::BoardLies, board) {
            self.coils[fan] = !on;
        }
        Ok(Reply::Confirmed)
    }

    fn switch_outlet(&mut self, pdu: usize, outlet: usize, on: bool) -> Result<Reply, Fault> {
        let fails = [Kind::PduDown, Kind::PduDeaf, Kind::PduFrozen].iter().any(|kind| self.broken.has(*kind, pdu));
        if fails {
            return Err(fault("spdu"));
        }
        self.shown_outlets[outlet] = on;
        self.set_contact(pdu, outlet, on);
        Ok(Reply::Confirmed)
    }

    fn set_contact(&mut self, pdu: usize, outlet: usize, on: bool) {
        let is_welded = self.broken.has(Kind::PduWelded, pdu) && outlet.is_multiple_of(5);
        if is_welded || self.contacts[outlet] == on {
            return;
        }
        self.contacts[outlet] = on;
        if on && self.rng.chance(LOST_PART) {
            self.lose(outlet);
        }
        self.power(outlet);
    }

    fn turn_by_hand(&mut self, outlet: usize) {
        let on = !self.shown_outlets[outlet];
        self.shown_outlets[outlet] = on;
        self.set_contact(outlet / OUTLETS, outlet, on);
    }

    fn lose(&mut self, miner: usize) {
        let until = self.second + self.rng.between(DAY_S / 2, 3 * DAY_S);
        self.lost.insert(miner, until);
    }

    fn power(&mut self, miner: usize) {
        let is_dark = self.broken.has(Kind::Blackout, 0);
        self.miners[miner].has_power = self.contacts[miner] && !is_dark && !self.lost.contains_key(&miner);
        self.busy_until = self.second + 300;
    }

    fn ask_foreman(&mut self, miner: usize, mode: PowerMode) -> Result<Reply, Fault> {
        if !self.broken.foreman_answers() {
            return Err(fault("foreman"));
        }
        let mode = match mode {
            PowerMode::Sleeping => Mode::Sleeping,
            PowerMode::Low => Mode::Low,
            PowerMode::Normal => Mode::Normal,
            PowerMode::High => Mode::High,
        };
        self.last_command += 1;
        let command = self.last_command;
        let status = if self.broken.has(Kind::AgentDown, 0) {
            self.waiting.push(Order { command, miner, mode, since: self.second });
            CommandStatus::Pending
        } else {
            self.order(miner, mode)
        };
        self.commands.insert(command, status);
        while self.commands.len() > 2000 {
            self.commands.pop_first();
        }
        Ok(Reply::Accepted { command, status })
    }

    fn order(&mut self, miner: usize, mode: Mode) -> CommandStatus {
        if !self.miners[miner].has_power {
            return CommandStatus::Failed;
        }
        if mode == Mode::Sleeping && self.is_stubborn(miner) {
            return CommandStatus::Complete;
        }
        if mode != Mode::Sleeping && self.miners[miner].phase == Phase::Asleep && self.rng.chance(LOST_PART) {
            self.lose(miner);
            self.power(miner);
        }
        self.miners[miner].order(self.second + self.rng.between(2, 12), mode);
        self.busy_until = self.second + 300;
        CommandStatus::Complete
    }

    /// What happens at the moment when something breaks.
    pub fn breaks(&mut self, breakdown: Breakdown) {
        match breakdown.kind {
            Kind::BoardReboot => {
                let fans = if breakdown.of == 0 { 0..FIRST_BOARD } else { FIRST_BOARD..FANS };
                for fan in fans {
                    (self.coils[fan], self.shown_coils[fan]) = (false, false);
                }
            }
            Kind::HandOnFan => {
                let fan = breakdown.of;
                let stops = !self.coils[fan];
                (self.coils[fan], self.shown_coils[fan]) = (stops, stops);
            }
            Kind::HandOnMiners => {
                for _ in 0..30 {
                    let miner = self.rng.between(0, MINERS as u64 - 1) as usize;
                    let _status = self.order(miner, Mode::Normal);
                }
            }
            Kind::HandOnOutlets => {
                for outlet in (10..18).map(|number| breakdown.of * OUTLETS + number) {
                    self.turn_by_hand(outlet);
                    self.turned.push(outlet);
                }
            }
            Kind::ClockJump => {
                self.wall_error = self.rng.between(0, 20_000) as i64 - 10_000;
                self.wall_right_at = self.second + self.rng.between(600, 2400);
            }
            _ => {}
        }
        if breakdown.end > breakdown.start {
            self.broken.0.push(breakdown);
        }
        self.after_change();
    }

    /// Takes away what is over, and what a repair brings with it.
    pub fn mend(&mut self) {
        let second = self.second;
        let over: Vec<Breakdown> = self.broken.0.iter().copied().filter(|one| one.end <= second).collect();
        self.broken.0.retain(|one| one.end > second);
        for one in &over {
            match one.kind {
                Kind::PduWelded => {
                    for outlet in one.of * OUTLETS..(one.of + 1) * OUTLETS {
                        self.contacts[outlet] = self.shown_outlets[outlet];
                    }
                }
                Kind::BoardLies => self.coils = self.shown_coils,
                // Whoever cut outlets for some work puts them back.
                Kind::HandOnOutlets => {
                    for outlet in std::mem::take(&mut self.turned) {
                        if !self.shown_outlets[outlet] {
                            self.turn_by_hand(outlet);
                        }
                    }
                }
                Kind::ControllerOff | Kind::Blackout => {
                    self.boot += 1;
                    self.booted = second - 40;
                    // Without a clock chip it goes on from where it was last noted, until the internet tells the time.
                    self.wall_error = one.start as i64 - second as i64 - self.rng.between(0, 3600) as i64;
                    self.wall_right_at = second + self.rng.between(60, 600);
                }
                _ => {}
            }
        }
        if self.wall_error != 0 && second >= self.wall_right_at && self.broken.online() {
            self.wall_error = 0;
        }
        let repaired = self.lost.len();
        self.lost.retain(|_, until| *until > second);
        if !over.is_empty() || self.lost.len() != repaired {
            self.after_change();
        }
        if !self.broken.has(Kind::AgentDown, 0) && self.broken.online() {
            for order in std::mem::take(&mut self.waiting) {
                let is_late = second - order.since > ORDER_AGE_MAX_S;
                let status = if is_late { CommandStatus::Failed } else { self.order(order.miner, order.mode) };
                self.commands.insert(order.command, status);
            }
        }
    }

    fn after_change(&mut self) {
        for fan in 0..FANS {
            self.fans[fan].is_dead = self.broken.has(Kind::FanDead, fan);
        }
        for miner in 0..PDUS * OUTLETS {
            self.power(miner);
        }
    }
}
