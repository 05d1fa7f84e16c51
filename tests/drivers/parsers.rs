//! The parsers on recorded shapes: what is read, and every reason to refuse.

use minectl::config::{MinerChoice, RoomAlertConfig};
use minectl::drivers::parse;
use minectl::model::{CommandStatus, Fault, FaultKind, PowerMode};
use minectl::units::{Seconds, UnixSeconds, Watts};
use serde_json::{Value, json};

use crate::config::{NOWHERE, emoncms, foreman, iotawatt, pdu, room};

const NOW: UnixSeconds = UnixSeconds(1_795_400_000);

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

fn value(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn kind_and_detail(fault: Fault) -> (FaultKind, String) {
    (fault.kind, fault.detail)
}

// --- Room Alert ------------------------------------------------------------------------------------------------------

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

#[test]
fn every_reason_to_refuse_a_probe_has_its_words() {
    type Change = fn(&mut Value);
    let cases: [(Change, FaultKind, &str); 15] = [
        (|u| port(u)["t"] = json!(0), FaultKind::Missing, "nothing is plugged into the port"),
        (|u| port(u)["t"] = json!("0"), FaultKind::Missing, "nothing is plugged into the port"),
        (|u| port(u)["t"] = json!("power"), FaultKind::Missing, "the port measures voltage, not temperature"),
        (|u| port(u)["volts"] = json!("2.0"), FaultKind::Missing, "the port measures voltage, not temperature"),
        (|u| port(u)["en"] = json!(0), FaultKind::Missing, "the port is switched off in the unit's settings"),
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
        (|u| port(u)["tf"] = json!("71.54"), FaultKind::Unreadable, "71.54 °F and 21.85 °C do not agree"),
        (
            |u| port(u)["hc"] = json!("21.74"),
            FaultKind::Unreadable,
            "21.85 °C is outside the unit's own lowest and highest (10 to 21.74 °C)",
        ),
        (
            |u| port(u)["lab"] = json!("Intake\u{7}<b>east"),
            FaultKind::WrongDevice,
            "the unit labels it `Intake east`; wanted `Intake west`",
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

// --- IotaWatt --------------------------------------------------------------------------------------------------------

#[test]
fn the_last_full_row_counts_with_its_age() {
    let cfg = iotawatt(NOWHERE, 2);
    let read = |name: &str, now: i64| parse::iotawatt(&value(name), &cfg, UnixSeconds(now)).unwrap().unwrap();
    let full = read("iotawatt/query_02_08_04.json", 1_795_400_018);
    assert_eq!(full.row_time, Some(UnixSeconds(1_795_400_010)));
    let fan = |n: u8| full.fans[&n].clone().unwrap();
    assert_eq!((fan(1).value, fan(1).age), (Watts::new(1499.0).unwrap(), Seconds(3)));
    assert_eq!(fan(2).value.value().to_string(), "0", "-0 is a zero");
    let behind = read("iotawatt/newest_null.json", 1_795_400_016);
    assert_eq!(behind.row_time, Some(UnixSeconds(1_795_400_005)));
    assert_eq!(behind.fans[&1].clone().unwrap().value.value(), 1501.7);
    assert_eq!(read("iotawatt/query_02_08_04.json", 1_795_000_000).fans[&1].clone().unwrap().age, Seconds(0));
    assert_eq!(parse::iotawatt(&value("iotawatt/all_null.json"), &cfg, NOW).unwrap(), None);
}

#[test]
fn without_voltage_no_fan_has_watts() {
    let cfg = iotawatt(NOWHERE, 2);
    let read = parse::iotawatt(&value("iotawatt/no_voltage.json"), &cfg, NOW).unwrap().unwrap();
    for fan in 1..=2 {
        let fault = read.fans[&fan].clone().unwrap_err();
        assert_eq!(fault.kind, FaultKind::Missing);
        assert_eq!(fault.detail, "voltage reference is lost (17.3 V): the unit then says 0 W for every fan");
    }
    let at = |volts: f64| {
        let mut answer = value("iotawatt/no_voltage.json");
        answer["data"][1][1] = json!(volts);
        parse::iotawatt(&answer, &cfg, NOW).unwrap().unwrap().fans[&1].is_ok()
    };
    assert!(!at(49.9));
    assert!(at(50.0));
}

#[test]
fn rows_that_are_not_what_was_asked_for_are_refused() {
    let cfg = iotawatt(NOWHERE, 2);
    let with = |change: fn(&mut Value)| {
        let mut answer = value("iotawatt/query_02_08_04.json");
        change(&mut answer);
        parse::iotawatt(&answer, &cfg, NOW).unwrap_err()
    };
    let swapped = with(|a| a["labels"] = json!(["Time", "mains_v", "fan2", "fan1"]));
    assert_eq!(swapped.kind, FaultKind::Unreadable);
    assert!(swapped.detail.ends_with("wanted `Time,mains_v,fan1,fan2`"), "{swapped}");
    assert_eq!(with(|a| a["data"][2] = json!([1, 2])).detail, "a row has not the 4 columns that were asked for");
    assert_eq!(with(|a| a["data"][2][0] = json!(0)).detail, "a row has no time");
    assert_eq!(with(|a| drop(a.as_object_mut().unwrap().remove("data"))).detail, "answer has no rows");
    let mut absurd = value("iotawatt/query_02_08_04.json");
    absurd["data"][2][2] = json!(9.0e9);
    absurd["data"][2][3] = json!(-1500);
    let read = parse::iotawatt(&absurd, &cfg, NOW).unwrap().unwrap();
    assert_eq!(read.fans[&1].clone().unwrap_err().kind, FaultKind::OutOfRange);
    let reversed = read.fans[&2].clone().unwrap_err().detail;
    assert_eq!(reversed, "-1500 W is not possible for a fan; is its current transformer reversed?");
}

// --- emonCMS ---------------------------------------------------------------------------------------------------------

#[test]
fn emoncms_lists_are_read_with_and_without_redis_and_behind_notices() {
    for name in ["11.16_redis.json", "11.16_noredis.json", "notice_in_front.txt"] {
        let read = parse::emoncms(&text(&format!("emoncms/{name}")), &emoncms(NOWHERE, 4), NOW).unwrap();
        let fan = |n: u8| read.fans[&n].clone();
        assert_eq!(fan(1).unwrap().value.value(), 1498.25, "{name}");
        assert_eq!((fan(1).unwrap().age, fan(2).unwrap().age), (Seconds(15), Seconds(20)), "{name}");
        assert_eq!(fan(2).unwrap().value.value(), 0.0, "{name}");
        assert_eq!(kind_and_detail(fan(3).unwrap_err()), (FaultKind::Missing, "feed 13 has no data".to_owned()));
        assert_eq!(fan(4).unwrap_err().kind, FaultKind::Missing, "{name}");
        assert_eq!(read.row_time, Some(UnixSeconds(1_795_399_985)), "{name}");
    }
}

#[test]
fn a_feed_from_the_future_is_refused_beyond_a_minute() {
    let read = |now: i64| {
        let read = parse::emoncms(&text("emoncms/11.16_redis.json"), &emoncms(NOWHERE, 1), UnixSeconds(now)).unwrap();
        read.fans[&1].clone()
    };
    assert_eq!(read(1_795_399_985 - 60).unwrap().age, Seconds(0));
    let fault = read(1_795_399_985 - 61).unwrap_err();
    assert_eq!(
        kind_and_detail(fault),
        (FaultKind::Stale, "feed 11 is 1 min 1 s ahead of the server's clock".to_owned())
    );
}

#[test]
fn what_is_no_list_of_feeds_is_refused() {
    let refuse = |body: &str| kind_and_detail(parse::emoncms(body, &emoncms(NOWHERE, 1), NOW).unwrap_err());
    assert_eq!(refuse("false").0, FaultKind::Refused);
    let message = refuse(r#"{"success":false,"message":"Feed does not exist"}"#);
    assert_eq!(message, (FaultKind::Status, "the server says `Feed does not exist`".to_owned()));
    let (kind, detail) = refuse(&text("emoncms/redis_down.html"));
    assert_eq!(kind, FaultKind::Status);
    assert!(detail.starts_with("the server is in trouble: `Fatal error : Uncaught RedisException"), "{detail}");
    assert_eq!(refuse("[{\"id\":\"11\",").0, FaultKind::Unreadable);
    assert_eq!(refuse("").1, "answer is empty");
}

// --- ControlByWeb ----------------------------------------------------------------------------------------------------

#[test]
fn boards_are_read_in_both_families() {
    let json = parse::relay_json(&text("controlbyweb/x-400.json"), "b").unwrap();
    assert_eq!(json.relays.into_iter().collect::<Vec<_>>(), [(1, Ok(false)), (2, Ok(true)), (3, Ok(false))]);
    assert_eq!(json.serial.as_deref(), Some("00:0C:C8:05:3E:11"));
    let wr10 = parse::relay_xml(&text("controlbyweb/x-wr-10r12.xml"), "b").unwrap();
    assert_eq!(wr10.relays.into_iter().collect::<Vec<_>>(), [(1, Ok(false)), (2, Ok(true)), (3, Ok(false))]);
    assert_eq!(wr10.serial.as_deref(), Some("WR10-0417"));
    let quad = parse::relay_xml(&text("controlbyweb/quad_padded.xml"), "b").unwrap();
    let coils: Vec<bool> = quad.relays.into_values().map(Result::unwrap).collect();
    assert_eq!(coils, [true, false, true, false]);
    assert_eq!(quad.serial, None);
}

#[test]
fn error_texts_with_status_200_and_foreign_answers_are_refused() {
    for parse in [parse::relay_json, parse::relay_xml] {
        let refuse = |body: &str| parse(body, "b").unwrap_err().kind;
        assert_eq!(refuse("404 Error"), FaultKind::WrongDevice);
        assert_eq!(refuse("401 Error"), FaultKind::Refused);
        assert_eq!(refuse("<html><h1>401 Authorization Required</h1></html>"), FaultKind::Refused);
        assert_eq!(refuse(""), FaultKind::Unreadable);
        assert_eq!(refuse("\0\0"), FaultKind::Unreadable);
        assert_eq!(refuse("hello"), FaultKind::Unreadable);
    }
    assert_eq!(parse::relay_json("{\"vin\":\"24\"}", "b").unwrap_err().kind, FaultKind::WrongDevice);
    assert_eq!(parse::relay_xml("<data><units>F</units></data>", "b").unwrap_err().kind, FaultKind::WrongDevice);
    assert_eq!(parse::relay_xml("<datavalues><relay1state>0</rel", "b").unwrap_err().kind, FaultKind::Unreadable);
    let odd = parse::relay_json(r#"{"relay1":"2","relay2":0,"relay":"1","relay999":"1","relayX":"1"}"#, "b").unwrap();
    assert_eq!(odd.relays.into_iter().collect::<Vec<_>>(), [(1, Err("`2`".to_owned())), (2, Ok(false))]);
}

// --- PDUs ------------------------------------------------------------------------------------------------------------

#[test]
fn a_smart_pdu_is_read_with_sum_age_and_remark_of_the_listed_outlets_only() {
    let now = UnixSeconds(1_795_378_400);
    let read = parse::pdu(&value("pdu/digital_shovel_2021.json"), &pdu("spdu-a", NOWHERE, &["1", "2"]), now).unwrap();
    let total = read.total.clone().unwrap();
    assert_eq!((total.value.value(), total.age), (6599.5, Seconds(10)), "as old as the oldest of its parts");
    assert_eq!(read.outlets["1"].watts.clone().unwrap().age, Seconds(5));
    assert_eq!(read.newest, Some(UnixSeconds(1_795_378_395)));
    assert_eq!(read.outlets.keys().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(
        read.remarks,
        ["the PDU's own auto-reset is on for outlet 2: it may switch a sleeping miner; turn it off in the PDU"]
    );
}

#[test]
fn a_listed_outlet_without_watts_makes_the_sum_a_fault() {
    let cfg = pdu("spdu-a", NOWHERE, &["1", "2", "9"]);
    let read = |change: fn(&mut Value)| {
        let mut answer = value("pdu/digital_shovel_2021.json");
        change(&mut answer);
        parse::pdu(&answer, &cfg, NOW).unwrap()
    };
    let missing = read(|_| ());
    assert_eq!(missing.outlets["9"].on.clone().unwrap_err().kind, FaultKind::Missing);
    let total = missing.total.unwrap_err();
    assert_eq!(total.detail, "no sum: no watts of outlet 9 (the PDU shows no outlet 9 (3 outlets))");
    for (change, kind) in [
        ((|a| a[0]["curCons"] = json!(-1)) as fn(&mut Value), FaultKind::OutOfRange),
        (|a| a[0]["curCons"] = json!(50_000.5), FaultKind::OutOfRange),
        (|a| a[0]["curCons"] = json!("lots"), FaultKind::Unreadable),
        (|a| a[0]["curCons"] = Value::Null, FaultKind::Missing),
        (|a| drop(a[0].as_object_mut().unwrap().remove("curCons")), FaultKind::Missing),
        (|a| a[0]["updateTime"] = json!("yesterday"), FaultKind::Unreadable),
    ] {
        assert_eq!(read(change).outlets["1"].watts.clone().unwrap_err().kind, kind);
    }
    assert!(read(|a| a[0]["curCons"] = json!(50_000)).outlets["1"].watts.is_ok());
    let state = read(|a| a[0]["status"] = json!("maybe")).outlets["1"].on.clone().unwrap_err();
    assert_eq!(state.detail, "state is `maybe`; known are true and false");
}

#[test]
fn other_pdus_are_read_by_their_pointers() {
    let mut netio = pdu("netio", NOWHERE, &["1", "2"]);
    netio.dialect.items = "/Outputs".to_owned();
    netio.dialect.id = "/ID".to_owned();
    netio.dialect.state = "/State".to_owned();
    (netio.dialect.on, netio.dialect.off) = (json!(1), json!(0.0));
    netio.dialect.watts = Some("/Load".to_owned());
    netio.dialect.updated = None;
    netio.dialect.total_watts = Some("/GlobalMeasure/TotalLoad".to_owned());
    let read = parse::pdu(&value("pdu/netio_3.4.json"), &netio, NOW).unwrap();
    assert_eq!(read.total.unwrap().value.value(), 486.0);
    assert_eq!((read.outlets["1"].on.clone(), read.outlets["2"].on.clone()), (Ok(true), Ok(false)));
    assert_eq!(read.outlets["2"].watts.clone().unwrap_err().kind, FaultKind::Missing, "unmetered is not 0 W");

    let mut keyed = pdu("geist", NOWHERE, &["0", "1"]);
    keyed.dialect.items = "/data/outlet".to_owned();
    keyed.dialect.id = "@key".to_owned();
    keyed.dialect.state = "/state".to_owned();
    (keyed.dialect.on, keyed.dialect.off) = (json!("on"), json!("off"));
    keyed.dialect.watts = Some("/measurement/0/value".to_owned());
    keyed.dialect.watts_scale = 1000.0;
    keyed.dialect.updated = None;
    let read = parse::pdu(&value("pdu/keyed_strings.json"), &keyed, NOW).unwrap();
    assert_eq!(read.total.unwrap().value.value(), 23_000.0);

    let mut bare = pdu("dli", NOWHERE, &["0", "1"]);
    bare.dialect.id = "@index".to_owned();
    bare.dialect.state = String::new();
    bare.dialect.watts = None;
    bare.dialect.updated = None;
    let read = parse::pdu(&json!([true, false]), &bare, NOW).unwrap();
    assert_eq!((read.outlets["0"].on.clone(), read.outlets["1"].on.clone()), (Ok(true), Ok(false)));
    assert_eq!(read.total.unwrap_err().kind, FaultKind::Missing);
}

#[test]
fn an_answer_without_outlets_is_refused() {
    let cfg = pdu("spdu-a", NOWHERE, &["1"]);
    assert_eq!(parse::pdu(&json!([]), &cfg, NOW).unwrap_err().kind, FaultKind::Missing);
    assert_eq!(parse::pdu(&json!("no"), &cfg, NOW).unwrap_err().kind, FaultKind::Unreadable);
    assert_eq!(parse::pdu(&json!({"detail": "nope"}), &cfg, NOW).unwrap_err().kind, FaultKind::Missing);
}

// --- Foreman ---------------------------------------------------------------------------------------------------------

#[test]
fn foremans_summary_is_read_and_figures_that_cannot_be_are_left_out() {
    let summary = parse::parse_summary(&value("foreman/summary.json"), "foreman").unwrap();
    assert_eq!((summary.online, summary.total), (Some(296), Some(300)));
    assert_eq!(summary.hash_rate.unwrap().value(), 35_400.0);
    assert_eq!(summary.estimated.unwrap().value(), 988_000.0);
    let absurd = json!([{"miners": {"online": 5, "total": 4}, "hashRate": 1e40, "powerDraw": -1}]);
    let summary = parse::parse_summary(&absurd, "foreman").unwrap();
    assert_eq!((summary.online, summary.hash_rate, summary.estimated), (None, None, None));
    assert_eq!(summary.remarks.len(), 3, "{:?}", summary.remarks);
    assert!(parse::parse_summary(&json!([]), "foreman").is_err());
}

#[test]
fn only_tagged_miners_are_kept_and_unknown_words_stay() {
    let mut cfg = foreman(NOWHERE);
    let page = parse::parse_page(&value("foreman/page.json"), &cfg).unwrap();
    assert_eq!((page.total, page.rows, page.ids.len()), (Some(4), 4, 4));
    let ids: Vec<u64> = page.miners.iter().map(|miner| miner.id).collect();
    assert_eq!(ids, [2001, 2002, 2004]);
    assert_eq!(page.miners[1].status, "napping");
    assert_eq!(page.miners[1].mode, Some(PowerMode::Sleeping));
    assert_eq!(page.miners[1].watts, Watts::new(27.5).ok());
    assert_eq!((page.miners[2].mode, page.miners[0].mode), (None, None));
    cfg.miners = MinerChoice::All;
    assert_eq!(parse::parse_page(&value("foreman/page.json"), &cfg).unwrap().miners.len(), 4);
    assert!(parse::parse_page(&json!({"detail": "no"}), &cfg).is_err());
}

#[test]
fn command_words_are_known_or_unknown_but_never_guessed() {
    let read = |body: Value| parse::parse_status(&body, "foreman");
    for (word, status) in [
        ("pending", CommandStatus::Pending),
        ("in-progress", CommandStatus::InProgress),
        ("complete", CommandStatus::Complete),
        ("failed", CommandStatus::Failed),
        ("done", CommandStatus::Unknown),
    ] {
        assert_eq!(read(json!({"status": word})), Ok(status));
    }
    assert!(read(json!({})).is_err());
}

// --- No input breaks a parser ----------------------------------------------------------------------------------------

/// Every parser on one body.
fn all_parsers(body: &str) {
    drop(parse::room_alert(body, &room(NOWHERE)));
    drop(parse::emoncms(body, &emoncms(NOWHERE, 3), NOW));
    drop(parse::relay_json(body, "b"));
    drop(parse::relay_xml(body, "b"));
    drop(parse::signal(body, &crate::config::signal(NOWHERE), "America/Chicago", NOW));
    if let Ok(value) = serde_json::from_str::<Value>(body) {
        drop(parse::iotawatt(&value, &iotawatt(NOWHERE, 2), NOW));
        drop(parse::pdu(&value, &pdu("p", NOWHERE, &["1", "2"]), NOW));
        drop(parse::parse_summary(&value, "f"));
        drop(parse::parse_page(&value, &foreman(NOWHERE)));
        drop(parse::parse_status(&value, "f"));
    }
}

const ALL: [&str; 12] = [
    "room_alert/12e_v3.2.5.json",
    "room_alert/legacy.htm",
    "iotawatt/query_02_08_04.json",
    "emoncms/11.16_redis.json",
    "emoncms/notice_in_front.txt",
    "controlbyweb/x-400.json",
    "controlbyweb/x-wr-10r12.xml",
    "pdu/digital_shovel_2021.json",
    "pdu/netio_3.4.json",
    "foreman/summary.json",
    "foreman/page.json",
    "signal/table.html",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_break_a_parser(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        all_parsers(&minectl::http::Answer::new(200, Vec::new(), bytes).text());
    }

    #[test]
    fn no_damage_to_a_good_body_breaks_a_parser(
        which in 0..ALL.len(), at in 0_usize..4000, byte in proptest::num::u8::ANY, cut in proptest::bool::ANY,
    ) {
        let mut bytes = fixture(ALL[which]);
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        all_parsers(&minectl::http::Answer::new(200, Vec::new(), bytes).text());
    }

    #[test]
    fn no_number_breaks_a_parser(number in proptest::num::f64::ANY) {
        let shown = serde_json::to_string(&number).unwrap();
        for name in ALL {
            let body = minectl::http::Answer::new(200, Vec::new(), fixture(name)).text();
            all_parsers(&body.replacen("11", &shown, 3).replacen("\"27.00\"", &shown, 1));
        }
    }
}
