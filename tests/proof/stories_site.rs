//! Random sites for the stories: how many fans and PDUs, and every limit that a rule depends on, within what the
//! configuration's check allows.

use minectl::config::{BankConfig, Config, FanCapacity, FanStage, Mode, OffWhen, PduConfig, SignalMeaning, WhenBlind};
use minectl::units::*;
use proptest::prelude::*;

use crate::scene::{self, MINER_WATTS, OUTLETS_EACH};

/// What a site has, and its limits, as far as they are not the sample's.
#[derive(Debug, Clone)]
pub struct Site {
    pub fans: u8,
    pub pdus: usize,
    pub observe: bool,
    pub hold_when_blind: bool,
    pub off_when: OffWhen,
    pub resume_readings: u32,
    pub min_running: u8,
    pub before_resume: u8,
    /// Fans of the stages above the lowest one.
    pub stages: Vec<u8>,
    pub shed_above_c: f64,
    pub resume_min_c: f64,
    pub off_room_above_c: f64,
    pub run_on: u64,
    pub step_time: u64,
    pub min_switch_time: u64,
    pub switchings: u32,
    pub min_off: u64,
    pub resume_after: u64,
    pub foreman_limit: u64,
    /// On top of the times for Foreman and the outlets.
    pub deadline_more: u64,
    pub groups: u32,
    pub group_limit: u64,
    pub foreman_batch: usize,
    pub pdu_batch: usize,
    pub pdu_max_age: u64,
    pub signal_max_age: u64,
    pub climate_max_age: u64,
    pub lost_limit: u64,
    pub outlets_limit: u64,
    pub sweep_after: u64,
    pub banks: bool,
    /// What all fans together cool in mild air, in percent of what all miners draw; without it there is no budget.
    pub capacity_percent: Option<u32>,
    pub preheat_limit: u64,
    pub rotate_after_h: u64,
}

/// Any site.
pub fn site() -> impl Strategy<Value = Site> {
    let size = (1_u8..=9, 1_usize..=4, prop::bool::weighted(0.1), any::<bool>(), any::<bool>(), 1_u32..=4);
    let fans = (0_u8..9, 0_u8..9, prop::collection::vec(1_u8..=9, 0..4), 30_u64..900, 0_u64..200, 0_u64..600);
    let more_fans = (2_u32..=12, 36.0..42.0, -35.0..5.0, 25.0..45.0);
    let miners = (60_u64..1200, 30_u64..900, 30_u64..400, 30_u64..600, 1_u32..=6, 60_u64..480);
    let rest = (4_usize..=80, 2_usize..=24, 20_u64..200, 120_u64..1200, 60_u64..600, 60_u64..1200);
    let third = (20_u64..400, 30_u64..600, any::<bool>(), prop::option::of(100_u32..500), 60_u64..1800, 1_u64..48);
    (size, fans, more_fans, miners, rest, third).prop_map(|(size, fans, more_fans, miners, rest, third)| {
        let (count, pdus, observe, hold_when_blind, high, resume_readings) = size;
        let (min_running, before_resume, stages, run_on, step_time, min_switch_time) = fans;
        let (switchings, shed_above_c, resume_min_c, off_room_above_c) = more_fans;
        let (min_off, resume_after, foreman_limit, deadline_more, groups, group_limit) = miners;
        let (foreman_batch, pdu_batch, pdu_max_age, signal_max_age, climate_max_age, lost_limit) = rest;
        let (outlets_limit, sweep_after, banks, capacity_percent, preheat_limit, rotate_after_h) = third;
        let mut stages: Vec<u8> = stages.into_iter().map(|run| run.min(count)).collect();
        stages.sort_unstable();
        Site {
            fans: count,
            pdus,
            observe,
            hold_when_blind,
            off_when: if high { OffWhen::High } else { OffWhen::Low },
            resume_readings,
            min_running: min_running % count + 1,
            before_resume: before_resume % count + 1,
            stages,
            shed_above_c,
            resume_min_c,
            off_room_above_c,
            run_on,
            step_time,
            min_switch_time,
            switchings,
            min_off,
            resume_after,
            foreman_limit,
            deadline_more,
            groups,
            group_limit,
            foreman_batch,
            pdu_batch,
            pdu_max_age,
            signal_max_age,
            climate_max_age,
            lost_limit,
            outlets_limit,
            sweep_after,
            banks,
            capacity_percent,
            preheat_limit,
            rotate_after_h,
        }
    })
}

fn celsius(value: f64) -> Temperature {
    Temperature::new(value).unwrap()
}

impl Site {
    /// The configuration of this site.
    pub fn config(&self) -> Config {
        let mut cfg = scene::config();
        cfg.mode = if self.observe { Mode::Observe } else { Mode::Live };
        cfg.fans.retain(|number, _| *number <= self.fans);
        self.signal(&mut cfg);
        self.power(&mut cfg);
        let rules = &mut cfg.fan_rules;
        rules.min_running = self.min_running;
        rules.before_resume = self.before_resume.max(self.fans_for_a_group());
        let lowest = FanStage { above: celsius(-40.0), run: self.min_running };
        let more = self.stages.iter().zip([12.0, 20.0, 28.0]);
        let more = more.map(|(run, above)| FanStage { above: celsius(above), run: (*run).max(self.min_running) });
        rules.stages = std::iter::once(lowest).chain(more).collect();
        rules.run_on = Seconds(self.run_on);
        rules.step_time = Seconds(self.step_time);
        rules.min_switch_time = Seconds(self.min_switch_time);
        rules.max_switchings_per_hour = self.switchings;
        rules.off_room_above = celsius(self.off_room_above_c);
        rules.rotate_after = Seconds(self.rotate_after_h * 3600);
        rules.capacity = self.capacity_percent.map(|percent| self.capacity(percent)).unwrap_or_default();
        let climate = &mut cfg.climate;
        climate.shed_above = celsius(self.shed_above_c);
        climate.resume_below = celsius(self.shed_above_c - 6.0);
        climate.critical_above = celsius(self.shed_above_c + 5.0);
        climate.resume_min = celsius(self.resume_min_c);
        climate.max_age = Seconds(self.climate_max_age);
        climate.lost_limit = Seconds(self.lost_limit);
        climate.preheat_limit = Seconds(self.preheat_limit);
        cfg
    }

    fn signal(&self, cfg: &mut Config) {
        let (curtail_at, resume_below) = match self.off_when {
            OffWhen::High => (310.0, 300.0),
            OffWhen::Low => (290.0, 300.0),
        };
        let range = (50.0, 500.0);
        cfg.signal.meaning = SignalMeaning::Number { range, off_when: self.off_when, curtail_at, resume_below };
        cfg.signal.when_blind = if self.hold_when_blind { WhenBlind::Hold } else { WhenBlind::Curtail };
        cfg.signal.resume_readings = self.resume_readings;
        cfg.signal.max_age = Seconds(self.signal_max_age);
    }

    fn power(&self, cfg: &mut Config) {
        let mut pdu = cfg.pdus[0].clone();
        pdu.batch = self.pdu_batch;
        pdu.max_age = Seconds(self.pdu_max_age);
        pdu.bank = self.banks.then(|| BankConfig {
            method: "PATCH".to_owned(),
            path: "/group".to_owned(),
            body: serde_json::json!({}),
            outlets: pdu.outlets.clone(),
        });
        let names = ["spdu-a", "spdu-b", "spdu-c", "spdu-d"].into_iter().take(self.pdus);
        cfg.pdus = names.map(|name| PduConfig { name: name.to_owned(), ..pdu.clone() }).collect();
        cfg.foreman.batch = self.foreman_batch;
        let miners = &mut cfg.miners;
        miners.min_off = Seconds(self.min_off);
        miners.resume_after = Seconds(self.resume_after);
        miners.foreman_limit = Seconds(self.foreman_limit);
        miners.outlets_limit = Seconds(self.outlets_limit);
        miners.sweep_after = Seconds(self.sweep_after);
        miners.deadline = Seconds(self.foreman_limit + self.outlets_limit + self.deadline_more);
        miners.resume_groups = self.groups;
        miners.group_limit = Seconds(self.group_limit);
    }

    /// The fans that the first group needs: a site that asks for fewer never resumes.
    fn fans_for_a_group(&self) -> u8 {
        let percent = self.capacity_percent.map_or(f64::INFINITY, f64::from);
        let needed = f64::from(self.fans) * 100.0 / percent / 0.7 / f64::from(self.groups);
        (needed.ceil() as u8).min(self.fans)
    }

    fn capacity(&self, percent: u32) -> Vec<FanCapacity> {
        let all = MINER_WATTS * (self.pdus * OUTLETS_EACH) as f64 * f64::from(percent) / 100.0;
        let each = all / f64::from(self.fans);
        let row = |above, each| FanCapacity { above: celsius(above), each: Watts::new(each).unwrap() };
        vec![row(-40.0, each * 1.4), row(10.0, each), row(28.0, each * 0.7)]
    }

    /// A number on the page that curtails, and one that lets run.
    pub fn numbers(&self) -> (f64, f64) {
        match self.off_when {
            OffWhen::High => (350.0, 250.0),
            OffWhen::Low => (250.0, 350.0),
        }
    }

    /// An intake temperature at which nothing is too hot or too cold.
    pub fn mild_c(&self) -> f64 {
        18.0
    }
}
