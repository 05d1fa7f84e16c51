//! What is looked at once in a run, before its first pass: whether runs were missed or doubled, and whether the clock
//! moved.

use super::Report;
use crate::config::Config;
use crate::model::{Event, EventKind, Notice, Severity, SiteState};
use crate::units::{Moment, Seconds, UnixSeconds};

/// Wall and boot clock may differ by this much between two runs before it is told.
const CLOCK_MOVED: Seconds = Seconds(90);

/// Notes the beginning of a run in `state`; returns what there is to tell.
pub fn begin_run(cfg: &Config, state: &mut SiteState, now: &Moment) -> (Vec<Event>, Vec<Notice>) {
    let mut report = Report::default();
    if let Some(last) = state.last_run {
        let gap = now.since(&last);
        let interval = cfg.loop_interval;
        if last.boot != now.boot {
            let text = format!("the machine was started anew; last run {gap} ago by the wall clock");
            report.event(now, EventKind::Program, "run", text.clone());
            report.notice(now, Severity::Warning, format!("The controller was restarted: {text}"));
        } else {
            if let Some(by) = clock_moved(&last, now, &mut report) {
                set_right(state, by, now);
            }
            if gap.0.saturating_mul(2) > interval.0.saturating_mul(5) {
                let text = format!("no run for {gap}; one is due every {interval}");
                report.event(now, EventKind::Program, "run", text.clone());
                report.notice(now, Severity::Warning, format!("Runs were missed: {text}"));
            } else if gap.0.saturating_mul(3) < interval.0 && !super::drill::just_now(state, now, interval) {
                let text = format!("a run {gap} after the last; one is due every {interval}");
                report.event(now, EventKind::Program, "run", text.clone());
                report.notice(now, Severity::Info, format!("An extra run: {text}"));
            }
        }
    }
    super::drill::run_begins(state);
    state.last_run = Some(*now);
    (report.events, report.notices)
}

/// Returns by how much the wall clock was moved.
fn clock_moved(last: &Moment, now: &Moment, report: &mut Report) -> Option<i64> {
    let by_boot = i64::try_from(now.up.saturating_sub(last.up).0).unwrap_or(i64::MAX);
    let by_wall = now.wall.0.saturating_sub(last.wall.0);
    let moved = by_wall.saturating_sub(by_boot);
    (moved.unsigned_abs() > CLOCK_MOVED.0).then(|| {
        let way = if moved > 0 { "forward" } else { "back" };
        let text = format!("the wall clock was moved {way} by {}", Seconds(moved.unsigned_abs()));
        report.event(now, EventKind::Program, "clock", text);
        moved
    })
}

/// Gives the moments of this boot the wall time that they would have had with today's clock. Within a boot nothing asks
/// for it; but after the next one they would all be older, or younger, by what the clock was wrong.
fn set_right(state: &mut SiteState, by: i64, now: &Moment) {
    let moved = serde_json::to_value(&*state).map(|mut value| {
        move_walls(&mut value, by, now);
        value
    });
    // A state that was loaded can be written and read; if not, its times stay as they are.
    if let Ok(Ok(moved)) = moved.map(serde_json::from_value) {
        *state = moved;
    }
}

fn move_walls(value: &mut serde_json::Value, by: i64, now: &Moment) {
    if let Ok(moment) = serde_json::from_value::<Moment>(value.clone()) {
        if moment.boot == now.boot {
            let moved = Moment { wall: UnixSeconds(moment.wall.0.saturating_add(by)), ..moment };
            *value = serde_json::to_value(moved).unwrap_or_default();
        }
        return;
    }
    match value {
        serde_json::Value::Array(all) => all.iter_mut().for_each(|one| move_walls(one, by, now)),
        serde_json::Value::Object(all) => all.values_mut().for_each(|one| move_walls(one, by, now)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::BootId;

    fn moment(wall: i64, boot: u32, up: u64) -> Moment {
        Moment { wall: UnixSeconds(wall), boot: BootId(boot), up: Seconds(up) }
    }

    #[test]
    fn a_moved_clock_is_told_beyond_its_limit_and_not_within() {
        let told = |wall| {
            let mut report = Report::default();
            let moved = clock_moved(&moment(1000, 1, 100), &moment(wall, 1, 220), &mut report);
            assert_eq!(moved.is_some(), !report.events.is_empty());
            report.events.len()
        };
        assert_eq!(told(1120 + 90), 0);
        assert_eq!(told(1120 + 91), 1);
        assert_eq!(told(1120 - 90), 0);
        assert_eq!(told(1120 - 91), 1);
    }

    #[test]
    fn a_clock_set_right_in_a_boot_is_right_for_what_that_boot_remembers_and_for_nothing_else() {
        let cfg =
            crate::config::parse(include_str!("../../config.txt"), "config.txt", std::path::Path::new("/nowhere"));
        let mut state = SiteState::boot(moment(100_000, 2, 60));
        state.last_run = Some(moment(100_000, 2, 60));
        state.miners.proven_off = Some(moment(100_010, 2, 70));
        state.heartbeat = Some(moment(110_000, 1, 5000));
        // The clock was 3 h behind.
        begin_run(&cfg.unwrap(), &mut state, &moment(100_120 + 10_800, 2, 180));
        assert_eq!(state.miners.proven_off, Some(moment(110_810, 2, 70)));
        assert_eq!(state.heartbeat, Some(moment(110_000, 1, 5000)));
        // After another boot it is as old as it is.
        assert_eq!(moment(110_910, 3, 30).since(&state.miners.proven_off.unwrap()), Seconds(100));
    }
}
