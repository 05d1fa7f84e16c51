//! Step 9 of a run: what waits in the outbox goes out, and what came of it is kept.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::Run;
use crate::config::HeartbeatStyle;
use crate::model::{Channel, Delivery, DeliveryResult, Event, EventKind, OutboxEntry, Severity};
use crate::notify;
use crate::store::Change;
use crate::units::{Moment, Seconds};

/// The least time for sending, however late it is.
const SEND_MIN: Duration = Duration::from_secs(3);
/// Messages that no save took have ids from here on: they are sent in this run or lost with it.
pub(super) const UNSAVED: u64 = u64::MAX / 2;

/// A message's number, and a sum of its text.
fn numbered(entry: &OutboxEntry) -> (u64, u64) {
    let sum = Sha256::digest(entry.notice.text.as_bytes());
    (entry.id, sum.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

impl Run<'_> {
    /// Sends what waits in the outbox, for at most `time`. What was taken or given up leaves it; the rest waits for its next time.
    pub(super) fn deliver(&mut self, time: Duration) {
        let now = self.clock.now();
        if self.outbox.is_empty() && self.state.messages_out.is_empty() {
            return;
        }
        for times in self.sent.values_mut() {
            times.retain(|at| now.since(at) < Seconds(3600));
        }
        let count = |times: &Vec<Moment>| u32::try_from(times.len()).unwrap_or(u32::MAX);
        let counts = self.sent.iter().map(|(channel, times)| (*channel, count(times))).collect();
        let limit = self.cfg.notify.send_limit.duration().min(time.max(SEND_MIN));
        let until = Instant::now() + limit;
        let (heartbeats, entries) = self.apart();
        let deliveries = notify::deliver(self.cfg, &entries, &counts, self.clock, limit);
        let before = (self.state.channels.clone(), self.state.drill_told.clone());
        let mut change = Change::default();
        for delivery in &deliveries {
            self.settle(delivery, &now, &mut change);
        }
        let rests = deliveries
            .iter()
            .any(|done| done.channel == Channel::Telegram && matches!(done.result, DeliveryResult::Later(..)));
        // A message that nobody knows of would not be written anew.
        if !rests && self.chat_is_read {
            self.show_heartbeat(&heartbeats, until.saturating_duration_since(Instant::now()), &now, &mut change);
        }
        if (&self.state.channels, &self.state.drill_told) != (&before.0, &before.1) {
            change.state = Some(self.state.clone());
        }
        change.outbox.retain(|entry| entry.id < UNSAVED);
        change.outbox_done.retain(|id| *id < UNSAVED);
        change.sent = Some(self.sent.clone());
        let done: BTreeMap<u64, u64> =
            entries.iter().filter(|entry| change.outbox_done.contains(&entry.id)).map(numbered).collect();
        change.outbox_done.extend(self.state.messages_out.keys());
        match self.store_save(&change, &now) {
            Ok(saved) => {
                self.state.messages_out.clear();
                self.saved(saved, &now);
            }
            Err(error) => {
                self.trouble(&error, &now);
                self.state.messages_out.extend(done);
                self.save(&Change { state: Some(self.state.clone()), ..Change::default() }, &now);
            }
        }
    }

    /// Takes from the outbox what went out while the database could not be written.
    pub(super) fn forget_what_is_out(&mut self) {
        let is_out = |entry: &OutboxEntry, out: &BTreeMap<u64, u64>| {
            let (id, sum) = numbered(entry);
            out.get(&id) == Some(&sum)
        };
        let out = std::mem::take(&mut self.state.messages_out);
        let known = self.outbox.iter().filter(|entry| is_out(entry, &out));
        self.state.messages_out = known.map(numbered).collect();
        self.outbox.retain(|entry| !is_out(entry, &out));
    }

    /// The heartbeats that are shown in one message, and all other entries.
    fn apart(&self) -> (Vec<OutboxEntry>, Vec<OutboxEntry>) {
        let edits = self.cfg.telegram.as_ref().is_some_and(|telegram| telegram.heartbeat == HeartbeatStyle::Edit);
        let is_shown = |entry: &OutboxEntry| {
            edits && entry.channel == Channel::Telegram && entry.notice.severity == Severity::Heartbeat
        };
        self.outbox.iter().cloned().partition(is_shown)
    }

    /// Writes the heartbeat's message anew, or posts it.
    fn show_heartbeat(&mut self, entries: &[OutboxEntry], limit: Duration, now: &Moment, change: &mut Change) {
        let known = self.chat.heartbeat.as_ref();
        let Some((delivery, message)) = notify::show_heartbeat(self.cfg, entries, known, self.clock, limit) else {
            return;
        };
        self.settle(&delivery, now, change);
        if message.is_some() {
            self.chat.heartbeat = message;
            change.chat = Some(self.chat.clone());
        }
    }

    /// Whether a message waits that should not wait for the end of the run.
    pub(super) fn emergency_waits(&self) -> bool {
        let now = self.clock.now().wall;
        self.outbox.iter().any(|entry| entry.notice.severity == Severity::Emergency && entry.not_before <= now)
    }

    /// Takes in what one service said to one message.
    fn settle(&mut self, delivery: &Delivery, now: &Moment, change: &mut Change) {
        if self.carries_drill(delivery) {
            self.drill_told(delivery.channel, &delivery.result, now);
        }
        let settled = notify::settle(self.cfg, &mut self.outbox, delivery, now.wall);
        self.channel_said(delivery.channel, settled.said.as_ref());
        if matches!(delivery.result, DeliveryResult::Accepted(_)) {
            log::info!("{}: {} messages accepted", delivery.channel.word(), settled.done.len());
        }
        if let Some(why) = settled.waits {
            log::warn!("{why}");
            self.faults = true;
        }
        if let Some(text) = settled.told {
            self.tell_fault(&text, now, change);
        }
        if settled.counts {
            self.sent.entry(delivery.channel).or_default().push(*now);
        }
        change.outbox_done.extend(settled.done);
        change.outbox.extend(settled.again);
    }

    fn tell_fault(&mut self, text: &str, now: &Moment, change: &mut Change) {
        log::warn!("{text}");
        self.faults = true;
        let event = Event { at: now.wall, kind: EventKind::Fault, subject: "notify".to_owned(), text: text.to_owned() };
        change.events.push(event);
    }
}
