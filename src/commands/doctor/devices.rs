//! The devices: all are read once as in a run, and those whose answers hold a clock a second time, so that one that repeats
//! itself is seen. Whether a reading is too old is judged by the rules, from what the runs remember.

use std::collections::BTreeMap;
use std::time::Duration;

use super::check::{Check, Group};
use super::memory::Memory;
use super::points;
use super::rules;
use super::ways_out::{Kind, of_device};
use crate::clock::Clock;
use crate::config::{Config, FanWattsConfig};
use crate::decide;
use crate::drivers;
use crate::model::{Decision, Fault, FaultKind, PduReading, Reading, Snapshot};
use crate::tick;
use crate::units::{Moment, Seconds};

/// Between the two readings: long enough for a clock that shows seconds.
const PAUSE: Seconds = Seconds(3);

/// What was read and what the rules make of it.
pub(super) struct Look<'a> {
    pub(super) cfg: &'a Config,
    pub(super) memory: &'a Memory,
    /// The first reading of all.
    pub(super) first: Snapshot,
    /// The second of those that were read again.
    again: Snapshot,
    /// What a run would decide on the first.
    pub(super) decision: Decision,
    /// When the first reading began.
    pub(super) now: Moment,
}

/// Reads the devices that are wanted, and says how each stands; with `whole` also what that means for the mine.
pub(super) fn checks(
    cfg: &Config,
    clock: &Clock,
    memory: &Memory,
    wanted: &dyn Fn(&str) -> bool,
    whole: bool,
) -> Vec<Check> {
    let limit = cfg.tick.read_limit.duration();
    let asked = tick::outstanding(&memory.state);
    let (first, _) = drivers::sense_wanted(cfg, clock, limit, &asked, wanted);
    let overrides = memory.loaded.as_ref().map_or(&[][..], |loaded| &loaded.overrides);
    // As of the reading's beginning: a device that hangs makes no reading of another one old.
    let decision = decide::decide(cfg, &memory.state, &first, overrides, &first.at);
    let again = read_again(cfg, clock, limit, &first);
    let look = Look { cfg, memory, now: first.at, first, again, decision };
    let mut checks = Vec::new();
    if wanted("signal") {
        checks.push(look.signal());
    }
    for room in cfg.rooms.iter().filter(|room| wanted(&room.name)) {
        checks.extend(look.room(&room.name));
    }
    if wanted(cfg.fan_watts.name()) {
        checks.extend(look.meter());
    }
    for board in cfg.boards.iter().filter(|board| wanted(&board.name)) {
        checks.extend(look.board(&board.name));
    }
    for pdu in cfg.pdus.iter().filter(|pdu| wanted(&pdu.name)) {
        checks.extend(look.pdu(&pdu.name));
    }
    if wanted(&cfg.foreman.name) {
        checks.extend(look.foreman());
    }
    if whole {
        checks.extend(rules::checks(&look));
    }
    checks
}

/// The second reading, of those that answered and whose answers hold a clock: Room Alert, the meter, the PDUs.
fn read_again(cfg: &Config, clock: &Clock, limit: Duration, first: &Snapshot) -> Snapshot {
    let mut names: Vec<&str> = Vec::new();
    names.extend(first.rooms.iter().filter(|(_, room)| room.is_ok()).map(|(name, _)| name.as_str()));
    names.extend(first.fan_watts.as_ref().ok().map(|_| cfg.fan_watts.name()));
    names.extend(first.pdus.iter().filter(|(_, pdu)| pdu.is_ok()).map(|(name, _)| name.as_str()));
    if !names.is_empty() {
        clock.pause(PAUSE.duration());
    }
    drivers::sense_wanted(cfg, clock, limit, &[], &|name| names.contains(&name)).0
}

impl Look<'_> {
    /// A device's own line: its fault, else `says`. What answered once and then no more is a fault too.
    fn device(&self, kind: Kind, name: &str, says: Result<String, &Fault>, again: Option<&Fault>) -> Check {
        let section = section(self.cfg, kind, name);
        let judged = self.decision.next.devices.get(name).and_then(|health| health.fault.as_ref());
        let check = match (says, judged, again) {
            (Err(fault), _, _) | (Ok(_), Some(fault), _) | (Ok(_), None, Some(fault)) => {
                Check::fault(Group::Device, name, fault, of_device(kind, &section, fault))
            }
            (Ok(says), None, None) => Check::ok(Group::Device, name, says),
        };
        check.took(self.first.took_ms.get(name).copied())
    }

    /// A line for each point of a device.
    fn points(&self, kind: Kind, device: &str, points: Vec<points::Point>) -> Vec<Check> {
        let section = section(self.cfg, kind, device);
        let line = |point: points::Point| {
            let name = format!("{device} {}", point.name);
            let check = match &point.value {
                Ok(says) => Check::ok(Group::Device, name, says),
                Err(fault) => Check::fault(Group::Device, name, fault, of_device(kind, &section, fault)),
            };
            check.aged(point.age)
        };
        points.into_iter().map(line).collect()
    }

    fn remarks(&self, device: &str, remarks: &[String]) -> Vec<Check> {
        let way_out = "see the device's own settings page; README, \"Which relay board\" and \"Which PDU\"";
        remarks.iter().map(|remark| Check::warn(Group::Device, device, remark, way_out)).collect()
    }

    fn signal(&self) -> Check {
        let reading = &self.first.signal;
        let level = self.decision.next.signal.page.map_or("neither run nor curtail", |level| level.word());
        let stamp = reading.as_ref().ok().and_then(|signal| signal.stamp).map(|stamp| self.now.wall.since(stamp));
        let says = reading.as_ref().map(|signal| format!("the page says `{}`: {level}", signal.text));
        self.device(Kind::Signal, "signal", says, None).aged(stamp)
    }

    fn room(&self, name: &str) -> Vec<Check> {
        let Some(reading) = self.first.rooms.get(name) else { return Vec::new() };
        let again = self.again.rooms.get(name);
        let uptime = |reading: Option<&Reading<_>>| {
            reading
                .and_then(|room: &Reading<crate::model::RoomReading>| room.as_ref().ok())
                .and_then(|room| room.uptime)
        };
        let (before, after) = (uptime(Some(reading)), uptime(again));
        let stands = before.is_some() && before == after;
        let frozen =
            Fault::new(name, FaultKind::Stale, format!("its uptime is the same in two readings {PAUSE} apart"));
        let lost = again.and_then(|room| room.as_ref().err()).or(stands.then_some(&frozen));
        let says = reading.as_ref().map(|room| {
            let uptime = room.uptime.map_or("gives no uptime".to_owned(), |uptime| format!("up for {uptime}"));
            format!("{}, {uptime}", room.serial)
        });
        let mut checks = vec![self.device(Kind::Room, name, says, lost)];
        let unit = self.cfg.rooms.iter().find(|room| room.name == name);
        if let (Ok(reading), Some(unit)) = (reading, unit) {
            let moved = self.decision.next.counters.get(name);
            let age = moved.map(|counter| self.now.since(&counter.at)).unwrap_or_default();
            checks.extend(self.points(Kind::Room, name, points::of_room(reading, unit, age)));
        }
        let way_out =
            format!("correct `label` in {} when the probe is in its right place", section(self.cfg, Kind::Room, name));
        let remarks = reading.iter().flat_map(|room| &room.remarks);
        checks.extend(remarks.map(|remark| Check::warn(Group::Device, name, remark, &way_out)));
        checks
    }

    fn meter(&self) -> Vec<Check> {
        let name = self.cfg.fan_watts.name();
        let reading = &self.first.fan_watts;
        let rows = |snapshot: &Snapshot| snapshot.fan_watts.as_ref().ok().and_then(|meter| meter.row_time);
        let moves = match (rows(&self.first), rows(&self.again)) {
            (Some(before), Some(after)) if after > before => format!("rows advance ({})", after.since(before)),
            (Some(_), Some(_)) => format!("no new row in {PAUSE}"),
            _ => "gives no time".to_owned(),
        };
        let says = reading.as_ref().map(|meter| {
            let read = meter.fans.values().filter(|fan| fan.is_ok()).count();
            format!("{read} of {} fans measured, {moves}", self.cfg.fans.len())
        });
        let asked = reading.is_ok();
        let lost = self.again.fan_watts.as_ref().err().filter(|_| asked);
        let mut checks = vec![self.device(Kind::Meter, name, says, lost)];
        let limit = self.cfg.fan_watts.max_age();
        let points = reading.as_ref().map(|meter| points::of_meter(meter, limit)).unwrap_or_default();
        checks.extend(self.points(Kind::Meter, name, points));
        checks
    }

    fn board(&self, name: &str) -> Vec<Check> {
        let Some(reading) = self.first.boards.get(name) else { return Vec::new() };
        let says = reading.as_ref().map(|board| format!("{} relays of fans read", board.fans.len()));
        let mut checks = vec![self.device(Kind::Board, name, says, None)];
        if let Ok(board) = reading {
            checks.extend(self.points(Kind::Board, name, points::of_board(board)));
            checks.extend(self.remarks(name, &board.remarks));
        }
        checks
    }

    fn pdu(&self, name: &str) -> Vec<Check> {
        let Some(reading) = self.first.pdus.get(name) else { return Vec::new() };
        let total = |pdu: &PduReading| pdu.total.as_ref().map(|total| (total.value, total.age)).map_err(Fault::clone);
        let again = self.again.pdus.get(name).and_then(|pdu| pdu.as_ref().err());
        let read = reading.as_ref().map_err(Fault::clone).and_then(|pdu| Ok((total(pdu)?, pdu)));
        let is_derived = self.cfg.pdus.iter().any(|pdu| pdu.name == name && pdu.derives_total());
        let says = read.as_ref().map(|((watts, _), pdu)| {
            format!("{}, {}", points::power_in_words(*watts, is_derived), points::outlets_in_words(pdu))
        });
        let age = read.as_ref().ok().map(|((_, age), _)| *age);
        let mut checks = vec![self.device(Kind::Pdu, name, says, again).aged(age)];
        if let Ok(pdu) = reading {
            checks.extend(self.points(Kind::Pdu, name, points::faulty_outlets(pdu)));
            checks.extend(self.remarks(name, &pdu.remarks));
        }
        checks
    }

    fn foreman(&self) -> Vec<Check> {
        let name = self.cfg.foreman.name.as_str();
        let reading = &self.first.foreman;
        let says = reading.as_ref().map(points::foreman_in_words);
        let mut checks = vec![self.device(Kind::Foreman, name, says, None)];
        if let Ok(foreman) = reading {
            if foreman.miners.is_empty() {
                let fault = Fault::new(name, FaultKind::Missing, "no miner of the client may be commanded");
                let way_out = of_device(Kind::Foreman, &section(self.cfg, Kind::Foreman, name), &fault);
                checks.push(Check::fault(Group::Device, name, &fault, way_out));
            }
            let way_out = "compare Foreman's own page; what it counts differently may not be switched";
            checks.extend(foreman.remarks.iter().map(|remark| Check::warn(Group::Device, name, remark, way_out)));
        }
        checks
    }

    /// The names of devices whose own lines are faults: what follows from that is not said twice.
    pub(super) fn unread(&self) -> BTreeMap<String, FaultKind> {
        let health = self.decision.next.devices.iter();
        health.filter_map(|(name, health)| Some((name.clone(), health.fault.as_ref()?.kind))).collect()
    }
}

/// Where a device is configured.
fn section(cfg: &Config, kind: Kind, name: &str) -> String {
    match kind {
        Kind::Signal => "[signal]".to_owned(),
        Kind::Room => format!("[[room_alert]] `{name}`"),
        Kind::Meter => match cfg.fan_watts {
            FanWattsConfig::IotaWatt(_) => "[iotawatt]".to_owned(),
            FanWattsConfig::EmonCms(_) => "[emoncms]".to_owned(),
        },
        Kind::Board => format!("[[relay_board]] `{name}`"),
        Kind::Pdu => format!("[[pdu]] `{name}`"),
        Kind::Foreman => "[foreman]".to_owned(),
    }
}
