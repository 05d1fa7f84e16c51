//! The miners machine: where the miners stand, proven by measured watts.
//!
//! | from | to | when |
//! | --- | --- | --- |
//! | boot | curtailing | a reason to be off holds |
//! | boot | running, curtailed | every required input was read once; by watts |
//! | running | curtailing | a reason to be off holds |
//! | curtailing | curtailed | measured watts at or below `off_below` |
//! | curtailing | resuming | no reason for `resume_after`, never proven, and the fans are proven |
//! | curtailed | curtailing | watts above `off_below` while a reason holds, or the proof stays lost for `foreman_limit` |
//! | curtailed | running | watts at or above `on_above` while none holds: a person started them |
//! | curtailed | resuming | no reason for `resume_after`, `min_off` served, intake within limits, fans proven |
//! | resuming | curtailing | a reason to be off holds |
//! | resuming | running | the last group has shown its watts or its time is over |

use super::Report;
use super::judge::{Inputs, Quality};
use crate::config::{Config, Mode};
use crate::model::{
    Asked, Call, EventKind, FaultKind, MinersPhase, OffReason, Override, PowerMode, Rung, Score, Setting, Severity,
    SiteState, Snapshot,
};
use crate::units::{Moment, Seconds, Watts};

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
    let watts = inputs.miner_watts();
    next.miners.watts = watts;
    next.miners.proof_by_hand = overrides.iter().any(|over| matches!(over.setting, Setting::MinerWatts { .. }));
    let proven_now = watts.is_some_and(|w| w <= cfg.miners.off_below);
    next.miners.proven_off = if proven_now { next.miners.proven_off.or(Some(*now)) } else { None };

    let before = next.miners.phase.clone();
    let off = !next.demand.reasons.is_empty();
    let mut preparing = false;
    let phase = match before.clone() {
        MinersPhase::Boot if off => enter_curtailing(next, inputs, snapshot, now),
        MinersPhase::Boot => adopt(cfg, next, watts, now),
        MinersPhase::Running if off => enter_curtailing(next, inputs, snapshot, now),
        MinersPhase::Running => MinersPhase::Running,
        MinersPhase::Curtailing { .. } if proven_now => MinersPhase::Curtailed { since: *now },
        MinersPhase::Curtailing { since, rung, rung_since } if off => {
            climb(cfg, since, rung, rung_since, snapshot, now)
        }
        phase @ MinersPhase::Curtailing { .. } => {
            preparing = true;
            if ready(cfg, next, inputs, overrides, now).is_ok() {
                begin_resume(next, inputs, snapshot, now)
            } else {
                phase
            }
        }
        // What is measured is a lower bound: a PDU that cannot be read does not hide the others.
        MinersPhase::Curtailed { .. } if off && inputs.known_watts() > cfg.miners.off_below => {
            enter_curtailing(next, inputs, snapshot, now)
        }
        // Proof that stays lost is no proof: the ladder is climbed again, blindly where nothing can be read.
        MinersPhase::Curtailed { .. } if off && proof_lost_for(next, now) >= cfg.miners.foreman_limit => {
            enter_curtailing(next, inputs, snapshot, now)
        }
        phase @ MinersPhase::Curtailed { .. } if off => phase,
        MinersPhase::Curtailed { .. } if watts.is_some_and(|w| w >= cfg.miners.on_above) => MinersPhase::Running,
        MinersPhase::Curtailed { since } => {
            let waited = waited(cfg, next, overrides, &since, now);
            preparing = waited.is_ok();
            match waited.and_then(|()| ready(cfg, next, inputs, overrides, now)) {
                Ok(()) => begin_resume(next, inputs, snapshot, now),
                Err(why) => {
                    report.why("miners", format!("resume waits: {why}"));
                    MinersPhase::Curtailed { since }
                }
            }
        }
        MinersPhase::Resuming { .. } if off => enter_curtailing(next, inputs, snapshot, now),
        MinersPhase::Resuming { since, group, group_since, watts_before } => {
            preparing = true;
            resume(cfg, next, inputs, (since, group, group_since, watts_before), now, report)
        }
    };
    next.miners.phase = phase;
    conclude(next, &before, now, report);
    preparing
}

/// How long it could not be shown that the miners are off, by the alarm that says so.
fn proof_lost_for(next: &SiteState, now: &Moment) -> Seconds {
    let lost = next.alarms.get("miners unproven").filter(|alarm| alarm.gone.is_none());
    lost.filter(|_| next.miners.proven_off.is_none()).map_or(Seconds(0), |alarm| now.since(&alarm.since))
}

/// Whether the miners are on their way, so that another pass within this run makes sense.
pub(super) fn in_transition(next: &SiteState) -> bool {
    match next.miners.phase {
        MinersPhase::Curtailing { .. } | MinersPhase::Resuming { .. } => true,
        MinersPhase::Boot | MinersPhase::Running | MinersPhase::Curtailed { .. } => false,
    }
}

/// The first step off: Foreman, or the outlets at once when Foreman cannot be reached.
fn enter_curtailing(next: &mut SiteState, inputs: &Inputs, snapshot: &Snapshot, now: &Moment) -> MinersPhase {
    let rung = if foreman_unreachable(snapshot) { Rung::Outlets } else { Rung::Foreman };
    let reasons = next.demand.reasons.clone();
    let seen = next.demand.since;
    let call = next.call.get_or_insert_with(|| Call {
        seen,
        first_command: None,
        watts_before: inputs.miner_watts(),
        proven: None,
        rung: None,
        reasons: reasons.clone(),
        score: Score::default(),
    });
    call.reasons.extend(reasons);
    call.rung = call.rung.max(Some(rung));
    // What was asked before this moment proves nothing now: ask again.
    for asked in next.miners.asked.values_mut() {
        asked.command = None;
        asked.status = None;
    }
    MinersPhase::Curtailing { since: *now, rung, rung_since: *now }
}

/// The next rung when this one's time is over or it cannot be reached. A rung is never climbed down.
fn climb(
    cfg: &Config,
    since: Moment,
    rung: Rung,
    rung_since: Moment,
    snapshot: &Snapshot,
    now: &Moment,
) -> MinersPhase {
    let over = now.since(&rung_since) >= cfg.miners.foreman_limit;
    match rung {
        Rung::Foreman if over || foreman_unreachable(snapshot) => {
            MinersPhase::Curtailing { since, rung: Rung::Outlets, rung_since: *now }
        }
        Rung::Foreman | Rung::Outlets => MinersPhase::Curtailing { since, rung, rung_since },
    }
}

/// Whether Foreman gives nothing to work with: no answer at all, or no miner that we may command.
fn foreman_unreachable(snapshot: &Snapshot) -> bool {
    match &snapshot.foreman {
        Ok(reading) => reading.miners.is_empty(),
        Err(fault) => match fault.kind {
            FaultKind::Unreachable
            | FaultKind::TimedOut
            | FaultKind::Broken
            | FaultKind::Refused
            | FaultKind::Status
            | FaultKind::Unreadable
            | FaultKind::WrongDevice
            | FaultKind::Missing
            | FaultKind::OutOfRange
            | FaultKind::Stale
            | FaultKind::NotObeyed => true,
        },
    }
}

/// Boot: takes over what is observed once every required input was read; until then nothing is assumed.
fn adopt(cfg: &Config, next: &SiteState, watts: Option<Watts>, now: &Moment) -> MinersPhase {
    let signal_read = next.signal.last_good.is_some();
    match watts {
        Some(w) if signal_read && next.climate.trusted.is_some() => {
            if w <= cfg.miners.off_below {
                MinersPhase::Curtailed { since: *now }
            } else {
                MinersPhase::Running
            }
        }
        Some(_) | None => MinersPhase::Boot,
    }
}

/// Whether the times before a resume are served; else what is missing.
fn waited(
    cfg: &Config,
    next: &SiteState,
    overrides: &[Override],
    off_since: &Moment,
    now: &Moment,
) -> Result<(), String> {
    let asked_for = overrides.iter().any(|over| matches!(over.setting, Setting::Miners { on: true, .. }));
    if asked_for {
        return Ok(());
    }
    let left = |limit: Seconds, since: &Moment| limit.saturating_sub(now.since(since));
    let off = left(cfg.miners.min_off, off_since);
    if off.0 > 0 {
        return Err(format!("off for at least {}, {off} left", cfg.miners.min_off));
    }
    let dwell = left(cfg.miners.resume_after, &next.demand.since);
    if dwell.0 > 0 {
        return Err(format!("miners may run for {} first, {dwell} left", cfg.miners.resume_after));
    }
    Ok(())
}

/// Whether intake and fans allow a start; else what is missing.
fn ready(cfg: &Config, next: &SiteState, inputs: &Inputs, overrides: &[Override], now: &Moment) -> Result<(), String> {
    if let MinersPhase::Curtailing { since, .. } = &next.miners.phase {
        waited(cfg, next, overrides, since, now)?;
    }
    match inputs.intake {
        Quality::Good(t) if t > cfg.climate.resume_below => {
            return Err(format!("the intake is at {t}, resume at or below {}", cfg.climate.resume_below));
        }
        Quality::Good(t) if t < cfg.climate.resume_min => {
            return Err(format!("the intake is at {t}, resume at or above {}", cfg.climate.resume_min));
        }
        Quality::Good(_) => {}
        Quality::Held(..) | Quality::Bad(_) => return Err("the intake temperature was not read just now".to_owned()),
    }
    let proven = proven_fans(next);
    if proven < usize::from(cfg.fan_rules.before_resume) {
        return Err(format!("{proven} fans are proven running, {} are needed", cfg.fan_rules.before_resume));
    }
    Ok(())
}

/// Fans that are proven running by fresh measured watts in this pass; watts set by hand prove nothing.
pub(super) fn proven_fans(next: &SiteState) -> usize {
    next.fans.values().filter(|fan| fan.proven == Some(true) && !fan.watts_by_hand).count()
}

fn begin_resume(next: &mut SiteState, inputs: &Inputs, snapshot: &Snapshot, now: &Moment) -> MinersPhase {
    let watts_before = next.miners.watts.unwrap_or_else(|| inputs.known_watts());
    if next.miners.asked.is_empty() && next.miners.cut.is_empty() {
        // What was switched off is not remembered (a lost state): every miner that may be commanded is woken.
        let asleep =
            |_| Asked { mode: PowerMode::Sleeping, at: *now, command: None, status: None, before: PowerMode::Normal };
        let miners = snapshot.foreman.iter().flat_map(|f| &f.miners);
        next.miners.asked = miners.map(|miner| (miner.id, asleep(miner.id))).collect();
    }
    MinersPhase::Resuming { since: *now, group: 1, group_since: *now, watts_before }
}

/// Goes on to the next group when this one shows its watts or its time is over.
fn resume(
    cfg: &Config,
    next: &mut SiteState,
    inputs: &Inputs,
    (since, group, group_since, watts_before): (Moment, u32, Moment, Watts),
    now: &Moment,
    report: &mut Report,
) -> MinersPhase {
    let groups = cfg.miners.resume_groups;
    // Half of a group's share proves it: some miners of every group take longer, and some never come back.
    let all = next.call.as_ref().and_then(|call| call.watts_before).unwrap_or(cfg.miners.on_above);
    let share = all.value() / f64::from(groups.max(1)) / 2.0;
    let watts = inputs.miner_watts();
    let risen = watts.is_some_and(|w| w.value() >= watts_before.value() + share);
    let seen_by_hand = cfg.mode == Mode::Observe && watts.is_some_and(|w| w >= cfg.miners.on_above);
    let over = now.since(&group_since) >= cfg.miners.group_limit;
    if over && !risen && !seen_by_hand {
        let shown = watts.map_or("unknown power".to_owned(), |w| w.to_string());
        let limit = cfg.miners.group_limit;
        let text = format!("Group {group} of {groups} did not come back within {limit}: {shown} from {watts_before}");
        report.event(now, EventKind::Alarm, "miners", text.clone());
        report.notice(now, Severity::Warning, text);
    }
    if seen_by_hand || ((risen || over) && group >= groups) {
        return MinersPhase::Running;
    }
    if risen || over {
        let watts_before = watts.unwrap_or(watts_before);
        return MinersPhase::Resuming { since, group: group.saturating_add(1), group_since: *now, watts_before };
    }
    MinersPhase::Resuming { since, group, group_since, watts_before }
}

/// Tells of a change and keeps the record of the call.
fn conclude(next: &mut SiteState, before: &MinersPhase, now: &Moment, report: &mut Report) {
    let watts = next.miners.watts.map_or("unknown power".to_owned(), |w| w.to_string());
    let phase = next.miners.phase.clone();
    report.why("miners", format!("{}, {watts}", describe(&phase, now)));
    if before.word() != phase.word() || rung(before) != rung(&phase) || group(before) != group(&phase) {
        let text = format!("{} → {}, {watts}", describe(before, now), describe(&phase, now));
        report.event(now, EventKind::State, "miners", text);
    }
    if let (Some(call), Some(rung)) = (next.call.as_mut(), rung(&phase)) {
        call.rung = call.rung.max(Some(rung));
    }
    if before.word() == phase.word() {
        return;
    }
    match &phase {
        MinersPhase::Curtailing { rung, .. } => {
            let why: Vec<&str> = next.demand.reasons.iter().map(|r: &OffReason| r.sentence()).collect();
            let text = format!("Miners going off by {}: {}. {watts} drawn", rung.word(), why.join("; "));
            report.notice(now, Severity::Info, text);
        }
        MinersPhase::Curtailed { .. } => {
            if let Some(call) = next.call.as_mut().filter(|call| call.proven.is_none()) {
                call.proven = Some(*now);
                let took = now.since(&call.seen);
                report.notice(now, Severity::Info, format!("Miners proven off in {took}: {watts} measured"));
            }
        }
        MinersPhase::Resuming { .. } => report.notice(now, Severity::Info, format!("Miners resuming. {watts} drawn")),
        MinersPhase::Running => {
            next.call = None;
            if before.word() != "boot" {
                report.notice(now, Severity::Info, format!("Miners running: {watts}"));
            }
        }
        MinersPhase::Boot => {}
    }
}

fn rung(phase: &MinersPhase) -> Option<Rung> {
    if let MinersPhase::Curtailing { rung, .. } = phase { Some(*rung) } else { None }
}

fn group(phase: &MinersPhase) -> Option<u32> {
    if let MinersPhase::Resuming { group, .. } = phase { Some(*group) } else { None }
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
    }
}
