//! Whatever is in the file: mistakes, and never a panic.

use std::path::Path;

use minectl::config::{inspect, mask, with_value};
use proptest::prelude::*;

use crate::support::SAMPLE;

/// All that can be done with a text.
fn exercise(text: &str) {
    let inspection = inspect(text, "config.txt", Path::new("/nonexistent"));
    if let Err(lines) = &inspection.result {
        assert!(!lines.is_empty());
        assert!(lines.iter().all(|line| line.starts_with("config.txt") && !line.contains('\n')), "{lines:?}");
    }
    for entry in inspection.entries.iter().take(20) {
        let _outcome = with_value(text, entry, "1");
    }
    let _masked = mask(text, "config.txt");
}

/// A place in the sample where a character begins.
fn boundary(at: usize) -> usize {
    (0..=at % SAMPLE.len()).rev().find(|at| SAMPLE.is_char_boundary(*at)).unwrap_or(0)
}

/// Headers and settings in all kinds of disorder.
const LIKE_A_CONFIGURATION: &str = concat!(
    r#"(\[{1,2}[a-z_.]{1,9}\]{1,2}\n"#,
    r#"|[a-z_.]{1,9} = ("[^"]{0,9}"|\[[0-9, {}=a"]{0,9}\]|[0-9.e+-]{1,6}|\{ [a-z]{1,4} = 1 \})\r?\n?){0,12}"#,
);

const ANY_VALUE: &str =
    r#"(-?[0-9]{1,25}|"[^"\n]{0,20}"|\[\[?[0-9]{0,3}\]?\]|true|nan|inf|1979-05-27|\{\}|\{ a = [0-9] \})"#;

const SIGNS: &str = r#"[\[\]{}="'#.,0-9a-z\n\\°]{1,8}"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        exercise(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn text_that_looks_like_a_configuration_never_panics(text in LIKE_A_CONFIGURATION) {
        exercise(&text);
    }

    #[test]
    fn the_sample_with_a_piece_cut_out_never_panics(start in any::<usize>(), length in 0_usize..200) {
        let start = boundary(start);
        let end = boundary((start + length).min(SAMPLE.len() - 1)).max(start);
        exercise(&format!("{}{}", &SAMPLE[..start], &SAMPLE[end..]));
    }

    #[test]
    fn the_sample_with_something_put_in_never_panics(at in any::<usize>(), text in SIGNS) {
        let at = boundary(at);
        exercise(&format!("{}{text}{}", &SAMPLE[..at], &SAMPLE[at..]));
    }

    #[test]
    fn a_value_replaced_by_anything_never_panics(line in any::<usize>(), value in ANY_VALUE) {
        let mut lines: Vec<&str> = SAMPLE.lines().collect();
        let is_setting = |line: &str| line.contains(" = ") && !line.starts_with('#');
        let settings: Vec<usize> = (0..lines.len()).filter(|n| is_setting(lines[*n])).collect();
        let line = settings[line % settings.len()];
        let changed = format!("{} = {value}", lines[line].split(" = ").next().unwrap());
        lines[line] = &changed;
        exercise(&lines.join("\n"));
    }
}
