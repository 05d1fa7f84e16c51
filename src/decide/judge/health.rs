//! Which devices answer, and which of their points: a fault that begins or ends is an event, and counted.

use std::collections::BTreeMap;

use super::StaleDevices;
use crate::config::Config;
use crate::decide::Report;
use crate::model::{
    Channel, DeviceHealth, EventKind, FanWattsReading, Fault, PduReading, Reading, RelayReading, RoomReading,
    SiteState, Snapshot,
};
use crate::units::Moment;

/// Follows which devices answer. A fault that begins or ends leaves an event.
pub(super) fn follow(
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
    let meter = cfg.fan_watts.name();
    let old = |fan: &u8| stale.get(&format!("{meter} fan {fan}")).cloned();
    let fan = |(n, watts): (&u8, &Reading<_>)| (format!("fan {n}"), fault_of(watts).or_else(|| old(n)));
    let fans = |fans: &FanWattsReading| fans.fans.iter().map(fan).collect();
    seen.extend(with_points(meter, &snapshot.fan_watts, fans, &known));
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
    if cfg.telegram.as_ref().is_some_and(|telegram| telegram.commands.is_some()) {
        seen.push(("telegram-commands".to_owned(), next.chat.clone()));
    }
    if cfg.influx.is_some() {
        seen.push(("influx".to_owned(), next.influx.clone()));
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

fn pdu_fault(reading: &Reading<PduReading>) -> Option<Fault> {
    match reading {
        Err(fault) => Some(fault.clone()),
        Ok(pdu) => fault_of(&pdu.total),
    }
}
