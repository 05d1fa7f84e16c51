//! One thing that was looked at: what was found, and what to do. No wording of its own.

use serde::Serialize;

use crate::model::{Fault, FaultKind};
use crate::units::Seconds;

/// How it stands, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is well.
    Ok,
    /// To be minded; nothing is lost yet.
    Warn,
    /// A fault.
    Fail,
}

impl Verdict {
    /// The word in the table.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        }
    }
}

/// What a check is about, in the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// This computer: files, clock, cron.
    Machine,
    /// A device, or a point of it.
    Device,
    /// What the readings mean together: fans, outlets, standing alarms.
    Mine,
    /// A way to reach people.
    Channel,
}

impl Group {
    /// The heading in the table.
    pub fn word(self) -> &'static str {
        match self {
            Group::Machine => "machine",
            Group::Device => "devices",
            Group::Mine => "mine",
            Group::Channel => "channels",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What it is about.
    pub group: Group,
    /// Its name: a device with its point after a blank, as in alarms.
    pub name: String,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found: the value, or the fault with its cause.
    pub says: String,
    /// How old the value is, where that is known.
    pub age_s: Option<u64>,
    /// How long the device took to answer or fail, in milliseconds.
    pub took_ms: Option<u64>,
    /// The class of the fault, where a device has one.
    pub fault: Option<FaultKind>,
    /// What to do, in one sentence; `None` when all is well.
    pub way_out: Option<String>,
}

impl Check {
    fn new(group: Group, name: impl Into<String>, verdict: Verdict, says: impl Into<String>) -> Check {
        let (name, says) = (name.into(), says.into());
        Check { group, name, verdict, says, age_s: None, took_ms: None, fault: None, way_out: None }
    }

    /// All is well.
    pub(super) fn ok(group: Group, name: impl Into<String>, says: impl Into<String>) -> Check {
        Check::new(group, name, Verdict::Ok, says)
    }

    /// To be minded, and what to do.
    pub(super) fn warn(
        group: Group,
        name: impl Into<String>,
        says: impl Into<String>,
        way_out: impl Into<String>,
    ) -> Check {
        Check { way_out: Some(way_out.into()), ..Check::new(group, name, Verdict::Warn, says) }
    }

    /// A fault, and what to do.
    pub(super) fn fail(
        group: Group,
        name: impl Into<String>,
        says: impl Into<String>,
        way_out: impl Into<String>,
    ) -> Check {
        Check { way_out: Some(way_out.into()), ..Check::new(group, name, Verdict::Fail, says) }
    }

    /// The fault of a device or service, and what to do.
    pub(super) fn fault(group: Group, name: impl Into<String>, fault: &Fault, way_out: impl Into<String>) -> Check {
        let way_out = way_out.into();
        let says = format!("{}: {}", fault.kind.word(), fault.detail);
        // Where the fault's own words are the way out, they are said once.
        let says = says.strip_suffix(&way_out).map_or(says.as_str(), |says| says.trim_end_matches("; "));
        Check { fault: Some(fault.kind), ..Check::fail(group, name, says, way_out) }
    }

    /// With the age of its value.
    pub(super) fn aged(self, age: Option<Seconds>) -> Check {
        Check { age_s: age.map(|age| age.0), ..self }
    }

    /// With the time it took.
    pub(super) fn took(self, ms: Option<u64>) -> Check {
        Check { took_ms: ms, ..self }
    }
}
