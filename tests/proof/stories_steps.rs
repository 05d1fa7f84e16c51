//! What can happen to a site between two passes: signal, weather, faults, hands, overrides, clocks and reboots.

use std::collections::BTreeSet;

use minectl::model::*;
use minectl::units::*;
use proptest::prelude::*;

use crate::scene::{OUTLETS_EACH, Scene};

/// One thing that happens. PDUs and fans are counted round, so that every number means one that is there.
#[derive(Debug, Clone)]
pub enum Step {
    Signal(Option<i32>),
    IntakeC(Option<i32>),
    ProbeLost(&'static str, bool),
    Smoke(bool),
    SwitchUnread(&'static str, bool),
    RoomDown(bool),
    RoomFrozen(bool),
    ForemanDown(bool),
    ForemanIgnored(bool),
    ForemanSays(CommandStatus),
    ForemanTellsModes(bool),
    PduDown(usize, bool),
    PduFrozen(usize, bool),
    PduStale(usize, bool),
    PdusIgnored(bool),
    BanksIgnored(bool),
    FanWattsDown(bool),
    FanWattsFrozen(bool),
    BoardsDown(bool),
    FanDead(u8, bool),
    FanWelded(u8, bool),
    CommandsLost(bool),
    HandOnFan(u8, bool),
    HandOnMiners(bool),
    HandOnOutlet(usize, bool),
    Set(Setting),
    ClearOverrides,
    /// The wall clock alone moves by so many seconds.
    ClockJump(i64),
    /// The machine is down for so many seconds.
    Reboot(u64),
    /// The same, and its clock is behind by so many seconds until the next jump.
    RebootBehind(u64, i64),
    LostState,
    Wait(u64),
}

fn setting() -> impl Strategy<Value = Setting> {
    let probe = prop_oneof![Just("intake-west"), Just("intake-east")];
    let pdu = prop_oneof![Just("spdu-a"), Just("spdu-b")];
    let watts = |w: i32| Watts::new(f64::from(w)).unwrap();
    prop_oneof![
        any::<bool>().prop_map(|on| Setting::Miners { on, against_signal: false }),
        Just(Setting::Miners { on: true, against_signal: true }),
        (1_u8..=9, any::<bool>()).prop_map(|(fan, on)| Setting::Fan { fan, on }),
        prop_oneof![Just(Level::Run), Just(Level::Curtail), Just(Level::Blind)].prop_map(Setting::Signal),
        (probe, -20..60).prop_map(|(probe, c)| Setting::Temperature {
            probe: probe.to_owned(),
            value: Temperature::new(f64::from(c)).unwrap()
        }),
        (1_u8..=9, 0..2000).prop_map(move |(fan, w)| Setting::FanWatts { fan, value: watts(w) }),
        (pdu, 0..70_000).prop_map(move |(pdu, w)| Setting::MinerWatts { pdu: pdu.to_owned(), value: watts(w) }),
        any::<bool>().prop_map(|alarm| Setting::Switch { name: "smoke".to_owned(), alarm }),
        written().prop_map(Setting::State),
        drill().prop_map(Setting::Drill),
    ]
}

/// Any order of a drill.
pub fn drill() -> impl Strategy<Value = DrillOrder> {
    let miner = prop_oneof![Just("m1"), Just("m25"), Just("spdu-a 3"), Just("nobody")];
    let (miner, fan) = (prop::option::of(miner), prop::option::of(1_u8..=9));
    (miner, fan, prop::bool::weighted(0.1)).prop_map(|(miner, fan, is_dry)| DrillOrder {
        miner: miner.map(str::to_owned),
        fan,
        is_dry,
    })
}

fn written() -> impl Strategy<Value = WrittenState> {
    prop_oneof![
        prop_oneof![Just(Level::Run), Just(Level::Curtail), Just(Level::Blind)].prop_map(WrittenState::Signal),
        prop::sample::select(&WrittenPhase::ALL[..]).prop_map(WrittenState::Miners),
        any::<bool>().prop_map(|shedding| WrittenState::Climate { shedding }),
        (1_u8..=4).prop_map(WrittenState::FanStage),
    ]
}

/// Any step.
pub fn step() -> impl Strategy<Value = Step> {
    let on = any::<bool>;
    let fan = || 1_u8..=9;
    let pdu = || 0_usize..4;
    let status = prop_oneof![
        3 => Just(CommandStatus::Complete),
        1 => Just(CommandStatus::Failed),
        1 => Just(CommandStatus::Pending),
        1 => Just(CommandStatus::Unknown)
    ];
    let probe = prop_oneof![Just("intake-west"), Just("intake-east"), Just("exhaust")];
    let weather = prop_oneof![
        8 => prop_oneof![1 => Just(None), 5 => (20..40).prop_map(|tens| Some(tens * 10))].prop_map(Step::Signal),
        5 => prop_oneof![1 => Just(None), 5 => (-30..50).prop_map(Some)].prop_map(Step::IntakeC),
    ];
    let sensors = prop_oneof![
        (probe, on()).prop_map(|(probe, lost)| Step::ProbeLost(probe, lost)),
        on().prop_map(Step::Smoke),
        on().prop_map(|unread| Step::SwitchUnread("smoke", unread)),
        on().prop_map(Step::RoomDown),
        on().prop_map(Step::RoomFrozen),
        on().prop_map(Step::FanWattsDown),
        on().prop_map(Step::FanWattsFrozen),
        on().prop_map(Step::BoardsDown),
        (fan(), on()).prop_map(|(n, dead)| Step::FanDead(n, dead)),
        (fan(), on()).prop_map(|(n, welded)| Step::FanWelded(n, welded)),
    ];
    let power = prop_oneof![
        on().prop_map(Step::ForemanDown),
        on().prop_map(Step::ForemanIgnored),
        status.prop_map(Step::ForemanSays),
        on().prop_map(Step::ForemanTellsModes),
        (pdu(), on()).prop_map(|(n, down)| Step::PduDown(n, down)),
        (pdu(), on()).prop_map(|(n, frozen)| Step::PduFrozen(n, frozen)),
        (pdu(), on()).prop_map(|(n, stale)| Step::PduStale(n, stale)),
        on().prop_map(Step::PdusIgnored),
        on().prop_map(Step::BanksIgnored),
        on().prop_map(Step::CommandsLost),
    ];
    let hands = prop_oneof![
        2 => (fan(), on()).prop_map(|(n, on)| Step::HandOnFan(n, on)),
        1 => on().prop_map(Step::HandOnMiners),
        1 => (0_usize..80, on()).prop_map(|(n, on)| Step::HandOnOutlet(n, on)),
        4 => setting().prop_map(Step::Set),
        2 => Just(Step::ClearOverrides),
    ];
    let time = prop_oneof![
        1 => (-20_000_i64..20_000).prop_map(Step::ClockJump),
        1 => (20_u64..2000).prop_map(Step::Reboot),
        1 => (20_u64..2000, 60_i64..20_000).prop_map(|(down, behind)| Step::RebootBehind(down, behind)),
        1 => Just(Step::LostState),
        12 => prop_oneof![1_u64..60, 60_u64..1500].prop_map(Step::Wait),
    ];
    prop_oneof![4 => weather, 3 => sensors, 3 => power, 2 => hands, 4 => time]
}

fn put<T: Ord>(item: T, is_in: bool, set: &mut BTreeSet<T>) {
    if is_in {
        set.insert(item);
    } else {
        set.remove(&item);
    }
}

fn fan(scene: &Scene, number: u8) -> u8 {
    (number - 1) % scene.cfg.fans.len() as u8 + 1
}

fn pdu(scene: &Scene, index: usize) -> String {
    scene.cfg.pdus[index % scene.cfg.pdus.len()].name.clone()
}

/// Lets a step happen to the world.
pub fn apply(scene: &mut Scene, step: &Step) {
    match step.clone() {
        Step::Signal(value) => scene.signal = value.map(f64::from),
        Step::IntakeC(value) => scene.intake_c = value.map(f64::from),
        Step::ProbeLost(name, lost) => put(name.to_owned(), lost, &mut scene.probes_lost),
        Step::Smoke(on) => scene.smoke = on,
        Step::SwitchUnread(name, unread) => put(name.to_owned(), unread, &mut scene.switches_unread),
        Step::RoomDown(down) => scene.room_down = down,
        Step::RoomFrozen(true) => {
            let shown = scene.snapshot().rooms.remove("room-alert").and_then(Result::ok);
            scene.room_frozen = scene.room_frozen.take().or(shown);
        }
        Step::RoomFrozen(false) => scene.room_frozen = None,
        Step::ForemanDown(down) => scene.foreman_down = down,
        Step::ForemanIgnored(ignored) => scene.foreman_ignored = ignored,
        Step::ForemanSays(status) => scene.foreman_status = status,
        Step::ForemanTellsModes(tells) => scene.foreman_tells_modes = tells,
        Step::PduDown(n, down) => put(pdu(scene, n), down, &mut scene.pdus_down),
        Step::PduFrozen(n, frozen) => freeze_pdu(scene, &pdu(scene, n), frozen),
        Step::PduStale(n, stale) => put(pdu(scene, n), stale, &mut scene.pdus_stale),
        Step::PdusIgnored(ignored) => scene.pdus_ignored = ignored,
        Step::BanksIgnored(ignored) => scene.banks_ignored = ignored,
        Step::FanWattsDown(down) => scene.fan_watts_down = down,
        Step::FanWattsFrozen(true) => {
            let shown = scene.snapshot().fan_watts.ok();
            scene.fan_watts_frozen = scene.fan_watts_frozen.take().or(shown);
        }
        Step::FanWattsFrozen(false) => scene.fan_watts_frozen = None,
        Step::BoardsDown(down) => scene.boards_down = down,
        Step::FanDead(n, dead) => put(fan(scene, n), dead, &mut scene.fans_dead),
        Step::FanWelded(n, welded) => put(fan(scene, n), welded, &mut scene.fans_welded),
        Step::CommandsLost(lost) => scene.commands_lost = lost,
        Step::HandOnFan(n, on) => put(fan(scene, n), on, &mut scene.fans_on),
        Step::HandOnMiners(on) => scene.asleep = if on { BTreeSet::new() } else { scene.miner_ids().collect() },
        Step::HandOnOutlet(n, on) => {
            let outlet = OutletRef { pdu: pdu(scene, n / OUTLETS_EACH), outlet: (n % OUTLETS_EACH + 1).to_string() };
            put(outlet, !on, &mut scene.outlets_off);
        }
        Step::Set(setting) => set(scene, setting),
        Step::ClearOverrides => scene.overrides.clear(),
        Step::ClockJump(by) => scene.now.wall = UnixSeconds(scene.now.wall.0 + by),
        Step::Reboot(down) => reboot(scene, down, 0),
        Step::RebootBehind(down, behind) => reboot(scene, down, behind),
        Step::LostState => scene.state = SiteState::boot(scene.now),
        Step::Wait(seconds) => scene.wait(seconds),
    }
}

fn freeze_pdu(scene: &mut Scene, name: &str, frozen: bool) {
    scene.pdus_frozen.remove(name);
    if let (true, Some(Ok(reading))) = (frozen, scene.snapshot().pdus.remove(name)) {
        scene.pdus_frozen.insert(name.to_owned(), reading);
    }
}

fn reboot(scene: &mut Scene, down: u64, behind: i64) {
    let wall = UnixSeconds(scene.now.wall.plus(Seconds(down)).0 - behind);
    scene.now = Moment { wall, boot: BootId(scene.now.boot.0 + 1), up: Seconds(20) };
}

/// An override of something that this site has.
fn set(scene: &mut Scene, setting: Setting) {
    let setting = match setting {
        Setting::Fan { fan: number, on } => Setting::Fan { fan: fan(scene, number), on },
        Setting::FanWatts { fan: number, value } => Setting::FanWatts { fan: fan(scene, number), value },
        Setting::MinerWatts { pdu, .. } if scene.cfg.pdus.iter().all(|known| known.name != pdu) => return,
        other => other,
    };
    scene.set(setting);
}

/// Ends every fault and every override, sets the weather mild, and lets the page say run.
pub fn heal(scene: &mut Scene, page: f64, mild_c: f64) {
    scene.overrides.clear();
    scene.signal = Some(page);
    scene.intake_c = Some(mild_c);
    scene.probes_lost.clear();
    scene.smoke = false;
    scene.switches_unread.clear();
    scene.room_down = false;
    scene.room_frozen = None;
    scene.foreman_down = false;
    scene.foreman_ignored = false;
    scene.foreman_status = CommandStatus::Complete;
    scene.pdus_down.clear();
    scene.pdus_frozen.clear();
    scene.pdus_stale.clear();
    scene.pdus_ignored = false;
    scene.banks_ignored = false;
    scene.fan_watts_down = false;
    scene.fan_watts_frozen = None;
    scene.boards_down = false;
    scene.fans_dead.clear();
    scene.fans_welded.clear();
    scene.commands_lost = false;
}
