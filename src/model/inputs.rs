//! What is kept of each run so that it can be replayed: what it read, what it decided, what came of the commands. One line
//! of JSON each; a run is its `begin`, sometimes the state it began with, a `pass` and a `decided` for each pass, its `end`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    Channel, Command, DemandState, DrillDeliveries, Fault, Level, MinersPhase, OffReason, Outcome, Override, Rung,
    Severity, SiteState, Snapshot,
};
use crate::units::{Moment, UnixSeconds};

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputLine {
    /// A run begins.
    Begin(InputBegin),
    /// The state that it began with. It stands in the first run of each hour, and wherever that state is not the one that
    /// the run before left.
    State(Box<SiteState>),
    /// What a pass read.
    Pass(Box<InputPass>),
    /// What it decided.
    Decided(Decided),
    /// The run is over.
    End(InputEnd),
}

/// The beginning of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputBegin {
    /// When.
    pub at: Moment,
    /// The version of the program.
    pub program: String,
    /// The fingerprint of the state that was loaded.
    pub state: String,
    /// What people acknowledged since the run before: alarm id and who.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub acknowledged: BTreeMap<String, String>,
}

/// What a pass decided by, beside the configuration and the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputPass {
    /// When it decided.
    pub at: Moment,
    /// What was read.
    pub snapshot: Snapshot,
    /// The overrides, those that have just run out included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// Channels that do not take messages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<Channel, Fault>,
    /// Why the dead-man service was not reached by the run before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_man: Option<Fault>,
    /// Why messages with commands could not be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<Fault>,
    /// What the services said to the last drill's message.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drill_told: DrillDeliveries,
    /// Why the service that keeps the values did not take those of the run before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub influx: Option<Fault>,
}

/// What a pass decided, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// Where the site was taken to stand.
    pub stand: Stand,
    /// The commands, safety first; in observe mode they were not sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
    /// What came of those that were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputEnd {
    /// The fingerprint of the state that it left.
    pub state: String,
}

/// Where the site stands after a pass, in short: what two ways of deciding are compared by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// The power signal.
    pub signal: Level,
    /// The miners' phase, by its word.
    pub miners: String,
    /// The rung, while they go off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung: Option<Rung>,
    /// The group, while they come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// Why they must be off.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub off: BTreeSet<OffReason>,
    /// Groups that are off for want of air.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shed_groups: u32,
    /// The fans that are to run.
    pub fans: BTreeSet<u8>,
    /// The alarms that stand.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alarms: BTreeMap<String, Severity>,
    /// The call that is going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallTimes>,
}

/// The times of a call by which it is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTimes {
    /// When its cause was read.
    pub seen: UnixSeconds,
    /// When the miners were proven off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<UnixSeconds>,
}

/// The state as it is kept with the inputs and compared: without what does not come from deciding. Channels and
/// services stand in each pass; the rest steers nothing.
pub fn core(state: &SiteState) -> SiteState {
    let mut core = state.clone();
    core.channels.clear();
    core.dead_man = None;
    core.chat = None;
    core.influx = None;
    core.troubles.clear();
    core.calls_unkept.clear();
    core.drills_unkept.clear();
    core.drill_told.clear();
    core.signal.kept = None;
    core
}

/// A fingerprint of [`core`]: two states decide alike when theirs are equal.
pub fn fingerprint(state: &SiteState) -> String {
    // A state that cannot be written has no fingerprint, and equals none.
    let Ok(json) = serde_json::to_vec(&core(state)) else { return String::new() };
    Sha256::digest(json).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Stand {
    /// The stand of a state that a pass has left.
    pub fn of(state: &SiteState) -> Stand {
        let (mut rung, mut group) = (None, None);
        match &state.miners.phase {
            MinersPhase::Curtailing { rung: on, .. } => rung = Some(*on),
            MinersPhase::Resuming { group: number, .. } => group = Some(*number),
            MinersPhase::Boot | MinersPhase::Running | MinersPhase::Curtailed { .. } | MinersPhase::Fault { .. } => {}
        }
        let DemandState { reasons, .. } = &state.demand;
        Stand {
            signal: state.signal.level,
            miners: state.miners.phase.word().to_owned(),
            rung,
            group,
            off: reasons.clone(),
            shed_groups: state.miners.shed_groups,
            fans: state.fans.iter().filter(|(_, fan)| fan.wanted).map(|(number, _)| *number).collect(),
            alarms: state.alarms.iter().map(|(id, alarm)| (id.clone(), alarm.severity)).collect(),
            call: state
                .call
                .as_ref()
                .map(|call| CallTimes { seen: call.seen.wall, proven: call.proven.map(|at| at.wall) }),
        }
    }
}
