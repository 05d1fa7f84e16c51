//! `status --check`: one line for Nagios, Icinga and their like, by the rules of the Monitoring Plugins project: text, `|`,
//! performance data, and the verdict as exit code. It reads what the last run left; how bad something is says [`Status`].

use std::io::Write;
use std::path::Path;

use super::printed;
use super::seen::Seen;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::dashboard::Status;
use crate::dashboard::status::Level;
use crate::error::Error;

/// Exit codes of a monitoring plugin. They are not those of the other commands.
const OK: u8 = 0;
const WARNING: u8 = 1;
const CRITICAL: u8 = 2;
const UNKNOWN: u8 = 3;
/// Causes that are named; the rest is counted.
const CAUSES_MAX: usize = 3;

/// Writes the line and returns the exit code. Whatever keeps the state from being known is UNKNOWN, with the cause.
pub fn check(config_path: &Path, out: &mut dyn Write) -> Result<u8, Error> {
    let (code, line) = match verdict(config_path) {
        Ok(found) => found,
        Err(error) => (UNKNOWN, format!("MINECTL UNKNOWN - {}", text(&error.to_string()))),
    };
    printed(writeln!(out, "{line}")).map(|()| code)
}

fn verdict(config_path: &Path) -> Result<(u8, String), Error> {
    let cfg = config::load(config_path)?;
    let clock = Clock::from_environment().map_err(Error::Usage)?;
    let seen = Seen::look(&cfg, &clock, 0)?;
    let status = Status::new(&seen.input(&cfg));
    let (code, word) = match status.worry.level {
        // Runs that do not come are the worst that can be: nobody looks after the mine.
        _ if status.stale => (CRITICAL, "CRITICAL"),
        Level::Ok | Level::Info => (OK, "OK"),
        Level::Warning => (WARNING, "WARNING"),
        Level::Emergency => (CRITICAL, "CRITICAL"),
    };
    let said = if status.stale {
        let age = status.last_run.as_ref().map_or("unknown".to_owned(), |at| at.age.clone());
        format!("no run for {age}; last known: {}", status.headline)
    } else {
        status.headline.clone()
    };
    Ok((code, format!("MINECTL {word} - {}{} | {}", text(&said), causes(&status), figures(&cfg, &status))))
}

/// The causes of the verdict, the worst first.
fn causes(status: &Status) -> String {
    let worst: Vec<&str> = status
        .worry
        .causes
        .iter()
        .filter(|cause| cause.level == status.worry.level && cause.level >= Level::Warning)
        .map(|cause| cause.text.as_str())
        .collect();
    let mut said: Vec<String> = worst.iter().take(CAUSES_MAX).map(|cause| text(cause)).collect();
    let more = worst.len().saturating_sub(CAUSES_MAX);
    if more > 0 {
        said.push(format!("{more} more"));
    }
    if said.is_empty() { String::new() } else { format!(": {}", said.join("; ")) }
}

/// `name=value;warning;critical;least;most` of each figure; `U` where it is not known, never 0.
fn figures(cfg: &Config, status: &Status) -> String {
    let known = |value: Option<f64>| value.map_or("U".to_owned(), |value| format!("{value}"));
    let running = status.fans.iter().filter(|fan| fan.proven == Some(true)).count();
    let unproven = status.fans.iter().filter(|fan| fan.proven.is_none()).count();
    let age = status.last_run.as_ref().map(|at| at.age_s);
    let late = cfg.loop_interval.0.saturating_mul(2);
    let of = |severity: &str| status.alarms.iter().filter(|alarm| alarm.severity == severity).count();
    let climate = &cfg.climate;
    format!(
        "age={};;{late};0 miners_power_watts={};;;0 intake_celsius={};{};{} signal={} fans_running={running};;;0;{} \
         fans_unproven={unproven};;;0 miners_online={};;;0 warnings={};;;0 emergencies={};;;0 overrides={};;;0",
        age.map_or("U".to_owned(), |age| format!("{age}s")),
        known(status.miners.power.value),
        known(status.climate.intake.value),
        climate.shed_above.value(),
        climate.critical_above.value(),
        known(status.signal.number),
        status.fans.len(),
        known(status.miners.online.value),
        of("warning"),
        of("emergency"),
        status.overrides.len(),
    )
}

/// On one line, and without what begins the performance data.
fn text(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join("; ").replace('|', "/")
}
