//! `minectl status`: the state of the site for a terminal, or as `status.json`. It reads nothing itself and decides
//! nothing: it writes what [`Status`] says.

use std::io::{self, Write};

use crate::dashboard::status::{Level, Quality, Value};
use crate::dashboard::{self, Input, Status};

/// The narrowest terminal that is written for; a narrower one wraps by itself.
const WIDTH_MIN: usize = 40;
/// The widest: longer lines are hard to read.
const WIDTH_MAX: usize = 120;
/// From this width on, label and text stand side by side with more room.
const WIDE_FROM: usize = 76;
/// Events shown.
const EVENTS_MAX: usize = 8;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "1;31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BLUE: &str = "34";

/// Writes the status to `out`: as `status.json` if `json`, else as lines of at most `width` characters, coloured if
/// `colour`. `Err` when `out` does not take it.
pub fn status(input: &Input, out: &mut dyn Write, json: bool, colour: bool, width: usize) -> io::Result<()> {
    let status = Status::new(input);
    if json {
        let text = dashboard::json(&status).map_err(io::Error::other)?;
        return out.write_all(text.as_bytes());
    }
    let mut page = Terminal { out, colour, width: width.clamp(WIDTH_MIN, WIDTH_MAX) };
    head(&status, &mut page)?;
    inputs(&status, &mut page)?;
    outputs(&status, &mut page)?;
    standing(&status, &mut page)?;
    tail(&status, &mut page)
}

/// Where lines go, and how.
struct Terminal<'a> {
    out: &'a mut dyn Write,
    colour: bool,
    width: usize,
}

impl Terminal<'_> {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A text folded at blanks, every line indented, in one colour.
    fn text(&mut self, code: &str, indent: usize, text: &str) -> io::Result<()> {
        for line in folded(text, self.width.saturating_sub(indent)) {
            writeln!(self.out, "{:indent$}{}", "", self.paint(code, &line))?;
        }
        Ok(())
    }

    fn title(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out)?;
        self.text(BOLD, 0, text)
    }

    /// A label with its value beside it, the value folded under itself.
    fn row(&mut self, label: &str, code: &str, text: &str) -> io::Result<()> {
        let room = if self.width >= WIDE_FROM { 18 } else { 12 };
        let long = label.chars().count() > room;
        let indent = if long { 4 } else { room.saturating_add(3) };
        let mut lines = folded(text, self.width.saturating_sub(indent)).into_iter();
        if long {
            self.text("", 2, label)?;
        } else {
            let first = lines.next().unwrap_or_default();
            writeln!(self.out, "  {label:<room$} {}", self.paint(code, &first))?;
        }
        for line in lines {
            writeln!(self.out, "{:indent$}{}", "", self.paint(code, &line))?;
        }
        Ok(())
    }

    fn value(&mut self, label: &str, value: &Value) -> io::Result<()> {
        self.row(label, colour_of(value), &told(value))
    }
}

/// Folds at blanks; a word that is longer than the room is cut into pieces.
fn folded(text: &str, room: usize) -> Vec<String> {
    let room = room.max(10);
    let (mut lines, mut line, mut length) = (Vec::new(), String::new(), 0);
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for piece in letters.chunks(room) {
            let needed = piece.len() + usize::from(length > 0);
            if length + needed > room {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.extend(piece);
            length += piece.len();
        }
    }
    lines.push(line);
    lines
}

fn colour_of(value: &Value) -> &'static str {
    match value.quality {
        Quality::Good => "",
        Quality::Held | Quality::SetByHand => YELLOW,
        Quality::Bad => RED,
    }
}

fn told(value: &Value) -> String {
    format!("{} ({})", value.text, value.note)
}

fn head(s: &Status, page: &mut Terminal) -> io::Result<()> {
    let (code, word) = match s.worry.level {
        Level::Ok => (GREEN, "OK"),
        Level::Info => (BLUE, "INFO"),
        Level::Warning => (YELLOW, "WARNING"),
        Level::Emergency => (RED, "EMERGENCY"),
    };
    page.text(DIM, 0, &format!("{} · {} · {}", s.site, s.mode, s.time.time))?;
    page.text(BOLD, 0, &s.headline)?;
    page.text(code, 0, &format!("{word}: {}", s.worry.text))?;
    for cause in &s.worry.causes {
        page.text(code, 2, &format!("- {}", cause.text))?;
    }
    let last = s.last_run.as_ref().map_or("never".to_owned(), |at| format!("{} ago ({})", at.age, at.clock));
    let stale = if s.stale { "STALE, shown from memory. " } else { "" };
    let line = format!("{stale}Last run {last}, next due {}.", s.next_due.clock);
    page.text(if s.stale { RED } else { DIM }, 0, &line)?;
    if s.test_clock {
        page.text(YELLOW, 0, "The times are those of a test clock.")?;
    }
    page.title("Why")?;
    if s.demand.may_run {
        page.row("miners", "", &format!("may run, for {}", s.demand.since.age))?;
    }
    for reason in &s.demand.reasons {
        page.row("off because", YELLOW, &format!("{}, for {}", reason.text, s.demand.since.age))?;
    }
    for why in &s.why {
        page.row(&why.subject, "", &why.text)?;
    }
    Ok(())
}

fn inputs(s: &Status, page: &mut Terminal) -> io::Result<()> {
    page.title("Power signal")?;
    let code = if s.signal.level == "run" { GREEN } else { YELLOW };
    page.row("says", code, &format!("{} for {}", s.signal.level, s.signal.since.age))?;
    match (&s.signal.last_good, &s.signal.last_good_at) {
        (Some(text), Some(at)) => page.row("page", "", &format!("“{text}” ({} ago)", at.age))?,
        _ => page.row("page", RED, "never read")?,
    }
    if let Some(kept) = &s.signal.kept_page {
        page.row("page kept", "", kept)?;
    }
    if let Some(problem) = &s.signal.problem {
        page.row("problem", YELLOW, problem)?;
    }
    page.title("Climate")?;
    page.value(&format!("intake, {}", s.climate.band), &s.climate.intake)?;
    for probe in &s.climate.probes {
        match &probe.humidity {
            Some(humidity) if humidity.note == probe.temperature.note => {
                let text = format!("{}, {} ({})", probe.temperature.text, humidity.text, humidity.note);
                page.row(&probe.name, colour_of(&probe.temperature), &text)?;
            }
            Some(humidity) => {
                page.value(&probe.name, &probe.temperature)?;
                page.value("", humidity)?;
            }
            None => page.value(&probe.name, &probe.temperature)?,
        }
    }
    for switch in &s.climate.switches {
        let code = match switch.alarm {
            Some(true) => RED,
            Some(false) => "",
            None => YELLOW,
        };
        page.row(&switch.name, code, &switch.text)?;
    }
    Ok(())
}

fn outputs(s: &Status, page: &mut Terminal) -> io::Result<()> {
    page.title("Miners")?;
    let since = s.miners.since.as_ref().map_or(String::new(), |at| format!(" for {}", at.age));
    page.row("phase", "", &format!("{}{since}", s.miners.phase))?;
    page.value("power", &s.miners.power)?;
    page.value("online", &s.miners.online)?;
    page.value("hash rate", &s.miners.hash_rate)?;
    for step in &s.miners.steps {
        page.row(&step.name, if step.state == "now" { BLUE } else { "" }, &format!("{}: {}", step.state, step.text))?;
    }
    page.row("drill", "", &s.drills.line())?;
    page.title("Fans")?;
    for fan in &s.fans {
        let on = |state: Option<bool>| match state {
            Some(true) => "on",
            Some(false) => "off",
            None => "not known",
        };
        let code = match (fan.fault, fan.proven) {
            (Some(_), _) => RED,
            (None, Some(true)) => GREEN,
            (None, Some(false)) => "",
            (None, None) => YELLOW,
        };
        let held = fan.held.map_or(String::new(), |state| format!(", held {}", on(Some(state))));
        let text = format!(
            "{}, {}; wanted {}, relay {}{held}",
            fan.fault.unwrap_or(fan.state),
            told(&fan.power),
            on(fan.wanted),
            on(fan.relay)
        );
        page.row(&format!("fan {}", fan.fan), code, &text)?;
    }
    page.title("PDUs")?;
    for pdu in &s.pdus {
        let outlets =
            pdu.outlets_on.map_or("outlets not read".to_owned(), |on| format!("{on} of {} on", pdu.outlets_listed));
        let cut = if pdu.cut > 0 { format!(", {} cut by us", pdu.cut) } else { String::new() };
        page.row(&pdu.name, colour_of(&pdu.power), &format!("{}, {outlets}{cut}", told(&pdu.power)))?;
    }
    Ok(())
}

fn standing(s: &Status, page: &mut Terminal) -> io::Result<()> {
    page.title("Alarms")?;
    for alarm in &s.alarms {
        let code = if alarm.severity == "emergency" { RED } else { YELLOW };
        let by = alarm.acknowledged_by.as_ref().map_or(String::new(), |who| format!(", acknowledged by {who}"));
        let flapping = if alarm.flapping { ", flapping" } else { "" };
        page.row(
            alarm.severity,
            code,
            &format!("{}, for {}{flapping}{by} [{}]", alarm.text, alarm.since.age, alarm.id),
        )?;
    }
    if s.alarms.is_empty() {
        page.text("", 2, "none")?;
    }
    page.title("Overrides")?;
    for o in &s.overrides {
        page.row(&o.target, YELLOW, &format!("{}, {} left, by {}: {}", o.setting, o.left, o.by, o.reason))?;
    }
    if s.overrides.is_empty() {
        page.text("", 2, "none")?;
    }
    Ok(())
}

fn tail(s: &Status, page: &mut Terminal) -> io::Result<()> {
    let answering = s.devices.iter().filter(|d| d.ok == Some(true)).count();
    page.title(&format!("Devices: {answering} of {} answer", s.devices.len()))?;
    for device in s.devices.iter().filter(|d| d.ok != Some(true)) {
        let since = device.since.as_ref().map_or(String::new(), |at| format!(" for {}", at.age));
        let (code, text) = match &device.fault {
            Some(fault) => (RED, format!("{fault}; {}{since}", failed_runs(device.failures))),
            None => (YELLOW, "not asked yet".to_owned()),
        };
        page.row(&device.name, code, &text)?;
    }
    page.title("Last events")?;
    for event in s.events.iter().take(EVENTS_MAX) {
        page.row(&event.at.clock, "", &format!("{}: {}", event.subject, event.text))?;
    }
    if s.events.is_empty() {
        page.text("", 2, "none")?;
    }
    Ok(())
}

fn failed_runs(runs: u32) -> String {
    if runs == 1 { "1 failed run".to_owned() } else { format!("{runs} failed runs in a row") }
}
