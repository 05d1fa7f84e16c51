//! The timeline of a story as a table: what the page said, what was measured, where the machines stood, what was sent
//! and told, and why. Long quiet stretches are left out.

use minectl::model::{Command, Severity};
use minectl::units::Temperature;

use super::judge::Finding;
use super::parse::Story;
use super::play::Frame;
use super::{Time, clock};

/// So much of the timeline is shown before and after a line that does not hold.
const AROUND: Time = 480;

/// The line that does not hold, and the timeline around it.
pub fn finding(story: &Story, frames: &[Frame], finding: &Finding) -> String {
    let said = story.lines.get(finding.line - 1).map_or("", |line| line.trim());
    let head = format!("tests/scenarios/{}.txt:{}: {said}\n    {}\n", story.name, finding.line, finding.text);
    head + &timeline(frames, finding.time.saturating_sub(AROUND), finding.time + AROUND)
}

/// The frames between two times.
pub fn timeline(frames: &[Frame], begin: Time, end: Time) -> String {
    let mut text = format!(
        "    {:<8} {:<11} {:>6} {:>7} {:<10} {:<11} {:<8} what happened, was sent, told, and why\n",
        "time", "page", "intake", "kW", "fans turn", "miners", "signal"
    );
    let mut last: Option<(String, Vec<String>)> = None;
    let mut left_out = 0;
    for frame in frames.iter().filter(|frame| (begin..=end).contains(&frame.time)) {
        let (values, mut news) = (values(frame), news(frame));
        let quiet =
            last.as_ref().is_some_and(|(old, why)| *old == values && news.is_empty() && alike(why, &why_of(frame)));
        if quiet && frame.happened.is_empty() {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            text += &format!("    ... {left_out} passes without change\n");
            left_out = 0;
        }
        let why = why_of(frame);
        let old = last.as_ref().map(|(_, why)| why.clone()).unwrap_or_default();
        news.extend(
            why.iter()
                .filter(|line| !old.iter().any(|other| bare(other) == bare(line)))
                .map(|line| format!("why   {line}")),
        );
        text += &format!("    {:<8} {values} {}\n", clock(frame.time), news.first().map_or("", String::as_str));
        for line in news.iter().skip(1) {
            text += &format!("    {:<69} {line}\n", "");
        }
        let why = if why.is_empty() { old } else { why };
        last = Some((values, why));
    }
    if left_out > 0 {
        text += &format!("    ... {left_out} passes without change\n");
    }
    text
}

/// A sentence without its figures: ages grow and watts wobble from pass to pass.
fn bare(line: &str) -> String {
    let words = line.split(' ').map(|word| word.trim_end_matches([':', ',', ';']));
    let words = words.filter(|word| !matches!(*word, "d" | "h" | "min" | "s"));
    words
        .map(|word| word.replace(|c: char| c.is_ascii_digit() || c == '.', ""))
        .filter(|word| !word.is_empty())
        .collect()
}

fn alike(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| bare(a) == bare(b))
}

fn values(frame: &Frame) -> String {
    let intake = frame.intake_c.and_then(|c| Temperature::new(c).ok());
    let intake = intake.map_or("-".to_owned(), |t| format!("{:.0} F", t.fahrenheit()));
    let fans: String = frame.turning.iter().map(u8::to_string).collect();
    format!(
        "{:<11} {:>6} {:>7.1} {:<10} {:<11} {:<8}",
        short(&frame.page, 11),
        intake,
        frame.watts / 1000.0,
        if fans.is_empty() { "none" } else { &fans },
        frame.phase.word(),
        frame.level.word(),
    )
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

/// What happened, what was sent and what was told in this frame.
fn news(frame: &Frame) -> Vec<String> {
    let mut lines: Vec<String> = frame.happened.iter().map(|what| format!("***   {what}")).collect();
    lines.extend(sent(&frame.commands).into_iter().map(|what| format!("sent  {what}")));
    for notice in &frame.notices {
        let word = match notice.severity {
            Severity::Emergency => "EMERGENCY",
            Severity::Warning => "WARNING",
            Severity::Info | Severity::Heartbeat => "info",
        };
        lines.push(format!("told  {word}: {}", notice.text.lines().next().unwrap_or_default()));
    }
    lines
}

fn sent(commands: &[Command]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut count = |what: String, n: usize| {
        if n > 0 {
            lines.push(format!("{what}{}", if n > 1 { format!(" ({n})") } else { String::new() }));
        }
    };
    for on in [true, false] {
        let fans: Vec<String> = commands
            .iter()
            .filter(|c| matches!(c, Command::Fan { on: o, .. } if *o == on))
            .map(ToString::to_string)
            .collect();
        count(fans.join(", "), usize::from(!fans.is_empty()));
        let word = if on { "on" } else { "off" };
        let outlets = commands.iter().filter(|c| matches!(c, Command::Outlet { on: o, .. } if *o == on)).count();
        count(format!("outlets {word}"), outlets);
        let miners = commands.iter().filter(|c| matches!(c, Command::Miner { .. }) && c.starts_miners() == on).count();
        count(if on { "miners woken".to_owned() } else { "miners to sleep".to_owned() }, miners);
    }
    lines
}

/// Why, but for what the table shows anyway and for ages that grow from pass to pass.
fn why_of(frame: &Frame) -> Vec<String> {
    let kept = frame.reasons.iter().filter(|reason| reason.subject != "climate" && reason.subject != "override");
    kept.map(|reason| format!("{}: {}", reason.subject, reason.text)).collect()
}
