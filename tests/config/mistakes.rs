//! How mistakes are told: all at once, each with its line, its cause and the way out.

use minectl::config;
use minectl::error::Error;

use crate::support::*;

#[test]
fn three_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = changed("resume_readings = 3\n", "resume_reading = 3\n")
        .replace("shed_above = \"104 F\"", "shed_above = \"104\"")
        .replace("board = \"relays-b\"\nrelay = 4", "board = \"relays-c\"\nrelay = 4");
    let found = parse(&text).unwrap_err();
    let line = |passage| line_of(&text, passage);
    assert_eq!(
        found,
        [
            format!(
                "config.txt:{}: unknown key `resume_reading`; did you mean `resume_readings`?",
                line("resume_reading = 3")
            ),
            format!(
                "config.txt:{}: `fan.9.board`: there is no [[relay_board]] `relays-c`; did you mean `relays-a`? \
                 (known: relays-a, relays-b)",
                line("board = \"relays-c\"")
            ),
            format!(
                "config.txt:{}: `climate.shed_above`: `104` is not a temperature; write it as `95 F` or `35 C`",
                line("shed_above = \"104\"")
            ),
        ]
    );
}

fn line_of(text: &str, passage: &str) -> usize {
    text[..text.find(passage).unwrap()].matches('\n').count() + 1
}

#[test]
fn a_misspelt_required_key_is_one_mistake_and_not_two() {
    one_mistake("selector = \"#load-number\"", "selektor = \"#load-number\"", "did you mean `selector`?");
}

#[test]
fn a_key_in_the_wrong_section_is_sent_home() {
    let text = SAMPLE.replace("keep_days = 30", "keep_days = 30\nmin_running = 3");
    let found = parse(&text).unwrap_err();
    assert!(found[0].ends_with("unknown key `min_running`; it belongs to `[fans]`"), "{found:?}");
}

#[test]
fn an_unknown_key_that_resembles_nothing_lists_the_known_ones() {
    one_mistake("keep_days = 30", "keep_days = 30\nzzzzzzz = 1", "known here: keep_days");
}

#[test]
fn an_unknown_section_names_the_nearest_one() {
    one_mistake("[overrides]", "[overides]", "unknown section `[overides]`; did you mean `[overrides]`?");
    let found = mistakes("[climate]", "[climat]");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_missing_key_is_told_at_the_line_of_its_section() {
    let text = changed("miners = \"tag:curtail\"\n", "");
    let found = parse(&text).unwrap_err();
    let start = format!("config.txt:{}: missing key `miners` in `foreman`; it is", line_of(&text, "[foreman]"));
    assert!(found.len() == 1 && found[0].starts_with(&start), "{found:?}");
}

#[test]
fn missing_sections_are_told_all_at_once() {
    let found = parse("mode = \"observe\"\ntime_zone = \"America/Chicago\"\n").unwrap_err();
    for section in ["[site]", "[paths]", "[signal]", "[[room_alert]]", "[iotawatt]", "[[relay_board]]", "[[fan]]"] {
        assert!(found.iter().any(|line| line.contains(section)), "{section}: {found:#?}");
    }
}

#[test]
fn syntax_errors_are_told_with_their_lines_and_nothing_else() {
    let text =
        changed("resume_readings = 3\n", "resume_readings = = 3\n").replace("mode = \"live\"", "mode = \"life\"");
    let found = parse(&text).unwrap_err();
    let start = format!("config.txt:{}: not TOML: ", line_of(&text, "= = 3"));
    assert!(found.iter().all(|line| line.starts_with(&start)), "{found:#?}");
    let twice = parse(&changed("max_per_hour = 30", "max_per_hour = 30\nmax_per_hour = 31")).unwrap_err();
    assert!(twice[0].contains("duplicate key"), "{twice:?}");
}

#[test]
fn a_syntax_error_in_a_secret_does_not_show_it() {
    let text = changed("token = \"123456:site-telegram-token\"", "token = \"123456:site-telegram-token");
    let found = parse(&text).unwrap_err().join("\n");
    assert!(!found.contains("site-telegram-token"), "{found}");
}

#[test]
fn a_wrong_type_says_what_is_wanted() {
    one_mistake("budget = \"105 s\"", "budget = 100", "wanted a time span such as \"90 s\"");
    one_mistake("warn_after_failures = 3", "warn_after_failures = \"3\"", "wanted a whole number, found a text");
    one_mistake("warn_after_failures = 3", "warn_after_failures = 3.5", "wanted a whole number, found a number");
    one_mistake("stops_mine = true", "stops_mine = \"yes\"", "wanted true or false");
    one_mistake(
        "must_contain = [\"Prairie Fork\", \"System load\"]",
        "must_contain = \"Prairie Fork\"",
        "wanted a list",
    );
    one_mistake("curtail_at = 310", "curtail_at = nan", "wanted a number");
    one_mistake("[history]\n", "[[history]]\n", "must be one section `[history]`");
}

#[test]
fn an_unknown_word_lists_the_known_ones() {
    one_mistake("when_blind = \"curtail\"", "when_blind = \"stop\"", "known: `curtail`, `hold`");
    one_mistake("role = \"exhaust\"", "role = \"exhausts\"", "did you mean `exhaust`? known: `intake`, `exhaust`");
    let found = parse(&SAMPLE.replacen("preset = \"digital-shovel\"", "preset = \"shovel\"", 1)).unwrap_err();
    assert!(found.len() == 1 && found[0].contains("known: `digital-shovel`"), "{found:?}");
}

#[test]
fn a_mistake_is_one_line_whatever_was_typed() {
    let found = mistakes("mode = \"live\"", "mode = \"a\\nb\\u001b[31m\"");
    assert!(found.len() == 1 && !found[0].contains(|c: char| c.is_control()), "{found:?}");
}

#[test]
fn lines_are_counted_alike_with_windows_line_ends_and_a_byte_order_mark() {
    sound(&SAMPLE.replace('\n', "\r\n"));
    sound(&format!("\u{feff}{SAMPLE}"));
    let text = format!("\u{feff}{}", SAMPLE.replace("keep_days = 30", "keep_days = 0").replace('\n', "\r\n"));
    let found = parse(&text).unwrap_err();
    assert!(found[0].starts_with(&format!("config.txt:{}: ", line_of(SAMPLE, "keep_days"))), "{found:?}");
}

#[test]
fn an_empty_file_is_a_list_of_what_is_missing() {
    for text in ["", "\n\n", "# nothing\n", "\u{feff}"] {
        assert!(parse(text).unwrap_err().iter().any(|line| line.contains("missing key `mode`")), "{text:?}");
    }
}

#[test]
fn what_is_no_configuration_file_is_refused() {
    let refused = |path: &std::path::Path| match config::load(path) {
        Err(Error::Config(lines)) => lines.join("\n"),
        other => panic!("{other:?}"),
    };
    let (folder, path) = folder_with(&"# filler\n".repeat(250_000));
    assert!(refused(&path).contains("larger than"), "2 MB");
    assert!(refused(folder.path()).contains("is not a file"), "a folder");
    assert!(refused(std::path::Path::new("/dev/zero")).contains("is not a file"), "a device");
    assert!(refused(&folder.path().join("none.txt")).contains("minectl config init"), "nothing");
    std::fs::write(&path, b"mode = \"live\"\nname = \"\xff\"\n").unwrap();
    assert!(refused(&path).contains("config.txt:2: is not UTF-8"), "{}", refused(&path));
    assert_eq!(config::load(&path).unwrap_err().exit_code(), 3);
}

#[test]
fn a_series_name_that_could_hang_the_meter_is_refused() {
    for name in ["", "fan1,,fan2", "fan1.pf", "time", "fan 1", "1fan", "a&missing=zero", "f\u{e4}n"] {
        let found = mistakes("voltage_series = \"mains_v\"", &format!("voltage_series = \"{name}\""));
        assert!(found.len() == 1 && found[0].contains("is no name of a series"), "{name}: {found:?}");
    }
    let found = mistakes("fan_series = [\"fan1\",", "fan_series = [\"fan1,\",");
    assert!(found.iter().any(|line| line.contains("is no name of a series")), "{found:?}");
    assert!(parse(&SAMPLE.replacen("\"mains_v\"", "\"Mains_2\"", 1)).is_ok());
}
