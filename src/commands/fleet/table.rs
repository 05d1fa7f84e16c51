//! The rows of a fleet for people and for programs.

use std::io::{self, Write};

use super::site::{Seen, Verdict};
use super::{Row, worst};
use crate::units::Watts;

const TITLES: [&str; 7] = ["", "SITE", "AGE", "POWER", "SIGNAL", "INTAKE", "ALARMS"];
/// A column is no wider than this.
const WIDTH_MAX: usize = 32;

/// A line for each site, then all together.
pub(super) fn text(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<([String; 7], String)> = rows.iter().map(cells).collect();
    let width = |place: usize| {
        let all = cells.iter().filter_map(|(cells, _)| cells.get(place)).map(|cell| cell.chars().count());
        all.chain(TITLES.get(place).map(|title| title.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..TITLES.len()).map(width).collect();
    let line = |cells: &[String], last: &str| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  "));
        (padded.collect::<String>() + last).trim_end().to_owned()
    };
    writeln!(out, "{}", line(&TITLES.map(str::to_owned), "STATE"))?;
    for (cells, state) in &cells {
        writeln!(out, "{}", line(cells, state))?;
    }
    writeln!(out, "{}", together(rows))
}

/// The cells of a row, and what stands behind them: the state, or the fault.
fn cells(row: &Row) -> ([String; 7], String) {
    let verdict = row.verdict().word().to_owned();
    let empty = || "-".to_owned();
    match &row.seen {
        Err(cause) => ([verdict, cut(&row.source), empty(), empty(), empty(), empty(), empty()], cause.clone()),
        Ok(seen) => {
            let number = seen.signal_number.map_or(String::new(), |number| format!(" {number}"));
            let cells = [
                verdict,
                cut(&seen.site),
                cut(&age(seen)),
                cut(&seen.power.text),
                cut(&format!("{}{number}", seen.signal)),
                cut(&seen.intake.text),
                cut(&alarms(seen.alarms)),
            ];
            (cells, state(seen))
        }
    }
}

fn age(seen: &Seen) -> String {
    match seen.ahead {
        _ if seen.is_test => "test clock".to_owned(),
        Some(ahead) => format!("{ahead} ahead"),
        None => seen.age.to_string(),
    }
}

fn state(seen: &Seen) -> String {
    let observes = if seen.mode == "observe" { "only observing; " } else { "" };
    match seen.is_stale {
        true => format!("STALE, no run comes; last known: {observes}{}", seen.headline),
        false => format!("{observes}{}", seen.headline),
    }
}

fn alarms(counts: [usize; 3]) -> String {
    let words = [("emergency", "emergencies"), ("warning", "warnings"), ("info", "infos")];
    let said: Vec<String> = counts
        .iter()
        .zip(words)
        .filter(|(count, _)| **count > 0)
        .map(|(count, (one, many))| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    if said.is_empty() { "none".to_owned() } else { said.join(", ") }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDTH_MAX {
        return text.to_owned();
    }
    text.chars().take(WIDTH_MAX - 1).chain(['…']).collect()
}

/// How many sites are how, and the power of those whose power is known and not too old.
fn together(rows: &[Row]) -> String {
    let count = |wanted: Verdict| rows.iter().filter(|row| row.verdict() == wanted).count();
    let all = [Verdict::Critical, Verdict::Unknown, Verdict::Warning, Verdict::Ok];
    let counts: Vec<String> = all
        .into_iter()
        .filter(|verdict| count(*verdict) > 0)
        .map(|verdict| format!("{} {}", count(verdict), verdict.word()))
        .collect();
    let fresh = rows.iter().filter_map(|row| row.seen.as_ref().ok()).filter(|seen| !seen.is_stale);
    let watts: Vec<f64> = fresh.filter_map(|seen| seen.power.number).collect();
    let power = match Watts::new(watts.iter().sum()) {
        Ok(sum) if !watts.is_empty() => format!("; {sum} at {} of them", watts.len()),
        Ok(_) | Err(_) => String::new(),
    };
    let sites = if rows.len() == 1 { "site" } else { "sites" };
    format!("{} {sites}: {}{power}", rows.len(), counts.join(", "))
}

/// One object: the verdict on all, and each site; what is not known is null.
pub(super) fn json(rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let site = |row: &Row| {
        let (verdict, source) = (row.verdict().word(), &row.source);
        match &row.seen {
            Err(cause) => serde_json::json!({"source": source, "verdict": verdict, "fault": cause}),
            Ok(seen) => serde_json::json!({
                "source": source, "verdict": verdict, "fault": null, "site": seen.site, "mode": seen.mode,
                "state": seen.state, "headline": seen.headline, "worry": seen.worry,
                "miners_power_watts": seen.power.number, "signal_level": seen.signal,
                "signal_number": seen.signal_number, "intake_celsius": seen.intake.number,
                "emergencies": seen.alarms[0], "warnings": seen.alarms[1], "infos": seen.alarms[2],
                "age_s": (!seen.is_test && seen.ahead.is_none()).then_some(seen.age.0),
                "stale": seen.is_stale, "test_clock": seen.is_test,
            }),
        }
    };
    let sites: Vec<serde_json::Value> = rows.iter().map(site).collect();
    serde_json::to_writer_pretty(&mut *out, &serde_json::json!({"verdict": worst(rows).word(), "sites": sites}))?;
    writeln!(out)
}
