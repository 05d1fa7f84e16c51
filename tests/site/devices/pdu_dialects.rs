//! The same PDUs in the words of others: a Redfish service with sessions, and a Vertiv Geist, whose login gives a token for
//! the body. User `owner`, password `site-pdu-password`.

use serde_json::{Map, Value, json};

use crate::devices::{Device, spdu};
use crate::http::{Request, Response};
use crate::mine::OUTLETS;
use crate::world::World;

const USER: &str = "owner";
const PASSWORD: &str = "site-pdu-password";
const PDUS: &str = "/redfish/v1/PowerEquipment/RackPDUs";
const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
/// The id of a Geist unit.
const UNIT: &str = "7A11C0FFEE0900C3";

/// Whose words a PDU speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    DigitalShovel,
    Redfish,
    Geist,
}

pub(crate) const WORDS: [(&str, Words); 3] =
    [("digital-shovel", Words::DigitalShovel), ("redfish", Words::Redfish), ("geist", Words::Geist)];

/// The logins of all PDUs.
#[derive(Clone, Default)]
pub(crate) struct Sessions {
    /// How many there ever were.
    pub(crate) made: u64,
    /// Those that stand: PDU and token.
    pub(crate) open: Vec<(usize, String)>,
}

impl Sessions {
    fn begin(&mut self, pdu: usize) -> String {
        self.made += 1;
        let token = format!("session{pdu}x{}", self.made);
        self.open.push((pdu, token.clone()));
        token
    }

    fn has(&self, pdu: usize, token: Option<&str>) -> bool {
        self.open.iter().any(|(of, open)| *of == pdu && Some(open.as_str()) == token)
    }
}

fn link(place: &str) -> Value {
    json!({"@odata.id": place})
}

fn says_no(status: u16, text: &str) -> Response {
    Response::json(status, &json!({"error": {"code": "Base.1.8.GeneralError", "message": text}}))
}

pub(crate) fn redfish(world: &mut World, pdu: usize, request: &Request) -> Response {
    let path = request.path.trim_end_matches('/').to_owned();
    let own = format!("{PDUS}/1");
    match (request.method.as_str(), path.as_str()) {
        ("GET", "/redfish/v1") => {
            return Response::json(
                200,
                &json!({"PowerEquipment": link("/redfish/v1/PowerEquipment"), "Links": {"Sessions": link(SESSIONS)}}),
            );
        }
        ("POST", SESSIONS) => return log_in(world, pdu, request),
        _ => {}
    }
    if !world.pdu_sessions.has(pdu, request.header("x-auth-token")) {
        return says_no(401, "no valid session");
    }
    match (request.method.as_str(), path.strip_prefix(&own)) {
        ("DELETE", None) if path.starts_with(SESSIONS) => {
            let token = path.rsplit('/').next().unwrap_or_default();
            world.pdu_sessions.open.retain(|(_, open)| open != token);
            Response::new(204, "application/json", "")
        }
        ("GET", None) if path == "/redfish/v1/PowerEquipment" => Response::json(200, &json!({"RackPDUs": link(PDUS)})),
        ("GET", None) if path == PDUS => Response::json(200, &json!({"Members": [link(&own)]})),
        ("GET", Some("")) => Response::json(200, &json!({"Id": "1", "Outlets": link(&format!("{own}/Outlets"))})),
        ("GET", Some("/Outlets")) => {
            let members: Vec<Value> = (1..=OUTLETS).map(|id| link(&format!("{own}/Outlets/{id}"))).collect();
            Response::json(200, &json!({"Members": members}))
        }
        (method, Some(rest)) => outlet(world, pdu, method, rest, request),
        (_, None) => says_no(404, "no such resource"),
    }
}

fn log_in(world: &mut World, pdu: usize, request: &Request) -> Response {
    if request.json() != Some(json!({"UserName": USER, "Password": PASSWORD})) {
        return says_no(401, "invalid credentials");
    }
    let token = world.pdu_sessions.begin(pdu);
    let place = format!("{SESSIONS}/{token}");
    Response::json(201, &json!({"@odata.id": place})).with("X-Auth-Token", token).with("Location", place)
}

fn outlet(world: &mut World, pdu: usize, method: &str, rest: &str, request: &Request) -> Response {
    let number = |text: &str| text.parse().ok().filter(|n| (1..=OUTLETS).contains(n));
    let Some(rest) = rest.strip_prefix("/Outlets/") else { return says_no(404, "no such resource") };
    let (id, action) = rest.split_once('/').map_or((rest, None), |(id, action)| (id, Some(action)));
    let Some(id) = number(id) else { return says_no(404, "no such outlet") };
    let show = |world: &World| {
        let (on, watts) = spdu::shown(world, pdu, id);
        let place = format!("{PDUS}/1/Outlets/{id}");
        let target = format!("{place}/Actions/Outlet.PowerControl");
        json!({"@odata.id": place, "Id": id.to_string(), "PowerState": if on { "On" } else { "Off" },
               "PowerWatts": {"Reading": watts}, "Actions": {"#Outlet.PowerControl": {"target": target}}})
    };
    match (method, action) {
        ("GET", None) => Response::json(200, &show(world)),
        ("POST", Some("Actions/Outlet.PowerControl")) => {
            let wanted =
                request.json().and_then(|body| body.get("PowerState").and_then(Value::as_str).map(str::to_owned));
            match wanted.as_deref() {
                Some(word @ ("On" | "Off")) => match spdu::order(world, pdu, id, word == "On") {
                    true => Response::json(200, &show(world)),
                    false => says_no(403, "insufficient privilege"),
                },
                _ => {
                    world.note_command(Device::Spdu(pdu), format!("outlet {id} something else"), false);
                    says_no(400, "PowerState must be On or Off")
                }
            }
        }
        _ => says_no(405, "not allowed"),
    }
}

/// A Geist says everything with status 200 and a code of its own.
pub(crate) fn geist(world: &mut World, pdu: usize, request: &Request) -> Response {
    let body = request.json().unwrap_or_default();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let say = |code: u16, data: Value| Response::json(200, &json!({"retCode": code, "retMsg": "", "data": data}));
    match (request.method.as_str(), request.segments().as_slice()) {
        ("GET", ["api", "dev"]) => say(0, json!({ UNIT: {"outlet": geist_outlets(world, pdu)} })),
        ("POST", ["api", "auth", USER]) if text("/data/password") == Some(PASSWORD) => {
            let token = world.pdu_sessions.begin(pdu);
            say(0, json!({ "token": token }))
        }
        ("POST", ["api", "auth", _]) => say(1001, json!({})),
        ("POST", ["api", "dev", UNIT, "outlet", id]) => {
            let Some(id) = id.parse::<usize>().ok().filter(|id| *id < OUTLETS) else { return say(1003, json!({})) };
            if !world.pdu_sessions.has(pdu, text("/token")) {
                return say(1001, json!({}));
            }
            match (text("/cmd"), text("/data/action")) {
                (Some("control"), Some(word @ ("on" | "off"))) => {
                    say(if spdu::order(world, pdu, id + 1, word == "on") { 0 } else { 1002 }, json!({}))
                }
                _ => say(1004, json!({})),
            }
        }
        _ => Response::new(404, "text/html", "<h1>Not Found</h1>"),
    }
}

fn geist_outlets(world: &World, pdu: usize) -> Map<String, Value> {
    let outlet = |id: usize| {
        let (on, watts) = spdu::shown(world, pdu, id);
        let measured = json!({"0": {"type": "voltage", "units": "V", "value": "231.2"},
                              "4": {"type": "realPower", "units": "W", "value": watts.to_string()}});
        ((id - 1).to_string(), json!({"state": if on { "on" } else { "off" }, "measurement": measured}))
    };
    (1..=OUTLETS).map(outlet).collect()
}
