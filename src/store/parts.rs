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

/// All records in the order of their keys.
pub(super) fn read_all(tree: &sled::Tree) -> Result<Vec<Record>, Failure> {
    read_prefix(tree, b"")
}

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

/// The number in the last key of a kind; 0 when there is none.
pub(super) fn last_number(tree: &sled::Tree, kind: u8) -> Result<u64, Failure> {
    let Some(last) = tree.scan_prefix([kind]).keys().next_back() else { return Ok(0) };
    let last = last?;
    let number = last.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
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

fn unpack(packed: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let mut decoder = DeflateDecoder::new(packed).take(RECORD_BYTES_MAX);
    decoder.read_to_end(&mut text).map_err(|error| Failure::damage(format!("damaged record: {error}")))?;
    Ok(text)
}
