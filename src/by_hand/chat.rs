//! Messages become changes: who may command, whether it is not too late, whether it needs a code, and what follows. All that
//! a batch of messages does is one change of the store, with the number of the last one in it: it is done once or not at all.

use std::collections::BTreeMap;

use super::change::{Asked, Wanted, acknowledging, clearing, setting, wanted};
use super::code::{self, Confirmed};
use super::command::{Command, Read, clean, read};
use super::danger;
use crate::cli::{MinersArgs, SetTarget, SetWords};
use crate::config::{ChatRights, Config, Mode};
use crate::error::Error;
use crate::model::{ChatAnswer, ChatMemory, ChatMessage, ChatUpdate, ChatWords, Override, Setting, SiteState};
use crate::store::Change;
use crate::units::{Moment, Seconds, UnixSeconds};

/// A command is done up to this age: a machine that was off for a day must not do yesterday's.
const AGE_MAX: Seconds = Seconds::minutes(10);
/// Commands done in one run; the next ones wait for the next run.
const COMMANDS_MAX: usize = 10;
/// Answers that wait at once.
const ANSWERS_MAX: usize = 20;
/// Strangers are logged this often.
const STRANGERS_TOLD: Seconds = Seconds::minutes(60);
/// After this long without an update the service may begin to count anew, from any number.
const COUNTS_ON: Seconds = Seconds(6 * 86_400);
/// Updates so far before the first that is not handled are of the old count all the same.
const HANDLED_SPAN: i64 = 1000;
const NAME_CHARS_MAX: usize = 32;
const ANSWER_CHARS_MAX: usize = 1500;

/// What messages are judged by.
pub struct Desk<'a> {
    /// The configuration.
    pub cfg: &'a Config,
    /// Who may command.
    pub rights: &'a ChatRights,
    /// The state that people see.
    pub state: &'a SiteState,
    /// The overrides that hold.
    pub overrides: &'a [Override],
    /// The present moment.
    pub now: &'a Moment,
    /// The service's clock, by which its messages are dated; ours where it tells none.
    pub service_now: UnixSeconds,
    /// When a change is in force, in words.
    pub in_force: &'static str,
}

/// What follows from messages; to be saved in one.
#[derive(Debug, Clone, Default)]
pub struct Handled {
    /// Overrides, acknowledgements, events, messages to people.
    pub change: Change,
    /// What is remembered of chats from now on, the answers with it.
    pub memory: ChatMemory,
    /// How many of the newest answers say that commands were not done, whether this is saved or not.
    pub late: usize,
    /// The overrides that hold from now on.
    pub overrides: Vec<Override>,
    /// Lines for the log.
    pub lines: Vec<String>,
}

/// The update to ask from; `None` when the service may have begun to count anew.
pub fn offset(memory: &ChatMemory, now: UnixSeconds) -> Option<i64> {
    let handled = memory.handled?;
    let apart = now.since(handled).max(handled.since(now));
    memory.next.filter(|_| apart < COUNTS_ON)
}

/// Judges and does what came, in its order; `None` when there was nothing new.
pub fn handle(desk: &Desk<'_>, memory: &ChatMemory, updates: &[ChatUpdate]) -> Option<Handled> {
    let counts_on = offset(memory, desk.now.wall).is_some();
    let is_handled =
        |id: i64| memory.next.is_some_and(|next| id < next && (counts_on || id >= next.saturating_sub(HANDLED_SPAN)));
    let mut work = Work {
        desk,
        done: Handled { memory: memory.clone(), overrides: desk.overrides.to_vec(), ..Handled::default() },
        late: BTreeMap::new(),
        stranger: None,
    };
    code::prune(desk.cfg, &mut work.done.memory, desk.now);
    let mut commands = 0;
    let mut any = memory.forgotten;
    for update in updates.iter().filter(|update| !is_handled(update.id)) {
        if commands >= COMMANDS_MAX {
            break;
        }
        any = true;
        if let Some(message) = &update.message {
            commands += usize::from(work.message(message));
        }
        work.done.memory.next = Some(update.id.saturating_add(1));
        work.done.memory.handled = Some(desk.now.wall);
    }
    any.then(|| work.end())
}

/// The work on one batch.
struct Work<'a> {
    desk: &'a Desk<'a>,
    done: Handled,
    /// By chat: how many commands came too late, or may be done already, and the last one's number.
    late: BTreeMap<i64, (usize, i64)>,
    /// The first message of somebody who may not command: chat and user.
    stranger: Option<(i64, i64)>,
}

impl Work<'_> {
    /// Whether a command was done, or refused with an answer.
    fn message(&mut self, said: &ChatMessage) -> bool {
        let rights = self.desk.rights;
        let may = rights.chats.contains(&said.chat) && (rights.users.is_empty() || rights.users.contains(&said.user));
        if !may {
            self.done.memory.strangers = self.done.memory.strangers.saturating_add(1);
            self.stranger.get_or_insert((said.chat, said.user));
            return false;
        }
        let read = read(&said.text, self.done.memory.name.as_deref());
        if read == Read::Talk {
            if said.is_private && !said.text.trim_start().starts_with('/') {
                self.answer(said, ChatWords::Text("commands begin with a `/`; /help lists them".to_owned()));
                return true;
            }
            return false;
        }
        let age = self.desk.service_now.since(said.at).max(said.at.since(self.desk.service_now));
        if age > AGE_MAX || self.done.memory.forgotten {
            let late = self.late.entry(said.chat).or_insert((0, said.id));
            *late = (late.0.saturating_add(1), said.id);
            return false;
        }
        let words = match read {
            Read::Command(command, text) => self.command(said, &command, &text, false),
            Read::Wrong(why) => ChatWords::Text(why),
            Read::Talk => return false,
        };
        self.answer(said, words);
        true
    }

    fn answer(&mut self, said: &ChatMessage, says: ChatWords) {
        let says = match says {
            ChatWords::Text(text) => ChatWords::Text(text.chars().take(ANSWER_CHARS_MAX).collect()),
            other @ (ChatWords::Status | ChatWords::Why | ChatWords::Chart) => other,
        };
        let answers = &mut self.done.memory.answers;
        answers.push(ChatAnswer { chat: said.chat, message: said.id, at: *self.desk.now, attempts: 0, says });
        let over = answers.len().saturating_sub(ANSWERS_MAX);
        answers.drain(..over);
    }

    fn command(&mut self, said: &ChatMessage, command: &Command, text: &str, confirmed: bool) -> ChatWords {
        let words = match command {
            Command::Status => return ChatWords::Status,
            Command::Why => return ChatWords::Why,
            Command::Chart => return ChatWords::Chart,
            Command::Help => return ChatWords::Text(help(self.desk)),
            Command::Ack(alarm) => self.acknowledge(said, alarm),
            Command::Hold(lasts, reason) => {
                let what = SetTarget::Miners(MinersArgs { value: "off".to_owned(), against_signal: false });
                self.set(said, (&what, lasts.as_deref(), reason), text, confirmed)
            }
            Command::Resume => self.resume(said, text, confirmed),
            Command::Set(words) => match SetWords::read(words) {
                Ok(SetWords { what, lasts, reason }) => {
                    self.set(said, (&what, lasts.as_deref(), &reason), text, confirmed)
                }
                Err(why) => Err(Error::Usage(why)),
            },
            Command::Clear(target) => self.clear(said, target, text, confirmed),
            Command::Confirm(digits) => match code::confirm(&mut self.done.memory, said, digits) {
                Confirmed::Command(text) => return self.confirmed(said, &text),
                Confirmed::Nothing(why) => Err(Error::Usage(why)),
            },
        };
        let (outcome, text) = match words {
            Ok(text) => ("", text),
            Err(error) => ("refused: ", error.to_string()),
        };
        self.done.lines.push(format!("by {}: {outcome}{}", who(said), text.lines().next().unwrap_or_default()));
        ChatWords::Text(text)
    }

    /// Does what waited for its code.
    fn confirmed(&mut self, said: &ChatMessage, text: &str) -> ChatWords {
        match read(text, None) {
            Read::Command(command, text) => self.command(said, &command, &text, true),
            Read::Wrong(why) => ChatWords::Text(why),
            Read::Talk => ChatWords::Text("not done: the command cannot be read any more".to_owned()),
        }
    }

    fn acknowledge(&mut self, said: &ChatMessage, alarm: &str) -> Result<String, Error> {
        let chosen = acknowledging(&self.desk.state.alarms, alarm, &who(said))?;
        let names = chosen.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        self.done.change.acknowledge.extend(chosen);
        Ok(format!("acknowledged {names}; no more reminders from the next run on"))
    }

    fn set(
        &mut self,
        said: &ChatMessage,
        (what, lasts, reason): (&SetTarget, Option<&str>, &str),
        text: &str,
        confirmed: bool,
    ) -> Result<String, Error> {
        let Desk { cfg, state, now, .. } = *self.desk;
        let by = who(said);
        let over = match wanted(cfg, now, || Ok(state.signal.level), &Asked { what, lasts, reason, by: &by })? {
            Wanted::Clear(target) => return self.clear(said, &target, text, confirmed),
            Wanted::Set(over) => over,
        };
        let target = over.setting.target();
        let present = self.done.overrides.iter().find(|present| present.setting.target() == target);
        // A hold that is made shorter is a hold that is ended.
        let shortened = present.filter(|present| present.left(now) > over.lasts);
        let danger = danger::of_setting(&over.setting)
            .or_else(|| shortened.and_then(|present| danger::of_clearing(state, present)));
        if let Some(why) = danger.filter(|_| !confirmed) {
            return self.ask_for_code(said, &format!("set {}", over.setting), why, text);
        }
        let (change, words) = setting(cfg, now, over);
        self.join(change);
        Ok(format!("set {words}; {}{}", self.desk.in_force, self.observed()))
    }

    fn resume(&mut self, said: &ChatMessage, text: &str, confirmed: bool) -> Result<String, Error> {
        let is_hold = |over: &Override| matches!(over.setting, Setting::Miners { on: false, .. });
        if !self.done.overrides.iter().any(|over| is_hold(over) && over.left(self.desk.now).0 > 0) {
            return Ok("no hold is set, so there is nothing to end; /why says what keeps the miners off".to_owned());
        }
        self.clear(said, "miners", text, confirmed)
    }

    fn clear(&mut self, said: &ChatMessage, target: &str, text: &str, confirmed: bool) -> Result<String, Error> {
        let Desk { cfg, state, now, .. } = *self.desk;
        let change = clearing(cfg, now, &self.done.overrides, target, &who(said))?;
        if change.overrides_done.is_empty() {
            return Ok("no override is set".to_owned());
        }
        let gone = change.overrides_done.join(", ");
        let ended = self.done.overrides.iter().filter(|over| change.overrides_done.contains(&over.setting.target()));
        let danger = ended.filter_map(|over| danger::of_clearing(state, over)).next();
        if let Some(why) = danger.filter(|_| !confirmed) {
            return self.ask_for_code(said, &format!("end {gone}"), why, text);
        }
        self.join(change);
        Ok(format!("ended: {gone}; {}{}", self.desk.in_force, self.observed()))
    }

    fn ask_for_code(&mut self, said: &ChatMessage, what: &str, why: &str, text: &str) -> Result<String, Error> {
        let digits = code::make(&mut self.done.memory, said, text, self.desk.now).map_err(Error::Usage)?;
        let within = code::holds_for(self.desk.cfg);
        self.done.lines.push(format!("by {}: {what}: a code is asked for", who(said)));
        Ok(format!("NOT done yet: {what}: {why}. To do it, send within {within}:\n/confirm {digits}"))
    }

    /// Adds a change to those before it: of one target the later one counts.
    fn join(&mut self, change: Change) {
        let done = &mut self.done;
        for target in &change.overrides_done {
            done.overrides.retain(|over| over.setting.target() != *target);
            done.change.overrides.retain(|over| over.setting.target() != *target);
        }
        for over in &change.overrides {
            let target = over.setting.target();
            done.overrides.retain(|present| present.setting.target() != target);
            done.change.overrides.retain(|present| present.setting.target() != target);
            done.change.overrides_done.retain(|gone| *gone != target);
        }
        done.overrides.extend(change.overrides.iter().cloned());
        done.change.overrides.extend(change.overrides);
        done.change.overrides_done.extend(change.overrides_done);
        done.change.events.extend(change.events);
        done.change.queue.extend(change.queue);
    }

    fn observed(&self) -> &'static str {
        match self.desk.cfg.mode {
            Mode::Observe => "; mode is observe: no command is sent",
            Mode::Live => "",
        }
    }

    /// The answers to what came too late, and the line about strangers.
    fn end(mut self) -> Handled {
        let forgotten = std::mem::take(&mut self.done.memory.forgotten);
        for (chat, (count, message)) in std::mem::take(&mut self.late) {
            let why = match forgotten {
                true => ", for it is not known any more what was done before; look at /status".to_owned(),
                false => format!(" came over {AGE_MAX} late"),
            };
            let text = format!("not done: {count} commands{why}; what still holds, send again");
            let said = ChatMessage {
                id: message,
                chat,
                is_private: false,
                user: 0,
                name: String::new(),
                at: self.desk.now.wall,
                text: String::new(),
            };
            self.done.lines.push(format!("from chat {chat}: {text}"));
            self.answer(&said, ChatWords::Text(text));
            self.done.late = self.done.late.saturating_add(1);
        }
        let memory = &mut self.done.memory;
        let is_due = memory.strangers_told.is_none_or(|told| self.desk.now.since(&told) >= STRANGERS_TOLD);
        if let Some((chat, user)) = self.stranger.filter(|_| is_due) {
            let count = std::mem::take(&mut memory.strangers);
            memory.strangers_told = Some(*self.desk.now);
            let line =
                format!("{count} messages of people who may not command; the last ones from chat {chat}, user {user}");
            self.done.lines.push(line);
        }
        self.done
    }
}

/// Who wrote it, for events: the name is the person's own choice, the number is not.
fn who(said: &ChatMessage) -> String {
    let name: String = clean(&said.name).chars().take(NAME_CHARS_MAX).collect();
    match name.as_str() {
        "" => format!("telegram:{}", said.user),
        name => format!("telegram:{name} ({})", said.user),
    }
}

fn help(desk: &Desk<'_>) -> String {
    let time = desk.cfg.overrides.default_time;
    let max = desk.cfg.overrides.max_time;
    let lines = [
        "/status - how the site is".to_owned(),
        "/why - why it is so".to_owned(),
        "/chart - the last 24 hours as a picture".to_owned(),
        "/ack [alarm] - no more reminders of an alarm, or of all".to_owned(),
        format!("/hold [time] [reason] - miners off (for {time}, at most {max}), as in /hold 30m new filters"),
        "/resume - end the hold".to_owned(),
        "/set ... - as `minectl set`: /set fan 3 on --for 2h --reason \"new belt\"; /set alone lists what".to_owned(),
        "/clear <target> - end an override, or all".to_owned(),
        "What may cost a call or cooling answers with a code for /confirm.".to_owned(),
        format!("Messages are read at each run, every {}.", desk.cfg.loop_interval),
    ];
    lines.join("\n")
}
