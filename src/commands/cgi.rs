//! `minectl cgi`: one request of the web server for the debug page or the configuration page. It decides nothing: values
//! go through the same code as `minectl set`, settings through the same checks as `minectl config set`. Whatever
//! happens, a page is written; the exit code is for the web server's log.

mod confirm;
mod debug;
mod edits;
mod fields;

mod help;
mod judged;
mod pages;
mod pending;
mod run_now;
mod settings;
mod targets;

use std::io::Write;
use std::path::Path;

use crate::cgi::{Answer, Key, Method, Refusal, Request, new_session};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::error::{EXIT_DONE, EXIT_FAULTS, Error};
use crate::units::UnixSeconds;

/// What the pages of one request work with.
struct Visit<'a> {
    cfg: &'a Config,
    config_path: &'a Path,
    clock: &'a Clock,
    request: &'a Request,
    key: Key,
    /// The browser's name, its own or a new one.
    session: String,
}

impl Visit<'_> {
    fn now(&self) -> UnixSeconds {
        self.clock.now().wall
    }

    /// The token of the forms on a page.
    fn token(&self) -> String {
        self.key.token(&self.request.user, &self.session, self.now())
    }

    /// An address of ours, with its query.
    fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.request.base)
    }
}

/// Answers the request that CGI's variables and standard input hold. Returns the exit code; `Err` only when the answer
/// cannot be written.
pub fn run(config_path: &Path, out: &mut dyn Write) -> Result<u8, Error> {
    let variable = |name: &str| std::env::var(name).ok();
    let request = Request::read(&variable, &mut std::io::stdin().lock());
    let (answer, code) = match &request {
        Ok(request) => match answer(config_path, request) {
            Ok(answer) => (answer, EXIT_DONE),
            Err(refusal) => (refused(&refusal, &request.base), EXIT_FAULTS),
        },
        Err(refusal) => (refused(refusal, ""), EXIT_FAULTS),
    };
    super::printed(answer.write(request.ok().map(|request| request.method), out)).map(|()| code)
}

fn refused(refusal: &Refusal, base: &str) -> Answer {
    // The web server puts this into its log.
    drop(writeln!(std::io::stderr(), "minectl cgi: {} {}", refusal.status, refusal.text));
    pages::refusal(refusal, base)
}

fn answer(config_path: &Path, request: &Request) -> Result<Answer, Refusal> {
    let cfg = config::load(config_path).map_err(|error| {
        let text = format!("the configuration has mistakes; mend it over SSH with `minectl config edit`:\n{error}");
        Refusal::new(500, text)
    })?;
    let clock = Clock::from_environment().map_err(|text| Refusal::new(500, text))?;
    let key = Key::open(&cfg.paths.data).map_err(|text| Refusal::new(500, text))?;
    let session = match &request.session {
        Some(session) => session.clone(),
        None => new_session().map_err(|text| Refusal::new(500, text))?,
    };
    let visit = Visit { cfg: &cfg, config_path, clock: &clock, request, key, session };
    let answer = match request.method {
        Method::Get | Method::Head => look(&visit)?,
        Method::Post => {
            // A browser without our cookie got no form from us.
            let known = request.session.as_deref().ok_or_else(|| {
                Refusal::new(
                    403,
                    "the browser sends no cookie of this page; open the page again (cookies must be allowed)",
                )
            })?;
            let valid = visit.key.check(request.form.get("token"), &request.user, known, visit.now());
            valid.map_err(|text| Refusal::new(403, text))?;
            change(&visit)?
        }
    };
    Ok(if request.session.is_none() { answer.with_session(visit.session.clone(), &request.base) } else { answer })
}

fn look(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    match visit.request.path.as_str() {
        // Without the slash the browser would not send our cookie.
        "" => Ok(Answer::see(visit.path("/"))),
        "/" => debug::page(visit),
        "/config" => settings::page(visit),
        _ => Err(no_page()),
    }
}

fn change(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    let form = &visit.request.form;
    match (visit.request.path.as_str(), form.get("do")) {
        ("/", "preview") => confirm::preview(visit),
        ("/", "apply") => confirm::apply(visit),
        ("/", "acknowledge") => confirm::acknowledge(visit),
        ("/", "run") => run_now::run(visit),
        ("/config", "preview") => settings::preview(visit),
        ("/config", "save") => settings::save(visit),
        ("/" | "/config", _) => Err(Refusal::new(400, "the form does not say what to do")),
        _ => Err(no_page()),
    }
}

fn no_page() -> Refusal {
    Refusal::new(404, "there is no such page")
}

/// How an error of a command is answered: the person's mistake, or ours.
fn refusal(error: &Error) -> Refusal {
    let status = match error {
        Error::Usage(_) | Error::Config(_) => 422,
        Error::Locked(_) => 409,
        Error::Storage(_) => 500,
    };
    Refusal::new(status, error.to_string())
}
