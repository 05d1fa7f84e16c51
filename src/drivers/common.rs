//! What several drivers need: time limits, JSON answers, numbers that come as text, logins. No device is known here.

pub(super) mod kept;
pub(super) mod lenient;

use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::Value;

use crate::config::Secret;
use crate::http::{Answer, excerpt};
use crate::model::{Fault, FaultKind};
use crate::units::Seconds;

/// How long a device may take: its own limit for one request, and the moment at which all must be over. Real time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) timeout: Seconds,
    pub(super) until: Instant,
}

impl Limits {
    /// What the next request may take; zero when no time is left.
    pub(super) fn next(&self) -> Duration {
        self.timeout.duration().min(self.left())
    }

    /// What is left of everything.
    pub(super) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// The body of an answer as JSON. A login page is `Refused`, anything else that is no JSON is `Unreadable`.
pub(super) fn json(answer: &Answer, device: &str) -> Result<Value, Fault> {
    let text = answer.text();
    serde_json::from_str(&text).map_err(|error| not_json(device, &text, &error))
}

/// The fault for a body that is no JSON: says what came instead.
pub(super) fn not_json(device: &str, text: &str, error: &serde_json::Error) -> Fault {
    unreadable_json(device, text, error.is_eof())
}

/// The same, where something else found out that the body ends too early.
pub(super) fn unreadable_json(device: &str, text: &str, is_cut_off: bool) -> Fault {
    let body = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    if body.is_empty() {
        return Fault::new(device, FaultKind::Unreadable, "answer is empty");
    }
    if is_login_page(body) {
        return Fault::new(device, FaultKind::Refused, format!("a login page came instead: `{}`", excerpt(body)));
    }
    if is_cut_off && body.starts_with(['{', '[']) {
        return Fault::new(device, FaultKind::Unreadable, format!("answer is cut off after {} bytes", text.len()));
    }
    Fault::new(device, FaultKind::Unreadable, format!("answer is not JSON: `{}`", excerpt(body)))
}

/// Whether a body is a web page with a field for a password.
pub(super) fn is_login_page(body: &str) -> bool {
    let lower: String = body.trim_start().chars().take(16 * 1024).collect::<String>().to_ascii_lowercase();
    lower.starts_with('<') && (lower.contains("type=\"password\"") || lower.contains("type='password'"))
}

/// A finite number that comes as number or as text; `None` for anything else, also for `NaN` and `inf`.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => {
            let text = text.trim();
            let plain = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
            text.parse().ok().filter(|_| plain)?
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    number.is_finite().then_some(number)
}

/// A whole number that comes as number or as text.
pub(super) fn whole(value: &Value) -> Option<i64> {
    let number = number(value)?;
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

/// A text, or a number as it is written; `None` for anything else.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A JSON value as it is quoted in a fault: short and without control characters.
pub(super) fn quoted(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => format!("`{}`", excerpt(text)),
        Some(other) => format!("`{}`", excerpt(&other.to_string())),
    }
}

/// The header value of HTTP Basic.
pub(super) fn basic_auth(user: &str, password: Option<&Secret>) -> String {
    let pair = format!("{user}:{}", password.map_or("", Secret::reveal));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// An address and a path, with one slash between them.
pub(super) fn joined(url: &str, path: &str) -> String {
    format!("{}/{}", url.trim_end_matches('/'), path.trim_start_matches('/'))
}

/// The fault for what was not reached in this run.
pub(super) fn no_time(device: &str) -> Fault {
    Fault::new(device, FaultKind::TimedOut, "not sent: no time left in this run")
}

/// Whether a fault says that the device does not answer at all, so that more requests now would only cost time.
pub(super) fn is_silent(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Unreachable | FaultKind::TimedOut | FaultKind::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_numbers_or_text_and_nothing_else_counts() {
        for (text, wanted) in
            [("1712.0", Some(1712.0)), ("\"23\"", Some(23.0)), ("\" 0\"", Some(0.0)), ("-0", Some(0.0))]
        {
            assert_eq!(number(&serde_json::from_str(text).unwrap()), wanted, "{text}");
        }
        for text in ["null", "true", "\"\"", "\"NaN\"", "\"inf\"", "\"-inf\"", "\"x.x\"", "\"12 W\"", "[1]", "{}"] {
            assert_eq!(number(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
        assert_eq!(whole(&serde_json::json!("7")), Some(7));
        assert_eq!(whole(&serde_json::json!(7.5)), None);
    }

    #[test]
    fn addresses_are_joined_with_one_slash() {
        assert_eq!(joined("http://a/", "/b/"), "http://a/b/");
        assert_eq!(joined("http://a", "b"), "http://a/b");
    }
}
