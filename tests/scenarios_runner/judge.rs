//! Compares a story with its frames. A time that is looser than it need be is told too: then the rules got faster, or
//! the story was never tight.

use super::conditions::{Condition, Seen};
use super::parse::{Expectation, Story, When};
use super::play::Frame;
use super::{Time, clock};

/// What is wrong with a line of a story.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub line: usize,
    /// Where in the timeline to look.
    pub time: Time,
    pub text: String,
}

/// Every line that does not hold.
pub fn broken(story: &Story, frames: &[Frame]) -> Vec<Finding> {
    story.expectations.iter().flat_map(|expectation| check(expectation, frames)).collect()
}

/// Every `by` that holds earlier than it says, with the tightest time.
pub fn loose(story: &Story, frames: &[Frame]) -> Vec<(Finding, Time)> {
    let mut found = Vec::new();
    for expectation in &story.expectations {
        let When::By { after, limit } = expectation.when else { continue };
        let firsts: Option<Vec<Time>> = expectation.conditions.iter().map(|c| first(c, frames, after)).collect();
        let Some(last) = firsts.and_then(|firsts| firsts.into_iter().max()) else { continue };
        let tightest = last.div_ceil(60) * 60;
        if tightest < limit && last < limit {
            let text = format!("holds already at {}: write `by {}`", clock(last), clock(tightest));
            found.push((Finding { line: expectation.line, time: last, text }, tightest));
        }
    }
    found
}

fn check(expectation: &Expectation, frames: &[Frame]) -> Vec<Finding> {
    let found = expectation.conditions.iter().filter_map(|condition| match expectation.when {
        When::At(at) => check_at(condition, frames, at),
        When::By { after, limit } => check_by(condition, frames, after, limit),
        When::Throughout(begin, end) => check_throughout(condition, frames, begin, end),
        When::Never(begin, end) => check_never(condition, frames, begin, end),
    });
    found.map(|(time, text)| Finding { line: expectation.line, time, text }).collect()
}

fn now(frame: &Frame) -> Seen<'_> {
    Seen { frame, told: frame.notices.iter().collect() }
}

fn check_at(condition: &Condition, frames: &[Frame], at: Time) -> Option<(Time, String)> {
    let so_far: Vec<&Frame> = frames.iter().take_while(|frame| frame.time <= at).collect();
    let frame = so_far.last()?;
    let told = so_far.iter().flat_map(|frame| &frame.notices).collect();
    let holds = condition.holds(&Seen { frame, told });
    (!holds).then(|| (at, format!("`{}` is not so at {}", condition.text, clock(at))))
}

/// The place of the frame that a `by` starts from: the last one before the first pass at or after `after`.
fn before(frames: &[Frame], after: Time) -> usize {
    let next = frames.iter().skip(1).position(|frame| frame.time >= after && frame.happened.is_empty());
    next.unwrap_or(frames.len() - 1)
}

/// When it is first so after `after`.
fn first(condition: &Condition, frames: &[Frame], after: Time) -> Option<Time> {
    let mut later = frames.iter().skip(before(frames, after) + 1);
    if condition.is_again {
        later.find(|frame| !condition.holds(&now(frame)))?;
    }
    later.find(|frame| condition.holds(&now(frame))).map(|frame| frame.time)
}

fn check_by(condition: &Condition, frames: &[Frame], after: Time, limit: Time) -> Option<(Time, String)> {
    let text = &condition.text;
    // What is told or sent in one pass is new each time; a state that holds already proves nothing.
    let holds_before = condition.holds(&now(&frames[before(frames, after)]));
    if condition.is_again && !holds_before {
        return Some((after, format!("`{text}`: it is not so at {}; leave `again` out", clock(after))));
    }
    if !condition.is_again && holds_before {
        let way_out = "this line cannot fail; write `at ... expect`, `from ... to`, or `again`";
        return Some((after, format!("`{text}` is so already at {}: {way_out}", clock(after))));
    }
    match first(condition, frames, after) {
        Some(time) if time <= limit => None,
        Some(time) => Some((time, format!("`{text}` got slower: only at {}, not by {}", clock(time), clock(limit)))),
        None => Some((limit, format!("`{text}` does not come true after {}, not by {}", clock(after), clock(limit)))),
    }
}

/// The frames from `begin` up to, but not at, `end`. What happens at `begin` itself is first answered by its pass.
fn within(frames: &[Frame], begin: Time, end: Time) -> impl Iterator<Item = &Frame> {
    let is_answered = move |frame: &&Frame| frame.time > begin || frame.happened.is_empty();
    frames.iter().skip(1).filter(move |frame| (begin..end).contains(&frame.time)).filter(is_answered)
}

fn check_throughout(condition: &Condition, frames: &[Frame], begin: Time, end: Time) -> Option<(Time, String)> {
    let mut seen = within(frames, begin, end).peekable();
    if seen.peek().is_none() {
        return Some((
            begin,
            format!("no run falls between {} and {}: nothing is looked at", clock(begin), clock(end)),
        ));
    }
    let other = seen.find(|frame| !condition.holds(&now(frame)))?;
    Some((other.time, format!("`{}` is not so at {}", condition.text, clock(other.time))))
}

fn check_never(condition: &Condition, frames: &[Frame], begin: Time, end: Time) -> Option<(Time, String)> {
    let found = within(frames, begin, end).find(|frame| condition.holds(&now(frame)))?;
    Some((found.time, format!("`{}` is so at {}, and must never be", condition.text, clock(found.time))))
}
