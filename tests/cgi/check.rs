//! `status --check`: the verdict of a monitoring plugin.

use serde_json::json;

use crate::mine::Mine;

/// The exit code and the one line.
fn check(mine: &Mine) -> (i32, String) {
    let ran = mine.run(&["status", "--check"]);
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    (ran.code, ran.stdout)
}

/// A figure by its name.
fn figure<'a>(line: &'a str, name: &str) -> &'a str {
    let figures = line.split_once(" | ").unwrap().1.split_whitespace();
    figures.filter_map(|figure| figure.split_once('=')).find(|(known, _)| *known == name).unwrap().1
}

#[test]
fn a_monitor_is_told_ok_warning_critical_and_unknown() {
    let mine = Mine::start(10.0, |text| text);
    let (code, line) = check(&mine);
    assert_eq!(code, 3, "{line}");
    assert!(line.starts_with("MINECTL UNKNOWN - no run has been made yet"), "{line}");

    mine.tick().silent();
    let (code, line) = check(&mine);
    assert_eq!(code, 0, "{line}");
    assert!(line.starts_with("MINECTL OK - Mining"), "{line}");
    assert!(figure(&line, "miners_power_watts").split(';').next().unwrap().parse::<f64>().unwrap() > 5e5, "{line}");
    assert_eq!(figure(&line, "signal"), "250");
    assert!(figure(&line, "age").contains("s;;240;0"), "{line}");
    assert!(figure(&line, "intake_celsius").ends_with(";40;45"), "104 F and 113 F: {line}");

    // An input that cannot be read is told as not known.
    mine.fault("room-alert", "refuse");
    mine.set(json!({"signal_text": "a | b"}));
    mine.tick().silent();
    let (_, line) = check(&mine);
    assert_eq!(line.matches('|').count(), 1, "{line}");
    assert_eq!(figure(&line, "signal"), "U");

    mine.run(&["set", "switch", "smoke", "alarm"]).done();
    mine.tick().silent();
    let (code, line) = check(&mine);
    assert_eq!((code, line.starts_with("MINECTL CRITICAL - ")), (2, true), "{line}");
}

#[test]
fn runs_that_do_not_come_are_critical_and_a_wrong_configuration_is_unknown() {
    let mine = Mine::start(100.0, |text| text);
    mine.tick().silent();
    mine.wait_site(400.0);
    let (code, line) = check(&mine);
    assert_eq!((code, line.contains("no run for ")), (2, true), "{line}");
    mine.configure(|text| text.replace("curtail_at = 310", "curtail_at = 31000"));
    let (code, line) = check(&mine);
    assert_eq!((code, line.starts_with("MINECTL UNKNOWN - ")), (3, true), "{line}");
}

#[test]
fn colours_need_a_terminal() {
    let mine = Mine::start(10.0, |text| text);
    mine.tick().silent();
    assert!(!mine.run(&["status"]).done().contains('\u{1b}'), "a pipe gets none");
    let on_a_terminal = |no_color: &str| {
        let inside = format!("{} --config {} status", crate::mine::program().display(), mine.config().display());
        let mut command = mine.command(&[]);
        let clock = command.get_envs().find(|(name, _)| *name == "MINECTL_TEST_CLOCK").unwrap().1.unwrap().to_owned();
        command = std::process::Command::new("script");
        command.args(["-qec", &inside, "/dev/null"]).env("MINECTL_TEST_CLOCK", clock).env("NO_COLOR", no_color);
        String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
    };
    assert!(on_a_terminal("").contains('\u{1b}'), "an empty NO_COLOR says nothing");
    assert!(!on_a_terminal("1").contains('\u{1b}'));
}
