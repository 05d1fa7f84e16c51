//! How a drill goes on: each step has its proof and its time, and what fails does not keep the next from being tried.

use super::miner::{self, Seen};
use super::search;
use super::{FAN_OFF, FAN_ON, MESSAGES, MINER_ON, OVER, Pass, Report, check, finish, note, want_fan_again};
use crate::decide::table::Row;
use crate::model::{
    Channel, CheckResult, Drill, DrillDelivery, DrillStep, EventKind, FanState, LastGood, Rung, SiteState,
};
use crate::units::{Moment, Seconds};

/// A miner that was switched off has so long to come back.
const MINER_ON_LIMIT: Seconds = Seconds::minutes(15);
/// The services have so long to take the messages, from the beginning of the drill on.
const MESSAGES_LIMIT: Seconds = Seconds::minutes(10);

/// One pass of a drill that goes on.
pub(super) fn advance(pass: &Pass<'_>, next: &mut SiteState, mut drill: Drill, report: &mut Report) {
    match drill.step {
        DrillStep::MinerOff => miner_off(pass, next, &mut drill, report),
        DrillStep::MinerOn => miner_on(pass, next, &mut drill, report),
        DrillStep::FanOff => fan_off(pass, next, &mut drill, report),
        DrillStep::FanOn => fan_on(pass, next, &mut drill, report),
        DrillStep::Messages => {}
    }
    if drill.step == DrillStep::Messages && told_all(pass, next, &drill) {
        for (name, result, took, text) in messages(pass, next, &drill) {
            note(&mut drill, check(&name, result, took, text), pass.now, report);
        }
        report.event(pass.now, EventKind::State, "drill", format!("{} → {}: {}", OVER.from, OVER.to, OVER.when));
        finish(pass, next, drill, None, report);
    } else {
        next.drill.running = Some(drill);
    }
}

/// Notes what a step came to and goes on to the next.
fn go(
    drill: &mut Drill,
    (to, row): (DrillStep, Row),
    (name, result, text): (&str, CheckResult, String),
    now: &Moment,
    report: &mut Report,
) {
    let took = (result == CheckResult::Passed).then(|| now.since(&drill.since));
    note(drill, check(name, result, took, text), now, report);
    report.event(now, EventKind::State, "drill", format!("{} → {}: {}", row.from, row.to, row.when));
    drill.step = to;
    drill.since = *now;
}

fn off_by(rung: Rung) -> &'static str {
    match rung {
        Rung::Foreman => "Miner off by Foreman",
        Rung::Outlets | Rung::Bank => "Miner off by its outlet",
    }
}

fn miner_off(pass: &Pass<'_>, next: &mut SiteState, drill: &mut Drill, report: &mut Report) {
    let Some(target) = drill.miner.clone() else { return };
    if drill.rung != Rung::Foreman {
        next.drill.cut = target.outlet.clone().map(|value| LastGood { value, at: *pass.now });
    }
    let seen = match searched(pass, next, drill, miner::look(pass, next, &target)) {
        Seen::Off(text) if pass.now.since(&drill.since).0 > 0 => {
            miner::let_go(next, drill);
            let check = (off_by(drill.rung), CheckResult::Passed, text);
            return go(drill, (DrillStep::MinerOn, MINER_ON), check, pass.now, report);
        }
        Seen::Off(text) | Seen::Runs(text) | Seen::Unclear(text) => text,
    };
    let waited = pass.now.since(&drill.since);
    let limits = &pass.cfg.miners;
    let (limit, failed) = match (drill.rung, &target.outlet) {
        (Rung::Foreman, Some(_)) => (limits.foreman_limit, miner::foreman_failed(next, pass.snapshot, drill)),
        (Rung::Foreman, None) => (limits.deadline, miner::foreman_failed(next, pass.snapshot, drill)),
        (Rung::Outlets | Rung::Bank, _) => (limits.outlets_limit, false),
    };
    if waited < limit && !failed {
        return;
    }
    let text = if failed { format!("Foreman could not; {seen}") } else { format!("not within {limit}; {seen}") };
    if drill.rung == Rung::Foreman && target.outlet.is_some() {
        note(drill, check(off_by(drill.rung), CheckResult::Failed, None, text), pass.now, report);
        drill.rung = Rung::Outlets;
        drill.since = *pass.now;
        next.drill.cut = target.outlet.map(|value| LastGood { value, at: *pass.now });
        return;
    }
    miner::let_go(next, drill);
    let check = (off_by(drill.rung), CheckResult::Failed, text);
    go(drill, (DrillStep::MinerOn, MINER_ON), check, pass.now, report);
}

/// Where nothing shows how the miner does, the one outlet that has gone quiet is its own from now on.
fn searched(pass: &Pass<'_>, next: &SiteState, drill: &mut Drill, seen: Seen) -> Seen {
    let (Seen::Unclear(_), Some(before)) = (&seen, &drill.quiet_before) else { return seen };
    match search::gone_quiet(pass, next, before) {
        Ok((outlet, watts)) => {
            let text = format!("{watts} at {outlet}, the only one that has gone quiet");
            if let Some(miner) = &mut drill.miner {
                miner.outlet = Some(outlet);
            }
            Seen::Off(text)
        }
        Err(text) => Seen::Unclear(text),
    }
}

fn miner_on(pass: &Pass<'_>, next: &SiteState, drill: &mut Drill, report: &mut Report) {
    let Some(target) = drill.miner.clone() else { return };
    let waited = pass.now.since(&drill.since);
    let (result, text) = match miner::look(pass, next, &target) {
        Seen::Runs(text) if miner::is_told_on(next, &target) && waited.0 > 0 => (CheckResult::Passed, text),
        // It was never seen off.
        Seen::Unclear(_) if target.outlet.is_none() && miner::is_told_on(next, &target) => {
            (CheckResult::NotDone, "it was not seen off".to_owned())
        }
        Seen::Runs(text) | Seen::Off(text) | Seen::Unclear(text) if waited >= MINER_ON_LIMIT => {
            (CheckResult::Failed, format!("not within {MINER_ON_LIMIT}, and tried on; {text}"))
        }
        Seen::Runs(_) | Seen::Off(_) | Seen::Unclear(_) => return,
    };
    go(drill, (DrillStep::FanOff, FAN_OFF), ("Miner on again", result, text), pass.now, report);
}

/// The drill's fan, as it stands after the last pass.
fn fan<'a>(next: &'a SiteState, drill: &Drill) -> Option<(u8, &'a FanState)> {
    drill.fan.and_then(|number| Some((number, next.fans.get(&number)?)))
}

fn fan_off(pass: &Pass<'_>, next: &mut SiteState, drill: &mut Drill, report: &mut Report) {
    let waited = pass.now.since(&drill.since);
    let rules = &pass.cfg.fan_rules;
    let commanded = fan(next, drill).and_then(|(_, fan)| fan.commanded.clone());
    let commanded = commanded.filter(|command| !command.value && pass.now.since(&command.at) <= waited);
    let (result, text) = match fan(next, drill) {
        None => (CheckResult::Failed, "it is not configured any more".to_owned()),
        Some((number, fan)) => {
            let shown = seen(fan);
            let stopped = fan.relay == Some(false) && fan.proven == Some(false) && !fan.watts_by_hand;
            match &commanded {
                Some(_) if stopped => (CheckResult::Passed, format!("fan {number}: {shown}")),
                Some(command) if pass.now.since(&command.at) >= rules.replaced_within() => {
                    let text = format!("fan {number}: not within {}; {shown}", rules.replaced_within());
                    (CheckResult::Failed, text)
                }
                // Another fan may have to start and prove itself first.
                None if waited >= rules.replaced_within().plus(rules.prove_within) => {
                    (CheckResult::Failed, format!("fan {number}: not stopped, too few others are proven running"))
                }
                Some(_) | None => return,
            }
        }
    };
    // Its time counts from the command, which may have had to wait for another fan.
    if let Some(command) = commanded {
        drill.since = command.at;
    }
    go(drill, (DrillStep::FanOn, FAN_ON), ("Fan off", result, text), pass.now, report);
    want_fan_again(next, drill, pass.now, report);
}

fn fan_on(pass: &Pass<'_>, next: &SiteState, drill: &mut Drill, report: &mut Report) {
    let limit = pass.cfg.fan_rules.replaced_within();
    let waited = pass.now.since(&drill.since);
    let (result, text) = match fan(next, drill) {
        None => (CheckResult::Failed, "it is not configured any more".to_owned()),
        Some((number, fan)) => {
            let shown = seen(fan);
            let runs = fan.relay == Some(true) && fan.proven == Some(true) && !fan.watts_by_hand;
            match runs && waited.0 > 0 {
                true => (CheckResult::Passed, format!("fan {number}: {shown}")),
                false if waited < limit => return,
                false => (CheckResult::Failed, format!("fan {number}: not within {limit}, and tried on; {shown}")),
            }
        }
    };
    go(drill, (DrillStep::Messages, MESSAGES), ("Fan on again", result, text), pass.now, report);
}

fn seen(fan: &FanState) -> String {
    let relay = match fan.relay {
        Some(true) => "relay on",
        Some(false) => "relay off",
        None => "relay not read",
    };
    let watts = fan.watts.map_or("watts not read".to_owned(), |watts| watts.to_string());
    format!("{relay}, {watts}")
}

/// The channels that people can be reached by.
fn configured(pass: &Pass<'_>) -> Vec<Channel> {
    let cfg = pass.cfg;
    let is_there = |channel: &Channel| match channel {
        Channel::Telegram => cfg.telegram.is_some(),
        Channel::Email => cfg.email.is_some(),
        Channel::Sms => cfg.sms.is_some(),
    };
    Channel::ALL.into_iter().filter(is_there).collect()
}

/// Whether every service has said yes or no, or had its time.
fn told_all(pass: &Pass<'_>, next: &SiteState, drill: &Drill) -> bool {
    let is_final = |channel: &Channel| {
        matches!(next.drill_told.get(channel), Some(DrillDelivery::Accepted(_) | DrillDelivery::Refused(_)))
    };
    pass.now.since(&drill.began) >= MESSAGES_LIMIT || configured(pass).iter().all(is_final)
}

fn messages(pass: &Pass<'_>, next: &SiteState, drill: &Drill) -> Vec<(String, CheckResult, Option<Seconds>, String)> {
    let channels = configured(pass);
    if channels.is_empty() {
        let text = "no [telegram], [email] or [sms] is configured".to_owned();
        return vec![("Messages".to_owned(), CheckResult::NotDone, None, text)];
    }
    let of = |channel: Channel| {
        let (result, took, text) = match next.drill_told.get(&channel) {
            Some(DrillDelivery::Accepted(at)) => {
                (CheckResult::Passed, Some(at.since(&drill.began)), "the service took it".to_owned())
            }
            Some(DrillDelivery::NotYet(fault)) => {
                (CheckResult::Failed, None, format!("not taken within {MESSAGES_LIMIT}: {fault}"))
            }
            Some(DrillDelivery::Refused(fault)) => (CheckResult::Failed, None, fault.to_string()),
            None => (CheckResult::Failed, None, format!("not sent within {MESSAGES_LIMIT}")),
        };
        (format!("Message by {}", channel.word()), result, took, text)
    };
    channels.into_iter().map(of).collect()
}
