//! The heartbeat: the regular sign of life, with the whole site in a few lines.

use super::Report;
use crate::config::{Config, TemperatureUnit};
use crate::model::{MinersPhase, Override, Severity, SiteState};
use crate::units::{Moment, Temperature};

/// Writes a heartbeat when it is due.
pub(super) fn heartbeat(cfg: &Config, next: &mut SiteState, overrides: &[Override], now: &Moment, report: &mut Report) {
    if next.heartbeat.is_some_and(|last| now.since(&last) < cfg.notify.heartbeat_interval) {
        return;
    }
    next.heartbeat = Some(*now);
    let mut lines = vec![headline(next, now)];
    let intake = next.climate.intake.map_or("not known".to_owned(), |t| temperature(cfg, t));
    lines.push(format!("Intake {intake} ({})", next.climate.band.word()));
    let proven = next.fans.values().filter(|fan| fan.proven == Some(true)).count();
    let wanted = next.fans.values().filter(|fan| fan.wanted).count();
    lines.push(format!("Fans {proven} proven running, {wanted} wanted, {} in all", next.fans.len()));
    let signal = next.signal.last_good.as_ref();
    let read =
        signal.map_or("never read".to_owned(), |good| format!("`{}`, read {} ago", good.value, now.since(&good.at)));
    lines.push(format!("Signal {} for {}: {read}", next.signal.level.word(), now.since(&next.signal.since)));
    lines.extend(next.demand.reasons.iter().map(|reason| format!("Off because {}", reason.sentence())));
    lines.extend(next.alarms.values().map(|alarm| format!("{}: {}", alarm.severity.word(), alarm.text)));
    lines.extend(
        overrides.iter().map(|over| format!("Override {}, {} left ({})", over.setting, over.left(now), over.by)),
    );
    report.notice(now, Severity::Heartbeat, lines.join("\n"));
}

fn headline(next: &SiteState, now: &Moment) -> String {
    let watts = next.miners.watts.map_or("unknown power".to_owned(), |w| w.to_string());
    match &next.miners.phase {
        MinersPhase::Boot => format!("Starting up, {watts}"),
        MinersPhase::Running => format!("Mining, {watts}"),
        MinersPhase::Curtailing { since, rung, .. } => {
            format!("Going off by {} for {}, {watts} still drawn", rung.word(), now.since(since))
        }
        MinersPhase::Curtailed { since } => format!("Curtailed for {}, {watts}", now.since(since)),
        MinersPhase::Resuming { group, .. } => format!("Resuming, group {group}, {watts}"),
        MinersPhase::Fault { since } => {
            format!("NOT proven off by the deadline, for {}, {watts} still drawn", now.since(since))
        }
    }
}

fn temperature(cfg: &Config, t: Temperature) -> String {
    match cfg.temperature_unit {
        TemperatureUnit::Fahrenheit => format!("{:.1} °F", t.fahrenheit()),
        TemperatureUnit::Celsius => format!("{:.1} °C", t.value()),
    }
}
