//! The rows of the page's table of calls: each cell made ready as text.

use serde::Serialize;

use super::Input;
use super::words::{Words, count, unbroken};
use crate::model::{CallRecord, ChangeSource, Verdict};
use crate::units::{Dollars, Seconds};

/// Calls shown beside the one that is going on.
const ROWS_MAX: usize = 10;
const UNKNOWN: &str = "not measured";

/// What the template of the calls shows.
#[derive(Debug, Serialize)]
pub(super) struct CallsView {
    /// `August 2026: 4 calls, 1 missed, 9 h 24 min`.
    summary: String,
    rows: Vec<CallRow>,
    /// How the money is reckoned.
    estimate: String,
}

/// A text and what is said small beside it.
#[derive(Debug, Serialize)]
struct Cell {
    text: String,
    note: Option<String>,
}

/// A call's row.
#[derive(Debug, Serialize)]
struct CallRow {
    /// `good`, `missed` or `plain`.
    look: &'static str,
    going_on: bool,
    read: Cell,
    met: Cell,
    before: String,
    /// Watts after 1, 2 and 4 minutes.
    one: Cell,
    two: Cell,
    four: Cell,
    shed: String,
    by: Cell,
    over: Cell,
    back: Cell,
    energy: Cell,
    money: Cell,
}

pub(super) fn view(input: &Input, words: &Words) -> CallsView {
    let costs = &input.cfg.costs;
    let period = costs.demand_charge_for.word();
    let running = input.call.map(|call| row(call, words));
    let over = input.calls.iter().rev().take(ROWS_MAX).map(|call| row(call, words));
    let month = super::calls::calls(input, words);
    CallsView {
        summary: format!(
            "{}: {}, {} missed, {} called",
            words.month_name(input.now.wall),
            count(month.month_calls, "call", "calls"),
            month.month_missed,
            Seconds(month.month_signal_time_s)
        ),
        rows: running.into_iter().chain(over).collect(),
        estimate: format!(
            "Money is an estimate after coincident-peak tariffs: if the {period}’s billed peak fell into the call, \
             ${:.2} for each kW and {period} × (power before − the highest mean of {} during the signal, counted from its \
             reading; what was not measured counts as drawn in full). The charge is billed once for a {period}: do not \
             add calls up.",
            costs.demand_charge.value(),
            costs.billing_interval
        ),
    }
}

fn cell(text: impl Into<String>, note: Option<String>) -> Cell {
    Cell { text: unbroken(&text.into()), note: note.map(|note| unbroken(&note)) }
}

fn row(call: &CallRecord, words: &Words) -> CallRow {
    let mark = |wanted: u64| match call.mark(Seconds(wanted)) {
        Some(mark) => cell(mark.watts.to_string(), Some(format!("after {}", mark.after))),
        None if call.ended.is_none() && call.lasted.0 < wanted => cell("not yet", None),
        None => cell(UNKNOWN, None),
    };
    CallRow {
        look: match call.verdict {
            Verdict::InTime => "good",
            Verdict::Late | Verdict::NotProven if call.is_utilitys() => "missed",
            Verdict::Late | Verdict::NotProven | Verdict::Short | Verdict::Open => "plain",
        },
        going_on: call.ended.is_none(),
        read: cell(words.day_and_time(call.seen), Some(cause(call, words))),
        met: met(call),
        before: call.watts_before.map_or(UNKNOWN.to_owned(), |watts| watts.to_string()),
        one: mark(60),
        two: mark(120),
        four: mark(240),
        shed: call.shed_after.map_or("–".to_owned(), |after| after.to_string()),
        by: by(call),
        over: over(call, words),
        back: back(call, words),
        energy: cell(
            call.not_drawn.map_or(UNKNOWN.to_owned(), |energy| energy.to_string()),
            (call.unmeasured.0 > 0).then(|| format!("{} not measured", call.unmeasured)),
        ),
        money: money(call),
    }
}

/// When the page changed, or why else the miners were off.
fn cause(call: &CallRecord, words: &Words) -> String {
    let mut parts = Vec::new();
    if let Some(changed) = call.page_changed {
        let how = match changed.by {
            ChangeSource::PageStamp => "own stamp",
            ChangeSource::FirstRead => "first read",
        };
        parts.push(format!("page changed {} ({how})", words.clock_time(changed.at)));
    }
    let is_all = parts.is_empty() || call.reasons.len() > 1;
    parts.extend(call.reasons.iter().filter(|_| is_all).map(|reason| reason.sentence().to_owned()));
    parts.extend(call.observe.then(|| "observe: nothing was commanded".to_owned()));
    parts.join("; ")
}

fn met(call: &CallRecord) -> Cell {
    let mut notes = Vec::new();
    notes.extend(call.proven_after.map(|after| format!("proven off after {after}")));
    notes.extend(call.worst_after_proof.map(|worst| format!("then at most {}", worst.watts)));
    notes.extend(call.watts_by_hand.then(|| "watts set by hand".to_owned()));
    let note = (!notes.is_empty()).then(|| notes.join(", "));
    let words = call.verdict.words();
    match call.verdict {
        Verdict::Late => cell(format!("{words} by {}", call.late), note),
        Verdict::NotProven => cell(format!("{words}, {} past the deadline", call.late), note),
        Verdict::InTime | Verdict::Short | Verdict::Open => cell(words, note),
    }
}

fn by(call: &CallRecord) -> Cell {
    let rungs: Vec<&str> = call.rungs.iter().map(|rung| rung.word()).collect();
    let mut notes = Vec::new();
    notes.extend(call.first_command_after.map(|after| format!("first command after {after}")));
    if let Some(left) = &call.stragglers {
        let names = left.names.iter().map(|name| super::words::clean(name)).collect::<Vec<_>>().join(", ");
        if left.count > 0 {
            notes.push(format!("{} still on ({names})", count(left.count as usize, "outlet", "outlets")));
        }
        notes.extend((left.unread > 0).then(|| format!("{} not read", left.unread)));
    }
    let note = (!notes.is_empty()).then(|| notes.join(", "));
    cell(if rungs.is_empty() { "no rung".to_owned() } else { rungs.join(", ") }, note)
}

fn over(call: &CallRecord, words: &Words) -> Cell {
    let called = (call.signal_time.0 > 0).then(|| format!("signal for {}", call.signal_time));
    match call.cleared {
        Some(at) => cell(words.day_time_after(at, call.seen), called),
        None => cell("going on", called),
    }
}

fn back(call: &CallRecord, words: &Words) -> Cell {
    let mut notes: Vec<String> = call.resume_time.map(|time| format!("after {time}")).into_iter().collect();
    if !call.groups_not_back.is_empty() {
        let groups: Vec<String> = call.groups_not_back.iter().map(ToString::to_string).collect();
        notes.push(format!("not back: group {}", groups.join(", ")));
    }
    let note = (!notes.is_empty()).then(|| notes.join(", "));
    match (call.resumed, call.ended) {
        (Some(at), _) => cell(words.day_time_after(at, call.seen), note),
        (None, Some(_)) => cell("another call followed", note),
        (None, None) => cell("not yet", note),
    }
}

fn money(call: &CallRecord) -> Cell {
    let costs = &call.costs;
    let needless = (costs.needless > Dollars::ZERO).then(|| format!("off without the signal: {} lost", costs.needless));
    match (costs.demand_avoided, costs.demand_drawn) {
        (Some(avoided), Some(drawn)) => {
            let so_far = call.ended.is_none().then(|| "so far".to_owned());
            let notes = [Some(format!("{drawn} to pay")), so_far, needless].into_iter().flatten();
            cell(format!("{avoided} avoided"), Some(notes.collect::<Vec<_>>().join(", ")))
        }
        _ if call.is_utilitys() => cell("not known", needless),
        _ => cell("–", needless),
    }
}
