//! What Redfish's resources say, in the words of the released schema and of the drafts of 2019. Nothing is sent here.

use serde_json::Value;

use super::super::{OUTLET_WATTS_MAX, PDU_WATTS_MAX, named, power};
use crate::drivers::common::quoted;
use crate::http::excerpt;
use crate::model::{Fault, FaultKind, Measured, OutletReading, Reading};
use crate::units::{Seconds, Watts};

/// How deep a maker's own part is searched.
const DEPTH_MAX: usize = 6;

/// What one outlet says of itself.
pub fn parse(found: &Value, device: &str) -> OutletReading {
    outlet(found, device)
}

pub(super) fn outlet(found: &Value, device: &str) -> OutletReading {
    let on = match found.get("PowerState").and_then(Value::as_str) {
        // On its way off it still feeds, on its way on it will in a moment: neither is off.
        Some("On" | "PoweringOn" | "PoweringOff") => Ok(true),
        Some("Off") => Ok(is_in_transition(found)),
        Some(_) => {
            let detail = format!("PowerState is {}; known are On and Off", quoted(found.get("PowerState")));
            Err(Fault::new(device, FaultKind::Unreadable, detail))
        }
        None => Err(Fault::new(device, FaultKind::Missing, "this outlet shows no PowerState")),
    };
    OutletReading { on, watts: measured(found, OUTLET_WATTS_MAX, device, "this outlet is not metered") }
}

/// Whether an outlet's state is not final: a delay runs.
pub(super) fn is_in_transition(found: &Value) -> bool {
    let state = found.get("PowerState").and_then(Value::as_str);
    is_true(found, "PowerStateInTransition") || matches!(state, Some("PoweringOn" | "PoweringOff"))
}

/// The power of a whole PDU, from its metrics.
pub(super) fn whole_pdu(metrics: &Value, device: &str) -> Reading<Measured<Watts>> {
    measured(metrics, PDU_WATTS_MAX, device, "the metrics show no power")
}

/// The power that a sensor shows.
pub(super) fn sensor(sensor: &Value, device: &str) -> Reading<Measured<Watts>> {
    reading_of(sensor, OUTLET_WATTS_MAX, device)
}

fn measured(found: &Value, max: f64, device: &str, missing: &str) -> Reading<Measured<Watts>> {
    match power_part(found) {
        None => Err(Fault::new(device, FaultKind::Missing, missing)),
        Some(part) => reading_of(part, max, device),
    }
}

fn reading_of(part: &Value, max: f64, device: &str) -> Reading<Measured<Watts>> {
    let value = power(part.get("Reading"), "Reading", 1.0, max, device)?;
    Ok(Measured { value, age: Seconds(0) })
}

/// `PowerWatts`, in the drafts `PowerSensor`.
fn power_part(found: &Value) -> Option<&Value> {
    ["PowerWatts", "PowerSensor"].iter().find_map(|name| found.get(*name)).filter(|part| part.is_object())
}

/// Where the power stands, for an outlet that names its sensor and no value.
pub(super) fn sensor_place(found: &Value) -> Option<&str> {
    let part = power_part(found)?;
    let place = || part.get("DataSourceUri").or_else(|| part.get("@odata.id")).and_then(Value::as_str);
    if part.get("Reading").is_some() { None } else { place() }
}

/// The target of an outlet's own action, for this state.
pub(super) fn target<'a>(found: &'a Value, device: &str, on: bool) -> Result<&'a str, Fault> {
    let missing = |detail: &str| Fault::new(device, FaultKind::Missing, format!("cannot be switched: {detail}"));
    let action = found.get("Actions").and_then(|actions| actions.get("#Outlet.PowerControl"));
    let action = action.ok_or_else(|| missing("this outlet has no PowerControl action"))?;
    if is_true(found, "PowerControlLocked") {
        let detail = "cannot be switched: its power control is locked in the PDU (PowerControlLocked)";
        return Err(Fault::new(device, FaultKind::NotObeyed, detail));
    }
    let word = if on { "On" } else { "Off" };
    if let Some(known) = action.get("PowerState@Redfish.AllowableValues").and_then(Value::as_array)
        && !known.iter().any(|known| known.as_str() == Some(word))
    {
        return Err(missing(&format!("its action does not know {word}")));
    }
    action.get("target").and_then(Value::as_str).ok_or_else(|| missing("its action has no target"))
}

/// What says that the PDU itself keeps an outlet off.
pub(super) fn held_off(found: &Value) -> Option<String> {
    if found.get("PowerEnabled").and_then(Value::as_bool) == Some(false) {
        return Some("PowerEnabled is false".to_owned());
    }
    let words = ["issuspended", "suspended", "isloadshed", "loadshed"];
    found.get("Oem").and_then(|oem| flag_in(oem, &words, DEPTH_MAX)).map(|name| format!("{name} is true"))
}

fn flag_in(value: &Value, words: &[&str], depth: usize) -> Option<String> {
    let inner = depth.checked_sub(1)?;
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let is_meant = words.iter().any(|word| name.eq_ignore_ascii_case(word));
            if is_meant && value.as_bool() == Some(true) { Some(name.clone()) } else { flag_in(value, words, inner) }
        }),
        Value::Array(items) => items.iter().find_map(|item| flag_in(item, words, inner)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// The circuit that feeds an outlet.
pub(super) fn branch_place(found: &Value) -> Option<&str> {
    link(found.get("Links")?, "BranchCircuit")
}

/// The state of a breaker that is not closed.
pub(super) fn tripped(branch: &Value) -> Option<&str> {
    branch.get("BreakerState").and_then(Value::as_str).filter(|state| matches!(*state, "Tripped" | "Off"))
}

/// What outlets do by themselves, gathered for the operator.
#[derive(Default)]
pub(super) struct Remarks {
    restoring: Vec<String>,
    /// Whether one of those cannot be set otherwise as it is.
    is_fixed: bool,
    held_off: Vec<String>,
    locked: Vec<String>,
}

impl Remarks {
    pub(super) fn look_at(&mut self, name: &str, found: &Value) {
        if found.get("PowerRestorePolicy").and_then(Value::as_str) == Some("AlwaysOn") {
            self.restoring.push(name.to_owned());
            self.is_fixed |= is_true(found, "ConfigurationLocked");
        }
        if held_off(found).is_some() {
            self.held_off.push(name.to_owned());
        }
        if is_true(found, "PowerControlLocked") {
            self.locked.push(name.to_owned());
        }
    }

    pub(super) fn told(self) -> Vec<String> {
        let tell = |outlets: Vec<String>, start: &str, end: &str| {
            let outlets: Vec<&str> = outlets.iter().map(String::as_str).collect();
            (!outlets.is_empty()).then(|| format!("{start} outlet {}: {end}", named(&outlets)))
        };
        let fixed = if self.is_fixed { "; its configuration is locked there, unlock it first" } else { "" };
        let restore = "set its PowerRestorePolicy to AlwaysOff or LastState, or an outage undoes a curtailment";
        let restore = format!("{restore}{fixed}");
        let cut = "it is never switched on from here; find the cause, then switch it on at the PDU";
        let locked = "it takes no command; unlock it in the PDU";
        [
            tell(self.restoring, "after an outage the PDU by itself switches on", &restore),
            tell(self.held_off, "the PDU itself has cut", cut),
            tell(self.locked, "the PDU has locked the power control of", locked),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn is_true(found: &Value, name: &str) -> bool {
    found.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// The address that a property links to.
pub(super) fn link<'a>(from: &'a Value, name: &str) -> Option<&'a str> {
    from.get(name).and_then(place_of)
}

/// The address of a resource, or of what a reference points to.
pub(super) fn place_of(found: &Value) -> Option<&str> {
    found.get("@odata.id").and_then(Value::as_str).filter(|place| !place.is_empty())
}

/// Where sessions are made.
pub(super) fn sessions(root: &Value) -> Option<&str> {
    root.get("Links").and_then(|links| link(links, "Sessions"))
}

/// What to append to a list so that it holds its members whole; empty where the service does not offer that.
pub(super) fn expand(root: &Value) -> &'static str {
    let offer = root.pointer("/ProtocolFeaturesSupported/ExpandQuery");
    match offer {
        Some(offer) if is_true(offer, "NoLinks") => "?$expand=.($levels=1)",
        Some(_) | None => "",
    }
}

/// How a task stands, in words: `its task is Exception: fuse blown`.
pub(super) fn task(task: &Value) -> Option<String> {
    let state = task.get("TaskState").and_then(Value::as_str)?;
    let messages = task.get("Messages").and_then(Value::as_array);
    let said = messages.and_then(|all| all.iter().find_map(|one| one.get("Message").and_then(Value::as_str)));
    let said = said.map(|said| format!(": {}", excerpt(said))).unwrap_or_default();
    Some(format!("its task is {}{said}", excerpt(state)))
}

/// All that is quoted of a resource, whatever it is: for tests.
pub fn words(found: &Value, device: &str) -> Vec<String> {
    let mut remarks = Remarks::default();
    remarks.look_at(device, found);
    let target = [true, false].map(|on| target(found, device, on).map_or_else(|fault| fault.detail, str::to_owned));
    let powers = [whole_pdu(found, device), sensor(found, device)];
    let powers = powers.map(|power| power.map_or_else(|fault| fault.detail, |power| power.value.to_string()));
    let places = [sensor_place(found), branch_place(found), tripped(found), place_of(found), sessions(found)];
    let places = places.into_iter().flatten().map(str::to_owned);
    let told = [held_off(found), task(found), error(found), Some(expand(found).to_owned())];
    remarks.told().into_iter().chain(target).chain(powers).chain(places).chain(told.into_iter().flatten()).collect()
}

/// The words of an error: the first of its details, else its message.
pub(super) fn error(body: &Value) -> Option<String> {
    let error = body.get("error")?;
    let detail = error.pointer("/@Message.ExtendedInfo/0/Message").and_then(Value::as_str);
    let said = detail.or_else(|| error.get("message").and_then(Value::as_str))?;
    Some(format!("`{}`", excerpt(said)))
}
