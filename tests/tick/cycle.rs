//! A whole curtailment: normal, off and proven, fans down, resume in groups with the fans first, running again.

use std::time::Duration;

use serde_json::json;

use crate::mine::{Mine, SECRETS, state};

const LIMIT: Duration = Duration::from_secs(90);

/// The sample with shorter waits: what is tested is the order, not the patience.
pub fn quick(text: String) -> String {
    let text = text.replace("\nrun_on = \"5 minutes\"", "\nrun_on = \"3 minutes\"");
    let text = text.replace("\nstep_time = \"2 minutes\"", "\nstep_time = \"30 s\"");
    let text = text.replace("\nmin_switch_time = \"4 minutes\"", "\nmin_switch_time = \"1 minute\"");
    text.replace("\nmin_off = \"10 minutes\"", "\nmin_off = \"5 minutes\"")
}

fn fans_wanted(status: &serde_json::Value) -> usize {
    status["fans"].as_array().unwrap().iter().filter(|fan| fan["wanted"] == true).count()
}

/// As root, before the first run: what it made the runs could not write.
#[test]
fn a_plan_makes_no_folder_and_changes_nothing() {
    let mine = Mine::start(60.0, quick);
    let said = mine.run(&["plan"]).done();
    assert!(said.contains("Why:"), "{said}");
    assert!(!mine.data().exists(), "a plan made the data folder");
    assert!(mine.commands().is_empty() && mine.recorded("telegram").is_empty());
}

#[test]
fn a_curtailment_goes_from_signal_to_proof_to_fans_down_and_back_to_running() {
    let mine = Mine::start(60.0, quick);
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining" && status["worry"]["level"] == "ok");
    assert!(mine.commands().iter().all(|(_, what)| what.starts_with("relay")), "miners were touched");

    mine.set(json!({"signal_number": 342}));
    let off = mine.tick_until("proven off", LIMIT, |status| state(status) == "off");
    assert!(mine.miner_watts() <= 20_000.0, "proven off by watts that are not: {}", mine.miner_watts());
    assert!(off["headline"].as_str().unwrap().contains("proven off"), "{}", off["headline"]);
    assert!(mine.page().contains("proven off"), "the page does not say it");
    let told = mine.recorded("telegram").join("\n");
    assert!(told.contains("Power signal: curtail"), "{told}");
    assert!(told.contains("Miners proven off in"), "{told}");

    mine.tick_until("fans down", LIMIT, |status| fans_wanted(status) == 0);
    mine.tick_until("fans stand still", LIMIT, |_| mine.fans_running() == 0);
    assert_eq!(state(&mine.status_json()), "off");

    let before = mine.commands().len();
    mine.set(json!({"signal_number": 250}));
    mine.tick_until("running again", LIMIT * 2, |status| state(status) == "mining");
    fans_came_first(&mine.commands()[before..]);
    in_groups(&mine);
    assert!(mine.miner_watts() > 600_000.0, "only {} W came back", mine.miner_watts());
    assert!(mine.fans_running() >= 3);
    told_as_it_should(&mine);
}

/// All fans stood still: by the first start of a miner or outlet, five relays must have been let go.
fn fans_came_first(commands: &[(String, String)]) {
    let starts = |what: &str| (what.starts_with("outlet") && what.ends_with(" on")) || what.ends_with(" normal");
    let first = commands.iter().position(|(_, what)| starts(what)).expect("no miner was started");
    let let_go: std::collections::BTreeSet<_> =
        commands[..first].iter().filter(|(_, what)| what.starts_with("relay") && what.ends_with("=0")).collect();
    assert!(let_go.len() >= 5, "only {} fans were started before the first miner: {let_go:?}", let_go.len());
    let stopped_again = commands[..first].iter().filter(|(_, what)| what.starts_with("relay") && what.ends_with("=1"));
    assert_eq!(stopped_again.count(), 0);
}

fn in_groups(mine: &Mine) {
    let events = mine.events();
    for group in 1..=4 {
        assert!(events.contains(&format!("resuming, group {group}")), "no group {group}:\n{events}");
    }
}

/// Each run is told to the dead-man service, the heartbeat comes, an SMS only in an emergency, and never a secret.
fn told_as_it_should(mine: &Mine) {
    let pings = mine.recorded("dead_man");
    let starts = pings.iter().filter(|path| path.ends_with("/start")).count();
    let successes = pings.iter().filter(|path| path.ends_with("0001")).count();
    assert!(starts >= 5 && successes >= 5, "{starts} starts, {successes} successes: {pings:?}");
    let told = mine.recorded("telegram").join("\n");
    assert!(told.contains("Mining, "), "no heartbeat: {told}");
    assert!(told.contains("Miners running"), "{told}");
    let emergency = mine.events().contains("emergency: ");
    assert_eq!(emergency, !mine.recorded("sms").is_empty(), "{}", mine.events());
    no_secret_is_shown(mine, &told);
}

/// In no file that a run left, and in no command's output.
fn no_secret_is_shown(mine: &Mine, told: &str) {
    let mut shown = vec![("messages".to_owned(), told.as_bytes().to_vec())];
    let mut folders = vec![mine.data().parent().unwrap().to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                shown.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    let commands: [&[&str]; 8] = [
        &["status"],
        &["status", "--json"],
        &["events", "--since", "7 days"],
        &["history", "--format", "influx"],
        &["config", "show"],
        &["db", "export"],
        &["db", "check"],
        &["plan"],
    ];
    for command in commands {
        let ran = mine.run(command);
        shown.push((command.join(" "), [ran.stdout, ran.stderr].concat().into_bytes()));
    }
    assert!(shown.len() > 15, "{} places", shown.len());
    for (place, bytes) in shown {
        for secret in SECRETS {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "`{secret}` is shown in {place}");
        }
    }
}
