//! Looks for files and lines of the history that cannot be read. It reads all of them and is for `db check` only.

use std::path::{Path, PathBuf};

use super::kept::{self, Kept};
use super::scan;

/// All files: their number and size in bytes, and what is wrong with some. A line that a power cut tore is known as such
/// and counts as well.
pub(in crate::store) fn garbled(folder: &Path) -> (usize, u64, Vec<(PathBuf, String)>) {
    let kept = Kept::list(folder);
    let full = kept.full.iter().map(|day| kept::full_file(folder, *day));
    let quarters = kept.quarters.iter().map(|day| kept::quarters_file(folder, *day));
    let hours = kept.hours.iter().map(|month| kept::hours_file(folder, month));
    let (mut files, mut size, mut garbled) = (0_usize, 0_u64, Vec::new());
    for path in full.chain(quarters).chain(hours) {
        let (bytes, trouble) = scan::bytes(&path);
        files += 1;
        size += bytes.len() as u64;
        if let Some(error) = trouble {
            garbled.push((path, error.to_string()));
            continue;
        }
        let lines = bad_lines(&bytes);
        if lines > 0 {
            garbled.push((path, format!("{lines} lines cannot be read")));
        }
    }
    (files, size, garbled)
}

fn bad_lines(bytes: &[u8]) -> usize {
    let mut columns = None;
    let is_bad = |line: &&[u8]| {
        if line.ends_with(scan::TORN.as_bytes()) {
            return false;
        }
        if let Some(names) = scan::header(line) {
            columns = Some(names.len());
            return false;
        }
        let mut fields = line.split(|byte| *byte == b',');
        let has_time = fields.next().and_then(scan::time).is_some();
        !has_time || Some(fields.count()) != columns
    };
    scan::lines(bytes).filter(is_bad).count()
}
