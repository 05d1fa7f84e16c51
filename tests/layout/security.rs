//! What SECURITY.md claims: each claim names a test that is there, and three claims are held here.

use regex::Regex;

use crate::repository::{code, files_below, none_of, sources, text};

#[test]
fn every_claim_about_security_names_a_test_that_is_there() {
    let document = text("SECURITY.md");
    let tests: String = files_below("tests")
        .into_iter()
        .chain(sources())
        .filter(|path| path.ends_with(".rs") || path.ends_with(".sh"))
        .map(|path| text(&path))
        .collect();
    let named = Regex::new("`([^`]+)`").unwrap();
    let (mut claims, mut missing) = (0, Vec::new());
    for row in document.lines().filter(|row| row.starts_with("| ") && row.matches(" | ").count() == 1) {
        let (claim, held_by) = row.split_once(" | ").unwrap();
        if claim == "| claim" || claim.starts_with("| ---") {
            continue;
        }
        claims += 1;
        let names: Vec<&str> = named.captures_iter(held_by).map(|name| name.get(1).unwrap().as_str()).collect();
        let is_there = |name: &str| match name.contains(' ') {
            false => tests.contains(&format!("fn {name}(")),
            // A fact of a system test, which stands in quotes before its command.
            true => {
                tests.contains(&format!("fact \"{name}\""))
                    || tests.contains(&format!("refused \"{name}\""))
                    || tests.contains(&format!("cuts \"{name}\""))
            }
        };
        missing.extend(names.iter().filter(|name| !is_there(name)).map(|name| format!("{claim}: `{name}`")));
        if names.is_empty() {
            missing.push(format!("{claim}: no test at all"));
        }
    }
    assert!(claims > 25, "only {claims} claims found in SECURITY.md: the search is broken");
    none_of("claims without their test", "Name a test that fails when the claim is wrong.", &missing);
}

#[test]
fn no_program_is_started_but_the_editor_crontab_and_minectl_itself() {
    // The editor; the pages behind a password, which start a run; the doctor, who has `crontab -l` print the own crontab.
    let owners = ["src/commands/config.rs", "src/commands/cgi", "src/cgi", "src/commands/doctor/cron.rs"];
    let starts = Regex::new(r"process::Command|Command::new\(").unwrap();
    let by_name = Regex::new(r"Command::new\(\s*\x22").unwrap();
    let mut found = Vec::new();
    for path in sources() {
        for (place, line) in code(&path).iter().enumerate() {
            let is_owner = owners.iter().any(|owner| path.starts_with(owner));
            if (starts.is_match(line) && !is_owner) || by_name.is_match(line) {
                found.push(format!("{path}:{}: {}", place + 1, line.trim()));
            }
        }
    }
    none_of("programs that are started", "Do it in Rust; a shell makes a command of what a device says.", &found);
}

#[test]
fn messages_are_fetched_in_one_place_and_never_pushed_to_us() {
    let mut found = Vec::new();
    let owner = "src/notify/telegram/updates.rs";
    for path in sources() {
        for (place, line) in code(&path).iter().enumerate() {
            if line.contains("setWebhook") || (line.contains("getUpdates") && path != owner) {
                found.push(format!("{path}:{}: {}", place + 1, line.trim()));
            }
        }
    }
    none_of(
        "messages that are fetched",
        "They come by src/notify/telegram/updates.rs, where the owner allows it.",
        &found,
    );
}

#[test]
fn what_a_message_asks_for_goes_the_road_of_minectl_set() {
    // The one caller outside of its own module is the run; and by_hand makes changes of the store, nothing else.
    let mut found = Vec::new();
    for path in sources() {
        for (place, line) in code(&path).iter().enumerate() {
            let is_run = path == "src/tick/messages.rs";
            let hands = line.contains("by_hand::handle(") && !is_run;
            let acts = path.starts_with("src/by_hand/")
                && ["drivers::", "decide::", "Command::Miner"].iter().any(|w| line.contains(w));
            if hands || acts {
                found.push(format!("{path}:{}: {}", place + 1, line.trim()));
            }
        }
    }
    none_of("another road for messages", "Make an override of it: the interlocks judge those.", &found);
}
