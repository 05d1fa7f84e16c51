//! The picture of the container: racks by PDU, and the fans in their wall.

use serde::Serialize;

use super::status::{FanStatus, PduStatus};
use super::words::count;
use crate::units::Seconds;

/// What the template of the container shows.
#[derive(Debug, Serialize)]
pub(super) struct ContainerView<'a> {
    /// `7 of 9 proven running, 1 with a fault`.
    summary: String,
    problems: Vec<String>,
    fans: Vec<FanTile>,
    pdus: Vec<PduTile<'a>>,
}

/// A fan in the picture.
#[derive(Debug, Serialize)]
struct FanTile {
    number: u8,
    /// `running`, `stopped`, `unknown` or `fault`.
    look: &'static str,
    state: &'static str,
    power: String,
    note: String,
    known: bool,
    wanted: &'static str,
    relay: &'static str,
    ran: String,
    held: Option<&'static str>,
}

/// A PDU in the picture.
#[derive(Debug, Serialize)]
struct PduTile<'a> {
    p: &'a PduStatus,
    outlets: String,
    cut: Option<String>,
}

pub(super) fn view<'a>(fans: &[FanStatus], pdus: &'a [PduStatus]) -> ContainerView<'a> {
    ContainerView {
        summary: summary(fans),
        problems: problems(fans),
        fans: fans.iter().map(tile).collect(),
        pdus: pdus.iter().map(pdu).collect(),
    }
}

/// How a fan is drawn: `running`, `stopped`, `unknown` or `fault`.
pub(super) fn look(fan: &FanStatus) -> &'static str {
    match (fan.fault, fan.proven) {
        (Some(_), _) => "fault",
        (None, Some(true)) => "running",
        (None, Some(false)) => "stopped",
        (None, None) => "unknown",
    }
}

fn pdu(p: &PduStatus) -> PduTile<'_> {
    let outlets = match p.outlets_on {
        None => "outlets not read".to_owned(),
        Some(on) if p.outlets_read < p.outlets_listed => {
            format!("{on} on of {} read ({} listed)", p.outlets_read, p.outlets_listed)
        }
        Some(on) => format!("{on} of {} on", p.outlets_listed),
    };
    let cut = (p.cut > 0).then(|| format!("{} cut", count(p.cut, "outlet", "outlets")));
    PduTile { p, outlets, cut }
}

fn tile(fan: &FanStatus) -> FanTile {
    let word = |on: Option<bool>, unknown| match on {
        Some(true) => "on",
        Some(false) => "off",
        None => unknown,
    };
    FanTile {
        number: fan.fan,
        look: look(fan),
        state: fan.fault.unwrap_or(fan.state),
        power: if fan.power.value.is_some() { fan.power.text.clone() } else { "not read".to_owned() },
        note: fan.power.note.clone(),
        known: fan.power.value.is_some(),
        wanted: word(fan.wanted, "not decided"),
        relay: word(fan.relay, "not read"),
        ran: Seconds(fan.run_time_s).to_string(),
        held: fan.held.map(|on| if on { "on" } else { "off" }),
    }
}

/// Why fans' readings are not good, each reason once: one silent meter is one line, not nine.
fn problems(fans: &[FanStatus]) -> Vec<String> {
    let mut problems: Vec<(&str, Vec<String>)> = Vec::new();
    for fan in fans {
        let Some(problem) = fan.power.problem.as_deref() else { continue };
        match problems.iter_mut().find(|(known, _)| *known == problem) {
            Some((_, numbers)) => numbers.push(fan.fan.to_string()),
            None => problems.push((problem, vec![fan.fan.to_string()])),
        }
    }
    problems.into_iter().map(|(problem, numbers)| format!("watts of fan {}: {problem}", numbers.join(", "))).collect()
}

/// `7 of 9 proven running, 1 with a fault`.
fn summary(fans: &[FanStatus]) -> String {
    let running = fans.iter().filter(|f| f.proven == Some(true)).count();
    let faults = fans.iter().filter(|f| f.fault.is_some()).count();
    let unproven = fans.iter().filter(|f| f.fault.is_none() && f.proven.is_none()).count();
    let mut text = format!("{running} of {} proven running", fans.len());
    if faults > 0 {
        text.push_str(&format!(", {faults} with a fault"));
    }
    if unproven > 0 {
        text.push_str(&format!(", {unproven} not proven"));
    }
    text
}
