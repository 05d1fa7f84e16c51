//! What speaks against a drill, before it begins and while it switches something: whatever else the mine may need its
//! outputs for, and whatever makes a stopped fan more than a moment without it.

use super::Pass;
use crate::config::{Mode, SignalMeaning};
use crate::decide::judge::Quality;
use crate::decide::signal::{Says, is_near, says};
use crate::decide::{climate, start};
use crate::model::{Band, Drill, DrillStep, Level, MinersPhase, Setting, Severity, SiteState};
use crate::units::Seconds;

/// Miners that came back after a call are left alone for so long.
const AFTER_CALL: Seconds = Seconds::minutes(30);

/// The first thing that speaks against a drill that is to begin (`None`), or against the one that goes on.
pub(super) fn anything(pass: &Pass<'_>, next: &SiteState, drill: Option<&Drill>) -> Option<String> {
    if pass.cfg.mode == Mode::Observe {
        return Some("mode = observe: nothing is commanded".to_owned());
    }
    if next.last_pass.is_none() {
        return Some("nothing is remembered yet".to_owned());
    }
    call(pass, next, drill)
        .or_else(|| room(pass, next))
        .or_else(|| person(pass))
        .or_else(|| fans(pass, next, drill))
        .or_else(|| alarm(next, drill))
        .or_else(|| drill.is_none().then(|| unsettled(pass, next)).flatten())
}

/// A call, or the signs of one.
fn call(pass: &Pass<'_>, next: &SiteState, drill: Option<&Drill>) -> Option<String> {
    if let Some(reason) = next.demand.reasons.first() {
        return Some(format!("the miners must be off: {}", reason.sentence()));
    }
    if next.miners.phase != MinersPhase::Running {
        return Some(format!("the miners are not running but {}", next.miners.phase.word()));
    }
    if next.signal.level != Level::Run {
        return Some(format!("the power signal is {}", next.signal.level.word()));
    }
    match &pass.snapshot.signal {
        Ok(reading) => {
            let is_between = says(&pass.cfg.signal.meaning, &reading.value) != Says::Run;
            let is_number = matches!(pass.cfg.signal.meaning, SignalMeaning::Number { .. });
            let near = is_near(pass.cfg, next, pass.snapshot) || (is_number && is_between);
            near.then(|| "the power signal is near to a call".to_owned())
        }
        // One that goes on bears a page that is late; blind ends it.
        Err(_) if drill.is_some() => None,
        Err(_) => Some("the power signal was not read just now".to_owned()),
    }
}

/// Air that is not cool, or a switch.
fn room(pass: &Pass<'_>, next: &SiteState) -> Option<String> {
    if !matches!(pass.inputs.intake, Quality::Good(_)) {
        return Some("the intake temperature was not read just now".to_owned());
    }
    match next.climate.band {
        Band::Cold | Band::Normal => {}
        band @ (Band::Warm | Band::Hot | Band::Critical | Band::Unknown) => {
            return Some(format!("the intake is {}", band.word()));
        }
    }
    if next.climate.shedding || climate::rises(pass.cfg, next, pass.now) {
        return Some("the intake rises".to_owned());
    }
    let switches = pass.cfg.rooms.iter().flat_map(|room| &room.switches);
    for switch in switches {
        match pass.inputs.switches.get(&switch.name).copied().flatten() {
            Some(true) => return Some(format!("switch {} is in alarm", switch.name)),
            None if switch.stops_mine => return Some(format!("switch {} was not read just now", switch.name)),
            Some(false) | None => {}
        }
    }
    None
}

/// Somebody holds or sets something.
fn person(pass: &Pass<'_>) -> Option<String> {
    let mut others = pass.overrides.iter().filter(|over| !matches!(over.setting, Setting::Drill(_)));
    others.next().map(|over| format!("an override holds: {}", over.setting.target()))
}

/// Fans of which something is not known, or wrong. A fan that is stopped for the drill may look so for a moment.
fn fans(pass: &Pass<'_>, next: &SiteState, drill: Option<&Drill>) -> Option<String> {
    let ours = drill.filter(|drill| matches!(drill.step, DrillStep::FanOff | DrillStep::FanOn)).and_then(|d| d.fan);
    for (number, fan) in &next.fans {
        if fan.watts.is_none() {
            return Some(format!("the watts of fan {number} are not fresh"));
        }
        if fan.relay.is_none() {
            return Some(format!("the relay of fan {number} was not read just now"));
        }
        if let Some(fault) = fan.fault.filter(|_| Some(*number) != ours) {
            return Some(format!("fan {number}: {}", fault.words()));
        }
    }
    (next.miners.shed_groups > 0 || pass.inputs.miner_watts().is_none())
        .then(|| "the miners' power is not read, or groups are off for want of air".to_owned())
}

/// An alarm that stands. Some say only what a drill is for, or what does not touch it.
fn alarm(next: &SiteState, drill: Option<&Drill>) -> Option<String> {
    let channels = ["device telegram", "device email", "device sms", "device dead-man"];
    let ours = drill.and_then(|drill| drill.fan).map(|fan| format!("fan {fan}"));
    let is_apart = |id: &str| {
        let harmless = ["drill", "miners not back", "off by others", "low ", "remark ", "signal unchanged"];
        harmless.iter().any(|start| id.starts_with(start)) || channels.contains(&id) || ours.as_deref() == Some(id)
    };
    let mut standing = next.alarms.iter().filter(|(_, alarm)| alarm.gone.is_none());
    let serious = standing.find(|(id, alarm)| alarm.severity == Severity::Emergency || !is_apart(id));
    serious.map(|(id, _)| format!("an alarm stands: {id}"))
}

/// A mine that has just come back, or is still on its way.
fn unsettled(pass: &Pass<'_>, next: &SiteState) -> Option<String> {
    if start::left_off(next) {
        return Some("miners are still off that are to come back".to_owned());
    }
    let back = next.drill.resumed.map(|since| pass.now.since(&since)).filter(|since| *since < AFTER_CALL);
    back.map(|_| format!("the miners came back less than {AFTER_CALL} ago"))
}
