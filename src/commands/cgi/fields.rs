//! The settings of one section as fields of a form. A secret's value is in none of them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::help::Help;
use crate::cgi::Fields;
use crate::config::{self, Entry, Kind};

/// One setting.
#[derive(Debug, Serialize)]
pub(super) struct Field {
    /// Its path, also the field's name.
    pub(super) path: String,
    key: &'static str,
    help: String,
    /// As typed, or as sent back after a mistake. Never a secret.
    value: String,
    default: Option<&'static str>,
    present: bool,
    secret: bool,
    /// It is changed over SSH only, and why.
    locked: Option<&'static str>,
    flag: bool,
    is_true: bool,
    is_false: bool,
    /// More than one line.
    rows: Option<usize>,
    /// Whether a leave-out was asked for.
    out: bool,
}

/// A section in the list of sections.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    /// Its path: `signal`, `pdu.spdu-a`; `top` for what stands above all sections.
    pub(super) path: String,
    /// The same in an address.
    link: String,
    /// How it is called on the page.
    title: String,
    /// Settings that are in the file.
    present: usize,
    here: bool,
}

/// The name of the settings above all sections.
const TOP: &str = "top";

/// The section that a setting belongs to.
pub(super) fn section_of(path: &str) -> &str {
    path.rsplit_once('.').map_or(TOP, |(section, _)| section)
}

/// Settings that are fields of their own: not those inside a list, which is one field as a whole.
pub(super) fn own(entries: &[Entry]) -> Vec<&Entry> {
    let lists: BTreeSet<&str> =
        entries.iter().filter(|e| matches!(e.kind, Kind::Array | Kind::Texts)).map(|e| e.path.as_str()).collect();
    let inside = |path: &str| {
        let ends = path.match_indices('.').map(|(at, _)| at);
        ends.filter_map(|at| path.get(..at)).any(|part| lists.contains(part))
    };
    entries.iter().filter(|entry| !inside(&entry.path)).collect()
}

/// All sections, those in use first and in the file's order.
pub(super) fn sections(entries: &[Entry], chosen: &str) -> (Vec<Section>, Vec<Section>) {
    let mut all: Vec<Section> = Vec::new();
    for entry in own(entries) {
        let path = section_of(&entry.path);
        let present = usize::from(entry.is_present());
        match all.iter_mut().find(|section| section.path == path) {
            Some(section) => section.present += present,
            None => all.push(Section {
                path: path.to_owned(),
                link: link(path),
                title: title(path),
                present,
                here: path == chosen,
            }),
        }
    }
    // A section whose settings all have defaults can be in use and empty; it is found among the others.
    all.into_iter().partition(|section| section.present > 0)
}

/// A section's path as a part of an address.
pub(super) fn link(path: &str) -> String {
    url::form_urlencoded::byte_serialize(path.as_bytes()).collect()
}

/// `pdu.spdu-a` as `pdu spdu-a`.
pub(super) fn title(path: &str) -> String {
    if path == TOP { "general".to_owned() } else { path.replacen('.', " ", 1) }
}

/// The fields of a section, those that are set first; `sent` is what came back from the browser.
pub(super) fn fields(entries: &[Entry], section: &str, help: &Help, sent: Option<&Fields>) -> (Vec<Field>, Vec<Field>) {
    let kind = section.split('.').next().unwrap_or_default();
    let kind = if kind == TOP { "" } else { kind };
    let chosen = own(entries).into_iter().filter(|entry| section_of(&entry.path) == section);
    let made = chosen.map(|entry| field(entry, help.find(kind, entry.key), sent));
    made.partition(|field| field.present)
}

fn field(entry: &Entry, help: &str, sent: Option<&Fields>) -> Field {
    let secret = is_secret(entry);
    let kept = if secret { String::new() } else { entry.shown.clone().unwrap_or_default() };
    let typed = sent.and_then(|sent| sent.find(&entry.path)).filter(|_| !secret);
    let value = typed.map_or(kept, str::to_owned);
    let lines = value.lines().count();
    Field {
        path: entry.path.clone(),
        key: entry.key,
        help: help.to_owned(),
        default: entry.default,
        present: entry.is_present(),
        secret,
        locked: locked(entry),
        flag: entry.kind == Kind::Flag,
        is_true: value == "true",
        is_false: value == "false",
        rows: (lines > 1 || value.chars().count() > 70).then_some(lines.clamp(3, 16)),
        out: sent.is_some_and(|sent| sent.get(&out_name(&entry.path)) == "yes"),
        value,
    }
}

/// The field that asks to leave a setting out.
pub(super) fn out_name(path: &str) -> String {
    format!("out:{path}")
}

/// Rather one too many: a name that sounds like a secret is one.
pub(super) fn is_secret(entry: &Entry) -> bool {
    entry.secret || config::is_secret_name(entry.key)
}

/// Why a setting cannot be changed from the browser.
pub(super) fn locked(entry: &Entry) -> Option<&'static str> {
    if entry.path.starts_with("paths.") || entry.key.ends_with("_file") {
        return Some("names files of this machine: changed over SSH only");
    }
    None
}
