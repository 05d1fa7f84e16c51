//! Drills: one miner and one fan are switched off and on again for real, by the same commands as in a call, and nothing
//! else. A drill is state, advanced by a step in each pass; it owns no output. Its miner is one that is asleep while the
//! mine runs, which the rules wake by themselves as soon as no drill holds it; its fan is one that is held off, which the
//! interlocks judge as they judge a person's hold. So whatever ends a drill also ends what it did.
//!
//! | from | to | when |
//! | --- | --- | --- |
//! | none | miner-off | ordered or due, and nothing speaks against it |
//! | none | messages | a dry one is ordered or due |
//! | miner-off | miner-on | the miner is proven off, or its time is over |
//! | miner-on | fan-off | the miner is proven on, or its time is over |
//! | fan-off | fan-on | the fan is proven stopped, or its time is over |
//! | fan-on | messages | the fan is proven running, or its time is over |
//! | messages | none | every service has said yes or no, or its time is over |
//! | miner-off, miner-on, fan-off, fan-on | none | something speaks against it, or the run before broke off |
//!
//! What speaks against it is in `against`, what is only looked at in `dry`, when one is due in `schedule`.

mod against;
mod choose;
mod dry;
mod miner;
mod schedule;
mod search;
mod steps;

use super::Report;
use super::judge::Inputs;
use super::table::table;
use crate::config::{Config, Mode};
use crate::model::{
    CheckResult, Command, DRILL_SCHEMA, Drill, DrillCheck, DrillFailure, DrillMiner, DrillOrder, DrillRecord,
    DrillStep, DrillVerdict, EventKind, LastGood, OutletRef, Override, Rung, Setting, Severity, SiteState, Snapshot,
};
use crate::units::{Moment, Seconds};

table! {
    BEGINS = "none", "miner-off", "ordered or due, and nothing speaks against it";
    BEGINS_DRY = "none", "messages", "a dry one is ordered or due";
    MINER_ON = "miner-off", "miner-on", "the miner is proven off, or its time is over";
    FAN_OFF = "miner-on", "fan-off", "the miner is proven on, or its time is over";
    FAN_ON = "fan-off", "fan-on", "the fan is proven stopped, or its time is over";
    MESSAGES = "fan-on", "messages", "the fan is proven running, or its time is over";
    OVER = "messages", "none", "every service has said yes or no, or its time is over";
    ABORTED = "miner-off, miner-on, fan-off, fan-on", "none", "something speaks against it, or the run before broke off";
}

/// Without a pass for so long a drill is not gone on with.
const GAP_MAX: Seconds = Seconds(300);
/// A PDU may show an outlet so long as it was.
const SHOWS_LATE: Seconds = Seconds(120);
/// Certificates that wait for a disk.
const UNKEPT_MAX: usize = 5;

/// What a pass has at hand.
pub(super) struct Pass<'a> {
    pub(super) cfg: &'a Config,
    pub(super) inputs: &'a Inputs,
    pub(super) snapshot: &'a Snapshot,
    pub(super) overrides: &'a [Override],
    pub(super) now: &'a Moment,
}

/// One pass. Whatever it changes, the rules for miners and fans and the interlocks come after it.
pub(super) fn step(pass: &Pass<'_>, next: &mut SiteState, report: &mut Report) {
    schedule::note(pass.cfg, next, pass.now);
    if let Some(drill) = next.drill.running.take() {
        go_on(pass, next, drill, report);
    } else if let Some((order, over)) = ordered(pass.overrides, next) {
        next.drill.order = Some(over.since);
        begin(pass, next, order, (&over.by, Some(over.since)), report);
    } else if schedule::is_due(pass.cfg, next, pass.now) {
        begin_when_allowed(pass, next, report);
    } else {
        next.drill.waits = None;
    }
}

/// The order that was not taken yet.
fn ordered<'a>(overrides: &'a [Override], next: &SiteState) -> Option<(&'a DrillOrder, &'a Override)> {
    let is_taken = |over: &Override| next.drill.order.is_some_and(|order| order.is(&over.since));
    overrides.iter().filter(|over| !is_taken(over)).find_map(|over| {
        let Setting::Drill(order) = &over.setting else { return None };
        Some((order, over))
    })
}

/// A drill that is due waits until nothing speaks against it; in observe mode it is a dry one.
fn begin_when_allowed(pass: &Pass<'_>, next: &mut SiteState, report: &mut Report) {
    let order = DrillOrder { is_dry: pass.cfg.mode == Mode::Observe, ..DrillOrder::default() };
    let why =
        if order.is_dry { None } else { against::anything(pass, next, None).or_else(|| no_target(pass, next, &order)) };
    if let Some(why) = why {
        report.why("drill", format!("a drill is due and waits: {why}"));
        if next.drill.waits.as_ref() != Some(&why) {
            report.event(pass.now, EventKind::State, "drill", format!("due, and waits: {why}"));
        }
        next.drill.waits = Some(why);
        return;
    }
    next.drill.waits = None;
    begin(pass, next, &order, ("schedule", None), report);
}

fn no_target(pass: &Pass<'_>, next: &SiteState, order: &DrillOrder) -> Option<String> {
    choose::targets(pass, next, order).err()
}

fn begin(
    pass: &Pass<'_>,
    next: &mut SiteState,
    order: &DrillOrder,
    (by, ordered): (&str, Option<Moment>),
    report: &mut Report,
) {
    let now = pass.now;
    let mut drill = Drill {
        began: *now,
        by: by.to_owned(),
        order: ordered,
        is_dry: order.is_dry,
        refused: None,
        miner: None,
        quiet_before: None,
        rung: Rung::Foreman,
        fan: None,
        step: DrillStep::Messages,
        since: *now,
        checks: Vec::new(),
        in_run: true,
        broken_off: false,
    };
    next.drill_told.clear();
    if !order.is_dry || ordered.is_none() {
        next.drill.tried = Some(*now);
    }
    if !order.is_dry {
        match against::anything(pass, next, None).map_or_else(|| choose::targets(pass, next, order), Err) {
            Ok((miner, fan)) => take_targets(pass, next, &mut drill, miner, fan),
            // What was only to be looked at is looked at all the same where nothing is ever commanded.
            Err(why) if pass.cfg.mode == Mode::Observe => drill.refused = Some(why),
            Err(why) => return finish(pass, next, drill, Some((DrillVerdict::Refused, why)), report),
        }
    }
    let row = if drill.step == DrillStep::Messages { BEGINS_DRY } else { BEGINS };
    let what = describe(&drill);
    report.event(now, EventKind::State, "drill", format!("{} → {}: {}; {what}", row.from, row.to, row.when));
    report.notice(now, Severity::Info, format!("Drill begins, ordered by {}: {what}", drill.by));
    for check in dry::look(pass, next) {
        note(&mut drill, check, now, report);
    }
    next.drill.running = Some(drill);
}

fn take_targets(pass: &Pass<'_>, next: &mut SiteState, drill: &mut Drill, miner: DrillMiner, fan: u8) {
    drill.rung = miner::first_rung(pass.snapshot, &miner);
    drill.quiet_before = search::quiet_outlets(pass, next).ok().filter(|_| miner.outlet.is_none());
    next.drill.last_miner = miner.id.or(next.drill.last_miner);
    if drill.rung != Rung::Foreman {
        next.drill.cut = miner.outlet.clone().map(|value| LastGood { value, at: *pass.now });
    }
    drill.miner = Some(miner);
    drill.fan = Some(fan);
    drill.step = DrillStep::MinerOff;
}

fn describe(drill: &Drill) -> String {
    match (&drill.miner, drill.fan) {
        (Some(miner), Some(fan)) => format!("{} and fan {fan} go off and on again", miner.name),
        _ => "dry, nothing is switched".to_owned(),
    }
}

fn go_on(pass: &Pass<'_>, next: &mut SiteState, drill: Drill, report: &mut Report) {
    let switches = drill.step != DrillStep::Messages;
    match stopped_by(pass, next, &drill).filter(|_| switches) {
        Some(why) => {
            report.event(pass.now, EventKind::State, "drill", format!("{} → {}: {why}", word(drill.step), ABORTED.to));
            finish(pass, next, drill, Some((DrillVerdict::Aborted, why)), report);
        }
        None => steps::advance(pass, next, drill, report),
    }
}

/// Why a drill must not go on.
fn stopped_by(pass: &Pass<'_>, next: &SiteState, drill: &Drill) -> Option<String> {
    if drill.broken_off {
        return Some("the run before broke off".to_owned());
    }
    if let Some(gap) = next.last_pass.map(|last| pass.now.since(&last)).filter(|gap| *gap > GAP_MAX) {
        return Some(format!("no run for {gap}"));
    }
    let is_of = |over: &Override, order: &Moment| matches!(over.setting, Setting::Drill(_)) && over.since.is(order);
    if drill.order.is_some_and(|order| !pass.overrides.iter().any(|over| is_of(over, &order))) {
        return Some("its order was cleared or has run out".to_owned());
    }
    against::anything(pass, next, Some(drill))
}

/// Keeps a check, and tells it.
fn note(drill: &mut Drill, check: DrillCheck, now: &Moment, report: &mut Report) {
    let took = check.took.map_or(String::new(), |took| format!(" in {took}"));
    let text = format!("{}: {}{took}: {}", check.name, check.result.words(), check.text);
    report.event(now, EventKind::State, "drill", text);
    drill.checks.push(check);
}

fn check(name: &str, result: CheckResult, took: Option<Seconds>, text: impl Into<String>) -> DrillCheck {
    DrillCheck { name: name.to_owned(), result, took, text: text.into() }
}

/// A drill is over: its certificate, what people are told, and what it did is undone. `ends` is why it did not come to
/// its end.
fn finish(
    pass: &Pass<'_>,
    next: &mut SiteState,
    drill: Drill,
    ends: Option<(DrillVerdict, String)>,
    report: &mut Report,
) {
    let now = pass.now;
    undo(next, &drill, now, report);
    let failed: Vec<&str> = failed(&drill.checks).map(|check| check.name.as_str()).collect();
    let (verdict, why) = match (ends, &drill.refused) {
        (Some(ends), _) => ends,
        (None, _) if !failed.is_empty() => (DrillVerdict::Failed, failed.join(", ")),
        (None, Some(why)) => (DrillVerdict::Refused, why.clone()),
        (None, None) => (DrillVerdict::Passed, String::new()),
    };
    let is_dry = drill.is_dry || drill.refused.is_some();
    match verdict {
        DrillVerdict::Passed => {
            next.drill.passed = if is_dry { next.drill.passed } else { Some(*now) };
            next.drill.failed = next.drill.failed.take().filter(|failure| is_dry && !failure.is_dry);
        }
        DrillVerdict::Failed => next.drill.failed = Some(DrillFailure { at: *now, is_dry, why: why.clone() }),
        DrillVerdict::Aborted | DrillVerdict::Refused => {}
    }
    let kind = if is_dry { "Dry drill" } else { "Drill" };
    let cause = if why.is_empty() { String::new() } else { format!(": {why}") };
    let text = format!("{kind} {}{cause}", verdict.word());
    report.event(now, EventKind::State, "drill", text.clone());
    // What failed is told by its alarm.
    if verdict != DrillVerdict::Failed {
        report.notice(now, Severity::Info, text);
    }
    let record = DrillRecord {
        schema: DRILL_SCHEMA,
        began: drill.began.wall,
        ended: now.wall,
        by: drill.by,
        is_dry,
        verdict,
        why,
        checks: drill.checks,
    };
    next.drills_unkept.push(record.clone());
    let over = next.drills_unkept.len().saturating_sub(UNKEPT_MAX);
    next.drills_unkept.drain(..over);
    next.drill.last = Some(record);
}

fn failed(checks: &[DrillCheck]) -> impl Iterator<Item = &DrillCheck> {
    checks.iter().filter(|check| check.result == CheckResult::Failed)
}

/// Lets the rules take back what a drill holds: they wake the miner, and the fan is wanted again.
fn undo(next: &mut SiteState, drill: &Drill, now: &Moment, report: &mut Report) {
    match drill.step {
        DrillStep::MinerOff => miner::let_go(next, drill),
        DrillStep::FanOff | DrillStep::FanOn => want_fan_again(next, drill, now, report),
        DrillStep::MinerOn | DrillStep::Messages => {}
    }
}

/// The fan is wanted again, whatever the stage says: what is too many the rules stop in their time.
fn want_fan_again(next: &mut SiteState, drill: &Drill, now: &Moment, report: &mut Report) {
    let Some(number) = drill.fan else { return };
    let Some(fan) = next.fans.get_mut(&number).filter(|fan| !fan.wanted) else { return };
    fan.wanted = true;
    report.event(now, EventKind::State, "fans", format!("fan {number} is wanted again: it was off for a drill"));
}

fn word(step: DrillStep) -> &'static str {
    match step {
        DrillStep::MinerOff => MINER_ON.from,
        DrillStep::MinerOn => FAN_OFF.from,
        DrillStep::FanOff => FAN_ON.from,
        DrillStep::FanOn => MESSAGES.from,
        DrillStep::Messages => OVER.from,
    }
}

/// Whether outputs are being switched for a drill, so that another pass within this run makes sense.
pub(super) fn in_transition(next: &SiteState) -> bool {
    next.drill.running.as_ref().is_some_and(|drill| drill.step != DrillStep::Messages)
}

/// The fan that is held off for a drill.
pub(super) fn fan_held_off(next: &SiteState) -> Option<u8> {
    next.drill.running.as_ref().filter(|drill| drill.step == DrillStep::FanOff).and_then(|drill| drill.fan)
}

/// The fan that must run again after it was held off.
pub(super) fn fan_held_on(next: &SiteState) -> Option<u8> {
    next.drill.running.as_ref().filter(|drill| drill.step == DrillStep::FanOn).and_then(|drill| drill.fan)
}

/// Whether a miner is kept off by a drill now.
pub(super) fn holds_miner(next: &SiteState, id: u64) -> bool {
    let held = next.drill.running.as_ref().filter(|drill| drill.step == DrillStep::MinerOff);
    held.and_then(|drill| drill.miner.as_ref()).is_some_and(|miner| miner.id == Some(id))
}

/// Whether an outlet is kept off by a drill now.
pub(super) fn holds_outlet(next: &SiteState, outlet: &OutletRef) -> bool {
    let held = next.drill.running.as_ref().filter(|drill| drill.step == DrillStep::MinerOff);
    held.and_then(|drill| drill.miner.as_ref()).is_some_and(|miner| miner.outlet.as_ref() == Some(outlet))
}

/// The miner of the drill that goes on, whether it is to be off or on.
pub(super) fn miner(next: &SiteState) -> Option<&DrillMiner> {
    next.drill.running.as_ref().and_then(|drill| drill.miner.as_ref())
}

/// What would put the drill's miner off; only while the mine runs.
pub(super) fn propose(cfg: &Config, next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Vec<Command> {
    next.drill.running.as_ref().map_or_else(Vec::new, |drill| miner::propose(cfg, next, snapshot, drill, now))
}

/// A run begins: one that is at work on a drill already was broken off.
pub(super) fn run_begins(state: &mut SiteState) {
    if let Some(drill) = &mut state.drill.running {
        drill.broken_off |= drill.in_run;
        drill.in_run = true;
    }
}

/// A run ends as it should.
pub fn end_run(state: &mut SiteState) {
    if let Some(drill) = &mut state.drill.running {
        drill.in_run = false;
    }
}

/// The outlet that a drill cut or gave back so shortly ago that its PDU may still show what was before.
pub(super) fn cut_just_now(state: &SiteState, now: &Moment) -> Option<OutletRef> {
    let cut = state.drill.cut.as_ref()?;
    (holds_outlet(state, &cut.value) || now.since(&cut.at) < SHOWS_LATE).then(|| cut.value.clone())
}

/// Whether a drill goes on, or was over less than an interval ago: it makes runs of its own.
pub(super) fn just_now(state: &SiteState, now: &Moment, interval: Seconds) -> bool {
    let ended = state.drill.last.as_ref().is_some_and(|last| now.wall.since(last.ended) < interval);
    state.drill.running.is_some() || ended
}

pub(super) use schedule::conditions;
