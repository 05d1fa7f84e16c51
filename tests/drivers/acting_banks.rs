//! `act` on a bank of outlets: one request, read back outlet by outlet.

use std::sync::{Arc, Mutex};

use minectl::config::{BankConfig, Config};
use minectl::model::{Command, FaultKind, OutletRef, Reply};
use serde_json::json;

use crate::acting::{LIMIT, act_within, results};
use crate::config::{nowhere, pdu};
use crate::server::{Act, Server};

const BANK: &str = "PATCH /groups/miners";

fn off() -> Command {
    Command::Bank { pdu: "spdu-a".to_owned() }
}

/// A PDU with outlets 1 to 3, all on, and a bank of them. `answer` is what it says to the bank's request; the outlets in
/// `stuck` stay on, those in `lost` show no state.
fn with_bank(answer: Act, stuck: &'static [usize], lost: &'static [usize]) -> (Server, Config) {
    let on = Arc::new(Mutex::new([true; 3]));
    let server = Server::by(move |request| {
        let mut on = on.lock().unwrap();
        if request.starts_with("PATCH /groups/miners ") {
            assert!(request.to_ascii_lowercase().contains("authorization: jwt site-spdu-token"), "{request}");
            assert!(request.ends_with(r#"{"control_action":"off"}"#), "{request}");
            for outlet in (1..=3).filter(|outlet| !stuck.contains(outlet)) {
                on[outlet - 1] = false;
            }
            return answer.clone();
        }
        if request.starts_with("PUT ") {
            let id: usize = request.split_whitespace().nth(1).unwrap().rsplit('/').next().unwrap().parse().unwrap();
            on[id - 1] = false;
            return Act::answer(204, "", "");
        }
        let row = |id: usize| {
            let status = if lost.contains(&id) { json!(null) } else { json!(on[id - 1]) };
            json!({"id": id, "status": status, "curCons": 0, "updateTime": "2026-11-22T20:13:15Z"})
        };
        Act::json(json!([row(1), row(2), row(3)]).to_string())
    });
    let mut cfg = nowhere();
    cfg.pdus = vec![pdu("spdu-a", &server.url, &["1", "2", "3"])];
    cfg.pdus[0].bank = Some(BankConfig {
        method: "PATCH".to_owned(),
        path: "/groups/miners".to_owned(),
        body: json!({"control_action": "off"}),
        outlets: ["1", "2", "3"].map(str::to_owned).to_vec(),
    });
    (server, cfg)
}

fn done() -> Act {
    Act::answer(204, "", "")
}

#[test]
fn a_bank_is_switched_off_by_one_request_and_read_back_once() {
    let (server, cfg) = with_bank(done(), &[], &[]);
    assert_eq!(results(act_within(&cfg, LIMIT, &[off()])), [Ok(Reply::Confirmed)]);
    assert_eq!(server.lines(), [BANK, "GET /api/miners/"]);
}

#[test]
fn a_bank_of_which_an_outlet_is_still_on_is_not_obeyed_and_the_outlets_are_named() {
    let (_server, cfg) = with_bank(done(), &[1, 3], &[2]);
    let outcomes = act_within(&cfg, LIMIT, &[off()]);
    assert_eq!(outcomes[0].result.as_ref().unwrap_err().device, "spdu-a bank");
    let text = "asked for off, 2 of 3 outlets still read on: 1, 3".to_owned();
    assert_eq!(results(outcomes), [Err((FaultKind::NotObeyed, text))]);
}

#[test]
fn a_bank_of_which_an_outlet_cannot_be_read_back_is_not_confirmed() {
    let (_server, cfg) = with_bank(done(), &[], &[2]);
    let text = "command was taken, but 1 of 3 outlets could not be read back: 2".to_owned();
    assert_eq!(results(act_within(&cfg, LIMIT, &[off()])), [Err((FaultKind::Missing, text))]);
}

#[test]
fn a_refused_bank_is_a_fault_and_a_lost_reply_is_settled_by_reading() {
    let (_server, cfg) = with_bank(Act::answer(404, "", r#"{"detail":"Not found."}"#), &[1, 2, 3], &[]);
    let fault = act_within(&cfg, LIMIT, &[off()])[0].result.clone().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Status);
    assert!(fault.detail.contains("404"), "{fault}");
    let (_server, cfg) = with_bank(Act::Close, &[], &[]);
    assert_eq!(results(act_within(&cfg, LIMIT, &[off()])), [Ok(Reply::Confirmed)]);
    let (_server, cfg) = with_bank(Act::Close, &[2], &[]);
    assert!(act_within(&cfg, LIMIT, &[off()])[0].result.is_err());
}

#[test]
fn a_bank_that_is_not_configured_or_contains_an_unlisted_outlet_is_never_switched() {
    let (server, mut cfg) = with_bank(done(), &[], &[]);
    cfg.pdus[0].outlets.truncate(2);
    let text = "outlet 3 is not in this PDU's `outlets`: refused".to_owned();
    assert_eq!(results(act_within(&cfg, LIMIT, &[off()])), [Err((FaultKind::Missing, text))]);
    cfg.pdus[0].bank = None;
    let text = "no bank is configured for this PDU: refused".to_owned();
    assert_eq!(results(act_within(&cfg, LIMIT, &[off()])), [Err((FaultKind::Missing, text))]);
    assert!(server.requests().is_empty());
}

#[test]
fn bank_and_outlets_of_one_pdu_share_the_reading_afterwards() {
    let (server, cfg) = with_bank(done(), &[2], &[]);
    let outlet = OutletRef { pdu: "spdu-a".to_owned(), outlet: "2".to_owned() };
    let outcomes = act_within(&cfg, LIMIT, &[off(), Command::Outlet { outlet, on: false }]);
    assert_eq!(results(outcomes), [Ok(Reply::Confirmed), Ok(Reply::Confirmed)]);
    assert_eq!(server.lines(), [BANK, "PUT /api/miners/2", "GET /api/miners/"]);
}
