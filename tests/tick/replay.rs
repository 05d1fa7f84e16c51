//! What runs read and decided is kept, and `replay` takes it through the rules again: no difference by the same rules,
//! the difference and its effect on the call by others, and files that are torn, garbage or missing.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cycle::quick;
use crate::mine::{Mine, SECRETS, state};

const LIMIT: Duration = Duration::from_secs(60);

/// Three miners on each PDU: the same rules on a mine whose inputs can be read.
fn small(text: String) -> String {
    let text = quick(text).replace("outlets = [\"1-48\"]", "outlets = [\"1-3\"]");
    let text = text.replace("miners = \"tag:curtail\"", "miners = \"tag:front\"");
    let text = text.replace("off_below = \"20 kW\"", "off_below = \"2 kW\"");
    text.replace("on_above = \"50 kW\"", "on_above = \"10 kW\"")
}

fn inputs(mine: &Mine) -> PathBuf {
    mine.data().join("inputs/2026-11-22.jsonl.gz")
}

fn unpacked(mine: &Mine) -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(fs::File::open(inputs(mine)).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// `replay --json`, its exit code and what it found.
fn replay(mine: &Mine, arguments: &[&str]) -> (i32, Value) {
    let ran = mine.run(&[&["replay", "--json"], arguments].concat());
    assert_eq!(ran.stderr, "");
    (ran.code, serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout)))
}

#[test]
fn runs_are_recorded_and_replayed_by_the_same_and_by_other_rules() {
    let mine = Mine::start(60.0, small);
    assert!(mine.run(&["replay"]).refused(2).contains("no run that can be played is recorded"));
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    mine.set(json!({"signal_number": 305}));
    mine.wait_site(60.0);
    mine.tick().silent();
    mine.set(json!({"signal_number": 342}));
    mine.tick_until("off and proven", LIMIT, |status| state(status) == "off");

    let (code, same) = replay(&mine, &[]);
    assert_eq!((code, &same["stretches"], &same["troubles"]), (0, &json!([]), &json!([])), "{same}");
    let call = &same["calls"][0];
    assert_eq!(call["then"], call["now"], "{same}");
    assert!(call["then"]["proven"].is_i64() && call["then"]["off_s"].as_i64() > Some(30), "{call}");
    let said = mine.run(&["replay"]).done();
    assert!(said.contains(&format!("\nNo difference in {} runs.\n", same["runs"])), "{said}");
    let text = unpacked(&mine);
    for secret in SECRETS {
        assert!(!text.contains(secret), "`{secret}` is kept with the inputs");
    }
    other_rules_call_earlier(&mine, &same);
    an_interval_is_saved_and_played_from_its_file(&mine, &same);
    what_is_torn_lost_or_garbage_is_told_and_the_rest_is_played(&mine);
}

/// 305 is no call by 310 and one by 303: the same mine, a run earlier.
fn other_rules_call_earlier(mine: &Mine, same: &Value) {
    let other = mine.config().with_file_name("other.txt");
    let text = fs::read_to_string(mine.config()).unwrap();
    fs::write(&other, text.replace("\ncurtail_at = 310", "\ncurtail_at = 303")).unwrap();
    let other = other.to_str().unwrap();
    let (code, found) = replay(mine, &["--config", other]);
    assert_eq!((code, found["runs"].clone()), (1, same["runs"].clone()));
    let stretch = &found["stretches"][0];
    assert!(stretch["changes"][0]["then"].to_string().contains("miners running"), "{stretch}");
    assert!(stretch["changes"][0]["now"].to_string().contains("miners curtailing by Foreman"), "{stretch}");
    assert!(stretch["changes"][0]["why"].to_string().contains("signal: curtail"), "{stretch}");
    assert!(stretch["only_now"].to_string().contains("foreman: "), "{stretch}");
    let call = &found["calls"][0];
    let number = |side: &str, key: &str| call[side][key].as_i64().unwrap();
    let earlier = number("then", "first_off") - number("now", "first_off");
    assert!(earlier >= 60, "{call}");
    assert_eq!(number("then", "proven") - number("now", "proven"), earlier, "{call}");
    assert_eq!(
        (&call["then"]["proven_is_reckoned"], &call["now"]["proven_is_reckoned"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(number("now", "off_s") - number("then", "off_s"), earlier, "{call}");
    let ran = mine.run(&["replay", "--config", other]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    assert!(ran.stdout.contains("\n* reckoned: "), "{}", ran.stdout);
    // The other way round, nothing curtails.
    let text = text.replace("\ncurtail_at = 310", "\ncurtail_at = 400");
    fs::write(other, text.replace("\nresume_below = 300", "\nresume_below = 390")).unwrap();
    let (_, found) = replay(mine, &["--config", other]);
    let call = &found["calls"][0];
    assert_eq!((&call["now"]["seen"], call["now"]["off_s"].as_i64()), (&Value::Null, Some(0)), "{call}");
    assert!(mine.run(&["replay", "--config", other]).stdout.contains("no call"));
}

fn an_interval_is_saved_and_played_from_its_file(mine: &Mine, same: &Value) {
    let file = mine.config().with_file_name("incident.jsonl");
    let file = file.to_str().unwrap();
    let saved = ["--save", file, "--what", "a call that is proven"];
    assert_eq!(replay(mine, &saved).1, *same);
    assert!(mine.run(&["replay", "--save", file]).refused(2).contains("is there already"));
    let text = fs::read_to_string(file).unwrap();
    assert!(text.starts_with("{\"incident\":\"a call that is proven\","), "{}", &text[..200]);
    SECRETS.iter().for_each(|secret| assert!(!text.contains(secret), "`{secret}` is in the incident"));
    // From its file it needs no configuration and no data folder; another configuration counts when it is named.
    let other = mine.config().with_file_name("other.txt");
    let kept = fs::read_to_string(mine.config()).unwrap();
    fs::remove_file(mine.config()).unwrap();
    let alone = |arguments: &[&str]| {
        let mut command = std::process::Command::new(crate::mine::program());
        let output = command.args(["replay", "--json", "--file", file]).args(arguments).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), found)
    };
    assert_eq!(alone(&[]), (Some(0), same.clone()));
    assert_eq!(alone(&["--config", other.to_str().unwrap()]).0, Some(1));
    fs::write(mine.config(), kept).unwrap();
    fs::write(file, "{\"garbage\":1}\n").unwrap();
    assert!(mine.run(&["replay", "--file", file]).refused(2).contains("is no incident that"));
}

fn what_is_torn_lost_or_garbage_is_told_and_the_rest_is_played(mine: &Mine) {
    let whole = fs::read(inputs(mine)).unwrap();
    let runs = |found: &Value| found["runs"].as_u64().unwrap();
    let (_, before) = replay(mine, &[]);
    // The last run is torn; the next one begins with its own state, since the run before it is not recorded.
    fs::write(inputs(mine), &whole[..whole.len() - 40]).unwrap();
    let (code, found) = replay(mine, &[]);
    assert_eq!((code, runs(&found)), (0, runs(&before) - 1), "{found}");
    assert!(found["troubles"].to_string().contains("damaged places: 1"), "{found}");
    fs::remove_file(mine.data().join("inputs/last")).unwrap();
    mine.wait_site(61.0);
    mine.tick().silent();
    let (code, found) = replay(mine, &[]);
    assert_eq!((code, runs(&found), found["begun_anew"].as_array().unwrap().len()), (0, runs(&before), 1), "{found}");
    // Garbage in the place of the day, with a run behind it.
    fs::write(inputs(mine), vec![b'x'; 5000]).unwrap();
    assert!(mine.run(&["replay"]).refused(2).contains("damaged places: 1"));
    mine.wait_site(61.0);
    mine.tick().silent();
    assert!(mine.run(&["replay"]).refused(2).contains("no run that can be played"), "it has no state to begin with");
    fs::remove_file(mine.data().join("inputs/last")).unwrap();
    mine.wait_site(61.0);
    mine.tick().silent();
    let (code, found) = replay(mine, &[]);
    assert_eq!((code, runs(&found), found["runs_skipped"].as_u64()), (0, 1, Some(1)), "{found}");
    assert!(mine.run(&["replay", "--since", "yesterday"]).refused(2).contains("`yesterday` is no time"));
    nothing_is_kept_where_nothing_is_wanted(mine);
}

fn nothing_is_kept_where_nothing_is_wanted(mine: &Mine) {
    mine.configure(|text| small(text).replace("\ninputs_days = 14", "\ninputs_days = 0"));
    mine.wait_site(61.0);
    mine.tick().silent();
    assert!(!mine.data().join("inputs").exists());
}
