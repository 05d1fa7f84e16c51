//! The values of one pass for the trends. A value that was not read is kept as `None`: a gap, not a zero.

use super::judge::{Inputs, Quality};
use crate::config::Config;
use crate::model::{Sample, SignalValue, SiteState, Snapshot};

/// One sample of each series, always the same series for one configuration.
pub(super) fn collect(cfg: &Config, next: &SiteState, inputs: &Inputs, snapshot: &Snapshot) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut push = |series: String, value: Option<f64>| samples.push(Sample { series, value });
    let signal = snapshot.signal.as_ref().ok().map(|reading| match reading.value {
        SignalValue::Number(number) => number,
        SignalValue::CurtailWord(_) => 1.0,
        SignalValue::RunWord(_) => 0.0,
    });
    push("signal".to_owned(), signal);
    push("curtail".to_owned(), Some(flag(!next.demand.reasons.is_empty())));
    push("miners_w".to_owned(), next.miners.watts.map(|w| w.value()));
    let foreman = snapshot.foreman.as_ref().ok();
    push("miners_online".to_owned(), foreman.and_then(|f| f.online).map(f64::from));
    push("hash_rate_ths".to_owned(), foreman.and_then(|f| f.hash_rate).map(|h| h.value()));
    for room in &cfg.rooms {
        for probe in &room.probes {
            // A held value is an old one: the trend shows only what was read.
            let good = match inputs.probes.get(&probe.name) {
                Some(Quality::Good(t)) => Some(t.value()),
                Some(Quality::Held(..) | Quality::Bad(_)) | None => None,
            };
            push(format!("temperature.{}_c", probe.name), good);
            if let Some(humidity) = inputs.humidity.get(&probe.name) {
                push(format!("humidity.{}_pct", probe.name), humidity.map(|h| h.value()));
            }
        }
    }
    for pdu in &cfg.pdus {
        let watts = inputs.pdus.get(&pdu.name).and_then(|w| w.as_ref().ok());
        push(format!("pdu.{}_w", pdu.name), watts.map(|w| w.value()));
    }
    for (number, fan) in &next.fans {
        push(format!("fan.{number}_w"), fan.watts.map(|w| w.value()));
        push(format!("fan.{number}_on"), fan.proven.map(flag));
    }
    let known = next.fans.values().any(|fan| fan.proven.is_some());
    let on = next.fans.values().filter(|fan| fan.proven == Some(true)).count();
    push("fans_on".to_owned(), known.then_some(on as f64));
    samples
}

fn flag(on: bool) -> f64 {
    if on { 1.0 } else { 0.0 }
}
