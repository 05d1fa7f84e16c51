//! The signal's page from end to end: a fixture of each kind of page by `signal explain`, by the driver over loopback, and
//! by `signal learn`; pages that are hostile; servers that send old copies and send elsewhere.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::let_underscore_must_use, clippy::string_slice)]

#[path = "signal/hostile.rs"]
mod hostile;
#[path = "signal/kinds.rs"]
mod kinds;
#[path = "signal/learn.rs"]
mod learn;
#[path = "drivers/server.rs"]
#[allow(dead_code, reason = "the tests of the drivers use the rest of it")]
mod server;
#[path = "signal/support.rs"]
mod support;
#[path = "signal/web.rs"]
mod web;
