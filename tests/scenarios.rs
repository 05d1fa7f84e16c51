//! The owner's stories in `tests/scenarios`: signal, weather and faults in; states, commands and messages out. How to
//! write one is told in CONTRIBUTING.md.
//!
//! `STORY=name cargo test --test scenarios -- --nocapture` plays those whose name contains `name` and shows the whole
//! timeline. `TIGHTEN=1` writes the tightest times into the stories.
//!
//! And the incidents in `tests/incidents`, which a mine went through: they must be decided as they were. `BLESS=1` writes
//! them anew.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]
#![allow(clippy::string_slice, clippy::print_stdout)]

mod scenarios_runner;
#[path = "decide/scene/mod.rs"]
mod scene;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use scenarios_runner::conditions::{CONDITIONS, Seen};
use scenarios_runner::parse::{Story, When, parse};
use scenarios_runner::play::{Frame, play};
use scenarios_runner::words::Arg;
use scenarios_runner::world::EVENTS;
use scenarios_runner::{Time, clock, incidents, judge, show};

/// A story that was played, and what does not hold.
struct Played {
    story: Story,
    frames: Vec<Frame>,
    broken: Vec<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Every story by name; one that cannot be read is its mistake.
fn stories() -> Vec<Result<Story, String>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let wanted = std::env::var("STORY").unwrap_or_default();
    let mut all = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().is_none_or(|extension| extension != "txt") {
            all.push(Err(format!("{}: a story's file name ends in `.txt`", path.display())));
        } else if name.contains(&wanted) {
            all.push(parse(name, &std::fs::read_to_string(&path).unwrap()));
        }
    }
    all
}

fn play_one(story: Story) -> Played {
    match play(&story) {
        Ok(frames) => {
            let found = judge::broken(&story, &frames);
            let broken = found.iter().map(|finding| show::finding(&story, &frames, finding)).collect();
            Played { story, frames, broken }
        }
        Err((line, why)) => {
            let broken = vec![format!("tests/scenarios/{}.txt:{line}: {why}\n", story.name)];
            Played { story, frames: Vec::new(), broken }
        }
    }
}

/// Every story, played once for all tests, on both cores.
fn played() -> &'static [Result<Played, String>] {
    static PLAYED: OnceLock<Vec<Result<Played, String>>> = OnceLock::new();
    PLAYED.get_or_init(|| {
        let stories = stories();
        let next = AtomicUsize::new(0);
        let play_rest = || {
            let mut done = Vec::new();
            while let Some(story) = stories.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push(story.clone().map(play_one));
            }
            done
        };
        let mut all = std::thread::scope(|scope| {
            let other = scope.spawn(play_rest);
            let mut done = play_rest();
            done.extend(other.join().unwrap());
            done
        });
        all.sort_by_key(|played| match played {
            Ok(played) => played.story.name.clone(),
            Err(mistake) => mistake.clone(),
        });
        all
    })
}

fn none_of(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{} {what}:\n\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_story_goes_as_it_is_told() {
    let mut wrong = Vec::new();
    for played in played() {
        match played {
            Err(mistake) => wrong.push(format!("tests/scenarios/{mistake}\n")),
            Ok(played) => {
                if std::env::var_os("STORY").is_some() {
                    println!("{}\n{}", played.story.title, show::timeline(&played.frames, 0, Time::MAX));
                }
                if let Some(reason) = &played.story.pending {
                    println!("pending: {}: {reason}", played.story.name);
                } else {
                    wrong.extend(played.broken.iter().cloned());
                }
            }
        }
    }
    none_of("lines do not hold", &wrong);
}

#[test]
fn every_time_is_the_tightest_that_holds() {
    let mut found = Vec::new();
    for played in played().iter().flatten().filter(|played| played.story.pending.is_none()) {
        let mut lines = played.story.lines.clone();
        let loose = judge::loose(&played.story, &played.frames);
        for (finding, tightest) in &loose {
            let line = &mut lines[finding.line - 1];
            found.push(format!(
                "tests/scenarios/{}.txt:{}: {line}\n    {}",
                played.story.name, finding.line, finding.text
            ));
            let said = line.split_whitespace().nth(1).unwrap().to_owned();
            *line = line.replacen(&said, &clock(*tightest), 1);
        }
        if !loose.is_empty() && std::env::var_os("TIGHTEN").is_some() {
            let path = folder().join(format!("{}.txt", played.story.name));
            std::fs::write(path, lines.join("\n") + "\n").unwrap();
        }
    }
    none_of("times are looser than they need be; `TIGHTEN=1 cargo test --test scenarios` writes them", &found);
}

#[test]
fn every_word_of_the_vocabulary_is_used_and_every_expectation_is_true_here_and_false_there() {
    let stories: Vec<&Played> = played().iter().flatten().collect();
    let happens = |event| stories.iter().any(|played| played.story.happenings.iter().any(|h| h.event == event));
    let mut found: Vec<String> =
        (0..EVENTS.len()).filter(|event| !happens(*event)).map(|event| format!("at ... {}", EVENTS[event].0)).collect();
    for (phrase, (text, test)) in CONDITIONS.iter().enumerate() {
        let (mut is_true, mut is_false) = (false, false);
        for played in &stories {
            let conditions = played.story.expectations.iter().flat_map(|expectation| &expectation.conditions);
            for condition in conditions.filter(|condition| condition.phrase == phrase) {
                for frame in &played.frames {
                    let holds = test(&Seen { frame, told: frame.notices.iter().collect() }, &condition.args);
                    is_true |= holds;
                    is_false |= !holds;
                }
            }
        }
        match (is_true, is_false) {
            (true, true) => {}
            (false, false) => found.push((*text).to_owned()),
            (true, false) => found.push(format!("{text}: never false")),
            (false, true) => found.push(format!("{text}: never true")),
        }
    }
    none_of("phrases that no story uses, or that never change", &found);
}

#[test]
fn what_must_never_be_told_is_told_in_some_story() {
    let stories: Vec<&Played> = played().iter().flatten().collect();
    let mut heard = String::new();
    for frame in stories.iter().flat_map(|played| &played.frames) {
        frame.notices.iter().for_each(|notice| heard += &notice.text);
        frame.events.iter().for_each(|event| heard += &event.text);
        frame.reasons.iter().for_each(|reason| heard += &reason.text);
        frame.alarms.keys().for_each(|id| heard += id);
    }
    let mut found = Vec::new();
    for played in &stories {
        for expectation in &played.story.expectations {
            let is_never = matches!(expectation.when, When::Never(..));
            for condition in expectation.conditions.iter().filter(|condition| condition.is_turned != is_never) {
                for arg in &condition.args.0 {
                    if let Arg::Text(text) = arg
                        && !heard.contains(text.as_str())
                    {
                        found.push(format!("tests/scenarios/{}.txt:{}: `{text}`", played.story.name, expectation.line));
                    }
                }
            }
        }
    }
    none_of("texts are nowhere told, so that forbidding them cannot fail", &found);
}

#[test]
fn a_pending_story_that_has_come_true_is_told() {
    let pending = played().iter().flatten().filter(|played| played.story.pending.is_some());
    let true_now: Vec<String> = pending
        .filter(|played| played.broken.is_empty())
        .map(|played| format!("tests/scenarios/{}.txt: passes now; remove its `pending:` line", played.story.name))
        .collect();
    none_of("pending stories have come true", &true_now);
}

#[test]
fn every_incident_is_decided_as_it_was_recorded() {
    let mut wrong = Vec::new();
    for incident in incidents::all() {
        let played = incident.play(&incident.cfg);
        match incident.first_difference(&played) {
            Some(_) if std::env::var_os("BLESS").is_some() => incident.bless(&played),
            Some(difference) => wrong.push(difference),
            None => {}
        }
    }
    none_of("incidents are decided in another way than they were", &wrong);
}

#[test]
fn an_incident_is_small_says_what_it_is_commands_something_and_notices_other_rules() {
    let all = incidents::all();
    assert!(all.len() >= 2);
    let bytes: u64 = all.iter().map(|incident| std::fs::metadata(&incident.path).unwrap().len()).sum();
    assert!(bytes < 100_000 + 60_000 * (all.len() as u64 - 2), "{bytes} bytes: shorten them, or record a smaller mine");
    for incident in &all {
        let path = incident.path.display();
        assert!(incident.header.incident.contains(' '), "{path}: `--what` says what happened");
        assert!(incident.cfg.foreman.api_key.reveal() == "left-out", "{path}: a secret");
        let commands = incident.runs.iter().flat_map(|run| &run.passes).map(|(_, decided)| decided.commands.len());
        assert!(commands.sum::<usize>() > 0, "{path}: nothing happens");
        // Nothing is ever wrong by these rules.
        let mut other = incident.cfg.clone();
        other.climate.lost_limit = minectl::units::Seconds(86_400);
        other.signal.meaning = minectl::config::SignalMeaning::Number {
            range: (0.0, 1000.0),
            off_when: minectl::config::OffWhen::High,
            curtail_at: 900.0,
            resume_below: 800.0,
        };
        assert!(incident.first_difference(&incident.play(&other)).is_some(), "{path}: other rules are not noticed");
    }
}
