//! Fills the templates. What a template shows is made ready here as text and flags, so that it needs nothing but `each`
//! and `if`; all text is escaped by handlebars, and no template switches that off.

use base64::Engine;
use handlebars::Handlebars;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Input;
use super::call_rows::{self, CallsView};
use super::container::{self, ContainerView};
use super::drills::{self, DrillView};
use super::month::{self, MonthView};
use super::status::{DeviceStatus, EventStatus, Level, Status};
use super::trends::{self, TrendsView};
use super::vitals::{self, VitalView};
use super::words::{Words, clean, count, unbroken};
use crate::units::{Seconds, Watts};

const PAGE: &str = include_str!("../../templates/page/page.hbs");
const STYLE: &str = include_str!("../../templates/page/style.css");
/// uPlot, as it is published, then our own.
const SCRIPT: &str =
    concat!(include_str!("../../templates/page/uplot.js"), include_str!("../../templates/page/script.js"));
const PARTIALS: [(&str, &str); 17] = [
    ("alarms", include_str!("../../templates/page/alarms.hbs")),
    ("calls", include_str!("../../templates/page/calls.hbs")),
    ("chart", include_str!("../../templates/page/chart.hbs")),
    ("climate", include_str!("../../templates/page/climate.hbs")),
    ("container", include_str!("../../templates/page/container.hbs")),
    ("devices", include_str!("../../templates/page/devices.hbs")),
    ("drill", include_str!("../../templates/page/drill.hbs")),
    ("events", include_str!("../../templates/page/events.hbs")),
    ("log", include_str!("../../templates/page/log.hbs")),
    ("miners", include_str!("../../templates/page/miners.hbs")),
    ("month", include_str!("../../templates/page/month.hbs")),
    ("now", include_str!("../../templates/page/now.hbs")),
    ("signal", include_str!("../../templates/page/signal.hbs")),
    ("trends", include_str!("../../templates/page/trends.hbs")),
    ("ticks", include_str!("../../templates/page/ticks.hbs")),
    ("vitals", include_str!("../../templates/page/vitals.hbs")),
    ("value", include_str!("../../templates/page/value.hbs")),
];

/// Lines of the log on the page.
const LOG_LINES_MAX: usize = 60;
/// The page is loaded over a thin line, too.
const BYTES_WANTED: usize = 290_000;
/// Of that, what the paths of the charts may take: the rest of a full page is about 200,000 bytes.
const PATH_BYTES_WANTED: usize = 80_000;
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
    vitals: Vec<VitalView>,
    /// There is an alarm, an override or a trouble to show.
    attention: bool,
    container: ContainerView<'a>,
    devices: Vec<DeviceRow<'a>>,
    devices_summary: String,
    calls: CallsView,
    drill: DrillView,
    month: MonthView,
    trends: TrendsView,
    events: Vec<EventRow<'a>>,
    log: Vec<String>,
    script_hash: String,
}

/// An event's row.
#[derive(Debug, Serialize)]
struct EventRow<'a> {
    e: &'a EventStatus,
    /// What it is shown with: `actions`, `troubles`, `people` or `changes`.
    group: &'static str,
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
    let words = Words::new(input.cfg, input.now);
    let charts = trends::view(input, &words, trends::POINTS_ALL);
    // With many series the charts have fewer points each. Their paths tell how many fit: filling the templates costs more.
    let all = charts.path_bytes();
    let fits = |points: &u32| all / trends::POINTS_ALL as usize * *points as usize <= PATH_BYTES_WANTED;
    let most = (2..=trends::POINTS_ALL).rev().find(fits).unwrap_or(1);
    let mut whole = Some(charts).filter(|_| most == trends::POINTS_ALL);
    let mut drawn = String::new();
    for points in (1..=most).rev() {
        let charts = whole.take().unwrap_or_else(|| trends::view(input, &words, points));
        let page = templates.render("page", &view(input, status, charts));
        drawn = page.map_err(|e| format!("page: cannot be drawn: {e}"))?;
        // The rest is seldom so large that it takes another try.
        if drawn.len() <= BYTES_WANTED {
            break;
        }
    }
    Ok(drawn)
}

fn view<'a>(input: &'a Input, s: &'a Status, trends: TrendsView) -> View<'a> {
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
        vitals: vitals::vitals(input, s, &words),
        attention: !(s.alarms.is_empty() && s.overrides.is_empty() && s.troubles.is_empty()),
        container: container::view(&s.fans, &s.pdus),
        devices: s.devices.iter().map(device).collect(),
        devices_summary: devices_summary(s),
        calls: call_rows::view(input, &words),
        drill: drills::view(&s.drills),
        month: month::view(input, &words),
        trends,
        events: s.events.iter().map(event).collect(),
        log: input.log_tail.iter().skip(log_from).map(|line| clean(line)).collect(),
        script_hash: base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT.as_bytes())),
        s,
    }
}

fn event(e: &EventStatus) -> EventRow<'_> {
    let group = match e.kind {
        "command" | "outcome" => "actions",
        "alarm" | "fault" => "troubles",
        "override" => "people",
        _ => "changes",
    };
    EventRow { e, group }
}

fn device(d: &DeviceStatus) -> DeviceRow<'_> {
    let (look, state) = match d.ok {
        Some(true) => ("ok", "answers".to_owned()),
        Some(false) => ("bad", format!("fails, {}", count(d.failures as usize, "run", "runs in a row"))),
        None => ("unknown", "not asked yet".to_owned()),
    };
    DeviceRow { d, look, state, took: d.took_ms.map(|ms| format!("{ms} ms")) }
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
