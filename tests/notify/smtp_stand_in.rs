//! A mail server on loopback with real TLS, strict about order, line ends and line lengths, that records what it took.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::support::PASSWORD;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Encryption {
    None,
    StartTls,
    Implicit,
}

/// How the server behaves.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) encryption: Encryption,
    /// Whether a login is needed; it takes `minectl` with the tests' password.
    pub(crate) wants_login: bool,
    /// The ways to log in that it offers.
    pub(crate) mechanisms: &'static str,
    /// Replies in place of `250 ok`: the command line's start in capitals, and the reply.
    pub(crate) replies: Vec<(&'static str, &'static str)>,
    /// At this command a byte now and then, without end.
    pub(crate) drips_at: &'static str,
    /// At this command the reply comes, but a byte each fifth of a second.
    pub(crate) crawls_at: &'static str,
    /// At this command silence.
    pub(crate) silent_at: &'static str,
    /// At this command the connection ends.
    pub(crate) ends_at: &'static str,
    /// The reply to the message itself.
    pub(crate) verdict: &'static str,
}

impl Manner {
    pub(crate) fn plain() -> Manner {
        Manner {
            encryption: Encryption::None,
            wants_login: false,
            mechanisms: "AUTH PLAIN LOGIN",
            replies: Vec::new(),
            drips_at: "never",
            crawls_at: "never",
            silent_at: "never",
            ends_at: "never",
            verdict: "250 2.0.0 queued",
        }
    }

    pub(crate) fn secure(encryption: Encryption) -> Manner {
        Manner { encryption, wants_login: true, ..Manner::plain() }
    }
}

/// A message that the server took.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
    pub(crate) was_encrypted: bool,
}

impl Mail {
    /// A header, unfolded.
    pub(crate) fn header(&self, name: &str) -> String {
        let head = self.text.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ");
        let lines: Vec<&str> = head.split("\r\n").filter(|line| line.starts_with(&format!("{name}: "))).collect();
        assert_eq!(lines.len(), 1, "{name} in {head}");
        lines[0].split_once(": ").unwrap().1.to_owned()
    }

    /// The body, unpacked.
    pub(crate) fn body(&self) -> String {
        let body = self.text.split_once("\r\n\r\n").unwrap().1;
        let unpacked = match self.header("Content-Transfer-Encoding").as_str() {
            "7bit" => body.as_bytes().to_vec(),
            "base64" => base64::engine::general_purpose::STANDARD.decode(body.replace("\r\n", "")).unwrap(),
            "quoted-printable" => unquoted(body),
            other => panic!("{other}"),
        };
        String::from_utf8(unpacked).unwrap().replace("\r\n", "\n")
    }
}

fn unquoted(body: &str) -> Vec<u8> {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'=' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    bytes
}

/// A certificate authority of the test's own.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // A name of its own, as two real authorities have.
        let number = u64::from_le_bytes(key.public_key_raw()[1..9].try_into().unwrap());
        params.distinguished_name.push(DnType::CommonName, format!("authority {number}"));
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn server_config(&self, name: &str) -> Arc<rustls::ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.unwrap().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }
}

pub(crate) struct SmtpStandIn {
    pub(crate) port: u16,
    taken: Arc<Mutex<Vec<Mail>>>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl SmtpStandIn {
    /// Starts with a certificate for 127.0.0.1.
    pub(crate) fn start(manner: Manner, authority: &Authority) -> SmtpStandIn {
        SmtpStandIn::start_as("127.0.0.1", manner, authority)
    }

    /// Starts with a certificate for `name`.
    pub(crate) fn start_as(name: &str, manner: Manner, authority: &Authority) -> SmtpStandIn {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = authority.server_config(name);
        let (taken, lines) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let records = (Arc::clone(&taken), Arc::clone(&lines));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (tls, manner, records) = (Arc::clone(&tls), manner.clone(), records.clone());
                std::thread::spawn(move || {
                    let talk = Talk { manner, taken: records.0, lines: records.1 };
                    talk.serve(stream.unwrap(), tls)
                });
            }
        });
        SmtpStandIn { port, taken, lines }
    }

    pub(crate) fn taken(&self) -> Vec<Mail> {
        self.taken.lock().unwrap().clone()
    }

    /// All command lines of all connections.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

struct Talk {
    manner: Manner,
    taken: Arc<Mutex<Vec<Mail>>>,
    lines: Arc<Mutex<Vec<String>>>,
}

/// Why a conversation ended.
enum End {
    Over,
    Upgrade,
}

impl Talk {
    fn serve(&self, mut stream: TcpStream, tls: Arc<rustls::ServerConfig>) {
        let encrypted = |stream| rustls::StreamOwned::new(rustls::ServerConnection::new(tls).unwrap(), stream);
        if self.manner.encryption == Encryption::Implicit {
            let mut stream = encrypted(stream);
            self.talk(&mut stream, true, true);
            // Without the farewell of TLS the client would see a connection that broke off.
            stream.conn.send_close_notify();
            let _flushed = stream.flush().is_ok();
        } else if let End::Upgrade = self.talk(&mut stream, true, false) {
            self.talk(&mut encrypted(stream), false, true);
        }
    }

    /// One conversation. It ends when the other side does anything but the next right thing.
    fn talk(&self, stream: &mut (impl Read + Write), greets: bool, is_encrypted: bool) -> End {
        let manner = &self.manner;
        if greets && !self.reply(stream, "GREETING", "220 stand-in ESMTP") {
            return End::Over;
        }
        let (mut is_logged_in, mut sender, mut to) = (!manner.wants_login, false, Vec::new());
        while let Some(line) = read_line(stream) {
            self.lines.lock().unwrap().push(line.clone());
            let word = line.split(' ').next().unwrap().to_ascii_uppercase();
            let offers_tls = manner.encryption == Encryption::StartTls && !is_encrypted;
            let goes_on = match word.as_str() {
                "EHLO" => {
                    let mut extensions = vec!["stand-in"];
                    if offers_tls {
                        extensions.push("STARTTLS");
                    } else if manner.wants_login {
                        extensions.push(manner.mechanisms);
                    }
                    extensions.push("SIZE 1000000");
                    let last = extensions.pop().unwrap();
                    let first: String = extensions.iter().map(|e| format!("250-{e}\r\n")).collect();
                    self.reply(stream, "EHLO", &format!("{first}250 {last}"))
                }
                "STARTTLS" if offers_tls => {
                    if !self.reply(stream, "STARTTLS", "220 go ahead") {
                        return End::Over;
                    }
                    return End::Upgrade;
                }
                "AUTH" if line == "AUTH LOGIN" && manner.wants_login && !offers_tls => {
                    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
                    let mut asked = |what: &str, right: &str| {
                        self.reply(stream, "LOGIN", &format!("334 {}", encoded(what)))
                            && read_line(stream) == Some(encoded(right))
                    };
                    is_logged_in = asked("Username:", "minectl") && asked("Password:", PASSWORD);
                    self.reply(stream, "AUTH", if is_logged_in { "235 2.7.0 welcome" } else { "535 5.7.8 bad login" })
                }
                "AUTH" if manner.wants_login && !offers_tls => {
                    let right = base64::engine::general_purpose::STANDARD.encode(format!("\0minectl\0{PASSWORD}"));
                    is_logged_in = line == format!("AUTH PLAIN {right}");
                    let wrong = format!("535 5.7.8 bad login: {line}");
                    self.reply(stream, "AUTH", if is_logged_in { "235 2.7.0 welcome" } else { &wrong })
                }
                _ if !is_logged_in => self.reply(stream, "LOGIN", "530 5.7.0 login required"),
                "MAIL" => {
                    sender = true;
                    self.reply(stream, &line.to_ascii_uppercase(), "250 ok")
                }
                "RCPT" if sender => {
                    let reply = self.scripted(&line.to_ascii_uppercase(), "250 ok");
                    if reply.starts_with('2') {
                        let address = line.strip_prefix("RCPT TO:<").unwrap().strip_suffix('>').unwrap();
                        to.push(address.to_owned());
                    }
                    self.reply(stream, &line.to_ascii_uppercase(), "250 ok")
                }
                "DATA" if !to.is_empty() => {
                    self.reply(stream, "DATA", "354 go on") && self.take(stream, &to, is_encrypted)
                }
                "QUIT" => {
                    self.reply(stream, "QUIT", "221 bye");
                    return End::Over;
                }
                _ => self.reply(stream, "SEQUENCE", "503 5.5.1 bad sequence"),
            };
            if !goes_on {
                break;
            }
        }
        End::Over
    }

    fn take(&self, stream: &mut (impl Read + Write), to: &[String], was_encrypted: bool) -> bool {
        let mut text = String::new();
        loop {
            let Some(line) = read_line(stream) else { return false };
            if line == "." {
                break;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push_str("\r\n");
        }
        if self.manner.verdict.starts_with('2') && self.manner.silent_at != "VERDICT" {
            self.taken.lock().unwrap().push(Mail { to: to.to_vec(), text, was_encrypted });
        }
        self.reply(stream, "VERDICT", self.manner.verdict)
    }

    fn scripted<'a>(&'a self, step: &str, usual: &'a str) -> &'a str {
        self.manner.replies.iter().find(|(start, _)| step.starts_with(start)).map_or(usual, |(_, reply)| reply)
    }

    /// Replies as the script says; whether the conversation goes on.
    fn reply(&self, stream: &mut (impl Read + Write), step: &str, usual: &str) -> bool {
        let manner = &self.manner;
        if step.starts_with(manner.ends_at) {
            return false;
        }
        if step.starts_with(manner.silent_at) {
            std::thread::sleep(Duration::from_secs(30));
            return false;
        }
        if step.starts_with(manner.drips_at) {
            for byte in "250-and so on\r\n".bytes().cycle() {
                std::thread::sleep(Duration::from_millis(50));
                if stream.write_all(&[byte]).and_then(|()| stream.flush()).is_err() {
                    return false;
                }
            }
        }
        let reply = self.scripted(step, usual);
        if step.starts_with(manner.crawls_at) {
            return format!("{reply}\r\n").bytes().all(|byte| {
                std::thread::sleep(Duration::from_millis(200));
                stream.write_all(&[byte]).and_then(|()| stream.flush()).is_ok()
            });
        }
        stream.write_all(format!("{reply}\r\n").as_bytes()).and_then(|()| stream.flush()).is_ok()
    }
}

/// One line; fails the thread on a bare line end, on an overlong line and on anything but ASCII.
fn read_line(stream: &mut impl Read) -> Option<String> {
    let mut line = Vec::new();
    let mut byte = [0_u8];
    while !line.ends_with(b"\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        line.push(byte[0]);
        assert!(line.len() <= 1000, "line too long");
        assert!(byte[0] != b'\n' || line.ends_with(b"\r\n"), "bare line end");
        assert!(byte[0].is_ascii(), "not ASCII");
    }
    line.truncate(line.len() - 2);
    assert!(!line.contains(&b'\r'), "bare carriage return");
    Some(String::from_utf8(line).unwrap())
}
