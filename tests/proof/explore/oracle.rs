//! The interlocks I1 to I9 (the design's letters), checked against the world as it truly is and not against what the
//! rules remember of it.

use minectl::config::Config;
use minectl::model::*;

use super::limits;
use super::site::{Air, Device, Page, World};
use super::steps::{Site, stopped};
use super::variants::Keeps;

/// What an observer who sees the true world keeps, of the runs that were saved. All counts are in runs and end at `MOST`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Watch {
    /// What the page said last that was clear.
    pub said: Option<bool>,
    /// Runs since the page was read, and since the air was measured.
    pub blind: u8,
    pub airless: u8,
    /// Runs for which the miners truly draw nothing, and of those that saw it proven.
    pub down: u8,
    /// Runs in a row in which miners should be off and draw.
    pub late: u8,
    /// Miners or outlets may be off that the program does not know of: it lost its memory, Foreman called a miner awake
    /// that was not, or a person switched them off.
    pub lost: bool,
    /// What only some variants of the site keep.
    pub limits: limits::Watch,
}

pub(super) const MOST: u8 = 4;

impl Watch {
    /// A boot with a clock that is behind makes every age younger.
    pub(super) fn forget_ages(&mut self, keeps: Keeps) {
        (self.blind, self.airless) = (0, 0);
        self.break_off(keeps);
    }

    /// A run that ends badly: what was due in it may be done by the next.
    pub(super) fn break_off(&mut self, keeps: Keeps) {
        self.late = 0;
        self.limits.break_off(keeps);
    }
}

pub(super) fn runs(cfg: &Config, limit: minectl::units::Seconds) -> u8 {
    u8::try_from(limit.0.div_ceil(cfg.loop_interval.0)).expect("a short limit")
}

/// So many runs after it should be off, whatever draws is an emergency.
fn late_limit(cfg: &Config) -> u8 {
    runs(cfg, cfg.miners.deadline) + runs(cfg, cfg.miners.foreman_limit) + 1
}

/// Checks one decision of the site; `watch` takes in what was true. `Err` is the broken interlock in words.
pub(super) fn check(
    cfg: &Config,
    site: &Site,
    (sent, before): (&World, &SiteState),
    decision: &Decision,
    watch: &mut Watch,
) -> Result<(), String> {
    let drawing = site.world.watts() > cfg.miners.off_below.value();
    observe(cfg, site, decision, drawing, watch);
    for command in &decision.commands {
        listed(cfg, command)?;
        if command.starts_miners() {
            start(cfg, site, before, watch, command)?;
        }
    }
    fans(cfg, site, before, decision, watch)?;
    if drawing {
        cooling(site, decision)?;
    }
    proofs(site, decision, drawing)?;
    off(cfg, site, before, decision, drawing, watch)?;
    limits::check(cfg, site, sent, decision, watch)?;
    events(before, decision)
}

fn observe(cfg: &Config, site: &Site, decision: &Decision, drawing: bool, watch: &mut Watch) {
    let world = &site.world;
    match world.page {
        Page::Run => watch.said = Some(true),
        Page::Curtail => watch.said = Some(false),
        Page::Between | Page::Unreadable => {}
    }
    // A second pass of the same run adds no time.
    let longer = |count: u8| if site.is_second_pass { count } else { (count + 1).min(MOST) };
    watch.blind = if world.page == Page::Unreadable { longer(watch.blind) } else { 0 };
    let measured = match world.room {
        Device::Frozen => !site.repeats_what_was_seen("room-alert") && world.froze.0 != Air::Lost,
        Device::Good => world.air != Air::Lost,
        Device::Late | Device::Down | Device::Ignores | Device::OutletsLost | Device::BankLost => false,
    };
    watch.airless = if measured { 0 } else { longer(watch.airless) };
    // The lie of a PDU that froze with an answer that was never taken in is believed once.
    let deceived = deceived(site);
    let believed = deceived && decision.next.miners.proven_off.is_some();
    watch.down = if drawing && !believed { 0 } else { longer(watch.down).max(1) };
    let late = drawing && !deceived && !decision.next.demand.reasons.is_empty() && site.memory.is_some();
    let later = if site.is_second_pass { watch.late } else { (watch.late + 1).min(late_limit(cfg)) };
    watch.late = if late { later } else { 0 };
}

/// I6: nothing that the configuration does not list.
fn listed(cfg: &Config, command: &Command) -> Result<(), String> {
    let known = match command {
        Command::Fan { fan, .. } => cfg.fans.contains_key(fan),
        Command::Miner { miner, .. } => (1..=3).contains(miner),
        Command::Outlet { outlet, .. } => {
            cfg.pdus.iter().any(|pdu| pdu.name == outlet.pdu && pdu.outlets.contains(&outlet.outlet))
        }
        Command::Bank { pdu } => cfg.pdus.iter().any(|known| known.name == *pdu && known.bank.is_some()),
    };
    if known { Ok(()) } else { Err(format!("I6: {command}")) }
}

/// I1, I3, I8: what must be true for miners to be started.
fn start(cfg: &Config, site: &Site, before: &SiteState, watch: &Watch, command: &Command) -> Result<(), String> {
    let world = &site.world;
    let broken = |why: &str| Err(format!("{why}: {command}"));
    if watch.said == Some(false) {
        return broken("I1: the page said curtail last");
    }
    if watch.blind > runs(cfg, cfg.signal.max_age) {
        return broken("I1: the page was not read for too long");
    }
    if world.hold == super::site::Hold::MinersOff {
        return broken("I1: a person holds the miners off");
    }
    if world.room == Device::Good && (world.smoke || matches!(world.air, Air::Hot | Air::Critical)) {
        return broken("I1: smoke or heat");
    }
    if watch.airless > runs(cfg, cfg.climate.lost_limit) {
        return broken("I1: the intake temperature is not known for too long");
    }
    if before.last_pass.is_none() {
        return broken("I8: nothing is remembered");
    }
    let turning = (1..=3).filter(|fan| world.turns(*fan)).count();
    // In deep cold the first group warms the room with the fans of its stage.
    let held_cold = before.climate.probes.values().any(|probe| probe.value < cfg.climate.resume_min);
    let unread = world.air == Air::Lost || world.room != Device::Good;
    let needed = if world.air == Air::Cold || (unread && held_cold) {
        cfg.fan_rules.min_running
    } else {
        cfg.fan_rules.before_resume
    };
    if turning < usize::from(needed) {
        return broken(&format!("I3: {turning} fans truly turn"));
    }
    Ok(())
}

/// I2, I7, I8: what must be true for fans to be stopped.
fn fans(cfg: &Config, site: &Site, before: &SiteState, decision: &Decision, watch: &Watch) -> Result<(), String> {
    let world = &site.world;
    let stopped = stopped(decision);
    if stopped.is_empty() {
        return Ok(());
    }
    if before.last_pass.is_none() {
        return Err(format!("I8: fans {stopped:?} stopped with nothing remembered"));
    }
    // Two runs saw the miners down, the run-on apart.
    if watch.down > runs(cfg, cfg.fan_rules.run_on) {
        return Ok(());
    }
    if world.room == Device::Frozen {
        if !site.repeats_what_was_seen("room-alert") {
            return Ok(());
        }
        return Err(format!("I2: fans {stopped:?} stopped, miners not down, with a frozen temperature"));
    }
    let Some(celsius) = world.air.celsius().filter(|_| world.room == Device::Good) else {
        return Err(format!("I2: fans {stopped:?} stopped, miners not down, temperature not known"));
    };
    let turning = (1..=3).filter(|fan| world.turns(*fan) && !stopped.contains(fan)).count();
    let stage = cfg.fan_rules.stages.iter().rfind(|stage| celsius >= stage.above.value());
    let needed = usize::from(stage.map_or(1, |stage| stage.run).max(cfg.fan_rules.min_running));
    if turning < needed || celsius >= cfg.climate.shed_above.value() {
        return Err(format!("I2: fans {stopped:?} stopped, miners not down, {turning} left of {needed}"));
    }
    Ok(())
}

/// Not an interlock, but as grave: miners that draw in hot air have every fan.
fn cooling(site: &Site, decision: &Decision) -> Result<(), String> {
    let world = &site.world;
    let hot = world.room == Device::Good && matches!(world.air, Air::Hot | Air::Critical);
    let obeyed = world.boards == Device::Good && world.hold != super::site::Hold::FirstFanOff;
    let is_on = |fan: u8| {
        let relay = world.on & (1 << (fan - 1)) != 0;
        let told = decision.commands.iter().find(|command| matches!(command, Command::Fan { fan: n, .. } if *n == fan));
        told.map_or(relay, Command::is_safe)
    };
    if hot && obeyed && !(1..=3).all(is_on) {
        return Err("heat: miners draw, the air is hot and a fan is left off".to_owned());
    }
    Ok(())
}

/// I4: no proof from a reading that is lost or old.
fn proofs(site: &Site, decision: &Decision, drawing: bool) -> Result<(), String> {
    let stands_still = ["spdu-a", "spdu-b"].iter().any(|pdu| site.repeats_what_was_seen(pdu));
    let bad = site.world.pdus.contains(&Device::Down) || stands_still || (drawing && !deceived(site));
    if decision.next.miners.proven_off.is_some() && bad {
        return Err("I4: the miners count as proven off".to_owned());
    }
    let stale = decision.next.fans.values().any(|fan| fan.proven.is_some()) && site.world.meter == Device::Down;
    if stale {
        return Err("I4: a fan counts as proven without its watts".to_owned());
    }
    Ok(())
}

/// A frozen PDU whose last answer was never taken in cannot be told from one that works.
fn deceived(site: &Site) -> bool {
    let frozen = |(pdu, name)| site.world.pdus[pdu] == Device::Frozen && !site.repeats_what_was_seen(name);
    [(0, "spdu-a"), (1, "spdu-b")].into_iter().any(frozen)
}

/// I5: what must be off is told so in the same pass, no rung stands too long, and a deadline that passed is told.
fn off(
    cfg: &Config,
    site: &Site,
    before: &SiteState,
    decision: &Decision,
    drawing: bool,
    watch: &Watch,
) -> Result<(), String> {
    let next = &decision.next;
    let world = &site.world;
    let begins = before.demand.reasons.is_empty() && !next.demand.reasons.is_empty() && before.last_pass.is_some();
    let reachable = world.foreman != Device::Down || world.pdus[0] != Device::Down;
    let sent = decision.commands.iter().any(|c| c.is_safe() && !matches!(c, Command::Fan { .. }));
    let moves = world.moving != 0;
    if begins && drawing && reachable && !sent && !moves {
        return Err("I5: miners must be off and nothing is sent".to_owned());
    }
    if let MinersPhase::Curtailing { rung: Rung::Foreman, rung_since, .. } = &next.miners.phase
        && site.now().since(rung_since) > cfg.miners.foreman_limit
        && !next.demand.reasons.is_empty()
    {
        return Err("I5: the rung Foreman stands past its time".to_owned());
    }
    let emergency = next.alarms.values().any(|alarm| alarm.severity == Severity::Emergency);
    if watch.late >= late_limit(cfg) && !emergency {
        return Err(format!("I5: miners draw for {} runs and nobody is told", watch.late));
    }
    Ok(())
}

/// I9: no change without its event.
fn events(before: &SiteState, decision: &Decision) -> Result<(), String> {
    let told = |subject: &str| decision.events.iter().any(|e| e.kind == EventKind::State && e.subject == subject);
    let next = &decision.next;
    if before.miners.phase.word() != next.miners.phase.word() && !told("miners") {
        return Err("I9: the miners' phase changes without an event".to_owned());
    }
    if before.signal.level != next.signal.level && !told("signal") {
        return Err("I9: the signal's level changes without an event".to_owned());
    }
    if before.demand.reasons != next.demand.reasons && !told("demand") {
        return Err("I9: the demand changes without an event".to_owned());
    }
    Ok(())
}
