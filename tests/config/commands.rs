//! `minectl config ...`

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use minectl::commands::config::{check, edit_with, get, init, set, show};
use minectl::config;
use minectl::error::Error;

use crate::support::*;

fn get_value(path: &Path, key: &str) -> String {
    run(|out| get(path, key, out)).unwrap().trim_end().to_owned()
}

fn set_value(path: &Path, key: &str, value: &str) -> Result<String, Error> {
    run(|out| set(path, key, value, out))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn check_counts_the_settings() {
    let (_folder, path) = folder_with(SAMPLE);
    let said = run(|out| check(&path, out)).unwrap();
    assert!(said.starts_with("config.txt: ok, 2") && said.ends_with(" settings\n"), "{said}");
    std::fs::write(&path, changed("mode = \"live\"", "mode = \"dead\"")).unwrap();
    assert_eq!(run(|out| check(&path, out)).unwrap_err().exit_code(), 3);
}

#[test]
fn show_works_on_a_file_with_mistakes_and_masks() {
    let (_folder, path) = folder_with(&changed("mode = \"live\"", "mode = \"dead\""));
    let said = run(|out| show(&path, out)).unwrap();
    assert!(
        said.contains("mode = \"dead\"") && said.contains("api_key = \"***\"") && !said.contains("site-foreman-key")
    );
}

#[test]
fn get_addresses_sections_and_elements_by_name_or_place() {
    let (_folder, path) = folder_with(&uncommented(SAMPLE, "user = \"none\"", "password = \"site-relay"));
    assert_eq!(get_value(&path, "mode"), "live");
    assert_eq!(get_value(&path, "signal.curtail_at"), "310");
    assert_eq!(get_value(&path, "signal.range"), "[50, 500]");
    assert_eq!(get_value(&path, "pdu.spdu-b.url"), "http://127.0.0.1:18011");
    assert_eq!(get_value(&path, "pdu.2.url"), "http://127.0.0.1:18011");
    assert_eq!(get_value(&path, "fan.7.relay"), "2");
    assert_eq!(get_value(&path, "room_alert.room-alert.probes.exhaust.index"), "3");
    assert_eq!(
        get_value(&path, "history"),
        "history.keep_days = 30\nhistory.averages_days = 730\nhistory.inputs_days = 14"
    );
}

#[test]
fn get_tells_the_default_of_an_absent_key_and_hides_secrets() {
    let (_folder, path) = folder_with(SAMPLE);
    assert_eq!(get_value(&path, "pdu.spdu-b.batch"), "24");
    assert_eq!(get_value(&path, "telegram.token"), "***");
    assert!(!get_value(&path, "email").contains("site-smtp-password"));
    let error = |key: &str| run(|out| get(&path, key, out)).unwrap_err().to_string();
    assert_eq!(error("signal.curtail"), "unknown key `signal.curtail`; did you mean `signal.curtail_at`?");
    assert!(error("history.zzzzzzzzzzzz").contains("known: history.keep_days"));
    assert!(error("zzzzzzzzzzzzzzzzzzz").contains("known: mode, loop_interval"));
    assert!(error("pdu.spdu-b.user").contains("is not set and has no default"));
    assert!(error("pdu.99.url").contains("unknown key"));
}

#[test]
fn set_changes_one_value_and_no_other_byte() {
    let (_folder, path) = folder_with(SAMPLE);
    let said = set_value(&path, "climate.shed_above", "102 F").unwrap();
    assert_eq!(said, "climate.shed_above: 104 F -> 102 F\n");
    assert_eq!(read(&path), changed("shed_above = \"104 F\"", "shed_above = \"102 F\""));
    set_value(&path, "signal.curtail_at", "320.5").unwrap();
    set_value(&path, "signal.must_contain", "[\"Corn\", \"Belt\"]").unwrap();
    set_value(&path, "notify.info", "email").unwrap();
    set_value(&path, "room_alert.room-alert.probes.middle.role", "outdoor").unwrap();
    set_value(&path, "signal.pattern", r"load\s(\d+)").unwrap();
    let config = config::load(&path).unwrap();
    assert_eq!(config.signal.must_contain, ["Corn", "Belt"]);
    assert_eq!(config.signal.pattern, r"load\s(\d+)");
    assert_eq!(read(&path).lines().count(), SAMPLE.lines().count());
    assert_eq!(read(&path).matches('#').count(), SAMPLE.matches('#').count(), "comments are kept");
}

#[test]
fn set_accepts_texts_with_their_quotes_too() {
    let (_folder, path) = folder_with(SAMPLE);
    set_value(&path, "climate.shed_above", "\"102 F\"").unwrap();
    assert_eq!(get_value(&path, "climate.shed_above"), "102 F");
    set_value(&path, "site.name", "Kim's \"Box\" # 2").unwrap();
    assert_eq!(config::load(&path).unwrap().site.name, "Kim's \"Box\" # 2");
}

#[test]
fn set_inserts_an_absent_key_in_its_section() {
    let (_folder, path) = folder_with(SAMPLE);
    assert_eq!(set_value(&path, "pdu.spdu-b.batch", "8").unwrap(), "pdu.spdu-b.batch: 24 (default) -> 8\n");
    let config = config::load(&path).unwrap();
    assert_eq!((config.pdus[0].batch, config.pdus[1].batch, config.pdus[2].batch), (24, 8, 24));
    set_value(&path, "room_alert.room-alert.probes.middle.label", "Middle").unwrap();
    assert_eq!(config::load(&path).unwrap().rooms[0].probes[3].label.as_deref(), Some("Middle"));
    let (_folder, path) = folder_with(&changed("loop_interval = \"2 minutes\"\n", ""));
    set_value(&path, "loop_interval", "3 minutes").unwrap();
    assert_eq!(config::load(&path).unwrap().loop_interval.0, 180);
    let (_folder, path) = folder_with(without_section(SAMPLE, "[overrides]").trim_end());
    set_value(&path, "overrides.max_time", "12 hours").unwrap();
    assert_eq!(config::load(&path).unwrap().overrides.max_time.0, 12 * 3600);
    let (_folder, path) = folder_with(changed("keep_days = 30\n", "").trim_end());
    set_value(&path, "history.keep_days", "45").unwrap();
    assert_eq!(config::load(&path).unwrap().history.keep_days, 45);
}

#[test]
fn set_that_fails_the_check_leaves_the_file_as_it_was() {
    let (folder, path) = folder_with(SAMPLE);
    for (key, value) in [
        ("climate.shed_above", "90 F"),
        ("climate.shed_above", "102"),
        ("fan.3.relay", "4"),
        ("fan.3.relay", "four"),
        ("signal.range", "[50"),
        ("signal.curtail_at", "310 # high"),
        ("history.keep_days", "30\nmode = \"observe\""),
        ("telegram.token_file", "none"),
    ] {
        let error = set_value(&path, key, value).unwrap_err();
        assert_eq!(error.exit_code(), 3, "{key} {value}");
        assert_eq!(read(&path), SAMPLE, "{key} {value}");
    }
    assert_eq!(set_value(&path, "climate.shedabove", "1 F").unwrap_err().exit_code(), 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn set_mends_a_file_that_has_a_mistake() {
    let (_folder, path) = folder_with(&changed("shed_above = \"104 F\"", "shed_above = \"104\""));
    set_value(&path, "climate.shed_above", "103 F").unwrap();
    config::load(&path).unwrap();
}

#[test]
fn set_hides_secrets_and_says_when_nothing_changes() {
    let (_folder, path) = folder_with(SAMPLE);
    assert_eq!(set_value(&path, "telegram.token", "99:new").unwrap(), "telegram.token: *** -> ***\n");
    assert_eq!(config::load(&path).unwrap().telegram.unwrap().token.reveal(), "99:new");
    assert_eq!(set_value(&path, "mode", "live").unwrap(), "mode: unchanged, it is live already\n");
}

#[test]
fn set_keeps_mode_and_link_and_line_ends_and_byte_order_mark() {
    let (folder, path) = folder_with(&format!("\u{feff}{}", SAMPLE.replace('\n', "\r\n")));
    let link = folder.path().join("link.txt");
    symlink(&path, &link).unwrap();
    set_value(&link, "history.keep_days", "45").unwrap();
    set_value(&link, "pdu.spdu-b.batch", "8").unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    let text = read(&path);
    assert!(text.starts_with('\u{feff}') && text.contains("\r\nkeep_days = 45\r\n") && text.contains("batch = 8\r\n"));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}

#[test]
fn a_file_that_changed_meanwhile_is_not_overwritten() {
    let (_folder, path) = folder_with("mode = \"observe\"\n");
    let error = config::replace(&path, "mode = \"live\"\n", "x").unwrap_err().to_string();
    assert!(error.contains("changed by someone else"), "{error}");
    assert_eq!(read(&path), "mode = \"observe\"\n");
}

#[test]
fn set_that_cannot_write_says_so_and_changes_nothing() {
    let (folder, path) = folder_with(SAMPLE);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o550)).unwrap();
    if tempfile::tempfile_in(folder.path()).is_ok() {
        return; // Root writes everywhere.
    }
    let error = set_value(&path, "mode", "observe").unwrap_err().to_string();
    assert!(error.contains("nothing is changed"), "{error}");
    assert_eq!(read(&path), SAMPLE);
}

/// An editor that runs one sed expression, then the next one at its next start.
fn editor(folder: &Path, expressions: &[&str]) -> Vec<String> {
    let script = folder.join("editor.sh");
    let mut text = format!(
        "#!/bin/sh\nn=$(cat {0}/n 2>/dev/null || echo 0)\necho $((n+1)) > {0}/n\ncase $n in\n",
        folder.display()
    );
    for (number, expression) in expressions.iter().enumerate() {
        text += &format!("{number}) sed -i '{expression}' \"$1\" ;;\n");
    }
    std::fs::write(&script, text + "esac\n").unwrap();
    vec![format!("sh '{}'", script.display())]
}

#[test]
fn edit_replaces_when_the_result_is_sound() {
    let (_folder, path) = folder_with(SAMPLE);
    let tools = tempfile::tempdir().unwrap();
    let editors = editor(tools.path(), &["s/keep_days = 30/keep_days = 45/"]);
    assert_eq!(run(|out| edit_with(&path, &editors, None, out)).unwrap(), "config.txt: replaced\n");
    assert_eq!(read(&path), changed("keep_days = 30", "keep_days = 45"));
    assert_eq!(run(|out| edit_with(&path, &editors, None, out)).unwrap(), "nothing changed\n");
}

#[test]
fn edit_asks_again_after_a_mistake_and_keeps_what_was_typed() {
    let (folder, path) = folder_with(SAMPLE);
    let tools = tempfile::tempdir().unwrap();
    let editors = editor(tools.path(), &["s/keep_days = 30/keep_days = 0/", "s/keep_days = 0/keep_days = 31/"]);
    let said = run(|out| edit_with(&path, &editors, Some(&mut "what\ne\n".as_bytes()), out)).unwrap();
    assert!(said.contains("`history.keep_days`: 0 is outside 1 to 36500\nedit again, or discard? [e/d] "), "{said}");
    assert_eq!(read(&path), changed("keep_days = 30", "keep_days = 31"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no copy is left");
}

#[test]
fn edit_discards_on_demand_at_the_end_of_input_and_without_a_terminal() {
    let (_folder, path) = folder_with(SAMPLE);
    for answers in ["d\n", ""] {
        let tools = tempfile::tempdir().unwrap();
        let editors = editor(tools.path(), &["s/keep_days = 30/keep_days = 0/"]);
        let said = run(|out| edit_with(&path, &editors, Some(&mut answers.as_bytes()), out)).unwrap();
        assert!(said.ends_with("discarded; the file is as it was\n"), "{said}");
    }
    let tools = tempfile::tempdir().unwrap();
    let editors = editor(tools.path(), &["s/keep_days = 30/keep_days = 0/"]);
    assert_eq!(run(|out| edit_with(&path, &editors, None, out)).unwrap_err().exit_code(), 3);
    assert_eq!(read(&path), SAMPLE);
}

#[test]
fn edit_falls_back_to_the_next_editor_and_says_when_there_is_none() {
    let (_folder, path) = folder_with(SAMPLE);
    let tools = tempfile::tempdir().unwrap();
    let mut editors = editor(tools.path(), &["s/keep_days = 30/keep_days = 45/"]);
    editors.insert(0, "no-such-editor-here".to_owned());
    run(|out| edit_with(&path, &editors, None, out)).unwrap();
    let error = run(|out| edit_with(&path, &editors[..1], None, out)).unwrap_err().to_string();
    assert!(error.contains("no editor found") && error.contains("VISUAL"), "{error}");
    let error = run(|out| edit_with(&path, &["false".to_owned()], None, out)).unwrap_err().to_string();
    assert!(error.contains("nothing is changed"), "{error}");
}

#[test]
fn init_writes_the_sample_for_observing_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.txt");
    run(|out| init(&path, out)).unwrap();
    let installed = changed("\nmode = \"live\"", "\nmode = \"observe\"")
        .replace("\"demo/data\"", "\"/var/lib/minectl\"")
        .replace("\"demo/page\"", "\"/run/minectl/page\"")
        .replace("\"demo/minectl.log\"", "\"/var/log/minectl/minectl.log\"");
    assert_eq!(read(&path), installed);
    assert!(!read(&path).contains("\"demo/"), "no path of the demonstration is left");
    assert_eq!(config::load(&path).unwrap().mode, config::Mode::Observe);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    std::fs::write(&path, "mine").unwrap();
    assert_eq!(run(|out| init(&path, out)).unwrap_err().exit_code(), 2);
    assert_eq!(read(&path), "mine");
    let link = folder.path().join("link.txt");
    symlink(folder.path().join("nowhere"), &link).unwrap();
    assert_eq!(run(|out| init(&link, out)).unwrap_err().exit_code(), 2);
}
