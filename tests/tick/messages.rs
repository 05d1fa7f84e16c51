//! Commands by messages, through whole runs: each is done, answered, and done once.

use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};

use crate::cycle::quick;
use crate::mine::{Mine, finish, state, tail};

const LIMIT: Duration = Duration::from_secs(60);

/// The sample with commands by messages.
pub fn commanding(text: String) -> String {
    assert_eq!(text.matches("\n# commands = true").count(), 1);
    quick(text).replace("\n# commands = true", "\ncommands = true")
}

/// The newest message of the bot that begins so.
#[track_caller]
pub fn answer(mine: &Mine, begins: &str) -> String {
    let all = mine.recorded("telegram");
    let found = all.iter().rev().find(|text| text.starts_with(begins));
    found.unwrap_or_else(|| panic!("no answer `{begins}` in {all:#?}\n{}", tail(&mine.log(), 40))).clone()
}

/// How many messages the bot has sent that answer somebody.
pub fn answers(mine: &Mine) -> usize {
    let all = mine.get("/recorded")["telegram"].as_array().unwrap().clone();
    all.iter().filter(|sent| !sent["answers"].is_null()).count()
}

/// The code in the newest answer that asks for one.
#[track_caller]
pub fn code(mine: &Mine) -> String {
    let asked = answer(mine, "NOT done yet");
    let (_, digits) = asked.rsplit_once("/confirm ").unwrap();
    assert!(digits.len() == 6 && digits.chars().all(|c| c.is_ascii_digit()), "{asked}");
    digits.to_owned()
}

/// The override of a target in `status.json`.
pub fn over(mine: &Mine, target: &str) -> Option<Value> {
    let status = mine.status_json();
    status["overrides"].as_array().unwrap().iter().find(|over| over["target"] == target).cloned()
}

fn mining() -> Mine {
    let mine = Mine::start(60.0, commanding);
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    mine
}

#[test]
fn status_why_help_and_chart_are_answered_where_they_were_asked() {
    let mine = mining();
    for text in ["/status", "/why", "/help", "/chart", "good morning"] {
        mine.say(json!({"text": text}));
    }
    mine.tick().silent();
    let headline = mine.status_json()["headline"].as_str().unwrap().to_owned();
    let status = answer(&mine, "[Container 1] Mining, 9");
    assert!(status.contains(headline.split(',').next().unwrap()), "{status}\n{headline}");
    let all = mine.recorded("telegram").join("\n");
    for words in ["Signal: run, `250", "Intake: ", "proven running", "- signal: ", "/hold [time] [reason]"] {
        assert!(all.contains(words), "no `{words}` in {all}");
    }
    let photos = mine.chat_calls("sendPhoto");
    assert_eq!((photos.len(), &photos[0]["chat_id"]), (1, &json!("-1001234567890")));
    assert!(photos[0]["caption"].as_str().unwrap().contains("Mining"), "{}", photos[0]["caption"]);
    let png = base64::engine::general_purpose::STANDARD.decode(photos[0]["png"].as_str().unwrap()).unwrap();
    assert!((5_000..200_000).contains(&png.len()), "{} bytes", png.len());
    if let Some(folder) = std::env::var_os("KEEP_PICTURE") {
        std::fs::write(folder, &png).unwrap();
    }
    // Asked again from behind the last one, so that the service forgets them.
    let before = answers(&mine);
    mine.tick().silent();
    let asked = mine.chat_calls("getUpdates");
    assert_eq!(asked.last().unwrap()["parameters"]["offset"], 100_006, "{asked:?}");
    assert_eq!(asked[0]["parameters"], json!({"limit": 100, "timeout": 0, "allowed_updates": ["message"]}));
    assert_eq!(answers(&mine), before, "nothing is answered twice");
}

#[test]
fn a_hold_stops_the_miners_in_the_run_that_reads_it_and_resume_ends_it() {
    let mine = mining();
    mine.say(json!({"text": "/hold 30m замена вентилятора 🔥\u{202e}", "name": "ann"}));
    mine.tick().silent();
    let hold = over(&mine, "miners").expect("no hold");
    assert_eq!((hold["setting"].as_str(), hold["by"].as_str()), (Some("miners = off"), Some("telegram:ann (777)")));
    assert!(mine.commands().iter().any(|(_, what)| what.ends_with(" sleeping")), "not in the same run");
    assert!(answer(&mine, "set miners = off for 30 min").contains("замена вентилятора 🔥; in force from this run on"));
    let replayed = mine.run(&["replay", "--since", "1 h"]).done();
    assert!(replayed.contains("No difference"), "{replayed}");
    let events = mine.events();
    assert!(
        events.contains("miners: set: miners = off for 30 min by telegram:ann (777): замена вентилятора 🔥"),
        "{events}"
    );

    mine.say(json!({"text": "/resume"}));
    mine.tick().silent();
    assert_eq!(over(&mine, "miners"), None);
    assert!(answer(&mine, "ended: miners").contains("in force from this run on"));
    mine.say(json!({"text": "/resume"}));
    mine.tick().silent();
    answer(&mine, "no hold is set");

    // In a call it asks for a code.
    mine.say(json!({"text": "/hold 2h storm"}));
    mine.set(json!({"signal_number": 342}));
    mine.tick_until("off", LIMIT, |status| state(status) == "off");
    mine.say(json!({"text": "/resume"}));
    mine.tick().silent();
    assert!(over(&mine, "miners").is_some(), "ended in a call without a code");
    assert!(answer(&mine, "NOT done yet: end miners").contains("a call is on"));
    // Nor is it shortened without one.
    mine.say(json!({"text": "/hold 1s"}));
    mine.tick().silent();
    assert!(over(&mine, "miners").unwrap()["left_s"].as_u64().unwrap() > 3600);
    mine.say(json!({"text": format!("/confirm {}", code(&mine))}));
    mine.tick().silent();
    mine.tick().silent();
    assert_eq!(over(&mine, "miners"), None);
}

#[test]
fn a_message_that_comes_after_the_decision_gets_a_pass_of_its_own_and_without_time_the_next_run() {
    let mine = Mine::start(1.0, |text| commanding(text).replace("\nbudget = \"105 s\"", "\nbudget = \"50 s\""));
    mine.tick().silent();
    mine.chat(json!({"delay_ms": 1500}));
    mine.say(json!({"text": "/set fan 3 on --reason first-one"}));
    mine.say(json!({"text": "/hold 9h second-one"}));
    mine.say(json!({"text": "/status"}));
    let ran = mine.tick().silent();
    assert!(ran.took.as_secs_f64() > 1.5, "{:?}", ran.took);
    assert!(answer(&mine, "set miners = off for 9 h").ends_with("in force from this run on"));
    assert!(mine.commands().iter().any(|(_, what)| what.ends_with(" sleeping")), "not in the same run");

    // No time for another pass: the reading may take as long as the run.
    let mine = Mine::start(1.0, |text| commanding(text).replace("\nread_limit = \"12 s\"", "\nread_limit = \"90 s\""));
    mine.tick().silent();
    mine.chat(json!({"delay_ms": 1500}));
    mine.say(json!({"text": "/set fan 3 on"}));
    mine.tick().silent();
    assert!(answer(&mine, "set fan 3 = on").ends_with("the next run takes it in"));
    assert!(over(&mine, "fan 3").is_some());
}

#[test]
fn set_clear_and_ack_do_what_they_do_at_the_shell() {
    let mine = mining();
    mine.set(json!({"switch": {"Door": 1}}));
    mine.tick().silent();
    mine.say(json!({"text": "/set fan 3 on —for 2h —reason “new belt”"}));
    mine.say(json!({"text": "/set fan 77 on"}));
    mine.say(json!({"text": "/set"}));
    mine.say(json!({"text": "/ack switch door"}));
    mine.tick().silent();
    assert_eq!(over(&mine, "fan 3").expect("no override")["reason"], "new belt");
    assert!(answer(&mine, "set fan 3 = on for 2 h").contains("telegram:ann (777): new belt"));
    answer(&mine, "no fan 77; known are 1, 2");
    answer(&mine, "acknowledged switch door");
    let all = mine.recorded("telegram").join("\n");
    assert!(all.contains("fan-watts") && all.contains("miner-watts"), "`/set` alone lists what can be set: {all}");
    mine.tick().silent();
    let alarm = mine.status_json()["alarms"].as_array().unwrap().iter().find(|a| a["id"] == "switch door").cloned();
    assert_eq!(alarm.unwrap()["acknowledged_by"], "telegram:ann (777)");
    // In one batch the later one counts.
    for text in ["/set fan 4 on", "/clear fan 4", "/set fan 5 on --for 1h", "/set fan 5 on --for 2h", "/clear fan 9"] {
        mine.say(json!({"text": text}));
    }
    mine.tick().silent();
    answer(&mine, "NOT done yet: end fan 4");
    answer(&mine, "no override of `fan 9`");
    let left = over(&mine, "fan 5").unwrap()["left_s"].as_u64().unwrap();
    assert!(left > 3600, "{left}");
    mine.say(json!({"text": format!("/confirm {}", code(&mine))}));
    mine.tick().silent();
    assert_eq!(over(&mine, "fan 4"), None);
}

#[test]
fn a_run_that_is_killed_at_any_moment_does_a_command_once() {
    let mine = mining();
    mine.say(json!({"text": "/set fan 9 on --reason warm"}));
    let whole = mine.tick().silent().took;
    const KILLS: u32 = 10;
    for moment in 0..KILLS {
        mine.say(json!({"text": format!("/set fan 3 on --for 3h --reason number-{moment}-end")}));
        let mut run = mine.command(&["tick"]).spawn().unwrap();
        std::thread::sleep(whole * (2 * moment + 1) / (2 * KILLS));
        drop(run.kill());
        finish(run, "tick");
        // A database that is unlocked a moment after the kill costs a run its commands, not more.
        mine.tick().silent();
        mine.tick().silent();
        let set = mine.events().matches(&format!(": number-{moment}-end")).count();
        assert_eq!(set, 1, "kill {moment}\n{}\n{}", mine.events(), tail(&mine.log(), 60));
        assert!(over(&mine, "fan 3").unwrap()["reason"].as_str().unwrap().ends_with(&format!("{moment}-end")));
    }
}

#[test]
fn a_hundred_messages_are_done_ten_a_run_in_their_order() {
    let mine = mining();
    for number in 0..25 {
        mine.say(json!({"text": format!("/set fan {} on --reason number-{number}-end", number % 9 + 1)}));
        for _ in 0..3 {
            mine.say(json!({"text": "talk", "user": 778}));
        }
    }
    let done = || mine.events().matches("-end").count();
    for expected in [10, 20, 25, 25] {
        mine.tick().silent();
        assert_eq!(done(), expected, "{}", tail(&mine.log(), 40));
    }
    assert_eq!(over(&mine, "fan 7").unwrap()["reason"], "number-24-end");
    let asked = mine.chat_calls("getUpdates");
    assert_eq!(asked.last().unwrap()["parameters"]["offset"], 100_101);
}

#[test]
fn the_heartbeat_is_one_pinned_message_that_is_written_anew_and_posted_again_when_it_is_gone() {
    let mine = Mine::start(60.0, |text| {
        let text = text.replace("\nheartbeat_interval = \"1 hour\"", "\nheartbeat_interval = \"1 minute\"");
        text.replace("\nheartbeat = \"post\"", "\nheartbeat = \"edit\"")
    });
    let counts = || {
        let posted = mine.recorded("telegram").iter().filter(|text| text.contains("(as of ")).count();
        (posted, mine.chat_calls("editMessageText").len(), mine.chat_calls("pinChatMessage").len())
    };
    let beat = || {
        mine.wait_site(70.0);
        mine.tick().silent();
    };
    beat();
    assert_eq!(counts(), (1, 0, 1));
    beat();
    beat();
    assert_eq!(counts(), (1, 2, 1));
    let edits = mine.chat_calls("editMessageText");
    let number = edits[0]["message_id"].as_i64().unwrap();
    assert_eq!(edits[1]["message_id"], number);
    assert_ne!(edits[0]["text"], edits[1]["text"]);
    // Gone, and no right to pin any more: posted all the same, and not tried to pin again and again.
    mine.chat(json!({"delete": number, "may_pin": false}));
    beat();
    assert_eq!(counts(), (2, 2, 1));
    beat();
    assert_eq!(counts(), (2, 3, 1));
    assert_ne!(mine.chat_calls("editMessageText")[2]["message_id"], number);
    assert!(mine.status_json()["alarms"].as_array().unwrap().iter().all(|alarm| alarm["id"] != "device telegram"));
    // A service that fails keeps it waiting, and the newest one is shown then.
    mine.fault("telegram", "429");
    beat();
    beat();
    mine.heal();
    mine.wait_site(1000.0);
    mine.tick().silent();
    assert_eq!(counts(), (2, 4, 1));
}
