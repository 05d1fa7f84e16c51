//! Faults that show only over several runs: devices that lie, freeze, ignore or hold on. Asserted is what the owner must
//! see and what the outputs must do; site time runs sixty times as fast.

use std::time::Duration;

use serde_json::{Value, json};

use crate::causes;
use crate::cycle::quick;
use crate::mine::{Mine, state};

const LIMIT: Duration = Duration::from_secs(60);

fn alarms(status: &Value) -> String {
    let all = status["alarms"].as_array().unwrap().iter();
    all.map(|alarm| format!("{}: {}\n", alarm["severity"].as_str().unwrap(), alarm["text"].as_str().unwrap())).collect()
}

fn has_alarm(status: &Value, severity: &str, words: &str) -> bool {
    alarms(status).lines().any(|line| line.starts_with(severity) && line.contains(words))
}

fn device_fault<'a>(status: &'a Value, name: &str) -> &'a str {
    let device = status["devices"].as_array().unwrap().iter().find(|device| device["name"] == name).unwrap();
    device["fault"].as_str().unwrap_or_default()
}

fn wanted(status: &Value) -> usize {
    status["fans"].as_array().unwrap().iter().filter(|fan| fan["wanted"] == true).count()
}

fn fan(status: &Value, number: u64) -> &Value {
    status["fans"].as_array().unwrap().iter().find(|fan| fan["fan"] == number).unwrap()
}

/// A mine that runs, with the fans at the stage of a mild day.
fn mining() -> Mine {
    let mine = Mine::start(60.0, quick);
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    mine
}

fn stops(commands: &[(String, String)], how: &str) -> usize {
    commands.iter().filter(|(_, what)| what.ends_with(how)).count()
}

#[test]
fn outlets_take_over_when_miners_ignore_sleep() {
    let mine = mining();
    mine.fault("foreman", "ignores-sleep");
    mine.set(json!({"signal_number": 342}));
    mine.tick_until("off by outlets", LIMIT, |status| state(status) == "off");
    let commands = mine.commands();
    assert!(stops(&commands, "sleeping") > 0, "Foreman was not tried");
    assert!(stops(&commands, " off") >= 280, "{} outlets were cut", stops(&commands, " off"));
    assert!(mine.events().contains("curtailing by PDU outlets"), "{}", mine.events());
    assert!(mine.miner_watts() <= 20_000.0);
}

#[test]
fn foreman_commands_that_fail_are_told_and_the_outlets_take_over() {
    let mine = mining();
    mine.fault("foreman", "commands-fail");
    mine.set(json!({"signal_number": 342}));
    mine.tick_until("off by outlets", LIMIT, |status| state(status) == "off");
    assert!(mine.events().contains("the agent failed"), "{}", mine.events());
}

#[test]
fn without_internet_the_miners_go_off_at_the_outlets_and_every_message_arrives_late() {
    let mine = mining();
    let heard = mine.recorded("telegram").len();
    mine.fault("internet", "refuse");
    let blind = mine.tick_until("blind", LIMIT, |status| status["signal"]["level"] == "blind");
    assert!(has_alarm(&blind, "warning", "power signal cannot be read"), "{}", alarms(&blind));
    mine.tick_until("off by outlets", LIMIT, |status| state(status) == "off");
    assert_eq!(stops(&mine.commands(), "sleeping"), 0);
    assert_eq!(mine.recorded("telegram").len(), heard);
    mine.heal();
    let told = || mine.recorded("telegram")[heard..].join("\n");
    mine.tick_until("the messages", LIMIT, |_| told().contains("Miners proven off in"));
    assert!(told().contains("power signal cannot be read"), "{}", told());
    // Each channel has its own next time to try.
    let mailed = || mine.recorded("email").join("\n").replace("=\r\n", "").replace("=\n", "");
    mine.tick_until("the letter", LIMIT, |_| mailed().contains("power signal cannot be read"));
}

#[test]
fn outlets_that_ignore_or_weld_end_in_an_emergency_that_names_them() {
    let mine = mining();
    mine.fault("foreman", "refuse");
    mine.fault("spdu-a", "welded");
    mine.fault("spdu-b", "ignores");
    mine.fault("spdu-c", "rejects");
    mine.set(json!({"signal_number": 342}));
    let status = mine.tick_until("emergency", LIMIT, |status| has_alarm(status, "emergency", "NOT proven off"));
    assert!(
        has_alarm(&status, "warning", "spdu-a: 48 outlets read off and draw power (welded?)"),
        "{}",
        alarms(&status)
    );
    let events = mine.events();
    assert!(events.contains("spdu-b") && events.contains("not obeyed"), "{events}");
    assert!(events.contains("spdu-c") && events.contains("403"), "{events}");
    assert!(mine.recorded("sms").join("\n").contains("NOT proven off"), "{:?}", mine.recorded("sms"));
    assert!(mine.recorded("dead_man").iter().any(|path| path.ends_with("/fail")));
    let truth = mine.truth();
    for pdu in 3..6 {
        assert!(
            truth["spdu_watts"][pdu].as_f64().unwrap() < 2000.0,
            "the others were not cut: {}",
            truth["spdu_watts"]
        );
    }
    assert!(mine.fans_running() >= 3, "fans stopped while miners draw power");
}

#[test]
fn a_dead_fan_is_named_and_another_takes_its_place() {
    let mine = mining();
    let status = mine.tick_until("the stage of a mild day", LIMIT, |status| wanted(status) == 5);
    let running: Vec<u64> = (1..=9).filter(|n| fan(&status, *n)["wanted"] == true).collect();
    mine.set(json!({"fan_dead": [running[0]]}));
    let status =
        mine.tick_until("a dead fan", LIMIT, |status| has_alarm(status, "warning", "dead (relay on, no watts)"));
    assert!(has_alarm(&status, "warning", &format!("Fan {}: dead", running[0])), "{}", alarms(&status));
    mine.tick_until("its place taken", LIMIT, |_| mine.fans_running() >= running.len());
    assert!(mine.page().contains("dead (relay on, no watts)"));
    assert!(mine.recorded("email").join("\n").contains(&format!("Fan {}: dead", running[0])));
}

#[test]
fn relays_that_lie_weld_or_ignore_are_named_when_the_fans_must_stop() {
    let mine = mining();
    mine.fault("relays-b", "lies");
    mine.fault_of("relays-a", "welded", &[1]);
    mine.set(json!({"signal_number": 342}));
    mine.tick_until("off", LIMIT, |status| state(status) == "off");
    let status = mine.tick_until("welded", LIMIT * 2, |status| {
        has_alarm(status, "warning", "Fan 1: relay welded") && has_alarm(status, "warning", "Fan 9: relay welded")
    });
    assert_eq!(state(&status), "off");
    assert!(mine.page().contains("relay welded (relay off, watts flow)"));
    // Meanwhile another one stops obeying: the fans that stand must start for the resume, and cannot.
    mine.fault("relays-a", "ignores");
    mine.set(json!({"signal_number": 250}));
    let status = mine.tick_until("ignored", LIMIT * 2, |status| has_alarm(status, "warning", "relay does not obey"));
    assert!(alarms(&status).contains("Fan 2: relay does not obey"), "{}", alarms(&status));
}

#[test]
fn an_unplugged_intake_probe_turns_all_fans_on_and_is_an_emergency() {
    let mine = mining();
    mine.tick_until("fewer fans", LIMIT, |status| wanted(status) < 9);
    mine.fault("room-alert", "unplugged");
    let status = mine.tick_until("lost", LIMIT, |status| has_alarm(status, "emergency", "intake temperature is lost"));
    assert_eq!(wanted(&status), 9);
    for probe in ["room-alert probe intake-west", "room-alert probe intake-east"] {
        assert!(device_fault(&status, probe).contains("nothing is plugged into the port"), "{status}");
    }
    assert_eq!(device_fault(&status, "room-alert"), "", "its other probes are read");
    mine.tick_until("all fans run", LIMIT, |_| mine.fans_running() == 9);
    assert!(mine.recorded("sms").join("\n").contains("intake temperature is lost"));
    mine.tick_until("miners off", LIMIT * 2, |status| state(status) == "off");
    assert_eq!(mine.fans_running(), 9);
}

/// Each device that freezes is called stale, and what depends on it takes the safe side.
#[test]
fn frozen_answers_become_stale_and_count_no_more() {
    let mine = mining();
    mine.tick_until("fewer fans", LIMIT, |status| wanted(status) < 9);
    mine.fault("iotawatt", "frozen");
    let status = mine.tick_until("stale", LIMIT, |status| device_fault(status, "iotawatt").contains("stale"));
    assert_eq!(wanted(&status), 9, "no fan's watts are known");
    mine.heal();
    mine.tick_until("healed", LIMIT, |status| device_fault(status, "iotawatt").is_empty());
    mine.fault("room-alert", "frozen");
    let status = mine.tick_until("stale", LIMIT, |status| device_fault(status, "room-alert").contains("stale"));
    assert_eq!(wanted(&status), 9);
    mine.heal();
    mine.fault("spdu-d", "frozen");
    mine.tick_until("stale", LIMIT, |status| device_fault(status, "spdu-d").contains("stale"));
    assert!(mine.status_json()["miners"]["power"]["value"].is_null(), "a frozen PDU counts");
    mine.heal();
    mine.tick_until("healed", LIMIT, |status| device_fault(status, "spdu-d").is_empty());
    mine.fault("signal", "frozen");
    let status = mine.tick_until("stale", LIMIT * 2, |status| device_fault(status, "signal").contains("stale"));
    assert_eq!(status["signal"]["level"], "run", "within its age limit");
}

#[test]
fn a_meter_without_voltage_or_with_a_stalled_log_turns_all_fans_on() {
    let mine = mining();
    for kind in ["no-voltage", "stalled-null"] {
        mine.tick_until("fewer fans", LIMIT, |status| wanted(status) < 9);
        mine.fault("iotawatt", kind);
        let status = mine.tick_until(kind, LIMIT, |status| !device_fault(status, "iotawatt").is_empty());
        mine.tick_until("all fans", LIMIT, |status| wanted(status) == 9);
        println!("{kind}: {}", device_fault(&status, "iotawatt"));
        assert_eq!(state(&status), "mining", "a lost meter alone stops no cool mine");
        mine.heal();
    }
}

#[test]
fn an_emoncms_whose_source_is_dead_becomes_stale() {
    let mine = Mine::start(60.0, |text| causes::adapted("emoncms", quick(text)));
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining" && device_fault(status, "emoncms").is_empty());
    for kind in ["dead-source", "frozen"] {
        mine.fault("emoncms", kind);
        let status = mine.tick_until(kind, LIMIT, |status| device_fault(status, "emoncms").contains("stale"));
        assert_eq!(wanted(&status), 9);
        mine.heal();
        mine.tick_until("healed", LIMIT, |status| device_fault(status, "emoncms").is_empty());
    }
}

#[test]
fn a_relay_board_that_restarts_is_set_right_by_the_next_runs() {
    let mine = mining();
    mine.set(json!({"signal_number": 342}));
    mine.tick_until("fans down", LIMIT * 2, |status| state(status) == "off" && wanted(status) == 0);
    mine.tick_until("fans stand", LIMIT, |_| mine.fans_running() == 0);
    mine.fault("relays-a", "rebooted");
    mine.wait_site(15.0);
    assert_eq!(mine.fans_running(), 5, "normally closed: all its fans run");
    mine.tick_until("fans stand again", LIMIT, |_| mine.fans_running() == 0);
    assert_eq!(state(&mine.status_json()), "off");
}
