//! The fault matrix: every fault of the site, one at a time on each device, in one run of a mine that was well before.
//! The run must end inside its budget, name device and cause, show both on the page, keep every secret, start no miner
//! and stop no fan; and while the signal says curtail, whatever still works must be switching miners off.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::causes::{self, Cause};
use crate::mine::{Mine, Ran, SECRETS, tail};
use crate::readme;

/// The budget of a run in these cases.
const BUDGET: Duration = Duration::from_secs(20);
/// Sites that are used side by side: most of a case's time is spent waiting for a device that hangs.
const SITES: usize = 8;
/// A mine that was well is used for further cases of the same device for this long; then a run would have been missed.
const WELL_FOR: Duration = Duration::from_secs(60);

/// What goes on while the device is faulty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scene {
    /// The mine runs.
    Mining,
    /// The signal says curtail, and has been read or is being read in this run.
    Curtail,
    /// Smoke: a message on every channel, and the miners must go off.
    Smoke,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub device: String,
    pub kind: String,
    pub scene: Scene,
}

/// A line of the table.
struct Row {
    case: Case,
    exit: i32,
    took: Duration,
    line: String,
    wrong: Vec<String>,
}

/// The sample with a short budget, one pass a run and small batches; the intake is warm enough for every fan.
fn short(device: &str) -> impl Fn(String) -> String {
    let device = device.to_owned();
    move |text: String| {
        let mut section = String::new();
        let mut shorter = |line: &str| {
            if line.starts_with('[') {
                line.clone_into(&mut section);
            }
            match line.split_once(" = ") {
                Some(("preset", _)) => format!("{line}\ntimeout = \"2 s\"\nbatch = 1\n"),
                Some(("timeout" | "batch", _)) if section == "[[pdu]]" => String::new(),
                Some(("timeout", _)) => "timeout = \"2 s\"\n".to_owned(),
                Some(("batch", _)) => "batch = 1\n".to_owned(),
                _ => format!("{line}\n"),
            }
        };
        let mut text: String = causes::adapted(&device, text).lines().map(&mut shorter).collect();
        for (from, to) in [
            ("budget = \"105 s\"", "budget = \"20 s\""),
            ("warn_after_failures = 3", "warn_after_failures = 1"),
            ("read_limit = \"12 s\"", "read_limit = \"4 s\""),
            ("send_limit = \"15 s\"", "send_limit = \"9 s\""),
            ("{ above = \"75 F\", run = 7 }", "{ above = \"62 F\", run = 7 }"),
            ("{ above = \"85 F\", run = 9 }", "{ above = \"64 F\", run = 9 }"),
        ] {
            assert_eq!(text.matches(from).count(), 1, "{from}");
            text = text.replace(from, to);
        }
        text
    }
}

/// Nothing answers while miners and fans are to be switched: reading, commands, messages and the last sign of life each use
/// all the time that they have.
#[test]
fn when_everything_hangs_amid_a_call_the_run_ends_inside_its_budget() {
    let mine = Mine::start(1.0, |text| {
        let longer = |text: String, section: &str, timeout: &str| {
            let (before, within) = text.split_once(section).unwrap();
            format!("{before}{section}{}", within.replacen("timeout = \"2 s\"", timeout, 1))
        };
        let text = longer(short("signal")(text), "\n[telegram]", "timeout = \"9 s\"");
        longer(text, "\n[dead_man]", "timeout = \"5 s\"")
    });
    mine.tick().silent();
    mine.set(json!({"signal_number": 342}));
    mine.fault("foreman", "hang");
    mine.tick().silent();
    let faults = mine.get("/faults");
    for (device, kinds) in faults.as_object().unwrap() {
        if kinds.as_array().unwrap().contains(&json!("hang")) {
            mine.fault(device, "hang");
        }
    }
    let run = mine.tick();
    assert!(run.took < BUDGET, "{:?}\n{}", run.took, tail(&mine.log(), 30));
    assert!(run.took > BUDGET / 2, "{:?}: this test is to use it up\n{}", run.took, tail(&mine.log(), 60));
}

#[test]
fn every_fault_of_every_device_is_named_survived_and_leaves_the_outputs_safe() {
    let probe = Mine::start(1.0, short("signal"));
    let cases: VecDeque<Case> = causes::all_cases(&probe.get("/faults")).into();
    drop(probe);
    let queue = Mutex::new(cases);
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SITES {
            scope.spawn(|| {
                let mine = Mine::start(1.0, short("signal"));
                let mut well: Option<(String, Instant)> = None;
                loop {
                    let device = well.as_ref().map(|(device, _)| device.as_str());
                    let Some(case) = next_case(&mut queue.lock().unwrap(), device) else { return };
                    if well.as_ref().is_none_or(|(device, at)| *device != case.device || at.elapsed() > WELL_FOR) {
                        make_well(&mine, &case.device);
                        well = Some((case.device.clone(), Instant::now()));
                    } else {
                        mine.back();
                    }
                    let row = play(&mine, case);
                    rows.lock().unwrap().push(row);
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|row| (row.case.scene as u8, row.case.device.clone(), row.case.kind.clone()));
    print(&rows);
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| !row.wrong.is_empty())
        .map(|row| format!("{} {} ({:?}): {}", row.case.device, row.case.kind, row.case.scene, row.wrong.join("; ")))
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// One more of this device if there is one, else the first of all.
fn next_case(queue: &mut VecDeque<Case>, device: Option<&str>) -> Option<Case> {
    let same = queue.iter().position(|case| Some(case.device.as_str()) == device);
    queue.remove(same.unwrap_or(0))
}

/// A mine whose first run found everything in order.
fn make_well(mine: &Mine, device: &str) {
    mine.fresh(short(device));
    mine.set(json!({"outdoor_c": 20}));
    mine.tick().silent();
    if device == "influx" {
        // Two runs in one second are one for it: there would be nothing to send.
        mine.wait_site(1.1);
    }
    mine.keep();
}

/// One case, from a mine that is well.
fn play(mine: &Mine, case: Case) -> Row {
    let (log_before, commands_before) = (mine.log().len(), mine.commands().len());
    let fans_before = mine.fans_running();
    match case.scene {
        Scene::Mining => {}
        Scene::Smoke => mine.set(json!({"switch": {"Smoke": 1}})),
        Scene::Curtail => mine.set(json!({"signal_number": 342})),
    }
    if case.scene == Scene::Curtail && case.device == "signal" {
        mine.tick().silent();
    }
    let seen_before = mine.commands().len();
    mine.fault(&case.device, &case.kind);
    let ran = mine.tick();
    let log = mine.log()[log_before..].to_owned();
    let mut wrong = Vec::new();
    judge_run(mine, &ran, &mut wrong);
    let line = judge_words(mine, &case, &log, &mut wrong);
    let commands = mine.commands();
    judge_outputs(mine, &case, &commands[commands_before..], fans_before, &mut wrong);
    if case.scene != Scene::Mining && !commands[seen_before..].iter().any(|(_, what)| stops(what)) {
        wrong.push("no miner was being switched off".to_owned());
    }
    judge_alarms(mine, &mut wrong);
    if !wrong.is_empty() {
        println!("--- {case:?}\n{}", tail(&log, 60));
    }
    Row { exit: ran.code, took: ran.took, line, wrong, case }
}

fn judge_run(mine: &Mine, ran: &Ran, wrong: &mut Vec<String>) {
    if !matches!(ran.code, 0 | 1) {
        wrong.push(format!("exit {}", ran.code));
    }
    if ran.took > BUDGET {
        wrong.push(format!("took {:.1} s", ran.took.as_secs_f64()));
    }
    if !ran.stdout.is_empty() || !ran.stderr.is_empty() {
        wrong.push(format!("said `{}{}`", ran.stdout, ran.stderr));
    }
    let shown = [&ran.stdout, &ran.stderr, &mine.log(), &mine.page(), &mine.status_json().to_string()]
        .map(String::as_str)
        .join("\n");
    wrong.extend(SECRETS.iter().filter(|secret| shown.contains(*secret)).map(|secret| format!("shows `{secret}`")));
}

/// The line that names device and cause, in the log and on the page.
fn judge_words(mine: &Mine, case: &Case, log: &str, wrong: &mut Vec<String>) -> String {
    let name = causes::name(&case.device);
    let words = match causes::cause(&case.device, &case.kind) {
        Cause::Told(words) => words,
        Cause::NotInOneRun => return "-".to_owned(),
    };
    let names = |line: &&str| {
        !line.contains(" [DEBUG] ") && line.contains(name) && words.iter().any(|word| line.contains(word))
    };
    let Some(line) = log.lines().find(names) else {
        wrong.push(format!("no line with `{name}` and one of {words:?}"));
        let any = log.lines().find(|line| line.contains("[WARN]") && line.contains(name));
        return any.map_or("?".to_owned(), |line| format!("? {}", causes::tidy(mine, line)));
    };
    if causes::is_on_page(&case.device) && !words.iter().any(|word| mine.page().contains(word)) {
        wrong.push(format!("the page shows none of {words:?}"));
    }
    causes::tidy(mine, line)
}

fn judge_outputs(mine: &Mine, case: &Case, commands: &[(String, String)], fans_before: usize, wrong: &mut Vec<String>) {
    for (device, what) in commands {
        let starts = (what.starts_with("outlet") && what.ends_with(" on"))
            || ["normal", "low", "high"].iter().any(|mode| what.starts_with("miner") && what.ends_with(mode));
        let stops_fan = what.starts_with("relay") && what.ends_with("=1");
        if starts || stops_fan {
            wrong.push(format!("sent `{what}` to {device}"));
        }
        if case.scene == Scene::Mining && stops(what) {
            wrong.push(format!("sent `{what}` to {device} while mining"));
        }
    }
    let fans = mine.fans_running();
    if fans < fans_before {
        wrong.push(format!("{fans} fans run, {fans_before} before"));
    }
}

/// Who sees an alarm finds it in README's table of what fails.
fn judge_alarms(mine: &Mine, wrong: &mut Vec<String>) {
    let status = mine.status_json();
    let ids = status["alarms"].as_array().unwrap().iter().map(|alarm| alarm["id"].as_str().unwrap().to_owned());
    wrong.extend(ids.filter(|id| !readme::names_alarm(id)).map(|id| format!("README's table does not name `{id}`")));
}

fn stops(what: &str) -> bool {
    (what.starts_with("outlet") && what.ends_with(" off")) || (what.starts_with("miner") && what.ends_with("sleeping"))
}

fn print(rows: &[Row]) {
    println!("{:<8} {:<11} {:<14} {:>4} {:>5}  line", "scene", "device", "fault", "exit", "s");
    for row in rows {
        let Case { device, kind, scene } = &row.case;
        let scene = format!("{scene:?}").to_lowercase();
        let mark = if row.wrong.is_empty() { "" } else { " !!" };
        let took = row.took.as_secs_f64();
        println!("{scene:<8} {device:<11} {kind:<14} {:>4} {took:>5.1}  {}{mark}", row.exit, row.line);
    }
}
