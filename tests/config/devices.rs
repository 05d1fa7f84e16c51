//! The settings of Room Alert units and relay boards: what can be said, and what cannot be together.

use minectl::config::{RelayFamily, RelayPage, RelayPoint};
use minectl::units::Seconds;

use crate::support::*;

const BOARD_B: &str = "family = \"x300\"";
const FAN_5: &str = "board = \"relays-a\"\nrelay = 5";
const PROBE: &str = "index = 0, role = \"other\"";

#[test]
fn every_family_has_its_word() {
    for (word, family) in [
        ("auto", RelayFamily::Auto),
        ("400", RelayFamily::Series400),
        ("x300", RelayFamily::Series300),
        ("wr10", RelayFamily::Series300),
        ("quad", RelayFamily::Series300),
        ("single", RelayFamily::Single),
        ("x332", RelayFamily::X332),
    ] {
        assert_eq!(sound(&changed(BOARD_B, &format!("family = \"{word}\""))).boards[1].family, family);
    }
    one_mistake(BOARD_B, "family = \"x310\"", "unknown word `x310`");
}

#[test]
fn a_board_has_one_section() {
    one_mistake(
        "url = \"http://127.0.0.1:18006\"",
        "url = \"http://127.0.0.1:18005\"",
        "`relays-a` has this address already",
    );
}

#[test]
fn a_page_is_one_that_the_family_has() {
    let page = |text: &str| sound(&changed(BOARD_B, text)).boards[1].page;
    assert_eq!(page("family = \"quad\"\npage = \"stateFull.xml\""), Some(RelayPage::StateFullXml));
    assert_eq!(page("family = \"400\"\npage = \"state.xml\""), Some(RelayPage::StateXml));
    assert_eq!(page("family = \"auto\"\npage = \"state.json\""), Some(RelayPage::StateJson));
    one_mistake(BOARD_B, "family = \"x300\"\npage = \"state.json\"", "only boards of `family` 400 speak JSON");
    one_mistake(BOARD_B, "family = \"x300\"\npage = \"index.html\"", "unknown word `index.html`");
}

#[test]
fn a_fan_has_its_relay_by_number_or_by_name_on_a_board_that_has_names() {
    let named = |name: &str| format!("board = \"relays-a\"\nrelay_name = \"{name}\"");
    let config = sound(&changed(FAN_5, &named("device2Relay6")));
    assert_eq!(config.fans[&5].relay, RelayPoint::Name("device2Relay6".to_owned()));
    assert_eq!(config.fans[&4].relay, RelayPoint::Number(4));
    one_mistake(FAN_5, &format!("{FAN_5}\nrelay_name = \"device2Relay6\""), "keep one of the two");
    assert!(mistakes(FAN_5, "board = \"relays-a\"")[0].contains("missing key `relay`"));
    for bad in ["relay 5", "a&relay1=2", "a=1", "1relay", "", "ä"] {
        assert_eq!(mistakes(FAN_5, &named(bad)).len(), 1, "{bad}");
    }
    one_mistake(FAN_5, "board = \"relays-b\"\nrelay_name = \"device2Relay6\"", "`relays-b` has no names");
    let fixed = "family = \"400\"\npage = \"state.xml\"";
    let text = changed(FAN_5, &named("device2Relay6")).replace("family = \"400\"", fixed);
    assert!(parse(&text).unwrap_err()[0].contains("without `page`"));
    let twice = changed(FAN_5, &named("pump")).replace("board = \"relays-a\"\nrelay = 4", &named("pump"));
    assert_eq!(parse(&twice).unwrap_err().len(), 1);
}

#[test]
fn probes_and_switches_may_be_in_wireless_units_and_switched_off() {
    let text = changed(PROBE, "index = 0, role = \"other\", use_disabled = true, max_age = \"30 minutes\"");
    let probe = &sound(&text).rooms[0].probes[3];
    assert_eq!((probe.use_disabled, probe.max_age), (true, Some(Seconds(1800))));
    assert!(!sound(SAMPLE).rooms[0].probes[3].use_disabled);
    one_mistake(PROBE, "index = 0, role = \"other\", max_age = \"59 s\"", "is outside");
    no_mistake(PROBE, "index = 0, role = \"other\", max_age = \"60 s\"");
    let smoke = "index = 0, alarm_when = 1, stops_mine = true";
    let switch =
        &sound(&changed(smoke, &format!("{smoke}, label = \"Smoke\", use_disabled = true"))).rooms[0].switches[0];
    assert_eq!((switch.label.as_deref(), switch.use_disabled), (Some("Smoke"), true));

    let array = "name = \"middle\", array = \"sensor\"";
    let with = |array: &str| format!("name = \"middle\", array = \"{array}\"");
    no_mistake(array, &with("wireless_sen/2/digi_sen"));
    for bad in ["", "a/1", "a/b/c", "/1/a", "a b", "a/1/", "a/300/b"] {
        assert_eq!(mistakes(array, &with(bad)).len(), 1, "{bad}");
    }
}

#[test]
fn the_password_lines_of_a_room_alert_work() {
    let room = &sound(&uncommented(SAMPLE, "user = \"admin\"", "password = \"site-room")).rooms[0];
    assert_eq!(room.user.as_deref(), Some("admin"));
    assert!(room.password.is_some());
    let alone = changed("# user = \"admin\"\n", "user = \"admin\"\n");
    assert!(parse(&alone).unwrap_err()[0].contains("needs `password`"));
}
