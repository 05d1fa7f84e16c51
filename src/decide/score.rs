//! Measures each call, pass by pass, for its scorecard. It steers nothing: no machine, command or alarm looks at it. When
//! a call begins or ends is seen from the call before and after the miners machine; what was not measured is counted as
//! not measured.

use super::Report;
use super::judge::Inputs;
use super::scorecard::{self, End};
use crate::config::{Config, Mode, OffWhen, SignalMeaning};
use crate::model::{
    Billed, Call, CallRecord, ChangeSource, EventKind, Level, Mark, Metered, MinersPhase, OffReason, PageChanged,
    Score, Severity, SignalPeak, SignalValue, SiteState, Snapshot, Stragglers, WattsAt,
};
use crate::units::{KilowattHours, Moment, Seconds, Watts};

/// So long after a call was read its watts are compared.
pub(super) const MARKS: [Seconds; 3] = [Seconds(60), Seconds(120), Seconds(240)];
/// A measurement further away than this from such a moment does not stand for it.
const MARK_DISTANCE_MAX: u64 = 60;
/// A call is shed when no more than this share of the baseline is left.
const SHED_SHARE: f64 = 0.05;
/// Names that are kept of the outlets that still drew power.
const NAMES_MAX: usize = 10;

/// One pass. Gives the record of a call that ended in it.
pub(super) fn step(
    cfg: &Config,
    before: &SiteState,
    next: &mut SiteState,
    inputs: &Inputs,
    snapshot: &Snapshot,
    now: &Moment,
    report: &mut Report,
) -> Option<CallRecord> {
    let same = |old: &Call| next.call.as_ref().is_some_and(|call| call.seen == old.seen);
    let ended = before.call.clone().filter(|old| !same(old));
    let is_new = ended.is_some() || before.call.is_none();
    let over = ended.map(|mut call| {
        meter(cfg, before, &mut call, inputs, now);
        groups(cfg, before, next, &mut call, inputs);
        if next.demand.reasons.is_empty() {
            call.score.cleared.get_or_insert(next.demand.since);
        }
        call
    });
    if let Some(mut call) = next.call.take() {
        if is_new {
            let unfinished = over.as_ref().and_then(|over| over.score.baseline);
            begin(before, &mut call, unfinished);
        }
        call.reasons.extend(next.demand.reasons.iter().copied());
        signal(cfg, next, &mut call, snapshot, now);
        meter(cfg, before, &mut call, inputs, now);
        proof(cfg, next, &mut call, inputs, snapshot, now);
        groups(cfg, before, next, &mut call, inputs);
        call.score.watts_by_hand |= next.miners.proof_by_hand;
        let is_late = matches!(next.miners.phase, MinersPhase::Fault { .. }) && call.proven.is_some();
        if is_late && is_due(next, &call) {
            call.score.came_back.get_or_insert(*now);
        }
        next.call = Some(call);
    }
    let end = End { at: *now, resumed: next.call.is_none() };
    over.map(|call| {
        let record = scorecard::record(cfg, &call, now, Some(&end));
        let lines = scorecard::lines(cfg, &record);
        report.event(now, EventKind::State, "call", lines.first().cloned().unwrap_or_default());
        report.notice(now, Severity::Info, lines.join("\n"));
        record
    })
}

/// Whether the miners must be off for what the call is judged by: the signal, where it was among the reasons.
fn is_due(next: &SiteState, call: &Call) -> bool {
    let reasons = &next.demand.reasons;
    if call.score.signal_read.is_some() { reasons.contains(&OffReason::Curtail) } else { !reasons.is_empty() }
}

/// What would be drawn without the call. One that follows a call before everything ran again is measured against what
/// ran before that.
fn begin(before: &SiteState, call: &mut Call, unfinished: Option<Watts>) {
    let drawn = call.watts_before.or(before.miners.watts);
    call.score.baseline = match (drawn, unfinished) {
        (Some(drawn), Some(earlier)) if earlier > drawn => Some(earlier),
        (Some(drawn), Some(_) | None) => Some(drawn),
        (None, earlier) => earlier,
    };
}

/// When the page changed, was read and cleared, and its number at its worst.
fn signal(cfg: &Config, next: &SiteState, call: &mut Call, snapshot: &Snapshot, now: &Moment) {
    let score = &mut call.score;
    let reasons = &next.demand.reasons;
    score.cleared = if reasons.is_empty() { score.cleared.or(Some(next.demand.since)) } else { None };
    if !reasons.contains(&OffReason::Curtail) {
        score.signal_cleared = score.signal_read.and(score.signal_cleared.or(Some(*now)));
        return;
    }
    score.signal_cleared = None;
    if score.signal_read.is_none() {
        score.signal_read = Some(*now);
        score.page_changed = page_changed(next, snapshot, now);
    }
    let SignalMeaning::Number { off_when, .. } = &cfg.signal.meaning else { return };
    let Ok(SignalValue::Number(number)) = snapshot.signal.as_ref().map(|reading| &reading.value) else { return };
    let worse = score.peak.is_none_or(|peak| match off_when {
        OffWhen::High => *number > peak.number,
        OffWhen::Low => *number < peak.number,
    });
    if worse {
        score.peak = Some(SignalPeak { number: *number, at: now.wall });
    }
}

/// The page's own stamp counts where the text changed in this pass: one of a later drawing would be too late.
fn page_changed(next: &SiteState, snapshot: &Snapshot, now: &Moment) -> Option<PageChanged> {
    let signal = &next.signal;
    if signal.by_hand || signal.level != Level::Curtail {
        return None;
    }
    let stamp = snapshot.signal.as_ref().ok().and_then(|reading| reading.stamp);
    match stamp.filter(|stamp| signal.changed == Some(*now) && *stamp <= now.wall) {
        Some(at) => Some(PageChanged { at, by: ChangeSource::PageStamp }),
        None => signal.changed.map(|changed| PageChanged { at: changed.wall, by: ChangeSource::FirstRead }),
    }
}

/// Adds the span since the last pass: energy, billing interval, time off without the signal. Then takes the watts of
/// this pass.
fn meter(cfg: &Config, before: &SiteState, call: &mut Call, inputs: &Inputs, now: &Moment) {
    let watts = inputs.miner_watts();
    let score = &mut call.score;
    if let Some(last) = score.last.replace(Metered { at: *now, watts }) {
        let span = now.since(&last.at);
        let mean = mean(cfg, span, last.watts, watts);
        match (score.baseline, mean) {
            (Some(baseline), Some(mean)) => {
                let saved = KilowattHours::drawn(baseline, span).minus(KilowattHours::drawn(mean, span));
                score.not_drawn = Some(score.not_drawn.unwrap_or(KilowattHours::ZERO).plus(saved));
            }
            (Some(_) | None, _) => score.unmeasured = score.unmeasured.plus(span),
        }
        if before.demand.reasons.contains(&OffReason::Curtail) {
            // What nobody measured may have been drawn in full.
            if let Some(mean) = mean.or(score.baseline) {
                bill(&mut score.billed, mean, span, cfg.costs.billing_interval);
            }
            score.billed.time = score.billed.time.plus(span);
        } else if !before.demand.reasons.is_empty() {
            score.needless = score.needless.plus(span);
        }
    }
    let Some(watts) = watts else { return };
    let after = now.since(&call.seen);
    mark(score, after, watts);
    let worth_shedding = score.baseline.filter(|baseline| *baseline > cfg.miners.off_below);
    if worth_shedding.is_some_and(|baseline| watts.value() <= baseline.value() * SHED_SHARE) {
        score.shed.get_or_insert(*now);
    }
}

/// The mean power of a span; `None` when an end of it was not measured, or runs were missed within it.
fn mean(cfg: &Config, span: Seconds, from: Option<Watts>, to: Option<Watts>) -> Option<Watts> {
    let runs_missed = span.0.saturating_mul(2) > cfg.loop_interval.0.saturating_mul(5);
    let (from, to) = from.zip(to).filter(|_| !runs_missed)?;
    Watts::new((from.value() + to.value()) / 2.0).ok()
}

/// Adds a span at one power to the billing intervals, which follow each other from the reading of the signal on.
fn bill(billed: &mut Billed, mean: Watts, span: Seconds, interval: Seconds) {
    let interval_s = interval.0.max(1);
    let mut left = span.0;
    let into = billed.time.0.checked_rem(interval_s).unwrap_or(0);
    let mut room = interval_s.saturating_sub(into);
    if left >= interval_s.saturating_add(room) {
        // Whole intervals lie within the span: all of them at this power.
        let whole = KilowattHours::drawn(mean, interval);
        billed.worst = Some(billed.worst.map_or(whole, |worst| worst.max(whole)));
    }
    let mut open = billed.open.unwrap_or(KilowattHours::ZERO);
    if left >= room {
        let closed = open.plus(KilowattHours::drawn(mean, Seconds(room)));
        billed.worst = Some(billed.worst.map_or(closed, |worst| worst.max(closed)));
        left = left.saturating_sub(room).checked_rem(interval_s).unwrap_or(0);
        open = KilowattHours::ZERO;
        room = interval_s;
    }
    debug_assert!(left < room);
    billed.open = Some(open.plus(KilowattHours::drawn(mean, Seconds(left))));
}

/// Keeps the measurement that is nearest to each moment that counts.
fn mark(score: &mut Score, after: Seconds, watts: Watts) {
    for wanted in MARKS {
        let distance = after.0.abs_diff(wanted.0);
        if after.0 == 0 || distance > MARK_DISTANCE_MAX {
            continue;
        }
        let new = Mark { wanted, after, watts };
        match score.marks.iter_mut().find(|mark| mark.wanted == wanted) {
            Some(mark) if distance < mark.after.0.abs_diff(wanted.0) => *mark = new,
            Some(_) => {}
            None => score.marks.push(new),
        }
    }
}

/// The rungs used, what still drew power at the proof, and the worst after it.
fn proof(cfg: &Config, next: &SiteState, call: &mut Call, inputs: &Inputs, snapshot: &Snapshot, now: &Moment) {
    let score = &mut call.score;
    score.rungs.extend(call.rung);
    if call.proven.is_none() {
        return;
    }
    if call.proven == Some(*now) && score.stragglers.is_none() {
        score.stragglers = Some(stragglers(cfg, snapshot));
    }
    // Of PDUs that cannot all be read, what is known is a lower bound: worth keeping when it is too much by itself.
    let too_much = Some(inputs.known_watts()).filter(|known| *known > cfg.miners.off_below);
    let Some(watts) = inputs.miner_watts().or(too_much).filter(|_| !next.demand.reasons.is_empty()) else { return };
    if score.worst_after_proof.is_none_or(|worst| watts > worst.watts) {
        score.worst_after_proof = Some(WattsAt { watts, at: now.wall });
    }
}

fn stragglers(cfg: &Config, snapshot: &Snapshot) -> Stragglers {
    let mut found = Stragglers::default();
    for pdu in &cfg.pdus {
        let read = snapshot.pdus.get(&pdu.name).and_then(|reading| reading.as_ref().ok());
        for id in &pdu.outlets {
            let watts = read.and_then(|pdu| pdu.outlets.get(id)).and_then(|outlet| outlet.watts.as_ref().ok());
            match watts {
                None => found.unread = found.unread.saturating_add(1),
                Some(watts) if watts.value > cfg.miners.outlet_off_below => {
                    found.count = found.count.saturating_add(1);
                    if found.names.len() < NAMES_MAX {
                        found.names.push(format!("{} outlet {id}", pdu.name));
                    }
                }
                Some(_) => {}
            }
        }
    }
    found
}

/// Notes a resume group that is over without half of its share having come back.
fn groups(cfg: &Config, before: &SiteState, next: &SiteState, call: &mut Call, inputs: &Inputs) {
    let MinersPhase::Resuming { group, watts_before, .. } = &before.miners.phase else { return };
    let goes_on = matches!(&next.miners.phase, MinersPhase::Resuming { group: now, .. } if now > group);
    let is_over = goes_on || next.miners.phase == MinersPhase::Running;
    if !is_over || cfg.mode == Mode::Observe {
        return;
    }
    let half = super::power::half_a_group(cfg, before);
    let is_back = inputs.miner_watts().is_some_and(|watts| watts.value() >= watts_before.value() + half);
    if !is_back {
        call.score.groups_not_back.insert(*group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{BootId, UnixSeconds};

    fn moment(up: u64) -> Moment {
        Moment { wall: UnixSeconds(1_790_000_000 + up as i64), boot: BootId(1), up: Seconds(up) }
    }

    /// A call read at that moment, of a mine that drew this much before.
    fn state(seen: u64, watts_before: Option<f64>) -> SiteState {
        let call = Call {
            seen: moment(seen),
            first_command: None,
            watts_before: watts_before.map(|watts| Watts::new(watts).unwrap()),
            proven: None,
            rung: None,
            reasons: [OffReason::TooHot].into(),
            score: Score::default(),
        };
        let mut state = SiteState::boot(moment(0));
        state.demand.reasons = [OffReason::TooHot].into();
        SiteState { call: Some(call), ..state }
    }

    fn pass(before: &SiteState, next: &mut SiteState, up: u64) -> (Option<CallRecord>, Report) {
        let text = include_str!("../../config.txt");
        let cfg = crate::config::parse(text, "config.txt", std::path::Path::new("/nowhere")).unwrap();
        let inputs = Inputs {
            probes: Default::default(),
            intake: super::super::judge::Quality::Bad("none".to_owned()),
            humidity: Default::default(),
            switches: Default::default(),
            relays: Default::default(),
            fan_watts: Default::default(),
            pdus: Default::default(),
        };
        let none = |device| crate::model::Fault::new(device, crate::model::FaultKind::TimedOut, "no answer");
        let snapshot = Snapshot {
            at: moment(up),
            signal: Err(none("signal")),
            rooms: Default::default(),
            fan_watts: Err(none("iotawatt")),
            boards: Default::default(),
            pdus: Default::default(),
            foreman: Err(none("foreman")),
            took_ms: Default::default(),
            troubles: Vec::new(),
        };
        let mut report = Report::default();
        (step(&cfg, before, next, &inputs, &snapshot, &moment(up), &mut report), report)
    }

    #[test]
    fn a_call_that_takes_the_place_of_another_ends_that_one_and_inherits_its_baseline() {
        let mut first = state(100, Some(900_000.0));
        assert!(pass(&SiteState::boot(moment(0)), &mut first, 100).0.is_none());
        let mut second = state(500, Some(200_000.0));
        let (record, report) = pass(&first, &mut second, 500);
        let record = record.unwrap();
        assert_eq!((record.seen, record.ended, record.resumed), (moment(100).wall, Some(moment(500).wall), None));
        assert_eq!((record.needless, record.unmeasured), (Seconds(400), Seconds(400)));
        assert!(report.notices[0].text.contains("Not resumed: another call followed"));
        let score = second.call.clone().unwrap().score;
        assert_eq!((score.baseline, score.needless), (Watts::new(900_000.0).ok(), Seconds(0)));
        let mut third = SiteState { call: None, ..second.clone() };
        assert!(pass(&second, &mut third, 600).0.is_some_and(|record| record.resumed == record.ended));
        assert!(third.call.is_none());
    }

    #[test]
    fn the_baseline_is_what_was_drawn_before_or_in_the_pass_before() {
        let baseline = |before: Option<f64>, last: Option<f64>| {
            let mut earlier = SiteState::boot(moment(0));
            earlier.miners.watts = last.map(|watts| Watts::new(watts).unwrap());
            let mut next = state(100, before);
            pass(&earlier, &mut next, 100);
            next.call.and_then(|call| call.score.baseline).map(Watts::value)
        };
        assert_eq!(baseline(Some(5.0e5), Some(6.0e5)), Some(5.0e5));
        assert_eq!(baseline(None, Some(6.0e5)), Some(6.0e5));
        assert_eq!(baseline(None, None), None);
    }

    fn billed(parts: &[(f64, u64)]) -> (f64, f64) {
        let mut billed = Billed::default();
        for (watts, span) in parts {
            bill(&mut billed, Watts::new(*watts).unwrap(), Seconds(*span), Seconds(1800));
            billed.time = billed.time.plus(Seconds(*span));
        }
        (billed.worst.map_or(0.0, KilowattHours::value), billed.open.map_or(0.0, KilowattHours::value))
    }

    #[test]
    fn a_span_is_shared_out_between_the_billing_intervals_that_it_touches() {
        assert_eq!(billed(&[(1.0e6, 360)]), (0.0, 100.0));
        assert_eq!(billed(&[(1.0e6, 1800)]), (500.0, 0.0), "an interval that is full is over");
        assert_eq!(billed(&[(1.0e6, 1799)]).0, 0.0);
        assert_eq!(billed(&[(0.0, 1440), (1.0e6, 720)]), (100.0, 100.0));
        assert_eq!(billed(&[(0.0, 1440), (1.0e6, 720 + 1800)]), (500.0, 100.0), "a whole interval lies within");
        assert_eq!(billed(&[(1.0e6, 360), (0.0, 1440), (0.0, 1800)]), (100.0, 0.0), "the worst stays");
    }

    #[test]
    fn the_measurement_nearest_to_a_moment_counts_within_a_minute_of_it() {
        let kept = |afters: &[u64]| {
            let mut score = Score::default();
            for after in afters {
                mark(&mut score, Seconds(*after), Watts::new(*after as f64).unwrap());
            }
            score.marks.iter().map(|mark| (mark.wanted.0, mark.after.0)).collect::<Vec<_>>()
        };
        assert_eq!(kept(&[0]), [], "what is drawn when it begins is the watts before");
        assert_eq!(kept(&[20, 120, 240]), [(60, 20), (120, 120), (240, 240)]);
        assert_eq!(kept(&[50, 65, 80]), [(60, 65), (120, 80)]);
        assert_eq!(kept(&[180]), [(120, 180), (240, 180)]);
        assert_eq!(kept(&[181]), [(240, 181)]);
        assert_eq!(kept(&[301]), []);
    }
}
