//! `notify test`: one message to each configured channel, and what came of it. What it shows is kept for the next run, so
//! that an alarm about a channel that was repaired ends without waiting for a real message.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use super::printed;
use super::set::who;
use crate::cli::{NotifyCommand, TestChannel};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{EXIT_DONE, EXIT_FAULTS, Error};
use crate::model::{
    Channel, Delivery, DeliveryResult, Event, EventKind, Fault, FaultKind, Notice, OutboxEntry, Severity,
};
use crate::notify::{self, Ping};
use crate::store::{Change, Store};

/// What came of one channel: the line for people, and the fault if not all went well.
struct Shown {
    line: String,
    fault: Option<Fault>,
}

/// Runs what `notify` can do. Returns the exit code: 0 only when each channel took its message for all recipients.
pub fn run(cfg: &Config, clock: &Clock, what: &NotifyCommand, out: &mut dyn Write) -> Result<u8, Error> {
    let NotifyCommand::Test { channel } = what;
    let chosen = chosen(cfg, channel)?;
    let mut results = BTreeMap::new();
    let mut shown = Vec::new();
    for (channel, result) in deliveries(cfg, clock, &chosen) {
        results.insert(channel, result.fault.clone());
        shown.push(result);
    }
    if chosen.contains(&TestChannel::DeadMan) {
        shown.extend(dead_man(cfg));
    }
    for result in &shown {
        printed(writeln!(out, "{}", result.line))?;
    }
    if let Err(error) = keep(cfg, clock, &shown, results) {
        printed(writeln!(out, "this result is not kept for the next run: {error}"))?;
    }
    Ok(if shown.iter().all(|result| result.fault.is_none()) { EXIT_DONE } else { EXIT_FAULTS })
}

/// The channels to try, each once: those that were named, else all that are configured.
fn chosen(cfg: &Config, named: &[TestChannel]) -> Result<Vec<TestChannel>, Error> {
    let mut known: Vec<TestChannel> = notify::configured(cfg).into_iter().map(of_channel).collect();
    known.extend(cfg.dead_man.is_some().then_some(TestChannel::DeadMan));
    if known.is_empty() {
        let text = "no channel is configured; add [telegram], [email], [sms] or [dead_man] to the configuration";
        return Err(Error::Usage(text.to_owned()));
    }
    if let Some(missing) = named.iter().find(|channel| !known.contains(channel)) {
        let known: Vec<String> = known.iter().map(|channel| format!("`{}`", word(*channel))).collect();
        return Err(Error::Usage(format!(
            "`{}` is not configured: there is no [{}]; configured are {}",
            word(*missing),
            word(*missing).replace('-', "_"),
            known.join(", ")
        )));
    }
    known.retain(|channel| named.is_empty() || named.contains(channel));
    Ok(known)
}

fn of_channel(channel: Channel) -> TestChannel {
    match channel {
        Channel::Telegram => TestChannel::Telegram,
        Channel::Email => TestChannel::Email,
        Channel::Sms => TestChannel::Sms,
    }
}

fn word(channel: TestChannel) -> &'static str {
    match channel {
        TestChannel::Telegram => Channel::Telegram.word(),
        TestChannel::Email => Channel::Email.word(),
        TestChannel::Sms => Channel::Sms.word(),
        TestChannel::DeadMan => "dead-man",
    }
}

/// Sends the message on all chosen channels side by side; the results in the channels' order.
fn deliveries(cfg: &Config, clock: &Clock, chosen: &[TestChannel]) -> Vec<(Channel, Shown)> {
    let now = clock.now().wall;
    let text = format!("Test message, sent by {} with `minectl notify test`: nothing has happened.", who());
    let notice = Notice { severity: Severity::Info, at: now, text };
    let channels = Channel::ALL.into_iter().filter(|channel| chosen.contains(&of_channel(*channel)));
    let entries: Vec<OutboxEntry> =
        (1..).zip(channels).map(|(id, channel)| OutboxEntry::untried(id, channel, notice.clone())).collect();
    let mut deliveries = notify::deliver(cfg, &entries, &BTreeMap::new(), clock, longest(cfg));
    deliveries.sort_by_key(|delivery| delivery.channel);
    deliveries.iter().map(|delivery| (delivery.channel, shown(delivery))).collect()
}

/// The longest that any channel may take: a text message takes its time for each recipient, and a Telegram group that
/// has moved is asked twice.
fn longest(cfg: &Config) -> Duration {
    let sms =
        cfg.sms.as_ref().map(|sms| sms.timeout.duration().saturating_mul(u32::try_from(sms.to.len()).unwrap_or(1)));
    let others = [
        cfg.telegram.as_ref().map(|telegram| telegram.timeout.duration().saturating_mul(2)),
        cfg.email.as_ref().map(|email| email.timeout.duration()),
    ];
    others.into_iter().chain([sms]).flatten().max().unwrap_or_default().saturating_add(Duration::from_secs(1))
}

fn shown(delivery: &Delivery) -> Shown {
    let channel = delivery.channel.word();
    let failed = |what: &str, fault: &Fault, way_out: &str| {
        let line = format!("{channel}: {what}, {}: {}{way_out}", fault.kind.word(), fault.detail);
        Shown { line, fault: Some(fault.clone()) }
    };
    match &delivery.result {
        DeliveryResult::Accepted(None) => {
            Shown { line: format!("{channel}: accepted; see that it arrives"), fault: None }
        }
        DeliveryResult::Accepted(Some(remark)) => failed("accepted, but not all is well", remark, ""),
        DeliveryResult::Refused(fault) => failed("REFUSED for good", fault, ""),
        DeliveryResult::Later(fault, _) if delivery.reached.is_empty() => {
            failed("NOT accepted this time", fault, &way_out(delivery.channel, fault))
        }
        DeliveryResult::Later(fault, _) => {
            let what = format!("accepted for {}, NOT this time for all", delivery.reached.join(", "));
            failed(&what, fault, &way_out(delivery.channel, fault))
        }
    }
}

/// What to do about a failure that may pass; empty where the fault itself says it.
fn way_out(channel: Channel, fault: &Fault) -> String {
    let section = channel.word();
    let address = match channel {
        Channel::Telegram | Channel::Sms => "`url`",
        Channel::Email => "`host` and `port`",
    };
    if fault.detail.contains("; ") && fault.kind != FaultKind::TimedOut {
        return String::new();
    }
    match fault.kind {
        FaultKind::Unreachable => format!("; check the internet connection, and {address} in [{section}]"),
        FaultKind::TimedOut | FaultKind::Broken => format!(
            "; try again; if it stays, check the internet connection, {address} in [{section}], and whether the network \
             lets this port through"
        ),
        FaultKind::Unreadable if channel == Channel::Email => {
            "; `port` and `security` in [email] must fit: 587 with \"starttls\", 465 with \"tls\"".to_owned()
        }
        FaultKind::Unreadable => {
            format!("; something else answers: check `url` in [{section}], and whether this network asks for a login")
        }
        FaultKind::Status => "; the service asks to come back: try again in some minutes".to_owned(),
        FaultKind::Refused
        | FaultKind::WrongDevice
        | FaultKind::Missing
        | FaultKind::OutOfRange
        | FaultKind::Stale
        | FaultKind::NotObeyed => String::new(),
    }
}

/// A `start` ping: it proves the address and claims nothing about a run.
fn dead_man(cfg: &Config) -> Option<Shown> {
    let settings = cfg.dead_man.as_ref()?;
    let fault = notify::ping(settings, Ping::Start, settings.timeout.duration()).err();
    let line = match &fault {
        None => "dead-man: accepted; the next run's end must follow".to_owned(),
        Some(fault) if fault.detail.contains("; ") => {
            format!("dead-man: NOT accepted, {}: {}", fault.kind.word(), fault.detail)
        }
        Some(fault) => format!(
            "dead-man: NOT accepted, {}: {}; check the internet connection, and `url` in [dead_man]",
            fault.kind.word(),
            fault.detail
        ),
    };
    Some(Shown { line, fault })
}

/// Leaves the results for the next run. Before the first run there is nobody to leave them for.
fn keep(cfg: &Config, clock: &Clock, shown: &[Shown], tested: BTreeMap<Channel, Option<Fault>>) -> Result<(), String> {
    if !cfg.paths.data.is_dir() {
        return Ok(());
    }
    let now = clock.now();
    let by = who();
    let event = |result: &Shown| Event {
        at: now.wall,
        kind: EventKind::Program,
        subject: "notify".to_owned(),
        text: format!("test by {by}: {}", result.line),
    };
    let change = Change { events: shown.iter().map(event).collect(), tested, ..Change::default() };
    Store::new(&cfg.paths.data)?.save(&change, &now).map(|_| ())
}
