//! How the miners come back: after the times that a call must last, with fans first and proven, group by group, each
//! confirmed by rising watts before the next. In deep cold the first group warms the room with few fans, and the others
//! wait for the warmth.

use super::Report;
use super::budget;
use super::judge::{Inputs, Quality};
use super::miners::proven_fans;
use super::power::{half_a_group, power_is_known};
use crate::config::{Config, Mode};
use crate::model::{
    Asked, Band, EventKind, MinersPhase, OutletRef, Override, PowerMode, Setting, Severity, SiteState, Snapshot,
};
use crate::units::{Moment, Seconds, Watts};

/// Whether the times before a resume are served; else what is missing.
pub(super) fn waited(
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

/// Whether intake and fans allow the first group; else what is missing.
pub(super) fn ready(cfg: &Config, next: &SiteState, inputs: &Inputs, now: &Moment) -> Result<(), String> {
    intake_allows(cfg, inputs)?;
    if super::climate::rises(cfg, next, now) {
        return Err("the intake rises and would be hot before the next run".to_owned());
    }
    fans_allow(cfg, next, 1)
}

fn intake_allows(cfg: &Config, inputs: &Inputs) -> Result<(), String> {
    match inputs.intake {
        Quality::Good(t) if t > cfg.climate.resume_below => {
            Err(format!("the intake is at {t}, resume at or below {}", cfg.climate.resume_below))
        }
        Quality::Good(_) => Ok(()),
        Quality::Held(..) | Quality::Bad(_) => Err("the intake temperature was not read just now".to_owned()),
    }
}

/// Whether the proven fans allow this many groups.
fn fans_allow(cfg: &Config, next: &SiteState, groups: u32) -> Result<(), String> {
    let (proven, needed) = (proven_fans(next), fans_to_start(cfg, next));
    if proven < needed {
        return Err(format!("{proven} fans are proven running, {needed} are needed"));
    }
    let power = budget::power_of(cfg, next, groups);
    match next.demand.allowed {
        Some(allowed) if power > allowed => Err(format!(
            "the running fans cool {allowed}, {groups} of {} groups draw {power}",
            cfg.miners.resume_groups
        )),
        Some(_) | None => Ok(()),
    }
}

/// Whether the room is to be warmed by the first group.
pub(super) fn preheats(next: &SiteState) -> bool {
    let first = match next.miners.phase {
        MinersPhase::Resuming { group, .. } => group <= 1,
        MinersPhase::Curtailing { .. } | MinersPhase::Curtailed { .. } | MinersPhase::Fault { .. } => true,
        MinersPhase::Boot | MinersPhase::Running => false,
    };
    first && next.climate.band == Band::Cold
}

/// The fewest fans that must be proven running for a miner to be started.
pub(super) fn fans_to_start(cfg: &Config, next: &SiteState) -> usize {
    let before_resume = usize::from(cfg.fan_rules.before_resume);
    if preheats(next) {
        // A warm room is worth more than air: no more fans than the stage wants.
        return super::fans::fewest_while_drawing(cfg, next).min(before_resume).max(1);
    }
    before_resume
}

/// A lost state in a mine that is off, or must be: what is off now counts as switched off by us, else it would stay off
/// for ever. In a mine that runs, an outlet that is off has somebody's reason.
pub(super) fn take_over(next: &mut SiteState, snapshot: &Snapshot, now: &Moment) {
    for (name, pdu) in snapshot.pdus.iter().filter_map(|(name, pdu)| Some((name, pdu.as_ref().ok()?))) {
        let off = pdu.outlets.iter().filter(|(_, outlet)| outlet.on == Ok(false));
        next.miners.cut.extend(off.map(|(id, _)| OutletRef { pdu: name.clone(), outlet: id.clone() }));
    }
    let listed = snapshot.foreman.iter().flat_map(|foreman| &foreman.miners);
    for miner in listed.filter(|miner| miner.mode == Some(PowerMode::Sleeping)) {
        next.miners.asked.entry(miner.id).or_insert_with(|| asleep(now));
    }
}

/// A lost state in a mine that runs: the miners that Foreman lists asleep count as put to sleep by us, as soon as its list
/// can be read, and are woken. Power stays on at a sleeping miner, so nobody is at work on it as on an outlet.
pub(super) fn wake_the_forgotten(next: &mut SiteState, snapshot: &Snapshot, now: &Moment, report: &mut Report) {
    let Ok(foreman) = &snapshot.foreman else { return };
    // A list without modes tells nothing: then all are woken with the next resume.
    let tells = foreman.miners.iter().any(|miner| miner.mode.is_some());
    if !next.miners.forgotten || next.miners.phase != MinersPhase::Running || !tells {
        return;
    }
    next.miners.forgotten = false;
    let sleeping = foreman.miners.iter().filter(|miner| miner.mode == Some(PowerMode::Sleeping));
    let found: Vec<u64> = sleeping.map(|miner| miner.id).filter(|id| !next.miners.asked.contains_key(id)).collect();
    if found.is_empty() {
        return;
    }
    // What those draw that are awake tells what all will draw: their fans come first.
    let listed = foreman.miners.len() as f64;
    let awake = foreman.miners.iter().filter(|miner| miner.mode != Some(PowerMode::Sleeping)).count() as f64;
    for (pdu, watts) in next.miners.pdu_watts.iter().filter(|_| awake > 0.0) {
        let all = Watts::new(watts.value() * listed / awake).unwrap_or(*watts);
        next.miners.baselines.insert(pdu.clone(), all);
    }
    let text = format!("{} miners are asleep and nothing is remembered of it: they are woken", found.len());
    report.event(now, EventKind::State, "miners", text.clone());
    report.notice(now, Severity::Info, text);
    next.miners.asked.extend(found.into_iter().map(|id| (id, asleep(now))));
}

fn asleep(now: &Moment) -> Asked {
    let before = PowerMode::Normal;
    Asked {
        mode: PowerMode::Sleeping,
        at: *now,
        command: None,
        status: None,
        before,
        sleeps_on: false,
        presumed: true,
        wakes: 0,
    }
}

/// The fans to start before the next group: the fewest that it needs, and as many as its power needs.
pub(super) fn fans_wanted_to_start(cfg: &Config, next: &SiteState) -> usize {
    let groups = match next.miners.phase {
        MinersPhase::Resuming { group, .. } => group.saturating_add(1),
        MinersPhase::Running => cfg.miners.resume_groups,
        MinersPhase::Boot
        | MinersPhase::Curtailing { .. }
        | MinersPhase::Curtailed { .. }
        | MinersPhase::Fault { .. } => 1,
    };
    let power = budget::power_of(cfg, next, groups.min(cfg.miners.resume_groups));
    fans_to_start(cfg, next).max(budget::fans_for(cfg, next, power))
}

pub(super) fn begin(
    cfg: &Config,
    next: &mut SiteState,
    inputs: &Inputs,
    snapshot: &Snapshot,
    now: &Moment,
) -> MinersPhase {
    let watts_before = next.miners.watts.unwrap_or_else(|| inputs.known_watts());
    // What outlets were told up to now was said on the way down.
    next.miners.outlets_told.clear();
    // In observe mode others switch, and nothing of theirs is remembered.
    let nothing = next.miners.asked.is_empty() && next.miners.cut.is_empty();
    let forgotten = std::mem::take(&mut next.miners.forgotten);
    if (nothing || forgotten) && cfg.mode == Mode::Live {
        // What was switched off is not remembered (a lost state): every miner that may be commanded is woken.
        let miners = snapshot.foreman.iter().flat_map(|f| &f.miners);
        for miner in miners {
            next.miners.asked.entry(miner.id).or_insert_with(|| asleep(now));
        }
    }
    next.miners.shed_groups = 0;
    MinersPhase::Resuming { since: *now, group: 1, group_since: *now, watts_before }
}

/// The group that is being started.
pub(super) struct Group {
    pub(super) since: Moment,
    pub(super) number: u32,
    pub(super) group_since: Moment,
    pub(super) watts_before: Watts,
}

/// How a resume goes on.
pub(super) enum GoOn {
    Wait,
    Next(MinersPhase),
    Done,
}

/// Goes on to the next group when this one shows its watts or its time is over, and intake and fans allow it.
pub(super) fn go_on(
    cfg: &Config,
    next: &mut SiteState,
    inputs: &Inputs,
    at: &Group,
    now: &Moment,
    report: &mut Report,
) -> GoOn {
    let groups = cfg.miners.resume_groups;
    let share = half_a_group(cfg, next);
    let watts = inputs.miner_watts();
    if cfg.mode == Mode::Observe && watts.is_some_and(|w| w >= cfg.miners.on_above) {
        return GoOn::Done;
    }
    let risen = watts.is_some_and(|w| w.value() >= at.watts_before.value() + share);
    let waited = now.since(&at.group_since);
    // With what they draw forgotten, no watts show that all of a group is there: then each has its whole time.
    if !(risen && power_is_known(cfg, next)) && waited < cfg.miners.group_limit {
        return GoOn::Wait;
    }
    if at.number >= groups {
        tell_missing(cfg, at, watts, risen, now, report);
        return GoOn::Done;
    }
    if let Err(why) = next_group_allowed(cfg, next, inputs, at, now) {
        let too_few = fans_allow(cfg, next, at.number.saturating_add(1)).is_err();
        if too_few && waited >= cfg.miners.group_limit {
            next.miners.shed_groups = groups.saturating_sub(at.number);
            next.miners.shed_since = Some(*now);
            report.event(
                now,
                EventKind::State,
                "miners",
                format!("{} groups stay off: {why}", next.miners.shed_groups),
            );
            return GoOn::Done;
        }
        report.why("miners", format!("group {} of {groups} waits: {why}", at.number.saturating_add(1)));
        return GoOn::Wait;
    }
    tell_missing(cfg, at, watts, risen, now, report);
    let watts_before = watts.unwrap_or(at.watts_before);
    let group = at.number.saturating_add(1);
    GoOn::Next(MinersPhase::Resuming { since: at.since, group, group_since: *now, watts_before })
}

fn next_group_allowed(cfg: &Config, next: &SiteState, inputs: &Inputs, at: &Group, now: &Moment) -> Result<(), String> {
    // What runs may run up to `shed_above`; only a start waits for `resume_below`.
    if !matches!(inputs.intake, Quality::Good(_)) {
        return Err("the intake temperature was not read just now".to_owned());
    }
    if preheats(next) && now.since(&at.group_since) < cfg.climate.preheat_limit {
        let shown = next.climate.intake.map_or("unknown".to_owned(), |t| t.to_string());
        return Err(format!("the first group warms the room: intake {shown}, wanted {}", cfg.climate.resume_min));
    }
    fans_allow(cfg, next, at.number.saturating_add(1))
}

/// A group that does not return is told, and is no reason to stop.
fn tell_missing(cfg: &Config, at: &Group, watts: Option<Watts>, risen: bool, now: &Moment, report: &mut Report) {
    if risen {
        return;
    }
    let shown = watts.map_or("unknown power".to_owned(), |w| w.to_string());
    let text = format!(
        "Group {} of {} did not come back within {}: {shown} from {}",
        at.number, cfg.miners.resume_groups, cfg.miners.group_limit, at.watts_before
    );
    report.event(now, EventKind::Alarm, "miners", text.clone());
    report.notice(now, Severity::Warning, text);
}
