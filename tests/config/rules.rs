//! Each rule of the configuration on both sides of its limit.

use minectl::config::{OffWhen, PagePlace, SignalMeaning};

use crate::support::*;

#[test]
fn times_fit_into_each_other() {
    one_mistake("budget = \"105 s\"", "budget = \"120 s\"", "must be shorter than `loop_interval`");
    no_mistake("budget = \"105 s\"", "budget = \"119 s\"");
    one_mistake("read_limit = \"12 s\"", "read_limit = \"105 s\"", "must be shorter than `tick.budget`");
    no_mistake("read_limit = \"12 s\"", "read_limit = \"104 s\"");
    one_mistake("send_limit = \"15 s\"", "send_limit = \"105 s\"", "must be shorter than `tick.budget`");
    one_mistake("pass_pause = \"2 s\"", "pass_pause = \"105 s\"", "must be shorter than `tick.budget`");
    one_mistake("pass_pause = \"2 s\"", "pass_pause = \"0 s\"", "is outside 1 s to");
}

#[test]
fn the_loop_interval_divides_an_hour() {
    for good in ["1 minute", "2 minutes", "15 minutes", "30 m", "120 s"] {
        let text = changed("loop_interval = \"2 minutes\"", &format!("loop_interval = \"{good}\""))
            .replace("budget = \"105 s\"", "budget = \"50 s\"");
        sound(&text);
    }
    one_mistake("loop_interval = \"2 minutes\"", "loop_interval = \"7 minutes\"", "divide an hour");
    one_mistake("loop_interval = \"2 minutes\"", "loop_interval = \"121 s\"", "divide an hour");
    one_mistake("loop_interval = \"2 minutes\"", "loop_interval = \"60 minutes\"", "is outside");
    one_mistake("loop_interval = \"2 minutes\"", "loop_interval = \"2\"", "is not a time span");
}

#[test]
fn the_signal_thresholds_leave_a_gap_on_the_right_side() {
    one_mistake("resume_below = 300", "resume_below = 310", "must be below `curtail_at`");
    no_mistake("resume_below = 300", "resume_below = 309.9");
    let low = changed("off_when = \"high\"", "off_when = \"low\"");
    assert!(parse(&low).unwrap_err()[0].contains("must be above `curtail_at`"));
    let low = low.replace("resume_below = 300", "resume_below = 320");
    let SignalMeaning::Number { off_when, .. } = sound(&low).signal.meaning else { panic!() };
    assert_eq!(off_when, OffWhen::Low);
}

#[test]
fn the_signal_thresholds_lie_in_the_range() {
    no_mistake("range = [50, 500]", "range = [300, 310]");
    let outside = |range: &str| mistakes("range = [50, 500]", range).join("\n");
    assert!(outside("range = [50, 309]").contains("`signal.curtail_at`: 310 is outside `range`"));
    assert!(outside("range = [301, 500]").contains("`signal.resume_below`: 300 is outside `range`"));
    one_mistake("range = [50, 500]", "range = [500, 50]", "smallest and the largest");
    one_mistake("range = [50, 500]", "range = [50]", "smallest and the largest");
}

#[test]
fn a_signal_is_a_number_or_words_and_not_both() {
    one_mistake("off_when = \"high\"", "off_when = \"high\"\nwords_run = [\"ON\"]", "keep the keys of one");
    let words = |curtail: &str, run: &str| {
        changed("range = [50, 500]", &format!("words_curtail = {curtail}\nwords_run = {run}"))
            .replace("\noff_when = \"high\"\ncurtail_at = 310\nresume_below = 300\n", "\n")
    };
    sound(&words("[\"off\"]", "[\"on\"]"));
    assert!(parse(&words("[\"Off\"]", "[\"OFF\"]")).unwrap_err()[0].contains("is in `words_curtail` too"));
    assert!(parse(&words("[]", "[\"OFF\"]")).unwrap_err()[0].contains("has no word"));
}

#[test]
fn selector_pattern_and_stamp_are_what_they_claim() {
    one_mistake("selector = \"#load-number\"", "selector = \"#load number >\"", "is not a CSS selector");
    one_mistake("selector = \"#load-number\"", "selector = \"\"", "is empty");
    let pattern = r"pattern = '^\s*([-0-9.,]+)\s*(?:MW)?\s*$'";
    one_mistake(pattern, r"pattern = '^\d+$'", "has no group");
    one_mistake(pattern, r"pattern = '(\d+'", "is not a pattern: unclosed group");
    let format = "stamp_format = \"%m/%d/%Y %I:%M %p %Z\"";
    no_mistake(format, "stamp_format = \"%Y-%m-%dT%H:%M:%S%z\"");
    one_mistake(format, "stamp_format = \"%Q!\"", "is not a format");
    no_mistake(format, "stamp_format = \"%Y-%m-%dT%H:%M:%SZ\"");
    no_mistake(format, "stamp_format = \"Status at %H:%M %Z\"");
    no_mistake(format, "stamp_format = \"%b %d, %I:%M %p\"");
    no_mistake(format, "stamp_format = \"%s\"");
    one_mistake(format, "stamp_format = \"%Y-%m-%d\"", "it gives no time");
    one_mistake(format, "stamp_format = \"%d %H:%M\"", "half a date");
    one_mistake(format, "stamp_format = \"%I:%M\"", "loses a part of the time");
    one_mistake(format, "stamp_format = \"%m/%d/%Y %I:%M\"", "loses a part");
    let alone = mistakes(format, "");
    assert!(alone.len() == 1 && alone[0].contains("`signal.stamp_selector`: needs `stamp_format`"), "{alone:?}");
}

#[test]
fn a_clock_without_a_date_may_not_be_believed_for_half_a_day() {
    let with = |limit: &str| {
        let text = changed("stamp_max_age = \"30 minutes\"", &format!("stamp_max_age = \"{limit}\""));
        parse(&text.replace("%m/%d/%Y %I:%M %p %Z", "%I:%M %p")).err().unwrap_or_default()
    };
    assert!(with("11 h").is_empty());
    assert!(with("11 h 1 min")[0].contains("`signal.stamp_max_age`: a clock without a date"), "{:?}", with("12 h"));
}

#[test]
fn a_value_is_in_an_element_or_in_json_and_its_stamp_beside_it() {
    let place = "\nselector = \"#load-number\"";
    let beside = mistakes(place, "\njson = \"/load/now\"");
    assert!(beside.len() == 1 && beside[0].contains("so the stamp needs `stamp_json`"), "{beside:?}");
    let json = |line: &str| {
        let text = changed("stamp_selector = \"#load-stamp\"", line);
        text.replace("\nselector = \"#load-number\"", "\njson = \"/load/now\"")
    };
    let cfg = sound(&json("stamp_json = \"/at\"")).signal;
    assert_eq!(cfg.place, PagePlace::Json("/load/now".to_owned()));
    assert_eq!(cfg.stamp.unwrap().place, PagePlace::Json("/at".to_owned()));
    assert!(parse(&json("")).unwrap_err()[0].contains("`signal.stamp_format`: needs `stamp_json`"));
    let both = mistakes(place, &format!("{place}\njson = \"/load/now\""));
    assert!(both[0].contains("`json` with an answer that is JSON; keep one"), "{both:?}");
    let wrong = mistakes(place, "\njson = \"load\"");
    assert!(wrong[0].contains("`load` is not a place in JSON"), "{wrong:?}");
    no_mistake("\n# attribute = \"src\"", "\nattribute = \"src\"");
    no_mistake("\n# redirect_hosts = [", "\nredirect_hosts = [");
    one_mistake("\n# redirect_hosts = [\"www.", "\nredirect_hosts = [\"https://www.", "is not a host");
    no_mistake("\n# modified_max_age", "\nmodified_max_age");
}

#[test]
fn the_time_zone_exists() {
    no_mistake("time_zone = \"America/Chicago\"", "time_zone = \"UTC\"");
    one_mistake("time_zone = \"America/Chicago\"", "time_zone = \"Central\"", "is no time zone");
}

#[test]
fn names_are_unique_and_can_be_typed() {
    let twice = mistakes("name = \"room-alert\"", "name = \"relays-a\"");
    assert!(twice.len() == 1 && twice[0].contains("`relay_board.relays-a.name`: the name `relays-a`"), "{twice:?}");
    one_mistake("name = \"spdu-b\"", "name = \"foreman\"", "given twice");
    one_mistake("name = \"intake-east\"", "name = \"intake-west\"", "given twice");
    one_mistake("name = \"water\"", "name = \"smoke\"", "given twice");
    one_mistake("name = \"spdu-b\"", "name = \"PDU b\"", "is not a name");
    one_mistake("name = \"spdu-b\"", "name = \"pdu.b\"", "is not a name");
    let twice = mistakes("index = 2, role = \"intake\"", "index = 1, role = \"intake\"");
    assert!(twice.len() == 1 && twice[0].contains("two probes are at index 1 of `sensor`"), "{twice:?}");
}

#[test]
fn fans_refer_to_boards_and_share_no_relay() {
    let fan = "board = \"relays-a\"\nrelay = 5";
    one_mistake(fan, "board = \"relays-a\"\nrelay = 4", "relay 4 of `relays-a` switches fan 4 already");
    no_mistake(fan, "board = \"relays-b\"\nrelay = 5");
    one_mistake(fan, "board = \"relay-a\"\nrelay = 5", "did you mean `relays-a`?");
    one_mistake(fan, "board = \"relays-a\"\nrelay = 0", "0 is outside 1 to 64");
    one_mistake("number = 9", "number = 8", "two fans with number 8");
    one_mistake("number = 9", "number = 100", "100 is outside 1 to 99");
    no_mistake("number = 9", "number = 99");
}

#[test]
fn the_lists_for_fans_have_one_entry_for_each_fan_by_ascending_number() {
    one_mistake(r#""fan8", "fan9"]"#, r#""fan8"]"#, "has 8 entries for 9 fans");
    one_mistake(r#""fan8", "fan9"]"#, r#""fan8", "fan8"]"#, "has an entry twice");
    let config = sound(&changed("number = 1\n", "number = 12\n"));
    let minectl::config::FanWattsConfig::IotaWatt(iotawatt) = config.fan_watts else { panic!() };
    let series = |fan| iotawatt.fan_series.get(&fan).map(String::as_str);
    assert_eq!((series(2), series(12)), (Some("fan1"), Some("fan9")));
}

#[test]
fn fan_rules_ask_for_no_more_fans_than_there_are() {
    one_mistake("above = \"85 F\", run = 9", "above = \"85 F\", run = 10", "10 is outside 0 to 9");
    one_mistake("min_running = 3", "min_running = 10", "10 is outside 0 to 9");
    no_mistake("min_running = 3", "min_running = 9");
    one_mistake("before_resume = 5", "before_resume = 0", "0 is outside 1 to 9");
}

#[test]
fn warmer_means_more_fans() {
    one_mistake("above = \"75 F\", run = 7", "above = \"60 F\", run = 7", "must be above that of the stage before");
    no_mistake("above = \"75 F\", run = 7", "above = \"61 F\", run = 6");
    one_mistake("above = \"75 F\", run = 7", "above = \"75 F\", run = 5", "more fans than in the stage before");
    one_mistake("above = \"85 F\", run = 9", "above = \"104 F\", run = 9", "must be below `climate.shed_above`");
    no_mistake("above = \"85 F\", run = 9", "above = \"103 F\", run = 9");
    one_mistake("hysteresis = \"4 F\"", "hysteresis = \"0 F\"", "is outside");
    one_mistake("hysteresis = \"4 F\"", "hysteresis = \"4\"", "is not a temperature difference");
    no_mistake("hysteresis = \"4 F\"", "hysteresis = \"2 °C\"");
}

#[test]
fn watts_that_prove_on_are_above_those_that_prove_off() {
    one_mistake("off_below = \"50 W\"", "off_below = \"400 W\"", "must be below `on_above`");
    no_mistake("off_below = \"50 W\"", "off_below = \"399 W\"");
    one_mistake("off_below = \"20 kW\"", "off_below = \"50 kW\"", "must be below `on_above`");
    no_mistake("off_below = \"20 kW\"", "off_below = \"49 kW\"");
    one_mistake("off_below = \"20 kW\"", "off_below = \"20\"", "is not a power");
    one_mistake("outlet_off_below = \"60 W\"", "outlet_off_below = \"0 W\"", "must be above 0 W");
}

#[test]
fn temperatures_to_resume_shed_and_panic_ascend() {
    one_mistake("shed_above = \"104 F\"", "shed_above = \"93 F\"", "must be above `resume_below`");
    no_mistake("shed_above = \"104 F\"", "shed_above = \"94 F\"");
    one_mistake("critical_above = \"113 F\"", "critical_above = \"104 F\"", "must be above `shed_above`");
    no_mistake("critical_above = \"113 F\"", "critical_above = \"104.1 F\"");
    one_mistake("resume_below = \"93 F\"", "resume_below = \"-22 F\"", "must be above `resume_min`");
    one_mistake("lost_limit = \"10 minutes\"", "lost_limit = \"3 minutes\"", "must not be shorter than `max_age`");
    no_mistake("lost_limit = \"10 minutes\"", "lost_limit = \"4 minutes\"");
    one_mistake("shed_above = \"104 F\"", "shed_above = \"400 F\"", "is not a possible temperature");
}

#[test]
fn foreman_has_less_time_than_the_whole_ladder() {
    one_mistake("foreman_limit = \"2 minutes\"", "foreman_limit = \"4 minutes\"", "must be shorter than `deadline`");
    no_mistake("foreman_limit = \"2 minutes\"", "foreman_limit = \"239 s\"");
    one_mistake("call_pause = \"1 s\"", "call_pause = \"0 s\"", "is outside 1 s");
    no_mistake("miners = \"tag:curtail\"", "miners = \"all\"");
    one_mistake("miners = \"tag:curtail\"", "miners = \"tag:\"", "the tag is empty");
    one_mistake("miners = \"tag:curtail\"", "miners = \"some\"", "known: `all`");
}

#[test]
fn one_probe_at_least_is_at_the_intake() {
    let text = SAMPLE.replace("role = \"intake\"", "role = \"other\"");
    let found = parse(&text).unwrap_err();
    assert!(found.len() == 1 && found[0].contains("no probe has role"), "{found:?}");
}

#[test]
fn channels_in_use_are_configured() {
    let text = without_section(SAMPLE, "[telegram]");
    let found = parse(&text).unwrap_err();
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found[0].contains("`telegram` is not configured; add the section [telegram]"), "{found:?}");
    sound(&text.replace("\"telegram\"", "\"email\"").replace("[\"email\", \"email\"", "[\"email\""));
    one_mistake("warning = [\"telegram\", \"email\"]", "warning = [\"telegram\", \"telegram\"]", "listed twice");
    one_mistake("warning = [\"telegram\", \"email\"]", "warning = [\"fax\"]", "known: `telegram`, `email`, `sms`");
    one_mistake("emergency = [\"telegram\", \"email\", \"sms\"]", "emergency = []", "nobody would be told");
    no_mistake("heartbeat = [\"telegram\"]", "heartbeat = []");
}

#[test]
fn recipients_can_be_reached() {
    one_mistake("to = [\"+15155550111\"]", "to = [\"515-555-0111\"]", "is not a number");
    one_mistake("to = [\"+15155550111\"]", "to = []", "has no recipient");
    one_mistake("\"partner@example.org\"]", "\"partner\"]", "is not an email address");
    no_mistake("\"partner@example.org\"]", "\"Partner <partner@example.org>\"]");
}

#[test]
fn fan_watts_come_from_one_place() {
    let both = uncommented(SAMPLE, "[emoncms]", "timeout = \"6 s\"");
    assert!(parse(&both).unwrap_err()[0].contains("one of the two"));
    let none = without_section(SAMPLE, "[iotawatt]");
    assert!(parse(&none).unwrap_err()[0].contains("missing section `[iotawatt]` or `[emoncms]`"));
}

#[test]
fn outlets_are_expanded_and_bounded() {
    let outlets = |list: &str| {
        let text = SAMPLE.replacen("outlets = [\"1-48\"]", &format!("outlets = {list}"), 1);
        parse(&text).map(|config| config.pdus[0].outlets.clone()).map_err(|lines| lines.join("\n"))
    };
    assert_eq!(outlets("[\"1-3\", \"50\", \"A7\"]").unwrap(), ["1", "2", "3", "50", "A7"]);
    assert_eq!(outlets("[\"1-512\"]").unwrap().len(), 512);
    assert!(outlets("[\"1-513\"]").unwrap_err().contains("at most 512"));
    assert!(outlets("[\"1-500\", \"501-513\"]").unwrap_err().contains("lists 513 outlets"));
    assert!(outlets("[\"1-48\", \"48\"]").unwrap_err().contains("outlet `48` is listed twice"));
    assert!(outlets("[\"48-1\"]").unwrap_err().contains("must ascend"));
    assert!(outlets("[\"0-4294967295\"]").unwrap_err().contains("at most 512"));
    assert!(outlets("[]").unwrap_err().contains("lists 0 outlets"));
    assert!(outlets("[\"1/2\"]").unwrap_err().contains("is not an outlet"));
    assert!(outlets("[1]").unwrap_err().contains("wanted a list of texts"));
}

#[test]
fn a_pdu_dialect_can_switch_one_outlet_and_tell_its_state() {
    let block = uncommented(SAMPLE, "[[pdu]]", "switch_headers = ");
    let found = |from: &str, to: &str| {
        assert_eq!(block.matches(from).count(), 1, "{from}");
        parse(&block.replace(from, to)).err().unwrap_or_default().join("\n")
    };
    assert!(found("switch_path = \"/outlets/{id}\"", "switch_path = \"/outlets\"").contains("needs `{id}`"));
    assert!(found("off = \"OFF\"", "off = \"ON\"").contains("the same as `on`"));
    assert!(
        found("off_body = '{\"state\": \"OFF\"}'", "off_body = '{\"state\": \"ON\"}'")
            .contains("nothing is switched off")
    );
    assert!(found("off_body = '{\"state\": \"OFF\"}'", "off_body = '{state: OFF}'").contains("is not JSON"));
    assert!(found("state = \"/state\"", "state = \"state\"").contains("is not a JSON pointer"));
    assert!(found("id = \"/name\"\n", "id = \"@key\"\n").is_empty());
    assert!(found("watts_scale = 1.0", "watts_scale = 0").contains("must be above 0"));
    assert!(found("state = \"/state\"\n", "").contains("missing key `state` in `pdu.pdu-g`"));
    let header = "switch_headers = [\"Accept: application/json\"]";
    assert!(found(header, "switch_headers = [\"Authorization: Bearer {token}\"]").contains("missing key `token`"));
    assert!(found(header, "switch_headers = [\"Accept\"]").contains("is not a header line"));
}

#[test]
fn a_bank_is_whole_switches_off_only_and_contains_nothing_that_is_not_listed() {
    let block = uncommented(SAMPLE, "bank_method = ", "bank_outlets = ");
    let bank = sound(&block).pdus[0].bank.clone().unwrap();
    assert_eq!((bank.method.as_str(), bank.path.as_str()), ("PATCH", "/api/groups/miners"));
    assert_eq!((bank.body, bank.outlets.len()), (serde_json::json!({"control_action": "off"}), 48));
    assert!(sound(SAMPLE).pdus[0].bank.is_none());
    let found = |from: &str, to: &str| {
        assert_eq!(block.matches(from).count(), 1, "{from}");
        parse(&block.replace(from, to)).err().unwrap_or_default().join("\n")
    };
    let outlets = "bank_outlets = [\"1-48\"]";
    assert_eq!(found(outlets, "bank_outlets = [\"1-47\"]"), "");
    assert!(found(outlets, "bank_outlets = [\"1-49\"]").contains("1 not in `outlets`, such as `49`"));
    assert!(found(outlets, "bank_outlets = [\"A1\", \"A2\"]").contains("2 not in `outlets`, such as `A1`"));
    assert!(found(outlets, "bank_outlets = [\"1\", \"1\"]").contains("outlet `1` is listed twice"));
    assert!(found(outlets, "bank_outlets = []").contains("lists 0 outlets"));
    for key in ["bank_method", "bank_path", "bank_body", "bank_outlets"] {
        let said = found(&format!("\n{key} = "), &format!("\n# {key} = "));
        assert!(said.contains(&format!("missing key `{key}` in `pdu.spdu-a`")), "{said}");
    }
    let path = "bank_path = \"/api/groups/miners\"";
    assert!(found(path, "bank_path = \"/api/groups/{id}\"").contains("one request for all its outlets"));
    let body = "bank_body = '{\"control_action\": \"off\"}'";
    assert!(found(body, "bank_body = '{\"status\": true}'").contains("a bank is only ever switched off"));
    assert_eq!(found(body, "bank_body = '{\"status\": false}'"), "");
    assert!(found(body, "bank_body = 'off'").contains("is not JSON"));
    assert!(found("bank_method = \"PATCH\"", "bank_method = \"GET\"").contains("`GET`"));
}

#[test]
fn a_user_comes_with_a_password() {
    let alone = mistakes("password = \"site-smtp-password\"", "");
    assert!(alone.len() == 1 && alone[0].contains("`email.user`: needs `password`"), "{alone:?}");
    one_mistake("user = \"minectl\"\npassword", "password", "needs `user`");
    no_mistake("user = \"minectl\"\npassword = \"site-smtp-password\"\n", "");
}

#[test]
fn overrides_end() {
    one_mistake("default_time = \"1 hour\"", "default_time = \"25 hours\"", "must not be longer than `max_time`");
    no_mistake("default_time = \"1 hour\"", "default_time = \"24 hours\"");
}

#[test]
fn an_sms_template_carries_number_and_text() {
    let twilio = "url = \"http://127.0.0.1:18022\"\n";
    let start = SAMPLE.find(twilio).unwrap();
    let end = SAMPLE.find("to = [\"+15155550111\"]").unwrap();
    let with = |lines: &str| parse(&format!("{}{lines}\n{}", &SAMPLE[..start], &SAMPLE[end..])).map(|_| ());
    let found = |lines: &str| with(lines).unwrap_err().join("\n");
    with("url = \"https://sms.example.org/send?to={to}&text={text}\"\nmethod = \"GET\"\nsuccess = '^OK'").unwrap();
    with("url = \"https://sms.example.org/send\"\nbody = '{to} {text}'\nsuccess = '^$'").unwrap();
    assert!(
        found("url = \"https://sms.example.org/send\"\nmethod = \"GET\"\nsuccess = '^OK'")
            .contains("a GET has no body")
    );
    assert!(found("url = \"https://sms.example.org/send\"\nbody = '{text}'").contains("needs `{to}` and `{text}`"));
    assert!(found("url = \"http://sms.example.org/send\"\nbody = '{to} {text}'").contains("plain http"));
    assert!(found("url = \"https://sms.example.org\"\nbody = '{to} {text}'\nfrom = \"x\"").contains("keys of one"));
    assert!(found("url = \"https://sms.example.org\"").contains("missing key `account_sid`"));
    assert!(found("url = \"https://sms.example.org\"\nbody = '{to} {text}'").contains("missing key `success`"));
    let pattern =
        |pattern: &str| found(&format!("url = \"https://sms.example.org\"\nbody = '{{to}} {{text}}'\n{pattern}"));
    assert!(pattern("success = '.*'").contains("matches any answer"));
    assert!(pattern("success = '('").contains("is not a pattern: unclosed group"));
    assert!(pattern("success = 'OK'\nrefused = '['").contains("`sms.refused`"));
}

#[test]
fn prices_are_checked_on_both_sides_of_their_limits() {
    let with = |key: &str, value: &str| {
        let old = SAMPLE.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        parse(&SAMPLE.replacen(&format!("\n{old}\n"), &format!("\n{key} = {value}\n"), 1))
    };
    for (key, good, bad) in [
        ("demand_charge", ["0", "1000"], ["-0.1", "1000.1"]),
        ("energy_price", ["0", "10"], ["-0.01", "10.1"]),
        ("needless_off_per_hour", ["0", "100000"], ["-1", "100001"]),
        ("billing_interval", ["\"5 minutes\"", "\"2 hours\""], ["\"299 s\"", "\"7201 s\""]),
        ("demand_charge_for", ["\"month\"", "\"season\""], ["\"year\"", "1"]),
    ] {
        for value in good {
            assert!(with(key, value).is_ok(), "{key} = {value}");
        }
        for value in bad {
            let mistakes = with(key, value).unwrap_err();
            assert!(mistakes.iter().any(|line| line.contains(&format!("`costs.{key}`"))), "{key}: {mistakes:?}");
        }
    }
}
