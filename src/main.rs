//! The program's entry: arguments, configuration, clock and log, then one command and its exit code.

use std::io::Write;
use std::process::ExitCode;

use minectl::cli::{Cli, Command};
use minectl::clock::Clock;
use minectl::config::{self, Config};
use minectl::error::{EXIT_DONE, Error};
use minectl::{commands, logging, tick};

fn main() -> ExitCode {
    let cli = Cli::read();
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            log::error!("{error}");
            // A broken pipe on stderr leaves nobody to tell.
            drop(writeln!(std::io::stderr(), "minectl: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(cli: &Cli) -> Result<u8, Error> {
    let mut out = std::io::stdout().lock();
    let path = &cli.config;
    match &cli.command {
        Command::Completions { shell } => return commands::manual::completions(*shell, &mut out),
        Command::Man => return commands::manual::page(&mut out),
        Command::Cgi => return commands::cgi::run(path, &mut out),
        Command::Status { check: true, .. } => return commands::check::check(path, &mut out),
        Command::Config { what } => return commands::config::run(path, what, &mut out).map(|()| EXIT_DONE),
        Command::Signal { what } => return commands::signal::run(path, what, &mut out),
        Command::Doctor { device, json } => return commands::doctor::run(path, device, *json, &mut out),
        Command::Fleet(args) => return commands::fleet::fleet(args, &mut out),
        Command::Replay(args) => return commands::replay::run((path, cli.config_is_named), args, &mut out),
        Command::Tick
        | Command::Plan
        | Command::Status { .. }
        | Command::Set { .. }
        | Command::Clear { .. }
        | Command::Ack { .. }
        | Command::Drill(_)
        | Command::History { .. }
        | Command::Events { .. }
        | Command::Report { .. }
        | Command::Notify { .. }
        | Command::Db { .. }
        | Command::Render
        | Command::Crontab => {}
    }
    let cfg = config::load(path)?;
    let clock = Clock::from_environment().map_err(Error::Usage)?;
    with_config(cli, &cfg, &clock, &mut out)
}

fn with_config(cli: &Cli, cfg: &Config, clock: &Clock, out: &mut dyn Write) -> Result<u8, Error> {
    match &cli.command {
        Command::Tick => {
            if let Err(error) = logging::start(&cfg.paths.log, &cfg.time_zone, *clock) {
                // Control goes on without a log; cron mails this line.
                drop(writeln!(std::io::stderr(), "minectl: {error}"));
            }
            return tick::tick(cfg, clock);
        }
        Command::Notify { what } => return commands::notify::run(cfg, clock, what, out),
        Command::Drill(args) => return commands::drill::run(cfg, clock, args, out),
        Command::Db { what } => return commands::db::run(cfg, clock, what, out),
        Command::Plan => commands::plan::plan(cfg, clock, out)?,
        Command::Status { json, .. } => commands::report::status(cfg, clock, *json, out)?,
        Command::Set { what, lasts, reason } => commands::set::set(cfg, clock, what, lasts.as_deref(), reason, out)?,
        Command::Clear { target } => commands::set::clear(cfg, clock, &target.join(" "), out)?,
        Command::Ack { alarm } => commands::set::acknowledge(cfg, clock, &alarm.join(" "), out)?,
        Command::History { since, until, step, series, format } => {
            let query = commands::history::Query { since, until: until.as_deref(), step: step.as_deref(), series };
            commands::history::history(cfg, clock, &query, *format, out)?;
        }
        Command::Events { since, json } => commands::report::events(cfg, clock, since, *json, out)?,
        Command::Report { month, json, csv } => {
            commands::month::month(cfg, clock, month.as_deref(), (*json, *csv), out)?;
        }
        Command::Render => commands::render::render(cfg, clock, out)?,
        Command::Crontab => commands::crontab::crontab(cfg, &cli.config, out)?,
        Command::Signal { .. }
        | Command::Doctor { .. }
        | Command::Fleet(_)
        | Command::Replay(_)
        | Command::Config { .. }
        | Command::Completions { .. }
        | Command::Man
        | Command::Cgi => {}
    }
    Ok(EXIT_DONE)
}
