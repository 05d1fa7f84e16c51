//! Each input and output on one line: what the device said in the last run, and what the rules made of it. The first is
//! the snapshot as it was kept, an override or not; the second is what the owner's page shows.

use serde::Serialize;

use super::targets::Form;
use crate::commands::report::local;
use crate::commands::seen::Seen;
use crate::config::Config;
use crate::dashboard::status::{Quality, Value};
use crate::dashboard::{Status, clean};
use crate::model::{Fault, Snapshot};

/// One line with its form.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// What it is called.
    name: String,
    /// A word more about it.
    kind: String,
    /// As the device said it. (`raw` is a word of the template language.)
    said: String,
    /// As it is judged.
    judged: String,
    /// `good`, `held`, `bad`, `set` or `plain`.
    look: &'static str,
    /// Age and quality, or the reason why it is bad.
    note: String,
    /// The override that holds.
    set: Option<Set>,
    /// How to set it.
    form: Form,
}

/// An override on a line.
#[derive(Debug, Serialize)]
struct Set {
    setting: String,
    left: String,
    by: String,
    reason: String,
}

/// Lines under one title.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    title: &'static str,
    id: &'static str,
    note: &'static str,
    rows: Vec<Row>,
}

/// What a line is made of but for its override.
struct Line {
    name: String,
    kind: &'static str,
    raw: String,
    judged: String,
    look: &'static str,
    note: String,
    form: Form,
}

/// What lines are made of.
struct Sight<'a> {
    cfg: &'a Config,
    seen: &'a Seen,
    status: &'a Status,
    read: Option<&'a Snapshot>,
}

/// All lines, by group.
pub(super) fn groups(cfg: &Config, seen: &Seen, status: &Status) -> Vec<Group> {
    let sight = Sight { cfg, seen, status, read: seen.read.as_ref().map(|(snapshot, _)| snapshot) };
    let outputs = "A held output stays as it is set until its time is over; the interlocks hold all the same.";
    let states = "Written once, at the next pass; from there the rules go on. No hold, and the interlocks hold.";
    let inputs = "A set value counts like a measured one: with the mine live, the rules act on it for real.";
    let made = [
        ("Miners", "miners", outputs, vec![miners(&sight)]),
        ("Fans", "fans", outputs, fans(&sight)),
        ("Power signal", "signal", inputs, vec![signal(&sight)]),
        ("Air", "air", inputs, air(&sight)),
        ("Switches", "switches", inputs, switches(&sight)),
        ("Power of the fans", "fan-watts", inputs, fan_watts(&sight)),
        ("Power of the PDUs", "miner-watts", inputs, pdus(&sight)),
        ("State of the machines", "states", states, states_of(&sight)),
    ];
    let group = |(title, id, note, lines): (&'static str, &'static str, &'static str, Vec<Line>)| Group {
        title,
        id,
        note,
        rows: lines.into_iter().map(|line| row(status, line)).collect(),
    };
    made.into_iter().map(group).collect()
}

fn row(status: &Status, line: Line) -> Row {
    let set = status.overrides.iter().find(|over| over.target == clean(&line.form.target)).map(|over| Set {
        setting: over.setting.clone(),
        left: over.left.clone(),
        by: over.by.clone(),
        reason: over.reason.clone(),
    });
    Row {
        name: clean(&line.name),
        kind: line.kind.to_owned(),
        said: clean(&line.raw),
        judged: clean(&line.judged),
        look: if set.is_some() { "set" } else { line.look },
        note: clean(&line.note),
        set,
        form: line.form,
    }
}

const NOT_READ: &str = "not read";

fn fault(fault: &Fault) -> String {
    format!("{}: {}", fault.kind.word(), fault.detail)
}

/// A judged value as a line's last parts.
fn value(value: &Value) -> (String, &'static str, String) {
    let look = match value.quality {
        Quality::Good => "good",
        Quality::Held => "held",
        Quality::SetByHand => "set",
        Quality::Bad => "bad",
    };
    // A bad value's text says why already.
    let note =
        if value.quality == Quality::Bad { String::new() } else { format!("{}, {}", value.quality.word(), value.note) };
    let text = match (&value.problem, value.quality) {
        (Some(problem), Quality::Bad) => format!("no value: {problem}"),
        _ => value.text.clone(),
    };
    (text, look, note)
}

fn signal(s: &Sight<'_>) -> Line {
    let raw = match s.read.map(|read| &read.signal) {
        None => NOT_READ.to_owned(),
        Some(Err(cause)) => fault(cause),
        Some(Ok(reading)) => {
            let stamp = reading.stamp.map_or(String::new(), |at| format!(", its stamp {}", local(s.cfg, at)));
            format!("“{}”{stamp}, page {}", reading.text, reading.hash)
        }
    };
    let signal = &s.status.signal;
    Line {
        name: "signal".to_owned(),
        kind: "",
        raw,
        judged: signal.level.to_owned(),
        look: if signal.level == "blind" { "bad" } else { "good" },
        note: format!("for {}; {}", signal.since.age, signal.meaning),
        form: Form::signal(),
    }
}

fn air(s: &Sight<'_>) -> Vec<Line> {
    let rooms = s.cfg.rooms.iter().flat_map(|room| room.probes.iter().map(move |probe| (room, probe)));
    let mut lines = Vec::new();
    for ((room, probe), judged) in rooms.zip(&s.status.climate.probes) {
        let read = s.read.and_then(|read| read.rooms.get(&room.name));
        let reading = match read {
            None => Err(NOT_READ.to_owned()),
            Some(Err(cause)) => Err(fault(cause)),
            Some(Ok(room)) => room.probes.get(&probe.name).ok_or_else(|| "not in the unit's answer".to_owned()),
        };
        let told = |text: Result<String, String>| text.unwrap_or_else(|cause| cause);
        let of = |raw: Result<String, String>, kind, judged: &Value, form| {
            let (judged, look, note) = value(judged);
            Line { name: probe.name.clone(), kind, raw: told(raw), judged, look, note, form }
        };
        let temperature = reading.as_ref().map_err(Clone::clone).and_then(|probe| match &probe.temperature {
            Ok(value) => Ok(value.to_string()),
            Err(cause) => Err(fault(cause)),
        });
        lines.push(of(temperature, "temperature", &judged.temperature, Form::temperature(&probe.name)));
        let humidity = reading.and_then(|probe| match &probe.humidity {
            None => Ok("none measured".to_owned()),
            Some(Ok(value)) => Ok(value.to_string()),
            Some(Err(cause)) => Err(fault(cause)),
        });
        match &judged.humidity {
            Some(judged) => lines.push(of(humidity, "humidity", judged, Form::humidity(&probe.name))),
            None => lines.push(Line {
                name: probe.name.clone(),
                kind: "humidity",
                raw: told(humidity),
                judged: "none".to_owned(),
                look: "plain",
                note: String::new(),
                form: Form::humidity(&probe.name),
            }),
        }
    }
    lines
}

fn switches(s: &Sight<'_>) -> Vec<Line> {
    let switches = s.cfg.rooms.iter().flat_map(|room| room.switches.iter().map(move |switch| (room, switch)));
    let word = |alarm: bool| if alarm { "alarm" } else { "normal" };
    let line = |((room, switch), judged): ((&crate::config::RoomAlertConfig, &crate::config::SwitchConfig), &_)| {
        let judged: &crate::dashboard::status::SwitchStatus = judged;
        let raw = match s.read.and_then(|read| read.rooms.get(&room.name)) {
            None => NOT_READ.to_owned(),
            Some(Err(cause)) => fault(cause),
            Some(Ok(room)) => match room.switches.get(&switch.name) {
                None => "not in the unit's answer".to_owned(),
                Some(Ok(alarm)) => word(*alarm).to_owned(),
                Some(Err(cause)) => fault(cause),
            },
        };
        Line {
            name: switch.name.clone(),
            kind: if switch.stops_mine { "stops the mine" } else { "" },
            raw,
            judged: judged.text.clone(),
            look: if judged.alarm == Some(false) { "good" } else { "bad" },
            note: String::new(),
            form: Form::switch(&switch.name),
        }
    };
    switches.zip(&s.status.climate.switches).map(line).collect()
}

fn fan_watts(s: &Sight<'_>) -> Vec<Line> {
    let line = |fan: &crate::dashboard::status::FanStatus| {
        let raw = match s.read.map(|read| &read.fan_watts) {
            None => NOT_READ.to_owned(),
            Some(Err(cause)) => fault(cause),
            Some(Ok(reading)) => match reading.fans.get(&fan.fan) {
                None => "not in the device's answer".to_owned(),
                Some(Err(cause)) => fault(cause),
                Some(Ok(measured)) => format!("{}, {} old by the device", measured.value, measured.age),
            },
        };
        let (judged, look, note) = value(&fan.power);
        Line {
            name: format!("fan {}", fan.fan),
            kind: "watts",
            raw,
            judged,
            look,
            note,
            form: Form::fan_watts(fan.fan),
        }
    };
    s.status.fans.iter().map(line).collect()
}

fn pdus(s: &Sight<'_>) -> Vec<Line> {
    let line = |(cfg, judged): (&crate::config::PduConfig, &crate::dashboard::status::PduStatus)| {
        let raw = match s.read.and_then(|read| read.pdus.get(&cfg.name)) {
            None => NOT_READ.to_owned(),
            Some(Err(cause)) => fault(cause),
            Some(Ok(reading)) => match &reading.total {
                Err(cause) => fault(cause),
                Ok(total) => format!("{}, {} old by the device", total.value, total.age),
            },
        };
        let (text, look, note) = value(&judged.power);
        let form = Form::miner_watts(&cfg.name);
        Line { name: cfg.name.clone(), kind: "watts", raw, judged: text, look, note, form }
    };
    s.cfg.pdus.iter().zip(&s.status.pdus).map(line).collect()
}

fn miners(s: &Sight<'_>) -> Line {
    let miners = &s.status.miners;
    let raw = match s.read.map(|read| &read.foreman) {
        None => NOT_READ.to_owned(),
        Some(Err(cause)) => format!("Foreman: {}", fault(cause)),
        Some(Ok(foreman)) => {
            let number = |n: Option<u32>| n.map_or("?".to_owned(), |n| n.to_string());
            format!("Foreman: {} of {} online", number(foreman.online), number(foreman.total))
        }
    };
    let (power, look, note) = value(&miners.power);
    let since = miners.since.as_ref().map_or(String::new(), |at| format!(" for {}", at.age));
    let judged = format!("{}{since}, {power}", miners.phase);
    Line { name: "miners".to_owned(), kind: "", raw, judged, look, note, form: Form::miners() }
}

fn fans(s: &Sight<'_>) -> Vec<Line> {
    let word = |on: bool| if on { "on" } else { "off" };
    let line = |fan: &crate::dashboard::status::FanStatus| {
        let board = s.cfg.fans.get(&fan.fan).map(|cfg| cfg.board.as_str()).unwrap_or_default();
        let raw = match s.read.and_then(|read| read.boards.get(board)) {
            None => NOT_READ.to_owned(),
            Some(Err(cause)) => fault(cause),
            Some(Ok(board)) => match board.fans.get(&fan.fan) {
                None => "not in the board's answer".to_owned(),
                Some(Err(cause)) => fault(cause),
                Some(Ok(on)) => format!("relay {}", word(*on)),
            },
        };
        let wanted = fan.wanted.map_or("not decided", word);
        Line {
            name: format!("fan {}", fan.fan),
            kind: "",
            raw,
            judged: fan.fault.unwrap_or(fan.state).to_owned(),
            look: match (fan.fault, fan.proven) {
                (Some(_), _) => "bad",
                (None, Some(_)) => "good",
                (None, None) => "held",
            },
            note: format!("wanted {wanted}"),
            form: Form::fan(fan.fan),
        }
    };
    s.status.fans.iter().map(line).collect()
}

fn states_of(s: &Sight<'_>) -> Vec<Line> {
    let climate = &s.seen.state.climate;
    let stages = s.cfg.fan_rules.stages.len();
    let stage = climate.stage.saturating_add(1).min(stages);
    let made = [
        ("signal", s.status.signal.level.to_owned(), format!("for {}", s.status.signal.since.age)),
        (
            "climate",
            if climate.shedding { "shedding" } else { "normal" }.to_owned(),
            format!("band {}", s.status.climate.band),
        ),
        ("miners", s.status.miners.phase.to_owned(), String::new()),
        ("fan-stage", stage.to_string(), format!("of {stages}")),
    ];
    let line = |(machine, judged, note): (&str, String, String)| Line {
        name: machine.to_owned(),
        kind: "state",
        raw: String::new(),
        judged,
        look: "plain",
        note,
        form: Form::state(s.cfg, machine),
    };
    made.into_iter().map(line).collect()
}
