//! Switching PDUs that speak JSON over HTTP: one request for each outlet, or one of the PDU's own for a whole bank of
//! them, and one reading afterwards to see what came of all. An outlet or bank that the configuration does not list is
//! never switched, and no bank is ever switched on.

use std::time::Instant;

use serde_json::Value;

use super::common::{Limits, is_silent, joined, no_time};
use super::pdu_json::{items, named, read, state, with_login};
use crate::clock::Clock;
use crate::config::{BankConfig, PduConfig};
use crate::http::{Answer, Request, send};
use crate::model::{Fault, FaultKind, PduReading, Reading, Reply};
use crate::units::UnixSeconds;

/// After this many requests in a row without an answer, the PDU is left alone for this pass.
const SILENT_MAX: u32 = 2;

/// One switching of a PDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change<'a> {
    /// An outlet, on or off.
    Outlet(&'a str, bool),
    /// The configured bank, off.
    BankOff,
}

/// Switches one after the other with the configured pause, then reads all once to see what came of it. One result for
/// each change; a PDU that does not answer twice in a row is left alone.
pub(super) fn act(
    cfg: &PduConfig,
    clock: &Clock,
    now: UnixSeconds,
    limits: Limits,
    changes: &[Change],
) -> Vec<Result<Reply, Fault>> {
    let mut attempts = Vec::new();
    let (mut silent, mut sent) = (0, 0);
    for change in changes {
        let refusal = match may_switch(cfg, *change) {
            Err(fault) => Some(fault),
            Ok(()) if silent >= SILENT_MAX => {
                let detail = "not sent: the PDU did not answer the commands before it";
                Some(Fault::new(&cfg.name, FaultKind::TimedOut, detail))
            }
            Ok(()) if sent > 0 && !pause(cfg, clock, limits.until) => Some(no_time(&cfg.name)),
            Ok(()) if limits.left().is_zero() => Some(no_time(&cfg.name)),
            Ok(()) => None,
        };
        attempts.push(match refusal {
            Some(fault) => Attempt::NotSent(fault),
            None => {
                sent += 1;
                let result = switch(cfg, limits, *change);
                silent = if result.as_ref().is_err_and(is_silent) { silent + 1 } else { 0 };
                Attempt::Sent(result)
            }
        });
    }
    let seen = match silent < SILENT_MAX && sent > 0 {
        true => read(cfg, now, limits),
        false => Err(Fault::new(&cfg.name, FaultKind::TimedOut, "the PDU did not answer the commands")),
    };
    changes.iter().zip(attempts).map(|(change, attempt)| outcome(cfg, *change, attempt, &seen)).collect()
}

/// What became of one change before the reading afterwards.
enum Attempt {
    NotSent(Fault),
    /// With the state that the reply showed, if it showed one.
    Sent(Result<Option<bool>, Fault>),
}

fn outcome(cfg: &PduConfig, change: Change, attempt: Attempt, seen: &Reading<PduReading>) -> Result<Reply, Fault> {
    match attempt {
        Attempt::NotSent(fault) => Err(fault),
        Attempt::Sent(Ok(replied)) => confirm(cfg, change, replied, seen),
        // A lost reply does not say that the command was lost.
        Attempt::Sent(Err(fault)) if is_silent(&fault) => confirm(cfg, change, None, seen).map_err(|_| fault),
        Attempt::Sent(Err(fault)) => Err(fault),
    }
}

/// Waits between two switchings; `false`, without waiting, when no time would be left after it.
fn pause(cfg: &PduConfig, clock: &Clock, until: Instant) -> bool {
    let span = clock.real_span(cfg.outlet_pause.duration());
    let fits = span < until.saturating_duration_since(Instant::now());
    if fits {
        std::thread::sleep(span);
    }
    fits
}

/// Whatever a caller asks: an outlet that is not listed may feed a fan or the Pi itself.
fn may_switch(cfg: &PduConfig, change: Change) -> Result<(), Fault> {
    let is_listed = |outlet: &str| cfg.outlets.iter().any(|listed| listed == outlet);
    let unlisted = match change {
        Change::Outlet(outlet, _) => (!is_listed(outlet)).then_some(outlet),
        Change::BankOff => bank(cfg)?.outlets.iter().map(String::as_str).find(|outlet| !is_listed(outlet)),
    };
    let Some(outlet) = unlisted else { return Ok(()) };
    let detail = format!("outlet {outlet} is not in this PDU's `outlets`: refused");
    Err(Fault::new(device(cfg, change), FaultKind::Missing, detail))
}

fn bank(cfg: &PduConfig) -> Result<&BankConfig, Fault> {
    let missing = || Fault::new(&cfg.name, FaultKind::Missing, "no bank is configured for this PDU: refused");
    cfg.bank.as_ref().ok_or_else(missing)
}

/// What a change is about: `spdu-a outlet 7`, `spdu-a bank`.
fn device(cfg: &PduConfig, change: Change) -> String {
    match change {
        Change::Outlet(outlet, _) => format!("{} outlet {outlet}", cfg.name),
        Change::BankOff => format!("{} bank", cfg.name),
    }
}

/// Sends one switching; comes back with the state that the reply shows, if it shows one.
fn switch(cfg: &PduConfig, limits: Limits, change: Change) -> Result<Option<bool>, Fault> {
    match change {
        Change::Outlet(outlet, on) => {
            let dialect = &cfg.dialect;
            let path = dialect.switch_path.replace("{id}", &encoded(outlet));
            let body = filled(if on { &dialect.on_body } else { &dialect.off_body }, outlet);
            let answer = request(cfg, limits, change, &dialect.switch_method, &path, &body)?;
            // Many a PDU answers with nothing, or with the old state because it switches after a delay of its own: the
            // reading afterwards has the last word.
            let Ok(reply) = serde_json::from_slice::<Value>(&answer.body) else { return Ok(None) };
            let listed = items(&reply, cfg).ok().and_then(|items| items.get(outlet).copied());
            Ok(state(listed.unwrap_or(&reply), dialect, &cfg.name).ok())
        }
        Change::BankOff => {
            let bank = bank(cfg)?;
            request(cfg, limits, change, &bank.method, &bank.path, &bank.body).map(|_| None)
        }
    }
}

fn request(
    cfg: &PduConfig,
    limits: Limits,
    change: Change,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Answer, Fault> {
    let (device, url) = (device(cfg, change), joined(&cfg.url, path));
    let request = Request::new(&device, method, &url, limits.next()).body("application/json", body.to_string());
    send(&with_login(request, cfg, &cfg.dialect.switch_headers))?.accepted(&device, &url)
}

/// Whether the reading afterwards shows what was asked for.
fn confirm(cfg: &PduConfig, change: Change, replied: Option<bool>, seen: &Reading<PduReading>) -> Result<Reply, Fault> {
    let seen = seen.as_ref().map_err(|fault| {
        let detail = format!("command was taken, but could not be read back: {}", fault.detail);
        Fault::new(device(cfg, change), fault.kind, detail)
    })?;
    match change {
        Change::Outlet(outlet, on) => confirm_outlet(cfg, outlet, on, replied, seen),
        Change::BankOff => confirm_bank(cfg, seen),
    }
}

fn confirm_outlet(
    cfg: &PduConfig,
    outlet: &str,
    on: bool,
    replied: Option<bool>,
    seen: &PduReading,
) -> Result<Reply, Fault> {
    let device = device(cfg, Change::Outlet(outlet, on));
    let word = |on: bool| if on { "on" } else { "off" };
    let missing = || Fault::new(&device, FaultKind::Missing, "command was taken, but the outlet is not shown");
    let shown = seen.outlets.get(outlet).ok_or_else(missing)?.on.clone()?;
    if shown == on {
        return Ok(Reply::Confirmed);
    }
    let replied = replied.map_or("gave no state".to_owned(), |state| format!("said {}", word(state)));
    let detail = format!("outlet {outlet}: asked for {}, still reads {} (the reply {replied})", word(on), word(shown));
    Err(Fault::new(device, FaultKind::NotObeyed, detail))
}

/// Every outlet of the bank must read off: one that is still on says more than one that cannot be read.
fn confirm_bank(cfg: &PduConfig, seen: &PduReading) -> Result<Reply, Fault> {
    let device = device(cfg, Change::BankOff);
    let bank = bank(cfg)?;
    let (mut on, mut unread) = (Vec::new(), Vec::new());
    for id in &bank.outlets {
        match seen.outlets.get(id).map(|outlet| &outlet.on) {
            Some(Ok(false)) => {}
            Some(Ok(true)) => on.push(id.as_str()),
            Some(Err(_)) | None => unread.push(id.as_str()),
        }
    }
    let of = bank.outlets.len();
    if !on.is_empty() {
        let detail = format!("asked for off, {} of {of} outlets still read on: {}", on.len(), named(&on));
        return Err(Fault::new(device, FaultKind::NotObeyed, detail));
    }
    if !unread.is_empty() {
        let detail = format!(
            "command was taken, but {} of {of} outlets could not be read back: {}",
            unread.len(),
            named(&unread)
        );
        return Err(Fault::new(device, FaultKind::Missing, detail));
    }
    Ok(Reply::Confirmed)
}

/// An id as a part of a path.
fn encoded(id: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    id.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A body with the id in it: the text `{id}` alone becomes a number where the id is one.
fn filled(body: &Value, id: &str) -> Value {
    match body {
        Value::String(text) if text == "{id}" => {
            let number = id.parse::<u64>().ok().filter(|number| number.to_string() == id);
            number.map_or_else(|| Value::from(id), Value::from)
        }
        Value::String(text) => Value::from(text.replace("{id}", id)),
        Value::Array(items) => items.iter().map(|item| filled(item, id)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), filled(value, id))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => body.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_filled_into_bodies_as_numbers_where_they_are_numbers() {
        let body = json!({"Outputs": [{"ID": "{id}", "Action": 1, "note": "outlet {id}"}]});
        assert_eq!(filled(&body, "7"), json!({"Outputs": [{"ID": 7, "Action": 1, "note": "outlet 7"}]}));
        assert_eq!(filled(&json!("{id}"), "AA1"), json!("AA1"));
        assert_eq!(filled(&json!("{id}"), "07"), json!("07"));
    }

    #[test]
    fn ids_are_encoded_for_paths() {
        assert_eq!(encoded("AA-1_2.3~"), "AA-1_2.3~");
        assert_eq!(encoded("../a b"), "..%2Fa%20b");
    }
}
