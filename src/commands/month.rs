//! `report`: the calls of a month in the form of a utility's bill: days, hours, peak, one row for each call, sums. All
//! figures are those of the scorecards; nothing is measured or judged anew.

use std::collections::BTreeSet;
use std::io::Write;

use jiff::civil::Date;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde::Serialize;

use super::month_table as table;
use super::printed;
use crate::clock::Clock;
use crate::config::{Config, OffWhen, SignalMeaning};
use crate::dashboard::{self, CallCard};
use crate::error::Error;
use crate::model::{CallRecord, SignalPeak, Verdict};
use crate::store::{self, Store};
use crate::tick;
use crate::units::{Dollars, KilowattHours, Seconds, UnixSeconds};

/// The calls of one month at the site.
pub(super) struct Month {
    pub(super) zone: TimeZone,
    /// Its first day.
    pub(super) first: Date,
    /// Oldest first; the last may be going on.
    pub(super) calls: Vec<CallRecord>,
    /// The page's number at its worst, in calls or between them; `None` where the page shows words.
    pub(super) peak: Option<SignalPeak>,
    /// Files and lines that could not be read.
    pub(super) troubles: Vec<String>,
}

/// What a month sums up to.
#[derive(Debug, Serialize)]
pub(super) struct Sums {
    /// Local dates on which the signal called.
    pub(super) control_days: BTreeSet<String>,
    /// Seconds for which it did.
    pub(super) control_time_s: u64,
    /// Calls of the utility.
    pub(super) calls: usize,
    /// Of these, proven off by the deadline.
    pub(super) in_time: usize,
    /// Proven off after it.
    pub(super) late: usize,
    /// Not proven off.
    pub(super) not_proven: usize,
    /// Going on.
    pub(super) going_on: usize,
    /// Times off without a call of the utility.
    pub(super) other: usize,
    /// Energy not drawn; null when nothing was measured.
    pub(super) not_drawn_kwh: Option<f64>,
    /// Time in calls in which nothing was measured.
    pub(super) unmeasured_s: u64,
    /// Estimate: demand charge to pay if the billed peak fell into the call that went worst.
    pub(super) demand_drawn_usd: Option<f64>,
    /// Estimate: demand charge avoided in that case. It is billed once: calls are not added up.
    pub(super) demand_avoided_usd: Option<f64>,
    /// When that call was read, in seconds since 1970.
    pub(super) demand_worst_call_unix: Option<i64>,
    /// Estimate: energy not bought.
    pub(super) energy_not_bought_usd: Option<f64>,
    /// Time off for other reasons than the signal.
    pub(super) needless_s: u64,
    /// Estimate: what that cost.
    pub(super) needless_usd: f64,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    site: &'a str,
    month: String,
    time_zone: &'a str,
    sums: Sums,
    signal_peak: Option<f64>,
    signal_peak_unix: Option<i64>,
    calls: Vec<CallCard>,
    troubles: &'a [String],
}

/// Prints the calls of a month (`2026-08`; the present one where none is given). `Err` for what is no month.
pub fn month(
    cfg: &Config,
    clock: &Clock,
    month: Option<&str>,
    (as_json, as_csv): (bool, bool),
    out: &mut dyn Write,
) -> Result<(), Error> {
    let now = clock.now();
    let present = store::month(&cfg.time_zone, now.wall);
    let first = first_day(month.unwrap_or(&present))?;
    let loaded = load(cfg, clock, first);
    let sums = loaded.sums();
    if as_json {
        let report = Report {
            site: &cfg.site.name,
            month: first.strftime("%Y-%m").to_string(),
            time_zone: &cfg.time_zone,
            sums,
            signal_peak: loaded.peak.map(|peak| peak.number),
            signal_peak_unix: loaded.peak.map(|peak| peak.at.0),
            calls: dashboard::call_cards(cfg, now, &loaded.calls),
            troubles: &loaded.troubles,
        };
        let text = serde_json::to_string_pretty(&report).map_err(|error| Error::Storage(format!("output: {error}")))?;
        return printed(writeln!(out, "{text}"));
    }
    printed(if as_csv { table::csv(&loaded, out) } else { table::print(cfg, &loaded, &sums, out) })
}

fn first_day(month: &str) -> Result<Date, Error> {
    let bad = || Error::Usage(format!("--month: `{month}` is no month; write it as 2026-08"));
    let digits = |c: (usize, char)| if c.0 == 4 { c.1 == '-' } else { c.1.is_ascii_digit() };
    if month.chars().count() != 7 || !month.chars().enumerate().all(digits) {
        return Err(bad());
    }
    format!("{month}-01").parse().map_err(|_| bad())
}

/// Gathers the month: its file, those beside it (the zone may have been another then), and what is not in a file yet.
fn load(cfg: &Config, clock: &Clock, first: Date) -> Month {
    let now = clock.now();
    let store = Store::with_refuge(&cfg.paths.data, &cfg.paths.page);
    let day = |date: Date| date.strftime("%Y-%m").to_string();
    let (before, after) = (first.yesterday().unwrap_or(first), first.last_of_month().tomorrow().unwrap_or(first));
    let read = store::read_calls(&store.calls_folder(), &day(before), &day(after));
    let mut calls = read.records;
    let mut troubles = read.troubles;
    let loaded = store.load(&now);
    troubles.extend(loaded.troubles);
    if let Some(state) = &loaded.state {
        let shown = tick::shown_calls(cfg, &store, state, &now);
        let unkept = shown.finished.into_iter().filter(|call| calls.iter().all(|known| known.seen != call.seen));
        let unkept: Vec<CallRecord> = unkept.chain(shown.running).collect();
        calls.extend(unkept);
        calls.sort_by_key(|call| call.seen);
    }
    let month = day(first);
    calls.retain(|call| store::month(&cfg.time_zone, call.seen) == month);
    let zone = TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC);
    let peak = peak(cfg, &store, &zone, first, after, &calls);
    Month { zone, first, calls, peak, troubles }
}

/// The worst number of the month: from the values of each run as long as they are kept, from the calls, and from the
/// history's steps, which know the moment only to 15 minutes.
fn peak(
    cfg: &Config,
    store: &Store,
    zone: &TimeZone,
    first: Date,
    after: Date,
    calls: &[CallRecord],
) -> Option<SignalPeak> {
    let SignalMeaning::Number { off_when, .. } = &cfg.signal.meaning else { return None };
    let begin = |date: Date| zone.to_timestamp(date.at(0, 0, 0, 0)).map_or(0, Timestamp::as_second);
    let (since, until) = (UnixSeconds(begin(first)), UnixSeconds(begin(after).saturating_sub(1)));
    let (folder, is_signal) = (store.history_folder(), |name: &str| name == "signal");
    let history = store::read_history(&folder, since, until, &is_signal);
    let points = history.series.get("signal").into_iter().flatten();
    let read = points.filter_map(|(at, number)| Some(SignalPeak { number: (*number)?, at: *at }));
    let trend = store::trend(&folder, &is_signal, since, until, Seconds::minutes(15));
    let steps = trend.series.get("signal").into_iter().flatten().map(|band| match off_when {
        OffWhen::High => SignalPeak { number: band.max, at: band.at },
        OffWhen::Low => SignalPeak { number: band.min, at: band.at },
    });
    let all = read.chain(calls.iter().filter_map(|call| call.peak)).chain(steps);
    all.reduce(|worst, next| {
        let is_worse = match off_when {
            OffWhen::High => next.number > worst.number,
            OffWhen::Low => next.number < worst.number,
        };
        if is_worse { next } else { worst }
    })
}

impl Month {
    /// A time at the site.
    pub(super) fn zoned(&self, at: UnixSeconds) -> Zoned {
        Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone())
    }

    /// The local dates on which the signal called in this call.
    fn days(&self, call: &CallRecord) -> Vec<String> {
        dashboard::control_days(call, &self.zone).keys().map(ToString::to_string).collect()
    }

    fn sums(&self) -> Sums {
        let ours: Vec<&CallRecord> = self.calls.iter().filter(|call| call.is_utilitys()).collect();
        let number = |verdict| ours.iter().filter(|call| call.verdict == verdict).count();
        let spans = |span: fn(&CallRecord) -> Seconds| self.calls.iter().fold(Seconds(0), |sum, c| sum.plus(span(c))).0;
        let energy = self.calls.iter().filter_map(|call| call.not_drawn).reduce(KilowattHours::plus);
        let bought = self.calls.iter().filter_map(|call| call.costs.energy_not_bought).reduce(Dollars::plus);
        let charge = |call: &CallRecord| call.costs.demand_drawn.map_or(f64::NEG_INFINITY, Dollars::value);
        let charged = ours.iter().filter(|call| call.costs.demand_drawn.is_some());
        let worst = charged.max_by(|a, b| charge(a).total_cmp(&charge(b)));
        Sums {
            control_days: ours.iter().flat_map(|call| self.days(call)).collect(),
            control_time_s: spans(|call| call.signal_time),
            calls: ours.len(),
            in_time: number(Verdict::InTime),
            late: number(Verdict::Late),
            not_proven: number(Verdict::NotProven),
            going_on: self.calls.iter().filter(|call| call.ended.is_none()).count(),
            other: self.calls.len().saturating_sub(ours.len()),
            not_drawn_kwh: energy.map(KilowattHours::value),
            unmeasured_s: spans(|call| call.unmeasured),
            demand_drawn_usd: worst.and_then(|call| call.costs.demand_drawn).map(Dollars::value),
            demand_avoided_usd: worst.and_then(|call| call.costs.demand_avoided).map(Dollars::value),
            demand_worst_call_unix: worst.map(|call| call.seen.0),
            energy_not_bought_usd: bought.map(Dollars::value),
            needless_s: spans(|call| call.needless),
            needless_usd: self.calls.iter().fold(Dollars::ZERO, |sum, call| sum.plus(call.costs.needless)).value(),
        }
    }
}
