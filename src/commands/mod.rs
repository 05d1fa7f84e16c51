//! The subcommands other than `tick`: each a function from arguments to text.

pub mod config;
