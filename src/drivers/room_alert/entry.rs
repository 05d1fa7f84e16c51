//! Finds an entry in a unit's answer by array and place, and reads its fields in either vocabulary. It judges no value.

use serde_json::{Map, Value};

use crate::drivers::common::{quoted, text_of, whole};
use crate::http::excerpt;
use crate::model::{Fault, FaultKind};

/// Arrays that a fault names at most.
const NAMES_SHOWN_MAX: usize = 20;

/// One port, with the wireless unit that it belongs to.
pub(super) struct Entry<'a> {
    fields: &'a Map<String, Value>,
    slot: Option<&'a Map<String, Value>>,
}

/// The entry at `index` of an array, or why it is not there. An array inside a wireless unit is written with its way:
/// `wireless_sen/2/digi_sen`.
pub(super) fn find<'a>(
    unit: &'a Map<String, Value>,
    array: &str,
    index: usize,
    device: &str,
) -> Result<Entry<'a>, Fault> {
    let mut steps = array.split('/');
    let mut entry = Entry { fields: unit, slot: None };
    let mut name = steps.next().unwrap_or_default();
    while let (Some(place), Some(next)) = (steps.next(), steps.next()) {
        let place = place.parse().map_err(|_| missing(device, format!("`{array}` names no place")))?;
        let slot = item(entry.fields, name, place, device)?;
        entry = Entry { fields: slot, slot: Some(slot) };
        name = next;
    }
    entry.fields = item(entry.fields, name, index, device)?;
    Ok(entry)
}

fn missing(device: &str, detail: String) -> Fault {
    Fault::new(device, FaultKind::Missing, detail)
}

/// Switches are `s_sen` in one vocabulary, `switch_sen` in the other.
fn item<'a>(
    within: &'a Map<String, Value>,
    array: &str,
    index: usize,
    device: &str,
) -> Result<&'a Map<String, Value>, Fault> {
    let twin = match array {
        "s_sen" => "switch_sen",
        "switch_sen" => "s_sen",
        other => other,
    };
    let found = within.get(array).or_else(|| within.get(twin)).and_then(Value::as_array);
    let Some(entries) = found else {
        let arrays = within.iter().filter(|(_, value)| value.is_array());
        let known: Vec<String> = arrays.map(|(name, _)| excerpt(name)).take(NAMES_SHOWN_MAX).collect();
        return Err(missing(device, format!("no array `{array}` in the answer; there are `{}`", known.join("`, `"))));
    };
    let at = entries.get(index).and_then(Value::as_object);
    let detail = || format!("array `{array}` has {} entries; wanted number {index}, from 0", entries.len());
    at.ok_or_else(|| missing(device, detail()))
}

impl<'a> Entry<'a> {
    /// A field by its short or its long name.
    pub(super) fn field(&self, short: &str, long: &str) -> Option<&'a Value> {
        self.fields.get(short).or_else(|| self.fields.get(long))
    }

    /// Whether it has a field of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// What is attached, as a number; `None` where it is a word or nothing.
    pub(super) fn kind(&self) -> Option<i64> {
        self.field("t", "type").and_then(whole)
    }

    /// What is odd about an entry that the unit labels differently; one that has the label of another sensor (`others`) is
    /// refused.
    pub(super) fn check_label(
        &self,
        wanted: Option<&str>,
        others: &[&str],
        device: &str,
    ) -> Result<Option<String>, Fault> {
        let label = self.field("lab", "label");
        let found = label.and_then(text_of);
        let found = found.as_deref().map(str::trim);
        let Some(wanted) = wanted.filter(|wanted| found != Some(wanted.trim())) else { return Ok(None) };
        if others.iter().any(|other| found == Some(other.trim())) {
            let detail = format!("the unit labels it {}, as another sensor; wanted `{wanted}`", quoted(label));
            return Err(Fault::new(device, FaultKind::WrongDevice, detail));
        }
        Ok(Some(format!("the unit labels it {}, not `{wanted}`: is it still the same sensor?", quoted(label))))
    }

    /// Refuses an entry of a wireless slot that no unit has joined.
    pub(super) fn check_slot(&self, device: &str) -> Result<(), Fault> {
        let is_empty = |fields: &Map<String, Value>| {
            let serial = fields.get("ser").and_then(text_of);
            fields.get("in").and_then(whole) == Some(-1) || serial.is_some_and(|ser| ser.chars().all(|c| c == '0'))
        };
        let slots = [Some(self.fields), self.slot];
        match slots.into_iter().flatten().any(is_empty) {
            true => Err(missing(device, "the wireless slot is empty".to_owned())),
            false => Ok(()),
        }
    }

    /// Refuses an entry that is switched off in the unit's settings; a port may be read all the same where the owner
    /// says so.
    pub(super) fn check_enabled(&self, what: &str, use_disabled: bool, device: &str) -> Result<(), Fault> {
        match self.field("en", "enabled").map(whole) {
            Some(Some(0)) if use_disabled => Ok(()),
            Some(Some(0)) => {
                let detail = format!(
                    "the {what} is switched off in the unit's settings; switch it on there, or set `use_disabled`"
                );
                Err(missing(device, detail))
            }
            Some(Some(_)) | None => Ok(()),
            Some(None) => {
                let detail = format!("the {what}'s `en` is {}, not a number", quoted(self.field("en", "enabled")));
                Err(Fault::new(device, FaultKind::Unreadable, detail))
            }
        }
    }

    /// The time stamp of the wireless unit that it is or belongs to.
    pub(super) fn stamp(&self) -> Option<&'a Value> {
        self.fields.get("tstamp").or_else(|| self.slot?.get("tstamp"))
    }
}
