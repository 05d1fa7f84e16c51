//! `crontab`: the line that starts the runs.

use std::io::Write;
use std::path::Path;

use super::printed;
use crate::config::Config;
use crate::error::Error;

/// What ends a run that hangs.
pub(super) const TIMEOUT: &str = "/usr/bin/timeout";

/// A run ends by itself within its budget; after this many seconds `timeout` ends the one that cannot.
pub(super) fn limit_s(cfg: &Config) -> u64 {
    cfg.loop_interval.0.saturating_sub(5).max(cfg.tick.budget.0)
}

/// Prints the line for `/etc/cron.d/minectl`, with absolute paths: cron's own PATH holds neither folder.
pub fn crontab(cfg: &Config, config_path: &Path, out: &mut dyn Write) -> Result<(), Error> {
    let minutes = cfg.loop_interval.0 / 60;
    if !cfg.loop_interval.0.is_multiple_of(60) || minutes == 0 || minutes > 60 || 60 % minutes != 0 {
        return Err(Error::Usage(format!(
            "loop_interval: {} is no interval that cron can keep; use 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60 minutes",
            cfg.loop_interval
        )));
    }
    let every = match minutes {
        1 => "*".to_owned(),
        60 => "0".to_owned(),
        minutes => format!("*/{minutes}"),
    };
    let program = std::env::current_exe().unwrap_or_else(|_| "/usr/local/bin/minectl".into());
    let config = std::path::absolute(config_path).unwrap_or_else(|_| config_path.to_owned());
    let line = format!(
        "{every} * * * * minectl {TIMEOUT} --kill-after=5 {} {} --config {} tick",
        limit_s(cfg),
        cron_word(&program.to_string_lossy()),
        cron_word(&config.to_string_lossy())
    );
    printed(writeln!(out, "{line}"))
}

/// Quoted for the shell where needed, and `%` escaped, which cron takes for a line end.
fn cron_word(word: &str) -> String {
    shell_words::quote(word).replace('%', "\\%")
}
