//! Messages that must not be obeyed: of strangers, late ones, with a wrong code; and a chat service that fails.

use std::time::Duration;

use serde_json::json;

use crate::messages::{answer, answers, code, commanding, over};
use crate::mine::{Mine, state, tail};

const LIMIT: Duration = Duration::from_secs(60);

/// Runs that do not follow a change for a whole minute.
fn short(text: String) -> String {
    let budget = text.lines().find(|line| line.starts_with("budget = ")).unwrap().to_owned();
    commanding(text.replacen(&budget, "budget = \"40 s\"", 1))
}

fn for_ann_alone(text: String) -> String {
    commanding(text).replace("\n# command_users = [\"123456789\"]", "\ncommand_users = [\"777\"]")
}

#[test]
fn nobody_commands_by_a_message_unless_the_owner_said_so() {
    let mine = Mine::start(1.0, |text| text);
    mine.say(json!({"text": "/hold 30m"}));
    mine.tick().silent();
    assert!(mine.chat_calls("getUpdates").is_empty(), "messages were asked for");
    assert_eq!(over(&mine, "miners"), None);
}

#[test]
fn a_stranger_gets_no_answer_and_one_line_in_the_log_that_does_not_hold_the_text() {
    let mine = Mine::start(1.0, for_ann_alone);
    mine.tick().silent();
    for number in 0..30 {
        mine.say(json!({"text": "/set signal run\n<evil>", "user": 999, "private": true, "name": "<evil>"}));
        mine.say(json!({"text": "/hold 9h <evil>", "user": 1000 + number}));
        mine.say(json!({"text": "/hold 9h <evil>", "chat": -55, "user": 777}));
    }
    mine.tick().silent();
    mine.say(json!({"text": "/hold 9h <evil>", "user": 999, "private": true}));
    mine.tick().silent();
    assert_eq!(answers(&mine), 0, "{:?}", mine.recorded("telegram"));
    assert_eq!(mine.status_json()["overrides"], json!([]));
    let log = mine.log();
    let told = log.lines().filter(|line| line.contains("people who may not command")).count();
    assert_eq!(told, 1, "{}", tail(&log, 30));
    assert!(log.contains("90 messages of people who may not command; the last ones from chat 999, user 999"), "{log}");
    assert!(!log.contains("evil") && !mine.page().contains("evil") && !mine.events().contains("evil"));
}

#[test]
fn what_nobody_typed_here_and_now_is_not_obeyed() {
    let mine = Mine::start(1.0, short);
    mine.tick().silent();
    let typed = |extra: serde_json::Value| json!({"text": "/hold 9h", "extra": extra});
    mine.say(typed(json!({"forward_origin": {"type": "user"}})));
    mine.say(typed(json!({"via_bot": {"id": 5, "is_bot": true}})));
    mine.say(typed(json!({"sender_chat": {"id": -1, "type": "channel"}})));
    mine.say(typed(json!({"from": {"id": 777, "is_bot": true, "first_name": "Ann"}})));
    mine.say(typed(json!({"from": null})));
    mine.say(typed(json!({"chat": {"id": -1_001_234_567_890_i64, "type": "channel"}})));
    mine.say(json!({"text": "/hold@another_bot 9h"}));
    mine.say(json!({"text": "hold 9h, please"}));
    let message = json!({"message_id": 5, "date": 1_795_370_400, "text": "/hold 9h", "from": {"id": 777, "is_bot": false},
                         "chat": {"id": -1_001_234_567_890_i64, "type": "supergroup"}});
    for kind in ["edited_message", "channel_post", "edited_channel_post"] {
        mine.chat(json!({"raw": {kind: message}}));
    }
    mine.chat(json!({"raw": {"message": [1, {"text": 7}]}}));
    mine.tick().silent();
    assert_eq!(over(&mine, "miners"), None);
    assert_eq!(answers(&mine), 0, "{:?}", mine.recorded("telegram"));
    mine.say(json!({"text": "/hold@Prairie_Box1_bot 9h"}));
    mine.tick().silent();
    assert!(over(&mine, "miners").is_some(), "its own name");
}

#[test]
fn a_command_of_ten_minutes_ago_is_done_and_an_older_one_is_answered_and_not_done() {
    let mine = Mine::start(1.0, commanding);
    mine.tick().silent();
    mine.say(json!({"text": "/set fan 3 on", "age_s": 630}));
    mine.say(json!({"text": "/hold 9h yesterday", "age_s": 86_400}));
    mine.say(json!({"text": "/hold 9h tomorrow", "age_s": -630}));
    mine.say(json!({"text": "/set fan 4 on", "age_s": 570}));
    mine.tick().silent();
    assert_eq!((over(&mine, "fan 3"), over(&mine, "miners")), (None, None));
    assert!(over(&mine, "fan 4").is_some());
    answer(&mine, "not done: 3 commands came over 10 min late");
}

#[test]
fn what_may_cost_a_call_or_cooling_is_done_only_with_its_code_by_the_same_person_once() {
    // A code holds for seven minutes: on a busy machine several runs must fit into them.
    let mine = Mine::start(20.0, commanding);
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    let confirm = |digits: &str, user: i64| {
        mine.say(json!({"text": format!("/confirm {digits}"), "user": user}));
        mine.tick().silent();
    };
    mine.say(json!({"text": "/set fan 3 off --for 1h --reason belt"}));
    mine.tick().silent();
    let digits = code(&mine);
    assert!(answer(&mine, "NOT done yet").contains("set fan 3 = off: the container may get hot"));
    confirm(&digits, 778);
    answer(&mine, "no command of yours waits");
    confirm(if digits == "000000" { "000001" } else { "000000" }, 777);
    answer(&mine, "wrong code, nothing is done; 2 more tries");
    assert_eq!(over(&mine, "fan 3"), None);
    confirm(&digits, 777);
    assert_eq!(over(&mine, "fan 3").unwrap()["reason"], "belt");
    mine.run(&["clear", "all"]).done();
    confirm(&digits, 777);
    assert_eq!(over(&mine, "fan 3"), None, "done twice");

    // Its time is over.
    mine.say(json!({"text": "/set signal run"}));
    mine.tick().silent();
    let digits = code(&mine);
    mine.wait_site(430.0);
    confirm(&digits, 777);
    assert_eq!(over(&mine, "signal"), None);

    // Three wrong ones, and it is gone.
    mine.say(json!({"text": "/set temp intake-west '70 F'"}));
    mine.tick().silent();
    let digits = code(&mine);
    for _ in 0..3 {
        mine.say(json!({"text": "/confirm 1"}));
    }
    confirm(&digits, 777);
    answer(&mine, "wrong code; the command is dropped");
    assert_eq!(over(&mine, "temp intake-west"), None);
}

#[test]
fn messages_that_cannot_be_read_are_told_and_cost_the_run_nothing_else() {
    let mine = Mine::start(60.0, commanding);
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    mine.chat(json!({"webhook": "https://example.org/hook"}));
    let device = |status: &serde_json::Value| {
        let all = status["devices"].as_array().unwrap();
        all.iter().find(|device| device["name"] == "telegram-commands").unwrap()["fault"].clone()
    };
    let status = mine.tick_until("the alarm", LIMIT, |status| {
        status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["id"] == "device telegram-commands")
    });
    let fault = device(&status);
    assert!(
        fault.as_str().unwrap().contains("409") && fault.as_str().unwrap().contains("a bot for minectl alone"),
        "{fault}"
    );
    let seen = mine.run(&["doctor", "--device", "telegram"]);
    assert!(seen.stdout.contains("a webhook is set for this bot"), "{}", seen.stdout);
    assert_eq!(state(&status), "mining");
    mine.chat(json!({"webhook": ""}));
    mine.say(json!({"text": "/status"}));
    mine.tick().silent();
    assert_eq!(device(&mine.status_json()), json!(null));
    assert!(mine.run(&["doctor", "--device", "telegram"]).stdout.contains("commands can be read"));
}

#[test]
fn a_service_that_hangs_delays_no_command_and_its_messages_are_done_by_a_later_run() {
    let mine = Mine::start(1.0, short);
    mine.tick().silent();
    mine.tick().silent();
    mine.say(json!({"text": "/set fan 3 on"}));
    mine.fault("telegram", "hang");
    mine.set(json!({"signal_number": 342}));
    let began = mine.truth()["time"].as_f64().unwrap();
    mine.tick().silent();
    let commands = mine.get("/commands");
    let first = commands.as_array().unwrap().iter().find(|one| one["what"].as_str().unwrap().ends_with(" sleeping"));
    let after = first.expect("no miner was put to sleep")["time"].as_f64().unwrap() - began;
    assert!(after < 4.5, "the first command left after {after} s");
    assert_eq!(over(&mine, "fan 3"), None);
    mine.heal();
    mine.tick().silent();
    assert!(over(&mine, "fan 3").is_some());
}

/// What the service hands over once more, because it was not asked from behind it since.
#[test]
fn what_a_run_has_done_is_not_done_again_by_one_that_finds_the_database_busy() {
    let mine = done_and_taken_back();
    while_busy(&mine);
    assert_eq!(over(&mine, "fan 3"), None, "done twice");
    // What came meanwhile is done by the next run, which knows again.
    mine.say(json!({"text": "/set fan 4 on"}));
    mine.tick().silent();
    assert!(over(&mine, "fan 4").is_some());
    assert_eq!((over(&mine, "fan 3"), mine.events().matches("fan 3: set: ").count()), (None, 1), "done twice");
}

/// A run that cannot know the pinned message leaves it to the next one.
#[test]
fn a_busy_database_costs_the_heartbeat_no_second_message() {
    let mine = Mine::start(6.0, |text| {
        let text = text.replace("\nheartbeat_interval = \"1 hour\"", "\nheartbeat_interval = \"1 minute\"");
        short(text).replace("\nheartbeat = \"post\"", "\nheartbeat = \"edit\"")
    });
    mine.tick().silent();
    mine.wait_site(70.0);
    while_busy(&mine);
    mine.tick().silent();
    let posted = mine.recorded("telegram").iter().filter(|text| text.contains("(as of ")).count();
    assert_eq!((posted, mine.chat_calls("editMessageText").len()), (1, 1), "{}", tail(&mine.log(), 40));
}

/// A run that finds the database busy when it begins, and free soon after.
fn while_busy(mine: &Mine) {
    mine.fault("foreman", "hang");
    let lock = std::fs::File::options().write(true).open(mine.data().join("db.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&lock).unwrap();
    let run = mine.command(&["tick"]).spawn().unwrap();
    while !mine.log().contains("in use by another process") {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(lock);
    crate::mine::finish(run, "tick").silent();
    mine.heal();
}

#[test]
fn after_the_database_is_lost_nothing_is_done_twice_and_it_is_said() {
    let mine = done_and_taken_back();
    std::fs::write(mine.data().join("db/db"), b"torn").unwrap();
    mine.tick().silent();
    assert_eq!(over(&mine, "fan 3"), None, "done twice");
    answer(&mine, "not done: 1 commands, for it is not known any more what was done before");
    mine.say(json!({"text": "/set fan 4 on"}));
    mine.tick().silent();
    assert!((over(&mine, "fan 3"), over(&mine, "fan 4").is_some()) == (None, true), "{}", tail(&mine.log(), 40));
    assert_eq!(answers(&mine), 3);
}

/// Fan 3 was set by a message, and cleared at the shell.
fn done_and_taken_back() -> Mine {
    let mine = Mine::start(1.0, short);
    mine.tick().silent();
    mine.say(json!({"text": "/set fan 3 on"}));
    mine.tick().silent();
    assert!(over(&mine, "fan 3").is_some());
    mine.run(&["clear", "fan", "3"]).done();
    mine
}

#[test]
fn a_command_that_cannot_be_kept_is_answered_for_ten_minutes_and_no_longer() {
    let mine = Mine::start(20.0, commanding);
    mine.tick().silent();
    mine.tick().silent();
    // The database can be read, and takes nothing.
    let db = mine.data().join("db/db").display().to_string();
    let inject = "inject=pwrite64,fsync,fdatasync,sync_file_range:error=EIO";
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", &db, "-e", inject];
    let refused = || mine.run_by(&strace, &["tick"]).silent();
    mine.say(json!({"text": "/set fan 3 on", "age_s": 60}));
    refused();
    assert!(answer(&mine, "NOT done").contains("Input/output error"));
    assert_eq!((answers(&mine), over(&mine, "fan 3")), (1, None));
    mine.wait_site(560.0);
    for _ in 0..3 {
        refused();
    }
    assert_eq!((answers(&mine), over(&mine, "fan 3")), (1, None), "{:?}", mine.recorded("telegram"));
    // Once the disk works, it is told once.
    for _ in 0..2 {
        mine.tick().silent();
    }
    answer(&mine, "not done: 1 commands came over 10 min late");
    assert_eq!((answers(&mine), over(&mine, "fan 3")), (2, None));
}
