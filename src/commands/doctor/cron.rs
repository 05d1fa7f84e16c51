//! Whether cron starts the runs: the line, its interval, and cron itself. It reads crontabs as cron does, as far as one
//! line of ours needs it; it starts nothing but `crontab -l`.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Places;
use super::check::{Check, Group};
use crate::config::Config;
use crate::units::Seconds;

/// A crontab is not longer.
const BYTES_MAX: u64 = 256 * 1024;
/// `crontab -l` has this long.
const PRINTED_WITHIN: Duration = Duration::from_secs(2);
const PRINT_LINE: &str =
    "start install.sh again, or put the line that `sudo minectl crontab` prints into /etc/cron.d/minectl";

/// A crontab.
struct Crontab {
    name: String,
    text: String,
    /// Whether its lines name a user.
    has_user: bool,
    /// Why cron would not read it.
    ignored: Option<String>,
}

/// A line that starts our runs.
#[derive(Debug, PartialEq)]
struct Line {
    file: String,
    fields: Vec<String>,
    program: String,
    config: PathBuf,
    ignored: Option<String>,
}

/// The line and the daemon.
pub(super) fn checks(cfg: &Config, path: &Path, places: &Places) -> Vec<Check> {
    let (crontabs, unread) = crontabs(places);
    let lines: Vec<Line> = crontabs.iter().flat_map(lines_of).filter(|line| is_same(&line.config, path)).collect();
    vec![line_check(cfg, &lines, &unread), daemon(places)]
}

fn line_check(cfg: &Config, lines: &[Line], unread: &[String]) -> Check {
    let name = "cron";
    let fail = |says: String, way_out: &str| Check::fail(Group::Machine, name, says, way_out);
    let (read, ignored): (Vec<&Line>, Vec<&Line>) = lines.iter().partition(|line| line.ignored.is_none());
    let (Some(line), others) = (read.first(), read.get(1..).unwrap_or_default()) else {
        if let Some(Line { file, ignored: Some(why), .. }) = ignored.first() {
            return fail(format!("cron does not read {file}: {why}"), "correct that, then wait for the next run");
        }
        if !unread.is_empty() {
            let says = format!("no line with `minectl ... tick` was found; not readable here: {}", unread.join(", "));
            return Check::warn(Group::Machine, name, says, "look as root: `sudo minectl doctor`");
        }
        return fail("no line starts `minectl ... tick` with this configuration".to_owned(), PRINT_LINE);
    };
    if !others.is_empty() {
        let files: Vec<&str> = read.iter().map(|line| line.file.as_str()).collect();
        let says = format!("{} lines start runs ({}): all but one end at once", read.len(), files.join(", "));
        return Check::warn(Group::Machine, name, says, "keep one of them");
    }
    if !Path::new(&line.program).is_file() {
        return fail(format!("{}: there is no {}", line.file, line.program), PRINT_LINE);
    }
    match interval(&line.fields) {
        Some(interval) if interval == cfg.loop_interval => {
            Check::ok(Group::Machine, name, format!("{} starts a run every {interval}", line.file))
        }
        Some(interval) => {
            let says = format!("{} starts a run every {interval}, `loop_interval` is {}", line.file, cfg.loop_interval);
            fail(says, PRINT_LINE)
        }
        None => fail(format!("{}: `{}` is not an even interval all day", line.file, line.fields.join(" ")), PRINT_LINE),
    }
}

/// Whether a cron daemon runs.
fn daemon(places: &Places) -> Check {
    let name = "cron daemon";
    let processes = std::fs::read_dir(&places.processes).into_iter().flatten().flatten();
    let mut names = processes.filter_map(|process| std::fs::read_to_string(process.path().join("comm")).ok());
    if names.any(|name| matches!(name.trim(), "cron" | "crond")) {
        return Check::ok(Group::Machine, name, "runs");
    }
    let way_out = "`sudo systemctl enable --now cron`, or `sudo apt-get install cron`";
    Check::fail(Group::Machine, name, "does not run: no run is started", way_out)
}

/// All crontabs that can be read, and the names of those that cannot.
fn crontabs(places: &Places) -> (Vec<Crontab>, Vec<String>) {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    let mut take = |path: &Path, has_user: bool, ignored: Option<String>| {
        let small = std::fs::metadata(path).is_ok_and(|meta| meta.len() <= BYTES_MAX);
        match std::fs::read(path) {
            Ok(bytes) if small => found.push(Crontab {
                name: path.display().to_string(),
                text: String::from_utf8_lossy(&bytes).into_owned(),
                has_user,
                ignored,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                unread.push(path.display().to_string())
            }
            Ok(_) | Err(_) => {}
        }
    };
    take(&places.crontab, true, None);
    for entry in std::fs::read_dir(&places.cron_folder).into_iter().flatten().flatten() {
        take(&entry.path(), true, why_ignored(&entry.path()));
    }
    match std::fs::read_dir(&places.user_crontabs) {
        Ok(entries) => entries.flatten().for_each(|entry| take(&entry.path(), false, None)),
        Err(_) => found.extend(own_crontab(&places.crontab_program)),
    }
    (found, unread)
}

/// Why cron passes over a file of its folder.
fn why_ignored(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Some("its name may only have letters, digits, `-` and `_`".to_owned());
    }
    let mode = std::fs::metadata(path).map(|meta| meta.permissions()).as_ref().map(Permissions::mode).unwrap_or(0);
    (mode & 0o022 != 0).then(|| format!("its group or others may write it (`sudo chmod 644 {}`)", path.display()))
}

/// The own user's crontab, as its program prints it.
fn own_crontab(program: &Path) -> Option<Crontab> {
    let mut command = Command::new(program);
    command.arg("-l").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => break,
            Ok(None) if began.elapsed() < PRINTED_WITHIN => std::thread::sleep(Duration::from_millis(10)),
            // It hangs, or its pipe is full: it is ended, and what it printed does not count.
            Ok(None) | Err(_) => {
                drop(child.kill());
                drop(child.wait());
                return None;
            }
        }
    }
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(Crontab { name: "your crontab".to_owned(), text, has_user: false, ignored: None })
}

fn lines_of(crontab: &Crontab) -> Vec<Line> {
    crontab.text.lines().filter_map(|line| line_of(line, crontab)).collect()
}

/// A line of five fields that starts `minectl ... tick`.
fn line_of(line: &str, crontab: &Crontab) -> Option<Line> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', '@']) {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let fields: Vec<String> = words.get(..5)?.iter().map(|field| (*field).to_owned()).collect();
    let command = words.get(if crontab.has_user { 6.. } else { 5.. })?.join(" ").replace("\\%", "%");
    let words = shell_words::split(&command).ok()?;
    let is_program = |word: &String| Path::new(word).file_name().is_some_and(|name| name == "minectl");
    let at = words.iter().position(is_program)?;
    let (program, arguments) = (words.get(at)?.clone(), words.get(at + 1..)?);
    if !arguments.iter().any(|word| word == "tick") {
        return None;
    }
    let named =
        arguments.iter().zip(arguments.iter().skip(1)).find(|(option, _)| matches!(option.as_str(), "--config" | "-c"));
    let named = named.map(|(_, value)| value.as_str());
    let joined = || arguments.iter().find_map(|word| word.strip_prefix("--config="));
    let config = named.or_else(joined).unwrap_or("/etc/minectl/config.txt").into();
    Some(Line { file: crontab.name.clone(), fields, program, config, ignored: crontab.ignored.clone() })
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).ok();
    real(one) == real(other)
}

/// How far apart the runs of a line are; `None` when they are not evenly spread over all hours of all days.
fn interval(fields: &[String]) -> Option<Seconds> {
    let (minutes, others) = fields.split_first()?;
    if others.iter().any(|field| field != "*" && field != "*/1") {
        return None;
    }
    let minutes: Vec<u64> = minutes_of(minutes)?.into_iter().collect();
    let (first, last) = (*minutes.first()?, *minutes.last()?);
    let mut gaps: Vec<u64> = minutes.iter().zip(minutes.iter().skip(1)).map(|(before, after)| after - before).collect();
    gaps.push(60 + first - last);
    gaps.dedup();
    match gaps.as_slice() {
        [gap] => Some(Seconds(gap * 60)),
        _ => None,
    }
}

/// The minutes that a field names: `*/2`, `0-58/2`, `5,35`.
fn minutes_of(field: &str) -> Option<BTreeSet<u64>> {
    let mut minutes = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let step: usize = step.parse().ok().filter(|step| *step > 0)?;
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (0, 59),
            (_, Some((from, to))) => (from.parse().ok()?, to.parse().ok()?),
            (one, None) => (one.parse().ok()?, one.parse().ok()?),
        };
        minutes.extend((from..=to).filter(|minute| *minute < 60).step_by(step));
    }
    Some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(minutes: &str) -> Vec<String> {
        format!("{minutes} * * * *").split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_interval_of_a_line_is_known_when_it_is_even() {
        for (minutes, wanted) in
            [("*/2", 120), ("*", 60), ("0", 3600), ("0-58/2", 120), ("5,35", 1800), ("1-59/2", 120)]
        {
            assert_eq!(interval(&fields(minutes)), Some(Seconds(wanted)), "{minutes}");
        }
        for minutes in ["*/7", "0,10", "x", "*/0", "", "0-10"] {
            assert_eq!(interval(&fields(minutes)), None, "{minutes}");
        }
        let nights: Vec<String> = "*/2 0-6 * * *".split(' ').map(str::to_owned).collect();
        assert_eq!(interval(&nights), None);
    }

    #[test]
    fn a_line_of_ours_is_found_and_no_other() {
        let crontab = |has_user| Crontab { name: "x".to_owned(), text: String::new(), has_user, ignored: None };
        let ours =
            "*/2 * * * * minectl /usr/bin/timeout --kill-after=5 115 /opt/min\\%e/minectl --config '/a b/c.txt' tick";
        let line = line_of(ours, &crontab(true)).unwrap();
        assert_eq!((line.program.as_str(), line.config.as_path()), ("/opt/min%e/minectl", Path::new("/a b/c.txt")));
        let bare = line_of("*/2 * * * * minectl tick", &crontab(false)).unwrap();
        assert_eq!(bare.config, Path::new("/etc/minectl/config.txt"));
        for other in [
            "# */2 * * * * minectl minectl tick",
            "*/2 * * * * minectl /usr/bin/other tick",
            "*/2 * * * * root minectl status",
            "@reboot root minectl tick",
            "MAILTO=root",
        ] {
            assert_eq!(line_of(other, &crontab(true)), None, "{other}");
        }
    }
}
