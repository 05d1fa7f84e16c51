//! Reads the recorded shapes under `tests/fixtures`.

use minectl::model::{Fault, FaultKind};
use minectl::units::UnixSeconds;
use serde_json::Value;

/// A moment near the times in the fixtures.
pub const NOW: UnixSeconds = UnixSeconds(1_795_400_000);

/// A fixture's bytes.
pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A fixture as text.
pub fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

/// A fixture as JSON.
pub fn value(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).unwrap()
}

/// What a test compares of a fault.
pub fn kind_and_detail(fault: Fault) -> (FaultKind, String) {
    (fault.kind, fault.detail)
}
