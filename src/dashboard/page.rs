//! Fills the templates. What a template shows is made ready here as text and flags, so that it needs nothing but `each`
//! and `if`; all text is escaped by handlebars, and no template switches that off.

use base64::Engine;
use handlebars::Handlebars;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Input;
use super::call_rows::{self, CallsView};
use super::status::{DeviceStatus, FanStatus, Level, PduStatus, Status};
use super::trends::{self, ChartView, LanesView};
use super::words::{Words, clean, count};
use crate::units::{Seconds, Watts};

const PAGE: &str = include_str!("../../templates/page/page.hbs");
const STYLE: &str = include_str!("../../templates/page/style.css");
const SCRIPT: &str = include_str!("../../templates/page/script.js");
const PARTIALS: [(&str, &str); 14] = [
    ("alarms", include_str!("../../templates/page/alarms.hbs")),
    ("calls", include_str!("../../templates/page/calls.hbs")),
    ("chart", include_str!("../../templates/page/chart.hbs")),
    ("climate", include_str!("../../templates/page/climate.hbs")),
    ("container", include_str!("../../templates/page/container.hbs")),
    ("devices", include_str!("../../templates/page/devices.hbs")),
    ("events", include_str!("../../templates/page/events.hbs")),
    ("log", include_str!("../../templates/page/log.hbs")),
    ("miners", include_str!("../../templates/page/miners.hbs")),
    ("now", include_str!("../../templates/page/now.hbs")),
    ("pdus", include_str!("../../templates/page/pdus.hbs")),
    ("signal", include_str!("../../templates/page/signal.hbs")),
    ("trends", include_str!("../../templates/page/trends.hbs")),
    ("value", include_str!("../../templates/page/value.hbs")),
];

/// Lines of the log on the page.
const LOG_LINES_MAX: usize = 60;
/// Causes of worry that are listed at the top: it must stay a glance.
const GLANCE_MAX: usize = 6;

/// What the templates see.
#[derive(Debug, Serialize)]
struct View<'a> {
    /// Inserted as they are: parsing them as templates costs more than all the rest.
    style: &'static str,
    script: &'static str,
    s: &'a Status,
    title: String,
    /// The headline up to its first comma, and the rest.
    headline: String,
    detail: String,
    drawn: String,
    zone: &'a str,
    next_due: String,
    icon_colour: &'static str,
    causes: Vec<&'a str>,
    /// What else there is, of lesser weight or beyond the glance.
    also: Option<String>,
    observe: bool,
    call_first_command: Option<String>,
    call_proven: Option<String>,
    call_before: Option<String>,
    fans: Vec<FanTile>,
    fans_summary: String,
    fan_problems: Vec<String>,
    pdus: Vec<PduRow<'a>>,
    devices: Vec<DeviceRow<'a>>,
    devices_summary: String,
    calls: CallsView,
    charts: Vec<ChartView>,
    lanes: Option<LanesView>,
    log: Vec<String>,
    script_hash: String,
}

/// A fan in the picture of the container.
#[derive(Debug, Serialize)]
struct FanTile {
    number: u8,
    /// `running`, `stopped`, `unknown` or `fault`.
    look: &'static str,
    state: &'static str,
    power: String,
    note: String,
    known: bool,
    wanted: &'static str,
    relay: &'static str,
    ran: String,
    held: Option<&'static str>,
}

/// A PDU's row.
#[derive(Debug, Serialize)]
struct PduRow<'a> {
    p: &'a PduStatus,
    outlets: String,
}

/// A device's row.
#[derive(Debug, Serialize)]
struct DeviceRow<'a> {
    d: &'a DeviceStatus,
    /// `ok`, `bad` or `unknown`.
    look: &'static str,
    state: String,
    took: Option<String>,
}

/// The page as text; `Err` is a sentence about a template that does not fit its data.
pub(super) fn render(input: &Input, status: &Status) -> Result<String, String> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    let mut add = |name: &str, text: &str| {
        templates.register_template_string(name, text).map_err(|e| format!("page: template `{name}`: {e}"))
    };
    add("page", PAGE)?;
    for (name, text) in PARTIALS {
        add(name, text)?;
    }
    templates.render("page", &view(input, status)).map_err(|e| format!("page: cannot be drawn: {e}"))
}

fn view<'a>(input: &'a Input, s: &'a Status) -> View<'a> {
    let words = Words::new(input.cfg, input.now);
    let (headline, detail) = s.headline.split_once(", ").unwrap_or((s.headline.as_str(), ""));
    let mark = match s.worry.level {
        Level::Ok | Level::Info => "",
        Level::Warning => "(!) ",
        Level::Emergency => "(!!) ",
    };
    let call = s.miners.call.as_ref();
    let log_from = input.log_tail.len().saturating_sub(LOG_LINES_MAX);
    View {
        style: STYLE,
        script: SCRIPT,
        title: format!("{mark}{headline} – {}", s.site),
        headline: unbroken(headline),
        detail: unbroken(detail),
        zone: &input.cfg.time_zone,
        drawn: words.full(input.now.wall),
        next_due: words.hour_minute(input.next_due),
        icon_colour: match s.worry.level {
            Level::Ok => "1a7f4b",
            Level::Info => "2563a8",
            Level::Warning => "b25e00",
            Level::Emergency => "c1121f",
        },
        causes: worst(s).take(GLANCE_MAX).collect(),
        also: also(s),
        observe: s.mode == "observe",
        call_first_command: call.and_then(|c| c.first_command_after_s).map(|s| Seconds(s).to_string()),
        call_proven: call.and_then(|c| c.proven_after_s).map(|s| Seconds(s).to_string()),
        call_before: call.and_then(|c| c.watts_before).and_then(|w| Watts::new(w).ok()).map(|w| w.to_string()),
        fans: s.fans.iter().map(tile).collect(),
        fans_summary: fans_summary(&s.fans),
        fan_problems: fan_problems(&s.fans),
        pdus: s.pdus.iter().map(pdu).collect(),
        devices: s.devices.iter().map(device).collect(),
        devices_summary: devices_summary(s),
        calls: call_rows::view(input, &words),
        charts: trends::charts(input, &words),
        lanes: trends::lanes(input, &words),
        log: input.log_tail.iter().skip(log_from).map(|line| clean(line)).collect(),
        script_hash: base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT.as_bytes())),
        s,
    }
}

fn pdu(p: &PduStatus) -> PduRow<'_> {
    let outlets = match p.outlets_on {
        None => "not read".to_owned(),
        Some(on) if p.outlets_read < p.outlets_listed => {
            format!("{on} of {} read ({} listed)", p.outlets_read, p.outlets_listed)
        }
        Some(on) => format!("{on} of {}", p.outlets_listed),
    };
    PduRow { p, outlets }
}

fn device(d: &DeviceStatus) -> DeviceRow<'_> {
    let (look, state) = match d.ok {
        Some(true) => ("ok", "answers".to_owned()),
        Some(false) => ("bad", format!("fails, {}", count(d.failures as usize, "run", "runs in a row"))),
        None => ("unknown", "not asked yet".to_owned()),
    };
    DeviceRow { d, look, state, took: d.took_ms.map(|ms| format!("{ms} ms")) }
}

fn tile(fan: &FanStatus) -> FanTile {
    let word = |on: Option<bool>, unknown| match on {
        Some(true) => "on",
        Some(false) => "off",
        None => unknown,
    };
    FanTile {
        number: fan.fan,
        look: match (fan.fault, fan.proven) {
            (Some(_), _) => "fault",
            (None, Some(true)) => "running",
            (None, Some(false)) => "stopped",
            (None, None) => "unknown",
        },
        state: fan.fault.unwrap_or(fan.state),
        power: if fan.power.value.is_some() { fan.power.text.clone() } else { "not read".to_owned() },
        note: fan.power.note.clone(),
        known: fan.power.value.is_some(),
        wanted: word(fan.wanted, "not decided"),
        relay: word(fan.relay, "not read"),
        ran: Seconds(fan.run_time_s).to_string(),
        held: fan.held.map(|on| if on { "on" } else { "off" }),
    }
}

/// The causes that made the worry what it is.
fn worst(s: &Status) -> impl Iterator<Item = &str> {
    s.worry.causes.iter().filter(|c| c.level == s.worry.level).map(|c| c.text.as_str())
}

/// `Also 3 warnings and 1 remark, shown below.`
fn also(s: &Status) -> Option<String> {
    let number = |level| s.worry.causes.iter().filter(|c| c.level == level && level < s.worry.level).count();
    let more = worst(s).count().saturating_sub(GLANCE_MAX);
    let (warnings, remarks) = (number(Level::Warning), number(Level::Info));
    let parts = [
        (more, format!("{more} more of these")),
        (warnings, count(warnings, "warning", "warnings")),
        (remarks, count(remarks, "remark", "remarks")),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(_, text)| text).collect();
    (!parts.is_empty()).then(|| format!("Also {}, shown below.", parts.join(" and ")))
}

/// Keeps a number and its unit on one line: `3 d 4 h` is one thing to read.
fn unbroken(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let joins = letter == ' ' && (before.is_ascii_digit() || letters.peek().is_some_and(char::is_ascii_digit));
        shown.push(if joins { '\u{a0}' } else { letter });
        before = letter;
    }
    shown
}

/// Why fans' readings are not good, each reason once: one silent meter is one line, not nine.
fn fan_problems(fans: &[FanStatus]) -> Vec<String> {
    let mut problems: Vec<(&str, Vec<String>)> = Vec::new();
    for fan in fans {
        let Some(problem) = fan.power.problem.as_deref() else { continue };
        match problems.iter_mut().find(|(known, _)| *known == problem) {
            Some((_, numbers)) => numbers.push(fan.fan.to_string()),
            None => problems.push((problem, vec![fan.fan.to_string()])),
        }
    }
    problems.into_iter().map(|(problem, numbers)| format!("watts of fan {}: {problem}", numbers.join(", "))).collect()
}

/// `10 of 12 answer, 2 fail`.
fn devices_summary(s: &Status) -> String {
    let number = |ok| s.devices.iter().filter(|d| d.ok == ok).count();
    let mut text = format!("{} of {} answer", number(Some(true)), s.devices.len());
    for (n, word) in [(number(Some(false)), "fail"), (number(None), "not asked yet")] {
        if n > 0 {
            text.push_str(&format!(", {n} {word}"));
        }
    }
    text
}

/// `7 of 9 running, 1 with a fault`.
fn fans_summary(fans: &[FanStatus]) -> String {
    let running = fans.iter().filter(|f| f.proven == Some(true)).count();
    let faults = fans.iter().filter(|f| f.fault.is_some()).count();
    let unproven = fans.iter().filter(|f| f.fault.is_none() && f.proven.is_none()).count();
    let mut text = format!("{running} of {} proven running", fans.len());
    if faults > 0 {
        text.push_str(&format!(", {faults} with a fault"));
    }
    if unproven > 0 {
        text.push_str(&format!(", {unproven} not proven"));
    }
    text
}
