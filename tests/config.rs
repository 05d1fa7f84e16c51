//! Tests of config from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::print_stdout, unreachable_pub)]

#[path = "config/support.rs"]
mod support;

#[path = "config/sample.rs"]
mod sample;
