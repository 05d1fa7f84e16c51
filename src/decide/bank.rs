//! What a bank of PDU outlets means to the rules: which outlets one request of the PDU's own switches off, and what of
//! it is remembered. When the rung is climbed is decided by the miners machine.

use super::commands::fresh;
use crate::config::{Config, PduConfig};
use crate::model::{OutletRef, SiteState, Snapshot};
use crate::units::Moment;

/// Whether a PDU has a bank, and all of it may be switched.
pub(super) fn is_listed(cfg: &Config, pdu: &str) -> bool {
    let found = cfg.pdus.iter().find(|known| known.name == pdu);
    found.is_some_and(|pdu| {
        pdu.bank.as_ref().is_some_and(|bank| bank.outlets.iter().all(|outlet| pdu.outlets.contains(outlet)))
    })
}

/// Remembers a bank as cut before the request is sent: its outlets come back with the next resume. An outlet that reads
/// off already and that we did not cut was switched off by somebody, and stays so.
pub(super) fn intend(cfg: &Config, next: &mut SiteState, snapshot: &Snapshot, pdu: &str, now: &Moment) {
    let Some(pdu) = cfg.pdus.iter().find(|known| known.name == pdu) else { return };
    for outlet in ours(next, snapshot, pdu) {
        next.miners.outlets_told.insert(outlet.to_string(), *now);
        next.miners.cut.insert(outlet);
    }
}

fn ours(next: &SiteState, snapshot: &Snapshot, pdu: &PduConfig) -> Vec<OutletRef> {
    let reading = fresh(next, snapshot, pdu);
    let is_off = |id: &str| reading.and_then(|pdu| pdu.outlets.get(id)).is_some_and(|outlet| outlet.on == Ok(false));
    let outlets = pdu.bank.iter().flat_map(|bank| &bank.outlets);
    let outlets = outlets.map(|id| OutletRef { pdu: pdu.name.clone(), outlet: id.clone() });
    outlets.filter(|outlet| next.miners.cut.contains(outlet) || !is_off(&outlet.outlet)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::config::{BankConfig, parse};
    use crate::model::{
        FanWattsReading, Fault, FaultKind, ForemanReading, Measured, OutletReading, PduReading, Reading, SignalReading,
    };
    use crate::units::{BootId, Seconds, UnixSeconds, Watts};

    fn now() -> Moment {
        Moment { wall: UnixSeconds(1_790_000_000), boot: BootId(1), up: Seconds(1000) }
    }

    /// The sample with a bank of outlets 1 to 3 on its first PDU.
    fn config() -> Config {
        let mut cfg = parse(include_str!("../../config.txt"), "config.txt", Path::new("/nowhere")).unwrap();
        cfg.pdus[0].bank = Some(BankConfig {
            method: "PATCH".to_owned(),
            path: "/group".to_owned(),
            body: serde_json::json!({"control_action": "off"}),
            outlets: ["1", "2", "3"].map(str::to_owned).to_vec(),
        });
        cfg
    }

    fn missing<T>() -> Reading<T> {
        Err(Fault::new("device", FaultKind::TimedOut, "no answer"))
    }

    /// All that is read: `spdu-a`, whose outlets 1 and 2 are on and 3 is off.
    fn snapshot() -> Snapshot {
        let outlet = |id: &str, on| {
            let watts = Ok(Measured { value: Watts::ZERO, age: Seconds(1) });
            (id.to_owned(), OutletReading { on: Ok(on), watts })
        };
        let pdu = PduReading {
            total: missing(),
            outlets: BTreeMap::from([outlet("1", true), outlet("2", true), outlet("3", false)]),
            newest: None,
            remarks: Vec::new(),
        };
        Snapshot {
            at: now(),
            signal: missing::<SignalReading>(),
            rooms: BTreeMap::new(),
            fan_watts: missing::<FanWattsReading>(),
            boards: BTreeMap::new(),
            pdus: BTreeMap::from([("spdu-a".to_owned(), Ok(pdu))]),
            foreman: missing::<ForemanReading>(),
            took_ms: BTreeMap::new(),
            troubles: Vec::new(),
        }
    }

    fn cut(next: &SiteState) -> Vec<&str> {
        next.miners.cut.iter().map(|outlet| outlet.outlet.as_str()).collect()
    }

    #[test]
    fn a_bank_is_remembered_outlet_by_outlet_but_for_those_that_somebody_switched_off() {
        let (cfg, mut next) = (config(), SiteState::boot(now()));
        intend(&cfg, &mut next, &snapshot(), "spdu-a", &now());
        assert_eq!(cut(&next), ["1", "2"]);
        assert_eq!(next.miners.outlets_told.keys().collect::<Vec<_>>(), ["spdu-a outlet 1", "spdu-a outlet 2"]);
        next.miners.cut.insert(OutletRef { pdu: "spdu-a".to_owned(), outlet: "3".to_owned() });
        intend(&cfg, &mut next, &snapshot(), "spdu-a", &now());
        assert_eq!(cut(&next), ["1", "2", "3"], "cut by us before: told again");
        assert_eq!(next.miners.outlets_told.len(), 3);
    }

    #[test]
    fn a_bank_of_a_pdu_that_cannot_be_read_is_remembered_as_a_whole() {
        let (cfg, mut next) = (config(), SiteState::boot(now()));
        let mut unread = snapshot();
        unread.pdus.clear();
        intend(&cfg, &mut next, &unread, "spdu-a", &now());
        assert_eq!(cut(&next), ["1", "2", "3"]);
    }

    #[test]
    fn a_pdu_without_bank_is_left_alone() {
        let (cfg, mut next) = (config(), SiteState::boot(now()));
        intend(&cfg, &mut next, &snapshot(), "spdu-b", &now());
        assert!(next.miners.cut.is_empty());
        assert!(is_listed(&cfg, "spdu-a") && !is_listed(&cfg, "spdu-b") && !is_listed(&cfg, "spdu-z"));
    }
}
