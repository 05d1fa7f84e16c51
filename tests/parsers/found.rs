//! What fuzzing and reading for it have found, each with the bytes that showed it.

use std::time::Duration;

use minectl::drivers::parse;
use minectl::http::excerpt;

use crate::checks::check;
use crate::checks::config::{NOWHERE, room};
use crate::costly::cpu_time;

#[test]
fn a_quotation_from_two_megabytes_of_brackets_takes_no_time() {
    for piece in ["<", "<a", "< >", "<a >", "<a><"] {
        let text = piece.repeat(2_000_000 / piece.len());
        let took = cpu_time(|| assert!(excerpt(&text).chars().count() <= 81));
        assert!(took < Duration::from_millis(400), "{took:?} for many {piece:?}");
    }
}

#[test]
fn the_names_of_arrays_in_a_units_answer_are_cut_and_on_one_line() {
    let long = "x".repeat(5000);
    let body = format!(r#"{{"serial":"1","a\nb":[],"{long}":[]}}"#);
    let reading = parse::room_alert(&body, &room(NOWHERE)).unwrap();
    let fault = reading.probes["middle"].temperature.clone().unwrap_err();
    assert!(fault.detail.contains("`a b`") && fault.detail.len() < 400, "{fault}");
    check("room_alert")(body.as_bytes());
}

#[test]
fn a_token_that_comes_back_with_a_control_character_in_it_is_masked_all_the_same() {
    let reply =
        "HTTP/1.1 401 Unauthorized\r\n\r\n{\"ok\":false,\"description\":\"no 123456:site-\u{1}telegram-token\"}";
    check("telegram")(reply.as_bytes());
    let escaped = reply.replace('\u{1}', "\\u0001");
    check("telegram")(escaped.as_bytes());
}
