//! What survives the end of the process: the small working memory in sled, a plain copy of it, and the history in day
//! files. Nothing outside knows that sled exists, so that it can be replaced.
//!
//! The database is opened only for moments and never across a call to a device, so `status` and `set` never wait for
//! a slow one. It is never trusted: see `db` for repair and quarantine.

mod calls;
mod check;
mod compact;
mod copied;
mod copies;
mod db;
mod drills;
mod evidence;
mod exchange;
mod history;
mod inputs;
mod left_over;
mod parts;
mod plain;
mod pushed;
mod schema;
mod write;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{Channel, ChatMemory, Command, Event, Fault, Notice, OutboxEntry, Override, SiteState};
use crate::units::{Moment, UnixSeconds};
use db::Failure;

pub use calls::{Calls, append as append_call, last as last_calls, month, read as read_calls};
pub use check::Finding;
pub use drills::{keep as keep_drill, read as read_drills};
pub use evidence::{file_name as page_name, keep as keep_page};
pub use history::{
    Band, HistoryLimits, Trend, Values, append as append_history, finest_step, keep as keep_history,
    read as read_history, runs_after, trend,
};
pub use inputs::{Damage, RunInputs, append as append_inputs, forget as forget_inputs, last_left, read as read_inputs};
pub use plain::{read_snapshot, write_snapshot};
pub use pushed::{keep_pushed, pushed_until};

/// The readers of stored bytes alone, for tests.
pub mod parse {
    use std::path::Path;

    use super::{Loaded, parts, plain};
    use crate::model::{Override, SiteState};

    /// A record of the database by its key and its packed bytes; `Err` says why it cannot be read.
    pub fn record(key: &[u8], packed: &[u8]) -> Result<Loaded, String> {
        let mut loaded = Loaded::default();
        loaded.take_in(key, &parts::unpack(packed).map_err(|failure| failure.text)?)?;
        Ok(loaded)
    }

    /// The plain copy in a folder; `None` when there is none, `Err` says why it cannot be read.
    pub fn plain_copy(folder: &Path) -> Result<Option<(SiteState, Vec<Override>)>, String> {
        Ok(plain::read(folder)?.map(|copy| (copy.state, copy.overrides)))
    }
}

/// Kinds of records that a run needs whole: state, overrides, acknowledgements, tests, queue, intents, sent in the last hour,
/// chats.
const KINDS_LOADED: &[u8] = b"soatqihm";
/// Events that are loaded with them, for the page.
const RECENT_EVENTS: usize = 60;

/// The folder with everything that must survive a reboot.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    /// Another folder, on another disk or in memory, for the state while this one cannot be written.
    refuge: Option<PathBuf>,
}

/// What became of what only the database holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It was read, or there never was any.
    #[default]
    Whole,
    /// It cannot be read now; it is still there.
    Unread,
    /// It is lost: the database was set aside, or is gone.
    Lost,
}

/// What was found at the start of a run.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What became of what only the database holds: all but state and overrides.
    pub found: Found,
    /// The last state; `None` at the first run or when it was lost.
    pub state: Option<SiteState>,
    /// Overrides, those that have run out included.
    pub overrides: Vec<Override>,
    /// The overrides as the plain copy has them.
    pub copied: Vec<Override>,
    /// Acknowledgements not yet taken in: alarm id and who.
    pub acknowledged: BTreeMap<String, String>,
    /// What test messages came to on their channels since the last run; `None` where all went well.
    pub tested: BTreeMap<Channel, Option<Fault>>,
    /// Messages on their way; their times are those of the clock as it is now.
    pub outbox: Vec<OutboxEntry>,
    /// Commands of a run that broke off before it recorded what came of them.
    pub broken_off: Vec<Command>,
    /// When that run saved them, just before it sent them; `None` when an older program did.
    pub broken_off_at: Option<Moment>,
    /// When messages were sent on each channel in the last hour.
    pub sent: BTreeMap<Channel, Vec<Moment>>,
    /// What is remembered of chats.
    pub chat: ChatMemory,
    /// The newest events, oldest first.
    pub recent: Vec<Event>,
    /// What had to be repaired, or is lost; empty in health.
    pub troubles: Vec<String>,
}

/// What one save changes. Everything in it is written at once or not at all.
#[derive(Debug, Default, Clone)]
pub struct Change {
    /// The state to remember.
    pub state: Option<SiteState>,
    /// With the live overrides: the plain copy is written too. Set when something changed that must not be lost.
    pub plain_copy: Option<Vec<Override>>,
    /// Commands about to be sent; an empty list when their outcomes are recorded.
    pub intents: Option<Vec<Command>>,
    /// What happened.
    pub events: Vec<Event>,
    /// Messages to send.
    pub queue: Vec<(Channel, Notice)>,
    /// Messages that changed: attempts, next time.
    pub outbox: Vec<OutboxEntry>,
    /// Messages that are delivered or given up.
    pub outbox_done: Vec<u64>,
    /// Overrides to set: one for each target.
    pub overrides: Vec<Override>,
    /// Targets whose override goes.
    pub overrides_done: Vec<String>,
    /// Overrides that are over: each goes unless another one of its target has been set since.
    pub overrides_ended: Vec<Override>,
    /// Overrides that a lost database had: each is set where its target has none.
    pub overrides_back: Vec<Override>,
    /// Alarms to acknowledge: id and who.
    pub acknowledge: BTreeMap<String, String>,
    /// Acknowledgements that the state has taken in.
    pub acknowledged_done: Vec<String>,
    /// What a test message came to on its channel; `None` where all went well.
    pub tested: BTreeMap<Channel, Option<Fault>>,
    /// Channels whose test the state has taken in.
    pub tested_done: Vec<Channel>,
    /// When messages were sent on each channel.
    pub sent: Option<BTreeMap<Channel, Vec<Moment>>>,
    /// What is remembered of chats.
    pub chat: Option<ChatMemory>,
}

/// What a save has stored.
#[derive(Debug, Default)]
pub struct Saved {
    /// The messages that it queued, with their places in the outbox.
    pub queued: Vec<OutboxEntry>,
    /// Why the plain copy could not be written; the database has it all.
    pub trouble: Option<String>,
}

/// Commands that were about to be sent.
#[derive(Debug, Serialize, Deserialize)]
struct Intents {
    at: Option<Moment>,
    commands: Vec<Command>,
}

impl Store {
    /// The store in a folder; nothing is opened yet. Creates the folder; `Err` says why it cannot.
    pub fn new(folder: &Path) -> Result<Store, String> {
        let created = std::fs::create_dir_all(folder.join("history"));
        created.map_err(|error| format!("data folder {}: {error}", folder.display()))?;
        Ok(Store { folder: folder.to_owned(), refuge: None })
    }

    /// The store in a folder that need not be usable, with another folder as refuge for the state.
    pub fn with_refuge(folder: &Path, refuge: &Path) -> Store {
        if let Err(error) = std::fs::create_dir_all(folder.join("history")) {
            log::warn!("data folder {}: {error}", folder.display());
        }
        Store { folder: folder.to_owned(), refuge: Some(refuge.to_owned()) }
    }

    /// The folder of the day files.
    pub fn history_folder(&self) -> PathBuf {
        self.folder.join("history")
    }

    /// The folder of what runs read and decided, for `replay`.
    pub fn inputs_folder(&self) -> PathBuf {
        self.folder.join("inputs")
    }

    /// The folder of the calls' files.
    pub fn calls_folder(&self) -> PathBuf {
        self.folder.join("calls")
    }

    /// Reads everything but the events. Never fails: a database that cannot be used is set aside, and a copy of the state
    /// is taken, as where one is newer; `troubles` says so.
    pub fn load(&self, now: &Moment) -> Loaded {
        let mut loaded = match self.try_load() {
            Ok(loaded) => loaded,
            Err(first) => self.start_anew(&first, now),
        };
        copies::take(&mut loaded, &self.folder, self.refuge.as_deref(), now);
        loaded.outbox.iter_mut().for_each(|entry| entry.set_right(now));
        loaded
    }

    /// Reads as [`Store::load`] does, for somebody who only looks: nothing is written, and a database that cannot be used
    /// stays where it is. `None` where there is none yet; `Err` says why it cannot be read.
    pub fn look(folder: &Path, refuge: &Path, now: &Moment) -> Result<Option<Loaded>, String> {
        if !db::path(folder).exists() {
            return Ok(None);
        }
        let copy = copied::keep(folder).map_err(|failure| failure.text)?;
        let store = Store { folder: copy.path().to_owned(), refuge: None };
        let mut loaded = store.try_load().map_err(|failure| failure.text)?;
        copies::take(&mut loaded, folder, Some(refuge), now);
        Ok(Some(loaded))
    }

    /// A damaged database is set aside and a new one begun; one that only cannot be used now is left alone.
    fn start_anew(&self, first: &Failure, now: &Moment) -> Loaded {
        let mut troubles = vec![format!("database: {}", first.text)];
        let mut loaded = Loaded { found: Found::Unread, ..Loaded::default() };
        if first.damaged {
            troubles.extend(db::set_aside(&self.folder, now));
            loaded = self.try_load().unwrap_or_else(|again| {
                troubles.push(format!("new database: {}", again.text));
                Loaded::default()
            });
            loaded.found = Found::Lost;
        }
        loaded.troubles.splice(0..0, troubles);
        loaded
    }

    fn try_load(&self) -> Result<Loaded, Failure> {
        let ((records, events), repaired) = copied::read(&self.folder, |tree| {
            let mut records = Vec::new();
            for kind in KINDS_LOADED {
                records.extend(parts::read_prefix(tree, &[*kind])?);
            }
            Ok((records, parts::read_last(tree, b'e', RECENT_EVENTS)?))
        })?;
        let mut loaded = Loaded { troubles: repaired, ..Loaded::default() };
        for (key, value) in &records {
            if let Err(error) = loaded.take_in(key, value) {
                loaded.troubles.push(format!("record `{}`: {error}", String::from_utf8_lossy(key)));
                loaded.chat.forgotten |= key.first() == Some(&b'm');
            }
        }
        loaded.recent = events.iter().filter_map(|(_, value)| serde_json::from_slice(value).ok()).collect();
        Ok(loaded)
    }

    /// Writes a change into the database and flushes it, then the plain copy. `Err` says what the disk said; nothing is
    /// then stored of it but the plain copy.
    pub fn save(&self, change: &Change, now: &Moment) -> Result<Saved, String> {
        let (written, now) = (change.clone(), *now);
        // The database first: a copy that is newer than the database says that the database took nothing.
        let stored = db::with(&self.folder, move |tree| write::write(tree, &written, &now));
        let copied = match (&change.state, &change.plain_copy) {
            (Some(state), Some(overrides)) => {
                let copy = plain::Copy { state: state.clone(), overrides: overrides.clone() };
                plain::write(&self.folder, &copy)
            }
            // What `set` and `clear` have stored must not come back, or be missing, when the database is lost.
            (_, None) | (None, Some(_)) if stored.is_ok() => plain::follow(&self.folder, change),
            (_, None) | (None, Some(_)) => Ok(()),
        };
        match stored {
            Ok((queued, _)) => {
                if let Some(refuge) = self.refuge.as_ref().filter(|_| change.state.is_some()) {
                    plain::leave_refuge(refuge);
                }
                Ok(Saved { queued, trouble: copied.err() })
            }
            Err(failure) => {
                if let Err(error) = copied {
                    log::warn!("{error}");
                }
                Err(self.take_refuge(&failure.text, change.state.clone(), change.plain_copy.clone()))
            }
        }
    }

    /// Keeps the state elsewhere, so that the next run does not begin where the last good save left off. Returns the
    /// sentence for people.
    fn take_refuge(&self, error: &str, state: Option<SiteState>, overrides: Option<Vec<Override>>) -> String {
        let (Some(mut state), Some(refuge)) = (state, &self.refuge) else { return format!("database: {error}") };
        state.troubles.push(format!("database: {error}"));
        let kept = plain::read_refuge(refuge).map(|copy| copy.overrides);
        let overrides = overrides.or(kept).or_else(|| self.overrides().ok()).unwrap_or_default();
        match plain::write_refuge(refuge, &plain::Copy { state, overrides }) {
            Ok(()) => format!("database: {error}; the state is kept in {}", refuge.display()),
            Err(again) => format!("database: {error}; and nowhere else: {again}"),
        }
    }

    /// The overrides, those that have run out included.
    pub fn overrides(&self) -> Result<Vec<Override>, String> {
        let loaded = self.try_load().map_err(|failure| format!("database: {}", failure.text))?;
        Ok(loaded.overrides)
    }

    /// The events from `since` on, newest first, at most `limit`.
    pub fn events(&self, since: UnixSeconds, limit: usize) -> Result<Vec<Event>, String> {
        let (mut events, _) = copied::read(&self.folder, |tree| {
            let all = parts::read_prefix(tree, b"e")?;
            Ok(all.iter().filter_map(|(_, value)| serde_json::from_slice::<Event>(value).ok()).collect::<Vec<_>>())
        })
        .map_err(|failure| format!("database: {}", failure.text))?;
        events.retain(|event| event.at >= since);
        events.reverse();
        events.truncate(limit);
        Ok(events)
    }

    /// Once a day, or when the database has grown: copies it into a new one. Returns what was done, if anything.
    pub fn compact_when_due(&self, now: &Moment) -> Result<Option<String>, String> {
        compact::when_due(&self.folder, now)
    }

    /// The same, due or not; returns what was done.
    pub fn compact(&self, now: &Moment) -> Result<String, String> {
        compact::at_once(&self.folder, now)
    }

    /// Writes the database as JSON lines; returns the number of records. History and calls are files beside it.
    pub fn export(&self, now: &Moment, out: &mut dyn Write) -> Result<usize, String> {
        exchange::export(&self.folder, now, out)
    }

    /// Makes the database of an export in place of the present one, which is set aside. Returns what was done; `Err` lists
    /// the mistakes of the text, one a line, and nothing is changed then. No run may be at work.
    pub fn import(&self, text: &str, now: &Moment) -> Result<Vec<String>, String> {
        exchange::import(&self.folder, text, now)
    }

    /// Looks at everything that is stored, and changes nothing.
    pub fn check(&self, now: &Moment) -> Vec<Finding> {
        check::check(&self.folder, self.refuge.as_deref(), now)
    }
}

impl Loaded {
    fn take_in(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let text = |error: serde_json::Error| error.to_string();
        match key.first() {
            Some(b's') => {
                let state: SiteState = serde_json::from_slice(value).map_err(text)?;
                schema::known(state.schema)?;
                self.state = Some(state);
            }
            Some(b'o') => self.overrides.push(serde_json::from_slice(value).map_err(text)?),
            Some(b'a') => {
                let (id, who): (String, String) = serde_json::from_slice(value).map_err(text)?;
                self.acknowledged.insert(id, who);
            }
            Some(b't') => {
                let (channel, fault) = serde_json::from_slice(value).map_err(text)?;
                self.tested.insert(channel, fault);
            }
            Some(b'q') => self.outbox.push(serde_json::from_slice(value).map_err(text)?),
            Some(b'i') => {
                let Intents { at, commands } = serde_json::from_slice(value).map_err(text)?;
                (self.broken_off_at, self.broken_off) = (at, commands);
            }
            Some(b'h') => self.sent = serde_json::from_slice(value).map_err(text)?,
            Some(b'm') => self.chat = serde_json::from_slice(value).map_err(text)?,
            Some(_) | None => return Err("unknown kind".to_owned()),
        }
        Ok(())
    }
}
