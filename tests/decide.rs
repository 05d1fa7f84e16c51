//! The rules, driven in virtual time: no clock, no socket, no file but the sample configuration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

#[path = "decide/alarms.rs"]
mod alarms;
#[path = "decide/bank.rs"]
mod bank;
#[path = "decide/fans.rs"]
mod fans;
#[path = "decide/miners.rs"]
mod miners;
#[path = "decide/scene.rs"]
mod scene;
#[path = "decide/signal.rs"]
mod signal;
#[path = "decide/tables.rs"]
mod tables;
#[path = "decide/time.rs"]
mod time;
