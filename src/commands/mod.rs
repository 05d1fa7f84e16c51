//! The subcommands other than `tick`, one file each.

pub mod status;
