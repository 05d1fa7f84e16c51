//! What the tests of the configuration share: the sample, and edits of it.

use std::path::Path;

use minectl::config::{self, Config};

pub const SAMPLE: &str = include_str!("../../config.txt");

/// Checks a text as the file `config.txt` in `/tmp`.
pub fn parse(text: &str) -> Result<Config, Vec<String>> {
    config::parse(text, "config.txt", Path::new("/tmp"))
}

/// The sample with one passage replaced; it must be there exactly once.
pub fn changed(from: &str, to: &str) -> String {
    assert_eq!(SAMPLE.matches(from).count(), 1, "`{from}` is not once in the sample");
    SAMPLE.replace(from, to)
}

/// The mistakes of the sample with one passage replaced; none when it is sound.
pub fn mistakes(from: &str, to: &str) -> Vec<String> {
    parse(&changed(from, to)).err().unwrap_or_default()
}

/// The line, from 1, that a passage of a text is in.
pub fn line_of(text: &str, passage: &str) -> usize {
    let at = text.find(passage).unwrap_or_else(|| panic!("`{passage}` is not there"));
    text[..at].matches('\n').count() + 1
}
