//! The utility's page: fetched fresh, and believed only after every configured check. What its value means for the
//! miners, and how long it counts, is not decided here.

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use regex::Regex;
use scraper::{Html, Selector};
use sha2::{Digest, Sha256};

use super::common::{Limits, is_login_page};
use crate::config::{SignalConfig, SignalMeaning, StampConfig};
use crate::http::{Request, excerpt, send};
use crate::model::{Fault, FaultKind, Reading, SignalReading, SignalValue};
use crate::units::UnixSeconds;

/// The device's name.
pub(super) const NAME: &str = "signal";

/// Redirects that are followed: public pages move.
const REDIRECTS_MAX: u32 = 5;

/// The page's clock may be this far ahead of ours: it chooses between the two readings of a time that happens twice.
const AHEAD_S: i64 = 600;

/// Fetches the page and reads it.
pub(super) fn read(cfg: &SignalConfig, time_zone: &str, now: UnixSeconds, limits: Limits) -> Reading<SignalReading> {
    let mut request = Request::get(NAME, &cfg.url, limits.next())
        .header("Accept", "text/html, */*;q=0.5")
        .header("Cache-Control", "no-cache")
        .header("Pragma", "no-cache");
    request.redirects_max = REDIRECTS_MAX;
    let answer = send(&request)?.accepted(NAME, &cfg.url)?;
    parse(&answer.text(), cfg, time_zone, now)
}

fn fault(kind: FaultKind, detail: String) -> Fault {
    Fault::new(NAME, kind, detail)
}

/// What a page says at `now`, after all checks in this order: texts, stamp, the one element, pattern, value.
pub fn parse(body: &str, cfg: &SignalConfig, time_zone: &str, now: UnixSeconds) -> Reading<SignalReading> {
    if body.trim().is_empty() {
        return Err(fault(FaultKind::Unreadable, "page is empty".to_owned()));
    }
    let page = Html::parse_document(body);
    check_texts(body, &page, cfg)?;
    let stamp = cfg.stamp.as_ref().map(|stamp| check_stamp(&page, stamp, time_zone, now)).transpose()?;
    let text = the_element(&page, &cfg.selector)?;
    let found = group_1(&text, &cfg.pattern)?;
    let value = value(&found, &cfg.meaning)?;
    let hash: String = Sha256::digest(body.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(SignalReading { text, value, stamp, hash })
}

/// White space of any kind folded to single blanks.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text may be in what a reader sees or anywhere in the source, in any case.
fn check_texts(body: &str, page: &Html, cfg: &SignalConfig) -> Result<(), Fault> {
    let seen = folded(&page.root_element().text().collect::<String>()).to_lowercase();
    let source = folded(body).to_lowercase();
    let has = |text: &String| {
        let wanted = folded(text).to_lowercase();
        seen.contains(&wanted) || source.contains(&wanted)
    };
    if let Some(text) = cfg.must_not_contain.iter().find(|text| has(text)) {
        let detail = format!("page contains `{}`, which it must not", excerpt(text));
        return Err(fault(FaultKind::Unreadable, detail));
    }
    if let Some(text) = cfg.must_contain.iter().find(|text| !has(text)) {
        if is_login_page(body) {
            let detail = format!("a login page came instead: `{}`", excerpt(body));
            return Err(fault(FaultKind::Refused, detail));
        }
        let detail = format!("page does not contain `{}`; it begins `{}`", excerpt(text), excerpt(body));
        return Err(fault(FaultKind::WrongDevice, detail));
    }
    Ok(())
}

/// The text of the one element that a selector matches.
fn the_element(page: &Html, selector: &str) -> Result<String, Fault> {
    let parsed = Selector::parse(selector)
        .map_err(|_| fault(FaultKind::Unreadable, format!("selector `{selector}` is not a CSS selector")))?;
    let mut matches = page.select(&parsed);
    match (matches.next(), matches.count()) {
        (Some(element), 0) => Ok(folded(&element.text().collect::<String>())),
        (None, _) => Err(fault(FaultKind::Missing, format!("selector `{selector}` matches no element; wanted 1"))),
        (Some(_), others) => {
            let detail = format!("selector `{selector}` matches {} elements; wanted 1", others + 1);
            Err(fault(FaultKind::Unreadable, detail))
        }
    }
}

fn group_1(text: &str, pattern: &str) -> Result<String, Fault> {
    let unreadable = |detail: String| fault(FaultKind::Unreadable, detail);
    let regex =
        Regex::new(pattern).map_err(|_| unreadable(format!("pattern `{pattern}` is not a regular expression")))?;
    let found = regex.captures(text).and_then(|groups| Some(groups.get(1)?.as_str().trim().to_owned()));
    found.filter(|found| !found.is_empty()).ok_or_else(|| {
        unreadable(format!("text `{}` does not match the pattern `{}`", excerpt(text), excerpt(pattern)))
    })
}

fn value(found: &str, meaning: &SignalMeaning) -> Result<SignalValue, Fault> {
    match meaning {
        SignalMeaning::Number { range: (min, max), .. } => {
            let number = strict_number(found).ok_or_else(|| {
                fault(FaultKind::Unreadable, format!("`{}` is not a number as this page writes it", excerpt(found)))
            })?;
            if !(*min..=*max).contains(&number) {
                let detail = format!("{number} is outside the range {min} to {max} that is believed");
                return Err(fault(FaultKind::OutOfRange, detail));
            }
            Ok(SignalValue::Number(number))
        }
        SignalMeaning::Words { curtail, run } => {
            let is_in = |words: &[String]| words.iter().any(|word| folded(word).to_lowercase() == found.to_lowercase());
            match (is_in(curtail), is_in(run)) {
                (true, false) => Ok(SignalValue::CurtailWord(found.to_owned())),
                (false, true) => Ok(SignalValue::RunWord(found.to_owned())),
                (true, true) => {
                    Err(fault(FaultKind::Unreadable, format!("word `{}` is in both lists", excerpt(found))))
                }
                (false, false) => {
                    let known: Vec<&str> = curtail.iter().chain(run).map(String::as_str).collect();
                    let detail = format!("word `{}` is not known; known are `{}`", excerpt(found), known.join("`, `"));
                    Err(fault(FaultKind::Unreadable, detail))
                }
            }
        }
    }
}

/// A number with an optional sign (also U+2212), commas only between groups of three, and a decimal point.
fn strict_number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.chars().next()? {
        '-' | '\u{2212}' => (-1.0, text.chars().skip(1).collect::<String>()),
        '+' => (1.0, text.chars().skip(1).collect()),
        _ => (1.0, text.to_owned()),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits.as_str(), None),
    };
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let is_grouped = whole.contains(',');
    let good = all_digits(first)
        && (!is_grouped || first.len() <= 3)
        && groups.all(|group| group.len() == 3 && all_digits(group))
        && fraction.is_none_or(all_digits)
        && digits.len() <= 30;
    let number: f64 = digits.replace(',', "").parse().ok().filter(|_| good)?;
    number.is_finite().then_some(sign * number)
}

/// The page's own stamp; too old is `Stale`. One ahead of `now` is handed on: whose clock is wrong, the rules weigh.
fn check_stamp(page: &Html, cfg: &StampConfig, time_zone: &str, now: UnixSeconds) -> Result<UnixSeconds, Fault> {
    let text = the_element(page, &cfg.selector)?;
    let stamp = stamp_time(&text, &cfg.format, time_zone, now).ok_or_else(|| {
        let detail = format!("time stamp `{}` is not written as `{}`", excerpt(&text), excerpt(&cfg.format));
        fault(FaultKind::Unreadable, detail)
    })?;
    let age = now.since(stamp);
    if age > cfg.max_age {
        let detail = format!("page's own time stamp `{}` is {age} old; limit {}", excerpt(&text), cfg.max_age);
        return Err(fault(FaultKind::Stale, detail));
    }
    Ok(stamp)
}

/// A stamp as a moment. In the hour that happens twice it is the one whose zone the stamp names, else the later one
/// unless that would be ahead of `now`.
fn stamp_time(text: &str, format: &str, time_zone: &str, now: UnixSeconds) -> Option<UnixSeconds> {
    // A zone's letters cannot be parsed in general (CST is six places); they only choose between two readings.
    let (text, format, letters) = match folded(format).strip_suffix("%Z") {
        Some(format) => {
            let (text, letters) = text.rsplit_once(' ').filter(|(_, l)| l.bytes().all(|b| b.is_ascii_alphabetic()))?;
            (text, format.trim_end().to_owned(), Some(letters))
        }
        None => (text, folded(format), None),
    };
    let parsed = BrokenDownTime::parse(format, text).ok()?;
    if parsed.offset().is_some() {
        return Some(UnixSeconds(parsed.to_timestamp().ok()?.as_second()));
    }
    let zone = match letters {
        Some("UTC" | "GMT") => TimeZone::UTC,
        _ => TimeZone::get(time_zone).ok()?,
    };
    let local = zone.to_ambiguous_timestamp(parsed.to_datetime().ok()?);
    let (earlier, later) = (local.earlier().ok()?, local.later().ok()?);
    let is_named = |time: Timestamp| letters == Some(zone.to_offset_info(time).abbreviation());
    let is_past = later.as_second() <= now.0.saturating_add(AHEAD_S);
    let is_later = match (is_named(earlier), is_named(later)) {
        (true, false) => false,
        (false, true) => true,
        (true, true) | (false, false) => is_past,
    };
    Some(UnixSeconds(if is_later { later.as_second() } else { earlier.as_second() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seconds;

    #[test]
    fn numbers_are_taken_as_a_page_writes_them_and_in_no_other_way() {
        for (text, wanted) in [
            ("312", 312.0),
            ("312.5", 312.5),
            ("1,312.5", 1312.5),
            ("1,312,000", 1_312_000.0),
            ("-5", -5.0),
            ("\u{2212}5", -5.0),
            ("+5", 5.0),
            ("1312", 1312.0),
        ] {
            assert_eq!(strict_number(text), Some(wanted), "{text}");
        }
        for text in [
            "",
            "-",
            "312,5",
            "3,12",
            "13,12,000",
            "1234,567",
            ",312",
            "312,",
            "312.",
            ".5",
            "3.1.2",
            "3 12",
            "1e3",
            "NaN",
            "inf",
            "0x10",
            "--5",
            "1,312.5,000",
            "٣١٢",
        ] {
            assert_eq!(strict_number(text), None, "{text}");
        }
    }

    #[test]
    fn a_stamp_in_the_hour_that_happens_twice_is_the_nearest_one_in_the_past() {
        // Chicago went from CDT to CST on 2026-11-01 at 07:00 UTC: 01:30 was at 06:30 and at 07:30 UTC.
        let (format, first, second) = ("%m/%d/%Y %I:%M %p", UnixSeconds(1_793_514_600), UnixSeconds(1_793_518_200));
        let at = |now: UnixSeconds| stamp_time("11/01/2026 01:30 AM", format, "America/Chicago", now);
        assert_eq!(at(first.plus(Seconds(60))), Some(first));
        assert_eq!(at(second.plus(Seconds(60))), Some(second));
        assert_eq!(at(second.minus(Seconds(60))), Some(second), "the page's clock may be a little ahead");
    }

    #[test]
    fn zone_letters_in_a_stamp_choose_between_the_two_readings() {
        let (first, second) = (UnixSeconds(1_793_514_600), UnixSeconds(1_793_518_200));
        let at = |text| stamp_time(text, "%m/%d/%Y %I:%M %p %Z", "America/Chicago", second.plus(Seconds(60)));
        assert_eq!(at("11/01/2026 01:30 AM CDT"), Some(first));
        assert_eq!(at("11/01/2026 01:30 AM CST"), Some(second));
        assert_eq!(at("11/01/2026 01:30 AM CT"), Some(second));
        assert_eq!(at("11/01/2026 01:30 AM GMT"), Some(UnixSeconds(1_793_496_600)));
        assert_eq!(at("11/01/2026 01:30 AM"), None);
    }

    #[test]
    fn a_stamp_with_its_own_offset_needs_no_time_zone() {
        let stamp = stamp_time("2026-11-22 14:00 +0000", "%Y-%m-%d %H:%M %z", "America/Chicago", UnixSeconds(0));
        assert_eq!(stamp, Some(UnixSeconds(1_795_356_000)));
    }
}
