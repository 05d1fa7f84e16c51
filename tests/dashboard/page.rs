//! The page: what it says, what it must never do, how big it gets and how long it takes.

use std::time::Instant;

use minectl::config::{Derived, PduDriver, Volts};
use minectl::dashboard;
use minectl::units::{Moment, Seconds, UnixSeconds};
use scraper::{Html, Selector};

use crate::fixture::{self, NOW, Site};

fn page(site: &Site) -> String {
    dashboard::page(&site.input()).unwrap()
}

/// What a person reads in the elements that match.
fn text(page: &str, selector: &str) -> String {
    let page = Html::parse_document(page);
    let selector = Selector::parse(selector).unwrap();
    let found = page.select(&selector).map(|e| e.text().collect::<String>());
    let joined = found.collect::<Vec<_>>().join(" | ").replace('\u{a0}', " ");
    joined.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_state_is_drawn_into_files() {
    for (name, site) in fixture::all() {
        let folder = fixture::folder(name);
        let written = dashboard::draw(&site.input(), &folder).unwrap();
        assert_eq!(written, ["index.html", "status.json", "metrics.prom"], "{name}");
        let left = std::fs::read_dir(&folder).unwrap().filter(|f| {
            let name = f.as_ref().unwrap().file_name();
            name.to_string_lossy().ends_with(".tmp")
        });
        assert_eq!(left.count(), 0, "no temporary file stays");
    }
}

#[test]
fn the_top_says_state_worry_and_why_in_words() {
    let mut seen = String::new();
    for (name, site) in fixture::all().iter().filter(|(name, _)| *name != "hostile") {
        let page = page(site);
        let told =
            [text(&page, "head > title"), text(&page, "h1"), text(&page, ".worry"), text(&page, ".causes, .also")];
        seen.push_str(&format!("{name}: {}\n", told.join(" / ")));
    }
    insta::assert_snapshot!("tops", seen);
}

#[test]
fn an_alarm_that_flaps_is_said_to_and_another_is_not() {
    let mut site = fixture::broken();
    assert!(!text(&page(&site), ".alarms").contains("flapping"));
    site.state.alarms.get_mut("signal-blind").unwrap().flapping = true;
    let alarms = text(&page(&site), ".alarms");
    assert_eq!(alarms.matches("flapping: it comes and goes").count(), 1, "{alarms}");
    let json: serde_json::Value =
        serde_json::from_str(&dashboard::json(&dashboard::Status::new(&site.input())).unwrap()).unwrap();
    let flapping =
        |id: &str| json["alarms"].as_array().unwrap().iter().find(|a| a["id"] == id).unwrap()["flapping"].clone();
    assert_eq!((flapping("signal-blind"), flapping("fan-2")), (true.into(), false.into()));
}

#[test]
fn a_page_of_the_mine_running_reads_as_before() {
    insta::assert_snapshot!(
        "mining_text",
        text(&page(&fixture::mining()), "header, main > section.now, .vitals, .calm, .cards, .box")
    );
}

#[test]
fn a_page_of_the_mine_broken_reads_as_before() {
    insta::assert_snapshot!(
        "broken_text",
        text(&page(&fixture::broken()), "header, main > section.now, .vitals, .calm, .cards, .box")
    );
}

#[test]
fn labels_from_devices_are_shown_as_text() {
    let page = page(&fixture::hostile());
    assert_eq!(page.matches("<script").count(), 1, "only our own");
    assert!(!page.contains("<b onmouseover"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}') && !page.contains('\0'));
    assert!(text(&page, ".alarms").contains("مدخل"));
    assert!(text(&page, ".alarms").contains("{{s.site}}"), "no text is read as a template");
    assert!(!page.contains(&"x".repeat(401)), "texts are cut");
    assert!(Html::parse_document(&page).select(&Selector::parse("[onmouseover]").unwrap()).next().is_none());
}

#[test]
fn no_template_switches_escaping_off() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/page")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        // Our own style and script are the only texts that go in as they are; no device has a hand in them.
        let text = text.replace("{{{style}}}", "").replace("{{{script}}}", "");
        assert!(!text.contains("{{{") && !text.contains("{{&"), "{}", path.display());
    }
}

#[test]
fn the_page_asks_no_other_host_and_allows_no_other_script() {
    for (name, site) in fixture::all() {
        let page = page(&site);
        let parsed = Html::parse_document(&page);
        for (selector, attribute) in [("[src]", "src"), ("link[href]", "href"), ("use", "href"), ("a", "href")] {
            for element in parsed.select(&Selector::parse(selector).unwrap()) {
                let target = element.value().attr(attribute).unwrap();
                let own = target.starts_with('#') || target.starts_with("data:image/svg+xml,");
                assert!(own || ["status.json", "metrics.prom"].contains(&target), "{name}: {target}");
            }
        }
        assert!(page.contains("default-src 'none'"));
        for word in ["url(", "@import", "src="] {
            assert!(!page.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn the_script_is_the_one_that_the_page_allows() {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    let page = page(&fixture::mining());
    let script = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script.as_bytes()));
    // Handlebars writes `=` as a character reference; the browser reads it back.
    let allowed = format!("script-src 'sha256-{}'", hash.replace('=', "&#x3D;"));
    assert!(page.contains(&allowed), "{allowed}");
}

#[test]
fn the_html_has_no_mistake_that_a_parser_notices() {
    for (name, site) in fixture::all() {
        let errors = Html::parse_document(&page(&site)).errors;
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn no_secret_is_on_the_page() {
    for (_, site) in fixture::all() {
        let status = dashboard::Status::new(&site.input());
        let all = page(&site) + &dashboard::json(&status).unwrap() + &dashboard::metrics(&status);
        assert!(!all.contains("never-on-the-page"));
    }
}

#[test]
fn a_missing_reading_is_said_and_never_a_zero() {
    let site = fixture::broken();
    let page = page(&site);
    assert!(text(&page, "#h-miners + .facts").contains("no reading"));
    let fans = text(&page, ".fan-power");
    assert!(fans.contains("not read") && !fans.contains("0 W"), "{fans}");
}

#[test]
fn an_empty_history_is_said_and_draws_no_chart() {
    let page = page(&fixture::boot());
    assert!(page.contains("No history yet"));
    assert!(!page.contains("<figure"));
}

#[test]
fn the_page_says_itself_that_it_is_old_from_the_second_missed_run_on() {
    let hidden = |page: &str| {
        let page = Html::parse_document(page);
        page.select(&Selector::parse(".stale").unwrap()).next().unwrap().value().attr("hidden").is_some()
    };
    let mut site = fixture::mining();
    let later = |seconds: u64| Moment {
        wall: UnixSeconds(NOW + seconds as i64),
        up: Seconds(fixture::at(0).up.0 + seconds),
        ..fixture::at(0)
    };
    // Last run 6 s before NOW, next due 109 s after it: one interval and 30 s of grace later two are missed.
    site.now = later(109 + 120 + 29);
    site.state.last_run = Some(site.now);
    assert!(hidden(&page(&site)));
    site.now = later(109 + 120 + 30);
    assert!(!hidden(&page(&site)));
    site.now = later(0);
    site.state.last_run = Some(fixture::at(269));
    assert!(hidden(&page(&site)));
    site.state.last_run = Some(fixture::at(270));
    assert!(!hidden(&page(&site)), "whatever is said to be due next");
}

#[test]
fn the_old_page_stays_when_a_new_one_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let site = fixture::mining();
    dashboard::draw(&site.input(), folder.path()).unwrap();
    let index = folder.path().join("index.html");
    assert_eq!(std::fs::metadata(&index).unwrap().permissions().mode() & 0o777, 0o644);
    let before = std::fs::read(&index).unwrap();
    // A folder in the place of the temporary file: not even root can write that.
    std::fs::create_dir(folder.path().join(".index.html.tmp")).unwrap();
    let why = dashboard::draw(&fixture::curtailed().input(), folder.path()).unwrap_err();
    assert!(why.starts_with("page: `") && why.contains("index.html") && why.ends_with("the old one stays"), "{why}");
    assert_eq!(std::fs::read(&index).unwrap(), before);
    let json = std::fs::read_to_string(folder.path().join("status.json")).unwrap();
    assert!(json.contains("\"state\": \"off\""), "the other files are new all the same");
}

#[test]
fn a_page_with_three_spans_stays_below_300_kb_however_many_series_there_are() {
    for probes in [8, 20] {
        let mut site = fixture::broken();
        site.trends = fixture::trends(probes);
        site.events = site.events.iter().cycle().take(200).cloned().collect();
        site.log = site.log.iter().cycle().take(500).cloned().collect();
        let begin = Instant::now();
        let page = page(&site);
        let took = begin.elapsed();
        println!("page of {} series: {} bytes in {took:?}", site.trends.day.series.len(), page.len());
        assert!(page.len() < 300_000, "{probes} probes: {}", page.len());
    }
}

/// How many elements match.
fn number(page: &str, selector: &str) -> usize {
    Html::parse_document(page).select(&Selector::parse(selector).unwrap()).count()
}

#[test]
fn each_chart_has_three_spans_that_can_be_chosen_without_a_script() {
    let page = page(&fixture::mining());
    assert_eq!(number(&page, ".chart"), 9);
    for id in ["day", "week", "month"] {
        assert_eq!(number(&page, &format!("input#span-{id}[type=radio] + label[for=span-{id}]")), 1);
        assert_eq!(number(&page, &format!(".chart .plot.in-{id} svg path.l1")), 9, "{id}");
    }
    assert_eq!(number(&page, ".pick[name=span][checked]#span-day"), 1);
    assert_eq!(
        text(&page, ".pick + label").split(" | ").take(3).collect::<Vec<_>>(),
        ["24 hours", "7 days", "30 days"]
    );
}

#[test]
fn a_span_of_which_nothing_is_kept_says_so_and_the_others_are_drawn() {
    let mut site = fixture::mining();
    site.trends.month = minectl::model::History::default();
    let page = page(&site);
    assert_eq!((number(&page, ".plot.in-month svg"), number(&page, ".plot.in-week svg")), (0, 9));
    assert!(text(&page, ".plot.in-month").contains("Nothing kept for this time"));
}

#[test]
fn a_chart_is_told_with_the_values_that_its_path_has() {
    let page = page(&fixture::mining());
    let parsed = Html::parse_document(&page);
    let found = |selector: &str| parsed.select(&Selector::parse(selector).unwrap()).next().unwrap();
    let plot = found("#chart-power .plot.in-day").value();
    let top: f64 = plot.attr("data-max").unwrap().parse().unwrap();
    assert_eq!(plot.attr("data-decimals"), Some("0"), "kilowatts of a megawatt have no fraction");
    let path = found("#chart-power .plot.in-day .l1").value().attr("d").unwrap();
    let start: f64 = path.split(['M', ' ', 'l']).nth(2).unwrap().parse().unwrap();
    assert!((top - start - 812.0).abs() < 10.0, "{path:.40}");
}

#[test]
fn a_blind_signal_is_shown_as_blind_and_not_with_its_last_number() {
    let signal = |site: &Site| text(&page(site), ".vital:nth-child(2)");
    assert!(signal(&fixture::mining()).starts_with("Power signal 238.4 MW"));
    let blind = signal(&fixture::broken());
    assert!(blind.starts_with("Power signal blind last 301.7 MW, read 11 min 10 s ago"), "{blind}");
}

#[test]
fn a_signal_that_failed_in_this_run_is_marked_as_held() {
    let mut site = fixture::broken();
    site.state.signal.level = minectl::model::Level::Run;
    assert_eq!(number(&page(&site), ".vital.q-held:nth-child(2)"), 1);
    assert_eq!(number(&page(&fixture::mining()), ".vital.q-held:nth-child(2)"), 0);
}

#[test]
fn fewer_fans_than_wanted_are_marked_and_enough_are_not() {
    let mut site = fixture::mining();
    let fans = |site: &Site| number(&page(site), ".vital.q-good:nth-child(4)");
    assert_eq!(fans(&site), 1);
    site.state.fans.get_mut(&8).unwrap().wanted = true;
    assert_eq!(fans(&site), 0, "8 wanted, 7 proven");
}

#[test]
fn no_alarm_and_no_override_is_one_line_and_any_of_them_is_a_list() {
    let mut site = fixture::mining();
    assert_eq!(text(&page(&site), "#alarms"), "No alarm stands, and nothing is set by hand.");
    site.lost = vec!["store: repaired".into()];
    assert_eq!(number(&page(&site), ".calm"), 0);
    assert!(text(&page(&site), "#alarms").contains("store: repaired"));
}

#[test]
fn events_can_be_chosen_by_kind_without_a_script() {
    let page = page(&fixture::mining());
    for (group, kinds) in [("actions", 2), ("troubles", 2), ("changes", 5), ("people", 0)] {
        assert_eq!(number(&page, &format!("#show-{group}")), 1);
        assert_eq!(number(&page, &format!(".events .is-{group}")), kinds, "{group}");
    }
}

#[test]
fn times_are_the_sites_and_temperatures_in_the_configured_unit() {
    let mut site = fixture::mining();
    let fahrenheit = page(&site);
    assert!(text(&fahrenheit, ".age-static").contains("Sun 22 Nov 2026, 12:02:11 -06:00"));
    assert!(text(&fahrenheit, ".room.intake").contains("77.2 °F"));
    site.cfg.temperature_unit = minectl::config::TemperatureUnit::Celsius;
    site.cfg.time_zone = "Europe/Berlin".into();
    let celsius = page(&site);
    assert!(text(&celsius, ".age-static").contains("19:02:11 +01:00"));
    assert!(text(&celsius, ".room.intake").contains("25.1 °C"));
    assert!(!text(&celsius, "#h-climate ~ *, .chart, .box").contains("°F"));
    assert!(text(&celsius, ".chart h3").contains("Temperature °C"));
}

#[test]
fn a_pdu_whose_watts_are_amps_times_volts_says_so() {
    let told = "its watts are amps times volts, not measured";
    let mut site = fixture::mining();
    assert!(!text(&page(&site), "body").contains(told));
    let PduDriver::HttpJson(dialect) = &mut site.cfg.pdus[0].driver else { panic!("it speaks Redfish") };
    dialect.watts = None;
    dialect.derived =
        Some(Derived { amps: "/amps".to_owned(), amps_scale: 1.0, volts: Volts::Fixed(240.0), power_factor: 1.0 });
    assert_eq!(text(&page(&site), "body").matches(told).count(), 1);
}
