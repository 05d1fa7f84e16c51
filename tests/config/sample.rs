//! The sample `config.txt`.

use crate::support::*;

#[test]
fn the_sample_is_sound() {
    let config = parse(SAMPLE).unwrap_or_else(|mistakes| panic!("{}", mistakes.join("\n")));
    assert_eq!(config.fans.len(), 9);
    assert_eq!(config.pdus.len(), 6);
}
