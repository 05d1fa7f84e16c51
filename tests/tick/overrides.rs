//! Overrides from the command line, observe mode and `plan`.

use std::time::Duration;

use minectl::store::Store;
use serde_json::{Value, json};

use crate::cycle::quick;
use crate::mine::{Mine, finish, state, tail};

fn observing(text: String) -> String {
    assert_eq!(text.matches("\nmode = \"live\"").count(), 1);
    quick(text).replace("\nmode = \"live\"", "\nmode = \"observe\"")
}

fn targets(status: &Value) -> Vec<&str> {
    status["overrides"].as_array().unwrap().iter().map(|over| over["target"].as_str().unwrap()).collect()
}

/// Every target with its value, as typed.
const TARGETS: [&[&str]; 10] = [
    &["signal", "curtail"],
    &["temp", "intake-west", "95 F"],
    &["humidity", "intake-west", "51.5"],
    &["fan-watts", "4", "1234 W"],
    &["miner-watts", "spdu-a", "160 kW"],
    &["switch", "door", "alarm"],
    &["fan", "3", "on"],
    &["miners", "off"],
    &["state", "signal", "curtail"],
    &["state", "fan-stage", "2"],
];

#[test]
fn every_target_can_be_set_with_time_and_reason_is_shown_everywhere_and_cleared() {
    let mine = Mine::start(60.0, observing);
    mine.tick().silent();
    for words in TARGETS {
        let set = [&["set"], words, &["--for", "10 hours", "--reason", "a test of <b>"]].concat();
        let said = mine.run(&set).done();
        assert!(said.starts_with("set ") && said.contains("10 h") && said.contains("a test of <b>"), "{said}");
    }
    mine.tick().silent();
    let status = mine.run(&["status"]).done();
    let json = mine.status_json();
    let page = mine.page();
    for words in TARGETS {
        let target = words[..words.len() - 1].join(" ");
        assert!(targets(&json).contains(&target.as_str()), "status.json has no `{target}`: {:?}", targets(&json));
        assert!(status.contains(&target), "status has no `{target}`:\n{status}");
        assert!(page.contains(&target), "the page has no `{target}`");
    }
    assert!(page.contains("a test of &lt;b&gt;") && !page.contains("a test of <b>"), "the reason is not escaped");
    assert!(mine.run(&["status", "--json"]).done().matches("a test of <b>").count() >= 8);
    assert!(status.contains("by tester"), "{status}");
    mine.run(&["clear", "fan", "3"]).done();
    mine.run(&["clear", "state fan-stage"]).done();
    mine.run(&["set", "state", "signal", "auto"]).done();
    mine.tick().silent();
    assert_eq!(targets(&mine.status_json()).len(), 7);
    mine.run(&["clear", "all"]).done();
    mine.tick().silent();
    assert_eq!(targets(&mine.status_json()), Vec::<&str>::new());
    let events = mine.events();
    assert!(events.contains("fan 3: set: fan 3 = on for 10 h"), "{events}");
    assert!(events.contains("fan 3: cleared: fan 3 = on by tester"), "{events}");
    assert!(events.contains("run → curtail: written by hand; set by tester"), "{events}");
    assert!(events.contains("state signal: cleared: state signal = curtail by tester"), "{events}");
    assert!(mine.commands().is_empty(), "observe mode sent {:?}", mine.commands());
}

#[test]
fn an_override_ends_by_itself_and_its_end_is_an_event() {
    let mine = Mine::start(60.0, observing);
    mine.tick().silent();
    mine.run(&["set", "fan", "3", "on", "--for", "2 minutes"]).done();
    mine.tick_until("the end of the override", Duration::from_secs(30), |status| targets(status).is_empty());
    // It may have ended between the decision and the page of one run: then the next run tells it.
    mine.tick().silent();
    let events = mine.events();
    assert!(events.contains("override ended after 2 min"), "{events}");
    assert!(mine.recorded("telegram").join("\n").contains("override ended after"), "nobody was told");
}

#[test]
fn what_cannot_be_set_is_refused_with_the_nearest_name_or_the_limit() {
    let mine = Mine::start(60.0, observing);
    mine.tick().silent();
    for (words, said) in [
        (&["set", "temp", "intake-wset", "95 F"][..], "did you mean `intake-west`?"),
        (&["set", "miner-watts", "spdu-g", "1 kW"], "did you mean `spdu-"),
        (&["set", "switch", "smok", "alarm"], "did you mean `smoke`?"),
        (&["set", "fan", "12", "on"], "no fan 12; known are 1, 2, 3, 4, 5, 6, 7, 8, 9"),
        (&["set", "fan", "3", "maybe"], "`maybe` is not a value; use `on`, `off` or `auto`"),
        (&["set", "signal", "off"], "`off` is not a value; use `run`, `curtail`, `blind` or `auto`"),
        (&["set", "state", "miner", "running"], "no machine `miner`; did you mean `miners`?"),
        (&["set", "state", "signal", "off"], "use `run`, `curtail`, `blind` or `auto`"),
        (&["set", "state", "climate", "hot"], "use `normal`, `shedding` or `auto`"),
        (
            &["set", "state", "miners", "off"],
            "use `boot`, `running`, `curtailing`, `curtailed`, `resuming`, `fault` or `auto`",
        ),
        (&["set", "state", "fan-stage", "0"], "`0` is not a value; use a number from 1 to 4, or `auto`"),
        (&["set", "state", "fan-stage", "5"], "`5` is not a value; use a number from 1 to 4, or `auto`"),
        (&["set", "temp", "intake-west", "nan F"], "nan"),
        (&["set", "temp", "intake-west", "9999 F"], "not a possible temperature"),
        (&["set", "fan", "3", "on", "--for", "25 hours"], "from 1 s to 1 d (overrides.max_time)"),
        (&["set", "fan", "3", "on", "--for", "0 s"], "--for"),
        (&["clear", "fan", "7"], "set are `fan 3`"),
        (&["ack", "device foreman"], "no alarm stands"),
    ] {
        if words[0] == "clear" {
            mine.run(&["set", "fan", "3", "on"]).done();
        }
        let line = mine.run(words).refused(2);
        assert!(line.contains(said), "{words:?}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
    let known = mine.events();
    assert_eq!(known.matches("override").count(), 1, "a refused one left a trace:\n{known}");
}

#[test]
fn miners_are_set_on_against_the_signal_only_by_a_word_of_its_own() {
    let mine = Mine::start(60.0, observing);
    mine.set(json!({"signal_number": 342}));
    mine.tick().silent();
    let said = mine.run(&["set", "miners", "on"]).refused(2);
    assert!(said.contains("the signal says curtail") && said.contains("--against-signal"), "{said}");
    mine.run(&["set", "miners", "on", "--against-signal"]).done();
    mine.tick().silent();
    let status = mine.status_json();
    assert_eq!(status["demand"]["may_run"], true, "{}", status["demand"]);
    let told = mine.recorded("email").join("\n");
    assert!(told.contains("against the signal"), "no warning was sent: {told}");
}

#[test]
fn observe_mode_commands_nothing_while_plan_prints_what_would_be_sent_and_changes_nothing() {
    let mine = Mine::start(60.0, observing);
    mine.tick().silent();
    mine.set(json!({"signal_number": 342}));
    let remembered = || {
        let loaded = Store::new(&mine.data()).unwrap().load(&minectl::clock::Clock::real().now());
        (loaded.state, loaded.overrides, loaded.outbox, loaded.broken_off, loaded.sent, loaded.troubles)
    };
    let before = (remembered(), mine.events(), mine.page(), mine.log(), mine.get("/recorded"));
    let said = mine.run(&["plan"]).done();
    assert!(said.contains("would send nothing (mode = observe)"), "{said}");
    assert!(said.contains("miner 1001 sleeping"), "{said}");
    assert!(said.contains("the power signal says curtail"), "{said}");
    assert!(
        before == (remembered(), mine.events(), mine.page(), mine.log(), mine.get("/recorded")),
        "plan left a trace"
    );

    mine.tick_until("curtailing", Duration::from_secs(30), |status| state(status) == "curtailing");
    mine.tick().silent();
    assert!(mine.events().contains("not sent (mode = observe)"), "{}", mine.events());
    assert!(mine.page().contains("observe"));
    assert!(mine.commands().is_empty(), "observe mode sent {:?}", mine.commands());
}

/// `minectl set miners off` for eight hours, taken in by a run: somebody goes into the container.
fn held() -> Mine {
    let mine = Mine::start(60.0, observing);
    mine.tick().silent();
    mine.run(&["set", "miners", "off", "--for", "8 hours"]).done();
    mine.tick().silent();
    assert_eq!(targets(&mine.status_json()), ["miners"]);
    mine
}

fn holds_until_it_is_cleared(mine: &Mine) {
    for _ in 0..3 {
        mine.tick().silent();
        assert_eq!(targets(&mine.status_json()), ["miners"], "{}", tail(&mine.log(), 30));
    }
    assert!(mine.events().contains("miners = off"), "nobody was told: {}", mine.events());
    mine.run(&["clear", "miners"]).done();
    mine.tick().silent();
    assert_eq!(targets(&mine.status_json()), Vec::<&str>::new());
}

#[test]
fn a_hold_outlives_a_database_that_is_set_aside() {
    let mine = held();
    std::fs::write(mine.data().join("db/db"), b"torn").unwrap();
    holds_until_it_is_cleared(&mine);
}

#[test]
fn a_hold_outlives_a_database_that_is_gone_and_one_that_was_set_since_counts() {
    let mine = held();
    std::fs::remove_dir_all(mine.data().join("db")).unwrap();
    mine.run(&["set", "miners", "off", "--for", "2 hours", "--reason", "since"]).done();
    mine.tick().silent();
    assert_eq!(mine.status_json()["overrides"][0]["reason"], "since");
    holds_until_it_is_cleared(&mine);
}

/// Nothing happened that is an event, and `set` could not write it: it is in the plain copy all the same.
#[test]
fn an_override_that_the_plain_copy_lacks_is_in_it_after_the_run_that_took_it_in() {
    let mine = Mine::start(60.0, observing);
    // An event has the copy written anyway; so has a run that comes early, which is one.
    let is_quiet = || {
        let events = mine.events();
        mine.wait_site(120.0);
        mine.tick().silent();
        events == mine.events()
    };
    assert!((0..15).any(|_| is_quiet()), "{}", mine.events());
    mine.run(&["set", "fan", "3", "on", "--for", "8 hours"]).done();
    std::fs::remove_file(mine.data().join("state.json")).unwrap();
    assert!(is_quiet(), "{}", mine.events());
    let copy = || std::fs::read_to_string(mine.data().join("state.json")).unwrap();
    assert!(copy().contains("\"by\":\"tester\""), "a lost database would lose it");
    mine.run(&["clear", "fan", "3"]).done();
    assert!(!copy().contains("\"by\":\"tester\""), "a lost database would bring it back");
}

#[test]
fn an_override_that_is_set_again_while_a_run_ends_the_one_before_it_stays() {
    let mine = Mine::start(1.0, observing);
    mine.tick().silent();
    mine.run(&["set", "fan", "3", "on", "--for", "2 s"]).done();
    mine.wait_site(3.0);
    mine.fault("foreman", "hang");
    let run = mine.command(&["tick"]).spawn().unwrap();
    let begins = mine.log().matches("run begins").count();
    while mine.log().matches("run begins").count() <= begins.max(1) {
        std::thread::sleep(Duration::from_millis(20));
    }
    // It has read the overrides, and waits for Foreman.
    std::thread::sleep(Duration::from_secs(1));
    mine.run(&["set", "fan", "3", "on", "--for", "2 hours", "--reason", "again"]).done();
    finish(run, "tick").silent();
    assert!(mine.events().contains("override ended after 2 s"), "{}", mine.events());
    mine.heal();
    mine.tick().silent();
    assert_eq!(mine.status_json()["overrides"][0]["reason"], "again", "{}", mine.events());
}
