//! Alarms: conditions that last. Each is told when it is raised, again while it stands (a warning ever more slowly, an
//! emergency steadily until someone acknowledges it), and once when it is over. A warning that comes and goes is told as
//! flapping, once, and then again when that ends: when it stays, or stays away, for three times as long as it lay between two
//! raises, which is 1 h at least and 6 h at most. An emergency never flaps: each raise is told.
//!
//! | from | to | when |
//! | --- | --- | --- |
//! | none | standing | its condition holds |
//! | none | flapping | a warning's condition holds for the third time within 1 h, or the sixth within 1 d |
//! | standing, acknowledged | gone | its condition does not hold |
//! | standing | acknowledged | a person acknowledges it: no more reminders |
//! | acknowledged, gone | standing | its severity rises |
//! | standing, acknowledged | standing, acknowledged | less grave at its next reminder: it counts as such from then on |
//! | gone | standing, acknowledged | its condition holds again before it is over: the same alarm |
//! | gone | none | its condition has not held for 3 min |
//! | flapping | quiet | its condition does not hold |
//! | quiet | flapping | its condition holds again |
//! | flapping, quiet | standing | its severity rises |
//! | flapping, quiet | standing, acknowledged | it has stood for its time without a break of 3 min |
//! | quiet | none | its condition has not held for its time |

use super::Report;
use super::conditions::Condition;
use super::table::table;
use crate::config::Config;
use crate::model::{Alarm, EventKind, Severity, SiteState};
use crate::units::{Moment, Seconds};

/// A condition must be gone for this long before its alarm is over: one that comes and goes is one alarm.
const OVER_AFTER: Seconds = Seconds(180);
/// The longest time between two reminders of a warning.
const REMINDER_MAX: Seconds = Seconds(7 * 86_400);
/// A warning that is raised [`FLAPPING_RAISES`] times within this flaps.
const FLAPPING_TIME: Seconds = Seconds(3600);
/// See [`FLAPPING_TIME`].
const FLAPPING_RAISES: usize = 3;
/// So does one that is raised [`FLAPPING_RAISES_SLOW`] times within this: each time it would be a message, and its end another.
const FLAPPING_TIME_SLOW: Seconds = Seconds(86_400);
/// See [`FLAPPING_TIME_SLOW`].
const FLAPPING_RAISES_SLOW: usize = 6;
/// One that flaps is told again after so many times the span between two raises, within [`FLAPPING_TIME`] and this.
const SPANS: u64 = 3;
/// See [`SPANS`].
const QUIET_MAX: Seconds = Seconds(6 * 3600);
/// Raises of one alarm that are remembered, and of which there is an event within [`FLAPPING_TIME`].
const RAISES_MAX: usize = 10;

table! {
    RAISED = "none", "standing", "its condition holds";
    TOO_OFTEN = "none", "flapping", "a warning's condition holds for the third time within 1 h, or the sixth within 1 d";
    NOT_HOLDING = "standing, acknowledged", "gone", "its condition does not hold";
    ACKNOWLEDGED = "standing", "acknowledged", "a person acknowledges it: no more reminders";
    WORSE = "acknowledged, gone", "standing", "its severity rises";
    LESS = "standing, acknowledged", "standing, acknowledged", "less grave at its next reminder: it counts as such from then on";
    SAME = "gone", "standing, acknowledged", "its condition holds again before it is over: the same alarm";
    OVER = "gone", "none", "its condition has not held for 3 min";
    QUIET = "flapping", "quiet", "its condition does not hold";
    BACK = "quiet", "flapping", "its condition holds again";
    FLAPPING_WORSE = "flapping, quiet", "standing", "its severity rises";
    STAYS = "flapping, quiet", "standing, acknowledged", "it has stood for its time without a break of 3 min";
    FLAPPING_OVER = "quiet", "none", "its condition has not held for its time";
}

/// Whether an alarm stands: its condition held just now, or is not gone for long enough to be over.
pub(super) fn stands(next: &SiteState, id: &str, now: &Moment) -> bool {
    let gone = next.alarms.get(id).map(|alarm| alarm.gone);
    gone.is_some_and(|gone| gone.is_none_or(|since| now.since(&since) < OVER_AFTER))
}

/// Compares the conditions that hold with the standing alarms.
pub(super) fn step(cfg: &Config, next: &mut SiteState, holding: Vec<Condition>, now: &Moment, report: &mut Report) {
    for raised in next.raised.values_mut() {
        raised.retain(|at| now.since(at) < FLAPPING_TIME_SLOW);
    }
    next.raised.retain(|_, raised| !raised.is_empty());
    let gone: Vec<String> =
        next.alarms.keys().filter(|id| !holding.iter().any(|condition| condition.id == **id)).cloned().collect();
    for id in gone {
        end(next, id, now, report);
    }
    for condition in holding {
        hold(cfg, next, condition, now, report);
    }
}

/// Notes that an alarm's condition does not hold; takes the alarm away when that lasts.
fn end(next: &mut SiteState, id: String, now: &Moment, report: &mut Report) {
    let Some(alarm) = next.alarms.get_mut(&id) else { return };
    let since = *alarm.gone.get_or_insert(*now);
    let raises = next.raised.get(&id).map(Vec::as_slice).unwrap_or_default();
    let limit = if alarm.flapping { flapping_time(raises) } else { OVER_AFTER };
    if now.since(&since) < limit {
        return;
    }
    let Some(alarm) = next.alarms.remove(&id) else { return };
    let text = if alarm.flapping {
        // The count begins anew.
        next.raised.remove(&id);
        format!("Over, no longer flapping: quiet for {}: {}", now.since(&since), alarm.text)
    } else {
        format!("Over after {}: {}", now.since(&alarm.since), alarm.text)
    };
    report.event(now, EventKind::Alarm, &id, text.clone());
    report.notice(now, Severity::Info, text);
}

/// Raises an alarm, or reminds of one that stands.
fn hold(cfg: &Config, next: &mut SiteState, condition: Condition, now: &Moment, report: &mut Report) {
    match next.alarms.get_mut(&condition.id) {
        None => raise(next, condition, now, report),
        Some(alarm) if condition.severity > alarm.severity => {
            tell_raised(&condition, now, report);
            *alarm = Alarm { since: alarm.since, ..raised(&condition, now) };
        }
        Some(alarm) if alarm.flapping => {
            flap(alarm, next.raised.entry(condition.id.clone()).or_default(), condition, now, report)
        }
        Some(alarm) => remind(cfg, alarm, condition, now, report),
    }
}

/// A new alarm; flapping when it is a warning that was raised too often within the hour.
fn raise(next: &mut SiteState, condition: Condition, now: &Moment, report: &mut Report) {
    let raises = next.raised.entry(condition.id.clone()).or_default();
    note_raise(raises, now);
    let often = too_often(raises, now).filter(|_| condition.severity != Severity::Emergency);
    let flapping = often.is_some();
    if let Some(often) = often {
        let (id, text) = (&condition.id, &condition.text);
        report.event(now, EventKind::Alarm, id, format!("flapping, raised {often}: {text}"));
        let quiet = flapping_time(raises);
        let text =
            format!("Flapping: `{id}` came and went {often}; told again when it stays or is quiet for {quiet}. {text}");
        report.notice(now, condition.severity, text);
    } else {
        tell_raised(&condition, now, report);
    }
    let alarm = Alarm { flapping, ..raised(&condition, now) };
    next.alarms.insert(condition.id, alarm);
}

fn tell_raised(condition: &Condition, now: &Moment, report: &mut Report) {
    let Condition { id, severity, text, .. } = condition;
    report.event(now, EventKind::Alarm, id, format!("{}: {text}", severity.word()));
    report.notice(now, *severity, text.clone());
}

fn raised(condition: &Condition, now: &Moment) -> Alarm {
    Alarm {
        severity: condition.severity,
        text: condition.text.clone(),
        since: *now,
        told: *now,
        times_told: 1,
        acknowledged_by: None,
        gone: None,
        flapping: false,
    }
}

/// How often it was raised, in words, when that is too often.
fn too_often(raises: &[Moment], now: &Moment) -> Option<String> {
    let lately = within_the_hour(raises, now);
    if lately >= FLAPPING_RAISES {
        return Some(format!("{lately} times in an hour"));
    }
    (raises.len() >= FLAPPING_RAISES_SLOW).then(|| format!("{} times in a day", raises.len()))
}

fn within_the_hour(raises: &[Moment], now: &Moment) -> usize {
    raises.iter().filter(|at| now.since(at) < FLAPPING_TIME).count()
}

/// How long what was raised so must stay, or stay away, to be told again.
fn flapping_time(raises: &[Moment]) -> Seconds {
    let spans = u64::try_from(raises.len().saturating_sub(1)).unwrap_or(0);
    let all = raises.first().zip(raises.last()).map_or(Seconds(0), |(first, last)| last.since(first));
    let time = all.0.saturating_mul(SPANS).checked_div(spans).unwrap_or(0);
    Seconds(time).clamp(FLAPPING_TIME, QUIET_MAX)
}

/// Remembers a raise; returns whether there was room for it within the hour.
fn note_raise(raises: &mut Vec<Moment>, now: &Moment) -> bool {
    let has_room = within_the_hour(raises, now) < RAISES_MAX;
    if has_room {
        let over = raises.len().saturating_add(1).saturating_sub(RAISES_MAX);
        raises.drain(..over);
        raises.push(*now);
    }
    has_room
}

/// A flapping alarm holds: it is quiet about it until it has stood for long enough to be an alarm like any other.
fn flap(alarm: &mut Alarm, raises: &mut Vec<Moment>, condition: Condition, now: &Moment, report: &mut Report) {
    let Condition { id, severity, text, .. } = condition;
    alarm.text = text;
    let quiet = alarm.gone.take().map(|gone| now.since(&gone)).filter(|quiet| *quiet >= OVER_AFTER);
    if let Some(quiet) = quiet {
        alarm.since = *now;
        if note_raise(raises, now) {
            report.event(now, EventKind::Alarm, &id, format!("flapping, back after {quiet}: {}", alarm.text));
        }
    }
    let standing = now.since(&alarm.since);
    if standing < flapping_time(raises) {
        return;
    }
    alarm.flapping = false;
    raises.clear();
    (alarm.told, alarm.times_told) = (*now, 1);
    let text = format!("No longer flapping, stands for {standing}: {}", alarm.text);
    report.event(now, EventKind::Alarm, &id, text.clone());
    if alarm.acknowledged_by.is_none() {
        report.notice(now, severity, text);
    }
}

fn remind(cfg: &Config, alarm: &mut Alarm, condition: Condition, now: &Moment, report: &mut Report) {
    let Condition { id, severity, text, reminder } = condition;
    alarm.text = text;
    alarm.gone = None;
    let after = reminder.unwrap_or_else(|| by_severity(cfg, alarm));
    // What has become less grave counts as such from the next reminder on: until then it may rise again.
    if now.since(&alarm.told) >= after && alarm.severity != severity {
        alarm.severity = severity;
        report.event(now, EventKind::Alarm, &id, format!("{} now: {}", severity.word(), alarm.text));
    }
    if alarm.acknowledged_by.is_none() && now.since(&alarm.told) >= after {
        let standing = now.since(&alarm.since);
        report.notice(now, severity, format!("{} (for {standing}; `minectl ack {id}` stops reminders)", alarm.text));
        alarm.told = *now;
        alarm.times_told = alarm.times_told.saturating_add(1);
    }
}

fn by_severity(cfg: &Config, alarm: &Alarm) -> Seconds {
    match alarm.severity {
        Severity::Emergency => cfg.notify.emergency_reminder,
        Severity::Warning | Severity::Info | Severity::Heartbeat => {
            let doublings = alarm.times_told.saturating_sub(1).min(10);
            Seconds(cfg.notify.warning_reminder.0.saturating_mul(1 << doublings)).min(REMINDER_MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::config::parse;
    use crate::decide::conditions::{emergency, warning};
    use crate::units::{BootId, UnixSeconds};

    /// Where an alarm is in the table.
    fn life(alarm: Option<&Alarm>) -> &'static str {
        match alarm {
            None => "none",
            Some(alarm) if alarm.flapping && alarm.gone.is_some() => "quiet",
            Some(alarm) if alarm.flapping => "flapping",
            Some(alarm) if alarm.gone.is_some() => "gone",
            Some(alarm) if alarm.acknowledged_by.is_some() => "acknowledged",
            Some(_) => "standing",
        }
    }

    /// Numbers that look random and are the same each time.
    fn numbers() -> impl FnMut(u64) -> u64 {
        let mut seed = 7_u64;
        move |below| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        }
    }

    #[test]
    fn an_alarm_goes_by_the_table_and_every_row_of_it_happens() {
        let cfg = parse(include_str!("../../config.txt"), "config.txt", Path::new("/nowhere")).unwrap();
        let mut now = Moment { wall: UnixSeconds(1_790_000_000), boot: BootId(1), up: Seconds(1000) };
        let mut next = SiteState::boot(now);
        let mut random = numbers();
        let mut seen = BTreeSet::new();
        let mut holds = false;
        for _ in 0..50_000 {
            let wait = Seconds([5, 60, 179, 180, 1300][usize::try_from(random(5)).unwrap()]);
            (now.wall, now.up) = (now.wall.plus(wait), Seconds(now.up.0 + wait.0));
            if random(12) == 0 {
                let before = life(next.alarms.get("a"));
                let Some(alarm) = next.alarms.get_mut("a") else { continue };
                alarm.acknowledged_by = Some("owner".to_owned());
                seen.insert((before, life(next.alarms.get("a"))));
            }
            holds ^= random(4) == 0;
            let of = if random(40) == 0 { emergency } else { warning };
            let holding = if holds { vec![of("a".to_owned(), "text".to_owned())] } else { Vec::new() };
            let before = life(next.alarms.get("a"));
            step(&cfg, &mut next, holding, &now, &mut Report::default());
            seen.insert((before, life(next.alarms.get("a"))));
        }
        let goes = |row: &crate::decide::table::Row, (from, to): &(&str, &str)| {
            row.from.split(", ").any(|state| state == *from) && row.to.split(", ").any(|state| state == *to)
        };
        let unknown: Vec<_> =
            seen.iter().filter(|(from, to)| from != to && !TABLE.iter().any(|row| goes(row, &(from, to)))).collect();
        assert!(unknown.is_empty(), "not in the table: {unknown:?}");
        let never: Vec<_> = TABLE.iter().filter(|row| !seen.iter().any(|pair| goes(row, pair))).collect();
        assert!(never.is_empty(), "never happens: {never:?}");
    }
}
