//! A GET over a bare socket, for devices that answer without a status line and headers. Plain http only, no redirects.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ureq::http::Uri;

use super::{Answer, CONNECT_MAX, Request, USER_AGENT, io_fault, log_call, text};
use crate::config::Secret;
use crate::model::{Fault, FaultKind};

/// The longest head (status line and headers) that is looked for.
const HEAD_MAX: usize = 16 * 1024;

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

#[expect(clippy::wildcard_enum_match_arm, reason = "the standard library's enum grows")]
fn connect(request: &Request, host: &str, port: u16, began: Instant) -> Result<TcpStream, Fault> {
    let limit = CONNECT_MAX.min(request.timeout);
    let address = resolve(request, host, port, limit)?;
    let left = limit.checked_sub(began.elapsed()).filter(|left| !left.is_zero()).ok_or_else(|| request.timed_out())?;
    TcpStream::connect_timeout(&address, left).map_err(|error| match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            request.fault(FaultKind::TimedOut, &format!("no connection within {}", text::shown_span(limit)))
        }
        _ => io_fault(request, &error, 0),
    })
}

/// Looks a name up on a thread of its own, because the system's resolver knows no deadline.
fn resolve(request: &Request, host: &str, port: u16, limit: Duration) -> Result<SocketAddr, Fault> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if let Ok(address) = bare.parse::<std::net::IpAddr>() {
        return Ok(SocketAddr::new(address, port));
    }
    let (sender, receiver) = mpsc::channel();
    let lookup = std::thread::Builder::new().spawn(move || {
        let found = (bare.as_str(), port).to_socket_addrs().ok().and_then(|mut all| all.next());
        // Nobody listens any more when the deadline has passed.
        sender.send(found).ok();
    });
    lookup.map_err(|error| request.fault(FaultKind::Unreachable, &format!("no thread for the name: {error}")))?;
    match receiver.recv_timeout(limit) {
        Ok(Some(address)) => Ok(address),
        Ok(None) => Err(request.fault(FaultKind::Unreachable, "host name is unknown")),
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
            Err(error) => return Err(io_fault(request, &error, reply.len())),
        }
        if reply.len() > limit {
            return Err(request.too_long());
        }
    }
    if reply.is_empty() { Err(request.broken(0)) } else { Ok(reply) }
}

/// Whether a reply with headers has all the bytes it announced; without an announced length only its end tells.
fn is_whole(reply: &[u8]) -> bool {
    head_and_body(reply).is_some_and(|(head, body)| announced(head).is_some_and(|length| body.len() >= length))
}

/// Splits a reply that begins with a status line; `None` while the head is not complete, or when there is none.
fn head_and_body(reply: &[u8]) -> Option<(&[u8], &[u8])> {
    if !reply.starts_with(b"HTTP/") {
        return None;
    }
    let window = reply.get(..HEAD_MAX).unwrap_or(reply);
    let end = window.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((reply.get(..end)?, reply.get(end + 4..)?))
}

fn announced(head: &[u8]) -> Option<usize> {
    headers(head).into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1.parse().ok()
}

fn headers(head: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(head);
    let lines = text.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

fn answer(request: &Request, reply: Vec<u8>) -> Result<Answer, Fault> {
    let secrets: Vec<Secret> = request.secrets.iter().map(|secret| (*secret).clone()).collect();
    if !reply.starts_with(b"HTTP/") {
        if reply.len() > request.body_max {
            return Err(request.too_long());
        }
        return Ok(Answer { status: 200, headers: Vec::new(), body: reply, secrets });
    }
    let (head, body) = head_and_body(&reply).ok_or_else(|| request.broken(reply.len()))?;
    let status_line = String::from_utf8_lossy(head);
    let status = status_line.split_whitespace().nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| request.fault(FaultKind::Unreadable, "answer is not HTTP"))?;
    let headers = headers(head);
    if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding")) {
        return Err(request.fault(FaultKind::Unreadable, "answer comes in chunks, which HTTP/1.0 has not"));
    }
    let body = match announced(head) {
        Some(length) => body.get(..length).ok_or_else(|| request.broken(body.len()))?,
        None => body,
    };
    if body.len() > request.body_max {
        return Err(request.too_long());
    }
    Ok(Answer { status, headers, body: body.to_vec(), secrets })
}
