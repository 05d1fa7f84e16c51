//! The schema number of everything that is stored, and the steps from each schema to the next. The records of an older
//! program are rewritten at once, all or none; those of a newer one are refused, so that none of them is lost.

use serde_json::{Value, json};

use super::db::Failure;
use super::parts;
use crate::model::SCHEMA;

/// Where the number stands. Without it a database that holds anything is of the first schema.
const KEY: &[u8] = b"v";

/// The kinds of records: the first byte of their keys, and what they are called outside.
pub(super) const KINDS: [(u8, &str); 9] = [
    (b's', "state"),
    (b'o', "override"),
    (b'a', "acknowledgement"),
    (b't', "test"),
    (b'q', "message"),
    (b'i', "intents"),
    (b'h', "sent"),
    (b'm', "chat"),
    (b'e', "event"),
];

/// Changes a record of a kind (the first byte of its key) into its form in the next schema.
type Step = fn(kind: u8, record: &mut Value);

/// The first leads from schema 1 to 2, and so on.
const STEPS: [Step; SCHEMA as usize - 1] = [intents_have_a_time];

/// From 1 to 2: intents were a bare list of commands.
fn intents_have_a_time(kind: u8, record: &mut Value) {
    if kind == b'i' && record.is_array() {
        *record = json!({"at": null, "commands": record.take()});
    }
}

/// A record of an older schema in the form of today's.
pub(super) fn migrated(kind: u8, mut record: Value, from: u32) -> Value {
    for step in STEPS.iter().skip(from.saturating_sub(1) as usize) {
        step(kind, &mut record);
    }
    if let Some(number) = record.get_mut("schema").filter(|_| kind == b's') {
        *number = json!(SCHEMA);
    }
    record
}

/// That a schema is not newer than this program; `Err` says the way out.
pub(super) fn known(schema: u32) -> Result<(), String> {
    if schema <= SCHEMA {
        return Ok(());
    }
    Err(format!("schema {schema} is newer than this program's {SCHEMA}: install the newer program again"))
}

/// The number of a database; today's when it is empty.
pub(super) fn number(tree: &sled::Tree) -> Result<u32, Failure> {
    match parts::read_prefix(tree, KEY)?.first() {
        Some((_, text)) => serde_json::from_slice(text).map_err(|_| Failure::damage("its schema cannot be read")),
        None if tree.is_empty() => Ok(SCHEMA),
        None => Ok(1),
    }
}

/// Brings a database up to today's schema; returns what was done, if anything. One of a newer program is a failure: it
/// is set aside, not overwritten.
pub(super) fn bring_up(tree: &sled::Tree) -> Result<Option<String>, Failure> {
    let number = number(tree)?;
    known(number).map_err(Failure::damage)?;
    let is_marked = tree.scan_prefix(KEY).next().is_some();
    if number == SCHEMA && is_marked {
        return Ok(None);
    }
    let mut batch = parts::Batch::new(tree);
    batch.put(KEY.to_vec(), &SCHEMA)?;
    for (kind, _) in KINDS.iter().filter(|_| number < SCHEMA) {
        for (key, text) in parts::read_prefix(tree, &[*kind])? {
            // What is no JSON stays as it is and is told when it is read.
            let Ok(record) = serde_json::from_slice::<Value>(&text) else { continue };
            let new = migrated(*kind, record.clone(), number);
            if new != record {
                batch.put(key, &new)?;
            }
        }
    }
    batch.apply()?;
    Ok((number < SCHEMA).then(|| format!("database brought from schema {number} to {SCHEMA}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intents_of_the_first_schema_get_an_unknown_time_and_all_else_stays() {
        let commands = json!([{"Fan": {"fan": 3, "on": true}}]);
        assert_eq!(migrated(b'i', commands.clone(), 1), json!({"at": null, "commands": commands}));
        assert_eq!(migrated(b'e', commands.clone(), 1), commands);
        let today = json!({"at": null, "commands": []});
        assert_eq!(migrated(b'i', today.clone(), 2), today);
        assert_eq!(migrated(b's', json!({"schema": 1, "x": 5}), 1), json!({"schema": SCHEMA, "x": 5}));
    }

    #[test]
    fn todays_schema_is_known_and_the_next_is_not() {
        assert_eq!(known(SCHEMA), Ok(()));
        assert!(known(SCHEMA + 1).unwrap_err().contains("is newer than this program's"));
    }

    #[test]
    fn an_empty_database_is_marked_once() {
        let db = sled::Config::new().temporary(true).open().unwrap();
        assert_eq!(bring_up(&db).unwrap(), None);
        assert_eq!((number(&db).unwrap(), db.len()), (SCHEMA, 1));
        assert_eq!(bring_up(&db).unwrap(), None);
    }
}
