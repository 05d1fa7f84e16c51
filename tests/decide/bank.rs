//! A bank of outlets: only where one is configured, off only, in words of its own.

use minectl::config::BankConfig;
use minectl::decide::{Inputs, Quality, allowed, record};
use minectl::model::*;
use serde_json::json;

use crate::scene::{Scene, fault};

fn bank_off(pdu: &str) -> Command {
    Command::Bank { pdu: pdu.to_owned() }
}

/// A mine whose first PDU has a bank of outlets 1 to 10.
fn with_bank() -> Scene {
    let mut scene = Scene::running();
    scene.cfg.pdus[0].bank = Some(BankConfig {
        method: "PATCH".to_owned(),
        path: "/groups/miners".to_owned(),
        body: json!({"control_action": "off"}),
        outlets: (1..=10).map(|id| id.to_string()).collect(),
    });
    scene
}

fn sent(scene: &Scene, commands: &[Command]) -> Vec<Command> {
    let inputs = Inputs {
        probes: Default::default(),
        intake: Quality::Bad("not asked".to_owned()),
        humidity: Default::default(),
        switches: Default::default(),
        relays: Default::default(),
        fan_watts: Default::default(),
        pdus: Default::default(),
    };
    allowed(&scene.cfg, &scene.state, &inputs, &scene.snapshot(), &scene.now, commands.to_vec()).0
}

#[test]
fn a_bank_may_be_switched_off_where_one_is_configured_and_nowhere_else() {
    let mut scene = with_bank();
    let all = ["spdu-a", "spdu-b", "spdu-z"].map(bank_off);
    assert_eq!(sent(&scene, &all), [bank_off("spdu-a")]);
    scene.cfg.pdus[0].outlets.retain(|id| id != "10");
    assert_eq!(sent(&scene, &all), [], "its outlet 10 is not listed");
}

#[test]
fn a_bank_leads_towards_safety_and_may_be_switched_off_before_anything_is_remembered() {
    let mut scene = with_bank();
    assert!(bank_off("spdu-a").is_safe() && !bank_off("spdu-a").starts_miners());
    scene.state = SiteState::boot(scene.now);
    assert_eq!(sent(&scene, &[bank_off("spdu-a")]), [bank_off("spdu-a")]);
}

#[test]
fn what_came_of_a_bank_is_told_in_its_own_words() {
    let mut scene = with_bank();
    assert_eq!(bank_off("spdu-a").to_string(), "spdu-a bank off");
    let outcome = |result| vec![Outcome { command: bank_off("spdu-a"), result }];
    let told =
        |events: Vec<Event>| events.into_iter().map(|e| format!("{}: {}", e.subject, e.text)).collect::<Vec<_>>();
    let events = record(&mut scene.state, &outcome(Ok(Reply::Confirmed)), &scene.now);
    assert_eq!(told(events), ["spdu-a: bank off: confirmed"]);
    let events = record(&mut scene.state, &outcome(Err(fault("spdu-a"))), &scene.now);
    let told = told(events);
    assert!(told[0].starts_with("spdu-a: bank off: failed: spdu-a"), "{told:?}");
}
