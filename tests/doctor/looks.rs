//! A look as a whole: which devices, exit codes, the shape of the JSON, the table, and what it costs.

use std::time::Duration;

use minectl::commands::doctor::{Check, Group, Verdict, exit_code};

use crate::mine::{Mine, SECRETS};
use crate::report::{look, short, text};

#[test]
fn only_the_named_devices_are_asked_and_an_unknown_name_lists_the_known_ones() {
    let mine = Mine::start(60.0, short);
    let asked = || {
        let state = mine.truth();
        ["signal", "iotawatt", "spdu-a", "telegram"].map(|device| state["counters"][device].as_u64().unwrap_or(0))
    };
    let before = asked();
    let report = look(&mine, &["--device", "spdu-a", "--device", "email"]);
    let mut names: Vec<&str> = report.checks().iter().map(|check| text(check, "name")).collect();
    names.sort_unstable();
    assert_eq!(names, ["email", "spdu-a"]);
    assert_eq!(report.ran.code, 0, "{}", report.json);
    let after = asked();
    assert_eq!((before[0], before[1], before[3]), (after[0], after[1], after[3]), "others were asked");
    assert!(after[2] > before[2], "it was not asked");
    let said = mine.run(&["doctor", "--device", "spdu-x"]).refused(2);
    for name in ["`spdu-x`", "signal", "room-alert", "iotawatt", "relays-b", "spdu-f", "foreman", "sms", "dead-man"] {
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn the_exit_code_tells_whether_there_is_a_fault_or_only_a_warning() {
    let check = |verdict| Check {
        group: Group::Machine,
        name: "x".to_owned(),
        verdict,
        says: String::new(),
        age_s: None,
        took_ms: None,
        fault: None,
        way_out: None,
    };
    assert_eq!(exit_code(&[]), 0);
    assert_eq!(exit_code(&[check(Verdict::Ok)]), 0);
    assert_eq!(exit_code(&[check(Verdict::Warn), check(Verdict::Ok)]), 5);
    assert_eq!(exit_code(&[check(Verdict::Warn), check(Verdict::Fail)]), 1);
    let mine = Mine::start(60.0, short);
    assert_eq!(look(&mine, &["--device", "signal"]).ran.code, 0);
    mine.fault("foreman", "list-disagrees");
    let warned = look(&mine, &["--device", "foreman"]);
    assert_eq!((warned.ran.code, &warned.json["verdict"]), (5, &"warn".into()));
    mine.fault("foreman", "refuse");
    let failed = look(&mine, &["--device", "foreman"]);
    assert_eq!((failed.ran.code, &failed.json["verdict"]), (1, &"fail".into()));
}

#[test]
fn each_mistake_of_the_configuration_is_a_line_and_the_exit_code_is_that_of_the_configuration() {
    let mine = Mine::start(60.0, |text| {
        text.replace("curtail_at = 310", "curtail_at = \"x\"").replace("batch = 20", "bach = 20")
    });
    let report = look(&mine, &[]);
    assert_eq!(report.ran.code, 3);
    assert!(report.checks().len() >= 2, "{}", report.json);
    assert!(report.checks().iter().all(|check| check["verdict"] == "fail" && !text(check, "way_out").is_empty()));
    assert!(report.ran.stdout.contains("curtail_at") && report.ran.stdout.contains("bach"), "{}", report.json);
}

#[test]
fn the_json_has_its_keys_and_the_table_says_the_same_without_a_secret() {
    let mine = Mine::start(60.0, short);
    mine.fault("spdu-c", "401");
    let report = look(&mine, &[]);
    assert_eq!(report.json["schema"], 1);
    for key in ["version", "time_unix_s", "took_ms", "verdict", "counts"] {
        assert!(!report.json[key].is_null(), "{key}: {}", report.json);
    }
    let counted = |verdict: &str| report.checks().iter().filter(|check| check["verdict"] == verdict).count();
    for verdict in ["ok", "warn", "fail"] {
        assert_eq!(report.json["counts"][verdict], counted(verdict), "{verdict}");
    }
    for check in report.checks() {
        let keys: Vec<&String> = check.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["age_s", "fault", "group", "name", "says", "took_ms", "verdict", "way_out"]);
        assert_eq!(check["verdict"] == "ok", check["way_out"].is_null(), "{check}");
    }
    let refused = report.line("spdu-c");
    assert_eq!((&refused["fault"], &refused["group"]), (&"refused".into(), &"device".into()));
    assert!(refused["took_ms"].is_u64());
    assert!(report.line("spdu-a")["age_s"].is_u64());
    for point in ["room-alert probe intake-west", "room-alert switch smoke", "iotawatt fan 9", "relays-b fan 6"] {
        assert_eq!(report.line(point)["verdict"], "ok");
        assert!(report.line(point)["age_s"].is_u64(), "{}", report.line(point));
    }
    let table = mine.run(&["doctor"]);
    assert_eq!((table.code, table.stderr.as_str()), (1, ""));
    let line = table.stdout.lines().find(|line| line.starts_with("  FAIL  spdu-c ")).unwrap();
    assert!(line.contains("access refused") && line.contains(" ms]"), "{line}");
    assert!(
        table.stdout.contains("correct the key, token, `user` or `password` in [[pdu]] `spdu-c`"),
        "{}",
        table.stdout
    );
    let last: Vec<&str> = table.stdout.lines().rev().take(3).collect();
    assert!(last.iter().any(|line| line.contains("FAIL") && line.contains("spdu-c")), "{}", table.stdout);
    assert!(SECRETS.iter().all(|secret| !table.stdout.contains(secret)));
}

#[test]
fn devices_that_hang_all_together_cost_one_wait() {
    let mine = Mine::start(60.0, short);
    let all = ["signal", "room-alert", "iotawatt", "relays-a", "relays-b", "foreman", "telegram", "twilio", "dead-man"];
    for device in all.iter().chain(&["smtp", "spdu-a", "spdu-b", "spdu-c", "spdu-d", "spdu-e", "spdu-f"]) {
        mine.fault(device, "hang");
    }
    let report = look(&mine, &[]);
    assert!(report.ran.took < Duration::from_secs(6), "took {:.1} s", report.ran.took.as_secs_f64());
    for device in all.iter().filter(|device| **device != "twilio") {
        assert!(text(report.line(device), "says").contains("timed out"), "{device}");
    }
}

#[test]
fn a_device_that_hangs_makes_no_reading_of_another_one_old() {
    let mine = Mine::start(60.0, short);
    mine.tick().silent();
    mine.fault("spdu-a", "hang");
    // A second's wait is a minute at this site, and the meter's limit is half of that.
    let report = look(&mine, &[]);
    assert_eq!(report.line("spdu-a")["verdict"], "fail");
    assert_eq!(report.line("iotawatt")["verdict"], "ok", "{}", report.line("iotawatt"));
    assert_eq!(report.line("fan 1")["verdict"], "ok");
}

#[test]
fn the_points_of_a_unit_that_stands_still_are_as_old_as_its_clock() {
    let mine = Mine::start(60.0, short);
    let age = |point: &str| look(&mine, &["--device", "room-alert"]).line(point)["age_s"].as_u64();
    mine.tick().silent();
    assert_eq!(age("room-alert probe intake-west"), Some(0));
    mine.fault("room-alert", "frozen");
    mine.tick().silent();
    mine.wait_site(120.0);
    assert!(age("room-alert probe intake-west").is_some_and(|age| age >= 100));
    assert!(age("room-alert switch smoke").is_some_and(|age| age >= 100));
}

#[test]
fn watts_that_are_amps_times_volts_are_called_so() {
    let derived = "preset = \"digital-shovel\"\nwatts = \"\"\namps = \"/curCons\"\namps_scale = 0.01\nvolts = 100\n";
    let mine = Mine::start(60.0, |text| short(text.replacen("preset = \"digital-shovel\"\n", derived, 1)));
    let report = look(&mine, &["--device", "spdu-a", "--device", "spdu-b"]);
    let says = |pdu: &str| text(report.line(pdu), "says").to_owned();
    assert!(says("spdu-a").contains("kW (amps times volts, not measured), 48 outlets"), "{}", says("spdu-a"));
    assert!(!says("spdu-b").contains("measured"), "{}", says("spdu-b"));
}
