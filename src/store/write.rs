//! A change on its way into the database: one batch, all or nothing.

use super::db::Failure;
use super::{Change, Intents, parts};
use crate::model::{Event, OutboxEntry, Override};
use crate::units::{Moment, Seconds};

/// Events are kept in the database for this long.
const EVENTS_KEPT: Seconds = Seconds(7 * 86_400);

/// Puts a whole change into one batch. Kinds of keys: `s`tate, `o`verride, `a`cknowledged, `t`ested, `q`ueue, `i`ntents, sent in
/// the last `h`our, chats (`m`essages), `e`vent.
pub(super) fn write(tree: &sled::Tree, change: &Change, now: &Moment) -> Result<Vec<OutboxEntry>, Failure> {
    let mut batch = parts::Batch::new(tree);
    if let Some(state) = &change.state {
        batch.put(b"s".to_vec(), state)?;
    }
    if let Some(intents) = &change.intents {
        if intents.is_empty() {
            batch.remove(b"i")?
        } else {
            batch.put(b"i".to_vec(), &Intents { at: Some(*now), commands: intents.clone() })?
        }
    }
    if let Some(sent) = &change.sent {
        batch.put(b"h".to_vec(), sent)?;
    }
    if let Some(chat) = &change.chat {
        batch.put(b"m".to_vec(), chat)?;
    }
    for over in &change.overrides_ended {
        let key = override_key(&over.setting.target());
        if stored_override(tree, &key)?.is_some_and(|stored| stored.since == over.since) {
            batch.remove(&key)?;
        }
    }
    let targets: Vec<String> = change.overrides.iter().map(|over| over.setting.target()).collect();
    for over in &change.overrides_back {
        let target = over.setting.target();
        let key = override_key(&target);
        let is_changed = targets.contains(&target) || change.overrides_done.contains(&target);
        if !is_changed && stored_override(tree, &key)?.is_none() {
            batch.put(key, over)?;
        }
    }
    for over in &change.overrides {
        batch.put(override_key(&over.setting.target()), over)?;
    }
    for target in &change.overrides_done {
        batch.remove(&override_key(target))?;
    }
    for (id, who) in &change.acknowledge {
        batch.put(key(b'a', id.as_bytes()), &(id, who))?;
    }
    for id in &change.acknowledged_done {
        batch.remove(&key(b'a', id.as_bytes()))?;
    }
    for (channel, fault) in &change.tested {
        batch.put(key(b't', channel.word().as_bytes()), &(channel, fault))?;
    }
    for channel in &change.tested_done {
        batch.remove(&key(b't', channel.word().as_bytes()))?;
    }
    let mut queued = Vec::new();
    let mut id = parts::last_number(tree, b'q')?;
    for (channel, notice) in &change.queue {
        id = id.saturating_add(1);
        let mut entry = OutboxEntry::untried(id, *channel, notice.clone());
        entry.queued = Some(*now);
        batch.put(key(b'q', &id.to_be_bytes()), &entry)?;
        queued.push(entry);
    }
    for entry in &change.outbox {
        batch.put(key(b'q', &entry.id.to_be_bytes()), entry)?;
    }
    for id in &change.outbox_done {
        batch.remove(&key(b'q', &id.to_be_bytes()))?;
    }
    let mut number = parts::last_number(tree, b'e')?;
    for event in &change.events {
        number = number.saturating_add(1);
        batch.put(key(b'e', &number.to_be_bytes()), event)?;
    }
    prune_events(tree, &mut batch, now)?;
    batch.apply()?;
    Ok(queued)
}

fn key(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend_from_slice(rest);
    key
}

fn override_key(target: &str) -> Vec<u8> {
    key(b'o', target.as_bytes())
}

/// The override under a key; `None` when there is none that can be read.
fn stored_override(tree: &sled::Tree, key: &[u8]) -> Result<Option<Override>, Failure> {
    let records = parts::read_prefix(tree, key)?;
    let own = records.iter().find(|(name, _)| name == key);
    Ok(own.and_then(|(_, text)| serde_json::from_slice(text).ok()))
}

/// Drops old events, a bounded number each time. An event from the future (the clock was wrong) ages like any other.
fn prune_events(tree: &sled::Tree, batch: &mut parts::Batch<'_>, now: &Moment) -> Result<(), Failure> {
    const DROPPED_MAX: usize = 50;
    const EVENTS_MAX: usize = 20_000;
    let count = usize::try_from(parts::count(tree, b'e')?).unwrap_or(usize::MAX);
    let over = count.saturating_sub(EVENTS_MAX).min(DROPPED_MAX);
    let oldest = now.wall.minus(EVENTS_KEPT);
    for (place, (key, value)) in parts::read_first(tree, b'e', DROPPED_MAX)?.iter().enumerate() {
        let old = serde_json::from_slice::<Event>(value).is_ok_and(|event| event.at < oldest);
        if !old && place >= over {
            break;
        }
        batch.remove(key)?;
    }
    Ok(())
}
