//! Carrying out commands: devices side by side, each device's commands in the order given, an outcome for every one.
//! It obeys; whether a command is wise, and which miners may be commanded, the caller has decided.

use std::collections::BTreeMap;
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use super::common::Limits;
use super::pdu::{self, Change};
use super::{broken_driver, controlbyweb, foreman, secrets, without_secrets};
use crate::clock::Clock;
use crate::config::{Config, FanConfig};
use crate::model::{Command, Fault, FaultKind, Outcome, PowerMode, Reply};

/// The longest share of one pass for Foreman, in site time.
const FOREMAN_SHARE: Duration = Duration::from_secs(30);

/// The commands of one device, each with its place in the list that was given.
enum Job<'cfg> {
    Board { name: &'cfg str, changes: Vec<(usize, (&'cfg FanConfig, bool))> },
    Pdu { name: &'cfg str, changes: Vec<(usize, Change<'cfg>)> },
    Foreman { changes: Vec<(usize, (u64, PowerMode))> },
}

type Results = Vec<(usize, Result<Reply, Fault>)>;

/// Carries out commands until a moment of real time. The outcomes are in the order of the commands; what was not reached
/// is `TimedOut`, what no device of the configuration can do is `Missing` and was not sent.
pub fn act(cfg: &Config, clock: &Clock, until: Instant, commands: &[Command]) -> Vec<Outcome> {
    let mut results: BTreeMap<usize, Result<Reply, Fault>> = BTreeMap::new();
    let jobs = jobs(cfg, commands, &mut results);
    let turns = &pdu::Turns::of(&cfg.pdus);
    let done: Vec<Results> = scope(|scope| {
        let threads: Vec<_> = jobs
            .iter()
            .map(|job| (job, Builder::new().spawn_scoped(scope, move || carry_out(cfg, clock, until, turns, job))))
            .collect();
        let join = |(job, thread): (&Job, std::io::Result<std::thread::ScopedJoinHandle<Results>>)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|_| failed(job, &broken_driver(job.name(cfg)))),
            Err(error) => {
                let detail = format!("not sent: no thread for this device: {error}");
                failed(job, &Fault::new(job.name(cfg), FaultKind::Broken, detail))
            }
        };
        threads.into_iter().map(join).collect()
    });
    results.extend(done.into_iter().flatten());
    let lost = |command: &Command| Fault::new(command.to_string(), FaultKind::Broken, "driver gave no result");
    let secrets = secrets(cfg);
    let outcome = |(place, command): (usize, &Command)| {
        let result = results.remove(&place).unwrap_or_else(|| Err(lost(command)));
        Outcome { command: command.clone(), result: result.map_err(|fault| without_secrets(fault, &secrets)) }
    };
    commands.iter().enumerate().map(outcome).collect()
}

impl Job<'_> {
    fn name<'a>(&'a self, cfg: &'a Config) -> &'a str {
        match self {
            Job::Board { name, .. } | Job::Pdu { name, .. } => name,
            Job::Foreman { .. } => &cfg.foreman.name,
        }
    }

    fn places(&self) -> Vec<usize> {
        match self {
            Job::Board { changes, .. } => changes.iter().map(|(place, _)| *place).collect(),
            Job::Pdu { changes, .. } => changes.iter().map(|(place, _)| *place).collect(),
            Job::Foreman { changes } => changes.iter().map(|(place, _)| *place).collect(),
        }
    }
}

fn failed(job: &Job, fault: &Fault) -> Results {
    job.places().into_iter().map(|place| (place, Err(fault.clone()))).collect()
}

/// Sorts commands by device; what no device can do gets its result at once.
fn jobs<'cfg>(
    cfg: &'cfg Config,
    commands: &'cfg [Command],
    results: &mut BTreeMap<usize, Result<Reply, Fault>>,
) -> Vec<Job<'cfg>> {
    let mut boards: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let mut pdus: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let mut miners = Vec::new();
    for (place, command) in commands.iter().enumerate() {
        match command {
            Command::Fan { fan, on } => match cfg.fans.get(fan) {
                Some(fan) => boards.entry(&fan.board).or_default().push((place, (fan, *on))),
                None => {
                    let known: Vec<String> = cfg.fans.keys().map(u8::to_string).collect();
                    let detail = format!("no such fan in the configuration; known are {}", known.join(", "));
                    results.insert(place, Err(Fault::new(format!("fan {fan}"), FaultKind::Missing, detail)));
                }
            },
            Command::Outlet { outlet, on } => {
                pdus.entry(&outlet.pdu).or_default().push((place, Change::Outlet(&outlet.outlet, *on)));
            }
            Command::Bank { pdu } => pdus.entry(pdu).or_default().push((place, Change::BankOff)),
            Command::Miner { miner, mode } => miners.push((place, (*miner, *mode))),
        }
    }
    let boards = boards.into_iter().map(|(name, changes)| Job::Board { name, changes });
    let pdus = pdus.into_iter().map(|(name, changes)| Job::Pdu { name, changes });
    let foreman = (!miners.is_empty()).then_some(Job::Foreman { changes: miners });
    boards.chain(pdus).chain(foreman).collect()
}

fn carry_out(cfg: &Config, clock: &Clock, until: Instant, turns: &pdu::Turns, job: &Job) -> Results {
    let unknown = |name: &str, what: &str, known: Vec<&str>| {
        let detail = format!("no such {what} in the configuration; known are `{}`", known.join("`, `"));
        Fault::new(name, FaultKind::Missing, detail)
    };
    let results = match job {
        Job::Board { name, changes } => match cfg.boards.iter().find(|board| board.name == *name) {
            Some(board) => {
                let limits = Limits { timeout: board.timeout, until };
                controlbyweb::act(board, clock, limits, &wanted(changes))
            }
            None => {
                let known = cfg.boards.iter().map(|board| board.name.as_str()).collect();
                return failed(job, &unknown(name, "relay board", known));
            }
        },
        Job::Pdu { name, changes } => match cfg.pdus.iter().find(|pdu| pdu.name == *name) {
            Some(cfg) => {
                let limits = Limits { timeout: cfg.timeout, until };
                pdu::act(cfg, clock, clock.now().wall, limits, turns, &wanted(changes))
            }
            None => {
                let known = cfg.pdus.iter().map(|pdu| pdu.name.as_str()).collect();
                return failed(job, &unknown(name, "PDU", known));
            }
        },
        Job::Foreman { changes } => {
            // A slow cloud must not keep the pass from the PDUs: what is left is asked for again.
            let share = Instant::now() + clock.real_span(FOREMAN_SHARE).max(cfg.foreman.timeout.duration());
            let limits = Limits { timeout: cfg.foreman.timeout, until: until.min(share) };
            foreman::act(&cfg.foreman, clock, limits, &wanted(changes))
        }
    };
    job.places().into_iter().zip(results).collect()
}

fn wanted<T: Copy>(changes: &[(usize, T)]) -> Vec<T> {
    changes.iter().map(|(_, change)| *change).collect()
}
