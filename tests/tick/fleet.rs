//! `fleet` and `render`: several sites in one table, and the page drawn again, by the real program.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::mine::{Mine, Ran};

/// Runs without a configuration, as on a laptop.
fn fleet(mine: &Mine, arguments: &[&str]) -> Ran {
    let mut command = mine.command(&[]);
    let mut bare = std::process::Command::new(command.get_program());
    bare.arg("fleet").args(arguments).env("MINECTL_CONFIG", "/nowhere/config.txt");
    bare.env(
        "MINECTL_TEST_CLOCK",
        command.get_envs().find(|(name, _)| *name == "MINECTL_TEST_CLOCK").unwrap().1.unwrap(),
    );
    command = bare;
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
    crate::mine::finish(command.stderr(std::process::Stdio::piped()).spawn().unwrap(), "fleet")
}

/// Serves each connection by what `answer` makes of the request's head; `None` never answers.
fn serve(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let (mut head, mut block) = (String::new(), [0_u8; 2048]);
            while !head.contains("\r\n\r\n") {
                let n = stream.read(&mut block).unwrap_or(0);
                head.push_str(&String::from_utf8_lossy(&block[..n]));
                if n == 0 {
                    break;
                }
            }
            match answer(&head) {
                Some(text) => drop(stream.write_all(text.as_bytes())),
                None => held.push(stream),
            }
        }
    });
    format!("http://127.0.0.1:{port}")
}

fn ok(body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()))
}

/// A site's own words, as far as this table reads them.
fn words(mine: &Mine, change: Value) -> String {
    let mut status = mine.status_json();
    status["test_clock"] = json!(false);
    for (place, value) in change.as_object().unwrap() {
        *status.pointer_mut(place).unwrap() = value.clone();
    }
    status.to_string()
}

#[test]
fn sites_by_address_file_and_folder_are_one_table_with_the_worst_as_exit_code() {
    let mine = Mine::start(1.0, |text| text);
    mine.tick().silent();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let well = file("a.json", words(&mine, json!({})));
    let warned = file("b.json", words(&mine, json!({"/site": "Box B", "/worry/level": "warning"})));
    let late = file("c.json", words(&mine, json!({"/site": "Box C", "/stale_from": 1_700_000_000})));
    let page = mine.data().parent().unwrap().join("page").to_str().unwrap().to_owned();

    let ran = fleet(&mine, &[&well]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let row = ran.stdout.lines().nth(1).unwrap();
    for part in ["OK", "Container 1", "965 kW", "run 250", "none", "Mining, 965 kW"] {
        assert!(row.contains(part), "`{part}` is not in: {row}");
    }
    assert!(fleet(&mine, &[&page]).stdout.contains("test clock"));

    let body = words(&mine, json!({"/site": "Box D"}));
    let served = serve(move |head| if head.starts_with("GET /box/status.json ") { ok(&body) } else { ok("no") });
    let by_address = format!("{served}/box/");
    let ran = fleet(&mine, &[&well, &warned, &by_address]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("Box D") && ran.stdout.ends_with(" at 3 of them\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("3 sites: 1 WARNING, 2 OK; 2894 kW") || ran.stdout.contains("kW at 3"),
        "{}",
        ran.stdout
    );

    let ran = fleet(&mine, &[&well, "http://127.0.0.1:9/", &warned]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (3, 5), "{}", ran.stdout);
    assert!(ran.stdout.contains("UNKNOWN") && ran.stdout.contains("unreachable: connection refused"), "{}", ran.stdout);

    let ran = fleet(&mine, &[&late, "/nowhere/status.json", &well]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stdout.contains("CRITICAL  Box C") && ran.stdout.contains("STALE"), "{}", ran.stdout);
    assert!(ran.stdout.contains("No such file"), "{}", ran.stdout);

    let ran = fleet(&mine, &["--json", &late, &well, "http://127.0.0.1:9/"]);
    let all: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &all["verdict"]), (2, &json!("CRITICAL")));
    assert_eq!(all["sites"][1]["signal_number"], json!(250.0));
    assert!(all["sites"][1]["miners_power_watts"].as_f64().unwrap() > 900_000.0);
    assert_eq!((&all["sites"][0]["stale"], &all["sites"][2]["site"]), (&json!(true), &Value::Null));
}

#[test]
fn what_a_hostile_site_sends_is_text_on_the_terminal_and_costs_no_other_site_its_row() {
    let mine = Mine::start(1.0, |text| text);
    mine.tick().silent();
    let (well, evil) = (words(&mine, json!({})), "\u{1b}[2J\u{1b}]0;x\u{7}Box\r\n\u{202e}\u{9b}");
    let evil = words(&mine, json!({"/site": evil, "/headline": evil, "/miners/power/text": evil, "/state": evil}));
    let sources = [
        serve(move |_| ok(&well)),
        serve(move |_| ok(&evil)),
        serve(|_| ok("<html><title>Sign in</title>")),
        serve(|_| ok(r#"{"site": 7, "time": {"unix": "now"}}"#)),
        serve(|_| ok(&("[".repeat(100_000)))),
        serve(|_| ok(&format!("\"{}\"", "x".repeat(2 * 1024 * 1024)))),
        serve(|_| Some("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n".to_owned())),
        serve(|_| Some("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".to_owned())),
        serve(|_| None),
    ];
    let arguments: Vec<&str> = sources.iter().map(String::as_str).collect();
    // The one that hangs costs ten seconds: once is enough.
    for (extra, sites) in [(vec![], &arguments[..]), (vec!["--json"], &arguments[..8])] {
        let ran = fleet(&mine, &[extra, sites.to_vec()].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (3, ""), "{}", ran.stdout);
        assert!(ran.took < Duration::from_secs(13), "they are asked at once: {:?}", ran.took);
        let is_bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ran.stdout.contains(is_bad), "{:?}", ran.stdout);
        // Each row of which nothing is known, and the sum.
        assert_eq!(ran.stdout.matches("UNKNOWN").count(), sites.len() - 1, "{}", ran.stdout);
        for words in ["something else than a status.json", "longer than", "302", "access refused"] {
            assert!(ran.stdout.contains(words), "`{words}` is not in: {}", ran.stdout);
        }
        assert_eq!(ran.stdout.contains("no answer within 10"), sites.len() == 9, "{}", ran.stdout);
    }
}

#[test]
fn a_login_is_sent_to_private_hosts_or_by_https_only_and_never_shown() {
    let mine = Mine::start(1.0, |text| text);
    mine.tick().silent();
    let body = words(&mine, json!({}));
    let guarded = serve(move |head| match head.contains("uthorization: Basic b3duZXI6aHVudGVyMg==") {
        true => ok(&body),
        false => Some("HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\n\r\nhunter2".to_owned()),
    });
    let file = mine.config().with_file_name("login");
    std::fs::write(&file, "owner:hunter2\n").unwrap();
    let file = file.to_str().unwrap();
    let in_address = guarded.replace("http://", "http://owner:hunter2@");
    let wrong = guarded.replace("http://", "http://owner:hunter3@");
    for (arguments, code) in [
        (vec![guarded.as_str()], 3),
        (vec!["--login-file", file, guarded.as_str()], 0),
        (vec![in_address.as_str()], 0),
        (vec![wrong.as_str()], 3),
        (vec!["--login-file", file, "http://www.example.org/"], 3),
    ] {
        let ran = fleet(&mine, &arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stdout);
        assert!(!ran.stdout.contains("hunter3"), "{}", ran.stdout);
        if arguments.contains(&"--login-file") {
            assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
        }
        assert_eq!(ran.stdout.contains("would go openly"), arguments.contains(&"http://www.example.org/"));
    }
    std::fs::write(file, "hunter2\n").unwrap();
    let said = fleet(&mine, &["--login-file", file, &guarded]).refused(2);
    assert!(said.contains("must be `user:password`") && !said.contains("hunter2"), "{said}");
}

#[test]
fn render_draws_the_page_again_and_asks_no_device() {
    let mine = Mine::start(1.0, |text| text);
    let said = mine.run(&["render"]).refused(2);
    assert!(said.contains("no run has been made yet"), "{said}");
    mine.tick().silent();
    let names = |status: &Value| {
        let devices = status["devices"].as_array().unwrap().iter();
        devices.map(|device| (device["name"].clone(), device["took_ms"].clone())).collect::<Vec<_>>()
    };
    let asked = || {
        let mut counters = mine.truth()["counters"].as_object().unwrap().clone();
        counters.remove("control");
        counters
    };
    let devices_before = names(&mine.status_json());
    let (before, asked_before) = (mine.page(), asked());
    let folder = mine.data().parent().unwrap().join("page");
    std::fs::remove_dir_all(&folder).unwrap();
    let said = mine.run(&["render"]).done();
    assert!(said.starts_with("index.html, status.json, metrics.prom in ") && said.contains(" bytes"), "{said}");
    let strip = |page: &str| page.lines().filter(|line| line.contains("<h2")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(strip(&mine.page()), strip(&before));
    assert!(mine.page().contains("Mining") && folder.join("metrics.prom").exists());
    assert_eq!(asked(), asked_before);
    assert_eq!(names(&mine.status_json()), devices_before);
}
