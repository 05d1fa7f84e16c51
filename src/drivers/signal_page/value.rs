//! From a place's text to the one value: pattern, strict number, known word. A text that says two things says nothing.

use std::ops::Range;

use regex::Regex;

use super::fault;
use super::place::folded;
use crate::config::SignalMeaning;
use crate::http::excerpt;
use crate::model::{Fault, FaultKind, SignalValue};

/// Values of one pattern in one text that are compared.
const MATCHES_MAX: usize = 1000;

/// The pattern's group 1 where it was found.
pub struct Found {
    /// Its text.
    pub text: String,
    span: Range<usize>,
    whole: Range<usize>,
}

fn unreadable(detail: String) -> Fault {
    fault(FaultKind::Unreadable, detail)
}

/// Group 1 of the pattern in a text. Where it is found more than once, all must say the same.
pub fn find(text: &str, pattern: &str) -> Result<Found, Fault> {
    let regex =
        Regex::new(pattern).map_err(|_| unreadable(format!("pattern `{pattern}` is not a regular expression")))?;
    let mut all = regex.captures_iter(text).take(MATCHES_MAX).filter_map(|groups| {
        let (whole, one) = (groups.get(0)?.range(), groups.get(1)?);
        let trimmed = one.as_str().trim();
        let start = one.start() + (one.as_str().len() - one.as_str().trim_start().len());
        let span = start..start + trimmed.len();
        (!trimmed.is_empty()).then(|| Found { text: trimmed.to_owned(), span, whole })
    });
    let Some(first) = all.next() else {
        let detail = format!("text `{}` does not match the pattern `{}`", excerpt(text), excerpt(pattern));
        return Err(unreadable(detail));
    };
    match all.find(|other| other.text.to_lowercase() != first.text.to_lowercase()) {
        None => Ok(first),
        Some(other) => Err(unreadable(format!(
            "pattern `{}` finds `{}` and `{}` in the text; wanted one value",
            excerpt(pattern),
            excerpt(&first.text),
            excerpt(&other.text)
        ))),
    }
}

/// What group 1 means; `text` is the text it was found in.
pub(super) fn value(text: &str, found: &Found, meaning: &SignalMeaning) -> Result<SignalValue, Fault> {
    match meaning {
        SignalMeaning::Number { range: (min, max), .. } => {
            let whole = text.get(whole_number(text, &found.span)).unwrap_or_default();
            let number = strict_number(&found.text).ok_or_else(|| {
                unreadable(format!("`{}` is not a number as this page writes it", excerpt(&found.text)))
            })?;
            if whole != found.text {
                let (part, whole) = (excerpt(&found.text), excerpt(whole));
                return Err(unreadable(format!("pattern takes `{part}` out of `{whole}`; wanted the whole number")));
            }
            if !(*min..=*max).contains(&number) {
                let detail = format!("{number} is outside the range {min} to {max} that is believed");
                return Err(fault(FaultKind::OutOfRange, detail));
            }
            Ok(SignalValue::Number(number))
        }
        SignalMeaning::Words { curtail, run } => word(text, found, curtail, run),
    }
}

fn word(text: &str, found: &Found, curtail: &[String], run: &[String]) -> Result<SignalValue, Fault> {
    let shown = excerpt(&found.text);
    if is_cut_word(text, found) {
        return Err(unreadable(format!("pattern takes `{shown}` out of a longer word; wanted the whole word")));
    }
    let plain = |word: &str| folded(word).replace('\u{a0}', " ").to_lowercase();
    let is_in = |words: &[String]| words.iter().any(|word| plain(word) == plain(&found.text));
    match (is_in(curtail), is_in(run)) {
        (true, false) => Ok(SignalValue::CurtailWord(found.text.clone())),
        (false, true) => Ok(SignalValue::RunWord(found.text.clone())),
        (true, true) => Err(unreadable(format!("word `{shown}` is in both lists"))),
        (false, false) => {
            let known: Vec<&str> = curtail.iter().chain(run).map(String::as_str).collect();
            Err(unreadable(format!("word `{shown}` is not known; known are `{}`", known.join("`, `"))))
        }
    }
}

/// The number around a span: digits and what may stand between digits, and a sign before it. A `-` after a letter or a
/// digit is a hyphen.
fn whole_number(text: &str, span: &Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (span.start, span.end);
    let digit_at = |from: usize| text.get(from..).and_then(|t| t.chars().next()).is_some_and(|c| c.is_ascii_digit());
    let joins = |c: char| matches!(c, '.' | ',' | '\u{a0}');
    while let Some(before) = text.get(..start).and_then(|t| t.chars().next_back()) {
        let beyond = start - before.len_utf8();
        let after_digit = text.get(..beyond).is_some_and(|t| t.ends_with(|c: char| c.is_ascii_digit()));
        if !(before.is_ascii_digit() || (joins(before) && digit_at(start) && (after_digit || before == '.'))) {
            break;
        }
        start = beyond;
    }
    while let Some(after) = text.get(end..).and_then(|t| t.chars().next()) {
        if !(after.is_ascii_digit() || (joins(after) && digit_at(end + after.len_utf8()))) {
            break;
        }
        end += after.len_utf8();
    }
    let head = text.get(..start).unwrap_or_default();
    if let Some(sign) = head.chars().next_back().filter(|c| matches!(c, '-' | '\u{2212}')) {
        let before = head.get(..head.len() - sign.len_utf8()).unwrap_or_default();
        if digit_at(start) && !before.ends_with(|c: char| c.is_alphanumeric()) {
            start -= sign.len_utf8();
        }
    }
    start..end
}

/// Whether letters go on where the pattern ends. What the pattern itself asked for beside its group is meant.
fn is_cut_word(text: &str, found: &Found) -> bool {
    let is_word = |c: char| c.is_alphanumeric();
    let before = text.get(..found.span.start).is_some_and(|t| t.ends_with(is_word));
    let after = text.get(found.span.end..).is_some_and(|t| t.starts_with(is_word));
    (before && found.span.start == found.whole.start && found.text.starts_with(is_word))
        || (after && found.span.end == found.whole.end && found.text.ends_with(is_word))
}

/// A number with an optional sign (also U+2212), commas or no-break blanks only between groups of three, and a decimal
/// point.
pub fn strict_number(text: &str) -> Option<f64> {
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
    let separator = whole.chars().find(|c| matches!(c, ',' | '\u{a0}'));
    let mut groups = whole.split(separator.unwrap_or(','));
    let first = groups.next()?;
    let good = all_digits(first)
        && (separator.is_none() || first.len() <= 3)
        && groups.all(|group| group.len() == 3 && all_digits(group))
        && fraction.is_none_or(all_digits)
        && digits.len() <= 30;
    let number: f64 = digits.replace([',', '\u{a0}'], "").parse().ok().filter(|_| good)?;
    number.is_finite().then_some(sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_as_a_page_writes_them_and_in_no_other_way() {
        for (text, wanted) in [
            ("312", 312.0),
            ("312.5", 312.5),
            ("1,312.5", 1312.5),
            ("1\u{a0}312.5", 1312.5),
            ("1\u{a0}312\u{a0}000", 1_312_000.0),
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
            "1 312",
            "1\u{a0}312,000",
            "3\u{a0}12",
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

    fn number(text: &str, pattern: &str) -> Result<SignalValue, String> {
        let meaning = SignalMeaning::Number {
            range: (-10_000.0, 10_000.0),
            off_when: crate::config::OffWhen::High,
            curtail_at: 310.0,
            resume_below: 300.0,
        };
        let found = find(text, pattern).map_err(|fault| fault.detail)?;
        value(text, &found, &meaning).map_err(|fault| fault.detail)
    }

    #[test]
    fn a_pattern_that_finds_two_values_finds_none() {
        let two = number("287.5 MW of 340 MW", r"([\d.]+) MW");
        assert_eq!(two.unwrap_err(), r"pattern `([\d.]+) MW` finds `287.5` and `340` in the text; wanted one value");
        assert_eq!(number("340 MW, again 340 MW", r"(\d+) MW"), Ok(SignalValue::Number(340.0)));
        assert_eq!(number("load 287.5 MW, peak 340 MW", r"load ([\d.]+)"), Ok(SignalValue::Number(287.5)));
    }

    #[test]
    fn a_part_of_a_number_is_no_number() {
        for (text, pattern, whole) in [
            ("1,312.5 MW", r"(\d+) MW", "`5` out of `1,312.5`"),
            ("287.5 MW", r"^(\d+)", "`287` out of `287.5`"),
            ("-5 MW", r"(\d+) MW", "`5` out of `-5`"),
            ("load \u{2212}5", r"(\d+)$", "`5` out of `\u{2212}5`"),
            ("1\u{a0}312 MW", r"(\d+) MW", "`312` out of `1\u{a0}312`"),
            ("load .5", r"load \.(\d+)", "`5` out of `.5`"),
        ] {
            let refused = number(text, pattern).unwrap_err();
            let wanted = whole.replace('\u{a0}', " ");
            assert!(refused.replace('\u{a0}', " ").contains(&wanted), "{text}: {refused}");
        }
        for (text, pattern, wanted) in [
            ("Level-3.", r"(\d+)", 3.0),
            ("Load: 312, as of noon", r"(\d+)", 312.0),
            ("gauge3.png", r"gauge(\d)\.png", 3.0),
            ("312MW", r"(\d+)", 312.0),
            ("at -5 now", r"at (\S+) now", -5.0),
        ] {
            assert_eq!(number(text, pattern), Ok(SignalValue::Number(wanted)), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_word_is_no_word() {
        let meaning = SignalMeaning::Words { curtail: vec!["off".to_owned()], run: vec!["on".to_owned()] };
        let read = |text: &str, pattern: &str| {
            let found = find(text, pattern).map_err(|fault| fault.detail)?;
            value(text, &found, &meaning).map_err(|fault| fault.detail)
        };
        assert!(read("Load control", "(?i)(on|off)").unwrap_err().contains("out of a longer word"));
        assert!(read("Control OFF", "(?i)(on|off)").unwrap_err().contains("wanted one value"));
        assert_eq!(read("Power is ON.", "(?i)(on|off)"), Ok(SignalValue::RunWord("ON".to_owned())));
        assert_eq!(read("light_off.gif", "light_(on|off)"), Ok(SignalValue::CurtailWord("off".to_owned())));
        assert_eq!(read("poweroff.gif", "power(on|off)"), Ok(SignalValue::CurtailWord("off".to_owned())));
        assert!(read("--", "(on|off)").unwrap_err().contains("does not match"));
    }
}
