//! The ways to reach people, asked as far as that goes without sending anything; and what became of the last messages. Also
//! the web server that shows the page.

use std::time::Duration;

use super::check::{Check, Group};
use super::memory::Memory;
use super::ways_out::{of_channel, of_influx};
use crate::config::Config;
use crate::http::{Request, send};
use crate::influx;
use crate::model::{Channel, Fault};
use crate::notify;
use crate::units::Moment;

/// The dead-man service's name.
pub(super) const DEAD_MAN: &str = "dead-man";
/// That of the service which keeps the values.
pub(super) const INFLUX: &str = influx::DEVICE;
/// The web server stands here or next door.
const PAGE_WITHIN: Duration = Duration::from_secs(3);
/// More than any channel's own limit.
const LOOK_MAX: Duration = Duration::from_secs(120);

/// What a look at a service came to.
type Looked = Result<Option<String>, Fault>;

/// Each channel that is wanted, side by side; with `page` the web server too.
pub(super) fn checks(
    cfg: &Config,
    memory: &Memory,
    now: &Moment,
    page: bool,
    wanted: &(dyn Fn(&str) -> bool + Sync),
) -> Vec<Check> {
    let channels: Vec<Channel> = notify::configured(cfg).into_iter().filter(|channel| wanted(channel.word())).collect();
    std::thread::scope(|scope| {
        let looks: Vec<_> = channels
            .iter()
            .map(|channel| {
                let look = move || notify::look(cfg, *channel, LOOK_MAX);
                (*channel, std::thread::Builder::new().spawn_scoped(scope, look))
            })
            .collect();
        let dead_man = cfg.dead_man.as_ref().filter(|_| wanted(DEAD_MAN));
        let dead_man = dead_man.map(|settings| {
            std::thread::Builder::new().spawn_scoped(scope, || notify::look_at_dead_man(settings, LOOK_MAX))
        });
        let values = cfg.influx.as_ref().filter(|_| wanted(INFLUX));
        let values =
            values.map(|settings| std::thread::Builder::new().spawn_scoped(scope, || influx::look(settings, LOOK_MAX)));
        let mut checks: Vec<Check> =
            cfg.site.page_url.iter().filter(|_| page).map(|url| web_server(cfg, url)).collect();
        for (channel, thread) in looks {
            let looked = joined(channel.word(), thread);
            checks.push(channel_check(memory, channel, &looked));
            checks.extend(waiting(memory, channel, now));
        }
        checks.extend(dead_man.map(|thread| dead_man_check(memory, &joined(DEAD_MAN, thread))));
        checks.extend(values.map(|thread| influx_check(memory, &joined(INFLUX, thread))));
        checks
    })
}

fn joined(name: &str, thread: std::io::Result<std::thread::ScopedJoinHandle<'_, Looked>>) -> Looked {
    let broken = || Fault::new(name, crate::model::FaultKind::Broken, "the look stopped with an internal error");
    thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| Err(broken()))
}

fn section(name: &str) -> String {
    format!("[{}]", name.replace('-', "_"))
}

fn channel_check(memory: &Memory, channel: Channel, looked: &Looked) -> Check {
    let name = channel.word();
    let last = memory.state.channels.get(&channel);
    let test = format!("`minectl notify test --channel {name}`");
    match (looked, last) {
        (Err(fault), _) => Check::fault(Group::Channel, name, fault, of_channel(name, &section(name), fault)),
        (Ok(_), Some(fault)) => {
            let says = format!("the last message was not taken: {}: {}", fault.kind.word(), fault.detail);
            let way_out = format!("{}; then try {test}", of_channel(name, &section(name), fault));
            Check::warn(Group::Channel, name, says, way_out)
        }
        (Ok(Some(says)), None) => Check::ok(Group::Channel, name, format!("{says}; nothing was sent, {test} does")),
        (Ok(None), None) => Check::ok(Group::Channel, name, format!("cannot be asked without sending, {test} does")),
    }
}

/// Messages that wait for a channel.
fn waiting(memory: &Memory, channel: Channel, now: &Moment) -> Option<Check> {
    let loaded = memory.loaded.as_ref()?;
    let waiting: Vec<_> = loaded.outbox.iter().filter(|entry| entry.channel == channel && entry.attempts > 0).collect();
    let oldest = waiting.iter().map(|entry| now.wall.since(entry.notice.at)).max()?;
    let says = format!("{} messages wait, the oldest for {oldest}", waiting.len());
    let way_out = "they go out by themselves once the channel works, and say how late they are";
    Some(Check::warn(Group::Channel, format!("{} outbox", channel.word()), says, way_out))
}

fn dead_man_check(memory: &Memory, looked: &Looked) -> Check {
    match (looked, &memory.state.dead_man) {
        (Err(fault), _) => Check::fault(Group::Channel, DEAD_MAN, fault, of_channel(DEAD_MAN, "[dead_man]", fault)),
        (Ok(_), Some(fault)) => {
            let mut check = Check::fault(Group::Channel, DEAD_MAN, fault, of_channel(DEAD_MAN, "[dead_man]", fault));
            check.says = format!("the last run's ping was not taken: {}", check.says);
            check
        }
        (Ok(Some(says)), None) => {
            let says = format!("{says}; not pinged, since that would count as a run");
            Check::ok(Group::Channel, DEAD_MAN, says)
        }
        (Ok(None), None) => {
            Check::ok(Group::Channel, DEAD_MAN, "not asked: whatever is asked at this address would count as a run")
        }
    }
}

fn influx_check(memory: &Memory, looked: &Looked) -> Check {
    let way_out = of_influx;
    match (looked, &memory.state.influx) {
        (Err(fault), _) => Check::warn(Group::Channel, INFLUX, fault.to_string(), way_out(fault)),
        (Ok(_), Some(fault)) => {
            let says = format!("the last run's values were not taken: {}: {}", fault.kind.word(), fault.detail);
            Check::warn(Group::Channel, INFLUX, says, way_out(fault))
        }
        (Ok(Some(says)), None) => Check::ok(Group::Channel, INFLUX, format!("{says}; nothing was written")),
        (Ok(None), None) => Check::ok(Group::Channel, INFLUX, "not asked: its address has nothing else to ask"),
    }
}

/// Whether the page is there where the owner opens it.
fn web_server(cfg: &Config, url: &str) -> Check {
    let name = "web server";
    let way_out = "`systemctl status nginx`, and its folder must be `paths.page`; or correct `site.page_url`";
    match send(&Request::get("page", url, PAGE_WITHIN)) {
        Err(fault) => Check::warn(Group::Channel, name, format!("{}: {}", fault.kind.word(), fault.detail), way_out),
        Ok(answer) if answer.status == 200 && answer.text().contains(&cfg.site.name) => {
            Check::ok(Group::Channel, name, format!("shows the page at {url}"))
        }
        Ok(answer) => {
            let says = format!("{url} answers with status {} and not with this site's page", answer.status);
            Check::warn(Group::Channel, name, says, way_out)
        }
    }
}
