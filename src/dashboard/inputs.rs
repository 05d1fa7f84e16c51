//! The inputs' part of the status: signal, climate, fans, PDUs. A reading, else what is remembered of it, else why
//! there is none.

use super::Input;
use super::status::{ClimateStatus, FanStatus, PduStatus, Point, ProbeStatus, SignalStatus, SwitchStatus, Value};
use super::values::{bad, because, good, held, set_by_hand};
use super::words::{Words, clean};
use crate::config::{
    FanConfig, OffWhen, PduConfig, ProbeConfig, RoomAlertConfig, SignalMeaning, SwitchConfig, WhenBlind,
};
use crate::model::{ProbeReading, Setting, SignalValue};
use crate::units::{Humidity, Seconds, Temperature, Watts};

const NOT_READ: &str = "not read in this run";

/// How long the snapshot's readings are past.
pub(super) fn snapshot_age(input: &Input) -> Seconds {
    input.snapshot.map_or(Seconds(0), |s| input.now.since(&s.at))
}

/// An age limit for a value that the configuration gives none: that of two runs.
pub(super) fn two_runs(input: &Input) -> Seconds {
    Seconds(input.cfg.loop_interval.0.saturating_mul(2))
}

/// What a person set for a target in place of its reading, and how long ago.
fn by_hand<'a, T>(input: &Input<'a>, pick: impl Fn(&'a Setting) -> Option<T>) -> Option<(T, Seconds)> {
    let holding = input.overrides.iter().filter(|o| o.left(&input.now) > Seconds(0));
    holding.filter_map(|o| Some((pick(&o.setting)?, input.now.since(&o.since)))).last()
}

pub(super) fn signal(input: &Input, words: &Words) -> SignalStatus {
    let (cfg, state) = (&input.cfg.signal, &input.state.signal);
    let reading = input.snapshot.map(|s| &s.signal);
    let good = reading.and_then(|r| r.as_ref().ok());
    let problem = match reading {
        None => Some(NOT_READ.to_owned()),
        Some(Err(fault)) => Some(because(fault)),
        Some(Ok(_)) => None,
    };
    SignalStatus {
        level: state.level.word(),
        since: words.point(&state.since),
        set_by_hand: by_hand(input, |s| matches!(s, Setting::Signal(_)).then_some(())).is_some(),
        last_good: state.last_good.as_ref().map(|l| clean(&l.value)),
        last_good_at: state.last_good.as_ref().map(|l| words.point(&l.at)),
        number: good.and_then(|r| match &r.value {
            SignalValue::Number(number) => Some(*number),
            SignalValue::CurtailWord(_) | SignalValue::RunWord(_) => None,
        }),
        page_stamp: good.and_then(|r| r.stamp).map(|at| words.wall(at)),
        evidence: good.map(|r| clean(&r.hash)),
        kept_page: state.kept.as_ref().map(|kept| clean(&kept.file)),
        changed: state.changed.as_ref().map(|at| words.point(at)),
        problem,
        run_readings: state.run_readings,
        run_readings_needed: cfg.resume_readings,
        meaning: meaning(&cfg.meaning),
        curtail_at: numbers(&cfg.meaning).map(|(curtail_at, _)| curtail_at),
        resume_below: numbers(&cfg.meaning).map(|(_, resume_below)| resume_below),
        when_blind: match cfg.when_blind {
            WhenBlind::Curtail => "a blind signal puts the miners off",
            WhenBlind::Hold => "a blind signal leaves the miners as they are",
        },
    }
}

/// The numbers at which the miners go off and on.
fn numbers(meaning: &SignalMeaning) -> Option<(f64, f64)> {
    match meaning {
        SignalMeaning::Number { curtail_at, resume_below, .. } => Some((*curtail_at, *resume_below)),
        SignalMeaning::Words { .. } => None,
    }
}

fn meaning(meaning: &SignalMeaning) -> String {
    match meaning {
        SignalMeaning::Number { off_when: OffWhen::High, curtail_at, resume_below, .. } => {
            format!("off at {curtail_at} and above, on again below {resume_below}")
        }
        SignalMeaning::Number { off_when: OffWhen::Low, curtail_at, resume_below, .. } => {
            format!("off at {curtail_at} and below, on again above {resume_below}")
        }
        SignalMeaning::Words { curtail, run } => {
            clean(&format!("off on {}, on again on {}", quoted(curtail), quoted(run)))
        }
    }
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|w| format!("“{w}”")).collect::<Vec<_>>().join(" or ")
}

pub(super) fn climate(input: &Input, words: &Words) -> ClimateStatus {
    let (cfg, state) = (&input.cfg.climate, &input.state.climate);
    let rooms = &input.cfg.rooms;
    let intake = match (state.intake, &input.state.last_pass) {
        (Some(intake), Some(at)) => good(words, intake, input.now.since(at), cfg.max_age),
        _ => bad::<Temperature>("no intake probe has a trustworthy reading"),
    };
    let show = |t| words.temperature(t);
    ClimateStatus {
        band: state.band.word(),
        since: words.point(&state.since),
        intake,
        shedding: state.shedding,
        limits: format!(
            "miners go off at {}, may run again at {}, emergency at {}",
            show(cfg.shed_above),
            show(cfg.resume_below),
            show(cfg.critical_above)
        ),
        shed_above_celsius: cfg.shed_above.value(),
        critical_above_celsius: cfg.critical_above.value(),
        probes: rooms.iter().flat_map(|room| room.probes.iter().map(|p| probe(input, words, room, p))).collect(),
        switches: rooms.iter().flat_map(|room| room.switches.iter().map(|s| switch(input, room, s))).collect(),
    }
}

/// What was read of a probe in this run, or why nothing was.
fn probe_reading<'a>(input: &Input<'a>, room: &str, probe: &str) -> Result<&'a ProbeReading, String> {
    let Some(snapshot) = input.snapshot else { return Err(NOT_READ.to_owned()) };
    let room = snapshot.rooms.get(room).ok_or(NOT_READ)?.as_ref().map_err(because)?;
    room.probes.get(probe).ok_or_else(|| "not in the unit's answer".to_owned())
}

fn probe(input: &Input, words: &Words, room: &RoomAlertConfig, probe: &ProbeConfig) -> ProbeStatus {
    let max_age = input.cfg.climate.max_age;
    let reading = probe_reading(input, &room.name, &probe.name);
    let measured = reading.as_ref().map_err(Clone::clone);
    let age = snapshot_age(input);
    let temperature = match measured.and_then(|r| r.temperature.as_ref().map_err(because)) {
        Ok(value) => good(words, *value, age, max_age),
        Err(why) => match input.state.climate.probes.get(&probe.name) {
            Some(last) => held(words, last.value, input.now.since(&last.at), max_age, &why),
            None => bad::<Temperature>(why),
        },
    };
    let humidity = reading.ok().and_then(|r| r.humidity.as_ref()).map(|humidity| match humidity {
        Ok(value) => good(words, *value, age, max_age),
        Err(fault) => bad::<Humidity>(because(fault)),
    });
    let hand_t = by_hand(input, |s| {
        if let Setting::Temperature { probe: name, value } = s
            && *name == probe.name
        {
            Some(*value)
        } else {
            None
        }
    });
    let hand_h = by_hand(input, |s| {
        if let Setting::Humidity { probe: name, value } = s
            && *name == probe.name
        {
            Some(*value)
        } else {
            None
        }
    });
    ProbeStatus {
        name: clean(&probe.name),
        role: probe.role.word(),
        temperature: hand_t.map_or(temperature, |(value, age)| set_by_hand(words, value, age)),
        humidity: hand_h.map_or(humidity, |(value, age)| Some(set_by_hand(words, value, age))),
    }
}

fn switch(input: &Input, room: &RoomAlertConfig, switch: &SwitchConfig) -> SwitchStatus {
    let read = || -> Result<bool, String> {
        let Some(snapshot) = input.snapshot else { return Err(NOT_READ.to_owned()) };
        let room = snapshot.rooms.get(&room.name).ok_or(NOT_READ)?.as_ref().map_err(because)?;
        room.switches.get(&switch.name).ok_or("not in the unit's answer")?.as_ref().copied().map_err(because)
    };
    let hand = by_hand(input, |s| {
        if let Setting::Switch { name, alarm } = s
            && *name == switch.name
        {
            Some(*alarm)
        } else {
            None
        }
    });
    let word = |alarm: bool| if alarm { "ALARM" } else { "normal" };
    let (alarm, problem, text, age) = match (hand, read()) {
        (Some((alarm, age)), _) => (Some(alarm), None, format!("{}, set by hand", word(alarm)), Some(age)),
        (None, Ok(alarm)) => (Some(alarm), None, word(alarm).to_owned(), Some(snapshot_age(input))),
        (None, Err(why)) => (None, Some(why.clone()), format!("no reading: {why}"), None),
    };
    SwitchStatus {
        name: clean(&switch.name),
        alarm,
        problem,
        text,
        age_s: age.map(|a| a.0),
        stops_mine: switch.stops_mine,
    }
}

pub(super) fn fans(input: &Input, words: &Words) -> Vec<FanStatus> {
    input.cfg.fans.values().map(|cfg| fan(input, words, cfg)).collect()
}

fn fan(input: &Input, words: &Words, cfg: &FanConfig) -> FanStatus {
    let state = input.state.fans.get(&cfg.number);
    let proven = state.and_then(|s| s.proven);
    let fault = state.and_then(|s| s.fault).map(|f| f.words());
    let commanded = state.and_then(|s| s.commanded.as_ref());
    FanStatus {
        fan: cfg.number,
        wanted: state.map(|s| s.wanted),
        commanded: commanded.map(|c| c.value),
        commanded_at: commanded.map(|c| words.point(&c.at)),
        relay: state.and_then(|s| s.relay),
        power: fan_power(input, words, cfg.number),
        observed_at: state.and(input.state.last_pass.as_ref()).map(|at| words.point(at)),
        proven,
        fault,
        run_time_s: state.map_or(0, |s| s.run_time.0),
        held: by_hand(input, |s| {
            if let Setting::Fan { fan, on } = s
                && *fan == cfg.number
            {
                Some(*on)
            } else {
                None
            }
        })
        .map(|(on, _)| on),
        state: match (fault, proven) {
            (Some(_), _) => "fault",
            (None, Some(true)) => "running",
            (None, Some(false)) => "stopped",
            (None, None) => "not proven",
        },
    }
}

fn fan_power(input: &Input, words: &Words, fan: u8) -> Value {
    let hand = by_hand(input, |s| {
        if let Setting::FanWatts { fan: number, value } = s
            && *number == fan
        {
            Some(*value)
        } else {
            None
        }
    });
    if let Some((value, age)) = hand {
        return set_by_hand(words, value, age);
    }
    let max_age = input.cfg.fan_watts.max_age();
    match input.snapshot.map(|s| &s.fan_watts) {
        Some(Ok(reading)) => match reading.fans.get(&fan) {
            // The limit is for the age the device gives; the time since the reading is told, and judged by the page.
            Some(Ok(m)) => with_time(good(words, m.value, m.age, max_age), snapshot_age(input)),
            Some(Err(fault)) => bad::<Watts>(because(fault)),
            None => bad::<Watts>("not in the device's answer"),
        },
        Some(Err(fault)) => bad::<Watts>(because(fault)),
        None => match (input.state.fans.get(&fan).and_then(|f| f.watts), &input.state.last_pass) {
            (Some(watts), Some(at)) => held(words, watts, input.now.since(at), two_runs(input), NOT_READ),
            _ => bad::<Watts>(NOT_READ),
        },
    }
}

/// Adds the time since the reading to the age that the device gave.
fn with_time(value: Value, passed: Seconds) -> Value {
    let age = value.age_s.map(|age| age.saturating_add(passed.0));
    let note = age.map_or(value.note, |age| format!("{} ago", Seconds(age)));
    Value { age_s: age, note, ..value }
}

pub(super) fn pdus(input: &Input, words: &Words) -> Vec<PduStatus> {
    input.cfg.pdus.iter().map(|cfg| pdu(input, words, cfg)).collect()
}

fn pdu(input: &Input, words: &Words, cfg: &PduConfig) -> PduStatus {
    let reading = input.snapshot.and_then(|s| s.pdus.get(&cfg.name));
    let power = match reading {
        None => bad::<Watts>(NOT_READ),
        Some(Err(fault)) => bad::<Watts>(because(fault)),
        Some(Ok(r)) => match &r.total {
            Ok(m) => with_time(good(words, m.value, m.age, cfg.max_age), snapshot_age(input)),
            Err(fault) => bad::<Watts>(because(fault)),
        },
    };
    let hand = by_hand(input, |s| {
        if let Setting::MinerWatts { pdu, value } = s
            && *pdu == cfg.name
        {
            Some(*value)
        } else {
            None
        }
    });
    let read = reading.and_then(|r| r.as_ref().ok());
    let known =
        |on: bool| read.map(|r| r.outlets.values().filter(|o| o.on.as_ref().is_ok_and(|is_on| *is_on == on)).count());
    let (on, off) = (known(true), known(false));
    let derived = cfg.derives_watts().then(|| "its watts are amps times volts, not measured".to_owned());
    PduStatus {
        name: clean(&cfg.name),
        power: hand.map_or(power, |(value, age)| set_by_hand(words, value, age)),
        outlets_on: on,
        outlets_read: on.unwrap_or(0).saturating_add(off.unwrap_or(0)),
        outlets_listed: cfg.outlets.len(),
        cut: input.state.miners.cut.iter().filter(|o| o.pdu == cfg.name).count(),
        remarks: derived.into_iter().chain(read.iter().flat_map(|r| &r.remarks).map(|t| clean(t))).collect(),
    }
}

/// The end of an override as a point in time.
pub(super) fn ends(words: &Words, left: Seconds) -> Point {
    words.wall(words.now().wall.plus(left))
}
