//! ControlByWeb relay boards, four generations of them. A relay's state is the coil's command echoed: whether the fan
//! turns, only watts tell. Only the values 0 and 1 are ever sent: no toggle, no pulse.

mod ask;
mod parse;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::common::{Limits, no_time};
use crate::clock::Clock;
use crate::config::{FanConfig, RelayBoardConfig, RelayPoint, Wiring};
use crate::http::excerpt;
use crate::model::{Fault, FaultKind, Reading, RelayReading, Reply};
use ask::Way;

pub use parse::{BoardState, Dialect, parse};

/// How long a board may take to show what it was told, before it is read once more. Site time.
const SETTLE: Duration = Duration::from_millis(700);

/// Names that a fault lists at most.
const NAMES_SHOWN_MAX: usize = 12;

/// A fan, and whether it is to run.
type Change<'a> = (&'a FanConfig, bool);

type Results = Vec<Result<Reply, Fault>>;

/// Reads a board and tells for each of its fans whether the relay lets it run.
pub(super) fn read(cfg: &RelayBoardConfig, fans: &[&FanConfig], limits: Limits) -> Reading<RelayReading> {
    let (_, state) = ask::look(cfg, has_names(fans.iter().copied()), limits)?;
    reading(cfg, fans, &state)
}

/// What a body says of a board's fans, as [`parse`] where all of them go by numbers.
pub fn parse_for(body: &str, cfg: &RelayBoardConfig, fans: &[&FanConfig]) -> Reading<RelayReading> {
    reading(cfg, fans, &parse::state(body, &cfg.name)?)
}

fn reading(cfg: &RelayBoardConfig, fans: &[&FanConfig], state: &BoardState) -> Reading<RelayReading> {
    check_serial(cfg, state)?;
    let fans = fans.iter().map(|fan| (fan.number, fan_is_on(cfg, fan, state)));
    Ok(RelayReading { fans: fans.collect(), remarks: remarks(state) })
}

/// Switches fans: all changes in one request, the reply compared relay by relay, and read once more where it differs. A
/// fan that is named twice is switched in the order given. One result for each change.
pub(super) fn act(cfg: &RelayBoardConfig, clock: &Clock, limits: Limits, changes: &[Change<'_>]) -> Results {
    let (way, before) = match way(cfg, limits, changes) {
        Ok(found) => found,
        Err(fault) => return changes.iter().map(|_| Err(fault.clone())).collect(),
    };
    let board = Board { cfg, clock, limits, way };
    let mut results = Vec::new();
    let mut rest = changes;
    while !rest.is_empty() {
        let (batch, later) = rest.split_at_checked(first_batch(rest)).unwrap_or((rest, &[]));
        if !results.is_empty() {
            board.pause();
        }
        results.extend(board.switch(before.as_ref(), batch));
        rest = later;
    }
    results
}

/// How many changes can go in one request: up to the first fan that is named again.
fn first_batch(changes: &[Change<'_>]) -> usize {
    let mut seen = BTreeSet::new();
    changes.iter().take_while(|(fan, _)| seen.insert(&fan.relay)).count().max(1)
}

fn has_names<'a>(mut fans: impl Iterator<Item = &'a FanConfig>) -> bool {
    fans.any(|fan| matches!(fan.relay, RelayPoint::Name(_)))
}

/// How a board is written to. It is read first where that must be found out, where names are used, and where a serial
/// number is configured: another device at this address is not written to.
fn way(cfg: &RelayBoardConfig, limits: Limits, changes: &[Change<'_>]) -> Result<(Way, Option<BoardState>), Fault> {
    if limits.left().is_zero() {
        return Err(no_time(&cfg.name));
    }
    let has_names = has_names(changes.iter().map(|(fan, _)| *fan));
    if let Some(way) = Way::configured(cfg).filter(|_| cfg.serial.is_none() && !has_names) {
        return Ok((way, None));
    }
    let (way, state) = ask::look(cfg, has_names, limits)?;
    check_serial(cfg, &state)?;
    Ok((way, Some(state)))
}

/// A board that is being written to.
struct Board<'a> {
    cfg: &'a RelayBoardConfig,
    clock: &'a Clock,
    limits: Limits,
    way: Way,
}

impl Board<'_> {
    /// Switches fans that all differ. A relay that the board has not shown in `before` is not sent to it.
    fn switch(&self, before: Option<&BoardState>, batch: &[Change<'_>]) -> Results {
        let refusals: Vec<Option<Fault>> = batch.iter().map(|(fan, _)| self.refusal(before, fan)).collect();
        let good: Vec<Change<'_>> =
            batch.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none()).map(|(change, _)| *change).collect();
        let seen = if good.is_empty() { None } else { Some(self.carry_out(&good)) };
        let result = |((fan, on), refusal): (&Change<'_>, Option<Fault>)| match (refusal, &seen) {
            (Some(fault), _) => Err(fault),
            (None, Some(Err(fault))) => Err(fault.clone()),
            (None, Some(Ok(seen))) => confirm(self.cfg, fan, *on, seen),
            (None, None) => Err(no_time(&self.cfg.name)),
        };
        batch.iter().zip(refusals.iter().cloned()).map(result).collect()
    }

    /// Why an order for this fan must not be sent.
    fn refusal(&self, before: Option<&BoardState>, fan: &FanConfig) -> Option<Fault> {
        if let Some(fault) = before.and_then(|before| fan_is_on(self.cfg, fan, before).err()) {
            return Some(fault);
        }
        let detail = || format!("{} cannot be: this board has one relay, number 1", fan.relay);
        let fault = || Fault::new(point(self.cfg, fan), FaultKind::Missing, detail());
        self.way.parameter(&fan.relay).is_none().then(fault)
    }

    /// Sends one order and tells what the relays show after it.
    fn carry_out(&self, batch: &[Change<'_>]) -> Result<BoardState, Fault> {
        let Board { cfg, limits, way, .. } = *self;
        if limits.left().is_zero() {
            return Err(no_time(&cfg.name));
        }
        let pair =
            |(fan, on): &Change<'_>| Some(format!("{}={}", way.parameter(&fan.relay)?, u8::from(coil(fan, *on))));
        let pairs: Vec<String> = batch.iter().filter_map(pair).collect();
        let mut seen = match ask::order(cfg, way, &pairs, limits) {
            Ok(seen) => seen,
            // The order may have arrived although its answer did not; what the relays do now, only a reading can tell.
            Err(fault) if fault.kind == FaultKind::Broken => {
                self.pause();
                ask::again(cfg, way, limits).map_err(|_| fault)?
            }
            Err(fault) => return Err(fault),
        };
        let obeyed = |seen: &BoardState| batch.iter().all(|(fan, on)| fan_is_on(cfg, fan, seen) == Ok(*on));
        if !obeyed(&seen) && !limits.left().is_zero() {
            self.pause();
            seen = ask::again(cfg, way, limits)?;
        }
        check_serial(cfg, &seen)?;
        Ok(seen)
    }

    fn pause(&self) {
        let left = self.limits.until.saturating_duration_since(Instant::now());
        std::thread::sleep(self.clock.real_span(SETTLE).min(left));
    }
}

fn confirm(cfg: &RelayBoardConfig, fan: &FanConfig, on: bool, seen: &BoardState) -> Result<Reply, Fault> {
    let word = |on: bool| if on { "on" } else { "off" };
    let shown = fan_is_on(cfg, fan, seen)?;
    if shown == on {
        return Ok(Reply::Confirmed);
    }
    let number = fan.number;
    let detail = format!("relay of fan {number}: asked for {}, still reads {}", word(on), word(shown));
    Err(Fault::new(point(cfg, fan), FaultKind::NotObeyed, detail))
}

fn point(cfg: &RelayBoardConfig, fan: &FanConfig) -> String {
    format!("{} fan {}", cfg.name, fan.number)
}

/// The coil that makes a fan run, or stop.
fn coil(fan: &FanConfig, on: bool) -> bool {
    match fan.wiring {
        Wiring::NormallyClosed => !on,
        Wiring::NormallyOpen => on,
    }
}

fn fan_is_on(cfg: &RelayBoardConfig, fan: &FanConfig, state: &BoardState) -> Reading<bool> {
    let relay = match &fan.relay {
        RelayPoint::Number(number) => state.relays.get(number).cloned(),
        RelayPoint::Name(name) => state.named(name),
    };
    match relay {
        Some(Ok(energised)) => Ok(energised == coil(fan, true)),
        Some(Err(seen)) => {
            let detail = format!("{} is {seen}, not 0 or 1", fan.relay);
            Err(Fault::new(point(cfg, fan), FaultKind::Unreadable, detail))
        }
        None => Err(Fault::new(point(cfg, fan), FaultKind::Missing, not_shown(fan, state))),
    }
}

/// What to say of a relay that is not in the answer.
fn not_shown(fan: &FanConfig, state: &BoardState) -> String {
    let relay = &fan.relay;
    match relay {
        RelayPoint::Number(_) => {
            let shown: Vec<String> = state.relays.keys().map(u8::to_string).collect();
            let hint = match state.dialect {
                Some(Dialect::Numbers) => {
                    "; a relay of an expansion module needs a Local I/O Number, or its name as `relay_name`"
                }
                Some(Dialect::NumbersState | Dialect::Single | Dialect::Digits) | None => "",
            };
            format!("{relay} is not in the answer (relays {}){hint}", shown.join(", "))
        }
        RelayPoint::Name(_) => {
            let switchable = state.shown.iter().filter(|(_, text)| matches!(text.trim(), "0" | "1"));
            let names: Vec<String> = switchable.map(|(name, _)| excerpt(name)).take(NAMES_SHOWN_MAX).collect();
            format!("{relay} is not in the answer; it shows `{}`", names.join("`, `"))
        }
    }
}

fn check_serial(cfg: &RelayBoardConfig, state: &BoardState) -> Result<(), Fault> {
    let Some(wanted) = cfg.serial.as_deref() else { return Ok(()) };
    if state.serial.as_deref().is_some_and(|serial| serial.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let detail = match &state.serial {
        Some(serial) => format!("serial number is `{}`; wanted `{wanted}`", excerpt(serial)),
        None => format!("serial number is not given; wanted `{wanted}`; leave `serial` out if this board has none"),
    };
    Err(Fault::new(&cfg.name, FaultKind::WrongDevice, detail))
}

/// What an operator should know about a board that works.
fn remarks(state: &BoardState) -> Vec<String> {
    match state.value("rebootstate").map(str::trim) {
        None | Some("0" | "") => Vec::new(),
        Some(_) => vec![
            "the board's own auto-reboot is at work: it may switch its fan by itself; turn it off in its settings"
                .to_owned(),
        ],
    }
}
