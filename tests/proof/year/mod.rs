//! A simulated year: the real `begin_run`, `decide` and `record`, one run each two minutes, at a site of the real size
//! (9 fans, 6 PDUs of 48 outlets, 288 miners) with the weather, calls, faults, hands and clocks of a year. What is true
//! judges, not what the controller remembers.
//!
//! `MINECTL_YEAR_SEED` runs another year, `MINECTL_YEAR_DAY` prints the diary of one of its days and ends there.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm)]

mod calls;
mod diary;
mod faults;
mod figures;
mod judge;
mod senses;
mod site;
mod weather;

use std::path::Path;
use std::time::Instant;

use minectl::config::{self, Config};
use minectl::decide;
use minectl::model::*;
use minectl::tick::outstanding;
use minectl::units::*;

use calls::Call;
use diary::Diary;
use faults::{Fault as Breakdown, Kind};
use figures::Figures;
use judge::Judge;
use senses::Senses;
use site::Site;
use weather::{DAY_S, DAYS};

/// Passes of one run must end by then: its budget less the shares of messages and closing.
const PASSES_S: u64 = 85;
/// The least time for another pass.
const PASS_S: u64 = 14;
const DIARIES_MAX: usize = 4;
/// Switchings of all nine fans together, on average and on the worst day.
const SWITCHINGS_A_DAY: u64 = 60;
const SWITCHINGS_WORST: u64 = 200;

struct Year {
    cfg: Config,
    state: SiteState,
    overrides: Vec<Override>,
    site: Site,
    senses: Senses,
    judge: Judge,
    figures: Figures,
    diary: Diary,
    calls: Vec<Call>,
    /// The call that goes on or comes next.
    next_call: usize,
    /// What is still to break, the next one last.
    to_break: Vec<Breakdown>,
    diaries: Vec<String>,
}

impl Year {
    fn of(seed: u64) -> Year {
        let text = include_str!("../../../config.txt");
        let cfg = config::parse(text, "config.txt", Path::new("/nowhere")).expect("the sample is right");
        let site = Site::new(seed, cfg.climate.critical_above.value());
        let calls = calls::of(seed, &site.weather);
        Year {
            state: SiteState::boot(site.now()),
            overrides: Vec::new(),
            senses: Senses::new(&cfg),
            judge: Judge::new(&cfg),
            figures: Figures::new(&cfg),
            diary: Diary::default(),
            to_break: faults::of(seed, &calls),
            calls,
            next_call: 0,
            diaries: Vec::new(),
            site,
            cfg,
        }
    }

    fn call(&self) -> Option<&Call> {
        self.calls.get(self.next_call)
    }

    /// From one run to the next.
    fn interval(&mut self) {
        let began = self.site.second;
        self.site.mend();
        while self.to_break.last().is_some_and(|next| next.start <= began) {
            if let Some(next) = self.to_break.pop() {
                self.breaks(next);
            }
        }
        while self.call().is_some_and(|call| call.clear <= began) {
            self.judge.end_call(&mut self.figures);
            self.next_call += 1;
        }
        let absent = [Kind::ControllerOff, Kind::Blackout, Kind::MissedRuns];
        let is_up = !absent.iter().any(|kind| self.site.broken.has(*kind, 0));
        if is_up {
            self.run(began);
        } else {
            self.diary.note_absence(&self.site, &self.state);
        }
        self.wait(began + self.cfg.loop_interval.0 - self.site.second, is_up);
        let is_called = self.call().is_some_and(|call| call.holds(self.site.second));
        self.figures.interval(&self.site, &self.state, self.site.second - began, is_called, is_up);
        self.keep_diaries();
    }

    fn breaks(&mut self, breakdown: Breakdown) {
        let now = self.site.now();
        let lasts = Seconds(breakdown.end - breakdown.start);
        let mut set = |setting| {
            let over = Override { setting, since: now, lasts, by: "owner".to_owned(), reason: "work".to_owned() };
            self.overrides.push(over);
        };
        match breakdown.kind {
            Kind::HeldOff => set(Setting::Miners { on: false, against_signal: false }),
            Kind::FanHeldOff => set(Setting::Fan { fan: breakdown.of as u8 + 1, on: false }),
            Kind::LostState => self.state = SiteState::boot(now),
            _ => {}
        }
        self.site.breaks(breakdown);
    }

    /// Lets time pass, and judges it.
    fn wait(&mut self, seconds: u64, is_up: bool) {
        self.site.advance(seconds);
        self.look(is_up);
    }

    fn look(&mut self, is_up: bool) {
        let call = self.calls.get(self.next_call);
        let is_called = call.is_some_and(|call| call.holds(self.site.second));
        let shown = if is_called { senses::signal(&self.site, call, &self.site.now()).ok() } else { None };
        // Between the thresholds the page says off only to those who have seen it above them.
        let frozen = self.site.broken.find(Kind::PageFrozen, 0);
        let is_old = call.zip(frozen).is_some_and(|(call, frozen)| frozen.start < call.start);
        let shows = shown.is_some() && !is_old;
        self.judge.time(&self.site, &self.state, call, is_up, shows);
    }

    /// One run, as `tick` makes it.
    fn run(&mut self, began: u64) {
        let (events, notices) = decide::begin_run(&self.cfg, &mut self.state, &self.site.now());
        self.figures.told(&notices, &events);
        self.diary.take(events);
        loop {
            self.figures.passes += 1;
            self.wait(self.site.read_seconds(), true);
            let ask = outstanding(&self.state);
            let call = self.calls.get(self.next_call);
            let snapshot = self.senses.take(&self.cfg, &self.site, call, &ask);
            let now = self.site.now();
            let decision = decide::decide(&self.cfg, &self.state, &snapshot, &self.overrides, &now);
            self.overrides.retain(|over| over.left(&now).0 > 0);
            self.state = decision.next;
            self.figures.told(&decision.notices, &decision.events);
            self.judge.commands(&self.site, &snapshot, &decision.commands, call);
            self.diary.take(decision.events);
            self.diary.note(&self.site, &self.state, &snapshot, &decision.commands);
            self.senses.give_back(snapshot);
            if !decision.commands.is_empty() {
                let outcomes = self.site.act(&decision.commands);
                let events = decide::record(&mut self.state, &outcomes, &self.site.now());
                self.diary.take(events);
            }
            self.look(true);
            let spent = self.site.second - began;
            if !decision.in_transition || spent + PASS_S >= PASSES_S {
                break;
            }
            self.wait(self.cfg.tick.pass_pause.0, true);
        }
    }

    /// The hours around each broken rule, as long as they are not too many.
    fn keep_diaries(&mut self) {
        let due = self.judge.wrong.get(self.diaries.len()).filter(|_| self.diaries.len() < DIARIES_MAX);
        if let Some((what, second)) = due.filter(|(_, second)| self.site.second >= second + 900) {
            let lines = self.diary.since(second.saturating_sub(2400));
            self.diaries.push(format!("--- {what}\n{lines}"));
        }
    }
}

fn simulate(seed: u64) {
    let began = Instant::now();
    let mut year = Year::of(seed);
    let shown_day = std::env::var("MINECTL_YEAR_DAY").ok().and_then(|day| day.parse::<u64>().ok());
    let each_day = DAY_S / year.cfg.loop_interval.0;
    for day in 0..DAYS {
        for run in 0..each_day {
            year.interval();
            if shown_day == Some(day + 1) && run % 30 == 29 {
                print!("{}", year.diary.since(year.site.second - 3600));
            }
        }
        year.figures.day(&year.site, day);
        if shown_day == Some(day + 1) {
            return;
        }
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "=== seed {seed}: {} runs, {} passes in {took:.1} s ({:.0} runs a second)",
        DAYS * each_day,
        year.figures.passes,
        (DAYS * each_day) as f64 / took
    );
    print!("{}", year.figures.report(&year.site));
    for (what, _) in &year.judge.wrong {
        println!("WRONG {what}");
    }
    for diary in &year.diaries {
        println!("{diary}");
    }
    assert!(year.judge.wrong.is_empty(), "{} rules were broken: see above", year.judge.wrong.len());
    assert_eq!(year.figures.missed(), 0, "calls were missed");
    assert_eq!(year.figures.critical_possible_s, 0, "seconds above critical although cooling was possible");
    let switchings = (year.site.switchings / DAYS, year.figures.switchings_worst.0);
    assert!(switchings.0 <= SWITCHINGS_A_DAY, "{} fan switchings a day", switchings.0);
    assert!(switchings.1 <= SWITCHINGS_WORST, "fans flap on day {}", year.figures.switchings_worst.1);
}

fn seed_or(usual: u64) -> u64 {
    std::env::var("MINECTL_YEAR_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_year_misses_no_call_and_breaks_no_rule() {
    simulate(seed_or(1));
}

#[test]
fn another_year_misses_no_call_and_breaks_no_rule() {
    if std::env::var_os("MINECTL_YEAR_SEED").is_none() {
        simulate(2);
    }
}
