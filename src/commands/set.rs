//! `set`, `clear` and `ack` at the shell, and the same for the debug page: what `by_hand` makes of it is saved here; the next
//! pass takes it in.

use std::io::Write;

use super::printed;
use crate::by_hand;
use crate::cli::SetTarget;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::model::{Level, Override};
use crate::store::{Change, Store};

pub(super) use crate::by_hand::{Asked, Wanted};

/// Sets an override, or ends it when the value is `auto`.
pub fn set(
    cfg: &Config,
    clock: &Clock,
    what: &SetTarget,
    lasts: Option<&str>,
    reason: &str,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let by = who();
    match wanted(cfg, clock, &Asked { what, lasts, reason, by: &by })? {
        Wanted::Clear(target) => clear(cfg, clock, &target, out),
        Wanted::Set(over) => {
            let text = save(cfg, clock, over)?;
            printed(writeln!(out, "set {text}; the next run takes it in"))
        }
    }
}

/// Checks what a person asked for. Changes nothing.
pub(super) fn wanted(cfg: &Config, clock: &Clock, asked: &Asked<'_>) -> Result<Wanted, Error> {
    let now = clock.now();
    let level = || Ok(open(cfg)?.load(&now).state.map_or(Level::Blind, |state| state.signal.level));
    by_hand::wanted(cfg, &now, level, asked)
}

/// Stores an override, as of now, with its event and its message. Returns what was set, in words.
pub(super) fn save(cfg: &Config, clock: &Clock, over: Override) -> Result<String, Error> {
    let store = open(cfg)?;
    let now = clock.now();
    let (change, text) = by_hand::setting(cfg, &now, over);
    store.save(&change, &now).map_err(Error::Storage)?;
    Ok(text)
}

/// Ends an override, or all of them.
pub fn clear(cfg: &Config, clock: &Clock, target: &str, out: &mut dyn Write) -> Result<(), Error> {
    let gone = clear_by(cfg, clock, target, &who())?;
    if gone.is_empty() {
        return printed(writeln!(out, "no override is set"));
    }
    printed(writeln!(out, "cleared {}; the next run takes it in", gone.join(", ")))
}

/// The same, by someone else than who is at the keyboard. Returns the targets that were cleared.
pub(super) fn clear_by(cfg: &Config, clock: &Clock, target: &str, by: &str) -> Result<Vec<String>, Error> {
    let store = open(cfg)?;
    let now = clock.now();
    let overrides = store.overrides().map_err(Error::Storage)?;
    let change = by_hand::clearing(cfg, &now, &overrides, target, by)?;
    if !change.overrides_done.is_empty() {
        store.save(&change, &now).map_err(Error::Storage)?;
    }
    Ok(change.overrides_done)
}

/// Acknowledges an alarm, or all of them.
pub fn acknowledge(cfg: &Config, clock: &Clock, alarm: &str, out: &mut dyn Write) -> Result<(), Error> {
    let names = acknowledge_by(cfg, clock, alarm, &who())?;
    printed(writeln!(out, "acknowledged {names}; no more reminders from the next run on"))
}

/// The same, by someone else than who is at the keyboard. Returns the alarms, in words.
pub(super) fn acknowledge_by(cfg: &Config, clock: &Clock, alarm: &str, by: &str) -> Result<String, Error> {
    let store = open(cfg)?;
    let now = clock.now();
    let alarms = store.load(&now).state.map(|state| state.alarms).unwrap_or_default();
    let acknowledge = by_hand::acknowledging(&alarms, alarm, by)?;
    let names = acknowledge.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    store.save(&Change { acknowledge, ..Change::default() }, &now).map_err(Error::Storage)?;
    Ok(names)
}

fn open(cfg: &Config) -> Result<Store, Error> {
    Store::new(&cfg.paths.data).map_err(Error::Storage)
}

/// Who is at the keyboard: the user that logged in, and from where.
pub(super) fn who() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("SUDO_USER").or_else(|| variable("USER")).unwrap_or_else(|| "unknown".to_owned());
    let from = variable("SSH_CONNECTION").and_then(|text| text.split(' ').next().map(str::to_owned));
    let text = from.map_or(user.clone(), |from| format!("{user} from {from}"));
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
