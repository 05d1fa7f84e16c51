//! The run's books: what is loaded at its start, saved on its way and told at its end. A disk that fails is told; the
//! run goes on from memory.

use std::collections::BTreeMap;
use std::time::Instant;

use super::delivery::UNSAVED;
use super::lines::list;
use super::{Run, Watch};
use crate::clock::Clock;
use crate::config::{Config, HistoryConfig};
use crate::decide;
use crate::model::{Alarm, Channel, Event, EventKind, Fault, OutboxEntry, Override, SiteState};
use crate::notify;
use crate::store::{self, Change, Found, HistoryLimits, Saved, Store};
use crate::units::Moment;

impl<'a> Run<'a> {
    pub(super) fn load(
        (cfg, clock, watch): (&'a Config, &'a Clock, Watch<'a>),
        began: Instant,
        now: Moment,
        store: Store,
    ) -> Run<'a> {
        let loaded = store.load(&now);
        let first_run = loaded.state.is_none();
        let mut run = Run {
            cfg,
            clock,
            began,
            store,
            state: loaded.state.unwrap_or_else(|| SiteState::boot(now)),
            overrides: loaded.overrides,
            copied: loaded.copied,
            refills: loaded.found == Found::Lost,
            outbox: loaded.outbox,
            sent: loaded.sent,
            chat: loaded.chat,
            chat_is_read: loaded.found != Found::Unread,
            inbox: None,
            recent: loaded.recent,
            events: Vec::new(),
            notices: Vec::new(),
            tests: Vec::new(),
            watch,
            pages: Vec::new(),
            inputs: None,
            troubles: Vec::new(),
            earlier_troubles: Vec::new(),
            faults: false,
        };
        run.earlier_troubles = std::mem::take(&mut run.state.troubles);
        run.forget_what_is_out();
        for trouble in &loaded.troubles {
            run.trouble(trouble, &now);
        }
        if run.refills {
            let chat = run.forget_chats();
            run.save(&Change { chat, ..Change::default() }, &now);
        }
        if first_run {
            run.event(&now, EventKind::Program, "run", "nothing is remembered: boot".to_owned());
        }
        if !loaded.broken_off.is_empty() {
            let since = loaded.broken_off_at.map_or(String::new(), |at| format!(" for {}", now.since(&at)));
            let text = format!(
                "the last run broke off with {} commands under way{since}: {}",
                loaded.broken_off.len(),
                list(&loaded.broken_off)
            );
            run.event(&now, EventKind::Program, "run", text);
        }
        run.begin_inputs(&loaded.acknowledged, &now);
        run.acknowledge(&loaded.acknowledged, &now);
        run.state.channels.retain(|channel, _| notify::configured(cfg).contains(channel));
        run.take_tested(&loaded.tested, &now);
        let (events, notices) = decide::begin_run(cfg, &mut run.state, &now);
        run.log_events(&events);
        run.events.extend(events);
        run.notices.extend(notices);
        run
    }

    /// Takes in what people acknowledged since the last run.
    pub(super) fn acknowledge(&mut self, acknowledged: &BTreeMap<String, String>, now: &Moment) {
        for (id, who) in acknowledged {
            let Some(alarm) = self.state.alarms.get_mut(id) else { continue };
            let Alarm { acknowledged_by, .. } = alarm;
            *acknowledged_by = Some(who.clone());
            self.event(now, EventKind::Alarm, id, format!("acknowledged by {who}"));
        }
        let change = Change { acknowledged_done: acknowledged.keys().cloned().collect(), ..Change::default() };
        if !acknowledged.is_empty() {
            self.save(&change, now);
        }
    }

    /// Takes in what test messages have shown since the last run: a channel that was repaired is known at once.
    fn take_tested(&mut self, tested: &BTreeMap<Channel, Option<Fault>>, now: &Moment) {
        if tested.is_empty() {
            return;
        }
        for (channel, fault) in tested {
            self.channel_said(*channel, fault.as_ref());
        }
        let change = Change { tested_done: tested.keys().copied().collect(), ..self.change() };
        self.save(&change, now);
    }

    /// Keeps what a channel said to its newest message. Whether that is worth an alarm is decided elsewhere.
    pub(super) fn channel_said(&mut self, channel: Channel, fault: Option<&Fault>) {
        match fault {
            Some(fault) => self.state.channels.insert(channel, fault.clone()),
            None => self.state.channels.remove(&channel),
        };
    }

    /// The state and whatever waits to be kept; what is saved waits no longer.
    pub(super) fn change(&mut self) -> Change {
        let mut queue = Vec::new();
        for notice in &self.notices {
            log::info!("notice {}: {}", notice.severity.word(), notice.text);
            queue.extend(notify::route(&self.cfg.notify, notice).into_iter().map(|channel| (channel, notice.clone())));
        }
        self.notices.clear();
        queue.append(&mut self.tests);
        let events = std::mem::take(&mut self.events);
        self.recent.extend(events.iter().cloned());
        self.state.troubles.clone_from(&self.troubles);
        // The plain copy is for what must not be lost; ages and counters change at each pass and may be.
        let is_copied =
            self.overrides.len() == self.copied.len() && self.overrides.iter().all(|over| self.copied.contains(over));
        let plain_copy = (!events.is_empty() || !is_copied).then(|| self.overrides.clone());
        Change { state: Some(self.state.clone()), plain_copy, events, queue, ..Change::default() }
    }

    /// Saves and goes on whatever the disk says: messages of a failed save are still delivered in this run.
    pub(super) fn save(&mut self, change: &Change, now: &Moment) {
        match self.store_save(change, now) {
            Ok(saved) => self.saved(saved, now),
            Err(error) => {
                let first = UNSAVED.saturating_add(self.outbox.len() as u64);
                let unsaved = (first..)
                    .zip(&change.queue)
                    .map(|(id, (channel, notice))| OutboxEntry::untried(id, *channel, notice.clone()));
                self.outbox.extend(unsaved);
                self.trouble(&error, now);
            }
        }
    }

    /// Saves; with the first save that succeeds a new database gets the overrides of the lost one.
    pub(super) fn store_save(&mut self, change: &Change, now: &Moment) -> Result<Saved, String> {
        let overrides_back = if self.refills { self.overrides.clone() } else { Vec::new() };
        let change = Change { overrides_back, ..change.clone() };
        let saved = self.store.save(&change, now)?;
        self.refills = false;
        if let (Some(copied), None) = (change.plain_copy, &saved.trouble) {
            self.copied = copied;
        }
        Ok(saved)
    }

    /// Takes in what was saved.
    pub(super) fn saved(&mut self, saved: Saved, now: &Moment) {
        self.outbox.extend(saved.queued);
        if let Some(error) = saved.trouble {
            self.trouble(&error, now);
        }
    }

    pub(super) fn record(&mut self, now: &Moment) {
        let change = Change { intents: Some(Vec::new()), ..self.change() };
        self.save(&change, now);
    }

    /// Keeps the store small. What fails here is told and done again by the next run.
    pub(super) fn housekeeping(&mut self, now: &Moment) {
        let store = self.store.clone();
        match store.compact_when_due(now) {
            Ok(None) => {}
            Ok(Some(done)) => log::info!("{done}"),
            Err(error) => self.trouble(&error, now),
        }
        let HistoryConfig { keep_days, averages_days, .. } = self.cfg.history;
        let limits = HistoryLimits { full_days: keep_days as usize, quarter_days: averages_days as usize };
        match store::keep_history(&store.history_folder(), now.wall, limits) {
            Ok(None) => {}
            Ok(Some(done)) => log::info!("{done}"),
            Err(error) => self.trouble(&error, now),
        }
    }

    /// An override that a person set while this run is at work counts from the next pass on.
    pub(super) fn reload_overrides(&mut self) {
        match self.store.overrides() {
            Ok(mut stored) => {
                let now = self.clock.now();
                // The end of one that the database could not let go is told already.
                stored.retain(|over| over.left(&now).0 > 0 || self.overrides.contains(over));
                if self.refills {
                    let is_set = |over: &Override| stored.iter().any(|of| of.setting.target() == over.setting.target());
                    let back: Vec<Override> = self.overrides.iter().filter(|over| !is_set(over)).cloned().collect();
                    stored.extend(back);
                }
                self.overrides = stored;
            }
            Err(error) => log::warn!("{error}"),
        }
    }

    pub(super) fn event(&mut self, now: &Moment, kind: EventKind, subject: &str, text: String) {
        let event = Event { at: now.wall, kind, subject: subject.to_owned(), text };
        self.log_events(std::slice::from_ref(&event));
        self.events.push(event);
    }

    pub(super) fn log_events(&self, events: &[Event]) {
        for event in events {
            log::info!("{} {}: {}", event.kind.word(), event.subject, event.text);
            (self.watch)(event);
        }
    }

    /// The program's own trouble: shown on the page of each run that has it, an event only in the first.
    pub(super) fn trouble(&mut self, text: &str, now: &Moment) {
        log::error!("{text}");
        if self.troubles.iter().any(|known| known == text) {
            return;
        }
        self.troubles.push(text.to_owned());
        if self.earlier_troubles.iter().any(|known| known == text) {
            return;
        }
        let event =
            Event { at: now.wall, kind: EventKind::Program, subject: "store".to_owned(), text: text.to_owned() };
        self.events.push(event);
    }
}
