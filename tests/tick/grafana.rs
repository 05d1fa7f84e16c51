//! The Grafana dashboard: each of its queries names metrics and labels that runs really write, and it is whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use regex::Regex;
use serde_json::{Value, json};

use crate::mine::{Mine, state};

const DASHBOARD: &str = include_str!("../../packaging/grafana-dashboard.json");
/// What Prometheus itself adds to each series.
const OF_THE_SCRAPE: [&str; 2] = ["instance", "job"];
/// Words of the query language, and the functions in use.
const WORDS: [&str; 9] = ["by", "on", "group_left", "bool", "sum", "max", "time", "increase", "label_values"];
/// Kinds of panels that Grafana has without a plugin.
const KINDS: [&str; 6] = ["row", "stat", "timeseries", "state-timeline", "bargauge", "table"];
/// Columns of a dashboard.
const COLUMNS: i64 = 24;

type Labels = BTreeMap<String, BTreeSet<String>>;

/// The metrics of a drawn file with their labels, into `known`.
fn collect(text: &str, known: &mut Labels) {
    let label = Regex::new(r#"([a-z_]+)=""#).unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
        let labels = known.entry(name.to_owned()).or_default();
        labels.extend(label.captures_iter(rest).map(|found| found[1].to_owned()));
    }
}

/// What runs write in all states of a mine: mining, a device that fails, called, off.
fn written() -> Labels {
    let mine = Mine::start(60.0, |text| text);
    let metrics = || std::fs::read_to_string(mine.data().parent().unwrap().join("page/metrics.prom")).unwrap();
    let mut known = Labels::new();
    mine.tick().silent();
    collect(&metrics(), &mut known);
    mine.set(json!({"signal_number": 342, "switch": {"Smoke": 1}}));
    mine.tick_until("off", Duration::from_secs(90), |status| state(status) == "off");
    collect(&metrics(), &mut known);
    known
}

fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).unwrap()
}

/// Each query of the dashboard with the legend it is shown by: panels and variables.
fn queries() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            all.push((text(&target["expr"]), text(&target["legendFormat"])));
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if variable["type"] == "query" {
            all.push((text(&variable["definition"]), String::new()));
            assert_eq!(variable["definition"], variable["query"]["query"], "two texts of one query");
        }
    }
    all
}

/// What a query names that is not written: metrics, and labels of them.
fn unknown(query: &str, legend: &str, known: &Labels) -> Vec<String> {
    let strings = Regex::new(r#""[^"]*""#).unwrap().replace_all(query, "").into_owned();
    let spans = Regex::new(r"\[[0-9a-z]+\]").unwrap().replace_all(&strings, "").into_owned();
    let mut wrong = Vec::new();
    let mut rest = spans.clone();
    let mut of_query: BTreeSet<String> = OF_THE_SCRAPE.iter().map(|label| (*label).to_owned()).collect();
    // A metric with its matchers.
    let selector = Regex::new(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}").unwrap();
    let name = Regex::new(r"[a-zA-Z_:][a-zA-Z0-9_:]*").unwrap();
    for found in selector.captures_iter(&spans) {
        let labels = known.get(&found[1]).cloned().unwrap_or_default();
        for label in name.find_iter(&found[2]).map(|label| label.as_str()) {
            if !labels.contains(label) && !OF_THE_SCRAPE.contains(&label) {
                wrong.push(format!("`{}` has no label `{label}`: {query}", &found[1]));
            }
        }
    }
    rest = selector.replace_all(&rest, "$1").into_owned();
    // Lists of labels are told from metrics by the word before them; the last argument of `label_values` is a label too.
    let lists = Regex::new(r"(?:by|on|group_left) \(([^)]*)\)|, ?([a-z_]+)\)$").unwrap();
    let listed: Vec<String> = lists
        .captures_iter(&rest)
        .flat_map(|found| {
            let list = found.get(1).or(found.get(2)).unwrap().as_str().to_owned();
            list.split(", ").map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    rest = lists.replace_all(&rest, "").into_owned();
    for metric in name.find_iter(&rest).map(|metric| metric.as_str()).filter(|metric| !WORDS.contains(metric)) {
        match known.get(metric) {
            Some(labels) => of_query.extend(labels.iter().cloned()),
            None => wrong.push(format!("no run writes `{metric}`: {query}")),
        }
    }
    let shown = Regex::new(r"\{\{([a-z_]+)\}\}").unwrap();
    let shown = shown.captures_iter(legend).map(|found| found[1].to_owned());
    for label in listed.into_iter().chain(shown).filter(|label| !of_query.contains(label)) {
        wrong.push(format!("nothing in the query has a label `{label}`: {query} {legend}"));
    }
    wrong
}

#[test]
fn every_query_of_the_grafana_dashboard_names_metrics_and_labels_that_runs_write() {
    let known = written();
    let queries = queries();
    assert!(queries.len() > 35, "only {} queries: the search is broken", queries.len());
    let wrong: Vec<String> = queries.iter().flat_map(|(query, legend)| unknown(query, legend, &known)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let seen = |metric: &String| queries.iter().any(|(query, _)| query.contains(metric.as_str()));
    let unseen: Vec<&String> = known.keys().filter(|metric| !seen(metric)).collect();
    assert!(unseen.len() < known.len() / 2, "most of what is written is not shown: {unseen:?}");
    // The search sees what is wrong.
    for (query, legend) in [
        ("minectl_no_such_metric", ""),
        ("sum by (severity) (minectl_no_such_metric{instance=~\"$instance\"})", ""),
        ("minectl_alarms{colour=\"red\"}", ""),
        ("sum by (colour) (minectl_alarms)", ""),
        ("minectl_alarms", "{{colour}}"),
        ("label_values(minectl_info, colour)", ""),
        ("minectl_worry_level * on (instance) group_left (colour) minectl_info", ""),
    ] {
        assert!(!unknown(query, legend, &known).is_empty(), "{query} {legend}");
    }
}

#[test]
fn the_grafana_dashboard_is_whole() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36 && dashboard["id"].is_null());
    assert!(!dashboard["title"].as_str().unwrap().is_empty() && dashboard["uid"].as_str().unwrap().len() <= 40);
    let names: Vec<&str> =
        dashboard["templating"]["list"].as_array().unwrap().iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "site", "instance"]);
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeMap::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is taken");
        let kind = panel["type"].as_str().unwrap();
        assert!(KINDS.contains(&kind), "{title}: {kind}");
        let place = |key: &str| panel["gridPos"][key].as_i64().unwrap();
        let (x, y, w, h) = (place("x"), place("y"), place("w"), place("h"));
        assert!(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= COLUMNS, "{title}: outside");
        for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line))) {
            if let Some(other) = taken.insert(cell, title) {
                panic!("{title} lies over {other}");
            }
        }
        if kind == "row" {
            continue;
        }
        assert!(!panel["description"].as_str().unwrap().is_empty(), "{title}: says nothing about itself");
        let targets = panel["targets"].as_array().unwrap();
        let letters: BTreeSet<&str> = targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
        assert!(!targets.is_empty() && letters.len() == targets.len(), "{title}: letters of queries");
        for place in targets.iter().chain([panel]) {
            assert_eq!(place["datasource"], json!({"type": "prometheus", "uid": "${datasource}"}), "{title}");
        }
    }
    let variables = Regex::new(r"\$\{?([a-z]+)").unwrap();
    for found in variables.captures_iter(DASHBOARD) {
        assert!(names.contains(&&found[1]), "there is no variable {}", &found[1]);
    }
}
