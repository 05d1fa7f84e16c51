//! PDUs that speak Redfish: every address is one that the service itself gave, from its root down; an outlet is read
//! before it is switched, by the target that its own action names. PowerCycle is never sent.

mod link;
mod parse;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Taken;
use super::allowed::Listed;
use super::parse::sum;
use super::turn::Turn;
use crate::config::{PduConfig, RedfishConfig};
use crate::drivers::common::{Limits, is_silent, no_time, quoted};
use crate::model::{Fault, FaultKind, Measured, OutletReading, PduReading, Reading};
use link::Link;

pub use parse::{parse, words};

/// Pages of one list.
const PAGES_MAX: usize = 16;

/// Members of one list.
const MEMBERS_MAX: usize = 1024;

/// After this many requests in a row without an answer, the others are not sent.
const SILENT_MAX: usize = 2;

/// A conversation with one service.
pub(super) struct Redfish<'a> {
    cfg: &'a PduConfig,
    redfish: &'a RedfishConfig,
    link: Link<'a>,
    places: Option<Places>,
    /// The outlets that were in transition in the last reading.
    pub(super) in_transition: BTreeSet<String>,
}

/// Where things are, as the service says.
#[derive(Clone, Default)]
struct Places {
    /// The outlets by id, with the whole resource where the list held it.
    outlets: BTreeMap<String, (String, Option<Value>)>,
    metrics: Option<String>,
}

impl<'a> Redfish<'a> {
    pub(super) fn new(cfg: &'a PduConfig, redfish: &'a RedfishConfig, limits: Limits, turn: Turn<'a>) -> Redfish<'a> {
        Redfish { cfg, redfish, link: Link::new(cfg, limits, turn), places: None, in_transition: BTreeSet::new() }
    }

    /// Reads all listed outlets, and the power of the whole PDU where that is wanted.
    pub(super) fn read(&mut self) -> Reading<PduReading> {
        // What the list holds of the outlets themselves is as old as the list.
        if self.places.as_ref().is_some_and(|places| places.outlets.values().any(|(_, found)| found.is_some())) {
            self.places = None;
        }
        let places = self.places()?;
        self.in_transition.clear();
        let mut outlets = BTreeMap::new();
        let (mut remarks, mut silent) = (parse::Remarks::default(), 0);
        for outlet in Listed::all(self.cfg) {
            let found = if silent >= SILENT_MAX {
                let detail = "not asked: the PDU did not answer the requests before it";
                Err(Fault::new(outlet.device(), FaultKind::TimedOut, detail))
            } else {
                let found = self.outlet(&places, &outlet);
                silent = if found.as_ref().is_err_and(is_silent) { silent + 1 } else { 0 };
                found
            };
            let reading = match found {
                Ok(found) => {
                    if parse::is_in_transition(&found) {
                        self.in_transition.insert(outlet.name().to_owned());
                    }
                    remarks.look_at(outlet.name(), &found);
                    let reading = parse::outlet(&found, outlet.device());
                    self.with_sensor(reading, &found, &outlet)
                }
                Err(fault) => OutletReading { on: Err(fault.clone()), watts: Err(fault) },
            };
            outlets.insert(outlet.name().to_owned(), reading);
        }
        if let Some(fault) = nothing_heard(self.cfg, &outlets) {
            return Err(fault);
        }
        let total = match self.redfish.whole_pdu {
            false => sum(self.cfg, &outlets),
            true => self.whole_pdu(&places),
        };
        Ok(PduReading { total, outlets, newest: None, remarks: remarks.told() })
    }

    fn whole_pdu(&mut self, places: &Places) -> Reading<Measured<crate::units::Watts>> {
        let missing = || Fault::new(&self.cfg.name, FaultKind::Missing, "this PDU shows no metrics of its own");
        let place = places.metrics.clone().ok_or_else(missing)?;
        let metrics = self.link.get(&place)?;
        parse::whole_pdu(&metrics, &self.cfg.name)
    }

    /// Some services name the sensor instead of its value.
    fn with_sensor(&mut self, reading: OutletReading, found: &Value, outlet: &Listed) -> OutletReading {
        match parse::sensor_place(found).map(str::to_owned) {
            Some(place) if reading.watts.as_ref().is_err_and(|fault| fault.kind == FaultKind::Missing) => {
                let sensor =
                    self.link.get(&place).map_err(|fault| Fault { device: outlet.device().to_owned(), ..fault });
                let watts = sensor.and_then(|sensor| parse::sensor(&sensor, outlet.device()));
                OutletReading { watts, ..reading }
            }
            Some(_) | None => reading,
        }
    }

    /// Switches one outlet.
    pub(super) fn switch(&mut self, outlet: &Listed, on: bool) -> Result<Taken, Fault> {
        let mut places = self.places()?;
        // What the list held may be older than the last command.
        places.outlets.values_mut().for_each(|(_, found)| *found = None);
        let found = self.outlet(&places, outlet)?;
        let refuse = |detail: String| Fault::new(outlet.device(), FaultKind::NotObeyed, detail);
        let target = parse::target(&found, outlet.device(), on)?.to_owned();
        if on && let Some(cause) = parse::held_off(&found) {
            return Err(refuse(format!(
                "not switched on: the PDU itself holds it off ({cause}); find the cause there"
            )));
        }
        if on && let Some(branch) = parse::branch_place(&found).map(str::to_owned) {
            let branch = self.link.get(&branch).ok();
            if let Some(state) = branch.as_ref().and_then(parse::tripped) {
                return Err(refuse(format!("not switched on: the breaker of its branch is {state}; find the cause")));
            }
        }
        let body = json!({"PowerState": if on { "On" } else { "Off" }});
        let answer = self.link.post(outlet.device(), &target, &body)?;
        let reply: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let replied = reply.as_ref().and_then(|reply| parse::outlet(reply, outlet.device()).on.ok());
        let named = || reply.as_ref().and_then(|reply| reply.get("@odata.id")).and_then(Value::as_str);
        let task =
            (answer.status == 202).then(|| answer.header("location").or_else(named).map(str::to_owned)).flatten();
        Ok(Taken { replied, task })
    }

    /// There is none in this driver.
    pub(super) fn no_bank(&self) -> Fault {
        Fault::new(&self.cfg.name, FaultKind::Missing, "no bank is configured for this PDU: refused")
    }

    /// How a task stands, in words.
    pub(super) fn task(&mut self, place: &str) -> Option<String> {
        self.link.get(place).ok().and_then(|task| parse::task(&task))
    }

    pub(super) fn close(self) {
        self.link.close();
    }

    fn outlet(&mut self, places: &Places, outlet: &Listed) -> Reading<Value> {
        let Some((place, found)) = places.outlets.get(outlet.sent()) else {
            let known: Vec<&str> = places.outlets.keys().map(String::as_str).collect();
            let detail = format!("the PDU shows no outlet {} (it has {})", outlet.sent(), super::named(&known));
            return Err(Fault::new(outlet.device(), FaultKind::Missing, detail));
        };
        let found = match found {
            Some(found) => Ok(found.clone()),
            None if self.link.is_over() => Err(no_time(outlet.device())),
            None => self.link.get(place).map_err(|fault| Fault { device: outlet.device().to_owned(), ..fault }),
        }?;
        // The address may lead to another outlet than its name says; what is switched must be what is listed.
        match found.get("Id").and_then(Value::as_str) {
            Some(id) if id != outlet.sent() => {
                let detail = format!("{place} is outlet {}, wanted {}", quoted(found.get("Id")), outlet.sent());
                Err(Fault::new(outlet.device(), FaultKind::WrongDevice, detail))
            }
            Some(_) | None => Ok(found),
        }
    }

    /// Follows the service's links to the PDU and its outlets, once in a conversation.
    fn places(&mut self) -> Reading<Places> {
        if let Some(places) = &self.places {
            return Ok(places.clone());
        }
        let root = self.link.open()?;
        let equipment = self.follow(&root, &["PowerEquipment"], "the service has no PowerEquipment")?;
        let equipment = self.link.get(&equipment)?;
        let pdus = self.follow(&equipment, &["RackPDUs", "FloorPDUs"], "the service has no RackPDUs")?;
        let pdu = self.pdu(&pdus)?;
        let list = self.follow(&pdu, &["Outlets"], "the PDU has no Outlets")?;
        let expand = parse::expand(&root);
        let wanted: BTreeSet<&str> = self.cfg.outlets.iter().map(String::as_str).collect();
        let mut outlets = BTreeMap::new();
        let mut unknown = Vec::new();
        for member in self.members(&format!("{list}{expand}")).or_else(|fault| match expand {
            "" => Err(fault),
            // Some services promise to expand and then cannot.
            _ => self.members(&list),
        })? {
            let Some(place) = parse::place_of(&member) else { continue };
            let whole = member.get("Id").is_some().then(|| member.clone());
            let id =
                member.get("Id").and_then(Value::as_str).or_else(|| place.rsplit('/').find(|part| !part.is_empty()));
            match id {
                Some(id) if wanted.contains(id) => drop(outlets.insert(id.to_owned(), (place.to_owned(), whole))),
                _ if whole.is_none() => unknown.push(place.to_owned()),
                id => drop(outlets.insert(id.unwrap_or_default().to_owned(), (place.to_owned(), None))),
            }
        }
        self.look_into(&mut outlets, unknown, &wanted);
        let metrics = parse::link(&pdu, "Metrics").map(str::to_owned);
        Ok(self.places.insert(Places { outlets, metrics }).clone())
    }

    /// Where an address does not end in the outlet's id, the outlet itself must be asked; only while one is missing.
    fn look_into(
        &mut self,
        outlets: &mut BTreeMap<String, (String, Option<Value>)>,
        unknown: Vec<String>,
        wanted: &BTreeSet<&str>,
    ) {
        for place in unknown {
            let name = place.rsplit('/').next().unwrap_or_default().to_owned();
            let is_complete = wanted.iter().all(|id| outlets.contains_key(*id));
            let found = if is_complete || self.link.is_over() { None } else { self.link.get(&place).ok() };
            let id = found.as_ref().and_then(|found| found.get("Id")).and_then(Value::as_str);
            let id = id.map_or(name, str::to_owned);
            outlets.entry(id).or_insert((place, None));
        }
    }

    /// The PDU that is meant: the one of that id, or the only one.
    fn pdu(&mut self, list: &str) -> Reading<Value> {
        let members = self.members(list)?;
        let places: Vec<&str> = members.iter().filter_map(parse::place_of).collect();
        let last = |place: &&&str| place.rsplit('/').find(|part| !part.is_empty()) == self.redfish.unit.as_deref();
        let place = match (&self.redfish.unit, places.as_slice()) {
            (_, []) => return Err(self.wrong("the service lists no PDU")),
            (Some(_), several) => several.iter().find(last).copied(),
            (None, [one]) => Some(*one),
            (None, _) => None,
        };
        let shown = || {
            let ids: Vec<&str> = places.iter().filter_map(|place| place.rsplit('/').next()).collect();
            format!("the service lists the PDUs {}; name the one that is meant by `unit`", super::named(&ids))
        };
        let place = place.ok_or_else(|| self.wrong(&shown()))?.to_owned();
        self.link.get(&place)
    }

    fn follow(&self, from: &Value, names: &[&str], missing: &str) -> Reading<String> {
        let found = names.iter().find_map(|name| parse::link(from, name));
        found.map(str::to_owned).ok_or_else(|| self.wrong(missing))
    }

    /// All members of a list, page after page.
    fn members(&mut self, list: &str) -> Reading<Vec<Value>> {
        let (mut members, mut next) = (Vec::new(), Some(list.to_owned()));
        for _ in 0..PAGES_MAX {
            let Some(place) = next else { break };
            let page = self.link.get(&place)?;
            let Some(found) = page.get("Members").and_then(Value::as_array) else {
                return Err(self.wrong(&format!("{place} is no list: it has no Members")));
            };
            members.extend(found.iter().take(MEMBERS_MAX).cloned());
            next = page.get("Members@odata.nextLink").and_then(Value::as_str).map(str::to_owned);
        }
        Ok(members)
    }

    fn wrong(&self, detail: &str) -> Fault {
        Fault::new(&self.cfg.name, FaultKind::WrongDevice, detail)
    }
}

/// The fault of a PDU that fell silent before anything was read.
fn nothing_heard(cfg: &PduConfig, outlets: &BTreeMap<String, OutletReading>) -> Option<Fault> {
    let silent = outlets.values().all(|outlet| outlet.on.as_ref().is_err_and(is_silent));
    let first = outlets.values().next().and_then(|outlet| outlet.on.as_ref().err())?;
    silent.then(|| Fault { device: cfg.name.clone(), ..first.clone() })
}
