//! What stands between the program and its devices.

use crate::cycle::quick;
use crate::mine::{Mine, finish};

#[test]
fn a_proxy_in_the_environment_is_for_others_and_not_for_the_devices() {
    let mine = Mine::start(60.0, quick);
    let mut tick = mine.command(&["tick"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        tick.env(name, "http://127.0.0.1:9");
    }
    finish(tick.spawn().unwrap(), "tick").silent();
    let status = mine.status_json();
    for name in ["signal", "room-alert", "iotawatt", "relays-a", "relays-b", "spdu-a", "foreman"] {
        let device = status["devices"].as_array().unwrap().iter().find(|device| device["name"] == name).unwrap();
        assert!(device["fault"].is_null(), "{device}");
    }
}
