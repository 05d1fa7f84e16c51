//! `Run now`: the same run that cron starts, as a process of its own with cron's own limit. When the person has waited
//! long enough the run goes on without the page.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Visit, refusal};
use crate::cgi::{Answer, Refusal};
use crate::clock::{TEST_BOOT_VARIABLE, TEST_CLOCK_VARIABLE};
use crate::commands::crontab;
use crate::error::{EXIT_DONE, EXIT_FAULTS, EXIT_LOCKED, Error};
use crate::lock;
use crate::model::{Event, EventKind};
use crate::store::{Change, Store};

/// The longest that the page waits; the web server's own limit must be longer.
const WAIT_MAX: Duration = Duration::from_secs(110);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// All that the run gets of the web server's environment, which holds what the browser sent.
const KEPT_VARIABLES: [&str; 4] = ["PATH", "TZDIR", TEST_CLOCK_VARIABLE, TEST_BOOT_VARIABLE];

/// Starts a run and waits for it.
pub(super) fn run(visit: &Visit<'_>) -> Result<Answer, Refusal> {
    let told = |word: &str| Answer::see(visit.path(&format!("/?told={word}")));
    if lock::holder_now(&visit.cfg.paths.data.join("tick.lock")).is_some() {
        return Ok(told("run-busy"));
    }
    let now = visit.clock.now();
    let event = Event {
        at: now.wall,
        kind: EventKind::Program,
        subject: "run".to_owned(),
        text: format!("started by hand, {}", visit.request.who()),
    };
    let kept = Store::new(&visit.cfg.paths.data)
        .and_then(|store| store.save(&Change { events: vec![event], ..Change::default() }, &now));
    kept.map_err(|text| refusal(&Error::Storage(text)))?;
    let child = start(visit).map_err(|cause| Refusal::new(500, format!("the run cannot be started: {cause}")))?;
    Ok(told(match wait(child) {
        None => "run-late",
        Some(code) if code == i32::from(EXIT_DONE) => "run-0",
        Some(code) if code == i32::from(EXIT_FAULTS) => "run-1",
        Some(code) if code == i32::from(EXIT_LOCKED) => "run-busy",
        Some(_) => "run-failed",
    }))
}

fn start(visit: &Visit<'_>) -> std::io::Result<Child> {
    let mut command = Command::new(crontab::TIMEOUT);
    command.args(["--kill-after=5", &crontab::limit_s(visit.cfg).to_string()]).arg(std::env::current_exe()?);
    command.arg("--config").arg(std::path::absolute(visit.config_path)?).arg("tick");
    command.env_clear().envs(KEPT_VARIABLES.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
    // A web server that gives up ends its own process, not a run that is commanding the miners.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

/// Its exit code; `None` when it still works.
fn wait(mut child: Child) -> Option<i32> {
    let end = Instant::now() + WAIT_MAX;
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.code().unwrap_or(-1)),
            Ok(None) => std::thread::sleep(LOOK_EVERY),
            Err(_) => return Some(-1),
        }
    }
    None
}
