//! What is looked at once in a run, before its first pass: whether runs were missed or doubled, and whether the clock
//! moved.

use super::Report;
use crate::config::Config;
use crate::model::{Event, EventKind, Notice, Severity, SiteState};
use crate::units::{Moment, Seconds};

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
            clock_moved(&last, now, &mut report);
            if gap.0.saturating_mul(2) > interval.0.saturating_mul(5) {
                let text = format!("no run for {gap}; one is due every {interval}");
                report.event(now, EventKind::Program, "run", text.clone());
                report.notice(now, Severity::Warning, format!("Runs were missed: {text}"));
            } else if gap.0.saturating_mul(3) < interval.0 {
                let text = format!("a run {gap} after the last; one is due every {interval}");
                report.event(now, EventKind::Program, "run", text.clone());
                report.notice(now, Severity::Info, format!("An extra run: {text}"));
            }
        }
    }
    state.last_run = Some(*now);
    (report.events, report.notices)
}

fn clock_moved(last: &Moment, now: &Moment, report: &mut Report) {
    let by_boot = i64::try_from(now.up.saturating_sub(last.up).0).unwrap_or(i64::MAX);
    let by_wall = now.wall.0.saturating_sub(last.wall.0);
    let moved = by_wall.saturating_sub(by_boot);
    if moved.unsigned_abs() > CLOCK_MOVED.0 {
        let way = if moved > 0 { "forward" } else { "back" };
        let text = format!("the wall clock was moved {way} by {}", Seconds(moved.unsigned_abs()));
        report.event(now, EventKind::Program, "clock", text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{BootId, UnixSeconds};

    fn moment(wall: i64, boot: u32, up: u64) -> Moment {
        Moment { wall: UnixSeconds(wall), boot: BootId(boot), up: Seconds(up) }
    }

    #[test]
    fn a_moved_clock_is_told_beyond_its_limit_and_not_within() {
        let told = |wall| {
            let mut report = Report::default();
            clock_moved(&moment(1000, 1, 100), &moment(wall, 1, 220), &mut report);
            report.events.len()
        };
        assert_eq!(told(1120 + 90), 0);
        assert_eq!(told(1120 + 91), 1);
        assert_eq!(told(1120 - 90), 0);
        assert_eq!(told(1120 - 91), 1);
    }
}
