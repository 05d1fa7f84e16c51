//! The sign of life for a dead-man service (healthchecks.io style): a dead Pi cannot complain, the service can. A ping
//! that fails is not repeated: the next run is the repetition.

use std::time::Duration;

use crate::config::{DeadManConfig, Secret};
use crate::http::{Request, reach, send as call};
use crate::model::{Fault, FaultKind};

use super::attempt::excerpt;
use super::text::clean;

const DEVICE: &str = "dead-man";

/// The service keeps this much of a ping's text.
const BODY_MAX: usize = 10_000;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ping<'a> {
    /// A run begins.
    Start,
    /// It ended as it should; with its summary.
    Success(&'a str),
    /// It ended in faults that a person must look at; with its summary.
    Fail(&'a str),
}

/// Tells the service within `limit` (real time) or the configured wait, whichever is shorter. `Err` says why it did not
/// take it; whoever knows the address can ping in our name, so its path is not in the text.
pub fn ping(cfg: &DeadManConfig, what: Ping, limit: Duration) -> Result<(), Fault> {
    let (ending, summary) = match what {
        Ping::Start => ("/start", ""),
        Ping::Success(summary) => ("", summary),
        Ping::Fail(summary) => ("/fail", summary),
    };
    let base = cfg.url.trim_end_matches('/');
    let url = format!("{base}{ending}");
    let path = Secret::new(base.splitn(4, '/').nth(3).unwrap_or_default());
    let body = first_bytes(&clean(summary), BODY_MAX).to_owned();
    let mut request =
        Request::new(DEVICE, "POST", &url, cfg.timeout.duration().min(limit)).body("text/plain; charset=utf-8", body);
    let secrets: Vec<&Secret> = Some(&path).filter(|path| !path.reveal().is_empty()).into_iter().collect();
    request.secrets.clone_from(&secrets);
    request.ca_file = cfg.ca_file.as_deref();
    let answer = call(&request)?;
    let Some((kind, way_out)) = complaint(answer.status, &answer.text()) else { return Ok(()) };
    let detail = format!("{} `{}`{way_out}", answer.status, excerpt(&answer.text(), &secrets));
    Err(Fault::new(DEVICE, kind, detail))
}

/// Whether the service answers, without a ping: that would count. `Ok(None)` when its address leaves nothing else to ask.
pub(super) fn look(cfg: &DeadManConfig, limit: Duration) -> Result<Option<String>, Fault> {
    reach(DEVICE, &cfg.url, cfg.timeout.duration().min(limit))
}

/// What is wrong with an answer, and the way out; `None` when the ping was taken. healthchecks.io says 200 to any address
/// and in the text whether it knows the check; a router's login page says 200 to everything.
pub fn complaint(status: u16, said: &str) -> Option<(FaultKind, &'static str)> {
    let said = said.trim_start().to_ascii_lowercase();
    let unknown = status == 404 || (status == 200 && said.starts_with("ok (not found)"));
    if unknown {
        return Some((FaultKind::Status, "; the service does not know this check: see `url` in [dead_man]"));
    }
    if status == 429 || (status == 200 && said.starts_with("ok (rate limited)")) {
        return Some((FaultKind::Status, "; pinged too often: is another program pinging this check too?"));
    }
    if !(200..300).contains(&status) {
        return Some((FaultKind::Status, ""));
    }
    let is_page = said.starts_with("<!doctype") || said.starts_with("<html");
    is_page.then_some((FaultKind::Unreadable, "; this is a page, not a dead-man service: a login to the network?"))
}

/// The text's start on at most `max` bytes, in whole characters.
fn first_bytes(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_cut_at_the_limit_and_never_within_a_character() {
        assert_eq!(first_bytes(&"x".repeat(10_000), BODY_MAX).len(), 10_000);
        assert_eq!(first_bytes(&"x".repeat(10_001), BODY_MAX).len(), 10_000);
        assert_eq!(first_bytes("ab°", 3), "ab");
        assert_eq!(first_bytes("ab°", 4), "ab°");
    }
}
