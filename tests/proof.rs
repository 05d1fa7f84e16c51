//! The proofs that need an optimised build: random stories against the interlocks, the exhaustive exploration and the
//! simulated year. `scripts/prove.sh` runs them; a plain `cargo test` leaves them out.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

// Miners and air are those of the simulated site.
#[path = "site/mine.rs"]
mod mine;
#[path = "site/physics.rs"]
mod physics;
#[path = "decide/scene.rs"]
mod scene;
#[path = "proof/stories.rs"]
mod stories;
#[path = "proof/year/mod.rs"]
mod year;
