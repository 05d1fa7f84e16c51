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
