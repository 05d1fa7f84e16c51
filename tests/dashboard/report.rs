//! `minectl report`: the month for people and for programs, from files as the runs leave them.

use std::collections::BTreeSet;

use minectl::clock::Clock;
use minectl::commands::month::month;
use minectl::config::{Config, SignalMeaning};
use minectl::error::Error;
use minectl::model::*;
use minectl::store::{self, Change, Store};
use minectl::units::*;

use crate::calls::{late, met, past};
use crate::fixture::{self, NOW, at};

/// A data folder with these calls in it.
fn kept(calls: &[CallRecord]) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let mut cfg = fixture::config();
    cfg.paths.data = folder.path().join("data");
    cfg.paths.page = folder.path().join("page");
    let store = Store::new(&cfg.paths.data).unwrap();
    for call in calls {
        let month = store::month(&cfg.time_zone, call.seen);
        store::append_call(&store.calls_folder(), &month, call).unwrap();
    }
    (folder, cfg)
}

fn print(cfg: &Config, name: Option<&str>, how: (bool, bool)) -> Result<String, Error> {
    let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let clock = Clock::parse(&format!("{real}:{NOW}:1")).unwrap();
    let mut out = Vec::new();
    month(cfg, &clock, name, how, &mut out).map(|()| String::from_utf8(out).unwrap())
}

const TEXT: (bool, bool) = (false, false);
const JSON: (bool, bool) = (true, false);
const CSV: (bool, bool) = (false, true);

fn json(cfg: &Config, name: Option<&str>) -> serde_json::Value {
    serde_json::from_str(&print(cfg, name, JSON).unwrap()).unwrap()
}

/// One that never was proven off.
fn not_proven(ago: i64) -> CallRecord {
    CallRecord {
        verdict: Verdict::NotProven,
        proven_after: None,
        stragglers: None,
        worst_after_proof: None,
        late: Seconds(8_580),
        rungs: BTreeSet::from([Rung::Foreman, Rung::Outlets]),
        ..met(ago)
    }
}

#[test]
fn the_month_for_people_reads_as_before() {
    let mut calls = past();
    calls.push(not_proven(86_400 + 3_600));
    let (_folder, cfg) = kept(&calls);
    insta::assert_snapshot!("report_text", print(&cfg, None, TEXT).unwrap());
}

#[test]
fn the_month_for_a_spreadsheet_reads_as_before_and_every_line_has_every_field() {
    let (_folder, cfg) = kept(&past());
    let text = print(&cfg, Some("2026-11"), CSV).unwrap();
    let fields = |line: &str| {
        let mut quoted = false;
        line.chars()
            .filter(|c| {
                *c == '"' && {
                    quoted = !quoted;
                    false
                } || *c == ',' && !quoted
            })
            .count()
    };
    let counts: BTreeSet<usize> = text.lines().map(fields).collect();
    assert_eq!(counts.len(), 1, "{text}");
    insta::assert_snapshot!("report_csv", text);
}

#[test]
fn the_month_for_programs_has_sums_and_scorecards() {
    let (_folder, cfg) = kept(&past());
    let report = json(&cfg, None);
    assert_eq!(report["month"], "2026-11");
    let sums = &report["sums"];
    assert_eq!(
        (&sums["calls"], &sums["in_time"], &sums["late"], &sums["other"]),
        (&3.into(), &2.into(), &1.into(), &1.into())
    );
    assert_eq!(sums["control_days"], serde_json::json!(["2026-11-02", "2026-11-14", "2026-11-19"]));
    assert_eq!(sums["control_time_s"], 3 * 8_940);
    assert_eq!(report["calls"].as_array().unwrap().len(), 4);
    assert_eq!(report["calls"][0]["verdict"], "late");
    assert_eq!(report["signal_peak"], 331.4);
}

#[test]
fn the_demand_charge_of_the_month_is_that_of_the_worst_call_and_no_sum() {
    let worse = CallRecord {
        costs: Costs {
            demand_drawn: Dollars::new(5_000.0).ok(),
            demand_avoided: Dollars::new(7_178.5).ok(),
            ..met(0).costs
        },
        ..met(5 * 86_400)
    };
    let (_folder, cfg) = kept(&[met(6 * 86_400), worse, met(4 * 86_400)]);
    let sums = json(&cfg, None)["sums"].clone();
    assert_eq!(
        (sums["demand_drawn_usd"].as_f64(), sums["demand_avoided_usd"].as_f64()),
        (Some(5_000.0), Some(7_178.5))
    );
    assert_eq!(sums["demand_worst_call_unix"], NOW - 5 * 86_400);
}

#[test]
fn another_month_is_printed_by_its_name_and_one_without_calls_says_so() {
    let (_folder, cfg) = kept(&past());
    assert!(print(&cfg, Some("2026-10"), TEXT).unwrap().contains("Thu 22 Oct"));
    let empty = print(&cfg, Some("2026-08"), TEXT).unwrap();
    assert!(empty.ends_with("No calls in August 2026.\n"), "{empty}");
    assert_eq!(print(&cfg, Some("2026-08"), CSV).unwrap().lines().count(), 1);
    assert!(json(&cfg, Some("2026-08"))["calls"].as_array().unwrap().is_empty());
    let (_folder, fresh) = kept(&[]);
    assert!(print(&fresh, None, TEXT).unwrap().ends_with("No calls in November 2026.\n"));
}

#[test]
fn what_is_no_month_is_refused_with_the_way_out() {
    let (_folder, cfg) = kept(&[]);
    for wrong in
        ["2026-13", "2026-00", "2026-8", "08-2026", "2026-08-01", "August", "", "2026/08", "-026-08", "２026-08"]
    {
        let error = print(&cfg, Some(wrong), TEXT).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{wrong}");
        assert_eq!(error.to_string(), format!("--month: `{wrong}` is no month; write it as 2026-08"));
    }
}

#[test]
fn a_call_that_goes_on_and_one_that_no_disk_took_are_in_the_report() {
    let (_folder, cfg) = kept(&past());
    let mut state = fixture::curtailed().state;
    state.calls_unkept.push(late(7_200 + 10_200));
    let store = Store::new(&cfg.paths.data).unwrap();
    store.save(&Change { state: Some(state), ..Change::default() }, &at(0)).unwrap();
    let text = print(&cfg, None, TEXT).unwrap();
    assert!(text.contains("; 1 still going on"), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("Sun 22 Nov  ")).collect();
    assert!(
        matches!(rows.as_slice(), [unkept, running] if unkept.contains("late 3:10") && running.contains("going on")),
        "{rows:?}"
    );
    assert!(json(&cfg, None)["calls"][5]["going_on"].as_bool().unwrap());
    assert_eq!(json(&cfg, Some("2026-10"))["calls"].as_array().unwrap().len(), 1, "it goes on in its own month only");
}

#[test]
fn the_peak_is_the_worst_number_of_the_month_also_between_calls_and_none_of_words() {
    let (_folder, mut cfg) = kept(&past());
    let history = cfg.paths.data.join("history");
    for (ago, number) in [(2 * 86_400, 352.5), (40 * 86_400, 400.0)] {
        let sample = Sample { series: "signal".to_owned(), value: Some(number) };
        store::append_history(&history, UnixSeconds(NOW - ago), &[sample]).unwrap();
    }
    assert_eq!(json(&cfg, None)["signal_peak"], 352.5);
    assert_eq!(json(&cfg, None)["signal_peak_unix"], NOW - 2 * 86_400);
    // Its samples have gone, the 15 minutes are still there.
    let limits = store::HistoryLimits { full_days: 1, quarter_days: 99 };
    for _ in 0..3 {
        store::keep_history(&history, UnixSeconds(NOW), limits).unwrap();
    }
    assert_eq!(json(&cfg, None)["signal_peak"], 352.5);
    assert_eq!(json(&cfg, Some("2026-10"))["signal_peak"], 400.0);
    let at = json(&cfg, Some("2026-10"))["signal_peak_unix"].as_i64().unwrap();
    assert!((0..900).contains(&(NOW - 40 * 86_400 - at)), "{at}");
    cfg.signal.meaning = SignalMeaning::Words { curtail: vec!["OFF".to_owned()], run: vec!["ON".to_owned()] };
    assert!(json(&cfg, None)["signal_peak"].is_null());
}

#[test]
fn a_line_that_cannot_be_read_is_told_below_the_others() {
    let (_folder, cfg) = kept(&past());
    let path = cfg.paths.data.join("calls/2026-11.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 30]).unwrap();
    let text = print(&cfg, None, TEXT).unwrap();
    assert!(text.lines().last().unwrap().ends_with("2026-11.jsonl: line 4 is torn"), "{text}");
    assert_eq!(json(&cfg, None)["calls"].as_array().unwrap().len(), 3);
}

#[test]
fn a_call_over_midnight_has_two_control_days() {
    let midnight = 12 * 3600 + 131;
    let (_folder, cfg) = kept(&[met(midnight + 60)]);
    assert_eq!(json(&cfg, None)["sums"]["control_days"], serde_json::json!(["2026-11-21", "2026-11-22"]));
}
