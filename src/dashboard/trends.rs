//! The trends of three spans as charts and lanes, made ready as paths, places and text. Which charts there are is
//! `plans`' matter, how a path is written `chart`'s.

use serde::Serialize;

use super::chart::{self, Scale, Span};
use super::plans::{self, Plan};
use super::words::Words;
use super::{Input, Trends};
use crate::model::History;
use crate::units::{Seconds, UnixSeconds};

const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;
/// Lines that a screen reader is told of; the table below the chart has all.
const TOLD_MAX: usize = 6;

/// What the template of the trends shows.
#[derive(Debug, Serialize)]
pub(super) struct TrendsView {
    spans: Vec<SpanView>,
    charts: Vec<ChartView>,
    lanes: Vec<LaneView>,
    /// What is common to all charts of a span, for the lanes.
    lane_ticks: Vec<XTickView>,
    lane_shade: String,
    lane_width: u32,
}

impl TrendsView {
    /// The bytes that fewer points would make fewer.
    pub(super) fn path_bytes(&self) -> usize {
        let plots = self.charts.iter().flat_map(|chart| &chart.plots);
        let bars = plots
            .clone()
            .map(|plot| plot.shade.len())
            .chain(self.lanes.iter().map(|lane| lane.on.len() + lane.off.len()));
        plots.flat_map(|plot| &plot.lines).map(|line| line.d.len()).chain(bars).sum()
    }
}

/// A span that can be chosen.
#[derive(Debug, Serialize)]
struct SpanView {
    /// `day`, `week` or `month`.
    id: &'static str,
    text: &'static str,
    /// The one that is shown first.
    first: bool,
    from: i64,
    to: i64,
    width: u32,
    shade: String,
    /// Nothing was kept that far back.
    empty: bool,
}

/// A chart with its plot for each span.
#[derive(Debug, Serialize)]
struct ChartView {
    id: &'static str,
    title: &'static str,
    unit: &'static str,
    plots: Vec<PlotView>,
    lines: Vec<FiguresView>,
}

#[derive(Debug, Serialize)]
struct PlotView {
    id: &'static str,
    /// What a screen reader says in place of the picture.
    summary: String,
    width: u32,
    height: u32,
    max: String,
    decimals: usize,
    lines: Vec<LineView>,
    y_ticks: Vec<YTickView>,
    x_ticks: Vec<XTickView>,
    limits: Vec<LimitView>,
    shade: String,
    /// There is no point of it in this span.
    empty: bool,
}

#[derive(Debug, Serialize)]
struct LineView {
    number: usize,
    d: String,
}

/// A line's figures beside the chart.
#[derive(Debug, Serialize)]
struct FiguresView {
    number: usize,
    label: String,
    last: String,
    ranges: Vec<RangeView>,
}

#[derive(Debug, Serialize)]
struct RangeView {
    id: &'static str,
    min: String,
    max: String,
}

#[derive(Debug, Serialize)]
struct YTickView {
    /// In the plane, and in hundredths of its height.
    y: u32,
    place: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct XTickView {
    place: String,
    text: String,
    /// It stays on a narrow screen.
    major: bool,
    day: bool,
}

#[derive(Debug, Serialize)]
struct LimitView {
    y: u32,
    place: String,
    text: String,
}

/// When a fan ran.
#[derive(Debug, Serialize)]
struct LaneView {
    label: String,
    on: String,
    off: String,
    text: String,
}

/// A span with the history that belongs to it.
struct Shown<'a> {
    id: &'static str,
    text: &'static str,
    days: u64,
    span: Span,
    history: &'a History,
}

/// Parts of the points that can be kept.
pub(super) const POINTS_ALL: u32 = 4;

fn shown<'a>(input: &Input<'a>, points: u32) -> [Shown<'a>; 3] {
    let Trends { day, week, month } = input.trends;
    let now = input.now.wall;
    // A line is joined over one run that was missed; thinned-out points lie further apart.
    let joined = input.cfg.loop_interval.0.saturating_mul(5) / 2;
    let shown = |id, text, days: u64, buckets: u32, history| {
        let length = days * DAY_S;
        let buckets = buckets * points.clamp(1, POINTS_ALL) / POINTS_ALL;
        let gap = if days == 1 { joined } else { joined.max(length / 2 / u64::from(buckets)) };
        let span = Span { from: now.minus(Seconds(length)), to: now, gap: Seconds(gap), buckets };
        Shown { id, text, days, span, history }
    };
    // Buckets of 6 minutes, 80 minutes and 6 hours.
    [
        shown("day", "24 hours", 1, 240, day),
        shown("week", "7 days", 7, 126, week),
        shown("month", "30 days", 30, 120, month),
    ]
}

/// The trends with so many of [`POINTS_ALL`] parts of their points; no chart where there is no point at all.
pub(super) fn view(input: &Input, words: &Words, points: u32) -> TrendsView {
    let shown = shown(input, points);
    let [day, _, _] = &shown;
    let charts = plans::plans(input, words).iter().filter_map(|plan| chart(words, plan, &shown)).collect();
    TrendsView {
        spans: shown.iter().map(span_view).collect(),
        charts,
        lanes: lanes(input, day),
        lane_ticks: x_ticks(words, day),
        lane_shade: shade(day, 0, 10),
        lane_width: day.span.width(),
    }
}

fn span_view(shown: &Shown) -> SpanView {
    SpanView {
        id: shown.id,
        text: shown.text,
        first: shown.days == 1,
        from: shown.span.from.0,
        to: shown.span.to.0,
        width: shown.span.width(),
        shade: shade(shown, 0, 1),
        empty: shown.history.series.is_empty(),
    }
}

/// A label's points in the unit shown.
type Points = Vec<(UnixSeconds, Option<f64>)>;

fn chart(words: &Words, plan: &Plan, shown: &[Shown]) -> Option<ChartView> {
    let points = |at: &Shown| -> Vec<Points> {
        let converted = |series: &str| {
            let points = at.history.series.get(series).into_iter().flatten();
            let points = points.filter(|(when, _)| at.span.place(*when).is_some());
            points.map(|(when, v)| (*when, v.map(|v| (plan.convert)(v, words)))).collect()
        };
        plan.series.iter().map(|named| converted(&named.series)).collect()
    };
    let mut figures: Vec<FiguresView> = Vec::new();
    for (named, number) in plan.series.iter().zip(1..) {
        let label = named.label.clone();
        figures.push(FiguresView { number, label, last: NO_READING.to_owned(), ranges: Vec::new() });
    }
    let plots: Vec<PlotView> = shown.iter().map(|at| plot(words, plan, at, &points(at), &mut figures)).collect();
    let any = plots.iter().any(|plot| !plot.empty);
    any.then_some(ChartView { id: plan.id, title: plan.title, unit: plan.unit, plots, lines: figures })
}

const NO_READING: &str = "no reading";

/// Draws one span and adds its figures to those of the chart.
fn plot(words: &Words, plan: &Plan, at: &Shown, all: &[Points], figures: &mut [FiguresView]) -> PlotView {
    let values = || all.iter().flat_map(|points| points.iter().filter_map(|(_, v)| *v));
    let scale = scale_with_limits(values, plan);
    let text = |value: Option<f64>| value.map_or(NO_READING.to_owned(), |v| scale.text(v));
    let mut lines = Vec::new();
    let mut told = Vec::new();
    for (points, figure) in all.iter().zip(figures.iter_mut()) {
        let line = chart::line(points, &at.span, &scale);
        let (min, max) = (text(line.min), text(line.max));
        if at.days == 1 {
            figure.last = text(line.last);
        }
        told.push(format!("{} last {}, lowest {min}, highest {max}", figure.label, figure.last));
        figure.ranges.push(RangeView { id: at.id, min, max });
        if !line.d.is_empty() {
            lines.push(LineView { number: figure.number, d: line.d });
        }
    }
    told.truncate(TOLD_MAX);
    let height = scale.height().max(1);
    let place = |v: f64| format!("{:.1}", 100.0 * f64::from(scale.depth(v)) / f64::from(height));
    let tick = |v: &f64| YTickView { y: scale.depth(*v), place: place(*v), text: format!("{v:.*}", scale.decimals) };
    let limits = plan.limits.iter().filter(|(v, _)| (scale.min..=scale.max).contains(v));
    PlotView {
        id: at.id,
        summary: format!("{} over {} in {}: {}", plan.title, at.text, plan.unit, told.join("; ")),
        width: at.span.width(),
        height,
        max: format!("{}", scale.max),
        decimals: scale.value_decimals,
        y_ticks: scale.ticks.iter().map(tick).collect(),
        x_ticks: x_ticks(words, at),
        limits: limits
            .map(|(v, text)| LimitView { y: scale.depth(*v), place: place(*v), text: text.clone() })
            .collect(),
        shade: shade(at, 0, height),
        empty: lines.is_empty(),
        lines,
    }
}

/// The values' scale; a limit is taken in while it does not press the values into less than half of the height.
pub(super) fn scale_with_limits<I: Iterator<Item = f64>>(values: impl Fn() -> I, plan: &Plan) -> Scale {
    let alone = chart::scale(values(), plan.axis);
    let room = (alone.max - alone.min).max(1e-9);
    let near = plan.limits.iter().map(|(v, _)| *v).filter(|v| (alone.min - room..=alone.max + room).contains(v));
    let scale = chart::scale(values().chain(near), plan.axis);
    Scale { value_decimals: scale.value_decimals.min(plan.decimals_max), ..scale }
}

/// Where the miners had to be off, as bars.
fn shade(at: &Shown, top: u32, height: u32) -> String {
    let points = at.history.series.get("curtail");
    points.map_or(String::new(), |points| chart::bars(&chart::lane(points, &at.span).on, &at.span, top, height))
}

/// Ticks by the site's clock: at every third hour of a day, at every midnight of a week, at every fifth of a month.
fn x_ticks(words: &Words, at: &Shown) -> Vec<XTickView> {
    let span = &at.span;
    let (_, minute, second) = words.hour_minute_second(span.from);
    let mut time = UnixSeconds(span.from.0.saturating_add(3600 - minute * 60 - second));
    let mut ticks = Vec::new();
    let mut days = 0;
    // One more than there are full hours in it.
    for _ in 0..at.days.saturating_mul(24).saturating_add(1) {
        let Some(place) = span.place(time) else { break };
        let (hour, _, _) = words.hour_minute_second(time);
        let place = format!("{:.2}", place * 100.0);
        if hour == 0 {
            days += 1;
        }
        if at.days == 1 && hour % 3 == 0 {
            let text = if hour == 0 { words.day(time) } else { words.hour_minute(time) };
            ticks.push(XTickView { place, text, major: hour % 6 == 0, day: hour == 0 });
        } else if at.days == 7 && hour == 0 {
            ticks.push(XTickView { place, text: words.day(time), major: days % 2 == 0, day: false });
        } else if at.days > 7 && hour == 0 && days % 5 == 3 {
            ticks.push(XTickView { place, text: words.date(time), major: days % 10 == 3, day: false });
        }
        time = time.plus(Seconds(HOUR_S));
    }
    ticks
}

/// When each fan ran in the last 24 hours.
fn lanes(input: &Input, day: &Shown) -> Vec<LaneView> {
    let lane = |named: plans::Named| {
        let lane = chart::lane(day.history.series.get(&named.series)?, &day.span);
        Some(LaneView {
            label: format!("Fan {}", named.label),
            on: chart::bars(&lane.on, &day.span, 1, 8),
            off: chart::bars(&lane.off, &day.span, 5, 1),
            text: lane.time_on.to_string(),
        })
    };
    plans::named(input, "fan.", "_on").into_iter().filter_map(lane).collect()
}
