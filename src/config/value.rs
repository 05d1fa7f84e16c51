//! How single values are read from a section: texts with a meaning, spans, quantities, numbers, words, lists, secrets.
//! It knows how values are written and bounded, not what they are for.

use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeValue;

use super::Secret;
use super::entry::{Kind, nearest};
use super::section::{Need, Section, Want};
use crate::units::{Seconds, Temperature, Watts};

/// A token or password file is not larger than this.
const SECRET_BYTES_MAX: u64 = 4096;
/// Lists are not longer than this.
const LIST_MAX: usize = 1024;

pub(super) const TEXT: Want = Want { what: "a text in quotes", kind: Kind::Text };
const SPAN: Want = Want { what: "a time span such as \"90 s\" or \"2 minutes\"", kind: Kind::Text };
const TEMPERATURE: Want = Want { what: "a temperature such as \"95 F\" or \"35 C\"", kind: Kind::Text };
const WATTS: Want = Want { what: "a power such as \"400 W\" or \"20 kW\"", kind: Kind::Text };
const NUMBER: Want = Want { what: "a whole number", kind: Kind::Number };
const FLAG: Want = Want { what: "true or false, without quotes", kind: Kind::Flag };
const TEXTS: Want = Want { what: "a list of texts such as [\"a\", \"b\"]", kind: Kind::Texts };
const NUMBERS: Want = Want { what: "a list of numbers such as [1, 2]", kind: Kind::Array };
const SCALAR: Want = Want { what: "a text, a number, or true or false", kind: Kind::Scalar };

/// What a value is called in messages.
fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn wrong_type(want: Want, value: &DeValue<'_>) -> String {
    format!("wanted {}, found {}", want.what, found(value))
}

/// A text, a number, or true or false as JSON; `None` for anything else.
fn as_json(value: &DeValue<'_>) -> Option<serde_json::Value> {
    match value {
        DeValue::String(text) => Some(text.as_ref().into()),
        DeValue::Boolean(flag) => Some((*flag).into()),
        DeValue::Integer(_) => whole(value).map(Into::into),
        DeValue::Float(_) => finite(value).map(Into::into),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// A whole number; `None` when it is none or does not fit.
fn whole(value: &DeValue<'_>) -> Option<i64> {
    value.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok())
}

/// Any finite number.
fn finite(value: &DeValue<'_>) -> Option<f64> {
    let float = value.as_float().and_then(|n| n.as_str().parse::<f64>().ok()).filter(|n| n.is_finite());
    float.or_else(|| whole(value).map(|n| n as f64))
}

/// Refuses an empty text, and control characters: they would end up in a request or on the page.
pub(super) fn plain(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("contains a control character".to_owned());
    }
    Ok(text.to_owned())
}

impl<'t> Section<'t> {
    /// A text that `check` turns into what is needed.
    pub(super) fn checked<T>(
        &self,
        key: &'static str,
        want: Want,
        need: Need,
        check: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = match (self.ask(key, want, need, false).map(Spanned::get_ref), need) {
            (Some(DeValue::String(text)), _) => text.as_ref(),
            (Some(other), _) => {
                self.mistake(key, wrong_type(want, other));
                return None;
            }
            (None, Need::Default(text)) => text,
            (None, Need::Required | Need::Optional) => return None,
        };
        check(text).map_err(|cause| self.mistake(key, cause)).ok()
    }

    /// A text that is not empty and has no control characters.
    pub(super) fn text(&self, key: &'static str, need: Need) -> Option<String> {
        self.checked(key, TEXT, need, plain)
    }

    /// The section's name: what it is called in commands, messages and stored data.
    pub(super) fn name(&self, group: &'static str, need: Need) -> Option<String> {
        let check = |text: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let good = !text.is_empty() && text.len() <= 40 && text.chars().all(fits);
            let cause = || format!("`{text}` is not a name; use up to 40 letters, digits, `-` and `_`");
            good.then(|| text.to_owned()).ok_or_else(cause)
        };
        let name = self.checked("name", TEXT, need, check)?;
        if self.is_present() {
            self.take_name("name", group, &name);
        }
        Some(name)
    }

    /// A time span within bounds.
    pub(super) fn span(&self, key: &'static str, need: Need, bounds: RangeInclusive<Seconds>) -> Option<Seconds> {
        self.checked(key, SPAN, need, |text| {
            let span = parse::<Seconds>(text)?;
            let (min, max) = (bounds.start(), bounds.end());
            let cause = || format!("`{span}` is outside {min} to {max}");
            bounds.contains(&span).then_some(span).ok_or_else(cause)
        })
    }

    /// A temperature.
    pub(super) fn temperature(&self, key: &'static str, need: Need) -> Option<Temperature> {
        self.checked(key, TEMPERATURE, need, parse)
    }

    /// A power above zero.
    pub(super) fn watts(&self, key: &'static str, need: Need) -> Option<Watts> {
        self.checked(key, WATTS, need, |text| {
            let watts = parse::<Watts>(text)?;
            (watts > Watts::ZERO).then_some(watts).ok_or_else(|| format!("`{watts}` must be above 0 W"))
        })
    }

    /// One of the known words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, need: Need, known: &[(&'static str, T)]) -> Option<T> {
        self.checked(key, TEXT, need, |text| one_of(text, known))
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, key: &'static str, need: Need, bounds: RangeInclusive<i64>) -> Option<i64> {
        let number = match (self.ask(key, NUMBER, need, false).map(Spanned::get_ref), need) {
            (Some(value), _) => whole(value).ok_or_else(|| wrong_type(NUMBER, value)),
            (None, Need::Default(text)) => text.parse().map_err(|_| format!("`{text}` is not a whole number")),
            (None, Need::Required | Need::Optional) => return None,
        };
        let (min, max) = (bounds.start(), bounds.end());
        let bounded = number.and_then(|n| match bounds.contains(&n) {
            true => Ok(n),
            false => Err(format!("{n} is outside {min} to {max}")),
        });
        bounded.map_err(|cause| self.mistake(key, cause)).ok()
    }

    /// A number that may have a fraction.
    pub(super) fn fraction(&self, key: &'static str, need: Need) -> Option<f64> {
        let want = Want { what: "a number", kind: Kind::Number };
        match (self.ask(key, want, need, false).map(Spanned::get_ref), need) {
            (Some(value), _) => {
                let number = finite(value);
                if number.is_none() {
                    self.mistake(key, wrong_type(want, value));
                }
                number
            }
            (None, Need::Default(text)) => text.parse().ok(),
            (None, Need::Required | Need::Optional) => None,
        }
    }

    /// `true` or `false`; absent means `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let Some(value) = self.ask(key, FLAG, Need::Optional, false) else { return Some(false) };
        if value.get_ref().as_bool().is_none() {
            self.mistake(key, wrong_type(FLAG, value.get_ref()));
        }
        value.get_ref().as_bool()
    }

    /// A list of texts, each turned into what is needed by `check`.
    pub(super) fn texts<T>(
        &self,
        key: &'static str,
        need: Need,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        self.list(key, TEXTS, need, |item| check(item.as_str().ok_or_else(|| wrong_type(TEXTS, item))?))
    }

    /// A list of finite numbers.
    pub(super) fn numbers(&self, key: &'static str, need: Need) -> Option<Vec<f64>> {
        self.list(key, NUMBERS, need, |item| finite(item).ok_or_else(|| wrong_type(NUMBERS, item)))
    }

    /// A list of whole numbers from 1 and of texts, each made into one thing by `number` or `text`.
    pub(super) fn numbers_or_texts<T>(
        &self,
        key: &'static str,
        need: Need,
        number: impl Fn(u64) -> T,
        text: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let positive = |item: &DeValue<'_>| whole(item).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        self.list(key, NUMBERS, need, |item| match item.as_str() {
            Some(word) => text(word),
            None => positive(item).map(&number).ok_or_else(|| "wanted whole numbers from 1, or texts".to_owned()),
        })
    }

    fn list<T>(
        &self,
        key: &'static str,
        want: Want,
        need: Need,
        check: impl Fn(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let default;
        let value = match (self.ask(key, want, need, false).map(Spanned::get_ref), need) {
            (Some(value), _) => value,
            (None, Need::Default(text)) => {
                default = DeValue::parse(text).ok()?;
                default.get_ref()
            }
            (None, Need::Required | Need::Optional) => return None,
        };
        let Some(items) = value.as_array() else {
            self.mistake(key, wrong_type(want, value));
            return None;
        };
        if items.len() > LIST_MAX {
            self.mistake(key, format!("has {} entries; at most {LIST_MAX} are allowed", items.len()));
            return None;
        }
        let mut checked = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match check(item.get_ref()) {
                Ok(good) => checked.push(good),
                // The default is ours and has no lines.
                Err(cause) if self.has(key) => {
                    let line = self.book.line_at(item.span().start);
                    let text = format!("`{}` (entry {}): {cause}", self.path_of(key), index + 1);
                    self.book.mistake_in_line(Some(line), text);
                }
                Err(cause) => self.mistake(key, cause),
            }
        }
        (checked.len() == items.len()).then_some(checked)
    }

    /// A text, a number, or true or false, as JSON would have it.
    pub(super) fn scalar(&self, key: &'static str, need: Need) -> Option<serde_json::Value> {
        let value = self.ask(key, SCALAR, need, false)?.get_ref();
        let json = as_json(value);
        if json.is_none() {
            self.mistake(key, wrong_type(SCALAR, value));
        }
        json
    }

    /// The same, one or a list of them.
    pub(super) fn scalars(&self, key: &'static str, need: Need) -> Option<Vec<serde_json::Value>> {
        let value = self.ask(key, SCALAR, need, false)?.get_ref();
        let all = match value.as_array() {
            Some(items) => items.iter().take(LIST_MAX).map(|item| as_json(item.get_ref())).collect(),
            None => as_json(value).map(|one| vec![one]),
        };
        let all = all.filter(|all| !all.is_empty());
        if all.is_none() {
            self.mistake(key, wrong_type(SCALAR, value));
        }
        all
    }

    /// A path of a file or folder; relative ones start at the configuration's folder.
    pub(super) fn path(&self, key: &'static str, need: Need) -> Option<PathBuf> {
        self.text(key, need).map(|text| self.book.folder.join(text))
    }

    /// A path of a file that is there.
    pub(super) fn existing_file(&self, key: &'static str) -> Option<PathBuf> {
        let path = self.path(key, Need::Optional);
        if let Some(path) = path.as_ref().filter(|path| !path.is_file()) {
            self.mistake(key, format!("{} is not a file", path.display()));
        }
        path
    }

    /// The file of a private certificate authority, for an address that shows a certificate.
    pub(super) fn ca_file(&self, url: Option<&str>) -> Option<PathBuf> {
        let path = self.existing_file("ca_file");
        if path.is_some() && url.is_some_and(|url| !url.starts_with("https://")) {
            self.mistake("ca_file", "needs an address with `https://`: plain http shows no certificate");
        }
        path
    }

    /// A token or password, by value in `key` or by the path of a file in `file_key`. No message shows it.
    pub(super) fn secret(&self, key: &'static str, file_key: &'static str, need: Need) -> Option<Secret> {
        let value = self.ask(key, TEXT, Need::Optional, true);
        let file = self.text(file_key, Need::Optional);
        let read = match (value, &file) {
            (Some(_), Some(_)) => Err(format!("`{file_key}` is given too; keep one of the two")),
            (Some(value), None) => {
                value.get_ref().as_str().map(str::to_owned).ok_or_else(|| wrong_type(TEXT, value.get_ref()))
            }
            (None, Some(file)) => read_secret(&self.book.folder.join(file)),
            (None, None) => {
                if matches!(need, Need::Required) && !self.has(file_key) {
                    self.missing(key, &format!("a secret in quotes; or name a file that holds it by `{file_key}`"));
                }
                return None;
            }
        };
        let blamed = if value.is_some() { key } else { file_key };
        read.and_then(|text| usable_secret(&text)).map_err(|cause| self.mistake(blamed, cause)).ok()
    }
}

/// Parses a value with its unit.
fn parse<T: FromStr<Err = crate::units::UnitError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|cause: crate::units::UnitError| cause.to_string())
}

/// The meaning of a known word; else a message with the known ones.
pub(super) fn one_of<T: Copy>(text: &str, known: &[(&'static str, T)]) -> Result<T, String> {
    if let Some((_, meaning)) = known.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let words = || known.iter().map(|(word, _)| *word);
    let hint = nearest(text, words()).map(|word| format!("did you mean `{word}`? ")).unwrap_or_default();
    let list: Vec<String> = words().map(|word| format!("`{word}`")).collect();
    Err(format!("unknown word `{text}`; {hint}known: {}", list.join(", ")))
}

/// Reads a secret's file without its trailing newline. Only a plain file: a pipe would never end.
fn read_secret(path: &Path) -> Result<String, String> {
    let cannot = |cause: std::io::Error| format!("cannot read {}: {cause}", path.display());
    let kind = std::fs::metadata(path).map_err(cannot)?;
    if !kind.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text)).map_err(cannot)?;
    if text.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!("{} is larger than {SECRET_BYTES_MAX} bytes: not a secret", path.display()));
    }
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.trim().is_empty() {
        return Err(format!("{} is empty; write the secret into it", path.display()));
    }
    Ok(secret.to_owned())
}

/// Refuses what cannot be a secret, without showing it.
fn usable_secret(text: &str) -> Result<Secret, String> {
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("contains a control character or a second line".to_owned());
    }
    if text == "***" {
        return Err("is masked, as `minectl config show` prints it; put the real one in".to_owned());
    }
    Ok(Secret::new(text))
}
