//! Six Digital Shovel SPDUs ("MinerControl"): the list of ports, and switching one port. The maker does not document
//! where the token comes from, so there is no login here either. The group of all ports is none of the maker's: it is
//! in the style of another make, for the third rung.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::devices::{Device, signal::site_zone};
use crate::http::{Request, Response};
use crate::mine::OUTLETS;
use crate::physics::pick;
use crate::world::World;

const TOKEN: &str = "JWT site-spdu-token";

/// A port as the device shows it, in its order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    id: usize,
    label: String,
    notes: String,
    status: bool,
    cur_cons: Value,
    warning: bool,
    auto_reset: bool,
    min_threshold: u32,
    max_threshold: u32,
    max_reset: u32,
    attempts: u32,
    reset_delay: u32,
    min_reset_delay: u32,
    max_reset_delay: u32,
    total: u64,
    last_on_time: String,
    active: bool,
    add_time: String,
    update_time: String,
    #[serde(rename = "type")]
    kind: u8,
}

pub(crate) fn answer(world: &mut World, pdu: usize, request: &Request) -> Response {
    let segments = request.segments();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["api", "miners"]) => list(world, pdu, request),
        ("GET", ["api", "miners", id]) => match port_number(id) {
            Some(id) => ok(&port(world, pdu, id)),
            None => Response::detail(404, "Not found."),
        },
        ("PUT", ["api", "miners", id]) => put(world, pdu, id, request),
        ("PATCH", ["api", "groups", "miners"]) => patch_group(world, pdu, request),
        (method, ["api", "miners"] | ["api", "miners", _]) => {
            Response::detail(405, &format!("Method \"{method}\" not allowed."))
        }
        _ => Response::new(
            404,
            "text/html",
            "<h1>Not Found</h1><p>The requested resource was not found on this server.</p>",
        ),
    }
}

fn ok(value: &impl Serialize) -> Response {
    Response::new(200, "application/json", serde_json::to_string(value).unwrap())
        .with("Vary", "Accept, Cookie")
        .with("Allow", "GET, PUT, HEAD, OPTIONS")
}

fn port_number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|n| (1..=OUTLETS).contains(n))
}

fn list(world: &World, pdu: usize, request: &Request) -> Response {
    let limit = |name: &str| request.parameter(name).and_then(|v| v.parse::<f64>().ok());
    let (min, max) = (limit("cons_min").unwrap_or(f64::MIN), limit("cons_max").unwrap_or(f64::MAX));
    if request.parameter("otherType") == Some("true") {
        return ok(&json!([]));
    }
    let ports = (1..=OUTLETS).map(|id| port(world, pdu, id));
    let within = |p: &Port| p.cur_cons.as_f64().is_some_and(|watts| (min..=max).contains(&watts));
    ok(&ports.filter(within).collect::<Vec<_>>())
}

fn port(world: &World, pdu: usize, id: usize) -> Port {
    let index = pdu * OUTLETS + id - 1;
    let (miner, outlet) = (&world.miners[index], &world.outlets[index]);
    let watts = miner.watts(world.step, world.seed);
    let cur_cons = if world.fault(Device::Spdu(pdu)) == "absurd" {
        json!(-5.0e6)
    } else if watts == 0.0 {
        // A float when measured, an integer when nothing flows: both occur on the device.
        json!(0)
    } else {
        json!((watts * 10.0).round() / 10.0)
    };
    // The ports are measured in turn, each every five seconds.
    let now = world.seconds() as i64;
    let measured = now - (now - id as i64).rem_euclid(5);
    let micros = pick(world.seed, index as u64, measured as u64, 0, 999_999);
    Port {
        id,
        label: outlet.label.clone(),
        notes: outlet.notes.clone(),
        status: outlet.status,
        cur_cons,
        warning: false,
        auto_reset: outlet.auto_reset,
        min_threshold: 2000,
        max_threshold: 10_000,
        max_reset: 5,
        attempts: 0,
        reset_delay: 5,
        min_reset_delay: 5,
        max_reset_delay: 10,
        total: 40_000 + 37 * index as u64 + world.step / 3600,
        last_on_time: local_time(outlet.last_on, 0),
        active: true,
        add_time: "2025-03-11T14:02:51.226180Z".to_owned(),
        update_time: local_time(measured, micros),
        kind: 1,
    }
}

/// Whether a port is on, and its watts, for the other dialects.
pub(super) fn shown(world: &World, pdu: usize, id: usize) -> (bool, f64) {
    let port = port(world, pdu, id);
    (port.status, port.cur_cons.as_f64().unwrap())
}

/// Switches one port, unless it is broken in a way that keeps it; `false` when it refuses. For the other dialects.
pub(super) fn order(world: &mut World, pdu: usize, number: usize, on: bool) -> bool {
    let device = Device::Spdu(pdu);
    let is_taken = !world.has_fault_on(device, "rejects", number);
    world.note_command(device, format!("outlet {number} {}", if on { "on" } else { "off" }), is_taken);
    let ignores = ["ignores", "ignores-outlets"].into_iter().any(|kind| world.has_fault_on(device, kind, number));
    if is_taken && world.frozen_at.is_none() && !ignores {
        change(world, pdu, number, &serde_json::Map::from_iter([("status".to_owned(), json!(on))]));
    }
    is_taken
}

fn local_time(seconds: i64, micros: u64) -> String {
    let local = Timestamp::from_second(seconds).unwrap().to_zoned(site_zone());
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{}{fraction}{}", local.strftime("%Y-%m-%dT%H:%M:%S"), local.strftime("%:z"))
}

/// Switches or edits one port. The answer is the whole record; its watts are still the old ones.
fn put(world: &mut World, pdu: usize, id: &str, request: &Request) -> Response {
    let device = Device::Spdu(pdu);
    let status = request.json().and_then(|b| b.get("status").and_then(Value::as_bool));
    let word = status.map_or("settings", |on| if on { "on" } else { "off" });
    let what = format!("outlet {id} {word}");
    let refuse = |world: &mut World, response: Response| {
        world.note_command(device, what.clone(), false);
        response
    };
    if let Some(response) = not_signed(device, request) {
        return refuse(world, response);
    }
    let Some(number) = port_number(id) else { return refuse(world, Response::detail(404, "Not found.")) };
    if world.has_fault_on(device, "rejects", number) {
        return refuse(world, Response::detail(403, "You do not have permission to perform this action."));
    }
    let Some(Value::Object(body)) = request.json() else {
        return refuse(world, Response::detail(400, "JSON parse error - Expecting value: line 1 column 1 (char 0)"));
    };
    if body.get("status").is_some_and(|v| !v.is_boolean()) {
        return refuse(world, Response::json(400, &json!({"status": ["Must be a valid boolean."]})));
    }
    world.note_command(device, what, true);
    let ignores = ["ignores", "ignores-outlets"].into_iter().any(|kind| world.has_fault_on(device, kind, number));
    if world.frozen_at.is_none() && !ignores {
        change(world, pdu, number, &body);
    }
    ok(&port(world, pdu, number))
}

fn not_signed(device: Device, request: &Request) -> Option<Response> {
    match request.header("authorization") {
        Some(TOKEN) => None,
        Some(_) => Some(Response::detail(401, "Error decoding signature.")),
        None => Some(super::unauthorized(device)),
    }
}

/// Switches all ports off at once; nothing switches them on together. The answer is empty.
fn patch_group(world: &mut World, pdu: usize, request: &Request) -> Response {
    let device = Device::Spdu(pdu);
    if world.fault(device) == "no-bank" {
        return Response::detail(404, "Not found.");
    }
    let action = request.json().and_then(|body| body.get("control_action").and_then(Value::as_str).map(str::to_owned));
    let refused = not_signed(device, request).or_else(|| match action.as_deref() {
        Some("off") if world.fault(device) == "rejects" => {
            Some(Response::detail(403, "You do not have permission to perform this action."))
        }
        Some("off") => None,
        Some(_) | None => {
            Some(Response::json(400, &json!({"control_action": ["Only \"off\" is possible for a group."]})))
        }
    });
    let what = format!("bank {}", action.as_deref().unwrap_or("settings"));
    world.note_command(device, what, refused.is_none());
    if let Some(response) = refused {
        return response;
    }
    if world.frozen_at.is_none() && world.fault(device) != "ignores-bank" {
        let off = serde_json::Map::from_iter([("status".to_owned(), json!(false))]);
        for number in 1..=OUTLETS {
            if !world.has_fault_on(device, "ignores", number) {
                change(world, pdu, number, &off);
            }
        }
    }
    Response::new(204, "application/json", "")
}

fn change(world: &mut World, pdu: usize, number: usize, body: &serde_json::Map<String, Value>) {
    let index = pdu * OUTLETS + number - 1;
    let is_welded = world.has_fault_on(Device::Spdu(pdu), "welded", number);
    let now = world.wall;
    let outlet = &mut world.outlets[index];
    for (key, field) in [("label", &mut outlet.label), ("notes", &mut outlet.notes)] {
        if let Some(text) = body.get(key).and_then(Value::as_str) {
            text.clone_into(field);
        }
    }
    if let Some(on) = body.get("autoReset").and_then(Value::as_bool) {
        outlet.auto_reset = on;
    }
    let Some(on) = body.get("status").and_then(Value::as_bool) else { return };
    if on && !outlet.status {
        outlet.last_on = now;
    }
    outlet.status = on;
    if !is_welded || on {
        world.miners[index].has_power = on;
    }
}
