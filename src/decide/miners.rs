//! The miners machine: where the miners stand, proven by measured watts.
//!
//! | from | to | when |
//! | --- | --- | --- |
//! | boot | curtailing | a reason to be off holds |
//! | boot | running | every required input was read once, and power is drawn |
//! | boot | curtailed | every required input was read once, and watts prove the miners off |
//! | boot | curtailed | signal and intake were read, the watts not all for 15 min, and less than `on_above` is measured |
//! | running | curtailing | a reason to be off holds |
//! | curtailing | curtailing | next rung: this one's time is over, or it cannot be reached, or takes no command |
//! | curtailing | curtailed | fresh watts prove the miners off |
//! | curtailing | fault | a reason holds, and the miners are not proven off by `deadline` |
//! | curtailing | resuming | no reason for `resume_after`, `min_off` served, intake and fans allow it |
//! | fault | curtailed | fresh watts prove the miners off |
//! | fault | curtailing | a reason holds again after there was none |
//! | fault | resuming | no reason for `resume_after`, `min_off` served, intake and fans allow it |
//! | curtailed | curtailing | a reason holds, and more than `off_below` is measured |
//! | curtailed | curtailing | a reason holds, and the proof is lost for `foreman_limit` |
//! | curtailed | running | no reason holds, `on_above` is measured, and nothing is left off or can be resumed: a person started them |
//! | curtailed | resuming | no reason for `resume_after`, `min_off` served, intake and fans allow it |
//! | resuming | curtailing | a reason to be off holds |
//! | resuming | resuming | next group: this one shows its watts or its time is over, intake and fans allow it |
//! | resuming | running | the last group shows its watts or its time is over, or the fans stay too few for more |
//!
//! How they go off is in `ladder`, how they come back in `resume`.

use super::Report;
use super::judge::Inputs;
use super::ladder;
use super::resume;
use super::table::{Row, table};
use crate::config::{Config, Mode};
use crate::model::{EventKind, MinersPhase, OffReason, Override, Rung, Setting, Severity, SiteState, Snapshot};
use crate::units::{Moment, Seconds};

table! {
    BOOT_OFF = "boot", "curtailing", "a reason to be off holds";
    BOOT_DRAWS = "boot", "running", "every required input was read once, and power is drawn";
    BOOT_QUIET = "boot", "curtailed", "every required input was read once, and watts prove the miners off";
    BOOT_UNREAD = "boot", "curtailed", "signal and intake were read, the watts not all for 15 min, and less than `on_above` is measured";
    OFF = "running", "curtailing", "a reason to be off holds";
    CLIMB = "curtailing", "curtailing", "next rung: this one's time is over, or it cannot be reached, or takes no command";
    PROVEN = "curtailing", "curtailed", "fresh watts prove the miners off";
    LATE = "curtailing", "fault", "a reason holds, and the miners are not proven off by `deadline`";
    CALLED_OFF = "curtailing", "resuming", "no reason for `resume_after`, `min_off` served, intake and fans allow it";
    FAULT_PROVEN = "fault", "curtailed", "fresh watts prove the miners off";
    FAULT_AGAIN = "fault", "curtailing", "a reason holds again after there was none";
    FAULT_CALLED_OFF = "fault", "resuming", "no reason for `resume_after`, `min_off` served, intake and fans allow it";
    CAME_BACK = "curtailed", "curtailing", "a reason holds, and more than `off_below` is measured";
    PROOF_LOST = "curtailed", "curtailing", "a reason holds, and the proof is lost for `foreman_limit`";
    BY_HAND = "curtailed", "running", "no reason holds, `on_above` is measured, and nothing is left off or can be resumed: a person started them";
    RESUME = "curtailed", "resuming", "no reason for `resume_after`, `min_off` served, intake and fans allow it";
    BROKEN_OFF = "resuming", "curtailing", "a reason to be off holds";
    NEXT_GROUP = "resuming", "resuming", "next group: this one shows its watts or its time is over, intake and fans allow it";
    ALL_BACK = "resuming", "running", "the last group shows its watts or its time is over, or the fans stay too few for more";
}

/// A PDU that cannot be read keeps the others from a resume only this long.
const BOOT_LIMIT: Seconds = Seconds(900);

/// Where the miners go, and by which row.
pub(super) type Step = (MinersPhase, Option<Row>);

/// One pass of the machine. Returns whether the fans must get ready for a resume.
pub(super) fn step(
    cfg: &Config,
    next: &mut SiteState,
    inputs: &Inputs,
    snapshot: &Snapshot,
    overrides: &[Override],
    now: &Moment,
    report: &mut Report,
) -> bool {
    next.miners.watts = inputs.miner_watts();
    let was_by_hand = std::mem::take(&mut next.miners.proof_by_hand);
    next.miners.proof_by_hand = overrides.iter().any(|over| matches!(over.setting, Setting::MinerWatts { .. }));
    let proof = ladder::proof(cfg, next, inputs, snapshot);
    if was_by_hand && !next.miners.proof_by_hand {
        // What a hand said proved nothing: the run-on counts from the first measured proof.
        next.miners.proven_off = None;
    }
    next.miners.proven_off = if proof.is_ok() { next.miners.proven_off.or(Some(*now)) } else { None };
    super::power::learn(cfg, next, inputs, now);

    let before = next.miners.phase.clone();
    let mut preparing = false;
    let (phase, row) = if next.demand.reasons.is_empty() {
        let may_run = MayRun { cfg, inputs, snapshot, overrides, now, proven: proof.is_ok() };
        may_run.step(next, &before, &mut preparing, report)
    } else {
        must_be_off(cfg, next, inputs, snapshot, proof.is_ok(), now)
    };
    let leaves_boot = before == MinersPhase::Boot && phase != MinersPhase::Boot;
    if leaves_boot && cfg.mode == Mode::Live {
        next.miners.forgotten = true;
        if phase != MinersPhase::Running {
            resume::take_over(next, snapshot, now);
        }
    }
    next.miners.phase = phase;
    resume::wake_the_forgotten(next, snapshot, now, report);
    conclude(cfg, next, row, proof.err(), now, report);
    preparing
}

/// While a reason to be off holds.
fn must_be_off(
    cfg: &Config,
    next: &mut SiteState,
    inputs: &Inputs,
    snapshot: &Snapshot,
    proven: bool,
    now: &Moment,
) -> Step {
    let to = |phase: MinersPhase, row: Row| (phase, Some(row));
    match next.miners.phase.clone() {
        MinersPhase::Boot => to(ladder::enter(next, inputs, snapshot, now), BOOT_OFF),
        MinersPhase::Running => to(ladder::enter(next, inputs, snapshot, now), OFF),
        MinersPhase::Resuming { .. } => to(ladder::enter(next, inputs, snapshot, now), BROKEN_OFF),
        MinersPhase::Curtailing { .. } if proven => to(MinersPhase::Curtailed { since: *now }, PROVEN),
        MinersPhase::Fault { .. } if proven => to(MinersPhase::Curtailed { since: *now }, FAULT_PROVEN),
        MinersPhase::Curtailing { since, .. } if ladder::overdue(next, &since, now) >= cfg.miners.deadline => {
            to(MinersPhase::Fault { since: *now }, LATE)
        }
        phase @ MinersPhase::Curtailing { since, rung, rung_since } => {
            let climbed = ladder::climb(cfg, next, (since, rung, rung_since), snapshot, now);
            let row = (climbed != phase).then_some(CLIMB);
            (climbed, row)
        }
        // The deadline counts from the reason that holds now; no rung is climbed twice.
        MinersPhase::Fault { .. } if next.demand.since == *now => {
            to(ladder::enter(next, inputs, snapshot, now), FAULT_AGAIN)
        }
        phase @ MinersPhase::Fault { .. } => (phase, None),
        // What is measured is a lower bound: a PDU that cannot be read does not hide the others.
        MinersPhase::Curtailed { .. } if inputs.known_watts() > cfg.miners.off_below => {
            to(ladder::enter(next, inputs, snapshot, now), CAME_BACK)
        }
        // Proof that stays lost is no proof: the ladder is climbed again, blindly where nothing can be read.
        MinersPhase::Curtailed { .. } if proof_lost_for(next, now) >= cfg.miners.foreman_limit => {
            to(ladder::enter(next, inputs, snapshot, now), PROOF_LOST)
        }
        phase @ MinersPhase::Curtailed { .. } => {
            // A call that finds them off has its record, too.
            if next.call.is_none() {
                ladder::open(next, inputs, next.miners.proven_off.map(|_| *now), now);
            }
            (phase, None)
        }
    }
}

/// What is at hand while nothing speaks against running.
struct MayRun<'a> {
    cfg: &'a Config,
    inputs: &'a Inputs,
    snapshot: &'a Snapshot,
    overrides: &'a [Override],
    now: &'a Moment,
    proven: bool,
}

impl MayRun<'_> {
    fn step(&self, next: &mut SiteState, before: &MinersPhase, preparing: &mut bool, report: &mut Report) -> Step {
        let (cfg, now) = (self.cfg, self.now);
        let to = |phase: MinersPhase, row: Row| (phase, Some(row));
        match before.clone() {
            MinersPhase::Boot => self.adopt(next),
            MinersPhase::Running => (MinersPhase::Running, None),
            MinersPhase::Curtailing { .. } if self.proven => to(MinersPhase::Curtailed { since: *now }, PROVEN),
            MinersPhase::Fault { .. } if self.proven => to(MinersPhase::Curtailed { since: *now }, FAULT_PROVEN),
            MinersPhase::Curtailed { .. } if self.runs_by_hand(next) => to(MinersPhase::Running, BY_HAND),
            MinersPhase::Curtailing { since, .. } => self.resume(next, before, &since, CALLED_OFF, preparing, report),
            MinersPhase::Fault { since } => self.resume(next, before, &since, FAULT_CALLED_OFF, preparing, report),
            MinersPhase::Curtailed { since } => {
                let step = self.resume(next, before, &since, RESUME, preparing, report);
                // What runs without us and cannot be resumed in order is a running mine, with all its rules.
                let is_stuck = step.1.is_none() && self.draws(next) && self.has_waited(next, &since);
                if is_stuck { to(MinersPhase::Running, BY_HAND) } else { step }
            }
            MinersPhase::Resuming { since, group, group_since, watts_before } => {
                *preparing = true;
                let at = resume::Group { since, number: group, group_since, watts_before };
                match resume::go_on(cfg, next, self.inputs, &at, now, report) {
                    resume::GoOn::Wait => (before.clone(), None),
                    resume::GoOn::Next(phase) => to(phase, NEXT_GROUP),
                    resume::GoOn::Done => to(MinersPhase::Running, ALL_BACK),
                }
            }
        }
    }

    /// Whether the miners draw power and nothing waits to be started by us: then it was not us.
    fn runs_by_hand(&self, next: &SiteState) -> bool {
        self.draws(next) && !super::start::left_off(next)
    }

    fn draws(&self, next: &SiteState) -> bool {
        next.miners.watts.is_some_and(|watts| watts >= self.cfg.miners.on_above)
    }

    fn has_waited(&self, next: &SiteState, off_since: &Moment) -> bool {
        resume::waited(self.cfg, next, self.overrides, off_since, self.now).is_ok()
    }

    /// Boot: takes over what is observed once every required input was read; until then nothing is assumed.
    fn adopt(&self, next: &SiteState) -> Step {
        let is_read = next.signal.last_good.is_some() && next.climate.trusted.is_some();
        // What is measured is a lower bound: one PDU that cannot be read does not hide that the others draw.
        let draws = next.miners.watts.is_some() || self.inputs.known_watts() >= self.cfg.miners.on_above;
        let waited = self.now.since(&next.demand.since) >= BOOT_LIMIT;
        match next.miners.watts {
            Some(_) if is_read && self.proven => (MinersPhase::Curtailed { since: *self.now }, Some(BOOT_QUIET)),
            Some(_) | None if is_read && draws => (MinersPhase::Running, Some(BOOT_DRAWS)),
            None if is_read && waited => (MinersPhase::Curtailed { since: *self.now }, Some(BOOT_UNREAD)),
            Some(_) | None => (MinersPhase::Boot, None),
        }
    }

    /// Begins the resume when everything allows it; else says what is missing.
    fn resume(
        &self,
        next: &mut SiteState,
        before: &MinersPhase,
        off_since: &Moment,
        row: Row,
        preparing: &mut bool,
        report: &mut Report,
    ) -> Step {
        let waited = resume::waited(self.cfg, next, self.overrides, off_since, self.now);
        // The fans of a room with running miners in it do not wait for the miners' times.
        *preparing = waited.is_ok() || !matches!(before, MinersPhase::Curtailed { .. });
        match waited.and_then(|()| resume::ready(self.cfg, next, self.inputs, self.now)) {
            Ok(()) => (resume::begin(self.cfg, next, self.inputs, self.snapshot, self.now), Some(row)),
            Err(why) => {
                report.why("miners", format!("resume waits: {why}"));
                (before.clone(), None)
            }
        }
    }
}

/// How long it could not be shown that the miners are off, by the alarm that says so.
fn proof_lost_for(next: &SiteState, now: &Moment) -> Seconds {
    let lost = next.alarms.get("miners unproven").filter(|alarm| alarm.gone.is_none());
    lost.filter(|_| next.miners.proven_off.is_none()).map_or(Seconds(0), |alarm| now.since(&alarm.since))
}

/// Whether the miners are on their way, so that another pass within this run makes sense.
pub(super) fn in_transition(next: &SiteState) -> bool {
    match next.miners.phase {
        MinersPhase::Curtailing { .. } | MinersPhase::Resuming { .. } | MinersPhase::Fault { .. } => true,
        MinersPhase::Boot | MinersPhase::Running | MinersPhase::Curtailed { .. } => false,
    }
}

/// Fans that are proven running by fresh measured watts in this pass; watts set by hand prove nothing.
pub(super) fn proven_fans(next: &SiteState) -> usize {
    next.fans.values().filter(|fan| fan.proven == Some(true) && !fan.watts_by_hand).count()
}

/// Tells of a change and keeps the record of the call.
fn conclude(
    cfg: &Config,
    next: &mut SiteState,
    row: Option<Row>,
    unproven: Option<String>,
    now: &Moment,
    report: &mut Report,
) {
    let watts = next.miners.watts.map_or("unknown power".to_owned(), |w| w.to_string());
    let phase = next.miners.phase.clone();
    let missing = match &phase {
        MinersPhase::Curtailing { .. } | MinersPhase::Fault { .. } => {
            unproven.map(|why| format!("; not proven: {why}"))
        }
        MinersPhase::Boot | MinersPhase::Running | MinersPhase::Curtailed { .. } | MinersPhase::Resuming { .. } => None,
    };
    report.why("miners", format!("{}, {watts}{}", describe(&phase, now), missing.unwrap_or_default()));
    let Some(row) = row else { return };
    let text = format!("{} → {}: {}; {}, {watts}", row.from, row.to, row.when, describe(&phase, now));
    report.event(now, EventKind::State, "miners", text);
    let rung = ladder::rung_of(cfg, &phase);
    if let (Some(call), Some(rung)) = (next.call.as_mut(), rung) {
        call.rung = call.rung.max(Some(rung));
    }
    if row.from != row.to {
        tell(next, &phase, row, &watts, rung, now, report);
    }
}

fn tell(
    next: &mut SiteState,
    phase: &MinersPhase,
    row: Row,
    watts: &str,
    rung: Option<Rung>,
    now: &Moment,
    report: &mut Report,
) {
    match phase {
        MinersPhase::Curtailing { .. } => {
            let why: Vec<&str> = next.demand.reasons.iter().map(|r: &OffReason| r.sentence()).collect();
            let by = rung.map_or("", Rung::word);
            let text = format!("Miners going off by {by}: {}. {watts} drawn", why.join("; "));
            report.notice(now, Severity::Info, text);
        }
        MinersPhase::Curtailed { .. } => {
            if let Some(call) = next.call.as_mut().filter(|call| call.proven.is_none()) {
                call.proven = Some(*now);
                let is_ours = call.first_command.is_some() && !next.miners.proof_by_hand;
                next.drill.call_proven = if is_ours { Some(*now) } else { next.drill.call_proven };
                let took = now.since(&call.seen);
                report.notice(now, Severity::Info, format!("Miners proven off in {took}: {watts} measured"));
            }
        }
        MinersPhase::Resuming { .. } => report.notice(now, Severity::Info, format!("Miners resuming. {watts} drawn")),
        MinersPhase::Running => {
            next.call = None;
            next.miners.back_since = Some(*now);
            if row.from != "boot" {
                next.drill.resumed = Some(*now);
                report.notice(now, Severity::Info, format!("Miners running: {watts}"));
            }
        }
        // That the deadline passed is told by its alarm.
        MinersPhase::Boot | MinersPhase::Fault { .. } => {}
    }
}

/// The phase in words, with how long it holds.
fn describe(phase: &MinersPhase, now: &Moment) -> String {
    match phase {
        MinersPhase::Boot => "boot: waiting for every input to be read once".to_owned(),
        MinersPhase::Running => "running".to_owned(),
        MinersPhase::Curtailing { since, rung, .. } => {
            format!("curtailing by {} for {}", rung.word(), now.since(since))
        }
        MinersPhase::Curtailed { since } => format!("curtailed, proven off for {}", now.since(since)),
        MinersPhase::Resuming { group, .. } => format!("resuming, group {group}"),
        MinersPhase::Fault { since } => format!("fault, every rung in force for {}", now.since(since)),
    }
}
