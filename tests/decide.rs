//! The rules, driven in virtual time: no clock, no socket, no file but the sample configuration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

#[path = "decide/air.rs"]
mod air;
#[path = "decide/alarms.rs"]
mod alarms;
#[path = "decide/bank.rs"]
mod bank;
#[path = "decide/by_hand.rs"]
mod by_hand;
#[path = "decide/climate.rs"]
mod climate;
#[path = "decide/cold.rs"]
mod cold;
#[path = "decide/fans.rs"]
mod fans;
#[path = "decide/ladder.rs"]
mod ladder;
#[path = "decide/left_off.rs"]
mod left_off;
#[path = "decide/meter_age.rs"]
mod meter_age;
#[path = "decide/miners.rs"]
mod miners;
#[path = "decide/scene.rs"]
mod scene;
#[path = "decide/score.rs"]
mod score;
#[path = "decide/signal.rs"]
mod signal;
#[path = "decide/tables.rs"]
mod tables;
#[path = "decide/time.rs"]
mod time;
#[path = "decide/written.rs"]
mod written;
