//! As much HTTP as the simulated devices speak: one request and one answer per connection. No keep-alive, no TLS, and
//! nothing about any device.

use std::io::{Read, Write};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

const REQUEST_BYTES_MAX: usize = 1 << 20;

/// One request, read to its end.
pub(crate) struct Request {
    pub(crate) method: String,
    /// Percent-decoded, without the query.
    pub(crate) path: String,
    /// In the order sent, percent-decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The 1 of HTTP/1.1.
    pub(crate) minor: u8,
}

impl Request {
    /// Reads one request; `None` when the peer closed, timed out, or sent something else.
    pub(crate) fn read(stream: &mut (impl Read + Write)) -> Option<Request> {
        let mut bytes = Vec::new();
        let mut block = [0u8; 8192];
        loop {
            let mut slots = [httparse::EMPTY_HEADER; 64];
            let mut parsed = httparse::Request::new(&mut slots);
            if let httparse::Status::Complete(length) = parsed.parse(&bytes).ok()? {
                let mut request = Request::from_head(&parsed)?;
                let rest = bytes.split_off(length);
                request.read_body(stream, rest)?;
                return Some(request);
            }
            let n = stream.read(&mut block).ok()?;
            if n == 0 || bytes.len() > REQUEST_BYTES_MAX {
                return None;
            }
            bytes.extend_from_slice(&block[..n]);
        }
    }

    fn from_head(parsed: &httparse::Request<'_, '_>) -> Option<Request> {
        let target = parsed.path?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = parsed.headers.iter();
        Some(Request {
            method: parsed.method?.to_owned(),
            path: decode(path, false),
            query: pairs(query),
            headers: headers.map(|h| (h.name.to_owned(), String::from_utf8_lossy(h.value).into_owned())).collect(),
            body: Vec::new(),
            minor: parsed.version?,
        })
    }

    fn read_body(&mut self, stream: &mut (impl Read + Write), mut have: Vec<u8>) -> Option<()> {
        let is_chunked = self.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
        let length: usize = self.header("content-length").map_or(Some(0), |v| v.trim().parse().ok())?;
        if self.header("expect").is_some_and(|v| v.eq_ignore_ascii_case("100-continue")) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
        }
        let mut block = [0u8; 8192];
        loop {
            if is_chunked {
                if let Some(body) = unchunk(&have) {
                    self.body = body;
                    return Some(());
                }
            } else if have.len() >= length {
                have.truncate(length);
                self.body = have;
                return Some(());
            }
            let n = stream.read(&mut block).ok()?;
            if n == 0 || have.len() > REQUEST_BYTES_MAX {
                return None;
            }
            have.extend_from_slice(&block[..n]);
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The first value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether the body is declared as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.header("content-type").is_some_and(|v| v.to_ascii_lowercase().starts_with("application/json"))
    }

    /// The body as an urlencoded form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// The body as JSON; an empty one counts as `{}`.
    pub(crate) fn json(&self) -> Option<Value> {
        if self.body.is_empty() { Some(serde_json::json!({})) } else { serde_json::from_slice(&self.body).ok() }
    }

    /// Path segments without the empty ones: `/a/b/` and `/a/b` are alike.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|s| !s.is_empty()).collect()
    }
}

/// How the end of an answer's body is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `Content-Length`.
    Length,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// No status line, no headers: the body alone, as old devices send it.
    Bare,
}

/// One answer.
#[derive(Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) framing: Framing,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Response { status, headers, body: body.into(), framing: Framing::Length }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Response {
        Response::new(status, "application/json", value.to_string())
    }

    /// The error body of Django's REST framework, which several services here are built on.
    pub(crate) fn detail(status: u16, text: &str) -> Response {
        Response::json(status, &serde_json::json!({ "detail": text }))
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Response {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn framed(mut self, framing: Framing) -> Response {
        self.framing = framing;
        self
    }

    /// Compressed, when the client asked for it.
    pub(crate) fn gzip_if_asked(mut self, request: &Request) -> Response {
        self.headers.push(("Vary".to_owned(), "Accept-Encoding".to_owned()));
        if !request.header("accept-encoding").is_some_and(|v| v.contains("gzip")) {
            return self;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.body).unwrap();
        self.body = encoder.finish().unwrap();
        self.with("Content-Encoding", "gzip")
    }

    /// Status line and headers, up to and with the empty line.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match self.framing {
            Framing::Length => head.push_str(&format!("Content-Length: {}\r\n", self.body.len())),
            Framing::Chunked => head.push_str("Accept-Ranges: none\r\nTransfer-Encoding: chunked\r\n"),
            Framing::Bare => return Vec::new(),
        }
        head.push_str("Connection: close\r\n\r\n");
        head.into_bytes()
    }

    /// The whole answer as it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.head();
        if self.framing == Framing::Chunked {
            for chunk in self.body.chunks(1440) {
                out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                out.extend_from_slice(chunk);
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(b"0\r\n\r\n");
        } else {
            out.extend_from_slice(&self.body);
        }
        out
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        _ => "Unknown",
    }
}

/// Splits `a=1&b=2` and decodes both sides.
fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|p| !p.is_empty());
    parts.map(|p| p.split_once('=').unwrap_or((p, ""))).map(|(n, v)| (decode(n, true), decode(v, true))).collect()
}

/// Percent-decodes; `+` is a blank in queries and forms. A lone `%` is kept.
fn decode(text: &str, plus_is_blank: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = bytes.get(i + 1..i + 3).and_then(|h| std::str::from_utf8(h).ok());
        match (bytes[i], hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 2;
            }
            (b'+', _) if plus_is_blank => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The body inside complete chunks; `None` while the last one is missing.
fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|w| w == b"\r\n")?;
        let line = std::str::from_utf8(&bytes[..end]).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
        let data = bytes.get(end + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(data.get(..size)?);
        bytes = data.get(size + 2..)?;
    }
}
