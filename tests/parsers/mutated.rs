//! Random bytes, and seeds with bits turned, ends cut off, pieces doubled, moved and put in, numbers made absurd.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::checks::{ALL, check};
use crate::corpus::seeds;

/// What is put in: what parsers trip over.
const PIECES: [&str; 32] = [
    "",
    "\0",
    "\u{feff}",
    "\n",
    "\r\n",
    "\"",
    "\\",
    "\\ud800",
    "\\u0000",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[",
    "{\"a\":",
    ",",
    ":",
    "<",
    ">",
    "</",
    "<![CDATA[",
    "&#0;",
    "&lt;",
    "null",
    "true",
    "\u{202e}",
    "9999999999999999999999",
    "-1",
    "1e400",
    "-0",
    "0.1e-400",
    "nan",
];

/// In place of a number.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1e308",
    "-1e308",
    "1e999",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "4294967296",
    "0.000000000000001",
    "NaN",
    "\"7\"",
];

/// One injury: what kind, where, and how large.
type Injury = (u8, u16, u16);

fn injured(seed: &[u8], other: &[u8], injuries: &[Injury]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for (kind, at, size) in injuries.iter().copied() {
        let at = usize::from(at) % (bytes.len() + 1);
        let end = (at + usize::from(size) % 64).min(bytes.len());
        match kind % 8 {
            0 if at < bytes.len() => bytes[at] ^= 1 << (size % 8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..end)),
            // A key that comes twice, a row that is repeated.
            3 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            4 => {
                let from = usize::from(size) % (other.len() + 1);
                let piece = other[from..].iter().copied().take(200).collect::<Vec<u8>>();
                drop(bytes.splice(at..end, piece));
            }
            5 => drop(bytes.splice(at..at, PIECES[usize::from(size) % PIECES.len()].bytes())),
            6 => with_another_number(&mut bytes, at, NUMBERS[usize::from(size) % NUMBERS.len()]),
            _ => drop(bytes.splice(at..at, PIECES[usize::from(size) % PIECES.len()].repeat(150).bytes())),
        }
    }
    bytes
}

/// The first number from `at` on becomes another one.
fn with_another_number(bytes: &mut Vec<u8>, at: usize, number: &str) {
    let Some(start) = (at..bytes.len()).find(|place| bytes[*place].is_ascii_digit()) else { return };
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    bytes.splice(start..start + length, number.bytes());
}

/// Tries each of these targets so often with injured seeds.
fn hold(names: &[&str], cases: u32) {
    for name in names {
        let (check, seeds) = (check(name), seeds(name));
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let injuries = vec((any::<u8>(), any::<u16>(), any::<u16>()), 1..5);
        let input = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), injuries);
        let input = input.prop_map(|(seed, other, injuries)| {
            injured(&seeds[seed.index(seeds.len())], &seeds[other.index(seeds.len())], &injuries)
        });
        let broken = runner.run(&input, |bytes| {
            check(&bytes);
            Ok(())
        });
        broken.unwrap_or_else(|broken| panic!("{name}: {broken}"));
    }
}

#[test]
fn damaged_answers_of_devices_break_nothing_and_invent_nothing() {
    hold(&["room_alert", "relays", "iotawatt", "emoncms", "foreman", "pdu", "redfish"], 250);
}

#[test]
fn damaged_replies_logins_and_answers_of_services_break_nothing_and_invent_nothing() {
    hold(&["digest", "raw_reply", "telegram", "telegram_updates", "sms", "dead_man", "influx"], 300);
}

#[test]
fn damaged_pages_break_nothing_and_invent_nothing() {
    hold(&["signal_page"], 60);
    hold(&["signal_stamp", "fleet", "browser"], 400);
}

#[test]
fn damaged_records_break_nothing_and_invent_nothing() {
    hold(&["state", "record", "recorded_run"], 120);
    hold(&["import"], 15);
    hold(&["history", "calls"], 200);
}

#[test]
fn a_damaged_configuration_breaks_nothing() {
    hold(&["config_text"], 12);
}

proptest! {
    #![proptest_config(Config { cases: 60, failure_persistence: None, ..Config::default() })]

    #[test]
    fn random_bytes_break_nothing_and_invent_nothing(bytes in vec(any::<u8>(), 0..300)) {
        for (_, check) in ALL {
            check(&bytes);
        }
    }

    #[test]
    fn signs_of_json_in_disorder_break_nothing(text in r#"[{}\[\]",:0-9a-z\\ .e-]{0,120}"#) {
        for (name, check) in ALL.into_iter().filter(|(name, _)| *name != "config_text") {
            check(text.as_bytes());
            check(format!("{{\"{name}\":{text}}}").as_bytes());
        }
    }
}
