//! Names of the faults and which device knows which. What a behaviour fault does is in the device's own file; what a
//! wire fault does is in `server.rs` (HTTP) and `smtp.rs`.

use crate::devices::Device;

/// Faults that every HTTP device has.
pub(crate) const WIRE: [&str; 15] = [
    "refuse",
    "hang",
    "slow-drip",
    "reset",
    "500",
    "401",
    "html-login",
    "half-body",
    "garbage",
    "absurd",
    "frozen",
    "empty",
    "oversize",
    "redirect",
    "error-text-200",
];

/// Faults of the mail servers.
const MAIL: [&str; 8] = ["refuse", "hang", "slow-drip", "reset", "550", "451", "auth-refused", "no-starttls"];

/// Faults of the service that keeps the values. What it says to a line that it took is empty: nothing can be cut off.
const INFLUX: [&str; 12] = [
    "refuse",
    "hang",
    "slow-drip",
    "reset",
    "500",
    "401",
    "html-login",
    "redirect",
    "404",
    "400",
    "partial",
    "some-lines",
];

/// What is unreachable when the site's uplink is down.
pub(crate) const INTERNET: [Device; 7] =
    [Device::Signal, Device::Foreman, Device::Telegram, Device::Twilio, Device::DeadMan, Device::Smtp, Device::Smtps];

/// A fault as it is set.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: &'static str,
    /// The relays or outlets it is about, from 1; empty for all.
    pub(crate) numbers: Vec<usize>,
}

impl Fault {
    /// Whether it is about this relay or outlet (from 1).
    pub(crate) fn concerns(&self, number: usize) -> bool {
        self.numbers.is_empty() || self.numbers.contains(&number)
    }
}

/// All fault names of a device, wire faults first.
pub(crate) fn known(device: Device) -> Vec<&'static str> {
    let wire: &[&'static str] = match device {
        Device::Control => &[],
        Device::Smtp | Device::Smtps => &MAIL,
        Device::Influx => &INFLUX,
        Device::Signal
        | Device::RoomAlert
        | Device::Iotawatt
        | Device::Emoncms
        | Device::RelaysA
        | Device::RelaysB
        | Device::Spdu(_)
        | Device::Foreman
        | Device::Telegram
        | Device::Twilio
        | Device::DeadMan
        | Device::SmsHttp => &WIRE,
    };
    wire.iter().chain(behaviours(device)).copied().collect()
}

fn behaviours(device: Device) -> &'static [&'static str] {
    match device {
        Device::RoomAlert => &["unplugged", "other-unit", "scales-apart"],
        Device::Iotawatt => &["stalled-null", "no-voltage", "renamed", "dst-hour", "broken-json", "login"],
        Device::Emoncms => &["dead-source", "notices", "web-page", "future", "no-data", "feed-gone"],
        Device::RelaysA | Device::RelaysB => &["lies", "ignores", "rebooted", "welded", "other-unit", "late-echo"],
        Device::Spdu(_) => &["welded", "ignores", "rejects", "ignores-outlets", "ignores-bank", "no-bank"],
        Device::Foreman => &[
            "ignores-sleep",
            "commands-fail",
            "429",
            "short-pages",
            "list-disagrees",
            "odd-words",
            "detail-200",
            "some-fail",
        ],
        Device::Telegram => &["429", "403"],
        Device::Twilio => &["429", "400"],
        Device::SmsHttp => &["429", "400"],
        Device::Signal | Device::DeadMan | Device::Smtp | Device::Smtps | Device::Influx | Device::Control => &[],
    }
}
