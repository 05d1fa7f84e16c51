//! The requests of a Redfish conversation: a session where the service offers one, else HTTP Basic or Digest; only towards the
//! configured address, whatever a link says. The session is given back at the end: services have few of them.

use serde_json::{Value, json};

use super::super::password::Password;
use super::super::turn::Turn;
use super::parse;
use crate::config::{PduAuth, PduConfig, Secret};
use crate::drivers::common::{Limits, is_silent, joined, json as as_json};
use crate::http::{Answer, Request, send};
use crate::model::{Fault, FaultKind, Reading};

/// Where every service begins.
const ROOT: &str = "/redfish/v1/";

/// Sessions in one conversation.
const LOGINS_MAX: u32 = 2;

/// How requests say who asks.
enum Access {
    /// Not yet, or by nothing: without a user nobody logs in.
    None,
    /// User and password with each request.
    Password,
    Session {
        token: Secret,
        place: Option<String>,
    },
}

/// The line to one service.
pub(super) struct Link<'a> {
    cfg: &'a PduConfig,
    limits: Limits,
    turn: Turn<'a>,
    password: Password<'a>,
    access: Access,
    sessions: Option<String>,
    logins: u32,
}

impl<'a> Link<'a> {
    pub(super) fn new(cfg: &'a PduConfig, limits: Limits, turn: Turn<'a>) -> Link<'a> {
        Link { cfg, limits, turn, password: Password::new(cfg), access: Access::None, sessions: None, logins: 0 }
    }

    /// Whether no time is left.
    pub(super) fn is_over(&self) -> bool {
        self.limits.left().is_zero()
    }

    /// The service's root, which needs no login; logs in on the way where a user is configured.
    pub(super) fn open(&mut self) -> Reading<Value> {
        let name = self.cfg.name.as_str();
        let mut answer = self.sent(name, "GET", ROOT, None)?;
        let has_user = self.cfg.user.is_some();
        // Some services let nobody see even their root.
        if has_user && (self.cfg.auth == PduAuth::Digest || answer.status == 401) {
            self.access = Access::Password;
            if answer.status == 401 {
                answer = self.sent(name, "GET", ROOT, None)?;
            }
        }
        let root = as_json(&self.judged(name, ROOT, answer)?, name)?;
        if has_user && matches!(self.access, Access::None) {
            self.sessions = parse::sessions(&root).map(str::to_owned);
            if let (None, Some(service)) = (&self.sessions, parse::link(&root, "SessionService")) {
                let answer = self.sent(name, "GET", service, None)?;
                let service: Option<Value> = serde_json::from_slice(&answer.body).ok();
                self.sessions = service.as_ref().and_then(|found| parse::link(found, "Sessions")).map(str::to_owned);
            }
            self.log_in()?;
        }
        Ok(root)
    }

    pub(super) fn get(&mut self, place: &str) -> Reading<Value> {
        let name = self.cfg.name.as_str();
        let answer = self.ask(name, "GET", place, None)?;
        as_json(&answer, name)
    }

    pub(super) fn post(&mut self, device: &str, place: &str, body: &Value) -> Result<Answer, Fault> {
        self.ask(device, "POST", place, Some(body))
    }

    /// A request; a session that the service forgot is asked for anew, since a refused request did nothing.
    fn ask(&mut self, device: &str, method: &str, place: &str, body: Option<&Value>) -> Result<Answer, Fault> {
        let answer = self.sent(device, method, place, body)?;
        let was_session = matches!(self.access, Access::Session { .. });
        if answer.status == 401 && was_session && self.logins < LOGINS_MAX {
            self.log_in()?;
            let again = self.sent(device, method, place, body)?;
            return self.judged(device, place, again);
        }
        self.judged(device, place, answer)
    }

    fn log_in(&mut self) -> Result<(), Fault> {
        self.logins = self.logins.saturating_add(1);
        self.access = Access::None;
        let (Some(user), Some(place)) = (&self.cfg.user, self.sessions.clone()) else {
            self.access = Access::Password;
            return Ok(());
        };
        let name = self.cfg.name.as_str();
        let password = self.cfg.password.as_ref().map_or("", Secret::reveal);
        let answer = self.sent(name, "POST", &place, Some(&json!({"UserName": user, "Password": password})))?;
        if matches!(answer.status, 404 | 405 | 501) {
            self.access = Access::Password;
            return Ok(());
        }
        let token = answer.header("x-auth-token").map(Secret::new);
        let session = answer.header("location").map(str::to_owned);
        self.judged(name, &place, answer).map_err(|fault| {
            let kind = if is_silent(&fault) { fault.kind } else { FaultKind::Refused };
            Fault::new(name, kind, format!("login failed: {}", fault.detail))
        })?;
        let missing = || Fault::new(name, FaultKind::Unreadable, "login failed: the answer has no X-Auth-Token");
        self.access = Access::Session { token: token.ok_or_else(missing)?, place: session };
        Ok(())
    }

    /// Ends the session.
    pub(super) fn close(mut self) {
        let Access::Session { place: Some(place), .. } = &self.access else { return };
        let place = place.clone();
        if self.is_over() {
            return;
        }
        if let Err(fault) = self.sent(&self.cfg.name, "DELETE", &place, None) {
            log::debug!("{fault}: session not ended");
        }
    }

    fn sent(&mut self, device: &str, method: &str, place: &str, body: Option<&Value>) -> Result<Answer, Fault> {
        let url = joined(&self.cfg.url, self.own(device, place)?);
        let _turn = self.turn.take();
        let mut request = Request::new(device, method, &url, self.limits.next())
            .header("Accept", "application/json")
            .header("OData-Version", "4.0");
        let token;
        match &self.access {
            Access::None | Access::Password => {}
            Access::Session { token: known, .. } => {
                token = known.clone();
                request = request.header("X-Auth-Token", token.reveal());
                request.secrets.push(&token);
            }
        }
        if let Some(body) = body {
            request = request.body("application/json", body.to_string());
        }
        request.pin = self.cfg.tls_sha256;
        request.ca_file = self.cfg.ca_file.as_deref();
        request.secrets.extend(self.cfg.password.as_ref());
        match self.access {
            Access::Password => self.password.send(&request),
            Access::None | Access::Session { .. } => send(&request),
        }
    }

    /// The path of a link; a fault when it leads to another host, which must not be sent a password or a command.
    fn own<'p>(&self, device: &str, place: &'p str) -> Result<&'p str, Fault> {
        let path = place.strip_prefix(self.cfg.url.as_str()).unwrap_or(place);
        let is_path = path.starts_with('/') && !path.starts_with("//") && path.chars().all(|c| c.is_ascii_graphic());
        is_path.then_some(path).ok_or_else(|| {
            let shown: String = crate::http::excerpt(place);
            Fault::new(device, FaultKind::WrongDevice, format!("a link leads elsewhere: `{shown}`"))
        })
    }

    /// The service's own words, where an answer says no.
    fn judged(&self, device: &str, place: &str, answer: Answer) -> Result<Answer, Fault> {
        let said = serde_json::from_slice::<Value>(&answer.body).ok().and_then(|body| parse::error(&body));
        let status = answer.status;
        answer.accepted(device, &joined(&self.cfg.url, place)).map_err(|fault| match said {
            Some(said) => Fault { detail: format!("status {status}: {said} ({place})"), ..fault },
            None => fault,
        })
    }
}
