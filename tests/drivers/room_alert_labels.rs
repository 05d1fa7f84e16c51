//! Labels that a Room Alert unit gives its ports, against those that the configuration wants.

use minectl::config::{ProbeRole, RoomAlertConfig};
use minectl::drivers::parse;
use minectl::model::{FaultKind, RoomReading};
use serde_json::json;

use crate::config::{NOWHERE, room};
use crate::fixture::{kind_and_detail, value};

/// Probes 1 and 2 are `Intake west` (an intake) and `Exhaust` in the configuration; the switches `Smoke` and `Water`.
fn labelled() -> RoomAlertConfig {
    let mut cfg = room(NOWHERE);
    let mut exhaust = cfg.probes[1].clone();
    exhaust.name = "exhaust".to_owned();
    (exhaust.index, exhaust.role, exhaust.label) = (2, ProbeRole::Exhaust, Some("Exhaust".to_owned()));
    cfg.probes.push(exhaust);
    cfg.switches[0].label = Some("Smoke".to_owned());
    cfg.switches[1].label = Some("Water".to_owned());
    cfg
}

/// What is read of a unit that gives its two probes and its two switches these labels.
fn read(cfg: &RoomAlertConfig, probes: [&str; 2], switches: [&str; 2]) -> RoomReading {
    let mut unit = value("room_alert/12e_v3.2.5.json");
    (unit["sensor"][1]["lab"], unit["sensor"][2]["lab"]) = (json!(probes[0]), json!(probes[1]));
    (unit["s_sen"][0]["lab"], unit["s_sen"][1]["lab"]) = (json!(switches[0]), json!(switches[1]));
    parse::room_alert(&unit.to_string(), cfg).unwrap()
}

const SWITCHES: [&str; 2] = ["Smoke", "Water"];

#[test]
fn the_labels_that_are_wanted_are_no_remark() {
    let read = read(&labelled(), [" Intake west", "Exhaust"], SWITCHES);
    assert_eq!(read.remarks, Vec::<String>::new());
    assert!(read.probes.values().all(|probe| probe.temperature.is_ok()), "{:?}", read.probes);
}

#[test]
fn a_changed_label_is_a_remark_and_its_value_counts() {
    let read = read(&labelled(), ["Intake\u{7}<b>W", "Exhaust"], ["Rauch Küche", "Water"]);
    assert_eq!(read.probes["intake-west"].temperature.as_ref().unwrap().value(), 21.85);
    assert_eq!(read.switches["smoke"], Ok(false));
    assert_eq!(
        read.remarks,
        [
            "probe intake-west: the unit labels it `Intake W`, not `Intake west`: is it still the same sensor?",
            "switch smoke: the unit labels it `Rauch Küche`, not `Smoke`: is it still the same sensor?",
        ]
    );
}

#[test]
fn a_port_with_the_label_of_a_probe_of_another_role_is_refused() {
    let read = read(&labelled(), ["Exhaust", "Intake west"], SWITCHES);
    for (probe, detail) in [
        ("intake-west", "the unit labels it `Exhaust`, as another sensor; wanted `Intake west`"),
        ("exhaust", "the unit labels it `Intake west`, as another sensor; wanted `Exhaust`"),
    ] {
        let fault = read.probes[probe].temperature.clone().unwrap_err();
        assert_eq!(kind_and_detail(fault), (FaultKind::WrongDevice, detail.to_owned()));
    }
    assert_eq!(read.remarks, Vec::<String>::new());
}

#[test]
fn two_probes_of_one_role_that_changed_places_still_count() {
    let mut cfg = labelled();
    cfg.probes[2].role = ProbeRole::Intake;
    let read = read(&cfg, ["Exhaust", "Intake west"], SWITCHES);
    assert!(read.probes.values().all(|probe| probe.temperature.is_ok()), "{:?}", read.probes);
    assert_eq!(read.remarks.len(), 2, "{:?}", read.remarks);
}

#[test]
fn a_switch_with_the_label_of_another_switch_is_refused() {
    let read = read(&labelled(), ["Intake west", "Exhaust"], ["Water", "Water"]);
    assert_eq!(read.switches["smoke"].clone().unwrap_err().kind, FaultKind::WrongDevice);
    assert_eq!(read.switches["water"], Ok(true));
}

#[test]
fn a_port_without_a_label_is_a_remark() {
    let mut unit = value("room_alert/12e_v3.2.5.json");
    unit["sensor"][1].as_object_mut().unwrap().remove("lab");
    let read = parse::room_alert(&unit.to_string(), &room(NOWHERE)).unwrap();
    assert!(read.probes["intake-west"].temperature.is_ok());
    assert!(read.remarks[0].contains("the unit labels it nothing, not `Intake west`"), "{:?}", read.remarks);
}
