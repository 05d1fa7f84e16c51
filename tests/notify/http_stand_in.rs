//! An HTTP service on loopback that answers by a script and records what it was sent.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::smtp_stand_in::Authority;

/// What to do with one request.
#[derive(Debug, Clone)]
pub(crate) enum Play {
    /// Status, further header lines, body.
    Answer(u16, &'static str, String),
    /// The same after a while.
    Slow(Duration, u16, String),
    /// No answer at all.
    Hang,
    /// The connection ends before an answer.
    Reset,
    /// A byte now and then, without end.
    Drip,
}

impl Play {
    pub(crate) fn json(status: u16, body: &str) -> Play {
        Play::Answer(status, "", body.to_owned())
    }
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The fields of a form, decoded.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let decoded = |text: &str| {
            let mut bytes = Vec::new();
            let mut rest = text.as_bytes();
            while let Some((first, tail)) = rest.split_first() {
                if *first == b'%' {
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
                    rest = &tail[2..];
                } else {
                    assert_ne!(*first, b'+', "a plus sign in a form is a blank");
                    bytes.push(*first);
                    rest = tail;
                }
            }
            String::from_utf8(bytes).unwrap()
        };
        self.body.split('&').map(|f| f.split_once('=').unwrap()).map(|(n, v)| (decoded(n), decoded(v))).collect()
    }
}

/// A running stand-in. The last play of the script is repeated.
pub(crate) struct HttpStandIn {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl HttpStandIn {
    pub(crate) fn start(script: Vec<Play>) -> HttpStandIn {
        HttpStandIn::listening(script, None)
    }

    /// The same by https, with a certificate of this authority.
    pub(crate) fn start_tls(script: Vec<Play>, authority: &Authority) -> HttpStandIn {
        HttpStandIn::listening(script, Some(authority.server_config("127.0.0.1")))
    }

    fn listening(script: Vec<Play>, tls: Option<Arc<rustls::ServerConfig>>) -> HttpStandIn {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let play = script.get(number).or(script.last()).cloned().unwrap();
                let (record, tls) = (Arc::clone(&record), tls.clone());
                std::thread::spawn(move || match tls {
                    None => serve(&mut stream.unwrap(), &play, &record),
                    Some(tls) => {
                        let conn = rustls::ServerConnection::new(tls).unwrap();
                        let mut stream = rustls::StreamOwned::new(conn, stream.unwrap());
                        serve(&mut stream, &play, &record);
                        stream.conn.send_close_notify();
                        let _flushed = stream.flush().is_ok();
                    }
                });
            }
        });
        HttpStandIn { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: &mut (impl Read + Write), play: &Play, record: &Mutex<Vec<Seen>>) {
    let Some(seen) = read_request(stream) else { return };
    record.lock().unwrap().push(seen);
    let (status, headers, body) = match play {
        Play::Answer(status, headers, body) => (*status, *headers, body),
        Play::Slow(pause, status, body) => {
            std::thread::sleep(*pause);
            (*status, "", body)
        }
        Play::Hang => return std::thread::sleep(Duration::from_secs(30)),
        Play::Reset => return,
        Play::Drip => {
            for byte in b"HTTP/1.1 200 OK\r\nX-Long: ".iter().chain([b'x'].iter().cycle()) {
                std::thread::sleep(Duration::from_millis(50));
                if stream.write_all(&[*byte]).is_err() {
                    return;
                }
            }
            return;
        }
    };
    let length = body.len();
    let kind = if headers.contains("Content-Type") { "" } else { "Content-Type: application/json\r\n" };
    let answer = format!("HTTP/1.1 {status} X\r\n{kind}{headers}Content-Length: {length}\r\n\r\n{body}");
    // The other side may have given up.
    let _sent = stream.write_all(answer.as_bytes()).is_ok();
}

/// Reads one whole request strictly: a length must be given when there is a body.
fn read_request(stream: &mut impl Read) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(start) = request.parse(&bytes).unwrap() {
            let (method, path) = (request.method.unwrap().to_owned(), request.path.unwrap().to_owned());
            let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
            let headers: Vec<(String, String)> =
                request.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect();
            let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
            if bytes.len() >= start + length {
                let body = text(&bytes[start..start + length]);
                return Some(Seen { at: Instant::now(), method, path, headers, body });
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}
