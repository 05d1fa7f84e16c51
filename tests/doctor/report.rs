//! What a look printed, as the tests ask for it.

use serde_json::Value;

use crate::mine::{Mine, Ran, SECRETS};

/// The sample with deadlines that a test can wait for.
pub fn short(text: String) -> String {
    let mut section = String::new();
    let mut shorter = |line: &str| {
        if line.starts_with('[') {
            line.clone_into(&mut section);
        }
        match line.split_once(" = ") {
            Some(("preset", _)) => format!("{line}\ntimeout = \"1 s\"\n"),
            Some(("timeout", _)) if section == "[[pdu]]" => String::new(),
            Some(("timeout", _)) => "timeout = \"1 s\"\n".to_owned(),
            _ => format!("{line}\n"),
        }
    };
    let mut text: String = text.lines().map(&mut shorter).collect();
    for (from, to) in [
        ("read_limit = \"12 s\"", "read_limit = \"3 s\""),
        ("stamp_max_age = \"30 minutes\"", "stamp_max_age = \"2 minutes\""),
    ] {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    text
}

/// One look.
pub struct Report {
    pub ran: Ran,
    pub json: Value,
}

/// Runs `doctor --json` with these arguments and holds what every look must keep to: no word on standard error, no secret,
/// no command to any device, no message to anybody.
pub fn look(mine: &Mine, arguments: &[&str]) -> Report {
    let (commands, recorded) = (mine.commands().len(), mine.get("/recorded"));
    let mut all = vec!["doctor", "--json"];
    all.extend(arguments);
    let ran = mine.run(&all);
    assert_eq!(ran.stderr, "", "{}", ran.stdout);
    assert_eq!(mine.commands().len(), commands, "a look sent a command: {:?}", mine.commands().last());
    assert_eq!(mine.get("/recorded"), recorded, "a look sent a message");
    for secret in SECRETS {
        assert!(!ran.stdout.contains(secret), "shows `{secret}`");
    }
    let json = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout));
    Report { ran, json }
}

impl Report {
    pub fn checks(&self) -> &[Value] {
        self.json["checks"].as_array().unwrap()
    }

    /// The lines of a device or channel and its points.
    pub fn of(&self, device: &str) -> Vec<&Value> {
        let below = format!("{device} ");
        let is_its = |name: &str| name == device || name.starts_with(&below);
        self.checks().iter().filter(|check| is_its(text(check, "name"))).collect()
    }

    /// The one line of this name.
    pub fn line(&self, name: &str) -> &Value {
        let found: Vec<_> = self.checks().iter().filter(|check| text(check, "name") == name).collect();
        assert_eq!(found.len(), 1, "`{name}`: {found:?} of {}", self.json);
        found[0]
    }
}

pub fn text<'a>(check: &'a Value, key: &str) -> &'a str {
    check[key].as_str().unwrap_or_default()
}
