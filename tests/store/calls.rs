//! The files of the calls: kept whole, read over years, and what a torn line or a lost disk costs.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;

use minectl::model::*;
use minectl::store::{Calls, append_call, last_calls, month, read_calls};
use minectl::units::{Dollars, Seconds, UnixSeconds};

use crate::small_disk::SmallDisk;

const ZONE: &str = "America/Chicago";

/// A call that began at this moment.
fn call(seen: i64) -> CallRecord {
    CallRecord {
        schema: CALL_SCHEMA,
        observe: false,
        seen: UnixSeconds(seen),
        page_changed: Some(PageChanged { at: UnixSeconds(seen - 40), by: ChangeSource::PageStamp }),
        signal_read: Some(UnixSeconds(seen)),
        reasons: BTreeSet::from([OffReason::Curtail]),
        verdict: Verdict::InTime,
        first_command_after: Some(Seconds(0)),
        watts_before: None,
        baseline: None,
        marks: Vec::new(),
        shed_after: None,
        proven_after: Some(Seconds(94)),
        stragglers: Some(Stragglers { count: 1, names: vec!["spdu-a outlet 3".to_owned()], unread: 0 }),
        rungs: BTreeSet::from([Rung::Foreman, Rung::Outlets]),
        late: Seconds(0),
        worst_after_proof: None,
        peak: Some(SignalPeak { number: 342.5, at: UnixSeconds(seen + 60) }),
        signal_time: Seconds(3600),
        signal_cleared: Some(UnixSeconds(seen + 3600)),
        cleared: Some(UnixSeconds(seen + 3600)),
        resumed: Some(UnixSeconds(seen + 4800)),
        resume_time: Some(Seconds(1200)),
        ended: Some(UnixSeconds(seen + 4800)),
        lasted: Seconds(4800),
        groups_not_back: BTreeSet::from([2]),
        not_drawn: None,
        unmeasured: Seconds(0),
        billed: None,
        needless: Seconds(0),
        costs: Costs {
            demand_avoided: Some(Dollars::new(15_020.0).unwrap()),
            demand_drawn: Some(Dollars::ZERO),
            energy_not_bought: None,
            needless: Dollars::ZERO,
        },
        watts_by_hand: false,
    }
}

fn append(folder: &std::path::Path, record: &CallRecord) -> Result<(), String> {
    append_call(folder, &month(ZONE, record.seen), record)
}

fn seen(calls: &Calls) -> Vec<i64> {
    calls.records.iter().map(|record| record.seen.0).collect()
}

/// 31 August 2026, 23:59:59 in Chicago.
const AUGUST_ENDS: i64 = 1_788_238_799;

#[test]
fn a_call_is_kept_in_the_file_of_the_sites_month_in_which_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let calls = folder.path().join("calls");
    let (august, september) = (call(AUGUST_ENDS), call(AUGUST_ENDS + 1));
    append(&calls, &september).unwrap();
    append(&calls, &august).unwrap();
    assert_eq!(read_calls(&calls, "2026-08", "2026-08").records, std::slice::from_ref(&august));
    assert_eq!(read_calls(&calls, "2026-09", "2026-09").records, std::slice::from_ref(&september));
    assert_eq!(read_calls(&calls, "2026-08", "2026-09").records, [august, september]);
    assert!(calls.join("2026-08.jsonl").exists());
}

#[test]
fn years_of_calls_are_read_back_and_the_last_ones_without_reading_all() {
    let folder = tempfile::tempdir().unwrap();
    let years: Vec<i64> = (0..60).map(|month| AUGUST_ENDS + month * 31 * 86_400).collect();
    for at in &years {
        append(folder.path(), &call(*at)).unwrap();
    }
    assert_eq!(seen(&read_calls(folder.path(), "2026-08", "2031-12")), years);
    let now = month(ZONE, UnixSeconds(years[59]));
    assert_eq!(seen(&last_calls(folder.path(), &now, 10)), years[50..]);
    fs::write(folder.path().join("2026-08.jsonl"), "not read").unwrap();
    assert!(last_calls(folder.path(), &now, 10).troubles.is_empty());
}

#[test]
fn all_calls_of_the_month_are_there_however_many_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let times: Vec<i64> = (0..25).map(|n| AUGUST_ENDS - 86_400 + n * 600).collect();
    append(folder.path(), &call(AUGUST_ENDS - 40 * 86_400)).unwrap();
    for at in &times {
        append(folder.path(), &call(*at)).unwrap();
    }
    assert_eq!(seen(&last_calls(folder.path(), "2026-08", 10)), times);
    assert_eq!(last_calls(folder.path(), "2026-09", 26).records.len(), 26);
}

#[test]
fn a_record_that_is_there_already_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let record = call(AUGUST_ENDS);
    append(folder.path(), &record).unwrap();
    append(folder.path(), &record).unwrap();
    let text = fs::read_to_string(folder.path().join("2026-08.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn of_two_records_of_one_call_the_later_line_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (call(AUGUST_ENDS), CallRecord { late: Seconds(7), ..call(AUGUST_ENDS) });
    append(folder.path(), &first).unwrap();
    append(folder.path(), &second).unwrap();
    assert_eq!(read_calls(folder.path(), "2026-08", "2026-08").records, [second]);
}

#[test]
fn a_torn_last_line_is_told_and_the_next_record_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("2026-08.jsonl");
    let (first, torn, next) = (call(AUGUST_ENDS - 9000), call(AUGUST_ENDS - 6000), call(AUGUST_ENDS - 3000));
    append(folder.path(), &first).unwrap();
    let half = serde_json::to_string(&torn).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&half.as_bytes()[..half.len() / 2]).unwrap();
    let read = read_calls(folder.path(), "2026-08", "2026-08");
    assert_eq!(read.records, std::slice::from_ref(&first));
    assert_eq!(read.troubles, [format!("{}: line 2 is torn", path.display())]);
    append(folder.path(), &next).unwrap();
    append(folder.path(), &torn).unwrap();
    assert_eq!(read_calls(folder.path(), "2026-08", "2026-08").records, [first, torn, next]);
}

#[test]
fn garbled_lines_and_those_of_a_newer_program_are_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), &call(AUGUST_ENDS)).unwrap();
    let path = folder.path().join("2026-08.jsonl");
    let newer = serde_json::to_string(&CallRecord { schema: CALL_SCHEMA + 1, ..call(AUGUST_ENDS - 60) }).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, [b"\xff\xfe{}\n", newer.as_bytes(), b"\n\n{\"schema\":1}\n", text.as_bytes()].concat()).unwrap();
    let read = read_calls(folder.path(), "2026-08", "2026-08");
    assert_eq!(seen(&read), [AUGUST_ENDS]);
    let told: Vec<&str> = read.troubles.iter().map(|text| text.split(": ").nth(1).unwrap()).collect();
    assert_eq!(told, ["line 1 cannot be read", "line 2 is from a newer program", "line 4 cannot be read"]);
}

#[test]
fn without_a_folder_there_are_no_calls_and_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_calls(&folder.path().join("calls"), "2026-08", "2026-08"), Calls::default());
    fs::write(folder.path().join("2026-8.jsonl"), "x").unwrap();
    fs::write(folder.path().join("notes.txt"), "x").unwrap();
    assert_eq!(last_calls(folder.path(), "2026-08", 10), Calls::default(), "other files are not ours");
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_the_record_goes_in_later() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), "1m") else { return };
    let calls = folder.path().join("calls");
    append(&calls, &call(AUGUST_ENDS - 9000)).unwrap();
    disk.fill();
    let mut refused = String::new();
    // A page of the file may have room left.
    let many: Vec<CallRecord> = (0..8).map(|n| call(AUGUST_ENDS - 6000 + n)).collect();
    for record in &many {
        refused = append(&calls, record).err().unwrap_or(refused);
    }
    assert!(refused.contains("2026-08.jsonl: No space left"), "{refused}");
    assert_eq!(seen(&read_calls(&calls, "2026-08", "2026-08"))[0], AUGUST_ENDS - 9000);
    disk.empty();
    for record in &many {
        append(&calls, record).unwrap();
    }
    assert_eq!(read_calls(&calls, "2026-08", "2026-08").records.len(), 9);
    disk.make_read_only(true);
    assert!(append(&calls, &call(AUGUST_ENDS)).unwrap_err().contains("Read-only file system"));
    disk.make_read_only(false);
}
