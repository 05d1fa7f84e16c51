//! `signal learn`: settings for `[signal]` that read saved pages rightly, proven on each of them by the same code and the
//! same reading of the configuration as a run. It refuses when the pages cannot be told apart.

use std::io::Write;
use std::path::Path;

use toml::Value;

use super::meanings::{self, Proposal};
use super::places::{self, Candidate};
use super::stamps::{self, Stamp};
use crate::commands::{config as config_command, printed};
use crate::config::{self, OffWhen, PagePlace, SignalConfig, SignalMeaning};
use crate::decide::{Says, says};
use crate::drivers::page::{Document, decode, folded, hash, html, seen_text, shown};
use crate::drivers::parse;
use crate::error::{EXIT_DONE, Error};
use crate::http::excerpt;
use crate::model::{SignalReading, SignalValue};
use crate::units::UnixSeconds;

/// Proposals that are proven, best first.
const TRIED_MAX: usize = 40;
/// Others that are named.
const OTHERS_MAX: usize = 3;
/// Texts that no good page has, of the sample's.
const BAD_TEXTS: [&str; 3] = ["connect failed", "maintenance", "Fatal error"];

/// A saved page.
pub struct Sample {
    /// What it is called.
    pub name: String,
    /// Whether the miners must be off.
    pub off: bool,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What is known of the site without the pages.
pub struct Site {
    /// The page's address, if it is configured already.
    pub url: Option<String>,
    /// The site's time zone.
    pub time_zone: String,
}

/// A proposal as lines for `config.txt`, and what those lines make of each page.
struct Proof {
    lines: String,
    readings: Vec<(SignalReading, Says)>,
}

impl Proof {
    /// Whether it reads the same thing as another, perhaps with more around it.
    fn holds(&self, other: &Proof) -> bool {
        self.readings.iter().zip(&other.readings).all(|((own, _), (other, _))| own.text.contains(&other.text))
    }
}

/// Prints settings that tell the pages apart, and the proof on each; `Err` when none can.
pub fn learn(samples: &[Sample], site: &Site, out: &mut dyn Write) -> Result<u8, Error> {
    let texts: Vec<String> = samples.iter().map(|sample| decode(&sample.bytes, None).text).collect();
    refuse_twins(samples)?;
    let documents = documents(samples, &texts)?;
    let candidates = places::common(&documents);
    let off: Vec<bool> = samples.iter().map(|sample| sample.off).collect();
    let mut proposals: Vec<Proposal> = candidates.iter().flat_map(|candidate| meanings::of(candidate, &off)).collect();
    for (label, values) in places::labels(&documents) {
        proposals.extend(meanings::beside(&label, &values, &candidates, &off));
    }
    proposals.sort_by_key(|proposal| std::cmp::Reverse(proposal.score));
    let stamp = stamps::found(&candidates, &site.time_zone);
    let anchor = anchor(&documents);
    let proven = |proposal: &Proposal| {
        let tried = |stamp: Option<&Stamp>| prove(proposal, stamp, anchor.as_deref(), samples, &texts, site);
        stamp.as_ref().and_then(|stamp| tried(Some(stamp))).or_else(|| tried(None))
    };
    let mut good = proposals.iter().take(TRIED_MAX).filter_map(|proposal| Some((proposal, proven(proposal)?)));
    let Some((best, proof)) = good.next() else { return Err(cannot(&candidates, samples)) };
    let others: Vec<String> = good
        .filter(|(_, other)| !other.holds(&proof))
        .take(OTHERS_MAX)
        .map(|(other, _)| format!("{}, pattern '{}'", shown(&other.place), other.pattern))
        .collect();
    printed(print(&proof, best, &others, samples, out))?;
    Ok(EXIT_DONE)
}

fn refuse_twins(samples: &[Sample]) -> Result<(), Error> {
    for on in samples.iter().filter(|sample| !sample.off) {
        if let Some(off) = samples.iter().find(|sample| sample.off && sample.bytes == on.bytes) {
            let (on, off) = (&on.name, &off.name);
            return Err(Error::Usage(format!(
                "`{on}` (on) and `{off}` (off) are the same page; nothing can tell them apart"
            )));
        }
    }
    Ok(())
}

fn documents(samples: &[Sample], texts: &[String]) -> Result<Vec<Document>, Error> {
    let is_json = texts.iter().all(|text| text.trim_start().starts_with(['{', '[']));
    let mut documents = Vec::new();
    for (sample, text) in samples.iter().zip(texts) {
        let cannot = |cause: String| Error::Usage(format!("{}: {cause}", sample.name));
        documents.push(if is_json {
            Document::Json(serde_json::from_str(text).map_err(|error| cannot(error.to_string()))?)
        } else {
            Document::Page(html(text).map_err(|fault| cannot(fault.detail))?)
        });
    }
    Ok(documents)
}

/// A text that every page has and another page would not: its title, or its first heading.
fn anchor(documents: &[Document]) -> Option<String> {
    let of = |document: &Document, selector: &str| {
        let Document::Page(page) = document else { return None };
        let element = page.select(&scraper::Selector::parse(selector).ok()?).next()?;
        Some(folded(&seen_text(element)))
    };
    ["title", "h1", "h2"].into_iter().find_map(|selector| {
        let text = of(documents.first()?, selector)?;
        let is_steady = documents.iter().all(|document| of(document, selector).as_ref() == Some(&text));
        let is_plain = (4..=60).contains(&text.chars().count()) && !text.contains(|c: char| c.is_ascii_digit());
        (is_steady && is_plain).then_some(text)
    })
}

/// The lines of a proposal, read back by the configuration's own reader and tried on each page; `None` when one page is
/// not read, or read wrongly.
fn prove(
    proposal: &Proposal,
    stamp: Option<&Stamp>,
    anchor: Option<&str>,
    samples: &[Sample],
    texts: &[String],
    site: &Site,
) -> Option<Proof> {
    let lines = lines(proposal, stamp, anchor, texts, site);
    // A public page without https is read only where the owner said so; its address is in use already.
    let plain = || lines.replacen("\npattern", "\nallow_plain_http = true\npattern", 1);
    let (lines, cfg) = match read_back(&lines) {
        Some(cfg) => (lines, cfg),
        None => (plain(), read_back(&plain())?),
    };
    let mut readings = Vec::new();
    for (place, (sample, text)) in samples.iter().zip(texts).enumerate() {
        // Each page is judged as of its own time.
        let now = stamp.and_then(|stamp| stamp.moments.get(place)).copied().unwrap_or(UnixSeconds(0));
        let reading = parse::signal(text, &cfg, &site.time_zone, now).ok()?;
        let said = says(&cfg.meaning, &reading.value);
        if said != (if sample.off { Says::Curtail } else { Says::Run }) {
            return None;
        }
        readings.push((SignalReading { hash: hash(&sample.bytes), ..reading }, said));
    }
    Some(Proof { lines, readings })
}

/// The lines as the configuration reads them, in the sample's place.
fn read_back(lines: &str) -> Option<SignalConfig> {
    let sample = config_command::SAMPLE;
    let start = sample.find("\n[signal]\n")? + 1;
    let end = start + sample.get(start..)?.find("\n# ---")?;
    let whole = format!("{}{lines}{}", sample.get(..start)?, sample.get(end..)?);
    config::parse(&whole, "proposal", Path::new("/")).ok().map(|cfg| cfg.signal)
}

fn lines(proposal: &Proposal, stamp: Option<&Stamp>, anchor: Option<&str>, texts: &[String], site: &Site) -> String {
    let mut lines = String::from("[signal]\n");
    let mut set = |key: &str, value: Value| lines.push_str(&format!("{key} = {value}\n"));
    let text = |text: &str| Value::String(text.to_owned());
    let list = |texts: &[String]| Value::Array(texts.iter().map(|text| Value::String(text.clone())).collect());
    set("url", text(site.url.as_deref().unwrap_or("https://example.org/fill-in-the-address")));
    for (key, value) in place_keys(&proposal.place, ["selector", "attribute", "json"]) {
        set(key, Value::String(value));
    }
    set("pattern", text(&proposal.pattern));
    match &proposal.meaning {
        SignalMeaning::Number { range: (least, most), off_when, curtail_at, resume_below } => {
            set("range", Value::Array(vec![number(*least), number(*most)]));
            set("off_when", text(if *off_when == OffWhen::High { "high" } else { "low" }));
            set("curtail_at", number(*curtail_at));
            set("resume_below", number(*resume_below));
        }
        SignalMeaning::Words { curtail, run } => {
            set("words_curtail", list(curtail));
            set("words_run", list(run));
        }
    }
    set("must_contain", list(&anchor.map(str::to_owned).into_iter().collect::<Vec<_>>()));
    let is_absent = |bad: &&str| !texts.iter().any(|text| text.to_lowercase().contains(&bad.to_lowercase()));
    let absent: Vec<String> = BAD_TEXTS.into_iter().filter(is_absent).map(str::to_owned).collect();
    set("must_not_contain", list(&absent));
    if let Some(stamp) = stamp {
        for (key, value) in place_keys(&stamp.place, ["stamp_selector", "stamp_attribute", "stamp_json"]) {
            set(key, Value::String(value));
        }
        set("stamp_format", text(&stamp.format));
    }
    lines
}

fn place_keys(place: &PagePlace, keys: [&'static str; 3]) -> Vec<(&'static str, String)> {
    let [in_selector, in_attribute, in_json] = keys;
    match place {
        PagePlace::Element { selector, attribute } => {
            let attribute = attribute.iter().map(|name| (in_attribute, name.clone()));
            std::iter::once((in_selector, selector.clone())).chain(attribute).collect()
        }
        PagePlace::Json(pointer) => vec![(in_json, pointer.clone())],
    }
}

/// A whole number without its point, as people write it.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { Value::Integer(value as i64) } else { Value::Float(value) }
}

fn print(
    proof: &Proof,
    best: &Proposal,
    others: &[String],
    samples: &[Sample],
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let count = |off: bool| samples.iter().filter(|sample| sample.off == off).count();
    writeln!(
        out,
        "# Proposed from {} pages with the miners on and {} with the miners off; proof:",
        count(false),
        count(true)
    )?;
    for (sample, (reading, said)) in samples.iter().zip(&proof.readings) {
        let kind = if sample.off { "off" } else { "on" };
        let verdict = if *said == Says::Curtail { "CURTAIL" } else { "RUN" };
        let value = match &reading.value {
            SignalValue::Number(number) => number.to_string(),
            SignalValue::CurtailWord(word) | SignalValue::RunWord(word) => format!("`{}`", excerpt(word)),
        };
        let text = excerpt(&reading.text);
        writeln!(out, "#   {kind:<3}  {}: `{text}` -> {value} -> {verdict} (page {})", sample.name, reading.hash)?;
    }
    writeln!(
        out,
        "# Put this in place of [signal] in config.txt, then run `minectl config check` and `minectl signal explain`."
    )?;
    writeln!(out, "{}", proof.lines)?;
    if let SignalMeaning::Number { .. } = best.meaning {
        writeln!(
            out,
            "# The true threshold lies somewhere between the numbers of the two kinds: ask the utility for it."
        )?;
    } else {
        writeln!(
            out,
            "# Any other wording is not read, and the signal goes blind: ask the utility for all the words it uses."
        )?;
    }
    if proof.lines.contains("\nstamp_format") {
        writeln!(
            out,
            "# A page with a stamp older than 30 minutes is not believed; `stamp_max_age` sets another limit."
        )?;
    }
    if count(false) < 2 || count(true) < 2 {
        writeln!(
            out,
            "# One page of a kind proves little: whatever differs looks like the signal. Save more and run this again."
        )?;
    }
    for other in others {
        writeln!(out, "# Something else tells these pages apart too, perhaps by chance: {other}")?;
    }
    Ok(())
}

fn cannot(candidates: &[Candidate], samples: &[Sample]) -> Error {
    let changing =
        candidates.iter().filter(|candidate| candidate.texts.windows(2).any(|pair| pair.first() != pair.last()));
    let changing: Vec<String> = changing
        .take(OTHERS_MAX)
        .map(|candidate| {
            let texts: Vec<String> = candidate.texts.iter().map(|text| format!("`{}`", excerpt(text))).collect();
            format!("{}: {}", shown(&candidate.place), texts.join(", "))
        })
        .collect();
    let seen = match changing.as_slice() {
        [] => "nothing differs between them that stands at a place with a name".to_owned(),
        some => format!("what differs says nothing: {}", some.join("; ")),
    };
    Error::Usage(format!(
        "the {} pages cannot be told apart: {} places compared; {seen}. Is each page in its right list, and was it saved \
         as the server sends it (`curl -o`)? If a script draws the value, save what the script loads",
        samples.len(),
        candidates.len()
    ))
}
