//! The small sites that are explored: the plain one with every kind of change, and one for each rule that needs a
//! configuration of its own, with the changes that concern it.

use std::path::Path;

use minectl::config::{self, BankConfig, Config, FanCapacity, FanStage};
use minectl::units::{Seconds, Temperature, Watts};

use super::site::{Air, Device, FANS, Hold, MINERS, Motor, OUTLETS, PDU_OF, Page};
use super::steps::{self, Change};

/// No age beyond so many runs makes a difference to a command: the longest limit of rules and configuration.
pub(super) const AGE_MAX_RUNS: u64 = 3;

/// What of the memory takes part in one variant and not in the others (`key.rs`).
#[derive(Debug, Clone, Copy)]
pub(super) struct Keeps {
    /// Between two runs.
    pub tick: Seconds,
    /// The hours of the fans.
    pub run_time: bool,
    /// The switchings of the last hour.
    pub switchings: bool,
    /// The last readings of the probes.
    pub recent: bool,
    /// What no command depends on: how it is checked that none does.
    pub everything: bool,
}

/// One small site, and what happens to it.
pub(super) struct Variant {
    pub name: &'static str,
    pub cfg: Config,
    pub keeps: Keeps,
    /// The changes that are tried, and (`true`) those that resemble others.
    pub changes: fn(bool) -> Vec<Change>,
    /// Longer ways to the rest, in runs, are violations: until the miners are as wanted, and everything is.
    pub miners_max: u8,
    pub all_max: u8,
}

impl Variant {
    /// Whether fans take turns for ever.
    pub(super) fn takes_turns(&self) -> bool {
        self.keeps.run_time
    }
}

pub(super) fn all() -> Vec<Variant> {
    vec![plain(), budget(), bank(), rise(), rotation()]
}

/// Runs are as far apart as every limit of the site, or a half or a third of it; of the limits that stand in the code (60,
/// 180, 600 and 900 s) each is one to three runs: ages stay small numbers.
const TICK: Seconds = Seconds(300);

fn site(name: &'static str, tick: Seconds, changes: fn(bool) -> Vec<Change>) -> Variant {
    let keeps = Keeps { tick, run_time: false, switchings: false, recent: false, everything: false };
    Variant { name, cfg: config(tick), keeps, changes, miners_max: 10, all_max: 14 }
}

pub(super) fn plain() -> Variant {
    site("plain", TICK, steps::plain_changes)
}

/// Two fans cool all miners in cool air, and three in warm air: each fan less sheds a group of one miner.
pub(super) fn budget() -> Variant {
    let mut variant = site("budget", TICK, budget_changes);
    let row = |above, each| FanCapacity { above: celsius(above), each: watts(each) };
    variant.cfg.fan_rules.capacity = vec![row(-40.0, 4600.0), row(20.0, 3100.0)];
    variant.cfg.miners.resume_groups = 3;
    variant
}

fn budget_changes(resembling: bool) -> Vec<Change> {
    use Change::{Boards, Foreman, Hand, LostState, Meter, Pdu, Reboot};
    use Device::{Down, Good, Ignores, Late};
    if resembling {
        let mut all = vec![Change::Air(Air::Lost), Foreman(Late), Boards(Down), Reboot, Hand(FANS, true)];
        all.extend([Change::Hold(Hold::FirstFanOff), Change::Motor(Motor::Welded), Pdu(0, Ignores), Hand(1, false)]);
        return all;
    }
    let mut all: Vec<Change> = [Page::Run, Page::Curtail].map(Change::Page).into();
    all.extend([Air::Cool, Air::Warm, Air::Hot].map(Change::Air));
    all.extend([Motor::Good, Motor::Dead, Motor::TwoDead].map(Change::Motor));
    all.extend([Meter(Good), Meter(Down), Meter(Ignores), Boards(Good), Boards(Ignores)]);
    all.extend([
        Foreman(Good),
        Foreman(Down),
        Foreman(Ignores),
        Pdu(0, Good),
        Pdu(0, Down),
        Pdu(1, Good),
        Pdu(1, Down),
    ]);
    all.extend([Change::Hold(Hold::Nothing), Hand(MINERS, true), LostState]);
    all
}

/// The first PDU has a bank of both its outlets, and the deadline leaves time for that rung.
pub(super) fn bank() -> Variant {
    let mut variant = site("bank", TICK, bank_changes);
    variant.cfg.miners.outlets_limit = TICK;
    variant.cfg.miners.deadline = Seconds(3 * TICK.0);
    let pdu = variant.cfg.pdus.first_mut().expect("two PDUs");
    pdu.bank = Some(BankConfig {
        method: "PATCH".to_owned(),
        path: "/group".to_owned(),
        body: serde_json::json!({"control_action": "off"}),
        outlets: pdu.outlets.clone(),
    });
    variant
}

fn bank_changes(resembling: bool) -> Vec<Change> {
    use Change::{Foreman, Hand, LostState, Pdu, Reboot};
    use Device::{BankLost, Down, Frozen, Good, Ignores, Late, OutletsLost};
    if resembling {
        return vec![
            Pdu(0, Late),
            Pdu(0, Frozen),
            Foreman(Late),
            Hand(0b001_000_000, false),
            Hand(MINERS, false),
            Reboot,
        ];
    }
    let mut all: Vec<Change> = [Page::Run, Page::Curtail, Page::Unreadable].map(Change::Page).into();
    all.extend([OutletsLost, BankLost, Ignores, Down, Good].map(|device| Pdu(0, device)));
    all.extend([Pdu(1, Down), Pdu(1, Ignores), Pdu(1, Good), Foreman(Down), Foreman(Ignores), Foreman(Good)]);
    all.extend([Change::Air(Air::Cool), Change::Air(Air::Hot), Hand(MINERS, true), Hand(OUTLETS, true), LostState]);
    all
}

/// A step of the air by 10 K between two runs is a rise; from 15 °C to 30 °C it is one towards `shed_above`.
pub(super) fn rise() -> Variant {
    let mut variant = site("rise", TICK, rise_changes);
    variant.cfg.climate.shed_rise_k = 2.0;
    variant.keeps.recent = true;
    variant
}

fn rise_changes(resembling: bool) -> Vec<Change> {
    use Change::{Boards, Foreman, LostState, Meter, Pdu, Reboot, Room};
    use Device::{Down, Frozen, Good, Ignores};
    if resembling {
        return vec![
            Change::Air(Air::Hot),
            Change::Air(Air::Cold),
            Meter(Down),
            Meter(Good),
            Boards(Down),
            Boards(Good),
        ];
    }
    let mut all: Vec<Change> = [Page::Run, Page::Curtail].map(Change::Page).into();
    all.extend([Air::Cool, Air::Mild, Air::Warm, Air::Sultry, Air::Lost].map(Change::Air));
    all.extend([Room(Down), Room(Frozen), Room(Good), Foreman(Ignores), Foreman(Good), Pdu(0, Down), Pdu(0, Good)]);
    all.extend([LostState, Reboot]);
    all
}

/// Three runs an hour; a fan that is three runs ahead of another is relieved, and none is switched more than twice an
/// hour.
pub(super) fn rotation() -> Variant {
    let mut variant = site("rotation", Seconds(1200), rotation_changes);
    // A run counts as 600 s of run time, the longest time between two passes that does.
    variant.cfg.fan_rules.rotate_after = Seconds(1200);
    variant.cfg.fan_rules.max_switchings_per_hour = 2;
    variant.keeps.run_time = true;
    variant.keeps.switchings = true;
    variant
}

fn rotation_changes(resembling: bool) -> Vec<Change> {
    use Change::{Boards, Hand, LostState, Meter, Room};
    use Device::{Down, Good, Ignores};
    if resembling {
        return vec![Room(Down), Room(Good), Hand(FANS, true)];
    }
    let mut all: Vec<Change> = [Page::Run, Page::Curtail].map(Change::Page).into();
    all.extend([Air::Cool, Air::Warm, Air::Mild, Air::Hot].map(Change::Air));
    all.extend([Motor::Good, Motor::Dead].map(Change::Motor));
    all.extend([Meter(Good), Meter(Down), Boards(Good), Boards(Ignores)]);
    all.extend([Hold::Nothing, Hold::FirstFanOff].map(Change::Hold));
    all.extend([Hand(1, false), Hand(1, true), LostState]);
    all
}

fn watts(w: f64) -> Watts {
    Watts::new(w).expect("not negative")
}

fn celsius(t: f64) -> Temperature {
    Temperature::new(t).expect("in range")
}

/// The sample configuration, cut down to two PDUs, three miners and three fans, with every limit one to three runs.
fn config(tick: Seconds) -> Config {
    let text = include_str!("../../../config.txt");
    let mut cfg = config::parse(text, "config.txt", Path::new("/nowhere")).expect("the sample is right");
    let twice = Seconds(2 * tick.0);
    cfg.loop_interval = tick;
    cfg.signal.max_age = tick;
    cfg.signal.resume_readings = 2;
    cfg.signal.unchanged_warning = Seconds(u64::MAX);
    cfg.climate.max_age = tick;
    cfg.climate.shed_rise_k = 1000.0;
    cfg.climate.lost_limit = twice;
    cfg.climate.stuck_after = Seconds(u64::MAX);
    cfg.tick.warn_after_failures = 2;
    cfg.dead_man = None;
    for room in &mut cfg.rooms {
        room.probes.retain(|probe| probe.name == "intake-west");
        room.switches.retain(|switch| switch.name == "smoke");
    }
    cfg.fans.retain(|number, _| *number <= 3);
    if let Some(fan) = cfg.fans.get_mut(&3) {
        "relays-b".clone_into(&mut fan.board);
    }
    let rules = &mut cfg.fan_rules;
    let stage = |above, run| FanStage { above: celsius(above), run };
    rules.stages = vec![stage(-40.0, 1), stage(20.0, 2), stage(30.0, 3)];
    rules.min_running = 1;
    rules.before_resume = 2;
    rules.prove_within = tick;
    rules.min_switch_time = tick;
    rules.step_time = tick;
    rules.settle_time = tick;
    rules.run_on = tick;
    cfg.pdus.truncate(2);
    for (index, pdu) in cfg.pdus.iter_mut().enumerate() {
        pdu.outlets = (1..=PDU_OF.iter().filter(|at| **at == index).count()).map(|id| id.to_string()).collect();
        pdu.batch = 1;
    }
    cfg.foreman.batch = 2;
    let miners = &mut cfg.miners;
    miners.off_below = watts(500.0);
    miners.on_above = watts(5000.0);
    miners.foreman_limit = tick;
    miners.deadline = twice;
    miners.min_off = tick;
    miners.resume_after = tick;
    miners.resume_groups = 2;
    miners.group_limit = tick;
    cfg
}
