//! A mine made of plain values: what the devices would say, what they do with commands, and a clock that is a number.
//! One `pass` is sense, decide, act. Everything is public, so that a test can make any device say anything.
#![allow(dead_code, reason = "each test program uses its part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use minectl::config::{self, Config};
use minectl::decide;
use minectl::model::*;
use minectl::units::*;

pub const MINERS: u64 = 40;
pub const OUTLETS_EACH: usize = 20;
pub const MINER_WATTS: f64 = 3350.0;
const _: () = assert!(MINERS as usize == 2 * OUTLETS_EACH);

/// The sample configuration with two PDUs of 20 outlets and 40 miners.
pub fn config() -> Config {
    let text = include_str!("../../config.txt");
    let mut cfg = config::parse(text, "config.txt", Path::new("/nowhere")).expect("the sample is right");
    cfg.pdus.truncate(2);
    for pdu in &mut cfg.pdus {
        pdu.outlets = (1..=OUTLETS_EACH).map(|id| id.to_string()).collect();
        pdu.batch = 20;
    }
    cfg.foreman.batch = 20;
    cfg.miners.off_below = Watts::new(4000.0).unwrap();
    cfg.miners.on_above = Watts::new(10_000.0).unwrap();
    cfg
}

pub fn fault(device: &str) -> Fault {
    Fault::new(device, FaultKind::TimedOut, "no answer within 5 s")
}

/// What single devices do beside what is broken as a whole; nothing by itself.
#[derive(Debug, Clone, Default)]
pub struct Quirks {
    /// PDUs whose meter says 0 W whatever they feed.
    pub meters_dead: BTreeSet<String>,
    /// What the page's reader makes of the page, in place of the number.
    pub signal: Option<Reading<SignalReading>>,
    /// Probes that do not follow the intake: stuck at a temperature, or missing.
    pub probes_c: BTreeMap<String, Option<f64>>,
    pub boards_down: BTreeSet<String>,
    pub foreman_empty: bool,
    /// Miners of which the agent on site says that it failed.
    pub foreman_fails: BTreeSet<u64>,
    pub pdus_ignoring: BTreeSet<String>,
    pub pdus_frozen: BTreeMap<String, PduReading>,
    /// Outlets that stay as they are, whatever they are told.
    pub outlets_stuck: BTreeSet<OutletRef>,
    /// Miners that draw nothing whatever they are told.
    pub miners_broken: BTreeSet<u64>,
}

/// The mine.
#[derive(Debug)]
pub struct Scene {
    pub cfg: Config,
    pub state: SiteState,
    pub now: Moment,
    pub overrides: Vec<Override>,
    // What the world is like.
    pub signal: Option<f64>,
    pub signal_stamp: Option<UnixSeconds>,
    pub intake_c: Option<f64>,
    pub smoke: bool,
    pub asleep: BTreeSet<u64>,
    pub outlets_off: BTreeSet<OutletRef>,
    pub fans_on: BTreeSet<u8>,
    // What is broken.
    pub foreman_down: bool,
    pub foreman_ignored: bool,
    pub pdus_down: BTreeSet<String>,
    pub pdus_ignored: bool,
    pub banks_ignored: bool,
    pub fan_watts_down: bool,
    pub boards_down: bool,
    pub fans_dead: BTreeSet<u8>,
    pub fans_welded: BTreeSet<u8>,
    pub room_frozen_at: Option<u64>,
    pub room_down: bool,
    pub pdus_frozen: Option<BTreeMap<String, Reading<PduReading>>>,
    pub commands_lost: bool,
    pub quirks: Quirks,
    /// Probes with nothing plugged in.
    pub probes_lost: BTreeSet<String>,
    /// Switches that cannot be read.
    pub switches_unread: BTreeSet<String>,
    /// PDUs that repeat this answer for ever.
    pub pdu_frozen: BTreeMap<String, PduReading>,
    /// PDUs that give their readings an age of an hour.
    pub pdus_stale: BTreeSet<String>,
    /// The room unit repeats this answer for ever.
    pub room_frozen: Option<RoomReading>,
    /// The meter repeats this answer for ever.
    pub fan_watts_frozen: Option<FanWattsReading>,
    /// How Foreman's commands stand; a miner obeys those that are complete.
    pub foreman_status: CommandStatus,
    /// Whether Foreman's list says each miner's power mode.
    pub foreman_tells_modes: bool,
    // What came out.
    pub commands: Vec<Command>,
    pub notices: Vec<Notice>,
    pub events: Vec<Event>,
    pub reasons: Vec<Reason>,
    pub finished: Vec<CallRecord>,
}

impl Scene {
    /// A mine that runs, seen for the first time.
    pub fn new() -> Scene {
        Scene::with(config())
    }

    pub fn with(cfg: Config) -> Scene {
        let now = Moment { wall: UnixSeconds(1_790_000_000), boot: BootId(1), up: Seconds(1000) };
        Scene {
            state: SiteState::boot(now),
            now,
            overrides: Vec::new(),
            signal: Some(250.0),
            signal_stamp: None,
            intake_c: Some(20.0),
            smoke: false,
            asleep: BTreeSet::new(),
            outlets_off: BTreeSet::new(),
            fans_on: cfg.fans.keys().copied().collect(),
            foreman_down: false,
            foreman_ignored: false,
            pdus_down: BTreeSet::new(),
            pdus_ignored: false,
            banks_ignored: false,
            fan_watts_down: false,
            boards_down: false,
            fans_dead: BTreeSet::new(),
            fans_welded: BTreeSet::new(),
            room_frozen_at: None,
            room_down: false,
            pdus_frozen: None,
            commands_lost: false,
            quirks: Quirks::default(),
            probes_lost: BTreeSet::new(),
            switches_unread: BTreeSet::new(),
            pdu_frozen: BTreeMap::new(),
            pdus_stale: BTreeSet::new(),
            room_frozen: None,
            fan_watts_frozen: None,
            foreman_status: CommandStatus::Complete,
            foreman_tells_modes: false,
            commands: Vec::new(),
            notices: Vec::new(),
            events: Vec::new(),
            reasons: Vec::new(),
            finished: Vec::new(),
            cfg,
        }
    }

    /// A mine that was seen running for ten minutes.
    pub fn running() -> Scene {
        let mut scene = Scene::new();
        scene.minutes(10);
        assert_eq!(scene.phase(), "running");
        scene
    }

    /// A mine that was curtailed and proven off, fans at rest.
    pub fn curtailed() -> Scene {
        let mut scene = Scene::running();
        scene.signal = Some(350.0);
        scene.minutes(40);
        assert_eq!(scene.phase(), "curtailed");
        assert!(scene.fans_on.is_empty(), "{:?}", scene.fans_on);
        scene
    }

    pub fn phase(&self) -> &'static str {
        self.state.miners.phase.word()
    }

    pub fn off_reasons(&self) -> Vec<OffReason> {
        self.state.demand.reasons.iter().copied().collect()
    }

    pub fn told(&self, part: &str) -> usize {
        // A heartbeat repeats what stands: it tells nothing new.
        let told = self.notices.iter().filter(|notice| notice.severity != Severity::Heartbeat);
        told.filter(|notice| notice.text.contains(part)).count()
    }

    pub fn told_at(&self, severity: Severity) -> Vec<&str> {
        self.notices.iter().filter(|n| n.severity == severity).map(|n| n.text.as_str()).collect()
    }

    pub fn why(&self, subject: &str) -> &str {
        self.reasons.iter().find(|r| r.subject == subject).map_or("", |r| r.text.as_str())
    }

    pub fn watts(&self) -> f64 {
        (0..self.cfg.pdus.len()).map(|pdu| self.pdu_watts(pdu)).sum()
    }

    /// Outlets on one PDU: as many as the configuration lists.
    fn outlets_each(&self) -> usize {
        self.cfg.pdus.first().map_or(0, |pdu| pdu.outlets.len())
    }

    /// One miner on each outlet.
    pub fn miners(&self) -> u64 {
        (self.outlets_each() * self.cfg.pdus.len()) as u64
    }

    fn board_is_down(&self, board: &str) -> bool {
        self.boards_down || self.quirks.boards_down.contains(board)
    }

    /// Miners that Foreman lists: one on each outlet.
    pub fn miner_ids(&self) -> std::ops::RangeInclusive<u64> {
        1..=self.miners()
    }

    /// The outlet that a miner is on.
    pub fn outlet_of(&self, miner: u64) -> OutletRef {
        let place = miner as usize - 1;
        let pdu = self.cfg.pdus[place / self.outlets_each()].name.clone();
        OutletRef { pdu, outlet: (place % self.outlets_each() + 1).to_string() }
    }

    /// Whether a miner draws what it needs to hash.
    pub fn is_hashing(&self, miner: u64) -> bool {
        !self.asleep.contains(&miner) && !self.outlets_off.contains(&self.outlet_of(miner))
    }

    /// Lets the clocks run.
    pub fn wait(&mut self, seconds: u64) {
        self.now.wall = self.now.wall.plus(Seconds(seconds));
        self.now.up = Seconds(self.now.up.0 + seconds);
    }

    /// One run each two minutes, each of up to four passes while something changes.
    pub fn minutes(&mut self, minutes: u64) {
        for _ in 0..minutes.div_ceil(2) {
            self.run();
        }
    }

    pub fn run(&mut self) {
        let (events, notices) = decide::begin_run(&self.cfg, &mut self.state, &self.now);
        self.events.extend(events);
        self.notices.extend(notices);
        let mut left = 120;
        for _ in 0..4 {
            let again = self.pass();
            if !again {
                break;
            }
            self.wait(20);
            left -= 20;
        }
        self.wait(left);
    }

    /// One pass; returns whether `decide` wants another one.
    pub fn pass(&mut self) -> bool {
        let snapshot = self.snapshot();
        let decision = decide::decide(&self.cfg, &self.state, &snapshot, &self.overrides, &self.now);
        self.overrides.retain(|over| over.left(&self.now).0 > 0);
        self.state = decision.next;
        self.commands = decision.commands;
        self.reasons = decision.reasons;
        self.finished.extend(decision.finished);
        self.notices.extend(decision.notices);
        self.events.extend(decision.events);
        if self.cfg.mode == minectl::config::Mode::Live {
            let outcomes: Vec<Outcome> = self.commands.clone().into_iter().map(|command| self.obey(command)).collect();
            let events = decide::record(&mut self.state, &outcomes, &self.now);
            self.events.extend(events);
        }
        decision.in_transition
    }

    pub fn set(&mut self, setting: Setting) {
        let (since, lasts) = (self.now, Seconds(3600));
        self.overrides.retain(|over| over.setting.target() != setting.target());
        self.overrides.push(Override { setting, since, lasts, by: "test".to_owned(), reason: "test".to_owned() });
    }

    fn obey(&mut self, command: Command) -> Outcome {
        let reply = |result| Outcome { command: command.clone(), result };
        if self.commands_lost {
            return reply(Err(fault("device")));
        }
        match &command {
            Command::Fan { fan, on } => {
                let board = &self.cfg.fans[fan].board;
                if self.board_is_down(board) {
                    return reply(Err(fault(board)));
                }
                if *on {
                    self.fans_on.insert(*fan);
                } else {
                    self.fans_on.remove(fan);
                }
                reply(Ok(Reply::Confirmed))
            }
            Command::Miner { miner, mode } => {
                if self.foreman_down {
                    return reply(Err(fault("foreman")));
                }
                if self.quirks.foreman_fails.contains(miner) {
                    return reply(Ok(Reply::Accepted { command: *miner, status: CommandStatus::Failed }));
                }
                if !self.foreman_ignored && self.foreman_status == CommandStatus::Complete {
                    if *mode == PowerMode::Sleeping {
                        self.asleep.insert(*miner);
                    } else {
                        self.asleep.remove(miner);
                    }
                }
                reply(Ok(Reply::Accepted { command: *miner, status: self.foreman_status }))
            }
            Command::Bank { pdu } => {
                if self.pdus_down.contains(pdu) {
                    return reply(Err(fault(pdu)));
                }
                if !self.banks_ignored {
                    let banks = self.cfg.pdus.iter().filter(|known| known.name == *pdu).flat_map(|known| &known.bank);
                    let ids = banks.flat_map(|bank| &bank.outlets);
                    let off = ids.map(|id| OutletRef { pdu: pdu.clone(), outlet: id.clone() });
                    self.outlets_off.extend(off);
                }
                reply(Ok(Reply::Confirmed))
            }
            Command::Outlet { outlet, on } => {
                if self.pdus_down.contains(&outlet.pdu) {
                    return reply(Err(fault(&outlet.pdu)));
                }
                let is_stuck =
                    self.quirks.pdus_ignoring.contains(&outlet.pdu) || self.quirks.outlets_stuck.contains(outlet);
                if !self.pdus_ignored && !is_stuck {
                    if *on {
                        self.outlets_off.remove(outlet);
                    } else {
                        self.outlets_off.insert(outlet.clone());
                    }
                }
                reply(Ok(Reply::Confirmed))
            }
        }
    }

    /// Miner 1 is on the first outlet of the first PDU, and so on.
    fn outlet_watts(&self, pdu: usize, outlet: usize) -> f64 {
        let miner = (pdu * self.outlets_each() + outlet) as u64;
        let at = OutletRef { pdu: self.cfg.pdus[pdu].name.clone(), outlet: outlet.to_string() };
        if self.outlets_off.contains(&at) || self.quirks.miners_broken.contains(&miner) {
            0.0
        } else if self.asleep.contains(&miner) {
            25.0
        } else {
            MINER_WATTS
        }
    }

    fn pdu_watts(&self, pdu: usize) -> f64 {
        (1..=self.outlets_each()).map(|outlet| self.outlet_watts(pdu, outlet)).sum()
    }

    pub fn pdu(&self, index: usize) -> PduReading {
        let name = self.cfg.pdus[index].name.clone();
        if let Some(frozen) = self.quirks.pdus_frozen.get(&name) {
            return frozen.clone();
        }
        let age = Seconds(if self.pdus_stale.contains(&name) { 3600 } else { 2 });
        let is_dead = self.quirks.meters_dead.contains(&name);
        let shown = |w: f64| Measured { value: Watts::new(if is_dead { 0.0 } else { w }).unwrap(), age };
        let outlets = (1..=self.outlets_each()).map(|id| {
            let at = OutletRef { pdu: name.clone(), outlet: id.to_string() };
            let watts = Ok(shown(self.outlet_watts(index, id)));
            (id.to_string(), OutletReading { on: Ok(!self.outlets_off.contains(&at)), watts })
        });
        PduReading {
            total: Ok(shown(self.pdu_watts(index))),
            outlets: outlets.collect(),
            newest: Some(self.now.wall),
            remarks: Vec::new(),
        }
    }

    fn room(&self) -> RoomReading {
        let missing = || Fault::new("room-alert", FaultKind::Missing, "nothing is plugged in");
        let probes = ["intake-west", "intake-east", "exhaust", "middle"].into_iter().map(|name| {
            let celsius = self.quirks.probes_c.get(name).copied().unwrap_or(self.intake_c);
            let plugged = celsius.filter(|_| !self.probes_lost.contains(name));
            let temperature = plugged.ok_or_else(missing).map(|c| Temperature::new(c).unwrap());
            (name.to_owned(), ProbeReading { temperature, humidity: None })
        });
        let switch = |name: &str| {
            let read =
                if self.switches_unread.contains(name) { Err(missing()) } else { Ok(name == "smoke" && self.smoke) };
            (name.to_owned(), read)
        };
        RoomReading {
            serial: "RA12".to_owned(),
            uptime: Some(Seconds(self.room_frozen_at.unwrap_or(self.now.up.0 + 77))),
            probes: probes.collect(),
            switches: ["smoke", "water", "door"].into_iter().map(switch).collect(),
        }
    }

    /// What the devices would say now.
    pub fn snapshot(&self) -> Snapshot {
        let signal = self.signal.map(|value| SignalReading {
            text: format!("{value}"),
            value: SignalValue::Number(value),
            stamp: self.signal_stamp,
            hash: "0".to_owned(),
        });
        let fan_watts = |fan: &u8| {
            let runs = (self.fans_on.contains(fan) || self.fans_welded.contains(fan)) && !self.fans_dead.contains(fan);
            Ok(Measured { value: Watts::new(if runs { 1500.0 } else { 1.0 }).unwrap(), age: Seconds(3) })
        };
        let fans = self.cfg.fans.keys().map(|fan| (*fan, fan_watts(fan))).collect();
        let boards = self.cfg.boards.iter().map(|board| {
            let ours = self.cfg.fans.values().filter(|fan| fan.board == board.name);
            let fans = ours.map(|fan| (fan.number, Ok(self.fans_on.contains(&fan.number)))).collect();
            let reading = RelayReading { fans, remarks: Vec::new() };
            (board.name.clone(), if self.board_is_down(&board.name) { Err(fault(&board.name)) } else { Ok(reading) })
        });
        let pdus = self.cfg.pdus.iter().enumerate().map(|(index, pdu)| {
            let down = self.pdus_down.contains(&pdu.name);
            let answer = || self.pdu_frozen.get(&pdu.name).cloned().unwrap_or_else(|| self.pdu(index));
            (pdu.name.clone(), if down { Err(fault(&pdu.name)) } else { Ok(answer()) })
        });
        let mode = |id| if self.asleep.contains(&id) { PowerMode::Sleeping } else { PowerMode::Normal };
        let miner = |id: u64| MinerReading {
            id,
            name: format!("m{id}"),
            status: "online".to_owned(),
            mode: self.foreman_tells_modes.then(|| mode(id)),
            watts: None,
        };
        let asked = self.state.miners.asked.iter().filter(|(_, asked)| asked.status != Some(CommandStatus::Complete));
        let status = |miner: &u64| {
            if self.quirks.foreman_fails.contains(miner) { CommandStatus::Failed } else { self.foreman_status }
        };
        let commands = asked.filter_map(|(miner, asked)| Some((asked.command?, status(miner)))).collect();
        let foreman = ForemanReading {
            online: u32::try_from(self.miners()).ok(),
            total: u32::try_from(self.miners()).ok(),
            hash_rate: None,
            estimated: None,
            miners: (1..=self.miners()).filter(|_| !self.quirks.foreman_empty).map(miner).collect(),
            commands,
            remarks: Vec::new(),
        };
        Snapshot {
            at: self.now,
            signal: self.quirks.signal.clone().unwrap_or_else(|| signal.ok_or_else(|| fault("signal"))),
            rooms: BTreeMap::from([(
                "room-alert".to_owned(),
                if self.room_down {
                    Err(fault("room-alert"))
                } else {
                    Ok(self.room_frozen.clone().unwrap_or_else(|| self.room()))
                },
            )]),
            fan_watts: if self.fan_watts_down {
                Err(fault("iotawatt"))
            } else {
                let now = FanWattsReading { fans, row_time: Some(self.now.wall) };
                Ok(self.fan_watts_frozen.clone().unwrap_or(now))
            },
            boards: boards.collect(),
            pdus: self.pdus_frozen.clone().unwrap_or_else(|| pdus.collect()),
            foreman: if self.foreman_down { Err(fault("foreman")) } else { Ok(foreman) },
            took_ms: BTreeMap::new(),
            troubles: Vec::new(),
        }
    }
}
