//! Takes recorded runs through today's rules: the state goes on as they leave it, the inputs stay as they were.

use crate::config::{Config, Mode};
use crate::decide;
use crate::model::{Command, CommandStatus, Decided, Outcome, Reason, Reply, SiteState, Stand, fingerprint};
use crate::notify;
use crate::units::Moment;

use super::record::RecordedRun;

/// Numbers of Foreman commands that were never sent begin here, far above its own.
const INVENTED: u64 = u64::MAX / 2;

/// A pass as it was decided then and as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// When it decided.
    pub at: Moment,
    /// What the signal's page said, where it was read.
    pub page: Option<String>,
    /// The stand then.
    pub then: Stand,
    /// The commands then.
    pub then_commands: Vec<Command>,
    /// The stand now.
    pub now: Stand,
    /// The commands now.
    pub now_commands: Vec<Command>,
    /// Why now.
    pub reasons: Vec<Reason>,
}

impl Pair {
    /// Whether then and now differ. The order of commands of one pass is none of it, nor are the times of a call: those
    /// stand with the calls.
    pub fn differs(&self) -> bool {
        !alike(&self.then, &self.now) || sorted(&self.then_commands) != sorted(&self.now_commands)
    }
}

fn alike(then: &Stand, now: &Stand) -> bool {
    let without_times = |stand: &Stand| {
        let proven = stand.call.as_ref().map(|call| call.proven.is_some());
        (proven, Stand { call: None, ..stand.clone() })
    };
    without_times(then) == without_times(now)
}

fn sorted(commands: &[Command]) -> Vec<&Command> {
    let mut sorted: Vec<&Command> = commands.iter().collect();
    sorted.sort();
    sorted
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Played {
    /// It was played on from the run before.
    On(Vec<Pair>),
    /// It began with its own recorded state: the first, or runs before it are not recorded.
    Anew(Vec<Pair>),
    /// No state is recorded that it could begin with.
    Skipped,
}

/// Plays one run after the other.
pub struct Player<'a> {
    cfg: &'a Config,
    state: Option<SiteState>,
    /// The fingerprint that the last run left then.
    left: Option<String>,
    invented: u64,
}

impl<'a> Player<'a> {
    /// One that has played nothing yet.
    pub fn new(cfg: &'a Config) -> Player<'a> {
        Player { cfg, state: None, left: None, invented: INVENTED }
    }

    /// The state before the next run, when it is the one that this run began with then.
    pub(super) fn state_of(&self, run: &RecordedRun) -> Option<&SiteState> {
        self.state.as_ref().filter(|state| fingerprint(state) == run.begin.state)
    }

    /// Plays a run.
    pub fn play(&mut self, run: &RecordedRun) -> Played {
        let follows = self.left.as_ref() == Some(&run.begin.state);
        let on = self.state.take().filter(|_| follows);
        let is_on = on.is_some();
        self.left = Some(run.left.clone());
        let Some(mut state) = on.or_else(|| run.state.clone()) else { return Played::Skipped };
        for (id, who) in &run.begin.acknowledged {
            if let Some(alarm) = state.alarms.get_mut(id) {
                alarm.acknowledged_by = Some(who.clone());
            }
        }
        // What is told goes nowhere: only what is decided is compared.
        let _told = decide::begin_run(self.cfg, &mut state, &run.begin.at);
        let mut pairs = Vec::new();
        for (inputs, decided) in &run.passes {
            let configured = notify::configured(self.cfg);
            state.channels.clone_from(&inputs.channels);
            state.channels.retain(|channel, _| configured.contains(channel));
            state.dead_man.clone_from(&inputs.dead_man);
            state.chat.clone_from(&inputs.chat);
            state.drill_told.clone_from(&inputs.drill_told);
            state.influx.clone_from(&inputs.influx);
            let decision = decide::decide(self.cfg, &state, &inputs.snapshot, &inputs.overrides, &inputs.at);
            state = decision.next;
            state.calls_unkept.clear();
            state.drills_unkept.clear();
            let mut pair = Pair {
                at: inputs.at,
                page: inputs.snapshot.signal.as_ref().ok().map(|reading| reading.text.clone()),
                then: decided.stand.clone(),
                then_commands: decided.commands.clone(),
                now: Stand::of(&state),
                now_commands: decision.commands,
                reasons: Vec::new(),
            };
            if pair.differs() {
                pair.reasons = decision.reasons;
            }
            if self.cfg.mode == Mode::Live {
                let outcomes = self.outcomes(&pair.now_commands, decided);
                let _told = decide::record(&mut state, &outcomes, &inputs.at);
            }
            pairs.push(pair);
        }
        decide::end_run(&mut state);
        self.state = Some(state);
        if is_on { Played::On(pairs) } else { Played::Anew(pairs) }
    }

    /// What came of the commands: as it was recorded, or taken as done where none was sent then.
    fn outcomes(&mut self, commands: &[Command], then: &Decided) -> Vec<Outcome> {
        let is_ours = |outcome: &&Outcome| commands.contains(&outcome.command);
        let mut outcomes: Vec<Outcome> = then.outcomes.iter().filter(is_ours).cloned().collect();
        let was_sent = |command: &&Command| !then.outcomes.is_empty() && then.commands.contains(command);
        for command in commands.iter().filter(|command| !was_sent(command)) {
            let reply = match command {
                Command::Miner { .. } => {
                    self.invented = self.invented.saturating_add(1);
                    Reply::Accepted { command: self.invented, status: CommandStatus::Complete }
                }
                Command::Fan { .. } | Command::Outlet { .. } | Command::Bank { .. } => Reply::Confirmed,
            };
            outcomes.push(Outcome { command: command.clone(), result: Ok(reply) });
        }
        outcomes
    }
}
