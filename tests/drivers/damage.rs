//! No input breaks a parser: arbitrary bytes, damaged fixtures, odd numbers.

use std::sync::OnceLock;

use minectl::config::PduConfig;
use minectl::drivers::parse;
use minectl::units::Seconds;
use serde_json::Value;

use crate::config::{NOWHERE, emoncms, foreman, iotawatt, pdu, room};
use crate::fixture::{NOW, fixture};
use crate::pdu_presets::pdu_alone;

/// Every parser on one body.
fn all_parsers(body: &str) {
    let mut wireless = room(NOWHERE);
    for (probe, array) in wireless.probes.iter_mut().zip(["wireless_sen", "wireless_sen/1/digi_sen"]) {
        (probe.array, probe.use_disabled, probe.max_age) = (array.to_owned(), true, Some(Seconds(1800)));
    }
    drop(parse::room_alert(body, &room(NOWHERE)));
    drop(parse::room_alert(body, &wireless));
    drop(parse::emoncms(body, &emoncms(NOWHERE, 3), NOW));
    drop(parse::relays(body, "b"));
    drop(parse::signal(body, &crate::config::signal(NOWHERE), "America/Chicago", NOW));
    if let Ok(value) = serde_json::from_str::<Value>(body) {
        drop(parse::iotawatt(&value, &iotawatt(NOWHERE, 2), NOW));
        drop(parse::iotawatt_status(&value, &iotawatt(NOWHERE, 2)));
        drop(parse::iotawatt_series(&value));
        drop(parse::pdu(&value, &pdu("p", NOWHERE, &["1", "2"]), NOW));
        pdu_presets(&value);
        drop(parse::parse_summary(&value, "f"));
        drop(parse::parse_page(&value, &foreman(NOWHERE)));
        drop(parse::parse_status(&value, "f"));
    }
}

/// Every preset, and Redfish, on one document.
fn pdu_presets(value: &Value) {
    let credentials = "user = \"u\"\npassword = \"p\"\nunit = \"7A11C0FFEE0900C3\"\noutlets = [\"1-2\"]";
    static PRESETS: OnceLock<Vec<PduConfig>> = OnceLock::new();
    let presets = PRESETS.get_or_init(|| {
        let names = ["netio", "servertech-jaws", "raritan-xerus", "geist"];
        names.map(|name| pdu_alone(&format!("preset = \"{name}\"\n{credentials}"))).to_vec()
    });
    for preset in presets {
        drop(parse::pdu(value, preset, NOW));
    }
    drop(parse::redfish(value, "d"));
}

const ALL: [&str; 24] = [
    "room_alert/12e_v3.2.5.json",
    "room_alert/legacy.htm",
    "room_alert/32e_every_port.htm",
    "iotawatt/query_02_08_04.json",
    "iotawatt/status_02_08_04.json",
    "emoncms/11.16_redis.json",
    "emoncms/notice_in_front.txt",
    "controlbyweb/x-400.json",
    "controlbyweb/x-wr-10r12.xml",
    "controlbyweb/quad_padded.xml",
    "controlbyweb/single_stateFull.xml",
    "controlbyweb/x-332.xml",
    "controlbyweb/custom_state.json",
    "pdu/digital_shovel_2021.json",
    "pdu/netio_3.4.json",
    "pdu/servertech_jaws_8.0m.json",
    "pdu/raritan_xerus_4.4_state.json",
    "pdu/raritan_xerus_4.4_power.json",
    "pdu/geist_5.json",
    "pdu/redfish_outlet_1.4.json",
    "pdu/redfish_outlet_2019.json",
    "foreman/summary.json",
    "foreman/page.json",
    "signal/table.html",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_break_a_parser(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        all_parsers(&minectl::http::Answer::new(200, Vec::new(), bytes).text());
    }

    #[test]
    fn no_damage_to_a_good_body_breaks_a_parser(
        which in 0..ALL.len(), at in 0_usize..4000, byte in proptest::num::u8::ANY, cut in proptest::bool::ANY,
    ) {
        let mut bytes = fixture(ALL[which]);
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        all_parsers(&minectl::http::Answer::new(200, Vec::new(), bytes).text());
    }

    #[test]
    fn no_number_breaks_a_parser(number in proptest::num::f64::ANY) {
        let shown = serde_json::to_string(&number).unwrap();
        for name in ALL {
            let body = minectl::http::Answer::new(200, Vec::new(), fixture(name)).text();
            all_parsers(&body.replacen("11", &shown, 3).replacen("\"27.00\"", &shown, 1));
        }
    }
}
