//! Tests of config from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(clippy::print_stdout, unreachable_pub)]

#[path = "config/addresses.rs"]
mod addresses;
#[path = "config/support.rs"]
mod support;

#[path = "config/sample.rs"]
mod sample;

#[path = "config/mistakes.rs"]
mod mistakes;

#[path = "config/rules.rs"]
mod rules;

#[path = "config/secrets.rs"]
mod secrets;

#[path = "config/chat.rs"]
mod chat;
#[path = "config/commands.rs"]
mod commands;

#[path = "config/mutated.rs"]
mod mutated;

#[path = "config/devices.rs"]
mod devices;
