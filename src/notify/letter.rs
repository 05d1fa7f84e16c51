//! A message as it is sent: the site's name, how late it is, the severity, the notice's own words; or several waiting
//! notices as one list. The wording of notices themselves is not here.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::model::{Notice, OutboxEntry, Severity};
use crate::units::{Seconds, UnixSeconds};

use super::queue::Batch;
use super::text::{ascii, clean, cut};

/// A message older than this says so.
const LATE_ABOVE: Seconds = Seconds::minutes(3);

/// The longest line of one notice in a list.
const LIST_LINE_MAX: usize = 200;

/// Messages that the record of what was given up names, and the longest name.
const NAMES_MAX: usize = 3;
const NAME_MAX: usize = 80;

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

/// Title and lines of several notices in one message. What was told again and again is one line, with its newest words: a
/// day of reminders must not hide what else happened.
fn list(site: &str, notices: &[&Notice], now: UnixSeconds, zone: &TimeZone) -> (String, Rest) {
    let worst = notices.iter().map(|notice| notice.severity).max().unwrap_or(Severity::Info);
    let time = |at: UnixSeconds| local_time(at, now, zone);
    let since = notices.iter().map(|notice| notice.at).min().unwrap_or(now);
    let title = format!("[{site}] {}{} messages waited since {}:", call(worst), notices.len(), time(since));
    let mut folded: Vec<(Option<String>, Vec<&Notice>)> = Vec::new();
    for notice in notices {
        let gist = gist(notice);
        let known = folded.iter().position(|(other, _)| gist.is_some() && *other == gist);
        // It stands where its newest one would.
        let mut same = known.map(|place| folded.remove(place).1).unwrap_or_default();
        same.push(notice);
        folded.push((gist, same));
    }
    let line = |same: &[&Notice]| {
        let notice = same.last()?;
        let times = match same {
            [first, _, ..] => format!("({} times since {}) ", same.len(), time(first.at)),
            _ => String::new(),
        };
        let line = format!("{} {times}{}{}", time(notice.at), call(notice.severity), first_line(&notice.text).0);
        Some((notice.severity, cut(&line, LIST_LINE_MAX, "…")))
    };
    (title, Rest::List(folded.iter().filter_map(|(_, same)| line(same)).collect()))
}

/// What a warning or an emergency is about: its first line without measured values, and without how long it has stood.
/// Heartbeats are all alike. `None` for an info: each is something that happened.
fn gist(notice: &Notice) -> Option<String> {
    const UNITS: [&str; 10] = ["s", "min", "h", "d", "W", "kW", "kWh", "°F", "°C", "%"];
    match notice.severity {
        Severity::Heartbeat => return Some("heartbeat".to_owned()),
        Severity::Info => return None,
        Severity::Warning | Severity::Emergency => {}
    }
    let (first, _) = first_line(&notice.text);
    let about = first.rsplit_once(" (for ").map_or(first.as_str(), |(about, _)| about);
    let bare = |word: &str| word.trim_matches(|c: char| "`(),;.:".contains(c)).to_owned();
    let mut words = Vec::new();
    let mut rest = about.split_whitespace().peekable();
    while let Some(word) = rest.next() {
        // Only with a unit is it a measured value: fan 3 is not fan 4.
        let is_number = bare(word).parse::<f64>().is_ok();
        if is_number && rest.next_if(|next| UNITS.contains(&bare(next).as_str())).is_some() {
            continue;
        }
        words.push(word);
    }
    Some(format!("{}{}", call(notice.severity), words.join(" ")))
}

/// `13:02`, with the date when it is not today's.
pub(super) fn local_time(at: UnixSeconds, now: UnixSeconds, zone: &TimeZone) -> String {
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

/// Messages in a few words, for the record of what was given up: `3 messages (EMERGENCY: smoke; fan 3: dead; and 1 more)`,
/// the worst and the newest first.
pub(super) fn named(entries: &[OutboxEntry]) -> String {
    let mut ranked: Vec<&Notice> = entries.iter().map(|entry| &entry.notice).collect();
    ranked.sort_by_key(|notice| std::cmp::Reverse((notice.severity, notice.at)));
    let mut names: Vec<String> = Vec::new();
    for notice in &ranked {
        let name = cut(&format!("{}{}", call(notice.severity), first_line(&notice.text).0), NAME_MAX, "…");
        if names.len() < NAMES_MAX && !names.contains(&name) {
            names.push(name);
        }
    }
    let more = entries.len().saturating_sub(names.len());
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    format!("{} messages ({})", entries.len(), names.join("; "))
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

    fn listed(notices: &[(Severity, i64, &str)]) -> Vec<String> {
        let notice = |(severity, at, text): &(Severity, i64, &str)| Notice {
            severity: *severity,
            at: UnixSeconds(60 * at),
            text: (*text).to_owned(),
        };
        let notices: Vec<Notice> = notices.iter().map(notice).collect();
        match list("x", &notices.iter().collect::<Vec<_>>(), UnixSeconds(6000), &TimeZone::UTC).1 {
            Rest::List(lines) => lines.into_iter().map(|(_, line)| line).collect(),
            Rest::Details(_) => Vec::new(),
        }
    }

    #[test]
    fn what_is_told_again_and_again_is_one_line_with_its_newest_words() {
        let (heartbeat, warning, emergency) = (Severity::Heartbeat, Severity::Warning, Severity::Emergency);
        let lines = listed(&[
            (emergency, 1, "Intake 113.0 °F is critical"),
            (warning, 2, "Fan 3: dead"),
            (heartbeat, 3, "Mining, 812 kW\nmore"),
            (emergency, 16, "Intake 114.2 °F is critical (for 15 min; `minectl ack intake` stops reminders)"),
            (warning, 20, "Fan 4: dead"),
            (heartbeat, 63, "Curtailed for 2 min 5 s, 1 kW\nmore"),
            (emergency, 75, "Intake 109.9 °F is critical (for 1 h 14 min; `minectl ack intake` stops reminders)"),
        ]);
        assert_eq!(
            lines,
            [
                "00:02 WARNING: Fan 3: dead",
                "00:20 WARNING: Fan 4: dead",
                "01:03 (2 times since 00:03) Curtailed for 2 min 5 s, 1 kW",
                "01:15 (3 times since 00:01) EMERGENCY: Intake 109.9 °F is critical (for 1 h 14 min; `minectl ack intake` stops \
                 reminders)",
            ]
        );
    }

    #[test]
    fn what_happened_twice_is_told_twice_and_an_emergency_is_no_warning() {
        let proven = (Severity::Info, 1, "Miners proven off in 94 s");
        assert_eq!(listed(&[proven, proven]).len(), 2);
        let hot = |severity, at| (severity, at, "Intake 104 °F");
        assert_eq!(listed(&[hot(Severity::Warning, 1), hot(Severity::Emergency, 2)]).len(), 2);
        assert_eq!(listed(&[hot(Severity::Warning, 1), hot(Severity::Warning, 2)]).len(), 1);
    }

    #[test]
    fn what_is_given_up_is_named_the_worst_and_newest_first() {
        let entry = |id: u64, severity, text: &str| {
            let notice = Notice { severity, at: UnixSeconds(1000 + i64::try_from(id).unwrap()), text: text.to_owned() };
            OutboxEntry::untried(id, crate::model::Channel::Email, notice)
        };
        let (info, emergency) = (Severity::Info, Severity::Emergency);
        let one = [entry(1, info, "a\ndetail")];
        assert_eq!(named(&one), "1 messages (a)");
        let many = [
            entry(1, info, "a"),
            entry(2, info, "b"),
            entry(3, emergency, "c"),
            entry(4, info, "d"),
            entry(5, info, "d"),
        ];
        assert_eq!(named(&many), "5 messages (EMERGENCY: c; d; b; and 2 more)");
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
