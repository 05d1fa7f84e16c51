//! `minectl`: curtailment and cooling control for a bitcoin-mine container, one run every two minutes.

pub mod clock;
pub mod config;
pub mod drivers;
pub mod error;
pub mod http;
pub mod model;
pub mod units;
