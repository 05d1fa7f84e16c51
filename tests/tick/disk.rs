//! A disk that fails is no reason to leave miners or fans alone.

use serde_json::json;

use crate::cycle::quick;
use crate::mine::{Mine, state};
use crate::small_disk::SmallDisk;

const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

/// A mine whose data folder is a small disk of its own; none where that cannot be had.
fn mine_with_disk() -> Option<(Mine, SmallDisk)> {
    let mine = Mine::start(60.0, quick);
    std::fs::create_dir_all(mine.data()).unwrap();
    let disk = SmallDisk::mount(&mine.data(), "48m")?;
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    Some((mine, disk))
}

fn curtails_and_tells(mine: &Mine, cause: &str) {
    mine.set(json!({"signal_number": 342}));
    mine.tick_until("off and proven", LIMIT, |status| state(status) == "off");
    assert!(mine.miner_watts() <= 20_000.0, "{} W", mine.miner_watts());
    assert!(mine.page().contains(cause), "the page does not say `{cause}`");
    assert!(mine.log().contains(cause), "the log does not say `{cause}`");
    let told = mine.recorded("telegram").join("\n");
    assert!(told.contains("Miners proven off in"), "{told}");
    assert!(told.contains("The controller's own storage: "), "nobody was told of the disk: {told}");
}

#[test]
fn with_a_read_only_data_folder_the_runs_still_curtail_to_the_proof() {
    let Some((mine, disk)) = mine_with_disk() else { return };
    disk.make_read_only(true);
    curtails_and_tells(&mine, "Read-only file system");
    disk.make_read_only(false);
    mine.tick_until("in order again", LIMIT, |status| state(status) == "off" && status["alarms"][0].is_null());
    assert_eq!(mine.events().matches("nothing is remembered: boot").count(), 1, "the state was lost");
}

#[test]
fn with_a_full_data_folder_the_runs_still_curtail_to_the_proof() {
    let Some((mine, disk)) = mine_with_disk() else { return };
    disk.fill();
    curtails_and_tells(&mine, "No space left on device");
    disk.empty();
    mine.tick_until("in order again", LIMIT, |status| state(status) == "off" && status["alarms"][0].is_null());
}

/// Too little space for the history, and all the rest works: that is told once, not in each run.
#[test]
fn a_trouble_that_lasts_is_one_event() {
    let mine = Mine::start(60.0, quick);
    std::fs::create_dir_all(mine.data()).unwrap();
    let Some(_disk) = SmallDisk::mount(&mine.data(), "8m") else { return };
    for _ in 0..5 {
        mine.tick().silent();
    }
    let events = mine.events();
    assert_eq!(events.matches("store: history: only").count(), 1, "{events}");
    assert_eq!(mine.status_json()["alarms"][0]["id"], "program");
}
