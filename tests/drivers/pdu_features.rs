//! What a PDU's section can describe beyond the presets: forms, logins, derived watts, schedules, staggered switching.

use std::sync::{Arc, Mutex};

use minectl::drivers::parse;
use minectl::model::{FaultKind, Reply};
use minectl::units::{Seconds, UnixSeconds};
use serde_json::{Value, json};

use crate::acting::{LIMIT, act_within, results};
use crate::config::pdu_section;
use crate::fixture::NOW;
use crate::pdu_presets::{outlet, pdu_alone, read, with_pdu};
use crate::server::{Act, Server};

/// A PDU whose outlets are found by name in the answer.
const PLAIN: &str = r#"
read_path = "/o"
items = "/o"
id = "@key"
state = "/s"
on = [true, 1, "on"]
off = [false, 0, "off"]
switch_method = "PUT"
switch_path = "/o/{id}"
on_body = '{"value": true}'
off_body = '{"value": false}'
settle = "0 s"
"#;

fn plain(outlets: &str, more: &str) -> String {
    format!("{PLAIN}outlets = {outlets}\n{more}")
}

fn watts_of(section: &str, item: Value) -> Result<f64, (FaultKind, String)> {
    let reading = parse::pdu(&json!({"o": {"1": item}}), &pdu_alone(section), NOW).unwrap();
    let watts = reading.outlets["1"].watts.clone();
    watts.map(|watts| watts.value.value()).map_err(|fault| (fault.kind, fault.detail))
}

#[test]
fn a_state_counts_in_every_type_that_is_listed_and_in_no_other() {
    let cfg = pdu_alone(&plain("[\"1-8\"]", ""));
    let answer = json!({"o": {"1": {"s": true}, "2": {"s": 1.0}, "3": {"s": "ON"}, "4": {"s": false}, "5": {"s": 0},
        "6": {"s": "Off"}, "7": {"s": "1"}, "8": {}}});
    let reading = parse::pdu(&answer, &cfg, NOW).unwrap();
    let states: Vec<_> = reading.outlets.values().map(|outlet| outlet.on.clone().map_err(|fault| fault.kind)).collect();
    let (unreadable, missing) = (Err(FaultKind::Unreadable), Err(FaultKind::Missing));
    assert_eq!(states, [Ok(true), Ok(true), Ok(true), Ok(false), Ok(false), Ok(false), unreadable, missing]);
}

#[test]
fn amps_times_volts_are_watts_and_a_missing_figure_is_no_zero() {
    let section = plain("[\"1\"]", "amps = \"/ma\"\namps_scale = 0.001\nvolts = \"/v\"\npower_factor = 0.5");
    assert!(pdu_alone(&section).derives_watts());
    assert_eq!(watts_of(&section, json!({"s": 1, "ma": "15000", "v": 240})), Ok(1800.0));
    assert_eq!(
        watts_of(&section, json!({"s": 1, "v": 240})).unwrap_err(),
        (FaultKind::Missing, "no amps at `/ma`".to_owned())
    );
    assert_eq!(watts_of(&section, json!({"s": 1, "ma": 1, "v": null})).unwrap_err().0, FaultKind::Missing);
    assert_eq!(watts_of(&section, json!({"s": 1, "ma": -1, "v": 240})).unwrap_err().0, FaultKind::Unreadable);
    assert_eq!(watts_of(&section, json!({"s": 1, "ma": 1e9, "v": 240})).unwrap_err().0, FaultKind::OutOfRange);
    let fixed = plain("[\"1\"]", "amps = \"/a\"\nvolts = 240");
    assert_eq!(watts_of(&fixed, json!({"s": 1, "a": 10})), Ok(2400.0));
    assert!(!pdu_alone(&plain("[\"1\"]", "")).derives_watts());
    assert!(pdu_alone(&fixed).derives_total());
    let whole = pdu_alone(&plain("[\"1\"]", "amps = \"/a\"\nvolts = 240\ntotal_watts = \"/w\""));
    assert!(whole.derives_watts() && !whole.derives_total(), "the total is measured");
    let shovel = "preset = \"digital-shovel\"\ntoken = \"t\"\noutlets = [\"1\"]\namps = \"/a\"\nvolts = 240\n";
    assert!(!pdu_alone(shovel).derives_watts(), "the preset's watts count");
    assert!(pdu_alone(&format!("{shovel}watts = \"\"\n")).derives_watts());
}

#[test]
fn a_reading_is_as_old_as_its_unix_time_says_too() {
    let section = plain("[\"1\"]", "watts = \"/w\"\nupdated = \"/t\"");
    let read = |time: Value| {
        let answer = json!({"o": {"1": {"s": 1, "w": 5, "t": time}}});
        parse::pdu(&answer, &pdu_alone(&section), UnixSeconds(1_795_378_400)).unwrap().outlets["1"].watts.clone()
    };
    for time in [json!(1_795_378_390), json!("1795378390"), json!(1_795_378_390.7), json!("2026-11-22T20:13:10Z")] {
        assert_eq!(read(time.clone()).unwrap().age, Seconds(10), "{time}");
    }
    assert_eq!(read(json!("soon")).unwrap_err().kind, FaultKind::Unreadable);
}

#[test]
fn schedules_and_resets_of_the_pdu_itself_are_remarks() {
    let section = plain("[\"1-3\"]", "auto_reset = \"/r\"\nschedule = \"/p\"");
    let answer = json!({"o": {"1": {"s": 1, "r": true, "p": []}, "2": {"s": 1, "r": "0", "p": [{"enabled": true}]},
        "3": {"s": 1, "p": [{"enabled": false, "at": "17:00"}]}}});
    assert_eq!(
        parse::pdu(&answer, &pdu_alone(&section), NOW).unwrap().remarks,
        [
            "the PDU's own auto-reset is on for outlet 1: it may switch a sleeping miner; turn it off in the PDU",
            "the PDU has a schedule of its own for outlet 2: it may switch a miner against a call; take it out of the PDU"
        ]
    );
}

#[test]
fn schedules_in_an_answer_of_their_own_are_remarks_and_so_is_not_knowing() {
    let remarks = |status: u16, body: &'static str| {
        let server = Server::by(move |request| match request.starts_with("GET /plan ") {
            true => Act::answer(status, "", body),
            false => Act::json(r#"{"o":{"1":{"s":1,"w":5}}}"#),
        });
        let section = plain("[\"1\"]", "watts = \"/w\"\nschedule_path = \"/plan\"\nschedule = \"/all\"");
        let reading = read(&with_pdu(&server.url, &section)).unwrap();
        assert!(reading.total.is_ok(), "watts do not depend on it");
        reading.remarks
    };
    assert_eq!(remarks(200, r#"{"all": []}"#), Vec::<String>::new());
    assert!(remarks(200, r#"{"all": [{"at": "17:00"}]}"#)[0].starts_with("the PDU has a schedule of its own"));
    assert!(remarks(500, "")[0].starts_with("whether the PDU has schedules of its own is not known: status 500"));
}

#[test]
fn a_form_and_fixed_headers_are_sent_as_they_are_written() {
    let server = Server::by(|request| match request.starts_with("PUT ") {
        true => Act::answer(204, "", ""),
        false => Act::json("[false, true]"),
    });
    let section = r#"
read_path = "/relay/all;/physical_state/"
items = ""
id = "@index"
id_offset = -1
state = ""
on = true
off = false
switch_method = "PUT"
switch_path = "/relay/{id}/state/"
on_body = '{"value": true}'
off_body = '{"value": false}'
switch_headers = ["X-CSRF: x"]
body_type = "form"
outlets = ["1-2"]
"#;
    let cfg = with_pdu(&server.url, section);
    assert_eq!(results(act_within(&cfg, LIMIT, &[outlet("1", false)])), [Ok(Reply::Confirmed)]);
    let sent = server.requests()[0].clone();
    assert!(sent.starts_with("PUT /relay/0/state/ ") && sent.ends_with("\r\n\r\nvalue=false"), "{sent}");
    let head = sent.to_ascii_lowercase();
    assert!(
        head.contains("x-csrf: x\r\n") && head.contains("content-type: application/x-www-form-urlencoded"),
        "{sent}"
    );
}

#[test]
fn a_token_in_a_header_is_asked_for_once_and_given_back_at_the_end() {
    let server = Server::by(|request| match request.split_whitespace().nth(1).unwrap() {
        "/login" => Act::answer(200, "X-Session: abc\r\n", "{}"),
        "/logout" => Act::answer(204, "", ""),
        _ if !request.to_ascii_lowercase().contains("authorization: bearer abc") => Act::answer(401, "", "{}"),
        _ => Act::json(r#"{"o":{"1":{"s":0},"2":{"s":0}}}"#),
    });
    let login = r#"
read_headers = ["Authorization: Bearer {token}"]
switch_headers = ["Authorization: Bearer {token}"]
user = "me"
password = "hunter2"
login_path = "/login"
login_body = '{"user": "{user}", "password": "{password}"}'
login_answer = "@X-Session"
logout_method = "DELETE"
logout_path = "/logout"
logout_headers = ["Authorization: Bearer {token}"]
"#;
    let cfg = with_pdu(&server.url, &plain("[\"1-2\"]", login));
    let commands = [outlet("1", false), outlet("2", false)];
    assert_eq!(results(act_within(&cfg, LIMIT, &commands)), [Ok(Reply::Confirmed), Ok(Reply::Confirmed)]);
    assert_eq!(server.lines(), ["POST /login", "PUT /o/1", "PUT /o/2", "GET /o", "DELETE /logout"]);
    assert!(server.requests()[0].ends_with(r#"{"password":"hunter2","user":"me"}"#));
    assert!(!server.requests()[1].to_ascii_lowercase().contains("basic"), "the login takes the place of HTTP Basic");
}

#[test]
fn on_and_off_can_have_paths_of_their_own() {
    let server = Server::by(|request| match request.starts_with("PUT ") {
        true => Act::answer(204, "", ""),
        false => Act::json(r#"{"o":{"1":{"s":0},"2":{"s":1}}}"#),
    });
    let own = "on_path = \"/o/{id}/switchOn\"\noff_path = \"/o/{id}/switchOff\"";
    let section =
        plain("[\"1-2\"]", own).replace("'{\"value\": true}'", "'{}'").replace("'{\"value\": false}'", "'{}'");
    let commands = [outlet("1", false), outlet("2", true)];
    let said = results(act_within(&with_pdu(&server.url, &section), LIMIT, &commands));
    assert_eq!(said, [Ok(Reply::Confirmed), Ok(Reply::Confirmed)]);
    assert_eq!(server.lines()[..2], ["PUT /o/1/switchOff", "PUT /o/2/switchOn"]);
    let same = section.replace("switchOn", "switchOff");
    let mistakes = pdu_section(&format!("name = \"p\"\nurl = \"{}\"\n{same}", server.url)).unwrap_err().join("\n");
    assert!(mistakes.contains("nothing is switched off"), "{mistakes}");
}

#[test]
fn watts_can_be_asked_for_outlet_by_outlet_beside_a_list() {
    let server = Server::by(|request| match request.split_whitespace().nth(1).unwrap() {
        "/o" => Act::json(r#"{"o":{"1":{"s":1},"2":{"s":1}}}"#),
        "/w/1" => Act::json(r#"{"data":"23"}"#),
        _ => Act::answer(404, "", ""),
    });
    let section = plain("[\"1-2\"]", "watts_path = \"/w/{id}\"\nwatts = \"/data\"");
    let reading = read(&with_pdu(&server.url, &section)).unwrap();
    assert_eq!(reading.outlets["1"].watts.clone().unwrap().value.value(), 23.0);
    let fault = reading.outlets["2"].watts.clone().unwrap_err();
    assert_eq!((fault.device.as_str(), fault.kind), ("p outlet 2", FaultKind::Status));
    assert!(reading.total.unwrap_err().detail.starts_with("no sum: no watts of outlet 2"));
}

#[test]
fn outlets_that_are_asked_one_by_one_fail_one_by_one_and_a_silent_pdu_is_left_alone() {
    let each = plain("[\"1-5\"]", "watts = \"/w\"").replace("\"/o\"\nitems = \"/o\"", "\"/o/{id}\"\nitems = \"\"");
    let server = Server::by(|request| match request.split_whitespace().nth(1).unwrap() {
        "/o/2" => Act::answer(500, "", ""),
        _ => Act::json(r#"{"s":1,"w":7}"#),
    });
    let reading = read(&with_pdu(&server.url, &each)).unwrap();
    assert_eq!(reading.outlets["2"].on.clone().unwrap_err().kind, FaultKind::Status);
    assert_eq!(reading.outlets["5"].watts.clone().unwrap().value.value(), 7.0);
    let silent = Server::by(|_| Act::Close);
    let fault = read(&with_pdu(&silent.url, &each)).unwrap_err();
    assert_eq!((fault.device.as_str(), fault.kind), ("p", FaultKind::Broken));
    assert_eq!(silent.requests().len(), 2);
}

/// A PDU that does what it is told only after so many readings.
fn slow(readings: usize) -> Server {
    let state = Arc::new(Mutex::new((true, 0_usize)));
    Server::by(move |request| {
        let mut state = state.lock().unwrap();
        if request.starts_with("PUT ") {
            *state = (true, readings);
            return Act::answer(202, "", "");
        }
        match state.1 {
            0 => {}
            1 => *state = (false, 0),
            left => state.1 = left - 1,
        }
        Act::json(json!({"o": {"1": {"s": state.0}}}).to_string())
    })
}

#[test]
fn a_pdu_that_staggers_is_waited_for_and_one_that_never_obeys_is_not_for_ever() {
    let section = plain("[\"1\"]", "").replace("settle = \"0 s\"", "settle = \"10 s\"");
    let server = slow(3);
    assert_eq!(
        results(act_within(&with_pdu(&server.url, &section), LIMIT, &[outlet("1", false)])),
        [Ok(Reply::Confirmed)]
    );
    assert_eq!(server.requests().len(), 4);
    let server = slow(1000);
    let said = results(act_within(&with_pdu(&server.url, &section), LIMIT, &[outlet("1", false)]));
    assert_eq!(said[0].clone().unwrap_err().0, FaultKind::NotObeyed);
    assert!((4..20).contains(&server.requests().len()), "{}", server.requests().len());
    let server = slow(3);
    let at_once = section.replace("settle = \"10 s\"", "settle = \"0 s\"");
    let said = results(act_within(&with_pdu(&server.url, &at_once), LIMIT, &[outlet("1", false)]));
    assert_eq!((said[0].is_err(), server.requests().len()), (true, 2));
}

#[test]
fn an_outlet_whose_suspension_cannot_be_read_is_not_switched_on_but_off() {
    let server = Server::by(|request| match request.starts_with("PUT ") {
        true => Act::answer(204, "", ""),
        false => Act::answer(500, "", ""),
    });
    let cfg = with_pdu(&server.url, &plain("[\"1-2\"]", "suspended = [\"/cut\"]"));
    let said = results(act_within(&cfg, LIMIT, &[outlet("1", true), outlet("2", false)]));
    assert!(
        said[0].clone().unwrap_err().1.starts_with("not switched on: whether the PDU cut it is not known"),
        "{said:?}"
    );
    let sent: Vec<String> = server.lines().into_iter().filter(|line| line.starts_with("PUT")).collect();
    assert_eq!(sent, ["PUT /o/2"]);
}

#[test]
fn mistakes_in_a_description_are_told_with_their_key() {
    let mistakes = |more: &str| {
        let section = format!("name = \"p\"\nurl = \"http://127.0.0.1:9\"\n{}", plain("[\"0-1\"]", more));
        pdu_section(&section).err().unwrap_or_default().join("\n")
    };
    assert_eq!(mistakes(""), "");
    for (more, wanted) in [
        ("id_offset = -1", "`0` with `id_offset` -1 is no outlet of this PDU; its numbers begin at 1"),
        ("id_offset = -2", "outside -1 to 1"),
        ("read_ok = \"/code\"", "missing key `read_ok_value`"),
        ("switch_ok_value = 0", "needs `switch_ok` beside it"),
        ("amps = \"/a\"", "needs `volts` beside it"),
        ("amps = \"/a\"\nvolts = 0", "volts from 1 to 1000"),
        ("amps = \"/a\"\nvolts = 230\nwatts = \"/w\"", "keep `watts` or `amps`"),
        ("power_factor = 1.1", "must not be above 1"),
        ("watts_path = \"/w\"", "needs `{id}` in it (or in `watts_body`)"),
        ("total_path = \"/t\"", "missing key `total_watts`"),
        ("total_watts = \"/t\"\ntotal_path = \"/t/{id}\"", "asked once for the whole PDU"),
        ("schedule_path = \"/s\"", "missing key `schedule`"),
        ("login_path = \"/l\"", "missing key `login_answer`"),
        ("login_body = '{}'", "needs `login_path` beside it"),
        ("login_path = \"/l/{user}\"\nlogin_answer = \"/t\"", "missing key `user`"),
        ("read_headers = [\"X-Token: {token}\"]", "missing key `token`"),
        ("body_type = \"xml\"", "known: `json`, `form`"),
        ("preset = \"giest\"", "did you mean `geist`"),
        ("driver = \"redfish\"", "unknown key `read_path`"),
        ("tls_sha256 = \"00\"", "is not a SHA-256"),
        (&format!("tls_sha256 = \"{}\"", "ab".repeat(32)), "needs an address with `https://`"),
    ] {
        let said = mistakes(more);
        assert!(said.contains(wanted), "{more}: {said}");
    }
}
