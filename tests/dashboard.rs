//! Tests of dashboard from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::string_slice,
    unreachable_pub
)]

#[path = "dashboard/calls.rs"]
mod calls;
#[path = "drivers/config.rs"]
mod config;
#[path = "dashboard/data.rs"]
mod data;
#[path = "dashboard/drills.rs"]
mod drills;
#[path = "dashboard/fixture/mod.rs"]
mod fixture;
#[path = "dashboard/history.rs"]
mod history;
#[path = "dashboard/page.rs"]
mod page;
#[path = "dashboard/picture.rs"]
mod picture;
#[path = "dashboard/report.rs"]
mod report;
