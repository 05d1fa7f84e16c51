//! The last step of a run: the values that an Influx-compatible service has not got yet are written to it, the oldest
//! first. The history is the queue: only up to where it was taken is remembered. Nothing here steers anything.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Run;
use crate::config::InfluxConfig;
use crate::influx::{self, Said};
use crate::model::Fault;
use crate::store;
use crate::units::{Seconds, UnixSeconds};

/// Runs that are sent by one run: a day's outage is caught up with at once, a month's within ten.
const RUNS_MAX: usize = 5000;
/// Requests of one run.
const REQUESTS_MAX: usize = 40;
/// Runs in the first request: on a bad line a small one is taken where a large one is not. Each further one has twice as many.
const FIRST_RUNS: usize = 30;
/// Bytes of one request, but for the last line of it.
const REQUEST_BYTES_MAX: usize = 512 * 1024;
/// Older runs are not sent any more.
const AGE_MAX: Seconds = Seconds(30 * 86_400);
/// After the clock went back, so much is sent once more.
const AGAIN: Seconds = Seconds(86_400);
/// With less time (real time) nothing is begun: it waits for the next run.
const TIME_MIN: Duration = Duration::from_millis(300);

impl Run<'_> {
    /// Writes what is due within what is left of the run's budget. Returns what was wrong, if anything.
    pub(super) fn push(&mut self) -> Option<Fault> {
        let cfg = self.cfg.influx.as_ref()?;
        let limit = cfg.timeout.duration().min(self.left_for_end());
        if limit < TIME_MIN {
            log::debug!("influx: no time left in this run");
            return self.state.influx.clone();
        }
        let now = self.clock.now();
        let known = store::pushed_until(&self.cfg.paths.data);
        let began_after = begin(known, now.wall);
        let mut push = Push {
            cfg,
            site: &self.cfg.site.name,
            folder: self.store.history_folder(),
            now: now.wall,
            until: Instant::now() + limit,
            after: began_after,
            fault: None,
        };
        let sent = push.all();
        let (after, fault) = (push.after, push.fault);
        if sent > 1 {
            log::info!("influx: {sent} runs taken, up to {} s since 1970", after.0);
        }
        if known != Some(after)
            && let Err(error) = store::keep_pushed(&self.cfg.paths.data, after)
        {
            self.trouble(&error, &now);
        }
        if let Some(fault) = &fault {
            log::warn!("{fault}");
        }
        fault
    }
}

/// After which moment the runs are due.
fn begin(known: Option<UnixSeconds>, now: UnixSeconds) -> UnixSeconds {
    let oldest = now.minus(AGE_MAX);
    match known {
        // The clock went back: what is stamped after it would never be newer than what is known.
        Some(known) if known > now => now.minus(AGAIN),
        Some(known) => known.max(oldest),
        None => oldest,
    }
}

/// What is under way.
struct Push<'a> {
    cfg: &'a InfluxConfig,
    site: &'a str,
    folder: PathBuf,
    now: UnixSeconds,
    until: Instant,
    /// The service has the runs up to here.
    after: UnixSeconds,
    fault: Option<Fault>,
}

/// Runs that go into one request.
struct Batch {
    lines: String,
    runs: usize,
    last: UnixSeconds,
}

impl Push<'_> {
    /// Sends one request after the other and returns how many runs were taken.
    fn all(&mut self) -> usize {
        let (mut taken, mut size) = (0, FIRST_RUNS);
        for _ in 0..REQUESTS_MAX {
            let mut batch = self.batch(size.min(RUNS_MAX.saturating_sub(taken)), false);
            if batch.runs == 0 || (taken > 0 && self.time_left() < TIME_MIN) {
                break;
            }
            let mut said = self.write(&batch.lines);
            if matches!(said, Said::TakenInPart(_)) {
                // InfluxDB drops the whole line for one field that it cannot take: each field on a line of its own costs that
                // field alone, and what it has already is merely written again.
                batch = self.batch(batch.runs, true);
                said = self.write(&batch.lines);
            }
            match said {
                Said::Taken => {}
                Said::TakenInPart(fault) => self.fault = Some(fault),
                Said::Refused(_) if batch.runs > 1 => {
                    size = batch.runs / 2;
                    continue;
                }
                Said::Refused(fault) => {
                    // One run alone is refused. Only if another one is taken it is this one that is bad, not the address.
                    let is_bad = self.newest_is_taken(&batch);
                    self.fault = Some(fault);
                    if !is_bad {
                        break;
                    }
                    log::warn!("influx: the run of {} s since 1970 is refused alone and left out", batch.last.0);
                }
                // Time was up in the middle of catching up: the next run goes on.
                Said::Failed(_) if taken > 0 && self.time_left().is_zero() => break,
                Said::Failed(fault) => {
                    self.fault = Some(fault);
                    break;
                }
            }
            taken += batch.runs;
            self.after = batch.last;
            size = size.saturating_mul(2);
        }
        taken
    }

    fn time_left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    fn write(&self, lines: &str) -> Said {
        // A run without any value has no line.
        if lines.is_empty() { Said::Taken } else { influx::write(self.cfg, lines, self.time_left()) }
    }

    /// The next runs that are due, at most so many; each field on a line of its own if `apart`.
    fn batch(&self, runs_max: usize, apart: bool) -> Batch {
        let mut batch = Batch { lines: String::new(), runs: 0, last: self.after };
        if runs_max == 0 {
            return batch;
        }
        store::runs_after(&self.folder, self.after, self.now, &mut |at, run| {
            if apart {
                let each = run.0.iter().zip(run.1).map(|(name, value)| self.line(at, (&[*name], &[*value])));
                batch.lines.extend(each);
            } else {
                batch.lines.push_str(&self.line(at, run));
            }
            batch.runs += 1;
            batch.last = at;
            batch.runs < runs_max && batch.lines.len() < REQUEST_BYTES_MAX
        });
        batch
    }

    fn line(&self, at: UnixSeconds, (names, values): store::Values) -> String {
        let fields = names.iter().zip(values).filter_map(|(name, value)| Some((*name, (*value)?)));
        influx::line(self.site, at, fields)
    }

    /// Whether the newest run's line is taken, though this one is not.
    fn newest_is_taken(&self, refused: &Batch) -> bool {
        let mut newest = String::new();
        store::runs_after(&self.folder, refused.last, self.now, &mut |at, run| {
            newest = self.line(at, run);
            true
        });
        !newest.is_empty() && self.write(&newest) == Said::Taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_begins_after_what_was_taken_and_at_most_thirty_days_back() {
        let now = UnixSeconds(1_800_000_000);
        let month = UnixSeconds(1_800_000_000 - 30 * 86_400);
        assert_eq!(begin(None, now), month);
        assert_eq!(begin(Some(UnixSeconds(month.0 - 1)), now), month);
        assert_eq!(begin(Some(UnixSeconds(month.0 + 1)), now), UnixSeconds(month.0 + 1));
        assert_eq!(begin(Some(now), now), now);
    }

    #[test]
    fn a_clock_that_went_back_does_not_end_the_sending() {
        let now = UnixSeconds(1_800_000_000);
        assert_eq!(begin(Some(UnixSeconds(now.0 + 1)), now), UnixSeconds(now.0 - 86_400));
    }
}
