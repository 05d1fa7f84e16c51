//! Every reader of bytes that come from outside, each as one function of bytes, with what must be true of any reading:
//! the same bytes say the same, a value is one that can be, a fault's words are fit for the log. The fuzz targets and
//! `tests/parsers.rs` both call these. They judge no rule.

mod devices;
mod kinds;
mod messages;
mod pages;
mod records;
mod wire;

use std::fmt::Debug;

use minectl::http::Answer;
use minectl::model::{Fault, Reading};
use minectl::units::UnixSeconds;

#[path = "../../drivers/config.rs"]
pub mod config;

/// A moment near the times in the fixtures.
pub const NOW: UnixSeconds = UnixSeconds(1_795_400_000);

/// No fault needs more bytes; what it quotes is cut.
const DETAIL_BYTES_MAX: usize = 4096;

/// A reader: whether it read anything out of these bytes. It panics where a reading is not to be trusted.
pub type Check = fn(&[u8]) -> bool;

/// Every reader by the name of its fuzz target.
pub const ALL: [(&str, Check); 25] = [
    ("room_alert", devices::room_alert),
    ("relays", devices::relays),
    ("iotawatt", devices::iotawatt),
    ("emoncms", devices::emoncms),
    ("foreman", devices::foreman),
    ("pdu", devices::pdu),
    ("redfish", devices::redfish),
    ("digest", wire::digest),
    ("raw_reply", wire::raw_reply),
    ("signal_page", pages::signal_page),
    ("signal_stamp", pages::signal_stamp),
    ("telegram", messages::telegram),
    ("telegram_updates", messages::telegram_updates),
    ("sms", messages::sms),
    ("dead_man", messages::dead_man),
    ("config_text", records::config_text),
    ("state", records::state),
    ("record", records::record),
    ("history", records::history),
    ("calls", records::calls),
    ("influx", messages::influx),
    ("fleet", pages::fleet),
    ("recorded_run", records::recorded_run),
    ("import", records::import),
    ("browser", pages::browser),
];

/// The reader of this name.
pub fn check(name: &str) -> Check {
    ALL.into_iter().find(|(known, _)| *known == name).map(|(_, check)| check).unwrap()
}

/// What a reader says: the same when it is asked again.
fn steady<T: Debug>(read: impl Fn() -> T) -> T {
    let (first, again) = (read(), read());
    assert_eq!(format!("{first:?}"), format!("{again:?}"), "the same bytes say two things");
    first
}

/// Bytes as text, as the drivers see a body without a header.
fn text(bytes: &[u8]) -> String {
    Answer::new(200, Vec::new(), bytes.to_vec()).text()
}

/// Bytes as JSON, as the drivers see it.
fn json(bytes: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(bytes).ok()
}

/// A fault's words go into the log, the page and messages: one line, and not long.
fn is_quotable(fault: &Fault) {
    for words in [&fault.device, &fault.detail] {
        assert!(!words.chars().any(char::is_control), "control characters: {words:?}");
    }
    assert!(fault.detail.len() <= DETAIL_BYTES_MAX, "{} bytes: {:.200}", fault.detail.len(), fault.detail);
}

/// The same of a remark.
fn are_quotable(remarks: &[String]) {
    assert!(remarks.len() <= 100, "{} remarks", remarks.len());
    for words in remarks {
        assert!(!words.chars().any(char::is_control), "control characters: {words:?}");
        assert!(words.len() <= DETAIL_BYTES_MAX, "{} bytes: {words:.200}", words.len());
    }
}

/// A reading, when it was read; its fault must be quotable.
fn read<T>(reading: Reading<T>) -> Option<T> {
    reading.inspect_err(is_quotable).ok()
}

/// Whether a number within these bounds was read, which no text without a digit can say.
fn is_number(value: Option<f64>, range: std::ops::RangeInclusive<f64>, body: &str) -> bool {
    let Some(value) = value else { return false };
    assert!(value.is_finite() && range.contains(&value), "{value} is not possible");
    assert!(body.contains(|c: char| c.is_numeric()), "{value} out of a text without a digit");
    true
}
