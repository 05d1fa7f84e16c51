//! What a replay has found, for people and programs.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::calls::{CallEffect, Met};
use super::differences::{Change, Found, Stretch};
use crate::config::Config;
use crate::units::UnixSeconds;

/// Prints it as one JSON object.
pub(super) fn json(found: &Found, out: &mut dyn Write) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, found)?;
    writeln!(out)
}

/// Prints it for people; `by` names the configuration.
pub(super) fn text(cfg: &Config, by: &str, found: &Found, out: &mut dyn Write) -> std::io::Result<()> {
    let (first, last) = found.span.unwrap_or((UnixSeconds(0), UnixSeconds(0)));
    writeln!(
        out,
        "{} runs ({} passes) from {} to {}, by the rules of minectl {} and {by}",
        found.runs,
        found.passes,
        local(cfg, first),
        local(cfg, last),
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(out, "The inputs stay as recorded: the mine could not react to what is decided differently now.")?;
    for trouble in &found.troubles {
        writeln!(out, "not read: {trouble}")?;
    }
    if found.runs_skipped > 0 {
        writeln!(out, "{} runs left out: no state is recorded that they could begin with", found.runs_skipped)?;
    }
    for at in &found.begun_anew {
        let why = "runs before it are not recorded, or the state was lost";
        writeln!(out, "begun anew at {} with the recorded state: {why}", local(cfg, *at))?;
    }
    if found.passes_that_differ == 0 {
        writeln!(out, "\nNo difference in {} runs.", found.runs)?;
    } else {
        writeln!(out, "\nPasses that differ: {} of {}.", found.passes_that_differ, found.passes)?;
    }
    for stretch in &found.stretches {
        writeln!(out)?;
        print_stretch(cfg, stretch, out)?;
    }
    print_calls(cfg, &found.calls, out)
}

fn print_stretch(cfg: &Config, stretch: &Stretch, out: &mut dyn Write) -> std::io::Result<()> {
    let until = match stretch.until {
        Some(until) => format!("until {}", local(cfg, until)),
        None => "to the end".to_owned(),
    };
    writeln!(out, "From {} {until} (passes: {}):", local(cfg, stretch.from), stretch.passes)?;
    for Change { at, then, now, why } in &stretch.changes {
        let at = time(cfg, *at);
        if then.is_empty() && now.is_empty() {
            writeln!(out, "  {at}  only the commands differ")?;
            continue;
        }
        writeln!(out, "  {at}  then  {}", then.join("; "))?;
        writeln!(out, "            now   {}", now.join("; "))?;
        for reason in why {
            writeln!(out, "                  {reason}")?;
        }
    }
    if stretch.more > 0 {
        writeln!(out, "  and {} more changes", stretch.more)?;
    }
    for commands in &stretch.only_then {
        writeln!(out, "  not sent now    {commands}")?;
    }
    for commands in &stretch.only_now {
        writeln!(out, "  only sent now   {commands}")?;
    }
    Ok(())
}

fn print_calls(cfg: &Config, calls: &[CallEffect], out: &mut dyn Write) -> std::io::Result<()> {
    if calls.is_empty() {
        return writeln!(out, "\nNo call in this time.");
    }
    writeln!(out, "\n{:<22}{:<6}{:<11}{:<11}{:<14}{:>8}  why", "call", "", "read", "first off", "proven", "off")?;
    let mut is_reckoned = false;
    for call in calls {
        let seen = call.then.seen.into_iter().chain(call.now.seen).min();
        let title = seen.map(|at| local(cfg, at)).unwrap_or_default();
        for (title, side, met) in [(title.as_str(), "then", &call.then), ("", "now", &call.now)] {
            print_met(cfg, title, side, met, out)?;
        }
        is_reckoned |= call.now.proven_is_reckoned;
    }
    if is_reckoned {
        let how = "the first command now, and the time from command to proof as it was measured then";
        writeln!(out, "* reckoned: {how}")?;
    }
    Ok(())
}

fn print_met(cfg: &Config, title: &str, side: &str, met: &Met, out: &mut dyn Write) -> std::io::Result<()> {
    let shown = |at: Option<UnixSeconds>| at.map_or("-".to_owned(), |at| time(cfg, at));
    if met.seen.is_none() {
        return writeln!(out, "{title:<22}{side:<6}no call");
    }
    let proven = shown(met.proven) + if met.proven_is_reckoned { "*" } else { "" };
    let spans = |at: Option<UnixSeconds>| at.zip(met.seen).map(|(at, seen)| at.since(seen).0);
    let after = spans(met.proven).map_or(String::new(), |after| format!("+{after} s"));
    let why: Vec<&str> = met.reasons.iter().map(|reason| reason.sentence()).collect();
    writeln!(
        out,
        "{title:<22}{side:<6}{:<11}{:<11}{:<14}{:>6.2} h  {}{}",
        shown(met.seen),
        shown(met.first_off),
        proven,
        met.off_s.hours(),
        why.join("; "),
        if after.is_empty() { String::new() } else { format!(" (proof {after})") },
    )
}

/// A time in the site's zone.
pub(super) fn local(cfg: &Config, at: UnixSeconds) -> String {
    zoned(cfg, at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn time(cfg: &Config, at: UnixSeconds) -> String {
    zoned(cfg, at).strftime("%H:%M:%S").to_string()
}

fn zoned(cfg: &Config, at: UnixSeconds) -> jiff::Zoned {
    let zone = TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC);
    Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone)
}
