//! The seeds that fuzzing begins with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::checks::ALL;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each target's folders and files.
fn listed() -> Vec<(String, PathBuf)> {
    let text = std::fs::read_to_string(root().join("tests/fuzz/corpus.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap()).map(|(name, path)| (name.to_owned(), root().join(path))).collect()
}

fn files(path: PathBuf) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path];
    }
    let entries = std::fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found: Vec<PathBuf> = entries.flat_map(|entry| files(entry.unwrap().path())).collect();
    found.sort();
    found
}

/// A target's seeds.
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    let of_it = listed().into_iter().filter(|(listed, _)| listed == name);
    of_it.flat_map(|(_, path)| files(path)).map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn every_target_has_seeds_of_which_one_is_read() {
    for (name, check) in ALL {
        let read = seeds(name).into_iter().filter(|seed| check(seed)).count();
        assert!(read > 0, "no seed of `{name}` is read: has a format changed? See tests/fuzz/corpus.txt");
    }
}

#[test]
fn every_target_is_a_program_and_every_program_is_a_target() {
    let manifest = std::fs::read_to_string(root().join("tests/fuzz/Cargo.toml")).unwrap();
    let built = manifest.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let built: BTreeSet<&str> = built.filter(|name| *name != "minectl-fuzz").collect();
    assert_eq!(built, ALL.into_iter().map(|(name, _)| name).collect());
}
