//! What a run does that finds another one at work: one line, and when that one hangs, an alarm that needs no database.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::lock::Holder;
use crate::model::{Notice, OutboxEntry, Severity};
use crate::notify;
use crate::units::Moment;

/// A run that hangs is told again after this long.
const TOLD_AGAIN: Duration = Duration::from_secs(3600);

/// Another run holds the lock: one line; and when it holds it for two intervals, an alarm that needs no database.
pub(super) fn locked_out(cfg: &Config, clock: &Clock, holder: Option<Holder>, now: &Moment) -> Error {
    let since = holder.map(|holder| now.wall.since(holder.since));
    let who = holder.map_or("another run".to_owned(), |holder| format!("process {}", holder.process));
    let text = since.map_or(who.clone(), |since| format!("{who} for {since}"));
    log::info!("locked: {text} is at work; this run ends");
    if since.is_some_and(|since| since.0 > cfg.loop_interval.0.saturating_mul(2)) {
        let told = cfg.paths.data.join("tick.lock.told");
        let fresh = std::fs::metadata(&told)
            .and_then(|meta| meta.modified())
            .and_then(|at| at.elapsed().map_err(std::io::Error::other));
        if !fresh.is_ok_and(|age| age < TOLD_AGAIN) {
            let notice = Notice {
                severity: Severity::Emergency,
                at: now.wall,
                text: format!("A run hangs: {text} holds the lock"),
            };
            let channels = notify::route(&cfg.notify, &notice).into_iter();
            let entries: Vec<OutboxEntry> =
                channels.map(|channel| OutboxEntry::untried(0, channel, notice.clone())).collect();
            notify::deliver(cfg, &entries, &BTreeMap::new(), clock, cfg.notify.send_limit.duration());
            if let Err(error) = std::fs::write(&told, now.wall.0.to_string()) {
                log::warn!("{}: {error}", told.display());
            }
        }
    }
    Error::Locked(format!("locked: {text} is at work on {}", cfg.paths.data.display()))
}
