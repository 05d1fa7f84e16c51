//! Tiny loopback servers that answer as told, one connection after another.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a server does with one connection, after the request has been read.
#[derive(Clone)]
pub enum Act {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Sends nothing for ten seconds.
    Hang,
    /// Sends the first bytes at once and the rest one in each 100 ms.
    Drip(Vec<u8>, Vec<u8>),
    /// Closes without an answer.
    Close,
}

impl Act {
    /// A whole answer with status, further header lines (each with its line end) and body.
    pub fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Act {
        let body = body.as_ref();
        let mut bytes = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        Act::Send(bytes)
    }

    /// A JSON answer with status 200.
    pub fn json(body: impl AsRef<[u8]>) -> Act {
        Act::answer(200, "Content-Type: application/json\r\n", body)
    }
}

/// A running server.
pub struct Server {
    /// Its address, without path.
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves each connection with the next act; the last one is repeated.
    pub fn new(acts: Vec<Act>) -> Server {
        let mut turn = 0;
        Server::by(move |_| {
            let act = acts[turn.min(acts.len() - 1)].clone();
            turn += 1;
            act
        })
    }

    /// Serves each connection with what `choose` makes of the request's text.
    pub fn by(mut choose: impl FnMut(&str) -> Act + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let request = read_request(&mut stream);
                let act = choose(&request);
                seen.lock().unwrap().push(request);
                std::thread::spawn(move || perform(act, stream));
            }
        });
        Server { url, requests }
    }

    /// Resets each connection: it closes with the request unread.
    pub fn resetting() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 1]);
            }
        });
        Server { url, requests: Arc::default() }
    }

    /// The requests so far, whole.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The first lines of the requests so far, without the protocol.
    pub fn lines(&self) -> Vec<String> {
        let first = |request: &String| request.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
        self.requests().iter().map(first).collect()
    }
}

/// An address at which nothing listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn read_request(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return text,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
}

fn perform(act: Act, mut stream: TcpStream) {
    match act {
        Act::Send(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Act::Hang => std::thread::sleep(Duration::from_secs(10)),
        Act::Drip(first, rest) => {
            let _ = stream.write_all(&first);
            for byte in rest {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        Act::Close => {}
    }
}
