//! The ways to reach people: what is told when one of them fails, and `notify test`.

use std::time::Duration;

use serde_json::Value;

use crate::mine::{Mine, SECRETS, tail};

const LIMIT: Duration = Duration::from_secs(60);

fn alarm(status: &Value, id: &str) -> bool {
    status["alarms"].as_array().unwrap().iter().any(|alarm| alarm["id"] == id)
}

/// What `notify test` printed, one line a channel.
fn tested(mine: &Mine, arguments: &[&str], code: i32) -> Vec<String> {
    let ran = mine.run(&[&["notify", "test"], arguments].concat());
    assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{}", ran.stdout);
    for secret in SECRETS.iter().chain(&["5f0c5a9e"]) {
        assert!(!ran.stdout.contains(secret), "{}", ran.stdout);
    }
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_channel_that_refuses_is_an_alarm_on_the_others_until_a_test_message_is_taken() {
    let mine = Mine::start(60.0, |text| text);
    mine.fault("telegram", "403");
    mine.tick_until("the alarm", LIMIT, |status| alarm(status, "device telegram"));
    let mailed = mine.recorded("email").join("\n");
    assert!(
        mailed.contains("telegram: access refused: 403") && mailed.contains("add the bot to the group"),
        "{mailed}"
    );
    let given_up = mine.log().matches("given up: 1 messages").count();
    assert!((1..=4).contains(&given_up), "each message is tried once: {given_up}\n{}", tail(&mine.log(), 60));
    assert!(mine.run(&["status"]).stdout.contains("device telegram"), "status does not show it");

    mine.heal();
    assert_eq!(tested(&mine, &["--channel", "telegram"], 0), ["telegram: accepted; see that it arrives"]);
    assert!(mine.recorded("telegram").join("\n").contains("Test message, sent by tester"));
    mine.tick_until("no alarm", LIMIT, |status| !alarm(status, "device telegram"));
    let events = mine.events();
    assert!(events.contains("test by tester: telegram: accepted"), "{events}");
}

#[test]
fn a_test_says_for_each_channel_whether_it_was_taken_and_else_the_way_out() {
    let mine = Mine::start(1.0, |text| text.replace("timeout = \"10 s\"", "timeout = \"1 s\""));
    let lines = tested(&mine, &[], 0);
    let names: Vec<&str> = lines.iter().map(|line| line.split(": accepted; ").next().unwrap()).collect();
    assert_eq!(names, ["telegram", "email", "sms", "dead-man"]);
    let count = |kind: &str| mine.recorded(kind).len();
    assert_eq!([count("telegram"), count("email"), count("sms"), count("dead_man")], [1, 1, 1, 1]);
    assert!(mine.recorded("dead_man")[0].ends_with("/start"), "a test does not claim that a run ended well");
    assert!(!mine.data().exists(), "before the first run nothing is kept");

    mine.fault("telegram", "429");
    mine.fault("twilio", "400");
    mine.fault("smtp", "refuse");
    mine.fault("dead-man", "hang");
    let lines = tested(&mine, &[], 1);
    let expected = [
        "telegram: NOT accepted this time, device error: 429 `Too Many Requests: retry after 30`; the service asks",
        "email: NOT accepted this time, unreachable: 127.0.0.1:",
        "sms: REFUSED for good, device error: to `+15155550111`: 400, code 21610",
        "dead-man: NOT accepted, timed out: ",
    ];
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    assert!(lines[1].ends_with("; check the internet connection, and `host` and `port` in [email]"), "{}", lines[1]);
    assert!(lines[2].ends_with("send START from it to the number in `from`"), "{}", lines[2]);
    assert!(lines[3].ends_with("and `url` in [dead_man]"), "{}", lines[3]);
}

#[test]
fn a_test_of_chosen_channels_sends_on_no_other_and_a_missing_one_is_named() {
    let mine = Mine::start(1.0, |text| {
        let start = text.find("\n# SMS by Twilio.").unwrap();
        let end = text.find("\n# A dead-man service").unwrap();
        let text = format!("{}{}", &text[..start], &text[end..]);
        text.replace(r#"["telegram", "email", "sms"]"#, r#"["telegram", "email"]"#)
    });
    assert_eq!(tested(&mine, &["--channel", "email", "--channel", "email"], 0).len(), 1);
    assert_eq!((mine.recorded("email").len(), mine.recorded("telegram").len()), (1, 0));
    let said = mine.run(&["notify", "test", "--channel", "sms"]).refused(2);
    assert!(said.contains("there is no [sms]; configured are `telegram`, `email`, `dead-man`"), "{said}");
    assert!(mine.run(&["notify", "test", "--channel", "fax"]).refused(2).contains("possible values: telegram"));
}
