//! Switching: one request for each outlet, or one of the PDU's own for a whole bank of them, then reading until all have
//! settled or the time for that is over. What is not listed is never switched, no bank is ever switched on, and an outlet
//! that the PDU itself cut is never switched on.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::allowed::{Listed, ListedBank};
use super::{Session, Taken, Turns, named};
use crate::clock::Clock;
use crate::config::PduConfig;
use crate::drivers::common::{Limits, is_silent, no_time};
use crate::model::{Fault, FaultKind, PduReading, Reading, Reply};
use crate::units::UnixSeconds;

/// After this many requests in a row without an answer, the PDU is left alone for this pass.
const SILENT_MAX: u32 = 2;

/// Site time between two readings while outlets settle.
const SETTLE_STEP: Duration = Duration::from_secs(1);

/// The reading after the commands.
struct Seen {
    reading: Reading<PduReading>,
    /// Outlets whose state in it is not final.
    in_transition: BTreeSet<String>,
}

/// One switching of a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::drivers) enum Change<'a> {
    /// An outlet, on or off.
    Outlet(&'a str, bool),
    /// The configured bank, off.
    BankOff,
}

/// A change that is allowed.
enum Target<'a> {
    Outlet(Listed<'a>, bool),
    BankOff(ListedBank<'a>),
}

/// What became of one change before the reading afterwards.
enum Attempt<'a> {
    NotSent(Fault),
    Sent(Target<'a>, Result<Taken, Fault>),
}

/// Switches one after the other with the configured pause, then reads to see what came of it. One result for each change;
/// a PDU that does not answer twice in a row is left alone.
pub(in crate::drivers) fn act(
    cfg: &PduConfig,
    clock: &Clock,
    now: UnixSeconds,
    limits: Limits,
    turns: &Turns,
    changes: &[Change],
) -> Vec<Result<Reply, Fault>> {
    let targets: Vec<Result<Target, Fault>> = changes.iter().map(|change| target(cfg, *change)).collect();
    let (_whole, turn) = turns.begin(cfg);
    if limits.left().is_zero() {
        return targets.into_iter().map(|target| target.and(Err(no_time(&cfg.name)))).collect();
    }
    let mut session = Session::new(cfg, limits, turn);
    let (attempts, heard) = send_all(&mut session, cfg, clock, limits, targets);
    let seen = match heard {
        true => settled(&mut session, cfg, clock, now, limits, &attempts),
        false => {
            let silent = Fault::new(&cfg.name, FaultKind::TimedOut, "the PDU did not answer the commands");
            Seen { reading: Err(silent), in_transition: BTreeSet::new() }
        }
    };
    let results = attempts.into_iter().map(|attempt| outcome(&mut session, cfg, attempt, &seen)).collect();
    session.close();
    results
}

/// Sends every change; `true` with it when something was sent and the PDU still answers.
fn send_all<'a>(
    session: &mut Session<'a>,
    cfg: &PduConfig,
    clock: &Clock,
    limits: Limits,
    targets: Vec<Result<Target<'a>, Fault>>,
) -> (Vec<Attempt<'a>>, bool) {
    let to_switch_on = targets.iter().filter_map(|target| match target {
        Ok(Target::Outlet(outlet, true)) => Some(outlet),
        Ok(Target::Outlet(_, false) | Target::BankOff(_)) | Err(_) => None,
    });
    let to_switch_on: Vec<&Listed> = to_switch_on.collect();
    let held_off = session.held_off(&to_switch_on);
    let (mut attempts, mut silent, mut sent) = (Vec::new(), 0, 0);
    for target in targets {
        let held = target.as_ref().ok().and_then(|target| held(target, &held_off));
        let refusal = match (&target, held) {
            (Err(fault), _) => Some(fault.clone()),
            (Ok(_), Some(fault)) => Some(fault),
            (Ok(_), None) if silent >= SILENT_MAX => {
                let detail = "not sent: the PDU did not answer the commands before it";
                Some(Fault::new(&cfg.name, FaultKind::TimedOut, detail))
            }
            (Ok(_), None) if sent > 0 && !pause(cfg, clock, limits.until) => Some(no_time(&cfg.name)),
            (Ok(_), None) if limits.left().is_zero() => Some(no_time(&cfg.name)),
            (Ok(_), None) => None,
        };
        attempts.push(match (target, refusal) {
            (Err(fault), _) | (Ok(_), Some(fault)) => Attempt::NotSent(fault),
            (Ok(target), None) => {
                sent += 1;
                let result = match &target {
                    Target::Outlet(outlet, on) => session.switch(outlet, *on),
                    Target::BankOff(bank) => session.switch_bank(bank),
                };
                silent = if result.as_ref().is_err_and(is_silent) { silent + 1 } else { 0 };
                Attempt::Sent(target, result)
            }
        });
    }
    (attempts, sent > 0 && silent < SILENT_MAX)
}

fn target<'a>(cfg: &'a PduConfig, change: Change) -> Result<Target<'a>, Fault> {
    match change {
        Change::Outlet(outlet, on) => Listed::of(cfg, outlet).map(|outlet| Target::Outlet(outlet, on)),
        Change::BankOff => ListedBank::of(cfg).map(Target::BankOff),
    }
}

/// Why a target must not be switched on, if anything says so.
fn held(target: &Target, held_off: &[(String, Fault)]) -> Option<Fault> {
    match target {
        Target::Outlet(outlet, true) => {
            held_off.iter().find(|(name, _)| name == outlet.name()).map(|(_, fault)| fault.clone())
        }
        Target::Outlet(_, false) | Target::BankOff(_) => None,
    }
}

/// Reads until every outlet is as it was told to be, or the time for that is over: PDUs stagger what they switch.
fn settled(
    session: &mut Session,
    cfg: &PduConfig,
    clock: &Clock,
    now: UnixSeconds,
    limits: Limits,
    attempts: &[Attempt],
) -> Seen {
    let until = Instant::now() + clock.real_span(cfg.settle.duration()).min(limits.left());
    let step = clock.real_span(SETTLE_STEP);
    loop {
        let reading = session.read(now);
        let seen = Seen { reading, in_transition: session.in_transition().clone() };
        let is_done = |attempt: &Attempt| match attempt {
            Attempt::NotSent(_) => true,
            Attempt::Sent(_, Err(fault)) if !is_silent(fault) => true,
            Attempt::Sent(target, _) => confirm(cfg, target, None, &seen).is_ok(),
        };
        let can_wait = seen.reading.is_ok() && until.saturating_duration_since(Instant::now()) > step;
        if !can_wait || attempts.iter().all(is_done) {
            return seen;
        }
        std::thread::sleep(step);
    }
}

fn outcome(session: &mut Session, cfg: &PduConfig, attempt: Attempt, seen: &Seen) -> Result<Reply, Fault> {
    match attempt {
        Attempt::NotSent(fault) => Err(fault),
        Attempt::Sent(target, Ok(taken)) => confirm(cfg, &target, taken.replied, seen).map_err(|fault| {
            match taken.task.and_then(|place| session.task(&place)) {
                Some(task) => Fault { detail: format!("{}; {task}", fault.detail), ..fault },
                None => fault,
            }
        }),
        // A lost reply does not say that the command was lost.
        Attempt::Sent(target, Err(fault)) if is_silent(&fault) => confirm(cfg, &target, None, seen).map_err(|_| fault),
        Attempt::Sent(_, Err(fault)) => Err(fault),
    }
}

/// Waits between two switchings; `false`, without waiting, when no time would be left after it.
fn pause(cfg: &PduConfig, clock: &Clock, until: Instant) -> bool {
    let span = clock.real_span(cfg.outlet_pause.duration());
    let fits = span < until.saturating_duration_since(Instant::now());
    if fits {
        std::thread::sleep(span);
    }
    fits
}

/// Whether the reading afterwards shows what was asked for.
fn confirm(cfg: &PduConfig, target: &Target, replied: Option<bool>, seen: &Seen) -> Result<Reply, Fault> {
    let device = match target {
        Target::Outlet(outlet, _) => outlet.device().to_owned(),
        Target::BankOff(_) => format!("{} bank", cfg.name),
    };
    let reading = seen.reading.as_ref().map_err(|fault| {
        let detail = format!("command was taken, but could not be read back: {}", fault.detail);
        Fault::new(&device, fault.kind, detail)
    })?;
    match target {
        Target::Outlet(outlet, on) => confirm_outlet(outlet, *on, replied, reading, &seen.in_transition),
        Target::BankOff(bank) => confirm_bank(device, bank, reading),
    }
}

fn confirm_outlet(
    outlet: &Listed,
    on: bool,
    replied: Option<bool>,
    seen: &PduReading,
    in_transition: &BTreeSet<String>,
) -> Result<Reply, Fault> {
    let (device, outlet) = (outlet.device(), outlet.name());
    let word = |on: bool| if on { "on" } else { "off" };
    let missing = || Fault::new(device, FaultKind::Missing, "command was taken, but the outlet is not shown");
    let shown = seen.outlets.get(outlet).ok_or_else(missing)?.on.clone()?;
    if in_transition.contains(outlet) {
        let detail = format!("outlet {outlet}: asked for {}, still in transition: its state is not final", word(on));
        return Err(Fault::new(device, FaultKind::NotObeyed, detail));
    }
    if shown == on {
        return Ok(Reply::Confirmed);
    }
    let replied = replied.map_or("gave no state".to_owned(), |state| format!("said {}", word(state)));
    let detail = format!("outlet {outlet}: asked for {}, still reads {} (the reply {replied})", word(on), word(shown));
    Err(Fault::new(device, FaultKind::NotObeyed, detail))
}

/// Every outlet of the bank must read off: one that is still on says more than one that cannot be read.
fn confirm_bank(device: String, bank: &ListedBank, seen: &PduReading) -> Result<Reply, Fault> {
    let bank = bank.config();
    let (mut on, mut unread) = (Vec::new(), Vec::new());
    for id in &bank.outlets {
        match seen.outlets.get(id).map(|outlet| &outlet.on) {
            Some(Ok(false)) => {}
            Some(Ok(true)) => on.push(id.as_str()),
            Some(Err(_)) | None => unread.push(id.as_str()),
        }
    }
    let of = bank.outlets.len();
    if !on.is_empty() {
        let detail = format!("asked for off, {} of {of} outlets still read on: {}", on.len(), named(&on));
        return Err(Fault::new(device, FaultKind::NotObeyed, detail));
    }
    if !unread.is_empty() {
        let detail = format!(
            "command was taken, but {} of {of} outlets could not be read back: {}",
            unread.len(),
            named(&unread)
        );
        return Err(Fault::new(device, FaultKind::Missing, detail));
    }
    Ok(Reply::Confirmed)
}
