//! What the owner looks at: the page, `status.json` and `metrics.prom`, drawn from what a run knows. It decides
//! nothing, reads no device and no clock, and sends nothing.
//!
//! `status` is the one view of the site; page, metrics and terminal all show that, so they cannot disagree.

mod brief;
mod build;
mod call_rows;
mod calls;
mod canvas;
pub mod chart;
mod container;
mod drills;
mod headline;
mod inputs;
mod metrics;
mod miners;
mod month;
mod page;
mod picture;
mod plans;
pub mod status;
mod trends;
mod values;
mod vitals;
mod words;
mod write;

use std::path::Path;

pub use brief::{brief, why};
pub use calls::{CallCard, cards as call_cards};
pub use month::control_days;
pub use picture::picture;
pub use status::Status;
pub use words::clean;

use crate::config::Config;
use crate::model::{CallRecord, Event, History, Override, Reason, SiteState, Snapshot};
use crate::units::{Moment, UnixSeconds};

/// Everything that a drawing is made of.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The configuration.
    pub cfg: &'a Config,
    /// What is remembered.
    pub state: &'a SiteState,
    /// What was read in this run; `None` when nothing was (a status from memory).
    pub snapshot: Option<&'a Snapshot>,
    /// Why the last decision was as it was.
    pub reasons: &'a [Reason],
    /// Overrides; those that ran out are not shown.
    pub overrides: &'a [Override],
    /// Events, newest first.
    pub events: &'a [Event],
    /// The last lines of the log, oldest first.
    pub log_tail: &'a [String],
    /// What was measured before.
    pub trends: &'a Trends,
    /// Calls that are over, oldest first: all of this month, and at least those to be shown.
    pub calls: &'a [CallRecord],
    /// The call that is going on.
    pub call: Option<&'a CallRecord>,
    /// The present moment.
    pub now: Moment,
    /// When the next run is due.
    pub next_due: UnixSeconds,
    /// The times come from a test clock.
    pub test_clock: bool,
    /// Troubles of the program itself in this run, e.g. a store that had to be repaired.
    pub lost: &'a [String],
}

/// The history of the three spans that the page shows. Longer ones may be thinned out, as long as the least and the
/// greatest value of each stretch stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trends {
    /// The last 24 hours.
    pub day: History,
    /// The last 7 days.
    pub week: History,
    /// The last 30 days.
    pub month: History,
}

/// The page as text. `Err` is a sentence: a template that does not fit its data, which is a mistake of ours.
pub fn page(input: &Input) -> Result<String, String> {
    page::render(input, &Status::new(input))
}

/// `status.json` as text, with a final newline.
pub fn json(status: &Status) -> Result<String, String> {
    let text = serde_json::to_string_pretty(status).map_err(|e| format!("status.json: cannot be written: {e}"))?;
    Ok(text + "\n")
}

/// `metrics.prom` as text.
pub fn metrics(status: &Status) -> String {
    metrics::render(status)
}

/// Draws `index.html`, `status.json` and `metrics.prom` into `folder`, each whole or not at all, and gives the names of
/// those written. `Err` is a sentence that names each file that failed and why; the others are written all the same,
/// and of one that failed the old one stays.
pub fn draw(input: &Input, folder: &Path) -> Result<Vec<String>, String> {
    let status = Status::new(input);
    let drawings = [
        ("index.html", page::render(input, &status)),
        ("status.json", json(&status)),
        ("metrics.prom", Ok(metrics::render(&status))),
    ];
    let (mut written, mut failed) = (Vec::new(), Vec::new());
    for (name, text) in drawings {
        match text.and_then(|text| write::replace(folder, name, &text)) {
            Ok(()) => written.push(name.to_owned()),
            Err(why) => failed.push(why),
        }
    }
    if failed.is_empty() { Ok(written) } else { Err(failed.join("; ")) }
}
