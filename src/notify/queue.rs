//! Which waiting messages of one channel are sent in this run, in which order, and which of them are joined into one.
//! Data in, data out: it sends nothing.
//!
//! The rules, in this order:
//!
//! 1. An entry whose time has not come waits, and so does every later one of the same severity: a later message never
//!    overtakes an earlier one of its severity. Another severity may pass. A new emergency takes the emergencies that
//!    wait before it along instead of waiting behind them: a person must act now, and the service may be back.
//! 2. Emergencies go first, then the others, each by id.
//! 3. More than [`APART_MAX`] waiting ones are joined into one readable message, emergencies apart from the others.
//! 4. One that some recipients have and others do not yet goes last, to those others only, and holds nobody up: a mailbox
//!    that is full for days must not keep the owner's messages back.
//! 5. The others share what is left of the channel's limit per hour: too many for it are joined, and with nothing left
//!    they wait. Emergencies are not counted and never held back.

use crate::model::{OutboxEntry, Severity};
use crate::units::UnixSeconds;

use super::attempt::WAIT_MAX;

/// So many waiting messages are still sent one by one.
pub(super) const APART_MAX: usize = 5;

/// One message to send: one entry, or several joined; by id, never empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    /// The entries.
    pub(super) entries: Vec<OutboxEntry>,
}

impl Batch {
    /// The entries' places in the outbox.
    pub(super) fn ids(&self) -> Vec<u64> {
        self.entries.iter().map(|entry| entry.id).collect()
    }

    /// The recipients who have all of it already.
    pub(super) fn reached(&self) -> Vec<String> {
        let first = self.entries.first().map(|entry| entry.reached.as_slice()).unwrap_or_default();
        let has_all = |to: &&String| self.entries.iter().all(|entry| entry.reached.contains(to));
        first.iter().filter(has_all).cloned().collect()
    }

    /// The attempts before this one, of the entry that had the most.
    pub(super) fn attempts(&self) -> u32 {
        self.entries.iter().map(|entry| entry.attempts).max().unwrap_or(0)
    }
}

/// The messages to send now, in order. `entries` are those of one channel, in any order; `left` is what remains of the
/// channel's limit per hour.
pub(super) fn batches(mut entries: Vec<OutboxEntry>, now: UnixSeconds, left: usize) -> Vec<Batch> {
    entries.sort_by_key(|entry| entry.id);
    let (entries, mut partial): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.reached.is_empty());
    partial.retain(|entry| is_due(entry, now));
    let (emergencies, others): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| entry.notice.severity == Severity::Emergency);
    let emergencies = if emergencies.iter().any(|entry| is_due(entry, now)) { emergencies } else { Vec::new() };
    let mut batches = joined_above(emergencies, APART_MAX);
    if left > 0 {
        batches.extend(joined_above(in_turn(others, now), left.min(APART_MAX)));
    }
    batches.extend(joined_above(partial, APART_MAX));
    batches
}

/// Those that are due and have no waiting one of their severity before them.
fn in_turn(entries: Vec<OutboxEntry>, now: UnixSeconds) -> Vec<OutboxEntry> {
    let mut waiting = Vec::new();
    let mut due = Vec::new();
    for entry in entries {
        let severity = entry.notice.severity;
        if waiting.contains(&severity) || !is_due(&entry, now) {
            waiting.push(severity);
        } else {
            due.push(entry);
        }
    }
    due
}

/// Whether an entry's time has come. A time further ahead than the longest wait was set by a clock that has jumped
/// back since (a Pi without network starts in the past), so it counts as come.
pub(super) fn is_due(entry: &OutboxEntry, now: UnixSeconds) -> bool {
    entry.not_before <= now || entry.not_before > now.plus(WAIT_MAX)
}

/// One message for each, or one for all when there are more than `apart_max`.
fn joined_above(entries: Vec<OutboxEntry>, apart_max: usize) -> Vec<Batch> {
    if entries.len() > apart_max {
        return vec![Batch { entries }];
    }
    entries.into_iter().map(|entry| Batch { entries: vec![entry] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, Notice};

    const NOW: UnixSeconds = UnixSeconds(1_900_000_000);

    fn entry(id: u64, severity: Severity, not_before: i64) -> OutboxEntry {
        let notice = Notice { severity, at: NOW, text: format!("message {id}") };
        let not_before = UnixSeconds(NOW.0 + not_before);
        OutboxEntry { not_before, ..OutboxEntry::untried(id, Channel::Telegram, notice) }
    }

    /// The same, which these have already.
    fn partial(id: u64, not_before: i64, reached: &[&str]) -> OutboxEntry {
        let reached = reached.iter().map(|to| (*to).to_owned()).collect();
        OutboxEntry { reached, ..entry(id, Severity::Emergency, not_before) }
    }

    fn ids(entries: Vec<OutboxEntry>, left: usize) -> Vec<Vec<u64>> {
        batches(entries, NOW, left).iter().map(Batch::ids).collect()
    }

    fn infos(count: u64) -> Vec<OutboxEntry> {
        (1..=count).map(|id| entry(id, Severity::Info, 0)).collect()
    }

    #[test]
    fn emergencies_go_first_and_the_others_by_id() {
        let entries = vec![
            entry(4, Severity::Emergency, 0),
            entry(1, Severity::Info, 0),
            entry(3, Severity::Warning, 0),
            entry(2, Severity::Emergency, 0),
        ];
        assert_eq!(ids(entries, 30), [[2], [4], [1], [3]]);
    }

    #[test]
    fn a_later_message_waits_behind_an_earlier_one_of_its_severity_only() {
        let entries = vec![
            entry(1, Severity::Warning, 1),
            entry(2, Severity::Warning, 0),
            entry(3, Severity::Info, 0),
            entry(4, Severity::Emergency, 0),
        ];
        assert_eq!(ids(entries, 30), [[4], [3]]);
    }

    #[test]
    fn one_that_some_have_goes_last_and_holds_nobody_up() {
        let entries = vec![partial(1, 0, &["a"]), entry(2, Severity::Emergency, 0), entry(3, Severity::Info, 0)];
        assert_eq!(ids(entries, 30), [[2], [3], [1]]);
        assert_eq!(ids(vec![partial(1, 1, &["a"]), entry(2, Severity::Emergency, 0)], 30), [[2]]);
        let six: Vec<_> = (1..=6).map(|id| partial(id, 0, &["a"])).collect();
        assert_eq!(ids(six, 0), [[1, 2, 3, 4, 5, 6]]);
    }

    #[test]
    fn a_joined_message_leaves_out_only_who_has_all_of_it() {
        let batch = Batch { entries: vec![partial(1, 0, &["a", "b"]), partial(2, 0, &["c", "b"])] };
        assert_eq!(batch.reached(), ["b"]);
    }

    #[test]
    fn an_entry_is_due_at_its_time_and_not_a_second_before() {
        assert_eq!(ids(vec![entry(1, Severity::Info, 0)], 30), [[1]]);
        assert!(ids(vec![entry(1, Severity::Info, 1)], 30).is_empty());
    }

    #[test]
    fn a_new_emergency_takes_the_waiting_ones_along_and_alone_they_wait() {
        assert!(ids(vec![entry(1, Severity::Emergency, 60)], 30).is_empty());
        let entries = vec![entry(1, Severity::Emergency, 60), entry(2, Severity::Emergency, 0)];
        assert_eq!(ids(entries, 30), [[1], [2]]);
    }

    #[test]
    fn a_time_beyond_the_longest_wait_is_a_clock_that_jumped_back() {
        assert!(ids(vec![entry(1, Severity::Info, 900)], 30).is_empty());
        assert_eq!(ids(vec![entry(1, Severity::Info, 901)], 30), [[1]]);
    }

    #[test]
    fn five_waiting_messages_go_one_by_one_and_six_as_one() {
        assert_eq!(ids(infos(5), 30).len(), 5);
        assert_eq!(ids(infos(6), 30), [[1, 2, 3, 4, 5, 6]]);
        let emergencies: Vec<_> = (1..=6).map(|id| entry(id, Severity::Emergency, 0)).collect();
        assert_eq!(ids(emergencies, 0), [[1, 2, 3, 4, 5, 6]]);
    }

    #[test]
    fn messages_that_the_hour_has_no_room_for_are_joined_and_with_no_room_they_wait() {
        assert_eq!(ids(infos(3), 3).len(), 3);
        assert_eq!(ids(infos(3), 2), [[1, 2, 3]]);
        assert!(ids(infos(3), 0).is_empty());
        assert_eq!(ids(vec![entry(1, Severity::Emergency, 0)], 0), [[1]], "emergencies are never held back");
    }
}
