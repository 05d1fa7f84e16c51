//! The settings of the PDUs: where one is, which of its outlets may be switched, and how it is spoken to.

use std::path::PathBuf;

use serde_json::Value;

use super::Secret;
use crate::units::Seconds;

/// `[[pdu]]`
#[derive(Debug, Clone)]
pub struct PduConfig {
    /// Its name.
    pub name: String,
    /// Its address, without path.
    pub url: String,
    /// How it is spoken to.
    pub driver: PduDriver,
    /// The token, for `{token}`.
    pub token: Option<Secret>,
    /// The user: for the login where the PDU has one, else for HTTP Basic.
    pub user: Option<String>,
    /// The password of that user.
    pub password: Option<Secret>,
    /// How user and password are shown, where no login or session takes them.
    pub auth: PduAuth,
    /// SHA-256 of the certificate that the PDU must show; `None`: one that a known authority signed.
    pub tls_sha256: Option<[u8; 32]>,
    /// The outlets that may be switched, in order; anything else is out of reach.
    pub outlets: Vec<String>,
    /// Pause between two switchings.
    pub outlet_pause: Seconds,
    /// How long the PDU may take to do what it was told before it counts as not obeying.
    pub settle: Seconds,
    /// Outlets switched in one pass.
    pub batch: usize,
    /// The PDU's own way to switch many of them off at once, if it has one.
    pub bank: Option<BankConfig>,
    /// A reading older than this is stale.
    pub max_age: Seconds,
    /// A private certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
    /// The longest wait.
    pub timeout: Seconds,
}

impl PduConfig {
    /// Whether the watts of its outlets are amps times volts: more than what is really drawn, and never measured.
    pub fn derives_watts(&self) -> bool {
        match &self.driver {
            PduDriver::HttpJson(dialect) => dialect.watts.is_none() && dialect.derived.is_some(),
            PduDriver::Redfish(_) => false,
        }
    }

    /// Whether the watts of the whole PDU are a sum of such watts.
    pub fn derives_total(&self) -> bool {
        match &self.driver {
            PduDriver::HttpJson(dialect) => self.derives_watts() && dialect.total_watts.is_none(),
            PduDriver::Redfish(_) => false,
        }
    }
}

/// How a PDU is shown user and password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PduAuth {
    /// HTTP Basic; HTTP Digest where the PDU asks for it.
    Basic,
    /// HTTP Digest only: the password itself is never sent.
    Digest,
}

/// How a PDU is spoken to.
#[derive(Debug, Clone, PartialEq)]
pub enum PduDriver {
    /// JSON over HTTP, as the dialect describes it.
    HttpJson(Box<PduDialect>),
    /// Redfish.
    Redfish(RedfishConfig),
}

/// A PDU that speaks Redfish.
#[derive(Debug, Clone, PartialEq)]
pub struct RedfishConfig {
    /// The `Id` of the PDU below `RackPDUs`; `None` when the service has just one.
    pub unit: Option<String>,
    /// Whether the power of the whole PDU counts instead of the sum of the outlets.
    pub whole_pdu: bool,
}

/// One request that switches off a whole group of a PDU's outlets. There is none that switches it on.
#[derive(Debug, Clone, PartialEq)]
pub struct BankConfig {
    /// `PUT`, `POST` or `PATCH`.
    pub method: String,
    /// Path of the group.
    pub path: String,
    /// Body that switches it off.
    pub body: Value,
    /// What the PDU's own group contains; all of it is in the PDU's `outlets` too.
    pub outlets: Vec<String>,
}

/// How to read and switch a PDU that speaks JSON over HTTP.
///
/// Pointers are JSON pointers (RFC 6901) with one more kind of part: `?type=power` is the member whose `type` is `power`.
/// Paths, bodies and header lines may hold `{id}` (the outlet), `{unit}`, `{token}`, `{user}` and `{password}`.
#[derive(Debug, Clone, PartialEq)]
pub struct PduDialect {
    /// The PDU's own id, for `{unit}`.
    pub unit: Option<String>,
    /// Asks for all outlets; for one outlet when its path or body holds `{id}`.
    pub read: Ask,
    /// Pointer to the array (or object) of outlets; to the outlet itself where each is asked for alone.
    pub items: String,
    /// Pointer to the id in an outlet; `@key` when `items` is an object, `@index` for an array counted from 0.
    pub id: String,
    /// What is added to an outlet's number to get the PDU's own: -1 for a PDU that counts from 0.
    pub id_offset: i64,
    /// Pointer to the power in an outlet; `None` for outlets without metering.
    pub watts: Option<String>,
    /// Factor that makes watts of it.
    pub watts_scale: f64,
    /// A request of its own for the power of each outlet.
    pub watts_ask: Option<Ask>,
    /// Amps and volts, for a PDU that measures no watts.
    pub derived: Option<Derived>,
    /// Pointer to the state in an outlet.
    pub state: String,
    /// The states that are on; any other than these two is a fault.
    pub on: Vec<Value>,
    /// The states that are off.
    pub off: Vec<Value>,
    /// Pointers to flags in an outlet that say its state is not final: a delay or a cycle of the PDU's own runs.
    pub in_transition: Vec<String>,
    /// Pointer to the time (RFC 3339, or Unix seconds) of an outlet's reading; `None` when the device gives none.
    pub updated: Option<String>,
    /// Pointer to a flag in an outlet that says the PDU switches it by itself.
    pub auto_reset: Option<String>,
    /// Pointer to a schedule in an outlet, or in the answer to `schedule_ask`.
    pub schedule: Option<String>,
    /// A request of its own for the PDU's schedules.
    pub schedule_ask: Option<Ask>,
    /// Pointers in an outlet that say the PDU cut it for a reason of its own: it is never switched on.
    pub suspended: Vec<String>,
    /// The values there that mean it; empty: whatever is not false, 0, empty or null.
    pub suspended_value: Vec<Value>,
    /// Pointer in the document to the watts of the whole PDU; `None`: the sum of the outlets. `*` sums over all members.
    pub total_watts: Option<String>,
    /// A request of its own for the watts of the whole PDU.
    pub total_ask: Option<Ask>,
    /// Switches an outlet on.
    pub switch_on: Ask,
    /// Switches an outlet off.
    pub switch_off: Ask,
    /// Whether bodies are sent as a form (`value=true`) instead of JSON.
    pub form: bool,
    /// How to get a token; `None`: it is configured, or there is none.
    pub login: Option<Login>,
}

/// One request of a dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// `GET`, `PUT`, `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// Its path.
    pub path: String,
    /// What is sent; `"{id}"` alone becomes a number where the id is one.
    pub body: Option<Value>,
    /// Header lines, `Name: value`.
    pub headers: Vec<String>,
    /// What in the answer says that it was done.
    pub done: Option<BodyTest>,
}

impl Ask {
    /// Whether its path, body or headers hold this placeholder.
    pub fn mentions(&self, placeholder: &str) -> bool {
        let in_body = self.body.as_ref().is_some_and(|body| body.to_string().contains(placeholder));
        in_body || self.path.contains(placeholder) || self.headers.iter().any(|line| line.contains(placeholder))
    }
}

/// A value in an answer that says whether a request was done, whatever the status.
#[derive(Debug, Clone, PartialEq)]
pub struct BodyTest {
    /// Pointer to it.
    pub pointer: String,
    /// The values that mean yes.
    pub wanted: Vec<Value>,
}

/// Amps times volts.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// Pointer to the current in an outlet.
    pub amps: String,
    /// Factor that makes amps of it.
    pub amps_scale: f64,
    /// The voltage.
    pub volts: Volts,
    /// Watts for each volt-ampere.
    pub power_factor: f64,
}

/// Where a voltage comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Volts {
    /// A pointer in the outlet.
    At(String),
    /// A fixed one.
    Fixed(f64),
}

/// A login that gives a token.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// The request.
    pub ask: Ask,
    /// Pointer to the token in its answer; `@Name` for a header line.
    pub token: String,
    /// Statuses and values of a body test after which the token is taken for expired.
    pub again_on: Vec<Value>,
    /// Gives the token back; `None` for a PDU that forgets it by itself.
    pub logout: Option<Ask>,
}
