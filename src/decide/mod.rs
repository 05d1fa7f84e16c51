//! What to do, as a pure function: `decide` takes the configuration, what is remembered, what was read and `now`, and
//! returns what to remember, do and tell. It does no I/O, reads no clock, writes no log and cannot fail.
//!
//! The order of one pass: inputs are judged, then signal → climate → demand → miners → drill → fans → commands → interlocks →
//! alarms. Each machine is one file. The scorecard of a call only watches them.

mod alarms;
mod bank;
mod budget;
mod climate;
mod commands;
mod conditions;
mod demand;
mod drill;
mod fans;
mod intent;
mod interlock;
mod judge;
mod ladder;
mod miners;
mod outcome;
mod power;
mod resume;
mod run;
mod samples;
mod score;
mod scorecard;
mod second_look;
mod signal;
mod start;
mod stuck;
mod table;
mod wording;
mod written;

pub use drill::end_run;
pub use interlock::{Refusal, allowed};
pub use judge::{Inputs, Quality};
pub use outcome::{grouped, record};
pub use run::begin_run;
pub use second_look::{needs_second_look, settled};
pub use signal::{Says, says};
pub use table::{Row, Table, tables};

pub use scorecard::so_far;
use std::collections::BTreeSet;

use crate::config::{Config, Mode};
use crate::model::{Command, Decision, Event, EventKind, Notice, Override, Reason, Severity, SiteState, Snapshot};
use crate::units::Moment;

/// What the machines of one pass write to.
#[derive(Debug, Default)]
struct Report {
    events: Vec<Event>,
    notices: Vec<Notice>,
    reasons: Vec<Reason>,
}

impl Report {
    fn event(&mut self, now: &Moment, kind: EventKind, subject: &str, text: impl Into<String>) {
        self.events.push(Event { at: now.wall, kind, subject: subject.to_owned(), text: text.into() });
    }

    fn notice(&mut self, now: &Moment, severity: Severity, text: impl Into<String>) {
        self.notices.push(Notice { severity, at: now.wall, text: text.into() });
    }

    fn why(&mut self, subject: &str, text: impl Into<String>) {
        self.reasons.push(Reason { subject: subject.to_owned(), text: text.into() });
    }
}

/// One pass. The same arguments give the same decision. Commands come safety first and have passed the interlocks; in
/// observe mode they are what would be sent, and nothing is remembered of them.
pub fn decide(cfg: &Config, state: &SiteState, snapshot: &Snapshot, overrides: &[Override], now: &Moment) -> Decision {
    let mut next = state.clone();
    let mut report = Report::default();
    let live = live_overrides(overrides, now, &mut report);
    written::apply(cfg, &mut next, &live, now, &mut report);

    let inputs = judge::judge(cfg, &mut next, snapshot, &live, now, &mut report);
    stuck::follow(cfg, &mut next, snapshot, now);
    signal::step(cfg, &mut next, snapshot, &live, now, &mut report);
    climate::step(cfg, &mut next, &inputs, now, &mut report);
    fans::observe(cfg, &mut next, &inputs, &live, now, &mut report);
    budget::step(cfg, &mut next, &inputs, now, &mut report);
    demand::step(cfg, &mut next, &inputs, &live, now, &mut report);
    outcome::follow(cfg, &mut next, snapshot, now, &mut report);
    let preparing = miners::step(cfg, &mut next, &inputs, snapshot, &live, now, &mut report);
    let pass = drill::Pass { cfg, inputs: &inputs, snapshot, overrides: &live, now };
    drill::step(&pass, &mut next, &mut report);
    fans::step(cfg, &mut next, &inputs, preparing, &live, now, &mut report);
    let finished = score::step(cfg, state, &mut next, &inputs, snapshot, now, &mut report);

    let proposed = commands::propose(cfg, &next, snapshot, now);
    let (mut wanted, refused) = interlock::allowed(cfg, &next, &inputs, snapshot, now, proposed);
    explain_refusals(&refused, &mut report);
    wanted.sort_by_key(|command| !command.is_safe());
    if cfg.mode == Mode::Live {
        intent::intend(cfg, &mut next, snapshot, &wanted, now);
    }
    let has_news = intent::announce(cfg, &mut next, &wanted, now, &mut report) && !wanted.is_empty();

    let holding = conditions::holding(cfg, &next, &inputs, snapshot, &live, &refused, now);
    alarms::step(cfg, &mut next, holding, now, &mut report);
    wording::heartbeat(cfg, &mut next, &live, now, &mut report);
    let samples = samples::collect(cfg, &next, &inputs, snapshot);
    // In observe mode nothing is sent, so there is nothing to look at again within the run.
    let changes = miners::in_transition(&next)
        || drill::in_transition(&next)
        || has_news
        || signal::is_near(cfg, &next, snapshot);
    let in_transition = cfg.mode == Mode::Live && changes;
    next.last_pass = Some(*now);
    Decision {
        next,
        commands: wanted,
        notices: report.notices,
        events: report.events,
        samples,
        reasons: report.reasons,
        finished,
        in_transition,
    }
}

/// What the rules wanted and an interlock took away, by interlock.
fn explain_refusals(refused: &[Refusal], report: &mut Report) {
    let whys: BTreeSet<&str> = refused.iter().map(|refusal| refusal.why).collect();
    for why in whys {
        let commands: Vec<Command> =
            refused.iter().filter(|refusal| refusal.why == why).map(|refusal| refusal.command.clone()).collect();
        for (subject, what) in outcome::grouped(&commands) {
            report.why("interlock", format!("{subject}: {what} refused: {why}"));
        }
    }
}

/// The overrides that still hold; one that has run out leaves an event and a notice.
fn live_overrides(overrides: &[Override], now: &Moment, report: &mut Report) -> Vec<Override> {
    let (live, ended): (Vec<_>, Vec<_>) = overrides.iter().cloned().partition(|o| o.left(now).0 > 0);
    for over in ended {
        let text =
            format!("override ended after {}: {} (set by {}: {})", over.lasts, over.setting, over.by, over.reason);
        report.event(now, EventKind::Override, &over.setting.target(), text.clone());
        report.notice(now, Severity::Info, text);
    }
    for over in &live {
        report
            .why("override", format!("{} for another {} ({}: {})", over.setting, over.left(now), over.by, over.reason));
    }
    live
}
