//! The control port: sets what the world is like, sets faults, and tells the truth. Only for tests and demonstrations;
//! no device has anything like it. The whole interface is documented in `main.rs`.

use minectl::clock::Clock;
use serde_json::{Map, Value, json};

use crate::devices::{ALL, Device, influx, pdu_dialects, relays, room_alert, telegram_chat};
use crate::faults::{Fault, INTERNET, known};
use crate::http::{Request, Response};
use crate::physics::FANS;
use crate::server::Site;
use crate::world::World;

pub(crate) fn answer(site: &Site, request: &Request) -> Response {
    let Some(Value::Object(body)) = request.json() else { return refused("the body is not a JSON object") };
    let result = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/state") => Ok(site.world().truth()),
        ("GET", "/recorded") => Ok(recorded(&site.world())),
        ("GET", "/commands") => Ok(json!(site.world().commands)),
        ("GET", "/faults") => Ok(fault_list()),
        ("POST", "/telegram") => telegram_chat::control(&mut site.world(), &body),
        ("POST", "/set") => set(&mut site.world(), &body),
        ("POST", "/fault") => fault(site, &body),
        ("POST", "/fault/clear") => clear(site, &body),
        ("POST", "/clock") => clock(site, &body),
        ("POST", "/reset") => {
            site.reset();
            Ok(json!({"ok": true}))
        }
        ("POST", "/keep") => {
            site.keep();
            Ok(json!({"ok": true}))
        }
        ("POST", "/back") if site.back() => Ok(json!({"ok": true})),
        ("POST", "/back") => Err("nothing was kept".to_owned()),
        (method, path) => Err(format!("no `{method} {path}` here")),
    };
    result.map_or_else(|text| refused(&text), |value| Response::json(200, &value))
}

fn refused(text: &str) -> Response {
    Response::json(400, &json!({"error": text}))
}

fn recorded(world: &World) -> Value {
    let r = &world.recorded;
    let chats = &world.chats;
    json!({
        "telegram": r.telegram, "telegram_calls": chats.calls, "email": r.email, "sms": r.sms, "dead_man": r.dead_man,
        "sms_http": r.sms_http, "influx": influx::recorded(world),
    })
}

fn fault_list() -> Value {
    ALL.iter().map(|(device, name, _)| ((*name).to_owned(), json!(known(*device)))).collect::<Map<_, _>>().into()
}

const SETTINGS: &str = "signal_number, signal_text, signal_html, signal_status, signal_stamp, outdoor_c, day_swing_c, \
                        humidity, switch, door, emoncms_redis, sleep_persists, smtp_strict, delay_ms, fan_dead, \
                        dialect";

/// Applies every key, or none when one is wrong.
fn set(world: &mut World, body: &Map<String, Value>) -> Result<Value, String> {
    let mut settings = world.settings.clone();
    let mut dead = None;
    for (key, value) in body {
        let number = || value.as_f64().ok_or_else(|| format!("`{key}` wants a number"));
        let flag = || value.as_bool().ok_or_else(|| format!("`{key}` wants true or false"));
        let text = || value.as_str().map(str::to_owned);
        match key.as_str() {
            "signal_number" => {
                settings.signal_number = number()?;
                settings.signal_text = None;
                settings.signal_html = None;
            }
            "signal_text" => settings.signal_text = text(),
            "signal_html" => settings.signal_html = text(),
            "signal_status" => settings.signal_status = text().unwrap_or_default(),
            "signal_stamp" => settings.signal_stamp = text(),
            "outdoor_c" => settings.outdoor_c = number()?,
            "day_swing_c" => settings.day_swing_c = number()?,
            "humidity" => settings.humidity = number()?,
            "emoncms_redis" => settings.emoncms_redis = flag()?,
            "sleep_persists" => settings.sleep_persists = flag()?,
            "smtp_strict" => settings.smtp_strict = flag()?,
            "delay_ms" => settings.delay_ms = value.as_u64().ok_or("`delay_ms` wants a whole number")?,
            "door" => set_switch(&mut settings.switches, "Door", value)?,
            "switch" => {
                for (name, value) in value.as_object().ok_or("`switch` wants {\"name\": 0 or 1}")? {
                    set_switch(&mut settings.switches, name, value)?;
                }
            }
            "dialect" => {
                for (device, name) in value.as_object().ok_or("`dialect` wants {\"device\": \"name\"}")? {
                    let name = name.as_str().unwrap_or_default();
                    match device.as_str() {
                        "room-alert" => settings.room_words = word(name, &room_alert::WORDS)?,
                        "relays-a" => settings.board_words[0] = word(name, &relays::WORDS)?,
                        "relays-b" => settings.board_words[1] = word(name, &relays::WORDS)?,
                        _ => match Device::named(device) {
                            Some(Device::Spdu(pdu)) => settings.pdu_words[pdu] = word(name, &pdu_dialects::WORDS)?,
                            _ => {
                                return Err(format!(
                                    "`{device}` has one dialect; others: room-alert, relays-a, relays-b, spdu-a to -f"
                                ));
                            }
                        },
                    }
                }
            }
            "fan_dead" => dead = Some(numbers(value).ok_or("`fan_dead` wants a list of fan numbers")?),
            _ => return Err(format!("unknown setting `{key}`; known: {SETTINGS}")),
        }
    }
    world.settings = settings;
    if let Some(dead) = dead {
        for fan in 0..FANS {
            world.fans[fan].is_dead = dead.contains(&(fan + 1));
        }
    }
    Ok(json!({"ok": true}))
}

fn word<T: Copy>(name: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(word, _)| *word == name).map(|(_, meaning)| *meaning);
    let names: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
    found.ok_or_else(|| format!("unknown dialect `{name}`; known: {}", names.join(", ")))
}

fn set_switch(switches: &mut [(String, u8)], name: &str, value: &Value) -> Result<(), String> {
    let state = value.as_u64().filter(|v| *v <= 1).or_else(|| value.as_bool().map(u64::from));
    let state = state.ok_or_else(|| format!("switch `{name}` wants 0 or 1"))?;
    let switch = switches.iter_mut().find(|(n, _)| n == name);
    let switch = switch.ok_or_else(|| format!("unknown switch `{name}`; known: Smoke, Water, Door"))?;
    switch.1 = state as u8;
    Ok(())
}

fn numbers(value: &Value) -> Option<Vec<usize>> {
    value.as_array()?.iter().map(|v| v.as_u64().and_then(|n| usize::try_from(n).ok())).collect()
}

/// `internet` stands for everything behind the uplink.
fn devices(name: &str) -> Result<Vec<Device>, String> {
    if name == "internet" {
        return Ok(INTERNET.to_vec());
    }
    let names = || ALL.iter().map(|(_, n, _)| *n).skip(1).collect::<Vec<_>>().join(", ");
    let device = Device::named(name).filter(|d| *d != Device::Control);
    device.map(|d| vec![d]).ok_or_else(|| format!("unknown device `{name}`; known: internet, {}", names()))
}

fn fault(site: &Site, body: &Map<String, Value>) -> Result<Value, String> {
    let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("");
    let (name, kind) = match (field("device"), field("kind")) {
        (_, "internet-down") | ("internet", "down") => ("internet", "refuse"),
        other => other,
    };
    let numbers = body.get("numbers").map_or(Some(Vec::new()), numbers).ok_or("`numbers` wants a list of numbers")?;
    let mut wanted = Vec::new();
    for device in devices(name)? {
        let kinds = known(device);
        let found = kinds.iter().find(|k| **k == kind);
        let kind = found.ok_or_else(|| format!("unknown fault `{kind}` for `{name}`; known: {}", kinds.join(", ")))?;
        wanted.push((device, Fault { kind, numbers: numbers.clone() }));
    }
    for (device, fault) in wanted {
        site.set_fault(device, fault);
    }
    Ok(json!({"ok": true}))
}

fn clear(site: &Site, body: &Map<String, Value>) -> Result<Value, String> {
    let cleared = match body.get("device").and_then(Value::as_str) {
        Some(name) => devices(name)?,
        None => ALL.iter().map(|(device, _, _)| *device).collect(),
    };
    for device in cleared {
        site.clear_fault(device);
    }
    Ok(json!({"ok": true}))
}

fn clock(site: &Site, body: &Map<String, Value>) -> Result<Value, String> {
    let text = body.get("clock").and_then(Value::as_str).unwrap_or("");
    let clock = Clock::parse(text)
        .ok_or_else(|| format!("clock `{text}`: wanted REAL:SITE:RATE with a rate from 0.1 to 1000"))?;
    let mut world = site.world();
    world.clock = clock;
    world.advance();
    Ok(json!({"ok": true, "time": world.wall}))
}
