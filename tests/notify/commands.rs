//! Messages as they are judged, without a run: which are new, and what follows from them.

use minectl::by_hand::{Desk, Handled, handle, offset};
use minectl::config::{ChatRights, Config};
use minectl::model::*;
use minectl::units::*;

use super::support::{NOW, config};

const CHAT: i64 = -100_123;

fn at(seconds: i64) -> Moment {
    Moment {
        wall: UnixSeconds(NOW + seconds),
        boot: BootId(1),
        up: Seconds(10_000_000_u64.saturating_add_signed(seconds)),
    }
}

fn said(id: i64, text: &str) -> ChatUpdate {
    let message = ChatMessage {
        id,
        chat: CHAT,
        is_private: false,
        user: 777,
        name: "ann".to_owned(),
        at: UnixSeconds(NOW),
        text: text.to_owned(),
    };
    ChatUpdate { id, message: Some(message) }
}

fn state() -> SiteState {
    let mut state = SiteState::boot(at(-600));
    state.signal.level = Level::Run;
    state
}

fn handled(
    cfg: &Config,
    overrides: &[Override],
    memory: &ChatMemory,
    updates: &[ChatUpdate],
    now: Moment,
) -> Option<Handled> {
    let rights = ChatRights { chats: vec![CHAT], users: Vec::new() };
    let state = state();
    let desk = Desk {
        cfg,
        rights: &rights,
        state: &state,
        overrides,
        now: &now,
        service_now: UnixSeconds(NOW),
        in_force: "now",
    };
    handle(&desk, memory, updates)
}

fn remembered(next: i64, ago: i64) -> ChatMemory {
    ChatMemory { next: Some(next), handled: Some(UnixSeconds(NOW - ago)), ..ChatMemory::default() }
}

#[test]
fn an_update_that_was_handled_is_never_handled_again() {
    let cfg = config();
    let memory = remembered(500, 120);
    assert_eq!(offset(&memory, UnixSeconds(NOW)), Some(500));
    assert!(handled(&cfg, &[], &memory, &[said(498, "/hold 1h"), said(499, "/hold 1h")], at(0)).is_none());
    let done = handled(&cfg, &[], &memory, &[said(499, "/hold 1h"), said(500, "/set fan 3 on")], at(0)).unwrap();
    assert_eq!(done.overrides.len(), 1);
    assert_eq!((done.memory.next, done.memory.handled), (Some(501), Some(UnixSeconds(NOW))));
}

#[test]
fn after_a_week_of_silence_the_service_may_count_anew_from_any_number() {
    let cfg = config();
    const SIX_DAYS: i64 = 6 * 86_400;
    assert_eq!(offset(&remembered(500_000, SIX_DAYS - 1), UnixSeconds(NOW)), Some(500_000));
    let memory = remembered(500_000, SIX_DAYS);
    assert_eq!(offset(&memory, UnixSeconds(NOW)), None);
    let done = handled(&cfg, &[], &memory, &[said(17, "/hold 1h")], at(0)).expect("a lower number is new then");
    assert_eq!((done.overrides.len(), done.memory.next), (1, Some(18)));
    // The last ones of the old count are not.
    assert!(handled(&cfg, &[], &memory, &[said(499_999, "/hold 1h")], at(0)).is_none());
    // A clock that was set back by as much.
    assert_eq!(offset(&remembered(500_000, -SIX_DAYS), UnixSeconds(NOW)), None);
}

#[test]
fn every_command_that_may_cost_something_asks_for_a_code_and_no_other_does() {
    let cfg = config();
    let asks = |text: &str| {
        let done = handled(&cfg, &[], &ChatMemory::default(), &[said(1, text)], at(0)).unwrap();
        let ChatWords::Text(answer) = &done.memory.answers[0].says else { panic!("{text}") };
        let is_asked = done.memory.codes.len() == 1;
        assert_eq!(is_asked, answer.starts_with("NOT done yet: "), "{answer}");
        assert_ne!(is_asked, !done.change.overrides.is_empty(), "{text}: {answer}");
        is_asked
    };
    for text in [
        "/set signal run",
        "/set signal blind",
        "/set miners on",
        "/set miners on --against-signal",
        "/set fan 3 off",
        "/set temp intake-west '70 F'",
        "/set humidity intake-west 40",
        "/set fan-watts 3 '1500 W'",
        "/set miner-watts spdu-a '0 W'",
        "/set switch smoke normal",
        "/set state miners resuming",
        "/set state signal curtail",
    ] {
        assert!(asks(text), "{text}");
    }
    for text in ["/hold", "/hold 2h new filters", "/set miners off", "/set signal curtail", "/set fan 3 on"] {
        assert!(!asks(text), "{text}");
    }
}

#[test]
fn a_code_brings_back_just_the_command_it_was_made_for() {
    let cfg = config();
    let first = handled(&cfg, &[], &ChatMemory::default(), &[said(1, "/Set fan 3 off --for 2h")], at(0)).unwrap();
    let digits = first.memory.codes[0].digits.clone();
    let confirm = said(2, &format!("/confirm {digits}"));
    let done = handled(&cfg, &[], &first.memory, std::slice::from_ref(&confirm), at(60)).unwrap();
    let [over] = done.change.overrides.as_slice() else { panic!("{:?}", done.change.overrides) };
    assert_eq!((&over.setting, over.lasts), (&Setting::Fan { fan: 3, on: false }, Seconds(7200)));
    assert_eq!(over.since, at(60), "as of the code, not of the question");
    assert!(done.memory.codes.is_empty());
    // A newer question makes the older one's code void.
    let second = handled(&cfg, &[], &first.memory, &[said(2, "/set signal run")], at(30)).unwrap();
    let stale = handled(&cfg, &[], &second.memory, &[said(3, &format!("/confirm {digits}"))], at(60)).unwrap();
    assert!(stale.change.overrides.is_empty() || second.memory.codes[0].digits == digits);
}

#[test]
fn a_hold_is_not_ended_by_a_shorter_one_without_a_code_when_the_signal_says_off() {
    let cfg = config();
    let hold = Override {
        setting: Setting::Miners { on: false, against_signal: false },
        since: at(0),
        lasts: Seconds(7200),
        by: "tester".to_owned(),
        reason: "storm".to_owned(),
    };
    let rights = ChatRights { chats: vec![CHAT], users: Vec::new() };
    let asked = |level: Level, text: &str| {
        let mut state = state();
        state.signal.level = level;
        let now = at(0);
        let overrides = [hold.clone()];
        let desk = Desk {
            cfg: &cfg,
            rights: &rights,
            state: &state,
            overrides: &overrides,
            now: &now,
            service_now: now.wall,
            in_force: "now",
        };
        handle(&desk, &ChatMemory::default(), &[said(1, text)]).unwrap().memory.codes.len() == 1
    };
    for text in ["/resume", "/clear miners", "/clear all", "/set miners auto", "/hold 1h", "/set miners off --for 1h"] {
        assert!(asked(Level::Curtail, text), "{text}");
        assert!(asked(Level::Blind, text), "{text}");
        assert!(!asked(Level::Run, text), "{text}");
    }
    assert!(!asked(Level::Curtail, "/hold 2h"), "as long as before, or longer");
}

#[test]
fn no_text_of_any_kind_does_more_than_its_words_say() {
    let cfg = config();
    let hostile = [
        "/set fan 3 on; rm -rf /",
        "/set\u{202e}fan 3 off",
        "/hold 99999999999999999999h",
        "/hold 30h",
        "/set --help",
        "/set fan 3 on --reason",
        "/clear \u{0}",
        "/ack ../../etc",
        "/confirm",
        "/",
        "/hold -1h",
    ];
    for text in hostile {
        let done = handled(&cfg, &[], &ChatMemory::default(), &[said(1, text)], at(0)).unwrap();
        assert!(done.change.overrides.is_empty(), "{text:?}: {:?}", done.change.overrides);
        assert!(done.memory.codes.is_empty(), "{text:?}");
        let ChatWords::Text(answer) = &done.memory.answers[0].says else { panic!("{text}") };
        assert!(answer.chars().count() <= 1500 && !answer.trim().is_empty());
    }
    let long = format!("/set fan 3 on --reason '{}'", "я".repeat(400));
    let done = handled(&cfg, &[], &ChatMemory::default(), &[said(1, &long)], at(0)).unwrap();
    assert_eq!(done.change.overrides[0].reason.chars().count(), 200);
}
