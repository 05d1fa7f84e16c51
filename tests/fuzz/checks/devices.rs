//! The devices of the container: sensors, meters, relay boards, Foreman, PDUs.

use minectl::config::{FanConfig, PduDriver, RelayFamily, RelayPoint, RoomAlertConfig};
use minectl::drivers::parse;
use minectl::http::Answer;
use minectl::model::{FanWattsReading, Measured, OutletReading, Reading};
use minectl::units::{Seconds, Watts};
use serde_json::Value;

use super::config::{NOWHERE, board, emoncms as emoncms_at, fan, foreman as foreman_at, iotawatt as iotawatt_at, room};
use super::kinds::pdus;
use super::{NOW, are_quotable, is_number, json, read, steady, text};

/// What a fan, an outlet and a PDU can draw.
const FAN: std::ops::RangeInclusive<f64> = -100.0..=50_000.0;
const OUTLET: std::ops::RangeInclusive<f64> = 0.0..=50_000.0;
const PDU: std::ops::RangeInclusive<f64> = 0.0..=2_000_000.0;

/// A unit with probes in its own array, and one with wireless probes.
fn rooms() -> [RoomAlertConfig; 2] {
    let mut wireless = room(NOWHERE);
    for (probe, array) in wireless.probes.iter_mut().zip(["wireless_sen", "wireless_sen/1/digi_sen"]) {
        (probe.array, probe.use_disabled, probe.max_age) = (array.to_owned(), true, Some(Seconds(1800)));
        probe.label = None;
    }
    wireless.serial = Some("RA32".to_owned());
    [room(NOWHERE), wireless]
}

pub fn room_alert(bytes: &[u8]) -> bool {
    let (body, mut is_read) = (text(bytes), false);
    for cfg in rooms() {
        let Some(reading) = read(steady(|| parse::room_alert(&body, &cfg))) else { continue };
        assert_eq!((reading.probes.len(), reading.switches.len()), (cfg.probes.len(), cfg.switches.len()));
        assert!(reading.serial.len() <= 4 * body.len() + 400, "a serial number longer than the answer");
        for probe in reading.probes.into_values() {
            let celsius = read(probe.temperature).map(|temperature| temperature.value());
            is_read |= is_number(celsius, -40.0..=125.0, &body);
            let percent = probe.humidity.and_then(read).map(|humidity| humidity.value());
            is_number(percent, 0.0..=100.0, &body);
        }
        for switch in reading.switches.into_values() {
            is_read |= is_number(read(switch).map(|_| 0.0), 0.0..=0.0, &body);
        }
    }
    is_read
}

pub fn relays(bytes: &[u8]) -> bool {
    let body = text(bytes);
    let state = read(steady(|| parse::relays(&body, "board")));
    for coil in state.iter().flat_map(|state| state.relays.values()) {
        is_number(coil.as_ref().ok().map(|_| 0.0), 0.0..=0.0, &body);
    }
    if let Some(state) = &state {
        let shown: usize = state.shown.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(shown <= 12 * body.len() + 400, "{shown} bytes out of {}", body.len());
    }
    let named = FanConfig { relay: RelayPoint::Name("device2Relay6".to_owned()), ..fan(3, "board", 1) };
    let fans = [fan(1, "board", 1), fan(2, "board", 16), named];
    let mut is_read = false;
    for serial in [None, Some("00:0C:C8:06:31:5D".to_owned())] {
        let mut cfg = board("board", NOWHERE, RelayFamily::Auto);
        cfg.serial = serial;
        let Some(reading) = read(steady(|| parse::relay_board(&body, &cfg, &fans.each_ref()))) else { continue };
        assert_eq!(reading.fans.len(), fans.len());
        are_quotable(&reading.remarks);
        for on in reading.fans.into_values() {
            is_read |= is_number(read(on).map(|_| 0.0), 0.0..=0.0, &body);
        }
    }
    is_read
}

/// Whether any fan's watts were read.
fn has_watts(reading: FanWattsReading, body: &str) -> bool {
    let watts = reading.fans.into_values().filter_map(read).map(|watts| watts.value.value());
    // Each is looked at, whatever the first one says.
    watts.filter(|watts| is_number(Some(*watts), FAN, body)).count() > 0
}

pub fn iotawatt(bytes: &[u8]) -> bool {
    let (Some(value), body) = (json(bytes), text(bytes)) else { return false };
    let cfg = iotawatt_at(NOWHERE, 2);
    let clock = steady(|| parse::iotawatt_clock(&value)).unwrap_or(NOW);
    assert!(clock.0 > 0);
    let row = read(steady(|| parse::iotawatt(&value, &cfg, clock))).flatten();
    let live = read(steady(|| parse::iotawatt_status(&value, &cfg)));
    let readings = [row, live.and_then(|live| live.reading)];
    let has_series = steady(|| parse::iotawatt_series(&value)).is_some_and(|names| !names.is_empty());
    has_series
        | (readings.into_iter().flatten().filter_map(|reading| has_watts(reading, &body).then_some(())).count() > 0)
}

pub fn emoncms(bytes: &[u8]) -> bool {
    let body = text(bytes);
    let reading = read(steady(|| parse::emoncms(&body, &emoncms_at(NOWHERE, 3), NOW)));
    reading.is_some_and(|reading| has_watts(reading, &body))
}

pub fn foreman(bytes: &[u8]) -> bool {
    let (Some(value), body) = (json(bytes), text(bytes)) else { return false };
    let summary = read(steady(|| parse::parse_summary(&value, "foreman")));
    let mut is_read = false;
    if let Some(summary) = summary {
        are_quotable(&summary.remarks);
        assert!(summary.online <= summary.total.or(summary.online), "{:?} of {:?}", summary.online, summary.total);
        is_read |= is_number(summary.estimated.map(Watts::value), 0.0..=f64::MAX, &body);
        is_read |= is_number(summary.hash_rate.map(|rate| rate.value()), 0.0..=f64::MAX, &body);
        is_read |= is_number(summary.total.map(f64::from), 0.0..=1.0e6, &body);
    }
    if let Some(page) = read(steady(|| parse::parse_page(&value, &foreman_at(NOWHERE)))) {
        assert!(page.ids.len() <= page.rows && page.miners.len() <= page.ids.len());
        for miner in &page.miners {
            are_quotable(&[miner.name.clone(), miner.status.clone()]);
            is_number(miner.watts.map(Watts::value), 0.0..=f64::MAX, &body);
            is_read = true;
        }
    }
    // A fault is told elsewhere; here it must be quotable.
    is_read | read(steady(|| parse::parse_status(&value, "foreman"))).is_some()
}

fn is_outlet(outlet: OutletReading, body: &str) -> bool {
    let watts = read(outlet.watts).map(|watts| watts.value.value());
    read(outlet.on).is_some() | is_number(watts, OUTLET, body)
}

pub fn pdu(bytes: &[u8]) -> bool {
    let (Some(value), body) = (json(bytes), text(bytes)) else { return false };
    let mut is_read = false;
    for cfg in pdus() {
        let PduDriver::HttpJson(dialect) = &cfg.driver else { continue };
        let answer = Answer::new(200, Vec::new(), bytes.to_vec());
        for ask in [&dialect.read, &dialect.switch_on] {
            read(parse::pdu_reply(answer.clone(), "p", cfg, ask));
        }
        let Some(reading) = read(steady(|| parse::pdu(&value, cfg, NOW))) else { continue };
        assert_eq!(reading.outlets.len(), cfg.outlets.len());
        are_quotable(&reading.remarks);
        let total: Reading<Measured<Watts>> = reading.total;
        // The sum over outlets that draw nothing is 0 in an answer of words alone.
        let total = read(total).map(|total| total.value.value()).filter(|total| *total != 0.0);
        is_number(total, PDU, &body);
        for outlet in reading.outlets.into_values() {
            is_read |= is_outlet(outlet, &body);
        }
    }
    is_read
}

pub fn redfish(bytes: &[u8]) -> bool {
    let (Some(value), body) = (json(bytes), text(bytes)) else { return false };
    let places = |words: &str| Value::as_object(&value).is_some_and(|_| body.contains(words)) || words.starts_with('/');
    for words in steady(|| parse::redfish_words(&value, "p A1")) {
        // Addresses are handed on as they came; whether they are any is judged where they are asked for.
        assert!(words.len() <= 4096 || places(&words), "{words:.200}");
    }
    is_outlet(steady(|| parse::redfish(&value, "p A1")), &body)
}
