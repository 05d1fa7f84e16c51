//! From text to a checked [`Config`]: syntax first, then every section, then what must fit together across sections.
//! All mistakes come back at once; nothing is repaired or guessed.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::DeTable;

use super::check;
use super::costs;
use super::drill;
use super::entry::{Entry, Kind};
use super::section::{Book, Need, Section, Want};
use super::value::TEXT;
use super::{
    ClimateConfig, Config, FanRules, HistoryConfig, Mode, NotifyConfig, OverridesConfig, PathsConfig, ProbeRole,
    RoomAlertConfig, SiteConfig, TemperatureUnit, TickConfig, read_devices, read_notify, read_pdu, read_rules,
    read_signal,
};
use crate::error::Error;
use crate::model::Channel;
use crate::units::Seconds;

/// A larger file is not a configuration.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

const MODES: [(&str, Mode); 2] = [("observe", Mode::Observe), ("live", Mode::Live)];
const UNITS: [(&str, TemperatureUnit); 2] = [("F", TemperatureUnit::Fahrenheit), ("C", TemperatureUnit::Celsius)];

const ROOMS: Want = Want { what: "one [[room_alert]] for each unit", kind: Kind::Text };
const BOARDS: Want = Want { what: "one [[relay_board]] for each ControlByWeb unit", kind: Kind::Text };
const FANS: Want = Want { what: "one [[fan]] for each fan", kind: Kind::Text };
const PDUS: Want = Want { what: "one [[pdu]] for each PDU", kind: Kind::Text };

/// What came of reading a text: the keys that are known (none after a syntax error), and the outcome.
pub struct Inspection {
    /// Every key that the program knows for this text.
    pub entries: Vec<Entry>,
    /// The checked configuration, or all mistakes, one line each.
    pub result: Result<Config, Vec<String>>,
}

/// Reads and checks the configuration file. `Err` holds every mistake, one line each.
pub fn load(path: &Path) -> Result<Config, Error> {
    let text = read_text(path)?;
    parse(&text, &file_name(path), &folder(path)).map_err(Error::Config)
}

/// Checks a configuration. Relative paths start at `folder`; `file_name` is for the messages.
pub fn parse(text: &str, file_name: &str, folder: &Path) -> Result<Config, Vec<String>> {
    inspect(text, file_name, folder).result
}

/// The file's text. `Err` when it cannot be read, is too large, or is not text.
pub fn read_text(path: &Path) -> Result<String, Error> {
    let name = path.display();
    let refuse = |cause: String| Error::Config(vec![cause]);
    let cannot = |cause: std::io::Error| {
        let way_out = if cause.kind() == std::io::ErrorKind::NotFound {
            "; `minectl config init` writes a sample"
        } else {
            "; see who may read it with `ls -l`"
        };
        refuse(format!("cannot read {name}: {cause}{way_out}"))
    };
    // A pipe or device would never end.
    if !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(refuse(format!("{name} is not a file")));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(refuse(format!("{name} is larger than {} KiB: not a configuration", FILE_BYTES_MAX / 1024)));
    }
    String::from_utf8(bytes).map_err(|cause| {
        let good = cause.as_bytes().get(..cause.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(format!("{}:{line}: is not UTF-8 text; save it as UTF-8", file_name(path)))
    })
}

/// How the file is called in messages.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Where its relative paths start: the folder of the file as named, also when it is a link.
pub fn folder(path: &Path) -> std::path::PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// Checks a configuration and tells which keys are known.
pub fn inspect(text: &str, file_name: &str, folder: &Path) -> Inspection {
    let (document, errors) = DeTable::parse_recoverable(text);
    let book = Book::new(text, file_name, folder);
    if !errors.is_empty() {
        // Only the message: the whole text of such an error shows the line, and a secret may be in it.
        for error in &errors {
            let line = error.span().map(|span| book.line_at(span.start));
            book.mistake_in_line(line, format!("not TOML: {}", error.message()));
        }
        return Inspection { entries: Vec::new(), result: Err(book.close().1) };
    }
    let config = read_top(&book.root(document.get_ref()));
    let (entries, mistakes) = book.close();
    let result = match config {
        Some(config) if mistakes.is_empty() => Ok(config),
        // A reader that gives nothing and says nothing is our own mistake; it must not pass for a good configuration.
        None if mistakes.is_empty() => Err(vec![format!("{file_name}: cannot be read, and no cause was noted")]),
        None | Some(_) => Err(mistakes),
    };
    Inspection { entries, result }
}

fn read_top(top: &Section<'_>) -> Option<Config> {
    let mode = top.word("mode", Need::Required, &MODES);
    let interval_bounds = Seconds::minutes(1)..=Seconds::minutes(30);
    let loop_interval = top.span("loop_interval", Need::Default("2 minutes"), interval_bounds);
    let time_zone = top.checked("time_zone", TEXT, Need::Required, check::time_zone);
    let temperature_unit = top.word("temperature_unit", Need::Default("F"), &UNITS);
    let site = read_site(&top.section("site", true));
    let paths = read_paths(&top.section("paths", true));
    let tick = read_tick(&top.section("tick", false));
    let signal = read_signal::read(&top.section("signal", true));
    let rooms = each(&top.sections("room_alert", ROOMS, Need::Required), read_devices::read_room);
    let boards = each(&top.sections("relay_board", BOARDS, Need::Required), read_devices::read_board);
    let fan_sections = top.sections("fan", FANS, Need::Required);
    let fan_count = fan_sections.len();
    let fans = read_devices::read_fans(&fan_sections);
    let numbers: Option<Vec<u8>> = fans.as_ref().map(|fans| fans.keys().copied().collect());
    let fan_watts = read_devices::read_fan_watts(top, fan_count, numbers.as_deref());
    let fan_rules = read_rules::read_fan_rules(&top.section("fans", true), fan_count);
    let climate = read_rules::read_climate(&top.section("climate", true));
    let miners = read_rules::read_miners(&top.section("miners", true));
    let foreman = read_devices::read_foreman(&top.section("foreman", true));
    let pdus = each(&top.sections("pdu", PDUS, Need::Required), read_pdu::read);
    let (telegram, email, sms) =
        (top.section("telegram", false), top.section("email", false), top.section("sms", false));
    let configured: Vec<Channel> = [(&telegram, Channel::Telegram), (&email, Channel::Email), (&sms, Channel::Sms)]
        .into_iter()
        .filter(|(section, _)| section.is_present())
        .map(|(_, channel)| channel)
        .collect();
    let notify = read_notify::read_notify(&top.section("notify", false), &configured);
    let telegram = if_present(&telegram, read_notify::read_telegram);
    let email = if_present(&email, read_notify::read_email);
    let sms = if_present(&sms, read_notify::read_sms);
    let dead_man = if_present(&top.section("dead_man", false), read_notify::read_dead_man);
    let influx = if_present(&top.section("influx", false), read_notify::read_influx);
    let overrides = read_overrides(&top.section("overrides", false));
    let history = read_history(&top.section("history", false));
    let costs = costs::read(&top.section("costs", false));
    let known = drill::Known { time_zone: time_zone.as_deref(), pdus: pdus.as_deref(), fans: numbers.as_deref() };
    let drill = drill::read(&top.section("drill", false), &known);
    top.finish();
    if let (Some(boards), Some(fans)) = (&boards, &fans) {
        read_devices::check_boards(top, boards, fans);
    }
    let parts =
        Parts { loop_interval, tick: &tick, rooms: &rooms, rules: &fan_rules, climate: &climate, notify: &notify };
    check_together(top, &parts);
    Some(Config {
        mode: mode?,
        loop_interval: loop_interval?,
        time_zone: time_zone?,
        temperature_unit: temperature_unit?,
        site: site?,
        paths: paths?,
        tick: tick?,
        signal: signal?,
        rooms: rooms?,
        fan_watts: fan_watts?,
        boards: boards?,
        fans: fans?,
        fan_rules: fan_rules?,
        climate: climate?,
        miners: miners?,
        foreman: foreman?,
        pdus: pdus?,
        notify: notify?,
        telegram: telegram?,
        email: email?,
        sms: sms?,
        dead_man: dead_man?,
        influx: influx?,
        overrides: overrides?,
        history: history?,
        costs: costs?,
        drill: drill?,
    })
}

/// `Some(None)` for a section that is not used, `None` for one that is there and has mistakes: it must never pass for
/// unused. An absent one is read all the same, so that its keys are known.
fn if_present<T>(s: &Section<'_>, read: impl Fn(&Section<'_>) -> Option<T>) -> Option<Option<T>> {
    let read = read(s);
    if s.is_present() { read.map(Some) } else { Some(None) }
}

/// Reads all sections of a kind, each to its end, so that all mistakes are found.
fn each<'t, T>(sections: &[Section<'t>], read: impl Fn(&Section<'t>) -> Option<T>) -> Option<Vec<T>> {
    let all: Vec<Option<T>> = sections.iter().map(read).collect();
    all.into_iter().collect()
}

/// What is compared across sections; `None` where a section has mistakes of its own.
struct Parts<'a> {
    loop_interval: Option<Seconds>,
    tick: &'a Option<TickConfig>,
    rooms: &'a Option<Vec<RoomAlertConfig>>,
    rules: &'a Option<FanRules>,
    climate: &'a Option<ClimateConfig>,
    notify: &'a Option<NotifyConfig>,
}

/// What one section cannot know alone.
fn check_together(top: &Section<'_>, parts: &Parts<'_>) {
    let interval = parts.loop_interval;
    if interval.is_some_and(|interval| !interval.0.is_multiple_of(60) || !3600_u64.is_multiple_of(interval.0)) {
        let cause = "must be whole minutes that divide an hour: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30";
        top.mistake("loop_interval", cause);
    }
    let tick = parts.tick.as_ref();
    let budget = tick.map(|tick| tick.budget);
    let send_limit = parts.notify.as_ref().map(|notify| notify.send_limit);
    shorter(top, ("tick.budget", budget), ("loop_interval", interval));
    shorter(top, ("tick.read_limit", tick.map(|tick| tick.read_limit)), ("tick.budget", budget));
    shorter(top, ("tick.pass_pause", tick.map(|tick| tick.pass_pause)), ("tick.budget", budget));
    shorter(top, ("notify.send_limit", send_limit), ("tick.budget", budget));
    let steers = |room: &RoomAlertConfig| room.probes.iter().any(|probe| probe.role == ProbeRole::Intake);
    if parts.rooms.as_ref().is_some_and(|rooms| !rooms.is_empty() && !rooms.iter().any(steers)) {
        top.book.mistake_in_line(None, "no probe has role = \"intake\"; fans and shedding are steered by one at least");
    }
    let stages = parts.rules.as_ref().map(|rules| rules.stages.as_slice()).unwrap_or_default();
    let shed = parts.climate.as_ref().map(|climate| climate.shed_above);
    if let (Some(last), Some(shed)) = (stages.last(), shed)
        && last.above >= shed
    {
        let path = format!("fans.stages.{}.above", stages.len());
        top.book.mistake(&path, format!("{} must be below `climate.shed_above` ({shed}): fans first", last.above));
    }
}

fn shorter(top: &Section<'_>, short: (&str, Option<Seconds>), long: (&str, Option<Seconds>)) {
    if let (Some(less), Some(more)) = (short.1, long.1)
        && less >= more
    {
        top.book.mistake(short.0, format!("{less} must be shorter than `{}` ({more})", long.0));
    }
}

fn read_site(s: &Section<'_>) -> Option<SiteConfig> {
    let name = s.text("name", Need::Required);
    let page_url = s.url("page_url", Need::Optional, check::Shape::Whole);
    s.finish();
    Some(SiteConfig { name: name?, page_url })
}

fn read_paths(s: &Section<'_>) -> Option<PathsConfig> {
    let data = s.path("data", Need::Required);
    let page = s.path("page", Need::Required);
    let log = s.path("log", Need::Required);
    s.finish();
    Some(PathsConfig { data: data?, page: page?, log: log? })
}

fn read_tick(s: &Section<'_>) -> Option<TickConfig> {
    let budget = s.span("budget", Need::Default("105 s"), Seconds(10)..=Seconds::minutes(30));
    let read_limit = s.span("read_limit", Need::Default("12 s"), Seconds(1)..=Seconds::minutes(10));
    let pass_pause = s.span("pass_pause", Need::Default("2 s"), Seconds(1)..=Seconds::minutes(10));
    let warn_after_failures = s.number("warn_after_failures", Need::Default("3"), 1..=1000);
    s.finish();
    Some(TickConfig {
        budget: budget?,
        read_limit: read_limit?,
        pass_pause: pass_pause?,
        warn_after_failures: u32::try_from(warn_after_failures?).ok()?,
    })
}

fn read_overrides(s: &Section<'_>) -> Option<OverridesConfig> {
    let bounds = Seconds::minutes(1)..=Seconds::minutes(30 * 24 * 60);
    let default_time = s.span("default_time", Need::Default("1 hour"), bounds.clone());
    let max_time = s.span("max_time", Need::Default("24 hours"), bounds);
    s.finish();
    let (default_time, max_time) = (default_time?, max_time?);
    if default_time > max_time {
        s.mistake("default_time", format!("{default_time} must not be longer than `max_time` ({max_time})"));
    }
    Some(OverridesConfig { default_time, max_time })
}

fn read_history(s: &Section<'_>) -> Option<HistoryConfig> {
    let keep_days = s.number("keep_days", Need::Default("30"), 1..=36_500);
    let averages_days = s.number("averages_days", Need::Default("730"), 1..=36_500);
    let inputs_days = s.number("inputs_days", Need::Default("14"), 0..=366);
    s.finish();
    Some(HistoryConfig {
        keep_days: u32::try_from(keep_days?).ok()?,
        averages_days: u32::try_from(averages_days?).ok()?,
        inputs_days: u32::try_from(inputs_days?).ok()?,
    })
}
