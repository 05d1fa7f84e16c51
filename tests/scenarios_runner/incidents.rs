//! Recorded incidents: what a mine went through is played by today's rules, and must be decided as it was recorded.

use std::path::{Path, PathBuf};

use minectl::commands::replay::{Incident, Pair, Played, Player, RecordedRun};
use minectl::config::{self, Config};

/// An incident as it is read.
pub struct Recorded {
    pub path: PathBuf,
    pub header: Incident,
    pub cfg: Config,
    pub runs: Vec<RecordedRun>,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/incidents")
}

/// All of them, by name.
pub fn all() -> Vec<Recorded> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Recorded {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(&path).unwrap();
    let (header, runs) = Incident::parse(&name, &text).unwrap_or_else(|error| panic!("{error}"));
    let cfg = config::parse(&header.config, &name, Path::new("")).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    let runs = runs.into_iter().map(|run| RecordedRun::parse(run).unwrap_or_else(|why| panic!("{name}: {why}")));
    Recorded { runs: runs.collect(), path, header, cfg }
}

impl Recorded {
    /// Its passes by a configuration, run by run; a run that cannot be played fails the test.
    pub fn play(&self, cfg: &Config) -> Vec<Vec<Pair>> {
        let mut player = Player::new(cfg);
        let mut played = Vec::new();
        for run in &self.runs {
            match player.play(run) {
                Played::On(pairs) | Played::Anew(pairs) => played.push(pairs),
                Played::Skipped => panic!("{}: a run has no state to begin with", self.path.display()),
            }
        }
        played
    }

    /// The first pass that is decided in another way, in words; call times count too.
    pub fn first_difference(&self, played: &[Vec<Pair>]) -> Option<String> {
        let differs = |pair: &&Pair| pair.differs() || pair.then != pair.now;
        let pair = played.iter().flatten().find(differs)?;
        let commands = |commands: &[minectl::model::Command]| {
            commands.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        Some(format!(
            "{}: other at {}\n  then {:?}\n       {}\n  now  {:?}\n       {}\n  `minectl replay --file` shows all of it; when it is \
             wanted, BLESS=1 cargo test --test scenarios writes it\n",
            self.path.display(),
            pair.at.wall.0,
            pair.then,
            commands(&pair.then_commands),
            pair.now,
            commands(&pair.now_commands),
        ))
    }

    /// Writes it anew with what is decided now.
    pub fn bless(&self, played: &[Vec<Pair>]) {
        let mut text = serde_json::to_string(&self.header).unwrap() + "\n";
        for (run, pairs) in self.runs.iter().zip(played) {
            let mut run = run.clone();
            for ((_, decided), pair) in run.passes.iter_mut().zip(pairs) {
                decided.stand = pair.now.clone();
                decided.commands = pair.now_commands.clone();
            }
            run.lines().iter().for_each(|line| text += &(serde_json::to_string(line).unwrap() + "\n"));
        }
        std::fs::write(&self.path, text).unwrap();
    }
}
