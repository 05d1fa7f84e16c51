//! The month on the page, in the form of a utility's bill: control days, hours, peak, and a calendar of them. All
//! figures are those of the scorecards; nothing is measured or judged anew.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::Input;
use super::words::{Words, count};
use crate::config::{OffWhen, SignalMeaning};
use crate::model::{CallRecord, History, SignalPeak, Verdict};
use crate::units::{Dollars, KilowattHours, Seconds, UnixSeconds};

/// Days of one call that are counted at most.
const DAYS_MAX: usize = 400;

/// What the template of the month shows.
#[derive(Debug, Serialize)]
pub(super) struct MonthView {
    name: String,
    days: Vec<DayView>,
    facts: Vec<FactView>,
}

#[derive(Debug, Serialize)]
struct DayView {
    number: i8,
    /// Where the first one stands in its week, from 1 (Monday) on.
    column: Option<i8>,
    /// `Thu 19 Nov`.
    name: String,
    /// How long the utility called.
    called: Option<String>,
    missed: bool,
    today: bool,
    ahead: bool,
}

#[derive(Debug, Serialize)]
struct FactView {
    label: &'static str,
    text: String,
    note: Option<String>,
}

/// How long a call of the utility's lasted on each local date; empty for other calls.
pub fn control_days(call: &CallRecord, zone: &TimeZone) -> BTreeMap<Date, Seconds> {
    let Some(read) = call.signal_read else { return BTreeMap::new() };
    let last = call.signal_cleared.unwrap_or(read.plus(call.signal_time));
    let date = |at: UnixSeconds| zoned(at, zone).date();
    let days = std::iter::successors(Some(date(read)), |day| day.tomorrow().ok().filter(|next| *next <= date(last)));
    let begin = |day: Date| zone.to_timestamp(day.at(0, 0, 0, 0)).map_or(0, Timestamp::as_second);
    let mut found: BTreeMap<Date, Seconds> = BTreeMap::new();
    for day in days.take(DAYS_MAX) {
        let next = day.tomorrow().map_or(i64::MAX, begin);
        let span = UnixSeconds(last.0.min(next)).since(UnixSeconds(read.0.max(begin(day))));
        found.insert(day, span);
    }
    // Within one day the record's own time holds: it leaves out what lay between two calls that became one.
    if let (1, Some(only)) = (found.len(), found.values_mut().next()) {
        *only = call.signal_time;
    }
    found
}

fn zoned(at: UnixSeconds, zone: &TimeZone) -> jiff::Zoned {
    Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
}

/// The present month at the site.
pub(super) fn view(input: &Input, words: &Words) -> MonthView {
    let zone = words.zone();
    let today = zoned(input.now.wall, zone).date();
    let all = input.calls.iter().chain(input.call);
    let calls: Vec<&CallRecord> =
        all.filter(|call| zoned(call.seen, zone).date().first_of_month() == today.first_of_month()).collect();
    let mut called: BTreeMap<Date, (Seconds, bool)> = BTreeMap::new();
    for call in &calls {
        for (day, span) in control_days(call, zone) {
            let entry = called.entry(day).or_insert((Seconds(0), false));
            *entry = (entry.0.plus(span), entry.1 || call.is_missed());
        }
    }
    let days = (1..=today.days_in_month()).filter_map(|number| {
        let date = Date::new(today.year(), today.month(), number).ok()?;
        let found = called.get(&date);
        Some(DayView {
            number,
            column: (number == 1).then(|| date.weekday().to_monday_one_offset()),
            name: date.strftime("%a %-d %b").to_string(),
            called: found.map(|(span, _)| hours(*span)),
            missed: found.is_some_and(|(_, missed)| *missed),
            today: date == today,
            ahead: date > today,
        })
    });
    MonthView {
        name: words.month_name(input.now.wall),
        days: days.collect(),
        facts: facts(input, words, &calls, called.len()),
    }
}

/// `2.5 h`: a utility's bill counts hours; less than six minutes are told as such.
fn hours(span: Seconds) -> String {
    if span.0 < 360 { span.to_string() } else { format!("{:.1} h", span.0 as f64 / 3600.0) }
}

fn facts(input: &Input, words: &Words, calls: &[&CallRecord], control_days: usize) -> Vec<FactView> {
    let ours: Vec<&&CallRecord> = calls.iter().filter(|call| call.is_utilitys()).collect();
    let number = |verdict| ours.iter().filter(|call| call.verdict == verdict).count();
    let time = ours.iter().fold(Seconds(0), |sum, call| sum.plus(call.signal_time));
    let verdicts = [Verdict::InTime, Verdict::Short, Verdict::Open, Verdict::Late, Verdict::NotProven];
    let parts = verdicts.into_iter().filter(|v| number(*v) > 0).map(|v| format!("{} {}", number(v), v.words()));
    let fact = |label, text: String, note: Option<String>| FactView { label, text, note };
    let verdicts = parts.collect::<Vec<_>>().join(", ");
    let mut facts = vec![
        fact("Control days", control_days.to_string(), None),
        fact("Control time", time.to_string(), None),
        fact("Calls", count(ours.len(), "call", "calls"), (!verdicts.is_empty()).then_some(verdicts)),
    ];
    if let Some((peak, exactly)) = peak(input, words, calls) {
        let at = if exactly { words.day_and_time(peak.at) } else { words.date(peak.at) };
        facts.push(fact("Peak on the page", peak.number.to_string(), Some(at)));
    }
    if let Some(energy) = calls.iter().filter_map(|call| call.not_drawn).reduce(KilowattHours::plus) {
        facts.push(fact("Not drawn", energy.to_string(), None));
    }
    let drawn = |call: &CallRecord| call.costs.demand_drawn.map_or(f64::NEG_INFINITY, Dollars::value);
    let priced = ours.iter().filter(|call| call.costs.demand_drawn.is_some());
    if let Some(worst) = priced.max_by(|a, b| drawn(a).total_cmp(&drawn(b)))
        && let (Some(avoided), Some(to_pay)) = (worst.costs.demand_avoided, worst.costs.demand_drawn)
    {
        let note = format!("estimate, if billed by the worst call ({})", words.day_and_time(worst.seen));
        facts.push(fact("Demand charge", format!("{avoided} avoided, {to_pay} to pay"), Some(note)));
    }
    facts
}

/// The page's number at its worst in this month, in calls or between them, and whether its time is known exactly: of a
/// month's thinned-out history it is not. `None` where the page shows words.
fn peak(input: &Input, words: &Words, calls: &[&CallRecord]) -> Option<(SignalPeak, bool)> {
    let SignalMeaning::Number { off_when, .. } = &input.cfg.signal.meaning else { return None };
    let month = words.month(input.now.wall);
    let read = |history: &'_ History, exactly: bool| -> Vec<(SignalPeak, bool)> {
        let points = history.series.get("signal").into_iter().flatten();
        let read = points.filter_map(|(at, number)| Some(SignalPeak { number: (*number)?, at: *at }));
        read.filter(|peak| words.month(peak.at) == month).map(|peak| (peak, exactly)).collect()
    };
    let in_calls = calls.iter().filter_map(|call| call.peak).map(|peak| (peak, true));
    let all = in_calls.chain(read(&input.trends.day, true)).chain(read(&input.trends.month, false));
    all.reduce(|worst, next| {
        let is_worse = match off_when {
            OffWhen::High => next.0.number > worst.0.number,
            OffWhen::Low => next.0.number < worst.0.number,
        };
        if is_worse { next } else { worst }
    })
}
