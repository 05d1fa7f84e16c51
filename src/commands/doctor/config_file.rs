//! The configuration file itself: its mistakes, and who may read what is secret in it. What its settings say is checked
//! where they are read.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::check::{Check, Group};
use crate::config::{self, Config, Mode};
use crate::error::Error;

/// What others, and the group beyond reading, may do with a file that holds secrets: nothing.
const OPEN_BITS: u32 = 0o037;
/// What may never be done by anybody but the owner: writing.
const FOREIGN_WRITE_BITS: u32 = 0o022;

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

/// Whether a file is closed to those who have no business with it.
fn closed(path: &Path, has_secrets: bool) -> Check {
    let name = "permissions";
    let shown = path.display();
    let found = std::fs::metadata(path).map(|meta| meta.permissions().mode() & 0o777);
    let Ok(mode) = found else {
        let way_out = "see who may read it with `ls -l`";
        return Check::fail(Group::Machine, name, format!("{shown} cannot be looked at"), way_out);
    };
    let open = if has_secrets { OPEN_BITS } else { FOREIGN_WRITE_BITS };
    if mode & open == 0 {
        return Check::ok(Group::Machine, name, format!("{shown} is {mode:04o}"));
    }
    let what = if has_secrets { "holds secrets and is" } else { "may be changed by others: it is" };
    Check::fail(Group::Machine, name, format!("{shown} {what} {mode:04o}"), way_to_close(path))
}

fn way_to_close(path: &Path) -> String {
    let path: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    format!("`sudo chmod 640 {}`; if others could read it, change the tokens and passwords", path.display())
}
