//! What the tests of the configuration share: the sample, and edits of it.

use std::path::{Path, PathBuf};

use minectl::config::{self, Config};
use minectl::error::Error;

pub const SAMPLE: &str = include_str!("../../config.txt");

/// Checks a text as the file `config.txt` in `/tmp`.
pub fn parse(text: &str) -> Result<Config, Vec<String>> {
    config::parse(text, "config.txt", Path::new("/tmp"))
}

/// The configuration of a sound text; else the test fails with the mistakes.
pub fn sound(text: &str) -> Config {
    parse(text).unwrap_or_else(|mistakes| panic!("{}", mistakes.join("\n")))
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

/// Replacing the passage must give exactly one mistake, at the line where `to` begins, with these words in it.
pub fn one_mistake(from: &str, to: &str, words: &str) {
    let text = changed(from, to);
    let found = parse(&text).err().unwrap_or_default();
    assert_eq!(found.len(), 1, "{to}: {found:#?}");
    let start = SAMPLE.find(from).unwrap();
    let first = text[..start].matches('\n').count() + 1;
    let line: usize = found[0].split(':').nth(1).unwrap().parse().unwrap_or_else(|_| panic!("no line: {}", found[0]));
    assert!((first..=first + to.matches('\n').count()).contains(&line), "line {line}, not {first}: {}", found[0]);
    assert!(found[0].contains(words), "`{words}` is not in: {}", found[0]);
}

/// Replacing the passage must leave the sample sound.
pub fn no_mistake(from: &str, to: &str) {
    let found = mistakes(from, to);
    assert!(found.is_empty(), "{to}: {found:#?}");
}

/// Takes the `# ` from the lines between the first that starts with `first` and the last that starts with `last`.
pub fn uncommented(text: &str, first: &str, last: &str) -> String {
    let start = text.find(&format!("\n# {first}")).unwrap_or_else(|| panic!("no `# {first}`")) + 1;
    let end = start + text[start..].find(&format!("# {last}")).unwrap_or_else(|| panic!("no `# {last}`"));
    let end = end + text[end..].find('\n').unwrap();
    let block: Vec<&str> = text[start..end].lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    format!("{}{}{}", &text[..start], block.join("\n"), &text[end..])
}

/// The text without the section that this header begins.
pub fn without_section(text: &str, header: &str) -> String {
    let start = text.find(&format!("\n{header}\n")).unwrap_or_else(|| panic!("no {header}")) + 1;
    let end = text[start..].find("\n\n").map_or(text.len(), |length| start + length + 1);
    format!("{}{}", &text[..start], &text[end..])
}

/// A folder with the sample (or another text) as `config.txt`, mode 0640.
pub fn folder_with(text: &str) -> (tempfile::TempDir, PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.txt");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    (folder, path)
}

/// What a command printed, or its error.
pub fn run(command: impl FnOnce(&mut dyn std::io::Write) -> Result<(), Error>) -> Result<String, Error> {
    let mut out = Vec::new();
    command(&mut out)?;
    Ok(String::from_utf8(out).unwrap())
}
