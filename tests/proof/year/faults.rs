//! What breaks in a year, how often and for how long; and what breaks on purpose around every second call, because
//! chance alone would seldom hit one.

use super::calls::Call;
use super::weather::{DAY_S, DAYS, Rng};

/// What is broken. A number beside it (`Fault::of`) says which one, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No answer from the page.
    PageSilent,
    /// Maintenance, a database error, another layout.
    PageBroken,
    /// The page shows an old number with its old stamp.
    PageFrozen,
    /// Neither the page nor Foreman.
    Internet,
    ForemanDown,
    /// Foreman takes commands; its agent on site does not fetch them.
    AgentDown,
    PduDown,
    /// Answers with old readings and ignores commands.
    PduFrozen,
    /// Some contacts are welded: they show off and let power through.
    PduWelded,
    /// Can be read; commands fail.
    PduDeaf,
    /// Measures 0 W whatever flows.
    PduMeterZero,
    RoomDown,
    RoomFrozen,
    /// A probe repeats its value while the unit's clock goes on.
    ProbeStuck,
    ProbeGone,
    ProbeHigh,
    ProbeLow,
    FanMeterDown,
    FanMeterFrozen,
    BoardDown,
    /// Shows what was commanded and does not do it.
    BoardLies,
    /// All coils released.
    BoardReboot,
    FanDead,
    /// Its relay lets it run whatever is commanded.
    FanWelded,
    /// The controller has no power; when it comes back its clock is behind.
    ControllerOff,
    /// Cron or the disk hangs.
    MissedRuns,
    LostState,
    /// The wall clock is set wrong by hand.
    ClockJump,
    /// The whole site is without power.
    Blackout,
    Smoke,
    /// Somebody switches a fan at the relay board.
    HandOnFan,
    /// Somebody wakes miners, by their own pages.
    HandOnMiners,
    /// Somebody switches outlets, and at the end puts back those that are off.
    HandOnOutlets,
    /// `set miners off`.
    HeldOff,
    /// `set fan N off`.
    FanHeldOff,
}

#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub kind: Kind,
    pub of: usize,
    pub start: u64,
    pub end: u64,
}

/// Kind, how many there are, how often each in a year, and how many minutes it lasts (0: it happens once).
type Row = (Kind, usize, f64, (u64, u64));

const RATES: &[Row] = &[
    (Kind::PageSilent, 1, 12.0, (4, 60)),
    (Kind::PageBroken, 1, 10.0, (4, 180)),
    (Kind::PageFrozen, 1, 4.0, (20, 600)),
    (Kind::Internet, 1, 18.0, (2, 480)),
    (Kind::ForemanDown, 1, 10.0, (5, 360)),
    (Kind::AgentDown, 1, 6.0, (10, 600)),
    (Kind::PduDown, 6, 4.0, (3, 480)),
    (Kind::PduFrozen, 6, 1.0, (10, 600)),
    (Kind::PduWelded, 6, 0.5, (60, 2880)),
    (Kind::PduDeaf, 6, 0.7, (30, 600)),
    (Kind::PduMeterZero, 6, 0.3, (60, 1440)),
    (Kind::RoomDown, 1, 6.0, (3, 600)),
    (Kind::RoomFrozen, 1, 3.0, (20, 1440)),
    (Kind::ProbeStuck, 2, 2.0, (60, 4320)),
    (Kind::ProbeGone, 2, 2.0, (10, 2880)),
    (Kind::ProbeHigh, 2, 0.7, (30, 600)),
    (Kind::ProbeLow, 2, 0.7, (30, 600)),
    (Kind::FanMeterDown, 1, 8.0, (3, 720)),
    (Kind::FanMeterFrozen, 1, 3.0, (10, 600)),
    (Kind::BoardDown, 2, 4.0, (3, 600)),
    (Kind::BoardLies, 2, 0.5, (30, 600)),
    (Kind::BoardReboot, 2, 6.0, (0, 0)),
    (Kind::FanDead, 9, 0.5, (720, 2160)),
    (Kind::FanWelded, 9, 0.15, (1440, 5760)),
    (Kind::ControllerOff, 1, 6.0, (3, 300)),
    (Kind::MissedRuns, 1, 40.0, (2, 30)),
    (Kind::LostState, 1, 2.0, (0, 0)),
    (Kind::ClockJump, 1, 2.0, (0, 0)),
    (Kind::Blackout, 1, 3.0, (5, 240)),
    (Kind::Smoke, 1, 1.0, (20, 60)),
    (Kind::HandOnFan, 9, 1.0, (0, 0)),
    (Kind::HandOnMiners, 1, 4.0, (0, 0)),
    (Kind::HandOnOutlets, 6, 0.7, (20, 1440)),
    (Kind::HeldOff, 1, 6.0, (30, 120)),
    (Kind::FanHeldOff, 9, 0.7, (30, 90)),
];

/// What is broken on purpose around calls, one after the other.
const IN_CALLS: &[&[Kind]] = &[
    &[Kind::ForemanDown],
    &[Kind::PduDown],
    &[Kind::AgentDown],
    &[Kind::PageBroken],
    &[Kind::PduDeaf],
    &[Kind::FanDead, Kind::FanDead],
    &[Kind::PduWelded],
    &[Kind::Internet],
    &[Kind::HandOnMiners],
    &[Kind::PduFrozen],
    &[Kind::RoomDown],
    &[Kind::ForemanDown, Kind::PduDown],
    &[Kind::BoardDown],
    &[Kind::MissedRuns],
    &[Kind::PduMeterZero],
    &[Kind::LostState],
    &[Kind::Internet, Kind::PduDeaf],
    &[Kind::BoardLies],
    &[Kind::HandOnOutlets],
    &[Kind::ControllerOff],
    &[Kind::FanMeterDown],
    &[Kind::BoardReboot],
    &[Kind::PageFrozen],
    &[Kind::AgentDown, Kind::PduFrozen],
    &[Kind::ProbeStuck],
    &[Kind::PduDown, Kind::PduDown],
    &[Kind::HandOnFan],
];

/// All faults of the year, the first to come last.
pub fn of(seed: u64, calls: &[Call]) -> Vec<Fault> {
    let mut rng = Rng::new(seed, 3);
    let mut faults = Vec::new();
    for (kind, count, a_year, (min, max)) in RATES {
        for of in 0..*count {
            let mut at = 0.0;
            loop {
                at += -(1.0 - rng.unit()).ln() / a_year * (DAYS * DAY_S) as f64;
                if at >= (DAYS * DAY_S) as f64 {
                    break;
                }
                let start = at as u64;
                let lasts = if *max == 0 { 0 } else { 60 * rng.skewed(*min, *max) };
                faults.push(Fault { kind: *kind, of, start, end: start + lasts });
            }
        }
    }
    let mut pairs = IN_CALLS.iter().cycle().skip(rng.between(0, 26) as usize);
    for call in calls.iter().step_by(2) {
        let Some(kinds) = pairs.next() else { break };
        let from = (call.start + rng.between(0, 1800)).saturating_sub(1200);
        let until = call.start + rng.skewed(15, 120) * 60;
        for kind in *kinds {
            let Some((_, count, _, (_, max))) = RATES.iter().find(|row| row.0 == *kind) else { continue };
            let of = rng.between(0, *count as u64 - 1) as usize;
            let end = if *max == 0 { from } else { until.min(from + max * 60) };
            faults.push(Fault { kind: *kind, of, start: from, end });
        }
    }
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.start));
    faults
}

/// What is broken at the moment.
#[derive(Debug, Default)]
pub struct Broken(pub Vec<Fault>);

impl Broken {
    /// The fault of this kind, of this one, if it has it.
    pub fn find(&self, kind: Kind, of: usize) -> Option<&Fault> {
        self.0.iter().find(|fault| fault.kind == kind && fault.of == of)
    }

    pub fn has(&self, kind: Kind, of: usize) -> bool {
        self.find(kind, of).is_some()
    }

    /// Whether the internet is there.
    pub fn online(&self) -> bool {
        !self.has(Kind::Internet, 0) && !self.has(Kind::Blackout, 0)
    }

    pub fn foreman_answers(&self) -> bool {
        self.online() && !self.has(Kind::ForemanDown, 0)
    }

    pub fn words(&self) -> String {
        let words: Vec<String> = self.0.iter().map(|fault| format!("{:?} {}", fault.kind, fault.of)).collect();
        words.join(", ")
    }
}
