//! The tables in the machines' doc comments are the tables of the code. `scripts/bless.sh decide` writes them anew.

use std::collections::BTreeSet;
use std::path::Path;

use minectl::decide::{Table, tables};

const PLACEHOLDER: &str = "//! TABLE";

fn path_of(machine: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/decide/{machine}.rs"));
    path.to_string_lossy().into_owned()
}

/// The text of a machine's file with the table of the code in the place of the one that stands there.
fn with_table(text: &str, table: &Table) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_table = |line: &&str| line.starts_with("//! |") || **line == *PLACEHOLDER;
    let first = lines.iter().position(is_table).expect("no table in the doc comment");
    let count = lines[first..].iter().take_while(|line| is_table(line)).count();
    let new: Vec<String> = table.markdown().iter().map(|line| format!("//! {line}")).collect();
    let mut all: Vec<&str> = lines[..first].to_vec();
    all.extend(new.iter().map(String::as_str));
    all.extend(&lines[first + count..]);
    all.join("\n") + "\n"
}

#[test]
fn the_table_in_each_doc_comment_is_the_one_of_the_code() {
    for table in tables() {
        let path = path_of(table.machine);
        let text = std::fs::read_to_string(&path).unwrap();
        let wanted = with_table(&text, &table);
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, &wanted).unwrap();
        } else {
            assert!(
                text == wanted,
                "{}: the doc comment differs from the code; run scripts/bless.sh decide",
                table.machine
            );
        }
    }
}

#[test]
fn no_two_rows_of_a_machine_are_the_same() {
    for table in tables() {
        let rows: BTreeSet<String> = table.markdown().into_iter().collect();
        assert_eq!(rows.len(), table.rows.len() + 2, "{}", table.machine);
    }
}
