//! Drills and the days since a proven curtailment, on the page and for programs.

use minectl::dashboard::{self, Status};
use minectl::model::*;
use minectl::units::*;
use scraper::{Html, Selector};

use crate::fixture::{self, NOW, Site, at, drills};

fn section(site: &Site) -> String {
    let page = Html::parse_document(&dashboard::page(&site.input()).unwrap());
    let selector = Selector::parse("#drill").unwrap();
    let found: String = page.select(&selector).flat_map(|e| e.text()).collect();
    found.replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn metrics(site: &Site) -> String {
    dashboard::metrics(&Status::new(&site.input()))
}

#[test]
fn the_page_shows_the_certificate_check_by_check() {
    let text = section(&fixture::mining());
    assert!(text.contains("Drill of 19 Nov 10:30, 6 min 52 s, ordered by schedule: passed"), "{text}");
    assert!(text.contains("Miner off by Foreman passed 1 min 14 s 25 W at pdu-a outlet 1"), "{text}");
    let text = section(&fixture::broken());
    assert!(text.contains(": failed Miner off by Foreman"), "{text}");
    assert!(text.contains("Miner off by Foreman FAILED – not within 2 min"), "{text}");
}

#[test]
fn days_count_from_the_last_call_that_was_proven_by_our_commands_and_measured_watts() {
    let mut site = fixture::mining();
    site.calls.clear();
    assert!(section(&site).contains("No curtailment was proven yet"), "{}", section(&site));
    assert!(!metrics(&site).contains("minectl_last_proven_curtailment"), "never 0");
    let ago = |days: u64| at(days * 86_400);
    site.state.drill.call_proven = Some(ago(12));
    assert!(section(&site).contains("12 days since the last proven curtailment"), "{}", section(&site));
    let call = CallRecord { seen: ago(5).wall, proven_after: Some(Seconds(94)), ..crate::calls::past()[0].clone() };
    for (observe, by_hand, commanded, days) in
        [(false, false, true, 4), (true, false, true, 12), (false, true, true, 12), (false, false, false, 12)]
    {
        let first_command_after = commanded.then_some(Seconds(1));
        site.calls = vec![CallRecord { observe, watts_by_hand: by_hand, first_command_after, ..call.clone() }];
        assert_eq!(Status::new(&site.input()).drills.days_since_proven_curtailment, Some(days), "{observe} {by_hand}");
    }
    assert!(
        metrics(&site).contains(&format!("minectl_last_proven_curtailment_timestamp_seconds {}", NOW - 12 * 86_400))
    );
}

#[test]
fn programs_see_the_verdict_and_when_one_last_passed() {
    let mut site = fixture::mining();
    let ended = drills::passed().ended.0;
    let text = metrics(&site);
    assert!(text.contains(&format!("minectl_last_drill_timestamp_seconds {ended}")), "{text}");
    assert!(text.contains(&format!("minectl_last_drill_passed_timestamp_seconds {ended}")));
    assert!(text.contains("minectl_last_drill_verdict{verdict=\"passed\"} 1"));
    drills::with(&mut site, drills::failed());
    assert!(metrics(&site).contains("minectl_last_drill_verdict{verdict=\"failed\"} 1"));
    site.state.drill = DrillState::default();
    assert!(!metrics(&site).contains("minectl_last_drill"), "nothing is known of what was never made");
    assert!(section(&site).contains("No drill yet"));
}

#[test]
fn what_goes_on_and_what_is_waited_for_is_said() {
    let mut site = fixture::mining();
    site.state.drill.waits = Some("the intake is warm".into());
    assert!(section(&site).contains("A drill is due and waits: the intake is warm."), "{}", section(&site));
}
