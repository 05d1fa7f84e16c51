//! The configuration as it may leave the machine with an incident: sound, but without secrets, and without comments, which
//! may hold some.

use toml::{Table, Value};

use super::check;
use super::mask::is_secret_name;

/// Not `***`: that is refused as a secret.
const LEFT_OUT: &str = "left-out";

/// The text with `left-out` in place of every secret, also of those that stand in a file of their own. Reading it gives the same
/// rules as before. `Err`, one line for each mistake, when the text is no sound TOML.
pub fn portable(text: &str, file_name: &str) -> Result<String, Vec<String>> {
    let mistakes = |what: String| vec![format!("{file_name}: {what}")];
    let text = text.trim_start_matches('\u{feff}');
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| mistakes(error.message().to_owned()))?;
    strip(&mut table);
    toml::to_string(&table).map_err(|error| mistakes(error.to_string()))
}

fn strip(table: &mut Table) {
    for key in table.keys().cloned().collect::<Vec<_>>() {
        let of_file = key.strip_suffix("_file").filter(|stem| is_secret_name(stem));
        if let Some(stem) = of_file {
            table.remove(&key);
            table.insert(stem.to_owned(), Value::String(LEFT_OUT.to_owned()));
        } else if key == "ca_file" {
            // Its file stays at home; messages are no part of deciding.
            table.remove(&key);
        } else if let Some(value) = table.get_mut(&key) {
            strip_value(&key, value);
        }
    }
}

fn strip_value(key: &str, value: &mut Value) {
    match value {
        Value::Table(inner) => strip(inner),
        Value::Array(items) => {
            if key.ends_with("headers") {
                items.retain(|item| item.as_str().is_none_or(|line| check::header(line, "{").is_ok()));
            }
            items.iter_mut().for_each(|item| strip_value(key, item));
        }
        _ if is_secret_name(key) => *value = Value::String(LEFT_OUT.to_owned()),
        Value::String(text) => {
            if let Some((scheme, rest)) = text.split_once("://")
                && let Some((login, host)) = rest.split_once('@')
                && !login.contains('/')
            {
                *text = format!("{scheme}://{host}");
            }
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}
