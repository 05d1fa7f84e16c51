//! A call's record from the signal to the file of its month, by the real program; also on a disk that fails.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cycle::quick;
use crate::mine::{Mine, state};
use crate::small_disk::SmallDisk;

const LIMIT: Duration = Duration::from_secs(60);

fn report(mine: &Mine) -> Value {
    serde_json::from_str(&mine.run(&["report", "--json"]).done()).unwrap()
}

fn call_and_resume(mine: &Mine) {
    mine.set(json!({"signal_number": 342}));
    mine.tick_until("off and proven", LIMIT, |status| state(status) == "off");
    mine.set(json!({"signal_number": 250}));
    mine.tick_until("mining again", LIMIT, |status| state(status) == "mining");
}

#[test]
fn a_call_is_measured_kept_told_and_reported() {
    let mine = Mine::start(60.0, quick);
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    assert!(mine.run(&["report"]).done().contains("No calls in November 2026."));
    mine.set(json!({"signal_number": 342}));
    let off = mine.tick_until("off and proven", LIMIT, |status| state(status) == "off");
    let running = &off["calls"]["running"];
    // The machine may be slow, and the site's clock runs sixty times as fast.
    let verdict = |call: &Value| if call["proven_after_s"].as_u64().unwrap() <= 360 { "in-time" } else { "late" };
    assert_eq!(
        (running["verdict"].as_str(), &running["page_changed_by"]),
        (Some(verdict(running)), &"page-stamp".into())
    );
    assert!(running["watts_before"].as_f64().unwrap() > 500_000.0, "{running}");
    assert!(mine.run(&["report"]).done().contains("1 still going on"));
    mine.set(json!({"signal_number": 250}));
    let status = mine.tick_until("mining again", LIMIT, |status| state(status) == "mining");
    assert!(status["calls"]["running"].is_null());
    let report = report(&mine);
    assert_eq!(report["calls"].as_array().unwrap().len(), 1, "{report}");
    let call = &report["calls"][0];
    assert_eq!((call["verdict"].as_str(), &call["going_on"]), (Some(verdict(call)), &false.into()), "{call}");
    assert_eq!(call["proven_after_s"], running["proven_after_s"], "{call}");
    assert!(call["marks"][0]["watts"].is_number(), "{call}");
    assert!(call["not_drawn_kwh"].as_f64().unwrap() > 10.0, "{call}");
    assert_eq!(
        call["seen"],
        status["calls"]["last"][0]["seen"].clone().as_object().map_or(Value::Null, |seen| {
            // Only the age differs: it is later now.
            let mut seen = seen.clone();
            seen.insert("age".to_owned(), call["seen"]["age"].clone());
            seen.insert("age_s".to_owned(), call["seen"]["age_s"].clone());
            Value::Object(seen)
        })
    );
    assert_eq!(std::fs::read_to_string(mine.data().join("calls/2026-11.jsonl")).unwrap().lines().count(), 1);
    assert_eq!(mine.run(&["report", "--csv"]).done().lines().count(), 2);
    let told = mine.recorded("telegram").join("\n");
    assert!(told.contains("Call over after "), "{told}");
    assert!(mine.run(&["report", "--month", "2026-13"]).refused(2).contains("is no month"));
}

#[test]
fn a_record_that_the_disk_refuses_is_kept_until_it_takes_it() {
    let mine = Mine::start(60.0, quick);
    std::fs::create_dir_all(mine.data()).unwrap();
    let Some(disk) = SmallDisk::mount(&mine.data(), "48m") else { return };
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    disk.make_read_only(true);
    call_and_resume(&mine);
    assert!(!mine.data().join("calls").exists());
    assert!(mine.page().contains("calls: "), "the page does not tell that the call could not be kept");
    assert_eq!(report(&mine)["calls"].as_array().unwrap().len(), 1, "it is reported all the same");
    disk.make_read_only(false);
    mine.tick().silent();
    assert_eq!(std::fs::read_to_string(mine.data().join("calls/2026-11.jsonl")).unwrap().lines().count(), 1);
    mine.tick().silent();
    assert_eq!(report(&mine)["calls"].as_array().unwrap().len(), 1, "once is enough");
}
