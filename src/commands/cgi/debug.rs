//! The debug page: everything that is read and decided, and a form for everything that can be set. It touches no device.

use serde::Serialize;

use super::judged::{self, Group};
use super::targets::{Choice, Form};
use super::{Visit, pages};
use crate::cgi::{Answer, Refusal};
use crate::commands::seen::Seen;
use crate::dashboard::Status;
use crate::lock;
use crate::model::Override;

/// Events shown.
const EVENTS_MAX: usize = 40;

/// What the page shows.
#[derive(Debug, Serialize)]
struct Debug {
    told: Option<Told>,
    /// Before the first run there is nothing else.
    empty: bool,
    busy: Option<String>,
    s: Option<Status>,
    last_run: String,
    default_time: String,
    max_time: String,
    groups: Vec<Group>,
    orphans: Vec<Orphan>,
}

/// An override whose target the configuration does not know any more.
#[derive(Debug, Serialize)]
struct Orphan {
    setting: String,
    left: String,
    form: Form,
}

/// What came of the form that was sent before.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    look: &'static str,
    text: &'static str,
}

/// The page.
pub(super) fn page(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    let cfg = visit.cfg;
    let now = visit.clock.now();
    let busy = lock::holder_now(&cfg.paths.data.join("tick.lock"))
        .map(|holder| format!("process {}, for {}", holder.process, now.wall.since(holder.since)));
    let told = told(visit.request.query.get("told"));
    let mut debug = Debug {
        told,
        empty: true,
        busy,
        s: None,
        last_run: "never".to_owned(),
        default_time: cfg.overrides.default_time.to_string(),
        max_time: cfg.overrides.max_time.to_string(),
        groups: Vec::new(),
        orphans: Vec::new(),
    };
    if let Ok(seen) = Seen::look(cfg, visit.clock, EVENTS_MAX) {
        let status = Status::new(&seen.input(cfg));
        debug.empty = false;
        debug.last_run = status.last_run.as_ref().map_or("never".to_owned(), |at| format!("{} ago", at.age));
        debug.groups = judged::groups(cfg, &seen, &status);
        debug.orphans = orphans(visit, &seen.overrides);
        debug.s = Some(status);
    }
    pages::page(visit, 200, "debug", "Debug", &debug)
}

fn orphans(visit: &Visit<'_>, overrides: &[Override]) -> Vec<Orphan> {
    let known: Vec<String> = Form::all(visit.cfg).into_iter().map(|form| form.target).collect();
    let now = visit.clock.now();
    let lost = overrides.iter().filter(|over| over.left(&now).0 > 0 && !known.contains(&over.setting.target()));
    let shown = lost.map(|over| Orphan {
        setting: over.setting.to_string(),
        left: over.left(&now).to_string(),
        form: Form { target: over.setting.target(), choices: Vec::<Choice>::new(), example: "", against: false },
    });
    shown.collect()
}

/// Words that a redirect carries; anything else in an address says nothing.
fn told(word: &str) -> Option<Told> {
    let (look, text) = match word {
        "set" => ("ok", "Set. The next run takes it in."),
        "cleared" => ("ok", "Cleared. The next run takes it in."),
        "nothing" => ("info", "There was nothing to clear."),
        "acknowledged" => ("ok", "Acknowledged: no more reminders from the next run on."),
        "run-0" => ("ok", "The run is done; everything worked."),
        "run-1" => ("warning", "The run is done, with faults: see devices and events below."),
        "run-busy" => ("info", "A run was at work already, so none was started. Look again in a minute."),
        "run-late" => ("warning", "The run was started and still works. Look again in a minute."),
        "run-failed" => {
            ("warning", "The run ended before its work: look into the log, or run `minectl tick` over SSH.")
        }
        "saved" => ("ok", "Saved. It counts from the next run on."),
        _ => return None,
    };
    Some(Told { look, text })
}
