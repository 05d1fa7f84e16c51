//! The page's own time stamp on saved pages: where it is and how it is written. Only stamps with a date are proposed.

use regex::{Captures, Regex};

use super::places::Candidate;
use crate::config::PagePlace;
use crate::drivers::page::moment;
use crate::units::UnixSeconds;

/// The longest text that is a stamp.
const STAMP_CHARS_MAX: usize = 80;

/// A stamp that can be read on every page.
pub(super) struct Stamp {
    /// Where.
    pub(super) place: PagePlace,
    /// Its strptime format.
    pub(super) format: String,
    /// What it says on each page.
    pub(super) moments: Vec<UnixSeconds>,
}

/// The stamp whose place promises most to stay.
pub(super) fn found(candidates: &[Candidate], time_zone: &str) -> Option<Stamp> {
    let mut best: Option<(i32, Stamp)> = None;
    for candidate in candidates {
        let Some(format) = candidate.texts.first().and_then(|text| format_of(text)) else { continue };
        let read = |text: &String| moment(text, &format, time_zone, UnixSeconds(0));
        let Some(moments) = candidate.texts.iter().map(read).collect::<Option<Vec<_>>>() else { continue };
        if best.as_ref().is_none_or(|(score, _)| candidate.score > *score) {
            best = Some((candidate.score, Stamp { place: candidate.place.clone(), format, moments }));
        }
    }
    best.map(|(_, stamp)| stamp)
}

/// How a text with one date and one time is written, as a strptime format.
fn format_of(text: &str) -> Option<String> {
    if text.chars().count() > STAMP_CHARS_MAX || text.contains('%') {
        return None;
    }
    let is_unix = text.bytes().all(|byte| byte.is_ascii_digit()) && text.starts_with(['1', '2']);
    if is_unix && matches!(text.len(), 10 | 13) {
        return Some("%s".to_owned());
    }
    let day = r"\b(?P<us>\d{1,2}/\d{1,2}/\d{4})\b|\b(?P<iso>\d{4}-\d{2}-\d{2})(?:\b|T)|(?P<long>\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?P<full>[a-z]{0,6})\.? \d{1,2}(?P<comma>,?) \d{4})\b";
    let time = r"(?i)(?P<t>\b|T)(?P<h>\d{1,2}:\d{2})(?P<s>:\d{2})?(?P<gap> ?)(?P<half>[ap]\.?m\b\.?)?";
    let (day, time) = (Regex::new(day).ok()?, Regex::new(time).ok()?);
    if time.find_iter(text).count() != 1 || day.find_iter(text).count() != 1 {
        return None;
    }
    let with_time = time.replace(text, |groups: &Captures<'_>| {
        let t = groups.name("t").map_or("", |t| t.as_str());
        let seconds = if groups.name("s").is_some() { ":%S" } else { "" };
        let gap = groups.name("gap").map_or("", |gap| gap.as_str());
        match groups.name("half") {
            Some(_) => format!("{t}%I:%M{seconds}{gap}%p"),
            None => format!("{t}%H:%M{seconds}{gap}"),
        }
    });
    let with_day = day.replace(&with_time, |groups: &Captures<'_>| {
        if groups.name("us").is_some() {
            return "%m/%d/%Y".to_owned();
        }
        if let Some(iso) = groups.name("iso") {
            let whole = groups.get(0).map_or("", |whole| whole.as_str());
            return format!("%Y-%m-%d{}", whole.strip_prefix(iso.as_str()).unwrap_or_default());
        }
        let month = if groups.name("full").is_some_and(|rest| !rest.as_str().is_empty()) { "%B" } else { "%b" };
        let comma = groups.name("comma").map_or("", |comma| comma.as_str());
        format!("{month} %d{comma} %Y")
    });
    let zone = Regex::new(r" [A-Z]{1,3}T$").ok()?;
    let format = zone.replace(&with_day, " %Z").into_owned();
    let literal = Regex::new("%[a-zA-Z]").ok()?.replace_all(&format, "").into_owned();
    (!literal.contains(|c: char| c.is_ascii_digit())).then_some(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_gives_its_own_format() {
        for (text, wanted) in [
            ("Last updated: 11/22/2026 02:05 PM", Some("Last updated: %m/%d/%Y %I:%M %p")),
            ("11/22/2026 2:05:11 p.m.", Some("%m/%d/%Y %I:%M:%S %p")),
            ("2026-11-22 14:05 CST", Some("%Y-%m-%d %H:%M %Z")),
            ("2026-11-22T14:05:09", Some("%Y-%m-%dT%H:%M:%S")),
            ("As of November 22, 2026 at 2:05 PM", Some("As of %B %d, %Y at %I:%M %p")),
            ("Nov 22 2026 14:05", Some("%b %d %Y %H:%M")),
            ("1795377900000", Some("%s")),
            ("14:05", None),
            ("11/22/2026", None),
            ("11/22/2026 02:05 PM to 05:00 PM", None),
            ("Load 312 at 11/22/2026 02:05 PM", None),
        ] {
            assert_eq!(format_of(text).as_deref(), wanted, "{text}");
            if let Some(format) = wanted {
                assert!(moment(text, format, "America/Chicago", UnixSeconds(1_795_378_200)).is_some(), "{text}");
            }
        }
    }
}
