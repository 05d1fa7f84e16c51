//! What only a command would show is seen once a run has given one: a look compares what runs remember with what it reads.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::causes;
use crate::mine::Mine;
use crate::report::{Report, look, short, text};

const LIMIT: Duration = Duration::from_secs(40);

/// Somebody else's hand on a device of the site.
fn by_hand(mine: &Mine, port: u16, method: &str, path: &str, body: &Value) {
    let url = format!("http://127.0.0.1:{}{path}", mine.port(port));
    let request = ureq::http::Request::builder().method(method).uri(url);
    let request = request.header("Authorization", "JWT site-spdu-token").header("Content-Type", "application/json");
    let answer = ureq::Agent::new_with_defaults().run(request.body(body.to_string()).unwrap()).unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
}

fn fails(report: &Report, name: &str, words: &str) {
    let line = report.line(name);
    let way_out = text(line, "way_out");
    assert!(text(line, "verdict") == "fail" && text(line, "says").contains(words) && !way_out.is_empty(), "{line}");
}

#[test]
fn fans_and_outlets_that_do_not_do_as_told_are_seen_by_what_the_last_run_remembers() {
    let mine = Mine::start(60.0, short);
    let stopped = mine.tick_until("a fan stopped", LIMIT, |_| mine.fans_running() == 8);
    let number = stopped["fans"].as_array().unwrap().iter().find(|fan| fan["wanted"] == false).unwrap()["fan"].clone();
    let (fan, relay) = (format!("fan {number}"), u32::try_from(number.as_u64().unwrap() - 5).unwrap());
    mine.wait_site(75.0);
    let well = look(&mine, &[]);
    for number in 1..=9 {
        assert_eq!(well.line(&format!("fan {number}"))["verdict"], "ok");
    }

    mine.fault_of("relays-b", "welded", &[relay]);
    mine.fault_of("spdu-b", "welded", &[7]);
    by_hand(&mine, 11, "PUT", "/api/miners/7", &json!({"status": false}));
    mine.set(json!({"fan_dead": [1]}));
    mine.wait_site(20.0);
    let report = look(&mine, &[]);
    fails(&report, &fan, "relay welded (relay off, watts flow)");
    fails(&report, "fan 1", "dead (relay on, no watts)");
    fails(&report, "alarm welded spdu-b", "1 outlets read off and draw power (welded?): 7");

    mine.heal();
    mine.fault("relays-b", "rebooted");
    mine.wait_site(10.0);
    fails(&look(&mine, &[]), &fan, "relay does not obey: relay on");

    // A relay that shows what it was told and does not do it.
    mine.fault_of("relays-a", "lies", &[2]);
    by_hand(&mine, 5, "GET", "/state.json?relay2=1", &Value::Null);
    mine.wait_site(10.0);
    fails(&look(&mine, &[]), "fan 2", "relay off");
}

#[test]
fn commands_to_miners_that_failed_and_outlets_that_are_on_though_told_off_are_named() {
    // The outlets' turn comes at once when Foreman's agent fails.
    let mine =
        Mine::start(60.0, |text| short(text).replace("foreman_limit = \"2 minutes\"", "foreman_limit = \"10 s\""));
    mine.tick().silent();
    let of_the_mine = |report: &Report, name: &str, words: &str| {
        let is_it = |check: &&Value| check["group"] == "mine" && text(check, "name") == name;
        let lines: Vec<Value> = report.checks().iter().filter(is_it).cloned().collect();
        let line = lines.iter().find(|line| text(line, "says").contains(words)).cloned();
        line.inspect(|line| assert!(!text(line, "way_out").is_empty(), "{line}")).ok_or(lines)
    };
    let (failed, on) = ("commands to miners failed at its agent", "outlets were told off and are on: ");
    let well = look(&mine, &[]);
    assert!(of_the_mine(&well, "foreman", failed).is_err() && of_the_mine(&well, "spdu-b", on).is_err());

    mine.fault("foreman", "commands-fail");
    mine.fault("spdu-b", "ignores");
    mine.set(json!({"signal_number": 342}));
    let told = |_: &Value| mine.commands().iter().any(|(device, _)| device == "spdu-b");
    mine.tick_until("outlets told off", LIMIT, told);
    mine.wait_site(30.0);
    let report = look(&mine, &[]);
    assert_eq!(of_the_mine(&report, "foreman", failed).unwrap()["verdict"], "warn");
    assert_eq!(of_the_mine(&report, "spdu-b", on).unwrap()["verdict"], "fail");
    assert!(of_the_mine(&report, "spdu-a", on).is_err(), "one that obeyed is named: {}", report.json);
}

#[test]
fn what_became_of_the_last_values_is_told() {
    // Slow enough that there is time left for the values on a machine that is busy.
    let mine = Mine::start(5.0, |text| causes::adapted("influx", short(text)));
    mine.fault("influx", "401");
    mine.tick().silent();
    mine.heal();
    let line = look(&mine, &["--device", "influx"]).line("influx").clone();
    assert!(text(&line, "says").contains("the last run's values were not taken: access refused"), "{line}");
    assert!(line["verdict"] == "warn" && !text(&line, "way_out").is_empty(), "{line}");
    mine.tick().silent();
    assert_eq!(look(&mine, &["--device", "influx"]).line("influx")["verdict"], "ok");
}

#[test]
fn what_became_of_the_last_ping_and_the_last_message_is_told() {
    let mine = Mine::start(60.0, short);
    mine.fault("dead-man", "401");
    mine.fault("sms-http", "refuse");
    mine.tick().silent();
    mine.heal();
    let report = look(&mine, &["--device", "dead-man"]);
    fails(&report, "dead-man", "the last run's ping was not taken");
    mine.tick().silent();
    assert_eq!(look(&mine, &["--device", "dead-man"]).line("dead-man")["verdict"], "ok");
}

#[test]
fn a_run_at_work_is_no_fault_and_the_devices_are_asked_when_it_has_ended() {
    let mine = Mine::start(60.0, short);
    mine.tick().silent();
    mine.fault("foreman", "hang");
    let beside_a_run = |arguments: &[&str]| {
        let mut run = mine.command(&["tick"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let held = || std::fs::read_to_string(mine.data().join("tick.lock")).unwrap_or_default();
        let began = std::time::Instant::now();
        while !held().starts_with(&format!("{} ", run.id())) {
            assert!(began.elapsed() < LIMIT, "no lock: {}", held());
            std::thread::sleep(Duration::from_millis(5));
        }
        let ran = mine.run(arguments);
        let ended = run.try_wait().unwrap();
        assert!(matches!(run.wait().unwrap().code(), Some(0 | 1)), "the run was disturbed");
        assert!(ended.is_some(), "{arguments:?} did not wait for the run");
        ran
    };
    beside_a_run(&["plan"]);
    let ran = beside_a_run(&["doctor", "--json"]);
    let report = Report { json: serde_json::from_str(&ran.stdout).unwrap(), ran };
    assert_eq!(report.line("lock")["verdict"], "ok");
    assert!(text(report.line("lock"), "says").contains("a run is at work"), "{}", report.line("lock"));
}
