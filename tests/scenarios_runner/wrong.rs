//! That a story can fail: each kind of line with a deliberately wrong one, and each mistake of a writer with its message.

use super::judge::{broken, loose};
use super::parse::parse;
use super::play::play;
use super::show;

/// A call of ten minutes in which a line stands that does not hold.
fn story(line: &str) -> String {
    format!("# A wrong story\nIt must fail.\n\nstart running\nat 0:00 signal 350\n{line}\nend 0:12\n")
}

/// What is told about the wrong line, with the timeline.
fn told(line: &str) -> String {
    let story = parse("wrong", &story(line)).unwrap();
    let frames = play(&story).unwrap();
    let found = broken(&story, &frames);
    assert!(!found.is_empty(), "`{line}` holds");
    assert!(found.iter().all(|finding| finding.line == 6), "`{line}`: {found:?}");
    found.iter().map(|finding| show::finding(&story, &frames, finding)).collect()
}

#[test]
fn each_kind_of_expectation_fails_when_it_is_wrong_and_says_why() {
    for (line, why) in [
        ("at 0:10 expect miners running", "`miners running` is not so at 0:10"),
        ("at 0:10 expect no info \"Miners proven off\"", "is not so at 0:10"),
        ("by 0:10 miners resuming", "`miners resuming` does not come true after 0:00, not by 0:10"),
        ("by 0:02 miners curtailed", "`miners curtailed` got slower: only at 0:02:40, not by 0:02"),
        ("by 0:10 signal run", "`signal run` is so already at 0:00: this line cannot fail"),
        ("by 0:10 again miners curtailed", "it is not so at 0:00; leave `again` out"),
        ("by 0:10 again miners running", "`again miners running` does not come true"),
        ("from 0:01 to 0:10 miners curtailing", "`miners curtailing` is not so at 0:02:40"),
        ("from 0:01 to 0:10 never miners curtailed", "`miners curtailed` is so at 0:02:40, and must never be"),
        ("from 0:01:01 to 0:02 miners curtailing", "no run falls between 0:01:01 and 0:02"),
        ("until 0:10 miners curtailing", "`miners curtailing` is not so at 0:02:40"),
        ("until 0:10 never outlet cut", "`outlet cut` is so at 0:02, and must never be"),
        ("always miners draw at least 900 kW", "is not so at 0:00"),
        ("never info \"Miners proven off\"", "is so at 0:02:40, and must never be"),
        ("never miner put to sleep; no emergency", "`miner put to sleep` is so at 0:00"),
    ] {
        let told = told(line);
        assert!(told.contains(why), "`{line}`: {told}");
        assert!(told.starts_with(&format!("tests/scenarios/wrong.txt:6: {line}\n")), "{told}");
        for part in ["time ", "intake", "kW", "fans turn", "70 F", "curtailing", "sent  miners to sleep (20)", "why   "]
        {
            assert!(told.contains(part), "`{line}`: the timeline lacks `{part}`:\n{told}");
        }
    }
}

#[test]
fn a_time_that_is_looser_than_it_need_be_is_told_with_the_tightest_and_a_tight_one_is_not() {
    let loosest = |line: &str| {
        let story = parse("wrong", &story(line)).unwrap();
        let frames = play(&story).unwrap();
        loose(&story, &frames).into_iter().map(|(finding, _)| finding.text).collect::<Vec<_>>()
    };
    assert_eq!(loosest("by 0:04 miners curtailed"), ["holds already at 0:02:40: write `by 0:03`"]);
    assert!(loosest("by 0:03 miners curtailed").is_empty());
    assert!(loosest("by 0:02:40 miners curtailed").is_empty());
}

#[test]
fn what_cannot_happen_is_told_with_its_line() {
    for (line, why) in [
        ("at 0:04 ack \"smoke\"", "no alarm `smoke` stands at 0:04; standing: none"),
        ("at 0:04 clear \"miners\"", "no override `miners` stands at 0:04; standing: none"),
        ("at 0:04 intake goes to 90 F by 0:03", "0:03 is not after 0:04"),
    ] {
        let story = parse("wrong", &story(&format!("{line}\nnever emergency"))).unwrap();
        assert_eq!(play(&story).unwrap_err(), (6, why.to_owned()));
    }
}

#[test]
fn each_mistake_of_a_writer_is_told_with_its_line_and_the_way_out() {
    for (line, why) in [
        ("att 0:04 signal 350", "unknown word `att`"),
        ("nevr emergency", "did you mean `never`?"),
        ("at 0:04 signl 350", "unknown word `signl`; did you mean `signal`?"),
        ("at 0:04 signal high", "`high` is no number; write `signal <number>`"),
        ("at 0:04 fans 12 die", "wanted fan numbers from 1 to 9"),
        ("at 0:04 fans 1-3 dye", "unknown word `dye`, wanted `die`"),
        ("at 0:04 pdu spdu-x unreadable", "there is no PDU `spdu-x`; did you mean `spdu-a`?; known are spdu-a"),
        ("at 0:04 board relays-c reboots", "there is no relay board `relays-c`"),
        ("at 0:04 probe intake-wst unplugged", "did you mean `intake-west`?"),
        ("at 0:04 intake 95", "temperature"),
        ("at 0:04 set miners off for 2", "time span"),
        ("at 4 signal 300", "`4` is no time: write hours and minutes"),
        ("at 0:60 signal 300", "`0:60` is no time"),
        ("at 0:04", "say what happens"),
        ("at 0:04 expect", "unknown word `expect`"),
        ("by 0:04 minors curtailed", "unknown word `minors`; did you mean `miners`?"),
        ("by 0:04 miners asleep", "there is no such word `asleep`"),
        ("by 0:04 miners draw at most 20", "power"),
        ("by 0:04 off because rain", "unknown variant `rain`"),
        ("by 0:04 warning Fan", "wanted a text in quotes"),
        ("by 0:04 warning \"Fan", "a text in quotes does not end"),
        ("by 0:04 miners curtailed soon", "`soon` is too much"),
        ("by 0:04 ;", "say what must be"),
        ("at 0:04 expect again miners running", "`again` is for `by` only"),
        ("from 0:04 miners running", "write `from 0:10 to 0:20`"),
        ("from 0:04 to 0:04 miners running", "0:04 is not after 0:04"),
        ("at 0:04 signal 300\nat 0:02 signal 310", "wrong:7: 0:02 comes after 0:04 of line 6; put the lines in order"),
        ("by 0:04 emergency\nat 0:02 signal 310", "wrong:7: 0:02 comes after 0:04 of line 6"),
        ("at 0:04 expect alarm\nat 0:04 smoke", "wrong:7: `expect` above is for the end of 0:04"),
        ("start curtailed", "`start` comes too late; write it above `start` in line 4"),
        ("config mode = observe", "`config` comes too late"),
        ("pending: some day", "`pending:` comes too late"),
        ("end 0:05\nnever emergency", "wrong:7: nothing comes after `end`"),
        ("at 0:20 signal 300\nnever emergency", "the story ends at 0:12 and has a line for 0:20"),
    ] {
        let mistake = parse("wrong", &story(line)).map(|_| ()).unwrap_err();
        assert!(mistake.contains(why), "`{line}`: {mistake}");
        assert!(mistake.starts_with("wrong:"), "{mistake}");
    }
    let line_6 = parse("wrong", &story("nevr emergency")).map(|_| ()).unwrap_err();
    assert!(line_6.starts_with("wrong:6: "), "{line_6}");
}

#[test]
fn the_head_of_a_story_is_checked_too() {
    for (head, why) in [
        ("start running", "a story begins with its title"),
        ("# T\nProse.\n\nstart asleep", "cannot start `asleep`; write `start` and running, or curtailed, or first run"),
        ("# T\nProse.\n\nstart runing", "did you mean `running`?"),
        ("# T\nProse.\n\nstart running at 95", "write `start running at 95 F`"),
        ("# T\nProse.\n\nat 0:00 smoke", "the story has not begun; write `start running` above"),
        ("# T\nProse.\nstart running", "the story does not begin"),
        (
            "# T\nProse.\n\nconfig signal.max_ag = 3",
            "no configuration key `signal.max_ag`; did you mean `signal.max_age`?",
        ),
        ("# T\nProse.\n\nconfig fan.*.wirin = x", "there is no configuration key `fan.*.wirin`"),
        ("# T\nProse.\n\nconfig signal.max_age = soon\nstart running", "`signal.max_age`"),
        ("# T\nProse.\n\nconfig signal.max_age", "write `config signal.when_blind = hold`"),
        ("# T\nProse.\n\npending:\nstart running", "say why it is pending"),
        ("# T\nProse.\n\nstart running\nnever emergency", "the story takes no time; write `end 0:30`"),
    ] {
        let mistake = parse("wrong", head).map(|_| ()).unwrap_err();
        assert!(mistake.contains(why), "`{head}`: {mistake}");
    }
}

#[test]
fn a_story_that_expects_nothing_is_refused() {
    let mistake = parse("wrong", &story("")).map(|_| ()).unwrap_err();
    assert_eq!(mistake, "wrong: the story expects nothing and cannot fail; write `by`, `never` or `at ... expect`");
}
