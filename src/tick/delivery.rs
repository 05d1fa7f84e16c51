//! Step 9 of a run: what waits in the outbox goes out, and what came of it is kept.

use std::time::Duration;

use super::Run;
use crate::model::{Delivery, DeliveryResult, Event, EventKind, OutboxEntry, Severity};
use crate::notify;
use crate::store::Change;
use crate::units::{Moment, Seconds};

/// The least time for sending, however late it is.
const SEND_MIN: Duration = Duration::from_secs(3);
/// Messages that no save took have ids from here on: they are sent in this run or lost with it.
pub(super) const UNSAVED: u64 = u64::MAX / 2;

impl Run<'_> {
    /// Sends what waits in the outbox, for at most `time`. What was taken or given up leaves it; the rest waits for its next time.
    pub(super) fn deliver(&mut self, time: Duration) {
        let now = self.clock.now();
        if self.outbox.is_empty() {
            return;
        }
        for times in self.sent.values_mut() {
            times.retain(|at| now.since(at) < Seconds(3600));
        }
        let count = |times: &Vec<Moment>| u32::try_from(times.len()).unwrap_or(u32::MAX);
        let counts = self.sent.iter().map(|(channel, times)| (*channel, count(times))).collect();
        let limit = self.cfg.notify.send_limit.duration().min(time.max(SEND_MIN));
        let deliveries = notify::deliver(self.cfg, &self.outbox, &counts, self.clock, limit);
        let before = self.state.channels.clone();
        let mut change = Change::default();
        for delivery in &deliveries {
            self.settle(delivery, &now, &mut change);
        }
        if self.state.channels != before {
            change.state = Some(self.state.clone());
        }
        change.outbox.retain(|entry| entry.id < UNSAVED);
        change.outbox_done.retain(|id| *id < UNSAVED);
        change.sent = Some(self.sent.clone());
        self.save(&change, &now);
    }

    /// Whether a message waits that should not wait for the end of the run.
    pub(super) fn emergency_waits(&self) -> bool {
        let now = self.clock.now().wall;
        self.outbox.iter().any(|entry| entry.notice.severity == Severity::Emergency && entry.not_before <= now)
    }

    /// Takes in what one service said to one message.
    fn settle(&mut self, delivery: &Delivery, now: &Moment, change: &mut Change) {
        let is_meant = |entry: &OutboxEntry| entry.channel == delivery.channel && delivery.ids.contains(&entry.id);
        let (entries, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.outbox).into_iter().partition(is_meant);
        self.outbox = rest;
        match &delivery.result {
            DeliveryResult::Accepted(remark) => {
                self.channel_said(delivery.channel, remark.as_ref());
                log::info!("{}: {} messages accepted", delivery.channel.word(), entries.len());
                if let Some(fault) = remark {
                    self.tell_fault(&fault.to_string(), now, change);
                }
                if entries.iter().any(|entry| entry.notice.severity != Severity::Emergency) {
                    self.sent.entry(delivery.channel).or_default().push(*now);
                }
                change.outbox_done.extend(entries.iter().map(|entry| entry.id));
            }
            DeliveryResult::Refused(fault) => {
                self.channel_said(delivery.channel, Some(fault));
                self.tell_fault(&format!("{fault}; given up: {} messages", entries.len()), now, change);
                change.outbox_done.extend(entries.iter().map(|entry| entry.id));
            }
            DeliveryResult::Later(fault, not_before) => {
                self.channel_said(delivery.channel, Some(fault));
                log::warn!("{fault}; {} messages wait", entries.len());
                self.faults = true;
                let limit = self.cfg.notify.give_up_after;
                let (old, waiting): (Vec<_>, Vec<_>) =
                    entries.into_iter().partition(|entry| now.wall.since(entry.notice.at) >= limit);
                if !old.is_empty() {
                    self.tell_fault(&format!("{fault}; given up after {limit}: {} messages", old.len()), now, change);
                    change.outbox_done.extend(old.iter().map(|entry| entry.id));
                }
                for mut entry in waiting {
                    entry.attempts = entry.attempts.saturating_add(1);
                    entry.not_before = *not_before;
                    entry.last_fault = Some(fault.clone());
                    entry.reached.extend(delivery.reached.iter().cloned());
                    entry.reached.sort();
                    entry.reached.dedup();
                    change.outbox.push(entry.clone());
                    self.outbox.push(entry);
                }
            }
        }
    }

    fn tell_fault(&mut self, text: &str, now: &Moment, change: &mut Change) {
        log::warn!("{text}");
        self.faults = true;
        let event = Event { at: now.wall, kind: EventKind::Fault, subject: "notify".to_owned(), text: text.to_owned() };
        change.events.push(event);
    }
}
