//! Each preset against a loopback PDU that speaks as its make does: read, switched, refused.

use std::sync::{Arc, Mutex};

use minectl::config::{Config, PduConfig};
use minectl::drivers::{parse, sense};
use minectl::model::{Command, FaultKind, OutletRef, PduReading, Reading, Reply};
use serde_json::{Value, json};

use crate::acting::{LIMIT, act_within, results};
use crate::config::{NOWHERE, fast, nowhere, pdu_section};
use crate::fixture::{NOW, value};
use crate::server::{Act, Server};

/// A configuration with this one PDU at an address.
pub fn with_pdu(url: &str, section: &str) -> Config {
    let mut cfg = nowhere();
    cfg.pdus = vec![pdu_section(&format!("name = \"p\"\nurl = \"{url}\"\n{section}")).unwrap()];
    cfg
}

/// The one PDU's settings.
pub fn pdu_alone(section: &str) -> PduConfig {
    with_pdu(NOWHERE, section).pdus.swap_remove(0)
}

/// What the program reads of the one PDU.
pub fn read(cfg: &Config) -> Reading<PduReading> {
    sense(cfg, &fast(), LIMIT, &[]).pdus.remove("p").unwrap()
}

/// The command for an outlet of the one PDU.
pub fn outlet(id: &str, on: bool) -> Command {
    Command::Outlet { outlet: OutletRef { pdu: "p".to_owned(), outlet: id.to_owned() }, on }
}

fn watts(reading: &PduReading, id: &str) -> Result<f64, FaultKind> {
    reading.outlets[id].watts.as_ref().map(|watts| watts.value.value()).map_err(|fault| fault.kind)
}

fn body_of(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap_or(Value::Null)
}

fn path_of(request: &str) -> &str {
    request.split_whitespace().nth(1).unwrap()
}

/// A NETIO of two outlets, which obeys or only says so.
fn netio(obeys: bool) -> Server {
    let document = Arc::new(Mutex::new(value("pdu/netio_3.4.json")));
    Server::by(move |request| {
        assert!(request.to_ascii_lowercase().contains("authorization: basic b3duzxi6chc="), "{request}");
        let mut document = document.lock().unwrap();
        if request.starts_with("POST /netio.json ") && obeys {
            for wanted in body_of(request)["Outputs"].as_array().unwrap() {
                let outputs = document["Outputs"].as_array_mut().unwrap();
                let output = outputs.iter_mut().find(|output| output["ID"] == wanted["ID"]).unwrap();
                output["State"] = wanted["Action"].clone();
            }
        }
        Act::json(document.to_string())
    })
}

const NETIO: &str = "preset = \"netio\"\noutlets = [\"1-2\"]\nuser = \"owner\"\npassword = \"pw\"\nsettle = \"0 s\"";

#[test]
fn netio_is_read_and_switched_and_a_command_it_silently_refused_is_noticed() {
    let server = netio(true);
    let cfg = with_pdu(&server.url, NETIO);
    let reading = read(&cfg).unwrap();
    assert_eq!((watts(&reading, "1"), watts(&reading, "2")), (Ok(480.0), Err(FaultKind::Missing)));
    assert_eq!(reading.total.unwrap().value.value(), 480.0, "an outlet that is off needs no meter");
    assert_eq!(results(act_within(&cfg, LIMIT, &[outlet("1", false)])), [Ok(Reply::Confirmed)]);
    let sent = server.requests().into_iter().find(|request| request.starts_with("POST")).unwrap();
    assert_eq!(body_of(&sent), json!({"Outputs": [{"ID": 1, "Action": 0}]}));
    assert!(sent.to_ascii_lowercase().contains("content-length: ") && !sent.to_ascii_lowercase().contains("expect:"));

    let server = netio(false);
    let cfg = with_pdu(&server.url, NETIO);
    let text = "outlet 1: asked for off, still reads on (the reply said on)".to_owned();
    assert_eq!(results(act_within(&cfg, LIMIT, &[outlet("1", false)])), [Err((FaultKind::NotObeyed, text))]);
}

#[test]
fn an_older_netio_names_its_ids_and_states_by_text() {
    let old = json!({"Outputs": [{"ID": "1", "State": "1", "Load": "33"}, {"ID": "2", "State": "0", "Load": 0}]});
    let reading = parse::pdu(&old, &pdu_alone(NETIO), NOW).unwrap();
    assert_eq!((reading.outlets["1"].on.clone(), reading.outlets["2"].on.clone()), (Ok(true), Ok(false)));
    assert_eq!(reading.total.unwrap().value.value(), 33.0);
}

/// A JAWS unit: `PATCH` answers with an empty 204.
fn jaws() -> Server {
    let outlets = Arc::new(Mutex::new(value("pdu/servertech_jaws_8.0m.json")));
    Server::by(move |request| {
        let mut outlets = outlets.lock().unwrap();
        match request.split_whitespace().take(2).collect::<Vec<_>>().as_slice() {
            ["GET", "/jaws/monitor/outlets"] => Act::json(outlets.to_string()),
            ["GET", "/jaws/monitor/cords"] => {
                Act::json(r#"[{"id":"AA","active_power":3290},{"id":"BA","active_power":12}]"#)
            }
            ["PATCH", path] => {
                let id = path.strip_prefix("/jaws/control/outlets/").unwrap();
                let rows = outlets.as_array_mut().unwrap();
                let Some(row) = rows.iter_mut().find(|row| row["id"] == *id) else {
                    return Act::answer(404, "", r#"{"error":"not found"}"#);
                };
                row["state"] = if body_of(request)["control_action"] == "on" { json!("On") } else { json!("Off") };
                Act::answer(204, "", "")
            }
            other => panic!("{other:?}"),
        }
    })
}

const JAWS: &str = "preset = \"servertech-jaws\"\nuser = \"admn\"\npassword = \"pw\"\nsettle = \"0 s\"\n";

#[test]
fn jaws_is_read_and_switched_by_empty_answers() {
    let server = jaws();
    let cfg = with_pdu(&server.url, &format!("{JAWS}outlets = [\"AA1\"]"));
    assert_eq!(read(&cfg).unwrap().total.unwrap().value.value(), 3290.0);
    assert_eq!(results(act_within(&cfg, LIMIT, &[outlet("AA1", false)])), [Ok(Reply::Confirmed)]);
    assert_eq!(server.lines()[1..], ["PATCH /jaws/control/outlets/AA1", "GET /jaws/monitor/outlets"]);
}

#[test]
fn a_jaws_outlet_that_only_switches_has_no_watts_and_the_cords_tell_the_total() {
    let server = jaws();
    let cfg = with_pdu(&server.url, &format!("{JAWS}outlets = [\"AA1\", \"AA3\"]"));
    let reading = read(&cfg).unwrap();
    assert_eq!(watts(&reading, "AA3"), Err(FaultKind::Missing));
    assert!(reading.total.unwrap_err().detail.starts_with("no sum: no watts of outlet AA3"));
    let cords = "total_path = \"/jaws/monitor/cords\"\ntotal_watts = \"/*/active_power\"\noutlets = [\"AA1\", \"AA3\"]";
    let cfg = with_pdu(&server.url, &format!("{JAWS}{cords}"));
    assert_eq!(read(&cfg).unwrap().total.unwrap().value.value(), 3302.0);
}

#[test]
fn an_outlet_with_a_tripped_breaker_is_told_of_and_never_switched_on() {
    let server = jaws();
    let cfg = with_pdu(&server.url, &format!("{JAWS}outlets = [\"AA1\", \"AA2\"]"));
    let cut = "the PDU itself has cut outlet AA2: it is never switched on from here; find the cause, then switch it on at the PDU";
    assert_eq!(read(&cfg).unwrap().remarks, [cut]);
    let outcomes = act_within(&cfg, LIMIT, &[outlet("AA2", true), outlet("AA1", true), outlet("AA2", false)]);
    let text =
        "not switched on: the PDU itself cut it (`/status` is `Breaker Tripped`); find the cause there".to_owned();
    let obeyed = || Ok(Reply::Confirmed);
    assert_eq!(results(outcomes), [Err((FaultKind::NotObeyed, text)), obeyed(), obeyed()]);
    let patched: Vec<String> = server.lines().into_iter().filter(|line| line.starts_with("PATCH")).collect();
    assert_eq!(patched, ["PATCH /jaws/control/outlets/AA1", "PATCH /jaws/control/outlets/AA2"]);
}

/// A Xerus unit of three outlets: all calls answer 200, whatever came of them. Outlet 2 is suspended, outlet 3 disabled.
fn xerus() -> Server {
    let on = Arc::new(Mutex::new([1, 0, 1]));
    Server::by(move |request| {
        let mut on = on.lock().unwrap();
        let call = body_of(request);
        assert_eq!(call["jsonrpc"], "2.0");
        if path_of(request) == "/model/pdu/0/inlet/0/activePower" {
            assert_eq!(call["method"], "getReading");
            return Act::json(value("pdu/raritan_xerus_4.4_power.json").to_string());
        }
        let outlet: usize = path_of(request).strip_prefix("/model/pdu/0/outlet/").unwrap().parse().unwrap();
        if call["method"] == "setPowerState" {
            let code = if outlet == 2 { 3 } else { 0 };
            if code == 0 {
                on[outlet] = call["params"]["pstate"].as_i64().unwrap();
            }
            return Act::json(json!({"jsonrpc": "2.0", "result": {"_ret_": code}, "id": call["id"]}).to_string());
        }
        let mut state = value("pdu/raritan_xerus_4.4_state.json");
        state["result"]["_ret_"]["powerState"] = json!(on[outlet]);
        state["result"]["_ret_"]["isSuspended"] = json!(outlet == 1);
        Act::json(state.to_string())
    })
}

const XERUS: &str = "preset = \"raritan-xerus\"\noutlets = [\"1-3\"]\nuser = \"a\"\npassword = \"b\"\nsettle = \"0 s\"";

#[test]
fn xerus_is_asked_outlet_by_outlet_from_0_and_the_inlet_tells_the_total() {
    let server = xerus();
    let cfg = with_pdu(&server.url, XERUS);
    let reading = read(&cfg).unwrap();
    assert_eq!(reading.total.unwrap().value.value(), 6612.5);
    assert_eq!((reading.outlets["1"].on.clone(), reading.outlets["2"].on.clone()), (Ok(true), Ok(false)));
    assert_eq!(server.lines()[0], "POST /model/pdu/0/outlet/0");
    assert_eq!(server.requests().len(), 4);
    assert_eq!(results(act_within(&cfg, LIMIT, &[outlet("1", false)])), [Ok(Reply::Confirmed)]);
}

#[test]
fn xerus_says_no_with_status_200_and_a_suspended_outlet_stays_off() {
    let server = xerus();
    let cfg = with_pdu(&server.url, XERUS);
    let said = results(act_within(&cfg, LIMIT, &[outlet("3", false), outlet("2", true)]));
    let (kind, text) = said[0].clone().unwrap_err();
    assert_eq!(kind, FaultKind::Status);
    assert!(text.starts_with("the PDU says no: `/result/_ret_` is `3`, wanted 0"), "{text}");
    let (kind, text) = said[1].clone().unwrap_err();
    assert_eq!(kind, FaultKind::NotObeyed);
    assert!(text.contains("the PDU itself cut it (`/isSuspended` is `true`)"), "{text}");
    let sent = server.requests().iter().filter(|request| request.contains("\"pstate\":1")).count();
    assert_eq!(sent, 0);
}

#[test]
fn a_xerus_outlet_in_its_sequence_or_cycle_is_not_off_and_confirms_nothing() {
    for flag in ["switchOnInProgress", "cycleInProgress"] {
        let server = Server::by(move |request| {
            let mut state = value("pdu/raritan_xerus_4.4_state.json");
            match body_of(request)["method"].as_str() {
                Some("setPowerState") => state["result"]["_ret_"] = json!(0),
                Some("getReading") => state = value("pdu/raritan_xerus_4.4_power.json"),
                _ => {
                    state["result"]["_ret_"]["powerState"] = json!(0);
                    state["result"]["_ret_"][flag] = json!(path_of(request).ends_with("/0"));
                }
            }
            Act::json(state.to_string())
        });
        let cfg = with_pdu(&server.url, &XERUS.replace("1-3", "1-2"));
        let outlets = read(&cfg).unwrap().outlets;
        assert_eq!((outlets["1"].on.clone(), outlets["2"].on.clone()), (Ok(true), Ok(false)), "{flag}");
        let said = results(act_within(&cfg, LIMIT, &[outlet("1", false), outlet("2", false)]));
        let text = "outlet 1: asked for off, still in transition: its state is not final".to_owned();
        assert_eq!(said, [Err((FaultKind::NotObeyed, text)), Ok(Reply::Confirmed)], "{flag}");
    }
}

/// A Geist unit: it forgets a token after `uses` commands, and answers 200 to everything.
fn geist(uses: usize) -> Server {
    let unit = "7A11C0FFEE0900C3";
    let state = Arc::new(Mutex::new((value("pdu/geist_5.json"), 0_usize, 0_usize)));
    Server::by(move |request| {
        let mut state = state.lock().unwrap();
        let (document, logins, used) = &mut *state;
        let no = |code: i64, text: &str| Act::json(json!({"retCode": code, "retMsg": text, "data": {}}).to_string());
        let call = body_of(request);
        if request.starts_with("GET /api/dev ") {
            return Act::json(document.to_string());
        }
        if path_of(request) == "/api/auth/admin" {
            if call["data"]["password"] != "se\"cret" {
                return no(1004, "bad password");
            }
            (*logins, *used) = (*logins + 1, 0);
            return Act::json(
                json!({"retCode": 0, "retMsg": "OK", "data": {"token": format!("t{logins}")}}).to_string(),
            );
        }
        let index = path_of(request).strip_prefix(&format!("/api/dev/{unit}/outlet/")).unwrap().to_owned();
        *used += 1;
        if call["token"] != format!("t{logins}") || *used > uses {
            return no(1001, "not authorized");
        }
        assert_eq!((&call["cmd"], &call["data"]["delay"]), (&json!("control"), &json!(false)));
        document["data"][unit]["outlet"][index]["state"] = call["data"]["action"].clone();
        no(0, "OK")
    })
}

const GEIST: &str =
    "preset = \"geist\"\nunit = \"7A11C0FFEE0900C3\"\noutlets = [\"1-2\"]\nuser = \"admin\"\nsettle = \"0 s\"\n";

#[test]
fn geist_is_read_without_a_login_and_switched_with_one() {
    let server = geist(9);
    let cfg = with_pdu(&server.url, &format!("{GEIST}password = 'se\"cret'"));
    let reading = read(&cfg).unwrap();
    assert_eq!((watts(&reading, "1"), watts(&reading, "2")), (Ok(3301.0), Ok(0.0)));
    assert_eq!(server.lines(), ["GET /api/dev"]);
    let commands = [outlet("1", false), outlet("2", true)];
    assert_eq!(results(act_within(&cfg, LIMIT, &commands)), [Ok(Reply::Confirmed), Ok(Reply::Confirmed)]);
    let base = "POST /api/dev/7A11C0FFEE0900C3/outlet";
    assert_eq!(
        server.lines()[1..],
        ["POST /api/auth/admin", &format!("{base}/0"), &format!("{base}/1"), "GET /api/dev"]
    );
}

#[test]
fn geist_is_logged_in_to_again_when_it_forgot_the_token_but_not_for_ever() {
    let server = geist(1);
    let cfg = with_pdu(&server.url, &format!("{GEIST}password = 'se\"cret'"));
    let commands = [outlet("1", false), outlet("2", true)];
    assert_eq!(results(act_within(&cfg, LIMIT, &commands)), [Ok(Reply::Confirmed), Ok(Reply::Confirmed)]);
    let logins = |server: &Server| server.lines().iter().filter(|line| line.contains("/auth/")).count();
    assert_eq!(logins(&server), 2);
    let server = geist(0);
    let cfg = with_pdu(&server.url, &format!("{GEIST}password = 'se\"cret'"));
    let (kind, text) = results(act_within(&cfg, LIMIT, &[outlet("1", false)]))[0].clone().unwrap_err();
    assert_eq!((kind, logins(&server)), (FaultKind::Status, 3));
    assert!(text.contains("`/retCode` is `1001`"), "{text}");
}

#[test]
fn a_wrong_password_is_refused_access_and_is_not_shown() {
    let server = geist(9);
    let cfg = with_pdu(&server.url, &format!("{GEIST}password = \"hunter2\""));
    let (kind, text) = results(act_within(&cfg, LIMIT, &[outlet("1", false)]))[0].clone().unwrap_err();
    assert_eq!(kind, FaultKind::Refused);
    assert!(
        text.starts_with("login failed: the PDU says no: `/retCode` is `1004`") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn another_units_id_is_named_with_the_ones_that_are_there() {
    let cfg = pdu_alone(&format!("{GEIST}password = \"x\"").replace("7A11", "0000"));
    let fault = parse::pdu(&value("pdu/geist_5.json"), &cfg, NOW).unwrap_err();
    assert!(fault.detail.ends_with("is not in the answer; `/data` has `7A11C0FFEE0900C3`"), "{fault}");
}
