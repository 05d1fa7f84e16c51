//! `db check`: looks at everything that is stored and says what is wrong and the way out. It changes nothing: since sled
//! writes whenever it opens, a copy of the database is opened.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::{calls, compact, copied, db, exchange, history, parts, plain, schema};
use crate::units::Moment;

/// The largest database that is copied for a look.
const COPY_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Files of one folder whose owner is looked at.
const FILES_MAX: usize = 5000;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// What was found.
    pub text: String,
    /// What to do; `None` when all is well.
    pub way_out: Option<String>,
    /// Whether a run of this program would go on without what stands there: a newer program's form, or damage.
    pub is_lost: bool,
}

fn well(subject: impl Into<String>, text: impl Into<String>) -> Finding {
    Finding { subject: subject.into(), text: text.into(), way_out: None, is_lost: false }
}

fn wrong(subject: impl Into<String>, text: impl Into<String>, way_out: impl Into<String>) -> Finding {
    Finding { subject: subject.into(), text: text.into(), way_out: Some(way_out.into()), is_lost: false }
}

fn lost(subject: impl Into<String>, text: impl Into<String>, way_out: impl Into<String>) -> Finding {
    Finding { is_lost: true, ..wrong(subject, text, way_out) }
}

/// Looks at all of a data folder, and at its refuge.
pub(super) fn check(folder: &Path, refuge: Option<&Path>, now: &Moment) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(folder_itself(folder));
    findings.extend(database(folder));
    findings.push(copy(folder, now));
    if let Some(place) = refuge.filter(|place| plain::read_refuge(place).is_some()) {
        let text = format!("a state waits in {}: the data folder could not be written", place.display());
        findings.push(wrong("refuge", text, "once the folder can be written, the next run takes it back by itself"));
    }
    findings.extend(history_files(folder));
    findings.extend(call_files(folder));
    findings.extend(aside(folder));
    findings
}

fn folder_itself(folder: &Path) -> Vec<Finding> {
    let name = folder.display().to_string();
    let Ok(meta) = fs::metadata(folder) else {
        return vec![wrong(name, "is not there", "`paths.data` in the configuration names it; the first run makes it")];
    };
    let free = statvfs(folder).map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)).unwrap_or(u64::MAX);
    let mib = free / 1024 / 1024;
    let mut findings = vec![if free < history::FREE_BYTES_MIN {
        wrong(&name, format!("{mib} MiB free, no history is kept"), "make room on the disk: `du -x / | sort -n | tail`")
    } else {
        well(&name, format!("{mib} MiB free"))
    }];
    let others = foreign(folder, meta.uid());
    if let Some(first) = others.first() {
        let text = format!("{} files belong to somebody else, such as {}", others.len(), first.display());
        findings.push(wrong(&name, text, format!("`chown -R --reference={name} {name}`; run `minectl` as that user")));
    }
    findings
}

/// The files in a folder and in those right below it that belong to somebody else: cron's runs could not write them.
fn foreign(folder: &Path, owner: u32) -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).take(FILES_MAX).collect()
    };
    let here = inside(folder);
    let below: Vec<PathBuf> = here.iter().filter(|path| path.is_dir()).flat_map(|path| inside(path)).collect();
    let is_foreign = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|meta| meta.uid() != owner);
    here.into_iter().chain(below).filter(is_foreign).collect()
}

const SET_ASIDE: &str = "the next run sets it aside and goes on with state.json; `minectl db import` of an export brings \
                         back events and messages";

/// The database, by a copy of it.
fn database(folder: &Path) -> Vec<Finding> {
    let path = db::path(folder);
    if !path.exists() {
        return vec![well("db", "there is none yet")];
    }
    let size = compact::folder_size(&path);
    if size > COPY_BYTES_MAX {
        return vec![wrong("db", format!("{} MiB is far too large", size / 1024 / 1024), "`minectl db compact`")];
    }
    let looked = || -> Result<Vec<Finding>, db::Failure> {
        let place = copied::keep(folder)?;
        let inside = place.path().to_owned();
        db::guarded(place.path(), move || look_inside(&inside))
    };
    let mut findings = match looked() {
        Ok(findings) => findings,
        Err(failure) if failure.damaged => vec![lost("db", failure.text, SET_ASIDE)],
        Err(failure) => vec![wrong("db", failure.text, "try again")],
    };
    findings.insert(0, well("db", format!("{} KiB", size / 1024)));
    let blobs = fs::read_dir(path.join("blobs")).map_or(0, |entries| entries.count());
    if blobs > 0 {
        findings.push(wrong("db", format!("{blobs} records are files that are not synced"), "tell the developers"));
    }
    findings
}

fn look_inside(folder: &Path) -> Result<Vec<Finding>, db::Failure> {
    let path = db::path(folder);
    db::repair(folder, &path)?;
    let tree = db::open(&path)?;
    let number = schema::number(&tree)?;
    if let Err(newer) = schema::known(number) {
        return Ok(vec![lost("db", newer, "a run of this program would set it aside")]);
    }
    tree.verify_integrity()?;
    let old = if number < crate::model::SCHEMA { ", brought up by the next run" } else { "" };
    let mut findings = vec![well("db", format!("schema {number}{old}"))];
    schema::bring_up(&tree)?;
    let mut counts = Vec::new();
    for (kind, records) in exchange::read_all(&tree)? {
        let word = schema::KINDS.iter().find(|(byte, _)| *byte == kind).map_or("", |(_, word)| word);
        counts.push(format!("{word} {}", records.len()));
        for (key, text) in records {
            if let Err(error) = exchange::fits(kind, &key, &text) {
                let name = exchange::name(&key);
                let way_out = "it is left out by each run; `minectl db export`, take its line out, `minectl db import`";
                let text = format!("{name} cannot be read: {error}");
                // Without one event a run is the same; without an override or a message it is not.
                findings.push(if kind == b'e' { wrong("db", text, way_out) } else { lost("db", text, way_out) });
            }
        }
    }
    let has_state = !parts::read_prefix(&tree, b"s")?.is_empty();
    findings.push(match has_state {
        true => well("db", format!("records: {}", counts.join(", "))),
        false => wrong("db", "has no state", "the next run takes it from state.json, or boots"),
    });
    Ok(findings)
}

/// `state.json`.
fn copy(folder: &Path, now: &Moment) -> Finding {
    match plain::read(folder) {
        Ok(None) => well("state.json", "there is none yet"),
        Ok(Some(copy)) => {
            let age = copy.state.last_pass.map_or("unknown age".to_owned(), |at| format!("{} old", now.since(&at)));
            well("state.json", format!("{age}, {} overrides", copy.overrides.len()))
        }
        Err(error) => {
            let finding = wrong("state.json", error, "remove it: the next run with an event writes it anew");
            Finding { is_lost: !db::path(folder).exists(), ..finding }
        }
    }
}

fn history_files(folder: &Path) -> Vec<Finding> {
    let (files, bytes, garbled) = history::garbled(&folder.join("history"));
    let mut findings = vec![well("history", format!("{files} files, {} KiB", bytes / 1024))];
    findings.extend(garbled.into_iter().map(|(path, what)| {
        wrong("history", format!("{}: {what}", path.display()), "nothing need be done: what is readable is used")
    }));
    findings
}

fn call_files(folder: &Path) -> Vec<Finding> {
    let read = calls::read(&folder.join("calls"), "0000-00", "9999-99");
    let mut findings = vec![well("calls", format!("{} records", read.records.len()))];
    let way_out = "open the file and mend or remove the line";
    findings.extend(read.troubles.into_iter().map(|trouble| wrong("calls", trouble, way_out)));
    findings
}

/// What was set aside takes room, and may hold what somebody misses.
fn aside(folder: &Path) -> Vec<Finding> {
    let kept = db::kept_aside(folder).into_iter().map(|path| {
        let text = format!("was set aside, {} KiB", compact::folder_size(&path) / 1024);
        wrong(path.display().to_string(), text, "remove it when nobody wants to look into it; two are kept")
    });
    kept.collect()
}
