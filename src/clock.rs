//! The one place that reads the machine's clocks. For tests and demonstrations the clock can be set from outside and
//! run fast; everything else takes `now` as a value.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::units::{BootId, Moment, Seconds, UnixSeconds};

/// Names the variable that sets a test clock: `REAL:SITE:RATE`, e.g. `1795360000:1795400000:60` for a site clock that
/// showed 1795400000 when the real one showed 1795360000 and runs 60 times as fast.
pub const TEST_CLOCK_VARIABLE: &str = "MINECTL_TEST_CLOCK";

/// Names the variable that sets a test boot id (a number), to play a reboot.
pub const TEST_BOOT_VARIABLE: &str = "MINECTL_TEST_BOOT";

/// A source of [`Moment`]s: the machine's clocks, or a test clock derived from them.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    real_origin: f64,
    site_origin: f64,
    rate: f64,
    boot: BootId,
}

impl Clock {
    /// The machine's own clocks.
    pub fn real() -> Clock {
        Clock { real_origin: 0.0, site_origin: 0.0, rate: 1.0, boot: kernel_boot_id() }
    }

    /// The test clock of the environment if it is set, else the machine's. `Err` is a sentence about the variable.
    pub fn from_environment() -> Result<Clock, String> {
        let mut clock = match std::env::var(TEST_CLOCK_VARIABLE) {
            Ok(text) => Clock::parse(&text).ok_or_else(|| {
                format!("{TEST_CLOCK_VARIABLE}=`{text}`: wanted REAL:SITE:RATE with a rate from 0.1 to 1000")
            })?,
            Err(_) => Clock::real(),
        };
        if let Ok(text) = std::env::var(TEST_BOOT_VARIABLE) {
            clock.boot = BootId(text.parse().map_err(|_| format!("{TEST_BOOT_VARIABLE}=`{text}`: wanted a number"))?);
        }
        Ok(clock)
    }

    /// Reads `REAL:SITE:RATE`; `None` when it is malformed or the rate is outside 0.1 to 1000.
    pub fn parse(text: &str) -> Option<Clock> {
        let parts: Vec<f64> = text.split(':').map(|p| p.trim().parse().ok()).collect::<Option<_>>()?;
        let &[real_origin, site_origin, rate] = parts.as_slice() else { return None };
        let sane = parts.iter().all(|p| p.is_finite()) && (0.1..=1000.0).contains(&rate);
        sane.then(|| Clock { real_origin, site_origin, rate, boot: kernel_boot_id() })
    }

    /// Whether this is a test clock.
    pub fn is_test(&self) -> bool {
        self.site_origin != self.real_origin || self.rate != 1.0
    }

    /// Seconds since 1970 by this clock, with fractions.
    pub fn seconds(&self) -> f64 {
        self.site_origin + (real_seconds() - self.real_origin) * self.rate
    }

    /// Now, on both clocks.
    pub fn now(&self) -> Moment {
        let site = self.seconds();
        // A test clock drives both clocks: where it may start is not bound by how long this machine has been up.
        let up = if self.is_test() { site } else { boot_seconds() };
        Moment { wall: UnixSeconds(site.floor() as i64), boot: self.boot, up: Seconds(up.max(0.0) as u64) }
    }

    /// How long a span of site time lasts on this machine: the span itself but for a test clock.
    pub fn real_span(&self, span: Duration) -> Duration {
        span.div_f64(self.rate)
    }

    /// Waits for a span of site time.
    pub fn pause(&self, span: Duration) {
        std::thread::sleep(self.real_span(span));
    }
}

fn real_seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

fn boot_seconds() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1.0e9
}

/// The first 32 bits of the kernel's boot id; 0 where there is none (each run then counts as the same boot).
fn kernel_boot_id() -> BootId {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    BootId(text.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_clock_runs_at_its_rate_from_its_origin() {
        let real = real_seconds();
        let clock = Clock::parse(&format!("{real}:1000000:100")).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        let passed = clock.seconds() - 1_000_000.0;
        assert!((2.0..50.0).contains(&passed), "{passed}");
        assert!(clock.is_test());
        assert_eq!(clock.real_span(Duration::from_secs(100)), Duration::from_secs(1));
    }

    #[test]
    fn a_malformed_test_clock_is_refused() {
        for text in ["", "1:2", "1:2:0", "1:2:1e9", "a:b:c", "1:2:NaN"] {
            assert!(Clock::parse(text).is_none(), "{text}");
        }
    }
}
