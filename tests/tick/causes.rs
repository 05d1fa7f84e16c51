//! What the owner must read for each fault: which cases there are, and words of the cause.

use regex::Regex;
use serde_json::Value;

use crate::matrix::{Case, Scene};
use crate::mine::Mine;

/// What one run can tell of a fault.
pub enum Cause {
    /// One of these words must stand in the line.
    Told(&'static [&'static str]),
    /// It shows only over several runs: see `behaviour.rs`.
    NotInOneRun,
}

/// Devices that messages go through.
const MESSENGERS: [&str; 6] = ["telegram", "twilio", "dead-man", "smtp", "smtps", "sms-http"];
/// Devices whose faults are tried during a curtailment too.
const CURTAILED: [&str; 7] = ["signal", "foreman", "relays-a", "relays-b", "spdu-a", "iotawatt", "room-alert"];

/// The section of the service that keeps the values, which the sample leaves out.
pub const INFLUX: &str =
    "\n[influx]\nurl = \"http://127.0.0.1:18027/write?db=mine\"\ntoken = \"site-influx-token\"\ntimeout = \"2 s\"\n";

/// Every fault on every device. The six PDUs are alike: the first takes all faults. A device that matters amid a call has its
/// faults in turn while the mine runs and amid a call. With `MATRIX=whole` in the environment each of them has both, and the
/// other PDUs take some each.
pub fn all_cases(faults: &Value) -> Vec<Case> {
    let is_whole = std::env::var("MATRIX").is_ok_and(|value| value == "whole");
    let mut cases = Vec::new();
    for (device, kinds) in faults.as_object().unwrap() {
        for (place, kind) in kinds.as_array().unwrap().iter().enumerate() {
            let case = |scene| Case { device: device.clone(), kind: kind.as_str().unwrap().to_owned(), scene };
            let means_nothing =
                matches!((device.as_str(), kind.as_str().unwrap()), ("dead-man", "absurd") | ("smtps", "no-starttls"));
            let other_pdu =
                device.strip_prefix("spdu-").and_then(|letter| letter.bytes().next()).filter(|b| *b != b'a');
            let skipped = other_pdu.is_some_and(|letter| !is_whole || place % 5 != usize::from(letter - b'b'));
            if means_nothing || skipped {
                continue;
            }
            let is_curtailed = CURTAILED.contains(&device.as_str());
            if is_whole || !is_curtailed || place % 2 == 0 {
                cases.push(case(if MESSENGERS.contains(&device.as_str()) { Scene::Smoke } else { Scene::Mining }));
            }
            if is_curtailed && (is_whole || place % 2 == 1) {
                cases.push(case(Scene::Curtail));
            }
        }
    }
    cases
}

/// The configuration for cases of this device: those that the sample leaves out take another's place.
pub fn adapted(device: &str, text: String) -> String {
    match device {
        "emoncms" => {
            let text = without(text, "[iotawatt]");
            let start = text.find("\n# [emoncms]").unwrap() + 1;
            let end = start + text[start..].find("\n\n").unwrap();
            let lines = text[start..end].lines().map(|line| line.strip_prefix("# ").unwrap());
            let block: Vec<&str> = lines.collect();
            format!("{}{}{}", &text[..start], block.join("\n"), &text[end..])
        }
        "smtps" => text
            .replace("port = 18024\n", "port = 18025\n")
            .replace("security = \"none\"", "security = \"tls\"\nca_file = \"ca.pem\""),
        "smtp" => text.replace("security = \"none\"", "security = \"starttls\"\nca_file = \"ca.pem\""),
        "sms-http" => {
            let text = without(text, "[sms]");
            text + "\n[sms]\nurl = \"http://127.0.0.1:18026/send\"\nmethod = \"POST\"\nheaders = [\"Content-Type: application/json\", \"X-Api-Key: {key}\"]\nkey = \"site-sms-key\"\nbody = '{\"to\": \"{to}\", \"text\": \"{text}\"}'\nsuccess = '\"status\":\\s*\"accepted\"'\nto = [\"+15155550111\"]\ntimeout = \"2 s\"\n"
        }
        "influx" => text + INFLUX,
        _ => text,
    }
}

/// The text without this section, up to the next blank line.
fn without(text: String, header: &str) -> String {
    let start = text.find(&format!("\n{header}\n")).unwrap() + 1;
    let end = start + text[start..].find("\n\n").unwrap();
    format!("{}{}", &text[..start], &text[end..])
}

/// The name that the program uses for a device of the site.
pub fn name(device: &str) -> &str {
    match device {
        "twilio" | "sms-http" => "sms",
        "smtp" | "smtps" => "email",
        device => device,
    }
}

/// Whether the page of the same run can show it: the last ping and the values leave after the page is
/// drawn.
pub fn is_on_page(device: &str) -> bool {
    device != "dead-man" && device != "influx"
}

/// What one run must say. Where nothing stands here although the device is faulty, the reason is given.
pub fn cause(device: &str, kind: &str) -> Cause {
    Cause::Told(match (device, kind) {
        // A service that answers 2xx took the ping as far as anyone can tell; that none arrives is what the service itself
        // tells people.
        ("dead-man", "empty" | "garbage" | "error-text-200" | "absurd") => return Cause::NotInOneRun,
        // It is about single lines; see `influx.rs`.
        ("influx", "some-lines") => return Cause::NotInOneRun,
        ("influx", "404") => &["database not found"],
        ("influx", "partial") => &["partial write"],
        ("dead-man" | "influx", "html-login") => &["a login to the network"],
        ("sms-http", "empty" | "garbage" | "html-login" | "error-text-200" | "absurd") => {
            &["the answer does not match"]
        }
        // Estimates that no rule uses.
        ("foreman", "absurd") => return Cause::NotInOneRun,
        ("telegram" | "twilio", "empty" | "html-login" | "garbage" | "error-text-200" | "redirect") => {
            &["answer is not"]
        }
        ("telegram" | "twilio", "absurd") => &["unreadable"],
        ("dead-man", "401") => &["401"],
        ("signal", "garbage") => &["wrong device"],
        // Redirects of the page are followed; the other device has no such page.
        ("signal", "redirect") => &["404"],
        ("relays-a" | "relays-b", "absurd") => &["unreadable"],
        ("telegram" | "twilio" | "sms-http" | "foreman", "429") => &["429"],
        (_, "403") => &["403"],
        (_, "400") => &["400"],
        (_, "550") => &["550"],
        (_, "451") => &["451"],
        (_, "auth-refused") => &["535"],
        (_, "no-starttls") => &["STARTTLS"],
        (_, "refuse") => &["unreachable"],
        (_, "hang" | "slow-drip") => &["timed out"],
        (_, "reset") => &["connection broken"],
        (_, "500") => &["500"],
        (_, "401") => &["access refused"],
        (_, "html-login") => &["access refused"],
        (_, "half-body") => &["cut off", "connection broken"],
        (_, "garbage") => &["unreadable"],
        (_, "absurd") => &["out of range"],
        (_, "empty") => &["empty"],
        (_, "oversize") => &["longer than"],
        (_, "redirect") => &["302"],
        (_, "error-text-200") => &["unreadable", "device error", "wrong device"],
        (_, "unplugged" | "renamed" | "no-data" | "feed-gone") => &["missing"],
        // No serial number is configured for the second board.
        ("relays-b", "other-unit") => return Cause::NotInOneRun,
        (_, "other-unit") => &["wrong device"],
        (_, "scales-apart") => &["do not agree"],
        (_, "login") => &["access refused"],
        (_, "web-page") => &["unreadable"],
        (_, "future") => &["ahead of the server"],
        (_, "detail-200") => &["Foreman says"],
        _ => return Cause::NotInOneRun,
    })
}

/// A line of the log, the same in each run of the test: without time, level and ports.
pub fn tidy(mine: &Mine, line: &str) -> String {
    let line = line.split_once("] ").map_or(line, |(_, rest)| rest);
    let mut line = line.to_owned();
    for offset in 0..40 {
        line = line.replace(&format!("127.0.0.1:{}", mine.port(offset)), &format!("127.0.0.1:{}", 18_000 + offset));
    }
    // What differs from run to run: times, and the noise of `garbage`.
    let line = Regex::new(r", \d+ ms$").unwrap().replace(&line, "").into_owned();
    Regex::new(r"`[^`]*[^\x00-\x7f][^`]*`").unwrap().replace(&line, "`(noise)`").into_owned()
}
