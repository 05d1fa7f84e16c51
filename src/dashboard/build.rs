//! Makes the [`Status`] from what a run knows. The one place where the parts are put together.

use std::collections::BTreeSet;

use super::Input;
use super::calls;
use super::drills;
use super::headline::{self, Parts};
use super::inputs;
use super::miners;
use super::status::{
    AlarmStatus, Demand, DeviceStatus, EventStatus, OffBecause, OverrideStatus, STATUS_SCHEMA, Status, Why,
};
use super::words::{Words, clean};
use crate::model::Severity;
use crate::units::Seconds;

/// Events shown on the page and in `status.json`; the rest is in `minectl events`.
const EVENTS_MAX: usize = 60;
/// Reasons shown.
const REASONS_MAX: usize = 40;
/// A run draws its page at its end: so much later than due may the next page be without being late.
const GRACE: Seconds = Seconds(30);

impl Status {
    /// The site as `input` knows it.
    pub fn new(input: &Input) -> Status {
        let words = Words::new(input.cfg, input.now);
        let (alarms, devices) = (alarms(input, &words), devices(input, &words));
        let (fans, climate) = (inputs::fans(input, &words), inputs::climate(input, &words));
        let miners = miners::miners(input, &words);
        // One interval after the run that is due, a second one is missed.
        let stale_from = input.next_due.plus(input.cfg.loop_interval).plus(GRACE);
        let stale = input.now.wall >= stale_from || is_from_long_ago(input);
        let parts = Parts {
            miners: &miners,
            alarms: &alarms,
            fans: &fans,
            devices: &devices,
            switches: &climate.switches,
            stale,
        };
        Status {
            schema: STATUS_SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            site: clean(&input.cfg.site.name),
            mode: input.cfg.mode.word(),
            time: words.wall(input.now.wall),
            last_run: input.state.last_run.map(|at| words.point(&at)),
            next_due: words.wall(input.next_due),
            loop_interval_s: input.cfg.loop_interval.0,
            stale_from: stale_from.0,
            stale,
            test_clock: input.test_clock,
            state: headline::state(input),
            headline: headline::headline(input, &miners),
            worry: headline::worry(input, &parts),
            why: why(input),
            demand: demand(input, &words),
            signal: inputs::signal(input, &words),
            miners,
            calls: calls::calls(input, &words),
            drills: drills::drills(input, &words),
            climate,
            fans,
            pdus: inputs::pdus(input, &words),
            alarms,
            overrides: overrides(input, &words),
            events: events(input, &words),
            devices,
            troubles: input.lost.iter().map(|t| clean(t)).collect(),
        }
    }
}

/// Whether the last run is two intervals past: then two were missed, whatever is said to be due next.
fn is_from_long_ago(input: &Input) -> bool {
    let limit = Seconds(input.cfg.loop_interval.0.saturating_mul(2).saturating_add(GRACE.0));
    input.state.last_run.is_some_and(|at| input.now.since(&at) >= limit)
}

fn why(input: &Input) -> Vec<Why> {
    let shown = input.reasons.iter().take(REASONS_MAX);
    shown.map(|r| Why { subject: clean(&r.subject), text: clean(&r.text) }).collect()
}

fn demand(input: &Input, words: &Words) -> Demand {
    let demand = &input.state.demand;
    Demand {
        // Before the first pass nothing was judged, and an empty set means nothing.
        may_run: demand.reasons.is_empty() && input.state.last_pass.is_some(),
        since: words.point(&demand.since),
        reasons: demand.reasons.iter().map(|r| OffBecause { id: *r, text: r.sentence() }).collect(),
    }
}

fn alarms(input: &Input, words: &Words) -> Vec<AlarmStatus> {
    let mut standing: Vec<_> = input.state.alarms.iter().collect();
    standing.sort_by_key(|(_, alarm)| (std::cmp::Reverse(alarm.severity), alarm.since.wall));
    let shown = standing.into_iter().map(|(id, alarm)| AlarmStatus {
        id: clean(id),
        severity: match alarm.severity {
            Severity::Emergency => "emergency",
            Severity::Warning => "warning",
            Severity::Info | Severity::Heartbeat => "info",
        },
        text: clean(&alarm.text),
        since: words.point(&alarm.since),
        times_told: alarm.times_told,
        told: words.point(&alarm.told),
        acknowledged_by: alarm.acknowledged_by.as_deref().map(clean),
        flapping: alarm.flapping,
    });
    shown.collect()
}

fn overrides(input: &Input, words: &Words) -> Vec<OverrideStatus> {
    let holding = input.overrides.iter().map(|o| (o, o.left(&input.now))).filter(|(_, left)| *left > Seconds(0));
    let shown = holding.map(|(o, left)| OverrideStatus {
        target: clean(&o.setting.target()),
        setting: clean(&o.setting.to_string()),
        since: words.point(&o.since),
        left_s: left.0,
        left: left.to_string(),
        until: inputs::ends(words, left),
        by: clean(&o.by),
        reason: clean(&o.reason),
    });
    shown.collect()
}

fn events(input: &Input, words: &Words) -> Vec<EventStatus> {
    let shown = input.events.iter().take(EVENTS_MAX).map(|e| EventStatus {
        at: words.wall(e.at),
        kind: e.kind.word(),
        subject: clean(&e.subject),
        text: clean(&e.text),
    });
    shown.collect()
}

/// Every configured device, asked or not, and whatever else is remembered.
fn devices(input: &Input, words: &Words) -> Vec<DeviceStatus> {
    let cfg = input.cfg;
    let mut names: BTreeSet<&str> = input.state.devices.keys().map(String::as_str).collect();
    names.extend(cfg.rooms.iter().map(|d| d.name.as_str()));
    names.extend(cfg.boards.iter().map(|d| d.name.as_str()));
    names.extend(cfg.pdus.iter().map(|d| d.name.as_str()));
    names.extend([cfg.fan_watts.name(), cfg.foreman.name.as_str()]);
    let shown = names.into_iter().map(|name| {
        let health = input.state.devices.get(name);
        let fault = health.and_then(|h| h.fault.as_ref());
        DeviceStatus {
            name: clean(name),
            ok: health.map(|h| h.fault.is_none() && h.failures == 0),
            since: health.map(|h| words.point(&h.since)),
            failures: health.map_or(0, |h| h.failures),
            fault: fault.map(|f| clean(&format!("{}: {}", f.kind.word(), f.detail))),
            took_ms: input.snapshot.and_then(|s| s.took_ms.get(name).copied()),
        }
    });
    shown.collect()
}
