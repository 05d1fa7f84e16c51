//! Room Alert: both vocabularies, and every reason to refuse.

use minectl::config::RoomAlertConfig;
use minectl::drivers::parse;
use minectl::model::{Fault, FaultKind};
use minectl::units::Seconds;
use serde_json::{Value, json};

use crate::config::{NOWHERE, room};
use crate::fixture::{fixture, kind_and_detail, text, value};

#[test]
fn room_alerts_are_read_in_both_vocabularies() {
    for (name, serial, west_c, humidity, water) in [
        ("12e_v3.2.5.json", "RA12-5117E0", 21.85, Some(47.25), true),
        ("3e_v1.2.1.json", "RA3E-130277", 21.0, Some(52.0), true),
        ("legacy.htm", "", 21.5, None, false),
    ] {
        let unit = parse::room_alert(&text(&format!("room_alert/{name}")), &room(NOWHERE)).unwrap();
        assert_eq!(unit.serial, serial, "{name}");
        assert!(unit.uptime.is_some_and(|uptime| uptime > Seconds(86_400)), "{name}");
        let west = &unit.probes["intake-west"];
        assert_eq!(west.temperature.as_ref().unwrap().value(), west_c, "{name}");
        assert_eq!(west.humidity.as_ref().map(|h| h.as_ref().unwrap().value()), humidity, "{name}");
        assert_eq!((&unit.switches["smoke"], &unit.switches["water"]), (&Ok(false), &Ok(water)), "{name}");
        assert!(unit.probes["middle"].temperature.is_ok(), "{name}");
        assert_eq!(unit.probes["middle"].humidity, None, "{name}");
    }
}

#[test]
fn duplicate_keys_and_latin_1_labels_are_tolerated() {
    let body = minectl::http::Answer::new(200, Vec::new(), fixture("room_alert/32e_v2.5.1.json")).text();
    let mut cfg = room(NOWHERE);
    cfg.probes[0].array = "internal_sen".to_owned();
    let unit = parse::room_alert(&body, &cfg).unwrap();
    assert_eq!(unit.probes["middle"].temperature.as_ref().unwrap().value(), 25.0);
    let unplugged = unit.probes["intake-west"].temperature.clone().unwrap_err();
    assert_eq!(unplugged.kind, FaultKind::Missing, "a kept reading of 24.00 °C does not count: {unplugged}");
}

#[test]
fn another_units_serial_number_is_refused() {
    let mut cfg = room(NOWHERE);
    cfg.serial = Some("RA12-5117E0".to_owned());
    assert!(parse::room_alert(&text("room_alert/12e_v3.2.5.json"), &cfg).is_ok());
    let fault = parse::room_alert(&text("room_alert/3e_v1.2.1.json"), &cfg).unwrap_err();
    assert_eq!(
        kind_and_detail(fault),
        (FaultKind::WrongDevice, "serial number is `RA3E-130277`; wanted `RA12-5117E0`".to_owned())
    );
    assert_eq!(parse::room_alert(&text("room_alert/legacy.htm"), &cfg).unwrap_err().kind, FaultKind::WrongDevice);
}

/// The fault of `intake-west` after a change to its port, or to the whole answer.
fn refused(change: impl Fn(&mut Value)) -> Fault {
    let mut unit = value("room_alert/12e_v3.2.5.json");
    change(&mut unit);
    let unit = parse::room_alert(&unit.to_string(), &room(NOWHERE)).unwrap();
    let fault = unit.probes["intake-west"].temperature.clone().unwrap_err();
    assert_eq!(fault.device, "room-alert intake-west");
    fault
}

fn port(unit: &mut Value) -> &mut Value {
    &mut unit["sensor"][1]
}

const POWER: &str = "the port tells whether there is power, not a temperature; read it as a switch";
const DISABLED: &str = "the port is switched off in the unit's settings; switch it on there, or set `use_disabled`";

#[test]
fn every_reason_to_refuse_a_probe_has_its_words() {
    type Change = fn(&mut Value);
    let cases: [(Change, FaultKind, &str); 17] = [
        (|u| port(u)["t"] = json!(0), FaultKind::Missing, "nothing is plugged into the port"),
        (|u| port(u)["t"] = json!("0"), FaultKind::Missing, "nothing is plugged into the port"),
        (|u| port(u)["t"] = json!("power"), FaultKind::Missing, POWER),
        (|u| port(u)["volts"] = json!("2.0"), FaultKind::Missing, "the port measures voltage, not temperature"),
        (|u| port(u)["en"] = json!(0), FaultKind::Missing, DISABLED),
        (|u| port(u)["in"] = json!(-1), FaultKind::Missing, "the wireless slot is empty"),
        (|u| port(u)["ser"] = json!("000000000000"), FaultKind::Missing, "the wireless slot is empty"),
        (|u| port(u)["tc"] = json!(""), FaultKind::Unreadable, "`tc` is ``, not a number"),
        (|u| port(u)["tc"] = json!("NaN"), FaultKind::Unreadable, "`tc` is `NaN`, not a number"),
        (
            |u| drop(port(u).as_object_mut().unwrap().remove("tf")),
            FaultKind::Unreadable,
            "`tf` is nothing, not a number",
        ),
        (
            |u| port(u)["tc"] = json!("125.01"),
            FaultKind::OutOfRange,
            "125.01 °C is outside what a probe can measure (-40 to 125 °C)",
        ),
        (
            |u| port(u)["tc"] = json!("-40.01"),
            FaultKind::OutOfRange,
            "-40.01 °C is outside what a probe can measure (-40 to 125 °C)",
        ),
        (|u| port(u)["t"] = json!("65"), FaultKind::Missing, "the port measures voltage, not temperature"),
        (
            |u| port(u)["lc"] = json!("21.96"),
            FaultKind::Unreadable,
            "21.85 °C is outside the unit's own lowest and highest (21.96 to 31.5 °C)",
        ),
        (|u| port(u)["tf"] = json!("71.54"), FaultKind::Unreadable, "71.54 °F and 21.85 °C do not agree"),
        (
            |u| port(u)["hc"] = json!("21.74"),
            FaultKind::Unreadable,
            "21.85 °C is outside the unit's own lowest and highest (10 to 21.74 °C)",
        ),
        (|u| u["sensor"] = json!([{}]), FaultKind::Missing, "array `sensor` has 1 entries; wanted number 1, from 0"),
    ];
    for (change, kind, words) in cases {
        assert_eq!(kind_and_detail(refused(change)), (kind, words.to_owned()));
    }
    let no_array = refused(|u| drop(u.as_object_mut().unwrap().remove("sensor")));
    assert_eq!(no_array.detail, "no array `sensor` in the answer; there are `relay`, `s_sen`");
}

#[test]
fn the_filler_of_an_unused_port_is_refused_and_a_true_freezing_point_is_not() {
    let set = |u: &mut Value, high: &str| {
        for (name, text) in [("tf", "32.00"), ("tc", "0.00"), ("lf", "32.00"), ("lc", "0.00"), ("hf", high)] {
            port(u)[name] = json!(text);
        }
    };
    assert_eq!(refused(|u| set(u, "32.00")).detail, "shows 32.00 °F as ever: the filler of an unused port");
    let mut unit = value("room_alert/12e_v3.2.5.json");
    set(&mut unit, "33.80");
    let unit = parse::room_alert(&unit.to_string(), &room(NOWHERE)).unwrap();
    assert_eq!(unit.probes["intake-west"].temperature.as_ref().unwrap().value(), 0.0);
}

#[test]
fn edges_of_the_checks_are_accepted() {
    type Change = fn(&mut Value);
    let cases: [Change; 4] = [
        |u| port(u)["tf"] = json!("71.52"),
        |u| port(u)["hc"] = json!("21.75"),
        |u| drop(port(u).as_object_mut().unwrap().remove("en")),
        |u| port(u)["t"] = json!("38"),
    ];
    for change in cases {
        let mut unit = value("room_alert/12e_v3.2.5.json");
        change(&mut unit);
        let unit = parse::room_alert(&unit.to_string(), &room(NOWHERE)).unwrap();
        assert!(unit.probes["intake-west"].temperature.is_ok(), "{unit:?}");
    }
}

#[test]
fn impossible_humidity_is_refused_and_leaves_the_temperature() {
    for (humid, kind) in
        [("0.00", FaultKind::OutOfRange), ("100.1", FaultKind::OutOfRange), ("x", FaultKind::Unreadable)]
    {
        let mut unit = value("room_alert/12e_v3.2.5.json");
        port(&mut unit)["h"] = json!(humid);
        let unit = parse::room_alert(&unit.to_string(), &room(NOWHERE)).unwrap();
        let west = &unit.probes["intake-west"];
        assert!(west.temperature.is_ok());
        assert_eq!(west.humidity.clone().unwrap().unwrap_err().kind, kind, "{humid}");
    }
}

#[test]
fn switches_tell_by_stat_with_the_configured_side() {
    let mut cfg = room(NOWHERE);
    cfg.switches[0].alarm_when = 0;
    let mut unit = value("room_alert/12e_v3.2.5.json");
    assert_eq!(parse::room_alert(&unit.to_string(), &cfg).unwrap().switches["smoke"], Ok(true));
    unit["s_sen"][0]["stat"] = json!({});
    unit["s_sen"][1]["en"] = json!(0);
    let read = parse::room_alert(&unit.to_string(), &cfg).unwrap();
    assert_eq!(read.switches["smoke"].clone().unwrap_err().detail, "`stat` is `{}`, not 0 or 1");
    assert_eq!(read.switches["water"].clone().unwrap_err().kind, FaultKind::Missing);
}

#[test]
fn bodies_that_are_no_room_alert_are_refused() {
    let cfg: RoomAlertConfig = room(NOWHERE);
    let whole = text("room_alert/12e_v3.2.5.json");
    for (body, kind, words) in [
        ("", FaultKind::Unreadable, "answer is empty"),
        (&whole[..900], FaultKind::Unreadable, "answer is cut off after 900 bytes"),
        ("{}", FaultKind::Unreadable, "answer has no sensors: not a Room Alert"),
        ("404 Error", FaultKind::Unreadable, "answer is not JSON: `404 Error`"),
        ("<form><input type=\"password\">Log in</form>", FaultKind::Refused, "a login page came instead: `Log in`"),
    ] {
        assert_eq!(kind_and_detail(parse::room_alert(body, &cfg).unwrap_err()), (kind, words.to_owned()));
    }
    assert!(parse::room_alert(&format!("\r\n {whole}\r\n\0"), &cfg).is_ok(), "what is around the object does no harm");
}
