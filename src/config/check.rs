//! Whether a text is what it claims to be: an address, a selector, a pattern, a time format, a header line. Each check
//! asks the package that will use the text later. No check reaches for the network.

use std::net::IpAddr;

use regex::Regex;
use scraper::Selector;
use url::{Host, Url};

use super::entry::Kind;
use super::section::{Need, Section, Want};
use super::value::plain;

const URL: Want = Want { what: "an address such as \"http://10.0.0.7\" or \"https://example.org\"", kind: Kind::Text };

/// How much of an address a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Scheme, host and port: the paths are the driver's.
    Base,
    /// The start of a path too; more is appended.
    Prefix,
    /// All of it, with path and query.
    Whole,
    /// The same, and the owner said that plain http will do: a public page that has no https.
    WholeOrPlain,
}

impl Section<'_> {
    /// A web address; plain http only towards private addresses.
    pub(super) fn url(&self, key: &'static str, need: Need, shape: Shape) -> Option<String> {
        self.checked(key, URL, need, |text| url(text, shape))
    }
}

/// The address as it will be used: as typed, without the slash that a driver's path begins with. Messages never show
/// it, since people put passwords into addresses.
pub(super) fn url(text: &str, shape: Shape) -> Result<String, String> {
    let scheme = ["http://", "https://"].into_iter().find(|scheme| text.starts_with(scheme));
    let Some(scheme) = scheme else { return Err("must start with `http://` or `https://`".to_owned()) };
    if !text.chars().all(|c| c.is_ascii_graphic() && c != '\\') {
        return Err("contains a blank, `\\` or a letter beyond ASCII; write it percent-encoded".to_owned());
    }
    let parsed = Url::parse(text).map_err(|cause| format!("is not an address: {cause}"))?;
    let Some(host) = parsed.host() else { return Err("has no host".to_owned()) };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("holds a user or password; put them into keys of their own".to_owned());
    }
    let is_whole = matches!(shape, Shape::Whole | Shape::WholeOrPlain);
    if scheme == "http://" && shape != Shape::WholeOrPlain && !is_private(&host) {
        let way_out = match shape {
            Shape::Whole => "use https, a private address, or for the signal `allow_plain_http = true`",
            Shape::Base | Shape::Prefix | Shape::WholeOrPlain => "use https, or a private address",
        };
        return Err(format!("plain http towards `{host}`, which is not private, could be read or forged; {way_out}"));
    }
    if !is_whole && (parsed.query().is_some() || parsed.fragment().is_some()) {
        return Err("must end before `?` or `#`".to_owned());
    }
    if shape == Shape::Base && parsed.path() != "/" {
        return Err("must be without a path; the rest is filled in".to_owned());
    }
    Ok(if is_whole { text.to_owned() } else { text.trim_end_matches('/').to_owned() })
}

/// Whether plain text may be sent to this host: private, loopback and link-local addresses, and names that cannot be
/// on the internet.
pub(super) fn is_private(host: &Host<&str>) -> bool {
    let address = match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            return !name.contains('.') || name.ends_with(".local") || name.ends_with(".localhost");
        }
        Host::Ipv4(address) => IpAddr::V4(*address),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical(),
    };
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Whether a whole address leads to a host to which plain text may be sent; `false` for what is no address.
pub fn is_private_address(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.host().is_some_and(|host| is_private(&host)))
}

/// A host without scheme, for mail: whether it may be spoken to without encryption.
pub(super) fn is_private_name(host: &str) -> bool {
    let bare_v6 = host.parse::<std::net::Ipv6Addr>().map(Host::<String>::Ipv6);
    bare_v6.or_else(|_| Host::parse(host)).is_ok_and(|host| match host {
        Host::Domain(name) => is_private(&Host::Domain(&name)),
        Host::Ipv4(address) => is_private(&Host::Ipv4(address)),
        Host::Ipv6(address) => is_private(&Host::Ipv6(address)),
    })
}

/// A host name or address without scheme, port and path.
pub(super) fn host(text: &str) -> Result<String, String> {
    let good = text.parse::<IpAddr>().is_ok() || (Host::parse(text).is_ok() && text.is_ascii());
    good.then(|| text.to_owned()).ok_or_else(|| format!("`{text}` is not a host; write it like `smtp.example.org`"))
}

/// A CSS selector.
pub(super) fn selector(text: &str) -> Result<String, String> {
    plain(text)?;
    Selector::parse(text).map_err(|cause| format!("`{text}` is not a CSS selector: {cause}"))?;
    Ok(text.to_owned())
}

/// A pattern with at least one group.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    let pattern = Regex::new(text).map_err(|cause| {
        // The package draws the pattern over several lines; its last one is the cause.
        let cause = cause.to_string();
        let cause = cause.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        format!("`{text}` is not a pattern: {cause}")
    })?;
    if pattern.captures_len() < 2 {
        return Err(format!("`{text}` has no group; put the value's part in ( )"));
    }
    Ok(text.to_owned())
}

/// A place in JSON, by RFC 6901; the empty one is the whole answer.
pub(super) fn pointer(text: &str) -> Result<String, String> {
    let good = text.is_empty() || text.starts_with('/');
    let cause = || format!("`{text}` is not a place in JSON; write it like `/load/now` or `/data/0/value`");
    good.then(|| text.to_owned()).ok_or_else(cause)
}

/// A strptime format that gives a time, and the date or a part of it: it must be able to read what it writes. A
/// trailing `%Z` is the reader's own (letters like CST), and so is a trailing `Z` (UTC).
pub(super) fn stamp_format(whole: &str) -> Result<String, String> {
    plain(whole)?;
    let text = stamp_core(whole);
    let example = jiff::civil::datetime(2026, 7, 14, 17, 28, 0, 0);
    let Ok(zoned) = example.to_zoned(jiff::tz::TimeZone::UTC) else { return Ok(whole.to_owned()) };
    let broken_down = jiff::fmt::strtime::BrokenDownTime::from(&zoned);
    let read = broken_down.to_string(text).and_then(|written| jiff::fmt::strtime::parse(text, written));
    let read = read.map_err(|cause| format!("`{text}` is not a format for date and time: {cause}"))?;
    if read.timestamp().is_some() {
        return Ok(whole.to_owned());
    }
    if read.hour().is_none() {
        return Err(format!("`{text}` is not a format for date and time: it gives no time"));
    }
    if !read.to_time().is_ok_and(|time| (time.hour(), time.minute()) == (17, 28)) {
        return Err(format!("`{text}` loses a part of the time; with %I it needs %p"));
    }
    match read.to_date() {
        Ok(date) if date == example.date() => Ok(whole.to_owned()),
        Ok(_) => Err(format!("`{text}` loses a part of date or time; with %I it needs %p, and %Y for the year")),
        Err(_) if read.month().is_some() == read.day().is_some() => Ok(whole.to_owned()),
        Err(_) => Err(format!("`{text}` gives half a date; it needs day and month, or neither")),
    }
}

/// The part of a checked format that the package reads.
fn stamp_core(whole: &str) -> &str {
    let text = whole.trim_end();
    let zone = text.strip_suffix("%Z").or_else(|| text.strip_suffix('Z').filter(|rest| !rest.ends_with('%')));
    zone.map_or(whole, str::trim_end)
}

/// Whether a checked format gives a time of day only.
pub(super) fn lacks_date(whole: &str) -> bool {
    let text = stamp_core(whole);
    let Ok(zoned) = jiff::civil::datetime(2026, 7, 14, 17, 28, 0, 0).to_zoned(jiff::tz::TimeZone::UTC) else {
        return false;
    };
    let written = jiff::fmt::strtime::BrokenDownTime::from(&zoned).to_string(text);
    let read = written.and_then(|written| jiff::fmt::strtime::parse(text, written));
    read.is_ok_and(|read| read.timestamp().is_none() && read.day().is_none() && read.to_date().is_err())
}

/// The name of a time zone that exists here.
pub(super) fn time_zone(text: &str) -> Result<String, String> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => {
            Err(format!("`{text}` is no time zone; write it like `America/Chicago` (the package tzdata has them)"))
        }
    }
}

/// A header line `Name: value`; a secret in it stands as `placeholder`.
pub(super) fn header(text: &str, placeholder: &str) -> Result<String, String> {
    plain(text)?;
    let Some((name, value)) = text.split_once(':') else {
        return Err("is not a header line; write it like `Name: value`".to_owned());
    };
    let in_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(in_name) || !value.is_ascii() {
        return Err("is not a header line; write it like `Name: value`".to_owned());
    }
    let lower = name.to_ascii_lowercase();
    let holds_secret = ["auth", "key", "token", "secret", "cookie"].iter().any(|word| lower.contains(word));
    if holds_secret && !value.contains(placeholder) {
        return Err(format!("header `{name}` holds a secret; write `{placeholder}` in its place"));
    }
    Ok(text.to_owned())
}

/// A sender or recipient of mail.
pub(super) fn mailbox(text: &str) -> Result<String, String> {
    text.parse::<lettre::message::Mailbox>()
        .map(|_| text.to_owned())
        .map_err(|_| format!("`{text}` is not an email address; write it like `owner@example.org`"))
}

/// A telephone number in the international form.
pub(super) fn telephone(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let good = (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    good.then(|| text.to_owned()).ok_or_else(|| format!("`{text}` is not a number; write it like `+15155550111`"))
}
