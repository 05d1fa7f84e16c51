//! Who may read what is secret, and who may change what the runs rely on.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::check::{Check, Group};
use crate::config::{self, Config};

const NAME: &str = "permissions";
/// What others, and the group beyond reading, may do with a file that holds secrets: nothing.
const OPEN_BITS: u32 = 0o037;
/// What may never be done by anybody but the owner: writing.
const FOREIGN_WRITE_BITS: u32 = 0o022;
/// A folder that anybody may write into; the group of one may be meant to.
const OPEN_FOLDER_BITS: u32 = 0o002;
/// Files of the data folder that hold secrets or what was read from devices: how their names begin.
const CLOSED_FILES: [&str; 4] = ["cgi.key", "config-to-be-", "state.json", "last-snapshot.json"];

/// The program, the folders that the runs write, that of the configuration, and the closed files of the data folder. What is
/// not there is nothing; one line says so when all of it is well.
pub(super) fn checks(cfg: &Config, config: &Path, program: &Path) -> Vec<Check> {
    let log_folder = cfg.paths.log.parent().unwrap_or(Path::new("/"));
    let folders = [cfg.paths.data.as_path(), &cfg.paths.page, log_folder, &config::folder(config)]
        .map(|folder| wrong(folder, OPEN_FOLDER_BITS, "anybody may write into it: it is", "o-w"));
    let program = wrong(program, FOREIGN_WRITE_BITS, "may be changed by others than its owner: it is", "go-w");
    let entries = std::fs::read_dir(&cfg.paths.data).into_iter().flatten().flatten();
    let is_closed = |path: &PathBuf| {
        path.file_name().is_some_and(|name| CLOSED_FILES.iter().any(|begin| name.to_string_lossy().starts_with(begin)))
    };
    let files = entries.map(|entry| entry.path()).filter(is_closed);
    let files = files.map(|file| wrong(&file, OPEN_BITS, "is not for others and is", "g-wx,o-rwx"));
    let checks: Vec<Check> = folders.into_iter().chain([program]).chain(files).flatten().collect();
    if checks.is_empty() {
        let says = "nobody else may change the program, its folders and what it remembers";
        return vec![Check::ok(Group::Machine, NAME, says)];
    }
    checks
}

/// What is wrong with the mode of something that is there.
fn wrong(path: &Path, bits: u32, what: &str, change: &str) -> Option<Check> {
    let mode = mode(path).filter(|mode| mode & bits != 0)?;
    let way_out = format!("`sudo chmod {change} {}`", absolute(path).display());
    Some(Check::fail(Group::Machine, NAME, format!("{} {what} {mode:04o}", path.display()), way_out))
}

/// Whether a file is closed to those who have no business with it.
pub(super) fn closed(path: &Path, has_secrets: bool) -> Check {
    let shown = path.display();
    let Some(mode) = mode(path) else {
        let way_out = "see who may read it with `ls -l`";
        return Check::fail(Group::Machine, NAME, format!("{shown} cannot be looked at"), way_out);
    };
    let open = if has_secrets { OPEN_BITS } else { FOREIGN_WRITE_BITS };
    if mode & open == 0 {
        return Check::ok(Group::Machine, NAME, format!("{shown} is {mode:04o}"));
    }
    let what = if has_secrets { "holds secrets and is" } else { "may be changed by others: it is" };
    Check::fail(Group::Machine, NAME, format!("{shown} {what} {mode:04o}"), way_to_close(path))
}

fn way_to_close(path: &Path) -> String {
    format!("`sudo chmod 640 {}`; if others could read it, change the tokens and passwords", absolute(path).display())
}

/// Permission bits; `None` when it cannot be looked at.
fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|meta| meta.permissions().mode() & 0o777)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
