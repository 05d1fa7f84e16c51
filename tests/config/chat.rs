//! `[telegram]`: who may command by messages.

use minectl::config::{Config, HeartbeatStyle};

use crate::support::{SAMPLE, parse};

/// The sample with these lines in `[telegram]`.
fn with(lines: &str) -> Result<Config, Vec<String>> {
    let place = "\n# commands = true\n";
    assert_eq!(SAMPLE.matches(place).count(), 1);
    parse(&SAMPLE.replacen(place, &format!("\n{lines}\n"), 1))
}

fn rights(lines: &str) -> Option<(Vec<i64>, Vec<i64>)> {
    with(lines).unwrap().telegram.unwrap().commands.map(|rights| (rights.chats, rights.users))
}

fn mistake(lines: &str) -> String {
    let found = with(lines).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[test]
fn nobody_commands_by_default_and_else_the_chat_that_is_told_or_those_listed() {
    assert_eq!(rights(""), None);
    assert_eq!(rights("commands = false"), None);
    assert_eq!(rights("commands = true"), Some((vec![-1_001_234_567_890], vec![])));
    let listed = "commands = true\ncommand_chats = [\"-5\", \"777\"]\ncommand_users = [\"777\"]";
    assert_eq!(rights(listed), Some((vec![-5, 777], vec![777])));
}

#[test]
fn rights_that_would_mean_nobody_or_nothing_are_mistakes() {
    assert!(mistake("commands = true\ncommand_chats = []").contains("nobody could command"));
    assert!(mistake("commands = true\ncommand_users = []").contains("nobody could command"));
    assert!(mistake("command_users = [\"777\"]").contains("goes with `commands = true`"));
    for wrong in ["\"@box\"", "\"0\"", "\"1.5\"", "\"99999999999999999999\""] {
        assert!(
            mistake(&format!("commands = true\ncommand_chats = [{wrong}]")).contains("no number of a chat"),
            "{wrong}"
        );
    }
    assert!(mistake("commands = \"yes\"").contains("`telegram.commands`"));
    let by_name = SAMPLE.replace("\n# commands = true\n", "\ncommands = true\n");
    let by_name = by_name.replace("chat_id = \"-1001234567890\"", "chat_id = \"@box_alerts\"");
    assert!(parse(&by_name).unwrap_err()[0].contains("command_chats"));
}

#[test]
fn a_heartbeat_is_posted_or_edited_and_nothing_else() {
    let style = |word: &str| {
        let text = SAMPLE.replacen("\nheartbeat = \"post\"", &format!("\nheartbeat = \"{word}\""), 1);
        parse(&text).map(|cfg| cfg.telegram.unwrap().heartbeat)
    };
    assert_eq!(style("post").unwrap(), HeartbeatStyle::Post);
    assert_eq!(style("edit").unwrap(), HeartbeatStyle::Edit);
    assert!(style("pin").unwrap_err()[0].contains("telegram.heartbeat"));
}
