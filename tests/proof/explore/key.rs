//! What makes two remembered states the same: the state as serde sees it, every moment as its age, and without what no
//! command depends on. A field that is added to the state takes part by itself; to leave one out is a line here, with
//! its reason.

use std::hash::{DefaultHasher, Hasher};

use minectl::model::{Band, DrillState, Score, SiteState};
use minectl::units::{Moment, Seconds, UnixSeconds, Watts};
use serde::ser::{self, Serialize};

use super::site::MINER_WATTS;
use super::variants::{AGE_MAX_RUNS, Keeps};

/// A fan's lead in hours beyond this is cut down to it.
const LEAD_MAX: u64 = 3000;

/// What is left out although commands depend on it: sites that differ in it alone count as one.
pub(super) fn approximate(state: &mut SiteState, keeps: Keeps) {
    // Only differences count. APPROXIMATION: no fan is ahead of the least worn by more than `LEAD_MAX`.
    let least = state.fans.values().map(|fan| fan.run_time.0).min().unwrap_or(0);
    for fan in state.fans.values_mut() {
        fan.run_time = Seconds((fan.run_time.0 - least).min(LEAD_MAX));
        if !keeps.run_time {
            // APPROXIMATION: all fans are equally worn, so the lowest number runs and the highest stops first.
            fan.run_time = Seconds(0);
        }
        if !keeps.switchings {
            // APPROXIMATION: no fan reaches `max_switchings_per_hour`.
            fan.switchings.clear();
        }
    }
}

/// Takes away what no command depends on; what is explored is the state without it. That no command depends on it is
/// checked too: a part of the stories is played again by a site that forgets nothing.
pub(super) fn forget(state: &mut SiteState, now: &Moment, keeps: Keeps) {
    // Sound: written in each pass before they are read, or read by messages, page and log alone.
    state.heartbeat = None;
    state.dead_man = None;
    state.chat = None;
    state.troubles.clear();
    state.last_failures.clear();
    // Sound: it only asks for another pass of the run, and another pass may come at any time here.
    state.last_commands.clear();
    // Sound: which device failed how often only leads to alarms; whether a PDU's answer is stale is found out anew in
    // each pass.
    state.devices.clear();
    // Sound: it is told when runs were missed, and shares out run time.
    state.last_run = state.last_run.map(|_| *now);
    state.last_pass = state.last_pass.map(|_| *now);
    // Sound: of the alarms only this one steers (proof that stays lost); all others are raised anew by whatever holds,
    // and end when it does.
    state.alarms.retain(|id, _| id == "miners unproven");
    for alarm in state.alarms.values_mut() {
        alarm.text.clear();
        alarm.told = alarm.since;
        alarm.times_told = 1;
    }
    state.raised.clear();
    state.written.clear();
    state.calls_unkept.clear();
    // Sound: no drill is ordered or due here; `stories_drill` has them.
    state.drill = DrillState::default();
    state.drills_unkept.clear();
    let signal = &mut state.signal;
    signal.changed = None;
    signal.why.clear();
    // Sound: more good readings in a row than are asked for are as good as those.
    signal.run_readings = signal.run_readings.min(2);
    if let Some(good) = &mut signal.last_good {
        good.value.clear();
        // Sound: only asked for while the page was never read.
        signal.since = good.at;
    }
    let climate = &mut state.climate;
    climate.intake = None;
    if !keeps.recent {
        // Sound: the limit for a rate of rise is out of reach.
        climate.recent.clear();
    }
    // Sound: these only lead to an alarm and to words.
    climate.moved.clear();
    climate.rising = false;
    state.unmoved.clear();
    state.demand.allowed = None;
    state.miners.back_since = None;
    // An approximation: what a PDU was learnt to draw is rounded up to whole miners; it falls slowly while some are off.
    for watts in state.miners.baselines.values_mut() {
        // Miners that sleep draw next to nothing.
        let whole = (watts.value() / MINER_WATTS - 0.05).ceil() * MINER_WATTS;
        *watts = Watts::new(whole).expect("not negative");
    }
    if let Some(trusted) = climate.trusted {
        // Sound: only asked for while no temperature was ever trusted.
        climate.since = trusted;
        climate.band = Band::Unknown;
    }
    for counter in state.counters.values_mut() {
        // Sound: no limit for a number that stands still is longer than one run.
        let tick = keeps.tick;
        if now.since(&counter.at) > tick && now.up >= tick {
            counter.at = Moment { wall: now.wall.minus(tick), up: now.up.saturating_sub(tick), ..*now };
        }
    }
    state.miners.watts = None;
    state.miners.proof_by_hand = false;
    if let Some(call) = &mut state.call {
        // Sound: the record of the call. When it was seen and whether it was proven lead to the emergency.
        call.first_command = None;
        call.score = Score::default();
        call.reasons.clear();
        call.proven = call.proven.map(|_| call.seen);
    }
    for fan in state.fans.values_mut() {
        fan.relay = None;
        fan.watts = None;
        fan.proven = None;
        fan.watts_by_hand = false;
    }
}

/// The number of a state at `now`: equal for states that differ in nothing that counts. `frozen`: by device, what a
/// frozen one repeats.
pub(super) fn key(state: &SiteState, now: &Moment, frozen: &[(&str, i64)], tick: Seconds) -> u64 {
    let age_max = Seconds(tick.0 * AGE_MAX_RUNS);
    let mut writer = Writer { bytes: Vec::with_capacity(2048), now: *now, age_max, moment: None, in_counter: false };
    state.serialize(&mut writer).expect("a state can be written");
    for (device, value) in frozen {
        let seen = state.counters.get(*device).is_some_and(|counter| counter.value == *value);
        writer.bytes.push(u8::from(seen));
    }
    let mut hasher = DefaultHasher::new();
    hasher.write(&writer.bytes);
    hasher.finish()
}

/// Writes any serde value as bytes, and moments as ages.
struct Writer {
    bytes: Vec<u8>,
    now: Moment,
    /// No age beyond this makes a difference.
    age_max: Seconds,
    /// The numbers of the moment that is being written.
    moment: Option<Vec<i64>>,
    /// Whether a counter is being written. Its number grows for ever; what counts is whether a frozen device repeats it.
    in_counter: bool,
}

impl Writer {
    fn number(&mut self, value: u64) {
        match &mut self.moment {
            Some(parts) => parts.push(value as i64),
            None => self.bytes.extend(value.to_le_bytes()),
        }
    }

    fn text(&mut self, value: &str) {
        self.number(value.len() as u64);
        self.bytes.extend(value.as_bytes());
    }

    /// The age, up to the longest limit. Of a moment before this boot also what the wall clock makes of it: that clock
    /// may still be set.
    fn age(&mut self, parts: &[i64]) {
        let &[wall, boot, up] = parts else { panic!("a moment has three parts") };
        let boot = minectl::units::BootId(u32::try_from(boot).expect("a boot"));
        let moment = Moment { wall: UnixSeconds(wall), boot, up: Seconds(up as u64) };
        self.number(self.now.since(&moment).0.min(self.age_max.0));
        if moment.boot != self.now.boot {
            let limit = i64::try_from(self.age_max.0).expect("small");
            let by_wall = self.now.wall.0 - wall;
            self.number(by_wall.clamp(-limit - super::steps::CLOCK_BEHIND, limit) as u64);
        }
    }
}

type Done = Result<(), std::fmt::Error>;

macro_rules! numbers {
    ($($name:ident $kind:ty),*) => { $(fn $name(self, value: $kind) -> Done { self.number(value as u64); Ok(()) })* };
}

impl ser::Serializer for &mut Writer {
    type Ok = ();
    type Error = std::fmt::Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers!(serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
             serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_char char);

    fn serialize_f32(self, value: f32) -> Done {
        self.serialize_f64(value.into())
    }
    fn serialize_f64(self, value: f64) -> Done {
        self.number(value.to_bits());
        Ok(())
    }
    fn serialize_str(self, value: &str) -> Done {
        self.text(value);
        Ok(())
    }
    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.number(value.len() as u64);
        self.bytes.extend(value);
        Ok(())
    }
    fn serialize_none(self) -> Done {
        self.bytes.push(0);
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        self.bytes.push(1);
        value.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Done {
        self.number(index.into());
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Done {
        self.number(index.into());
        value.serialize(self)
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<Self, std::fmt::Error> {
        self.number(length.ok_or(std::fmt::Error)? as u64);
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, std::fmt::Error> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, std::fmt::Error> {
        Ok(self)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, std::fmt::Error> {
        self.number(index.into());
        Ok(self)
    }
    fn serialize_map(self, length: Option<usize>) -> Result<Self, std::fmt::Error> {
        self.serialize_seq(length)
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self, std::fmt::Error> {
        if name == "Moment" {
            self.moment = Some(Vec::with_capacity(3));
        }
        self.in_counter |= name == "Counter";
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, std::fmt::Error> {
        self.number(index.into());
        Ok(self)
    }
}

macro_rules! parts {
    ($($kind:ident $name:ident),*) => { $(impl ser::$kind for &mut Writer {
        type Ok = ();
        type Error = std::fmt::Error;
        fn $name<T: Serialize + ?Sized>(&mut self, value: &T) -> Done { value.serialize(&mut **self) }
        fn end(self) -> Done { Ok(()) }
    })* };
}

macro_rules! fields {
    ($($kind:ident),*) => { $(impl ser::$kind for &mut Writer {
        type Ok = ();
        type Error = std::fmt::Error;
        fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Done {
            if self.in_counter && name == "value" { Ok(()) } else { value.serialize(&mut **self) }
        }
        fn end(self) -> Done {
            match self.moment.take() {
                Some(parts) => self.age(&parts),
                None => self.in_counter = false,
            }
            Ok(())
        }
    })* };
}

parts!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
       SerializeTupleVariant serialize_field);
fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for &mut Writer {
    type Ok = ();
    type Error = std::fmt::Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        key.serialize(&mut **self)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(&mut **self)
    }
    fn end(self) -> Done {
        Ok(())
    }
}
