//! Who may import whom, and who may reach a device, a clock or a disk.

use std::collections::BTreeSet;

use regex::Regex;

use crate::repository::{code, module, none_of, sources, text};

/// Which modules of the crate each module may name; one row for each entry of `src/`. Lower floors come first.
const FLOORS: &[(&str, &str)] = &[
    ("units", ""),
    ("clock", "units"),
    ("error", "units"),
    ("model", "units error"),
    ("config", "units error model"),
    ("http", "units clock model config"),
    ("lock", "units clock error model config"),
    ("logging", "units clock error model config"),
    ("decide", "units model config"),
    ("drivers", "units clock error model config http"),
    ("notify", "units clock error model config http"),
    ("influx", "units model config http"),
    ("store", "units clock error model config"),
    ("dashboard", "units error model config"),
    ("cli", ""),
    ("by_hand", "units error model config notify store cli"),
    ("tick", "units clock error model config http lock logging decide drivers notify influx store dashboard by_hand"),
    ("cgi", "units"),
    (
        "commands",
        "units clock error model config http lock logging decide drivers notify influx store dashboard by_hand tick cgi cli",
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

const MAIN_LINES_MAX: usize = 95;

#[test]
fn imports_go_down_the_floors_only() {
    let known: BTreeSet<&str> = FLOORS.iter().map(|(name, _)| *name).collect();
    let mut found = Vec::new();
    for path in sources() {
        let own = module(&path);
        if own == "lib" || own == "main" {
            continue;
        }
        let Some((_, floor)) = FLOORS.iter().find(|(name, _)| *name == own) else {
            found.push(format!("{path}: module `{own}` has no row in FLOORS"));
            continue;
        };
        for (line, name) in modules_named(&code(&path)) {
            if !known.contains(name.as_str()) {
                found.push(format!("{path}:{line}: `crate::{name}` is no module of FLOORS"));
            } else if name != own && !floor.split(' ').any(|allowed| allowed == name) {
                let floor = if floor.is_empty() { "nothing" } else { *floor };
                found.push(format!("{path}:{line}: `{own}` names `{name}`; it may name {floor}"));
            }
        }
    }
    let way_out = "Hand the data over as an argument from the floor above, or move the type down to model, config or \
                   units. A new module needs a row in FLOORS (tests/layout/floors.rs) and a line in ARCHITECTURE.md.";
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
