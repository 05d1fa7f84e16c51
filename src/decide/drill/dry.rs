//! What a drill only looks at: whether each input was read and each output could be reached, and what a call would
//! command now. Nothing of it is sent.

use std::collections::BTreeMap;

use super::{Pass, check};
use crate::decide::judge::Quality;
use crate::decide::outcome::grouped;
use crate::decide::{commands, interlock};
use crate::model::{CheckResult, Command, DrillCheck, MinersPhase, OffReason, Rung, SiteState};

/// Devices of a kind that are named one by one when they fail.
const NAMED_MAX: usize = 6;
/// A check's words; a device's fault may be long.
const TEXT_CHARS_MAX: usize = 240;

/// All checks.
pub(super) fn look(pass: &Pass<'_>, next: &SiteState) -> Vec<DrillCheck> {
    let mut checks = vec![signal(pass), intake(pass), fan_watts(pass), relays(pass), pdus(pass), foreman(pass)];
    checks.extend(would_send(pass, next));
    checks
}

fn of(name: &str, result: Result<String, String>) -> DrillCheck {
    let (result, text) = match result {
        Ok(text) => (CheckResult::Passed, text),
        Err(text) => (CheckResult::Failed, text),
    };
    check(name, result, None, short(&text))
}

fn short(text: &str) -> String {
    if text.chars().count() <= TEXT_CHARS_MAX {
        return text.to_owned();
    }
    let cut: String = text.chars().take(TEXT_CHARS_MAX).collect();
    format!("{cut} …")
}

/// All is well, or the first of what is not.
fn all_or(faults: Vec<String>, good: String) -> Result<String, String> {
    if faults.is_empty() {
        return Ok(good);
    }
    let more = faults.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!("; {more} more") } else { String::new() };
    let named: Vec<String> = faults.into_iter().take(NAMED_MAX).collect();
    Err(format!("{}{more}", named.join("; ")))
}

fn signal(pass: &Pass<'_>) -> DrillCheck {
    let read = pass.snapshot.signal.as_ref();
    of("Power signal", read.map(|reading| format!("the page says `{}`", reading.text)).map_err(ToString::to_string))
}

fn intake(pass: &Pass<'_>) -> DrillCheck {
    of(
        "Intake temperature",
        match &pass.inputs.intake {
            Quality::Good(t) => Ok(t.to_string()),
            Quality::Held(t, age) => Err(format!("{t}, {age} old")),
            Quality::Bad(why) => Err(why.clone()),
        },
    )
}

fn fan_watts(pass: &Pass<'_>) -> DrillCheck {
    let unread = pass.inputs.fan_watts.iter().filter(|(_, watts)| watts.is_none());
    let faults: Vec<String> = unread.map(|(number, _)| format!("fan {number} has no fresh watts")).collect();
    of("Fan watts", all_or(faults, format!("{} fans read", pass.inputs.fan_watts.len())))
}

fn relays(pass: &Pass<'_>) -> DrillCheck {
    let unread = pass.inputs.relays.iter().filter(|(_, relay)| relay.is_none());
    let faults: Vec<String> = unread.map(|(number, _)| format!("the relay of fan {number} was not read")).collect();
    let good = format!("{} relays on {} boards read", pass.inputs.relays.len(), pass.snapshot.boards.len());
    of("Fan relays", all_or(faults, good))
}

fn pdus(pass: &Pass<'_>) -> DrillCheck {
    let mut faults = Vec::new();
    let (mut outlets, mut on) = (0_usize, 0_usize);
    for pdu in &pass.cfg.pdus {
        if let Some(Err(why)) = pass.inputs.pdus.get(&pdu.name) {
            faults.push(format!("{}: {why}", pdu.name));
        }
        let Some(Ok(reading)) = pass.snapshot.pdus.get(&pdu.name) else { continue };
        let read = pdu.outlets.iter().filter_map(|id| reading.outlets.get(id)?.on.as_ref().ok());
        let read: Vec<&bool> = read.collect();
        on = on.saturating_add(read.iter().filter(|on| ***on).count());
        outlets = outlets.saturating_add(pdu.outlets.len());
        let missing = pdu.outlets.len().saturating_sub(read.len());
        if missing > 0 {
            faults.push(format!("{}: {missing} outlets were not read", pdu.name));
        }
    }
    of("PDUs", all_or(faults, format!("{} read, {on} of {outlets} outlets on", pass.cfg.pdus.len())))
}

fn foreman(pass: &Pass<'_>) -> DrillCheck {
    of(
        "Foreman",
        match &pass.snapshot.foreman {
            Ok(reading) if reading.miners.is_empty() => Err("it lists no miner that may be commanded".to_owned()),
            Ok(reading) => Ok(format!("{} miners may be commanded", reading.miners.len())),
            Err(fault) => Err(fault.to_string()),
        },
    )
}

/// What the first pass of a call would send on each rung, and what an interlock would take away.
fn would_send(pass: &Pass<'_>, next: &SiteState) -> Vec<DrillCheck> {
    let rungs = [(Rung::Foreman, "A call would send first"), (Rung::Outlets, "and to the outlets, if that fails")];
    rungs.into_iter().map(|(rung, name)| of(name, by_rung(pass, next, rung))).collect()
}

fn by_rung(pass: &Pass<'_>, next: &SiteState, rung: Rung) -> Result<String, String> {
    let mut called = next.clone();
    called.demand.reasons.insert(OffReason::Curtail);
    called.miners.phase = MinersPhase::Curtailing { since: *pass.now, rung, rung_since: *pass.now };
    let wanted = commands::propose(pass.cfg, &called, pass.snapshot, pass.now);
    let is_of_rung = |command: &Command| match command {
        Command::Miner { .. } => rung == Rung::Foreman,
        Command::Outlet { .. } | Command::Bank { .. } => rung != Rung::Foreman,
        Command::Fan { .. } => false,
    };
    let wanted: Vec<Command> = wanted.into_iter().filter(is_of_rung).collect();
    let (sent, refused) = interlock::allowed(pass.cfg, &called, pass.inputs, pass.snapshot, pass.now, wanted);
    if let Some(refusal) = refused.first() {
        return Err(format!("{}: {}", refusal.command, refusal.why));
    }
    if sent.is_empty() {
        // Already off, or out of reach: the checks before say which.
        let is_off = next.miners.proven_off.is_some();
        return if is_off { Ok("nothing, all is off".to_owned()) } else { Err("nothing".to_owned()) };
    }
    let mut words: BTreeMap<String, String> = BTreeMap::new();
    words.extend(grouped(&sent));
    Ok(words.iter().map(|(subject, what)| format!("{subject}: {what}")).collect::<Vec<_>>().join(", "))
}
