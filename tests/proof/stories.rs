//! The interlocks as properties: random stories of signal, weather, faults, hands and reboots; after every pass none of
//! I1 to I8 may be broken. A failing story shrinks to a short list of steps.

use minectl::decide::{Inputs, Quality, allowed};
use minectl::model::*;
use minectl::units::*;
use proptest::prelude::*;

use crate::scene::Scene;

/// What can happen between two passes.
#[derive(Debug, Clone)]
enum Step {
    Signal(Option<f64>),
    Intake(Option<f64>),
    Smoke(bool),
    ForemanDown(bool),
    ForemanIgnored(bool),
    PduDown(bool),
    PdusIgnored(bool),
    FanWattsDown(bool),
    BoardsDown(bool),
    FanDead(u8, bool),
    FanWelded(u8, bool),
    RoomFrozen(bool),
    CommandsLost(bool),
    HandOnFan(u8, bool),
    HandOnMiners(bool),
    Set(Setting),
    ClearOverrides,
    ClockJump(i64),
    Reboot,
    LostState,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let fan = 1_u8..=9;
    let settings = prop_oneof![
        any::<bool>().prop_map(|on| Setting::Miners { on, against_signal: false }),
        Just(Setting::Miners { on: true, against_signal: true }),
        (1_u8..=9, any::<bool>()).prop_map(|(fan, on)| Setting::Fan { fan, on }),
        prop_oneof![Just(Level::Run), Just(Level::Curtail), Just(Level::Blind)].prop_map(Setting::Signal),
        (-20.0..60.0).prop_map(|c| Setting::Temperature {
            probe: "intake-west".to_owned(),
            value: Temperature::new(c).unwrap()
        }),
        (1_u8..=9, 0.0..2000.0).prop_map(|(fan, w)| Setting::FanWatts { fan, value: Watts::new(w).unwrap() }),
    ];
    prop_oneof![
        4 => prop_oneof![Just(None), (200.0..400.0).prop_map(Some)].prop_map(Step::Signal),
        2 => prop_oneof![Just(None), (-30.0..50.0).prop_map(Some)].prop_map(Step::Intake),
        1 => any::<bool>().prop_map(Step::Smoke),
        1 => any::<bool>().prop_map(Step::ForemanDown),
        1 => any::<bool>().prop_map(Step::ForemanIgnored),
        1 => any::<bool>().prop_map(Step::PduDown),
        1 => any::<bool>().prop_map(Step::PdusIgnored),
        1 => any::<bool>().prop_map(Step::FanWattsDown),
        1 => any::<bool>().prop_map(Step::BoardsDown),
        1 => (fan.clone(), any::<bool>()).prop_map(|(n, on)| Step::FanDead(n, on)),
        1 => (fan.clone(), any::<bool>()).prop_map(|(n, on)| Step::FanWelded(n, on)),
        1 => any::<bool>().prop_map(Step::RoomFrozen),
        1 => any::<bool>().prop_map(Step::CommandsLost),
        1 => (fan, any::<bool>()).prop_map(|(n, on)| Step::HandOnFan(n, on)),
        1 => any::<bool>().prop_map(Step::HandOnMiners),
        2 => settings.prop_map(Step::Set),
        1 => Just(Step::ClearOverrides),
        1 => (-20_000_i64..20_000).prop_map(Step::ClockJump),
        1 => Just(Step::Reboot),
        1 => Just(Step::LostState),
        8 => (1_u64..1500).prop_map(Step::Wait),
    ]
}

fn apply(scene: &mut Scene, step: &Step) {
    let toggle = |set: &mut std::collections::BTreeSet<u8>, n: u8, on: bool| {
        if on {
            set.insert(n)
        } else {
            set.remove(&n)
        };
    };
    match step.clone() {
        Step::Signal(value) => scene.signal = value,
        Step::Intake(value) => scene.intake_c = value,
        Step::Smoke(on) => scene.smoke = on,
        Step::ForemanDown(on) => scene.foreman_down = on,
        Step::ForemanIgnored(on) => scene.foreman_ignored = on,
        Step::PduDown(true) => drop(scene.pdus_down.insert("spdu-b".to_owned())),
        Step::PduDown(false) => scene.pdus_down.clear(),
        Step::PdusIgnored(on) => scene.pdus_ignored = on,
        Step::FanWattsDown(on) => scene.fan_watts_down = on,
        Step::BoardsDown(on) => scene.boards_down = on,
        Step::FanDead(n, on) => toggle(&mut scene.fans_dead, n, on),
        Step::FanWelded(n, on) => toggle(&mut scene.fans_welded, n, on),
        Step::RoomFrozen(on) => scene.room_frozen_at = on.then_some(scene.now.up.0),
        Step::CommandsLost(on) => scene.commands_lost = on,
        Step::HandOnFan(n, on) => toggle(&mut scene.fans_on, n, on),
        Step::HandOnMiners(on) => scene.asleep = if on { Default::default() } else { (1..=40).collect() },
        Step::Set(setting) => scene.set(setting),
        Step::ClearOverrides => scene.overrides.clear(),
        Step::ClockJump(by) => scene.now.wall = UnixSeconds(scene.now.wall.0 + by),
        Step::Reboot => {
            scene.now = Moment { wall: scene.now.wall, boot: BootId(scene.now.boot.0 + 1), up: Seconds(20) };
        }
        Step::LostState => scene.state = SiteState::boot(scene.now),
        Step::Wait(seconds) => scene.wait(seconds),
    }
}

/// What was true before the pass, read off the world itself and not off what `decide` remembers.
struct Before {
    drawing: bool,
    pdus_read: bool,
    lost_state: bool,
}

fn check(scene: &Scene, before: &Before, step: &Step) -> Result<(), TestCaseError> {
    let reasons = scene.off_reasons();
    let proven = scene.state.fans.values().filter(|fan| fan.proven == Some(true)).count();
    for command in &scene.commands {
        if command.starts_miners() {
            prop_assert!(reasons.is_empty(), "I1: {command} while {reasons:?}");
            prop_assert!(proven >= 5, "I3: {command} with {proven} fans proven");
            prop_assert!(!scene.smoke, "I1: {command} with smoke");
            prop_assert!(!before.lost_state, "I8: {command} right after a lost state");
        }
        match command {
            Command::Fan { fan, on: false } => {
                let others = scene.fans_on.iter().filter(|n| {
                    **n != *fan
                        && !scene.fans_dead.contains(n)
                        && !scene.commands.contains(&Command::Fan { fan: **n, on: false })
                });
                let set = scene.overrides.iter().any(|o| matches!(o.setting, Setting::FanWatts { .. }));
                let enough = set || others.count() >= 3;
                prop_assert!(before.pdus_read || enough, "I2: {command} with a PDU unread");
                prop_assert!(!before.drawing || enough, "I2: {command} while miners draw power");
                prop_assert!(!before.lost_state, "I8: {command} right after a lost state");
                prop_assert!(scene.cfg.fans.contains_key(fan), "I6: {command}");
                let switched = scene.state.fans[fan].switchings.len();
                prop_assert!(
                    switched <= scene.cfg.fan_rules.max_switchings_per_hour as usize,
                    "I7: {command} {switched}"
                );
            }
            Command::Fan { fan, on: true } => prop_assert!(scene.cfg.fans.contains_key(fan), "I6: {command}"),
            Command::Miner { miner, .. } => prop_assert!((1..=40).contains(miner), "I6: {command}"),
            Command::Outlet { outlet, .. } => {
                let id: usize = outlet.outlet.parse().unwrap();
                prop_assert!((1..=20).contains(&id), "I6: {command}");
            }
            Command::Bank { pdu } => {
                let known = scene.cfg.pdus.iter().find(|known| known.name == *pdu);
                prop_assert!(known.is_some_and(|pdu| pdu.bank.is_some()), "I6: {command}");
            }
        }
    }
    // I5: whoever may be reached is told in the same pass that sees the reason.
    let curtailing = scene.phase() == "curtailing" && matches!(step, Step::Signal(Some(v)) if *v >= 310.0);
    if curtailing && before.drawing && scene.state.miners.asked.is_empty() && scene.state.miners.cut.is_empty() {
        prop_assert!(
            scene.commands.iter().any(|c| c.is_safe() && !matches!(c, Command::Fan { .. })),
            "I5: nothing sent"
        );
    }
    Ok(())
}

fn play(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut scene = Scene::new();
    for step in steps {
        apply(&mut scene, step);
        scene.wait(7);
        let before = Before {
            drawing: scene.watts() > scene.cfg.miners.off_below.value(),
            pdus_read: scene.pdus_down.is_empty(),
            lost_state: matches!(step, Step::LostState),
        };
        scene.pass();
        check(&scene, &before, step)?;
    }
    check_alone(&scene)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_story_breaks_an_interlock(steps in prop::collection::vec(step(), 1..120)) {
        play(&steps)?;
    }

    #[test]
    fn from_every_story_the_mine_comes_back_once_all_is_well(steps in prop::collection::vec(step(), 1..60)) {
        let mut scene = Scene::new();
        for step in &steps {
            apply(&mut scene, step);
            scene.wait(7);
            scene.pass();
        }
        // All is well again, the clock too: until then a dwell time counts from the later of two clocks.
        scene.now.wall = UnixSeconds(1_900_000_000);
        scene.overrides.clear();
        scene.signal = Some(250.0);
        scene.intake_c = Some(20.0);
        scene.smoke = false;
        scene.foreman_down = false;
        scene.foreman_ignored = false;
        scene.pdus_down.clear();
        scene.pdus_ignored = false;
        scene.fan_watts_down = false;
        scene.boards_down = false;
        scene.fans_dead.clear();
        scene.fans_welded.clear();
        scene.room_frozen_at = None;
        scene.commands_lost = false;
        scene.minutes(180);
        prop_assert_eq!(scene.phase(), "running");
        prop_assert!(scene.state.demand.reasons.is_empty());
        prop_assert!(scene.fans_on.len() >= 3);
    }
}

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
    let phases = (0_u8..5, 0_u64..900, 0_u64..900);
    let reasons = prop::option::of(prop_oneof![Just(OffReason::Curtail), Just(OffReason::TooHot)]);
    let intake = prop::option::weighted(0.9, -10.0..50.0);
    (phases, reasons, intake, 0_usize..10, any::<bool>(), 0_usize..14, any::<bool>()).prop_map(
        |((phase, off_for, _), reason, intake, dead, has_pass, switchings, shedding)| {
            let mut scene = Scene::running();
            scene.intake_c = Some(30.0);
            scene.minutes(4);
            let at = scene.now;
            scene.state.miners.proven_off = (phase >= 3).then_some(at);
            scene.wait(off_for);
            scene.state.miners.phase = match phase {
                0 => MinersPhase::Boot,
                1 => MinersPhase::Running,
                2 => MinersPhase::Curtailing { since: at, rung: Rung::Foreman, rung_since: at },
                3 => MinersPhase::Curtailed { since: at },
                _ => MinersPhase::Resuming { since: at, group: 1, group_since: at, watts_before: Watts::ZERO },
            };
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
            if !has_pass {
                scene.state.last_pass = None;
            }
            scene
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_wanted_only_what_is_safe_passes(scene in nearly()) {
        check_alone(&scene)?;
    }
}
