//! The miner of a drill: how it goes off, by the rungs of the ladder, and what shows that it is off or on. Back on is not
//! here: the rules wake whatever is off in a mine that runs.

use super::{Pass, search};
use crate::config::Config;
use crate::decide::commands::{ASK_AGAIN_FAILED, ask_again, fresh, told};
use crate::decide::ladder::{dead_meter, foreman_unreachable};
use crate::decide::power::runs_above;
use crate::model::{
    Command, CommandStatus, Drill, DrillMiner, DrillStep, OutletReading, OutletRef, PowerMode, Rung, SiteState,
    Snapshot,
};
use crate::units::{Moment, Watts};

/// What a miner is seen to do, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Runs(String),
    Off(String),
    Unclear(String),
}

/// Foreman, or the outlet at once: where Foreman gives nothing, or does not know the miner.
pub(super) fn first_rung(snapshot: &Snapshot, miner: &DrillMiner) -> Rung {
    let by_foreman = miner.id.is_some() && !foreman_unreachable(snapshot);
    if by_foreman { Rung::Foreman } else { Rung::Outlets }
}

/// Whether it is seen to run, so that off can be proven; else what is seen.
pub(super) fn runs_now(pass: &Pass<'_>, next: &SiteState, miner: &DrillMiner) -> Result<(), String> {
    match look(pass, next, miner) {
        Seen::Runs(_) => Ok(()),
        Seen::Off(text) => Err(format!("{} does not run: {text}", miner.name)),
        // The outlet that goes quiet will be the proof.
        Seen::Unclear(text) if miner.outlet.is_none() => {
            let searched = search::quiet_outlets(pass, next);
            searched.map(|_| ()).map_err(|why| format!("{}: {text}, and {why}", miner.name))
        }
        Seen::Unclear(text) => Err(format!("{}: {text}", miner.name)),
    }
}

/// What its outlet measures; without one, or without watts there, what Foreman's list says.
pub(super) fn look(pass: &Pass<'_>, next: &SiteState, miner: &DrillMiner) -> Seen {
    let measured = miner.outlet.as_ref().and_then(|outlet| at_outlet(pass, next, outlet));
    measured.unwrap_or_else(|| in_list(pass, miner))
}

fn at_outlet(pass: &Pass<'_>, next: &SiteState, at: &OutletRef) -> Option<Seen> {
    let pdu = pass.cfg.pdus.iter().find(|pdu| pdu.name == at.pdu)?;
    let reading = fresh(next, pass.snapshot, pdu)?;
    if dead_meter(pdu, pass.snapshot).is_some() {
        return Some(Seen::Unclear(format!("the meter of {} may be dead", pdu.name)));
    }
    let OutletReading { on, watts } = reading.outlets.get(&at.outlet)?;
    let watts = watts.as_ref().ok().filter(|watts| watts.age <= pdu.max_age).map(|watts| watts.value);
    let quiet = pass.cfg.miners.outlet_off_below;
    Some(match (on, watts) {
        (Ok(on), Some(watts)) if watts <= quiet => {
            Seen::Off(format!("{watts} at {at}, which is {}", if *on { "on" } else { "off" }))
        }
        (Ok(true), Some(watts)) if watts > runs_above(pass.cfg, next, &pdu.name, pdu.outlets.len()) => {
            Seen::Runs(format!("{watts} at {at}"))
        }
        (Ok(false), None) => Seen::Off(format!("{at} reads off; it has no meter")),
        (_, Some(watts)) => Seen::Unclear(format!("{watts} at {at}")),
        (Ok(true), None) => return None,
        (Err(fault), None) => Seen::Unclear(fault.to_string()),
    })
}

fn in_list(pass: &Pass<'_>, miner: &DrillMiner) -> Seen {
    let Ok(foreman) = &pass.snapshot.foreman else { return Seen::Unclear("Foreman cannot be reached".to_owned()) };
    let Some(listed) = miner.id.and_then(|id| foreman.miners.iter().find(|miner| miner.id == id)) else {
        return Seen::Unclear("it is not in Foreman's list".to_owned());
    };
    let draws = listed.watts.map(|watts: Watts| watts > pass.cfg.miners.outlet_off_below);
    let says = "by Foreman's list, not measured";
    match (listed.mode, draws) {
        (Some(PowerMode::Sleeping), None | Some(false)) => Seen::Off(format!("asleep {says}")),
        (Some(PowerMode::Sleeping), Some(true)) => Seen::Unclear(format!("asleep, and still drawing power {says}")),
        (Some(mode), None | Some(true)) => Seen::Runs(format!("mode {} {says}", mode.word())),
        (Some(mode), Some(false)) => Seen::Unclear(format!("mode {}, and drawing no power {says}", mode.word())),
        (None, Some(true)) => Seen::Runs(format!("drawing power {says}")),
        (None, Some(false)) => Seen::Off(format!("drawing no power {says}")),
        (None, None) => {
            Seen::Unclear("Foreman's list does not show whether it runs; set `outlet` in [drill]".to_owned())
        }
    }
}

/// The command of this pass towards off.
pub(super) fn propose(
    cfg: &Config,
    next: &SiteState,
    snapshot: &Snapshot,
    drill: &Drill,
    now: &Moment,
) -> Vec<Command> {
    let Some(miner) = drill.miner.as_ref().filter(|_| drill.step == DrillStep::MinerOff) else { return Vec::new() };
    let mut commands = Vec::new();
    if let Some(id) = miner.id.filter(|_| drill.rung == Rung::Foreman) {
        let is_asked = |asked: &crate::model::Asked| asked.mode == PowerMode::Sleeping && !ask_again(asked, now);
        if !next.miners.asked.get(&id).is_some_and(is_asked) {
            commands.push(Command::Miner { miner: id, mode: PowerMode::Sleeping });
        }
    }
    if let Some(outlet) = miner.outlet.as_ref().filter(|_| drill.rung != Rung::Foreman) {
        let pdu = cfg.pdus.iter().find(|pdu| pdu.name == outlet.pdu);
        let reading = pdu.and_then(|pdu| fresh(next, snapshot, pdu)).and_then(|pdu| pdu.outlets.get(&outlet.outlet));
        let is_off = reading.is_some_and(|outlet| outlet.on == Ok(false));
        let is_told =
            next.miners.cut.contains(outlet) && told(next, outlet, now).is_some_and(|age| age < ASK_AGAIN_FAILED);
        if !is_off && !is_told {
            commands.push(Command::Outlet { outlet: outlet.clone(), on: false });
        }
    }
    commands
}

/// Whether Foreman said that it cannot: then the next rung is climbed at once.
pub(super) fn foreman_failed(next: &SiteState, snapshot: &Snapshot, drill: &Drill) -> bool {
    let asked = drill.miner.as_ref().and_then(|miner| next.miners.asked.get(&miner.id?));
    foreman_unreachable(snapshot) || asked.is_some_and(|asked| asked.status == Some(CommandStatus::Failed))
}

/// Whether Foreman was told to wake it; an outlet shows by itself that it was switched on.
pub(super) fn is_told_on(next: &SiteState, miner: &DrillMiner) -> bool {
    miner.id.and_then(|id| next.miners.asked.get(&id)).is_none_or(|asked| asked.mode != PowerMode::Sleeping)
}

/// From here on the rules bring it back; its outlet need not wait because it was told just now to go off.
pub(super) fn let_go(next: &mut SiteState, drill: &Drill) {
    if let Some(outlet) = drill.miner.as_ref().and_then(|miner| miner.outlet.as_ref()) {
        next.miners.outlets_told.remove(&outlet.to_string());
    }
}
