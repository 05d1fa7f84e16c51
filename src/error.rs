//! What ends a run, and the exit codes. Faults of devices are not here: they are data, and the run goes on.

use thiserror::Error;

/// Exit code of a run in which everything worked.
pub const EXIT_DONE: u8 = 0;
/// Exit code of a run that ended as it should but met faults.
pub const EXIT_FAULTS: u8 = 1;
/// Exit code for wrong arguments.
pub const EXIT_USAGE: u8 = 2;
/// Exit code for a wrong configuration.
pub const EXIT_CONFIG: u8 = 3;
/// Exit code when another run holds the lock.
pub const EXIT_LOCKED: u8 = 4;
/// Exit code of a look (`doctor`) that found no fault, but something to mind.
pub const EXIT_WARNINGS: u8 = 5;
/// Exit code of a look (`db check`) at stored data that this program cannot read: a run would go on without it.
pub const EXIT_UNREADABLE: u8 = 6;

/// Why a command could not go on.
#[derive(Debug, Error)]
pub enum Error {
    /// Arguments that make no sense together or name what does not exist.
    #[error("{0}")]
    Usage(String),
    /// Mistakes in the configuration, one line each.
    #[error("{}", .0.join("\n"))]
    Config(Vec<String>),
    /// Another run is at work.
    #[error("{0}")]
    Locked(String),
    /// A file or the database cannot be read or written.
    #[error("{0}")]
    Storage(String),
}

impl Error {
    /// The exit code of this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) => EXIT_USAGE,
            Error::Config(_) => EXIT_CONFIG,
            Error::Locked(_) => EXIT_LOCKED,
            Error::Storage(_) => EXIT_FAULTS,
        }
    }
}
