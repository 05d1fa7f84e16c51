//! Tests of the drivers and of the HTTP layer from outside: recorded shapes for the parsers, loopback servers that
//! misbehave for the rest.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::let_underscore_must_use, clippy::string_slice)]

#[path = "drivers/acting.rs"]
mod acting;
#[path = "drivers/acting_banks.rs"]
mod acting_banks;
#[path = "drivers/acting_miners.rs"]
mod acting_miners;
#[path = "drivers/config.rs"]
mod config;
#[path = "drivers/connections.rs"]
mod connections;
#[path = "drivers/damage.rs"]
mod damage;
#[path = "drivers/fixture.rs"]
mod fixture;
#[path = "drivers/foreman.rs"]
mod foreman;
#[path = "drivers/http.rs"]
mod http;
#[path = "drivers/iotawatt.rs"]
mod iotawatt;
#[path = "drivers/meters.rs"]
mod meters;
#[path = "tick/mine.rs"]
#[allow(dead_code)]
mod mine;
#[path = "drivers/outputs.rs"]
mod outputs;
#[path = "drivers/pdu_digest.rs"]
mod pdu_digest;
#[path = "drivers/pdu_features.rs"]
mod pdu_features;
#[path = "drivers/pdu_presets.rs"]
mod pdu_presets;
#[path = "drivers/pdu_redfish.rs"]
mod pdu_redfish;
#[path = "drivers/pinned.rs"]
mod pinned;
#[path = "drivers/private_ca.rs"]
mod private_ca;
#[path = "drivers/raw.rs"]
mod raw;
#[path = "drivers/relays.rs"]
mod relays;
#[path = "drivers/relays_asked.rs"]
mod relays_asked;
#[path = "drivers/room_alert.rs"]
mod room_alert;
#[path = "drivers/room_alert_asked.rs"]
mod room_alert_asked;
#[path = "drivers/room_alert_labels.rs"]
mod room_alert_labels;
#[path = "drivers/room_alert_ports.rs"]
mod room_alert_ports;
#[path = "drivers/sensing.rs"]
mod sensing;
#[path = "drivers/server.rs"]
mod server;
#[path = "drivers/signal.rs"]
mod signal;
#[path = "drivers/simulated_meters.rs"]
mod simulated_meters;
#[path = "drivers/simulated_miners.rs"]
mod simulated_miners;
