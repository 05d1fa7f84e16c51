//! The last 24 hours as one picture, for a chat: temperatures, the miners' power and the signal, by the plans of the page's
//! charts. It has no window to zoom and no script, so each line's last value stands beside its name.

use super::Input;
use super::canvas::{Canvas, FAINT, GRID, LIMIT, Letters, SHADE, Side, TEXT, of_series};
use super::chart::{self, Scale, Span};
use super::plans::{self, Plan};
use super::trends::scale_with_limits;
use super::words::{Words, clean};
use crate::units::{Seconds, UnixSeconds};

const DAY: Seconds = Seconds(86_400);
/// The panels, by the ids of the page's charts.
const PANELS: [&str; 3] = ["temperature", "power", "signal"];
const WIDTH: i32 = 1000;
const HEAD: i32 = 50;
const PANEL: i32 = 340;
const FOOT: i32 = 14;
/// The plot within a panel.
const LEFT: i32 = 84;
const RIGHT: i32 = WIDTH - 24;
const TOP: i32 = 72;
const BOTTOM: i32 = PANEL - 40;
/// Letters of the longest name in a legend.
const NAME_MAX: usize = 18;

/// A line's points in the unit shown.
type Points = Vec<(UnixSeconds, Option<f64>)>;

/// The picture as a PNG file. `Err` is a sentence. A panel without any reading says so.
pub fn picture(input: &Input) -> Result<Vec<u8>, String> {
    let words = Words::new(input.cfg, input.now);
    let to = input.now.wall;
    // A line is joined over one run that was missed.
    let gap = Seconds(input.cfg.loop_interval.0.saturating_mul(5) / 2);
    let span = Span { from: to.minus(DAY), to, gap, buckets: 240 };
    let plans: Vec<Plan> = plans::plans(input, &words).into_iter().filter(|plan| PANELS.contains(&plan.id)).collect();
    let height = HEAD + PANEL * i32::try_from(PANELS.len()).unwrap_or(0) + FOOT;
    let mut canvas = Canvas::new(WIDTH.unsigned_abs(), height.unsigned_abs());
    let title = format!("{}: 24 hours to {}", clean(&input.cfg.site.name), words.full(to));
    canvas.text(&title, (16, HEAD / 2), Side::Left, Letters::Large, TEXT);
    for (number, id) in PANELS.iter().enumerate() {
        let Some(plan) = plans.iter().find(|plan| plan.id == *id) else { continue };
        let top = HEAD + PANEL * i32::try_from(number).unwrap_or(0);
        Panel { input, words: &words, span: &span, plan, top }.draw(&mut canvas);
    }
    canvas.png().map_err(|cause| format!("the picture cannot be packed: {cause}"))
}

/// One chart at its place.
struct Panel<'a> {
    input: &'a Input<'a>,
    words: &'a Words,
    span: &'a Span,
    plan: &'a Plan,
    top: i32,
}

impl Panel<'_> {
    fn draw(&self, canvas: &mut Canvas) {
        let all: Vec<Points> = self.plan.series.iter().map(|named| self.points(&named.series)).collect();
        let values = || all.iter().flat_map(|points| points.iter().filter_map(|(_, value)| *value));
        let title = format!("{} [{}]", self.plan.title, self.plan.unit);
        canvas.text(&title, (16, self.top + 12), Side::Left, Letters::Large, TEXT);
        if values().next().is_none() {
            let middle = (i32::midpoint(LEFT, RIGHT), self.top + i32::midpoint(TOP, BOTTOM));
            canvas.text("no reading in this time", middle, Side::Middle, Letters::Large, FAINT);
            return;
        }
        let scale = scale_with_limits(values, self.plan);
        self.ground(canvas, &scale);
        for (number, points) in all.iter().enumerate() {
            self.line(canvas, &scale, points, number);
        }
        self.limits(canvas, &scale);
        self.legend(canvas, &scale, &all);
    }

    /// A series within the span, in the unit shown.
    fn points(&self, series: &str) -> Points {
        let points = self.input.trends.day.series.get(series).into_iter().flatten();
        let points = points.filter(|(at, _)| self.span.place(*at).is_some());
        points
            .map(|(at, value)| (*at, value.map(|v| (self.plan.convert)(v, self.words)).filter(|v| v.is_finite())))
            .collect()
    }

    fn x(&self, place: f64) -> i32 {
        LEFT + (place * f64::from(RIGHT - LEFT)).round() as i32
    }

    fn y(&self, scale: &Scale, value: f64) -> i32 {
        let share = (scale.max - value.clamp(scale.min, scale.max)) / (scale.max - scale.min).max(1e-9);
        self.top + TOP + (share * f64::from(BOTTOM - TOP)).round() as i32
    }

    /// When the miners had to be off, the grid, and the ticks.
    fn ground(&self, canvas: &mut Canvas, scale: &Scale) {
        let (top, bottom) = (self.top + TOP, self.top + BOTTOM);
        if let Some(points) = self.input.trends.day.series.get("curtail") {
            for (from, to) in chart::lane(points, self.span).on {
                let (from, to) = (self.x(from), self.x(to));
                canvas.fill((from, top), (to - from).max(1), bottom - top, SHADE);
            }
        }
        for tick in &scale.ticks {
            let y = self.y(scale, *tick);
            canvas.line((LEFT, y), (RIGHT, y), GRID, 1);
            let text = format!("{tick:.*}", scale.decimals);
            canvas.text(&text, (LEFT - 8, y), Side::Right, Letters::Small, FAINT);
        }
        let (_, minute, second) = self.words.hour_minute_second(self.span.from);
        let mut time = UnixSeconds(self.span.from.0.saturating_add(3600 - minute * 60 - second));
        for _ in 0..25 {
            let Some(place) = self.span.place(time) else { break };
            let (hour, _, _) = self.words.hour_minute_second(time);
            if hour % 3 == 0 {
                let x = self.x(place);
                canvas.line((x, top), (x, bottom), GRID, if hour == 0 { 2 } else { 1 });
                let text = if hour == 0 { self.words.day(time) } else { self.words.hour_minute(time) };
                canvas.text(&text, (x, bottom + 14), Side::Middle, Letters::Small, FAINT);
            }
            time = time.plus(Seconds(3600));
        }
        canvas.line((LEFT, bottom), (RIGHT, bottom), FAINT, 1);
    }

    /// Joined from point to point; a gap where a value is missing or a step is too long, a dot for a point that stands alone.
    fn line(&self, canvas: &mut Canvas, scale: &Scale, points: &Points, number: usize) {
        let mut before: Option<(UnixSeconds, (i32, i32))> = None;
        for (at, value) in points {
            let (Some(place), Some(value)) = (self.span.place(*at), value) else {
                before = None;
                continue;
            };
            let point = (self.x(place), self.y(scale, *value));
            let from = before.filter(|(when, _)| at.since(*when) <= self.span.gap).map_or(point, |(_, from)| from);
            canvas.line(from, point, of_series(number), 3);
            before = Some((*at, point));
        }
    }

    fn limits(&self, canvas: &mut Canvas, scale: &Scale) {
        const DASH: i32 = 12;
        for (value, text) in self.plan.limits.iter().filter(|(value, _)| (scale.min..=scale.max).contains(value)) {
            let y = self.y(scale, *value);
            let mut x = LEFT;
            while x < RIGHT {
                canvas.line((x, y), ((x + DASH / 2).min(RIGHT), y), LIMIT, 1);
                x += DASH;
            }
            canvas.text(text, (RIGHT - 4, y - 9), Side::Right, Letters::Small, LIMIT);
        }
    }

    /// Each line's name and last value, as many as there is room for.
    fn legend(&self, canvas: &mut Canvas, scale: &Scale, all: &[Points]) {
        const SWATCH: i32 = 22;
        let mut x = 16;
        let y = self.top + 44;
        let mut left_out = all.len();
        for (number, (named, points)) in self.plan.series.iter().zip(all).enumerate() {
            let name: String = named.label.chars().take(NAME_MAX).collect();
            let last = points.last().and_then(|(_, value)| *value);
            let text = format!("{name} {}", last.map_or("no reading".to_owned(), |value| scale.text(value)));
            let width = SWATCH + Letters::Small.width(&text) + 18;
            if x + width > WIDTH - 60 {
                break;
            }
            canvas.fill((x, y - 5), 16, 10, of_series(number));
            canvas.text(&text, (x + SWATCH, y), Side::Left, Letters::Small, TEXT);
            x += width;
            left_out -= 1;
        }
        if left_out > 0 {
            canvas.text(&format!("+{left_out}"), (x, y), Side::Left, Letters::Small, FAINT);
        }
    }
}
