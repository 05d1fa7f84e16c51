//! What the devices say: the truth, and over it what is broken. The large readings are kept from pass to pass and only
//! brought up to date.

use std::collections::BTreeMap;

use minectl::config::Config;
use minectl::model::*;
use minectl::units::*;

use super::calls::{Call, number};
use super::faults::Kind;
use super::site::{FIRST_BOARD, NEW_YEAR, Site};
use crate::mine::{OUTLETS, Phase};
use crate::physics::FANS;
use crate::scene::fault;

/// The page's own stamp may be this old; one ahead of the controller's clock the rules weigh.
const STAMP_AGE_MAX_S: i64 = 1800;

pub struct Senses {
    pdus: Vec<Option<PduReading>>,
    /// The place of each outlet of a reading in the order of its ids.
    places: Vec<usize>,
    names: Vec<String>,
    foreman: Option<ForemanReading>,
    foreman_at: u64,
}

fn watts(value: f64) -> Watts {
    Watts::new(value).unwrap()
}

fn bad(device: &str, kind: FaultKind, detail: &str) -> Fault {
    Fault::new(device, kind, detail)
}

impl Senses {
    pub fn new(cfg: &Config) -> Senses {
        let outlet = || OutletReading { on: Ok(true), watts: Ok(Measured { value: Watts::ZERO, age: Seconds(2) }) };
        let pdu = PduReading {
            total: Ok(Measured { value: Watts::ZERO, age: Seconds(2) }),
            outlets: (1..=OUTLETS).map(|id| (id.to_string(), outlet())).collect(),
            newest: None,
            remarks: Vec::new(),
        };
        let miners = (1001..1001 + (cfg.pdus.len() * OUTLETS) as u64).map(|id| MinerReading {
            id,
            name: format!("miner-{id}"),
            status: "online".to_owned(),
            mode: None,
            watts: None,
        });
        Senses {
            places: pdu.outlets.keys().map(|id| id.parse::<usize>().unwrap() - 1).collect(),
            pdus: vec![Some(pdu); cfg.pdus.len()],
            names: cfg.pdus.iter().map(|pdu| pdu.name.clone()).collect(),
            foreman: Some(ForemanReading {
                heard: None,
                online: Some(288),
                total: Some(288),
                hash_rate: None,
                estimated: None,
                miners: miners.collect(),
                commands: BTreeMap::new(),
                remarks: Vec::new(),
            }),
            foreman_at: 0,
        }
    }

    /// One reading of all devices; `give_back` must follow.
    pub fn take(&mut self, cfg: &Config, site: &Site, call: Option<&Call>, ask: &[u64]) -> Snapshot {
        let now = site.now();
        let pdus = (0..self.pdus.len()).map(|pdu| (self.names[pdu].clone(), self.pdu(site, pdu, &now))).collect();
        let boards = cfg.boards.iter().enumerate().map(|(at, board)| (board.name.clone(), relays(site, at)));
        Snapshot {
            at: now,
            signal: signal(site, call, &now),
            rooms: BTreeMap::from([(cfg.rooms[0].name.clone(), room(site))]),
            fan_watts: fan_watts(site, &now),
            boards: boards.collect(),
            pdus,
            foreman: self.foreman(site, ask),
            took_ms: BTreeMap::new(),
            troubles: Vec::new(),
        }
    }

    pub fn give_back(&mut self, snapshot: Snapshot) {
        for (at, reading) in snapshot.pdus.into_values().enumerate() {
            if let Ok(reading) = reading {
                self.pdus[at] = Some(reading);
            }
        }
        if let Ok(reading) = snapshot.foreman {
            self.foreman = Some(reading);
        }
    }

    fn pdu(&mut self, site: &Site, pdu: usize, now: &Moment) -> Reading<PduReading> {
        if site.broken.has(Kind::PduDown, pdu) {
            return Err(fault(&self.names[pdu]));
        }
        let mut reading = self.pdus[pdu].take().unwrap();
        if !site.broken.has(Kind::PduFrozen, pdu) {
            let blind = site.broken.has(Kind::PduMeterZero, pdu);
            let mut total = 0.0;
            for (outlet, place) in reading.outlets.values_mut().zip(&self.places) {
                let miner = pdu * OUTLETS + place;
                let value = if blind { 0.0 } else { site.miners[miner].watts(site.second, site.seed) };
                total += value;
                outlet.on = Ok(site.shown_outlets[miner]);
                outlet.watts = Ok(Measured { value: watts(value), age: Seconds(2) });
            }
            reading.total = Ok(Measured { value: watts(total), age: Seconds(2) });
            reading.newest = Some(UnixSeconds(site.device_time() - 2));
        } else if let Some(newest) = reading.newest {
            let age = now.wall.since(newest);
            reading.total = reading.total.map(|total| Measured { age, ..total });
            for outlet in reading.outlets.values_mut() {
                if let Ok(measured) = &mut outlet.watts {
                    measured.age = age;
                }
            }
        }
        Ok(reading)
    }

    /// Foreman's list is made once a minute, by an agent that may be gone.
    fn foreman(&mut self, site: &Site, ask: &[u64]) -> Reading<ForemanReading> {
        if !site.broken.foreman_answers() {
            return Err(fault("foreman"));
        }
        let mut reading = self.foreman.take().unwrap();
        if !site.broken.has(Kind::AgentDown, 0) && site.second >= self.foreman_at + 60 {
            self.foreman_at = site.second;
            for (miner, truth) in reading.miners.iter_mut().zip(&site.miners) {
                let (status, mode, estimate) = match truth.phase {
                    Phase::Asleep => ("online", Some(PowerMode::Sleeping), 30.0),
                    Phase::Hashing | Phase::Ramp { .. } => ("online", Some(PowerMode::Normal), 3500.0),
                    Phase::Boot { .. } | Phase::Off | Phase::Tripped => ("offline", miner.mode, 0.0),
                };
                if miner.status != status {
                    miner.status = status.to_owned();
                }
                miner.mode = mode;
                miner.watts = Some(watts(estimate));
            }
        }
        let status = |command: &u64| Some((*command, *site.commands.get(command)?));
        reading.commands = ask.iter().filter_map(status).collect();
        Ok(reading)
    }
}

pub fn signal(site: &Site, call: Option<&Call>, now: &Moment) -> Reading<SignalReading> {
    if !site.broken.online() || site.broken.has(Kind::PageSilent, 0) {
        return Err(fault("signal"));
    }
    if site.broken.has(Kind::PageBroken, 0) {
        return Err(bad("signal", FaultKind::Unreadable, "the page contains `connect failed`"));
    }
    let shown = site.broken.find(Kind::PageFrozen, 0).map_or(site.second, |frozen| frozen.start);
    let stamp = NEW_YEAR + (shown / 60 * 60) as i64;
    if now.wall.0 - stamp > STAMP_AGE_MAX_S {
        return Err(bad("signal", FaultKind::Stale, "page's own time stamp is not of now"));
    }
    let value = (number(site.seed, shown, call) * 10.0).round() / 10.0;
    Ok(SignalReading {
        text: format!("{value}"),
        value: SignalValue::Number(value),
        stamp: Some(UnixSeconds(stamp)),
        hash: String::new(),
    })
}

fn room(site: &Site) -> Reading<RoomReading> {
    if site.broken.has(Kind::RoomDown, 0) {
        return Err(fault("room-alert"));
    }
    let frozen = site.broken.find(Kind::RoomFrozen, 0).map(|frozen| frozen.start);
    let air = &site.air;
    let celsius = [("intake-west", air.west.celsius), ("intake-east", air.east.celsius)];
    let others = [("exhaust", air.exhaust.celsius), ("middle", air.mid.celsius)];
    let intakes = celsius.into_iter().enumerate().map(|(probe, (name, value))| (name, intake(site, probe, value)));
    let others = others.into_iter().map(|(name, value)| (name, Ok(value)));
    let probes = intakes.chain(others).map(|(name, value)| {
        let temperature = value.and_then(|c: f64| {
            // The unit reads no more than this.
            Temperature::new(c.min(120.0)).map_err(|_| bad("room-alert", FaultKind::OutOfRange, "not a temperature"))
        });
        (name.to_owned(), ProbeReading { temperature, humidity: None })
    });
    let switch = |name: &str| (name.to_owned(), Ok(name == "smoke" && site.broken.has(Kind::Smoke, 0)));
    Ok(RoomReading {
        serial: "RA12-E40517".to_owned(),
        uptime: Some(Seconds(frozen.unwrap_or(site.second) + 77)),
        probes: probes.collect(),
        switches: ["smoke", "water", "door"].into_iter().map(switch).collect(),
        analog: Vec::new(),
        remarks: Vec::new(),
    })
}

fn intake(site: &Site, probe: usize, truth: f64) -> Result<f64, Fault> {
    if site.broken.has(Kind::ProbeGone, probe) {
        return Err(bad("room-alert", FaultKind::Missing, "nothing is plugged in"));
    }
    let repeats = site.broken.find(Kind::ProbeStuck, probe).or_else(|| site.broken.find(Kind::RoomFrozen, 0));
    if let Some(stuck) = repeats {
        // What it last showed: about the outdoor temperature of that hour and what the box adds.
        return Ok(site.weather.at(stuck.start) + 2.0);
    }
    let high = if site.broken.has(Kind::ProbeHigh, probe) { 12.0 } else { 0.0 };
    let low = if site.broken.has(Kind::ProbeLow, probe) { 12.0 } else { 0.0 };
    Ok(truth + high - low)
}

fn fan_watts(site: &Site, now: &Moment) -> Reading<FanWattsReading> {
    if site.broken.has(Kind::FanMeterDown, 0) {
        return Err(fault("iotawatt"));
    }
    let frozen = site.broken.find(Kind::FanMeterFrozen, 0).map(|frozen| frozen.start);
    let time = NEW_YEAR + frozen.unwrap_or(site.second) as i64 - 3;
    let age = now.wall.since(UnixSeconds(time));
    let read = |fan: usize| {
        let value = site.fans[fan].watts(site.seed, fan as u64, site.second).max(0.0);
        (fan as u8 + 1, Ok(Measured { value: watts(value), age }))
    };
    Ok(FanWattsReading { fans: (0..FANS).map(read).collect(), row_time: Some(UnixSeconds(time)) })
}

fn relays(site: &Site, board: usize) -> Reading<RelayReading> {
    if site.broken.has(Kind::BoardDown, board) {
        return Err(fault("relays"));
    }
    let fans = if board == 0 { 0..FIRST_BOARD } else { FIRST_BOARD..FANS };
    let fans = fans.map(|fan| (fan as u8 + 1, Ok(!site.shown_coils[fan]))).collect();
    Ok(RelayReading { fans, remarks: Vec::new() })
}
