//! An IotaWatt: the fans' watts and the mains voltage out of its five-second log, and the live page. It has no power
//! factor, and answers nothing but `/query` and `/status`. The query language is in `iotawatt_query.rs`, the password in
//! `iotawatt_login.rs`.

use serde_json::json;

use crate::devices::Device;
use crate::http::{Framing, Request, Response};
use crate::physics::FANS;
use crate::world::World;

#[path = "iotawatt_login.rs"]
mod login;
#[path = "iotawatt_query.rs"]
mod query;

pub(crate) use login::Logins;

/// The device has run for this long at the start.
const RUNNING_S: i64 = 400_000;

pub(crate) fn answer(world: &mut World, request: &Request) -> Response {
    if world.fault(Device::Iotawatt) == "login"
        && let Some(refusal) = login::refusal(world, request)
    {
        return refusal;
    }
    if let Some(why) = query::harm(request) {
        world.note_command(Device::Iotawatt, format!("hung by {why}"), false);
    }
    let text = |status, text: String| Response::new(status, "text/plain", text);
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/query") => match query::run(world, request) {
            Ok(body) => {
                let framing = if request.minor == 0 { Framing::Length } else { Framing::Chunked };
                Response::new(200, "application/json", body).framed(framing)
            }
            Err(reason) => text(400, json!({"error": format!("invalid query. {reason}")}).to_string()),
        },
        ("GET", "/status") => Response::new(200, "application/json", status(world, request)),
        (method, path) => text(404, format!("Not found: {method}, URI: {path}")),
    }
}

/// What the series of a fan (from 0) is called.
fn series(world: &World, fan: usize) -> String {
    let is_renamed = world.has_fault_on(Device::Iotawatt, "renamed", fan + 1);
    format!("{}{}", if is_renamed { "vent" } else { "fan" }, fan + 1)
}

/// Volts and watts as of now, with what the faults make of them.
fn live(world: &World) -> (f64, [f64; FANS]) {
    let fault = world.fault(Device::Iotawatt);
    let mut watts = [0.0; FANS];
    if fault == "no-voltage" {
        return (0.0, watts);
    }
    for (fan, value) in watts.iter_mut().enumerate() {
        *value = if fault == "absurd" { 9.0e9 } else { world.fan_watts(fan) };
    }
    (240.6, watts)
}

/// `/status`: live values, the log's last key, and how long the device runs.
fn status(world: &World, request: &Request) -> String {
    let now = world.seconds() as i64;
    let (volts, watts) = live(world);
    let mut parts = Vec::new();
    if request.parameter("stats").is_some() {
        let (start, run) = (world.started - RUNNING_S, now - world.started + RUNNING_S);
        parts.push(format!(
            r#""stats":{{"cyclerate":771.2,"chanrate":38.6,"starttime":{start},"currenttime":{now},"runseconds":{run},"stack":24000,"version":"02_08_04","frequency":60,"lowbat":false}}"#
        ));
    }
    if request.parameter("inputs").is_some() {
        let mut inputs = vec![format!(r#"{{"channel":0,"Vrms":{volts:.4},"Hz":60,"phase":1.25}}"#)];
        for (fan, value) in watts.iter().enumerate() {
            let shown = if value.abs() < 2.0 { 0.0 } else { *value };
            inputs.push(format!(
                r#"{{"channel":{},"Watts":"{shown:>2.0}","Pf":{},"phase":1.8,"lastphase":0.55}}"#,
                fan + 1,
                if shown == 0.0 { "0" } else { "0.84" }
            ));
        }
        parts.push(format!(r#""inputs":[{}]"#, inputs.join(",")));
    }
    if request.parameter("outputs").is_some() {
        let output = |(i, w): (usize, &f64)| {
            format!(r#"{{"name":"{}","units":"Watts","value":{}}}"#, series(world, i), *w as f32)
        };
        let outputs: Vec<String> = watts.iter().enumerate().map(output).collect();
        parts.push(format!(r#""outputs":[{}]"#, outputs.join(",")));
    }
    if request.parameter("datalogs").is_some() {
        let last = world.power_log.iter().rev().find(|r| r.values.is_some()).map_or(0, |r| r.time + 5);
        let first = world.started - RUNNING_S;
        parts.push(format!(
            r#""datalogs":[{{"id":"Current","firstkey":{first},"lastkey":{last},"size":374784,"interval":5}},{{"id":"History","firstkey":{first},"lastkey":{},"size":31232,"interval":60}}]"#,
            last / 60 * 60
        ));
    }
    format!("{{{}}}", parts.join(","))
}
