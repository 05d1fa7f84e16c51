//! The database as text and back: one JSON line a record, a line before with the schema, one behind with their number.
//! History and calls are plain files and not in it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Loaded, compact, copied, db, parts, plain, schema};
use crate::model::{Event, SCHEMA};
use crate::units::{Moment, UnixSeconds};

/// Mistakes that are told at once.
const MISTAKES_MAX: usize = 20;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    minectl_export: u32,
    program: String,
    at: UnixSeconds,
}

/// A record.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    kind: String,
    /// Its name, or its number; empty where there is only one of a kind.
    key: String,
    record: Value,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    records: usize,
}

/// The records of a database by kind.
pub(super) type Records = BTreeMap<u8, Vec<parts::Record>>;

/// All records but the schema number.
pub(super) fn read_all(tree: &sled::Tree) -> Result<Records, db::Failure> {
    schema::KINDS.iter().map(|(kind, _)| Ok((*kind, parts::read_prefix(tree, &[*kind])?))).collect()
}

/// That a record is one of its kind.
pub(super) fn fits(kind: u8, key: &[u8], text: &[u8]) -> Result<(), String> {
    if kind == b'e' {
        return serde_json::from_slice::<Event>(text).map(drop).map_err(|error| error.to_string());
    }
    Loaded::default().take_in(key, text)
}

/// What people call a record: its kind and key.
pub(super) fn name(key: &[u8]) -> String {
    let kind = schema::KINDS.iter().find(|(byte, _)| key.first() == Some(byte)).map_or("record", |(_, word)| word);
    format!("{kind} {}", key_text(key)).trim_end().to_owned()
}

fn is_numbered(kind: u8) -> bool {
    matches!(kind, b'q' | b'e')
}

fn key_text(key: &[u8]) -> String {
    let rest = key.get(1..).unwrap_or_default();
    match (key.first().copied().is_some_and(is_numbered), <[u8; 8]>::try_from(rest)) {
        (true, Ok(number)) => u64::from_be_bytes(number).to_string(),
        _ => String::from_utf8_lossy(rest).into_owned(),
    }
}

fn key_bytes(kind: u8, text: &str) -> Result<Vec<u8>, String> {
    let rest = if is_numbered(kind) {
        text.parse::<u64>().map_err(|_| format!("`{text}` is no number"))?.to_be_bytes().to_vec()
    } else {
        text.as_bytes().to_vec()
    };
    Ok([&[kind], rest.as_slice()].concat())
}

/// Writes the records as text; returns their number. `Err` says what the database or the output said.
pub(super) fn export(folder: &Path, now: &Moment, out: &mut dyn Write) -> Result<usize, String> {
    let (records, _) = copied::read(folder, read_all).map_err(|failure| format!("database: {}", failure.text))?;
    let head = Head { minectl_export: SCHEMA, program: env!("CARGO_PKG_VERSION").to_owned(), at: now.wall };
    put(out, &head)?;
    let mut number = 0_usize;
    for (kind, word) in schema::KINDS {
        for (key, record) in records.get(&kind).into_iter().flatten() {
            let record = serde_json::from_slice(record).map_err(|error| format!("{}: {error}", name(key)))?;
            put(out, &Line { kind: word.to_owned(), key: key_text(key), record })?;
            number += 1;
        }
    }
    put(out, &End { records: number })?;
    out.flush().map_err(|error| format!("output: {error}"))?;
    Ok(number)
}

fn put(out: &mut dyn Write, line: &impl Serialize) -> Result<(), String> {
    let text = |error: std::io::Error| format!("output: {error}");
    serde_json::to_writer(&mut *out, line).map_err(|error| text(error.into()))?;
    out.write_all(b"\n").map_err(text)
}

/// Makes a new database of an export in place of the present one, which is set aside. Returns what was done; `Err` lists
/// the mistakes, and nothing is changed then.
pub(super) fn import(folder: &Path, text: &str, now: &Moment) -> Result<Vec<String>, String> {
    let records = parse(text)?;
    let mut copy = plain::Copy { state: crate::model::SiteState::boot(*now), overrides: Vec::new() };
    let mut has_state = false;
    for (key, record) in &records {
        let wrong = |error: serde_json::Error| format!("{}: {error}", name(key));
        match key.first() {
            Some(b's') => {
                copy.state = serde_json::from_value(record.clone()).map_err(wrong)?;
                has_state = true;
            }
            Some(b'o') => copy.overrides.push(serde_json::from_value(record.clone()).map_err(wrong)?),
            Some(_) | None => {}
        }
    }
    let number = records.len();
    let mut done = compact::replace(folder, now, records)?;
    if has_state {
        plain::write(folder, &copy)?;
    }
    done.push(format!("{number} records imported"));
    Ok(done)
}

/// The records of an export in today's schema, or all that is wrong with it.
fn parse(text: &str) -> Result<Vec<(Vec<u8>, Value)>, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let head: Head = lines
        .next()
        .and_then(|(_, line)| serde_json::from_str(line).ok())
        .ok_or("line 1: this is no export of `minectl db export`")?;
    schema::known(head.minectl_export).map_err(|error| format!("line 1: {error}"))?;
    let (mut records, mut mistakes, mut end) = (Vec::new(), Vec::new(), None);
    for (place, line) in lines {
        let place = place.saturating_add(1);
        if end.is_some() {
            mistakes.push(format!("line {place}: stands behind the end"));
        } else if let Ok(last) = serde_json::from_str::<End>(line) {
            end = Some(last.records);
        } else {
            match record(line, head.minectl_export) {
                Ok(record) => records.push(record),
                Err(error) => mistakes.push(format!("line {place}: {error}")),
            }
        }
    }
    match end {
        None => mistakes.push("the end is missing: the file was cut off".to_owned()),
        Some(number) if mistakes.is_empty() && number != records.len() => {
            mistakes.push(format!("{} records of {number} are there", records.len()));
        }
        Some(_) => {}
    }
    if mistakes.is_empty() {
        return Ok(records);
    }
    mistakes.truncate(MISTAKES_MAX);
    Err(mistakes.join("\n"))
}

fn record(line: &str, from: u32) -> Result<(Vec<u8>, Value), String> {
    let Line { kind: word, key, record } = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let Some((kind, _)) = schema::KINDS.iter().find(|(_, known)| *known == word) else {
        let known: Vec<&str> = schema::KINDS.iter().map(|(_, word)| *word).collect();
        return Err(format!("unknown kind `{word}`; known: {}", known.join(", ")));
    };
    let key = key_bytes(*kind, &key)?;
    let record = schema::migrated(*kind, record, from);
    fits(*kind, &key, record.to_string().as_bytes())?;
    Ok((key, record))
}
