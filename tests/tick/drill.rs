//! Drills by real runs on the simulated site: ordered by hand and by schedule, with all that may come between.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cycle::quick;
use crate::mine::{Mine, finish, state};

const LIMIT: Duration = Duration::from_secs(60);

/// The block of the sample, with miner 1001 on the first outlet.
fn drilled(text: String) -> String {
    quick(text) + "\n[drill]\nminer = \"1001\"\noutlet = \"spdu-a 1\"\n"
}

/// A mine that runs, and has settled.
fn mining(edit: impl Fn(String) -> String) -> Mine {
    let mine = Mine::start(60.0, edit);
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining" && status["worry"]["level"] == "ok");
    mine
}

fn certificate(mine: &Mine) -> Value {
    let ran = mine.run(&["drill", "--last", "--json"]);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", ran.stdout, ran.stderr))
}

fn check<'a>(record: &'a Value, name: &str) -> &'a Value {
    let checks = record["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no `{name}`: {record:#}"))
}

fn sent<'a>(commands: &'a [(String, String)], device: &str) -> Vec<&'a str> {
    commands.iter().filter(|(of, _)| of.starts_with(device)).map(|(_, what)| what.as_str()).collect()
}

/// The miner hashes or boots to it, and every relay lets as many fans run as before.
fn all_is_on(mine: &Mine) {
    let status = mine.tick_until("all on again", LIMIT, |status| {
        let pdus = status["pdus"].as_array().unwrap();
        let on = pdus.iter().all(|pdu| pdu["outlets_on"] == 48 && pdu["cut"] == 0);
        on && status["miners"]["asked"] == 0
    });
    assert_eq!(state(&status), "mining", "{}", status["headline"]);
}

#[test]
fn a_drill_by_hand_passes_shows_its_steps_and_leaves_its_certificate_everywhere() {
    let mine = mining(drilled);
    let before = mine.commands().len();
    let ran = mine.run(&["drill"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    for words in
        ["ordered", "Miner off by Foreman: passed in", "Miner on again: passed in", "Fan off: passed in", ": PASSED"]
    {
        assert!(ran.stdout.contains(words), "`{words}` is not in:\n{}", ran.stdout);
    }
    let commands = mine.commands()[before..].to_vec();
    let miners = sent(&commands, "foreman");
    assert_eq!(miners.len(), 2, "{miners:?}");
    assert!(miners.iter().all(|what| what.contains("1001")), "{miners:?}");
    assert!(sent(&commands, "spdu").is_empty(), "{commands:?}");
    let record = certificate(&mine);
    assert_eq!(record["verdict"], "passed");
    assert!(check(&record, "Fan off")["took"].as_u64().unwrap() > 0);
    for kind in ["telegram", "email", "sms"] {
        let heard = mine.recorded(kind);
        assert_eq!(heard.iter().filter(|text| text.contains("DRILL test message")).count(), 1, "{kind}: {heard:?}");
    }
    mine.tick().silent();
    let status = mine.status_json();
    assert_eq!(status["drills"]["last"]["verdict"], "passed");
    assert_eq!(status["overrides"], json!([]), "the order is gone");
    assert!(mine.page().contains("id=\"drill\"") && mine.page().contains("Miner off by Foreman"));
    assert!(mine.run(&["status"]).done().contains("drill of"));
    let again = mine.run(&["drill", "--last"]);
    assert_eq!(again.code, 0);
    assert!(again.stdout.contains("PASSED") && again.stdout.contains("Fan on again"), "{}", again.stdout);
    all_is_on(&mine);
    replays(&mine);
}

/// What the runs read and decided is decided alike again.
fn replays(mine: &Mine) {
    let said = mine.run(&["replay", "--since", "2 hours"]);
    assert!(said.code == 0 && said.stdout.contains("No difference in"), "{}", said.stdout);
    assert!(said.stdout.matches("begun anew").count() <= 1, "{}", said.stdout);
}

#[test]
fn a_miner_that_neither_way_puts_off_fails_the_drill_and_everything_is_on_again() {
    let mine = mining(drilled);
    mine.fault("foreman", "ignores-sleep");
    mine.fault("spdu-a", "ignores");
    let ran = mine.run(&["drill"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("Miner off by Foreman: FAILED"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Miner off by its outlet: FAILED"), "{}", ran.stdout);
    mine.heal();
    let status = mine.tick_until("told", LIMIT, |status| status["alarms"].to_string().contains("drill failed"));
    assert!(status["alarms"].to_string().contains("Miner off by its outlet"), "{}", status["alarms"]);
    all_is_on(&mine);
}

#[test]
fn a_fan_whose_relay_is_stuck_fails_the_drill() {
    let mine = mining(drilled);
    let on = mine.status_json()["fans"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["proven"] == true && f["relay"] == true)
        .cloned();
    let number = on.unwrap()["fan"].as_u64().unwrap();
    let (board, relay) = if number <= 8 { ("relays-a", number) } else { ("relays-b", number - 8) };
    mine.fault_of(board, "welded", &[u32::try_from(relay).unwrap()]);
    let ran = mine.run(&["drill", "--fan", &number.to_string()]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("Fan off: FAILED"), "{}", ran.stdout);
    assert_eq!(check(&certificate(&mine), "Miner on again")["result"], "passed");
}

#[test]
fn a_call_amid_a_drill_comes_first_and_is_proven_off() {
    let mine = mining(drilled);
    let child = mine.command(&["drill"]).spawn().unwrap();
    let end = std::time::Instant::now() + LIMIT;
    while !mine.commands().iter().any(|(device, what)| device.starts_with("foreman") && what.contains("sleeping")) {
        assert!(std::time::Instant::now() < end, "the drill did not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    mine.set(json!({"signal_number": 342}));
    let ran = finish(child, "drill");
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("ABORTED") && ran.stdout.contains("the power signal"), "{}", ran.stdout);
    let status = mine.tick_until("proven off", LIMIT, |status| state(status) == "off");
    assert!(mine.miner_watts() <= 20_000.0);
    assert_eq!(status["drills"]["days_since_proven_curtailment"], 0);
    mine.set(json!({"signal_number": 250}));
    mine.tick_until("back", LIMIT * 2, |status| state(status) == "mining");
    all_is_on(&mine);
}

#[test]
fn a_drill_that_is_killed_in_its_middle_is_given_up_by_the_next_run_with_everything_on_again() {
    for wanted in ["sleeping", "fan"] {
        let mine = mining(drilled);
        let before = mine.commands().len();
        let mut child = mine.command(&["drill"]).spawn().unwrap();
        let end = std::time::Instant::now() + LIMIT;
        let fan_off = |what: &str| what.starts_with("relay") && what.ends_with("=1");
        loop {
            let commands = mine.commands()[before..].to_vec();
            let slept = commands.iter().any(|(_, what)| what.contains("sleeping"));
            let stopped = commands.iter().any(|(_, what)| fan_off(what));
            if if wanted == "sleeping" { slept } else { stopped } {
                break;
            }
            assert!(std::time::Instant::now() < end, "{wanted}: not reached: {commands:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        mine.tick().silent();
        let status = mine.status_json();
        assert_eq!(status["drills"]["running"], Value::Null);
        assert_eq!(status["drills"]["last"]["verdict"], "aborted", "{}", status["drills"]);
        all_is_on(&mine);
        let wanted_on = status["fans"].as_array().unwrap().iter().filter(|fan| fan["wanted"] == true).count();
        assert!(mine.fans_running() >= wanted_on.min(5), "{wanted}");
    }
}

#[test]
fn in_observe_mode_a_drill_is_dry_and_says_that_the_rest_was_refused() {
    let mine = Mine::start(60.0, |text| drilled(text).replace("\nmode = \"live\"", "\nmode = \"observe\""));
    mine.tick().silent();
    let ran = mine.run(&["drill"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("REFUSED") && ran.stdout.contains("mode = observe"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Message by telegram: passed"), "{}", ran.stdout);
    let dry = mine.run(&["drill", "--dry"]);
    assert_eq!(dry.code, 0, "{}", dry.stdout);
    assert!(dry.stdout.contains("Dry drill") && dry.stdout.contains("20 miners sleeping"), "{}", dry.stdout);
    assert!(mine.commands().is_empty(), "{:?}", mine.commands());
}

#[test]
fn a_scheduled_drill_is_made_by_the_runs_of_cron_and_once_only() {
    // The site begins at noon of a Sunday.
    let mine = mining(|text| drilled(text) + "every = \"1 day\"\nat = \"11:59\"\n");
    mine.tick_until("a certificate", LIMIT, |status| status["drills"]["last"].is_object());
    let first = mine.status_json()["drills"]["last"].clone();
    assert_eq!((first["by"].as_str(), first["verdict"].as_str()), (Some("schedule"), Some("passed")), "{first:#}");
    for _ in 0..5 {
        mine.wait_site(60.0);
        mine.tick().silent();
    }
    assert_eq!(mine.status_json()["drills"]["last"]["began"]["unix"], first["began"]["unix"]);
    assert_eq!(mine.recorded("sms").iter().filter(|text| text.contains("DRILL")).count(), 1);
}

#[test]
fn what_cannot_be_drilled_is_refused_before_anything_is_ordered() {
    let mine = mining(drilled);
    let said = mine.run(&["drill", "--fan", "12"]).refused(2);
    assert!(said.contains("no fan 12"), "{said}");
    let said = mine.run(&["drill", "--last"]).refused(1);
    assert!(said.contains("no drill was made yet"), "{said}");
    let ran = mine.run(&["drill", "--miner", "nobody"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("no miner `nobody`") && ran.stdout.contains("REFUSED"), "{}", ran.stdout);
}
