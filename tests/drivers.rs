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
#[path = "drivers/damage.rs"]
mod damage;
#[path = "drivers/fixture.rs"]
mod fixture;
#[path = "drivers/http.rs"]
mod http;
#[path = "drivers/meters.rs"]
mod meters;
#[path = "drivers/outputs.rs"]
mod outputs;
#[path = "drivers/pdu_features.rs"]
mod pdu_features;
#[path = "drivers/pdu_presets.rs"]
mod pdu_presets;
#[path = "drivers/pdu_redfish.rs"]
mod pdu_redfish;
#[path = "drivers/pinned.rs"]
mod pinned;
#[path = "drivers/room_alert.rs"]
mod room_alert;
#[path = "drivers/sensing.rs"]
mod sensing;
#[path = "drivers/server.rs"]
mod server;
#[path = "drivers/signal.rs"]
mod signal;
