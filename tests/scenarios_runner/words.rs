//! Lines as words, and phrases with gaps that match them. What does not match is told with the phrase that was probably
//! meant.

use minectl::config::{Config, nearest};
use minectl::units::{Seconds, Temperature, Watts};

use super::Time;

/// A line's words; a text in quotes is one word, quotes included.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let end = if let Some(quoted) = rest.strip_prefix('"') {
            let close = quoted.find('"').ok_or("a text in quotes does not end: write the second `\"`")? + 2;
            if rest[close..].starts_with(|c: char| !c.is_whitespace() && c != ';' && c != ',') {
                return Err(format!("write a blank after {}", &rest[..close]));
            }
            close
        } else {
            rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len())
        };
        words.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    Ok(words)
}

/// The parts of a line between semicolons; one inside quotes parts nothing.
pub fn parts(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    text.split(|c: char| {
        is_quoted ^= c == '"';
        c == ';' && !is_quoted
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
    .collect()
}

/// What filled a gap.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    Number(f64),
    Numbers(Vec<u64>),
    Name(String),
    Text(String),
    Celsius(f64),
    Watts(f64),
    Span(u64),
    Time(Time),
}

/// What filled the gaps of a phrase, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Args(pub Vec<Arg>);

impl Args {
    pub fn number(&self, place: usize) -> f64 {
        match self.0.get(place) {
            Some(Arg::Number(n) | Arg::Celsius(n) | Arg::Watts(n)) => *n,
            other => panic!("gap {place} is {other:?}, no number"),
        }
    }

    pub fn count(&self, place: usize) -> usize {
        self.number(place) as usize
    }

    pub fn fan(&self, place: usize) -> u8 {
        self.number(place) as u8
    }

    pub fn numbers(&self, place: usize) -> &[u64] {
        match self.0.get(place) {
            Some(Arg::Numbers(all)) => all,
            other => panic!("gap {place} is {other:?}, no numbers"),
        }
    }

    pub fn text(&self, place: usize) -> &str {
        match self.0.get(place) {
            Some(Arg::Name(text) | Arg::Text(text)) => text,
            other => panic!("gap {place} is {other:?}, no text"),
        }
    }

    pub fn seconds(&self, place: usize) -> u64 {
        match self.0.get(place) {
            Some(Arg::Span(n) | Arg::Time(n)) => *n,
            other => panic!("gap {place} is {other:?}, no time"),
        }
    }
}

/// The one phrase of `phrases` that says these words, with what fills its gaps; or what is wrong and the way out.
pub fn understand<'p>(
    cfg: &Config,
    words: &[String],
    phrases: impl IntoIterator<Item = &'p str>,
) -> Result<(usize, Args), String> {
    let phrases: Vec<&str> = phrases.into_iter().collect();
    let mut best: Option<(usize, &str, String)> = None;
    for (place, phrase) in phrases.iter().enumerate() {
        match fill(cfg, words, phrase) {
            Ok(args) => return Ok((place, args)),
            Err((fits, cause)) => {
                // A gap that would take anything fits less well than a word.
                if best.as_ref().is_none_or(|(most, ..)| fits > *most) {
                    best = Some((fits, phrase, cause));
                }
            }
        }
    }
    let said = words.join(" ");
    match best {
        Some((fits, phrase, cause)) if fits > 0 => Err(format!("`{said}`: {cause}; write `{phrase}`")),
        _ => {
            let firsts: Vec<&str> = phrases.iter().filter_map(|phrase| phrase.split(' ').next()).collect();
            let first = words.first().map_or("", String::as_str);
            let meant = nearest(first, firsts.iter().copied().filter(|word| !word.starts_with('<')));
            let hint = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("what can be said here:\n    {}", phrases.join("\n    ")),
            };
            Err(format!("`{said}`: unknown word `{first}`; {hint}"))
        }
    }
}

/// Fills the gaps of one phrase; else how many of its words fitted, and why no more.
fn fill(cfg: &Config, words: &[String], phrase: &str) -> Result<Args, (usize, String)> {
    let mut args = Vec::new();
    let mut left = words;
    let mut fits = 0;
    for part in phrase.split(' ') {
        let Some((word, rest)) = left.split_first() else {
            return Err((fits, format!("`{part}` is missing")));
        };
        if let Some(gap) = part.strip_prefix('<').and_then(|part| part.strip_suffix('>')) {
            // A temperature, a power and a span are a number and a unit.
            let takes = if matches!(gap, "temperature" | "power" | "span") { left.len().min(2) } else { 1 };
            let said = left[..takes].join(" ");
            args.push(read(cfg, gap, &said).map_err(|cause| (fits, cause))?);
            left = &left[takes..];
        } else if part == word {
            fits += 1;
            left = rest;
        } else {
            return Err((fits, format!("unknown word `{word}`, wanted `{part}`")));
        }
    }
    match left.first() {
        Some(word) => Err((fits, format!("`{word}` is too much"))),
        None => Ok(Args(args)),
    }
}

fn read(cfg: &Config, gap: &str, said: &str) -> Result<Arg, String> {
    let name = |kind: &str, known: Vec<&str>| {
        if known.contains(&said) {
            Ok(Arg::Name(said.to_owned()))
        } else {
            let hint = nearest(said, known.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
            Err(format!("there is no {kind} `{said}`{}; known are {}", hint.unwrap_or_default(), known.join(", ")))
        }
    };
    match gap {
        "number" => said.parse().map(Arg::Number).map_err(|_| format!("`{said}` is no number")),
        "fan" => match said.parse::<u8>() {
            Ok(fan) if cfg.fans.contains_key(&fan) => Ok(Arg::Number(f64::from(fan))),
            Ok(_) | Err(_) => Err(format!("there is no fan `{said}`; the fans are 1 to {}", cfg.fans.len())),
        },
        "fans" => numbers(said, cfg.fans.len() as u64, "fan"),
        "miners" => numbers(said, cfg.pdus.iter().map(|pdu| pdu.outlets.len() as u64).sum(), "miner"),
        "outlets" => numbers(said, cfg.pdus.first().map_or(0, |pdu| pdu.outlets.len() as u64), "outlet"),
        "pdu" => name("PDU", cfg.pdus.iter().map(|pdu| pdu.name.as_str()).collect()),
        "board" => name("relay board", cfg.boards.iter().map(|board| board.name.as_str()).collect()),
        "probe" => {
            name("probe", cfg.rooms.iter().flat_map(|room| &room.probes).map(|probe| probe.name.as_str()).collect())
        }
        "temperature" => said.parse().map(|t: Temperature| Arg::Celsius(t.value())).map_err(|error| error.to_string()),
        "power" => said.parse().map(|w: Watts| Arg::Watts(w.value())).map_err(|error| error.to_string()),
        "span" => said.parse().map(|s: Seconds| Arg::Span(s.0)).map_err(|error| error.to_string()),
        "time" => time(said).map(Arg::Time),
        // The words that the program itself uses for its reasons.
        "reason" => serde_json::from_value::<minectl::model::OffReason>(said.into())
            .map(|_| Arg::Name(said.to_owned()))
            .map_err(|error| error.to_string()),
        "text" => match said.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(text) if !text.is_empty() => Ok(Arg::Text(text.to_owned())),
            Some(_) | None => Err(format!("`{said}`: wanted a text in quotes")),
        },
        one_of => name("such word", one_of.split('|').collect()),
    }
}

/// `0:06` or `0:06:20`: hours, minutes, seconds since the story began.
pub fn time(said: &str) -> Result<Time, String> {
    let bad = || format!("`{said}` is no time: write hours and minutes since the beginning, such as `0:06` or `1:30`");
    let parts: Vec<&str> = said.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [h, m] if m.len() == 2 => (*h, *m, "00"),
        [h, m, s] if m.len() == 2 && s.len() == 2 => (*h, *m, *s),
        _ => return Err(bad()),
    };
    let read = |part: &str, max: u64| part.parse::<u64>().ok().filter(|n| *n <= max).ok_or_else(bad);
    Ok(read(hours, 999)? * 3600 + read(minutes, 59)? * 60 + read(seconds, 59)?)
}

/// `3`, `1-5`, or `1,3,7-9`.
fn numbers(said: &str, max: u64, what: &str) -> Result<Arg, String> {
    let mut all = Vec::new();
    for part in said.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first >= 1 && first <= last && last <= max => all.extend(first..=last),
            _ => return Err(format!("`{said}`: wanted {what} numbers from 1 to {max}, such as `3` or `1-5`")),
        }
    }
    Ok(Arg::Numbers(all))
}
