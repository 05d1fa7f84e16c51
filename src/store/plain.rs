//! Plain files beside the database: `state.json`, from which a lost database is refilled (temporary file, sync, rename),
//! and `last-snapshot.json`, what the last run read, for `status` (not synced: it is worth nothing after a power cut).

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Change, schema};
use crate::model::{Override, Reason, SCHEMA, SiteState, Snapshot};

/// The largest copy that is read.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What the copy holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Copy {
    /// The state.
    pub(super) state: SiteState,
    /// The overrides.
    pub(super) overrides: Vec<Override>,
}

/// Reads the copy; `None` when there is none.
pub(super) fn read(folder: &Path) -> Result<Option<Copy>, String> {
    let path = folder.join("state.json");
    let text = |error: String| format!("{}: {error}", path.display());
    match fs::metadata(&path) {
        Err(_) => return Ok(None),
        Ok(meta) if meta.len() > BYTES_MAX => return Err(text(format!("{} bytes is too large", meta.len()))),
        Ok(_) => {}
    }
    let bytes = fs::read(&path).map_err(|error| text(error.to_string()))?;
    from_bytes(&bytes).map(Some).map_err(text)
}

/// A copy as it was written, in today's schema.
fn from_bytes(bytes: &[u8]) -> Result<Copy, String> {
    let text = |error: serde_json::Error| error.to_string();
    let mut copy: serde_json::Value = serde_json::from_slice(bytes).map_err(text)?;
    let number = copy.pointer("/state/schema").and_then(serde_json::Value::as_u64).unwrap_or(u64::from(SCHEMA));
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    schema::known(number)?;
    if let Some(state) = copy.get_mut("state") {
        *state = schema::migrated(b's', state.take(), number);
    }
    for over in copy.get_mut("overrides").and_then(serde_json::Value::as_array_mut).into_iter().flatten() {
        *over = schema::migrated(b'o', over.take(), number);
    }
    serde_json::from_value(copy).map_err(text)
}

/// Replaces the copy.
pub(super) fn write(folder: &Path, copy: &Copy) -> Result<(), String> {
    replace(folder, "state.json", copy, true)?;
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| format!("{}: {error}", folder.display()))
}

/// Takes a change of overrides into the copy. Without a copy that can be read there is nothing to do: the next run with an
/// event writes one.
pub(super) fn follow(folder: &Path, change: &Change) -> Result<(), String> {
    let Change { overrides, overrides_done, overrides_ended, .. } = change;
    if overrides.is_empty() && overrides_done.is_empty() && overrides_ended.is_empty() {
        return Ok(());
    }
    let path = folder.join("state.json");
    let (Ok(Some(mut copy)), Ok(before)) = (read(folder), fs::metadata(&path)) else { return Ok(()) };
    let is_gone = |over: &Override| {
        let target = over.setting.target();
        let is_ended = |ended: &Override| ended.setting.target() == target && ended.since == over.since;
        overrides_done.contains(&target)
            || overrides.iter().any(|set| set.setting.target() == target)
            || overrides_ended.iter().any(is_ended)
    };
    copy.overrides.retain(|over| !is_gone(over));
    copy.overrides.extend(overrides.iter().cloned());
    write(folder, &copy)?;
    // Root's `set` must leave it to the user of the runs.
    if fs::metadata(&path).is_ok_and(|after| after.uid() != before.uid()) {
        let given = chown(&path, Some(before.uid()), Some(before.gid()));
        given.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// The name of the copy that is written elsewhere when the data folder cannot be.
const REFUGE: &str = ".minectl-state.json";

/// Writes the copy into another folder: the data folder's disk is full, read-only or gone.
pub(super) fn write_refuge(folder: &Path, copy: &Copy) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    replace(folder, REFUGE, copy, false)
}

/// The copy from the other folder; `None` when there is none that can be read.
pub(super) fn read_refuge(folder: &Path) -> Option<Copy> {
    let path = folder.join(REFUGE);
    let small = fs::metadata(&path).is_ok_and(|meta| meta.len() <= BYTES_MAX);
    small.then(|| fs::read(&path).ok()).flatten().and_then(|bytes| from_bytes(&bytes).ok())
}

/// Removes the copy from the other folder once the data folder works again.
pub(super) fn leave_refuge(folder: &Path) {
    // Where there is none, there is nothing to remove.
    drop(fs::remove_file(folder.join(REFUGE)));
}

/// Keeps what the last pass of a run read and why it decided so.
pub fn write_snapshot(folder: &Path, snapshot: &Snapshot, reasons: &[Reason]) -> Result<(), String> {
    replace(folder, "last-snapshot.json", &(snapshot, reasons), false)
}

/// What the last run read and its reasons; `None` when there is nothing readable.
pub fn read_snapshot(folder: &Path) -> Option<(Snapshot, Vec<Reason>)> {
    read_small(folder, "last-snapshot.json")
}

/// What a file of ours holds; `None` when there is nothing readable.
pub(super) fn read_small<T: DeserializeOwned>(folder: &Path, name: &str) -> Option<T> {
    let path = folder.join(name);
    let small = fs::metadata(&path).is_ok_and(|meta| meta.len() <= BYTES_MAX);
    small.then(|| fs::read(&path).ok()).flatten().and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

/// Replaces a file by temporary file and rename.
pub(super) fn replace(folder: &Path, name: &str, content: &impl Serialize, sync: bool) -> Result<(), String> {
    let path = folder.join(name);
    // The temporary file's name differs each time; the same trouble must read the same.
    let cause = |error: std::io::Error| error.to_string().split(" at path ").next().unwrap_or_default().to_owned();
    let text = |error: std::io::Error| format!("{}: {}", path.display(), cause(error));
    let bytes = serde_json::to_vec(content).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut file = tempfile::Builder::new().prefix(".new").tempfile_in(folder).map_err(text)?;
    file.write_all(&bytes).map_err(text)?;
    if sync {
        file.as_file().sync_all().map_err(text)?;
    }
    file.persist(&path).map(drop).map_err(|error| text(error.error))
}
