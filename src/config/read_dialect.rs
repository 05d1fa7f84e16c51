//! Reads how a PDU that speaks JSON is spoken to: each key from its own section, else from its preset.

use std::path::Path;

use serde_json::Value;
use toml::de::DeTable;

use super::check;
use super::entry::Kind;
use super::preset;
use super::read_pdu::{BODY, METHODS, PATH, json, path};
use super::section::{Book, Need, Section, Want};
use super::value::{TEXT, one_of};
use super::{Ask, BodyTest, Derived, Login, PduDialect, Volts};

const POINTER: Want =
    Want { what: "a JSON pointer such as \"/outlets\", or \"\" for the whole document", kind: Kind::Text };

/// The keys that describe a PDU without a preset.
const DIALECT_KEYS: [&str; 9] =
    ["read_path", "items", "state", "on", "off", "switch_method", "switch_path", "on_body", "off_body"];

/// A section and the preset below it.
struct Layers<'a, 't> {
    own: &'a Section<'t>,
    preset: Option<&'a Section<'a>>,
    need: Need,
}

pub(super) fn read(s: &Section<'_>) -> Option<PduDialect> {
    let preset = s.checked("preset", TEXT, Need::Optional, |text| one_of(text, &preset::NAMES));
    let describes_itself = DIALECT_KEYS.iter().any(|key| s.has(key));
    if !s.has("preset") && !describes_itself {
        // A forgotten or misspelt preset is one mistake, not a dozen missing keys.
        s.missing("preset", "such as \"digital-shovel\"; or describe the PDU, see the sample of `minectl config init`");
    }
    let need = if s.has("preset") || !describes_itself { Need::Optional } else { Need::Required };
    let Some(text) = preset else { return dialect(&Layers { own: s, preset: None, need }) };
    let book = Book::new(text, "preset", Path::new(""));
    let table = DeTable::parse_recoverable(text).0;
    let preset = book.root(table.get_ref());
    dialect(&Layers { own: s, preset: Some(&preset), need })
}

impl Layers<'_, '_> {
    /// Whether either has this key.
    fn has(&self, key: &str) -> bool {
        self.own.has(key) || self.preset.is_some_and(|preset| preset.has(key))
    }

    /// The section's own value, else the preset's.
    fn pick<T>(&self, need: Need, key: &'static str, read: impl Fn(&Section<'_>, Need) -> Option<T>) -> Option<T> {
        let own = read(self.own, need);
        if self.own.has(key) { own } else { self.preset.and_then(|preset| read(preset, Need::Optional)) }
    }

    fn text<T>(
        &self,
        need: Need,
        key: &'static str,
        want: Want,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.pick(need, key, |section, need| section.checked(key, want, need, &check))
    }

    fn optional_pointer(&self, key: &'static str) -> Option<String> {
        self.text(Need::Optional, key, POINTER, optional_pointer).flatten()
    }

    /// Pointers; an empty one counts for none.
    fn pointers(&self, key: &'static str) -> Vec<String> {
        let all = self.pick(Need::Optional, key, |section, need| section.texts(key, need, pointer));
        all.unwrap_or_default().into_iter().filter(|pointer| !pointer.is_empty()).collect()
    }

    fn values(&self, need: Need, key: &'static str) -> Option<Vec<Value>> {
        self.pick(need, key, |section, need| section.scalars(key, need))
    }

    fn number(&self, key: &'static str, default: f64) -> f64 {
        let number = self.pick(Need::Optional, key, |section, need| section.fraction(key, need)).unwrap_or(default);
        if number <= 0.0 {
            self.own.mistake(key, "must be above 0");
        }
        number
    }

    fn headers(&self, key: &'static str) -> Vec<String> {
        let header = |line: &str| check::header(line, "{token}");
        self.pick(Need::Optional, key, |section, need| section.texts(key, need, header)).unwrap_or_default()
    }

    /// The test of an answer's body: both keys or none.
    fn body_test(&self, pointer_key: &'static str, value_key: &'static str) -> Option<BodyTest> {
        let pointer = self.optional_pointer(pointer_key);
        let need = if pointer.is_some() && !self.has(value_key) { Need::Required } else { Need::Optional };
        let wanted = self.values(need, value_key);
        if pointer.is_none() && self.own.has(value_key) && !self.has(pointer_key) {
            self.own.mistake(value_key, format!("needs `{pointer_key}` beside it: where the value stands"));
        }
        Some(BodyTest { pointer: pointer?, wanted: wanted? })
    }

    /// A further request that reads; a body makes it a POST.
    fn ask(&self, path_key: &'static str, body_key: &'static str, headers: &[String]) -> Option<Ask> {
        let found = self.text(Need::Optional, path_key, PATH, path);
        let body = self.text(Need::Optional, body_key, BODY, json);
        if found.is_none() && self.own.has(body_key) && !self.has(path_key) {
            self.own.mistake(body_key, format!("needs `{path_key}` beside it"));
        }
        Some(Ask { method: reading(&body), path: found?, body, headers: headers.to_vec(), done: None })
    }
}

fn reading(body: &Option<Value>) -> String {
    if body.is_some() { "POST" } else { "GET" }.to_owned()
}

fn dialect(l: &Layers<'_, '_>) -> Option<PduDialect> {
    let unit = l.pick(Need::Optional, "unit", |section, need| section.text("unit", need));
    let (read_path, read_body) =
        (l.text(l.need, "read_path", PATH, path), l.text(Need::Optional, "read_body", BODY, json));
    let (read_headers, switch_headers) = (l.headers("read_headers"), l.headers("switch_headers"));
    let read_done = l.body_test("read_ok", "read_ok_value");
    let asks_each =
        [read_path.as_deref().unwrap_or_default(), &read_body.as_ref().map(Value::to_string).unwrap_or_default()]
            .iter()
            .any(|text| text.contains("{id}"));
    let items = l.text(if asks_each { Need::Optional } else { l.need }, "items", POINTER, pointer);
    let id = l.text(if asks_each { Need::Optional } else { l.need }, "id", POINTER, id_pointer);
    let id_offset = l.pick(Need::Optional, "id_offset", |section, need| section.number("id_offset", need, -1..=1));
    let watts = l.optional_pointer("watts");
    let watts_scale = l.number("watts_scale", 1.0);
    let watts_ask = l.ask("watts_path", "watts_body", &read_headers);
    let derived = derived(l);
    let state = l.text(l.need, "state", POINTER, pointer);
    let (on, off) = (l.values(l.need, "on"), l.values(l.need, "off"));
    let updated = l.optional_pointer("updated");
    let (auto_reset, schedule) = (l.optional_pointer("auto_reset"), l.optional_pointer("schedule"));
    let schedule_ask = l.ask("schedule_path", "schedule_body", &read_headers);
    let (suspended, in_transition) = (l.pointers("suspended"), l.pointers("in_transition"));
    let suspended_value = l.values(Need::Optional, "suspended_value").unwrap_or_default();
    let total_watts = l.optional_pointer("total_watts");
    let total_done = l.body_test("total_ok", "total_ok_value");
    let total_ask = l.ask("total_path", "total_body", &read_headers).map(|ask| Ask { done: total_done, ..ask });
    let switch_method = l.pick(l.need, "switch_method", |section, need| section.word("switch_method", need, &METHODS));
    let switch_path = l.text(l.need, "switch_path", PATH, path);
    let on_path = l.text(Need::Optional, "on_path", PATH, path);
    let off_path = l.text(Need::Optional, "off_path", PATH, path);
    let (on_body, off_body) = (l.text(l.need, "on_body", BODY, json), l.text(l.need, "off_body", BODY, json));
    let done = l.body_test("switch_ok", "switch_ok_value");
    let form = l.pick(Need::Optional, "body_type", |section, need| {
        section.word("body_type", need, &[("json", false), ("form", true)])
    });
    let login = login(l);
    let (switch_method, switch_path) = (switch_method?, switch_path?);
    let switch = |body: Option<Value>, own: Option<String>| {
        Some(Ask {
            method: switch_method.to_owned(),
            path: own.unwrap_or_else(|| switch_path.clone()),
            body: Some(body?),
            headers: switch_headers.clone(),
            done: done.clone(),
        })
    };
    let dialect = PduDialect {
        unit,
        read: Ask {
            method: reading(&read_body),
            path: read_path?,
            body: read_body,
            headers: read_headers,
            done: read_done,
        },
        items: items.or_else(|| asks_each.then(String::new))?,
        id: id.or_else(|| asks_each.then(|| "@key".to_owned()))?,
        id_offset: id_offset.unwrap_or(0),
        watts,
        watts_scale,
        watts_ask,
        derived,
        state: state?,
        on: on?,
        off: off?,
        in_transition,
        updated,
        auto_reset,
        schedule,
        schedule_ask,
        suspended,
        suspended_value,
        total_watts,
        total_ask,
        switch_on: switch(on_body, on_path)?,
        switch_off: switch(off_body, off_path)?,
        form: form.unwrap_or(false),
        login,
    };
    check_dialect(l, &dialect);
    Some(dialect)
}

fn derived(l: &Layers<'_, '_>) -> Option<Derived> {
    let amps = l.optional_pointer("amps");
    let amps_scale = l.number("amps_scale", 1.0);
    let volts = l.pick(Need::Optional, "volts", |section, need| section.scalar("volts", need));
    let power_factor = l.number("power_factor", 1.0);
    let volts = match volts {
        None => None,
        Some(Value::String(text)) => pointer(&text).map(Volts::At).map_err(|cause| l.own.mistake("volts", cause)).ok(),
        Some(other) => other.as_f64().filter(|volts| (1.0..=1000.0).contains(volts)).map(Volts::Fixed).or_else(|| {
            l.own.mistake("volts", "wanted a JSON pointer, or volts from 1 to 1000");
            None
        }),
    };
    if amps.is_some() && !l.has("volts") {
        l.own.mistake("amps", "needs `volts` beside it: a pointer such as \"/volts\", or a number");
    }
    if amps.is_some() && l.own.has("watts") && l.optional_pointer("watts").is_some() {
        l.own.mistake("amps", "is for a PDU that measures no watts; keep `watts` or `amps`");
    }
    if power_factor > 1.0 {
        l.own.mistake("power_factor", "must not be above 1");
    }
    Some(Derived { amps: amps?, amps_scale, volts: volts?, power_factor })
}

fn login(l: &Layers<'_, '_>) -> Option<Login> {
    let ask = l.ask("login_path", "login_body", &[]);
    let done = l.body_test("login_ok", "login_ok_value");
    let again_on = l.values(Need::Optional, "relogin_on");
    let need = if ask.is_some() && !l.has("login_answer") { Need::Required } else { Need::Optional };
    let token = l.text(need, "login_answer", POINTER, token_pointer);
    let logout_method = l.pick(Need::Optional, "logout_method", |section, need| {
        section.word("logout_method", need, &[("POST", "POST"), ("DELETE", "DELETE"), ("GET", "GET"), ("PUT", "PUT")])
    });
    let logout = l.ask("logout_path", "logout_body", &l.headers("logout_headers"));
    let logout = logout.map(|ask| Ask { method: logout_method.unwrap_or("POST").to_owned(), ..ask });
    let again_on = again_on.unwrap_or_else(|| vec![401.into(), 403.into()]);
    Some(Login { ask: Ask { method: "POST".to_owned(), done, ..ask? }, token: token?, again_on, logout })
}

fn check_dialect(l: &Layers<'_, '_>, dialect: &PduDialect) {
    let s = l.own;
    if dialect.on.iter().any(|on| dialect.off.contains(on)) {
        s.mistake("off", "is the same as `on`, so a state says nothing");
    }
    let (on, off) = (&dialect.switch_on, &dialect.switch_off);
    if on.body == off.body && on.path == off.path {
        s.mistake("off_body", "is the same as `on_body`, so nothing is switched off");
    }
    if !on.mentions("{id}") || !off.mentions("{id}") {
        s.mistake("switch_path", "needs `{id}` in it (or in both bodies), or all outlets would be switched");
    }
    let asks = [Some(&dialect.read), dialect.watts_ask.as_ref(), dialect.total_ask.as_ref(), Some(on)];
    let wants_unit = asks.into_iter().flatten().any(|ask| ask.mentions("{unit}")) || dialect.items.contains("{unit}");
    if wants_unit && dialect.unit.is_none() {
        s.missing("unit", "the PDU's own id, as its list of devices shows it");
    }
    if dialect.watts_ask.as_ref().is_some_and(|ask| !ask.mentions("{id}")) {
        s.mistake("watts_path", "needs `{id}` in it (or in `watts_body`): it is asked for each outlet");
    }
    if dialect.total_ask.as_ref().is_some_and(|ask| ask.mentions("{id}")) {
        s.mistake("total_path", "has `{id}` in it, but it is asked once for the whole PDU");
    }
    if dialect.total_ask.is_some() && dialect.total_watts.is_none() {
        s.missing("total_watts", "where in the answer to `total_path` the watts stand");
    }
    if dialect.schedule_ask.is_some() && dialect.schedule.is_none() {
        s.missing("schedule", "where in the answer to `schedule_path` a schedule stands");
    }
}

/// RFC 6901.
fn pointer(text: &str) -> Result<String, String> {
    let escapes_good = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    let good = text.is_empty() || (text.starts_with('/') && escapes_good && !text.chars().any(char::is_control));
    good.then(|| text.to_owned()).ok_or_else(|| format!("`{text}` is not a JSON pointer; write it like `/outlets/0`"))
}

fn id_pointer(text: &str) -> Result<String, String> {
    if text == "@key" || text == "@index" { Ok(text.to_owned()) } else { pointer(text) }
}

/// A pointer, or `@Name` for a header line of the answer.
fn token_pointer(text: &str) -> Result<String, String> {
    let is_header = text.strip_prefix('@').is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    });
    if is_header { Ok(text.to_owned()) } else { pointer(text) }
}

/// An empty pointer says that the PDU does not give this: the way to take a field out of a preset.
fn optional_pointer(text: &str) -> Result<Option<String>, String> {
    pointer(text).map(|text| Some(text).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_sound_toml_with_known_keys() {
        for (name, text) in preset::NAMES {
            let (table, errors) = DeTable::parse_recoverable(text);
            assert!(errors.is_empty(), "{name}: {errors:?}");
            let (empty, book) = (Book::new("", "x", Path::new("")), Book::new(text, name, Path::new("")));
            let nothing = DeTable::parse_recoverable("").0;
            let (own, preset) = (empty.root(nothing.get_ref()), book.root(table.get_ref()));
            let read = dialect(&Layers { own: &own, preset: Some(&preset), need: Need::Optional });
            assert!(read.is_some(), "{name}");
            preset.finish();
            assert_eq!(book.close().1, Vec::<String>::new(), "{name}");
        }
    }
}
