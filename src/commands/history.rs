//! `history`: the kept values as a table, CSV, JSON or Influx line protocol; of each run, or least, mean and largest of
//! each step of time. It reads files only, so it needs neither the database nor its lock.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use jiff::tz::TimeZone;

use super::printed;
use crate::cli::Format;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::store::{self, Band};
use crate::units::{Seconds, UnitError, UnixSeconds};

/// Steps that are printed at most for each series: seven years of hours.
const STEPS_MAX: u64 = 61_320;

/// What to print.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// From when on: a span before now, or a time at the site.
    pub since: &'a str,
    /// Until when, in the same form; now when it is not given.
    pub until: Option<&'a str>,
    /// The step; when it is not given, the finest in which all of the time is kept.
    pub step: Option<&'a str>,
    /// Names of series, with `*` for anything.
    pub series: &'a [String],
}

/// One series: its points, oldest first; `None` where there was no trustworthy reading.
struct Column {
    name: String,
    points: Vec<(UnixSeconds, Option<Band>)>,
}

/// What is printed.
struct Kept {
    /// Whether a point covers more than one run: then it has least, mean and largest.
    stepped: bool,
    columns: Vec<Column>,
}

/// Prints the kept values of the series that match.
pub fn history(cfg: &Config, clock: &Clock, query: &Query, format: Format, out: &mut dyn Write) -> Result<(), Error> {
    let now = clock.now().wall;
    let since = moment(cfg, "--since", query.since, now)?;
    let until = query.until.map_or(Ok(now), |text| moment(cfg, "--until", text, now))?;
    if until < since {
        return Err(Error::Usage(format!("--until {} is before --since {}", local(cfg, until), local(cfg, since))));
    }
    let patterns: Vec<regex::Regex> = query.series.iter().map(|glob| pattern(glob)).collect::<Result<_, _>>()?;
    let wanted = |name: &str| patterns.iter().any(|pattern| pattern.is_match(name));
    let folder = cfg.paths.data.join("history");
    let step = match query.step {
        None => store::finest_step(&folder, since),
        Some(text) => match span("--step", text)? {
            Seconds(0) => return Err(Error::Usage("--step: 0 s is no step".to_owned())),
            step if until.since(since).0 / step.0 > STEPS_MAX => {
                return Err(Error::Usage(format!("--step: these are more than {STEPS_MAX} steps; take a longer one")));
            }
            step => step,
        },
    };
    let kept = if step.0 == 0 {
        of_each_run(store::read_history(&folder, since, until, &wanted).series)
    } else {
        of_steps(store::trend(&folder, &wanted, since, until, step).series)
    };
    if kept.columns.is_empty() {
        let when = format!("from {} to {}", local(cfg, since), local(cfg, until));
        return Err(Error::Usage(format!("no values of {} {when}", query.series.join(", "))));
    }
    let mut out = BufWriter::new(out);
    printed(print(cfg, &kept, format, &mut out).and_then(|()| out.flush()))
}

fn of_each_run(series: BTreeMap<String, Vec<(UnixSeconds, Option<f64>)>>) -> Kept {
    let whole = |at, value: Option<f64>| value.map(|v| Band { at, min: v, mean: v, max: v, runs: 1.0 });
    let columns = series.into_iter().map(|(name, points)| Column {
        name,
        points: points.into_iter().map(|(at, value)| (at, whole(at, value))).collect(),
    });
    Kept { stepped: false, columns: columns.collect() }
}

fn of_steps(series: BTreeMap<String, Vec<Band>>) -> Kept {
    let columns = series
        .into_iter()
        .map(|(name, bands)| Column { name, points: bands.into_iter().map(|band| (band.at, Some(band))).collect() });
    Kept { stepped: true, columns: columns.collect() }
}

/// A span, as in `24 h`.
fn span(option: &str, text: &str) -> Result<Seconds, Error> {
    text.parse().map_err(|error: UnitError| Error::Usage(format!("{option}: {error}")))
}

/// A span before now, or a time or day at the site.
fn moment(cfg: &Config, option: &str, text: &str, now: UnixSeconds) -> Result<UnixSeconds, Error> {
    let Ok(at) = text.trim().parse::<jiff::civil::DateTime>() else {
        let refused = |error| Error::Usage(format!("{option}: {error}, or a time such as `2026-11-22 14:10`"));
        return text.parse().map(|span| now.minus(span)).map_err(|error: UnitError| refused(error));
    };
    let at = at.to_zoned(zone(cfg)).map_err(|error| Error::Usage(format!("{option}: {error}")))?;
    Ok(UnixSeconds(at.timestamp().as_second()))
}

fn pattern(glob: &str) -> Result<regex::Regex, Error> {
    let escaped = regex::escape(glob).replace("\\*", ".*");
    regex::Regex::new(&format!("^{escaped}$")).map_err(|error| Error::Usage(format!("--series: {error}")))
}

fn print(cfg: &Config, kept: &Kept, format: Format, out: &mut dyn Write) -> std::io::Result<()> {
    match format {
        Format::Table => table(cfg, kept, out),
        Format::Csv => csv(kept, out),
        Format::Json => json(kept, out),
        Format::Influx => influx(cfg, kept, out),
    }
}

/// Calls `row` for each time with what all columns have.
fn each_row(
    kept: &Kept,
    mut row: impl FnMut(UnixSeconds, &[Option<Band>]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut columns: Vec<_> = kept.columns.iter().map(|column| column.points.iter().peekable()).collect();
    let mut bands = Vec::with_capacity(columns.len());
    while let Some(at) = columns.iter_mut().filter_map(|points| points.peek().map(|(at, _)| *at)).min() {
        bands.clear();
        for points in &mut columns {
            // Of two lines of one second the later counts.
            let mut band = None;
            while let Some((_, next)) = points.next_if(|(time, _)| *time <= at) {
                band = *next;
            }
            bands.push(band);
        }
        row(at, &bands)?;
    }
    Ok(())
}

fn table(cfg: &Config, kept: &Kept, out: &mut dyn Write) -> std::io::Result<()> {
    let least = if kept.stepped { 24 } else { 12 };
    let width = |name: &str| name.len().max(least);
    write!(out, "{:<19}", "time")?;
    for column in &kept.columns {
        write!(out, "  {:>width$}", column.name, width = width(&column.name))?;
    }
    writeln!(out)?;
    each_row(kept, |at, bands| {
        write!(out, "{:<19}", local(cfg, at))?;
        for (band, column) in bands.iter().zip(&kept.columns) {
            let text = match band {
                None => "-".to_owned(),
                Some(Band { mean, min, max, .. }) if kept.stepped => format!("{mean:.1} ({min:.1}..{max:.1})"),
                Some(band) => format!("{:.1}", band.mean),
            };
            write!(out, "  {text:>width$}", width = width(&column.name))?;
        }
        writeln!(out)
    })
}

fn csv(kept: &Kept, out: &mut dyn Write) -> std::io::Result<()> {
    write!(out, "time_unix_s")?;
    for Column { name, .. } in &kept.columns {
        if kept.stepped { write!(out, ",{name}.min,{name}.mean,{name}.max")? } else { write!(out, ",{name}")? }
    }
    writeln!(out)?;
    each_row(kept, |at, bands| {
        write!(out, "{}", at.0)?;
        for band in bands {
            match band {
                None => write!(out, "{}", if kept.stepped { ",,," } else { "," })?,
                Some(Band { min, mean, max, .. }) if kept.stepped => write!(out, ",{min},{},{max}", rounded(*mean))?,
                Some(band) => write!(out, ",{}", band.mean)?,
            }
        }
        writeln!(out)
    })
}

/// Each series with its points: time and value, or time, least, mean and largest.
fn json(kept: &Kept, out: &mut dyn Write) -> std::io::Result<()> {
    let point = |at: UnixSeconds, band: Option<Band>| match band {
        Some(Band { min, mean, max, .. }) if kept.stepped => serde_json::json!([at.0, min, rounded(mean), max]),
        Some(band) => serde_json::json!([at.0, band.mean]),
        None => serde_json::json!([at.0, null]),
    };
    write!(out, "{{")?;
    for (place, column) in kept.columns.iter().enumerate() {
        write!(out, "{}{}:[", if place == 0 { "" } else { "," }, serde_json::to_string(&column.name)?)?;
        for (place, (at, band)) in column.points.iter().enumerate() {
            write!(out, "{}{}", if place == 0 { "" } else { "," }, point(*at, *band))?;
        }
        write!(out, "]")?;
    }
    writeln!(out, "}}")
}

/// Line protocol as it is pushed: one field for each series (in steps its mean, and two more for least and largest). Gaps
/// are left out.
fn influx(cfg: &Config, kept: &Kept, out: &mut dyn Write) -> std::io::Result<()> {
    let names: Vec<[String; 3]> = kept
        .columns
        .iter()
        .map(|Column { name, .. }| [name.clone(), format!("{name}.min"), format!("{name}.max")])
        .collect();
    each_row(kept, |at, bands| {
        let known = names.iter().zip(bands).filter_map(|(names, band)| Some((names, (*band)?)));
        let fields = known.flat_map(|([name, least, most], Band { mean, min, max, .. })| match kept.stepped {
            true => vec![(name.as_str(), rounded(mean)), (least.as_str(), min), (most.as_str(), max)],
            false => vec![(name.as_str(), mean)],
        });
        write!(out, "{}", crate::influx::line(&cfg.site.name, at, fields))
    })
}

/// A mean has no more places than what it was made of.
fn rounded(mean: f64) -> f64 {
    (mean * 1000.0).round() / 1000.0
}

fn zone(cfg: &Config) -> TimeZone {
    TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC)
}

/// A time in the site's zone.
fn local(cfg: &Config, at: UnixSeconds) -> String {
    let time = jiff::Timestamp::from_second(at.0).unwrap_or_default();
    time.to_zoned(zone(cfg)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
