//! A GET over a bare socket, for devices that answer without a status line and headers. Plain http only, no redirects.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ureq::http::Uri;

use super::{Answer, CONNECT_MAX, NOT_HTTP, Request, USER_AGENT, io_fault, log_call, not_packed, text};
use crate::model::{Fault, FaultKind};

/// The longest head (status line and headers) that is looked for.
const HEAD_MAX: usize = 16 * 1024;

/// The most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Sends a GET as HTTP/1.0 and reads to the end of the connection, or to the announced length. A reply that does not
/// begin with a status line is an answer with status 200, no headers, and the whole reply as its body. Method, body and
/// redirects of the request are not used. Faults as [`super::send`].
pub fn raw_get(request: &Request) -> Result<Answer, Fault> {
    let began = Instant::now();
    let result = exchange(request, began);
    log_call(request, &result, began.elapsed());
    result
}

fn exchange(request: &Request, began: Instant) -> Result<Answer, Fault> {
    if request.timeout.is_zero() {
        return Err(request.not_sent());
    }
    let bad = |what: &str| request.fault(FaultKind::Unreadable, what);
    let uri: Uri = request.url.parse().map_err(|_| bad("address cannot be used"))?;
    if uri.scheme_str() != Some("http") {
        return Err(bad("address must be plain http for this kind of device"));
    }
    let host = uri.host().ok_or_else(|| bad("address has no host"))?;
    let port = uri.port_u16().unwrap_or(80);
    let mut stream = connect(request, host, port, began)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut head = format!("GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n");
    head.push_str(&format!("User-Agent: {USER_AGENT}\r\nConnection: close\r\n"));
    for (name, value) in &request.headers {
        if name.chars().chain(value.chars()).any(|c| c.is_control()) {
            return Err(bad("header line holds a control character"));
        }
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let left = time_left(request, began).ok_or_else(|| request.timed_out())?;
    let sent = stream.set_write_timeout(Some(left)).and_then(|()| stream.write_all(head.as_bytes()));
    sent.map_err(|error| io_fault(request, &error, 0))?;
    let reply = read_reply(request, &mut stream, began)?;
    answer(request, reply)
}

fn time_left(request: &Request, began: Instant) -> Option<Duration> {
    request.timeout.checked_sub(began.elapsed()).filter(|left| !left.is_zero())
}

/// Connects to the first address of the name that answers.
fn connect(request: &Request, host: &str, port: u16, began: Instant) -> Result<TcpStream, Fault> {
    let limit = CONNECT_MAX.min(request.timeout);
    let late = || request.fault(FaultKind::TimedOut, &format!("no connection within {}", text::shown_span(limit)));
    let mut failed = late();
    for address in resolve(request, host, port, limit)? {
        let left = limit.checked_sub(began.elapsed()).filter(|left| !left.is_zero()).ok_or_else(late)?;
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => failed = late(),
            Err(error) => failed = io_fault(request, &error, 0),
        }
    }
    Err(failed)
}

/// Looks a name up on a thread of its own, because the system's resolver knows no deadline.
fn resolve(request: &Request, host: &str, port: u16, limit: Duration) -> Result<Vec<SocketAddr>, Fault> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if let Ok(address) = bare.parse::<std::net::IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, receiver) = mpsc::channel();
    let lookup = std::thread::Builder::new().spawn(move || {
        let found = (bare.as_str(), port).to_socket_addrs();
        let found: Vec<SocketAddr> = found.into_iter().flatten().take(ADDRESSES_MAX).collect();
        // Nobody listens any more when the deadline has passed.
        sender.send(found).ok();
    });
    lookup.map_err(|error| request.fault(FaultKind::Unreachable, &format!("no thread for the name: {error}")))?;
    match receiver.recv_timeout(limit) {
        Ok(addresses) if addresses.is_empty() => Err(request.fault(FaultKind::Unreachable, "host name is unknown")),
        Ok(addresses) => Ok(addresses),
        Err(_) => Err(request.timed_out()),
    }
}

fn read_reply(request: &Request, stream: &mut TcpStream, began: Instant) -> Result<Vec<u8>, Fault> {
    let mut reply = Vec::new();
    let mut buffer = [0_u8; 4096];
    let limit = request.body_max + HEAD_MAX;
    while !is_whole(&reply) {
        let late = || if reply.is_empty() { request.timed_out() } else { request.cut_short(reply.len()) };
        let left = time_left(request, began).ok_or_else(late)?;
        stream.set_read_timeout(Some(left)).map_err(|error| io_fault(request, &error, reply.len()))?;
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => reply.extend_from_slice(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Small devices end a connection with a reset; whether this was all, the reader of the body tells.
            Err(error) if error.kind() == ErrorKind::ConnectionReset && seems_whole(&reply) => break,
            Err(error) => return Err(io_fault(request, &error, reply.len())),
        }
        if reply.len() > limit {
            return Err(request.too_long());
        }
    }
    if reply.is_empty() { Err(request.broken(0)) } else { Ok(reply) }
}

/// Whether a reply without headers ends as JSON or XML does.
fn seems_whole(reply: &[u8]) -> bool {
    let last = reply.iter().rev().find(|byte| !byte.is_ascii_whitespace() && **byte != 0);
    !reply.starts_with(b"HTTP/") && matches!(last, Some(b'}' | b'>'))
}

/// Whether a reply with headers has all the bytes it announced; without an announced length only its end tells.
pub fn is_whole(reply: &[u8]) -> bool {
    let Some((head, body)) = head_and_body(reply) else { return false };
    let headers = headers(head);
    if is_chunked(&headers) { unchunked(body).is_some() } else { length(&headers).is_some_and(|n| body.len() >= n) }
}

/// Splits a reply that begins with a status line; `None` while the head is not complete, or when there is none.
fn head_and_body(reply: &[u8]) -> Option<(&[u8], &[u8])> {
    if !reply.starts_with(b"HTTP/") {
        return None;
    }
    let window = reply.get(..HEAD_MAX).unwrap_or(reply);
    let ends = |end: &[u8]| window.windows(end.len()).position(|bytes| bytes == end).map(|at| (at, at + end.len()));
    let (end, start) = [ends(b"\r\n\r\n"), ends(b"\n\n")].into_iter().flatten().min()?;
    Some((reply.get(..end)?, reply.get(start..)?))
}

type Headers = Vec<(String, String)>;

fn headers(head: &[u8]) -> Headers {
    let text = String::from_utf8_lossy(head);
    let lines = text.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn length(headers: &Headers) -> Option<usize> {
    header(headers, "content-length")?.parse().ok()
}

fn is_chunked(headers: &Headers) -> bool {
    header(headers, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
}

/// The body inside its chunks, which HTTP/1.0 has not and some servers send all the same; `None` while the last chunk is
/// missing.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let line = std::str::from_utf8(rest.get(..end)?).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let data = rest.get(end + 2..)?;
        body.extend_from_slice(data.get(..size)?);
        rest = data.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

/// What a whole reply says; without a status line it is all body. `Broken` when it is cut off, `Unreadable` when it is too
/// long, packed, or no HTTP.
pub fn answer(request: &Request, reply: Vec<u8>) -> Result<Answer, Fault> {
    let secrets = request.hidden();
    if !reply.starts_with(b"HTTP/") {
        if reply.len() > request.body_max {
            return Err(request.too_long());
        }
        return Ok(Answer { status: 200, headers: Vec::new(), body: reply, secrets });
    }
    let (head, body) = head_and_body(&reply).ok_or_else(|| request.broken(reply.len()))?;
    let status_line = String::from_utf8_lossy(head);
    let status = status_line.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| request.fault(FaultKind::Unreadable, NOT_HTTP))?;
    let headers = headers(head);
    let body = match length(&headers) {
        _ if is_chunked(&headers) => unchunked(body).ok_or_else(|| request.broken(body.len()))?,
        Some(length) => body.get(..length).ok_or_else(|| request.broken(body.len()))?.to_vec(),
        None => body.to_vec(),
    };
    if body.len() > request.body_max {
        return Err(request.too_long());
    }
    not_packed(request, Answer { status, headers, body, secrets })
}
