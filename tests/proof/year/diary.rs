//! The diary: what each run saw, decided and did, with the truth beside it. The last hours are kept and shown when
//! something is wrong.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;

use minectl::model::*;

use super::faults::Broken;
use super::site::{NEW_YEAR, Site};
use super::weather::DAY_S;
use crate::mine::Phase;

const LINES: usize = 240;
const EVENTS: usize = 400;

/// One run.
struct Line {
    second: u64,
    page: Option<f64>,
    level: Level,
    phase: MinersPhase,
    reasons: BTreeSet<OffReason>,
    read_watts: Option<f64>,
    true_watts: f64,
    read_intake: Option<f64>,
    true_intake: f64,
    outdoor: f64,
    fans: usize,
    wanted: usize,
    proven: usize,
    /// Miners asleep, without power, and stopped by themselves.
    still: [usize; 3],
    broken: String,
    commands: String,
}

#[derive(Default)]
pub struct Diary {
    lines: VecDeque<Line>,
    events: VecDeque<Event>,
}

/// `day 203 16:32`; days count from 1.
pub fn date(second: u64) -> String {
    let (day, rest) = (second / DAY_S + 1, second % DAY_S);
    format!("day {day} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

fn fahrenheit(celsius: f64) -> f64 {
    celsius * 1.8 + 32.0
}

impl Diary {
    /// Notes a pass.
    pub fn note(&mut self, site: &Site, state: &SiteState, snapshot: &Snapshot, commands: &[Command]) {
        if self.lines.len() >= LINES {
            self.lines.pop_front();
        }
        let page = snapshot.signal.as_ref().ok().map(|reading| match &reading.value {
            SignalValue::Number(number) => *number,
            SignalValue::CurtailWord(_) | SignalValue::RunWord(_) => f64::NAN,
        });
        self.lines.push_back(Line {
            second: site.second,
            page,
            level: state.signal.level,
            phase: state.miners.phase.clone(),
            reasons: state.demand.reasons.clone(),
            read_watts: state.miners.watts.map(|w| w.value()),
            true_watts: site.heat_watts,
            read_intake: state.climate.intake.map(|t| t.fahrenheit()),
            true_intake: fahrenheit(site.air.intake_c),
            outdoor: fahrenheit(site.outdoor_c),
            fans: site.fans_running(),
            wanted: state.fans.values().filter(|fan| fan.wanted).count(),
            proven: state.fans.values().filter(|fan| fan.proven == Some(true)).count(),
            still: [|p: Phase| p == Phase::Asleep, |p| p == Phase::Off, |p| p == Phase::Tripped]
                .map(|test| site.miners.iter().filter(|miner| test(miner.phase)).count()),
            broken: if site.broken.0.is_empty() { String::new() } else { site.broken.words() },
            commands: if commands.is_empty() { String::new() } else { words(commands) },
        });
    }

    /// A run that did not take place.
    pub fn note_absence(&mut self, site: &Site, state: &SiteState) {
        let snapshot = Snapshot {
            at: site.now(),
            signal: Err(crate::scene::fault("controller")),
            rooms: Default::default(),
            fan_watts: Err(crate::scene::fault("controller")),
            boards: Default::default(),
            pdus: Default::default(),
            foreman: Err(crate::scene::fault("controller")),
            took_ms: Default::default(),
            troubles: Vec::new(),
        };
        self.note(site, state, &snapshot, &[]);
    }

    pub fn take(&mut self, events: Vec<Event>) {
        self.events.extend(events);
        while self.events.len() > EVENTS {
            self.events.pop_front();
        }
    }

    /// What was noted since a second of the year.
    pub fn since(&self, second: u64) -> String {
        let mut text = String::new();
        let from = self.lines.iter().position(|line| line.second >= second).unwrap_or(self.lines.len());
        let mut told = NEW_YEAR + second as i64;
        for line in self.lines.iter().skip(from) {
            let until = NEW_YEAR + line.second as i64;
            // An event carries the controller's clock, which may be wrong: then it is left out.
            for event in self.events.iter().filter(|event| (told..=until).contains(&event.at.0)) {
                let words: String = event.text.chars().take(200).collect();
                writeln!(text, "        {} {}: {words}", event.kind.word(), event.subject).unwrap();
            }
            told = until + 1;
            line.write(&mut text);
        }
        text
    }
}

impl Line {
    fn write(&self, text: &mut String) {
        let page = self.page.map_or("unread".to_owned(), |number| format!("{number:.1}"));
        let read = self.read_watts.map_or("?".to_owned(), |w| format!("{:.0}", w / 1000.0));
        let intake = self.read_intake.map_or("?".to_owned(), |f| format!("{f:.0}"));
        let phase = match &self.phase {
            MinersPhase::Curtailing { rung, .. } => format!("curtailing ({})", rung.word()),
            MinersPhase::Resuming { group, .. } => format!("resuming {group}"),
            phase => phase.word().to_owned(),
        };
        write!(
            text,
            "{} | page {page} {} | {phase} {:?} | kW {read} true {:.0} asleep {} off {} \
             tripped {} | intake F {intake} true {:.0} outdoors {:.0} | \
             fans {} (wanted {}, proven {})",
            date(self.second),
            self.level.word(),
            self.reasons,
            self.true_watts / 1000.0,
            self.still[0],
            self.still[1],
            self.still[2],
            self.true_intake,
            self.outdoor,
            self.fans,
            self.wanted,
            self.proven,
        )
        .unwrap();
        if !self.commands.is_empty() {
            write!(text, " | {}", self.commands).unwrap();
        }
        if !self.broken.is_empty() {
            write!(text, " | BROKEN {}", self.broken).unwrap();
        }
        text.push('\n');
    }
}

/// `sleep 20, cut 48, fans off 3`.
fn words(commands: &[Command]) -> String {
    let count = |test: fn(&Command) -> bool| commands.iter().filter(|command| test(command)).count();
    let counts = [
        ("sleep", count(|c| matches!(c, Command::Miner { mode: PowerMode::Sleeping, .. }))),
        ("wake", count(|c| matches!(c, Command::Miner { .. }) && c.starts_miners())),
        ("cut", count(|c| matches!(c, Command::Outlet { on: false, .. }))),
        ("feed", count(|c| matches!(c, Command::Outlet { on: true, .. }))),
    ];
    let mut words: Vec<String> =
        counts.into_iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{word} {n}")).collect();
    for command in commands {
        if matches!(command, Command::Fan { .. }) {
            words.push(command.to_string());
        }
    }
    words.join(", ")
}

/// The words of what is broken, for a line in the report.
pub fn beside(broken: &Broken) -> String {
    if broken.0.is_empty() { "nothing broken".to_owned() } else { broken.words() }
}
