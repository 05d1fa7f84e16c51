//! The nouns of the program: what was read, what is remembered, what is wanted, what is told. Data only: no rules, no
//! I/O. Each noun is stored or shown somewhere, so all of them are serialisable.

mod action;
mod call;
mod chat;
mod climate;
mod demand;
mod drill;
mod fan;
mod fault;
mod health;
mod inputs;
mod message;
mod miners;
mod reading;
mod setting;
mod signal;
mod state;

pub use action::{Command, Decision, Outcome, OutletRef, PowerMode, Reason, Reply};
pub use call::{
    Billed, CALL_SCHEMA, Call, CallRecord, ChangeSource, Costs, Mark, Metered, PageChanged, Score, SignalPeak,
    Stragglers, Verdict, WattsAt,
};
pub use chat::{ChatAnswer, ChatCode, ChatHeartbeat, ChatMemory, ChatMessage, ChatUpdate, ChatWords};
pub use climate::{Band, ClimateState};
pub use demand::{DemandState, OffReason};
pub use drill::{
    CheckResult, DRILL_MESSAGE, DRILL_SCHEMA, Drill, DrillCheck, DrillDeliveries, DrillDelivery, DrillFailure,
    DrillMiner, DrillOrder, DrillRecord, DrillState, DrillStep, DrillVerdict,
};
pub use fan::{FanFault, FanState};
pub use fault::{Fault, FaultKind};
pub use health::{Counter, DeviceHealth, Unmoved};
pub use inputs::{CallTimes, Decided, InputBegin, InputEnd, InputLine, InputPass, Stand, core, fingerprint};
pub use message::{
    Alarm, Channel, Delivery, DeliveryResult, Event, EventKind, History, Notice, OutboxEntry, Sample, Severity,
};
pub use miners::{Asked, MinersPhase, MinersState, Rung};
pub use reading::{
    AnalogReading, CommandStatus, FanWattsReading, ForemanReading, KeptPage, Measured, MinerReading, OutletReading,
    PduReading, ProbeReading, Reading, RelayReading, RoomReading, SignalReading, SignalValue, Snapshot,
};
pub use setting::{Override, Setting, WrittenPhase, WrittenState};
pub use signal::{Level, SignalState};
pub use state::{LastGood, SCHEMA, SiteState};
