//! Judges by what is true, not by what the controller remembers: was a call met in time, if not was it possible and was
//! an emergency told; was a fan stopped or a miner started against the interlocks; did a danger stay without an alarm.

use minectl::config::Config;
use minectl::model::*;

use super::calls::Call;
use super::diary::{beside, date};
use super::faults::Kind;
use super::figures::Figures;
use super::site::Site;
use crate::mine::{OUTLETS, PDUS};

/// A page that cannot be read counts as known to say off after `max_age` and one interval.
const BLIND_S: u64 = 600 + 120;
/// A miner could be reached when one way to it was open this long.
const OPEN_S: u64 = 300;
/// An emergency may come this much after the end of the grace.
const TOLD_S: u64 = 120;
/// Dangers other than a missed call are told within this.
const DANGER_S: u64 = 360;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    InTime,
    /// In time once the page could be read, or had been unreadable for `max_age`.
    PageUnread,
    /// In time once the controller had power and cron ran.
    ControllerOff,
    /// No way to the miners was open; an emergency was told in time.
    Impossible,
    Missed,
}

pub struct Judge {
    grace_s: u64,
    off_below: f64,
    on_above: f64,
    last: u64,
    page_read: u64,
    /// Of the call that goes on: seconds with too much power, and of those the seconds in which the controller could know.
    over_s: u64,
    known_s: u64,
    pdu_open_s: [u64; PDUS],
    foreman_open_s: u64,
    verdict: Verdict,
    off_after: Option<u64>,
    proven_after: Option<u64>,
    judged: bool,
    told: bool,
    few_fans_s: u64,
    critical_s: u64,
    smoke_s: u64,
    was_critical_s: u64,
    /// Broken rules: what, and when.
    pub wrong: Vec<(String, u64)>,
}

impl Judge {
    pub fn new(cfg: &Config) -> Judge {
        Judge {
            grace_s: cfg.miners.deadline.0 + cfg.loop_interval.0,
            off_below: cfg.miners.off_below.value(),
            on_above: cfg.miners.on_above.value(),
            last: 0,
            page_read: 0,
            over_s: 0,
            known_s: 0,
            pdu_open_s: [0; PDUS],
            foreman_open_s: 0,
            verdict: Verdict::InTime,
            off_after: None,
            proven_after: None,
            judged: false,
            told: false,
            few_fans_s: 0,
            critical_s: 0,
            smoke_s: 0,
            was_critical_s: 0,
            wrong: Vec::new(),
        }
    }

    fn wrong(&mut self, site: &Site, what: String) {
        self.wrong.push((format!("{}: {what} ({})", date(site.second), beside(&site.broken)), site.second));
    }

    /// Before a pass's commands are carried out.
    pub fn commands(&mut self, site: &Site, snapshot: &Snapshot, commands: &[Command], call: Option<&Call>) {
        let says_off = snapshot.signal.as_ref().is_ok_and(|reading| match reading.value {
            SignalValue::Number(number) => number >= 310.0,
            SignalValue::CurtailWord(_) | SignalValue::RunWord(_) => false,
        });
        if snapshot.signal.is_ok() {
            self.page_read = site.second;
        }
        let starts = commands.iter().filter(|command| command.starts_miners()).count();
        if says_off && starts > 0 && call.is_some_and(|call| call.holds(site.second)) {
            self.wrong(site, format!("{starts} starts although the page says off"));
        }
        let stopped: Vec<u8> = commands
            .iter()
            .filter_map(|command| if let Command::Fan { fan, on: false } = command { Some(*fan) } else { None })
            .collect();
        let left = site
            .fans
            .iter()
            .enumerate()
            // A fan that spins up is proven before it is at full speed.
            .filter(|(at, fan)| fan.speed > 0.25 && !stopped.contains(&(*at as u8 + 1)))
            .count();
        if !stopped.is_empty() && left < 3 && site.heat_watts > self.off_below {
            self.wrong(site, format!("fans {stopped:?} stopped with {left} others and {:.0} W drawn", site.heat_watts));
        }
    }

    /// After each stretch of time.
    pub fn time(&mut self, site: &Site, state: &SiteState, call: Option<&Call>, is_up: bool, page_shows: bool) {
        let passed = site.second - self.last;
        self.last = site.second;
        let emergency = state.alarms.values().any(|alarm| alarm.severity == Severity::Emergency);
        if let Some(call) = call.filter(|call| call.holds(site.second)) {
            let passed = passed.min(site.second - call.start);
            self.call(site, state, call, passed, is_up, page_shows, emergency);
        }
        self.dangers(site, passed, is_up, emergency);
    }

    #[expect(clippy::too_many_arguments, reason = "all that is true in this moment")]
    fn call(
        &mut self,
        site: &Site,
        state: &SiteState,
        call: &Call,
        passed: u64,
        is_up: bool,
        page_shows: bool,
        emergency: bool,
    ) {
        let since = site.second - call.start;
        if site.heat_watts <= self.off_below {
            self.off_after.get_or_insert(since);
            if matches!(state.miners.phase, MinersPhase::Curtailed { .. }) {
                self.proven_after.get_or_insert(since);
            }
            (self.over_s, self.known_s, self.foreman_open_s) = (0, 0, 0);
            (self.pdu_open_s, self.judged, self.told) = ([0; PDUS], false, false);
            return;
        }
        // What was read before a boot is of no known age: the limit counts anew.
        self.page_read = self.page_read.max(site.booted);
        let knows = page_shows || site.second - self.page_read >= BLIND_S;
        self.over_s += passed;
        if is_up && knows {
            self.known_s += passed;
            if site.broken.foreman_answers() && !site.broken.has(Kind::AgentDown, 0) {
                self.foreman_open_s += passed;
            }
            for pdu in 0..PDUS {
                let closed = [Kind::PduDown, Kind::PduDeaf, Kind::PduFrozen];
                if !closed.iter().any(|kind| site.broken.has(*kind, pdu)) {
                    self.pdu_open_s[pdu] += passed;
                }
            }
        } else if self.over_s >= self.grace_s {
            self.verdict = self.verdict.max(if is_up { Verdict::PageUnread } else { Verdict::ControllerOff });
        }
        self.told |= emergency;
        if self.known_s >= self.grace_s && !self.judged {
            self.judged = true;
            let free = site.heat_watts - self.out_of_reach(site);
            if free > self.off_below {
                self.verdict = Verdict::Missed;
                self.wrong(
                    site,
                    format!("MISSED: {:.0} W drawn after the grace, {free:.0} W in reach", site.heat_watts),
                );
            } else {
                self.verdict = self.verdict.max(Verdict::Impossible);
            }
        }
        if self.known_s >= self.grace_s + TOLD_S && !self.told {
            self.told = true;
            self.wrong(site, format!("no emergency although {:.0} W are drawn after the grace", site.heat_watts));
        }
    }

    /// The watts of miners that neither Foreman nor a PDU could switch off.
    fn out_of_reach(&self, site: &Site) -> f64 {
        let is_out = |miner: usize| {
            let pdu = miner / OUTLETS;
            let is_welded = site.broken.has(Kind::PduWelded, pdu) && miner.is_multiple_of(5);
            let by_pdu = self.pdu_open_s[pdu] >= OPEN_S && !is_welded;
            let by_foreman = self.foreman_open_s >= OPEN_S && !site.is_stubborn(miner);
            !by_pdu && !by_foreman
        };
        let out = (0..PDUS * OUTLETS).filter(|miner| is_out(*miner));
        out.map(|miner| site.miners[miner].watts(site.second, site.seed)).sum()
    }

    fn dangers(&mut self, site: &Site, passed: u64, is_up: bool, emergency: bool) {
        let is_critical = site.critical_s > self.was_critical_s;
        self.was_critical_s = site.critical_s;
        let next = |sum: u64, holds: bool| match (holds, is_up) {
            (true, true) => sum + passed,
            (true, false) => sum,
            (false, _) => 0,
        };
        self.critical_s = next(self.critical_s, is_critical);
        self.few_fans_s = next(self.few_fans_s, site.fans_running() < 3 && site.heat_watts > self.on_above);
        self.smoke_s = next(self.smoke_s, site.broken.has(Kind::Smoke, 0) && !site.broken.has(Kind::RoomDown, 0));
        for (sum, what) in [
            (self.critical_s, "the intake is critical"),
            (self.few_fans_s, "fewer than three fans run while miners draw power"),
            (self.smoke_s, "smoke"),
        ] {
            if !emergency && sum >= DANGER_S && sum - passed < DANGER_S {
                self.wrong(site, format!("no emergency after {sum} s: {what}"));
            }
        }
    }

    /// The call is over.
    pub fn end_call(&mut self, figures: &mut Figures) {
        figures.call(self.verdict, self.off_after, self.proven_after);
        (self.over_s, self.known_s, self.foreman_open_s) = (0, 0, 0);
        (self.pdu_open_s, self.judged, self.told) = ([0; PDUS], false, false);
        (self.verdict, self.off_after, self.proven_after) = (Verdict::InTime, None, None);
    }
}
