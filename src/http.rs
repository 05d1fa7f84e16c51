//! One HTTP call with a deadline, a size and a redirect limit: the only user of `ureq` and of raw sockets. It judges no
//! status and no content, retries nothing, keeps no connection, takes no proxy, and lets no secret into an error text.

mod lookup;
mod pinned;
mod private_ca;
mod raw;
mod reach;
mod text;
mod tls;

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use ureq::http as types;
use ureq::unversioned::transport::DefaultConnector;

use crate::config::Secret;
use crate::model::{Fault, FaultKind};
use crate::units::UnixSeconds;
use lookup::Lookup;

pub use private_ca::{CA_FILE_MAX, read_ca_file};
pub use raw::raw_get;
pub use reach::reach;
pub use text::{excerpt, masked, shown_url};

/// The readers of bytes alone, for tests: no I/O.
pub mod parse {
    pub use super::raw::{answer as raw_answer, is_whole as raw_is_whole};
}

/// The longest body that is read unless the request says otherwise.
pub const BODY_MAX: usize = 256 * 1024;

/// The longest wait for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// The text of the fault for a reply without a status line.
const NOT_HTTP: &str = "answer is not HTTP";

/// Header lines that say who asks.
const LOGIN_HEADERS: [&str; 3] = ["Authorization", "X-Auth-Token", "Cookie"];

/// What this program calls itself.
pub const USER_AGENT: &str = concat!("minectl/", env!("CARGO_PKG_VERSION"));

/// One request. It has no `Debug`: its address may carry a token.
#[derive(Clone)]
pub struct Request<'a> {
    /// The device's or service's name, for faults.
    pub device: &'a str,
    /// `GET`, `POST`, `PUT` or `PATCH`.
    pub method: &'a str,
    /// The whole address.
    pub url: &'a str,
    /// Further header lines.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
    /// Real time for the whole call, from looking up the name to the last byte.
    pub timeout: Duration,
    /// A longer body is refused.
    pub body_max: usize,
    /// Redirects that are followed; the next one comes back as the answer.
    pub redirects_max: u32,
    /// Replaced by `***` in every error and log text.
    pub secrets: Vec<&'a Secret>,
    /// SHA-256 of the certificate that must be shown; `None`: any that a known authority signed for this host.
    pub pin: Option<[u8; 32]>,
    /// PEM file of a private authority that counts as known, beside the public ones.
    pub ca_file: Option<&'a Path>,
}

impl<'a> Request<'a> {
    /// A request without body; no redirects, 256 KiB.
    pub fn new(device: &'a str, method: &'a str, url: &'a str, timeout: Duration) -> Request<'a> {
        Request {
            device,
            method,
            url,
            headers: Vec::new(),
            body: None,
            timeout,
            body_max: BODY_MAX,
            redirects_max: 0,
            secrets: Vec::new(),
            pin: None,
            ca_file: None,
        }
    }

    /// A GET; otherwise as [`Request::new`].
    pub fn get(device: &'a str, url: &'a str, timeout: Duration) -> Request<'a> {
        Request::new(device, "GET", url, timeout)
    }

    /// Adds a header line.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request<'a> {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body and its type.
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Request<'a> {
        let mut request = self.header("Content-Type", content_type);
        request.body = Some(body.into());
        request
    }

    /// Names a secret that this request carries.
    pub fn secret(mut self, secret: &'a Secret) -> Request<'a> {
        self.secrets.push(secret);
        self
    }

    /// What must not be shown: the secrets, and what the login lines make of them, which the other side may send back.
    fn hidden(&self) -> Vec<Secret> {
        let is_login = |name: &String| LOGIN_HEADERS.iter().any(|login| name.eq_ignore_ascii_case(login));
        let logins = self.headers.iter().filter(|(name, _)| is_login(name));
        let sent =
            logins.map(|(_, value)| Secret::new(value.split_once(' ').map_or(value.as_str(), |(_, after)| after)));
        self.secrets.iter().map(|secret| (*secret).clone()).chain(sent).collect()
    }

    /// A text without what must not be shown.
    fn masked(&self, text: &str) -> String {
        masked(text, &self.hidden().iter().collect::<Vec<_>>())
    }

    /// A fault of this request: `<what> (<address without query>)`, secrets masked.
    fn fault(&self, kind: FaultKind, what: &str) -> Fault {
        Fault::new(self.device, kind, self.masked(&format!("{what} ({})", shown_url(self.url))))
    }

    /// What another program says in an error, fit to be quoted: masked before it is cut, so that no half secret stays.
    fn quoted(&self, error: &impl ToString) -> String {
        excerpt(&self.masked(&error.to_string()))
    }

    fn not_sent(&self) -> Fault {
        Fault::new(self.device, FaultKind::TimedOut, "not sent: no time left in this run")
    }

    fn timed_out(&self) -> Fault {
        self.fault(FaultKind::TimedOut, &format!("no answer within {}", text::shown_span(self.timeout)))
    }

    fn cut_short(&self, received: usize) -> Fault {
        let limit = text::shown_span(self.timeout);
        self.fault(FaultKind::TimedOut, &format!("answer not complete within {limit}; {received} bytes came"))
    }

    fn broken(&self, received: usize) -> Fault {
        let what = match received {
            0 => "connection closed before any answer".to_owned(),
            n => format!("connection broke off after {n} bytes of the answer"),
        };
        self.fault(FaultKind::Broken, &what)
    }

    fn too_long(&self) -> Fault {
        self.fault(FaultKind::Unreadable, &format!("answer is longer than {} bytes", self.body_max))
    }
}

/// One answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header lines.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// What must not be quoted from the body.
    secrets: Vec<Secret>,
}

impl Answer {
    /// An answer from its parts.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Answer {
        Answer { status, headers, body, secrets: Vec::new() }
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text: UTF-8, else the character set of the header or of the page, else Windows-1252.
    pub fn text(&self) -> String {
        text::decoded(&self.body, self.header("content-type"))
    }

    /// The server's clock: its Date header.
    pub fn date(&self) -> Option<UnixSeconds> {
        let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(self.header("date")?).ok()?;
        Some(UnixSeconds(parsed.as_second()))
    }

    /// The first 80 characters of the body without tags, control characters and secrets.
    pub fn excerpt(&self) -> String {
        let secrets: Vec<&Secret> = self.secrets.iter().collect();
        excerpt(&masked(&self.text(), &secrets))
    }

    /// Judges the status: 401 and 403 are `Refused`, any other than 2xx is `Status`, with the start of the body.
    pub fn accepted(self, device: &str, url: &str) -> Result<Answer, Fault> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let secrets: Vec<&Secret> = self.secrets.iter().collect();
        let said = match (self.header("location"), self.excerpt()) {
            (Some(location), _) if (300..400).contains(&self.status) => {
                format!(", sends on to {}", excerpt(&masked(&shown_url(location), &secrets)))
            }
            (_, text) if text.is_empty() => String::new(),
            (_, text) => format!(": `{text}`"),
        };
        let detail = format!("status {}{said} ({})", self.status, shown_url(url));
        let kind = if matches!(self.status, 401 | 403) { FaultKind::Refused } else { FaultKind::Status };
        Err(Fault::new(device, kind, masked(&detail, &secrets)))
    }
}

/// Sends a request and reads the whole answer. The fault is one of the wire: unreachable, timed out, broken, or
/// unreadable (not HTTP, too long); the call ends by its timeout whatever the other side does.
pub fn send(request: &Request) -> Result<Answer, Fault> {
    let began = Instant::now();
    let result = exchange(request);
    log_call(request, &result, began.elapsed());
    result
}

fn exchange(request: &Request) -> Result<Answer, Fault> {
    if request.timeout.is_zero() {
        return Err(request.not_sent());
    }
    let response = call(request).map_err(|error| wire_fault(request, &error, 0))?;
    let status = response.status().as_u16();
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let mut body = Vec::new();
    // One byte more than allowed tells a body of exactly the limit from a longer one.
    let limit = request.body_max as u64 + 1;
    let read = response.into_body().into_reader().take(limit).read_to_end(&mut body);
    if let Err(error) = read {
        return Err(wire_fault(request, &ureq::Error::from(error), body.len()));
    }
    if body.len() > request.body_max {
        return Err(request.too_long());
    }
    let answer = Answer { status, headers, body, secrets: request.hidden() };
    not_packed(request, answer)
}

/// Refuses a body that is packed in a way nobody asked for.
fn not_packed(request: &Request, answer: Answer) -> Result<Answer, Fault> {
    match answer.header("content-encoding") {
        Some(coding) if !coding.eq_ignore_ascii_case("identity") => {
            let what = format!("answer is packed as `{}`, which was not asked for", excerpt(coding));
            Err(request.fault(FaultKind::Unreadable, &what))
        }
        _ => Ok(answer),
    }
}

/// As [`send`], for a GET whose reply may come without status line and headers: such a reply is asked for once more over
/// a bare socket, within the same time limit.
pub fn send_or_raw(request: &Request) -> Result<Answer, Fault> {
    let began = Instant::now();
    match send(request) {
        Err(fault) if fault.detail.starts_with(NOT_HTTP) && request.url.starts_with("http://") => {
            let mut again = request.clone();
            again.timeout = request.timeout.saturating_sub(began.elapsed());
            raw_get(&again)
        }
        other => other,
    }
}

fn call(request: &Request) -> Result<types::Response<ureq::Body>, ureq::Error> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(request.timeout))
        .timeout_connect(Some(CONNECT_MAX.min(request.timeout)))
        .max_redirects(request.redirects_max)
        .max_redirects_will_error(false)
        .redirect_auth_headers(ureq::config::RedirectAuthHeaders::Never)
        .http_status_as_error(false)
        .proxy(None)
        .max_idle_connections(0)
        .max_response_header_size(16 * 1024)
        .user_agent(USER_AGENT)
        .build();
    let agent = match (request.pin, request.ca_file) {
        (None, None) => ureq::Agent::with_parts(config, DefaultConnector::default(), Lookup::default()),
        (Some(_), _) if !request.url.starts_with("https://") => return Err(ureq::Error::TlsRequired),
        (Some(pin), _) => tls::agent(config, pinned::client(pin)?),
        (None, Some(path)) => tls::agent(config, private_ca::client(path)?),
    };
    let mut builder = types::Request::builder().method(request.method).uri(request.url).header("Connection", "close");
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    match &request.body {
        Some(body) => agent.run(builder.body(body.as_slice())?),
        None => agent.run(builder.body(())?),
    }
}

/// What an error of the wire means, in our words: the package's own texts may contain the address with its token.
#[expect(clippy::wildcard_enum_match_arm, reason = "the package's enum grows")]
fn wire_fault(request: &Request, error: &ureq::Error, received: usize) -> Fault {
    use ureq::Timeout;
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            let limit = text::shown_span(CONNECT_MAX.min(request.timeout));
            request.fault(FaultKind::TimedOut, &format!("no connection within {limit}"))
        }
        ureq::Error::Timeout(Timeout::RecvBody) => request.cut_short(received),
        ureq::Error::Timeout(_) if received > 0 => request.cut_short(received),
        ureq::Error::Timeout(_) => request.timed_out(),
        ureq::Error::HostNotFound => request.fault(FaultKind::Unreachable, "host name is unknown"),
        ureq::Error::ConnectionFailed => request.fault(FaultKind::Unreachable, "no connection"),
        ureq::Error::Io(error) => io_fault(request, error, received),
        ureq::Error::LargeResponseHeader(..) => request.fault(FaultKind::Unreadable, "header lines are too long"),
        ureq::Error::Decompress(_, error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            request.broken(received)
        }
        ureq::Error::Decompress(..) => request.fault(FaultKind::Unreadable, "packed answer cannot be unpacked"),
        ureq::Error::Protocol(_) => request.fault(FaultKind::Unreadable, NOT_HTTP),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => insecure(request, error),
        other => match (pinned::other_certificate(other), private_ca::unusable_file(other)) {
            (Some(cause), _) => request.fault(FaultKind::WrongDevice, &cause),
            (None, Some(cause)) => request.fault(FaultKind::Missing, &cause),
            (None, None) => request.fault(FaultKind::Unreadable, &format!("request failed: {}", request.quoted(other))),
        },
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the standard library's enum grows")]
fn io_fault(request: &Request, error: &std::io::Error, received: usize) -> Fault {
    use std::io::ErrorKind as Io;
    match error.kind() {
        Io::TimedOut | Io::WouldBlock if received > 0 => request.cut_short(received),
        Io::TimedOut | Io::WouldBlock => request.timed_out(),
        Io::ConnectionRefused => request.fault(FaultKind::Unreachable, "connection refused"),
        Io::HostUnreachable | Io::NetworkUnreachable | Io::NetworkDown | Io::AddrNotAvailable => {
            request.fault(FaultKind::Unreachable, "no route to the host")
        }
        Io::UnexpectedEof | Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => request.broken(received),
        // A certificate that is not good, for one.
        _ if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => insecure(request, error),
        // Flate reports damaged data this way.
        Io::InvalidInput | Io::InvalidData => {
            request.fault(FaultKind::Unreadable, &format!("answer is damaged: {}", request.quoted(error)))
        }
        // The standard library has no kind for a name that cannot be looked up.
        _ if error.to_string().contains("lookup address") => {
            request.fault(FaultKind::Unreachable, "host name is unknown")
        }
        other => request.fault(FaultKind::Broken, &format!("connection failed: {other}")),
    }
}

/// The other side could not prove who it is, or speaks no TLS.
fn insecure(request: &Request, error: &impl ToString) -> Fault {
    let said = request.quoted(error);
    let is_unknown = said.contains("UnknownIssuer") || said.contains("BadSignature");
    let way_out = match (is_unknown, request.ca_file) {
        (true, None) => "; no public authority signed it; `ca_file` can name one of your own",
        (true, Some(_)) => "; neither a public authority nor one in `ca_file` signed it",
        (false, _) if said.contains("CaUsedAsEndEntity") => {
            "; it is an authority's own certificate: issue one for the server with CA:FALSE"
        }
        (false, _) => "",
    };
    request.fault(FaultKind::Unreachable, &format!("no secure connection: {said}{way_out}"))
}

fn log_call(request: &Request, result: &Result<Answer, Fault>, took: Duration) {
    let address = request.masked(&shown_url(request.url));
    let took = took.as_millis();
    match result {
        Ok(answer) => {
            log::debug!("{}: {} {address}: status {}, {took} ms", request.device, request.method, answer.status);
            if log::log_enabled!(log::Level::Trace) {
                let body = request.masked(&answer.text());
                let shown: String = body.chars().take(2048).collect();
                log::trace!("{}: {}", request.device, shown.escape_debug());
            }
        }
        Err(fault) => log::debug!("{fault}, {took} ms"),
    }
}
