//! That code, configuration and documents name the same things.

use std::collections::BTreeSet;
use std::fs;

use clap::CommandFactory;
use regex::Regex;

use crate::repository::{files_below, module, none_of, root, sources, text};

/// Each driver, the folder of its fixtures, and the section of config.txt that shows its settings.
const DRIVERS: &[(&str, &str, &str)] = &[
    ("controlbyweb", "controlbyweb", "relay_board"),
    ("emoncms", "emoncms", "emoncms"),
    ("foreman", "foreman", "foreman"),
    ("iotawatt", "iotawatt", "iotawatt"),
    ("pdu", "pdu", "pdu"),
    ("room_alert", "room_alert", "room_alert"),
    ("signal_page", "signal", "signal"),
];

/// Files in src/drivers that are no drivers.
const NO_DRIVERS: &[&str] = &["mod", "act", "common", "digest"];

#[test]
fn each_driver_has_fixtures_and_a_commented_sample_of_its_settings() {
    let names: BTreeSet<String> = fs::read_dir(root().join("src/drivers"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| !NO_DRIVERS.contains(&name.as_str()))
        .collect();
    let mut found = Vec::new();
    for name in &names {
        let Some((_, fixtures, section)) = DRIVERS.iter().find(|(driver, _, _)| driver == name) else {
            found.push(format!("src/drivers/{name}.rs has no row in DRIVERS (tests/layout/documents.rs)"));
            continue;
        };
        let folder = format!("tests/fixtures/{fixtures}");
        if files_below(&folder).is_empty() {
            found.push(format!("{folder}/ has no file; put one answer of each firmware there, with invented values"));
        }
        if !sample_sections().iter().any(|sample| sample.name == *section && sample.has_comment) {
            found.push(format!("config.txt has no commented [{section}]; say what each of its keys means"));
        }
    }
    for (driver, _, _) in DRIVERS.iter().filter(|(driver, _, _)| !names.contains(*driver)) {
        found.push(format!(
            "DRIVERS (tests/layout/documents.rs) names `{driver}`, and there is no src/drivers/{driver}.rs"
        ));
    }
    none_of("drivers that are not complete", "CONTRIBUTING.md has the recipe for a driver.", &found);
}

#[test]
fn the_readme_names_every_section_of_the_configuration() {
    let readme = text("README.md");
    let names: BTreeSet<String> = sample_sections().into_iter().map(|section| section.name).collect();
    let missing: Vec<String> = names
        .into_iter()
        .filter(|name| !readme.contains(&format!("`[{name}]`")) && !readme.contains(&format!("`[[{name}]]`")))
        .collect();
    none_of("sections of config.txt that README.md does not name", "Add them to its table of sections.", &missing);
}

#[test]
fn the_readme_names_the_two_commands_and_every_subcommand() {
    let readme = text("README.md");
    let mut wanted = vec!["scripts/demo.sh".to_owned(), "scripts/test.sh".to_owned()];
    let mut open = vec![(minectl::cli::Cli::command(), "minectl".to_owned())];
    while let Some((command, path)) = open.pop() {
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            let path = format!("{path} {}", below.get_name());
            if below.has_subcommands() {
                open.push((below.clone(), path));
            } else {
                wanted.push(path);
            }
        }
    }
    wanted.retain(|name| !readme.contains(name.as_str()));
    none_of("commands that README.md does not name", "Show each one once, as an owner would type it.", &wanted);
}

#[test]
fn the_architecture_gives_a_reason_for_every_package() {
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let architecture = text("ARCHITECTURE.md");
    let tables = ["dependencies", "dev-dependencies"];
    let packages = tables.iter().flat_map(|name| manifest[*name].as_table().unwrap().keys());
    let missing: Vec<String> = packages.filter(|name| !architecture.contains(&format!("`{name}`"))).cloned().collect();
    none_of("packages that ARCHITECTURE.md does not name", "Say which code of ours each one replaces.", &missing);
}

#[test]
fn the_architecture_names_every_module() {
    let architecture = text("ARCHITECTURE.md");
    let names: BTreeSet<String> = sources().iter().map(|path| module(path).to_owned()).collect();
    let missing: Vec<String> = names
        .into_iter()
        .filter(|name| !architecture.contains(&format!("{name}.rs")) && !architecture.contains(&format!("{name}/")))
        .collect();
    none_of("modules that ARCHITECTURE.md does not name", "Add them to its list of files.", &missing);
}

#[test]
fn licences_and_documents_are_there() {
    for name in ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Cargo.lock"] {
        assert!(!text(name).trim().is_empty(), "{name} is empty");
    }
    assert!(text("CHANGELOG.md").contains("## [Unreleased]"), "CHANGELOG.md: the next release has no section");
}

/// A section of config.txt, in use or switched off by `#`.
struct Sample {
    name: String,
    has_comment: bool,
}

fn sample_sections() -> Vec<Sample> {
    let header = Regex::new(r"^(?:# ?)?\[{1,2}([a-z_]+)\]{1,2}$").unwrap();
    let mut sections: Vec<Sample> = Vec::new();
    let mut comment_before = false;
    for line in text("config.txt").lines() {
        if let Some(name) = header.captures(line) {
            sections.push(Sample { name: name[1].to_owned(), has_comment: comment_before });
        } else if line.starts_with("# ") && !line.starts_with("# ---") {
            comment_before = true;
            if let Some(section) = sections.last_mut() {
                section.has_comment = true;
            }
        } else if line.is_empty() {
            comment_before = false;
        }
    }
    assert!(sections.len() > 15, "only {} sections in config.txt: the search is broken", sections.len());
    sections
}
