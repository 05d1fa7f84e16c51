//! README's table "What happens when something fails", as far as it names alarms.

use std::sync::OnceLock;

use regex::Regex;

const HEADING: &str = "\n## What happens when something fails\n";

/// Whether the table names this alarm: its id stands there in backticks, with a name in angle brackets where names vary.
pub fn names_alarm(id: &str) -> bool {
    static KNOWN: OnceLock<Vec<Regex>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
        let section = readme.split_once(HEADING).unwrap().1.split("\n## ").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| ")).skip(2);
        let seen = rows.filter_map(|row| row.split(" | ").nth(2));
        let ids = seen.flat_map(|seen| seen.split('`').skip(1).step_by(2));
        let name = Regex::new("<[a-z_]+>").unwrap();
        let pattern = |id: &str| {
            let parts: Vec<String> = name.split(id).map(regex::escape).collect();
            Regex::new(&format!("^{}$", parts.join("[a-z0-9-]+"))).unwrap()
        };
        ids.map(pattern).collect()
    });
    assert!(known.len() > 20, "README's table is not where it was: {known:?}");
    known.iter().any(|known| known.is_match(id))
}
