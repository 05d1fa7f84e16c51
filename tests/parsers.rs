//! The readers of outside bytes under all kinds of bytes, on stable Rust: the fuzz targets' own checks, with seeds that are
//! damaged in the ways wires, cards and makers damage things. And the other way round: what is written is read back.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::let_underscore_must_use, clippy::string_slice)]

#[path = "fuzz/checks/mod.rs"]
mod checks;
#[path = "parsers/corpus.rs"]
mod corpus;
#[path = "parsers/costly.rs"]
mod costly;
#[path = "parsers/found.rs"]
mod found;
#[path = "parsers/mutated.rs"]
mod mutated;
#[path = "parsers/round_trips.rs"]
mod round_trips;
