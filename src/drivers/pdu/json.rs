//! Talking to a PDU that speaks JSON over HTTP: one request for all outlets or one for each, one at a time; a login when
//! a request needs its token, once more when the PDU forgot it, and a logout at the end where the PDU wants one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Taken;
use super::allowed::{Listed, ListedBank};
use super::fill::{Names, form};
use super::parse::{self, Answers, is_in_transition, items, items_pointer, same, state, suspension};
use super::password::Password;
use super::pointer::{dead_end, find};
use super::turn::Turn;
use crate::config::{Ask, Login, PduConfig, PduDialect, Secret};
use crate::drivers::common::{Limits, is_silent, joined, json, no_time, quoted};
use crate::http::{Answer, Request, send};
use crate::model::{Fault, FaultKind, PduReading, Reading};
use crate::units::UnixSeconds;

/// Logins in one conversation: a PDU that forgets each token at once is not asked for ever.
const LOGINS_MAX: u32 = 3;

/// After this many requests in a row without an answer, the others are not sent.
const SILENT_MAX: usize = 2;

/// A conversation with one PDU.
pub(super) struct Json<'a> {
    cfg: &'a PduConfig,
    dialect: &'a PduDialect,
    limits: Limits,
    turn: Turn<'a>,
    password: Password<'a>,
    token: Option<Secret>,
    logins: u32,
    /// The outlets that were in transition in the last reading.
    pub(super) in_transition: BTreeSet<String>,
}

/// What was found out about each outlet, by its name.
type ByOutlet = BTreeMap<String, Reading<Value>>;

impl<'a> Json<'a> {
    pub(super) fn new(cfg: &'a PduConfig, dialect: &'a PduDialect, limits: Limits, turn: Turn<'a>) -> Json<'a> {
        let token = cfg.token.clone().filter(|_| dialect.login.is_none());
        Json {
            cfg,
            dialect,
            limits,
            turn,
            password: Password::new(cfg),
            token,
            logins: 0,
            in_transition: BTreeSet::new(),
        }
    }

    /// Reads all listed outlets.
    pub(super) fn read(&mut self, now: UnixSeconds) -> Reading<PduReading> {
        let dialect = self.dialect;
        let listed = Listed::all(self.cfg);
        let all: Vec<&Listed> = listed.iter().collect();
        let (outlets, document) = self.outlets(&all)?;
        let moving = outlets.iter().filter(|(_, item)| item.as_ref().is_ok_and(|item| is_in_transition(item, dialect)));
        self.in_transition = moving.map(|(name, _)| name.clone()).collect();
        let watts = match &dialect.watts_ask {
            None => BTreeMap::new(),
            Some(ask) => self.each(ask, &all, Ok),
        };
        let total = match (&dialect.total_ask, &dialect.total_watts) {
            (Some(ask), Some(_)) => Some(self.document(ask)),
            (None, Some(_)) => document.map(Ok),
            (_, None) => None,
        };
        let schedule = dialect.schedule_ask.as_ref().map(|ask| self.document(ask));
        Ok(parse::reading(self.cfg, dialect, Answers { outlets, watts, total, schedule }, now))
    }

    /// What the PDU says of these outlets, and the whole answer where one answer holds them all.
    fn outlets(&mut self, wanted: &[&Listed]) -> Reading<(ByOutlet, Option<Value>)> {
        let dialect = self.dialect;
        if !dialect.read.mentions("{id}") {
            let document = self.document(&dialect.read)?;
            return Ok((parse::outlets(&document, self.cfg, dialect)?, Some(document)));
        }
        let place = items_pointer(dialect);
        let name = self.cfg.name.as_str();
        let found = self.each(&dialect.read, wanted, |document| {
            let missing = || {
                let detail = format!("`{place}` is not in the answer; {}", dead_end(&document, &place));
                Fault::new(name, FaultKind::Unreadable, detail)
            };
            find(&document, &place).cloned().ok_or_else(missing)
        });
        match found.values().find(|one| one.is_err()) {
            // A PDU of which nothing at all could be read is a fault as a whole.
            Some(Err(fault)) if found.values().all(Result::is_err) => {
                Err(Fault { device: name.to_owned(), ..fault.clone() })
            }
            _ => Ok((found, None)),
        }
    }

    /// One request for each outlet, until the PDU falls silent or no time is left.
    fn each(&mut self, ask: &Ask, wanted: &[&Listed], take: impl Fn(Value) -> Reading<Value>) -> ByOutlet {
        let mut found = BTreeMap::new();
        let mut silent = 0;
        for outlet in wanted {
            let answer = if silent >= SILENT_MAX {
                let detail = "not asked: the PDU did not answer the requests before it";
                Err(Fault::new(outlet.device(), FaultKind::TimedOut, detail))
            } else if self.limits.left().is_zero() {
                Err(no_time(outlet.device()))
            } else {
                let answer =
                    self.ask(outlet.device(), ask, Some(outlet)).and_then(|answer| json(&answer, outlet.device()));
                silent = if answer.as_ref().is_err_and(is_silent) { silent + 1 } else { 0 };
                answer
            };
            let device = outlet.device().to_owned();
            let answer = answer.and_then(&take).map_err(|fault| Fault { device, ..fault });
            found.insert(outlet.name().to_owned(), answer);
        }
        found
    }

    /// One answer for the whole PDU.
    fn document(&mut self, ask: &Ask) -> Reading<Value> {
        let name = self.cfg.name.as_str();
        self.ask(name, ask, None).and_then(|answer| json(&answer, name))
    }

    /// Why an outlet must not be switched on, for each of which the PDU says, or may say, that it cut it itself.
    pub(super) fn held_off(&mut self, wanted: &[&Listed]) -> Vec<(String, Fault)> {
        if self.dialect.suspended.is_empty() || wanted.is_empty() {
            return Vec::new();
        }
        let seen = self.outlets(wanted).map(|(outlets, _)| outlets);
        let why = |outlet: &&Listed| {
            let refuse = |kind, detail| Some((outlet.name().to_owned(), Fault::new(outlet.device(), kind, detail)));
            let unknown = |fault: &Fault| {
                let detail = format!("not switched on: whether the PDU cut it is not known: {}", fault.detail);
                refuse(fault.kind, detail)
            };
            match seen.as_ref().map(|seen| seen.get(outlet.name())) {
                Err(fault) | Ok(Some(Err(fault))) => unknown(fault),
                Ok(None) => None,
                Ok(Some(Ok(item))) => suspension(item, self.dialect).and_then(|cause| {
                    let detail = format!("not switched on: the PDU itself cut it ({cause}); find the cause there");
                    refuse(FaultKind::NotObeyed, detail)
                }),
            }
        };
        wanted.iter().filter_map(why).collect()
    }

    /// Switches one outlet; the state in the reply is what the PDU says, not what is.
    pub(super) fn switch(&mut self, outlet: &Listed, on: bool) -> Result<Taken, Fault> {
        let dialect = self.dialect;
        let ask = if on { &dialect.switch_on } else { &dialect.switch_off };
        let answer = self.ask(outlet.device(), ask, Some(outlet))?;
        // Many a PDU answers with nothing, or with the old state because it switches after a delay of its own: the
        // reading afterwards has the last word.
        let Ok(reply) = serde_json::from_slice::<Value>(&answer.body) else { return Ok(Taken::default()) };
        let listed = items(&reply, self.cfg, dialect).ok().and_then(|items| items.get(outlet.sent()).copied());
        let replied = state(listed.unwrap_or(&reply), dialect, outlet.device()).ok();
        Ok(Taken { replied, task: None })
    }

    /// Switches the bank off.
    pub(super) fn switch_bank(&mut self, bank: &ListedBank) -> Result<Taken, Fault> {
        let bank = bank.config();
        let (dialect, device) = (self.dialect, format!("{} bank", self.cfg.name));
        let ask = Ask {
            method: bank.method.clone(),
            path: bank.path.clone(),
            body: Some(bank.body.clone()),
            headers: dialect.switch_off.headers.clone(),
            done: dialect.switch_off.done.clone(),
        };
        self.ask(&device, &ask, None).map(|_| Taken::default())
    }

    /// Sends a request with all it needs; a token that the PDU no longer knows is asked for anew, which is safe because
    /// a refused request did nothing.
    fn ask(&mut self, device: &str, ask: &Ask, outlet: Option<&Listed>) -> Result<Answer, Fault> {
        let id = outlet.map(Listed::sent);
        let Some(login) = self.dialect.login.as_ref().filter(|_| ask.mentions("{token}")) else {
            return judged(self.sent(device, ask, id)?, device, self.cfg, ask);
        };
        loop {
            if self.token.is_none() {
                self.log_in(login)?;
            }
            let answer = self.sent(device, ask, id)?;
            if self.logins >= LOGINS_MAX || !is_forgotten(&answer, ask, login) {
                return judged(answer, device, self.cfg, ask);
            }
            self.token = None;
        }
    }

    fn log_in(&mut self, login: &Login) -> Result<(), Fault> {
        let device = self.cfg.name.as_str();
        self.logins = self.logins.saturating_add(1);
        let answer = self.sent(device, &login.ask, None)?;
        let answer = judged(answer, device, self.cfg, &login.ask).map_err(|fault| {
            let kind = if is_silent(&fault) { fault.kind } else { FaultKind::Refused };
            Fault::new(device, kind, format!("login failed: {}", fault.detail))
        })?;
        let token = match login.token.strip_prefix('@') {
            Some(name) => answer.header(name).map(str::to_owned),
            None => {
                let body = json(&answer, device)?;
                find(&body, &login.token).and_then(Value::as_str).map(str::to_owned)
            }
        };
        let missing = || {
            let detail = format!("login failed: no token at `{}` of the answer", login.token);
            Fault::new(device, FaultKind::Unreadable, detail)
        };
        let fits = |token: &String| !token.is_empty() && !token.chars().any(char::is_control);
        self.token = Some(Secret::new(token.filter(fits).ok_or_else(missing)?));
        Ok(())
    }

    /// Gives the token back, where the PDU wants that; it is not worth a fault when it fails.
    pub(super) fn close(mut self) {
        let logout = self.dialect.login.as_ref().and_then(|login| login.logout.as_ref());
        let Some(ask) = logout.filter(|_| self.token.is_some() && !self.limits.left().is_zero()) else { return };
        if let Err(fault) = self.sent(&self.cfg.name, ask, None) {
            log::debug!("{fault}: not logged out");
        }
    }

    fn sent(&mut self, device: &str, ask: &Ask, id: Option<&str>) -> Result<Answer, Fault> {
        let (cfg, dialect) = (self.cfg, self.dialect);
        let names = Names {
            id,
            unit: dialect.unit.as_deref(),
            user: cfg.user.as_deref(),
            password: cfg.password.as_ref(),
            token: self.token.as_ref(),
        };
        let url = joined(&cfg.url, &names.path(&ask.path));
        let _turn = self.turn.take();
        let mut request = Request::new(device, &ask.method, &url, self.limits.next());
        for (name, value) in ask.headers.iter().filter_map(|line| line.split_once(':')) {
            request = request.header(name.trim(), names.text(value.trim()));
        }
        if let Some(body) = &ask.body {
            let body = names.body(body);
            request = match dialect.form {
                true => request.body("application/x-www-form-urlencoded", form(&body)),
                false => request.body("application/json", body.to_string()),
            };
        }
        request.pin = cfg.tls_sha256;
        request.ca_file = cfg.ca_file.as_deref();
        request.secrets.extend(self.token.as_ref());
        request.secrets.extend(cfg.password.as_ref());
        // A PDU with a login of its own has its password there.
        if dialect.login.is_some() { send(&request) } else { self.password.send(&request) }
    }
}

/// Judges an answer by its status, then by what the dialect knows of its body.
pub fn judged(answer: Answer, device: &str, cfg: &PduConfig, ask: &Ask) -> Result<Answer, Fault> {
    let answer = answer.accepted(device, &joined(&cfg.url, &ask.path))?;
    let Some(test) = &ask.done else { return Ok(answer) };
    let body = json(&answer, device)?;
    let found = find(&body, &test.pointer);
    if found.is_some_and(|found| test.wanted.iter().any(|wanted| same(found, wanted))) {
        return Ok(answer);
    }
    let wanted: Vec<String> = test.wanted.iter().map(Value::to_string).collect();
    let seen = quoted(found);
    let detail = format!(
        "the PDU says no: `{}` is {seen}, wanted {}: `{}`",
        test.pointer,
        wanted.join(" or "),
        answer.excerpt()
    );
    Err(Fault::new(device, FaultKind::Status, detail))
}

/// Whether the PDU no longer knows the token: by the status, or by the value that the body test looks at.
fn is_forgotten(answer: &Answer, ask: &Ask, login: &Login) -> bool {
    let is_known = |value: &Value| login.again_on.iter().any(|again| same(value, again));
    let in_body = || {
        let body = serde_json::from_slice::<Value>(&answer.body).ok()?;
        find(&body, &ask.done.as_ref()?.pointer).map(is_known)
    };
    is_known(&Value::from(answer.status)) || in_body().unwrap_or(false)
}
