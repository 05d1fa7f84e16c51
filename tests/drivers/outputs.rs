//! Relay boards, PDUs and Foreman: what their answers say, and what is refused.

use minectl::config::MinerChoice;
use minectl::drivers::parse;
use minectl::model::{CommandStatus, FaultKind, PowerMode};
use minectl::units::{Seconds, UnixSeconds, Watts};
use serde_json::{Value, json};

use crate::config::{NOWHERE, foreman, pdu};
use crate::fixture::{NOW, text, value};

#[test]
fn boards_are_read_in_both_families() {
    let json = parse::relays(&text("controlbyweb/x-400.json"), "b").unwrap();
    assert_eq!(json.relays.into_iter().collect::<Vec<_>>(), [(1, Ok(false)), (2, Ok(true)), (3, Ok(false))]);
    assert_eq!(json.serial.as_deref(), Some("00:0C:C8:05:3E:11"));
    let wr10 = parse::relays(&text("controlbyweb/x-wr-10r12.xml"), "b").unwrap();
    assert_eq!(wr10.relays.into_iter().collect::<Vec<_>>(), [(1, Ok(false)), (2, Ok(true)), (3, Ok(false))]);
    assert_eq!(wr10.serial.as_deref(), Some("WR10-0417"));
    let quad = parse::relays(&text("controlbyweb/quad_padded.xml"), "b").unwrap();
    let coils: Vec<bool> = quad.relays.into_values().map(Result::unwrap).collect();
    assert_eq!(coils, [true, false, true, false]);
    assert_eq!(quad.serial, None);
}

#[test]
fn error_texts_with_status_200_and_foreign_answers_are_refused() {
    let refuse = |body: &str| parse::relays(body, "b").unwrap_err().kind;
    assert_eq!(refuse("404 Error"), FaultKind::WrongDevice);
    assert_eq!(refuse("401 Error"), FaultKind::Refused);
    assert_eq!(refuse("401 Authorization Required"), FaultKind::Refused);
    assert_eq!(refuse("<html><h1>401 Authorization Required</h1></html>"), FaultKind::Refused);
    assert_eq!(refuse("<html><head><title>Error</title><body>404 Error<br></html>"), FaultKind::WrongDevice);
    assert_eq!(refuse("<!DOCTYPE html><html><body>Welcome<br></body></html>"), FaultKind::Unreadable);
    assert_eq!(refuse("<form><input type=\"password\">Log in</form>"), FaultKind::Refused);
    assert_eq!(refuse(""), FaultKind::Unreadable);
    assert_eq!(refuse("\0\0"), FaultKind::Unreadable);
    assert_eq!(refuse("hello"), FaultKind::Unreadable);
    assert_eq!(parse::relays("{\"vin\":\"24\"}", "b").unwrap_err().kind, FaultKind::WrongDevice);
    assert_eq!(parse::relays("<data><units>F</units></data>", "b").unwrap_err().kind, FaultKind::WrongDevice);
    assert_eq!(parse::relays("<datavalues><relay1state>0</rel", "b").unwrap_err().kind, FaultKind::Unreadable);
    let odd = parse::relays(r#"{"relay1":"2","relay2":0,"relay":"1","relay999":"1","relayX":"1"}"#, "b").unwrap();
    assert_eq!(odd.relays.into_iter().collect::<Vec<_>>(), [(1, Err("`2`".to_owned())), (2, Ok(false))]);
}

#[test]
fn a_smart_pdu_is_read_with_sum_age_and_remark_of_the_listed_outlets_only() {
    let now = UnixSeconds(1_795_378_400);
    let read = parse::pdu(&value("pdu/digital_shovel_2021.json"), &pdu("spdu-a", NOWHERE, &["1", "2"]), now).unwrap();
    let total = read.total.clone().unwrap();
    assert_eq!((total.value.value(), total.age), (6599.5, Seconds(10)), "as old as the oldest of its parts");
    assert_eq!(read.outlets["1"].watts.clone().unwrap().age, Seconds(5));
    assert_eq!(read.newest, Some(UnixSeconds(1_795_378_395)));
    assert_eq!(read.outlets.keys().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(
        read.remarks,
        ["the PDU's own auto-reset is on for outlet 2: it may switch a sleeping miner; turn it off in the PDU"]
    );
}

#[test]
fn a_listed_outlet_without_watts_makes_the_sum_a_fault() {
    let cfg = pdu("spdu-a", NOWHERE, &["1", "2", "9"]);
    let read = |change: fn(&mut Value)| {
        let mut answer = value("pdu/digital_shovel_2021.json");
        change(&mut answer);
        parse::pdu(&answer, &cfg, NOW).unwrap()
    };
    let missing = read(|_| ());
    assert_eq!(missing.outlets["9"].on.clone().unwrap_err().kind, FaultKind::Missing);
    let total = missing.total.unwrap_err();
    assert_eq!(total.detail, "no sum: no watts of outlet 9 (the PDU shows no outlet 9 (3 outlets))");
    for (change, kind) in [
        ((|a| a[0]["curCons"] = json!(-1)) as fn(&mut Value), FaultKind::OutOfRange),
        (|a| a[0]["curCons"] = json!(50_000.5), FaultKind::OutOfRange),
        (|a| a[0]["curCons"] = json!("lots"), FaultKind::Unreadable),
        (|a| a[0]["curCons"] = Value::Null, FaultKind::Missing),
        (|a| drop(a[0].as_object_mut().unwrap().remove("curCons")), FaultKind::Missing),
        (|a| a[0]["updateTime"] = json!("yesterday"), FaultKind::Unreadable),
    ] {
        assert_eq!(read(change).outlets["1"].watts.clone().unwrap_err().kind, kind);
    }
    assert!(read(|a| a[0]["curCons"] = json!(50_000)).outlets["1"].watts.is_ok());
    let state = read(|a| a[0]["status"] = json!("maybe")).outlets["1"].on.clone().unwrap_err();
    assert_eq!(state.detail, "state is `maybe`; known are true and false");
}

#[test]
fn other_pdus_are_read_by_their_pointers() {
    let mut netio = pdu("netio", NOWHERE, &["1", "2"]);
    let dialect = crate::config::dialect(&mut netio);
    dialect.items = "/Outputs".to_owned();
    dialect.id = "/ID".to_owned();
    dialect.state = "/State".to_owned();
    (dialect.on, dialect.off) = (vec![json!(1)], vec![json!(0.0)]);
    dialect.watts = Some("/Load".to_owned());
    dialect.updated = None;
    dialect.total_watts = Some("/GlobalMeasure/TotalLoad".to_owned());
    let read = parse::pdu(&value("pdu/netio_3.4.json"), &netio, NOW).unwrap();
    assert_eq!(read.total.unwrap().value.value(), 486.0);
    assert_eq!((read.outlets["1"].on.clone(), read.outlets["2"].on.clone()), (Ok(true), Ok(false)));
    assert_eq!(read.outlets["2"].watts.clone().unwrap_err().kind, FaultKind::Missing, "unmetered is not 0 W");

    let mut keyed = pdu("geist", NOWHERE, &["0", "1"]);
    let dialect = crate::config::dialect(&mut keyed);
    dialect.items = "/data/outlet".to_owned();
    dialect.id = "@key".to_owned();
    dialect.state = "/state".to_owned();
    (dialect.on, dialect.off) = (vec![json!("on")], vec![json!("off")]);
    dialect.watts = Some("/measurement/0/value".to_owned());
    dialect.watts_scale = 1000.0;
    dialect.updated = None;
    let read = parse::pdu(&value("pdu/keyed_strings.json"), &keyed, NOW).unwrap();
    assert_eq!(read.total.unwrap().value.value(), 23_000.0);

    let mut bare = pdu("dli", NOWHERE, &["0", "1"]);
    let dialect = crate::config::dialect(&mut bare);
    dialect.id = "@index".to_owned();
    dialect.state = String::new();
    dialect.watts = None;
    dialect.updated = None;
    let read = parse::pdu(&json!([true, false]), &bare, NOW).unwrap();
    assert_eq!((read.outlets["0"].on.clone(), read.outlets["1"].on.clone()), (Ok(true), Ok(false)));
    assert_eq!(read.total.unwrap_err().kind, FaultKind::Missing);
}

#[test]
fn an_answer_without_outlets_is_refused() {
    let cfg = pdu("spdu-a", NOWHERE, &["1"]);
    assert_eq!(parse::pdu(&json!([]), &cfg, NOW).unwrap_err().kind, FaultKind::Missing);
    assert_eq!(parse::pdu(&json!("no"), &cfg, NOW).unwrap_err().kind, FaultKind::Unreadable);
    assert_eq!(parse::pdu(&json!({"detail": "nope"}), &cfg, NOW).unwrap_err().kind, FaultKind::Missing);
}

#[test]
fn foremans_summary_is_read_and_figures_that_cannot_be_are_left_out() {
    let summary = parse::parse_summary(&value("foreman/summary.json"), "foreman").unwrap();
    assert_eq!((summary.online, summary.total), (Some(296), Some(300)));
    assert_eq!(summary.hash_rate.unwrap().value(), 35_400.0);
    assert_eq!(summary.estimated.unwrap().value(), 988_000.0);
    let absurd = json!([{"miners": {"online": 5, "total": 4}, "hashRate": 1e40, "powerDraw": -1}]);
    let summary = parse::parse_summary(&absurd, "foreman").unwrap();
    assert_eq!((summary.online, summary.hash_rate, summary.estimated), (None, None, None));
    assert_eq!(summary.remarks.len(), 3, "{:?}", summary.remarks);
    assert!(parse::parse_summary(&json!([]), "foreman").is_err());
}

#[test]
fn only_tagged_miners_are_kept_and_unknown_words_stay() {
    let mut cfg = foreman(NOWHERE);
    let page = parse::parse_page(&value("foreman/page.json"), &cfg).unwrap();
    assert_eq!((page.total, page.rows, page.ids.len()), (Some(4), 4, 4));
    let ids: Vec<u64> = page.miners.iter().map(|miner| miner.id).collect();
    assert_eq!(ids, [2001, 2002, 2004]);
    assert_eq!(page.miners[1].status, "napping");
    assert_eq!(page.miners[1].mode, Some(PowerMode::Sleeping));
    assert_eq!(page.miners[1].watts, Watts::new(27.5).ok());
    assert_eq!((page.miners[2].mode, page.miners[0].mode), (None, None));
    cfg.miners = MinerChoice::All;
    assert_eq!(parse::parse_page(&value("foreman/page.json"), &cfg).unwrap().miners.len(), 4);
    assert!(parse::parse_page(&json!({"detail": "no"}), &cfg).is_err());
}

#[test]
fn command_words_are_known_or_unknown_but_never_guessed() {
    let read = |body: Value| parse::parse_status(&body, "foreman");
    for (word, status) in [
        ("pending", CommandStatus::Pending),
        ("in-progress", CommandStatus::InProgress),
        ("complete", CommandStatus::Complete),
        ("failed", CommandStatus::Failed),
        ("done", CommandStatus::Unknown),
    ] {
        assert_eq!(read(json!({"status": word})), Ok(status));
    }
    assert!(read(json!({})).is_err());
}
