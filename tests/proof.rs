//! The proofs that need an optimised build: random stories against the interlocks, the exhaustive exploration and the
//! simulated year. `scripts/prove.sh` runs them; a plain `cargo test` leaves them out.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

#[path = "proof/explore/mod.rs"]
mod explore;
#[path = "decide/scene.rs"]
mod scene;
#[path = "proof/stories.rs"]
mod stories;
