//! The second look at the signal's page, when what it says would change something: in the same pass, before anything is
//! decided. What counts of the two is for `decide` to say.

use std::time::Duration;

use crate::clock::Clock;
use crate::config::Config;
use crate::decide;
use crate::drivers::{self, page::SignalPage, page::hash};
use crate::model::{Reading, SignalReading, SiteState, Snapshot};
use crate::units::Seconds;

/// Between the two looks: enough for a page that is being written, or a server that is taken out of service.
const PAUSE: Seconds = Seconds(2);

/// What came of reading the page.
pub(super) struct Pages {
    /// The page of the reading that counts, if one came.
    pub(super) counted: Option<SignalPage>,
    /// The page of the other look, where that says something else, and whether it can be read.
    pub(super) other: Option<(SignalPage, bool)>,
}

/// Reads the page once more where its reading would begin a change, and puts the one that counts into the snapshot.
/// `limit` is real time for the second look.
pub(super) fn look_again(
    cfg: &Config,
    clock: &Clock,
    state: &SiteState,
    snapshot: &mut Snapshot,
    page: Option<SignalPage>,
    limit: Duration,
) -> Pages {
    if !decide::needs_second_look(cfg, state, &snapshot.signal) {
        return Pages { counted: page, other: None };
    }
    clock.pause(PAUSE.duration());
    let (second, second_page) = drivers::read_signal(cfg, clock, limit);
    let first = snapshot.signal.clone();
    let counts = decide::settled(cfg, first.clone(), second.clone());
    log::debug!("signal: read twice, {} and {}: {} counts", said(&first), said(&second), said(&counts));
    if said(&first) != said(&second) {
        log::warn!("signal: two looks at the page differ: {}, then {}", said(&first), said(&second));
    }
    let is_first = matches!((&counts, &page), (Ok(reading), Some(page)) if reading.hash == hash(&page.bytes));
    let differs = said(&first) != said(&second);
    snapshot.signal = counts;
    let (counted, other, is_read) =
        if is_first { (page, second_page, second.is_ok()) } else { (second_page, page, first.is_ok()) };
    Pages { counted, other: other.filter(|_| differs).map(|page| (page, is_read)) }
}

fn said(reading: &Reading<SignalReading>) -> String {
    match reading {
        Ok(reading) => format!("`{}`", reading.text),
        Err(fault) => fault.to_string(),
    }
}
