//! A mine made of plain values: what the devices would say, what they do with commands, and a clock that is a number.
//! One `pass` is sense, decide, act. Everything is public, so that a test can make any device say anything.
#![allow(dead_code, reason = "each test program uses its part of it")]

mod devices;
mod seen;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use minectl::config::{self, Config};
use minectl::decide;
use minectl::model::*;
use minectl::units::*;

pub const MINERS: u64 = 40;
pub const OUTLETS_EACH: usize = 20;
pub const MINER_WATTS: f64 = 3350.0;
const _: () = assert!(MINERS as usize == 2 * OUTLETS_EACH);

/// The sample configuration with two PDUs of 20 outlets and 40 miners.
pub fn config() -> Config {
    let text = include_str!("../../../config.txt");
    let mut cfg = config::parse(text, "config.txt", Path::new("/nowhere")).expect("the sample is right");
    cfg.pdus.truncate(2);
    for pdu in &mut cfg.pdus {
        pdu.outlets = (1..=OUTLETS_EACH).map(|id| id.to_string()).collect();
        pdu.batch = 20;
    }
    cfg.foreman.batch = 20;
    cfg.miners.off_below = Watts::new(4000.0).unwrap();
    cfg.miners.on_above = Watts::new(10_000.0).unwrap();
    cfg
}

pub fn fault(device: &str) -> Fault {
    Fault::new(device, FaultKind::TimedOut, "no answer within 5 s")
}

/// What single devices do beside what is broken as a whole; nothing by itself.
#[derive(Debug, Clone, Default)]
pub struct Quirks {
    /// PDUs whose meter says 0 W whatever they feed.
    pub meters_dead: BTreeSet<String>,
    /// What the page's reader makes of the page, in place of the number.
    pub signal: Option<Reading<SignalReading>>,
    /// Probes that do not follow the intake: stuck at a temperature, or missing.
    pub probes_c: BTreeMap<String, Option<f64>>,
    pub boards_down: BTreeSet<String>,
    pub foreman_empty: bool,
    /// The room unit's answer has no uptime.
    pub no_uptime: bool,
    /// How long ago Foreman heard of any miner.
    pub foreman_heard: Option<Seconds>,
    /// What is remarked about the room unit.
    pub room_remarks: Vec<String>,
    /// Miners of which the agent on site says that it failed.
    pub foreman_fails: BTreeSet<u64>,
    pub pdus_ignoring: BTreeSet<String>,
    /// Outlets that stay as they are, whatever they are told.
    pub outlets_stuck: BTreeSet<OutletRef>,
    /// Miners that draw nothing whatever they are told.
    pub miners_broken: BTreeSet<u64>,
    /// What each miner that hashes and each fan that runs draws more than usual.
    pub more_watts: f64,
}

/// The mine.
#[derive(Debug)]
pub struct Scene {
    pub cfg: Config,
    pub state: SiteState,
    pub now: Moment,
    pub overrides: Vec<Override>,
    // What the world is like.
    pub signal: Option<f64>,
    pub signal_stamp: Option<UnixSeconds>,
    pub intake_c: Option<f64>,
    pub smoke: bool,
    pub asleep: BTreeSet<u64>,
    pub outlets_off: BTreeSet<OutletRef>,
    pub fans_on: BTreeSet<u8>,
    // What is broken.
    pub foreman_down: bool,
    pub foreman_ignored: bool,
    pub pdus_down: BTreeSet<String>,
    pub pdus_ignored: bool,
    pub banks_ignored: bool,
    pub fan_watts_down: bool,
    pub boards_down: bool,
    pub fans_dead: BTreeSet<u8>,
    pub fans_welded: BTreeSet<u8>,
    pub room_frozen_at: Option<u64>,
    pub room_down: bool,
    pub commands_lost: bool,
    pub quirks: Quirks,
    /// Probes with nothing plugged in.
    pub probes_lost: BTreeSet<String>,
    /// Switches that cannot be read.
    pub switches_unread: BTreeSet<String>,
    /// PDUs that repeat this answer for ever.
    pub pdus_frozen: BTreeMap<String, PduReading>,
    /// PDUs that give their readings an age of an hour.
    pub pdus_stale: BTreeSet<String>,
    /// The room unit repeats this answer for ever.
    pub room_frozen: Option<RoomReading>,
    /// The meter repeats this answer for ever.
    pub fan_watts_frozen: Option<FanWattsReading>,
    /// How Foreman's commands stand; a miner obeys those that are complete.
    pub foreman_status: CommandStatus,
    /// Whether Foreman's list says each miner's power mode.
    pub foreman_tells_modes: bool,
    // What came out.
    pub commands: Vec<Command>,
    pub notices: Vec<Notice>,
    pub events: Vec<Event>,
    pub reasons: Vec<Reason>,
    pub finished: Vec<CallRecord>,
}

impl Scene {
    /// A mine that runs, seen for the first time.
    pub fn new() -> Scene {
        Scene::with(config())
    }

    pub fn with(cfg: Config) -> Scene {
        let now = Moment { wall: UnixSeconds(1_790_000_000), boot: BootId(1), up: Seconds(1000) };
        Scene {
            state: SiteState::boot(now),
            now,
            overrides: Vec::new(),
            signal: Some(250.0),
            signal_stamp: None,
            intake_c: Some(20.0),
            smoke: false,
            asleep: BTreeSet::new(),
            outlets_off: BTreeSet::new(),
            fans_on: cfg.fans.keys().copied().collect(),
            foreman_down: false,
            foreman_ignored: false,
            pdus_down: BTreeSet::new(),
            pdus_ignored: false,
            banks_ignored: false,
            fan_watts_down: false,
            boards_down: false,
            fans_dead: BTreeSet::new(),
            fans_welded: BTreeSet::new(),
            room_frozen_at: None,
            room_down: false,
            commands_lost: false,
            quirks: Quirks::default(),
            probes_lost: BTreeSet::new(),
            switches_unread: BTreeSet::new(),
            pdus_frozen: BTreeMap::new(),
            pdus_stale: BTreeSet::new(),
            room_frozen: None,
            fan_watts_frozen: None,
            foreman_status: CommandStatus::Complete,
            foreman_tells_modes: false,
            commands: Vec::new(),
            notices: Vec::new(),
            events: Vec::new(),
            reasons: Vec::new(),
            finished: Vec::new(),
            cfg,
        }
    }

    /// A mine that was seen running for ten minutes.
    pub fn running() -> Scene {
        let mut scene = Scene::new();
        scene.minutes(10);
        assert_eq!(scene.phase(), "running");
        scene
    }

    /// A mine that was curtailed and proven off, fans at rest.
    pub fn curtailed() -> Scene {
        let mut scene = Scene::running();
        scene.signal = Some(350.0);
        scene.minutes(40);
        assert_eq!(scene.phase(), "curtailed");
        assert!(scene.fans_on.is_empty(), "{:?}", scene.fans_on);
        scene
    }

    /// Lets the clocks run.
    pub fn wait(&mut self, seconds: u64) {
        self.now.wall = self.now.wall.plus(Seconds(seconds));
        self.now.up = Seconds(self.now.up.0 + seconds);
    }

    /// The phases a second before the deadline that begins now, and at it.
    pub fn around_the_deadline(&mut self) -> [&'static str; 2] {
        self.wait(self.cfg.miners.deadline.0 - 1);
        self.pass();
        let before = self.phase();
        self.wait(1);
        self.pass();
        [before, self.phase()]
    }

    /// One run each two minutes, each of up to four passes while something changes.
    pub fn minutes(&mut self, minutes: u64) {
        for _ in 0..minutes.div_ceil(2) {
            self.run();
        }
    }

    pub fn run(&mut self) {
        let (events, notices) = decide::begin_run(&self.cfg, &mut self.state, &self.now);
        self.events.extend(events);
        self.notices.extend(notices);
        let mut left = 120;
        for _ in 0..4 {
            let again = self.pass();
            if !again {
                break;
            }
            self.wait(20);
            left -= 20;
        }
        decide::end_run(&mut self.state);
        self.wait(left);
    }

    /// One pass; returns whether `decide` wants another one.
    pub fn pass(&mut self) -> bool {
        let snapshot = self.snapshot();
        let decision = decide::decide(&self.cfg, &self.state, &snapshot, &self.overrides, &self.now);
        self.overrides.retain(|over| over.left(&self.now).0 > 0);
        self.state = decision.next;
        self.commands = decision.commands;
        self.reasons = decision.reasons;
        self.finished.extend(decision.finished);
        self.notices.extend(decision.notices);
        self.events.extend(decision.events);
        if self.cfg.mode == minectl::config::Mode::Live {
            let outcomes: Vec<Outcome> = self.commands.clone().into_iter().map(|command| self.obey(command)).collect();
            let events = decide::record(&mut self.state, &outcomes, &self.now);
            self.events.extend(events);
        }
        decision.in_transition
    }

    pub fn set(&mut self, setting: Setting) {
        let (since, lasts) = (self.now, Seconds(3600));
        self.overrides.retain(|over| over.setting.target() != setting.target());
        self.overrides.push(Override { setting, since, lasts, by: "test".to_owned(), reason: "test".to_owned() });
    }
}
