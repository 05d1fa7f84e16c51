//! Values that have not moved for an implausible time: those of a probe, all watts of a PDU, all watts of the fan meter. An
//! answer that repeats itself says little about now, and a device without a clock in its answers shows it by nothing else.
//! It is told and refuses nothing: whether miners are off is proven without it.

use sha2::{Digest, Sha256};

use super::conditions::{Condition, warning};
use crate::config::Config;
use crate::model::{FanWattsReading, PduReading, SiteState, Snapshot, Unmoved};
use crate::units::{Moment, Watts};

/// Follows since when the watts of each PDU and of the fan meter are the same. What a person set in their place does not
/// count; what is not read neither moves nor stands still.
pub(super) fn follow(cfg: &Config, next: &mut SiteState, snapshot: &Snapshot, now: &Moment) {
    let meter = cfg.fan_watts.name();
    next.unmoved.retain(|name, _| name == meter || cfg.pdus.iter().any(|pdu| pdu.name == *name));
    for (name, watts) in measured(cfg, snapshot) {
        let sum = fingerprint(&watts.each);
        if next.unmoved.get(name).is_none_or(|known| known.sum != sum) {
            next.unmoved.insert(name.to_owned(), Unmoved { sum, since: *now });
        }
    }
}

/// What was read now as it was read for `stuck_after`: while power flows, for nothing but noughts may stand for ever.
pub(super) fn conditions(cfg: &Config, next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Vec<Condition> {
    let mut found = Vec::new();
    for (probe, moved) in &next.climate.moved {
        let still = now.since(moved);
        let read_now = next.climate.probes.get(probe).filter(|good| good.at == *now);
        if let Some(good) = read_now.filter(|_| still >= cfg.climate.stuck_after) {
            let text = format!("Probe {probe} has said {} for {still} without moving: is it stuck?", good.value);
            found.push(warning(format!("stuck {probe}"), text));
        }
    }
    // Of a device that is too old, or fails, that is told.
    let is_well = |name: &str| next.devices.get(name).is_some_and(|health| health.fault.is_none());
    for (name, watts) in measured(cfg, snapshot).into_iter().filter(|(name, watts)| watts.flow && is_well(name)) {
        let still = next.unmoved.get(name).map(|known| now.since(&known.since)).unwrap_or_default();
        if still >= cfg.climate.stuck_after {
            let text = format!(
                "{name} has said exactly the same watts ({}) for {still}: does its meter still measure?",
                watts.total
            );
            found.push(warning(format!("stuck {name}"), text));
        }
    }
    found
}

/// What one device measured in this pass.
struct Measured {
    each: Vec<Watts>,
    total: Watts,
    /// Whether that is more than what counts as off.
    flow: bool,
}

/// The PDUs and the fan meter, by name, as far as they were read.
fn measured<'a>(cfg: &'a Config, snapshot: &'a Snapshot) -> Vec<(&'a str, Measured)> {
    let pdus = snapshot.pdus.iter().filter_map(|(name, pdu)| Some((name.as_str(), of_pdu(cfg, pdu.as_ref().ok()?)?)));
    let meter = snapshot.fan_watts.as_ref().ok().map(|meter| (cfg.fan_watts.name(), of_fans(cfg, meter)));
    pdus.chain(meter).collect()
}

/// All outlets and the total; without a total nothing is known to flow.
fn of_pdu(cfg: &Config, pdu: &PduReading) -> Option<Measured> {
    let total = pdu.total.as_ref().ok()?.value;
    let outlets = pdu.outlets.values().filter_map(|outlet| Some(outlet.watts.as_ref().ok()?.value));
    Some(Measured { each: outlets.chain([total]).collect(), total, flow: total > cfg.miners.off_below })
}

fn of_fans(cfg: &Config, meter: &FanWattsReading) -> Measured {
    let each: Vec<Watts> = meter.fans.values().filter_map(|fan| Some(fan.as_ref().ok()?.value)).collect();
    let flow = each.iter().any(|watts| *watts > cfg.fan_rules.off_below);
    Measured { total: Watts::sum(each.iter().copied()), each, flow }
}

/// A sum over all of them: equal as long as each is the same to the last digit.
fn fingerprint(watts: &[Watts]) -> u64 {
    let mut hasher = Sha256::new();
    watts.iter().for_each(|watts| hasher.update(watts.value().to_be_bytes()));
    hasher.finalize().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
