//! The small site that is explored: two PDUs, three miners, three fans, and each input with a few values. What the
//! devices say and do is here; nothing of the rules is.

use std::collections::BTreeMap;

use minectl::config::Config;
use minectl::model::*;
use minectl::units::*;

pub(super) const MINER_WATTS: f64 = 3000.0;
pub(super) const ASLEEP_WATTS: f64 = 25.0;

/// The outputs are bits of one number: fans 1 to 3, miners 1 to 3, their outlets.
pub(super) const FANS: u16 = 0b000_000_111;
pub(super) const MINERS: u16 = 0b000_111_000;
pub(super) const OUTLETS: u16 = 0b111_000_000;
/// How many outputs there are.
pub(super) const OUTPUTS: usize = 9;

/// Where the outlets are: the first two on the first PDU. Miner `n` hangs on outlet `n`.
pub(super) const PDU_OF: [usize; 3] = [0, 0, 1];

/// What the utility's page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Page {
    Run,
    Between,
    Curtail,
    Unreadable,
}

/// The air at the intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Air {
    Cold,
    Cool,
    Warm,
    /// In the highest fan stage, and below `resume_below`.
    Mild,
    /// Between `resume_below` and `shed_above`.
    Sultry,
    Hot,
    Critical,
    /// The probe is unplugged: nobody knows.
    Lost,
}

impl Air {
    pub(super) fn celsius(self) -> Option<f64> {
        match self {
            Air::Cold => Some(-35.0),
            Air::Cool => Some(15.0),
            Air::Warm => Some(25.0),
            Air::Mild => Some(30.0),
            Air::Sultry => Some(36.0),
            Air::Hot => Some(41.0),
            Air::Critical => Some(46.0),
            Air::Lost => None,
        }
    }
}

/// How a device that takes commands behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Device {
    Good,
    /// What is commanded happens one run later.
    Late,
    /// No answer, and no command arrives.
    Down,
    /// It answers, takes commands and does nothing.
    Ignores,
    /// It repeats one old answer, and does nothing.
    Frozen,
    /// A PDU that answers and obeys its bank, and loses what is said to a single outlet; and the contrary.
    OutletsLost,
    BankLost,
}

/// The first fan itself, behind its relay, or the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Motor {
    Good,
    Dead,
    Welded,
    TwoDead,
}

/// What a person holds by an override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Hold {
    Nothing,
    MinersOff,
    MinersOn,
    FirstFanOff,
}

/// Everything outside the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub page: Page,
    pub air: Air,
    pub smoke: bool,
    pub room: Device,
    pub meter: Device,
    pub boards: Device,
    pub foreman: Device,
    pub pdus: [Device; 2],
    pub motor: Motor,
    pub hold: Hold,
    /// Outputs that are on: relays, miners awake, outlets.
    pub on: u16,
    /// Outputs on their way, and whereto.
    pub moving: u16,
    pub moving_to: u16,
    /// What frozen devices repeat: the air and the smoke of then, the outputs of then by PDU; and when that was, by PDU
    /// and for the room.
    pub froze: (Air, bool),
    pub froze_on: [u16; 2],
    pub froze_at: [Stamp; 3],
}

/// A time that only tells whether a frozen device's answer was seen before: left out of what makes two sites the same.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stamp(pub u64);

impl PartialEq for Stamp {
    fn eq(&self, _: &Stamp) -> bool {
        true
    }
}

impl Eq for Stamp {}

impl std::hash::Hash for Stamp {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// A mine that runs, all well.
pub(super) fn good_world() -> World {
    World {
        page: Page::Run,
        air: Air::Cool,
        smoke: false,
        room: Device::Good,
        meter: Device::Good,
        boards: Device::Good,
        foreman: Device::Good,
        pdus: [Device::Good; 2],
        motor: Motor::Good,
        hold: Hold::Nothing,
        on: FANS | MINERS | OUTLETS,
        moving: 0,
        moving_to: 0,
        froze: (Air::Cool, false),
        froze_on: [0; 2],
        froze_at: [Stamp(0); 3],
    }
}

fn fault(device: &str) -> Fault {
    Fault::new(device, FaultKind::TimedOut, "no answer")
}

fn bit(shift: usize, number: usize) -> u16 {
    1 << (shift + number)
}

impl World {
    /// What the miners of one PDU draw if the outputs are `on`.
    pub(super) fn pdu_watts_of(on: u16, pdu: usize) -> f64 {
        (0..3).filter(|n| PDU_OF[*n] == pdu).map(|n| World::outlet_watts_of(on, n)).sum()
    }

    fn outlet_watts_of(on: u16, n: usize) -> f64 {
        match (on & bit(6, n) != 0, on & bit(3, n) != 0) {
            (false, _) => 0.0,
            (true, false) => ASLEEP_WATTS,
            (true, true) => MINER_WATTS,
        }
    }

    /// What the miners truly draw.
    pub(super) fn watts(&self) -> f64 {
        World::pdu_watts_of(self.on, 0) + World::pdu_watts_of(self.on, 1)
    }

    /// Whether a fan truly turns.
    pub(super) fn turns(&self, fan: u8) -> bool {
        let relay = self.on & bit(0, usize::from(fan) - 1) != 0;
        match self.motor {
            Motor::Dead if fan == 1 => false,
            Motor::Welded if fan == 1 => true,
            Motor::TwoDead if fan <= 2 => false,
            Motor::Good | Motor::Dead | Motor::Welded | Motor::TwoDead => relay,
        }
    }

    /// How many things are not as they should be; the page and the weather are no faults.
    pub(super) fn faults(&self) -> usize {
        let devices = [self.room, self.meter, self.boards, self.foreman, self.pdus[0], self.pdus[1]];
        let others = [
            self.page == Page::Unreadable,
            matches!(self.air, Air::Lost | Air::Hot | Air::Critical),
            self.smoke,
            self.motor != Motor::Good,
            self.hold != Hold::Nothing,
        ];
        devices.iter().filter(|d| **d != Device::Good).count() + others.iter().filter(|bad| **bad).count()
    }

    /// Time passes: what was on its way arrives.
    pub(super) fn arrive(&mut self) {
        self.on = (self.on & !self.moving) | (self.moving_to & self.moving);
        self.moving = 0;
        self.moving_to = 0;
    }

    /// Carries out a command, or not.
    pub(super) fn obey(&mut self, cfg: &Config, command: &Command) -> Outcome {
        let (device, name, bit, on) = self.output(cfg, command);
        let is_lost = match command {
            Command::Outlet { .. } => device == Device::OutletsLost,
            Command::Bank { .. } => device == Device::BankLost,
            Command::Fan { .. } | Command::Miner { .. } => false,
        };
        let result = match device {
            Device::Down => Err(fault(&name)),
            Device::OutletsLost | Device::BankLost if is_lost => Err(fault(&name)),
            Device::Good | Device::OutletsLost | Device::BankLost => {
                self.on = if on { self.on | bit } else { self.on & !bit };
                // What is said last counts.
                self.moving &= !bit;
                Ok(())
            }
            Device::Late => {
                self.moving |= bit;
                self.moving_to = if on { self.moving_to | bit } else { self.moving_to & !bit };
                Ok(())
            }
            Device::Ignores | Device::Frozen => Ok(()),
        };
        let status = if device == Device::Late { CommandStatus::Pending } else { CommandStatus::Complete };
        let reply = |()| match command {
            Command::Miner { miner, .. } => Reply::Accepted { command: *miner, status },
            Command::Fan { .. } | Command::Outlet { .. } | Command::Bank { .. } => Reply::Confirmed,
        };
        Outcome { command: command.clone(), result: result.map(reply) }
    }

    /// The device that a command goes to, its output, and whether it is to be on.
    fn output(&self, cfg: &Config, command: &Command) -> (Device, String, u16, bool) {
        match command {
            Command::Fan { fan, on } => (self.boards, "relays-a".to_owned(), bit(0, usize::from(*fan) - 1), *on),
            Command::Miner { miner, mode } => {
                let n = usize::try_from(*miner).expect("small") - 1;
                (self.foreman, "foreman".to_owned(), bit(3, n), *mode != PowerMode::Sleeping)
            }
            Command::Outlet { outlet, on } => {
                let (pdu, n) = place(cfg, outlet);
                (self.pdus[pdu], outlet.pdu.clone(), bit(6, n), *on)
            }
            Command::Bank { pdu } => {
                let index = cfg.pdus.iter().position(|known| known.name == *pdu).expect("a known PDU");
                let ids = cfg.pdus[index].bank.iter().flat_map(|bank| &bank.outlets);
                let outlets = ids.map(|id| OutletRef { pdu: pdu.clone(), outlet: id.clone() });
                let bits = outlets.fold(0, |bits, outlet| bits | bit(6, place(cfg, &outlet).1));
                (self.pdus[index], pdu.clone(), bits, false)
            }
        }
    }

    /// What the devices say at `seconds` of true time.
    pub(super) fn snapshot(&self, cfg: &Config, seconds: u64, now: Moment) -> Snapshot {
        let say = |device: Device, name: &str| if device == Device::Down { Err(fault(name)) } else { Ok(()) };
        let signal = match self.page {
            Page::Run => Some(250.0),
            Page::Between => Some(305.0),
            Page::Curtail => Some(350.0),
            Page::Unreadable => None,
        };
        let signal = signal.map(|value: f64| SignalReading {
            text: format!("{value}"),
            value: SignalValue::Number(value),
            stamp: None,
            hash: String::new(),
        });
        let boards = cfg.boards.iter().map(|board| {
            let ours = cfg.fans.values().filter(|fan| fan.board == board.name);
            let relay = |n: u8| self.on & bit(0, usize::from(n) - 1) != 0;
            let fans = ours.map(|fan| (fan.number, Ok(relay(fan.number)))).collect();
            (board.name.clone(), say(self.boards, &board.name).map(|()| RelayReading { fans, remarks: Vec::new() }))
        });
        let pdus = cfg.pdus.iter().enumerate().map(|(index, pdu)| {
            (pdu.name.clone(), say(self.pdus[index], &pdu.name).map(|()| self.pdu(index, seconds)))
        });
        Snapshot {
            at: now,
            signal: signal.ok_or_else(|| fault("signal")),
            rooms: BTreeMap::from([(
                "room-alert".to_owned(),
                say(self.room, "room-alert").map(|()| self.room(seconds)),
            )]),
            fan_watts: say(self.meter, "iotawatt").map(|()| self.fan_watts(cfg, seconds)),
            boards: boards.collect(),
            pdus: pdus.collect(),
            foreman: say(self.foreman, "foreman").map(|()| self.miners()),
            took_ms: BTreeMap::new(),
            troubles: Vec::new(),
        }
    }

    fn fan_watts(&self, cfg: &Config, seconds: u64) -> FanWattsReading {
        // A meter that lost its voltage says next to nothing for everything.
        let measures = self.meter != Device::Ignores;
        let watts = |fan: u8| Watts::new(if measures && self.turns(fan) { 1500.0 } else { 1.0 }).expect("not negative");
        let fans = cfg.fans.keys().map(|fan| (*fan, Ok(Measured { value: watts(*fan), age: Seconds(3) }))).collect();
        FanWattsReading { fans, row_time: Some(stamp(seconds)) }
    }

    fn miners(&self) -> ForemanReading {
        let mode = |n: usize| if self.on & bit(3, n) != 0 { PowerMode::Normal } else { PowerMode::Sleeping };
        let miners = (0..3).map(|n| MinerReading {
            id: n as u64 + 1,
            name: String::new(),
            status: String::new(),
            mode: Some(mode(n)),
            watts: None,
        });
        let moves = |n: usize| self.moving & bit(3, n) != 0;
        let status = |n: usize| if moves(n) { CommandStatus::Pending } else { CommandStatus::Complete };
        ForemanReading {
            heard: None,
            online: None,
            total: None,
            hash_rate: None,
            estimated: None,
            miners: miners.collect(),
            commands: (0..3).map(|n| (n as u64 + 1, status(n))).collect(),
            remarks: Vec::new(),
        }
    }

    fn pdu(&self, index: usize, seconds: u64) -> PduReading {
        let frozen = self.pdus[index] == Device::Frozen;
        let on = if frozen { self.froze_on[index] } else { self.on };
        let measured = |w: f64| Ok(Measured { value: Watts::new(w).expect("not negative"), age: Seconds(2) });
        let outlets = (0..3).filter(|n| PDU_OF[*n] == index).zip(1..).map(|(n, id)| {
            let reading = OutletReading { on: Ok(on & bit(6, n) != 0), watts: measured(World::outlet_watts_of(on, n)) };
            (id.to_string(), reading)
        });
        PduReading {
            total: measured(World::pdu_watts_of(on, index)),
            outlets: outlets.collect(),
            newest: Some(stamp(if frozen { self.froze_at[index].0 } else { seconds })),
            remarks: Vec::new(),
        }
    }

    fn room(&self, seconds: u64) -> RoomReading {
        let frozen = self.room == Device::Frozen;
        let (air, smoke) = if frozen { self.froze } else { (self.air, self.smoke) };
        let missing = || Fault::new("room-alert", FaultKind::Missing, "nothing is plugged in");
        let temperature = air.celsius().ok_or_else(missing).map(|c| Temperature::new(c).expect("in range"));
        let probe = ProbeReading { temperature, humidity: None };
        RoomReading {
            serial: String::new(),
            uptime: Some(Seconds(if frozen { self.froze_at[2].0 } else { seconds })),
            probes: [("intake-west".to_owned(), probe)].into(),
            switches: [("smoke".to_owned(), Ok(smoke))].into(),
            analog: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

/// The PDU and the place among all outlets.
fn place(cfg: &Config, outlet: &OutletRef) -> (usize, usize) {
    let pdu = cfg.pdus.iter().position(|pdu| pdu.name == outlet.pdu).expect("listed");
    let n = outlet.outlet.parse::<usize>().expect("a number") - 1;
    (pdu, if pdu == 0 { n } else { 2 })
}

fn stamp(seconds: u64) -> UnixSeconds {
    UnixSeconds(1_790_000_000).plus(Seconds(seconds))
}
