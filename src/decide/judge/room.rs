//! Judges what the Room Alert units say: temperatures, humidity, switches.

use std::collections::BTreeMap;

use super::{Quality, StaleDevices, note_stale, stalled};
use crate::config::Config;
use crate::model::{LastGood, Override, Setting, SiteState, Snapshot};
use crate::units::{Humidity, Moment, Seconds, Temperature};

/// The probes' temperatures; units whose own clock stands still are noted as stale.
pub(super) fn probes(
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
        let stalled = stalled(&mut next.counters, &room.name, uptime.or(stood), &snapshot.at);
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
pub(super) fn hottest_intake(cfg: &Config, probes: &BTreeMap<String, Quality<Temperature>>) -> Quality<Temperature> {
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

/// Humidity by probe; `None` where it is not read or the unit is stale.
pub(super) fn humidity(
    snapshot: &Snapshot,
    overrides: &[Override],
    stale: &StaleDevices,
) -> BTreeMap<String, Option<Humidity>> {
    let mut judged = BTreeMap::new();
    for (unit, room) in &snapshot.rooms {
        let is_stale = stale.contains_key(unit);
        for (name, probe) in room.iter().flat_map(|room| &room.probes) {
            if let Some(reading) = &probe.humidity {
                judged.insert(name.clone(), reading.as_ref().ok().copied().filter(|_| !is_stale));
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

/// Switches by name; `None` for one that is not read. One of a stale unit still says alarm, which may be true, but never
/// that all is well.
pub(super) fn switches(
    cfg: &Config,
    snapshot: &Snapshot,
    overrides: &[Override],
    stale: &StaleDevices,
) -> BTreeMap<String, Option<bool>> {
    let mut judged = BTreeMap::new();
    for room in &cfg.rooms {
        let reading = snapshot.rooms.get(&room.name).and_then(|r| r.as_ref().ok());
        let is_stale = stale.contains_key(&room.name);
        for switch in &room.switches {
            let value = reading.and_then(|r| r.switches.get(&switch.name)).and_then(|r| r.as_ref().ok()).copied();
            judged.insert(switch.name.clone(), value.filter(|alarm| *alarm || !is_stale));
        }
    }
    for over in overrides {
        if let Setting::Switch { name, alarm } = &over.setting {
            judged.insert(name.clone(), Some(*alarm));
        }
    }
    judged
}
