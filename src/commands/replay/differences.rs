//! Where what is decided now differs from what was decided then: stretches of passes, each told where it begins, where
//! the difference changes, and where it ends.

use std::collections::BTreeSet;

use serde::Serialize;

use super::calls::{CallEffect, Calls};
use super::play::{Pair, Played};
use crate::decide::grouped;
use crate::model::{Command, Severity, Stand};
use crate::units::{Moment, Seconds, UnixSeconds};

/// Changes that are told within one stretch.
const CHANGES_MAX: usize = 8;
/// Reasons that are given for one change.
const REASONS_MAX: usize = 4;

/// What a replay has found.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Found {
    /// Runs that were played.
    pub runs: usize,
    /// Their passes.
    pub passes: usize,
    /// Passes that differ.
    pub passes_that_differ: usize,
    /// Runs that could not be played: no state is recorded to begin with.
    pub runs_skipped: usize,
    /// The times at which the state was taken as recorded, because runs before are missing; not the first.
    pub begun_anew: Vec<UnixSeconds>,
    /// The first and the last pass.
    pub span: Option<(UnixSeconds, UnixSeconds)>,
    /// Where it differs.
    pub stretches: Vec<Stretch>,
    /// The calls.
    pub calls: Vec<CallEffect>,
    /// Files and runs that could not be read.
    pub troubles: Vec<String>,
}

/// Passes in a row that differ.
#[derive(Debug, PartialEq, Serialize)]
pub struct Stretch {
    /// The first.
    pub from: UnixSeconds,
    /// The first that agrees again; `None` when none does.
    pub until: Option<UnixSeconds>,
    /// How many.
    pub passes: usize,
    /// How long, up to the last that differs.
    pub lasted: Seconds,
    /// How it differs, and where that changes.
    pub changes: Vec<Change>,
    /// Changes that are not told.
    pub more: usize,
    /// Commands that are new, grouped, with the number of passes.
    pub only_now: Vec<String>,
    /// Commands that are gone.
    pub only_then: Vec<String>,
}

/// How one pass differs.
#[derive(Debug, PartialEq, Serialize)]
pub struct Change {
    /// When.
    pub at: UnixSeconds,
    /// What stood then, as far as it differs; empty where only commands do.
    pub then: Vec<String>,
    /// What stands now.
    pub now: Vec<String>,
    /// Why now.
    pub why: Vec<String>,
}

/// Follows the passes.
#[derive(Debug, Default)]
pub(super) struct Differences {
    found: Found,
    calls: Calls,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    stretch: Stretch,
    began: Moment,
    new: BTreeSet<Command>,
    gone: BTreeSet<Command>,
}

impl Differences {
    /// Takes in a run that was played.
    pub(super) fn take(&mut self, played: &Played, at: UnixSeconds) {
        let (pairs, is_anew) = match played {
            Played::Skipped => {
                self.found.runs_skipped = self.found.runs_skipped.saturating_add(1);
                return;
            }
            Played::On(pairs) => (pairs, false),
            Played::Anew(pairs) => (pairs, true),
        };
        if is_anew && self.found.runs > 0 {
            self.found.begun_anew.push(at);
        }
        self.found.runs = self.found.runs.saturating_add(1);
        for (place, pair) in pairs.iter().enumerate() {
            self.pass(pair, place > 0 || !is_anew);
        }
    }

    fn pass(&mut self, pair: &Pair, follows: bool) {
        let wall = pair.at.wall;
        let found = &mut self.found;
        found.passes = found.passes.saturating_add(1);
        found.span = Some((found.span.map_or(wall, |(first, _)| first), wall));
        self.calls.take(pair, follows);
        if !pair.differs() {
            self.close(Some(wall));
            return;
        }
        found.passes_that_differ = found.passes_that_differ.saturating_add(1);
        let (then, now) = apart(&pair.then, &pair.now);
        let open = self.open.get_or_insert_with(|| Open::begin(pair.at));
        let stretch = &mut open.stretch;
        stretch.passes = stretch.passes.saturating_add(1);
        stretch.lasted = pair.at.since(&open.began);
        open.new.extend(pair.now_commands.iter().filter(|command| !pair.then_commands.contains(command)).cloned());
        open.gone.extend(pair.then_commands.iter().filter(|command| !pair.now_commands.contains(command)).cloned());
        if stretch.changes.last().is_some_and(|last| last.then == then && last.now == now) {
            return;
        }
        if stretch.changes.len() == CHANGES_MAX {
            stretch.more = stretch.more.saturating_add(1);
            return;
        }
        let why = pair.reasons.iter().filter(|reason| reason.subject != "override").take(REASONS_MAX);
        let why = why.map(|reason| format!("{}: {}", reason.subject, reason.text)).collect();
        stretch.changes.push(Change { at: wall, then, now, why });
    }

    fn close(&mut self, until: Option<UnixSeconds>) {
        let Some(open) = self.open.take() else { return };
        let words = |commands: BTreeSet<Command>| {
            let commands: Vec<Command> = commands.into_iter().collect();
            grouped(&commands).into_iter().map(|(subject, what)| format!("{subject}: {what}")).collect()
        };
        let (only_now, only_then) = (words(open.new), words(open.gone));
        self.found.stretches.push(Stretch { until, only_now, only_then, ..open.stretch });
    }

    /// A run, or a place in a file, that could not be read.
    pub(super) fn trouble(&mut self, text: String) {
        self.found.troubles.push(text);
    }

    /// All that was found.
    pub(super) fn finish(mut self) -> Found {
        self.close(None);
        self.found.calls = self.calls.finish();
        self.found
    }
}

impl Open {
    fn begin(at: Moment) -> Open {
        let stretch = Stretch {
            from: at.wall,
            until: None,
            passes: 0,
            lasted: Seconds(0),
            changes: Vec::new(),
            more: 0,
            only_now: Vec::new(),
            only_then: Vec::new(),
        };
        Open { stretch, began: at, new: BTreeSet::new(), gone: BTreeSet::new() }
    }
}

/// What differs of two stands, in words.
fn apart(then: &Stand, now: &Stand) -> (Vec<String>, Vec<String>) {
    let pairs = words(then).into_iter().zip(words(now));
    pairs.filter(|(then, now)| then != now).unzip()
}

/// A stand in words, always as many and in the same order. When a call was seen stands with the calls.
fn words(stand: &Stand) -> [String; 6] {
    let rung = stand.rung.map(|rung| format!(" by {}", rung.word())).unwrap_or_default();
    let group = stand.group.map(|group| format!(", group {group}")).unwrap_or_default();
    let shed = if stand.shed_groups > 0 { format!(", {} groups shed", stand.shed_groups) } else { String::new() };
    let off: Vec<&str> = stand.off.iter().map(|reason| reason.sentence()).collect();
    let fans: Vec<String> = stand.fans.iter().map(u8::to_string).collect();
    let alarm = |(id, severity): (&String, &Severity)| format!("{id} ({})", severity.word());
    let alarms: Vec<String> = stand.alarms.iter().map(alarm).collect();
    let none = |list: Vec<String>| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let proven = stand.call.as_ref().is_some_and(|call| call.proven.is_some());
    [
        format!("signal {}", stand.signal.word()),
        format!("miners {}{rung}{group}{shed}", stand.miners),
        if off.is_empty() { "no reason to be off".to_owned() } else { format!("off: {}", off.join("; ")) },
        format!("fans {}", if fans.is_empty() { "none".to_owned() } else { fans.join(" ") }),
        format!("alarms {}", none(alarms)),
        format!(
            "call {}",
            match (&stand.call, proven) {
                (None, _) => "none",
                (Some(_), false) => "not proven off",
                (Some(_), true) => "proven off",
            }
        ),
    ]
}
