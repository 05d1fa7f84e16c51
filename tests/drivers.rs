//! Tests of the drivers and of the HTTP layer from outside: recorded shapes for the parsers, loopback servers that
//! misbehave for the rest.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::let_underscore_must_use, clippy::string_slice)]

#[path = "drivers/config.rs"]
mod config;
#[path = "drivers/http.rs"]
mod http;
#[path = "drivers/parsers.rs"]
mod parsers;
#[path = "drivers/passes.rs"]
mod passes;
#[path = "drivers/server.rs"]
mod server;
#[path = "drivers/signal.rs"]
mod signal;
