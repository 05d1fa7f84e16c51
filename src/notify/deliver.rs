//! Emptying the outbox: channels side by side, each in order, and an end in time whatever the services do. It does not
//! touch the outbox itself: what came of each message is returned.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::config::Config;
use crate::model::{Channel, Delivery, Fault, FaultKind, OutboxEntry};

use super::attempt::Attempt;
use super::letter::Letter;
use super::outbox::left;
use super::queue::{Batch, batches};
use super::{email, sms, telegram};

/// With less time than this left, no further message is begun.
const SEND_MIN: Duration = Duration::from_millis(300);

/// How long after the limit the results of sends that ended with it are still taken.
const SLACK: Duration = Duration::from_millis(250);

/// What a channel's thread reports.
enum Report {
    /// This message is on its way.
    Begins(Channel, Batch),
    /// It ended so.
    Ends(Channel, Attempt),
}

/// Sends what is due, and returns what came of each message that was begun. Entries without a `Delivery` were not
/// tried: not due, behind an earlier one, over the limit per hour, or out of time.
///
/// Channels work side by side. Within one, emergencies go first, then the others by id; the rules are in `queue`. After a
/// `Later` for all recipients the channel rests until the next run. `sent_last_hour` counts messages that are no emergencies.
///
/// `limit` is real time. The call ends by then plus a quarter of a second: a send that still runs is reported as `Later`
/// and left behind on its thread. It may arrive all the same, so it may arrive twice.
pub fn deliver(
    cfg: &Config,
    entries: &[OutboxEntry],
    sent_last_hour: &BTreeMap<Channel, u32>,
    clock: &Clock,
    limit: Duration,
) -> Vec<Delivery> {
    let deadline = Instant::now() + limit;
    let now = clock.now().wall;
    let mut by_channel: BTreeMap<Channel, Vec<OutboxEntry>> = BTreeMap::new();
    for entry in entries {
        by_channel.entry(entry.channel).or_default().push(entry.clone());
    }
    let shared = Arc::new(cfg.clone());
    let (reports, received) = channel();
    for (channel, entries) in by_channel {
        let batches = batches(entries, now, left(cfg, sent_last_hour, channel));
        let (cfg, reports, clock) = (Arc::clone(&shared), reports.clone(), *clock);
        let work = move || send_all(&cfg, channel, batches, &clock, deadline, &reports);
        if let Err(cause) = thread::Builder::new().name(channel.word().to_owned()).spawn(work) {
            log::error!("{}: no thread to send on: {cause}", channel.word());
        }
    }
    drop(reports);
    collect(&received, clock, deadline + SLACK, limit)
}

/// The work of one channel's thread.
fn send_all(
    cfg: &Config,
    channel: Channel,
    batches: Vec<Batch>,
    clock: &Clock,
    deadline: Instant,
    reports: &Sender<Report>,
) {
    for batch in batches {
        let left = deadline.saturating_duration_since(Instant::now());
        if left < SEND_MIN {
            return;
        }
        let letter = Letter::new(cfg, &batch, clock.now().wall);
        // A failed report means that the call has ended without us: nothing more may be sent then.
        if reports.send(Report::Begins(channel, batch)).is_err() {
            return;
        }
        let attempt = send(cfg, channel, &letter, clock, left);
        let goes_on = !attempt.holds_the_channel();
        if reports.send(Report::Ends(channel, attempt)).is_err() || !goes_on {
            return;
        }
    }
}

/// Sends one message within `left`.
fn send(cfg: &Config, channel: Channel, letter: &Letter, clock: &Clock, left: Duration) -> Attempt {
    let attempt = match channel {
        Channel::Telegram => cfg.telegram.as_ref().map(|settings| telegram::send(settings, letter, left)),
        Channel::Email => cfg.email.as_ref().map(|settings| email::send(cfg, settings, letter, clock, left)),
        Channel::Sms => cfg.sms.as_ref().map(|settings| sms::send(settings, letter, left)),
    };
    attempt.unwrap_or_else(|| {
        let detail = format!("[{}] is no longer in the configuration", channel.word());
        Attempt::Refused(Fault::new(channel.word(), FaultKind::Missing, detail))
    })
}

/// Takes reports until all threads have ended or `end` has come; then settles what still runs.
fn collect(received: &Receiver<Report>, clock: &Clock, end: Instant, limit: Duration) -> Vec<Delivery> {
    let mut running: BTreeMap<Channel, Batch> = BTreeMap::new();
    let mut deliveries = Vec::new();
    let over = loop {
        match received.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Report::Begins(channel, batch)) => {
                running.insert(channel, batch);
            }
            Ok(Report::Ends(channel, attempt)) => {
                if let Some(batch) = running.remove(&channel) {
                    deliveries.push(delivery(channel, &batch, attempt, clock));
                }
            }
            Err(over) => break over,
        }
    };
    for (channel, batch) in running {
        let fault = match over {
            RecvTimeoutError::Timeout => {
                let detail = format!("not done within {:.1} s; it may have arrived all the same", limit.as_secs_f64());
                Fault::new(channel.word(), FaultKind::TimedOut, detail)
            }
            // Only a bug of ours ends a thread in the middle; the message must not be lost by it.
            RecvTimeoutError::Disconnected => {
                Fault::new(channel.word(), FaultKind::Broken, "the program failed while sending; please report this")
            }
        };
        deliveries.push(delivery(channel, &batch, Attempt::later(fault), clock));
    }
    deliveries
}

fn delivery(channel: Channel, batch: &Batch, attempt: Attempt, clock: &Clock) -> Delivery {
    let (result, reached) = attempt.into_result(batch.attempts(), clock.now().wall);
    log::debug!("{}: messages {:?}: {result:?}", channel.word(), batch.ids());
    Delivery { ids: batch.ids(), channel, result, reached }
}
