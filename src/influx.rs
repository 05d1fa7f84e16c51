//! The kept values for an Influx-compatible service: a line for each run, and one request that writes lines. It keeps no
//! queue and retries nothing; the history is the queue, and the next run the repetition.
//!
//! A service fixes a field's type with its first value, once and for ever. So every value is a float, and no text is a
//! field.

use std::time::Duration;

use base64::Engine;

use crate::config::InfluxConfig;
use crate::http::{Answer, Request, reach, send};
use crate::model::{Fault, FaultKind};
use crate::units::UnixSeconds;

/// The name by which the service is followed like a device.
pub const DEVICE: &str = "influx";
/// The measurement of every line.
const MEASUREMENT: &str = "minectl";

/// What the service said to some lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It has them.
    Taken,
    /// It has those lines that it can ever take; why not the rest.
    TakenInPart(Fault),
    /// It takes them neither now nor later: a line among them, or the whole request, is not to its liking.
    Refused(Fault),
    /// Nothing is known to be taken, and later it may be.
    Failed(Fault),
}

/// One line of the line protocol with its end: the measurement, the site as tag, the fields, nanoseconds. Empty when there
/// is no field.
pub fn line<'a>(site: &str, at: UnixSeconds, fields: impl IntoIterator<Item = (&'a str, f64)>) -> String {
    let mut line = format!("{MEASUREMENT},site={} ", escaped(site));
    let begin = line.len();
    for (name, value) in fields.into_iter().filter(|(_, value)| value.is_finite()) {
        let comma = if line.len() == begin { "" } else { "," };
        // `{:?}` always leaves a point or an exponent.
        line.push_str(&format!("{comma}{}={value:?}", escaped(name)));
    }
    if line.len() == begin {
        return String::new();
    }
    line.push_str(&format!(" {}000000000\n", at.0));
    line
}

/// A name or tag as the protocol wants it. It knows no escape for a backslash, and one at the end would escape what follows.
fn escaped(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c == '\\' || c.is_control() { '/' } else { c }).collect();
    plain.replace(',', "\\,").replace('=', "\\=").replace(' ', "\\ ")
}

/// Writes some lines within `limit` (real time).
pub fn write(cfg: &InfluxConfig, lines: &str, limit: Duration) -> Said {
    let login = login(cfg);
    let mut request = Request::new(DEVICE, "POST", &cfg.url, limit).body("text/plain; charset=utf-8", lines);
    if let Some(login) = login {
        request = request.header("Authorization", login);
    }
    request.secrets.extend(cfg.token.iter().chain(&cfg.password));
    request.ca_file = cfg.ca_file.as_deref();
    match send(&request) {
        Ok(answer) => judged(answer, &cfg.url),
        Err(fault) => Said::Failed(fault),
    }
}

fn login(cfg: &InfluxConfig) -> Option<String> {
    if let Some(token) = &cfg.token {
        return Some(format!("Token {}", token.reveal()));
    }
    let (user, password) = (cfg.user.as_ref()?, cfg.password.as_ref()?);
    let both = format!("{user}:{}", password.reveal());
    Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both)))
}

/// Whether the service answers, without writing; `Ok(None)` when its address leaves nothing else to ask.
pub fn look(cfg: &InfluxConfig, limit: Duration) -> Result<Option<String>, Fault> {
    reach(DEVICE, &cfg.url, cfg.timeout.duration().min(limit))
}

/// What an answer means for the lines. A login page of the network says 200 to everything.
pub fn judged(answer: Answer, url: &str) -> Said {
    let said = answer.text().trim_start().to_ascii_lowercase();
    let status = answer.status;
    if let Err(fault) = answer.accepted(DEVICE, url) {
        return match status {
            400 | 422 if said.contains("partial write") => Said::TakenInPart(fault),
            400 | 413 | 422 => Said::Refused(fault),
            _ => Said::Failed(fault),
        };
    }
    if said.starts_with("<!doctype") || said.starts_with("<html") {
        let text = format!("status {status} with a page, not an Influx service: a login to the network?");
        return Said::Failed(Fault::new(DEVICE, FaultKind::Unreadable, text));
    }
    Said::Taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> Said {
        judged(Answer::new(status, Vec::new(), body.as_bytes().to_vec()), "http://10.0.0.5:8086/write?db=mine")
    }

    #[test]
    fn every_value_is_a_float_and_names_are_escaped() {
        let fields = [("a b,c=d", 1.0), ("whole", 250.0), ("tiny", 1e-9), ("huge", 1e21), ("none", f64::NAN)];
        assert_eq!(
            line("Box, 1\\", UnixSeconds(1_795_370_400), fields),
            "minectl,site=Box\\,\\ 1/ a\\ b\\,c\\=d=1.0,whole=250.0,tiny=1e-9,huge=1e21 1795370400000000000\n"
        );
    }

    #[test]
    fn a_line_without_a_value_is_none() {
        assert_eq!(line("Box 1", UnixSeconds(7), [("a", f64::INFINITY)]), "");
        assert_eq!(line("Box 1", UnixSeconds(7), []), "");
    }

    #[test]
    fn only_what_the_service_says_it_has_counts_as_taken() {
        assert_eq!(said(204, ""), Said::Taken);
        assert_eq!(said(200, "{}"), Said::Taken);
        let partial = r#"{"error":"partial write: field type conflict: input field \"a\" is type float dropped=1"}"#;
        assert!(matches!(said(400, partial), Said::TakenInPart(_)));
        assert!(matches!(said(422, partial), Said::TakenInPart(_)));
        assert!(matches!(said(400, r#"{"error":"unable to parse 'x'"}"#), Said::Refused(_)));
        assert!(matches!(said(413, ""), Said::Refused(_)));
        for (status, body) in [(200, "<!DOCTYPE html><p>Welcome"), (200, " <html>"), (302, ""), (304, "")] {
            assert!(matches!(said(status, body), Said::Failed(_)), "{status} {body}");
        }
        for status in [401, 403, 404, 408, 429, 500, 503] {
            assert!(matches!(said(status, partial), Said::Failed(_)), "{status}");
        }
    }
}
