//! What can be wrong with a device or a service, as data: it is stored and shown, and the run goes on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The class of a fault: what an operator does about it differs by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Nothing listens there, no route, or the name is unknown.
    Unreachable,
    /// No answer, or not the whole answer, within the limit.
    TimedOut,
    /// The connection broke off.
    Broken,
    /// The device wants other credentials (401, 403, a login page).
    Refused,
    /// A status that says the device or service itself failed.
    Status,
    /// An answer that is not what this device sends: HTML for JSON, half a body, too long, garbage.
    Unreadable,
    /// Another device answered: serial number, label or layout differ.
    WrongDevice,
    /// The configured point is not in the answer, or nothing is plugged in there.
    Missing,
    /// A number that cannot be.
    OutOfRange,
    /// A reading that is too old, or a device that keeps sending the same moment.
    Stale,
    /// The device took a command and did something else.
    NotObeyed,
}

impl FaultKind {
    /// The word used in messages, log and page.
    pub fn word(self) -> &'static str {
        match self {
            FaultKind::Unreachable => "unreachable",
            FaultKind::TimedOut => "timed out",
            FaultKind::Broken => "connection broken",
            FaultKind::Refused => "access refused",
            FaultKind::Status => "device error",
            FaultKind::Unreadable => "unreadable",
            FaultKind::WrongDevice => "wrong device",
            FaultKind::Missing => "missing",
            FaultKind::OutOfRange => "out of range",
            FaultKind::Stale => "stale",
            FaultKind::NotObeyed => "not obeyed",
        }
    }
}

/// A fault of one device or service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The device's name in the configuration, with the point after a blank where one is meant: `relays-a fan 3`.
    pub device: String,
    /// Its class.
    pub kind: FaultKind,
    /// The cause in words, with what was seen; no secrets.
    pub detail: String,
}

impl Fault {
    /// A fault of a device.
    pub fn new(device: impl Into<String>, kind: FaultKind, detail: impl Into<String>) -> Fault {
        Fault { device: device.into(), kind, detail: detail.into() }
    }
}

impl fmt::Display for Fault {
    /// `room-alert: timed out: no answer within 5 s (http://10.0.0.7/getData.json)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.device, self.kind.word(), self.detail)
    }
}

impl std::error::Error for Fault {}
