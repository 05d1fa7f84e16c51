//! Everything that is true at the site, and the one function that lets time pass. It answers no requests: the devices
//! do, with a `World` in hand.

use std::collections::{BTreeMap, VecDeque};

use minectl::clock::Clock;
use serde_json::{Value, json};

use crate::devices::{
    Device, foreman::Foreman, iotawatt::Logins, pdu_dialects, relays, room_alert, telegram_chat::Chats,
};
use crate::faults::Fault;
use crate::mine::{MINERS, Miner, OUTLETS, PDUS, Phase};
use crate::physics::{Air, FANS, Fan};

/// Time is never made up for longer than this when the clock jumps ahead.
const CATCH_UP_S_MAX: i64 = 48 * 3600;
const POWER_RECORDS_MAX: usize = 2880;
const BACKFILL_S: i64 = 600;

/// What the control port can set.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) outdoor_c: f64,
    /// Half the difference between a day's extremes.
    pub(crate) day_swing_c: f64,
    pub(crate) humidity: f64,
    pub(crate) signal_number: f64,
    pub(crate) signal_text: Option<String>,
    pub(crate) signal_html: Option<String>,
    pub(crate) signal_status: String,
    pub(crate) signal_stamp: Option<String>,
    /// In the order of the device's ports.
    pub(crate) switches: Vec<(String, u8)>,
    pub(crate) emoncms_redis: bool,
    pub(crate) sleep_persists: bool,
    pub(crate) smtp_strict: bool,
    /// Each HTTP device waits this long before it answers, in real time.
    pub(crate) delay_ms: u64,
    pub(crate) room_words: room_alert::Words,
    pub(crate) board_words: [relays::Words; 2],
    pub(crate) pdu_words: [pdu_dialects::Words; 6],
}

impl Settings {
    fn initial() -> Settings {
        let switches = ["Smoke", "Water", "Door"].map(|name| (name.to_owned(), 0));
        Settings {
            outdoor_c: 20.0,
            day_swing_c: 0.0,
            humidity: 45.0,
            signal_number: 342.0,
            signal_text: None,
            signal_html: None,
            signal_status: "No load control in effect".to_owned(),
            signal_stamp: None,
            switches: switches.into(),
            emoncms_redis: true,
            sleep_persists: false,
            smtp_strict: false,
            delay_ms: 0,
            room_words: room_alert::Words::All,
            board_words: [relays::Words::X400, relays::Words::Wr10],
            pdu_words: [pdu_dialects::Words::DigitalShovel; 6],
        }
    }
}

/// A relay board. `shown` is what it says, `actual` where its coils are; they differ only under the fault `lies`.
#[derive(Clone)]
pub(crate) struct Board {
    pub(crate) shown: Vec<bool>,
    pub(crate) actual: Vec<bool>,
    /// The fan of the first relay, and how many relays have one.
    pub(crate) fans: (usize, usize),
}

impl Board {
    fn new(relays: usize, fans: (usize, usize)) -> Board {
        Board { shown: vec![false; relays], actual: vec![false; relays], fans }
    }
}

/// An outlet as its PDU shows it; the contact itself belongs to the miner.
#[derive(Clone)]
pub(crate) struct Outlet {
    pub(crate) status: bool,
    pub(crate) label: String,
    pub(crate) notes: String,
    pub(crate) auto_reset: bool,
    pub(crate) last_on: i64,
}

/// Five seconds of the power meter: start, volts, watts of each fan.
#[derive(Clone)]
pub(crate) struct PowerRecord {
    pub(crate) time: i64,
    /// None when the meter's log stood still.
    pub(crate) values: Option<(f64, [f64; FANS])>,
}

/// What messages arrived, by kind.
#[derive(Clone, Default)]
pub(crate) struct Recorded {
    pub(crate) telegram: Vec<Value>,
    pub(crate) email: Vec<Value>,
    pub(crate) sms: Vec<Value>,
    pub(crate) dead_man: Vec<Value>,
    pub(crate) sms_http: Vec<Value>,
    /// By second and site.
    pub(crate) influx: BTreeMap<(i64, String), BTreeMap<String, f64>>,
}

/// The whole site.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) seed: u64,
    /// Seconds of physics since the start; never jumps.
    pub(crate) step: u64,
    /// The second of site time up to which physics has been computed.
    pub(crate) wall: i64,
    /// Site time at the start.
    pub(crate) started: i64,
    /// Set in a copy that plays a frozen device: its time, and that commands must not change it.
    pub(crate) frozen_at: Option<f64>,
    pub(crate) settings: Settings,
    pub(crate) air: Air,
    pub(crate) fans: Vec<Fan>,
    pub(crate) miners: Vec<Miner>,
    pub(crate) outlets: Vec<Outlet>,
    pub(crate) boards: [Board; 2],
    pub(crate) power_log: VecDeque<PowerRecord>,
    /// What the meter last posted to emonCMS: start of the interval, watts.
    pub(crate) posted: (i64, [f64; FANS]),
    pub(crate) foreman: Foreman,
    pub(crate) logins: Logins,
    pub(crate) pdu_sessions: pdu_dialects::Sessions,
    /// When each Telegram chat message was accepted, for the service's limit.
    pub(crate) telegram_times: VecDeque<f64>,
    /// What people write to the bot, and what it did beside sending.
    pub(crate) chats: Chats,
    pub(crate) faults: BTreeMap<&'static str, Fault>,
    pub(crate) counters: BTreeMap<&'static str, u64>,
    pub(crate) recorded: Recorded,
    pub(crate) commands: Vec<Value>,
}

impl World {
    /// All fans on, all miners hashing, temperatures settled.
    pub(crate) fn new(clock: Clock, seed: u64) -> World {
        let now = clock.seconds().floor() as i64;
        let settings = Settings::initial();
        let miners: Vec<Miner> = (0..MINERS).map(|i| Miner::hashing(1001 + i as u32, seed)).collect();
        let heat: f64 = miners.iter().map(|m| m.watts(0, seed)).sum();
        let outlet = |i: usize| Outlet {
            status: true,
            label: format!("Miner {}", 1001 + i),
            notes: String::new(),
            auto_reset: false,
            last_on: now - 86_400,
        };
        let mut world = World {
            clock,
            seed,
            step: 0,
            wall: now - BACKFILL_S,
            started: now,
            frozen_at: None,
            air: Air::steady(settings.outdoor_c, heat),
            settings,
            fans: vec![Fan::running(); FANS],
            foreman: Foreman::new(now),
            logins: Logins::default(),
            pdu_sessions: pdu_dialects::Sessions::default(),
            miners,
            outlets: (0..MINERS).map(outlet).collect(),
            boards: [Board::new(5, (0, 5)), Board::new(10, (5, 4))],
            power_log: VecDeque::new(),
            posted: (now, [0.0; FANS]),
            telegram_times: VecDeque::new(),
            chats: Chats::default(),
            faults: BTreeMap::new(),
            counters: BTreeMap::new(),
            recorded: Recorded::default(),
            commands: Vec::new(),
        };
        // Ten minutes of history, so that the meters have something to tell.
        world.advance();
        world
    }

    /// Site time with fractions, for the devices.
    pub(crate) fn seconds(&self) -> f64 {
        self.frozen_at.unwrap_or_else(|| self.clock.seconds())
    }

    /// The kind of fault a device has, or the empty text.
    pub(crate) fn fault(&self, device: Device) -> &'static str {
        self.faults.get(device.name()).map_or("", |f| f.kind)
    }

    /// Whether a device has this fault on this relay or outlet (from 1).
    pub(crate) fn has_fault_on(&self, device: Device, kind: &str, number: usize) -> bool {
        self.faults.get(device.name()).is_some_and(|f| f.kind == kind && f.concerns(number))
    }

    /// Computes physics up to the clock.
    pub(crate) fn advance(&mut self) {
        if self.frozen_at.is_some() {
            return;
        }
        let target = self.clock.seconds().floor() as i64;
        if target < self.wall {
            self.wall = target;
            self.power_log.retain(|r| r.time < target);
            self.forget_calls();
        }
        self.wall = self.wall.max(target - CATCH_UP_S_MAX);
        while self.wall < target {
            self.wall += 1;
            self.step += 1;
            self.second();
        }
    }

    /// Forgets when services were last called, so that their limits start anew.
    pub(crate) fn forget_calls(&mut self) {
        self.telegram_times.clear();
        self.foreman.forget_calls();
    }

    fn second(&mut self) {
        let (seed, step) = (self.seed, self.step);
        for i in 0..FANS {
            let is_powered = self.fan_is_powered(i);
            self.fans[i].step(is_powered);
        }
        Foreman::agent(self);
        let (intake_c, persists) = (self.air.intake_c, self.settings.sleep_persists);
        for miner in &mut self.miners {
            miner.step(step, seed, intake_c, persists);
        }
        let heat = self.miner_watts();
        let moved = self.fans.iter().map(|f| f.speed).sum();
        let outdoor_c = self.outdoor_c();
        self.air.step(outdoor_c, heat, moved, seed, step);
        if self.wall % 5 == 0 {
            self.log_power();
        }
        if self.wall % 60 == 0 {
            Foreman::collect(self);
        }
    }

    /// Outdoor temperature now: the setting, and a day's swing with its peak at 22:00 UTC (late afternoon in Chicago).
    pub(crate) fn outdoor_c(&self) -> f64 {
        let turn = (self.wall - 22 * 3600).rem_euclid(86_400) as f64 / 86_400.0;
        self.settings.outdoor_c + self.settings.day_swing_c * (turn * std::f64::consts::TAU).cos()
    }

    /// Watts of all miners.
    pub(crate) fn miner_watts(&self) -> f64 {
        self.miners.iter().map(|m| m.watts(self.step, self.seed)).sum()
    }

    /// Watts of a fan (from 0).
    pub(crate) fn fan_watts(&self, fan: usize) -> f64 {
        self.fans[fan].watts(self.seed, fan as u64, self.step)
    }

    /// The board (from 0), its device, and the relay (from 0) of a fan (from 0).
    pub(crate) fn relay_of_fan(&self, fan: usize) -> (usize, Device, usize) {
        if fan < self.boards[1].fans.0 {
            (0, Device::RelaysA, fan)
        } else {
            (1, Device::RelaysB, fan - self.boards[1].fans.0)
        }
    }

    /// Contacts are normally closed: a coil without current lets the fan run.
    fn fan_is_powered(&self, fan: usize) -> bool {
        let (board, device, relay) = self.relay_of_fan(fan);
        self.has_fault_on(device, "welded", relay + 1) || !self.boards[board].actual[relay]
    }

    fn log_power(&mut self) {
        let mut watts = [0.0; FANS];
        for (fan, value) in watts.iter_mut().enumerate() {
            *value = self.fan_watts(fan);
        }
        let volts = 240.6 + 0.4 * crate::physics::noise(self.seed, 3000, self.step);
        let values = match self.fault(Device::Iotawatt) {
            "stalled-null" => None,
            "no-voltage" => Some((0.0, [0.0; FANS])),
            _ => Some((volts, watts)),
        };
        self.power_log.push_back(PowerRecord { time: self.wall - 5, values });
        if self.power_log.len() > POWER_RECORDS_MAX {
            self.power_log.pop_front();
        }
        if self.wall % 10 == 0 && self.fault(Device::Emoncms) != "dead-source" {
            self.posted = (self.wall - 10, watts);
        }
    }

    /// Notes that somebody told a device to do something.
    pub(crate) fn note_command(&mut self, device: Device, what: String, is_accepted: bool) {
        let time = self.wall;
        self.commands.push(json!({"time": time, "device": device.name(), "what": what, "accepted": is_accepted}));
    }

    /// Begins a fault. `rebooted` happens once and does not stay.
    pub(crate) fn set_fault(&mut self, device: Device, fault: Fault) {
        self.clear_fault(device);
        if fault.kind == "rebooted" {
            let board = &mut self.boards[usize::from(device == Device::RelaysB)];
            board.shown.fill(false);
            board.actual.fill(false);
            return;
        }
        self.faults.insert(device.name(), fault);
    }

    /// Ends a device's fault; what was only pretended becomes true.
    pub(crate) fn clear_fault(&mut self, device: Device) {
        if self.faults.remove(device.name()).is_none() {
            return;
        }
        for board in &mut self.boards {
            board.actual.clone_from(&board.shown);
        }
        if let Device::Spdu(pdu) = device {
            for i in pdu * OUTLETS..(pdu + 1) * OUTLETS {
                self.miners[i].has_power = self.outlets[i].status;
            }
        }
    }

    /// The truth, for `GET /state`.
    pub(crate) fn truth(&self) -> Value {
        let count = |test: fn(&Miner) -> bool| self.miners.iter().filter(|m| test(m)).count();
        let fans: Vec<Value> = (0..FANS).map(|i| self.fan_truth(i)).collect();
        let pdu_watts = |p: usize| -> f64 {
            self.miners[p * OUTLETS..(p + 1) * OUTLETS].iter().map(|m| m.watts(self.step, self.seed)).sum()
        };
        let pdus: Vec<f64> = (0..PDUS).map(|p| rounded(pdu_watts(p))).collect();
        let settings = &self.settings;
        json!({
            "time": self.wall,
            "outdoor_c": rounded(self.outdoor_c()),
            "intake_c": rounded(self.air.intake_c),
            "exhaust_c": rounded(self.air.box_c),
            "miners": {
                "watts": rounded(self.miner_watts()),
                "hashing": count(|m| m.phase == Phase::Hashing || matches!(m.phase, Phase::Ramp { .. })),
                "asleep": count(|m| m.phase == Phase::Asleep),
                "booting": count(|m| matches!(m.phase, Phase::Boot { .. })),
                "off": count(|m| m.phase == Phase::Off),
                "tripped": count(|m| m.phase == Phase::Tripped),
            },
            "spdu_watts": pdus,
            "spdu_sessions": {"made": self.pdu_sessions.made, "open": self.pdu_sessions.open.len()},
            "fans": fans,
            "signal": {
                "number": settings.signal_number,
                "text": settings.signal_text,
                "has_own_page": settings.signal_html.is_some(),
                "status": settings.signal_status,
            },
            "faults": self.faults.iter().map(|(d, f)| (d.to_string(), json!(f.kind))).collect::<serde_json::Map<_, _>>(),
            "counters": self.counters,
        })
    }

    fn fan_truth(&self, fan: usize) -> Value {
        let (board, _, relay) = self.relay_of_fan(fan);
        json!({
            "n": fan + 1,
            "running": self.fans[fan].is_running(),
            "watts": rounded(self.fan_watts(fan)),
            "coil": u8::from(self.boards[board].actual[relay]),
        })
    }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
