//! What would happen, before it does: a value is shown with what one pass would do with it, and only then set. Setting,
//! clearing and acknowledging are those of the command line.

use serde::Serialize;

use super::targets;
use super::{Visit, pages, refusal};
use crate::cgi::{Answer, Refusal};
use crate::commands::report::local;
use crate::commands::set::{self, Asked, Wanted};
use crate::config::Mode;
use crate::dashboard::clean;
use crate::model::{Decision, Override};
use crate::tick::{self, Compared};

/// A line that is in both decisions, or in one of them.
#[derive(Debug, Serialize)]
struct Line {
    subject: String,
    text: String,
    /// `new`, `gone` or empty.
    look: &'static str,
    is_new: bool,
}

/// What one pass would do.
#[derive(Debug, Serialize)]
pub(super) struct Plan {
    /// What it rests on.
    basis: String,
    phase: String,
    signal: String,
    reasons: Vec<Line>,
    commands: Vec<Line>,
    commands_sent: usize,
    /// In observe mode nothing is sent.
    sends: bool,
    notices: Vec<Line>,
}

/// What the page shows.
#[derive(Debug, Serialize)]
struct Confirm {
    /// The change in words; `None` when it is only asked what would happen.
    change: Option<String>,
    clears: bool,
    against: bool,
    target: String,
    value: String,
    lasts: String,
    reason: String,
    plan: Plan,
}

/// What a form asks for, checked.
enum Change {
    /// Nothing: what would happen as things are.
    Nothing,
    /// An override.
    Set(Override),
    /// The end of one or, by `all`, of all.
    Clear(String),
}

/// Shows what would happen; changes nothing.
pub(super) fn preview(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    let form = &visit.request.form;
    let change = wanted(visit)?;
    let compared = tick::compare(visit.cfg, visit.clock, |overrides| match &change {
        Change::Nothing => {}
        Change::Set(over) => {
            overrides.retain(|other| other.setting.target() != over.setting.target());
            overrides.push(over.clone());
        }
        Change::Clear(target) => overrides.retain(|over| target != "all" && over.setting.target() != *target),
    });
    let words = match &change {
        Change::Nothing => None,
        Change::Set(over) => Some(format!("{} for {}", over.setting, over.lasts)),
        Change::Clear(target) if target == "all" => Some("all overrides end".to_owned()),
        Change::Clear(target) => Some(format!("the override of {target} ends")),
    };
    let confirm = Confirm {
        change: words.as_deref().map(clean),
        clears: matches!(change, Change::Clear(_)),
        against: form.get("against") == "yes",
        target: form.get("target").to_owned(),
        value: form.get("value").to_owned(),
        lasts: form.get("for").to_owned(),
        reason: form.get("reason").to_owned(),
        plan: plan(visit, &compared),
    };
    pages::page(visit, 200, "confirm", "What would happen", &confirm)
}

/// Does it.
pub(super) fn apply(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    let told = match wanted(visit)? {
        Change::Nothing => return Err(Refusal::new(400, "the form does not say what to set")),
        Change::Set(over) => {
            set::save(visit.cfg, visit.clock, over).map_err(|error| refusal(&error))?;
            "set"
        }
        Change::Clear(target) => {
            let gone = set::clear_by(visit.cfg, visit.clock, &target, &visit.request.who());
            if gone.map_err(|error| refusal(&error))?.is_empty() { "nothing" } else { "cleared" }
        }
    };
    Ok(Answer::see(visit.path(&format!("/?told={told}"))))
}

/// Acknowledges an alarm, or all of them.
pub(super) fn acknowledge(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    let alarm = visit.request.form.get("alarm");
    set::acknowledge_by(visit.cfg, visit.clock, alarm, &visit.request.who()).map_err(|error| refusal(&error))?;
    Ok(Answer::see(visit.path("/?told=acknowledged")))
}

fn wanted(visit: &Visit<'_>) -> Result<Change, Refusal> {
    let form = &visit.request.form;
    let (target, value) = (form.get("target"), form.get("value").trim());
    if target.is_empty() {
        return Ok(Change::Nothing);
    }
    if value == "auto" {
        // Also what is not configured any more can be cleared.
        return Ok(Change::Clear(target.to_owned()));
    }
    let unknown = || Refusal::new(422, format!("`{}` is nothing that can be set", clean(target)));
    let what = targets::parse(target, value, form.get("against") == "yes").ok_or_else(unknown)?;
    let lasts = Some(form.get("for").trim()).filter(|text| !text.is_empty());
    let reason = Some(form.get("reason").trim()).filter(|text| !text.is_empty()).unwrap_or("no reason given");
    let by = visit.request.who();
    let asked = Asked { what: &what, lasts, reason, by: &by };
    match set::wanted(visit.cfg, visit.clock, &asked).map_err(|error| refusal(&error))? {
        Wanted::Set(over) => Ok(Change::Set(over)),
        Wanted::Clear(target) => Ok(Change::Clear(target)),
    }
}

/// The two decisions side by side.
pub(super) fn plan(visit: &Visit<'_>, compared: &Compared) -> Plan {
    let Compared { snapshot, fresh, state, as_is, changed } = compared;
    let basis = if *fresh {
        format!("All {} devices were read just now.", snapshot.took_ms.len())
    } else {
        let at = local(visit.cfg, snapshot.at.wall);
        format!("A run is at work and the devices are left to it: this rests on what the last run read, at {at}.")
    };
    let moved =
        |before: &str, after: &str| if before == after { after.to_owned() } else { format!("{before} → {after}") };
    let reasons = |decision: &Decision| decision.reasons.iter().map(|r| (r.subject.clone(), r.text.clone())).collect();
    let commands = |decision: &Decision| decision.commands.iter().map(|c| (String::new(), c.to_string())).collect();
    let notices =
        |decision: &Decision| decision.notices.iter().map(|n| (n.severity.word().to_owned(), n.text.clone())).collect();
    Plan {
        basis,
        phase: moved(state.miners.phase.word(), changed.next.miners.phase.word()),
        signal: moved(state.signal.level.word(), changed.next.signal.level.word()),
        reasons: lines(reasons(as_is), reasons(changed)),
        commands: lines(commands(as_is), commands(changed)),
        commands_sent: changed.commands.len(),
        sends: visit.cfg.mode == Mode::Live,
        notices: lines(notices(as_is), notices(changed)),
    }
}

/// The lines of the second, marked where the first has them not; then those that only the first has.
fn lines(before: Vec<(String, String)>, after: Vec<(String, String)>) -> Vec<Line> {
    let line = |(subject, text): &(String, String), look| Line {
        subject: clean(subject),
        text: clean(text),
        look,
        is_new: look == "new",
    };
    let gone = before.iter().filter(|line| !after.contains(line));
    let there = after.iter().map(|one| line(one, if before.contains(one) { "" } else { "new" }));
    there.chain(gone.map(|one| line(one, "gone"))).collect()
}
