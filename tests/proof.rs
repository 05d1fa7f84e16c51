//! The proofs that need an optimised build: random stories against the interlocks, the exhaustive exploration and the
//! simulated year. `scripts/prove.sh` runs them; a plain `cargo test` leaves them out.

#![allow(
    dead_code,
    clippy::collapsible_match,
    clippy::wildcard_enum_match_arm,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub
)]

// Miners and air are those of the simulated site.
#[path = "proof/explore/mod.rs"]
mod explore;
#[path = "site/mine.rs"]
mod mine;
#[path = "site/physics.rs"]
mod physics;
#[path = "tick/readme.rs"]
mod readme;
#[path = "decide/scene/mod.rs"]
mod scene;
#[path = "proof/stories.rs"]
mod stories;
#[path = "proof/stories_alone.rs"]
mod stories_alone;
#[path = "proof/stories_check.rs"]
mod stories_check;
#[path = "proof/stories_drill.rs"]
mod stories_drill;
#[path = "proof/stories_record.rs"]
mod stories_record;
#[path = "proof/stories_seen.rs"]
mod stories_seen;
#[path = "proof/stories_site.rs"]
mod stories_site;
#[path = "proof/stories_steps.rs"]
mod stories_steps;
#[path = "proof/year/mod.rs"]
mod year;
