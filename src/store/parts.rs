//! Records of any size in sled. A value over a quarter of a segment becomes a file that sled never syncs, so each
//! record is deflated and split into parts that stay far below that.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::Serialize;

use super::db::Failure;

/// The largest value that goes into the database.
const PART_BYTES_MAX: usize = 470;
/// The largest record, inflated: far above any state, far below the memory of a Pi.
const RECORD_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Separates a record's key from the number of the part.
const SEPARATOR: u8 = 0xff;

/// A record: its key and its JSON text.
pub(super) type Record = (Vec<u8>, Vec<u8>);

/// The records whose key begins with `prefix`, in the order of their keys.
pub(super) fn read_prefix(tree: &sled::Tree, prefix: &[u8]) -> Result<Vec<Record>, Failure> {
    let mut packed: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for item in tree.scan_prefix(prefix) {
        let (key, value) = item?;
        let name = key.get(..key.len().saturating_sub(2)).unwrap_or_default();
        packed.entry(name.to_vec()).or_default().extend_from_slice(&value);
    }
    packed.into_iter().map(|(key, packed)| Ok((key, unpack(&packed)?))).collect()
}

/// The last `count` records of a kind, in the order of their keys.
pub(super) fn read_last(tree: &sled::Tree, kind: u8, count: usize) -> Result<Vec<Record>, Failure> {
    let mut packed: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for item in tree.scan_prefix([kind]).rev() {
        let (key, value) = item?;
        let name = key.get(..key.len().saturating_sub(2)).unwrap_or_default();
        if packed.len() >= count && !packed.contains_key(name) {
            break;
        }
        // Backwards, so each part stands before those that were met already.
        let record = packed.entry(name.to_vec()).or_default();
        record.splice(0..0, value.iter().copied());
    }
    packed.into_iter().map(|(key, packed)| Ok((key, unpack(&packed)?))).collect()
}

/// The first `count` records of a kind, in the order of their keys.
pub(super) fn read_first(tree: &sled::Tree, kind: u8, count: usize) -> Result<Vec<Record>, Failure> {
    let mut packed: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for item in tree.scan_prefix([kind]) {
        let (key, value) = item?;
        let name = key.get(..key.len().saturating_sub(2)).unwrap_or_default();
        if packed.len() >= count && !packed.contains_key(name) {
            break;
        }
        packed.entry(name.to_vec()).or_default().extend_from_slice(&value);
    }
    packed.into_iter().map(|(key, packed)| Ok((key, unpack(&packed)?))).collect()
}

/// How many records of a kind there are, counted by their numbers.
pub(super) fn count(tree: &sled::Tree, kind: u8) -> Result<u64, Failure> {
    let Some(first) = tree.scan_prefix([kind]).keys().next() else { return Ok(0) };
    let first = number(&first?, kind)?;
    Ok(last_number(tree, kind)?.saturating_sub(first).saturating_add(1))
}

/// The number in the last key of a kind; 0 when there is none.
pub(super) fn last_number(tree: &sled::Tree, kind: u8) -> Result<u64, Failure> {
    let Some(last) = tree.scan_prefix([kind]).keys().next_back() else { return Ok(0) };
    number(&last?, kind)
}

fn number(key: &[u8], kind: u8) -> Result<u64, Failure> {
    let number = key.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
    number.ok_or_else(|| Failure::damage(format!("malformed key of kind `{}`", char::from(kind))))
}

/// Records to write or remove at once.
pub(super) struct Batch<'a> {
    tree: &'a sled::Tree,
    batch: sled::Batch,
}

impl<'a> Batch<'a> {
    /// An empty batch.
    pub(super) fn new(tree: &'a sled::Tree) -> Batch<'a> {
        Batch { tree, batch: sled::Batch::default() }
    }

    /// Writes a record in place of an older one of that key.
    pub(super) fn put(&mut self, key: Vec<u8>, record: &impl Serialize) -> Result<(), Failure> {
        self.remove(&key)?;
        let packed = pack(&serde_json::to_vec(record).map_err(|error| Failure::passing(error.to_string()))?)?;
        if packed.len() > PART_BYTES_MAX.saturating_mul(255) {
            return Err(Failure::passing(format!("record of {} bytes is too large", packed.len())));
        }
        for (number, part) in (0_u8..=254).zip(packed.chunks(PART_BYTES_MAX)) {
            self.batch.insert(part_key(&key, number), part);
        }
        Ok(())
    }

    /// Removes a record with all its parts.
    pub(super) fn remove(&mut self, key: &[u8]) -> Result<(), Failure> {
        let mut prefix = key.to_vec();
        prefix.push(SEPARATOR);
        for item in self.tree.scan_prefix(&prefix).keys() {
            let part = item?;
            if part.len() == prefix.len().saturating_add(1) {
                self.batch.remove(part);
            }
        }
        Ok(())
    }

    /// Does it all at once.
    pub(super) fn apply(self) -> Result<(), Failure> {
        Ok(self.tree.apply_batch(self.batch)?)
    }
}

fn part_key(key: &[u8], number: u8) -> Vec<u8> {
    let mut part = key.to_vec();
    part.extend([SEPARATOR, number]);
    part
}

fn pack(text: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).and_then(|()| encoder.finish()).map_err(|error| Failure::passing(error.to_string()))
}

pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let mut decoder = DeflateDecoder::new(packed).take(RECORD_BYTES_MAX);
    decoder.read_to_end(&mut text).map_err(|error| Failure::damage(format!("damaged record: {error}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(count: u64) -> sled::Db {
        let db = sled::Config::new().temporary(true).open().unwrap();
        let mut batch = Batch::new(&db);
        for number in 1..=count {
            let mut key = vec![b'e'];
            key.extend(number.to_be_bytes());
            // Text that does not deflate, so that a record has several parts.
            let noise: Vec<u64> =
                (0..200).map(|i| (number * 1_000_003 + i).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
            batch.put(key, &(number, noise)).unwrap();
        }
        batch.apply().unwrap();
        db
    }

    fn numbers(records: &[Record]) -> Vec<u64> {
        records.iter().map(|(_, text)| serde_json::from_slice::<(u64, Vec<u64>)>(text).unwrap().0).collect()
    }

    #[test]
    fn records_of_several_parts_are_read_whole_from_either_end() {
        let db = filled(300);
        assert!(db.len() > 900, "several parts each");
        assert_eq!(numbers(&read_last(&db, b'e', 3).unwrap()), [298, 299, 300]);
        assert_eq!(numbers(&read_first(&db, b'e', 3).unwrap()), [1, 2, 3]);
        assert_eq!(numbers(&read_prefix(&db, b"e").unwrap()), (1..=300).collect::<Vec<_>>());
        assert_eq!(count(&db, b'e').unwrap(), 300);
        assert_eq!(count(&db, b'q').unwrap(), 0);
    }

    #[test]
    fn a_shorter_record_leaves_no_part_of_the_longer_one() {
        let db = filled(1);
        let mut batch = Batch::new(&db);
        let key: Vec<u8> = [b'e'].into_iter().chain(1_u64.to_be_bytes()).collect();
        batch.put(key, &(7_u64, Vec::<u64>::new())).unwrap();
        batch.apply().unwrap();
        assert_eq!(numbers(&read_prefix(&db, b"e").unwrap()), [7]);
    }
}
