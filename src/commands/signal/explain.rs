//! `signal explain`: every check on one page, in the order in which a run makes them, and what to change.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ways_out;
use crate::commands::printed;
use crate::config::{Config, OffWhen, SignalConfig, SignalMeaning};
use crate::decide::{Says, says};
use crate::drivers::page::{Check, Examination, Freshness, SignalPage, check_freshness, decode, examine, fetch, hash};
use crate::error::{EXIT_DONE, EXIT_FAULTS, Error};
use crate::http::{excerpt, shown_url};
use crate::model::{Fault, SignalReading};
use crate::units::UnixSeconds;

/// Where the page comes from.
pub enum Source {
    /// It is fetched as a run fetches it.
    Web,
    /// It was saved.
    File {
        /// What it is called.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
}

/// One printed line: a check, what came of it, and the way out where it failed.
struct Line {
    name: &'static str,
    result: Option<Result<String, Fault>>,
    way_out: Vec<String>,
}

impl Line {
    fn of(name: &'static str, result: Result<String, Fault>, way_out: impl FnOnce(&Fault) -> Vec<String>) -> Line {
        let way_out = result.as_ref().err().map(way_out).unwrap_or_default();
        Line { name, result: Some(result), way_out }
    }
}

/// Prints each check of the page as of `now`, the verdict, and the page's hash. The exit code is 1 when it is not read.
pub fn explain(cfg: &Config, source: Source, now: UnixSeconds, out: &mut dyn Write) -> Result<u8, Error> {
    let mut lines = Vec::new();
    let signal = &cfg.signal;
    let (title, bytes, text, first_fault) = match source {
        Source::File { name, bytes } => {
            let decoded = decode(&bytes, None);
            let said = format!("{} bytes, {}{}", bytes.len(), decoded.charset, damage(decoded.damaged));
            lines.push(Line { name: "file", result: Some(Ok(said)), way_out: Vec::new() });
            (name, bytes, Some(decoded.text), None)
        }
        Source::Web => {
            let (page, fetched) = fetch(signal);
            let title = shown_url(&signal.url);
            let said = |page: &SignalPage| said_of_fetch(page);
            let fresh = page.as_ref().filter(|_| fetched.is_ok()).map(|page| check_freshness(page, signal, now));
            let fault = fetched.as_ref().err().or(fresh.as_ref().and_then(|fresh| fresh.as_ref().err())).cloned();
            let result = fetched.map(|()| page.as_ref().map(said).unwrap_or_default());
            lines.push(Line::of("fetch", result, ways_out::of_fetch));
            if let Some(fresh) = fresh {
                let result = fresh.map(|fresh| said_of_freshness(&fresh, &cfg.time_zone, now));
                lines.push(Line::of("copy", result, |fault| ways_out::of_copy(signal, fault)));
            }
            let text = page.as_ref().map(|page| page.decoded().text);
            (title, page.map(|page| page.bytes).unwrap_or_default(), text, fault)
        }
    };
    let mut reading = Err(first_fault);
    if let Some(text) = &text {
        let Examination { checks, reading: read } = examine(text, signal, &cfg.time_zone, now);
        for Check { name, result } in checks {
            let line = match result {
                Some(result) => Line::of(name, result, |fault| ways_out::of_check(name, fault, text, signal)),
                None => Line { name, result: None, way_out: Vec::new() },
            };
            lines.push(line);
        }
        if let Err(None) = reading {
            reading = read.map_err(Some);
        }
    }
    printed(print(&title, &lines, &reading, &bytes, cfg, now, out))?;
    Ok(if reading.is_ok() { EXIT_DONE } else { EXIT_FAULTS })
}

/// The moment that a person names at the site.
pub(in crate::commands) fn moment(text: &str, time_zone: &str) -> Result<UnixSeconds, Error> {
    let wrong = || Error::Usage(format!("`{text}` is not a time; write it like \"2026-11-22 14:10\""));
    let at: jiff::civil::DateTime = text.trim().parse().map_err(|_| wrong())?;
    let zone = TimeZone::get(time_zone).map_err(|_| wrong())?;
    Ok(UnixSeconds(at.to_zoned(zone).map_err(|_| wrong())?.timestamp().as_second()))
}

fn print(
    title: &str,
    lines: &[Line],
    reading: &Result<SignalReading, Option<Fault>>,
    bytes: &[u8],
    cfg: &Config,
    now: UnixSeconds,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    writeln!(out, "Power signal: {title}, as of {}", shown_time(now, &cfg.time_zone))?;
    for line in lines {
        let (mark, said) = match &line.result {
            Some(Ok(said)) => ("ok", said.clone()),
            Some(Err(fault)) => ("FAIL", format!("{}: {}", fault.kind.word(), fault.detail)),
            None if line.name == "stamp" => ("-", "none is configured (`stamp_selector`)".to_owned()),
            None => ("-", "not reached".to_owned()),
        };
        writeln!(out, "  {mark:<4}  {:<8} {said}", line.name)?;
        for way_out in &line.way_out {
            writeln!(out, "                 -> {way_out}")?;
        }
    }
    writeln!(out, "Verdict: {}", verdict(reading, &cfg.signal))?;
    if !bytes.is_empty() {
        writeln!(out, "Page: {} (the first 16 digits of its SHA-256)", hash(bytes))?;
    }
    Ok(())
}

fn verdict(reading: &Result<SignalReading, Option<Fault>>, cfg: &SignalConfig) -> String {
    let reading = match reading {
        Ok(reading) => reading,
        Err(fault) => {
            let why = fault.as_ref().map(|fault| fault.kind.word()).unwrap_or_default();
            let max_age = cfg.max_age;
            return format!("no reading ({why}); the last good one counts for {max_age}, then the signal is blind");
        }
    };
    match says(&cfg.meaning, &reading.value) {
        Says::Curtail => format!("CURTAIL: miners off{}", limits(&cfg.meaning)),
        Says::Run => {
            format!("RUN: miners may run, after {} such readings{}", cfg.resume_readings, limits(&cfg.meaning))
        }
        Says::Between => format!("BETWEEN the thresholds: as it was before{}", limits(&cfg.meaning)),
    }
}

fn limits(meaning: &SignalMeaning) -> String {
    match meaning {
        SignalMeaning::Number { off_when: OffWhen::High, curtail_at, resume_below, .. } => {
            format!(" (off from {curtail_at}, on again below {resume_below})")
        }
        SignalMeaning::Number { off_when: OffWhen::Low, curtail_at, resume_below, .. } => {
            format!(" (off down from {curtail_at}, on again above {resume_below})")
        }
        SignalMeaning::Words { .. } => String::new(),
    }
}

fn damage(damaged: bool) -> &'static str {
    if damaged { ", with bytes that are not of this character set" } else { "" }
}

fn said_of_fetch(page: &SignalPage) -> String {
    let decoded = page.decoded();
    let hops: String = page.hops.iter().map(|hop| format!("; redirect {hop}")).collect();
    let kind = page.header("content-type").map(excerpt).unwrap_or_else(|| "no content type".to_owned());
    let (status, length, took) = (page.status, page.bytes.len(), page.took.as_millis());
    format!(
        "status {status}, {length} bytes in {took} ms, {kind}, {}{}{hops}",
        decoded.charset,
        damage(decoded.damaged)
    )
}

fn said_of_freshness(fresh: &Freshness, time_zone: &str, now: UnixSeconds) -> String {
    let time = |name: &str, at: Option<UnixSeconds>| match at {
        Some(at) if at > now => format!("{name} {} ({} ahead)", shown_time(at, time_zone), at.since(now)),
        Some(at) => format!("{name} {} ({} ago)", shown_time(at, time_zone), now.since(at)),
        None => format!("no {name}"),
    };
    let age = fresh.age.map_or("no Age".to_owned(), |age| format!("Age {age}"));
    let held = fresh.may_be_held.map(|held| format!(", caches may hold it for {held}")).unwrap_or_default();
    format!("{}, {age}, {}{held}", time("Date", fresh.date), time("Last-Modified", fresh.modified))
}

fn shown_time(at: UnixSeconds, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let at = Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
    at.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}
