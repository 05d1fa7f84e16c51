//! What can be known of the site in one pass, worked out anew from the devices' answers alone: which readings are fresh,
//! and which reasons to be off they give. It shares no code and no memory with the rules that it is held against.

use std::collections::BTreeMap;

use minectl::config::{Config, OffWhen, SignalMeaning, WhenBlind};
use minectl::model::*;
use minectl::units::*;

use crate::scene::Scene;

/// An intake temperature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Intake {
    /// Read in this pass.
    Fresh(f64),
    /// Read before, within its limit.
    Held(f64),
    Lost,
}

/// One fan as its devices show it.
#[derive(Debug, Clone)]
pub struct SeenFan {
    pub relay: Option<bool>,
    /// Fresh watts, measured.
    pub measured: Option<f64>,
    /// Fresh watts, or those set by hand.
    pub watts: Option<f64>,
    pub by_hand: bool,
}

/// All that one pass can know.
#[derive(Debug)]
pub struct Seen {
    /// Fresh watts of all PDUs together, measured.
    pub measured: Option<f64>,
    /// The same, with those set by hand.
    pub total: Option<f64>,
    /// The same of each PDU.
    pub pdus: Vec<Option<f64>>,
    pub intake: Intake,
    pub fans: BTreeMap<u8, SeenFan>,
    /// Why the miners must be off, by what the site shows; the rules may know more reasons, never fewer.
    pub off: Vec<&'static str>,
    /// Off by the page as it reads now, or by hand.
    pub off_at_once: bool,
    /// The level was set by hand, and the page was not read since.
    pub level_by_hand: bool,
}

/// What is remembered of earlier passes.
#[derive(Debug, Default)]
pub struct Seer {
    /// Numbers that must advance, and when they last did.
    advanced: BTreeMap<String, (i64, Moment)>,
    probes: BTreeMap<String, (f64, Moment)>,
    /// Good readings in a row that let run since the last that curtailed.
    runs_since_curtail: Option<u32>,
    page_read: Option<Moment>,
    level_by_hand: bool,
    ran_against: bool,
    smoke: bool,
    hot: bool,
    intake_known: Option<Moment>,
}

impl Seer {
    /// Looks at a snapshot.
    pub fn look(&mut self, scene: &Scene, snapshot: &Snapshot) -> Seen {
        let cfg = &scene.cfg;
        let now = &scene.now;
        let live: Vec<&Setting> =
            scene.overrides.iter().filter(|over| over.left(now).0 > 0).map(|over| &over.setting).collect();
        let pdus: Vec<(&str, Option<f64>)> =
            cfg.pdus.iter().map(|pdu| (pdu.name.as_str(), self.pdu(cfg, snapshot, &pdu.name, now))).collect();
        let set_watts = |name: &str| {
            live.iter().find_map(|setting| match setting {
                Setting::MinerWatts { pdu, value } if pdu == name => Some(value.value()),
                _ => None,
            })
        };
        let measured: Option<f64> = pdus.iter().map(|(_, watts)| *watts).sum();
        let pdus: Vec<Option<f64>> = pdus.iter().map(|(name, watts)| set_watts(name).or(*watts)).collect();
        let total: Option<f64> = pdus.iter().copied().sum();
        let intake = self.intake(cfg, snapshot, &live, now);
        let fans = self.fans(cfg, snapshot, &live, now);
        let (off, off_at_once) = self.off(cfg, snapshot, &live, intake, now);
        Seen { measured, total, pdus, intake, fans, off, off_at_once, level_by_hand: self.level_by_hand }
    }

    /// A person writes the state of a machine: what was held from earlier readings holds no more.
    pub fn written(&mut self, state: WrittenState) {
        match state {
            WrittenState::Signal(_) => self.runs_since_curtail = None,
            WrittenState::Climate { shedding } => self.hot = shedding,
            WrittenState::Miners(_) | WrittenState::FanStage(_) => {}
        }
    }

    /// How long a number has stood still.
    fn still(&mut self, device: &str, value: Option<i64>, now: &Moment) -> u64 {
        let Some(value) = value else { return 0 };
        let known = self.advanced.entry(device.to_owned()).or_insert((value, *now));
        if known.0 != value {
            *known = (value, *now);
        }
        now.since(&known.1).0
    }

    fn pdu(&mut self, cfg: &Config, snapshot: &Snapshot, name: &str, now: &Moment) -> Option<f64> {
        let limit = cfg.pdus.iter().find(|pdu| pdu.name == name)?.max_age.0;
        let reading = snapshot.pdus.get(name)?.as_ref().ok()?;
        let still = self.still(name, reading.newest.map(|at| at.0), now);
        let total = reading.total.as_ref().ok()?;
        (total.age.0 <= limit && still <= limit).then_some(total.value.value())
    }

    fn fans(&mut self, cfg: &Config, snapshot: &Snapshot, live: &[&Setting], now: &Moment) -> BTreeMap<u8, SeenFan> {
        let meter = snapshot.fan_watts.as_ref().ok();
        let row = meter.and_then(|meter| meter.row_time).map(|at| at.0);
        let before = self.advanced.get("meter").copied();
        let still = self.still("meter", row, now);
        // Rows are as old as the time is ahead of what they advanced.
        let still = match (row, before) {
            (Some(row), Some((value, at))) if row > value => now.since(&at).0.saturating_sub(row.abs_diff(value)),
            _ => still,
        };
        let limit = cfg.fan_watts.max_age().0;
        let seen = |number: &u8, board: &str| {
            let relay = snapshot.boards.get(board).and_then(|board| board.as_ref().ok());
            let relay = relay.and_then(|board| board.fans.get(number)?.as_ref().ok()).copied();
            let watts = meter.and_then(|meter| meter.fans.get(number)?.as_ref().ok());
            let fresh = watts.filter(|watts| watts.age.0 <= limit && still <= limit);
            let measured = fresh.map(|watts| watts.value.value());
            let hand = live.iter().find_map(|setting| match setting {
                Setting::FanWatts { fan, value } if fan == number => Some(value.value()),
                _ => None,
            });
            SeenFan { relay, measured, watts: hand.or(measured), by_hand: hand.is_some() }
        };
        cfg.fans.iter().map(|(number, fan)| (*number, seen(number, &fan.board))).collect()
    }

    fn intake(&mut self, cfg: &Config, snapshot: &Snapshot, live: &[&Setting], now: &Moment) -> Intake {
        let reading = snapshot.rooms.get("room-alert").and_then(|room| room.as_ref().ok());
        let up = reading.and_then(|room| room.uptime).map(|up| up.0 as i64);
        let stands = self.still("room", up, now) > 0;
        let mut hottest = Intake::Lost;
        for name in ["intake-west", "intake-east"] {
            let value = reading.and_then(|room| room.probes.get(name)?.temperature.as_ref().ok()).map(|t| t.value());
            if let Some(value) = value.filter(|_| !stands) {
                self.probes.insert(name.to_owned(), (value, *now));
            }
            let known = self.probes.get(name).filter(|(_, at)| now.since(at) <= cfg.climate.max_age);
            let held = value.filter(|_| stands).or(known.map(|known| known.0)).filter(|_| known.is_some());
            let hand = live.iter().find_map(|setting| match setting {
                Setting::Temperature { probe, value } if probe == name => Some(value.value()),
                _ => None,
            });
            let one = match (hand, value) {
                (Some(value), _) => Intake::Fresh(value),
                (None, Some(value)) if !stands => Intake::Fresh(value),
                (None, _) => held.map_or(Intake::Lost, Intake::Held),
            };
            hottest = hotter(hottest, one);
        }
        hottest
    }

    fn off(
        &mut self,
        cfg: &Config,
        snapshot: &Snapshot,
        live: &[&Setting],
        intake: Intake,
        now: &Moment,
    ) -> (Vec<&'static str>, bool) {
        let mut off = Vec::new();
        let blind_is_off = cfg.signal.when_blind == WhenBlind::Curtail;
        let stale = self.page_read.is_none_or(|at| now.since(&at) > cfg.signal.max_age);
        let by_hand = live.iter().find_map(|s| if let Setting::Signal(level) = s { Some(*level) } else { None });
        self.page(cfg, snapshot, now);
        if by_hand.is_some() {
            self.runs_since_curtail = None;
        }
        self.level_by_hand = by_hand.is_some();
        let against = live.iter().any(|s| matches!(s, Setting::Miners { on: true, against_signal: true }));
        let curtails = matches!(says(cfg, snapshot), Some(Says::Curtail));
        // Held while blind after a run against the signal: today the miners run on, whatever the page said last.
        self.ran_against |= against;
        if stale && self.ran_against && !blind_is_off {
            self.runs_since_curtail = None;
        }
        let waits = self.runs_since_curtail.is_some_and(|runs| runs < cfg.signal.resume_readings);
        let blind = self.page_read.is_some_and(|at| now.since(&at) > cfg.signal.max_age);
        let at_once = match by_hand {
            _ if against => false,
            Some(level) => level == Level::Curtail || (level == Level::Blind && blind_is_off),
            None => curtails,
        };
        if at_once || (by_hand.is_none() && !against && waits) {
            off.push("the signal");
        }
        if by_hand.is_none() && !against && blind && blind_is_off {
            off.push("a blind signal");
        }
        if live.iter().any(|s| matches!(s, Setting::Miners { on: false, .. })) {
            off.push("a hand");
        }
        let at_once = at_once || off.contains(&"a hand");
        self.climate(cfg, intake, now, &mut off);
        let smoke = snapshot.rooms.get("room-alert").and_then(|room| room.as_ref().ok());
        let smoke = smoke.and_then(|room| room.switches.get("smoke")?.as_ref().ok()).copied();
        let set = live.iter().find_map(|s| match s {
            Setting::Switch { name, alarm } if name == "smoke" => Some(*alarm),
            _ => None,
        });
        self.smoke = set.or(smoke).unwrap_or(self.smoke);
        if self.smoke {
            off.push("smoke");
        }
        (off, at_once)
    }

    fn page(&mut self, cfg: &Config, snapshot: &Snapshot, now: &Moment) {
        let says = says(cfg, snapshot);
        if says.is_some() {
            self.page_read = Some(*now);
        }
        self.runs_since_curtail = match (says, self.runs_since_curtail) {
            (Some(Says::Curtail), _) => Some(0),
            (Some(Says::Run), Some(runs)) => Some(runs + 1),
            // Whatever else it says begins the count anew.
            (Some(Says::Between) | None, Some(runs)) if runs < cfg.signal.resume_readings => Some(0),
            (_, runs) => runs,
        };
    }

    fn climate(&mut self, cfg: &Config, intake: Intake, now: &Moment, off: &mut Vec<&'static str>) {
        match intake {
            Intake::Fresh(t) | Intake::Held(t) => {
                let limits = &cfg.climate;
                self.hot = t >= limits.shed_above.value() || (self.hot && t > limits.resume_below.value());
                self.intake_known = Some(*now);
            }
            Intake::Lost => {
                if self.intake_known.is_some_and(|at| now.since(&at) >= cfg.climate.lost_limit) {
                    off.push("a lost intake temperature");
                }
            }
        }
        if self.hot {
            off.push("heat");
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Curtail,
    Between,
    Run,
}

fn says(cfg: &Config, snapshot: &Snapshot) -> Option<Says> {
    let SignalValue::Number(value) = snapshot.signal.as_ref().ok()?.value else { return None };
    let SignalMeaning::Number { off_when, .. } = cfg.signal.meaning else { return None };
    Some(match off_when {
        OffWhen::High if value >= 310.0 => Says::Curtail,
        OffWhen::High if value < 300.0 => Says::Run,
        OffWhen::Low if value <= 290.0 => Says::Curtail,
        OffWhen::Low if value > 300.0 => Says::Run,
        OffWhen::High | OffWhen::Low => Says::Between,
    })
}

fn hotter(a: Intake, b: Intake) -> Intake {
    let value = |intake| match intake {
        Intake::Fresh(t) | Intake::Held(t) => t,
        Intake::Lost => f64::NEG_INFINITY,
    };
    if value(b) > value(a) { b } else { a }
}
