//! What is remembered of commands before they leave, and told of them.

use super::Report;
use crate::config::{Config, Mode};
use crate::model::{Asked, Command, EventKind, LastGood, PowerMode, SiteState, Snapshot};
use crate::units::{Moment, Seconds};

/// The same commands are told again after this long.
const TELL_AGAIN: Seconds = Seconds(3600);

/// Remembers what is about to be sent, so that a crash between here and the device loses no intent.
pub(super) fn intend(cfg: &Config, next: &mut SiteState, snapshot: &Snapshot, commands: &[Command], now: &Moment) {
    for command in commands {
        match command {
            Command::Fan { fan, on } => {
                let Some(fan) = next.fans.get_mut(fan) else { continue };
                if fan.commanded.as_ref().map(|command| command.value) != Some(*on) {
                    fan.switchings.push(*now);
                    fan.commanded = Some(LastGood { value: *on, at: *now });
                    fan.disagrees = None;
                } else if fan.relay == Some(!*on) && not_switched_since(fan.disagrees, &fan.switchings, now) {
                    // It had obeyed, and somebody switched it since: it is switched once more.
                    fan.switchings.push(*now);
                }
            }
            Command::Miner { miner, mode } => {
                let known = next.miners.asked.get(miner);
                let before = known.map_or_else(|| mode_before(snapshot, *miner), |asked| asked.before);
                let is_wake = *mode != PowerMode::Sleeping;
                let sleeps_on = is_wake && known.is_some_and(|asked| asked.sleeps_on);
                let wakes = known.filter(|_| is_wake).map_or(0, |asked| asked.wakes).saturating_add(u32::from(is_wake));
                let asked = Asked {
                    mode: *mode,
                    at: *now,
                    command: None,
                    status: None,
                    before,
                    sleeps_on,
                    presumed: false,
                    wakes,
                };
                next.miners.asked.insert(*miner, asked);
            }
            Command::Outlet { outlet, on } => {
                next.miners.outlets_told.insert(outlet.to_string(), *now);
                if !*on {
                    next.miners.cut.insert(outlet.clone());
                }
            }
            Command::Bank { pdu } => super::bank::intend(cfg, next, snapshot, pdu, now),
        }
    }
    let off = commands.iter().any(|command| command.is_safe() && !matches!(command, Command::Fan { .. }));
    if let Some(call) = next.call.as_mut().filter(|call| off && call.first_command.is_none()) {
        call.first_command = Some(*now);
    }
}

/// Whether no switching was counted since a relay began to disagree.
fn not_switched_since(disagrees: Option<Moment>, switchings: &[Moment], now: &Moment) -> bool {
    let last = switchings.last().map(|last| now.since(last));
    disagrees.is_some_and(|since| last.is_none_or(|last| last > now.since(&since)))
}

/// The mode to go back to: what Foreman says the miner has now, else normal.
fn mode_before(snapshot: &Snapshot, miner: u64) -> PowerMode {
    let listed = snapshot.foreman.iter().flat_map(|f| &f.miners).find(|m| m.id == miner);
    listed.and_then(|m| m.mode).filter(|mode| *mode != PowerMode::Sleeping).unwrap_or(PowerMode::Normal)
}

/// One event for each group of commands: fans one by one, miners and outlets together; only when they are others than the
/// last ones, or these were told an hour ago. A device that ignores a command for days must not push the record out.
/// Returns whether they are new.
pub(super) fn announce(
    cfg: &Config,
    next: &mut SiteState,
    commands: &[Command],
    now: &Moment,
    report: &mut Report,
) -> bool {
    let groups = super::outcome::grouped(commands);
    let words: Vec<String> = groups.iter().map(|(subject, what)| format!("{subject}: {what}")).collect();
    // A fan that is told again after a pause was moved by somebody: that is news.
    if words.is_empty() && next.last_commands.iter().any(|words| words.starts_with("fan ")) {
        next.last_commands.clear();
    }
    let is_old = next.last_commands_told.is_none_or(|told| now.since(&told) >= TELL_AGAIN);
    let is_new = !words.is_empty() && words != next.last_commands;
    let is_told = is_new || (is_old && !words.is_empty());
    if is_told {
        next.last_commands = words;
        next.last_commands_told = Some(*now);
    }
    let verb = match cfg.mode {
        Mode::Live => "to be sent",
        Mode::Observe => "not sent (mode = observe)",
    };
    if is_told {
        for (subject, what) in groups {
            report.event(now, EventKind::Command, &subject, format!("{what}: {verb}"));
        }
    }
    is_new
}
