//! Makes a [`Value`] of a reading: with unit, age, and the reason where there is none. The one place that says what
//! good, held and bad look like.

use super::status::{Quality, Value};
use super::words::{Words, clean};
use crate::model::Fault;
use crate::units::{Humidity, Seconds, Temperature, Terahashes, Watts};

/// A physical value as the page shows it.
pub(super) trait Shown: Copy {
    /// Its unit in `status.json`.
    const UNIT: &'static str;
    /// Its number in that unit.
    fn number(self) -> f64;
    /// Its text with the unit.
    fn text(self, words: &Words) -> String;
}

impl Shown for Watts {
    const UNIT: &'static str = "W";
    fn number(self) -> f64 {
        self.value()
    }
    fn text(self, _: &Words) -> String {
        self.to_string()
    }
}

impl Shown for Temperature {
    const UNIT: &'static str = "°C";
    fn number(self) -> f64 {
        (self.value() * 100.0).round() / 100.0
    }
    fn text(self, words: &Words) -> String {
        words.temperature(self)
    }
}

impl Shown for Humidity {
    const UNIT: &'static str = "%RH";
    fn number(self) -> f64 {
        self.value()
    }
    fn text(self, _: &Words) -> String {
        self.to_string()
    }
}

impl Shown for Terahashes {
    const UNIT: &'static str = "TH/s";
    fn number(self) -> f64 {
        self.value()
    }
    fn text(self, _: &Words) -> String {
        self.to_string()
    }
}

/// A number of miners.
#[derive(Debug, Clone, Copy)]
pub(super) struct Miners(pub(super) u32);

impl Shown for Miners {
    const UNIT: &'static str = "miners";
    fn number(self) -> f64 {
        f64::from(self.0)
    }
    fn text(self, _: &Words) -> String {
        self.0.to_string()
    }
}

/// A value of this run; one older than `max_age` counts as bad, as it does for the rules.
pub(super) fn good<T: Shown>(words: &Words, value: T, age: Seconds, max_age: Seconds) -> Value {
    if age > max_age {
        return bad::<T>(format!("last reading is {age} old, allowed are {max_age}"));
    }
    Value {
        value: Some(value.number()),
        unit: T::UNIT,
        age_s: Some(age.0),
        quality: Quality::Good,
        problem: None,
        text: value.text(words),
        note: format!("{age} ago"),
    }
}

/// The last good value in place of a reading that failed; beyond `max_age` only its reason is left.
pub(super) fn held<T: Shown>(words: &Words, value: T, age: Seconds, max_age: Seconds, problem: &str) -> Value {
    if age > max_age {
        return bad::<T>(format!("{problem}; last was {}, {age} ago", value.text(words)));
    }
    Value {
        quality: Quality::Held,
        note: format!("held from {age} ago: {problem}"),
        problem: Some(problem.to_owned()),
        ..good(words, value, age, max_age)
    }
}

/// A value that a person put in place of the reading.
pub(super) fn set_by_hand<T: Shown>(words: &Words, value: T, age: Seconds) -> Value {
    Value {
        quality: Quality::SetByHand,
        note: format!("set by hand {age} ago"),
        problem: Some("not the reading: set by hand".to_owned()),
        ..good(words, value, age, age)
    }
}

/// No trustworthy value, and why.
pub(super) fn bad<T: Shown>(problem: impl Into<String>) -> Value {
    let problem = clean(&problem.into());
    Value {
        value: None,
        unit: T::UNIT,
        age_s: None,
        quality: Quality::Bad,
        text: "no reading".to_owned(),
        note: problem.clone(),
        problem: Some(problem),
    }
}

/// A fault as the reason for a missing value; the device's name stands beside it anyway.
pub(super) fn because(fault: &Fault) -> String {
    clean(&format!("{}: {}", fault.kind.word(), fault.detail))
}
