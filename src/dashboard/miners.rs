//! The miners' part of the status: phase, power, Foreman's view, and the way off or on step by step.

use super::Input;
use super::inputs::{snapshot_age, two_runs};
use super::status::{CallStatus, MinersStatus, Step, Value};
use super::values::{Miners, Shown, bad, because, good};
use super::words::{Words, clean, count};
use crate::model::{Asked, CommandStatus, ForemanReading, MinersPhase, Rung};
use crate::units::{Moment, Terahashes, Watts};

pub(super) fn miners(input: &Input, words: &Words) -> MinersStatus {
    let state = &input.state.miners;
    let failed = state.asked.values().filter(|a| is_failed(a)).count();
    let foreman = input.snapshot.and_then(|s| s.foreman.as_ref().ok());
    MinersStatus {
        phase: state.phase.word(),
        since: since(input).map(|at| words.point(at)),
        power: power(input, words),
        online: by_foreman(input, words, |f| f.online.map(Miners)),
        known: by_foreman(input, words, |f| f.total.map(Miners)),
        hash_rate: by_foreman::<Terahashes>(input, words, |f| f.hash_rate),
        estimated_power: by_foreman::<Watts>(input, words, |f| f.estimated),
        rung: match &state.phase {
            MinersPhase::Curtailing { rung, .. } => Some(rung.word()),
            MinersPhase::Boot
            | MinersPhase::Running
            | MinersPhase::Curtailed { .. }
            | MinersPhase::Resuming { .. }
            | MinersPhase::Fault { .. } => None,
        },
        asked: state.asked.len(),
        asked_failed: failed,
        cut: state.cut.len(),
        proven_off: state.proven_off.as_ref().map(|at| words.point(at)),
        call: input.state.call.as_ref().map(|call| CallStatus {
            seen: words.point(&call.seen),
            first_command_after_s: call.first_command.map(|at| at.since(&call.seen).0),
            proven_after_s: call.proven.map(|at| at.since(&call.seen).0),
            watts_before: call.watts_before.map(Watts::value),
        }),
        steps: steps(input, words),
        remarks: foreman.map(|f| f.remarks.iter().map(|t| clean(t)).collect()).unwrap_or_default(),
    }
}

fn is_failed(asked: &Asked) -> bool {
    matches!(asked.status, None | Some(CommandStatus::Failed))
}

fn since<'a>(input: &Input<'a>) -> Option<&'a Moment> {
    match &input.state.miners.phase {
        MinersPhase::Boot => None,
        // Running has no time of its own: they run since demand lets them, as far as is remembered.
        MinersPhase::Running => input.state.demand.reasons.is_empty().then_some(&input.state.demand.since),
        MinersPhase::Curtailing { since, .. }
        | MinersPhase::Curtailed { since }
        | MinersPhase::Resuming { since, .. }
        | MinersPhase::Fault { since } => Some(since),
    }
}

fn power(input: &Input, words: &Words) -> Value {
    match (input.state.miners.watts, &input.state.last_pass) {
        (Some(watts), Some(at)) => good(words, watts, input.now.since(at), two_runs(input)),
        _ => {
            let silent = input.snapshot.map(|s| {
                let bad = s.pdus.iter().filter(|(_, r)| r.as_ref().map_or(true, |r| r.total.is_err()));
                bad.map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            });
            match silent {
                Some(names) if !names.is_empty() => bad::<Watts>(format!("no fresh watts from {names}")),
                _ => bad::<Watts>("not every PDU has a fresh reading"),
            }
        }
    }
}

fn by_foreman<T: Shown>(input: &Input, words: &Words, pick: impl Fn(&ForemanReading) -> Option<T>) -> Value {
    match input.snapshot.map(|s| &s.foreman) {
        None => bad::<T>("not read in this run"),
        Some(Err(fault)) => bad::<T>(because(fault)),
        Some(Ok(reading)) => match pick(reading) {
            Some(value) => good(words, value, snapshot_age(input), two_runs(input)),
            None => bad::<T>("not in Foreman's answer"),
        },
    }
}

fn step(state: &'static str, name: &str, text: impl Into<String>) -> Step {
    Step { state, name: name.to_owned(), text: text.into() }
}

fn steps(input: &Input, words: &Words) -> Vec<Step> {
    match &input.state.miners.phase {
        MinersPhase::Boot | MinersPhase::Running => Vec::new(),
        MinersPhase::Curtailing { rung, rung_since, .. } => {
            let on_rung = input.now.since(rung_since);
            let limit = input.cfg.miners.foreman_limit;
            let cut = count(input.state.miners.cut.len(), "outlet", "outlets");
            let (first, second, outlets) = match rung {
                Rung::Foreman => {
                    ("now", "next", format!("if watts have not fallen after {limit}; {on_rung} have passed"))
                }
                Rung::Outlets => ("tried", "now", format!("{cut} cut; for {on_rung}")),
                Rung::Bank => ("tried", "tried", format!("{cut} cut")),
            };
            let mut steps = vec![step(first, "Foreman", asked_text(input)), step(second, "PDU outlets", outlets)];
            if *rung == Rung::Bank {
                steps.push(step("now", "PDU banks", format!("for {on_rung}")));
            }
            steps.push(step("next", "Proven off", proof_text(input, words)));
            steps
        }
        MinersPhase::Fault { since } => vec![
            step("now", "Foreman", asked_text(input)),
            step("now", "PDU outlets", format!("{} cut", count(input.state.miners.cut.len(), "outlet", "outlets"))),
            step("now", "Proven off", format!("{}; late for {}", proof_text(input, words), input.now.since(since))),
        ],
        MinersPhase::Curtailed { since } => {
            let cut = input.state.miners.cut.len();
            let outlets = if cut == 0 {
                step("not-needed", "PDU outlets", "none cut")
            } else {
                step("done", "PDU outlets", format!("{} cut", count(cut, "outlet", "outlets")))
            };
            let proven = step("done", "Proven off", format!("since {}", words.clock(since.wall)));
            vec![step("done", "Foreman", asked_text(input)), outlets, proven]
        }
        MinersPhase::Resuming { group, group_since, .. } => {
            let groups = input.cfg.miners.resume_groups;
            let line = |number: u32| {
                let name = format!("Group {number} of {groups}");
                match number.cmp(group) {
                    std::cmp::Ordering::Less => step("done", &name, "draws power"),
                    std::cmp::Ordering::Equal => step(
                        "now",
                        &name,
                        format!("started {} ago, limit {}", input.now.since(group_since), input.cfg.miners.group_limit),
                    ),
                    std::cmp::Ordering::Greater => step("next", &name, "waits"),
                }
            };
            (1..=groups.min(20)).map(line).collect()
        }
    }
}

fn asked_text(input: &Input) -> String {
    let asked = &input.state.miners.asked;
    let complete = asked.values().filter(|a| a.status == Some(CommandStatus::Complete)).count();
    let failed = asked.values().filter(|a| is_failed(a)).count();
    let under_way = asked.len() - complete - failed;
    let mut text = format!("{} asked to sleep: {complete} confirmed", count(asked.len(), "miner", "miners"));
    if under_way > 0 {
        text.push_str(&format!(", {under_way} under way"));
    }
    if failed > 0 {
        text.push_str(&format!(", {failed} not taken"));
    }
    text
}

fn proof_text(input: &Input, words: &Words) -> String {
    let limits = &input.cfg.miners;
    let drawn = power(input, words);
    let begun = input.state.call.as_ref().and_then(|c| c.first_command);
    let left = begun.map(|at| limits.deadline.saturating_sub(input.now.since(&at)));
    let deadline = left.map_or(String::new(), |left| format!("; {left} left until it is an emergency"));
    format!("at {} or less; now {}{deadline}", limits.off_below, drawn.text)
}
