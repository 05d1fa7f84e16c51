//! The fault matrix by looking only: in each round every device has its next fault, all at the same time. Each must be
//! named on the line of its device, with its cause and a way out; who has no fault in a round must be well. What a look
//! cannot see is listed with the reason, and must not be seen: else it has to leave the list.

use std::time::Duration;

use serde_json::Value;

use crate::causes::{self, Cause};
use crate::mine::Mine;
use crate::report::{Report, look, short, text};

/// What goes on meanwhile; for `causes`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scene {
    Mining,
    Curtail,
    Smoke,
}

/// A fault in a scene; for `causes`.
#[derive(Clone, Debug)]
pub struct Case {
    pub device: String,
    pub kind: String,
    pub scene: Scene,
}

/// The longest that a look may take while several devices hang: one wait of each reading, and room for a slow machine.
const LOOK_MAX: Duration = Duration::from_secs(8);

/// What a look must say of a fault.
enum Seen {
    /// One of these words, on a line of the device that is not well.
    Told(&'static [&'static str]),
    /// Nothing, because the program copes with it: its values are right.
    Harmless,
    /// Nothing: no request that only reads shows it.
    Hidden,
}

const ONLY_A_COMMAND: Seen = Seen::Hidden;
const ONLY_A_MESSAGE: Seen = Seen::Hidden;
const ONLY_A_PING: Seen = Seen::Hidden;
const ONLY_A_LINE: Seen = Seen::Hidden;

fn seen(device: &str, kind: &str) -> Seen {
    let pdu = device.starts_with("spdu");
    let board = device.starts_with("relays");
    match (device, kind) {
        // How an output obeys shows when it is told something; `remembered.rs` has what is seen afterwards.
        _ if pdu && ["welded", "ignores", "rejects", "ignores-outlets", "ignores-bank", "no-bank"].contains(&kind) => {
            ONLY_A_COMMAND
        }
        _ if board && ["lies", "ignores", "late-echo", "welded", "rebooted"].contains(&kind) => ONLY_A_COMMAND,
        ("foreman", "ignores-sleep" | "commands-fail" | "some-fail") => ONLY_A_COMMAND,
        // Relays that nobody switches show the same for days: a board that repeats itself cannot be told from that.
        _ if board && kind == "frozen" => ONLY_A_COMMAND,
        // No serial number is configured for the second board.
        ("relays-b", "other-unit") => Seen::Hidden,
        // Foreman's answers hold no clock that a rule relies on, and its figures are estimates that no rule uses.
        ("foreman", "frozen") => Seen::Hidden,
        ("foreman", "absurd") => Seen::Told(&["summary"]),
        // A provider is described by what its answer to a message looks like; there is nothing else to ask it.
        ("sms-http", "refuse" | "hang" | "slow-drip" | "reset" | "500") => wire(kind),
        ("sms-http", _) => ONLY_A_MESSAGE,
        // Every request to the check itself counts as a run: only its host is asked.
        ("dead-man", "refuse" | "hang" | "slow-drip" | "reset" | "500") => wire(kind),
        ("dead-man", _) => ONLY_A_PING,
        // A line that is written stays: only its host is asked. `remembered.rs` has what the last run was told.
        ("influx", "refuse" | "hang" | "slow-drip" | "reset" | "500") => wire(kind),
        ("influx", _) => ONLY_A_LINE,
        // The room alert sends back to the page in this round.
        ("signal", "redirect") => Seen::Told(&["302"]),
        // Services that have no clock in what they say of themselves.
        ("telegram" | "twilio", "frozen") => Seen::Harmless,
        ("twilio", "400") => ONLY_A_MESSAGE,
        ("smtps", "no-starttls") => Seen::Harmless,
        (_, "frozen" | "stalled-null" | "no-voltage" | "dead-source") => Seen::Told(&["stale", "voltage"]),
        ("foreman", "list-disagrees") => Seen::Told(&["summary"]),
        ("foreman", "odd-words" | "short-pages") => Seen::Harmless,
        ("iotawatt", "dst-hour" | "broken-json") | ("emoncms", "notices") => Seen::Harmless,
        _ => match causes::cause(device, kind) {
            Cause::Told(words) => Seen::Told(words),
            Cause::NotInOneRun => panic!("{device} {kind}: what must a look say of it?"),
        },
    }
}

fn wire(kind: &str) -> Seen {
    Seen::Told(match kind {
        "refuse" => &["unreachable"],
        "hang" | "slow-drip" => &["timed out"],
        "reset" => &["connection broken"],
        _ => &["500"],
    })
}

/// A fault that was set in a round.
struct Set<'a> {
    device: &'a str,
    kind: &'a str,
}

#[test]
fn each_fault_that_shows_without_a_command_is_named_with_its_way_out_and_the_others_are_well() {
    // Most of the time is waiting: two sites share the rounds of the common devices, and two those of the others.
    let common = |share: usize| {
        let edit = |text| causes::adapted("smtp", short(text));
        let pdus: Vec<String> = ('a'..='f').map(|letter| format!("spdu-{letter}")).collect();
        let alone = ["signal", "room-alert", "iotawatt", "relays-a", "relays-b", "foreman"];
        let devices = [&alone[..], &["telegram", "twilio", "dead-man", "smtp"]].concat();
        rounds(edit, &devices, &pdus, 190.0, |round| round % 2 == share)
    };
    let rare = |share: usize| {
        let devices = ["emoncms", "sms-http", "smtps", "influx"];
        let edit = |text| devices.iter().fold(short(text), |text, device| causes::adapted(device, text));
        rounds(edit, &devices, &[], 90.0, |round| round % 2 == share)
    };
    std::thread::scope(|scope| {
        let sites =
            [scope.spawn(|| common(0)), scope.spawn(|| common(1)), scope.spawn(|| rare(0)), scope.spawn(|| rare(1))];
        let wrong: Vec<String> = sites.into_iter().flat_map(|site| site.join().unwrap()).collect();
        assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    });
}

/// Plays all faults of these devices, and those of the PDUs on one after the other; what was wrong. Devices that repeat themselves do so for `repeated_s` of site time: longer than every limit of age.
fn rounds(
    edit: impl Fn(String) -> String,
    devices: &[&str],
    pdus: &[String],
    repeated_s: f64,
    is_mine: impl Fn(usize) -> bool,
) -> Vec<String> {
    let mine = Mine::start(60.0, edit);
    // The rules judge by what a run remembers.
    mine.tick().silent();
    let faults = mine.get("/faults");
    let kinds = |device: &str| -> Vec<String> {
        faults[device].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap().to_owned()).collect()
    };
    let tables: Vec<(&str, Vec<String>)> = devices.iter().map(|device| (*device, kinds(device))).collect();
    let of_pdus = if pdus.is_empty() { Vec::new() } else { kinds("spdu-a") };
    let last = tables.iter().map(|(_, kinds)| kinds.len()).max().unwrap();
    let mut wrong = judge(&mine, &[], devices, pdus);
    for round in (0..last).filter(|round| is_mine(*round)) {
        let mut set: Vec<Set> = Vec::new();
        set.extend(tables.iter().filter_map(|(device, kinds)| Some(Set { device, kind: kinds.get(round)? })));
        let pdu = pdus.get(round % pdus.len().max(1));
        set.extend(pdu.zip(of_pdus.get(round)).map(|(device, kind)| Set { device, kind }));
        // A run meets only those that repeat themselves: what it would remember of the others is not what is looked for.
        let (repeating, others): (Vec<&Set>, Vec<&Set>) =
            set.iter().partition(|fault| matches!(fault.kind, "frozen" | "dead-source"));
        for fault in &repeating {
            mine.fault(fault.device, fault.kind);
        }
        if !repeating.is_empty() {
            mine.tick().silent();
            mine.wait_site(repeated_s);
        }
        for fault in &others {
            mine.fault(fault.device, fault.kind);
        }
        wrong.extend(judge(&mine, &set, devices, pdus));
        mine.heal();
    }
    wrong
}

fn judge(mine: &Mine, set: &[Set], devices: &[&str], pdus: &[String]) -> Vec<String> {
    let report = look(mine, &[]);
    let mut wrong = Vec::new();
    let round: Vec<String> = set.iter().map(|fault| format!("{} {}", fault.device, fault.kind)).collect();
    if report.ran.took > LOOK_MAX {
        wrong.push(format!("took {:.1} s with {}", report.ran.took.as_secs_f64(), round.join(", ")));
    }
    for fault in set {
        wrong.extend(objection(&report, fault));
    }
    let is_faulty = |device: &str| set.iter().any(|fault| fault.device == device);
    let well = devices.iter().copied().chain(pdus.iter().map(String::as_str)).filter(|device| !is_faulty(device));
    for device in well {
        wrong.extend(not_well(&report, causes::name(device)).map(|line| format!("{device} has no fault: {line}")));
    }
    wrong
}

/// What is wrong with what was said of a fault.
fn objection(report: &Report, fault: &Set) -> Option<String> {
    let Set { device, kind } = fault;
    let name = causes::name(device);
    match seen(device, kind) {
        Seen::Told(words) => {
            let lines = report.of(name);
            let told = lines.iter().find(|line| {
                text(line, "verdict") != "ok" && words.iter().any(|word| text(line, "says").contains(word))
            });
            match told {
                Some(line) if !text(line, "way_out").is_empty() => {
                    println!("{device:<11} {kind:<15} {}\n{:27} -> {}", text(line, "says"), "", text(line, "way_out"));
                    None
                }
                Some(line) => Some(format!("{device} {kind}: no way out: {line}")),
                None => Some(format!("{device} {kind}: none of {words:?} in {lines:?}")),
            }
        }
        Seen::Harmless | Seen::Hidden => {
            not_well(report, name).map(|line| format!("{device} {kind} is seen, take it off the list: {line}"))
        }
    }
}

/// The first line of a device that is not well, or that it has none.
fn not_well(report: &Report, name: &str) -> Option<Value> {
    let lines = report.of(name);
    if lines.is_empty() {
        return Some(Value::String("no line at all".to_owned()));
    }
    lines.into_iter().find(|line| text(line, "verdict") != "ok").cloned()
}
