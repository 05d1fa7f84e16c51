//! The command line: types, and how it is read.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

/// Curtailment and cooling control for a bitcoin-mine container.
#[derive(Debug, Parser)]
#[command(name = "minectl", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// The configuration file
    #[arg(long, short, global = true, env = "MINECTL_CONFIG", default_value = "/etc/minectl/config.txt")]
    pub config: PathBuf,
    /// Whether the command line names it
    #[arg(skip)]
    pub config_is_named: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line of this process; one that is wrong ends it with clap's own words.
    pub fn read() -> Cli {
        let matches = Cli::command().get_matches();
        let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        cli.config_is_named = matches.value_source("config") == Some(ValueSource::CommandLine);
        cli
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// One run: read everything, decide, act, notify, draw (cron starts this)
    Tick,
    /// Print what one pass would do now and why; nothing is sent or saved
    Plan,
    /// Check the machine, each device and each way to reach people, and say what to do about each fault; only reads
    Doctor {
        /// Only this device or channel; may be given several times
        #[arg(long, value_name = "NAME")]
        device: Vec<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the state of the site as of the last run
    Status {
        /// As JSON, the same as status.json beside the page
        #[arg(long)]
        json: bool,
        /// For a monitor: one line with performance data, and exit code 0, 1, 2 or 3
        #[arg(long, conflicts_with = "json")]
        check: bool,
    },
    /// Put a value in place of an input, or hold an output, for a limited time
    Set {
        /// What to set
        #[command(subcommand)]
        what: SetTarget,
        /// For how long
        #[arg(long = "for", global = true, value_name = "TIME")]
        lasts: Option<String>,
        /// Why (shown on the page and in messages)
        #[arg(long, global = true, default_value = "no reason given")]
        reason: String,
    },
    /// End an override, as named by `set` and shown by `status`
    Clear {
        /// `all`, or the target: `signal`, `fan 3`, `temp intake-west`
        #[arg(required = true, num_args = 1..=2)]
        target: Vec<String>,
    },
    /// Acknowledge an alarm: no more reminders of it
    Ack {
        /// The alarm as shown by `status`, or `all`
        #[arg(required = true, num_args = 1..)]
        alarm: Vec<String>,
    },
    /// Prove before the peak that a call would be met: one miner and one fan off and on again, all else only looked at
    Drill(DrillArgs),
    /// Print the kept values: of each run, or least, mean and largest of steps of time
    History {
        /// From when on: how far back, or a time at the site as in "2026-11-22 14:10"
        #[arg(long, default_value = "24 h", value_name = "TIME")]
        since: String,
        /// Until when, in the same form [default: now]
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// In steps of so long, as in "15 min" [default: the finest that is kept for all of the time]
        #[arg(long, value_name = "SPAN")]
        step: Option<String>,
        /// Which series, with `*` for anything; may be given several times
        #[arg(long, default_value = "*")]
        series: Vec<String>,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Print what happened, oldest first
    Events {
        /// How far back (at most 7 days are kept)
        #[arg(long, default_value = "24 h")]
        since: String,
        /// As JSON, one event a line
        #[arg(long)]
        json: bool,
    },
    /// Print the calls of a month with their scorecards, in the form of the utility's bill
    Report {
        /// The month at the site, as 2026-08 [default: the present one]
        #[arg(long)]
        month: Option<String>,
        /// As JSON
        #[arg(long, conflicts_with = "csv")]
        json: bool,
        /// As comma-separated values, one call a line
        #[arg(long)]
        csv: bool,
    },
    /// Run recorded inputs through today's rules and print what would be decided differently
    Replay(ReplayArgs),
    /// Find out why the power signal's page is read as it is, or how an unknown page could be read
    Signal {
        /// What to find out
        #[command(subcommand)]
        what: SignalCommand,
    },
    /// Try out the ways to reach people
    Notify {
        /// What to do
        #[command(subcommand)]
        what: NotifyCommand,
    },
    /// Look at what is stored, make it small, take it out and put it back
    Db {
        /// What to do
        #[command(subcommand)]
        what: DbCommand,
    },
    /// Read, check, change the configuration
    Config {
        /// What to do with it
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Print the state of several sites in one table, from their pages; exit code 0, 1, 2 or 3 as `status --check`
    Fleet(FleetArgs),
    /// Draw the page again from what the last run left, without a run
    Render,
    /// Answer one request of a web server for the debug or the configuration page (CGI; nothing to type by hand)
    Cgi,
    /// Print the crontab line for the configured interval
    Crontab,
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// What `drill` takes.
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// The miner by name or number, or an outlet as in "pdu-a 12" [default: as configured, else another each time]
    #[arg(long, value_name = "NAME")]
    pub miner: Option<String>,
    /// The fan [default: as configured, else the one that was switched the longest ago]
    #[arg(long, value_name = "N")]
    pub fan: Option<u8>,
    /// Switch nothing; look at everything and try each channel
    #[arg(long, conflicts_with_all = ["miner", "fan"])]
    pub dry: bool,
    /// Print the certificate of the last one
    #[arg(long, conflicts_with_all = ["miner", "fan", "dry"])]
    pub last: bool,
    /// The certificate as JSON
    #[arg(long, requires = "last")]
    pub json: bool,
}

/// Arguments of `fleet`.
#[derive(Debug, Clone, Args)]
pub struct FleetArgs {
    /// Addresses of the sites' pages, or files or folders with a status.json
    #[arg(required = true, num_args = 1.., value_name = "URL-OR-FILE")]
    pub sites: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// A file with `user:password`, for pages that ask for it
    #[arg(long, value_name = "FILE")]
    pub login_file: Option<PathBuf>,
    /// An authority of your own (PEM) that counts as known, for https
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// Arguments of `replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// From when on: how far back (`3 h`), or a time at the site ("2026-11-22 14:10")
    #[arg(long, default_value = "24 h", value_name = "TIME")]
    pub since: String,
    /// Up to when, in the same ways [default: now]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// An incident that `--save` wrote, in place of what this machine recorded; by its own configuration unless `--config`
    /// names another
    #[arg(long, conflicts_with_all = ["since", "until", "save"])]
    pub file: Option<PathBuf>,
    /// Write the interval into a file of its own, with its state and configuration, without secrets
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// What happened then, for that file
    #[arg(long, requires = "save", value_name = "TEXT")]
    pub what: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// How `history` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// Comma-separated values
    Csv,
    /// One object: series to points
    Json,
    /// Influx line protocol
    Influx,
}

/// What `set` can set.
#[derive(Debug, Clone, Subcommand)]
pub enum SetTarget {
    /// The power signal: run, curtail, blind; auto ends it
    Signal {
        /// run, curtail, blind or auto
        level: String,
    },
    /// A probe's temperature, as "95 F" or "35 C"; auto ends it
    Temp {
        /// The probe's name
        probe: String,
        /// The value or auto
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// A probe's relative humidity in percent; auto ends it
    Humidity {
        /// The probe's name
        probe: String,
        /// The value or auto
        value: String,
    },
    /// A fan's measured power, as "1500 W"; auto ends it
    FanWatts {
        /// The fan's number
        fan: u8,
        /// The value or auto
        value: String,
    },
    /// A PDU's measured power, as "160 kW"; auto ends it
    MinerWatts {
        /// The PDU's name
        pdu: String,
        /// The value or auto
        value: String,
    },
    /// A switch sensor: alarm or normal; auto ends it
    Switch {
        /// The switch's name
        name: String,
        /// alarm, normal or auto
        value: String,
    },
    /// Hold a fan: on, off; auto ends it
    Fan {
        /// The fan's number
        fan: u8,
        /// on, off or auto
        value: String,
    },
    /// Hold the miners: off, or on without waiting; auto ends it
    Miners(MinersArgs),
    /// Write a machine's state, once; its rules go on from there and the interlocks hold
    ///
    /// signal run|curtail|blind, climate normal|shedding, miners boot|running|curtailing|curtailed|resuming|fault,
    /// fan-stage 1 and up
    State {
        /// signal, climate, miners or fan-stage
        machine: String,
        /// The state; auto ends the override and leaves the state as it is
        value: String,
    },
}

/// `set` as it is typed in a message: the words of the shell behind `/set`.
#[derive(Debug, Parser)]
#[command(name = "/set", no_binary_name = true, disable_help_flag = true, disable_help_subcommand = true)]
pub struct SetWords {
    /// What to set
    #[command(subcommand)]
    pub what: SetTarget,
    /// For how long
    #[arg(long = "for", global = true, value_name = "TIME")]
    pub lasts: Option<String>,
    /// Why (shown on the page and in messages)
    #[arg(long, global = true, default_value = "no reason given")]
    pub reason: String,
}

impl SetWords {
    /// Reads the words behind `/set`; `Err` is what is wrong with them, in several lines.
    pub fn read(words: &[String]) -> Result<SetWords, String> {
        SetWords::try_parse_from(words).map_err(|error| error.render().to_string())
    }
}

/// Arguments of `set miners`.
#[derive(Debug, Clone, Args)]
pub struct MinersArgs {
    /// on, off or auto
    pub value: String,
    /// On although the signal says off: it may cost the rate
    #[arg(long)]
    pub against_signal: bool,
}

/// What `signal` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum SignalCommand {
    /// Show each check on today's page, or on a saved one, and what to change where one fails
    Explain {
        /// A saved page instead of today's
        #[arg(long)]
        file: Option<PathBuf>,
        /// Judge the time stamp as of this moment, as in "2026-11-22 14:10" at the site [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// Propose `[signal]` settings from saved pages, with the proof on each of them
    Learn {
        /// A page saved while the miners may be ON (whatever word the page uses); several times
        #[arg(long, required = true, num_args = 1.., value_name = "PAGE")]
        on: Vec<PathBuf>,
        /// A page saved while the miners must be OFF; several times
        #[arg(long, required = true, num_args = 1.., value_name = "PAGE")]
        off: Vec<PathBuf>,
    },
}

/// What `notify` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum NotifyCommand {
    /// Send one message to each configured channel, and say which took it, why not, and what to do
    Test {
        /// Only this one; may be given several times
        #[arg(long, value_enum)]
        channel: Vec<TestChannel>,
    },
}

/// What `notify test` can try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum TestChannel {
    /// A message to the chat
    Telegram,
    /// A message to each address
    Email,
    /// A text message to each number
    Sms,
    /// A `start` ping to the dead-man service
    DeadMan,
}

/// What `db` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum DbCommand {
    /// Say what is wrong with the stored files and the way out; changes nothing. Exit code 1 when something is, 6 when a run
    /// of this program would go on without stored data
    Check,
    /// Copy the database into a new, small one (runs do so once a day)
    Compact,
    /// Print the database as JSON lines: state, overrides, messages, events
    Export,
    /// Make the database of an export in place of the present one, which is set aside
    Import {
        /// What `db export` printed
        file: PathBuf,
    },
}

/// What `config` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Write a commented sample in observe mode
    Init,
    /// Report every mistake at once
    Check,
    /// Print it with its secrets masked
    Show,
    /// Print one setting
    Get {
        /// As in `signal.curtail_at`, `pdu.spdu-a.url`, `fan.3.relay`
        key: String,
    },
    /// Change one setting: checked first, comments kept
    Set {
        /// As in `signal.curtail_at`
        key: String,
        /// The new value
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Open it in $EDITOR, check, and replace it
    Edit,
}
