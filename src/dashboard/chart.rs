//! Line charts and on/off lanes as SVG paths, thinned out to what a screen can show. It knows no series and no site:
//! labels, units and time ticks come from the caller, colours and text from the template.
//!
//! Paths are drawn in a plane that the page stretches to any size; labels stand beside it as text, so that they keep
//! their size on a phone. One unit of its width is half a bucket, one unit of its height the last decimal that is shown:
//! whoever reads a path reads the values themselves, so the page needs no second copy of them for its script.

use crate::units::{Seconds, UnixSeconds};

/// Points of one series, oldest first; `None` where there was no trustworthy reading.
pub type Points = [(UnixSeconds, Option<f64>)];

/// The time shown: `from` at the left edge, `to` at the right. A longer step between points than `gap` is a gap.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Left edge.
    pub from: UnixSeconds,
    /// Right edge.
    pub to: UnixSeconds,
    /// The longest step that is joined by a line.
    pub gap: Seconds,
    /// The number of equal parts of it; of the points in each, the least and the greatest stay.
    pub buckets: u32,
}

impl Span {
    /// Where a time lies: 0 at the left edge, 1 at the right; `None` outside.
    pub fn place(&self, at: UnixSeconds) -> Option<f64> {
        let length = self.to.0.saturating_sub(self.from.0).max(1);
        let place = at.0.saturating_sub(self.from.0) as f64 / length as f64;
        (0.0..=1.0).contains(&place).then_some(place)
    }

    /// Width of the plane: two points fit into each bucket.
    pub fn width(&self) -> u32 {
        self.buckets.saturating_mul(2)
    }
}

/// The least and the greatest value of an axis, and its ticks.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// At the bottom.
    pub min: f64,
    /// At the top.
    pub max: f64,
    /// Round values in between, both ends included.
    pub ticks: Vec<f64>,
    /// Decimals that the ticks need.
    pub decimals: usize,
    /// Decimals that values are drawn and told with.
    pub value_decimals: usize,
}

impl Scale {
    /// Height of the plane: steps of the last decimal from the bottom to the top.
    pub fn height(&self) -> u32 {
        self.depth(self.min)
    }

    /// How far below the top a value lies, in steps of the last decimal; values beyond an edge lie on it.
    pub fn depth(&self, value: f64) -> u32 {
        let per_unit = 10_f64.powi(self.value_decimals as i32);
        ((self.max - value.clamp(self.min, self.max)) * per_unit).round().max(0.0) as u32
    }

    /// A value as it is told.
    pub fn text(&self, value: f64) -> String {
        format!("{value:.*}", self.value_decimals)
    }
}

/// What an axis shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Values of any kind: the axis fits them closely.
    Close,
    /// Amounts: 0 is on the axis.
    FromZero,
    /// Things that are counted: 0 is on the axis, and no tick is a fraction.
    Counted,
}

/// Values are told so exactly that an axis has at least so many steps of their last decimal.
const STEPS_MIN: f64 = 200.0;

/// An axis of three to seven round ticks that holds all values.
pub fn scale(values: impl IntoIterator<Item = f64>, axis: Axis) -> Scale {
    let from_zero = axis != Axis::Close;
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.into_iter().filter(|v| v.is_finite()) {
        min = min.min(value);
        max = max.max(value);
    }
    if min > max {
        (min, max) = (0.0, 1.0);
    }
    if from_zero {
        min = min.min(0.0);
        max = max.max(0.0);
    }
    if max - min < 1e-9 {
        // A flat line stands in the middle of a small range.
        let room = (max.abs() * 0.05).max(0.5);
        (min, max) = (if from_zero { min } else { min - room }, max + room);
    }
    let step = nice_step((max - min) / 4.0, axis);
    let first = (min / step).floor();
    let count = ((max / step).ceil() - first).clamp(1.0, 12.0) as u32;
    let ticks: Vec<f64> = (0..=count).map(|i| (first + f64::from(i)) * step).collect();
    let decimals = if step >= 1.0 && step.fract() == 0.0 { 0 } else { (-step.log10().floor()).max(1.0) as usize };
    let (min, max) = (first * step, (first + f64::from(count)) * step);
    let mut value_decimals = 0;
    while axis != Axis::Counted && value_decimals < 6 && (max - min) * 10_f64.powi(value_decimals) < STEPS_MIN {
        value_decimals += 1;
    }
    Scale { min, max, ticks, decimals: decimals.min(6), value_decimals: value_decimals as usize }
}

/// The round number (1, 2, 2.5 or 5 times a power of ten) that is not below `rough`; for counted things a whole one.
fn nice_step(rough: f64, axis: Axis) -> f64 {
    let rough = if axis == Axis::Counted { rough.max(1.0) } else { rough };
    let power = 10_f64.powf(rough.log10().floor());
    let fits = |c: &f64| c * power >= rough * 0.999_999 && (axis != Axis::Counted || (c * power).fract() == 0.0);
    power * [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(fits).unwrap_or(10.0)
}

/// A series reduced to its path and the figures beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// SVG path data: an absolute start for each stretch, then relative steps.
    pub d: String,
    /// The last point's value; `None` when it is missing.
    pub last: Option<f64>,
    /// The least value.
    pub min: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
}

/// Parts of a plane's height that cannot be told apart by eye.
const FLAT_PARTS: u32 = 100;

/// Draws a series: per bucket its least and its greatest value in the order they came, or its last one where these two
/// look the same; a break wherever a value is missing or a step is longer than the span's gap.
pub fn line(points: &Points, span: &Span, scale: &Scale) -> Line {
    let mut pen = Pen::default();
    let mut bucket = Bucket { flat: scale.height() / FLAT_PARTS, ..Bucket::default() };
    let (mut last, mut min, mut max) = (None, None::<f64>, None::<f64>);
    let mut before: Option<UnixSeconds> = None;
    for (at, value) in points {
        let Some(place) = span.place(*at) else { continue };
        last = *value;
        let late = before.is_some_and(|b| at.since(b) > span.gap);
        before = Some(*at);
        let Some(value) = value.filter(|v| v.is_finite()) else {
            bucket.flush(&mut pen);
            pen.lift();
            continue;
        };
        min = Some(min.map_or(value, |m| m.min(value)));
        max = Some(max.map_or(value, |m| m.max(value)));
        if late {
            bucket.flush(&mut pen);
            pen.lift();
        }
        let x = (place * f64::from(span.buckets)) as u32;
        bucket.add(x.min(span.buckets.saturating_sub(1)), scale.depth(value), &mut pen);
    }
    bucket.flush(&mut pen);
    pen.lift();
    Line { d: pen.path, last, min, max }
}

/// The extremes of the points of one bucket, in the order they came.
#[derive(Debug, Default)]
struct Bucket {
    /// Extremes that lie no further apart are one point.
    flat: u32,
    number: u32,
    last: u32,
    extremes: Option<((usize, u32), (usize, u32))>,
    count: usize,
}

impl Bucket {
    fn add(&mut self, number: u32, y: u32, pen: &mut Pen) {
        if self.number != number {
            self.flush(pen);
            self.number = number;
        }
        self.count += 1;
        self.last = y;
        let (low, high) = self.extremes.get_or_insert(((self.count, y), (self.count, y)));
        if y < low.1 {
            *low = (self.count, y);
        }
        if y > high.1 {
            *high = (self.count, y);
        }
    }

    fn flush(&mut self, pen: &mut Pen) {
        if let Some((low, high)) = self.extremes.take() {
            let (first, second) = if low.0 <= high.0 { (low.1, high.1) } else { (high.1, low.1) };
            let x = self.number.saturating_mul(2);
            if high.1.saturating_sub(low.1) <= self.flat {
                pen.to(x, self.last);
            } else {
                pen.to(x, first);
                pen.to(x.saturating_add(1), second);
            }
        }
        self.count = 0;
    }
}

/// Writes path data in whole steps, a dot for a point that stands alone.
#[derive(Debug, Default)]
struct Pen {
    path: String,
    at: Option<(i64, i64)>,
    alone: bool,
}

impl Pen {
    fn to(&mut self, x: u32, y: u32) {
        let (x, y) = (i64::from(x), i64::from(y));
        match self.at.replace((x, y)) {
            None => {
                self.path.push_str(&format!("M{x} {y}"));
                self.alone = true;
            }
            Some((x_before, y_before)) => {
                let (right, down) = (x - x_before, y - y_before);
                // A minus sign parts numbers as well as a space does.
                let between = if down < 0 { "" } else { " " };
                self.path.push_str(&format!("{}{right}{between}{down}", if self.alone { "l" } else { " " }));
                self.alone = false;
            }
        }
    }

    fn lift(&mut self) {
        if self.at.take().is_some() && self.alone {
            // A line of no length with round ends is a dot.
            self.path.push_str("h0");
        }
        self.alone = false;
    }
}

/// The stretches in which a 0/1 series was on, off, or not known, as shares of the span.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// From and to, 0 to 1, where it was on.
    pub on: Vec<(f64, f64)>,
    /// From and to, 0 to 1, where it was off.
    pub off: Vec<(f64, f64)>,
    /// How long it was on.
    pub time_on: Seconds,
}

/// Reads a 0/1 series as stretches. A point holds until the next one, but no longer than the span's gap.
pub fn lane(points: &Points, span: &Span) -> Lane {
    let mut lane = Lane { on: Vec::new(), off: Vec::new(), time_on: Seconds(0) };
    let mut points = points.iter().peekable();
    while let Some((at, value)) = points.next() {
        let Some(from) = span.place(*at) else { continue };
        let Some(value) = value else { continue };
        let end = points.peek().map_or(span.to, |(next, _)| *next).min(span.to);
        let end = if end.since(*at) > span.gap { at.plus(span.gap).min(span.to) } else { end };
        let Some(to) = span.place(end) else { continue };
        let on = *value >= 0.5;
        if on {
            lane.time_on = Seconds(lane.time_on.0.saturating_add(end.since(*at).0));
        }
        let stretches = if on { &mut lane.on } else { &mut lane.off };
        match stretches.last_mut() {
            Some(last) if (last.1 - from).abs() < 1e-9 => last.1 = to,
            _ => stretches.push((from, to)),
        }
    }
    lane
}

/// Stretches as the path of filled bars in a plane of the span's width, `height` high from `top` on.
pub fn bars(stretches: &[(f64, f64)], span: &Span, top: u32, height: u32) -> String {
    let width = f64::from(span.width());
    let mut bars: Vec<(u32, u32)> = Vec::new();
    for (from, to) in stretches {
        let (from, to) = ((from * width).round() as u32, (to * width).round() as u32);
        // Never thinner than one unit: a short run must be seen.
        let from = from.min(span.width().saturating_sub(1));
        let to = to.max(from.saturating_add(1));
        match bars.last_mut() {
            Some(last) if from <= last.1 => last.1 = to.max(last.1),
            _ => bars.push((from, to)),
        }
    }
    let drawn = bars.iter().map(|(from, to)| format!("M{from} {top}h{}v{height}H{from}z", to.saturating_sub(*from)));
    drawn.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span() -> Span {
        Span { from: UnixSeconds(0), to: UnixSeconds(2880), gap: Seconds(30), buckets: 288 }
    }

    fn at(points: &[(i64, Option<f64>)]) -> Vec<(UnixSeconds, Option<f64>)> {
        points.iter().map(|(t, v)| (UnixSeconds(*t), *v)).collect()
    }

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        let s = scale([0.0, 812.0], Axis::FromZero);
        assert_eq!((s.min, s.max, s.decimals), (0.0, 1000.0, 0));
        assert_eq!(s.ticks, [0.0, 250.0, 500.0, 750.0, 1000.0]);
        let s = scale([21.3, 22.1], Axis::Close);
        assert_eq!(s.decimals, 1, "{s:?}");
        assert!(s.min <= 21.3 && s.max >= 22.1);
        assert_eq!(scale([9.0], Axis::Counted).ticks, [0.0, 5.0, 10.0]);
        assert_eq!(scale([2.0], Axis::Counted).ticks, [0.0, 1.0, 2.0]);
        assert!(scale([5.0], Axis::Close).max > 5.0, "a flat line has a range too");
        assert_eq!(scale([], Axis::FromZero).min, 0.0);
        assert_eq!(scale([f64::NAN, 1.0], Axis::FromZero).min, 0.0);
        assert!(scale([-55.0, 125.0], Axis::Close).ticks.len() <= 7);
    }

    #[test]
    fn a_value_is_told_with_the_decimals_that_its_axis_can_show() {
        let kilowatts = scale([0.0, 812.4], Axis::FromZero);
        assert_eq!((kilowatts.height(), kilowatts.depth(812.4), kilowatts.text(812.4)), (1000, 188, "812".to_owned()));
        let humidity = scale([36.0, 45.9], Axis::Close);
        assert_eq!((humidity.value_decimals, humidity.text(41.0)), (2, "41.00".to_owned()));
        assert_eq!(scale([0.0, 200.0], Axis::FromZero).value_decimals, 0);
        assert_eq!(scale([0.0, 100.0], Axis::FromZero).value_decimals, 1);
        let price = scale([0.021, 0.034], Axis::Close);
        assert!(price.height() >= 200 && price.text(0.034) == "0.03400", "{price:?}");
        assert_eq!(scale([9.0], Axis::Counted).value_decimals, 0, "half a fan is no fan");
        assert_eq!((kilowatts.depth(-5.0), kilowatts.depth(2000.0)), (1000, 0), "beyond an edge is on it");
    }

    #[test]
    fn a_missing_value_and_a_long_step_break_the_line() {
        let scale = scale([0.0, 100.0], Axis::FromZero);
        let drawn = line(&at(&[(0, Some(0.0)), (20, Some(100.0)), (40, None), (60, Some(50.0))]), &span(), &scale);
        assert_eq!(drawn.d, "M0 1000l4-1000M12 500h0", "a point that stands alone is a dot");
        let drawn = line(&at(&[(0, Some(0.0)), (30, Some(0.0)), (61, Some(0.0))]), &span(), &scale);
        assert_eq!(drawn.d, "M0 1000l6 0M12 1000h0", "30 s are joined, 31 s are a gap");
    }

    #[test]
    fn the_extremes_of_a_bucket_stay_when_it_is_thinned_out() {
        let scale = scale([0.0, 100.0], Axis::FromZero);
        let points: Vec<_> = (0..2880).map(|t| (UnixSeconds(t), Some(if t == 1444 { 100.0 } else { 10.0 }))).collect();
        let drawn = line(&points, &span(), &scale);
        assert!(drawn.d.contains(" 2 0 1-900 1 900 2 0"), "{}", drawn.d);
        assert_eq!((drawn.min, drawn.max, drawn.last), (Some(10.0), Some(100.0), Some(10.0)));
        assert!(drawn.d.len() < 1500);
    }

    #[test]
    fn a_bucket_whose_values_look_the_same_is_its_last_value_and_another_both_extremes() {
        let scale = scale([0.0, 1000.0], Axis::FromZero);
        let drawn = |other| line(&at(&[(0, Some(500.0)), (1, Some(other)), (2, Some(505.0))]), &span(), &scale).d;
        assert_eq!((drawn(510.0).as_str(), drawn(511.0).as_str()), ("M0 495h0", "M0 500l1-11"));
    }

    #[test]
    fn the_last_point_is_drawn_inside_the_plane() {
        let scale = scale([0.0, 100.0], Axis::FromZero);
        let drawn = line(&at(&[(2879, Some(0.0)), (2880, Some(100.0))]), &span(), &scale);
        assert_eq!(drawn.d, "M574 1000l1-1000");
    }

    #[test]
    fn the_last_value_is_missing_when_the_last_point_is() {
        let drawn = line(&at(&[(0, Some(3.0)), (20, None)]), &span(), &scale([3.0], Axis::FromZero));
        assert_eq!((drawn.last, drawn.max), (None, Some(3.0)));
    }

    #[test]
    fn lanes_join_equal_points_and_leave_out_what_is_not_known() {
        let drawn =
            lane(&at(&[(0, Some(1.0)), (20, Some(1.0)), (40, Some(0.0)), (60, None), (80, Some(1.0))]), &span());
        assert_eq!(drawn.on.len(), 2, "{drawn:?}");
        assert_eq!(drawn.off, [(40.0 / 2880.0, 60.0 / 2880.0)]);
        assert_eq!(drawn.time_on, Seconds(70), "the last point holds no longer than the gap");
    }

    #[test]
    fn bars_that_touch_are_one_and_a_short_one_is_seen() {
        let two = [(0.0, 0.5), (0.5, 0.6), (0.7, 0.700_01), (1.0, 1.0)];
        assert_eq!(bars(&two, &span(), 1, 8), "M0 1h346v8H0zM403 1h1v8H403zM575 1h1v8H575z");
    }
}
