//! The outbox as data: which messages would go out now and how they read, and what is left of it after an attempt. It sends
//! and keeps nothing.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::model::{Channel, Delivery, DeliveryResult, Fault, OutboxEntry, Severity};
use crate::units::UnixSeconds;

use super::letter::{Letter, named};
use super::queue::batches;

/// A message that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Where it goes.
    pub channel: Channel,
    /// The entries that are in it.
    pub ids: Vec<u64>,
    /// Whether it rings.
    pub is_silent: bool,
    /// Its text, on at most so many characters as were asked for.
    pub text: String,
}

/// The messages that would be sent now, by channel and in order, when that many were sent in the last hour.
pub fn due(
    cfg: &Config,
    entries: &[OutboxEntry],
    sent_last_hour: &BTreeMap<Channel, u32>,
    now: UnixSeconds,
    characters: usize,
) -> Vec<Due> {
    let mut all = Vec::new();
    for channel in Channel::ALL {
        let ours: Vec<OutboxEntry> = entries.iter().filter(|entry| entry.channel == channel).cloned().collect();
        for batch in batches(ours, now, left(cfg, sent_last_hour, channel)) {
            let letter = Letter::new(cfg, &batch, now);
            let text = letter.text(characters);
            all.push(Due { channel, ids: batch.ids(), is_silent: letter.is_silent, text });
        }
    }
    all
}

/// What is left of a channel's limit per hour.
pub(super) fn left(cfg: &Config, sent_last_hour: &BTreeMap<Channel, u32>, channel: Channel) -> usize {
    let sent = sent_last_hour.get(&channel).copied().unwrap_or(0);
    usize::try_from(cfg.notify.max_per_hour.saturating_sub(sent)).unwrap_or(0)
}

/// What follows from what a service said to a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled {
    /// Entries that leave the outbox.
    pub done: Vec<u64>,
    /// Entries that stay, as they are to be kept.
    pub again: Vec<OutboxEntry>,
    /// What the channel has to complain about now.
    pub said: Option<Fault>,
    /// A fault for the record: a remark, or what was given up and why.
    pub told: Option<String>,
    /// Why the others wait.
    pub waits: Option<String>,
    /// Whether it counts in the channel's hour.
    pub counts: bool,
}

/// Takes the entries of a delivery out of the outbox, and puts back those that are tried again.
pub fn settle(cfg: &Config, outbox: &mut Vec<OutboxEntry>, delivery: &Delivery, now: UnixSeconds) -> Settled {
    let is_meant = |entry: &OutboxEntry| entry.channel == delivery.channel && delivery.ids.contains(&entry.id);
    let (entries, rest): (Vec<_>, Vec<_>) = std::mem::take(outbox).into_iter().partition(is_meant);
    *outbox = rest;
    let mut settled = Settled::default();
    let ids = |entries: &[OutboxEntry]| entries.iter().map(|entry| entry.id).collect();
    match &delivery.result {
        DeliveryResult::Accepted(remark) => {
            settled.said.clone_from(remark);
            settled.told = remark.as_ref().map(ToString::to_string);
            settled.counts = entries.iter().any(|entry| entry.notice.severity != Severity::Emergency);
            settled.done = ids(&entries);
        }
        DeliveryResult::Refused(fault) => {
            settled.said = Some(fault.clone());
            settled.told = Some(format!("{fault}; given up: {}", named(&entries)));
            settled.done = ids(&entries);
        }
        DeliveryResult::Later(fault, not_before) => {
            settled.said = Some(fault.clone());
            settled.waits = Some(format!("{fault}; {} messages wait", entries.len()));
            let limit = cfg.notify.give_up_after;
            let (old, waiting): (Vec<_>, Vec<_>) =
                entries.into_iter().partition(|entry| now.since(entry.notice.at) >= limit);
            if !old.is_empty() {
                settled.told = Some(format!("{fault}; given up after {limit}: {}", named(&old)));
                settled.done = ids(&old);
            }
            for mut entry in waiting {
                entry.attempts = entry.attempts.saturating_add(1);
                entry.not_before = *not_before;
                entry.last_fault = Some(fault.clone());
                entry.reached.extend(delivery.reached.iter().cloned());
                entry.reached.sort();
                entry.reached.dedup();
                settled.again.push(entry);
            }
            outbox.extend(settled.again.iter().cloned());
        }
    }
    settled
}
