//! The sample `config.txt` is complete, and says the truth about defaults.

use std::collections::BTreeSet;
use std::path::Path;

use minectl::config::{self, Entry, FanWattsConfig, FeedPoint, PduDriver, Place, SignalMeaning, SmsProvider};

use crate::support::*;

fn entries(text: &str) -> Vec<Entry> {
    config::inspect(text, "config.txt", Path::new("/tmp")).entries
}

/// The text without the value's whole lines.
fn without(text: &str, entry: &Entry) -> String {
    let Place::Value(span) = &entry.place else { panic!("{} is absent", entry.path) };
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = span.end + text[span.end..].find('\n').unwrap() + 1;
    format!("{}{}", &text[..start], &text[end..])
}

#[test]
fn the_sample_is_sound() {
    let config = sound(SAMPLE);
    assert_eq!(config.fans.len(), 9);
    assert_eq!(config.pdus.len(), 6);
    assert_eq!(config.pdus[5].outlets.len(), 48);
    assert_eq!(config.paths.data, Path::new("/tmp/demo/data"));
    assert!((config.fan_rules.hysteresis_k - 4.0 / 1.8).abs() < 1e-9);
}

#[test]
fn every_default_equals_the_value_in_the_sample() {
    let whole = format!("{:?}", sound(SAMPLE));
    let with_default: Vec<Entry> =
        entries(SAMPLE).into_iter().filter(|e| e.default.is_some() && e.is_present()).collect();
    assert!(with_default.len() > 40, "{}", with_default.len());
    for entry in with_default {
        let config = parse(&without(SAMPLE, &entry)).unwrap_or_else(|m| panic!("{}: {m:?}", entry.path));
        assert_eq!(format!("{config:?}"), whole, "{}", entry.path);
    }
}

#[test]
fn what_must_be_given_is_a_mistake_when_it_is_not_and_everything_else_may_be_left_out() {
    let optional = [
        "page_url",
        "allow_plain_http",
        "must_contain",
        "must_not_contain",
        "reread_near",
        "capacity",
        "serial",
        "switches",
        "label",
        "stops_mine",
        // These only with another one.
        "stamp_selector",
        "stamp_format",
        "user",
        "password",
    ];
    for entry in entries(SAMPLE).iter().filter(|e| e.default.is_none() && e.is_present()) {
        // A key of an inline table is not a line of its own.
        if entry.path.contains(".probes.")
            || entry.path.contains(".switches.")
            || entry.path.contains(".stages.")
            || entry.path.contains(".capacity.")
        {
            continue;
        }
        let outcome = parse(&without(SAMPLE, entry));
        match outcome {
            Ok(_) => assert!(optional.contains(&entry.key), "{} may be left out", entry.path),
            Err(found) => {
                let named = found.iter().any(|line| {
                    line.contains(&format!("`{}`", entry.key)) || line.contains(&format!("{}`", entry.path))
                });
                assert!(named, "{}: {found:?}", entry.path);
            }
        }
    }
}

#[test]
fn every_known_key_is_in_the_sample_at_least_as_a_comment() {
    let keys: BTreeSet<&str> = entries(SAMPLE).iter().map(|entry| entry.key).collect();
    for key in keys {
        let there = SAMPLE.contains(&format!("{key} = ")) || SAMPLE.contains(&format!("`{key}`"));
        assert!(there, "{key} is not in the sample");
    }
}

#[test]
fn the_emoncms_block_works_in_place_of_iotawatt() {
    let text = uncommented(&without_section(SAMPLE, "[iotawatt]"), "[emoncms]", "timeout = \"6 s\"");
    let FanWattsConfig::EmonCms(emoncms) = sound(&text).fan_watts else { panic!("not emoncms") };
    assert_eq!(emoncms.fan_feeds.get(&9), Some(&FeedPoint::Id(9)));
    assert_eq!(emoncms.url, "http://127.0.0.1:18004/emoncms");
}

#[test]
fn feeds_may_be_given_by_tag_and_name() {
    let text = uncommented(&without_section(SAMPLE, "[iotawatt]"), "[emoncms]", "timeout = \"6 s\"");
    let with = |first: &str| text.replace("fan_feeds = [1, 2,", &format!("fan_feeds = [{first}, 2,"));
    let FanWattsConfig::EmonCms(emoncms) = sound(&with("\"fans/fan1\"")).fan_watts else { panic!("not emoncms") };
    let named = FeedPoint::Name { tag: "fans".to_owned(), name: "fan1".to_owned() };
    assert_eq!((emoncms.fan_feeds.get(&1), emoncms.fan_feeds.get(&2)), (Some(&named), Some(&FeedPoint::Id(2))));
    for wrong in ["\"fan1\"", "\"fans/\"", "\"a/b/c\"", "\"fans/ fan1\"", "\"\""] {
        let mistakes = parse(&with(wrong)).unwrap_err();
        assert!(mistakes[0].contains("tag and name like `fans/fan1`"), "{wrong}: {mistakes:?}");
    }
    let mistakes = parse(&with("0")).unwrap_err();
    assert!(mistakes[0].contains("wanted whole numbers from 1, or texts"), "{mistakes:?}");
}

#[test]
fn the_defaults_of_emoncms_equal_the_values_in_its_block() {
    let text = uncommented(&without_section(SAMPLE, "[iotawatt]"), "[emoncms]", "timeout = \"6 s\"");
    let whole = format!("{:?}", sound(&text));
    for entry in entries(&text).iter().filter(|e| e.path.starts_with("emoncms.") && e.default.is_some()) {
        assert_eq!(format!("{:?}", sound(&without(&text, entry))), whole, "{}", entry.path);
    }
}

#[test]
fn the_influx_block_works_and_its_defaults_equal_the_values_in_it() {
    assert!(sound(SAMPLE).influx.is_none(), "it is used although nobody switched it on");
    let text = uncommented(SAMPLE, "[influx]", "timeout = \"10 s\"");
    let influx = sound(&text).influx.unwrap();
    assert_eq!(influx.url, "http://127.0.0.1:18027/write?db=mine");
    assert_eq!(influx.token.unwrap().reveal(), "site-influx-token");
    let whole = format!("{:?}", sound(&text));
    for entry in entries(&text).iter().filter(|e| e.path.starts_with("influx.") && e.default.is_some()) {
        assert_eq!(format!("{:?}", sound(&without(&text, entry))), whole, "{}", entry.path);
    }
}

#[test]
fn the_lines_for_a_page_with_words_work_in_place_of_the_numbers() {
    let mut text = uncommented(SAMPLE, "words_curtail", "words_run");
    for line in ["range = [50, 500]\n", "off_when = \"high\"\n", "curtail_at = 310\n", "resume_below = 300\n"] {
        text = text.replacen(&format!("\n{line}"), "\n", 1);
    }
    let words = |list: [&str; 2]| list.map(str::to_owned).to_vec();
    let expected = SignalMeaning::Words { curtail: words(["OFF", "CONTROL"]), run: words(["ON", "NORMAL"]) };
    assert_eq!(sound(&text).signal.meaning, expected);
}

#[test]
fn the_lines_for_any_sms_provider_work_in_place_of_twilio() {
    let mut text = uncommented(SAMPLE, "url = \"https://sms", "refused = '");
    for key in ["url = \"http://127.0.0.1:18022\"", "account_sid", "auth_token = ", "from = \"+1"] {
        let start = text.find(&format!("\n{key}")).unwrap_or_else(|| panic!("{key}"));
        let end = start + 1 + text[start + 1..].find('\n').unwrap();
        text = format!("{}{}", &text[..start], &text[end..]);
    }
    let provider = sound(&text).sms.unwrap().provider;
    let SmsProvider::Template { method, headers, key, body, success, refused } = provider else { panic!() };
    assert!(success.is_match(r#"{"id": 1, "status": "accepted"}"#));
    assert!(refused.unwrap().is_match(r#"{"status":"rejected"}"#));
    assert_eq!((method.as_str(), headers.len()), ("POST", 2));
    assert_eq!(key.unwrap().reveal(), "site-sms-key");
    assert!(body.contains("{text}"));
}

#[test]
fn the_block_of_a_pdu_without_preset_works_and_each_key_also_changes_a_preset() {
    let block = uncommented(SAMPLE, "[[pdu]]", "switch_headers = ");
    let config = sound(&block);
    let driver = &config.pdus[6].driver;
    let PduDriver::HttpJson(dialect) = driver else { panic!("not JSON") };
    assert_eq!(dialect.on, [serde_json::json!("ON")]);
    assert_eq!(dialect.switch_off.body, Some(serde_json::json!({"state": "OFF"})));
    assert_eq!(config.pdus[6].outlets.len(), 17);
    assert_eq!(
        &sound(&block.replace("name = \"pdu-g\"\n", "name = \"pdu-g\"\npreset = \"digital-shovel\"\n")).pdus[6].driver,
        driver
    );
}

#[test]
fn the_blocks_of_a_pdu_with_a_login_and_of_one_with_redfish_work() {
    let block = uncommented(SAMPLE, "More of the same", "switch_ok_value = ");
    let block = block.replace("name = \"pdu-h\"\n", "name = \"pdu-h\"\nuser = \"u\"\npassword = \"p\"\n");
    let block = block.replace("\nMore of the same", "\n# More of the same");
    let config = sound(&block);
    let PduDriver::HttpJson(dialect) = &config.pdus[6].driver else { panic!("not JSON") };
    assert_eq!((dialect.id_offset, dialect.suspended.len(), dialect.login.is_some()), (-1, 2, true));
    assert!(config.pdus[6].derives_watts() && dialect.read.mentions("{id}") && !dialect.form);
    assert_eq!(dialect.login.as_ref().unwrap().logout.as_ref().unwrap().headers, ["X-Token: {token}"]);
    let block = uncommented(SAMPLE, "[[pdu]]\n# name = \"pdu-r\"", "redfish_total = ");
    let PduDriver::Redfish(redfish) = &sound(&block).pdus[6].driver else { panic!("not Redfish") };
    assert_eq!((redfish.unit.as_deref(), redfish.whole_pdu), (Some("1"), false));
}

#[test]
fn the_password_lines_of_a_relay_board_work() {
    let board = &sound(&uncommented(SAMPLE, "user = \"none\"", "password = \"site-relay")).boards[0];
    assert_eq!(board.user.as_deref(), Some("none"));
    assert!(board.password.is_some());
}

#[test]
fn the_drill_block_works_and_its_defaults_equal_the_values_in_it() {
    let text = uncommented(SAMPLE, "[drill]", "fan = 3");
    let drill = sound(&text).drill;
    let schedule = drill.schedule.unwrap();
    assert_eq!((schedule.every.0, schedule.at.to_string(), schedule.weekdays.len()), (604_800, "10:30:00".into(), 7));
    assert_eq!(drill.outlet.unwrap().to_string(), "spdu-a outlet 1");
    assert_eq!((drill.miner.as_deref(), drill.fan), (Some("S19-001"), Some(3)));
    let whole = format!("{:?}", sound(&text));
    for entry in entries(&text).iter().filter(|e| e.path.starts_with("drill.") && e.default.is_some()) {
        assert_eq!(format!("{:?}", sound(&without(&text, entry))), whole, "{}", entry.path);
    }
    assert!(sound(SAMPLE).drill.schedule.is_none(), "off by default");
}

#[test]
fn mistakes_in_the_drill_block_are_named() {
    let text = uncommented(SAMPLE, "[drill]", "fan = 3");
    for (from, to, words) in [
        ("every = \"7 days\"", "every = \"23 hours\"", "is outside 1 d to"),
        ("at = \"10:30\"", "at = \"25:30\"", "is not a time of day"),
        ("at = \"10:30\"", "at = \"1030\"", "is not a time of day"),
        ("weekdays = [\"Mon\"", "weekdays = [\"Monday\"", "`Monday`"),
        ("outlet = \"spdu-a 1\"", "outlet = \"spdu-a 999\"", "is no outlet"),
        ("fan = 3\n", "fan = 33\n", "there is no fan 33"),
    ] {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        let found = parse(&text.replace(from, to)).err().unwrap_or_default();
        assert!(found.len() == 1 && found[0].contains(words), "{to}: {found:#?}");
    }
}
