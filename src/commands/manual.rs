//! `completions` and `man`: what the command line says about itself.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::printed;
use crate::cli::Cli;
use crate::error::{EXIT_DONE, Error};

/// Prints the completions for a shell. Returns the exit code.
pub fn completions(shell: Shell, mut out: &mut dyn Write) -> Result<u8, Error> {
    clap_complete::generate(shell, &mut Cli::command(), "minectl", &mut out);
    Ok(EXIT_DONE)
}

/// Prints the manual page. Returns the exit code.
pub fn page(mut out: &mut dyn Write) -> Result<u8, Error> {
    printed(clap_mangen::Man::new(Cli::command()).render(&mut out)).map(|()| EXIT_DONE)
}
