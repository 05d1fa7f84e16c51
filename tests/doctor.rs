//! `minectl doctor` against the simulated mine: each fault of the site is named with its way out and nothing that is well is
//! called a fault; the machine's checks on both sides; and that it only reads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(unreachable_pub, clippy::string_slice, dead_code)]

#[path = "tick/causes.rs"]
mod causes;
#[path = "doctor/looks.rs"]
mod looks;
#[path = "doctor/machine.rs"]
mod machine;
#[path = "doctor/matrix.rs"]
mod matrix;
#[path = "tick/mine.rs"]
mod mine;
#[path = "doctor/remembered.rs"]
mod remembered;
#[path = "doctor/report.rs"]
mod report;
