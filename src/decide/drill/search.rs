//! Which outlet feeds a miner, where nobody said it: the one that goes quiet when that miner alone is put to sleep. Two at
//! once prove nothing.

use std::collections::BTreeSet;

use super::Pass;
use crate::decide::commands::fresh;
use crate::decide::ladder::dead_meter;
use crate::decide::power::runs_above;
use crate::model::{OutletRef, SiteState};
use crate::units::Watts;

/// With more outlets quiet than this the mine is not one in which a single one can be told.
const QUIET_MAX: usize = 150;

/// The outlets that do not feed a running miner now; `Err` when none is measured to do so, or too many do not.
pub(super) fn quiet_outlets(pass: &Pass<'_>, next: &SiteState) -> Result<BTreeSet<OutletRef>, String> {
    let (mut quiet, mut runs) = (BTreeSet::new(), 0_usize);
    each(pass, next, |outlet, watts, above| match watts {
        Some(watts) if watts > above => runs = runs.saturating_add(1),
        Some(_) | None => {
            quiet.insert(outlet);
        }
    });
    if runs == 0 {
        return Err("no outlet is measured to feed a running miner".to_owned());
    }
    if quiet.len() > QUIET_MAX {
        return Err(format!("{} outlets are not measured to feed a running miner", quiet.len()));
    }
    Ok(quiet)
}

/// The one outlet that went quiet since; `Err` says how many did.
pub(super) fn gone_quiet(
    pass: &Pass<'_>,
    next: &SiteState,
    before: &BTreeSet<OutletRef>,
) -> Result<(OutletRef, Watts), String> {
    let limit = pass.cfg.miners.outlet_off_below;
    let mut found = Vec::new();
    each(pass, next, |outlet, watts, _| {
        if let Some(watts) = watts.filter(|watts| *watts <= limit && !before.contains(&outlet)) {
            found.push((outlet, watts));
        }
    });
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err("no outlet has gone quiet".to_owned()),
        more => Err(format!("{} outlets have gone quiet at once: which is its own cannot be told", more.len())),
    }
}

/// Each listed outlet with its fresh watts, and the watts above which it feeds a running miner.
fn each(pass: &Pass<'_>, next: &SiteState, mut see: impl FnMut(OutletRef, Option<Watts>, Watts)) {
    for pdu in &pass.cfg.pdus {
        let is_dead = dead_meter(pdu, pass.snapshot).is_some();
        let reading = fresh(next, pass.snapshot, pdu).filter(|_| !is_dead);
        let above = runs_above(pass.cfg, next, &pdu.name, pdu.outlets.len());
        for id in &pdu.outlets {
            let watts = reading.and_then(|reading| reading.outlets.get(id)?.watts.as_ref().ok());
            let watts = watts.filter(|watts| watts.age <= pdu.max_age).map(|watts| watts.value);
            see(OutletRef { pdu: pdu.name.clone(), outlet: id.clone() }, watts, above);
        }
    }
}
