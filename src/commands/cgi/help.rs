//! What the sample's comments say of each setting: the one place where settings are explained. Only prose is taken, so no
//! example of a secret gets out; the owner's own comments are not read, since nobody knows what is in them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::commands::config::SAMPLE;

/// Explanations by section and key; by section and an empty key that of the section itself. The top has no name.
#[derive(Debug, Default)]
pub(super) struct Help(BTreeMap<(String, String), String>);

/// `[section]`, `[[section]]`, `key = value`.
static HEADER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\[{1,2}([a-z_]+)\]{1,2}$").ok());
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^([a-z0-9_]+) = ").ok());

impl Help {
    /// Reads the sample.
    pub(super) fn of_sample() -> Help {
        let (Some(header), Some(setting)) = (&*HEADER, &*SETTING) else { return Help::default() };
        let mut help = Help::default();
        let mut section = String::new();
        // Prose since the last setting, and what explains the settings below it.
        let (mut prose, mut holds) = (Vec::new(), String::new());
        let part =
            |regex: &Regex, line: &str| regex.captures(line).and_then(|found| Some(found.get(1)?.as_str().to_owned()));
        for line in SAMPLE.lines() {
            let (text, is_comment) = uncommented(line);
            if line.starts_with("# ---") || line.trim().is_empty() {
                prose.clear();
                holds.clear();
            } else if let Some(name) = part(header, text) {
                section = name;
                help.put(&section, "", &prose.join(" "));
                prose.clear();
                holds.clear();
            } else if let Some(key) = part(setting, text) {
                if !prose.is_empty() {
                    holds = prose.join(" ");
                    prose.clear();
                }
                help.put(&section, &key, &holds);
            } else if is_comment {
                prose.push(text.to_owned());
            }
        }
        help
    }

    /// The first explanation stays: later sections of a kind are further examples.
    fn put(&mut self, section: &str, key: &str, text: &str) {
        if !text.is_empty() {
            self.0.entry((section.to_owned(), key.to_owned())).or_insert_with(|| text.to_owned());
        }
    }

    /// What is said of a key of a section (by the first word of its path); empty where nothing is.
    pub(super) fn find(&self, section: &str, key: &str) -> &str {
        self.0.get(&(section.to_owned(), key.to_owned())).map_or("", String::as_str)
    }
}

/// The line without its `#`, of which a sample inside a switched-off section has two; and whether it had any.
fn uncommented(line: &str) -> (&str, bool) {
    let once = line.strip_prefix("# ").unwrap_or(line);
    let twice = once.strip_prefix("# ").unwrap_or(once);
    (twice, once.len() != line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_explained_by_the_comment_above_it_or_above_its_group() {
        let help = Help::of_sample();
        assert!(help.find("", "mode").starts_with("What this program may do"));
        assert!(help.find("signal", "curtail_at").starts_with("Off at and above `curtail_at`"));
        assert_eq!(help.find("signal", "resume_below"), help.find("signal", "curtail_at"), "one comment for both");
        assert!(help.find("emoncms", "api_key").starts_with("The read key"), "in a section that is switched off");
        assert!(help.find("fan", "").contains("relay (from 1)"), "a section's own");
        assert_eq!(help.find("fan", "number"), "", "explained by its section");
    }

    #[test]
    fn no_example_of_a_secret_is_in_an_explanation() {
        let help = Help::of_sample();
        for secret in ["site-", "fedcba", "hunter"] {
            assert!(!help.0.values().any(|text| text.contains(secret)), "{secret}");
        }
        assert!(help.0.len() > 100, "{}: the sample is not understood", help.0.len());
    }
}
