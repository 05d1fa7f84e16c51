//! The points of a device's reading, in words: probes, switches, fans, relays, outlets, miners. Nothing is judged.

use crate::config::RoomAlertConfig;
use crate::model::{
    FanWattsReading, Fault, FaultKind, ForemanReading, Measured, PduReading, Reading, RelayReading, RoomReading,
};
use crate::units::{Seconds, Watts};

/// Faulty outlets of one PDU that have a line each.
const OUTLETS_MAX: usize = 6;

/// One of the things that a device measures or switches.
pub(super) struct Point {
    /// Its name below the device's: `probe intake-west`, `fan 3`.
    pub(super) name: String,
    /// Its value in words, or why there is none.
    pub(super) value: Result<String, Fault>,
    /// How old it was when it was read; nought where the device gives values no age.
    pub(super) age: Option<Seconds>,
}

/// `age`: for how long the unit's own clock has stood still. Wireless probes are as old as what they last sent, which the
/// reading does not hold.
pub(super) fn of_room(room: &RoomReading, cfg: &RoomAlertConfig, age: Seconds) -> Vec<Point> {
    let mut points = Vec::new();
    let is_wireless = |array: &str| array.starts_with("wireless_sen");
    let wireless_probe = |name: &str| cfg.probes.iter().any(|probe| probe.name == name && is_wireless(&probe.array));
    let wireless_switch = |name: &str| cfg.switches.iter().any(|one| one.name == name && is_wireless(&one.array));
    for (name, probe) in &room.probes {
        let mut value = probe.temperature.as_ref().map(ToString::to_string).map_err(Fault::clone);
        if let (Ok(value), Some(Ok(humidity))) = (&mut value, &probe.humidity) {
            value.push_str(&format!(", {humidity}"));
        }
        let age = (value.is_ok() && !wireless_probe(name)).then_some(age);
        points.push(Point { name: format!("probe {name}"), value, age });
        if let Some(Err(fault)) = &probe.humidity
            && probe.temperature.is_ok()
        {
            points.push(Point { name: format!("humidity {name}"), value: Err(fault.clone()), age: None });
        }
    }
    for (name, switch) in &room.switches {
        let value = switch.as_ref().map(|alarm| if *alarm { "in alarm" } else { "normal" }.to_owned());
        let age = (value.is_ok() && !wireless_switch(name)).then_some(age);
        points.push(Point { name: format!("switch {name}"), value: value.map_err(Fault::clone), age });
    }
    for input in &room.analog {
        let value = input.says.clone().map(|says| match input.label.as_str() {
            "" => says,
            label => format!("`{label}`: {says}"),
        });
        let age = value.is_ok().then_some(age);
        points.push(Point { name: format!("analog {}", input.place), value, age });
    }
    points
}

/// A value older than `limit` is a fault.
pub(super) fn of_meter(meter: &FanWattsReading, limit: Seconds) -> Vec<Point> {
    let point = |(fan, reading): (&u8, &Reading<Measured<Watts>>)| {
        let name = format!("fan {fan}");
        let value = match reading {
            Ok(Measured { value, age }) if *age > limit => {
                Err(Fault::new(&name, FaultKind::Stale, format!("{value} is too old, limit {limit}")))
            }
            Ok(measured) => Ok(measured.value.to_string()),
            Err(fault) => Err(fault.clone()),
        };
        Point { name, value, age: reading.as_ref().ok().map(|measured| measured.age) }
    };
    meter.fans.iter().map(point).collect()
}

pub(super) fn of_board(board: &RelayReading) -> Vec<Point> {
    let word = |runs: &bool| if *runs { "lets it run" } else { "stops it" }.to_owned();
    let point = |(fan, reading): (&u8, &crate::model::Reading<bool>)| Point {
        name: format!("fan {fan}"),
        value: reading.as_ref().map(word).map_err(Fault::clone),
        age: reading.is_ok().then_some(Seconds(0)),
    };
    board.fans.iter().map(point).collect()
}

/// `158 kW`, and whether that was measured.
pub(super) fn power_in_words(watts: Watts, is_derived: bool) -> String {
    let derived = if is_derived { " (amps times volts, not measured)" } else { "" };
    format!("{watts}{derived}")
}

/// `48 outlets: 47 on, 1 off`.
pub(super) fn outlets_in_words(pdu: &PduReading) -> String {
    let count = |on: bool| pdu.outlets.values().filter(|outlet| outlet.on == Ok(on)).count();
    let (on, off, all) = (count(true), count(false), pdu.outlets.len());
    let unread = all.saturating_sub(on).saturating_sub(off);
    let unread = if unread > 0 { format!(", {unread} not read") } else { String::new() };
    format!("{all} outlets: {on} on, {off} off{unread}")
}

/// The first outlets without a state or without watts, and how many more there are.
pub(super) fn faulty_outlets(pdu: &PduReading) -> Vec<Point> {
    let fault = |(id, outlet): (&String, &crate::model::OutletReading)| {
        let fault = outlet.on.as_ref().err().or(outlet.watts.as_ref().err())?.clone();
        Some(Point { name: format!("outlet {id}"), value: Err(fault), age: None })
    };
    let mut faulty: Vec<Point> = pdu.outlets.iter().filter_map(fault).collect();
    let more = faulty.len().saturating_sub(OUTLETS_MAX);
    faulty.truncate(OUTLETS_MAX);
    if let Some(Point { value: Err(fault), .. }) = faulty.last_mut().filter(|_| more > 0) {
        fault.detail.push_str(&format!(" (and {more} outlets more)"));
    }
    faulty
}

/// `288 of 288 miners online, 288 may be commanded, 33.9 PH/s, newest state 40 s old`.
pub(super) fn foreman_in_words(foreman: &ForemanReading) -> String {
    let count = |number: Option<u32>| number.map_or("?".to_owned(), |number| number.to_string());
    let hash_rate = foreman.hash_rate.map_or(String::new(), |rate| format!(", {rate}"));
    let (online, total) = (count(foreman.online), count(foreman.total));
    let heard = foreman.heard.map_or(String::new(), |heard| format!(", newest state {heard} old"));
    format!("{online} of {total} miners online, {} may be commanded{hash_rate}{heard}", foreman.miners.len())
}
