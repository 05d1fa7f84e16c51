//! What can happen: a change of the world, or one run of the program that ends well or badly.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use minectl::config::Config;
use minectl::decide;
use minectl::model::*;
use minectl::units::*;

use super::key;
use super::oracle::{self, Watch};
use super::site::{Air, Device, FANS, Hold, MINERS, Motor, OUTLETS, Page, Stamp, World};
use super::variants::{Keeps, Variant};

/// A boot without network starts from the time that was saved last: so far behind.
pub(super) const CLOCK_BEHIND: i64 = 3600;

/// One thing that happens between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Page(Page),
    Air(Air),
    Smoke(bool),
    Room(Device),
    Meter(Device),
    Boards(Device),
    Foreman(Device),
    Pdu(usize, Device),
    Motor(Motor),
    Hold(Hold),
    /// By hand, at the device: the outputs that go on, or off.
    Hand(u16, bool),
    /// The database is gone.
    LostState,
    /// A new boot, with a wall clock that is behind.
    Reboot,
    /// The wall clock is set right.
    ClockSet,
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// It breaks off before anything is saved.
    NothingSaved,
    /// It breaks off when the intent is saved and nothing is sent.
    NothingSent,
    /// It breaks off when the commands are sent and no outcome is kept.
    NotRecorded,
    /// The disk fails: commands are sent, and nothing is saved.
    SentNotSaved,
    /// A second pass in the same run, with no time in between.
    Again,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Change(Change),
    Run(End),
}

pub(super) const BAD_ENDS: [End; 5] =
    [End::NothingSaved, End::NothingSent, End::NotRecorded, End::SentNotSaved, End::Again];

/// Every change there is; `wide` adds those that resemble others.
pub(super) fn changes(variant: &Variant, wide: bool) -> Vec<Change> {
    let mut all = (variant.changes)(false);
    if wide {
        all.extend((variant.changes)(true));
    }
    all
}

/// The changes of the plain site: those that every story tries, or those that resemble others.
pub(super) fn plain_changes(resembling: bool) -> Vec<Change> {
    use Change::*;
    use Device::*;
    if resembling {
        return other_changes();
    }
    let mut all: Vec<Change> =
        [self::Page::Run, self::Page::Between, self::Page::Curtail, self::Page::Unreadable].map(Page).into();
    all.extend([self::Air::Cool, self::Air::Warm, self::Air::Hot, self::Air::Lost].map(Air));
    all.extend([Smoke(true), Smoke(false), Room(Frozen), Room(Good), Meter(Down), Meter(Ignores), Meter(Good)]);
    all.extend([Boards(Down), Boards(Ignores), Boards(Good)]);
    all.extend([Foreman(Down), Foreman(Ignores), Foreman(Late), Foreman(Good)]);
    all.extend([Pdu(0, Down), Pdu(0, Ignores), Pdu(0, Frozen), Pdu(0, Good), Pdu(1, Down), Pdu(1, Good)]);
    all.extend([self::Motor::Dead, self::Motor::Good].map(Motor));
    all.extend([self::Hold::MinersOff, self::Hold::Nothing].map(Hold));
    all.extend([Hand(MINERS, true), Hand(1, false), LostState, Reboot]);
    all
}

fn other_changes() -> Vec<Change> {
    use Change::*;
    use Device::*;
    let mut all: Vec<Change> = [self::Air::Sultry, self::Air::Critical, self::Air::Cold].map(Air).into();
    all.extend([Room(Down), Boards(Late), Pdu(0, Late), Motor(self::Motor::Welded), ClockSet]);
    all.extend([self::Hold::MinersOn, self::Hold::FirstFanOff].map(Hold));
    all.extend([Hand(MINERS, false), Hand(OUTLETS, true), Hand(0b001_000_000, false), Hand(FANS, true)]);
    all
}

/// The site at one moment between two runs.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub world: World,
    /// What is saved; `None` when it is lost.
    pub memory: Option<Arc<SiteState>>,
    /// The number of what is saved, at this moment.
    pub memory_key: u64,
    pub watch: Watch,
    /// True time in seconds, the boot, when it began, and how far the wall clock is behind.
    pub seconds: u64,
    pub boot: u32,
    pub booted: u64,
    pub behind: i64,
    pub is_second_pass: bool,
    /// What of the memory takes part.
    pub keeps: Keeps,
}

/// What one run came to.
pub(super) struct Ran {
    pub site: Site,
    pub decision: Decision,
}

impl Site {
    pub(super) fn first_run(world: World, keeps: Keeps) -> Site {
        let watch = Watch::default();
        let (seconds, boot, booted, behind, is_second_pass) = (10_000, 1, 0, 0, false);
        Site { world, memory: None, memory_key: 0, watch, seconds, boot, booted, behind, is_second_pass, keeps }
    }

    pub(super) fn now(&self) -> Moment {
        let wall = UnixSeconds(1_790_000_000 - self.behind).plus(Seconds(self.seconds));
        Moment { wall, boot: BootId(self.boot), up: Seconds(self.seconds - self.booted) }
    }

    /// The number of the whole site: equal for sites that cannot be told apart by what follows.
    pub(super) fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.world, &self.watch, self.memory_key, self.behind).hash(&mut hasher);
        hasher.finish()
    }

    fn set_memory(&mut self, memory: Option<Arc<SiteState>>) {
        self.memory_key =
            memory.as_ref().map_or(0, |state| key::key(state, &self.now(), &self.frozen(), self.keeps.tick));
        self.memory = memory;
    }

    /// By device that stands still: the number that it repeats.
    fn frozen(&self) -> Vec<(&'static str, i64)> {
        let [first, second, room] = self.world.froze_at.map(|at| i64::try_from(at.0).expect("small"));
        let mut all = Vec::new();
        for (pdu, name, at) in [(0, "spdu-a", first), (1, "spdu-b", second)] {
            if self.world.pdus[pdu] == Device::Frozen {
                all.push((name, 1_790_000_000 + at));
            }
        }
        if self.world.room == Device::Frozen {
            all.push(("room-alert", room));
        }
        all
    }

    /// Whether a device stands still and its answer was taken in before, some time ago. A frozen device whose last answer
    /// was not taken in cannot be told from one that works.
    pub(super) fn repeats_what_was_seen(&self, device: &str) -> bool {
        let Some(memory) = &self.memory else { return false };
        let Some((_, value)) = self.frozen().into_iter().find(|(name, _)| *name == device) else { return false };
        // KNOWN LIMIT: a room unit that stands still is believed once if its probe was never read before.
        let is_held = device != "room-alert" || !memory.climate.probes.is_empty();
        let counter = memory.counters.get(device).filter(|_| is_held);
        counter.is_some_and(|counter| counter.value == value && self.now().since(&counter.at).0 > 0)
    }

    /// The site after a change; `None` when it changes nothing.
    pub(super) fn changed(&self, change: Change) -> Option<Site> {
        let mut next = self.clone();
        let world = &mut next.world;
        match change {
            Change::Page(page) => world.page = page,
            Change::Air(air) => world.air = air,
            Change::Smoke(on) => world.smoke = on,
            Change::Room(device) => world.room = device,
            Change::Meter(device) => world.meter = device,
            Change::Boards(device) => world.boards = device,
            Change::Foreman(device) => world.foreman = device,
            Change::Pdu(pdu, device) => world.pdus[pdu] = device,
            Change::Motor(motor) => world.motor = motor,
            Change::Hold(hold) => world.hold = hold,
            Change::Hand(bits, true) => {
                world.on |= bits;
                next.watch.limits.by_hand(bits);
            }
            Change::Hand(bits, false) => {
                world.on &= !bits;
                next.watch.limits.by_hand(bits);
                next.watch.lost |= bits & FANS == 0;
            }
            Change::LostState => next.memory = None,
            Change::Reboot if self.boot > 1 => return None,
            Change::Reboot => {
                next.boot += 1;
                next.booted = next.seconds;
                next.behind = CLOCK_BEHIND;
                next.watch.forget_ages(next.keeps);
            }
            Change::ClockSet => next.behind = 0,
        }
        next.freeze(self);
        let same = next.world == self.world && next.memory.is_some() == self.memory.is_some();
        if same && next.boot == self.boot && next.behind == self.behind {
            return None;
        }
        if next.memory.is_none() {
            next.watch = Watch { lost: true, ..Watch::default() };
        }
        let memory = next.memory.take();
        next.set_memory(memory);
        Some(next)
    }

    /// A device that froze repeats what it said last; one that works again has nothing to repeat.
    fn freeze(&mut self, before: &Site) {
        let world = &mut self.world;
        for pdu in 0..2 {
            match (world.pdus[pdu], before.world.pdus[pdu]) {
                (Device::Frozen, Device::Frozen) => {}
                (Device::Frozen, _) => {
                    world.froze_on[pdu] = before.world.on;
                    world.froze_at[pdu] = Stamp(self.seconds);
                }
                _ => world.froze_on[pdu] = 0,
            }
        }
        match (world.room, before.world.room) {
            (Device::Frozen, Device::Frozen) => {}
            (Device::Frozen, _) => {
                world.froze = (before.world.air, before.world.smoke);
                world.froze_at[2] = Stamp(self.seconds);
            }
            _ => world.froze = (Air::Cool, false),
        }
    }

    /// One run: time passes, then load, sense, decide, save, act, record. Returns what came of it for each way to end;
    /// `Err` says which interlock was broken.
    pub(super) fn run(&self, cfg: &Config, ends: &[End], tamper: Tamper) -> Result<Vec<(End, Ran)>, (End, String)> {
        let mut before = self.clone();
        before.seconds += self.keeps.tick.0;
        before.world.arrive();
        before.pass(cfg, ends, tamper)
    }

    fn pass(&self, cfg: &Config, ends: &[End], tamper: Tamper) -> Result<Vec<(End, Ran)>, (End, String)> {
        let now = self.now();
        let mut state = self.memory.as_ref().map_or_else(|| SiteState::boot(now), |memory| (**memory).clone());
        decide::begin_run(cfg, &mut state, &now);
        let snapshot = self.world.snapshot(cfg, self.seconds, now);
        let overrides = self.overrides(now);
        let mut decision = decide::decide(cfg, &state, &snapshot, &overrides, &now);
        tamper(&mut decision, self.seconds);
        let mut sent = self.world.clone();
        let outcomes: Vec<Outcome> = decision.commands.iter().map(|command| sent.obey(cfg, command)).collect();
        let mut watch = self.watch.clone();
        // A miner that Foreman calls done and that sleeps on is lost in the same way.
        watch.lost |= self.world.foreman == Device::Ignores && decision.commands.iter().any(Command::starts_miners);
        oracle::check(cfg, self, (&sent, &state), &decision, &mut watch).map_err(|broken| (End::Whole, broken))?;
        let mut recorded = decision.next.clone();
        decide::record(&mut recorded, &outcomes, &now);
        let kept = |mut state: SiteState| {
            key::approximate(&mut state, self.keeps);
            if !self.keeps.everything {
                key::forget(&mut state, &now, self.keeps);
            }
            Some(Arc::new(state))
        };
        let recorded = kept(recorded);
        let mut all = Vec::with_capacity(ends.len());
        for end in ends {
            let mut site = self.clone();
            let memory = match end {
                End::Whole | End::Again => recorded.clone(),
                End::NothingSent | End::NotRecorded => kept(decision.next.clone()),
                End::NothingSaved | End::SentNotSaved => self.memory.clone(),
            };
            match end {
                End::Whole | End::Again | End::NotRecorded => (site.world, site.watch) = (sent.clone(), watch.clone()),
                End::SentNotSaved => {
                    site.world = sent.clone();
                    site.watch.lost |= sent.on != self.world.on || sent.moving != 0;
                }
                End::NothingSent => site.watch = watch.clone(),
                End::NothingSaved => {}
            }
            if *end != End::Whole {
                site.watch.break_off(self.keeps);
            }
            site.set_memory(memory);
            if *end == End::Again {
                site.is_second_pass = true;
                let mut twice = site.pass(cfg, &[End::Whole], tamper).map_err(|(_, broken)| (End::Again, broken))?;
                for (_, ran) in &mut twice {
                    ran.site.is_second_pass = false;
                }
                all.extend(twice.pop().map(|(_, ran)| (End::Again, ran)));
                continue;
            }
            all.push((*end, Ran { site, decision: decision.clone() }));
        }
        Ok(all)
    }

    /// What a person holds, set anew before each run.
    fn overrides(&self, now: Moment) -> Vec<Override> {
        let setting = match self.world.hold {
            Hold::Nothing => return Vec::new(),
            Hold::MinersOff => Setting::Miners { on: false, against_signal: false },
            Hold::MinersOn => Setting::Miners { on: true, against_signal: false },
            Hold::FirstFanOff => Setting::Fan { fan: 1, on: false },
        };
        vec![Override { setting, since: now, lasts: Seconds(3600), by: String::new(), reason: String::new() }]
    }

    /// The same site with everything good again: only what is switched stays as it is.
    pub(super) fn all_well(&self, page: Page) -> Site {
        let mut next = self.clone();
        let (on, moving, moving_to) = (self.world.on, self.world.moving, self.world.moving_to);
        next.world = World { page, on, moving, moving_to, ..super::site::good_world() };
        next.behind = 0;
        let memory = next.memory.take();
        next.set_memory(memory);
        next
    }
}

/// Changes a decision: how the exploration is shown to find what is broken.
pub(super) type Tamper = fn(&mut Decision, u64);

/// The rules as they are.
pub(super) fn honest(_: &mut Decision, _: u64) {}

/// The fans that a decision stops.
pub(super) fn stopped(decision: &Decision) -> BTreeSet<u8> {
    let stop = |command: &Command| if let Command::Fan { fan, on: false } = command { Some(*fan) } else { None };
    decision.commands.iter().filter_map(stop).collect()
}
