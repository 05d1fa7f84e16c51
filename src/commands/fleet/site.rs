//! One site of a fleet: its `status.json`, from an address or a file, and what of it is shown. Versions of the program may
//! differ from site to site: what is not there is not known, and never 0.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use serde_json::Value;
use url::Url;

use super::Asking;
use crate::config::{Secret, is_private_address};
use crate::dashboard::clean;
use crate::http::{Request, send, shown_url};
use crate::units::{Seconds, UnixSeconds};

/// The file beside the page.
const NAME: &str = "status.json";
/// One of a large site has 200 KiB.
const BYTES_MAX: usize = 2 * 1024 * 1024;
/// A clock may be ahead by so much before it is told.
const AHEAD_MAX: Seconds = Seconds(120);

/// What a monitor would say, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All is well.
    Ok,
    /// Something is wrong and coped with.
    Warning,
    /// Nothing is known of the site.
    Unknown,
    /// A person must act, or nobody looks after the site.
    Critical,
}

impl Verdict {
    /// The word of monitors.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "OK",
            Verdict::Warning => "WARNING",
            Verdict::Unknown => "UNKNOWN",
            Verdict::Critical => "CRITICAL",
        }
    }

    /// The exit code of monitors.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Ok => 0,
            Verdict::Warning => 1,
            Verdict::Critical => 2,
            Verdict::Unknown => 3,
        }
    }
}

/// What a site says of itself. Texts are fit to be shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The container's name.
    pub site: String,
    /// `observe` or `live`.
    pub mode: String,
    /// `mining`, `curtailing`, `off`, `resuming`, `boot` or `fault`.
    pub state: String,
    /// The state in one line.
    pub headline: String,
    /// `ok`, `info`, `warning` or `emergency`.
    pub worry: String,
    /// Measured power of all miners in watts, and in words.
    pub power: Figure,
    /// `run`, `curtail` or `blind`.
    pub signal: String,
    /// The number on the utility's page.
    pub signal_number: Option<f64>,
    /// The hottest trustworthy intake temperature in °C, and in words.
    pub intake: Figure,
    /// Standing alarms: emergencies, warnings, infos.
    pub alarms: [usize; 3],
    /// How old this is.
    pub age: Seconds,
    /// How far its clock is ahead of ours, if it is.
    pub ahead: Option<Seconds>,
    /// Two runs or more were missed: it must not be believed.
    pub is_stale: bool,
    /// Its times are those of a test.
    pub is_test: bool,
}

/// A value with its number, where it is known, and its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// In the unit of `status.json`.
    pub number: Option<f64>,
    /// With its unit.
    pub text: String,
}

impl Seen {
    /// The verdict on it.
    pub fn verdict(&self) -> Verdict {
        match self.worry.as_str() {
            _ if self.is_stale => Verdict::Critical,
            "ok" | "info" => Verdict::Ok,
            "warning" => Verdict::Warning,
            "emergency" => Verdict::Critical,
            _ => Verdict::Unknown,
        }
    }
}

/// The address or file as it may be shown.
pub(super) fn shown(source: &str) -> String {
    clean(&if is_address(source) { shown_url(source) } else { source.to_owned() })
}

fn is_address(source: &str) -> bool {
    source.starts_with("http://") || source.starts_with("https://")
}

/// Reads one site within `wait`. `Err` says in words why nothing is known of it.
pub(super) fn look(source: &str, asking: &Asking, wait: Duration) -> Result<Seen, String> {
    let bytes = if is_address(source) { fetched(source, asking, wait) } else { from_file(Path::new(source)) };
    read(&bytes.map_err(|cause| clean(&cause))?, asking.now)
}

/// A folder stands for the file in it.
fn from_file(path: &Path) -> Result<Vec<u8>, String> {
    let path: PathBuf = if path.is_dir() { path.join(NAME) } else { path.to_owned() };
    let metadata = std::fs::metadata(&path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(|error| error.to_string())?;
    file.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > BYTES_MAX { Err(format!("is longer than {BYTES_MAX} bytes")) } else { Ok(bytes) }
}

/// The address of a page stands for the file beside it. A login goes to the host it was given for, and openly only within
/// a private network.
fn fetched(source: &str, asking: &Asking, wait: Duration) -> Result<Vec<u8>, String> {
    let mut url = Url::parse(source).map_err(|cause| format!("is not an address: {cause}"))?;
    let own = own_login(&url);
    let login = own.as_ref().or(asking.login.as_ref());
    if login.is_some() && !is_private_address(source) && url.scheme() == "http" {
        return Err("not asked: the password would go openly through the internet; use https".to_owned());
    }
    // Neither can fail for an address with a host.
    let _cleared = (url.set_username(""), url.set_password(None));
    if !url.path().ends_with(".json") {
        let path = url.path().trim_end_matches("index.html").trim_end_matches('/').to_owned();
        url.set_path(&format!("{path}/{NAME}"));
    }
    let mut request = Request::get("fleet", url.as_str(), wait);
    request.body_max = BYTES_MAX;
    request.ca_file = asking.ca_file.as_deref();
    let password = login.map(|login| Secret::new(login.reveal().split_once(':').unwrap_or_default().1));
    if let Some(login) = login {
        let basic = base64::engine::general_purpose::STANDARD.encode(login.reveal());
        request = request.header("Authorization", format!("Basic {basic}"));
    }
    request.secrets.extend(&password);
    let answer = send(&request).and_then(|answer| answer.accepted("fleet", url.as_str()));
    answer.map(|answer| answer.body).map_err(|fault| format!("{}: {}", fault.kind.word(), fault.detail))
}

/// `user:password` of an address that holds one.
fn own_login(url: &Url) -> Option<Secret> {
    let plain = |text: &str| percent_decoded(text);
    let has = !url.username().is_empty() || url.password().is_some();
    has.then(|| Secret::new(format!("{}:{}", plain(url.username()), plain(url.password().unwrap_or_default()))))
}

fn percent_decoded(text: &str) -> String {
    // The package reads a form's value the same way, but for `+`.
    let pair = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes()).next().map_or(String::new(), |(_, value)| value.into_owned())
}

/// What the bytes of a `status.json` say at this time. `Err` in words when they are none.
pub fn read(bytes: &[u8], now: UnixSeconds) -> Result<Seen, String> {
    let all: Value =
        serde_json::from_slice(bytes).map_err(|_| "answers with something else than a status.json".to_owned())?;
    let text = |place: &str| all.pointer(place).and_then(Value::as_str).map(clean);
    let number = |place: &str| all.pointer(place).and_then(Value::as_f64).filter(|number| number.is_finite());
    let whole = |place: &str| all.pointer(place).and_then(Value::as_i64);
    let flag = |place: &str| all.pointer(place).and_then(Value::as_bool).unwrap_or(false);
    let (Some(site), Some(made)) = (text("/site"), whole("/time/unix").map(UnixSeconds)) else {
        return Err("answers with something else than minectl's status.json".to_owned());
    };
    let figure = |place: &str| Figure {
        number: number(&format!("{place}/value")),
        text: text(&format!("{place}/text")).unwrap_or_else(unknown),
    };
    let count = |severity: &str| {
        let alarms = all.pointer("/alarms").and_then(Value::as_array).into_iter().flatten();
        alarms.filter(|alarm| alarm.get("severity").and_then(Value::as_str) == Some(severity)).count()
    };
    let is_test = flag("/test_clock");
    // By a test's clock nothing here can say how old it is.
    let is_late = !is_test && whole("/stale_from").is_some_and(|from| now.0 >= from);
    Ok(Seen {
        site,
        mode: text("/mode").unwrap_or_else(unknown),
        state: text("/state").unwrap_or_else(unknown),
        headline: text("/headline").unwrap_or_else(unknown),
        worry: text("/worry/level").unwrap_or_else(unknown),
        power: figure("/miners/power"),
        signal: text("/signal/level").unwrap_or_else(unknown),
        signal_number: number("/signal/number"),
        intake: figure("/climate/intake"),
        alarms: [count("emergency"), count("warning"), count("info")],
        age: if is_test { Seconds(0) } else { now.since(made) },
        ahead: Some(made.since(now)).filter(|ahead| !is_test && *ahead > AHEAD_MAX),
        is_stale: flag("/stale") || is_late,
        is_test,
    })
}

fn unknown() -> String {
    "not known".to_owned()
}
