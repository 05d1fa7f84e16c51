//! Replies over a bare socket, what their header lines say, and logins.

use std::time::Duration;

use minectl::config::Secret;
use minectl::drivers::page::{Freshness, SignalPage, check_freshness};
use minectl::drivers::parse;
use minectl::http::parse::{raw_answer, raw_is_whole};
use minectl::http::{Answer, Request};

use super::kinds::sample;
use super::{NOW, is_quotable, read, steady};

const URL: &str = "http://10.0.0.7/getData.htm";
const BODY_MAX: usize = 64 * 1024;
const SECRET: &str = "hunter2-hunter2";

/// A reply as the answer that it is.
pub fn answer(reply: &[u8]) -> Option<Answer> {
    let secret = Secret::new(SECRET);
    let mut request = Request::get("unit", URL, Duration::from_secs(5)).secret(&secret);
    request.body_max = BODY_MAX;
    let answer = raw_answer(&request, reply.to_vec()).inspect_err(is_quotable).ok()?;
    assert!(answer.body.len() <= BODY_MAX.min(reply.len()), "{} bytes of body", answer.body.len());
    Some(answer)
}

pub fn raw_reply(reply: &[u8]) -> bool {
    let is_whole = steady(|| raw_is_whole(reply));
    let Some(answer) = steady(|| answer(reply)) else { return false };
    assert!(is_whole || !reply.starts_with(b"HTTP/") || !announces_its_length(&answer), "taken before it was whole");
    let text = steady(|| answer.text());
    assert!(text.len() <= 4 * reply.len() + 16, "{} bytes of text out of {}", text.len(), reply.len());
    assert!(answer.excerpt().chars().count() <= 81 && !answer.excerpt().contains(char::is_control));
    let page = SignalPage {
        url: URL.to_owned(),
        hops: Vec::new(),
        status: answer.status,
        headers: answer.headers.clone(),
        bytes: answer.body.clone(),
        took: Duration::ZERO,
    };
    assert!(page.decoded().text.len() <= 4 * reply.len() + 16);
    let _seen: Freshness = steady(|| Freshness::of(&page));
    read(check_freshness(&page, &sample().signal, NOW));
    let _clock = steady(|| answer.date());
    if let Err(fault) = answer.accepted("unit", URL) {
        is_quotable(&fault);
        assert!(!fault.detail.contains(SECRET), "{fault}");
    }
    true
}

fn announces_its_length(answer: &Answer) -> bool {
    let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
    length.is_some() || answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
}

pub fn digest(bytes: &[u8]) -> bool {
    let challenge = String::from_utf8_lossy(bytes);
    let (password, uses) = (Secret::new(SECRET), u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let header = parse::digest(&challenge, uses, "user", &password, "http://10.0.0.7/query?a=/b");
    let Some(header) = header else { return false };
    assert!(!header.contains(SECRET), "the password itself is sent");
    assert!(header.len() <= 4 * bytes.len() + 600, "{} bytes", header.len());
    true
}
