//! The figures of the year, and how they are printed.

use std::collections::BTreeMap;
use std::fmt::Write;

use minectl::config::Config;
use minectl::model::*;

use super::faults::Kind;
use super::judge::Verdict;
use super::site::Site;
use super::weather::DAYS;
use crate::mine::MINERS;
use crate::physics::{Air, FANS};

const MINER_WATTS: f64 = 3350.0;

pub struct Figures {
    shed_above: f64,
    /// How much hotter than outdoors the hottest intake probe gets, by the number of fans, with all miners on.
    rise: [f64; FANS + 1],
    verdicts: BTreeMap<Verdict, usize>,
    off_after: Vec<u64>,
    proven_after: Vec<u64>,
    pub mined_h: f64,
    lost_h: BTreeMap<String, f64>,
    pub excused_h: BTreeMap<&'static str, f64>,
    alarms: BTreeMap<Severity, usize>,
    alarm_ids: BTreeMap<String, usize>,
    notices: BTreeMap<Severity, usize>,
    pub switchings_worst: (u64, u64),
    switchings_before: u64,
    pub notices_worst: (usize, u64),
    notices_before: usize,
    pub hottest_c: f64,
    pub critical_possible_s: u64,
    critical_before_s: u64,
    /// Whether the fans could have cooled the intake below critical at the end of the last interval.
    could_cool: bool,
    pub passes: u64,
}

impl Figures {
    pub fn new(cfg: &Config) -> Figures {
        let mut rise = [f64::MAX; FANS + 1];
        let heat = MINERS as f64 * MINER_WATTS;
        for (fans, rise) in rise.iter_mut().enumerate().skip(1) {
            let mut air = Air::steady(0.0, heat);
            for second in 0..4000 {
                air.step(0.0, heat, fans as f64, 1, second);
            }
            *rise = air.east.celsius;
        }
        Figures {
            shed_above: cfg.climate.shed_above.value(),
            rise,
            verdicts: BTreeMap::new(),
            off_after: Vec::new(),
            proven_after: Vec::new(),
            mined_h: 0.0,
            lost_h: BTreeMap::new(),
            excused_h: BTreeMap::new(),
            alarms: BTreeMap::new(),
            alarm_ids: BTreeMap::new(),
            notices: BTreeMap::new(),
            switchings_worst: (0, 0),
            switchings_before: 0,
            notices_worst: (0, 0),
            notices_before: 0,
            hottest_c: f64::MIN,
            critical_possible_s: 0,
            critical_before_s: 0,
            could_cool: true,
            passes: 0,
        }
    }

    pub fn call(&mut self, verdict: Verdict, off_after: Option<u64>, proven_after: Option<u64>) {
        *self.verdicts.entry(verdict).or_default() += 1;
        self.off_after.extend(off_after);
        self.proven_after.extend(proven_after);
    }

    pub fn missed(&self) -> usize {
        self.verdicts.get(&Verdict::Missed).copied().unwrap_or(0)
    }

    pub fn told(&mut self, notices: &[Notice], events: &[Event]) {
        for notice in notices {
            *self.notices.entry(notice.severity).or_default() += 1;
        }
        for event in events.iter().filter(|event| event.kind == EventKind::Alarm) {
            for severity in [Severity::Warning, Severity::Emergency] {
                if event.text.starts_with(&format!("{}: ", severity.word())) {
                    *self.alarms.entry(severity).or_default() += 1;
                    *self.alarm_ids.entry(format!("{} {}", severity.word(), event.subject)).or_default() += 1;
                }
            }
        }
    }

    /// One interval has passed: was it used?
    pub fn interval(&mut self, site: &Site, state: &SiteState, passed: u64, is_called: bool, is_up: bool) {
        let hours = passed as f64 / 3600.0;
        let full = MINER_WATTS * (MINERS - site.lost.len()) as f64;
        let share = (site.heat_watts / full).clamp(0.0, 1.0);
        self.mined_h += share * hours;
        self.hottest_c = self.hottest_c.max(site.air.intake_c);
        let able = site.fans_able();
        let allows = |limit: f64| site.outdoor_c + self.rise[able] < limit;
        let can_cool = allows(site.critical_c) && !site.broken.has(Kind::Blackout, 0);
        // What is mended within an interval could not cool at its beginning.
        if std::mem::replace(&mut self.could_cool, can_cool) && can_cool {
            self.critical_possible_s += site.critical_s - self.critical_before_s;
        }
        self.critical_before_s = site.critical_s;
        let lost = (1.0 - share) * hours;
        let excuse = match () {
            () if is_called => "calls",
            () if site.broken.has(Kind::Blackout, 0) => "no power at the site",
            () if site.broken.has(Kind::HeldOff, 0) => "held off by a person",
            () if site.broken.has(Kind::Smoke, 0) => "smoke",
            () if !allows(self.shed_above) => "too hot outdoors for the fans there are",
            () => {
                let cause = match (is_up, state.demand.reasons.first(), &state.miners.phase) {
                    (false, ..) => "controller off".to_owned(),
                    (true, Some(reason), _) => reason.sentence().to_owned(),
                    (true, None, MinersPhase::Running) => "running, miners missing".to_owned(),
                    (true, None, phase) => format!("{}: dwell times, fans first, groups", phase.word()),
                };
                if lost > 0.0 {
                    *self.lost_h.entry(cause).or_default() += lost;
                }
                return;
            }
        };
        *self.excused_h.entry(excuse).or_default() += lost;
    }

    /// A day is over.
    pub fn day(&mut self, site: &Site, day: u64) {
        let switched = site.switchings - self.switchings_before;
        self.switchings_before = site.switchings;
        self.switchings_worst = self.switchings_worst.max((switched, day + 1));
        let all: usize =
            self.notices.iter().filter(|(severity, _)| **severity != Severity::Heartbeat).map(|(_, n)| n).sum();
        self.notices_worst = self.notices_worst.max((all - self.notices_before, day + 1));
        self.notices_before = all;
    }

    /// The report. All of it depends on the seed only.
    pub fn report(&mut self, site: &Site) -> String {
        let mut text = String::new();
        let days = DAYS as f64;
        let calls: usize = self.verdicts.values().sum();
        let count = |verdict: Verdict| self.verdicts.get(&verdict).copied().unwrap_or(0);
        writeln!(
            text,
            "calls {calls}: in time {}, page unread {}, controller off {}, impossible and told {}, MISSED {}",
            count(Verdict::InTime),
            count(Verdict::PageUnread),
            count(Verdict::ControllerOff),
            count(Verdict::Impossible),
            count(Verdict::Missed),
        )
        .unwrap();
        for (what, after) in [("off (true watts)", &mut self.off_after), ("proven", &mut self.proven_after)] {
            after.sort_unstable();
            let at = |part: f64| after.get((after.len() as f64 * part) as usize).copied().unwrap_or(0);
            let worst = after.last().copied().unwrap_or(0);
            writeln!(
                text,
                "time from the page to {what}: median {} s, 90 % within {} s, worst {worst} s ({} of {calls})",
                at(0.5),
                at(0.9),
                after.len(),
            )
            .unwrap();
        }
        writeln!(
            text,
            "fan switchings: {:.1} a day, worst day {} (day {})",
            site.switchings as f64 / days,
            self.switchings_worst.0,
            self.switchings_worst.1,
        )
        .unwrap();
        let lost: f64 = self.lost_h.values().sum();
        writeln!(text, "mined {:.1} h of 8760; lost needlessly {lost:.1} h:", self.mined_h).unwrap();
        for (cause, hours) in &self.lost_h {
            writeln!(text, "    {hours:7.1} h  {cause}").unwrap();
        }
        writeln!(text, "not mined with good reason:").unwrap();
        for (cause, hours) in &self.excused_h {
            writeln!(text, "    {hours:7.1} h  {cause}").unwrap();
        }
        let raised = |severity| self.alarms.get(&severity).copied().unwrap_or(0);
        writeln!(
            text,
            "alarms raised: {} warnings, {} emergencies",
            raised(Severity::Warning),
            raised(Severity::Emergency)
        )
        .unwrap();
        for (id, times) in self.alarm_ids.iter().filter(|(id, times)| **times > 20 || id.starts_with("emergency")) {
            writeln!(text, "    {times:5}  {id}").unwrap();
        }
        let a_day: Vec<String> =
            self.notices.iter().map(|(severity, n)| format!("{} {:.2}", severity.word(), *n as f64 / days)).collect();
        writeln!(
            text,
            "notices a day: {}; worst day {} besides heartbeats (day {})",
            a_day.join(", "),
            self.notices_worst.0,
            self.notices_worst.1,
        )
        .unwrap();
        writeln!(
            text,
            "hottest intake {:.1} F; above critical {:.1} min, of those with cooling possible {:.1} min",
            self.hottest_c * 1.8 + 32.0,
            site.critical_s as f64 / 60.0,
            self.critical_possible_s as f64 / 60.0,
        )
        .unwrap();
        text
    }
}
