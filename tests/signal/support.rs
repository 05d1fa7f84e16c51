//! What these tests share: the fixtures, and the sample configuration with a fixture's `[signal]` in it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minectl::clock::Clock;
use minectl::commands::signal::{Source, explain};
use minectl::config::{self, Config};
use minectl::model::{Reading, SignalReading};
use minectl::units::UnixSeconds;

const SAMPLE: &str = include_str!("../../config.txt");

/// 2026-11-22 14:10 in Chicago.
pub const NOW: UnixSeconds = UnixSeconds(1_795_378_200);

/// The folder of a kind's fixtures.
pub fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/signal").join(kind)
}

/// A fixture's bytes.
pub fn page(kind: &str, name: &str) -> Vec<u8> {
    std::fs::read(folder(kind).join(name)).unwrap_or_else(|error| panic!("{kind}/{name}: {error}"))
}

/// The pages of a kind whose names begin so.
pub fn pages(kind: &str, start: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder(kind)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(start) && !name.ends_with(".toml")).collect();
    names.sort();
    names
}

/// The sample with these lines in place of its `[signal]`.
pub fn with_lines(lines: &str) -> Config {
    let start = SAMPLE.find("\n[signal]\n").unwrap() + 1;
    let end = start + SAMPLE[start..].find("\n# ---").unwrap();
    let whole = format!("{}{lines}{}", &SAMPLE[..start], &SAMPLE[end..]);
    config::parse(&whole, "config.txt", Path::new("/tmp")).unwrap_or_else(|mistakes| panic!("{}", mistakes.join("\n")))
}

/// The configuration of a kind, its page at `url`; `more` are further lines.
pub fn cfg(kind: &str, url: &str, more: &str) -> Config {
    let lines = std::fs::read_to_string(folder(kind).join("signal.toml")).unwrap();
    with_lines(&format!("[signal]\nurl = \"{url}\"\ntimeout = \"2 s\"\n{more}{lines}"))
}

/// What `signal explain` prints of a page, with its exit code.
pub fn explained(cfg: &Config, source: Source, now: UnixSeconds) -> (u8, String) {
    let mut out = Vec::new();
    let code = explain(cfg, source, now, &mut out).unwrap();
    (code, String::from_utf8(out).unwrap())
}

/// The same of a saved page.
pub fn explained_file(cfg: &Config, name: &str, bytes: Vec<u8>, now: UnixSeconds) -> (u8, String) {
    explained(cfg, Source::File { name: name.to_owned(), bytes }, now)
}

/// What a run reads of the page now.
pub fn sensed(cfg: &Config, now: UnixSeconds) -> Reading<SignalReading> {
    let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let clock = Clock::parse(&format!("{real}:{}:1", now.0)).unwrap();
    minectl::drivers::sense(cfg, &clock, Duration::from_secs(4), &[]).signal
}

/// A header line's moment.
pub fn http_date(at: UnixSeconds) -> String {
    jiff::Timestamp::from_second(at.0).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
