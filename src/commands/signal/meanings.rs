//! What tells the pages of the one kind from those of the other at one place: a number with a threshold, words, or
//! phrases within prose. Dates, times and years are left out: they differ from page to page for no reason.

use regex::Regex;

use super::places::Candidate;
use crate::config::{OffWhen, PagePlace, SignalMeaning};
use crate::drivers::page::{find, strict_number};

/// Numbers of one text that are looked at.
const NUMBERS_MAX: usize = 40;
/// The longest text that can be a word.
const WORD_CHARS_MAX: usize = 60;
/// Different words on one side.
const WORDS_MAX: usize = 8;
/// Words of one phrase, and of a text in which phrases are looked for.
const PHRASE_WORDS_MAX: usize = 6;
const PROSE_WORDS_MAX: usize = 150;
/// A number with a label before it, and one that stands alone, where no page has a no-break blank or a true minus in it.
const NUMBER: &str = r"(-?\d+(?:,\d{3})*(?:\.\d+)?)";
const ALONE: &str = r"([-0-9.,]+)";
/// The same where one has.
const NUMBER_WIDE: &str = r"([-\x{2212}]?\d+(?:[,\x{a0}]\d{3})*(?:\.\d+)?)";
const ALONE_WIDE: &str = r"([-\x{2212}0-9.,\x{a0}]+)";
const UNITS: [&str; 10] = ["MW", "kW", "KW", "GW", "MWh", "%", "mw", "kw", "megawatts", "kilowatts"];
/// Larger numbers are moments or identities.
const NUMBER_MAX: f64 = 1e9;
/// Words about power, and words about everything else that moves.
const GOOD: &str =
    r"(?i)load|demand|peak|control|status|signal|alert|level|curtail|gauge|reserve|interrupt|power|\bmw\b|\bkw\b";
const BAD: &str = r"(?i)date|time|updat|stamp|clock|visit|hits|temp|copyright|phone|forecast|record|year|page|version|token|session|nav|footer|\bat\b|\bof\b|\bas\b";

/// A way to read the value at a place.
pub(super) struct Proposal {
    /// Where.
    pub(super) place: PagePlace,
    /// Group 1 is the value.
    pub(super) pattern: String,
    /// What it means.
    pub(super) meaning: SignalMeaning,
    /// How good it looks.
    pub(super) score: i32,
}

/// Every way in which a place tells the pages apart; `off` says for each page whether the miners must be off.
pub(super) fn of(candidate: &Candidate, off: &[bool]) -> Vec<Proposal> {
    let mut found = Vec::new();
    if candidate.texts.iter().all(|text| Some(text) == candidate.texts.first()) {
        return found;
    }
    let length = candidate.texts.iter().map(|text| text.chars().count()).max().unwrap_or_default();
    let looseness = i32::try_from(length / 10).unwrap_or(i32::MAX).min(20);
    let place_words = match &candidate.place {
        PagePlace::Element { selector, attribute } => {
            format!("{selector} {}", attribute.as_deref().unwrap_or_default())
        }
        PagePlace::Json(pointer) => pointer.replace(['/', '_'], " "),
    };
    for (pattern, meaning, score) in numbers(candidate, off).into_iter().chain(words(candidate, off)) {
        let score = candidate.score - looseness + score + taste(&format!("{place_words} {pattern}"));
        found.push(Proposal { place: candidate.place.clone(), pattern, meaning, score });
    }
    if found.is_empty()
        && let Some((pattern, meaning, score)) = phrases(candidate, off)
    {
        let score = candidate.score - looseness + score + taste(&place_words);
        found.push(Proposal { place: candidate.place.clone(), pattern, meaning, score });
    }
    found
}

fn taste(words: &str) -> i32 {
    let has = |pattern: &str| Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(words));
    i32::from(has(GOOD)) * 10 - i32::from(has(BAD)) * 15
}

fn numbers(candidate: &Candidate, off: &[bool]) -> Vec<(String, SignalMeaning, i32)> {
    let mut found = Vec::new();
    let Some(first) = candidate.texts.first() else { return found };
    let is_wide = candidate.texts.iter().any(|text| text.contains(['\u{2212}', '\u{a0}']));
    for (pattern, score) in number_patterns(first, is_wide) {
        let values: Option<Vec<f64>> = candidate
            .texts
            .iter()
            .map(|text| find(text, &pattern).ok().and_then(|found| strict_number(&found.text)))
            .map(|value| value.filter(|value| value.abs() <= NUMBER_MAX))
            .collect();
        if let Some(meaning) = values.and_then(|values| threshold(&values, off))
            && !found.iter().any(|(known, _, _)| *known == pattern)
        {
            found.push((pattern, meaning, score));
        }
    }
    found
}

/// Patterns for the numbers of a text: the number alone, or after its label.
fn number_patterns(text: &str, is_wide: bool) -> Vec<(String, i32)> {
    let (number, alone) = if is_wide { (NUMBER_WIDE, ALONE_WIDE) } else { (NUMBER, ALONE) };
    let mut patterns = Vec::new();
    let Ok(numbers) = Regex::new(number) else { return patterns };
    for token in numbers.find_iter(text).take(NUMBERS_MAX) {
        let before = text.get(..token.start()).unwrap_or_default();
        let after = text.get(token.end()..).unwrap_or_default();
        if is_date_part(before, token.as_str(), after) {
            continue;
        }
        let unit = unit(after);
        let tail = if unit.is_empty() { String::new() } else { format!(r"\s*{}", regex::escape(unit)) };
        if before.trim().is_empty() && after.trim() == unit {
            patterns.push((format!("^{alone}{tail}$"), 25 + if unit.is_empty() { 0 } else { 5 }));
        } else if let Some(label) = label(before) {
            patterns.push((format!("{label}{number}{tail}"), 12 + if unit.is_empty() { 0 } else { 10 }));
        }
    }
    patterns
}

/// The unit after a number: a short word or a percent sign.
fn unit(after: &str) -> &str {
    let word = after.split_whitespace().next().unwrap_or_default().trim_end_matches(['.', ',', ';', ')']);
    if UNITS.contains(&word) { word } else { "" }
}

/// The last words before a number, digits among them excluded, as the beginning of a pattern.
fn label(before: &str) -> Option<String> {
    let words: Vec<&str> = before.split(' ').filter(|word| !word.is_empty()).collect();
    let is_plain = |word: &&&str| !word.contains(|c: char| c.is_ascii_digit());
    let is_label = |word: &&&str| is_plain(word) && !UNITS.contains(*word);
    let mut last: Vec<&str> = words.iter().rev().take_while(is_label).take(3).copied().collect();
    last.reverse();
    let letters: usize = last.iter().map(|word| word.chars().filter(|c| c.is_alphabetic()).count()).sum();
    let escaped: Vec<String> = last.iter().map(|word| regex::escape(word)).collect();
    let gap = if before.ends_with(' ') { r"\s+" } else { "" };
    (letters >= 3).then(|| format!("{}{gap}", escaped.join(r"\s+")))
}

fn is_date_part(before: &str, token: &str, after: &str) -> bool {
    let months = r"(?i)(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?,?\s*(\d{1,2},?\s*)?$";
    let in_date = |c: char| matches!(c, ':' | '/' | '-');
    let goes_on = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let comes_after = before.strip_suffix(in_date).is_some_and(|t| t.ends_with(|c: char| c.is_ascii_digit()));
    let comes_before = after.strip_prefix(in_date).is_some_and(goes_on);
    let is_month = Regex::new(months).is_ok_and(|months| months.is_match(before));
    let half_day = after.trim_start().to_ascii_lowercase();
    let is_clock = ["am", "pm", "a.m", "p.m", "h:"].iter().any(|word| half_day.starts_with(word));
    let is_year = token.len() == 4 && (token.starts_with("19") || token.starts_with("20")) && unit(after).is_empty();
    comes_after || comes_before || is_month || is_clock || is_year
}

/// A threshold between the two kinds, nearer to the numbers at which the miners may run: a call that is missed costs
/// more than an hour off.
fn threshold(values: &[f64], off: &[bool]) -> Option<SignalMeaning> {
    let side = |wanted: bool| values.iter().zip(off).filter(move |(_, off)| **off == wanted).map(|(value, _)| *value);
    let lowest = |wanted| side(wanted).fold(f64::INFINITY, f64::min);
    let highest = |wanted| side(wanted).fold(f64::NEG_INFINITY, f64::max);
    let (off_when, from, to) = if lowest(true) > highest(false) {
        (OffWhen::High, highest(false), lowest(true))
    } else if highest(true) < lowest(false) {
        (OffWhen::Low, lowest(false), highest(true))
    } else {
        return None;
    };
    let gap = to - from;
    let step = 10_f64.powf((gap.abs() * 0.1).log10().floor());
    let nice = |value: f64| ((value / step).round() * step * 1e6).round() / 1e6;
    let (resume_below, curtail_at) = (nice(from + gap * 0.2), nice(from + gap * 0.4));
    let (least, most) = (lowest(true).min(lowest(false)), highest(true).max(highest(false)));
    let room = (most - least).max(most.abs());
    let range = (if least > 0.0 { (least / 2.0).floor() } else { (least - room).floor() }, (most + room).ceil());
    let is_sound = match off_when {
        OffWhen::High => from < resume_below && resume_below < curtail_at && curtail_at <= to,
        OffWhen::Low => from > resume_below && resume_below > curtail_at && curtail_at >= to,
    };
    is_sound.then_some(SignalMeaning::Number { range, off_when, curtail_at, resume_below })
}

fn words(candidate: &Candidate, off: &[bool]) -> Option<(String, SignalMeaning, i32)> {
    let is_attribute = matches!(&candidate.place, PagePlace::Element { attribute: Some(_), .. });
    let texts = &candidate.texts;
    let short =
        |text: &String| !text.is_empty() && text.chars().count() <= WORD_CHARS_MAX * if is_attribute { 4 } else { 1 };
    if !texts.iter().all(short) {
        return None;
    }
    if is_attribute && let Some(found) = pictures(texts, off) {
        return Some(found);
    }
    if texts.iter().any(|text| text.contains(|c: char| c.is_ascii_digit())) {
        return None;
    }
    let head = common_head(texts);
    let pattern = match head.as_str() {
        "" => "^(.+)$".to_owned(),
        head => format!(r"^{}\s+(.+)$", regex::escape(head)),
    };
    let meaning = as_words(texts.iter().map(|text| text.get(head.len()..).unwrap_or_default().trim()), off)?;
    Some((pattern, meaning, if is_attribute { 5 } else { 22 }))
}

/// Names of pictures: `gauge3` of `/images/gauge3.png?v=7`, as a number where they are numbered.
fn pictures(texts: &[String], off: &[bool]) -> Option<(String, SignalMeaning, i32)> {
    let pattern = r"([^/?#]+)\.(?:png|gif|jpe?g|svg|webp)";
    let names: Option<Vec<String>> = texts.iter().map(|text| Some(find(text, pattern).ok()?.text)).collect();
    let names = names?;
    let head = names.first()?.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbers: Option<Vec<f64>> = names.iter().map(|name| strict_number(name.strip_prefix(head)?)).collect();
    if let Some(meaning) = numbers.and_then(|numbers| threshold(&numbers, off)).filter(|_| !head.is_empty()) {
        return Some((format!(r"{}(\d+)\.(?:png|gif|jpe?g|svg|webp)", regex::escape(head)), meaning, 25));
    }
    let meaning = as_words(names.iter().map(String::as_str), off)?;
    Some((pattern.to_owned(), meaning, 22))
}

/// Words in a cell beside a cell that says the same on every page: looked for in each place that holds both.
pub(super) fn beside(label: &str, values: &[String], candidates: &[Candidate], off: &[bool]) -> Vec<Proposal> {
    let is_short = |value: &String| !value.is_empty() && value.chars().count() <= WORD_CHARS_MAX;
    let has_digit = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    if !values.iter().all(is_short) || has_digit(label) || values.iter().any(|value| has_digit(value)) {
        return Vec::new();
    }
    let Some(meaning) = as_words(values.iter().map(String::as_str), off) else { return Vec::new() };
    let mut known: Vec<String> = Vec::new();
    for value in values {
        let value = spaced(value);
        if !known.contains(&value) {
            known.push(value);
        }
    }
    // The longer of two words that begin alike comes first.
    known.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let pattern = format!(r"{}\s+({})(?:\s|$)", spaced(label), known.join("|"));
    let holds = |candidate: &&Candidate| candidate.texts.iter().all(|text| find(text, &pattern).is_ok());
    let texts = candidates.iter().filter(|candidate| is_text(&candidate.place)).filter(holds);
    let proposal = |candidate: &Candidate| {
        let length = candidate.texts.iter().map(|text| text.chars().count()).max().unwrap_or_default();
        let looseness = i32::try_from(length / 10).unwrap_or(i32::MAX).min(20);
        let score = candidate.score - looseness + 15 + taste(label);
        Proposal { place: candidate.place.clone(), pattern: pattern.clone(), meaning: meaning.clone(), score }
    };
    texts.map(proposal).collect()
}

fn is_text(place: &PagePlace) -> bool {
    matches!(place, PagePlace::Element { attribute: None, .. })
}

fn spaced(text: &str) -> String {
    text.split(' ').map(regex::escape).collect::<Vec<_>>().join(r"\s+")
}

/// The words that all texts begin with, as long as something is left of each.
fn common_head(texts: &[String]) -> String {
    let mut head: Vec<&str> = Vec::new();
    let Some(first) = texts.first() else { return String::new() };
    for word in first.split(' ') {
        let longer = [head.as_slice(), &[word]].concat().join(" ") + " ";
        if !texts.iter().all(|text| text.starts_with(&longer)) {
            break;
        }
        head.push(word);
    }
    head.join(" ")
}

fn as_words<'a>(texts: impl Iterator<Item = &'a str>, off: &[bool]) -> Option<SignalMeaning> {
    let (mut curtail, mut run): (Vec<String>, Vec<String>) = Default::default();
    for (text, is_off) in texts.zip(off) {
        let list = if *is_off { &mut curtail } else { &mut run };
        if !list.iter().any(|known| known.to_lowercase() == text.to_lowercase()) {
            list.push(text.to_owned());
        }
    }
    let is_shared = curtail.iter().any(|word| run.iter().any(|other| other.to_lowercase() == word.to_lowercase()));
    let is_few = curtail.len() <= WORDS_MAX && run.len() <= WORDS_MAX;
    (!is_shared && is_few).then_some(SignalMeaning::Words { curtail, run })
}

/// One phrase that is on all pages of the one kind and on none of the other, for each kind.
fn phrases(candidate: &Candidate, off: &[bool]) -> Option<(String, SignalMeaning, i32)> {
    let texts: Vec<String> = candidate.texts.iter().map(|text| plain_words(text)).collect();
    if texts.iter().any(|text| text.split(' ').count() > PROSE_WORDS_MAX) {
        return None;
    }
    let (run, curtail) = (phrase(&texts, off, false)?, phrase(&texts, off, true)?);
    let pattern = format!(r"(?i)\b({}|{})\b", spaced(&run), spaced(&curtail));
    Some((pattern, SignalMeaning::Words { curtail: vec![curtail], run: vec![run] }, 0))
}

/// A text's words with a blank around each; a mark or a digit stands as `|` and ends a phrase.
fn plain_words(text: &str) -> String {
    let mut plain = String::from(" ");
    let mut gap = false;
    for letter in text.to_lowercase().chars() {
        if letter.is_alphabetic() || letter == '\'' {
            plain.push_str(if gap { " " } else { "" });
            plain.push(letter);
        } else if letter != ' ' && !plain.ends_with("| ") {
            plain.push_str(if plain.ends_with(' ') { "| " } else { " | " });
        }
        gap = letter == ' ' && !plain.ends_with(' ');
    }
    plain + " "
}

fn phrase(texts: &[String], off: &[bool], wanted: bool) -> Option<String> {
    let of = |kind: bool| texts.iter().zip(off).filter(move |(_, off)| **off == kind).map(|(text, _)| text);
    let words: Vec<&str> = of(wanted).next()?.split(' ').filter(|word| !word.is_empty()).collect();
    let mut best: Option<(i32, String)> = None;
    for length in (2..=PHRASE_WORDS_MAX).rev() {
        for window in words.windows(length).filter(|window| !window.contains(&"|")) {
            let phrase = window.join(" ");
            let bounded = format!(" {phrase} ");
            let is_better = |score: i32| best.as_ref().is_none_or(|(known, _)| score > *known);
            if !of(wanted).all(|text| text.contains(&bounded)) || of(!wanted).any(|text| text.contains(&bounded)) {
                continue;
            }
            let score = taste(&phrase) + i32::try_from(length).unwrap_or(0);
            if is_better(score) {
                best = Some((score, phrase));
            }
        }
    }
    best.map(|(_, phrase)| phrase)
}
