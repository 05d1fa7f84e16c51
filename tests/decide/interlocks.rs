//! The interlocks as properties: random stories of signal, weather, faults, hands and reboots; after every pass none of
//! I1 to I8 may be broken. A failing story shrinks to a short list of steps.

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
    Ok(())
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
