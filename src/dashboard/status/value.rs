//! A measured value, and how far it can be trusted.

use serde::Serialize;

/// How far a value can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quality {
    /// Read in this run, in range, within its age limit.
    Good,
    /// Not read in this run: the last good one, still within its age limit.
    Held,
    /// Put in place of the reading by a person.
    SetByHand,
    /// No trustworthy value: `value` is null and `problem` says why.
    Bad,
}

impl Quality {
    /// The word used on the page.
    pub fn word(self) -> &'static str {
        match self {
            Quality::Good => "good",
            Quality::Held => "held",
            Quality::SetByHand => "set by hand",
            Quality::Bad => "bad",
        }
    }
}

/// One measured value with its unit, its age and how far it can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Value {
    /// The number in `unit`; null when it is not known.
    pub value: Option<f64>,
    /// `W`, `°C`, `%RH`, `TH/s`, `miners`.
    pub unit: &'static str,
    /// How old it is, in seconds; null when there is no value.
    pub age_s: Option<u64>,
    /// How far it can be trusted.
    pub quality: Quality,
    /// Why it is not good; null when it is.
    pub problem: Option<String>,
    /// The value for people, with its unit (temperatures in the configured one).
    pub text: String,
    /// Age and quality for people.
    pub note: String,
}
