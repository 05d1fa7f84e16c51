//! A changed configuration between its two forms: what would be saved waits in the data folder, so that a typed secret is
//! not sent back to the browser. One for each browser; an old one goes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Visit;

/// What waits longer is forgotten.
const KEPT: Duration = Duration::from_secs(3600);
/// A larger file is none of ours.
const BYTES_MAX: u64 = 3 * 1024 * 1024;
const PREFIX: &str = "config-to-be-";

/// What waits for the second form.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    /// Names the text that was changed.
    pub(super) base: String,
    /// The new text.
    pub(super) text: String,
    /// What changes, in words without secrets.
    pub(super) changes: Vec<String>,
}

fn path(visit: &Visit<'_>) -> PathBuf {
    let browser = visit.key.mark(&format!("{} {}", visit.session, visit.request.user));
    visit.cfg.paths.data.join(format!("{PREFIX}{}.json", browser.get(..16).unwrap_or("0")))
}

/// Keeps it, readable for its owner only. `Err` is a sentence.
pub(super) fn keep(visit: &Visit<'_>, pending: &Pending) -> Result<(), String> {
    let folder = &visit.cfg.paths.data;
    prune(folder);
    let path = path(visit);
    let cannot = |cause: std::io::Error| format!("{}: {cause}", path.display());
    let bytes = serde_json::to_vec(pending).map_err(|error| format!("{}: {error}", path.display()))?;
    // Such a file begins with mode 600.
    let mut file = tempfile::Builder::new().prefix(".new").tempfile_in(folder).map_err(cannot)?;
    file.write_all(&bytes).map_err(cannot)?;
    file.persist(&path).map(drop).map_err(|refused| cannot(refused.error))
}

/// What waits; `None` when nothing does.
pub(super) fn waiting(visit: &Visit<'_>) -> Option<Pending> {
    prune(&visit.cfg.paths.data);
    let path = path(visit);
    let small = fs::metadata(&path).is_ok_and(|meta| meta.len() <= BYTES_MAX);
    small.then(|| fs::read(&path).ok()).flatten().and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

/// Forgets it.
pub(super) fn forget(visit: &Visit<'_>) {
    // One that is gone already is what is wanted; one that cannot be removed is pruned later.
    drop(fs::remove_file(path(visit)));
}

fn prune(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let modified = entry.metadata().and_then(|meta| meta.modified());
        // A time in the future is of a clock that was set back since.
        let old = modified.is_ok_and(|at| at.elapsed().map_or(true, |age| age > KEPT));
        if ours && old {
            drop(fs::remove_file(entry.path()));
        }
    }
}
