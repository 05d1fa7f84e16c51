//! `render`: draws the page again from what the last run left, without a run: after a change of the program, or when the
//! page's folder was lost. It reads no device and takes no lock: a run that ends at the same time draws its own page.

use std::io::Write;
use std::time::Instant;

use super::printed;
use super::seen::Seen;
use crate::clock::Clock;
use crate::config::Config;
use crate::dashboard::{self, Input};
use crate::error::Error;
use crate::logging;
use crate::tick;

/// Log lines and events on the page.
const PAGE_LINES: usize = 60;

/// Draws page, `status.json` and `metrics.prom` and prints what was drawn and how long it took. `Err` before the first run,
/// and when a file cannot be written.
pub fn render(cfg: &Config, clock: &Clock, out: &mut dyn Write) -> Result<(), Error> {
    let began = Instant::now();
    let seen = Seen::look(cfg, clock, PAGE_LINES)?;
    let trends = tick::page_trends(&cfg.paths.data.join("history"), seen.now.wall);
    let log_tail = logging::tail(&cfg.paths.log, PAGE_LINES);
    let mut lost = seen.state.troubles.clone();
    let from_memory = seen.input(cfg);
    lost.extend(from_memory.lost.iter().filter(|trouble| !seen.state.troubles.contains(trouble)).cloned());
    let input = Input { trends: &trends, log_tail: &log_tail, lost: &lost, ..from_memory };
    let read = began.elapsed();
    let page = dashboard::page(&input).map_err(Error::Storage)?;
    let drawn = began.elapsed().saturating_sub(read);
    let written = dashboard::draw(&input, &cfg.paths.page).map_err(|error| Error::Storage(format!("page: {error}")))?;
    let line = format!(
        "{} in {}: read in {:.1} ms, drawn in {:.1} ms, the page has {} bytes",
        written.join(", "),
        cfg.paths.page.display(),
        read.as_secs_f64() * 1000.0,
        drawn.as_secs_f64() * 1000.0,
        page.len()
    );
    printed(writeln!(out, "{line}"))
}
