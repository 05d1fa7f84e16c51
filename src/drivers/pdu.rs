//! PDUs, whatever they speak: all outlets read, single ones or a bank switched and read back. What may be switched is
//! settled in `allowed`, before anything is said to a PDU.

mod act;
mod allowed;
mod fill;
mod json;
mod parse;
mod password;
mod pointer;
mod redfish;
mod turn;

use std::collections::BTreeSet;

use crate::config::{PduConfig, PduDriver};
use crate::model::{Fault, FaultKind, PduReading, Reading};
use crate::units::{UnixSeconds, Watts};

use super::common::{Limits, number, quoted};
use allowed::Listed;
use turn::Turn;

pub(super) use act::{Change, act};
pub use json::judged;
pub use parse::parse;
pub use redfish::{parse as parse_redfish, words as redfish_words};
pub(super) use turn::Turns;

/// No outlet of a PDU carries more.
const OUTLET_WATTS_MAX: f64 = 50_000.0;

/// No PDU carries more.
const PDU_WATTS_MAX: f64 = 2_000_000.0;

/// Outlets that one remark names.
const NAMED_MAX: usize = 5;

/// Reads all listed outlets.
pub(super) fn read(cfg: &PduConfig, now: UnixSeconds, limits: Limits, turns: &Turns) -> Reading<PduReading> {
    let (_whole, turn) = turns.begin(cfg);
    let mut session = Session::new(cfg, limits, turn);
    let reading = session.read(now);
    session.close();
    reading
}

/// A conversation with one PDU: a login, where there is one, is made when it is needed and given back at the end.
enum Session<'a> {
    Json(json::Json<'a>),
    Redfish(redfish::Redfish<'a>),
}

/// What a PDU said to a command that it took.
#[derive(Default)]
struct Taken {
    /// The state that its reply showed, if it showed one.
    replied: Option<bool>,
    /// Where a task that it began can be asked about.
    task: Option<String>,
}

impl<'a> Session<'a> {
    fn new(cfg: &'a PduConfig, limits: Limits, turn: Turn<'a>) -> Session<'a> {
        match &cfg.driver {
            PduDriver::HttpJson(dialect) => Session::Json(json::Json::new(cfg, dialect, limits, turn)),
            PduDriver::Redfish(redfish) => Session::Redfish(redfish::Redfish::new(cfg, redfish, limits, turn)),
        }
    }

    fn read(&mut self, now: UnixSeconds) -> Reading<PduReading> {
        match self {
            Session::Json(json) => json.read(now),
            Session::Redfish(redfish) => redfish.read(),
        }
    }

    /// The outlets that were in transition when they were last read: their states confirm nothing.
    fn in_transition(&self) -> &BTreeSet<String> {
        match self {
            Session::Json(json) => &json.in_transition,
            Session::Redfish(redfish) => &redfish.in_transition,
        }
    }

    /// Why an outlet must not be switched on, for each that must not: the PDU itself cut it, or that cannot be known.
    fn held_off(&mut self, outlets: &[&Listed]) -> Vec<(String, Fault)> {
        match self {
            Session::Json(json) => json.held_off(outlets),
            // Redfish reads each outlet before it is switched.
            Session::Redfish(_) => Vec::new(),
        }
    }

    fn switch(&mut self, outlet: &Listed, on: bool) -> Result<Taken, Fault> {
        match self {
            Session::Json(json) => json.switch(outlet, on),
            Session::Redfish(redfish) => redfish.switch(outlet, on),
        }
    }

    fn switch_bank(&mut self, bank: &allowed::ListedBank) -> Result<Taken, Fault> {
        match self {
            Session::Json(json) => json.switch_bank(bank),
            Session::Redfish(redfish) => Err(redfish.no_bank()),
        }
    }

    /// How a task stands, in words; `None` when that cannot be known.
    fn task(&mut self, place: &str) -> Option<String> {
        match self {
            Session::Json(_) => None,
            Session::Redfish(redfish) => redfish.task(place),
        }
    }

    fn close(self) {
        match self {
            Session::Json(json) => json.close(),
            Session::Redfish(redfish) => redfish.close(),
        }
    }
}

/// A power within what can be, from a JSON number or text.
fn power(value: Option<&serde_json::Value>, place: &str, scale: f64, max: f64, device: &str) -> Reading<Watts> {
    let found = match value {
        None | Some(serde_json::Value::Null) => Err((FaultKind::Missing, format!("no power at `{place}`"))),
        Some(value) => number(value)
            .map(|number| number * scale)
            .ok_or_else(|| (FaultKind::Unreadable, format!("power is {}, not a number", quoted(Some(value))))),
    };
    let found = found.and_then(|watts| match watts {
        watts if (0.0..=max).contains(&watts) => {
            Watts::new(watts).map_err(|error| (FaultKind::OutOfRange, error.to_string()))
        }
        watts => Err((FaultKind::OutOfRange, format!("power of {watts} W is not possible (0 to {max} W)"))),
    });
    found.map_err(|(kind, detail)| Fault::new(device, kind, detail))
}

/// `3, 7 and 12 more`.
fn named(ids: &[&str]) -> String {
    let first: Vec<&str> = ids.iter().take(NAMED_MAX).copied().collect();
    match ids.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_after_five() {
        assert_eq!(named(&["1", "2"]), "1, 2");
        assert_eq!(named(&["1", "2", "3", "4", "5", "6"]), "1, 2, 3, 4, 5 and 1 more");
    }
}
