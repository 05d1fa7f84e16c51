//! How the checks are printed: a table for people, JSON for programs. The JSON's keys are only added to, never renamed;
//! `schema` counts what is not an addition.

use std::io::Write;
use std::time::Duration;

use serde_json::json;

use super::check::{Check, Verdict};
use crate::units::{Seconds, UnixSeconds};

/// The schema number of the JSON.
const SCHEMA: u32 = 1;
/// A name that is longer makes its own line longer.
const NAME_WIDTH_MAX: usize = 36;

/// What is printed.
pub(super) struct Report<'a> {
    pub(super) checks: &'a [Check],
    pub(super) at: UnixSeconds,
    pub(super) took: Duration,
}

impl Report<'_> {
    fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }

    fn worst(&self) -> Verdict {
        self.checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Ok)
    }
}

/// A line for each check, the way out below each fault, and at the end what is wrong once more: it is what stays in sight.
pub(super) fn table(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    let mut group = None;
    let longest = report.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    let width = longest.min(NAME_WIDTH_MAX);
    for check in report.checks {
        if group != Some(check.group) {
            writeln!(out, "{}{}", if group.is_some() { "\n" } else { "" }, check.group.word())?;
            group = Some(check.group);
        }
        writeln!(out, "{}", line(check, width))?;
        if let Some(way_out) = &check.way_out {
            writeln!(out, "        -> {way_out}")?;
        }
    }
    let (fails, warns) = (report.count(Verdict::Fail), report.count(Verdict::Warn));
    let took = report.took.as_secs_f64();
    let all = report.checks.len();
    writeln!(out, "\n{all} checks in {took:.1} s, nothing was commanded or sent: {fails} FAIL, {warns} warn")?;
    for verdict in [Verdict::Fail, Verdict::Warn] {
        let names: Vec<&str> =
            report.checks.iter().filter(|check| check.verdict == verdict).map(|check| check.name.as_str()).collect();
        if !names.is_empty() {
            writeln!(out, "  {:<5} {}", verdict.word(), names.join(", "))?;
        }
    }
    Ok(())
}

fn line(check: &Check, width: usize) -> String {
    let mut line = format!("  {:<5} {:<width$}  {}", check.verdict.word(), check.name, check.says);
    if let Some(age) = check.age_s {
        line.push_str(&format!(", {} old", Seconds(age)));
    }
    if let Some(took) = check.took_ms {
        line.push_str(&format!("  [{took} ms]"));
    }
    line
}

/// One object on one line.
pub(super) fn json(report: &Report, out: &mut dyn Write) -> std::io::Result<()> {
    let whole = json!({
        "schema": SCHEMA,
        "version": env!("CARGO_PKG_VERSION"),
        "time_unix_s": report.at.0,
        "took_ms": u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
        "verdict": report.worst(),
        "counts": {
            "ok": report.count(Verdict::Ok),
            "warn": report.count(Verdict::Warn),
            "fail": report.count(Verdict::Fail),
        },
        "checks": report.checks,
    });
    serde_json::to_writer(&mut *out, &whole)?;
    writeln!(out)
}
