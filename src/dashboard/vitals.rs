//! The five figures below the headline, each as a number with a gauge against its limits: power, signal, intake, fans,
//! miners online. They say nothing that another part of the page does not; they say it at a glance.

use serde::Serialize;

use super::Input;
use super::chart::{self, Axis, Scale};
use super::status::{FanStatus, Quality, Status, Value};
use super::words::Words;
use crate::config::{OffWhen, SignalMeaning};
use crate::model::{Band, Level};
use crate::units::Temperature;

/// A figure with its gauge.
#[derive(Debug, Serialize)]
pub(super) struct VitalView {
    label: &'static str,
    text: String,
    quality: Quality,
    note: String,
    gauge: Option<GaugeView>,
    /// One for each fan: `running`, `stopped`, `unknown` or `fault`.
    pips: Vec<&'static str>,
}

/// A scale with the value on it.
#[derive(Debug, Serialize)]
struct GaugeView {
    /// How far the value reaches, in hundredths of the scale.
    fill: String,
    /// The value is where the miners go off.
    over: bool,
    marks: Vec<MarkView>,
}

/// A limit on a gauge.
#[derive(Debug, Serialize)]
struct MarkView {
    place: String,
    text: String,
}

pub(super) fn vitals(input: &Input, s: &Status, words: &Words) -> Vec<VitalView> {
    vec![power(input, s), signal(input, s), intake(input, s, words), fans(&s.fans), online(s)]
}

/// A figure as the status has it, with a gauge where there is a number.
fn figure(label: &'static str, value: &Value, gauge: impl FnOnce(f64) -> GaugeView) -> VitalView {
    VitalView {
        label,
        text: value.text.clone(),
        quality: value.quality,
        note: value.note.clone(),
        gauge: value.value.map(gauge),
        pips: Vec::new(),
    }
}

fn place(scale: &Scale, value: f64) -> String {
    let share = (value - scale.min) / (scale.max - scale.min);
    format!("{:.1}", 100.0 * share.clamp(0.0, 1.0))
}

fn mark(scale: &Scale, value: f64, text: String) -> MarkView {
    MarkView { place: place(scale, value), text }
}

/// The finite values of a series of the last 24 hours.
fn day<'a>(input: &Input<'a>, series: &str) -> impl Iterator<Item = f64> + use<'a> {
    input.trends.day.series.get(series).into_iter().flatten().filter_map(|(_, value)| *value)
}

/// Against the most of the last 24 hours; the mark is where the miners count as off.
fn power(input: &Input, s: &Status) -> VitalView {
    figure("Miners’ power", &s.miners.power, |watts| {
        let off = input.cfg.miners.off_below;
        let scale = chart::scale(day(input, "miners_w").chain([watts, off.value()]), Axis::FromZero);
        let marks = vec![mark(&scale, off.value(), format!("off: {off}"))];
        GaugeView { fill: place(&scale, watts), over: false, marks }
    })
}

fn signal(input: &Input, s: &Status) -> VitalView {
    let level = input.state.signal.level;
    let last = s.signal.last_good.clone().unwrap_or_else(|| "never read".to_owned());
    let read = s.signal.last_good_at.as_ref().map(|at| format!(", read {} ago", at.age)).unwrap_or_default();
    // What was read last is no sign of what the page says now.
    let (text, note) = match level {
        Level::Blind => (s.signal.level.to_owned(), format!("last {last}{read}")),
        Level::Run | Level::Curtail => (last, format!("{}{read}", s.signal.level)),
    };
    let gauge = match (&input.cfg.signal.meaning, s.signal.number) {
        (SignalMeaning::Number { off_when, curtail_at, resume_below, .. }, Some(number)) => {
            let all = day(input, "signal").chain([number, *curtail_at, *resume_below]);
            let scale = chart::scale(all, Axis::Close);
            let word = if *off_when == OffWhen::High { "off at" } else { "off below" };
            let marks = vec![mark(&scale, *curtail_at, format!("{word} {curtail_at}"))];
            Some(GaugeView { fill: place(&scale, number), over: level == Level::Curtail, marks })
        }
        (SignalMeaning::Number { .. } | SignalMeaning::Words { .. }, _) => None,
    };
    VitalView {
        label: "Power signal",
        text,
        quality: match level {
            Level::Blind => Quality::Bad,
            Level::Run | Level::Curtail if s.signal.set_by_hand => Quality::SetByHand,
            Level::Run | Level::Curtail if s.signal.problem.is_some() => Quality::Held,
            Level::Run | Level::Curtail => Quality::Good,
        },
        note,
        gauge,
        pips: Vec::new(),
    }
}

fn intake(input: &Input, s: &Status, words: &Words) -> VitalView {
    let limits = &input.cfg.climate;
    let mut vital = figure("Intake", &s.climate.intake, |celsius| {
        let ends = [celsius, limits.resume_min.value(), limits.critical_above.value()];
        let scale = chart::scale(ends, Axis::Close);
        let at = |t: Temperature, word: &str| mark(&scale, t.value(), format!("{word} {}", words.temperature(t)));
        let over = s.climate.shedding || matches!(input.state.climate.band, Band::Hot | Band::Critical);
        GaugeView { fill: place(&scale, celsius), over, marks: vec![at(limits.shed_above, "off at")] }
    });
    vital.note = format!("{}, {}", s.climate.band, vital.note);
    vital
}

fn fans(fans: &[FanStatus]) -> VitalView {
    let running = fans.iter().filter(|fan| fan.proven == Some(true)).count();
    let wanted = fans.iter().filter(|fan| fan.wanted == Some(true)).count();
    VitalView {
        label: "Fans proven running",
        text: format!("{running} of {}", fans.len()),
        quality: if running < wanted { Quality::Held } else { Quality::Good },
        note: format!("{wanted} wanted"),
        gauge: None,
        pips: fans.iter().map(super::container::look).collect(),
    }
}

fn online(s: &Status) -> VitalView {
    let known = s.miners.known.value;
    let mut vital = figure("Miners online", &s.miners.online, |online| {
        let scale = chart::scale([online, known.unwrap_or(online)], Axis::FromZero);
        GaugeView {
            fill: place(&Scale { max: known.unwrap_or(online).max(1.0), ..scale }, online),
            over: false,
            marks: vec![],
        }
    });
    if let (Some(_), Some(known)) = (s.miners.online.value, known) {
        vital.text = format!("{} of {known}", vital.text);
    }
    let rate = s.miners.hash_rate.value.and(Some(&s.miners.hash_rate.text));
    if let Some(rate) = rate {
        vital.note = format!("{rate}, {}", vital.note);
    }
    vital
}
