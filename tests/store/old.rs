//! Databases that older programs left, as files in `tests/fixtures/store`: each is brought up to today's schema whole.

use std::fs;
use std::io::Read;
use std::path::Path;

use minectl::model::SCHEMA;
use minectl::store::Store;

use crate::support::{assert_full, at, event_texts, full_change, set_aside, state};

/// A data folder with the database of a schema.
fn old(schema: u32) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new("tests/fixtures/store").join(format!("schema-{schema}"));
    fs::create_dir_all(folder.path().join("db/blobs")).unwrap();
    for (name, to) in [("db.gz", "db/db"), ("conf.gz", "db/conf"), ("state.json.gz", "state.json")] {
        let mut bytes = Vec::new();
        let file = fs::File::open(from.join(name)).unwrap();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
        fs::write(folder.path().join(to), bytes).unwrap();
    }
    let store = Store::new(folder.path()).unwrap();
    (folder, store)
}

/// As a run finds it. All fixtures were saved with `full_change(3)`.
#[test]
fn the_database_of_each_older_schema_is_brought_up_whole() {
    for schema in 1..SCHEMA {
        let (folder, store) = old(schema);
        let loaded = store.load(&at(10));
        assert_full(&loaded, 3);
        assert_eq!(loaded.state.as_ref().unwrap().schema, SCHEMA, "from {schema}");
        assert_eq!(loaded.broken_off_at, (schema >= 2).then(|| at(0)), "from {schema}");
        assert_eq!(event_texts(&store), ["two", "one"]);
        assert_full(&store.load(&at(11)), 3);
        assert!(set_aside(folder.path()).is_empty());
        store.save(&full_change(4), &at(12)).unwrap();
        assert_eq!(store.load(&at(13)).broken_off_at, Some(at(12)));
    }
}

#[test]
fn an_old_database_is_brought_up_by_whoever_writes_to_it_first() {
    let (_folder, store) = old(1);
    store.save(&minectl::store::Change::default(), &at(10)).unwrap();
    assert_full(&store.load(&at(11)), 3);
}

#[test]
fn the_plain_copy_of_each_older_schema_refills_a_lost_database() {
    for schema in 1..SCHEMA {
        let (folder, store) = old(schema);
        fs::remove_dir_all(folder.path().join("db")).unwrap();
        let loaded = store.load(&at(10));
        assert_eq!(loaded.state, Some(state(3)), "from {schema}: {:?}", loaded.troubles);
        assert_eq!(loaded.overrides.len(), 2, "from {schema}");
    }
}

/// A program that was put back to an older one boots, and the newer one's database is there for when it comes again.
#[test]
fn a_database_of_a_newer_program_is_set_aside_and_not_overwritten() {
    let (folder, store) = crate::support::new_store();
    store.save(&full_change(1), &at(0)).unwrap();
    let newer = |number: u32| {
        let db = sled::Config::new().path(folder.path().join("db")).segment_size(32 * 1024).open().unwrap();
        let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut deflated, number.to_string().as_bytes()).unwrap();
        db.insert(b"v\xff\x00", deflated.finish().unwrap()).unwrap();
        db.flush().unwrap();
    };
    newer(SCHEMA);
    assert_full(&store.load(&at(1)), 1);
    newer(SCHEMA + 1);
    let copy = fs::read_to_string(folder.path().join("state.json")).unwrap();
    let copy = copy.replacen(&format!("\"schema\":{SCHEMA}"), &format!("\"schema\":{}", SCHEMA + 1), 1);
    fs::write(folder.path().join("state.json"), copy).unwrap();
    let loaded = store.load(&at(2));
    assert!(loaded.state.is_none());
    let told = loaded.troubles.join("; ");
    let expected =
        format!("schema {} is newer than this program's {SCHEMA}: install the newer program again", SCHEMA + 1);
    assert_eq!(told.matches(&expected).count(), 2, "{told}");
    assert_eq!(set_aside(folder.path()).len(), 1);
}
