//! Devices and their faults, what people set, what happened.

use serde::Serialize;

use super::Point;

/// A device or service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceStatus {
    /// Its name.
    pub name: String,
    /// It answered; null when it was not asked yet.
    pub ok: Option<bool>,
    /// Since when it is so.
    pub since: Option<Point>,
    /// Runs in a row that failed.
    pub failures: u32,
    /// Its fault.
    pub fault: Option<String>,
    /// Milliseconds to answer or fail in this run.
    pub took_ms: Option<u64>,
}

/// An override.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverrideStatus {
    /// What it sets, as typed after `minectl set`.
    pub target: String,
    /// What it sets it to.
    pub setting: String,
    /// When it was set.
    pub since: Point,
    /// Seconds left.
    pub left_s: u64,
    /// The same for people.
    pub left: String,
    /// When it ends.
    pub until: Point,
    /// Who set it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventStatus {
    /// When.
    pub at: Point,
    /// What kind.
    pub kind: &'static str,
    /// What it is about.
    pub subject: String,
    /// What happened.
    pub text: String,
}
