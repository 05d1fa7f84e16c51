//! Foreman: the service's API, and the agent on site that pulls its commands and reports the miners. Only what good
//! sources prove: no watts and no power mode per miner, and `complete` means that the miner took the order, no more.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::devices::Device;
use crate::http::{Request, Response};
use crate::mine::{MINERS, Mode, OUTLETS, Phase, plate};
use crate::physics::pick;
use crate::world::World;

const KEY: &str = "Token site-foreman-key";
const CLIENT: &str = "7";
const PULL_S: i64 = 30;
/// One call a second an endpoint, with a tenth of tolerance.
const CALL_GAP_S: f64 = 0.9;
const PAGE_MAX: usize = 500;

#[derive(Clone, Copy, PartialEq)]
enum Progress {
    Pending,
    /// Ends at a step.
    Running(u64),
    Complete,
    Failed,
}

#[derive(Clone)]
struct Command {
    miner: usize,
    mode: Mode,
    progress: Progress,
}

/// The service's memory.
#[derive(Clone)]
pub(crate) struct Foreman {
    commands: Vec<Command>,
    /// When each endpoint last accepted a call.
    last_calls: BTreeMap<&'static str, f64>,
    /// What the agent last reported of each miner, and when.
    seen: Vec<(Phase, f64)>,
    collected: i64,
}

/// Command numbers start here.
const FIRST_COMMAND: usize = 48_001;

impl Foreman {
    pub(crate) fn new(now: i64) -> Foreman {
        let seen = vec![(Phase::Hashing, 118.0); MINERS];
        Foreman { commands: Vec::new(), last_calls: BTreeMap::new(), seen, collected: now }
    }

    pub(crate) fn forget_calls(&mut self) {
        self.last_calls.clear();
    }

    /// One second of the agent: it pulls, passes on, and reports back. Without the service it does nothing.
    pub(crate) fn agent(world: &mut World) {
        let fault = world.fault(Device::Foreman);
        if fault == "refuse" || fault == "hang" {
            return;
        }
        let (step, seed, is_pull) = (world.step, world.seed, world.wall % PULL_S == 0);
        for (number, command) in world.foreman.commands.iter_mut().enumerate() {
            let miner = &mut world.miners[command.miner];
            let chance = |min, max| pick(seed, number as u64, command.miner as u64, min, max);
            match command.progress {
                Progress::Pending if is_pull => {
                    command.progress = Progress::Running(step + chance(2, 8));
                    let is_ignored = fault == "ignores-sleep" && command.mode == Mode::Sleeping;
                    if fault != "commands-fail" && !is_ignored {
                        miner.order(step + chance(10, 40), command.mode);
                    }
                }
                Progress::Running(until) if until <= step => {
                    let is_lost = fault == "commands-fail" || !miner.has_power;
                    command.progress = if is_lost { Progress::Failed } else { Progress::Complete };
                }
                Progress::Pending | Progress::Running(_) | Progress::Complete | Progress::Failed => {}
            }
        }
    }

    /// The agent's upload of what it sees, each minute.
    pub(crate) fn collect(world: &mut World) {
        let fault = world.fault(Device::Foreman);
        if fault != "refuse" && fault != "hang" {
            world.foreman.seen = world.miners.iter().map(|m| (m.phase, m.terahashes())).collect();
            world.foreman.collected = world.wall;
        }
    }
}

pub(crate) fn answer(world: &mut World, request: &Request) -> Response {
    let segments = request.segments();
    let method = request.method.as_str();
    if (method, segments.as_slice()) == ("GET", &["api", "ping"]) {
        return limited(world, "ping").unwrap_or_else(|| Response::json(200, &json!({"response": "pong"})));
    }
    match request.header("authorization") {
        Some(KEY) => {}
        Some(_) => return Response::detail(401, "Invalid token.").with("WWW-Authenticate", "Token"),
        None => {
            let text = "Authentication credentials were not provided.";
            return Response::detail(401, text).with("WWW-Authenticate", "Token");
        }
    }
    let (endpoint, answer): (&'static str, fn(&mut World, &Request) -> Response) = match (method, segments.as_slice()) {
        ("GET", ["api", "ping", CLIENT]) => ("ping/client", |_, _| Response::json(200, &json!({"response": "pong"}))),
        ("GET", ["api", "v2", "clients", CLIENT]) => ("client", |world, _| summary(world)),
        ("GET", ["api", "v2", "clients", CLIENT, "miners"]) => ("miners", |world, request| miners(world, request)),
        ("POST", ["api", "actions", "power-mode", _]) => ("power-mode", power_mode),
        ("GET", ["api", "actions", "status", _]) => ("status", |world, request| action_status(world, request)),
        _ => return Response::detail(404, "Not found."),
    };
    if world.fault(Device::Foreman) == "detail-200" {
        return Response::detail(200, "You do not have permission to perform this action.");
    }
    limited(world, endpoint).unwrap_or_else(|| answer(world, request))
}

/// The refusal when an endpoint is called too fast; a refused call does not count.
fn limited(world: &mut World, endpoint: &'static str) -> Option<Response> {
    let now = world.seconds();
    let last = world.foreman.last_calls.get(endpoint).copied();
    if world.fault(Device::Foreman) == "429" || last.is_some_and(|last| now - last < CALL_GAP_S) {
        return Some(Response::detail(429, "rate limited").with("Retry-After", "1"));
    }
    world.foreman.last_calls.insert(endpoint, now);
    None
}

/// What the service calls a miner's state; only `online`, `fail` and `idle` are known words.
fn status_word(world: &World, phase: Phase) -> &'static str {
    match phase {
        _ if world.fault(Device::Foreman) == "odd-words" => "hibernating",
        Phase::Hashing | Phase::Ramp { .. } => "online",
        Phase::Asleep => "idle",
        Phase::Boot { .. } | Phase::Off | Phase::Tripped => "fail",
    }
}

fn is_online(phase: Phase) -> bool {
    !matches!(phase, Phase::Off | Phase::Boot { .. })
}

fn summary(world: &World) -> Response {
    if world.fault(Device::Foreman) == "absurd" {
        let miners = json!({"online": 999_999_999, "offline": -4, "total": 3});
        return Response::json(200, &json!([{"miners": miners, "hashRate": 1.0e40, "powerDraw": -5.0e12}]));
    }
    let seen = &world.foreman.seen;
    let online = seen.iter().filter(|(phase, _)| is_online(*phase)).count();
    let hash_rate: f64 = seen.iter().map(|(_, terahashes)| terahashes * 1.0e12).sum();
    // An estimate from the type plates, as the service makes it.
    let hashing = world.miners.iter().zip(seen).filter(|(_, (_, terahashes))| *terahashes > 0.0);
    let power: f64 = hashing.map(|(m, _)| plate(m.id).2).sum();
    let counted = if world.fault(Device::Foreman) == "list-disagrees" { MINERS + 12 } else { MINERS };
    let miners = json!({"online": online, "offline": counted - online, "total": counted});
    Response::json(200, &json!([{"miners": miners, "hashRate": hash_rate, "powerDraw": power}]))
}

fn miners(world: &World, request: &Request) -> Response {
    let number = |name: &str, default| request.parameter(name).and_then(|v| v.parse().ok()).unwrap_or(default);
    let most = if world.fault(Device::Foreman) == "short-pages" { 100 } else { PAGE_MAX };
    let (limit, offset): (usize, usize) = (number("limit", 100).clamp(1, most), number("offset", 0));
    let results: Vec<Value> = (offset..MINERS.min(offset.saturating_add(limit))).map(|i| miner(world, i)).collect();
    Response::json(200, &json!({"limit": limit, "offset": offset, "total": MINERS, "results": results}))
}

fn miner(world: &World, index: usize) -> Value {
    let id = world.miners[index].id;
    let phase = world.foreman.seen[index].0;
    let (name, _, _) = plate(id);
    let ip = format!("10.0.{}.{}", 1 + index / OUTLETS, 11 + index % OUTLETS);
    let updated = jiff::Timestamp::from_second(world.foreman.collected).unwrap().to_string();
    json!({
        "id": id, "client": CLIENT, "name": format!("box1-{id}"), "platform": "antminer",
        "type": {"id": if name.contains("110T") { 311 } else { 347 }, "name": name},
        "ip": ip, "apiPort": 4028, "mac": format!("02:5e:10:00:{:02x}:{:02x}", index / 256, index % 256),
        "serial": format!("SMTTYP{:06}", 204_000 + index), "psuSerial": null, "description": "",
        "pickaxe": 31, "created": "2025-03-12T09:40:00Z", "lastUpdated": updated,
        "seen": is_online(phase), "active": true, "status": status_word(world, phase), "state": "enabled",
        "location": {"rackId": 1 + index / OUTLETS, "row": 1 + index % OUTLETS / 8, "index": 1 + index % 8},
        "firmware": {"author": "Bitmain", "version": "49.0.1.3"},
        "network": {"ip": ip},
        "tags": tags(index),
        "pools": [{"url": "stratum+tcp://pool.invalid:3333", "worker": format!("prairie.{id}"), "status": true,
                   "enabled": true, "accepted": 41_000 + index, "rejected": 12, "stale": 0}],
    })
}

/// All are `curtail`, and those on the first three outlets of each PDU `front` too: for a small mine.
fn tags(index: usize) -> Value {
    let curtail = json!({"id": 5, "name": "curtail"});
    if index % OUTLETS < 3 { json!([curtail, {"id": 6, "name": "front"}]) } else { json!([curtail]) }
}

fn power_mode(world: &mut World, request: &Request) -> Response {
    let id = request.segments().last().copied().unwrap_or("").to_owned();
    let word = request.json().and_then(|b| b.get("powerMode").and_then(Value::as_str).map(str::to_owned));
    let what = format!("miner {id} {}", word.as_deref().unwrap_or("?"));
    let index = world.miners.iter().position(|m| m.id.to_string() == id);
    let Some(miner) = index else {
        world.note_command(Device::Foreman, what, false);
        return Response::detail(404, "Not found.");
    };
    if world.fault(Device::Foreman) == "some-fail" && miner % 3 == 0 {
        world.note_command(Device::Foreman, what, false);
        return Response::detail(400, "Miner is not capable of power modes.");
    }
    let Some(mode) = word.as_deref().and_then(Mode::parse) else {
        world.note_command(Device::Foreman, what, false);
        return Response::detail(400, "Invalid power mode");
    };
    world.note_command(Device::Foreman, what, true);
    world.foreman.commands.push(Command { miner, mode, progress: Progress::Pending });
    let command = FIRST_COMMAND + world.foreman.commands.len() - 1;
    Response::json(200, &json!({"command": command, "status": "okay"}))
}

fn action_status(world: &World, request: &Request) -> Response {
    let number = request.segments().last().and_then(|s| s.parse::<usize>().ok());
    let index = number.and_then(|n| n.checked_sub(FIRST_COMMAND));
    let Some(command) = index.and_then(|i| world.foreman.commands.get(i)) else {
        return Response::detail(404, "Not found.");
    };
    let word = match command.progress {
        _ if world.fault(Device::Foreman) == "odd-words" => "queued",
        Progress::Pending => "pending",
        Progress::Running(_) => "in-progress",
        Progress::Complete => "complete",
        Progress::Failed => "failed",
    };
    Response::json(200, &json!({"status": word}))
}
