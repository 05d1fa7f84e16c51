//! The rules for the intake temperature and the miners, and the settings of Foreman.

use std::path::PathBuf;

use super::Secret;
use crate::units::{Seconds, Temperature, Watts};

/// `[climate]`
#[derive(Debug, Clone)]
pub struct ClimateConfig {
    /// Miners go off at and above this.
    pub shed_above: Temperature,
    /// They may run again at and below this.
    pub resume_below: Temperature,
    /// Emergency at and above this.
    pub critical_above: Temperature,
    /// Below this only the first group resumes, to warm the room; the others at and above it.
    pub resume_min: Temperature,
    /// The others resume all the same after waiting this long for the warmth.
    pub preheat_limit: Seconds,
    /// A rise of at least this many kelvin a minute that reaches `shed_above` within the next interval sheds at once.
    pub shed_rise_k: f64,
    /// A probe whose value has not moved for this long is told; so is a PDU or fan meter whose watts have not.
    pub stuck_after: Seconds,
    /// A probe reading older than this does not count.
    pub max_age: Seconds,
    /// Without an intake temperature for this long the miners go off.
    pub lost_limit: Seconds,
}

/// `[miners]`
#[derive(Debug, Clone)]
pub struct MinersConfig {
    /// Proven off at and below this.
    pub off_below: Watts,
    /// Running at and above this.
    pub on_above: Watts,
    /// Proven off only when each PDU, too, is at or below this share (0 to 1) of what it drew while the miners ran.
    pub off_share: f64,
    /// Time of rung 1.
    pub foreman_limit: Seconds,
    /// Time of rung 2.
    pub outlets_limit: Seconds,
    /// A miner that still draws power this long after the others are proven off has its outlet cut.
    pub sweep_after: Seconds,
    /// Emergency when not proven by then.
    pub deadline: Seconds,
    /// Shortest time off.
    pub min_off: Seconds,
    /// Demand must allow running for this long.
    pub resume_after: Seconds,
    /// Groups to resume in.
    pub resume_groups: u32,
    /// Time for a group to show rising watts.
    pub group_limit: Seconds,
    /// An outlet above this draws power.
    pub outlet_off_below: Watts,
}

/// `[foreman]`
#[derive(Debug, Clone)]
pub struct ForemanConfig {
    /// Its name.
    pub name: String,
    /// Its address, without path.
    pub url: String,
    /// The client (site) number.
    pub client_id: u64,
    /// The API key.
    pub api_key: Secret,
    /// Which miners may be commanded.
    pub miners: MinerChoice,
    /// Pause between two calls to one endpoint.
    pub call_pause: Seconds,
    /// Miners commanded in one pass.
    pub batch: usize,
    /// The power mode of a miner that Foreman heard of longer ago does not count; `None`: its age is not looked at.
    pub max_age: Option<Seconds>,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest wait.
    pub timeout: Seconds,
}

/// Which miners may be commanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MinerChoice {
    /// All of the client.
    All,
    /// Those with this tag.
    Tag(String),
}
