//! The signal machine: what the utility's page says, as a level.
//!
//! | from | to | when |
//! | --- | --- | --- |
//! | run, blind | curtail | one good reading says off: `curtail_at` reached, or a word of `words_curtail` |
//! | blind | curtail | a good reading between the two thresholds: there is nothing to hold to |
//! | run | curtail | a good reading between the two thresholds after `run` set by hand |
//! | blind | run | the first good reading ever says on |
//! | curtail, blind | run | `resume_readings` good readings in a row say on |
//! | run, curtail | blind | the last good reading is older than `max_age` |
//! | any | run, curtail, blind | set by hand no more, the page not read: what it said last |
//! | any | any | set by hand: `minectl set signal` |

use std::borrow::Cow;

use super::Report;
use super::table::{Row, table};
use crate::config::{Config, OffWhen, SignalMeaning};
use crate::model::{
    EventKind, Fault, FaultKind, LastGood, Level, Override, Reading, Setting, Severity, SignalReading, SignalState,
    SignalValue,
};
use crate::model::{SiteState, Snapshot};
use crate::units::{Moment, Seconds, UnixSeconds};

table! {
    CURTAIL = "run, blind", "curtail", "one good reading says off: `curtail_at` reached, or a word of `words_curtail`";
    BETWEEN_BLIND = "blind", "curtail", "a good reading between the two thresholds: there is nothing to hold to";
    BETWEEN_BY_HAND = "run", "curtail", "a good reading between the two thresholds after `run` set by hand";
    FIRST_RUN = "blind", "run", "the first good reading ever says on";
    RUN = "curtail, blind", "run", "`resume_readings` good readings in a row say on";
    TOO_OLD = "run, curtail", "blind", "the last good reading is older than `max_age`";
    HAND_OVER = "any", "run, curtail, blind", "set by hand no more, the page not read: what it said last";
    BY_HAND = "any", "any", "set by hand: `minectl set signal`";
}

/// A stamp this far ahead of the clock is not that of a fresh page.
const AHEAD_MAX: Seconds = Seconds(600);

/// What one good reading says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// The miners must be off.
    Curtail,
    /// Between the two thresholds: as it was.
    Between,
    /// The miners may run.
    Run,
}

/// One pass of the machine.
pub(super) fn step(
    cfg: &Config,
    next: &mut SiteState,
    snapshot: &Snapshot,
    overrides: &[Override],
    now: &Moment,
    report: &mut Report,
) {
    let before = next.signal.level;
    let (level, row, why) = match forced(overrides) {
        Some(level) => {
            read_under_hand(cfg, next, &snapshot.signal, now);
            next.signal.by_hand = true;
            (level, BY_HAND, format!("set by hand to {}", level.word()))
        }
        None => {
            let read = read(cfg, next, &snapshot.signal, now);
            if next.signal.last_good.as_ref().is_some_and(|good| good.at == *now) {
                next.signal.page = Some(read.0);
            }
            read
        }
    };
    report.why("signal", format!("{} for {}: {why}", level.word(), now.since(&next.signal.since)));
    next.signal.why.clone_from(&why);
    if level != before {
        let was_known = next.signal.last_good.is_some() || before != Level::Blind;
        next.signal.level = level;
        next.signal.since = *now;
        let text = format!("{} → {}: {}; {why}", before.word(), level.word(), row.when);
        report.event(now, EventKind::State, "signal", text);
        // That the signal went blind is told by its alarm.
        if level != Level::Blind && was_known {
            report.notice(now, Severity::Info, format!("Power signal: {} ({why})", level.word()));
        }
    }
}

/// What the page says while a person sets the level: kept for the time when the hand is gone and the page is not read.
fn read_under_hand(cfg: &Config, next: &mut SiteState, reading: &Reading<SignalReading>, now: &Moment) {
    let signal = &mut next.signal;
    if !signal.by_hand {
        signal.run_readings = 0;
    }
    let Ok(reading) = believed(cfg, reading, now).and_then(|reading| moving(cfg, signal, reading, now)) else {
        signal.run_readings = 0;
        return;
    };
    let says = take_in(cfg, signal, reading, now);
    signal.page = match says {
        Says::Curtail => Some(Level::Curtail),
        Says::Run if signal.run_readings >= cfg.signal.resume_readings => Some(Level::Run),
        Says::Run | Says::Between => signal.page,
    };
}

/// Takes in a good reading, and returns what it says.
fn take_in(cfg: &Config, signal: &mut SignalState, reading: &SignalReading, now: &Moment) -> Says {
    let says = says(&cfg.signal.meaning, &reading.value);
    if signal.last_good.as_ref().is_none_or(|good| good.value != reading.text) {
        signal.changed = Some(*now);
    }
    signal.last_good = Some(LastGood { value: reading.text.clone(), at: *now });
    signal.run_readings = if says == Says::Run { signal.run_readings.saturating_add(1) } else { 0 };
    says
}

fn forced(overrides: &[Override]) -> Option<Level> {
    overrides.iter().find_map(|over| if let Setting::Signal(level) = over.setting { Some(level) } else { None })
}

/// A page whose own stamp is ahead of the clock counts only when it says off: after a power cut it is the controller's
/// clock that is wrong, and an hour's call must not wait for the time server.
fn believed<'a>(
    cfg: &Config,
    reading: &'a Reading<SignalReading>,
    now: &Moment,
) -> Result<&'a SignalReading, Cow<'a, Fault>> {
    let reading = reading.as_ref().map_err(Cow::Borrowed)?;
    let ahead = reading.stamp.map_or(Seconds(0), |stamp| stamp.since(now.wall));
    if ahead <= AHEAD_MAX || says(&cfg.signal.meaning, &reading.value) == Says::Curtail {
        return Ok(reading);
    }
    let detail = format!("the page's own time stamp is {ahead} ahead of the controller's clock");
    Err(Cow::Owned(Fault::new("signal", FaultKind::Stale, detail)))
}

/// A clock without a date looks fresh again each day. One that shows what it showed longer ago than it may be old, and
/// nothing else in between, stands still.
fn moving<'a>(
    cfg: &Config,
    signal: &mut SignalState,
    reading: &'a SignalReading,
    now: &Moment,
) -> Result<&'a SignalReading, Cow<'a, Fault>> {
    let (Some(stamp), Some(shown)) = (&cfg.signal.stamp, reading.stamp) else { return Ok(reading) };
    if !stamp.is_clock {
        return Ok(reading);
    }
    match &signal.clock {
        Some(seen) if shows_the_same(seen.value, shown) => {
            let age = now.since(&seen.at);
            if age <= stamp.max_age {
                return Ok(reading);
            }
            let detail =
                format!("the page's clock stands still: it showed the same {age} ago, limit {}", stamp.max_age);
            Err(Cow::Owned(Fault::new("signal", FaultKind::Stale, detail)))
        }
        Some(_) | None => {
            signal.clock = Some(LastGood { value: shown, at: *now });
            Ok(reading)
        }
    }
}

/// Whether two moments are the same time on a clock without a date: whole days apart, an hour more or less where the
/// clocks were changed in between.
fn shows_the_same(one: UnixSeconds, other: UnixSeconds) -> bool {
    let apart = one.0.abs_diff(other.0);
    apart.is_multiple_of(86_400) || (apart > 80_000 && matches!(apart % 86_400, 3600 | 82_800))
}

fn read(cfg: &Config, next: &mut SiteState, reading: &Reading<SignalReading>, now: &Moment) -> (Level, Row, String) {
    let signal = &mut next.signal;
    let reading = match believed(cfg, reading, now).and_then(|reading| moving(cfg, signal, reading, now)) {
        Ok(reading) => reading,
        Err(fault) => {
            signal.run_readings = 0;
            let (age, what) = match &signal.last_good {
                Some(good) => (now.since(&good.at), format!("last good reading `{}`", good.value)),
                None => (now.since(&signal.since), "never read".to_owned()),
            };
            // What a hand said is over with the hand: then the page's last word counts.
            let standing = if signal.by_hand { signal.page.unwrap_or(Level::Blind) } else { signal.level };
            let level = if age > cfg.signal.max_age { Level::Blind } else { standing };
            let row = if signal.by_hand && age <= cfg.signal.max_age { HAND_OVER } else { TOO_OLD };
            return (level, row, format!("{fault}; {what} {age} ago, limit {}", cfg.signal.max_age));
        }
    };
    let was_by_hand = std::mem::take(&mut signal.by_hand);
    if was_by_hand {
        signal.run_readings = 0;
    }
    let first = signal.last_good.is_none();
    let says = take_in(cfg, signal, reading, now);
    let wanted = cfg.signal.resume_readings;
    match (says, signal.level) {
        (Says::Curtail, _) => (Level::Curtail, CURTAIL, explain(cfg, reading)),
        (Says::Run, Level::Run) => (Level::Run, RUN, explain(cfg, reading)),
        (Says::Run, Level::Blind) if first => (Level::Run, FIRST_RUN, explain(cfg, reading)),
        (Says::Run, Level::Curtail | Level::Blind) if signal.run_readings >= wanted => {
            (Level::Run, RUN, format!("{}, {wanted} readings in a row", explain(cfg, reading)))
        }
        (Says::Run, level @ (Level::Curtail | Level::Blind)) => {
            let text =
                format!("{}, reading {} of {wanted} that resume needs", explain(cfg, reading), signal.run_readings);
            (level, RUN, text)
        }
        (Says::Between, Level::Blind) => {
            (Level::Curtail, BETWEEN_BLIND, format!("{}; nothing to hold to", explain(cfg, reading)))
        }
        (Says::Between, Level::Run) if was_by_hand => {
            (Level::Curtail, BETWEEN_BY_HAND, format!("{}; it was set to run by hand", explain(cfg, reading)))
        }
        (Says::Between, level @ (Level::Run | Level::Curtail)) => (level, BETWEEN_BLIND, explain(cfg, reading)),
    }
}

/// Whether the number stands so near to `curtail_at`, on the side that lets run, that it is read again within the run.
pub(super) fn is_near(cfg: &Config, next: &SiteState, snapshot: &Snapshot) -> bool {
    let (SignalMeaning::Number { curtail_at, .. }, Ok(reading)) = (&cfg.signal.meaning, &snapshot.signal) else {
        return false;
    };
    match reading.value {
        SignalValue::Number(value) => {
            next.signal.level == Level::Run && (value - curtail_at).abs() <= cfg.signal.reread_near
        }
        SignalValue::CurtailWord(_) | SignalValue::RunWord(_) => false,
    }
}

/// What a value says by itself, whatever was read before it.
pub fn says(meaning: &SignalMeaning, value: &SignalValue) -> Says {
    match (meaning, value) {
        (_, SignalValue::CurtailWord(_)) => Says::Curtail,
        (SignalMeaning::Words { .. }, SignalValue::RunWord(_)) => Says::Run,
        (SignalMeaning::Number { off_when, curtail_at, resume_below, .. }, SignalValue::Number(value)) => {
            let (curtail, run) = match off_when {
                OffWhen::High => (value >= curtail_at, value < resume_below),
                OffWhen::Low => (value <= curtail_at, value > resume_below),
            };
            match (curtail, run) {
                (true, _) => Says::Curtail,
                (false, true) => Says::Run,
                (false, false) => Says::Between,
            }
        }
        // A kind of value that the configuration does not ask for proves nothing.
        (SignalMeaning::Number { .. }, SignalValue::RunWord(_))
        | (SignalMeaning::Words { .. }, SignalValue::Number(_)) => Says::Curtail,
    }
}

fn explain(cfg: &Config, reading: &SignalReading) -> String {
    match &cfg.signal.meaning {
        SignalMeaning::Number { off_when, curtail_at, resume_below, .. } => {
            let (off, on) = match off_when {
                OffWhen::High => ("from", "below"),
                OffWhen::Low => ("down from", "above"),
            };
            format!("the page says `{}` (off {off} {curtail_at}, on again {on} {resume_below})", reading.text)
        }
        SignalMeaning::Words { .. } => format!("the page says `{}`", reading.text),
    }
}
