//! The real program against the simulated mine: whole runs, their lock, broken-off runs, overrides, and every fault of
//! the site. Each test has a site of its own on free ports; nothing waits for a fixed time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]
#![allow(unreachable_pub, clippy::string_slice)]

#[path = "tick/behaviour.rs"]
mod behaviour;
#[path = "tick/calls.rs"]
mod calls;
#[path = "tick/causes.rs"]
mod causes;
#[path = "tick/channels.rs"]
mod channels;
#[path = "tick/cycle.rs"]
mod cycle;
#[path = "tick/dialects.rs"]
mod dialects;
#[path = "tick/disk.rs"]
mod disk;
#[path = "tick/drill.rs"]
mod drill;
#[path = "tick/evidence.rs"]
mod evidence;
#[path = "tick/fleet.rs"]
mod fleet;
#[path = "tick/grafana.rs"]
mod grafana;
#[path = "tick/influx.rs"]
mod influx;
#[path = "tick/matrix.rs"]
mod matrix;
#[path = "tick/messages.rs"]
mod messages;
#[path = "tick/messages_refused.rs"]
mod messages_refused;
#[path = "tick/mine.rs"]
mod mine;
#[path = "tick/overrides.rs"]
mod overrides;
#[path = "tick/readme.rs"]
mod readme;
#[path = "tick/replay.rs"]
mod replay;
#[path = "tick/runs.rs"]
mod runs;
#[path = "store/small_disk.rs"]
mod small_disk;
#[path = "tick/wire.rs"]
mod wire;
