//! What the services that carry messages say to one. The bytes are a whole reply, with status line and headers.

use std::sync::OnceLock;

use minectl::config::{Secret, TelegramConfig};
use minectl::model::{DeliveryResult, Fault};
use minectl::notify::parse;
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
