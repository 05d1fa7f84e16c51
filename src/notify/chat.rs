//! The chat beside the outbox: messages fetched, answers sent, and the heartbeat that is one message. What a message means is
//! not known here.

use std::time::Duration;

use super::letter::{Letter, local_time, zone};
use super::outbox::left;
use super::queue::{batches, is_due};
use super::{telegram, telegram::Fetched};
use crate::clock::Clock;
use crate::config::{Config, TelegramConfig};
use crate::model::{Channel, ChatAnswer, ChatHeartbeat, ChatMemory, Delivery, DeliveryResult, Fault, OutboxEntry};
use crate::units::UnixSeconds;

/// Fetches the messages from the one on that `offset` names, within `limit` (real time); those before it are forgotten by the
/// service. `failed_before` asks for few, so that an answer too large for the line gets through in pieces.
pub fn fetch_messages(
    cfg: &TelegramConfig,
    memory: &ChatMemory,
    offset: Option<i64>,
    failed_before: bool,
    limit: Duration,
) -> Result<Fetched, Fault> {
    telegram::fetch(cfg, offset, memory.name.as_deref(), failed_before, limit)
}

/// Sends a text as an answer to a message, within `limit` (real time).
pub fn send_words(cfg: &TelegramConfig, to: &ChatAnswer, text: &str, clock: &Clock, limit: Duration) -> DeliveryResult {
    telegram::words(cfg, to, text, limit).into_result(to.attempts, clock.now().wall).0
}

/// Sends a PNG as an answer to a message, within `limit` (real time).
pub fn send_picture(
    cfg: &TelegramConfig,
    to: &ChatAnswer,
    (caption, png): (&str, &[u8]),
    clock: &Clock,
    limit: Duration,
) -> DeliveryResult {
    telegram::picture(cfg, to, caption, png, limit).into_result(to.attempts, clock.now().wall).0
}

/// Shows the newest of the heartbeats in the one message that is there for them, within `limit` (real time); older ones are
/// done with it. `None` when none is due; else what came of it, and the message if it is another one than `known`.
pub fn show_heartbeat(
    cfg: &Config,
    entries: &[OutboxEntry],
    known: Option<&ChatHeartbeat>,
    clock: &Clock,
    limit: Duration,
) -> Option<(Delivery, Option<ChatHeartbeat>)> {
    let settings = cfg.telegram.as_ref()?;
    let now = clock.now().wall;
    let newest = entries.iter().max_by_key(|entry| entry.notice.at).filter(|entry| is_due(entry, now))?;
    let alone = OutboxEntry { not_before: now, ..newest.clone() };
    let batch =
        batches(vec![alone], now, left(cfg, &Default::default(), Channel::Telegram).max(1)).into_iter().next()?;
    let letter = Letter::new(cfg, &batch, now);
    // With its day: who looks at it tomorrow must see that it is old.
    let as_of = local_time(newest.notice.at, UnixSeconds(0), &zone(cfg));
    let (attempt, message) = telegram::show(settings, &letter, &as_of, known, limit);
    let ids = entries.iter().map(|entry| entry.id).collect();
    let (result, reached) = attempt.into_result(newest.attempts, clock.now().wall);
    log::debug!("telegram: heartbeats {ids:?}: {result:?}");
    Some((Delivery { ids, channel: Channel::Telegram, result, reached }, message))
}
