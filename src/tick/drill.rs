//! What a run does for a drill beside what `decide` commands: its message on each channel with what the services say to
//! it, the end of its order, and its certificate in its file. It judges nothing.

use super::Run;
use crate::model::{
    Channel, DRILL_MESSAGE, Delivery, DeliveryResult, DrillDelivery, Notice, Override, Setting, Severity,
};
use crate::notify;
use crate::store;
use crate::units::{Moment, Seconds};

impl Run<'_> {
    /// Writes the messages of a drill that has just begun; they are queued with the state that says so.
    pub(super) fn write_drill_messages(&mut self, before: Option<Moment>) {
        let Some(drill) = self.state.drill.running.as_ref().filter(|drill| Some(drill.began) != before) else { return };
        let text = format!(
            "{DRILL_MESSAGE} of {}, ordered by {}: nothing has happened, and nothing is to be done.",
            self.cfg.site.name, drill.by
        );
        let notice = Notice { severity: Severity::Info, at: drill.began.wall, text };
        let channels = notify::configured(self.cfg).into_iter();
        self.tests.extend(channels.map(|channel| (channel, notice.clone())));
    }

    /// Whether an order of a drill was taken and is over.
    pub(super) fn is_drilled(&self, over: &Override) -> bool {
        let drill = &self.state.drill;
        let is_ours = |order: Option<Moment>| order.is_some_and(|order| order.is(&over.since));
        let goes_on = drill.running.as_ref().is_some_and(|running| is_ours(running.order));
        matches!(over.setting, Setting::Drill(_)) && is_ours(drill.order) && !goes_on
    }

    /// Whether a delivery carries the message of the drill that goes on.
    pub(super) fn carries_drill(&self, delivery: &Delivery) -> bool {
        let Some(drill) = &self.state.drill.running else { return false };
        // Not that of a drill before it, which may still wait.
        let is_of_it = |queued: Moment| queued.boot == drill.began.boot && queued.up >= drill.began.up;
        let ours = self.outbox.iter().filter(|entry| delivery.ids.contains(&entry.id));
        ours.into_iter().any(|entry| {
            entry.channel == delivery.channel
                && entry.queued.is_some_and(is_of_it)
                && entry.notice.text.starts_with(DRILL_MESSAGE)
        })
    }

    /// Keeps what a service said to the message of a drill.
    pub(super) fn drill_told(&mut self, channel: Channel, result: &DeliveryResult, now: &Moment) {
        let said = match result {
            DeliveryResult::Accepted(None) => DrillDelivery::Accepted(*now),
            DeliveryResult::Accepted(Some(fault)) | DeliveryResult::Refused(fault) => {
                DrillDelivery::Refused(fault.clone())
            }
            DeliveryResult::Later(fault, _) => DrillDelivery::NotYet(fault.clone()),
        };
        self.state.drill_told.insert(channel, said);
    }

    /// Writes the certificates that wait; what the disk does not take waits for the next run, in the state.
    pub(super) fn keep_drills(&mut self, now: &Moment) {
        let file = self.store.drills_file();
        for record in std::mem::take(&mut self.state.drills_unkept) {
            if let Err(error) = store::keep_drill(&file, &record) {
                self.trouble(&format!("drills: {error}"), now);
                self.state.drills_unkept.push(record);
            }
        }
    }
}

/// A drill makes runs of its own, one after the other: this long after each other at least.
pub const BETWEEN_RUNS: Seconds = Seconds(5);
