//! What each source file is like: how it begins, how long it is, that it does not panic, that a test file is built.

use std::fs;

use regex::Regex;

use crate::repository::{code, files_below, none_of, root, shown, sources, text};

const FILE_LINES_MAX: usize = 450;

#[test]
fn every_source_file_says_first_what_it_is_for() {
    let silent: Vec<String> = sources().into_iter().filter(|path| !text(path).starts_with("//! ")).collect();
    none_of(
        "files that do not begin with `//! `",
        "Say what the file is for and what it deliberately does not do.",
        &silent,
    );
}

#[test]
fn no_source_file_is_too_long_to_be_read() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|path| (text(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > FILE_LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines, at most {FILE_LINES_MAX}"))
        .collect();
    none_of("files that are too long", "Move one subject into a file of its own beside it.", &long);
}

#[test]
fn nothing_in_src_panics_on_purpose() {
    let panics = Regex::new(
        r"\.unwrap\(\)|\.unwrap_err\(\)|\.expect\(|\.expect_err\(|\b(panic|todo|unimplemented|unreachable)!",
    )
    .unwrap();
    let mut found = Vec::new();
    for path in sources() {
        for (place, line) in code(&path).iter().enumerate() {
            if panics.is_match(line) {
                found.push(format!("{path}:{}: {}", place + 1, line.trim()));
            }
        }
    }
    let way_out = "Return the error, or take the safe value and log it: a run must reach its commands and its page.";
    none_of("panics outside tests", way_out, &found);
}

#[test]
fn every_test_file_is_built() {
    let manifest = text("Cargo.toml");
    let missing: Vec<String> = fs::read_dir(root().join("tests"))
        .unwrap()
        .map(|entry| shown(&entry.unwrap().path()))
        .filter(|path| path.ends_with(".rs") && !manifest.contains(&format!("path = \"{path}\"")))
        .collect();
    none_of("test files that no [[test]] of Cargo.toml names", "Add an entry: autotests are off.", &missing);
}

#[test]
fn no_file_names_a_folder_of_the_machine_it_was_written_on() {
    let at_top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let top = at_top.filter(|path| path.is_file()).map(|path| shown(&path)).filter(|name| name != ".git");
    let folders = ["src", "tests", "templates", "cron", "packaging", "scripts", ".ci", ".github"];
    let all = top.chain(folders.into_iter().flat_map(files_below));
    // Written in halves, or this file would find itself.
    let machine = [["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"], ["/wo", "rk/"]].map(|halves| halves.concat());
    let mut found = Vec::new();
    for path in all {
        let Ok(whole) = fs::read_to_string(root().join(&path)) else { continue };
        for (place, line) in whole.lines().enumerate() {
            let named = machine.iter().any(|folder| {
                line.match_indices(folder.as_str()).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_ascii_alphanumeric() || "./_}$-".contains(c))
                })
            });
            if named {
                found.push(format!("{path}:{}: {}", place + 1, line.trim()));
            }
        }
    }
    none_of("folders of a developer's machine", "Use a path relative to the repository, or $HOME.", &found);
}
