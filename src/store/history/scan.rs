//! Reading the history's CSV files, fast enough for two years at once. Lines that are torn or garbled are left out. It
//! knows no series and no steps.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::ops::RangeInclusive;
use std::path::Path;

/// How every header line begins.
pub(super) const TIME: &str = "time_unix_s";
/// What is put behind a torn line before the next one is written: without it a value that was cut would be taken.
pub(super) const TORN: &str = ",torn";
/// The largest file that is read: a thousand series in every run of a day.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Integers of so many digits are exact as `f64`.
const DIGITS_MAX: u32 = 15;
/// Powers of ten that are exact as `f64`, as far as the digits go.
const TENS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The bytes of a file, as far as they can be read, and the error that ended the reading. A file that is not there has
/// none.
pub(super) fn bytes(path: &Path) -> (Vec<u8>, Option<io::Error>) {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)) {
        Ok(_) => (bytes, None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (Vec::new(), None),
        Err(error) => (bytes, Some(error)),
    }
}

/// The whole lines of a file without their ends; what stands behind the last end is torn and left out.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || next_line(&mut rest))
}

fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let from = *rest;
    // Reading from memory does not fail.
    let length = rest.skip_until(b'\n').unwrap_or(0);
    from.get(..length)?.strip_suffix(b"\n")
}

/// The names in a header line, without that of the time; `None` for any other line.
pub(super) fn header(line: &[u8]) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(line).ok()?;
    let names = text.strip_prefix(TIME)?;
    if names.is_empty() { Some(Vec::new()) } else { Some(names.strip_prefix(',')?.split(',').collect()) }
}

/// The rows of a file one after the other, each with the values of the series that are wanted.
pub(super) struct Rows<'a> {
    rest: &'a [u8],
    times: RangeInclusive<i64>,
    wanted: &'a dyn Fn(&str) -> bool,
    is_wanted: Vec<bool>,
    /// The names of the wanted columns, from the last header.
    pub(super) names: Vec<&'a str>,
    /// One value for each of them.
    pub(super) values: Vec<Option<f64>>,
    /// How many headers have come.
    pub(super) headers: usize,
}

impl<'a> Rows<'a> {
    /// The rows whose time (in seconds since 1970) lies within `times`; of them the columns that `wanted` accepts.
    pub(super) fn new(bytes: &'a [u8], times: RangeInclusive<i64>, wanted: &'a dyn Fn(&str) -> bool) -> Rows<'a> {
        Rows { rest: bytes, times, wanted, is_wanted: Vec::new(), names: Vec::new(), values: Vec::new(), headers: 0 }
    }

    /// Goes on to the next row and returns its time; `None` at the end.
    pub(super) fn next_row(&mut self) -> Option<i64> {
        while let Some(line) = next_line(&mut self.rest) {
            if line.ends_with(TORN.as_bytes()) {
                continue;
            }
            if line.first() == Some(&b't') {
                if let Some(names) = header(line) {
                    self.is_wanted = names.iter().map(|name| (self.wanted)(name)).collect();
                    self.names = names.into_iter().filter(|name| (self.wanted)(name)).collect();
                    self.headers += 1;
                }
                continue;
            }
            let mut fields = line.split(|byte| *byte == b',');
            let at = fields.next().and_then(time).filter(|at| self.times.contains(at));
            if let Some(at) = at.filter(|_| read_values(fields, &self.is_wanted, &mut self.values)) {
                return Some(at);
            }
        }
        None
    }
}

/// The values of the wanted columns; `false` when the row has more or fewer fields than the header.
fn read_values<'a>(fields: impl Iterator<Item = &'a [u8]>, wanted: &[bool], values: &mut Vec<Option<f64>>) -> bool {
    values.clear();
    let mut expected = wanted.iter();
    for field in fields {
        match expected.next() {
            Some(true) => values.push(number(field)),
            Some(false) => {}
            None => return false,
        }
    }
    expected.next().is_none()
}

/// The time of a row, in seconds since 1970.
pub(super) fn time(field: &[u8]) -> Option<i64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// A finite value; `None` for a gap and for what is no number. Plain decimals, as this program writes them, are read
/// without a detour.
fn number(field: &[u8]) -> Option<f64> {
    let (negative, digits) = match field.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, field),
    };
    let (mut whole, mut count, mut behind) = (0_u64, 0_u32, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' if count < DIGITS_MAX => {
                whole = whole.wrapping_mul(10).wrapping_add(u64::from(byte.wrapping_sub(b'0')));
                count += 1;
                behind = behind.map(|places: usize| places + 1);
            }
            b'.' if behind.is_none() && count > 0 => behind = Some(0),
            _ => return odd_number(field),
        }
    }
    if count == 0 {
        return odd_number(field);
    }
    // Both are exact, so the quotient is the nearest value there is.
    let value = whole as f64 / TENS.get(behind.unwrap_or(0))?;
    Some(if negative { -value } else { value })
}

fn odd_number(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field).ok()?.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_standard_library_reads_them() {
        let plain = ["0", "-0", "7", "-12.5", "0.001", "162345.678", "999999999999999", "0.00000000000001", "3."];
        let odd =
            ["1e3", "+4", ".5", "123456789012345678", "0.1234567890123456", "-", ".", "", "1.2.3", "x", "NaN", "inf"];
        for text in plain.iter().chain(&odd) {
            let expected = text.parse().ok().filter(|value: &f64| value.is_finite());
            assert_eq!(number(text.as_bytes()), expected, "{text}");
        }
        for n in -2000..2000 {
            let text = format!("{:.3}", f64::from(n) * 0.737);
            assert_eq!(number(text.as_bytes()), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn an_end_without_its_newline_is_no_line() {
        let all = |text: &'static str| lines(text.as_bytes()).map(|line| line.len()).collect::<Vec<_>>();
        assert_eq!(all("ab\n\nc\nde"), [2, 0, 1]);
        assert_eq!(all("ab"), Vec::<usize>::new());
    }
}
