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
#[path = "decide/call.rs"]
mod call;
#[path = "decide/climate.rs"]
mod climate;
#[path = "decide/cold.rs"]
mod cold;
#[path = "decide/demand.rs"]
mod demand;
#[path = "decide/drill.rs"]
mod drill;
#[path = "decide/drill_against.rs"]
mod drill_against;
#[path = "decide/fan_faults.rs"]
mod fan_faults;
#[path = "decide/fans.rs"]
mod fans;
#[path = "decide/foreman_age.rs"]
mod foreman_age;
#[path = "decide/found_by_exploration.rs"]
mod found_by_exploration;
#[path = "decide/ladder.rs"]
mod ladder;
#[path = "decide/left_off.rs"]
mod left_off;
#[path = "decide/meter_age.rs"]
mod meter_age;
#[path = "decide/miners.rs"]
mod miners;
#[path = "decide/resume.rs"]
mod resume;
#[path = "decide/room_age.rs"]
mod room_age;
#[path = "decide/scene/mod.rs"]
mod scene;
#[path = "decide/score.rs"]
mod score;
#[path = "decide/score_savings.rs"]
mod score_savings;
#[path = "decide/score_verdict.rs"]
mod score_verdict;
#[path = "decide/second_look.rs"]
mod second_look;
#[path = "decide/signal.rs"]
mod signal;
#[path = "decide/stuck.rs"]
mod stuck;
#[path = "decide/tables.rs"]
mod tables;
#[path = "decide/time.rs"]
mod time;
#[path = "decide/unread.rs"]
mod unread;
#[path = "decide/verdicts.rs"]
mod verdicts;
#[path = "decide/week.rs"]
mod week;
#[path = "decide/written.rs"]
mod written;
