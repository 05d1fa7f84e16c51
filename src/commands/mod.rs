//! The subcommands other than `tick`. Each writes to the given output and touches no device, except `plan` and
//! `doctor`, which read them, `signal explain`, which reads the signal's page, `cgi`, which shows plans, and `fleet`, which asks other sites' pages.

pub mod cgi;
pub mod check;
pub mod config;
pub mod crontab;
pub mod db;
pub mod doctor;
pub mod drill;
pub mod fleet;
pub mod history;
pub mod manual;
pub mod month;
mod month_table;
pub mod notify;
pub mod plan;
pub mod render;
pub mod replay;
pub mod report;
mod seen;
pub mod set;
pub mod signal;
pub mod status;

use crate::error::Error;

/// Turns a failed write to the terminal or a pipe into the run's error.
fn printed(result: std::io::Result<()>) -> Result<(), Error> {
    // Whoever reads the other end of a pipe has seen enough.
    let result =
        result.or_else(|error| if error.kind() == std::io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) });
    result.map_err(|error| Error::Storage(format!("output: {error}")))
}
