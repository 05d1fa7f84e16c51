//! What the devices of the mine would say, and what they do when they are told something.

use std::collections::BTreeMap;

use minectl::model::*;
use minectl::units::*;

use super::{MINER_WATTS, Scene, fault};

impl Scene {
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
            Ok(Measured {
                value: Watts::new(if runs { 1500.0 + self.quirks.more_watts } else { 1.0 }).unwrap(),
                age: Seconds(3),
            })
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
            (pdu.name.clone(), if down { Err(fault(&pdu.name)) } else { Ok(self.pdu(index)) })
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
            heard: self.quirks.foreman_heard,
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
            pdus: pdus.collect(),
            foreman: if self.foreman_down { Err(fault("foreman")) } else { Ok(foreman) },
            took_ms: BTreeMap::new(),
            troubles: Vec::new(),
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
            uptime: (!self.quirks.no_uptime).then(|| Seconds(self.room_frozen_at.unwrap_or(self.now.up.0 + 77))),
            probes: probes.collect(),
            switches: ["smoke", "water", "door"].into_iter().map(switch).collect(),
            analog: Vec::new(),
            remarks: self.quirks.room_remarks.clone(),
        }
    }

    pub fn pdu(&self, index: usize) -> PduReading {
        let name = self.cfg.pdus[index].name.clone();
        if let Some(frozen) = self.pdus_frozen.get(&name) {
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

    pub(super) fn pdu_watts(&self, pdu: usize) -> f64 {
        (1..=self.outlets_each()).map(|outlet| self.outlet_watts(pdu, outlet)).sum()
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
            MINER_WATTS + self.quirks.more_watts
        }
    }

    /// Outlets on one PDU: as many as the configuration lists.
    pub(super) fn outlets_each(&self) -> usize {
        self.cfg.pdus.first().map_or(0, |pdu| pdu.outlets.len())
    }

    fn board_is_down(&self, board: &str) -> bool {
        self.boards_down || self.quirks.boards_down.contains(board)
    }

    pub(super) fn obey(&mut self, command: Command) -> Outcome {
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
}
