//! A message as it is sent: the site's name, how late it is, the severity, the notice's own words; or several waiting
//! notices as one list. The wording of notices themselves is not here.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::model::{Notice, Severity};
use crate::units::{Seconds, UnixSeconds};

use super::queue::Batch;
use super::text::{ascii, clean, cut};

/// A message older than this says so.
const LATE_ABOVE: Seconds = Seconds::minutes(3);

/// The longest line of one notice in a list.
const LIST_LINE_MAX: usize = 200;

/// A message ready to be fitted to a service.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    title: String,
    rest: Rest,
    mark: &'static str,
    /// Whether it only carries regular signs of life and should not ring.
    pub(super) is_silent: bool,
    /// The same for each attempt to send the same entries, and for no others.
    pub(super) fingerprint: String,
    /// The recipients who have it already.
    pub(super) reached: Vec<String>,
}

/// What follows the title.
#[derive(Debug, Clone, PartialEq)]
enum Rest {
    /// The notice's further lines; may be empty.
    Details(String),
    /// One line for each joined notice, oldest first.
    List(Vec<(Severity, String)>),
}

impl Letter {
    /// The message for a batch, as of `now`.
    pub(super) fn new(cfg: &Config, batch: &Batch, now: UnixSeconds) -> Letter {
        let site = clean(&cfg.site.name).replace('\n', " ");
        let notices: Vec<&Notice> = batch.entries.iter().map(|entry| &entry.notice).collect();
        let (title, rest) = match notices.as_slice() {
            [notice] => {
                let (first, details) = first_line(&notice.text);
                (format!("[{site}] {}{}{first}", lateness(notice, now), call(notice.severity)), Rest::Details(details))
            }
            many => list(&site, many, now, &zone(cfg)),
        };
        let is_silent = notices.iter().all(|notice| notice.severity == Severity::Heartbeat);
        Letter {
            title,
            rest,
            mark: "… (cut)",
            is_silent,
            fingerprint: fingerprint(&site, batch),
            reached: batch.reached(),
        }
    }

    /// Those of `all` who do not have it yet.
    pub(super) fn missing<'a>(&self, all: &'a [String]) -> Vec<&'a String> {
        all.iter().filter(|to| !self.reached.contains(to)).collect()
    }

    /// The first line, for a subject.
    pub(super) fn title(&self, max: usize) -> String {
        cut(&self.title, max, "…")
    }

    /// The whole text on at most `max` characters.
    pub(super) fn text(&self, max: usize) -> String {
        let whole = match &self.rest {
            Rest::Details(details) if details.is_empty() => self.title.clone(),
            Rest::Details(details) => format!("{}\n{details}", self.title),
            Rest::List(lines) => format!("{}\n{}", self.title, fitting_lines(lines, max, &self.title)),
        };
        cut(&whole, max, self.mark)
    }

    /// The same message in the characters of a plain text message.
    pub(super) fn in_ascii(&self) -> Letter {
        let rest = match &self.rest {
            Rest::Details(details) => Rest::Details(ascii(details)),
            Rest::List(lines) => Rest::List(lines.iter().map(|(severity, line)| (*severity, ascii(line))).collect()),
        };
        Letter { title: ascii(&self.title), rest, mark: "... (cut)", ..self.clone() }
    }
}

/// The site's time zone; UTC should the system's list have lost it since the configuration was checked.
pub(super) fn zone(cfg: &Config) -> TimeZone {
    TimeZone::get(&cfg.time_zone).unwrap_or(TimeZone::UTC)
}

/// The first line of a notice, and the others.
fn first_line(text: &str) -> (String, String) {
    let text = clean(text);
    let (first, rest) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
    // Telegram and SMS providers refuse an empty text for good.
    let first = if first.trim().is_empty() { "(a message without text)" } else { first.trim() };
    (first.to_owned(), rest.trim_end().to_owned())
}

/// `WARNING: ` and `EMERGENCY: `; nothing for what needs no hand.
fn call(severity: Severity) -> &'static str {
    match severity {
        Severity::Heartbeat | Severity::Info => "",
        Severity::Warning => "WARNING: ",
        Severity::Emergency => "EMERGENCY: ",
    }
}

/// `[12 min late] ` for a message above [`LATE_ABOVE`].
fn lateness(notice: &Notice, now: UnixSeconds) -> String {
    let late = now.since(notice.at);
    if late <= LATE_ABOVE {
        return String::new();
    }
    format!("[{} late] ", Seconds::minutes(late.0 / 60))
}

/// Title and lines of several notices in one message.
fn list(site: &str, notices: &[&Notice], now: UnixSeconds, zone: &TimeZone) -> (String, Rest) {
    let worst = notices.iter().map(|notice| notice.severity).max().unwrap_or(Severity::Info);
    let since = notices.iter().map(|notice| notice.at).min().unwrap_or(now);
    let since = local_time(since, now, zone);
    let title = format!("[{site}] {}{} messages waited since {since}:", call(worst), notices.len());
    let lines = notices.iter().map(|notice| {
        let (first, _) = first_line(&notice.text);
        let line = format!("{} {}{first}", local_time(notice.at, now, zone), call(notice.severity));
        (notice.severity, cut(&line, LIST_LINE_MAX, "…"))
    });
    (title, Rest::List(lines.collect()))
}

/// `13:02`, with the date when it is not today's.
fn local_time(at: UnixSeconds, now: UnixSeconds, zone: &TimeZone) -> String {
    let local = |t: UnixSeconds| Timestamp::from_second(t.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
    let (at, now) = (local(at), local(now));
    let format = if at.date() == now.date() { "%H:%M" } else { "%b %-d %H:%M" };
    at.strftime(format).to_string()
}

/// As many lines as fit under the title within `max`: the worst first, then the newest; shown oldest first, with
/// `and N more` for what is left out.
fn fitting_lines(lines: &[(Severity, String)], max: usize, title: &str) -> String {
    let length = |text: &str| text.chars().count() + 1;
    let left_out = |count: usize| format!("and {count} more");
    let all: usize = lines.iter().map(|(_, line)| length(line)).sum();
    let room = max.saturating_sub(title.chars().count());
    if all <= room {
        return lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n");
    }
    let mut ranked: Vec<(usize, &(Severity, String))> = lines.iter().enumerate().collect();
    ranked.sort_by_key(|(place, (severity, _))| std::cmp::Reverse((*severity, *place)));
    let mut room = room.saturating_sub(length(&left_out(lines.len())));
    let mut shown: Vec<(usize, &str)> = Vec::new();
    for (place, (_, line)) in ranked {
        let Some(rest) = room.checked_sub(length(line)) else { break };
        room = rest;
        shown.push((place, line));
    }
    shown.sort();
    let more = left_out(lines.len() - shown.len());
    shown.iter().map(|(_, line)| *line).chain([more.as_str()]).collect::<Vec<_>>().join("\n")
}

/// The same for the same entries, so that a mail server or reader can drop a message that arrives twice.
fn fingerprint(site: &str, batch: &Batch) -> String {
    let mut hash = Sha256::new();
    hash.update(site);
    for entry in &batch.entries {
        hash.update(format!("\n{} {} {}", entry.id, entry.notice.at.0, entry.notice.text));
    }
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_of_three_minutes_is_on_time_and_one_second_more_is_late() {
        let notice = Notice { severity: Severity::Info, at: UnixSeconds(1000), text: String::new() };
        assert_eq!(lateness(&notice, UnixSeconds(1180)), "");
        assert_eq!(lateness(&notice, UnixSeconds(1181)), "[3 min late] ");
        assert_eq!(lateness(&notice, UnixSeconds(1000 + 90_061)), "[1 d 1 h late] ");
        assert_eq!(lateness(&notice, UnixSeconds(0)), "", "the clock jumped back");
    }

    fn severity() -> impl Strategy<Value = Severity> {
        prop_oneof![Just(Severity::Info), Just(Severity::Warning), Just(Severity::Emergency)]
    }

    proptest! {
        #[test]
        fn a_list_always_fits_and_every_message_is_shown_or_counted(
            lines in prop::collection::vec((severity(), "[a-z🔥°]{0,60}"), 2..60),
            max in 60_usize..700,
        ) {
            let count = lines.len();
            let letter = Letter {
                title: "[Container 7] 9 messages:".to_owned(),
                rest: Rest::List(lines.iter().map(|(severity, line)| (*severity, format!("x{line}"))).collect()),
                mark: "… (cut)",
                is_silent: false,
                fingerprint: String::new(),
                reached: Vec::new(),
            };
            let text = letter.text(max);
            prop_assert!(text.chars().count() <= max);
            let shown = text.lines().filter(|line| line.starts_with('x')).count();
            let counted = text.lines().last().and_then(|line| line.strip_prefix("and ")?.strip_suffix(" more")?.parse().ok());
            prop_assert_eq!(shown + counted.unwrap_or(0), count);
            let ascii = letter.in_ascii().text(max);
            prop_assert!(ascii.is_ascii() && ascii.len() <= max);
        }
    }
}
