//! The plain copy: `state.json`, from which a lost database is refilled. Written by temporary file, sync and rename.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::{Override, SCHEMA, SiteState};

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
    let copy: Copy = serde_json::from_slice(&bytes).map_err(|error| text(error.to_string()))?;
    if copy.state.schema > SCHEMA {
        return Err(text(format!("schema {} is newer than this program's {SCHEMA}", copy.state.schema)));
    }
    Ok(Some(copy))
}

/// Replaces the copy.
pub(super) fn write(folder: &Path, copy: &Copy) -> Result<(), String> {
    let path = folder.join("state.json");
    let text = |error: std::io::Error| format!("{}: {error}", path.display());
    let bytes = serde_json::to_vec(copy).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut file = tempfile::Builder::new().prefix(".state").tempfile_in(folder).map_err(text)?;
    file.write_all(&bytes).and_then(|()| file.as_file().sync_all()).map_err(text)?;
    file.persist(&path).map_err(|error| text(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(text)
}
