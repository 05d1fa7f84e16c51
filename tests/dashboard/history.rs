//! `minectl history`: from when to when, in which steps, which series, and each way to print them.

use minectl::cli::Format;
use minectl::clock::Clock;
use minectl::commands::history::{Query, history};
use minectl::config::Config;
use minectl::error::Error;
use minectl::model::Sample;
use minectl::store::{self, HistoryLimits};
use minectl::units::UnixSeconds;

use crate::fixture::{self, NOW};

/// A run every half hour of the last two hours, with a gap in one series.
fn kept() -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let mut cfg = fixture::config();
    cfg.paths.data = folder.path().to_owned();
    for (number, ago) in (0..4).rev().enumerate() {
        let value = |factor: f64| Some(factor * number as f64);
        append(&cfg, ago * 1800, &[("miners_w", value(1000.5)), ("fan.1_w", (number != 1).then_some(700.0))]);
    }
    (folder, cfg)
}

fn append(cfg: &Config, ago: i64, values: &[(&str, Option<f64>)]) {
    let folder = cfg.paths.data.join("history");
    std::fs::create_dir_all(&folder).unwrap();
    let samples: Vec<Sample> =
        values.iter().map(|(series, value)| Sample { series: (*series).to_owned(), value: *value }).collect();
    store::append_history(&folder, UnixSeconds(NOW - ago), &samples).unwrap();
}

const ALL: Query = Query { since: "2 h", until: None, step: None, series: &[] };

fn print(cfg: &Config, query: &Query, series: &[&str], format: Format) -> Result<String, Error> {
    let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let clock = Clock::parse(&format!("{real}:{NOW}:1")).unwrap();
    let series: Vec<String> = series.iter().map(|name| (*name).to_owned()).collect();
    let mut out = Vec::new();
    history(cfg, &clock, &Query { series: &series, ..*query }, format, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn refused(cfg: &Config, query: &Query) -> String {
    let error = print(cfg, query, &["*"], Format::Csv).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

#[test]
fn without_a_step_each_run_is_printed_in_each_format() {
    let (_folder, cfg) = kept();
    let all = |format| print(&cfg, &ALL, &["*"], format).unwrap();
    let at = |number: i64| NOW - (3 - number) * 1800;
    let csv = format!(
        "time_unix_s,fan.1_w,miners_w\n{},700,0\n{},,1000.5\n{},700,2001\n{},700,3001.5\n",
        at(0),
        at(1),
        at(2),
        at(3)
    );
    assert_eq!(all(Format::Csv), csv);
    let json: serde_json::Value = serde_json::from_str(&all(Format::Json)).unwrap();
    assert_eq!(json["fan.1_w"][1], serde_json::json!([at(1), null]));
    assert_eq!(json["miners_w"][1], serde_json::json!([at(1), 1000.5]));
    let influx = all(Format::Influx);
    let site = cfg.site.name.replace(' ', "\\ ");
    let expected = [
        format!("minectl,site={site} fan.1_w=700.0,miners_w=0.0 {}000000000", at(0)),
        format!("minectl,site={site} miners_w=1000.5 {}000000000", at(1)),
    ];
    assert_eq!(influx.lines().take(2).collect::<Vec<_>>(), expected);
    let table = all(Format::Table);
    assert_eq!(table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(), ["time", "fan.1_w", "miners_w"]);
    assert_eq!(table.lines().nth(2).unwrap().split_whitespace().skip(2).collect::<Vec<_>>(), ["-", "1000.5"]);
}

#[test]
fn a_step_has_least_mean_and_largest_in_each_format() {
    let (_folder, cfg) = kept();
    let query = Query { step: Some("1 day"), ..ALL };
    let all = |format| print(&cfg, &query, &["miners_*"], format).unwrap();
    let day = NOW.div_euclid(86_400) * 86_400;
    assert!(NOW - day > 5400, "all runs lie in one day");
    let csv = format!("time_unix_s,miners_w.min,miners_w.mean,miners_w.max\n{day},0,1500.75,3001.5\n");
    assert_eq!(all(Format::Csv), csv);
    assert_eq!(all(Format::Json), format!("{{\"miners_w\":[[{day},0.0,1500.75,3001.5]]}}\n"));
    assert!(all(Format::Influx).contains(" miners_w=1500.75,miners_w.min=0.0,miners_w.max=3001.5 "));
    assert!(all(Format::Table).ends_with("  1500.8 (0.0..3001.5)\n"), "{}", all(Format::Table));
}

#[test]
fn since_and_until_are_spans_back_or_times_at_the_site() {
    let (_folder, mut cfg) = kept();
    cfg.time_zone = "America/Chicago".to_owned();
    let rows = |query: &Query| print(&cfg, query, &["miners_w"], Format::Csv).unwrap().lines().count() - 1;
    assert_eq!(rows(&Query { since: "1800 s", ..ALL }), 2);
    assert_eq!(rows(&Query { since: "1799 s", ..ALL }), 1);
    assert_eq!(rows(&Query { until: Some("30 min"), ..ALL }), 3);
    let local = |ago: i64| {
        let at = jiff::Timestamp::from_second(NOW - ago).unwrap().in_tz("America/Chicago").unwrap();
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let (since, until) = (local(3600), local(1801));
    assert_eq!(rows(&Query { since: &since, until: Some(&until), ..ALL }), 1);
    assert!(refused(&cfg, &Query { since: &until, until: Some(&since), ..ALL }).contains(" is before --since "));
}

#[test]
fn series_are_chosen_by_several_patterns() {
    let (_folder, cfg) = kept();
    let names = |series: &[&str]| print(&cfg, &ALL, series, Format::Csv).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(names(&["fan.*_w", "miners_w"]), "time_unix_s,fan.1_w,miners_w");
    assert_eq!(names(&["*n*_w"]), "time_unix_s,fan.1_w,miners_w");
    assert_eq!(names(&["fan.1_w"]), "time_unix_s,fan.1_w", "a dot is a dot");
    let none = print(&cfg, &ALL, &["fanx1_w", "miner"], Format::Csv).unwrap_err().to_string();
    assert!(none.starts_with("no values of fanx1_w, miner from 20"), "{none}");
}

#[test]
fn what_is_no_time_and_no_step_is_refused_with_the_way_out() {
    let (_folder, cfg) = kept();
    let since = refused(&cfg, &Query { since: "yesterday", ..ALL });
    assert!(since.starts_with("--since: ") && since.ends_with(", or a time such as `2026-11-22 14:10`"), "{since}");
    assert!(refused(&cfg, &Query { until: Some("5"), ..ALL }).starts_with("--until: "));
    assert!(refused(&cfg, &Query { step: Some("0 s"), ..ALL }).starts_with("--step: "));
    assert!(
        refused(&cfg, &Query { since: "2000 days", step: Some("1 s"), ..ALL }).starts_with("--step: these are more")
    );
}

#[test]
fn without_a_step_older_times_come_in_the_finest_that_is_kept() {
    let (_folder, cfg) = kept();
    for day in 1..6 {
        append(&cfg, day * 86_400, &[("miners_w", Some(5.0))]);
    }
    for _ in 0..9 {
        let limits = HistoryLimits { full_days: 2, quarter_days: 3 };
        store::keep_history(&cfg.paths.data.join("history"), UnixSeconds(NOW), limits).unwrap();
    }
    let rows = |since| print(&cfg, &Query { since, ..ALL }, &["miners_w"], Format::Csv).unwrap();
    assert!(rows("1 day").starts_with("time_unix_s,miners_w\n"));
    let first = |text: String| text.lines().nth(1).unwrap().split(',').next().unwrap().parse::<i64>().unwrap();
    assert!(rows("3 days").starts_with("time_unix_s,miners_w.min,"));
    assert_eq!(first(rows("3 days")), (NOW - 3 * 86_400).div_euclid(900) * 900);
    assert_eq!(first(rows("5 days")), (NOW - 5 * 86_400).div_euclid(3600) * 3600);
}
