//! The interlocks by themselves: the rules want everything at once, and only what is safe passes.

use minectl::decide::{Inputs, Quality, allowed};
use minectl::model::*;
use minectl::units::*;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::scene::Scene;
use crate::stories::cases;

/// Every command there could be, and some there must never be.
fn everything() -> Vec<Command> {
    let mut all = Vec::new();
    for on in [true, false] {
        all.extend((0..=10).map(|fan| Command::Fan { fan, on }));
        for pdu in ["spdu-a", "spdu-b", "spdu-z"] {
            let outlet = |id: u32| OutletRef { pdu: pdu.to_owned(), outlet: id.to_string() };
            all.extend([1, 20, 21, 48].map(|id| Command::Outlet { outlet: outlet(id), on }));
        }
    }
    all.extend(["spdu-a", "spdu-b", "spdu-z"].map(|pdu| Command::Bank { pdu: pdu.to_owned() }));
    for mode in [PowerMode::Sleeping, PowerMode::Low, PowerMode::Normal, PowerMode::High] {
        all.extend([1, 40, 41, 9999].map(|miner| Command::Miner { miner, mode }));
    }
    all
}

/// Whether a command starts what is in the groups, counted from the last, that the running fans cannot cool.
fn is_shed(scene: &Scene, command: &Command) -> bool {
    let groups = scene.cfg.miners.resume_groups as usize;
    let all = scene.miner_ids().count();
    let kept = all / groups * groups.saturating_sub(scene.state.miners.shed_groups as usize);
    let place = scene.miner_ids().position(|miner| match command {
        Command::Miner { miner: started, .. } => miner == *started,
        Command::Outlet { outlet, .. } => scene.outlet_of(miner) == *outlet,
        Command::Fan { .. } | Command::Bank { .. } => false,
    });
    place.is_some_and(|place| place >= kept)
}

/// The interlocks by themselves: the rules want everything at once, and only what is safe passes.
fn check_alone(scene: &Scene) -> Result<(), TestCaseError> {
    let intake = scene.intake_c.map(|c| Quality::Good(Temperature::new(c).unwrap()));
    let inputs = Inputs {
        probes: Default::default(),
        intake: intake.unwrap_or(Quality::Bad("lost".to_owned())),
        humidity: Default::default(),
        switches: Default::default(),
        relays: Default::default(),
        fan_watts: Default::default(),
        pdus: Default::default(),
    };
    let state = &scene.state;
    let snapshot = scene.snapshot();
    let (sent, refused) = allowed(&scene.cfg, state, &inputs, &snapshot, &scene.now, everything());
    prop_assert_eq!(sent.len() + refused.len(), everything().len());
    let proven = state.fans.values().filter(|fan| fan.proven == Some(true)).count();
    let rested = state.miners.proven_off.is_some_and(|at| scene.now.since(&at) >= scene.cfg.fan_rules.run_on);
    let runs = |fan: &FanState| fan.proven == Some(true) && fan.relay == Some(true);
    let stops = |number: &u8| sent.contains(&Command::Fan { fan: *number, on: false });
    let left = state.fans.iter().filter(|(number, fan)| runs(fan) && !stops(number)).count();
    for command in &sent {
        let listed = match command {
            Command::Fan { fan, .. } => (1..=9).contains(fan),
            Command::Miner { miner, .. } => (1..=40).contains(miner) && !scene.foreman_down,
            Command::Outlet { outlet, .. } => outlet.pdu != "spdu-z" && ["1", "20"].contains(&outlet.outlet.as_str()),
            Command::Bank { pdu } => scene.cfg.pdus.iter().any(|known| known.name == *pdu && known.bank.is_some()),
        };
        prop_assert!(listed, "I6: {command}");
        prop_assert!(state.last_pass.is_some() || command.is_safe(), "I8: {command} with nothing remembered");
        if command.starts_miners() {
            prop_assert!(state.demand.reasons.is_empty(), "I1: {command}");
            prop_assert!(!is_shed(scene, command), "I1: {command} with {} groups shed", state.miners.shed_groups);
            prop_assert!(proven >= 5, "I3: {command}");
            prop_assert!(["resuming", "running"].contains(&scene.phase()), "I1, I8: {command} in {}", scene.phase());
        }
        if let Command::Fan { fan, on: false } = command {
            prop_assert!(scene.phase() != "boot", "I8: {command} in boot");
            prop_assert!(state.fans[fan].switchings.len() < 12, "I7: {command}");
            prop_assert!(scene.phase() != "resuming", "I2: {command} while miners start");
            if !rested {
                prop_assert!(scene.phase() == "running" && scene.intake_c.is_some(), "I2: {command}");
                prop_assert!(
                    !matches!(state.climate.band, Band::Unknown | Band::Hot | Band::Critical),
                    "I2: {command}"
                );
                prop_assert!(!state.climate.shedding, "I2: {command} while shedding");
                prop_assert!(state.miners.watts.is_some(), "I2: {command}, the miners' power unread");
                prop_assert!(left >= 3, "I2: {left} fans left");
            }
        }
    }
    // What leads to safety and is listed always passes.
    let safe = refused.iter().find(|r| r.command.is_safe() && !r.why.starts_with("I6"));
    prop_assert!(safe.is_none(), "refused on the way to safety: {safe:?}");
    Ok(())
}

/// A state that is nearly fit to start, stop or step down, with one thing random each time: stories seldom get there.
fn nearly() -> impl Strategy<Value = Scene> {
    let phases = (0_u8..5, 0_u64..900, 0_u64..900, prop::bool::weighted(0.2));
    let reasons = prop::option::of(prop_oneof![Just(OffReason::Curtail), Just(OffReason::TooHot)]);
    let intake = prop::option::weighted(0.9, -10.0..50.0);
    (phases, reasons, intake, 0_usize..10, any::<bool>(), 0_usize..14, any::<bool>()).prop_map(
        |((phase, off_for, shed, power_unread), reason, intake, dead, has_pass, switchings, shedding)| {
            let mut scene = Scene::running();
            scene.intake_c = Some(30.0);
            scene.minutes(4);
            let at = scene.now;
            scene.state.miners.proven_off = [0, 3, 4].contains(&phase).then_some(at);
            scene.wait(off_for);
            scene.state.miners.phase = match phase {
                0 => MinersPhase::Boot,
                1 => MinersPhase::Running,
                2 => MinersPhase::Curtailing { since: at, rung: Rung::Foreman, rung_since: at },
                3 => MinersPhase::Curtailed { since: at },
                _ => MinersPhase::Resuming { since: at, group: 1, group_since: at, watts_before: Watts::ZERO },
            };
            scene.state.miners.shed_groups = (shed % 4) as u32;
            scene.state.demand.reasons = reason.into_iter().collect();
            scene.intake_c = intake;
            scene.state.climate.shedding = shedding;
            scene.state.climate.band = match intake {
                None => Band::Unknown,
                Some(c) if c >= 45.0 => Band::Critical,
                Some(c) if c >= 40.0 => Band::Hot,
                Some(_) => Band::Normal,
            };
            scene.state.climate.stage = 0;
            for fan in scene.state.fans.values_mut().take(dead) {
                fan.proven = Some(false);
            }
            for fan in scene.state.fans.values_mut() {
                fan.switchings = vec![at; switchings];
            }
            if power_unread {
                scene.state.miners.watts = None;
            }
            if !has_pass {
                scene.state.last_pass = None;
            }
            scene
        },
    )
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn whatever_is_wanted_only_what_is_safe_passes(scene in nearly()) {
        check_alone(&scene)?;
    }
}
