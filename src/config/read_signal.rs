//! Reads `[signal]`: where the power signal is and how it becomes a level.

use super::check::{self, Shape};
use super::section::{Need, Section};
use super::value::{TEXT, plain};
use super::{OffWhen, PagePlace, SignalConfig, SignalMeaning, StampConfig, WhenBlind};
use crate::units::Seconds;

const OFF_WHEN: [(&str, OffWhen); 2] = [("high", OffWhen::High), ("low", OffWhen::Low)];
const WHEN_BLIND: [(&str, WhenBlind); 2] = [("curtail", WhenBlind::Curtail), ("hold", WhenBlind::Hold)];

/// A clock without a date shows the same again after half a day.
const CLOCK_AGE_MAX: Seconds = Seconds(11 * 3600);

/// The keys of the one meaning, and of the other.
const NUMBER_KEYS: [&str; 4] = ["range", "off_when", "curtail_at", "resume_below"];
const WORD_KEYS: [&str; 2] = ["words_curtail", "words_run"];

pub(super) fn read(s: &Section<'_>) -> Option<SignalConfig> {
    let plain_http = s.flag("allow_plain_http").unwrap_or(false);
    let url = s.url("url", Need::Required, if plain_http { Shape::WholeOrPlain } else { Shape::Whole });
    let redirect_hosts = s.texts("redirect_hosts", Need::Optional, check::host);
    let place = place(s);
    let pattern = s.checked("pattern", TEXT, Need::Required, check::pattern);
    let meaning = meaning(s);
    let reread_near = s.fraction("reread_near", Need::Optional);
    if reread_near.is_some_and(|near| near < 0.0) {
        s.mistake("reread_near", "must not be below 0");
    }
    let must_contain = s.texts("must_contain", Need::Optional, plain);
    let must_not_contain = s.texts("must_not_contain", Need::Optional, plain);
    let stamp = stamp(s, matches!(place, Some(PagePlace::Json(_))));
    let age_bounds = Seconds(10)..=Seconds::minutes(24 * 60);
    let cached_max_age = s.span("cached_max_age", Need::Default("10 minutes"), age_bounds.clone());
    let modified_bounds = Seconds(30)..=Seconds::minutes(60 * 24 * 60);
    let modified_max_age = s.span("modified_max_age", Need::Optional, modified_bounds);
    let max_age = s.span("max_age", Need::Default("10 minutes"), age_bounds);
    let when_blind = s.word("when_blind", Need::Default("curtail"), &WHEN_BLIND);
    let resume_readings = s.number("resume_readings", Need::Default("3"), 1..=100);
    let unchanged_bounds = Seconds::minutes(10)..=Seconds::minutes(60 * 24 * 60);
    let unchanged_warning = s.span("unchanged_warning", Need::Default("24 hours"), unchanged_bounds);
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("10 s"), Seconds(1)..=Seconds(60));
    s.finish();
    Some(SignalConfig {
        url: url?,
        redirect_hosts: redirect_hosts.unwrap_or_default(),
        place: place?,
        pattern: pattern?,
        meaning: meaning?,
        must_contain: must_contain.unwrap_or_default(),
        must_not_contain: must_not_contain.unwrap_or_default(),
        stamp,
        cached_max_age: cached_max_age?,
        modified_max_age,
        max_age: max_age?,
        when_blind: when_blind?,
        reread_near: reread_near.unwrap_or(0.0),
        resume_readings: u32::try_from(resume_readings?).ok()?,
        unchanged_warning: unchanged_warning?,
        ca_file,
        timeout: timeout?,
    })
}

/// Exactly one of the two meanings. The keys of both are asked for, so that both are known.
fn meaning(s: &Section<'_>) -> Option<SignalMeaning> {
    let by_words = WORD_KEYS.iter().find(|key| s.has(key));
    let by_number = NUMBER_KEYS.iter().find(|key| s.has(key));
    let need = |wanted: bool| if wanted { Need::Required } else { Need::Optional };
    let number = number(s, need(by_words.is_none()));
    let words = words(s, need(by_words.is_some() && by_number.is_none()));
    match (by_words, by_number) {
        (Some(word_key), Some(number_key)) => {
            s.mistake(word_key, format!("goes with words, `{number_key}` with a number; keep the keys of one"));
            None
        }
        (Some(_), None) => words,
        (None, _) => number,
    }
}

fn number(s: &Section<'_>, need: Need) -> Option<SignalMeaning> {
    let range = s.numbers("range", need);
    let off_when = s.word("off_when", Need::Default("high"), &OFF_WHEN);
    let curtail_at = s.fraction("curtail_at", need);
    let resume_below = s.fraction("resume_below", need);
    let range = range.and_then(|range| match range.as_slice() {
        &[min, max] if min < max => Some((min, max)),
        _ => {
            s.mistake("range", "wanted the smallest and the largest believable value, such as [50, 500]");
            None
        }
    });
    let (curtail_at, resume_below, off_when) = (curtail_at?, resume_below?, off_when?);
    if off_when == OffWhen::High && resume_below >= curtail_at {
        s.mistake("resume_below", "must be below `curtail_at` with off_when = \"high\"");
    }
    if off_when == OffWhen::Low && resume_below <= curtail_at {
        s.mistake("resume_below", "must be above `curtail_at` with off_when = \"low\"");
    }
    let range = range?;
    for (key, value) in [("curtail_at", curtail_at), ("resume_below", resume_below)] {
        if !(range.0..=range.1).contains(&value) {
            s.mistake(key, format!("{value} is outside `range` ({} to {}), so it is never reached", range.0, range.1));
        }
    }
    Some(SignalMeaning::Number { range, off_when, curtail_at, resume_below })
}

fn words(s: &Section<'_>, need: Need) -> Option<SignalMeaning> {
    let curtail = s.texts("words_curtail", need, plain);
    let run = s.texts("words_run", need, plain);
    let (curtail, run) = (curtail?, run?);
    for (key, words) in [("words_curtail", &curtail), ("words_run", &run)] {
        if words.is_empty() {
            s.mistake(key, "has no word in it");
        }
    }
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    if let Some(both) = curtail.iter().find(|word| run.iter().any(|other| same(word, other))) {
        s.mistake("words_run", format!("`{both}` is in `words_curtail` too"));
    }
    Some(SignalMeaning::Words { curtail, run })
}

/// Either an element or a place in JSON. Both are asked for, so that both are known.
fn place(s: &Section<'_>) -> Option<PagePlace> {
    let need = if s.has("json") { Need::Optional } else { Need::Required };
    let selector = s.checked("selector", TEXT, need, check::selector);
    let attribute = s.text("attribute", Need::Optional);
    let json = s.checked("json", TEXT, Need::Optional, check::pointer);
    let Some(pointer) = json else { return Some(PagePlace::Element { selector: selector?, attribute }) };
    for key in ["selector", "attribute"] {
        if s.has(key) {
            s.mistake(key, "goes with a page, `json` with an answer that is JSON; keep one");
        }
    }
    Some(PagePlace::Json(pointer))
}

fn stamp(s: &Section<'_>, is_json: bool) -> Option<StampConfig> {
    let selector = s.checked("stamp_selector", TEXT, Need::Optional, check::selector);
    let attribute = s.text("stamp_attribute", Need::Optional);
    let pointer = s.checked("stamp_json", TEXT, Need::Optional, check::pointer);
    let format = s.checked("stamp_format", TEXT, Need::Optional, check::stamp_format);
    let max_age = s.span("stamp_max_age", Need::Default("30 minutes"), Seconds(30)..=Seconds::minutes(24 * 60));
    let (key, wrong) = if is_json { ("stamp_json", "stamp_selector") } else { ("stamp_selector", "stamp_json") };
    if s.has(wrong) {
        let value = if is_json { "`json`" } else { "`selector`" };
        s.mistake(wrong, format!("the value is found by {value}, so the stamp needs `{key}`"));
    }
    for (key, other) in [(key, "stamp_format"), ("stamp_format", key), ("stamp_attribute", "stamp_selector")] {
        if s.has(key) && !s.has(other) && !s.has(wrong) {
            s.mistake(key, format!("needs `{other}` beside it"));
        }
    }
    let (format, max_age) = (format?, max_age?);
    let is_clock = check::lacks_date(&format);
    if is_clock && max_age > CLOCK_AGE_MAX {
        let cause = format!("a clock without a date tells ages up to {CLOCK_AGE_MAX} only; set less");
        s.mistake("stamp_max_age", cause);
    }
    let place = if is_json { PagePlace::Json(pointer?) } else { PagePlace::Element { selector: selector?, attribute } };
    Some(StampConfig { place, format, is_clock, max_age })
}
