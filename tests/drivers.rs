//! Tests of the drivers and of the HTTP layer from outside: recorded shapes for the parsers, loopback servers that
//! misbehave for the rest.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use
)]

#[path = "drivers/http.rs"]
mod http;
#[path = "drivers/server.rs"]
mod server;
