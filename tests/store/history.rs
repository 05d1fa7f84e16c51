//! The history: each run's samples for a month, then quarters of an hour, then hours; and what torn files cost.

use std::fs;
use std::path::Path;

use minectl::model::{History, Sample};
use minectl::store::{
    Band, HistoryLimits, Trend, append_history, finest_step, keep_history, read_history, runs_after, trend,
};
use minectl::units::{Seconds, UnixSeconds};

use crate::support::files;

const DAY: i64 = 86_400;
const LIMITS: HistoryLimits = HistoryLimits { full_days: 3, quarter_days: 5 };

fn samples(values: &[(&str, Option<f64>)]) -> Vec<Sample> {
    values.iter().map(|(series, value)| Sample { series: (*series).to_owned(), value: *value }).collect()
}

fn append(folder: &Path, at: i64, values: &[(&str, Option<f64>)]) {
    append_history(folder, UnixSeconds(at), &samples(values)).unwrap();
}

fn all(folder: &Path) -> History {
    read_history(folder, UnixSeconds(0), UnixSeconds(100 * DAY), &|_| true)
}

fn trend_of(folder: &Path, since: i64, until: i64, step: u64) -> Trend {
    trend(folder, &|_| true, UnixSeconds(since), UnixSeconds(until), Seconds(step))
}

/// Begin, least, mean, largest.
fn bands(trend: &Trend, series: &str) -> Vec<(i64, f64, f64, f64)> {
    let of = trend.series.get(series).map(Vec::as_slice).unwrap_or_default();
    of.iter().map(|Band { at, min, mean, max, .. }| (at.0, *min, *mean, *max)).collect()
}

fn keep(folder: &Path, now: i64) -> Option<String> {
    keep_history(folder, UnixSeconds(now), LIMITS).unwrap()
}

#[test]
fn what_is_appended_is_read_back_with_its_gaps() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), 100, &[("a_w", Some(1.5)), ("b_c", None)]);
    append(folder.path(), DAY + 100, &[("a_w", Some(2.0))]);
    let history = all(folder.path());
    assert_eq!(history.series["a_w"], [(UnixSeconds(100), Some(1.5)), (UnixSeconds(DAY + 100), Some(2.0))]);
    assert_eq!(history.series["b_c"], [(UnixSeconds(100), None)]);
    let only = read_history(folder.path(), UnixSeconds(101), UnixSeconds(2 * DAY), &|name| name == "a_w");
    assert_eq!(only.series.len(), 1);
    assert_eq!(only.series["a_w"].len(), 1);
}

/// Cut at each byte of the last line: never a false value, and the next line is whole.
#[test]
fn a_line_torn_anywhere_gives_no_value_and_the_next_line_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1970-01-01.csv");
    append(folder.path(), 100, &[("a_w", Some(1.0)), ("b_w", Some(2.0))]);
    let whole = fs::read(&path).unwrap();
    append(folder.path(), 220, &[("a_w", Some(300.0)), ("b_w", Some(40.25))]);
    let second = fs::read(&path).unwrap();
    for length in whole.len()..second.len() {
        fs::write(&path, &second[..length]).unwrap();
        let times = |history: &History| history.series["b_w"].iter().map(|(at, v)| (at.0, *v)).collect::<Vec<_>>();
        assert_eq!(times(&all(folder.path())), [(100, Some(2.0))], "cut to {length}");
        append(folder.path(), 340, &[("a_w", Some(4.0)), ("b_w", Some(5.0))]);
        assert_eq!(times(&all(folder.path())), [(100, Some(2.0)), (340, Some(5.0))], "cut to {length}");
    }
}

#[test]
fn a_header_torn_anywhere_costs_no_later_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1970-01-01.csv");
    append(folder.path(), 100, &[("a_w", Some(1.0)), ("b_w", Some(2.0))]);
    let header = fs::read(&path).unwrap().iter().position(|byte| *byte == b'\n').unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..=header {
        fs::write(&path, &whole[..length]).unwrap();
        append(folder.path(), 340, &[("a_w", Some(4.0)), ("b_w", Some(5.0))]);
        let history = all(folder.path());
        assert_eq!(history.series["b_w"], [(UnixSeconds(340), Some(5.0))], "cut to {length}");
        assert_eq!(history.series.len(), 2, "cut to {length}");
    }
}

#[test]
fn garbage_in_a_day_costs_only_its_own_lines() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), 100, &[("a_w", Some(1.0))]);
    let path = folder.path().join("1970-01-01.csv");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(b"\0\0\0\0\xff\xfe\n160,1,2\n,\n\ntime\n-\n170\n180,NaN\n190,x\n200,inf\n");
    fs::write(&path, bytes).unwrap();
    append(folder.path(), 220, &[("a_w", Some(2.0))]);
    let points: Vec<(i64, Option<f64>)> = all(folder.path()).series["a_w"].iter().map(|(at, v)| (at.0, *v)).collect();
    assert_eq!(points, [(100, Some(1.0)), (180, None), (190, None), (200, None), (220, Some(2.0))]);
}

#[test]
fn points_are_in_order_although_the_clock_went_back() {
    let folder = tempfile::tempdir().unwrap();
    for at in [500, 300, 400] {
        append(folder.path(), at, &[("a_w", Some(1.0))]);
    }
    let times: Vec<i64> = all(folder.path()).series["a_w"].iter().map(|(at, _)| at.0).collect();
    assert_eq!(times, [300, 400, 500]);
    let steps: Vec<i64> = bands(&trend_of(folder.path(), 0, 600, 100), "a_w").iter().map(|band| band.0).collect();
    assert_eq!(steps, [300, 400, 500]);
}

/// Seconds and values of `a` of the runs after a moment, at most so many.
fn after(folder: &Path, after: i64, until: i64, count: usize) -> Vec<(i64, Option<f64>)> {
    let mut found = Vec::new();
    runs_after(folder, UnixSeconds(after), UnixSeconds(until), &mut |at, (names, values)| {
        let place = names.iter().position(|name| *name == "a").unwrap();
        found.push((at.0, values[place]));
        found.len() < count
    });
    found
}

#[test]
fn runs_after_a_moment_come_in_order_over_days_new_series_and_clocks_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let day = 86_400;
    append(folder.path(), day - 60, &[("a", Some(1.0))]);
    append(folder.path(), day + 100, &[("a", Some(2.0))]);
    append(folder.path(), day + 300, &[("b", Some(9.0)), ("a", Some(4.0))]);
    // The clock is set back, and one second comes twice.
    append(folder.path(), day + 200, &[("b", None), ("a", None)]);
    append(folder.path(), day + 300, &[("b", None), ("a", Some(5.0))]);
    let all = [(day - 60, Some(1.0)), (day + 100, Some(2.0)), (day + 200, None), (day + 300, Some(5.0))];
    assert_eq!(after(folder.path(), 0, 2 * day, 9), all);
    assert_eq!(after(folder.path(), day - 60, 2 * day, 9), all[1..], "what is at the moment itself is not after it");
    assert_eq!(after(folder.path(), day - 61, 2 * day, 9), all);
    assert_eq!(after(folder.path(), 0, day + 299, 9), all[..3]);
    assert_eq!(after(folder.path(), 0, day + 300, 9), all);
    assert_eq!(after(folder.path(), 0, 2 * day, 2), all[..2]);
    assert_eq!(after(folder.path(), day + 300, 2 * day, 9), []);
}

#[test]
fn a_step_has_least_mean_and_largest_and_a_step_without_a_value_has_none() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), 0, &[("a_w", Some(10.0)), ("b_c", None)]);
    append(folder.path(), 899, &[("a_w", Some(40.0)), ("b_c", None)]);
    append(folder.path(), 900, &[("a_w", None), ("b_c", Some(-3.0))]);
    append(folder.path(), 1800, &[("a_w", Some(7.0)), ("b_c", Some(-4.5))]);
    let trend = trend_of(folder.path(), 0, 1800, 900);
    assert_eq!(trend.step, Seconds(900));
    assert_eq!(bands(&trend, "a_w"), [(0, 10.0, 25.0, 40.0), (1800, 7.0, 7.0, 7.0)]);
    assert_eq!(bands(&trend, "b_c"), [(900, -3.0, -3.0, -3.0), (1800, -4.5, -4.5, -4.5)]);
    assert!(trend_of(folder.path(), 1801, 1801, 1).series.is_empty());
}

/// Two days with a run every ten minutes; the first is summed up, the second is today.
fn two_days() -> (tempfile::TempDir, Vec<(u64, Trend)>) {
    let folder = tempfile::tempdir().unwrap();
    for run in 0..288_i64 {
        let value = (run * 7919 % 1000) as f64 / 8.0;
        let missing = run % 5 == 0;
        append(folder.path(), run * 600, &[("a_w", Some(value)), ("b_c", (!missing).then_some(-value))]);
        if run == 100 {
            append(folder.path(), run * 600 + 1, &[("new_w", Some(1.0)), ("a_w", Some(2.0))]);
        }
    }
    let steps = [900, 1800, 3600, 7200, 86_400];
    let before = steps.map(|step| (step, trend_of(folder.path(), 0, 2 * DAY, step))).to_vec();
    (folder, before)
}

#[test]
fn the_prepared_files_say_the_same_as_the_samples_they_were_made_of() {
    let (folder, before) = two_days();
    assert!(keep(folder.path(), DAY + 7200).unwrap().ends_with("1970-01-01.csv is summed up"));
    assert_eq!(keep(folder.path(), DAY + 7260), None, "once");
    // So that they are looked at.
    fs::remove_file(folder.path().join("1970-01-01.csv")).unwrap();
    for (step, expected) in before {
        let found = trend_of(folder.path(), 0, 2 * DAY, step);
        assert_eq!(found.series.len(), 3, "{step}");
        for (series, bands) in &expected.series {
            let found = &found.series[series];
            assert_eq!(found.len(), bands.len(), "{series} in steps of {step}");
            for (found, expected) in found.iter().zip(bands) {
                assert_eq!((found.at, found.min, found.max), (expected.at, expected.min, expected.max));
                assert_eq!(found.runs, expected.runs);
                assert!((found.mean - expected.mean).abs() <= 0.001, "{step} {series} {found:?} {expected:?}");
            }
        }
    }
}

#[test]
fn summing_a_day_up_again_after_a_run_that_broke_off_changes_nothing() {
    let (folder, _) = two_days();
    let month = folder.path().join("hourly/1970-01.csv");
    keep(folder.path(), 2 * DAY);
    keep(folder.path(), 2 * DAY);
    let (hours, trend) = (fs::read(&month).unwrap(), trend_of(folder.path(), 0, 2 * DAY, 3600));
    assert_eq!(hours.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"t")).count(), 2);
    // The hours were written, the quarters were not, and half a line of another day follows.
    fs::remove_file(folder.path().join("15min/1970-01-02.csv")).unwrap();
    fs::write(&month, [hours.as_slice(), b"172800,1,5"].concat()).unwrap();
    keep(folder.path(), 2 * DAY);
    assert_eq!(fs::read(&month).unwrap(), hours);
    assert_eq!(trend_of(folder.path(), 0, 2 * DAY, 3600), trend);
}

/// The names of the day files, and how many there are of quarters.
fn kept(folder: &Path) -> (Vec<String>, usize) {
    let mut days: Vec<String> =
        files(folder, "19").iter().map(|p| p.file_stem().unwrap().to_string_lossy().into()).collect();
    days.sort();
    let quarters = folder.join("15min");
    (days, if quarters.exists() { files(&quarters, "19").len() } else { 0 })
}

#[test]
fn samples_go_after_their_days_then_quarters_and_hours_stay() {
    let folder = tempfile::tempdir().unwrap();
    for day in 0..10 {
        append(folder.path(), day * DAY + 4000, &[("a_w", Some(day as f64))]);
        for run in 0..3 {
            keep(folder.path(), day * DAY + 4000 + run);
        }
    }
    assert_eq!(kept(folder.path()), (["1970-01-08", "1970-01-09", "1970-01-10"].map(str::to_owned).to_vec(), 5));
    let hourly = trend_of(folder.path(), 0, 10 * DAY, 3600);
    let expected: Vec<_> = (0..10).map(|day| (day * DAY + 3600, day as f64, day as f64, day as f64)).collect();
    assert_eq!(bands(&hourly, "a_w"), expected);
    // Finer steps have what there is: coarse at first.
    assert_eq!(bands(&trend_of(folder.path(), 0, 10 * DAY, 900), "a_w").len(), 10);
    let oldest = |step: u64| bands(&trend_of(folder.path(), 0, 10 * DAY, step), "a_w")[0].0;
    assert_eq!((oldest(60), oldest(900)), (3600, 3600));
    let finest = |day: i64| finest_step(folder.path(), UnixSeconds(day * DAY)).0;
    assert_eq!((finest(0), finest(3), finest(4), finest(6), finest(7), finest(9)), (3600, 3600, 900, 900, 0, 0));
}

/// The file of hours is named after its month, and says nothing of the days before the first.
#[test]
fn a_mine_that_began_within_a_month_is_shown_as_finely_as_all_of_its_time_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for day in 20..23 {
        append(folder.path(), day * DAY + 60, &[("a_w", Some(1.0))]);
        keep(folder.path(), day * DAY + 4000);
    }
    let finest = |day: i64| finest_step(folder.path(), UnixSeconds(day * DAY)).0;
    assert_eq!((finest(0), finest(15), finest(20), finest(22)), (0, 0, 0, 0), "each run is kept since the first");
    std::fs::remove_file(folder.path().join("1970-01-21.csv")).unwrap();
    assert_eq!((finest(0), finest(20), finest(21)), (900, 900, 0), "the first day is kept in quarters of an hour");
    std::fs::remove_file(folder.path().join("15min/1970-01-21.csv")).unwrap();
    assert_eq!((finest(0), finest(21)), (3600, 0), "the first day is kept in hours");
}

#[test]
fn each_run_sums_up_one_day_and_nothing_goes_before_it_is_summed_up() {
    let folder = tempfile::tempdir().unwrap();
    for day in 0..8 {
        append(folder.path(), day * DAY, &[("a_w", Some(1.0))]);
    }
    for run in 1..=5 {
        assert!(keep(folder.path(), 7 * DAY + run).is_some());
        let (days, quarters) = kept(folder.path());
        let expected = (8 - usize::try_from(run).unwrap(), usize::try_from(run).unwrap());
        assert_eq!((days.len(), quarters), expected, "after {run} runs");
    }
}

/// Whatever the clock says: the newest days stay, today is not summed up, and a wrong day does not stop the rest.
#[test]
fn a_clock_that_jumps_removes_nothing_that_is_young() {
    let folder = tempfile::tempdir().unwrap();
    let recent = 20_000;
    for day in recent..recent + 3 {
        append(folder.path(), day * DAY, &[("a_w", Some(1.0))]);
    }
    append(folder.path(), 60, &[("a_w", Some(1.0))]);
    for run in 0..4 {
        keep(folder.path(), 120 + run);
    }
    assert!(
        files(folder.path(), "20").len() == 3 && !folder.path().join("15min").exists(),
        "it is 1970: nothing is over"
    );
    for run in 0..9 {
        keep(folder.path(), (recent + 40_000) * DAY + run);
    }
    assert_eq!(files(folder.path(), "20").len(), 3, "it is 2134");
    assert!(files(folder.path(), "1970").is_empty());
}

#[test]
fn a_day_of_garbage_is_summed_up_as_nothing_and_goes_in_its_time() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1970-01-01.csv"), b"\xff\0garbage\n\n,,,").unwrap();
    fs::create_dir(folder.path().join("hourly")).unwrap();
    fs::write(folder.path().join("hourly/1970-01.csv"), b"\xff\0garbage\n3600,x\n,,,").unwrap();
    for day in 1..5 {
        append(folder.path(), day * DAY, &[("a_w", Some(1.0))]);
        keep(folder.path(), day * DAY);
    }
    assert_eq!(kept(folder.path()).0.len(), 3);
    assert_eq!(bands(&trend_of(folder.path(), 0, 5 * DAY, 3600), "a_w").len(), 4);
}

#[test]
fn a_disk_that_takes_no_summary_loses_no_sample() {
    let folder = tempfile::tempdir().unwrap();
    for day in 0..8 {
        append(folder.path(), day * DAY, &[("a_w", Some(1.0))]);
    }
    // In place of the folder, so that it cannot be made.
    fs::write(folder.path().join("hourly"), b"").unwrap();
    let refused = keep_history(folder.path(), UnixSeconds(8 * DAY), LIMITS).unwrap_err();
    assert!(refused.contains("hourly/1970-01.csv: "), "{refused}");
    assert_eq!(keep_history(folder.path(), UnixSeconds(8 * DAY), LIMITS).unwrap_err(), refused, "the same words again");
    assert_eq!(kept(folder.path()).0.len(), 8);
}
