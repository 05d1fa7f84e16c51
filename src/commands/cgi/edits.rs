//! From a section's form to the configuration's new text: only what differs is changed, one setting after the other, each
//! by the code of `minectl config set`. Whether the result is sound is for the caller to check.

use super::fields::{is_secret, locked, out_name, own, section_of};
use crate::cgi::Fields;
use crate::config::{self, Entry};

/// What a form asks for of one setting.
enum Edit {
    /// A new value.
    Value(String),
    /// To be left out.
    Out,
}

/// What came of a form.
pub(super) struct Edited {
    /// The new text.
    pub(super) text: String,
    /// Each change in words, without secrets.
    pub(super) changes: Vec<String>,
}

/// Applies a section's form to a text. `inspect` tells a text's settings. `Err` is all that is wrong with it.
pub(super) fn edited(
    text: &str,
    section: &str,
    form: &Fields,
    inspect: &dyn Fn(&str) -> Vec<Entry>,
) -> Result<Edited, Vec<String>> {
    let before = inspect(text);
    let mut wanted: Vec<(String, Edit)> = Vec::new();
    let mut mistakes = Vec::new();
    for entry in own(&before).into_iter().filter(|entry| section_of(&entry.path) == section) {
        let Some(edit) = edit(entry, form) else { continue };
        match locked(entry) {
            Some(why) => mistakes.push(format!("`{}` {why}", entry.path)),
            None => wanted.push((entry.path.clone(), edit)),
        }
    }
    mistakes.extend(secret_led_away(&before, section, &wanted));
    // A name or number is part of the paths of its section, so it changes last.
    wanted.sort_by_key(|(path, _)| path.ends_with(".name") || path.ends_with(".number"));
    let mut new = text.to_owned();
    let mut changes = Vec::new();
    for (path, edit) in &wanted {
        let entries = inspect(&new);
        let Some(entry) = entries.iter().find(|entry| entry.path == *path) else {
            mistakes.push(format!("`{path}` is not known any more after the changes before it"));
            continue;
        };
        let changed = match edit {
            Edit::Value(value) => config::with_value(&new, entry, value),
            Edit::Out => config::without(&new, entry),
        };
        match changed {
            Ok(text) => {
                new = text;
                changes.push(in_words(entry, edit));
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() { Ok(Edited { text: new, changes }) } else { Err(mistakes) }
}

/// What the form asks for; `None` when it leaves the setting as it is.
fn edit(entry: &Entry, form: &Fields) -> Option<Edit> {
    if entry.is_present() && form.get(&out_name(&entry.path)) == "yes" {
        return Some(Edit::Out);
    }
    // Browsers send lines with both.
    let typed = form.find(&entry.path)?.replace("\r\n", "\n");
    let kept = if is_secret(entry) { None } else { entry.shown.as_ref().map(|text| text.replace("\r\n", "\n")) };
    // A browser also drops the last line's end.
    let same = kept.is_some_and(|kept| kept.trim_end() == typed.trim_end());
    let left_empty = typed.trim().is_empty() && (is_secret(entry) || !entry.is_present());
    (!same && !left_empty).then_some(Edit::Value(typed))
}

/// Settings that say where a section's secret is sent, and how well it is hidden on the way.
const LEADING: [&str; 5] = ["url", "host", "port", "security", "tls_sha256"];

/// Who knows the page's password must not learn other secrets by having them sent elsewhere: an address changes only
/// together with the secret, typed anew.
fn secret_led_away(entries: &[Entry], section: &str, wanted: &[(String, Edit)]) -> Option<String> {
    let changes = |entry: &Entry| wanted.iter().any(|(path, _)| *path == entry.path);
    let here: Vec<&Entry> = own(entries).into_iter().filter(|entry| section_of(&entry.path) == section).collect();
    let leads = here.iter().find(|entry| LEADING.contains(&entry.key) && changes(entry))?;
    let is_kept = |entry: &&&Entry| {
        let holds_secret = is_secret(entry) || (entry.key.ends_with("_file") && entry.key != "ca_file");
        entry.is_present() && holds_secret && !changes(entry)
    };
    let kept = here.iter().find(is_kept)?;
    Some(format!(
        "`{}` says where the secret `{}` is sent: type that one anew as well, or change both over SSH with \
         `minectl config edit`",
        leads.path, kept.key
    ))
}

fn in_words(entry: &Entry, edit: &Edit) -> String {
    let path = &entry.path;
    let old = entry.shown.as_deref().or(entry.default).unwrap_or("not set");
    match edit {
        Edit::Out if is_secret(entry) => format!("{path}: left out"),
        Edit::Value(_) if is_secret(entry) => format!("{path}: a new secret"),
        Edit::Out => format!("{path}: {old} → left out{}", entry.default.map_or(String::new(), |d| format!(" ({d})"))),
        Edit::Value(new) => format!("{path}: {old} → {}", new.trim()),
    }
}
