//! Fetches the page: redirects by our own rule, and what status and headers say about its age. Nothing in the page is
//! looked at here.

use std::time::{Duration, Instant};

use url::Url;

use super::charset::{Decoded, decode};
use super::place::PAGE_MAX;
use super::{NAME, fault};
use crate::config::SignalConfig;
use crate::drivers::common::Limits;
use crate::http::{Answer, Request, excerpt, send, shown_url};
use crate::model::{Fault, FaultKind};
use crate::units::{Seconds, UnixSeconds};

/// Redirects that are followed: public pages move.
const REDIRECTS_MAX: usize = 5;

/// A page as it came.
#[derive(Debug, Clone)]
pub struct SignalPage {
    /// The address that gave it, without query.
    pub url: String,
    /// The redirects on the way: `301 to https://example.org/load`.
    pub hops: Vec<String>,
    /// The status.
    pub status: u16,
    /// The header lines.
    pub headers: Vec<(String, String)>,
    /// The bytes, decompressed.
    pub bytes: Vec<u8>,
    /// Real time from the first request to the last byte.
    pub took: Duration,
}

impl SignalPage {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The page as text.
    pub fn decoded(&self) -> Decoded {
        decode(&self.bytes, self.header("content-type"))
    }

    /// Where it came from and its header lines, to be kept beside it.
    pub fn head(&self) -> String {
        let hops: String = self.hops.iter().map(|hop| format!("redirect: {hop}\n")).collect();
        let lines: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("address: {}\n{hops}status: {}\n{lines}", self.url, self.status)
    }
}

/// Fetches the page within its time. The page is there whenever a whole answer came, also when it is refused.
pub(super) fn fetch(cfg: &SignalConfig, limits: Limits) -> (Option<SignalPage>, Result<(), Fault>) {
    let began = Instant::now();
    let until = began + limits.next();
    let mut url = cfg.url.clone();
    let mut hops = Vec::new();
    loop {
        let answer = match ask(cfg, &url, until.saturating_duration_since(Instant::now())) {
            Ok(answer) => answer,
            Err(fault) => return (None, Err(fault)),
        };
        let target = target(cfg, &url, &answer, hops.len());
        if let Ok(Some(next)) = target {
            hops.push(format!("{} to {}", answer.status, shown_url(&next)));
            url = next;
            continue;
        }
        let judged = target.and_then(|_| judge_status(&answer, &url));
        let page = SignalPage {
            url: shown_url(&url),
            hops,
            status: answer.status,
            headers: answer.headers,
            bytes: answer.body,
            took: began.elapsed(),
        };
        return (Some(page), judged);
    }
}

fn ask(cfg: &SignalConfig, url: &str, timeout: Duration) -> Result<Answer, Fault> {
    let mut request = Request::get(NAME, url, timeout)
        .header("Accept", "text/html, application/json;q=0.9, */*;q=0.5")
        .header("Cache-Control", "no-cache")
        .header("Pragma", "no-cache");
    request.body_max = PAGE_MAX;
    request.ca_file = cfg.ca_file.as_deref();
    send(&request)
}

fn judge_status(answer: &Answer, url: &str) -> Result<(), Fault> {
    match answer.status {
        // 203: a proxy on the way changed something, and says so; the checks of the page decide.
        200 | 203 => Ok(()),
        200..300 => {
            let detail = format!("status {} is no whole page ({})", answer.status, shown_url(url));
            Err(fault(FaultKind::Status, detail))
        }
        _ => answer.clone().accepted(NAME, url).map(|_| ()),
    }
}

/// Where an answer sends on to, if it does and that may be followed.
fn target(cfg: &SignalConfig, url: &str, answer: &Answer, followed: usize) -> Result<Option<String>, Fault> {
    let Some(location) = answer.header("location").filter(|_| matches!(answer.status, 301 | 302 | 303 | 307 | 308))
    else {
        return Ok(None);
    };
    let refuse = |why: String| {
        let to = excerpt(&shown_url(location));
        let detail = format!("status {} sends on to {to}, {why} ({})", answer.status, shown_url(url));
        Err(fault(FaultKind::Status, detail))
    };
    let Ok(here) = Url::parse(url) else { return refuse("from an address that cannot be read".to_owned()) };
    let Ok(next) = here.join(location) else { return refuse("which is no address".to_owned()) };
    let Some(host) = next.host_str().filter(|_| matches!(next.scheme(), "http" | "https")) else {
        return refuse("which is not on the web".to_owned());
    };
    if !next.username().is_empty() || next.password().is_some() {
        return refuse("with a login in it".to_owned());
    }
    let own = Url::parse(&cfg.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let is_known =
        own.as_deref() == Some(host) || cfg.redirect_hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
    if !is_known {
        return refuse(format!("another host; if it is right, add \"{host}\" to `signal.redirect_hosts`"));
    }
    if here.scheme() == "https" && next.scheme() == "http" {
        return refuse("where anyone on the way can forge the page: plain http after https".to_owned());
    }
    if followed >= REDIRECTS_MAX {
        return refuse(format!("after {REDIRECTS_MAX} redirects already"));
    }
    Ok(Some(next.to_string()))
}

/// What the headers say about the page's age, each with the moment or span it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freshness {
    /// The server's clock when it made the answer.
    pub date: Option<UnixSeconds>,
    /// How long caches have held it.
    pub age: Option<Seconds>,
    /// When the server says the page was last modified.
    pub modified: Option<UnixSeconds>,
    /// How long caches may hold it.
    pub may_be_held: Option<Seconds>,
}

impl Freshness {
    /// What the headers of a page say.
    pub fn of(page: &SignalPage) -> Freshness {
        // More seconds than fit are more than any limit.
        let digits = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let span = |text: &str| Some(text.trim()).filter(digits).map(|text| Seconds(text.parse().unwrap_or(u64::MAX)));
        let control = page.header("cache-control").unwrap_or_default().to_ascii_lowercase();
        let of_cache = |key: &str| control.split(',').find_map(|part| span(part.trim().strip_prefix(key)?));
        Freshness {
            date: page.header("date").and_then(http_date),
            age: page.header("age").and_then(span),
            modified: page.header("last-modified").and_then(http_date),
            may_be_held: of_cache("s-maxage=").or_else(|| of_cache("max-age=")),
        }
    }
}

fn http_date(text: &str) -> Option<UnixSeconds> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(UnixSeconds(parsed.as_second()))
}

/// Refuses an old copy: one that a cache has held for too long, that the server dates back, that says itself it is
/// stale, or, where that is configured, whose last change lies too far back.
pub fn check_freshness(page: &SignalPage, cfg: &SignalConfig, now: UnixSeconds) -> Result<Freshness, Fault> {
    let seen = Freshness::of(page);
    let stale = |detail: String| Err(fault(FaultKind::Stale, detail));
    let limit = cfg.cached_max_age;
    if let Some(age) = seen.age.filter(|age| *age > limit) {
        return stale(format!("page is an old copy: caches have held it for {age} (header `Age`); limit {limit}"));
    }
    let since_date = seen.date.map_or(Seconds(0), |date| now.since(date));
    if since_date > limit {
        return stale(format!(
            "page is an old copy, or one of the two clocks is wrong: the server made it {since_date} ago (header \
             `Date`); limit {limit}"
        ));
    }
    let warning = page.header("warning").map(str::trim_start).unwrap_or_default();
    if ["110", "111", "112"].iter().any(|code| warning.starts_with(code)) {
        return stale(format!("page is an old copy: a cache says `{}`", excerpt(warning)));
    }
    if let Some(limit) = cfg.modified_max_age {
        let Some(modified) = seen.modified else {
            let detail = "server no longer says when the page was modified (header `Last-Modified`)";
            return Err(fault(FaultKind::Missing, detail.to_owned()));
        };
        let age = now.since(modified);
        if age > limit {
            return stale(format!("page was last modified {age} ago (header `Last-Modified`); limit {limit}"));
        }
    }
    Ok(seen)
}
