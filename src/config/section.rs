//! The tables of the TOML text while they are read: which keys were asked for, which names were given, and every
//! mistake with its line. It knows no setting of the program; how values are written is in `value`.

use std::cell::RefCell;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::{Entry, Kind, Place, nearest};

/// A long value is cut in messages.
const MESSAGE_CHARS_MAX: usize = 400;

/// How a key's value is written, for messages and for `config set`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    /// With article and example: `a time span such as "90 s"`.
    pub(super) what: &'static str,
    /// Its TOML type.
    pub(super) kind: Kind,
}

/// What happens when a key is absent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    /// It is a mistake.
    Required,
    /// This counts; written as in the file but for the quotes of a text. Equal to the sample's value: a test compares.
    Default(&'static str),
    /// The feature is not used.
    Optional,
}

struct Mistake {
    line: Option<usize>,
    text: String,
    /// The path of the key that is missing: dropped when an unknown key was probably meant to be it.
    missing: Option<String>,
}

struct UnknownKey {
    line: usize,
    section: String,
    key: String,
    is_section: bool,
    known: Vec<&'static str>,
}

/// A name given to a device, probe or switch.
pub(super) struct GivenName {
    /// The section it was given in, e.g. `relay_board.relays-a`.
    pub(super) section: String,
    /// What must differ from each other.
    pub(super) group: &'static str,
    /// The name.
    pub(super) name: String,
}

/// One text being read.
pub(super) struct Book<'t> {
    /// The file's name for messages.
    file_name: &'t str,
    /// Relative paths start here.
    pub(super) folder: &'t Path,
    text: &'t str,
    line_ends: Vec<usize>,
    mistakes: RefCell<Vec<Mistake>>,
    unknown: RefCell<Vec<UnknownKey>>,
    entries: RefCell<Vec<Entry>>,
    names: RefCell<Vec<GivenName>>,
}

impl<'t> Book<'t> {
    pub(super) fn new(text: &'t str, file_name: &'t str, folder: &'t Path) -> Book<'t> {
        let line_ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let (mistakes, unknown, entries, names) = Default::default();
        Book { file_name, folder, text, line_ends, mistakes, unknown, entries, names }
    }

    /// The line that a byte is in, from 1.
    pub(super) fn line_at(&self, byte: usize) -> usize {
        self.line_ends.partition_point(|end| *end < byte) + 1
    }

    /// The top of the document.
    pub(super) fn root(&'t self, table: &'t DeTable<'t>) -> Section<'t> {
        Section {
            book: self,
            path: String::new(),
            table: Some(table),
            line: None,
            header_end: None,
            inline: false,
            asked: RefCell::default(),
        }
    }

    /// A mistake about a whole line, or about the file.
    pub(super) fn mistake_in_line(&self, line: Option<usize>, text: impl Into<String>) {
        self.mistakes.borrow_mut().push(Mistake { line, text: text.into(), missing: None });
    }

    /// A mistake in a key's value, at its line (its section's when it is absent).
    pub(super) fn mistake(&self, path: &str, cause: impl AsRef<str>) {
        let line = self.entries.borrow().iter().find(|entry| entry.path == path).and_then(|entry| entry.line);
        self.mistake_in_line(line, format!("`{path}`: {}", cause.as_ref()));
    }

    /// Looks up a given name.
    pub(super) fn find_name(&self, found: impl Fn(&GivenName) -> bool) -> Option<String> {
        self.names.borrow().iter().find(|given| found(given)).map(|given| given.name.clone())
    }

    /// All names given in sections of this kind.
    pub(super) fn names_in(&self, section: &str) -> Vec<String> {
        let inside = |given: &&GivenName| given.section.split('.').next() == Some(section);
        self.names.borrow().iter().filter(inside).map(|given| given.name.clone()).collect()
    }

    fn starts(&self, byte: usize, first: char) -> bool {
        self.text.get(byte..).is_some_and(|rest| rest.starts_with(first))
    }

    /// The keys that were asked for, and the mistakes as lines for the owner, in the file's order.
    pub(super) fn close(self) -> (Vec<Entry>, Vec<String>) {
        let mut mistakes = self.mistakes.into_inner();
        let entries = self.entries.into_inner();
        for unknown in self.unknown.into_inner() {
            let (text, meant) = unknown.explain(&entries);
            if let Some(meant) = meant {
                mistakes.retain(|mistake| mistake.missing.as_ref() != Some(&meant));
            }
            mistakes.push(Mistake { line: Some(unknown.line), text, missing: None });
        }
        mistakes.sort_by_key(|mistake| mistake.line.unwrap_or(usize::MAX));
        let mut lines: Vec<String> = mistakes.iter().map(|mistake| mistake.show(self.file_name)).collect();
        lines.dedup();
        (entries, lines)
    }
}

impl Mistake {
    fn show(&self, file_name: &str) -> String {
        let text: String = one_line(&self.text).chars().take(MESSAGE_CHARS_MAX).collect();
        match self.line {
            Some(line) => format!("{file_name}:{line}: {text}"),
            None => format!("{file_name}: {text}"),
        }
    }
}

/// Control characters are escaped: one mistake is one line, whatever was typed.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

impl UnknownKey {
    /// The line for the owner, and the path of the key that was probably meant.
    fn explain(&self, entries: &[Entry]) -> (String, Option<String>) {
        let (name, shown) = (&self.key, |key: &str| if self.is_section { format!("[{key}]") } else { key.to_owned() });
        let what = if self.is_section { "section" } else { "key" };
        let start = format!("unknown {what} `{}`", shown(name));
        if let Some(meant) = nearest(name, self.known.iter().copied()) {
            return (format!("{start}; did you mean `{}`?", shown(meant)), Some(join(&self.section, meant)));
        }
        let elsewhere = entries.iter().find(|entry| entry.key == name).map(|entry| section_of(&entry.path));
        if let Some(section) = elsewhere.filter(|section| !section.is_empty() && !self.is_section) {
            return (format!("{start}; it belongs to `{section}`"), None);
        }
        (format!("{start}; known here: {}", self.known.join(", ")), None)
    }
}

/// The section of a path: `signal` of `signal.url`, `pdu` of `pdu.spdu-a.url`.
fn section_of(path: &str) -> String {
    path.split_once('.').map_or_else(String::new, |(section, _)| format!("[{section}]"))
}

fn join(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// One table while it is read. An absent one still answers, with defaults and without complaining, so that its keys
/// are known.
pub(super) struct Section<'t> {
    pub(super) book: &'t Book<'t>,
    /// How its keys are addressed: empty at the top, `signal`, `pdu.spdu-a`.
    pub(super) path: String,
    table: Option<&'t DeTable<'t>>,
    line: Option<usize>,
    header_end: Option<usize>,
    inline: bool,
    asked: RefCell<Vec<&'static str>>,
}

impl<'t> Section<'t> {
    pub(super) fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the file has this key, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The line of a key that is there, else of the section.
    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        let value = self.table.and_then(|table| table.get(key));
        value.map(|value| self.book.line_at(value.span().start)).or(self.line)
    }

    /// The path of one of its keys.
    pub(super) fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// A mistake in the value of one of its keys.
    pub(super) fn mistake(&self, key: &str, cause: impl AsRef<str>) {
        self.book.mistake(&self.path_of(key), cause);
    }

    /// A mistake of the section as a whole.
    pub(super) fn mistake_here(&self, cause: impl AsRef<str>) {
        self.book.mistake_in_line(self.line, format!("`{}`: {}", self.path, cause.as_ref()));
    }

    /// Says that a required key is not there, unless its whole section is not.
    pub(super) fn missing(&self, key: &str, what: &str) {
        if !self.is_present() {
            return;
        }
        let place = if self.path.is_empty() { "at the top".to_owned() } else { format!("in `{}`", self.path) };
        let text = format!("missing key `{key}` {place}; it is {what}");
        let missing = Some(self.path_of(key));
        self.book.mistakes.borrow_mut().push(Mistake { line: self.line, text, missing });
    }

    /// The value of a key, if it is there; notes that the key is known, and complains when it is missing.
    pub(super) fn ask(
        &self,
        key: &'static str,
        want: Want,
        need: Need,
        secret: bool,
    ) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().push(key);
        let value = self.table.and_then(|table| table.get(key));
        let default = if let Need::Default(text) = need { Some(text) } else { None };
        let (line, place) = match value {
            Some(value) => (Some(self.book.line_at(value.span().start)), Place::Value(value.span())),
            None => (self.line, self.place_of_new_key()),
        };
        let shown = value.filter(|_| !secret).map(|value| match value.get_ref().as_str() {
            Some(text) => text.to_owned(),
            None => self.book.text.get(value.span()).unwrap_or_default().to_owned(),
        });
        let entry = Entry { path: self.path_of(key), key, line, kind: want.kind, default, secret, place, shown };
        self.book.entries.borrow_mut().push(entry);
        if value.is_none() && matches!(need, Need::Required) {
            self.missing(key, want.what);
        }
        value
    }

    /// Gives a name to the section; within one group all must differ, since they are keys of what is stored.
    pub(super) fn take_name(&self, key: &'static str, group: &'static str, name: &str) {
        if self.book.find_name(|given| given.group == group && given.name == name).is_some() {
            self.mistake(key, format!("the name `{name}` is given twice; each {group} needs its own"));
        }
        let given = GivenName { section: self.path.clone(), group, name: name.to_owned() };
        self.book.names.borrow_mut().push(given);
    }

    fn place_of_new_key(&self) -> Place {
        let Some(table) = self.table else { return Place::NewSection(self.path.clone()) };
        let values = table.iter().filter(|(_, value)| !self.is_header(value));
        let last = values.map(|(_, value)| value.span().end).max();
        match (last, self.header_end) {
            (Some(last), _) if self.inline => Place::InlineAfter(last),
            (last, header_end) => Place::AfterLine(last.max(header_end)),
        }
    }

    /// Whether a value is a table with a header of its own: its span is that header's.
    fn is_header(&self, value: &Spanned<DeValue<'t>>) -> bool {
        match value.get_ref() {
            DeValue::Table(_) => self.book.starts(value.span().start, '['),
            DeValue::Array(_) => self.book.text.get(value.span()).is_some_and(|text| text.starts_with("[[")),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => false,
        }
    }

    /// A table inside this one. A required one that is missing is a mistake.
    pub(super) fn section(&self, key: &'static str, required: bool) -> Section<'t> {
        self.asked.borrow_mut().push(key);
        let value = self.table.and_then(|table| table.get(key));
        if value.is_none() && required {
            let text = format!("missing section `[{key}]`; `minectl config init` writes a sample that has it");
            let missing = Some(self.path_of(key));
            self.book.mistakes.borrow_mut().push(Mistake { line: None, text, missing });
        }
        let table = value.and_then(|value| value.get_ref().as_table());
        if let (Some(value), None) = (value, table) {
            let line = Some(self.book.line_at(value.span().start));
            self.book.mistake_in_line(line, format!("`{key}` must be one section `[{key}]`"));
        }
        self.inner(self.path_of(key), value.filter(|_| table.is_some()), table)
    }

    /// The tables of an array: `[[key]]` sections, or inline tables.
    pub(super) fn sections(&self, key: &'static str, want: Want, need: Need) -> Vec<Section<'t>> {
        let value = self.table.and_then(|table| table.get(key));
        if value.is_some_and(|value| self.is_header(value)) || want.kind != Kind::Array {
            self.asked.borrow_mut().push(key);
            if value.is_none() && matches!(need, Need::Required) {
                self.book.mistake_in_line(self.line, format!("missing section `[[{key}]]`; {}", want.what));
            }
        } else {
            self.ask(key, want, need, false);
        }
        let Some(value) = value else { return Vec::new() };
        let line = |value: &Spanned<DeValue<'_>>| Some(self.book.line_at(value.span().start));
        let Some(array) = value.get_ref().as_array() else {
            self.book.mistake_in_line(line(value), format!("`{}`: wanted {}", self.path_of(key), want.what));
            return Vec::new();
        };
        let mut sections: Vec<Section<'t>> = Vec::new();
        for (index, item) in array.iter().enumerate() {
            let Some(table) = item.get_ref().as_table() else {
                self.book.mistake_in_line(line(item), format!("`{}`: wanted {}", self.path_of(key), want.what));
                continue;
            };
            let taken = |id: &str| sections.iter().any(|other| other.path == format!("{}.{id}", self.path_of(key)));
            let id = id_of(table).filter(|id| !taken(id)).unwrap_or_else(|| (index + 1).to_string());
            let path = format!("{}.{id}", self.path_of(key));
            sections.push(self.inner(path, Some(item), Some(table)));
        }
        sections
    }

    fn inner(
        &self,
        path: String,
        value: Option<&'t Spanned<DeValue<'t>>>,
        table: Option<&'t DeTable<'t>>,
    ) -> Section<'t> {
        Section {
            book: self.book,
            path,
            table,
            line: value.map(|value| self.book.line_at(value.span().start)),
            header_end: value.map(|value| value.span().end),
            inline: value.is_some_and(|value| self.book.starts(value.span().start, '{')),
            asked: RefCell::default(),
        }
    }

    /// Ends the reading of this table: keys that nobody asked for are mistakes.
    pub(super) fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, value) in self.table.into_iter().flatten() {
            if asked.contains(&key.get_ref().as_ref()) {
                continue;
            }
            let unknown = UnknownKey {
                line: self.book.line_at(key.span().start),
                section: self.path.clone(),
                key: one_line(key.get_ref()),
                is_section: self.path.is_empty() && (value.get_ref().is_table() || self.is_header(value)),
                known: asked.clone(),
            };
            self.book.unknown.borrow_mut().push(unknown);
        }
    }
}

/// What an element of an array is addressed by: its name or, for a fan, its number. Dots would split a path.
fn id_of(table: &DeTable<'_>) -> Option<String> {
    let name = table.get("name").and_then(|name| name.get_ref().as_str());
    let number = table.get("number").and_then(|number| number.get_ref().as_integer());
    let id = name.map(str::to_owned).or_else(|| number.map(ToString::to_string))?;
    (!id.is_empty() && !id.contains('.')).then(|| one_line(&id))
}
