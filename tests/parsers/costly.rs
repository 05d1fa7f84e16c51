//! Bytes that are written to cost time, memory or stack: each reader must be done with them soon, on a thread as small as
//! the program's own.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::checks::ALL;

/// The most work that one of them may be, unoptimised.
const TOOK_MAX: Duration = Duration::from_secs(3);

/// As much as a driver takes of most devices.
const BYTES: usize = 64 * 1024;

/// A beginning, and what is repeated after it.
const COSTLY: [(&str, &str); 20] = [
    ("", "["),
    ("", "{\"a\":"),
    ("{\"a\":", "["),
    ("", "<a>"),
    ("", "<a "),
    ("", "<"),
    ("<datavalues>", "<relay1>1</relay1>"),
    ("<?xml version=\"1.0\"?>", "<a>"),
    ("", "&lt;"),
    ("{\"a\":\"", "\\u00"),
    ("", "9"),
    ("{\"relayStates\":\"", "1"),
    ("", "\\"),
    ("", " "),
    ("", "\n"),
    ("", "é"),
    ("HTTP/1.1 200 OK\r\n", "a:b\r\n"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
    ("Digest realm=\"", "\\\""),
    ("time_unix_s", ",a"),
];

/// What something costs on this thread, however busy the machine is.
pub fn cpu_time(work: impl FnOnce()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let began = now();
    work();
    now() - began
}

#[test]
fn bytes_that_are_written_to_cost_much_cost_little() {
    // The page is tried in tests/signal/hostile.rs, with what costs an HTML parser most.
    for (name, check) in ALL.into_iter().filter(|(name, _)| *name != "signal_page") {
        for (start, piece) in COSTLY {
            let bytes: Vec<u8> = start.bytes().chain(piece.bytes().cycle().take(BYTES)).collect();
            let took = cpu_time(|| {
                check(&bytes);
            });
            assert!(took < TOOK_MAX, "{name}: {took:?} for {start:?} and many {piece:?}");
        }
    }
}
