//! What the tests of the store share: moments, and records that fill a change.

use std::path::{Path, PathBuf};

use minectl::model::{
    Channel, ChatAnswer, ChatCode, ChatHeartbeat, ChatMemory, ChatWords, Command, Event, EventKind, Fault, FaultKind,
    Level, Notice, OutletRef, Override, PowerMode, Setting, Severity, SiteState,
};
use minectl::store::{Change, Loaded, Store};
use minectl::units::{BootId, Moment, Seconds, UnixSeconds};

pub const DAY: i64 = 86_400;
const START: i64 = 1_795_370_400;

/// So many seconds after the start of the tests' time.
pub fn at(seconds: i64) -> Moment {
    Moment { wall: UnixSeconds(START + seconds), boot: BootId(1), up: Seconds(u64::try_from(1000 + seconds).unwrap()) }
}

/// A folder with its store.
pub fn new_store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path()).unwrap();
    (folder, store)
}

/// A state that differs from the boot state, recognisable by a number.
pub fn state(number: u64) -> SiteState {
    let mut state = SiteState::boot(at(0));
    state.signal.level = Level::Curtail;
    state.last_pass = Some(at(1));
    state.climate.stage = usize::try_from(number).unwrap();
    for outlet in 1..=48 {
        state.miners.cut.insert(OutletRef { pdu: "spdu-a".to_owned(), outlet: outlet.to_string() });
    }
    state
}

pub fn event(seconds: i64, text: &str) -> Event {
    Event { at: at(seconds).wall, kind: EventKind::State, subject: "test".to_owned(), text: text.to_owned() }
}

fn notice(text: &str) -> Notice {
    Notice { severity: Severity::Warning, at: at(0).wall, text: text.to_owned() }
}

pub fn queued(texts: &[&str]) -> Vec<(Channel, Notice)> {
    texts.iter().map(|text| (Channel::Telegram, notice(text))).collect()
}

pub fn fan_held(fan: u8, on: bool) -> Override {
    let setting = Setting::Fan { fan, on };
    Override { setting, since: at(0), lasts: Seconds(3600), by: "tester".to_owned(), reason: "a test".to_owned() }
}

fn commands() -> Vec<Command> {
    vec![Command::Fan { fan: 3, on: true }, Command::Miner { miner: 1001, mode: PowerMode::Sleeping }]
}

fn fault() -> Fault {
    Fault::new("sms", FaultKind::Refused, "401, code 20003 `Authenticate`")
}

/// What [`full_change`] remembers of chats.
pub fn chat() -> ChatMemory {
    let digits = "012345".to_owned();
    let code = ChatCode { chat: -100, user: 7, digits, command: "/set signal run".to_owned(), made: at(0), wrong: 1 };
    let says = ChatWords::Text("done".to_owned());
    let answers = vec![ChatAnswer { chat: -100, message: 3, at: at(0), attempts: 1, says }];
    let heartbeat = Some(ChatHeartbeat { chat: "-100".to_owned(), message: 501 });
    ChatMemory { next: Some(4711), codes: vec![code], answers, heartbeat, ..ChatMemory::default() }
}

/// A change with something of every kind, and the plain copy.
pub fn full_change(number: u64) -> Change {
    let overrides = vec![fan_held(3, true), fan_held(4, false)];
    Change {
        state: Some(state(number)),
        plain_copy: Some(overrides.clone()),
        intents: Some(commands()),
        events: vec![event(0, "one"), event(1, "two")],
        queue: queued(&["first", "second"]),
        overrides,
        acknowledge: [("fan 3".to_owned(), "tester".to_owned())].into(),
        tested: [(Channel::Telegram, None), (Channel::Sms, Some(fault()))].into(),
        sent: Some([(Channel::Telegram, vec![at(0), at(1)])].into()),
        chat: Some(chat()),
        ..Change::default()
    }
}

/// That everything of [`full_change`] is there, and nothing else.
pub fn assert_full(loaded: &Loaded, number: u64) {
    assert_eq!(loaded.troubles, Vec::<String>::new());
    assert_eq!(loaded.state.as_ref(), Some(&state(number)));
    assert_eq!(loaded.overrides, [fan_held(3, true), fan_held(4, false)]);
    assert_eq!(loaded.broken_off, commands());
    assert_eq!(loaded.acknowledged, [("fan 3".to_owned(), "tester".to_owned())].into());
    assert_eq!(loaded.tested, [(Channel::Telegram, None), (Channel::Sms, Some(fault()))].into());
    let texts: Vec<&str> = loaded.outbox.iter().map(|entry| entry.notice.text.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
    assert_eq!(loaded.sent, [(Channel::Telegram, vec![at(0), at(1)])].into());
}

/// The texts of all events, newest first.
pub fn event_texts(store: &Store) -> Vec<String> {
    store.events(UnixSeconds(0), usize::MAX).unwrap().into_iter().map(|event| event.text).collect()
}

/// The entries of a folder whose names begin so.
pub fn files(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(prefix)).collect()
}

/// Databases that were set aside.
pub fn set_aside(folder: &Path) -> Vec<PathBuf> {
    files(folder, "db.bad-")
}
