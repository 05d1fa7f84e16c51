//! The debug page: each target set and cleared, shown first, recorded with who; runs by hand; alarms acknowledged.

use serde_json::json;

use crate::browser::{Browser, USER};
use crate::mine::Mine;

/// Every target of the sample with a value, and how the override then reads.
fn targets() -> Vec<(String, &'static str, String)> {
    let mut all = vec![
        ("signal".to_owned(), "run", "signal = run".to_owned()),
        ("miners".to_owned(), "off", "miners = off".to_owned()),
    ];
    let mut add = |target: String, value: &'static str, shown: &str| {
        all.push((target.clone(), value, format!("{target} = {shown}")))
    };
    for probe in ["intake-west", "intake-east", "exhaust", "middle"] {
        add(format!("temp {probe}"), "70 F", "70.0 °F (21.1 °C)");
        add(format!("humidity {probe}"), "41", "41 %RH");
    }
    for switch in ["smoke", "water", "door"] {
        add(format!("switch {switch}"), "normal", "normal");
    }
    for fan in 1..=9 {
        add(format!("fan-watts {fan}"), "1500 W", "1.5 kW");
        add(format!("fan {fan}"), "on", "on");
    }
    for pdu in ["a", "b", "c", "d", "e", "f"] {
        add(format!("miner-watts spdu-{pdu}"), "160 kW", "160 kW");
    }
    for (machine, value) in [("signal", "run"), ("climate", "normal"), ("miners", "running"), ("fan-stage", "2")] {
        add(format!("state {machine}"), value, value);
    }
    all
}

#[test]
fn each_target_has_a_form_and_is_set_and_cleared_with_who_in_the_events() {
    let mine = Mine::start(10.0, |text| text);
    mine.tick().silent();
    let browser = Browser::new(&mine, USER);
    let page = browser.open("/", "").with_status(200);
    for (target, value, _) in &targets() {
        assert!(page.body.contains(&format!("name=\"target\" value=\"{target}\"")), "no form for {target}");
        let fields =
            [("do", "apply"), ("target", target.as_str()), ("value", value), ("for", "20 min"), ("reason", "a test")];
        let answer = browser.send("/", &fields).with_status(303);
        assert_eq!(answer.header("Location"), "/admin/?told=set");
    }
    assert_eq!(page.body.matches("class=\"form\"").count(), targets().len(), "a form for what cannot be set");
    let (page, events) = (browser.open("/", "told=set"), mine.events());
    assert!(page.text().contains("Set. The next run takes it in."), "{}", page.text());
    for (target, _, shown) in &targets() {
        assert!(page.text().contains(&format!("{shown}, ")), "{target} is not shown: {shown}");
        let line = format!("set: {shown} for 20 min by debug page: ann from 10.0.0.9: a test");
        assert!(events.contains(&line), "{line}\n{events}");
    }
    // Clearing all is shown first, too.
    let preview = browser.send("/", &[("do", "preview"), ("target", "all"), ("value", "auto")]).with_status(200);
    assert!(preview.text().contains("all overrides end"), "{}", preview.text());
    assert!(mine.run(&["status"]).done().contains("fan 3 = on"), "looking clears nothing");
    browser.send("/", &[("do", "apply"), ("target", "all"), ("value", "auto")]).with_status(303);
    assert!(!mine.run(&["status"]).done().contains("fan 3 = on"));
    assert!(mine.events().contains("cleared: fan 3 = on by debug page: ann from 10.0.0.9"));
}

#[test]
fn what_would_happen_is_shown_and_nothing_is_set_by_looking() {
    let mine = Mine::start(10.0, |text| text);
    mine.tick().silent();
    let browser = Browser::new(&mine, USER);
    browser.open("/", "");
    let before = mine.commands().len();
    let fields = [("do", "preview"), ("target", "temp intake-west"), ("value", "112 F"), ("reason", "what if")];
    let text = browser.send("/", &fields).with_status(200).text();
    for part in
        ["temp intake-west = 112.0 °F (44.4 °C) for 1 h", "running → curtailing", "sleeping", "the intake is too hot"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let as_it_is = browser.send("/", &[("do", "preview")]).with_status(200).text();
    assert!(!as_it_is.contains("curtailing") && as_it_is.contains("Nothing is changed by looking"), "{as_it_is}");
    assert_eq!(mine.commands().len(), before, "looking commands nothing");
    assert!(!mine.events().contains("112.0"), "looking is no event");
}

#[test]
fn what_the_command_line_refuses_is_refused_with_its_words() {
    let mine = Mine::start(10.0, |text| text.replace("mode = \"live\"", "mode = \"observe\""));
    mine.set(json!({"signal_number": 342}));
    mine.tick().silent();
    let browser = Browser::new(&mine, USER);
    browser.open("/", "");
    let cases = [
        ("fan 10", "on", "1 h", "no fan 10"),
        ("temp intake-wst", "70 F", "1 h", "did you mean `intake-west`?"),
        ("temp intake-west", "70", "1 h", "`70` is not a"),
        ("temp intake-west", "", "1 h", "is not a"),
        ("fan 3", "maybe", "1 h", "use `on`, `off` or `auto`"),
        ("fan 3", "on", "25 h", "overrides.max_time"),
        ("fan 3", "on", "soon", "--for"),
        ("miners", "on", "1 h", "needs --against-signal"),
        ("state fan-stage", "9", "1 h", "a number from 1 to 4"),
        ("<b>", "on", "1 h", "`<b>` is nothing that can be set"),
    ];
    for (target, value, lasts, words) in cases {
        // One code checks for both; the first cases show it.
        for what in if target.starts_with("fan 10") { &["preview", "apply"][..] } else { &["apply"][..] } {
            let fields = [("do", *what), ("target", target), ("value", value), ("for", lasts)];
            let answer = browser.send("/", &fields).with_status(422);
            assert!(answer.text().contains(words), "{target}: {}", answer.text());
            assert!(!answer.body.contains("<b>"), "escaped");
        }
    }
    let against = [("do", "apply"), ("target", "miners"), ("value", "on"), ("against", "yes")];
    browser.send("/", &against).with_status(303);
    assert!(mine.events().contains("miners = on (against the signal)"));
}

#[test]
fn inputs_are_shown_as_the_device_said_them_and_as_they_are_judged() {
    let mine = Mine::start(10.0, |text| text);
    mine.tick().silent();
    mine.fault("relays-b", "refuse");
    mine.run(&["set", "fan-watts", "4", "0 W", "--reason", "<script>alert(1)</script> \u{202e}\"x\" 🌡"]).done();
    mine.tick().silent();
    let browser = Browser::new(&mine, USER);
    let page = browser.open("/", "").with_status(200);
    let text = page.text();
    assert!(text.contains("“250"), "the page's own text: {text}");
    assert!(text.contains("old by the device"), "watts with the device's age");
    assert!(text.contains("relay on") && text.contains("unreachable"), "relays, read and not read");
    assert!(text.contains("fan-watts 4 = 0 W"), "the override beside what the meter says");
    assert!(!page.body.contains("<script") && page.body.contains("&lt;script&gt;"), "a hostile reason is text");
    assert!(!page.body.contains('\u{202e}'), "no change of the writing direction");
}

#[test]
fn a_run_by_hand_is_recorded_and_not_started_beside_another() {
    let mine = Mine::start(10.0, |text| text);
    let browser = Browser::new(&mine, USER);
    assert!(browser.open("/", "").with_status(200).text().contains("No run has been made yet"));
    let answer = browser.send("/", &[("do", "run")]).with_status(303);
    assert_eq!(answer.header("Location"), "/admin/?told=run-0", "{}", mine.log());
    assert!(mine.events().contains("started by hand, debug page: ann from 10.0.0.9"), "{}", mine.events());
    assert!(browser.open("/", "told=run-0").text().contains("The run is done"));
    // A run that hangs on a device holds the lock.
    mine.fault("foreman", "hang");
    let mut run = mine.command(&["tick"]).spawn().unwrap();
    let lock = mine.data().join("tick.lock");
    let held = || std::fs::read_to_string(&lock).unwrap_or_default().starts_with(&format!("{} ", run.id()));
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !held() {
        assert!(std::time::Instant::now() < end, "the run takes no lock");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let busy = browser.send("/", &[("do", "run")]).with_status(303);
    let plan = browser.send("/", &[("do", "preview"), ("target", "fan 3"), ("value", "on")]).with_status(200);
    assert_eq!(busy.header("Location"), "/admin/?told=run-busy");
    assert!(plan.text().contains("the devices are left to it"), "{}", plan.text());
    run.kill().unwrap();
    run.wait().unwrap();
}

#[test]
fn an_alarm_is_acknowledged_with_who() {
    let mine = Mine::start(10.0, |text| text);
    mine.run(&["set", "switch", "smoke", "alarm"]).done();
    mine.tick().silent();
    let browser = Browser::new(&mine, USER);
    let page = browser.open("/", "");
    let alarm = page.field("alarm");
    browser.send("/", &[("do", "acknowledge"), ("alarm", "none such")]).with_status(422);
    browser.send("/", &[("do", "acknowledge"), ("alarm", &alarm)]).with_status(303);
    mine.tick().silent();
    let alarms = mine.status_json()["alarms"].clone();
    let by = alarms.as_array().unwrap().iter().find(|known| known["id"] == alarm.as_str()).unwrap();
    assert_eq!(by["acknowledged_by"], "debug page: ann from 10.0.0.9");
}
