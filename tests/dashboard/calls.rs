//! The calls on the page, in `status.json` and in the metrics, with sites that had some.

use std::collections::BTreeSet;

use minectl::dashboard::{self, Status};
use minectl::model::*;
use minectl::units::*;
use scraper::{Html, Selector};
use serde_json::Value;

use crate::fixture::{self, NOW, Site, w};

/// A call of the utility that began so many seconds ago, met in time, and over.
pub(crate) fn met(ago: i64) -> CallRecord {
    let seen = UnixSeconds(NOW - ago);
    let later = |seconds| Some(seen.plus(Seconds(seconds)));
    let mark = |wanted, after, watts| Mark { wanted: Seconds(wanted), after: Seconds(after), watts: w(watts) };
    let dollars = |value| Dollars::new(value).unwrap();
    CallRecord {
        schema: CALL_SCHEMA,
        observe: false,
        seen,
        page_changed: Some(PageChanged { at: seen.minus(Seconds(71)), by: ChangeSource::PageStamp }),
        signal_read: Some(seen),
        reasons: BTreeSet::from([OffReason::Curtail]),
        verdict: Verdict::InTime,
        first_command_after: Some(Seconds(2)),
        watts_before: Some(w(811_900.0)),
        baseline: Some(w(811_900.0)),
        marks: vec![mark(60, 55, 412_300.0), mark(120, 118, 6_100.0), mark(240, 241, 6_080.0)],
        shed_after: Some(Seconds(94)),
        proven_after: Some(Seconds(94)),
        stragglers: Some(Stragglers::default()),
        rungs: BTreeSet::from([Rung::Foreman]),
        late: Seconds(0),
        worst_after_proof: Some(WattsAt { watts: w(6_300.0), at: seen.plus(Seconds(1800)) }),
        peak: Some(SignalPeak { number: 331.4, at: seen.plus(Seconds(2400)) }),
        signal_time: Seconds(8_940),
        signal_cleared: later(8_940),
        cleared: later(8_940),
        resumed: later(10_200),
        resume_time: Some(Seconds(1_260)),
        ended: later(10_200),
        lasted: Seconds(10_200),
        groups_not_back: BTreeSet::new(),
        not_drawn: KilowattHours::new(2_148.0).ok(),
        unmeasured: Seconds(0),
        billed: Some(w(29_400.0)),
        needless: Seconds(0),
        costs: Costs {
            demand_avoided: Some(dollars(11_737.5)),
            demand_drawn: Some(dollars(441.0)),
            energy_not_bought: Some(dollars(150.36)),
            needless: Dollars::ZERO,
        },
        watts_by_hand: false,
    }
}

/// One that was proven off too late, with outlets that still drew power and a group that stayed away.
pub(crate) fn late(ago: i64) -> CallRecord {
    let names = ["pdu-b outlet 3", "pdu-b outlet 17", "pdu-f outlet 41"].map(str::to_owned).to_vec();
    CallRecord {
        page_changed: Some(PageChanged { at: UnixSeconds(NOW - ago), by: ChangeSource::FirstRead }),
        verdict: Verdict::Late,
        marks: Vec::new(),
        shed_after: None,
        proven_after: Some(Seconds(550)),
        late: Seconds(190),
        stragglers: Some(Stragglers { count: 3, names, unread: 2 }),
        rungs: BTreeSet::from([Rung::Foreman, Rung::Outlets]),
        groups_not_back: BTreeSet::from([2]),
        unmeasured: Seconds(480),
        ..met(ago)
    }
}

/// Off for heat, without the signal.
pub(crate) fn heat(ago: i64) -> CallRecord {
    let needless = Dollars::new(41.5).unwrap();
    CallRecord {
        page_changed: None,
        signal_read: None,
        signal_cleared: None,
        signal_time: Seconds(0),
        reasons: BTreeSet::from([OffReason::TooHot]),
        peak: None,
        billed: None,
        needless: Seconds(2_988),
        costs: Costs { demand_avoided: None, demand_drawn: None, needless, ..met(ago).costs },
        ..met(ago)
    }
}

/// One that goes on and is not proven yet.
pub(crate) fn going_on(ago: i64) -> CallRecord {
    CallRecord {
        verdict: Verdict::Open,
        marks: Vec::new(),
        shed_after: None,
        proven_after: None,
        stragglers: None,
        worst_after_proof: None,
        signal_time: Seconds(ago.unsigned_abs()),
        signal_cleared: None,
        cleared: None,
        resumed: None,
        resume_time: None,
        ended: None,
        lasted: Seconds(ago.unsigned_abs()),
        not_drawn: None,
        ..met(ago)
    }
}

const DAY: i64 = 86_400;

/// Calls of two months, oldest first.
pub(crate) fn past() -> Vec<CallRecord> {
    vec![met(31 * DAY), late(20 * DAY), heat(9 * DAY), met(8 * DAY), met(3 * DAY + 14_400)]
}

fn json(site: &Site) -> Value {
    serde_json::from_str(&dashboard::json(&Status::new(&site.input())).unwrap()).unwrap()
}

fn metrics(site: &Site) -> String {
    dashboard::metrics(&Status::new(&site.input()))
}

fn with_calls(calls: Vec<CallRecord>, call: Option<CallRecord>) -> Site {
    Site { calls, call, ..fixture::mining() }
}

/// The texts of the elements that match, with single blanks.
fn texts(site: &Site, selector: &str) -> Vec<String> {
    let page = Html::parse_document(&dashboard::page(&site.input()).unwrap());
    let selector = Selector::parse(selector).unwrap();
    let found = page.select(&selector).map(|e| e.text().collect::<Vec<_>>().join(" "));
    found.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_table_of_calls_reads_as_before() {
    let site = with_calls(past(), Some(going_on(42)));
    insta::assert_snapshot!("calls_text", texts(&site, "#h-calls, #calls .calls tr, #h-calls ~ .fine").join("\n"));
}

#[test]
fn the_last_ten_calls_are_shown_newest_first_and_the_running_one_above_them() {
    let all: Vec<CallRecord> = (1..=12).rev().map(|day| met(day * DAY)).collect();
    let site = with_calls(all.clone(), None);
    assert_eq!(texts(&site, "#calls .calls tbody tr").len(), 10);
    let last = json(&site)["calls"]["last"].clone();
    assert_eq!(last.as_array().unwrap().len(), 10);
    assert_eq!(last[0]["seen"]["unix"], NOW - DAY);
    let site = with_calls(all, Some(going_on(42)));
    assert_eq!(texts(&site, "#calls .calls tbody tr").len(), 11);
    assert!(texts(&site, "#calls .calls tbody tr")[0].contains("going on"));
    assert_eq!(texts(&site, ".call-now").len(), 1);
    assert_eq!(json(&site)["calls"]["running"]["verdict"], "open");
}

#[test]
fn without_a_call_the_page_says_so() {
    let site = with_calls(Vec::new(), None);
    assert_eq!(texts(&site, "#h-calls ~ .none"), ["No call yet."]);
    assert!(texts(&site, "#calls .calls").is_empty());
    assert!(json(&site)["calls"]["running"].is_null());
}

#[test]
fn the_months_sums_count_the_utilitys_calls_of_the_sites_month() {
    // The month began in Chicago at midnight 21 days ago, and its first day had 25 hours.
    let begun = 21 * DAY + 12 * 3600 + 131 + 3600;
    for (ago, number) in [(begun, 1), (begun + 1, 0)] {
        let sums = json(&with_calls(vec![met(ago)], None))["calls"].clone();
        assert_eq!((sums["month"].as_str(), sums["month_calls"].as_u64()), (Some("2026-11"), Some(number)), "{ago}");
    }
    let sums = json(&with_calls(past(), Some(going_on(42))))["calls"].clone();
    assert_eq!((sums["month_calls"].as_u64(), sums["month_missed"].as_u64()), (Some(4), Some(1)));
    assert_eq!(sums["month_signal_time_s"], 3 * 8_940 + 42);
}

#[test]
fn the_metrics_have_the_last_proof_and_the_months_counts() {
    let text = metrics(&with_calls(past(), None));
    for line in ["minectl_call_last_proof_seconds 94\n", "minectl_month_calls 3\n", "minectl_month_calls_missed 1\n"] {
        assert!(text.contains(line), "{line}{text}");
    }
    let unproven = metrics(&with_calls(past(), Some(going_on(42))));
    assert!(!unproven.contains("minectl_call_last_proof_seconds"), "a missing proof is a missing series");
    assert!(unproven.contains("minectl_month_calls 4\n"));
    assert!(metrics(&with_calls(Vec::new(), None)).contains("minectl_month_calls 0\n"));
}

#[test]
fn every_cell_says_on_a_phone_what_it_is() {
    let page = dashboard::page(&with_calls(past(), Some(going_on(42))).input()).unwrap();
    let page = Html::parse_document(&page);
    let heads: Vec<String> =
        page.select(&Selector::parse("#calls .calls thead th").unwrap()).map(|head| head.text().collect()).collect();
    for row in page.select(&Selector::parse("#calls .calls tbody tr").unwrap()) {
        let labels: Vec<&str> =
            row.select(&Selector::parse("td").unwrap()).map(|cell| cell.value().attr("data-label").unwrap()).collect();
        assert_eq!(labels, heads[1..]);
    }
}

#[test]
fn the_calendar_has_the_control_days_with_their_hours_and_marks_the_missed_one() {
    let site = with_calls(past(), None);
    assert_eq!(texts(&site, ".calendar li").len(), 30);
    assert_eq!(texts(&site, ".calendar .called"), ["2 2.5 h missed", "14 2.5 h", "19 2.5 h"]);
    assert_eq!(texts(&site, ".calendar .missed").len(), 1);
    assert_eq!(texts(&site, ".calendar .today"), ["22"]);
    let facts = texts(&site, "#month .facts > div");
    assert_eq!(facts[0..3], ["Control days 3", "Control time 7 h 27 min", "Calls 3 calls 2 in time, 1 late"]);
    assert!(texts(&with_calls(Vec::new(), None), ".calendar .called").is_empty());
}

#[test]
fn a_call_over_midnight_is_two_control_days_with_the_hours_of_each() {
    // Read at 22:02 of the 20th, cleared at 01:02 of the 21st.
    let mut call = met(38 * 3_600);
    call.signal_time = Seconds(3 * 3_600);
    call.signal_cleared = Some(UnixSeconds(NOW - 35 * 3_600));
    let site = with_calls(vec![call], None);
    assert_eq!(texts(&site, ".calendar .called"), ["20 2.0 h", "21 1.0 h"]);
}

#[test]
fn the_months_peak_is_the_worst_number_of_calls_and_history() {
    let peak = |site: &Site| {
        let facts = texts(site, "#month .facts > div");
        facts.into_iter().find(|fact| fact.starts_with("Peak"))
    };
    let mut site = with_calls(past(), None);
    assert_eq!(peak(&site).as_deref(), Some("Peak on the page 331.4 Mon 2 Nov 12:42"));
    let points = site.trends.month.series.get_mut("signal").unwrap();
    points.push((UnixSeconds(NOW - 3 * DAY), Some(340.0)));
    assert_eq!(
        peak(&site).as_deref(),
        Some("Peak on the page 340 19 Nov"),
        "of a stretch of time only the day is known"
    );
    // A day of October is none of November's.
    site.trends.month.series.get_mut("signal").unwrap().last_mut().unwrap().0 = UnixSeconds(NOW - 23 * DAY);
    assert_eq!(peak(&site).as_deref(), Some("Peak on the page 331.4 Mon 2 Nov 12:42"));
}
