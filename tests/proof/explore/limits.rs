//! What only some variants of the site have, checked against the world as it truly is: power that the fans cannot cool,
//! a PDU's bank, a temperature that rises fast, and the hourly limit of switchings (I7).

use minectl::config::Config;
use minectl::model::*;

use super::oracle::{self, runs};
use super::site::{ASLEEP_WATTS, Air, Device, FANS, Hold, MINER_WATTS, World};
use super::steps::{Site, stopped};
use super::variants::Keeps;

/// What is kept from run to run; all counts end at their limits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Watch {
    /// Runs in a row in which more is drawn than the fans that turn can cool.
    over: u8,
    /// Runs in a row in which the miners on a PDU with a bank should be off and draw, though the PDU takes commands.
    banked: u8,
    /// What the room unit said in the run before.
    air: Option<Air>,
    /// By fan, whether it was switched in this run (bit 0), in the run before (bit 1), and so on for an hour.
    switched: [u8; 3],
    /// The switchings of the next run are not counted: the run before ended badly, and what it meant to switch counts
    /// as switched then; or a person undid them (`by_hand`).
    is_broken: bool,
}

impl Watch {
    pub(super) fn break_off(&mut self, keeps: Keeps) {
        *self = Watch { is_broken: keeps.switchings, ..Watch::default() };
    }

    /// A person switches these outputs.
    pub(super) fn by_hand(&mut self, bits: u16) {
        (self.over, self.banked) = (0, 0);
        for (place, switched) in self.switched.iter_mut().enumerate() {
            // KNOWN LIMIT: a relay that is back before it was read again cannot be told from one that does not obey.
            if bits & (1 << place) != 0 && *switched & 1 != 0 {
                *switched = 0;
                self.is_broken = true;
            }
        }
    }
}

/// More power than the fans cool may be drawn for so many runs: three groups go off, each after two runs of patience.
const OVER_MAX: u8 = 9;

/// Checks one decision; `sent` is the world when its commands are carried out.
pub(super) fn check(
    cfg: &Config,
    site: &Site,
    sent: &World,
    decision: &Decision,
    watch: &mut oracle::Watch,
) -> Result<(), String> {
    let down = watch.down;
    let watch = &mut watch.limits;
    airflow(cfg, site, sent, decision, down, watch)?;
    bank(cfg, site, decision, watch)?;
    rise(cfg, site, sent, decision, watch)?;
    hourly(cfg, site, sent, decision, watch)
}

/// What one fan cools in the air as it truly is; `None` while the air is not measured, or where no power is too much.
fn each(cfg: &Config, site: &Site) -> Option<f64> {
    let rows = &cfg.fan_rules.capacity;
    rows.first().filter(|row| row.each.value() < 3.0 * MINER_WATTS)?;
    let celsius = site.world.air.celsius().filter(|_| site.world.room == Device::Good)?;
    rows.iter().rfind(|row| celsius >= row.above.value()).or(rows.first()).map(|row| row.each.value())
}

/// The airflow budget: nothing is started, and no fan stopped, beyond what the turning fans cool; and what is beyond it
/// goes off in time. What the meters do not show cannot be known.
fn airflow(
    cfg: &Config,
    site: &Site,
    sent: &World,
    decision: &Decision,
    down: u8,
    watch: &mut Watch,
) -> Result<(), String> {
    let world = &site.world;
    let is_seen = world.meter == Device::Good && world.pdus == [Device::Good; 2];
    let Some(each) = each(cfg, site).filter(|_| is_seen) else {
        watch.over = 0;
        return Ok(());
    };
    let stopped = stopped(decision);
    let turning = (1..=3).filter(|fan| world.turns(*fan)).count();
    let left = (1..=3).filter(|fan| world.turns(*fan) && !stopped.contains(fan)).count();
    let (draws, cooled) = (world.watts(), each * turning as f64);
    let starts = decision.commands.iter().any(Command::starts_miners) && sent.watts() > draws;
    // KNOWN LIMIT: a group counts as its share of the whole. What was cut and what was put to sleep need not be the same
    // miners, so that in a resume a group may draw one more.
    let resumes = matches!(decision.next.miners.phase, MinersPhase::Resuming { .. });
    let more = if resumes { MINER_WATTS } else { 0.0 };
    if starts && sent.watts() > cooled + more {
        return Err(format!("airflow: {turning} fans cool {cooled:.0} W and {:.0} W are started", sent.watts()));
    }
    if !stopped.is_empty() && down <= runs(cfg, cfg.fan_rules.run_on) && sent.watts() > each * left as f64 {
        return Err(format!("airflow: fans {stopped:?} stop, {left} are left for {:.0} W", sent.watts()));
    }
    let over = draws > cooled.max(cfg.miners.off_below.value())
        && decision.next.demand.reasons.is_empty()
        && site.memory.is_some();
    let longer = if site.is_second_pass { watch.over } else { (watch.over + 1).min(OVER_MAX + 1) };
    watch.over = if over { longer } else { 0 };
    if watch.over > OVER_MAX {
        return Err(format!("airflow: {draws:.0} W drawn for {OVER_MAX} runs, {turning} fans cool {cooled:.0} W"));
    }
    Ok(())
}

/// A bank is used on its own rung and beyond only, and within the times of the ladder no miner on it draws.
fn bank(cfg: &Config, site: &Site, decision: &Decision, watch: &mut Watch) -> Result<(), String> {
    if cfg.pdus.iter().all(|pdu| pdu.bank.is_none()) {
        return Ok(());
    }
    let used = decision.commands.iter().any(|command| matches!(command, Command::Bank { .. }));
    let phase = &decision.next.miners.phase;
    if used && !matches!(phase, MinersPhase::Curtailing { rung: Rung::Bank, .. } | MinersPhase::Fault { .. }) {
        return Err(format!("bank: used while {}", phase.word()));
    }
    let world = &site.world;
    let obeys = matches!(world.pdus[0], Device::Good | Device::OutletsLost | Device::BankLost);
    let draws = World::pdu_watts_of(world.on, 0) > 2.0 * ASLEEP_WATTS && site.memory.is_some();
    let limit = runs(cfg, cfg.miners.foreman_limit) + runs(cfg, cfg.miners.outlets_limit) + 2;
    let longer = if site.is_second_pass { watch.banked } else { (watch.banked + 1).min(limit) };
    watch.banked = if obeys && draws && !decision.next.demand.reasons.is_empty() { longer } else { 0 };
    if watch.banked >= limit {
        return Err(format!("bank: its miners draw for {limit} runs"));
    }
    Ok(())
}

/// A rise that would reach `shed_above` before the next run sheds the miners in the same pass, with every fan on.
fn rise(cfg: &Config, site: &Site, sent: &World, decision: &Decision, watch: &mut Watch) -> Result<(), String> {
    let limits = &cfg.climate;
    if limits.shed_rise_k > 100.0 || site.is_second_pass {
        return Ok(());
    }
    let world = &site.world;
    let measured = Some(world.air).filter(|air| world.room == Device::Good && *air != Air::Lost);
    let before = std::mem::replace(&mut watch.air, measured);
    let Some((before, now)) = before.and_then(Air::celsius).zip(measured.and_then(Air::celsius)) else {
        return Ok(());
    };
    let per_minute = (now - before) * 60.0 / cfg.loop_interval.0 as f64;
    let next = now + (now - before);
    if per_minute < limits.shed_rise_k || next < limits.shed_above.value() {
        return Ok(());
    }
    if decision.commands.iter().any(Command::starts_miners) {
        return Err(format!("rise: miners start at {now} °C that was {before} °C"));
    }
    if world.watts() <= cfg.miners.off_below.value() {
        return Ok(());
    }
    let next = &decision.next;
    if !next.demand.reasons.contains(&OffReason::TooHot) && next.miners.proven_off.is_none() {
        return Err(format!("rise: {now} °C that was {before} °C sheds no miner"));
    }
    let obeyed = world.boards == Device::Good && world.hold != Hold::FirstFanOff;
    if obeyed && sent.on & FANS != FANS {
        return Err(format!("rise: {now} °C that was {before} °C and a fan is left off"));
    }
    Ok(())
}

/// I7: no fan is stopped that was switched too often in this hour.
fn hourly(cfg: &Config, site: &Site, sent: &World, decision: &Decision, watch: &mut Watch) -> Result<(), String> {
    if !site.keeps.switchings {
        return Ok(());
    }
    let limit = cfg.fan_rules.max_switchings_per_hour;
    let hour = (1 << 3600_u64.div_ceil(cfg.loop_interval.0)) - 1;
    let changed = if std::mem::take(&mut watch.is_broken) { 0 } else { site.world.on ^ sent.on };
    for (place, switched) in watch.switched.iter_mut().enumerate() {
        if !site.is_second_pass {
            *switched = (*switched << 1) & hour;
        }
        let fan = u8::try_from(place + 1).expect("three fans");
        if stopped(decision).contains(&fan) && switched.count_ones() >= limit {
            return Err(format!("I7: fan {fan} stops, switched in {limit} runs of this hour"));
        }
        *switched |= u8::from(changed & (1 << place) != 0);
    }
    Ok(())
}
