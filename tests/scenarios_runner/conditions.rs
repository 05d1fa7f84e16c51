//! What can be expected: each phrase with the test that it stands for, on one frame. `no` or `not` in front turns it round.

use minectl::config::Config;
use minectl::model::{Command, FanFault, MinersPhase, Notice, Severity};

use super::play::Frame;
use super::words::{Args, understand};

/// A frame, with the notices that count: those of this pass, or all since the beginning.
pub struct Seen<'f> {
    pub frame: &'f Frame,
    pub told: Vec<&'f Notice>,
}

type Test = fn(&Seen, &Args) -> bool;

/// Every phrase with its test.
pub const CONDITIONS: &[(&str, Test)] = &[
    ("miners <boot|running|curtailing|curtailed|resuming|fault>", |s, a| s.frame.phase.word() == a.text(0)),
    ("miners proven off", |s, _| s.frame.proven_off),
    ("miners draw at most <power>", |s, a| s.frame.watts <= a.number(0)),
    ("miners draw at least <power>", |s, a| s.frame.watts >= a.number(0)),
    (
        "curtailing by <foreman|outlets|bank>",
        |s, a| matches!(&s.frame.phase, MinersPhase::Curtailing { rung, .. } if rung.word().to_lowercase().contains(a.text(0))),
    ),
    ("at least <number> miners asleep", |s, a| s.frame.asleep >= a.count(0)),
    ("at most <number> miners asleep", |s, a| s.frame.asleep <= a.count(0)),
    ("all outlets of <pdu> cut", |s, a| s.frame.outlets_off[a.text(0)].0 == s.frame.outlets_off[a.text(0)].1),
    ("all outlets cut", |s, _| s.frame.outlets_off.values().all(|(off, all)| off == all)),
    ("all outlets on", |s, _| s.frame.outlets_off.values().all(|(off, _)| *off == 0)),
    ("at least <number> outlets cut", |s, a| {
        s.frame.outlets_off.values().map(|(off, _)| off).sum::<usize>() >= a.count(0)
    }),
    ("signal <run|curtail|blind>", |s, a| s.frame.level.word() == a.text(0)),
    ("intake <unknown|cold|normal|warm|hot|critical>", |s, a| s.frame.band.word() == a.text(0)),
    ("off because <reason>", |s, a| {
        let words = s.frame.off_reasons.iter().filter_map(|reason| serde_json::to_value(reason).ok());
        words.into_iter().any(|word| word == a.text(0))
    }),
    ("reason to be off", |s, _| !s.frame.off_reasons.is_empty()),
    ("at least <number> fans turn", |s, a| s.frame.turning.len() >= a.count(0)),
    ("at most <number> fans turn", |s, a| s.frame.turning.len() <= a.count(0)),
    ("fan <fan> turns", |s, a| s.frame.turning.contains(&a.fan(0))),
    ("fan <fan> called <dead|welded|disobedient>", |s, a| {
        let fault = match a.text(1) {
            "dead" => FanFault::Dead,
            "welded" => FanFault::Welded,
            _ => FanFault::RelayIgnores,
        };
        s.frame.fan_faults.get(&a.fan(0)) == Some(&fault)
    }),
    ("alarm <text>", |s, a| s.frame.alarms.iter().any(|(id, text)| id == a.text(0) || text.contains(a.text(0)))),
    ("alarm", |s, _| !s.frame.alarms.is_empty()),
    ("info <text>", |s, a| told(s, Severity::Info, a.text(0))),
    ("warning <text>", |s, a| told(s, Severity::Warning, a.text(0))),
    ("warning", |s, _| told(s, Severity::Warning, "")),
    ("emergency <text>", |s, a| told(s, Severity::Emergency, a.text(0))),
    ("emergency", |s, _| told(s, Severity::Emergency, "")),
    ("told <number> times <text>", |s, a| {
        s.told.iter().filter(|notice| notice.text.contains(a.text(1))).count() == a.count(0)
    }),
    ("record <text>", |s, a| s.frame.events.iter().any(|event| event.text.contains(a.text(0)))),
    ("why <text>", |s, a| s.frame.reasons.iter().any(|reason| reason.text.contains(a.text(0)))),
    ("miner started", |s, _| s.frame.commands.iter().any(Command::starts_miners)),
    ("miner put to sleep", |s, _| s.frame.commands.iter().any(|c| matches!(c, Command::Miner { .. }) && c.is_safe())),
    ("outlet cut", |s, _| {
        s.frame.commands.iter().any(|c| !matches!(c, Command::Fan { .. } | Command::Miner { .. }) && c.is_safe())
    }),
    ("fan started", |s, _| s.frame.commands.iter().any(|c| matches!(c, Command::Fan { on: true, .. }))),
    ("fan stopped", |s, _| s.frame.commands.iter().any(|c| matches!(c, Command::Fan { on: false, .. }))),
    ("command sent", |s, _| !s.frame.commands.is_empty()),
];

fn told(seen: &Seen, severity: Severity, part: &str) -> bool {
    seen.told.iter().any(|notice| notice.severity == severity && notice.text.contains(part))
}

/// One expectation: a phrase, perhaps turned round.
#[derive(Debug, Clone)]
pub struct Condition {
    /// As the story says it.
    pub text: String,
    pub is_turned: bool,
    /// Only after it was not so for a while.
    pub is_again: bool,
    pub phrase: usize,
    pub args: Args,
}

impl Condition {
    pub fn read(cfg: &Config, words: &[String]) -> Result<Condition, String> {
        let starts = |words: &[String], with: &[&str]| words.first().is_some_and(|word| with.contains(&word.as_str()));
        let is_again = starts(words, &["again"]);
        let rest = &words[usize::from(is_again)..];
        let is_turned = starts(rest, &["no", "not"]);
        let rest = &rest[usize::from(is_turned)..];
        let (phrase, args) = understand(cfg, rest, CONDITIONS.iter().map(|(phrase, _)| *phrase))?;
        Ok(Condition { text: words.join(" "), is_turned, is_again, phrase, args })
    }

    pub fn holds(&self, seen: &Seen) -> bool {
        let (_, test) = CONDITIONS[self.phrase];
        test(seen, &self.args) != self.is_turned
    }
}
