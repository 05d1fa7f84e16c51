//! Foreman of the simulated mine, with the sample configuration: paging, pace, odd answers and single failures over real
//! sockets.

use std::time::{Duration, Instant};

use minectl::config::{self, Config};
use minectl::drivers::{act, sense};
use minectl::model::{Command, CommandStatus, FaultKind, ForemanReading, PowerMode, Reply};

use crate::mine::Mine;
use crate::simulated_meters::clock;

const LIMIT: Duration = Duration::from_secs(5);
/// Site seconds in a real one.
const RATE: f64 = 20.0;

fn cfg(mine: &Mine) -> Config {
    config::load(&mine.config()).unwrap()
}

fn read(mine: &Mine, ask: &[u64]) -> ForemanReading {
    sense(&cfg(mine), &clock(mine), LIMIT, ask).foreman.unwrap()
}

/// Asks these miners to sleep; one line for each.
fn sleep(mine: &Mine, miners: impl IntoIterator<Item = u64>) -> Vec<Result<(u64, CommandStatus), String>> {
    let commands: Vec<Command> =
        miners.into_iter().map(|miner| Command::Miner { miner, mode: PowerMode::Sleeping }).collect();
    let outcomes = act(&cfg(mine), &clock(mine), Instant::now() + LIMIT, &commands);
    let line = |result| match result {
        Ok(Reply::Accepted { command, status }) => Ok((command, status)),
        Ok(other) => panic!("{other:?}"),
        Err(fault) => Err(format!("{fault}")),
    };
    outcomes.into_iter().map(|outcome| line(outcome.result)).collect()
}

#[test]
fn all_miners_are_read_page_by_page_at_the_allowed_pace() {
    let mine = Mine::start(RATE, |text| text);
    let whole = read(&mine, &[]);
    assert_eq!((whole.miners.len(), whole.total, whole.remarks.len()), (288, Some(288), 0), "{:?}", whole.remarks);
    mine.wait_site(1.0);
    mine.fault("foreman", "short-pages");
    let before = mine.truth()["counters"]["foreman"].as_u64().unwrap();
    let paged = read(&mine, &[]);
    assert_eq!((paged.miners.len(), paged.remarks.len()), (288, 0), "{:?}", paged.remarks);
    let calls = mine.truth()["counters"]["foreman"].as_u64().unwrap() - before;
    assert_eq!(calls, 4, "a summary and three pages, none of them refused for its pace");
}

#[test]
fn what_foreman_says_oddly_is_shown_and_stops_nothing() {
    let mine = Mine::start(RATE, |text| text);
    mine.fault("foreman", "list-disagrees");
    let reading = read(&mine, &[]);
    assert_eq!(reading.remarks, ["summary counts 300 miners, the list 288"]);
    assert_eq!(reading.miners.len(), 288);
    mine.wait_site(1.0);
    mine.fault("foreman", "odd-words");
    let [Ok((command, status))] = sleep(&mine, [1001])[..] else { panic!("refused") };
    assert_eq!(status, CommandStatus::Unknown);
    mine.wait_site(1.0);
    let reading = read(&mine, &[command]);
    assert!(reading.miners.iter().all(|miner| miner.status == "hibernating"));
    assert_eq!(reading.commands[&command], CommandStatus::Unknown);
}

#[test]
fn a_command_is_followed_until_the_miner_took_it() {
    let mine = Mine::start(RATE, |text| text);
    let [Ok((command, CommandStatus::Pending))] = sleep(&mine, [1001])[..] else { panic!("not pending") };
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        mine.wait_site(2.0);
        match read(&mine, &[command]).commands.get(&command) {
            Some(CommandStatus::Complete) => return,
            Some(CommandStatus::Pending | CommandStatus::InProgress) => assert!(Instant::now() < end, "never complete"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_miners_that_fail_are_named_one_by_one_and_the_others_sleep() {
    let mine = Mine::start(RATE, |text| text);
    mine.fault("foreman", "some-fail");
    let lines = sleep(&mine, 1001..=1007);
    let failed: Vec<&String> = lines.iter().filter_map(|line| line.as_ref().err()).collect();
    let told =
        |miner: u64| format!("foreman miner {miner}: device error: status 400: `Miner is not capable of power modes.`");
    assert_eq!(failed, [&told(1001), &told(1004), &told(1007)]);
    assert_eq!(lines.iter().filter(|line| line.is_ok()).count(), 4);
}

#[test]
fn an_error_in_detail_and_too_many_calls_are_no_readings() {
    let mine = Mine::start(RATE, |text| text);
    let refused = || sense(&cfg(&mine), &clock(&mine), LIMIT, &[]).foreman.unwrap_err();
    mine.fault("foreman", "detail-200");
    let fault = refused();
    assert_eq!(fault.kind, FaultKind::Status);
    assert_eq!(fault.detail, "Foreman says `You do not have permission to perform this action.`");
    mine.fault("foreman", "429");
    assert_eq!(refused().detail, "status 429: too many calls, also after a pause");
    let lines = sleep(&mine, 1001..=1005);
    assert!(lines.iter().all(Result::is_err), "{lines:?}");
}
