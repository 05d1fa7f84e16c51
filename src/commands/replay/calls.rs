//! The effect of other decisions on each call: first command, proof, time off. The mine could not react to what is decided
//! differently now; so a proof that follows from another first command is reckoned by how long the mine took then.

use std::collections::BTreeSet;

use serde::Serialize;

use super::play::Pair;
use crate::model::{Command, OffReason, PowerMode, Stand};
use crate::units::{Moment, Seconds, UnixSeconds};

/// A call as it was met then or would be now.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Met {
    /// When its cause was read.
    pub seen: Option<UnixSeconds>,
    /// The first command that puts miners off.
    pub first_off: Option<UnixSeconds>,
    /// When the miners were proven off.
    pub proven: Option<UnixSeconds>,
    /// Whether that is reckoned: another first command, and the time from command to proof as measured then.
    pub proven_is_reckoned: bool,
    /// How long the miners had to be off.
    pub off_s: Seconds,
    /// Why.
    pub reasons: BTreeSet<OffReason>,
}

/// A call, then and now.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CallEffect {
    /// What the page said when the cause was read.
    pub page: Option<String>,
    /// As it was.
    pub then: Met,
    /// As it would be.
    pub now: Met,
}

/// Follows the calls, pass by pass.
#[derive(Debug, Default)]
pub(super) struct Calls {
    over: Vec<CallEffect>,
    open: Option<CallEffect>,
    last: Option<(Moment, bool, bool)>,
}

impl Calls {
    /// One pass; `follows` says whether it is played on from the one before.
    pub(super) fn take(&mut self, pair: &Pair, follows: bool) {
        let sides = [&pair.then, &pair.now];
        let seen = sides.map(|stand| stand.call.as_ref().map(|call| call.seen));
        if let Some(open) = &mut self.open {
            if let Some((at, then_off, now_off)) = self.last.filter(|_| follows) {
                let span = pair.at.since(&at);
                for (met, was_off) in [(&mut open.then, then_off), (&mut open.now, now_off)] {
                    met.off_s = met.off_s.plus(if was_off { span } else { Seconds(0) });
                }
            }
            // A call that is over on one side and goes on on the other is the same call.
            let goes_on =
                |met: &Met, seen: Option<UnixSeconds>| seen.is_some() && (met.seen.is_none() || met.seen == seen);
            if !goes_on(&open.then, seen[0]) && !goes_on(&open.now, seen[1]) {
                self.close();
            }
        }
        let is_off = |stand: &Stand| !stand.off.is_empty();
        self.last = Some((pair.at, is_off(&pair.then), is_off(&pair.now)));
        if seen.iter().all(Option::is_none) {
            return;
        }
        let open = self.open.get_or_insert_with(|| CallEffect { page: pair.page.clone(), ..CallEffect::default() });
        note(&mut open.then, &pair.then, &pair.then_commands, pair.at);
        note(&mut open.now, &pair.now, &pair.now_commands, pair.at);
    }

    fn close(&mut self) {
        let Some(mut call) = self.open.take() else { return };
        let took = call.then.first_off.zip(call.then.proven).map(|(off, proven)| proven.since(off));
        if let (Some(off), Some(took)) = (call.now.first_off, took)
            && call.then.first_off != Some(off)
        {
            call.now.proven = Some(off.plus(took));
            call.now.proven_is_reckoned = true;
        }
        self.over.push(call);
    }

    /// The calls, oldest first.
    pub(super) fn finish(mut self) -> Vec<CallEffect> {
        self.close();
        self.over
    }
}

fn note(met: &mut Met, stand: &Stand, commands: &[Command], at: Moment) {
    let Some(call) = &stand.call else { return };
    met.seen = met.seen.or(Some(call.seen));
    met.proven = met.proven.or(call.proven);
    met.reasons.extend(stand.off.iter().copied());
    if commands.iter().any(puts_off) {
        met.first_off = met.first_off.or(Some(at.wall));
    }
}

fn puts_off(command: &Command) -> bool {
    match command {
        Command::Miner { mode, .. } => *mode == PowerMode::Sleeping,
        Command::Outlet { on, .. } => !*on,
        Command::Bank { .. } => true,
        Command::Fan { .. } => false,
    }
}
