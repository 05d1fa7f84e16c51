//! The devices: `sense` reads all of them side by side, `act` carries out commands. Drivers report and obey: they hold no
//! thresholds, remember nothing but a login or the page that worked, and decide nothing. Each device has a thread of its own and one
//! request at a time, so that a pass lasts as long as its slowest device; PDUs that share an address take turns.

mod act;
mod common;
mod controlbyweb;
mod digest;
mod emoncms;
mod foreman;
mod iotawatt;
mod pdu;
mod room_alert;
mod signal_page;

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::config::{Config, FanConfig, FanWattsConfig, RelayBoardConfig, Secret};
use crate::http::masked;
use crate::model::{Fault, FaultKind, Reading, SignalReading, Snapshot};
use crate::units::{Seconds, Watts};
use common::Limits;

pub use act::act;

/// The signal's page step by step, for `signal explain` and `signal learn`.
pub mod page {
    pub use super::signal_page::{
        Check, Decoded, Document, Examination, Freshness, PAGE_MAX, SignalPage, check_freshness, decode, examine,
        fetch, find, folded, hash, html, moment, open, seen_text, shown, strict_number, text_at,
    };
}

/// The parsers alone, for tests and for `signal explain`: text in, reading out, no I/O.
pub mod parse {
    pub use super::controlbyweb::{BoardState, Dialect, parse as relays, parse_for as relay_board};
    pub use super::digest::authorization as digest;
    pub use super::emoncms::parse as emoncms;
    pub use super::foreman::{Page, Summary, parse_page, parse_status, parse_summary};
    pub use super::iotawatt::{
        Live, clock as iotawatt_clock, parse as iotawatt, parse_series as iotawatt_series,
        parse_status as iotawatt_status,
    };
    pub use super::pdu::{judged as pdu_reply, parse as pdu, parse_redfish as redfish, redfish_words};
    pub use super::room_alert::parse as room_alert;
    pub use super::signal_page::parse as signal;
}

/// No fan draws more, and a reversed current transformer shows less.
const FAN_WATTS: std::ops::RangeInclusive<f64> = -100.0..=50_000.0;

/// A reading on its way, with the time it took.
type Pending<'scope, T> = Result<ScopedJoinHandle<'scope, (Reading<T>, Duration)>, Fault>;

/// Reads every device side by side within `limit` of real time. `ask` are the Foreman commands to ask about. A device
/// that fails, hangs or breaks its driver is a fault in its place.
pub fn sense(cfg: &Config, clock: &Clock, limit: Duration, ask: &[u64]) -> Snapshot {
    sense_with_page(cfg, clock, limit, ask).0
}

/// As [`sense`], with the signal's page as it came, if one came: the evidence.
pub fn sense_with_page(
    cfg: &Config,
    clock: &Clock,
    limit: Duration,
    ask: &[u64],
) -> (Snapshot, Option<page::SignalPage>) {
    sense_wanted(cfg, clock, limit, ask, &|_| true)
}

/// As [`sense_with_page`], but asks only the devices whose names are `wanted`. Rooms, boards and PDUs that are not are left
/// out of the snapshot; the signal, the fan meter and Foreman are a fault in their place.
pub fn sense_wanted(
    cfg: &Config,
    clock: &Clock,
    limit: Duration,
    ask: &[u64],
    wanted: &dyn Fn(&str) -> bool,
) -> (Snapshot, Option<page::SignalPage>) {
    let until = Instant::now() + limit;
    let at = clock.now();
    let now = at.wall;
    let limits = |timeout: Seconds| Limits { timeout, until };
    let (sender, page) = mpsc::channel();
    let turns = &pdu::Turns::of(&cfg.pdus);
    let snapshot = scope(|scope| {
        let one = |name: &str| if wanted(name) { Ok(()) } else { Err(not_asked(name)) };
        let signal = one(signal_page::NAME).and_then(|()| {
            start(scope, signal_page::NAME, move || {
                let (reading, page) = signal_page::read(&cfg.signal, &cfg.time_zone, now, limits(cfg.signal.timeout));
                // The receiver lives as long as this thread; a driver that breaks sends nothing.
                sender.send(page).ok();
                reading
            })
        });
        let rooms: Vec<_> = each(cfg.rooms.iter().filter(|room| wanted(&room.name)), |room| {
            (
                room.name.as_str(),
                start(scope, &room.name, move || room_alert::read(room, &cfg.paths.data, limits(room.timeout))),
            )
        });
        let fan_watts = one(cfg.fan_watts.name()).and_then(|()| {
            start(scope, cfg.fan_watts.name(), move || match &cfg.fan_watts {
                FanWattsConfig::IotaWatt(meter) => iotawatt::read(meter, &cfg.paths.data, now, limits(meter.timeout)),
                FanWattsConfig::EmonCms(meter) => emoncms::read(meter, now, limits(meter.timeout)),
            })
        });
        let boards: Vec<_> = each(cfg.boards.iter().filter(|board| wanted(&board.name)), |board| {
            let read = move || controlbyweb::read(board, &fans_of(cfg, board), limits(board.timeout));
            (board.name.as_str(), start(scope, &board.name, read))
        });
        let pdus: Vec<_> = each(cfg.pdus.iter().filter(|pdu| wanted(&pdu.name)), |pdu| {
            (pdu.name.as_str(), start(scope, &pdu.name, move || pdu::read(pdu, now, limits(pdu.timeout), turns)))
        });
        let foreman = one(&cfg.foreman.name).and_then(|()| {
            start(scope, &cfg.foreman.name, move || {
                foreman::read(&cfg.foreman, clock, ask, limits(cfg.foreman.timeout))
            })
        });
        let mut collect = Collect { took_ms: BTreeMap::new(), secrets: secrets(cfg) };
        Snapshot {
            at,
            signal: collect.one(signal_page::NAME, signal),
            rooms: collect.all(rooms),
            fan_watts: collect.one(cfg.fan_watts.name(), fan_watts),
            boards: collect.all(boards),
            pdus: collect.all(pdus),
            foreman: collect.one(&cfg.foreman.name, foreman),
            took_ms: collect.took_ms,
            troubles: Vec::new(),
        }
    });
    (snapshot, page.try_recv().ok().flatten())
}

/// Reads the signal's page alone, within `limit` of real time.
pub fn read_signal(cfg: &Config, clock: &Clock, limit: Duration) -> (Reading<SignalReading>, Option<page::SignalPage>) {
    let limits = Limits { timeout: cfg.signal.timeout, until: Instant::now() + limit };
    let (sender, page) = mpsc::channel();
    let reading = scope(|scope| {
        let signal = start(scope, signal_page::NAME, move || {
            let (reading, page) = signal_page::read(&cfg.signal, &cfg.time_zone, clock.now().wall, limits);
            sender.send(page).ok();
            reading
        });
        Collect { took_ms: BTreeMap::new(), secrets: secrets(cfg) }.one(signal_page::NAME, signal)
    });
    (reading, page.try_recv().ok().flatten())
}

/// All of a kind, started before any is waited for.
fn each<T, P>(devices: impl Iterator<Item = T>, begin: impl Fn(T) -> P) -> Vec<P> {
    devices.map(begin).collect()
}

/// In the place of a device that nobody wanted to read.
fn not_asked(name: &str) -> Fault {
    Fault::new(name, FaultKind::Missing, "was not asked")
}

/// Starts a device's reading on a thread of its own.
fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    read: impl FnOnce() -> Reading<T> + Send + 'scope,
) -> Pending<'scope, T> {
    let timed = move || {
        let began = Instant::now();
        (read(), began.elapsed())
    };
    let thread = Builder::new().name(name.to_owned()).spawn_scoped(scope, timed);
    thread.map_err(|error| Fault::new(name, FaultKind::Broken, format!("no thread for this device: {error}")))
}

/// Waits for readings and keeps how long each took.
struct Collect<'cfg> {
    took_ms: BTreeMap<String, u64>,
    secrets: Vec<&'cfg Secret>,
}

impl Collect<'_> {
    fn one<T>(&mut self, name: &str, pending: Pending<T>) -> Reading<T> {
        let (reading, took) = match pending.map(ScopedJoinHandle::join) {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => (Err(broken_driver(name)), Duration::ZERO),
            Err(fault) => (Err(fault), Duration::ZERO),
        };
        self.took_ms.insert(name.to_owned(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        reading.map_err(|fault| without_secrets(fault, &self.secrets))
    }

    fn all<T>(&mut self, pending: Vec<(&str, Pending<T>)>) -> BTreeMap<String, Reading<T>> {
        pending.into_iter().map(|(name, one)| (name.to_owned(), self.one(name, one))).collect()
    }
}

/// Every secret that a device is sent.
fn secrets(cfg: &Config) -> Vec<&Secret> {
    let meter = match &cfg.fan_watts {
        FanWattsConfig::IotaWatt(meter) => meter.password.as_ref(),
        FanWattsConfig::EmonCms(meter) => Some(&meter.api_key),
    };
    let boards = cfg.boards.iter().filter_map(|board| board.password.as_ref());
    let rooms = cfg.rooms.iter().filter_map(|room| room.password.as_ref());
    let pdus = cfg.pdus.iter().flat_map(|pdu| [&pdu.token, &pdu.password]).flatten();
    std::iter::once(&cfg.foreman.api_key).chain(meter).chain(rooms).chain(boards).chain(pdus).collect()
}

/// A device may send back what it was sent, and faults quote what devices send.
fn without_secrets(fault: Fault, secrets: &[&Secret]) -> Fault {
    Fault { detail: masked(&fault.detail, secrets), ..fault }
}

/// A driver that panicked: our mistake, told as this device's fault so that the run goes on.
fn broken_driver(name: &str) -> Fault {
    Fault::new(name, FaultKind::Broken, "driver stopped with an internal error; its message is on standard error")
}

/// The fans on a board.
fn fans_of<'cfg>(cfg: &'cfg Config, board: &RelayBoardConfig) -> Vec<&'cfg FanConfig> {
    cfg.fans.values().filter(|fan| fan.board == board.name).collect()
}

/// The power of a fan, within what a fan can draw.
fn fan_watts(watts: f64, device: &str) -> Reading<Watts> {
    if !FAN_WATTS.contains(&watts) {
        let hint = if watts < 0.0 { "; is its current transformer reversed?" } else { "" };
        let detail = format!("{watts} W is not possible for a fan{hint}");
        return Err(Fault::new(device, FaultKind::OutOfRange, detail));
    }
    Watts::new(watts).map_err(|error| Fault::new(device, FaultKind::OutOfRange, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_panics_is_a_fault_of_its_device() {
        let (token, mut collect) = (Secret::new("hunter2"), Collect { took_ms: BTreeMap::new(), secrets: Vec::new() });
        collect.secrets.push(&token);
        let broken: Reading<()> = scope(|scope| collect.one("unit", start(scope, "unit", || panic!("on purpose"))));
        let fault = broken.unwrap_err();
        assert_eq!((fault.device.as_str(), fault.kind), ("unit", FaultKind::Broken));
        let quoting = || Err::<(), _>(Fault::new("unit", FaultKind::Status, "the unit says `bad token hunter2`"));
        let fault = scope(|scope| collect.one("unit", start(scope, "unit", quoting))).unwrap_err();
        assert_eq!(fault.detail, "the unit says `bad token ***`");
    }
}
