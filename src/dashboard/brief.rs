//! The page in a few lines of text, for a chat: the same status in the same words.

use super::Status;
use super::status::Level;

/// Causes, alarms, overrides that are listed.
const LINES_MAX: usize = 8;
/// Characters of one line.
const LINE_MAX: usize = 300;

/// How the site is: the page's headline, whether to worry, and the readings that matter most.
pub fn brief(status: &Status) -> String {
    let mut lines = vec![format!("[{}] {}", status.site, status.headline), status.worry.text.clone()];
    let causes = status.worry.causes.iter().filter(|cause| cause.level > Level::Ok);
    listed(&mut lines, causes.map(|cause| format!("- {}: {}", cause.level.word(), cause.text)).collect());
    let signal = &status.signal;
    let read = match (&signal.problem, &signal.last_good) {
        (Some(problem), _) => format!("NOT READ: {problem}"),
        (None, Some(text)) => format!("`{text}`"),
        (None, None) => "not read yet".to_owned(),
    };
    lines.push(format!("Signal: {}, {read}", signal.level));
    lines.push(format!("Intake: {} ({})", status.climate.intake.text, status.climate.band));
    let running = status.fans.iter().filter(|fan| fan.proven == Some(true)).count();
    lines.push(format!("Fans: {running} of {} proven running", status.fans.len()));
    lines.push(format!("Miners online: {}", status.miners.online.text));
    let overrides =
        status.overrides.iter().map(|over| format!("By hand: {}, {} left, by {}", over.setting, over.left, over.by));
    listed(&mut lines, overrides.collect());
    lines.push(format!("As of {}, mode {}", status.time.clock, status.mode));
    lines.join("\n")
}

/// Why it is so: the reasons of the last decision.
pub fn why(status: &Status) -> String {
    let mut lines = vec![format!("[{}] {}", status.site, status.headline)];
    let reasons = status.demand.reasons.iter().map(|reason| format!("- off because {}", reason.text));
    lines.extend(reasons.map(short));
    lines.extend(status.why.iter().map(|why| short(format!("- {}: {}", why.subject, why.text))));
    if lines.len() == 1 {
        lines.push("No reason is kept: no pass has been made yet.".to_owned());
    }
    lines.join("\n")
}

fn listed(lines: &mut Vec<String>, all: Vec<String>) {
    let more = all.len().saturating_sub(LINES_MAX);
    lines.extend(all.into_iter().take(LINES_MAX).map(short));
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
}

fn short(line: String) -> String {
    match line.char_indices().nth(LINE_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
