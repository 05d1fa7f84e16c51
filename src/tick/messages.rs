//! Commands by messages: fetched on a thread of its own while the devices are read, taken in before a decision, answered when
//! the run has done its work. A service that is slow, or says no, costs nothing but the answers.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::Run;
use crate::by_hand::{self, Desk, Handled};
use crate::config::{ChatRights, TelegramConfig};
use crate::dashboard::{self, Status};
use crate::model::{ChatAnswer, ChatMemory, ChatWords, DeliveryResult, Fault, FaultKind, Reason, Snapshot};
use crate::notify::{self, Fetched};
use crate::store::Change;
use crate::units::Seconds;

/// The longest wait for the service's answer, from the beginning of the run.
const FETCH_MAX: Duration = Duration::from_secs(5);
/// The least time for sending answers, however late it is.
const ANSWER_MIN: Duration = Duration::from_secs(2);
/// Attempts to send an answer, and how long it is worth anything.
const ATTEMPTS_MAX: u32 = 3;
const WORTH: Seconds = Seconds::minutes(10);

/// When what a message asks for is in force.
const NOW: &str = "in force from this run on";
/// The same, when the run has no time for another decision.
const NEXT_RUN: &str = "the next run takes it in";

/// Messages on their way.
pub(super) struct Inbox {
    fetched: Receiver<Result<Fetched, Fault>>,
    until: Instant,
}

impl Run<'_> {
    /// Who may command, with the service's settings; `None` where nobody may.
    fn rights(&self) -> Option<(&TelegramConfig, &ChatRights)> {
        let telegram = self.cfg.telegram.as_ref()?;
        Some((telegram, telegram.commands.as_ref()?))
    }

    /// Notes that the memory of chats is lost with the database; returns what is to be kept of that, if anybody may command.
    pub(super) fn forget_chats(&mut self) -> Option<ChatMemory> {
        if self.rights().is_none() || self.chat != ChatMemory::default() {
            return None;
        }
        self.chat.forgotten = true;
        Some(self.chat.clone())
    }

    /// Begins to fetch messages, if anybody may command. What is remembered of another bot is forgotten.
    pub(super) fn ask_for_messages(&mut self) {
        let Some(telegram) = &self.cfg.telegram else { return };
        let bot = telegram.token.reveal().split(':').next().unwrap_or_default();
        if self.chat.bot != bot {
            let forgotten = self.chat.forgotten;
            self.chat = ChatMemory { bot: bot.to_owned(), forgotten, ..ChatMemory::default() };
        }
        if telegram.commands.is_none() {
            self.state.chat = None;
            return;
        }
        if !self.chat_is_read {
            log::warn!("messages: not asked for, since it cannot be read what was done before");
            return;
        }
        let offset = by_hand::offset(&self.chat, self.clock.now().wall);
        let failed_before = self.state.chat.is_some();
        let (telegram, memory) = (telegram.clone(), self.chat.clone());
        let (send, fetched) = channel();
        let fetch = move || {
            let result = notify::fetch_messages(&telegram, &memory, offset, failed_before, FETCH_MAX);
            // The run may have ended meanwhile: the messages come again then.
            drop(send.send(result));
        };
        match thread::Builder::new().name("messages".to_owned()).spawn(fetch) {
            Ok(_) => self.inbox = Some(Inbox { fetched, until: Instant::now() + FETCH_MAX }),
            Err(cause) => log::error!("messages: no thread to fetch them: {cause}"),
        }
    }

    /// Does what the messages ask for that are there by now: before a decision, which takes it in.
    pub(super) fn take_messages(&mut self) {
        self.take_messages_within(Duration::ZERO, |_| NOW);
    }

    /// The same, for messages that are late: waits for them within their own time, when all else is done. Returns whether they
    /// set or ended an override and another pass can take that in.
    pub(super) fn take_late_messages(&mut self) -> bool {
        let Some(inbox) = &self.inbox else { return false };
        let wait = inbox.until.saturating_duration_since(Instant::now()).min(self.left_for_messages());
        let before = self.overrides.clone();
        let mut has_time = false;
        self.take_messages_within(wait, |run| {
            has_time = run.time_for_another_pass();
            if has_time { NOW } else { NEXT_RUN }
        });
        if self.inbox.take().is_some() {
            let text = format!("no messages within {} s", FETCH_MAX.as_secs());
            self.no_messages(Fault::new("telegram", FaultKind::TimedOut, text));
        }
        has_time && self.overrides != before
    }

    fn take_messages_within(&mut self, wait: Duration, in_force: impl FnOnce(&Self) -> &'static str) {
        let Some(inbox) = self.inbox.take() else { return };
        match inbox.fetched.recv_timeout(wait) {
            Ok(Ok(fetched)) => self.fetched(fetched, in_force(self)),
            Ok(Err(fault)) => self.no_messages(fault),
            Err(RecvTimeoutError::Timeout) => self.inbox = Some(inbox),
            Err(RecvTimeoutError::Disconnected) => {
                let broken = "the program failed while it fetched messages; please report this";
                self.no_messages(Fault::new("telegram", FaultKind::Broken, broken));
            }
        }
    }

    fn no_messages(&mut self, fault: Fault) {
        log::warn!("messages: {fault}");
        self.state.chat = Some(fault);
        self.faults = true;
    }

    fn fetched(&mut self, fetched: Fetched, in_force: &'static str) {
        self.state.chat = None;
        let Some(rights) = self.rights().map(|(_, rights)| rights.clone()) else { return };
        let now = self.clock.now();
        let mut memory = self.chat.clone();
        memory.name = fetched.name.or(memory.name);
        // A test clock is not the service's.
        let service_now = fetched.at.filter(|_| !self.clock.is_test()).unwrap_or(now.wall);
        let desk = Desk {
            cfg: self.cfg,
            rights: &rights,
            state: &self.state,
            overrides: &self.overrides,
            now: &now,
            service_now,
            in_force,
        };
        if let Some(handled) = by_hand::handle(&desk, &memory, &fetched.updates) {
            self.keep_handled(handled);
        }
    }

    /// Saves what messages did together with their number; only then it is done.
    fn keep_handled(&mut self, handled: Handled) {
        let now = self.clock.now();
        let Handled { change, memory, late, overrides, lines } = handled;
        let change = Change { chat: Some(memory.clone()), ..change };
        match self.store_save(&change, &now) {
            Ok(saved) => {
                self.saved(saved, &now);
                for line in lines {
                    log::info!("message {line}");
                }
                self.log_events(&change.events);
                self.recent.extend(change.events);
                self.overrides = overrides;
                self.chat = memory;
            }
            Err(error) => {
                // Nothing is kept, so nothing is done: the messages come again in the next run.
                self.trouble(&error, &now);
                let text = format!("NOT done, nothing can be kept: {error}. The next run tries again.");
                let failed = |answer: ChatAnswer| ChatAnswer { says: ChatWords::Text(text.clone()), ..answer };
                // That something came too late would be said by each run.
                let in_time = memory.answers.len().saturating_sub(late);
                let known = self.chat.answers.clone();
                let new = memory.answers.into_iter().take(in_time).filter(|answer| !known.contains(answer));
                self.chat.answers.extend(new.map(failed));
            }
        }
    }

    /// Sends the answers that wait; what may pass is tried again by the next runs.
    pub(super) fn answer_messages(&mut self, snapshot: &Snapshot, reasons: &[Reason]) {
        let Some((telegram, _)) = self.rights().filter(|_| !self.chat.answers.is_empty()) else { return };
        let telegram = telegram.clone();
        let limit = self.cfg.notify.send_limit.duration().min(self.left_for_messages().max(ANSWER_MIN));
        let until = Instant::now() + limit;
        let (mut rest, mut picture) = (Vec::new(), None);
        let mut rests = false;
        for mut answer in std::mem::take(&mut self.chat.answers) {
            let left = until.saturating_duration_since(Instant::now());
            if rests || left < Duration::from_millis(300) {
                rest.push(answer);
                continue;
            }
            match self.send_answer(&telegram, &answer, (snapshot, reasons), &mut picture, left) {
                DeliveryResult::Accepted(_) => {}
                DeliveryResult::Refused(fault) => log::warn!("an answer to chat {}: {fault}; given up", answer.chat),
                DeliveryResult::Later(fault, _) => {
                    log::warn!("an answer to chat {}: {fault}", answer.chat);
                    rests = true;
                    answer.attempts = answer.attempts.saturating_add(1);
                    rest.push(answer);
                }
            }
        }
        let now = self.clock.now();
        rest.retain(|answer| answer.attempts < ATTEMPTS_MAX && now.since(&answer.at) < WORTH);
        self.chat.answers = rest;
        self.keep_chat();
    }

    /// Keeps what is remembered of chats, answers with it.
    pub(super) fn keep_chat(&mut self) {
        let now = self.clock.now();
        let change = Change { chat: Some(self.chat.clone()), ..Change::default() };
        if let Err(error) = self.store_save(&change, &now) {
            self.trouble(&error, &now);
        }
    }

    fn send_answer(
        &self,
        telegram: &TelegramConfig,
        answer: &ChatAnswer,
        (snapshot, reasons): (&Snapshot, &[Reason]),
        picture: &mut Option<Result<Vec<u8>, String>>,
        limit: Duration,
    ) -> DeliveryResult {
        let words = |text: &str| notify::send_words(telegram, answer, text, self.clock, limit);
        let status =
            |write: fn(&Status) -> String| self.drawn(snapshot, reasons, false, |input| write(&Status::new(input)));
        match &answer.says {
            ChatWords::Text(text) => words(text),
            ChatWords::Status => words(&status(dashboard::brief)),
            ChatWords::Why => words(&status(dashboard::why)),
            ChatWords::Chart => {
                let made = picture.get_or_insert_with(|| self.drawn(snapshot, reasons, true, dashboard::picture));
                match made {
                    Ok(png) => {
                        notify::send_picture(telegram, answer, (&status(dashboard::brief), png), self.clock, limit)
                    }
                    Err(cause) => words(&format!("no picture: {cause}")),
                }
            }
        }
    }
}
