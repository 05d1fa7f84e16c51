//! The power goes in the middle of a save: of the blocks that it changed any may have reached the card, whole or half.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::{at, event_texts, full_change, new_store, set_aside, state};

/// What the card writes at once.
const SECTOR: usize = 512;
/// Cuts that are tried.
const CUTS: u64 = 24;

type Files = BTreeMap<String, Vec<u8>>;

fn files(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    entries.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())).collect()
}

/// A number of its own for each cut, file and sector.
fn noise(cut: u64, name: &str, sector: usize) -> u64 {
    let seed = name.bytes().fold(cut.wrapping_mul(0x9E37_79B9_7F4A_7C15), |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    let mixed = (seed ^ (sector as u64).wrapping_mul(0xBF58_476D_1CE4_E5B9)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 29)
}

/// A file of which some sectors are as before and some as after; `None` when its making or removal was lost.
fn torn(cut: u64, name: &str, before: Option<&Vec<u8>>, after: Option<&Vec<u8>>) -> Option<Vec<u8>> {
    let whole = |content: &Vec<u8>| content.clone();
    // How likely a change has reached the card, in eighths: from almost nothing to almost all.
    let likely = cut % 8;
    let came = |sector: usize| noise(cut, name, sector) % 8 <= likely;
    match (before, after) {
        (Some(before), Some(after)) => {
            let longer = before.len().max(after.len());
            let length = if came(usize::MAX) { after.len() } else { before.len() };
            let mut content: Vec<u8> = Vec::with_capacity(longer);
            for (sector, start) in (0..longer).step_by(SECTOR).enumerate() {
                let from = if came(sector) { after } else { before };
                let part = from.get(start..from.len().min(start + SECTOR)).unwrap_or_default();
                content.extend_from_slice(part);
                content.resize((start + SECTOR).min(longer), 0);
            }
            content.truncate(length);
            Some(content)
        }
        (before, after) => if came(usize::MAX) { after } else { before }.map(whole),
    }
}

/// The save that was cut is there or not; those before it are whole, and the next one is well.
#[test]
fn a_power_cut_in_a_save_loses_nothing_that_was_saved_before() {
    let (folder, store) = new_store();
    for round in 0..4 {
        store.save(&full_change(round), &at(0)).unwrap();
    }
    let db = folder.path().join("db");
    let before = files(&db);
    let old_copy = fs::read(folder.path().join("state.json")).unwrap();
    store.save(&full_change(4), &at(1)).unwrap();
    let after = files(&db);
    let mut lost = 0;
    for cut in 0..CUTS {
        fs::remove_dir_all(&db).unwrap();
        fs::create_dir_all(db.join("blobs")).unwrap();
        for name in before.keys().chain(after.keys()) {
            if let Some(content) = torn(cut, name, before.get(name), after.get(name)) {
                fs::write(db.join(name), content).unwrap();
            }
        }
        // It is written after the database: of a save that was cut it is still the old one.
        fs::write(folder.path().join("state.json"), &old_copy).unwrap();
        let loaded = store.load(&at(10));
        let found = loaded.state.as_ref().map(|state| state.climate.stage);
        assert!(matches!(found, Some(3 | 4)), "cut {cut}: {found:?} {:?}", loaded.troubles);
        assert_eq!(loaded.troubles, Vec::<String>::new(), "cut {cut}");
        let expected = if found == Some(4) { 10 } else { 8 };
        assert_eq!((event_texts(&store).len(), loaded.outbox.len()), (expected, expected), "cut {cut}");
        lost += u64::from(found == Some(3));
        store.save(&full_change(9), &at(20 + i64::try_from(cut).unwrap())).unwrap();
        let again = store.load(&at(21 + i64::try_from(cut).unwrap()));
        assert_eq!((again.state, again.troubles), (Some(state(9)), Vec::new()), "cut {cut}");
    }
    assert!(set_aside(folder.path()).is_empty());
    assert!(lost > 0 && lost < CUTS, "{lost} of {CUTS} cuts came before the end of the save");
}
