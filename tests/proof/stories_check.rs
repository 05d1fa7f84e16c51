//! I1 to I8 as they read in the design, held against every pass of a story. What is drawn, proven, fresh and demanded is
//! worked out from the world and the devices' answers (`stories_seen`), not taken from what the rules remember.

use std::collections::BTreeMap;

use minectl::config::{Config, FanRules, Mode};
use minectl::decide;
use minectl::model::*;
use minectl::units::*;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::scene::Scene;
use crate::stories_record::{check_memory, check_record, check_repeatable};
use crate::stories_seen::{Intake, Seen, Seer};
use crate::stories_steps::Step;

type Check = Result<(), TestCaseError>;

/// A time in which the miners had to be off and were not proven to be.
#[derive(Debug, Clone, Copy)]
struct Unproven {
    since: Moment,
    /// They were proven off before, and the proof was lost.
    was_proven: bool,
    /// When the ladder must have begun at the latest.
    ladder: Option<Moment>,
}

/// Follows a story and holds it against the interlocks.
#[derive(Debug, Default)]
pub struct Witness {
    seer: Seer,
    /// Since when all PDUs together are read at or below `off_below`, without a break.
    off_since: Option<Moment>,
    unproven: Option<Unproven>,
    was_off: bool,
    /// When each miner or outlet was last told to go off.
    told_off: BTreeMap<String, Moment>,
    /// What each fan was last told, and when that changed.
    fans_told: BTreeMap<u8, bool>,
    switched: BTreeMap<u8, Vec<Moment>>,
    lost_state: bool,
    /// A person wrote the miners' state since the last pass: the ladder begins anew.
    rewritten: bool,
    /// Whether the wall clock can be believed across boots.
    clock_is_true: bool,
    passes: u64,
    /// The commands of which there was an event last.
    heard: Option<(Vec<Command>, Moment)>,
}

impl Witness {
    pub fn new(_scene: &Scene) -> Witness {
        Witness { clock_is_true: true, ..Witness::default() }
    }

    /// Takes in a step: what it means for what can be known.
    pub fn note(&mut self, scene: &mut Scene, step: &Step) -> Check {
        self.lost_state = false;
        match step {
            Step::LostState => {
                let clock_is_true = self.clock_is_true;
                *self = Witness { clock_is_true, lost_state: true, ..Witness::default() };
            }
            Step::ClockJump(by) => {
                if scene.now.boot == BootId(1) {
                    check_jump(scene, *by)?;
                }
                self.clock_is_true = false;
            }
            Step::Reboot(down) => {
                if self.clock_is_true {
                    check_reboot(scene, *down)?;
                }
            }
            Step::RebootBehind(..) => self.clock_is_true = false,
            Step::Set(Setting::State(state)) => {
                self.seer.written(*state);
                self.rewritten |= matches!(state, WrittenState::Miners(_));
            }
            _ => {}
        }
        Ok(())
    }

    /// One pass with every check.
    pub fn pass(&mut self, scene: &mut Scene) -> Check {
        let before = scene.state.clone();
        let snapshot = scene.snapshot();
        let seen = self.seer.look(scene, &snapshot);
        let hashing: Vec<u64> = scene.miner_ids().filter(|miner| scene.is_hashing(*miner)).collect();
        let told_before = self.told_off.clone();
        self.passes += 1;
        check_repeatable(scene, &snapshot, self.passes.is_multiple_of(8))?;
        let overrides = scene.overrides.clone();
        let (events, failures) = (scene.events.len(), before.last_failures.clone());
        let last: Vec<Command> = std::mem::take(&mut scene.commands);
        scene.pass();

        self.follow(scene, &seen, &before);
        self.check_commands(scene, &seen, &snapshot)?;
        self.check_off(scene, &seen, &snapshot, &hashing, &told_before)?;
        check_memory(scene, &seen, &before)?;
        let heard = self.heard.clone().filter(|(_, at)| scene.now.since(at) < Seconds(3600));
        let heard = heard.map(|(commands, _)| commands).unwrap_or_default();
        let last: Vec<Command> = last.into_iter().chain(heard).collect();
        let events = &scene.events[events..];
        if events.iter().any(|event| event.kind == EventKind::Command) {
            // What is told again within the hour needs no event; a fan that somebody moved does.
            let paced = scene.commands.iter().filter(|command| !matches!(command, Command::Fan { .. }));
            self.heard = Some((paced.cloned().collect(), scene.now));
        }
        check_record(scene, &before, &last, &failures, events, &overrides)?;
        Ok(())
    }

    /// Keeps the witness's own books.
    fn follow(&mut self, scene: &Scene, seen: &Seen, before: &SiteState) {
        let cfg = &scene.cfg;
        let low = |watts: Option<f64>| watts.is_some_and(|watts| watts <= cfg.miners.off_below.value());
        self.off_since = if low(seen.total) { self.off_since.or(Some(scene.now)) } else { None };
        let was_curtailed = before.miners.phase.word() == "curtailed";
        self.unproven = match (seen.off.is_empty() || low(seen.total), self.unproven) {
            (true, _) => None,
            (false, Some(known)) => Some(known),
            (false, None) => {
                let was_proven = self.was_off || was_curtailed;
                let ladder = (!was_proven).then_some(scene.now);
                Some(Unproven { since: scene.now, was_proven, ladder })
            }
        };
        if let Some(unproven) = self.unproven.as_mut().filter(|unproven| unproven.ladder.is_none()) {
            let over = scene.now.since(&unproven.since) >= cfg.miners.foreman_limit;
            unproven.ladder = over.then_some(scene.now);
        }
        if let Some(unproven) = self.unproven.as_mut().filter(|_| std::mem::take(&mut self.rewritten)) {
            // As if they had been proven off and came back now.
            *unproven = Unproven { since: scene.now, was_proven: true, ladder: None };
        }
        self.was_off = !seen.off.is_empty();
        for command in scene.commands.iter().filter(|command| command.is_safe()) {
            let names = match command {
                Command::Miner { miner, .. } => vec![format!("miner {miner}")],
                Command::Outlet { outlet, .. } => vec![outlet.to_string()],
                Command::Bank { pdu } => {
                    let bank = cfg.pdus.iter().filter(|known| known.name == *pdu).flat_map(|known| &known.bank);
                    let outlets = bank.flat_map(|bank| &bank.outlets);
                    outlets.map(|id| OutletRef { pdu: pdu.clone(), outlet: id.clone() }.to_string()).collect()
                }
                Command::Fan { .. } => Vec::new(),
            };
            self.told_off.extend(names.into_iter().map(|name| (name, scene.now)));
        }
    }

    fn check_commands(&mut self, scene: &Scene, seen: &Seen, snapshot: &Snapshot) -> Check {
        let starts = scene.phase() == "resuming";
        for command in &scene.commands {
            prop_assert!(is_listed(&scene.cfg, snapshot, command), "I6: {command}");
            if command.starts_miners() {
                check_start(scene, seen, command)?;
                prop_assert!(!self.lost_state, "I8: {command} right after a lost state");
            }
            if let Command::Fan { fan, on: false } = command {
                let rests =
                    !starts && self.off_since.is_some_and(|at| scene.now.since(&at) >= scene.cfg.fan_rules.run_on);
                if !rests {
                    check_step_down(scene, seen, *fan)?;
                }
                prop_assert!(!self.lost_state, "I8: {command} right after a lost state");
            }
        }
        // In each pass: what was an hour ago once is not within the hour again when the clock is set back.
        for times in self.switched.values_mut() {
            times.retain(|at| scene.now.since(at) < Seconds(3600));
        }
        for command in &scene.commands {
            let Command::Fan { fan, on } = command else { continue };
            // What is sent again, to a relay that a hand moved or that does not obey, is not counted.
            if self.fans_told.insert(*fan, *on) == Some(*on) {
                continue;
            }
            let times = self.switched.entry(*fan).or_default();
            let limit = scene.cfg.fan_rules.max_switchings_per_hour as usize;
            prop_assert!(*on || times.len() < limit, "I7: {command} after {} switchings", times.len());
            times.push(scene.now);
        }
        Ok(())
    }

    /// I5: told in the same pass, every rung in its time, and an emergency at the deadline.
    fn check_off(
        &self,
        scene: &Scene,
        seen: &Seen,
        snapshot: &Snapshot,
        hashing: &[u64],
        told_before: &BTreeMap<String, Moment>,
    ) -> Check {
        if !seen.off.is_empty() {
            prop_assert!(!scene.state.demand.reasons.is_empty(), "I1: off for {:?} and no reason known", seen.off);
        }
        // What is only observed is told to nobody.
        let Some(unproven) = self.unproven.filter(|_| scene.cfg.mode == Mode::Live) else { return Ok(()) };
        let ago = |name: String| told_before.get(&name).map_or(u64::MAX, |at| scene.now.since(at).0);
        let waits = |miner: &u64| ago(format!("miner {miner}")) < 600 || ago(scene.outlet_of(*miner).to_string()) < 60;
        if seen.off_at_once && unproven.since == scene.now && !unproven.was_proven && !hashing.iter().all(waits) {
            let told = scene.commands.iter().any(|c| c.is_safe() && !matches!(c, Command::Fan { .. }));
            prop_assert!(told, "I5: off for {:?}, {} miners hash, nobody told", seen.off, hashing.len());
        }
        // Across boots a clock that is behind makes everything younger: times are held to only while it can be believed.
        if !self.clock_is_true && unproven.since.boot != scene.now.boot {
            return Ok(());
        }
        let on_ladder = unproven.ladder.map_or(Seconds(0), |at| scene.now.since(&at));
        if on_ladder >= scene.cfg.miners.foreman_limit {
            self.check_cut(scene, snapshot, hashing, told_before)?;
        }
        let late = if unproven.was_proven { on_ladder } else { scene.now.since(&unproven.since) };
        if late >= scene.cfg.miners.deadline {
            let told = scene.state.alarms.values().any(|alarm| alarm.severity == Severity::Emergency);
            prop_assert!(told, "I5: not proven off for {late}, no emergency");
        }
        Ok(())
    }

    /// Once Foreman had its time, every outlet with a hashing miner is cut, a batch on each PDU.
    fn check_cut(
        &self,
        scene: &Scene,
        snapshot: &Snapshot,
        hashing: &[u64],
        told_before: &BTreeMap<String, Moment>,
    ) -> Check {
        for pdu in &scene.cfg.pdus {
            let ours = |c: &&Command| matches!(c, Command::Outlet { outlet, on: false } if outlet.pdu == pdu.name);
            if scene.commands.iter().filter(ours).count() >= pdu.batch || snapshot.pdus[&pdu.name].is_err() {
                continue;
            }
            for outlet in hashing.iter().map(|miner| scene.outlet_of(*miner)).filter(|at| at.pdu == pdu.name) {
                let told = told_before.get(&outlet.to_string()).is_some_and(|at| scene.now.since(at) < Seconds(60));
                let cut = scene.commands.contains(&Command::Outlet { outlet: outlet.clone(), on: false });
                let shown = snapshot.pdus[&pdu.name].as_ref().ok().and_then(|pdu| pdu.outlets.get(&outlet.outlet));
                let low = |shown: &OutletReading| {
                    shown.watts.as_ref().is_ok_and(|watts| watts.value <= scene.cfg.miners.outlet_off_below)
                };
                let shown_off = shown.is_some_and(|shown| shown.on == Ok(false) || low(shown));
                prop_assert!(told || cut || shown_off, "I5: {outlet} still draws and is not cut");
            }
        }
        Ok(())
    }
}

/// I2: while the miners are not measured off for `run_on`, only with the intake read and cool, and enough others measured
/// running.
fn check_step_down(scene: &Scene, seen: &Seen, fan: u8) -> Check {
    let rules = &scene.cfg.fan_rules;
    let Intake::Fresh(t) = seen.intake else {
        prop_assert!(false, "I2: fan {fan} off, miners not proven off, intake {:?}", seen.intake);
        return Ok(());
    };
    prop_assert!(t < scene.cfg.climate.shed_above.value(), "I2: fan {fan} off with the intake at {t} °C");
    let stopped = |n: u8| scene.commands.contains(&Command::Fan { fan: n, on: false });
    let proven = seen.fans.iter().filter(|(n, other)| {
        // Watts that were set by hand are no air.
        let by_hand = |over: &Override| matches!(over.setting, Setting::FanWatts { fan, .. } if fan == **n);
        **n != fan
            && !scene.overrides.iter().any(by_hand)
            && !stopped(**n)
            && other.relay == Some(true)
            && runs(rules, other.watts)
    });
    let stages = rules.stages.iter().filter(|stage| t >= stage.above.value());
    let stage = stages.map(|stage| stage.run).next_back().unwrap_or(0);
    let fewest = usize::from(stage.max(rules.min_running)).max(fans_for_power(rules, t, seen.total));
    let proven = proven.count();
    prop_assert!(proven >= fewest, "I2: fan {fan} off, {proven} others proven of {fewest} at {t} °C");
    Ok(())
}

fn runs(rules: &FanRules, watts: Option<f64>) -> bool {
    watts.is_some_and(|watts| watts >= rules.on_above.value())
}

/// How many fans the measured power needs at this temperature.
fn fans_for_power(rules: &FanRules, t: f64, watts: Option<f64>) -> usize {
    let each = rules.capacity.iter().rev().find(|row| t >= row.above.value()).map(|row| row.each.value());
    each.zip(watts).map_or(0, |(each, watts)| (watts / each).ceil() as usize)
}

fn check_start(scene: &Scene, seen: &Seen, command: &Command) -> Check {
    prop_assert!(seen.off.is_empty(), "I1: {command}, off for {:?}", seen.off);
    let rules = &scene.cfg.fan_rules;
    let proven = seen.fans.values().filter(|fan| !fan.by_hand && runs(rules, fan.measured)).count();
    // In deep cold the first group warms the room with the fans of its stage.
    let limit = scene.cfg.climate.resume_min.value() + rules.hysteresis_k;
    let is_cold = matches!(seen.intake, Intake::Fresh(t) | Intake::Held(t) if t < limit);
    let before_resume = usize::from(rules.before_resume);
    let least = if is_cold { before_resume.min(usize::from(rules.min_running)) } else { before_resume };
    prop_assert!(proven >= least, "I3: {command} with {proven} fans proven of {least}");
    Ok(())
}

fn is_listed(cfg: &Config, snapshot: &Snapshot, command: &Command) -> bool {
    match command {
        Command::Fan { fan, .. } => cfg.fans.contains_key(fan),
        Command::Miner { miner, .. } => snapshot.foreman.iter().flat_map(|f| &f.miners).any(|m| m.id == *miner),
        Command::Outlet { outlet, .. } => {
            cfg.pdus.iter().any(|pdu| pdu.name == outlet.pdu && pdu.outlets.contains(&outlet.outlet))
        }
        Command::Bank { pdu } => cfg.pdus.iter().any(|known| known.name == *pdu && known.bank.is_some()),
    }
}

/// I8: within one boot the wall clock means nothing: the pass after a jump does what it would have done without.
fn check_jump(scene: &Scene, by: i64) -> Check {
    let there = scene.now;
    let here = Moment { wall: UnixSeconds(there.wall.0 - by), ..there };
    let snapshot = scene.snapshot();
    let pass = |now| decide::decide(&scene.cfg, &scene.state, &snapshot, &scene.overrides, now).commands;
    prop_assert_eq!(pass(&there), pass(&here), "I8: the clock jumped by {}", by);
    Ok(())
}

/// I8: while the wall clock is true, the pass after a boot starts no miner and stops no fan, and leaves
/// nothing out on the way to safety, that it would not have without the boot.
fn check_reboot(scene: &Scene, down: u64) -> Check {
    let there = scene.now;
    let Some(last) = scene.state.last_pass else { return Ok(()) };
    let slept = u64::try_from(there.wall.0 - last.wall.0).unwrap_or(down);
    let here = Moment { wall: there.wall, boot: last.boot, up: Seconds(last.up.0 + slept) };
    let snapshot = scene.snapshot();
    let pass = |now| decide::decide(&scene.cfg, &scene.state, &snapshot, &scene.overrides, now).commands;
    let (there, here) = (pass(&there), pass(&here));
    let more = there.iter().find(|command| !command.is_safe() && !here.contains(command));
    prop_assert!(more.is_none(), "I8: {more:?} only for a boot after {}", Seconds(slept));
    let fewer = here.iter().filter(|command| command.is_safe()).find(|command| !there.contains(command));
    prop_assert!(fewer.is_none(), "I8: {fewer:?} missing for a boot after {}", Seconds(slept));
    Ok(())
}
