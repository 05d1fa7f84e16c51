//! The readers' checks as the fuzz targets call them. Stack is not what they look at: tests/parsers/costly.rs does, on
//! threads as small as the program's own.

mod checks;

/// Tries one input on the target of this name.
pub fn run(name: &str, bytes: &[u8]) {
    checks::check(name)(bytes);
}
