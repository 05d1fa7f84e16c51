//! `status`, `history` and `events`: what is kept, for people and programs.

use std::collections::BTreeSet;
use std::io::Write;

use jiff::tz::TimeZone;

use super::printed;
use super::seen::Seen;
use crate::cli::Format;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::model::{History, SiteState};
use crate::store::{self, Store};
use crate::units::{Seconds, UnitError, UnixSeconds};

/// Events shown by `status`.
const STATUS_EVENTS: usize = 10;
/// Characters in a line where there is no terminal.
const WIDTH_ELSE: usize = 100;
/// Events printed at most.
const EVENTS_MAX: usize = 20_000;

/// Prints the state of the site as of the last run: as JSON, or for people, in colour if `colour`.
pub fn status(cfg: &Config, clock: &Clock, json: bool, colour: bool, out: &mut dyn Write) -> Result<(), Error> {
    let seen = Seen::look(cfg, clock, STATUS_EVENTS)?;
    let width = terminal_width().unwrap_or(WIDTH_ELSE);
    if !json && last_run_is_late(cfg, &seen.state, clock) {
        let last = seen.state.last_pass.unwrap_or(seen.now);
        let age = seen.now.since(&last);
        printed(writeln!(out, "THE LAST RUN IS {age} OLD; one is due every {}\n", cfg.loop_interval))?;
    }
    printed(super::status::status(&seen.input(cfg), out, json, colour, width))
}

/// The width that lines are folded to: as `COLUMNS` says (`watch` sets it), else as the terminal is.
fn terminal_width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let size = || rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col));
    told.or_else(size).filter(|width| *width > 0)
}

fn last_run_is_late(cfg: &Config, state: &SiteState, clock: &Clock) -> bool {
    let age = state.last_pass.map_or(Seconds(u64::MAX), |last| clock.now().since(&last));
    age.0 > cfg.loop_interval.0.saturating_mul(2)
}

/// Prints the kept samples of the series that match.
pub fn history(
    cfg: &Config,
    clock: &Clock,
    since: &str,
    series: &[String],
    format: Format,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let now = clock.now().wall;
    let since = now.minus(span("--since", since)?);
    let patterns: Vec<regex::Regex> = series.iter().map(|glob| pattern(glob)).collect::<Result<_, _>>()?;
    let wanted = |name: &str| patterns.iter().any(|pattern| pattern.is_match(name));
    let history = store::read_history(&cfg.paths.data.join("history"), since, now, &wanted);
    if history.series.is_empty() {
        return Err(Error::Usage(format!("no samples of {} since then", series.join(", "))));
    }
    printed(match format {
        Format::Table => table(cfg, &history, out),
        Format::Csv => csv(&history, out),
        Format::Json => json(&history, out),
        Format::Influx => influx(cfg, &history, out),
    })
}

fn span(option: &str, text: &str) -> Result<Seconds, Error> {
    text.parse().map_err(|error: UnitError| Error::Usage(format!("{option}: {error}")))
}

fn pattern(glob: &str) -> Result<regex::Regex, Error> {
    let escaped = regex::escape(glob).replace("\\*", ".*");
    regex::Regex::new(&format!("^{escaped}$")).map_err(|error| Error::Usage(format!("--series: {error}")))
}

/// All times of a history, oldest first.
fn times(history: &History) -> BTreeSet<UnixSeconds> {
    history.series.values().flatten().map(|(at, _)| *at).collect()
}

fn table(cfg: &Config, history: &History, out: &mut dyn Write) -> std::io::Result<()> {
    let names: Vec<&String> = history.series.keys().collect();
    write!(out, "{:<19}", "time")?;
    for name in &names {
        write!(out, "  {name:>12}")?;
    }
    writeln!(out)?;
    each_row(history, |at, values| {
        write!(out, "{:<19}", local(cfg, at))?;
        for (value, name) in values.iter().zip(&names) {
            let text = value.map_or("-".to_owned(), |value| format!("{value:.1}"));
            write!(out, "  {text:>width$}", width = name.len().max(12))?;
        }
        writeln!(out)
    })
}

fn csv(history: &History, out: &mut dyn Write) -> std::io::Result<()> {
    let names: Vec<&str> = history.series.keys().map(String::as_str).collect();
    writeln!(out, "time_unix_s,{}", names.join(","))?;
    each_row(history, |at, values| {
        let values: Vec<String> = values.iter().map(|v| v.map_or(String::new(), |v| v.to_string())).collect();
        writeln!(out, "{},{}", at.0, values.join(","))
    })
}

/// Calls `row` for each time with the values of all series in the order of their names.
fn each_row(
    history: &History,
    mut row: impl FnMut(UnixSeconds, &[Option<f64>]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut columns: Vec<_> = history.series.values().map(|points| points.iter().peekable()).collect();
    for at in times(history) {
        let mut values = Vec::with_capacity(columns.len());
        for column in &mut columns {
            // Two lines of one second count once.
            let mut value = None;
            while let Some((_, next)) = column.next_if(|(time, _)| *time <= at) {
                value = *next;
            }
            values.push(value);
        }
        row(at, &values)?;
    }
    Ok(())
}

fn json(history: &History, out: &mut dyn Write) -> std::io::Result<()> {
    let points: std::collections::BTreeMap<&String, Vec<(i64, Option<f64>)>> =
        history.series.iter().map(|(name, points)| (name, points.iter().map(|(at, v)| (at.0, *v)).collect())).collect();
    serde_json::to_writer(&mut *out, &points)?;
    writeln!(out)
}

/// Line protocol: one measurement, one field for each series, nanoseconds. Gaps are left out.
fn influx(cfg: &Config, history: &History, out: &mut dyn Write) -> std::io::Result<()> {
    let escape = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,").replace('=', "\\=").replace(' ', "\\ ");
    let names: Vec<String> = history.series.keys().map(|name| escape(name)).collect();
    let site = escape(&cfg.site.name);
    each_row(history, |at, values| {
        let fields: Vec<String> =
            names.iter().zip(values).filter_map(|(name, value)| Some(format!("{name}={:?}", (*value)?))).collect();
        if fields.is_empty() {
            return Ok(());
        }
        writeln!(out, "minectl,site={site} {} {}000000000", fields.join(","), at.0)
    })
}

/// Prints what happened, oldest first.
pub fn events(cfg: &Config, clock: &Clock, since: &str, as_json: bool, out: &mut dyn Write) -> Result<(), Error> {
    let since = clock.now().wall.minus(span("--since", since)?);
    let store = Store::new(&cfg.paths.data).map_err(Error::Storage)?;
    let mut events = store.events(since, EVENTS_MAX).map_err(Error::Storage)?;
    events.reverse();
    let mut print = || -> std::io::Result<()> {
        for event in &events {
            if as_json {
                serde_json::to_writer(&mut *out, event)?;
                writeln!(out)?;
            } else {
                writeln!(out, "{}  {:<8} {}: {}", local(cfg, event.at), event.kind.word(), event.subject, event.text)?;
            }
        }
        Ok(())
    };
    printed(print())
}

/// A time in the site's zone.
pub(super) fn local(cfg: &Config, at: UnixSeconds) -> String {
    let zone = TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC);
    let time = jiff::Timestamp::from_second(at.0).unwrap_or_default();
    time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
