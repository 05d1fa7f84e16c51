//! The configuration file itself: its mistakes, and who may read what is secret in it. What its settings say is checked
//! where they are read.

use std::path::Path;

use super::check::{Check, Group};
use super::permissions::closed;
use crate::config::{self, Config, Mode};
use crate::error::Error;

/// Each mistake of a configuration that cannot be used.
pub(super) fn mistakes(error: &Error) -> Vec<Check> {
    let way_out = "correct it with `minectl config edit`; until then each run ends at once and touches nothing";
    error.to_string().lines().map(|line| Check::fail(Group::Machine, "config", line, way_out)).collect()
}

/// That it is good, and that its secrets are closed.
pub(super) fn checks(cfg: &Config, path: &Path) -> Vec<Check> {
    let mode = match cfg.mode {
        Mode::Live => "mode live",
        Mode::Observe => "mode observe: nothing is commanded",
    };
    let mut checks = vec![Check::ok(Group::Machine, "config", format!("{} is valid, {mode}", path.display()))];
    let Ok(text) = config::read_text(path) else { return checks };
    let entries = config::inspect(&text, &config::file_name(path), &config::folder(path)).entries;
    let has_secrets = entries.iter().any(|entry| entry.secret && entry.is_present());
    checks.push(closed(path, has_secrets));
    let folder = config::folder(path);
    let files = entries.iter().filter(|entry| entry.key.ends_with("_file") && entry.key != "ca_file");
    let files = files.filter_map(|entry| entry.shown.as_ref()).map(|name| folder.join(name));
    checks.extend(files.map(|file| closed(&file, true)));
    checks
}
