//! The store from outside: what is saved comes back, and what happens to files, locks and disks costs no more than it
//! must.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(unreachable_pub)]

#[path = "store/calls.rs"]
mod calls;
#[path = "store/clock_set.rs"]
mod clock_set;
#[path = "store/compaction.rs"]
mod compaction;
#[path = "store/copies.rs"]
mod copies;
#[path = "store/damage.rs"]
mod damage;
#[path = "store/disk.rs"]
mod disk;
#[path = "store/exchange.rs"]
mod exchange;
#[path = "store/history.rs"]
mod history;
#[path = "store/old.rs"]
mod old;
#[path = "store/power.rs"]
mod power;
#[path = "store/round_trip.rs"]
mod round_trip;
#[path = "store/small_disk.rs"]
mod small_disk;
#[path = "store/support.rs"]
mod support;
