//! `drill`: orders a drill, makes the runs that it takes, one after the other, and prints each step as it happens; and
//! the certificate of the last one. What is switched, and whether anything is, the rules decide in those runs: cron's
//! runs in between do the same.

use std::cell::RefCell;
use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::printed;
use super::set::who;
use crate::by_hand::known_fan;
use crate::cli::DrillArgs;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{EXIT_DONE, EXIT_FAULTS, Error};
use crate::logging;
use crate::model::{DrillOrder, DrillRecord, DrillVerdict, Event, Override, Setting, SiteState};
use crate::store::{self, Change, Store};
use crate::tick;
use crate::units::{Moment, Seconds, UnixSeconds};

/// An order holds so long: longer than all steps of a drill together.
const LASTS: Seconds = Seconds::minutes(60);
/// Runs for one drill at most, and tries while another run is at work.
const RUNS_MAX: usize = 400;
/// The longest name of a miner.
const NAME_CHARS_MAX: usize = 80;

/// Makes a drill, or shows the last one. Returns the exit code: 0 only when it passed.
pub fn run(cfg: &Config, clock: &Clock, args: &DrillArgs, out: &mut dyn Write) -> Result<u8, Error> {
    if args.last { last(cfg, clock, args.json, out) } else { drill(cfg, clock, args, out) }
}

/// Makes a drill and prints its steps and its certificate. Returns the exit code: 0 only when it passed.
fn drill(cfg: &Config, clock: &Clock, args: &DrillArgs, out: &mut dyn Write) -> Result<u8, Error> {
    let order = order(cfg, args)?;
    if let Err(error) = logging::start(&cfg.paths.log, &cfg.time_zone, *clock) {
        printed(writeln!(out, "this is not logged: {error}"))?;
    }
    let store = Store::new(&cfg.paths.data).map_err(Error::Storage)?;
    let ordered = clock.now();
    place(&store, order, &ordered)?;
    let zone = TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC);
    let time = |at: UnixSeconds| local(at, &zone, "%H:%M:%S");
    printed(writeln!(out, "{}  ordered; a call comes first at any time, and ends it", time(ordered.wall)))?;
    let out = RefCell::new(out);
    // Whoever reads the other end of a pipe may have gone: the drill goes on.
    let show = |event: &Event| {
        if event.subject == "drill" {
            drop(writeln!(out.borrow_mut(), "{}  {}", time(event.at), event.text));
        }
    };
    let mut waits = false;
    for _ in 0..RUNS_MAX {
        match tick::tick_watched(cfg, clock, &show) {
            Ok(_) => waits = false,
            Err(Error::Locked(_)) if !waits => {
                waits = true;
                printed(writeln!(out.borrow_mut(), "{}  another run is at work", time(clock.now().wall)))?;
            }
            Err(Error::Locked(_)) => {}
            Err(error) => return Err(error),
        }
        let loaded = store.load(&clock.now());
        let state = loaded.state.unwrap_or_else(|| SiteState::boot(clock.now()));
        if let Some(record) = over(&state, &ordered) {
            print(record, &zone, *out.borrow_mut())?;
            return Ok(if record.verdict == DrillVerdict::Passed { EXIT_DONE } else { EXIT_FAULTS });
        }
        let waits_its_turn = loaded.overrides.iter().any(|over| is_ours(over, &ordered));
        if !waits_its_turn && !is_taken(&state, &ordered) {
            return Err(Error::Storage("the order was cleared before a run took it; try again".to_owned()));
        }
        clock.pause(tick::BETWEEN_DRILL_RUNS.duration());
    }
    Err(Error::Storage("the drill did not come to its end; `minectl status` shows where it stands".to_owned()))
}

fn order(cfg: &Config, args: &DrillArgs) -> Result<DrillOrder, Error> {
    let fan = args.fan.map(|fan| known_fan(cfg, fan)).transpose()?;
    if args
        .miner
        .as_ref()
        .is_some_and(|name| name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control))
    {
        return Err(Error::Usage(format!("--miner: at most {NAME_CHARS_MAX} characters that can be printed")));
    }
    Ok(DrillOrder { miner: args.miner.clone(), fan, is_dry: args.dry })
}

fn place(store: &Store, order: DrillOrder, now: &Moment) -> Result<(), Error> {
    if store.overrides().map_err(Error::Storage)?.iter().any(|over| matches!(over.setting, Setting::Drill(_))) {
        return Err(Error::Usage("a drill is ordered already; `minectl clear drill` ends it".to_owned()));
    }
    let reason = "minectl drill".to_owned();
    let over = Override { setting: Setting::Drill(order), since: *now, lasts: LASTS, by: who(), reason };
    store.save(&Change { overrides: vec![over], ..Change::default() }, now).map_err(Error::Storage).map(|_| ())
}

fn is_ours(over: &Override, ordered: &Moment) -> bool {
    matches!(over.setting, Setting::Drill(_)) && over.since.is(ordered)
}

/// The certificate of the drill that was ordered then, when it is over.
fn over<'a>(state: &'a SiteState, ordered: &Moment) -> Option<&'a DrillRecord> {
    let is_it = |order: Option<Moment>| order.is_some_and(|order| order.is(ordered));
    let goes_on = state.drill.running.as_ref().is_some_and(|drill| is_it(drill.order));
    let last = state.drill.last.as_ref().filter(|_| is_taken(state, ordered) && !goes_on);
    last.filter(|last| last.ended >= state.drill.order.map_or(ordered.wall, |order| order.wall))
}

/// Whether a run has taken the order.
fn is_taken(state: &SiteState, ordered: &Moment) -> bool {
    state.drill.order.is_some_and(|order| order.is(ordered))
}

/// Prints the certificate of the last drill, as text or as JSON. Returns the exit code: 0 only when it passed.
fn last(cfg: &Config, clock: &Clock, json: bool, out: &mut dyn Write) -> Result<u8, Error> {
    let store = Store::new(&cfg.paths.data).map_err(Error::Storage)?;
    let state = store.load(&clock.now()).state;
    let kept = store::read_drills(&store.drills_file()).map_err(Error::Storage)?;
    let remembered = state.and_then(|state| state.drill.last);
    let Some(record) = remembered.or_else(|| kept.last().cloned()) else {
        return Err(Error::Storage("no drill was made yet; `minectl drill` makes one".to_owned()));
    };
    if json {
        let text = serde_json::to_string_pretty(&record).map_err(|error| Error::Storage(error.to_string()))?;
        printed(writeln!(out, "{text}"))?;
    } else {
        let zone = TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC);
        print(&record, &zone, out)?;
    }
    Ok(if record.verdict == DrillVerdict::Passed { EXIT_DONE } else { EXIT_FAULTS })
}

fn print(record: &DrillRecord, zone: &TimeZone, out: &mut dyn Write) -> Result<(), Error> {
    let kind = if record.is_dry { "Dry drill" } else { "Drill" };
    let began = local(record.began, zone, "%Y-%m-%d %H:%M");
    let took = record.ended.since(record.began);
    let verdict = record.verdict.word().to_uppercase();
    printed(writeln!(out, "\n{kind} of {began}, {took}, ordered by {}: {verdict}", record.by))?;
    if !record.why.is_empty() {
        printed(writeln!(out, "  {}", record.why))?;
    }
    for check in &record.checks {
        let took = check.took.map_or(String::new(), |took| took.to_string());
        let (result, name, text) = (check.result.words(), &check.name, &check.text);
        printed(writeln!(out, "  {result:<9} {name:<36} {took:<12} {text}"))?;
    }
    Ok(())
}

fn local(at: UnixSeconds, zone: &TimeZone, format: &str) -> String {
    let at = Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone.clone()).strftime(format).to_string()
}
