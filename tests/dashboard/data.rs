//! What programs read: `status.json`, `metrics.prom`, and the terminal's page.

use std::collections::BTreeSet;

use minectl::commands::status::status;
use minectl::dashboard::{self, Status};
use regex::Regex;
use serde_json::Value;

use crate::fixture::{self, Site};

fn json(site: &Site) -> Value {
    serde_json::from_str(&dashboard::json(&Status::new(&site.input())).unwrap()).unwrap()
}

fn metrics(site: &Site) -> String {
    dashboard::metrics(&Status::new(&site.input()))
}

fn terminal(site: &Site, colour: bool, width: usize) -> String {
    let mut out = Vec::new();
    status(&site.input(), &mut out, false, colour, width).unwrap();
    String::from_utf8(out).unwrap()
}

/// All keys below a value, as paths; lists count once.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}.{key}");
                found.insert(path.clone());
                keys(value, &path, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|v| keys(v, &format!("{path}[]"), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_keys_of_status_json_are_only_added_to() {
    let mut found = BTreeSet::new();
    for (_, site) in fixture::all() {
        keys(&json(&site), "", &mut found);
    }
    insta::assert_snapshot!("status_keys", found.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_value_has_unit_and_age_or_is_null_with_its_problem() {
    fn check(value: &Value) -> usize {
        match value {
            Value::Object(map) if map.contains_key("quality") => {
                assert!(map["unit"].is_string() && map["text"].is_string());
                if map["value"].is_null() {
                    assert!(map["problem"].is_string() && map["quality"] == "bad", "{value}");
                } else {
                    assert!(map["age_s"].is_u64(), "{value}");
                    assert_eq!(map["problem"].is_null(), map["quality"] == "good", "{value}");
                }
                1
            }
            Value::Object(map) => map.values().map(check).sum(),
            Value::Array(list) => list.iter().map(check).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
    for (name, site) in fixture::all() {
        assert!(check(&json(&site)) > 20, "{name}");
    }
}

#[test]
fn headline_and_worry_of_each_state_are_in_the_json() {
    let s = json(&fixture::mining());
    assert_eq!(s["headline"], "Mining, 812 kW, curtailment clear for 3 d 4 h");
    assert_eq!((&s["worry"]["level"], &s["state"]), (&"ok".into(), &"mining".into()));
    let s = json(&fixture::curtailed());
    assert_eq!(s["headline"], "Curtailed, 6.1 kW, proven off 94 s after the signal");
    let s = json(&fixture::curtailing());
    assert_eq!(s["headline"], "Curtailing by Foreman for 40 s, 512 kW still drawn");
    let s = json(&fixture::resuming());
    assert_eq!(s["headline"], "Resuming, group 2 of 4, 318 kW");
    let s = json(&fixture::broken());
    assert_eq!(s["worry"]["level"], "emergency");
    assert_eq!(json(&fixture::boot())["demand"]["may_run"], false, "nothing was judged yet");
}

#[test]
fn a_reading_counts_up_to_its_age_limit_and_not_beyond() {
    let mut site = fixture::broken();
    let mut seen = |seconds| {
        site.state.climate.probes.get_mut("intake-east").unwrap().at = fixture::at(seconds);
        json(&site)["climate"]["probes"][1]["temperature"]["quality"].clone()
    };
    assert_eq!(seen(240), "held");
    assert_eq!(seen(241), "bad");
}

#[test]
fn an_override_is_shown_until_its_end_and_not_after() {
    let mut site = fixture::broken();
    let shown = |site: &Site| json(site)["overrides"].as_array().unwrap().len();
    assert_eq!(shown(&site), 2);
    site.overrides[0].since = fixture::at(3599);
    assert_eq!(shown(&site), 2);
    site.overrides[0].since = fixture::at(3600);
    assert_eq!(shown(&site), 1);
    assert!(json(&site)["fans"][8]["held"].is_null());
}

#[test]
fn metrics_have_the_text_formats_shape() {
    let name = Regex::new(r"^minectl_[a-z0-9_]+$").unwrap();
    let series = Regex::new(
        r#"^(minectl_[a-z0-9_]+)(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?[0-9.]+$"#,
    )
    .unwrap();
    for (state, site) in fixture::all() {
        let text = metrics(&site);
        assert!(text.ends_with('\n'));
        let (mut families, mut unique, mut family) = (BTreeSet::new(), BTreeSet::new(), String::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                family = rest.split(' ').next().unwrap().to_owned();
                assert!(name.is_match(&family), "{family}");
                assert!(families.insert(family.clone()), "{state}: {family} twice");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (of, kind) = rest.split_once(' ').unwrap();
                assert_eq!(of, family);
                assert_eq!(kind, if family.ends_with("_total") { "counter" } else { "gauge" });
            } else {
                let found = series.captures(line).unwrap_or_else(|| panic!("{state}: {line}"));
                assert_eq!(&found[1], family);
                let key = line.rsplit_once(' ').unwrap().0.to_owned();
                assert!(unique.insert(key), "{state}: {line} twice");
            }
        }
    }
}

#[test]
fn metrics_of_the_mine_running_are_as_before() {
    insta::assert_snapshot!("mining_metrics", metrics(&fixture::mining()));
}

#[test]
fn a_missing_reading_is_a_missing_series() {
    let running = metrics(&fixture::mining());
    assert!(running.contains("minectl_temperature_celsius{probe=\"intake-west\",role=\"intake\"} 24.6\n"));
    assert!(running.contains("minectl_power_watts{pdu=\"pdu-a\"} "));
    let broken = metrics(&fixture::broken());
    assert!(!broken.contains("minectl_temperature_celsius"), "held and hand-set values are no measurements");
    assert!(!broken.contains("minectl_power_watts{pdu=\"pdu-a\"}") && broken.contains("{pdu=\"pdu-b\"}"));
    assert!(!broken.contains("minectl_fan_running{fan=\"1\"}"));
    assert!(!broken.contains("minectl_miners_power_watts"));
    assert!(!metrics(&fixture::boot()).contains("minectl_curtail "), "nothing was judged yet");
}

#[test]
fn the_terminal_page_is_as_before_and_fits_its_width() {
    insta::assert_snapshot!("terminal_wide", terminal(&fixture::mining(), false, 100));
    insta::assert_snapshot!("terminal_narrow", terminal(&fixture::broken(), false, 50));
    for (name, site) in fixture::all() {
        for width in [40, 50, 80, 120] {
            for line in terminal(&site, false, width).lines() {
                assert!(line.chars().count() <= width, "{name} at {width}: {line}");
                assert_eq!(line, line.trim_end(), "{name} at {width}");
            }
        }
    }
}

#[test]
fn the_terminal_page_has_colours_only_where_asked_for() {
    for (name, site) in fixture::all() {
        assert!(!terminal(&site, false, 80).contains('\u{1b}'), "{name}");
        assert!(terminal(&site, true, 80).contains("\u{1b}["), "{name}");
    }
}

#[test]
fn status_json_is_written_by_the_command_as_it_is_in_the_file() {
    let site = fixture::curtailed();
    let mut out = Vec::new();
    status(&site.input(), &mut out, true, true, 80).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), dashboard::json(&Status::new(&site.input())).unwrap());
}
