//! `plan`: what one pass would do now, and why. Reads every device; sends, saves and tells nothing.

use std::io::Write;

use super::printed;
use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::error::Error;
use crate::tick;

/// Prints reasons, commands and messages of one pass.
pub fn plan(cfg: &Config, clock: &Clock, out: &mut dyn Write) -> Result<(), Error> {
    let (snapshot, decision) = tick::plan(cfg, clock);
    let mut print = || -> std::io::Result<()> {
        writeln!(out, "Why:")?;
        for reason in &decision.reasons {
            writeln!(out, "  {:<9} {}", reason.subject, reason.text)?;
        }
        let would = match cfg.mode {
            Mode::Live => "The next run would send",
            Mode::Observe => "The next run would send nothing (mode = observe); in live mode it would send",
        };
        if decision.commands.is_empty() {
            writeln!(out, "Commands: none")?;
        } else {
            writeln!(out, "{would} {} commands:", decision.commands.len())?;
        }
        for command in &decision.commands {
            writeln!(out, "  {command}")?;
        }
        if !decision.notices.is_empty() {
            writeln!(out, "It would tell:")?;
        }
        for notice in &decision.notices {
            writeln!(out, "  {}: {}", notice.severity.word(), notice.text.replace('\n', "\n    "))?;
        }
        let slowest = snapshot.took_ms.iter().max_by_key(|(_, ms)| **ms);
        if let Some((name, ms)) = slowest {
            writeln!(out, "{} devices read; slowest {name}, {ms} ms", snapshot.took_ms.len())?;
        }
        Ok(())
    };
    printed(print())
}
