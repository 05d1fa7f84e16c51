//! The configuration page: one section at a time. A change is checked, then shown with its difference and with what a
//! pass would do by it, then saved, unless the file was changed by someone else meanwhile.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::confirm::{self, Plan};
use super::edits::{self, Edited};
use super::fields::{self, Field, Section};
use super::help::Help;
use super::pending::{self, Pending};
use super::{Visit, pages, refusal};
use crate::cgi::{Answer, Method, Refusal};
use crate::config::{self, Inspection};
use crate::dashboard::clean;
use crate::error::Error;
use crate::lock;
use crate::model::{Event, EventKind, Notice, Severity};
use crate::notify;
use crate::store::{Change, Store};
use crate::tick;

/// Lines around a changed one.
const AROUND: usize = 2;

#[derive(Debug, Serialize)]
struct ConfigPage {
    sections: Vec<Section>,
    unused: Vec<Section>,
    section: String,
    /// A section was asked for; else the list of them comes first.
    chosen: bool,
    title: String,
    help: String,
    set: Vec<Field>,
    not_set: Vec<Field>,
    seen: String,
    mistakes: Vec<String>,
    cannot_save: Option<String>,
    nothing: bool,
}

#[derive(Debug, Serialize)]
struct DiffLine {
    /// `new`, `gone` or empty; `gap` between two places.
    look: &'static str,
    sign: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct Difference {
    changes: Vec<String>,
    lines: Vec<DiffLine>,
    goes_live: bool,
    plan: Option<Plan>,
    link: String,
    mark: String,
    cannot_save: Option<String>,
}

/// The page of the section that the query names.
pub(super) fn page(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    let text = config::read_text(visit.config_path).map_err(|error| refusal(&error))?;
    let section = visit.request.query.find("section").unwrap_or("top").to_owned();
    draw(visit, &text, &section, 200, Vec::new(), false)
}

fn draw(
    visit: &Visit<'_>,
    text: &str,
    section: &str,
    status: u16,
    mistakes: Vec<String>,
    nothing: bool,
) -> Result<Answer, Refusal> {
    let Inspection { entries, .. } = inspect(visit, text);
    let help = Help::of_sample();
    let sent = (!mistakes.is_empty()).then_some(&visit.request.form);
    let (set, not_set) = fields::fields(&entries, section, &help, sent);
    if set.is_empty() && not_set.is_empty() {
        return Err(Refusal::new(404, "there is no such section in the configuration"));
    }
    let (sections, unused) = fields::sections(&entries, section);
    let kind = section.split('.').next().unwrap_or_default();
    let page = ConfigPage {
        sections,
        unused,
        section: section.to_owned(),
        chosen: visit.request.method == Method::Post || visit.request.query.find("section").is_some(),
        title: fields::title(section),
        help: help.find(kind, "").to_owned(),
        set,
        not_set,
        seen: visit.key.mark(text),
        mistakes: mistakes.iter().map(|line| clean(line)).collect(),
        cannot_save: cannot_save(visit),
        nothing,
    };
    pages::page(visit, status, "config", "Configuration", &page)
}

/// Checks a section's form and shows the difference; saves nothing.
pub(super) fn preview(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    let form = &visit.request.form;
    let text = config::read_text(visit.config_path).map_err(|error| refusal(&error))?;
    let section = form.get("section");
    if form.get("seen") != visit.key.mark(&text) {
        return Err(changed_meanwhile());
    }
    let known = |text: &str| inspect(visit, text).entries;
    let Edited { text: new, changes } = match edits::edited(&text, section, form, &known) {
        Ok(edited) => edited,
        Err(mistakes) => return draw(visit, &text, section, 422, mistakes, false),
    };
    if changes.is_empty() || new == text {
        return draw(visit, &text, section, 200, Vec::new(), true);
    }
    let cfg = match inspect(visit, &new).result {
        Ok(cfg) => cfg,
        Err(mistakes) => return draw(visit, &text, section, 422, mistakes, false),
    };
    let lines = difference(&text, &new)?;
    let changes: Vec<String> = changes.iter().map(|change| clean(change)).collect();
    let waits = Pending { base: visit.key.mark(&text), text: new, changes: changes.clone() };
    pending::keep(visit, &waits).map_err(|error| refusal(&Error::Storage(error)))?;
    // While a run is at work its devices are left to it, and what it read may not fit other settings.
    let busy = lock::holder_now(&visit.cfg.paths.data.join("tick.lock")).is_some();
    let plan = (!busy).then(|| {
        let compared = tick::compare(&cfg, visit.clock, |_| {});
        confirm::plan(&Visit { cfg: &cfg, key: visit.key.clone(), session: visit.session.clone(), ..*visit }, &compared)
    });
    let page = Difference {
        changes,
        lines,
        goes_live: cfg.mode == config::Mode::Live && visit.cfg.mode != config::Mode::Live,
        plan,
        link: fields::link(section),
        mark: visit.key.mark(&waits.text),
        cannot_save: cannot_save(visit),
    };
    pages::page(visit, 200, "difference", "What would change", &page)
}

/// Saves what was shown.
pub(super) fn save(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    let text = config::read_text(visit.config_path).map_err(|error| refusal(&error))?;
    let gone = || Refusal::new(409, "there is no change that waits to be saved; open the page again");
    let waits = pending::waiting(visit).ok_or_else(gone)?;
    if visit.request.form.get("mark") != visit.key.mark(&waits.text) {
        return Err(Refusal::new(409, "another change was begun since in this browser; open the page again"));
    }
    if waits.base != visit.key.mark(&text) {
        return Err(changed_meanwhile());
    }
    inspect(visit, &waits.text).result.map_err(|mistakes| Refusal::new(422, mistakes.join("\n")))?;
    config::replace(visit.config_path, &text, &waits.text).map_err(|error| refusal(&error))?;
    pending::forget(visit);
    // It is saved whether or not this can be told.
    if let Err(error) = tell(visit, &waits.changes) {
        return Err(Refusal::new(500, format!("the configuration is saved, but not recorded: {error}")));
    }
    Ok(Answer::see(visit.path("/?told=saved")))
}

/// The event and the message.
fn tell(visit: &Visit<'_>, changes: &[String]) -> Result<(), String> {
    let now = visit.clock.now();
    let text = format!("changed by {}: {}", visit.request.who(), changes.join("; "));
    let notice = Notice { severity: Severity::Warning, at: now.wall, text: format!("Configuration {text}") };
    let event = Event { at: now.wall, kind: EventKind::Program, subject: "configuration".to_owned(), text };
    let queue =
        notify::route(&visit.cfg.notify, &notice).into_iter().map(|channel| (channel, notice.clone())).collect();
    let change = Change { events: vec![event], queue, ..Change::default() };
    Store::new(&visit.cfg.paths.data)?.save(&change, &now).map(drop)
}

fn changed_meanwhile() -> Refusal {
    Refusal::new(409, "the file was changed by someone else meanwhile; open the page again and see what is there now")
}

fn inspect(visit: &Visit<'_>, text: &str) -> Inspection {
    config::inspect(text, &config::file_name(visit.config_path), &config::folder(visit.config_path))
}

/// Why nothing can be saved from here: as installed, the file is root's, and the page only looks.
fn cannot_save(visit: &Visit<'_>) -> Option<String> {
    config::cannot_replace(visit.config_path).map(|why| {
        format!("This page can check, but not save: {why}. README says how to allow it, and what that means.")
    })
}

/// The file's lines that differ, with their surroundings; secrets are masked before they are compared.
fn difference(old: &str, new: &str) -> Result<Vec<DiffLine>, Refusal> {
    let mask = |text| config::mask(text, "config.txt").map_err(|mistakes| Refusal::new(422, mistakes.join("\n")));
    let (old, new) = (mask(old)?, mask(new)?);
    let diff = TextDiff::from_lines(&old, &new);
    let mut lines = Vec::new();
    for (place, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if place > 0 {
            lines.push(DiffLine { look: "gap", sign: "", text: "…".to_owned() });
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let (look, sign) = match change.tag() {
                ChangeTag::Delete => ("gone", "−"),
                ChangeTag::Insert => ("new", "+"),
                ChangeTag::Equal => ("", ""),
            };
            lines.push(DiffLine { look, sign, text: clean(change.value().trim_end()) });
        }
    }
    Ok(lines)
}
