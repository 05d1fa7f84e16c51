//! Takes in what came of the commands: Foreman's command numbers, and one event for each group of outcomes.

use std::collections::BTreeMap;

use super::Report;
use super::commands::ASK_AGAIN_COMPLETE;
use crate::config::Config;
use crate::model::{
    Command, CommandStatus, Event, EventKind, ForemanReading, MinersPhase, Outcome, OutletRef, PowerMode, Reply,
    SiteState, Snapshot,
};
use crate::units::Moment;

/// Remembers the outcomes in `state` and returns their events.
pub fn record(state: &mut SiteState, outcomes: &[Outcome], now: &Moment) -> Vec<Event> {
    let mut report = Report::default();
    let mut done = Vec::new();
    let mut failed: BTreeMap<String, Vec<&Command>> = BTreeMap::new();
    for outcome in outcomes {
        match (&outcome.command, &outcome.result) {
            (Command::Miner { miner, .. }, Ok(Reply::Accepted { command, status })) => {
                if let Some(asked) = state.miners.asked.get_mut(miner) {
                    asked.command = Some(*command);
                    asked.status = Some(*status);
                }
                match status {
                    CommandStatus::Failed => {
                        failed.entry("the agent failed".to_owned()).or_default().push(&outcome.command)
                    }
                    CommandStatus::Pending
                    | CommandStatus::InProgress
                    | CommandStatus::Complete
                    | CommandStatus::Unknown => done.push(outcome.command.clone()),
                }
            }
            (_, Ok(_)) => done.push(outcome.command.clone()),
            (_, Err(fault)) => failed.entry(fault.to_string()).or_default().push(&outcome.command),
        }
    }
    for (subject, what) in grouped(&done) {
        let word = if subject == "foreman" { "taken" } else { "confirmed" };
        report.event(now, EventKind::Outcome, &subject, format!("{what}: {word}"));
    }
    let mut failures = Vec::new();
    for (why, commands) in failed {
        let commands: Vec<Command> = commands.into_iter().cloned().collect();
        failures
            .extend(grouped(&commands).into_iter().map(|(subject, what)| (subject, format!("{what}: failed: {why}"))));
    }
    // A failure that stays is told when it begins and when it changes, not at each pass.
    let words: Vec<String> = failures.iter().map(|(subject, what)| format!("{subject}: {what}")).collect();
    if words != state.last_failures {
        for (subject, what) in failures {
            report.event(now, EventKind::Outcome, &subject, what);
        }
    }
    state.last_failures = words;
    report.events
}

/// Takes in how earlier Foreman commands stand, tells of those that its agent failed and of miners that took a command to
/// wake and sleep on, and forgets in `Running` what is done.
pub(super) fn follow(cfg: &Config, state: &mut SiteState, snapshot: &Snapshot, now: &Moment, report: &mut Report) {
    let (mut failed, mut asleep) = (Vec::new(), Vec::new());
    if let Ok(foreman) = &snapshot.foreman {
        for (miner, asked) in &mut state.miners.asked {
            if let Some(status) = asked.command.and_then(|number| foreman.commands.get(&number)) {
                if *status == CommandStatus::Failed && asked.status != Some(CommandStatus::Failed) {
                    failed.push(Command::Miner { miner: *miner, mode: asked.mode });
                }
                asked.status = Some(*status);
            }
        }
        let wakes = matches!(state.miners.phase, MinersPhase::Resuming { .. } | MinersPhase::Running);
        for (miner, asked) in state.miners.asked.iter_mut().filter(|(_, asked)| asked.mode != PowerMode::Sleeping) {
            let is_asleep = wakes && listed_asleep(foreman, *miner);
            // Its list may lag behind at first.
            let sleeps_on = is_asleep && (asked.sleeps_on || now.since(&asked.at) >= ASK_AGAIN_COMPLETE);
            if sleeps_on && !asked.sleeps_on {
                asleep.push(Command::Miner { miner: *miner, mode: asked.mode });
            }
            asked.sleeps_on = sleeps_on;
        }
    }
    for (subject, what) in grouped(&failed) {
        report.event(now, EventKind::Outcome, &subject, format!("{what}: failed: the agent failed"));
    }
    for (subject, what) in grouped(&asleep) {
        report.event(now, EventKind::Outcome, &subject, format!("{what}: failed: Foreman lists them asleep"));
    }
    // An outlet that the configuration no longer lists is out of reach.
    let is_listed =
        |outlet: &OutletRef| cfg.pdus.iter().any(|pdu| pdu.name == outlet.pdu && pdu.outlets.contains(&outlet.outlet));
    state.miners.cut.retain(is_listed);
    if state.miners.phase != MinersPhase::Running {
        return;
    }
    let sleeps_on = |id: &u64| match &snapshot.foreman {
        Ok(foreman) => listed_asleep(foreman, *id),
        Err(_) => true,
    };
    state.miners.asked.retain(|id, asked| super::start::is_off(asked) || sleeps_on(id));
    let cut_for_drill = super::drill::cut_just_now(state, now);
    state.miners.cut.retain(|outlet| {
        if cut_for_drill.as_ref() == Some(outlet) {
            return true;
        }
        let reading = snapshot.pdus.get(&outlet.pdu).and_then(|pdu| pdu.as_ref().ok());
        reading.and_then(|pdu| pdu.outlets.get(&outlet.outlet)).is_none_or(|outlet| outlet.on != Ok(true))
    });
    if state.miners.cut.is_empty() {
        state.miners.outlets_told.clear();
    }
}

fn listed_asleep(foreman: &ForemanReading, miner: u64) -> bool {
    foreman.miners.iter().any(|listed| listed.id == miner && listed.mode == Some(PowerMode::Sleeping))
}

/// Commands in words, those of one kind together: `("foreman", "40 miners sleeping (1001-1040)")`.
pub fn grouped(commands: &[Command]) -> Vec<(String, String)> {
    let mut miners: BTreeMap<PowerMode, Vec<u64>> = BTreeMap::new();
    let mut outlets: BTreeMap<(String, bool), Vec<String>> = BTreeMap::new();
    let mut words = Vec::new();
    for command in commands {
        match command {
            Command::Fan { fan, on } => {
                words.push((format!("fan {fan}"), if *on { "on".to_owned() } else { "off".to_owned() }));
            }
            Command::Miner { miner, mode } => miners.entry(*mode).or_default().push(*miner),
            Command::Bank { pdu } => words.push((pdu.clone(), "bank off".to_owned())),
            Command::Outlet { outlet, on } => {
                outlets.entry((outlet.pdu.clone(), *on)).or_default().push(outlet.outlet.clone());
            }
        }
    }
    for (mode, mut ids) in miners {
        ids.sort_unstable();
        words.push(("foreman".to_owned(), format!("{} miners {} ({})", ids.len(), mode.word(), ranges(&ids))));
    }
    for ((pdu, on), ids) in outlets {
        let numbers: Option<Vec<u64>> = ids.iter().map(|id| id.parse().ok()).collect();
        let shown = numbers.map_or_else(
            || ids.join(" "),
            |mut numbers| {
                numbers.sort_unstable();
                ranges(&numbers)
            },
        );
        words.push((pdu, format!("{} outlets {} ({shown})", ids.len(), if on { "on" } else { "off" })));
    }
    words
}

/// Sorted numbers as `1-4 7 9-11`.
fn ranges(sorted: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in sorted {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            Some(_) | None => runs.push((*number, *number)),
        }
    }
    let shown = runs.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") });
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_numbers_are_joined() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3 7 9-10");
        assert_eq!(ranges(&[]), "");
    }
}
