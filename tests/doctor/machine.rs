//! The machine's checks, each on both sides: in a folder of its own, with processes and crontabs that the test writes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use minectl::clock::Clock;
use minectl::commands::doctor::{Check, Places, Verdict, machine};
use minectl::config::{self, Config};
use minectl::units::Seconds;

use crate::mine::SAMPLE;

/// A machine on which all is well before the first run: a configuration, a crontab line, a cron, a clock that is set.
struct Box {
    folder: tempfile::TempDir,
    cfg: Config,
    places: Places,
}

const NOW: i64 = 1_795_370_400;

impl Box {
    fn new() -> Box {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let places = Places {
            crontab: at("crontab"),
            cron_folder: at("cron.d"),
            user_crontabs: at("crontabs"),
            crontab_program: at("no-crontab"),
            time_sync: at("timesync"),
            processes: at("proc"),
            program: at("minectl"),
        };
        for name in ["cron.d", "crontabs", "timesync", "proc/12"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        fs::write(at("config.txt"), SAMPLE).unwrap();
        mode(&at("config.txt"), 0o640);
        fs::write(at("minectl"), "").unwrap();
        fs::write(at("timesync/synchronized"), "").unwrap();
        fs::write(at("proc/12/comm"), "cron\n").unwrap();
        let cfg = config::parse(SAMPLE, "config.txt", folder.path()).unwrap();
        let this = Box { folder, cfg, places };
        this.crontab("cron.d/minectl", "*/2");
        this
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn crontab(&self, name: &str, minutes: &str) {
        let (program, config) = (self.at("minectl"), self.at("config.txt"));
        let user = if name.starts_with("crontabs/") { "" } else { "minectl " };
        let line = format!("{minutes} * * * * {user}{} --config {} tick\n", program.display(), config.display());
        fs::write(self.at(name), format!("SHELL=/bin/sh\n{line}")).unwrap();
    }

    fn checks(&self) -> Vec<Check> {
        self.checks_at(&format!("{NOW}:{NOW}:1"))
    }

    fn checks_at(&self, clock: &str) -> Vec<Check> {
        machine(&self.cfg, &self.at("config.txt"), &Clock::parse(clock).unwrap(), &self.places)
    }

    /// How it stands, and what is said.
    #[track_caller]
    fn expect(&self, name: &str, verdict: Verdict, words: &str) {
        let checks = self.checks();
        let found: Vec<&Check> = checks.iter().filter(|check| check.name == name).collect();
        let fits = |check: &&Check| check.verdict == verdict && check.says.contains(words);
        assert!(found.iter().any(fits), "`{name}`: wanted {verdict:?} `{words}`, found {found:?}");
        assert_eq!(verdict == Verdict::Ok, found.iter().all(|check| check.way_out.is_none()), "{found:?}");
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_machine_that_is_well_before_its_first_run_has_no_fault() {
    let checks = Box::new().checks();
    assert!(checks.iter().all(|check| check.verdict != Verdict::Fail), "{checks:?}");
    let warned: Vec<&str> =
        checks.iter().filter(|check| check.verdict == Verdict::Warn).map(|check| check.name.as_str()).collect();
    assert_eq!(warned, ["last run", "page"], "nothing ran yet: {checks:?}");
}

#[test]
fn a_configuration_with_secrets_is_closed_to_others() {
    let here = Box::new();
    for good in [0o640, 0o600, 0o440] {
        mode(&here.at("config.txt"), good);
        here.expect("permissions", Verdict::Ok, &format!("{good:04o}"));
    }
    for bad in [0o644, 0o660, 0o641] {
        mode(&here.at("config.txt"), bad);
        here.expect("permissions", Verdict::Fail, &format!("holds secrets and is {bad:04o}"));
    }
}

#[test]
fn what_others_may_change_or_read_beside_the_configuration_is_told_with_the_command_that_closes_it() {
    let here = Box::new();
    let data = here.at("demo/data");
    fs::create_dir_all(&data).unwrap();
    let well = "nobody else may change the program";
    for (name, good, bad, change) in [
        ("demo/data", 0o750, 0o757, "o-w"),
        ("minectl", 0o755, 0o775, "go-w"),
        ("demo/data/cgi.key", 0o600, 0o604, "g-wx,o-rwx"),
        ("demo/data/config-to-be-1a2b.json", 0o640, 0o660, "g-wx,o-rwx"),
        ("demo/data/state.json", 0o600, 0o644, "g-wx,o-rwx"),
    ] {
        let path = here.at(name);
        if !path.exists() {
            fs::write(&path, "{}").unwrap();
        }
        mode(&path, good);
        here.expect("permissions", Verdict::Ok, well);
        mode(&path, bad);
        here.expect("permissions", Verdict::Fail, &format!("{bad:04o}"));
        let told = here.checks().into_iter().find(|check| check.says.contains(&format!("{bad:04o}"))).unwrap();
        let way_out = format!("`sudo chmod {change} {}`", path.display());
        assert_eq!(told.way_out.as_deref(), Some(way_out.as_str()));
        mode(&path, good);
    }
    fs::write(data.join("tick.lock"), "").unwrap();
    mode(&data.join("tick.lock"), 0o644);
    here.expect("permissions", Verdict::Ok, well);
}

#[test]
fn a_secret_in_a_file_of_its_own_is_closed_to_others_too() {
    let here = Box::new();
    let text = SAMPLE.replace("api_key = \"site-foreman-key\"", "api_key_file = \"foreman.key\"");
    assert_ne!(text, SAMPLE);
    fs::write(here.at("foreman.key"), "site-foreman-key\n").unwrap();
    fs::write(here.at("config.txt"), text).unwrap();
    mode(&here.at("foreman.key"), 0o640);
    here.expect("permissions", Verdict::Ok, "foreman.key");
    mode(&here.at("foreman.key"), 0o644);
    let checks = here.checks();
    let failed: Vec<&Check> = checks.iter().filter(|check| check.verdict == Verdict::Fail).collect();
    assert!(failed.len() == 1 && failed[0].says.contains("foreman.key holds secrets and is 0644"), "{failed:?}");
    assert!(checks.iter().all(|check| !check.says.contains("site-foreman-key")));
}

#[test]
fn a_clock_that_cannot_be_or_was_not_set_is_told() {
    let here = Box::new();
    here.expect("clock", Verdict::Ok, "set by the network");
    fs::remove_file(here.at("timesync/synchronized")).unwrap();
    here.expect("clock", Verdict::Warn, "not set by the network since the boot");
    fs::remove_dir(here.at("timesync")).unwrap();
    here.expect("clock", Verdict::Ok, "not known here");
    let clock = |real: i64| {
        let checks = here.checks_at(&format!("{NOW}:{real}:1"));
        checks.into_iter().find(|check| check.name == "clock").unwrap()
    };
    // The machine runs on while the clock is read.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    let shift = now - NOW;
    assert_eq!(clock(1_735_689_600 - shift - 60).verdict, Verdict::Fail);
    assert_eq!(clock(1_735_689_600 - shift + 60).verdict, Verdict::Warn, "a test clock, else good");
    assert_eq!(clock(4_102_444_800 - shift + 60).verdict, Verdict::Fail);
}

#[test]
fn a_folder_that_is_missing_closed_or_no_folder_is_told() {
    let here = Box::new();
    here.expect("data folder", Verdict::Ok, "not there yet");
    fs::create_dir_all(here.at("demo/data")).unwrap();
    here.expect("data folder", Verdict::Ok, "can be written");
    fs::write(here.at("demo/page"), "").unwrap();
    here.expect("page folder", Verdict::Fail, "is not a folder");
}

#[test]
fn the_cron_line_must_be_there_once_with_the_right_interval() {
    let here = Box::new();
    here.expect("cron", Verdict::Ok, "starts a run every 2 min");
    here.crontab("cron.d/minectl", "*/5");
    here.expect("cron", Verdict::Fail, "starts a run every 5 min, `loop_interval` is 2 min");
    here.crontab("cron.d/minectl", "*/7");
    here.expect("cron", Verdict::Fail, "is not an even interval");
    here.crontab("cron.d/minectl", "1-59/2");
    here.expect("cron", Verdict::Ok, "starts a run every 2 min");
    here.crontab("crontabs/minectl", "*/2");
    here.expect("cron", Verdict::Warn, "2 lines start runs");
    fs::remove_file(here.at("cron.d/minectl")).unwrap();
    here.expect("cron", Verdict::Ok, "starts a run every 2 min");
    fs::remove_file(here.at("minectl")).unwrap();
    here.expect("cron", Verdict::Fail, "there is no");
    fs::remove_file(here.at("crontabs/minectl")).unwrap();
    here.expect("cron", Verdict::Fail, "no line starts");
}

#[test]
fn a_cron_file_that_cron_passes_over_is_told() {
    let here = Box::new();
    mode(&here.at("cron.d/minectl"), 0o664);
    here.expect("cron", Verdict::Fail, "its group or others may write it");
    mode(&here.at("cron.d/minectl"), 0o644);
    here.expect("cron", Verdict::Ok, "starts a run");
    fs::rename(here.at("cron.d/minectl"), here.at("cron.d/minectl.txt")).unwrap();
    here.expect("cron", Verdict::Fail, "its name may only have letters");
}

#[test]
fn a_crontab_of_another_configuration_is_not_ours() {
    let here = Box::new();
    let line = fs::read_to_string(here.at("cron.d/minectl")).unwrap().replace("config.txt", "other.txt");
    fs::write(here.at("cron.d/minectl"), line).unwrap();
    here.expect("cron", Verdict::Fail, "no line starts");
}

#[test]
fn a_cron_daemon_that_does_not_run_is_told() {
    let here = Box::new();
    here.expect("cron daemon", Verdict::Ok, "runs");
    fs::write(here.at("proc/12/comm"), "crony\n").unwrap();
    here.expect("cron daemon", Verdict::Fail, "does not run");
}

#[test]
fn a_lock_is_held_by_a_run_that_lives_and_hangs_when_it_lives_too_long() {
    let here = Box::new();
    here.expect("lock", Verdict::Ok, "free");
    fs::create_dir_all(here.at("demo/data")).unwrap();
    let held_for = |age: i64| {
        let now = Clock::parse(&format!("{NOW}:{NOW}:1")).unwrap().now().wall.0;
        fs::write(here.at("demo/data/tick.lock"), format!("77 {}\n", now - age)).unwrap();
    };
    held_for(600);
    here.expect("lock", Verdict::Ok, "free");
    fs::create_dir_all(here.at("proc/77")).unwrap();
    fs::write(here.at("proc/77/cmdline"), b"minectl\0--config\0x\0status\0").unwrap();
    here.expect("lock", Verdict::Ok, "free");
    fs::write(here.at("proc/77/cmdline"), b"minectl\0--config\0x\0tick\0").unwrap();
    held_for(230);
    here.expect("lock", Verdict::Ok, "a run is at work");
    held_for(250);
    here.expect("lock", Verdict::Fail, "held by process 77");
}

#[test]
fn runs_that_are_missing_in_the_history_and_databases_set_aside_are_told() {
    let here = Box::new();
    fs::create_dir_all(here.at("demo/data/history")).unwrap();
    let now = Clock::parse(&format!("{NOW}:{NOW}:1")).unwrap().now().wall;
    let write = |ages: &[u64]| {
        let mut days: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
        for age in ages {
            let at = now.minus(Seconds(*age));
            let day = jiff::Timestamp::from_second(at.0).unwrap().strftime("%Y-%m-%d").to_string();
            let text = days.entry(day).or_insert_with(|| "time_unix_s,pdu.spdu-a_w\n".to_owned());
            text.push_str(&format!("{},1000\n", at.0));
        }
        for (day, text) in days {
            fs::write(here.at(&format!("demo/data/history/{day}.csv")), text).unwrap();
        }
    };
    write(&[600, 480, 360, 181]);
    here.expect("runs", Verdict::Ok, "4 in the last day, none missed");
    write(&[600, 480, 299]);
    here.expect("runs", Verdict::Warn, "3 in the last day, 1 missed; the longest time without one was 3 min 1 s");
    fs::create_dir(here.at("demo/data/db.bad-1795000000")).unwrap();
    here.expect("database", Verdict::Warn, "db.bad-1795000000");
}

#[test]
fn a_page_is_out_of_date_from_the_time_on_that_it_says_itself() {
    let here = Box::new();
    fs::create_dir_all(here.at("demo/page")).unwrap();
    let now = Clock::parse(&format!("{NOW}:{NOW}:1")).unwrap().now().wall.0;
    let draw = |stale_from: i64| {
        let text = format!("{{\"time\": {{\"unix\": {}}}, \"stale_from\": {stale_from}}}", now - 10);
        fs::write(here.at("demo/page/status.json"), text).unwrap();
        fs::write(here.at("demo/page/index.html"), "").unwrap();
        mode(&here.at("demo/page/index.html"), 0o644);
    };
    draw(now + 60);
    here.expect("page", Verdict::Ok, "drawn");
    draw(now - 1);
    here.expect("page", Verdict::Fail, "is out of date");
    draw(now + 60);
    mode(&here.at("demo/page/index.html"), 0o600);
    here.expect("page", Verdict::Warn, "cannot be read by a web server");
}
