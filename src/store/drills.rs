//! The certificates of the last drills: JSON lines, the newest last, the whole file written anew by temporary file, sync
//! and rename. A line that cannot be read is left out.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Store;
use crate::model::DrillRecord;

/// So many are kept.
const KEPT: usize = 24;
/// A larger file is not ours.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl Store {
    /// The file of the drills' certificates.
    pub fn drills_file(&self) -> PathBuf {
        self.folder.join("drills.jsonl")
    }
}

/// The certificates in a file, oldest first; none where there is no file. `Err` says why it cannot be read.
pub fn read(file: &Path) -> Result<Vec<DrillRecord>, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", file.display());
    match fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(error)),
        Ok(data) if data.len() > FILE_BYTES_MAX => return Err(format!("{}: larger than 1 MiB", file.display())),
        Ok(_) => {}
    }
    let text = fs::read_to_string(file).map_err(fault)?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Adds a certificate, once, and keeps the last 24. A file that cannot be read is begun anew. `Err` says why it could not
/// be kept.
pub fn keep(file: &Path, record: &DrillRecord) -> Result<(), String> {
    let mut records = read(file).unwrap_or_else(|error| {
        log::warn!("{error}; it is begun anew");
        Vec::new()
    });
    if records.contains(record) {
        return Ok(());
    }
    records.push(record.clone());
    let over = records.len().saturating_sub(KEPT);
    let fault = |error: std::io::Error| format!("{}: {error}", file.display());
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder).map_err(fault)?;
    for record in records.iter().skip(over) {
        let line = serde_json::to_string(record).map_err(|error| fault(std::io::Error::other(error)))?;
        writeln!(new, "{line}").map_err(fault)?;
    }
    new.as_file().sync_all().map_err(fault)?;
    new.persist(file).map_err(|error| fault(error.error))?;
    Ok(())
}
