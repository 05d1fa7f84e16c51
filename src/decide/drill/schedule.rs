//! When a drill is due, and what is told of drills that failed or are overdue. The site's day comes from the wall clock;
//! how long ago the last one was, from the boot clock where it can.

use crate::config::{Config, DrillSchedule, Mode};
use crate::decide::conditions::{Condition, warning};
use crate::model::SiteState;
use crate::units::{Moment, Seconds};

/// A drill that may not begin at its time is tried for so long on that day.
const WINDOW: Seconds = Seconds::minutes(120);
/// The last one may have begun so much later in its window than this one.
const EARLY: Seconds = Seconds::minutes(12 * 60);
/// A drill that passed is missed from so much later than due.
const OVERDUE_AFTER: Seconds = Seconds::minutes(2 * 24 * 60);

/// Notes since when there is a schedule.
pub(super) fn note(cfg: &Config, next: &mut SiteState, now: &Moment) {
    let known = next.drill.scheduled_since;
    next.drill.scheduled_since = cfg.drill.schedule.as_ref().map(|_| known.unwrap_or(*now));
}

/// Whether one is to begin now.
pub(super) fn is_due(cfg: &Config, next: &SiteState, now: &Moment) -> bool {
    let Some(schedule) = &cfg.drill.schedule else { return false };
    let is_long_ago = |tried: Moment| now.since(&tried) >= schedule.every.saturating_sub(EARLY);
    next.drill.tried.is_none_or(is_long_ago) && in_window(schedule, now)
}

/// Whether it is the time of day and one of the days.
fn in_window(schedule: &DrillSchedule, now: &Moment) -> bool {
    let Ok(at) = jiff::Timestamp::from_second(now.wall.0) else { return false };
    let local = at.to_zoned(schedule.zone.clone()).datetime();
    if !schedule.weekdays.contains(&local.date().weekday()) {
        return false;
    }
    let of_day = |time: jiff::civil::Time| {
        i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())
    };
    let past = of_day(local.time()).saturating_sub(of_day(schedule.at));
    u64::try_from(past).is_ok_and(|past| past < WINDOW.0)
}

/// A drill that failed, and one that has not passed for too long.
pub(in crate::decide) fn conditions(cfg: &Config, next: &SiteState, now: &Moment) -> Vec<Condition> {
    let drill = &next.drill;
    let mut found = Vec::new();
    if let Some(failure) = &drill.failed {
        let kind = if failure.is_dry { "The dry drill" } else { "The drill" };
        let text = format!(
            "{kind} failed: {}. `minectl drill --last` shows it; the next that passes clears this",
            failure.why
        );
        found.push(warning("drill failed", text));
    }
    let since = drill.passed.or(drill.scheduled_since);
    if let (Some(schedule), Some(since)) = (&cfg.drill.schedule, since)
        && cfg.mode == Mode::Live
        && now.since(&since) > schedule.every.plus(OVERDUE_AFTER)
    {
        let what = if drill.passed.is_some() { "passed" } else { "was ever made and passed" };
        let last = drill.last.as_ref().filter(|last| !last.why.is_empty());
        let why = drill.waits.clone().or_else(|| last.map(|last| format!("{} {}", last.verdict.word(), last.why)));
        let why = why.map_or(String::new(), |why| format!(" ({why})"));
        let text = format!("No drill {what} for {}; one is due every {}{why}", now.since(&since), schedule.every);
        found.push(warning("drill overdue", text));
    }
    found
}
