//! The exhaustive exploration: a small site (two PDUs, three miners, three fans), the real rules, and every story of a
//! few changes: each input's values, each fault's begin and end, a person's hand, a lost database, a boot with a wrong
//! clock, a run that breaks off between any two of its steps. Between two changes lies any number of runs.
//!
//! 1. No run breaks an interlock, checked against the world as it truly is (`oracle.rs`).
//! 2. From every site that is reached, with all well again, the site comes to what is wanted, in few runs and with few
//!    switchings, whether the page then says run or curtail (`settle.rs`).
//!
//! Not covered: physics (the air is what a change makes it), wear and the hourly limit of switchings (`key.rs`), more
//! than one boot in a story, observe mode.
//!
//! `site.rs` is the small site, `steps.rs` what can happen, `key.rs` which states count as the same (and what is
//! approximated), `search.rs` the search, `story.rs` the printed story.
//!
//! Why no crate does the search: `stateright` (0.31) always brings a web server; 47 packages and 18 s of one core to
//! build. Its steps have no cost, so "any number of runs between few changes" cannot be its bound, and its documentation
//! says that "eventually" does not see a path that ends in a cycle: just what is looked for here.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

mod key;
mod oracle;
mod search;
mod settle;
mod site;
mod steps;
mod story;

use minectl::model::{Band, Command, Decision, MinersPhase, PowerMode};

use search::{Bounds, Found, explore};
use steps::Tamper;

fn number(name: &str, default: u8) -> u8 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn print(found: &Found, bounds: Bounds) {
    println!(
        "explored: {} sites, {} transitions, {} passes of the rules, {} runs deep, in {:.1} s",
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
            "    known limit: in {} rests something unknown stays off, {} without an alarm",
            settler.left_off, settler.untold
        );
    }
}

#[test]
fn no_story_of_a_small_site_breaks_an_interlock_or_gets_stuck() {
    let bounds = Bounds {
        changes: number("EXPLORE_CHANGES", 2),
        faults: number("EXPLORE_FAULTS", 2).into(),
        wide: number("EXPLORE_WIDE", 1) > 0,
    };
    let cfg = site::config();
    let found = explore(&cfg, bounds, steps::honest);
    print(&found, bounds);
    for violation in &found.violations {
        println!("{}", story::tell(&cfg, violation, steps::honest));
    }
    assert!(found.violations.is_empty(), "{} kinds of violation, see above", found.violations.len());
    for steps in &found.samples {
        for page in settle::WANTED {
            let (sent, alarms) = story::play(&cfg, steps, page, false);
            assert_eq!(sent, story::play(&cfg, steps, page, true).0, "what is forgotten made a difference: {steps:?}");
            // A dead fan at rest stays called dead: `settle` has looked at those.
            let known = |id: &str| settle::TELLS_OF_LOSS.contains(&id) || id.starts_with("fan ");
            let told: Vec<_> = alarms.iter().filter(|id| !known(id)).collect();
            assert!(told.is_empty(), "alarms that do not end: {told:?} after {steps:?}");
        }
    }
    println!(
        "  {} stories were played again by a site that forgets nothing, with the same commands",
        found.samples.len()
    );
}

/// What the exploration finds in one change with rules that are broken on purpose.
fn found_with(tamper: Tamper) -> Vec<String> {
    let found = explore(&site::config(), Bounds { changes: 1, faults: 1, wide: false }, tamper);
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
    let found = found_with(drop_every_second);
    assert!(found.iter().any(|what| what.contains("says Curtail, and the site")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_fan_that_stops_on_a_guess() {
    fn stop_when_lost(decision: &mut Decision, _: u64) {
        if decision.next.climate.band == Band::Unknown && decision.next.miners.phase == MinersPhase::Running {
            decision.commands.push(Command::Fan { fan: 1, on: false });
        }
    }
    let found = found_with(stop_when_lost);
    assert!(found.iter().any(|what| what.starts_with("I2")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_miner_that_starts_too_early() {
    fn start_when_off(decision: &mut Decision, _: u64) {
        if matches!(decision.next.miners.phase, MinersPhase::Curtailed { .. }) {
            decision.commands.push(Command::Miner { miner: 1, mode: PowerMode::Normal });
        }
    }
    let found = found_with(start_when_off);
    assert!(found.iter().any(|what| what.starts_with("I1")), "{found:?}");
}

#[test]
fn the_exploration_finds_a_deadline_that_nobody_is_told_of() {
    fn tell_nobody(decision: &mut Decision, _: u64) {
        decision.next.alarms.clear();
        decision.commands.retain(|command| !command.is_safe());
    }
    let found = found_with(tell_nobody);
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
    let found = found_with(flap);
    assert!(!found.is_empty());
}
