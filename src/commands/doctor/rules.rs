//! What the readings mean together: fans that do not follow their relays, relays and outlets that do not show what they were
//! told, and the alarms that the rules raise on what was just read. The thresholds are those of the rules.

use super::check::{Check, Group};
use super::devices::Look;
use super::ways_out::of_alarm;
use crate::model::{CommandStatus, FanFault, MinersPhase, Severity};
use crate::units::Seconds;

/// Fans, outlets, commands, alarms.
pub(super) fn checks(look: &Look) -> Vec<Check> {
    let mut checks: Vec<Check> = look.cfg.fans.keys().filter_map(|number| fan(look, *number)).collect();
    checks.extend(outlets(look));
    checks.extend(commands(look));
    checks.extend(alarms(look));
    checks
}

/// A fan whose relay and watts were both read: whether they fit together and to what was told. One that was told lately may
/// still be on its way.
fn fan(look: &Look, number: u8) -> Option<Check> {
    let rules = &look.cfg.fan_rules;
    let state = look.decision.next.fans.get(&number)?;
    let (relay, watts) = (state.relay?, state.watts?);
    // What this look would command was not told to anybody.
    let told = look.memory.state.fans.get(&number).and_then(|fan| fan.commanded.as_ref());
    let is_settled = told.is_none_or(|told| look.now.since(&told.at) >= rules.prove_within);
    let on = |on: bool| if on { "on" } else { "off" };
    let ago = told
        .map_or("never told".to_owned(), |told| format!("told {} {} ago", on(told.value), look.now.since(&told.at)));
    let says = format!("relay {}, {watts}, {ago}", on(relay));
    let name = format!("fan {number}");
    let disobeys = told.is_some_and(|told| told.value != relay);
    let fault = match (relay, state.proven) {
        _ if !is_settled => None,
        _ if disobeys => Some((
            FanFault::RelayIgnores,
            "the board restarted, somebody switched it, or it ignores: the next run tells it again; if it stays, switch the \
             board off and on",
        )),
        (true, Some(false)) => Some((FanFault::Dead, "breaker, belt, motor; then the contactor behind the relay")),
        (false, Some(true)) => Some((
            FanFault::Welded,
            "the relay shows off and the fan runs: exchange the relay or its contactor; the board may show what is not so",
        )),
        (true | false, _) => None,
    };
    Some(match fault {
        Some((fault, way_out)) => Check::fail(Group::Mine, name, format!("{}: {says}", fault.words()), way_out),
        None => Check::ok(Group::Mine, name, says),
    })
}

/// Outlets that were cut while the miners must be off, and are on.
fn outlets(look: &Look) -> Vec<Check> {
    let miners = &look.memory.state.miners;
    let is_off = match miners.phase {
        MinersPhase::Curtailing { .. } | MinersPhase::Curtailed { .. } | MinersPhase::Fault { .. } => true,
        MinersPhase::Boot | MinersPhase::Running | MinersPhase::Resuming { .. } => false,
    };
    let mut checks = Vec::new();
    for pdu in look.cfg.pdus.iter().filter(|_| is_off) {
        let Some(Ok(reading)) = look.first.pdus.get(&pdu.name) else { continue };
        let is_settled = |outlet: &str| {
            let told = miners.outlets_told.get(&format!("{} {outlet}", pdu.name));
            told.is_none_or(|told| look.now.since(told) > Seconds(pdu.settle.0.saturating_mul(2)))
        };
        let cut = miners.cut.iter().filter(|outlet| outlet.pdu == pdu.name && is_settled(&outlet.outlet));
        let on: Vec<&str> = cut
            .map(|outlet| outlet.outlet.as_str())
            .filter(|id| reading.outlets.get(*id).is_some_and(|outlet| outlet.on == Ok(true)))
            .collect();
        if !on.is_empty() {
            let says = format!("{} outlets were told off and are on: {}", on.len(), on.join(" "));
            let way_out =
                "may the token's user switch them, is a schedule or auto-reset on? else switch off at the breaker";
            checks.push(Check::fail(Group::Mine, &pdu.name, says, way_out));
        }
    }
    checks
}

/// Commands that Foreman's agent could not carry out.
fn commands(look: &Look) -> Option<Check> {
    let asked = look.memory.state.miners.asked.values();
    let failed = asked.filter(|asked| asked.status == Some(CommandStatus::Failed)).count();
    let way_out = "is Foreman's agent on site running, and not in read-only mode? the PDU outlets do it meanwhile";
    let says = format!("{failed} commands to miners failed at its agent");
    (failed > 0).then(|| Check::warn(Group::Mine, &look.cfg.foreman.name, says, way_out))
}

/// The alarms that stand, or would on what was just read; but those that only repeat a device's line.
fn alarms(look: &Look) -> Vec<Check> {
    let unread = look.unread();
    let said = |id: &str| {
        let fan = id.strip_prefix("fan ").and_then(|number| number.parse().ok());
        let fan = fan.is_some_and(|number: u8| fan_is_shown(look, number));
        let remark = id.strip_prefix("remark ").is_some_and(|name| !unread.contains_key(name));
        id.starts_with("device ") || id == "program" || fan || remark
    };
    let standing = look.decision.next.alarms.iter().filter(|(id, alarm)| alarm.gone.is_none() && !said(id));
    standing
        .map(|(id, alarm)| {
            let by = alarm.acknowledged_by.as_ref().map_or(String::new(), |by| format!(" (acknowledged by {by})"));
            let says = format!("{}{by}", alarm.text.replace('\n', "; "));
            let is_device = ["welded ", "meter ", "fan "].iter().any(|start| id.starts_with(start));
            let name = format!("alarm {id}");
            if alarm.severity == Severity::Emergency || is_device {
                Check::fail(Group::Mine, name, says, of_alarm(id))
            } else {
                Check::warn(Group::Mine, name, says, of_alarm(id))
            }
        })
        .collect()
}

/// Whether a fan has a line of its own.
fn fan_is_shown(look: &Look, number: u8) -> bool {
    look.decision.next.fans.get(&number).is_some_and(|state| state.relay.is_some() && state.watts.is_some())
}
