//! A mail server: STARTTLS or TLS from the start, AUTH PLAIN and LOGIN, and a memory of what was sent. It relays nothing
//! and knows no extension beyond those.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::devices::Device;
use crate::server::{Site, reset};

const USER: &str = "minectl";
const PASSWORD: &str = "site-smtp-password";
const LINE_BYTES_MAX: usize = 4096;
const MAIL_BYTES_MAX: usize = 4 << 20;

trait Channel: Read + Write {}
impl<T: Read + Write> Channel for T {}

/// How a conversation ended.
enum End {
    Closed,
    StartTls,
}

/// One client's state.
struct Talk<'a> {
    site: &'a Site,
    channel: &'a mut dyn Channel,
    fault: &'a str,
    is_tls: bool,
    is_known: bool,
    from: Option<String>,
    to: Vec<String>,
}

pub(crate) fn serve(site: &Site, device: Device, mut stream: TcpStream, fault: &str) {
    let tls = |stream| ServerConnection::new(Arc::clone(&site.tls)).map(|c| StreamOwned::new(c, stream));
    match (device, fault) {
        (Device::Smtp, "slow-drip") => return site.drip(&mut stream, device, b"220-mail.site.invalid ESMTP"),
        (_, "slow-drip") => return site.hold(stream, device, fault),
        (Device::Smtp, "reset") => {
            // The banner draws the client's greeting; that stays unread, so the end is a reset.
            return if stream.write_all(BANNER).is_ok() {
                reset(stream)
            };
        }
        (_, "reset") => return reset(stream),
        _ => {}
    }
    // A client that breaks off in the middle is its own affair: the results below are not errors of the site.
    if device == Device::Smtps {
        let Ok(mut stream) = tls(stream) else { return };
        drop(converse(site, &mut stream, fault, true, true));
        stream.conn.send_close_notify();
        drop(stream.flush());
    } else if let Ok(End::StartTls) = converse(site, &mut stream, fault, false, true) {
        let Ok(mut stream) = tls(stream) else { return };
        drop(converse(site, &mut stream, fault, true, false));
        stream.conn.send_close_notify();
        drop(stream.flush());
    }
}

const BANNER: &[u8] = b"220 mail.site.invalid ESMTP ready\r\n";

fn converse(site: &Site, channel: &mut dyn Channel, fault: &str, is_tls: bool, has_banner: bool) -> io::Result<End> {
    let mut talk = Talk { site, channel, fault, is_tls, is_known: false, from: None, to: Vec::new() };
    if has_banner {
        talk.channel.write_all(BANNER)?;
        talk.channel.flush()?;
    }
    loop {
        let line = talk.line()?;
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => talk.greet()?,
            "HELO" => talk.say("250 mail.site.invalid")?,
            "STARTTLS" if talk.offers_starttls() => {
                talk.say("220 2.0.0 Ready to start TLS")?;
                return Ok(End::StartTls);
            }
            "AUTH" => talk.authenticate(rest)?,
            "MAIL" => talk.mail(rest)?,
            "RCPT" => talk.recipient(rest)?,
            "DATA" => talk.data()?,
            "RSET" => {
                talk.from = None;
                talk.to.clear();
                talk.say("250 2.0.0 Ok")?;
            }
            "NOOP" => talk.say("250 2.0.0 Ok")?,
            "QUIT" => {
                talk.say("221 2.0.0 Bye")?;
                return Ok(End::Closed);
            }
            _ => talk.say("502 5.5.2 Error: command not recognized")?,
        }
    }
}

impl Talk<'_> {
    fn say(&mut self, text: &str) -> io::Result<()> {
        self.channel.write_all(format!("{text}\r\n").as_bytes())?;
        self.channel.flush()
    }

    /// One line without its end; an error at the end of the stream or when it is too long.
    fn line(&mut self) -> io::Result<String> {
        let mut bytes = Vec::new();
        let mut byte = [0u8; 1];
        while byte[0] != b'\n' {
            self.channel.read_exact(&mut byte)?;
            bytes.push(byte[0]);
            if bytes.len() > LINE_BYTES_MAX {
                return Err(io::Error::other("line too long"));
            }
        }
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
    }

    fn offers_starttls(&self) -> bool {
        !self.is_tls && self.fault != "no-starttls"
    }

    fn offers_auth(&self) -> bool {
        self.is_tls || !self.site.world().settings.smtp_strict
    }

    fn greet(&mut self) -> io::Result<()> {
        let mut lines = vec!["mail.site.invalid", "SIZE 4194304", "8BITMIME"];
        if self.offers_starttls() {
            lines.push("STARTTLS");
        }
        if self.offers_auth() {
            lines.push("AUTH PLAIN LOGIN");
        }
        let last = lines.pop().unwrap_or("");
        for line in lines {
            self.say(&format!("250-{line}"))?;
        }
        self.say(&format!("250 {last}"))
    }

    fn authenticate(&mut self, rest: &str) -> io::Result<()> {
        if !self.offers_auth() {
            return self.say("530 5.7.0 Must issue a STARTTLS command first");
        }
        let (method, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let (user, password) = match method.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let text = if initial.is_empty() { self.ask("334 ")? } else { decode(initial) };
                let mut parts = text.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => {
                let user = if initial.is_empty() { self.ask("334 VXNlcm5hbWU6")? } else { decode(initial) };
                (user, self.ask("334 UGFzc3dvcmQ6")?)
            }
            _ => return self.say("504 5.5.4 Unrecognized authentication type"),
        };
        self.is_known = user == USER && password == PASSWORD && self.fault != "auth-refused";
        if self.is_known {
            self.say("235 2.7.0 Authentication successful")
        } else {
            self.say("535 5.7.8 Error: authentication failed")
        }
    }

    fn ask(&mut self, prompt: &str) -> io::Result<String> {
        self.say(prompt)?;
        Ok(decode(&self.line()?))
    }

    fn mail(&mut self, rest: &str) -> io::Result<()> {
        if !self.is_known {
            return self.say("530 5.7.0 Authentication required");
        }
        if self.fault == "451" {
            return self.say("451 4.3.0 Error: queue file write error");
        }
        let Some(from) = address(rest, "FROM:") else { return self.say("501 5.5.4 Syntax: MAIL FROM:<address>") };
        self.from = Some(from);
        self.say("250 2.1.0 Ok")
    }

    fn recipient(&mut self, rest: &str) -> io::Result<()> {
        if self.from.is_none() {
            return self.say("503 5.5.1 Error: need MAIL command");
        }
        let Some(to) = address(rest, "TO:") else { return self.say("501 5.5.4 Syntax: RCPT TO:<address>") };
        if self.fault == "550" {
            return self.say(&format!("550 5.1.1 <{to}>: Recipient address rejected: User unknown"));
        }
        self.to.push(to);
        self.say("250 2.1.5 Ok")
    }

    fn data(&mut self) -> io::Result<()> {
        let Some(from) = self.from.clone().filter(|_| !self.to.is_empty()) else {
            return self.say("503 5.5.1 Error: need RCPT command");
        };
        self.say("354 End data with <CR><LF>.<CR><LF>")?;
        let mut text = String::new();
        loop {
            let line = self.line()?;
            if line == "." {
                break;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push('\n');
            if text.len() > MAIL_BYTES_MAX {
                return Err(io::Error::other("mail too long"));
            }
        }
        let to = std::mem::take(&mut self.to);
        self.from = None;
        let mut world = self.site.world();
        let entry = record(&text, world.wall, &from, &to, self.is_tls);
        world.recorded.email.push(entry);
        let queued = format!("250 2.0.0 Ok: queued as {:08X}", 0x4A00_0000 + world.recorded.email.len());
        drop(world);
        self.say(&queued)
    }
}

fn decode(text: &str) -> String {
    BASE64.decode(text.trim()).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
}

/// The address in `FROM:<a@b> SIZE=..`.
fn address(rest: &str, keyword: &str) -> Option<String> {
    let head = rest.get(..keyword.len())?;
    let tail = rest.get(keyword.len()..)?.trim_start().strip_prefix('<')?;
    head.eq_ignore_ascii_case(keyword).then(|| tail.split_once('>').map(|(a, _)| a.to_owned()))?
}

/// A mail as `GET /recorded` shows it: subject and body decoded, headers and raw text kept beside.
fn record(text: &str, time: i64, from: &str, to: &[String], is_tls: bool) -> Value {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let head = head.replace("\n ", " ").replace("\n\t", " ");
    let header = |name: &str| {
        let lines = head.lines().filter_map(|l| l.split_once(':'));
        lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v.trim())
    };
    let body = match header("content-transfer-encoding").to_ascii_lowercase().as_str() {
        "base64" => decode(&body.replace('\n', "")),
        "quoted-printable" => quoted_printable(body, false),
        _ => body.to_owned(),
    };
    json!({
        "time": time, "from": from, "to": to, "subject": encoded_words(header("subject")), "body": body,
        "tls": is_tls, "message_id": header("message-id"), "headers": head, "raw": text,
    })
}

fn quoted_printable(text: &str, underscore_is_blank: bool) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        rest = tail;
        match (first, hex) {
            (b'=', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            (b'=', None) if tail.first() == Some(&b'\n') => rest = &tail[1..],
            (b'_', _) if underscore_is_blank => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Decodes `=?utf-8?b?..?=` and `=?utf-8?q?..?=`; blanks between two such words vanish.
fn encoded_words(text: &str) -> String {
    let mut out = String::new();
    let mut was_encoded = false;
    for word in text.split(' ') {
        let parts: Vec<&str> = word.split('?').collect();
        let decoded = match parts.as_slice() {
            ["=", _, "b" | "B", data, "="] => Some(decode(data)),
            ["=", _, "q" | "Q", data, "="] => Some(quoted_printable(data, true)),
            _ => None,
        };
        let is_joined = was_encoded && decoded.is_some();
        if !(out.is_empty() || is_joined) {
            out.push(' ');
        }
        was_encoded = decoded.is_some();
        out.push_str(&decoded.unwrap_or_else(|| word.to_owned()));
    }
    out
}
