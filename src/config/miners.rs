//! The rules for the intake temperature and the miners, and the settings of Foreman and the PDUs.

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
    /// A probe whose value has not moved for this long is told.
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

/// `[[pdu]]`
#[derive(Debug, Clone)]
pub struct PduConfig {
    /// Its name.
    pub name: String,
    /// Its address, without path.
    pub url: String,
    /// How to talk to it; filled by a preset, changed by its own keys.
    pub dialect: PduDialect,
    /// The token, for `{token}` in the dialect's headers.
    pub token: Option<Secret>,
    /// User for HTTP Basic.
    pub user: Option<String>,
    /// Password for HTTP Basic.
    pub password: Option<Secret>,
    /// The outlets that may be switched, in order; anything else is out of reach.
    pub outlets: Vec<String>,
    /// Pause between two switchings.
    pub outlet_pause: Seconds,
    /// Outlets switched in one pass.
    pub batch: usize,
    /// The PDU's own way to switch many of them off at once, if it has one.
    pub bank: Option<BankConfig>,
    /// A reading older than this is stale.
    pub max_age: Seconds,
    /// The longest wait.
    pub timeout: Seconds,
}

/// One request that switches off a whole group of a PDU's outlets. There is none that switches it on.
#[derive(Debug, Clone, PartialEq)]
pub struct BankConfig {
    /// `PUT`, `POST` or `PATCH`.
    pub method: String,
    /// Path of the group.
    pub path: String,
    /// Body that switches it off.
    pub body: serde_json::Value,
    /// What the PDU's own group contains; all of it is in the PDU's `outlets` too.
    pub outlets: Vec<String>,
}

/// How to read and switch a PDU that speaks JSON over HTTP. Pointers are JSON pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq)]
pub struct PduDialect {
    /// Path of the answer with all outlets.
    pub read_path: String,
    /// Pointer to the array (or object) of outlets in it; empty for the document.
    pub items: String,
    /// Pointer to the id in an outlet; `@key` when `items` is an object, `@index` for a bare array counted from 0.
    pub id: String,
    /// Pointer to the power in an outlet; `None` for outlets without metering.
    pub watts: Option<String>,
    /// Factor that makes watts of it.
    pub watts_scale: f64,
    /// Pointer to the state in an outlet.
    pub state: String,
    /// The state that is on; any other than these two is a fault.
    pub on: serde_json::Value,
    /// The state that is off.
    pub off: serde_json::Value,
    /// Pointer to the time (RFC 3339) of an outlet's reading; `None` when the device gives none.
    pub updated: Option<String>,
    /// Pointer to a flag in an outlet that says the PDU switches it by itself.
    pub auto_reset: Option<String>,
    /// Pointer in the document to the watts of the whole PDU; `None`: the sum of the outlets.
    pub total_watts: Option<String>,
    /// `PUT`, `POST` or `PATCH`.
    pub switch_method: String,
    /// Path to switch an outlet; `{id}` is its id.
    pub switch_path: String,
    /// Body that switches on; `"{id}"` in it becomes the id.
    pub on_body: serde_json::Value,
    /// Body that switches off.
    pub off_body: serde_json::Value,
    /// Header lines for a switching request, `Name: value` with `{token}`.
    pub switch_headers: Vec<String>,
    /// Header lines for a reading request.
    pub read_headers: Vec<String>,
}
