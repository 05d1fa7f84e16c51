//! The files of the repository, as the tests of its shape read them.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}; the repository needs it"))
}

/// Every file below a folder, by its path from the repository's root; none where there is no such folder.
pub(crate) fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(shown(&path));
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

pub(crate) fn sources() -> Vec<String> {
    let sources: Vec<String> = files_below("src").into_iter().filter(|path| path.ends_with(".rs")).collect();
    assert!(sources.len() > 20, "only {} files in src: the search is broken", sources.len());
    sources
}

/// The code of a file without comments and without its tests, line by line. Comments become blanks, so that line and
/// column stay; a `//` inside a string costs the rest of that line, which hides nothing that these tests look for.
pub(crate) fn code(path: &str) -> Vec<String> {
    let whole = text(path);
    let product = whole.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    product.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned()).collect()
}

/// The module of the crate that a file belongs to: `decide` for src/decide/fans.rs, `tick` for src/tick.rs.
pub(crate) fn module(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split(['/', '.']).next().unwrap_or_default()
}

pub(crate) fn none_of(what: &str, way_out: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}\n{way_out}", found.join("\n  "));
}
