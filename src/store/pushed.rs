//! Up to where the history was pushed: one moment in a file of its own. It is not synced; where it is lost or old, some runs
//! are sent twice, which changes nothing.

use std::path::Path;

use super::plain;
use crate::units::UnixSeconds;

const NAME: &str = "pushed-until.json";

/// The time of the last run that the service has; `None` when it is not known.
pub fn pushed_until(folder: &Path) -> Option<UnixSeconds> {
    plain::read_small(folder, NAME)
}

/// Keeps it; `Err` says why it cannot be.
pub fn keep_pushed(folder: &Path, at: UnixSeconds) -> Result<(), String> {
    plain::replace(folder, NAME, &at, false)
}
