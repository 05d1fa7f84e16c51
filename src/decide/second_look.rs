//! The second look at the utility's page: which reading would begin a change, and what counts when the page was read
//! twice. A second reading can hold miners off; it can never keep them on against the first.

use super::signal::{Says, says};
use crate::config::Config;
use crate::model::{Fault, Level, Reading, SignalReading, SiteState};

/// Whether a reading would begin to change what the signal says, so that the page is to be read once more first.
pub fn needs_second_look(cfg: &Config, state: &SiteState, reading: &Reading<SignalReading>) -> bool {
    let Ok(reading) = reading else { return false };
    let signal = &state.signal;
    let standing = if signal.by_hand { signal.page.unwrap_or(Level::Blind) } else { signal.level };
    match (says(&cfg.signal.meaning, &reading.value), standing) {
        (Says::Curtail, Level::Run | Level::Blind) | (Says::Between, Level::Blind) => true,
        // The first of those in a row; the others are confirmed by it.
        (Says::Run, Level::Curtail | Level::Blind) => signal.run_readings == 0,
        (Says::Curtail, Level::Curtail) | (Says::Run, Level::Run) | (Says::Between, Level::Run | Level::Curtail) => {
            false
        }
    }
}

/// The one reading that two looks at the page come to:
///
/// | first says | second says | counts |
/// | --- | --- | --- |
/// | the same | the same | the second |
/// | one | another | the one nearer to curtail |
/// | curtail, between | not read | the first |
/// | run | not read | none: nothing confirms it |
pub fn settled(cfg: &Config, first: Reading<SignalReading>, second: Reading<SignalReading>) -> Reading<SignalReading> {
    let said = |reading: &SignalReading| says(&cfg.signal.meaning, &reading.value);
    match (first, second) {
        (Ok(first), Ok(second)) => Ok(if caution(said(&first)) > caution(said(&second)) { first } else { second }),
        (Ok(first), Err(_)) if said(&first) != Says::Run => Ok(first),
        (Ok(first), Err(fault)) => {
            let detail = format!("the page says `{}`, but read again at once: {}", first.text, fault.detail);
            Err(Fault { detail, ..fault })
        }
        (Err(fault), _) => Err(fault),
    }
}

/// How far a word is towards curtail.
fn caution(says: Says) -> u8 {
    match says {
        Says::Run => 0,
        Says::Between => 1,
        Says::Curtail => 2,
    }
}
