//! What to do about each fault, in one sentence. It proposes to a person; the program itself does none of it.

use crate::model::{Fault, FaultKind};

/// What stands behind a device's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The utility's page.
    Signal,
    /// A Room Alert unit.
    Room,
    /// The meter of the fans.
    Meter,
    /// A relay board.
    Board,
    /// A PDU.
    Pdu,
    /// Foreman.
    Foreman,
}

impl Kind {
    /// Whether it stands on site.
    fn is_local(self) -> bool {
        match self {
            Kind::Room | Kind::Meter | Kind::Board | Kind::Pdu => true,
            Kind::Signal | Kind::Foreman => false,
        }
    }
}

/// What to do about a device's fault; `section` is where its settings are.
pub(super) fn of_device(kind: Kind, section: &str, fault: &Fault) -> String {
    match fault.kind {
        FaultKind::Unreachable => unreachable_device(kind, section, fault),
        FaultKind::TimedOut if kind.is_local() => {
            format!("switch it off and on and check its cable; if it answers but slowly, raise `timeout` in {section}")
        }
        FaultKind::TimedOut => {
            format!("check the internet connection; if that is well, wait, or raise `timeout` in {section}")
        }
        FaultKind::Broken if kind.is_local() => {
            "it breaks off in the middle: switch it off and on, check cable and switch port".to_owned()
        }
        FaultKind::Broken => "the service breaks off: check the internet connection, then try again later".to_owned(),
        FaultKind::Refused => refused(kind, section, fault),
        FaultKind::Status => status(kind, section, fault),
        FaultKind::Unreadable if kind == Kind::Signal => explain(),
        FaultKind::Unreadable => unreadable(kind, section, fault),
        FaultKind::WrongDevice if kind == Kind::Signal => explain(),
        FaultKind::WrongDevice if fault.detail.contains("`family`") => {
            format!("correct `family` and `page` in {section}; or another device answers at its `url`")
        }
        FaultKind::WrongDevice if fault.detail.contains("labels it") => {
            format!("two sensors changed places, or their labels did: put it right in the unit, or in {section}")
        }
        FaultKind::WrongDevice => {
            format!("another unit answers at this address: correct `url` in {section}, or `serial` if it was exchanged")
        }
        FaultKind::Missing => missing(kind, section, fault),
        FaultKind::OutOfRange if kind == Kind::Signal => explain(),
        FaultKind::OutOfRange => {
            "the value cannot be: check the sensor and its wiring, then switch the unit off and on".to_owned()
        }
        FaultKind::Stale if kind == Kind::Signal => {
            "the page stands still: compare `timedatectl`, then call the utility; `minectl signal explain` shows more"
                .to_owned()
        }
        FaultKind::Stale if fault.detail.contains("ahead") => {
            "a clock is wrong: set that of the device that measures, and of its server".to_owned()
        }
        FaultKind::Stale if fault.detail.contains("log stands still") => {
            "restart the meter; if its log still stands, exchange its SD card".to_owned()
        }
        FaultKind::Stale => "it repeats an old reading: switch it off and on".to_owned(),
        FaultKind::NotObeyed => "switch it off and on; if it still does not obey, exchange it".to_owned(),
    }
}

fn unreadable(kind: Kind, section: &str, fault: &Fault) -> String {
    let says = |text: &str| fault.detail.contains(text);
    if says("do not agree") {
        return "the unit contradicts itself: switch it off and on; if it stays, exchange the sensor".to_owned();
    }
    let first = if kind.is_local() { "switch it off and on" } else { "wait some minutes" };
    format!(
        "{first}; if it stays, look with `curl -v` what answers at `url` of {section}: another device, another firmware, or a \
         login page"
    )
}

fn explain() -> String {
    "`minectl signal explain` shows each check on the page as it is now and what to change in [signal]".to_owned()
}

fn unreachable_device(kind: Kind, section: &str, fault: &Fault) -> String {
    if fault.detail.contains("host name") {
        return format!(
            "correct the name in `url` of {section}; if it is right, check the internet connection and its DNS"
        );
    }
    if kind.is_local() {
        return format!(
            "has it power, is its cable in, does it answer `ping`? if it has another address now, correct `url` in {section}"
        );
    }
    format!("check the router and the internet connection; if that is well, `url` in {section}")
}

fn refused(kind: Kind, section: &str, fault: &Fault) -> String {
    if fault.detail.contains("login page") {
        return format!("a login page answers: is it the device, or the network's own? check `url` in {section}");
    }
    if fault.detail.contains("asks for a password") {
        return format!(
            "give `user` and `password` in {section}, or switch the login for the local network off in the unit"
        );
    }
    match kind {
        Kind::Signal => "the page wants a login now; ask the utility for one that does not".to_owned(),
        Kind::Room | Kind::Board => {
            format!("correct `user` and `password` in {section}, or switch the unit's login off")
        }
        Kind::Meter | Kind::Pdu | Kind::Foreman => {
            format!("correct the key, token, `user` or `password` in {section}; may that user read?")
        }
    }
}

fn status(kind: Kind, section: &str, fault: &Fault) -> String {
    let says = |text: &str| fault.detail.contains(text);
    if kind == Kind::Signal {
        return "open the address in a browser and set `signal.url` to the one that it ends at; an error of the utility's \
                own passes"
            .to_owned();
    }
    if says("sends on") || says("status 404") {
        return format!("another page or device answers: correct `url` and the device's kind in {section}");
    }
    if says("check `url`") {
        return format!("correct `url` in {section}: a list of feeds is expected below it");
    }
    if says("server's Redis") || says("server's database") {
        return "restart that service on the server of the meter, and look whether its disk is full".to_owned();
    }
    if says("429") {
        return format!("too many calls: is another program using the key of {section}? try again in a minute");
    }
    if kind.is_local() {
        return "the device reports a failure of its own: switch it off and on, then look at its own page".to_owned();
    }
    format!("the service reports a failure: look at its own page; check the key and the client in {section}")
}

fn missing(kind: Kind, section: &str, fault: &Fault) -> String {
    if fault.detail.contains("voltage reference") {
        return "plug the meter's voltage transformer in again: without it no watts are known".to_owned();
    }
    match kind {
        Kind::Signal => explain(),
        Kind::Room => format!("plug the sensor in; if it was moved, correct `array`, `index` and `label` in {section}"),
        Kind::Meter => format!("correct the series or feeds in {section} to what the meter has, or restore them there"),
        Kind::Board => format!("correct `relay` of this [[fan]], or `family` and `page` in {section}"),
        Kind::Pdu => format!("correct `outlets` and the pointers in {section} to what the PDU lists"),
        Kind::Foreman => format!("correct `client_id` and `miners` in {section}"),
    }
}

/// What to do about a channel's fault: its own words end in it where it knows more.
pub(super) fn of_channel(channel: &str, section: &str, fault: &Fault) -> String {
    let (_, own) = fault.detail.split_once("; ").unwrap_or_default();
    if !own.is_empty() && !fault.detail.starts_with("to `") {
        return own.to_owned();
    }
    match fault.kind {
        FaultKind::Unreachable | FaultKind::TimedOut | FaultKind::Broken => {
            format!("check the internet connection, then the address in {section}; messages wait meanwhile")
        }
        FaultKind::Refused => format!("correct what logs in, in {section}"),
        FaultKind::Unreadable => {
            format!("something else answers: check the address in {section}, and for a network's login")
        }
        FaultKind::Status | FaultKind::NotObeyed if fault.detail.starts_with("to `") => {
            format!("correct the recipients in {section}; one that is only put off is tried again")
        }
        FaultKind::Status
        | FaultKind::WrongDevice
        | FaultKind::Missing
        | FaultKind::OutOfRange
        | FaultKind::Stale
        | FaultKind::NotObeyed => {
            format!("try again in some minutes, then `minectl notify test --channel {channel}`; check {section}")
        }
    }
}

/// What to do about a fault of the service that keeps the values.
pub(super) fn of_influx(fault: &Fault) -> String {
    match fault.kind {
        FaultKind::Unreachable | FaultKind::TimedOut | FaultKind::Broken => {
            "check whether the service runs, then `url` in [influx]; the values wait meanwhile, for 30 days".to_owned()
        }
        FaultKind::Refused => "correct `token`, or `user` and `password`, in [influx]".to_owned(),
        FaultKind::Unreadable => "something else answers: check `url` in [influx]".to_owned(),
        FaultKind::Status
        | FaultKind::WrongDevice
        | FaultKind::Missing
        | FaultKind::OutOfRange
        | FaultKind::Stale
        | FaultKind::NotObeyed => {
            "read what the service says: does the database or bucket of `url` in [influx] exist?".to_owned()
        }
    }
}

/// What to do about a standing alarm, by the beginning of its name.
pub(super) fn of_alarm(id: &str) -> &'static str {
    let ways: [(&str, &str); 18] = [
        ("signal unchanged", "ask the utility whether the page is still kept up"),
        ("signal", "`minectl signal explain` shows what keeps the page from being read"),
        ("intake critical", "more air now: see the fans here, switch breakers off by hand if miners still run"),
        ("intake lost", "see the Room Alert unit here; until it is back the fans stay on"),
        ("intake hot", "see the fans here, then filters, dampers and the weather"),
        ("stuck", "warm the probe by hand, switch a load of the meter: if its value does not move, exchange it"),
        ("switch", "look into the container; smoke: call the fire brigade first"),
        ("fan", "see the fan here: breaker, belt, motor, relay"),
        ("miners not off", "see Foreman and the PDUs here; switch what still draws power off at the breaker"),
        ("miners", "`minectl plan` says what is missing"),
        ("agent", "see the computer on site that runs Foreman's agent: power, network, its service"),
        ("meter", "compare the PDU's own display; outlets that feed nothing belong off, or out of `outlets`"),
        ("low", "breaker, network switch and miners of that row"),
        ("welded", "the outlet's relay is stuck: switch it off at the breaker, then exchange the PDU"),
        ("off by others", "switch them on where they were switched off, or take them out of the configuration"),
        ("airflow", "repair the fans that do not run: fewer of them cool fewer miners"),
        ("override", "`minectl clear all` ends what was set by hand"),
        ("remark", "see the device's own settings page"),
    ];
    let found = ways.iter().find(|(start, _)| id.starts_with(start));
    found.map_or("`minectl status` shows more; README, \"What happens when something fails\"", |(_, way_out)| way_out)
}
