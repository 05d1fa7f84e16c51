//! The same mine with other models of Room Alert and relay boards in it: read without a fault, and fans switched and
//! switched back by hand over each board.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cycle::quick;
use crate::mine::{Mine, state};

/// Of real time.
const LIMIT: Duration = Duration::from_secs(90);

const ROOM_URL: &str = "18002/getData.json\"";
const ROOM_SERIAL: &str = "serial = \"RA12-E40517\"";
const EXHAUST: &str = "array = \"sensor\", index = 3, role = \"exhaust\", label = \"Exhaust\"";

fn replaced(mut text: String, pairs: &[(&str, &str)]) -> String {
    for (from, to) in pairs {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    quick(text)
}

/// The faults of the devices that this is about.
fn faults(status: &Value) -> Vec<String> {
    let devices = status["devices"].as_array().unwrap().iter();
    let ours =
        devices.filter(|device| ["room-alert", "relays-a", "relays-b"].contains(&device["name"].as_str().unwrap()));
    ours.filter_map(|device| device["fault"].as_str().map(|fault| format!("{}: {fault}", device["name"]))).collect()
}

fn coil(mine: &Mine, fan: usize) -> u64 {
    mine.truth()["fans"][fan - 1]["coil"].as_u64().unwrap()
}

/// Reads the mine, and switches one fan of each board off and on again.
fn works(mine: &Mine, what: &str) {
    mine.tick().silent();
    let status = mine.status_json();
    assert_eq!(faults(&status), Vec::<String>::new(), "{what}");
    for probe in ["intake-west", "intake-east", "exhaust"] {
        let probes = status["climate"]["probes"].as_array().unwrap();
        let found = probes.iter().find(|one| one["name"] == probe).unwrap();
        assert!(found["temperature"]["value"].is_number(), "{what}: {found}");
    }
    for fan in ["5", "9"] {
        mine.run(&["set", "fan", fan, "off", "--for", "1 hour"]).done();
    }
    mine.tick().silent();
    assert_eq!((coil(mine, 5), coil(mine, 9)), (1, 1), "{what}: off by hand");
    assert_eq!((coil(mine, 4), coil(mine, 6)), (0, 0), "{what}: and no other");
    for fan in ["5", "9"] {
        mine.run(&["set", "fan", fan, "on", "--for", "1 hour"]).done();
    }
    mine.tick().silent();
    assert_eq!((coil(mine, 5), coil(mine, 9)), (0, 0), "{what}: on again");
    assert_eq!(faults(&mine.status_json()), Vec::<String>::new(), "{what}");
    let odd: Vec<(String, String)> = mine
        .commands()
        .into_iter()
        .filter(|(_, what)| what.starts_with("relay") && !what.ends_with(['0', '1']))
        .collect();
    assert_eq!(odd, Vec::new(), "{what}");
}

#[test]
fn a_mine_runs_with_other_models_of_its_devices() {
    let plain = |text: String| replaced(text, &[]);
    let mine = Mine::start(60.0, plain);
    let with = |what: &str, dialects: Value, pairs: &[(&str, &str)]| {
        mine.fresh(|text| replaced(text, pairs));
        mine.set(json!({ "dialect": dialects }));
        works(&mine, what);
    };
    with("as in the sample", json!({}), &[]);
    with(
        "3E, 400 found out, Quad",
        json!({"room-alert": "3e", "relays-b": "quad"}),
        &[
            (ROOM_SERIAL, "serial = \"RA3E-130277\""),
            ("family = \"400\"", "family = \"auto\""),
            ("family = \"x300\"", "family = \"quad\""),
        ],
    );
    let named = [1, 2, 3, 4, 5].map(|n| {
        (
            format!("board = \"relays-a\"\nrelay = {n}\n"),
            format!("board = \"relays-a\"\nrelay_name = \"device2Relay{n}\"\n"),
        )
    });
    let mut pairs = vec![
        (ROOM_SERIAL, "serial = \"RA32-117204\""),
        ("index = 1, role = \"intake\"", "index = 0, role = \"intake\""),
        ("index = 2, role = \"intake\"", "index = 1, role = \"intake\""),
        (EXHAUST, "array = \"wireless_sen/1/digi_sen\", index = 0, role = \"exhaust\", max_age = \"5 minutes\""),
        ("array = \"sensor\", index = 0, role = \"other\"", "array = \"internal_sen\", index = 0, role = \"other\""),
        ("family = \"x300\"", "family = \"auto\""),
    ];
    pairs.extend(named.iter().map(|(from, to)| (from.as_str(), to.as_str())));
    with(
        "32E without headers, expansion relays, WebRelay-10 found out",
        json!({"room-alert": "32e", "relays-a": "custom"}),
        &pairs,
    );
    with(
        "oldest Room Alert, X-332, Quad found out",
        json!({"room-alert": "oldest", "relays-a": "x332", "relays-b": "quad"}),
        &[
            (ROOM_SERIAL, "serial = \"RA3E-130277\""),
            (ROOM_URL, "18002/getData.htm\""),
            ("family = \"400\"", "family = \"x332\""),
            ("family = \"x300\"", "family = \"auto\""),
        ],
    );
}

#[test]
fn another_unit_and_a_late_answer_are_told_from_obedience() {
    let mine = Mine::start(60.0, quick);
    mine.tick().silent();
    mine.fault("relays-a", "late-echo");
    mine.run(&["set", "fan", "5", "off", "--for", "1 hour"]).done();
    mine.tick().silent();
    assert_eq!((coil(&mine, 5), faults(&mine.status_json())), (1, Vec::new()), "one more reading settles it");
    mine.fault("relays-a", "other-unit");
    mine.fault("room-alert", "other-unit");
    mine.run(&["set", "fan", "5", "on", "--for", "1 hour"]).done();
    let before = mine.commands().len();
    mine.tick().silent();
    let told = faults(&mine.status_json()).join("\n");
    assert_eq!(told.matches("serial number is").count(), 2, "{told}");
    let sent: Vec<_> = mine.commands().into_iter().skip(before).filter(|(device, _)| device == "relays-a").collect();
    assert_eq!(sent, Vec::new(), "another board is not written to");
}

/// The sample's section of a PDU in other words.
fn pdu_section(text: String, pdu: &str, port: u16, words: &str) -> String {
    let head = format!("name = \"{pdu}\"\nurl = \"http://127.0.0.1:{port}\"\n");
    let plain = format!("{head}preset = \"digital-shovel\"\ntoken = \"site-spdu-token\"\n");
    assert_eq!(text.matches(&plain).count(), 1, "{pdu}");
    text.replace(&plain, &format!("{head}{words}user = \"owner\"\npassword = \"site-pdu-password\"\n"))
}

#[test]
fn a_call_is_obeyed_and_ended_over_pdus_that_want_a_login() {
    let mine = Mine::start(60.0, |text| {
        let text = pdu_section(text, "spdu-b", 18_011, "driver = \"redfish\"\n");
        let geist = "preset = \"geist\"\nunit = \"7A11C0FFEE0900C3\"\n";
        quick(pdu_section(text, "spdu-c", 18_012, geist))
    });
    mine.set(json!({"dialect": {"spdu-b": "redfish", "spdu-c": "geist"}}));
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    // Foreman is out of reach: every outlet must be switched.
    mine.fault("foreman", "refuse");
    mine.set(json!({"signal_number": 342}));
    mine.tick_until("off", LIMIT, |status| state(status) == "off");
    let cut = |pdu: &str, how: &str| {
        let sent = mine.commands().into_iter().filter(|(device, what)| device == pdu && what.ends_with(how));
        sent.collect::<std::collections::BTreeSet<_>>().len()
    };
    for pdu in [1, 2] {
        assert_eq!(mine.truth()["spdu_watts"][pdu].as_f64(), Some(0.0), "{}", mine.truth()["spdu_watts"]);
    }
    assert_eq!((cut("spdu-b", " off"), cut("spdu-c", " off")), (48, 48));
    mine.heal();
    mine.set(json!({"signal_number": 250}));
    mine.tick_until("mining again", LIMIT * 2, |status| state(status) == "mining");
    assert_eq!((cut("spdu-b", " on"), cut("spdu-c", " on")), (48, 48));
    for command in mine.commands().iter().filter(|(device, _)| ["spdu-b", "spdu-c"].contains(&device.as_str())) {
        assert!(command.1.ends_with(" on") || command.1.ends_with(" off"), "{command:?}");
    }
    let seen = mine.log() + &mine.events();
    assert!(!seen.contains("site-pdu-password"), "a password is shown");
    // A Geist has no way to end a session; Redfish's are all given back.
    let open = mine.truth()["spdu_sessions"]["open"].as_u64().unwrap();
    mine.set(json!({"dialect": {"spdu-c": "digital-shovel"}}));
    let made = mine.truth()["spdu_sessions"]["made"].as_u64().unwrap();
    mine.tick().silent();
    let after = &mine.truth()["spdu_sessions"];
    assert!(after["made"].as_u64().unwrap() > made, "a run reads spdu-b with a session of its own");
    assert_eq!(after["open"].as_u64(), Some(open), "and gives it back");
}
