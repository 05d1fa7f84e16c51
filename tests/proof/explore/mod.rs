//! The exhaustive exploration: a small site (two PDUs, three miners, three fans), the real rules, and every story of a
//! few changes: each input's values, each fault's begin and end, a person's hand, a lost database, a boot with a wrong
//! clock, a run that breaks off between any two of its steps. Between two changes lies any number of runs. Rules that
//! need a configuration of their own have a variant of the site, with the changes that concern them: the airflow budget,
//! a PDU's bank, the rate of rise, fans that take turns and the hourly limit of switchings.
//!
//! 1. No run breaks an interlock, checked against the world as it truly is (`oracle.rs`, `limits.rs`).
//! 2. From every site that is reached, with all well again, the site comes to what is wanted, in few runs and with few
//!    switchings, whether the page then says run or curtail (`settle.rs`).
//!
//! Not covered: physics (the air is what a change makes it), two of the variants at once, more than one boot in a story,
//! observe mode.
//!
//! `site.rs` is the small site, `variants.rs` its configurations, `steps.rs` what can happen, `key.rs` which states count
//! as the same (and what is approximated), `search.rs` the search, `story.rs` the printed story.
//!
//! Why no crate does the search: `stateright` (0.31) always brings a web server; 47 packages and 18 s of one core to
//! build. Its steps have no cost, so "any number of runs between few changes" cannot be its bound, and its documentation
//! says that "eventually" does not see a path that ends in a cycle: just what is looked for here.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

mod key;
mod limits;
mod oracle;
mod search;
mod settle;
mod site;
mod steps;
mod story;
mod variants;

use minectl::model::{Band, Command, Decision, MinersPhase, PowerMode, Rung};
use minectl::units::Seconds;

use search::{Bounds, Found, explore};
use steps::Tamper;
use variants::Variant;

fn number(name: &str, default: u8) -> u8 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn print(variant: &Variant, found: &Found, bounds: Bounds) {
    println!(
        "explored: {}: {} sites, {} transitions, {} passes of the rules, {} runs deep, in {:.1} s",
        variant.name,
        found.sites,
        found.transitions,
        found.passes,
        found.runs_deep,
        found.took.as_secs_f64()
    );
    println!("  {bounds:?}; sites by number of changes: {:?}", found.by_changes);
    for settler in &found.worst {
        let (page, way) = (settler.page, settler.worst);
        println!("  all well and the page says {page:?}: from each of {} sites", settler.known());
        println!("    the miners are as wanted within {} runs, everything within {}", way.miners, way.all);
        println!(
            "    switchings at most, fans {:?}, miners {:?}, outlets {:?}",
            &way.switched[..3],
            &way.switched[3..6],
            &way.switched[6..]
        );
        println!(
            "    in {} rests something stays off that the program does not know of; each is told",
            settler.left_off
        );
    }
}

/// Wrongs of one variant that are told.
const WRONG_MAX: usize = 12;

/// Explores one variant and plays a part of its stories again; returns what was found, and what is wrong.
fn look_at(variant: &Variant, bounds: Bounds) -> (Found, Vec<String>) {
    let found = explore(variant, bounds, steps::honest);
    print(variant, &found, bounds);
    let mut wrong = Vec::new();
    for violation in &found.violations {
        println!("{}", story::tell(variant, violation, steps::honest));
        wrong.push(format!("{}: {}", variant.name, violation.what));
    }
    for steps in &found.samples {
        if wrong.len() >= WRONG_MAX {
            break;
        }
        for page in settle::WANTED {
            let (sent, alarms) = story::play(variant, steps, page, false);
            if sent != story::play(variant, steps, page, true).0 {
                wrong.push(format!("{}: what is forgotten made a difference: {steps:?}", variant.name));
            }
            // A dead fan at rest stays called dead: `settle` has looked at those.
            let known = |id: &str| settle::TELLS_OF_LOSS.contains(&id) || id.starts_with("fan ");
            let told: Vec<_> = alarms.iter().filter(|id| !known(id)).collect();
            if !told.is_empty() {
                wrong.push(format!("{}: alarms that do not end: {told:?} after {steps:?}", variant.name));
            }
        }
    }
    println!(
        "  {} stories were played again by a site that forgets nothing, with the same commands",
        found.samples.len()
    );
    (found, wrong)
}

#[test]
fn no_story_of_a_small_site_breaks_an_interlock_or_gets_stuck() {
    let bounds = Bounds {
        changes: number("EXPLORE_CHANGES", 2),
        faults: number("EXPLORE_FAULTS", 2).into(),
        wide: number("EXPLORE_WIDE", 1) > 0,
    };
    let only = std::env::var("EXPLORE_ONLY").unwrap_or_default();
    let (mut sites, mut seconds, mut wrong) = (0, 0.0, Vec::new());
    for variant in variants::all().iter().filter(|variant| variant.name.contains(&only)) {
        let (found, more) = look_at(variant, bounds);
        sites += found.sites;
        seconds += found.took.as_secs_f64();
        wrong.extend(more);
    }
    println!("explored: {sites} sites in all, in {seconds:.1} s");
    assert!(wrong.is_empty(), "{} kinds of violation, see above: {wrong:#?}", wrong.len());
}

/// What the exploration finds in one change with rules that are broken on purpose.
fn found_with(variant: &Variant, tamper: Tamper) -> Vec<String> {
    let found = explore(variant, Bounds { changes: 1, faults: 1, wide: false }, tamper);
    found.violations.into_iter().map(|violation| violation.what).collect()
}

#[test]
fn the_exploration_finds_miners_that_are_never_told() {
    fn drop_every_second(decision: &mut Decision, _: u64) {
        decision.commands.retain(|command| match command {
            Command::Miner { miner, mode } => *mode != PowerMode::Sleeping || *miner != 2,
            Command::Outlet { outlet, on } => *on || outlet.outlet != "2",
            Command::Fan { .. } | Command::Bank { .. } => true,
        });
    }
    let found = found_with(&variants::plain(), drop_every_second);
    assert!(found.iter().any(|what| what.contains("says Curtail, and the site")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_fan_that_stops_on_a_guess() {
    fn stop_when_lost(decision: &mut Decision, _: u64) {
        if decision.next.climate.band == Band::Unknown && decision.next.miners.phase == MinersPhase::Running {
            decision.commands.push(Command::Fan { fan: 1, on: false });
        }
    }
    let found = found_with(&variants::plain(), stop_when_lost);
    assert!(found.iter().any(|what| what.starts_with("I2")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_miner_that_starts_too_early() {
    fn start_when_off(decision: &mut Decision, _: u64) {
        if matches!(decision.next.miners.phase, MinersPhase::Curtailed { .. }) {
            decision.commands.push(Command::Miner { miner: 1, mode: PowerMode::Normal });
        }
    }
    let found = found_with(&variants::plain(), start_when_off);
    assert!(found.iter().any(|what| what.starts_with("I1")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_deadline_that_nobody_is_told_of() {
    fn tell_nobody(decision: &mut Decision, _: u64) {
        decision.next.alarms.clear();
        decision.commands.retain(|command| !command.is_safe());
    }
    let found = found_with(&variants::plain(), tell_nobody);
    assert!(found.iter().any(|what| what.starts_with("I5")), "{found:?}");
}

#[test]
fn the_exploration_finds_outputs_that_go_on_and_off_for_ever() {
    fn flap(decision: &mut Decision, seconds: u64) {
        if decision.next.miners.phase == MinersPhase::Running {
            let on = (seconds / 300).is_multiple_of(2);
            decision.commands.push(Command::Fan { fan: 1, on });
        }
    }
    let found = found_with(&variants::plain(), flap);
    assert!(!found.is_empty());
}

#[test]
fn the_exploration_finds_miners_that_no_fan_cools() {
    fn shed_nothing(decision: &mut Decision, _: u64) {
        if decision.next.miners.shed_groups > 0 {
            decision.next.miners.shed_groups = 0;
            decision.commands.retain(|command| matches!(command, Command::Fan { .. }));
        }
    }
    let found = found_with(&variants::budget(), shed_nothing);
    assert!(found.iter().any(|what| what.starts_with("airflow") && what.contains("drawn for")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_group_that_is_started_beyond_the_budget() {
    fn start_what_is_shed(decision: &mut Decision, _: u64) {
        if decision.next.miners.shed_groups > 0 && decision.commands.is_empty() {
            decision.commands.push(Command::Miner { miner: 3, mode: PowerMode::Normal });
        }
    }
    // In warm air one dead fan leaves enough of them to start anything, and too few for all.
    let bounds = Bounds { changes: 2, faults: 2, wide: false };
    let found = explore(&variants::budget(), bounds, start_what_is_shed).violations;
    assert!(found.iter().any(|violation| violation.what.contains("are started")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_bank_that_is_never_used() {
    fn drop_the_bank(decision: &mut Decision, _: u64) {
        decision.commands.retain(|command| !matches!(command, Command::Bank { .. }));
    }
    let found = explore(&variants::bank(), Bounds { changes: 2, faults: 2, wide: false }, drop_the_bank).violations;
    assert!(found.iter().any(|violation| violation.what.starts_with("bank: its miners")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_bank_that_is_used_too_early() {
    fn bank_first(decision: &mut Decision, _: u64) {
        if matches!(decision.next.miners.phase, MinersPhase::Curtailing { rung: Rung::Foreman, .. }) {
            decision.commands.push(Command::Bank { pdu: "spdu-a".to_owned() });
        }
    }
    let found = found_with(&variants::bank(), bank_first);
    assert!(found.iter().any(|what| what.starts_with("bank: used")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_rise_that_is_not_seen() {
    fn see_no_rise(decision: &mut Decision, _: u64) {
        decision.next.climate.recent.clear();
    }
    let found = found_with(&variants::rise(), see_no_rise);
    assert!(found.iter().any(|what| what.starts_with("rise") && what.contains("sheds no")), "{found:?}");
}

#[test]
fn the_exploration_finds_fans_that_never_take_turns() {
    let mut variant = variants::rotation();
    variant.cfg.fan_rules.rotate_after = Seconds(u64::MAX);
    let found = explore(&variant, Bounds { changes: 1, faults: 1, wide: false }, steps::honest).violations;
    assert!(found.iter().any(|violation| violation.what.contains("stays as it is")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_fan_that_is_switched_too_often() {
    fn forget_the_hour(decision: &mut Decision, _: u64) {
        for fan in decision.next.fans.values_mut() {
            fan.switchings.clear();
        }
    }
    let found = found_with(&variants::rotation(), forget_the_hour);
    assert!(found.iter().any(|what| what.starts_with("I7")), "{found:?}");
}
