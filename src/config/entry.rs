//! What the reader was asked for, key by key: the one list of known keys that `config get`, `config set` and the hints
//! live on. It is made while reading, so it cannot drift apart from what is read.

use std::ops::Range;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text in quotes.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// An array of texts.
    Texts,
    /// An array of numbers or of inline tables.
    Array,
    /// A text, a number, or `true` or `false`.
    Scalar,
}

/// Where a key's value is in the text, or where the key would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The bytes of its value.
    Value(Range<usize>),
    /// Absent: a line of its own after the line that this byte is in (none: the first line).
    AfterLine(Option<usize>),
    /// Absent: behind this byte, inside an inline table.
    InlineAfter(usize),
    /// Absent together with its section of this name.
    NewSection(String),
}

/// One key that the reader knows.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it is said: `signal.curtail_at`, `fan.3.relay`, `pdu.spdu-a.url`.
    pub path: String,
    /// Its last part, as it is written in the file.
    pub key: &'static str,
    /// Line of the value, or of its section; `None` when there is neither.
    pub line: Option<usize>,
    /// How its value is written.
    pub kind: Kind,
    /// What counts when it is absent, as it would be written but for the quotes of a text.
    pub default: Option<&'static str>,
    /// Whether its value must not be shown.
    pub secret: bool,
    /// Where it is or would go.
    pub place: Place,
    /// The value as typed but for the quotes of a text; `None` when it is absent. Never a secret.
    pub shown: Option<String>,
}

impl Entry {
    /// Whether it is in the file.
    pub fn is_present(&self) -> bool {
        matches!(self.place, Place::Value(_))
    }
}

/// The known name that was probably meant; `None` when none is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |known: &str| strsim::damerau_levenshtein(name, known);
    let (found, best) = known.into_iter().map(|k| (k, distance(k))).min_by_key(|(_, d)| *d)?;
    let longer = name.chars().count().max(found.chars().count());
    (best <= (longer / 3).max(1)).then_some(found)
}
