//! What fuzzing and reading for it have found, each with the bytes that showed it.

use std::time::{Duration, Instant};

use minectl::http::excerpt;

#[test]
fn a_quotation_from_two_megabytes_of_brackets_takes_no_time() {
    for piece in ["<", "<a", "< >", "<a >", "<a><"] {
        let text = piece.repeat(2_000_000 / piece.len());
        let began = Instant::now();
        assert!(excerpt(&text).chars().count() <= 81);
        let took = began.elapsed();
        assert!(took < Duration::from_millis(400), "{took:?} for many {piece:?}");
    }
}
