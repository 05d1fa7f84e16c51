//! What the services that carry messages say to one. The bytes are a whole reply, with status line and headers.

use std::sync::OnceLock;

use minectl::by_hand::{Desk, handle};
use minectl::config::{ChatRights, Secret, TelegramConfig};
use minectl::influx::{self, Said};
use minectl::model::{ChatMemory, DeliveryResult, Fault, Level, Override, Setting, SiteState};
use minectl::notify::parse;
use minectl::units::{BootId, Moment, Seconds};
use regex::Regex;

use super::wire::answer;
use super::{NOW, is_quotable, steady};
use crate::checks::kinds::sample;

/// The longest wait that a service is granted.
const WAIT_MAX_S: i64 = 15 * 60;

/// Whether the message was taken; a fault must be quotable and quote no secret.
fn is_taken(result: DeliveryResult, secret: &str) -> bool {
    let about = |fault: &Fault| {
        is_quotable(fault);
        assert!(!fault.detail.contains(secret), "{fault}");
    };
    match result {
        DeliveryResult::Accepted(remark) => {
            remark.iter().for_each(about);
            return true;
        }
        DeliveryResult::Later(fault, next) => {
            about(&fault);
            assert!((NOW.0..=NOW.0 + WAIT_MAX_S).contains(&next.0), "asked to wait until {next:?}");
        }
        DeliveryResult::Refused(fault) => about(&fault),
    }
    false
}

pub fn telegram(reply: &[u8]) -> bool {
    let Some(answer) = answer(reply) else { return false };
    let cfg: &TelegramConfig = sample().telegram.as_ref().unwrap();
    let (result, moved_to) = steady(|| parse::telegram(cfg, &answer, NOW));
    let is_taken = is_taken(result, cfg.token.reveal());
    assert!(!(is_taken && moved_to.is_some()));
    assert!(!is_taken || (200..300).contains(&answer.status));
    is_taken
}

/// What people wrote, and what would be done for it: nothing for whom the configuration does not name.
pub fn telegram_updates(reply: &[u8]) -> bool {
    let Some(answer) = answer(reply) else { return false };
    let cfg = sample();
    let settings = cfg.telegram.as_ref().unwrap();
    let fetched = steady(|| parse::telegram_updates(settings, &answer));
    let Ok(fetched) = fetched.inspect_err(|fault| {
        is_quotable(fault);
        assert!(!fault.detail.contains(settings.token.reveal()), "{fault}");
    }) else {
        return false;
    };
    assert!((200..300).contains(&answer.status) && fetched.updates.len() <= 100);
    assert!(fetched.updates.is_sorted_by(|one, next| one.id < next.id), "an update twice, or out of turn");
    let now = Moment { wall: NOW, boot: BootId(7), up: Seconds(4000) };
    let state = SiteState::boot(now);
    let done = |chats: Vec<i64>| {
        let rights = ChatRights { chats, users: Vec::new() };
        let desk =
            Desk { cfg, rights: &rights, state: &state, overrides: &[], now: &now, service_now: NOW, in_force: "now" };
        handle(&desk, &ChatMemory::default(), &fetched.updates)
    };
    if let Some(nobody) = done(vec![i64::MIN]) {
        assert!(
            nobody.change.overrides.is_empty() && nobody.memory.answers.is_empty() && nobody.memory.codes.is_empty()
        );
    }
    let chats = fetched.updates.iter().filter_map(|update| Some(update.message.as_ref()?.chat)).collect();
    if let Some(all) = done(chats) {
        let said = || all.change.overrides.iter().flat_map(|over| [&over.by, &over.reason]).chain(&all.lines);
        assert!(said().all(|text| !text.chars().any(char::is_control)), "control characters");
        assert!(all.memory.answers.len() <= 20 && all.change.overrides.len() <= 10);
        let dangerous = |over: &Override| {
            matches!(
                over.setting,
                Setting::Miners { on: true, .. } | Setting::Signal(Level::Run) | Setting::Fan { on: false, .. }
            )
        };
        assert!(!all.change.overrides.iter().any(dangerous), "done without a code");
    }
    !fetched.updates.is_empty()
}

pub fn sms(reply: &[u8]) -> bool {
    static SUCCESS: OnceLock<Regex> = OnceLock::new();
    let success = SUCCESS.get_or_init(|| Regex::new(r#""status":\s*"accepted""#).unwrap());
    let Some(answer) = answer(reply) else { return false };
    let secret = Secret::new("site-twilio-token");
    let twilio = is_taken(steady(|| parse::twilio(&answer, &[&secret], NOW)), secret.reveal());
    let template = steady(|| parse::template(&answer, success, Some(success), &[&secret], NOW));
    assert!(!is_taken(template, secret.reveal()), "what matches `refused` is never taken");
    let template = is_taken(steady(|| parse::template(&answer, success, None, &[&secret], NOW)), secret.reveal());
    assert!(!(twilio || template) || (200..300).contains(&answer.status));
    twilio || template
}

pub fn dead_man(reply: &[u8]) -> bool {
    let Some(answer) = answer(reply) else { return false };
    let is_taken = steady(|| parse::dead_man(answer.status, &answer.text())).is_none();
    assert!(!is_taken || (200..300).contains(&answer.status));
    is_taken
}

/// What the service for the trends says to some lines; a fault quotes no more of it than fits.
pub fn influx(reply: &[u8]) -> bool {
    let Some(answer) = answer(reply) else { return false };
    let said = steady(|| influx::judged(answer.clone(), "http://10.0.0.5:8086/write?db=mine"));
    match &said {
        Said::Taken => assert!((200..300).contains(&answer.status), "taken with status {}", answer.status),
        Said::TakenInPart(fault) | Said::Refused(fault) => {
            is_quotable(fault);
            assert!((400..500).contains(&answer.status), "given up with status {}", answer.status);
        }
        Said::Failed(fault) => is_quotable(fault),
    }
    said == Said::Taken
}
