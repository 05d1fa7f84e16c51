//! `minectl`: curtailment and cooling control for a bitcoin-mine container, one run every two minutes.

pub mod clock;
pub mod commands;
pub mod config;
pub mod error;
pub mod model;
pub mod units;
