//! Judges each input: good, held from an earlier reading, or bad with its reason. Overrides take the place of inputs
//! here. What the air and its switches say is in `room`, which devices answer in `health`. It does not decide what a bad
//! input means for the outputs.

mod health;
mod room;

use std::collections::BTreeMap;

use super::Report;
use crate::config::Config;
use crate::model::{Counter, Fault, FaultKind, Override, Setting, SiteState, Snapshot};
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
    let probes = room::probes(cfg, next, snapshot, overrides, now, &mut stale);
    let intake = room::hottest_intake(cfg, &probes);
    let inputs = Inputs {
        intake,
        humidity: room::humidity(snapshot, overrides, &stale),
        switches: room::switches(cfg, snapshot, overrides, &stale),
        relays: relays(cfg, snapshot),
        fan_watts: fan_watts(cfg, next, snapshot, overrides, &mut stale),
        pdus: pdus(cfg, next, snapshot, overrides, &mut stale),
        probes,
    };
    health::follow(cfg, next, snapshot, &stale, now, report);
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

/// How long a number that must advance has stood still; zero when it moved, in whatever direction (a reboot). `now` is when
/// the reading began: a device that hangs makes no other one old.
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
    stale: &mut StaleDevices,
) -> BTreeMap<u8, Option<Watts>> {
    let limit = cfg.fan_watts.max_age();
    let reading = snapshot.fan_watts.as_ref().ok();
    let row = reading.and_then(|r| r.row_time).map(|t| t.0);
    let meter = cfg.fan_watts.name();
    let behind = behind(&mut next.counters, meter, row, &snapshot.at);
    let measured =
        || reading.into_iter().flat_map(|r| &r.fans).filter_map(|(n, fan)| Some((n, fan.as_ref().ok()?.age)));
    let newest = measured().map(|(_, age)| age).min().unwrap_or_default();
    if newest.max(behind) > limit {
        note_stale(stale, meter, newest.max(behind), limit);
    } else {
        measured().for_each(|(fan, age)| note_stale(stale, &format!("{meter} fan {fan}"), age, limit));
    }
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
    stale: &mut StaleDevices,
) -> BTreeMap<String, Result<Watts, String>> {
    let mut judged = BTreeMap::new();
    for pdu in &cfg.pdus {
        let reading = snapshot.pdus.get(&pdu.name);
        let newest = reading.and_then(|r| r.as_ref().ok()).and_then(|r| r.newest).map(|t| t.0);
        let stalled = stalled(&mut next.counters, &pdu.name, newest, &snapshot.at);
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
