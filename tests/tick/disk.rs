//! A disk that fails is no reason to leave miners or fans alone.

use minectl::clock::Clock;
use minectl::model::MinersPhase;
use minectl::store::Store;
use serde_json::{Value, json};

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

#[test]
fn with_a_full_data_folder_no_message_is_sent_twice() {
    let Some((mine, disk)) = mine_with_disk() else { return };
    // A message waits in the database when the disk fills up.
    mine.fault("telegram", "refuse");
    mine.set(json!({"switch": {"Door": 1}}));
    mine.tick().silent();
    mine.tick().silent();
    disk.fill();
    mine.heal();
    for _ in 0..5 {
        mine.tick();
    }
    let doors = |mine: &Mine| mine.recorded("telegram").iter().filter(|text| text.contains("door")).count();
    assert_eq!(doors(&mine), 1, "{:#?}", mine.recorded("telegram"));
    disk.empty();
    for _ in 0..3 {
        mine.tick();
    }
    assert_eq!(doors(&mine), 1, "{:#?}", mine.recorded("telegram"));
    let kept = Store::with_refuge(&mine.data(), &mine.data().with_file_name("page")).load(&Clock::real().now());
    assert!(!kept.outbox.iter().any(|entry| entry.notice.text.contains("door")), "{:#?}", kept.outbox);
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

/// Every file of the data folder, whatever is in it.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}

/// The miners are told to sleep within this one run, and people hear of it.
fn curtails_in_one_run(mine: &Mine, cause: &str) {
    curtails_in_one_run_by(mine, &[], cause);
}

/// The same for a run that another program starts.
fn curtails_in_one_run_by(mine: &Mine, other: &[&str], cause: &str) {
    mine.set(json!({"signal_number": 342}));
    if other.is_empty() { mine.tick() } else { mine.run_by(other, &["tick"]) }.silent();
    assert!(
        mine.commands().iter().any(|(_, what)| what.ends_with(" sleeping")),
        "{cause}: nothing was commanded\n{}",
        crate::mine::tail(&mine.log(), 40)
    );
    let told = mine.recorded("telegram").join("\n");
    assert!(told.contains("Power signal: curtail"), "{cause}: {told}");
    assert!(mine.page().contains(cause), "the page does not say `{cause}`");
}

#[test]
fn garbage_in_every_file_is_told_and_the_same_run_curtails() {
    let mine = Mine::start(60.0, quick);
    mine.tick().silent();
    for path in files(&mine.data()) {
        std::fs::write(path, b"\xff\0garbage\n,,\n{").unwrap();
    }
    curtails_in_one_run(&mine, "moved to ");
    assert!(mine.page().contains("state.json"), "the copy was garbage, too");
    assert!(mine.log().contains("nothing is remembered: boot"), "it begins anew");
    mine.tick().silent();
    let left = mine.run(&["db", "check"]);
    assert!(left.stdout.contains("was set aside") && left.stdout.contains("lines cannot be read"), "{}", left.stdout);
    assert!(!left.stdout.contains("WRONG  db: ") && !left.stdout.contains("WRONG  state.json"), "{}", left.stdout);
}

#[test]
fn folders_in_the_place_of_files_are_told_and_the_same_run_curtails() {
    let mine = Mine::start(60.0, quick);
    mine.tick().silent();
    for name in ["state.json", "last-snapshot.json", "tick.lock", "db.compacted", "db/db"] {
        let path = mine.data().join(name);
        drop(std::fs::remove_file(&path));
        std::fs::create_dir_all(path).unwrap();
    }
    curtails_in_one_run(&mine, "Is a directory");
}

#[test]
fn a_database_that_another_process_holds_is_told_and_the_same_run_curtails() {
    // The wait for the lock is real time, so the clock may not run much faster.
    let mine = Mine::start(6.0, |text| quick(text).replace("\nbudget = \"105 s\"", "\nbudget = \"60 s\""));
    mine.tick().silent();
    let lock = std::fs::File::options().write(true).open(mine.data().join("db.lock")).unwrap();
    fs2::FileExt::lock_exclusive(&lock).unwrap();
    curtails_in_one_run(&mine, "in use by another process");
    drop(lock);
    let kept = Store::with_refuge(&mine.data(), &mine.data().with_file_name("page")).load(&Clock::real().now());
    assert!(!matches!(kept.state.unwrap().miners.phase, MinersPhase::Running), "what that run did is forgotten");
}

/// A Pi without a network at its start: nothing is younger, and nothing is thrown away.
#[test]
fn a_clock_in_1970_loses_nothing_and_the_same_run_curtails() {
    let mine = Mine::start(60.0, quick);
    mine.tick().silent();
    let events = mine.events().lines().count();
    mine.set(json!({"signal_number": 342}));
    let mut run = mine.command(&["tick"]);
    let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    run.env("MINECTL_TEST_CLOCK", format!("{real}:30:60"));
    crate::mine::finish(run.spawn().unwrap(), "tick").silent();
    assert!(mine.commands().iter().any(|(_, what)| what.ends_with(" sleeping")), "nothing was commanded");
    mine.tick().silent();
    assert!(mine.events().lines().count() > events, "events were lost:\n{}", mine.events());
    assert!(std::fs::read_dir(mine.data().join("history")).unwrap().count() >= 2, "history was removed");
}

const SYNC: &str = "fsync,fdatasync,sync_file_range";

/// A card that wears out: in one run the kernel gives an error for each of these calls, or for those to one file.
fn one_run_of_errors(calls: &str, file: Option<&str>) {
    let mine = Mine::start(60.0, quick);
    mine.tick_until("mining", LIMIT, |status| state(status) == "mining");
    let events = mine.events().lines().count();
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:error=EIO"));
    let path = file.map(|file| mine.data().join(file).display().to_string());
    let mut strace = vec!["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    strace.extend(path.as_deref().map(|path| ["-P", path]).into_iter().flatten());
    curtails_in_one_run_by(&mine, &strace, "Input/output error");
    let proven = |status: &Value| state(status) == "off" && status["alarms"][0].is_null();
    mine.tick_until("proven, and in order again", LIMIT, proven);
    assert_eq!(mine.events().matches("nothing is remembered: boot").count(), 1, "the state was lost");
    assert!(mine.events().lines().count() > events, "events were lost:\n{}", mine.events());
}

#[test]
fn when_nothing_can_be_synced_the_same_run_curtails_and_nothing_is_lost_once_the_disk_is_back() {
    one_run_of_errors(SYNC, None);
}

#[test]
fn when_the_database_cannot_be_written_the_same_run_curtails_and_nothing_is_lost_once_the_disk_is_back() {
    one_run_of_errors("pwrite64", None);
}

#[test]
fn when_the_database_cannot_be_read_the_same_run_curtails_and_nothing_is_lost_once_the_disk_is_back() {
    one_run_of_errors(&format!("{SYNC},pwrite64,pread64,read,copy_file_range"), Some("db/db"));
}

/// As after a restore from a backup by root.
#[test]
fn a_data_folder_of_another_user_is_told_and_the_same_run_curtails() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED: only root can play another user");
        return;
    }
    let mine = Mine::start(60.0, quick);
    mine.tick().silent();
    let events = mine.events().lines().count();
    let everywhere = |path: &std::path::Path, mode: u32| {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    // The program, its configuration, the page and the log are the other user's to use; the data is not.
    let program = mine.config().with_file_name("minectl");
    std::fs::copy(crate::mine::program(), &program).unwrap();
    let demo = mine.data().parent().unwrap().to_owned();
    for path in [mine.config().parent().unwrap(), demo.as_path(), &demo.join("page"), &program] {
        everywhere(path, 0o777);
    }
    for path in files(&demo.join("page")).iter().chain([&mine.config(), &demo.join("minectl.log")]) {
        everywhere(path, 0o666);
    }
    for path in files(&mine.data()) {
        everywhere(&path, 0o600);
    }
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    mine.set(json!({"signal_number": 342}));
    let ran = mine.run_program_by(&nobody, &program, &["tick"]);
    ran.silent();
    assert!(mine.commands().iter().any(|(_, what)| what.ends_with(" sleeping")), "nothing was commanded");
    assert!(mine.page().contains("Permission denied"), "the page does not say it");
    let told = mine.recorded("telegram").join("\n");
    assert!(told.contains("Power signal: curtail") && told.contains("Permission denied"), "{told}");
    mine.tick_until("proven, and in order again", LIMIT, |status| {
        state(status) == "off" && status["alarms"][0].is_null()
    });
    assert!(mine.events().lines().count() > events, "events were lost:\n{}", mine.events());
}
