//! What the runs leave: the database, the times they were made, the page.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::check::{Check, Group};
use super::memory::{Memory, Trouble};
use crate::config::Config;
use crate::store;
use crate::units::{Moment, Seconds, UnixSeconds};

/// How far back runs are counted.
const COUNTED: Seconds = Seconds(86_400);
/// A message that waits longer is told.
const WAITS_MAX: Seconds = Seconds(600);

/// Database, last run, missed runs, page.
pub(super) fn checks(cfg: &Config, memory: &Memory, now: &Moment) -> Vec<Check> {
    let mut checks = vec![database(cfg, memory)];
    checks.extend(set_aside(&cfg.paths.data));
    checks.extend(unfinished(memory, now));
    checks.push(last_run(cfg, memory, now));
    checks.extend(missed(cfg, now));
    checks.extend(page(cfg, now));
    checks
}

fn database(cfg: &Config, memory: &Memory) -> Check {
    let name = "database";
    let refuge = cfg.paths.page.join(".minectl-state.json");
    if refuge.exists() {
        let says = format!("could not be written in the last run; the state is kept in {}", refuge.display());
        return Check::fail(Group::Machine, name, says, "see `data folder` above, and the last lines of the log");
    }
    match (&memory.trouble, &memory.loaded) {
        (Some(Trouble::NotOurs), _) => {
            let way_out = "look as the user of the runs: `sudo -u minectl minectl doctor`";
            Check::warn(Group::Machine, name, "not opened: it belongs to another user", way_out)
        }
        (Some(Trouble::Unusable(text)), _) => {
            let way_out =
                "the next run sets a damaged one aside and goes on by itself; if it happens twice, exchange the card";
            Check::fail(Group::Machine, name, text, way_out)
        }
        (None, None) => Check::ok(Group::Machine, name, "not there yet: the first run makes it"),
        (None, Some(loaded)) if loaded.troubles.is_empty() => {
            Check::ok(Group::Machine, name, format!("opens; {} overrides are kept", loaded.overrides.len()))
        }
        (None, Some(loaded)) => {
            let way_out = "if this comes again, exchange the card";
            Check::warn(Group::Machine, name, loaded.troubles.join("; "), way_out)
        }
    }
}

/// Databases that were set aside as damaged.
fn set_aside(data: &Path) -> Option<Check> {
    let entries = std::fs::read_dir(data).ok()?.flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with("db.bad-"));
    names.sort();
    let says = format!("damaged databases were set aside: {}", names.join(", "));
    let way_out = format!(
        "one after a power cut may happen, two mean a worn-out card: exchange it; remove them from {} afterwards",
        data.display()
    );
    (!names.is_empty()).then(|| Check::warn(Group::Machine, "database", says, way_out))
}

/// What a run that broke off left behind, and messages that do not go out.
fn unfinished(memory: &Memory, now: &Moment) -> Vec<Check> {
    let Some(loaded) = &memory.loaded else { return Vec::new() };
    let mut checks = Vec::new();
    if !loaded.broken_off.is_empty() {
        let says = format!(
            "{} commands were about to be sent when a run broke off, or are being sent now",
            loaded.broken_off.len()
        );
        let way_out = "nothing: the next run reads what came of them; if it stays, look at the last lines of the log";
        checks.push(Check::warn(Group::Machine, "commands", says, way_out));
    }
    let oldest = loaded.outbox.iter().map(|entry| now.wall.since(entry.notice.at)).max();
    if let Some(oldest) = oldest.filter(|oldest| *oldest > WAITS_MAX) {
        let says = format!("{} messages wait, the oldest for {oldest}", loaded.outbox.len());
        let way_out = "see the channels below; they go out by themselves once these work again";
        checks.push(Check::warn(Group::Machine, "outbox", says, way_out));
    }
    checks
}

fn last_run(cfg: &Config, memory: &Memory, now: &Moment) -> Check {
    let name = "last run";
    let last = memory.state.last_run.filter(|_| memory.loaded.is_some());
    let Some(last) = last else {
        if memory.trouble.is_some() {
            return Check::warn(Group::Machine, name, "not known", "see `database` above");
        }
        let way_out = "start one by hand: `sudo -u minectl minectl tick`";
        return Check::warn(Group::Machine, name, "none was made yet", way_out);
    };
    let age = now.since(&last);
    let says = format!("{age} ago, one is due every {}", cfg.loop_interval);
    if age.0 <= cfg.loop_interval.0.saturating_mul(2) {
        return Check::ok(Group::Machine, name, says);
    }
    let way_out = "see `cron` and `lock` here; start one by hand meanwhile: `sudo -u minectl minectl tick`";
    Check::fail(Group::Machine, name, format!("{says}: nothing watches over the mine"), way_out)
}

/// Runs that are missing between the first and the last that left a line in the history of the last day.
fn missed(cfg: &Config, now: &Moment) -> Option<Check> {
    let series = format!("pdu.{}_w", cfg.pdus.first()?.name);
    let folder = cfg.paths.data.join("history");
    let history = store::read_history(&folder, now.wall.minus(COUNTED), now.wall, &|name| name == series);
    let times: Vec<UnixSeconds> = history.series.values().flatten().map(|(at, _)| *at).collect();
    let interval = cfg.loop_interval.0.max(1);
    let gaps = times.iter().zip(times.iter().skip(1)).map(|(before, after)| (after.since(*before), *after));
    let gaps: Vec<_> = gaps.filter(|(gap, _)| gap.0.saturating_mul(2) > interval.saturating_mul(3)).collect();
    let missing: u64 = gaps.iter().map(|(gap, _)| (gap.0 + interval / 2) / interval - 1).sum();
    let runs = times.len();
    let Some((longest, at)) = gaps.into_iter().max() else {
        return (runs > 1).then(|| Check::ok(Group::Machine, "runs", format!("{runs} in the last day, none missed")));
    };
    let says = format!(
        "{runs} in the last day, {missing} missed; the longest time without one was {longest}, until {} ago",
        now.wall.since(at)
    );
    let way_out = "power, a restart, or cron; `minectl events --since 24h` shows what was told then";
    Some(Check::warn(Group::Machine, "runs", says, way_out))
}

/// The page as it was drawn, and whether a web server may read it.
fn page(cfg: &Config, now: &Moment) -> Vec<Check> {
    let name = "page";
    let text = std::fs::read_to_string(cfg.paths.page.join("status.json")).unwrap_or_default();
    let status: Value = serde_json::from_str(&text).unwrap_or_default();
    let number = |at: &str| status.pointer(at).and_then(Value::as_i64).map(UnixSeconds);
    let (Some(drawn), Some(stale)) = (number("/time/unix"), number("/stale_from")) else {
        let way_out = "the first run draws it; if runs are made, see `page folder` and the log";
        return vec![Check::warn(Group::Machine, name, "not drawn yet", way_out)];
    };
    let age = now.wall.since(drawn);
    let mut checks = vec![if now.wall < stale {
        Check::ok(Group::Machine, name, "drawn").aged(Some(age))
    } else {
        let way_out = "see `last run` and `page folder` here: a run draws it each time";
        Check::fail(Group::Machine, name, "is out of date", way_out).aged(Some(age))
    }];
    let index = cfg.paths.page.join("index.html");
    let open = |path: &Path, bit: u32| std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & bit != 0);
    if !open(&index, 0o004) || !open(&cfg.paths.page, 0o001) {
        let says = format!("{} cannot be read by a web server", index.display());
        let way_out = format!("`sudo chmod o+rx {}`, and `o+r` for the files in it", cfg.paths.page.display());
        checks.push(Check::warn(Group::Machine, name, says, way_out));
    }
    checks
}
