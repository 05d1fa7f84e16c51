//! Which charts the page shows, and in what units. Made of the history's series; the drawing is `chart`'s.

use serde::Serialize;

use super::Input;
use super::chart::{self, Axis, Scale, Span};
use super::words::{Words, clean};
use crate::config::{OffWhen, SignalMeaning};
use crate::units::{Seconds, Temperature, UnixSeconds};

const DAY: Seconds = Seconds(86_400);
/// Lines in one chart; more could not be told apart.
const LINES_MAX: usize = 12;

/// Longest label beside a chart, in characters.
const LABEL_MAX: usize = 60;

/// A chart as the template needs it.
#[derive(Debug, Serialize)]
pub(super) struct ChartView {
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    /// What a screen reader says in place of the picture.
    summary: String,
    lines: Vec<LineView>,
    y_ticks: Vec<TickView>,
    x_ticks: Vec<TickView>,
    limits: Vec<LimitView>,
    y_min: String,
    y_max: String,
    decimals: usize,
    shaded: String,
    from: i64,
    to: i64,
}

#[derive(Debug, Serialize)]
struct LineView {
    number: usize,
    label: String,
    d: String,
    last: String,
    min: String,
    max: String,
}

#[derive(Debug, Serialize)]
struct TickView {
    place: String,
    text: String,
    major: bool,
    day: bool,
}

#[derive(Debug, Serialize)]
struct LimitView {
    y: String,
    place: String,
    text: String,
}

/// The fans' running times as lanes.
#[derive(Debug, Serialize)]
pub(super) struct LanesView {
    lanes: Vec<LaneView>,
    x_ticks: Vec<TickView>,
    shaded: String,
}

#[derive(Debug, Serialize)]
struct LaneView {
    label: String,
    on: String,
    off: String,
    text: String,
}

/// A label and its points, in the unit shown.
type Series = (String, Vec<(UnixSeconds, Option<f64>)>);

/// A chart's description before it is drawn.
struct Plan {
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    axis: Axis,
    /// Label and series' name.
    series: Vec<(String, String)>,
    convert: fn(f64, &Words) -> f64,
    /// Value (converted) and text of lines that mark a limit.
    limits: Vec<(f64, String)>,
}

fn as_is(value: f64, _: &Words) -> f64 {
    value
}

fn kilo(value: f64, _: &Words) -> f64 {
    value / 1000.0
}

fn degrees(celsius: f64, words: &Words) -> f64 {
    Temperature::new(celsius).map_or(f64::NAN, |t| words.degrees(t))
}

/// The charts of the last 24 hours, for which there is any point at all.
pub(super) fn charts(input: &Input, words: &Words) -> Vec<ChartView> {
    let span = span(input);
    plans(input, words).iter().filter_map(|plan| draw(input, words, plan, &span)).collect()
}

fn span(input: &Input) -> Span {
    let now = input.now.wall;
    Span { from: now.minus(DAY), to: now, gap: Seconds(input.cfg.loop_interval.0.saturating_mul(5) / 2) }
}

/// All series between `prefix` and `suffix`, labelled with what is in between.
fn named(input: &Input, prefix: &str, suffix: &str) -> Vec<(String, String)> {
    let names = input.history.series.keys();
    let found = names.filter_map(|name| {
        let label = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
        Some((clean(&label.chars().take(LABEL_MAX).collect::<String>()), name.clone()))
    });
    found.take(LINES_MAX).collect()
}

fn fan_names(input: &Input) -> Vec<(String, String)> {
    named(input, "fan.", "_w").into_iter().map(|(number, name)| (format!("fan {number}"), name)).collect()
}

fn one(label: &str, series: &str) -> Vec<(String, String)> {
    vec![(label.to_owned(), series.to_owned())]
}

fn plans(input: &Input, words: &Words) -> Vec<Plan> {
    let (cfg, show) = (input.cfg, |t: Temperature| words.degrees(t));
    let signal_limits = match cfg.signal.meaning {
        SignalMeaning::Number { off_when, curtail_at, resume_below, .. } => {
            let again = if off_when == OffWhen::High { "on again below" } else { "on again above" };
            vec![(curtail_at, format!("off at {curtail_at}")), (resume_below, format!("{again} {resume_below}"))]
        }
        SignalMeaning::Words { .. } => Vec::new(),
    };
    let heat_limits = vec![
        (show(cfg.climate.shed_above), format!("miners off at {}", words.temperature(cfg.climate.shed_above))),
        (show(cfg.climate.resume_below), format!("on again at {}", words.temperature(cfg.climate.resume_below))),
    ];
    let plan = |id, title, unit, axis, series, convert, limits| Plan { id, title, unit, axis, series, convert, limits };
    let degree = words.temperature_unit();
    use Axis::{Close, Counted, FromZero};
    vec![
        plan("power", "Miners’ power", "kW", FromZero, one("all PDUs", "miners_w"), kilo, vec![]),
        plan("signal", "Power signal", "on the page", Close, one("signal", "signal"), as_is, signal_limits),
        plan("temperature", "Temperature", degree, Close, named(input, "temperature.", "_c"), degrees, heat_limits),
        plan("humidity", "Relative humidity", "%RH", Close, named(input, "humidity.", "_pct"), as_is, vec![]),
        plan("online", "Miners online", "miners", Counted, one("online, by Foreman", "miners_online"), as_is, vec![]),
        plan("hash-rate", "Hash rate", "PH/s", FromZero, one("by Foreman", "hash_rate_ths"), kilo, vec![]),
        plan("pdus", "Power of each PDU", "kW", FromZero, named(input, "pdu.", "_w"), kilo, vec![]),
        plan("fan-power", "Power of each fan", "W", FromZero, fan_names(input), as_is, vec![]),
        plan("fans-on", "Fans proven running", "fans", Counted, one("fans", "fans_on"), as_is, vec![]),
    ]
}

fn draw(input: &Input, words: &Words, plan: &Plan, span: &Span) -> Option<ChartView> {
    let converted: Vec<Series> = plan
        .series
        .iter()
        .filter_map(|(label, name)| {
            let points = input.history.series.get(name)?;
            let points = points.iter().filter(|(at, _)| span.place(*at).is_some());
            Some((label.clone(), points.map(|(at, v)| (*at, v.map(|v| (plan.convert)(v, words)))).collect()))
        })
        .collect();
    let values = || converted.iter().flat_map(|(_, points)| points.iter().filter_map(|(_, v)| *v));
    values().next()?;
    let scale = scale_with_limits(values, plan);
    let unit = plan.unit;
    let decimals = if unit == "kW" || unit == "W" || unit == "fans" || unit == "miners" { 0 } else { 1 };
    let text = |value: Option<f64>| value.map_or("no reading".to_owned(), |v| format!("{v:.decimals$}"));
    let lines: Vec<LineView> = converted
        .iter()
        .zip(1..)
        .map(|((label, points), number)| {
            let line = chart::line(points, span, &scale);
            let (last, min, max) = (text(line.last), text(line.min), text(line.max));
            LineView { number, label: label.clone(), d: line.d, last, min, max }
        })
        .collect();
    let told = lines.iter().map(|l| format!("{} last {}, lowest {}, highest {}", l.label, l.last, l.min, l.max));
    let height = |v: f64| format!("{:.1}", chart::HEIGHT * (1.0 - (v - scale.min) / (scale.max - scale.min)));
    let tick = |v: f64| TickView { place: height(v), text: format!("{v:.*}", scale.decimals), major: true, day: false };
    let shown = plan.limits.iter().filter(|(v, _)| (scale.min..=scale.max).contains(v));
    Some(ChartView {
        id: plan.id,
        title: plan.title,
        unit,
        summary: format!("{} over 24 hours in {unit}: {}", plan.title, told.take(6).collect::<Vec<_>>().join("; ")),
        y_ticks: scale.ticks.iter().map(|v| tick(*v)).collect(),
        x_ticks: x_ticks(words, span),
        limits: shown.map(|(v, text)| LimitView { y: height(*v), place: height(*v), text: text.clone() }).collect(),
        y_min: format!("{}", scale.min),
        y_max: format!("{}", scale.max),
        decimals,
        shaded: shaded(input, span),
        from: span.from.0,
        to: span.to.0,
        lines,
    })
}

/// The values' scale; a limit is taken in while it does not press the values into less than half of the height.
fn scale_with_limits<I: Iterator<Item = f64>>(values: impl Fn() -> I, plan: &Plan) -> Scale {
    let alone = chart::scale(values(), plan.axis);
    let room = (alone.max - alone.min).max(1e-9);
    let near = plan.limits.iter().map(|(v, _)| *v).filter(|v| (alone.min - room..=alone.max + room).contains(v));
    chart::scale(values().chain(near), plan.axis)
}

/// Where the miners had to be off, as bars over the whole height.
fn shaded(input: &Input, span: &Span) -> String {
    let points = input.history.series.get("curtail");
    points.map_or(String::new(), |points| chart::bars(&chart::lane(points, span).on, chart::HEIGHT))
}

/// A tick at every third hour of the site's clock; midnight carries the day.
fn x_ticks(words: &Words, span: &Span) -> Vec<TickView> {
    let (_, minute, second) = words.hour_minute_second(span.from);
    let mut at = UnixSeconds(span.from.0.saturating_add(3600 - minute * 60 - second));
    let mut ticks = Vec::new();
    // 24 hours have at most 25 full ones.
    for _ in 0..26 {
        let Some(place) = span.place(at) else { break };
        let (hour, _, _) = words.hour_minute_second(at);
        if hour % 3 == 0 {
            let text = if hour == 0 { words.day(at) } else { words.hour_minute(at) };
            ticks.push(TickView { place: format!("{:.2}", place * 100.0), text, major: hour % 6 == 0, day: hour == 0 });
        }
        at = at.plus(Seconds(3600));
    }
    ticks
}

/// When each fan ran; `None` without any point.
pub(super) fn lanes(input: &Input, words: &Words) -> Option<LanesView> {
    let span = span(input);
    let lanes: Vec<LaneView> = named(input, "fan.", "_on")
        .into_iter()
        .filter_map(|(label, name)| {
            let lane = chart::lane(input.history.series.get(&name)?, &span);
            Some(LaneView {
                label: format!("Fan {label}"),
                on: chart::bars(&lane.on, 64.0),
                off: chart::bars(&lane.off, 10.0),
                text: lane.time_on.to_string(),
            })
        })
        .collect();
    (!lanes.is_empty()).then(|| LanesView { lanes, x_ticks: x_ticks(words, &span), shaded: shaded(input, &span) })
}
