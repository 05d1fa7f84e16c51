//! Email over SMTP, by lettre: one message in one transaction for all recipients, so that one refused address costs the
//! others nothing and nobody gets it twice. Encryption is never given up: without STARTTLS nothing is sent.
//!
//! lettre's own wait is per read, so a server that drips a byte at a time would hold it for ever, and looking up a name
//! has no limit at all. Therefore the session runs on a thread of its own that is left behind when time is up.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;

use crate::clock::Clock;
use crate::config::{Config, EmailConfig, MailSecurity, Secret};
use crate::http::read_ca_file;
use crate::model::{Fault, FaultKind};

use super::attempt::{Attempt, combine, excerpt};
use super::letter::{Letter, zone};

const DEVICE: &str = "email";

/// The longest subject.
const SUBJECT_MAX: usize = 150;

/// The longest text; far above what a notice has.
const TEXT_MAX: usize = 100_000;

/// How long a goodbye may take: the message is delivered or lost by then.
const QUIT_MAX: Duration = Duration::from_secs(1);

/// After this much more than its time a session that has not ended by itself is left behind.
const LEFT_BEHIND_AFTER: Duration = Duration::from_millis(100);

/// Sends a message within `left` (real time) or the configured wait, whichever is shorter.
pub(super) fn send(cfg: &Config, settings: &EmailConfig, letter: &Letter, clock: &Clock, left: Duration) -> Attempt {
    let limit = settings.timeout.duration().min(left);
    match Prepared::new(cfg, settings, letter, clock) {
        Ok(mail) => in_time(settings, limit, move |session| session.run(|it, to| it.transaction(to, &mail))),
        Err(attempt) => attempt,
    }
}

/// Asks whether the server takes login, sender and recipients, within `limit` (real time), and leaves before the message.
/// `Ok` says what it took.
pub(super) fn look(settings: &EmailConfig, limit: Duration) -> Result<String, Fault> {
    let refused = |what: &str| Fault::new(DEVICE, FaultKind::Missing, what);
    let address = |text: &String| text.parse::<Mailbox>().map(|mailbox| mailbox.email);
    let from = address(&settings.from).map_err(|_| refused("`from` in [email] is not an address"))?;
    let to: Result<Vec<(String, Address)>, _> =
        settings.to.iter().map(|text| address(text).map(|address| (text.clone(), address))).collect();
    let to = to.map_err(|_| refused("not an address; correct `to` in [email]"))?;
    let limit = settings.timeout.duration().min(limit);
    let attempt =
        in_time(settings, limit, move |session| session.run(|it, server| it.envelope_only(server, from, &to)));
    match attempt {
        Attempt::Accepted(None) => {
            let security = match settings.security {
                MailSecurity::StartTls => "STARTTLS",
                MailSecurity::Tls => "TLS",
                MailSecurity::None => "not encrypted",
            };
            Ok(format!("{} ({security}) takes login, sender and {} recipients", settings.host, settings.to.len()))
        }
        Attempt::Accepted(Some(fault)) | Attempt::Later { fault, .. } | Attempt::Refused(fault) => Err(fault),
    }
}

/// Holds a conversation on a thread of its own, which is left behind when time is up.
fn in_time(
    settings: &EmailConfig,
    limit: Duration,
    talk: impl FnOnce(&Session) -> (Attempt, Option<SmtpConnection>) + Send + 'static,
) -> Attempt {
    let (result, received) = channel();
    let given_up = Arc::new(AtomicBool::new(false));
    let session = Session { cfg: settings.clone(), deadline: Instant::now() + limit, given_up: Arc::clone(&given_up) };
    let work = move || {
        let (attempt, connection) = talk(&session);
        // Nobody listens any more when time is up; the attempt was reported as late then.
        let _listening = result.send(attempt).is_ok();
        if let Some(mut connection) = connection {
            // A goodbye that fails changes nothing: the server has said what it did with the message.
            let _timeout_is_set = connection.set_timeout(Some(QUIT_MAX)).is_ok();
            connection.abort();
        }
    };
    if let Err(cause) = thread::Builder::new().name("smtp".to_owned()).spawn(work) {
        return Attempt::later(Fault::new(DEVICE, FaultKind::Broken, format!("no thread to send on: {cause}")));
    }
    received.recv_timeout(limit + LEFT_BEHIND_AFTER).unwrap_or_else(|_| {
        given_up.store(true, Ordering::Relaxed);
        let detail = format!("{}:{}: not done within {:.1} s", settings.host, settings.port, limit.as_secs_f64());
        Attempt::later(Fault::new(DEVICE, FaultKind::TimedOut, detail))
    })
}

/// A message with its envelope.
struct Prepared {
    from: Address,
    /// Each as it is configured, and its address.
    to: Vec<(String, Address)>,
    reached: Vec<String>,
    unusable: Vec<(String, Attempt)>,
    bytes: Vec<u8>,
}

impl Prepared {
    fn new(cfg: &Config, settings: &EmailConfig, letter: &Letter, clock: &Clock) -> Result<Prepared, Attempt> {
        let refused = |what: &str| Attempt::Refused(Fault::new(DEVICE, FaultKind::Missing, what));
        let from: Mailbox = settings.from.parse().map_err(|_| refused("`from` in [email] is not an address"))?;
        let (mut shown, mut to, mut unusable) = (Vec::new(), Vec::new(), Vec::new());
        let missing = letter.missing(&settings.to);
        for recipient in &settings.to {
            match recipient.parse::<Mailbox>() {
                Ok(mailbox) => {
                    if missing.contains(&recipient) {
                        to.push((recipient.clone(), mailbox.email.clone()));
                    }
                    shown.push(mailbox);
                }
                Err(_) => unusable.push((recipient.clone(), refused("not an address; correct `to` in [email]"))),
            }
        }
        if to.is_empty() {
            return Err(combine(DEVICE, &letter.reached, unusable));
        }
        let bytes = message(cfg, letter, clock, &from, shown)
            .map_err(|cause| refused(&format!("the message cannot be written: {cause}")))?;
        Ok(Prepared { from: from.email, to, reached: letter.reached.clone(), unusable, bytes })
    }
}

/// The message's bytes: plain text in UTF-8, packed so that every server takes it.
fn message(
    cfg: &Config,
    letter: &Letter,
    clock: &Clock,
    from: &Mailbox,
    to: Vec<Mailbox>,
) -> Result<Vec<u8>, lettre::error::Error> {
    let mut text = letter.text(TEXT_MAX);
    if let Some(page) = cfg.site.page_url.as_ref().filter(|page| !text.contains(page.as_str())) {
        text.push_str(&format!("\n\nThe page: {page}"));
    }
    text.push('\n');
    let addresses = Envelope::new(Some(from.email.clone()), to.iter().map(|m| m.email.clone()).collect())?;
    let id = format!("<{}@{}>", letter.fingerprint, from.email.domain());
    let mut builder = Message::builder()
        .envelope(addresses)
        .from(from.clone())
        .subject(letter.title(SUBJECT_MAX))
        .message_id(Some(id))
        .header(ContentType::TEXT_PLAIN);
    for mailbox in to {
        builder = builder.to(mailbox);
    }
    let mut message = builder.body(text)?;
    let now = Timestamp::from_second(clock.now().wall.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone(cfg));
    // Set last: lettre takes a date with another offset than zero for none and puts its own.
    if let Ok(date) = jiff::fmt::rfc2822::to_string(&now) {
        message.headers_mut().insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str("Date"), date));
    }
    // Programs that answer mail by themselves (holiday notes) leave such a message alone.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
    Ok(message.formatted())
}

/// Recipients that a server took, and what came of the others.
type Recipients = (Vec<String>, Vec<(String, Attempt)>);

/// One conversation with the mail server.
struct Session {
    cfg: EmailConfig,
    deadline: Instant,
    given_up: Arc<AtomicBool>,
}

impl Session {
    /// Logs in and goes on with `then`: what came of it, and the connection if there is one to say goodbye on.
    fn run(
        &self,
        then: impl FnOnce(&Session, &mut SmtpConnection) -> Result<Attempt, Attempt>,
    ) -> (Attempt, Option<SmtpConnection>) {
        let mut connection = match self.connected() {
            Ok(connection) => connection,
            Err(attempt) => return (attempt, None),
        };
        let attempt = self.login(&mut connection).and_then(|()| then(self, &mut connection));
        (attempt.unwrap_or_else(|attempt| attempt), Some(connection))
    }

    /// Connects, and encrypts as configured.
    fn connected(&self) -> Result<SmtpConnection, Attempt> {
        let cfg = &self.cfg;
        let hello = ClientId::default();
        let tls = match cfg.security {
            MailSecurity::None => None,
            MailSecurity::StartTls | MailSecurity::Tls => Some(self.tls()?),
        };
        let at_once = tls.as_ref().filter(|_| cfg.security == MailSecurity::Tls);
        let server = (cfg.host.as_str(), cfg.port);
        let mut connection = SmtpConnection::connect(server, Some(self.left()?), &hello, at_once, None)
            .map_err(|error| self.failed("greeting", &error))?;
        if let (MailSecurity::StartTls, Some(tls)) = (cfg.security, &tls) {
            if !connection.can_starttls() {
                let what = "the server offers no STARTTLS, and without it nothing is sent; ask the mail provider, or set \
                            `security = \"tls\"` and `port = 465` in [email]";
                return Err(Attempt::later(self.fault(FaultKind::Missing, what)));
            }
            self.tighten(&mut connection)?;
            connection.starttls(tls, &hello).map_err(|error| self.failed("STARTTLS", &error))?;
        }
        Ok(connection)
    }

    /// What is trusted: the public authorities, and the configured one.
    fn tls(&self) -> Result<TlsParameters, Attempt> {
        let unusable = |what: String| Attempt::later(self.fault(FaultKind::Missing, &what));
        let mut builder = TlsParameters::builder(self.cfg.host.clone());
        if let Some(path) = &self.cfg.ca_file {
            let pem = read_ca_file(path).map_err(unusable)?;
            let damaged = |_| unusable(format!("`ca_file` {}: holds no PEM certificate", path.display()));
            builder = builder.add_root_certificate(Certificate::from_pem(pem.as_bytes()).map_err(damaged)?);
        }
        builder.build().map_err(|error| self.failed("TLS settings", &error))
    }

    fn login(&self, connection: &mut SmtpConnection) -> Result<(), Attempt> {
        let (Some(user), Some(password)) = (&self.cfg.user, &self.cfg.password) else { return Ok(()) };
        if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            let what = "the server offers no login by user and password on this port; ask the mail provider, or leave out \
                        `user` and `password` in [email]";
            return Err(Attempt::later(self.fault(FaultKind::Refused, what)));
        }
        self.tighten(connection)?;
        let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
        let Err(error) = connection.auth(DEFAULT_MECHANISMS, &credentials) else { return Ok(()) };
        let attempt = self.failed("login", &error);
        let Attempt::Refused(mut fault) = attempt else { return Err(attempt) };
        fault.kind = FaultKind::Refused;
        fault.detail.push_str("; check `user` and the password in [email]");
        Err(Attempt::Refused(fault))
    }

    /// Sender, recipients, message. Recipients that are refused are left out; the others get it.
    fn transaction(&self, connection: &mut SmtpConnection, mail: &Prepared) -> Result<Attempt, Attempt> {
        let (accepted, refused) = self.envelope(connection, mail.from.clone(), &mail.to)?;
        let mut results = mail.unusable.clone();
        results.extend(refused);
        if !accepted.is_empty() {
            self.tighten(connection)?;
            connection.command(Data).map_err(|error| self.failed("message", &error))?;
            self.tighten(connection)?;
            connection.message(&mail.bytes).map_err(|error| self.failed("message", &error))?;
            results.extend(accepted.into_iter().map(|recipient| (recipient, Attempt::Accepted(None))));
        }
        Ok(combine(DEVICE, &mail.reached, results))
    }

    /// Sender and recipients, and then nothing: the server forgets them.
    fn envelope_only(
        &self,
        connection: &mut SmtpConnection,
        from: Address,
        to: &[(String, Address)],
    ) -> Result<Attempt, Attempt> {
        let (accepted, mut results) = self.envelope(connection, from, to)?;
        self.tighten(connection)?;
        connection.command(Rset).map_err(|error| self.failed("reset", &error))?;
        results.extend(accepted.into_iter().map(|recipient| (recipient, Attempt::Accepted(None))));
        Ok(combine(DEVICE, &[], results))
    }

    /// Sender and recipients: those that are accepted, and what the others were told.
    fn envelope(
        &self,
        connection: &mut SmtpConnection,
        from: Address,
        to: &[(String, Address)],
    ) -> Result<Recipients, Attempt> {
        self.tighten(connection)?;
        connection.command(Mail::new(Some(from), Vec::new())).map_err(|error| self.failed("sender", &error))?;
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for (recipient, address) in to {
            self.tighten(connection)?;
            match connection.command(Rcpt::new(address.clone(), Vec::new())) {
                Ok(_) => accepted.push(recipient.clone()),
                Err(error) if error.status().is_some() => {
                    refused.push((recipient.clone(), self.failed("recipient", &error)));
                }
                Err(error) => return Err(self.failed("recipient", &error)),
            }
        }
        Ok((accepted, refused))
    }

    /// Limits the next step to the time that is left; fails when none is, or when nobody waits any more.
    fn tighten(&self, connection: &mut SmtpConnection) -> Result<(), Attempt> {
        let left = self.left()?;
        connection.set_timeout(Some(left)).map_err(|cause| {
            let what = format!("no limit can be set on the connection: {cause}");
            Attempt::later(self.fault(FaultKind::Broken, &what))
        })
    }

    fn left(&self) -> Result<Duration, Attempt> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || self.given_up.load(Ordering::Relaxed) {
            return Err(Attempt::later(self.fault(FaultKind::TimedOut, "time is up")));
        }
        Ok(left)
    }

    fn fault(&self, kind: FaultKind, what: &str) -> Fault {
        Fault::new(DEVICE, kind, format!("{}:{}: {what}", self.cfg.host, self.cfg.port))
    }

    /// What a failed step means: 5xx never, 4xx and everything of the wire later.
    fn failed(&self, step: &str, error: &SmtpError) -> Attempt {
        let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let said = self.quoted(&said);
        if let Some(code) = error.status() {
            let fault = self.fault(FaultKind::Status, &format!("{step} answered with {code} `{said}`"));
            return if error.is_permanent() { Attempt::Refused(fault) } else { Attempt::later(fault) };
        }
        let (kind, cause) = wire_cause(error, &said);
        Attempt::later(self.fault(kind, &format!("{step}: {cause}")))
    }

    /// A text of the server without what logs in, in the forms that SMTP sends it in.
    fn quoted(&self, text: &str) -> String {
        let mut secrets: Vec<Secret> = self.cfg.password.iter().cloned().collect();
        if let (Some(user), Some(password)) = (&self.cfg.user, &self.cfg.password) {
            let plain = Mechanism::Plain.response(&Credentials::new(user.clone(), password.reveal().to_owned()), None);
            secrets.extend(plain.ok().map(Secret::new));
        }
        excerpt(text, &secrets.iter().collect::<Vec<_>>())
    }
}

/// The class of a failure below SMTP, in our words where the system's are unclear.
#[expect(clippy::wildcard_enum_match_arm, reason = "the standard library's enum grows")]
fn wire_cause(error: &SmtpError, said: &str) -> (FaultKind, String) {
    use io::ErrorKind as Io;
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io_error) = cause.downcast_ref::<io::Error>() {
            return match io_error.kind() {
                Io::TimedOut | Io::WouldBlock => (FaultKind::TimedOut, "no answer in time".to_owned()),
                Io::ConnectionRefused => (FaultKind::Unreachable, "connection refused".to_owned()),
                Io::UnexpectedEof | Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => {
                    (FaultKind::Broken, "the connection broke off".to_owned())
                }
                // Certificates that do not prove the server come as this kind.
                Io::InvalidData if said.contains("certificate") => (FaultKind::WrongDevice, certificate_cause(said)),
                Io::InvalidData => (FaultKind::Unreadable, format!("no TLS conversation: {said}")),
                _ => (FaultKind::Unreachable, said.to_owned()),
            };
        }
        source = cause.source();
    }
    if error.is_response() && said.contains("incomplete response") {
        return (FaultKind::Broken, "the connection broke off".to_owned());
    }
    let kind = if error.is_response() { FaultKind::Unreadable } else { FaultKind::Unreachable };
    (kind, said.to_owned())
}

fn certificate_cause(said: &str) -> String {
    let way_out = if said.contains("CaUsedAsEndEntity") {
        "it is an authority's own certificate: issue one for the server with CA:FALSE"
    } else if said.contains("UnknownIssuer") || said.contains("BadSignature") {
        "if it is signed by an authority of your own, name that in `ca_file` in [email]"
    } else {
        "compare `host` in [email] with the certificate's names and dates"
    };
    format!("the server's certificate is not trusted ({said}); {way_out}")
}
