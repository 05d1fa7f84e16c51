//! Reads `[[pdu]]`: where a PDU is, how to talk to it, and which of its outlets may be switched.

use super::check::Shape;
use super::entry::Kind;
use super::read_dialect;
use super::section::{Need, Section, Want};
use super::{BankConfig, PduAuth, PduConfig, PduDialect, PduDriver, RedfishConfig};
use crate::units::Seconds;

/// Outlets of one PDU.
const OUTLETS_MAX: usize = 512;

pub(super) const PATH: Want = Want { what: "a path such as \"/api/outlets\"", kind: Kind::Text };
pub(super) const BODY: Want = Want { what: "JSON in single quotes such as '{\"on\": true}'", kind: Kind::Text };
const FINGERPRINT: Want = Want { what: "the SHA-256 of a certificate: 64 hex digits", kind: Kind::Text };

/// The keys of a bank: all of them or none.
const BANK_KEYS: [&str; 4] = ["bank_method", "bank_path", "bank_body", "bank_outlets"];

pub(super) const METHODS: [(&str, &str); 3] = [("PUT", "PUT"), ("POST", "POST"), ("PATCH", "PATCH")];

const AUTHS: [(&str, PduAuth); 2] = [("basic", PduAuth::Basic), ("digest", PduAuth::Digest)];

/// The drivers: whether it is Redfish.
const DRIVERS: [(&str, bool); 2] = [("http-json", false), ("redfish", true)];

pub(super) fn read(s: &Section<'_>) -> Option<PduConfig> {
    let name = s.name("device", Need::Required);
    let url = s.url("url", Need::Required, Shape::Base);
    let is_redfish = s.word("driver", Need::Default("http-json"), &DRIVERS)?;
    let driver = if is_redfish { redfish(s) } else { read_dialect::read(s).map(Box::new).map(PduDriver::HttpJson) };
    let token = s.secret("token", "token_file", Need::Optional);
    let user = s.text("user", Need::Optional);
    let password = s.secret("password", "password_file", Need::Optional);
    both_or_none(s);
    let auth = s.word("auth", Need::Default("basic"), &AUTHS);
    let tls_sha256 = s.checked("tls_sha256", FINGERPRINT, Need::Optional, fingerprint);
    if tls_sha256.is_some() && url.as_ref().is_some_and(|url| !url.starts_with("https://")) {
        s.mistake("tls_sha256", "needs an address with `https://`: plain http shows no certificate");
    }
    let ca_file = s.ca_file(url.as_deref());
    if ca_file.is_some() && s.has("tls_sha256") {
        s.mistake("ca_file", "`tls_sha256` is given too; keep one of the two");
    }
    let outlets = s.texts("outlets", Need::Required, expand).and_then(|ranges| outlets(s, "outlets", ranges));
    let dialect = driver.as_ref().and_then(|driver| match driver {
        PduDriver::HttpJson(dialect) => Some(dialect.as_ref()),
        PduDriver::Redfish(_) => None,
    });
    check_numbers(s, dialect, outlets.as_deref());
    let bank = bank(s, is_redfish, dialect, outlets.as_deref());
    let outlet_pause = s.span("outlet_pause", Need::Default("1 s"), Seconds(0)..=Seconds(60));
    let settle = s.span("settle", Need::Default("4 s"), Seconds(0)..=Seconds(60));
    let batch = s.number("batch", Need::Default("24"), 1..=512);
    let max_age = s.span("max_age", Need::Default("60 s"), Seconds(5)..=Seconds::minutes(60));
    let timeout = s.span("timeout", Need::Default("4 s"), Seconds(1)..=Seconds(60));
    s.finish();
    check_credentials(s, dialect);
    Some(PduConfig {
        name: name?,
        url: url?,
        driver: driver?,
        token,
        user,
        password,
        auth: auth?,
        tls_sha256,
        outlets: outlets?,
        outlet_pause: outlet_pause?,
        settle: settle?,
        batch: usize::try_from(batch?).ok()?,
        bank,
        max_age: max_age?,
        ca_file,
        timeout: timeout?,
    })
}

fn redfish(s: &Section<'_>) -> Option<PduDriver> {
    let unit = s.text("unit", Need::Optional);
    let known = [("outlets", false), ("pdu", true)];
    let whole_pdu = s.word("redfish_total", Need::Optional, &known);
    Some(PduDriver::Redfish(RedfishConfig { unit, whole_pdu: whole_pdu.unwrap_or(false) }))
}

/// What placeholders stand for must be there.
fn check_credentials(s: &Section<'_>, dialect: Option<&PduDialect>) {
    if s.has("auth") && !s.has("user") {
        s.mistake("auth", "needs `user` and `password` beside it");
    }
    let Some(dialect) = dialect else { return };
    if s.has("auth") && dialect.login.is_some() {
        s.mistake("auth", "this PDU has a login (`login_path`), which takes the password");
    }
    let asks = [Some(&dialect.read), dialect.watts_ask.as_ref(), dialect.total_ask.as_ref(), Some(&dialect.switch_on)];
    let mentions = |what: &str| asks.iter().flatten().any(|ask| ask.mentions(what));
    if dialect.login.is_none() && !s.has("token") && !s.has("token_file") && mentions("{token}") {
        s.missing("token", "what `{token}` stands for; or name its file by `token_file`");
    }
    let login = dialect.login.as_ref().map(|login| &login.ask);
    let login_mentions = |what: &str| login.is_some_and(|ask| ask.mentions(what));
    if !s.has("user") && (mentions("{user}") || login_mentions("{user}")) {
        s.missing("user", "who logs in: `{user}` stands for it");
    }
    if !s.has("password") && !s.has("password_file") && (mentions("{password}") || login_mentions("{password}")) {
        s.missing("password", "what `{password}` stands for; or name its file by `password_file`");
    }
}

/// A PDU that counts otherwise than its labels needs numbers to count.
fn check_numbers(s: &Section<'_>, dialect: Option<&PduDialect>, outlets: Option<&[String]>) {
    let Some(offset) = dialect.map(|dialect| dialect.id_offset).filter(|offset| *offset != 0) else { return };
    let fits = |id: &&String| id.parse::<i64>().is_ok_and(|n| n.to_string() == **id && n + offset >= 0);
    if let Some(odd) = outlets.unwrap_or_default().iter().find(|id| !fits(id)) {
        s.mistake(
            "outlets",
            format!("`{odd}` with `id_offset` {offset} is no outlet of this PDU; its numbers begin at {}", -offset),
        );
    }
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

/// The bank, if one is described. What is in the PDU's own group cannot be seen from here, so the owner names it, and
/// anything of it that is not in `outlets` is a mistake: a fan may hang there.
fn bank(
    s: &Section<'_>,
    is_redfish: bool,
    dialect: Option<&PduDialect>,
    listed: Option<&[String]>,
) -> Option<BankConfig> {
    if is_redfish {
        return None;
    }
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
    if dialect.is_some_and(|dialect| switches_on_only(dialect, &bank.body)) {
        s.mistake("bank_body", "is the same as `on_body`; a bank is only ever switched off");
    }
    Some(bank)
}

pub(super) fn path(text: &str) -> Result<String, String> {
    let good = text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic());
    good.then(|| text.to_owned()).ok_or_else(|| "must begin with `/` and be without blanks".to_owned())
}

pub(super) fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|cause| format!("is not JSON: {cause}; write it like '{{\"on\": true}}'"))
}

/// Whether a body is the one that switches on; where on and off differ by their paths, a body says nothing.
fn switches_on_only(dialect: &PduDialect, body: &serde_json::Value) -> bool {
    dialect.switch_on.body.as_ref() == Some(body) && dialect.switch_off.body.as_ref() != Some(body)
}

/// 64 hex digits, with or without colons.
fn fingerprint(text: &str) -> Result<[u8; 32], String> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let cause = || format!("`{text}` is not a SHA-256: 64 hex digits, with or without colons");
    let byte = |at: usize| digits.get(2 * at..2 * at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
    let good = digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit());
    bytes.filter(|_| good).and_then(|bytes| bytes.try_into().ok()).ok_or_else(cause)
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
