//! From any site, with all well again: does it reach what is wanted, how soon, and with how many switchings?

use std::collections::HashMap;

use minectl::config::Config;
use minectl::model::*;

use super::site::{FANS, MINERS, OUTLETS, OUTPUTS, Page};
use super::steps::{End, Site, Tamper};
use super::variants::Variant;

/// The two ends that are wanted.
pub(super) const WANTED: [Page; 2] = [Page::Run, Page::Curtail];

/// More switchings of one output on the way are violations.
const SWITCHINGS_MAX: u8 = 4;

/// Miners and outlets that a person switched off, or that are off without the program's knowledge, stay off. One of these
/// alarms tells of it within [`TOLD_WITHIN`] runs.
pub(super) const TELLS_OF_LOSS: [&str; 5] =
    ["miners idle", "miners not back", "off by others", "low spdu-a", "low spdu-b"];

/// Where fans take turns, none is ahead of another by more than this many seconds for good.
const LEAD_AT_REST: u64 = 2400;

const TOLD_WITHIN: usize = 6;

/// No way is longer: a longer one is an endless one.
const RUNS_MAX: usize = 200;

/// The way from a site to its rest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Way {
    /// Runs until the miners are proven off, or run (all of them), for good.
    pub miners: u8,
    /// Runs until everything is as wanted: fans too, and no alarm.
    pub all: u8,
    /// Switchings of each output on the way.
    pub switched: [u8; OUTPUTS],
}

/// The ways that are known, by the number of the site.
#[derive(Debug)]
pub(super) struct Settler {
    pub page: Page,
    known: HashMap<u64, Way>,
    pub worst: Way,
    pub runs: usize,
    /// Rests in which something stays off that a person switched off, or that the program cannot know of; each is told.
    pub left_off: usize,
}

impl Settler {
    pub(super) fn new(page: Page) -> Settler {
        Settler { page, known: HashMap::new(), worst: Way::default(), runs: 0, left_off: 0 }
    }

    /// How many different sites were driven to their rest.
    pub(super) fn known(&self) -> usize {
        self.known.len()
    }

    /// Drives the site to its rest. `Err` when it does not come to what is wanted, or breaks an interlock on the way.
    pub(super) fn settle(&mut self, variant: &Variant, site: &Site, tamper: Tamper) -> Result<Way, String> {
        let cfg = &variant.cfg;
        let mut site = site.all_well(self.page);
        let mut passed: Vec<(u64, Mark)> = Vec::new();
        let mut way = loop {
            let key = site.key();
            if let Some(way) = self.known.get(&key) {
                break *way;
            }
            if let Some(place) = passed.iter().position(|(before, _)| *before == key) {
                let round: Vec<(u64, Mark)> = passed.drain(place..).collect();
                if !self.is_rest(variant, &round) {
                    return Err(self.endless(&site, &round));
                }
                // No run of the rest is on the way.
                self.known.extend(round.iter().map(|(key, _)| (*key, Way::default())));
                if site.world.on & (MINERS | OUTLETS) != MINERS | OUTLETS && self.page == Page::Run {
                    self.left_off += 1;
                    if !self.is_told(variant, &site, tamper)? {
                        return Err("all is well, miners or outlets stay off, and nobody is told".to_owned());
                    }
                }
                break Way::default();
            }
            if passed.len() >= RUNS_MAX {
                return Err(format!("no rest within {RUNS_MAX} runs"));
            }
            let ran = site.run(cfg, &[End::Whole], tamper).map_err(|(_, broken)| broken)?;
            let Some((_, ran)) = ran.into_iter().next() else { return Err("no run".to_owned()) };
            self.runs += 1;
            let switched = site.world.on ^ ran.site.world.on;
            passed.push((key, self.mark(variant, &ran.site, &ran.decision, switched)));
            site = ran.site;
        };
        for (key, mark) in passed.into_iter().rev() {
            way.miners = if mark.miners && way.miners == 0 { 0 } else { way.miners.saturating_add(1) };
            way.all = if mark.all && way.all == 0 { 0 } else { way.all.saturating_add(1) };
            // Fans that take turns when all is as wanted do so for ever.
            for (output, count) in way.switched.iter_mut().enumerate().filter(|_| way.all > 0) {
                *count = count.saturating_add(u8::from(mark.switched & (1 << output) != 0));
            }
            self.known.insert(key, way);
        }
        self.worst.miners = self.worst.miners.max(way.miners);
        self.worst.all = self.worst.all.max(way.all);
        for (worst, count) in self.worst.switched.iter_mut().zip(way.switched) {
            *worst = count.max(*worst);
        }
        let flaps = way.switched.iter().any(|count| *count > SWITCHINGS_MAX);
        if flaps || way.miners > variant.miners_max || way.all > variant.all_max {
            return Err(format!("all is well, the page says {:?}, and the way is too long: {way:?}", self.page));
        }
        Ok(way)
    }

    /// Whether the runs that follow each other for ever are as wanted: one run that changes nothing, or, while fans take
    /// turns, runs in which nothing but that happens and no fan is worn more than the others.
    fn is_rest(&self, variant: &Variant, round: &[(u64, Mark)]) -> bool {
        let switchings: u32 = round.iter().map(|(_, mark)| mark.switched.count_ones()).sum();
        let is_quiet = if variant.takes_turns() && self.page == Page::Run {
            let even = round.iter().all(|(_, mark)| mark.lead <= LEAD_AT_REST);
            even && usize::try_from(switchings).is_ok_and(|count| count < round.len())
        } else {
            round.len() == 1 && switchings == 0
        };
        is_quiet && round.iter().all(|(_, mark)| mark.all)
    }

    /// Whether an alarm of what stays off comes, and stays, within the time for it.
    fn is_told(&mut self, variant: &Variant, rest: &Site, tamper: Tamper) -> Result<bool, String> {
        let mut site = rest.clone();
        let mut is_told = false;
        for _ in 0..TOLD_WITHIN {
            let ran = site.run(&variant.cfg, &[End::Whole], tamper).map_err(|(_, broken)| broken)?;
            let Some((_, ran)) = ran.into_iter().next() else { return Err("no run".to_owned()) };
            self.runs += 1;
            let mut standing = ran.decision.next.alarms.iter().filter(|(_, alarm)| alarm.gone.is_none());
            is_told = standing.any(|(id, _)| TELLS_OF_LOSS.contains(&id.as_str()));
            site = ran.site;
        }
        Ok(is_told)
    }

    fn endless(&self, site: &Site, round: &[(u64, Mark)]) -> String {
        let length = round.len();
        let what = if length == 1 { "stays as it is".to_owned() } else { format!("goes round in {length} runs") };
        let phase = site.memory.as_ref().map_or("nothing remembered", |state| state.miners.phase.word());
        format!("all is well, the page says {:?}, and the site {what}: {phase}", self.page)
    }

    /// What is as wanted after a run.
    fn mark(&self, variant: &Variant, site: &Site, decision: &Decision, switched: u16) -> Mark {
        let cfg = &variant.cfg;
        let next = &decision.next;
        let on = site.world.on;
        let lost = site.watch.lost && self.page == Page::Run;
        // A dead fan at rest is called dead until it runs, a welded one that runs welded until it is stopped: nobody can
        // know better.
        let unknown = |fan: &FanState| match fan.fault {
            Some(FanFault::Dead) => fan.relay == Some(false),
            Some(FanFault::Welded) => fan.relay == Some(true),
            Some(FanFault::RelayIgnores) | None => false,
        };
        let rests = |id: &str| next.fans.iter().any(|(number, fan)| id == format!("fan {number}") && unknown(fan));
        let quiet = next
            .alarms
            .iter()
            .all(|(id, alarm)| alarm.gone.is_some() || rests(id) || (lost && TELLS_OF_LOSS.contains(&id.as_str())));
        let turns = variant.takes_turns() && decision.commands.iter().all(|c| matches!(c, Command::Fan { .. }));
        let quiet = quiet && (decision.commands.is_empty() || turns);
        let (miners, fans) = match self.page {
            Page::Run => {
                let run = next.miners.phase == MinersPhase::Running && next.demand.reasons.is_empty();
                let enough = fans_enough(cfg, site);
                let back = on & (MINERS | OUTLETS) == MINERS | OUTLETS;
                // A fan that is called welded runs beside the others.
                let called = next.fans.values().filter(|fan| unknown(fan) && fan.relay == Some(true)).count();
                let count = usize::try_from((on & FANS).count_ones()).unwrap_or(0);
                let fans = count == enough + called || (turns && count == enough + called + 1);
                (run && (back || lost), fans)
            }
            Page::Curtail | Page::Between | Page::Unreadable => {
                let off = matches!(next.miners.phase, MinersPhase::Curtailed { .. });
                let proven = next.miners.proven_off.is_some();
                (off && proven && site.world.watts() <= cfg.miners.off_below.value(), on & FANS == 0)
            }
        };
        let hours = || next.fans.values().filter(|fan| fan.fault.is_none()).map(|fan| fan.run_time.0);
        let lead = hours().max().unwrap_or(0) - hours().min().unwrap_or(0);
        Mark { miners, all: miners && fans && quiet, switched, lead }
    }
}

/// The fans that run in cool air with all well: those of the lowest stage, and those that the power needs.
fn fans_enough(cfg: &Config, site: &Site) -> usize {
    let stage = cfg.fan_rules.stages.first().map_or(0, |stage| usize::from(stage.run));
    let each = cfg.fan_rules.capacity.first().map_or(f64::MAX, |row| row.each.value());
    let power = (0..=3).find(|fans| f64::from(*fans) * each >= site.world.watts()).unwrap_or(3);
    stage.max(usize::try_from(power).unwrap_or(0))
}

/// One run on the way.
struct Mark {
    miners: bool,
    all: bool,
    switched: u16,
    /// The difference between the most and the least worn healthy fan, in seconds.
    lead: u64,
}
