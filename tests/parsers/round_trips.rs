//! What is written as a device writes it is read as it was meant, whatever the values; and our own files are read back.

use std::collections::BTreeMap;

use minectl::config::RelayFamily;
use minectl::drivers::page::strict_number;
use minectl::drivers::parse;
use minectl::http::Request;
use minectl::http::parse::{raw_answer, raw_is_whole};
use minectl::model::Sample;
use minectl::store;
use minectl::units::{Seconds, UnixSeconds};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::checks::NOW;
use crate::checks::config::{NOWHERE, board, emoncms, fan, foreman, iotawatt, pdu, room};

/// The age that any test's values have.
const AGE: Seconds = Seconds(10);

fn room_alert_body(celsius: f64, percent: f64, smoke: u8) -> String {
    let fahrenheit = celsius * 1.8 + 32.0;
    format!(
        r#"{{"serial":"RA12","uptime":"1d 00:00:00","sensor":[{{"lab":"In","tf":"80.60","tc":"27.00","t":16,"en":1}},
        {{"lab":"Intake west","tf":"{fahrenheit:.2}","tc":"{celsius:.2}","t":38,"en":1,"h":"{percent:.2}"}}],
        "s_sen":[{{"lab":"smoke","en":1,"stat":{smoke}}},{{"lab":"water","en":1,"stat":0}}]}}"#
    )
}

/// The four ways in which boards write the same relays.
fn relay_bodies(coils: &[bool]) -> Vec<String> {
    let numbered = |end: &str, write: &dyn Fn(String, u8) -> String| -> Vec<String> {
        coils.iter().zip(1..).map(|(on, n): (_, u8)| write(format!("relay{n}{end}"), u8::from(*on))).collect()
    };
    let json = numbered("", &|name, on| format!("\"{name}\":\"{on}\"")).join(",");
    let xml = numbered("State", &|name, on| format!("<{name}>{on}</{name}>")).concat();
    let digits: String = coils.iter().rev().map(|on| if *on { '1' } else { '0' }).collect();
    let mut bodies = vec![
        format!("{{\"vin\":\"24.3\",{json},\"serialNumber\":\"00:0C\"}}"),
        format!("<?xml version=\"1.0\"?><datavalues>{xml}<units>F</units></datavalues>\0\0"),
        format!("<datavalues><relaystates>{digits}</relaystates></datavalues>"),
    ];
    if let [single] = coils {
        bodies.push(format!("<datavalues><relaystate>{}</relaystate></datavalues>", u8::from(*single)));
    }
    bodies
}

fn samples(values: &[Option<f64>]) -> Vec<Sample> {
    values.iter().enumerate().map(|(place, value)| Sample { series: format!("s{place}_w"), value: *value }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_room_is_read_as_it_was_written(celsius in -3990_i32..12_490, percent in 1_u32..10_000, smoke in 0_u8..2) {
        let (celsius, percent) = (f64::from(celsius) / 100.0, f64::from(percent) / 100.0);
        let reading = parse::room_alert(&room_alert_body(celsius, percent, smoke), &room(NOWHERE)).unwrap();
        let probe = &reading.probes["intake-west"];
        prop_assert_eq!(probe.temperature.as_ref().map(|read| read.value()), Ok(celsius));
        prop_assert_eq!(probe.humidity.as_ref().unwrap().as_ref().map(|read| read.value()), Ok(percent));
        prop_assert_eq!(&reading.switches["smoke"], &Ok(smoke == 1));
    }

    #[test]
    fn relays_are_read_as_they_were_written_in_every_dialect(coils in vec(any::<bool>(), 1..17)) {
        let fans: Vec<_> = (1..=17).map(|number| fan(number, "board", number)).collect();
        let cfg = board("board", NOWHERE, RelayFamily::Auto);
        for body in relay_bodies(&coils) {
            let reading = parse::relay_board(&body, &cfg, &fans.iter().collect::<Vec<_>>()).unwrap();
            for (fan, seen) in reading.fans {
                // Normally closed: a coil that rests lets the fan run.
                let wanted = coils.get(usize::from(fan) - 1).map(|energised| !energised);
                prop_assert_eq!(seen.ok(), wanted, "fan {} in {}", fan, &body);
            }
        }
    }

    #[test]
    fn fan_watts_are_read_as_they_were_written_by_either_meter(watts in vec(-99.0_f64..49_000.0, 2)) {
        let time = NOW.0 - i64::try_from(AGE.0).unwrap();
        let row = serde_json::json!({
            "range": [time - 15, NOW.0], "labels": ["Time", "mains_v", "fan1", "fan2"],
            "data": [[time - 10, 239.0, 1.0, 1.0], [time - 5, 240.1, watts[0], watts[1]], [time, null, null, null]],
        });
        let clock = parse::iotawatt_clock(&row).unwrap();
        let iota = parse::iotawatt(&row, &iotawatt(NOWHERE, 2), clock).unwrap().unwrap();
        let feed = |id: u64, value: f64| format!(r#"{{"id":"{id}","value":{value},"time":{time}}}"#);
        let emon = format!("<b>Notice</b>: [x]\n[{},{}]", feed(11, watts[0]), feed(12, watts[1]));
        let emon = parse::emoncms(&emon, &emoncms(NOWHERE, 2), NOW).unwrap();
        for reading in [iota, emon] {
            let seen: Vec<_> = reading.fans.into_values().map(|fan| fan.unwrap()).collect();
            prop_assert_eq!(seen.iter().map(|fan| fan.value.value()).collect::<Vec<_>>(), watts.clone());
            prop_assert!(seen.iter().all(|fan| fan.age == AGE));
        }
    }

    #[test]
    fn a_pdu_is_read_as_it_was_written(outlets in vec((any::<bool>(), 0.0_f64..5000.0), 2)) {
        let rows: Vec<_> = outlets.iter().zip(1..).map(|((on, watts), id)| {
            let at = jiff::Timestamp::from_second(NOW.0 - 10).unwrap().to_string();
            serde_json::json!({"id": id, "status": on, "curCons": watts, "autoReset": false, "updateTime": at})
        }).collect();
        let reading = parse::pdu(&rows.into(), &pdu("p", NOWHERE, &["1", "2"]), NOW).unwrap();
        for ((on, watts), seen) in outlets.iter().zip(reading.outlets.into_values()) {
            let measured = seen.watts.unwrap();
            prop_assert_eq!((seen.on, measured.value.value(), measured.age), (Ok(*on), *watts, AGE));
        }
        let total: f64 = outlets.iter().map(|(_, watts)| watts).sum();
        prop_assert!((reading.total.unwrap().value.value() - total).abs() < 1e-6);
    }

    #[test]
    fn a_page_of_miners_is_read_as_it_was_written(miners in vec((1_u32.., any::<bool>(), 0.0_f64..9000.0), 0..20)) {
        let rows: Vec<_> = miners.iter().map(|(id, is_ours, watts)| {
            let tag = if *is_ours { "curtail" } else { "office" };
            serde_json::json!({"id": id, "name": format!("m-{id}"), "status": "online", "power": watts.to_string(),
                "tags": [{"id": 5, "name": tag}], "powerMode": "normal"})
        }).collect();
        let body = serde_json::json!({"total": rows.len(), "results": rows});
        let page = parse::parse_page(&body, &foreman(NOWHERE)).unwrap();
        prop_assert_eq!((page.total, page.rows), (Some(miners.len()), miners.len()));
        let ours = miners.iter().filter(|(_, is_ours, _)| *is_ours);
        let wanted: Vec<_> = ours.map(|(id, _, watts)| (u64::from(*id), Some(*watts))).collect();
        let seen: Vec<_> = page.miners.iter().map(|miner| (miner.id, miner.watts.map(|watts| watts.value()))).collect();
        prop_assert_eq!(seen, wanted);
    }

    #[test]
    fn a_number_with_or_without_groups_is_read_as_it_was_written(whole in 0_u32..10_000_000, hundredths in 0_u32..100) {
        let digits = whole.to_string();
        let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
        let number: f64 = format!("{whole}.{hundredths:02}").parse().unwrap();
        for written in [digits.clone(), groups.join(","), groups.join("\u{a0}")] {
            prop_assert_eq!(strict_number(&format!("{written}.{hundredths:02}")), Some(number));
            prop_assert_eq!(strict_number(&format!("\u{2212}{written}.{hundredths:02}")), Some(-number));
        }
    }

    #[test]
    fn a_reply_is_whole_when_its_last_byte_is_there_and_says_what_was_sent(body in vec(any::<u8>(), 1..200), by in 1_usize..50) {
        let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in body.chunks(by) {
            chunked.extend([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        }
        chunked.extend(b"0\r\n\r\n");
        let request = Request::get("unit", "http://10.0.0.7/", std::time::Duration::from_secs(1));
        for (reply, end) in [([length.as_bytes(), &body].concat(), 1), (chunked, 3)] {
            prop_assert!(raw_is_whole(&reply));
            prop_assert_eq!(raw_answer(&request, reply.clone()).unwrap().body, body.clone());
            prop_assert!(!raw_is_whole(&reply[..reply.len() - end - 1]));
            prop_assert!(raw_answer(&request, reply[..reply.len() - end - 1].to_vec()).is_err());
        }
    }
}

proptest! {
    // Each writes and syncs files.
    #![proptest_config(ProptestConfig { cases: 25, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn history_is_read_back_to_its_three_decimals(rows in vec(vec(prop::option::of(-1e6_f64..1e6), 3), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        let at = |row: usize| UnixSeconds(NOW.0 + i64::try_from(row).unwrap() * 120);
        for (row, values) in rows.iter().enumerate() {
            store::append_history(folder.path(), at(row), &samples(values)).unwrap();
        }
        let read = store::read_history(folder.path(), at(0), at(rows.len()), &|_| true).series;
        let mut wanted: BTreeMap<String, Vec<(UnixSeconds, Option<f64>)>> = BTreeMap::new();
        for (row, values) in rows.iter().enumerate() {
            for sample in samples(values) {
                let rounded = sample.value.map(|value| (value * 1000.0).round() / 1000.0);
                wanted.entry(sample.series).or_default().push((at(row), rounded));
            }
        }
        for (series, points) in wanted {
            for (seen, point) in read[&series].iter().zip(&points) {
                let apart = seen.1.zip(point.1).map_or(0.0, |(seen, wanted)| (seen - wanted).abs());
                prop_assert!(seen.0 == point.0 && seen.1.is_some() == point.1.is_some() && apart < 0.0011);
            }
            prop_assert_eq!(read[&series].len(), points.len());
        }
    }
}
