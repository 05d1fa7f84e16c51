//! The Redfish driver against a loopback service: followed links, sessions, tasks, outlets of every kind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use minectl::config::Config;
use minectl::drivers::parse;
use minectl::model::{FaultKind, Reply};
use serde_json::{Value, json};

use crate::acting::{LIMIT, act_within, results};
use crate::fixture::value;
use crate::pdu_presets::{outlet, read, with_pdu};
use crate::server::{Act, Server};

const PDU: &str = "/redfish/v1/PowerEquipment/RackPDUs/7";
const USER: &str = "user = \"owner\"\npassword = \"hunter2\"\n";

/// A service: its resources by address, and how it behaves.
#[derive(Clone)]
struct Service {
    resources: BTreeMap<String, Value>,
    /// Whether requests need a session, or Basic where there are none.
    login: bool,
    has_sessions: bool,
    /// Uses of a session before it is forgotten.
    uses: usize,
    /// What a command does: obeyed at once, taken and left undone, or a task that fails.
    obeys: &'static str,
}

fn reference(place: &str) -> Value {
    json!({"@odata.id": place})
}

/// A PDU with the outlets A1 (metered, switched), A4 (switched), A5 (neither).
fn service() -> Service {
    let list = |places: &[&str]| json!({"Members": places.iter().map(|place| reference(place)).collect::<Vec<_>>()});
    let outlets = format!("{PDU}/Outlets");
    let place = |id: &str| format!("{outlets}/{id}");
    let target = format!("{outlets}/A4/Actions/Outlet.PowerControl");
    let a4 = json!({"@odata.id": place("A4"), "Id": "A4", "PowerState": "On", "Actions": {"#Outlet.PowerControl": {"target": target}}});
    let resources = BTreeMap::from([
        (
            "/redfish/v1/".to_owned(),
            json!({"PowerEquipment": reference("/redfish/v1/PowerEquipment"),
            "Links": {"Sessions": reference("/redfish/v1/SessionService/Sessions")}}),
        ),
        (
            "/redfish/v1/PowerEquipment".to_owned(),
            json!({"RackPDUs": reference("/redfish/v1/PowerEquipment/RackPDUs")}),
        ),
        ("/redfish/v1/PowerEquipment/RackPDUs".to_owned(), list(&[PDU])),
        (
            PDU.to_owned(),
            json!({"Id": "7", "Outlets": reference(&outlets), "Metrics": reference(&format!("{PDU}/Metrics"))}),
        ),
        (format!("{PDU}/Metrics"), json!({"PowerWatts": {"Reading": 6438}})),
        (format!("{PDU}/Branches/A"), json!({"BreakerState": "Normal"})),
        (outlets.clone(), list(&[&place("A1"), &place("A4"), &place("A5")])),
        (place("A1"), value("pdu/redfish_outlet_1.4.json")),
        (place("A4"), a4),
        (place("A5"), json!({"@odata.id": place("A5"), "Id": "A5"})),
    ]);
    Service { resources, login: false, has_sessions: true, uses: usize::MAX, obeys: "at once" }
}

impl Service {
    fn change(mut self, place: &str, change: impl FnOnce(&mut Value)) -> Service {
        change(self.resources.get_mut(&format!("{PDU}{place}")).unwrap());
        self
    }

    fn start(self) -> Server {
        self.start_behind(|_| None)
    }

    /// The same behind something that may answer in its place.
    fn start_behind(self, mut guard: impl FnMut(&str) -> Option<Act> + Send + 'static) -> Server {
        let error = |status: u16, text: &str| {
            Act::answer(
                status,
                "",
                json!({"error": {"code": "Base.1.0.GeneralError", "message": text, "@Message.ExtendedInfo": []}})
                    .to_string(),
            )
        };
        let state = Arc::new(Mutex::new((self.resources, 0_usize, 0_usize)));
        Server::by(move |request| {
            if let Some(answer) = guard(request) {
                return answer;
            }
            let mut state = state.lock().unwrap();
            let (resources, sessions, used) = &mut *state;
            let mut words = request.split_whitespace();
            let (method, place) = (words.next().unwrap(), words.next().unwrap());
            let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap_or(Value::Null);
            let head = request.to_ascii_lowercase();
            if place == "/redfish/v1/SessionService/Sessions" {
                return match self.has_sessions {
                    false => error(404, "no such resource"),
                    true if body["Password"] != "hunter2" => error(400, "Invalid credentials"),
                    true => {
                        (*sessions, *used) = (*sessions + 1, 0);
                        let headers = format!("X-Auth-Token: s{sessions}\r\nLocation: {place}/{sessions}\r\n");
                        Act::answer(201, &headers, "{}")
                    }
                };
            }
            *used += 1;
            let has_session = head.contains(&format!("x-auth-token: s{sessions}\r\n")) && *used <= self.uses;
            let has_basic = !self.has_sessions && head.contains("authorization: basic b3duzxi6ahvudgvymg==");
            if self.login && place != "/redfish/v1/" && !has_session && !has_basic {
                return error(401, "There is no valid session");
            }
            match method {
                "GET" => {
                    let Some(found) = resources.get_mut(place) else { return error(404, "not found") };
                    let mut shown = found.clone();
                    if let Some(left) = found.get("PowerStateInTransition").and_then(Value::as_u64) {
                        shown["PowerStateInTransition"] = json!(left > 0);
                        found["PowerStateInTransition"] = json!(left.saturating_sub(1));
                    }
                    Act::json(shown.to_string())
                }
                "DELETE" => Act::answer(204, "", ""),
                "POST" => {
                    let id = place.strip_prefix(&format!("{PDU}/Outlets/")).unwrap().split('/').next().unwrap();
                    assert!(place.ends_with("Outlet.PowerControl"), "{place}");
                    let wanted = body["PowerState"].clone();
                    assert!(wanted == "On" || wanted == "Off", "{body}");
                    match self.obeys {
                        "at once" => {
                            resources.get_mut(&format!("{PDU}/Outlets/{id}")).unwrap()["PowerState"] = wanted;
                            Act::answer(204, "", "")
                        }
                        "never" => Act::answer(204, "", ""),
                        // Its delay runs, and the state shows already what will be.
                        "later" => {
                            let outlet = resources.get_mut(&format!("{PDU}/Outlets/{id}")).unwrap();
                            (outlet["PowerState"], outlet["PowerStateInTransition"]) = (wanted, json!(3));
                            Act::answer(204, "", "")
                        }
                        "by a task" => {
                            let task =
                                json!({"TaskState": "Exception", "Messages": [{"Message": "relay did not move"}]});
                            resources.insert("/redfish/v1/TaskService/Tasks/1".to_owned(), task);
                            let place = "/redfish/v1/TaskService/Tasks/1";
                            Act::answer(202, &format!("Location: {place}\r\n"), reference(place).to_string())
                        }
                        other => panic!("{other}"),
                    }
                }
                other => panic!("{other}"),
            }
        })
    }
}

fn cfg(server: &Server, more: &str) -> Config {
    with_pdu(&server.url, &format!("driver = \"redfish\"\nsettle = \"0 s\"\n{more}"))
}

fn lines_of(server: &Server, method: &str) -> Vec<String> {
    server.lines().into_iter().filter(|line| line.starts_with(method)).collect()
}

#[test]
fn outlets_are_found_by_links_and_each_kind_says_what_it_can() {
    let server = service().start();
    let reading = read(&cfg(&server, "outlets = [\"A1\", \"A4\", \"A5\"]")).unwrap();
    assert_eq!(reading.outlets["A1"].watts.clone().unwrap().value.value(), 3301.5);
    assert_eq!((reading.outlets["A1"].on.clone(), reading.outlets["A4"].on.clone()), (Ok(true), Ok(true)));
    let fault = reading.outlets["A4"].watts.clone().unwrap_err();
    assert_eq!((fault.kind, fault.detail.as_str()), (FaultKind::Missing, "this outlet is not metered"));
    assert_eq!(reading.outlets["A5"].on.clone().unwrap_err().detail, "this outlet shows no PowerState");
    assert!(reading.total.unwrap_err().detail.starts_with("no sum: no watts of outlet A4, A5"));
    assert!(reading.remarks.is_empty(), "{:?}", reading.remarks);
    let whole = read(&cfg(&server, "outlets = [\"A4\"]\nredfish_total = \"pdu\"")).unwrap();
    assert_eq!(whole.total.unwrap().value.value(), 6438.0);
}

#[test]
fn only_listed_outlets_are_asked_for() {
    let server = service().start();
    let reading = read(&cfg(&server, "outlets = [\"A1\"]")).unwrap();
    assert_eq!(reading.total.unwrap().value.value(), 3301.5);
    assert_eq!(lines_of(&server, &format!("GET {PDU}/Outlets/")), [format!("GET {PDU}/Outlets/A1")]);
    let fault = read(&cfg(&server, "outlets = [\"A9\", \"A1\"]")).unwrap().outlets["A9"].on.clone().unwrap_err();
    assert!(fault.detail.starts_with("the PDU shows no outlet A9 (it has A1"), "{fault}");
}

#[test]
fn the_words_of_the_drafts_are_understood_and_what_cannot_be_is_refused() {
    let reading = parse::redfish(&value("pdu/redfish_outlet_2019.json"), "p outlet A1");
    assert_eq!((reading.on, reading.watts.unwrap().value.value()), (Ok(true), 3301.5));
    for (found, on) in [
        (json!({"PowerState": "PoweringOff"}), Ok(true)),
        (json!({"PowerState": "PoweringOn"}), Ok(true)),
        (json!({"PowerState": "Off"}), Ok(false)),
        (json!({"PowerState": "Off", "PowerStateInTransition": false}), Ok(false)),
        // It is off no longer, or not yet.
        (json!({"PowerState": "Off", "PowerStateInTransition": true}), Ok(true)),
        (json!({"PowerState": "On", "PowerStateInTransition": true}), Ok(true)),
        (json!({"PowerState": "Paused", "PowerStateInTransition": true}), Err(FaultKind::Unreadable)),
        (json!({"PowerState": "Paused"}), Err(FaultKind::Unreadable)),
        (json!({"PowerState": null}), Err(FaultKind::Missing)),
    ] {
        assert_eq!(parse::redfish(&found, "d").on.map_err(|fault| fault.kind), on, "{found}");
    }
    for (watts, kind) in [
        (json!({"Reading": null}), FaultKind::Missing),
        (json!({"Reading": -5}), FaultKind::OutOfRange),
        (json!({"Reading": 50_001}), FaultKind::OutOfRange),
        (json!({"Reading": []}), FaultKind::Unreadable),
        (json!(12), FaultKind::Missing),
    ] {
        assert_eq!(parse::redfish(&json!({"PowerWatts": watts}), "d").watts.unwrap_err().kind, kind, "{watts}");
    }
}

#[test]
fn a_service_that_wants_a_login_is_given_a_session_which_is_ended() {
    let mut wanted = service();
    wanted.login = true;
    let server = wanted.clone().start();
    assert_eq!(read(&cfg(&server, &format!("{USER}outlets = [\"A1\"]"))).unwrap().total.unwrap().value.value(), 3301.5);
    assert_eq!(lines_of(&server, "POST"), ["POST /redfish/v1/SessionService/Sessions"]);
    assert_eq!(lines_of(&server, "DELETE"), ["DELETE /redfish/v1/SessionService/Sessions/1"]);
    let fault = read(&cfg(&server, &format!("{}outlets = [\"A1\"]", USER.replace("hunter2", "hunter3")))).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.detail.starts_with("login failed: status 400: `Invalid credentials`"), "{fault}");
    wanted.uses = 4;
    let server = wanted.clone().start();
    assert!(read(&cfg(&server, &format!("{USER}outlets = [\"A1\"]"))).is_ok());
    assert_eq!(lines_of(&server, "POST").len(), 2, "a forgotten session is asked for once more");
    (wanted.has_sessions, wanted.uses) = (false, usize::MAX);
    let server = wanted.start();
    assert!(read(&cfg(&server, &format!("{USER}outlets = [\"A1\"]"))).is_ok(), "without sessions by HTTP Basic");
    let fault = read(&cfg(&server, "outlets = [\"A1\"]")).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused, "{fault}");
}

#[test]
fn a_service_that_asks_for_a_digest_gets_it_and_with_auth_digest_no_session_is_begun() {
    let mut wanted = service();
    (wanted.login, wanted.has_sessions) = (false, false);
    let user = USER.replace("hunter2", crate::pdu_digest::PASSWORD);
    let server = wanted.start_behind(crate::pdu_digest::guard(usize::MAX));
    let reading = read(&cfg(&server, &format!("{user}outlets = [\"A1\"]"))).unwrap();
    assert_eq!(reading.total.unwrap().value.value(), 3301.5);
    let server = service().start_behind(crate::pdu_digest::guard(usize::MAX));
    let section = format!("{user}auth = \"digest\"\noutlets = [\"A1\"]");
    assert_eq!(read(&cfg(&server, &section)).unwrap().total.unwrap().value.value(), 3301.5);
    assert_eq!(lines_of(&server, "POST").len(), 0, "no session");
    assert!(server.requests().iter().all(|request| !request.contains("Basic ")), "the password was sent");
}

#[test]
fn an_outlet_is_switched_by_its_own_target_and_read_back() {
    let server = service().start();
    let cfg = cfg(&server, "outlets = [\"A1\", \"A4\"]");
    let commands = [outlet("A1", false), outlet("A4", false), outlet("A4", true)];
    let last = "outlet A4: asked for off, still reads on (the reply gave no state)".to_owned();
    let said = results(act_within(&cfg, LIMIT, &commands));
    assert_eq!(said, [Ok(Reply::Confirmed), Err((FaultKind::NotObeyed, last)), Ok(Reply::Confirmed)]);
    let target = format!("POST {PDU}/Outlets/A4/Actions/Outlet.PowerControl");
    assert_eq!(
        lines_of(&server, "POST"),
        [format!("POST {PDU}/Outlets/A1/Outlet.PowerControl"), target.clone(), target]
    );
}

#[test]
fn a_command_that_is_taken_and_not_carried_out_is_noticed() {
    let mut lazy = service();
    lazy.obeys = "never";
    let server = lazy.clone().start();
    let said = results(act_within(&cfg(&server, "outlets = [\"A1\"]"), LIMIT, &[outlet("A1", false)]));
    assert_eq!(said[0].clone().unwrap_err().0, FaultKind::NotObeyed);
    lazy.obeys = "by a task";
    let server = lazy.start();
    let said = results(act_within(&cfg(&server, "outlets = [\"A1\"]"), LIMIT, &[outlet("A1", false)]));
    let (kind, text) = said[0].clone().unwrap_err();
    assert!(kind == FaultKind::NotObeyed && text.ends_with("; its task is Exception: relay did not move"), "{text}");
}

#[test]
fn a_state_in_transition_confirms_nothing_until_it_is_over() {
    let mut slow = service();
    slow.obeys = "later";
    for (on, word) in [(false, "off"), (true, "on")] {
        let server = slow.clone().start();
        let wanted = cfg(&server, "outlets = [\"A1\"]");
        let said = results(act_within(&wanted, LIMIT, &[outlet("A1", on)]));
        let text = format!("outlet A1: asked for {word}, still in transition: its state is not final");
        assert_eq!(said, [Err((FaultKind::NotObeyed, text))]);
        assert_eq!(read(&wanted).unwrap().outlets["A1"].on, Ok(true), "it is not off");
        let server = slow.clone().start();
        let patient = with_pdu(&server.url, "driver = \"redfish\"\nsettle = \"20 s\"\noutlets = [\"A1\"]");
        assert_eq!(results(act_within(&patient, LIMIT, &[outlet("A1", on)])), [Ok(Reply::Confirmed)]);
        assert_eq!(read(&patient).unwrap().outlets["A1"].on, Ok(on));
    }
}

#[test]
fn what_cannot_or_must_not_be_switched_is_not() {
    let refused = |change: Service, id: &str, on: bool| {
        let server = change.start();
        let said = results(act_within(&cfg(&server, "outlets = [\"A1\", \"A4\", \"A5\"]"), LIMIT, &[outlet(id, on)]));
        assert_eq!(lines_of(&server, "POST"), Vec::<String>::new());
        said[0].clone().unwrap_err()
    };
    let (kind, text) = refused(service(), "A5", false);
    assert_eq!(
        (kind, text.as_str()),
        (FaultKind::Missing, "cannot be switched: this outlet has no PowerControl action")
    );
    let locked = service().change("/Outlets/A1", |a1| a1["PowerControlLocked"] = json!(true));
    assert!(refused(locked, "A1", false).1.contains("locked in the PDU"));
    let disabled = service().change("/Outlets/A1", |a1| a1["PowerEnabled"] = json!(false));
    assert!(refused(disabled, "A1", true).1.contains("PowerEnabled is false"));
    let suspended = service().change("/Outlets/A1", |a1| a1["Oem"] = json!({"Maker": {"isSuspended": true}}));
    assert!(refused(suspended, "A1", true).1.contains("isSuspended is true"));
    let tripped = service().change("/Branches/A", |branch| branch["BreakerState"] = json!("Tripped"));
    assert!(refused(tripped, "A1", true).1.contains("the breaker of its branch is Tripped"));
    let another = service().change("/Outlets/A1", |a1| a1["Id"] = json!("A2"));
    assert_eq!(refused(another, "A1", false).0, FaultKind::WrongDevice);
    let words = json!(["On", "PowerCycle"]);
    let no_off = service().change("/Outlets/A1", |a1| {
        a1["Actions"]["#Outlet.PowerControl"]["PowerState@Redfish.AllowableValues"] = words;
    });
    assert!(refused(no_off, "A1", false).1.contains("does not know Off"));
    let elsewhere = service().change("/Outlets/A1", |a1| {
        a1["Actions"]["#Outlet.PowerControl"]["target"] = json!("http://10.0.0.9/Outlet.PowerControl");
    });
    assert!(refused(elsewhere, "A1", false).1.starts_with("a link leads elsewhere"));
}

#[test]
fn an_outlet_that_is_held_off_can_still_be_switched_off() {
    let suspended = service().change("/Outlets/A1", |a1| a1["Oem"] = json!({"Maker": {"isSuspended": true}}));
    let server = suspended.start();
    let cfg = cfg(&server, "outlets = [\"A1\"]");
    assert_eq!(results(act_within(&cfg, LIMIT, &[outlet("A1", false)])), [Ok(Reply::Confirmed)]);
    assert!(read(&cfg).unwrap().remarks[0].starts_with("the PDU itself has cut outlet A1"));
}

#[test]
fn what_the_pdu_does_after_an_outage_and_locks_are_remarks() {
    let own = service().change("/Outlets/A1", |a1| {
        a1["PowerRestorePolicy"] = json!("AlwaysOn");
        a1["PowerControlLocked"] = json!(true);
    });
    let remarks = read(&cfg(&own.start(), "outlets = [\"A1\"]")).unwrap().remarks;
    assert!(remarks[0].starts_with("after an outage the PDU by itself switches on outlet A1"), "{remarks:?}");
    assert!(!remarks[0].contains("unlock"), "{remarks:?}");
    assert!(remarks[1].starts_with("the PDU has locked the power control of outlet A1"), "{remarks:?}");
    assert!(remarks[1].contains("takes no command"), "{remarks:?}");
}

#[test]
fn a_locked_configuration_takes_commands_and_is_told_only_where_it_must_be_changed() {
    let locked = || service().change("/Outlets/A1", |a1| a1["ConfigurationLocked"] = json!(true));
    let server = locked().start();
    let alone = cfg(&server, "outlets = [\"A1\"]");
    assert_eq!(read(&alone).unwrap().remarks, Vec::<String>::new());
    assert_eq!(results(act_within(&alone, LIMIT, &[outlet("A1", false)])), [Ok(Reply::Confirmed)]);
    let restoring = locked().change("/Outlets/A1", |a1| a1["PowerRestorePolicy"] = json!("AlwaysOn"));
    let remarks = read(&cfg(&restoring.start(), "outlets = [\"A1\"]")).unwrap().remarks;
    assert!(remarks[0].ends_with("; its configuration is locked there, unlock it first"), "{remarks:?}");
}

#[test]
fn of_several_pdus_the_named_one_is_meant_and_a_list_goes_on_over_pages() {
    let place = "/redfish/v1/PowerEquipment/RackPDUs";
    let mut several = service();
    several.resources.insert(
        place.to_owned(),
        json!({"Members": [reference(&format!("{place}/6"))], "Members@odata.nextLink": format!("{place}?$skip=1")}),
    );
    several.resources.insert(format!("{place}?$skip=1"), json!({"Members": [reference(PDU)]}));
    let server = several.start();
    let fault = read(&cfg(&server, "outlets = [\"A1\"]")).unwrap_err();
    assert_eq!(fault.detail, "the service lists the PDUs 6, 7; name the one that is meant by `unit`");
    assert!(read(&cfg(&server, "unit = \"7\"\noutlets = [\"A1\"]")).is_ok());
}

#[test]
fn addresses_without_ids_and_expanded_lists_are_read_too() {
    let mut odd = service();
    let a1 = odd.resources.remove(&format!("{PDU}/Outlets/A1")).unwrap();
    odd.resources.insert(format!("{PDU}/Outlets/0001"), a1.clone());
    odd.resources.insert(format!("{PDU}/Outlets"), json!({"Members": [reference(&format!("{PDU}/Outlets/0001"))]}));
    assert!(read(&cfg(&odd.clone().start(), "outlets = [\"A1\"]")).unwrap().total.is_ok());
    odd.resources.get_mut("/redfish/v1/").unwrap()["ProtocolFeaturesSupported"] =
        json!({"ExpandQuery": {"NoLinks": true}});
    let server = odd.clone().start();
    assert!(read(&cfg(&server, "outlets = [\"A1\"]")).unwrap().total.is_ok(), "promised to expand, and cannot");
    odd.resources.insert(format!("{PDU}/Outlets?$expand=.($levels=1)"), json!({"Members": [a1]}));
    let server = odd.start();
    assert!(read(&cfg(&server, "outlets = [\"A1\"]")).unwrap().total.is_ok());
    assert_eq!(lines_of(&server, &format!("GET {PDU}/Outlets/")), Vec::<String>::new());
}

#[test]
fn a_sensor_is_followed_where_the_outlet_names_it_without_a_value() {
    let mut linked =
        service().change("/Outlets/A1", |a1| drop(a1["PowerWatts"].as_object_mut().unwrap().remove("Reading")));
    linked.resources.insert(format!("{PDU}/Sensors/PowerA1"), json!({"Reading": 12.5, "ReadingUnits": "W"}));
    assert_eq!(read(&cfg(&linked.start(), "outlets = [\"A1\"]")).unwrap().total.unwrap().value.value(), 12.5);
}

#[test]
fn another_device_and_a_silent_one_are_faults() {
    let server = Server::by(|_| Act::json("{}"));
    let fault = read(&cfg(&server, "outlets = [\"A1\"]")).unwrap_err();
    assert_eq!((fault.kind, fault.detail.as_str()), (FaultKind::WrongDevice, "the service has no PowerEquipment"));
    let server = Server::by(|_| Act::Close);
    assert_eq!(read(&cfg(&server, "outlets = [\"A1\"]")).unwrap_err().kind, FaultKind::Broken);
}
