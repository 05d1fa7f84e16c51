//! Foreman: summary, miner list and command status of one client, and the power mode of a miner. Its figures are late
//! estimates and its `complete` means that a miner took the order: neither is a proof of anything. One request at a time,
//! and each endpoint at the pace that Foreman allows.

mod parse;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use parse::{Page, Summary, parse_page, parse_status, parse_summary};

use super::common::{Limits, is_silent, joined, json as json_of, no_time, number, quoted, whole};
use crate::clock::Clock;
use crate::config::ForemanConfig;
use crate::http::{Answer, Request, excerpt, masked, send};
use crate::model::{CommandStatus, Fault, FaultKind, ForemanReading, PowerMode, Reading, Reply};
use crate::units::{Seconds, UnixSeconds};

/// Miners on one page of the list: each page costs a second. A server that gives fewer is asked for more pages.
const PAGE: usize = 500;

/// Pages that are read at most.
const PAGES_MAX: usize = 20;

/// Commands that are asked about in one reading.
const ASK_MAX: usize = 20;

/// The longest wait that a 429 can ask for. Site time.
const RETRY_AFTER_MAX_S: u64 = 30;

/// The wait after a 429 that names none. Site time.
const RETRY_AFTER_DEFAULT_S: u64 = 2;

/// After this many requests in a row without an answer, Foreman is left alone for this pass.
const SILENT_MAX: u32 = 2;

/// The longest wait for how a command stands while others are to be sent. Real time.
const ABOUT_MAX: Seconds = Seconds(2);

/// One endpoint's pace: the next call not before a pause after the last answer.
struct Pace {
    gap: Duration,
    last: Option<Instant>,
}

impl Pace {
    fn new(cfg: &ForemanConfig, clock: &Clock) -> Pace {
        Pace { gap: clock.real_span(cfg.call_pause.duration()), last: None }
    }

    /// How long until the next call may leave.
    fn wait(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| self.gap.saturating_sub(last.elapsed()))
    }
}

/// The connection to one client: what every call needs.
struct Foreman<'a> {
    cfg: &'a ForemanConfig,
    clock: &'a Clock,
    limits: Limits,
    /// Whether commands wait while it asks: then a 429 is an answer like any other.
    is_amid: bool,
}

impl Foreman<'_> {
    /// One call at its endpoint's pace. A 429 is obeyed once.
    fn call(&self, pace: &mut Pace, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Fault> {
        self.call_dated(pace, method, path, body).map(|(body, _)| body)
    }

    /// The same with the time of the answer: by the server's clock, else by ours.
    fn call_dated(
        &self,
        pace: &mut Pace,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(Value, UnixSeconds), Fault> {
        let url = joined(&self.cfg.url, path);
        let mut answer = self.exchange(pace, pace.wait(), method, &url, body)?;
        if answer.status == 429 && !self.is_amid {
            let wait = self.clock.real_span(Duration::from_secs(retry_after_s(&answer)));
            answer = self.exchange(pace, wait.max(pace.wait()), method, &url, body)?;
        }
        let date = answer.date().unwrap_or_else(|| self.clock.now().wall);
        self.judged(answer, &url).map(|body| (body, date))
    }

    fn exchange(
        &self,
        pace: &mut Pace,
        wait: Duration,
        method: &str,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Fault> {
        if wait >= self.limits.left() {
            return Err(no_time(&self.cfg.name));
        }
        std::thread::sleep(wait);
        let mut request = Request::new(&self.cfg.name, method, url, self.limits.next())
            .header("Authorization", format!("Token {}", self.cfg.api_key.reveal()))
            .header("Accept", "application/json")
            .secret(&self.cfg.api_key);
        // 100 miners with their pools come to more than 64 KiB.
        request.body_max = 2 * 1024 * 1024;
        request.ca_file = self.cfg.ca_file.as_deref();
        if let Some(body) = body {
            request = request.body("application/json", body.to_string());
        }
        let answer = send(&request);
        pace.last = Some(Instant::now());
        answer
    }

    /// Foreman explains a refusal in `detail`.
    fn judged(&self, answer: Answer, url: &str) -> Result<Value, Fault> {
        let name = self.cfg.name.as_str();
        if (200..300).contains(&answer.status) {
            let body = json_of(&answer, name)?;
            return match body.get("detail") {
                Some(detail) => {
                    Err(Fault::new(name, FaultKind::Status, format!("Foreman says {}", quoted(Some(detail)))))
                }
                None => Ok(body),
            };
        }
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let said = body.as_ref().and_then(|body| body.get("detail")).and_then(Value::as_str);
        let said = said.map(|said| excerpt(&masked(said, &[&self.cfg.api_key])));
        let status = answer.status;
        match (status, said) {
            (401 | 403, said) => {
                let said = said.map_or(String::new(), |said| format!(": `{said}`"));
                let detail = format!("status {status}{said}; check `api_key` and `client_id`");
                Err(Fault::new(name, FaultKind::Refused, detail))
            }
            (429, _) => Err(Fault::new(name, FaultKind::Status, "status 429: too many calls, also after a pause")),
            (404, Some(said)) if url.contains("/clients/") => {
                Err(Fault::new(name, FaultKind::Status, format!("status 404: `{said}`; check `client_id`")))
            }
            (_, Some(said)) => Err(Fault::new(name, FaultKind::Status, format!("status {status}: `{said}`"))),
            (_, None) => Err(answer.accepted(name, url).err().unwrap_or_else(|| no_time(name))),
        }
    }
}

/// The wait that a 429 names, in seconds or as a date by the server's clock.
fn retry_after_s(answer: &Answer) -> u64 {
    let text = answer.header("retry-after").map(str::trim);
    let seconds = text.and_then(|text| text.parse::<f64>().ok()).filter(|seconds| seconds.is_finite());
    let until_date = || {
        let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text?).ok()?;
        Some(UnixSeconds(until.as_second()).since(answer.date()?).0)
    };
    let asked = seconds.map(|seconds| seconds.ceil().max(0.0) as u64).or_else(until_date);
    asked.unwrap_or(RETRY_AFTER_DEFAULT_S).min(RETRY_AFTER_MAX_S)
}

/// Reads summary, list and the status of the commands in `ask`, as far as the time goes. Without the list there is no
/// reading, because no miner could be commanded by it; without the summary, or with a list that breaks off, there is one
/// with a remark.
pub(super) fn read(cfg: &ForemanConfig, clock: &Clock, ask: &[u64], limits: Limits) -> Reading<ForemanReading> {
    let foreman = Foreman { cfg, clock, limits, is_amid: false };
    let mut remarks = Vec::new();
    let client = format!("api/v2/clients/{}", cfg.client_id);
    let summary = foreman.call(&mut Pace::new(cfg, clock), "GET", &client, None);
    let summary = summary.and_then(|body| parse_summary(&body, &cfg.name));
    if let Err(fault) = &summary {
        // A refused key is refused for the list as well, and a silent host stays silent.
        if fault.kind == FaultKind::Refused || is_silent(fault) {
            return Err(fault.clone());
        }
        remarks.push(format!("summary: {}", fault.detail));
    }
    let mut list = List::default();
    let mut commands = BTreeMap::new();
    let mut asked: Vec<u64> = ask.iter().copied().take(ASK_MAX).collect();
    asked.reverse();
    let (mut list_pace, mut status_pace) = (Pace::new(cfg, clock), Pace::new(cfg, clock));
    // The two endpoints have a pace each: while one must wait, the other is called.
    while !list.is_done || !asked.is_empty() {
        if !list.is_done && (asked.is_empty() || list_pace.wait() <= status_pace.wait()) {
            list.next_page(&foreman, &mut list_pace, &client)?;
        } else if let Some(command) = asked.pop() {
            match status(&foreman, &mut status_pace, command) {
                Ok(status) => drop(commands.insert(command, status)),
                Err(fault) if is_silent(&fault) => asked.clear(),
                Err(fault) => remarks.push(format!("command {command}: {}", fault.detail)),
            }
        }
    }
    remarks.extend(list.remarks(cfg, summary.as_ref().ok().and_then(|summary| summary.total)));
    let summary = summary.unwrap_or_default();
    remarks.extend(summary.remarks);
    Ok(ForemanReading {
        online: summary.online,
        total: summary.total,
        hash_rate: summary.hash_rate,
        estimated: summary.estimated,
        miners: list.miners.into_values().collect(),
        heard: list.heard,
        commands,
        remarks,
    })
}

/// The miner list as it is read page by page.
#[derive(Default)]
struct List {
    miners: BTreeMap<u64, crate::model::MinerReading>,
    seen: BTreeSet<u64>,
    /// Rows without a number: nobody can command them.
    nameless: usize,
    offset: usize,
    pages: usize,
    total: Option<usize>,
    is_done: bool,
    broken: Option<Fault>,
    /// How long ago Foreman heard of any miner.
    heard: Option<Seconds>,
    /// Miners whose power mode is too old to count.
    too_old: usize,
}

impl List {
    /// Reads the next page. Only the first one's failure is an error.
    fn next_page(&mut self, foreman: &Foreman, pace: &mut Pace, client: &str) -> Result<(), Fault> {
        let path = format!("{client}/miners?limit={PAGE}&offset={}", self.offset);
        let page = foreman.call_dated(pace, "GET", &path, None);
        let page = page.and_then(|(body, date)| Ok((parse_page(&body, foreman.cfg)?, date)));
        let (mut page, date) = match page {
            Ok(page) => page,
            Err(fault) if self.pages == 0 => return Err(fault),
            Err(fault) => {
                self.broken = Some(fault);
                self.is_done = true;
                return Ok(());
            }
        };
        self.pages += 1;
        self.offset += page.rows;
        self.total = page.total.or(self.total);
        self.nameless += page.rows - page.ids.len();
        self.check_ages(&mut page, foreman.cfg, date);
        let before = self.seen.len();
        self.seen.extend(page.ids);
        self.miners.extend(page.miners.into_iter().map(|miner| (miner.id, miner)));
        // A server may give fewer rows than asked for. One that repeats itself would do so for ever.
        let is_last = self.total.is_some_and(|total| self.offset >= total) || self.seen.len() == before;
        self.is_done = is_last || self.pages >= PAGES_MAX;
        Ok(())
    }

    /// Takes the power mode from those of which Foreman heard too long ago: it may have changed since.
    fn check_ages(&mut self, page: &mut Page, cfg: &ForemanConfig, date: UnixSeconds) {
        let newest = page.heard.values().max().map(|heard| date.since(*heard));
        self.heard = [self.heard, newest].into_iter().flatten().min();
        let Some(limit) = cfg.max_age else { return };
        let is_fresh = |id: &u64| page.heard.get(id).is_some_and(|heard| date.since(*heard) <= limit);
        for miner in page.miners.iter_mut().filter(|miner| !is_fresh(&miner.id)) {
            miner.mode = None;
            self.too_old += 1;
        }
    }

    fn remarks(&self, cfg: &ForemanConfig, summary_total: Option<u32>) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(limit) = cfg.max_age.filter(|_| self.too_old > 0) {
            remarks.push(format!("{} miners not heard of for {limit}: their power mode does not count", self.too_old));
        }
        let (seen, total) = (self.seen.len(), self.total.unwrap_or(self.seen.len()));
        match &self.broken {
            Some(fault) => remarks.push(format!("miner list breaks off after {seen} of {total}: {}", fault.detail)),
            None if seen < total => remarks.push(format!("miner list has {seen} of the {total} miners it announces")),
            None => {}
        }
        if self.nameless > 0 {
            remarks.push(format!("miner list has {} rows without a number", self.nameless));
        }
        if let Some(counted) = summary_total.filter(|counted| *counted as usize != total) {
            remarks.push(format!("summary counts {counted} miners, the list {total}"));
        }
        if self.miners.is_empty() {
            remarks.push(format!("none of {seen} miners may be commanded: check `miners` in [foreman]"));
        }
        remarks
    }
}

fn status(foreman: &Foreman, pace: &mut Pace, command: u64) -> Result<CommandStatus, Fault> {
    let body = foreman.call(pace, "GET", &format!("api/actions/status/{command}"), None)?;
    parse_status(&body, &foreman.cfg.name)
}

/// Sends power modes in the order given; while the one endpoint must wait, the other tells how the command before stands.
/// One result for each. Which miners may be commanded is the caller's knowledge (it is in the list by tag): every id
/// given here is sent.
pub(super) fn act(
    cfg: &ForemanConfig,
    clock: &Clock,
    limits: Limits,
    changes: &[(u64, PowerMode)],
) -> Vec<Result<Reply, Fault>> {
    let foreman = Foreman { cfg, clock, limits, is_amid: false };
    let (mut mode_pace, mut status_pace) = (Pace::new(cfg, clock), Pace::new(cfg, clock));
    let about = Limits { timeout: limits.timeout.min(ABOUT_MAX), until: limits.until };
    let mut about = Some(Foreman { cfg, clock, limits: about, is_amid: true });
    let mut results: Vec<Result<Reply, Fault>> = Vec::new();
    let mut silent = 0;
    for &(miner, mode) in changes {
        if let Some(fault) = stop(&foreman, results.last(), silent) {
            results.push(Err(fault));
            continue;
        }
        let result = submit(&foreman, &mut mode_pace, miner, mode);
        silent = if result.as_ref().is_err_and(is_no_use) { silent + 1 } else { 0 };
        ask_about(&mut about, &mut status_pace, results.last_mut());
        results.push(result);
    }
    ask_about(&mut about, &mut status_pace, results.last_mut());
    results
}

/// Whether the next command would fare no better: no answer, or none but 429.
fn is_no_use(fault: &Fault) -> bool {
    is_silent(fault) || fault.detail.starts_with("status 429")
}

/// Why the rest is not sent, if so: no time, a refused key, or no answers.
fn stop(foreman: &Foreman, before: Option<&Result<Reply, Fault>>, silent: u32) -> Option<Fault> {
    let name = foreman.cfg.name.as_str();
    match before {
        Some(Err(fault)) if fault.kind == FaultKind::Refused => Some(fault.clone()),
        Some(Err(fault)) if *fault == no_time(name) => Some(fault.clone()),
        _ if silent >= SILENT_MAX => {
            let detail = "not sent: Foreman did not take the commands before it";
            Some(Fault::new(name, FaultKind::TimedOut, detail))
        }
        _ if foreman.limits.left().is_zero() => Some(no_time(name)),
        _ => None,
    }
}

/// Sends one power mode; comes back with Foreman's number of the command. `okay` is the only word that is known beside it;
/// others count as taken too, but for `failed`.
fn submit(foreman: &Foreman, pace: &mut Pace, miner: u64, mode: PowerMode) -> Result<Reply, Fault> {
    let path = format!("api/actions/power-mode/{miner}");
    let named = |fault: Fault| match matches!(fault.kind, FaultKind::Status | FaultKind::Unreadable) {
        true => Fault::new(format!("{} miner {miner}", foreman.cfg.name), fault.kind, fault.detail),
        false => fault,
    };
    let body = foreman.call(pace, "POST", &path, Some(&json!({"powerMode": mode.word()}))).map_err(named)?;
    let command = body.get("command").and_then(whole).and_then(|command| u64::try_from(command).ok());
    let command = command.ok_or_else(|| {
        let detail = format!("no command number in {}", quoted(Some(&body)));
        named(Fault::new(&foreman.cfg.name, FaultKind::Unreadable, detail))
    })?;
    let has_failed = body.get("status").and_then(Value::as_str) == Some("failed");
    let status = if has_failed { CommandStatus::Failed } else { CommandStatus::Pending };
    Ok(Reply::Accepted { command, status })
}

/// Asks once how a taken command stands; without an answer it stays as it was, to be asked about later. The commands come
/// first: after one question in vain no other is put in this pass.
fn ask_about(about: &mut Option<Foreman>, pace: &mut Pace, result: Option<&mut Result<Reply, Fault>>) {
    let (Some(foreman), Some(Ok(Reply::Accepted { command, status: known }))) = (about.as_ref(), result) else {
        return;
    };
    match status(foreman, pace, *command) {
        Ok(status) => *known = status,
        Err(fault) => {
            log::debug!("command {command}: not asked about: {fault}");
            if is_no_use(&fault) {
                *about = None;
            }
        }
    }
}
