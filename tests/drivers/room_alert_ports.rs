//! Room Alert: ports of every kind, wireless units, and what the owner can allow.

use minectl::config::RoomAlertConfig;
use minectl::drivers::parse;
use minectl::model::{FaultKind, ProbeReading, Reading};
use minectl::units::{Seconds, Temperature};
use serde_json::{Value, json};

use crate::config::{NOWHERE, room};
use crate::fixture::{fixture, kind_and_detail, text};

/// A 32E with every kind of port, in Latin-1, with keys that come twice.
fn body() -> String {
    minectl::http::Answer::new(200, Vec::new(), fixture("room_alert/32e_every_port.htm")).text()
}

fn changed(change: impl Fn(&mut Value)) -> String {
    let mut unit = serde_json::from_str(&body()).unwrap();
    change(&mut unit);
    unit.to_string()
}

/// A unit with the one probe `intake-west`, here without a wanted label.
fn one_probe(array: &str, index: usize) -> RoomAlertConfig {
    let mut cfg = room(NOWHERE);
    cfg.probes.remove(0);
    cfg.probes[0].array = array.to_owned();
    (cfg.probes[0].index, cfg.probes[0].label) = (index, None);
    cfg.switches.clear();
    cfg
}

fn probe(body: &str, cfg: &RoomAlertConfig) -> ProbeReading {
    parse::room_alert(body, cfg).unwrap().probes["intake-west"].clone()
}

fn celsius(array: &str, index: usize) -> Reading<f64> {
    probe(&body(), &one_probe(array, index)).temperature.map(Temperature::value)
}

fn switch(body: &str, array: &str, index: usize, change: impl Fn(&mut minectl::config::SwitchConfig)) -> Reading<bool> {
    let mut cfg = room(NOWHERE);
    cfg.switches.truncate(1);
    cfg.switches[0].array = array.to_owned();
    cfg.switches[0].index = index;
    change(&mut cfg.switches[0]);
    parse::room_alert(body, &cfg).unwrap().switches["smoke"].clone()
}

#[test]
fn every_kind_of_port_is_read_at_its_place() {
    assert_eq!(celsius("internal_sen", 0), Ok(26.5));
    assert_eq!(celsius("sensor", 0), Ok(-12.25), "below freezing");
    assert_eq!(celsius("wireless_sen", 1), Ok(19.0));
    assert_eq!(celsius("wireless_sen/1/digi_sen", 0), Ok(17.5));
    assert_eq!(switch(&body(), "internal_sen", 2, |_| ()), Ok(true), "the power sensor is a switch");
    assert_eq!(switch(&body(), "s_sen", 0, |_| ()), Ok(false));
    assert_eq!(switch(&body(), "wireless_sen/1/s_sen", 0, |_| ()), Ok(true));
    let humid = probe(&body(), &one_probe("internal_sen", 0)).humidity.unwrap().unwrap();
    assert_eq!(humid.value(), 41.5, "the last of two keys counts");
}

#[test]
fn ports_that_measure_something_else_or_nothing_are_refused_with_their_reason() {
    let refused = |array: &str, index: usize| kind_and_detail(celsius(array, index).unwrap_err());
    let missing = |text: &str| (FaultKind::Missing, text.to_owned());
    assert_eq!(refused("internal_sen", 1), missing("the port measures voltage, not temperature"));
    let power = "the port tells whether there is power, not a temperature; read it as a switch";
    assert_eq!(refused("internal_sen", 2), missing(power));
    assert_eq!(refused("sensor", 2), missing("nothing is plugged into the port"), "24.50 °C is an old reading");
    assert_eq!(refused("sensor", 3), missing("nothing is plugged into the port"));
    assert_eq!(refused("wireless_sen", 0), missing("the wireless slot is empty"));
    assert_eq!(refused("wireless_sen/0/digi_sen", 0), missing("the wireless slot is empty"), "with the unit around it");
    assert_eq!(refused("wireless_sen/1/digi_sen", 1), missing("nothing is plugged into the port"));
    let entries = "array `wireless_sen` has 2 entries; wanted number 2, from 0";
    assert_eq!(refused("wireless_sen/2/digi_sen", 0), missing(entries));
    assert_eq!(refused("s_sen", 0), (FaultKind::Unreadable, "the port's type is nothing, not a number".to_owned()));
    let empty = switch(&body(), "wireless_sen/0/s_sen", 0, |_| ()).unwrap_err();
    assert_eq!(empty.detail, "the wireless slot is empty");
    let analog = switch(&body(), "internal_sen", 1, |s| s.use_disabled = true).unwrap_err();
    assert_eq!(analog.detail, "`stat` is nothing, not 0 or 1");
}

#[test]
fn a_port_that_is_switched_off_is_read_only_where_the_owner_says_so() {
    let fault = celsius("sensor", 1).unwrap_err();
    assert!(fault.kind == FaultKind::Missing && fault.detail.contains("`use_disabled`"), "{fault}");
    let mut cfg = one_probe("sensor", 1);
    cfg.probes[0].use_disabled = true;
    assert_eq!(probe(&body(), &cfg).temperature.map(Temperature::value), Ok(18.75));
    cfg.probes[0].index = 2;
    assert!(probe(&body(), &cfg).temperature.is_err(), "the permission is not for ports without a probe");
    assert!(switch(&body(), "s_sen", 1, |_| ()).unwrap_err().detail.contains("switched off"));
    assert_eq!(switch(&body(), "s_sen", 1, |s| s.use_disabled = true), Ok(true));
}

#[test]
fn a_wireless_probe_that_was_not_heard_of_is_stale_where_a_longest_age_is_given() {
    let read = |stamp: &str, array: &str, index: usize| {
        let body = changed(|unit| unit["wireless_sen"][1]["tstamp"] = json!(stamp));
        let mut cfg = one_probe(array, index);
        cfg.probes[0].max_age = Some(Seconds(1800));
        probe(&body, &cfg).temperature.map(Temperature::value).map_err(kind_and_detail)
    };
    let stale = |text: &str| Err((FaultKind::Stale, text.to_owned()));
    assert_eq!(read("03/09/26 11:30:00", "wireless_sen", 1), Ok(19.0), "the unit's clock says 12:00:00");
    let late = "last heard 30 min 1 s ago by its own time stamp; allowed are 30 min";
    assert_eq!(read("03/09/26 11:29:59", "wireless_sen", 1), stale(late));
    assert_eq!(read("03/09/26 11:29:59", "wireless_sen/1/digi_sen", 0), stale(late), "its probes are as old");
    assert_eq!(read("03/09/26 12:02:00", "wireless_sen", 1), Ok(19.0), "heard while the answer was written");
    let ahead = "its time stamp `03/09/26 12:02:01` is ahead of the unit's clock `03/09/26 12:00:00`";
    assert_eq!(read("03/09/26 12:02:01", "wireless_sen", 1), stale(ahead));
    let unknown =
        "its age cannot be told: time stamp `soon`, the unit's clock `03/09/26 12:00:00`; is it a wireless probe?";
    assert_eq!(read("soon", "wireless_sen", 1), stale(unknown));
    assert!(read("03/09/26 12:00:00", "internal_sen", 0).is_err(), "a probe on a cable has no time stamp");
}

#[test]
fn the_oldest_units_are_known_by_their_mac_address_and_may_tell_no_kind_of_port() {
    let body = "\r\n{name:\"RA\0 \u{7}1\",uptime:\"5d 10:20:30\",macaddr:\"00:20:4A:00:00:01\",sensor:[\
                {label:\"Exit\",tempf:\"86.00\",tempc:\"30.00\",alarm:0,},{label:\"Roof\",tempf:\"32.00\",tempc:\"0.00\",\
                highf:\"32.00\",highc:\"0.00\",lowf:\"32.00\",lowc:\"0.00\"}],switch_sen:[{label:\"power\",status:0}]}\r\n\0";
    let mut cfg = one_probe("sensor", 0);
    cfg.serial = Some("00:20:4a:00:00:01".to_owned());
    let unit = parse::room_alert(body, &cfg).unwrap();
    assert_eq!((unit.serial.as_str(), unit.uptime), ("00:20:4A:00:00:01", Some(Seconds(469_230))));
    assert_eq!(unit.probes["intake-west"].temperature.clone().map(Temperature::value), Ok(30.0));
    cfg.probes[0].index = 1;
    assert_eq!(
        probe(body, &cfg).temperature.unwrap_err().detail,
        "shows 32.00 °F as ever: the filler of an unused port"
    );
    assert_eq!(switch(body, "s_sen", 0, |_| ()), Ok(false), "switches have one name for both vocabularies");
    cfg.serial = Some("RA12-5117E0".to_owned());
    let fault = parse::room_alert(body, &cfg).unwrap_err();
    assert_eq!(fault.detail, "serial number is not given (MAC address `00:20:4A:00:00:01`); wanted `RA12-5117E0`");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_temperature_that_is_believed_is_one_that_a_probe_can_measure_and_both_scales_tell(
        tc in -1.0e3..1.0e3_f64, off in -1.0..1.0_f64, h in -200.0..200.0_f64,
    ) {
        let tf = tc * 1.8 + 32.0 + off;
        let body = changed(|unit| {
            let port = &mut unit["internal_sen"][0];
            (port["tc"], port["tf"], port["h"]) = (json!(format!("{tc:.2}")), json!(format!("{tf:.2}")), json!(h));
            for extreme in ["hc", "lc", "hf", "lf"] {
                port.as_object_mut().unwrap().remove(extreme);
            }
        });
        let reading = probe(&body, &one_probe("internal_sen", 0));
        if let Ok(value) = reading.temperature {
            proptest::prop_assert!((-40.0..=125.0).contains(&value.value()) && off.abs() < 0.22);
        } else {
            proptest::prop_assert!(!(-39.9..124.9).contains(&tc) || off.abs() > 0.18);
        }
        if let Ok(percent) = reading.humidity.unwrap() {
            proptest::prop_assert!(percent.value() > 0.0 && percent.value() <= 100.0);
        }
    }
}

/// What the analog input of the 12E says when its entry is changed so.
fn analog(changes: &[(&str, &str)]) -> Vec<(String, String, Result<String, FaultKind>)> {
    let mut body = text("room_alert/12e_v3.2.5.json");
    for (before, after) in changes {
        assert!(body.contains(before), "{before}");
        body = body.replace(before, after);
    }
    let read = parse::room_alert(&body, &room(NOWHERE)).unwrap().analog.into_iter();
    read.map(|input| (input.place, input.label, input.says.map_err(|fault| fault.kind))).collect()
}

#[test]
fn an_analog_input_is_listed_with_its_unit_once_it_is_switched_on() {
    const OFF: &str = r#""t":65,"en":0}"#;
    const ON: (&str, &str) = (OFF, r#""t":65,"en":1}"#);
    assert_eq!(analog(&[]), []);
    let says = |changes: &[(&str, &str)]| {
        let all: Vec<_> = std::iter::once(ON).chain(changes.iter().copied()).collect();
        let found = analog(&all);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0.starts_with("sensor/"), "{found:?}");
        found[0].2.clone()
    };
    assert_eq!(says(&[]), Ok("1.07 V".to_owned()));
    let scale = |sym: &str| format!(r#""min":"10","max":"60","sym":"{sym}","en":"1""#);
    let plain = r#""min":"0","max":"5","sym":"V","en":"0""#;
    assert_eq!(says(&[(plain, &scale("psi"))]), Ok("20.70 psi (1.07 V)".to_owned()));
    assert_eq!(says(&[(plain, &scale(" "))]), Ok("1.07 V".to_owned()), "without a unit it is no value");
    let no_span = (r#""refmax":"5""#, r#""refmax":"0""#);
    assert_eq!(says(&[(plain, &scale("psi")), no_span]), Ok("1.07 V".to_owned()), "a scale without a span");
    let volts = r#""volts":"1.07""#;
    assert_eq!(says(&[(volts, r#""volts":"100""#)]), Ok("100 V".to_owned()));
    assert_eq!(says(&[(volts, r#""volts":"100.1""#)]), Err(FaultKind::OutOfRange));
    assert_eq!(says(&[(volts, r#""volts":"""#)]), Err(FaultKind::Unreadable));
}
