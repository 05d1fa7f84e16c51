//! What a person should care about, and why the site is as it is.

use serde::Serialize;

use super::Point;

/// How much the owner has to care, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing to do.
    Ok,
    /// Something unusual that the program is dealing with.
    Info,
    /// Something is wrong and coped with: look at it when possible.
    Warning,
    /// A person must act now.
    Emergency,
}

impl Level {
    /// The word used on the page.
    pub fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Emergency => "emergency",
        }
    }
}

/// Whether to worry, and about what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worry {
    /// How much.
    pub level: Level,
    /// In one sentence.
    pub text: String,
    /// What it is about, worst first.
    pub causes: Vec<Cause>,
}

/// Something to worry about, or to know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// How much.
    pub level: Level,
    /// What it is.
    pub text: String,
}

/// A reason with what it is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// `signal`, `miners`, `fans`.
    pub subject: String,
    /// The sentence.
    pub text: String,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlarmStatus {
    /// Its id, for `minectl ack`.
    pub id: String,
    /// How bad it is.
    pub severity: &'static str,
    /// What is wrong.
    pub text: String,
    /// Since when.
    pub since: Point,
    /// How often people were told.
    pub times_told: u32,
    /// When they were last told.
    pub told: Point,
    /// Who acknowledged it.
    pub acknowledged_by: Option<String>,
    /// Whether it comes and goes too often to be told each time.
    pub flapping: bool,
}
