//! The database as text and back, and `db check`.

use std::fs;
use std::time::Duration;

use minectl::model::SCHEMA;
use minectl::store::{Finding, Store};

use crate::support::{assert_full, at, event_texts, full_change, new_store, set_aside};

fn export(store: &Store) -> String {
    let mut text = Vec::new();
    let number = store.export(&at(5), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), number + 2);
    text
}

#[test]
fn an_export_comes_back_whole_in_another_folder_and_exports_the_same_again() {
    let (_folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let text = export(&store);
    let (new_folder, new) = new_store();
    assert_eq!(new.import(&text, &at(6)).unwrap(), ["13 records imported"]);
    assert_full(&new.load(&at(7)), 1);
    assert_eq!(event_texts(&new), ["two", "one"]);
    assert_eq!(export(&new), text);
    fs::remove_dir_all(new_folder.path().join("db")).unwrap();
    assert!(new.load(&at(8)).state.is_some(), "the plain copy is written with it");
}

#[test]
fn an_import_sets_the_present_database_aside() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let text = export(&store);
    store.save(&full_change(2), &at(10)).unwrap();
    let done = store.import(&text, &at(20)).unwrap();
    assert!(done[0].starts_with("moved to ") && done[0].contains("db.bad-"), "{done:?}");
    assert_full(&store.load(&at(21)), 1);
    assert_eq!(set_aside(folder.path()).len(), 1);
    store.import(&text, &at(20)).unwrap();
    store.import(&text, &at(20)).unwrap();
    assert_eq!(set_aside(folder.path()).len(), 2, "two are kept");
}

/// Each mistake with its line, and nothing is changed.
#[test]
fn an_export_with_mistakes_is_refused_whole() {
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let text = export(&store);
    let lines: Vec<&str> = text.lines().collect();
    let refused = |text: &str| store.import(text, &at(10)).unwrap_err();
    assert_eq!(refused(""), "line 1: this is no export of `minectl db export`");
    assert_eq!(refused("time_unix_s,a\n"), "line 1: this is no export of `minectl db export`");
    let newer = text.replacen(&format!("\"minectl_export\":{SCHEMA}"), "\"minectl_export\":99", 1);
    assert!(refused(&newer).starts_with("line 1: schema 99 is newer than this program's "));
    assert_eq!(refused(&lines[..5].join("\n")), "the end is missing: the file was cut off");
    let fewer = [&lines[..3], &lines[4..]].concat().join("\n");
    assert_eq!(refused(&fewer), "12 records of 13 are there");
    assert!(refused(&(text.clone() + lines[2])).contains("line 16: stands behind the end"));
    let odd = text
        .replace("\"kind\":\"sent\"", "\"kind\":\"spent\"")
        .replace("\"kind\":\"event\",\"key\":\"1\"", "\"kind\":\"event\",\"key\":\"x\"");
    let told = refused(&odd);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(
        told.contains("unknown kind `spent`; known: state, override, ") && told.contains("`x` is no number"),
        "{told}"
    );
    assert!(
        refused(&text.replace("\"record\":{\"at\":1795370400", "\"record\":{\"when\":1795370400"))
            .contains("missing field `at`")
    );
    assert_full(&store.load(&at(11)), 1);
    assert!(set_aside(folder.path()).is_empty());
}

#[test]
fn an_export_of_an_older_schema_is_brought_up() {
    let (_folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let text = export(&store).replacen(&format!("\"minectl_export\":{SCHEMA}"), "\"minectl_export\":1", 1);
    let intents = text.lines().find(|line| line.contains("\"intents\"")).unwrap();
    let mut line: serde_json::Value = serde_json::from_str(intents).unwrap();
    line["record"] = line["record"]["commands"].take();
    let old = text.replace(intents, &line.to_string());
    store.import(&old, &at(10)).unwrap();
    assert_full(&store.load(&at(11)), 1);
    assert_eq!(store.load(&at(11)).broken_off_at, None);
}

fn wrong(store: &Store) -> Vec<Finding> {
    store.check(&at(60)).into_iter().filter(|finding| finding.way_out.is_some()).collect()
}

/// Everything below a folder with its bytes.
fn content(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            all.extend(content(&path));
        } else {
            all.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_look_at_a_sound_folder_finds_nothing_wrong_and_changes_nothing() {
    let (folder, store) = new_store();
    assert_eq!(wrong(&store), [], "before the first run");
    store.save(&full_change(1), &at(0)).unwrap();
    minectl::store::append_history(&store.history_folder(), at(0).wall, &[]).unwrap();
    let before = content(folder.path());
    let findings = store.check(&at(60));
    let all: Vec<&str> = findings.iter().map(|finding| finding.text.as_str()).collect();
    let told = all.join("; ");
    let counts = "acknowledgement 1, event 2, sent 1, intents 1, chat 1, override 2, message 2, state 1, test 2";
    assert!(told.contains(counts), "{told}");
    assert!(told.contains("59 s old, 2 overrides") && told.contains(&format!("schema {SCHEMA}")), "{told}");
    assert_eq!(wrong(&store), []);
    assert!(content(folder.path()) == before, "a look changed something");
}

#[test]
fn each_damage_is_named_with_a_way_out() {
    let cases: [(&str, &[u8], &str); 5] = [
        ("db/conf", b"\xff\xfenot what sled wrote", "db: "),
        ("state.json", b"{", "state.json: "),
        ("history/2026-11-22.csv", b"time_unix_s,a\n1,2,3\n2,5\nx\n3,torn\n4,4", "history: "),
        ("calls/2026-11.jsonl", b"{\"schema\":1}\n", "calls: "),
        ("db.bad-17/db", b"", "db.bad-17: was set aside"),
    ];
    for (file, bytes, expected) in cases {
        let (folder, store) = new_store();
        store.save(&full_change(1), &at(0)).unwrap();
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        let found = wrong(&store);
        let told: Vec<String> = found.iter().map(|finding| format!("{}: {}", finding.subject, finding.text)).collect();
        assert_eq!(told.len(), 1, "{file}: {told:?}");
        assert!(told[0].contains(expected), "{file}: {told:?}");
        assert_eq!(found[0].is_lost, file == "db/conf", "{file}: the state is in the database too");
        assert!(set_aside(folder.path()).len() <= 1, "nothing is set aside by looking");
        if file.starts_with("history") {
            assert!(told[0].ends_with("2026-11-22.csv: 2 lines cannot be read"), "{told:?}");
        }
    }
}

/// Puts a record into the database as it is stored: deflated, in one part.
fn put(folder: &std::path::Path, key: &[u8], text: &str) {
    // A process that another test starts holds this one's locks for a moment.
    let mut tries = (0..100).map(|_| sled::Config::new().path(folder.join("db")).segment_size(32 * 1024).open());
    let opened = tries.find_map(|opened| opened.inspect_err(|_| std::thread::sleep(Duration::from_millis(20))).ok());
    let db = opened.unwrap();
    let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut deflated, text.as_bytes()).unwrap();
    db.insert([key, b"\xff\x00"].concat(), deflated.finish().unwrap()).unwrap();
    db.flush().unwrap();
}

#[test]
fn what_a_run_would_go_on_without_is_told_apart() {
    let newer = (SCHEMA + 1).to_string();
    let known = SCHEMA.to_string();
    let cases: [(&[u8], &str, usize, bool); 4] = [
        (b"v", &known, 0, false),
        (b"v", &newer, 1, true),
        (b"ofan-9", "{\"of\":\"a form of tomorrow\"}", 1, true),
        (b"e\x00\x00\x00\x00\x00\x00\x00\x63", "{\"of\":\"a form of tomorrow\"}", 1, false),
    ];
    for (key, text, count, is_lost) in cases {
        let (folder, store) = new_store();
        store.save(&full_change(1), &at(0)).unwrap();
        put(folder.path(), key, text);
        let found = wrong(&store);
        assert_eq!(found.len(), count, "{text}: {found:?}");
        assert_eq!(found.iter().any(|finding| finding.is_lost), is_lost, "{text}: {found:?}");
    }
    let (folder, store) = new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    fs::remove_dir_all(folder.path().join("db")).unwrap();
    fs::write(folder.path().join("state.json"), "{").unwrap();
    assert!(wrong(&store)[0].is_lost, "the last copy of the state");
}
