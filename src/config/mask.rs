//! The configuration's text with its secrets hidden, for `config show`. Rather hides too much: a misspelt or
//! commented-out secret is one too.

use std::borrow::Cow;
use std::ops::Range;

use regex::Regex;
use toml::de::{DeTable, DeValue};

use super::check;
use super::entry::nearest;

const SECRET_NAMES: [&str; 5] = ["token", "password", "api_key", "auth_token", "key"];
const SECRET_PARTS: [&str; 5] = ["token", "passw", "secret", "api_key", "apikey"];
const MASK: &str = "\"***\"";

/// The text with `"***"` in place of every secret. `Err`, with one line for each syntax error, when it is not TOML:
/// nobody can say then where a secret begins and ends.
pub fn mask(text: &str, file_name: &str) -> Result<String, Vec<String>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mistakes = super::parse(text, file_name, std::path::Path::new("")).err();
        return Err(mistakes.unwrap_or_default());
    }
    let mut spans = Vec::new();
    find_secrets(document.get_ref(), &mut spans);
    spans.sort_by_key(|span| span.start);
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        masked.push_str(text.get(at..span.start).unwrap_or_default());
        masked.push_str(MASK);
        at = span.end;
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    Ok(mask_comments(&masked))
}

/// Whether a key of this name, right or misspelt, holds a secret.
pub fn is_secret_name(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let near = || SECRET_PARTS.iter().any(|part| key.contains(part)) || nearest(&key, SECRET_NAMES).is_some();
    !key.ends_with("_file") && near()
}

fn find_secrets(table: &DeTable<'_>, spans: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        match value.get_ref() {
            DeValue::Table(inner) => find_secrets(inner, spans),
            DeValue::Array(items) => {
                for item in items {
                    match item.get_ref() {
                        DeValue::Table(inner) => find_secrets(inner, spans),
                        DeValue::String(text)
                            if is_secret_name(key.get_ref()) || is_secret_header(key.get_ref(), text) =>
                        {
                            spans.push(item.span());
                        }
                        DeValue::String(_)
                        | DeValue::Integer(_)
                        | DeValue::Float(_)
                        | DeValue::Boolean(_)
                        | DeValue::Datetime(_)
                        | DeValue::Array(_) => {}
                    }
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {
                if is_secret_name(key.get_ref()) {
                    spans.push(value.span());
                }
            }
        }
    }
}

/// A header line with the secret itself instead of its placeholder.
fn is_secret_header(key: &str, line: &str) -> bool {
    key.ends_with("headers") && check::header(line, "{").is_err()
}

/// Commented-out secrets, and passwords inside addresses.
fn mask_comments(text: &str) -> String {
    let comment = Regex::new(r#"(?m)^([ \t]*#[# \t]*(?:[\w-]+\.)*"?([\w-]+)"?[ \t]*=[ \t]*)(\S.*?)([ \t]*\r?)$"#);
    let in_address = Regex::new(r"://[^/@\s]*@");
    let (Ok(comment), Ok(in_address)) = (comment, in_address) else { return "***".to_owned() };
    let text = comment.replace_all(text, |found: &regex::Captures<'_>| {
        let part = |n: usize| found.get(n).map_or("", |part| part.as_str());
        let value = if is_secret_name(part(2)) { MASK } else { part(3) };
        format!("{}{value}{}", part(1), part(4))
    });
    let text: Cow<'_, str> = in_address.replace_all(&text, "://***@");
    text.into_owned()
}
