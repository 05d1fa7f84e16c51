//! A mine of its own for each test: the site on free ports, the sample configuration adapted to it in a folder of its
//! own, and the real program run against it. It judges nothing.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

pub const SAMPLE: &str = include_str!("../../config.txt");
/// Site time at the start of each test: a Sunday in November, 12:00 in Chicago.
const SITE_START: u64 = 1_795_370_400;
/// Ports of one site.
const PORTS: u16 = 40;
/// No run lasts longer on any machine; one that does is a failed test, not a hanging one.
const RUN_MAX: Duration = Duration::from_secs(120);
/// Every secret of the sample. None may ever be seen.
pub const SECRETS: [&str; 7] = [
    "site-foreman-key",
    "site-spdu-token",
    "site-relay-password",
    "site-telegram-token",
    "site-smtp-password",
    "site-twilio-token",
    "fedcba9876543210fedcba9876543210",
];

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Ran {
    /// A normal run of `tick`: exit 0 or 1 and not a word, because cron would mail it.
    pub fn silent(self) -> Ran {
        assert!(matches!(self.code, 0 | 1), "exit {}: {}", self.code, self.stderr);
        assert_eq!((self.stdout.as_str(), self.stderr.as_str()), ("", ""));
        self
    }

    /// A command that did what it was asked.
    pub fn done(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    /// A command that was refused with this exit code; returns what it said.
    pub fn refused(self, code: i32) -> String {
        assert_eq!(self.code, code, "{} {}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        self.stderr
    }
}

pub struct Mine {
    base: u16,
    clock: String,
    rate: f64,
    folder: tempfile::TempDir,
    site: Child,
    // Closed with the test, whatever way it ends: then the site ends too.
    _stdin: ChildStdin,
    last_tick: RefCell<Option<Instant>>,
}

impl Drop for Mine {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        drop(self.site.kill());
        drop(self.site.wait());
    }
}

impl Mine {
    /// A site whose clock runs `rate` times as fast, with the sample configuration as `edit` leaves it. The signal says
    /// run, and it is mild.
    pub fn start(rate: f64, edit: impl Fn(String) -> String) -> Mine {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let clock = format!("{real:.3}:{SITE_START}:{rate}");
        let folder = tempfile::Builder::new().prefix("minectl-test-").tempdir().unwrap();
        let (base, site, stdin) = start_site(&clock, folder.path());
        let last_tick = RefCell::new(None);
        let mine = Mine { base, clock, rate, folder, site, _stdin: stdin, last_tick };
        mine.configure(edit);
        mine.set(json!({"signal_number": 250, "outdoor_c": 15}));
        mine
    }

    /// Writes the configuration anew.
    pub fn configure(&self, edit: impl Fn(String) -> String) {
        use std::os::unix::fs::PermissionsExt;
        let mut text = edit(SAMPLE.to_owned());
        for offset in 0..PORTS {
            text =
                text.replace(&format!("127.0.0.1:{}", 18_000 + offset), &format!("127.0.0.1:{}", self.base + offset));
            text = text.replace(&format!("port = {}", 18_000 + offset), &format!("port = {}", self.base + offset));
        }
        std::fs::write(self.config(), text).unwrap();
        std::fs::set_permissions(self.config(), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config.txt")
    }

    /// The data folder; the sample's paths are relative to the configuration.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("demo/data")
    }

    // --- the site -----------------------------------------------------------------------------------------------

    pub fn get(&self, path: &str) -> Value {
        let answer = agent().get(format!("http://127.0.0.1:{}{path}", self.base)).call();
        let text = answer.unwrap().into_body().with_config().limit(64 << 20).read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = agent().post(format!("http://127.0.0.1:{}{path}", self.base)).send(body.to_string());
        let mut answer = answer.unwrap();
        let status = answer.status();
        let said = answer.body_mut().read_to_string().unwrap();
        assert!(status.is_success(), "{path} {body}: {said}");
        serde_json::from_str(&said).unwrap()
    }

    pub fn set(&self, what: Value) {
        self.post("/set", &what);
    }

    pub fn fault(&self, device: &str, kind: &str) {
        self.post("/fault", &json!({"device": device, "kind": kind}));
    }

    /// A fault of some relays or outlets only.
    pub fn fault_of(&self, device: &str, kind: &str, numbers: &[u32]) {
        self.post("/fault", &json!({"device": device, "kind": kind, "numbers": numbers}));
    }

    pub fn heal(&self) {
        self.post("/fault/clear", &json!({}));
    }

    /// Back to the start at the same clock: site, configuration, and nothing remembered.
    pub fn fresh(&self, edit: impl Fn(String) -> String) {
        self.post("/reset", &json!({}));
        self.set(json!({"signal_number": 250, "outdoor_c": 15}));
        self.configure(edit);
        if self.folder.path().join("demo").exists() {
            std::fs::remove_dir_all(self.folder.path().join("demo")).unwrap();
        }
    }

    /// Remembers the site and all that the program has written, for `back`.
    pub fn keep(&self) {
        self.post("/keep", &json!({}));
        copy_folder(&self.folder.path().join("demo"), &self.folder.path().join("kept"));
    }

    /// Takes back everything since `keep`, except the time that went by.
    pub fn back(&self) {
        self.post("/back", &json!({}));
        let demo = self.folder.path().join("demo");
        std::fs::remove_dir_all(&demo).unwrap();
        copy_folder(&self.folder.path().join("kept"), &demo);
    }

    pub fn port(&self, offset: u16) -> u16 {
        self.base + offset
    }

    pub fn truth(&self) -> Value {
        self.get("/state")
    }

    pub fn fans_running(&self) -> usize {
        self.truth()["fans"].as_array().unwrap().iter().filter(|fan| fan["running"] == true).count()
    }

    /// Measured power of all miners, in watts, as it truly is.
    pub fn miner_watts(&self) -> f64 {
        self.truth()["spdu_watts"].as_array().unwrap().iter().map(|watts| watts.as_f64().unwrap()).sum()
    }

    /// Every command the devices were sent: device and what.
    pub fn commands(&self) -> Vec<(String, String)> {
        let all = self.get("/commands");
        let text = |command: &Value, key: &str| command[key].as_str().unwrap().to_owned();
        all.as_array().unwrap().iter().map(|command| (text(command, "device"), text(command, "what"))).collect()
    }

    /// The messages of one kind that the stand-ins took: `telegram` and `sms` by text, `email` by subject and body,
    /// `dead_man` by path.
    pub fn recorded(&self, kind: &str) -> Vec<String> {
        let all = self.get("/recorded");
        let text = |message: &Value| {
            let of = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
            match kind {
                "telegram" => of("text"),
                "email" => of("subject") + "\n" + &of("body"),
                "dead_man" => of("path"),
                _ => of("body"),
            }
        };
        all[kind].as_array().unwrap().iter().map(text).collect()
    }

    /// A message of a person to the bot; returns the number of its update.
    pub fn say(&self, said: Value) -> i64 {
        self.post("/telegram", &json!({"say": said}))["update_id"].as_i64().unwrap()
    }

    /// Something else on the side of the chat service.
    pub fn chat(&self, what: Value) {
        self.post("/telegram", &what);
    }

    /// What the chat service was asked by this method, beside sending.
    pub fn chat_calls(&self, method: &str) -> Vec<Value> {
        let all = self.get("/recorded")["telegram_calls"].as_array().unwrap().clone();
        all.into_iter().filter(|call| call["method"] == method).collect()
    }

    /// Lets site time pass.
    pub fn wait_site(&self, seconds: f64) {
        thread::sleep(Duration::from_secs_f64(seconds / self.rate));
    }

    // --- the program --------------------------------------------------------------------------------------------

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("--config").arg(self.config()).args(arguments);
        command.env_remove("MINECTL_CONFIG").env_remove("MINECTL_TEST_BOOT").env("USER", "tester");
        command.env_remove("SUDO_USER").env_remove("SSH_CONNECTION").env_remove("COLUMNS");
        command.env("MINECTL_TEST_CLOCK", &self.clock);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments).spawn().unwrap(), &arguments.join(" "))
    }

    /// Runs the program to its end by way of another one, which gets it as its last arguments.
    pub fn run_by(&self, other: &[&str], arguments: &[&str]) -> Ran {
        self.run_program_by(other, program(), arguments)
    }

    /// The same with a copy of the program.
    pub fn run_program_by(&self, other: &[&str], program: &Path, arguments: &[&str]) -> Ran {
        let ours = self.command(arguments);
        let mut command = Command::new(other[0]);
        command.args(&other[1..]).arg(program).args(ours.get_args());
        for (name, value) in ours.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", other[0]));
        finish(child, &arguments.join(" "))
    }

    pub fn tick(&self) -> Ran {
        let ran = self.run(&["tick"]);
        *self.last_tick.borrow_mut() = Some(Instant::now());
        ran
    }

    /// Silent runs, one a minute of site time or slower, until `done`; fails with what the owner sees after `limit` of
    /// real time.
    pub fn tick_until(&self, what: &str, limit: Duration, done: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + limit;
        loop {
            let last = *self.last_tick.borrow();
            if let Some(last) = last {
                thread::sleep(Duration::from_secs_f64(60.0 / self.rate).saturating_sub(last.elapsed()));
            }
            self.tick().silent();
            let status = self.status_json();
            if done(&status) {
                return status;
            }
            if Instant::now() > end {
                let seen = self.run(&["status"]).stdout;
                panic!("not within {limit:?}: {what}\n{seen}\n{}", tail(&self.log(), 120));
            }
        }
    }

    /// `status.json` as the last run drew it.
    pub fn status_json(&self) -> Value {
        serde_json::from_str(&self.file("demo/page/status.json")).unwrap()
    }

    pub fn page(&self) -> String {
        self.file("demo/page/index.html")
    }

    pub fn log(&self) -> String {
        self.file("demo/minectl.log")
    }

    /// `minectl events`, all of them, one a line.
    pub fn events(&self) -> String {
        self.run(&["events", "--since", "7 days"]).done()
    }

    fn file(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// The state that `status.json` names.
pub fn state(status: &Value) -> &str {
    status["state"].as_str().unwrap()
}

/// The last lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Waits for a program of ours and takes what it said; one that does not end is killed and fails the test.
pub fn finish(mut child: Child, what: &str) -> Ran {
    let began = Instant::now();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let read = |pipe: &mut dyn Read| {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    thread::scope(|scope| {
        let out = scope.spawn(move || read(&mut stdout));
        let err = scope.spawn(move || read(&mut stderr));
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > RUN_MAX {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("`minectl {what}` did not end within {RUN_MAX:?}");
            }
            thread::sleep(Duration::from_millis(5));
        };
        let took = began.elapsed();
        Ran { code: status.code().unwrap_or(-1), stdout: out.join().unwrap(), stderr: err.join().unwrap(), took }
    })
}

/// The folder with all in it, in place of what was there.
fn copy_folder(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).unwrap();
    }
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy_folder(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30)));
    config.http_status_as_error(false).max_idle_connections(0).proxy(None).build().into()
}

/// The program, by the name that cargo gave this build of it: a build beside the tests may put another one in its place.
pub fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let shown = Path::new(env!("CARGO_BIN_EXE_minectl"));
        let same_file = |path: &PathBuf| {
            let number = |path: &Path| std::fs::metadata(path).ok().map(|file| file.ino());
            number(path).is_some_and(|ino| number(shown) == Some(ino))
        };
        let builds = std::fs::read_dir(shown.parent().unwrap().join("deps")).unwrap();
        let mut builds = builds.map(|entry| entry.unwrap().path());
        builds.find(|path| path.extension().is_none() && same_file(path)).unwrap_or_else(|| shown.to_owned())
    })
}

/// Starts the site on the first free block of ports. A block that another test takes in the same moment makes the site
/// end with an error; then the next one is tried.
fn start_site(clock: &str, folder: &Path) -> (u16, Child, ChildStdin) {
    let program = site_program();
    let blocks = 250;
    let first = (std::process::id() as u16 ^ address_noise(folder)) % blocks;
    for attempt in 0..blocks {
        let base = 20_000 + (first + attempt) % blocks * PORTS;
        let is_free = (base..base + PORTS).all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
        if !is_free {
            continue;
        }
        let mut site = Command::new(&program);
        site.args(["--until-stdin-closes", "--base-port", &base.to_string(), "--clock", clock, "--dir"]).arg(folder);
        let mut site = site.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(site.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.starts_with("site ready") {
            let stdin = site.stdin.take().unwrap();
            return (base, site, stdin);
        }
        site.wait().unwrap();
    }
    panic!("no free block of {PORTS} ports from 20000 on");
}

/// Different for each test, so that tests seldom try the same block.
fn address_noise(folder: &Path) -> u16 {
    folder.to_string_lossy().bytes().fold(7_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte)))
}

/// The site lies beside the tests: `target/<profile>/examples/site`.
fn site_program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let site = profile.join("examples/site");
    assert!(site.exists(), "{} is missing: `cargo build --example site` makes it", site.display());
    site
}
