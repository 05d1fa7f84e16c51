//! Changes one value in the configuration's text and leaves every other byte as it was; replaces the file so that
//! it is never half written. Whether the new text is sound is checked by the caller, before it replaces.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use toml_edit::Value;

use super::entry::{Entry, Kind, Place};
use super::read;
use crate::error::Error;

/// The text with this key set to a value as typed on a command line: texts need no quotes there, lists are TOML.
/// `Err` is the cause why it cannot be a value of this key.
pub fn with_value(text: &str, entry: &Entry, typed: &str) -> Result<String, String> {
    let value = render(entry.kind, typed).map_err(|cause| format!("`{}`: {cause}", entry.path))?;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = format!("{} = {value}{newline}", entry.key);
    let (start, end, new) = match &entry.place {
        Place::Value(span) => (span.start, span.end, value),
        Place::InlineAfter(byte) => (*byte, *byte, format!(", {} = {value}", entry.key)),
        Place::AfterLine(None) => (bom_length(text), bom_length(text), line),
        Place::AfterLine(Some(byte)) => match text.get(*byte..).and_then(|rest| rest.find('\n')) {
            Some(length) => (byte + length + 1, byte + length + 1, line),
            None => (text.len(), text.len(), format!("{newline}{line}")),
        },
        Place::NewSection(section) => {
            let gap = if text.ends_with('\n') { "" } else { newline };
            (text.len(), text.len(), format!("{gap}{newline}[{section}]{newline}{line}"))
        }
    };
    match (text.get(..start), text.get(end..)) {
        (Some(before), Some(after)) => Ok(format!("{before}{new}{after}")),
        _ => Err(format!("`{}`: its place in the file is lost; change it with `minectl config edit`", entry.path)),
    }
}

/// The text with this key left out: its lines become comments, a secret's lines go. `Err` is the cause why it cannot be.
pub fn without(text: &str, entry: &Entry) -> Result<String, String> {
    let refuse = || format!("`{}`: cannot be left out from here; use `minectl config edit`", entry.path);
    let Place::Value(span) = &entry.place else { return Ok(text.to_owned()) };
    let before = text.get(..span.start).ok_or_else(refuse)?;
    let start = before.rfind('\n').map_or(bom_length(text), |at| at + 1);
    let named = text.get(start..span.start).ok_or_else(refuse)?.trim_end().trim_end_matches('=').trim();
    let rest = text.get(span.end..).ok_or_else(refuse)?;
    let tail = rest.split('\n').next().unwrap_or_default();
    let is_alone =
        named.trim_matches(['"', '\'']) == entry.key && (tail.trim().is_empty() || tail.trim().starts_with('#'));
    if !is_alone {
        return Err(refuse());
    }
    let end = (span.end + tail.len() + 1).min(text.len());
    let (Some(before), Some(lines), Some(after)) = (text.get(..start), text.get(start..end), text.get(end..)) else {
        return Err(refuse());
    };
    let lines: String = if entry.secret {
        String::new()
    } else {
        lines.split_inclusive('\n').map(|line| format!("# {line}")).collect()
    };
    Ok(format!("{before}{lines}{after}"))
}

/// Why the file could not be replaced by this user; `None` when nothing speaks against it.
pub fn cannot_replace(path: &Path) -> Option<String> {
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(cause) => return Some(cause.to_string()),
    };
    let folder = target.parent().unwrap_or(Path::new("/"));
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    if rustix::fs::access(folder, access).is_err() {
        return Some(format!("this program's user may not write into {}", folder.display()));
    }
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    match fs::metadata(&target) {
        Ok(meta) if user.is_root() || (meta.uid(), meta.gid()) == (user.as_raw(), group.as_raw()) => None,
        Ok(_) => Some(format!("{} belongs to another user or group", target.display())),
        Err(cause) => Some(cause.to_string()),
    }
}

fn bom_length(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// The value as TOML.
fn render(kind: Kind, typed: &str) -> Result<String, String> {
    let as_toml = || typed.trim().parse::<Value>().map(|value| value.decorated("", ""));
    let as_text = || Value::from(typed);
    let value = match kind {
        Kind::Text => as_toml().ok().filter(Value::is_str).unwrap_or_else(as_text),
        Kind::Number | Kind::Flag => {
            let wanted = if kind == Kind::Number { "a number" } else { "true or false" };
            as_toml().map_err(|_| format!("wanted {wanted}"))?
        }
        Kind::Scalar => as_toml().unwrap_or_else(|_| as_text()),
        Kind::Texts if !typed.trim_start().starts_with('[') => Value::Array([typed].into_iter().collect()),
        Kind::Texts | Kind::Array => as_toml().map_err(|_| "wanted a TOML list such as `[\"a\", \"b\"]`".to_owned())?,
    };
    Ok(value.to_string().trim().to_owned())
}

/// Puts `new` in place of the file whose text was `seen`: written beside it, synced, renamed over it. Owner and mode
/// stay, and a link stays a link. `Err` leaves the file as it was.
pub fn replace(path: &Path, seen: &str, new: &str) -> Result<(), Error> {
    let cannot = |cause: std::io::Error| {
        let way_out = "; nothing is changed; run as the user that owns the file and its folder";
        Error::Storage(format!("cannot replace {}: {cause}{way_out}", path.display()))
    };
    let target = fs::canonicalize(path).map_err(cannot)?;
    let folder = target.parent().unwrap_or(Path::new("/"));
    let old = fs::metadata(&target).map_err(cannot)?;
    let mut temporary = tempfile::Builder::new().prefix(".minectl-").tempfile_in(folder).map_err(cannot)?;
    temporary.write_all(new.as_bytes()).map_err(cannot)?;
    let fresh = temporary.as_file().metadata().map_err(cannot)?;
    // Changed by root, the file must stay readable for the user that cron runs the program as.
    if (fresh.uid(), fresh.gid()) != (old.uid(), old.gid()) {
        fchown(temporary.as_file(), Some(old.uid()), Some(old.gid())).map_err(cannot)?;
    }
    temporary.as_file().set_permissions(old.permissions()).map_err(cannot)?;
    temporary.as_file().sync_all().map_err(cannot)?;
    if read::read_text(&target)? != seen {
        return Err(Error::Storage(format!("{}: was changed by someone else meanwhile; try again", path.display())));
    }
    temporary.persist(&target).map_err(|refused| cannot(refused.error))?;
    // Renamed is renamed; the sync only makes it last over a power cut.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| {
        Error::Storage(format!("{} is replaced, but may be the old one after a power cut: {cause}", path.display()))
    })
}
