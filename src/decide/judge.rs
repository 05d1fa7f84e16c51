//! Judges each input: good, held from an earlier reading, or bad with its reason. Overrides take the place of inputs
//! here. It does not decide what a bad input means for the outputs.

use std::collections::BTreeMap;

use super::Report;
use crate::config::Config;
use crate::model::{
    Channel, Counter, DeviceHealth, EventKind, FanWattsReading, Fault, FaultKind, LastGood, Override, Reading,
    RelayReading, RoomReading, Setting, SiteState, Snapshot,
};
use crate::units::{Humidity, Moment, Seconds, Temperature, Watts};

/// How far a value can be trusted.
#[derive(Debug, Clone, PartialEq)]
pub enum Quality<T> {
    /// Read in this pass, by a device whose clock advances.
    Good(T),
    /// The last good value, with its age; within its limit.
    Held(T, Seconds),
    /// Nothing trustworthy, and why.
    Bad(String),
}

impl<T: Copy> Quality<T> {
    /// The value, good or held.
    pub fn value(&self) -> Option<T> {
        match self {
            Quality::Good(value) | Quality::Held(value, _) => Some(*value),
            Quality::Bad(_) => None,
        }
    }
}

/// The judged inputs of one pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// Probes by name.
    pub probes: BTreeMap<String, Quality<Temperature>>,
    /// The hottest trustworthy intake probe.
    pub intake: Quality<Temperature>,
    /// Humidity by probe; only probes that measure it.
    pub humidity: BTreeMap<String, Option<Humidity>>,
    /// Switches by name: in alarm, not in alarm, or `None` when not read.
    pub switches: BTreeMap<String, Option<bool>>,
    /// By fan: whether the relay lets it run; `None` when not read.
    pub relays: BTreeMap<u8, Option<bool>>,
    /// By fan: fresh watts; `None` when there are none.
    pub fan_watts: BTreeMap<u8, Option<Watts>>,
    /// By PDU: fresh watts, or why not.
    pub pdus: BTreeMap<String, Result<Watts, String>>,
}

impl Inputs {
    /// The fresh watts of all PDUs together; `None` while any PDU has none.
    pub fn miner_watts(&self) -> Option<Watts> {
        let all: Option<Vec<Watts>> = self.pdus.values().map(|w| w.as_ref().ok().copied()).collect();
        all.filter(|all| !all.is_empty()).map(Watts::sum)
    }

    /// The sum of those PDUs that have fresh watts: a lower bound.
    pub fn known_watts(&self) -> Watts {
        Watts::sum(self.pdus.values().filter_map(|w| w.as_ref().ok().copied()))
    }
}

/// Judges all inputs, and keeps counters, last good values and the health of each device in `next`.
pub(super) fn judge(
    cfg: &Config,
    next: &mut SiteState,
    snapshot: &Snapshot,
    overrides: &[Override],
    now: &Moment,
    report: &mut Report,
) -> Inputs {
    let mut stale = BTreeMap::new();
    let probes = probes(cfg, next, snapshot, overrides, now, &mut stale);
    let intake = hottest_intake(cfg, &probes);
    let inputs = Inputs {
        intake,
        humidity: humidity(snapshot, overrides),
        switches: switches(cfg, snapshot, overrides),
        relays: relays(cfg, snapshot),
        fan_watts: fan_watts(cfg, next, snapshot, overrides, now, &mut stale),
        pdus: pdus(cfg, next, snapshot, overrides, now, &mut stale),
        probes,
    };
    health(cfg, next, snapshot, &stale, now, report);
    inputs
}

/// Devices whose answers came but are too old, by name.
type StaleDevices = BTreeMap<String, Fault>;

fn note_stale(stale: &mut StaleDevices, device: &str, age: Seconds, limit: Seconds) {
    if age > limit {
        let text = format!("the newest reading is {age} old, limit {limit}");
        stale.insert(device.to_owned(), Fault::new(device, FaultKind::Stale, text));
    }
}

/// How long a number that must advance has stood still; zero when it moved, in whatever direction (a reboot).
fn stalled(counters: &mut BTreeMap<String, Counter>, device: &str, value: Option<i64>, now: &Moment) -> Seconds {
    let Some(value) = value else { return Seconds(0) };
    let counter = counters.entry(device.to_owned()).or_insert(Counter { value, at: *now });
    if counter.value != value {
        *counter = Counter { value, at: *now };
    }
    now.since(&counter.at)
}

/// How far the newest row of a meter is behind: the time that passed since the row before, less what the rows advanced, so
/// that neither its clock nor ours need be right. A first row, and one that goes back, count as new.
fn behind(counters: &mut BTreeMap<String, Counter>, device: &str, row: Option<i64>, now: &Moment) -> Seconds {
    let before = counters.get(device).cloned();
    let stalled = stalled(counters, device, row, now);
    match (row, before) {
        (Some(row), Some(before)) if row > before.value => {
            now.since(&before.at).saturating_sub(Seconds(row.abs_diff(before.value)))
        }
        (Some(_) | None, _) => stalled,
    }
}

fn probes(
    cfg: &Config,
    next: &mut SiteState,
    snapshot: &Snapshot,
    overrides: &[Override],
    now: &Moment,
    stale: &mut StaleDevices,
) -> BTreeMap<String, Quality<Temperature>> {
    let mut judged = BTreeMap::new();
    for room in &cfg.rooms {
        let reading = snapshot.rooms.get(&room.name);
        let unit = reading.and_then(|r| r.as_ref().ok());
        let uptime = unit.and_then(|r| r.uptime).and_then(|s| i64::try_from(s.0).ok());
        // Where a unit that gave its uptime gives none, it stands where it stood: only a unit that never did is without.
        let stood = unit.and(next.counters.get(&room.name)).map(|counter| counter.value);
        let stalled = stalled(&mut next.counters, &room.name, uptime.or(stood), now);
        let why = if uptime.is_some() { "the unit's uptime stands still" } else { "the unit gives no uptime any more" };
        note_stale(stale, &room.name, stalled, cfg.climate.max_age);
        for probe in &room.probes {
            let fresh: Result<Temperature, String> = match reading {
                None => Err("not read".to_owned()),
                Some(Err(fault)) => Err(fault.to_string()),
                Some(Ok(room)) => match room.probes.get(&probe.name).map(|p| &p.temperature) {
                    None => Err("not in the answer".to_owned()),
                    Some(Err(fault)) => Err(fault.to_string()),
                    Some(Ok(value)) => Ok(*value),
                },
            };
            let held = next.climate.probes.get(&probe.name).cloned();
            let quality = match (fresh, held) {
                // A device whose own clock stands still repeats an old reading: it keeps its first time.
                (Ok(value), Some(held)) if stalled.0 > 0 => held_or_bad(value, &held.at, cfg, now, why),
                (Ok(_), None) if stalled.0 > 0 => Quality::Bad(why.to_owned()),
                (Ok(value), held) => {
                    if held.is_none_or(|held| held.value != value) {
                        next.climate.moved.insert(probe.name.clone(), *now);
                    }
                    next.climate.probes.insert(probe.name.clone(), LastGood { value, at: *now });
                    Quality::Good(value)
                }
                (Err(reason), Some(held)) => held_or_bad(held.value, &held.at, cfg, now, &reason),
                (Err(reason), None) => Quality::Bad(reason),
            };
            judged.insert(probe.name.clone(), quality);
        }
    }
    for over in overrides {
        if let Setting::Temperature { probe, value } = &over.setting {
            judged.insert(probe.clone(), Quality::Good(*value));
        }
    }
    judged
}

fn held_or_bad(value: Temperature, at: &Moment, cfg: &Config, now: &Moment, reason: &str) -> Quality<Temperature> {
    let age = now.since(at);
    if age <= cfg.climate.max_age {
        Quality::Held(value, age)
    } else {
        Quality::Bad(format!("{reason}; last good reading {age} ago, limit {}", cfg.climate.max_age))
    }
}

/// The hottest of the trustworthy intake probes: a good one beats a held one only by being hotter.
fn hottest_intake(cfg: &Config, probes: &BTreeMap<String, Quality<Temperature>>) -> Quality<Temperature> {
    let mut hottest: Option<(Temperature, Option<Seconds>)> = None;
    let mut reasons = Vec::new();
    for name in cfg.intake_probes() {
        match probes.get(name) {
            Some(Quality::Good(value)) => hottest = hotter(hottest, *value, None),
            Some(Quality::Held(value, age)) => hottest = hotter(hottest, *value, Some(*age)),
            Some(Quality::Bad(reason)) => reasons.push(format!("{name}: {reason}")),
            None => reasons.push(format!("{name}: not read")),
        }
    }
    match hottest {
        Some((value, None)) => Quality::Good(value),
        Some((value, Some(age))) => Quality::Held(value, age),
        None if reasons.is_empty() => Quality::Bad("no intake probe is configured".to_owned()),
        None => Quality::Bad(reasons.join("; ")),
    }
}

type Hottest = Option<(Temperature, Option<Seconds>)>;

fn hotter(current: Hottest, value: Temperature, age: Option<Seconds>) -> Hottest {
    match current {
        Some((hottest, _)) if hottest >= value => current,
        Some(_) | None => Some((value, age)),
    }
}

fn humidity(snapshot: &Snapshot, overrides: &[Override]) -> BTreeMap<String, Option<Humidity>> {
    let mut judged = BTreeMap::new();
    for room in snapshot.rooms.values().flatten() {
        for (name, probe) in &room.probes {
            if let Some(reading) = &probe.humidity {
                judged.insert(name.clone(), reading.as_ref().ok().copied());
            }
        }
    }
    for over in overrides {
        if let Setting::Humidity { probe, value } = &over.setting {
            judged.insert(probe.clone(), Some(*value));
        }
    }
    judged
}

fn switches(cfg: &Config, snapshot: &Snapshot, overrides: &[Override]) -> BTreeMap<String, Option<bool>> {
    let mut judged = BTreeMap::new();
    for room in &cfg.rooms {
        let reading = snapshot.rooms.get(&room.name).and_then(|r| r.as_ref().ok());
        for switch in &room.switches {
            let value = reading.and_then(|r| r.switches.get(&switch.name)).and_then(|r| r.as_ref().ok()).copied();
            judged.insert(switch.name.clone(), value);
        }
    }
    for over in overrides {
        if let Setting::Switch { name, alarm } = &over.setting {
            judged.insert(name.clone(), Some(*alarm));
        }
    }
    judged
}

fn relays(cfg: &Config, snapshot: &Snapshot) -> BTreeMap<u8, Option<bool>> {
    let read = |number: &u8, board: &str| {
        let board = snapshot.boards.get(board)?.as_ref().ok()?;
        board.fans.get(number)?.as_ref().ok().copied()
    };
    cfg.fans.iter().map(|(number, fan)| (*number, read(number, &fan.board))).collect()
}

fn fan_watts(
    cfg: &Config,
    next: &mut SiteState,
    snapshot: &Snapshot,
    overrides: &[Override],
    now: &Moment,
    stale: &mut StaleDevices,
) -> BTreeMap<u8, Option<Watts>> {
    let limit = cfg.fan_watts.max_age();
    let reading = snapshot.fan_watts.as_ref().ok();
    let row = reading.and_then(|r| r.row_time).map(|t| t.0);
    let behind = behind(&mut next.counters, cfg.fan_watts.name(), row, now);
    let oldest = reading.and_then(|r| r.fans.values().flatten().map(|m| m.age).max()).unwrap_or_default();
    note_stale(stale, cfg.fan_watts.name(), oldest.max(behind), limit);
    let read = |number: &u8| {
        let measured = reading?.fans.get(number)?.as_ref().ok()?;
        (measured.age.max(behind) <= limit).then_some(measured.value)
    };
    let mut judged: BTreeMap<u8, Option<Watts>> = cfg.fans.keys().map(|number| (*number, read(number))).collect();
    for over in overrides {
        if let Setting::FanWatts { fan, value } = &over.setting {
            judged.insert(*fan, Some(*value));
        }
    }
    judged
}

fn pdus(
    cfg: &Config,
    next: &mut SiteState,
    snapshot: &Snapshot,
    overrides: &[Override],
    now: &Moment,
    stale: &mut StaleDevices,
) -> BTreeMap<String, Result<Watts, String>> {
    let mut judged = BTreeMap::new();
    for pdu in &cfg.pdus {
        let reading = snapshot.pdus.get(&pdu.name);
        let newest = reading.and_then(|r| r.as_ref().ok()).and_then(|r| r.newest).map(|t| t.0);
        let stalled = stalled(&mut next.counters, &pdu.name, newest, now);
        let age = reading.and_then(|r| r.as_ref().ok()).and_then(|r| r.total.as_ref().ok()).map(|t| t.age);
        note_stale(stale, &pdu.name, age.unwrap_or_default().max(stalled), pdu.max_age);
        let watts = match reading {
            None => Err("not read".to_owned()),
            Some(Err(fault)) => Err(fault.to_string()),
            Some(Ok(reading)) => match &reading.total {
                Err(fault) => Err(fault.to_string()),
                Ok(total) if total.age.max(stalled) > pdu.max_age => {
                    Err(format!("the reading is {} old, limit {}", total.age.max(stalled), pdu.max_age))
                }
                Ok(total) => Ok(total.value),
            },
        };
        judged.insert(pdu.name.clone(), watts);
    }
    for over in overrides {
        if let Setting::MinerWatts { pdu, value } = &over.setting {
            judged.insert(pdu.clone(), Ok(*value));
        }
    }
    judged
}

/// Follows which devices answer. A fault that begins or ends leaves an event.
fn health(
    cfg: &Config,
    next: &mut SiteState,
    snapshot: &Snapshot,
    stale: &StaleDevices,
    now: &Moment,
    report: &mut Report,
) {
    let known = next.devices.clone();
    let mut seen = vec![
        ("signal".to_owned(), fault_of(&snapshot.signal)),
        (cfg.foreman.name.clone(), fault_of(&snapshot.foreman)),
    ];
    let fans = |fans: &FanWattsReading| fans.fans.iter().map(|(n, watts)| point(format!("fan {n}"), watts)).collect();
    seen.extend(with_points(cfg.fan_watts.name(), &snapshot.fan_watts, fans, &known));
    let room = |room: &RoomReading| {
        let probes = room.probes.iter().map(|(name, probe)| point(format!("probe {name}"), &probe.temperature));
        probes.chain(room.switches.iter().map(|(name, switch)| point(format!("switch {name}"), switch))).collect()
    };
    seen.extend(snapshot.rooms.iter().flat_map(|(name, reading)| with_points(name, reading, room, &known)));
    let board = |board: &RelayReading| board.fans.iter().map(|(n, on)| point(format!("fan {n}"), on)).collect();
    seen.extend(snapshot.boards.iter().flat_map(|(name, reading)| with_points(name, reading, board, &known)));
    seen.extend(snapshot.pdus.iter().map(|(name, r)| (name.clone(), pdu_fault(r))));
    let dead_man = next.dead_man.clone();
    if cfg.dead_man.is_some() {
        seen.push(("dead-man".to_owned(), dead_man.clone()));
    }
    // A channel is followed while it does not take messages: of one that was not tried, nothing is known.
    let channels = Channel::ALL.map(|channel| (channel.word().to_owned(), next.channels.get(&channel).cloned()));
    seen.extend(channels.into_iter().filter(|(name, fault)| fault.is_some() || was_faulty(&known, name)));
    next.devices.retain(|name, _| seen.iter().any(|(known, _)| known == name));
    for (name, fault) in seen {
        let name = name.as_str();
        let fault = fault.as_ref().or_else(|| stale.get(name));
        let fresh = DeviceHealth { failures: 0, counted: *now, since: *now, fault: None };
        let health = next.devices.entry(name.to_owned()).or_insert(fresh);
        let first_of_run = health.failures == 0 || now.since(&health.counted).0 * 2 >= cfg.loop_interval.0;
        match (fault, &health.fault) {
            (Some(fault), None) => {
                report.event(now, EventKind::Fault, name, fault.to_string());
                health.since = *now;
            }
            (Some(fault), Some(old)) if fault.kind != old.kind => {
                report.event(now, EventKind::Fault, name, fault.to_string());
            }
            (None, Some(_)) => {
                report.event(now, EventKind::Fault, name, format!("answers again after {}", now.since(&health.since)));
                health.since = *now;
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        if fault.is_none() {
            health.failures = 0;
        } else if first_of_run {
            health.failures = health.failures.saturating_add(1);
            health.counted = *now;
        }
        health.fault = fault.cloned();
    }
}

fn fault_of<T>(reading: &Reading<T>) -> Option<Fault> {
    reading.as_ref().err().cloned()
}

/// One of the things that a device measures or switches, and what is wrong with it.
type Point = (String, Option<Fault>);

fn point<T>(name: String, reading: &Reading<T>) -> Point {
    (name, fault_of(reading))
}

/// The fault of one point, by the name of both.
fn of_point(name: String, fault: Option<Fault>) -> Point {
    let fault = fault.map(|fault| Fault { device: name.clone(), ..fault });
    (name, fault)
}

/// A device and those of its points that are faulty, or were: each is followed by itself, or one that failed weeks ago
/// would hide the next. When all of them fail it is the device.
fn with_points<T>(
    device: &str,
    reading: &Reading<T>,
    points: impl Fn(&T) -> Vec<Point>,
    known: &BTreeMap<String, DeviceHealth>,
) -> Vec<Point> {
    let named = |point: &str| format!("{device} {point}");
    let (points, whole) = match reading {
        Ok(reading) => {
            let points = points(reading);
            let all = points.iter().all(|(_, fault)| fault.is_some());
            let whole = points.first().filter(|_| all).and_then(|(_, fault)| fault.clone());
            (points, whole)
        }
        Err(fault) => {
            // What was faulty before is not well because nothing can be read.
            let prefix = named("");
            let before = known.iter().filter(|(name, health)| name.starts_with(&prefix) && health.fault.is_some());
            let before = before.map(|(name, health)| (name.clone(), health.fault.clone()));
            return std::iter::once((device.to_owned(), Some(fault.clone()))).chain(before).collect();
        }
    };
    let is_whole = whole.is_some();
    let followed = points.into_iter().map(|(point, fault)| of_point(named(&point), fault));
    let followed = followed.filter(|(name, fault)| was_faulty(known, name) || (fault.is_some() && !is_whole));
    std::iter::once((device.to_owned(), whole)).chain(followed).collect()
}

fn was_faulty(known: &BTreeMap<String, DeviceHealth>, name: &str) -> bool {
    known.get(name).is_some_and(|health| health.fault.is_some())
}

fn pdu_fault(reading: &Reading<crate::model::PduReading>) -> Option<Fault> {
    match reading {
        Err(fault) => Some(fault.clone()),
        Ok(pdu) => fault_of(&pdu.total),
    }
}
