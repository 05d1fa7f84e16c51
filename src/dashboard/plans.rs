//! Which charts the page shows, of which series, in what units, with which limits. The drawing is `trends`'s.

use super::Input;
use super::chart::Axis;
use super::words::{Words, clean};
use crate::config::{OffWhen, SignalMeaning};
use crate::units::Temperature;

/// Lines in one chart; more could not be told apart.
const LINES_MAX: usize = 12;
/// Longest label beside a chart, in characters.
const LABEL_MAX: usize = 60;

/// A chart's description before it is drawn.
pub(super) struct Plan {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) axis: Axis,
    /// Decimals that a value has at most: those that its device measures.
    pub(super) decimals_max: usize,
    pub(super) series: Vec<Named>,
    pub(super) convert: fn(f64, &Words) -> f64,
    /// Value (converted) and text of lines that mark a limit.
    pub(super) limits: Vec<(f64, String)>,
}

/// A series and what it is called on the page.
pub(super) struct Named {
    pub(super) label: String,
    pub(super) series: String,
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

/// All series between `prefix` and `suffix`, labelled with what is in between.
pub(super) fn named(input: &Input, prefix: &str, suffix: &str) -> Vec<Named> {
    let found = input.trends.day.series.keys().filter_map(|name| {
        let label = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
        let label = clean(&label.chars().take(LABEL_MAX).collect::<String>());
        Some(Named { label, series: name.clone() })
    });
    found.take(LINES_MAX).collect()
}

fn fan_names(input: &Input) -> Vec<Named> {
    let numbered = |n: Named| Named { label: format!("fan {}", n.label), ..n };
    named(input, "fan.", "_w").into_iter().map(numbered).collect()
}

fn one(label: &str, series: &str) -> Vec<Named> {
    vec![Named { label: label.to_owned(), series: series.to_owned() }]
}

/// The charts in the order of the page.
pub(super) fn plans(input: &Input, words: &Words) -> Vec<Plan> {
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
    let plan = |id, title, unit, (axis, decimals_max), series, convert, limits| Plan {
        id,
        title,
        unit,
        axis,
        decimals_max,
        series,
        convert,
        limits,
    };
    let degree = words.temperature_unit();
    use Axis::{Close, Counted, FromZero};
    vec![
        plan("power", "Miners’ power", "kW", (FromZero, 1), one("all PDUs", "miners_w"), kilo, vec![]),
        plan("signal", "Power signal", "on the page", (Close, 6), one("signal", "signal"), as_is, signal_limits),
        plan(
            "temperature",
            "Temperature",
            degree,
            (Close, 1),
            named(input, "temperature.", "_c"),
            degrees,
            heat_limits,
        ),
        plan("humidity", "Relative humidity", "%RH", (Close, 1), named(input, "humidity.", "_pct"), as_is, vec![]),
        plan("online", "Miners online", "miners", (Counted, 0), one("Foreman", "miners_online"), as_is, vec![]),
        plan("hash-rate", "Hash rate", "PH/s", (FromZero, 2), one("Foreman", "hash_rate_ths"), kilo, vec![]),
        plan("pdus", "Power of each PDU", "kW", (FromZero, 1), named(input, "pdu.", "_w"), kilo, vec![]),
        plan("fan-power", "Power of each fan", "W", (FromZero, 0), fan_names(input), as_is, vec![]),
        plan("fans-on", "Fans proven running", "fans", (Counted, 0), one("fans", "fans_on"), as_is, vec![]),
    ]
}
