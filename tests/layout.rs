//! Holds the shape of the repository: who may import whom, how long a file may be, and that code, configuration and
//! documents name the same things. It reads files only; each failure says the way out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use regex::Regex;

/// Which modules of the crate each module may name; one row for each entry of `src/`. Lower floors come first.
const FLOORS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("clock", &["units"]),
    ("error", &["units"]),
    ("model", &["units", "error"]),
    ("config", &["units", "error", "model"]),
    ("http", &["units", "clock", "model", "config"]),
    ("lock", &["units", "clock", "error", "model", "config"]),
    ("logging", &["units", "clock", "error", "model", "config"]),
    ("decide", &["units", "model", "config"]),
    ("drivers", &["units", "clock", "error", "model", "config", "http"]),
    ("notify", &["units", "clock", "error", "model", "config", "http"]),
    ("store", &["units", "clock", "error", "model", "config"]),
    ("dashboard", &["units", "error", "model", "config"]),
    (
        "tick",
        &[
            "units",
            "clock",
            "error",
            "model",
            "config",
            "http",
            "lock",
            "logging",
            "decide",
            "drivers",
            "notify",
            "store",
            "dashboard",
        ],
    ),
    ("cli", &[]),
    (
        "commands",
        &[
            "units",
            "clock",
            "error",
            "model",
            "config",
            "http",
            "lock",
            "logging",
            "decide",
            "drivers",
            "notify",
            "store",
            "dashboard",
            "tick",
            "cli",
        ],
    ),
];

/// What `decide` must not name: it does no I/O, reads no clock and writes no log.
const NOT_IN_DECIDE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::time",
    "Instant",
    "SystemTime",
    "log::",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
];

/// Each driver, the folder of its fixtures, and the section of config.txt that shows its settings.
const DRIVERS: &[(&str, &str, &str)] = &[
    ("controlbyweb", "controlbyweb", "relay_board"),
    ("emoncms", "emoncms", "emoncms"),
    ("foreman", "foreman", "foreman"),
    ("iotawatt", "iotawatt", "iotawatt"),
    ("pdu_json", "pdu", "pdu"),
    ("room_alert", "room_alert", "room_alert"),
    ("signal_page", "signal", "signal"),
];

/// Files in src/drivers that are no drivers.
const NO_DRIVERS: &[&str] = &["mod", "act", "common", "digest", "pdu_switch"];

const FILE_LINES_MAX: usize = 450;
const MAIN_LINES_MAX: usize = 95;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}; the repository needs it"))
}

/// Every file below a folder, by its path from the repository's root; none where there is no such folder.
fn files_below(folder: &str) -> Vec<String> {
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

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

fn sources() -> Vec<String> {
    let sources: Vec<String> = files_below("src").into_iter().filter(|path| path.ends_with(".rs")).collect();
    assert!(sources.len() > 20, "only {} files in src: the search is broken", sources.len());
    sources
}

/// The code of a file without comments and without its tests, line by line. Comments become blanks, so that line and
/// column stay; a `//` inside a string costs the rest of that line, which hides nothing that these tests look for.
fn code(path: &str) -> Vec<String> {
    let whole = text(path);
    let product = whole.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    product.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned()).collect()
}

/// The module of the crate that a file belongs to: `decide` for src/decide/fans.rs, `tick` for src/tick.rs.
fn module(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split(['/', '.']).next().unwrap_or_default()
}

/// The modules named by `crate::` paths, with their lines: `use crate::units::Watts`, `crate::decide::decide(`, and the
/// first words of a group `crate::{units, model::Event}`.
fn modules_named(code: &[String]) -> Vec<(usize, String)> {
    let whole = code.join("\n");
    let mut named = Vec::new();
    for (start, _) in whole.match_indices("crate::") {
        if whole[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = whole[..start].matches('\n').count() + 1;
        let rest = &whole[start + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            named.push((line, word(rest)));
            continue;
        };
        let mut depth = 1;
        let mut piece = String::new();
        for letter in group.chars() {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || (depth == 1 && letter == ',') {
                named.push((line, word(piece.trim())));
                piece.clear();
            } else {
                piece.push(letter);
            }
            if depth == 0 {
                break;
            }
        }
    }
    named.retain(|(_, name)| !name.is_empty());
    named
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn none_of(what: &str, way_out: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}\n{way_out}", found.join("\n  "));
}

#[test]
fn imports_go_down_the_floors_only() {
    let known: BTreeSet<&str> = FLOORS.iter().map(|(name, _)| *name).collect();
    let mut found = Vec::new();
    for path in sources() {
        let own = module(&path);
        if own == "lib" || own == "main" {
            continue;
        }
        let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == own) else {
            found.push(format!("{path}: module `{own}` has no row in FLOORS"));
            continue;
        };
        for (line, name) in modules_named(&code(&path)) {
            if !known.contains(name.as_str()) {
                found.push(format!("{path}:{line}: `crate::{name}` is no module of FLOORS"));
            } else if name != own && !allowed.contains(&name.as_str()) {
                let floor = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
                found.push(format!("{path}:{line}: `{own}` names `{name}`; it may name {floor}"));
            }
        }
    }
    let way_out = "Hand the data over as an argument from the floor above, or move the type down to model, config or \
                   units. A new module needs a row in FLOORS (tests/layout.rs) and a line in ARCHITECTURE.md.";
    none_of("imports against the floors", way_out, &found);
}

#[test]
fn nobody_climbs_to_another_module_by_super() {
    let mut found = Vec::new();
    for path in sources() {
        // In src/decide/fans.rs `super` is decide, and `super::super` the crate. In a file at the top of its module
        // `super` is the crate, but for the modules written inside that file.
        let depth = path.matches('/').count() - usize::from(path.ends_with("/mod.rs"));
        let climb = vec!["super"; depth].join("::") + "::";
        let climbs = |line: &str| if depth == 1 { line.starts_with("use super::") } else { line.contains(&climb) };
        for (place, line) in code(&path).iter().enumerate() {
            if climbs(line) {
                found.push(format!("{path}:{}: {}", place + 1, line.trim()));
            }
        }
    }
    none_of("`super` beyond the file's own module", "Write `crate::...`, so that the floors can be read.", &found);
}

#[test]
fn main_uses_the_library_and_stays_short() {
    let main = text("src/main.rs");
    let lines = main.lines().count();
    assert!(
        lines <= MAIN_LINES_MAX,
        "src/main.rs has {lines} lines, at most {MAIN_LINES_MAX}; move work into commands"
    );
    let own: Vec<String> = main
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("mod ") || line.contains("crate::"))
        .map(|(place, line)| format!("src/main.rs:{}: {line}", place + 1))
        .collect();
    none_of(
        "main has modules of its own",
        "Put them into the library (src/lib.rs) and name them `minectl::...`.",
        &own,
    );
}

#[test]
fn decide_does_no_io_reads_no_clock_and_writes_no_log() {
    let mut found = Vec::new();
    for path in sources().into_iter().filter(|path| module(path) == "decide") {
        for (place, line) in code(&path).iter().enumerate() {
            let named = NOT_IN_DECIDE.iter().filter(|name| {
                line.match_indices(**name).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                })
            });
            found.extend(named.map(|name| format!("{path}:{}: names `{name}`: {}", place + 1, line.trim())));
        }
    }
    let way_out = "decide takes data and `now` and returns data: read it in tick or a driver, return a Reason or Event \
                   instead of a log line.";
    none_of("decide is not pure", way_out, &found);
}

#[test]
fn only_http_uses_ureq_and_only_store_uses_sled() {
    let uses = |package: &str| Regex::new(&format!(r"\b{package}::|use {package}\b")).unwrap();
    let owners = [("ureq", "http", uses("ureq")), ("sled", "store", uses("sled"))];
    let mut found = Vec::new();
    for path in sources() {
        for (place, line) in code(&path).iter().enumerate() {
            for (package, owner, uses) in &owners {
                if uses.is_match(line) && module(&path) != *owner {
                    found.push(format!("{path}:{}: uses `{package}`, which is for `{owner}` alone", place + 1));
                }
            }
        }
    }
    none_of("a package outside its place", "Go through `crate::http` or `crate::store`.", &found);
}

#[test]
fn raw_sockets_are_opened_by_http_only() {
    let mut found = Vec::new();
    for path in sources().into_iter().filter(|path| module(path) != "http") {
        for (place, line) in code(&path).iter().enumerate() {
            if line.contains("TcpStream") || line.contains("UdpSocket") || line.contains("TcpListener") {
                found.push(format!("{path}:{}: {}", place + 1, line.trim()));
            }
        }
    }
    none_of("sockets outside http", "Use `crate::http::raw_get`: it has a deadline and a size limit.", &found);
}

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
            found.push(format!("src/drivers/{name}.rs has no row in DRIVERS (tests/layout.rs)"));
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
        found.push(format!("DRIVERS (tests/layout.rs) names `{driver}`, and there is no src/drivers/{driver}.rs"));
    }
    none_of("drivers that are not complete", "CONTRIBUTING.md has the recipe for a driver.", &found);
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
fn licences_and_documents_are_there() {
    for name in ["LICENSE-MIT", "LICENSE-APACHE", "CHANGELOG.md", "CONTRIBUTING.md", "Cargo.lock"] {
        assert!(!text(name).trim().is_empty(), "{name} is empty");
    }
    assert!(text("CHANGELOG.md").contains("## [Unreleased]"), "CHANGELOG.md: the next release has no section");
}

#[test]
fn no_file_names_a_folder_of_the_machine_it_was_written_on() {
    let at_top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let top = at_top.filter(|path| path.is_file()).map(|path| shown(&path)).filter(|name| name != ".git");
    let folders = ["src", "tests", "templates", "cron", "scripts", ".ci", ".github"];
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
