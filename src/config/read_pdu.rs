//! Reads `[[pdu]]`: where a PDU is, how to talk to it, and which of its outlets may be switched.

use super::check::{self, Shape};
use super::entry::Kind;
use super::preset;
use super::section::{Need, Section, Want};
use super::value::{TEXT, one_of};
use super::{BankConfig, PduConfig, PduDialect};
use crate::units::Seconds;

/// Outlets of one PDU.
const OUTLETS_MAX: usize = 512;

const POINTER: Want =
    Want { what: "a JSON pointer such as \"/outlets\", or \"\" for the whole document", kind: Kind::Text };
const PATH: Want = Want { what: "a path such as \"/api/outlets\"", kind: Kind::Text };
const BODY: Want = Want { what: "JSON in single quotes such as '{\"on\": true}'", kind: Kind::Text };

/// The keys that describe a PDU without a preset.
const DIALECT_KEYS: [&str; 10] =
    ["read_path", "items", "id", "state", "on", "off", "switch_method", "switch_path", "on_body", "off_body"];

/// The keys of a bank: all of them or none.
const BANK_KEYS: [&str; 4] = ["bank_method", "bank_path", "bank_body", "bank_outlets"];

const METHODS: [(&str, &str); 3] = [("PUT", "PUT"), ("POST", "POST"), ("PATCH", "PATCH")];

pub(super) fn read(s: &Section<'_>) -> Option<PduConfig> {
    let name = s.name("device", Need::Required);
    let url = s.url("url", Need::Required, Shape::Base);
    let dialect = dialect(s);
    let token = s.secret("token", "token_file", Need::Optional);
    let user = s.text("user", Need::Optional);
    let password = s.secret("password", "password_file", Need::Optional);
    both_or_none(s);
    let outlets = s.texts("outlets", Need::Required, expand).and_then(|ranges| outlets(s, "outlets", ranges));
    let bank = bank(s, dialect.as_ref(), outlets.as_deref());
    let outlet_pause = s.span("outlet_pause", Need::Default("1 s"), Seconds(0)..=Seconds(60));
    let batch = s.number("batch", Need::Default("24"), 1..=512);
    let max_age = s.span("max_age", Need::Default("60 s"), Seconds(5)..=Seconds::minutes(60));
    let timeout = s.span("timeout", Need::Default("4 s"), Seconds(1)..=Seconds(60));
    s.finish();
    let dialect = dialect?;
    let mut headers = dialect.switch_headers.iter().chain(&dialect.read_headers);
    if !s.has("token") && !s.has("token_file") && headers.any(|line| line.contains("{token}")) {
        s.missing("token", "what `{token}` in the header lines stands for; or name its file by `token_file`");
    }
    Some(PduConfig {
        name: name?,
        url: url?,
        dialect,
        token,
        user,
        password,
        outlets: outlets?,
        outlet_pause: outlet_pause?,
        batch: usize::try_from(batch?).ok()?,
        bank,
        max_age: max_age?,
        timeout: timeout?,
    })
}

/// HTTP Basic needs both; half of it is a mistake.
pub(super) fn both_or_none(s: &Section<'_>) {
    let has_password = s.has("password") || s.has("password_file");
    if s.has("user") && !has_password {
        s.mistake("user", "needs `password` (or `password_file`) beside it");
    }
    if has_password && !s.has("user") {
        let key = if s.has("password") { "password" } else { "password_file" };
        s.mistake(key, "needs `user` beside it");
    }
}

fn dialect(s: &Section<'_>) -> Option<PduDialect> {
    let preset = s.checked("preset", TEXT, Need::Optional, |text| one_of(text, &preset::NAMES)).map(|preset| preset());
    let describes_itself = DIALECT_KEYS.iter().any(|key| s.has(key));
    // A forgotten or misspelt preset is one mistake, not a dozen missing keys.
    let need = if s.has("preset") || !describes_itself { Need::Optional } else { Need::Required };
    if !s.has("preset") && !describes_itself {
        s.missing("preset", "\"digital-shovel\"; or describe the PDU, see the sample of `minectl config init`");
    }
    let read_path = s.checked("read_path", PATH, need, path);
    let items = s.checked("items", POINTER, need, pointer);
    let id = s.checked("id", POINTER, need, id_pointer);
    let watts = s.checked("watts", POINTER, Need::Optional, optional_pointer);
    let watts_scale = s.fraction("watts_scale", Need::Optional);
    let state = s.checked("state", POINTER, need, pointer);
    let on = s.scalar("on", need);
    let off = s.scalar("off", need);
    let updated = s.checked("updated", POINTER, Need::Optional, optional_pointer);
    let auto_reset = s.checked("auto_reset", POINTER, Need::Optional, optional_pointer);
    let total_watts = s.checked("total_watts", POINTER, Need::Optional, optional_pointer);
    let switch_method = s.word("switch_method", need, &METHODS).map(str::to_owned);
    let switch_path = s.checked("switch_path", PATH, need, path);
    let on_body = s.checked("on_body", BODY, need, json);
    let off_body = s.checked("off_body", BODY, need, json);
    let header = |line: &str| check::header(line, "{token}");
    let switch_headers = s.texts("switch_headers", Need::Optional, header);
    let read_headers = s.texts("read_headers", Need::Optional, header);
    let dialect = match preset {
        Some(preset) => PduDialect {
            read_path: read_path.unwrap_or(preset.read_path),
            items: items.unwrap_or(preset.items),
            id: id.unwrap_or(preset.id),
            watts: watts.unwrap_or(preset.watts),
            watts_scale: watts_scale.unwrap_or(preset.watts_scale),
            state: state.unwrap_or(preset.state),
            on: on.unwrap_or(preset.on),
            off: off.unwrap_or(preset.off),
            updated: updated.unwrap_or(preset.updated),
            auto_reset: auto_reset.unwrap_or(preset.auto_reset),
            total_watts: total_watts.unwrap_or(preset.total_watts),
            switch_method: switch_method.unwrap_or(preset.switch_method),
            switch_path: switch_path.unwrap_or(preset.switch_path),
            on_body: on_body.unwrap_or(preset.on_body),
            off_body: off_body.unwrap_or(preset.off_body),
            switch_headers: switch_headers.unwrap_or(preset.switch_headers),
            read_headers: read_headers.unwrap_or(preset.read_headers),
        },
        None => PduDialect {
            read_path: read_path?,
            items: items?,
            id: id?,
            watts: watts.flatten(),
            watts_scale: watts_scale.unwrap_or(1.0),
            state: state?,
            on: on?,
            off: off?,
            updated: updated.flatten(),
            auto_reset: auto_reset.flatten(),
            total_watts: total_watts.flatten(),
            switch_method: switch_method?,
            switch_path: switch_path?,
            on_body: on_body?,
            off_body: off_body?,
            switch_headers: switch_headers.unwrap_or_default(),
            read_headers: read_headers.unwrap_or_default(),
        },
    };
    check_dialect(s, &dialect);
    Some(dialect)
}

/// The bank, if one is described. What is in the PDU's own group cannot be seen from here, so the owner names it, and
/// anything of it that is not in `outlets` is a mistake: a fan may hang there.
fn bank(s: &Section<'_>, dialect: Option<&PduDialect>, listed: Option<&[String]>) -> Option<BankConfig> {
    let need = if BANK_KEYS.iter().any(|key| s.has(key)) { Need::Required } else { Need::Optional };
    let method = s.word("bank_method", need, &METHODS).map(str::to_owned);
    let path = s.checked("bank_path", PATH, need, path);
    let body = s.checked("bank_body", BODY, need, json);
    let outlets = s.texts("bank_outlets", need, expand).and_then(|ranges| self::outlets(s, "bank_outlets", ranges));
    let bank = BankConfig { method: method?, path: path?, body: body?, outlets: outlets? };
    if let Some(listed) = listed {
        let unlisted: Vec<&str> = bank.outlets.iter().filter(|id| !listed.contains(id)).map(String::as_str).collect();
        if let Some(first) = unlisted.first() {
            let count = unlisted.len();
            s.mistake("bank_outlets", format!("{count} not in `outlets`, such as `{first}`: it must not be switched"));
        }
    }
    for (key, text) in [("bank_path", bank.path.clone()), ("bank_body", bank.body.to_string())] {
        if text.contains("{id}") {
            s.mistake(key, "has `{id}` in it, but a bank is one request for all its outlets");
        }
    }
    if dialect.is_some_and(|dialect| dialect.on_body == bank.body && dialect.off_body != bank.body) {
        s.mistake("bank_body", "is the same as `on_body`; a bank is only ever switched off");
    }
    Some(bank)
}

fn check_dialect(s: &Section<'_>, dialect: &PduDialect) {
    if dialect.on == dialect.off {
        s.mistake("off", "is the same as `on`, so a state says nothing");
    }
    if dialect.on_body == dialect.off_body && dialect.switch_path.matches('{').count() < 2 {
        s.mistake("off_body", "is the same as `on_body`, so nothing is switched off");
    }
    if dialect.watts_scale <= 0.0 {
        s.mistake("watts_scale", "must be above 0");
    }
    let names_outlet = |body: &serde_json::Value| body.to_string().contains("{id}");
    let bodies_name_it = names_outlet(&dialect.on_body) && names_outlet(&dialect.off_body);
    if !dialect.switch_path.contains("{id}") && !bodies_name_it {
        s.mistake("switch_path", "needs `{id}` in it (or in both bodies), or all outlets would be switched");
    }
}

fn path(text: &str) -> Result<String, String> {
    let good = text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic());
    good.then(|| text.to_owned()).ok_or_else(|| "must begin with `/` and be without blanks".to_owned())
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

/// An empty pointer says that the PDU does not give this: the way to take a field out of a preset.
fn optional_pointer(text: &str) -> Result<Option<String>, String> {
    pointer(text).map(|text| Some(text).filter(|text| !text.is_empty()))
}

fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|cause| format!("is not JSON: {cause}; write it like '{{\"on\": true}}'"))
}

/// `1-48` is 48 outlets; anything else is one outlet's id.
fn expand(text: &str) -> Result<Vec<String>, String> {
    let id_fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    if text.is_empty() || text.len() > 64 || !text.chars().all(id_fits) {
        return Err(format!("`{text}` is not an outlet; write `7`, or `1-48` for a range"));
    }
    let bounds = text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let Some((first, last)): Option<(u32, u32)> = bounds else { return Ok(vec![text.to_owned()]) };
    if first > last || (last - first) as usize >= OUTLETS_MAX {
        return Err(format!("`{text}` is not a range; it must ascend, by at most {OUTLETS_MAX} outlets"));
    }
    Ok((first..=last).map(|id| id.to_string()).collect())
}

fn outlets(s: &Section<'_>, key: &str, ranges: Vec<Vec<String>>) -> Option<Vec<String>> {
    let outlets: Vec<String> = ranges.into_iter().flatten().collect();
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = outlets.iter().find(|id| !seen.insert(id.as_str())) {
        s.mistake(key, format!("outlet `{twice}` is listed twice"));
    }
    if outlets.is_empty() || outlets.len() > OUTLETS_MAX {
        s.mistake(key, format!("lists {} outlets; 1 to {OUTLETS_MAX} are possible", outlets.len()));
    }
    (1..=OUTLETS_MAX).contains(&outlets.len()).then_some(outlets)
}
